-- Versions, deployments, aliases and names: numbers without gaps, the undo stack, what may be dropped, what a name may be.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE flats AS SELECT i % 40 + 20 AS area, (i % 40 + 20) * 3 + i % 5 AS price FROM generate_series(1, 100) i;
CREATE FUNCTION pg_temp.train(model text, note text DEFAULT NULL) RETURNS integer LANGUAGE sql AS
$$SELECT version FROM ml.train(model, 'flats', 'price', algorithm => 'baseline', note => note)$$;
CREATE FUNCTION pg_temp.answering(model text) RETURNS integer LANGUAGE sql AS $$SELECT (ml.predict_all(model, '{"area": 50}') ->> 'version')::integer$$;

-- ---- numbers ----

SELECT is(pg_temp.train('m'), 1, 'the first version');
SELECT is(pg_temp.answering('m'), 1, 'is in production at once');
SELECT is(pg_temp.train('m', 'second'), 2, 'the second');
SELECT is(pg_temp.answering('m'), 1, 'is not');
SAVEPOINT before_third;
SELECT is(pg_temp.train('m'), 3, 'a third');
ROLLBACK TO before_third;
SELECT is(pg_temp.train('m'), 3, 'is number 3 again after it was rolled back');
SELECT results_eq($$SELECT version FROM ml.versions WHERE model = 'm' ORDER BY version$$, ARRAY[1, 2, 3], 'no gaps');
SELECT results_eq($$SELECT last_version, version FROM ml.models WHERE model = 'm'$$, $$VALUES (3, 1)$$, 'ml.models: last and deployed');
SELECT is(pg_temp.train('n'), 1, 'each model counts for itself');

SELECT throws_ok($$SELECT ml.train('m', 'no_such_table', 'price')$$, '42P01');
SELECT is(pg_temp.train('m'), 4, 'a failed training costs no number');

-- ---- the undo stack ----

SELECT is(ml.deploy('m', 2), 2, 'deploy 2');
SELECT is(ml.deploy('m', 3), 3, 'deploy 3');
SELECT is(pg_temp.answering('m'), 3, '3 answers');
SELECT is(ml.rollback('m'), 2, 'undo: 2');
SELECT is(ml.rollback('m'), 1, 'undo: 1');
SELECT throws_ok($$SELECT ml.rollback('m')$$, '55000', 'model "m" has no earlier deployment to go back to');
SELECT is(pg_temp.answering('m'), 1, '1 answers');
SELECT is(ml.deploy('m', 3), 3, 'from there on: deploy 3');
SELECT is(ml.rollback('m'), 1, 'undo leads to what was there before it, not to what was undone');
SELECT is(ml.deploy('m', 1), 1, 'deploying what is deployed');
SELECT results_eq($$SELECT step, version, action FROM ml.deployments WHERE model = 'm' ORDER BY step$$,
	$$VALUES (1, 1, 'first version'), (2, 2, 'deploy'), (3, 3, 'deploy'), (4, 2, 'rollback'), (5, 1, 'rollback'), (6, 3, 'deploy'), (7, 1, 'rollback')$$,
	'adds no row; the history has all the others');
SELECT is_empty($$SELECT * FROM ml.deployments WHERE model = 'm' AND replaced_at IS NULL AND step < 7$$, 'every step but the last has an end');
SELECT is_empty($$SELECT * FROM ml.deployments WHERE model = 'm' AND replaced_at < deployed_at$$, 'after its start');

-- dropped versions are left out on the way back, and so is going from a version to itself
SELECT is(ml.deploy('m', 2), 2, '1, 2');
SELECT is(ml.deploy('m', 1), 1, '1, 2, 1');
SELECT is(ml.deploy('m', 4), 4, '1, 2, 1, 4');
SELECT lives_ok($$SELECT ml.drop_version('m', 2)$$, '2 is dropped');
SELECT is(ml.rollback('m'), 1, 'back from 4 to 1');
SELECT throws_ok($$SELECT ml.rollback('m')$$, '55000', NULL, 'and no further: 2 is gone, and before it was 1 again');

