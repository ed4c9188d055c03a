-- Trainings of trees within a small relearn.max_memory: the same model by way of a temporary file, and refusals that say what is enough.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TEMP TABLE rides AS
SELECT i AS id, i * 7919 % 10007 / 3.0::float8 AS distance, CASE WHEN i % 11 <> 0 THEN i * 104729 % 1009 / 7.0::float8 END AS wait,
	(i * 1299709 % 53)::int AS stops, chr((97 + i * 31 % 20)::int) || i * 17 % 30 AS zone, 'driver ' || i * 7907 % 900 AS driver,
	timestamp '2024-03-01' + i * interval '17 minutes' AS begun, i % 3 = 0 AS rain, 1 + i % 4 AS weight,
	i * 7919 % 10007 / 3.0 + i * 1299709 % 53 * 20 + (i * 31 % 20) * 9 + i * 2654435761 % 1000 / 5.0 AS price,
	chr((65 + (i * 7919 % 10007 / 2500 + i * 1299709 % 53 / 20))::int) AS class
FROM generate_series(1::int8, 40000) i
UNION ALL SELECT i, 1, 2, 3, 'a0', 'driver 1', '2024-03-01', true, 1, 5, 'A' FROM generate_series(1::int8, 300) i;	-- rows that are equal but for the key

/* What a training makes: the model's bytes and its metrics. */
CREATE FUNCTION pg_temp.made(memory text, target text, algorithm text, params jsonb, key text, "time" text, weights text, split jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	made text;
BEGIN
	PERFORM set_config('relearn.max_memory', memory, true);
	PERFORM ml.train('ride', 'rides', target, algorithm, params, key => key, time_column => "time", weights => weights, split => split,
		exclude => (SELECT array_agg(c) FROM unnest('{id,price,class}'::text[]) c WHERE c <> target AND c IS DISTINCT FROM key));
	made := (SELECT md5(ml.artifact('ride')) || ' ' || md5(metrics::text) FROM ml.runs WHERE model = 'ride' AND dropped_at IS NULL);
	PERFORM ml.drop_model('ride');
	RETURN made;
END $$;

/* What the refusal of the same training says it needs. */
CREATE FUNCTION pg_temp.least(target text, algorithm text, params jsonb, key text, "time" text, weights text, split jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	PERFORM pg_temp.made('1MB', target, algorithm, params, key, "time", weights, split);
	RETURN NULL;
EXCEPTION WHEN program_limit_exceeded THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT;
	RETURN substring(said FROM 'relearn\.max_memory = ''(\d+MB)''');
END $$;

SELECT ok(pg_temp.made(pg_temp.least(target, algorithm, params, key, "time", weights, split), target, algorithm, params, key, "time", weights, split) =
	pg_temp.made('1GB', target, algorithm, params, key, "time", weights, split),
	format('%s of %s: what a refusal says is enough, and makes the same bytes and metrics', algorithm, target))
FROM (VALUES
	('price', 'gradient_boosting', '{"n_estimators": 10}'::jsonb, NULL, NULL, NULL, NULL::jsonb),
	('price', 'gradient_boosting', '{"n_estimators": 10, "bagging_fraction": 0.5, "objective": "absolute"}', 'id', NULL, 'weight', NULL),
	('class', 'gradient_boosting', '{"n_estimators": 3, "early_stopping_rounds": 2, "class_weight": "balanced"}', NULL, 'begun', NULL, '{"gap": "3 days"}'),
	('class', 'decision_tree', '{"max_depth": 6}', NULL, NULL, 'weight', '{"stratify": true}'),
	('price', 'random_forest', '{"n_estimators": 3, "max_depth": 6}', 'id', NULL, NULL, '{"group": "driver"}'),
	('class', 'extra_trees', '{"n_estimators": 3, "max_depth": 6}', NULL, NULL, NULL, '{"stratify": "zone"}'))
	t (target, algorithm, params, key, "time", weights, split);

-- ---- the file ----

SET LOCAL temp_file_limit = '1MB';
SELECT throws_ok($$SELECT pg_temp.made(pg_temp.least('price', 'decision_tree', '{"max_depth": 6}', NULL, NULL, NULL), 'price', 'decision_tree', '{"max_depth": 6}', NULL, NULL, NULL)$$, '53400', NULL, 'it is a temporary file as PostgreSQL has them');
SELECT lives_ok($$SELECT pg_temp.made('1GB', 'price', 'decision_tree', '{"max_depth": 6}', NULL, NULL, NULL)$$, 'with room in memory there is none');
SET LOCAL temp_file_limit = -1;
SELECT is(count(*), 0::bigint, 'none is left') FROM pg_ls_tmpdir();
SELECT isnt_empty($$SELECT set_config('relearn.max_memory', '9MB', true), ml.train('dice', 'SELECT random() AS thrown, r.* FROM rides r', 'price', 'decision_tree')$$,
	'a source that is another one each time is read once');

-- ---- too small ----

SET LOCAL relearn.max_memory = '2MB';
SELECT throws_like($$SELECT ml.train('ride', 'rides', 'price', 'gradient_boosting')$$, 'the training would need % MB of memory, more than relearn.max_memory allows',
	'the need of the whole training is named');
SELECT throws_ok($$SELECT ml.train('ride', 'SELECT i AS x, repeat(md5(i::text), 100) AS long, i % 7 AS y FROM generate_series(1, 3000) i', 'y', 'decision_tree')$$, '54000', NULL,
	'levels count too');

-- Rows of small whole numbers, which differ in few bits: their order is that of their hashes, by way of a file too, whatever the order they come in.
CREATE TEMP TABLE grid AS SELECT a, b, c, d, e, (a * b + c * d) % (e + 2) > e / 2 AS y
FROM generate_series(1, 12) a, generate_series(1, 12) b, generate_series(1, 12) c, generate_series(1, 6) d, generate_series(1, 6) e;
CREATE FUNCTION pg_temp.grown(memory text, source text) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('relearn.max_memory', memory, true);
	PERFORM ml.train('grown', source, 'y', 'random_forest', '{"n_estimators": 3}');
	RETURN sha256(ml.artifact('grown:' || (SELECT max(version) FROM ml.versions WHERE model = 'grown')));
EXCEPTION WHEN program_limit_exceeded THEN
	RETURN NULL;
END $$;
SELECT is(count(DISTINCT sha), 1::bigint, 'one model of whole numbers'), cmp_ok(count(sha), '>', 2::bigint, 'in little memory too')
FROM (SELECT pg_temp.grown(memory, 'SELECT * FROM grid ORDER BY ' || columns) AS sha FROM (VALUES ('1GB', 'a, b, c'), ('1GB', 'c DESC, a, d')) o(memory, columns)
	UNION ALL SELECT pg_temp.grown(mb || 'MB', 'SELECT * FROM grid ORDER BY d, c DESC, a') FROM generate_series(8, 14, 2) mb) g;

SELECT * FROM finish();
ROLLBACK;
