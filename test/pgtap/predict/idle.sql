-- What one statement leaves for the next that makes the same call: nothing of it may answer where anything has changed in between.
BEGIN;
SELECT no_plan();

CREATE SCHEMA idle;
SET LOCAL search_path = idle, public, pg_temp;

CREATE TABLE t AS SELECT i AS id, i / 10.0::float8 AS x, (i % 7)::float8 AS n, 'level ' || i % 3 AS c, 3.0::float8 * i + i % 3 AS y FROM generate_series(1, 300) i;
SELECT ok(count(*) = 1, 'a model') FROM ml.train('idle', 'SELECT x, n, c, y FROM idle.t', 'y', 'linear_regression');
SELECT ok(count(*) = 1, 'another version') FROM ml.train('idle', 'SELECT x, n, c, y + 1000 AS y FROM idle.t', 'y', 'linear_regression', seed => 1, split => '{"unlock": true}');
CREATE TABLE other AS SELECT id, n, x, c FROM t;
CREATE TABLE turned AS SELECT id, n AS x, x AS n, c FROM t;

-- each statement has a call site of its own
CREATE FUNCTION ask(statement text) RETURNS float8 LANGUAGE plpgsql AS $$ DECLARE p float8; BEGIN EXECUTE statement INTO p; RETURN p; END $$;
CREATE TABLE truth AS SELECT id, ml.predict('idle:1', to_jsonb(t)) AS one, ml.predict('idle:2', to_jsonb(t)) AS two, ml.predict('idle:1', to_jsonb(u)) AS turned
FROM t JOIN turned u USING (id);

