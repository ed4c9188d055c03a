/*
 * bins.h
 *		Design rows as bytes: at most 255 bins a column, and one for what is missing.
 *
 * Edges come from the first rows, which in canonical order are a random sample; they lie midway between neighbouring values, one bin for each
 * distinct value where there are few.  A column of both signs has an edge between them, as in LightGBM.  Categories are binned by code; where there are
 * more than 255 levels the most frequent 254 keep a bin.
 *
 * A training turns its rows to bytes once, in private memory and by rows only; trainers that share their work lay out a view of their own and copy
 * them there.
 */
#ifndef RELEARN_CORE_BINS_H
#define RELEARN_CORE_BINS_H

#include "core/team.h"

#define BIN_MISSING 255
#define BIN_VALUES 256			/* values of a byte */
#define BIN_MAX 255				/* bins of a column, beside the missing one */

/*
 * Rows lie in groups of columns, each row of a group in one half of a cache line: 28 bins, then a pair that a trainer may use (an int16 above a
 * uint16: gradient and hessian), so that one line holds all that a histogram needs.
 */
#define GROUP_COLUMNS 28
#define GROUP_BYTES 32

typedef struct ColumnBins
{
	int			levels;			/* of a category column; 0: a number */
	int			nbins;			/* beside the missing one; 0 where nothing but missing was seen */

	/* the leader's only */
	double	   *edge;			/* numbers: (nbins) bin b holds edge[b-1] < x <= edge[b]; the last is above every value */
	struct BinGuide *guide;		/* numbers of many bins: where to look; else NULL */
	uint8	   *bin_of;			/* categories: (levels) */
	double	   *value;			/* (BIN_VALUES) one that lies in the bin; NaN for what is missing */
} ColumnBins;

typedef struct Bins
{
	int64		nrows;
	int			ncolumns;
	ColumnBins *column;
	int			ngroups;
	uint8	  **group;			/* (ngroups) of (nrows, GROUP_BYTES) */
	uint8	   *bytes;			/* (ncolumns, nrows): the same bins, column by column; only in views */
} Bins;

typedef struct BinOptions
{
	int			max_bin;		/* 2 .. BIN_MAX */
	int			min_data_in_bin;
	int64		sample;			/* rows to take edges from, at most */
} BinOptions;

/* ---- made once, by the leader ---- */

/* Bins for nrows rows, which are to be coded; edges from the sample: (ncolumns, nsample). */
extern Bins *bins_create(int64 nrows, int ncolumns, const int *levels, const double *sample, int64 nsample, const BinOptions *options);

/* Bins of the same columns for other rows, which are to be coded or copied. */
extern Bins *bins_alike(const Bins *bins, int64 nrows);
extern void bins_copy_row(const Bins *bins, int64 row, const Bins *from, int64 from_row);

/* Rows (count, ncolumns) to bytes at their places; count <= BIN_BLOCK. */
extern void bins_code(const Bins *bins, const double *rows, const uint32 *place, int count);

/* And back: (count, ncolumns), for each cell a value that lies in the same bin. */
extern void bins_decode(const Bins *bins, int64 start, int count, double *rows);

#define BIN_BLOCK 256
#define BIN_SAMPLE 100000		/* rows that learners take edges from */

/* Bytes bins_create takes for good, and for a while, the sample included. */
extern Size bins_memory(int64 nrows, int ncolumns);
extern Size bins_scratch(int64 nsample, int ncolumns);

/* ---- views ---- */

/*
 * A member's view of bins in the arena; the leader fills its rows with the first ones of what was made, and any member turns runs of them into columns.
 */
extern Bins *bins_layout(Arena *arena, int64 nrows, int ncolumns);
extern Bins *bins_layout_rows(Arena *arena, int64 nrows, int ncolumns); /* without "bytes" */
extern void bins_take(Bins *bins, const Bins *made);
extern void bins_turn(const Bins *bins, int64 start, int64 count);

static inline const uint8 *
bins_column(const Bins *bins, int column)
{
	return bins->bytes + (Size) column * bins->nrows;
}

static inline uint8
bins_cell(const Bins *bins, int column, int64 row)
{
	return bins->group[column / GROUP_COLUMNS][(Size) row * GROUP_BYTES + column % GROUP_COLUMNS];
}

#endif
