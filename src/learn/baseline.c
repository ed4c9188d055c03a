/*
 * baseline.c
 *		The model without columns that every other has to beat: scikit-learn's DummyRegressor and DummyClassifier.
 */
#include "postgres.h"

#include <math.h>

#include "core/sort.h"
#include "learn/learn_internal.h"

typedef enum Strategy
{
	STRATEGY_AUTO,				/* the mean; the shares of the classes */
	STRATEGY_MEAN,
	STRATEGY_PRIOR,
	STRATEGY_MEDIAN,
	STRATEGY_MOST_FREQUENT		/* the most frequent class, the first of them where several are */
} Strategy;

static const char *const strategy_names[] = {"auto", "mean", "prior", "median", "most_frequent", NULL};

typedef struct BaselineOptions
{
	int			strategy;
} BaselineOptions;

typedef struct BaselineModel
{
	Task		task;
	int			nvalues;		/* 1 for regression, else nclasses */
	double	   *value;			/* the prediction, or the probability of each class */
} BaselineModel;

static const Parameter baseline_parameters[] = {
	{.name = "strategy",.type = PARAM_CHOICE,.offset = offsetof(BaselineOptions, strategy),.fallback = STRATEGY_AUTO,
		.min = 0,.max = lengthof(strategy_names) - 2,.choices = strategy_names,
	.help = "auto: mean of the target, or shares of the classes; also mean, median (numbers), prior, most_frequent (classes)"},
};

/* ---- training ---- */

static double
weighted_mean(const TrainingSet *set)
{
	double		total = training_weight(set);
	double		mean = 0,
				rest = 0;

	/* divided before it is added: no sum of finite values overflows; the second pass takes back the rounding of the first */
	for (int64 i = 0; i < set->nrows; i++)
		mean += set->target[i] * (row_weight(set, i) / total);
	for (int64 i = 0; i < set->nrows; i++)
		rest += (set->target[i] - mean) * (row_weight(set, i) / total);
	return isfinite(rest) ? mean + rest : mean;
}

/* The smallest value below or at which half of the weight lies. */
static double
weighted_median(const TrainingSet *set, double total)
{
	uint32		n = (uint32) set->nrows;
	uint64	   *key = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * 2 * n);
	uint32	   *row = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * 2 * n);
	double		below = 0;
	double		value;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		key[i] = sortable_double(set->target[i]);
		row[i] = i;
	}
	sort_keys(key, row, key + n, row + n, n);
	for (i = 0; i < n - 1; i++)
	{
		below += row_weight(set, row[i]);
		if (below >= 0.5 * total)
			break;
	}
	value = set->target[row[i]];
	pfree(key);
	pfree(row);
	return value;
}

static double
middle(const TrainingSet *set)
{
	double		total = training_weight(set);
	double	   *copy;
	double		value;

	if (set->weight != NULL)
		return weighted_median(set, total);
	copy = MemoryContextAllocHuge(CurrentMemoryContext, matrix_bytes(set->nrows, 1));
	memcpy(copy, set->target, sizeof(double) * set->nrows);
	value = median(copy, set->nrows);
	pfree(copy);
	return value;
}

static void
keep_most_frequent(double *share, int nclasses)
{
	int			best = 0;

	for (int k = 1; k < nclasses; k++)
		if (share[k] > share[best])
			best = k;
	for (int k = 0; k < nclasses; k++)
		share[k] = k == best ? 1 : 0;
}

static void
check_strategy(Task task, Strategy strategy)
{
	bool		numeric = strategy == STRATEGY_MEAN || strategy == STRATEGY_MEDIAN;

	if (strategy != STRATEGY_AUTO && numeric != (task == TASK_REGRESSION))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("strategy \"%s\" is for %s", strategy_names[strategy], numeric ? "regression" : "classification"),
				 errhint("Use \"auto\", \"%s\" or \"%s\".", numeric ? "prior" : "mean", numeric ? "most_frequent" : "median")));
}

static void *
baseline_train(TrainingSet *set, const void *options)
{
	Strategy	strategy = ((const BaselineOptions *) options)->strategy;
	BaselineModel *model = palloc(sizeof(BaselineModel));

	check_strategy(set->task, strategy);
	model->task = set->task;
	model->nvalues = set->task == TASK_REGRESSION ? 1 : set->nclasses;
	model->value = zero_vector(model->nvalues);
	if (set->task == TASK_REGRESSION)
		model->value[0] = strategy == STRATEGY_MEDIAN ? middle(set) : weighted_mean(set);
	else
	{
		class_shares(set, model->value);
		if (strategy == STRATEGY_MOST_FREQUENT)
			keep_most_frequent(model->value, model->nvalues);
	}
	return model;
}

static Size
baseline_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	bool		sorts = ((const BaselineOptions *) options)->strategy == STRATEGY_MEDIAN;

	return size_plus(matrix_bytes(Max(nclasses, 1), 1), sorts ? matrix_bytes(nrows, 3) : 0);
}

/* ---- prediction and bytes ---- */

static void
baseline_predict(const void *state, const double *rows, int nrows, double *out)
{
	const BaselineModel *model = state;
	int			noutputs = learner_outputs(model->task, model->nvalues);
	const double *value = model->task == TASK_BINARY ? model->value + 1 : model->value;

	for (int i = 0; i < nrows; i++)
		memcpy(out + (Size) i * noutputs, value, sizeof(double) * noutputs);
}

static void
baseline_flatten(const void *state, ByteWriter *w)
{
	const BaselineModel *model = state;

	put_u32(w, model->nvalues);
	for (int k = 0; k < model->nvalues; k++)
		put_f64(w, model->value[k]);
}

static void *
baseline_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	BaselineModel *model = palloc(sizeof(BaselineModel));
	int			expected = task == TASK_REGRESSION ? 1 : nclasses;

	if (format != baseline_learner.format)
		damaged(r, "unknown format %d of a baseline", format);
	model->task = task;
	model->nvalues = get_count(r, sizeof(double), PG_INT32_MAX);
	if (model->nvalues != expected || (task == TASK_BINARY && expected != 2))
		damaged(r, "a baseline of %d values where %d belong", model->nvalues, expected);
	model->value = zero_vector(model->nvalues);
	for (int k = 0; k < model->nvalues; k++)
		model->value[k] = get_finite(r);
	return model;
}

const Learner baseline_learner = {
	.name = "baseline",
	.help = "predicts the same for every row: the mean, or the shares of the classes",
	.id = 1,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS,
	.ignores_rows = true,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = baseline_parameters,
	.nparameters = lengthof(baseline_parameters),
	.options_size = sizeof(BaselineOptions),
	.memory_needed = baseline_memory_needed,
	.train = baseline_train,
	.predict = baseline_predict,
	.flatten = baseline_flatten,
	.unflatten = baseline_unflatten,
};
