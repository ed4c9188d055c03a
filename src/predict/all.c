/*
 * all.c
 *		ml.predict_all: everything a model says about one row, as jsonb, with warnings about values it did not learn from.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "core/json_number.h"
#include "predict/predict_internal.h"

PG_FUNCTION_INFO_V1(ml_predict_all);

static void
append_answer(StringInfo json, const Model *model, const double *scores)
{
	appendStringInfoString(json, "{\"prediction\": ");
	if (!task_classifies(model->task))
	{
		json_append_number(json, scores[0]);
		if (model->task == TASK_ANOMALY)
			appendStringInfo(json, ", \"class\": \"%s\"", model->labels[answer_class(model, scores)]);
		appendStringInfoString(json, ", \"probabilities\": null");
		return;
	}
	escape_json(json, model->labels[answer_class(model, scores)]);
	appendStringInfoString(json, ", \"probabilities\": {");
	for (int k = 0; k < model->nclasses; k++)
	{
		appendStringInfoString(json, k > 0 ? ", " : "");
		escape_json(json, model->labels[k]);
		appendStringInfoString(json, ": ");
		json_append_number(json, answer_probability(model, scores, k));
	}
	appendStringInfoChar(json, '}');
}

/* What is unusual about a cell, or NULL. */
static char *
cell_warning(const InputColumn *input, const ColumnBaseline *baseline, double cell)
{
	if (isnan(cell))
		return baseline->missing > 0 ? NULL : psprintf("column \"%s\" is missing, which it never was at training", input->name);
	if (input->kind == KIND_CATEGORY)
	{
		int			levels = dictionary_size(input->levels);

		if (cell < levels || baseline->level_count[levels] > 0)
			return NULL;
		return psprintf("column \"%s\" holds a value not seen at training", input->name);
	}
	if (input->kind == KIND_TEXT)
		return NULL;
	if (cell < baseline->min)
		return psprintf("column \"%s\" is below every value seen at training", input->name);
	if (cell > baseline->max)
		return psprintf("column \"%s\" is above every value seen at training", input->name);
	return NULL;
}

static void
append_warnings(StringInfo json, const Model *model, const double *cells)
{
	int			n = 0;

	appendStringInfoString(json, ", \"warnings\": [");
	for (int i = 0; i < model->features->ninputs; i++)
	{
		const InputColumn *input = &model->features->inputs[i];
		char	   *warning = input->used ? cell_warning(input, &model->baseline[i], cells[i]) : NULL;

		if (warning == NULL)
			continue;
		appendStringInfoString(json, n++ > 0 ? ", " : "");
		escape_json(json, warning);
	}
	appendStringInfoString(json, "]}");
}

Datum
ml_predict_all(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);
	StringInfoData json;

	if (call == NULL || !predict_row(call, fcinfo, 1))
		PG_RETURN_NULL();
	initStringInfo(&json);
	append_answer(&json, call->model, call->scores);
	if (call->by_value)
		appendStringInfoString(&json, ", \"version\": null");
	else
		appendStringInfo(&json, ", \"version\": %d", call->version.version);
	append_warnings(&json, call->model, call->cells);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}
