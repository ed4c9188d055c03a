/*
 * boosting_objective.c
 *		Objectives of gradient boosting: a constant to start from, gradients and hessians.  Formulas are LightGBM's.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/mathfn.h"
#include "core/sort.h"
#include "learn/boosting_internal.h"

static inline void
put_pair(const LossRows *rows, int i, double gradient, double hessian)
{
	double		weight = loss_weight(rows, i);

	rows->gradient[i] = (float) (gradient * weight);
	rows->hessian[i] = (float) (hessian * weight);
}

/* ---- constants to start from ---- */

static double
mean_target(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	double		mean = 0;

	for (int64 i = 0; i < set->nrows; i++)
		mean += set->target[i] * (row_weight(set, i) / total);
	return mean;
}

static double
log_mean_target(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	return math_log(Max(mean_target(set, options, total, output), 1e-15));
}

static double
quantile_target(const TrainingSet *set, double share)
{
	double	   *value = zero_vector(set->nrows);
	double	   *weight = NULL;
	double		found;

	memcpy(value, set->target, sizeof(double) * set->nrows);
	if (set->weight != NULL)
		weight = memcpy(zero_vector(set->nrows), set->weight, sizeof(double) * set->nrows);
	found = weighted_quantile(value, weight, set->nrows, share);
	pfree(value);
	if (weight != NULL)
		pfree(weight);
	return found;
}

static double
start_median(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	return quantile_target(set, 0.5);
}

static double
start_quantile(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	return quantile_target(set, options->alpha);
}

#define LEAST_SHARE 1e-15

static double
start_logistic(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	double		share = mean_target(set, options, total, output);
	double		ones = share * (options->positive == 1 ? options->scale_pos_weight : 1);
	double		zeros = (1 - share) * (options->positive == 0 ? options->scale_pos_weight : 1);

	share = ones / (ones + zeros);
	share = Min(Max(share, LEAST_SHARE), 1 - LEAST_SHARE);
	return math_log(share / (1 - share));
}

static double
start_softmax(const TrainingSet *set, const BoostingOptions *options, double total, int output)
{
	double		share = 0;

	for (int64 i = 0; i < set->nrows; i++)
		if ((int) set->target[i] == output)
			share += row_weight(set, i) / total;
	return math_log(Max(share, LEAST_SHARE));
}

/* ---- numbers ---- */

static void
squared_gradients(const LossRows *rows)
{
	for (int i = 0; i < rows->count; i++)
		put_pair(rows, i, rows->score[i] - rows->target[i], 1);
}

static void
absolute_gradients(const LossRows *rows)
{
	for (int i = 0; i < rows->count; i++)
	{
		double		error = rows->score[i] - rows->target[i];

		put_pair(rows, i, (error > 0) - (error < 0), 1);
	}
}

static double
middle(const BoostingOptions *options)
{
	return 0.5;
}

static void
huber_gradients(const LossRows *rows)
{
	double		alpha = rows->options->alpha;

	for (int i = 0; i < rows->count; i++)
	{
		double		error = rows->score[i] - rows->target[i];

		put_pair(rows, i, Min(Max(error, -alpha), alpha), 1);
	}
}

static void
quantile_gradients(const LossRows *rows)
{
	double		alpha = rows->options->alpha;

	for (int i = 0; i < rows->count; i++)
		put_pair(rows, i, rows->score[i] >= rows->target[i] ? 1 - alpha : -alpha, 1);
}

static double
alpha_quantile(const BoostingOptions *options)
{
	return options->alpha;
}

/* ---- positive numbers: the score is the logarithm of the mean ---- */

static void
poisson_gradients(const LossRows *rows)
{
	double		stretch = math_exp(rows->options->max_delta_step);

	for (int i = 0; i < rows->count; i++)
	{
		double		mean = math_exp(rows->score[i]);

		put_pair(rows, i, mean - rows->target[i], mean * stretch);
	}
}

static void
gamma_gradients(const LossRows *rows)
{
	for (int i = 0; i < rows->count; i++)
	{
		double		ratio = rows->target[i] * math_exp(-rows->score[i]);

		put_pair(rows, i, 1 - ratio, ratio);
	}
}

