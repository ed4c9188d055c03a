-- What a call site may remember: fn_extra outlives a statement in PL/pgSQL, so deploys, rollbacks, other models, other rows and altered tables in between
-- must all be noticed; and one statement answers with one version.
BEGIN;
SELECT no_plan();

CREATE SCHEMA sessions;
SET LOCAL search_path = sessions, public, pg_temp;

CREATE TABLE t AS SELECT i AS id, i / 10.0::float8 AS x, i % 7 AS n, 3.0::float8 * i AS y FROM generate_series(1, 300) i;
SELECT ok(count(*) = 1, 'version 1') FROM ml.train('sessions', 'SELECT x, n, y FROM sessions.t', 'y', 'linear_regression');
SELECT ok(count(*) = 1, 'version 2') FROM ml.train('sessions', 'SELECT x, n, y + 1000 AS y FROM sessions.t', 'y', 'linear_regression', seed => 1, split => '{"unlock": true}');
SELECT ok(count(*) = 1, 'another model') FROM ml.train('sessions_other', 'SELECT n, x, -y AS y FROM sessions.t', 'y', 'linear_regression', seed => 2);

CREATE TABLE truth AS
SELECT id, ml.predict('sessions:1', t) AS one, ml.predict('sessions:2', t) AS two, ml.predict('sessions_other', t) AS other FROM t;
SELECT is(count(*) FILTER (WHERE one <> two AND two <> other), 300::bigint, 'three models, three answers') FROM truth;

-- PL/pgSQL: deploy inside a loop
DO $$
DECLARE
	r t;
	wrong integer := 0;
	p float8;
	want truth;
BEGIN
	FOR i IN 1 .. 40 LOOP
		SELECT * INTO r FROM t WHERE id = i;
		SELECT * INTO want FROM truth WHERE id = i;
		PERFORM ml.deploy('sessions', 1 + i % 2);
		p := ml.predict('sessions', r);
		wrong := wrong + (p IS DISTINCT FROM CASE i % 2 WHEN 0 THEN want.one ELSE want.two END)::integer;
	END LOOP;
	PERFORM ml.deploy('sessions', 1);
	PERFORM set_config('sessions.wrong', wrong::text, true);
END $$;
SELECT is(current_setting('sessions.wrong'), '0', 'a deploy inside a loop is seen at once');

-- another model, another form of row, NULLs, at one call site
CREATE FUNCTION call_site(model text, r record) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN ml.predict(model, r); END $$;
SELECT is(count(*) FILTER (WHERE call_site(CASE id % 4 WHEN 0 THEN 'sessions:1' WHEN 1 THEN 'sessions:2' WHEN 2 THEN 'sessions_other' END, t)
	IS NOT DISTINCT FROM CASE id % 4 WHEN 0 THEN one WHEN 1 THEN two WHEN 2 THEN other END), 300::bigint, 'models take turns at one call site')
FROM t JOIN truth USING (id);
SELECT is(count(*) FILTER (WHERE CASE id % 3 WHEN 0 THEN call_site('sessions:1', t) WHEN 1 THEN call_site('sessions:1', (SELECT s FROM (SELECT t.n, t.x) s))
	ELSE call_site('sessions:1', (SELECT s FROM (SELECT 'more' AS more, t.n::numeric AS n, 0 AS zero, t.x::real AS x) s)) END
	IS NOT DISTINCT FROM CASE id % 3 WHEN 2 THEN ml.predict('sessions:1', (SELECT s FROM (SELECT t.x::real AS x, t.n) s)) ELSE one END), 300::bigint,
	'row types take turns at one call site') FROM t JOIN truth USING (id);
SELECT is(count(ml.predict(CASE WHEN id % 2 = 0 THEN 'sessions:1' END, t)), 150::bigint, 'a NULL model has no answer') FROM t;

-- a model per row, by value
CREATE TABLE artifacts AS
SELECT v, ml.artifact('sessions:' || v) AS artifact FROM generate_series(1, 2) v;
INSERT INTO artifacts SELECT 3, ml.artifact('sessions_other');
ALTER TABLE artifacts ALTER artifact SET STORAGE EXTERNAL;
INSERT INTO artifacts SELECT v + 10, artifact FROM artifacts;
SELECT is(count(*) FILTER (WHERE ml.predict(artifact, q.t) = CASE v % 10 WHEN 1 THEN one WHEN 2 THEN two ELSE other END), 1800::bigint, 'artifacts take turns')
FROM (SELECT v, artifact, t FROM artifacts, t ORDER BY t.id, v % 10, v) q JOIN truth ON truth.id = (q.t).id;
SELECT throws_ok($$SELECT ml.predict(substr(artifact, 1, length(artifact) - 1), t) FROM sessions.artifacts, sessions.t LIMIT 1$$, 'XX001', NULL, 'a damaged artifact');
SELECT throws_ok($$SELECT ml.predict('\x00'::bytea, t) FROM sessions.t LIMIT 1$$, 'XX001', NULL, 'a stub of an artifact');
SELECT throws_ok($$SELECT ml.predict(''::bytea, t) FROM sessions.t LIMIT 1$$, 'XX001', NULL, 'an empty artifact');

-- subtransactions: a deploy undone is undone for the call site
DO $$
DECLARE
	r t;
	answers float8[];
