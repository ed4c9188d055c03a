/*
 * tree_internal.h
 *		How trees are scored in blocks: trees of at most 64 leaves by bit vectors, the others by walking.
 *
 * Bit vectors (QuickScorer: Lucchese et al., SIGIR 2015; rows in lanes: SIGIR 2016): leaves are numbered from left to right; every split that
 * a row does not take to the left strikes out the leaves of its left subtree; the lowest leaf left over is the row's.  Values are compared
 * in single precision, which is exact: a threshold t that single precision holds has x <= t just where x, rounded up to single precision, is.
 */
#ifndef RELEARN_CORE_TREE_INTERNAL_H
#define RELEARN_CORE_TREE_INTERNAL_H

#include "core/tree.h"

#define TREE_BLOCK 64			/* rows scored together */
#define TREE_WORD_LEAVES 32
#define TREE_MAX_WORDS 2		/* of leaves of a tree scored by bit vectors */

/* A split as one word of leaves sees it. */
typedef struct TreeTest
{
	float		threshold;
	uint32		keep;			/* leaves that stay where the row goes right */
	uint32		slot;			/* of the column among those in use; categories: the node */
} TreeTest;

typedef enum TreeTestKind
{
	TEST_MISSING_RIGHT,
	TEST_MISSING_LEFT,
	TEST_CATEGORY
} TreeTestKind;

#define TREE_TEST_KINDS 3

typedef struct TreeBits
{
	int			nwords;			/* 0: this tree is walked */
	uint32		first_value;	/* of its leaves, left to right, in leaf_value; counted in leaves */
	uint32		end[TREE_MAX_WORDS][TREE_TEST_KINDS];	/* tests follow those of the kind, word and tree before */
	uint32		first_test;
} TreeBits;

typedef struct TreePlan
{
	bool		has_categories;
	bool		has_bits;		/* some tree is scored by bit vectors */
	int			nslots;
	uint32	   *slot_column;	/* (nslots) */
	TreeBits   *bits;			/* (ntrees) */
	TreeTest   *test;
	double	   *leaf_value;		/* (leaves of those trees, nvalues) */
	float	   *block;			/* (nslots, TREE_BLOCK) scratch: a block's values by column */
	uint32	   *leaf;			/* (TREE_MAX_WORDS, TREE_BLOCK) scratch: leaves left over */
} TreePlan;

/* Two builds of the kernels, as in dense_internal.h. */
typedef struct TreeKernels
{
	/* leaf (nwords, TREE_BLOCK): all ones, minus what the number splits of the tree strike out */
	void		(*strike) (const TreePlan *plan, const TreeBits *bits, uint32 *leaf);
} TreeKernels;

extern const TreeKernels tree_baseline;
extern const TreeKernels *tree_avx2(void);	/* NULL where the platform or the CPU has none */

extern TreePlan *tree_plan(const Trees *trees);

/* n zeroed elements; may pass 1 GB */
extern void *tree_array(Size n, Size element);

#endif
