/*
 * query.c
 *		All features in one SELECT: every table is grouped once per path, the groups are joined to the rows they belong to.
 *
 * Without a cutoff per row a group is a grouping by the foreign key.  With one, each row of the target sees other rows below, so the group
 * starts from the target: its rows, joined down to what it aggregates, grouped by key and cutoff.  Where the walk went up first, many rows of
 * the target share rows below; then the distinct pairs of key and cutoff are the start.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "synthesis/synthesis_internal.h"

/* One WITH entry; groups with the same text are one. */
typedef struct Entry
{
	char	   *name;
	char	   *sql;
} Entry;

typedef struct Draft
{
	Request    *request;
	List	   *parts;			/* of Entry * */
} Draft;

/* What one group yields: aggregates, and values of the last row. */
typedef enum PartKind
{
	PART_ROWS,
	PART_LAST
} PartKind;

#define NPARTKINDS (PART_LAST + 1)

/* A group on its way to SQL. */
typedef struct GroupSql
{
	const Aggregation *group;
	bool		per_row;		/* keyed by the cutoff too */
	List	   *keys;			/* of char *: what it is grouped by */
	List	   *above;			/* of char *: what it is joined to */
	char	   *from;			/* FROM ... WHERE ..., with the joins of the rows below */
	char	   *bare;			/* without these */
	const char *cutoff;			/* in its scope; NULL where there is none */
	const char *name[NPARTKINDS];	/* of its parts, NULL where it has none */
} GroupSql;

static void open_node(Draft *query, Visit *node);

static const char *
add_part(Draft *query, char *sql)
{
	Entry	   *part;
	ListCell   *lc;

	foreach(lc, query->parts)
		if (strcmp(((Entry *) lfirst(lc))->sql, sql) == 0)
			return ((Entry *) lfirst(lc))->name;
	part = palloc(sizeof(Entry));
	part->sql = sql;
	part->name = psprintf("g%d", list_length(query->parts) + 1);
	query->parts = lappend(query->parts, part);
	return part->name;
}

/* ---- rows of a node, from the target down, with their cutoff ---- */

/* The alias under which what lies below finds the keys of this node, and the cutoff. */
static char *
spine_alias(const Visit *node)
{
	return node->step == STEP_UP ? psprintf("q%d", node->level) : node->alias;
}

static char *
spine_cutoff(const Request *request, const Visit *node)
{
	if (node->step == STEP_UP)
		return psprintf("%s.cutoff", spine_alias(node));
	return node->from ? spine_cutoff(request, node->from) : root_cutoff(request);
}

/* The cutoff in the FROM list in which the node stands. */
static char *
scope_cutoff(const Request *request, const Visit *node)
{
	if (node->step == STEP_UP)
		return scope_cutoff(request, node->from);
	return node->from ? spine_cutoff(request, node->from) : root_cutoff(request);
}

static void
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

static void
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
	appendStringInfo(sql, "%s AS cutoff FROM %s) AS %s", spine_cutoff(request, node->from), rows.data, spine_alias(node));
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
static bool
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

/* Whole tables, joined and filtered by a cutoff that is the same for all rows, if there is one. */
static char *
plain_from(Request *request, const List *nodes, const char *joins)
{
	StringInfoData sql,
				where;
	ListCell   *lc;

	initStringInfo(&sql);
	initStringInfo(&where);
	foreach(lc, nodes)
	{
		const Visit *node = lfirst(lc);

		if (foreach_current_index(lc) == 0)
			appendStringInfo(&sql, "FROM %s AS %s", node->table->qualified, node->alias);
		else
			appendStringInfo(&sql, "\n\t\tJOIN %s AS %s ON %s", node->table->qualified, node->alias,
							 link_condition(request, node->link, node->alias, node->from->alias));
		append_before(request, &where, node, request->cutoff == CUTOFF_LITERAL ? root_cutoff(request) : NULL);
	}
	appendStringInfoString(&sql, joins);
	if (where.len > 0)
		appendStringInfo(&sql, "\n\tWHERE%s", where.data + strlen(" AND"));
	return sql.data;
}

static void
open_group(Draft *query, GroupSql *sql)
{
	Request    *request = query->request;
	const Aggregation *group = sql->group;
	List	   *nodes = nodes_between(group->node, group->over);
	const Visit *first = linitial(nodes);
	const Link *link = first->link;
	StringInfoData from;

	sql->per_row = request->cutoff == CUTOFF_COLUMN && (any_dated(nodes) || compares_cutoff(request, group->over));
	for (int i = 0; i < link->n; i++)
	{
		Column	   *above = find_column(group->node->table, link->parent_key[i]);

		sql->above = lappend(sql->above, qualified_column(group->node->alias, above));
		sql->keys = lappend(sql->keys, sql->per_row ? qualified_column(spine_alias(group->node), above) :
							qualified_column(first->alias, find_column(first->table, link->child_key[i])));
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

/* "k1, k2, cutoff": the keys by the names they have in a part. */
static char *
key_names(const GroupSql *sql)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 1; i <= list_length(sql->keys); i++)
		appendStringInfo(&names, "%sk%d", i > 1 ? ", " : "", i);
	if (sql->per_row)
		appendStringInfoString(&names, ", cutoff");
	return names.data;
}

