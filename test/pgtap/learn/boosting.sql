-- Gradient boosting against brute force and closed forms.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Integers and text only, no random(): the same table everywhere.
CREATE TEMP TABLE houses AS
SELECT i AS id, (i * 7919) % 23 AS rooms, (i * 104729) % 41 AS age, chr(97 + (i * 31) % 8) AS quarter, (i * 17) % 5 AS floors,
	CASE WHEN i % 7 <> 0 THEN (i * 13) % 29 END AS garden,
	((i * 7919) % 23 > 13)::int * 40 + ((i * 104729) % 41) * 0.7 + ((i * 31) % 8 IN (1, 4, 6))::int * 15 + (i * 2654435761 % 1000) / 100.0 AS price,
	1 + i % 3 AS weight
FROM generate_series(1, 3000) i;

CREATE FUNCTION pg_temp.fit(name text, source text, target text, params jsonb, weights text DEFAULT NULL) RETURNS text[] LANGUAGE sql AS
$$ SELECT warnings FROM ml.train(name, source, target, 'gradient_boosting', params => params, weights => weights, split => '{"train": 1}') $$;

-- ---- scale_pos_weight is about the positive class ----

SELECT ml.train('unbalanced', 'SELECT rooms, age, quarter, CASE WHEN price > 60 THEN ''yes'' ELSE ''no'' END AS dear FROM houses', 'dear', 'gradient_boosting', params,
	positive_class => positive, split => '{"train": 1}')
FROM (VALUES ('{"n_estimators": 5, "class_weight": {"no": 3}}'::jsonb, 'no'), ('{"n_estimators": 5, "scale_pos_weight": 3}', 'no'),
	('{"n_estimators": 5, "class_weight": {"yes": 3}}', NULL), ('{"n_estimators": 5, "scale_pos_weight": 3}', NULL)) t (params, positive);
SELECT cmp_ok((SELECT max(abs(ml.predict_proba('unbalanced:' || a, h.*, 'yes') - ml.predict_proba('unbalanced:' || b, h.*, 'yes'))) FROM houses h), op, bound, message)
FROM (VALUES (1, 2, '<', 1e-6::float8, 'of the first class, which is named positive'), (3, 4, '<', 1e-6, 'of the last, which is by itself'), (2, 4, '>', 0.1, 'not the same'))
	t (a, b, op, bound, message);

-- ---- one round, one split: by brute force ----

SELECT pg_temp.fit('stump', 'SELECT rooms, price FROM houses', 'price',
	'{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1, "min_data_in_leaf": 5}');
CREATE TEMP VIEW by_hand AS
SELECT cut, (SELECT avg(price) FROM houses WHERE rooms <= cut) AS low, (SELECT avg(price) FROM houses WHERE rooms > cut) AS high
FROM (SELECT c AS cut, (SELECT sum((price - m) ^ 2) FROM (SELECT price, avg(price) OVER (PARTITION BY rooms <= c) AS m FROM houses) s) AS sse
	  FROM generate_series(0, 21) c ORDER BY sse LIMIT 1) best;
SELECT is((SELECT count(*) FROM houses h, by_hand b
	WHERE abs(ml.predict('stump', h.*) - CASE WHEN rooms <= cut THEN low ELSE high END) > 1e-5), 0::bigint, 'a stump on a number');
SELECT results_eq($$SELECT condition, samples::bigint FROM ml.trees('stump') WHERE parent = 0 ORDER BY node$$,
	$$SELECT CASE WHEN l THEN 'rooms <= ' ELSE 'rooms > ' END || (cut + 0.5) || CASE WHEN n > 1500 THEN ' or missing' ELSE '' END, n
	FROM (SELECT cut, rooms <= cut AS l, count(*) AS n FROM houses, by_hand GROUP BY 1, 2) s ORDER BY l DESC$$,
	'its readable rows; what training did not miss goes to the larger side');
SELECT results_eq($$SELECT column_name, splits FROM ml.importance('stump')$$, $$VALUES ('rooms', 1::bigint)$$, 'its importance');
SELECT is((SELECT round((gain / (SELECT sum(n * (m - a) ^ 2) FROM (SELECT avg(price) AS m, count(*) AS n FROM houses, by_hand GROUP BY rooms <= cut) s,
	(SELECT avg(price) AS a FROM houses) t))::numeric, 3) FROM ml.importance('stump')), 1.000, 'the gain is the fall of the squared error');

