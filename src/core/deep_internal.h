/*
 * deep_internal.h
 *		Between growing deep trees (deep.c) and searching their splits (deep_split.c).
 */
#ifndef RELEARN_CORE_DEEP_INTERNAL_H
#define RELEARN_CORE_DEEP_INTERNAL_H

#include "core/deep.h"
#include "core/hash.h"

/* Sums over rows in one register: (rows << 32) + weight, and weight * value; aligned as palloc does. */
typedef int64 DeepSums __attribute__((vector_size(16), aligned(8)));

static inline int64
sums_rows(DeepSums sums)
{
	return sums[0] >> 32;
}

static inline double
sums_weight(DeepSums sums)
{
	return (double) (sums[0] & PG_UINT32_MAX);
}

#define PAIR_MASK (DEEP_PAIR_WEIGHT - 1)

static inline int64
row_weight(bool pairs, const DeepRow *row)
{
	return pairs ? (row->sums >> DEEP_PAIR_BITS) & PAIR_MASK : (int64) ((uint64) row->sums >> 32);
}

static inline int32
row_value(bool pairs, const DeepRow *row)
{
	return pairs ? (row->sums & PAIR_MASK) != 0 : (int32) row->sums;
}

/* A word of pairs at length. */
static inline DeepSums
pair_sums(int64 pair)
{
	return (DeepSums) {(pair >> 2 * DEEP_PAIR_BITS) << 32 | ((pair >> DEEP_PAIR_BITS) & PAIR_MASK), pair & PAIR_MASK};
}

static inline DeepSums
row_sums(bool pairs, const DeepRow *row)
{
	if (pairs)
		return pair_sums(row->sums);
	return (DeepSums) {(INT64CONST(1) << 32) + row_weight(false, row), row_weight(false, row) * row_value(false, row)};
}

/* Where the bins of the rows lie: a row of group g at group[g] + row * GROUP_BYTES. */
typedef struct DeepBase
{
	uint8	  **group;
} DeepBase;

/* Rows that are to be split. */
typedef struct DeepWhole
{
	const DeepRow *row;
	int64		count;
	const DeepBase *base;
	DeepSums	sums;			/* of all rows */
	int64		squares;		/* classes: sum of the squares of their weights */
} DeepWhole;

typedef struct DeepSplit
{
	int			column;			/* -1: none */
	double		gain;			/* weight * fall of the impurity, in levels */
	int			cut;			/* numbers: last bin on the left; -1: a category split */
	int			above;			/* numbers: first bin on the right that a row has */
	bool		missing_left;
	bool		missing_seen;	/* else the larger child takes what is missing */
	DeepSums	left;			/* of the rows that go left; of several classes, without their values */
	DeepSet		set;			/* categories: bins that go left; what is missing is missing_left */
	DeepSet		seen;			/* bins that rows of the node have; the others go with the larger child */
} DeepSplit;

typedef struct DeepSearch
{
	const Bins *bins;
	const double *edge;			/* (ncolumns, BIN_VALUES) */
	const DeepOptions *options;
	int		   *column;			/* (ncolumns) a permutation, drawn from */
	uint64		random;			/* of the node */

	DeepSums   *hist;			/* several columns' (BIN_VALUES); zeros between searches */
	int64	   *pairs;			/* the same in words */

	/* classes */
	int64	   *total;			/* (nclasses) weights of the node's classes */
	int64	   *left;			/* (nclasses) scratch */
	uint32	   *count;			/* (BIN_VALUES) zeros between searches */
	DeepRow    *sorted;			/* (most_rows) by bin */
} DeepSearch;

/* A bin in the order in which a cut goes through them. */
typedef struct DeepLevel
{
	int			bin;
	int			run;			/* of several classes: where its rows are */
	DeepSums	sums;
	double		order;
} DeepLevel;

/* What candidates are compared by; num / den is the gain over the node's weight. */
typedef struct DeepBest
{
	double		mean;			/* of the node */
	double		numerator,
				denominator;
	int64		fewest;			/* rows of a side */
	DeepSums	total;
	DeepSums	left;			/* of the best */
} DeepBest;

extern void deep_search_init(DeepSearch *search, const Bins *bins, const double *edge, int64 most_rows, const DeepOptions *options);

/* The best split of the rows on columns drawn by the seed; split->column is -1 where there is none. */
extern void deep_search(DeepSearch *search, const DeepWhole *whole, uint64 seed, DeepSplit *split);

/* ---- shared by means and classes ---- */

/* The node's rows have bins up to "below" and from "above" on. */
static inline void
deep_keep_number(DeepSplit *split, int column, int below, int above, bool missing_left, bool missing_seen)
{
	split->column = column;
	split->cut = below;
	split->above = above;
	split->missing_left = missing_left;
	split->missing_seen = missing_seen;
}

/* The first left of n levels go left. */
extern void deep_keep_category(DeepSplit *split, int column, const DeepLevel *level, int left, int n, bool missing_seen);

/* A cut drawn at random. */
typedef struct DeepCut
{
	int			last;			/* bin on the left */
	bool		missing;		/* rows miss the number; */
	bool		missing_left;	/* where they go */
} DeepCut;

static inline bool
deep_cut_left(const DeepCut *cut, int bin)
{
	return bin == BIN_MISSING ? cut->missing_left : bin <= cut->last;
}

/* Bins that rows of a node have. */
typedef struct DeepRange
{
	int			first,
				last;			/* -1: none but missing */
	bool		missing;
} DeepRange;

extern void deep_find_range(const DeepWhole *whole, int column, DeepRange *range);

/* Evenly over the range of the edges between the first and the last bin.  False where the rows do not differ. */
extern bool deep_draw_cut(DeepSearch *search, int column, const DeepRange *range, DeepCut *cut);

/* Shuffle the levels; returns how many go left. */
extern int	deep_random_subset(DeepSearch *search, DeepLevel *level, int n);

/* For qsort of levels. */
extern int	deep_by_order(const void *a, const void *b);

static inline uint64
deep_random(DeepSearch *search)
{
	search->random += UINT64CONST(0x9e3779b97f4a7c15);
	return hash_mix(search->random);
}

/* A column of the rows; rows are GROUP_BYTES apart. */
static inline const uint8 *
deep_column(const DeepWhole *whole, int column)
{
	return whole->base->group[column / GROUP_COLUMNS] + column % GROUP_COLUMNS;
}

/* Of a number's bins. */
static inline const double *
deep_edges(const DeepSearch *search, int column)
{
	return search->edge + (Size) column * BIN_VALUES;
}

/* Totals and squares of the classes, before their columns are searched. */
extern void deep_sum_classes(DeepSearch *search, DeepWhole *whole);

/* True where the rows differ in the column. */
extern bool deep_search_classes(DeepSearch *search, const DeepWhole *whole, int column, DeepBest *best, DeepSplit *split);

#endif
