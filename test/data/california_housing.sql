DROP TABLE IF EXISTS california_housing;
CREATE TABLE california_housing
(
	longitude double precision,
	latitude double precision,
	housing_median_age double precision,
	total_rooms double precision,
	total_bedrooms double precision,
	population double precision,
	households double precision,
	median_income double precision,
	median_house_value double precision,
	ocean_proximity text
);
\copy california_housing FROM 'test/data/california_housing.csv' WITH (FORMAT csv, HEADER)
ANALYZE california_housing;
