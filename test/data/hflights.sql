DROP TABLE IF EXISTS hflights;
CREATE TABLE hflights
(
	year integer,
	month integer,
	day_of_month integer,
	day_of_week integer,
	dep_time integer,
	arr_time integer,
	unique_carrier text,
	flight_num integer,
	tail_num text,
	actual_elapsed_time integer,
	air_time integer,
	arr_delay integer,
	dep_delay integer,
	origin text,
	dest text,
	distance integer,
	taxi_in integer,
	taxi_out integer,
	cancelled integer,
	cancellation_code text,
	diverted integer
);
\copy hflights FROM PROGRAM 'gzip -dc test/data/hflights.csv.gz' WITH (FORMAT csv, HEADER)
ANALYZE hflights;
