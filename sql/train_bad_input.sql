-- What ml.train says to input it cannot use: which column, what was found, what was expected, the way out.
CREATE TABLE flats AS SELECT i AS id, i % 40 + 20 AS area, chr(97 + i % 3) AS quarter, (i % 40 + 20) * 3 + i % 5 AS price, i % 2 = 0 AS sold,
	NULL::integer AS nothing, 7 AS seven, CASE WHEN i % 10 = 0 THEN NULL ELSE i END AS gappy, 'only'::text AS one_class, ARRAY[i] AS list
FROM generate_series(1, 100) i;

-- the source
SELECT FROM ml.train('m', 'no_such_table', 'price');
SELECT FROM ml.train('m', 'SELECT * FRM flats', 'price');
SELECT FROM ml.train('m', 'DELETE FROM flats RETURNING *', 'price');
SELECT FROM ml.train('m', 'SELECT * FROM flats; SELECT * FROM flats', 'price');
SELECT FROM ml.train('m', 'WITH gone AS (DELETE FROM flats RETURNING *) SELECT * FROM gone', 'price');
SELECT FROM ml.train('m', 'flats; DROP TABLE flats', 'price');
SELECT FROM ml.train('m', '', 'price');
SELECT FROM ml.train('m', NULL, 'price');
CREATE FUNCTION wipe() RETURNS integer LANGUAGE sql VOLATILE AS 'DELETE FROM flats; SELECT 1';
SELECT FROM ml.train('m', 'SELECT area, wipe(), price FROM flats', 'price');
SELECT count(*) AS nothing_is_lost FROM flats;

-- the target
SELECT FROM ml.train('m', 'flats', 'prize');
SELECT FROM ml.train('m', 'flats', 'nothing', algorithm => 'linear_regression', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'one_class', algorithm => 'logistic_regression', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'quarter', algorithm => 'linear_regression', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'list');
SELECT n_train + n_validation + n_test AS used, warnings FROM ml.train('m', 'SELECT area, gappy FROM flats', 'gappy', algorithm => 'linear_regression');

-- too few rows
SELECT FROM ml.train('m', 'SELECT area, price FROM flats WHERE false', 'price', algorithm => 'linear_regression');
SELECT n_train, n_validation, n_test, score, warnings FROM ml.train('m', 'SELECT area, price FROM flats OFFSET 2 LIMIT 1', 'price', algorithm => 'linear_regression', split => '{"unlock": true}');
SELECT n_train + n_validation + n_test AS n_rows FROM ml.train('m', 'SELECT i AS y, i * 31 % 11 AS a, i * 37 % 13 AS b, i * 41 % 17 AS c, i * 43 % 19 AS d, i * 47 % 23 AS e,
	i * 53 % 29 AS f FROM generate_series(1, 5) i', 'y', algorithm => 'linear_regression');

-- columns that teach nothing
SELECT warnings FROM ml.train('m', 'SELECT area, nothing, seven, price FROM flats', 'price', algorithm => 'linear_regression');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression');
SELECT FROM ml.train('m', 'SELECT price FROM flats', 'price', algorithm => 'linear_regression');
SELECT FROM ml.train('m', 'flats', 'price', features => '{area,bed_rooms}');
SELECT FROM ml.train('m', 'flats', 'price', exclude => '{aera,list}');
SELECT FROM ml.train('n', 'flats', 'price', exclude => '{list}', key => 'idd');
SELECT FROM ml.train('n', 'flats', 'price', exclude => '{list}', time_column => 'quarter');

-- algorithm, parameters, options
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'liner_regression', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression', params => '{"L3": 1}', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression', params => '{"l2": -1}', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression', params => '{"l2": "much"}', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression', params => '[1]', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'sold', algorithm => 'logistic_regression', positive_class => 'maybe', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', task => 'guessing', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', split => '{"train": 0.9, "test": 0.9}', exclude => '{list}');
SELECT FROM ml.train('m', 'flats', 'price', split => '{"trane": 0.9}', exclude => '{list}');

-- the name
SELECT FROM ml.train('', 'flats', 'price', exclude => '{list}');
SELECT FROM ml.train('m:1', 'flats', 'price', exclude => '{list}');
SELECT FROM ml.train(NULL, 'flats', 'price', exclude => '{list}');
SELECT FROM ml.train(repeat('long', 16), 'flats', 'price', exclude => '{list}');

-- unusual names of columns and tables are no bad input
CREATE TABLE "o'Brien ""flats"" 🏠" AS SELECT area AS "Área in m²", quarter AS "q""u'arter 🏘", price AS "SELECT" FROM flats;
SELECT version IS NOT NULL AS trained FROM ml.train('naïve 🏠', '"o''Brien ""flats"" 🏠"', 'SELECT', algorithm => 'linear_regression');
SELECT count(ml.predict('naïve 🏠', f.*)) FROM "o'Brien ""flats"" 🏠" f;

-- a budget
SET relearn.max_memory = '1MB';
SELECT FROM ml.train('m', 'SELECT i AS x, i % 10 AS y, i % 7 AS z FROM generate_series(1, 200000) i', 'y', algorithm => 'linear_regression');
RESET relearn.max_memory;

SELECT FROM ml.drop_model('m');
SELECT FROM ml.drop_model('naïve 🏠');
SELECT model FROM ml.models;
DROP TABLE flats, "o'Brien ""flats"" 🏠";
DROP FUNCTION wipe;
