-- Resampling: how many rows, which ones, made how; never validation or test rows; and probabilities that mean what they meant before.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE shop AS SELECT i AS id, i * 37 % 101 / 8.0::float8 AS x, i * i % 53 / 4.0::float8 AS z, CASE WHEN i % 11 > 0 THEN i % 7 END AS gappy, chr(97 + i * 7 % 5 * (i % 3)) AS c, i % 6 = 0 AS flag,
	timestamp '2024-01-01' + i * i % 997 * interval '1 hour' AS at, (i * 7919 % 1000) + (i * 37 % 101) * 5 > 1100 AS y,
	CASE WHEN i * 7919 % 100 < 70 THEN 'many' WHEN i * 7919 % 100 < 90 THEN 'some' ELSE 'few' END AS kind FROM generate_series(1, 3000) i;
CREATE FUNCTION pg_temp.sizes(params jsonb, target text DEFAULT 'y', exclude text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s+%s', class, rows, made), ', ' ORDER BY class) FROM (
		SELECT class, count(*) FILTER (WHERE NOT synthetic) AS rows, count(*) FILTER (WHERE synthetic) AS made
		FROM ml.resample('shop', target, params, 'id', exclude => exclude || CASE target WHEN 'y' THEN '{kind}' ELSE '{y}' END::text[]) GROUP BY class) x$$;

-- ---- how many: counts as imbalanced-learn 0.14 gives them for 1630/451 and 1443/424/214 ----

SELECT is(pg_temp.sizes('{}'), format('false %s+0, true %s+0', count(*) FILTER (WHERE NOT y), count(*) FILTER (WHERE y)), 'as they are')
FROM shop WHERE ml.split(id) = 'train';
SELECT is(pg_temp.sizes(params::jsonb, target, exclude), expected, params || ' of ' || target)
FROM (SELECT count(*) FILTER (WHERE y) AS rare, count(*) FILTER (WHERE NOT y) AS often, count(*) FILTER (WHERE kind = 'few') AS few, count(*) FILTER (WHERE kind = 'some') AS middle,
		count(*) FILTER (WHERE kind = 'many') AS many FROM shop WHERE ml.split(id) = 'train') n,
LATERAL (VALUES ('{"resample": "oversample"}', 'y', '{}'::text[], format('false %s+0, true %1$s+0', often)),
	('{"resample": "oversample", "sampling_ratio": 0.5}', 'y', '{}', format('false %s+0, true %s+0', often, often / 2)),
	('{"resample": "undersample"}', 'y', '{}', format('false %s+0, true %1$s+0', rare)),
	('{"resample": "undersample", "sampling_ratio": 0.8}', 'y', '{}', format('false %s+0, true %s+0', floor(rare / 0.8::float8), rare)),
	('{"resample": "smotenc"}', 'y', '{}', format('false %s+0, true %s+%s', often, rare, often - rare)),
	('{"resample": "smote"}', 'y', '{c,flag}', format('false %s+0, true %s+%s', often, rare, often - rare)),
	('{"resample": "oversample"}', 'kind', '{}', format('few %s+0, many %1$s+0, some %1$s+0', many)),
	('{"resample": "undersample"}', 'kind', '{}', format('few %s+0, many %1$s+0, some %1$s+0', few)),
	('{"resample": "smotenc", "sampling_ratio": 0.4}', 'kind', '{}', format('few %s+%s, many %s+0, some %s+%s', few, floor(many * 0.4) - few, many, middle, greatest(floor(many * 0.4) - middle, 0))),
	('{"resample": "undersample", "sampling_ratio": 0.01}', 'kind', '{}', format('few %s+0, many %s+0, some %s+0', few, many, middle))) v (params, target, exclude, expected);

-- ---- which: training rows only, as many as there are; those that are dropped, at random ----

