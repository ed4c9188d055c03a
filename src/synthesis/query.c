/*
 * query.c
 *		All features in one SELECT: every table is grouped once per path, the groups are joined to the rows they belong to.
 *
 * Without a cutoff per row a group is a grouping by the foreign key.  With one, each row of the target sees other rows below, so the group
 * starts from the target: its rows, joined down to what it aggregates, grouped by key and cutoff.  Where the walk went up first, many rows of
 * the target share rows below: then cutoffs and rows are put in one order of time, and aggregates run along it (running.c).
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "synthesis/query_internal.h"

static void open_node(Draft *query, Visit *node);

Entry *
add_part(Draft *query, char *sql)
{
	Entry	   *part;
	ListCell   *lc;

	foreach(lc, query->parts)
		if (strcmp(((Entry *) lfirst(lc))->sql, sql) == 0)
			return lfirst(lc);
	part = palloc0(sizeof(Entry));
	part->sql = sql;
	part->name = psprintf("g%d", list_length(query->parts) + 1);
	query->parts = lappend(query->parts, part);
	return part;
}

/* ---- nodes ---- */

/* The keys of a part are distinct: DISTINCT ON changes nothing, but lets the planner know, which otherwise might hash the larger side. */
static void
append_part_join(StringInfo joins, const char *part, const char *alias, const char *keys)
{
	if (keys)
		appendStringInfo(joins, "\n\tLEFT JOIN (SELECT DISTINCT ON (%s) * FROM %s) AS %s ON ", keys, part, alias);
	else
		appendStringInfo(joins, "\n\tLEFT JOIN %s AS %s ON ", part, alias);
}

static void
join_part(Draft *query, Visit *node, const GroupSql *sql, const char *part)
{
	ListCell   *lc;
	int			i = 0;

	if (part == NULL)
		return;
	append_part_join(&node->joins, part, psprintf("%s_%s", node->alias, part), sql->per_row || list_length(sql->keys) > 1 ? NULL : "k1");
	foreach(lc, sql->above)
		appendStringInfo(&node->joins, "%s%s_%s.k%d = %s", i ? " AND " : "", node->alias, part, i + 1, (char *) lfirst(lc)), i++;
	if (sql->per_row)
		appendStringInfo(&node->joins, " AND %s_%s.cutoff = %s", node->alias, part, scope_cutoff(query->request, node));
}

static void
join_group(Draft *query, const Aggregation *group)
{
	GroupSql   *sql = palloc0(sizeof(GroupSql));
	Visit	   *node = group->node;
	ListCell   *lc;

	sql->group = group;
	open_group(query, sql);
	if (may_run(query->request, sql))
		run_group(query, sql);
	else
	{
		group_rows(query, sql);
		group_last(query, sql);
	}
	for (int part = 0; part < NPARTKINDS; part++)
		join_part(query, node, sql, sql->name[part]);
	foreach(lc, group->features)
	{
		Feature    *feature = lfirst(lc);
		char	   *column = psprintf("%s_%s.%s", node->alias, sql->name[sql->runs ? PART_ROWS : part_of(feature)], feature->slot);

		feature->expression = feature->zero ? psprintf("coalesce(%s, 0)", column) : column;
	}
}

static void
rename_visit(Visit *visit, char *alias)
{
	ListCell   *lc;

	visit->alias = alias;
	foreach(lc, visit->up)
		rename_visit(lfirst(lc), psprintf("%s_%d", alias, foreach_current_index(lc) + 1));
}

/* The rows above with their features as a part of its own: what many rows below share is worked out once. */
static void
join_part_above(Draft *query, Visit *node, Visit *above, const char *alias)
{
	const Link *link = above->link;
	StringInfoData part;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&part);
	appendStringInfoString(&part, "SELECT ");
	for (int i = 0; i < link->n; i++)
		appendStringInfo(&part, "%s%s AS k%d", i ? ", " : "", qualified_column(above->alias, find_column(above->table, link->parent_key[i])), i + 1);
	foreach(lc, node->features)
	{
		const Feature *feature = lfirst(lc);

		if (feature->over != above)
			continue;
		appendStringInfo(&part, ",\n\t\t%s AS f%d", feature->base->expression, ++n);
		feature->base->expression = psprintf("%s.f%d", alias, n);
		feature->base->zero = false;	/* without a row above there is none here */
	}
	appendStringInfo(&part, "\n\tFROM %s AS %s%s", above->table->qualified, above->alias, above->joins.data);
	append_part_join(&node->joins, add_part(query, part.data)->name, alias, link->n > 1 ? NULL : "k1");
	for (int i = 0; i < link->n; i++)
		appendStringInfo(&node->joins, "%s%s.k%d = %s", i ? " AND " : "", alias, i + 1,
						 qualified_column(node->alias, find_column(node->table, link->child_key[i])));
}

static bool
is_part_above(const Request *request, const Visit *above)
{
	bool		dated = request->cutoff != CUTOFF_NONE && above->table->time_declared;

	return (above->groups || above->up) && !dated && !compares_cutoff(request, above);
}

static void
join_above(Draft *query, Visit *node, Visit *above)
{
	Request    *request = query->request;
	char	   *alias = above->alias;

	if (is_part_above(request, above))
	{
		rename_visit(above, "p");	/* the same for all who refer to this table, so that they share the part */
		open_node(query, above);
		join_part_above(query, node, above, alias);
		return;
	}
	open_node(query, above);
	appendStringInfo(&node->joins, "\n\tLEFT JOIN %s AS %s ON %s", above->table->qualified, alias, link_condition(request, above->link, node->alias, alias));
	append_before(request, &node->joins, above, scope_cutoff(request, node));
	appendStringInfoString(&node->joins, above->joins.data);
}

