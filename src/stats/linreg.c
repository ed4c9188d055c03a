/*
 * linreg.c
 *		The aggregate ml.linreg: rows in, coefficients as jsonb out.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "core/json_number.h"
#include "stats/linreg_internal.h"

/* ---- rows ---- */

/* No NaN and no infinity among n values.  An exponent of all ones carries into the sign bit; in this form compilers vectorise it. */
static bool
all_finite(const double *value, int n)
{
	const uint64 exponent = UINT64CONST(0x7ff) << 52;
	uint64		carry = 0;

	for (int j = 0; j < n; j++)
	{
		uint64		bits;

		memcpy(&bits, &value[j], sizeof(bits));
		carry |= (bits & exponent) + (UINT64CONST(1) << 52);
	}
	return carry >> 63 == 0;
}

/* Where the next row goes.  *state may become a new one: the first, or the first that knows the number of features. */
static double *
linreg_row(LinregState **state, int nfeatures)
{
	if (*state == NULL || (*state)->nfeatures == 0)
	{
		int64		missing = *state ? (*state)->header.missing : 0;

		*state = linreg_state_new(nfeatures);
		(*state)->header.missing = missing;
	}
	else if ((*state)->nfeatures != nfeatures)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a row has %d features where the rows before it have %d", nfeatures, (*state)->nfeatures)));
	return linreg_buffer(*state) + (Size) (*state)->nbuffered * linreg_width(*state);
}

/* Count the row that was written, or left unfinished because something is missing. */
static Datum
linreg_end_row(LinregState *state, bool complete)
{
	if (!complete)
		state->header.missing++;
	else
	{
		state->header.n++;
		if (++state->nbuffered == LINREG_BLOCK)
			linreg_flush(state);
	}
	PG_RETURN_POINTER(state);
}

/* (state, y, x float8[]) */
PG_FUNCTION_INFO_V1(ml_linreg_add_array);
Datum
ml_linreg_add_array(PG_FUNCTION_ARGS)
{
	LinregState *state = state_in_place(fcinfo, &linreg_kind);
	ArrayType  *x;
	double	   *row;
	int			n;

	if (PG_ARGISNULL(2))
		return linreg_end_row(state ? state : linreg_state_new(0), false);
	x = PG_GETARG_ARRAYTYPE_P(2);
	n = ArrayGetNItems(ARR_NDIM(x), ARR_DIMS(x));
	if (ARR_NDIM(x) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the features are an array of %d dimensions, expected 1 with at least one element", ARR_NDIM(x))));
	row = linreg_row(&state, n);
	if (PG_ARGISNULL(1) || (ARR_HASNULL(x) && array_contains_nulls(x)))
		return linreg_end_row(state, false);

	memcpy(row, ARR_DATA_PTR(x), sizeof(double) * n);
	row[n] = PG_GETARG_FLOAT8(1);
	return linreg_end_row(state, all_finite(row, n + 1));
}

/* The types of the features of one call: InvalidOid-free, base types only.  Kept in fn_extra, or found again for each row where that is not kept. */
typedef struct FeatureTypes
{
	int			n;
	bool		all_float8;
	Oid			type[FLEXIBLE_ARRAY_MEMBER];
} FeatureTypes;

static FeatureTypes *
feature_types(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	FeatureTypes *types = flinfo->fn_extra;
	int			n = PG_NARGS() - 2;

	if (types != NULL)
		return types;
	if (get_fn_expr_variadic(flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the features cannot be given as VARIADIC array"),
				 errhint("Leave out the word VARIADIC: ml.linreg(y, x) takes an array of double precision.")));
	types = MemoryContextAlloc(flinfo->fn_mcxt, offsetof(FeatureTypes, type) + sizeof(Oid) * n);
	types->n = n;
	types->all_float8 = true;
	for (int j = 0; j < n; j++)
	{
		Oid			type = get_fn_expr_argtype(flinfo, j + 2);

		types->type[j] = getBaseType(type);
		if (types->type[j] != FLOAT8OID && types->type[j] != FLOAT4OID && types->type[j] != INT2OID &&
			types->type[j] != INT4OID && types->type[j] != INT8OID && types->type[j] != NUMERICOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature %d is of type %s, expected a number", j + 1, OidIsValid(type) ? format_type_be(type) : "unknown"),
					 errhint("Cast it, or give the features as one array of double precision: ml.linreg(y, ARRAY[...]).")));
		types->all_float8 &= types->type[j] == FLOAT8OID;
	}
	flinfo->fn_extra = types;
	return types;
}

