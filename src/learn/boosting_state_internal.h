/*
 * boosting_state_internal.h
 *		The state of one training of gradient boosting, as its rounds share it with a team.
 */
#ifndef RELEARN_BOOSTING_STATE_INTERNAL_H
#define RELEARN_BOOSTING_STATE_INTERNAL_H

#include "learn/boosting_internal.h"

#define WATCHED_ROWS (20 * LOSS_ROWS)	/* training rows the curve is measured on */

/* What a view is laid out by; the first thing in the arena. */
typedef struct BoostingShape
{
	Task		task;
	int			noutputs;
	int			ncolumns;
	int64		ntrain,
				ntotal;			/* and validation */
	bool		weighted;
	int			nmembers;
	uint64		seed;
	BoostingOptions options;
} BoostingShape;

/* What the leader tells the others. */
typedef struct BoostingJob
{
	int			output;			/* whose tree was grown */
	bool		add;			/* its values to the scores */
	bool		measure;		/* the metric of this round */
	bool		gradients;		/* those of the next round */
	bool		bagging;		/* rows outside the bag are routed */
	uint64		bag_seed;
} BoostingJob;

/* A leaf's rows in one range of rows, and their exact sums. */
typedef struct LeafPart
{
	double		gradient,
				hessian;
	int32		from,			/* in grower_rows */
				to;
} LeafPart;

/* A member's view. */
typedef struct Boosting
{
	Grower	   *grower;			/* first: the grower's tasks look for it here */
	const BoostingShape *shape;
	const BoostingOptions *options;
	const Objective *objective;
	const RoundMetric *metric;
	int			noutputs;
	int64		ntrain,
				ntotal;
	int64		range_rows;		/* a member takes at a time: whole GRADIENT_PIECEs */
	int64		ntrain_ranges,	/* validation rows have ranges of their own behind them */
				nranges;
	int64		nwatched;		/* first training rows */
	GrowOptions grow;
	Bins	   *bins;

	/* in the arena */
	BoostingJob *job;
	int8	   *monotone;		/* (ncolumns) */
	double	   *target;			/* (ntotal) */
	double	   *weight;			/* (ntotal) or NULL */
	double	   *score;			/* (noutputs, ntotal) */
	float	   *gradient;		/* (noutputs, ntrain) */
	float	   *hessian;
	double	   *scratch;		/* (members, noutputs, LOSS_ROWS) */
	double	   *residual;		/* (ntrain) for quantiles of leaves, and their weights; or NULL */
	double	   *residual_weight;
	double	   *leaf_value;		/* (num_leaves) */
	LeafPart   *part;			/* (ntrain_ranges, num_leaves) */
	double	   *watched_sum;	/* (blocks of LOSS_ROWS) of the metric */
	double	   *validation_sum;	/* likewise */
	int32	   *bag;			/* (ntrain) rows of the bag, ascending; NULL: no bagging */
	int64	   *bag_count;		/* (pieces of GRADIENT_PIECE) */

	/* the leader's */
	TrainingSet *set;
	Team	   *team;
	Trees	   *trees;
	double	   *train_curve;	/* (rounds) */
	double	   *validation_curve;
	int			best;			/* round, from 1 */
	int			trees_scored;	/* whose values are in the scores */
} Boosting;

extern const TeamProgram boosting_program;

/* A worker's view. */
extern void *boosting_layout(Arena *arena, const void *root);

/* Run the rounds; returns how many are kept. */
extern int	boosting_run(Boosting *b);

#endif
