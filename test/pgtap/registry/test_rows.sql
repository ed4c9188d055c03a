-- Rows held out for tests: later versions of the model do not learn from them, and looking at them is counted.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE flats AS SELECT i AS id, i % 50 AS house, timestamp '2024-01-01' + i * interval '1 hour' AS at, i % 40 + 20 AS area, (i * 31) % 100 < 40 AS sold,
	(i % 40 + 20) * 3 + i % 5 AS price FROM generate_series(1, 2000) i;
CREATE FUNCTION pg_temp.train(model text, key text DEFAULT NULL, seed bigint DEFAULT 0, split text DEFAULT NULL, time_column text DEFAULT NULL, target text DEFAULT 'price',
	source text DEFAULT 'flats', exclude text[] DEFAULT NULL) RETURNS integer LANGUAGE sql AS
$$SELECT version FROM ml.train(model, source, target, algorithm => 'baseline', key => key, seed => seed, split => split::jsonb, time_column => time_column, exclude => exclude)$$;
CREATE FUNCTION pg_temp.refused(call text, message text) RETURNS text LANGUAGE sql AS
$$SELECT throws_ok('SELECT pg_temp.train(' || call || ')', '55000', 'training would learn from rows that model "' || split_part(call, '''', 2) || '" holds out for tests', message)$$;

-- ---- by a hash ----

SELECT is(pg_temp.train('key', 'id'), 1, 'the first version holds rows out');
SELECT is(pg_temp.train('key', 'id'), 2, 'the same split');
SELECT is(pg_temp.train('key', 'id', source => 'SELECT * FROM flats WHERE id > 500'), 3, 'the same split of other rows');
SELECT is(pg_temp.train('key', 'id', target => 'area'), 4, 'of another target');
SELECT pg_temp.refused($$'key', 'id', 1$$, 'another seed');
SELECT pg_temp.refused($$'key', 'house'$$, 'another key');
SELECT pg_temp.refused($$'key'$$, 'no key');
SELECT pg_temp.refused($$'key', 'id', split => '{"group": "house"}'$$, 'a group instead of the key');
SELECT pg_temp.refused($$'key', 'id', time_column => 'at'$$, 'by time');
SELECT pg_temp.refused($$'key', 'id', split => '{"stratify": "house"}'$$, 'stratified');
SELECT pg_temp.refused($$'key', 'id', split => '{"train": 1}'$$, 'all rows');
SELECT pg_temp.refused($$'key', 'id', split => '{"train": 0.7, "validation": 0.3}'$$, 'validation rows are learned from too: when to stop, what to choose');
SELECT pg_temp.refused($$'key', 'id', split => '{"train": 0.8, "validation": 0.15, "test": 0.05}'$$, 'fewer test rows');
SELECT is(pg_temp.train('key', 'id', split => '{"train": 0.85, "test": 0.15}'), 5, 'the validation rows may train');
SELECT is(pg_temp.train('key', 'id', split => '{"train": 0.4, "validation": 0.1, "test": 0.5}'), 6, 'more rows may be held out');
SELECT pg_temp.refused($$'key', 'id'$$, 'and then stay so');
SELECT results_eq($$SELECT pg_temp.train('key', 'id', 1, '{"unlock": true}')$$, ARRAY[7], 'unless one begins anew');
SELECT is((SELECT arguments -> 'split' ->> 'unlock' FROM ml.runs WHERE model = 'key' AND version = 7), 'true', 'which is recorded');
SELECT is(pg_temp.train('key', 'id', 1), 8, 'from then on that split holds');
SELECT pg_temp.refused($$'key', 'id'$$, 'no longer the one before');
SELECT is(pg_temp.train('other', 'id', 5), 1, 'another model has its own');
SELECT lives_ok($$SELECT ml.rename_model('key', 'renamed')$$, 'renamed');
SELECT pg_temp.refused($$'renamed', 'id'$$, 'a model keeps its lock under another name');
SELECT lives_ok($$SELECT ml.drop_version('renamed', 8)$$, 'a version is dropped');
SELECT pg_temp.refused($$'renamed', 'id'$$, 'its test rows stay locked');

-- ---- others ----

SELECT is(pg_temp.train('none', 'id', split => '{"train": 1}'), 1, 'nothing held out');
SELECT is(pg_temp.train('none', 'id', 1), 2, 'nothing locked');
SELECT is(pg_temp.train('none', 'id', 1), 3, 'then something is');
SELECT pg_temp.refused($$'none', 'id', split => '{"train": 1}'$$, 'so that the version without test rows would learn from them');
SELECT is(pg_temp.train('none', 'id', split => '{"train": 1, "unlock": true}'), 4, 'unlocked: no test rows');
SELECT is(pg_temp.train('none', 'house', 7), 5, 'nothing is locked behind it');

SELECT is(pg_temp.train('grouped', 'id', split => '{"group": "house"}'), 1, 'by group');
SELECT is(pg_temp.train('grouped', split => '{"group": "house"}'), 2, 'the group places the rows, not the key');
SELECT pg_temp.refused($$'grouped', 'id'$$, 'without the group');

SELECT is(pg_temp.train('strata', 'id', target => 'sold', split => '{"stratify": true}'), 1, 'stratified');
SELECT pg_temp.refused($$'strata', 'id', target => 'sold'$$, 'not stratified');
SELECT pg_temp.refused($$'strata', 'id', target => 'sold', split => '{"stratify": true, "train": 0.5, "test": 0.5}'$$, 'bounds of classes are those of one set of shares');

SELECT is(pg_temp.train('time', time_column => 'at'), 1, 'by time');
SELECT is(pg_temp.train('time', time_column => 'at', seed => 3, key => 'id'), 2, 'neither seed nor key places the rows');
SELECT is(pg_temp.train('time', time_column => 'at', split => '{"gap": "1 day"}'), 3, 'a gap holds out more');
SELECT pg_temp.refused($$'time', time_column => 'id'$$, 'by another time');
SELECT pg_temp.refused($$'time', 'id'$$, 'by hash');
SELECT is(pg_temp.train('content'), 1, 'by content');
SELECT is(pg_temp.train('content'), 2, 'again');
SELECT is(pg_temp.train('content', exclude => '{house}'), 3, 'other columns');
SELECT results_eq($$SELECT version, warnings::text ~ 'rows are placed by their content, and its columns are not those of the version before' FROM ml.runs WHERE model = 'content' ORDER BY version$$,
	$$VALUES (1, false), (2, false), (3, true)$$, 'are another content: a warning');

-- ---- looking ----

CREATE FUNCTION pg_temp.look(model text) RETURNS bigint LANGUAGE sql VOLATILE AS $$SELECT count(*) FROM ml.evaluate(model)$$;
SELECT is(pg_temp.train('seen', 'id'), 1, 'a model');
SELECT results_eq($$SELECT version, call, evaluated_by = current_user FROM ml.test_evaluations WHERE model = 'seen'$$, $$VALUES (1, 'ml.train', true)$$, 'its training was judged on the test rows');
SELECT ok(pg_temp.look('seen') > 0, 'a look');
SELECT ok(pg_temp.look('seen:1') > 0, 'another');
SELECT ok(count(*) > 0, 'on a source of ours') FROM ml.evaluate('seen', 'flats');
SELECT is((SELECT test_evaluations FROM ml.versions WHERE model = 'seen'), 2::bigint, 'two are counted');
SELECT results_eq($$SELECT call, count(*) FROM ml.test_evaluations WHERE model = 'seen' GROUP BY call ORDER BY call$$, $$VALUES ('ml.evaluate', 2::bigint), ('ml.train', 1)$$, 'and shown');

SELECT ok(pg_temp.look('seen') > 0, 'a third');
SELECT is(pg_temp.train('unseen', 'id', split => '{"train": 0.8, "validation": 0.2}'), 1, 'without test rows');
SELECT ok(pg_temp.look('unseen') > 0, 'validation rows');
SELECT is((SELECT count(*) FROM ml.test_evaluations WHERE model = 'unseen'), 0::bigint, 'are not counted');

SET LOCAL transaction_read_only = on;
SELECT ok(pg_temp.look('seen') > 0, 'a read-only transaction evaluates');
RESET transaction_read_only;
SELECT is((SELECT test_evaluations FROM ml.versions WHERE model = 'seen'), 3::bigint, 'and counts nothing');

SELECT lives_ok($$SELECT ml.drop_model('seen')$$, 'dropped');
SELECT is((SELECT count(*) FROM ml._test_evaluation e WHERE NOT EXISTS (SELECT FROM ml._model m WHERE m.id = e.model)), 0::bigint, 'with its looks');
SELECT * FROM finish();
ROLLBACK;
