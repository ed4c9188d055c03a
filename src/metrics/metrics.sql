/*
 * metrics.sql
 *		Measures of prediction quality as aggregates: ml.accuracy(truth, predicted), ml.roc_auc(truth, score), ml.rmse(truth, predicted)...
 *
 * Each family has a state type: x_state(...) makes a state, x_merge(state) joins states, <metric>_final(state) reads one.  Rows in which a value
 * is NULL or NaN are left out and counted: ml.metric_counts(state).  A metric that is undefined is NULL.
 */

-- ---- labels: a state holds counts per label ----
CREATE TYPE ml.label_state;
CREATE FUNCTION ml.label_state_in(cstring) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_state_in';
CREATE FUNCTION ml.label_state_out(ml.label_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_state_out';
CREATE FUNCTION ml.label_state_receive(internal) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_state_receive';
CREATE FUNCTION ml.label_state_send(ml.label_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_state_send';
CREATE TYPE ml.label_state (
	INPUT = ml.label_state_in, OUTPUT = ml.label_state_out, RECEIVE = ml.label_state_receive, SEND = ml.label_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.label_state
	IS 'counts per label of truth, prediction and agreement: state of accuracy, balanced_accuracy, precision, recall, f1, mcc';
COMMENT ON FUNCTION ml.label_state_in(cstring) IS 'I/O of ml.label_state: text input';
COMMENT ON FUNCTION ml.label_state_out(ml.label_state) IS 'I/O of ml.label_state: text output';
COMMENT ON FUNCTION ml.label_state_receive(internal) IS 'I/O of ml.label_state: binary input';
COMMENT ON FUNCTION ml.label_state_send(ml.label_state) IS 'I/O of ml.label_state: binary output';

CREATE FUNCTION ml._label_state_combine(ml.label_state, ml.label_state) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_state_combine';
COMMENT ON FUNCTION ml._label_state_combine(ml.label_state, ml.label_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._label_add(ml.label_state, text, text) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_add_text';
COMMENT ON FUNCTION ml._label_add(ml.label_state, text, text) IS 'transition function of aggregates';
CREATE FUNCTION ml._label_add(ml.label_state, boolean, boolean) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_add_boolean';
COMMENT ON FUNCTION ml._label_add(ml.label_state, boolean, boolean) IS 'transition function of aggregates';
CREATE FUNCTION ml._label_add(ml.label_state, bigint, bigint) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_add_bigint';
COMMENT ON FUNCTION ml._label_add(ml.label_state, bigint, bigint) IS 'transition function of aggregates';
CREATE FUNCTION ml._label_add(ml.label_state, text, text, text) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_add_average';
COMMENT ON FUNCTION ml._label_add(ml.label_state, text, text, text) IS 'transition function of aggregates';
CREATE FUNCTION ml._label_add(ml.label_state, text, text, text, text) RETURNS ml.label_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_label_add_average';
COMMENT ON FUNCTION ml._label_add(ml.label_state, text, text, text, text) IS 'transition function of aggregates';

CREATE FUNCTION ml.accuracy_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_accuracy_final';
COMMENT ON FUNCTION ml.accuracy_final(ml.label_state)
	IS 'ml.accuracy of the rows in a state: share of rows whose prediction is right';
CREATE FUNCTION ml.balanced_accuracy_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_balanced_accuracy_final';
COMMENT ON FUNCTION ml.balanced_accuracy_final(ml.label_state)
	IS 'ml.balanced_accuracy of the rows in a state: mean recall of the classes that occur in truth';
CREATE FUNCTION ml.mcc_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_mcc_final';
COMMENT ON FUNCTION ml.mcc_final(ml.label_state)
	IS 'ml.mcc of the rows in a state: Matthews correlation of truth and prediction, any number of classes';
CREATE FUNCTION ml.precision_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_precision_final';
COMMENT ON FUNCTION ml.precision_final(ml.label_state)
	IS 'ml.precision of the rows in a state that knows its average (of booleans: true is the positive class)';
CREATE FUNCTION ml.precision_final(state ml.label_state, average text, positive text) RETURNS double precision
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_precision_final';
COMMENT ON FUNCTION ml.precision_final(ml.label_state, text, text)
	IS 'ml.precision of the rows in a state: average ''binary'' with the positive label, or ''macro'', ''micro'', ''weighted'' with NULL';
CREATE FUNCTION ml.recall_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_recall_final';
COMMENT ON FUNCTION ml.recall_final(ml.label_state)
	IS 'ml.recall of the rows in a state that knows its average (of booleans: true is the positive class)';
CREATE FUNCTION ml.recall_final(state ml.label_state, average text, positive text) RETURNS double precision
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_recall_final';
COMMENT ON FUNCTION ml.recall_final(ml.label_state, text, text)
	IS 'ml.recall of the rows in a state: average ''binary'' with the positive label, or ''macro'', ''micro'', ''weighted'' with NULL';
CREATE FUNCTION ml.f1_final(state ml.label_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_f1_final';
COMMENT ON FUNCTION ml.f1_final(ml.label_state)
	IS 'ml.f1 of the rows in a state that knows its average (of booleans: true is the positive class)';
CREATE FUNCTION ml.f1_final(state ml.label_state, average text, positive text) RETURNS double precision
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_f1_final';
COMMENT ON FUNCTION ml.f1_final(ml.label_state, text, text)
	IS 'ml.f1 of the rows in a state: average ''binary'' with the positive label, or ''macro'', ''micro'', ''weighted'' with NULL';

CREATE AGGREGATE ml.label_state(truth text, predicted text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.label_state(text, text) IS 'the state of accuracy and its kin over these rows';
CREATE AGGREGATE ml.label_state(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.label_state(boolean, boolean) IS 'the state of accuracy and its kin over these rows';
CREATE AGGREGATE ml.label_state(truth bigint, predicted bigint) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.label_state(bigint, bigint) IS 'the state of accuracy and its kin over these rows';
CREATE AGGREGATE ml.label_merge(state ml.label_state) (
	SFUNC = ml._label_state_combine, STYPE = ml.label_state, SSPACE = 1024, COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.label_merge(ml.label_state) IS 'one state of many: label_state over all their rows';

CREATE AGGREGATE ml.accuracy(truth text, predicted text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.accuracy(text, text) IS 'share of rows whose prediction is right';
CREATE AGGREGATE ml.accuracy(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.accuracy(boolean, boolean) IS 'share of rows whose prediction is right';
CREATE AGGREGATE ml.accuracy(truth bigint, predicted bigint) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.accuracy(bigint, bigint) IS 'share of rows whose prediction is right';
CREATE AGGREGATE ml.balanced_accuracy(truth text, predicted text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.balanced_accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.balanced_accuracy(text, text) IS 'mean recall of the classes that occur in truth';
CREATE AGGREGATE ml.balanced_accuracy(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.balanced_accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.balanced_accuracy(boolean, boolean) IS 'mean recall of the classes that occur in truth';
CREATE AGGREGATE ml.balanced_accuracy(truth bigint, predicted bigint) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.balanced_accuracy_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.balanced_accuracy(bigint, bigint) IS 'mean recall of the classes that occur in truth';
CREATE AGGREGATE ml.mcc(truth text, predicted text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.mcc_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mcc(text, text) IS 'Matthews correlation of truth and prediction, any number of classes';
CREATE AGGREGATE ml.mcc(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.mcc_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mcc(boolean, boolean) IS 'Matthews correlation of truth and prediction, any number of classes';
CREATE AGGREGATE ml.mcc(truth bigint, predicted bigint) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.mcc_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mcc(bigint, bigint) IS 'Matthews correlation of truth and prediction, any number of classes';
CREATE AGGREGATE ml.precision(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.precision_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.precision(boolean, boolean)
	IS 'share of the rows predicted positive that are; true is the positive class';
CREATE AGGREGATE ml.precision(truth text, predicted text, average text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.precision_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.precision(text, text, text)
	IS 'share of the rows predicted positive that are (''macro'', ''micro'' or ''weighted'' over classes; one without such rows counts as 0)';
CREATE AGGREGATE ml.precision(truth text, predicted text, average text, positive text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.precision_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.precision(text, text, text, text)
	IS 'share of the rows predicted positive that are; average ''binary'' and the positive label';
CREATE AGGREGATE ml.recall(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.recall_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.recall(boolean, boolean)
	IS 'share of the positive rows that were predicted so; true is the positive class';
CREATE AGGREGATE ml.recall(truth text, predicted text, average text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.recall_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.recall(text, text, text)
	IS 'share of the positive rows that were predicted so (''macro'', ''micro'' or ''weighted'' over classes; one without such rows counts as 0)';
CREATE AGGREGATE ml.recall(truth text, predicted text, average text, positive text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.recall_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.recall(text, text, text, text)
	IS 'share of the positive rows that were predicted so; average ''binary'' and the positive label';
CREATE AGGREGATE ml.f1(truth boolean, predicted boolean) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.f1_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.f1(boolean, boolean) IS 'harmonic mean of precision and recall; true is the positive class';
CREATE AGGREGATE ml.f1(truth text, predicted text, average text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.f1_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.f1(text, text, text)
	IS 'harmonic mean of precision and recall (''macro'', ''micro'' or ''weighted'' over classes; one without such rows counts as 0)';
CREATE AGGREGATE ml.f1(truth text, predicted text, average text, positive text) (
	SFUNC = ml._label_add, STYPE = ml.label_state, SSPACE = 1024, FINALFUNC = ml.f1_final,
	COMBINEFUNC = ml._label_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.f1(text, text, text, text)
	IS 'harmonic mean of precision and recall; average ''binary'' and the positive label';

-- ---- scores: exact, so a state keeps every score (8 bytes a row, at most 1 GB) ----
CREATE TYPE ml.score_state;
CREATE FUNCTION ml.score_state_in(cstring) RETURNS ml.score_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_state_in';
CREATE FUNCTION ml.score_state_out(ml.score_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_state_out';
CREATE FUNCTION ml.score_state_receive(internal) RETURNS ml.score_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_state_receive';
CREATE FUNCTION ml.score_state_send(ml.score_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_state_send';
CREATE TYPE ml.score_state (
	INPUT = ml.score_state_in, OUTPUT = ml.score_state_out, RECEIVE = ml.score_state_receive, SEND = ml.score_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.score_state IS 'all scores, apart by truth: state of roc_auc and average_precision; grows by 8 bytes a row';
COMMENT ON FUNCTION ml.score_state_in(cstring) IS 'I/O of ml.score_state: text input';
COMMENT ON FUNCTION ml.score_state_out(ml.score_state) IS 'I/O of ml.score_state: text output';
COMMENT ON FUNCTION ml.score_state_receive(internal) IS 'I/O of ml.score_state: binary input';
COMMENT ON FUNCTION ml.score_state_send(ml.score_state) IS 'I/O of ml.score_state: binary output';

CREATE FUNCTION ml._score_state_combine(ml.score_state, ml.score_state) RETURNS ml.score_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_state_combine';
COMMENT ON FUNCTION ml._score_state_combine(ml.score_state, ml.score_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._score_add(ml.score_state, boolean, double precision) RETURNS ml.score_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_add_boolean';
COMMENT ON FUNCTION ml._score_add(ml.score_state, boolean, double precision) IS 'transition function of aggregates';
CREATE FUNCTION ml._score_add(ml.score_state, bigint, double precision) RETURNS ml.score_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_score_add_bigint';
COMMENT ON FUNCTION ml._score_add(ml.score_state, bigint, double precision) IS 'transition function of aggregates';

CREATE FUNCTION ml.roc_auc_final(state ml.score_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_roc_auc_final';
COMMENT ON FUNCTION ml.roc_auc_final(ml.score_state)
	IS 'ml.roc_auc of the rows in a state: chance that a positive row scores above a negative one, ties half; keeps 8 bytes a row';
CREATE FUNCTION ml.average_precision_final(state ml.score_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_average_precision_final';
COMMENT ON FUNCTION ml.average_precision_final(ml.score_state)
	IS 'ml.average_precision of the rows in a state: sum over thresholds of the step in recall times precision; keeps 8 bytes a row';

CREATE AGGREGATE ml.score_state(truth boolean, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.score_state(boolean, double precision) IS 'the state of roc_auc and its kin over these rows';
CREATE AGGREGATE ml.score_state(truth bigint, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.score_state(bigint, double precision) IS 'the state of roc_auc and its kin over these rows';
CREATE AGGREGATE ml.score_merge(state ml.score_state) (
	SFUNC = ml._score_state_combine, STYPE = ml.score_state, SSPACE = 8192, COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.score_merge(ml.score_state) IS 'one state of many: score_state over all their rows';

CREATE AGGREGATE ml.roc_auc(truth boolean, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, FINALFUNC = ml.roc_auc_final,
	COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.roc_auc(boolean, double precision)
	IS 'chance that a positive row scores above a negative one, ties half; keeps 8 bytes a row';
CREATE AGGREGATE ml.roc_auc(truth bigint, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, FINALFUNC = ml.roc_auc_final,
	COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.roc_auc(bigint, double precision)
	IS 'chance that a positive row scores above a negative one, ties half; keeps 8 bytes a row';
CREATE AGGREGATE ml.average_precision(truth boolean, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, FINALFUNC = ml.average_precision_final,
	COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.average_precision(boolean, double precision)
	IS 'sum over thresholds of the step in recall times precision; keeps 8 bytes a row';
CREATE AGGREGATE ml.average_precision(truth bigint, score double precision) (
	SFUNC = ml._score_add, STYPE = ml.score_state, SSPACE = 8192, FINALFUNC = ml.average_precision_final,
	COMBINEFUNC = ml._score_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.average_precision(bigint, double precision)
	IS 'sum over thresholds of the step in recall times precision; keeps 8 bytes a row';

-- ---- probabilities ----
CREATE TYPE ml.probability_state;
CREATE FUNCTION ml.probability_state_in(cstring) RETURNS ml.probability_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_state_in';
CREATE FUNCTION ml.probability_state_out(ml.probability_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_state_out';
CREATE FUNCTION ml.probability_state_receive(internal) RETURNS ml.probability_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_state_receive';
CREATE FUNCTION ml.probability_state_send(ml.probability_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_state_send';
CREATE TYPE ml.probability_state (
	INPUT = ml.probability_state_in, OUTPUT = ml.probability_state_out, RECEIVE = ml.probability_state_receive, SEND = ml.probability_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.probability_state IS 'sums over probabilities: state of log_loss and brier';
COMMENT ON FUNCTION ml.probability_state_in(cstring) IS 'I/O of ml.probability_state: text input';
COMMENT ON FUNCTION ml.probability_state_out(ml.probability_state) IS 'I/O of ml.probability_state: text output';
COMMENT ON FUNCTION ml.probability_state_receive(internal) IS 'I/O of ml.probability_state: binary input';
COMMENT ON FUNCTION ml.probability_state_send(ml.probability_state) IS 'I/O of ml.probability_state: binary output';

CREATE FUNCTION ml._probability_state_combine(ml.probability_state, ml.probability_state) RETURNS ml.probability_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_state_combine';
COMMENT ON FUNCTION ml._probability_state_combine(ml.probability_state, ml.probability_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._probability_add(ml.probability_state, boolean, double precision) RETURNS ml.probability_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_add_boolean';
COMMENT ON FUNCTION ml._probability_add(ml.probability_state, boolean, double precision) IS 'transition function of aggregates';
CREATE FUNCTION ml._probability_add(ml.probability_state, bigint, double precision) RETURNS ml.probability_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_probability_add_bigint';
COMMENT ON FUNCTION ml._probability_add(ml.probability_state, bigint, double precision) IS 'transition function of aggregates';

CREATE FUNCTION ml.log_loss_final(state ml.probability_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_log_loss_final';
COMMENT ON FUNCTION ml.log_loss_final(ml.probability_state)
	IS 'ml.log_loss of the rows in a state: mean of -ln(probability given to what was true), clipped at 2.220446049250313e-16';
CREATE FUNCTION ml.brier_final(state ml.probability_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_brier_final';
COMMENT ON FUNCTION ml.brier_final(ml.probability_state)
	IS 'ml.brier of the rows in a state: mean squared error of the probability';

CREATE AGGREGATE ml.probability_state(truth boolean, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.probability_state(boolean, double precision) IS 'the state of log_loss and its kin over these rows';
CREATE AGGREGATE ml.probability_state(truth bigint, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.probability_state(bigint, double precision) IS 'the state of log_loss and its kin over these rows';
CREATE AGGREGATE ml.probability_merge(state ml.probability_state) (
	SFUNC = ml._probability_state_combine, STYPE = ml.probability_state,
	COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.probability_merge(ml.probability_state) IS 'one state of many: probability_state over all their rows';

CREATE AGGREGATE ml.log_loss(truth boolean, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, FINALFUNC = ml.log_loss_final,
	COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.log_loss(boolean, double precision)
	IS 'mean of -ln(probability given to what was true), clipped at 2.220446049250313e-16';
CREATE AGGREGATE ml.log_loss(truth bigint, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, FINALFUNC = ml.log_loss_final,
	COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.log_loss(bigint, double precision)
	IS 'mean of -ln(probability given to what was true), clipped at 2.220446049250313e-16';
CREATE AGGREGATE ml.brier(truth boolean, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, FINALFUNC = ml.brier_final,
	COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.brier(boolean, double precision) IS 'mean squared error of the probability';
CREATE AGGREGATE ml.brier(truth bigint, probability double precision) (
	SFUNC = ml._probability_add, STYPE = ml.probability_state, FINALFUNC = ml.brier_final,
	COMBINEFUNC = ml._probability_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.brier(bigint, double precision) IS 'mean squared error of the probability';

-- ---- errors of numbers ----
CREATE TYPE ml.error_state;
CREATE FUNCTION ml.error_state_in(cstring) RETURNS ml.error_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_state_in';
CREATE FUNCTION ml.error_state_out(ml.error_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_state_out';
CREATE FUNCTION ml.error_state_receive(internal) RETURNS ml.error_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_state_receive';
CREATE FUNCTION ml.error_state_send(ml.error_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_state_send';
CREATE TYPE ml.error_state (
	INPUT = ml.error_state_in, OUTPUT = ml.error_state_out, RECEIVE = ml.error_state_receive, SEND = ml.error_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.error_state IS 'sums over errors: state of mae, mse, rmse, mape, r2';
COMMENT ON FUNCTION ml.error_state_in(cstring) IS 'I/O of ml.error_state: text input';
COMMENT ON FUNCTION ml.error_state_out(ml.error_state) IS 'I/O of ml.error_state: text output';
COMMENT ON FUNCTION ml.error_state_receive(internal) IS 'I/O of ml.error_state: binary input';
COMMENT ON FUNCTION ml.error_state_send(ml.error_state) IS 'I/O of ml.error_state: binary output';

CREATE FUNCTION ml._error_state_combine(ml.error_state, ml.error_state) RETURNS ml.error_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_state_combine';
COMMENT ON FUNCTION ml._error_state_combine(ml.error_state, ml.error_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._error_add(ml.error_state, double precision, double precision) RETURNS ml.error_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_error_add';
COMMENT ON FUNCTION ml._error_add(ml.error_state, double precision, double precision) IS 'transition function of aggregates';

CREATE FUNCTION ml.mae_final(state ml.error_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_mae_final';
COMMENT ON FUNCTION ml.mae_final(ml.error_state) IS 'ml.mae of the rows in a state: mean absolute error';
CREATE FUNCTION ml.mse_final(state ml.error_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_mse_final';
COMMENT ON FUNCTION ml.mse_final(ml.error_state) IS 'ml.mse of the rows in a state: mean squared error';
CREATE FUNCTION ml.rmse_final(state ml.error_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_rmse_final';
COMMENT ON FUNCTION ml.rmse_final(ml.error_state) IS 'ml.rmse of the rows in a state: root of the mean squared error';
CREATE FUNCTION ml.mape_final(state ml.error_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_mape_final';
COMMENT ON FUNCTION ml.mape_final(ml.error_state)
	IS 'ml.mape of the rows in a state: mean of |error / truth|, a fraction; NULL where a truth is 0';
CREATE FUNCTION ml.r2_final(state ml.error_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_r2_final';
COMMENT ON FUNCTION ml.r2_final(ml.error_state)
	IS 'ml.r2 of the rows in a state: share of the variance of truth that is explained; NULL where truth is constant';

CREATE AGGREGATE ml.error_state(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.error_state(double precision, double precision) IS 'the state of mae and its kin over these rows';
CREATE AGGREGATE ml.error_merge(state ml.error_state) (
	SFUNC = ml._error_state_combine, STYPE = ml.error_state, COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.error_merge(ml.error_state) IS 'one state of many: error_state over all their rows';

CREATE AGGREGATE ml.mae(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, FINALFUNC = ml.mae_final, COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mae(double precision, double precision) IS 'mean absolute error';
CREATE AGGREGATE ml.mse(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, FINALFUNC = ml.mse_final, COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mse(double precision, double precision) IS 'mean squared error';
CREATE AGGREGATE ml.rmse(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, FINALFUNC = ml.rmse_final,
	COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.rmse(double precision, double precision) IS 'root of the mean squared error';
CREATE AGGREGATE ml.mape(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, FINALFUNC = ml.mape_final,
	COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.mape(double precision, double precision)
	IS 'mean of |error / truth|, a fraction; NULL where a truth is 0';
CREATE AGGREGATE ml.r2(truth double precision, predicted double precision) (
	SFUNC = ml._error_add, STYPE = ml.error_state, FINALFUNC = ml.r2_final, COMBINEFUNC = ml._error_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.r2(double precision, double precision)
	IS 'share of the variance of truth that is explained; NULL where truth is constant';

-- ---- the median error: exact, so a state keeps every error (8 bytes a row, at most 1 GB) ----
CREATE TYPE ml.residual_state;
CREATE FUNCTION ml.residual_state_in(cstring) RETURNS ml.residual_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_state_in';
CREATE FUNCTION ml.residual_state_out(ml.residual_state) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_state_out';
CREATE FUNCTION ml.residual_state_receive(internal) RETURNS ml.residual_state
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_state_receive';
CREATE FUNCTION ml.residual_state_send(ml.residual_state) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_state_send';
CREATE TYPE ml.residual_state (
	INPUT = ml.residual_state_in, OUTPUT = ml.residual_state_out, RECEIVE = ml.residual_state_receive, SEND = ml.residual_state_send,
	INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE ml.residual_state IS 'all absolute errors: state of median_absolute_error; grows by 8 bytes a row';
COMMENT ON FUNCTION ml.residual_state_in(cstring) IS 'I/O of ml.residual_state: text input';
COMMENT ON FUNCTION ml.residual_state_out(ml.residual_state) IS 'I/O of ml.residual_state: text output';
COMMENT ON FUNCTION ml.residual_state_receive(internal) IS 'I/O of ml.residual_state: binary input';
COMMENT ON FUNCTION ml.residual_state_send(ml.residual_state) IS 'I/O of ml.residual_state: binary output';

CREATE FUNCTION ml._residual_state_combine(ml.residual_state, ml.residual_state) RETURNS ml.residual_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_state_combine';
COMMENT ON FUNCTION ml._residual_state_combine(ml.residual_state, ml.residual_state) IS 'combine function of aggregates';

CREATE FUNCTION ml._residual_add(ml.residual_state, double precision, double precision) RETURNS ml.residual_state
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_residual_add';
COMMENT ON FUNCTION ml._residual_add(ml.residual_state, double precision, double precision)
	IS 'transition function of aggregates';

CREATE FUNCTION ml.median_absolute_error_final(state ml.residual_state) RETURNS double precision
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_median_absolute_error_final';
COMMENT ON FUNCTION ml.median_absolute_error_final(ml.residual_state)
	IS 'ml.median_absolute_error of the rows in a state: median of |error|; keeps 8 bytes a row';

CREATE AGGREGATE ml.residual_state(truth double precision, predicted double precision) (
	SFUNC = ml._residual_add, STYPE = ml.residual_state, SSPACE = 8192, COMBINEFUNC = ml._residual_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.residual_state(double precision, double precision)
	IS 'the state of median_absolute_error over these rows';
CREATE AGGREGATE ml.residual_merge(state ml.residual_state) (
	SFUNC = ml._residual_state_combine, STYPE = ml.residual_state, SSPACE = 8192,
	COMBINEFUNC = ml._residual_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.residual_merge(ml.residual_state) IS 'one state of many: residual_state over all their rows';

CREATE AGGREGATE ml.median_absolute_error(truth double precision, predicted double precision) (
	SFUNC = ml._residual_add, STYPE = ml.residual_state, SSPACE = 8192, FINALFUNC = ml.median_absolute_error_final,
	COMBINEFUNC = ml._residual_state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE ml.median_absolute_error(double precision, double precision) IS 'median of |error|; keeps 8 bytes a row';

-- ---- what a state rests on ----
CREATE FUNCTION ml.metric_counts(state ml.label_state, OUT n bigint, OUT n_missing bigint)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_metric_counts';
COMMENT ON FUNCTION ml.metric_counts(ml.label_state) IS 'rows counted, and rows left out because a value was NULL or NaN';
CREATE FUNCTION ml.metric_counts(state ml.score_state, OUT n bigint, OUT n_missing bigint)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_metric_counts';
COMMENT ON FUNCTION ml.metric_counts(ml.score_state) IS 'rows counted, and rows left out because a value was NULL or NaN';
CREATE FUNCTION ml.metric_counts(state ml.probability_state, OUT n bigint, OUT n_missing bigint)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_metric_counts';
COMMENT ON FUNCTION ml.metric_counts(ml.probability_state) IS 'rows counted, and rows left out because a value was NULL or NaN';
CREATE FUNCTION ml.metric_counts(state ml.error_state, OUT n bigint, OUT n_missing bigint)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_metric_counts';
COMMENT ON FUNCTION ml.metric_counts(ml.error_state) IS 'rows counted, and rows left out because a value was NULL or NaN';
CREATE FUNCTION ml.metric_counts(state ml.residual_state, OUT n bigint, OUT n_missing bigint)
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ml_metric_counts';
COMMENT ON FUNCTION ml.metric_counts(ml.residual_state) IS 'rows counted, and rows left out because a value was NULL or NaN';