static void
tweedie_gradients(const LossRows *rows)
{
	double		power = rows->options->tweedie_power;

	for (int i = 0; i < rows->count; i++)
	{
		double		a = rows->target[i] * math_exp((1 - power) * rows->score[i]);
		double		b = math_exp((2 - power) * rows->score[i]);

		put_pair(rows, i, b - a, (2 - power) * b - (1 - power) * a);
	}
}

/* ---- classes ---- */

static void
logistic_gradients(const LossRows *rows)
{
	double		weight = rows->options->scale_pos_weight;
	int			positive = rows->options->positive;
	double	   *p = rows->scratch;

	dense_sigmoid(rows->score, rows->count, p);
	if (rows->weight == NULL && weight == 1)
	{
		for (int i = 0; i < rows->count; i++)
		{
			rows->gradient[i] = (float) (p[i] - rows->target[i]);
			rows->hessian[i] = (float) (p[i] * (1 - p[i]));
		}
		return;
	}
	for (int i = 0; i < rows->count; i++)
	{
		double		scale = (int) rows->target[i] == positive ? weight : 1;

		put_pair(rows, i, scale * (p[i] - rows->target[i]), scale * p[i] * (1 - p[i]));
	}
}

void
loss_probabilities(const LossRows *rows, double *normaliser)
{
	for (int k = 0; k < rows->noutputs; k++)
		memcpy(rows->scratch + (Size) k * rows->count, rows->score + k * rows->stride, sizeof(double) * rows->count);
	dense_softmax(rows->scratch, rows->count, rows->noutputs, normaliser);
}

static void
softmax_gradients(const LossRows *rows)
{
	double		factor = (double) rows->noutputs / (rows->noutputs - 1);	/* Friedman 2001, section 4.6 */

	loss_probabilities(rows, NULL);
	for (int k = 0; k < rows->noutputs; k++)
		for (int i = 0; i < rows->count; i++)
		{
			double		p = rows->scratch[(Size) k * rows->count + i];
			double		weight = loss_weight(rows, i);

			rows->gradient[k * rows->out_stride + i] = (float) (weight * (p - ((int) rows->target[i] == k)));
			rows->hessian[k * rows->out_stride + i] = (float) (weight * factor * p * (1 - p));
		}
}

/* ---- the table ---- */

static const Objective squared = {
	.name = "squared",.metric = "rmse",.tasks = TASK_REGRESSION,.link = LINK_IDENTITY,.least_target = -HUGE_VAL,
	.start = mean_target,.gradients = squared_gradients,
};
static const Objective absolute = {
	.name = "absolute",.metric = "mae",.tasks = TASK_REGRESSION,.link = LINK_IDENTITY,.least_target = -HUGE_VAL,
	.start = start_median,.gradients = absolute_gradients,.leaf_quantile = middle,
};
static const Objective huber = {
	.name = "huber",.metric = "huber_loss",.tasks = TASK_REGRESSION,.link = LINK_IDENTITY,.least_target = -HUGE_VAL,
	.start = mean_target,.gradients = huber_gradients,
};
static const Objective quantile = {
	.name = "quantile",.metric = "pinball_loss",.tasks = TASK_REGRESSION,.link = LINK_IDENTITY,.least_target = -HUGE_VAL,
	.start = start_quantile,.gradients = quantile_gradients,.leaf_quantile = alpha_quantile,
};
static const Objective poisson = {
	.name = "poisson",.metric = "poisson_loss",.tasks = TASK_REGRESSION,.link = LINK_EXP,.least_target = 0,
	.start = log_mean_target,.gradients = poisson_gradients,
};
static const Objective gamma_objective = {
	.name = "gamma",.metric = "gamma_loss",.tasks = TASK_REGRESSION,.link = LINK_EXP,.least_target = 0,.open = true,
	.start = log_mean_target,.gradients = gamma_gradients,
};
static const Objective tweedie = {
	.name = "tweedie",.metric = "tweedie_loss",.tasks = TASK_REGRESSION,.link = LINK_EXP,.least_target = 0,
	.start = log_mean_target,.gradients = tweedie_gradients,
};
static const Objective logistic = {
	.name = "logistic",.metric = "log_loss",.tasks = TASK_BINARY,.link = LINK_SIGMOID,.least_target = -HUGE_VAL,
	.start = start_logistic,.gradients = logistic_gradients,
};
static const Objective softmax = {
	.name = "softmax",.metric = "log_loss",.tasks = TASK_MULTICLASS,.link = LINK_SOFTMAX,.least_target = -HUGE_VAL,
	.start = start_softmax,.gradients = softmax_gradients,
};

