/*
 * walk.c
 *		The walk: from the target down to the rows that refer to it and up to the rows it refers to, and the features found on the way.
 *
 * The depth of a feature is the number of steps of reasoning in it, as in deep feature synthesis (Kanter and Veeramachaneni 2015): a column has
 * 0, an aggregate or a column of the row above one more than what it is made from.  Rows two keys below are aggregated directly too.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "synthesis/synthesis_internal.h"

#define MOST_VISITS 100000		/* in a schema where everything refers to everything they multiply with each step */

bool
feature_is_aggregated(const Feature *feature)
{
	return feature->over && feature->over->step == STEP_DOWN;
}

/* ---- names ---- */

/* "orders", or "flights[origin]" where the table alone does not tell the key. */
static char *
node_label(const Table *table, const Link *link, const Table *child)
{
	StringInfoData label;

	initStringInfo(&label);
	appendStringInfoString(&label, table->name);
	if (link && link->ambiguous)
		for (int i = 0; i < link->n; i++)
			appendStringInfo(&label, "%s%s%s", i == 0 ? "[" : ",", find_column(child, link->child_key[i])->name, i == link->n - 1 ? "]" : "");
	return label.data;
}

char *
node_path(const Visit *node)
{
	if (node->from == NULL)
		return pstrdup(node->label);
	return psprintf("%s %s %s", node_path(node->from), node->step == STEP_DOWN ? "<-" : "->", node->label);
}

/* A name that fits a column's, the rest of it as a hash. */
static char *
fitting_name(const char *name)
{
	int			length = (int) strlen(name);

	if (length < NAMEDATALEN)
		return pstrdup(name);
	return psprintf("%.*s~%08x", pg_mbcliplen(name, length, NAMEDATALEN - 10), name,
					hash_bytes((const unsigned char *) name, length));
}

/* The labels on the way down from a node to the rows below, "invoice.invoice_line". */
char *
labels_between(const Visit *node, const Visit *over)
{
	if (over->from == node)
		return over->label;
	return psprintf("%s.%s", labels_between(node, over->from), over->label);
}

/* Unlike the name of a feature it is never cut: names are made of it. */
static char *
full_name(const Feature *feature, const char *base)
{
	const char *rows;

	if (feature->over == NULL)
		return feature->column->name;
	if (feature->over->step == STEP_UP)
		return psprintf("%s.%s", feature->over->label, base);
	rows = labels_between(feature->node, feature->over);
	if (feature->kind == AGG_LEVEL)
		return psprintf("count(%s where %s = %s)", rows, base, feature->level);
	if (feature->base == NULL)
		return psprintf("%s(%s)", aggregates[feature->kind].name, rows);
	return psprintf("%s(%s.%s)", aggregates[feature->kind].name, rows, base);
}

/* ---- nodes ---- */

static Visit *
new_visit(Request *request, Visit *from, Link *link, Step step, int ordinal)
{
	Visit	   *node = palloc0(sizeof(Visit));
	Oid			relid = step == STEP_DOWN ? link->child : link->parent;

	CHECK_FOR_INTERRUPTS();
	if (++request->nvisits > MOST_VISITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d ways along foreign keys from table \"%s\"", MOST_VISITS, request->target->name),
				 errdetail("The walk was at %s.", node_path(from)),
				 errhint("Lower max_depth or exclude tables.")));
	node->table = find_table(request, relid);
	node->from = from;
	node->link = link;
	node->step = step;
	node->level = from->level + 1;
	node->label = node_label(node->table, link, find_table(request, link->child));
	node->alias = step == STEP_DOWN ? psprintf("c%d", node->level) : psprintf("%s_%d", from->alias, ordinal);
	return node;
}

static void
take_note(Request *request, const Visit *node, const char *text)
{
	Note	   *note = palloc0(sizeof(Note));
	ListCell   *lc;

	note->path = node_path(node);
	note->text = psprintf("%s: %s", node->table->name, text);
	foreach(lc, request->notes)
		if (strcmp(((Note *) lfirst(lc))->text, note->text) == 0)
			return;
	request->notes = lappend(request->notes, note);
}

static bool
key_is_readable(const Table *table, const AttrNumber *key, int n)
{
	for (int i = 0; i < n; i++)
		if (!find_column(table, key[i])->readable)
			return false;
	return true;
}

/* Is a row of this node known to be before the cutoff: by its own date or by that of a row between it and where its aggregates go? */
bool
path_is_dated(const Visit *node, const Visit *over)
{
	return dating_node(node, over) != NULL;
}

const Visit *
dating_node(const Visit *node, const Visit *over)
{
	for (; over != node; over = over->from)
		if (over->table->time)
			return over;
	return NULL;
}

/* Rows that no date puts before the cutoff do not count, unless they were declared timeless. */
static bool
may_go_down(Request *request, const Visit *node)
{
	const Visit *above = node;

	if (request->cutoff == CUTOFF_NONE || node->table->timeless || node->table->time)
		return true;
	while (above->step == STEP_DOWN && above->table->time == NULL)
		above = above->from;
	if (above->step == STEP_DOWN)
		return true;
	take_note(request, node, psprintf("left out: nothing tells which of its rows are before the cutoff; %s", node->table->note));
	return false;
}

