DROP TABLE IF EXISTS titanic;
CREATE TABLE titanic
(
	survived integer,
	pclass integer,
	sex text,
	age double precision,
	sibsp integer,
	parch integer,
	fare double precision,
	embarked text,
	class text,
	who text,
	adult_male text,
	deck text,
	embark_town text,
	alive text,
	alone text
);
\copy titanic FROM 'test/data/titanic.csv' WITH (FORMAT csv, HEADER)
ANALYZE titanic;
