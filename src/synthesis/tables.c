/*
 * tables.c
 *		Tables, their columns and the foreign keys between them, from the catalog; frequent values from the tables themselves.
 *
 * The catalog is read as it is; what the caller may not read is marked, and left out with a note.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "synthesis/synthesis_internal.h"

#define LEVEL_SHARE 20			/* a frequent value is one of at least 1 in so many rows */

/* ---- columns ---- */

bool
is_time_type(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

Column *
find_column(const Table *table, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, table->columns)
		if (((Column *) lfirst(lc))->attnum == attnum)
			return lfirst(lc);
	return NULL;
}

Column *
find_column_named(const Table *table, const char *name)
{
	ListCell   *lc;

	foreach(lc, table->columns)
		if (strcmp(((Column *) lfirst(lc))->name, name) == 0)
			return lfirst(lc);
	return NULL;
}

static Role
role_of(Oid type)
{
	ColumnKind	kind;

	if (!kind_of_type(type, &kind))
		return ROLE_ID;			/* kept only where it is a key */
	switch (kind)
	{
		case KIND_NUMBER:
			return ROLE_NUMBER;
		case KIND_BOOLEAN:
			return ROLE_BOOLEAN;
		case KIND_CATEGORY:
			return ROLE_CATEGORY;
		case KIND_TIMESTAMP:
			return ROLE_TIME;
		default:
			return ROLE_OTHER;
	}
}

static bool
may_read(Oid relid, AttrNumber attnum)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relid, attnum, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

static void
add_column(Request *request, Table *table, Form_pg_attribute attribute)
{
	Column	   *column;
	ColumnKind	kind;

	if (attribute->attisdropped)
		return;
	column = palloc0(sizeof(Column));
	column->attnum = attribute->attnum;
	column->name = pstrdup(NameStr(attribute->attname));
	column->quoted = pstrdup(quote_identifier(column->name));
	column->type = getBaseType(attribute->atttypid);
	column->role = role_of(column->type);
	column->not_null = attribute->attnotnull;
	column->readable = may_read(table->relid, column->attnum);
	column->left_out = !column->readable || !kind_of_type(column->type, &kind) ||
		is_excluded(request, psprintf("%s.%s", table->name, column->name));
	table->columns = lappend(table->columns, column);
}

/* A column that alone is the primary key, or alone a foreign key that is no text, says nothing by its value. */
static void
mark_ids(Request *request, Table *table)
{
	ListCell   *lc;

	if (list_length(table->key) == 1)
		((Column *) linitial(table->key))->role = ROLE_ID;
	foreach(lc, request->links)
	{
		const Link *link = lfirst(lc);

		if (link->child == table->relid && link->n == 1)
		{
			Column	   *column = find_column(table, link->child_key[0]);

			if (!is_text_type(column->type))
				column->role = ROLE_ID;
		}
	}
}

static void
load_columns(Request *request, Table *table)
{
	Relation	relation = table_open(table->relid, AccessShareLock);
	Oid			constraint;
	Bitmapset  *key;
	ListCell   *lc;

	for (int i = 0; i < relation->rd_att->natts; i++)
		add_column(request, table, TupleDescAttr(relation->rd_att, i));
	key = get_primary_key_attnos(table->relid, true, &constraint);
	for (int member = -1; (member = bms_next_member(key, member)) >= 0;)
		table->key = lappend(table->key, find_column(table, member + FirstLowInvalidHeapAttributeNumber));
	table_close(relation, NoLock);
	mark_ids(request, table);
	foreach(lc, table->key)
		if (!((Column *) lfirst(lc))->readable)
		{
			table->key = NIL;	/* nothing can be ordered by it */
			break;
		}
}

/* ---- statistics ---- */

/* As of the last ANALYZE or VACUUM; 0 where there was none. */
double
estimated_rows(const Table *table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table->relid));
	double		rows;

	if (!HeapTupleIsValid(tuple))
		return 0;
	rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return Max(rows, 0);
}

static double
distinct_values(const Table *table, const Column *column)
{
	bool		inherited = get_rel_relkind(table->relid) == RELKIND_PARTITIONED_TABLE;
	HeapTuple	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table->relid), Int16GetDatum(column->attnum), BoolGetDatum(inherited));
	double		distinct;

	if (!HeapTupleIsValid(tuple))
		return get_float8_infinity();
	distinct = ((Form_pg_statistic) GETSTRUCT(tuple))->stadistinct;
	ReleaseSysCache(tuple);
	if (distinct == 0)
		return get_float8_infinity();
	return distinct < 0 ? -distinct * estimated_rows(table) : distinct;
}

