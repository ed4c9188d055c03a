/*
 * request.c
 *		The arguments of ml.synthesize_features and ml.synthesize_query.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "synthesis/synthesis_internal.h"

#define MOST_DEPTH 6
#define MOST_VALUES 50

enum
{
	ARG_TABLE,
	ARG_MAX_DEPTH,
	ARG_CUTOFF,
	ARG_AGGREGATES,
	ARG_TIME_COLUMNS,
	ARG_EXCLUDE,
	ARG_TOP_VALUES,
	ARG_MAX_FEATURES
};

static int
whole_argument(FunctionCallInfo fcinfo, int argument, const char *name, int least, int most)
{
	int			value;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	value = PG_GETARG_INT32(argument);
	if (value < least || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d, not %d", name, least, most, value)));
	return value;
}

/* The texts of a text[]; NIL for NULL. */
static List *
texts_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	Datum	   *element;
	bool	   *null;
	int			n;
	List	   *texts = NIL;

	if (PG_ARGISNULL(argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &element, &null, &n);
	for (int i = 0; i < n; i++)
	{
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain NULL", name)));
		texts = lappend(texts, TextDatumGetCString(element[i]));
	}
	return texts;
}

/* ---- aggregates ---- */

static uint32
aggregate_bit(const char *name)
{
	const char *names[NAGGREGATES];
	int			n = 0;

	for (int kind = 0; kind < NAGGREGATES; kind++)
	{
		if (kind == AGG_LEVEL)
			continue;
		if (strcmp(aggregates[kind].name, name) == 0)
			return UINT32_C(1) << kind;
		names[n++] = aggregates[kind].name;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized aggregate \"%s\"", name),
			 errhint("%s", valid_names_hint(name, names, n, "aggregates"))));
}

static uint32
read_aggregates(FunctionCallInfo fcinfo)
{
	uint32		chosen = 0;
	ListCell   *lc;

	if (PG_ARGISNULL(ARG_AGGREGATES))
		return (UINT32_C(1) << NAGGREGATES) - 1;
	foreach(lc, texts_argument(fcinfo, ARG_AGGREGATES, "aggregates"))
		chosen |= aggregate_bit(lfirst(lc));
	if (chosen & (UINT32_C(1) << AGG_COUNT))
		chosen |= UINT32_C(1) << AGG_LEVEL;
	return chosen;
}

/* ---- what is left out ---- */

bool
is_excluded(Request *request, const char *name)
{
	ListCell   *lc;

	foreach(lc, request->exclude)
	{
		Exclusion  *exclusion = lfirst(lc);

		if (strcmp(exclusion->name, name) == 0)
		{
			exclusion->used = true;
			return true;
		}
	}
	return false;
}

static const char *
unused_exclusion(const Request *request)
{
	ListCell   *lc;

	foreach(lc, request->exclude)
		if (!((Exclusion *) lfirst(lc))->used)
			return ((Exclusion *) lfirst(lc))->name;
	return NULL;
}

/* A key of time_columns that is no table seen so far. */
static const char *
unmet_time_table(const Request *request)
{
	ListCell   *key,
			   *lc;

	foreach(key, request->time_tables)
	{
		bool		met = false;

		foreach(lc, request->tables)
			met |= strcmp(((Table *) lfirst(lc))->name, lfirst(key)) == 0;
		if (!met)
			return lfirst(key);
	}
	return NULL;
}

/* Called after the walk; tables that only a deeper one would meet may be named too. */
void
check_names(Request *request)
{
	ListCell   *lc;
	const char *name;

	if (unused_exclusion(request) == NULL && unmet_time_table(request) == NULL)
		return;
	foreach(lc, request->links)
	{
		find_table(request, ((Link *) lfirst(lc))->child);
		find_table(request, ((Link *) lfirst(lc))->parent);
	}
	if ((name = unused_exclusion(request)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exclude names \"%s\", which is no table, column or feature here", name),
				 errhint("Name a table (orders), a column (orders.total) or a feature as it is listed (mean(orders.total)).")));
	if ((name = unmet_time_table(request)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("time_columns names table \"%s\", which has no foreign key and none refers to it", name),
				 errhint("Tables of another schema than the target's are written with theirs, as schema.table.")));
}

