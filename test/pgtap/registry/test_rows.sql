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

-- ---- by time: new rows are behind the cut, until the split begins anew ----

CREATE FUNCTION pg_temp.parts(model text, source text, split text DEFAULT NULL, time_column text DEFAULT 'at') RETURNS text LANGUAGE sql AS
$$SELECT n_train || '/' || n_validation || '/' || n_test || CASE WHEN warnings::text ~ 'the test part begins at' THEN ' grown' ELSE '' END
	FROM ml.train(model, source, 'price', algorithm => 'baseline', split => split::jsonb, time_column => time_column)$$;
CREATE FUNCTION pg_temp.until(hours int) RETURNS text LANGUAGE sql AS $$SELECT format('SELECT * FROM flats WHERE id <= %s', hours)$$;
SELECT is(pg_temp.parts('time', pg_temp.until(1000)), '700/150/150', 'by time');
SELECT is((SELECT arguments -> 'split' -> 'cuts' FROM ml.runs WHERE model = 'time'), '{"validation": "2024-01-30 05:00:00", "test": "2024-02-05 11:00:00"}', 'where it was cut is kept: hours 701 and 851');
SELECT is(pg_temp.parts('time', pg_temp.until(1010)), '700/150/160', 'the same cuts for a table that has grown');
SELECT is(pg_temp.parts('time', pg_temp.until(2000)), '700/150/1150 grown', 'and when it has grown much a warning');
SELECT is((SELECT warnings[1] FROM ml.runs WHERE model = 'time' AND version = 3), 'the test part begins at 2024-02-05 11:00:00 as in the version before, and has 58 % of the rows instead of 15 %: '
	'"unlock": true in split cuts anew, and lets rows train that were held out until now', 'that says how to move on');
SELECT is(pg_temp.parts('time', pg_temp.until(800)), '700/100/0', 'the same cuts for fewer rows');
SELECT is(pg_temp.parts('time', pg_temp.until(1000)), '700/150/150', 'whose version does not unlock those without');
SELECT is(pg_temp.parts('time', pg_temp.until(1000), '{"gap": "10 hours"}'), '691/141/150', 'a gap holds out more');
SELECT is(pg_temp.train('time', time_column => 'at', seed => 3, key => 'id'), 7, 'neither seed nor key places the rows');
SELECT is(pg_temp.parts('time', pg_temp.until(1000), '{"train": 0.85, "test": 0.15}'), '850/0/150', 'the validation rows may train');
SELECT is(pg_temp.parts('time', 'flats', '{"train": 0.5, "validation": 0.35, "test": 0.15}'), '500/350/1150 grown', 'other shares of the rows before the cut');
SELECT is(pg_temp.parts('time', pg_temp.until(1000), '{"train": 0.5, "validation": 0.1, "test": 0.4}'), '500/100/400', 'more rows may be held out');
SELECT pg_temp.refused($$'time', time_column => 'at'$$, 'and then stay so');
SELECT pg_temp.refused($$'time', time_column => 'at', split => '{"train": 1}'$$, 'all rows by time');
SELECT pg_temp.refused($$'time', time_column => 'id'$$, 'by another time');
SELECT pg_temp.refused($$'time', 'id'$$, 'by hash');
SELECT throws_ok($$SELECT pg_temp.parts('time', 'SELECT * FROM flats WHERE id > 1700', '{"train": 0.5, "validation": 0.1, "test": 0.4}')$$, '22000', 'no row is left for training', 'nothing before the cut');
SELECT throws_ok($$SELECT pg_temp.parts('time', 'SELECT id AS at, area, price FROM flats', '{"train": 0.5, "validation": 0.1, "test": 0.4}')$$, '42804',
	'time column "at" is a number, but the rows that earlier versions hold out for tests were cut off at a timestamp');
SELECT is(pg_temp.parts('time', 'flats', '{"unlock": true}'), '1400/300/300', 'begun anew');
SELECT is(pg_temp.parts('time', 'flats'), '1400/300/300', 'from then on those cuts hold');
SELECT is(pg_temp.parts('number', pg_temp.until(1000), time_column => 'id'), '700/150/150', 'a number as time');
SELECT is((SELECT arguments -> 'split' -> 'cuts' FROM ml.runs WHERE model = 'number'), '{"validation": 701, "test": 851}', 'is cut at a number');
SELECT is(pg_temp.parts('number', 'flats', time_column => 'id'), '700/150/1150 grown', 'again');
SELECT is(pg_temp.parts('days', 'SELECT at::date AS at, price, area FROM flats WHERE id < 1000'), '695/144/160', 'whole days');
SELECT is(pg_temp.parts('days', 'SELECT at::date AS at, price, area FROM flats WHERE id < 1020'), '695/144/180 grown', 'cut at a day');
SELECT is(pg_temp.parts('days', 'SELECT at::date::timestamp AS at, price, area FROM flats WHERE id < 1000'), '695/144/160', 'whatever the type of the time');

