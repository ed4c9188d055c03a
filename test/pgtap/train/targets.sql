-- Targets that cannot be learned are refused before anything is fitted, and what a score rests on is said.
BEGIN;
SELECT no_plan();
SET client_min_messages = error;

CREATE TABLE keys AS SELECT i AS x, md5(i::text) AS y FROM generate_series(1, 3000) i;
SELECT throws_ok($$ SELECT FROM ml.train('t', 'keys', 'y') $$, '22000', NULL, 'a key as target');
SELECT throws_ok($$ SELECT FROM ml.train('t', 'SELECT i AS x, (i % 1500)::text AS y FROM generate_series(1, 9000) i', 'y') $$, '54000',
	'target column "y" has 1500 classes, more than the 1000 a model can have', 'too many classes');

SET relearn.max_memory = '12MB';
SELECT throws_ok($$ SELECT FROM ml.train('t', 'SELECT i AS x, (i % 900)::text AS y FROM generate_series(1, 20000) i', 'y', 'baseline') $$, '54000', NULL,
	'the memory for the scores is known before the fit');
RESET relearn.max_memory;

SELECT is((SELECT cardinality(warnings) FROM ml.train('rare',
		'SELECT i AS x, CASE WHEN i > 970 THEN ''rare '' || i WHEN i % 2 = 0 THEN ''a'' ELSE ''b'' END AS y, i AS t FROM generate_series(1, 1000) i',
		'y', time_column => 't')), 1, 'classes without a training row share one warning');
SELECT is((SELECT warnings[1] FROM ml.runs WHERE model = 'rare'), '30 classes, such as "rare 1000", have no training row; the model cannot predict them',
	'which counts them');

SELECT ok((SELECT 'target column "y" has the same value in every training row' = ANY (warnings)
	FROM ml.train('flat', 'SELECT i AS x, 7.0::float8 AS y FROM generate_series(1, 100) i', 'y')), 'a constant target is said');
SELECT ok((SELECT bool_or(w ~ '^rmse is undefined: ') FROM ml.train('huge', 'SELECT i AS x, (i % 2) * 1e308::float8 AS y FROM generate_series(1, 100) i', 'y') t,
	unnest(t.warnings) w), 'an undefined score has its reason');
SELECT ok((SELECT n_test = 0 AND 'no row fell into the test part: the score is measured on the validation rows' = ANY (warnings) OR n_test > 0
	FROM ml.train('few', 'SELECT i % 2 AS x, i % 3 AS z, (i % 5 = 0) AS y FROM generate_series(1, 1000) i', 'y')), 'a score on other rows than those for testing is said');

SELECT throws_ok($$ SELECT FROM ml.train('t', 'keys', 'x', features => '{}') $$, '22023', 'features must name at least one column', 'no features');
SELECT throws_ok($$ SELECT FROM ml.train('t', 'keys', 'x', features => '{{y,y}}') $$, '22023',
	'features must be a list of column names, not an array of 2 dimensions', 'features as a matrix');
SELECT throws_ok($$ SELECT FROM ml.train('t', 'SELECT i AS x, i AS y, 1e308::float8 AS w FROM generate_series(1, 100) i', 'y', weights => 'w') $$, '22000',
	'the weights of the training rows add up to Infinity', 'weights beyond double precision');
SELECT * FROM finish();
ROLLBACK;
