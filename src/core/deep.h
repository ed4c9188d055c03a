/*
 * deep.h
 *		Growing deep trees on binned rows, depth first, from whole numbers: weights, classes, levels of a target.
 *
 * A tree is grown by one process from the rows it is given and its seed alone, so that it does not matter who grows which tree, or in what order.
 * All sums are integers.
 */
#ifndef RELEARN_CORE_DEEP_H
#define RELEARN_CORE_DEEP_H

#include "core/bins.h"
#include "core/tree.h"

#define DEEP_MAX_WEIGHT (INT64CONST(1) << 31)	/* a tree's weights add up to less */
#define DEEP_MAX_VALUE (INT64CONST(1) << 29)	/* largest level of a target, by size */

typedef struct DeepOptions
{
	int			nclasses;		/* values are classes 0 .. nclasses-1 (Gini impurity); 0: numbers whose mean is wanted (squared error) */
	int			max_depth;		/* 0: none */
	int			max_leaves;		/* 0: none; else the leaf that gains most is split next (best first) */
	int64		min_rows_leaf;	/* distinct rows */
	int64		min_rows_split;
	double		min_gain;		/* smallest gain, in the units of gain_unit */
	int			columns_per_node;	/* drawn for each split */
	bool		random_cuts;	/* one random cut a column instead of the best (extremely randomised trees) */

	/* what sums stand for: a mean m is the value base + m * unit; gains are multiplied by gain_unit */
	double		base,
				unit,
				gain_unit;
} DeepOptions;

/* A row of the bins that a tree is grown on. */
typedef struct DeepRow
{
	uint32		row;
	uint32		weight;			/* > 0 */
	int32		value;			/* class or level */
} DeepRow;

typedef struct DeepNode
{
	uint32		left;			/* right = left + 1; 0: a leaf */
	uint32		rows;
	uint16		column;
	bool		missing_left;
	int			cut;			/* numbers: the last bin on the left; categories: -1 - (where "set" has the bins that go left) */
	float		gain;
	double		risk;			/* weight * impurity; 0 unless risks are kept */
} DeepNode;

/* The bins of a category split that go left. */
typedef struct DeepSet
{
	uint64		left[BIN_VALUES / 64];
} DeepSet;

typedef struct DeepTree
{
	int			nnodes;
	DeepNode   *node;			/* children behind their parents */
	int			nvalues;		/* of a node: 1, or the classes where there are more than two */
	double	   *value;			/* (nnodes, nvalues): a mean, or the share of each class; of splits only where risks are kept */
	int			nsets;
	DeepSet    *set;
	int			node_room,
				set_room;
} DeepTree;

typedef struct DeepGrower DeepGrower;

/* keep_risks: every node gets its risk and value, for pruning. */
extern DeepGrower *deep_create(const Bins *bins, int64 most_rows, const DeepOptions *options, bool keep_risks);
extern Size deep_memory(int64 most_rows, int ncolumns);

/* Where the caller puts the rows of the next tree: room for most_rows, ascending by row. */
extern DeepRow *deep_rows(DeepGrower *grower);

/* Grow a tree on count rows, which are permuted; it stays the grower's until the next. */
extern DeepTree *deep_grow(DeepGrower *grower, int64 count, uint64 seed);

/* The leaf a row of the bins ends in; the bins of its columns lie at bin[column / GROUP_COLUMNS][column % GROUP_COLUMNS]. */
extern int	deep_leaf(const Bins *bins, const DeepTree *tree, const uint8 *const *bin);

/*
 * Cut the branches whose leaves do not lower the risk by more than alpha each (minimal cost-complexity pruning: Breiman, Friedman, Olshen, Stone
 * 1984, chapter 3).  Cut nodes stay, unreachable.
 */
extern void deep_prune(DeepTree *tree, double alpha);

/* The tree as the next one of an ensemble. */
extern void deep_append(const DeepTree *tree, const Bins *bins, Trees *trees);

#endif
