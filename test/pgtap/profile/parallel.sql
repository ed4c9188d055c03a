-- ml.profile by parallel workers: the same to the last bit as without; where there are none to be had, it goes on alone.
BEGIN;
SELECT no_plan();
SET LOCAL synchronize_seqscans = off;	-- what is estimated depends on the order of the rows

-- 200,000 rows of 12 columns that sketches take: workers join after a million cells.  Exact and approximate, NULL, NaN, infinite; texts of all sizes, some of
-- them longer than a block.
CREATE TABLE public.profile_many AS
SELECT i AS id, (i::int8 * 7919 % 10007 / 3.0)::float8 AS exact_later, CASE WHEN i % 7 > 0 THEN ln(i) END AS gaps, (i % 13)::int2 AS few,
	CASE WHEN i % 50 = 0 THEN 'NaN' WHEN i % 51 = 0 THEN '-Infinity' ELSE (i % 997)::float8 END AS odd, i % 3 = 0 AS yes,
	date '2001-01-01' + i % 5000 AS day, timestamp '2020-01-01' + i * interval '37 minutes' AS moment,
	'city ' || i % 40 AS city, md5(i::text) AS hash, CASE WHEN i % 11 > 0 THEN (i % 6000)::text END AS number_text,
	CASE WHEN i IN (60000, 150000) THEN repeat('long ', 60000) || i WHEN i % 20000 = 0 THEN repeat('x', i) ELSE repeat('y', i % 80) END AS sizes,
	ARRAY[i] AS unread
FROM generate_series(1, 200000) i;

CREATE FUNCTION pg_temp.profile(source text, workers int, OUT p text, OUT s text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
	SELECT string_agg(x::text, E'\n') INTO p FROM ml.profile(source) x;
	SELECT md5(string_agg(k.column_name || k.sketch::text, ' ')) INTO s FROM ml.sketches(source) k;
END $$;

CREATE TEMP TABLE alone AS SELECT * FROM pg_temp.profile('public.profile_many', 0);
SELECT is(x.p, a.p, 'one worker: the same rows of statistics'), is(x.s, a.s, 'one worker: the same sketches')
FROM alone a, pg_temp.profile('public.profile_many', 1) x;
SELECT is(x.p, a.p, 'two workers: the same rows of statistics'), is(x.s, a.s, 'two workers: the same sketches')
FROM alone a, pg_temp.profile('public.profile_many', 2) x;
SELECT is(y.p, x.p, 'a SELECT in another order'), isnt(x.s, a.s, 'which is another order')
FROM alone a, pg_temp.profile('SELECT * FROM public.profile_many ORDER BY hash', 0) x, pg_temp.profile('SELECT * FROM public.profile_many ORDER BY hash', 2) y;
SELECT is(y.p, x.p, 'columns that are exact do not depend on the order, whoever sketches them')
FROM pg_temp.profile('SELECT few, odd, yes, city, id % 10 AS ten, id % 9 AS nine, id % 8 AS eight FROM public.profile_many', 0) x,
	pg_temp.profile('SELECT few, odd, yes, city, id % 10 AS ten, id % 9 AS nine, id % 8 AS eight FROM public.profile_many ORDER BY hash', 2) y;

-- Sizes that end anywhere in a block, and one column.
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is(array_agg(n), array_fill(rows::int8, ARRAY[13]), rows || ' rows') FROM unnest('{110592,110593,114687,131072}'::int[]) rows, ml.profile('SELECT * FROM public.profile_many LIMIT ' || rows)
GROUP BY rows;
SELECT is(n, 1500000::int8, 'one column') FROM ml.profile('SELECT i FROM generate_series(1, 1500000) i');
SELECT is(monotonic, 'increasing', 'order is followed') FROM ml.profile('SELECT id, few, odd, yes, day, city FROM public.profile_many ORDER BY id', ordered => true) WHERE column_name = 'id';

-- What a parallel unsafe function may do it may still do; and a source may have workers of its own.
CREATE FUNCTION pg_temp.catches(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / (i % 2); EXCEPTION WHEN division_by_zero THEN RETURN -1; END $$;
SELECT is(top_values, '[{"value": 7, "count": 199990, "share": 1.0000}, {"value": -1, "count": 10, "share": 0.0001}]'::jsonb, 'a source that catches errors')
FROM ml.profile('SELECT *, CASE WHEN id % 20000 = 0 THEN pg_temp.catches(id) ELSE 7 END AS caught FROM public.profile_many') WHERE column_name = 'caught';
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(n, 200000::int8, 'a source with a parallel plan') FROM ml.profile('public.profile_many') WHERE column_name = 'id';

-- Errors of the source while workers are at it, and what comes after.
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
RESET min_parallel_table_scan_size;
SELECT throws_ok($$SELECT ml.profile('SELECT *, 1 / (190000 - id) AS x FROM public.profile_many')$$, '22012', 'division by zero');
SELECT throws_ok($$SELECT ml.profile('SELECT *, CASE WHEN id = 190000 THEN 1e400 ELSE id END AS x FROM public.profile_many')$$, '22003', NULL, 'a numeric that is out of range');
SELECT is(x.s, a.s, 'and again') FROM alone a, pg_temp.profile('public.profile_many', 1) x;
SET LOCAL relearn.max_memory = '6MB';
SELECT is(x.p, a.p, 'no room for workers, but for one process') FROM alone a, pg_temp.profile('public.profile_many', 2) x;

SELECT * FROM finish();
ROLLBACK;