static inline double
feature_value(Oid type, Datum value)
{
	switch (type)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
}

/* The features of the current row; false where one is NULL. */
static bool
read_features(FunctionCallInfo fcinfo, const FeatureTypes *types, double *row)
{
	const NullableDatum *argument = &fcinfo->args[2];
	bool		null = false;

	for (int j = 0; j < types->n; j++)
		null |= argument[j].isnull;
	if (null)
		return false;
	if (types->all_float8)
		for (int j = 0; j < types->n; j++)
			row[j] = DatumGetFloat8(argument[j].value);
	else
		for (int j = 0; j < types->n; j++)
			row[j] = feature_value(types->type[j], argument[j].value);
	return true;
}

/* (state, y, VARIADIC x "any") */
PG_FUNCTION_INFO_V1(ml_linreg_add_any);
Datum
ml_linreg_add_any(PG_FUNCTION_ARGS)
{
	LinregState *state = state_in_place(fcinfo, &linreg_kind);
	const FeatureTypes *types = feature_types(fcinfo);
	double	   *row = linreg_row(&state, types->n);

	if (PG_ARGISNULL(1) || !read_features(fcinfo, types, row))
		return linreg_end_row(state, false);
	row[types->n] = PG_GETARG_FLOAT8(1);
	return linreg_end_row(state, all_finite(row, types->n + 1));
}

/* ---- result ---- */

static void
append_numbers(StringInfo out, const double *value, int n)
{
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(out, i ? ", " : "[");
		json_append_number(out, value[i]);
	}
	appendStringInfoChar(out, ']');
}

/* Why some number of the fit is null, as a JSON string; null where none is. */
static void
append_reason(StringInfo out, const LinregFit *fit)
{
	const char *separator = "";

	if (fit->rank == fit->nfeatures && fit->df > 0 && !isnan(fit->r2))
	{
		appendStringInfoString(out, "null");
		return;
	}
	appendStringInfoChar(out, '"');
	for (int j = 0; j < fit->nfeatures; j++)
		if (fit->aliased[j])
		{
			appendStringInfo(out, "%s%d", *separator ? ", " : "constant or a linear combination of the features before: ", j + 1);
			separator = "; ";
		}
	if (fit->df <= 0)
	{
		appendStringInfo(out, "%sno more rows than coefficients", separator);
		separator = "; ";
	}
	if (isnan(fit->r2))
		appendStringInfo(out, "%sy is constant", separator);
	appendStringInfoChar(out, '"');
}

static void
append_fit(StringInfo out, const LinregFit *fit)
{
	appendStringInfoString(out, "\"coefficients\": ");
	append_numbers(out, fit->coefficient, fit->nfeatures + 1);
	appendStringInfoString(out, ", \"standard_errors\": ");
	append_numbers(out, fit->standard_error, fit->nfeatures + 1);
	appendStringInfoString(out, ", \"r2\": ");
	json_append_number(out, fit->r2);
	appendStringInfoString(out, ", \"residual_sd\": ");
	json_append_number(out, fit->residual_sd);
	appendStringInfo(out, ", \"df\": " INT64_FORMAT ", \"reason\": ", fit->df);
	append_reason(out, fit);
}

PG_FUNCTION_INFO_V1(ml_linreg_final);
Datum
ml_linreg_final(PG_FUNCTION_ARGS)
{
	const LinregState *state = linreg_flushed(state_argument(fcinfo, 0, &linreg_kind));
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"n\": " INT64_FORMAT ", \"n_missing\": " INT64_FORMAT ", ", state->header.n, state->header.missing);
	if (state->header.n > 0)
	{
		LinregFit	fit = linreg_solve(state);

		append_fit(&out, &fit);
	}
	else
		appendStringInfoString(&out, "\"coefficients\": null, \"standard_errors\": null, \"r2\": null, \"residual_sd\": null, \"df\": null, "
							   "\"reason\": \"no row is complete\"");
	appendStringInfoChar(&out, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}
