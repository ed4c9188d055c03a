-- Categories: one column per level, the rare ones together, missing ones apart, unseen ones as "other" or as the training shares.
-- Oracle: scikit-learn 1.9.1, Ridge(alpha=1) on the 0/1 columns written out by hand.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(29);

CREATE TABLE categories AS
SELECT word, (CASE word WHEN 'alpha' THEN 1 WHEN 'beta' THEN 2 WHEN 'gamma' THEN -3 WHEN 'delta' THEN 7 WHEN 'epsilon' THEN 0 WHEN 'zeta' THEN 4 ELSE -5 END
	+ (i % 5) * 0.5)::float8 AS y,
	(CASE coalesce(word, 'alpha') WHEN 'alpha' THEN 1 WHEN 'beta' THEN 2 WHEN 'gamma' THEN -3 WHEN 'delta' THEN 7 WHEN 'epsilon' THEN 0 ELSE 4 END
	+ (i % 5) * 0.5)::float8 AS y2
FROM generate_series(1, 80) i, LATERAL (SELECT CASE WHEN i % 9 = 0 THEN NULL WHEN i % 20 < 8 THEN 'alpha' WHEN i % 20 < 13 THEN 'beta'
	WHEN i % 20 < 16 THEN 'gamma' WHEN i % 20 < 18 THEN 'delta' WHEN i % 20 < 19 THEN 'epsilon' ELSE 'zeta' END AS word) w;

CREATE FUNCTION pg_temp.learn(name text, source text, max_categories int, l2 float8 DEFAULT 1) RETURNS text[] LANGUAGE sql AS
$$
	SELECT ARRAY(SELECT w FROM unnest(warnings) w WHERE w LIKE 'column %') FROM ml.train(name, source, 'y', 'linear_regression', jsonb_build_object('l2', l2, 'max_categories', max_categories),
		split => '{"train": 1, "validation": 0, "test": 0}')
$$;
CREATE FUNCTION pg_temp.close(got float8, wanted float8) RETURNS boolean LANGUAGE sql AS $$ SELECT abs(got - wanted) <= 1e-9 * greatest(1, abs(wanted)) $$;

-- four places, one of them for the rare levels
SELECT is(pg_temp.learn('rare', 'SELECT word, y FROM categories', 4), '{}', 'trained with rare levels');
SELECT results_eq('SELECT feature FROM ml.coefficients(''rare'')',
	ARRAY['(intercept)', 'word=alpha', 'word=beta', 'word=gamma', 'word=(other)', 'word is missing'], 'the most frequent levels, bytewise');
SELECT ok(pg_temp.close(ml.predict('rare', t), wanted), 'rare levels together: ' || coalesce(word, 'NULL'))
FROM (VALUES ('alpha', 1.7853463625128294::float8), ('beta', 2.845283730283416), ('gamma', -1.6616340937179221), ('delta', 5.604026058358994),
	('zeta', 5.604026058358994), ('unseen', 5.604026058358994), ('', 5.604026058358994), ('Alpha', 5.604026058358994), (NULL, -3.2710676805127887)) t (word, wanted);

-- room for all: no "other"
SELECT is(pg_temp.learn('all', 'SELECT word, y FROM categories', 50), '{}', 'trained with all levels');
SELECT results_eq('SELECT feature FROM ml.coefficients(''all'')',
	ARRAY['(intercept)', 'word=alpha', 'word=beta', 'word=delta', 'word=epsilon', 'word=gamma', 'word=zeta', 'word is missing'], 'all levels, bytewise');
SELECT ok(pg_temp.close(ml.predict('all', t), wanted), 'all levels kept: ' || coalesce(word, 'NULL'))
FROM (VALUES ('alpha', 1.8158469945355185::float8), ('zeta', 5.19508196721312), (NULL, -3.1693989071038304), ('unseen', 1.7125)) t (word, wanted);
SELECT is(pg_temp.learn('six', 'SELECT word, y FROM categories', 6), '{}', 'as many places as levels');
SELECT is((SELECT count(*) FROM ml.coefficients('six') WHERE feature = 'word=(other)'), 0::bigint, 'need no "other"');

-- NULL where training had none is one more unseen level
SELECT is(pg_temp.learn('complete', 'SELECT coalesce(word, ''alpha'') AS word, y2 AS y FROM categories', 50), '{}', 'trained without missing cells');
SELECT ok(pg_temp.close(ml.predict('complete', t), wanted), 'no missing cells in training: ' || coalesce(word, 'NULL'))
FROM (VALUES ('beta', 2.9456774906680816::float8), ('unseen', 2.3125), (NULL, 2.3125)) t (word, wanted);

-- least squares without a penalty leaves out the first column, and still answers with the means of the groups
SELECT is(pg_temp.learn('reference', 'SELECT word, y FROM categories', 50, 0), '{}', 'trained by least squares');
SELECT is((SELECT count(*) FROM ml.coefficients('reference') WHERE feature = 'word=alpha'), 0::bigint, 'the first level is the reference');
SELECT ok(bool_and(pg_temp.close(ml.predict('reference', t), mean)), 'group means')
FROM (SELECT word, avg(y) AS mean FROM categories GROUP BY word) t;

-- what carries nothing, keys, names that need care
CREATE TABLE odd AS
SELECT 'key ' || i AS key, 'one' AS same, NULL::text AS empty, CASE WHEN i % 2 = 0 THEN 'one' END AS half, (ARRAY['a "b"', '', '🐘'])[1 + i % 3] AS "wei=rd",
	CASE WHEN i <= 20 THEN i::text END AS few, i % 7 AS y FROM generate_series(1, 60) i;
SELECT is(pg_temp.learn('odd', 'SELECT * FROM odd', 50), ARRAY['column "key" is left out: 60 of 60 values are distinct, as in a key',
	'column "same" is left out: it is constant', 'column "empty" is left out: all its values are missing'], 'left out with a reason');
SELECT results_eq('SELECT DISTINCT source_column COLLATE "C" FROM ml.coefficients(''odd'') WHERE source_column IS NOT NULL ORDER BY 1',
	ARRAY['few', 'half', 'wei=rd'] COLLATE "C", '20 distinct values are no key yet');
SELECT results_eq('SELECT feature FROM ml.coefficients(''odd'') WHERE source_column <> ''few'' AND source_column IS NOT NULL',
	ARRAY['half=one', 'half is missing', 'wei=rd=', 'wei=rd=a "b"', 'wei=rd=🐘'], 'names of levels as they are');

SELECT * FROM finish();
ROLLBACK;
