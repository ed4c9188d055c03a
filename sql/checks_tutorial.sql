-- "80 % of machine learning is data janitor work": find what is wrong with a table before learning from it, and set it right.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/titanic.sql
\i test/data/telco_churn.sql
\i test/data/earthquakes.sql
\i test/data/bike_sharing.sql
\i test/data/hflights.sql
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- Who survived?  One column says it in other words, two come twice, and one is mostly missing.
SELECT severity, check_name, columns, message FROM ml.checks('titanic', 'survived') WHERE severity <> 'low';

-- Each finding comes with a statement that sets it right: here a training without the column that gives the answer away.
SELECT fix FROM ml.checks('titanic', 'survived') WHERE check_name = 'target_copy';

-- "Someone will have entered 'N/A' as a string": here it is a blank, in numbers that arrived as text.
SELECT check_name, columns, n, message FROM ml.checks('telco_churn', 'Churn') WHERE 'TotalCharges' = ANY (columns);
SELECT fix AS cleaned FROM ml.checks('telco_churn', 'Churn') WHERE check_name = 'number_as_text' \gset
CREATE VIEW telco_clean AS :cleaned;
SELECT count(*) FILTER (WHERE "TotalCharges" IS NULL) AS unknown, min("TotalCharges") AS least FROM telco_clean;

-- "Timestamps will be in 3 different formats": three rows are enough to make a cast fail.
SELECT check_name, columns, n, message FROM ml.checks('earthquakes') WHERE check_name = 'mixed_formats';
SELECT fix AS cleaned FROM ml.checks('earthquakes') WHERE check_name = 'mixed_formats' AND columns = '{Date}' \gset
SELECT min("Date"), max("Date"), count("Date") FROM (:cleaned) quakes;

-- "Your data will have duplicates.  Always."  Also behind a customer number, and some of them disagree.
SELECT check_name, n, message FROM ml.checks('telco_churn', 'Churn') WHERE check_name IN ('duplicate_rows', 'conflicting_labels') ORDER BY 1;

-- Leakage: the hires of two kinds of riders are the hires.
SELECT severity, check_name, columns, message FROM ml.checks('bike_sharing', 'cnt') WHERE severity <> 'low' AND check_name <> 'leakage';

-- Leakage in time: what is recorded when the outcome is known cannot be asked for beforehand.
SELECT check_name, array_agg(columns[1] ORDER BY columns[1] COLLATE "C") AS known_too_late
FROM ml.checks('SELECT *, dep_delay >= 15 AS late FROM hflights', 'late') WHERE severity = 'high' OR check_name = 'leakage' GROUP BY check_name ORDER BY check_name COLLATE "C";

-- "You'll find test data mixed into training data": here is some.
CREATE TABLE october AS SELECT * FROM bike_sharing WHERE dteday BETWEEN '2012-10-01' AND '2012-10-31';
SELECT severity, check_name, columns, message FROM ml.overlap('SELECT * FROM bike_sharing WHERE dteday < ''2012-10-03''', 'october', time_column => 'dteday', target => 'cnt');
SELECT count(*) FROM ml.overlap('SELECT * FROM bike_sharing WHERE dteday < ''2012-10-01''', 'october', time_column => 'dteday', target => 'cnt');

-- Other thresholds, or none.
SELECT check_name, threshold FROM ml.checks('titanic', 'survived', thresholds => '{"missing_values": 0.8, "duplicate_rows": null}')
WHERE check_name IN ('missing_values', 'duplicate_rows', 'missing_predicts_target');
SELECT check_name, severity, threshold FROM ml.check_definitions() WHERE severity = 'high' ORDER BY check_name COLLATE "C";

-- Every training looks too, at a sample of its rows, and says what it sees.
SELECT unnest(warnings) AS warning FROM ml.train('survival', 'titanic', 'survived', task => 'classification');
SELECT warnings FROM ml.train('hopeful', 'titanic', 'survived', task => 'classification', params => '{"checks": false}');
SELECT unnest(warnings) AS warning FROM ml.train('honest', 'titanic', 'survived', task => 'classification', exclude => '{alive}');

SELECT ml.drop_model(model) FROM unnest('{survival,hopeful,honest}'::text[]) model;
DROP VIEW telco_clean;
DROP TABLE october, titanic, telco_churn, earthquakes, bike_sharing, hflights;
