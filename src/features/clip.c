/*
 * clip.c
 *		Values beyond two bounds are moved to them, as numpy.clip does; the bounds are given, or quantiles of the training values (winsorising).
 *
 * Missing stays missing; infinite cells are moved too, and count in no quantile.
 */
#include "postgres.h"

#include <math.h>

#include "core/sort.h"
#include "features/affine_internal.h"

typedef struct ClipOptions
{
	NumberList	bounds;
	NumberList	quantiles;
	double		min,
				max;
} ClipOptions;

#define OPTION(field) offsetof(ClipOptions, field)

static const Parameter clip_parameters[] = {
	{.name = "bounds", .type = PARAM_NUMBERS, .offset = OPTION(bounds), .min = -HUGE_VAL, .max = HUGE_VAL, .help = "the smallest and the largest value"},
	{.name = "quantiles", .type = PARAM_NUMBERS, .offset = OPTION(quantiles), .min = 0, .max = 1, .help = "quantiles of the training values to be the bounds"},
	{.name = "min", .type = PARAM_FLOAT, .offset = OPTION(min), .fallback = NAN, .min = -HUGE_VAL, .max = HUGE_VAL, .help = "the smallest value alone"},
	{.name = "max", .type = PARAM_FLOAT, .offset = OPTION(max), .fallback = NAN, .min = -HUGE_VAL, .max = HUGE_VAL, .help = "the largest value alone"},
};

static bool
in_order(const NumberList *list)
{
	return list->n == 0 || (list->n == 2 && list->value[0] < list->value[1]);
}

static const char *
clip_check(const void *parameters)
{
	const ClipOptions *options = parameters;
	bool		one_sided = !isnan(options->min) || !isnan(options->max);

	if (!in_order(&options->bounds) || !in_order(&options->quantiles) || options->min >= options->max)
		return "two bounds are needed, the smaller first";
	if ((options->bounds.n > 0) + (options->quantiles.n > 0) + one_sided != 1)
		return "bounds, quantiles, or min and max must be given, and one of these only";
	return NULL;
}

static void *
clip_fit(FitSample *sample)
{
	const ClipOptions *options = sample->parameters;
	Affine	   *affine = affine_create(0.0, 1.0, 0.0);
	int64		n = sample->summary->nfinite;

	if (options->bounds.n > 0)
	{
		affine->lower = options->bounds.value[0];
		affine->upper = options->bounds.value[1];
	}
	else if (options->quantiles.n == 0)
	{
		affine->lower = isnan(options->min) ? -HUGE_VAL : options->min;
		affine->upper = isnan(options->max) ? HUGE_VAL : options->max;
	}
	else if (n == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	else
	{
		sort_doubles(sample->finite, n);
		affine->lower = sorted_quantile(sample->finite, n, options->quantiles.value[0]);
		affine->upper = sorted_quantile(sample->finite, n, options->quantiles.value[1]);
	}
	if (affine->lower < affine->upper)
		return affine;
	sample->why_unused = "its quantiles are equal";
	return NULL;
}

static void
clip_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Affine *affine = fitted;

	line(state, "lower", NULL, affine->lower);
	line(state, "upper", NULL, affine->upper);
}

const Transform clip_transform = {
	.name = "clip",
	.family = "limit",
	.help = "values beyond two bounds are moved to them; NULL stays missing",
	.id = 24,
	.aliases = (const TransformAlias[]) {{.name = "winsorize"}, {.name = NULL}},
	.parameters = clip_parameters,
	.nparameters = lengthof(clip_parameters),
	.options_size = sizeof(ClipOptions),
	.check = clip_check,
	.fit = clip_fit,
	.learned = clip_learned,
	AFFINE_FUNCTIONS
};
