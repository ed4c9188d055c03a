/*
 * spill.c
 *		The cells of a frame in a temporary file, where they leave no room for the training in memory.
 *
 * The file is PostgreSQL's own kind: it lies where temp_tablespaces says, counts against temp_file_limit, and goes with the transaction.  Rows are
 * in order of arrival, a chunk of them column by column, so that some columns can be read without the others.  The source is read once all the same:
 * it may be slow, and what it returns need not be the same twice.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#include "data/load_internal.h"

#define COLUMN_BYTES (FRAME_CHUNK_ROWS * sizeof(double))	/* of a chunk; a whole number of blocks */

StaticAssertDecl(COLUMN_BYTES % BLCKSZ == 0 || BLCKSZ % COLUMN_BYTES == 0, "columns of a chunk begin at blocks");

/* ---- writing ---- */

Size
window_bytes(const Frame *frame)
{
	return size_times(frame->ncells, COLUMN_BYTES);
}

/* A chunk of rows, row by row, to the end of the file. */
static void
append_chunk(Frame *frame, const double *cells)
{
	double	   *column = frame->column_buffer;

	CHECK_FOR_INTERRUPTS();
	for (int j = 0; j < frame->ncells; j++)
	{
		for (int i = 0; i < FRAME_CHUNK_ROWS; i++)
			column[i] = cells[(Size) i * frame->ncells + j];
		BufFileWrite(frame->file, column, COLUMN_BYTES);
	}
}

void
spill_rows(Load *l)
{
	Frame	   *frame = l->frame;
	Size		nchunks = (Size) frame->nrows >> FRAME_CHUNK_BITS;
	Size		rest = (Size) frame->nrows & (FRAME_CHUNK_ROWS - 1);
	MemoryContext caller = MemoryContextSwitchTo(frame->context);

	frame->file = BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
	frame->column_buffer = MemoryContextAlloc(frame->context, COLUMN_BYTES);
	frame->window = MemoryContextAllocExtended(frame->context, window_bytes(frame), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (Size k = 0; k < nchunks; k++)
		append_chunk(frame, frame->chunk[k]);
	if (rest > 0)
		memcpy(frame->window, frame->chunk[nchunks], rest * frame->ncells * sizeof(double));
	MemoryContextDelete(frame->cells);
	frame->cells = NULL;
	frame->chunk = NULL;
}

void
spill_window(Frame *frame)
{
	append_chunk(frame, frame->window);
}

/* ---- after the last row ---- */

void
spill_recode(Frame *frame, int cell, const int *map, int n)
{
	if (frame->recode == NULL)
		frame->recode = MemoryContextAllocZero(frame->context, frame->ncells * sizeof(int *));
	frame->recode[cell] = MemoryContextAllocHuge(frame->context, Max(n, 1) * sizeof(int));
	memcpy(frame->recode[cell], map, n * sizeof(int));
}

void
spill_end(Frame *frame)
{
	frame->narrived = (uint32) frame->nrows;
	if (frame->narrived & (FRAME_CHUNK_ROWS - 1))
		append_chunk(frame, frame->window);
}

void
spill_turn_order(Frame *frame)
{
	frame->position = alloc_large(frame->context, size_times(frame->narrived, sizeof(uint32)));
	memset(frame->position, 0xFF, frame->narrived * sizeof(uint32));
	for (int64 i = 0; i < frame->nrows; i++)
		frame->position[frame->order[i]] = (uint32) i;
	pfree(frame->order);
	frame->order = NULL;
}

/* ---- reading ---- */

static void
read_columns(const Frame *frame, Size chunk, int first, int n, double *values)
{
	Size		bytes = n * COLUMN_BYTES;

	if (BufFileSeekBlock(frame->file, (long) ((chunk * frame->ncells + first) * COLUMN_BYTES / BLCKSZ)) != 0 ||
		BufFileRead(frame->file, values, bytes) != bytes)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read the temporary file of the training rows: %m")));
	for (int j = 0; j < n && frame->recode != NULL; j++)
	{
		const int  *map = frame->recode[first + j];
		double	   *code = values + (Size) j * FRAME_CHUNK_ROWS;

		for (int i = 0; i < FRAME_CHUNK_ROWS && map != NULL; i++)
			if (!isnan(code[i]))
				code[i] = map[(int) code[i]];
	}
}

static int
chunk_rows(const Frame *frame, Size chunk)
{
	return (int) Min(FRAME_CHUNK_ROWS, frame->narrived - (chunk << FRAME_CHUNK_BITS));
}

static Size
count_chunks(const Frame *frame)
{
	return ((Size) frame->narrived + FRAME_CHUNK_ROWS - 1) >> FRAME_CHUNK_BITS;
}

void
spill_codes(const Frame *frame, int cell, uint32 *code)
{
	Size		nchunks = count_chunks(frame);

	for (Size k = 0; k < nchunks; k++)
	{
		CHECK_FOR_INTERRUPTS();
		read_columns(frame, k, cell, 1, frame->column_buffer);
		for (int i = 0; i < chunk_rows(frame, k); i++)
			code[(k << FRAME_CHUNK_BITS) + i] = (uint32) frame->column_buffer[i];
	}
}

void
spill_gather(const Frame *frame, int first, int ncells, int64 start, int64 n, double *values)
{
	Size		nchunks = count_chunks(frame);

	for (Size k = 0; k < nchunks; k++)
	{
		const uint32 *position = frame->position + (k << FRAME_CHUNK_BITS);
		int			count = chunk_rows(frame, k);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < ncells; j++)
		{
			double	   *column = values + (int64) j * n;

			read_columns(frame, k, first + j, 1, frame->column_buffer);
			for (int i = 0; i < count; i++)
				if (position[i] >= start && position[i] - start < n)
					column[position[i] - start] = frame->column_buffer[i];
		}
	}
}

