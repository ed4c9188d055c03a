/*
 * load.c
 *		Whole columns of a source in memory, within relearn.max_memory.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "profile/profile_internal.h"
#include "settings.h"

#define WHAT "the columns in memory"
#define FIRST_ROWS 1024

static void
open_column(Loaded *loaded, const Source *source, int attribute, LoadedColumn *c, bool as_category)
{
	Form_pg_attribute a = TupleDescAttr(source->tupdesc, attribute - 1);

	c->name = pstrdup(NameStr(a->attname));
	c->type = getBaseType(a->atttypid);
	if (!kind_of_type(a->atttypid, &c->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot be read", c->name, format_type_be(a->atttypid)),
				 errdetail("Columns may be numbers, boolean, text, enum, uuid, date, timestamp, time or interval."),
				 errhint("Cast it in the source, for example %s::text.", quote_identifier(c->name))));
	if (as_category)
		c->kind = KIND_CATEGORY;
	if (!cell_reader_init(&c->reader, a->atttypid, c->kind, NULL))
		elog(ERROR, "type %u cannot be read as its own kind", a->atttypid);
	c->reader.column = c->name;
	if (c->kind == KIND_CATEGORY)
		c->levels = dictionary_create(loaded->context);
}

static void
grow(Loaded *loaded)
{
	int64		more = Max(loaded->capacity, FIRST_ROWS);

	for (int i = 0; i < loaded->ncolumns; i++)
	{
		LoadedColumn *c = &loaded->column[i];
		Size		bytes = size_times((Size) (loaded->capacity + more), sizeof(double));

		budget_take(&loaded->budget, (Size) more * sizeof(double), WHAT);
		c->value = c->value ? repalloc_huge(c->value, bytes) : MemoryContextAllocHuge(loaded->context, bytes);
	}
	loaded->capacity += more;
}

/* The level of a text; what new ones take is booked. */
static double
read_level(Loaded *loaded, LoadedColumn *c, Datum value)
{
	Size		before = dictionary_memory(c->levels);
	int			length;
	const char *text = cell_text(&c->reader, value, &length);
	int			code = dictionary_add(c->levels, text, length);
	Size		after = dictionary_memory(c->levels);

	if (after > before)
		budget_take(&loaded->budget, after - before, WHAT);
	return code;
}

static bool
load_row(TupleTableSlot *slot, void *state)
{
	Loaded	   *loaded = state;

	if (loaded->nrows == loaded->capacity)
		grow(loaded);
	for (int i = 0; i < loaded->ncolumns; i++)
	{
		LoadedColumn *c = &loaded->column[i];
		double		x = NAN;

		if (!slot->tts_isnull[i])
			x = c->levels ? read_level(loaded, c, slot->tts_values[i]) : cell_number(&c->reader, slot->tts_values[i]);
		c->missing += isnan(x);
		c->value[loaded->nrows] = x;
	}
	loaded->nrows++;
	return true;
}

/* Codes in bytewise order of the levels. */
static void
sort_levels(Loaded *loaded, LoadedColumn *c)
{
	int		   *code = dictionary_sort(c->levels);

	for (int64 row = 0; row < loaded->nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (!isnan(c->value[row]))
			c->value[row] = code[(int) c->value[row]];
	}
	pfree(code);
}

static Loaded *
new_loaded(int n)
{
	Loaded	   *loaded = palloc0(sizeof(Loaded));

	loaded->context = CurrentMemoryContext;
	loaded->budget.limit = (Size) relearn_max_memory * 1024;
	loaded->column = palloc0(sizeof(LoadedColumn) * Max(n, 1));
	return loaded;
}

static Loaded *
run(Loaded *loaded, Source *source)
{
	source_run(source, load_row, loaded);
	for (int i = 0; i < loaded->ncolumns; i++)
		if (loaded->column[i].levels)
			sort_levels(loaded, &loaded->column[i]);
	return loaded;
}

static int
attribute_or_fail(const Source *source, const char *name)
{
	int			attribute = source_column(source, name);

	if (attribute == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source has no column \"%s\"", name),
				 errhint("%s", source_column_hint(source, name))));
	return attribute;
}

/* After narrowing, a column is found by its name again: names stand once. */
Loaded *
load_columns(const char *text, const Wanted *wanted, int n)
{
	Loaded	   *loaded = new_loaded(n);
	Source	   *source = source_open(text);
	bool	   *keep = palloc0(sizeof(bool) * (source->tupdesc->natts + 1));
	LoadedColumn *column = palloc0(sizeof(LoadedColumn) * n);

	for (int i = 0; i < n; i++)
		keep[attribute_or_fail(source, wanted[i].name) - 1] = true;
	source_narrow(source, keep);
	for (int i = 0; i < n; i++)
	{
		int			attribute = attribute_or_fail(source, wanted[i].name);

		if (loaded->column[attribute - 1].name)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is named twice", wanted[i].name)));
		open_column(loaded, source, attribute, &loaded->column[attribute - 1], wanted[i].as_category);
	}
	loaded->ncolumns = n;
	run(loaded, source);
	for (int i = 0; i < n; i++)
		column[i] = loaded->column[attribute_or_fail(source, wanted[i].name) - 1];
	loaded->column = column;
	return loaded;
}

static bool *
listed_columns(const Source *source, ArrayType *names)
{
	bool	   *keep = palloc0(sizeof(bool) * (source->tupdesc->natts + 1));
	Datum	   *name;
	bool	   *null;
	int			n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &name, &null, &n);
	for (int i = 0; i < n; i++)
		keep[attribute_or_fail(source, null[i] ? "" : TextDatumGetCString(name[i])) - 1] = true;
	return keep;
}

static bool *
readable_columns(const Source *source)
{
	bool	   *keep = palloc0(sizeof(bool) * (source->tupdesc->natts + 1));
	ColumnKind	kind;

	for (int i = 0; i < source->tupdesc->natts; i++)
		keep[i] = kind_of_type(TupleDescAttr(source->tupdesc, i)->atttypid, &kind);
	return keep;
}

Source *
open_chosen(const char *text, Datum names, bool all)
{
	Source	   *source = source_open(text);

	if (!all)
		source_narrow(source, listed_columns(source, DatumGetArrayTypeP(names)));
	return source;
}

Loaded *
load_all_columns(const char *text, Datum names, bool all)
{
	Source	   *source = open_chosen(text, names, all);
	Loaded	   *loaded;

	if (all)
		source_narrow(source, readable_columns(source));
	loaded = new_loaded(source->tupdesc->natts);
	loaded->ncolumns = source->tupdesc->natts;
	for (int i = 0; i < loaded->ncolumns; i++)
		open_column(loaded, source, i + 1, &loaded->column[i], false);
	return run(loaded, source);
}

double *
finite_values(const LoadedColumn *column, int64 nrows, int64 *n)
{
	double	   *value = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(nrows, 1));

	*n = 0;
	for (int64 row = 0; row < nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (isfinite(column->value[row]))
			value[(*n)++] = column->value[row];
	}
	return value;
}

const char *
level_or_null(const LoadedColumn *column, int code)
{
	return code < dictionary_size(column->levels) ? dictionary_text(column->levels, code) : NULL;
}
