-- Pipelines: fitted, stored like models, replayed row by row; the same preparation as SQL.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TABLE people AS
SELECT i AS id, CASE WHEN i % 9 > 0 THEN (i * 37 % 83) + 18 END AS age, (i * 7919 % 1000) / 10.0::float8 AS income, 1 + i % 6 AS heads,
	(ARRAY['Oslo', 'Rome', 'it''s', NULL])[1 + i % 4] AS city, (ARRAY['a', 'b', 'c', 'd', 'e'])[1 + (i * i) % 5] AS kind, i % 3 = 0 AS member,
	CASE WHEN i % 8 > 0 THEN (i % 50)::text ELSE ' ' END AS points, (i * 11 % 700) * interval '1 minute' AS away, (i * 13 % 1000) + i % 2 AS y
FROM generate_series(1, 300) i;

SELECT is(ml.fit_pipeline('prep', 'people', '{"age": ["impute_median", "standardize"], "income": ["log1p", {"scale": "minmax"}], "points": ["number", {"impute": {"strategy": "mean", "indicator": true}}],
	"per_head": {"ratio": ["income", "heads"]}, "city": {"impute": {"constant": "nowhere"}}, "squares": {"polynomial": ["age", "heads"]}, "band": [{"column": "income"}, {"bucketize": {"n": 3, "onehot": true}}],
	"away": {"clip": [0, 20000]}, "power": [{"column": "income"}, "yeo_johnson"]}', exclude => '{id,y}'), 1, 'the first version');
SELECT results_eq($$SELECT column_name FROM ml.transform_columns('prep') ORDER BY place$$, ARRAY['age', 'log1p(income)', 'heads', 'city=Oslo', 'city=Rome', 'city=it''s', 'city=nowhere',
	'kind=a', 'kind=b', 'kind=e', 'member', 'points', 'points is missing', 'away', 'band: income < 33.9', 'band: income in [33.9, 67.6)', 'band: income >= 67.6', 'per_head', 'power',
	'squares: age', 'squares: heads', 'squares: age^2', 'squares: age heads', 'squares: heads^2'], 'the columns');
SELECT results_eq($$SELECT source_columns, steps FROM ml.transform_columns('prep') WHERE column_name IN ('age', 'per_head', 'points is missing', 'kind=a', 'city=Rome') ORDER BY place$$,
	$$VALUES ('{age}'::text[], '{impute,standard}'::text[]), ('{city}', '{impute,category}'), ('{kind}', '{category}'), ('{points}', '{impute}'), ('{income,heads}', '{ratio}')$$, 'where they come from');
SELECT results_eq($$SELECT feature, step_number, step, parameter, coalesce(round(number::numeric, 2)::text, value) FROM ml.preprocess_params('prep') WHERE feature IN ('age', 'city') ORDER BY feature, step_number, parameter LIMIT 4$$,
	$$WITH m AS (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY age) AS age FROM people)
	SELECT * FROM (VALUES ('age', 1::bigint, 'impute', 'fill', (SELECT round(age::numeric, 2)::text FROM m)),
	('age', 2, 'standard', 'mean', (SELECT round(avg(coalesce(p.age, m.age))::numeric, 2)::text FROM people p, m)),
	('age', 2, 'standard', 'scale', (SELECT round(stddev_pop(coalesce(p.age, m.age))::numeric, 2)::text FROM people p, m)), ('city', 1, 'impute', 'fill', 'nowhere')) v$$, 'what was learned');

-- ---- the same as SQL, on rows it has seen and on odd ones ----

CREATE TABLE odd AS SELECT * FROM people UNION ALL
VALUES (1001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0), (1002, -5, -0.5, 0, 'Paris', 'zz', true, '1e3', '-1 day'::interval, 0), (1003, 1000, 'NaN', 3, 'Rome', 'a', false, 'x', '99 days', 0),
	(1004, 3, -1, 3, '', NULL, NULL, ' 7 ', '0', 0);