SELECT is(pg_temp.parts('endless', $$SELECT id, price, area, CASE WHEN id > 1900 THEN 'Infinity' ELSE id::float8 END AS n FROM flats$$, time_column => 'n'), '1400/300/300', 'rows without an end train');
SELECT is(pg_temp.parts('endless', $$SELECT id, price, area, CASE WHEN id > 1900 THEN 'Infinity' ELSE id::float8 END AS n FROM flats$$, time_column => 'n'), '1400/300/300', 'and so they do again');

-- ---- few rows ----

SELECT throws_ok($$SELECT pg_temp.train('other', 'id', 5, source => 'SELECT * FROM flats WHERE ml.split(id, 5) = ''test''')$$, '22000', 'no row is left for training',
	'test rows do not train where there are no others');
SELECT is(pg_temp.train('test rows', 'id', 5, source => 'SELECT * FROM flats WHERE ml.split(id, 5) = ''test'''), 1, 'but those of another model do');

-- ---- strata keep their bounds, those without a row too ----

SELECT is(pg_temp.train('kept', 'id', split => '{"stratify": "house"}', source => 'SELECT * FROM flats WHERE id <= 1000'), 1, 'stratified by house');
SELECT is(pg_temp.train('kept', 'id', split => '{"stratify": "house"}', source => 'SELECT * FROM flats WHERE id <= 1000 AND house < 25'), 2, 'half of the houses');
SELECT is(pg_temp.train('kept', 'id', split => '{"stratify": "house"}'), 3, 'all of them and more rows');
SELECT is(pg_temp.train('kept anew', 'id', split => '{"stratify": "house"}'), 1, 'elsewhere they are cut by all rows');
SELECT set_eq($$SELECT jsonb_array_elements(arguments -> 'split' -> 'bounds') FROM ml.runs WHERE model = 'kept' AND version = $$ || version,
	$$SELECT jsonb_array_elements(arguments -> 'split' -> 'bounds') FROM ml.runs WHERE model = 'kept' AND version = 1$$, 'the bounds of version 1 in version ' || version) FROM generate_series(2, 3) version;
SELECT isnt((SELECT arguments -> 'split' -> 'bounds' FROM ml.runs WHERE model = 'kept anew'), (SELECT arguments -> 'split' -> 'bounds' FROM ml.runs WHERE model = 'kept' AND version = 1), 'others');

-- ---- by content ----

SELECT is(pg_temp.train('content'), 1, 'by content');
SELECT is(pg_temp.train('content'), 2, 'again');
SELECT is(pg_temp.train('content', exclude => '{house}'), 3, 'other columns');
SELECT results_eq($$SELECT version, warnings::text ~ 'rows are placed by their content, and its columns or their time zone are not those of the version before' FROM ml.runs WHERE model = 'content' ORDER BY version$$,
	$$VALUES (1, false), (2, false), (3, true)$$, 'are another content: a warning');

SELECT is(pg_temp.train('some keys', 'k', source => 'SELECT *, nullif(id, 5) AS k FROM flats'), 1, 'one row has no key');
SELECT is(pg_temp.train('some keys', 'k', source => 'SELECT *, nullif(id, 5) AS k FROM flats', exclude => '{house}'), 2, 'and is placed by other columns');
SELECT ok(warnings::text ~ 'rows without a key are placed by their content, and its columns or their time zone are not those of the version before', 'a warning') FROM ml.runs WHERE model = 'some keys' AND version = 2;

SELECT is(pg_temp.train('some groups', 'id', split => '{"group": "g"}', source => 'SELECT *, nullif(house, 5) AS g FROM flats'), 1, 'some rows have no group and go by their key');
SELECT is(pg_temp.train('some groups', 'area', split => '{"group": "g"}', source => 'SELECT *, nullif(house, 5) AS g FROM flats'), 2, 'then by another');
SELECT results_eq($$SELECT version, warnings::text ~ 'rows without a group are placed by their key or content, and the version before had column id as key' FROM ml.runs WHERE model = 'some groups' ORDER BY version$$,
	$$VALUES (1, false), (2, true)$$, 'a warning');