/*
 * Parts above whose keys come in few combinations: joined to these first, they are one part, and every column is copied once per row instead
 * of once per row and join.  Keys that may be NULL would find nothing.
 */
static List *
parts_with_few_keys(const Request *request, const Visit *node, List **keys)
{
	List	   *few = NIL;
	ListCell   *lc;

	foreach(lc, node->up)
	{
		const Visit *above = lfirst(lc);
		List	   *more = list_copy(*keys);
		bool		not_null = true;

		for (int i = 0; i < above->link->n; i++)
		{
			Column	   *key = find_column(node->table, above->link->child_key[i]);

			more = list_append_unique_ptr(more, key);
			not_null = not_null && key->not_null;
		}
		if (!not_null || !is_part_above(request, above) || combinations(node->table, more) * ROWS_PER_COMBINATION > estimated_rows(node->table))
			continue;
		few = lappend(few, lfirst(lc));
		*keys = more;
	}
	return list_length(few) > 1 ? few : NIL;
}

/* The combinations of keys that there are, as a part worded like a group beside the row, with which it may be shared. */
static const char *
key_combinations(Draft *query, const Visit *node, List *keys)
{
	GroupSql   *sql = palloc0(sizeof(GroupSql));
	char	   *alias = psprintf("c%d", node->level + 2);
	Entry	   *entry;
	ListCell   *lc;

	sql->group = palloc0(sizeof(Aggregation));
	sql->table = node->table;
	sql->columns = keys;
	foreach(lc, keys)
		sql->keys = lappend(sql->keys, qualified_column(alias, lfirst(lc)));
	sql->bare = psprintf("FROM %s AS %s", node->table->qualified, alias);
	entry = add_part(query, rows_text(sql, NULL, ""));
	entry->group = sql;
	return entry->name;
}

static void
join_together(Draft *query, Visit *node, const List *few, List *keys)
{
	StringInfoData before = node->joins;
	StringInfoData part,
				on;
	char	   *alias = psprintf("%s_0", node->alias);
	List	   *columns = NIL,
			   *names = NIL;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&node->joins);
	foreach(lc, few)
		join_above(query, node, lfirst(lc));
	initStringInfo(&part);
	initStringInfo(&on);
	foreach(lc, keys)
	{
		const Column *key = lfirst(lc);
		char	   *name = psprintf("k%d", foreach_current_index(lc) + 1);

		names = lappend(names, name);
		columns = lappend(columns, key->quoted);
		appendStringInfo(&on, "%s%s.%s = %s", on.len ? " AND " : "", alias, name, qualified_column(node->alias, key));
		appendStringInfo(&part, "%s%s AS %s", part.len ? ", " : "SELECT ", qualified_column(node->alias, key), name);
	}
	foreach(lc, node->features)
	{
		const Feature *feature = lfirst(lc);

		if (!list_member_ptr(few, feature->over))
			continue;
		appendStringInfo(&part, ",\n\t\t%s AS f%d", feature->base->expression, ++n);
		feature->base->expression = psprintf("%s.f%d", alias, n);
	}
	appendStringInfo(&part, "\n\tFROM %s AS %s(%s)%s", key_combinations(query, node, keys), node->alias, listed(columns), node->joins.data);
	node->joins = before;
	append_part_join(&node->joins, add_part(query, part.data)->name, alias, listed(names));
	appendStringInfoString(&node->joins, on.data);
}

/* Zero over no rows, but unknown where there is no row above. */
static char *
direct_expression(const Feature *feature)
{
	const Visit *above = feature->over;
	Column	   *key = find_column(above->table, above->link->parent_key[0]);

	if (!feature->base->zero)
		return feature->base->expression;
	return psprintf("CASE WHEN %s IS NOT NULL THEN %s END", qualified_column(above->alias, key), feature->base->expression);
}

/* Give every feature of the node its expression, and the node the joins these need. */
static void
open_node(Draft *query, Visit *node)
{
	List	   *keys = NIL;
	List	   *few = parts_with_few_keys(query->request, node, &keys);
	ListCell   *lc;

	initStringInfo(&node->joins);
	foreach(lc, node->down)
		open_node(query, lfirst(lc));
	foreach(lc, node->groups)
		join_group(query, lfirst(lc));
	foreach(lc, node->up)
		if (!list_member_ptr(few, lfirst(lc)))
			join_above(query, node, lfirst(lc));
	if (few)
		join_together(query, node, few, keys);
	foreach(lc, node->features)
	{
		Feature    *feature = lfirst(lc);

		if (feature->over == NULL)
			feature->expression = qualified_column(node->alias, feature->column);
		else if (feature->over->step == STEP_UP)
			feature->expression = direct_expression(feature);
	}
}

char *
synthesis_query(Request *request, Visit *root)
{
	Draft		query = {.request = request};
	StringInfoData sql;
	ListCell   *lc;

	open_node(&query, root);
	share_groupings(&query);
	initStringInfo(&sql);
	foreach(lc, query.parts)
		appendStringInfo(&sql, "%s%s AS MATERIALIZED (\n\t%s\n)", sql.len ? ",\n" : "WITH ", ((Entry *) lfirst(lc))->name, ((Entry *) lfirst(lc))->sql);
	appendStringInfo(&sql, "%sSELECT", sql.len ? "\n" : "");
	foreach(lc, root->features)
		appendStringInfo(&sql, "%s\n\t%s AS %s", foreach_current_index(lc) ? "," : "", ((Feature *) lfirst(lc))->expression,
						 quote_identifier(((Feature *) lfirst(lc))->name));
	appendStringInfo(&sql, "\nFROM %s AS %s%s", root->table->qualified, root->alias, root->joins.data);
	return sql.data;
}