/* At most so many different values these columns have together, as of the last ANALYZE; infinite where there was none. */
double
combinations(const Table *table, const List *columns)
{
	double		product = 1;
	ListCell   *lc;

	foreach(lc, columns)
		product *= distinct_values(table, lfirst(lc));
	return product;
}

/* ---- when rows came to be ---- */

/* The value of a key of time_columns; NULL where it is absent. */
static JsonbValue *
declared_time(Request *request, const Table *table)
{
	if (request->time_columns == NULL)
		return NULL;
	return getKeyJsonValueFromContainer(&request->time_columns->root, table->name, strlen(table->name), NULL);
}

static void
wrong_time_column(const Table *table, const char *name)
{
	const Column *column = find_column_named(table, name);
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, table->columns)
		if (((Column *) lfirst(lc))->role == ROLE_TIME)
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", ((Column *) lfirst(lc))->name);
	ereport(ERROR,
			(errcode(column == NULL ? ERRCODE_UNDEFINED_COLUMN : column->readable ? ERRCODE_DATATYPE_MISMATCH : ERRCODE_INSUFFICIENT_PRIVILEGE),
			 column && !column->readable ? errmsg("permission denied for time column \"%s\" of table \"%s\"", name, table->name) :
			 column ? errmsg("time column \"%s\" of table \"%s\" is of type %s", name, table->name, format_type_be(column->type)) :
			 errmsg("time_columns names column \"%s\", which table \"%s\" does not have", name, table->name),
			 names.len ? errhint("Dates and timestamps of it are: %s.", names.data) :
			 errhint("The table has no date or timestamp; null in place of the name takes all its rows, whatever the cutoff.")));
}

/* As time_columns says; else the only date or timestamp, if there is just one. */
static void
choose_time(Request *request, Table *table)
{
	JsonbValue *declared = declared_time(request, table);
	ListCell   *lc;

	if (declared && declared->type == jbvNull)
		table->timeless = true;
	else if (declared)
	{
		char	   *name = pnstrdup(declared->val.string.val, declared->val.string.len);

		table->time = find_column_named(table, name);
		table->time_declared = true;
		if (table->time == NULL || table->time->role != ROLE_TIME || !table->time->readable)
			wrong_time_column(table, name);
	}
	else
	{
		int			found = 0;

		foreach(lc, table->columns)
		{
			Column	   *column = lfirst(lc);

			if (column->role == ROLE_TIME && column->readable && found++ == 0)
				table->time = column;
		}
		if (found > 1)
		{
			table->time = NULL;
			table->note = psprintf("it has %d dates or timestamps: name the one at which a row becomes known, or null to take all rows, in time_columns", found);
		}
		else if (found == 0)
			table->note = "it has no date or timestamp: null in time_columns takes all its rows, whatever the cutoff";
	}
}

/* ---- tables ---- */

static char *
shown_name(const Request *request, Oid relid)
{
	Oid			schema = get_rel_namespace(relid);

	if (request->target && schema != get_rel_namespace(request->target->relid))
		return psprintf("%s.%s", get_namespace_name(schema), get_rel_name(relid));
	return get_rel_name(relid);
}

static bool
any_readable(const Table *table)
{
	ListCell   *lc;

	foreach(lc, table->columns)
		if (((Column *) lfirst(lc))->readable)
			return true;
	return pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;	/* it may have no columns */
}

static Table *
load_table(Request *request, Oid relid)
{
	Table	   *table = palloc0(sizeof(Table));

	table->relid = relid;
	table->name = shown_name(request, relid);
	table->qualified = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	request->tables = lappend(request->tables, table);
	load_columns(request, table);
	choose_time(request, table);
	if (!may_use_schema(get_rel_namespace(relid)) || !any_readable(table))
	{
		table->left_out = true;
		table->note = "left out: you may not read it";
	}
	else if (is_excluded(request, table->name))
	{
		table->left_out = true;
		table->note = NULL;
	}
	return table;
}

Table *
find_table(Request *request, Oid relid)
{
	ListCell   *lc;

	foreach(lc, request->tables)
		if (((Table *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	return load_table(request, relid);
}

Table *
load_target(Request *request, const char *name)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			relid = RangeVarGetRelid(range, AccessShareLock, false);
	char		relkind = get_rel_relkind(relid);

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", range->relname),
				 errdetail_relkind_not_supported(relkind),
				 errhint("Features are found along foreign keys, which only tables have. Name the table below and select from the query that comes back.")));
	load_links(request);
	request->target = load_table(request, relid);
	if (request->target->left_out && request->target->note)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", request->target->name)));
	return request->target;
}

/* ---- foreign keys ---- */

/* Foreign keys of a partitioned table have copies for its partitions. */
static bool
is_copy(const FormData_pg_constraint *constraint)
{
	return OidIsValid(constraint->conparentid);
}

