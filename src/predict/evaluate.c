/*
 * evaluate.c
 *		ml.evaluate: a version's metrics on any rows, or those of its held-out part as training stored them.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "metrics/metrics.h"
#include "predict/predict_internal.h"
#include "registry/registry.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(ml_evaluate);

#define FIRST_CAPACITY 8192

/* Rows of a source on their way through a model. */
typedef struct Evaluation
{
	const Model *model;
	InputBinding *binding;
	int			target;			/* attribute number of the target, 1-based */
	CellReader	target_reader;
	double	   *cells;			/* (MODEL_BLOCK, ninputs) */
	int			waiting;		/* rows in cells */
	double	   *truth;			/* (capacity) */
	double	   *score;			/* (capacity, noutputs) */
	int64		n,
				capacity;
	int64		null_targets,
				unknown_classes;
	int64	   *unknown_levels; /* (ninputs) rows whose category the model keeps no level for */
	int64		comparable,		/* rows whose hash the sketch of training rows could hold */
				trained;		/* of them those it holds */
	Budget		budget;
} Evaluation;

/* ---- result rows ---- */

static void
put_metric(FunctionCallInfo fcinfo, const char *metric, double value, int64 n, const char *reason)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[4] = {CStringGetTextDatum(metric), Float8GetDatum(value), Int64GetDatum(n), (Datum) 0};
	bool		nulls[4] = {false, isnan(value), false, reason == NULL};

	if (reason != NULL)
		values[3] = CStringGetTextDatum(reason);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* ---- stored metrics ---- */

static JsonbValue *
json_field(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static void
put_stored_metric(FunctionCallInfo fcinfo, JsonbContainer *row)
{
	JsonbValue *metric = json_field(row, "metric");
	JsonbValue *value = json_field(row, "value");
	JsonbValue *n = json_field(row, "n");
	JsonbValue *reason = json_field(row, "reason");

	put_metric(fcinfo,
			   pnstrdup(metric->val.string.val, metric->val.string.len),
			   value->type == jbvNumeric ? DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric))) : NAN,
			   DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(n->val.numeric))),
			   reason->type == jbvString ? pnstrdup(reason->val.string.val, reason->val.string.len) : NULL);
}

/* The test part, else the validation part, else the training rows with a warning. */
static void
put_stored_metrics(FunctionCallInfo fcinfo, const ModelVersion *version)
{
	static const char *const parts[] = {"test", "validation", "train"};
	Jsonb	   *metrics = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(registry_run_metrics(version))));
	JsonbValue *rows = NULL;
	int			part = 0;

	while (part < (int) lengthof(parts) && (rows = json_field(&metrics->root, parts[part])) == NULL)
		part++;
	if (rows == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" version %d has no stored metrics", version->name, version->version),
				 errhint("Give a source to evaluate it on; a pipeline, or a model without a target, has nothing to be compared with.")));
	if (part == (int) lengthof(parts) - 1)
		ereport(WARNING,
				(errmsg("model \"%s\" version %d held no rows out: these metrics are measured on its training rows",
						version->name, version->version)));
	if (part == 0)
		registry_count_test_evaluation(version);
	for (uint32 i = 0; i < JsonContainerSize(rows->val.binary.data); i++)
		put_stored_metric(fcinfo, getIthJsonbValueFromContainer(rows->val.binary.data, i)->val.binary.data);
}

/* ---- metrics on a source ---- */

/*
 * Room for one more block.  The arrays exist before the source runs: a row arrives in the executor's context, which does not last.
 */
static void
make_room(Evaluation *e)
{
	Size		row = sizeof(double) * (1 + e->model->noutputs);

	if (e->n + MODEL_BLOCK <= e->capacity)
		return;
	budget_take(&e->budget, size_times(row, e->capacity), "the scores of the rows");
	e->capacity *= 2;
	e->truth = repalloc_huge(e->truth, sizeof(double) * e->capacity);
	e->score = repalloc_huge(e->score, sizeof(double) * e->capacity * e->model->noutputs);
}

/* Was this row trained on?  Known for the share of rows whose hash falls into the sketch's range. */
static void
compare_with_training(Evaluation *e, const double *cells, double truth)
{
	const Model *model = e->model;
	uint64		hash;

	if (model->ntrained == 0)
		return;
	hash = model_row_hash(model, cells, truth);
	if (model->ntrained == TRAINED_SKETCH && hash > model->trained[model->ntrained - 1])
		return;
	e->comparable++;
	if (bsearch(&hash, model->trained, model->ntrained, sizeof(uint64), hash_compare) != NULL)
		e->trained++;
}

static void
count_unknown_levels(Evaluation *e, const double *cells)
{
	const Features *features = e->model->features;

	for (int j = 0; j < features->ninputs; j++)
		if (features->inputs[j].kind == KIND_CATEGORY && features->inputs[j].used &&
			cells[j] == dictionary_size(features->inputs[j].levels))
			e->unknown_levels[j]++;
}

static void
flush_rows(Evaluation *e)
{
	int			ninputs = e->model->features->ninputs;

	CHECK_FOR_INTERRUPTS();
	model_score(e->model, e->cells, e->waiting, e->score + (e->n - e->waiting) * e->model->noutputs);
	for (int i = 0; i < e->waiting; i++)
	{
		count_unknown_levels(e, e->cells + (Size) i * ninputs);
		compare_with_training(e, e->cells + (Size) i * ninputs, e->truth[e->n - e->waiting + i]);
	}
	e->waiting = 0;
}

