/*
 * json.c
 *		Rows as JSON objects.
 *
 * A value is read as the kind its column had at training: JSON's own number, boolean or string where they fit, else by its text.  An absent key is a
 * missing column, null is a value that is not known.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "predict/predict_internal.h"

#define HINT_KEYS 20			/* keys a hint lists at most */

static char *
key_hint(JsonbContainer *object)
{
	StringInfoData hint;
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			n = 0;

	initStringInfo(&hint);
	appendStringInfoString(&hint, "Keys are matched by exact name, a value that is not known is given as null; the object has ");
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && n++ < HINT_KEYS)
			appendStringInfo(&hint, "%s\"%.*s\"", n > 1 ? ", " : "", value.val.string.len, value.val.string.val);
	}
	if (n == 0)
		appendStringInfoString(&hint, "no keys");
	if (n > HINT_KEYS)
		appendStringInfo(&hint, " and %d more", n - HINT_KEYS);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

static void
not_a_scalar(const PredictCall *call, int input, JsonbValue *value)
{
	const InputColumn *column = &call->model->features->inputs[input];

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" holds a JSON %s, but %s takes %s there", column->name, JsonbTypeName(value),
					predict_origin(call), kind_phrase(column->kind)),
			 errdetail("At training the column had type %s.", column->type_name)));
}

static double
json_text_cell(const PredictCall *call, int input, const char *text, int length)
{
	double		cell;

	if (!binding_parse(call->model, input, text, length, &cell))
		binding_unreadable(call->model, predict_origin(call), input, text, length);
	return cell;
}

/* A number where the model takes none: as written, or without trailing zeros where the column held numbers that stand for categories. */
static const char *
json_number_text(const InputColumn *input, Numeric number)
{
	if (binding_trained_on(input, KIND_NUMBER))
		return numeric_normalize(number);
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
}

/* JSON shows the shortest digits that tell a single precision number from its neighbours: the row itself would have the number in full. */
static double
as_trained(const InputColumn *input, double number)
{
	return strcmp(input->type_name, "real") == 0 && fabs(number) <= FLT_MAX ? (double) (float) number : number;
}

static double
json_cell(PredictCall *call, int input, JsonbValue *value)
{
	ColumnKind	kind = call->model->features->inputs[input].kind;
	const char *text;

	switch (value->type)
	{
		case jbvNull:
			return NAN;
		case jbvNumeric:
			if (kind == KIND_NUMBER)
			{
				call->numeric.column = call->model->features->inputs[input].name;
				return as_trained(&call->model->features->inputs[input], cell_number(&call->numeric, NumericGetDatum(value->val.numeric)));
			}
			text = json_number_text(&call->model->features->inputs[input], value->val.numeric);
			return json_text_cell(call, input, text, strlen(text));
		case jbvBool:
			if (kind == KIND_BOOLEAN)
				return value->val.boolean ? 1.0 : 0.0;
			text = value->val.boolean ? "true" : "false";
			return json_text_cell(call, input, text, strlen(text));
		case jbvString:
			return json_text_cell(call, input, value->val.string.val, value->val.string.len);
		default:
			not_a_scalar(call, input, value);
			return NAN;
	}
}

bool
read_jsonb(PredictCall *call, Datum datum)
{
	Jsonb	   *row = DatumGetJsonbP(datum);
	const Features *features = call->model->features;
	JsonbValue	value;

	if (JB_ROOT_IS_SCALAR(row) && JsonbExtractScalar(&row->root, &value) && value.type == jbvNull)
		return false;
	if (!JB_ROOT_IS_OBJECT(row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the row must be a JSON object, found %s", JB_ROOT_IS_SCALAR(row) ? "a single value" : "an array"),
				 errhint("Give the columns by name: {\"column\": value, ...}.")));
	for (int i = 0; i < features->ninputs; i++)
	{
		const InputColumn *input = &features->inputs[i];

		call->cells[i] = NAN;
		if (!input->used)
			continue;
		if (getKeyJsonValueFromContainer(&row->root, input->name, strlen(input->name), &value) == NULL)
			binding_missing(predict_origin(call), input, key_hint(&row->root));
		call->cells[i] = json_cell(call, i, &value);
	}
	return true;
}

bool
read_text(PredictCall *call, Datum datum)
{
	char	   *json = TextDatumGetCString(datum);

	return read_jsonb(call, DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}
