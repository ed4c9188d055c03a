-- ml.split and the split argument: the same place for a row in both, at every training, whatever else happens to the table.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE visits AS
SELECT i AS id, md5(i::text)::uuid AS uid, i / 10.0 AS amount, date '2000-01-01' + i AS day, timestamp '2000-01-01' + i * interval '7 hours' AS at,
	'customer ' || i % 400 AS customer, (i * 7919) % 1000 AS a, i % 10 = 0 AS y, chr(97 + i % 4 * (i % 3)) AS c, (i * 31 % 17)::float8 AS v
FROM generate_series(1, 20000) i;

-- what ml.train counts, and what ml.split says
CREATE FUNCTION pg_temp.parts(source text, key text, seed bigint DEFAULT 0, shares text DEFAULT '{"train": 0.7, "validation": 0.15, "test": 0.15}')
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	n bigint[];
BEGIN
	EXECUTE format($q$SELECT ARRAY[count(*) FILTER (WHERE part = 'train'), count(*) FILTER (WHERE part = 'validation'), count(*) FILTER (WHERE part = 'test')]
		FROM (SELECT ml.split(%s, %s, %L) AS part FROM %s) x$q$, key, seed, shares, source) INTO n;
	RETURN n;
END $$;
CREATE FUNCTION pg_temp.trained(model text, source text, target text, key text DEFAULT NULL, seed bigint DEFAULT 0, split jsonb DEFAULT NULL, time_column text DEFAULT NULL)
RETURNS bigint[] LANGUAGE sql AS $$
	SELECT ARRAY[n_train, n_validation, n_test] FROM ml.train(model, source, target, 'baseline', key => key, seed => seed, split => split, time_column => time_column)$$;

SELECT is(pg_temp.parts('visits', key), pg_temp.trained('by ' || key, 'SELECT id, uid, amount, day, at, customer, a, y FROM visits', 'y', key), 'key ' || key)
FROM unnest(ARRAY['id', 'uid', 'amount', 'day', 'at', 'customer']) key;
SELECT is(pg_temp.parts('visits', 'customer', seed, shares), pg_temp.trained('seed ' || seed, 'visits', 'y', 'customer', seed, shares::jsonb), 'seed ' || seed || ' ' || shares)
FROM (VALUES (1, '{"train": 0.5, "validation": 0.2, "test": 0.3}'), (-7, '{"train": 0.8, "test": 0.2}'), (9223372036854775807, '{"train": 0.9, "validation": 0.1}'),
	(2, '{"train": 1}')) v (seed, shares);
SELECT is(pg_temp.parts('telco_churn', '"customerID"'), pg_temp.trained('telco', 'telco_churn', 'Churn', 'customerID'), 'real data: telco_churn');

-- not only as many: the very rows; the mean of a column learned by the baseline is that of the rows ml.split says train
SELECT is(n_train, 13962::bigint, 'a baseline') FROM ml.train('mean', 'SELECT id, a, v FROM visits', 'v', 'baseline', key => 'id');
SELECT is(ml.predict('mean', '{"a": 0}'::jsonb)::numeric(12, 6), (SELECT avg(v) FROM visits WHERE ml.split(id) = 'train')::numeric(12, 6), 'the same rows');
SELECT is(value::numeric(12, 6), (SELECT ml.rmse(v, ml.predict('mean', '{"a": 0}'::jsonb)) FROM visits WHERE ml.split(id) = 'test')::numeric(12, 6), 'and the same test rows')
FROM ml.evaluate('mean') WHERE metric = 'rmse';

-- the forms of a key: numbers by value, text by its bytes, times independent of the session
SELECT is(count(DISTINCT p), 1::bigint, 'one number, many types') FROM unnest(ARRAY[ml.split(42), ml.split(42::int8), ml.split(42::int2), ml.split(42.00), ml.split(42::float8), ml.split('42'), ml.split('42'::varchar), ml.split('42'::char(5))]) p;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(pg_temp.parts('visits', 'day') || pg_temp.parts('visits', 'at::timestamptz AT TIME ZONE ''Asia/Tokyo'''),
	pg_temp.trained('styled day', 'visits', 'y', 'day') || pg_temp.trained('styled at', 'visits', 'y', 'at'), 'settings of the session change nothing');
