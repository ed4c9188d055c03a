/*
 * order.c
 *		The canonical order of the rows, and the parts they are split into.
 *
 * Rows are ordered by a seeded hash of their key or content, so the order depends neither on how they arrived nor on what they mean: it is the
 * shuffle, and its ranges are the split.  Rows of one key, and rows that are equal, have one hash and therefore stay in one part.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "core/sort.h"
#include "data/data_internal.h"

#define ROWS_PER_CHECK 65536

typedef struct Order
{
	Frame	   *frame;
	const RowSides *sides;
	const FrameRequest *request;
	uint32		n;
	uint64		seed;
	uint64	   *key,			/* (n) each */
			   *key_scratch;
	uint32	   *row,
			   *row_scratch;
} Order;

static inline void
check_interrupts(uint32 i)
{
	if (i % ROWS_PER_CHECK == 0)
		CHECK_FOR_INTERRUPTS();
}

/* Keys of the rows as they stand now: a side, hashed with the seed where asked for. */
static void
take_keys(Order *o, Side side, bool seeded)
{
	for (uint32 i = 0; i < o->n; i++)
	{
		uint64		value = *row_side(o->sides, side, o->row[i]);

		check_interrupts(i);
		o->key[i] = seeded ? hash_fold(o->seed, value) : value;
	}
}

static void
sort_rows(Order *o)
{
	sort_keys(o->key, o->row, o->key_scratch, o->row_scratch, o->n);
}

static const double *
row_cells(const Frame *frame, uint32 row)
{
	return frame->chunk[row >> FRAME_CHUNK_BITS] + (Size) (row & (FRAME_CHUNK_ROWS - 1)) * frame->ncells;
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

/* A part without a share gets no row, whatever the rounding of the sums. */
static void
split_by_hash(Order *o)
{
	const double *share = o->request->share;
	int64	   *start = o->frame->part_start;

	start[PART_TRAIN] = 0;
	start[PART_VALIDATION] = first_reaching(o, share[PART_TRAIN]);
	start[PART_TEST] = share[PART_TEST] > 0 ? first_reaching(o, share[PART_TRAIN] + share[PART_VALIDATION]) : o->n;
	if (share[PART_VALIDATION] <= 0)
		start[PART_VALIDATION] = start[PART_TEST];
	start[NPARTS] = o->n;
	if (start[PART_VALIDATION] == 0 && share[PART_TRAIN] > 0)
	{
		start[PART_VALIDATION] = start[PART_TEST] = o->n;
		frame_warning(o->frame, "no row fell into the training part by its hash, so all %u are in it", o->n);
	}
}

/* ---- parts by time ---- */

/*
 * How many of the rows sorted by time come before a cut at a share of them: equal times stay together, on the side nearer to the share (on the
 * earlier side at the start, so that the first part has rows).
 */
static uint32
time_cut(const Order *o, double share)
{
	double		wanted = share * o->n;
	uint32		low,
				high;

	if (wanted <= 0)
		return 0;
	if (wanted >= o->n)
		return o->n;
	low = high = (uint32) wanted;
	while (low > 0 && o->key[low - 1] == o->key[high])
		check_interrupts(--low);
	while (high < o->n && o->key[high] == o->key[low])
		check_interrupts(++high);
	return low > 0 && wanted - low < high - wanted ? low : high;
}

/* Rows with a time of *last[part] or earlier are in that part or one before. */
static void
find_time_cuts(Order *o, uint64 last[NPARTS])
{
	const double *share = o->request->share;
	int64	   *start = o->frame->part_start;

	take_keys(o, SIDE_TIME, false);
	sort_rows(o);
	start[PART_TRAIN] = 0;
	start[PART_VALIDATION] = time_cut(o, share[PART_TRAIN]);
	start[PART_TEST] = time_cut(o, share[PART_TRAIN] + share[PART_VALIDATION]);
	if (share[PART_TEST] <= 0)
		start[PART_TEST] = o->n;
	if (share[PART_VALIDATION] <= 0 && share[PART_TEST] <= 0)
		start[PART_VALIDATION] = o->n;
	else if (share[PART_VALIDATION] <= 0)
		start[PART_TEST] = start[PART_VALIDATION];
	start[NPARTS] = o->n;
	for (int part = 0; part < NPARTS; part++)
		last[part] = start[part + 1] > 0 ? o->key[start[part + 1] - 1] : 0;
}

/* Sort the parts apart, keeping the order within each. */
static void
part_by_time(Order *o, const uint64 last[NPARTS])
{
	int64		next[NPARTS];

	memcpy(next, o->frame->part_start, sizeof(next));
	for (uint32 i = 0; i < o->n; i++)
	{
		uint64		time = *row_side(o->sides, SIDE_TIME, o->row[i]);
		int			part = PART_TRAIN;

		check_interrupts(i);
		while (part < PART_TEST && (o->frame->part_start[part + 1] == 0 || time > last[part]))
			part++;
		o->row_scratch[next[part]++] = o->row[i];
	}
	memcpy(o->row, o->row_scratch, o->n * sizeof(uint32));
}

/* ---- all of it ---- */

static void *
take(const Order *o, Size element)
{
	return alloc_large(o->frame->context, size_times(o->n, element));
}

void
frame_order(Frame *frame, const RowSides *sides, const FrameRequest *request)
{
	Order		order = {.frame = frame, .sides = sides, .request = request, .n = (uint32) frame->nrows};
	Order	   *o = &order;
	bool		by_time = sides->slot[SIDE_TIME] >= 0;
	uint64		last[NPARTS];

	o->seed = hash_mix((uint64) request->seed + 1);
	o->key = take(o, sizeof(uint64));
	o->key_scratch = take(o, sizeof(uint64));
	o->row = take(o, sizeof(uint32));
	o->row_scratch = take(o, sizeof(uint32));
	for (uint32 i = 0; i < o->n; i++)
		o->row[i] = i;

	if (by_time)
		find_time_cuts(o, last);
	take_keys(o, SIDE_CONTENT, true);
	sort_rows(o);
	if (sides->slot[SIDE_KEY] >= 0)
	{
		/* the sort is stable: rows of one key stay in the order of their content */
		take_keys(o, SIDE_KEY, true);
		sort_rows(o);
	}
	if (frame->file == NULL)	/* there, hashes alone decide */
		settle_ties(o);
	if (by_time)
		part_by_time(o, last);
	else
		split_by_hash(o);

	frame->order = o->row;
	pfree(o->key);
	pfree(o->key_scratch);
	pfree(o->row_scratch);
}
