/*
 * transform.c
 *		ml.transform: the row a learner would see, of a pipeline or of any model.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "predict/predict_internal.h"

PG_FUNCTION_INFO_V1(ml_transform);
PG_FUNCTION_INFO_V1(ml_transform_named);

/* An array of double precision with room for n elements, and for marks of NULLs where asked for. */
static ArrayType *
make_array(int n, bool marks)
{
	int			start = marks ? (int) ARR_OVERHEAD_WITHNULLS(1, n) : (int) ARR_OVERHEAD_NONULLS(1);
	Size		bytes = start + sizeof(double) * n;
	ArrayType  *array = palloc(bytes);

	memset(array, 0, start);
	SET_VARSIZE(array, bytes);
	array->ndim = 1;
	array->dataoffset = marks ? start : 0;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	return array;
}

static int
count_missing(const double *value, int n)
{
	int			missing = 0;

	for (int j = 0; j < n; j++)
		missing += isnan(value[j]);
	return missing;
}

/* Missing ones are NULL. */
static ArrayType *
row_array(const double *value, int n)
{
	int			missing = count_missing(value, n);
	ArrayType  *array;
	double	   *element;

	if (n == 0)
		return construct_empty_array(FLOAT8OID);
	array = make_array(n, missing > 0);
	element = (double *) ARR_DATA_PTR(array);
	if (missing == 0)
	{
		memcpy(element, value, sizeof(double) * n);
		return array;
	}
	for (int j = 0; j < n; j++)
	{
		if (isnan(value[j]))
			continue;
		ARR_NULLBITMAP(array)[j / 8] |= 1 << j % 8;
		*element++ = value[j];
	}
	SET_VARSIZE(array, (char *) element - (char *) array);
	return array;
}

static Datum
prepared_row(const PredictCall *call)
{
	const Model *model = call->model;

	features_apply(model->features, call->cells, 1, model->scratch);
	PG_RETURN_ARRAYTYPE_P(row_array(model->scratch, model->features->noutputs));
}

Datum
ml_transform(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL || !predict_read(call, fcinfo, 1))
		PG_RETURN_NULL();
	return prepared_row(call);
}

Datum
ml_transform_named(PG_FUNCTION_ARGS)
{
	PredictCall *call = predict_call(fcinfo);

	if (call == NULL)
		PG_RETURN_NULL();
	predict_read_named(call, fcinfo, 1);
	return prepared_row(call);
}
