/*
 * rows.c
 *		Rows as composite values: a whole row of a table or subquery, NEW in a trigger, a variable.
 *
 * Rows are deformed into arrays kept between rows.  The descriptor must be the row type's own: newer minor releases check a composite value's version
 * against it and refuse one cut short.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "predict/predict_internal.h"

/* Bind the model to a row type. */
static void
bind_record(PredictCall *call, Oid type, int32 typmod, uint64 identifier)
{
	MemoryContext context = predict_rebind(call);
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(type, typmod);
	InputBinding *binding = binding_create(call->model, predict_origin(call), tupdesc, context);
	MemoryContext old = MemoryContextSwitchTo(context);

	call->tupdesc = CreateTupleDescCopyConstr(tupdesc);
	call->values = palloc(Max(tupdesc->natts, 1) * sizeof(Datum));
	call->nulls = palloc(Max(tupdesc->natts, 1) * sizeof(bool));
	MemoryContextSwitchTo(old);
	ReleaseTupleDesc(tupdesc);
	call->record_type = type;
	call->record_typmod = typmod;
	call->record_identifier = identifier;
	call->binding = binding;
}

void
read_record(PredictCall *call, Datum datum)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(datum);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = type == RECORDOID ? HeapTupleHeaderGetTypMod(header) : -1;
	uint64		identifier = assign_record_type_identifier(type, typmod);
	HeapTupleData tuple;

	if (call->binding == NULL || call->record_identifier != identifier || call->record_type != type || call->record_typmod != typmod)
		bind_record(call, type, typmod, identifier);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, call->tupdesc, call->values, call->nulls);
	binding_read(call->binding, call->values, call->nulls, call->cells);
}

bool
predict_read(PredictCall *call, FunctionCallInfo fcinfo, int argument)
{
	MemoryContext old;
	bool		found = true;

	if (PG_ARGISNULL(argument))
		return false;
	MemoryContextReset(call->work);
	old = MemoryContextSwitchTo(call->work);
	if (call->row_type == JSONBOID)
		found = read_jsonb(call, PG_GETARG_DATUM(argument));
	else if (call->row_type == TEXTOID)
		found = read_text(call, PG_GETARG_DATUM(argument));
	else
		read_record(call, PG_GETARG_DATUM(argument));
	MemoryContextSwitchTo(old);
	return found;
}

bool
predict_row(PredictCall *call, FunctionCallInfo fcinfo, int argument)
{
	if (!predict_read(call, fcinfo, argument))
		return false;
	model_score(call->model, call->cells, 1, call->scores);
	return true;
}
