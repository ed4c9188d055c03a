/*
 * rows.c
 *		FROM: the rows that a group is made of.
 */
#include "postgres.h"

#include "synthesis/query_internal.h"

/* ---- rows of a node, from the target down, with their cutoff ---- */

/* The alias under which what lies below finds the keys of this node, and the cutoff. */
char *
spine_alias(const Visit *node)
{
	return node->step == STEP_UP ? psprintf("q%d", node->level) : node->alias;
}

/* What the cutoff is called beside the keys of this node: one of them may have the name. */
static char *
spine_cutoff_name(const Visit *node)
{
	char	   *name = pstrdup("cutoff");

	while (find_column_named(node->table, name) != NULL)
		name = psprintf("%s_", name);
	return name;
}

char *
spine_cutoff(const Request *request, const Visit *node)
{
	if (node->step == STEP_UP)
		return psprintf("%s.%s", spine_alias(node), spine_cutoff_name(node));
	return node->from ? spine_cutoff(request, node->from) : root_cutoff(request);
}

/* The cutoff in the FROM list in which the node stands. */
char *
scope_cutoff(const Request *request, const Visit *node)
{
	if (node->step == STEP_UP)
		return scope_cutoff(request, node->from);
	return node->from ? spine_cutoff(request, node->from) : root_cutoff(request);
}

void
append_before(const Request *request, StringInfo sql, const Visit *node, const char *cutoff)
{
	if (request->cutoff != CUTOFF_NONE && node->table->time && (node->step == STEP_DOWN || node->table->time_declared))
		appendStringInfo(sql, " AND %s", before_cutoff(request, node->alias, node->table->time, cutoff));
}

/* The columns by which this node is linked to what was walked to from it. */
static List *
keys_beyond(const Visit *node)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, list_concat_copy(node->down, node->up))
	{
		const Visit *next = lfirst(lc);
		const AttrNumber *key = next->step == STEP_DOWN ? next->link->parent_key : next->link->child_key;

		for (int i = 0; i < next->link->n; i++)
			columns = list_append_unique_ptr(columns, find_column(node->table, key[i]));
	}
	return columns;
}

void
append_spine(Request *request, StringInfo sql, const Visit *node)
{
	ListCell   *lc;
	StringInfoData rows;

	if (node->from == NULL)
	{
		appendStringInfo(sql, "%s AS %s", node->table->qualified, node->alias);
		return;
	}
	initStringInfo(&rows);
	append_spine(request, &rows, node->from);
	appendStringInfo(&rows, " JOIN %s AS %s ON %s", node->table->qualified, node->alias,
					 node->step == STEP_DOWN ? link_condition(request, node->link, node->alias, spine_alias(node->from)) :
					 link_condition(request, node->link, spine_alias(node->from), node->alias));
	append_before(request, &rows, node, spine_cutoff(request, node->from));
	if (node->step == STEP_DOWN)
	{
		appendStringInfoString(sql, rows.data);
		return;
	}
	appendStringInfoString(sql, "(SELECT DISTINCT ");
	foreach(lc, keys_beyond(node))
		appendStringInfo(sql, "%s, ", qualified_column(node->alias, lfirst(lc)));
	appendStringInfo(sql, "%s AS %s FROM %s) AS %s", spine_cutoff(request, node->from), spine_cutoff_name(node), rows.data, spine_alias(node));
}

/* ---- a group ---- */

static bool
any_dated(const List *nodes)
{
	ListCell   *lc;

	foreach(lc, nodes)
		if (((Visit *) lfirst(lc))->table->time)
			return true;
	return false;
}

/* Do the features of a visit depend on the cutoff of the row of the target? */
bool
compares_cutoff(const Request *request, const Visit *visit)
{
	ListCell   *lc;

	if (request->cutoff != CUTOFF_COLUMN)
		return false;
	foreach(lc, visit->groups)
	{
		const Aggregation *group = lfirst(lc);

		if (any_dated(nodes_between(visit, group->over)) || compares_cutoff(request, group->over))
			return true;
	}
	foreach(lc, visit->up)
		if (((Visit *) lfirst(lc))->table->time_declared || compares_cutoff(request, lfirst(lc)))
			return true;
	return false;
}

/* FROM: the tables on the way down, and what the features of the last need beside it. */
char *
rows_between(Request *request, const List *nodes, const char *joins)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, nodes)
	{
		const Visit *node = lfirst(lc);

		if (foreach_current_index(lc) == 0)
			appendStringInfo(&sql, "FROM %s AS %s", node->table->qualified, node->alias);
		else
			appendStringInfo(&sql, "\n\t\tJOIN %s AS %s ON %s", node->table->qualified, node->alias,
							 link_condition(request, node->link, node->alias, node->from->alias));
	}
	appendStringInfoString(&sql, joins);
	return sql.data;
}

/* The same with a cutoff that is one for all rows, if there is one. */
static char *
plain_from(Request *request, const List *nodes, const char *joins)
{
	StringInfoData where;
	char	   *from = rows_between(request, nodes, joins);
	ListCell   *lc;

	if (request->cutoff != CUTOFF_LITERAL)
		return from;
	initStringInfo(&where);
	foreach(lc, nodes)
		append_before(request, &where, lfirst(lc), root_cutoff(request));
	return where.len > 0 ? psprintf("%s\n\tWHERE%s", from, where.data + strlen(" AND")) : from;
}

void
open_group(Draft *query, GroupSql *sql)
{
	Request    *request = query->request;
	const Aggregation *group = sql->group;
	List	   *nodes = nodes_between(group->node, group->over);
	const Visit *first = linitial(nodes);
	const Link *link = first->link;
	StringInfoData from;

	sql->per_row = request->cutoff == CUTOFF_COLUMN && (any_dated(nodes) || compares_cutoff(request, group->over));
	sql->table = first->table;
	for (int i = 0; i < link->n; i++)
	{
		Column	   *above = find_column(group->node->table, link->parent_key[i]);
		Column	   *below = find_column(first->table, link->child_key[i]);

		sql->above = lappend(sql->above, qualified_column(group->node->alias, above));
		sql->columns = lappend(sql->columns, below);
		sql->keys = lappend(sql->keys, sql->per_row ? qualified_column(spine_alias(group->node), above) : qualified_column(first->alias, below));
	}
	if (sql->per_row)
	{
		initStringInfo(&from);
		appendStringInfoString(&from, "FROM ");
		append_spine(request, &from, group->over);
		sql->bare = pstrdup(from.data);
		appendStringInfoString(&from, group->over->joins.data);
		sql->from = from.data;
		sql->cutoff = spine_cutoff(request, group->node);
	}
	else
	{
		sql->bare = plain_from(request, nodes, "");
		sql->from = plain_from(request, nodes, group->over->joins.data);
		sql->cutoff = request->cutoff == CUTOFF_LITERAL ? root_cutoff(request) : NULL;
	}
}
