-- Features along foreign keys: every column of the SELECT equals its definition, the future changes nothing, what is refused and why.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE SCHEMA shop;
CREATE TABLE shop.region (region_id int PRIMARY KEY, name text, tax float8);
CREATE TABLE shop.customer (customer_id bigint PRIMARY KEY, region_id int REFERENCES shop.region, referred_by bigint REFERENCES shop.customer,
	signed_up timestamptz, vip boolean, "Odd ""Name""" text);
CREATE TABLE shop.orders (customer_id int REFERENCES shop.customer, number int, placed_at timestamp NOT NULL, total numeric(8,2), weight real, paid boolean, channel varchar(10),
	PRIMARY KEY (customer_id, number));
CREATE TABLE shop.line (line_id int PRIMARY KEY, customer_id int, order_number int, amount float8, note text, FOREIGN KEY (customer_id, order_number) REFERENCES shop.orders);
CREATE TABLE shop.visit (visit_id int PRIMARY KEY, customer_id bigint REFERENCES shop.customer, day date, seconds int) PARTITION BY HASH (visit_id);
CREATE TABLE shop.visit_even PARTITION OF shop.visit FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.visit_odd PARTITION OF shop.visit FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shop.region SELECT i, 'region ' || i, i / 10.0 FROM generate_series(1, 3) AS i;
INSERT INTO shop.customer SELECT i, nullif(i % 4, 0), nullif((i * 7) % 12, 0), timestamptz '2024-01-10 00:00+00' + i * interval '36 hours', i % 3 = 0, 'x' || i % 2
	FROM generate_series(1, 12) AS i;
INSERT INTO shop.orders SELECT i % 11, i, timestamp '2024-01-01' + i * interval '5 hours', i % 13 + 0.5, CASE i % 9 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL ELSE i / 7.0 END,
	nullif(i % 5, 0) > 2, CASE i % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'shop' END FROM generate_series(1, 150) AS i WHERE i % 11 > 0;
INSERT INTO shop.line SELECT i, customer_id, number, i / 3.0, 'n' || i % 4 FROM generate_series(1, 300) AS i JOIN shop.orders ON number = 1 + i % 140;
INSERT INTO shop.visit SELECT i, 1 + i % 10, date '2024-01-01' + i % 40, i % 17 FROM generate_series(1, 200) AS i;

-- The features of a call that differ from their definitions; sums of floating-point numbers may in the last digits.
CREATE FUNCTION pg_temp.compare(target text, key text, call text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	query text;
	feature record;
	differ bigint;
BEGIN
	EXECUTE format('SELECT ml.synthesize_query(%L, %s)', target, call) INTO query;
	EXECUTE 'CREATE TEMP TABLE q ON COMMIT DROP AS ' || query;
	EXECUTE format('SELECT count(*) - (SELECT count(*) FROM %s) FROM q', target) INTO differ;
	IF differ <> 0 THEN RETURN NEXT 'wrong number of rows'; END IF;
	FOR feature IN EXECUTE format('SELECT feature AS name, type, sql FROM ml.synthesize_features(%L, %s) WHERE feature IS NOT NULL', target, call) LOOP
		EXECUTE format('SELECT count(*) FROM q JOIN %s AS t ON (q.%2$I) = (t.%2$I) WHERE %5$s', target, key, feature.name, feature.sql,
			format(CASE feature.type WHEN 'double precision' THEN '(q.%1$I IS NULL) <> (%2$s IS NULL) OR (q.%1$I <> %2$s AND abs(q.%1$I - %2$s) > 1e-11 * greatest(1, abs(q.%1$I)))'
				ELSE '(q.%1$I) IS DISTINCT FROM %2$s' END, feature.name, feature.sql)) INTO differ;
		IF differ <> 0 THEN RETURN NEXT format('%s: %s rows differ', feature.name, differ); END IF;
	END LOOP;
	DROP TABLE q;
END $$;

SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 0')$$, 'depth 0: the columns');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 1')$$, 'depth 1');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 2')$$, 'depth 2');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 2, cutoff => ''2024-01-20 10:00'', time_columns => ''{"customer": "signed_up"}''')$$,
	'depth 2 before a moment');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 2, cutoff => ''signed_up'', time_columns => ''{"customer": "signed_up"}''')$$,
	'depth 2 before a time of each row');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 3, cutoff => ''signed_up'', aggregates => ''{count,mean,mode,last}'', top_values => 1')$$,
	'depth 3 before a time of each row');
SELECT is_empty($$SELECT pg_temp.compare('shop.line', 'line_id', 'max_depth => 3, aggregates => ''{count,sum,distinct,sd}'', top_values => 0')$$,
	'depth 3 of the lowest table, keys of two columns');
SELECT is_empty($$SELECT pg_temp.compare('shop.visit', 'visit_id', 'max_depth => 2, cutoff => ''day''')$$, 'a partitioned table, before a date of each row');

