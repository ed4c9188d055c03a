/*
 * minmax.c
 *		Into a range by the smallest and largest training value, as scikit-learn's MinMaxScaler; or by the largest size, as its MaxAbsScaler.
 *
 * Missing and infinite cells count for nothing, as missing ones there; they stay what they are, but that "clip" moves infinite ones into the range.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "features/affine_internal.h"

typedef struct MinMaxOptions
{
	NumberList	range;
	bool		clip;
} MinMaxOptions;

static const Parameter minmax_parameters[] = {
	{.name = "feature_range", .aliases = "range", .type = PARAM_NUMBERS, .offset = offsetof(MinMaxOptions, range), .min = -1e300, .max = 1e300,
	.help = "where the smallest and the largest training value go; [0, 1]"},
	{.name = "clip", .type = PARAM_BOOL, .offset = offsetof(MinMaxOptions, clip), .help = "keep later values inside the range"},
};

double
scale_or_one(double scale)
{
	return scale < 10 * DBL_EPSILON ? 1.0 : scale;
}

static const char *
minmax_check(const void *parameters)
{
	const MinMaxOptions *options = parameters;

	if (options->range.n != 0 && (options->range.n != 2 || !(options->range.value[0] < options->range.value[1])))
		return "feature_range must be two numbers, the smaller first";
	return NULL;
}

static void *
minmax_fit(FitSample *sample)
{
	const MinMaxOptions *options = sample->parameters;
	const ColumnSummary *summary = sample->summary;
	double		low = options->range.n ? options->range.value[0] : 0.0;
	double		high = options->range.n ? options->range.value[1] : 1.0;
	Affine	   *affine;

	if (summary->nfinite == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	affine = affine_create(summary->min, scale_or_one(summary->max - summary->min) / (high - low), low);
	if (options->clip)
	{
		affine->lower = low;
		affine->upper = high;
	}
	return affine;
}

static void
minmax_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Affine *affine = fitted;

	line(state, "minimum", NULL, affine->center);
	line(state, "scale", NULL, affine->scale);
	line(state, "feature_minimum", NULL, affine->shift);
}

const Transform minmax_transform = {
	.name = "minmax",
	.family = "scale",
	.help = "into feature_range by the smallest and largest training value; NULL stays missing",
	.id = 21,
	.aliases = (const TransformAlias[]) {{.name = "MinMaxScaler"}, {.name = NULL}},
	.parameters = minmax_parameters,
	.nparameters = lengthof(minmax_parameters),
	.options_size = sizeof(MinMaxOptions),
	.check = minmax_check,
	.fit = minmax_fit,
	.learned = minmax_learned,
	AFFINE_FUNCTIONS
};

static void *
maxabs_fit(FitSample *sample)
{
	const ColumnSummary *summary = sample->summary;

	if (summary->nfinite == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	return affine_create(0.0, scale_or_one(Max(fabs(summary->min), fabs(summary->max))), 0.0);
}

static void
maxabs_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	line(state, "scale", NULL, ((const Affine *) fitted)->scale);
}

const Transform maxabs_transform = {
	.name = "maxabs",
	.family = "scale",
	.help = "divide by the largest size of a training value; NULL stays missing",
	.id = 22,
	.aliases = (const TransformAlias[]) {{.name = "max_abs"}, {.name = "MaxAbsScaler"}, {.name = NULL}},
	.fit = maxabs_fit,
	.learned = maxabs_learned,
	AFFINE_FUNCTIONS
};
