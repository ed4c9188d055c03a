/*
 * boosting_metric.c
 *		What gradient boosting measures after every round, weighted: the loss it lowers, or the metric that early stopping is to go by.
 */
#include "postgres.h"

#include <math.h>

#include "core/budget.h"
#include "core/dense.h"
#include "core/mathfn.h"
#include "core/sort.h"
#include "learn/boosting_internal.h"

/* ---- numbers ---- */

static const double *
predicted(const LossRows *rows)
{
	if (rows->objective->link == LINK_IDENTITY)
		return rows->score;
	for (int i = 0; i < rows->count; i++)
		rows->scratch[i] = math_exp(rows->score[i]);
	return rows->scratch;
}

static double
squared_error(const LossRows *rows)
{
	const double *value = predicted(rows);
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
	{
		double		error = value[i] - rows->target[i];

		sum += loss_weight(rows, i) * error * error;
	}
	return sum;
}

static double
absolute_error(const LossRows *rows)
{
	const double *value = predicted(rows);
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += loss_weight(rows, i) * fabs(value[i] - rows->target[i]);
	return sum;
}

static double
relative_error(const LossRows *rows)
{
	const double *value = predicted(rows);
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
	{
		if (rows->target[i] == 0)
			return NAN;
		sum += loss_weight(rows, i) * fabs((value[i] - rows->target[i]) / rows->target[i]);
	}
	return sum;
}

static double
huber_loss(const LossRows *rows)
{
	const double *value = predicted(rows);
	double		alpha = rows->options->alpha;
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
	{
		double		error = fabs(value[i] - rows->target[i]);

		sum += loss_weight(rows, i) * (error <= alpha ? 0.5 * error * error : alpha * (error - 0.5 * alpha));
	}
	return sum;
}

static double
pinball_loss(const LossRows *rows)
{
	const double *value = predicted(rows);
	double		alpha = rows->options->alpha;
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
	{
		double		error = rows->target[i] - value[i];

		sum += loss_weight(rows, i) * (error >= 0 ? alpha * error : (alpha - 1) * error);
	}
	return sum;
}

/* ---- positive numbers: the score is the logarithm of the mean ---- */

static double
poisson_loss(const LossRows *rows)
{
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += loss_weight(rows, i) * (math_exp(rows->score[i]) - rows->target[i] * rows->score[i]);
	return sum;
}

static double
gamma_loss(const LossRows *rows)
{
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += loss_weight(rows, i) * (rows->target[i] * math_exp(-rows->score[i]) + rows->score[i]);
	return sum;
}

static double
tweedie_loss(const LossRows *rows)
{
	double		power = rows->options->tweedie_power;
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += loss_weight(rows, i) * (math_exp((2 - power) * rows->score[i]) / (2 - power)
									   - rows->target[i] * math_exp((1 - power) * rows->score[i]) / (1 - power));
	return sum;
}

/* ---- classes ---- */

static double
log_loss(const LossRows *rows)
{
	double		normaliser[LOSS_ROWS];
	double		sum = 0;

	if (rows->noutputs == 1)
	{
		dense_logistic(rows->score, rows->target, rows->weight, rows->count, rows->scratch, &sum);
		return sum;
	}
	loss_probabilities(rows, normaliser);
	for (int i = 0; i < rows->count; i++)
		sum += loss_weight(rows, i) * (normaliser[i] - rows->score[(int) rows->target[i] * rows->stride + i]);
	return sum;
}

/* The most probable class; ties to the lower one, but a probability of one half is the second's of two. */
static int
likely_class(const LossRows *rows, int i)
{
	int			best = 0;

	if (rows->noutputs == 1)
		return rows->score[i] >= 0;
	for (int k = 1; k < rows->noutputs; k++)
		if (rows->score[k * rows->stride + i] > rows->score[best * rows->stride + i])
			best = k;
	return best;
}

static double
right_rows(const LossRows *rows)
{
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += likely_class(rows, i) == (int) rows->target[i] ? loss_weight(rows, i) : 0;
	return sum;
}

static double
wrong_rows(const LossRows *rows)
{
	double		sum = 0;

	for (int i = 0; i < rows->count; i++)
		sum += likely_class(rows, i) == (int) rows->target[i] ? 0 : loss_weight(rows, i);
	return sum;
}

static double
brier_score(const LossRows *rows)
{
	double		sum = 0;

	dense_sigmoid(rows->score, rows->count, rows->scratch);
	for (int i = 0; i < rows->count; i++)
	{
		double		error = rows->scratch[i] - rows->target[i];

		sum += loss_weight(rows, i) * error * error;
	}
	return sum;
}