-- weights are repeated rows
SELECT pg_temp.fit('weighted', 'SELECT rooms, price, weight FROM houses', 'price',
	'{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1, "min_data_in_leaf": 5}', weights => 'weight');
SELECT is((SELECT count(*) FROM houses h, LATERAL (SELECT sum(price * weight) / sum(weight) AS m FROM houses o
	WHERE (ml.predict('weighted', o.*) = ml.predict('weighted', h.*))) s
	WHERE h.id <= 30 AND abs(ml.predict('weighted', h.*) - m) > 1e-5), 0::bigint, 'leaf values are weighted means');

-- ---- categories: the best of all subsets ----

SELECT pg_temp.fit('subset', 'SELECT quarter, price FROM houses', 'price',
	'{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1, "cat_smooth": 0, "cat_l2": 0, "min_data_per_group": 1, "min_data_in_leaf": 1, "max_cat_to_onehot": 1}');
SELECT is(
	(SELECT sum((price - ml.predict('subset', h.*)) ^ 2)::numeric(20, 3) FROM houses h),
	(SELECT min(sse)::numeric(20, 3) FROM (
		SELECT subset, sum(q.ss - q.n * q.m ^ 2) + sum(q.n * q.m ^ 2)
			- sum(q.n * q.m) FILTER (WHERE inside) ^ 2 / sum(q.n) FILTER (WHERE inside)
			- sum(q.n * q.m) FILTER (WHERE NOT inside) ^ 2 / sum(q.n) FILTER (WHERE NOT inside) AS sse
		FROM generate_series(1, 254) subset,
			LATERAL (SELECT (subset >> (ascii(quarter) - 97)) & 1 = 1 AS inside, count(*) AS n, avg(price) AS m, sum(price ^ 2) AS ss FROM houses GROUP BY quarter) q
		GROUP BY subset) s),
	'the best split of eight levels, by enumeration');
SELECT pg_temp.fit('one', 'SELECT quarter, price FROM houses', 'price',
	'{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1, "min_data_in_leaf": 1, "max_cat_to_onehot": 8}');
SELECT is((SELECT count(DISTINCT quarter) FROM houses h GROUP BY ml.predict('one', h.*) ORDER BY 1 LIMIT 1), 1::bigint, 'one level against the rest');
SELECT is(ml.predict('subset', '{"quarter": "never seen"}'::jsonb), ml.predict('subset', '{"quarter": null}'::jsonb), 'a level never seen goes the missing way');

-- ---- missing ----

SELECT pg_temp.fit('absent', 'SELECT garden, CASE WHEN garden IS NULL THEN 5 ELSE 1 END + garden * 0 AS y, CASE WHEN garden IS NULL OR garden > 20 THEN 5 ELSE 1 END AS v FROM houses', 'v',
	'{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1}');
SELECT results_eq($$SELECT DISTINCT g > 20 OR g IS NULL, round(ml.predict('absent', jsonb_build_object('garden', g, 'y', NULL))) FROM generate_series(0, 28) g
	UNION SELECT true, round(ml.predict('absent', '{"garden": null, "y": null}'::jsonb)) ORDER BY 1$$, $$VALUES (false, 1::float8), (true, 5::float8)$$,
	'what is missing goes the way that gains most');
SELECT pg_temp.fit('only', 'SELECT garden, CASE WHEN garden IS NULL THEN 5 ELSE 1 END AS v FROM houses', 'v', '{"n_estimators": 1, "num_leaves": 2, "learning_rate": 1}');
SELECT results_eq($$SELECT condition FROM ml.trees('only') WHERE parent = 0 ORDER BY node$$, $$VALUES ('garden is not missing'), ('garden is missing')$$,
	'a split between what is missing and what is not');

-- ---- starting constants of the objectives: no split allowed ----

SELECT pg_temp.fit('flat_' || o, 'SELECT rooms, price FROM houses', 'price',
	jsonb_build_object('objective', o, 'n_estimators', 1, 'min_data_in_leaf', 100000, 'alpha', 0.25))
