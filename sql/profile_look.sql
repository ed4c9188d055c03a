-- Look at tables before learning from them: what is in the columns, what is missing, what is something else than it seems.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/titanic.sql
\i test/data/telco_churn.sql
\i test/data/adult.sql
\i test/data/nyc311_animals.sql
\i test/data/earthquakes.sql
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- The columns at a glance.
SELECT column_name, type, role, nulls, distinct_count, median, histogram FROM ml.profile('titanic');

-- NULL is a value like others: seen first, where it is the most frequent one.
SELECT value, count, round(share::numeric, 3) AS share FROM ml.value_counts('titanic', 'deck');

-- A number that is stored as text, with 11 blanks in it.
SELECT column_name, type, role, empty, number_share FROM ml.profile('telco_churn') WHERE type = 'text' AND role = 'number';

-- Values that stand for a missing one.
SELECT column_name, sentinels FROM ml.profile('adult') WHERE sentinels > 0;
SELECT column_name, role, sentinels FROM ml.profile('nyc311_animals') WHERE sentinels > 0 OR role IN ('key', 'constant', 'empty');

-- Three rows have another format of timestamps.
SELECT column_name, role, formats FROM ml.profile('earthquakes') WHERE formats IS NOT NULL;

-- Pictures.
SELECT bin, round(low::numeric) AS low, round(high::numeric) AS high, count, bar FROM ml.histogram('titanic', 'age', bins => 8);
SELECT group_value, n, round(median::numeric, 2) AS median, outliers_high, picture FROM ml.boxplot('titanic', 'fare', by => 'class');
SELECT a_value AS class, b_value AS alive, count, residual > 0 AS more_than_expected FROM ml.crosstab('titanic', 'class', 'alive');

-- What goes with what.
SELECT a, b, method, round(value::numeric, 2) AS value FROM ml.correlations('titanic') WHERE value > 0.95 AND method <> 'spearman' ORDER BY a COLLATE "C", b COLLATE "C";

-- Men and women aboard, side by side: the fares differ most.
SELECT column_name, round(difference::numeric, 2) AS distance
FROM ml.profile_diff('SELECT age, fare, class FROM titanic WHERE sex = ''male''', 'SELECT age, fare, class FROM titanic WHERE sex = ''female''')
WHERE statistic = 'distance' ORDER BY difference DESC;

-- Sketches of parts, kept in a table, merge into that of the whole.
CREATE TABLE parts AS SELECT pclass, ml.sketch(fare) AS fares FROM titanic GROUP BY pclass;
SELECT s.n, s.median, s.distinct_count, s.approximate FROM (SELECT ml.sketch_merge(fares) AS m FROM parts) d, ml.sketch_statistics(m) s;
DROP TABLE parts, titanic, telco_churn, adult, nyc311_animals, earthquakes;
