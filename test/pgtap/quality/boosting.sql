-- Gradient boosting at LightGBM's defaults against LightGBM itself on the same rows.
-- Literals: LightGBM 4.7.0, 100 trees of 31 leaves, text columns as pandas categories, telco's TotalCharges as a number; folds of test/data/folds.sql.
-- Floors: at most 0.003 of AUC or accuracy below, 0.5 % of RMSE above.
BEGIN;
SELECT plan(8);
\ir ../../data/folds.sql

SELECT lives_ok($$SELECT ml.train('boost_telco', 'SELECT * FROM telco_folds WHERE train', 'Churn', algorithm => 'gradient_boosting',
	split => '{"train": 1}', exclude => '{row_key,train,customerID}', preprocess => '{"TotalCharges": "number"}')$$, 'telco_churn');
SELECT cmp_ok(ml.roc_auc("Churn" = 'Yes', ml.predict_proba('boost_telco', t.*)), '>=', 0.83792::float8 - 0.003, 'AUC of telco_churn')
FROM telco_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('boost_adult', 'SELECT * FROM adult_folds WHERE train', 'income', algorithm => 'gradient_boosting',
	split => '{"train": 1}', exclude => '{row_key,train,split}')$$, 'adult');
SELECT cmp_ok(ml.roc_auc(income = '>50K', ml.predict_proba('boost_adult', t.*)), '>=', 0.92758::float8 - 0.003, 'AUC of adult')
FROM adult_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('boost_california', 'SELECT * FROM california_folds WHERE train', 'median_house_value', algorithm => 'gradient_boosting',
	split => '{"train": 1}', exclude => '{row_key,train}')$$, 'california_housing');
SELECT cmp_ok(sqrt(avg((median_house_value - ml.predict('boost_california', t.*)) ^ 2)), '<=', 48395.5::float8 * 1.005, 'RMSE of california_housing')
FROM california_folds t WHERE NOT train;

SELECT lives_ok($$SELECT ml.train('boost_letter', 'SELECT * FROM letter_folds WHERE train', 'lettr', algorithm => 'gradient_boosting',
	split => '{"train": 1}', exclude => '{row_key,train}')$$, 'letter_recognition');
SELECT cmp_ok(avg((lettr = ml.predict_class('boost_letter', t.*))::int)::float8, '>=', 0.96749::float8 - 0.003, 'accuracy of letter_recognition')
FROM letter_folds t WHERE NOT train;

SELECT * FROM finish();
ROLLBACK;
