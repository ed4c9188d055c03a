-- What trees say to input that is bad, and what they make of input that is only odd.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TEMP TABLE odd AS
SELECT i AS id, i % 97 AS x, 'level ' || i AS many, 'k' || i % 50000 AS fewer, 'one'::text AS single, NULL::int AS nothing, i % 1000 / 7.0 AS y, -1 AS negative, 0 AS zero,
	nullif(i % 3, 1) AS unknown, i % 3 AS thirds, 'NaN'::float8 AS nan
FROM generate_series(1, 3000) i;

CREATE FUNCTION pg_temp.fit(algorithm text, columns text, target text DEFAULT 'y', params jsonb DEFAULT '{}', weights text DEFAULT NULL) RETURNS text[] LANGUAGE sql AS
$$ SELECT array_remove(warnings, 'no row was held out: the score is measured on the training rows and flatters the model')
	FROM ml.train('odd', 'SELECT ' || columns || ' FROM odd', target, algorithm, params || '{"checks": false}', weights => weights, split => '{"train": 1}') $$;
CREATE TEMP VIEW trees AS SELECT unnest('{gradient_boosting,random_forest,extra_trees,decision_tree}'::text[]) AS algorithm;

-- ---- columns ----

SELECT is(pg_temp.fit(algorithm, 'x, many, y'), '{"column \"many\" is left out: 3000 of 3000 values are distinct, as in a key"}', algorithm || ': a column like a key') FROM trees;
SELECT is(pg_temp.fit(algorithm, 'x, single, nothing, y'),
	'{"column \"single\" is left out: it is constant","column \"nothing\" is left out: all its values are missing"}', algorithm || ': one level, all missing') FROM trees;
SELECT alike(array_to_string(pg_temp.fit(algorithm, 'single, nothing, y'), '|'), '%no usable feature column: the model predicts the same for every row%',
	algorithm || ': no column is left') FROM trees;
SELECT FROM ml.train('nothing', 'SELECT single, nothing, y FROM odd', 'y', 'gradient_boosting');
SELECT is((SELECT count(DISTINCT ml.predict('nothing', o.*)) FROM odd o), 1::bigint, 'and the model predicts');
SELECT alike((SELECT warnings[1] FROM ml.train('million', $$SELECT i % 97 AS x, 'level ' || i AS many, i % 1000 AS y FROM generate_series(1, 1000000) i$$, 'y', 'decision_tree', '{"max_depth": 3}')),
	'column "many" is left out: % values are distinct, as in a key', 'a million levels, a key');
SELECT is((SELECT warnings FROM ml.train('half', $$SELECT i % 97 AS x, 'level ' || i / 2 AS many, i % 1000 AS y FROM generate_series(1, 1000000) i$$, 'y', 'gradient_boosting', '{"n_estimators": 2}')),
	'{}', 'half a million levels, no key: rare ones are put together');

-- ---- parameters ----

SELECT throws_ok(format('SELECT pg_temp.fit(%L, %L, params => %L)', algorithm, 'x, y', params), '22023', NULL, algorithm || ' ' || params)
FROM (VALUES ('gradient_boosting', '{"n_estimators": 0}'), ('gradient_boosting', '{"n_estimators": 1e9}'), ('gradient_boosting', '{"num_leaves": 1}'),
	('random_forest', '{"n_estimators": 0}'), ('random_forest', '{"n_estimators": 1e9}'), ('extra_trees', '{"n_estimators": 1e9}'), ('decision_tree', '{"max_leaf_nodes": 1}'),
	('gradient_boosting', '{"monotone_constraints": {"x": 2}}')) t (algorithm, params);
SELECT throws_ok($$SELECT pg_temp.fit('gradient_boosting', 'x, y', params => '{"scale_pos_weight": 3}')$$, '22023', NULL, 'scale_pos_weight of numbers');
SELECT throws_ok($$SELECT pg_temp.fit('gradient_boosting', 'x, ''c'' || thirds AS class', 'class', '{"scale_pos_weight": 3}')$$, '22023', NULL, 'of three classes');
SELECT throws_like($$SELECT pg_temp.fit('gradient_boosting', 'x, y', params => '{"n_estimators": 1000000}')$$, 'the training would need % MB of memory%',
	'a million rounds are too many for memory');
SELECT throws_like($$SET LOCAL relearn.max_memory = '64GB'; SELECT pg_temp.fit('gradient_boosting', 'x, y', params => '{"n_estimators": 1000000}')$$,
	'the model would take about % MiB, and 256 MiB can be stored', 'and for the model, which shows early');
RESET relearn.max_memory;
SELECT throws_ok($$SELECT ml.train('alone', 'SELECT x, y FROM odd', NULL, 'isolation_forest', '{"n_estimators": 1e9}')$$, '22023', NULL, 'isolation_forest {"n_estimators": 1e9}');
SELECT throws_ok($$SELECT pg_temp.fit('gradient_boosting', 'x, single, y', params => '{"monotone_constraints": {"xx": 1}}')$$, '22023',
	'monotone_constraints names "xx", which is no column of the model', 'a constraint on no column');
SELECT throws_ok($$SELECT pg_temp.fit('gradient_boosting', 'x, single, y', params => '{"monotone_constraints": {"single": 1}}')$$, '22023',
	'monotone_constraints names "single", which is no column of the model', 'on one that is left out');
SELECT throws_ok($$SELECT pg_temp.fit('gradient_boosting', 'x, (id % 9)::text AS digit, y', params => '{"monotone_constraints": {"digit": 1}}')$$, '22023',
	'monotone_constraints names "digit", whose values have no order', 'and on a category');

