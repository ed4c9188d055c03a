/*
 * robust.c
 *		Median zero and a range between quantiles of one, as scikit-learn's RobustScaler.
 *
 * Missing and infinite cells count for nothing and stay what they are.
 */
#include "postgres.h"

#include <math.h>

#include "core/normal.h"
#include "core/sort.h"
#include "features/affine_internal.h"

typedef struct RobustOptions
{
	bool		with_centering;
	bool		with_scaling;
	bool		unit_variance;
	NumberList	range;
} RobustOptions;

#define OPTION(field) offsetof(RobustOptions, field)

static const Parameter robust_parameters[] = {
	{.name = "quantile_range", .aliases = "range", .type = PARAM_NUMBERS, .offset = OPTION(range), .min = 0, .max = 100,
	.help = "percentiles whose distance is the unit; [25, 75]"},
	{.name = "with_centering", .type = PARAM_BOOL, .offset = OPTION(with_centering), .fallback = 1, .help = "subtract the median"},
	{.name = "with_scaling", .type = PARAM_BOOL, .offset = OPTION(with_scaling), .fallback = 1, .help = "divide by the distance of the percentiles"},
	{.name = "unit_variance", .type = PARAM_BOOL, .offset = OPTION(unit_variance), .help = "scale so that a normal distribution gets variance 1"},
};

static const char *
robust_check(const void *parameters)
{
	const RobustOptions *options = parameters;

	if (options->range.n != 0 && (options->range.n != 2 || !(options->range.value[0] < options->range.value[1])))
		return "quantile_range must be two percentiles, the smaller first";
	return NULL;
}

static void *
robust_fit(FitSample *sample)
{
	const RobustOptions *options = sample->parameters;
	int64		n = sample->summary->nfinite;
	double		low = (options->range.n ? options->range.value[0] : 25.0) / 100.0;
	double		high = (options->range.n ? options->range.value[1] : 75.0) / 100.0;
	double		center = 0.0,
				scale = 1.0;

	if (n == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	sort_doubles(sample->finite, n);
	if (options->with_centering)
		center = sorted_quantile(sample->finite, n, 0.5);
	if (options->with_scaling)
		scale = scale_or_one(sorted_quantile(sample->finite, n, high) - sorted_quantile(sample->finite, n, low));
	if (options->with_scaling && options->unit_variance)
		scale /= normal_quantile(high) - normal_quantile(low);
	return affine_create(center, scale > 0.0 && isfinite(scale) ? scale : 1.0, 0.0);
}

static void
robust_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Affine *affine = fitted;

	line(state, "center", NULL, affine->center);
	line(state, "scale", NULL, affine->scale);
}

const Transform robust_transform = {
	.name = "robust",
	.family = "scale",
	.help = "subtract the median, divide by the distance of two percentiles; NULL stays missing",
	.id = 23,
	.aliases = (const TransformAlias[]) {{.name = "RobustScaler"}, {.name = NULL}},
	.parameters = robust_parameters,
	.nparameters = lengthof(robust_parameters),
	.options_size = sizeof(RobustOptions),
	.check = robust_check,
	.fit = robust_fit,
	.learned = robust_learned,
	AFFINE_FUNCTIONS
};
