-- Each check of ml.checks on data made for it, beyond its threshold and just within; then thresholds, arguments, odd sources, order of rows.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- The findings of a source as text: check(first column) or check().
CREATE FUNCTION pg_temp.found(source text, target text DEFAULT NULL, key text DEFAULT NULL, time_column text DEFAULT NULL, test text DEFAULT NULL, thresholds jsonb DEFAULT '{}')
RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(check_name || '(' || coalesce(columns[1], '') || ')'), '{}') FROM ml.checks(source, target, key, time_column, test, thresholds, '2024-06-01') $$;
CREATE FUNCTION pg_temp.has(found text[], expected text, what text) RETURNS text LANGUAGE sql AS $$ SELECT ok(expected = ANY (found), what || ': ' || expected || ' among ' || found::text) $$;
CREATE FUNCTION pg_temp.lacks(found text[], unexpected text, what text) RETURNS text LANGUAGE sql AS $$ SELECT ok(NOT unexpected = ANY (found), what || ': ' || unexpected || ' not among ' || found::text) $$;
-- Pseudo-random in [0,1), the same everywhere.
CREATE FUNCTION pg_temp.u(i bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint8extended(i, salt) & 4503599627370495)::float8 / 4503599627370496 $$;

-- Noise: 2,000 rows in which nothing goes with anything.
CREATE TEMP TABLE noise AS SELECT i, pg_temp.u(i, 1) AS a, pg_temp.u(i, 2) AS b, chr(97 + (pg_temp.u(i, 3) * 5)::int) AS c, pg_temp.u(i, 4) < 0.4 AS y, pg_temp.u(i, 5) AS z,
	timestamp '2024-01-01' + i * interval '1 hour' AS at FROM generate_series(1, 2000) i;
SELECT is(pg_temp.found('SELECT a, b, c, y FROM noise', 'y'), '{}', 'noise has no findings, with a class as target');
SELECT is(pg_temp.found('SELECT a, b, c, z FROM noise', 'z'), '{}', 'nor with a number');
SELECT is(pg_temp.found('SELECT a, b, c FROM noise'), '{}', 'nor without a target');

-- ---- leakage ----
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN y THEN ''yes'' ELSE ''no'' END AS answer, y FROM noise', 'y'), 'target_copy(answer)', 'the target in words');
SELECT pg_temp.has(pg_temp.found('SELECT a, 32 + 1.8 * z AS fahrenheit, z FROM noise', 'z'), 'target_copy(fahrenheit)', 'the target in another unit');
SELECT pg_temp.has(pg_temp.found('SELECT a, b, z, 2 * a - b + 3 AS s FROM noise', 's'), 'target_identity(a)', 'a sum with factors');
SELECT pg_temp.has(pg_temp.found('SELECT a, b, z, a + b + z AS s FROM noise', 's'), 'target_identity(a)', 'a sum of three');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, b, z, a + b + 1e-3 * z AS s FROM noise', 's', thresholds => '{"target_identity": null}'), 'target_identity(a)', 'switched off');
-- AUC of a score that separates the classes but for 3 %: 2 AUC - 1 is 0.94 (1 - 2 * 0.03)
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN y = (b > 0.03) THEN 1 + a ELSE a END AS score, y FROM noise', 'y'), 'leakage(score)', 'a score that knows too much');
SELECT pg_temp.lacks(pg_temp.found('SELECT CASE WHEN y = (b > 0.25) THEN 1 + a ELSE a END AS score, y FROM noise', 'y'), 'leakage(score)', 'a good score');
SELECT is((SELECT severity FROM ml.checks('SELECT z + 0.13 * (a - 0.5) * 3.46 AS x, z FROM noise', 'z') WHERE check_name = 'leakage'), 'medium', 'R2 of 0.83 is suspicious, not severe');
SELECT ok((SELECT abs(value - want) < 0.02 FROM ml.checks('SELECT z + 0.13 * (a - 0.5) * 3.46 AS x, z FROM noise', 'z'), (SELECT regr_r2(z, z + 0.13 * (a - 0.5) * 3.46) AS want FROM noise) w
	WHERE check_name = 'leakage'), 'the power of a line is its R2');
