-- The decision tree against scikit-learn 1.9.1 (DecisionTreeClassifier, DecisionTreeRegressor), which grows the same tree where no two splits tie.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Integers and text only, no random(): the same table everywhere.
CREATE TEMP TABLE houses AS
SELECT id, a, b, c, d, 1 + id % 3 AS w,
	(a > 13)::int * 40 + b * 0.7 + (c IN (1, 4, 6))::int * 15 + noise / 100.0 AS price,
	((a > 13)::int + (b > 20)::int * 2 + (noise > 850)::int) % 4 || '' AS class,
	((a + b) % 7 > 3) <> (noise > 800) AS odd
FROM generate_series(1, 3000) id,
	LATERAL (SELECT id * 7919 % 23 AS a, id::bigint * 104729 % 41 AS b, id * 31 % 8 AS c, id * 17 % 5 AS d, id * 2654435761 % 1000 AS noise) s;

CREATE FUNCTION pg_temp.fit(target text, params jsonb, weights text DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT model || ':' || version FROM ml.train('tree', format('SELECT a, b, c, d, w, %I FROM houses', target), target, 'decision_tree', params => params,
	weights => weights, exclude => CASE WHEN weights IS NULL THEN '{w}'::text[] END, split => '{"train": 1}') $$;
-- Models made in a statement are seen by those after it: here, by the query, in which MODEL stands for the name.
CREATE FUNCTION pg_temp.ask(model text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE replace(query, 'MODEL', quote_literal(model)) INTO answer;
	RETURN answer;
END $$;
CREATE FUNCTION pg_temp.shape(target text, params jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT pg_temp.ask(pg_temp.fit(target, params), 'SELECT count(value) || '' leaves, depth '' || max(depth) FROM ml.trees(MODEL, 0)') $$;

-- ---- regression: the whole tree ----

SELECT is(pg_temp.ask(pg_temp.fit('price', '{"max_depth": 3}'),
	$$SELECT string_agg(concat_ws(' ', samples, split_column, round(value[1]::numeric, 4)), ', ' ORDER BY node) FROM ml.trees(MODEL)$$),
	'3000 a, 1826 b, 1174 b, 979 b, 847 b, 443 13.6742, 536 21.5219, 356 28.5921, 491 35.0410, 575 b, 599 b, 260 53.4142, 315 60.4933, 285 67.7182, 314 75.1432',
	'three levels of splits and their means');
SELECT is(pg_temp.ask(pg_temp.fit('price', '{"max_depth": 3}', 'w'),
	$$SELECT string_agg(round(value[1]::numeric, 4)::text, ' ' ORDER BY value[1]) FROM ml.trees(MODEL)$$),
	'13.3062 20.9150 28.0412 35.0963 53.7054 60.7585 67.9664 75.0720', 'weights');

CREATE TEMP TABLE judged AS
SELECT params, pg_temp.shape('price', params), pg_temp.ask(pg_temp.fit('price', params), 'SELECT round(avg((price - ml.predict(MODEL, h.*)) ^ 2)::numeric, 3) FROM houses h')::numeric AS mse
FROM unnest('{"{\"max_depth\": 4}", "{\"min_samples_leaf\": 50}", "{\"min_samples_split\": 300}", "{\"min_impurity_decrease\": 2}", "{\"max_leaf_nodes\": 9}"}'::jsonb[]) params;
SELECT results_eq('SELECT params::text, shape, mse FROM judged ORDER BY 1',
	$$VALUES ('{"max_depth": 4}', '16 leaves, depth 4', 60.089), ('{"max_leaf_nodes": 9}', '9 leaves, depth 4', 64.295),
	('{"min_impurity_decrease": 2}', '8 leaves, depth 3', 65.130), ('{"min_samples_leaf": 50}', '45 leaves, depth 9', 33.493),
	('{"min_samples_split": 300}', '21 leaves, depth 6', 49.721)$$, 'every way to stop growing');

-- ---- cost-complexity pruning ----

SELECT results_eq($$SELECT alpha, pg_temp.shape('price', jsonb_build_object('ccp_alpha', alpha)) FROM unnest('{0.05,0.5,2,10,50}'::numeric[]) alpha$$,
	$$VALUES (0.05, '84 leaves, depth 10'), (0.5, '56 leaves, depth 9'), (2, '8 leaves, depth 3'), (10, '4 leaves, depth 2'), (50, '2 leaves, depth 1')$$,
	'pruning a regression tree');
SELECT results_eq($$SELECT alpha, pg_temp.shape('class', jsonb_build_object('ccp_alpha', alpha)) FROM unnest('{0.0005,0.001,0.01}'::numeric[]) alpha$$,
	$$VALUES (0.0005, '122 leaves, depth 19'), (0.001, '4 leaves, depth 2'), (0.01, '4 leaves, depth 2')$$, 'of four classes');
SELECT results_eq($$SELECT alpha, pg_temp.shape('odd', jsonb_build_object('ccp_alpha', alpha)) FROM unnest('{0.001,0.002,0.01}'::numeric[]) alpha$$,
	$$VALUES (0.001, '17 leaves, depth 13'), (0.002, '3 leaves, depth 2'), (0.01, '1 leaves, depth 0')$$, 'of two');

-- ---- classes ----

SELECT results_eq($$SELECT t, p, pg_temp.shape(t, p) FROM unnest('{class,odd}'::text[]) t,
	unnest('{"{\"max_depth\": 4}", "{\"min_samples_leaf\": 50}", "{\"min_samples_split\": 300}", "{\"max_leaf_nodes\": 9}"}'::jsonb[]) p ORDER BY 1, 2$$,
	$$VALUES ('class', '{"max_depth": 4}'::jsonb, '16 leaves, depth 4'), ('class', '{"max_leaf_nodes": 9}', '9 leaves, depth 5'),
	('class', '{"min_samples_leaf": 50}', '47 leaves, depth 11'), ('class', '{"min_samples_split": 300}', '24 leaves, depth 9'),
	('odd', '{"max_depth": 4}', '15 leaves, depth 4'), ('odd', '{"max_leaf_nodes": 9}', '9 leaves, depth 5'),
	('odd', '{"min_samples_leaf": 50}', '45 leaves, depth 10'), ('odd', '{"min_samples_split": 300}', '30 leaves, depth 10')$$, 'shapes');
SELECT is(pg_temp.ask(pg_temp.fit('class', '{"max_depth": 4}'), 'SELECT round(sum(ml.predict_proba(MODEL, h.*, label::text) ^ 2)::numeric, 5) FROM houses h, generate_series(0, 3) label'),
	'2250.43831', 'probabilities of four classes');
SELECT is(pg_temp.ask(pg_temp.fit('odd', '{"max_depth": 4}'),
	'SELECT round(sum(p ^ 2 + (1 - p) ^ 2)::numeric, 5) FROM houses h, LATERAL (SELECT ml.predict_proba(MODEL, h.*) AS p) s'), '1567.29724', 'and of two');

-- ---- no gain at first: exclusive or ----

CREATE TEMP TABLE exclusive AS SELECT i / 2 % 2 AS p, i % 2 AS q, (i / 2 % 2) <> (i % 2) AS y FROM generate_series(0, 39) i;
SELECT ml.train('xor', 'exclusive', 'y', 'decision_tree', split => '{"train": 1}');
SELECT is((SELECT count(*) FROM exclusive e WHERE ml.predict_class('xor', e.*)::boolean <> y), 0::bigint, 'exclusive or is learned');

-- ---- where the sign turns there is a cut, however many values there are ----

CREATE TEMP TABLE signs AS
SELECT x, x > 0 AS gain, whole, whole >= 0 AS no_loss FROM generate_series(1, 20011) i, LATERAL (SELECT (i * 7919::bigint % 20011 - 9999.5) / 7 AS x,
	i * 104729::bigint % 20011 - 10000 AS whole) s;
SELECT ml.train('gain', 'SELECT x, gain FROM signs', 'gain', 'decision_tree', split => '{"train": 1}');
SELECT results_eq($$SELECT condition FROM ml.tree_rules('gain')$$, $$VALUES ('x <= 0'), ('x > 0 or missing')$$, 'at zero');
SELECT ml.train('no_loss', 'SELECT whole, no_loss FROM signs', 'no_loss', 'decision_tree', split => '{"train": 1}');
SELECT is((SELECT count(*) FROM ml.tree_rules('no_loss')), 2::bigint, 'and below zero where that is a value');

-- ---- categories and what is missing ----

CREATE TEMP TABLE levels AS
SELECT chr(97 + id * 31 % 8) AS quarter, CASE WHEN id % 7 <> 0 THEN a::float8 END AS a, price + (id % 7 = 0)::int * 30 AS price FROM houses;
SELECT ml.train('subset', 'SELECT quarter, price FROM levels', 'price', 'decision_tree', params => '{"max_depth": 1}', split => '{"train": 1}');
SELECT is((SELECT round(sum((price - ml.predict('subset', l.*)) ^ 2)::numeric, 1) FROM levels l),
	(SELECT round(min(sse)::numeric, 1) FROM (SELECT sum((price - m) ^ 2) AS sse FROM (
		SELECT subset, price, avg(price) OVER (PARTITION BY subset, (subset >> (ascii(quarter) - 97)) & 1) AS m FROM levels, generate_series(1, 127) subset) s GROUP BY subset) t),
	'the best of all subsets of eight levels');
SELECT ml.train('gap', 'SELECT a, a IS NULL AS y FROM levels', 'y', 'decision_tree', split => '{"train": 1}');
SELECT results_eq($$SELECT condition FROM ml.tree_rules('gap')$$, $$VALUES ('a is not missing'), ('a is missing')$$, 'a split between what is missing and what is not');

-- ---- rules and SQL ----

SELECT ml.train('both', 'levels', 'price', 'decision_tree', params => '{"max_depth": 6}', split => '{"train": 1}');
SELECT is(sum(samples), 3000::float8, 'rules share all rows') FROM ml.tree_rules('both');
SELECT is_empty($$SELECT condition FROM ml.tree_rules('both') WHERE condition ~ 'or missing and|or missing$'$$, 'in rules of several conditions those with "or" stand in parentheses');
SELECT isnt_empty($$SELECT condition FROM ml.tree_rules('both') WHERE condition LIKE '(% or missing) and %'$$, 'there are some');
CREATE FUNCTION pg_temp.disagreements(model text, source text, predict text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s t WHERE (%s) IS DISTINCT FROM ml.%s(%L, t.*)', source, ml.tree_sql(model), predict, model) INTO n;
	RETURN n;
END $$;
INSERT INTO levels VALUES (NULL, NULL, NULL), ('never seen', 3, NULL), ('a', 'Infinity', NULL), ('b', '-Infinity', NULL);
SELECT is(pg_temp.disagreements('both', 'levels', 'predict'), 0::bigint, 'the SQL expression answers as the model does');
CREATE TEMP TABLE mixed AS
SELECT id, a::numeric AS "A b", b::real AS "select", CASE WHEN id % 5 > 0 THEN c < 3 END AS flag, CASE id % 11 WHEN 0 THEN NULL WHEN 1 THEN 'it''s' ELSE 'l' || d END AS word,
	CASE WHEN id % 13 = 0 THEN 'NaN' ELSE sqrt(id) END AS root, make_interval(mins => id % 100) AS span, class FROM houses;
SELECT ml.train('mixed', 'mixed', 'class', 'decision_tree', key => 'id', params => '{"max_depth": 12}', split => '{"train": 1}');
SELECT is(pg_temp.disagreements('mixed', 'mixed', 'predict_class'), 0::bigint, 'for odd names, types and values too');
SELECT ml.train('rare', 'mixed', 'class', 'decision_tree', key => 'id', params => '{"max_depth": 12, "max_categories": 4}', split => '{"train": 1}');
SELECT is(pg_temp.disagreements('rare', 'mixed', 'predict_class'), 0::bigint, 'and for rare levels in one bucket');
SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') AS has_icu \gset
\if :has_icu
CREATE COLLATION pg_temp.blind (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE TEMP TABLE cased AS SELECT (ARRAY['a', 'A', 'b', 'B'])[1 + id % 4] COLLATE pg_temp.blind AS letter, id % 4 AS y FROM houses;
SELECT ml.train('cased', 'cased', 'y', 'decision_tree', split => '{"train": 1}');
SELECT is(pg_temp.disagreements('cased', 'cased', 'predict'), 0::bigint, 'and where the collation is blind for case');
\else
SELECT skip('this server was built without ICU', 1);
\endif
SELECT ml.train('dates', 'SELECT date ''2026-01-01'' + (id % 365)::int AS day, id % 365 > 180 AS y FROM houses', 'y', 'decision_tree', split => '{"train": 1}');
SELECT throws_like($$SELECT ml.tree_sql('dates')$$, '%cannot be written as an expression', 'parts of dates are refused');
SELECT ml.train('many', 'levels', 'price', 'random_forest', params => '{"n_estimators": 2}', split => '{"train": 1}');
SELECT throws_ok($$SELECT ml.tree_sql('many')$$, '0A000', NULL, 'a forest is no single expression');
SELECT throws_ok($$SELECT ml.tree_rules('many')$$, '0A000', NULL, 'and no list of rules');
SELECT throws_ok($$SELECT ml.tree_sql('none')$$, '42704', NULL, 'no such model');

-- ---- bad input ----

SELECT is(pg_temp.ask(pg_temp.fit('price', '{"min_samples_leaf": 2000}'), 'SELECT split_column FROM ml.trees(MODEL)'), NULL, 'too few rows for a split: one leaf');
SELECT throws_ok(format($$SELECT pg_temp.fit('price', %L)$$, p), '22023', NULL, p) FROM unnest('{"{\"max_leaf_nodes\": 1}", "{\"ccp_alpha\": -1}", "{\"min_samples_leaf\": 0}", "{\"min_samples_split\": 1}", "{\"max_features\": 0}", "{\"n_estimators\": 5}"}'::text[]) p;

SELECT * FROM finish();
ROLLBACK;
