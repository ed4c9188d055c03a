/*
 * tree_plan_internal.h
 *		What is known while an ensemble is made ready for scoring.
 */
#ifndef RELEARN_CORE_TREE_PLAN_INTERNAL_H
#define RELEARN_CORE_TREE_PLAN_INTERNAL_H

#include "core/tree_internal.h"

#define TREE_ALIGNMENT 64		/* of what registers are filled from: a cache line */

typedef struct Planning
{
	const Trees *trees;
	const TreeThresholds *thresholds;
	TreePlan   *plan;
	int		   *slot_of;		/* (ncolumns) -1: the column is not coded */
	int		   *category_of;	/* (ncolumns) -1: no tree tests it */
	uint32	   *leaf_of;		/* (nnodes) where a leaf's values are in plan->leaf_value */
	uint32	   *set_of;			/* (nnodes) where a category split's set is in plan->set, plus 1; 0: not there yet */
	uint32		ntests,
				nplanes,
				nleaves,
				nchoices,
				nwords;
	uint32		test_room,
				choice_room,
				word_room;
	uint32		most_choices;	/* of a tree */

	/* of one tree, by its nodes: leaves below, numbered from left to right; room for TREE_MAX_PARTED leaves */
	uint32	   *from;			/* the first */
	uint32	   *count;
} Planning;

/* Make room for "more" elements behind the first n. */
extern void *tree_extend(void *array, uint32 n, uint32 more, uint32 *room, Size element);

/* Zeroed; never freed by itself. */
extern void *tree_aligned(Size n, Size element);

/* A code at or above this goes right. */
extern int8 tree_right_from(const Planning *p, const TreeNode *node);

/* Put a category split behind the choices. */
extern void tree_plan_choice(Planning *p, uint32 node, uint32 strike);

/* The parts of the trees whose form says so. */
extern void tree_plan_parts(Planning *p);

#endif
