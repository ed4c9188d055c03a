/*
 * tree.h
 *		An ensemble of decision trees as flat arrays: built node by node, scored row by row or in blocks, stored compactly.
 *
 * A row is (ncolumns) doubles.  A number goes left where value <= threshold; a category column holds codes 0 .. levels-1 and goes left where the
 * node's set has the code.  What is missing (NaN), and a code that is none of the levels, goes the node's missing way.  Children lie side by side
 * behind their parent: right = left + 1, left > parent.  A score is the base plus the leaf values of the trees in their order, so that every
 * way of scoring gives the same bits.
 */
#ifndef RELEARN_CORE_TREE_H
#define RELEARN_CORE_TREE_H

#include "core/bytes.h"

#define TREE_MAX_DEPTH 512		/* edges from the root to the deepest leaf */
#define TREE_MAX_COLUMNS 65535
#define TREE_MAX_NODES 200000000

typedef enum TreeNodeKind
{
	TREE_LEAF,
	TREE_NUMBER,				/* value <= threshold goes left */
	TREE_CATEGORY				/* a code in the set goes left */
} TreeNodeKind;

/* A leaf is its own left child under the threshold +Infinity, so that a walk may run on past it. */
typedef struct TreeNode
{
	double		threshold;
	uint32		left;			/* index of the left child in "node"; the right one follows it */
	uint16		column;
	uint8		kind;			/* TreeNodeKind */
	uint8		missing_right;	/* 0: what is missing goes left; 1: right.  0 in leaves */
} TreeNode;

struct TreePlan;

typedef struct Trees
{
	int			ncolumns;
	int		   *levels;			/* (ncolumns) levels of a category column; 0: a number */
	int			noutputs;		/* scores of a row */
	int			nvalues;		/* values of a leaf: 1 (tree t adds to score t % noutputs), or noutputs */
	double	   *base;			/* (noutputs) what a score starts from */

	int			ntrees;
	int			nnodes;
	uint32	   *first;			/* (ntrees + 1) root of each tree; its nodes are first[t] .. first[t+1]-1 */

	/* (nnodes) each */
	TreeNode   *node;
	double	   *value;			/* (nnodes, nvalues) of leaves; 0 in splits */
	double	   *cover;			/* training rows (or weight) that came through */
	float	   *gain;			/* of splits; 0 in leaves */
	uint32	   *set;			/* where in "words" a category split's set starts; NULL while there is no such split */

	int			nwords;
	uint32	   *words;			/* sets of codes, tree_set_words(levels) each: bit c % 32 of word c / 32 */

	/* private */
	int			tree_room,
				node_room,
				word_room;
	struct TreePlan *plan;		/* made by trees_prepare */
} Trees;

/* Words of a set of codes 0 .. levels-1. */
static inline int
tree_set_words(int levels)
{
	return (levels + 31) / 32;
}

static inline bool
tree_set_has(const uint32 *set, int code)
{
	return (set[code >> 5] >> (code & 31)) & 1;
}

/* ---- building: in the current memory context; the arrays grow and may move ---- */

/* levels (ncolumns) is copied; base starts at 0. */
extern Trees *trees_create(int ncolumns, const int *levels, int noutputs, int nvalues);

/* Start the next tree: its root, a leaf of value 0.  Splits and leaves are of the tree begun last. */
extern uint32 trees_begin(Trees *trees);

/* Make a split of a leaf; returns its left child.  Both children are leaves of value 0. */
extern uint32 trees_split_number(Trees *trees, uint32 node, int column, double threshold, bool missing_left, double gain);
extern uint32 trees_split_category(Trees *trees, uint32 node, int column, const uint32 *set, bool missing_left, double gain);

/* Keep only the first ntrees. */
extern void trees_truncate(Trees *trees, int ntrees);

/* Make ready for scoring; after the last change and after trees_unflatten, which does it itself. */
extern void trees_prepare(Trees *trees);

/* ---- scoring ---- */

/*
 * (nrows, ncolumns) -> (nrows, noutputs).  Allocates nothing, raises nothing; any double is a legal cell.  One row alone and in a block of any
 * size get the same bits.
 */
extern void trees_score(const Trees *trees, const double *rows, int nrows, double *out);

/* Does the row go left at this split? */
extern bool tree_goes_left(const Trees *trees, const TreeNode *node, const double *row);

/* ---- bytes ---- */

/*
 * About 7 bytes a node where thresholds repeat, and leaf values and thresholds are single precision numbers (see tree_single), as trained
 * ones are; others are kept exactly and take more room.
 */
extern void trees_flatten(const Trees *trees, ByteWriter *w);

/* Everything is checked: shape, depth, columns, sets, finite numbers. levels (ncolumns) is what the model's columns are. */
extern Trees *trees_unflatten(ByteReader *r, int ncolumns, const int *levels, int noutputs);

/* The nearest single precision number; finite. */
extern double tree_single(double value);

/* A single precision number t with low <= t < high, near their middle, where there is one; else a double. low < high, finite. */
extern double tree_threshold(double low, double high);

#endif
