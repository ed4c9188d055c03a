-- Prediction.  Every form exists for a model by name (text) and by value (bytea, the artifact itself).

CREATE FUNCTION ml._predict_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ml_predict_support';
COMMENT ON FUNCTION ml._predict_support(internal) IS 'planner support: passes columns instead of building a row';

CREATE FUNCTION ml._predict_columns_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ml_predict_columns_support';
COMMENT ON FUNCTION ml._predict_columns_support(internal) IS 'planner support: the cost of a prediction by its number of columns';

CREATE FUNCTION ml.predict(model text, "row" record, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(text, record, text) IS 'the predicted number of a row, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict(model text, "row" jsonb, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(text, jsonb, text) IS 'the predicted number of a row as a JSON object, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict(model text, "row" text, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(text, text, text) IS 'the predicted number of a row as JSON text, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict(model bytea, "row" record, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(bytea, record, text) IS 'the predicted number of a row, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict(model bytea, "row" jsonb, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(bytea, jsonb, text) IS 'the predicted number of a row as a JSON object, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict(model bytea, "row" text, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict';
COMMENT ON FUNCTION ml.predict(bytea, text, text) IS 'the predicted number of a row as JSON text, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model text, "row" record, key text DEFAULT NULL) RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(text, record, text) IS 'the predicted class of a row, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model text, "row" jsonb, key text DEFAULT NULL) RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(text, jsonb, text) IS 'the predicted class of a row as a JSON object, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model text, "row" text, key text DEFAULT NULL) RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(text, text, text) IS 'the predicted class of a row as JSON text, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model bytea, "row" record, key text DEFAULT NULL) RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(bytea, record, text) IS 'the predicted class of a row, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model bytea, "row" jsonb, key text DEFAULT NULL) RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(bytea, jsonb, text) IS 'the predicted class of a row as a JSON object, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_class(model bytea, "row" text, key text DEFAULT NULL) RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_class';
COMMENT ON FUNCTION ml.predict_class(bytea, text, text) IS 'the predicted class of a row as JSON text, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model text, "row" record, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(text, record, text, text) IS 'the probability of a class of a row; without class, of the positive class of a binary model, else of the winning class, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model text, "row" jsonb, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(text, jsonb, text, text) IS 'the probability of a class of a row as a JSON object; without class, of the positive class of a binary model, else of the winning class, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model text, "row" text, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(text, text, text, text) IS 'the probability of a class of a row as JSON text; without class, of the positive class of a binary model, else of the winning class, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model bytea, "row" record, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(bytea, record, text, text) IS 'the probability of a class of a row; without class, of the positive class of a binary model, else of the winning class, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model bytea, "row" jsonb, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(bytea, jsonb, text, text) IS 'the probability of a class of a row as a JSON object; without class, of the positive class of a binary model, else of the winning class, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_proba(model bytea, "row" text, class text DEFAULT NULL, key text DEFAULT NULL) RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_proba';
COMMENT ON FUNCTION ml.predict_proba(bytea, text, text, text) IS 'the probability of a class of a row as JSON text; without class, of the positive class of a binary model, else of the winning class, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model text, "row" record, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c STABLE PARALLEL SAFE COST 4300
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(text, record, text) IS 'prediction, probabilities by class, version and warnings for a row, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model text, "row" jsonb, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c STABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(text, jsonb, text) IS 'prediction, probabilities by class, version and warnings for a row as a JSON object, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model text, "row" text, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c STABLE PARALLEL SAFE COST 10000
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(text, text, text) IS 'prediction, probabilities by class, version and warnings for a row as JSON text, by model name; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model bytea, "row" record, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4300
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(bytea, record, text) IS 'prediction, probabilities by class, version and warnings for a row, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model bytea, "row" jsonb, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(bytea, jsonb, text) IS 'prediction, probabilities by class, version and warnings for a row as a JSON object, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_all(model bytea, "row" text, key text DEFAULT NULL) RETURNS jsonb
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000
	AS 'MODULE_PATHNAME', 'ml_predict_all';
COMMENT ON FUNCTION ml.predict_all(bytea, text, text) IS 'prediction, probabilities by class, version and warnings for a row as JSON text, by model value; key is reserved for routing';

CREATE FUNCTION ml.predict_columns(model text, names text[], VARIADIC "any") RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_columns';
COMMENT ON FUNCTION ml.predict_columns(text, text[], VARIADIC "any") IS 'the predicted number of the values of named columns, by model name';

CREATE FUNCTION ml.predict_columns(model bytea, names text[], VARIADIC "any") RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_columns';
COMMENT ON FUNCTION ml.predict_columns(bytea, text[], VARIADIC "any") IS 'the predicted number of the values of named columns, by model value';

CREATE FUNCTION ml.predict_class_columns(model text, names text[], VARIADIC "any") RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_class_columns';
COMMENT ON FUNCTION ml.predict_class_columns(text, text[], VARIADIC "any") IS 'the predicted class of the values of named columns, by model name';

CREATE FUNCTION ml.predict_class_columns(model bytea, names text[], VARIADIC "any") RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_class_columns';
COMMENT ON FUNCTION ml.predict_class_columns(bytea, text[], VARIADIC "any") IS 'the predicted class of the values of named columns, by model value';

CREATE FUNCTION ml.predict_proba_columns(model text, class text, names text[], VARIADIC "any") RETURNS float8
	LANGUAGE c STABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_proba_columns';
COMMENT ON FUNCTION ml.predict_proba_columns(text, text, text[], VARIADIC "any") IS 'the probability of a class of the values of named columns; where class is NULL, of the positive class of a binary model, else of the winning class, by model name';

CREATE FUNCTION ml.predict_proba_columns(model bytea, class text, names text[], VARIADIC "any") RETURNS float8
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_predict_proba_columns';
COMMENT ON FUNCTION ml.predict_proba_columns(bytea, text, text[], VARIADIC "any") IS 'the probability of a class of the values of named columns; where class is NULL, of the positive class of a binary model, else of the winning class, by model value';

CREATE FUNCTION ml.predict_table(model text, source text, key text DEFAULT NULL)
	RETURNS TABLE (key text, prediction float8, class text, probability float8, version int)
	LANGUAGE c STABLE PARALLEL UNSAFE COST 10000 ROWS 10000
	AS 'MODULE_PATHNAME', 'ml_predict_table';
COMMENT ON FUNCTION ml.predict_table(text, text, text) IS 'predictions for every row of a table, view or SELECT, in blocks, by model name; key names the column that tells the rows apart';

CREATE FUNCTION ml.predict_table(model bytea, source text, key text DEFAULT NULL)
	RETURNS TABLE (key text, prediction float8, class text, probability float8, version int)
	LANGUAGE c STABLE PARALLEL UNSAFE COST 10000 ROWS 10000
	AS 'MODULE_PATHNAME', 'ml_predict_table';
COMMENT ON FUNCTION ml.predict_table(bytea, text, text) IS 'predictions for every row of a table, view or SELECT, in blocks, by model value; key names the column that tells the rows apart';
-- ---- judge ----

CREATE FUNCTION ml.evaluate(model text, source text DEFAULT NULL)
RETURNS TABLE (metric text, value double precision, n bigint, reason text)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 12
AS 'MODULE_PATHNAME', 'ml_evaluate';
COMMENT ON FUNCTION ml.evaluate(text, text) IS
'the metrics of a version on the rows of a source that holds the truth; without a source those of its held-out part';

-- Prepared rows.

CREATE FUNCTION ml.transform(model text, "row" record) RETURNS float8[]
	LANGUAGE c STABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(text, record) IS 'a row as a pipeline prepares it, or as the learner of a model sees it, by model name; missing cells are NULL';

CREATE FUNCTION ml.transform(model text, "row" jsonb) RETURNS float8[]
	LANGUAGE c STABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(text, jsonb) IS 'a row as a JSON object as a pipeline prepares it, or as the learner of a model sees it, by model name; missing cells are NULL';

CREATE FUNCTION ml.transform(model text, "row" text) RETURNS float8[]
	LANGUAGE c STABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(text, text) IS 'a row as JSON text as a pipeline prepares it, or as the learner of a model sees it, by model name; missing cells are NULL';

CREATE FUNCTION ml.transform(model bytea, "row" record) RETURNS float8[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_support
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(bytea, record) IS 'a row as a pipeline prepares it, or as the learner of a model sees it, by model value; missing cells are NULL';

CREATE FUNCTION ml.transform(model bytea, "row" jsonb) RETURNS float8[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(bytea, jsonb) IS 'a row as a JSON object as a pipeline prepares it, or as the learner of a model sees it, by model value; missing cells are NULL';

CREATE FUNCTION ml.transform(model bytea, "row" text) RETURNS float8[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 8000
	AS 'MODULE_PATHNAME', 'ml_transform';
COMMENT ON FUNCTION ml.transform(bytea, text) IS 'a row as JSON text as a pipeline prepares it, or as the learner of a model sees it, by model value; missing cells are NULL';

CREATE FUNCTION ml._transform_columns(model text, names text[], VARIADIC "any") RETURNS float8[]
	LANGUAGE c STABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_transform_named';
COMMENT ON FUNCTION ml._transform_columns(text, text[], VARIADIC "any") IS 'internal: the prepared row of the values of named columns, by model name';

CREATE FUNCTION ml._transform_columns(model bytea, names text[], VARIADIC "any") RETURNS float8[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 200
	SUPPORT ml._predict_columns_support
	AS 'MODULE_PATHNAME', 'ml_transform_named';
COMMENT ON FUNCTION ml._transform_columns(bytea, text[], VARIADIC "any") IS 'internal: the prepared row of the values of named columns, by model value';

CREATE FUNCTION ml.inverse_transform(model text, "values" float8[]) RETURNS jsonb
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_inverse_transform';
COMMENT ON FUNCTION ml.inverse_transform(text, float8[]) IS 'the columns of the source that a row of ml.transform stands for, as far as there is a way back, by model name';

CREATE FUNCTION ml.inverse_transform(model bytea, "values" float8[]) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 4000
	AS 'MODULE_PATHNAME', 'ml_inverse_transform';
COMMENT ON FUNCTION ml.inverse_transform(bytea, float8[]) IS 'the columns of the source that a row of ml.transform stands for, as far as there is a way back, by model value';
