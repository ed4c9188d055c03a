/*
 * access.c
 *		Reading a frame that stands: some columns of a range of rows, or whole rows block by block; and giving the rows back.
 *
 * Canonical neighbours lie anywhere in memory, so rows to come are fetched ahead.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "data/data_internal.h"

#define PREFETCH_ROWS 24		/* for some cells of each */
#define PREFETCH_WHOLE_ROWS 8
#define ROWS_PER_CHECK 8192

void
frame_gather(const Frame *frame, int first, int ncells, int64 start, int64 n, double *values)
{
	if (frame->file != NULL)
	{
		spill_gather(frame, first, ncells, start, n, values);
		return;
	}
	for (int64 i = 0; i < n; i++)
	{
		const double *cells = frame_row(frame, start + i) + first;

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + PREFETCH_ROWS < n)
		{
			const double *ahead = frame_row(frame, start + i + PREFETCH_ROWS) + first;

			__builtin_prefetch(ahead);
			__builtin_prefetch(ahead + ncells - 1);
		}
		for (int j = 0; j < ncells; j++)
			values[(int64) j * n + i] = cells[j];
	}
}

void
frame_scan(const Frame *frame, int64 start, int64 end, FrameBlock block, void *state)
{
	const double *row[FRAME_BLOCK];
	uint32		position[FRAME_BLOCK];

	if (frame->file != NULL)
	{
		spill_scan(frame, start, end, block, state);
		return;
	}
	while (start < end)
	{
		int			count = (int) Min(FRAME_BLOCK, end - start);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			__builtin_prefetch(frame_row(frame, Min(start + i + PREFETCH_WHOLE_ROWS, end - 1)));
			row[i] = frame_row(frame, start + i);
			position[i] = (uint32) (start + i);
		}
		block(state, row, position, count);
		start += count;
	}
}

void
frame_drop_rows(Frame *frame, Budget *budget)
{
	if (frame->file != NULL)
		spill_drop(frame);
	else
	{
		MemoryContextDelete(frame->cells);
		pfree(frame->order);
		frame->cells = NULL;
		frame->chunk = NULL;
		frame->order = NULL;
	}
	budget_return(budget, frame->booked);
	frame->booked = 0;
}
