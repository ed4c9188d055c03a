-- Random forest and extra trees: against scikit-learn 1.9.1 out of the bag (mean of three seeds), against single trees, and against what is known.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TEMP TABLE houses AS
SELECT id, a, b, c, d, 1 + id % 3 AS w,
	(a > 13)::int * 40 + b * 0.7 + (c IN (1, 4, 6))::int * 15 + noise / 100.0 AS price,
	((a > 13)::int + (b > 20)::int * 2 + (noise > 850)::int) % 4 || '' AS class,
	(a > 13) <> (noise > 800) AS high
FROM generate_series(1, 3000) id,
	LATERAL (SELECT id * 7919 % 23 AS a, id::bigint * 104729 % 41 AS b, id * 31 % 8 AS c, id * 17 % 5 AS d, id * 2654435761 % 1000 AS noise) s;

CREATE FUNCTION pg_temp.fit(algorithm text, target text, params jsonb, seed bigint DEFAULT 0, weights text DEFAULT NULL, rest text DEFAULT '') RETURNS text LANGUAGE sql AS
$$ SELECT model || ':' || version FROM ml.train('forest', format('SELECT a, b, c, d, w, %I FROM houses %s', target, rest), target, algorithm, params => params,
	weights => weights, exclude => CASE WHEN weights IS NULL THEN '{w}'::text[] END, split => '{"train": 1}', seed => seed) $$;