FROM unnest('{squared,absolute,huber,quantile,poisson,gamma,tweedie}'::text[]) o;
SELECT results_eq(
	$$SELECT o, round(ml.predict('flat_' || o, '{"rooms": 1}'::jsonb)::numeric, 4)
	FROM unnest('{squared,absolute,huber,quantile,poisson,gamma,tweedie}'::text[]) o ORDER BY o$$,
	$$SELECT o, round((CASE o WHEN 'absolute' THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY price)
		WHEN 'quantile' THEN percentile_disc(0.25) WITHIN GROUP (ORDER BY price) ELSE avg(price) END)::numeric, 4)
	FROM houses, unnest('{squared,absolute,huber,quantile,poisson,gamma,tweedie}'::text[]) o GROUP BY o ORDER BY o$$,
	'means, medians and quantiles to start from');

-- ---- names of the same ----

SELECT pg_temp.fit('named', 'SELECT rooms, age, price FROM houses', 'price', params::jsonb)
FROM unnest(ARRAY['{"objective": "squared", "n_estimators": 3}', '{"objective": "l2", "n_estimators": 3}', '{"objective": "rmse", "n_estimators": 3}', '{"objective": "reg:linear", "n_estimators": 3}',
	'{"objective": "absolute", "n_estimators": 3}', '{"objective": "mae", "n_estimators": 3}', '{"objective": "l1", "n_estimators": 3}',
	'{"objective": "quantile", "alpha": 0.2, "n_estimators": 3}', '{"loss": "quantile", "quantile": 0.2, "max_iter": 3}',
	'{"objective": "reg:quantileerror", "quantile_alpha": 0.2, "num_boost_round": 3}']) params;
SELECT results_eq($$SELECT array_agg(version ORDER BY version) FROM ml.versions WHERE model = 'named' GROUP BY sha256 ORDER BY 1$$,
	$$VALUES ('{1,2,3,4}'::int[]), ('{5,6,7}'), ('{8,9,10}')$$, 'objectives by the names of other libraries');

-- ---- losses fall ----

SELECT pg_temp.fit('fall_' || o, 'SELECT rooms, age, quarter, garden, price FROM houses', 'price',
	jsonb_build_object('objective', o, 'n_estimators', 30, 'alpha', 0.7))
FROM unnest('{squared,absolute,huber,quantile,poisson,gamma,tweedie}'::text[]) o;
SELECT is_empty($$SELECT * FROM (SELECT model, iteration, value, lag(value) OVER (PARTITION BY model ORDER BY iteration) AS before
	FROM ml.run_metrics WHERE model LIKE 'fall%' AND part = 'training curve') c WHERE value >= before$$, 'every round lowers every loss');
SELECT pg_temp.fit('fall_softmax', 'SELECT rooms, age, garden, quarter FROM houses', 'quarter', '{"n_estimators": 20}');
SELECT pg_temp.fit('fall_logistic', 'SELECT rooms, age, garden, quarter, price > 40 AS dear FROM houses', 'dear', '{"n_estimators": 30}');
SELECT is((SELECT count(*) FROM (SELECT value >= lag(value) OVER (PARTITION BY model ORDER BY iteration) AS up
	FROM ml.run_metrics WHERE model IN ('fall_softmax', 'fall_logistic') AND part = 'training curve') s WHERE up), 0::bigint, 'and the log loss of classes');
SELECT is((SELECT count(*) FROM houses h, LATERAL (SELECT sum(ml.predict_proba('fall_softmax', h.*, c)) AS total FROM unnest('{a,b,c,d,e,f,g,h}'::text[]) c) s
	WHERE abs(total - 1) > 1e-12), 0::bigint, 'probabilities add up to 1');

-- ---- monotone ----

SELECT pg_temp.fit('falling', 'SELECT rooms, age, quarter, garden, price FROM houses', 'price', '{"monotone_constraints": {"age": -1, "rooms": 1}}');
SELECT is((SELECT count(*) FROM (
	SELECT ml.predict('falling', jsonb_build_object('age', a, 'rooms', r, 'quarter', q, 'garden', g)) AS p,
		lag(ml.predict('falling', jsonb_build_object('age', a, 'rooms', r, 'quarter', q, 'garden', g))) OVER (PARTITION BY r, q, g ORDER BY a) AS before
	FROM generate_series(0, 40, 2) a, generate_series(0, 22, 5) r, unnest('{a,b,c}'::text[]) q, unnest('{1,15,28,NULL}'::int[]) g) s WHERE p > before),
	0::bigint, 'predictions fall with a column where that is asked for');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'SELECT rooms, price FROM houses', 'price', '{"monotone_constraints": {"room": 1}}')$$, '22023');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'SELECT quarter, price FROM houses', 'price', '{"monotone_constraints": {"quarter": 1}}')$$, '22023');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'SELECT rooms, price FROM houses', 'price', '{"monotone_constraints": {"rooms": 0.5}}')$$, '22023');

