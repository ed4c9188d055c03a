-- From a table to a served, versioned model: the whole path once, in words rather than digits.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/telco_churn.sql
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- Train.  Text, numbers and blanks go in as they are; the key says which rows belong together and is not learned from.
SELECT model, version, algorithm, task, n_train + n_validation + n_test AS n_rows, metric,
	score > baseline_score + 0.3 AS much_better_than_guessing
FROM ml.train('churn', 'telco_churn', 'Churn', algorithm => 'logistic_regression', key => 'customerID');

-- Predict, by whole row, by JSON, in any clause.
SELECT "customerID", ml.predict_class('churn', c.*) FROM telco_churn c ORDER BY "customerID" LIMIT 3;
SELECT count(*) BETWEEN 1000 AND 2500 AS plausible FROM telco_churn c WHERE ml.predict_proba('churn', c.*) > 0.5;
SELECT bool_and(ml.predict_proba('churn', c.*) = ml.predict_proba('churn', to_jsonb(c))) AS json_agrees FROM telco_churn c;

-- What if this customer took a contract for two years?
SELECT ml.predict_proba('churn', to_jsonb(c) || '{"Contract": "Two year"}') < ml.predict_proba('churn', c.*) AS would_stay_rather
FROM telco_churn c WHERE "customerID" = '7590-VHVEG';

-- Judge, on the rows kept apart in training.
SELECT metric, value BETWEEN 0.5 AND 1 AS plausible, reason FROM ml.evaluate('churn') WHERE metric IN ('accuracy', 'roc_auc', 'precision', 'recall') ORDER BY metric;

-- What it expects, and what it learned.
SELECT column_name, type, kind, used FROM ml.describe('churn') WHERE column_name IN ('tenure', 'Contract') ORDER BY column_name COLLATE "C";
SELECT feature, sign(coefficient) FROM ml.coefficients('churn') WHERE feature IN ('tenure', 'Contract=Two year') ORDER BY feature COLLATE "C";

-- Again with other parameters: version 2.  Version 1 goes on answering until 2 is deployed.
SELECT model, version FROM ml.train('churn', 'telco_churn', 'Churn', algorithm => 'logistic_regression', key => 'customerID',
	params => '{"class_weight": "balanced"}', note => 'leavers weigh as much as stayers');
SELECT model, version, algorithm, deployed FROM ml.versions ORDER BY version;
SELECT ml.predict_all('churn', c.*) ->> 'version' AS version FROM telco_churn c LIMIT 1;
SELECT one.metric, CASE WHEN one.value < two.value THEN 'version 2' ELSE 'version 1' END AS better
FROM ml.evaluate('churn:1') one JOIN ml.evaluate('churn:2') two USING (metric) WHERE metric IN ('precision', 'recall') ORDER BY metric;

-- Deploy it, think again, go back.
SELECT FROM ml.deploy('churn', 2);
SELECT ml.predict_all('churn', c.*) ->> 'version' AS version FROM telco_churn c LIMIT 1;
SELECT FROM ml.rollback('churn');
SELECT ml.predict_all('churn', c.*) ->> 'version' AS version FROM telco_churn c LIMIT 1;

-- All of it is transactional.
BEGIN;
SELECT version FROM ml.train('churn', 'telco_churn', 'Churn', algorithm => 'baseline', key => 'customerID');
SELECT FROM ml.deploy('churn', 3);
ROLLBACK;
SELECT version, deployed FROM ml.versions WHERE model = 'churn' ORDER BY version;

-- A regression, trained on a SELECT.
SELECT task, metric, score < baseline_score / 10 AS far_better_than_the_mean
FROM ml.train('charges', 'SELECT "MonthlyCharges", "PhoneService", "MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection",
	"TechSupport", "StreamingTV", "StreamingMovies" FROM telco_churn', 'MonthlyCharges', algorithm => 'linear_regression');
SELECT round(ml.predict('charges', c.*)) AS fibre_with_everything FROM telco_churn c WHERE "customerID" = '2889-FPWRM';

SELECT FROM ml.drop_model('churn');
SELECT FROM ml.drop_model('charges');
DROP TABLE telco_churn;
