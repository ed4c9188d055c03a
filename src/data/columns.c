/*
 * columns.c
 *		Names in a request -> columns of the source, each checked, with a way out in every refusal.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "data/data_internal.h"

/* ---- names ---- */

#define FARTHEST 3				/* edits between a name and its suggestion, as the server has it for columns */
#define LEAST_PART 3			/* bytes that a name shares with its suggestion, where they stand inside it */
#define COLUMNS_LISTED 20
#define UNRELATED 100

static bool
starts_with(const char *text, const char *start)
{
	return pg_strncasecmp(text, start, strlen(start)) == 0;
}

static bool
has_inside(const char *text, const char *part)
{
	for (; *text != '\0'; text++)
		if (starts_with(text, part))
			return true;
	return false;
}

/* How far a name is from the one wanted: but for its case; by one edit; its beginning; a part of it; by more edits. */
static int
name_distance(const char *wanted, const char *name)
{
	int			length = (int) strlen(wanted);
	int			most = Min(FARTHEST, (length + 1) / 2);
	int			edits;

	if (pg_strcasecmp(name, wanted) == 0)
		return 0;
	edits = varstr_levenshtein_less_equal(wanted, length, name, (int) strlen(name), 1, 1, 1, most, true);
	if (edits <= Min(most, 1))
		return 1;
	if (length > 0 && starts_with(name, wanted))
		return 2;
	if (length >= LEAST_PART && has_inside(name, wanted))
		return 3;
	return edits <= most ? 2 + edits : UNRELATED;
}

const char *
nearest_first(const char *wanted, const char **names, int n)
{
	const char *nearest = NULL;
	int			distance = UNRELATED;
	int			at = 0;

	for (int i = 0; i < n; i++)
	{
		int			found = name_distance(wanted, names[i]);

		if (found >= distance)
			continue;
		distance = found;
		nearest = names[i];
		at = i;
	}
	memmove(names + 1, names, at * sizeof(char *));
	if (nearest != NULL)
		names[0] = nearest;
	return nearest;
}

char *
valid_names_hint(const char *wanted, const char **names, int n, const char *what)
{
	const char *nearest = nearest_first(wanted, names, n);
	StringInfoData hint;

	initStringInfo(&hint);
	if (nearest != NULL)
		appendStringInfo(&hint, "Perhaps you meant \"%s\". ", nearest);
	appendStringInfo(&hint, "Valid %s are ", what);
	for (int i = 0; i < n; i++)
		appendStringInfo(&hint, "%s%s", i ? ", " : "", names[i]);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

static const char *
attribute_name(const Source *source, int column)
{
	return NameStr(TupleDescAttr(source->tupdesc, column)->attname);
}

static Oid
attribute_type(const Source *source, int column)
{
	return TupleDescAttr(source->tupdesc, column)->atttypid;
}

int
source_column(const Source *source, const char *name)
{
	int			found = 0;

	for (int i = 0; i < source->tupdesc->natts; i++)
	{
		if (strcmp(attribute_name(source, i), name) != 0)
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("source has more than one column \"%s\"", name),
					 errhint("Give the columns of the source different names with AS.")));
		found = i + 1;
	}
	return found;
}

char *
source_column_hint(const Source *source, const char *wanted)
{
	int			n = source->tupdesc->natts;
	const char **names = palloc((n + 1) * sizeof(char *));
	const char *nearest;
	StringInfoData list;

	for (int i = 0; i < n; i++)
		names[i] = attribute_name(source, i);
	nearest = nearest_first(wanted, names, n);
	if (nearest)
		return psprintf("Perhaps you meant \"%s\".", nearest);
	if (n == 0)
		return "The source has no columns.";
	initStringInfo(&list);
	appendStringInfoString(&list, "Its columns are ");
	for (int i = 0; i < Min(n, COLUMNS_LISTED); i++)
		appendStringInfo(&list, "%s%s", i ? ", " : "", quote_identifier(names[i]));
	appendStringInfoString(&list, n > COLUMNS_LISTED ? ", ..." : ".");
	return list.data;
}

