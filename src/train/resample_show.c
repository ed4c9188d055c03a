/*
 * resample_show.c
 *		ml.resample: the training rows as a learner would see them, for people to look at.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "resample_internal.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(ml_resample);

enum
{
	ARG_SOURCE,
	ARG_TARGET,
	ARG_PARAMS,
	ARG_KEY,
	ARG_SPLIT,
	ARG_SEED,
	ARG_FEATURES,
	ARG_EXCLUDE
};

static char *
text_or_null(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static void
read_call(FunctionCallInfo fcinfo, Training *t)
{
	FrameRequest *r = &t->request;

	for (int arg = ARG_SOURCE; arg <= ARG_PARAMS; arg++)
		if (PG_ARGISNULL(arg))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("source, target and params must not be null")));
	t->algorithm = "baseline";
	t->params = PG_GETARG_JSONB_P(ARG_PARAMS);
	r->source = text_or_null(fcinfo, ARG_SOURCE);
	r->target = text_or_null(fcinfo, ARG_TARGET);
	r->key = text_or_null(fcinfo, ARG_KEY);
	r->features = names_argument(fcinfo, ARG_FEATURES, "features");
	r->exclude = names_argument(fcinfo, ARG_EXCLUDE, "exclude");
	r->seed = PG_ARGISNULL(ARG_SEED) ? 0 : PG_GETARG_INT64(ARG_SEED);
	r->budget = &t->budget;
	r->classification = true;
	t->budget.limit = (Size) relearn_max_memory * 1024;
	t->split = (SplitRule) {.key = r->key,.seed = r->seed};
	(void) split_parse(PG_ARGISNULL(ARG_SPLIT) ? NULL : PG_GETARG_JSONB_P(ARG_SPLIT), &t->split);
}

/* Categories that the model has no level for are null, as are those that are missing. */
static void
append_cell(StringInfo out, const InputColumn *input, double cell)
{
	if (input->kind == KIND_CATEGORY)
		json_append_string(out, cell >= 0 && cell < dictionary_size(input->levels) ? dictionary_text(input->levels, (int) cell) : NULL);
	else if (input->kind == KIND_BOOLEAN)
		appendStringInfoString(out, isnan(cell) ? "null" : cell != 0 ? "true" : "false");
	else if (input->kind == KIND_NUMBER && isfinite(cell))
		json_append_number(out, cell);
	else
		json_append_string(out, cell_shown(input->kind, cell));
}

static void
put_row(FunctionCallInfo fcinfo, const Training *t, const double *cells, double target, bool synthetic, StringInfo json)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[3];
	bool		nulls[3] = {false};

	resetStringInfo(json);
	for (int j = 0; j < t->features->ninputs; j++)
	{
		appendStringInfoString(json, j ? ", " : "{");
		json_append_string(json, t->features->inputs[j].name);
		appendStringInfoString(json, ": ");
		append_cell(json, &t->features->inputs[j], cells[j]);
	}
	appendStringInfoChar(json, '}');
	values[0] = CStringGetTextDatum(t->model->labels[(int) target]);
	values[1] = BoolGetDatum(synthetic);
	values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(json->data));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_rows(FunctionCallInfo fcinfo, Training *t)
{
	const Resampled *r = t->resampled;
	MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "relearn row", ALLOCSET_DEFAULT_SIZES);
	StringInfoData json;

	initStringInfo(&json);
	for (int64 i = 0; i < t->set.nrows; i++)
	{
		bool		synthetic = r != NULL && r->entry[i] >= r->ntrain;
		const double *cells = synthetic ? r->synthetic + (r->entry[i] - r->ntrain) * t->features->ninputs :
			design_cells(t->design, r ? r->entry[i] : i, 1);
		MemoryContext caller = MemoryContextSwitchTo(per_row);

		put_row(fcinfo, t, cells, t->set.target[i], synthetic, &json);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(per_row);
	}
}

Datum
ml_resample(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext caller;
	Training   *t;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "relearn resampling", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	t = palloc0(sizeof(Training));
	read_call(fcinfo, t);
	training_prepare(t);
	resample(t);
	foreach(cell, t->warnings)
		ereport(NOTICE, (errmsg_internal("%s", (const char *) lfirst(cell))));
	put_rows(fcinfo, t);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
