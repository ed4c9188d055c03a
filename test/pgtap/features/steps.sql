-- Chains of steps and derived features: what is refused and how, names, what reaches a learner.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TABLE steps AS
SELECT i AS id, (i * 7919 % 1000) / 10.0::float8 AS a, CASE WHEN i % 7 > 0 THEN (i * 104729 % 997)::float8 END AS b, (ARRAY['x', 'y', 'z', NULL])[1 + i % 4] AS c,
	date '2020-01-01' + i % 90 AS d, timestamp '2020-03-01' + i % 90 * interval '1 hour' AS e, i % 2 = 0 AS f, i % 10 AS zero, 5 AS same, NULL::float8 AS empty,
	(i * 7919 % 1000) / 5.0 + i % 5 AS y
FROM generate_series(1, 400) i;

CREATE FUNCTION pg_temp.trained(preprocess jsonb, algorithm text DEFAULT 'linear_regression', source text DEFAULT 'steps', name text DEFAULT 'steps') RETURNS text[]
LANGUAGE sql VOLATILE AS $$
SELECT warnings FROM ml.train(name, source, 'y', algorithm, CASE algorithm WHEN 'linear_regression' THEN '{"l2": 0, "checks": false}' ELSE '{"checks": false}' END::jsonb, exclude => CASE source WHEN 'steps' THEN '{id}' ELSE '{}' END::text[], preprocess => preprocess,
	split => '{"train": 1}')
