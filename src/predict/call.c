/*
 * call.c
 *		What a call site remembers from row to row: which model its first argument means.
 *
 * By name, the registry is asked again whenever its answer could differ: another statement, another user, a deploy in between.  By value, an artifact is
 * taken for the one before on an equal TOAST pointer, or equal length and equal last 32 bytes, the sha-256 of the rest, so that it is not fetched and
 * hashed for every row.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "predict/predict_internal.h"

static PredictCall *
create_call(FmgrInfo *flinfo)
{
	MemoryContext context = AllocSetContextCreate(flinfo->fn_mcxt, "relearn prediction", ALLOCSET_SMALL_SIZES);
	PredictCall *call = MemoryContextAllocZero(context, sizeof(PredictCall));
	Oid		   *types;
	int			ntypes;

	(void) get_func_signature(flinfo->fn_oid, &types, &ntypes);
	call->context = context;
	call->work = AllocSetContextCreate(context, "relearn prediction row", ALLOCSET_SMALL_SIZES);
	call->by_value = types[0] == BYTEAOID;
	call->row_type = types[1];
	if (call->row_type == JSONBOID || call->row_type == TEXTOID)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		(void) cell_reader_init(&call->numeric, NUMERICOID, KIND_NUMBER, NULL);
		MemoryContextSwitchTo(old);
	}
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
	if (call->binding_context == NULL)
		call->binding_context = AllocSetContextCreate(call->context, "relearn columns", ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(call->binding_context);
	return call->binding_context;
}

/* Take over a pinned model in place of the one before. */
static void
set_model(PredictCall *call, Model *model)
{
	MemoryContext context = AllocSetContextCreate(call->context, "relearn pinned model", ALLOCSET_SMALL_SIZES);

	model_unpin_with(context, model);
	call->model = NULL;
	(void) predict_rebind(call);
	if (call->model_context != NULL)
		MemoryContextDelete(call->model_context);
	call->model_context = context;
	call->cells = MemoryContextAlloc(context, Max(model->features->ninputs, 1) * sizeof(double));
	call->scores = MemoryContextAlloc(context, model->noutputs * sizeof(double));
	call->class_name = NULL;
	call->model = model;
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
open_reference(PredictCall *call, text *reference)
{
	const char *name = VARDATA_ANY(reference);
	int			length = VARSIZE_ANY_EXHDR(reference);
	ResolvedAt	now;
	ModelVersion version;
	char	   *copy;

	note_time(&now);
	if (call->reference != NULL && call->reference_length == length && memcmp(call->reference, name, length) == 0 &&
		memcmp(&call->resolved, &now, sizeof(now)) == 0)
		return;

	copy = text_to_cstring(reference);
	registry_resolve(copy, RIGHT_PREDICT, &version);
	if (call->model == NULL || memcmp(call->model->sha256, version.sha256, SHA256_BYTES) != 0)
		set_model(call, registry_open(&version));
	if (call->reference != NULL)
		pfree(call->reference);
	call->reference = MemoryContextStrdup(call->context, copy);
	call->reference_length = length;
	call->version = version;
	call->resolved = now;
	pfree(copy);
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
		if (call->model != NULL && memcmp(&pointer, &call->pointer, sizeof(pointer)) == 0)
			return;
	}
	MemoryContextReset(call->work);
	old = MemoryContextSwitchTo(call->work);
	length = toast_raw_datum_size(datum) - VARHDRSZ;
	if (call->model == NULL || length != call->artifact_length || !trailing_sha256(datum, length, sha256) ||
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
		call = create_call(fcinfo->flinfo);
	if (call->by_value)
		open_value(call, PG_GETARG_DATUM(0));
	else
		open_reference(call, PG_GETARG_TEXT_PP(0));
	return call;
}
