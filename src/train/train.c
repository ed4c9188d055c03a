/*
 * train.c
 *		ml.train: from the arguments of one call to a stored version.
 *
 * The order of work: options, rights, frame (the only pass over the source), preparation fitted on training rows, learner, metrics of every part,
 * artifact, and at the very end the registry row, so that the model's lock is held for milliseconds.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "settings.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_train);

#define ROWS_PER_CHECK 65536	/* between two checks for interrupts */
#define KEY_LIKE_CLASSES 20		/* a text column with more levels than this ... */
#define KEY_LIKE_SHARE 0.9		/* ... in this share of its rows is a key, as among the features */
#define MAX_CLASSES 1000		/* the metrics keep a table of classes x classes */
#define PREFETCH_ROWS 24		/* ahead: a canonical neighbour lies anywhere in memory */

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

/* ---- arguments ---- */

static char *
text_argument(FunctionCallInfo fcinfo, TrainArgument arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static char *
required_argument(FunctionCallInfo fcinfo, TrainArgument arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_argument(fcinfo, arg);
}

static Jsonb *
jsonb_argument(FunctionCallInfo fcinfo, TrainArgument arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_JSONB_P(arg);
}

static List *
names_argument(FunctionCallInfo fcinfo, TrainArgument arg, const char *name)
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
features_argument(FunctionCallInfo fcinfo)
{
	List	   *names = names_argument(fcinfo, ARG_FEATURES, "features");

	if (names == NIL && !PG_ARGISNULL(ARG_FEATURES))
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

/* The call as JSON, so that a retraining can repeat it; parameters are kept apart. */
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
	appendStringInfo(&out, ", \"split\": {\"train\": %g, \"validation\": %g, \"test\": %g}, \"features\": ",
					 r->share[PART_TRAIN], r->share[PART_VALIDATION], r->share[PART_TEST]);
	json_append_strings(&out, r->features);
	appendStringInfoString(&out, ", \"exclude\": ");
	json_append_strings(&out, r->exclude);
	appendStringInfoString(&out, ", \"weights\": ");
	json_append_string(&out, r->weight);
	appendStringInfoString(&out, ", \"positive_class\": ");
	json_append_string(&out, t->positive_class);
	appendStringInfo(&out, ", \"preprocess\": %s}",
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

static void
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
	r->features = features_argument(fcinfo);
	r->exclude = names_argument(fcinfo, ARG_EXCLUDE, "exclude");
	r->seed = PG_ARGISNULL(ARG_SEED) ? 0 : PG_GETARG_INT64(ARG_SEED);
	r->budget = &t->budget;
	task_argument(task, r);
	split_parse(jsonb_argument(fcinfo, ARG_SPLIT), r->share);
	if (r->target == NULL && PG_ARGISNULL(ARG_SPLIT))
		hold_nothing_out(r->share);
	preprocess_parse(preprocess, &r->categories, &r->numbers);

	t->budget.limit = (Size) relearn_max_memory * 1024;
	t->arguments = arguments_json(t, task, preprocess);
	initStringInfo(&t->metrics);
}

/* ---- learner and classes ---- */

static const char *const anomaly_labels[] = {"normal", "anomaly"};

/*
 * A named algorithm's options are checked before the source is read, so that a misspelt one does not cost a scan; 'auto' has to see the target.
 */
static void
choose_learner(Training *t)
{
	if (strcmp(t->algorithm, "auto") == 0)
		common_options_parse(t->params, &t->common);
	else
	{
		t->learner = learner_or_fail(t->algorithm);
		t->options = options_parse(t->learner, t->params, &t->common);
	}
}

/* A target is what all algorithms but those for anomalies learn. */
static void
check_target(const Training *t)
{
	bool		wanted = t->learner == NULL || !(t->learner->tasks & TASK_ANOMALY);

	if (wanted && t->request.target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Without a target, algorithm => 'isolation_forest' finds unusual rows.")));
	if (!wanted && t->request.target != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("algorithm \"%s\" learns without a target", t->learner->name),
				 errhint("Give NULL as target; exclude => '{%s}' keeps a column out.", t->request.target)));
}

static void
choose_learner_by_target(Training *t)
{
	if (t->learner != NULL)
		return;
	t->learner = t->frame->classification ? &logistic_learner : &linear_learner;
	t->options = options_parse(t->learner, t->params, &t->common);
}

static void
check_task(const Training *t)
{
	StringInfoData list;

	if (t->learner->tasks & t->task)
		return;
	initStringInfo(&list);
	for (int i = 0; i < nlearners; i++)
		if (learners[i]->tasks & t->task)
			appendStringInfo(&list, "%s%s", list.len ? ", " : "", learners[i]->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("algorithm \"%s\" cannot learn target column \"%s\"", t->learner->name, t->request.target),
			 errdetail("Its type %s makes this a %s.", t->frame->target.type_name,
					   t->task == TASK_REGRESSION ? "regression" : "classification"),
			 errhint("Algorithms for it are %s.", list.data)));
}

/* The target's cells of all rows, in canonical order. */
static void
gather_targets(Training *t)
{
	Frame	   *frame = t->frame;
	Size		bytes = size_times(sizeof(double), frame->nrows);

	budget_take(&t->budget, bytes, "the targets");
	t->target = alloc_large(CurrentMemoryContext, bytes);
	for (int64 i = 0; i < frame->nrows; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		__builtin_prefetch(frame_row(frame, Min(i + PREFETCH_ROWS, frame->nrows - 1)) + frame->ncolumns);
		t->target[i] = frame_row(frame, i)[frame->ncolumns];
	}
}

/* A target with nearly as many classes as rows is a key; a classifier of thousands of classes would take hours for nothing. */
static void
check_class_count(const Training *t)
{
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);

	if (t->nclasses < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has only one class among the training rows", t->request.target),
				 errdetail("A classifier needs rows of at least two classes; the training part has %lld rows.", (long long) nrows),
				 errhint("Check the source's WHERE clause, or the split.")));
	if (t->nclasses > KEY_LIKE_CLASSES && t->nclasses > KEY_LIKE_SHARE * nrows)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has %d classes in %lld training rows, as a key has",
						t->request.target, t->nclasses, (long long) nrows),
				 errhint("Choose the column that holds what is to be predicted.")));
	if (t->nclasses > MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("target column \"%s\" has %d classes, more than the %d a model can have", t->request.target, t->nclasses, MAX_CLASSES),
				 errhint("Group rare classes in the source, or predict a number.")));
}

