/*
 * order_internal.h
 *		The state of ordering and splitting the rows, shared by order.c (the order, parts by hash), split_strata.c and split_time.c.
 */
#ifndef RELEARN_DATA_ORDER_INTERNAL_H
#define RELEARN_DATA_ORDER_INTERNAL_H

#include "miscadmin.h"

#include "data/data_internal.h"

#define ROWS_PER_CHECK 65536

typedef struct Order
{
	Frame	   *frame;
	const RowSides *sides;
	Dictionary *strata;
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

static inline const double *
row_cells(const Frame *frame, uint32 row)
{
	return frame->chunk[row >> FRAME_CHUNK_BITS] + (Size) (row & (FRAME_CHUNK_ROWS - 1)) * frame->ncells;
}

/* ---- order.c ---- */

/* Keys of the rows as they stand now: a side, hashed with the seed where asked for. */
extern void take_keys(Order *o, Side side, bool seeded);
extern void sort_rows(Order *o);

#define LEFT_OUT NPARTS

/*
 * part (n) says for each of o->row which part it belongs to, or LEFT_OUT: sort them apart, keeping the order within each, and drop those left out.
 * part may lie in key_scratch.
 */
extern void arrange_parts(Order *o, const uint8 *part);

/* ---- split_strata.c: o->row and o->key in canonical order ---- */
extern void split_by_stratum(Order *o);

/* ---- split_time.c ---- */

/* What a split by time found out before the rows are put into canonical order. */
typedef struct TimeCuts
{
	uint64		first[NPARTS];	/* side of the earliest row of each part after training; rows before the next part's belong to it */
	uint64		gap_after[NPARTS];	/* rows of earlier parts after this lie in the gap before the part; 0: no gap */
} TimeCuts;

extern void find_time_cuts(Order *o, TimeCuts *cuts);
extern void part_by_time(Order *o, const TimeCuts *cuts);

#endif
