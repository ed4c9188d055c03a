/*
 * shared.c
 *		Groupings of the same rows by several keys: the rows are read once and grouped by all these keys together; these few groups, with the
 *		states of our aggregates, are grouped again by each key.
 */
#include "postgres.h"

#include "synthesis/query_internal.h"

/* What the grouping by all keys yields. */
typedef struct Sharing
{
	List	   *keys;			/* of char *: kN is the Nth */
	List	   *counts;			/* of char *: nN is the Nth */
	Gathered	sums;
	Gathered	levels;
} Sharing;

static bool
is_count(const Feature *feature)
{
	return feature->kind == AGG_COUNT || feature->kind == AGG_LEVEL;
}

/* Only of counts and the results of our aggregates is the whole known from its parts. */
bool
may_share(const GroupSql *sql)
{
	ListCell   *lc;

	if (sql->per_row)
		return false;
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);

		if (part_of(feature) == PART_ROWS && !is_count(feature) && !is_gathered(feature))
			return false;
	}
	return true;
}

/* ---- which entries ---- */

static int
fewest_first(const ListCell *a, const ListCell *b)
{
	const GroupSql *x = ((const Entry *) lfirst(a))->group,
			   *y = ((const Entry *) lfirst(b))->group;
	double		difference = combinations(x->table, x->columns) - combinations(y->table, y->columns);

	return difference < 0 ? -1 : difference > 0;
}

/* All entries that group the rows of this one, as long as the combinations of their keys are few: the fewest first. */
static List *
those_with(const Draft *query, const Entry *like)
{
	const Table *table = like->group->table;
	List	   *candidates = NIL,
			   *columns = NIL,
			   *entries = NIL;
	ListCell   *lc;

	foreach(lc, query->parts)
	{
		const Entry *entry = lfirst(lc);

		if (entry->group && strcmp(from_for(entry->group, PART_ROWS), from_for(like->group, PART_ROWS)) == 0)
			candidates = lappend(candidates, lfirst(lc));
	}
	list_sort(candidates, fewest_first);
	foreach(lc, candidates)
	{
		columns = list_concat_unique_ptr(columns, ((const Entry *) lfirst(lc))->group->columns);
		if (combinations(table, columns) * ROWS_PER_COMBINATION > estimated_rows(table))
			break;
		entries = lappend(entries, lfirst(lc));
	}
	return entries;
}

/* ---- their text ---- */

static void
append_result(StringInfo out, const Gathered *gathered)
{
	if (gathered->values)
		appendStringInfo(out, ",\n\t\tml.%s(%s) AS %s", gathered->aggregate, gathered->result, gathered->result);
}

/* What the entry is in terms of the groups by all keys, which yield what it needs. */
static char *
regrouped(Draft *query, Sharing *sharing, const GroupSql *sql, const char *source)
{
	StringInfoData part,
				keys,
				inner;
	ListCell   *lc;

	initStringInfo(&part);
	initStringInfo(&keys);
	initStringInfo(&inner);
	appendStringInfo(&part, "SELECT %s", key_names(sql));
	foreach(lc, sql->keys)
	{
		int			position = position_of(&sharing->keys, lfirst(lc));

		appendStringInfo(&keys, "%sk%d", keys.len ? ", " : "", position);
		appendStringInfo(&inner, "%sk%d AS k%d", inner.len ? ", " : "", position, foreach_current_index(lc) + 1);
	}
	foreach(lc, sql->group->features)
	{
		const Feature *feature = lfirst(lc);

		if (part_of(feature) != PART_ROWS)
			continue;
		appendStringInfo(&part, ",\n\t\t%s", is_count(feature) ? feature->slot : gathered_slot(feature, &sharing->sums, &sharing->levels));
		if (is_count(feature))
			appendStringInfo(&inner, ",\n\t\tsum(n%d)::bigint AS %s", position_of(&sharing->counts, call_in_group(query, sql, feature)), feature->slot);
	}
	if (sql->group->features)
	{
		append_result(&inner, &sharing->sums);
		append_result(&inner, &sharing->levels);
	}
	appendStringInfo(&part, "\n\tFROM (SELECT %s\n\tFROM %s\n\tGROUP BY %s) AS rows", inner.data, source, keys.data);
	return part.data;
}

static void
append_state(StringInfo out, const Gathered *gathered)
{
	if (gathered->values)
		appendStringInfo(out, ",\n\t\tml.%s_state(ARRAY[%s]::%s[]) AS %s", gathered->aggregate, listed(gathered->values), gathered->type, gathered->result);
}

static char *
grouped_by_all(const Sharing *sharing, const char *from)
{
	StringInfoData part;
	ListCell   *lc;

	initStringInfo(&part);
	foreach(lc, sharing->keys)
		appendStringInfo(&part, "%s%s AS k%d", part.len ? ", " : "SELECT ", (char *) lfirst(lc), foreach_current_index(lc) + 1);
	foreach(lc, sharing->counts)
		appendStringInfo(&part, ",\n\t\t%s AS n%d", (char *) lfirst(lc), foreach_current_index(lc) + 1);
	append_state(&part, &sharing->sums);
	append_state(&part, &sharing->levels);
	appendStringInfo(&part, "\n\t%s\n\tGROUP BY %s", from, listed(sharing->keys));
	return part.data;
}

/* Before its first user. */
static void
share(Draft *query, const List *entries)
{
	Sharing		sharing = {.sums = GATHERED_SUMS, .levels = GATHERED_LEVELS};
	const char *from = from_for(((Entry *) linitial(entries))->group, PART_ROWS);
	Entry	   *source = palloc0(sizeof(Entry));
	int			place = list_length(query->parts);
	ListCell   *lc;

	source->name = psprintf("g%d", list_length(query->parts) + 1);
	foreach(lc, entries)
	{
		Entry	   *entry = lfirst(lc);

		entry->sql = regrouped(query, &sharing, entry->group, source->name);
		entry->group = NULL;
		for (int i = 0; i < place; i++)
			if (list_nth(query->parts, i) == entry)
				place = i;
	}
	source->sql = grouped_by_all(&sharing, from);
	query->parts = list_insert_nth(query->parts, place, source);
}

void
share_groupings(Draft *query)
{
	ListCell   *lc;

	foreach(lc, list_copy(query->parts))
	{
		const Entry *entry = lfirst(lc);
		List	   *entries = entry->group ? those_with(query, entry) : NIL;

		if (list_length(entries) > 1)
			share(query, entries);
	}
}
