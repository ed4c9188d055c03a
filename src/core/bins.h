/*
 * bins.h
 *		Design rows as bytes: at most 255 bins a column, and one for what is missing.
 *
 * Edges come from the first rows, which in canonical order are a random sample; they lie midway between neighbouring values, one bin for each
 * distinct value where there are few.  Categories are binned by code; where there are more than 255 levels the most frequent 254 keep a bin.
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
	uint8	   *bin_of;			/* categories: (levels) */
} ColumnBins;

typedef struct Bins
{
	int64		nrows;
	int			ncolumns;
	ColumnBins *column;
	int			ngroups;
	uint8	  **group;			/* (ngroups) of (nrows, GROUP_BYTES) */
	uint8	   *bytes;			/* (ncolumns, nrows): the same bins, column by column */
} Bins;

typedef struct BinOptions
{
	int			max_bin;		/* 2 .. BIN_MAX */
	int			min_data_in_bin;
	int64		sample;			/* rows to take edges from; at most nrows */
} BinOptions;

/* Rows start .. start+count-1 as (count, ncolumns); count <= block of bins_fill. */
typedef const double *(*BinSource) (void *state, int64 start, int count);

/* A member's view of bins in the arena; bins_fill is the leader's. */
extern Bins *bins_layout(Arena *arena, int64 nrows, int ncolumns);
extern void bins_fill(Bins *bins, BinSource source, void *state, int block, const int *levels, const BinOptions *options);

/* Bytes bins_fill takes beside the arena. */
extern Size bins_scratch(int64 nrows, int ncolumns, int64 sample);

/* Both at once, in private memory, and the bytes that takes. */
extern Bins *bins_create(BinSource source, void *state, int block, int64 nrows, int ncolumns, const int *levels, const BinOptions *options);
extern Size bins_memory(int64 nrows, int ncolumns, int64 sample);

static inline const uint8 *
bins_column(const Bins *bins, int column)
{
	return bins->bytes + (Size) column * bins->nrows;
}

#endif