-- ---- what may be dropped ----

SELECT throws_ok($$SELECT ml.drop_version('m', 1)$$, '55000', 'cannot drop version 1 of model "m" because it is in production');
SELECT lives_ok($$SELECT ml.set_alias('m', 'trial', 3)$$, 'an alias');
SELECT throws_ok($$SELECT ml.drop_version('m', 3)$$, '55000', 'cannot drop version 3 of model "m" because alias "trial" names it');
SELECT lives_ok($$SELECT ml.set_alias('m', 'trial', 4)$$, 'the alias moves');
SELECT lives_ok($$SELECT ml.drop_version('m', 3)$$, 'and the version can go');
SELECT throws_ok($$SELECT ml.drop_version('m', 3)$$, '42704', 'version 3 of model "m" does not exist');
SELECT throws_ok($$SELECT ml.drop_version('m', 9)$$, '42704', 'version 9 of model "m" does not exist');
SELECT throws_ok($$SELECT ml.deploy('m', 3)$$, '42704', NULL, 'a dropped version is not deployed');
SELECT throws_ok($$SELECT ml.set_alias('m', 'old', 3)$$, '42704', NULL, 'nor given an alias');
SELECT throws_ok($$SELECT ml.predict('m:3', '{"area": 50}')$$, '42704', NULL, 'nor does it answer');
SELECT throws_ok($$SELECT ml.artifact('m:3')$$, '42704', NULL, 'nor has it bytes');
SELECT is(pg_temp.train('m'), 5, 'its number is not used again');
SELECT results_eq($$SELECT version FROM ml.versions WHERE model = 'm' ORDER BY 1$$, ARRAY[1, 4, 5], 'ml.versions lists what there is');
SELECT results_eq($$SELECT version, dropped_at IS NOT NULL FROM ml.runs WHERE model = 'm' ORDER BY 1$$,
	$$VALUES (1, false), (2, true), (3, true), (4, false), (5, false)$$, 'ml.runs lists what there was');
SELECT is((SELECT note FROM ml.runs WHERE model = 'm' AND version = 2), 'second', 'with its note');

-- ---- aliases ----

SELECT is(pg_temp.answering('m@trial'), 4, 'an alias answers with its version');
SELECT results_eq($$SELECT aliases FROM ml.versions WHERE model = 'm' AND version = 4$$, $$VALUES (ARRAY['trial'])$$, 'and is listed beside it');
SELECT lives_ok($$SELECT ml.set_alias('m', 'trial', NULL)$$, 'null removes it');
SELECT throws_ok($$SELECT ml.set_alias('m', 'trial', NULL)$$, '42704', 'alias "trial" of model "m" does not exist');
SELECT throws_ok($$SELECT ml.predict('m@trial', '{"area": 50}')$$, '42704', 'alias "trial" of model "m" does not exist');
SELECT throws_ok($$SELECT ml.set_alias('m', NULL, 1)$$, '22004', 'alias must not be null');
SELECT throws_ok($$SELECT ml.set_alias(NULL, 'x', 1)$$, '22004', 'model must not be null');

-- ---- notes ----

SELECT lives_ok($$SELECT ml.set_note('m', 4, 'good enough')$$, 'a note');
SELECT is((SELECT note FROM ml.versions WHERE model = 'm' AND version = 4), 'good enough', 'is kept');
SELECT lives_ok($$SELECT ml.set_note('m', 4, NULL)$$, 'and removed');
SELECT is((SELECT note FROM ml.versions WHERE model = 'm' AND version = 4), NULL, 'is gone');
SELECT throws_ok($$SELECT ml.set_note('m', 77, 'x')$$, '42704', 'version 77 of model "m" does not exist');

-- ---- names ----

