/*
 * table.c
 *		ml.predict_table: score a whole source in blocks, the batch path.
 *
 * Rows come from the source one by one, are collected as cells, and scored MODEL_BLOCK at a time; the answers go to a tuplestore that spills to disk
 * beyond work_mem.  The bits are those of the row path.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "predict/predict_internal.h"

#define TABLE_COLUMNS 5			/* key, prediction, class, probability, version */

typedef struct TableScan
{
	const PredictCall *call;
	const Model *model;
	ReturnSetInfo *result;
	InputBinding *binding;
	int			key;			/* attribute number, 0 for none */
	FmgrInfo	key_output;
	Datum	   *class_text;		/* (nclasses) */
	int			nrows;			/* in the block */
	double	   *cells;			/* (MODEL_BLOCK, ninputs) */
	double	   *scores;			/* (MODEL_BLOCK, noutputs) */
	Datum		keys[MODEL_BLOCK];
	bool		no_key[MODEL_BLOCK];
	MemoryContext block_context;	/* keys of the block and what reading a row takes */
} TableScan;

static void
put_answer(TableScan *scan, int row)
{
	const Model *model = scan->model;
	const double *scores = scan->scores + row * model->noutputs;
	Datum		values[TABLE_COLUMNS] = {0};
	bool		nulls[TABLE_COLUMNS] = {false, false, true, true, false};

	values[0] = scan->keys[row];
	nulls[0] = scan->no_key[row];
	values[4] = Int32GetDatum(scan->call->version.version);
	nulls[4] = scan->call->by_value;
	if (!task_classifies(model->task))
	{
		values[1] = Float8GetDatum(scores[0]);
		nulls[2] = model->task != TASK_ANOMALY;
		if (!nulls[2])
			values[2] = scan->class_text[answer_class(model, scores)];
	}
	else
	{
		int			k = answer_class(model, scores);

		nulls[1] = model->label_values == NULL;
		if (!nulls[1])
			values[1] = Float8GetDatum(model->label_values[k]);
		values[2] = scan->class_text[k];
		values[3] = Float8GetDatum(answer_probability(model, scores, answer_default_class(model, scores)));
		nulls[2] = nulls[3] = false;
	}
	tuplestore_putvalues(scan->result->setResult, scan->result->setDesc, values, nulls);
}

static void
score_block(TableScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	model_score(scan->model, scan->cells, scan->nrows, scan->scores);
	for (int i = 0; i < scan->nrows; i++)
		put_answer(scan, i);
	scan->nrows = 0;
	MemoryContextReset(scan->block_context);
}

static bool
take_row(TupleTableSlot *slot, void *state)
{
	TableScan  *scan = state;
	int			row = scan->nrows;
	MemoryContext old = MemoryContextSwitchTo(scan->block_context);

	binding_read(scan->binding, slot->tts_values, slot->tts_isnull, scan->cells + (Size) row * scan->model->features->ninputs);
	scan->no_key[row] = scan->key == 0 || slot->tts_isnull[scan->key - 1];
	scan->keys[row] = (Datum) 0;
	if (!scan->no_key[row])
		scan->keys[row] = CStringGetTextDatum(OutputFunctionCall(&scan->key_output, slot->tts_values[scan->key - 1]));
	MemoryContextSwitchTo(old);
	if (++scan->nrows == MODEL_BLOCK)
		score_block(scan);
	return true;
}

static void
find_key(TableScan *scan, const Source *source, const char *key)
{
	Oid			output;
	bool		is_varlena;

	scan->key = source_column(source, key);
	if (scan->key == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source has no column \"%s\" to take as key", key),
				 errhint("Columns are matched by exact name.")));
	getTypeOutputInfo(TupleDescAttr(source->tupdesc, scan->key - 1)->atttypid, &output, &is_varlena);
	fmgr_info(output, &scan->key_output);
}

/* Bound twice: once to see what is needed, and again because narrowing renumbers the columns. */
InputBinding *
bind_source(const Model *model, const char *origin, Source *source, const char *also)
{
	const InputBinding *binding = binding_create(model, origin, source->tupdesc, CurrentMemoryContext);
	bool	   *wanted = palloc0(Max(source->tupdesc->natts, 1) * sizeof(bool));
	int			attribute = also != NULL ? source_column(source, also) : 0;

	if (attribute > 0)
		wanted[attribute - 1] = true;
	for (int k = 0; k < binding->ndirect; k++)
		wanted[binding->direct[k].attribute] = true;
	for (int k = 0; k < binding->nothers; k++)
	{
		if (binding->other[k].attribute >= 0)
			wanted[binding->other[k].attribute] = true;
	}
	source_narrow(source, wanted);
	return binding_create(model, origin, source->tupdesc, CurrentMemoryContext);
}

static TableScan *
create_scan(PredictCall *call, Source *source, const char *key, ReturnSetInfo *result)
{
	TableScan  *scan = palloc0(sizeof(TableScan));
	const Model *model = call->model;

	scan->call = call;
	scan->model = model;
	scan->result = result;
	scan->binding = bind_source(model, predict_origin(call), source, key);
	if (key != NULL)
		find_key(scan, source, key);
	scan->class_text = palloc(Max(model->nclasses, 1) * sizeof(Datum));
	for (int k = 0; k < model->nclasses; k++)
		scan->class_text[k] = CStringGetTextDatum(model->labels[k]);
	scan->cells = palloc(size_times(Max(model->features->ninputs, 1), MODEL_BLOCK * sizeof(double)));
	scan->scores = palloc(size_times(model->noutputs, MODEL_BLOCK * sizeof(double)));
	scan->block_context = AllocSetContextCreate(CurrentMemoryContext, "relearn prediction block", ALLOCSET_DEFAULT_SIZES);
	return scan;
}

PG_FUNCTION_INFO_V1(ml_predict_table);

Datum
ml_predict_table(PG_FUNCTION_ARGS)
{
	PredictCall *call;
	Source	   *source;
	TableScan  *scan;
	const char *key = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the source is NULL"),
				 errhint("Give a table, a view, or one SELECT.")));
	call = predict_call(fcinfo);
	if (call == NULL)
		return (Datum) 0;
	source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	scan = create_scan(call, source, key, (ReturnSetInfo *) fcinfo->resultinfo);
	source_run(source, take_row, scan);
	if (scan->nrows > 0)
		score_block(scan);
	source_close(source);
	return (Datum) 0;
}
