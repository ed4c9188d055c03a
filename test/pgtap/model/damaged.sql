-- Bytes that are no intact model: cut anywhere, changed anywhere, changed with a hash that fits.  The answer is data_corrupted (XX001) or, for
-- what a newer release might have written, feature_not_supported (0A000); never an internal error, never a crash.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE homes AS
SELECT i % 40 + 20 AS area, i % 3 = 0 AS balcony, (ARRAY['north', 'south', 'täglich', NULL])[1 + i % 4] AS side,
	date '2020-01-01' + i * 7 AS listed, CASE WHEN i % 11 > 0 THEN i % 7 END AS floor,
	(i % 40 + 20) * 3 + i % 5 + CASE WHEN i % 3 = 0 THEN 20 ELSE 0 END AS price
FROM generate_series(1, 60) i;
SELECT FROM ml.train('homes', 'homes', 'price', algorithm => 'linear_regression', params => '{"l2": 0.1}');
CREATE TEMP TABLE intact AS SELECT ml.artifact('homes') AS bytes;

CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.predict_all(model, '{"area": 50, "balcony": true, "side": "south", "listed": "2021-05-05", "floor": 2, "price": 170}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

CREATE FUNCTION pg_temp.message(model bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text;
BEGIN
	PERFORM ml.predict(model, '{}'::jsonb);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN message || ': ' || detail;
END $$;

-- (The intact model is asked last: by name, and in a loop of PL/pgSQL, the hash of a model already decoded answers.)

-- The same bytes with the hash that fits them.
CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;

-- Little-endian integers.
CREATE FUNCTION pg_temp.number_at(model bytea, at integer, width integer) RETURNS bigint LANGUAGE sql AS
$$SELECT sum(get_byte(model, at + i)::bigint << (8 * i))::bigint FROM generate_series(0, width - 1) i$$;
CREATE FUNCTION pg_temp.with_number(model bytea, at integer, width integer, value bigint) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 0 .. width - 1 LOOP
		model := set_byte(model, at + i, (value >> (8 * i) & 255)::integer);
	END LOOP;
	RETURN model;
END $$;

-- ---- the intact one, looked at from outside ----

SELECT is(substring(bytes FROM 1 FOR 8), '\x93524c4d0d0a1a0a'::bytea, 'the magic: no ASCII, CR LF') FROM intact;
SELECT is(pg_temp.number_at(bytes, 16, 8), length(bytes)::bigint, 'the length is in the header') FROM intact;
SELECT is(pg_temp.number_at(bytes, 24, 2), 7::bigint, 'seven sections') FROM intact;
CREATE TEMP TABLE section AS
SELECT i AS type, pg_temp.number_at(bytes, 32 + 24 * (i - 1), 2) AS stored_type,
	pg_temp.number_at(bytes, 40 + 24 * (i - 1), 8)::integer AS start, pg_temp.number_at(bytes, 48 + 24 * (i - 1), 8)::integer AS size
FROM intact, generate_series(1, 7) i;
SELECT results_eq('SELECT stored_type FROM section ORDER BY type', 'SELECT i::bigint FROM generate_series(1, 7) i', 'in the order of their types');
SELECT is_empty('SELECT * FROM section WHERE start % 8 <> 0', 'aligned');

-- ---- every length ----

SELECT is_empty($$SELECT n, pg_temp.state(substring(bytes FROM 1 FOR n)) FROM intact, generate_series(0, length(bytes) - 1) n
	WHERE pg_temp.state(substring(bytes FROM 1 FOR n)) <> 'XX001'$$, 'cut after any byte: data_corrupted');
SELECT is_empty($$SELECT n FROM intact, generate_series(40, length(bytes) - 1, 3) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed again: still noticed');
SELECT is(pg_temp.state(bytes || '\x00'), 'XX001', 'a byte too many') FROM intact;
SELECT is(pg_temp.state(pg_temp.sealed(bytes || '\x0000000000000000')), 'XX001', 'bytes too many, sealed') FROM intact;
SELECT is(pg_temp.state(''), 'XX001', 'nothing at all');
SELECT is(pg_temp.state(decode(repeat('00', 5000), 'hex')), 'XX001', 'zeros');
SELECT is(pg_temp.state(decode(repeat('ff', 5000), 'hex')), 'XX001', 'ones');
SELECT is(pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR 32) || decode(repeat('ff', 5000), 'hex'))), 'XX001', 'a header and ones, sealed') FROM intact;