static void
append_keys(StringInfo out, const GroupSql *sql, bool named)
{
	ListCell   *lc;
	int			i = 0;

	foreach(lc, sql->keys)
		appendStringInfo(out, "%s%s%s", i ? ", " : "", (char *) lfirst(lc), named ? psprintf(" AS k%d", i + 1) : ""), i++;
	if (sql->per_row)
		appendStringInfo(out, ", %s%s", sql->cutoff, named ? " AS cutoff" : "");
}

static PartKind
part_of(const Feature *feature)
{
	return feature->kind == AGG_LAST ? PART_LAST : PART_ROWS;
}

/* Where all values are columns of the rows themselves, nothing needs to be joined to them. */
static const char *
from_for(const GroupSql *sql, PartKind part)
{
	ListCell   *lc;

	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);

		if (part_of(feature) == part && feature->base && feature->base->over)
			return sql->from;
	}
	return sql->bare;
}

static char *
call_in_group(Draft *query, const GroupSql *sql, const Feature *feature)
{
	const Visit *dated = dating_node(feature->node, feature->over);
	Call		call = {.level = feature->level, .over = ""};

	if (feature->base)
	{
		call.x = feature->base->expression;
		call.type = feature->base->type;
	}
	if (dated)
		call.time = timestamp_expression(dated->table->time->type, qualified_column(dated->alias, dated->table->time));
	if (sql->cutoff)
		call.cutoff = timestamp_expression(cutoff_type(query->request), sql->cutoff);
	return aggregate_call(feature->kind, &call);
}

/* From 1; 0 where it is not in the list. */
static int
position_in(const List *list, const void *member)
{
	for (int i = 0; i < list_length(list); i++)
		if (list_nth(list, i) == member)
			return i + 1;
	return 0;
}

/* Keys and aggregates, grouped; with a SELECT around it where there is one. */
static char *
rows_text(const GroupSql *sql, const char *outer, const char *inner)
{
	StringInfoData part;

	initStringInfo(&part);
	if (outer)
		appendStringInfo(&part, "%s\n\tFROM (", outer);
	appendStringInfoString(&part, "SELECT ");
	append_keys(&part, sql, true);
	appendStringInfo(&part, "%s\n\t%s\n\tGROUP BY ", inner, from_for(sql, PART_ROWS));
	append_keys(&part, sql, false);
	if (outer)
		appendStringInfoString(&part, ") AS rows");
	return part.data;
}

/* Is it a statistic of a column of numbers that double precision holds, so that ml._column_sums has it? */
static bool
is_column_sum(const Feature *feature)
{
	const Feature *base = feature->base;

	if (feature->kind < AGG_SUM || feature->kind > AGG_SD)
		return false;
	return base->type == INT2OID || base->type == INT4OID || base->type == FLOAT4OID || base->type == FLOAT8OID ||
		(base->type == INT8OID && base->over && aggregates[base->kind].zero && base->kind != AGG_SUM);
}

static bool
is_column_level(const Feature *feature)
{
	return feature->kind == AGG_MODE || feature->kind == AGG_DISTINCT;
}

/* Statistic of column i (from 1) in what ml._column_sums returns. */
static char *
column_sum(const Feature *feature, int i)
{
	static const int place[] = {[AGG_SUM] = 2, [AGG_MEAN] = 3, [AGG_MIN] = 4, [AGG_MAX] = 5, [AGG_SD] = 6};
	char	   *element = psprintf("sums[%d]", 6 * (i - 1) + place[feature->kind]);

	return feature->kind == AGG_SUM ? element : psprintf("nullif(%s, 'NaN')", element);
}

/* The same of ml._column_levels. */
static char *
column_level(const Feature *feature, int i)
{
	return psprintf("levels[%d]", feature->kind == AGG_DISTINCT ? 2 * i - 1 : 2 * i);
}

/* Values gathered in an array per row for one of these aggregates. */
typedef struct Gathered
{
	const char *aggregate;
	const char *result;
	Oid			type;			/* of the elements of the result */
	List	   *bases;			/* of Feature * */
	StringInfoData values;
} Gathered;

static int
gather(Gathered *gathered, Feature *base, const char *value)
{
	int			position = position_in(gathered->bases, base);

	if (position > 0)
		return position;
	if (gathered->bases == NIL)
		initStringInfo(&gathered->values);
	appendStringInfo(&gathered->values, gathered->bases ? ", %s" : "%s", value);
	gathered->bases = lappend(gathered->bases, base);
	return list_length(gathered->bases);
}

static void
append_gathered(StringInfo out, const Gathered *gathered)
{
	if (gathered->bases)
		appendStringInfo(out, ",\n\t\tml.%s(ARRAY[%s]::%s[]) AS %s", gathered->aggregate, gathered->values.data,
						 gathered->type == TEXTOID ? "text" : "float8", gathered->result);
}

