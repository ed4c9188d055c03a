/*
 * boosting_internal.h
 *		What the files of gradient boosting share: options, objectives, the state of a training.
 */
#ifndef RELEARN_BOOSTING_INTERNAL_H
#define RELEARN_BOOSTING_INTERNAL_H

#include "core/bins.h"
#include "core/grow.h"
#include "core/tree.h"
#include "learn/boosting.h"
#include "learn/learn_internal.h"

#define BOOSTING_ALPHA 0.9		/* by default */
#define BOOSTING_MAX_DELTA_STEP 0.7

typedef struct BoostingOptions
{
	int			objective;		/* index into boosting_objective_names */
	int			n_estimators;
	double		learning_rate;
	int			num_leaves;
	int			max_depth;		/* <= 0: none */
	int			min_data_in_leaf;
	double		min_sum_hessian;
	double		lambda_l1,
				lambda_l2;
	double		min_gain;
	double		feature_fraction,
				feature_fraction_bynode;
	double		bagging_fraction;
	int			bagging_freq;
	int			max_bin;
	int			min_data_in_bin;
	int			max_cat_to_onehot;
	int			max_cat_threshold;
	double		cat_smooth,
				cat_l2;
	int			min_data_per_group;
	ColumnValues monotone;
	int			early_stopping_rounds;
	int			metric;			/* index into round_metric_names */
	double		scale_pos_weight;
	int			positive;		/* no parameter: the class that it weighs */
	double		alpha;
	double		tweedie_power;
	double		max_delta_step;
	int			random_state;
	int			n_jobs;			/* 0: as many as the server allows */
} BoostingOptions;

/*
 * A run of rows whose gradients or losses are asked for.  score[k * stride + i] is of row i and output k, gradient[k * out_stride + i] likewise.
 */
typedef struct LossRows
{
	const struct Objective *objective;
	const BoostingOptions *options;
	int			noutputs;
	int			count;
	const double *score;
	Size		stride;
	const double *target;
	const double *weight;		/* NULL: all 1 */
	float	   *gradient;
	float	   *hessian;
	Size		out_stride;
	double	   *scratch;		/* (noutputs, LOSS_ROWS) */
} LossRows;

#define LOSS_ROWS 1024			/* at most in one call */

static inline double
loss_weight(const LossRows *rows, int i)
{
	return rows->weight != NULL ? rows->weight[i] : 1.0;
}

/* Probabilities class by class into scratch (noutputs, count), and the normaliser (count) where asked for. */
extern void loss_probabilities(const LossRows *rows, double *normaliser);

/* A loss to be lowered; its derivatives are by the score. */
typedef struct Objective
{
	const char *name;
	const char *metric;			/* what is measured round by round where nothing else is asked for */
	uint32		tasks;
	Link		link;
	double		least_target;	/* targets must not be below, */
	bool		open;			/* nor equal to it */
	double		(*start) (const TrainingSet *set, const BoostingOptions *options, double total, int output);
	void		(*gradients) (const LossRows *rows);

	/* The share of residuals below a leaf's value, for losses whose best constant is a quantile; NULL: a Newton step. */
	double		(*leaf_quantile) (const BoostingOptions *options);
} Objective;

extern const char *const boosting_objective_names[];

/* The objective that an index into the names stands for; for "auto" by the task. */
extern const Objective *boosting_objective(int index, Task task);

/* What is measured after every round, and what early stopping goes by. */
typedef struct RoundMetric
{
	const char *name;			/* as elsewhere in ml where it is the same */
	uint32		tasks;
	uint32		links;			/* bits of the links of objectives it can judge */
	bool		greater_is_better;
	bool		root;			/* the root of the mean */
	const char *undefined;		/* why it may be */

	/* sum of weight * measure, of which the mean is taken; or else of all rows at once, by the scores of one output */
	double		(*sum) (const LossRows *rows);
	double		(*whole) (const double *score, const double *target, const double *weight, int64 n);
} RoundMetric;

extern const char *const round_metric_names[];

/* The metric that an index into the names stands for, by the objective where that says "auto". */
extern const RoundMetric *round_metric(int index, const Objective *objective);

/* An error where it does not fit. */
extern void round_metric_check(const RoundMetric *metric, const Objective *objective, Task task);

/* Bytes "whole" takes. */
extern Size round_metric_memory(int index, int64 nrows);

/* The smallest value at or below which at least share of the weight lies; weight NULL: all 1.  value may be permuted. */
extern double weighted_quantile(double *value, double *weight, int64 n, double share);

typedef struct BoostingModel
{
	Link		link;
	Trees	   *trees;
} BoostingModel;

extern Size boosting_memory(const BoostingOptions *options, int64 nrows, int ncolumns, int noutputs);
/* Scores of rows, (nrows, noutputs), to answers. */
extern void boosting_link(const BoostingModel *model, int nrows, double *out);

extern BoostingModel *boosting_fit(TrainingSet *set, const BoostingOptions *options);

#endif
