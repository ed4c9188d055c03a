/*
 * call.c
 *		What a call site remembers from row to row: which model its first argument means.
 *
 * By name, the registry is asked again whenever its answer could differ: another statement, another user, a deploy in between.  By value, an artifact is
 * taken for the one before on an equal TOAST pointer, or equal length and equal last 32 bytes, the sha-256 of the rest, so that it is not fetched and
 * hashed for every row.
 *
 * A prepared statement has a new FmgrInfo for every execution, which for a point query is every row; what was bound for the one before is taken over.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "predict/predict_internal.h"

/* Remember the types of the arguments as the query gives them; none where the call stands in no query. */
static void
note_arguments(PredictCall *call, FmgrInfo *flinfo)
{
	List	   *arguments = call_arguments(flinfo);
	ListCell   *cell;

	call->function = flinfo->fn_oid;
	call->argument_types = palloc(Max(list_length(arguments), 1) * sizeof(Oid));
	foreach(cell, arguments)
		call->argument_types[call->narguments++] = exprType(lfirst(cell));
}

static PredictCall *
create_call(FmgrInfo *flinfo)
{
	MemoryContext context = AllocSetContextCreate(flinfo->fn_mcxt, "relearn prediction", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PredictCall *call = palloc0(sizeof(PredictCall));
	Oid		   *types;
	int			ntypes;

	(void) get_func_signature(flinfo->fn_oid, &types, &ntypes);
	call->context = context;
	call->work = AllocSetContextCreate(context, "relearn prediction row", ALLOCSET_SMALL_SIZES);
	call->model_context = AllocSetContextCreate(context, "relearn scores", ALLOCSET_SMALL_SIZES);
	call->binding_context = AllocSetContextCreate(context, "relearn columns", ALLOCSET_SMALL_SIZES);
	call->by_value = types[0] == BYTEAOID;
	call->transforms = flinfo->fn_addr == ml_transform || flinfo->fn_addr == ml_transform_named || flinfo->fn_addr == ml_inverse_transform;
	call->row_type = types[1];
	note_arguments(call, flinfo);
	if (call->row_type == JSONBOID || call->row_type == TEXTOID)
		(void) cell_reader_init(&call->numeric, NUMERICOID, KIND_NUMBER, NULL);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, TopMemoryContext);
	return call;
}

static PredictCall *
begin_call(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	PredictCall *call = call_resume(fcinfo);

	if (call == NULL)
		call = create_call(flinfo);
	call->ended.func = call_end;
	call->ended.arg = call;
	MemoryContextRegisterResetCallback(flinfo->fn_mcxt, &call->ended);
	flinfo->fn_extra = call;
	return call;
}

char *
predict_origin(const PredictCall *call)
{
	if (call->by_value)
		return pstrdup("the given model");
	return psprintf("model \"%s\" version %d", call->version.name, call->version.version);
}

MemoryContext
predict_rebind(PredictCall *call)
{
	call->binding = NULL;
	call->names = NULL;
	MemoryContextReset(call->binding_context);
	return call->binding_context;
}

/* Take over a pinned model in place of the one before. */
static void
set_model(PredictCall *call, Model *model)
{
	Model	   *before = call->model;

	call->scores = NULL;
	call->model = model;
	if (model->task == TASK_PREPARATION && !call->transforms)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 call->by_value ? errmsg("the given model is a pipeline, which predicts nothing") :
				 errmsg("\"%s\" is a pipeline, which predicts nothing", call->reference),
				 errhint("Use ml.transform.")));
	call->model_serial = model->serial;
	(void) predict_rebind(call);
	if (before != NULL)
		model_cache_unpin(before);
	MemoryContextReset(call->model_context);
	call->class_name = NULL;
	call->inverse = NULL;
	call->cells = MemoryContextAlloc(call->model_context, Max(model->features->ninputs, 1) * sizeof(double));
	call->scores = MemoryContextAlloc(call->model_context, model->noutputs * sizeof(double));
}

