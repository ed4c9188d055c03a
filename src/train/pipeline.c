/*
 * pipeline.c
 *		ml.fit_pipeline: the preparation alone, stored as a version of its own, to be replayed by ml.transform.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/memutils.h"

#include "core/clock.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_fit_pipeline);

/* Classes and numbers to learn from, where steps are to learn from a target. */
static void
find_pipeline_target(Training *t)
{
	t->task = TASK_PREPARATION;
	if (t->request.target == NULL)
		check_training_rows(t);
	else
		find_task(t);
}

/* The model of a preparation has neither classes nor a task of the target's. */
static void
make_model(Training *t)
{
	t->task = TASK_PREPARATION;
	t->nclasses = 0;
	t->model->task = TASK_PREPARATION;
	t->model->nclasses = 0;
	t->model->labels = NULL;
	t->model->label_values = NULL;
	t->model->positive = -1;
	t->model->learner = &pipeline_learner;
	t->set.ncolumns = t->features->noutputs;
	t->model->state = pipeline_learner.train(&t->set, t->options);
	model_statistics(t);
	model_prepare(t->model);
	model_make_selftest(t->model);
}

static void
run_fit(Training *t)
{
	registry_check_trainable(t->name);
	t->learner = &pipeline_learner;
	t->options = options_parse(t->learner, t->params, &t->common);
	load_rows(t);
	find_pipeline_target(t);
	t->model = new_model(t);
	gather_weights(t, (const char *const *) t->model->labels);
	fit_features(t);
	make_model(t);
	t->warnings = list_concat(t->warnings, registry_fitted_test_rows(t->name, &t->split));
	appendStringInfoString(&t->metrics, "{}");
}

static int
save(const Training *t, instr_time start)
{
	bytea	   *artifact = model_encode(t->model);
	RunRecord	run = {
		.call = "ml.fit_pipeline()",
		.name = t->name,
		.algorithm = t->learner->name,
		.task = task_name(TASK_PREPARATION),
		.target = t->frame->target.name,
		.source = t->request.source,
		.params = options_json(t->learner, t->options, &t->common),
		.arguments = registry_split_json(t->arguments, &t->split),
		.split = &t->split,
		.seed = t->request.seed,
		.fingerprint = t->frame->fingerprint,
		.metrics = t->metrics.data,
		.warnings = t->warnings,
		.note = t->note,
	};

	for (int p = 0; p < NPARTS; p++)
		run.nrows[p] = frame_part_rows(t->frame, p);
	run.seconds = seconds_since(start);
	return registry_save(&run, t->model, artifact);
}

/* Warnings end in ml.runs, and are told at once because there is no row to hold them. */
static void
tell_warnings(const Training *t)
{
	ListCell   *cell;

	foreach(cell, t->warnings)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_internal("%s", (const char *) lfirst(cell))));
}

Datum
ml_fit_pipeline(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn pipeline", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Training   *t = palloc0(sizeof(Training));
	instr_time	start;
	int			version;

	INSTR_TIME_SET_CURRENT(start);
	read_pipeline_arguments(fcinfo, t);
	run_fit(t);
	version = save(t, start);
	tell_warnings(t);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT32(version);
}
