-- Words, n-grams and hashes of texts.
-- Literals: scikit-learn 1.9.1 (CountVectorizer, TfidfVectorizer) on the same rows.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TABLE notes AS
SELECT * FROM unnest(ARRAY[1,2,3,4,5,6,7], ARRAY['The cat sat on the mat.', 'A dog and a cat!', 'Dogs_and cats: CAT, dog; 2 dogs', NULL, 'Über-Äpfel kosten 5 Euro; ÄPFEL!',
	'the the the end', 'Ελλάδα и МОСКВА — cat']) AS t (id, note);

-- {"word": count, ...} of a row, zeros left out
CREATE FUNCTION pg_temp.words(preprocess jsonb, text text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE model text := 'words'; answer jsonb; cells float8[];
BEGIN
	PERFORM ml.fit_pipeline(model, 'SELECT note FROM notes', preprocess);
	model := 'words:' || (SELECT max(version) FROM ml.versions v WHERE v.model = 'words');
	cells := ml.transform(model, jsonb_build_object('note', text));
	SELECT jsonb_object_agg(replace(c.column_name, 'note: ', ''), round(v::numeric, 12)::float8) INTO answer FROM ml.transform_columns(model) c
		JOIN unnest(cells) WITH ORDINALITY AS u (v, place) USING (place) WHERE v <> 0;
	RETURN answer;
END $$;

SELECT is(pg_temp.words('{"note": "token_counts"}', note), wanted::jsonb, note)
FROM notes JOIN (VALUES
	(1, '{"cat": 1, "mat": 1, "on": 1, "sat": 1, "the": 2}'),
	(3, '{"cat": 1, "cats": 1, "dog": 1, "dogs": 1, "dogs_and": 1}'),
	(4, NULL),
	(5, '{"über": 1, "äpfel": 2, "kosten": 1, "euro": 1}'),
	(7, '{"cat": 1, "ελλάδα": 1, "москва": 1}')) v (id, wanted) USING (id);
SELECT is(pg_temp.words('{"note": {"token_counts": {"ngram_max": 2, "min_df": 2}}}', 'the cat and the dog'), '{"the": 2, "cat": 1, "dog": 1}', 'of two rows at least');
SELECT is(pg_temp.words('{"note": {"token_counts": {"ngram_min": 2, "ngram_max": 2}}}', 'THE   cat -- sat.'), '{"the cat": 1, "cat sat": 1}', 'pairs, whatever stands between');
SELECT is(pg_temp.words('{"note": {"CountVectorizer": {"binary": true, "max_features": 2}}}', 'the cat the cat dog'), '{"cat": 1, "the": 1}', 'the most frequent, yes or no');
SELECT is(pg_temp.words('{"note": {"token_counts": {"analyzer": "char", "ngram_min": 2, "ngram_max": 2, "min_df": 3}}}', 'A dog and a Cat!'), '{" c": 1, "at": 1, "ca": 1, "nd": 1}', 'pairs of characters');

CREATE FUNCTION pg_temp.near(found jsonb, wanted jsonb) RETURNS boolean LANGUAGE sql AS $$
SELECT (SELECT count(*) FROM jsonb_object_keys(found)) = (SELECT count(*) FROM jsonb_object_keys(wanted)) AND
	(SELECT bool_and(abs((found->>k)::float8 - w::float8) < 1e-11) FROM jsonb_each_text(wanted) e (k, w))
$$;
SELECT ok(pg_temp.near(pg_temp.words(preprocess::jsonb, note), wanted::jsonb), preprocess || ': ' || note)
FROM notes JOIN (VALUES
	(1, '{"note": {"tfidf": {"max_df": 0.3, "stop_words": ["the", "and"]}}}', '{"mat": 0.5773502691896257, "on": 0.5773502691896257, "sat": 0.5773502691896257}'),
	(3, '{"note": {"tfidf": {"max_df": 0.3, "stop_words": ["the", "and"]}}}',
		'{"cats": 0.5206467559864713, "dog": 0.43218152024617124, "dogs": 0.5206467559864713, "dogs_and": 0.5206467559864713}'),
	(7, '{"note": {"TfidfVectorizer": {"max_df": 0.3, "stop_words": ["the", "and"]}}}', '{"ελλάδα": 0.7071067811865476, "москва": 0.7071067811865476}'),
	(1, '{"note": {"tfidf": {"sublinear_tf": true, "norm": "l1", "min_df": 2}}}', '{"cat": 0.3047372850863689, "the": 0.6952627149136312}'),
	(3, '{"note": {"tfidf": {"sublinear_tf": true, "norm": "l1", "min_df": 2}}}', '{"cat": 0.42598516920474294, "dog": 0.5740148307952571}')) v (id, preprocess, wanted) USING (id);

SELECT is((SELECT count(*) FROM ml.describe('words') WHERE column_name = 'note' AND kind = 'text' AND levels IS NULL), 1::bigint, 'texts are not kept in the model');
SELECT cmp_ok(length(ml.artifact('words')), '<', 4000, 'which stays small');

-- ---- hashes ----

SELECT lives_ok($$SELECT ml.fit_pipeline('hashed', 'SELECT note FROM notes', '{"note": {"hashed_ngrams": {"n_features": 16}}}')$$, 'hashed');
SELECT is(cardinality(ml.transform('hashed', '{"note": "cat"}')), 16, 'as many columns as asked for');
SELECT is(ml.transform('hashed', '{"note": "Cat!"}'), ml.transform('hashed', '{"note": "cat"}'), 'one word, one column');
SELECT is((SELECT array_agg(v ORDER BY v) FROM unnest(ml.transform('hashed', '{"note": "cat"}')) v WHERE v <> 0), ARRAY[(SELECT v FROM unnest(ml.transform('hashed', '{"note": "cat"}')) v WHERE abs(v) = 1)], 'of length 1');
SELECT isnt(ml.transform('hashed', '{"note": "giraffe"}'), ml.transform('hashed', '{"note": null}'), 'a new word has its place');
SELECT lives_ok($$SELECT ml.fit_pipeline('levels', 'SELECT note FROM notes', '{"note": {"hash": {"n_features": 4, "alternate_sign": false}}}')$$, 'levels hashed');
SELECT is((SELECT sum(v) FROM unnest(ml.transform('levels', '{"note": "never seen"}')) v), 1::float8, 'an unseen level is in one column');
SELECT is((SELECT sum(v) FROM unnest(ml.transform('levels', '{"note": null}')) v), 0::float8, 'a missing one in none');

-- ---- inside models; rows one by one, in blocks and as JSON ----

CREATE TABLE reviews AS
SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'good ' ELSE 'bad ' END || (ARRAY['film', 'book', 'meal', 'trip'])[1 + i % 4] || ' number ' || i AS review, i % 2 = 0 AS liked
FROM generate_series(1, 3000) i;
SELECT lives_ok($$SELECT ml.train('reviews', 'reviews', 'liked', 'logistic_regression', key => 'id', preprocess => '{"review": {"tfidf": {"max_features": 50}}}')$$, 'trained on texts');
SELECT is((SELECT value FROM ml.evaluate('reviews') WHERE metric = 'roc_auc'), 1::float8, 'words tell all');
SELECT is((SELECT value FROM ml.evaluate('reviews', 'reviews') WHERE metric = 'accuracy'), 1::float8, 'other rows');
SELECT is((SELECT count(*) FROM ml.predict_table('reviews', 'reviews', 'id') p JOIN reviews r ON r.id::text = p.key WHERE p.prediction <> ml.predict('reviews', r.*)), 0::bigint,
	'rows and blocks are equal');
SELECT is(ml.predict_proba('reviews', '{"review": "good film"}'), ml.predict_proba('reviews', r.*), 'JSON') FROM (SELECT 'good film'::text AS review) r;
SELECT ok(ml.predict_proba('reviews', '{"review": "a GOOD thing"}') > 0.8, 'a text that training did not show');
SELECT throws_ok($$SELECT ml.fit_pipeline('w', 'SELECT id, note FROM notes', '{"id": "tfidf"}')$$, '42804', NULL, 'a number has no words');
SELECT throws_ok($$SELECT ml.fit_pipeline('w', 'SELECT note FROM notes', '{"note": ["tfidf", "onehot"]}')$$, '42804', NULL, 'nor have counts levels');

-- ---- damaged bytes ----

CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;
CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.transform(model, '{"note": "a cat and a dog"}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE intact AS SELECT ml.artifact(m) AS bytes FROM unnest('{words,hashed}'::text[]) m;
SELECT is_empty($$SELECT i, mask, s FROM intact, generate_series(32, length(bytes) - 33) i, unnest('{1,4,255}'::int[]) mask,
	pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) s WHERE s NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$, 'changed and sealed: refused in words, or a legal model');
SELECT is_empty($$SELECT n FROM intact, generate_series(40, length(bytes) - 1, 5) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');

SELECT * FROM finish();
ROLLBACK;
