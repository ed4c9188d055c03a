-- Canonical order, split and fingerprint: functions of the rows and the seed, of nothing else.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE visits AS
SELECT i AS id, i % 400 AS customer, (i * 7919) % 1000 AS a, CASE WHEN i % 10 > 0 THEN md5((i % 50)::text) END AS c, (i % 13) / 7.0::float8 AS y,
	timestamp '2024-01-01' + (i % 400) * interval '1 day' AS at, (i % 3)::float8 AS w
FROM generate_series(1, 20000) i;
CREATE TABLE visits_shuffled AS SELECT * FROM visits ORDER BY md5(id::text);
CREATE TABLE runs (what text, sha256 text, fingerprint text, n_train bigint, n_validation bigint, n_test bigint, warnings text[]);
CREATE FUNCTION pg_temp.run(what text, source text, key text DEFAULT NULL, time_column text DEFAULT NULL, split jsonb DEFAULT NULL, seed bigint DEFAULT 0,
	weights text DEFAULT NULL, features text[] DEFAULT NULL) RETURNS runs LANGUAGE plpgsql AS $$
DECLARE
	trained int := (SELECT version FROM ml.train('visits', source, 'y', algorithm => 'linear_regression', key => key, time_column => time_column,
												 split => coalesce(split, '{}') || '{"unlock": true}', seed => seed, weights => weights, features => features));
	result runs;
BEGIN
	SELECT what, v.sha256, r.fingerprint, r.n_train, r.n_validation, r.n_test, r.warnings INTO result
	FROM ml.runs r JOIN ml.versions v USING (model, version) WHERE model = 'visits' AND version = trained;
	INSERT INTO runs SELECT result.*;
	RETURN result;
END $$;

-- the order of arrival
SELECT count(pg_temp.run('plain', source)) FROM unnest(ARRAY['visits', 'visits_shuffled', 'SELECT * FROM visits ORDER BY y, a DESC']) AS source;
SELECT count(pg_temp.run('key', source, key => 'customer')) FROM unnest(ARRAY['visits', 'visits_shuffled']) AS source;
SELECT count(pg_temp.run('time', source, time_column => 'at')) FROM unnest(ARRAY['visits', 'visits_shuffled']) AS source;
SELECT count(pg_temp.run('all', source, key => 'customer', time_column => 'at', weights => 'w', seed => 7)) FROM unnest(ARRAY['visits', 'visits_shuffled']) AS source;
SELECT count(pg_temp.run('duplicates', source)) FROM unnest(ARRAY['SELECT a % 7 AS a, c, 1 AS y FROM visits', 'SELECT a % 7 AS a, c, 1 AS y FROM visits_shuffled']) AS source;
SELECT is(count(DISTINCT (sha256, fingerprint, n_train, n_validation, n_test)), 1::bigint, 'order of arrival: ' || what) FROM runs GROUP BY what;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is((pg_temp.run('parallel', 'visits')).sha256, (SELECT min(sha256) FROM runs WHERE what = 'plain'), 'a parallel plan of the source');
RESET max_parallel_workers_per_gather;

-- the seed
SELECT isnt((pg_temp.run('seed 1', 'visits', seed => 1)).sha256, (SELECT min(sha256) FROM runs WHERE what = 'plain'), 'another seed, another split');
SELECT is((SELECT fingerprint FROM runs WHERE what = 'seed 1'), (SELECT min(fingerprint) FROM runs WHERE what = 'plain'), 'but the same rows');

-- shares: of 20,000 rows by content, within 4 standard deviations of a binomial
SELECT ok(abs(n_train - 14000) < 260 AND abs(n_validation - 3000) < 202 AND abs(n_test - 3000) < 202 AND n_train + n_validation + n_test = 20000,
	format('70/15/15 by default: %s/%s/%s', n_train, n_validation, n_test)) FROM runs WHERE what IN ('plain', 'seed 1');
SELECT ok(abs(n_train - 16000) < 227 AND n_validation = 0 AND n_train + n_test = 20000, 'no validation part')
FROM pg_temp.run('80/0/20', 'visits', split => '{"train": 0.8, "validation": 0, "test": 0.2}');
SELECT ok(abs(n_train - 16000) < 227 AND n_test = 0 AND n_train + n_validation = 20000, 'no test part')
FROM pg_temp.run('80/20/0', 'visits', split => '{"train": 0.8, "validation": 0.2, "test": 0}');
SELECT is((n_train, n_validation, n_test), (20000::bigint, 0::bigint, 0::bigint), 'all train') FROM pg_temp.run('100', 'visits', split => '{"train": 1, "validation": 0, "test": 0}');

-- rows of one key stay together: each of 400 customers has 50 rows
SELECT ok(n_train % 50 = 0 AND n_validation % 50 = 0 AND n_test % 50 = 0 AND n_train BETWEEN 12000 AND 16000, 'whole customers') FROM runs WHERE what = 'key';
SELECT is((a.n_train, a.n_validation), (b.n_train, b.n_validation), 'the kind of key does not matter: ' || other)
FROM unnest(ARRAY['customer::text', 'customer::int8', 'customer::numeric', 'customer::float8']) AS other,
	pg_temp.run(other, format('SELECT a, y, %s AS customer FROM visits', other), key => 'customer') AS a,
	(SELECT n_train, n_validation FROM runs WHERE what = 'key' LIMIT 1) AS b;
