-- The session's cache of decoded models: one entry per content, within its limit, nothing left after errors.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE flats AS SELECT i % 40 + 20 AS area, (i % 40 + 20) * 3 + i % 5 AS price FROM generate_series(1, 100) i;
CREATE FUNCTION pg_temp.cached() RETURNS bigint LANGUAGE sql VOLATILE AS $$SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'relearn model'$$;
CREATE FUNCTION pg_temp.ask(model text) RETURNS double precision LANGUAGE plpgsql AS $$BEGIN RETURN ml.predict(model, '{"area": 50}'); END$$;

SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'linear_regression');
SELECT FROM ml.train('m', 'flats', 'price', algorithm => 'baseline');
SELECT FROM ml.train('same', 'flats', 'price', algorithm => 'linear_regression');
SELECT is(pg_temp.cached(), 0::bigint, 'training leaves nothing in the cache');
SELECT is(pg_temp.ask('m') IS NOT NULL, true, 'asked once');
SELECT is(pg_temp.cached(), 1::bigint, 'one model is kept');
SELECT is(pg_temp.ask('m:1'), pg_temp.ask('m'), 'the same version under another reference');
SELECT is(pg_temp.cached(), 1::bigint, 'is the same entry');
SELECT is(pg_temp.ask('same'), pg_temp.ask('m'), 'the same bytes under another name');
SELECT is((SELECT count(DISTINCT sha256) FROM ml.versions WHERE version = 1), 1::bigint, '(the same rows and parameters make the same bytes)');
SELECT is(pg_temp.cached(), 1::bigint, 'are the same entry, too');
SELECT is(ml.predict((SELECT ml.artifact('m')), '{"area": 50}'), pg_temp.ask('m'), 'the same bytes by value');
SELECT is(pg_temp.cached(), 1::bigint, 'again the same entry');
SELECT is(pg_temp.ask('m:2') IS NOT NULL, true, 'another version');
SELECT is(pg_temp.cached(), 2::bigint, 'is another entry');

-- Content is the key: what a transaction did and undid cannot leave a wrong answer.
SAVEPOINT deploying;
SELECT lives_ok($$SELECT ml.deploy('m', 2)$$, 'deployed');
SELECT is(pg_temp.ask('m'), pg_temp.ask('m:2'), 'the other version answers');
ROLLBACK TO deploying;
SELECT is(pg_temp.ask('m'), pg_temp.ask('m:1'), 'rolled back, the first one does');

-- An error while decoding leaves nothing.
SAVEPOINT damaging;
UPDATE ml._version SET artifact = set_byte(artifact, 250, 255 - get_byte(artifact, 250)) WHERE version = 2;
SELECT FROM ml.train('fresh', 'flats', 'price', algorithm => 'linear_regression', params => '{"l2": 3}');
UPDATE ml._version SET artifact = set_byte(artifact, 250, 255 - get_byte(artifact, 250)) WHERE model = (SELECT id FROM ml._model WHERE name = 'fresh');
CREATE FUNCTION pg_temp.fails(model text, times integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE failed integer := 0;
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			PERFORM pg_temp.ask(model);
		EXCEPTION WHEN data_corrupted THEN
			failed := failed + 1;
		END;
	END LOOP;
	RETURN failed;
END $$;
SELECT is(pg_temp.fails('fresh', 100), 100, 'a damaged model fails every time');
SELECT is(pg_temp.cached(), 2::bigint, 'and leaves nothing behind');
ROLLBACK TO damaging;

-- The limit: models of some hundred kB each, one MB for all.
CREATE TABLE wide AS SELECT i AS y, md5((i % 400)::text) || md5('a' || i % 400) AS a, md5((i % 500)::text) || md5('b' || i % 500) AS b FROM generate_series(1, 3000) i;
SELECT count(*) AS trained FROM generate_series(1, 12) l2,
	ml.train('wide' || l2, 'wide', 'y', algorithm => 'linear_regression', params => jsonb_build_object('l2', l2, 'max_categories', 600)) \gset
SELECT is((SELECT count(ml.predict('wide' || l2, w)) FROM wide w, generate_series(1, 12) l2 WHERE y = 1), 12::bigint, 'twelve models with many categories');
CREATE FUNCTION pg_temp.cached_bytes() RETURNS bigint LANGUAGE sql VOLATILE AS
$$SELECT coalesce(sum(total_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name = 'relearn model'$$;
SELECT cmp_ok(pg_temp.cached(), '=', 14::bigint, 'with much room all are kept');
SELECT cmp_ok(pg_temp.cached_bytes(), '>', 1024 * 1024::bigint, '(they take more than a MB)');
SET LOCAL relearn.model_cache_size = '1MB';
SELECT lives_ok($$SELECT ml.predict('wide1', w) FROM wide w WHERE y = 1$$, 'asked with little room');
SELECT cmp_ok(pg_temp.cached_bytes(), '<=', 1024 * 1024::bigint, 'the rest had to leave');
SELECT lives_ok($$SELECT ml.predict('wide12', w), ml.predict('wide3', w) FROM wide w WHERE y = 1$$, 'two more');
SELECT cmp_ok(pg_temp.cached_bytes(), '<=', 1024 * 1024::bigint, 'within the limit still');

-- Many in one statement are all in use at once: none is dropped before the end.
SELECT is((SELECT count(*) FROM (SELECT ml.predict('wide1', w), ml.predict('wide2', w), ml.predict('wide3', w), ml.predict('wide4', w), ml.predict('wide5', w),
	ml.predict('wide6', w), ml.predict('wide7', w), ml.predict('wide8', w), ml.predict('wide9', w), ml.predict('wide10', w) FROM wide w LIMIT 50) s), 50::bigint,
	'ten models in one statement');
SELECT lives_ok($$SELECT pg_temp.ask('m')$$, 'the next use of the cache');
SELECT cmp_ok(pg_temp.cached_bytes(), '<=', 1024 * 1024::bigint, 'brings it below the limit');

SELECT * FROM finish();
ROLLBACK;