-- every form, many statements, other tables in turns
CREATE FUNCTION wrong(form text, answer text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint := 0; good boolean;
BEGIN
	FOR i IN 1 .. 60 LOOP
		EXECUTE format('SELECT %s IS NOT DISTINCT FROM %s FROM %I t JOIN idle.truth USING (id) WHERE id = %s',
			form, CASE WHEN i % 3 = 2 AND answer = 'one' THEN 'turned' ELSE answer END, (ARRAY['t', 'other', 'turned'])[1 + i % 3], i) INTO good;
		n := n + (good IS NOT TRUE)::integer;
	END LOOP;
	RETURN n;
END $$;
SELECT is(wrong('ml.predict(''idle:1'', t)', 'one'), 0::bigint, 'columns');
SELECT is(wrong('(SELECT ml.predict(''idle:1'', r) FROM (SELECT t AS r OFFSET 0) s)', 'one'), 0::bigint, 'rows');
SELECT is(wrong('(SELECT ml.predict(''idle:1'', r) FROM (SELECT s AS r FROM (SELECT x, n, c) s OFFSET 0) s)', 'one'), 0::bigint, 'rows of no named type');
SELECT is(wrong('ml.predict(''idle:1'', to_jsonb(t))', 'one'), 0::bigint, 'JSON');
SELECT is(wrong('ml.predict(''idle:1'', to_jsonb(t)::text)', 'one'), 0::bigint, 'JSON as text');

-- same names, other types; untyped literals belong to their statement
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', 0.5::float8, 5::float8, 'level 2'::text)$$), one, 'typed values') FROM truth WHERE id = 5;
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', 0.5::numeric, 5::smallint, 'level 2'::varchar)$$), one, 'other types') FROM truth WHERE id = 5;
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', '0.5', '5', 'level 2')$$), one, 'untyped values') FROM truth WHERE id = 5;
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', '0.6', '6', 'level 0')$$), one, 'other untyped values') FROM truth WHERE id = 6;
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{n,x,c}', '6', '0.6', 'level 0')$$), one, 'other names') FROM truth WHERE id = 6;
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', 0.6::float8, 6::float8, 'level 0'::text)$$), one, 'typed values again') FROM truth WHERE id = 6;
SELECT throws_ok($$SELECT idle.ask('SELECT ml.predict_columns(''idle:1'', ''{x,n,d}'', 0.5::float8, 5::float8, ''level 2''::text)')$$, '42703', NULL, 'a name is missing');
SELECT throws_ok($$SELECT idle.ask('SELECT ml.predict_columns(''idle:1'', ''{x,n,c}'', ''a''::text, 5::float8, ''level 2''::text)')$$, '42804', NULL, 'a kind is wrong');
SELECT is(ask($$SELECT ml.predict_columns('idle:1', '{x,n,c}', 0.6::float8, 6::float8, 'level 0'::text)$$), one, 'after errors') FROM truth WHERE id = 6;

-- the table changes
CREATE FUNCTION by_row() RETURNS float8 LANGUAGE sql AS $$ SELECT idle.ask('SELECT ml.predict(''idle:1'', r) FROM (SELECT t AS r FROM idle.t WHERE id = 7 OFFSET 0) s') $$;
CREATE FUNCTION by_columns() RETURNS float8 LANGUAGE sql AS $$ SELECT idle.ask('SELECT ml.predict(''idle:1'', t) FROM idle.t WHERE id = 7') $$;
SELECT is(ARRAY[by_row(), by_columns()], ARRAY[one, one], 'before') FROM truth WHERE id = 7;
ALTER TABLE t RENAME x TO z;
SELECT throws_ok('SELECT idle.by_row()', '42703', NULL, 'row: a column renamed');
SELECT throws_ok('SELECT idle.by_columns()', '42703', NULL, 'columns: a column renamed');
ALTER TABLE t RENAME n TO x;
ALTER TABLE t RENAME z TO n;
SELECT is(ARRAY[by_row(), by_columns()], ARRAY[turned, turned], 'columns changed names') FROM truth WHERE id = 7;
ALTER TABLE t ALTER x TYPE smallint;
ALTER TABLE t ADD more integer DEFAULT 5, DROP y;
SELECT is(ARRAY[by_row(), by_columns()], ARRAY[turned, turned], 'a type, a column more, a column less') FROM truth WHERE id = 7;
ALTER TABLE t ALTER c TYPE integer USING 3;
SELECT throws_ok('SELECT idle.by_row()', '42804', NULL, 'row: a column changed its kind');
SELECT throws_ok('SELECT idle.by_columns()', '42804', NULL, 'columns: a column changed its kind');

-- the model changes: its row has moved, has another name, is gone, came back
CREATE FUNCTION by_name(reference text) RETURNS float8 LANGUAGE sql AS
$$ SELECT idle.ask(format('SELECT ml.predict(%L, t) FROM idle.other t WHERE id = 8', reference)) $$;
SELECT is(by_name('idle'), one, 'deployed: 1') FROM truth WHERE id = 8;
SELECT ok(count(*) = 1, 'deploy 2') FROM ml.deploy('idle', 2);
SELECT is(by_name('idle'), two, 'deployed: 2') FROM truth WHERE id = 8;
SELECT ok(count(*) = 1, 'alias of 1') FROM ml.set_alias('idle', 'first', 1);
SELECT is(ARRAY[by_name('idle@first'), by_name('idle:1'), by_name('idle')], ARRAY[one, one, two], 'references') FROM truth WHERE id = 8;
CLUSTER ml._model USING _model_pkey;
SELECT is(by_name('idle'), two, 'the table of models was written anew') FROM truth WHERE id = 8;
SAVEPOINT here;
SELECT ok(count(*) = 1, 'deploy 1') FROM ml.deploy('idle', 1);
SELECT is(by_name('idle'), one, 'deployed: 1 again') FROM truth WHERE id = 8;
ROLLBACK TO here;
SELECT is(by_name('idle'), two, 'rolled back') FROM truth WHERE id = 8;
SELECT ok(count(*) = 1, 'rename') FROM ml.rename_model('idle', 'idle_renamed');
SELECT throws_ok($$SELECT idle.by_name('idle')$$, '42704', NULL, 'the old name is gone');
SELECT is(by_name('idle_renamed'), two, 'the new name') FROM truth WHERE id = 8;
SELECT ok(count(*) = 1, 'another model of the old name') FROM ml.train('idle', 'SELECT x, n, c, 0.0::float8 + id AS y FROM idle.other', 'y', 'linear_regression');
SELECT ok(abs(by_name('idle') - 8) < 1e-6, 'it answers');
SELECT is(by_name('idle_renamed'), two, 'and so does the renamed one') FROM truth WHERE id = 8;
SELECT ok(count(*) = 1, 'drop') FROM ml.drop_model('idle');
SELECT throws_ok($$SELECT idle.by_name('idle')$$, '42704', NULL, 'dropped');

-- rights: asked anew for every statement
CREATE ROLE idle_user;
GRANT USAGE ON SCHEMA idle TO idle_user;
GRANT SELECT ON ALL TABLES IN SCHEMA idle TO idle_user;
SELECT is(by_name('idle_renamed'), two, 'as superuser') FROM truth WHERE id = 8;
SET LOCAL ROLE idle_user;
SELECT throws_ok($$SELECT idle.by_name('idle_renamed')$$, '42501', NULL, 'another user has no right');
RESET ROLE;
SELECT ok(count(*) = 1, 'grant') FROM ml.grant_model('idle_renamed', 'idle_user', 'predict');
SET LOCAL ROLE idle_user;
SELECT is(by_name('idle_renamed'), two, 'now it has') FROM truth WHERE id = 8;
RESET ROLE;
SELECT ok(count(*) = 1, 'revoke') FROM ml.revoke_model('idle_renamed', 'idle_user', 'predict');
SET LOCAL ROLE idle_user;
SELECT throws_ok($$SELECT idle.by_name('idle_renamed')$$, '42501', NULL, 'and now not');
RESET ROLE;

-- no more states wait than a few, and their models may leave the cache
SELECT is(sum(ask(format('SELECT ml.predict(''idle_renamed'', s) FROM (SELECT x, n, c, %s FROM idle.other WHERE id = 8) s',
	(SELECT string_agg('1 AS more_' || k, ', ') FROM generate_series(1, i) k)))), 40 * min(two), 'forty calls') FROM generate_series(1, 40) i, truth WHERE truth.id = 8;
SELECT cmp_ok(count(*), '<=', 16::bigint, 'no more than sixteen wait') FROM pg_backend_memory_contexts WHERE name = 'relearn prediction';
CREATE TABLE wide AS SELECT i AS y, md5((i % 400)::text) || md5('a' || i % 400) AS a, md5((i % 500)::text) || md5('b' || i % 500) AS b FROM generate_series(1, 3000) i;
SELECT is(count(*), 4::bigint, 'four models of some hundred kB') FROM generate_series(1, 4) l2,
	ml.train('wide' || l2, 'idle.wide', 'y', algorithm => 'linear_regression', params => jsonb_build_object('l2', l2, 'max_categories', 600));
CREATE FUNCTION by_wide(m integer) RETURNS float8 LANGUAGE sql AS
$$ SELECT idle.ask(format('SELECT ml.predict(%L, w) FROM idle.wide w WHERE y = 9', 'wide' || m)) $$;
CREATE TABLE wide_truth AS SELECT m, by_wide(m) AS p FROM generate_series(1, 4) m;
SET LOCAL relearn.model_cache_size = '1MB';
SELECT is(count(*) FILTER (WHERE by_wide(m) = p), 40::bigint, 'models that do not fit together take turns') FROM generate_series(1, 10) i, wide_truth;
SELECT cmp_ok(sum(total_bytes), '<=', 1048576::numeric, 'those that wait hold no model in the cache') FROM pg_backend_memory_contexts WHERE name = 'relearn model';

SELECT * FROM finish();
ROLLBACK;