CREATE FUNCTION pg_temp.ids(params text, seed bigint DEFAULT 0) RETURNS TABLE (id int, class text, synthetic boolean) LANGUAGE sql AS
$$SELECT ("row" ->> 'tag')::float8::int, class, synthetic FROM ml.resample('SELECT id, id AS tag, x, z, c, y FROM shop', 'y', params::jsonb, 'id', seed => seed)$$;
SELECT is_empty(format($$SELECT id FROM pg_temp.ids(%L) JOIN shop USING (id) WHERE NOT synthetic AND ml.split(id) <> 'train'$$, params), params || ': no validation and no test row')
FROM unnest(ARRAY['{"resample": "oversample"}', '{"resample": "undersample"}', '{"resample": "smotenc"}']) params;
SELECT is_empty($$SELECT id FROM pg_temp.ids('{"resample": "undersample"}') WHERE class = 'false' GROUP BY id HAVING count(*) > 1$$, 'undersampling draws without replacement');
SELECT ok(abs(avg(id) - 1500) < 5 * 866 / sqrt(count(*)), 'and evenly') FROM pg_temp.ids('{"resample": "undersample"}') WHERE class = 'false';
SELECT is_empty($$SELECT id FROM shop WHERE ml.split(id) = 'train' EXCEPT SELECT id FROM pg_temp.ids('{"resample": "oversample"}')$$, 'oversampling keeps every row');
SELECT ok(count(DISTINCT n) > 5, 'and copies some more often than others') FROM (SELECT count(*) AS n FROM pg_temp.ids('{"resample": "oversample"}') WHERE class = 'true' GROUP BY id) x;
CREATE TABLE shop_shuffled AS SELECT * FROM shop ORDER BY md5(id::text);
SELECT is((SELECT md5(string_agg(r::text, ';')) FROM ml.resample('shop', 'y', params, 'id') r), (SELECT md5(string_agg(r::text, ';')) FROM ml.resample('shop_shuffled', 'y', params, 'id') r),
	params ->> 'resample' || ': whatever the order of the rows')
FROM unnest('{"{\"resample\": \"oversample\"}", "{\"resample\": \"undersample\"}", "{\"resample\": \"smotenc\"}"}'::jsonb[]) params;
SELECT isnt((SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM pg_temp.ids('{"resample": "undersample"}') WHERE ml.split(id, 1) = 'train'),
	(SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM pg_temp.ids('{"resample": "undersample"}', 1) WHERE ml.split(id) = 'train'), 'another seed, other draws');

-- ---- rows made up: on the line between a row and one of its 5 nearest of its class, the numbers in standard deviations of the training rows ----

CREATE TABLE scaled AS SELECT id, x / sx AS x, z / sz AS z, c, y FROM shop,
	(SELECT stddev_pop(x) AS sx, stddev_pop(z) AS sz FROM shop WHERE ml.split(id) = 'train') s WHERE ml.split(id) = 'train' AND y;
CREATE FUNCTION pg_temp.near(step float8) RETURNS TABLE (a int, b int) LANGUAGE sql AS $$
	SELECT a, b FROM (SELECT p.id AS a, q.id AS b, rank() OVER (PARTITION BY p.id ORDER BY ((p.x - q.x)^2 + (p.z - q.z)^2 + CASE WHEN p.c <> q.c THEN step ELSE 0 END)::numeric(20, 12)) AS r
		FROM scaled p JOIN scaled q ON p.id <> q.id) x WHERE r <= 5$$;
CREATE TABLE made AS SELECT row_number() OVER () AS i, ("row" ->> 'x')::float8 / sx AS x, ("row" ->> 'z')::float8 / sz AS z
FROM ml.resample('shop', 'y', '{"resample": "smote"}', 'id', features => '{x,z}'), (SELECT stddev_pop(x) AS sx, stddev_pop(z) AS sz FROM shop WHERE ml.split(id) = 'train') s WHERE synthetic;
CREATE FUNCTION pg_temp.off_segment(x float8, z float8, ax float8, az float8, bx float8, bz float8) RETURNS boolean LANGUAGE sql AS $$
	SELECT abs((x - ax) * (bz - az) - (z - az) * (bx - ax)) > 1e-9 OR x NOT BETWEEN least(ax, bx) - 1e-9 AND greatest(ax, bx) + 1e-9 OR z NOT BETWEEN least(az, bz) - 1e-9 AND greatest(az, bz) + 1e-9$$;
SELECT ok(count(*) > 500, 'rows were made up') FROM made;
SELECT is_empty($$SELECT i FROM made m WHERE NOT EXISTS (SELECT FROM pg_temp.near(0) n JOIN scaled a ON a.id = n.a JOIN scaled b ON b.id = n.b WHERE NOT pg_temp.off_segment(m.x, m.z, a.x, a.z, b.x, b.z))$$, 'smote');
SELECT ok(count(DISTINCT (round(x::numeric, 6), round(z::numeric, 6))) > 0.9 * count(*), 'different ones') FROM made;

