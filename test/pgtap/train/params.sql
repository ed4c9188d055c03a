-- Parameters, split and hints: what is refused, with which words, and what ml.parameters lists.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TABLE flats AS SELECT i % 40 + 20 AS area, (i % 40 + 20) * 3 + i % 5 AS price, i % 3 = 0 AS sold FROM generate_series(1, 200) i;

-- Message and hint of a statement's error.
CREATE FUNCTION pg_temp.error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE || ': ' || message, nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.refused(target text, algorithm text, params text, split text DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT pg_temp.error(format('SELECT FROM ml.train(''m'', ''flats'', %L, algorithm => %L, params => %L, split => %L)', target, algorithm, params, split)) $$;

-- ---- the nearest name first ----
SELECT is(pg_temp.refused('sold', wanted, '{}'), format('42704: algorithm "%s" does not exist | %s', wanted, hint), wanted)
FROM (VALUES
	('logistic', 'Perhaps you meant "logistic_regression". Valid algorithms are logistic_regression, baseline, linear_regression, gradient_boosting, random_forest, extra_trees, decision_tree, isolation_forest.'),
	('boosting', 'Perhaps you meant "gradient_boosting". Valid algorithms are gradient_boosting, baseline, linear_regression, logistic_regression, random_forest, extra_trees, decision_tree, isolation_forest.'),
	('Baseline', 'Perhaps you meant "baseline". Valid algorithms are baseline, linear_regression, logistic_regression, gradient_boosting, random_forest, extra_trees, decision_tree, isolation_forest.'),
	('lineer_regression', 'Perhaps you meant "linear_regression". Valid algorithms are linear_regression, baseline, logistic_regression, gradient_boosting, random_forest, extra_trees, decision_tree, isolation_forest.'),
	('magic', 'Valid algorithms are baseline, linear_regression, logistic_regression, gradient_boosting, random_forest, extra_trees, decision_tree, isolation_forest.')) t (wanted, hint);
SELECT is(pg_temp.refused('sold', 'logistic_regression', '{"iter": 3}'),
	'22023: algorithm "logistic_regression" has no parameter "iter" | Perhaps you meant "max_iter". Valid parameters are max_iter, C, l2, tol, checks, class_weight, correct_probabilities, max_categories, metric, resample, sampling_ratio, smote_neighbors, time_zone.',
	'a part of a parameter''s name');
SELECT is(pg_temp.refused('sold', 'logistic_regression', '{"max": 3}'),
	'22023: algorithm "logistic_regression" has no parameter "max" | Perhaps you meant "max_iter". Valid parameters are max_iter, C, l2, tol, checks, class_weight, correct_probabilities, max_categories, metric, resample, sampling_ratio, smote_neighbors, time_zone.',
	'the beginning of two: the first of them');
SELECT alike(pg_temp.refused('sold', 'logistic_regression', '{"metric": "auc"}'), '22023: metric "auc" not recognized | Perhaps you meant "roc_auc". Valid metrics are roc_auc, %',
	'a part of a metric''s name counts before one that two edits lead to');
SELECT alike(pg_temp.refused('sold', 'logistic_regression', '{"metric": "acuracy"}'), '% | Perhaps you meant "accuracy". Valid metrics are accuracy, %', 'a misspelt metric');
SELECT alike(pg_temp.refused('sold', 'logistic_regression', '{"metric": "zzz"}'), '22023: metric "zzz" not recognized | Valid metrics are %', 'nothing near');
SELECT is(pg_temp.refused('pri', 'linear_regression', '{}'), '42703: source has no column "pri", given as the target | Perhaps you meant "price".', 'the beginning of a column''s name');

-- ---- two names for one thing ----
SELECT is(pg_temp.refused('sold', 'logistic_regression', params), '22023: parameters "C" and "l2" say the same thing | Give one of them.', params)
FROM (VALUES ('{"C": 2, "l2": 1}'), ('{"C": 1, "l2": 1}'), ('{"c": 1, "l2": 0}')) t (params);
SELECT is(pg_temp.refused('sold', 'logistic_regression', params), NULL, params || ': null is not given')
FROM (VALUES ('{"C": null, "l2": 1}'), ('{"C": 1, "l2": null}')) t (params);
SELECT is(pg_temp.refused('sold', 'logistic_regression', '{"C": 1, "c": 1}'), '22023: parameter "C" is given twice', 'a name and its other name');

-- ---- parameters of all algorithms ----
SELECT results_eq($$SELECT parameter FROM ml.parameters('linear_regression')$$, ARRAY['l2', 'checks', 'max_categories', 'metric', 'time_zone'], 'a regression has no weights of classes');
SELECT results_eq($$SELECT algorithm FROM ml.algorithms() WHERE EXISTS (SELECT FROM ml.parameters(algorithm) WHERE parameter = 'class_weight') ORDER BY 1$$,
	ARRAY['baseline', 'decision_tree', 'extra_trees', 'gradient_boosting', 'logistic_regression', 'random_forest'], 'what classifies has');
SELECT alike(pg_temp.refused('price', 'linear_regression', '{"L3": 1}'), '%Valid parameters are l2, checks, max_categories, metric, time_zone.', 'nor does a hint name them');

-- ---- numbers beyond double precision ----
SELECT is(pg_temp.refused('sold', 'logistic_regression', params, split), '22023: ' || message, coalesce(params, split))
FROM (VALUES
	('{"C": 1e400}', NULL, '"C" is out of range for double precision'),
	('{"max_categories": -1e400}', NULL, '"max_categories" is out of range for double precision'),
	('{"class_weight": {"true": 1e400}}', NULL, '"class_weight" is out of range for double precision'),
	(NULL, '{"train": 1e400}', '"train" is out of range for double precision')) t (params, split, message);
SELECT is(pg_temp.refused('sold', 'logistic_regression', '{"l2": 1e-400}'), NULL, 'one that is too small is zero');

SELECT * FROM finish();
ROLLBACK;