-- ---- every byte ----

SELECT is_empty($$SELECT i, bit FROM intact, generate_series(0, length(bytes) - 1) i, LATERAL (SELECT i * 5 % 8 AS bit) b
	WHERE pg_temp.state(set_byte(bytes, i, get_byte(bytes, i) # (1 << bit))) <> 'XX001'$$, 'one bit of any byte changed: data_corrupted');

-- With a hash that fits, a changed number or name may make another legal model; anything else must be refused in words.
CREATE TEMP TABLE flip AS
SELECT i, s.type AS section, pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) AS state
FROM intact CROSS JOIN LATERAL generate_series(0, length(bytes) - 33) i CROSS JOIN (VALUES (1), (64), (128), (255)) v(mask)
LEFT JOIN section s ON i >= s.start AND i < s.start + s.size;
SELECT is_empty($$SELECT i, state FROM flip WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804')$$, 'changed and sealed: refused with a proper error, or a legal model');
SELECT is_empty($$SELECT i, state FROM flip WHERE section IS NULL AND i NOT BETWEEN 8 AND 9 AND state NOT IN ('XX001', '0A000')$$, 'no byte of header, table or gaps may differ');

-- The payload of this learner: number of columns (4), flags (1), degrees of freedom (8), intercept, then the coefficients.
SELECT is_empty($$SELECT j FROM intact JOIN section s ON s.type = 4 CROSS JOIN LATERAL generate_series(0, pg_temp.number_at(bytes, s.start, 4)::integer) j
	CROSS JOIN LATERAL (SELECT s.start + 13 + 8 * j + 5 AS i) place
	WHERE pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # 1))) <> 'XX001'$$, 'the self-test finds a change in the fourth digit of any coefficient');

-- Longer damage at random places: 16 bytes of noise.
CREATE TEMP TABLE noise AS
SELECT i, pg_temp.state(pg_temp.sealed(overlay(bytes PLACING decode(md5(i::text), 'hex') FROM 9 + i * 7919 % (length(bytes) - 57)))) AS state
FROM intact, generate_series(1, 1000) i;
SELECT is_empty($$SELECT i, state FROM noise WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804')$$, 'noise, sealed: a proper error');

-- Counts blown up to every size: noticed before memory is asked for.
CREATE TEMP TABLE blown AS
SELECT i, value, pg_temp.state(pg_temp.sealed(pg_temp.with_number(bytes, i, 4, value))) AS state
FROM intact CROSS JOIN section s CROSS JOIN LATERAL generate_series(s.start, s.start + s.size - 4) i
CROSS JOIN (VALUES (4294967295), (2147483647), (65536)) v(value)
WHERE pg_temp.number_at(bytes, i, 4) <> value;
SELECT is_empty($$SELECT i, value, state FROM blown WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804')$$, 'huge counts anywhere: a proper error');

-- ---- every algorithm ----

CREATE TEMP TABLE trained AS
SELECT t.model
FROM (VALUES ('two', 'balcony', 'logistic_regression'), ('many', 'side', 'logistic_regression'), ('mean', 'price', 'baseline'), ('prior', 'side', 'baseline'),
	('squares', 'price', 'linear_regression'), ('grown', 'price', 'gradient_boosting'), ('grown many', 'side', 'gradient_boosting'),
	('wood', 'price', 'random_forest'), ('wood many', 'side', 'extra_trees'), ('tree', 'balcony', 'decision_tree'), ('apart', NULL, 'isolation_forest'))
	v(name, target, algorithm)
CROSS JOIN LATERAL ml.train(v.name, 'homes', v.target, algorithm => v.algorithm,
	params => CASE algorithm WHEN 'gradient_boosting' THEN '{"n_estimators": 2, "min_data_in_leaf": 2, "cat_smooth": 1, "min_data_per_group": 2}'
		WHEN 'random_forest' THEN '{"n_estimators": 2, "permutation_importance": true}' WHEN 'extra_trees' THEN '{"n_estimators": 2}'
		WHEN 'isolation_forest' THEN '{"n_estimators": 2, "max_samples": 16}' ELSE '{}' END::jsonb) t;
CREATE TEMP TABLE other AS SELECT model, ml.artifact(model) AS bytes FROM trained;
CREATE TEMP TABLE other_flip AS
SELECT model, i, pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) AS state
FROM other CROSS JOIN LATERAL generate_series(0, length(bytes) - 33) i CROSS JOIN (VALUES (1), (64), (255)) v(mask);
SELECT is((SELECT count(DISTINCT model) FROM other_flip), 11::bigint, 'models of every kind');
SELECT is_empty($$SELECT model, i, state FROM other_flip WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804')$$, 'changed and sealed: a proper error, or a legal model');
SELECT is_empty($$SELECT model, n FROM other CROSS JOIN LATERAL generate_series(40, length(bytes) - 1, 7) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');
SELECT is_empty($$SELECT model, i, value FROM other CROSS JOIN LATERAL generate_series(32, length(bytes) - 40, 3) i
	CROSS JOIN (VALUES (4294967295), (2147483647), (65536)) v(value)
	WHERE pg_temp.state(pg_temp.sealed(pg_temp.with_number(bytes, i, 4, value))) NOT IN ('XX001', '0A000', 'ok', '42703', '42804')$$, 'huge counts: a proper error');

-- ---- a pipeline of all steps, there and back ----

CREATE FUNCTION pg_temp.transformed(model bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE prepared double precision[];
BEGIN
	prepared := ml.transform(model, '{"area": 50, "balcony": true, "side": "south", "listed": "2021-05-05", "floor": 2, "price": 170,
		"note": "floor 3 of 4", "kind": "south", "words": "south side", "grams": "north"}'::jsonb);
	PERFORM ml.inverse_transform(model, prepared);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT lives_ok($$SELECT ml.fit_pipeline('all steps', 'SELECT *, side AS kind, concat(''floor '', floor, '' of 4'') AS note, side || '' side'' AS words, side AS grams FROM homes',
	target => 'price', preprocess => '{
	"area": ["impute_median", "power", "standard"], "floor": [{"impute": {"indicator": true}}, {"quantile": {"n_quantiles": 10}}], "side": "target", "balcony": "minmax",
	"side_code": [{"column": "side"}, "missing_as_category", "onehot"], "side_order": [{"column": "side"}, "ordinal"], "side_share": [{"column": "side"}, "frequency"],
	"kind": "hash", "area_bucket": [{"column": "area"}, {"bucketize": {"n": 3, "onehot": true}}], "area_clip": [{"column": "area"}, {"clip": [25, 50]}, "robust"],
	"area_log": [{"column": "area"}, "log1p", "maxabs"], "listed": "date_parts", "turn": [{"column": "listed"}, "cyclic"], "near": [{"column": "listed"}, {"holidays": {"dates": ["2020-12-24"]}}],
	"per_floor": {"ratio": ["area", "floor"]}, "product": {"polynomial": ["area", "floor"]}, "of_side": {"group_median": {"of": "area", "by": "side"}},
	"note": "tfidf", "words": "token_counts", "grams": {"hashed_ngrams": {"n_features": 4}}}')$$, 'a pipeline of all steps');
CREATE TEMP TABLE pipeline AS SELECT ml.artifact('all steps') AS bytes;
SELECT is(pg_temp.transformed(bytes), 'ok', 'transforms, and back') FROM pipeline;
SELECT is_empty($$SELECT i, mask, state FROM pipeline CROSS JOIN generate_series(0, length(bytes) - 33) i CROSS JOIN (VALUES (1), (64), (255)) v(mask)
	CROSS JOIN LATERAL (SELECT pg_temp.transformed(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) AS state OFFSET 0) t
	WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$, 'changed and sealed: a proper error, or a legal pipeline');
SELECT is_empty($$SELECT i, value, state FROM pipeline CROSS JOIN generate_series(32, length(bytes) - 40, 3) i CROSS JOIN (VALUES (4294967295), (65536)) v(value)
	CROSS JOIN LATERAL (SELECT pg_temp.transformed(pg_temp.sealed(pg_temp.with_number(bytes, i, 4, value))) AS state OFFSET 0) t
	WHERE state NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$, 'huge counts: a proper error');
SELECT lives_ok($$SELECT ml.drop_model('all steps')$$, '(without it)');

-- ---- what the errors say ----

SELECT is(pg_temp.message(pg_temp.sealed(pg_temp.with_number(pg_temp.with_number(bytes, 8, 2, 3), 10, 2, 3))),
	'the given model was written by a newer release of relearn: Its format is 3, this release knows up to 2.', 'a newer format') FROM intact;
SELECT is(pg_temp.state(pg_temp.sealed(pg_temp.with_number(bytes, 8, 2, 3))), 'ok', 'a newer writer that asks for no newer reader is fine') FROM intact;
SELECT is(pg_temp.state(pg_temp.sealed(pg_temp.with_number(bytes, 12, 2, 60000))), '0A000', 'an algorithm unknown here') FROM intact;
SELECT is(pg_temp.state(pg_temp.sealed(pg_temp.with_number(bytes, 14, 2, 60000))), '0A000', 'a newer format of its payload') FROM intact;
SELECT is(pg_temp.message(set_byte(bytes, 300, get_byte(bytes, 300) # 1)), 'the given model is damaged: Its sha-256 does not match its bytes.', 'a changed bit') FROM intact;
SELECT is(pg_temp.message(set_byte(bytes, 0, 0)), 'the given model is damaged: It does not start like a model.', 'no model') FROM intact;
SELECT is(pg_temp.message(pg_temp.sealed(pg_temp.with_number(bytes, 32, 2, 8))), 'the given model is damaged: Section 8 was found where section 1 is expected.',
	'an unknown section') FROM intact;

-- ---- the same through the registry, which names the model ----

SELECT lives_ok(format('SELECT ml.drop_model(%L)', model), '(without ' || model || ')') FROM other;

UPDATE ml._version SET artifact = set_byte(artifact, 300, get_byte(artifact, 300) # 1);
SELECT throws_ok($$SELECT ml.predict('homes', '{}')$$, 'XX001', 'model "homes" version 1 is damaged');
SELECT throws_ok($$SELECT ml.describe('homes')$$, 'XX001', 'model "homes" version 1 is damaged');
UPDATE ml._version SET artifact = pg_temp.sealed(artifact);
SELECT throws_ok($$SELECT ml.predict('homes', '{}')$$, 'XX001', 'model "homes" version 1 is damaged');
UPDATE ml._version SET artifact = substring(artifact FROM 1 FOR 20);
SELECT throws_ok($$SELECT ml.predict('homes', '{}')$$, 'XX001', 'model "homes" version 1 is damaged');
UPDATE ml._version SET artifact = '';
SELECT throws_ok($$SELECT ml.predict('homes', '{}')$$, 'XX001', 'model "homes" version 1 is damaged');
UPDATE ml._version SET artifact = (SELECT bytes FROM intact), sha256 = '\x00';
UPDATE ml._model SET current_sha256 = '\x00';
SELECT throws_ok($$SELECT ml.predict('homes', '{}')$$, 'XX001', NULL, 'a hash of the registry that is none');
UPDATE ml._model SET current_sha256 = substring((SELECT bytes FROM intact) FROM length((SELECT bytes FROM intact)) - 31);
SELECT is(pg_temp.state((SELECT bytes FROM intact)), 'ok', 'the intact one is');
SELECT lives_ok($$SELECT ml.predict('homes', h) FROM homes h LIMIT 1$$, 'by name, too');
SELECT throws_ok($$SELECT ml.predict(set_byte(bytes, 300, get_byte(bytes, 300) # 1), '{}') FROM intact$$, 'XX001', 'the given model is damaged',
	'a model in the cache does not answer for other bytes that end like it');
UPDATE ml._model SET grantee_rights = '{1,2}';
SELECT lives_ok($$SELECT ml.predict('homes', h) FROM homes h LIMIT 1$$, 'a damaged list of grants does not keep out the owner');
CREATE ROLE t_reader;
CREATE FUNCTION pg_temp.state_as_reader() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE t_reader;
	PERFORM ml.predict('homes', '{}');
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.state_as_reader(), 'XX001', 'others get an error');

SELECT * FROM finish();
ROLLBACK;