-- what there is
SELECT set_eq($$SELECT feature FROM ml.synthesize_features('shop.customer', 0)$$,
	ARRAY['customer_id', 'region_id', 'referred_by', 'signed_up', 'vip', 'Odd "Name"'], 'depth 0: columns only');
SELECT set_eq($$SELECT feature FROM ml.synthesize_features('shop.customer', 1, aggregates => '{count,mean}', top_values => 1) WHERE depth = 1$$,
	ARRAY['count(orders)', 'mean(orders.total)', 'mean(orders.weight)', 'count(orders where channel = shop)', 'count(visit)', 'mean(visit.seconds)',
	'mean(orders.number)', 'count(customer[referred_by])', 'count(customer[referred_by] where Odd "Name" = x0)', 'region.name', 'region.tax',
	'customer[referred_by].signed_up', 'customer[referred_by].vip', 'customer[referred_by].Odd "Name"'], 'depth 1: rows below, rows above, the table itself');
SELECT ok('mean(orders.count(line))' IN (SELECT feature FROM ml.synthesize_features('shop.customer')), 'stacked');
SELECT ok('count(orders.line)' IN (SELECT feature FROM ml.synthesize_features('shop.customer')), 'two keys below');
SELECT is((SELECT max(depth) FROM ml.synthesize_features('shop.customer', 3, aggregates => '{count,mean}', top_values => 0)), 3, 'no deeper than asked');
SELECT results_eq($$SELECT DISTINCT dated_by FROM ml.synthesize_features('shop.customer', 1, cutoff => 'signed_up') WHERE path = 'customer <- orders'$$,
	ARRAY['orders.placed_at'], 'the only time of a table dates its rows, and is told');

-- no rows
SELECT 'CREATE TEMP TABLE q AS ' || ml.synthesize_query('shop.customer', cutoff => 'signed_up') \gexec
SELECT results_eq($$SELECT "count(orders)", "sum(orders.total)", "mean(orders.total)", "distinct(orders.channel)" FROM q WHERE customer_id = 11$$,
	$$VALUES (0::bigint, 0::numeric, NULL::float8, 0::bigint)$$, 'no rows: count, sum and distinct are 0, all else is NULL');
SELECT results_eq($$SELECT DISTINCT "region.name", "customer[referred_by].count(orders)" FROM q WHERE region_id IS NULL AND referred_by IS NULL$$,
	$$VALUES (NULL::text, NULL::bigint)$$, 'no row above: NULL, also of counts');
DROP TABLE q;

-- the cutoff is strict, and what comes after it changes nothing: own is before a time of each row, all before one moment
SELECT 'CREATE TEMP TABLE own_before AS ' || ml.synthesize_query('shop.customer', cutoff => 'signed_up', exclude => '{customer,region}') \gexec
SELECT 'CREATE TEMP TABLE all_before AS ' || ml.synthesize_query('shop.customer', cutoff => '2024-01-29', time_columns => '{"customer": "signed_up"}') \gexec
INSERT INTO shop.orders SELECT customer_id, 1000, signed_up AT TIME ZONE 'UTC', 1e5, 1e5, true, 'web' FROM shop.customer;
INSERT INTO shop.orders SELECT customer_id, 2000 + i, timestamp '2024-06-01' + i * interval '1 hour', 1e5, 1e5, true, 'late' FROM shop.customer, generate_series(1, 5) AS i;
INSERT INTO shop.line SELECT 5000 + i, customer_id, number, 1e6, 'late' FROM (SELECT *, row_number() OVER () AS i FROM shop.orders WHERE number >= 1000) AS o;
INSERT INTO shop.visit SELECT 9000 + customer_id, customer_id, date '2024-02-01', 99999 FROM shop.customer;
UPDATE shop.orders SET placed_at = placed_at + interval '400 days', total = -1 WHERE placed_at >= '2024-01-29';
SELECT 'CREATE TEMP TABLE own_after AS ' || ml.synthesize_query('shop.customer', cutoff => 'signed_up', exclude => '{customer,region}') \gexec
SELECT is_empty($$(TABLE own_before EXCEPT ALL TABLE own_after) UNION ALL (TABLE own_after EXCEPT ALL TABLE own_before)$$, 'rows at and after the cutoff of a row change nothing');
SELECT results_eq($$SELECT attname::text FROM pg_attribute WHERE attrelid = 'own_before'::regclass AND attnum > 0 ORDER BY attnum$$,
	$$SELECT attname::text FROM pg_attribute WHERE attrelid = 'own_after'::regclass AND attnum > 0 ORDER BY attnum$$, 'nor do they change which features there are');
