DROP TABLE IF EXISTS adult;
CREATE TABLE adult
(
	age integer,
	workclass text,
	fnlwgt integer,
	education text,
	education_num integer,
	marital_status text,
	occupation text,
	relationship text,
	race text,
	sex text,
	capital_gain integer,
	capital_loss integer,
	hours_per_week integer,
	native_country text,
	income text,
	split text
);
\copy adult FROM PROGRAM 'gzip -dc test/data/adult.csv.gz' WITH (FORMAT csv, HEADER)
ANALYZE adult;
