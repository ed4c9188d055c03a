-- Bugs of everyday machine-learning scripts, one by one: what the script does, and why it cannot happen here or is found.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/telco_churn.sql
ALTER TABLE telco_churn DROP COLUMN "TotalCharges";
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- 1.  scaler.fit_transform(X), split later: the scaler has seen the test rows.
--     Here everything is learned from the training rows alone: the mean a model scales by is theirs, not that of all rows.
SELECT n_train > 0 AS trained FROM ml.train('churn', 'telco_churn', 'Churn', key => 'customerID');
SELECT abs(d.mean::float8 - t.of_training) < 1e-9 AS is_of_training_rows, abs(d.mean::float8 - t.of_all) > 0.01 AS differs_from_all
FROM ml.describe('churn') d, (SELECT avg(tenure) AS of_all, avg(tenure) FILTER (WHERE ml.split("customerID") = 'train') AS of_training FROM telco_churn) t
WHERE d.column_name = 'tenure';
--     So with a scaler by itself, which takes the same split.
SELECT ml.fit_pipeline('scaler', 'telco_churn', '{"tenure": "standardize"}', key => 'customerID', split => '{"train": 0.7, "validation": 0.15, "test": 0.15}', features => '{tenure}') AS version;
SELECT abs(p.number - t.of_training) < 1e-9 AS is_of_training_rows FROM ml.preprocess_params('scaler') p,
	(SELECT avg(tenure) AS of_training FROM telco_churn WHERE ml.split("customerID") = 'train') t WHERE p.parameter = 'mean';
--     One that is fitted on all rows says whose test rows it has seen.
SELECT ml.fit_pipeline('leaking', 'telco_churn', '{"tenure": "standardize"}', features => '{tenure}') AS version;

-- 2.  baseline = (y == y.mode()[0]).mean(): rows without a label count as wrong, and the baseline is measured on other rows than the model.
--     Here rows without a label are left out and counted, and both are measured on the same rows.
CREATE TABLE labels AS SELECT i AS id, i % 5 AS x, CASE WHEN i % 3 > 0 THEN CASE WHEN i % 4 = 0 THEN 'rare' ELSE 'usual' END END AS y FROM generate_series(1, 3000) i;
SELECT (SELECT count(*) FILTER (WHERE y = 'usual')::float8 / count(*) FROM labels) < 0.51 AS as_the_script_has_it,
	baseline_score > 0.7 AS as_it_is, n_train + n_validation + n_test AS labelled, warnings[1] AS warning
FROM ml.train('labels', 'labels', 'y', key => 'id', params => '{"metric": "accuracy"}');

-- 3.  cross_val_score(..., cv=5): unshuffled, so that a table sorted by class is cut into parts of one class each.
--     Here the order of the rows means nothing: sorted either way the model is the same, and each part has both classes.
SELECT FROM ml.train('up', 'SELECT * FROM telco_churn ORDER BY "Churn", "customerID"', 'Churn', key => 'customerID');
SELECT FROM ml.train('down', 'SELECT * FROM telco_churn ORDER BY "Churn" DESC, tenure', 'Churn', key => 'customerID');
SELECT encode(ml.artifact('up'), 'hex') = encode(ml.artifact('down'), 'hex') AS same_model;
SELECT ml.split("customerID") AS part, count(DISTINCT "Churn") AS classes FROM telco_churn GROUP BY 1 ORDER BY 1;

-- 4.  1 if feature3 == "yes" else 0: an encoder written a second time for serving, for which each typo is a "no".
--     Here rows go in raw; the encoder is in the model, and what it has not seen is neither this nor that, and said.
SELECT ml.predict_proba('churn', typo) <> ml.predict_proba('churn', typo || '{"Contract": "One year"}') AND
	ml.predict_proba('churn', typo) <> ml.predict_proba('churn', typo || '{"Contract": "Month-to-month"}') AS is_neither, ml.predict_all('churn', typo) ->> 'warnings' AS warnings
FROM (SELECT to_jsonb(c) || '{"Contract": "one-year"}' AS typo FROM telco_churn c WHERE "customerID" = '7590-VHVEG') t;

-- 5.  joblib.load('model.pkl'), joblib.load('scaler.pkl'): a new model behind the old scaler, and everyone churns.
--     Here both are one artifact: a version trained on days and one trained on months answer alike, each to its own unit.
SELECT FROM ml.train('unit', 'SELECT "customerID", tenure, "MonthlyCharges", "Churn" FROM telco_churn', 'Churn', key => 'customerID');
SELECT FROM ml.train('unit', 'SELECT "customerID", tenure * 30 AS tenure, "MonthlyCharges", "Churn" FROM telco_churn', 'Churn', key => 'customerID');
SELECT bool_and(abs(ml.predict_proba('unit:1', jsonb_build_object('tenure', tenure, 'MonthlyCharges', "MonthlyCharges"))
	- ml.predict_proba('unit:2', jsonb_build_object('tenure', tenure * 30, 'MonthlyCharges', "MonthlyCharges"))) < 1e-6) AS alike FROM telco_churn;

