-- Numbers, booleans and intervals: median, indicator, clamping, standardising.
-- Oracle: scikit-learn 1.9.1, SimpleImputer(median) (most_frequent for b), indicators beside them, StandardScaler on the imputed columns but not on
-- the indicators, Ridge(alpha=1).  Infinite cells were replaced by the largest and smallest finite x before.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(14);

CREATE TABLE numbers AS
SELECT CASE WHEN i % 7 = 0 THEN NULL WHEN i % 29 = 0 THEN 'NaN' WHEN i = 11 THEN 'Infinity' WHEN i = 17 THEN '-Infinity'
		ELSE (i * 37 % 101) / 8.0 END::float8 AS x,
	(i * 13 % 17) AS whole, CASE WHEN i % 13 <> 0 THEN i % 3 = 0 END AS b, (i * 7 % 50) * interval '1 minute' AS span,
	CASE WHEN i % 7 = 0 OR i % 29 = 0 OR i IN (11, 17) THEN 6 ELSE (i * 37 % 101) / 4.0 END + i * 13 % 17
		+ CASE WHEN i % 3 = 0 AND i % 13 <> 0 THEN 5 ELSE 0 END + i % 4 AS y
FROM generate_series(1, 60) i;
SELECT is(ARRAY(SELECT w FROM unnest(warnings) w WHERE w LIKE 'column %'), '{}', 'nothing is left out')
FROM ml.train('numbers', 'numbers', 'y', 'linear_regression', '{"l2": 1}', split => '{"train": 1, "validation": 0, "test": 0}');

CREATE FUNCTION pg_temp.close(got float8, wanted float8) RETURNS boolean LANGUAGE sql AS $$ SELECT abs(got - wanted) <= 1e-9 * greatest(1, abs(wanted)) $$;

SELECT ok(pg_temp.close(ml.predict('numbers', t), wanted), format('%s, %s, %s, %s', coalesce(x::text, 'NULL'), whole, b, span))
FROM (VALUES (4.5::float8, 3, true, interval '10 min', 19.12183781951476::float8),
	(NULL, 3, false, '10 min', 11.586132761057454),
	('NaN', 3, false, '10 min', 11.586132761057454),
	('Infinity', 3, NULL, '10 min', 28.286375589713813),
	('-Infinity', NULL, true, NULL, 16.211487315327858),
	(1000, -7, false, '0', 1779.7961187554486),
	(NULL, NULL, NULL, NULL, 16.594604868171004)) t (x, whole, b, span, wanted);

SELECT results_eq('SELECT feature FROM ml.coefficients(''numbers'')',
	ARRAY['(intercept)', 'x', 'x is missing', 'whole', 'b', 'b is missing', 'span'], 'an indicator only where training had missing cells');
SELECT ok(bool_and(pg_temp.close(coefficient, wanted)), 'coefficients on the original scale')
FROM ml.coefficients('numbers') JOIN (VALUES ('(intercept)', 2.8890646430134446::float8), ('x', 1.783853533511985), ('x is missing', -5.548185687865437),
	('whole', 0.9923541999356591), ('b', 5.443735591771338), ('b is missing', 0.3374450938745145), ('span', -0.0003589431931348886)) w (feature, wanted)
	USING (feature) HAVING count(*) = 7;

-- what carries nothing is left out, with its reason
CREATE TABLE sparse AS
SELECT i::float8 AS x, 5 AS same, NULL::int AS empty, 'Infinity'::float8 AS endless, CASE WHEN i % 2 = 0 THEN 7 END AS seven,
	CASE WHEN i % 3 = 0 THEN 'NaN' ELSE 'Infinity' END::float8 AS nothing, 1e9 + (i % 2) * 1e-7::float8 AS noise, i + i % 5 AS y
FROM generate_series(1, 60) i;
SELECT ok(warnings @> ARRAY['column "same" is left out: it is constant', 'column "empty" is left out: all its values are missing',
		'column "endless" is left out: none of its values is finite', 'column "nothing" is left out: none of its values is finite',
		'column "noise" is left out: it is constant'], 'the warnings name the columns and why')
FROM ml.train('sparse', 'sparse', 'y', 'linear_regression', '{"l2": 1}');
SELECT results_eq('SELECT feature FROM ml.coefficients(''sparse'')', ARRAY['(intercept)', 'x', 'seven is missing'],
	'a column constant but for missing cells keeps its indicator');
SELECT results_eq('SELECT column_name FROM ml.describe(''sparse'') WHERE NOT used', ARRAY['same', 'empty', 'endless', 'nothing', 'noise'], 'describe keeps them');

-- the ends of double precision: standardised 1, 2, 3, 4 whatever the unit
CREATE TABLE ends AS
SELECT i, (i % 4 + 1) * 1e307::float8 AS huge, (i % 4 - 1.5) * 2e307::float8 AS astride, (i % 4 + 1) * 1e-300::float8 AS tiny, (i % 4 + i % 3)::float8 AS y
FROM generate_series(1, 60) i;
CREATE TEMP TABLE two_models AS
SELECT first.model AS ends, second.model AS plain
FROM ml.train('ends', 'SELECT huge, astride, tiny, y FROM ends', 'y', 'linear_regression', '{"l2": 1}', split => '{"train": 1, "validation": 0, "test": 0}') first,
	ml.train('plain', 'SELECT i % 4 AS huge, i % 4 AS astride, i % 4 AS tiny, y FROM ends', 'y', 'linear_regression', '{"l2": 1}',
		split => '{"train": 1, "validation": 0, "test": 0}') second;
SELECT ok(bool_and(pg_temp.close(ml.predict('ends', e), ml.predict('plain', p))), 'huge and tiny units give what plain ones give')
FROM ends e, LATERAL (SELECT e.i % 4 AS huge, e.i % 4 AS astride, e.i % 4 AS tiny) p;

SELECT * FROM finish();
ROLLBACK;
