/*
 * running.c
 *		Groups beside a row, with a cutoff per row: every row of the target sees the rows of its key before its own cutoff.
 *
 * Joining cutoffs with rows would cost as much as there are pairs.  Instead, cutoffs (kind 0) and rows (kind 1) become one list of events per
 * key in the order of time, cutoffs first where times are equal, and aggregates run along it: a cutoff finds what came strictly before it.
 * The last row is the one whose number is the count of rows so far.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "synthesis/query_internal.h"

#define RUN " OVER run"

/* One dated table on the way gives the order; what is joined to the rows must not depend on the cutoff. */
bool
may_run(const Request *request, const GroupSql *sql)
{
	int			ndated = 0;
	ListCell   *lc;

	if (!sql->per_row || sql->group->node->step != STEP_UP || compares_cutoff(request, sql->group->over))
		return false;
	for (const Visit *visit = sql->group->node; visit->from; visit = visit->from)
		if (visit->step != STEP_UP)
			return false;
	foreach(lc, nodes_between(sql->group->node, sql->group->over))
		ndated += ((Visit *) lfirst(lc))->table->time != NULL;
	return ndated == 1;
}

/* The columns of the events, for cutoffs and for rows. */
typedef struct Events
{
	StringInfoData cutoffs;
	StringInfoData rows;
	List	   *values;			/* of char *: bN is the Nth */
} Events;

static char *
event_column(Events *events, Feature *base)
{
	int			before = list_length(events->values);
	int			position = position_of(&events->values, base->expression);

	if (position > before)
	{
		appendStringInfo(&events->cutoffs, ", NULL AS b%d", position);
		appendStringInfo(&events->rows, ", %s", base->expression);
	}
	return psprintf("b%d", position);
}

static void
add_gathered(Events *events, StringInfo running, const Gathered *gathered)
{
	if (gathered->values == NIL)
		return;
	appendStringInfo(&events->cutoffs, ", NULL::%s[] AS %s", gathered->type, gathered->result);
	appendStringInfo(&events->rows, ", ARRAY[%s]::%s[]", listed(gathered->values), gathered->type);
	appendStringInfo(running, ",\n\t\tml.%s(%s)" RUN " AS %s", gathered->aggregate, gathered->result, gathered->result);
}

/* Keys, cutoff, time and kind of both, and the primary key of the rows, which orders those of one time. */
static void
open_events(Request *request, const GroupSql *sql, Events *events)
{
	const Visit *over = sql->group->over;
	const Visit *first = linitial(nodes_between(sql->group->node, over));
	const Visit *dated = dating_node(sql->group->node, over);
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&events->cutoffs);
	initStringInfo(&events->rows);
	for (int i = 0; i < first->link->n; i++)
	{
		appendStringInfo(&events->cutoffs, "%s AS k%d, ", (char *) list_nth(sql->keys, i), i + 1);
		appendStringInfo(&events->rows, "%s, ", qualified_column(first->alias, find_column(first->table, first->link->child_key[i])));
	}
	appendStringInfo(&events->cutoffs, "%s AS cutoff, %s AS at, 0 AS kind", sql->cutoff, timestamp_expression(cutoff_type(request), sql->cutoff));
	appendStringInfo(&events->rows, "NULL, %s, 1", timestamp_expression(dated->table->time->type, qualified_column(dated->alias, dated->table->time)));
	foreach(lc, over->table->key)
	{
		appendStringInfo(&events->cutoffs, ", NULL AS o%d", ++n);
		appendStringInfo(&events->rows, ", %s", qualified_column(over->alias, lfirst(lc)));
	}
}

static char *
running_call(Request *request, Events *events, const Feature *feature)
{
	Call		call = {.level = feature->level, .time = "at", .present = "kind = 1", .over = RUN};

	if (feature->base)
	{
		call.x = event_column(events, feature->base);
		call.type = feature->base->type;
	}
	call.cutoff = timestamp_expression(cutoff_type(request), "cutoff");
	return aggregate_call(feature->kind, &call);
}

/* The events, from both sides. */
static void
append_events(Request *request, StringInfo out, const GroupSql *sql, const Events *events)
{
	const Visit *node = sql->group->node;
	const Visit *over = sql->group->over;
	const Visit *dated = dating_node(node, over);

	appendStringInfo(out, "(SELECT %s\n\t\tFROM ", events->cutoffs.data);
	append_spine(request, out, node);
	appendStringInfo(out, "\n\t\tUNION ALL SELECT %s\n\t\t%s\n\t\tWHERE %s IS NOT NULL) AS events", events->rows.data,
					 rows_between(request, nodes_between(node, over), over->joins.data), qualified_column(dated->alias, dated->table->time));
}

void
run_group(Draft *query, GroupSql *sql)
{
	Request    *request = query->request;
	Gathered	sums = GATHERED_SUMS;
	Gathered	levels = GATHERED_LEVELS;
	Events		events = {.values = NIL};
	StringInfoData part,
				running,
				last;
	const char *keys = key_names(sql);
	const char *only_keys = pnstrdup(keys, strlen(keys) - strlen(", cutoff"));
	ListCell   *lc;

	initStringInfo(&part);
	initStringInfo(&running);
	initStringInfo(&last);
	open_events(request, sql, &events);
	appendStringInfo(&part, "SELECT %s", keys);
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);
		char	   *slot = NULL;

		if (part_of(feature) == PART_LAST)
			appendStringInfo(&last, ",\n\t\tfirst_value(%s) OVER latest AS %s", event_column(&events, feature->base), feature->slot);
		else
		{
			slot = gathered_slot(feature, &sums, &levels);
			if (slot == NULL)
				appendStringInfo(&running, ",\n\t\t%s AS %s", running_call(request, &events, feature), feature->slot);
		}
		appendStringInfo(&part, ",\n\t\t%s", slot ? slot : feature->slot);
	}
	add_gathered(&events, &running, &sums);
	add_gathered(&events, &running, &levels);
	appendStringInfo(&part, "\n\tFROM (SELECT *%s\n\tFROM (SELECT %s, kind", last.data, keys);
	for (int i = 1; i <= list_length(events.values); i++)
		appendStringInfo(&part, ", b%d", i);
	appendStringInfo(&part, ", count(*) FILTER (WHERE kind = 1)" RUN " AS nth%s\n\tFROM ", running.data);
	append_events(request, &part, sql, &events);
	appendStringInfo(&part, "\n\tWINDOW run AS (PARTITION BY %s ORDER BY at, kind", only_keys);
	for (int i = 1; i <= list_length(sql->group->over->table->key); i++)
		appendStringInfo(&part, ", o%d", i);
	appendStringInfo(&part, " ROWS UNBOUNDED PRECEDING)) AS runs%s) AS rows\n\tWHERE kind = 0",
					 last.len ? psprintf("\n\tWINDOW latest AS (PARTITION BY %s, nth ORDER BY kind DESC)", only_keys) : "");
	sql->runs = true;
	sql->name[PART_ROWS] = add_part(query, part.data)->name;
}
