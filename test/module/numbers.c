/*
 * numbers.c
 *		Elementary functions, sorts and selection, for SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "core/mathfn.h"
#include "core/mathfn_internal.h"
#include "core/normal.h"
#include "core/sort.h"

PG_FUNCTION_INFO_V1(core_math);
PG_FUNCTION_INFO_V1(core_exp_block);
PG_FUNCTION_INFO_V1(core_turns);
PG_FUNCTION_INFO_V1(core_circle);
PG_FUNCTION_INFO_V1(core_sort_keys);
PG_FUNCTION_INFO_V1(core_sortable);
PG_FUNCTION_INFO_V1(core_kth);
PG_FUNCTION_INFO_V1(core_median);

static double *
doubles(ArrayType *array, int *n)
{
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (double *) ARR_DATA_PTR(array);
}

static Datum
array_of_doubles(const double *value, int n)
{
	Datum	   *datum = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datum[i] = Float8GetDatum(value[i]);
	return PointerGetDatum(construct_array(datum, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* core_math(function "char", x float8) */
Datum
core_math(PG_FUNCTION_ARGS)
{
	double		x = PG_GETARG_FLOAT8(1);

	switch (PG_GETARG_CHAR(0))
	{
		case 'e':
			PG_RETURN_FLOAT8(math_exp(x));
		case 'l':
			PG_RETURN_FLOAT8(math_log(x));
		case '1':
			PG_RETURN_FLOAT8(math_log1p(x));
		case 'm':
			PG_RETURN_FLOAT8(math_expm1(x));
		case 'n':
			PG_RETURN_FLOAT8(normal_cdf(x));
		case 's':
			PG_RETURN_FLOAT8(math_sigmoid(x));
		default:
			PG_RETURN_FLOAT8(math_softplus(x));
	}
}

/* exp of an array by the inline core in a loop that vectorises */
Datum
core_exp_block(PG_FUNCTION_ARGS)
{
	int			n;
	const double *restrict x = doubles(PG_GETARG_ARRAYTYPE_P(0), &n);
	double	   *restrict y = palloc(sizeof(double) * Max(n, 1));

	for (int i = 0; i < n; i++)
		y[i] = math_exp_inline(x[i]);
	PG_RETURN_DATUM(array_of_doubles(y, n));
}

/* (sine, cosine) */
Datum
core_turns(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(math_turns(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}

/* {sine, cosine} */
Datum
core_circle(PG_FUNCTION_ARGS)
{
	double		point[2];

	math_circle(PG_GETARG_FLOAT8(0), &point[0], &point[1]);
	PG_RETURN_DATUM(array_of_doubles(point, 2));
}

/* The positions (1-based) of the keys in ascending order; keys are taken as unsigned. */
Datum
core_sort_keys(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P_COPY(0);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	uint64	   *key = (uint64 *) ARR_DATA_PTR(array);
	uint32	   *payload = palloc(sizeof(uint32) * Max(n, 1));
	Datum	   *datum = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		payload[i] = i + 1;
	sort_keys(key, payload, palloc(sizeof(uint64) * Max(n, 1)), palloc(sizeof(uint32) * Max(n, 1)), n);
	for (int i = 0; i < n; i++)
		datum[i] = Int32GetDatum(payload[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(datum, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* As a signed integer of the same order. */
Datum
core_sortable(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) (sortable_double(PG_GETARG_FLOAT8(0)) ^ UINT64CONST(0x8000000000000000)));
}

Datum
core_kth(PG_FUNCTION_ARGS)
{
	int			n;
	double	   *value = doubles(PG_GETARG_ARRAYTYPE_P_COPY(0), &n);

	PG_RETURN_FLOAT8(select_kth(value, n, PG_GETARG_INT32(1)));
}

Datum
core_median(PG_FUNCTION_ARGS)
{
	int			n;
	double	   *value = doubles(PG_GETARG_ARRAYTYPE_P_COPY(0), &n);

	PG_RETURN_FLOAT8(median(value, n));
}
