-- What test rows share with training rows: ml.overlap, and test => in ml.checks.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TEMP TABLE seen AS SELECT i AS id, i % 7 AS a, i * 1.5 AS b, 'x' || i % 5 AS c, i % 2 = 0 AS y, date '2024-01-01' + i / 10 AS day FROM generate_series(1, 1000) i;
CREATE TEMP TABLE fresh AS SELECT i AS id, i % 7 AS a, i * 1.5 AS b, 'x' || i % 5 AS c, i % 2 = 0 AS y, date '2024-06-01' + i / 10 AS day FROM generate_series(2001, 2200) i;

SELECT is_empty($$SELECT * FROM ml.overlap('seen', 'fresh', key => 'id', time_column => 'day', target => 'y')$$, 'rows apart share nothing');

-- 20 of 220 rows again under another id and with another label: 9 %.  (b tells the rows apart, day does not come again.)
CREATE TEMP TABLE mixed AS SELECT * FROM fresh UNION ALL SELECT id + 9000, a, b, c, NOT y, day FROM seen WHERE id <= 20;
SELECT is((SELECT (severity, n, value)::text FROM ml.overlap('seen', 'mixed', key => 'id', target => 'y') WHERE check_name = 'overlap_rows'), format('(high,20,%s)', 20 / 220.0::float8), 'equal rows');
SELECT is((SELECT severity FROM ml.overlap('seen', 'SELECT * FROM mixed WHERE id < 9000 OR id = 9001', key => 'id', target => 'y') WHERE check_name = 'overlap_rows'), 'medium', 'one of them');
SELECT is((SELECT n FROM ml.overlap('seen', 'mixed', target => 'y') WHERE check_name = 'overlap_rows'), 20::bigint, 'a key-like column is set aside without being named');
SELECT is((SELECT n FROM ml.overlap('seen', 'SELECT c, b, a, id, day FROM mixed', key => 'id') WHERE check_name = 'overlap_rows'), 20::bigint, 'columns are matched by name; a target that is not there is not needed');
SELECT is_empty($$SELECT * FROM ml.overlap('seen', 'mixed', key => 'id') WHERE check_name = 'overlap_rows'$$, 'another label makes another row where no target is named');

-- Keys, times, texts.
SELECT is((SELECT (n, value)::text FROM ml.overlap('seen', 'SELECT * FROM fresh UNION ALL SELECT id, a, b + 0.1, c, y, day FROM seen WHERE id <= 50', key => 'id') WHERE check_name = 'overlap_keys'), '(50,0.2)', 'keys');
SELECT is((SELECT (n, value)::text FROM ml.overlap('SELECT * FROM seen WHERE id <= 900', 'SELECT * FROM seen WHERE id > 800', time_column => 'day') WHERE check_name = 'overlap_time'),
	(SELECT (count(*), count(*) / 200.0::float8)::text FROM seen WHERE id > 800 AND day <= date '2024-01-01' + 90), 'times');
SELECT is((SELECT (columns, n, value)::text FROM ml.overlap('seen', 'SELECT id, a, b, CASE WHEN id % 20 = 0 THEN ''new'' ELSE c END AS c, y, day FROM fresh') WHERE check_name = 'unseen_levels'), '({c},10,0.05)', 'texts never seen');

-- The fix leaves the rest.
DO $$
BEGIN
	EXECUTE 'CREATE TEMP TABLE clean AS ' || (SELECT fix FROM ml.overlap('seen', 'SELECT id, a, b, c, y, day FROM mixed', target => 'y') WHERE check_name = 'overlap_rows');
	EXECUTE 'CREATE TEMP TABLE clean_keys AS ' || (SELECT fix FROM ml.overlap('seen', 'SELECT * FROM fresh UNION ALL SELECT * FROM seen WHERE id <= 50', key => 'id') WHERE check_name = 'overlap_keys');
	EXECUTE 'CREATE TEMP TABLE later AS ' || (SELECT fix FROM ml.overlap('SELECT * FROM seen WHERE id <= 900', 'SELECT * FROM seen WHERE id > 800', time_column => 'day') WHERE check_name = 'overlap_time');
END $$;
SELECT is((SELECT count(*) FROM clean), 200::bigint, 'rows in common are gone');
SELECT is((SELECT count(*) FROM clean_keys), 200::bigint, 'keys in common are gone');
SELECT is_empty($$SELECT * FROM ml.overlap('SELECT * FROM seen WHERE id <= 900', 'later', time_column => 'day') WHERE check_name = 'overlap_time'$$, 'times in common are gone');

-- As part of ml.checks; rows that ml.train keeps apart do not overlap.
SELECT is((SELECT n FROM ml.checks('seen', 'y', key => 'id', test => 'mixed') WHERE check_name = 'overlap_rows'), 20::bigint, 'in ml.checks');
SELECT is_empty($$SELECT * FROM ml.overlap('SELECT * FROM telco_churn WHERE ml.split("customerID") = ''train''', 'SELECT * FROM telco_churn WHERE ml.split("customerID") = ''test''', key => 'customerID')
	WHERE check_name = 'overlap_keys'$$, 'a split by key');

SELECT throws_ok($$SELECT FROM ml.overlap('seen', NULL)$$, '22004', 'test must not be NULL');
SELECT throws_ok($$SELECT FROM ml.overlap('seen', 'fresh', key => 'nr')$$, '42703', 'source has no column "nr" to be the key');
SELECT is_empty($$SELECT * FROM ml.overlap('seen', 'SELECT * FROM fresh WHERE false')$$, 'no test rows');
SELECT is_empty($$SELECT * FROM ml.overlap('seen', 'SELECT 1 AS other')$$, 'no column in common');

-- Columns of other types on the other side, and what a fix leaves of the test rows has the fault no more.
CREATE TEMP TABLE left_rows AS SELECT i AS a, 'L' || i % 30 AS t, timestamptz '2020-01-01 00:00+00' + i * interval '1 hour' AS at, i * 1.10 AS n, i::bit(10) AS b, i::real / 8 AS r FROM generate_series(1, 500) i;
CREATE TEMP TABLE right_rows AS SELECT i::float8 AS a, CASE WHEN i % 5 = 0 THEN 'new' ELSE 'L' || i % 30 END::varchar(9) AS t, timestamp '2020-01-01' + i * interval '1 hour' AS at, i * 1.1 AS n, i::bit(10) AS b, i::float8 / 8 AS r
FROM generate_series(401, 700) i;
SELECT results_eq($$ SELECT check_name, n FROM ml.overlap('left_rows', 'right_rows', key => 'a', time_column => 'at') $$,
	$$ VALUES ('overlap_rows', 80::bigint), ('overlap_keys', 100), ('overlap_time', 100), ('unseen_levels', 60) $$, 'types that differ');
CREATE FUNCTION pg_temp.left_over(fault text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE left_over text := (SELECT fix FROM ml.overlap('left_rows', 'right_rows', key => 'a', time_column => 'at') WHERE check_name = fault);
BEGIN
	RETURN (SELECT count(*) FROM ml.overlap('left_rows', left_over, key => 'a', time_column => 'at') WHERE check_name = fault);
END $$;
SELECT is(pg_temp.left_over(fault), 0::bigint, fault || ' is gone') FROM unnest('{overlap_rows,overlap_keys,overlap_time,unseen_levels}'::text[]) fault;

SELECT * FROM finish();
ROLLBACK;