-- ---- early stopping ----

SELECT FROM ml.train('early', 'SELECT rooms, age, quarter, garden, price FROM houses', 'price', 'gradient_boosting',
	'{"n_estimators": 500, "early_stopping_rounds": 10, "learning_rate": 0.5}');
SELECT results_eq($$SELECT count(DISTINCT tree) FROM ml.trees('early')$$,
	$$SELECT iteration::bigint FROM ml.run_metrics WHERE model = 'early' AND part = 'validation curve' ORDER BY value, iteration LIMIT 1$$,
	'the best round is the last that is kept');
SELECT is((SELECT count(*) FROM ml.run_metrics WHERE model = 'early' AND part = 'validation curve'),
	(SELECT count(DISTINCT tree) + 10 FROM ml.trees('early')), 'ten more were tried');
SELECT alike((pg_temp.fit('late', 'SELECT rooms, price FROM houses', 'price', '{"early_stopping_rounds": 5, "n_estimators": 7}'))[1], '%no validation rows%');

-- ---- the same bytes for the same rows ----

CREATE TEMP TABLE turned AS SELECT * FROM houses ORDER BY price DESC, id;
SELECT pg_temp.fit(name, format('SELECT * FROM (TABLE %I) t', source), 'price',
	'{"bagging_fraction": 0.6, "feature_fraction": 0.7, "feature_fraction_bynode": 0.8, "n_estimators": 20}', 'weight')
FROM (VALUES ('forth', 'houses'), ('back', 'turned')) v (name, source);
SELECT is((SELECT count(DISTINCT sha256) FROM ml.versions WHERE model IN ('forth', 'back')), 1::bigint, 'the order of the rows does not matter');
SELECT pg_temp.fit('back', 'SELECT * FROM houses', 'price',
	'{"bagging_fraction": 0.6, "feature_fraction": 0.7, "feature_fraction_bynode": 0.8, "n_estimators": 20, "random_state": 1}', 'weight');
SELECT is((SELECT count(DISTINCT sha256) FROM ml.versions WHERE model = 'back'), 2::bigint, 'random_state does');

SET LOCAL max_parallel_maintenance_workers = 4;
SELECT pg_temp.fit('team_' || kind || jobs, source, target, jsonb_build_object('n_jobs', jobs, 'n_estimators', 12, 'num_leaves', 20, 'objective', objective) || more::jsonb)
FROM unnest('{1,2,3}'::int[]) jobs, (VALUES
	('squared', 'SELECT n % 23 AS rooms, n % 1013 AS a, CASE WHEN n % 7 > 0 THEN n % 509 END AS b, chr(97 + n % 9) AS c, (n % 23) * (n % 509) + n % 9 AS y FROM generate_series(1, 70000) n', 'y', 'auto', '{}'),
	('absolute', 'SELECT n % 23 AS rooms, n % 1013 AS a, n % 509 AS b, (n % 23) * (n % 509) + n % 9 AS y FROM generate_series(1, 40000) n', 'y', 'absolute', '{"bagging_fraction": 0.7}'),
	('many', 'SELECT n % 23 AS rooms, n % 1013 AS a, chr(97 + n % 9) AS c, n % 23 * (n % 509) > 3000 AS y FROM generate_series(1, 140000) n', 'y', 'logistic', '{"feature_fraction": 0.8}'),
	('classes', 'SELECT n % 23 AS rooms, n % 1013 AS a, chr(97 + n % 23 / 6) AS y FROM generate_series(1, 20000) n', 'y', 'softmax', '{"monotone_constraints": {"a": 1}}')
	) v (kind, source, target, objective, more);
SELECT is_empty($$SELECT rtrim(model, '123'), count(DISTINCT sha256) FROM ml.versions WHERE model LIKE 'team%' GROUP BY 1 HAVING count(DISTINCT sha256) <> 1 OR count(*) <> 3$$,
	'nor the number of workers');

