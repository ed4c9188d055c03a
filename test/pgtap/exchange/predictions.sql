-- Imported models predict what their libraries predict.  Files and predictions are made by test/bench/exchange.py with LightGBM 4.7.0 and XGBoost 3.2.0:
-- training rows first, then odd ones (missing where training had none missing, unknown categories, zeros, huge numbers).
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TEMP TABLE line (line text);
\copy line FROM PROGRAM 'cd test/data/exchange && grep -n "" *.txt *.json' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
CREATE TEMP TABLE file AS
SELECT split_part(name, '.', 1) AS model, CASE split_part(name, '.', 2) WHEN 'txt' THEN 'lightgbm' ELSE 'xgboost_json' END AS format,
	string_agg(part[3], E'\n' ORDER BY part[2]::integer) AS body
FROM line, regexp_match(line, '^([^:]+):(\d+):(.*)$') part, LATERAL (SELECT part[1] AS name) n
GROUP BY name;
CREATE TEMP TABLE expected (model text, id integer, class integer, value double precision);
\copy expected FROM 'test/data/exchange/expected.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE titanic_rows (id integer, pclass integer, sex text, age double precision, sibsp integer, fare double precision, embarked text, deck text);
\copy titanic_rows FROM 'test/data/exchange/titanic.csv' WITH (FORMAT csv, HEADER)
INSERT INTO titanic_rows VALUES (205, 1, 'female', 'Infinity', 0, 'Infinity', 'S', 'A'), (206, 1, 'male', '-Infinity', 0, '-Infinity', 'S', 'A');
CREATE TEMP TABLE number_rows (id integer, pclass double precision, age double precision, sibsp double precision, fare double precision);
\copy number_rows FROM 'test/data/exchange/titanic_numbers.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE penguin_rows (id integer, island text, bill_length_mm double precision, bill_depth_mm double precision, flipper_length_mm double precision, body_mass_g double precision, sex text);
\copy penguin_rows FROM 'test/data/exchange/penguins.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE california_rows (id integer, longitude double precision, latitude double precision, housing_median_age double precision, total_bedrooms double precision, median_income double precision);
\copy california_rows FROM 'test/data/exchange/california.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE grid_rows (id integer, x double precision);
\copy grid_rows FROM 'test/data/exchange/grid.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE mixed_rows (id integer, flag boolean, grade integer, half numeric, x double precision);
\copy mixed_rows FROM 'test/data/exchange/mixed.csv' WITH (FORMAT csv, HEADER)

-- ---- import ----

CREATE TEMP TABLE imported AS
SELECT i.* FROM file f, LATERAL ml.import_model(f.model, f.body, f.format) i;
SELECT is((SELECT count(*) FROM imported WHERE version = 1), (SELECT count(DISTINCT model) FROM expected), 'every file is imported');
SELECT results_eq($$SELECT model, task, n_trees, n_columns FROM imported WHERE model IN ('lgb_binary', 'lgb_two', 'xgb_forest', 'xgb_stopped', 'xgb_share') ORDER BY 1$$,
	$$VALUES ('lgb_binary', 'binary classification', 20::bigint, 7), ('lgb_two', 'binary classification', 20, 6),
		('xgb_forest', 'multiclass classification', 18, 5), ('xgb_share', 'regression', 10, 7), ('xgb_stopped', 'regression', 5, 5)$$,
	'what is said of them');
SELECT results_eq($$SELECT model, warnings FROM imported WHERE warnings <> '{}'$$,
	$$VALUES ('xgb_stopped', ARRAY['early stopping: 5 of 20 trees are kept, those up to the attribute "best_iteration"'])$$, 'early stopping is heeded');

-- ---- predictions ----