-- with a category: one that differs costs the square of the median of the two standard deviations within the class; the new row has what most of the neighbours have
CREATE TABLE made_nc AS SELECT row_number() OVER () AS i, ("row" ->> 'x')::float8 / sx AS x, ("row" ->> 'z')::float8 / sz AS z, "row" ->> 'c' AS c
FROM ml.resample('shop', 'y', '{"resample": "smotenc"}', 'id', features => '{x,z,c}'), (SELECT stddev_pop(x) AS sx, stddev_pop(z) AS sz FROM shop WHERE ml.split(id) = 'train') s WHERE synthetic;
CREATE TABLE near_nc AS SELECT n.*, q.c FROM (SELECT ((stddev_pop(x) + stddev_pop(z)) / 2)^2 AS step FROM scaled) s, pg_temp.near(s.step) n JOIN scaled q ON q.id = b;
CREATE TABLE elected AS SELECT a, c FROM (SELECT a, c, count(*) AS n, max(count(*)) OVER (PARTITION BY a) AS most FROM near_nc GROUP BY a, c) v WHERE n = most;
SELECT is_empty($$SELECT i FROM made_nc m WHERE NOT EXISTS (SELECT FROM near_nc n JOIN elected e ON e.a = n.a JOIN scaled a ON a.id = n.a JOIN scaled b ON b.id = n.b
	WHERE e.c = m.c AND NOT pg_temp.off_segment(m.x, m.z, a.x, a.z, b.x, b.z))$$, 'smotenc');

-- missing numbers stay missing where the row a new one starts from misses them; booleans stay booleans, times stay within their range
SELECT ok(count(*) FILTER (WHERE "row" ->> 'gappy' IS NULL) BETWEEN 0.04 * count(*) AND 0.15 * count(*), 'missing ones') FROM ml.resample('shop', 'y', '{"resample": "smotenc"}', 'id', exclude => '{kind}') WHERE synthetic;
SELECT is((SELECT array_agg(DISTINCT "row" -> 'flag' ORDER BY "row" -> 'flag') FROM ml.resample('shop', 'y', '{"resample": "smotenc"}', 'id') WHERE synthetic), '{false,true}'::jsonb[], 'booleans');
SELECT is((SELECT count(*) FROM ml.resample('shop', 'y', '{"resample": "smotenc"}', 'id') WHERE synthetic AND ("row" ->> 'at')::timestamp NOT BETWEEN (SELECT min(at) FROM shop) AND (SELECT max(at) FROM shop)),
	0::bigint, 'times');

-- ---- training: validation and test rows are not touched, whatever they are ----

CREATE TABLE spoilt AS SELECT id, CASE WHEN ml.split(id) = 'test' THEN -1e6 ELSE x END AS x, z, c, y FROM shop;
DO $$
DECLARE
	method text;
	algorithm text;
BEGIN
	FOREACH method IN ARRAY '{oversample,undersample,smotenc}'::text[] LOOP
		FOREACH algorithm IN ARRAY '{baseline,logistic_regression,gradient_boosting,random_forest,extra_trees,decision_tree}'::text[] LOOP
			PERFORM ml.train(algorithm || ' ' || method, 'SELECT id, x, z, c, y FROM shop', 'y', algorithm, jsonb_build_object('resample', method), key => 'id');
			PERFORM ml.train(algorithm || ' ' || method || ' spoilt', 'spoilt', 'y', algorithm, jsonb_build_object('resample', method), key => 'id');
			PERFORM ml.train(algorithm || ' ' || method || ' kind', 'SELECT id, x, z, c, kind FROM shop', 'kind', algorithm, jsonb_build_object('resample', method), key => 'id');
		END LOOP;
	END LOOP;
