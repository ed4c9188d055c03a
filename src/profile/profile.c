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
	CellReader	reader;
	const Sketch *sketch;		/* of the whole source */
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
	Sketching  *sketching;
	bool		ordered;
	int64		nrows;
} ProfileScan;

/* ---- columns ---- */

/* The kind of its sketch, or 0. */
static int32
open_column(ProfileScan *scan, int i)
{
	Form_pg_attribute attribute = TupleDescAttr(scan->source->tupdesc, i);
	Column	   *c = &scan->column[i];
	ColumnKind	kind;

	c->how = READ_NOTHING;
	if (!kind_of_type(attribute->atttypid, &kind) || !cell_reader_init(&c->reader, attribute->atttypid, kind, NULL))
		return 0;
	c->reader.column = NameStr(attribute->attname);
	c->how = kind == KIND_CATEGORY ? READ_TEXT : c->reader.type == FLOAT8OID ? READ_FLOAT8 : READ_NUMBER;
	return (int32) kind;
}

static void
follow_order(Column *c, double x)
{
	if (isnan(x))
		return;
	c->rises |= c->any && x > c->last;
	c->falls |= c->any && x < c->last;
	c->stays |= c->any && x == c->last;
	c->any = true;
	c->last = x;
}

/* ---- rows ---- */

static inline void
add_number(ProfileScan *scan, int i, double x)
{
	sketching_number(scan->sketching, i, x);
	if (scan->ordered)
		follow_order(&scan->column[i], x);
}

static void
add_text(ProfileScan *scan, int i, Datum value)
{
	int			length;
	const char *text = cell_text(&scan->column[i].reader, value, &length);

	sketching_text(scan->sketching, i, text, length);
}

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
			add_number(scan, i, DatumGetFloat8(slot->tts_values[i]));
		else if (c->how == READ_NUMBER)
			add_number(scan, i, cell_number(&c->reader, slot->tts_values[i]));
		else if (c->how == READ_TEXT)
			add_text(scan, i, slot->tts_values[i]);
	}
	sketching_row_done(scan->sketching);
	scan->nrows++;
	return true;
}

static void
run_scan(ProfileScan *scan, FunctionCallInfo fcinfo)
{
	int32	   *kind;
	Sketch	  **sketch;

	scan->source = open_chosen(text_argument(fcinfo, 0, "source"), PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	scan->ncolumns = scan->source->tupdesc->natts;
	scan->column = palloc0(sizeof(Column) * (scan->ncolumns + 1));
	kind = palloc0(sizeof(int32) * (scan->ncolumns + 1));
	for (int i = 0; i < scan->ncolumns; i++)
		kind[i] = open_column(scan, i);
	scan->sketching = sketching_open(scan->ncolumns, kind, scan->source->parallel_safe, (Size) relearn_max_memory * 1024);
	source_run(scan->source, scan_row, scan);
	sketch = sketching_close(scan->sketching);
	for (int i = 0; i < scan->ncolumns; i++)
	{
		if (sketch[i] != NULL)
			sketch[i]->header.missing += scan->column[i].nulls;
		scan->column[i].sketch = sketch[i];
	}
}

/* ---- results ---- */

static const char *
order_text(const ProfileScan *scan, const Column *c)
{
	if (!(c->rises || c->falls || c->stays))
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
