/*
 * grow.h
 *		Growing one regression tree at a time on binned rows, from gradients and hessians (second-order boosting).
 *
 * Gradients are rounded to whole numbers, up or down by chance (a hash of seed, tree and row), and summed as integers: the sums, and with them
 * the tree, are the same in any order and with any division of the work (Shi et al., NeurIPS 2022).  Leaf values are the caller's, from the
 * exact gradients of the leaf's rows.
 */
#ifndef RELEARN_CORE_GROW_H
#define RELEARN_CORE_GROW_H

#include "core/bins.h"
#include "core/tree.h"

typedef struct GrowOptions
{
	int			num_leaves;		/* at least 2 */
	int			max_depth;		/* 0: none */
	double		min_data_in_leaf;
	double		min_sum_hessian;
	double		lambda_l1,
				lambda_l2;
	double		min_gain;
	double		feature_fraction;	/* per tree, (0, 1] */
	double		feature_fraction_bynode;
	int			max_cat_to_onehot;	/* categories with at most so many bins: one against the rest */
	int			max_cat_threshold;	/* levels on the smaller side */
	double		cat_smooth,
				cat_l2;
	double		min_data_per_group;
	const int8 *monotone;		/* (ncolumns) -1, 0, 1; NULL: none */
} GrowOptions;

/* A leaf of the tree just grown. */
typedef struct GrownLeaf
{
	uint32		node;			/* in Trees */
	int64		start,			/* its rows in grower_rows, ascending */
				count;
	double		low,			/* bounds that monotone constraints put on its value */
				high;
	double		lambda_l2;		/* penalty of its value */
} GrownLeaf;

typedef struct Grower Grower;

/*
 * A member's view of a grower in the arena.  Rows 0 .. ntrain-1 of the bins are grown on.  gradient and hessian are of all ntrees trees of a round,
 * each (ntrain); hessians are not negative.
 */
extern Grower *grower_layout(Arena *arena, const Bins *bins, int64 ntrain, const GrowOptions *options, int nmembers,
							 int ntrees, const float *gradient, const float *hessian);

/*
 * Any member's, before grow_tree: the gradients of a tree of the round are there for the GRADIENT_PIECE rows (fewer at the end) from start, a
 * multiple of it.
 */
#define GRADIENT_PIECE 16384
extern void grower_look(Grower *grower, int tree, int64 start);

/*
 * A program whose team grows trees has these tasks first, in this order, and its view starts with a pointer to the member's Grower.
 */
extern void grow_quantise_task(void *view, Team *team);
extern void grow_histogram_task(void *view, Team *team);
extern void grow_search_task(void *view, Team *team);
extern void grow_partition_task(void *view, Team *team);
extern void grow_join_task(void *view, Team *team);

#define GROW_TASKS \
	grow_quantise_task, grow_histogram_task, grow_search_task, grow_partition_task, grow_join_task

typedef enum GrowTask
{
	GROW_QUANTISE,
	GROW_HISTOGRAM,
	GROW_SEARCH,
	GROW_PARTITION,
	GROW_JOIN,
	GROW_TASK_COUNT
} GrowTask;

/* ---- the leader's ---- */

/* The rows the next trees are grown on, ascending; NULL: all. */
extern void grower_set_bag(Grower *grower, const int32 *rows, int64 count);

/*
 * Grow the next tree of "trees" on the gradients of a tree of the round.  False, and no tree, where they are not finite.  Covers and gains are
 * set; leaf values stay 0.
 */
extern bool grow_tree(Grower *grower, Team *team, Trees *trees, int tree, uint64 seed);

/* ---- the tree just grown; any member's ---- */
extern int	grower_leaves(const Grower *grower);
extern const GrownLeaf *grower_leaf(const Grower *grower, int leaf);
extern const int32 *grower_rows(const Grower *grower);

/* The leaf any row of the bins ends in, by its bins. */
extern int	grower_route(const Grower *grower, int64 row);

/* What a leaf of these sums predicts, before shrinkage. */
static inline double
leaf_output(double gradient, double hessian, double l1, double l2)
{
	double		g = gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0;

	return hessian + l2 > 0 ? -g / (hessian + l2) : 0;
}

#endif
