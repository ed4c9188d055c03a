/*
 * sample.c
 *		A sample of distinct rows that does not depend on their order, and its columns as codes.
 *
 * A row is in the sample if its hash is below a limit, which halves when there are too many.  Rows that are equal are one row with a count, so
 * that a table of few distinct rows is seen as a whole.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "checks/checks_internal.h"
#include "core/sort.h"

#define MOST_ROWS 65536
#define FEWEST_ROWS 4096
#define MOST_BYTES (64 * 1024 * 1024)
#define FIRST_ROWS 1024
#define WHAT "the sample of the rows"

struct RowSample
{
	int			nwords;			/* of a row */
	uint64		limit;			/* hashes up to this are wanted */
	int			n;
	int			most;
	int			capacity;
	uint64	   *hash;			/* (n) */
	int64	   *count;			/* (n) */
	uint64	   *words;			/* (n, nwords) */
	int			nslots;
	int32	   *slot;			/* (nslots) a row, -1 = none: open addressing by hash */
	Budget	   *budget;
	MemoryContext context;
};

/* ---- collecting ---- */

static void
reserve(RowSample *rows, int capacity)
{
	MemoryContext caller = MemoryContextSwitchTo(rows->context);
	Size		row_bytes = sizeof(uint64) * (rows->nwords + 2) + 4 * sizeof(int32);

	budget_take(rows->budget, size_times(row_bytes, capacity - rows->capacity), WHAT);
	if (rows->hash == NULL)
	{
		rows->hash = palloc(sizeof(uint64) * capacity);
		rows->count = palloc(sizeof(int64) * capacity);
		rows->words = MemoryContextAllocHuge(rows->context, size_times(sizeof(uint64) * rows->nwords, capacity));
	}
	else
	{
		rows->hash = repalloc(rows->hash, sizeof(uint64) * capacity);
		rows->count = repalloc(rows->count, sizeof(int64) * capacity);
		rows->words = repalloc_huge(rows->words, size_times(sizeof(uint64) * rows->nwords, capacity));
		pfree(rows->slot);
	}
	rows->capacity = capacity;
	rows->nslots = 4 * capacity;
	rows->slot = palloc(sizeof(int32) * rows->nslots);
	MemoryContextSwitchTo(caller);
}

/* The slot of the row, or an empty one. */
static int32 *
find_slot(const RowSample *rows, uint64 hash)
{
	uint32		mask = (uint32) rows->nslots - 1;
	uint32		at = (uint32) hash & mask;

	while (rows->slot[at] >= 0 && rows->hash[rows->slot[at]] != hash)
		at = (at + 1) & mask;
	return &rows->slot[at];
}

static void
fill_slots(RowSample *rows)
{
	memset(rows->slot, 0xff, sizeof(int32) * rows->nslots);
	for (int i = 0; i < rows->n; i++)
		*find_slot(rows, rows->hash[i]) = i;
}

RowSample *
row_sample_create(int nwords, Budget *budget)
{
	RowSample  *rows = palloc0(sizeof(RowSample));
	Size		fit = MOST_BYTES / (sizeof(uint64) * Max(nwords, 1));

	rows->nwords = nwords;
	rows->limit = PG_UINT64_MAX;
	rows->most = fit > MOST_ROWS ? MOST_ROWS : fit < FEWEST_ROWS ? FEWEST_ROWS : (int) fit;
	rows->budget = budget;
	rows->context = CurrentMemoryContext;
	reserve(rows, FIRST_ROWS);
	fill_slots(rows);
	return rows;
}

bool
row_sample_wants(const RowSample *rows, uint64 hash)
{
	return hash <= rows->limit;
}

static void
halve(RowSample *rows)
{
	int			kept = 0;

	rows->limit /= 2;
	for (int i = 0; i < rows->n; i++)
	{
		if (rows->hash[i] > rows->limit)
			continue;
		rows->hash[kept] = rows->hash[i];
		rows->count[kept] = rows->count[i];
		memmove(rows->words + (Size) kept * rows->nwords, rows->words + (Size) i * rows->nwords, sizeof(uint64) * rows->nwords);
		kept++;
	}
	rows->n = kept;
	fill_slots(rows);
}

void
row_sample_add(RowSample *rows, uint64 hash, const uint64 *words)
{
	int32	   *slot = find_slot(rows, hash);

	if (*slot >= 0)
	{
		rows->count[*slot]++;
		return;
	}
	if (rows->n == rows->most)
	{
		halve(rows);
		if (row_sample_wants(rows, hash))
			row_sample_add(rows, hash, words);
		return;
	}
	if (rows->n == rows->capacity)
	{
		reserve(rows, 2 * rows->capacity);
		fill_slots(rows);
		slot = find_slot(rows, hash);
	}
	*slot = rows->n;
	rows->hash[rows->n] = hash;
	rows->count[rows->n] = 1;
	memcpy(rows->words + (Size) rows->n * rows->nwords, words, sizeof(uint64) * rows->nwords);
	rows->n++;
}