SELECT ml.transform_sql('prep', 'odd') AS query \gset
CREATE FUNCTION pg_temp.difference(got float8[], wanted float8[]) RETURNS float8 LANGUAGE sql AS $$
SELECT CASE WHEN cardinality(got) IS DISTINCT FROM cardinality(wanted) THEN 'infinity'
	ELSE (SELECT max(CASE WHEN g IS NULL AND w IS NULL OR g = w THEN 0 WHEN g IS NULL OR w IS NULL THEN 'infinity' ELSE abs(g - w) / greatest(1, abs(w)) END) FROM unnest(got, wanted) v (g, w)) END
$$;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (VERBOSE, COSTS off) ' || query;
END $$;
CREATE TEMP TABLE printed AS :query;
SELECT is((SELECT count(*) FROM printed), 304::bigint, 'the printed SQL runs');
CREATE TEMP TABLE by_sql AS SELECT row_number() OVER () AS n, ARRAY(SELECT value::float8 FROM json_each_text(row_to_json(p))) AS cells FROM printed p;
CREATE TEMP TABLE by_us AS SELECT row_number() OVER () AS n, ml.transform('prep', o) AS cells FROM odd o;
SELECT cmp_ok((SELECT max(pg_temp.difference(u.cells, s.cells)) FROM by_us u JOIN by_sql s USING (n)), '<=', 1e-12::float8, 'and gives the same');
SELECT is(ml.transform('prep', o), ml.transform('prep', to_jsonb(o)), 'JSON') FROM odd o WHERE id IN (1, 8, 9, 1001, 1002, 1004);
SELECT is(ml.transform('prep', o), ml.transform('prep', to_jsonb(o)::text), 'JSON as text') FROM odd o WHERE id = 1002;
SELECT is(ml.transform((SELECT ml.artifact('prep')), o), ml.transform('prep', o), 'by value') FROM odd o WHERE id IN (1, 1002);
SELECT is_empty($$SELECT id FROM odd o WHERE ml.transform('prep', o) IS DISTINCT FROM ml.transform('prep', (SELECT r FROM odd r WHERE r.id = o.id))$$, 'columns passed one by one, and a row');
SELECT ok((SELECT string_agg(line, '') FROM pg_temp.plan($$SELECT ml.transform('prep', o) FROM odd o$$) line) LIKE '%_transform_columns%', 'the planner passes columns');
SELECT is(ml.transform('prep', NULL::people), NULL, 'no row');
SELECT throws_ok($$SELECT ml.transform('prep', '{"age": 1}'::jsonb)$$, '42703', 'the row has no column "income", which model "prep" version 1 needs');

-- ---- what a pipeline is not ----

SELECT throws_ok($$SELECT ml.predict('prep', p) FROM people p$$, '42804', '"prep" is a pipeline, which predicts nothing');
SELECT throws_ok($$SELECT ml.predict_class('prep', p) FROM people p$$, '42804', '"prep" is a pipeline, which predicts nothing');
SELECT throws_ok($$SELECT ml.predict_all('prep', p) FROM people p$$, '42804', '"prep" is a pipeline, which predicts nothing');
SELECT throws_ok($$SELECT * FROM ml.predict_table('prep', 'people')$$, '42804', '"prep" is a pipeline, which predicts nothing');
SELECT throws_ok($$SELECT * FROM ml.evaluate('prep', 'people')$$, '0A000', 'a pipeline predicts nothing that could be evaluated');
SELECT throws_ok($$SELECT * FROM ml.coefficients('prep')$$, '0A000', 'algorithm "pipeline" has no coefficients');
SELECT throws_ok($$SELECT * FROM ml.train('m', 'people', 'y', 'pipeline')$$, '42704', 'algorithm "pipeline" does not exist');
SELECT throws_ok($$SELECT ml.fit_pipeline('m', 'people', params => '{"remander": "drop"}')$$, '22023', 'algorithm "pipeline" has no parameter "remander"');
SELECT throws_ok($$SELECT ml.fit_pipeline('m', 'SELECT * FROM people WHERE false')$$, '22000');

