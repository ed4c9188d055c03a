/*
 * twins.c
 *		Rows that occur more than once, found by their hashes.
 *
 * Up to MOST_DISTINCT rows that differ all are kept; beyond that only those whose hash is below a limit that halves each time: rows that are equal
 * stay or go together, so what is counted among those kept is a fair estimate of the whole, and does not depend on the order of the rows.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "checks/checks_internal.h"
#include "core/sort.h"

#define MOST_DISTINCT (1 << 20)
#define MOST_ROWS (2 * MOST_DISTINCT)	/* between two looks at how many differ */
#define FIRST_ROWS 1024
#define ROWS_PER_CHECK 65536

/* A row and how many there are that equal it in hash and label. */
typedef struct Twin
{
	uint64		label;
	int64		count;
} Twin;

#define ROW_BYTES (2 * (sizeof(uint64) + sizeof(Twin) + sizeof(uint32)))	/* with the copies that sorting takes */

struct TwinSet
{
	uint64	   *hash;
	Twin	   *twin;
	int			n;
	int			capacity;
	int			halvings;
	Budget	   *budget;
	MemoryContext context;
};

TwinSet *
twin_set_create(Budget *budget)
{
	TwinSet    *set = palloc0(sizeof(TwinSet));

	set->budget = budget;
	set->context = CurrentMemoryContext;
	return set;
}

void
twin_set_free(TwinSet *set)
{
	budget_return(set->budget, ROW_BYTES * set->capacity);
	if (set->capacity > 0)
	{
		pfree(set->hash);
		pfree(set->twin);
	}
	pfree(set);
}

static void
grow(TwinSet *set)
{
	int			capacity = Max(2 * set->capacity, FIRST_ROWS);

	budget_take(set->budget, ROW_BYTES * (capacity - set->capacity), "the hashes of the rows");
	set->hash = set->hash ? repalloc(set->hash, capacity * sizeof(uint64)) : MemoryContextAlloc(set->context, capacity * sizeof(uint64));
	set->twin = set->twin ? repalloc(set->twin, capacity * sizeof(Twin)) : MemoryContextAlloc(set->context, capacity * sizeof(Twin));
	set->capacity = capacity;
}

/* By hash. */
static void
sort_by_hash(TwinSet *set)
{
	uint32	   *row = palloc(sizeof(uint32) * Max(set->n, 1));
	uint32	   *row_scratch = palloc(sizeof(uint32) * Max(set->n, 1));
	uint64	   *hash_scratch = palloc(sizeof(uint64) * Max(set->n, 1));
	Twin	   *twin = palloc(sizeof(Twin) * Max(set->n, 1));

	for (int i = 0; i < set->n; i++)
		row[i] = i;
	sort_keys(set->hash, row, hash_scratch, row_scratch, set->n);
	for (int i = 0; i < set->n; i++)
		twin[i] = set->twin[row[i]];
	memcpy(set->twin, twin, sizeof(Twin) * set->n);
	pfree(row);
	pfree(row_scratch);
	pfree(hash_scratch);
	pfree(twin);
}

static int
compare_labels(const void *a, const void *b)
{
	const Twin *x = a;
	const Twin *y = b;

	return (x->label > y->label) - (x->label < y->label);
}

static int
end_of_run(const TwinSet *set, int start)
{
	int			end = start + 1;

	while (end < set->n && set->hash[end] == set->hash[start])
		end++;
	return end;
}

/* Sort, and join what is equal in hash and label. */
static void
merge_twins(TwinSet *set)
{
	int			kept = 0;

	sort_by_hash(set);
	for (int start = 0, end; start < set->n; start = end)
	{
		uint64		hash = set->hash[start];

		if (start % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		end = end_of_run(set, start);
		if (end > start + 1)
			qsort(set->twin + start, end - start, sizeof(Twin), compare_labels);
		for (int i = start; i < end; i++)
		{
			if (i > start && set->twin[i].label == set->twin[kept - 1].label)
				set->twin[kept - 1].count += set->twin[i].count;
			else
			{
				set->hash[kept] = hash;
				set->twin[kept++] = set->twin[i];
			}
		}
	}
	set->n = kept;
}

/* Of a merged, so sorted set. */
static void
halve(TwinSet *set)
{
	set->halvings++;
	while (set->n > 0 && set->hash[set->n - 1] >> (64 - set->halvings) != 0)
		set->n--;
}

static void
tidy(TwinSet *set)
{
	merge_twins(set);
	while (set->n > MOST_DISTINCT)
		halve(set);
}

void
twin_set_add(TwinSet *set, uint64 hash, uint64 label)
{
	if (set->halvings > 0 && hash >> (64 - set->halvings) != 0)
		return;
	if (set->n == MOST_ROWS)
		tidy(set);
	if (set->n == set->capacity)
		grow(set);
	set->hash[set->n] = hash;
	set->twin[set->n++] = (Twin) {label, 1};
}

void
twin_set_count(TwinSet *set, TwinCounts *counts)
{
	tidy(set);
	*counts = (TwinCounts) {.scale = ldexp(1, set->halvings)};
	for (int start = 0, end; start < set->n; start = end)
	{
		int64		rows = 0,
					labelled = 0;
		int			labels = 0;

		if (start % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		end = end_of_run(set, start);
		for (int i = start; i < end; i++)
		{
			bool		known = set->twin[i].label != MISSING_HASH;

			rows += set->twin[i].count;
			labels += known;
			labelled += known ? set->twin[i].count : 0;
		}
		counts->copies += rows - (end - start);
		if (labels > 1)
			counts->conflicting += labelled;
	}
}

/* Both to the same limit, then in step. */
void
twin_sets_compare(TwinSet *set, TwinSet *other, TwinCounts *counts)
{
	int			at = 0;

	tidy(set);
	tidy(other);
	while (set->halvings < other->halvings)
		halve(set);
	while (other->halvings < set->halvings)
		halve(other);
	*counts = (TwinCounts) {.scale = ldexp(1, set->halvings)};
	for (int i = 0; i < other->n; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		while (at < set->n && set->hash[at] < other->hash[i])
			at++;
		if (at < set->n && set->hash[at] == other->hash[i])
			counts->common += other->twin[i].count;
	}
}
