/*
 * overlap.c
 *		ml.overlap, and the part of ml.checks about test rows: which of them the training rows have already shown.
 *
 * Rows are compared by the columns that both sources have, keys and target aside.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "checks/checks_internal.h"
#include "core/hash.h"

#define MANY_TWINS 0.05

/* A column of one of the two sources. */
typedef struct SideColumn
{
	int			column;			/* of the training rows; -1: they have none of this name and kind */
	CellHasher	cell;
	int64		unseen;			/* rows of the test whose text the training rows do not have */
} SideColumn;

/* What is kept of a source. */
typedef struct SideScan
{
	Checking   *c;
	Source	   *source;
	SideColumn *column;			/* (natts) */
	TwinSet    *rows;
	TwinSet    *keys;
	double		first_time,
				last_time;
	const double *train_end;	/* count rows up to this time */
	int64		not_later;
	int64		nrows;
	int64		nkeys;
	int			ncompared;		/* columns that tell rows apart */
} SideScan;

/* ---- columns ---- */

static int
column_of_training(const Checking *c, const Source *source, int attribute)
{
	const char *name = NameStr(TupleDescAttr(source->tupdesc, attribute)->attname);
	CellHasher	cell = {0};

	cell_hasher_init(&cell, TupleDescAttr(source->tupdesc, attribute));
	for (int i = 0; i < c->ncolumns; i++)
		if (strcmp(c->column[i].name, name) == 0)
			return c->column[i].read == cell.read && (!cell.read || c->column[i].kind == cell.kind) ? i : -1;
	return -1;
}

static bool
in_both(const Checking *c, const Source *test, int column)
{
	for (int i = 0; i < test->tupdesc->natts; i++)
		if (column_of_training(c, test, i) == column)
			return true;
	return false;
}

/* Keys and target are set aside. */
static bool
tells_apart(const Checking *c, int column)
{
	return column != c->key && column != c->target && !c->column[column].key;
}

static void
open_side(SideScan *side, Checking *c, Source *source, const Source *test)
{
	*side = (SideScan) {.c = c,.source = source,.first_time = NAN,.last_time = NAN};
	side->column = palloc0(sizeof(SideColumn) * Max(source->tupdesc->natts, 1));
	side->rows = twin_set_create(&c->budget);
	side->keys = twin_set_create(&c->budget);
	for (int i = 0; i < source->tupdesc->natts; i++)
	{
		int			column = column_of_training(c, source, i);

		side->column[i].column = column >= 0 && in_both(c, test, column) ? column : -1;
		cell_hasher_init(&side->column[i].cell, TupleDescAttr(source->tupdesc, i));
		side->ncompared += side->column[i].column >= 0 && tells_apart(c, column);
	}
}

/* ---- rows ---- */

static void
side_time(SideScan *side, uint64 hash)
{
	double		time;

	memcpy(&time, &hash, sizeof(time));
	if (isnan(time))
		return;
	side->first_time = isnan(side->first_time) ? time : fmin(side->first_time, time);
	side->last_time = isnan(side->last_time) ? time : fmax(side->last_time, time);
	side->not_later += side->train_end != NULL && time <= *side->train_end;
}

static bool
side_row(TupleTableSlot *slot, void *state)
{
	SideScan   *side = state;
	const Checking *c = side->c;
	uint64		sum = 0;

	for (int i = 0; i < side->source->tupdesc->natts; i++)
	{
		SideColumn *column = &side->column[i];
		const CheckColumn *trained;
		uint64		hash = MISSING_HASH;
		const char *text;
		int			length;

		if (column->column < 0)
			continue;
		trained = &c->column[column->column];
		if (!slot->tts_isnull[i])
			hash = cell_hash(&column->cell, slot->tts_values[i], &text, &length);
		if (column->column == c->key && !slot->tts_isnull[i])
		{
			twin_set_add(side->keys, hash_mix(hash), 0);
			side->nkeys++;
		}
		if (column->column == c->time)
			side_time(side, hash);
		if (!tells_apart(c, column->column))
			continue;
		sum += hash_cell(hash, trained->salt);
		if (trained->read && trained->kind == KIND_CATEGORY && trained->sketch->exact && !slot->tts_isnull[i])
			column->unseen += !sketch_has_hash(trained->sketch, hash);
	}
	twin_set_add(side->rows, hash_mix(sum), 0);
	side->nrows++;
	return true;
}