DELETE FROM shop.line USING shop.orders AS o WHERE o.number = order_number AND o.number = 1000;
DELETE FROM shop.orders WHERE number = 1000;
SELECT 'CREATE TEMP TABLE all_after AS ' || ml.synthesize_query('shop.customer', cutoff => '2024-01-29', time_columns => '{"customer": "signed_up"}') \gexec
SELECT is_empty($$(TABLE all_before EXCEPT ALL TABLE all_after) UNION ALL (TABLE all_after EXCEPT ALL TABLE all_before)$$, 'rows after one moment change nothing');
INSERT INTO shop.orders SELECT customer_id, 3000, '2024-01-29', 1e5, 1e5, true, 'web' FROM shop.customer;
SELECT 'CREATE TEMP TABLE all_at AS ' || ml.synthesize_query('shop.customer', cutoff => '2024-01-29', time_columns => '{"customer": "signed_up"}') \gexec
SELECT is_empty($$(TABLE all_before EXCEPT ALL TABLE all_at) UNION ALL (TABLE all_at EXCEPT ALL TABLE all_before)$$, 'nor do rows at it');
SET LOCAL timezone = 'Pacific/Auckland';
SET LOCAL datestyle = 'German';
SELECT 'CREATE TEMP TABLE elsewhere AS ' || ml.synthesize_query('shop.customer', cutoff => '2024-01-29', time_columns => '{"customer": "signed_up"}') \gexec
SELECT is_empty($$TABLE all_before EXCEPT ALL TABLE elsewhere$$, 'nor do the time zone and the style of dates of the session');
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';

-- the row itself
SELECT isnt((SELECT warning FROM ml.synthesize_features('shop.visit') WHERE feature = 'customer.mean(visit.seconds)'), NULL, 'without a cutoff the target may leak through rows beside it');
SELECT is((SELECT warning FROM ml.synthesize_features('shop.visit', cutoff => 'day') WHERE feature = 'customer.mean(visit.seconds)'), NULL, 'with its own time as cutoff it cannot');

-- without a date
SELECT ok('count(line)' NOT IN (SELECT feature FROM ml.synthesize_features('shop.orders', 1, cutoff => 'placed_at') WHERE feature IS NOT NULL), 'undated rows are left out');
SELECT alike((SELECT warning FROM ml.synthesize_features('shop.orders', 1, cutoff => 'placed_at') WHERE feature IS NULL), 'line: left out: nothing tells which%null in time_columns%',
	'with a note that tells the way out');
SELECT ok('count(line)' IN (SELECT feature FROM ml.synthesize_features('shop.orders', 1, cutoff => 'placed_at', time_columns => '{"line": null}')), 'unless declared timeless');

-- choices
SELECT set_eq($$SELECT feature FROM ml.synthesize_features('shop.customer', 1, aggregates => '{count}', top_values => 0,
	exclude => '{orders,customer.vip,region.name,signed_up,count(visit)}')$$,
	ARRAY['customer_id', 'region_id', 'referred_by', 'Odd "Name"', 'count(customer[referred_by])', 'region.tax', 'customer[referred_by].signed_up',
	'customer[referred_by].Odd "Name"'], 'tables, columns and features can be left out');
CREATE TABLE shop.a_table_with_a_rather_long_name_of_its_own (id int PRIMARY KEY, customer_id bigint REFERENCES shop.customer, a_column_with_a_long_name_too int);
SELECT is((SELECT count(*) FROM ml.synthesize_features('shop.customer', 1) WHERE feature LIKE '%a\_rather%'), 6::bigint, 'long names are cut');
SELECT is((SELECT max(octet_length(feature)) FROM ml.synthesize_features('shop.customer', 1)), 63, 'to 63 bytes');
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 1')$$, 'and still name their columns');
DROP TABLE shop.a_table_with_a_rather_long_name_of_its_own;