/* ---- in order ---- */

int
row_sample_sort(RowSample *rows)
{
	uint32	   *from = palloc(sizeof(uint32) * rows->capacity);
	uint32	   *from_scratch = palloc(sizeof(uint32) * rows->capacity);
	uint64	   *scratch = palloc(sizeof(uint64) * rows->capacity);
	int64	   *count = palloc(sizeof(int64) * rows->capacity);
	uint64	   *words = MemoryContextAllocHuge(CurrentMemoryContext, size_times(sizeof(uint64) * rows->nwords, rows->capacity));

	for (int i = 0; i < rows->n; i++)
		from[i] = i;
	sort_keys(rows->hash, from, scratch, from_scratch, rows->n);
	for (int i = 0; i < rows->n; i++)
	{
		count[i] = rows->count[from[i]];
		memcpy(words + (Size) i * rows->nwords, rows->words + (Size) from[i] * rows->nwords, sizeof(uint64) * rows->nwords);
	}
	pfree(rows->count);
	pfree(rows->words);
	pfree(rows->slot);
	pfree(from);
	pfree(from_scratch);
	pfree(scratch);
	rows->count = count;
	rows->words = words;
	rows->slot = NULL;
	return rows->n;
}

const uint64 *
row_sample_words(const RowSample *rows, int row)
{
	return rows->words + (Size) row * rows->nwords;
}

const int64 *
row_sample_counts(const RowSample *rows)
{
	return rows->count;
}

bool
row_sample_whole(const RowSample *rows)
{
	return rows->limit == PG_UINT64_MAX;
}

/* ---- codes ---- */

/* Codes of (n) keys in ascending order, of the rows they stand beside; the rest is missing. */
static void
code_keys(Sample *sample, SampleColumn *column, uint64 *key, uint32 *row, int n)
{
	uint64	   *key_scratch = palloc(sizeof(uint64) * Max(n, 1));
	uint32	   *row_scratch = palloc(sizeof(uint32) * Max(n, 1));
	int			code = -1;

	sort_keys(key, row, key_scratch, row_scratch, n);
	column->code = palloc(sizeof(int32) * Max(sample->nrows, 1));
	for (int i = 0; i < sample->nrows; i++)
		column->code[i] = -1;
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || key[i] != key[i - 1])
			key_scratch[++code] = key[i];
		column->code[row[i]] = code;
	}
	column->ncodes = code + 1;
	column->code_rows = palloc0(sizeof(int64) * (column->ncodes + 1));
	for (int i = 0; i < sample->nrows; i++)
	{
		if (column->code[i] < 0)
			column->code[i] = column->ncodes;
		column->code_rows[column->code[i]] += sample_count(sample, i);
	}
	column->code_hash = palloc(sizeof(uint64) * Max(column->ncodes, 1));
	memcpy(column->code_hash, key_scratch, sizeof(uint64) * column->ncodes);
	pfree(key_scratch);
	pfree(row_scratch);
}

void
sample_code_numbers(Sample *sample, SampleColumn *column, const double *value)
{
	uint64	   *key = palloc(sizeof(uint64) * Max(sample->nrows, 1));
	uint32	   *row = palloc(sizeof(uint32) * Max(sample->nrows, 1));
	int			n = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < sample->nrows; i++)
		if (!isnan(value[i]))
		{
			key[n] = sortable_double(value[i]);
			row[n++] = i;
		}
	code_keys(sample, column, key, row, n);
	pfree(column->code_hash);
	column->code_hash = NULL;
	column->number = true;
	column->code_value = palloc(sizeof(double) * Max(column->ncodes, 1));
	for (int i = 0; i < sample->nrows; i++)
		if (column->code[i] < column->ncodes)
			column->code_value[column->code[i]] = value[i];
	pfree(key);
	pfree(row);
}

void
sample_code_hashes(Sample *sample, SampleColumn *column, const uint64 *hash)
{
	uint64	   *key = palloc(sizeof(uint64) * Max(sample->nrows, 1));
	uint32	   *row = palloc(sizeof(uint32) * Max(sample->nrows, 1));
	int			n = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < sample->nrows; i++)
		if (hash[i] != 0)
		{
			key[n] = hash[i];
			row[n++] = i;
		}
	code_keys(sample, column, key, row, n);
	column->number = false;
	pfree(key);
	pfree(row);
}