/* ---- findings ---- */

/* A column of one side as both sides have it: numbers and times of different types agree, other types are compared as they are shown. */
static char *
shared_form(const SideScan *side, const char *alias, int attribute)
{
	Form_pg_attribute column = TupleDescAttr(side->source->tupdesc, attribute);
	const CellHasher *cell = &side->column[attribute].cell;
	char	   *name = psprintf("%s.%s", alias, quote_identifier(NameStr(column->attname)));
	Oid			type = getBaseType(column->atttypid);

	if (!cell->read || cell->kind == KIND_CATEGORY)
		return psprintf("%s::text", name);
	if (type == NUMERICOID || type == FLOAT4OID)
		return psprintf("%s::float8", name);
	if (type == TIMESTAMPTZOID)
		return psprintf("%s AT TIME ZONE 'UTC'", name);
	return cell->kind == KIND_TIMESTAMP ? psprintf("%s::timestamp", name) : name;
}

static int
attribute_of(const SideScan *side, int column)
{
	for (int i = 0; i < side->source->tupdesc->natts; i++)
		if (side->column[i].column == column)
			return i;
	return -1;
}

/* The test rows whose key no training row has, or, by the other columns, that have no twin.  Whole rows are compared as text, which can be hashed. */
static char *
fix_not_in(const SideScan *train, const SideScan *test, bool by_key)
{
	const Checking *c = test->c;
	StringInfoData mine,
				theirs;

	initStringInfo(&mine);
	initStringInfo(&theirs);
	for (int i = 0; i < test->source->tupdesc->natts; i++)
	{
		int			column = test->column[i].column;

		if (column < 0 || (by_key ? column != c->key : !tells_apart(c, column)))
			continue;
		appendStringInfo(&mine, "%s%s", mine.len ? ", " : "", shared_form(test, "test", i));
		appendStringInfo(&theirs, "%s%s", theirs.len ? ", " : "", shared_form(train, "train", attribute_of(train, column)));
	}
	return psprintf("SELECT * FROM (SELECT * FROM %s) test WHERE NOT EXISTS (SELECT FROM (SELECT * FROM %s) train WHERE %s%s%s = %s%s%s)",
					test->source->from, c->source->from, by_key ? "" : "ROW(", theirs.data, by_key ? "" : ")::text", by_key ? "" : "ROW(",
					mine.data, by_key ? "" : ")::text");
}

static void
report_rows(Checking *c, SideScan *train, SideScan *test)
{
	TwinCounts	counts;
	double		rows,
				share;
	Finding    *f;

	if (test->ncompared == 0)
		return;
	twin_sets_compare(train->rows, test->rows, &counts);
	rows = (double) counts.common * counts.scale;
	share = rows / (double) test->nrows;
	if (!check_passes(&c->findings, CHECK_OVERLAP_ROWS, share))
		return;
	f = finding_add(&c->findings, CHECK_OVERLAP_ROWS, -1, NULL,
					psprintf("%s%.0f of %lld test rows are among the training rows, keys and target aside", counts.scale > 1 ? "about " : "", rows,
							 (long long) test->nrows));
	f->severity = share >= MANY_TWINS ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	f->n = (int64) rows;
	f->value = share;
	f->fix = fix_not_in(train, test, false);
}

