-- ---- train: from a table to a stored version ----

CREATE FUNCTION ml.train(
	model text, source text, target text,
	algorithm text DEFAULT 'auto', params jsonb DEFAULT '{}', task text DEFAULT NULL,
	key text DEFAULT NULL, time_column text DEFAULT NULL, split jsonb DEFAULT NULL,
	features text[] DEFAULT NULL, exclude text[] DEFAULT NULL, weights text DEFAULT NULL,
	positive_class text DEFAULT NULL, preprocess jsonb DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL)
RETURNS TABLE (
	model text, version integer, algorithm text, task text, n_train bigint, n_validation bigint, n_test bigint,
	metric text, score double precision, baseline_score double precision, seconds double precision, bytes bigint, warnings text[])
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'ml_train';
COMMENT ON FUNCTION ml.train(text, text, text, text, jsonb, text, text, text, jsonb, text[], text[], text, text, jsonb, bigint, text) IS
'train a model on a table, a view or one SELECT and store it as the next version';

CREATE FUNCTION ml.split(key text, seed bigint DEFAULT 0, split jsonb DEFAULT '{"train": 0.7, "validation": 0.15, "test": 0.15}')
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'ml_split';
COMMENT ON FUNCTION ml.split(text, bigint, jsonb) IS 'the part in which ml.train(..., key => ...) has the rows of a key: train, validation or test';

CREATE FUNCTION ml.split(key "any", seed bigint DEFAULT 0, split jsonb DEFAULT '{"train": 0.7, "validation": 0.15, "test": 0.15}')
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'ml_split';
COMMENT ON FUNCTION ml.split("any", bigint, jsonb) IS 'the same for a key that is no text: a number, uuid, enum, date or time';

CREATE FUNCTION ml.resample(source text, target text, params jsonb, key text DEFAULT NULL, split jsonb DEFAULT NULL, seed bigint DEFAULT 0,
	features text[] DEFAULT NULL, exclude text[] DEFAULT NULL)
RETURNS TABLE (class text, synthetic boolean, "row" jsonb)
LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 10000
AS 'MODULE_PATHNAME', 'ml_resample';
COMMENT ON FUNCTION ml.resample(text, text, jsonb, text, jsonb, bigint, text[], text[]) IS
'the training rows as an algorithm sees them under params => {"resample": ...}: to look at what ml.train learns from';

CREATE FUNCTION ml.algorithms()
RETURNS TABLE (algorithm text, tasks text[], description text)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 10
AS 'MODULE_PATHNAME', 'ml_algorithms';
COMMENT ON FUNCTION ml.algorithms() IS 'the algorithms ml.train knows, and the tasks they learn';

CREATE FUNCTION ml.parameters(algorithm text)
RETURNS TABLE (parameter text, type text, "default" text, minimum double precision, maximum double precision,
	choices text[], aliases text[], description text)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 10
AS 'MODULE_PATHNAME', 'ml_parameters';
COMMENT ON FUNCTION ml.parameters(text) IS 'the parameters of an algorithm: types, defaults, bounds, other names';

