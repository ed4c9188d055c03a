-- The fixes of ml.checks on columns that are hard to write about: each is run, and leaves or makes what it says and nothing else.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

-- What a fix makes, as rows of jsonb.
CREATE FUNCTION pg_temp.fixed(source text, expected_check text, expected_column text DEFAULT NULL, target text DEFAULT 'y', key text DEFAULT NULL, test text DEFAULT NULL)
RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	fix text := (SELECT c.fix FROM ml.checks(source, target, key, test => test, as_of => '2024-06-01 12:00+00') c
		WHERE check_name = expected_check AND columns[1] IS NOT DISTINCT FROM expected_column);
BEGIN
	RETURN QUERY EXECUTE 'SELECT to_jsonb(fixed) FROM (' || fix || ') fixed';
END $$;

-- Outliers: what is missing stays missing, and the bound is no rounder than the one that was compared.
CREATE TEMP TABLE far AS SELECT CASE WHEN i % 10 <> 0 THEN CASE WHEN i = 11 THEN 1e7 ELSE i % 13 * 0.123456789 END END::float8 AS x,
	CASE WHEN i = 11 THEN 10000 WHEN i % 10 <> 0 THEN i % 13 END AS whole, CASE WHEN i = 12 THEN 'NaN' WHEN i = 11 THEN 1e6 ELSE i % 13 / 7.0 END::float4 AS single, i % 7 > 2 AS y FROM generate_series(1, 400) i;
SELECT is(count(j -> 'x') FILTER (WHERE j -> 'x' = 'null'), 40::bigint, 'clipped: NULL stays NULL') FROM pg_temp.fixed('far', 'outliers', 'x') j;
SELECT is(count(*) FILTER (WHERE f.j ->> 'x' IS DISTINCT FROM to_jsonb(o) ->> 'x'), 1::bigint, 'clipped: one value is another')
FROM (SELECT j, row_number() OVER () FROM pg_temp.fixed('far', 'outliers', 'x') j) f JOIN (SELECT far.*, row_number() OVER () FROM far) o USING (row_number);
SELECT is((SELECT jsonb_agg(DISTINCT j -> 'single') @> '["NaN"]' FROM pg_temp.fixed('far', 'outliers', 'single') j), true, 'clipped: NaN stays NaN');
SELECT is_empty($$ SELECT * FROM ml.checks('SELECT (j ->> ''single'')::float8 AS single, (j ->> ''y'')::boolean AS y FROM pg_temp.fixed(''far'', ''outliers'', ''single'') j', 'y')
	WHERE check_name = 'outliers' $$, 'clipped: none is left of single precision');
SELECT is(max((j ->> 'whole')::numeric), 69::numeric, 'clipped: integers') FROM pg_temp.fixed('far', 'outliers', 'whole') j;

-- Enums are no texts.
CREATE TYPE level AS ENUM ('1', '2', 'N/A');
CREATE TYPE colour AS ENUM ('Red', 'red', 'blue ', 'y', 'z');
CREATE TEMP TABLE enums AS SELECT (array['1', '2', 'N/A'])[1 + i % 3]::level AS level,
	CASE WHEN i > 380 THEN (array['y', 'z'])[1 + i % 2] ELSE (array['Red', 'red', 'blue '])[1 + i % 3] END::colour AS colour, i % 7 > 2 AS y FROM generate_series(1, 400) i;
SELECT set_eq($$ SELECT j ->> 'level' FROM pg_temp.fixed('enums', 'number_as_text', 'level') j $$, '{1,2,NULL}'::text[], 'an enum read as a number');
SELECT set_eq($$ SELECT j ->> 'colour' FROM pg_temp.fixed('enums', 'level_variants', 'colour') j $$, '{red,blue,y,z}'::text[], 'variants of an enum');
SELECT set_eq($$ SELECT j ->> 'colour' FROM pg_temp.fixed('enums', 'whitespace', 'colour') j $$, '{Red,red,blue,y,z}'::text[], 'blanks in an enum');

-- Numbers as text: none is lost, and what is out of range is no error.
CREATE TEMP TABLE digits AS SELECT CASE i WHEN 1 THEN '1.' WHEN 2 THEN '.5' WHEN 3 THEN ' +7e2 ' WHEN 4 THEN '1e400' WHEN 5 THEN 'n/a' ELSE (i * 1.5)::text END AS x, i, i % 7 > 2 AS y
FROM generate_series(1, 400) i;
SELECT results_eq($$ SELECT (j ->> 'x')::float8 FROM pg_temp.fixed('digits', 'number_as_text', 'x') j WHERE (j ->> 'i')::int <= 6 $$, '{1,0.5,700,NULL,NULL,9}'::float8[], 'numbers as text');

-- Moments as text, in whatever time zone the session is.
SET LOCAL TimeZone = 'America/New_York';
CREATE TEMP TABLE moments AS SELECT i, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS') || (array['Z', '+05:00', '-03:30'])[1 + i % 3] AS zoned,
	CASE i WHEN 1 THEN 'N/A' WHEN 2 THEN '' WHEN 3 THEN 'soon' WHEN 4 THEN '0000-00-00' ELSE to_char(at, 'YYYY-MM-DD HH24:MI') END AS iso,
	to_char(at, CASE WHEN i % 2 = 0 THEN 'FMDD-Mon-YYYY' ELSE 'FMDD FMMonth YYYY' END) AS named,
	CASE WHEN i % 4 = 0 THEN to_char(at, 'HH24:MI') ELSE to_char(at, 'YYYY-MM-DD') END AS mixed, to_char(at, 'DD/MM/YYYY"T"HH24:MI') AS tee, at, i % 7 > 2 AS y