-- rights
CREATE ROLE synthesis_reader;
GRANT USAGE ON SCHEMA shop TO synthesis_reader;
GRANT SELECT ON shop.customer, shop.visit TO synthesis_reader;
GRANT SELECT (customer_id, number, total) ON shop.orders TO synthesis_reader;
SET LOCAL ROLE synthesis_reader;
SELECT is_empty($$SELECT pg_temp.compare('shop.customer', 'customer_id', 'max_depth => 1')$$, 'as somebody with few rights');
SELECT set_eq($$SELECT feature FROM ml.synthesize_features('shop.customer', 1, aggregates => '{mean,mode}', exclude => '{customer}') WHERE depth = 1$$,
	ARRAY['mean(orders.number)', 'mean(orders.total)', 'mean(visit.seconds)'], 'only what one may read');
SELECT results_eq($$SELECT warning FROM ml.synthesize_features('shop.customer', 1) WHERE feature IS NULL$$, ARRAY['region: left out: you may not read it'], 'with a note');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.region')$$, '42501', 'permission denied for table region', 'the target must be readable');
RESET ROLE;

-- refused
CREATE TABLE shop.lonely (id int PRIMARY KEY, x int);
CREATE VIEW shop.sight AS SELECT * FROM shop.orders;
CREATE TABLE shop.bare ();
SELECT throws_ok($$SELECT ml.synthesize_query('shop.bare')$$, '55000', 'table "bare" has no foreign key and none refers to it', 'nor with a table without columns');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.lonely')$$, '55000', 'table "lonely" has no foreign key and none refers to it', 'nothing to walk along');
SELECT lives_ok($$SELECT ml.synthesize_query('shop.lonely', 0)$$, 'which does not matter at depth 0');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.sight')$$, '42809', '"sight" is not a table', 'a view has no keys');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.nothing')$$, '42P01', NULL, 'no such table');
SELECT throws_ok($$SELECT ml.synthesize_query(NULL)$$, '22004', NULL, 'no table');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', max_features => 20)$$, '54000', 'more than 20 features of table "customer"', 'too many features');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', 7)$$, '22023', 'max_depth must be between 0 and 6, not 7', 'too deep');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', aggregates => '{maen}')$$, '22023', 'unrecognized aggregate "maen"', 'no such aggregate');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', exclude => '{order}')$$, '22023', 'exclude names "order", which is no table, column or feature here', 'no such table');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', cutoff => 'soon')$$, '22023', 'cutoff "soon" is neither a column of table "customer" nor a timestamp', 'no such cutoff');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', cutoff => 'vip')$$, '42804', 'cutoff column "vip" is of type boolean', 'no time');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', time_columns => '{"orders": "total"}')$$, '42804', NULL, 'no time either');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', time_columns => '{"orders": "when"}')$$, '42703', NULL, 'no such column');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', time_columns => '{"lonely": "x"}')$$, '42P01', NULL, 'no key leads there');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', time_columns => '[1]')$$, '22023', 'time_columns must be a JSON object', 'no object');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.customer', time_columns => '{"orders": 1}')$$, '22023', 'time_columns must name one column for table "orders"', 'no name');

