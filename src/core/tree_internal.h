/*
 * tree_internal.h
 *		How trees are scored: rows coded in bytes, then all tests of a tree at once where it has few leaves, else a walk.
 *
 * Coding: a number becomes how many of its column's distinct thresholds (of the whole ensemble, at most 255) are below it, less 128, so that
 * x <= threshold[k] just where code(x) < k + 1 - 128, exactly, whatever the precision of the thresholds.  A column has two codes: where missing goes
 * left it is the lowest, where it goes right the highest.  A tree that tests a column of more thresholds is walked over the values themselves.
 *
 * Bit vectors (QuickScorer: Lucchese et al., SIGIR 2015): leaves are numbered from left to right; every split that a row does not take to the left
 * strikes out the leaves of its left subtree; the lowest leaf left over is the row's.  A block of rows has them in lanes, and eight leaves at a time
 * in the bits of a byte, so that a test costs no more than the bytes it strikes something out of (RapidScorer: Ye et al., KDD 2018).  A row alone has
 * tests in lanes, each fetching its code by a byte shuffle; a tree of more leaves than lanes is cut into parts, and a row goes from part to part.
 */
#ifndef RELEARN_CORE_TREE_INTERNAL_H
#define RELEARN_CORE_TREE_INTERNAL_H

#include "core/tree.h"

#define TREE_BLOCK 64			/* rows scored together */
#define TREE_CODE_MISSING_LEFT (-128)
#define TREE_CODE_MISSING_RIGHT 127
#define TREE_MAX_THRESHOLDS 255 /* of a column that is coded */
#define TREE_FAN 16				/* a column's thresholds: the last of each row of 16, then the rows */

#define TREE_PLANE_LEAVES 8
#define TREE_MAX_LEAVES 256		/* of a tree scored by bit vectors in a block */

#define TREE_PART_LEAVES 32		/* lanes: a part has at most so many leaves, and one test less */
#define TREE_PART_PLANES 4
#define TREE_MAX_PARTED 4096	/* leaves of a tree that is cut into parts; larger ones are walked */
#define TREE_NEXT_PART 0x80000000u

#define TREE_TABLE_CODES 16		/* codes one shuffle chooses from */
#define TREE_MAX_TABLES 8

#define TREE_SET_WORDS 8		/* least words of a set of codes: 256 bits, for codes of one byte */
#define TREE_BYTE_LEVELS 256	/* fewer levels, and what is missing, have codes of one byte */

#define TREE_FLIGHT 8			/* walks that go on at the same time, to hide the latency of memory */

/* Each column's distinct thresholds, ascending: those of column j are value[start[j]] .. value[start[j+1]-1]. */
typedef struct TreeThresholds
{
	uint32	   *start;			/* (ncolumns + 1) */
	double	   *value;
} TreeThresholds;

/* A column of numbers that is coded: its thresholds, filled up with +Infinity to whole rows, from "first" in plan->threshold. */
typedef struct TreeSlot
{
	uint32		column;
	uint32		first;
} TreeSlot;

/* A split as one plane of leaves sees it: left where the code is below "right_from". */
typedef struct TreeTest
{
	uint16		line;			/* of codes in plan->block */
	int8		right_from;
	uint8		keep;			/* leaves of the plane that stay where the row goes right */
} TreeTest;

/* A category split: which codes go right; what is missing or unknown has the code after the last. */
typedef struct TreeChoice
{
	uint32		category;		/* index in plan->category */
	uint32		set;			/* in plan->set */
	uint32		strike;			/* leaves of the left subtree, in its part */
} TreeChoice;

/* A part of a tree for a row alone; lanes left over strike nothing. */
typedef struct TreePart
{
	uint8		line[TREE_PART_LEAVES];	/* of the code, with missing left */
	int8		right_from[TREE_PART_LEAVES];
	uint8		strike[TREE_PART_PLANES][TREE_PART_LEAVES];	/* leaves of the left subtree, eight in each plane */
	uint8		missing_right[TREE_PART_LEAVES];	/* 0 or 255 */
	uint32		first_choice;
	uint32		nchoices;
	uint8		unused[24];		/* whole cache lines */
} TreePart;

typedef struct TreeForm
{
	bool		parted;			/* else it is walked where a row is alone */
	uint16		nplanes;		/* 0: no bit vectors in blocks */
	uint32		first_value;	/* of its leaves, left to right, in leaf_value; counted in leaves */
	uint32		first_plane;	/* in plane_end */
	uint32		first_choice;
	uint32		nchoices;
} TreeForm;