FROM (SELECT i, timestamp '2023-12-30 00:30' + i * interval '7 hours' AS at FROM generate_series(1, 400) i) t;
SELECT is(bool_and((j ->> 'zoned')::timestamp = (j ->> 'at')::timestamp - (array['0', '5 hours', '-3 hours -30 minutes'])[1 + (j ->> 'i')::int % 3]::interval), true, 'offsets count')
FROM pg_temp.fixed('SELECT i, zoned, at, y FROM moments', 'mixed_formats', 'zoned') j;
SELECT is(count(*) FILTER (WHERE (j ->> 'iso')::timestamp = (j ->> 'at')::timestamp), 396::bigint, 'what is no moment becomes NULL')
FROM pg_temp.fixed('SELECT i, iso, at, y FROM moments', 'time_as_text', 'iso') j;
SELECT is(bool_and((j ->> 'named')::timestamp = (j ->> 'at')::date), true, 'months in letters, short and long, behind blanks or hyphens')
FROM pg_temp.fixed('SELECT i, named, at, y FROM moments', 'time_as_text', 'named') j;
SELECT is(count(*) FILTER (WHERE (j ->> 'mixed')::timestamp = (j ->> 'at')::date), 300::bigint, 'a time of day has no date')
FROM pg_temp.fixed('SELECT i, mixed, at, y FROM moments', 'mixed_formats', 'mixed') j;
SELECT is(bool_and((j ->> 'tee')::timestamp = (j ->> 'at')::timestamp), true, 'a T between date and time') FROM pg_temp.fixed('SELECT i, tee, at, y FROM moments', 'time_as_text', 'tee') j;

-- Stand-ins and moments to come are meant in UTC.
CREATE TEMP TABLE stamps AS SELECT CASE WHEN i % 9 = 0 THEN '1900-01-01 00:00+00' ELSE timestamptz '2024-05-31 12:00+00' + (i - 390) * interval '1 hour' END AS at, i % 7 > 2 AS y
FROM generate_series(1, 400) i;
SELECT is(count(j ->> 'at'), 356::bigint, 'stand-ins of timestamptz') FROM pg_temp.fixed('stamps', 'sentinel_number', 'at') j;
INSERT INTO stamps VALUES ('2024-06-01 11:59+00', true), ('2024-06-01 12:01+00', true), (NULL, true);
SELECT is(count(*), 402::bigint, 'rows of the future go, and no others') FROM pg_temp.fixed('stamps', 'future_time', 'at') j;
RESET TimeZone;

-- Twins among columns that cannot be compared, and names that are taken.
CREATE TEMP TABLE twins AS SELECT i % 50 AS a, i % 7 / 7.0 AS b, '{"a": 1}'::json AS j, point(1, 2) AS p, i % 50 > 20 AS agree, CASE WHEN i % 10 > 6 THEN 'x' || i % 3 END AS deck, i % 3 AS deck_missing,
	i % 3 > 0 AND i < 390 AS y FROM generate_series(1, 400) i UNION ALL SELECT 1, 1 / 7.0, '{"a": 1}', point(1, 2), false, NULL, 1, i > 1 FROM generate_series(1, 30) i;
SELECT is(count(*), (SELECT count(DISTINCT (a, b, agree, deck, deck_missing, y)) FROM twins), 'one of each') FROM pg_temp.fixed('twins', 'duplicate_rows') j;
SELECT is(array_agg(DISTINCT columns), (SELECT array_agg(array_agg) FROM (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys((SELECT to_jsonb(t) FROM twins t LIMIT 1)) k) s), 'no conflicts, no new column')
FROM (SELECT (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(j) k) AS columns FROM pg_temp.fixed('twins', 'conflicting_labels', 'y') j) s;
SELECT is(bool_and((j ->> 'deck_missing_2')::boolean = (j ->> 'deck' IS NULL)), true, 'a name that no column has') FROM pg_temp.fixed('twins', 'missing_values', 'deck', 'deck_missing') j;
SELECT is((SELECT count(*) FROM pg_temp.fixed('twins', 'overlap_rows', NULL, 'y', NULL, 'SELECT * FROM twins UNION ALL SELECT 99, 9, ''{}'', point(3, 4), true, NULL, 0, true')), 1::bigint, 'test rows without a twin');

-- Trainings that are proposed leave out what cannot be read, and keep the key.
SELECT is((SELECT fix FROM ml.checks('SELECT row_number() OVER () AS id, 1 AS one, twins.* FROM twins', 'y', key => 'id') WHERE check_name = 'constant_column' AND columns = '{one}') ~
	'key => ''id'', exclude => ARRAY\[''one'', ''j'', ''p''\]\)$', true, 'what a training is told');

-- Rows that differ are no twins: small whole numbers differ in few bits.
CREATE TEMP TABLE grid AS SELECT a, b, c, d, a * b + c > d AS y FROM generate_series(1, 20) a, generate_series(1, 20) b, generate_series(1, 20) c, generate_series(1, 20) d;
SELECT is_empty($$ SELECT * FROM ml.checks('grid', 'y') WHERE check_name IN ('duplicate_rows', 'conflicting_labels') $$, 'rows that differ are no twins');

SELECT * FROM finish();
ROLLBACK;
