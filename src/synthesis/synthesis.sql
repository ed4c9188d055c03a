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

/* Aggregates over many columns at once, for the queries of ml.synthesize_query. */

CREATE TYPE ml.column_sums;
CREATE FUNCTION ml.column_sums_in(cstring) RETURNS ml.column_sums
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_in';
CREATE FUNCTION ml.column_sums_out(ml.column_sums) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_out';
CREATE FUNCTION ml.column_sums_receive(internal) RETURNS ml.column_sums
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_receive';
CREATE FUNCTION ml.column_sums_send(ml.column_sums) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_send';
CREATE TYPE ml.column_sums (
	INPUT = ml.column_sums_in, OUTPUT = ml.column_sums_out, RECEIVE = ml.column_sums_receive, SEND = ml.column_sums_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.column_sums IS 'sums of columns of numbers: state of an aggregate in queries of ml.synthesize_query';
COMMENT ON FUNCTION ml.column_sums_in(cstring) IS 'I/O of ml.column_sums: text input';
COMMENT ON FUNCTION ml.column_sums_out(ml.column_sums) IS 'I/O of ml.column_sums: text output';
COMMENT ON FUNCTION ml.column_sums_receive(internal) IS 'I/O of ml.column_sums: binary input';
COMMENT ON FUNCTION ml.column_sums_send(ml.column_sums) IS 'I/O of ml.column_sums: binary output';
CREATE FUNCTION ml._column_sums_combine(ml.column_sums, ml.column_sums) RETURNS ml.column_sums
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_combine';
COMMENT ON FUNCTION ml._column_sums_combine(ml.column_sums, ml.column_sums) IS 'combine function of aggregates';
CREATE FUNCTION ml._column_sums_add(ml.column_sums, double precision[]) RETURNS ml.column_sums
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_add';
COMMENT ON FUNCTION ml._column_sums_add(ml.column_sums, double precision[]) IS 'transition function of aggregates';
CREATE FUNCTION ml._column_sums_final(ml.column_sums) RETURNS double precision[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_sums_final';
COMMENT ON FUNCTION ml._column_sums_final(ml.column_sums) IS 'final function of aggregates';
CREATE AGGREGATE ml._column_sums(cells double precision[]) (
	SFUNC = ml._column_sums_add, STYPE = ml.column_sums, FINALFUNC = ml._column_sums_final, COMBINEFUNC = ml._column_sums_combine, PARALLEL = SAFE);
CREATE AGGREGATE ml._column_sums_state(cells double precision[]) (
	SFUNC = ml._column_sums_add, STYPE = ml.column_sums, COMBINEFUNC = ml._column_sums_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml._column_sums_state(double precision[]) IS 'sums of each column of the rows, to be put together by ml._column_sums(ml.column_sums)';
CREATE AGGREGATE ml._column_sums(state ml.column_sums) (
	SFUNC = ml._column_sums_combine, STYPE = ml.column_sums, FINALFUNC = ml._column_sums_final, COMBINEFUNC = ml._column_sums_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml._column_sums(ml.column_sums) IS 'what ml._column_sums says of all rows of which these are the sums';
COMMENT ON AGGREGATE ml._column_sums(double precision[]) IS 'of each column of the rows: n, sum, mean, min, max, sd (n - 1), one after the other; NaN where undefined';

CREATE TYPE ml.column_levels;
CREATE FUNCTION ml.column_levels_in(cstring) RETURNS ml.column_levels
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_in';
CREATE FUNCTION ml.column_levels_out(ml.column_levels) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_out';
CREATE FUNCTION ml.column_levels_receive(internal) RETURNS ml.column_levels
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_receive';
CREATE FUNCTION ml.column_levels_send(ml.column_levels) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_send';
CREATE TYPE ml.column_levels (
	INPUT = ml.column_levels_in, OUTPUT = ml.column_levels_out, RECEIVE = ml.column_levels_receive, SEND = ml.column_levels_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.column_levels IS 'counts of the texts of columns: state of an aggregate in queries of ml.synthesize_query';
COMMENT ON FUNCTION ml.column_levels_in(cstring) IS 'I/O of ml.column_levels: text input';
COMMENT ON FUNCTION ml.column_levels_out(ml.column_levels) IS 'I/O of ml.column_levels: text output';
COMMENT ON FUNCTION ml.column_levels_receive(internal) IS 'I/O of ml.column_levels: binary input';
COMMENT ON FUNCTION ml.column_levels_send(ml.column_levels) IS 'I/O of ml.column_levels: binary output';
CREATE FUNCTION ml._column_levels_combine(ml.column_levels, ml.column_levels) RETURNS ml.column_levels
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_combine';
COMMENT ON FUNCTION ml._column_levels_combine(ml.column_levels, ml.column_levels) IS 'combine function of aggregates';
CREATE FUNCTION ml._column_levels_add(ml.column_levels, text[]) RETURNS ml.column_levels
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_add';
COMMENT ON FUNCTION ml._column_levels_add(ml.column_levels, text[]) IS 'transition function of aggregates';
CREATE FUNCTION ml._column_levels_final(ml.column_levels) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_column_levels_final';
COMMENT ON FUNCTION ml._column_levels_final(ml.column_levels) IS 'final function of aggregates';
CREATE AGGREGATE ml._column_levels(cells text[]) (
	SFUNC = ml._column_levels_add, STYPE = ml.column_levels, FINALFUNC = ml._column_levels_final, COMBINEFUNC = ml._column_levels_combine, PARALLEL = SAFE);
CREATE AGGREGATE ml._column_levels_state(cells text[]) (
	SFUNC = ml._column_levels_add, STYPE = ml.column_levels, COMBINEFUNC = ml._column_levels_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml._column_levels_state(text[]) IS 'levels of each column of the rows, to be put together by ml._column_levels(ml.column_levels)';
CREATE AGGREGATE ml._column_levels(state ml.column_levels) (
	SFUNC = ml._column_levels_combine, STYPE = ml.column_levels, FINALFUNC = ml._column_levels_final, COMBINEFUNC = ml._column_levels_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml._column_levels(ml.column_levels) IS 'what ml._column_levels says of all rows of which these are the levels';
COMMENT ON AGGREGATE ml._column_levels(text[]) IS 'of each column of the rows: number of distinct texts, most frequent text (of equally frequent ones the bytewise least)';
