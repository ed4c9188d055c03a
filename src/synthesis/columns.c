/*
 * columns.c
 *		Aggregates over arrays of cells, one per column.
 */
#include "postgres.h"

#include "synthesis/columns_internal.h"

void
check_ncolumns(int ncolumns)
{
	if (ncolumns > MOST_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d columns exceed the limit of %d", ncolumns, MOST_COLUMNS)));
}

void
require_columns(const ColumnsKind *kind, const ColumnsState *state, int ncolumns)
{
	if (state->ncolumns != ncolumns)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a row of %d %s cannot be added to %s of %d columns", ncolumns, kind->cells, kind->name, state->ncolumns)));
}

/* The transition function (state, array): a row without an array does not count. */
Datum
columns_add(FunctionCallInfo fcinfo, const ColumnsKind *kind)
{
	ColumnsState *state = state_in_place(fcinfo, kind->state);
	ArrayType  *row;
	int			n;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	row = PG_GETARG_ARRAYTYPE_P(1);
	n = ArrayGetNItems(ARR_NDIM(row), ARR_DIMS(row));
	if (state == NULL)
		state = kind->make(n);
	require_columns(kind, state, n);
	state = kind->add(state, ARR_DATA_PTR(row), ARR_NULLBITMAP(row));
	state->header.n++;
	PG_RETURN_POINTER(state);
}