-- ---- many rows, most of whose gradients are small beside the largest: integers choose the same splits as LightGBM 4.7.0's sums of floats ----

CREATE TEMP TABLE sales AS
SELECT i AS n, item, store, (5 + item * 37 % 11 + store * 13 % 7) / (1 + i * 7919 % 299993) ^ 0.4 * 300000 ^ 0.4 AS amount
FROM generate_series(1::int8, 300000) i, LATERAL (SELECT i * 104729 % 199 AS item, i * 15485863 % 101 AS store) s;
SELECT pg_temp.fit('outliers_' || rounds, 'SELECT item, store, amount FROM sales', 'amount', jsonb_build_object('n_estimators', rounds))
FROM unnest('{1,10}'::int[]) rounds;
SELECT results_eq($$SELECT model, round(value::numeric, 3) FROM ml.run_metrics WHERE model LIKE 'outliers%' AND part = 'train' AND metric = 'rmse' ORDER BY 1$$,
	$$VALUES ('outliers_1', 19.211), ('outliers_10', 19.008)$$, 'rmse after 1 and 10 rounds');

-- and where most are large, so that sums of all rows take nearly all that 32 bits hold
SELECT pg_temp.fit('even_' || rounds, 'SELECT item, store, (item * 37 % 11 + store * 13 % 7 + n * 7919 % 299993 / 30000.0 > 12) AS dear FROM sales', 'dear',
	jsonb_build_object('n_estimators', rounds)) FROM unnest('{1,20}'::int[]) rounds;
SELECT results_eq($$SELECT model, round(value::numeric, 3) FROM ml.run_metrics WHERE model LIKE 'even%' AND part = 'train' AND metric = 'log_loss' ORDER BY 1$$,
	$$VALUES ('even_1', 0.673), ('even_20', 0.607)$$, 'log loss after 1 and 20 rounds');

-- ---- steps that are too large ----

SELECT is(array_to_string(pg_temp.fit('steps', 'SELECT rooms, age, price FROM houses', 'price', jsonb_build_object('learning_rate', rate)), '') ~
	'training diverged: "rmse" .* rose .* lower learning_rate', diverged, 'learning_rate ' || rate) FROM (VALUES (0.5, false), (2.5, true)) v (rate, diverged);

-- ---- bins and thresholds: the rows' scores, kept by their bins, are what the model predicts of their values ----

CREATE TEMP TABLE spread AS
SELECT i AS id, exp(((i * 7919) % 10007) / 100.0 - 50) AS tails, CASE i % 1000 WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' WHEN 3 THEN NULL
	ELSE ((i * 104729) % 10009) / 7.0 END::float8 AS ends, CASE WHEN i % 50 = 0 THEN 1e300 * (i % 17 - 8) ELSE (i * 31) % 3001 END::float8 AS far,
	((i * 271) % 700) * 5e-324 AS least, 1e15 + (i * 1299709) % 997 AS near, (i * 37) % 20 AS few, chr((97 + i % 7)::int) AS letter,
	((i * 7919) % 10007) / 50.0 + ((i * 104729) % 10009) / 9.0 + ((i * 31) % 3001) / 4.0 + (i * 271) % 700 + (i * 1299709) % 997 + (i * 37) % 20 AS y
FROM generate_series(1::int8, 30000) i;
SELECT pg_temp.fit('by_bins', 'SELECT * FROM spread', 'y', '{"n_estimators": 150, "num_leaves": 63}');
SELECT ok(abs(r.value - (SELECT ml.rmse(y, ml.predict('by_bins', s.*)) FROM spread s)) < 1e-9 * r.value, 'numbers of every size')
FROM ml.run_metrics r WHERE model = 'by_bins' AND part = 'train' AND metric = 'rmse';
SELECT is((SELECT count(DISTINCT split_column) FROM ml.trees('by_bins')), 8::bigint, 'by all columns');
SELECT FROM ml.train('by_bins_3', 'SELECT *, (y / 700)::int % 3 AS class FROM spread', 'class', 'gradient_boosting', '{"n_estimators": 20}', exclude => '{y}',
	task => 'classification', split => '{"train": 0.8, "validation": 0.2}', key => 'id');
