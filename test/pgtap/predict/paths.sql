-- The planner turns whole-row calls into calls by columns; both paths must answer with the same bits wherever a row can come from.
-- A key argument keeps a call on the record path: every query below runs without and with one.
BEGIN;
SELECT no_plan();

CREATE SCHEMA paths;
SET LOCAL search_path = paths, public, pg_temp;

CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('calm', 'keen', 'wild');
CREATE TABLE t (
	id integer PRIMARY KEY, x float8, gone text, n integer, k numeric, c text, m mood, b boolean, d date, ts timestamptz, at time,
	span interval, p positive, extra text, y float8);
INSERT INTO t
SELECT i, CASE WHEN i % 11 <> 0 THEN sin(i) END, 'gone', i % 17, CASE WHEN i % 13 <> 0 THEN i / 7.0 END,
	CASE WHEN i % 19 <> 0 THEN (ARRAY['red', 'green', 'blue', 'a "q" b'])[1 + i % 4] END, (ARRAY['calm', 'keen', 'wild'])[1 + i % 3]::mood,
	i % 5 < 2, date '2020-02-27' + i, timestamptz '2021-03-01 10:00+00' + i * interval '7 hours', time '00:00' + i * interval '1 minute',
	i * interval '1 hour', 1 + i % 9, repeat('x', i % 50), i % 17 + sin(i) + 3 * (i % 5)
FROM generate_series(1, 600) i;
ALTER TABLE t DROP COLUMN gone;
ALTER TABLE t ADD COLUMN late float8 DEFAULT 1.5;
UPDATE t SET late = id % 7 WHERE id % 2 = 0;
ANALYZE t;

SELECT ok(count(*) = 1, 'a model is trained')
FROM ml.train('paths', 'SELECT x, n, k, c, m, b, d, ts, at, span, p, late, y FROM paths.t', 'y', 'linear_regression');
SELECT ok(count(*) = 1, 'a second model is trained')
FROM ml.train('paths_class', 'SELECT x, n, k, c, m, b, d, ts, at, span, p, late, y > 14 AS big FROM paths.t', 'big', 'logistic_regression');

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;