/* ---- ranks ---- */

#define RANK_BYTES (2 * sizeof(uint64) + 2 * sizeof(uint32))

typedef struct Ranked
{
	uint64	   *key;			/* of the scores, ascending */
	uint32	   *row;
	void	   *memory;
} Ranked;

static Ranked
rank_scores(const double *score, int64 n)
{
	char	   *memory = palloc_extended(size_times(Max(n, 1), RANK_BYTES), MCXT_ALLOC_HUGE);
	Ranked		ranked = {.key = (uint64 *) memory,.row = (uint32 *) (memory + 2 * sizeof(uint64) * n),.memory = memory};

	for (int64 i = 0; i < n; i++)
	{
		ranked.key[i] = ordered_bits(score[i]);
		ranked.row[i] = (uint32) i;
	}
	sort_keys(ranked.key, ranked.row, ranked.key + n, ranked.row + n, (uint32) n);
	return ranked;
}

/* From one score to the next, the weights of either class; returns the first place behind. */
static int64
tied_rows(const Ranked *ranked, const double *target, const double *weight, int64 from, int64 n, double *sums)
{
	int64		i = from;

	sums[0] = sums[1] = 0;
	for (; i < n && ranked->key[i] == ranked->key[from]; i++)
		sums[target[ranked->row[i]] > 0] += weight != NULL ? weight[ranked->row[i]] : 1;
	return i;
}

/* The chance that a row of the second class scores above one of the first, ties half. */
static double
roc_auc(const double *score, const double *target, const double *weight, int64 n)
{
	Ranked		ranked = rank_scores(score, n);
	double		below = 0,
				above = 0,
				won = 0;

	for (int64 i = 0; i < n;)
	{
		double		tied[2];

		i = tied_rows(&ranked, target, weight, i, n, tied);
		won += tied[1] * (below + tied[0] / 2);
		below += tied[0];
		above += tied[1];
	}
	pfree(ranked.memory);
	return below > 0 && above > 0 ? won / (below * above) : NAN;
}

/* Recall gained from one score to the next lower, times the precision there. */
static double
average_precision(const double *score, const double *target, const double *weight, int64 n)
{
	Ranked		ranked = rank_scores(score, n);
	double		positive = 0,
				left[2] = {0, 0},
				sum = 0;

	for (int64 i = 0; i < n; i++)
		left[target[i] > 0] += weight != NULL ? weight[i] : 1;
	positive = left[1];
	for (int64 i = 0; i < n && left[0] + left[1] > 0;)
	{
		double		tied[2];
		double		precision = left[1] / (left[0] + left[1]);

		i = tied_rows(&ranked, target, weight, i, n, tied);
		sum += tied[1] * precision;
		left[0] -= tied[0];
		left[1] -= tied[1];
	}
	pfree(ranked.memory);
	return positive > 0 ? sum / positive : NAN;
}

/* ---- the table ---- */

#define CLASSES (TASK_BINARY | TASK_MULTICLASS)
#define LINK_BIT(link) ((uint32) 1 << (link))
#define ANY_LINK PG_UINT32_MAX

static const char no_weight[] = "No row has a weight.";
static const char one_class[] = "It takes rows of both classes.";

static const RoundMetric metrics[] = {
	{.name = "rmse",.tasks = TASK_REGRESSION,.links = ANY_LINK,.root = true,.undefined = no_weight,.sum = squared_error},
	{.name = "mse",.tasks = TASK_REGRESSION,.links = ANY_LINK,.undefined = no_weight,.sum = squared_error},
	{.name = "mae",.tasks = TASK_REGRESSION,.links = ANY_LINK,.undefined = no_weight,.sum = absolute_error},
	{.name = "mape",.tasks = TASK_REGRESSION,.links = ANY_LINK,.undefined = "There is a target of 0.",.sum = relative_error},
	{.name = "huber_loss",.tasks = TASK_REGRESSION,.links = ANY_LINK,.undefined = no_weight,.sum = huber_loss},
	{.name = "pinball_loss",.tasks = TASK_REGRESSION,.links = ANY_LINK,.undefined = no_weight,.sum = pinball_loss},
	{.name = "poisson_loss",.tasks = TASK_REGRESSION,.links = LINK_BIT(LINK_EXP),.undefined = no_weight,.sum = poisson_loss},
	{.name = "gamma_loss",.tasks = TASK_REGRESSION,.links = LINK_BIT(LINK_EXP),.undefined = no_weight,.sum = gamma_loss},
	{.name = "tweedie_loss",.tasks = TASK_REGRESSION,.links = LINK_BIT(LINK_EXP),.undefined = no_weight,.sum = tweedie_loss},
	{.name = "log_loss",.tasks = CLASSES,.links = ANY_LINK,.undefined = no_weight,.sum = log_loss},
	{.name = "accuracy",.tasks = CLASSES,.links = ANY_LINK,.greater_is_better = true,.undefined = no_weight,.sum = right_rows},
	{.name = "error",.tasks = CLASSES,.links = ANY_LINK,.undefined = no_weight,.sum = wrong_rows},
	{.name = "brier",.tasks = TASK_BINARY,.links = ANY_LINK,.undefined = no_weight,.sum = brier_score},
	{.name = "roc_auc",.tasks = TASK_BINARY,.links = ANY_LINK,.greater_is_better = true,.undefined = one_class,.whole = roc_auc},
	{.name = "average_precision",.tasks = TASK_BINARY,.links = ANY_LINK,.greater_is_better = true,.undefined = one_class,
	.whole = average_precision},
};