typedef struct TreePlan
{
	TreeForm   *form;			/* (ntrees) */
	bool		has_categories;
	bool		sums;			/* each tree is a part, without categories, and there is one score */
	bool		has_choices;	/* some tree is scored by bit vectors and splits a category */
	bool		has_planes;		/* some tree is scored by bit vectors in blocks */
	bool		rows_alone;		/* rows of a block are scored one by one, too */
	double	   *leaf_value;		/* (leaves of trees scored by bit vectors, nvalues) */

	/* coding: lines 0 .. nlines-1 have missing left, nlines .. 2*nlines-1 missing right; then choices */
	int			nslots;			/* coded columns of numbers */
	int			nlines;			/* nslots, rounded up to whole tables */
	TreeSlot   *slot;
	double	   *threshold;
	int			ncategories;
	uint32	   *category;		/* (ncategories) columns */
	uint32	   *set;
	TreeChoice *choice;

	/* tests */
	TreeTest   *test;
	uint32	   *plane_end;		/* tests of a plane follow those of the plane and tree before */
	uint32		nparted;		/* trees cut into parts */
	uint32	   *parted;			/* (nparted) */
	uint32	   *first_leaf;		/* (nparted) in leaf_value; where a tree is one part, its leaves follow in the order of exits */
	TreePart   *part;			/* the first nparted have the roots of those trees */
	uint32	   *exit;			/* (parts, TREE_PART_LEAVES) a leaf in leaf_value, or TREE_NEXT_PART and a part */
	uint32		nwalked;		/* trees walked where a row is alone */
	uint32	   *walked;			/* (nwalked) */

	/* scratch */
	int8	   *block;			/* (2*nlines + most choices of a tree, TREE_BLOCK) codes by line */
	int8	   *row;			/* (2*nlines) codes of a row alone */
	uint32	   *category_code;	/* (ncategories, TREE_BLOCK) */
	uint32	   *struck;			/* (ntrees, filled up) leaves struck out */
	uint32	   *at;				/* (ntrees) where a row came to: an exit, or a node */
	uint32	   *going;			/* (ntrees, filled up) of parted trees, those a row has not come out of, and the parts where it is */
	uint32	   *going_part;
} TreePlan;

/* A category's code; what is missing or unknown has the one after the last. */
static inline uint32
tree_category_code(const Trees *trees, uint32 column, double cell)
{
	return cell >= 0 && cell < trees->levels[column] ? (uint32) cell : (uint32) trees->levels[column];
}

/* Two builds of the kernels, as in dense_internal.h. */
typedef struct TreeKernels
{
	/* One row -> (2*nlines) codes; is anything missing? */
	bool		(*code_row) (const TreePlan *plan, const double *row, int ncolumns, int8 *codes);

	/* A block of rows -> plan->block, by lines. */
	void		(*code_block) (const TreePlan *plan, const double *rows, int nrows, int ncolumns);

	/* (TREE_BLOCK) the leaf of each row. */
	void		(*leaves) (const TreePlan *plan, const TreeForm *form, uint8 *leaf);

	/* (TREE_BLOCK) codes below 256 -> -1 left, 0 right. */
	void		(*choose) (const uint32 *set, const uint32 *code, int8 *line);

	/* plan->struck in n parts, those listed or the first; NULL: trees are walked where a row is alone. */
	void		(*strike) (const TreePlan *plan, const uint32 *part, uint32 n, const int8 *codes, bool missing);

	/* The first value of the leaves that the first parts lead to, added up. */
	double		(*sum) (const TreePlan *plan, const int8 *codes, bool missing, double start);
} TreeKernels;

extern const TreeKernels tree_baseline;
extern const TreeKernels *tree_avx2(void);	/* NULL where the platform or the CPU has none */

/* With these kernels from the next trees_prepare on; for tests.  NULL: the best this CPU runs. */
extern void tree_use(const TreeKernels *kernels);

/* Walk count <= TREE_FLIGHT pairs of a node and a row to a leaf. */
extern void tree_walk(const Trees *trees, uint32 *at, const double *const *row, int count);

extern TreePlan *tree_plan(const Trees *trees, const TreeThresholds *thresholds, bool has_strike);
extern void tree_prepare(Trees *trees, const TreeThresholds *thresholds);

extern void tree_thresholds(const Trees *trees, TreeThresholds *table);
extern uint32 tree_threshold_index(const TreeThresholds *table, int column, double value);
extern void tree_thresholds_free(TreeThresholds *table);

/* n zeroed elements; may pass 1 GB */
extern void *tree_array(Size n, Size element);

#endif