/* The class a label stands for, -1 where the model has no such class. */
static int
class_of(const Model *model, const char *label, int length)
{
	for (int c = 0; c < model->nclasses; c++)
		if (strlen(model->labels[c]) == (Size) length && memcmp(model->labels[c], label, length) == 0)
			return c;
	return -1;
}

/* False where the row has no usable target. */
static bool
read_target(Evaluation *e, Datum value, double *truth)
{
	if (e->model->task == TASK_REGRESSION)
		*truth = cell_number(&e->target_reader, value);
	else
	{
		int			length;
		const char *label = cell_text(&e->target_reader, value, &length);

		*truth = class_of(e->model, label, length);
		if (*truth < 0)
			e->unknown_classes++;
	}
	return isfinite(*truth);
}

static bool
evaluate_row(TupleTableSlot *slot, void *state)
{
	Evaluation *e = state;
	double		truth;

	if (slot->tts_isnull[e->target - 1] || !read_target(e, slot->tts_values[e->target - 1], &truth))
	{
		e->null_targets++;
		return true;
	}
	make_room(e);
	binding_read(e->binding, slot->tts_values, slot->tts_isnull, e->cells + (Size) e->waiting * e->model->features->ninputs);
	e->truth[e->n++] = truth;
	if (++e->waiting == MODEL_BLOCK)
		flush_rows(e);
	return true;
}

static void
bind_target(Evaluation *e, const Source *source)
{
	const Model *model = e->model;
	ColumnKind	kind = model->task == TASK_REGRESSION ? KIND_NUMBER : KIND_CATEGORY;
	Oid			type;

	if (model->task == TASK_PREPARATION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline predicts nothing that could be evaluated")));
	if (model->task == TASK_ANOMALY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the model was trained without a target, so there is no truth to compare its scores with"),
				 errhint("Where labels are known, use an aggregate such as ml.roc_auc on ml.predict.")));
	e->target = source_column(source, model->target);
	if (e->target == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source has no target column \"%s\"", model->target),
				 errhint("Evaluation compares predictions with the truth; use ml.predict_table for rows without it.")));
	type = TupleDescAttr(source->tupdesc, e->target - 1)->atttypid;
	if (!cell_reader_init(&e->target_reader, type, kind, model->features->zone))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" has type %s, but the model was trained on %s",
						model->target, format_type_be(type), model->target_type)));
}

static void
warn_of_rows(const Evaluation *e, const ModelVersion *version)
{
	const Features *features = e->model->features;

	if (e->trained > 0)
		ereport(WARNING,
				(errmsg("about %.0f %% of these rows were used to train model \"%s\" version %d",
						ceil(100.0 * e->trained / e->comparable), version->name, version->version),
				 errdetail("Metrics on training rows flatter a model."),
				 errhint("ml.evaluate without a source shows the held-out part.")));
	if (e->null_targets > 0)
		ereport(WARNING,
				(errmsg("%lld rows have no value in target column \"%s\" and were left out", (long long) e->null_targets, e->model->target)));
	if (e->unknown_classes > 0)
		ereport(WARNING,
				(errmsg("%lld rows have a class that the model does not know; they count as wrong", (long long) e->unknown_classes)));
	for (int j = 0; j < features->ninputs; j++)
		if (e->unknown_levels[j] > 0)
			ereport(NOTICE,
					(errmsg("column \"%s\": %lld of %lld rows hold a value outside the levels the model kept",
							features->inputs[j].name, (long long) e->unknown_levels[j], (long long) e->n)));
}

static void
evaluate_source(FunctionCallInfo fcinfo, const ModelVersion *version, Model *model, const char *text)
{
	Source	   *source = source_open(text);
	char	   *origin = psprintf("model \"%s\" version %d", version->name, version->version);
	Evaluation	e = {.model = model};
	Scored		scored;
	MetricValue *value;
	int			count;

	e.budget.limit = (Size) relearn_max_memory * 1024;
	e.binding = bind_source(model, origin, source, model->target);
	e.capacity = FIRST_CAPACITY;
	e.truth = palloc(sizeof(double) * e.capacity);
	e.score = palloc(sizeof(double) * e.capacity * model->noutputs);
	e.cells = palloc(sizeof(double) * MODEL_BLOCK * Max(model->features->ninputs, 1));
	e.unknown_levels = palloc0(sizeof(int64) * Max(model->features->ninputs, 1));
	bind_target(&e, source);
	source_run(source, evaluate_row, &e);
	source_close(source);
	flush_rows(&e);
	warn_of_rows(&e, version);

	scored = (Scored) {
		.task = model->task,
		.nclasses = model->nclasses,
		.positive = model->positive,
		.labels = model->labels,
		.n = e.n,
		.noutputs = model->noutputs,
		.truth = e.truth,
		.score = e.score,
	};
	value = metrics_compute(&scored, &count);
	for (int i = 0; i < count; i++)
		put_metric(fcinfo, value[i].metric, value[i].value, value[i].n, value[i].reason);
}

Datum
ml_evaluate(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn evaluation", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller;
	ModelVersion version;
	Model	   *model;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	caller = MemoryContextSwitchTo(context);
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), RIGHT_PREDICT, &version);
	if (PG_ARGISNULL(1))
		put_stored_metrics(fcinfo, &version);
	else
	{
		model = registry_open(&version);
		model_unpin_with(context, model);
		evaluate_source(fcinfo, &version, model, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
