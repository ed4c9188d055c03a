-- california_housing: least squares with a category and missing cells.
-- Literals: test/bench/quality.py, scikit-learn 1.9.1, LinearRegression, on the same rows, prepared alike.
BEGIN;
SELECT plan(6);
\ir ../../data/folds.sql

SELECT results_eq($$
	SELECT n_train, n_validation, n_test
	FROM ml.train('quality_california', 'SELECT * FROM california_folds WHERE train', 'median_house_value', algorithm => 'linear_regression',
		split => '{"train": 1}', exclude => '{row_key,train}') $$,
	$$ VALUES (14537::bigint, 0::bigint, 0::bigint) $$,
	'every row of the training fold trains');

CREATE TEMPORARY TABLE scored AS
SELECT row_key, median_house_value AS truth, ml.predict('quality_california', t.*) AS prediction FROM california_folds t WHERE NOT train;

SELECT is(count(prediction), 6103::bigint, 'every row of the test fold is scored') FROM scored;
SELECT cmp_ok(ml.rmse(truth, prediction), '<=', 69078.27609::float8 * 1.005, 'RMSE as good as scikit-learn''s 69078') FROM scored;
SELECT cmp_ok(ml.r2(truth, prediction), '>=', 0.6450858674::float8 - 0.003, 'R2 as good as scikit-learn''s 0.6451') FROM scored;
SELECT cmp_ok(abs(avg(prediction) / 207872.591312 - 1), '<=', 1e-6::float8, 'the mean prediction is scikit-learn''s') FROM scored;
SELECT is_empty($$
	SELECT * FROM (VALUES
		('-12221:3776:1420:1085', 163569.00891),
		('-11808:3392:2118:1414', 213938.797593),
		('-11783:3379:1454:724', 250611.058103),
		('-11792:3413:1762:1526', 129355.269328),
		('-11833:3409:654:416', 220991.158744),
		('-12142:3860:1166:574', 88951.6980328)) AS oracle (row_key, expected)
	LEFT JOIN scored USING (row_key)
	WHERE (abs(prediction - expected) <= 1e-6 * expected) IS NOT TRUE $$,
	'single predictions are scikit-learn''s to 1e-6 relative');

SELECT * FROM finish();
ROLLBACK;
