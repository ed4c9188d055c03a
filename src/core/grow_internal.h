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
 * Levels of a gradient and a hessian at most: a row's pair has bits for so many.  Few levels, in sums of 16 bits, are no faster, and cost accuracy:
 * with a handful the AUC on hflights is 0.005 lower, as in LightGBM's quantised training.
 */
#define GRADIENT_LEVELS 32767
#define HESSIAN_LEVELS 65535

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

/* Of the gradients of some rows. */
typedef struct GradientSizes
{
	int32		gradient,		/* the largest, by size, as the bits of a float, which order them */
				hessian,		/* likewise; hessians are not negative */
				least_hessian;
	double		gradient_squares,	/* sums */
				hessians;
} GradientSizes;

typedef struct GrowKernels
{
	GradientSizes (*sizes) (const float *gradient, const float *hessian, int64 count);

	/* Packed levels (gradient << 16) + hessian of rows first .. first+count-1. */
	void		(*quantise) (const float *gradient, const float *hessian, int64 first, int count, const Quantum *quantum, int32 *pair);

	/* Add rows from .. from+count-1 (or those that rows[] lists there) of a group to sum.  words: 64-bit words of bins in use. */
	void		(*histogram) (const uint8 *group, const int32 *rows, int64 from, int64 count, int words, int64 *sum);
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
	int			slot;			/* of its histogram; -1: not kept */
	const int64 *hist;			/* (ncolumns, HIST_COLUMN) where it is searched */
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

/* ---- work and its pieces ---- */

#define QUANTISE_PIECE 2048		/* rows */
#define LEAST_HISTOGRAM_PIECE 512
#define MOST_HISTOGRAM_PIECE 2048
#define PIECES_A_MEMBER 6		/* of a leaf's rows to be divided, so that members end at about the same time */
#define LEAST_PARTITION_PIECE 4096
#define SEARCH_PIECE 2			/* columns */

/* A split of the tree just grown, by bins. */
typedef struct Walk
{
	int			column;
	int			next[2];		/* right, left: a split, or ~leaf */
	uint8		left[BIN_VALUES];	/* 1: this bin goes left */
} Walk;

/* What the leader tells the others, and they him. */
typedef struct GrowJob
{
	int			tree;			/* of the round */
	Quantum		quantum;
	bool		bagged;			/* the root's histogram is not built while gradients are rounded */
	int64		from,			/* rows of the list */
				count,
				piece;			/* of which a member takes so many */
	int			target;			/* slot that is built: member 0 adds to it, the others to sums of their own */
	bool		touched[TEAM_MOST_MEMBERS]; /* whose sums count */
	bool		merge;			/* the others' sums are still to be added to the target */
	bool		subtract;		/* child[1] has the parent's histogram, of which the target is to be taken away */
	int			nchildren;		/* to be searched */
	Leaf		child[2];
	int			ncolumns;		/* of this tree */
	int			walk;			/* split by which rows are divided */
	int			nwalks;
	int			nleaves;
} GrowJob;

struct Grower
{
	/* every member's */
	const Bins *bins;
	const GrowOptions *options;
	SplitSearch search;
	int64		ntrain;
	int			nmembers;
	const float *gradient;
	const float *hessian;
	Size		hist_entries;	/* of one histogram: ngroups * HIST_GROUP */
	int			nslots;

	/* in the arena */
	GrowJob    *job;
	int32	   *rows;			/* (ntrain + padding) leaf by leaf */
	int32	   *spare;			/* likewise */
	int64	   *pool;			/* (nslots, hist_entries) */
	int64	   *sums;			/* (nmembers, hist_entries) */
	GradientSizes *sizes;		/* (ntrees, pieces) */
	int64	   *lefts;			/* (pieces) rows that went left */
	bool	   *use_group;		/* (ngroups) has a column of this tree */
	int		   *column;			/* this tree's columns, ascending */
	bool	   *node_column;	/* (2, ncolumns) whether a child may split on it */
	Split	   *split;			/* (2, ncolumns) best of each */
	Walk	   *walk;			/* (num_leaves) */
	GrownLeaf  *grown;			/* (num_leaves) */

	/* the leader's */
	Team	   *team;
	Trees	   *trees;
	uint64		seed;
	const int32 *bag;			/* NULL: all rows */
	int64		bag_count;
	int			nfree;
	int		   *free_slot;
	Leaf	   *leaf;			/* (num_leaves) */
	int			nleaves;
	int		   *drawn;			/* (ncolumns) scratch */
};

static inline int64
gradient_pieces(const Grower *grower)
{
	return (grower->ntrain + GRADIENT_PIECE - 1) / GRADIENT_PIECE;
}

static inline int64 *
grower_histogram(const Grower *grower, int slot)
{
	return grower->pool + (Size) slot * grower->hist_entries;
}

static inline bool
split_has_bin(const Split *split, int bin)
{
	return (split->bins_left[bin >> 6] >> (bin & 63)) & 1;
}

#endif