/* What a feature is in the outer SELECT of its part; puts what that needs into the inner one. */
static char *
slot_expression(Draft *query, GroupSql *sql, const Feature *feature, Gathered *sums, Gathered *levels, StringInfo inner)
{
	Feature    *base = feature->base;
	char	   *element;
	Oid			type;

	if (is_column_level(feature))
	{
		element = column_level(feature, gather(levels, base, level_text(base->type, base->expression)));
		type = levels->type;
	}
	else if (is_column_sum(feature))
	{
		element = column_sum(feature, gather(sums, base, base->expression));
		type = sums->type;
	}
	else
	{
		appendStringInfo(inner, ",\n\t\t%s AS %s", call_in_group(query, sql, feature), feature->slot);
		return feature->slot;
	}
	if (feature->type != type)
		element = psprintf("%s::%s", element, qualified_type(feature->type));
	return psprintf("%s AS %s", element, feature->slot);
}

/* All statistics of columns of numbers come from one aggregate, in one pass, all that texts tell from another; others stand for themselves. */
static void
group_rows(Draft *query, GroupSql *sql)
{
	Gathered	sums = {.aggregate = "_column_sums", .result = "sums", .type = FLOAT8OID};
	Gathered	levels = {.aggregate = "_column_levels", .result = "levels", .type = TEXTOID};
	StringInfoData outer,
				inner;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&outer);
	initStringInfo(&inner);
	appendStringInfo(&outer, "SELECT %s", key_names(sql));
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);

		if (part_of(feature) != PART_ROWS)
			continue;
		appendStringInfo(&outer, ",\n\t\t%s", slot_expression(query, sql, feature, &sums, &levels, &inner));
		n++;
	}
	if (n == 0)
		return;
	append_gathered(&inner, &sums);
	append_gathered(&inner, &levels);
	sql->name[PART_ROWS] = add_part(query, rows_text(sql, sums.bases || levels.bases ? outer.data : NULL, inner.data));
}

/* Last values: the one last row per key. */
static void
group_last(Draft *query, GroupSql *sql)
{
	StringInfoData part,
				keys;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&part);
	initStringInfo(&keys);
	append_keys(&keys, sql, false);
	appendStringInfo(&part, "SELECT DISTINCT ON (%s) ", keys.data);
	append_keys(&part, sql, true);
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);

		if (part_of(feature) != PART_LAST)
			continue;
		appendStringInfo(&part, ", %s AS %s", feature->base->expression, feature->slot);
		n++;
	}
	if (n == 0)
		return;
	appendStringInfo(&part, "\n\t%s\n\tORDER BY %s, %s", from_for(sql, PART_LAST), keys.data, last_order(sql->group->node, sql->group->over));
	sql->name[PART_LAST] = add_part(query, part.data);
}

/* ---- nodes ---- */

/* The keys of a part are distinct: DISTINCT ON changes nothing, but lets the planner know, which otherwise might hash the larger side. */
static void
append_part_join(StringInfo joins, const char *part, const char *alias, int nkeys)
{
	if (nkeys == 1)
		appendStringInfo(joins, "\n\tLEFT JOIN (SELECT DISTINCT ON (k1) * FROM %s) AS %s ON ", part, alias);
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
	append_part_join(&node->joins, part, psprintf("%s_%s", node->alias, part), sql->per_row ? 2 : list_length(sql->keys));
	foreach(lc, sql->above)
		appendStringInfo(&node->joins, "%s%s_%s.k%d = %s", i ? " AND " : "", node->alias, part, i + 1, (char *) lfirst(lc)), i++;
	if (sql->per_row)
		appendStringInfo(&node->joins, " AND %s_%s.cutoff = %s", node->alias, part, scope_cutoff(query->request, node));
}

static void
join_group(Draft *query, const Aggregation *group)
{
	GroupSql	sql = {.group = group};
	Visit	   *node = group->node;
	ListCell   *lc;

	open_group(query, &sql);
	group_rows(query, &sql);
	group_last(query, &sql);
	for (int part = 0; part < NPARTKINDS; part++)
		join_part(query, node, &sql, sql.name[part]);
	foreach(lc, group->features)
	{
		Feature    *feature = lfirst(lc);
		char	   *column = psprintf("%s_%s.%s", node->alias, sql.name[part_of(feature)], feature->slot);

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
	append_part_join(&node->joins, add_part(query, part.data), alias, link->n);
	for (int i = 0; i < link->n; i++)
		appendStringInfo(&node->joins, "%s%s.k%d = %s", i ? " AND " : "", alias, i + 1,
						 qualified_column(node->alias, find_column(node->table, link->child_key[i])));
}

static void
join_above(Draft *query, Visit *node, Visit *above)
{
	Request    *request = query->request;
	char	   *alias = above->alias;
	bool		dated = request->cutoff != CUTOFF_NONE && above->table->time_declared;

	if ((above->groups || above->up) && !dated && !compares_cutoff(request, above))
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
	ListCell   *lc;

	initStringInfo(&node->joins);
	foreach(lc, node->down)
		open_node(query, lfirst(lc));
	foreach(lc, node->groups)
		join_group(query, lfirst(lc));
	foreach(lc, node->up)
		join_above(query, node, lfirst(lc));
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
