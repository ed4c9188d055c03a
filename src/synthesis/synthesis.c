/*
 * synthesis.c
 *		ml.synthesize_features and ml.synthesize_query: the features along foreign keys as rows, and as one SELECT.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "synthesis/query_internal.h"

#define NRESULTS 8

static void
put_texts(FunctionCallInfo fcinfo, const char *const *text, int depth)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		value[NRESULTS];
	bool		null[NRESULTS];

	for (int i = 0; i < NRESULTS; i++)
	{
		null[i] = text[i] == NULL;
		value[i] = null[i] ? (Datum) 0 : CStringGetTextDatum(text[i]);
	}
	value[2] = Int32GetDatum(depth);
	null[2] = depth < 0;
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

/* To the farthest rows it is made of. */
static char *
feature_path(const Feature *feature)
{
	const Visit *visit = feature->node;

	for (; feature && feature->over; feature = feature->base)
		visit = feature->over;
	return node_path(visit);
}

/* The columns that put the rows of a feature before the cutoff, or in an order. */
static char *
dated_by(const Request *request, const Feature *feature)
{
	List	   *names = NIL;

	for (; feature && feature->over; feature = feature->base)
	{
		for (const Visit *node = feature->over; node != feature->node; node = node->from)
		{
			const Table *table = node->table;

			if (table->time && (node->step == STEP_DOWN || (table->time_declared && request->cutoff != CUTOFF_NONE)))
				(void) position_of(&names, psprintf("%s.%s", table->name, table->time->name));
		}
	}
	return names ? listed(names) : NULL;
}

static const char *
warning_of(const Request *request, const Feature *feature)
{
	if (!feature->includes_itself)
		return NULL;
	if (request->cutoff == CUTOFF_NONE)
		return "the rows include the one that is described: what is to be predicted leaks through it; give a cutoff";
	if (request->cutoff == CUTOFF_COLUMN && request->target->time == request->cutoff_column)
		return NULL;
	return "the rows include the one that is described where its own time is before the cutoff";
}

PG_FUNCTION_INFO_V1(ml_synthesize_features);
Datum
ml_synthesize_features(PG_FUNCTION_ARGS)
{
	Request    *request;
	Visit	   *root;
	MemoryContext working;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	request = read_request(fcinfo);
	root = walk_from_target(request);
	working = AllocSetContextCreate(CurrentMemoryContext, "relearn feature", ALLOCSET_DEFAULT_SIZES);
	foreach(lc, root->features)
	{
		const Feature *feature = lfirst(lc);
		MemoryContext caller = MemoryContextSwitchTo(working);
		const char *const text[NRESULTS] = {
			feature->name, format_type_be(feature->type), NULL, feature_path(feature), describe_feature(feature),
			dated_by(request, feature), warning_of(request, feature), definition_sql(request, feature)
		};

		CHECK_FOR_INTERRUPTS();
		put_texts(fcinfo, text, feature->depth);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(working);
	}
	foreach(lc, request->notes)
	{
		const Note *note = lfirst(lc);
		const char *const text[NRESULTS] = {[3] = note->path, [6] = note->text};

		put_texts(fcinfo, text, -1);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ml_synthesize_query);
Datum
ml_synthesize_query(PG_FUNCTION_ARGS)
{
	Request    *request = read_request(fcinfo);

	PG_RETURN_TEXT_P(cstring_to_text(synthesis_query(request, walk_from_target(request))));
}
