/*
 * forest_fit_internal.h
 *		A forest in the making: what its members share, and the tasks they share it in.
 *
 * Trees are grown in batches.  A member grows whole trees by itself and leaves them, and the leaf every row came to, in shared memory; then the
 * batch is added up in the order of its trees, so that it does not matter who grew which.
 */
#ifndef RELEARN_FOREST_FIT_INTERNAL_H
#define RELEARN_FOREST_FIT_INTERNAL_H

#include "port/atomics.h"

#include "core/deep.h"
#include "core/hash.h"
#include "core/team.h"
#include "learn/forest_internal.h"

/* What a view is laid out by; the first thing in the arena. */
typedef struct ForestShape
{
	ForestOptions options;
	DeepOptions deep;
	Task		task;
	int64		nrows;			/* to train on */
	int64		nall;			/* and those that only get answers */
	int			ncolumns;
	int			nvalues;		/* of a leaf */
	int			nmembers;
	int			nslots;			/* most trees of a batch */
	Size		pool_bytes;		/* for the trees of a batch; 0: trees of one member are not passed on */
	double		total;			/* weight of all rows */
	uint64		seed;
} ForestShape;

/* A tree of a batch. */
typedef struct ForestSlot
{
	bool		stored;			/* false: there was no room */
	Size		at;				/* in the pool */
} ForestSlot;

/* What the leader tells the others. */
typedef struct ForestJob
{
	int			first;			/* number of the batch's first tree */
	int			count;			/* trees to be added up */
	int64		piece_rows;		/* of TASK_ADD */
	pg_atomic_uint64 used;		/* bytes of the pool */
} ForestJob;

/* A member's view. */
typedef struct Forest
{
	const ForestShape *shape;
	const ForestOptions *options;

	/* in the arena */
	ForestJob  *job;
	ForestSlot *slot;			/* (nslots) */
	char	   *pool;
	int		   *group;			/* (ncolumns) source column of each */
	double	   *edge;			/* (ncolumns, BIN_VALUES) */
	int32	   *value;			/* (nrows) class or level */
	uint32	   *weight;			/* (nrows) */
	uint32	   *leaf;			/* (nslots, nall) as deep_grow gives them */
	double	   *sum;			/* (nall, nvalues) values of all trees */
	double	   *sum_left_out;	/* (nrows, nvalues) of those that did not learn from the row; or NULL */
	int32	   *voters;			/* (nrows) how many these are */
	double	   *rise;			/* (nslots, ncolumns) of a tree's loss when a column is shuffled; or NULL */
	Bins	   *bins;			/* or, alone, the training's */

	/* the member's own */
	DeepGrower *grower;			/* made when it grows its first tree */
	DeepTree   *tree;			/* grown last */
	uint8	   *draws;			/* (nrows) how often the tree's bag has a row */

	/* the leader's */
	TrainingSet *set;
	Team	   *team;
	Trees	   *trees;
	double	   *permutation;	/* (ncolumns) */
} Forest;

typedef enum ForestTask
{
	TASK_GROW,
	TASK_ADD,
	TASK_SHUFFLE
} ForestTask;

extern const TeamTask forest_tasks[];

#define FOREST_MOST_DRAWS 15	/* of a row by a bag; more has a chance of 1e-13 */

/* A tree of the batch, where it is known to be there. */
extern DeepTree forest_tree(const Forest *f, int slot);

static inline uint64
tree_seed(const Forest *f, int slot)
{
	return hash_fold(f->shape->seed, f->job->first + slot);
}

/* forest_shuffle.c: importance by permutation of the tree in the slot, into its part of "rise". */
extern void forest_shuffle(const Forest *f, int slot);

#endif