SELECT ok(abs(r.value - e.value) < 1e-12, 'classes: ' || r.metric) FROM ml.run_metrics r
JOIN ml.evaluate('by_bins_3', 'SELECT *, (y / 700)::int % 3 AS class FROM spread WHERE ml.split(id, 0, ''{"train": 0.8, "validation": 0.2}'') = ''validation''') e USING (metric)
WHERE r.model = 'by_bins_3' AND part = 'validation' AND r.metric IN ('log_loss', 'accuracy');

-- ---- one row and a block of rows: the same bits ----

SELECT pg_temp.fit('path_' || leaves || kind, 'SELECT rooms + age / 3.0::float8 AS odd, ' || columns || ' FROM houses', target,
	jsonb_build_object('num_leaves', leaves, 'n_estimators', 23, 'min_data_in_leaf', 3))
FROM unnest('{2,8,31,33,64,65,200}'::int[]) leaves,
	(VALUES ('numbers', 'rooms, age, garden, price', 'price'), ('levels', 'rooms, quarter, garden, price > 40 AS dear', 'dear'),
		('classes', 'rooms, age, garden, quarter', 'quarter')) v (kind, columns, target);
CREATE TEMP TABLE points AS SELECT *, rooms + age / 3.0::float8 AS odd, price > 40 AS dear FROM houses WHERE id <= 333
UNION ALL SELECT 1000 + row_number() OVER (), r, NULL, q, 1, g, NULL, 1, 'NaN', NULL FROM generate_series(-1, 30, 7) r, unnest('{a,z,NULL}'::text[]) q, unnest('{5,NULL}'::int[]) g;
SELECT is((SELECT count(*) FROM unnest('{2,8,31,33,64,65,200}'::int[]) leaves, LATERAL ml.predict_table('path_' || leaves || 'numbers', 'SELECT * FROM points', 'id') b
	JOIN points p ON p.id = b.key::int WHERE float8send(b.prediction) <> float8send(ml.predict('path_' || leaves || 'numbers', p.*))), 0::bigint, 'numbers');
SELECT is((SELECT count(*) FROM unnest('{2,8,31,33,64,65,200}'::int[]) leaves, LATERAL ml.predict_table('path_' || leaves || 'levels', 'SELECT * FROM points', 'id') b
	JOIN points p ON p.id = b.key::int WHERE float8send(b.probability) <> float8send(ml.predict_proba('path_' || leaves || 'levels', p.*))), 0::bigint, 'categories');
SELECT is((SELECT count(*) FROM unnest('{2,8,31,33,64,65,200}'::int[]) leaves, LATERAL ml.predict_table('path_' || leaves || 'classes', 'SELECT * FROM points', 'id') b
	JOIN points p ON p.id = b.key::int WHERE float8send(b.probability) <> float8send(ml.predict_proba('path_' || leaves || 'classes', p.*, b.class))), 0::bigint, 'many classes');

-- ---- what is refused ----

SELECT throws_ok(format($$SELECT pg_temp.fit('x', 'SELECT rooms, price FROM houses', 'price', %L)$$, p), '22023')
FROM unnest(ARRAY['{"n_estimators": 0}', '{"n_estimators": 1000000000}', '{"num_leaves": 1}', '{"objective": "logistic"}', '{"learning_rate": 0}',
	'{"eta": 0.1, "learning_rate": 0.1}', '{"max_bin": 1}', '{"bagging_fraction": 0}', '{"objective": "quantile", "alpha": 1.5}', '{"leaves": 3}']) p;
SELECT throws_ok($$SELECT pg_temp.fit('x', 'SELECT rooms, price - 1000 AS p FROM houses', 'p', '{"objective": "poisson"}')$$, '22000');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'SELECT rooms, price * 1e300::float8 AS p FROM houses', 'p', '{}')$$, '22003');
SELECT lives_ok($$SELECT pg_temp.fit('x', 'SELECT rooms, price FROM houses', 'price', '{"eta": 0.3, "max_leaves": 7, "subsample": 0.5, "colsample_bytree": 0.5, "reg_lambda": 1, "num_boost_round": 5, "reg_alpha": 0.1}')$$);
SELECT throws_ok($$SELECT * FROM ml.trees('x', 99)$$, '22023');
SELECT throws_ok($$SELECT * FROM ml.coefficients('x')$$, '0A000');

SELECT * FROM finish();
ROLLBACK;