$$;
CREATE FUNCTION pg_temp.refused(preprocess text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text;
BEGIN
	PERFORM pg_temp.trained(preprocess::jsonb);
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || message || CASE WHEN hint <> '' THEN ' | ' || split_part(hint, '.', 1) ELSE '' END;
END $$;

-- ---- refused ----

SELECT is(pg_temp.refused(preprocess), wanted, preprocess)
FROM (VALUES
	('{"a": "standart"}', '22023 preprocess step "standart" of "a" not recognized | Perhaps you meant "standard"'),
	('{"a": ["log1p", "log2p"]}', '22023 preprocess step "log2p" of "a" not recognized | Perhaps you meant "log1p"'),
	('{"c": "standard"}', '42804 preprocess step "standard" cannot take column "c", which is a category | Begin with "number" to read text as numbers, or with a step that encodes categories, for example ["onehot", '),
	('{"d": "log1p"}', '42804 preprocess step "log1p" cannot take column "d", which is a timestamp'),
	('{"a": {"standard": {"with_men": true}}}', '22023 preprocess step "standard" of "a" has no parameter "with_men" | Perhaps you meant "with_mean"'),
	('{"a": {"standard": {"with_mean": 3}}}', '22023 "with_mean" must be true or false, not a number'),
	('{"a": {"impute": {"constant": 1, "fill_value": 2}}}', '22023 parameter "constant" is given twice'),
	('{"a": {"impute_mean": {"strategy": "median"}}}', '22023 parameter "strategy" is given twice'),
	('{"a": "impute_constant"}', '22023 preprocess step "impute_constant" of "a": strategy "constant" needs the parameter "constant"'),
	('{"a": {"impute": {"constant": "none"}}}', '42804 column "a" is a number, but its missing cells are to become "none" | Give a number as the constant, or begin the steps with "category"'),
	('{"c": "impute_mean"}', '42804 column "c" is a category, which has no mean | Use "impute_most_frequent", {"impute": {"constant": "unknown"}} or "missing_as_category"'),
	('{"a": {"impute": "mean", "standard": {}}}', '22023 a preprocess step of "a" must be an object of one name, not of 2 | Several steps are an array: ["impute_median", {"clip": [0, 100]}]'),
	('{"a": 7}', '22023 a preprocess step of "a" must be a name or an object of one name, not a number'),
	('{"a": []}', '22023 preprocess names no step for column "a"'),
	('{"a": ["drop", "log1p"]}', '22023 preprocess step "drop" of "a" must stand alone'),
	('{"a": {"standard": 7}}', '22023 preprocess step "standard" of "a" cannot take a number | Give an object of its parameters; ml'),
	('{"x": "log1p"}', '42703 source has no column "x", given as a column to prepare | Perhaps you meant "a"'),
	('{"y": "log1p"}', '22023 column "y" is named in preprocess but is no feature'),
	('{"x": {"ratio": ["a", "y"]}}', '22023 column "y" is the target; no feature can be made of it'),
	('{"x": {"ratio": ["a", "bb"]}}', '42703 source has no column "bb", given as a column to make features of | Perhaps you meant "b"'),
	('{"x": {"ratio": "a"}}', '22023 preprocess step "ratio" of "x" takes 2 columns, not 1 | For example {"new_name": {"ratio": ["column_1", "column_2"]}}'),
	('{"x": {"ratio": {"numerator": "a"}}}', '22023 preprocess step "ratio" of "x" does not say all its columns'),
	('{"x": {"ratio": {"columns": []}}}', '22023 "columns" of preprocess must name at least one column'),
	('{"x": {"difference": ["a", "d"]}}', '42804 preprocess step "difference" cannot take a number and a timestamp, columns "a" and "d"'),
	('{"a": {"ratio": ["b", "zero"]}}', '42701 preprocess makes feature "a" of other columns, but there is a column of that name | Give the feature a new name'),
	('{"a": ["log1p", {"ratio": ["b", "zero"]}]}', '22023 only the first step of "a" can name columns'),
	('{"p": {"ratio": ["a", "q"]}, "q": {"ratio": ["a", "p"]}}', '22023 feature "q" of preprocess is made of itself')) v (preprocess, wanted);

-- ---- names, inputs, what is left out ----

SELECT results_eq($$SELECT unnest(pg_temp.trained('{"a": ["log1p", "standardize"], "b": [{"impute": "mean"}, "StandardScaler"], "c": {"impute": {"constant": "none"}},
	"per": {"ratio": ["b", "zero"]}, "gap": [{"difference": ["e", "d"]}, "impute_median"], "d": "drop", "e": "drop", "f": "passthrough", "empty": ["impute_median", "log1p"],
	"same": "standard", "late": [{"column": "per"}, "log1p"]}'))$$,
	ARRAY['column "same" is left out: it is constant', 'column "empty" is left out: all its values are missing',
	'columns "f", "late is missing" are linear combinations of the columns before them and were left out',
	'no row was held out: the score is measured on the training rows and flatters the model'], 'warnings');
SELECT results_eq($$SELECT feature, source_column FROM ml.coefficients('steps')$$,
	$$VALUES ('(intercept)', NULL), ('log1p(a)', 'a'), ('b', 'b'), ('c=y', 'c'), ('c=z', 'c'), ('c=none', 'c'), ('f', 'f'), ('zero', 'zero'),
	('gap', 'gap'), ('per', 'per'), ('per is missing', 'per'), ('late', 'late'), ('late is missing', 'late')$$, 'names');
SELECT results_eq($$SELECT column_name, used, why_unused FROM ml.describe('steps')$$,
	$$VALUES ('a', true, NULL), ('b', true, NULL), ('c', true, NULL), ('d', true, NULL), ('e', true, NULL), ('f', true, NULL), ('zero', true, NULL),
	('same', false, 'its steps leave nothing of it'), ('empty', false, 'its steps leave nothing of it')$$, 'columns only a derived feature needs are inputs');

SELECT results_eq($$SELECT ml.predict('steps', s) FROM steps s ORDER BY id LIMIT 50$$, $$SELECT ml.predict('steps', to_jsonb(s)) FROM steps s ORDER BY id LIMIT 50$$, 'JSON and rows');
SELECT lives_ok($$SELECT ml.predict('steps', jsonb_build_object('a', -5, 'b', NULL, 'c', 'new', 'd', NULL, 'e', 'infinity', 'f', NULL, 'zero', 0))$$, 'odd cells');
SELECT throws_like($$SELECT ml.predict('steps', '{"a": 1}'::jsonb)$$, '%"b"%', 'a column that is not there');

-- ---- the same as computing it in the source ----

SELECT pg_temp.trained('{"a": "log1p", "b": "drop", "c": "drop", "d": "drop", "e": "drop", "f": "drop", "zero": "drop", "same": "drop", "empty": "drop", "per": {"ratio": ["b", "zero"]}, "gap": {"difference": ["e", "d"]}}', name => 'inside');
SELECT pg_temp.trained(NULL, source => 'SELECT ln(1 + a) AS a, extract(epoch FROM e - d)::float8 AS gap, b / nullif(zero, 0) AS per, y FROM steps', name => 'outside');
SELECT is_empty($$SELECT i.coefficient, o.coefficient FROM ml.coefficients('inside') i JOIN ml.coefficients('outside') o
	ON replace(i.feature, 'log1p(a)', 'a') = o.feature WHERE NOT abs(i.coefficient - o.coefficient) <= 1e-9 * abs(o.coefficient)$$, 'the coefficients of features made in the source');
SELECT is((SELECT count(*) FROM ml.coefficients('inside')), 5::bigint, 'all of them');

-- ---- order of rows and of keys changes nothing ----

SELECT pg_temp.trained('{"per": {"ratio": ["a", "b"]}, "c": "impute_most_frequent", "a": ["impute_median", "log1p"]}', 'gradient_boosting', name => 'one');
SELECT pg_temp.trained('{"a": ["SimpleImputer", "log1p"], "c": {"impute": "most_frequent"}, "per": {"ratio": {"denominator": "b", "numerator": "a"}}}', 'gradient_boosting',
	'SELECT a, b, c, d, e, f, zero, same, empty, y FROM steps ORDER BY y, id DESC', 'two');
SELECT ok(ml.artifact('one') = ml.artifact('two'), 'the same bytes');
SELECT results_eq($$SELECT column_name FROM ml.importance('one') ORDER BY 1$$, ARRAY['a', 'b', 'c', 'd', 'e', 'f', 'per', 'zero'], 'importance by column and derived feature');

-- ---- one row's treatment does not depend on the others of its block ----

SELECT is_empty($$SELECT id FROM steps s JOIN ml.predict_table('one', 'SELECT * FROM steps', 'id') p ON p.key = s.id::text
	WHERE p.prediction IS DISTINCT FROM ml.predict('one', s)$$, 'rows and blocks');

-- ---- a tree over steps is no SQL expression of the columns ----

SELECT pg_temp.trained('{"a": "log1p"}', 'decision_tree', name => 'tree');
SELECT throws_ok($$SELECT ml.tree_sql('tree')$$, '0A000', 'the tree asks for "log1p(a)", which steps of preprocess make');
SELECT matches((SELECT string_agg(condition, ' ') FROM ml.trees('tree')), 'log1p\(a\) <= ', 'its conditions name what steps made');

-- ---- damaged bytes ----

CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;
CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.predict_all(model, '{"a": 50, "b": 5, "c": "x", "d": "2021-05-05", "e": "2021-05-05", "f": true, "zero": 3}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE intact AS SELECT ml.artifact('steps') AS bytes;
SELECT is_empty($$SELECT i, mask, s FROM intact, generate_series(32, length(bytes) - 33) i, unnest('{1,4,255}'::int[]) mask,
	pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) s WHERE s NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02')$$, 'changed and sealed: refused in words, or a legal model');
SELECT is_empty($$SELECT n FROM intact, generate_series(40, length(bytes) - 1, 5) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');

-- ---- what there is ----

SELECT is_empty($$SELECT step FROM ml.transforms() WHERE description IS NULL OR takes = '{}' OR family IS NULL$$, 'every step is described');
SELECT results_eq($$SELECT parameter, type, "default", choices FROM ml.transform_parameters('SimpleImputer')$$,
	$$VALUES ('strategy', 'choice', 'median', '{median,mean,most_frequent,constant,as_category}'::text[]), ('constant', 'value', NULL, NULL), ('indicator', 'boolean', 'false', NULL)$$, 'parameters of a step');
SELECT throws_ok($$SELECT ml.transform_parameters('nonsense')$$, '22023', 'preprocess step "nonsense" not recognized');

SELECT * FROM finish();
ROLLBACK;