SELECT is(pg_temp.fit('gradient_boosting', 'x, y', params => '{"alpha": 0.5}'),
	ARRAY['"alpha" was not used: it is for the objectives "quantile" and "huber"; the L1 penalty is "lambda_l1"'], 'alpha means something else in XGBoost');
SELECT is(pg_temp.fit('gradient_boosting', 'x, y', params => '{"alpha": 0.5, "objective": "quantile"}'), '{}', 'alpha of a quantile');
SELECT is(pg_temp.fit('gradient_boosting', 'x, y', params => '{"max_delta_step": 1}'),
	ARRAY['"max_delta_step" was not used: it is for the objective "poisson"; the values of leaves are not limited'], 'so does max_delta_step');
SELECT is(pg_temp.fit('gradient_boosting', 'x, y', params => '{"max_delta_step": 1, "objective": "poisson"}'), '{}', 'where it is meant');
SELECT throws_ok($$SELECT pg_temp.fit('random_forest', 'x, y', params => '{"max_features": 1.5}')$$, '22023', NULL, 'one and a half columns');
SELECT throws_ok($$SELECT pg_temp.fit('random_forest', 'x, y', params => '{"max_features": "square"}')$$, '22023', 'parameter "max_features" cannot be "square"', 'another word');

-- ---- targets out of the range of single precision ----

SELECT throws_ok(format($$SELECT pg_temp.fit(%L, 'x, y * %s AS y')$$, algorithm, factor), '22003', NULL, algorithm || ': a target times ' || factor)
FROM trees, unnest('{1e200,1e38,1e-33,1e-300}'::text[]) factor;
SELECT throws_ok($$SELECT pg_temp.fit('random_forest', 'x, y * 1e200 AS y')$$, '22003', 'the target reaches from 0 to 1.42714e+202, which trees cannot learn', 'told by its range');

SELECT throws_ok($$SELECT ml.train('odd', 'SELECT id, x, CASE WHEN ml.split(id) = ''validation'' THEN 1e200 ELSE y END AS y FROM odd', 'y', 'gradient_boosting', '{"early_stopping_rounds": 5}',
	key => 'id', split => '{"unlock": true}')$$, '22000', 'early stopping cannot go by "rmse", which is undefined for the validation rows', 'targets of the validation rows whose errors are infinite');

-- ---- classes ----

SELECT is(pg_temp.fit(algorithm, $$x, CASE WHEN id = 1 THEN 'rare' ELSE 'c' || id % 2 END AS class$$, 'class'), '{}', algorithm || ': a class of one row') FROM trees;
SELECT is(pg_temp.fit(algorithm, 'x, id = 1 AS class', 'class'), '{}', algorithm || ': of two') FROM trees;
SELECT throws_ok(format($$SELECT pg_temp.fit(%L, 'x, single', 'single')$$, algorithm), '22000', 'target column "single" has only one class among the training rows',
	algorithm || ': one class') FROM trees;

SELECT throws_ok($$SELECT ml.train('odd', 'SELECT x, zero, id % 2 AS class FROM odd', 'class', 'gradient_boosting', positive_class => '1')$$, '22023', 'positive_class is for classification only',
	'numbers 0 and 1 without a task are no classes, whatever is said to be positive');
SELECT lives_ok($$SELECT ml.train('odd', 'SELECT x, zero, id % 2 AS class FROM odd', 'class', 'gradient_boosting', positive_class => '0', task => 'classification', split => '{"train": 1}')$$,
	'with it they are');

-- ---- weights ----

SELECT throws_ok(format('SELECT pg_temp.fit(%L, %L, weights => %L)', algorithm, 'x, y, ' || weights, weights), '22000', message, algorithm || ': weights ' || weights)
FROM trees, (VALUES ('negative', 'weight column "negative" has the value -1'), ('zero', 'the weights of the training rows add up to 0'),
	('unknown', 'weight column "unknown" has the value NULL'), ('nan', 'weight column "nan" has the value NaN')) t (weights, message);
SELECT is(pg_temp.fit(algorithm, 'x, y, thirds', weights => 'thirds'), '{}', algorithm || ': some weights are zero') FROM trees;
SELECT throws_ok(format('SELECT pg_temp.fit(%L, %L, weights => %L)', algorithm, 'x, y, 5e-324::float8 AS least', 'least'), '22000',
	'the weights of the training rows add up to 1.4822e-320', algorithm || ': weights too small to tell apart') FROM trees;

-- ---- memory ----

SET LOCAL relearn.max_memory = '1MB';
SELECT throws_like(format($$SELECT ml.train('small', 'SELECT i %% 7 AS x, i AS y FROM generate_series(1, 100000) i', 'y', %L)$$, algorithm),
	'the training would need % MB of memory, more than relearn.max_memory allows', algorithm || ': too little memory') FROM trees;

-- trees that fit noise are larger than expected
SET LOCAL relearn.max_memory = '14MB';
CREATE FUNCTION pg_temp.noise() RETURNS SETOF text LANGUAGE sql AS
$$ SELECT unnest(warnings) FROM ml.train('noise', 'SELECT i % 7919 AS x, i * 31 % 7907 AS z, hashint4(i) % 1000 AS y FROM generate_series(1, 40000) i', 'y', 'random_forest',
	'{"n_estimators": 30, "checks": false}', split => '{"train": 0.9, "test": 0.1}') $$;
SELECT throws_ok('SELECT pg_temp.noise()', '54000', 'the training would need 20 MB of memory, more than relearn.max_memory allows', 'a forest that outgrows the memory is refused after its first trees');
SET LOCAL relearn.max_memory = '20MB';
SELECT is_empty('SELECT pg_temp.noise()', 'what it says is enough');
RESET relearn.max_memory;

SELECT * FROM finish();
ROLLBACK;