static void
warn_of_unseen_classes(Training *t, int unseen, const char *example)
{
	if (unseen == 1)
		t->warnings = lappend(t->warnings, psprintf("class \"%s\" has no training row; the model cannot predict it", example));
	else if (unseen > 1)
		t->warnings = lappend(t->warnings,
							  psprintf("%d classes, such as \"%s\", have no training row; the model cannot predict them", unseen, example));
}

/* Number the levels that training rows have, in the order of the levels; targets become classes. */
static void
find_classes(Training *t)
{
	Frame	   *frame = t->frame;
	int			nlevels = dictionary_size(frame->target.levels);
	int			unseen = 0;
	const char *example = NULL;

	t->class_of = palloc0(sizeof(int) * Max(nlevels, 1));
	for (int64 i = 0; i < frame->part_start[PART_VALIDATION]; i++)
		t->class_of[(int) t->target[i]] = 1;
	for (int level = 0; level < nlevels; level++)
	{
		if (t->class_of[level])
			t->class_of[level] = t->nclasses++;
		else
		{
			t->class_of[level] = -1;
			example = unseen++ == 0 ? dictionary_text(frame->target.levels, level) : example;
		}
	}
	check_class_count(t);
	warn_of_unseen_classes(t, unseen, example);
	t->task = t->nclasses == 2 ? TASK_BINARY : TASK_MULTICLASS;
	for (int64 i = 0; i < frame->nrows; i++)
		t->target[i] = t->class_of[(int) t->target[i]];
}

static void
warn_of_constant_target(Training *t)
{
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);
	int64		i = 1;

	while (i < nrows && t->target[i] == t->target[0])
		i++;
	if (i == nrows && nrows > 1)
		t->warnings = lappend(t->warnings, psprintf("target column \"%s\" has the same value in every training row", t->request.target));
}