/* Names of ours, then those of LightGBM, XGBoost and scikit-learn. */
static const struct
{
	const char *name;
	const char *ours;
}			named[] = {
	{"auto", NULL},
	{"rmse", "rmse"}, {"mse", "mse"}, {"mae", "mae"}, {"mape", "mape"}, {"huber_loss", "huber_loss"}, {"pinball_loss", "pinball_loss"},
	{"poisson_loss", "poisson_loss"}, {"gamma_loss", "gamma_loss"}, {"tweedie_loss", "tweedie_loss"}, {"log_loss", "log_loss"},
	{"accuracy", "accuracy"}, {"error", "error"}, {"brier", "brier"}, {"roc_auc", "roc_auc"}, {"average_precision", "average_precision"},
	{"l2_root", "rmse"}, {"root_mean_squared_error", "rmse"}, {"l2", "mse"}, {"mean_squared_error", "mse"}, {"l1", "mae"},
	{"mean_absolute_error", "mae"}, {"mean_absolute_percentage_error", "mape"}, {"huber", "huber_loss"}, {"quantile", "pinball_loss"},
	{"poisson", "poisson_loss"}, {"poisson-nloglik", "poisson_loss"}, {"gamma", "gamma_loss"}, {"gamma-nloglik", "gamma_loss"},
	{"tweedie", "tweedie_loss"}, {"logloss", "log_loss"}, {"binary_logloss", "log_loss"}, {"mlogloss", "log_loss"},
	{"multi_logloss", "log_loss"}, {"binary_error", "error"}, {"merror", "error"}, {"multi_error", "error"}, {"auc", "roc_auc"},
	{"aucpr", "average_precision"},
};

const char *const round_metric_names[] = {
	"auto",
	"rmse", "mse", "mae", "mape", "huber_loss", "pinball_loss",
	"poisson_loss", "gamma_loss", "tweedie_loss", "log_loss",
	"accuracy", "error", "brier", "roc_auc", "average_precision",
	"l2_root", "root_mean_squared_error", "l2", "mean_squared_error", "l1",
	"mean_absolute_error", "mean_absolute_percentage_error", "huber", "quantile",
	"poisson", "poisson-nloglik", "gamma", "gamma-nloglik",
	"tweedie", "logloss", "binary_logloss", "mlogloss",
	"multi_logloss", "binary_error", "merror", "multi_error", "auc",
	"aucpr", NULL,
};

static const RoundMetric *
metric_named(const char *name)
{
	for (int i = 0; i < (int) lengthof(metrics); i++)
		if (strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	elog(ERROR, "gradient boosting has no metric \"%s\"", name);
}

const RoundMetric *
round_metric(int index, const Objective *objective)
{
	StaticAssertStmt(lengthof(named) == lengthof(round_metric_names) - 1, "every name has a metric");
	return metric_named(named[index].ours != NULL ? named[index].ours : objective->metric);
}

void
round_metric_check(const RoundMetric *metric, const Objective *objective, Task task)
{
	if ((metric->tasks & task) && (metric->links & LINK_BIT(objective->link)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("early_stopping_metric \"%s\" does not fit the objective \"%s\"", metric->name, objective->name),
			 errhint("Leave it out to go by \"%s\".", objective->metric)));
}

Size
round_metric_memory(int index, int64 nrows)
{
	return named[index].ours != NULL && metric_named(named[index].ours)->whole != NULL ? size_times(nrows, RANK_BYTES) : 0;
}
