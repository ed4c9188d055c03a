DROP TABLE IF EXISTS penguins;
CREATE TABLE penguins
(
	species text,
	island text,
	bill_length_mm double precision,
	bill_depth_mm double precision,
	flipper_length_mm integer,
	body_mass_g integer,
	sex text
);
\copy penguins FROM 'test/data/penguins.csv' WITH (FORMAT csv, HEADER)
ANALYZE penguins;