static void
find_task(Training *t)
{
	if (frame_part_rows(t->frame, PART_TRAIN) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("no row is left for training"),
				 errdetail("The source has %lld rows with a target; the split gave all of them to the other parts.",
						   (long long) t->frame->nrows),
				 errhint("Use split => '{\"train\": 1}' for a very small table.")));
	t->task = TASK_REGRESSION;
	if (t->request.target == NULL)
	{
		t->task = TASK_ANOMALY;
		t->nclasses = lengthof(anomaly_labels);
	}
	else if (t->frame->classification)
	{
		gather_targets(t);
		find_classes(t);
	}
	check_task(t);
	if (t->task == TASK_REGRESSION || t->task == TASK_ANOMALY)
		gather_targets(t);
	if (t->task == TASK_REGRESSION)
		warn_of_constant_target(t);
}

/* ---- weights of the training rows, and behind them of the validation rows ---- */

/* Weight of each class: (nclasses), or NULL where class_weight is not set. */
static double *
class_weights(const Training *t, const char *const *labels)
{
	const ClassWeights *asked = &t->common.class_weight;
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);
	double	   *weight;

	if (!asked->balanced && asked->n == 0)
		return NULL;
	if (!task_classifies(t->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"class_weight\" is for classification only")));

	weight = palloc0(sizeof(double) * t->nclasses);
	if (asked->balanced)
	{
		for (int64 i = 0; i < nrows; i++)
			weight[(int) t->target[i]] += 1;
		for (int c = 0; c < t->nclasses; c++)
			weight[c] = nrows / (t->nclasses * weight[c]);
		return weight;
	}
	for (int c = 0; c < t->nclasses; c++)
		weight[c] = 1;
	for (int i = 0; i < asked->n; i++)
	{
		int			c = 0;

		while (c < t->nclasses && strcmp(labels[c], asked->label[i]) != 0)
			c++;
		if (c == t->nclasses)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("class_weight names class \"%s\", which target column \"%s\" does not have", asked->label[i], t->request.target)));
		weight[c] = asked->weight[i];
	}
	return weight;
}

static void
gather_weights(Training *t, const char *const *labels)
{
	Frame	   *frame = t->frame;
	int64		nrows = frame->part_start[PART_TEST];
	double	   *of_class = class_weights(t, labels);
	double		sum = 0;

	if (!frame->has_weight && of_class == NULL)
		return;
	budget_take(&t->budget, size_times(sizeof(double), nrows), "the weights");
	t->weight = alloc_large(CurrentMemoryContext, sizeof(double) * nrows);
	for (int64 i = 0; i < nrows; i++)
	{
		t->weight[i] = (frame->has_weight ? frame_row(frame, i)[frame->ncolumns + 1] : 1) *
			(of_class && t->target[i] >= 0 ? of_class[(int) t->target[i]] : 1);
		if (i < frame->part_start[PART_VALIDATION])
			sum += t->weight[i];
	}
	if (!(sum > 0) || !isfinite(sum))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the weights of the training rows add up to %g", sum),
				 sum > 0 ? errhint("Divide the weights by a common factor.") : errhint("At least one training row needs a weight above zero.")));
}

/* ---- model ---- */

/* The number a label stands for; false for labels that are words. */
static bool
label_number(const FrameColumn *target, const char *label, double *value)
{
	if (target->original == KIND_BOOLEAN)
		*value = strcmp(label, "true") == 0;
	else if (target->original != KIND_NUMBER || !cell_parse(KIND_NUMBER, NULL, label, value))
		return false;
	return true;
}

static void
set_labels(const Training *t, Model *model)
{
	const FrameColumn *target = &t->frame->target;

	model->labels = palloc(sizeof(char *) * t->nclasses);
	model->label_values = palloc(sizeof(double) * t->nclasses);
	for (int level = 0; level < dictionary_size(target->levels); level++)
	{
		int			c = t->class_of[level];

		if (c < 0)
			continue;
		model->labels[c] = pstrdup(dictionary_text(target->levels, level));
		if (model->label_values && !label_number(target, model->labels[c], &model->label_values[c]))
			model->label_values = NULL;
	}
}

static void
set_anomaly_labels(Model *model)
{
	model->labels = palloc(sizeof(char *) * model->nclasses);
	for (int c = 0; c < model->nclasses; c++)
		model->labels[c] = pstrdup(anomaly_labels[c]);
}