CREATE FUNCTION ml.fit_pipeline(model text, source text, preprocess jsonb DEFAULT NULL, target text DEFAULT NULL, params jsonb DEFAULT '{}',
	key text DEFAULT NULL, time_column text DEFAULT NULL, split jsonb DEFAULT NULL, features text[] DEFAULT NULL, exclude text[] DEFAULT NULL,
	weights text DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_fit_pipeline';
COMMENT ON FUNCTION ml.fit_pipeline(text, text, jsonb, text, jsonb, text, text, jsonb, text[], text[], text, bigint, text) IS
'fit a preparation of columns and store it as the next version of a pipeline, for ml.transform; returns the version';

CREATE FUNCTION ml.transforms()
RETURNS TABLE (step text, family text, other_names text[], takes text[], several_columns boolean, description text)
LANGUAGE c STABLE PARALLEL SAFE ROWS 40
AS 'MODULE_PATHNAME', 'ml_transforms';
COMMENT ON FUNCTION ml.transforms() IS 'the steps of preprocess: names, kinds of columns they take, what they do';

CREATE FUNCTION ml.transform_parameters(step text)
RETURNS TABLE (parameter text, type text, "default" text, minimum double precision, maximum double precision,
	choices text[], aliases text[], description text)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 5
AS 'MODULE_PATHNAME', 'ml_transform_parameters';
COMMENT ON FUNCTION ml.transform_parameters(text) IS 'the parameters of a step of preprocess: types, defaults, bounds, other names';

CREATE FUNCTION ml.transform_columns(model text)
RETURNS TABLE (place bigint, column_name text, feature text, source_columns text[], steps text[], invertible boolean)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 30
AS 'MODULE_PATHNAME', 'ml_transform_columns';
COMMENT ON FUNCTION ml.transform_columns(text) IS 'the columns ml.transform gives: names, the columns of the source they come from, the steps between, and whether ml.inverse_transform finds the way back';

CREATE FUNCTION ml.preprocess_params(model text)
RETURNS TABLE (feature text, step_number bigint, step text, column_name text, parameter text, value text, number double precision)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 100
AS 'MODULE_PATHNAME', 'ml_preprocess_params';
COMMENT ON FUNCTION ml.preprocess_params(text) IS 'what the steps of a pipeline or model learned from the training rows';

CREATE FUNCTION ml.transform_sql(model text, source text DEFAULT 'rows')
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ml_transform_sql';
COMMENT ON FUNCTION ml.transform_sql(text, text) IS 'what ml.transform computes, as one SELECT that runs without this extension; parts without an SQL form are NULL';

CREATE FUNCTION ml.coefficients(model text)
RETURNS TABLE (class text, feature text, source_column text, coefficient double precision, standard_error double precision,
	statistic double precision, p_value double precision, vif double precision, reason text)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 30
AS 'MODULE_PATHNAME', 'ml_coefficients';
COMMENT ON FUNCTION ml.coefficients(text) IS 'the coefficients of a linear model on the original columns, with their inference where it is defined';

CREATE FUNCTION ml.describe(model text)
RETURNS TABLE (column_name text, type text, kind text, used boolean, why_unused text, missing_share double precision,
	mean text, minimum text, maximum text, levels text[])
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 30
AS 'MODULE_PATHNAME', 'ml_describe';
COMMENT ON FUNCTION ml.describe(text) IS 'the columns a model expects and what they looked like in training';

CREATE FUNCTION ml.importance(model text)
RETURNS TABLE (column_name text, gain double precision, gain_share double precision, splits bigint, permutation double precision)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 30
AS 'MODULE_PATHNAME', 'ml_importance';
COMMENT ON FUNCTION ml.importance(text) IS
'what each column did for a model of trees: the gain of its splits, how many there are, and, where it was measured, how much shuffling it hurts';

CREATE FUNCTION ml.trees(model text, tree integer DEFAULT NULL)
RETURNS TABLE (tree bigint, class text, node bigint, parent bigint, depth bigint, condition text, split_column text,
	gain double precision, samples double precision, value double precision[])
LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 60
AS 'MODULE_PATHNAME', 'ml_trees';
COMMENT ON FUNCTION ml.trees(text, integer) IS 'the nodes of a model''s trees as readable rows: the condition that leads to each, and what its leaves add';

CREATE FUNCTION ml.tree_rules(model text)
RETURNS TABLE (rule bigint, condition text, prediction text, samples double precision, value double precision[])
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 30
AS 'MODULE_PATHNAME', 'ml_tree_rules';
COMMENT ON FUNCTION ml.tree_rules(text) IS 'a decision tree as rules: the condition that leads to each leaf, and what it predicts';

CREATE FUNCTION ml.tree_sql(model text)
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ml_tree_sql';
COMMENT ON FUNCTION ml.tree_sql(text) IS 'a decision tree as one SQL expression over the columns it was trained on, which gives the same answers without this extension';
