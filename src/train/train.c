/*
 * train.c
 *		ml.train: from the arguments of one call to a stored version.
 *
 * The order of work: options, rights, frame (the only pass over the source), preparation fitted on training rows, learner, metrics of every part,
 * artifact, and at the very end the registry row, so that the model's lock is held for milliseconds.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "checks/checks.h"
#include "core/clock.h"
#include "settings.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_train);

/* ---- learner ---- */

static const char *const anomaly_labels[NANOMALY_CLASSES] = {"normal", "anomaly"};

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
	if (!task_classifies(t->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("positive_class is for classification only"),
				 errhint("A target of numbers is predicted as a number unless task => 'classification' says that they are classes.")));
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

Model *
new_model(const Training *t)
{
	Model	   *model = palloc0(sizeof(Model));

	model->task = t->task;
	model->target = pstrdup(t->frame->target.name);
	model->target_type = pstrdup(t->frame->target.type_name);
	model->nclasses = t->nclasses;
	if (t->task == TASK_ANOMALY)
		set_anomaly_labels(model);
	else if (task_classifies(t->task))
		set_labels(t, model);
	model->positive = positive_class(t, model);
	model->context = CurrentMemoryContext;
	return model;
}

void
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
		.specs = t->preprocess.specs,
		.exact = t->learner == &pipeline_learner,
		.target = t->request.target == NULL ? NULL : t->target,
		.nclasses = task_classifies(t->task) ? t->nclasses : 0,
		.positive = t->model->positive,
		.weight = t->weight,
		.budget = &t->budget,
	};
	int		  **recode;
	Size		scratch;

	if (t->learner == &pipeline_learner)
	{
		options.drop_rest = ((const PipelineOptions *) t->options)->remainder == REMAINDER_DROP;
		options.pass_rest = ((const PipelineOptions *) t->options)->remainder == REMAINDER_PASSTHROUGH;
	}
	scratch = features_fit_memory(frame_part_rows(t->frame, PART_TRAIN));
	budget_take(&t->budget, scratch, "fitting the preparation");
	t->features = features_fit(t->frame, &options, t->common.time_zone, &recode, &t->summaries, &t->warnings);
	budget_return(&t->budget, scratch);
	if (t->features->noutputs == 0)
		t->warnings = lappend(t->warnings, t->learner == &pipeline_learner ? "no usable column: every prepared row is empty" :
							  "no usable feature column: the model predicts the same for every row");
	t->design = design_create(t->frame, t->features, recode);
	t->model->features = t->features;
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
		group[j] = t->features->outputs[j].group;
		names[j] = t->features->outputs[j].name;
	}
	set->task = t->task;
	set->nrows = frame_part_rows(t->frame, PART_TRAIN);
	set->nvalidation = frame_part_rows(t->frame, PART_VALIDATION);
	set->ncolumns = ncolumns;
	set->nclasses = t->nclasses;
	set->positive = t->model->positive;
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

/* As the learner wants them. */
static void
ready_rows(Training *t)
{
	if (t->learner->wants_rows_kept)
		t->resampled ? resampled_keep(t) : design_keep(t);
	if (t->learner->bin_options == NULL)
		return;
	design_code(t);
	t->set.bins = t->design->bins;
	if (t->resampled != NULL)
		resampled_code(t);
}

/* Train the learner and, where there is a target, the baseline beside it, on the rows there are. */
static void
train_learner(Training *t)
{
	TrainingOptions ignored;
	TrainingSet baseline_set;
	void	   *baseline_options = options_parse(&baseline_learner, NULL, &ignored);

	baseline_set = t->set;
	resample(t);
	ready_rows(t);
	budget_take(&t->budget, t->learner->memory_needed(t->options, t->set.nrows + t->set.nvalidation, t->set.ncolumns, t->nclasses), "training");
	if (t->task != TASK_ANOMALY)
		check_scores_fit(t);

	t->set.memory_limit = t->budget.limit;
	t->set.free_memory = t->budget.limit - t->budget.used;
	t->set.spare_memory = t->set.free_memory / 2;	/* the rest is for judging */

	t->model->learner = t->learner;
	t->model->state = t->learner->train(&t->set, t->options);
	t->warnings = list_concat(t->warnings, t->set.warnings);
	model_prepare(t->model);
	correct_answers(t);

	if (t->task == TASK_ANOMALY)
		return;
	t->baseline = palloc(sizeof(Model));
	*t->baseline = *t->model;
	t->baseline->prior_factor = t->resampled ? NULL : t->model->prior_factor;
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

/* Split as the versions before, whose test rows must not be learned from. */
void
load_rows(Training *t)
{
	char	   *moved;

	t->locked = t->name ? registry_locked_split(t->name, &t->split) : NULL;
	split_request(&t->split, t->locked, &t->request);
	t->request.zone = pg_tzset(t->common.time_zone);
	if (t->learner != NULL && t->learner->bin_options != NULL && t->common.resample.method == RESAMPLE_NONE)
	{
		/* what keeps the rows as bins can do without them in memory; what makes up rows between them cannot */
		t->request.needs = training_needs;
		t->request.needs_state = t;
	}
	t->frame = frame_load(&t->request);
	t->warnings = list_copy(t->frame->warnings);
	split_found(t->frame, t->common.time_zone, t->locked, &t->split);
	moved = t->locked ? split_moved(t->frame, &t->split, t->locked) : NULL;
	if (moved != NULL)
		t->warnings = lappend(t->warnings, moved);
}

void
training_prepare(Training *t)
{
	choose_learner(t);
	check_target(t);
	load_rows(t);
	choose_learner_by_target(t);
	find_task(t);
	check_metric(t);
	resample_check(t);
	t->model = new_model(t);
	gather_weights(t, (const char *const *) t->model->labels);
	fit_features(t);
	model_statistics(t);
	fill_training_set(t);
}

static void
run_training(Training *t)
{
	List	   *found = NIL;

	registry_check_trainable(t->name);
	training_prepare(t);
	if (t->common.checks)
		found = checks_of_training(t->frame, t->summaries, t->task, t->class_weight != NULL || t->common.resample.method != RESAMPLE_NONE);
	train_learner(t);
	model_make_selftest(t->model);
	judge_training(t);
	t->warnings = list_concat(t->warnings, found);
}

const char *
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
		case TASK_PREPARATION:
			return "preparation";
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
		.arguments = registry_split_json(t->arguments, &t->split),
		.split = &t->split,
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