SELECT is(pg_temp.found('SELECT md5(i::text) AS token, y FROM noise', 'y'), '{key_column(token)}', 'a key predicts nothing');
SELECT is(pg_temp.found('SELECT md5((i / 3)::text) AS grp, b, y FROM noise', 'y', thresholds => '{"rare_levels": null, "many_levels": null}'), '{}', 'nor do groups of three');
SELECT pg_temp.has(pg_temp.found('SELECT chr(97 + (a * 3)::int) AS k, chr(97 + (a * 3)::int) || (b * 2)::int AS l FROM noise', 'k'), 'target_copy(l)', 'a finer class says the class');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN y THEN b END AS refund, y FROM noise', 'y'), 'filled_after_outcome(refund)', 'filled in when the outcome is known');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN y OR b < 0.5 THEN b END AS note, y FROM noise', 'y'), 'missing_predicts_target(note)', 'missing more often in one class');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, CASE WHEN y OR b < 0.9 THEN b END AS note, y FROM noise', 'y'), 'missing_predicts_target(note)', 'but not by a little');
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN z > 0.5 OR b < 0.3 THEN b END AS note, z FROM noise', 'z'), 'missing_predicts_target(note)', 'a number goes with being missing');
SELECT pg_temp.has(pg_temp.found('SELECT a, c, CASE WHEN b > 0.1 THEN z END AS arrival, CASE WHEN b > 0.1 THEN y END AS late FROM noise', 'late'), 'recorded_with_target(arrival)', 'known only when the target is');
SELECT is_empty($$SELECT * FROM ml.checks('SELECT CASE WHEN b > 0.1 THEN a END AS a, CASE WHEN b > 0.1 THEN z END AS arrival, CASE WHEN b > 0.1 THEN y END AS late FROM noise', 'late')
	WHERE check_name = 'recorded_with_target'$$, 'rows that are empty say nothing about their columns');

-- ---- time ----
SELECT pg_temp.has(pg_temp.found('SELECT at, at + (a - 0.9) * interval ''1 day'' AS updated, y FROM noise', 'y', time_column => 'at'), 'later_than_time(updated)', 'changed after the moment of the prediction');
SELECT is((SELECT n FROM ml.checks('SELECT at, at + (a - 0.9) * interval ''1 day'' AS updated, y FROM noise', 'y', time_column => 'at') WHERE check_name = 'later_than_time'),
	(SELECT count(*) FROM noise WHERE at + (a - 0.9) * interval '1 day' > at), 'in so many rows');
SELECT pg_temp.lacks(pg_temp.found('SELECT at, at - a * interval ''1 day'' AS updated, y FROM noise', 'y', time_column => 'at'), 'later_than_time(updated)', 'not if it was before');
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i = 7 THEN ''2051-01-01'' ELSE at END AS at FROM noise'), 'future_time(at)', 'a date in the future');
SELECT pg_temp.lacks(pg_temp.found('SELECT at FROM noise'), 'future_time(at)', 'all before as_of');

-- ---- stand-ins for NULL ----
SELECT pg_temp.has(pg_temp.found(format('SELECT a, CASE WHEN i %% 50 = 0 THEN %L ELSE c END AS c FROM noise', word)), 'sentinel_text(c)', 'the word ' || quote_literal(word))
FROM unnest(ARRAY['N/A', 'NA', 'n/a', 'NULL', 'null', '?', '-', 'Unspecified', 'Unknown', 'none', '', '   ', 'NaN', '#N/A']) word;
SELECT pg_temp.lacks(pg_temp.found('SELECT a, CASE WHEN i % 50 = 0 THEN ''nab'' ELSE c END AS c FROM noise'), 'sentinel_text(c)', 'other words');
SELECT pg_temp.has(pg_temp.found(format('SELECT CASE WHEN i %% 50 = 0 THEN %s ELSE round(a * 80) END AS x FROM noise', number)), 'sentinel_number(x)', 'the number ' || number)
FROM unnest(ARRAY[-1, 999, 9999, -999, 99999]) number;
SELECT pg_temp.lacks(pg_temp.found('SELECT CASE WHEN i % 50 = 0 THEN 999 ELSE round(a * 2000) END AS x FROM noise'), 'sentinel_number(x)', '999 among such numbers is one');
SELECT pg_temp.lacks(pg_temp.found('SELECT round(a * 4) - 2 AS x FROM noise'), 'sentinel_number(x)', '-1 among negative numbers is one');
SELECT pg_temp.has(pg_temp.found(format('SELECT a, CASE WHEN i %% 500 = 0 THEN %L ELSE at::date END AS d FROM noise', day)), 'sentinel_number(d)', day)
FROM unnest(ARRAY['1900-01-01', '1970-01-01', '9999-12-31', '0001-01-01']) day;
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i % 4 = 0 THEN ''1970-01-01'' ELSE date ''1940-01-01'' + (a * 20000)::int END AS born FROM noise'), 'sentinel_number(born)', 'a date far more frequent than the others');
SELECT pg_temp.lacks(pg_temp.found('SELECT date ''1940-01-01'' + (a * 20000)::int AS born FROM noise UNION ALL SELECT ''1970-01-01'''), 'sentinel_number(born)', 'once it is a birthday');