-- ---- versions, deployment, rights, as models have them ----

SELECT is(ml.fit_pipeline('prep', 'people', '{"age": "minmax"}', params => '{"remainder": "drop"}'), 2, 'the second version');
SELECT is(array_length(ml.transform('prep', p), 1), 24, 'the first one stays in production') FROM people p LIMIT 1;
SELECT is(array_length(ml.transform('prep:2', p), 1), 1, 'the second by number') FROM people p LIMIT 1;
SELECT is(ml.deploy('prep', 2), 2);
SELECT is(array_length(ml.transform('prep', p), 1), 1, 'deployed') FROM people p LIMIT 1;
SELECT is(ml.rollback('prep'), 1);
SELECT is(array_length(ml.transform('prep', p), 1), 24, 'rolled back') FROM people p LIMIT 1;
SELECT results_eq($$SELECT version, algorithm, task, n_train, n_test, params ->> 'remainder' FROM ml.runs WHERE model = 'prep' ORDER BY version$$,
	$$VALUES (1, 'pipeline', 'preparation', 300::bigint, 0::bigint, 'automatic'), (2, 'pipeline', 'preparation', 300, 0, 'drop')$$, 'its runs');
CREATE ROLE pipeline_reader;
GRANT SELECT ON people TO pipeline_reader;
GRANT USAGE ON SCHEMA ml TO pipeline_reader;
SET LOCAL ROLE pipeline_reader;
SELECT throws_ok($$SELECT ml.transform('prep', p) FROM people p$$, '42501');
SELECT throws_ok($$SELECT ml.fit_pipeline('prep', 'people')$$, '42501');
RESET ROLE;
SELECT ml.grant_model('prep', 'pipeline_reader', 'predict');
SET LOCAL ROLE pipeline_reader;
SELECT lives_ok($$SELECT ml.transform('prep', p) FROM people p$$, 'granted');
RESET ROLE;

-- ---- rest, split, order of rows ----

SELECT is(ml.fit_pipeline('rest', 'SELECT age, income, city FROM people', '{"age": "standard"}', params => '{"remainder": "passthrough"}'), 1);
SELECT results_eq($$SELECT column_name FROM ml.transform_columns('rest') ORDER BY place$$, ARRAY['age', 'income', 'city=Oslo', 'city=Rome', 'city=it''s', 'city is missing'], 'passed through, categories one by one');
SELECT is((ml.transform('rest', p))[2], income, 'as it is') FROM people p WHERE id = 5;
SELECT ml.fit_pipeline('a', 'people', '{"age": ["impute_mean", "standard"]}', split => '{"train": 0.5, "validation": 0, "test": 0.5}', key => 'id', exclude => '{y}');
SELECT ml.fit_pipeline('b', 'SELECT * FROM people ORDER BY y, id DESC', '{"age": ["impute_mean", "standard"]}', split => '{"train": 0.5, "test": 0.5}', key => 'id', exclude => '{y}');
SELECT ok(ml.artifact('a') = ml.artifact('b'), 'the same bytes whatever the order');
SELECT ok((SELECT n_train BETWEEN 120 AND 180 AND n_train + n_test = 300 FROM ml.runs WHERE model = 'a'), 'fitted on the share for training');

-- ---- a trained model shows what its learner sees ----

SELECT FROM ml.train('linear', 'people', 'y', 'linear_regression', '{"l2": 1}', preprocess => '{"age": ["impute_mean", "standard"]}', exclude => '{id}', split => '{"train": 1}');
SELECT results_eq($$SELECT round((ml.transform('linear', p))[1]::numeric, 9) FROM people p$$,
	$$SELECT round(((coalesce(age, avg(age) OVER ()) - avg(age) OVER ()) / (SELECT stddev_pop(coalesce(age, m)) FROM people, (SELECT avg(age) AS m FROM people) a))::numeric, 9) FROM people$$, 'its prepared row');
