/*
 * load_internal.h
 *		The state of loading a frame, shared by frame.c (before and after the rows) and rows.c (the rows).
 */
#ifndef RELEARN_DATA_LOAD_INTERNAL_H
#define RELEARN_DATA_LOAD_INTERNAL_H

#include "data/data_internal.h"

#define MOST_NUMERIC_CLASSES 20
#define WHAT_IS_BOOKED "the rows of the source"

typedef enum RunKind
{
	RUN_FLOAT8,
	RUN_NUMBER,
	RUN_CATEGORY
} RunKind;

/* Features next to each other that are read the same way. */
typedef struct Run
{
	RunKind		how;
	int			first,
				end;
} Run;

typedef struct Load
{
	const FrameRequest *request;
	Budget	   *budget;
	Size		used_before;	/* of the budget */
	Source	   *source;
	Roles		roles;
	Frame	   *frame;
	CellReader *reader;			/* (ncolumns) */
	CellReader	target_reader,
				key_reader,
				time_reader,
				weight_reader,
				group_reader,
				stratum_reader;
	Dictionary *strata;			/* values of the column of strata, in order of arrival */
	bool		numeric_labels; /* classes of a numeric target */
	bool		label_from_value;	/* ... of a type that has fractions: the values must be integers */
	uint64	   *salt;			/* (ncells): what makes the same value hash differently in each column */
	int			nruns;
	Run		   *run;
	double		missing;		/* the one NaN in cells */

	RowSides	sides;
	int64		capacity;		/* rows the chunks hold */
	Size		level_bytes;	/* of them booked for levels */
	bool		long_level;		/* seen since the last look */
	bool		over_budget;	/* rows are only counted */
	int64		rows_with_levels;	/* rows that had been read when it was levels that did not fit, else 0 */

	int64		null_keys,
				null_times,
				null_groups;
	uint64		fingerprint[2];
} Load;

/* A SourceRow: one row of the source -> the frame. */
extern bool load_row(TupleTableSlot *slot, void *load);

/* Book what the levels have grown by; false where the budget ends. */
extern bool book_levels(Load *l);

/* Bytes that all rows counted would take, and the training with them where it is known what it needs. */
extern Size bytes_needed(const Load *l);

/* Bytes that a row takes in memory at the height of loading, but for its sides and levels. */
static inline Size
row_bytes(const Load *l)
{
	return (l->frame->file == NULL ? l->frame->ncells * sizeof(double) : 0) + ORDER_BYTES_PER_ROW;
}

/* ---- rows in a temporary file; in spill.c ---- */

/* Bytes of frame->window. */
extern Size window_bytes(const Frame *frame);

/* Move all rows read so far to a file; the next ones come through the window, which goes there when it is full. */
extern void spill_rows(Load *l);
extern void spill_window(Frame *frame);

/* Codes of a cell are to be read through a map of n codes. */
extern void spill_recode(Frame *frame, int cell, const int *map, int n);

/* After the last row: the rest of the window. */
extern void spill_end(Frame *frame);

/* frame->order becomes frame->position. */
extern void spill_turn_order(Frame *frame);

/* Bytes of the sides of one chunk. */
static inline Size
side_bytes(const Load *l)
{
	return l->sides.nslots * FRAME_CHUNK_ROWS * sizeof(uint64);
}

#endif
