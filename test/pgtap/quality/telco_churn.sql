-- telco_churn: binary classification, numbers that arrive as text, categories, a key.
-- Literals: test/bench/quality.py, scikit-learn 1.9.1, LogisticRegression(C=1) run to a gradient of 1e-9, on the same rows, prepared alike.
BEGIN;
SELECT plan(6);
\ir ../../data/folds.sql

SELECT results_eq($$
	SELECT n_train, n_validation, n_test
	FROM ml.train('quality_telco', 'SELECT * FROM telco_folds WHERE train', 'Churn', algorithm => 'logistic_regression', key => 'customerID',
		split => '{"train": 1}', exclude => '{row_key,train}',
		preprocess => '{"TotalCharges": "number"}', params => '{"C": 1}') $$,
	$$ VALUES (4977::bigint, 0::bigint, 0::bigint) $$,
	'every row of the training fold trains');

CREATE TEMPORARY TABLE scored AS
SELECT row_key, "Churn" = 'Yes' AS truth, ml.predict_proba('quality_telco', t.*) AS probability, ml.predict_class('quality_telco', t.*) AS class
FROM telco_folds t WHERE NOT train;

SELECT is(count(*), 2066::bigint, 'every row of the test fold is scored')
FROM scored WHERE probability IS NOT NULL AND class IS NOT NULL;
SELECT cmp_ok(ml.roc_auc(truth, probability), '>=', 0.8466816691::float8 - 0.003,
	'AUC as good as scikit-learn''s 0.8467') FROM scored;
SELECT cmp_ok(ml.accuracy(truth, class = 'Yes'), '>=', 0.8054211036::float8 - 0.003,
	'accuracy as good as scikit-learn''s 0.8054') FROM scored;

-- the same prepared matrix and the same optimum: the same predictions
SELECT cmp_ok(abs(avg(probability) / 0.268637497404 - 1), '<=', 1e-6::float8, 'the mean prediction is scikit-learn''s') FROM scored;
SELECT is_empty($$
	SELECT * FROM (VALUES
		('5480-HPRRX', 0.612228812248),
		('0637-KVDLV', 0.744990699473),
		('1871-MOWRM', 0.257970376255),
		('8495-PRWFH', 0.208915274529),
		('6769-DYBQN', 0.253954550789),
		('1216-BGTSP', 0.324868522471)) AS oracle (row_key, expected)
	LEFT JOIN scored USING (row_key)
	WHERE (abs(probability - expected) <= 1e-6 * expected) IS NOT TRUE $$,
	'single predictions are scikit-learn''s to 1e-6 relative');

SELECT * FROM finish();
ROLLBACK;
