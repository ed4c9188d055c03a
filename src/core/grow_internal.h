/*
 * grow_internal.h
 *		What the files of the tree grower share.
 *
 * A histogram holds for every column and bin the sums of the gradients and hessians of its rows, packed as (gradient << 32) + hessian: sums and
 * differences of packed numbers are those of the parts while the hessians' stay below 2^32.
 */
#ifndef RELEARN_CORE_GROW_INTERNAL_H
#define RELEARN_CORE_GROW_INTERNAL_H

#include "core/grow.h"

#define HIST_COLUMN BIN_VALUES	/* entries of a column */
#define HIST_GROUP (GROUP_COLUMNS * HIST_COLUMN)

#define PAIR_OFFSET GROUP_COLUMNS	/* in a group's row */

/*
 * Few levels, where rows are many: sums of FLUSH_ROWS rows fit 16 bits each, in a table that the first-level cache holds.  Many, where the
 * rounding of few would show.
 */
#define FEW_GRADIENT_LEVELS 15
#define FEW_HESSIAN_LEVELS 30
#define FLUSH_ROWS 2176
#define FEW_LEVELS_FROM 131072	/* rows */
#define MANY_GRADIENT_LEVELS 32767
#define MANY_HESSIAN_LEVELS 65535

static inline int64
packed_gradient(int64 packed)
{
	return packed >> 32;
}

static inline int64
packed_hessian(int64 packed)
{
	return (int64) (uint32) packed;
}

typedef struct Quantum
{
	float		gradient_scale,	/* level = value * scale, rounded by chance */
				hessian_scale;
	int			gradient_levels;	/* levels lie in -gradient_levels .. gradient_levels */
	double		gradient,		/* value of one level */
				hessian;
	bool		all_one;		/* hessians are equal: one level each, so that rows are counted exactly */
	uint32		seed;
} Quantum;

/* What a scan over the bins of a number column takes and finds. */
typedef struct Scan
{
	int64		total;			/* packed sums of the leaf */
	int64		missing;		/* packed sums of its missing rows */
	int64		fewest;			/* hessian levels a side must have */
	double		gradient,		/* Quantum */
				hessian;
	double		l2;
	double		best;			/* gl^2 / (hl + l2) + gr^2 / (hr + l2) to beat */
	int			bin;			/* last bin on the left; -1: nothing better */
	bool		missing_left;
} Scan;

/* The largest gradient (by size) and hessian and the smallest hessian, as the bits of floats, which order them; hessians are not negative. */
typedef struct Extremes
{
	int32		gradient,
				hessian,
				least_hessian;
} Extremes;

typedef struct GrowKernels
{
	void		(*extremes) (const float *gradient, const float *hessian, int64 count, Extremes *extremes);

	/* Packed levels (gradient << 16) + hessian of rows first .. first+count-1. */
	void		(*quantise) (const float *gradient, const float *hessian, int64 first, int count, const Quantum *quantum, int32 *pair);

	/*
	 * Add rows from .. from+count-1 (or those that rows[] lists there) of a group to sum.  words: 64-bit words of bins in use.  few: by way of table
	 * (HIST_GROUP zeros, left so).
	 */
	void		(*histogram) (const uint8 *group, const int32 *rows, int64 from, int64 count, int words, bool few, int32 *table, int64 *sum);
	void		(*subtract) (int64 *from, const int64 *what, Size n);
	void		(*scan) (const int64 *bins, int nbins, Scan *scan);
} GrowKernels;

extern const GrowKernels grow_baseline;
extern const GrowKernels *grow_avx2(void);	/* NULL where the platform or the CPU has none */

/* ---- splits ---- */

typedef struct Split
{
	double		gain;			/* over the leaf unsplit; 0: none */
	double		value;			/* what the search compares; ties go to the lower column */
	int			column;
	bool		missing_left;
	bool		missing_seen;	/* else the larger child takes what is missing later */
	int			bin;			/* numbers: the last on the left */
	uint64		bins_left[BIN_VALUES / 64];	/* categories */
	int64		left;			/* packed sums */
} Split;

typedef struct Leaf
{
	GrownLeaf	grown;
	int			depth;
	int64		total;			/* packed sums */
	int64	   *hist;			/* (ncolumns, HIST_COLUMN); NULL: not kept */
	int			walk;			/* where the route comes to it from: split and side; -1: root */
	bool		walk_right;
	Split		split;
} Leaf;

typedef struct SplitSearch
{
	const Bins *bins;
	const GrowOptions *options;
	const GrowKernels *kernels;
	Quantum		quantum;
} SplitSearch;

/* The best split of a leaf on one column, into leaf->split where it is better than what is there. */
extern void split_search(const SplitSearch *search, Leaf *leaf, int column);

/* The L2 penalty of the sides of a split on a column. */
extern double split_l2(const SplitSearch *search, int column);

/* The outputs both sides of a split would have, between the leaf's bounds. */
extern void split_outputs(const SplitSearch *search, const Leaf *leaf, double *left, double *right);

static inline bool
split_has_bin(const Split *split, int bin)
{
	return (split->bins_left[bin >> 6] >> (bin & 63)) & 1;
}

#endif