/* ---- by name ---- */

static void
note_time(ResolvedAt *at)
{
	Snapshot	snapshot;

	if (!ActiveSnapshotSet())
		elog(ERROR, "prediction by name needs an active snapshot");
	snapshot = GetActiveSnapshot();
	memset(at, 0, sizeof(*at));
	at->transaction = my_local_transaction();
	at->subtransaction = GetCurrentSubTransactionId();
	at->user = GetUserId();
	at->xmin = snapshot->xmin;
	at->xmax = snapshot->xmax;
	at->xcnt = snapshot->xcnt;
	at->subxcnt = snapshot->subxcnt;
	at->curcid = snapshot->curcid;
}

static void
set_reference(PredictCall *call, text *reference)
{
	int			length = VARSIZE_ANY_EXHDR(reference);
	char	   *copy = MemoryContextAlloc(call->context, length + 1);

	memcpy(copy, VARDATA_ANY(reference), length);
	copy[length] = '\0';
	if (call->reference != NULL)
		pfree(call->reference);
	call->reference = copy;
	call->reference_length = length;
}

static void
open_reference(PredictCall *call, text *reference)
{
	ResolvedAt	now;
	ModelVersion version;

	note_time(&now);
	if (!call_has_reference(call, reference))
		set_reference(call, reference);
	else if (call->scores != NULL && memcmp(&call->resolved, &now, sizeof(now)) == 0)
		return;

	memset(&call->resolved, 0, sizeof(call->resolved));
	registry_resolve(call->reference, RIGHT_PREDICT, &version);
	if (call->scores == NULL || memcmp(call->model->sha256, version.sha256, SHA256_BYTES) != 0)
		set_model(call, registry_open(&version));
	call->version = version;
	call->resolved = now;
}

/* ---- by value ---- */

/* The last 32 bytes of an artifact that may be in TOAST: its sha-256.  False where it is too short to have one. */
static bool
trailing_sha256(Datum datum, Size length, uint8 *sha256)
{
	struct varlena *tail;

	if (length < SHA256_BYTES)
		return false;
	tail = PG_DETOAST_DATUM_SLICE(datum, length - SHA256_BYTES, SHA256_BYTES);
	memcpy(sha256, VARDATA_ANY(tail), SHA256_BYTES);
	return true;
}

/* Pinned; the bytes are hashed before a cached model answers for them, because a caller could make up their end. */
static Model *
artifact_open(Datum datum)
{
	bytea	   *bytes = DatumGetByteaPP(datum);

	return model_cache_add((const uint8 *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), "the given model");
}

static void
open_value(PredictCall *call, Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	struct varatt_external pointer;
	MemoryContext old;
	uint8		sha256[SHA256_BYTES];
	Size		length;

	memset(&pointer, 0, sizeof(pointer));
	if (VARATT_IS_EXTERNAL_ONDISK(value))
	{
		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		if (call->scores != NULL && memcmp(&pointer, &call->pointer, sizeof(pointer)) == 0)
			return;
	}
	MemoryContextReset(call->work);
	old = MemoryContextSwitchTo(call->work);
	length = toast_raw_datum_size(datum) - VARHDRSZ;
	if (call->scores == NULL || length != call->artifact_length || !trailing_sha256(datum, length, sha256) ||
		memcmp(sha256, call->model->sha256, SHA256_BYTES) != 0)
		set_model(call, artifact_open(datum));
	MemoryContextSwitchTo(old);
	call->artifact_length = length;
	call->pointer = pointer;
}

PredictCall *
predict_call(FunctionCallInfo fcinfo)
{
	PredictCall *call = fcinfo->flinfo->fn_extra;

	if (PG_ARGISNULL(0))
		return NULL;
	if (call == NULL)
		call = begin_call(fcinfo);
	if (call->by_value)
		open_value(call, PG_GETARG_DATUM(0));
	else
		open_reference(call, PG_GETARG_TEXT_PP(0));
	return call;
}
