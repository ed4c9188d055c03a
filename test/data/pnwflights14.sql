DROP SCHEMA IF EXISTS pnwflights14 CASCADE;
CREATE SCHEMA pnwflights14;
CREATE TABLE pnwflights14.airlines (
	carrier text PRIMARY KEY,
	name text NOT NULL
);
CREATE TABLE pnwflights14.airports (
	faa text PRIMARY KEY,
	name text,
	lat double precision,
	lon double precision,
	alt integer,
	tz double precision,
	dst text
);
CREATE TABLE pnwflights14.planes (
	tailnum text PRIMARY KEY,
	year integer,
	type text,
	manufacturer text,
	model text,
	engines integer,
	seats integer,
	speed integer,
	engine text
);
CREATE TABLE pnwflights14.weather (
	origin text REFERENCES pnwflights14.airports (faa),
	year integer,
	month integer,
	day integer,
	hour integer,
	temp double precision,
	dewp double precision,
	humid double precision,
	wind_dir integer,
	wind_speed double precision,
	wind_gust double precision,
	precip double precision,
	pressure double precision,
	visib double precision,
	time_hour timestamp,
	PRIMARY KEY (origin, year, month, day, hour)
);
CREATE TABLE pnwflights14.flights (
	flight_id integer PRIMARY KEY,
	year integer NOT NULL,
	month integer NOT NULL,
	day integer NOT NULL,
	dep_time integer,
	dep_delay integer,
	arr_time integer,
	arr_delay integer,
	carrier text NOT NULL REFERENCES pnwflights14.airlines (carrier),
	tailnum text,
	flight integer NOT NULL,
	origin text NOT NULL REFERENCES pnwflights14.airports (faa),
	dest text NOT NULL REFERENCES pnwflights14.airports (faa),
	air_time integer,
	distance integer NOT NULL,
	hour integer,
	minute integer
);

\copy pnwflights14.airlines FROM 'test/data/pnwflights14/airlines.csv' WITH (FORMAT csv, HEADER)
\copy pnwflights14.airports FROM 'test/data/pnwflights14/airports.csv' WITH (FORMAT csv, HEADER)
\copy pnwflights14.planes FROM PROGRAM 'gzip -dc test/data/pnwflights14/planes.csv.gz' WITH (FORMAT csv, HEADER)
\copy pnwflights14.weather FROM PROGRAM 'gzip -dc test/data/pnwflights14/weather.csv.gz' WITH (FORMAT csv, HEADER)
\copy pnwflights14.flights FROM PROGRAM 'gzip -dc test/data/pnwflights14/flights.csv.gz' WITH (FORMAT csv, HEADER)

-- 8,678 flights name a plane that is not in planes, so this key is declared
-- but not validated against the rows already there.
ALTER TABLE pnwflights14.flights
	ADD FOREIGN KEY (tailnum) REFERENCES pnwflights14.planes (tailnum) NOT VALID;

CREATE INDEX ON pnwflights14.flights (tailnum);
CREATE INDEX ON pnwflights14.flights (dest);
CREATE INDEX ON pnwflights14.flights (year, month, day);
ANALYZE pnwflights14.airlines, pnwflights14.airports, pnwflights14.planes, pnwflights14.weather, pnwflights14.flights;
