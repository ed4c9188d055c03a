/*
 * idle.c
 *		Call sites between statements.
 *
 * What a call site learnt, above all which column feeds which input, is worth keeping when its statement ends: a prepared point query would spend more
 * on binding than on predicting.  The state waits here for a statement that makes the same call: the same function of arguments of the same types,
 * with the same reference.  Whatever else may have changed is looked at as from one row to the next: who asks and what the reference means now
 * (call.c), the names of the columns (columns.c), the row type (rows.c).  An idle state does not pin its model; if that has left the cache, only the
 * shell is of use.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

#include "predict/predict_internal.h"

#define IDLE_CALLS 16			/* most states kept, each a few KB and 200 bytes per column */

static dlist_head idle_calls = DLIST_STATIC_INIT(idle_calls);	/* ended last first */
static int	nidle = 0;

List *
call_arguments(FmgrInfo *flinfo)
{
	FuncExpr   *expression = (FuncExpr *) flinfo->fn_expr;

	return expression != NULL && IsA(expression, FuncExpr) && !expression->funcvariadic ? expression->args : NIL;
}

bool
call_has_reference(const PredictCall *call, text *reference)
{
	return call->reference != NULL && call->reference_length == (int) VARSIZE_ANY_EXHDR(reference) &&
		memcmp(call->reference, VARDATA_ANY(reference), call->reference_length) == 0;
}

static bool
is_same_call(const PredictCall *call, Oid function, List *arguments, text *reference)
{
	ListCell   *cell;

	if (call->function != function || call->narguments != list_length(arguments) || !call_has_reference(call, reference))
		return false;
	foreach(cell, arguments)
	{
		if (exprType(lfirst(cell)) != call->argument_types[foreach_current_index(cell)])
			return false;
	}
	return true;
}

static void
leave_idleness(PredictCall *call)
{
	dlist_delete(&call->idle);
	nidle--;
}

PredictCall *
call_resume(FunctionCallInfo fcinfo)
{
	List	   *arguments = call_arguments(fcinfo->flinfo);
	text	   *reference;
	dlist_iter	at;

	if (arguments == NIL || exprType(linitial(arguments)) != TEXTOID)
		return NULL;
	reference = PG_GETARG_TEXT_PP(0);
	dlist_foreach(at, &idle_calls)
	{
		PredictCall *call = dlist_container(PredictCall, idle, at.cur);

		if (!is_same_call(call, fcinfo->flinfo->fn_oid, arguments, reference))
			continue;
		leave_idleness(call);
		call->model = model_cache_repin(call->version.sha256, call->model_serial);
		if (call->model == NULL)
			call->scores = NULL;
		return call;
	}
	return NULL;
}

/* Runs while memory contexts are reset, perhaps after an error: must not fail. */
void
call_end(void *argument)
{
	PredictCall *call = argument;
	Model	   *model = call->model;

	call->model = NULL;
	if (model != NULL)
		model_cache_unpin(model);
	if (call->by_value || call->only_here || call->narguments == 0 || call->scores == NULL)
	{
		MemoryContextDelete(call->context);
		return;
	}
	MemoryContextReset(call->work);
	dlist_push_head(&idle_calls, &call->idle);
	if (++nidle > IDLE_CALLS)
	{
		PredictCall *oldest = dlist_tail_element(PredictCall, idle, &idle_calls);

		leave_idleness(oldest);
		MemoryContextDelete(oldest->context);
	}
}
