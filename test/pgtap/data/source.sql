-- Where rows come from: everything that can be read, nothing that writes, always with the caller's rights.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE homes AS SELECT i AS area, 3 * i AS price FROM generate_series(1, 50) i;
CREATE VIEW homes_view AS SELECT * FROM homes;
CREATE MATERIALIZED VIEW homes_stored AS SELECT * FROM homes;
CREATE TABLE homes_parts (area int, price int) PARTITION BY RANGE (area);
CREATE TABLE homes_small PARTITION OF homes_parts FOR VALUES FROM (0) TO (25);
CREATE TABLE homes_large PARTITION OF homes_parts DEFAULT;
INSERT INTO homes_parts SELECT * FROM homes;
CREATE TEMP TABLE homes_temp AS SELECT * FROM homes;
CREATE SCHEMA "A b";
CREATE TABLE "A b"."Ho""mes; 🏠" AS SELECT * FROM homes;
CREATE FUNCTION pg_temp.fingerprint(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	trained int := (SELECT version FROM ml.train('homes', source, 'price', algorithm => 'baseline'));
BEGIN
	RETURN (SELECT fingerprint FROM ml.runs WHERE model = 'homes' AND version = trained);
END $$;

CREATE TEMP TABLE expected AS SELECT pg_temp.fingerprint('homes');
SELECT is(pg_temp.fingerprint(source), (TABLE expected), source)
FROM (VALUES ('homes_view'), ('homes_stored'), ('homes_parts'), ('homes_temp'), ('pg_temp.homes_temp'), ('HOMES'), ('  Public . "homes" ;; -- a name'),
	('/* a /* nested */ comment */ homes'), ('"A b"."Ho""mes; 🏠"'), ('TABLE homes'), ('table homes_view;'),
	(E'-- first\nSELECT * FROM homes -- last'), ('(SELECT * FROM homes ORDER BY random());'), ('WITH h AS (SELECT * FROM homes) SELECT * FROM h'),
	('WITH RECURSIVE h AS (SELECT 1 AS area UNION ALL SELECT area + 1 FROM h WHERE area < 50) SELECT area, 3 * area AS price FROM h'),
	('SELECT h.* FROM homes h JOIN homes_view v USING (area)'), ('SELECT area, price FROM homes_small UNION ALL SELECT area, price FROM homes_large'),
	('SELECT area, price FROM homes WINDOW w AS () ORDER BY price DESC LIMIT 50')) AS v (source);
SELECT isnt(pg_temp.fingerprint('SELECT * FROM homes WHERE area < 50'), (TABLE expected), 'other rows have another fingerprint');
SELECT lives_ok($$SELECT ml.train('v', 'VALUES (1, 2), (2, 3), (3, 5), (4, 6)', 'column1', algorithm => 'baseline')$$, 'VALUES');

-- what is no source
SELECT throws_ok(format('SELECT ml.train(''m'', %L, ''price'')', source), '42P01', message, source)
FROM (VALUES ('missing', 'relation "missing" does not exist'), ('nowhere.homes', 'relation "nowhere.homes" does not exist'),
	('"HOMES"', 'relation "HOMES" does not exist'), ('SELECT * FROM missing', 'relation "missing" does not exist')) AS v (source, message);
SELECT throws_ok(format('SELECT ml.train(''m'', %L, ''price'')', source), '42601', NULL, source)
FROM (VALUES ('selct * from homes'), ('SELECT * FORM homes'), ('my-table'), (''), (' ; '), ('SELECT * FROM homes; SELECT 1'), ('SELECT 1; DROP TABLE homes'),
	('homes homes'), ('"homes'), ('homes.'), ('"" '), ('/* homes')) AS v (source);
SELECT throws_ok(format('SELECT ml.train(''m'', %L, ''price'')', source), '0A000', 'source must be a table, a view or one SELECT', source)
FROM (VALUES ('DELETE FROM homes RETURNING *'), ('INSERT INTO homes VALUES (1, 2) RETURNING *'), ('UPDATE homes SET area = 1'), ('DROP TABLE homes'),
	('SELECT * INTO copied FROM homes'), ('SELECT * FROM homes FOR UPDATE'), ('SELECT * FROM (SELECT * FROM homes FOR SHARE) h'),
	('WITH d AS (DELETE FROM homes RETURNING *) SELECT * FROM d'), ('EXPLAIN SELECT * FROM homes'), ('SET work_mem = 64'), ('VACUUM homes'),
	('COPY homes TO STDOUT'), ('CREATE TABLE copied AS SELECT * FROM homes')) AS v (source);
SELECT throws_ok($$SELECT ml.train('m', 'SELECT area, $1 AS price FROM homes', 'price')$$, '42P02', 'there is no parameter $1');
SELECT throws_ok($$SELECT ml.train('m', 'SELECT area, price / 0 AS price FROM homes', 'price')$$, '22012', 'division by zero');
CREATE INDEX homes_index ON homes (area);
CREATE SEQUENCE homes_sequence;
CREATE TYPE homes_type AS (area int, price int);
SELECT throws_ok(format('SELECT ml.train(''m'', %L, ''price'')', source), '42809', format('"%s" is not a table or view', source), source)
FROM unnest(ARRAY['homes_index', 'homes_sequence', 'homes_type']) AS source;

-- reading only, whatever the source calls
CREATE FUNCTION writing(int) RETURNS int LANGUAGE plpgsql AS $$BEGIN INSERT INTO homes VALUES (1000, 3000); RETURN $1; END$$;
SELECT throws_ok($$SELECT ml.train('m', 'SELECT writing(area) AS area, price FROM homes', 'price')$$, '25006',
	'cannot execute INSERT in a read-only transaction');
SELECT throws_ok($$SELECT ml.train('m', 'SELECT nextval(''homes_sequence'') AS area, price FROM homes', 'price')$$, '25006', NULL, 'nextval');
SELECT is((SELECT count(*) FROM homes), 50::bigint, 'nothing was written');
SELECT is(current_setting('transaction_read_only'), 'off', 'and writing is possible again after an error');
SELECT lives_ok($$SELECT ml.train('m', 'homes', 'price')$$, 'a training');
SELECT is(current_setting('transaction_read_only'), 'off', 'and after a success');
SELECT lives_ok($$INSERT INTO homes VALUES (51, 153)$$, 'the same transaction writes');
SELECT isnt(pg_temp.fingerprint('homes'), (TABLE expected), 'and a training sees what its transaction wrote');

-- rights are the caller's
CREATE ROLE relearn_reader;
CREATE TABLE secrets (area int, secret text, price int);
INSERT INTO secrets SELECT i, 's' || i, i FROM generate_series(1, 50) i;
GRANT SELECT (area, price) ON secrets TO relearn_reader;
CREATE TABLE owned (area int, price int, owner name);
INSERT INTO owned SELECT area, price, 'relearn_reader' FROM homes_temp UNION ALL SELECT area, -1, 'somebody' FROM homes_temp;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON owned USING (owner = current_user);
GRANT SELECT ON owned TO relearn_reader;
GRANT SELECT ON expected TO relearn_reader;
CREATE FUNCTION fingerprint_of(source text, unread text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	trained int := (SELECT version FROM ml.train('theirs', source, 'price', algorithm => 'baseline', exclude => unread));
BEGIN
	RETURN (SELECT fingerprint FROM ml.runs WHERE model = 'theirs' AND version = trained);
END $$;
SET LOCAL ROLE relearn_reader;
SELECT throws_ok($$SELECT ml.train('m2', 'homes', 'price')$$, '42501', 'permission denied for table homes');
SELECT throws_ok($$SELECT ml.train('m2', 'secrets', 'price')$$, '42501', 'permission denied for table secrets');
SELECT lives_ok($$SELECT ml.train('m2', 'secrets', 'price', algorithm => 'baseline', exclude => '{secret}')$$, 'columns that are not read need no right');
SELECT is(fingerprint_of('owned', '{owner}'), (TABLE expected), 'row level security holds');
RESET ROLE;

-- columns come and go between two trainings
ALTER TABLE homes_temp DROP COLUMN area;
ALTER TABLE homes_temp ADD COLUMN area bigint;
UPDATE homes_temp SET area = price / 3;
SELECT is(pg_temp.fingerprint('SELECT area, price FROM homes_temp'), (TABLE expected), 'a dropped column leaves no trace');
SELECT is(pg_temp.fingerprint('homes_temp'), (TABLE expected), 'nor does the target''s place');
SELECT * FROM finish();
ROLLBACK;
