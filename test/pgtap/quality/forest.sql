-- Random forest and extra trees against scikit-learn on the same rows.
-- Literals: scikit-learn 1.9.1, 100 trees, min_samples_leaf=5, the better of text columns as numbers and as columns of their own, mean of three seeds;
-- telco's TotalCharges as a number; folds of test/data/folds.sql.
-- Floors: at most 0.003 of AUC or accuracy below, 0.5 % of RMSE above (forest); twice that for extra trees, whose cuts are drawn among 255 bins.
BEGIN;
SELECT plan(15);
\ir ../../data/folds.sql

SELECT lives_ok($$SELECT ml.train('forest_telco', 'SELECT * FROM telco_folds WHERE train', 'Churn', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train,customerID}', preprocess => '{"TotalCharges": "number"}')$$, 'telco_churn');
SELECT cmp_ok(ml.roc_auc("Churn" = 'Yes', ml.predict_proba('forest_telco', t.*)), '>=', 0.84859::float8 - 0.003, 'AUC of telco_churn')
FROM telco_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('forest_adult', 'SELECT * FROM adult_folds WHERE train', 'income', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train,split}')$$, 'adult');
SELECT cmp_ok(ml.roc_auc(income = '>50K', ml.predict_proba('forest_adult', t.*)), '>=', 0.91556::float8 - 0.003, 'AUC of adult')
FROM adult_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('forest_california', 'SELECT * FROM california_folds WHERE train', 'median_house_value', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train}')$$, 'california_housing');
SELECT cmp_ok(sqrt(avg((median_house_value - ml.predict('forest_california', t.*)) ^ 2)), '<=', 50428.9::float8 * 1.005, 'RMSE of california_housing')
FROM california_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('forest_letter', 'SELECT * FROM letter_folds WHERE train', 'lettr', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train}')$$, 'letter_recognition');
SELECT cmp_ok(avg((lettr = ml.predict_class('forest_letter', t.*))::int)::float8, '>=', 0.94573::float8 - 0.003, 'accuracy of letter_recognition')
FROM letter_folds t WHERE NOT train;

-- full depth, as scikit-learn grows by default
SELECT lives_ok($$SELECT ml.train('deep_california', 'SELECT * FROM california_folds WHERE train', 'median_house_value', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train}', params => '{"min_samples_leaf": 1}')$$, 'california_housing, full depth');
SELECT cmp_ok(sqrt(avg((median_house_value - ml.predict('deep_california', t.*)) ^ 2)), '<=', 49652.1::float8 * 1.005, 'RMSE at full depth')
FROM california_folds t WHERE NOT train;
SELECT lives_ok($$SELECT ml.train('deep_letter', 'SELECT * FROM letter_folds WHERE train', 'lettr', algorithm => 'random_forest',
	split => '{"train": 1}', exclude => '{row_key,train}', params => '{"min_samples_leaf": 1}')$$, 'letter_recognition, full depth');
SELECT cmp_ok(avg((lettr = ml.predict_class('deep_letter', t.*))::int)::float8, '>=', 0.96346::float8 - 0.003, 'accuracy at full depth')
FROM letter_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('extra_adult', 'SELECT * FROM adult_folds WHERE train', 'income', algorithm => 'extra_trees',
	split => '{"train": 1}', exclude => '{row_key,train,split}')$$, 'adult, extra trees');
SELECT cmp_ok(ml.roc_auc(income = '>50K', ml.predict_proba('extra_adult', t.*)), '>=', 0.90840::float8 - 0.006, 'AUC of adult by extra trees')
FROM adult_folds t WHERE NOT train;
SELECT ok((SELECT sum(bytes) FROM ml.versions WHERE model LIKE 'forest\_%') < 20000000, 'forests of the default depth take few megabytes');

SELECT * FROM finish();
ROLLBACK;
