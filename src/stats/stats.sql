/*
 * stats.sql
 *		Statistics as aggregates with mergeable states: ml.linreg(y, x1, x2, ...).
 *
 * linreg_state(...) makes a state, linreg_merge(state) joins states, linreg_final(state) reads one.
 */

CREATE TYPE ml.linreg_state;
CREATE FUNCTION ml.linreg_state_in(cstring) RETURNS ml.linreg_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_state_in';
CREATE FUNCTION ml.linreg_state_out(ml.linreg_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_state_out';
CREATE FUNCTION ml.linreg_state_receive(internal) RETURNS ml.linreg_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_state_receive';
CREATE FUNCTION ml.linreg_state_send(ml.linreg_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_state_send';
CREATE TYPE ml.linreg_state (
	INPUT = ml.linreg_state_in, OUTPUT = ml.linreg_state_out, RECEIVE = ml.linreg_state_receive, SEND = ml.linreg_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.linreg_state IS 'means and co-moments of a regression: state of linreg';
COMMENT ON FUNCTION ml.linreg_state_in(cstring) IS 'I/O of ml.linreg_state: text input';
COMMENT ON FUNCTION ml.linreg_state_out(ml.linreg_state) IS 'I/O of ml.linreg_state: text output';
COMMENT ON FUNCTION ml.linreg_state_receive(internal) IS 'I/O of ml.linreg_state: binary input';
COMMENT ON FUNCTION ml.linreg_state_send(ml.linreg_state) IS 'I/O of ml.linreg_state: binary output';

CREATE FUNCTION ml._linreg_state_combine(ml.linreg_state, ml.linreg_state) RETURNS ml.linreg_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_state_combine';
COMMENT ON FUNCTION ml._linreg_state_combine(ml.linreg_state, ml.linreg_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._linreg_add(ml.linreg_state, double precision, double precision[]) RETURNS ml.linreg_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_add_array';
COMMENT ON FUNCTION ml._linreg_add(ml.linreg_state, double precision, double precision[]) IS 'transition function of aggregates';
CREATE FUNCTION ml._linreg_add(ml.linreg_state, double precision, VARIADIC "any") RETURNS ml.linreg_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_add_any';
COMMENT ON FUNCTION ml._linreg_add(ml.linreg_state, double precision, VARIADIC "any") IS 'transition function of aggregates';

CREATE FUNCTION ml.linreg_final(state ml.linreg_state) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_linreg_final';
COMMENT ON FUNCTION ml.linreg_final(ml.linreg_state) IS 'ml.linreg of the rows in a state';

CREATE AGGREGATE ml.linreg_state(y double precision, x double precision[]) (
	SFUNC = ml._linreg_add, STYPE = ml.linreg_state, SSPACE = 16384, COMBINEFUNC = ml._linreg_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.linreg_state(double precision, double precision[]) IS 'the state of linreg over these rows';
CREATE AGGREGATE ml.linreg_state(y double precision, VARIADIC x "any") (
	SFUNC = ml._linreg_add, STYPE = ml.linreg_state, SSPACE = 16384, COMBINEFUNC = ml._linreg_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.linreg_state(double precision, VARIADIC "any") IS 'the state of linreg over these rows';
CREATE AGGREGATE ml.linreg(y double precision, x double precision[]) (
	SFUNC = ml._linreg_add, STYPE = ml.linreg_state, SSPACE = 16384, FINALFUNC = ml.linreg_final,
	COMBINEFUNC = ml._linreg_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.linreg(double precision, double precision[])
	IS 'least squares with an intercept: jsonb of coefficients (intercept first), standard_errors, r2, residual_sd, df, n, n_missing, reason';
CREATE AGGREGATE ml.linreg(y double precision, VARIADIC x "any") (
	SFUNC = ml._linreg_add, STYPE = ml.linreg_state, SSPACE = 16384, FINALFUNC = ml.linreg_final,
	COMBINEFUNC = ml._linreg_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.linreg(double precision, VARIADIC "any")
	IS 'least squares with an intercept: jsonb of coefficients (intercept first), standard_errors, r2, residual_sd, df, n, n_missing, reason';
CREATE AGGREGATE ml.linreg_merge(state ml.linreg_state) (
	SFUNC = ml._linreg_state_combine, STYPE = ml.linreg_state, SSPACE = 16384,
	COMBINEFUNC = ml._linreg_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.linreg_merge(ml.linreg_state) IS 'one state of many: linreg_state over all their rows';
