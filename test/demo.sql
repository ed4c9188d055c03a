-- The main job in SQL, as ./run demo shows it.  Run by psql in the top folder of the tree.
\set QUIET on
SET client_min_messages = warning;
\pset linestyle unicode
\pset border 1
\pset footer off
\pset null '-'
\pset numericlocale off
SET extra_float_digits = -9;
\i test/data/telco_churn.sql
CREATE EXTENSION IF NOT EXISTS relearn;
RESET client_min_messages;
\set ECHO all

-- 7,043 customers of a telecom company, 21 columns, and the question: who will leave ("Churn" is Yes or No)?
SELECT "customerID", tenure, "Contract", "InternetService", "MonthlyCharges", "Churn" FROM telco_churn ORDER BY 1 LIMIT 5;

-- Train.  Raw columns go in as they are: text, numbers, blanks.  "customerID" says which rows belong together and is not learned from.
-- score is the area under the ROC curve on rows kept apart (0.5 = guessing); baseline_score is what no model at all would get.
SELECT * FROM ml.train('churn', 'telco_churn', 'Churn', algorithm => 'logistic_regression', key => 'customerID') \gx

-- Predict, straight from rows of the table: how likely to leave, and the verdict.
SELECT "customerID", tenure, "Contract", round(ml.predict_proba('churn', c.*)::numeric, 3) AS probability, ml.predict_class('churn', c.*) AS leaves
FROM telco_churn c ORDER BY "customerID" LIMIT 5;

-- It is an ordinary expression: the ten customers most worth a call, of those who pay most.
SELECT "customerID", "MonthlyCharges", round(ml.predict_proba('churn', c.*)::numeric, 3) AS probability
FROM telco_churn c WHERE "Churn" = 'No' AND "MonthlyCharges" > 80
ORDER BY ml.predict_proba('churn', c.*) DESC, "customerID" LIMIT 10;

-- Evaluate: how good is it on the rows it has never seen?
SELECT metric, round(value::numeric, 4) AS value, n, reason FROM ml.evaluate('churn');

-- What speaks for leaving, what against?  (The largest coefficients, on the scale of the original columns.)
SELECT feature, round(coefficient::numeric, 3) AS coefficient, round(standard_error::numeric, 3) AS standard_error
FROM ml.coefficients('churn') ORDER BY abs(coefficient) DESC NULLS LAST LIMIT 8;

-- What if?  Take a customer as JSON, change one thing, ask again.
SELECT contract, round(ml.predict_proba('churn', to_jsonb(c) || jsonb_build_object('Contract', contract))::numeric, 3) AS probability
FROM telco_churn c, unnest(ARRAY['Month-to-month', 'One year', 'Two year']) WITH ORDINALITY AS what_if(contract, place)
WHERE "customerID" = '7590-VHVEG' ORDER BY place;

-- Retrain in another way: version 2.  Leavers weigh as much as stayers now, and TotalCharges, left out so far because 11 blanks make it a text, is
-- read as a number.  Version 1 goes on answering until version 2 is deployed.
SELECT version, metric, round(score::numeric, 4) AS score, round(baseline_score::numeric, 4) AS baseline, round(seconds::numeric, 2) AS seconds
FROM ml.train('churn', 'telco_churn', 'Churn', algorithm => 'logistic_regression', key => 'customerID',
              params => '{"class_weight": "balanced"}', preprocess => '{"TotalCharges": "number"}', note => 'balanced');

-- Compare the two on the same unseen rows: the balanced one finds more leavers (recall) and is wrong more often about it (precision).
SELECT one.metric, round(one.value::numeric, 4) AS version_1, round(two.value::numeric, 4) AS version_2
FROM ml.evaluate('churn:1') one JOIN ml.evaluate('churn:2') two USING (metric) ORDER BY metric;

SELECT model, version, algorithm, deployed, bytes, left(sha256, 12) AS sha256 FROM ml.versions ORDER BY version;

-- Deploy version 2: from the next statement on it answers.  Every answer says which version gave it.
SELECT ml.deploy('churn', 2);
SELECT ml.predict_all('churn', c.*) AS answer FROM telco_churn c WHERE "customerID" = '7590-VHVEG';

-- Second thoughts: back to version 1, at once.  Who answered when is kept.
SELECT ml.rollback('churn');
SELECT ml.predict_all('churn', c.*) ->> 'version' AS version FROM telco_churn c WHERE "customerID" = '7590-VHVEG';
SELECT * FROM ml.deployments ORDER BY step;
