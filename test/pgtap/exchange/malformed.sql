-- What ml.import_model refuses: files that make no sense, files that ask for more than we have, and a few thousand damaged ones.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

\set light `cat test/data/exchange/lgb_binary.txt`
\set extreme `cat test/data/exchange/xgb_binary.json`
\set codes `cat test/data/exchange/lgb_codes.txt`
CREATE TEMP TABLE file (name text, format text, body text);
INSERT INTO file VALUES ('light', 'lightgbm', :'light'), ('extreme', 'xgboost_json', :'extreme'), ('codes', 'lightgbm', :'codes');

CREATE FUNCTION pg_temp.body(name text) RETURNS text LANGUAGE sql AS $$SELECT f.body FROM file f WHERE f.name = body.name$$;
-- A piece of a file replaced, once.
CREATE FUNCTION pg_temp.changed(name text, pattern text, piece text) RETURNS text LANGUAGE plpgsql AS
$$BEGIN
	IF pg_temp.body(name) !~ pattern THEN
		RAISE 'no "%" in %', pattern, name;
	END IF;
	RETURN regexp_replace(pg_temp.body(name), pattern, piece);
END$$;
CREATE FUNCTION pg_temp.outcome(body text, format text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS
$$BEGIN
	PERFORM ml.import_model('refused', body, format);
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END$$;
CREATE FUNCTION pg_temp.refused(body text, format text, wanted_state text, wanted_detail text) RETURNS SETOF text LANGUAGE plpgsql AS
$$DECLARE
	o record := pg_temp.outcome(body, format);
BEGIN
	RETURN NEXT is(o.state, wanted_state, wanted_detail || ': ' || coalesce(o.message, 'imported'));
	RETURN NEXT matches(coalesce(nullif(o.detail, ''), o.message), wanted_detail);
END$$;
CREATE FUNCTION pg_temp.light(pattern text, piece text, state text, detail text) RETURNS SETOF text LANGUAGE sql AS
$$SELECT pg_temp.refused(pg_temp.changed('light', pattern, piece), 'lightgbm', state, detail)$$;
CREATE FUNCTION pg_temp.extreme(pattern text, piece text, state text, detail text) RETURNS SETOF text LANGUAGE sql AS
$$SELECT pg_temp.refused(pg_temp.changed('extreme', pattern, piece), 'xgboost_json', state, detail)$$;

-- ---- arguments ----

SELECT throws_ok($$SELECT ml.import_model('m', 'tree', 'onnx')$$, '22023', 'format "onnx" not recognized');
SELECT throws_ok($$SELECT ml.import_model('m', NULL, 'lightgbm')$$, '22004', 'body must not be null');
SELECT throws_ok($$SELECT ml.import_model('m:1', pg_temp.body('light'), 'lightgbm')$$, '42602', 'invalid model name "m:1"');
SELECT throws_ok($$SELECT ml.import_model('m', pg_temp.body('light'), 'lightgbm', labels => '{a}')$$, '22023', '1 labels are given for 2 classes');
SELECT throws_ok($$SELECT ml.import_model('m', pg_temp.body('light'), 'lightgbm', labels => '{a,a}')$$, '22023', 'label "a" is given twice');
SELECT throws_ok($$SELECT ml.import_model('m', pg_temp.body('light'), 'lightgbm', labels => '{a,NULL}')$$, '22004', 'labels must not contain null');
SELECT throws_ok($$SELECT ml.import_model('m', pg_temp.changed('light', 'objective=\S+', 'objective=regression'), 'lightgbm', labels => '{a,b}')$$,
	'22023', 'labels are for classification only');

-- ---- LightGBM ----

SELECT pg_temp.refused('', 'lightgbm', '22P02', 'does not begin with the line "tree"');
SELECT pg_temp.refused('tree', 'lightgbm', '22P02', 'no "version"');
SELECT pg_temp.refused(left(pg_temp.body('light'), 5000), 'lightgbm', '22P02', '.');
SELECT pg_temp.refused(pg_temp.body('extreme'), 'lightgbm', '22P02', 'does not begin with the line "tree"');
SELECT pg_temp.light('version=v4', 'version=v9', '0A000', 'version is "v9"');
SELECT pg_temp.light('objective=binary', 'objective=cross_entropy_lambda', '0A000', 'objective "cross_entropy_lambda" is none of');
SELECT pg_temp.light('objective=binary', 'objective=regression sqrt', '0A000', 'reg_sqrt');
SELECT pg_temp.light('sigmoid:1', 'sigmoid:-1', '22P02', 'Line 7: "sigmoid:-1"');
SELECT pg_temp.light('num_class=1', 'num_class=0', '22P02', 'Line 3: "num_class"');
SELECT pg_temp.light('num_class=1', 'num_class=1.5', '22P02', 'Line 3: "num_class"');
SELECT pg_temp.light('num_class=1', E'num_class=1\nnum_class=1', '22P02', 'Line 4: "num_class" was given on line 3 already');
SELECT pg_temp.light('num_tree_per_iteration=1', 'num_tree_per_iteration=2', '0A000', 'goes with 1 scores a row');
SELECT pg_temp.light('max_feature_idx=6', 'max_feature_idx=7', '22P02', '7 feature names for 8 features');
SELECT pg_temp.light('feature_names=pclass sex', 'feature_names=sex sex', '22P02', 'both named "sex"');
SELECT pg_temp.light('Tree=1\n', E'Tree=7\n', '22P02', 'holds "Tree=7" where "Tree=1"');
SELECT pg_temp.light('end of trees', '', '22P02', 'where "Tree=20" or "end of trees" belongs');
SELECT pg_temp.light('\nend of trees.*', '', '22P02', 'ends after 20 trees, without the line "end of trees"');
SELECT pg_temp.light('num_leaves=7', 'num_leaves=100000001', '22P02', 'num_leaves');
SELECT pg_temp.light('num_leaves=7', 'num_leaves=6', '22P02', '7 leaf values for 6 leaves');
SELECT pg_temp.light('left_child=1', 'left_child=0', '22P02', 'Tree 0, node 0: it is the child of several nodes');
SELECT pg_temp.light('left_child=1', 'left_child=99', '22P02', '"left_child" names node 99 of 6');
SELECT pg_temp.light('split_feature=\d+', 'split_feature=7', '22P02', '"split_feature" holds "7"');
SELECT pg_temp.light('leaf_value=\S+', 'leaf_value=inf', '22P02', 'a number of the leaf is out of range');
SELECT pg_temp.light('split_feature=\d+', 'split_feature=inf', '22P02', '"split_feature" holds "inf"');
SELECT pg_temp.light('threshold=\S+', 'threshold=nan', '22P02', '"threshold" holds "nan"');
SELECT pg_temp.light('threshold=\S+', 'threshold=0x10', '22P02', '"threshold" holds "0x10"');
SELECT pg_temp.light('threshold=\S+', 'threshold=1e999', '22P02', '"threshold" holds "1e999"');
SELECT pg_temp.light('threshold=\S+ ', 'threshold=', '22P02', '"threshold" has 5 numbers where 6 belong');
SELECT pg_temp.light('leaf_value=\S+', 'leaf_value=1e308', '22P02', 'out of range');
SELECT pg_temp.light('decision_type=\d+', 'decision_type=14', '22P02', 'decision type 14 is unknown');
SELECT pg_temp.light('decision_type=\d+', 'decision_type=16', '22P02', '"decision_type" holds "16"');
SELECT pg_temp.light('cat_boundaries=0', 'cat_boundaries=2', '22P02', '"cat_boundaries"');
SELECT pg_temp.light('cat_threshold=\d+', 'cat_threshold=4294967295', '22P02', 'lists category \d+ of feature');
SELECT pg_temp.light('is_linear=0', 'is_linear=1', '0A000', 'linear_tree');
SELECT pg_temp.light('\["female", "male"\], ', '', '0A000', '2 columns of pandas categories, but takes 3');
SELECT pg_temp.light('\["female", "male"\]', '["male", "male"]', '22P02', 'category "male" twice');
SELECT pg_temp.light('(pandas_categorical:[^\n]*)', E'\\1\n\\1', '22P02', '"pandas_categorical" is there twice');
SELECT pg_temp.light('\["female", "male"\]', '"female"', '22P02', '"pandas_categorical\[0\]" is a string where an array belongs');
SELECT pg_temp.light('\["female", "male"\]', '["female", null]', '22P02', 'neither text nor number');
SELECT pg_temp.light('\["female", "male"\]', '["female", ', '22P02', 'JSON');

-- ---- XGBoost ----

SELECT pg_temp.refused('', 'xgboost_json', '22P02', 'input string ended');
SELECT pg_temp.refused('7', 'xgboost_json', '22P02', 'neither a JSON object nor an array');
SELECT pg_temp.refused('[]', 'xgboost_json', '22P02', 'no object');
SELECT pg_temp.refused('{}', 'xgboost_json', '22P02', '"learner" is missing');
SELECT pg_temp.refused(repeat('[', 100000), 'xgboost_json', '54001', '.');
SELECT pg_temp.extreme('"name":"gbtree"', '"name":"dart"', '22P02', '"learner.gradient_booster.gbtree" is missing');
SELECT pg_temp.extreme('"gbtree"', '"gblinear"', '0A000', 'booster is "gblinear"');
SELECT pg_temp.extreme('"binary:logistic"', '"binary:hinge"', '0A000', 'objective "binary:hinge" is none of');
SELECT pg_temp.extreme('"num_target":"1"', '"num_target":"2"', '0A000', 'several targets');
SELECT pg_temp.extreme('"size_leaf_vector":"1"', '"size_leaf_vector":"3"', '0A000', 'multi_strategy');
SELECT pg_temp.extreme('"base_score":"[^"]*"', '"base_score":"[2E0]"', '22P02', 'no probability');
SELECT pg_temp.extreme('"base_score":"[^"]*"', '"base_score":"[5E-1,5E-1]"', '22P02', 'not one number');
SELECT pg_temp.extreme('"base_score":"[^"]*"', '"base_score":""', '22P02', 'not one number');
SELECT pg_temp.extreme('"num_class":"0","num_feature":"7"', '"num_class":"0","num_feature":"6"', '22P02', '7 elements for 6 features');
SELECT pg_temp.extreme('"num_class":"0","num_feature":"7"', '"num_class":"0","num_feature":"-1"', '22P02', 'learner_model_param.num_feature" is -1');
SELECT pg_temp.extreme('"num_class":"0","num_feature":"7"', '"num_class":"0","num_feature":[]', '22P02', 'learner_model_param.num_feature" is no number');
SELECT pg_temp.extreme('"num_nodes":"\d+"', '"num_nodes":"2000000"', '22P02', 'learner.gradient_booster.model.trees\[0\].left_children" has \d+ elements where 2000000 belong');
SELECT pg_temp.extreme('"left_children":\[\d+', '"left_children":[0', '22P02', 'Tree 0, node 0: it is the child of several nodes');
SELECT pg_temp.extreme('"left_children":\[\d+', '"left_children":[-1', '22P02', 'do not agree on a leaf');
SELECT pg_temp.extreme('"left_children":\[\d+', '"left_children":[99999', '22P02', 'left_children\[0\]" is 99999');
SELECT pg_temp.extreme('"left_children":\[\d+', '"left_children":["x"', '22P02', 'left_children\[0\]" is a string where a number belongs');
SELECT pg_temp.extreme('"split_indices":\[\d+', '"split_indices":[7', '22P02', 'there is no feature 7');
SELECT pg_temp.extreme('"split_conditions":\[[^,]+', '"split_conditions":[1e400', '22003', '.');
SELECT pg_temp.extreme('"categories_nodes":\[\d+', '"categories_nodes":[999', '22P02', 'categories_nodes\[0\]" is 999');
SELECT pg_temp.extreme('"categories_sizes":\[\d+', '"categories_sizes":[999', '22P02', 'categories_sizes\[0\]" is 999');
SELECT pg_temp.extreme('"tree_info":\[0', '"tree_info":[1', '22P02', 'tree_info\[0\]" is 1');
SELECT pg_temp.extreme('"offsets":\[0,6', '"offsets":[7,6', '22P02', 'offsets" are not in order');
SELECT pg_temp.extreme('"values":\[102', '"values":[0', '22P02', 'Category 0 of feature "sex" is no text');
SELECT pg_temp.extreme('"values":\[102', '"values":[255', '22P02', 'Category 0 of feature "sex" is no text');

-- ---- limits ----

-- a chain of 600 splits, far below the limit on nodes
SELECT pg_temp.refused(
	format(E'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\nfeature_names=x\nfeature_infos=none\n\n'
		'Tree=0\nnum_leaves=601\nnum_cat=0\nsplit_feature=%s\nthreshold=%s\ndecision_type=%s\nleft_child=%s\nright_child=%s\nleaf_value=%s\n\nend of trees\n',
		string_agg('0', ' '), string_agg(i::text, ' ' ORDER BY i), string_agg('8', ' '), string_agg(CASE i WHEN 600 THEN '-601' ELSE i::text END, ' ' ORDER BY i),
		string_agg((-i)::text, ' ' ORDER BY i), string_agg('1', ' ') || ' 1'), 'lightgbm', '54000', 'more than 512 splits deep')
FROM generate_series(1, 600) i;
SELECT pg_temp.refused(
	format(E'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=4999\nobjective=regression\nfeature_names=%s\nfeature_infos=%s\n\nend of trees\n',
		string_agg('f' || i, ' '), string_agg('none', ' ')), 'lightgbm', '54000', 'from 1 to \d+ columns')
FROM generate_series(1, 5000) i;
SET LOCAL relearn.max_memory = '1MB';
SELECT pg_temp.refused(repeat(pg_temp.body('light'), 50), 'lightgbm', '54000', 'The limit is 1 MB');
RESET relearn.max_memory;
-- categories far apart take no more room than their number
SELECT lives_ok($$SELECT ml.import_model('far', pg_temp.changed('codes', 'cat_threshold=\d+', 'cat_threshold=1'), 'lightgbm')$$, 'a category set is changed');

-- ---- rights ----

CREATE ROLE exchange_owner;
CREATE ROLE exchange_other;
GRANT USAGE ON SCHEMA ml TO exchange_owner, exchange_other;
SET LOCAL ROLE exchange_owner;
SELECT lives_ok(format('SELECT ml.import_model(%L, %L, %L)', 'owned', :'light', 'lightgbm'), 'whoever imports first owns the model');
SET LOCAL ROLE exchange_other;
SELECT throws_ok(format('SELECT ml.import_model(%L, %L, %L)', 'owned', :'light', 'lightgbm'), '42501', NULL, 'others may not add a version');
RESET ROLE;

-- ---- damage at random: a clear error or a model that predicts, never anything internal ----

CREATE FUNCTION pg_temp.damaged(body text) RETURNS text LANGUAGE plpgsql AS
$$DECLARE
	at integer := 1 + floor(random() * length(body))::integer;
	other integer := 1 + floor(random() * length(body))::integer;
	size integer := floor(random() * random() * 60)::integer;
BEGIN
	RETURN CASE floor(random() * 7)
		WHEN 0 THEN left(body, at)
		WHEN 1 THEN overlay(body PLACING chr(1 + floor(random() * 250)::integer) FROM at FOR 1)
		WHEN 2 THEN overlay(body PLACING '' FROM at FOR size)
		WHEN 3 THEN overlay(body PLACING substr(body, other, size) FROM at FOR 0)
		WHEN 4 THEN overlay(body PLACING substr(body, other, size) FROM at FOR size)
		WHEN 5 THEN left(body, at) || regexp_replace(substr(body, at + 1), '\d+', (ARRAY['0', '1', '-1', '2147483647', '2147483648', '4294967295', '1e308', '-7', '9999999999999999999999', '1e-320', '65535', '3.5'])[1 + floor(random() * 12)::integer])
		ELSE left(body, at) || regexp_replace(substr(body, at + 1), '-?\d+', (floor(random() * 20) - 5)::text)
	END;
END$$;

CREATE FUNCTION pg_temp.try(format text, body text, "row" jsonb) RETURNS text LANGUAGE plpgsql AS
$$DECLARE
	answer double precision;
BEGIN
	PERFORM ml.import_model('fuzz', body, format);
	-- an artifact that is read, whatever its columns are called now
	PERFORM ml.describe('fuzz');
	BEGIN
		answer := (ml.predict_all('fuzz', "row") -> 'prediction')::text IS NOT NULL;
	EXCEPTION WHEN undefined_column OR datatype_mismatch OR invalid_text_representation THEN
	END;
	RAISE SQLSTATE 'ZZ001';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END$$;

-- as many as fit into eight seconds each, at most 1000
CREATE FUNCTION pg_temp.fuzz(name text, seed double precision) RETURNS TABLE (state text, n bigint) LANGUAGE plpgsql AS
$$DECLARE
	f file := (SELECT x FROM file x WHERE x.name = fuzz.name);
	states text[] := '{}';
	started timestamptz := clock_timestamp();
BEGIN
	PERFORM setseed(seed);
	FOR i IN 1 .. 1000 LOOP
		EXIT WHEN clock_timestamp() > started + interval '8 s';
		states := states || pg_temp.try(f.format, pg_temp.damaged(f.body),
			'{"pclass": 1, "sex": "male", "age": 30, "sibsp": 0, "fare": 10, "embarked": "S", "deck": "C"}');
	END LOOP;
	RETURN QUERY SELECT s, count(*) FROM unnest(states) s GROUP BY s;
END$$;

CREATE TEMP TABLE fuzzed AS SELECT name, s.* FROM file, LATERAL pg_temp.fuzz(name, 0.5) s;
SELECT cmp_ok(sum(n), '>=', 100::numeric, name || ': enough files were tried') FROM fuzzed GROUP BY name;
SELECT is_empty($$SELECT * FROM fuzzed WHERE state !~ '^(22|54|0A|ZZ)'$$, 'damaged files: refused for what they are, or imported');
SELECT isnt_empty($$SELECT * FROM fuzzed WHERE state = 'ZZ001'$$, 'some are still models, which predict');

SELECT * FROM finish();
ROLLBACK;