-- ---- the model's time zone places no row ----

CREATE FUNCTION pg_temp.zoned(model text, key text, zone text) RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY[n_train, n_validation, n_test]::text[] || (array_to_string(warnings, ';') ~ 'time zone are not those')::text
	FROM ml.train(model, 'SELECT at::timestamptz AS at, price, area FROM flats', 'price', 'baseline', jsonb_build_object('time_zone', zone), key => key)$$;
SET LOCAL TimeZone = 'UTC';
SELECT is(pg_temp.zoned('zone', 'at', zone), (SELECT ARRAY[count(*) FILTER (WHERE p = 'train'), count(*) FILTER (WHERE p = 'validation'), count(*) FILTER (WHERE p = 'test')]::text[] || 'false'::text
	FROM (SELECT ml.split(at::timestamptz) AS p FROM flats) x), 'a key with a time zone, as ml.split has it: ' || zone) FROM unnest('{UTC,Asia/Tokyo}'::text[]) zone;
SELECT is((pg_temp.zoned('zone content', NULL, zone))[4], told, 'by content, which is in local time: ' || zone) FROM (VALUES ('UTC', 'false'), ('Asia/Tokyo', 'true'), ('Asia/Tokyo', 'false')) v (zone, told);
RESET TimeZone;

-- ---- a key with rows of several classes counts as the rarest of them, and of as it was at first ----

CREATE TABLE mixed AS SELECT i AS k, c AS class FROM generate_series(1, 400) i, unnest('{a,b}'::text[]) c WHERE i % 4 = 0 OR (c = 'a') = (i % 4 = 1);
CREATE TABLE mixed_grown AS SELECT * FROM mixed UNION ALL SELECT i, 'a' FROM generate_series(401, 900) i;
SELECT is(pg_temp.train('mixed', 'k', 5, target => 'class', source => 'SELECT k, class, k % 3 AS x FROM mixed', split => '{"stratify": true}'), 1, 'a is the rarer class');
CREATE TABLE cut AS SELECT b ->> 0 AS class, (b ->> 1)::float8 AS validation, (b ->> 2)::float8 AS test FROM ml.runs, jsonb_array_elements(arguments -> 'split' -> 'bounds') b WHERE model = 'mixed';
CREATE TABLE held AS SELECT k FROM (SELECT k, min(class) AS class FROM mixed GROUP BY k) m JOIN cut USING (class)
WHERE ml.split(k, 5, jsonb_build_object('train', validation, 'validation', test - validation, 'test', 1 - test)) = 'test';
SELECT is((SELECT n_test FROM ml.runs WHERE model = 'mixed'), (SELECT count(*) FROM mixed JOIN held USING (k)), 'a key of both is placed as a is');
SELECT is(pg_temp.train('mixed', 'k', 5, target => 'class', source => 'SELECT g.k, class, (h.k IS NULL)::int AS x FROM mixed_grown g LEFT JOIN held h USING (k)', split => '{"stratify": true}'), 2, 'then b is');
SELECT is(mean::float8, 1::float8, 'no row that was held out trains') FROM ml.describe('mixed:2') WHERE column_name = 'x';
SELECT is((SELECT array_agg(b ->> 0) FROM ml.runs, jsonb_array_elements(arguments -> 'split' -> 'bounds') b WHERE model = 'mixed' AND version = 2), '{a,b}'::text[], 'a stays first');

-- ---- pipelines ----

SELECT lives_ok($$SELECT ml.fit_pipeline('prep', 'flats', '{"area": "standardize"}', key => 'id', split => '{"train": 0.8, "test": 0.2}')$$, 'a pipeline holds rows out too');
SELECT lives_ok($$SELECT ml.fit_pipeline('prep', 'flats', '{"area": "standardize"}', key => 'id', split => '{"train": 0.8, "test": 0.2}')$$, 'again');
SELECT throws_ok($$SELECT ml.fit_pipeline('prep', 'flats', '{"area": "standardize"}')$$, '55000', 'training would learn from rows that model "prep" holds out for tests', 'and its versions do not learn from them');
SELECT throws_ok($$SELECT ml.fit_pipeline('time', 'flats', '{"area": "standardize"}')$$, '55000', 'training would learn from rows that model "time" holds out for tests', 'nor one under the name of a model');

