-- The checks inside ml.train: what they warn of, that they can be switched off, and that they change nothing else.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE FUNCTION pg_temp.warned(source text, target text, algorithm text DEFAULT 'auto', params text DEFAULT '{}', task text DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
	SELECT warnings FROM ml.train('m' || md5(source), source, target, algorithm => algorithm, params => params::jsonb, task => task) $$;
CREATE FUNCTION pg_temp.warns(warnings text[], pattern text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT ok(bool_or(w LIKE pattern), what || coalesce('', array_to_string(warnings, '; '))) FROM unnest(warnings) w $$;

CREATE TEMP TABLE w AS
SELECT 'titanic' AS t, pg_temp.warned('titanic', 'survived', task => 'classification') AS found UNION ALL
SELECT 'telco', pg_temp.warned('telco_churn', 'Churn') UNION ALL
SELECT 'adult', pg_temp.warned('adult', 'income') UNION ALL
SELECT 'bike', pg_temp.warned('bike_sharing', 'cnt') UNION ALL
SELECT 'penguins', pg_temp.warned('penguins', 'species') UNION ALL
SELECT 'housing', pg_temp.warned('california_housing', 'median_house_value') UNION ALL
SELECT 'letters', pg_temp.warned('letter_recognition', 'lettr', 'gradient_boosting', '{"n_estimators": 2}') UNION ALL
SELECT 'flights', pg_temp.warned('SELECT *, dep_delay >= 15 AS late FROM hflights', 'late', 'decision_tree', '{"max_depth": 3}');

SELECT pg_temp.warns(found, pattern, t || ': ' || pattern) FROM w JOIN (VALUES
	('titanic', 'target_copy: column "alive" says what target "survived" is%'),
	('titanic', 'missing_values: column "deck" is missing in % training rows (7%'),
	('telco', 'number_as_text: column "TotalCharges" holds numbers as text%'),
	('telco', 'sentinel_text: column "TotalCharges"%'),
	('adult', 'sentinel_text: column "workclass" has texts that stand for NULL: ''?''%'),
	('adult', 'sentinel_number: column "capital_gain"%''99999''%'),
	('bike', 'leakage: column "registered" alone predicts target "cnt"%'),
	('flights', 'target_copy: column "dep_delay" says what target "late" is%'),
	('flights', 'missing_values: column "cancellation_code"%')) v(t, pattern) USING (t);
SELECT is(found, '{}', t || ': nothing to warn of') FROM w WHERE t IN ('penguins', 'housing', 'letters');
SELECT is_empty($$SELECT * FROM w, unnest(found) x WHERE x ~ '^(leakage|target_copy|filled_after_outcome)' AND x !~ '"(alive|registered|dep_delay)"'$$, 'no column is suspected without a reason');

-- Off, and harmless.
SELECT is(pg_temp.warned('titanic', 'survived', task => 'classification', params => '{"checks": false}'), '{}', 'switched off');
SELECT throws_ok($$SELECT pg_temp.warned('titanic', 'survived', params => '{"checks": 1}')$$, '22023', '"checks" must be true or false, not a number');
SELECT is(params->>'checks', 'false', 'the run says so') FROM ml.runs WHERE model = 'm' || md5('titanic') AND params->>'checks' = 'false' LIMIT 1;
SELECT is((SELECT encode(ml.artifact('m' || md5('titanic') || ':1'), 'hex')), (SELECT encode(ml.artifact('m' || md5('titanic') || ':2'), 'hex')), 'the model is the same with and without them');

-- Whatever the order of the rows.
SELECT is(pg_temp.warned('SELECT * FROM adult ORDER BY fnlwgt DESC, age', 'income'), found, 'the order of the rows makes no difference') FROM w WHERE t = 'adult';

-- After the fact, imbalance, few rows.
CREATE TEMP TABLE paid AS SELECT i % 40 = 0 AS fraud, CASE WHEN i % 40 = 0 THEN (i * 7) % 50 END AS chargeback, (i * 31) % 97 AS amount FROM generate_series(1, 4000) i;
SELECT pg_temp.warns(pg_temp.warned('paid', 'fraud'), 'filled_after_outcome: whether column "chargeback" is missing tells target "fraud"%', 'a column filled in when the outcome is known');
SELECT pg_temp.warns(pg_temp.warned('paid', 'fraud'), 'class_imbalance: classes of target "fraud" are imbalanced: "true" % to "false" %; see class_weight', 'imbalance');
SELECT is_empty($$SELECT x FROM unnest(pg_temp.warned('SELECT i AS x, i AS y FROM generate_series(1, 60) i', 'y')) x WHERE x LIKE 'leak%'$$, 'too few rows to suspect');

-- Digits of one length are a code, not numbers, and a column is suspected once.
CREATE TEMP TABLE coded AS SELECT i, (10000 + i % 97)::text AS zip, (i % 97 * 1.5)::text AS price, i % 7 > 4 AS y FROM generate_series(1, 2000) i;
SELECT is((SELECT array_agg(split_part(w, ' ', 3)) FROM (SELECT unnest(warnings) w FROM ml.train('coded', 'coded', 'y', key => 'i')) s WHERE w ~ '^number_as_text'), '{"\"price\""}', 'a zip is no number');
CREATE TEMP TABLE late AS SELECT i, i % 7 > 4 AS y, CASE WHEN i % 7 > 4 AND i % 100 > 0 THEN i % 11 / 3.0 WHEN i % 101 = 0 THEN i % 11 / 3.0 END AS paid FROM generate_series(1, 2000) i;
SELECT is((SELECT array_agg(split_part(w, ':', 1)) FROM (SELECT unnest(warnings) w FROM ml.train('late', 'late', 'y', key => 'i')) s WHERE w ~ '"paid"' AND w ~ '^(leakage|filled|target)'), '{filled_after_outcome}', 'suspected once');

SELECT * FROM finish();
ROLLBACK;