/* 0-based column; "role" says what the name was given for. */
static int
need_column(const Source *source, const char *name, const char *role)
{
	int			attribute = source_column(source, name);

	if (attribute == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source has no column \"%s\", given as %s", name, role),
				 errhint("%s", source_column_hint(source, name))));
	return attribute - 1;
}

static int
optional_column(const Source *source, const char *name, const char *role)
{
	return name ? need_column(source, name, role) : -1;
}

/* ---- roles ---- */

/* Mark the columns of a list; returns (natts) flags. */
static bool *
mark_columns(const Source *source, List *names, const char *role)
{
	bool	   *marked = palloc0((source->tupdesc->natts + 1) * sizeof(bool));
	ListCell   *cell;

	foreach(cell, names)
		marked[need_column(source, lfirst(cell), role)] = true;
	return marked;
}

static void
refuse_column(const Source *source, int column, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" %s", attribute_name(source, column), problem)));
}

static void
refuse_type(const Source *source, int column, const char *role, bool feature)
{
	const char *name = quote_identifier(attribute_name(source, column));

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" has type %s, which cannot be %s", attribute_name(source, column),
					format_type_be(attribute_type(source, column)), role),
			 errdetail("Columns may be numbers, boolean, text, enum, uuid, date, timestamp, time or interval."),
			 feature ? errhint("Name it in \"exclude\", or cast it in the source, for example %s::text.", name) :
			 errhint("Cast it in the source, for example %s::text.", name)));
}

/* The flags that say how a feature is to be read, against the column's type. */
static ColumnKind
feature_kind(const Source *source, int column, bool as_category, bool as_number)
{
	ColumnKind	kind;
	CellReader	reader;

	if (!kind_of_type(attribute_type(source, column), &kind))
		refuse_type(source, column, "a feature", true);
	if (as_category && as_number)
		refuse_column(source, column, "is named both as a category and as a number");
	if (as_category)
		return KIND_CATEGORY;
	if (!as_number)
		return kind;
	if (!cell_reader_init(&reader, attribute_type(source, column), KIND_NUMBER, NULL))
		refuse_type(source, column, "read as a number", true);
	return KIND_NUMBER;
}

/* A name may stand twice among columns nobody reads, but not among the features. */
static void
refuse_duplicate(const Source *source, int column)
{
	(void) source_column(source, attribute_name(source, column));
}

static void
resolve_features(const FrameRequest *request, const Source *source, Roles *roles)
{
	int			natts = source->tupdesc->natts;
	bool	   *listed = mark_columns(source, request->features, "a feature");
	bool	   *excluded = mark_columns(source, request->exclude, "a column to exclude");
	bool	   *category = mark_columns(source, request->categories, "a category");
	bool	   *number = mark_columns(source, request->numbers, "a number");
	bool	   *prepared = mark_columns(source, request->prepared, "a column to prepare");
	bool	   *needed = mark_columns(source, request->needed, "a column to make features of");

	roles->feature = palloc((natts + 1) * sizeof(int));
	roles->feature_kind = palloc((natts + 1) * sizeof(ColumnKind));
	roles->feature_aside = palloc0((natts + 1) * sizeof(bool));
	for (int i = 0; i < natts; i++)
	{
		bool		taken = request->features ? listed[i] : i != roles->target && i != roles->key && i != roles->weight && i != roles->group;

		if (i == roles->target && listed[i])
			refuse_column(source, i, "is the target and cannot be a feature");
		if (i == roles->target && excluded[i])
			refuse_column(source, i, "is the target and cannot be excluded");
		if (listed[i] && excluded[i])
			refuse_column(source, i, "is named both as a feature and as excluded");
		if (i == roles->target && needed[i])
			refuse_column(source, i, "is the target; no feature can be made of it");
		taken = taken && !excluded[i];
		if (taken || needed[i])
		{
			roles->feature_aside[roles->nfeatures] = !taken;
			refuse_duplicate(source, i);
			roles->feature_kind[roles->nfeatures] = feature_kind(source, i, category[i], number[i]);
			roles->feature[roles->nfeatures++] = i;
		}
		if (!taken && prepared[i])
			refuse_column(source, i, "is named in preprocess but is no feature");
		if (!taken && !needed[i] && (category[i] || number[i]))
			refuse_column(source, i, category[i] ? "is named as a category but is no feature" : "is named as a number but is no feature");
	}
	if (roles->nfeatures == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 request->target ? errmsg("source has no column to learn from besides the target \"%s\"", request->target) :
				 errmsg("source has no column to learn from")));
}

