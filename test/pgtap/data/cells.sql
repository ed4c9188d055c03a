-- What a cell is.  The fingerprint of a run hashes the cells, so a column, and the same values converted to plain numbers or texts by the
-- server, must give one fingerprint: the server's conversions are the oracle.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE FUNCTION pg_temp.trained(source text, preprocess jsonb DEFAULT NULL, params jsonb DEFAULT '{}') RETURNS int LANGUAGE sql VOLATILE AS $$
SELECT version FROM ml.train('cells', source, 'y', algorithm => 'baseline', preprocess => preprocess, params => params)
$$;
CREATE FUNCTION pg_temp.same(c text, oracle text, preprocess jsonb DEFAULT NULL, params jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	one int := pg_temp.trained(format('SELECT y, %s AS x FROM typed', c), preprocess, params);
	two int := pg_temp.trained(format('SELECT y, %s AS x FROM typed', oracle));
	fingerprints text[] := ARRAY(SELECT fingerprint FROM ml.runs WHERE model = 'cells' AND version IN (one, two) ORDER BY version);
BEGIN
	RETURN is(fingerprints[1], fingerprints[2], c || ' is ' || oracle);
END $$;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN very_positive AS positive;
CREATE TABLE typed (y int, gone text, a_int2 int2, a_int4 int4, a_int8 int8, a_float4 float4, a_float8 float8, a_numeric numeric, big_numeric numeric,
	long_numeric numeric, special numeric, a_bool bool, a_text text, a_varchar varchar(10), a_char char(8), an_enum mood, a_uuid uuid, a_date date,
	a_timestamp timestamp, a_timestamptz timestamptz, a_time time, an_interval interval, a_domain very_positive, toasted text,
	generated int GENERATED ALWAYS AS (y * 2) STORED, counted int GENERATED ALWAYS AS IDENTITY, "Größe ""in"" m² 📏" float8);
ALTER TABLE typed DROP COLUMN gone;
INSERT INTO typed
SELECT i, i, -i, i * 1000000007::int8, i / 8.0, sqrt(i), (i * 7919 % 100003) / 100.0, (i * 7919 % 100003) * -1e30, 1 / (3 * i)::numeric(30, 25),
	CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' ELSE 0.0001 END, i % 2 = 0, 'level ' || i % 7, 'v' || i % 5,
	'c' || repeat('x', i % 4), (enum_range(NULL::mood))[1 + i % 3], md5((i % 5)::text)::uuid, date '1999-12-25' + i,
	timestamp '1999-12-31 23:59:59.123456' + i * interval '7:13:11', timestamptz '2024-01-01 00:00:00+00' + i * interval '11:07',
	time '00:00:00.25' + i * interval '00:02:03', make_interval(years => i % 5 - 2, months => i, days => -i, secs => i / 4.0), i,
	repeat('long text ', 1 + i % 3 * 2000)
FROM generate_series(1, 700) i;

SELECT pg_temp.same(c, format('(%s)::float8', oracle))
FROM (VALUES ('a_int2', 'a_int2'), ('a_int4', 'a_int4'), ('a_int8', 'a_int8'), ('a_float4', 'a_float4'), ('a_numeric', 'a_numeric'),
	('a_numeric::numeric(10,2)', 'a_numeric'), ('big_numeric', 'big_numeric'), ('long_numeric', 'long_numeric'), ('special', 'special'),
	('a_bool', 'a_bool::int'), ('a_domain', 'a_domain'), ('generated', '2 * y'), ('counted', 'y'), ('a_float8 * -0.0', '0'),
	('a_time', 'extract(epoch FROM a_time)'), ('an_interval', 'date_part(''epoch'', an_interval)'),
	('a_date', 'extract(epoch FROM a_date::timestamp) * 1e6 - 946684800e6'),
	('a_timestamp', 'extract(epoch FROM a_timestamp) * 1e6 - 946684800e6'),
	('a_timestamptz', 'extract(epoch FROM a_timestamptz) * 1e6 - 946684800e6'),
	('CASE WHEN y % 3 > 0 THEN ''infinity'' ELSE a_date END', 'CASE WHEN y % 3 = 0 THEN extract(epoch FROM a_date::timestamp) * 1e6 - 946684800e6 END'),
	('NULLIF(a_float4, 1)', 'CASE WHEN a_float4 = 1 THEN ''NaN'' ELSE a_float4 END')) AS v (c, oracle);

SELECT pg_temp.same(c, format('(%s)::text', oracle))
FROM (VALUES ('a_varchar', 'a_varchar'), ('a_char', 'rtrim(a_char::text)'), ('an_enum', 'an_enum'), ('a_uuid', 'a_uuid'),
	('toasted', 'toasted || ''''')) AS v (c, oracle);

-- a column treated as another kind
SELECT pg_temp.same(c, format('(%s)::text', oracle), '{"x": "category"}')
FROM (VALUES ('a_int8', 'a_int8'), ('a_numeric', 'trim_scale(a_numeric)'), ('a_float4', 'a_float4'), ('a_float8', 'a_float8'), ('a_bool', 'a_bool'),
	('a_date', 'a_date'), ('a_timestamp', 'a_timestamp'), ('a_time', 'a_time'), ('an_interval', 'an_interval'),
	('a_timestamptz', 'a_timestamptz AT TIME ZONE ''UTC''')) AS v (c, oracle);
SELECT pg_temp.same(c, oracle, '{"x": "number"}')
FROM (VALUES ($$' ' || a_int4 || E'\t'$$, 'a_int4::float8'), ('a_float8::text', 'a_float8'), ('a_numeric::text::char(20)', 'a_numeric::float8'),
	($$CASE y % 8 WHEN 1 THEN '' WHEN 2 THEN 'n/a' WHEN 3 THEN 'inf' WHEN 4 THEN '0x10' WHEN 5 THEN '1e999' WHEN 6 THEN '1.2.3' WHEN 7 THEN 'nan' ELSE '-1.5e2' END$$,
	'CASE y % 8 WHEN 0 THEN -150::float8 END')) AS v (c, oracle);

-- the model's time zone, over changes of the clock in both directions
SELECT pg_temp.same('a_timestamptz', format('a_timestamptz AT TIME ZONE %L', zone), params => jsonb_build_object('time_zone', zone))
FROM unnest(ARRAY['Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'UTC']) AS zone;
SELECT pg_temp.same(format('timestamptz %L + y * interval ''%s''', start, step), format('(timestamptz %L + y * interval ''%s'') AT TIME ZONE ''Europe/Berlin''', start, step),
	params => '{"time_zone": "Europe/Berlin"}')
FROM (VALUES ('1850-01-01', '97 days'), ('2024-03-30', '7 min'), ('2024-10-26', '7 min'), ('2100-01-01', '31 days'), ('4000-01-01 BC', '1 day')) AS v (start, step);

-- the same values as JSON: read by a parser of ours, equal to what the binary values say
SELECT lives_ok($$SELECT ml.train('json', 'SELECT y, a_int8, a_float4, a_float8, a_numeric, a_bool, a_text, an_enum, a_uuid, a_date, a_timestamp, a_timestamptz, a_time,
	an_interval FROM typed', 'y', algorithm => 'linear_regression', params => '{"l2": 1, "time_zone": "Europe/Berlin"}')$$);
SELECT is(count(*) FILTER (WHERE ml.predict('json', to_jsonb(t)) IS DISTINCT FROM ml.predict('json', t)), 0::bigint, 'JSON under ' || style)
FROM unnest(ARRAY['postgres', 'iso_8601', 'sql_standard', 'postgres_verbose']) AS style, set_config('IntervalStyle', style, true) AS setting, typed t
GROUP BY style, setting;
RESET IntervalStyle;
SELECT is(count(DISTINCT round(ml.predict('json', t)::numeric, 3)), 700::bigint, 'the predictions differ') FROM typed t;

-- session settings
CREATE TABLE by_settings AS SELECT pg_temp.trained('typed') AS version;
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL DateStyle = 'German';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL extra_float_digits = -10;
SET LOCAL bytea_output = 'escape';
INSERT INTO by_settings SELECT pg_temp.trained('typed');
RESET TimeZone;
RESET DateStyle;
RESET IntervalStyle;
RESET extra_float_digits;
RESET bytea_output;
SELECT is(count(DISTINCT fingerprint), 1::bigint, 'settings of the session do not reach the cells')
FROM ml.runs WHERE model = 'cells' AND version IN (SELECT version FROM by_settings);
SELECT is(count(DISTINCT sha256), 1::bigint, 'nor the model')
FROM ml.versions WHERE model = 'cells' AND version IN (SELECT version FROM by_settings);

-- values that have no cell
SELECT throws_ok($$SELECT ml.train('m', 'SELECT y, 1e400::numeric AS "Too big" FROM typed', 'y')$$, '22003',
	'a value of column "Too big" is out of range for double precision');
SELECT lives_ok($$SELECT ml.train('m', 'SELECT y, y * 1e-400::numeric AS tiny FROM typed', 'y', algorithm => 'baseline')$$, 'too small is 0');
SELECT ok(warnings @> ARRAY['1 integer of column "x" is beyond 2^53 and rounded to the nearest double'], 'an int8 beyond 2^53')
FROM ml.train('m', 'SELECT y, 9007199254740992 + y / 700 AS x FROM typed', 'y', algorithm => 'baseline');
SELECT ok(warnings @> ARRAY['100 values of column "x" are no numbers and count as missing'], 'text that is no number')
FROM ml.train('m', $$SELECT y, CASE WHEN y > 600 THEN ' ' ELSE y::text END AS x FROM typed$$, 'y', algorithm => 'baseline', preprocess => '{"x": "number"}');

SELECT throws_ok(format($$SELECT ml.train('m', 'SELECT y, %s AS "X y" FROM typed', 'y')$$, value), '42804',
	format('column "X y" has type %s, which cannot be a feature', type))
FROM (VALUES ('ARRAY[y]', 'integer[]'), ('now()::timetz', 'time with time zone'), ('a_text::bytea', 'bytea'), ('to_json(y)', 'json'), ('ROW(y)', 'record'),
	('point(y, y)', 'point'), ('a_text::name', 'name'), ('y::money', 'money')) AS v (value, type);
SELECT lives_ok($$SELECT ml.train('m', 'SELECT y, a_int4, to_json(y) AS j FROM typed', 'y', exclude => '{j}')$$, 'a type that is none may be excluded');

-- Dates that timestamps do not reach: microseconds beyond 64 bits.
SELECT pg_temp.same($$date '5874897-12-31' - y * 1000$$, $$(date '5874897-12-31' - y * 1000 - date '2000-01-01') * 86400000000::float8$$);
SELECT pg_temp.same($$date '4713-01-01 BC' + y$$, $$(date '4713-01-01 BC' + y - date '2000-01-01') * 86400000000::float8$$);
CREATE TABLE late AS SELECT date '5874890-01-01' - i * i * 1000 AS d, i AS y FROM generate_series(1, 100) i;
SELECT ok(n_test > 0, 'they can split by time') FROM ml.train('late', 'late', 'y', algorithm => 'linear_regression', time_column => 'd');
SELECT ok(n_test > 0, 'and again, by the cuts that were kept') FROM ml.train('late', 'late', 'y', algorithm => 'linear_regression', time_column => 'd');
SELECT ok(bool_and(ml.predict('late', t.*) = ml.predict('late', to_jsonb(t))), 'as a column and as JSON') FROM late t;
SELECT matches(maximum, '^587[0-9]{4}-[0-9][0-9]-[0-9][0-9]$', 'ml.describe shows them as dates') FROM ml.describe('late');

SELECT * FROM finish();
ROLLBACK;
