/*
 * profile.sql
 *		Look at a table: what its columns hold, how their values are distributed, what goes with what.
 *
 * ml.sketch is the summary of one column in bounded memory: sketch(x) makes one, sketch_merge(s) joins them, sketch_*(s) read one.
 */

CREATE TYPE ml.sketch;
CREATE FUNCTION ml.sketch_in(cstring) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_in';
CREATE FUNCTION ml.sketch_out(ml.sketch) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_out';
CREATE FUNCTION ml.sketch_receive(internal) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_receive';
CREATE FUNCTION ml.sketch_send(ml.sketch) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_send';
CREATE TYPE ml.sketch (
	INPUT = ml.sketch_in, OUTPUT = ml.sketch_out, RECEIVE = ml.sketch_receive, SEND = ml.sketch_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.sketch IS 'what a column looks like: counts, moments, quantiles, distinct and frequent values, in bounded memory';
COMMENT ON FUNCTION ml.sketch_in(cstring) IS 'I/O of ml.sketch: text input';
COMMENT ON FUNCTION ml.sketch_out(ml.sketch) IS 'I/O of ml.sketch: text output';
COMMENT ON FUNCTION ml.sketch_receive(internal) IS 'I/O of ml.sketch: binary input';
COMMENT ON FUNCTION ml.sketch_send(ml.sketch) IS 'I/O of ml.sketch: binary output';

CREATE FUNCTION ml._sketch_combine(ml.sketch, ml.sketch) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_combine';
COMMENT ON FUNCTION ml._sketch_combine(ml.sketch, ml.sketch) IS 'combine function of aggregates';

CREATE FUNCTION ml._sketch_add(ml.sketch, double precision) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_number';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, double precision) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x double precision) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(double precision) IS 'the sketch of these values';
CREATE FUNCTION ml._sketch_add(ml.sketch, text) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_text';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, text) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x text) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(text) IS 'the sketch of these values';
CREATE FUNCTION ml._sketch_add(ml.sketch, boolean) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_boolean';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, boolean) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x boolean) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(boolean) IS 'the sketch of these values';
CREATE FUNCTION ml._sketch_add(ml.sketch, date) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_date';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, date) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x date) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(date) IS 'the sketch of these values';
CREATE FUNCTION ml._sketch_add(ml.sketch, timestamp) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_timestamp';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, timestamp) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x timestamp) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(timestamp) IS 'the sketch of these values';
CREATE FUNCTION ml._sketch_add(ml.sketch, timestamptz) RETURNS ml.sketch
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_add_timestamp';
COMMENT ON FUNCTION ml._sketch_add(ml.sketch, timestamptz) IS 'transition function of aggregates';
CREATE AGGREGATE ml.sketch(x timestamptz) (
	SFUNC = ml._sketch_add, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch(timestamptz) IS 'the sketch of these values (taken in UTC)';
CREATE AGGREGATE ml.sketch_merge(sketch ml.sketch) (
	SFUNC = ml._sketch_combine, STYPE = ml.sketch, SSPACE = 65536, COMBINEFUNC = ml._sketch_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.sketch_merge(ml.sketch) IS 'one sketch of many: of all their values';

CREATE FUNCTION ml.sketch_statistics(sketch ml.sketch, OUT role text, OUT n bigint, OUT nulls bigint, OUT nan bigint, OUT infinite bigint, OUT empty bigint, OUT sentinels bigint, OUT sentinel_values jsonb, OUT distinct_count bigint, OUT distinct_exact boolean, OUT mean double precision, OUT sd double precision, OUT min double precision, OUT p05 double precision, OUT p25 double precision, OUT median double precision, OUT p75 double precision, OUT p95 double precision, OUT max double precision, OUT skewness double precision, OUT kurtosis double precision, OUT zeros bigint, OUT negatives bigint, OUT top_values jsonb, OUT min_length integer, OUT mean_length double precision, OUT max_length integer, OUT number_share double precision, OUT date_share double precision, OUT timestamp_share double precision, OUT formats jsonb, OUT earliest timestamp, OUT p05_time timestamp, OUT p25_time timestamp, OUT median_time timestamp, OUT p75_time timestamp, OUT p95_time timestamp, OUT latest timestamp, OUT largest_gap interval, OUT histogram text, OUT approximate text[]) RETURNS SETOF record
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'ml_sketch_statistics';
COMMENT ON FUNCTION ml.sketch_statistics(ml.sketch) IS 'what a sketch says, in one row; the columns are those of ml.profile';
CREATE FUNCTION ml.sketch_quantile(sketch ml.sketch, share double precision) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_quantile';
COMMENT ON FUNCTION ml.sketch_quantile(ml.sketch, double precision) IS 'the number below which this share of the finite values lies';
CREATE FUNCTION ml.sketch_cdf(sketch ml.sketch, x double precision) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_cdf';
COMMENT ON FUNCTION ml.sketch_cdf(ml.sketch, double precision) IS 'the share of the values that are not greater than x';
CREATE FUNCTION ml.sketch_top(sketch ml.sketch, most integer DEFAULT 10, OUT value text, OUT count bigint, OUT share double precision, OUT error bigint) RETURNS SETOF record
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_top';
COMMENT ON FUNCTION ml.sketch_top(ml.sketch, integer) IS 'the most frequent values; a count may be too low by error, which is 0 where the sketch is exact';
CREATE FUNCTION ml.sketch_distance(a ml.sketch, b ml.sketch) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_sketch_distance';
COMMENT ON FUNCTION ml.sketch_distance(ml.sketch, ml.sketch)
	IS 'from 0 (alike) to 1: the Kolmogorov-Smirnov statistic of numbers, the total variation distance of texts; NULL where the kinds differ';

CREATE FUNCTION ml.profile(source text, columns text[] DEFAULT NULL, ordered boolean DEFAULT false)
	RETURNS TABLE (column_name text, type text, role text, n bigint, nulls bigint, nan bigint, infinite bigint, empty bigint, sentinels bigint, sentinel_values jsonb,
	distinct_count bigint, distinct_exact boolean,
	mean double precision, sd double precision, min double precision, p05 double precision, p25 double precision, median double precision,
	p75 double precision, p95 double precision, max double precision, skewness double precision, kurtosis double precision,
	zeros bigint, negatives bigint, top_values jsonb,
	min_length integer, mean_length double precision, max_length integer,
	number_share double precision, date_share double precision, timestamp_share double precision, formats jsonb,
	earliest timestamp, p05_time timestamp, p25_time timestamp, median_time timestamp, p75_time timestamp, p95_time timestamp, latest timestamp,
	largest_gap interval, histogram text, approximate text[], monotonic text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_profile';
COMMENT ON FUNCTION ml.profile(text, text[], boolean) IS 'statistics of every column of a table, view or SELECT, in one scan; what is estimated is named in approximate';
CREATE FUNCTION ml.sketches(source text, columns text[] DEFAULT NULL)
	RETURNS TABLE (column_name text, type text, sketch ml.sketch)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_sketches';
COMMENT ON FUNCTION ml.sketches(text, text[]) IS 'the sketch of every column of a table, view or SELECT, in one scan: to keep, to merge, to compare';

CREATE FUNCTION ml.value_counts(source text, column_name text, most bigint DEFAULT NULL)
	RETURNS TABLE (value text, count bigint, share double precision, bar text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_value_counts';
COMMENT ON FUNCTION ml.value_counts(text, text, bigint) IS 'how often each value occurs, NULL among them, the most frequent first; shares are of all rows';
CREATE FUNCTION ml.crosstab(source text, a text, b text)
	RETURNS TABLE (a_value text, b_value text, count bigint, share double precision, share_of_a double precision, share_of_b double precision,
		expected double precision, residual double precision)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_crosstab';
COMMENT ON FUNCTION ml.crosstab(text, text, text)
	IS 'how often two values occur together, NULL among them; expected and adjusted residual as if they were independent';
CREATE FUNCTION ml.histogram(source text, column_name text, bins integer DEFAULT NULL)
	RETURNS TABLE (bin integer, low double precision, low_time timestamp, high double precision, high_time timestamp, count bigint,
		share double precision, bar text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_histogram';
COMMENT ON FUNCTION ml.histogram(text, text, integer) IS 'counts in bins of equal width; without a number of bins, as many as numpy''s rule ''auto'' has';
CREATE FUNCTION ml.boxplot(source text, column_name text, by text DEFAULT NULL)
	RETURNS TABLE (group_value text, n bigint, missing bigint, min double precision, whisker_low double precision, q1 double precision,
		median double precision, q3 double precision, whisker_high double precision, max double precision, outliers_low bigint, outliers_high bigint,
		picture text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_boxplot';
COMMENT ON FUNCTION ml.boxplot(text, text, text) IS 'quartiles, whiskers (the last value within 1.5 interquartile ranges) and outliers of a column, in all or by another column';
CREATE FUNCTION ml.correlations(source text, columns text[] DEFAULT NULL)
	RETURNS TABLE (a text, b text, method text, value double precision, n bigint, reason text)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ml_correlations';
COMMENT ON FUNCTION ml.correlations(text, text[])
	IS 'each pair of columns by its types: pearson and spearman, cramers_v (corrected for bias), correlation_ratio; over the rows that have both';

CREATE FUNCTION ml.profile_diff(a text, b text)
	RETURNS TABLE (column_name text, statistic text, a_value double precision, b_value double precision, difference double precision, note text)
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT coalesce(x.column_name, y.column_name), s.statistic, s.a_value, s.b_value, coalesce(s.distance, s.b_value - s.a_value),
		CASE WHEN y.column_name IS NULL THEN 'only in a' WHEN x.column_name IS NULL THEN 'only in b'
			WHEN x.type <> y.type THEN format('type %s became %s', x.type, y.type) WHEN x.role <> y.role THEN format('role %s became %s', x.role, y.role) END
	FROM (SELECT k.column_name, k.type, k.sketch, t.* FROM ml.sketches(a) k LEFT JOIN LATERAL ml.sketch_statistics(k.sketch) t ON true) x
	FULL JOIN (SELECT k.column_name, k.type, k.sketch, t.* FROM ml.sketches(b) k LEFT JOIN LATERAL ml.sketch_statistics(k.sketch) t ON true) y
		ON x.column_name = y.column_name
	CROSS JOIN LATERAL (VALUES
		('distance', NULL, NULL, ml.sketch_distance(x.sketch, y.sketch)),
		('n', x.n::double precision, y.n::double precision, NULL),
		('null_share', x.nulls / nullif(x.n, 0)::double precision, y.nulls / nullif(y.n, 0)::double precision, NULL),
		('distinct_count', x.distinct_count, y.distinct_count, NULL),
		('mean', x.mean, y.mean, NULL), ('sd', x.sd, y.sd, NULL), ('min', x.min, y.min, NULL), ('median', x.median, y.median, NULL), ('max', x.max, y.max, NULL),
		('zero_share', x.zeros / nullif(x.n, 0)::double precision, y.zeros / nullif(y.n, 0)::double precision, NULL),
		('mean_length', x.mean_length, y.mean_length, NULL)) s (statistic, a_value, b_value, distance)
	WHERE s.a_value IS NOT NULL OR s.b_value IS NOT NULL OR s.distance IS NOT NULL;
END;
COMMENT ON FUNCTION ml.profile_diff(text, text)
	IS 'two sources side by side, column by column: distance (0 alike, 1 apart; see ml.sketch_distance), shares of NULL, moments; and columns or types that changed';