CREATE TABLE homes AS SELECT * FROM flats;
CREATE FUNCTION pg_temp.fitted(source text, key text DEFAULT NULL, split text DEFAULT NULL, time_column text DEFAULT NULL, seed bigint DEFAULT 0) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	v integer := ml.fit_pipeline('scaler', source, '{"area": "standardize"}', key => key, seed => seed, time_column => time_column, features => '{area}',
								 split => coalesce(split::jsonb, '{"train": 1}') || '{"unlock": true}');
BEGIN
	RETURN (SELECT coalesce(array_agg(substring(w FROM '^model "(.*)" holds') || ': ' || substring(w FROM 'all of them have|some of them may have') ORDER BY w), '{}')
			FROM ml.runs, unnest(warnings) w WHERE model = 'scaler' AND version = v AND w ~ 'holds');
END $$;
SELECT is(pg_temp.fitted('homes'), '{}', 'nobody holds rows of the table out');
SELECT is(pg_temp.train('by key', 'id', source => 'homes'), 1, 'now someone does');
SELECT is(pg_temp.fitted('homes'), '{by key: all of them have}', 'a pipeline that is fitted on all rows says so');
SELECT is((SELECT warnings FROM ml.runs WHERE model = 'scaler' AND version = 2),
	ARRAY[format('model "by key" holds %s rows of the same source out for tests, and all of them have been learned from: a split by key "id", seed 0, shares 0.7/0.15/0.15 leaves them out', n_test)],
	'how many, and how not to') FROM ml.runs WHERE model = 'by key';
SELECT is(pg_temp.fitted(source), '{by key: all of them have}', 'the same table: ' || source) FROM unnest(ARRAY['public.homes', '"homes"', 'homes -- all']) source;
SELECT is(pg_temp.fitted('SELECT * FROM homes'), '{}', 'a query is another source');
SELECT is(pg_temp.fitted('homes', 'id', '{"train": 0.7, "validation": 0.15, "test": 0.15}'), '{}', 'the same split');
SELECT is(pg_temp.fitted('homes', 'id', '{"train": 0.8, "test": 0.2}'), '{}', 'one that holds more out');
SELECT is(pg_temp.fitted('homes', 'id', '{"train": 0.9, "test": 0.1}'), '{by key: some of them may have}', 'fewer');
SELECT is(pg_temp.fitted('homes', 'id', '{"train": 0.8, "test": 0.2}', seed => 1), '{by key: some of them may have}', 'others');
SELECT is(pg_temp.parts('by time', 'homes'), '1400/300/300', 'and one by time');
SELECT is(pg_temp.fitted('homes', split => '{"train": 0.7, "test": 0.3}', time_column => 'at'), '{by key: some of them may have}', 'an earlier cut');
SELECT is(pg_temp.fitted('homes', split => '{"train": 0.9, "test": 0.1}', time_column => 'at'), '{by key: some of them may have,by time: some of them may have}', 'a later one');
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.homes AS SELECT * FROM flats;
SET LOCAL search_path = elsewhere, public;
SELECT is(pg_temp.fitted('homes'), '{}', 'a table of the same name');
RESET search_path;
CREATE ROLE relearn_fitter;
GRANT SELECT ON homes TO relearn_fitter;
SET LOCAL ROLE relearn_fitter;
SELECT is((SELECT ml.fit_pipeline('theirs', 'homes', '{"area": "standardize"}')), 1, 'someone else');
SELECT is(warnings, '{}', 'is not told of models that are not theirs') FROM ml.runs WHERE model = 'theirs';
RESET ROLE;
CREATE TEMP TABLE cottages AS SELECT * FROM flats;
SELECT is(pg_temp.train('temporary', 'id', source => 'cottages'), 1, 'of a temporary table');
SELECT is(pg_temp.fitted('cottages'), '{}', 'nobody can tell later whether it is the same');

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

SAVEPOINT reading;
SET LOCAL transaction_read_only = on;
SELECT ok(pg_temp.look('seen') > 0, 'a read-only transaction evaluates');
RELEASE SAVEPOINT reading;		-- and with it what was set
SELECT is((SELECT test_evaluations FROM ml.versions WHERE model = 'seen'), 3::bigint, 'and counts nothing');

SELECT lives_ok($$SELECT ml.drop_model('seen')$$, 'dropped');
SELECT is((SELECT count(*) FROM ml._test_evaluation e WHERE NOT EXISTS (SELECT FROM ml._model m WHERE m.id = e.model)), 0::bigint, 'with its looks');
SELECT * FROM finish();
ROLLBACK;
