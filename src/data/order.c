/*
 * order.c
 *		The canonical order of the rows, and the parts they are split into.
 *
 * Rows are ordered by a seeded hash of their key or content, so the order depends neither on how they arrived nor on what they mean: it is the
 * shuffle, and its ranges are the split.  Rows of one key, and rows that are equal, have one hash and therefore stay in one part.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "core/hash.h"
#include "core/sort.h"
#include "data/order_internal.h"

uint64
split_seed(int64 seed)
{
	return hash_mix((uint64) seed + 1);
}

double
split_fraction(uint64 seed, const char *key, Size length)
{
	return hash_unit(hash_fold(seed, hash_text(key, length, 0)));
}

void
take_keys(Order *o, Side side, bool seeded)
{
	for (uint32 i = 0; i < o->n; i++)
	{
		uint64		value = *row_side(o->sides, side, o->row[i]);

		check_interrupts(i);
		o->key[i] = seeded ? hash_fold(o->seed, value) : value;
	}
}

void
sort_rows(Order *o)
{
	sort_keys(o->key, o->row, o->key_scratch, o->row_scratch, o->n);
}

/* ---- rows of one hash ---- */

/* Missing cells go last; there is only one NaN. */
static int
compare_cells(const void *a, const void *b, void *arg)
{
	const Frame *frame = arg;
	const double *x = row_cells(frame, *(const uint32 *) a);
	const double *y = row_cells(frame, *(const uint32 *) b);

	for (int i = 0; i < frame->ncells; i++)
	{
		if (x[i] < y[i] || (!isnan(x[i]) && isnan(y[i])))
			return -1;
		if (x[i] > y[i] || (isnan(x[i]) && !isnan(y[i])))
			return 1;
	}
	return 0;
}

/*
 * Rows that share their hashes are equal but for accidents of 2^-64: see that they are, and sort them by their cells where they are not.
 */
static void
settle_run(Order *o, uint32 start, uint32 end)
{
	Size		row_bytes = o->frame->ncells * sizeof(double);
	const double *first = row_cells(o->frame, o->row[start]);

	for (uint32 i = start + 1; i < end; i++)
	{
		check_interrupts(i);
		if (memcmp(first, row_cells(o->frame, o->row[i]), row_bytes) != 0)
		{
			qsort_arg(o->row + start, end - start, sizeof(uint32), compare_cells, o->frame);
			return;
		}
	}
}

static void
settle_ties(Order *o)
{
	uint32		start = 0;

	for (uint32 i = 1; i <= o->n; i++)
	{
		check_interrupts(i);
		if (i < o->n && o->key[i] == o->key[start] &&
			*row_side(o->sides, SIDE_CONTENT, o->row[i]) == *row_side(o->sides, SIDE_CONTENT, o->row[start]))
			continue;
		if (i - start > 1)
			settle_run(o, start, i);
		start = i;
	}
}

/* ---- parts by hash ---- */

/* The first position whose hash, as a fraction, reaches the bound. */
static int64
first_reaching(const Order *o, double bound)
{
	int64		low = 0,
				high = o->n;

	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (hash_unit(o->key[middle]) < bound)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#define FEWEST_PER_COPY 10		/* rows of the source for each row that differs: from here on, parts are not alike */

/* Rows that are equal stay on one side, so a part may lack what only a few kinds of rows have.  The rows are in the order of their content. */
static void
warn_of_copies(const Order *o)
{
	uint32		kinds = 0;

	for (uint32 i = 0; i < o->n; i++)
	{
		check_interrupts(i);
		kinds += i == 0 || o->key[i] != o->key[i - 1];
	}
	if ((uint64) kinds * FEWEST_PER_COPY <= o->n)
		frame_warning(o->frame, "only %u of the %u rows differ, and rows that are equal stay in one part of the split, so that its parts are not alike; "
					  "a \"key\" that tells rows apart spreads them", kinds, o->n);
}

static void
split_by_hash(Order *o)
{
	const double *share = o->request->share;
	int64	   *start = o->frame->part_start;
	double		bound[NPARTS - 1];

	split_bounds(share, bound);
	start[PART_TRAIN] = 0;
	start[PART_VALIDATION] = first_reaching(o, bound[0]);
	start[PART_TEST] = first_reaching(o, bound[1]);
	start[NPARTS] = o->n;
	if (share[PART_TRAIN] < 1 && o->sides->slot[SIDE_KEY] < 0 && o->sides->slot[SIDE_GROUP] < 0)
		warn_of_copies(o);
	if (start[PART_VALIDATION] == 0 && share[PART_TRAIN] > 0 && !o->request->locked)
	{
		start[PART_VALIDATION] = start[PART_TEST] = o->n;
		frame_warning(o->frame, "no row fell into the training part by its hash, so all %u are in it", o->n);
	}
}

/* ---- parts row by row ---- */

void
arrange_parts(Order *o, const uint8 *part)
{
	int64		count[NPARTS + 1] = {0};
	int64		next[NPARTS + 1];
	int64	   *start = o->frame->part_start;

	for (uint32 i = 0; i < o->n; i++)
	{
		check_interrupts(i);
		count[part[i]]++;
	}
	start[PART_TRAIN] = 0;
	for (int p = 0; p < NPARTS; p++)
		start[p + 1] = start[p] + count[p];
	memcpy(next, start, sizeof(next));
	for (uint32 i = 0; i < o->n; i++)
	{
		check_interrupts(i);
		o->row_scratch[next[part[i]]++] = o->row[i];
	}
	memcpy(o->row, o->row_scratch, o->n * sizeof(uint32));
	o->frame->nrows = start[NPARTS];
}

/* ---- all of it ---- */

static void *
take(const Order *o, Size element)
{
	return alloc_large(o->frame->context, size_times(o->n, element));
}

void
frame_order(Frame *frame, const RowSides *sides, Dictionary *strata, const FrameRequest *request)
{
	Order		order = {.frame = frame, .sides = sides, .strata = strata, .request = request, .n = (uint32) frame->nrows};
	Order	   *o = &order;
	bool		by_time = sides->slot[SIDE_TIME] >= 0;
	TimeCuts	cuts;

	o->seed = split_seed(request->seed);
	o->key = take(o, sizeof(uint64));
	o->key_scratch = take(o, sizeof(uint64));
	o->row = take(o, sizeof(uint32));
	o->row_scratch = take(o, sizeof(uint32));
	for (uint32 i = 0; i < o->n; i++)
		o->row[i] = i;

	if (by_time)
		find_time_cuts(o, &cuts);
	take_keys(o, SIDE_CONTENT, true);
	sort_rows(o);
	if (sides->slot[SIDE_KEY] >= 0)
	{
		/* the sort is stable: rows of one key stay in the order of their content */
		take_keys(o, SIDE_KEY, true);
		sort_rows(o);
	}
	if (sides->slot[SIDE_GROUP] >= 0)
	{
		take_keys(o, SIDE_GROUP, true);
		sort_rows(o);
	}
	if (frame->file == NULL)	/* there, hashes alone decide */
		settle_ties(o);
	if (by_time)
		part_by_time(o, &cuts);
	else if (request->stratified)
		split_by_stratum(o);
	else
		split_by_hash(o);

	frame->order = o->row;
	pfree(o->key);
	pfree(o->key_scratch);
	pfree(o->row_scratch);
}
