/*
 * scan.c
 *		One pass over a source: a sketch of every column, a sample of the rows, and the hashes that show which rows are equal.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "checks/checks_internal.h"
#include "core/hash.h"
#include "settings.h"

#define BLOCK 4096				/* numbers that are sketched at a time */
#define WHAT "the sketches of the columns"

/* ---- cells ---- */

void
cell_hasher_init(CellHasher *cell, const FormData_pg_attribute *attribute)
{
	Oid			output;
	bool		varlena;

	cell->read = kind_of_type(attribute->atttypid, &cell->kind) && cell_reader_init(&cell->reader, attribute->atttypid, cell->kind, NULL);
	cell->reader.column = pstrdup(NameStr(attribute->attname));
	if (cell->read)
		return;
	getTypeOutputInfo(attribute->atttypid, &output, &varlena);
	fmgr_info(output, &cell->output);
}

static inline uint64
number_bits(double x)
{
	uint64		bits;

	if (isnan(x))
		return MISSING_HASH;
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

uint64
cell_hash(CellHasher *cell, Datum value, const char **text, int *length)
{
	uint64		hash;

	if (cell->read && cell->kind != KIND_CATEGORY)
		return number_bits(cell_number(&cell->reader, value));
	if (cell->read)
		*text = cell_text(&cell->reader, value, length);
	else
	{
		*text = OutputFunctionCall(&cell->output, value);
		*length = (int) strlen(*text);
	}
	hash = hash_text(*text, *length, 0);
	return hash == 0 ? 1 : hash;
}

/* ---- opening ---- */

static int
column_or_fail(const Source *source, const char *name, const char *what)
{
	int			attribute;

	if (name == NULL)
		return -1;
	attribute = source_column(source, name);
	if (attribute == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source has no column \"%s\" to be the %s", name, what),
				 errhint("%s", source_column_hint(source, name))));
	return attribute - 1;
}

static void
open_column(Checking *c, int i, int *words)
{
	Form_pg_attribute attribute = TupleDescAttr(c->source->tupdesc, i);
	CheckColumn *column = &c->column[i];

	column->name = pstrdup(NameStr(attribute->attname));
	column->type_name = format_type_be(attribute->atttypid);
	column->salt = hash_fold(0, (uint64) i);
	column->power = NAN;
	cell_hasher_init(&column->cell, attribute);
	column->read = column->cell.read;
	column->kind = column->cell.kind;
	if (!column->read)
		return;
	column->sketch = sketch_new(column->kind);
	budget_take(&c->budget, VARSIZE(column->sketch) + sizeof(double) * BLOCK, WHAT);
	column->word = *words;
	*words += column->kind == KIND_CATEGORY ? 2 : 1;
	if (column->kind != KIND_CATEGORY)
		column->block = palloc(sizeof(double) * BLOCK);
}

static void
refuse_column(const Checking *c, int i, const char *what, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s column \"%s\" has type %s, expected %s", what, c->column[i].name, c->column[i].type_name, expected)));
}

Checking *
checking_open(const char *source, const char *target, const char *key, const char *time)
{
	Checking   *c = palloc0(sizeof(Checking));
	int			words = 0;

	c->context = CurrentMemoryContext;
	c->budget.limit = (Size) relearn_max_memory * 1024;
	c->source = source_open(source);
	c->target = column_or_fail(c->source, target, "target");
	c->key = column_or_fail(c->source, key, "key");
	c->time = column_or_fail(c->source, time, "time column");
	c->ncolumns = c->source->tupdesc->natts;
	c->column = palloc0(sizeof(CheckColumn) * Max(c->ncolumns, 1));
	for (int i = 0; i < c->ncolumns; i++)
		open_column(c, i, &words);
	if (c->target >= 0 && !c->column[c->target].read)
		refuse_column(c, c->target, "target", "a number, boolean, text, enum or uuid");
	if (c->time >= 0 && (!c->column[c->time].read || c->column[c->time].kind != KIND_TIMESTAMP))
		refuse_column(c, c->time, "time", "a date or timestamp");
	c->rows = row_sample_create(Max(words, 1), &c->budget);
	c->twins = twin_set_create(&c->budget);
	return c;
}

/* ---- rows ---- */