static void
check_role_types(const Source *source, const Roles *roles)
{
	ColumnKind	kind;

	if (roles->key >= 0 && !kind_of_type(attribute_type(source, roles->key), &kind))
		refuse_type(source, roles->key, "the key", false);
	if (roles->group >= 0 && !kind_of_type(attribute_type(source, roles->group), &kind))
		refuse_type(source, roles->group, "the group", false);
	if (roles->stratum >= 0 && !kind_of_type(attribute_type(source, roles->stratum), &kind))
		refuse_type(source, roles->stratum, "what the split is stratified by", false);
	if (roles->time >= 0 &&
		(!kind_of_type(attribute_type(source, roles->time), &kind) || (kind != KIND_TIMESTAMP && kind != KIND_NUMBER)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot order the rows by time", attribute_name(source, roles->time),
						format_type_be(attribute_type(source, roles->time))),
				 errhint("Name a date, timestamp or numeric column as \"time_column\".")));
	if (roles->weight >= 0 &&
		(!kind_of_type(attribute_type(source, roles->weight), &kind) || kind != KIND_NUMBER))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot be the weight of rows", attribute_name(source, roles->weight),
						format_type_be(attribute_type(source, roles->weight))),
				 errhint("Name a numeric column as \"weights\".")));
}

/* After narrowing: the place of each column among the wanted ones. */
static int
renumber(const int *place, int column)
{
	return column < 0 ? -1 : place[column];
}

static void
narrow_to_roles(Source *source, Roles *roles)
{
	int			natts = source->tupdesc->natts;
	bool	   *wanted = palloc0((natts + 1) * sizeof(bool));
	int		   *place = palloc0((natts + 1) * sizeof(int));
	const int	single[] = {roles->target, roles->key, roles->time, roles->weight, roles->group, roles->stratum};
	int			n = 0;

	for (int i = 0; i < roles->nfeatures; i++)
		wanted[roles->feature[i]] = true;
	for (int i = 0; i < (int) lengthof(single); i++)
		if (single[i] >= 0)
			wanted[single[i]] = true;
	for (int i = 0; i < natts; i++)
		if (wanted[i])
			place[i] = n++;
	source_narrow(source, wanted);
	for (int i = 0; i < roles->nfeatures; i++)
		roles->feature[i] = place[roles->feature[i]];
	roles->target = renumber(place, roles->target);
	roles->key = renumber(place, roles->key);
	roles->time = renumber(place, roles->time);
	roles->weight = renumber(place, roles->weight);
	roles->group = renumber(place, roles->group);
	roles->stratum = renumber(place, roles->stratum);
}

void
roles_resolve(const FrameRequest *request, Source *source, Roles *roles)
{
	memset(roles, 0, sizeof(Roles));
	roles->target = optional_column(source, request->target, "the target");
	roles->key = optional_column(source, request->key, "the key");
	roles->time = optional_column(source, request->time, "the time");
	roles->weight = optional_column(source, request->weight, "the weight");
	roles->group = optional_column(source, request->group, "the group");
	roles->stratum = optional_column(source, request->stratify, "what the split is stratified by");
	if (roles->target >= 0 && roles->key == roles->target)
		refuse_column(source, roles->target, "cannot be both the target and the key");
	if (roles->target >= 0 && roles->time == roles->target)
		refuse_column(source, roles->target, "cannot be both the target and the time");
	if (roles->target >= 0 && roles->weight == roles->target)
		refuse_column(source, roles->target, "cannot be both the target and the weight");
	if (roles->target >= 0 && roles->group == roles->target)
		refuse_column(source, roles->target, "cannot be both the target and the group");
	resolve_features(request, source, roles);
	check_role_types(source, roles);
	narrow_to_roles(source, roles);
}
