/*
 * inverse.c
 *		ml.inverse_transform: the columns a prepared row stands for, as a JSON object.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "core/json_number.h"
#include "predict/predict_internal.h"

PG_FUNCTION_INFO_V1(ml_inverse_transform);

#define OTHER_LEVEL "(other)"	/* as in the names of design columns */
#define WHOLE_WITHIN 1e-9		/* what scaling back adds to a whole number is smaller, relative to its size */

/* ---- the prepared row ---- */

static void
check_length(const PredictCall *call, ArrayType *array)
{
	int			expected = call->model->features->noutputs;
	int			found = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the prepared row is an array of %d dimensions, expected 1", ARR_NDIM(array))));
	if (found != expected)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the prepared row has %d values, but rows of %s have %d", found, predict_origin(call), expected),
				 errhint("Give all values in the order of ml.transform_columns, NULL for what is missing.")));
}

/* NULL is missing. */
static void
read_array(ArrayType *array, int n, double *row)
{
	const double *element = (const double *) ARR_DATA_PTR(array);
	const bits8 *present = ARR_NULLBITMAP(array);

	for (int j = 0; j < n; j++)
		row[j] = present != NULL && !(present[j / 8] & (1 << j % 8)) ? (double) NAN : *element++;
}

/* ---- cells as JSON ---- */

/* Whole numbers of columns that hold no others are freed from rounding. */
static double
without_rounding(const InputColumn *input, double cell)
{
	static const char *const whole_types[] = {"smallint", "integer", "bigint"};
	double		whole = rint(cell);

	for (size_t i = 0; i < lengthof(whole_types); i++)
		if (strcmp(input->type_name, whole_types[i]) == 0 && fabs(cell - whole) <= WHOLE_WITHIN * Max(1.0, fabs(whole)))
			return whole + 0.0;
	return cell;
}

/* As PostgreSQL casts double precision to jsonb. */
static void
append_number(StringInfo json, double cell)
{
	if (isinf(cell))
		appendStringInfoString(json, cell > 0.0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		json_append_number(json, cell);
}

/* A number or boolean that was read as a category is one again. */
static void
append_level(StringInfo json, const InputColumn *input, double cell)
{
	int			nlevels = dictionary_size(input->levels);
	double		code = rint(cell);
	const char *level;

	if (!(code >= 0.0 && code <= nlevels))
	{
		appendStringInfoString(json, "null");
		return;
	}
	level = code < nlevels ? dictionary_text(input->levels, (int) code) : OTHER_LEVEL;
	if ((binding_trained_on(input, KIND_NUMBER) && IsValidJsonNumber(level, (int) strlen(level))) ||
		(binding_trained_on(input, KIND_BOOLEAN) && (strcmp(level, "true") == 0 || strcmp(level, "false") == 0)))
		appendStringInfoString(json, level);
	else
		escape_json(json, level);
}

/* Local microseconds in the form of the column's type; NULL where the calendar does not reach. */
static const char *
moment_text(const Features *features, const InputColumn *input, double cell)
{
	char	   *text = palloc(MAXDATELEN + 1);
	double		day = rint(cell / (double) USECS_PER_DAY);
	Timestamp	local = 0;
	struct pg_tm tm;
	fsec_t		fraction;
	int			west;

	if (strcmp(input->type_name, "date") == 0)
		return fabs(day) < PG_INT32_MAX && IS_VALID_DATE((DateADT) day) ? JsonEncodeDateTime(text, DateADTGetDatum((DateADT) day), DATEOID, NULL) : NULL;
	if (!(fabs(cell) < (double) PG_INT64_MAX))
		return NULL;
	local = (Timestamp) rint(cell);
	if (!IS_VALID_TIMESTAMP(local) || timestamp2tm(local, NULL, &tm, &fraction, NULL, NULL) != 0)
		return NULL;
	if (strcmp(input->type_name, "timestamp with time zone") != 0)
		return JsonEncodeDateTime(text, TimestampGetDatum(local), TIMESTAMPOID, NULL);
	west = DetermineTimeZoneOffset(&tm, features->zone);
	local += west * USECS_PER_SEC;
	return IS_VALID_TIMESTAMP(local) ? JsonEncodeDateTime(text, TimestampTzGetDatum(local), TIMESTAMPTZOID, &west) : NULL;
}

/* Seconds as a time of day or an interval of days and hours; NULL where there is no such time. */
static const char *
seconds_text(ColumnKind kind, double cell)
{
	double		seconds = rint(cell * (double) USECS_PER_SEC) / (double) USECS_PER_SEC;
	double		most = kind == KIND_TIME ? SECS_PER_DAY : (double) PG_INT32_MAX * SECS_PER_DAY;

	if (kind == KIND_TIME ? !(seconds >= 0.0 && seconds <= most) : !(fabs(seconds) < most))
		return NULL;
	return cell_shown(kind, seconds);
}

static void
append_cell(StringInfo json, const Features *features, const InputColumn *input, double cell)
{
	const char *text = NULL;

	switch (isnan(cell) ? 0 : (int) input->kind)
	{
		case KIND_NUMBER:
			append_number(json, without_rounding(input, cell));
			return;
		case KIND_BOOLEAN:
			appendStringInfoString(json, cell >= 0.5 ? "true" : "false");
			return;
		case KIND_CATEGORY:
			append_level(json, input, cell);
			return;
		case KIND_TIMESTAMP:
			text = moment_text(features, input, cell);
			break;
		case KIND_TIME:
		case KIND_INTERVAL:
			text = seconds_text(input->kind, cell);
			break;
	}
	if (text != NULL)
		escape_json(json, text);
	else
		appendStringInfoString(json, "null");
}

static char *
restored_columns(const PredictCall *call)
{
	const Features *features = call->model->features;
	StringInfoData json;
	int			n = 0;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < features->ninputs; i++)
	{
		const InputColumn *input = &features->inputs[i];

		if (!call->inverse->restored[i])
			continue;
		appendStringInfoString(&json, n++ > 0 ? ", " : "");
		escape_json(&json, input->name);
		appendStringInfoString(&json, ": ");
		append_cell(&json, features, input, call->cells[i]);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

Datum
ml_inverse_transform(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);

	check_length(call, array);
	if (call->inverse == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(call->model_context);

		call->inverse = features_inverse(call->model->features);
		MemoryContextSwitchTo(old);
	}
	read_array(array, call->model->features->noutputs, call->model->scratch);
	features_invert(call->inverse, call->model->scratch, call->cells);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(restored_columns(call)));
}