CREATE FUNCTION answers(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	rows bigint;
	known bigint;
BEGIN
	EXECUTE 'CREATE TEMP TABLE answer AS ' || query;
	SELECT md5(string_agg(a::text, E'\n' ORDER BY a::text COLLATE "C")), count(*), count(to_jsonb(a) ->> 'prediction')
	INTO answer, rows, known FROM answer a;
	DROP TABLE answer;
	RETURN format('%s rows, %s predictions, %s', rows, known, answer);
END $$;

-- The query has a column "prediction" and marks with @ where the key argument goes.
CREATE FUNCTION same(description text, rewritten boolean, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	by_columns text := replace(query, '@', '');
	by_record text := replace(query, '@', ', key => ''k''');
BEGIN
	RETURN NEXT is(plan_of(by_columns) LIKE '%\_columns(%', rewritten, description || CASE WHEN rewritten THEN ': by columns' ELSE ': by record' END);
	RETURN NEXT ok(plan_of(by_record) NOT LIKE '%\_columns(%', description || ': the key keeps the record');
	RETURN NEXT is(answers(by_columns), answers(by_record), description || ': same bits');
END $$;

SELECT * FROM same('a table', true, $$SELECT id, ml.predict('paths', t @) AS prediction FROM t$$);
SELECT * FROM same('a table with .*', true, $$SELECT id, ml.predict('paths', t.* @) AS prediction FROM t$$);
SELECT * FROM same('a class', true, $$SELECT id, ml.predict_class('paths_class', t @) AS prediction FROM t$$);
SELECT * FROM same('a probability', true, $$SELECT id, ml.predict_proba('paths_class', t @) AS prediction FROM t$$);
SELECT * FROM same('a named class', true, $$SELECT id, ml.predict_proba('paths_class', t, class => 'false' @) AS prediction FROM t$$);
SELECT * FROM same('a class per row', true, $$SELECT id, ml.predict_proba('paths_class', t, class => b::text @) AS prediction FROM t$$);
SELECT * FROM same('by value', true, $$SELECT id, ml.predict((SELECT ml.artifact('paths')), t @) AS prediction FROM t$$);
SELECT * FROM same('a class by value', true, $$SELECT id, ml.predict_class((SELECT ml.artifact('paths_class')), t @) AS prediction FROM t$$);
SELECT * FROM same('an alias with other column names', true, $$SELECT z.q1, ml.predict('paths', z @) AS prediction FROM t AS z(q1, q2, q3)$$);
SELECT * FROM same('a filter', true, $$SELECT id, 1 AS prediction FROM t WHERE ml.predict('paths', t @) > 14$$);
SELECT * FROM same('an order', true, $$SELECT id, row_number() OVER (ORDER BY ml.predict('paths', t @), id) AS prediction FROM t$$);
SELECT * FROM same('ORDER BY and LIMIT', true, $$SELECT id, 1 AS prediction FROM t ORDER BY ml.predict('paths', t @) DESC, id LIMIT 10$$);
SELECT * FROM same('an aggregate', true, $$SELECT max(ml.predict('paths', t @)) AS prediction FROM t$$);
SELECT * FROM same('grouped by a column', true, $$SELECT c, max(ml.predict('paths', t @)) AS prediction FROM t GROUP BY c$$);
SELECT * FROM same('grouped by the prediction', true, $$SELECT round(ml.predict('paths', t @)) AS prediction, count(*) FROM t GROUP BY 1$$);
SELECT * FROM same('grouped by the key', true, $$SELECT id, ml.predict('paths', t @) AS prediction FROM t GROUP BY id$$);
SELECT * FROM same('grouped by the row', false, $$SELECT ml.predict('paths', t @) AS prediction, count(*) FROM t GROUP BY t$$);
SELECT * FROM same('grouping sets with the row', false, $$SELECT ml.predict('paths', t @) AS prediction, count(*) FROM t GROUP BY GROUPING SETS ((t), ())$$);
SELECT * FROM same('DISTINCT', true, $$SELECT DISTINCT ml.predict('paths', t @) AS prediction FROM t$$);
SELECT * FROM same('DISTINCT rows', true, $$SELECT DISTINCT t.*, ml.predict('paths', t @) AS prediction FROM t$$);
SELECT * FROM same('a subquery', true, $$SELECT s.id, ml.predict('paths', s @) AS prediction FROM (SELECT *, 1 AS one FROM t) s$$);
SELECT * FROM same('a subquery with expressions', true,
	$$SELECT s.id, ml.predict('paths', s @) AS prediction FROM (SELECT id, x * 2 AS x, n + 1 AS n, k, upper(c) AS c, m, NOT b AS b, d, ts, at, span, p, late FROM t) s$$);
SELECT * FROM same('a subquery with aliases', true,
	$$SELECT s.i, ml.predict('paths', s @) AS prediction FROM (SELECT id, x, n, k, c, m, b, d, ts, at, span, p, late FROM t) s(i)$$);
SELECT * FROM same('a subquery that stays', true, $$SELECT s.id, ml.predict('paths', s @) AS prediction FROM (SELECT * FROM t ORDER BY id LIMIT 50 OFFSET 3) s$$);
SELECT * FROM same('an aggregating subquery', true,
	$$SELECT ml.predict('paths', s @) AS prediction FROM (SELECT c, b, m, avg(x) AS x, max(n) AS n, max(k) AS k, max(d) AS d, max(ts) AS ts, max(at) AS at,
	max(span) AS span, max(p) AS p, max(late) AS late FROM t GROUP BY c, b, m) s$$);
SELECT * FROM same('UNION ALL', true, $$SELECT s.id, ml.predict('paths', s @) AS prediction FROM (SELECT * FROM t UNION ALL SELECT * FROM t) s$$);
SELECT * FROM same('other types of the same kinds', true,
	$$SELECT ml.predict('paths', s @) AS prediction FROM (SELECT x::real AS x, n::numeric AS n, k::float8 AS k, c::varchar(20) AS c, m::text AS m, b, d::timestamp AS d,
	ts::timestamp AS ts, at, span, p::bigint AS p, late::smallint AS late FROM t) s$$);
SELECT * FROM same('a CTE', false, $$WITH s AS MATERIALIZED (SELECT * FROM t) SELECT s.id, ml.predict('paths', s @) AS prediction FROM s$$);
SELECT * FROM same('a correlated subquery', false, $$SELECT (SELECT ml.predict('paths', t @) WHERE t.id > 0) AS prediction FROM t$$);
SELECT * FROM same('LATERAL', true, $$SELECT t.id, l.prediction FROM t, LATERAL (SELECT ml.predict('paths', t @) AS prediction) l$$);
SELECT * FROM same('LATERAL that stays', false, $$SELECT t.id, l.prediction FROM t, LATERAL (SELECT ml.predict('paths', t @) AS prediction OFFSET 0) l$$);

SELECT * FROM same('a function in FROM', true, $$SELECT t.id, prediction FROM t, ml.predict('paths', t @) AS prediction$$);
SELECT * FROM same('a function in FROM below an outer join', false,
	$$SELECT u.id, prediction FROM t u LEFT JOIN t ON u.id = t.id + 300, ml.predict('paths', t @) AS prediction$$);
SELECT * FROM same('a CTE that is inlined', true, $$WITH s AS (SELECT * FROM t) SELECT s.id, ml.predict('paths', s @) AS prediction FROM s$$);
SELECT * FROM same('an alias of a join', true, $$SELECT j.id, ml.predict('paths', j @) AS prediction FROM (t JOIN (VALUES (1), (2)) AS o(one) ON o.one = t.n) AS j$$);
SELECT * FROM same('an alias of an outer join', true,
	$$SELECT j.one, ml.predict('paths', j @) AS prediction FROM ((VALUES (1), (-2)) AS o(one) LEFT JOIN t ON o.one = t.n) AS j$$);
SELECT * FROM same('a window', true, $$SELECT id, sum(ml.predict('paths', t @)) OVER (PARTITION BY t ORDER BY id) AS prediction FROM t$$);
SELECT * FROM same('HAVING', true, $$SELECT id, 1 AS prediction FROM t GROUP BY id HAVING ml.predict('paths', t @) > 14$$);
SELECT * FROM same('a CASE and a FILTER', true,
	$$SELECT b, sum(CASE WHEN b THEN ml.predict('paths', t @) END) FILTER (WHERE ml.predict('paths', t @) > 3) AS prediction FROM t GROUP BY b$$);
SELECT * FROM same('FOR UPDATE', true, $$SELECT id, prediction FROM (SELECT id, ml.predict('paths', t @) AS prediction FROM t FOR UPDATE) s$$);

CREATE VIEW v AS SELECT * FROM t;
CREATE VIEW v_some AS SELECT id, late, p, span, at, ts, d, b, m, c, k, n, x FROM t WHERE id % 3 = 0;
CREATE VIEW v_predicts AS SELECT id, ml.predict('paths', t) AS prediction FROM t;
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT * FROM t WHERE id % 2 = 0;
SELECT * FROM same('a view', true, $$SELECT v.id, ml.predict('paths', v @) AS prediction FROM v$$);
SELECT * FROM same('a view of some columns', true, $$SELECT s.id, ml.predict('paths', s @) AS prediction FROM v_some s$$);
SELECT * FROM same('a view grouped by its row', false, $$SELECT ml.predict('paths', v @) AS prediction FROM v GROUP BY v$$);
SELECT * FROM same('a security barrier', true, $$SELECT s.id, ml.predict('paths', s @) AS prediction FROM v_barrier s$$);
SELECT is(answers('SELECT * FROM v_predicts'), answers($$SELECT id, ml.predict('paths', t, 'k') AS prediction FROM t$$), 'a view that predicts');

-- outer joins: a row that is not there has no prediction
SELECT * FROM same('the kept side of an outer join', true, $$SELECT t.id, ml.predict('paths', t @) AS prediction FROM t LEFT JOIN t u ON u.id = t.id + 300$$);
SELECT * FROM same('the other side of an outer join', false, $$SELECT u.id, ml.predict('paths', t @) AS prediction FROM t u LEFT JOIN t ON u.id = t.id + 300$$);
SELECT * FROM same('a right join', false, $$SELECT u.id, ml.predict('paths', t @) AS prediction FROM t RIGHT JOIN t u ON u.id = t.id + 300$$);
SELECT * FROM same('a full join', false, $$SELECT ml.predict('paths', t @) AS prediction FROM t FULL JOIN t u ON u.id = t.id + 300$$);
SELECT * FROM same('below two joins', false,
	$$SELECT a.id, ml.predict('paths', t @) AS prediction FROM t a LEFT JOIN (t b JOIN t ON b.id = t.id) ON a.id = b.id + 300$$);
SELECT * FROM same('a view on the other side', false, $$SELECT u.id, ml.predict('paths', v @) AS prediction FROM t u LEFT JOIN v ON u.id = v.id + 300$$);
SELECT * FROM same('a join condition', true, $$SELECT t.id, 1 AS prediction FROM t JOIN t u ON ml.predict('paths', t @) < u.x + 3 AND u.id < 5$$);
SELECT * FROM same('EXISTS', true, $$SELECT u.id, 1 AS prediction FROM t u WHERE EXISTS (SELECT FROM t WHERE t.id = u.id AND ml.predict('paths', t @) > 14)$$);
SELECT * FROM same('NOT EXISTS', false, $$SELECT u.id, 1 AS prediction FROM t u WHERE NOT EXISTS (SELECT FROM t WHERE t.id = u.id AND ml.predict('paths', t @) > 14)$$);
SELECT is(count(*) FILTER (WHERE p IS NULL), 300::bigint, 'rows that are not there have no prediction')
FROM (SELECT ml.predict('paths', t) AS p FROM t u LEFT JOIN t ON u.id = t.id + 300) q;
SELECT is(count(*) FILTER (WHERE q.p IS NULL), 300::bigint, 'a subquery that predicts below an outer join')
FROM t u LEFT JOIN (SELECT id, ml.predict('paths', t) AS p FROM t) q ON u.id = q.id + 300;

-- partitions whose columns lie in another order, with holes; children with more columns
CREATE TABLE parted (LIKE t) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (200);
CREATE TABLE parted_2 (late float8, hole int, y float8, extra text, p positive, span interval, at time, ts timestamptz, d date, b boolean, m mood, c text, k numeric, n integer,
	x float8, id integer NOT NULL);
ALTER TABLE parted_2 DROP COLUMN hole;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (200) TO (1000);
INSERT INTO parted SELECT * FROM t;
SELECT * FROM same('partitions', true, $$SELECT id, ml.predict('paths', parted @) AS prediction FROM parted$$);
SELECT is(answers('SELECT id, ml.predict(''paths'', parted) AS prediction FROM parted'), answers('SELECT id, ml.predict(''paths'', t) AS prediction FROM t'), 'partitions answer as the table does');
SELECT * FROM same('one partition', true, $$SELECT id, ml.predict('paths', parted_2 @) AS prediction FROM parted_2$$);
CREATE TABLE child (more text) INHERITS (t);
INSERT INTO child SELECT t.*, 'more' FROM t WHERE id <= 10;
SELECT * FROM same('inheritance', true, $$SELECT id, ml.predict('paths', t @) AS prediction FROM t$$);
SELECT * FROM same('a child', true, $$SELECT id, ml.predict('paths', child @) AS prediction FROM child$$);
DROP TABLE child;

-- writing
CREATE TABLE w AS SELECT *, NULL::float8 AS p1, NULL::float8 AS p2 FROM t;
SELECT ok(plan_of($$UPDATE w SET p1 = ml.predict('paths', w)$$) LIKE '%predict\_columns(%', 'UPDATE: by columns');
UPDATE w SET p1 = ml.predict('paths', w), p2 = ml.predict('paths', w, 'k');
SELECT is(count(*) FILTER (WHERE p1 = p2), 600::bigint, 'UPDATE: same bits') FROM w;
UPDATE parted SET extra = (ml.predict('paths', parted) = ml.predict('paths', parted, 'k'))::text;
SELECT is(count(*) FILTER (WHERE extra = 'true'), 600::bigint, 'UPDATE of partitions: same bits') FROM parted;
WITH u AS (UPDATE w SET x = x + 1 RETURNING ml.predict('paths', w) AS a, ml.predict('paths', w, 'k') AS b)
SELECT is(count(*) FILTER (WHERE a = b), 600::bigint, 'UPDATE ... RETURNING: same bits') FROM u;
WITH u AS (INSERT INTO parted SELECT * FROM parted RETURNING ml.predict('paths', parted) AS a, ml.predict('paths', parted, 'k') AS b)
SELECT is(count(*) FILTER (WHERE a = b), 600::bigint, 'INSERT ... RETURNING: same bits') FROM u;
CREATE TABLE upsert (LIKE t INCLUDING ALL, p1 float8, p2 float8);
INSERT INTO upsert SELECT * FROM t;
INSERT INTO upsert SELECT * FROM t WHERE true
ON CONFLICT (id) DO UPDATE SET p1 = ml.predict('paths', excluded), p2 = ml.predict('paths', upsert);
SELECT is(count(*) FILTER (WHERE p1 = p2), 600::bigint, 'ON CONFLICT: EXCLUDED and the table') FROM upsert;
WITH u AS (DELETE FROM upsert RETURNING ml.predict('paths', upsert) AS a, p1)
SELECT is(count(*) FILTER (WHERE a = p1), 600::bigint, 'DELETE ... RETURNING') FROM u;
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.p1 := ml.predict('paths', NEW); RETURN NEW; END $$;
CREATE TRIGGER fill BEFORE INSERT ON upsert FOR EACH ROW EXECUTE FUNCTION fill();
INSERT INTO upsert SELECT * FROM t;
SELECT is(count(*) FILTER (WHERE p1 = ml.predict('paths', upsert)), 600::bigint, 'NEW in a trigger') FROM upsert;
MERGE INTO upsert USING t ON t.id = upsert.id + 300
WHEN MATCHED THEN UPDATE SET p1 = ml.predict('paths', upsert), p2 = ml.predict('paths', upsert, 'k')
WHEN NOT MATCHED THEN INSERT (id, p2, extra) VALUES (-t.id, ml.predict('paths', t), 'merged');
SELECT is(count(*) FILTER (WHERE p1 = p2), 300::bigint, 'MERGE: matched') FROM upsert WHERE id > 0;

-- row security: the caller's rows only, on both paths
CREATE ROLE paths_reader;
GRANT USAGE ON SCHEMA paths TO paths_reader;
CREATE TABLE secured AS TABLE t;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY fourth ON secured USING (id % 4 = 0);
GRANT SELECT ON secured TO paths_reader;
CREATE TABLE part_right AS TABLE t;
GRANT SELECT (id, x) ON part_right TO paths_reader;
DO $$ BEGIN PERFORM set_config('paths.artifact', ml.artifact('paths')::text, true); END $$;
SET LOCAL ROLE paths_reader;
SELECT is(count(ml.predict(current_setting('paths.artifact')::bytea, secured)), 150::bigint, 'row security by columns') FROM secured;
SELECT is(count(ml.predict(current_setting('paths.artifact')::bytea, secured, 'k')), 150::bigint, 'row security by record') FROM secured;
SELECT throws_ok($$SELECT ml.predict(current_setting('paths.artifact')::bytea, part_right) FROM part_right$$, '42501', NULL, 'a whole row needs the right to every column');
RESET ROLE;

-- one row by its primary key: by record, unless it may have parts in TOAST
CREATE TABLE points (a integer, b integer, x float8, n integer, late float8, PRIMARY KEY (b, a));
CREATE TABLE small (a integer, id bigint PRIMARY KEY, x float8, n integer, late float8);
INSERT INTO small SELECT i, i, x, n, late FROM t, generate_series(id, id) i;
SELECT ok(count(*) = 1, 'a third model is trained')
FROM ml.train('paths_small', 'SELECT x, n, late, a / 2 AS y FROM paths.small', 'y', 'linear_regression');
SELECT * FROM same('one row', false, $$SELECT id, ml.predict('paths_small', t @) AS prediction FROM small t WHERE id = 5 AND x IS NOT NULL$$);
SELECT * FROM same('one row, other type', false, $$SELECT id, ml.predict('paths_small', t @) AS prediction FROM small t WHERE x IS NOT NULL AND id = 5::smallint$$);
SELECT * FROM same('one row of many columns', true, $$SELECT id, ml.predict('paths', t @) AS prediction FROM t WHERE id = 5$$);
SELECT * FROM same('not the key', true, $$SELECT id, ml.predict('paths_small', t @) AS prediction FROM small t WHERE a = 5$$);
SELECT * FROM same('a range', true, $$SELECT id, ml.predict('paths_small', t @) AS prediction FROM small t WHERE id < 5$$);
SELECT * FROM same('either', true, $$SELECT id, ml.predict('paths_small', t @) AS prediction FROM small t WHERE id = 5 OR id = 6$$);
SELECT * FROM same('a join', true, $$SELECT u.id, ml.predict('paths_small', t @) AS prediction FROM small t, small u WHERE t.id = 5 AND u.id < 9$$);
SELECT * FROM same('rows one by one', true,
	$$SELECT u.id, (SELECT ml.predict('paths_small', t @) FROM small t WHERE t.id = u.id) AS prediction FROM small u WHERE u.id < 9$$);
SELECT ok(plan_of('SELECT ml.predict(''paths_small'', p) FROM points p WHERE b = 7 AND a = 5') NOT LIKE '%predict\_columns%', 'both columns of a key');
SELECT ok(plan_of('SELECT ml.predict(''paths_small'', p) FROM points p WHERE b = 7') LIKE '%predict\_columns%', 'half a key');

-- prepared statements and parallel plans
PREPARE q AS SELECT count(*) FROM t WHERE ml.predict($1, t) = ml.predict($1, t, 'k');
SET LOCAL plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE prepared AS EXECUTE q('paths');
SET LOCAL plan_cache_mode = force_custom_plan;
CREATE TEMP TABLE prepared_again AS EXECUTE q('paths');
SELECT is((SELECT count FROM prepared), 600::bigint, 'prepared, generic plan');
SELECT is((SELECT count FROM prepared_again), 600::bigint, 'prepared, custom plan');
-- 16 renamed this setting.
SELECT name AS force_workers FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \gset
SET LOCAL :force_workers = on;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT ok(plan_of($$SELECT sum(ml.predict('paths', t)) FROM t$$) ~ 'Gather(.|\n)*predict_columns', 'a parallel plan');
SELECT is(count(*) FILTER (WHERE ml.predict('paths', t) = ml.predict('paths', t, 'k')), 600::bigint, 'workers: both paths') FROM t;
SELECT is(
	(SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM (SELECT id, ml.predict('paths', t) AS p FROM t) q),
	(SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM (SELECT id, ml.predict('paths', t) AS p FROM t OFFSET 0) q),
	'workers and leader agree');
SET LOCAL :force_workers = off;

-- widths: 1 and 95 columns pass as arguments, 96 and 1,600 as a record
DO $$
DECLARE
	width integer;
BEGIN
	FOREACH width IN ARRAY ARRAY[1, 95, 96, 1600] LOOP
		EXECUTE format('CREATE TABLE wide_%s (%s)', width, (SELECT string_agg(format('c%s real', i), ', ') FROM generate_series(1, width) i));
		EXECUTE format('INSERT INTO wide_%s SELECT %s FROM generate_series(1, 40) r', width,
			(SELECT string_agg(format('sin(r * %s)', i), ', ') FROM generate_series(1, width) i));
	END LOOP;
END $$;
SELECT ok(count(*) = 1, 'a model of one column is trained') FROM ml.train('narrow', 'SELECT c1, 2 * c1 + sin(c1 * 9) AS y FROM paths.wide_1600', 'y', 'linear_regression');
SELECT ok(count(*) = 1, 'a model of two far columns is trained')
FROM ml.train('far', 'SELECT c1600, c7, 2 * c7 + sin(c1600 * 9) AS y FROM paths.wide_1600', 'y', 'linear_regression');
SELECT * FROM same('1 column', true, $$SELECT ml.predict('narrow', w @) AS prediction FROM wide_1 w$$);
SELECT * FROM same('95 columns', true, $$SELECT ml.predict('narrow', w @) AS prediction FROM wide_95 w$$);
SELECT * FROM same('96 columns', false, $$SELECT ml.predict('narrow', w @) AS prediction FROM wide_96 w$$);
SELECT * FROM same('1,600 columns', false, $$SELECT ml.predict('far', w @) AS prediction FROM wide_1600 w$$);
SELECT is(answers($$SELECT ml.predict('narrow', w) AS prediction FROM wide_95 w$$), answers($$SELECT ml.predict('narrow', w) AS prediction FROM wide_1600 w$$),
	'by columns and by record over other widths');

SELECT * FROM finish();
ROLLBACK;