SELECT lives_ok(format('SELECT pg_temp.train(%L)', name), 'a model may be called ' || name)
FROM (VALUES ('x'), (repeat('n', 63)), ('Größe "in" m²'), ('with space'), ('🏠'), ('1'), ('null'), ($$it's$$), ('a.b'), ('%s')) v(name);
SELECT is(pg_temp.answering(name), 1, 'and answers under that name: ' || name)
FROM (VALUES ('x'), (repeat('n', 63)), ('Größe "in" m²'), ('with space'), ('🏠'), ('1'), ('null'), ($$it's$$), ('a.b'), ('%s')) v(name);
SELECT throws_ok(format('SELECT pg_temp.train(%L)', name), '42602', NULL, 'a model may not be called ' || name)
FROM (VALUES (''), (repeat('n', 64)), ('a:b'), ('a@b'), (':'), ('a:1'), (repeat('ö', 32))) v(name);
SELECT throws_ok($$SELECT ml.set_alias('m', '', 1)$$, '42602', 'invalid alias name ""');
SELECT throws_ok($$SELECT ml.set_alias('m', 'a@b', 1)$$, '42602', 'invalid alias name "a@b"');
SELECT throws_ok($$SELECT ml.set_alias('m', repeat('a', 64), 1)$$, '42602');
SELECT throws_ok($$SELECT ml.predict('X', '{"area": 50}')$$, '42704', 'model "X" does not exist');

SELECT throws_ok(format('SELECT ml.predict(%L, %L)', reference, '{"area": 50}'), state, NULL, format('reference "%s" is refused', reference))
FROM (VALUES ('m:', '22023'), ('m:0', '22023'), ('m:-1', '22023'), ('m:01x', '22023'), ('m: 1', '22023'), ('m:1:2', '22023'), ('m:1@a', '22023'),
	('m:99999999999', '22023'), ('m:2147483648', '22023'), ('m@', '42602'), ('m@a:1', '42602'), (':1', '42602'), ('@a', '42602'), ('', '42602'),
	('m:2147483647', '42704')) v(reference, state);
SELECT is(pg_temp.answering('m:04'), 4, 'leading zeros do no harm');

SELECT lives_ok($$SELECT ml.rename_model('m', 'moved')$$, 'a model is renamed');
SELECT is(pg_temp.answering('moved'), 1, 'and answers under its new name');
SELECT throws_ok($$SELECT ml.predict('m', '{"area": 50}')$$, '42704', 'model "m" does not exist');
SELECT is(pg_temp.train('moved'), 6, 'it counts on');
SELECT is(pg_temp.train('m'), 1, 'the old name is free for a model of its own');
SELECT throws_ok($$SELECT ml.rename_model('m', 'moved')$$, '42710', 'model "moved" already exists');
SELECT throws_ok($$SELECT ml.rename_model('m', 'm')$$, '42710', 'model "m" already exists');
SELECT throws_ok($$SELECT ml.rename_model('m', 'a:b')$$, '42602', 'invalid model name "a:b"');
SELECT throws_ok($$SELECT ml.rename_model('none', 'other')$$, '42704', 'model "none" does not exist');

-- ---- dropping a model ----

SELECT lives_ok($$SELECT ml.set_alias('moved', 'trial', 4)$$, 'a model with an alias');
SELECT lives_ok($$SELECT ml.drop_model('moved')$$, 'is dropped');
SELECT throws_ok($$SELECT ml.drop_model('moved')$$, '42704', 'model "moved" does not exist');
SELECT is(pg_temp.train('moved'), 1, 'its name starts anew');
SELECT lives_ok(format('SELECT ml.drop_model(%L)', model), 'dropped: ' || model) FROM (SELECT model FROM ml.models ORDER BY model) m;
SELECT is((SELECT count(*) FROM ml._model) + (SELECT count(*) FROM ml._version) + (SELECT count(*) FROM ml._run) + (SELECT count(*) FROM ml._alias) +
	(SELECT count(*) FROM ml._deployment), 0::bigint, 'nothing is left of dropped models');

-- ---- transactions ----

SAVEPOINT training;
SELECT is(pg_temp.train('t'), 1, 'within a subtransaction');
SELECT is(pg_temp.answering('t'), 1, 'a model answers at once');
ROLLBACK TO training;
SELECT throws_ok($$SELECT ml.predict('t', '{"area": 50}')$$, '42704', 'model "t" does not exist');
SELECT is(pg_temp.train('t'), 1, 'trained for good');
SELECT is(pg_temp.train('t'), 2, 'twice');
SAVEPOINT deploying;
SELECT is(ml.deploy('t', 2), 2, 'deployed in a subtransaction');
SELECT is(pg_temp.answering('t'), 2, 'it answers');
ROLLBACK TO deploying;
SELECT is(pg_temp.answering('t'), 1, 'rolled back, the other one does');

SELECT throws_ok($$DO 'BEGIN SET LOCAL transaction_read_only = on; PERFORM ml.deploy(''t'', 2); END'$$, '25006',
	'cannot execute ml.deploy() in a read-only transaction');
SELECT is(pg_temp.answering('t'), 1, 'reading goes on');

SELECT is_empty($$SELECT * FROM ml.deployments WHERE deployed_by <> current_user$$, 'deployments name who made them');
SELECT is((SELECT sha256 FROM ml.versions WHERE model = 't' AND version = 1), encode(substring(a FROM length(a) - 31), 'hex'), 'the sha-256 listed ends the artifact'),
	is(encode(sha256(substring(a FROM 1 FOR length(a) - 32)), 'hex'), encode(substring(a FROM length(a) - 31), 'hex'), 'and is the hash of all before'),
	is((SELECT bytes FROM ml.versions WHERE model = 't' AND version = 1), length(a), 'its length is listed')
FROM ml.artifact('t:1') a;

-- ---- nothing is done silently for nulls ----

CREATE TEMP TABLE null_call (call text, argument text);
INSERT INTO null_call VALUES
	('deploy(NULL, 1)', 'model'), ('deploy(''m'', NULL)', 'version'), ('rollback(NULL)', 'model'),
	('set_alias(NULL, ''a'', 1)', 'model'), ('set_alias(''m'', NULL, 1)', 'alias'), ('set_note(NULL, 1, '''')', 'model'), ('set_note(''m'', NULL, '''')', 'version'),
	('rename_model(NULL, ''n'')', 'model'), ('rename_model(''m'', NULL)', 'new_name'),
	('drop_version(NULL, 1)', 'model'), ('drop_version(''m'', NULL)', 'version'), ('drop_model(NULL)', 'model'),
	('grant_model(NULL, ''public'', ''all'')', 'model'), ('grant_model(''m'', NULL, ''all'')', 'role'), ('grant_model(''m'', ''public'', NULL)', 'privilege'),
	('revoke_model(NULL, ''public'', ''all'')', 'model'), ('revoke_model(''m'', NULL, ''all'')', 'role'), ('revoke_model(''m'', ''public'', NULL)', 'privilege');
SELECT throws_ok('SELECT ml.' || call, '22004', argument || ' must not be null', call) FROM null_call;
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'ml'::regnamespace AND provolatile = 'v' AND proisstrict AND NOT proretset$$, 'no writer is strict');

-- ---- names in hints: the nearest first, then sorted ----

CREATE ROLE t_namer;
CREATE TABLE named AS SELECT i AS x, i % 3 AS y FROM generate_series(1, 60) i;
GRANT SELECT ON named TO t_namer;
SET LOCAL ROLE t_namer;
SELECT FROM unnest(ARRAY['prices', 'apples', 'zebras', 'melons']) n, ml.train(n, 'named', 'y', algorithm => 'baseline');
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(pg_temp.hint($$SELECT ml.predict('orders', '{}')$$), 'Models you may use: "apples", "melons", "prices", "zebras".', 'none is near: sorted');
SELECT is(pg_temp.hint($$SELECT ml.predict('melon', '{}')$$), 'Models you may use: "melons", "apples", "prices", "zebras".', 'a near one comes first');
SELECT is(pg_temp.hint($$SELECT ml.predict('zeb', '{}')$$), 'Models you may use: "zebras", "apples", "melons", "prices".', 'so does one that begins like it');
SET LOCAL ROLE NONE;

SELECT * FROM finish();
ROLLBACK;