static void
report_keys(Checking *c, SideScan *train, SideScan *test)
{
	TwinCounts	counts;
	double		rows,
				share;
	Finding    *f;

	if (c->key < 0 || test->nkeys == 0)
		return;
	twin_sets_compare(train->keys, test->keys, &counts);
	rows = (double) counts.common * counts.scale;
	share = rows / (double) test->nkeys;
	if (!check_passes(&c->findings, CHECK_OVERLAP_KEYS, share))
		return;
	f = finding_add(&c->findings, CHECK_OVERLAP_KEYS, c->key, c->column[c->key].name,
					psprintf("%s%.0f of %lld test rows have a key \"%s\" that training rows have", counts.scale > 1 ? "about " : "", rows,
							 (long long) test->nkeys, c->column[c->key].name));
	f->n = (int64) rows;
	f->value = share;
	f->fix = fix_not_in(train, test, true);
}

static void
report_time(Checking *c, const SideScan *train, const SideScan *test)
{
	double		share = (double) test->not_later / (double) test->nrows;
	const char *end = isnan(train->last_time) ? NULL : number_text(KIND_TIMESTAMP, train->last_time);
	Finding    *f;

	if (c->time < 0 || !check_passes(&c->findings, CHECK_OVERLAP_TIME, share))
		return;
	f = finding_add(&c->findings, CHECK_OVERLAP_TIME, c->time, c->column[c->time].name,
					psprintf("%lld of %lld test rows are not later than the last training row (\"%s\" = %s)", (long long) test->not_later,
							 (long long) test->nrows, c->column[c->time].name, end));
	f->n = test->not_later;
	f->value = share;
	f->fix = psprintf("SELECT * FROM %s WHERE %s > %s", test->source->from, quote_identifier(c->column[c->time].name),
					  moment_literal(train->last_time));
}

/* The test rows with NULL in the place of texts that the training rows do not have. */
static char *
fix_unseen(const SideScan *train, const SideScan *test, int attribute)
{
	StringInfoData out;
	int			theirs = attribute_of(train, test->column[attribute].column);

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT ");
	for (int i = 0; i < test->source->tupdesc->natts; i++)
	{
		const char *name = quote_identifier(NameStr(TupleDescAttr(test->source->tupdesc, i)->attname));

		appendStringInfoString(&out, i ? ", " : "");
		if (i == attribute)
			appendStringInfo(&out, "CASE WHEN %s IN (SELECT %s FROM (SELECT * FROM %s) train) THEN test.%s END AS ", shared_form(test, "test", i),
							 shared_form(train, "train", theirs), train->source->from, name);
		appendStringInfoString(&out, name);
	}
	appendStringInfo(&out, " FROM (SELECT * FROM %s) test", test->source->from);
	return out.data;
}

static void
report_unseen(Checking *c, const SideScan *train, const SideScan *test)
{
	for (int i = 0; i < test->source->tupdesc->natts; i++)
	{
		const SideColumn *column = &test->column[i];
		double		share = (double) column->unseen / (double) test->nrows;
		Finding    *f;

		if (column->column < 0 || !check_exceeds(&c->findings, CHECK_UNSEEN_LEVELS, share) || column->unseen == 0)
			continue;
		f = finding_add(&c->findings, CHECK_UNSEEN_LEVELS, column->column, c->column[column->column].name,
						psprintf("column \"%s\" has a text in %lld of %lld test rows that no training row has", c->column[column->column].name,
								 (long long) column->unseen, (long long) test->nrows));
		f->n = column->unseen;
		f->value = share;
		f->fix = fix_unseen(train, test, i);
	}
}

void
check_test(Checking *c, const char *text)
{
	Source	   *source = source_open(text);
	SideScan	train,
				test;

	open_side(&train, c, c->source, source);
	open_side(&test, c, source, source);
	source_run(c->source, side_row, &train);
	test.train_end = &train.last_time;
	source_run(source, side_row, &test);
	if (test.nrows == 0 || train.nrows == 0)
		return;
	report_rows(c, &train, &test);
	report_keys(c, &train, &test);
	report_time(c, &train, &test);
	report_unseen(c, &train, &test);
}