/* ---- times ---- */

static void
read_cutoff(FunctionCallInfo fcinfo, Request *request)
{
	char	   *given;
	Column	   *column;
	double		moment;

	if (PG_ARGISNULL(ARG_CUTOFF))
		return;
	given = text_to_cstring(PG_GETARG_TEXT_PP(ARG_CUTOFF));
	column = find_column_named(request->target, given);
	if (column && column->role == ROLE_TIME && column->readable)
	{
		request->cutoff = CUTOFF_COLUMN;
		request->cutoff_column = column;
	}
	else if (column == NULL && cell_parse(KIND_TIMESTAMP, NULL, given, &moment) && IS_VALID_TIMESTAMP(moment))
	{
		request->cutoff = CUTOFF_LITERAL;
		request->moment = cell_shown(KIND_TIMESTAMP, moment);
	}
	else
		ereport(ERROR,
				(errcode(column ? ERRCODE_DATATYPE_MISMATCH : ERRCODE_INVALID_PARAMETER_VALUE),
				 column ? errmsg("cutoff column \"%s\" is of type %s", given, format_type_be(column->type)) :
				 errmsg("cutoff \"%s\" is neither a column of table \"%s\" nor a timestamp", given, request->target->name),
				 errhint("The cutoff is a date or timestamp column of the target table, or a finite literal such as 2024-01-31 or 2024-01-31 12:00:00.")));
}

static void
read_time_columns(FunctionCallInfo fcinfo, Request *request)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (PG_ARGISNULL(ARG_TIME_COLUMNS))
		return;
	request->time_columns = PG_GETARG_JSONB_P_COPY(ARG_TIME_COLUMNS);
	it = JsonbIteratorInit(&request->time_columns->root);
	token = JsonbIteratorNext(&it, &value, false);
	if (token != WJB_BEGIN_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time_columns must be a JSON object"),
				 errhint("It names a column per table: {\"orders\": \"placed_at\"}; null takes all rows of a table.")));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			request->time_tables = lappend(request->time_tables, pnstrdup(value.val.string.val, value.val.string.len));
		else if (token == WJB_VALUE && value.type != jbvString && value.type != jbvNull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time_columns must name one column for table \"%s\"", (char *) llast(request->time_tables)),
					 errhint("As in {\"orders\": \"placed_at\"}; null takes all rows of a table.")));
	}
}

Request *
read_request(FunctionCallInfo fcinfo)
{
	Request    *request = palloc0(sizeof(Request));
	ListCell   *lc;

	if (PG_ARGISNULL(ARG_TABLE))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table_name must not be NULL")));
	request->max_depth = whole_argument(fcinfo, ARG_MAX_DEPTH, "max_depth", 0, MOST_DEPTH);
	request->top_values = whole_argument(fcinfo, ARG_TOP_VALUES, "top_values", 0, MOST_VALUES);
	request->max_features = whole_argument(fcinfo, ARG_MAX_FEATURES, "max_features", 1, MOST_FEATURES);
	request->aggregates = read_aggregates(fcinfo);
	foreach(lc, texts_argument(fcinfo, ARG_EXCLUDE, "exclude"))
	{
		Exclusion  *exclusion = palloc0(sizeof(Exclusion));

		exclusion->name = lfirst(lc);
		request->exclude = lappend(request->exclude, exclusion);
	}
	read_time_columns(fcinfo, request);
	load_target(request, text_to_cstring(PG_GETARG_TEXT_PP(ARG_TABLE)));
	read_cutoff(fcinfo, request);
	return request;
}
