/*
 * expression.c
 *		The definition of one feature: nested scalar subqueries over the row t of the target, as one would write them by hand.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "synthesis/synthesis_internal.h"

char *
qualified_column(const char *alias, const Column *column)
{
	return psprintf("%s.%s", alias, column->quoted);
}

char *
link_condition(Request *request, const Link *link, const char *child_alias, const char *parent_alias)
{
	StringInfoData condition;
	const Table *child = find_table(request, link->child);
	const Table *parent = find_table(request, link->parent);

	initStringInfo(&condition);
	for (int i = 0; i < link->n; i++)
		appendStringInfo(&condition, "%s%s = %s", i ? " AND " : "", qualified_column(child_alias, find_column(child, link->child_key[i])),
						 qualified_column(parent_alias, find_column(parent, link->parent_key[i])));
	return condition.data;
}

/* ---- times ---- */

Oid
cutoff_type(const Request *request)
{
	return request->cutoff == CUTOFF_COLUMN ? request->cutoff_column->type : TIMESTAMPOID;
}

/* The cutoff as the row t of the target has it; NULL where there is none. */
char *
root_cutoff(const Request *request)
{
	if (request->cutoff == CUTOFF_NONE)
		return NULL;
	if (request->cutoff == CUTOFF_COLUMN)
		return qualified_column("t", request->cutoff_column);
	return psprintf("TIMESTAMP %s", quote_literal_cstr(request->moment));
}