SELECT is(array_length(ml.transform('linear', p), 1)::bigint, (SELECT count(*) FROM ml.transform_columns('linear')), 'as wide as its columns') FROM people p LIMIT 1;

-- ---- damaged bytes ----

CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;
CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.transform(model, '{"age": 50, "income": 5, "heads": 2, "city": "Rome", "kind": "a", "member": true, "points": "7", "away": "1 hour", "t": 3}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT ml.fit_pipeline('more', 'SELECT income, heads, age AS t, city FROM people', '{"income": ["robust", "quantile"], "heads": ["maxabs", "power"], "t": {"bucketize": {"onehot": true}}, "x": {"interaction": ["income", "heads", "t"]},
	"d": {"difference": ["income", "t"]}, "n": [{"column": "t"}, "indicator"], "q": [{"column": "income"}, "quantile_normal"], "city": "missing_as_category"}', params => '{"max_categories": 3}');
CREATE TEMP TABLE intact AS SELECT model, ml.artifact(model) AS bytes FROM unnest(ARRAY['prep', 'more']) model;
SELECT is_empty($$SELECT model, i, mask, s FROM intact, generate_series(32, length(bytes) - 33, 3) i, unnest('{1,4,255}'::int[]) mask,
	pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) s WHERE s NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$, 'changed and sealed: refused in words, or a legal pipeline');
SELECT is_empty($$SELECT model, n FROM intact, generate_series(40, length(bytes) - 1, 5) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');

SELECT lives_ok($$SELECT ml.drop_model('prep')$$, 'dropped like a model');
SELECT throws_ok($$SELECT ml.transform('prep', p) FROM people p$$, '42704');

-- Nothing left to prepare.
SELECT lives_ok($$SELECT ml.fit_pipeline('nothing', 'SELECT NULL::float8 AS a FROM generate_series(1, 3)', '{"a": "standard"}')$$, 'a column without values');
SELECT is(ml.transform('nothing', '{"a": 1}'), '{}', 'an empty row');
SELECT is((SELECT warnings::text FROM ml.runs WHERE model = 'nothing'), '{"column \"a\" is left out: none of its values is finite","no usable column: every prepared row is empty"}', '... and why');

-- Random classes of many levels: with folds set aside, the mean of the target says nothing, as it should.
CREATE TEMP TABLE chance AS SELECT i, 'c' || (hashint4(i) & 511) AS c, hashint4extended(i, 5) & 1023 < 512 AS y FROM generate_series(1, 5000) i;
CREATE TEMP TABLE crossed AS SELECT * FROM ml.train('chance', 'chance', 'y', 'logistic_regression', features => '{c}', key => 'i', preprocess => '{"c": {"encode": "target"}}');
SELECT ok(abs((SELECT coefficient FROM ml.coefficients('chance') WHERE feature LIKE 'c:%')) < 1, 'no weight on what is learned from other folds');
SELECT ok((SELECT score FROM crossed) BETWEEN 0.42 AND 0.58, 'and chance on the test rows');

-- A row as JSON has blanks behind char(n) and short digits of single precision: the prepared row is that of the row itself.
CREATE TEMP TABLE padded AS SELECT ('k' || i % 3)::char(6) AS c, (i / 7.0)::real AS r, i / 7.0::float8 AS d FROM generate_series(1, 60) i;
SELECT lives_ok($$SELECT ml.fit_pipeline('padded', 'padded', '{"c": "frequency", "r": "standard", "d": "standard"}')$$, 'char(n) and real');
SELECT is_empty($$SELECT * FROM padded p WHERE ml.transform('padded', p.*) IS DISTINCT FROM ml.transform('padded', to_jsonb(p.*)) OR ml.transform('padded', p.*) IS DISTINCT FROM ml.transform('padded', to_json(p.*)::text)$$,
	'the same as JSON');

SELECT * FROM finish();
ROLLBACK;
