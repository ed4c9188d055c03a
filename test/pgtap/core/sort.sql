-- Radix sort and selection.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(20);

CREATE TEMP TABLE keys AS
SELECT n::int, ('x' || substr(md5(n::text), 1, 16))::bit(64)::bigint AS random, (n % 7)::bigint AS few, (n % 100) * 4294967296 AS high
FROM generate_series(1, 50000) n;

-- unsigned order: the sign bit counts as the largest
SELECT is(core_sort_keys(array_agg(random ORDER BY n)), array_agg(n ORDER BY random < 0, random, n), 'random keys') FROM keys;
SELECT is(core_sort_keys(array_agg(few ORDER BY n)), array_agg(n ORDER BY few, n), 'stable where keys are equal') FROM keys;
SELECT is(core_sort_keys(array_agg(high ORDER BY n)), array_agg(n ORDER BY high, n), 'keys that differ in one digit') FROM keys;
SELECT is(core_sort_keys(array_agg(5::bigint ORDER BY n)), array_agg(n ORDER BY n), 'one key only') FROM keys;
SELECT is(core_sort_keys('{}'), '{}', 'nothing');
SELECT is(core_sort_keys('{3}'), '{1}', 'one');
SELECT is(core_sort_keys('{-1,0,9223372036854775807,-9223372036854775808}'), '{2,3,4,1}', 'the ends');

SELECT is(array_agg(x ORDER BY core_sortable(x), n), '{-Infinity,-1e300,-1,-5e-324,-0,0,5e-324,1,1.5,1e300,Infinity,NaN}', 'doubles keep their order')
FROM unnest('{1,NaN,-1,Infinity,-0,0,1.5,-Infinity,1e300,-1e300,5e-324,-5e-324}'::float8[]) WITH ORDINALITY v (x, n);
SELECT is(core_sortable('-0'), core_sortable('0'), '-0 equals 0');

SELECT is(core_median('{5}'), 5::float8, 'median of one');
SELECT is(core_median('{5,1}'), 3::float8, 'median of two');
SELECT is(core_median('{3,-1,2}'), 2::float8, 'median of three');
SELECT is(core_median('{8.98846567431158e307,1.348269851146737e308}'), 1.1235582092889474e308::float8, 'the mean of the middle two does not overflow');

-- PostgreSQL's percentile_cont as the oracle; 16 * 2048 rows and more go through the sample
CREATE FUNCTION pg_temp.median_agrees(query text) RETURNS boolean LANGUAGE plpgsql AS
$$
DECLARE
	agrees boolean;
BEGIN
	EXECUTE format('SELECT core_median(array_agg(x)) = percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM (%s) q (x)', query) INTO agrees;
	RETURN agrees;
END
$$;
SELECT ok(pg_temp.median_agrees('SELECT hashint4(n) / 8::float8 FROM generate_series(1, 1001) n'), 'median of an odd number');
SELECT ok(pg_temp.median_agrees('SELECT hashint4(n) / 8::float8 FROM generate_series(1, 100000) n'), 'median of many');
SELECT ok(pg_temp.median_agrees('SELECT n::float8 FROM generate_series(1, 100000) n'), 'median of sorted values');
SELECT ok(pg_temp.median_agrees('SELECT (n % 3)::float8 FROM generate_series(1, 100001) n'), 'median of three values');
SELECT ok(pg_temp.median_agrees('SELECT 7::float8 FROM generate_series(1, 40000) n'), 'median of a constant');
-- the sample sees every 48th value only: here it sees nothing but zeros
SELECT ok(pg_temp.median_agrees('SELECT CASE WHEN (n - 1) % 48 = 0 THEN 0 ELSE n END::float8 FROM generate_series(1, 48 * 2048) n ORDER BY n'),
	'median where the sample misleads');

SELECT is(array_agg(core_kth(a, k) ORDER BY k), (SELECT array_agg(x ORDER BY x) FROM unnest(a) x), 'every rank')
FROM (SELECT array_agg((hashint4(n) % 50)::float8) AS a FROM generate_series(1, 200) n) s, generate_series(0, 199) k GROUP BY a;

SELECT * FROM finish();
ROLLBACK;