-- ---- missing, constant, keys ----
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i % 10 < 4 THEN a END AS x FROM noise'), 'missing_values(x)', '60 % missing');
SELECT pg_temp.lacks(pg_temp.found('SELECT CASE WHEN i % 100 < 41 THEN a END AS x FROM noise'), 'missing_values(x)', '59 % missing');
SELECT is(pg_temp.found('SELECT a, NULL::int AS x FROM noise'), '{empty_column(x)}', 'never filled in');
SELECT is(pg_temp.found('SELECT a, 7 AS x FROM noise'), '{constant_column(x)}', 'one value');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i % 100 = 0 THEN 1 ELSE 7 END AS x FROM noise'), 'near_constant(x)', '99 % one value');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, CASE WHEN i % 90 = 0 THEN 1 ELSE 7 END AS x FROM noise'), 'near_constant(x)', '98.9 %');
SELECT is(pg_temp.found('SELECT a, i * 7 AS x FROM noise'), '{key_column(x)}', 'integers that all differ');
SELECT is(pg_temp.found('SELECT a, i + 10 AS x FROM noise'), '{row_number(x)}', 'and without a gap');
SELECT is(pg_temp.found('SELECT a, gen_random_uuid() AS x FROM noise'), '{key_column(x)}', 'uuids');
SELECT is(pg_temp.found('SELECT i, a FROM noise', key => 'i'), '{}', 'the key that was named is no surprise');
SELECT ok(message LIKE '%follows the target%', 'a row number that follows the target') FROM ml.checks('SELECT i, a, i + 50 * a AS y FROM noise', 'y') WHERE check_name = 'row_number';

-- ---- rows ----
SELECT is((SELECT (severity, n, value)::text FROM ml.checks('SELECT a, y FROM noise UNION ALL SELECT a, y FROM noise WHERE i <= 50') WHERE check_name = 'duplicate_rows'), format('(low,50,%s)', 50 / 2050.0::float8), '50 copies');
SELECT is((SELECT severity FROM ml.checks('SELECT a, y FROM noise UNION ALL SELECT a, y FROM noise WHERE i <= 150') WHERE check_name = 'duplicate_rows'), 'medium', '150 copies');
SELECT is((SELECT n FROM ml.checks('SELECT row_number() OVER () AS id, a, y FROM (SELECT a, y FROM noise UNION ALL SELECT a, y FROM noise WHERE i <= 50) s') WHERE check_name = 'duplicate_rows'), 50::bigint, 'a key does not hide them');
SELECT is((SELECT n FROM ml.checks('SELECT a, y FROM noise UNION ALL SELECT a, NOT y FROM noise WHERE i <= 50', 'y') WHERE check_name = 'conflicting_labels'), 100::bigint, 'twins of another class');
SELECT is(pg_temp.found('SELECT a, z FROM noise UNION ALL SELECT a, z + 1 FROM noise WHERE i <= 50', 'z'), '{}', 'numbers may differ');
SELECT is(pg_temp.found('SELECT a, json_build_object(1, i) AS j FROM noise UNION ALL SELECT a, json_build_object(1, -i) FROM noise'), '{}', 'columns that are not looked into still tell rows apart');