typedef struct ScanState
{
	Checking   *c;
	uint64	   *word;			/* of the row at hand */
	bool		twins_only;
	const bool *left_out;		/* (ncolumns) of the twins */
} ScanState;

static void
replace_sketch(Checking *c, CheckColumn *column, Sketch *sketch)
{
	if (sketch == column->sketch)
		return;
	budget_take(&c->budget, VARSIZE(sketch) - VARSIZE(column->sketch), WHAT);
	pfree(column->sketch);
	column->sketch = sketch;
}

static void
flush_column(Checking *c, CheckColumn *column)
{
	MemoryContext caller = MemoryContextSwitchTo(c->context);

	CHECK_FOR_INTERRUPTS();
	replace_sketch(c, column, sketch_add_numbers(column->sketch, column->block, column->nblock));
	column->nblock = 0;
	MemoryContextSwitchTo(caller);
}

/* A cell goes to its sketch and to the words of the row. */
static inline void
keep_cell(ScanState *state, CheckColumn *column, uint64 hash, const char *text, int length)
{
	Checking   *c = state->c;

	if (!column->read)
		return;
	state->word[column->word] = hash;
	if (column->kind == KIND_CATEGORY)
	{
		MemoryContext caller = MemoryContextSwitchTo(c->context);

		replace_sketch(c, column, sketch_add_hashed_text(column->sketch, text, length, hash));
		MemoryContextSwitchTo(caller);
		return;
	}
	memcpy(&column->block[column->nblock++], &hash, sizeof(double));
	if (column->nblock == BLOCK)
		flush_column(c, column);
}

/* A row that is in the sample: texts leave the number they read as beside their hash. */
static void
sample_row(ScanState *state, TupleTableSlot *slot, uint64 hash)
{
	Checking   *c = state->c;

	for (int i = 0; i < c->ncolumns; i++)
	{
		CheckColumn *column = &c->column[i];
		double		number = NAN;

		if (!column->read || column->kind != KIND_CATEGORY)
			continue;
		if (!slot->tts_isnull[i])
		{
			int			length;
			const char *text = cell_text(&column->cell.reader, slot->tts_values[i], &length);

			if (!cell_parse(KIND_NUMBER, NULL, pnstrdup(text, length), &number))
				number = NAN;
		}
		memcpy(&state->word[column->word + 1], &number, sizeof(double));
	}
	row_sample_add(c->rows, hash, state->word);
}

/* Timestamps that lie after the moment of the prediction. */
static void
compare_times(Checking *c, const ScanState *state)
{
	double		time,
				other;

	memcpy(&time, &state->word[c->column[c->time].word], sizeof(double));
	for (int i = 0; i < c->ncolumns; i++)
	{
		CheckColumn *column = &c->column[i];

		if (!column->read || column->kind != KIND_TIMESTAMP)
			continue;
		memcpy(&other, &state->word[column->word], sizeof(double));
		column->later += other > time;
	}
}

static bool
scan_row(TupleTableSlot *slot, void *arg)
{
	ScanState  *state = arg;
	Checking   *c = state->c;
	uint64		features = 0,
				target = MISSING_HASH,
				all;

	for (int i = 0; i < c->ncolumns; i++)
	{
		CheckColumn *column = &c->column[i];
		uint64		hash = MISSING_HASH;
		const char *text = NULL;
		int			length = 0;

		if (state->left_out && state->left_out[i])
			continue;
		if (!slot->tts_isnull[i])
		{
			hash = cell_hash(&column->cell, slot->tts_values[i], &text, &length);
			if (!state->twins_only)
				keep_cell(state, column, hash, text, length);
		}
		else if (!state->twins_only)
		{
			column->nulls++;
			if (column->read)
				state->word[column->word] = column->kind == KIND_CATEGORY ? 0 : MISSING_HASH;
		}
		if (i == c->target)
			target = hash;
		else
			features += hash_cell(hash, column->salt);
	}
	twin_set_add(c->twins, hash_mix(features), target);
	if (state->twins_only)
		return true;
	all = hash_mix(features + (c->target >= 0 ? hash_cell(target, c->column[c->target].salt) : 0));
	if (row_sample_wants(c->rows, all))
		sample_row(state, slot, all);
	if (c->time >= 0)
		compare_times(c, state);
	c->nrows++;
	return true;
}

/* ---- after the rows ---- */