/* The class whose probability predict_proba gives: the one asked for, else the last of two. */
static int
positive_class(const Training *t, const Model *model)
{
	if (t->positive_class == NULL)
		return t->task == TASK_BINARY ? 1 : -1;
	if (t->task != TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("positive_class is for targets with two classes"),
				 errdetail("Target column \"%s\" has %d.", t->request.target, t->nclasses)));
	for (int c = 0; c < 2; c++)
		if (strcmp(model->labels[c], t->positive_class) == 0)
			return c;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("positive_class \"%s\" is no class of target column \"%s\"", t->positive_class, t->request.target),
			 errhint("Its classes are \"%s\" and \"%s\".", model->labels[0], model->labels[1])));
}

static Model *
new_model(const Training *t)
{
	Model	   *model = palloc0(sizeof(Model));

	model->task = t->task;
	model->target = pstrdup(t->frame->target.name);
	model->target_type = pstrdup(t->frame->target.type_name);
	model->nclasses = t->nclasses;
	model->positive = -1;
	if (t->task == TASK_ANOMALY)
		set_anomaly_labels(model);
	else if (task_classifies(t->task))
	{
		set_labels(t, model);
		model->positive = positive_class(t, model);
	}
	model->features = t->features;
	model->context = CurrentMemoryContext;
	return model;
}

static void
fit_features(Training *t)
{
	bool		reference = t->learner->wants_reference_level && t->learner->wants_reference_level(t->options);
	FeatureOptions options = {
		.scale = t->learner->wants_scaling,
		.takes_missing = t->learner->takes_missing,
		.takes_categories = t->learner->takes_categories,
		.cyclic = t->learner->wants_cyclic,
		.reference_level = reference,
		.max_categories = t->common.max_categories,
	};
	int		  **recode;
	Size		scratch;

	scratch = features_fit_memory(frame_part_rows(t->frame, PART_TRAIN));
	budget_take(&t->budget, scratch, "fitting the preparation");
	t->features = features_fit(t->frame, &options, t->common.time_zone, &recode, &t->summaries, &t->warnings);
	budget_return(&t->budget, scratch);
	if (t->features->noutputs == 0)
		t->warnings = lappend(t->warnings, "no usable feature column: the model predicts the same for every row");
	t->design = design_create(t->frame, t->features, recode);
}

static void
fill_training_set(Training *t)
{
	TrainingSet *set = &t->set;
	int			ncolumns = t->features->noutputs;
	double	   *offset = palloc(sizeof(double) * Max(ncolumns, 1));
	double	   *scale = palloc(sizeof(double) * Max(ncolumns, 1));
	int		   *group = palloc(sizeof(int) * Max(ncolumns, 1));
	const char **names = palloc(sizeof(char *) * Max(ncolumns, 1));

	for (int j = 0; j < ncolumns; j++)
	{
		offset[j] = t->features->outputs[j].offset;
		scale[j] = t->features->outputs[j].scale;
		group[j] = t->features->outputs[j].input;
		names[j] = t->features->outputs[j].name;
	}
	set->task = t->task;
	set->nrows = frame_part_rows(t->frame, PART_TRAIN);
	set->nvalidation = frame_part_rows(t->frame, PART_VALIDATION);
	set->ncolumns = ncolumns;
	set->nclasses = t->nclasses;
	set->target = t->target;
	set->weight = t->weight;
	set->offset = offset;
	set->scale = scale;
	set->group = group;
	set->levels = t->features->output_levels;
	set->column_name = names;
	set->rows = design_rows;
	set->design = t->design;
	set->seed = t->request.seed;
}

/* The scores of the largest part come after the fit: know before it that they will fit. */
static void
check_scores_fit(Training *t)
{
	int64		largest = 0;
	Size		bytes;

	for (Part part = PART_TRAIN; part < NPARTS; part++)
		largest = Max(largest, frame_part_rows(t->frame, part));
	bytes = scores_memory(largest, learner_outputs(t->task, t->nclasses));
	budget_take(&t->budget, bytes, "the scores of the rows");
	budget_return(&t->budget, bytes);
}

