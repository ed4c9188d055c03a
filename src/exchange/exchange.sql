-- ---- exchange: models of other libraries ----

CREATE FUNCTION ml.import_model(model text, body text, format text,
	target text DEFAULT 'target', labels text[] DEFAULT NULL, note text DEFAULT NULL)
RETURNS TABLE (model text, version integer, task text, n_trees bigint, n_columns integer, bytes bigint, warnings text[])
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 1
AS 'MODULE_PATHNAME', 'ml_import_model';
COMMENT ON FUNCTION ml.import_model(text, text, text, text, text[], text) IS
'store a model that LightGBM (format lightgbm) or XGBoost (format xgboost_json) trained as the next version';
