/*
 * output.c
 *		Results as JSON text, whose bytes do not depend on session settings, as arrays, and as rows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "train_internal.h"

void
json_append_string(StringInfo out, const char *text)
{
	if (text == NULL)
		appendStringInfoString(out, "null");
	else
		escape_json(out, text);
}

void
json_append_strings(StringInfo out, List *texts)
{
	ListCell   *cell;

	if (texts == NIL)
	{
		appendStringInfoString(out, "null");
		return;
	}
	appendStringInfoChar(out, '[');
	foreach(cell, texts)
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, (const char *) lfirst(cell));
	}
	appendStringInfoChar(out, ']');
}

Datum
texts_datum(List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell   *cell;

	foreach(cell, texts)
		elements[foreach_current_index(cell)] = CStringGetTextDatum((const char *) lfirst(cell));
	return PointerGetDatum(construct_array(elements, list_length(texts), TEXTOID, -1, false, TYPALIGN_INT));
}

/* ---- rows of a listing ---- */

void
row_add_text(ListRow *row, const char *text)
{
	row->null[row->n] = text == NULL;
	row->value[row->n++] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

void
row_add_number(ListRow *row, double value)
{
	row->null[row->n] = isnan(value);
	row->value[row->n++] = Float8GetDatum(value);
}

void
row_add_integer(ListRow *row, int64 value)
{
	row->null[row->n] = false;
	row->value[row->n++] = Int64GetDatum(value);
}

void
row_add_bool(ListRow *row, bool value)
{
	row->null[row->n] = false;
	row->value[row->n++] = BoolGetDatum(value);
}

void
row_add_texts(ListRow *row, List *texts)
{
	row->null[row->n] = texts == NIL;
	row->value[row->n++] = texts ? texts_datum(texts) : (Datum) 0;
}

void
row_put(FunctionCallInfo fcinfo, ListRow *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	tuplestore_putvalues(result->setResult, result->setDesc, row->value, row->null);
	row->n = 0;
}

Model *
listed_model(FunctionCallInfo fcinfo, ModelRight right)
{
	ModelVersion version;
	Model	   *model;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), right, &version);
	model = registry_open(&version);
	model_unpin_with(CurrentMemoryContext, model);
	return model;
}