/* Rows of a chunk from one on, among them those in the range; returns how many. */
static int
turn_rows(const Frame *frame, Size chunk, int from, int64 start, int64 end, double *rows, uint32 *position)
{
	const uint32 *at = frame->position + (chunk << FRAME_CHUNK_BITS) + from;
	int			count = Min(FRAME_BLOCK, chunk_rows(frame, chunk) - from);
	int			n = 0;
	int			taken[FRAME_BLOCK];

	for (int i = 0; i < count; i++)
	{
		position[n] = at[i];
		taken[n] = from + i;
		n += at[i] >= start && at[i] < end;
	}
	for (int j = 0; j < frame->ncells && n > 0; j++)
		for (int i = 0; i < n; i++)
			rows[(Size) i * frame->ncells + j] = frame->window[(Size) j * FRAME_CHUNK_ROWS + taken[i]];
	return n;
}

void
spill_scan(const Frame *frame, int64 start, int64 end, FrameBlock block, void *state)
{
	Size		nchunks = count_chunks(frame);
	double	   *rows = palloc_extended(sizeof(double) * FRAME_BLOCK * frame->ncells, MCXT_ALLOC_HUGE);
	const double *row[FRAME_BLOCK];
	uint32		position[FRAME_BLOCK];

	for (int i = 0; i < FRAME_BLOCK; i++)
		row[i] = rows + (Size) i * frame->ncells;
	for (Size k = 0; k < nchunks; k++)
	{
		read_columns(frame, k, 0, frame->ncells, frame->window);
		for (int from = 0; from < chunk_rows(frame, k); from += FRAME_BLOCK)
		{
			int			n = turn_rows(frame, k, from, start, end, rows, position);

			CHECK_FOR_INTERRUPTS();
			if (n > 0)
				block(state, row, position, n);
		}
	}
	pfree(rows);
}

void
spill_drop(Frame *frame)
{
	BufFileClose(frame->file);
	pfree(frame->window);
	pfree(frame->column_buffer);
	pfree(frame->position);
	frame->file = NULL;
	frame->window = NULL;
	frame->position = NULL;
}
