DROP TABLE IF EXISTS bike_sharing;
CREATE TABLE bike_sharing
(
	instant integer,
	dteday date,
	season integer,
	yr integer,
	mnth integer,
	hr integer,
	holiday integer,
	weekday integer,
	workingday integer,
	weathersit integer,
	temp double precision,
	atemp double precision,
	hum double precision,
	windspeed double precision,
	casual integer,
	registered integer,
	cnt integer
);
\copy bike_sharing FROM PROGRAM 'gzip -dc test/data/bike_sharing.csv.gz' WITH (FORMAT csv, HEADER)
ANALYZE bike_sharing;
