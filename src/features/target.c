/*
 * target.c
 *		Categories as what is known of the target there: its mean, or the share of each class, drawn towards that of all rows (Micci-Barreca 2001).
 *
 * With n rows of a level whose target has the mean m and the variance v, and M and V those of all rows, a level becomes w * m + (1 - w) * M.  By default, as
 * scikit-learn's TargetEncoder with smooth="auto", w = V / (V + v / n) (empirical Bayes; variances of the population); given a number of rows s to draw by,
 * w = n / (n + s).  Rows count by their weights, which scikit-learn does not have.  Missing is a level of its own; a level that training did not show
 * becomes M.  A training row is given what the other folds' rows say; the folds are ranges of the canonical order, not scikit-learn's.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "features/level_values_internal.h"

typedef struct TargetOptions
{
	double		smooth;
} TargetOptions;

static const Parameter target_parameters[] = {
	{.name = "smooth", .aliases = "smoothing", .type = PARAM_FLOAT, .offset = offsetof(TargetOptions, smooth), .fallback = NAN, .min = 0, .max = 1e12,
	.help = "rows by which the mean of all rows counts in each level; unset: chosen by the variances"},
};

/* Weighted sums over the rows of a level. */
typedef struct LevelSums
{
	double		weight,
				mean,
				squares;		/* of deviations from the mean */
} LevelSums;

/* What output j says of a row's target. */
static inline double
shown(const FeatureOptions *options, double target, int j)
{
	if (options->nclasses == 0)
		return target;
	return target == (options->nclasses == 2 ? Max(options->positive, 0) : j);
}

/* Welford 1962, with weights. */
static inline void
add_row(LevelSums *sums, double weight, double y)
{
	double		d = y - sums->mean;

	sums->weight += weight;
	sums->mean += d * weight / sums->weight;
	sums->squares += weight * d * (y - sums->mean);
}

static double
level_value(const LevelSums *level, const LevelSums *all, double smooth)
{
	double		variance = all->squares / all->weight;
	double		share;

	if (level->weight == 0.0 || variance == 0.0)
		return all->mean;
	if (isnan(smooth))
		share = variance / (variance + level->squares / level->weight / level->weight);
	else
		share = level->weight / (level->weight + smooth);
	return share * level->mean + (1.0 - share) * all->mean;
}

static void
fit_output(const FitSample *sample, LevelValues *values, LevelSums *sums, int j)
{
	const TargetOptions *options = sample->parameters;
	LevelSums	all = {0, 0, 0};

	memset(sums, 0, sizeof(LevelSums) * (values->nlevels + 2));
	for (int64 i = 0; i < sample->n; i++)
	{
		double		y = shown(sample->options, sample->target[i], j);
		double		weight = sample->weight ? sample->weight[i] : 1.0;

		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (weight == 0.0)
			continue;
		add_row(&all, weight, y);
		add_row(&sums[level_place(values, sample->value[0][i])], weight, y);
	}
	for (int place = 0; place < values->nlevels + 2; place++)
		values->value[(Size) place * values->width + j] = level_value(&sums[place], &all, options->smooth);
}

static void *
target_fit(FitSample *sample)
{
	int			nclasses = sample->options->nclasses;
	LevelValues *values;
	LevelSums  *sums;

	if (sample->target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preprocess step \"target\" of column \"%s\" needs a target", sample->operand->name),
				 errhint("It is for ml.train; \"frequency\" and \"ordinal\" encode categories without a target.")));
	values = level_values_create(sample->operand, 0, nclasses > 2 ? nclasses : 1);
	sums = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(LevelSums) * (values->nlevels + 2));
	for (int j = 0; j < values->width; j++)
		fit_output(sample, values, sums, j);
	pfree(sums);
	return values;
}

static void
target_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	int			width = level_values_width(fitted);

	for (int j = 0; j < width; j++)
		outputs[j].name = width == 1 ? psprintf("%s: mean target", operand->name) : psprintf("%s: share of class %d", operand->name, j + 1);
}

const Transform target_transform = {
	.name = "target",
	.family = "encode",
	.help = "a category as the smoothed mean of the target, cross-fitted while training; NULL is a level of its own",
	.id = 64,
	.kinds = 1 << KIND_CATEGORY,
	.cross_fit = true,
	.aliases = (const TransformAlias[]) {{.name = "target_mean"}, {.name = "TargetEncoder"}, {.name = NULL}},
	.parameters = target_parameters,
	.nparameters = lengthof(target_parameters),
	.options_size = sizeof(TargetOptions),
	.fit = target_fit,
	.name_outputs = target_name_outputs,
	LEVEL_VALUES_FUNCTIONS
};