RESET DateStyle;
RESET TimeZone;
SELECT is(ml.split(NULL::text), NULL, 'no key, no part');
SELECT is((SELECT array_agg(ml.split(id) ORDER BY id) FROM visits WHERE id < 9), '{train,train,validation,train,train,validation,train,validation}'::text[], 'it never changes');
SELECT throws_ok($$SELECT ml.split(ARRAY[1])$$, '42804', 'a value of type integer[] cannot be the key of a split');
SELECT throws_ok($$SELECT ml.split('a', 0, '{"train": 0.5}')$$, '22023', 'the shares of split must add up to 1 with some rows to train');
SELECT throws_ok($$SELECT ml.split('a', 0, '{"stratify": true}')$$, '22023', 'split has no part "stratify"');
SELECT results_eq($$SELECT provolatile::text, proparallel::text, proisstrict FROM pg_proc WHERE proname = 'split' AND pronamespace = 'ml'::regnamespace$$,
	$$VALUES ('i', 's', true), ('i', 's', true)$$, 'immutable, parallel safe, strict');

-- stable: updates of other columns, another order on disk, more rows
CREATE TABLE kept AS SELECT id, ml.split(id) AS part FROM visits;
UPDATE visits SET a = a + 1, c = 'z' WHERE id % 3 = 0;
CREATE TABLE grown AS SELECT * FROM visits UNION ALL SELECT id + 20000, uid, amount, day, at, customer, a, y, c, v FROM visits ORDER BY uid;
SELECT is_empty($$SELECT id FROM kept JOIN grown USING (id) WHERE part <> ml.split(id)$$, 'every row stays where it was');
SELECT is(pg_temp.trained('by id', 'SELECT id, uid, amount, day, at, customer, a, y FROM grown', 'y', 'id'), pg_temp.parts('grown', 'id'), 'and for training too');

-- groups: whole ones, on the side of their hash
SELECT is(pg_temp.trained('group', 'visits', 'y', 'id', split => '{"group": "customer"}'), pg_temp.parts('visits', 'customer'), 'by group: 50 rows of a customer stay together');
SELECT is((SELECT array_agg(column_name) FROM ml.describe('group')) && '{customer,id}', false, 'neither group nor key is a feature');
SELECT ok('1000 of 20000 rows have no value in group column "customer" and are placed by their key' = ANY (warnings), 'missing groups')
FROM ml.train('group null', 'SELECT id, a, y, CASE WHEN id > 1000 THEN customer END AS customer FROM visits', 'y', 'baseline', key => 'id', split => '{"group": "customer"}');

-- strata: exact shares of every class
CREATE FUNCTION pg_temp.of_class(model text) RETURNS TABLE (part text, n bigint) LANGUAGE sql AS
$$SELECT part, n FROM ml.run_metrics WHERE run_metrics.model = of_class.model AND metric = 'accuracy'$$;
SELECT is(pg_temp.trained('strata', 'visits', 'y', 'id', split => '{"stratify": true}'), '{14000,3000,3000}', '70/15/15 exactly');
SELECT is((SELECT value FROM ml.run_metrics WHERE model = 'strata' AND part = p AND metric = 'accuracy')::numeric(9, 6), 0.9, 'and a tenth of each part is y: ' || p)
FROM unnest(ARRAY['train', 'validation', 'test']) p;
SELECT is(pg_temp.trained('few', format('SELECT i AS id, i AS a, i %% 5 = 0 AS y FROM generate_series(1, %s) i', n), 'y', 'id', split => '{"stratify": true, "unlock": true}'),
	expected::bigint[], n || ' rows')
FROM (VALUES (20, '{14,3,3}'), (100, '{70,15,15}'), (40, '{28,6,6}')) v (n, expected);
-- 20 rows: of 4 and 16 the shares are 2.8, 0.6, 0.6 and 11.2, 2.4, 2.4: 3 + 0 + 1 and 11 + 3 + 2
SELECT is(pg_temp.trained('column', 'visits', 'v', 'id', split => '{"stratify": "customer"}'), '{14000,3200,2800}', 'by a column, of 400 values: 50 rows each give 35, 8 and 7');
SELECT ok(n[1] % 50 = 0 AND n[2] % 50 = 0 AND n[1] BETWEEN 13900 AND 14100, 'groups stay whole where they are stratified: ' || n::text)
FROM pg_temp.trained('both', 'visits', 'y', 'id', split => '{"stratify": true, "group": "customer"}') n;

-- a retraining keeps the bounds: old rows stay exactly where they were, new ones follow the same bounds
CREATE TABLE first AS SELECT arguments -> 'split' -> 'bounds' AS bounds FROM ml.runs WHERE model = 'strata';
SELECT is(n_train + n_validation + n_test, 40000::bigint, 'trained again on twice as many rows') FROM ml.train('strata', 'grown', 'y', 'baseline', key => 'id', split => '{"stratify": true}');
SELECT is((SELECT arguments -> 'split' -> 'bounds' FROM ml.runs WHERE model = 'strata' AND version = 2), bounds, 'by the bounds of the first training') FROM first;
SELECT is(pg_temp.trained('strata', 'visits', 'y', 'id', split => '{"stratify": true}'), '{14000,3000,3000}', 'and again on the first rows');