END $$;
SELECT is((SELECT sha256 FROM ml.versions WHERE model = a || ' ' || m), (SELECT sha256 FROM ml.versions WHERE model = a || ' ' || m || ' spoilt'), format('%s by %s: other test rows, the same model', a, m))
FROM unnest('{oversample,undersample,smotenc}'::text[]) m, unnest('{baseline,logistic_regression,gradient_boosting,random_forest,extra_trees,decision_tree}'::text[]) a;
SELECT is((n_train, n_validation, n_test), (count(*) FILTER (WHERE p = 'train'), count(*) FILTER (WHERE p = 'validation'), count(*) FILTER (WHERE p = 'test')), 'rows are counted and judged as they are: ' || model)
FROM ml.runs, (SELECT ml.split(id) AS p FROM shop) s WHERE model LIKE 'logistic_regression %' GROUP BY model, n_train, n_validation, n_test;
SELECT is(n, (SELECT count(*) FROM shop WHERE ml.split(id) = part), 'metrics are of the rows there are: ' || part) FROM ml.run_metrics WHERE model = 'logistic_regression smotenc' AND metric = 'roc_auc' AND part <> 'baseline';
SELECT ok(abs(sum(p) - 1) < 1e-12 AND min(p) >= 0, 'probabilities of several classes add up: ' || model)
FROM ml.models m, LATERAL (SELECT ml.predict_proba(m.model, '{"x": 3, "z": 2, "c": "b"}'::jsonb, c) AS p FROM unnest('{few,many,some}'::text[]) c) p WHERE model LIKE '% kind' GROUP BY model;

-- ---- probabilities: the closed form, and that they mean what they say ----

