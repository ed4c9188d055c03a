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
	double		scale_pos_weight;
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

/* A loss to be lowered; its derivatives are by the score. */
typedef struct Objective
{
	const char *name;
	const char *metric;			/* what the mean loss is called */
	uint32		tasks;
	Link		link;
	double		least_target;	/* targets must not be below, */
	bool		open;			/* nor equal to it */
	bool		root;			/* the metric is the root of the mean loss */
	double		(*start) (const TrainingSet *set, const BoostingOptions *options, double total, int output);
	void		(*gradients) (const LossRows *rows);
	double		(*loss) (const LossRows *rows);	/* sum of weight * loss */

	/* The share of residuals below a leaf's value, for losses whose best constant is a quantile; NULL: a Newton step. */
	double		(*leaf_quantile) (const BoostingOptions *options);
} Objective;

extern const char *const boosting_objective_names[];

/* The objective that an index into the names stands for; for "auto" by the task. */
extern const Objective *boosting_objective(int index, Task task);

/* The smallest value at or below which at least share of the weight lies; weight NULL: all 1.  value may be permuted. */
extern double weighted_quantile(double *value, double *weight, int64 n, double share);

typedef struct BoostingModel
{
	Link		link;
	Trees	   *trees;
} BoostingModel;

extern Size boosting_memory(const BoostingOptions *options, int64 nrows, int ncolumns, int noutputs);
extern BoostingModel *boosting_fit(TrainingSet *set, const BoostingOptions *options);

#endif
