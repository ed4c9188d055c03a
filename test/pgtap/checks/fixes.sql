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

-- Labels that are not known contradict none, and rows without one are as many as before where they have no twins that disagree.
CREATE TEMP TABLE labelled AS SELECT i % 97 AS a, i % 89 AS b, CASE WHEN i % 3 > 0 THEN CASE WHEN i % 500 = 1 THEN 'odd' ELSE 'l' || (i % 97) % 4 END END AS y FROM generate_series(1, 600) i
UNION ALL SELECT 1, 1, 'l3' UNION ALL SELECT 5, 5, NULL UNION ALL SELECT 7, 7, 'l0' FROM generate_series(1, 2);
SELECT is((SELECT n FROM ml.checks('labelled', 'y') WHERE check_name = 'conflicting_labels'), count(y) FILTER (WHERE labels > 1), 'labels that contradict each other')
FROM (SELECT *, (SELECT count(DISTINCT o.y) FROM labelled o WHERE (o.a, o.b) = (l.a, l.b)) AS labels FROM labelled l) s;
SELECT is(count(*), (SELECT count(*) FROM labelled l WHERE (SELECT count(DISTINCT o.y) FROM labelled o WHERE (o.a, o.b) = (l.a, l.b)) < 2), 'the other rows stay')
FROM pg_temp.fixed('labelled', 'conflicting_labels', 'y') j;
CREATE TEMP TABLE agreed AS SELECT (jsonb_populate_record(NULL::labelled, j)).* FROM pg_temp.fixed('labelled', 'conflicting_labels', 'y') j;
SELECT is_empty($$ SELECT * FROM ml.checks('agreed', 'y') WHERE check_name = 'conflicting_labels' $$, 'none contradicts another afterwards');

-- All classes of too few rows at once; rows without a class stay.
CREATE TEMP TABLE classes AS SELECT i, CASE WHEN i <= 3 THEN 'rare' WHEN i <= 8 THEN 'it''s' WHEN i % 5 > 0 THEN 'c' || i % 3 END AS y FROM generate_series(1, 300) i;
SELECT is((SELECT (n, value, message)::text FROM ml.checks('classes', 'y') WHERE check_name = 'rare_class'),
	'(8,3,"2 of the 5 classes of target ""y"" have fewer than 10 rows: ''it''s'' (5) and ''rare'' (3)")', 'two rare classes');
SELECT is(count(*), 292::bigint, 'rows of other classes, and of none') FROM pg_temp.fixed('classes', 'rare_class', 'y') j;

-- A column that says where another is missing is all that can be done about it.
CREATE TEMP TABLE gaps AS SELECT i, CASE WHEN i % 10 < 3 THEN i % 7 / 3.0 ELSE 'NaN' END AS x, CASE WHEN i % 10 < 3 THEN 'a' || i % 2 WHEN i % 10 < 8 THEN '?' END AS t,
	CASE WHEN i % 10 < 3 THEN (i % 7 * 1.5)::text WHEN i % 2 = 0 THEN '' END AS s, (i % 10 < 3)::int * 5 + i % 7 > 4 AS y FROM generate_series(1, 1000) i;