/* Names of ours, then those of LightGBM, XGBoost and scikit-learn. */
static const struct
{
	const char *name;
	const Objective *objective;
}			named[] = {
	{"auto", NULL},
	{"squared", &squared}, {"absolute", &absolute}, {"huber", &huber}, {"quantile", &quantile}, {"poisson", &poisson},
	{"gamma", &gamma_objective}, {"tweedie", &tweedie}, {"logistic", &logistic}, {"softmax", &softmax},
	{"regression", &squared}, {"regression_l1", &absolute}, {"binary", &logistic}, {"multiclass", &softmax},
	{"reg:squarederror", &squared}, {"reg:absoluteerror", &absolute}, {"reg:quantileerror", &quantile}, {"count:poisson", &poisson},
	{"reg:gamma", &gamma_objective}, {"reg:tweedie", &tweedie}, {"binary:logistic", &logistic}, {"multi:softprob", &softmax},
	{"multi:softmax", &softmax}, {"squared_error", &squared}, {"absolute_error", &absolute}, {"log_loss", NULL},
	{"regression_l2", &squared}, {"mean_squared_error", &squared}, {"mse", &squared}, {"l2", &squared},
	{"l2_root", &squared}, {"root_mean_squared_error", &squared}, {"rmse", &squared}, {"reg:linear", &squared},
	{"mean_absolute_error", &absolute}, {"mae", &absolute}, {"l1", &absolute},
};

const char *const boosting_objective_names[] = {
	"auto",
	"squared", "absolute", "huber", "quantile", "poisson",
	"gamma", "tweedie", "logistic", "softmax",
	"regression", "regression_l1", "binary", "multiclass",
	"reg:squarederror", "reg:absoluteerror", "reg:quantileerror", "count:poisson",
	"reg:gamma", "reg:tweedie", "binary:logistic", "multi:softprob",
	"multi:softmax", "squared_error", "absolute_error", "log_loss",
	"regression_l2", "mean_squared_error", "mse", "l2",
	"l2_root", "root_mean_squared_error", "rmse", "reg:linear",
	"mean_absolute_error", "mae", "l1", NULL,
};

const Objective *
boosting_objective(int index, Task task)
{
	StaticAssertStmt(lengthof(named) == lengthof(boosting_objective_names) - 1, "every name has an objective");
	if (named[index].objective != NULL)
		return named[index].objective;
	return task == TASK_REGRESSION ? &squared : task == TASK_BINARY ? &logistic : &softmax;
}

/* ---- quantiles ---- */

double
weighted_quantile(double *value, double *weight, int64 n, double share)
{
	uint64	   *key;
	uint64	   *key_scratch;
	uint32	   *order;
	uint32	   *order_scratch;
	double		total = 0,
				below = 0,
				found = value[0];

	if (weight == NULL)
		return select_kth(value, n, (int64) Min((double) (n - 1), Max(0, ceil(share * n) - 1)));
	key = palloc_extended(sizeof(uint64) * n, MCXT_ALLOC_HUGE);
	key_scratch = palloc_extended(sizeof(uint64) * n, MCXT_ALLOC_HUGE);
	order = palloc_extended(sizeof(uint32) * n, MCXT_ALLOC_HUGE);
	order_scratch = palloc_extended(sizeof(uint32) * n, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < n; i++)
	{
		key[i] = sortable_double(value[i]);
		order[i] = (uint32) i;
		total += weight[i];
	}
	sort_keys(key, order, key_scratch, order_scratch, (uint32) n);
	for (int64 i = 0; i < n; i++)
	{
		found = value[order[i]];
		below += weight[order[i]];
		if (below >= share * total && weight[order[i]] > 0)
			break;
	}
	pfree(key);
	pfree(key_scratch);
	pfree(order);
	pfree(order_scratch);
	return found;
}