SELECT ok(n_train % 50 = 0 AND n_train BETWEEN 12000 AND 16000, 'keys beyond 2^53 are told apart')
FROM pg_temp.run('int8 key', 'SELECT a, y, 9007199254740993 + customer AS customer FROM visits', key => 'customer');
SELECT ok(warnings @> ARRAY['1000 of 20000 rows have no value in key column "customer" and are placed by their content'], 'missing keys')
FROM pg_temp.run('null key', 'SELECT a, y, CASE WHEN id > 1000 THEN customer END AS customer FROM visits', key => 'customer');
SELECT is((pg_temp.run('key', 'visits', key => 'customer')).n_train, (SELECT min(n_train) FROM runs WHERE what = 'key'), 'once more');
SELECT is((SELECT array_agg(column_name) FROM ml.describe('visits:' || (SELECT max(version) FROM ml.versions WHERE model = 'visits')))
	@> ARRAY['customer'], false, 'the key is no feature');

-- by time: equal times stay together, on the side nearer to the share; 50 rows a day
SELECT is((n_train, n_validation, n_test), (14000::bigint, 3000::bigint, 3000::bigint), 'time') FROM runs WHERE what = 'time';
SELECT is((n_train, n_validation, n_test), (counts[1], counts[2], counts[3]), format('%s split %s', time_column, split))
FROM (VALUES ('at', '{"train": 0.8, "validation": 0, "test": 0.2}', '{16000, 0, 4000}'::bigint[]),
	('at', '{"train": 0.8, "validation": 0.2, "test": 0}', '{16000, 4000, 0}'), ('at', '{"train": 1, "validation": 0, "test": 0}', '{20000, 0, 0}'),
	('at', '{"train": 0.5011, "validation": 0.2, "test": 0.2989}', '{10000, 4000, 6000}'),
	('at', '{"train": 0.5014, "validation": 0.2, "test": 0.2986}', '{10050, 4000, 5950}'),
	('w', '{"train": 0.001, "validation": 0.4, "test": 0.599}', '{6666, 0, 13334}')) AS v (time_column, split, counts),
	pg_temp.run('cut', 'visits', time_column => time_column, split => split::jsonb);
SELECT ok(n_train = 100 AND warnings @> ARRAY['100 of 20000 rows have no value in time column "at" and are in the training part'], 'missing times')
FROM pg_temp.run('null time', 'SELECT y, a, CASE WHEN id > 100 THEN at END AS at FROM visits', time_column => 'at',
	split => '{"train": 0.001, "validation": 0.5, "test": 0.499}');
SELECT is((n_train, n_validation, n_test), (20000::bigint, 0::bigint, 0::bigint), 'one moment only')
FROM pg_temp.run('moment', 'SELECT y, a, 5 AS at FROM visits', time_column => 'at');
SELECT throws_ok($$SELECT ml.train('m', 'visits', 'y', time_column => 'c')$$, '42804', 'column "c" has type text, which cannot order the rows by time');

-- the fingerprint: the rows as a bag
SELECT is((SELECT count(DISTINCT fingerprint) FROM runs WHERE what IN ('plain', 'time', 'seed 1', '100', 'parallel')), 1::bigint, 'neither seed nor split');
SELECT isnt((pg_temp.run('twice', 'TABLE visits UNION ALL (TABLE visits LIMIT 1)')).fingerprint, (SELECT min(fingerprint) FROM runs WHERE what = 'plain'), 'a row twice');
SELECT isnt((pg_temp.run('changed', 'SELECT id, customer, a + (id = 1)::int AS a, c, y, at, w FROM visits')).fingerprint,
	(SELECT min(fingerprint) FROM runs WHERE what = 'plain'), 'one cell changed by 1');
SELECT isnt((pg_temp.run('moved', 'SELECT id, customer, a, lag(c, 1, c) OVER (ORDER BY id) AS c, y, at, w FROM visits')).fingerprint,
	(SELECT min(fingerprint) FROM runs WHERE what = 'plain'), 'cells moved between rows');
SELECT isnt((pg_temp.run('swapped', 'SELECT w AS a, a AS w, y FROM visits', features => '{a,w}')).fingerprint,
	(pg_temp.run('unswapped', 'SELECT a, w, y FROM visits', features => '{a,w}')).fingerprint, 'columns exchanged');

-- few rows
SELECT is((n_train, n_validation, n_test), (1::bigint, 0::bigint, 0::bigint), 'one row trains') FROM pg_temp.run('one', 'SELECT 1 AS a, 2 AS y');
SELECT is(n_train + n_validation + n_test, n::bigint, n || ' rows') FROM unnest(ARRAY[2, 3, 63, 64, 65, 4095, 4096, 4097, 8193]) AS n,
	pg_temp.run('few', format('SELECT i AS a, i %% 5 AS y FROM generate_series(1, %s) i', n));
SELECT ok(n_train = 20000 AND warnings @> ARRAY['no row fell into the training part by its hash, so all 20000 are in it'],
	'equal rows stay together')
FROM generate_series(0, 9) AS y, pg_temp.run('equal', format('SELECT 1 AS a, %s AS y FROM visits', y)) WHERE array_length(warnings, 1) > 0 AND warnings::text ~ 'hash' LIMIT 1;
SELECT * FROM finish();
ROLLBACK;