-- ---- the target ----
SELECT is(pg_temp.found('SELECT a, 1 AS t FROM noise', 't'), '{constant_target(t)}', 'one class');
SELECT pg_temp.has(pg_temp.found('SELECT a, i % 12 = 0 AS t FROM noise', 't'), 'class_imbalance(t)', '1 to 11');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, i % 11 = 0 AS t FROM noise WHERE i <= 1980', 't'), 'class_imbalance(t)', '1 to 10');
SELECT pg_temp.has(pg_temp.found('SELECT a, i <= 9 AS t FROM noise', 't'), 'rare_class(t)', 'nine rows');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, i <= 10 AS t FROM noise', 't'), 'rare_class(t)', 'ten rows');
SELECT pg_temp.has(pg_temp.found('SELECT a, nullif(c, ''a'') AS t FROM noise', 't'), 'missing_target(t)', 'rows without a target');
SELECT pg_temp.has(pg_temp.found('SELECT a, y::int AS t FROM noise', 't'), 'numeric_classes(t)', '0 and 1');

-- ---- texts ----
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i % 10 = 0 THEN ''abc'' ELSE round(a::numeric, 3)::text END AS x FROM noise'), 'number_as_text(x)', '90 % numbers');
SELECT pg_temp.lacks(pg_temp.found('SELECT CASE WHEN i % 9 = 0 THEN ''abc'' ELSE round(a::numeric, 3)::text END AS x FROM noise'), 'number_as_text(x)', '89 %');
SELECT pg_temp.lacks(pg_temp.found('SELECT lpad((a * 900)::int::text, 5, ''0'') AS zip FROM noise'), 'number_as_text(zip)', 'codes are no numbers');
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i = 5 THEN to_char(at, ''MM/DD/YYYY'') ELSE at::date::text END AS d FROM noise'), 'mixed_formats(d)', 'one date of 2000 in another format');
SELECT pg_temp.has(pg_temp.found('SELECT at::date::text AS d FROM noise'), 'time_as_text(d)', 'one format');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i % 40 = 0 THEN upper(c) ELSE c END AS c FROM noise'), 'level_variants(c)', 'case');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i % 40 = 0 THEN ''new  york'' WHEN i % 3 = 0 THEN ''New-York'' ELSE c END AS c FROM noise'), 'level_variants(c)', 'blanks and hyphens');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i % 40 = 0 THEN c || '' '' ELSE c END AS c FROM noise'), 'whitespace(c)', 'blanks at the end');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i % 10 = 0 THEN ''x'' || i / 50 ELSE c END AS c FROM noise'), 'rare_levels(c)', 'levels of a few rows');
SELECT pg_temp.has(pg_temp.found('SELECT a, ''x'' || i % 256 AS c FROM noise'), 'many_levels(c)', '256 levels');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, ''x'' || i % 255 AS c FROM noise'), 'many_levels(c)', '255 levels');

-- ---- numbers ----
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i % 100 = 0 THEN ''Infinity'' ELSE a END AS x FROM noise'), 'infinite_values(x)', 'infinity');
SELECT pg_temp.has(pg_temp.found('SELECT CASE WHEN i % 100 = 0 THEN ''NaN'' ELSE a END AS x FROM noise'), 'nan_values(x)', 'NaN');
SELECT pg_temp.has(pg_temp.found('SELECT a, CASE WHEN i = 77 THEN 10 ELSE b END AS x FROM noise'), 'outliers(x)', 'one value far away');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, CASE WHEN i = 77 THEN 4 ELSE b END AS x FROM noise'), 'outliers(x)', 'not far enough');

-- ---- pairs ----
SELECT pg_temp.has(pg_temp.found('SELECT c, upper(c) || ''!'' AS d, b FROM noise'), 'redundant_pair(d)', 'the same in other words');
SELECT pg_temp.has(pg_temp.found('SELECT a, a + 0.15 * (b - 0.5) AS d FROM noise'), 'redundant_pair(d)', 'nearly the same number');
SELECT pg_temp.lacks(pg_temp.found('SELECT a, a + 0.5 * (b - 0.5) AS d FROM noise'), 'redundant_pair(d)', 'related numbers');
SELECT pg_temp.has(pg_temp.found('SELECT a, b, z, a - b AS d FROM noise'), 'linear_identity(d)', 'a difference');
SELECT pg_temp.has(pg_temp.found('SELECT (a * 20)::int AS town, (a * 20)::int / 5 AS state, b FROM noise'), 'determined_column(state)', 'what follows from what');
SELECT pg_temp.has(pg_temp.found('SELECT c, y, c = ''a'' AND y AS both, b FROM noise'), 'determined_column(both)', 'what follows from two');