/* Train the learner and, where there is a target, the baseline beside it. */
static void
train_learner(Training *t)
{
	TrainingOptions ignored;
	TrainingSet baseline_set;
	void	   *baseline_options = options_parse(&baseline_learner, NULL, &ignored);

	t->model = new_model(t);
	model_statistics(t);
	gather_weights(t, (const char *const *) t->model->labels);
	fill_training_set(t);
	check_scores_fit(t);
	if (t->learner->wants_rows_kept)
		design_keep(t);
	budget_take(&t->budget, t->learner->memory_needed(t->options, t->set.nrows + t->set.nvalidation, t->set.ncolumns, t->nclasses), "training");

	t->model->learner = t->learner;
	t->model->state = t->learner->train(&t->set, t->options);
	t->warnings = list_concat(t->warnings, t->set.warnings);
	model_prepare(t->model);

	if (t->task == TASK_ANOMALY)
		return;
	baseline_set = t->set;
	t->baseline = palloc(sizeof(Model));
	*t->baseline = *t->model;
	t->baseline->learner = &baseline_learner;
	t->baseline->state = baseline_learner.train(&baseline_set, baseline_options);
}

/* ---- the call ---- */

static void
check_metric(Training *t)
{
	if (t->task == TASK_ANOMALY)
	{
		if (t->common.metric != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"metric\" needs a target to compare with")));
		return;
	}
	t->metric = t->common.metric ? metric_find(t->common.metric) : metric_default(t->task);
	if (!(t->metric->tasks & t->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" does not fit the task", t->metric->name),
				 errhint("The default metric here is \"%s\".", metric_default(t->task)->name)));
}

static void
run_training(Training *t)
{
	registry_check_trainable(t->name);
	choose_learner(t);
	check_target(t);
	t->request.zone = pg_tzset(t->common.time_zone);
	t->frame = frame_load(&t->request);
	t->warnings = list_copy(t->frame->warnings);
	choose_learner_by_target(t);
	find_task(t);
	check_metric(t);
	fit_features(t);
	train_learner(t);
	model_make_selftest(t->model);
	judge_training(t);
}

static const char *
task_name(Task task)
{
	switch (task)
	{
		case TASK_REGRESSION:
			return "regression";
		case TASK_BINARY:
			return "binary classification";
		case TASK_MULTICLASS:
			return "multiclass classification";
		case TASK_ANOMALY:
			return "anomaly detection";
	}
	return NULL;
}

static RunRecord
run_record(const Training *t, double seconds)
{
	RunRecord	run = {
		.call = "ml.train()",
		.name = t->name,
		.algorithm = t->learner->name,
		.task = task_name(t->task),
		.target = t->frame->target.name,
		.source = t->request.source,
		.params = options_json(t->learner, t->options, &t->common),
		.arguments = t->arguments,
		.seed = t->request.seed,
		.fingerprint = t->frame->fingerprint,
		.metrics = t->metrics.data,
		.seconds = seconds,
		.warnings = t->warnings,
		.note = t->note,
	};

	for (int p = 0; p < NPARTS; p++)
		run.nrows[p] = frame_part_rows(t->frame, p);
	return run;
}

static void
put_result(FunctionCallInfo fcinfo, const Training *t, const RunRecord *run, int version, Size bytes)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[13];
	bool		nulls[13] = {false};

	values[0] = CStringGetTextDatum(t->name);
	values[1] = Int32GetDatum(version);
	values[2] = CStringGetTextDatum(run->algorithm);
	values[3] = CStringGetTextDatum(run->task);
	for (int p = 0; p < NPARTS; p++)
		values[4 + p] = Int64GetDatum(run->nrows[p]);
	nulls[7] = t->metric == NULL;
	if (!nulls[7])
		values[7] = CStringGetTextDatum(t->metric->name);
	values[8] = Float8GetDatum(t->score);
	nulls[8] = isnan(t->score);
	values[9] = Float8GetDatum(t->baseline_score);
	nulls[9] = isnan(t->baseline_score);
	values[10] = Float8GetDatum(run->seconds);
	values[11] = Int64GetDatum((int64) bytes);
	values[12] = texts_datum(t->warnings);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static double
seconds_since(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_DOUBLE(now);
}

Datum
ml_train(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn training", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Training   *t = palloc0(sizeof(Training));
	instr_time	start;
	bytea	   *artifact;
	RunRecord	run;
	int			version;

	INSTR_TIME_SET_CURRENT(start);
	read_arguments(fcinfo, t);
	run_training(t);
	artifact = model_encode(t->model);
	run = run_record(t, seconds_since(start));
	version = registry_save(&run, t->model, artifact);

	MemoryContextSwitchTo(caller);
	InitMaterializedSRF(fcinfo, 0);
	put_result(fcinfo, t, &run, version, VARSIZE_ANY_EXHDR(artifact));
	MemoryContextDelete(context);
	return (Datum) 0;
}
