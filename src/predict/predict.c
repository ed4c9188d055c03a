/*
 * predict.c
 *		The SQL functions that answer row by row: number, class, probability.
 *
 * A binary model scores the probability of its class 1.  Which class a row of scores stands for is the metrics' rule, so that ml.evaluate judges the
 * very answers given here.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "metrics/metrics.h"
#include "predict/predict_internal.h"

#define HINT_CLASSES 20			/* classes a hint lists at most */

PG_FUNCTION_INFO_V1(ml_predict);
PG_FUNCTION_INFO_V1(ml_predict_class);
PG_FUNCTION_INFO_V1(ml_predict_proba);
PG_FUNCTION_INFO_V1(ml_predict_columns);
PG_FUNCTION_INFO_V1(ml_predict_class_columns);
PG_FUNCTION_INFO_V1(ml_predict_proba_columns);

/* ---- from scores to answers ---- */

int
answer_class(const Model *model, const double *scores)
{
	if (model->task == TASK_ANOMALY)
		return scores[0] > model->learner->threshold(model->state);
	return scored_class(model->task, model->nclasses, model->positive, scores);
}

double
answer_probability(const Model *model, const double *scores, int class_index)
{
	if (model->task == TASK_BINARY)
		return class_index == 1 ? scores[0] : 1.0 - scores[0];
	return scores[class_index];
}

int
answer_default_class(const Model *model, const double *scores)
{
	return model->positive >= 0 ? model->positive : answer_class(model, scores);
}

static void
not_a_number(const PredictCall *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s predicts \"%s\" of type %s, which is no number", predict_origin(call), call->model->target, call->model->target_type),
			 errhint("Use ml.predict_class for the class, or ml.predict_proba for its probability.")));
}

static void
not_a_class(const PredictCall *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s predicts the number \"%s\" and has no classes", predict_origin(call), call->model->target),
			 errhint("Use ml.predict.")));
}

static double
answer_number(const PredictCall *call)
{
	const Model *model = call->model;

	if (!task_classifies(model->task))
		return call->scores[0];
	if (model->label_values == NULL)
		not_a_number(call);
	return model->label_values[answer_class(model, call->scores)];
}

static void
no_such_class(const PredictCall *call, const char *name)
{
	const Model *model = call->model;
	StringInfoData hint;

	initStringInfo(&hint);
	for (int k = 0; k < model->nclasses && k < HINT_CLASSES; k++)
		appendStringInfo(&hint, "%s\"%s\"", k > 0 ? ", " : "", model->labels[k]);
	if (model->nclasses > HINT_CLASSES)
		appendStringInfo(&hint, " and %d more", model->nclasses - HINT_CLASSES);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s has no class \"%s\"", predict_origin(call), name),
			 errhint("Its classes are %s.", hint.data)));
}

/* The index of the class an argument names, remembered from row to row. */
static int
find_class(PredictCall *call, text *argument)
{
	const char *name = VARDATA_ANY(argument);
	int			length = VARSIZE_ANY_EXHDR(argument);
	int			k = 0;

	if (call->class_name != NULL && call->class_name_length == length && memcmp(call->class_name, name, length) == 0)
		return call->class_index;
	while (k < call->model->nclasses &&
		   ((int) strlen(call->model->labels[k]) != length || memcmp(call->model->labels[k], name, length) != 0))
		k++;
	if (k == call->model->nclasses)
		no_such_class(call, text_to_cstring(argument));
	call->class_name = call->model->labels[k];
	call->class_name_length = length;
	call->class_index = k;
	return k;
}

static void
require_classes(const PredictCall *call)
{
	if (call->model->task == TASK_REGRESSION)
		not_a_class(call);
}

static void
require_probabilities(const PredictCall *call)
{
	require_classes(call);
	if (call->model->task == TASK_ANOMALY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s gives scores of anomalies, which are no probabilities", predict_origin(call)),
				 errhint("Use ml.predict for the score, ml.predict_class for \"normal\" or \"anomaly\".")));
}

static Datum
answer_class_text(const PredictCall *call)
{
	return CStringGetTextDatum(call->model->labels[answer_class(call->model, call->scores)]);
}

static double
answer_class_probability(PredictCall *call, FunctionCallInfo fcinfo, int class_argument)
{
	int			k = PG_ARGISNULL(class_argument) ? answer_default_class(call->model, call->scores) :
		find_class(call, PG_GETARG_TEXT_PP(class_argument));

	return answer_probability(call->model, call->scores, k);
}

/* ---- SQL: (model, row, ...) ---- */

Datum
ml_predict(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL || !predict_row(call, fcinfo, 1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(answer_number(call));
}

Datum
ml_predict_class(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL || !predict_row(call, fcinfo, 1))
		PG_RETURN_NULL();
	require_classes(call);
	return answer_class_text(call);
}

Datum
ml_predict_proba(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL || !predict_row(call, fcinfo, 1))
		PG_RETURN_NULL();
	require_probabilities(call);
	PG_RETURN_FLOAT8(answer_class_probability(call, fcinfo, 2));
}

/* ---- SQL: (model, [class,] names, values...) ---- */

Datum
ml_predict_columns(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL)
		PG_RETURN_NULL();
	predict_named(call, fcinfo, 1);
	PG_RETURN_FLOAT8(answer_number(call));
}

Datum
ml_predict_class_columns(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL)
		PG_RETURN_NULL();
	require_classes(call);
	predict_named(call, fcinfo, 1);
	return answer_class_text(call);
}

Datum
ml_predict_proba_columns(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL)
		PG_RETURN_NULL();
	require_probabilities(call);
	predict_named(call, fcinfo, 2);
	PG_RETURN_FLOAT8(answer_class_probability(call, fcinfo, 1));
}