BEGIN
	SELECT * INTO r FROM t WHERE id = 5;
	FOR i IN 1 .. 6 LOOP
		BEGIN
			IF i % 2 = 0 THEN
				PERFORM ml.deploy('sessions', 2);
			END IF;
			answers := answers || call_site('sessions', r);
			RAISE EXCEPTION 'undo';
		EXCEPTION WHEN raise_exception THEN
			answers := answers || call_site('sessions', r);
		END;
	END LOOP;
	PERFORM set_config('sessions.answers', answers::text, true);
END $$;
SELECT is(current_setting('sessions.answers')::float8[], ARRAY[one, one, two, one, one, one, two, one, one, one, two, one], 'a deploy undone by an exception')
FROM truth WHERE id = 5;

-- one statement, one version, even when a function in it deploys
CREATE FUNCTION deploy_two() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM ml.deploy('sessions', 2); RETURN true; END $$;
SELECT is(count(*) FILTER (WHERE p = one), 10::bigint, 'a deploy in the middle of a statement waits for the next')
FROM (SELECT id, CASE WHEN id = 3 THEN deploy_two() END, ml.predict('sessions', t) AS p FROM t WHERE id <= 10 OFFSET 0) q JOIN truth USING (id);
SELECT is(count(*) FILTER (WHERE ml.predict('sessions', t) = two), 300::bigint, 'and the next has it') FROM t JOIN truth USING (id);
SELECT ml.deploy('sessions', 1);

-- prepared statements
PREPARE one_row(integer) AS SELECT ml.predict('sessions', t) AS p FROM t WHERE id = $1;
CREATE TEMP TABLE prepared_1 AS EXECUTE one_row(7);
SELECT ml.deploy('sessions', 2);
CREATE TEMP TABLE prepared_2 AS EXECUTE one_row(7);
SELECT is((SELECT p FROM prepared_1), one, 'prepared before a deploy') FROM truth WHERE id = 7;
SELECT is((SELECT p FROM prepared_2), two, 'prepared after a deploy') FROM truth WHERE id = 7;
SELECT ml.deploy('sessions', 1);

-- a table altered between two calls, by columns and by record
CREATE TABLE changing AS SELECT id, x, n FROM t;
PREPARE all_rows AS
SELECT count(*) FILTER (WHERE ml.predict('sessions', changing) = one AND ml.predict('sessions', changing, 'k') = one) AS n FROM changing JOIN truth USING (id);
CREATE FUNCTION changing_call(i integer) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM changing WHERE id = i;
	RETURN ml.predict('sessions', r);
END $$;
CREATE TEMP TABLE altered_0 AS EXECUTE all_rows;
SELECT is(n, 300::bigint, 'before the table changes') FROM altered_0;
ALTER TABLE changing ADD COLUMN extra text;
ALTER TABLE changing DROP COLUMN x;
ALTER TABLE changing ADD COLUMN x numeric;
UPDATE changing SET x = t.x, extra = 'e' FROM t WHERE t.id = changing.id;
CREATE TEMP TABLE altered_1 AS EXECUTE all_rows;
SELECT is(n, 300::bigint, 'a column dropped and made anew') FROM altered_1;
SELECT is(changing_call(7), one, 'the same in PL/pgSQL') FROM truth WHERE id = 7;
ALTER TABLE changing ALTER x TYPE text;
SELECT throws_ok('CREATE TEMP TABLE altered_2 AS EXECUTE all_rows', '42804', NULL, 'a column whose type changed kind');
SELECT throws_ok('SELECT sessions.changing_call(7)', '42804', NULL, 'the same in PL/pgSQL');
ALTER TABLE changing RENAME x TO z;
SELECT throws_ok('CREATE TEMP TABLE altered_2 AS EXECUTE all_rows', '42703', NULL, 'a column renamed');
SELECT throws_ok('SELECT sessions.changing_call(7)', '42703', NULL, 'the same in PL/pgSQL');

-- a composite value stored before its type changed
CREATE TYPE stored AS (n integer, x float8);
CREATE TABLE holds AS SELECT id, ROW(n, x)::stored AS s FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict('sessions', s) = one), 300::bigint, 'a stored composite') FROM holds JOIN truth USING (id);
ALTER TYPE stored ADD ATTRIBUTE more text;
SELECT is(count(*) FILTER (WHERE ml.predict('sessions', s) = one), 300::bigint, 'after its type grew') FROM holds JOIN truth USING (id);
CREATE DOMAIN kept AS stored CHECK ((VALUE).n >= 0);
SELECT is(count(*) FILTER (WHERE ml.predict('sessions', s::kept) = one), 300::bigint, 'a domain over a composite') FROM holds JOIN truth USING (id);

-- cursors keep the version they began with
DECLARE c CURSOR FOR SELECT ml.predict('sessions', t) AS p FROM t ORDER BY id;
CREATE FUNCTION next_of(c refcursor) RETURNS float8 LANGUAGE plpgsql AS $$ DECLARE p float8; BEGIN FETCH c INTO p; RETURN p; END $$;
SELECT is(next_of('c'), one, 'a cursor') FROM truth WHERE id = 1;
SELECT ml.deploy('sessions', 2);
SELECT is(next_of('c'), one, 'a cursor after a deploy') FROM truth WHERE id = 2;

SELECT * FROM finish();
ROLLBACK;
