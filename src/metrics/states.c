/*
 * states.c
 *		What the states of all metric aggregates share.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"

#include "metrics/metrics_internal.h"

Datum
measure_datum(FunctionCallInfo fcinfo, Measure measure)
{
	if (measure.reason)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(measure.value);
}

bool
truth_of_bigint(int64 truth)
{
	if (truth != 0 && truth != 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a truth of " INT64_FORMAT " is neither 0 nor 1", truth),
				 errhint("Compare with the positive class to get a boolean: truth = " INT64_FORMAT ".", truth)));
	return truth == 1;
}

/* Any state of ours -> (n, n_missing). */
PG_FUNCTION_INFO_V1(ml_metric_counts);
Datum
ml_metric_counts(PG_FUNCTION_ARGS)
{
	const StateHeader *state = (const StateHeader *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	Datum		values[2];
	bool		nulls[2] = {false, false};
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(state->n);
	values[1] = Int64GetDatum(state->missing);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