-- time with a gap: 3 rows a day and a bit; nothing less than 7 days before a later part
SELECT is(n_train + n_validation + n_test + left_out, 20000::bigint, 'rows in the gap are left out and counted')
FROM (SELECT n_train, n_validation, n_test, substring(warnings::text FROM '(\d+) of 20000 rows lie less than 7 days')::bigint AS left_out
	FROM ml.train('gap', 'visits', 'v', 'baseline', time_column => 'at', split => '{"gap": "7 days"}')) x;
-- every 7 hours a row: 14000, 3000, 3000; 168 hours hold 23 rows that are less than 7 days before the first of the next part
SELECT is(pg_temp.trained('gap', 'visits', 'v', split => '{"gap": "7 days"}', time_column => 'at'), '{13977,2977,3000}', 'of both earlier parts');
SELECT is(pg_temp.trained('gap number', 'visits', 'v', split => '{"gap": 100}', time_column => 'id'), '{13901,2901,3000}', 'in the unit of a number');
SELECT is(pg_temp.trained('gap zero', 'visits', 'v', split => '{"gap": "0"}', time_column => 'at'), '{14000,3000,3000}', 'no gap');
SELECT is(pg_temp.trained('gap test', 'visits', 'v', split => '{"gap": 10, "train": 0.8, "test": 0.2}', time_column => 'id'), '{15991,0,4000}', 'without a validation part');

-- what makes no sense
SELECT throws_ok(format($$SELECT ml.train('wrong', 'visits', %L, 'baseline', time_column => %L, split => %L)$$, target, time_column, split), state, message, message)
FROM (VALUES ('y', NULL, '{"gap": "1 day"}', '22023', 'the gap of split is one in time'),
	('y', 'at', '{"gap": "soon"}', '22023', 'the gap of split cannot be "soon"'),
	('y', 'at', '{"gap": "-1 day"}', '22023', 'the gap of split cannot be "-1 day"'),
	('y', 'at', '{"gap": 3}', '22023', 'the gap of split cannot be "3"'),
	('y', 'id', '{"gap": "1 day"}', '22023', 'the gap of split cannot be "1 day"'),
	('y', 'at', '{"stratify": true}', '22023', 'rows cannot be split both by time and stratified'),
	('y', 'at', '{"group": "customer"}', '22023', 'rows cannot be split both by group and by time'),
	('v', NULL, '{"stratify": true}', '22023', 'the split can be stratified by the target only where it holds classes'),
	('v', NULL, '{"stratify": "uid"}', '22023', 'column "uid" has more than 1000 distinct values, too many to stratify the split by'),
	('v', NULL, '{"stratify": "nothing"}', '42703', 'source has no column "nothing", given as what the split is stratified by'),
	('v', NULL, '{"group": "nothing"}', '42703', 'source has no column "nothing", given as the group'),
	('v', NULL, '{"group": "v"}', '22023', 'column "v" cannot be both the target and the group'),
	('v', NULL, '{"group": 5}', '22023', '"group" must be a string, not a number'),
	('v', NULL, '{"unlock": "yes"}', '22023', '"unlock" must be true or false, not a string'),
	('v', NULL, '{"trian": 1}', '22023', 'split has no part or option "trian"')) v (target, time_column, split, state, message);

-- Equal rows stay together: where nearly all are equal, the parts are not alike, and a warning says so unless a key tells rows apart.
CREATE TEMP TABLE kinds AS SELECT i, 'a' || i % 3 AS a, 'b' || i % 4 AS b, i % 7 > 2 AS y FROM generate_series(1, 480) i;
SELECT is((SELECT array_agg(w) FROM (SELECT unnest(warnings) w FROM ml.train('kinds', 'kinds', 'y', features => '{a,b}')) s WHERE w LIKE 'only%'),
	ARRAY['only 24 of the 480 rows differ, and rows that are equal stay in one part of the split, so that its parts are not alike; a "key" that tells rows apart spreads them'], 'few kinds of rows');
SELECT is_empty($$ SELECT * FROM (SELECT unnest(warnings) w FROM ml.train('keyed_kinds', 'kinds', 'y', features => '{a,b}', key => 'i')) s WHERE w LIKE 'only%' $$, 'a key tells them apart');
SELECT is_empty($$ SELECT * FROM (SELECT unnest(warnings) w FROM ml.train('all_kinds', 'kinds', 'y', features => '{a,b}', split => '{"train": 1}')) s WHERE w LIKE 'only%' $$, 'nothing is split');

SELECT * FROM finish();
ROLLBACK;
