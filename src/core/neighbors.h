/*
 * neighbors.h
 *		The nearest neighbours of points among themselves, exactly: Euclidean over numbers, a fixed step for each category that differs.
 */
#ifndef RELEARN_CORE_NEIGHBORS_H
#define RELEARN_CORE_NEIGHBORS_H

typedef struct NeighborSpace
{
	uint32		n;
	int			nnumbers;
	const double *number;		/* (n, nnumbers), finite */
	int			ncategories;
	const int32 *category;		/* (n, ncategories) */
	double		step;			/* what a category that differs adds to the squared distance */
} NeighborSpace;

typedef struct NeighborTree NeighborTree;

/* Bytes of a tree over n points, what the space itself takes not included. */
extern Size neighbor_tree_memory(uint32 n, int nnumbers, int ncategories);

/* In the current memory context; the space is copied. */
extern NeighborTree *neighbor_tree_create(const NeighborSpace *space);

/* The k points nearest to one of them, nearest first, without itself; among equally near ones those of lower number.  k < n. */
extern void neighbor_tree_find(const NeighborTree *tree, uint32 point, int k, uint32 *found);

#endif