-- ---- arguments ----
SELECT is(pg_temp.found('SELECT a, 7 AS x FROM noise', thresholds => '{"constant_column": null}'), '{}', 'a check is switched off');
SELECT is(pg_temp.found('SELECT b, CASE WHEN i % 10 < 5 THEN a END AS x FROM noise', thresholds => '{"missing_values": 0.5}'), '{missing_values(x)}', 'another threshold');
SELECT is((SELECT threshold FROM ml.checks('SELECT b, CASE WHEN i % 10 < 5 THEN a END AS x FROM noise', thresholds => '{"missing_values": 0.5}')), 0.5::float8, 'is shown');
SELECT is(pg_temp.found('SELECT c, y FROM noise', 'y'), '{}', 'few ways to fill the columns make twins, which say nothing');
SELECT throws_ok($$SELECT FROM ml.checks('noise', thresholds => '{"leek": 1}')$$, '22023', 'thresholds names "leek", which is no check');
SELECT throws_ok($$SELECT FROM ml.checks('noise', thresholds => '{"leakage": "1"}')$$, '22023', 'the threshold of check "leakage" must be a number, or null to switch it off');
SELECT throws_ok($$SELECT FROM ml.checks('noise', thresholds => '[1]')$$, '22023', 'thresholds must be a JSON object of check: number');
SELECT throws_ok($$SELECT FROM ml.checks('noise', 'why')$$, '42703', 'source has no column "why" to be the target');
SELECT throws_ok($$SELECT FROM ml.checks('noise', 'y', 'kee')$$, '42703', 'source has no column "kee" to be the key');
SELECT throws_ok($$SELECT FROM ml.checks('noise', 'y', time_column => 'a')$$, '42804', 'time column "a" has type double precision, expected a date or timestamp');
SELECT throws_ok($$SELECT FROM ml.checks('SELECT ''[]''::json AS j', 'j')$$, '42804', 'target column "j" has type json, expected a number, boolean, text, enum or uuid');
SELECT throws_ok('SELECT FROM ml.checks(NULL)', '22004', 'source must not be NULL');
SELECT throws_ok($$SELECT FROM ml.checks('nothing_of_this_name')$$, '42P01', 'relation "nothing_of_this_name" does not exist');
SELECT is((SELECT count(*) FROM ml.check_definitions()), (SELECT count(DISTINCT check_name) FROM ml.check_definitions()), 'names of checks are unique');

-- ---- odd sources ----
SELECT is(pg_temp.found('SELECT a, y FROM noise WHERE false', 'y'), '{}', 'no rows');
SELECT is(pg_temp.found('SELECT a, y FROM noise WHERE i = 1', 'y'), '{constant_target(y)}', 'one row');
SELECT is(pg_temp.found('SELECT a, NULL::bool AS t FROM noise', 't'), '{constant_target(t),missing_target(t)}', 'no target at all');
SELECT is(pg_temp.found('SELECT FROM noise'), '{}', 'no columns');
SELECT lives_ok($$SELECT FROM ml.checks('SELECT ARRAY[i] AS l, point(a, b) AS p, a FROM noise')$$, 'columns of other types');

-- ---- the order of the rows, and more of them than are kept ----
CREATE TEMP TABLE many AS SELECT i % 90000 AS k, (i * 7919) % 4001 AS a, chr(97 + (pg_temp.u(i, 3) * 20)::int) AS c, pg_temp.u(i % 90000, 4) < 0.3 AS y, pg_temp.u(i % 90000, 6) AS b
FROM generate_series(1, 100000) i;
SELECT results_eq($$SELECT f::text FROM ml.checks('SELECT a, c, b, b + a AS s, y FROM many ORDER BY b', 'y') f$$,
	$$SELECT replace(f::text, 'a DESC, k', 'b') FROM ml.checks('SELECT a, c, b, b + a AS s, y FROM many ORDER BY a DESC, k', 'y') f$$, 'the order of the rows makes no difference');
SELECT ok(abs(n / 10000.0 - 1) < 0.001, 'copies are counted exactly') FROM ml.checks('SELECT k, y, b FROM many', thresholds => '{"key_column": 0.95}') WHERE check_name = 'duplicate_rows';
SET LOCAL relearn.max_memory = '2MB';
SELECT throws_like($$SELECT FROM ml.checks('many')$$, '%relearn.max_memory%', 'memory is announced');

SELECT * FROM finish();
ROLLBACK;
