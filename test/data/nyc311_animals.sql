DROP TABLE IF EXISTS nyc311_animals;
CREATE TABLE nyc311_animals
(
	"Unique Key" integer,
	"Created Date" text,
	"Closed Date" text,
	"Agency" text,
	"Agency Name" text,
	"Complaint Type" text,
	"Descriptor" text,
	"Location Type" text,
	"Incident Zip" text,
	"Incident Address" text,
	"Street Name" text,
	"Cross Street 1" text,
	"Cross Street 2" text,
	"Intersection Street 1" text,
	"Intersection Street 2" text,
	"Address Type" text,
	"City" text,
	"Landmark" text,
	"Facility Type" text,
	"Status" text,
	"Due Date" text,
	"Resolution Action Updated Date" text,
	"Community Board" text,
	"Borough" text,
	"X Coordinate (State Plane)" integer,
	"Y Coordinate (State Plane)" integer,
	"Park Facility Name" text,
	"Park Borough" text,
	"Latitude" double precision,
	"Longitude" double precision,
	"Location" text
);
\copy nyc311_animals FROM PROGRAM 'gzip -dc test/data/nyc311_animals.csv.gz' WITH (FORMAT csv, HEADER)
ANALYZE nyc311_animals;