-- ends of the types: numbers whose squares overflow, infinite and NaN ones, infinite times; a key that is called as the cutoff is
CREATE TABLE shop.probe (cutoff int PRIMARY KEY, at timestamptz);
CREATE TABLE shop.reading (reading int PRIMARY KEY, cutoff int REFERENCES shop.probe, taken timestamp, v float8, w numeric);
INSERT INTO shop.probe SELECT i, timestamptz '2024-03-31 00:00+00' + i * interval '1 hour' FROM generate_series(1, 6) AS i;
INSERT INTO shop.reading SELECT i, 1 + i % 6, timestamp '2024-03-30' + i * interval '37 minutes', i % 7, i % 5 FROM generate_series(1, 60) AS i;
UPDATE shop.reading SET v = 'Infinity' WHERE cutoff = 2;
UPDATE shop.reading SET v = CASE WHEN reading % 4 = 0 THEN float8 'Infinity' ELSE '-Infinity' END, w = 'NaN' WHERE cutoff = 3;
UPDATE shop.reading SET taken = CASE WHEN reading > 30 THEN timestamp 'infinity' ELSE '-infinity' END, v = 'NaN', w = CASE WHEN reading > 30 THEN numeric 'Infinity' ELSE '-Infinity' END WHERE cutoff = 4;
SELECT is_empty(format($$SELECT pg_temp.compare('shop.probe', 'cutoff', %L)$$, given), 'ends of the types: ' || given)
FROM unnest(ARRAY['max_depth => 1', $$cutoff => 'at'$$, $$cutoff => '2024-03-31 03:00'$$]) given;
SELECT is_empty(format($$SELECT pg_temp.compare('shop.reading', 'reading', %L)$$, given), 'beside the row: ' || given)
FROM unnest(ARRAY['max_depth => 2', $$cutoff => 'taken', time_columns => '{"probe": null}'$$]) given;
SELECT lives_ok($$UPDATE shop.reading SET v = 1e300 * reading WHERE cutoff = 5$$, 'numbers whose squares overflow');
CREATE FUNCTION pg_temp.probe() RETURNS TABLE (probe int, mean numeric, trend float8, mean_w numeric, sd_w numeric) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT cutoff, "mean(reading.v)"::numeric, "trend(reading.v)", "mean(reading.w)"::numeric, "sd(reading.w)"::numeric FROM (' || ml.synthesize_query('shop.probe') || ') x';
END $$;
SELECT results_eq($$SELECT probe, mean > 1e299 AND mean <> 'Infinity', trend IS NULL, mean_w IS NULL, sd_w IS NULL FROM pg_temp.probe() WHERE probe BETWEEN 3 AND 5 ORDER BY probe$$,
	$$VALUES (3, NULL, true, true, true), (4, NULL, true, true, true), (5, true, true, false, false)$$, 'have a mean and no trend; what is undefined is NULL');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.probe', cutoff => 'infinity')$$, '22023', 'cutoff "infinity" is neither a column of table "probe" nor a timestamp', 'no end of time as cutoff');
SELECT throws_ok($$SELECT ml.synthesize_query('shop.probe', cutoff => '294277-01-01')$$, '22023', NULL, 'nor a time beyond the calendar');
SELECT lives_ok($$SELECT ml.synthesize_query('shop.probe', exclude => '{probe.at,at}')$$, 'a column left out under both its names');
CREATE TABLE shop.parted (id int PRIMARY KEY, probe int REFERENCES shop.probe) PARTITION BY RANGE (id);
CREATE TABLE shop.part PARTITION OF shop.parted FOR VALUES FROM (1) TO (9);
SELECT throws_ok($$SELECT ml.synthesize_query('shop.part')$$, '55000', 'table "part" has no foreign key and none refers to it', 'a partition: the hint names the table it is of');

-- the deepest features are written about as fast as others: an aggregate of an aggregate names it once
CREATE TABLE shop.folk (id int PRIMARY KEY, parent int REFERENCES shop.folk, born timestamp, height float8);
INSERT INTO shop.folk SELECT i, nullif(i / 3, 0), timestamp '2024-01-01' + i * interval '1 hour', i * 31 % 17 FROM generate_series(1, 40) AS i;
SELECT cmp_ok((SELECT max(length(sql) + length(description)) FROM ml.synthesize_features('shop.folk', 6, aggregates => '{trend}')), '<', 5000, 'six steps deep');
SELECT is_empty($$SELECT pg_temp.compare('shop.folk', 'id', $q$max_depth => 4, aggregates => '{trend,mean}', cutoff => 'born'$q$)$$, 'trends of trends');

-- everything refers to everything: ways multiply, and end before memory does
DO $$
BEGIN
	FOR i IN 1..8 LOOP EXECUTE format('CREATE TABLE shop.all%s (id int PRIMARY KEY)', i); END LOOP;
	FOR i IN 1..8 LOOP FOR j IN 1..8 LOOP EXECUTE format('ALTER TABLE shop.all%s ADD to%s int REFERENCES shop.all%s', i, j, j); END LOOP; END LOOP;
END $$;
SELECT throws_ok($$SELECT ml.synthesize_query('shop.all1', 6, aggregates => '{mode}')$$, '54000', 'more than 100000 ways along foreign keys from table "all1"', 'too many ways');

-- a source
SELECT lives_ok($$SELECT ml.train('synthesis', ml.synthesize_query('shop.visit', cutoff => 'day'), 'seconds', algorithm => 'decision_tree', key => 'visit_id')$$, 'a source to train on');
SELECT is((SELECT count(prediction) FROM ml.predict_table('synthesis', ml.synthesize_query('shop.visit', cutoff => 'day'), 'visit_id')), 212::bigint, 'and to predict from');

SELECT * FROM finish();
ROLLBACK;