CREATE FUNCTION pg_temp.told(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE fix text := (SELECT c.fix FROM ml.checks(format('SELECT i, %I, y FROM gaps', name), 'y') c WHERE check_name = 'missing_values');
BEGIN
	RETURN QUERY EXECUTE format('SELECT DISTINCT ((f.%1$I::text ~ ''[0-9]'') IS TRUE <> %2$I)::text FROM (%3$s) f', name, name || '_missing', fix);
	RETURN QUERY SELECT check_name FROM ml.checks(fix, 'y') WHERE check_name IN ('missing_values', 'missing_predicts_target', 'determined_column');
END $$;
SELECT is(array_agg(told), '{true}', 'where ' || name || ' is missing') FROM unnest('{x,t,s}'::text[]) name, pg_temp.told(name) GROUP BY name;

-- ... but of a column that gives the outcome away, where it is missing gives it away as well.
CREATE TEMP TABLE codes AS SELECT i, i % 10 = 0 AS cancelled, CASE WHEN i % 10 = 0 THEN 'abc' END AS code FROM generate_series(1, 1000) i;
SELECT results_eq($$ SELECT check_name, severity FROM ml.checks('codes', 'cancelled') WHERE columns[1] = 'code' $$,
	$$ VALUES ('target_copy', 'high'), ('missing_values', 'medium'), ('constant_column', 'low') $$, 'a code that only cancelled rows have');
SELECT matches((SELECT fix FROM ml.checks('codes', 'cancelled') WHERE check_name = 'missing_values'), 'exclude => ARRAY', 'it is left out');

-- Stand-ins in more spellings than are kept.
CREATE TEMP TABLE spelt AS SELECT i, CASE WHEN i % 4 = 0 THEN repeat(' ', i / 4) WHEN i % 4 = 1 THEN repeat(' ', i / 8) || (array['N/A', 'n/a'])[1 + i % 8 / 4] ELSE 'a' || i % 3 END AS x, i % 7 > 2 AS y
FROM generate_series(1, 400) i;
SELECT is(count(j ->> 'x'), 200::bigint, 'blanks and stand-ins however they are written') FROM pg_temp.fixed('spelt', 'sentinel_text', 'x') j;

-- Levels that are not known are not rare.
CREATE TEMP TABLE sparse AS SELECT CASE WHEN i > 7 THEN CASE WHEN i % 5 = 0 THEN 'r' || i / 25 ELSE 'common' END END AS x, i % 7 > 2 AS y FROM generate_series(1, 400) i;
SELECT is(count(*) FILTER (WHERE j -> 'x' = 'null'), 7::bigint, 'NULL is no rare level') FROM pg_temp.fixed('sparse', 'rare_levels', 'x') j;

-- A target that no training takes: what is proposed runs all the same, and numbers in disguise are told.
CREATE TEMP TABLE dear AS SELECT i AS id, (i * 1.25)::text AS price, i % 5 AS a, i % 5 * 2 AS twice, 1 AS one FROM generate_series(1, 2000) i;
SELECT is((SELECT array_agg(check_name ORDER BY check_name) FROM ml.checks('dear', 'price') WHERE columns[1] = 'price'), '{many_levels,number_as_text}', 'a number in disguise');
SELECT is((SELECT severity FROM ml.checks('dear', 'price') WHERE check_name = 'many_levels'), 'high', 'more classes than can be learned');
SELECT ok(j ? 'price' AND NOT j ? 'one', 'the source without the column') FROM (SELECT j FROM pg_temp.fixed('dear', 'constant_column', 'one', 'price') j LIMIT 1) s;
SELECT is((SELECT jsonb_typeof(j -> 'price') FROM pg_temp.fixed('dear', 'number_as_text', 'price', 'price') j LIMIT 1), 'number', 'the target as a number');

-- Of many columns that say the same all but the first are told, once each, and no correlation is above 1.
SELECT results_eq($$ SELECT columns[1], value <= 1 FROM ml.checks('SELECT i % 37 / 7.0 AS a, i % 37 * 3.3 AS b, (i % 37 / 7.0)::real AS c, 5 - i % 37 * 0.1 AS d, i % 7 > 2 AS y FROM generate_series(1, 400) i', 'y')
	WHERE check_name = 'redundant_pair' ORDER BY columns[1] COLLATE "C" $$, $$ VALUES ('b', true), ('c', true), ('d', true) $$, 'each redundant column once');

-- Texts that are kept by their beginning only are not taken for variants of each other.
SELECT is_empty($$ SELECT * FROM ml.checks('SELECT repeat(''long '', 30) || i % 9 AS x, i AS n FROM generate_series(1, 300) i') WHERE check_name = 'level_variants' $$, 'long texts that begin alike');

SELECT * FROM finish();
ROLLBACK;
