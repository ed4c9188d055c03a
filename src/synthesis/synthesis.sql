/*
 * synthesis.sql
 *		Features along foreign keys (deep feature synthesis): as a list with the SQL of each, and as one SELECT to train on.
 */

CREATE FUNCTION ml.synthesize_features(table_name text, max_depth integer DEFAULT 2, cutoff text DEFAULT NULL, aggregates text[] DEFAULT NULL,
	time_columns jsonb DEFAULT NULL, exclude text[] DEFAULT NULL, top_values integer DEFAULT 3, max_features integer DEFAULT 1600)
	RETURNS TABLE (feature text, type text, depth integer, path text, description text, dated_by text, warning text, sql text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 200 AS 'MODULE_PATHNAME', 'ml_synthesize_features';
COMMENT ON FUNCTION ml.synthesize_features(text, integer, text, text[], jsonb, text[], integer, integer)
	IS 'what the tables around a table say about its rows: aggregates of the rows that refer to it, columns of the rows it refers to, each with its SQL over the row t';

CREATE FUNCTION ml.synthesize_query(table_name text, max_depth integer DEFAULT 2, cutoff text DEFAULT NULL, aggregates text[] DEFAULT NULL,
	time_columns jsonb DEFAULT NULL, exclude text[] DEFAULT NULL, top_values integer DEFAULT 3, max_features integer DEFAULT 1600)
	RETURNS text
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_synthesize_query';
COMMENT ON FUNCTION ml.synthesize_query(text, integer, text, text[], jsonb, text[], integer, integer)
	IS 'one SELECT with the features that ml.synthesize_features lists, one row per row of the table: a source for ml.train and ml.predict_table';
