/*
 * groups.c
 *		SELECT ... GROUP BY: the aggregates of one group, and the values of its last rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "synthesis/query_internal.h"

/* "k1, k2, cutoff": the keys by the names they have in a part. */
char *
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

PartKind
part_of(const Feature *feature)
{
	return feature->kind == AGG_LAST ? PART_LAST : PART_ROWS;
}

/* Where all values are columns of the rows themselves, nothing needs to be joined to them. */
const char *
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

char *
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

/* From 1; a text that is not in the list yet is added to it. */
int
position_of(List **texts, const char *text)
{
	ListCell   *lc;

	foreach(lc, *texts)
		if (strcmp(lfirst(lc), text) == 0)
			return foreach_current_index(lc) + 1;
	*texts = lappend(*texts, pstrdup(text));
	return list_length(*texts);
}

/* "a, b, c" */
char *
listed(const List *texts)
{
	StringInfoData list;
	ListCell   *lc;

	initStringInfo(&list);
	foreach(lc, texts)
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", (char *) lfirst(lc));
	return list.data;
}

/* Keys and aggregates, grouped; with a SELECT around it where there is one. */
char *
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

bool
is_gathered(const Feature *feature)
{
	return is_column_level(feature) || is_column_sum(feature);
}

static void
append_gathered(StringInfo out, const Gathered *gathered)
{
	if (gathered->values)
		appendStringInfo(out, ",\n\t\tml.%s(ARRAY[%s]::%s[]) AS %s", gathered->aggregate, listed(gathered->values), gathered->type, gathered->result);
}

/* What a feature is in terms of the results of our aggregates, to which its values are added; NULL where it is none of these. */
char *
gathered_slot(const Feature *feature, Gathered *sums, Gathered *levels)
{
	Feature    *base = feature->base;
	char	   *element;
	Oid			type;

	if (is_column_level(feature))
	{
		element = column_level(feature, position_of(&levels->values, level_text(base->type, base->expression)));
		type = TEXTOID;
	}
	else if (is_column_sum(feature))
	{
		element = column_sum(feature, position_of(&sums->values, base->expression));
		type = FLOAT8OID;
	}
	else
		return NULL;
	if (feature->type != type)
		element = psprintf("%s::%s", element, qualified_type(feature->type));
	return psprintf("%s AS %s", element, feature->slot);
}

/* All statistics of columns of numbers come from one aggregate, in one pass, all that texts tell from another; others stand for themselves. */
void
group_rows(Draft *query, GroupSql *sql)
{
	Gathered	sums = GATHERED_SUMS;
	Gathered	levels = GATHERED_LEVELS;
	StringInfoData outer,
				inner;
	Entry	   *entry;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&outer);
	initStringInfo(&inner);
	appendStringInfo(&outer, "SELECT %s", key_names(sql));
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);
		char	   *slot;

		if (part_of(feature) != PART_ROWS)
			continue;
		n++;
		slot = gathered_slot(feature, &sums, &levels);
		if (slot == NULL)
		{
			slot = feature->slot;
			appendStringInfo(&inner, ",\n\t\t%s AS %s", call_in_group(query, sql, feature), slot);
		}
		appendStringInfo(&outer, ",\n\t\t%s", slot);
	}
	if (n == 0)
		return;
	append_gathered(&inner, &sums);
	append_gathered(&inner, &levels);
	entry = add_part(query, rows_text(sql, sums.values || levels.values ? outer.data : NULL, inner.data));
	sql->name[PART_ROWS] = entry->name;
	if (may_share(sql))
		entry->group = sql;
}

/* Last values: the one last row per key. */
void
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
	sql->name[PART_LAST] = add_part(query, part.data)->name;
}