static bool
may_visit(Request *request, const Visit *node)
{
	const Link *link = node->link;
	const Table *child = find_table(request, link->child);
	const Table *parent = find_table(request, link->parent);

	if (node->table->left_out)
	{
		if (node->table->note)
			take_note(request, node, node->table->note);
		return false;
	}
	if (!key_is_readable(child, link->child_key, link->n) || !key_is_readable(parent, link->parent_key, link->n))
	{
		take_note(request, node, "left out: you may not read the columns of its foreign key");
		return false;
	}
	return node->step == STEP_UP || may_go_down(request, node);
}

/* ---- features ---- */

static bool
same_name(Visit *node, const char *name)
{
	ListCell   *lc;

	foreach(lc, node->features)
		if (strcmp(((Feature *) lfirst(lc))->name, name) == 0)
			return true;
	return false;
}

static Feature *
add_feature(Request *request, Feature *feature, const char *base_name)
{
	Visit	   *node = feature->node;

	CHECK_FOR_INTERRUPTS();
	feature->name = full_name(feature, base_name);
	if (node->from == NULL)
	{
		feature->name = fitting_name(feature->name);
		if (is_excluded(request, feature->name))
			return NULL;
		for (int i = 2; same_name(node, feature->name); i++)
			feature->name = fitting_name(psprintf("%s#%d", full_name(feature, base_name), i));
	}
	if (list_length(node->features) >= request->max_features)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d features of table \"%s\"", request->max_features, node->table->name),
				 errdetail("The walk was at %s.", node_path(feature->over ? feature->over : node)),
				 errhint("Lower max_depth or top_values, name fewer aggregates, exclude tables or columns%s.",
						 request->max_features < MOST_FEATURES ? psprintf(", or raise max_features (at most %d)", MOST_FEATURES) : "")));
	node->features = lappend(node->features, feature);
	return feature;
}

/* Of other tables than the target, keys are no features of rows: their values are only counted, from below. */
static void
add_columns(Request *request, Visit *node)
{
	ListCell   *lc;

	foreach(lc, node->table->columns)
	{
		Column	   *column = lfirst(lc);
		Feature    *feature;

		if ((node->from == NULL && is_excluded(request, column->name)) || column->left_out)
			continue;
		feature = palloc0(sizeof(Feature));
		feature->node = node;
		feature->column = column;
		feature->type = column->type;
		feature->role = column->role;
		add_feature(request, feature, column->name);
	}
}

static bool
in_key(const Feature *feature, const AttrNumber *key, int n)
{
	if (feature->over)
		return false;
	for (int i = 0; i < n; i++)
		if (feature->column->attnum == key[i])
			return true;
	return false;
}

/* A walk up some keys and down the same ones meets the row it came from. */
static bool
rows_include_target(const Visit *node, const Visit *over)
{
	List	   *down = NIL;
	ListCell   *lc;

	for (; over != node; over = over->from)
		down = lcons(over->link, down);
	foreach(lc, down)
	{
		if (node->step != STEP_UP || node->link != lfirst(lc))
			return false;
		node = node->from;
		if (node->step == STEP_ROOT)
			return true;
	}
	return false;
}

static Feature *
aggregate_feature(Aggregation *group, AggregateKind kind, Feature *base)
{
	Feature    *feature = palloc0(sizeof(Feature));

	feature->node = group->node;
	feature->over = group->over;
	feature->base = base;
	feature->kind = kind;
	feature->type = aggregate_type(kind, base ? base->type : InvalidOid);
	feature->role = aggregate_role(kind, base ? base->role : ROLE_OTHER);
	feature->depth = base ? base->depth + 1 : 1;
	feature->zero = aggregates[kind].zero;
	feature->includes_itself = (base && base->includes_itself) || rows_include_target(group->node, group->over);
	return feature;
}

static void
add_to_group(Request *request, Aggregation *group, AggregateKind kind, Feature *base, const char *level)
{
	Feature    *feature = aggregate_feature(group, kind, base);

	feature->level = level;
	if (add_feature(request, feature, base ? base->name : NULL) == NULL)
		return;
	feature->slot = psprintf("f%d", list_length(group->features) + 1);
	group->features = lappend(group->features, feature);
}

static bool
is_wanted(const Request *request, const Aggregation *group, AggregateKind kind)
{
	if (kind == AGG_LAST && group->over->table->key == NIL)
		return false;			/* nothing would decide between rows of one time */
	return (request->aggregates & (UINT32_C(1) << kind)) != 0 &&
		(!aggregates[kind].needs_time || path_is_dated(group->node, group->over)) &&
		(!aggregates[kind].needs_cutoff || request->cutoff != CUTOFF_NONE);
}

