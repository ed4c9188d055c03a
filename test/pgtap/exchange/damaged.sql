-- Stored bytes of imported models, changed and sealed with a hash that fits: data_corrupted, a legal other model, never an internal error.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

\set codes `cat test/data/exchange/lgb_codes.txt`
\set levels `cat test/data/exchange/xgb_mixed.json`
SELECT FROM ml.import_model('codes', :'codes', 'lightgbm');
SELECT FROM ml.import_model('levels', :'levels', 'xgboost_json');
CREATE TEMP TABLE intact AS SELECT name, ml.artifact(name) AS bytes FROM unnest('{codes,levels}'::text[]) name;

CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;
CREATE FUNCTION pg_temp.with_int(model bytea, at integer, value bigint) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 0 .. 3 LOOP
		model := set_byte(model, at + i, (value >> (8 * i) & 255)::integer);
	END LOOP;
	RETURN model;
END $$;
CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.predict_all(model, '{"pclass": 1, "age": 30, "sibsp": 0, "fare": 10, "flag": true, "grade": "7", "x": 1}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

SELECT is_empty($$SELECT name, n FROM intact, generate_series(40, length(bytes) - 1, 29) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');
SELECT is_empty($$SELECT name, i, bit FROM intact, generate_series(32, length(bytes) - 33) i, LATERAL (SELECT i * 5 % 8 AS bit) b
	WHERE pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # (1 << bit)))) NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$,
	'a bit changed and sealed: a proper error or another model');
SELECT is_empty($$SELECT name, i, value FROM intact, generate_series(32, length(bytes) - 40, 7) i, unnest('{0,2147483647,4294967295,65536}'::bigint[]) value
	WHERE pg_temp.state(pg_temp.sealed(pg_temp.with_int(bytes, i, value))) NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$,
	'huge counts: likewise');
SELECT is(pg_temp.state(bytes), 'ok', name || ': the intact one') FROM intact;

SELECT * FROM finish();
ROLLBACK;
