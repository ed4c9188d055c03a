-- titanic without the columns that leak (alive) or repeat others: binary classification of a 0/1 target with much missing.
-- Literals: test/bench/quality.py, scikit-learn 1.9.1, LogisticRegression(C=1) run to a gradient of 1e-9, on the same rows, prepared alike.
BEGIN;
SELECT plan(6);
\ir ../../data/folds.sql

SELECT results_eq($$
	SELECT n_train, n_validation, n_test
	FROM ml.train('quality_titanic', 'SELECT * FROM titanic_folds WHERE train', 'survived', algorithm => 'logistic_regression',
		split => '{"train": 1}', exclude => '{row_key,train,alive,class,embark_town,who,adult_male,alone}',
		task => 'classification', params => '{"C": 1}') $$,
	$$ VALUES (600::bigint, 0::bigint, 0::bigint) $$,
	'every row of the training fold trains');

CREATE TEMPORARY TABLE scored AS
SELECT row_key, survived = 1 AS truth, ml.predict_proba('quality_titanic', t.*) AS probability, ml.predict_class('quality_titanic', t.*) AS class
FROM titanic_folds t WHERE NOT train;

SELECT is(count(*), 291::bigint, 'every row of the test fold is scored')
FROM scored WHERE probability IS NOT NULL AND class IS NOT NULL;
SELECT cmp_ok(ml.roc_auc(truth, probability), '>=', 0.8829598749::float8 - 0.003,
	'AUC as good as scikit-learn''s 0.8830') FROM scored;
SELECT cmp_ok(ml.accuracy(truth, class = '1'), '>=', 0.8213058419::float8 - 0.003,
	'accuracy as good as scikit-learn''s 0.8213') FROM scored;

-- the same prepared matrix and the same optimum: the same predictions
SELECT cmp_ok(abs(avg(probability) / 0.37154869055 - 1), '<=', 1e-6::float8, 'the mean prediction is scikit-learn''s') FROM scored;
SELECT is_empty($$
	SELECT * FROM (VALUES
		('1:male:432:0:1:5123292:C', 0.759770246999),
		('3:female:204:0:0:144583:C', 0.820525659396),
		('1:male:360:0:0:277500:C', 0.611134687172),
		('3:male:-1:0:0:84583:Q', 0.0982143880162),
		('1:female:360:0:0:569292:C', 0.98500727733),
		('2:male:252:2:0:735000:S', 0.161071433845)) AS oracle (row_key, expected)
	LEFT JOIN scored USING (row_key)
	WHERE (abs(probability - expected) <= 1e-6 * expected) IS NOT TRUE $$,
	'single predictions are scikit-learn''s to 1e-6 relative');

SELECT * FROM finish();
ROLLBACK;