-- Models made in a statement are seen by those after it: here, by the query, in which MODEL stands for the name.
CREATE FUNCTION pg_temp.ask(model text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE replace(query, 'MODEL', quote_literal(model)) INTO answer;
	RETURN answer;
END $$;
CREATE FUNCTION pg_temp.out_of_bag(model text, wanted text) RETURNS float8 LANGUAGE sql AS
$$ SELECT pg_temp.ask(model, format('SELECT value FROM ml.run_metrics r WHERE r.model || '':'' || version = MODEL AND part = ''out of bag'' AND metric = %L', wanted))::float8 $$;

-- ---- one tree on all rows and columns is the decision tree ----

SELECT is((SELECT pg_temp.ask(f || ' ' || t, $$SELECT count(*) FROM houses h
	WHERE abs(ml.predict(split_part(MODEL, ' ', 1), h.*) - ml.predict(split_part(MODEL, ' ', 2), h.*)) > 1e-9$$)), '0', 'three equal trees of numbers')
FROM pg_temp.fit('random_forest', 'price', '{"n_estimators": 3, "bootstrap": false, "min_data_in_leaf": 2}') f, pg_temp.fit('decision_tree', 'price', '{"min_data_in_leaf": 2}') t;
SELECT is((SELECT pg_temp.ask(f || ' ' || t, $$SELECT count(*) FROM houses h, unnest('{0,1,2,3}'::text[]) label
	WHERE abs(ml.predict_proba(split_part(MODEL, ' ', 1), h.*, label) - ml.predict_proba(split_part(MODEL, ' ', 2), h.*, label)) > 1e-9$$)), '0', 'of classes')
FROM pg_temp.fit('random_forest', 'class', '{"n_estimators": 3, "bootstrap": false, "min_data_in_leaf": 2, "max_features": 1}') f,
	pg_temp.fit('decision_tree', 'class', '{"min_data_in_leaf": 2}') t;

-- ---- words for the number of columns: of four, two and two and four ----

SELECT is((SELECT pg_temp.ask(w || ' ' || n, $$SELECT max(abs(ml.predict(split_part(MODEL, ' ', 1), h.*) - ml.predict(split_part(MODEL, ' ', 2), h.*))) FROM houses h$$)), '0',
	'max_features ' || word || ' of four columns is ' || number)
FROM (VALUES ('sqrt', 2), ('log2', 2), ('all', 4)) t (word, number),
	LATERAL pg_temp.fit('random_forest', 'price', jsonb_build_object('n_estimators', 3, 'max_features', word)) w,
	LATERAL pg_temp.fit('random_forest', 'price', jsonb_build_object('n_estimators', 3, 'max_features', number)) n;

SELECT ml.train('told', 'SELECT a, b, price FROM houses', 'price', 'random_forest', '{"n_estimators": 1, "max_features": "log2"}');
SELECT is(params ->> 'max_features', 'log2', 'the word is kept') FROM ml.runs WHERE model = 'told';

-- ---- numbers far from 0: milliseconds since 1970, say ----

CREATE TEMP TABLE far AS SELECT a, b, c, d, price, price + 1.6e12::float8 AS moved FROM houses;
SELECT ml.train('near', 'SELECT a, b, c, d, price FROM far', 'price', algorithm, params, split => '{"train": 1}'),
	ml.train('far', 'SELECT a, b, c, d, moved FROM far', 'moved', algorithm, params, split => '{"train": 1}')
FROM (VALUES ('decision_tree', '{"min_data_in_leaf": 2}'::jsonb), ('random_forest', '{"oob_score": true, "permutation_importance": true, "bootstrap": true}'), ('extra_trees', '{}')) t (algorithm, params);
SELECT cmp_ok((SELECT sqrt(avg((moved - ml.predict('far:' || v, f.*)) ^ 2)) FROM far f), '<=', (SELECT sqrt(avg((price - ml.predict('near:' || v, f.*)) ^ 2)) * 1.1 + 0.001 FROM far f),
	'version ' || v || ' follows them as it does the same numbers near 0') FROM generate_series(1, 3) v;
SELECT cmp_ok(f.value, '<', n.value * 1.02, 'out of the bag too: ' || metric) FROM ml.run_metrics f JOIN ml.run_metrics n USING (part, metric)
WHERE f.model = 'far' AND n.model = 'near' AND part = 'out of bag' AND metric IN ('rmse', 'mae');
SELECT cmp_ok(f.permutation / n.permutation, '<', 1.1::float8, 'and where a column is shuffled') FROM ml.importance('far:2') f JOIN ml.importance('near:2') n USING (column_name)
WHERE column_name = 'a';
SELECT is((SELECT count(*) FROM far f, LATERAL (SELECT ml.predict('far:1', f.*) AS p) s WHERE NOT EXISTS
	(SELECT FROM ml.tree_rules('far:1') WHERE prediction::float8 = p)), 0::bigint, 'rules show the same numbers');

-- ---- out of the bag: scikit-learn's with min_samples_leaf=5 ----

SELECT cmp_ok(pg_temp.out_of_bag(pg_temp.fit('random_forest', 'price', '{"oob_score": true}'), 'rmse'), '<=', 2.9683::float8 * 1.005, 'RMSE');
SELECT cmp_ok(pg_temp.out_of_bag(pg_temp.fit('random_forest', 'class', '{"oob_score": true}'), 'accuracy'), '>=', 0.851::float8 - 0.003, 'accuracy of four classes');
SELECT cmp_ok(pg_temp.out_of_bag(pg_temp.fit('random_forest', 'high', '{"oob_score": true}'), 'roc_auc'), '>=', 0.8340::float8 - 0.003, 'AUC of two');
SELECT is(max(n), 3000::bigint, 'out of 100 bags is every training row') FROM ml.run_metrics WHERE model = 'forest' AND part = 'out of bag';
SELECT cmp_ok(pg_temp.ask(pg_temp.fit('random_forest', 'high', '{"oob_score": true, "n_estimators": 2}'),
	$$SELECT max(n) FROM ml.run_metrics r WHERE r.model || ':' || version = MODEL AND part = 'out of bag'$$)::int, '<', 2000, 'out of two, 60 %');

-- ---- importance by permutation ----

SELECT ml.train('shuffled', 'SELECT a, b, c, d, high FROM houses', 'high', 'random_forest', params => '{"permutation_importance": true}', split => '{"train": 1}');
SELECT is(column_name, 'a', 'the column that matters') FROM (SELECT * FROM ml.importance('shuffled') ORDER BY permutation DESC LIMIT 1) i;
SELECT cmp_ok(permutation, '>', 0.2::float8, 'shuffling it costs accuracy') FROM ml.importance('shuffled') WHERE column_name = 'a';
SELECT is_empty($$SELECT * FROM ml.importance('shuffled') WHERE column_name <> 'a' AND abs(permutation) > 0.03$$, 'shuffling the others does not');
SELECT ml.train('not_shuffled', 'SELECT a, b, high FROM houses', 'high', 'random_forest', params => '{"n_estimators": 2}', split => '{"train": 1}');
SELECT is_empty($$SELECT * FROM ml.importance('not_shuffled') WHERE permutation IS NOT NULL$$, 'NULL where it was not measured');

-- ---- extra trees ----

SELECT cmp_ok(pg_temp.ask(pg_temp.fit('extra_trees', 'price', '{"min_data_in_leaf": 2}'), 'SELECT sqrt(avg((price - ml.predict(MODEL, h.*)) ^ 2)) FROM houses h')::float8,
	'<', 3.0::float8, 'extra trees follow their rows');
SELECT cmp_ok(pg_temp.ask(pg_temp.fit('extra_trees', 'class', '{}'), 'SELECT avg((class = ml.predict_class(MODEL, h.*))::int) FROM houses h')::float8, '>', 0.85::float8, 'of classes too');
SELECT cmp_ok(pg_temp.ask(pg_temp.fit('extra_trees', 'price', '{"max_depth": 1, "max_features": 1e-6}'), 'SELECT count(DISTINCT condition) FROM ml.trees(MODEL) WHERE parent = 0')::int,
	'>', 40, 'cuts are drawn at random');

-- ---- shares ----

SELECT cmp_ok(pg_temp.ask(pg_temp.fit('random_forest', 'class', '{"n_estimators": 7}'),
	$$SELECT max(abs(s - 1)) FROM houses h, LATERAL (SELECT sum(ml.predict_proba(MODEL, h.*, label)) AS s FROM unnest('{0,1,2,3}'::text[]) label) p$$)::float8,
	'<', 1e-12::float8, 'probabilities add up to one');

-- ---- determinism ----

CREATE TEMP TABLE made AS
SELECT algorithm, target, n, pg_temp.ask(pg_temp.fit(algorithm, target, params, seed, rest => rest), 'SELECT sha256(ml.artifact(MODEL))') AS sha
FROM unnest('{random_forest,extra_trees}'::text[]) algorithm, unnest('{price,class,high}'::text[]) target,
	(VALUES (1, 0, 'ORDER BY id', '{"n_estimators": 5}'::jsonb), (2, 0, 'ORDER BY id DESC', '{"n_estimators": 5}'), (3, 0, 'ORDER BY a, id % 17', '{"n_estimators": 5}'),
	(4, 1, '', '{"n_estimators": 5}'), (5, 0, '', '{"n_estimators": 5, "random_state": 1}')) v (n, seed, rest, params);
SELECT is_empty($$SELECT algorithm, target FROM made WHERE n < 4 GROUP BY 1, 2 HAVING count(DISTINCT sha) > 1$$, 'the order of rows does not matter');
SELECT is_empty($$SELECT algorithm, target FROM made GROUP BY 1, 2 HAVING count(DISTINCT sha) < 3$$, 'the seed does, and so does random_state');

-- ---- a team: the same bytes, and the same rows out of the bag, by any number of members ----

CREATE TEMP TABLE teams AS
SELECT algorithm, target, jobs, model, pg_temp.ask(model, 'SELECT sha256(ml.artifact(MODEL))') AS sha,
	pg_temp.ask(model, 'SELECT string_agg(value::text, '' '' ORDER BY metric) FROM ml.run_metrics r WHERE r.model || '':'' || version = MODEL AND part IN (''train'', ''out of bag'')') AS metrics
FROM unnest('{random_forest,extra_trees}'::text[]) algorithm, unnest('{price,class,high}'::text[]) target, unnest('{1,2,3}'::int[]) jobs,
	pg_temp.fit(algorithm, target, jsonb_build_object('n_estimators', 41, 'n_jobs', jobs, 'min_data_in_leaf', 1) ||
		CASE WHEN algorithm = 'random_forest' THEN '{"oob_score": true, "permutation_importance": true}'::jsonb ELSE '{}' END) model;
SELECT is_empty($$SELECT algorithm, target FROM teams GROUP BY 1, 2 HAVING count(DISTINCT sha) > 1$$, 'one member or several: the same bytes');
SELECT is_empty($$SELECT algorithm, target FROM teams GROUP BY 1, 2 HAVING count(DISTINCT metrics) > 1$$, 'the same metrics');

-- ---- the answers for the training rows are those of predict: a difference in the last bit would break ties of the AUC ----

SET LOCAL client_min_messages = error;
SELECT is_empty($$SELECT algorithm, target, e.metric, e.value, r.value FROM teams t
	JOIN ml.run_metrics r ON r.model || ':' || r.version = t.model AND r.part = 'train',
	ml.evaluate(t.model, format('SELECT a, b, c, d, w, %I FROM houses', target)) e
	WHERE e.metric = r.metric AND (abs(e.value - r.value) > 1e-12 * abs(r.value) OR (e.metric = 'roc_auc' AND e.value <> r.value))$$, 'train metrics are those of predictions');
SELECT ml.train('parted', 'SELECT * FROM houses', 'high', 'random_forest', exclude => '{price,class}', params => '{"n_jobs": 2, "n_estimators": 30}');
SELECT is_empty($$SELECT e.metric FROM ml.evaluate('parted') e JOIN ml.run_metrics r ON r.model = 'parted' AND r.part = 'test' AND r.metric = e.metric
	WHERE abs(e.value - r.value) > 1e-12 * abs(r.value) OR (e.metric = 'roc_auc' AND e.value <> r.value) OR e.n <> r.n$$, 'and so are those of the test part');
SET LOCAL client_min_messages = warning;
SELECT cmp_ok(count(*), '>=', 20::bigint, 'and are there') FROM teams t JOIN ml.run_metrics r ON r.model || ':' || r.version = t.model AND r.part = 'train' WHERE jobs = 2;

-- ---- limits of trees ----

CREATE FUNCTION pg_temp.trees(algorithm text, target text, params jsonb, wanted text) RETURNS numeric LANGUAGE sql AS
$$ SELECT pg_temp.ask(pg_temp.fit(algorithm, target, params), 'SELECT ' || wanted || ' FROM ml.trees(MODEL)')::numeric $$;
SELECT is(pg_temp.trees('random_forest', 'price', '{"n_estimators": 5, "max_depth": 3}', 'max(depth)'), 3::numeric, 'max_depth');
SELECT is(pg_temp.trees('random_forest', 'price', '{"n_estimators": 5, "max_leaf_nodes": 6}', 'count(value)'), 30::numeric, 'max_leaf_nodes');
SELECT is(pg_temp.trees('random_forest', 'class', '{"n_estimators": 5, "max_leaf_nodes": 6}', 'count(value)'), 30::numeric, 'of classes');
SELECT cmp_ok(pg_temp.trees('random_forest', 'class', '{"n_estimators": 5, "min_data_in_leaf": 9}', 'min(samples)'), '>=', 9::numeric, 'min_data_in_leaf');
SELECT cmp_ok(abs(pg_temp.trees('random_forest', 'class', '{"n_estimators": 20}', 'avg(samples) FILTER (WHERE parent IS NULL)') / 3000 - 0.632), '<', 0.02, 'a bag has 63 % of the rows');
SELECT cmp_ok(abs(pg_temp.trees('random_forest', 'class', '{"n_estimators": 20, "max_samples": 0.2}', 'avg(samples) FILTER (WHERE parent IS NULL)') / 3000 - 0.181), '<', 0.02,
	'max_samples');
SELECT ok(pg_temp.trees('random_forest', 'class', '{"n_estimators": 20, "max_samples": 600}', 'avg(samples) FILTER (WHERE parent IS NULL)')
	= pg_temp.trees('random_forest', 'class', '{"n_estimators": 20, "max_samples": 0.2}', 'avg(samples) FILTER (WHERE parent IS NULL)'), 'max_samples as a number of rows');
SELECT is(pg_temp.trees('extra_trees', 'class', '{"n_estimators": 3}', 'min(samples) FILTER (WHERE parent IS NULL)'), 3000::numeric, 'extra trees see all rows');

-- ---- weights ----

SELECT ml.train(name, source, 'price', 'random_forest', params => '{"n_estimators": 1, "bootstrap": false, "max_depth": 6, "min_data_in_leaf": 1}', weights => weight, split => '{"train": 1}')
FROM (VALUES ('weighted', 'SELECT a, b, c, d, w, price FROM houses', 'w'), ('repeated', 'SELECT a, b, c, d, price FROM houses, generate_series(1, w)', NULL)) v (name, source, weight);
SELECT is(count(*), 0::bigint, 'whole weights are repeated rows') FROM houses h WHERE abs(ml.predict('weighted', h.*) - ml.predict('repeated', h.*)) > 1e-5;
SELECT ml.train(name, format('SELECT id, a, b, c, d, price, w / %s AS w FROM houses', divisor), 'price', 'random_forest', weights => 'w', key => 'id',
	params => '{"n_estimators": 3, "max_depth": 6}', split => '{"train": 1}') FROM (VALUES ('heavy', '1.0'), ('feather', '700.0')) v (name, divisor);
SELECT is((SELECT count(*) FROM houses h WHERE abs(ml.predict('heavy', h.*) - ml.predict('feather', h.*)) > 1e-3), 0::bigint, 'only their proportions matter');
SELECT ml.train('light', 'SELECT a, class, (id <= 5)::int AS w FROM houses WHERE id <= 2000', 'class', 'random_forest', weights => 'w', params => '{"n_estimators": 3}', split => '{"train": 1}');
SELECT ok(ml.predict_class('light', '{"a": 3}'::jsonb) IS NOT NULL, 'most rows of weight zero');

-- ---- bad input ----

SELECT throws_ok(format($$SELECT pg_temp.fit('random_forest', 'price', %L)$$, p), '22023', NULL, p)
FROM unnest('{"{\"n_estimators\": 0}", "{\"n_estimators\": 1e9}", "{\"max_features\": 0}", "{\"max_samples\": 2.5}", "{\"min_data_in_leaf\": 0}", "{\"max_leaf_nodes\": 1}", "{\"bootstrap\": false, \"oob_score\": true}", "{\"bootstrap\": false, \"permutation_importance\": true}", "{\"bootstrap\": false, \"max_samples\": 0.5}", "{\"nonsense\": 1}"}'::text[]) p;
SELECT throws_ok($$SELECT pg_temp.fit('extra_trees', 'price', '{"n_estimators": 20000, "min_data_in_leaf": 1}')$$, '54000', NULL, 'a model too large to store is refused early');
SELECT ml.train('alone', 'SELECT 1 AS x, 2 AS y', 'y', 'random_forest', split => '{"train": 1}');
SELECT is(ml.predict('alone', '{"x": 5}'::jsonb), 2::float8, 'one row');
SELECT ml.train('constant', 'SELECT i AS x, 2 AS y FROM generate_series(1, 50) i', 'y', 'random_forest', split => '{"train": 1}');
SELECT is(ml.predict('constant', '{"x": 5}'::jsonb), 2::float8, 'a constant target');
SELECT ml.train('nothing', 'SELECT NULL::float8 AS x, i AS y FROM generate_series(1, 51) i', 'y', 'random_forest', params => '{"bootstrap": false}', split => '{"train": 1}');
SELECT is(ml.predict('nothing', '{"x": 5}'::jsonb), 26::float8, 'no usable column: the mean');
SELECT ml.train('words', $$SELECT 'w' || i AS word, i % 4 AS n, i % 2 AS y FROM generate_series(1, 20000) i$$, 'y', 'random_forest', task => 'classification', params => '{"n_estimators": 3}', split => '{"train": 1}');
SELECT ok(ml.predict_class('words', '{"word": "new", "n": 3}'::jsonb) = '1', 'a column of 20,000 levels');

SELECT * FROM finish();
ROLLBACK;
