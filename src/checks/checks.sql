/*
 * checks.sql
 *		What is wrong with a table, and how to set it right.
 */

CREATE FUNCTION ml.checks(source text, target text DEFAULT NULL, key text DEFAULT NULL, time_column text DEFAULT NULL, test text DEFAULT NULL,
	thresholds jsonb DEFAULT '{}', as_of timestamptz DEFAULT now())
	RETURNS TABLE (severity text, check_name text, columns text[], message text, n bigint, value double precision, threshold double precision, fix text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 20 AS 'MODULE_PATHNAME', 'ml_checks';
COMMENT ON FUNCTION ml.checks(text, text, text, text, text, jsonb, timestamptz)
	IS 'what is wrong with a table, view or SELECT before anything is learned from it: findings by severity, with evidence and the SQL that sets them right';

CREATE FUNCTION ml.overlap(train text, test text, key text DEFAULT NULL, time_column text DEFAULT NULL, target text DEFAULT NULL,
	thresholds jsonb DEFAULT '{}')
	RETURNS TABLE (severity text, check_name text, columns text[], message text, n bigint, value double precision, threshold double precision, fix text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 5 AS 'MODULE_PATHNAME', 'ml_overlap';
COMMENT ON FUNCTION ml.overlap(text, text, text, text, text, jsonb)
	IS 'what test rows share with training rows: equal rows, keys, times, texts never seen; findings as of ml.checks';

CREATE FUNCTION ml.check_definitions()
	RETURNS TABLE (check_name text, severity text, threshold double precision, description text)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 40 AS 'MODULE_PATHNAME', 'ml_check_definitions';
COMMENT ON FUNCTION ml.check_definitions() IS 'the checks of ml.checks, ml.overlap and ml.train: highest severity, default threshold, and what it is compared with';
