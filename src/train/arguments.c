/*
 * arguments.c
 *		The arguments of one call of ml.train, checked and named.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "settings.h"
#include "train_internal.h"

/* The arguments of ml.train in their order; names are those of the SQL declaration. */
typedef enum TrainArgument
{
	ARG_MODEL,
	ARG_SOURCE,
	ARG_TARGET,
	ARG_ALGORITHM,
	ARG_PARAMS,
	ARG_TASK,
	ARG_KEY,
	ARG_TIME,
	ARG_SPLIT,
	ARG_FEATURES,
	ARG_EXCLUDE,
	ARG_WEIGHTS,
	ARG_POSITIVE_CLASS,
	ARG_PREPROCESS,
	ARG_SEED,
	ARG_NOTE
} TrainArgument;

/* Those of ml.fit_pipeline. */
typedef enum PipelineArgument
{
	PIPE_MODEL,
	PIPE_SOURCE,
	PIPE_PREPROCESS,
	PIPE_TARGET,
	PIPE_PARAMS,
	PIPE_KEY,
	PIPE_TIME,
	PIPE_SPLIT,
	PIPE_FEATURES,
	PIPE_EXCLUDE,
	PIPE_WEIGHTS,
	PIPE_SEED,
	PIPE_NOTE
} PipelineArgument;

static char *
text_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static char *
required_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_argument(fcinfo, arg);
}

static Jsonb *
jsonb_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_JSONB_P(arg);
}

List *
names_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	if (PG_ARGISNULL(arg))
		return NIL;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of column names, not an array of %d dimensions", name, ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain null", name)));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

/* An empty list would mean all columns. */
static List *
features_argument(FunctionCallInfo fcinfo, int arg)
{
	List	   *names = names_argument(fcinfo, arg, "features");

	if (names == NIL && !PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features must name at least one column"),
				 errhint("Leave the argument out to learn from all columns.")));
	return names;
}

static void
task_argument(const char *task, FrameRequest *request)
{
	if (task == NULL)
		return;
	request->classification = strcmp(task, "classification") == 0;
	request->regression = strcmp(task, "regression") == 0;
	if (!request->classification && !request->regression)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("task \"%s\" not recognized", task),
				 errhint("Valid tasks are \"classification\" and \"regression\".")));
}

/* The call as JSON but for its end, so that a retraining can repeat it; parameters are kept apart, and the split is added when it is known. */
static char *
arguments_json(const Training *t, const char *task, const Jsonb *preprocess)
{
	const FrameRequest *r = &t->request;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"algorithm\": ");
	json_append_string(&out, t->algorithm);
	appendStringInfoString(&out, ", \"task\": ");
	json_append_string(&out, task);
	appendStringInfoString(&out, ", \"key\": ");
	json_append_string(&out, r->key);
	appendStringInfoString(&out, ", \"time_column\": ");
	json_append_string(&out, r->time);
	appendStringInfoString(&out, ", \"features\": ");
	json_append_strings(&out, r->features);
	appendStringInfoString(&out, ", \"exclude\": ");
	json_append_strings(&out, r->exclude);
	appendStringInfoString(&out, ", \"weights\": ");
	json_append_string(&out, r->weight);
	appendStringInfoString(&out, ", \"positive_class\": ");
	json_append_string(&out, t->positive_class);
	appendStringInfo(&out, ", \"preprocess\": %s",
					 preprocess ? JsonbToCString(NULL, (JsonbContainer *) &preprocess->root, VARSIZE(preprocess)) : "null");
	return out.data;
}

/* Without a target held-out rows could not be judged. */
static void
hold_nothing_out(double share[NPARTS])
{
	for (int p = 0; p < NPARTS; p++)
		share[p] = p == PART_TRAIN;
}

/* What both calls have in common. */
static void
prepare_arguments(Training *t, Jsonb *preprocess)
{
	FrameRequest *r = &t->request;

	preprocess_parse(preprocess, &t->preprocess);
	r->categories = t->preprocess.categories;
	r->numbers = t->preprocess.numbers;
	r->prepared = t->preprocess.prepared;
	r->needed = t->preprocess.needed;
	r->budget = &t->budget;
	t->budget.limit = (Size) relearn_max_memory * 1024;
	initStringInfo(&t->metrics);
}

void
read_arguments(FunctionCallInfo fcinfo, Training *t)
{
	FrameRequest *r = &t->request;
	char	   *task = text_argument(fcinfo, ARG_TASK);
	Jsonb	   *preprocess = jsonb_argument(fcinfo, ARG_PREPROCESS);

	t->name = required_argument(fcinfo, ARG_MODEL, "model");
	t->algorithm = required_argument(fcinfo, ARG_ALGORITHM, "algorithm");
	t->positive_class = text_argument(fcinfo, ARG_POSITIVE_CLASS);
	t->note = text_argument(fcinfo, ARG_NOTE);
	t->params = jsonb_argument(fcinfo, ARG_PARAMS);

	r->source = required_argument(fcinfo, ARG_SOURCE, "source");
	r->target = text_argument(fcinfo, ARG_TARGET);
	r->key = text_argument(fcinfo, ARG_KEY);
	r->time = text_argument(fcinfo, ARG_TIME);
	r->weight = text_argument(fcinfo, ARG_WEIGHTS);
	r->features = features_argument(fcinfo, ARG_FEATURES);
	r->exclude = names_argument(fcinfo, ARG_EXCLUDE, "exclude");
	r->seed = PG_ARGISNULL(ARG_SEED) ? 0 : PG_GETARG_INT64(ARG_SEED);
	task_argument(task, r);
	t->split = (SplitRule) {.key = r->key,.time = r->time,.seed = r->seed};
	if (!split_parse(jsonb_argument(fcinfo, ARG_SPLIT), &t->split) && r->target == NULL)
		hold_nothing_out(t->split.share);
	prepare_arguments(t, preprocess);
	t->arguments = arguments_json(t, task, preprocess);
}

void
read_pipeline_arguments(FunctionCallInfo fcinfo, Training *t)
{
	FrameRequest *r = &t->request;
	Jsonb	   *preprocess = jsonb_argument(fcinfo, PIPE_PREPROCESS);

	t->name = required_argument(fcinfo, PIPE_MODEL, "model");
	t->algorithm = pstrdup(pipeline_learner.name);
	t->params = jsonb_argument(fcinfo, PIPE_PARAMS);
	t->note = text_argument(fcinfo, PIPE_NOTE);

	r->source = required_argument(fcinfo, PIPE_SOURCE, "source");
	r->target = text_argument(fcinfo, PIPE_TARGET);
	r->key = text_argument(fcinfo, PIPE_KEY);
	r->time = text_argument(fcinfo, PIPE_TIME);
	r->weight = text_argument(fcinfo, PIPE_WEIGHTS);
	r->features = features_argument(fcinfo, PIPE_FEATURES);
	r->exclude = names_argument(fcinfo, PIPE_EXCLUDE, "exclude");
	r->seed = PG_ARGISNULL(PIPE_SEED) ? 0 : PG_GETARG_INT64(PIPE_SEED);
	t->split = (SplitRule) {.key = r->key,.time = r->time,.seed = r->seed};
	if (!split_parse(jsonb_argument(fcinfo, PIPE_SPLIT), &t->split))
		hold_nothing_out(t->split.share);
	prepare_arguments(t, preprocess);
	t->arguments = arguments_json(t, NULL, preprocess);
}