static char *
link_text(const Link *link)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s.%s", get_namespace_name(get_rel_namespace(link->child)), get_rel_name(link->child));
	for (int i = 0; i < link->n; i++)
		appendStringInfo(&text, " %s", get_attname(link->child, link->child_key[i], false));
	appendStringInfo(&text, " %s.%s", get_namespace_name(get_rel_namespace(link->parent)), get_rel_name(link->parent));
	return text.data;
}

/* By names, so that a restored database gives the same features in the same order. */
static int
compare_links(const ListCell *a, const ListCell *b)
{
	return strcmp(link_text(lfirst(a)), link_text(lfirst(b)));
}

static void
add_link(Request *request, HeapTuple tuple)
{
	Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(tuple);
	Link	   *link = palloc0(sizeof(Link));
	Oid			operators[3][INDEX_MAX_KEYS];
	AttrNumber	set[INDEX_MAX_KEYS];
	int			nset;
	ListCell   *lc;

	link->child = constraint->conrelid;
	link->parent = constraint->confrelid;
	DeconstructFkConstraintRow(tuple, &link->n, link->child_key, link->parent_key, operators[0], operators[1], operators[2], &nset, set);
	link->ambiguous = link->child == link->parent;
	foreach(lc, request->links)
	{
		Link	   *other = lfirst(lc);

		if (other->n == link->n && other->child == link->child && other->parent == link->parent &&
			memcmp(other->child_key, link->child_key, sizeof(AttrNumber) * link->n) == 0)
			return;				/* declared twice */
		if ((other->child == link->child && other->parent == link->parent) || (other->child == link->parent && other->parent == link->child))
			other->ambiguous = link->ambiguous = true;
	}
	request->links = lappend(request->links, link);
}

void
load_links(Request *request)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (constraint->contype == CONSTRAINT_FOREIGN && !is_copy(constraint))
			add_link(request, tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(request->links, compare_links);
}

/* ---- frequent values ---- */

typedef struct Levels
{
	char	   *query;
	List	   *texts;			/* of char * */
} Levels;

static bool
keep_level(TupleTableSlot *slot, void *state)
{
	Levels	   *levels = state;
	MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(levels));

	levels->texts = lappend(levels->texts, TextDatumGetCString(slot->tts_values[0]));
	MemoryContextSwitchTo(caller);
	return true;
}

/* Rows at or after the last cutoff have no say in what is frequent. */
static void
append_known_rows(StringInfo query, Request *request, const Visit *over, const Visit *dated)
{
	const char *cutoff = root_cutoff(request);

	for (const Visit *visit = over; visit != dated; visit = visit->from)
		appendStringInfo(query, " JOIN %s AS %s ON %s", visit->from->table->qualified, visit->from->alias,
						 link_condition(request, visit->link, visit->alias, visit->from->alias));
	if (request->cutoff == CUTOFF_COLUMN)
		cutoff = psprintf("(SELECT max(%s) FROM %s AS t)", cutoff, request->target->qualified);
	appendStringInfo(query, " WHERE %s", before_cutoff(request, dated->alias, dated->table->time, cutoff));
}

/* The nearest dated rows on the way up to where the walk last turned down; NULL where there are none. */
static const Visit *
dated_above(const Visit *over)
{
	while (over->step == STEP_DOWN && over->table->time == NULL)
		over = over->from;
	return over->step == STEP_DOWN ? over : NULL;
}

/* The most frequent values of a column in the rows of a visit (ties bytewise), as texts in bytewise order. */
List *
find_levels(Request *request, const Visit *over, const Column *column)
{
	const Visit *dated = dated_above(over);
	Levels	   *levels = palloc0(sizeof(Levels));
	StringInfoData query;
	ListCell   *lc;

	if (request->top_values == 0)
		return NIL;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT level FROM (SELECT level FROM (SELECT %s::text AS level, count(*) AS n, sum(count(*)) OVER () AS total FROM %s AS %s",
					 qualified_column(over->alias, column), over->table->qualified, over->alias);
	if (request->cutoff != CUTOFF_NONE && dated)
		append_known_rows(&query, request, over, dated);
	appendStringInfo(&query, " GROUP BY 1) AS levels WHERE n * %d >= total AND n > 1 AND level IS NOT NULL ORDER BY n DESC, level COLLATE \"C\" LIMIT %d) AS top ORDER BY level COLLATE \"C\"",
					 LEVEL_SHARE, request->top_values);
	foreach(lc, request->levels)
		if (strcmp(((Levels *) lfirst(lc))->query, query.data) == 0)
			return ((Levels *) lfirst(lc))->texts;
	levels->query = query.data;
	source_run(source_open(query.data), keep_level, levels);
	request->levels = lappend(request->levels, levels);
	return levels->texts;
}
