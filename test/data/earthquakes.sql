DROP TABLE IF EXISTS earthquakes;
CREATE TABLE earthquakes
(
	"Date" text,
	"Time" text,
	"Latitude" double precision,
	"Longitude" double precision,
	"Type" text,
	"Depth" double precision,
	"Depth Error" double precision,
	"Depth Seismic Stations" double precision,
	"Magnitude" double precision,
	"Magnitude Type" text,
	"Magnitude Error" double precision,
	"Magnitude Seismic Stations" double precision,
	"Azimuthal Gap" double precision,
	"Horizontal Distance" double precision,
	"Horizontal Error" double precision,
	"Root Mean Square" double precision,
	"ID" text,
	"Source" text,
	"Location Source" text,
	"Magnitude Source" text,
	"Status" text
);
\copy earthquakes FROM PROGRAM 'gzip -dc test/data/earthquakes.csv.gz' WITH (FORMAT csv, HEADER)
ANALYZE earthquakes;