SELECT ok(n_train > 0, 'corrected') FROM ml.train('yes', 'SELECT id, x, z, y FROM shop', 'y', 'logistic_regression', '{"resample": "undersample"}', key => 'id');
SELECT ok(n_train > 0, 'not corrected') FROM ml.train('no', 'SELECT id, x, z, y FROM shop', 'y', 'logistic_regression', '{"resample": "undersample", "correct_probabilities": false}', key => 'id');
SELECT is((SELECT params ->> 'correct_probabilities' FROM ml.runs WHERE model = 'yes'), 'true', 'on by default');
-- p = p' w1 / (p' w1 + (1 - p') w0), w = share before / share after, here 1/2
SELECT ok(max(abs(ml.predict_proba('yes', s.*) - q * w1 / (q * w1 + (1 - q) * w0))) < 1e-14, 'Bayes')
FROM (SELECT s, ml.predict_proba('no', s.*) AS q FROM shop s) q, LATERAL (SELECT (q.s).*) s,
	(SELECT avg(y::int) * 2 AS w1, (1 - avg(y::int)) * 2 AS w0 FROM shop WHERE ml.split(id) = 'train') w;
SELECT ok(abs(ml.predict_proba((SELECT ml.artifact('yes')), '{"x": 3, "z": 2}'::jsonb) - ml.predict_proba('yes', '{"x": 3, "z": 2}'::jsonb)) = 0, 'the correction is in the artifact');
SELECT is(ml.predict_class('yes', s.*), CASE WHEN ml.predict_proba('yes', s.*) >= 0.5 THEN 'true' ELSE 'false' END, 'classes follow it') FROM shop s WHERE id <= 5;

SELECT ok(n_train > 0, 'several classes') FROM ml.train('yes3', 'SELECT id, x, z, kind FROM shop', 'kind', 'logistic_regression', '{"resample": "oversample"}', key => 'id');
SELECT ok(n_train > 0, 'not corrected') FROM ml.train('no3', 'SELECT id, x, z, kind FROM shop', 'kind', 'logistic_regression', '{"resample": "oversample", "correct_probabilities": false}', key => 'id');
SELECT ok(max(abs(p - q * w / total)) < 1e-14, 'Bayes with several classes') FROM (
	SELECT id, ml.predict_proba('yes3', s.*, k.kind) AS p, ml.predict_proba('no3', s.*, k.kind) AS q, w * 3 AS w, sum(ml.predict_proba('no3', s.*, k.kind) * w * 3) OVER (PARTITION BY id) AS total
	FROM shop s, (SELECT kind, count(*)::float8 / sum(count(*)) OVER () AS w FROM shop WHERE ml.split(id) = 'train' GROUP BY kind) k WHERE id <= 50) x;

SELECT ok(n_train > 0, 'weights') FROM ml.train('weighted', 'SELECT id, x, z, y FROM shop', 'y', 'logistic_regression', '{"class_weight": {"true": 5}}', key => 'id');
SELECT ok(n_train > 0, 'weights, corrected') FROM ml.train('unweighted', 'SELECT id, x, z, y FROM shop', 'y', 'logistic_regression', '{"class_weight": {"true": 5}, "correct_probabilities": true}', key => 'id');
SELECT ok(max(abs(ml.predict_proba('unweighted', s.*) - q / (q + (1 - q) * 5))) < 1e-14, 'weights of classes are undone alike') FROM (SELECT s, ml.predict_proba('weighted', s.*) AS q FROM shop s) q, LATERAL (SELECT (q.s).*) s;
SELECT is((SELECT params ->> 'correct_probabilities' FROM ml.runs WHERE model = 'weighted'), 'false', 'only where it is asked for');

-- a tree's rules and its SQL answer as the model does
SELECT ok(n_train > 0, 'a tree') FROM ml.train('tree', 'SELECT id, x, z, y FROM shop', 'y', 'decision_tree', '{"resample": "undersample", "max_depth": 3}', key => 'id');
CREATE FUNCTION pg_temp.by_sql() RETURNS TABLE (id int, class text) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT id, ' || ml.tree_sql('tree') || ' FROM shop'; END $$;
SELECT is_empty($$SELECT s.id FROM shop s JOIN pg_temp.by_sql() t USING (id) WHERE ml.predict_class('tree', s.*) <> t.class$$, 'ml.tree_sql');
SELECT is_empty($$SELECT rule FROM ml.tree_rules('tree') WHERE prediction <> CASE WHEN value[1] >= 0.5 THEN 'true' ELSE 'false' END$$, 'ml.tree_rules');

-- real data: the mean probability of the test rows is their base rate, within 4 standard errors
CREATE TABLE adult_keyed AS SELECT row_number() OVER () AS row_key, * FROM adult;
SELECT ok(n_train > 0, 'adult ' || p) FROM unnest('{true,false}'::text[]) p,
	ml.train('adult ' || p, 'adult_keyed', 'income', 'logistic_regression', format('{"resample": "undersample", "correct_probabilities": %s}', p)::jsonb, key => 'row_key');
SELECT is(abs(mean - rate) < 4 * sqrt(rate * (1 - rate) / n), model = 'adult true', format('%s: base rate %s, mean probability %s', model, round(rate::numeric, 4), round(mean::numeric, 4)))
FROM (SELECT m.model, avg((income = '>50K')::int)::float8 AS rate, avg(ml.predict_proba(m.model, t.*)) AS mean, count(*) AS n
	FROM adult_keyed t, unnest('{adult true,adult false}'::text[]) m (model) WHERE ml.split(row_key) = 'test' GROUP BY m.model) x;

-- ---- what makes no sense ----

SELECT throws_ok(format($$SELECT ml.train('wrong', 'SELECT id, %s FROM shop', %L, %L, %L, key => 'id')$$, columns, target, algorithm, params), state, message, message)
FROM (VALUES ('x, c, y', 'y', 'baseline', '{"resample": "smote"}', '22023', '"smote" is for numbers only, but column "c" holds categories'),
	('x, flag, y', 'y', 'baseline', '{"resample": "smote"}', '22023', '"smote" is for numbers only, but column "flag" holds categories'),
	('x, y', 'y', 'baseline', '{"resample": "smotenc"}', '22023', '"smotenc" is for numbers and categories, but no column holds categories'),
	('c, y', 'y', 'baseline', '{"resample": "smotenc"}', '22023', '"smotenc" needs at least one column of numbers'),
	('x, z', 'z', 'linear_regression', '{"resample": "oversample"}', '22023', 'parameter "resample" is for classification only'),
	('x, y', 'y', 'baseline', '{"resample": "more"}', '22023', 'parameter "resample" cannot be "more"'),
	('x, y', 'y', 'baseline', '{"resample": "smote", "smote_neighbors": 0}', '22023', 'parameter "smote_neighbors" must be between 1 and 1000'),
	('x, y', 'y', 'baseline', '{"resample": "smote", "smote_neighbors": 2.5}', '22023', 'parameter "smote_neighbors" must be a whole number'),
	('x, y', 'y', 'baseline', '{"resample": "oversample", "smote_neighbors": 3}', '22023', 'parameter "smote_neighbors" says nothing without "resample" being "smote" or "smotenc"'),
	('x, y', 'y', 'baseline', '{"sampling_ratio": 0.5}', '22023', 'parameter "sampling_ratio" says nothing without "resample"'),
	('x, y', 'y', 'baseline', '{"resample": "oversample", "sampling_ratio": 0}', '22023', 'parameter "sampling_ratio" must be above 0 and at most 1'),
	('x, y', 'y', 'baseline', '{"correct_probabilities": true}', '22023', 'parameter "correct_probabilities" says nothing without "resample" or "class_weight"'),
	('x, y', 'y', 'logistic_regression', '{"class_weight": {"true": 0}, "correct_probabilities": true}', '22023', 'probabilities cannot be corrected for class "true", whose weight is zero'),
	('x, y', 'y', 'baseline', '{"resample": "oversample", "class_weight": "balanced"}', '22023', 'parameters "resample" and "class_weight" say the same thing'),
	('x, id > 2996 AS y', 'y', 'baseline', '{"resample": "smote"}', '22000', NULL)) v (columns, target, algorithm, params, state, message);
-- texts that are looked into are categories, not numbers to be interpolated
CREATE FUNCTION pg_temp.with_texts(columns text, method text) RETURNS text LANGUAGE sql AS
$$SELECT array_to_string(warnings, ';') FROM ml.train('texts', 'SELECT id, y, x, ''word '' || id % 40 AS t' || columns || ' FROM shop', 'y', 'logistic_regression',
	jsonb_build_object('resample', method), key => 'id', preprocess => '{"t": "tfidf"}')$$;
SELECT throws_ok($$SELECT pg_temp.with_texts('', 'smote')$$, '22023', '"smote" is for numbers only, but column "t" holds texts', 'no numbers');
SELECT matches(pg_temp.with_texts('', 'smotenc'), 'smotenc changed the classes', 'but categories');
SELECT throws_ok($$SELECT * FROM ml.resample('SELECT id, x, y, CASE WHEN id = (SELECT min(id) FROM shop WHERE ml.split(id) = ''train'') THEN ''one'' ELSE y::text END AS z FROM shop', 'z',
	'{"resample": "smote"}', key => 'id', features => '{x}')$$, '22000', 'class "one" has 1 training row, too few for 5 nearest neighbours each', 'one row');

-- who has taken care of imbalance is not told of it; infinite numbers are shown as such
SELECT is(array_to_string(warnings, ';') ~ 'class_imbalance', told, params) FROM (VALUES ('{}', true), ('{"class_weight": "balanced"}', false), ('{"resample": "undersample"}', false)) v (params, told),
	ml.train('told', 'SELECT id, x, id % 30 = 0 AS y FROM shop', 'y', 'baseline', params::jsonb, key => 'id');
SELECT set_eq($$SELECT DISTINCT r.row -> 'z' FROM ml.resample('SELECT id, x, y, CASE id % 3 WHEN 0 THEN 1 WHEN 1 THEN ''Infinity''::float8 ELSE ''NaN'' END AS z FROM shop', 'y', '{}', key => 'id') r$$,
	$$VALUES ('1'::jsonb), ('"Infinity"'), ('null')$$, 'infinity is no NULL');
SELECT ok('the classes are as balanced as "sampling_ratio" asks for: nothing was resampled' = ANY (warnings), 'nothing to do')
FROM ml.train('nothing', 'SELECT id, x, id % 2 = 0 AS y FROM shop', 'y', 'baseline', '{"resample": "oversample", "sampling_ratio": 0.5}', key => 'id');

-- memory is announced: there is a limit under which the rows fit, and those made up do not
CREATE TABLE rare AS SELECT i AS id, i * 0.5 AS x, i % 1000 = 0 AS y FROM generate_series(1, 39000) i;
CREATE FUNCTION pg_temp.state_under(megabytes int, params jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('relearn.max_memory', megabytes || 'MB', true);
	PERFORM ml.train('rare', 'rare', 'y', 'logistic_regression', params, key => 'id');
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(array_agg(DISTINCT plain || '/' || smote ORDER BY plain || '/' || smote), '{54000/54000,ok/54000,ok/ok}'::text[], 'more memory is announced')
FROM (SELECT pg_temp.state_under(m, '{}') AS plain, pg_temp.state_under(m, '{"resample": "smote"}') AS smote FROM generate_series(1, 12) m) x;
SELECT * FROM finish();
ROLLBACK;
