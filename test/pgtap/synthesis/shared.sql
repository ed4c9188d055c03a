-- One grouping for several keys, and one join for several tables: with statistics, where the keys have few values; the rows are the same without.
BEGIN;
SELECT no_plan();

CREATE TABLE shop (shop text PRIMARY KEY, size integer);
CREATE TABLE "Part" (kind integer, "Grade" integer, weight float8, PRIMARY KEY (kind, "Grade"));
CREATE TABLE buyer (buyer integer PRIMARY KEY, town text);
CREATE TABLE sale (sale integer PRIMARY KEY, shop text NOT NULL REFERENCES shop, returned_to text REFERENCES shop, kind integer NOT NULL, "Grade" integer NOT NULL,
	buyer integer NOT NULL REFERENCES buyer, price float8, pieces integer, colour text, cost numeric, sold date, FOREIGN KEY (kind, "Grade") REFERENCES "Part");
INSERT INTO shop SELECT 's' || i, i FROM generate_series(1, 6) AS i;
INSERT INTO "Part" SELECT i, j, i / 3.0 + j FROM generate_series(1, 3) AS i, generate_series(1, 4) AS j;
INSERT INTO buyer SELECT i, 'town ' || i % 9 FROM generate_series(1, 900) AS i;
INSERT INTO sale SELECT i, 's' || 1 + i % 5, CASE WHEN i % 3 = 0 THEN 's' || 1 + i % 7 % 6 END, 1 + i % 3, 1 + i % 2 * 2, 1 + i % 877, CASE WHEN i % 11 <> 0 THEN sqrt(i) END,
	i % 17, CASE WHEN i % 13 <> 0 THEN 'colour ' || i * i % 8 END, i % 19 / 7.0, date '2024-01-01' + i % 300 FROM generate_series(1, 6000) AS i;

CREATE FUNCTION pg_temp.query(target text, OUT query text) LANGUAGE sql AS $$SELECT ml.synthesize_query(target, aggregates => '{count,sum,mean,min,max,sd,distinct,mode}',
	max_features => 1600, exclude => '{sale.cost}')$$;
CREATE FUNCTION pg_temp.keep(kept text, target text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I AS %s', kept, pg_temp.query(target));
END$$;
CREATE FUNCTION pg_temp.places(query text, what text) RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM regexp_matches(query, what, 'g')$$;

SELECT is(pg_temp.places(pg_temp.query('sale'), '_state\('), 0::bigint, 'without statistics nothing is known of the keys');
SELECT pg_temp.keep('plain_sale', 'sale');
SELECT pg_temp.keep('plain_part', '"Part"');
SELECT pg_temp.keep('plain_shop', 'shop');
ANALYZE sale, shop, "Part", buyer;
SELECT pg_temp.keep('shared_sale', 'sale');
SELECT pg_temp.keep('shared_part', '"Part"');
SELECT pg_temp.keep('shared_shop', 'shop');

SELECT is(pg_temp.places(pg_temp.query('sale'), 'FROM public\.sale AS c2'), 2::bigint, 'the rows are read once for shops and parts, once for buyers');
SELECT is(pg_temp.places(pg_temp.query('sale'), 'sale AS t\n(.*\n)*.*AS t_0 ON'), 1::bigint, 'shops and parts are joined as one');
SELECT is(pg_temp.places(split_part(pg_temp.query('sale'), 'FROM public.sale AS t', 2), 'LEFT JOIN'), 3::bigint, 'keys that may be NULL by themselves, so do buyers, who are many');
SELECT isnt_empty('SELECT * FROM shared_sale');
SELECT set_eq('SELECT * FROM shared_sale', 'SELECT * FROM plain_sale', 'features of rows beside rows are the same');
SELECT set_eq('SELECT * FROM shared_part', 'SELECT * FROM plain_part', 'of composite keys as well');
SELECT set_eq('SELECT * FROM shared_shop', 'SELECT * FROM plain_shop', 'and of two keys to one table');
SELECT is((SELECT array_agg(attname || ' ' || atttypid::regtype ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'shared_sale'::regclass AND attnum > 0),
	(SELECT array_agg(attname || ' ' || atttypid::regtype ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'plain_sale'::regclass AND attnum > 0), 'so are names and types');
SELECT unalike(ml.synthesize_query('sale'), '%_state(%', 'a deviation of numerics is not known from its parts');

SELECT * FROM finish();
ROLLBACK;
