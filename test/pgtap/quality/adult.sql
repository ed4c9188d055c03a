-- adult: binary classification on the split of its authors, "?" being a level like any other.
-- Literals: test/bench/quality.py, scikit-learn 1.9.1, LogisticRegression(C=1) run to a gradient of 1e-9, on the same rows, prepared alike.
BEGIN;
SELECT plan(6);
\ir ../../data/folds.sql

SELECT results_eq($$
	SELECT n_train, n_validation, n_test
	FROM ml.train('quality_adult', 'SELECT * FROM adult_folds WHERE train', 'income', algorithm => 'logistic_regression',
		split => '{"train": 1}', exclude => '{row_key,train,split}', params => '{"C": 1}') $$,
	$$ VALUES (32561::bigint, 0::bigint, 0::bigint) $$,
	'every row of the training fold trains');

CREATE TEMPORARY TABLE scored AS
SELECT row_key, "income" = '>50K' AS truth, ml.predict_proba('quality_adult', t.*) AS probability, ml.predict_class('quality_adult', t.*) AS class
FROM adult_folds t WHERE NOT train;

SELECT is(count(*), 16281::bigint, 'every row of the test fold is scored')
FROM scored WHERE probability IS NOT NULL AND class IS NOT NULL;
SELECT cmp_ok(ml.roc_auc(truth, probability), '>=', 0.90543014::float8 - 0.003,
	'AUC as good as scikit-learn''s 0.9054') FROM scored;
SELECT cmp_ok(ml.accuracy(truth, class = '>50K'), '>=', 0.8531416989::float8 - 0.003,
	'accuracy as good as scikit-learn''s 0.8531') FROM scored;

-- the same prepared matrix and the same optimum: the same predictions
SELECT cmp_ok(abs(avg(probability) / 0.237442465692 - 1), '<=', 1e-6::float8, 'the mean prediction is scikit-learn''s') FROM scored;
SELECT is_empty($$
	SELECT * FROM (VALUES
		('38:108140:9:50:Craft-repair', 0.283783876557),
		('44:171615:15:55:Prof-specialty', 0.881216777781),
		('68:335701:4:40:Other-service', 0.00484708312246),
		('37:270181:12:50:Other-service', 0.0151893490837),
		('50:240989:2:40:Farming-fishing', 0.0099654513819),
		('46:104908:9:40:Other-service', 0.00404159228679)) AS oracle (row_key, expected)
	LEFT JOIN scored USING (row_key)
	WHERE (abs(probability - expected) <= 1e-6 * expected) IS NOT TRUE $$,
	'single predictions are scikit-learn''s to 1e-6 relative');

SELECT * FROM finish();
ROLLBACK;