-- 6.  probability.max(): how sure the model is, not how likely the customer leaves.
--     Here probabilities carry the names of their classes, and predict_proba is about the positive one.
SELECT bool_and(ml.predict_proba('churn', c.*) = (ml.predict_all('churn', c.*) -> 'probabilities' ->> 'Yes')::float8) AS is_of_yes, min(ml.predict_proba('churn', c.*)) < 0.1 AS can_be_small,
	bool_and(ml.predict_proba('churn', c.*, 'No') + ml.predict_proba('churn', c.*, 'Yes') BETWEEN 1 - 1e-12 AND 1 + 1e-12) AS sum_to_one FROM telco_churn c;

-- 7.  "model_version": "v1.2.3": a constant in the code.
--     Here the call that answers says which version answered.
SELECT FROM ml.train('churn', 'telco_churn', 'Churn', key => 'customerID', params => '{"class_weight": "balanced"}');
SELECT ml.predict_all('churn', c.*) ->> 'version' AS answered FROM telco_churn c LIMIT 1;
SELECT FROM ml.deploy('churn', 2);
SELECT ml.predict_all('churn', c.*) ->> 'version' AS answered FROM telco_churn c LIMIT 1;
SELECT FROM ml.rollback('churn');
SELECT ml.predict_all('churn', c.*) ->> 'version' AS answered FROM telco_churn c LIMIT 1;

-- 8.  async def predict(): one that computes, and holds up everyone else in the process.
--     Here each session has a process of its own, and a statement that takes too long is stopped.
SET statement_timeout = '100ms';
SELECT sum(ml.predict_proba('churn', c.*)) FROM telco_churn c, generate_series(1, 100000);
RESET statement_timeout;

-- 9.  report.get_drift_detected(): true if half of the columns drifted, so that one dead sensor is no drift.
--     Here there is a row for each column.
CREATE VIEW broken AS SELECT "customerID", gender, "Contract", 70 AS tenure, "MonthlyCharges", "Churn" FROM telco_churn;
SELECT column_name, round(difference::numeric, 1) AS distance, note
FROM ml.profile_diff('SELECT "customerID", gender, "Contract", tenure, "MonthlyCharges", "Churn" FROM telco_churn', 'broken') WHERE statistic = 'distance' ORDER BY column_name COLLATE "C";

-- 10. if new_model_accuracy > current_model_accuracy: a fresh number against one that was taken on other rows.
--     Here both versions are measured again, on the same rows.
CREATE VIEW judges AS SELECT * FROM telco_churn WHERE ml.split("customerID") = 'validation';
SELECT one.metric, one.n = two.n AS same_rows, one.value <> two.value AS compared
FROM ml.evaluate('churn:1', 'judges') one JOIN ml.evaluate('churn:2', 'judges') two USING (metric) WHERE metric IN ('accuracy', 'recall') ORDER BY metric;

-- 11. combine_datasets(historical, last_30_days), evaluate(model, test_data): retrained on what it is tested on.
--     Here a row's part follows from its key alone and stays the same in a larger table; and rows in common are found.
CREATE TABLE later AS SELECT * FROM telco_churn WHERE tenure < 6;
UPDATE later SET "customerID" = 'new-' || "customerID";
CREATE VIEW grown AS SELECT * FROM telco_churn UNION ALL SELECT * FROM later;
SELECT n_test = (SELECT count(*) FROM grown WHERE ml.split("customerID") = 'test') AS test_rows_stay FROM ml.train('churn', 'grown', 'Churn', key => 'customerID');
SELECT check_name, value = 1 AS all_of_them FROM ml.overlap('grown', 'SELECT * FROM telco_churn WHERE ml.split("customerID") = ''test''', key => 'customerID') ORDER BY check_name;

-- 12. dt.dayofweek in (5, 6): Saturday and Sunday where Monday is 0, but Friday and Saturday where Sunday is 0.
--     Here a date has "isodow" (Monday is 1) and "is_weekend", in training and in prediction.
CREATE TABLE visits AS SELECT day::date AS day, extract(isodow FROM day) >= 6 AS busy FROM generate_series(timestamp '2023-01-01', '2024-12-31', '1 day') day;
SELECT FROM ml.train('visits', 'visits', 'busy', algorithm => 'decision_tree');
SELECT condition, prediction FROM ml.tree_rules('visits');
SELECT to_char(day, 'Day') AS weekday, ml.predict_class('visits', jsonb_build_object('day', day)) AS busy FROM generate_series(timestamp '2030-03-01', '2030-03-04', '1 day') day;

-- And what the tool finds wrong with the table itself.
SELECT severity, check_name, columns FROM ml.checks('telco_churn', 'Churn', key => 'customerID') ORDER BY 1 DESC, 2, 3;

SELECT ml.drop_model(model) FROM unnest('{churn,scaler,leaking,labels,up,down,unit,visits}'::text[]) model;
DROP VIEW broken, judges, grown;
DROP TABLE labels, later, visits, telco_churn;