#define KEY_ROWS 20				/* fewer rows may differ by chance */
#define KEY_LENGTH 64			/* characters of a text on average */
#define NUMBERS_AS_TEXT 0.9		/* of the texts that stand for something */

/* Values that nearly all differ and are no measurements; few integers may repeat where they can only be estimated. */
static void
find_key(Checking *c, int i)
{
	CheckColumn *column = &c->column[i];
	const SketchStatistics *s = &column->statistics;
	double		n = (double) (s->n - s->nulls - s->nan);
	double		share = c->findings.threshold[CHECK_KEY_COLUMN];
	bool		exact = column->sketch->exact || c->sample.whole;
	bool		dense;

	if (!column->sketch->exact && c->sample.whole && !column->as_number)
		column->statistics.distinct = c->sample.column[i].ncodes;
	if (n <= KEY_ROWS || n < 0.5 * (double) c->nrows)
		return;
	if (column->kind == KIND_CATEGORY ? s->mean_length > KEY_LENGTH : column->kind != KIND_NUMBER || s->fractions > 0 || s->infinite > 0)
		return;
	if (isnan(share))
		share = check_definitions[CHECK_KEY_COLUMN].threshold;
	if (column->kind == KIND_NUMBER && exact)
		share = 1;
	dense = column->kind == KIND_NUMBER && s->max - s->min + 1 == n && s->sentinels == 0;
	column->key = s->distinct >= share * n;
	column->row_number = column->key && dense;
}

static void
finish_column(Checking *c, CheckColumn *column)
{
	const SketchStatistics *s = &column->statistics;
	double		readable;

	if (!column->read)
		return;
	if (column->nblock > 0)
		flush_column(c, column);
	column->sketch->header.missing += column->nulls;
	sketch_statistics(column->sketch, &column->statistics);
	readable = (double) (column->sketch->header.n - s->empty - s->sentinels);
	column->as_number = column->kind == KIND_CATEGORY && readable > 0 && (double) s->as_number >= NUMBERS_AS_TEXT * readable;
}

/* The cells of a column of the sampled rows. */
static void
finish_sample_column(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	SampleColumn *sampled = &c->sample.column[i];
	int			n = c->sample.nrows;
	uint64	   *word;

	sampled->name = column->name;
	if (!column->read)
		return;
	word = palloc(sizeof(uint64) * Max(n, 1));
	for (int row = 0; row < n; row++)
		word[row] = row_sample_words(c->rows, row)[column->word + (column->as_number ? 1 : 0)];
	if (column->kind == KIND_CATEGORY && !column->as_number)
		sample_code_hashes(&c->sample, sampled, word);
	else
		sample_code_numbers(&c->sample, sampled, (double *) word);
	pfree(word);
}

static void
finish_sample(Checking *c)
{
	c->sample.nrows = row_sample_sort(c->rows);
	c->sample.count = row_sample_counts(c->rows);
	c->sample.whole = row_sample_whole(c->rows);
	for (int row = 0; row < c->sample.nrows; row++)
		c->sample.total += c->sample.count[row];
	c->sample.ncolumns = c->ncolumns;
	c->sample.column = palloc0(sizeof(SampleColumn) * Max(c->ncolumns, 1));
	for (int i = 0; i < c->ncolumns; i++)
		finish_sample_column(c, i);
}

void
checking_scan(Checking *c)
{
	ScanState	state = {.c = c};

	state.word = palloc0(sizeof(uint64) * 2 * Max(c->ncolumns, 1));
	source_run(c->source, scan_row, &state);
	for (int i = 0; i < c->ncolumns; i++)
		finish_column(c, &c->column[i]);
	finish_sample(c);
	for (int i = 0; i < c->ncolumns; i++)
		if (c->column[i].read)
			find_key(c, i);
}

void
checking_scan_twins(Checking *c)
{
	bool	   *left_out = palloc0(sizeof(bool) * Max(c->ncolumns, 1));
	ScanState	state = {.c = c, .twins_only = true, .left_out = left_out};
	bool		any = false;

	for (int i = 0; i < c->ncolumns; i++)
	{
		left_out[i] = i != c->target && (i == c->key || c->column[i].key);
		any |= left_out[i];
	}
	if (!any)
		return;
	twin_set_free(c->twins);
	c->twins = twin_set_create(&c->budget);
	source_run(c->source, scan_row, &state);
}