-- the libraries give the probability of class 1 alone for binary objectives, both for softmax over two
CREATE FUNCTION pg_temp.class_of(model text, class integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$SELECT CASE WHEN model LIKE '%\_two' THEN class WHEN class = 0 THEN 1 ELSE class END$$;

CREATE TEMP TABLE answered (model text, id integer, class integer, value double precision, expected double precision);
CREATE FUNCTION pg_temp.answer_rows(rows text, models text) RETURNS void LANGUAGE plpgsql AS
$$DECLARE
	m record;
BEGIN
	FOR m IN SELECT * FROM imported i WHERE i.model ~ models LOOP
		EXECUTE format(CASE m.task
			WHEN 'regression' THEN 'INSERT INTO answered SELECT %2$L, t.id, e.class, ml.predict(%2$L, t.*), e.value'
			WHEN 'binary classification' THEN 'INSERT INTO answered SELECT %2$L, t.id, e.class, ml.predict_proba(%2$L, t.*, pg_temp.class_of(%2$L, e.class)::text), e.value'
			ELSE 'INSERT INTO answered SELECT %2$L, t.id, e.class, ml.predict_proba(%2$L, t.*, e.class::text), e.value' END
			|| ' FROM %1$I t JOIN expected e ON e.model = %2$L AND e.id = t.id', rows, m.model);
	END LOOP;
END$$;
SELECT pg_temp.answer_rows('titanic_rows', '^lgb_(binary|sigmoid|zero|rf|two|entropy|missing)$|^xgb_(binary|dart|two|share)$');
SELECT pg_temp.answer_rows('number_rows', '_codes$');
SELECT pg_temp.answer_rows('penguin_rows', '_(classes|ova|forest)$');
SELECT pg_temp.answer_rows('california_rows', '_(regression|l1|poisson|gamma|tweedie|stopped)$');
SELECT pg_temp.answer_rows('grid_rows', '_grid$');
SELECT pg_temp.answer_rows('mixed_rows', '_mixed$');

SELECT is((SELECT count(*) FROM answered), (SELECT count(*) FROM expected), 'every expected prediction is compared');
SELECT cmp_ok(max(abs(value - expected) / greatest(1, abs(expected))), '<', 1e-6::double precision,
	model || ': the predictions of its library')
FROM answered GROUP BY model ORDER BY model;
SELECT is((SELECT count(*) FROM answered WHERE value IS NULL), 0::bigint, 'none is missing');
SELECT is_empty($$SELECT 1 FROM ml.predict_table('xgb_regression', 'SELECT * FROM california_rows', key => 'id') p
	JOIN answered a ON a.model = 'xgb_regression' AND a.id = p.key::integer WHERE a.value <> p.prediction$$, 'rows in blocks: the same bits');
SELECT results_eq($$SELECT column_name, type, kind, levels FROM ml.describe('xgb_mixed')$$, $$VALUES ('flag', 'boolean', 'boolean', NULL::text[]),
	('grade', 'integer', 'category', '{3,7,11,40}'), ('x', 'double precision', 'number', NULL)$$, 'kinds of columns');
SELECT results_eq($$SELECT column_name, type, kind, levels FROM ml.describe('lgb_mixed') WHERE column_name = 'half'$$,
	$$VALUES ('half', 'double precision', 'category', '{0.5,1,2.5}'::text[])$$, 'numbers as levels');

-- the way back from the row the trees see; XGBoost's has single precision, unknown categories stand for nothing
SELECT is((SELECT count(*) FROM titanic_rows t, ml.inverse_transform('lgb_binary', ml.transform('lgb_binary', t)) back
	WHERE t.id <= 204 AND t.sex IN ('male', 'female') AND t.embarked IN ('C', 'Q', 'S') AND back - '{deck}'::text[] <> to_jsonb(t) - '{id,deck}'::text[]), 0::bigint, 'columns as they were');
SELECT is(ml.inverse_transform('xgb_mixed', ml.transform('xgb_mixed', '{"flag": true, "grade": 11, "half": 1, "x": 0.25}')), '{"flag": true, "grade": 11, "x": 0.25}', 'numbers that stand for categories');
SELECT is(ml.inverse_transform('lgb_mixed', ml.transform('lgb_mixed', '{"flag": true, "grade": 12, "half": 2.50, "x": 0.1}')), '{"grade": null, "half": 2.5, "x": 0.1}', 'and those that stand for none');

-- ---- classes ----

SELECT lives_ok($$SELECT ml.import_model('species', body, format, target => 'species', labels => '{Adelie,Chinstrap,Gentoo}', note => 'from LightGBM')
	FROM file WHERE model = 'lgb_classes'$$, 'labels name the classes');
SELECT is((SELECT count(*) FROM penguin_rows t
	WHERE ml.predict_class('species', t.*) <> (SELECT ('{Adelie,Chinstrap,Gentoo}'::text[])[1 + e.class] FROM expected e WHERE e.model = 'lgb_classes' AND e.id = t.id ORDER BY e.value DESC LIMIT 1)),
	0::bigint, 'the likeliest class by its label');
SELECT cmp_ok((SELECT value FROM ml.evaluate('species', 'penguins') WHERE metric = 'accuracy'), '>', 0.9::double precision,
	'an imported model is evaluated like any other');
SELECT results_eq($$SELECT version, target, note FROM ml.versions WHERE model = 'species'$$, $$VALUES (1, 'species', 'from LightGBM')$$, 'it is listed');
SELECT is((SELECT version FROM file f, ml.import_model('species', f.body, f.format, target => 'species') WHERE f.model = 'xgb_classes'), 2, 'the next import is the next version');
SELECT results_eq($$SELECT column_name, type, kind, used FROM ml.describe('lgb_binary') LIMIT 3$$,
	$$VALUES ('pclass', 'double precision', 'number', true), ('sex', 'text', 'category', true), ('age', 'double precision', 'number', true)$$, 'its columns');

SELECT alike(condition, 'sibsp in (%) or missing', 'categories that are numbers are named') FROM ml.trees('lgb_codes')
WHERE condition LIKE 'sibsp in %' AND condition LIKE '% or missing' LIMIT 1;
SELECT is((SELECT count(DISTINCT tree) FROM ml.trees(model)), n_trees, model || ': its trees are listed') FROM imported ORDER BY model;

-- ---- parts ----

-- One tree is cut into two parts for a row alone, the other, of more thresholds than a byte tells apart, is walked: as many parts as trees.
CREATE FUNCTION pg_temp.chain(tree integer, feature integer, leaves integer) RETURNS text LANGUAGE sql AS $$
SELECT format(E'Tree=%s\nnum_leaves=%s\nnum_cat=0\nsplit_feature=%s\nsplit_gain=%s\nthreshold=%s\ndecision_type=%s\nleft_child=%s\nright_child=%s\nleaf_value=%s\n',
		tree, leaves, string_agg(feature::text, ' ' ORDER BY i), string_agg('1', ' '), string_agg(i || '.5', ' ' ORDER BY i), string_agg('2', ' '),
		string_agg((-1 - i)::text, ' ' ORDER BY i), string_agg(CASE WHEN i < leaves - 2 THEN i + 1 ELSE -leaves END::text, ' ' ORDER BY i),
		(SELECT string_agg((i * (tree * 999 + 1))::text, ' ' ORDER BY i) FROM generate_series(0, leaves - 1) i))
	|| E'is_linear=0\nshrinkage=1\n\n\n'
FROM generate_series(0, leaves - 2) i $$;
CREATE FUNCTION pg_temp.chains(VARIADIC leaves integer[]) RETURNS text LANGUAGE sql AS $$
SELECT E'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=regression\nfeature_names=a b\nfeature_infos=[0:999] [0:999]\n\n'
	|| string_agg(pg_temp.chain(i::integer - 1, i::integer - 1, n), '' ORDER BY i) || E'end of trees\n'
FROM unnest(leaves) WITH ORDINALITY u (n, i) $$;
SELECT is(n_trees, 2::bigint, 'two chains') FROM ml.import_model('chains', pg_temp.chains(33, 300), 'lightgbm');
SELECT is(ml.predict('chains', jsonb_build_object('a', a, 'b', b)), (least(a, 32) + least(b, 299) * 1000)::double precision, format('a row alone: %s, %s', a, b))
FROM (VALUES (0, 0), (31, 298), (32, 299), (40, 5), (7, 400)) v (a, b);
SELECT is((SELECT count(*) FROM ml.predict_table('chains', 'SELECT i AS id, i % 50 AS a, i AS b FROM generate_series(0, 399) i', 'id') p
	WHERE prediction <> least(key::integer % 50, 32) + least(key::integer, 299) * 1000), 0::bigint, 'rows of a table');

SELECT * FROM finish();
ROLLBACK;
