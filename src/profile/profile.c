/*
 * profile.c
 *		ml.profile and ml.sketches: a sketch of every column, filled in one scan of the source.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "profile/profile_internal.h"
#include "settings.h"

#define BLOCK 4096				/* values that are sketched at a time */

typedef enum ReadAs
{
	READ_FLOAT8,
	READ_NUMBER,
	READ_TEXT,
	READ_NOTHING				/* a type that no sketch takes: only NULLs are counted */
} ReadAs;

typedef struct Column
{
	ReadAs		how;
	int			nblock;
	double	   *block;
	CellReader	reader;
	Sketch	   *sketch;
	int64		nulls;
	bool		any;			/* the rest is for ordered sources: a value came before */
	double		last;
	bool		rises,
				falls,
				stays;
} Column;

typedef struct ProfileScan
{
	Source	   *source;
	int			ncolumns;
	Column	   *column;
	bool		ordered;
	int64		nrows;
	Budget		budget;
	MemoryContext context;
} ProfileScan;

/* ---- columns ---- */

static void
open_column(ProfileScan *scan, int i)
{
	Form_pg_attribute attribute = TupleDescAttr(scan->source->tupdesc, i);
	Column	   *c = &scan->column[i];
	ColumnKind	kind;

	if (!kind_of_type(attribute->atttypid, &kind) || !cell_reader_init(&c->reader, attribute->atttypid, kind, NULL))
	{
		c->how = READ_NOTHING;
		return;
	}
	c->reader.column = NameStr(attribute->attname);
	c->how = kind == KIND_CATEGORY ? READ_TEXT : c->reader.type == FLOAT8OID ? READ_FLOAT8 : READ_NUMBER;
	c->sketch = sketch_new(kind);
	budget_take(&scan->budget, VARSIZE(c->sketch) + sizeof(double) * BLOCK, "the sketches of the columns");
	if (c->how != READ_TEXT)
		c->block = palloc(sizeof(double) * BLOCK);
}

static void
replace_sketch(ProfileScan *scan, Column *c, Sketch *sketch)
{
	if (sketch == c->sketch)
		return;
	budget_take(&scan->budget, VARSIZE(sketch) - VARSIZE(c->sketch), "the sketches of the columns");
	pfree(c->sketch);
	c->sketch = sketch;
}

static void
follow_order(Column *c)
{
	for (int i = 0; i < c->nblock; i++)
	{
		double		x = c->block[i];

		if (isnan(x))
			continue;
		c->rises |= c->any && x > c->last;
		c->falls |= c->any && x < c->last;
		c->stays |= c->any && x == c->last;
		c->any = true;
		c->last = x;
	}
}

static void
flush_column(ProfileScan *scan, Column *c)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->context);

	CHECK_FOR_INTERRUPTS();
	if (scan->ordered)
		follow_order(c);
	replace_sketch(scan, c, sketch_add_numbers(c->sketch, c->block, c->nblock));
	c->nblock = 0;
	MemoryContextSwitchTo(caller);
}

static void
add_text(ProfileScan *scan, Column *c, Datum value)
{
	int			length;
	const char *text = cell_text(&c->reader, value, &length);
	MemoryContext caller = MemoryContextSwitchTo(scan->context);

	replace_sketch(scan, c, sketch_add_text(c->sketch, text, length));
	MemoryContextSwitchTo(caller);
}

/* ---- rows ---- */

static bool
scan_row(TupleTableSlot *slot, void *state)
{
	ProfileScan	   *scan = state;

	for (int i = 0; i < scan->ncolumns; i++)
	{
		Column	   *c = &scan->column[i];

		if (slot->tts_isnull[i])
			c->nulls++;
		else if (c->how == READ_FLOAT8)
			c->block[c->nblock++] = DatumGetFloat8(slot->tts_values[i]);
		else if (c->how == READ_NUMBER)
			c->block[c->nblock++] = cell_number(&c->reader, slot->tts_values[i]);
		else if (c->how == READ_TEXT)
			add_text(scan, c, slot->tts_values[i]);
		if (c->nblock == BLOCK)
			flush_column(scan, c);
	}
	scan->nrows++;
	return true;
}

static void
run_scan(ProfileScan *scan, FunctionCallInfo fcinfo)
{
	scan->context = CurrentMemoryContext;
	scan->budget.limit = (Size) relearn_max_memory * 1024;
	scan->source = open_chosen(text_argument(fcinfo, 0, "source"), PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	scan->ncolumns = scan->source->tupdesc->natts;
	scan->column = palloc0(sizeof(Column) * (scan->ncolumns + 1));
	for (int i = 0; i < scan->ncolumns; i++)
		open_column(scan, i);
	source_run(scan->source, scan_row, scan);
	for (int i = 0; i < scan->ncolumns; i++)
	{
		Column	   *c = &scan->column[i];

		if (c->nblock > 0)
			flush_column(scan, c);
		if (c->sketch)
			c->sketch->header.missing += c->nulls;
	}
}

/* ---- results ---- */

static const char *
order_text(const ProfileScan *scan, const Column *c)
{
	if (!scan->ordered || c->block == NULL || !(c->rises || c->falls || c->stays))
		return NULL;
	if (c->rises && c->falls)
		return "no";
	if (c->rises)
		return c->stays ? "not decreasing" : "increasing";
	if (c->falls)
		return c->stays ? "not increasing" : "decreasing";
	return "constant";
}

/* A column of a type that nothing more is known of. */
static void
report_unread(Cells *row, const ProfileScan *scan, const Column *c, int ncells)
{
	cell_count(row, scan->nrows);
	cell_count(row, c->nulls);
	while (row->n < ncells)
		cell_null(row);
}

PG_FUNCTION_INFO_V1(ml_profile);
Datum
ml_profile(PG_FUNCTION_ARGS)
{
	ProfileScan		scan = {.ordered = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2)};
	Cells		row = {0};
	TupleDesc	result;

	InitMaterializedSRF(fcinfo, 0);
	result = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	run_scan(&scan, fcinfo);
	for (int i = 0; i < scan.ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(scan.source->tupdesc, i);
		const Column *c = &scan.column[i];

		cell_text_or_null(&row, NameStr(attribute->attname));
		cell_text_or_null(&row, format_type_be(attribute->atttypid));
		if (c->how == READ_NOTHING)
		{
			cell_text_or_null(&row, scan.nrows > 0 && c->nulls == scan.nrows ? "empty" : "other");
			report_unread(&row, &scan, c, result->natts);
		}
		else
		{
			cell_text_or_null(&row, report_role(c->sketch));
			report_statistics(&row, c->sketch);
			cell_text_or_null(&row, order_text(&scan, c));
		}
		cells_put(fcinfo, &row);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ml_sketches);
Datum
ml_sketches(PG_FUNCTION_ARGS)
{
	ProfileScan		scan = {0};
	Cells		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	run_scan(&scan, fcinfo);
	for (int i = 0; i < scan.ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(scan.source->tupdesc, i);

		cell_text_or_null(&row, NameStr(attribute->attname));
		cell_text_or_null(&row, format_type_be(attribute->atttypid));
		if (scan.column[i].sketch)
			cell_datum(&row, PointerGetDatum(scan.column[i].sketch));
		else
			cell_null(&row);
		cells_put(fcinfo, &row);
	}
	return (Datum) 0;
}