/* As a timestamp without zone, in UTC where it has one: nothing depends on the session's time zone. */
char *
timestamp_expression(Oid type, const char *x)
{
	if (type == TIMESTAMPTZOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", x);
	return type == DATEOID ? psprintf("%s::timestamp", x) : pstrdup(x);
}

/* Strictly: what happens at the cutoff itself is not known yet. */
char *
before_cutoff(const Request *request, const char *alias, const Column *time, const char *cutoff)
{
	char	   *x = qualified_column(alias, time);
	Oid			type = cutoff_type(request);

	if (request->cutoff == CUTOFF_LITERAL && time->type == TIMESTAMPTZOID)
		return psprintf("%s < TIMESTAMPTZ %s", x, quote_literal_cstr(psprintf("%s+00", request->moment)));
	if ((time->type == TIMESTAMPTZOID) == (type == TIMESTAMPTZOID))
		return psprintf("%s < %s", x, cutoff);
	return psprintf("%s < %s", timestamp_expression(time->type, x), timestamp_expression(type, cutoff));
}

/* ---- definitions ---- */

/* From the node below the first one down to the last one. */
List *
nodes_between(const Visit *node, const Visit *over)
{
	List	   *nodes = NIL;

	for (; over != node; over = over->from)
		nodes = lcons(unconstify(Visit *, over), nodes);
	return nodes;
}

/* The latest row first; of rows of one time the greatest primary key. */
char *
last_order(const Visit *node, const Visit *over)
{
	StringInfoData order;
	ListCell   *lc;
	const Visit *dated = dating_node(node, over);

	initStringInfo(&order);
	appendStringInfo(&order, "%s DESC NULLS LAST", qualified_column(dated->alias, dated->table->time));
	foreach(lc, over->table->key)
		appendStringInfo(&order, ", %s DESC", qualified_column(over->alias, lfirst(lc)));
	return order.data;
}

char *
over_nothing(const Feature *feature, const char *expression)
{
	return feature->zero && feature->kind == AGG_SUM ? psprintf("coalesce(%s, 0)", expression) : pstrdup(expression);
}

static char *define(Request *request, const Feature *feature);

static char *
define_direct(Request *request, const Feature *feature)
{
	const Visit *above = feature->over;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "(SELECT %s FROM %s AS %s WHERE %s", define(request, feature->base), above->table->qualified, above->alias,
					 link_condition(request, above->link, feature->node->alias, above->alias));
	if (request->cutoff != CUTOFF_NONE && above->table->time_declared)
		appendStringInfo(&sql, " AND %s", before_cutoff(request, above->alias, above->table->time, root_cutoff(request)));
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

static void
append_rows_below(Request *request, StringInfo sql, const Visit *node, const Visit *over)
{
	List	   *nodes = nodes_between(node, over);
	const Visit *first = linitial(nodes);
	ListCell   *lc;

	appendStringInfo(sql, " FROM %s AS %s", first->table->qualified, first->alias);
	for_each_from(lc, nodes, 1)
	{
		const Visit *next = lfirst(lc);

		appendStringInfo(sql, " JOIN %s AS %s ON %s", next->table->qualified, next->alias, link_condition(request, next->link, next->alias, next->from->alias));
	}
	appendStringInfo(sql, " WHERE %s", link_condition(request, first->link, first->alias, node->alias));
	foreach(lc, nodes)
	{
		const Visit *next = lfirst(lc);

		if (request->cutoff != CUTOFF_NONE && next->table->time)
			appendStringInfo(sql, " AND %s", before_cutoff(request, next->alias, next->table->time, root_cutoff(request)));
	}
}

/* Values that are subqueries themselves are taken from rows v, so that each is written once however often an aggregate names it. */
static char *
define_aggregate(Request *request, const Feature *feature)
{
	const Visit *dated = dating_node(feature->node, feature->over);
	bool		named = feature->base && feature->base->over && feature->kind != AGG_LAST;
	char	   *x = feature->base ? define(request, feature->base) : NULL;
	char	   *time = dated ? timestamp_expression(dated->table->time->type, qualified_column(dated->alias, dated->table->time)) : NULL;
	Call		call = {.level = feature->level, .over = "", .x = named ? "v.x" : x, .time = named ? "v.at" : time};
	StringInfoData sql;

	if (feature->base)
		call.type = feature->base->type;
	if (request->cutoff != CUTOFF_NONE)
		call.cutoff = timestamp_expression(cutoff_type(request), root_cutoff(request));
	initStringInfo(&sql);
	appendStringInfo(&sql, "(SELECT %s", feature->kind == AGG_LAST ? x : over_nothing(feature, aggregate_call(feature->kind, &call)));
	if (named)
		appendStringInfo(&sql, " FROM (SELECT %s AS x", x);
	if (named && aggregates[feature->kind].needs_time)
		appendStringInfo(&sql, ", %s AS at", time);
	append_rows_below(request, &sql, feature->node, feature->over);
	if (named)
		appendStringInfoString(&sql, ") AS v");
	if (feature->kind == AGG_LAST)
		appendStringInfo(&sql, " ORDER BY %s LIMIT 1", last_order(feature->node, feature->over));
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

static char *
define(Request *request, const Feature *feature)
{
	if (feature->over == NULL)
		return qualified_column(feature->node->alias, feature->column);
	return feature->over->step == STEP_UP ? define_direct(request, feature) : define_aggregate(request, feature);
}

char *
definition_sql(Request *request, const Feature *feature)
{
	return define(request, feature);
}

/* ---- words ---- */

static bool
fill_in(const char **at, StringInfo out, const char *slot, const char *text)
{
	if (strncmp(*at, slot, strlen(slot)) != 0)
		return false;
	appendStringInfoString(out, text);
	*at += strlen(slot);
	return true;
}

char *
describe_feature(const Feature *feature)
{
	StringInfoData out;
	const char *at,
			   *rows,
			   *x;

	if (feature->over == NULL)
		return pstrdup(feature->column->name);
	x = feature->base ? describe_feature(feature->base) : "";
	if (feature->over->step == STEP_UP)
		return psprintf(feature->base->over ? "of its %2$s, %1$s" : "%s of its %s", x, feature->over->label);
	rows = psprintf("its %s", labels_between(feature->node, feature->over));
	initStringInfo(&out);
	at = aggregates[feature->kind].words;
	while (*at)
		if (!fill_in(&at, &out, "{rows}", rows) &&
			!fill_in(&at, &out, "{x}", x) &&
			!fill_in(&at, &out, "{level}", feature->level ? feature->level : ""))
			appendStringInfoChar(&out, *at++);
	return out.data;
}