static void
aggregate_base(Request *request, Aggregation *group, Feature *base)
{
	const Link *link = group->over->link;
	ListCell   *lc;

	if (in_key(base, link->child_key, link->n) || (base->over == NULL && list_length(group->over->table->key) == 1 && base->column == linitial(group->over->table->key)))
		return;
	for (int kind = 0; kind < NAGGREGATES; kind++)
	{
		if (!is_wanted(request, group, kind) || !aggregate_takes(kind, base))
			continue;
		if (kind != AGG_LEVEL)
		{
			add_to_group(request, group, kind, base, NULL);
			continue;
		}
		if (base->over)
			continue;
		foreach(lc, find_levels(request, group->over, base->column))
			add_to_group(request, group, kind, base, lfirst(lc));
	}
}

/* All aggregates that go to one node from the rows of another below it. */
static void
add_group(Request *request, Visit *node, Visit *over, int max_depth)
{
	static const AggregateKind of_rows[] = {AGG_COUNT, AGG_DAYS_SINCE_LAST, AGG_DAYS_SINCE_FIRST};
	Aggregation	   *group = palloc0(sizeof(Aggregation));
	ListCell   *lc;

	group->node = node;
	group->over = over;
	for (size_t i = 0; i < lengthof(of_rows); i++)
		if (is_wanted(request, group, of_rows[i]))
			add_to_group(request, group, of_rows[i], NULL, NULL);
	foreach(lc, over->features)
		if (((Feature *) lfirst(lc))->depth < max_depth)
			aggregate_base(request, group, lfirst(lc));
	if (group->features != NIL)
		node->groups = lappend(node->groups, group);
}

/* The row above: what is known of it is known of us. */
static void
add_direct(Request *request, Visit *node, Visit *above)
{
	const Link *link = above->link;
	ListCell   *lc;

	foreach(lc, above->features)
	{
		Feature    *base = lfirst(lc);
		Feature    *feature;

		if (base->role == ROLE_ID || in_key(base, link->parent_key, link->n))
			continue;
		feature = palloc0(sizeof(Feature));
		*feature = *base;
		feature->node = node;
		feature->over = above;
		feature->base = base;
		feature->depth = base->depth + 1;
		feature->zero = false;
		add_feature(request, feature, base->name);
	}
}

/* ---- the walk ---- */

static void walk(Request *request, Visit *node, int budget);

static void
walk_down(Request *request, Visit *node, int budget)
{
	ListCell   *lc;

	foreach(lc, request->links)
	{
		Link	   *link = lfirst(lc);
		Visit	   *child;

		if (link->parent != node->table->relid)
			continue;
		child = new_visit(request, node, link, STEP_DOWN, 0);
		if (!may_visit(request, child))
			continue;
		walk(request, child, budget - 1);
		node->down = lappend(node->down, child);
	}
}

/* Groups over all rows below, near and far. */
static void
add_groups_below(Request *request, Visit *node, Visit *over, int max_depth)
{
	ListCell   *lc;

	foreach(lc, over->down)
	{
		add_group(request, node, lfirst(lc), max_depth);
		add_groups_below(request, node, lfirst(lc), max_depth);
	}
}

/* Not back to where we came from down this key: that row is the one we are aggregated for. */
static void
walk_up(Request *request, Visit *node, int budget)
{
	ListCell   *lc;
	int			ordinal = 0;

	foreach(lc, request->links)
	{
		Link	   *link = lfirst(lc);
		Visit	   *above;

		if (link->child != node->table->relid || (node->step == STEP_DOWN && link == node->link))
			continue;
		above = new_visit(request, node, link, STEP_UP, ++ordinal);
		if (!may_visit(request, above))
			continue;
		walk(request, above, budget - 1);
		node->up = lappend(node->up, above);
		add_direct(request, node, above);
	}
}

static void
walk(Request *request, Visit *node, int budget)
{
	check_stack_depth();
	add_columns(request, node);
	if (budget == 0)
		return;
	walk_down(request, node, budget);
	add_groups_below(request, node, node, budget);
	walk_up(request, node, budget);
}

static void
refuse_lonely_table(const Request *request)
{
	ListCell   *lc;

	foreach(lc, request->links)
		if (((Link *) lfirst(lc))->child == request->target->relid || ((Link *) lfirst(lc))->parent == request->target->relid)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no foreign key and none refers to it", request->target->name),
			 get_rel_relispartition(request->target->relid) ? errhint("It is a partition: name the partitioned table, whose foreign keys count.") :
			 errhint("Features are found along declared foreign keys: ALTER TABLE ... ADD FOREIGN KEY (...) REFERENCES ... (NOT VALID where old rows do not fit).")));
}

Visit *
walk_from_target(Request *request)
{
	Visit	   *root = palloc0(sizeof(Visit));

	root->table = request->target;
	root->step = STEP_ROOT;
	root->alias = "t";
	root->label = request->target->name;
	if (request->max_depth > 0)
		refuse_lonely_table(request);
	walk(request, root, request->max_depth);
	check_names(request);
	return root;
}
