/*
 * standard.c
 *		Zero mean and unit variance, as scikit-learn's StandardScaler: of the population; a constant column is only centred.
 *
 * Missing cells are left out of mean and variance and stay missing.  Infinite ones, which scikit-learn refuses, are left out too and stay infinite.
 * Deviations that are rounding noise beside the mean count as none by a bound of our own (summary.c), as scikit-learn's do by its.
 */
#include "postgres.h"

#include <math.h>

#include "features/affine_internal.h"

typedef struct StandardOptions
{
	bool		with_mean;
	bool		with_std;
} StandardOptions;

#define OPTION(field) offsetof(StandardOptions, field)

static const Parameter standard_parameters[] = {
	{.name = "with_mean", .type = PARAM_BOOL, .offset = OPTION(with_mean), .fallback = 1, .help = "subtract the mean"},
	{.name = "with_std", .type = PARAM_BOOL, .offset = OPTION(with_std), .fallback = 1, .help = "divide by the standard deviation"},
};

static void *
standard_fit(FitSample *sample)
{
	const StandardOptions *options = sample->parameters;
	const ColumnSummary *summary = sample->summary;

	if (summary->nfinite == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	return affine_create(options->with_mean ? summary->mean : 0.0, options->with_std && summary->sd > 0.0 ? summary->sd : 1.0, 0.0);
}

static void
standard_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Affine *affine = fitted;

	line(state, "mean", NULL, affine->center);
	line(state, "scale", NULL, affine->scale);
}

const Transform standard_transform = {
	.name = "standard",
	.family = "scale",
	.help = "subtract the mean, divide by the standard deviation of the population; NULL stays missing",
	.id = 16,
	.aliases = (const TransformAlias[]) {{.name = "standardize"}, {.name = "StandardScaler"}, {.name = NULL}},
	.parameters = standard_parameters,
	.nparameters = lengthof(standard_parameters),
	.options_size = sizeof(StandardOptions),
	.fit = standard_fit,
	.learned = standard_learned,
	AFFINE_FUNCTIONS
};
