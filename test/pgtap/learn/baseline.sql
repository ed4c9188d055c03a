-- The baseline: scikit-learn's DummyRegressor and DummyClassifier.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
\ir sample.psql

CREATE TEMP TABLE usable AS SELECT * FROM (VALUES (1.0, 'a', 1.0, 1), (2, 'b', 1, 2), (10, 'b', 1, 3), (20, 'a', 5, 4), (4, 'b', 1, 5)) v (y, label, w, x);

SELECT is(pg_temp.fit('mean', 'usable', 'y', 'baseline'), '{}', 'a baseline needs nothing');
SELECT is(ml.predict('mean', '{"x": 1, "label": "a", "w": 1}'), 7.4::float8, 'the mean');
SELECT pg_temp.fit('median', 'usable', 'y', 'baseline', '{"strategy": "median"}');
SELECT is(ml.predict('median', '{"x": 1, "label": "a", "w": 1}'), 4::float8, 'the median');
SELECT pg_temp.fit('weighted', 'usable', 'y', 'baseline', weights => 'w');
SELECT is(ml.predict('weighted', '{"x": 1, "label": "a"}'), 13::float8, 'the weighted mean: 117 / 9');
SELECT pg_temp.fit('weighted_median', 'usable', 'y', 'baseline', '{"strategy": "median"}', weights => 'w');
SELECT is(ml.predict('weighted_median', '{"x": 1, "label": "a"}'), 20::float8, 'the weighted median');

SELECT pg_temp.fit('prior', 'usable', 'label', 'baseline');
SELECT is(ml.predict_proba('prior', '{"x": 1, "y": 1, "w": 1}'), 0.6::float8, 'the shares of the classes');
SELECT pg_temp.fit('weighted_prior', 'usable', 'label', 'baseline', weights => 'w');
SELECT ok(abs(ml.predict_proba('weighted_prior', '{"x": 1, "y": 1}') - 3 / 9.0) < 1e-15, 'weighted shares');
SELECT pg_temp.fit('most', 'usable', 'label', 'baseline', '{"strategy": "most_frequent"}');
SELECT is(ml.predict_proba('most', '{"x": 1, "y": 1, "w": 1}'), 1::float8, 'the most frequent class');
SELECT throws_ok($$ SELECT pg_temp.fit('no', 'usable', 'label', 'baseline', '{"strategy": "median"}') $$, '22023', 'strategy "median" is for regression',
	'a strategy of the other task');
SELECT throws_like($$ SELECT * FROM ml.coefficients('mean') $$, '%has no coefficients', 'no coefficients');

SELECT * FROM finish();
ROLLBACK;
