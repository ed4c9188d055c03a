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
	bool		pairs;			/* two classes, and no row's weight reaches DEEP_PAIR_WEIGHT: sums of small nodes fit one word */

	/* what sums stand for: a mean m is the value base + m * unit; gains are multiplied by gain_unit */
	double		base,
				unit,
				gain_unit;
	double		offset;			/* nodes keep their values less this: single precision blurs numbers far from 0 that differ by little */
} DeepOptions;

/* A row that a tree is grown on, or that only goes along. */
typedef struct DeepRow
{
	uint32		row;			/* where its bins lie */
	uint32		number;
	int64		sums;			/* weight and value, in a form of DeepOptions: see deep_row */
} DeepRow;

/* Words of pairs: (rows, weight, weight of class 1), 21 bits each. */
#define DEEP_PAIR_BITS 21
#define DEEP_PAIR_WEIGHT (INT64CONST(1) << DEEP_PAIR_BITS)

/* weight > 0; value is the class or level. */
static inline DeepRow
deep_row(bool pairs, uint32 row, uint32 weight, int32 value)
{
	if (pairs)
		return (DeepRow) {row, row, ((INT64CONST(1) << DEEP_PAIR_BITS | weight) << DEEP_PAIR_BITS) + (value > 0 ? weight : 0)};
	return (DeepRow) {row, row, (int64) ((uint64) weight << 32 | (uint32) value)};
}

typedef struct DeepNode
{
	uint32		left;			/* right = left + 1; 0: a leaf */
	uint32		rows;
	uint16		column;
	bool		missing_left;
	int			cut;			/* numbers: the last bin on the left; categories: -1 - (where "set" has the bins that go left) */
	float		gain;
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
	float	   *value;			/* (nnodes, nvalues): a mean less the offset, or the share of each class; of splits only where risks are kept */
	double	   *risk;			/* (nnodes) weight * impurity; NULL unless risks are kept */
	int			nsets;
	DeepSet    *set;
	int			node_room,
				set_room;
} DeepTree;

typedef struct DeepGrower DeepGrower;

/*
 * edge (ncolumns, BIN_VALUES) are those of the bins, which not every process has.  keep_risks: every node gets its risk and value, for pruning.
 */
extern DeepGrower *deep_create(const Bins *bins, const double *edge, int64 most_rows, const DeepOptions *options, bool keep_risks);
extern Size deep_memory(int64 most_rows, int ncolumns, int nclasses);

/* Where the caller puts the rows of the next tree, which lasts until then: room for most_rows. */
extern DeepRow *deep_rows(DeepGrower *grower);

#define DEEP_LEFT_OUT ((uint32) 1 << 31)

/*
 * Grow a tree on the first count rows.  The others follow them to the leaves, but count nothing.  leaf (rows of the bins) gets the node each row
 * ends in, with DEEP_LEFT_OUT for those others.  The tree stays the grower's until the next.
 */
extern DeepTree *deep_grow(DeepGrower *grower, int64 count, int64 others, uint64 seed, uint32 *leaf);

/* The leaf a row of the bins ends in; the bins of its columns lie at bin[column / GROUP_COLUMNS][column % GROUP_COLUMNS]. */
extern int	deep_leaf(const DeepTree *tree, const uint8 *const *bin);

/*
 * Cut the branches whose leaves do not lower the risk by more than alpha each (minimal cost-complexity pruning: Breiman, Friedman, Olshen, Stone
 * 1984, chapter 3).  Cut nodes stay, unreachable, with the value of the leaf that replaces them.
 */
extern void deep_prune(DeepTree *tree, double alpha);

/* The tree as the next one of an ensemble; bins with edges; offset is added to the values. */
extern void deep_append(const DeepTree *tree, const Bins *bins, double offset, Trees *trees);

/* ---- a tree in memory that others see ---- */

extern Size deep_bytes(const DeepTree *tree);

/* bytes are aligned as for palloc. */
extern void deep_store(const DeepTree *tree, char *bytes);

/* Points into the bytes. */
extern DeepTree deep_stored(char *bytes, int nvalues);

#endif
