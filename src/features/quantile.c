/*
 * quantile.c
 *		The rank of a value among the training values, uniform between 0 and 1 or as a normal deviate, as scikit-learn's QuantileTransformer.
 *
 * All training values count (subsample => None there; its default of 10,000 random rows gives other quantiles).  Infinite ones, which scikit-learn refuses,
 * do not, and go to the ends; missing cells stay missing.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "core/normal.h"
#include "core/sort.h"
#include "features/features_internal.h"

#define MOST_QUANTILES 100000
#define NEAR_BOUND 1e-7			/* BOUNDS_THRESHOLD */

typedef struct QuantileOptions
{
	int			n_quantiles;
	int			output;
} QuantileOptions;

#define OPTION(field) offsetof(QuantileOptions, field)

static const char *const distributions[] = {"uniform", "normal", NULL};

static const Parameter quantile_parameters[] = {
	{.name = "output_distribution", .aliases = "output", .type = PARAM_CHOICE, .offset = OPTION(output), .choices = distributions, .help = "uniform in 0 to 1, or normal"},
	{.name = "n_quantiles", .type = PARAM_INT, .offset = OPTION(n_quantiles), .fallback = 1000, .min = 2, .max = MOST_QUANTILES,
	.help = "quantiles kept; between them ranks are interpolated; no more than training rows"},
};

typedef struct Quantile
{
	bool		normal;
	int			n;
	double	   *value;			/* (n) ascending: the quantiles 0, 1/(n-1) .. 1 */
} Quantile;

static void *
quantile_fit(FitSample *sample)
{
	const QuantileOptions *options = sample->parameters;
	int64		n = sample->summary->nfinite;
	Quantile   *quantile = palloc(sizeof(Quantile));

	if (n < 2)
	{
		sample->why_unused = "fewer than two of its values are finite";
		return NULL;
	}
	quantile->normal = options->output == 1;
	quantile->n = (int) Max(Min(options->n_quantiles, sample->n), 2);
	quantile->value = palloc(sizeof(double) * quantile->n);
	sort_doubles(sample->finite, n);
	for (int i = 0; i < quantile->n; i++)
	{
		/* numpy's linspace, times 100 and back */
		double		reference = i == quantile->n - 1 ? 1.0 : i * (1.0 / (quantile->n - 1));

		quantile->value[i] = sorted_quantile(sample->finite, n, reference * 100.0 / 100.0);
		if (i > 0)
			quantile->value[i] = Max(quantile->value[i], quantile->value[i - 1]);
	}
	return quantile;
}

static int
quantile_width(const void *fitted)
{
	return 1;
}

static void
quantile_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = psprintf(((const Quantile *) fitted)->normal ? "normal score of %s" : "quantile of %s", operand->name);
}

static inline double
reference_of(const Quantile *quantile, int i)
{
	return i == quantile->n - 1 ? 1.0 : i * (1.0 / (quantile->n - 1));
}

/* How many of the values are smaller, or not larger. */
static int
count_below(const Quantile *quantile, double x, bool equal)
{
	int			low = 0,
				high = quantile->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (quantile->value[middle] < x || (equal && quantile->value[middle] == x))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The rank of a value strictly between two neighbours; "upper" is the index of the next larger. */
static double
interpolated(const Quantile *quantile, double x, int upper)
{
	double		low = quantile->value[upper - 1],
				high = quantile->value[upper];
	double		from = reference_of(quantile, upper - 1),
				to = reference_of(quantile, upper);

	/* numpy.interp upwards and, as the transformer does, downwards */
	return 0.5 * (((to - from) / (high - low) * (x - low) + from) + (to - (to - from) / (high - low) * (high - x)));
}

static double
rank_of(const Quantile *quantile, double x)
{
	int			below = count_below(quantile, x, false);
	int			up_to = count_below(quantile, x, true);

	if (below == quantile->n)
		return 1.0;
	if (up_to == 0)
		return 0.0;
	if (below == up_to)
		return interpolated(quantile, x, below);
	return 0.5 * (reference_of(quantile, up_to - 1) + reference_of(quantile, below));
}

static double
transformed(const Quantile *quantile, double x)
{
	double		near = quantile->normal ? NEAR_BOUND : 0.0;
	double		first = quantile->value[0],
				last = quantile->value[quantile->n - 1];
	double		rank;
	double		limit;

	if (isnan(x))
		return x;
	/* the lower end is looked at last there, and so decides for a constant column */
	if (quantile->normal ? x - near < first : x == first)
		rank = 0.0;
	else if (quantile->normal ? x + near > last : x == last)
		rank = 1.0;
	else
		rank = rank_of(quantile, x);
	if (!quantile->normal)
		return rank;
	limit = NEAR_BOUND - DBL_EPSILON;
	return normal_quantile(Max(Min(rank, 1.0 - limit), limit));
}

static void
quantile_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
		rows->out[(Size) i * rows->out_stride] = transformed(fitted, rows->cells[(Size) i * rows->stride]);
}

/* The value of a rank: the quantiles interpolated, as numpy.interp does. */
static double
value_of(const Quantile *quantile, double rank)
{
	int			i = (int) floor(rank * (quantile->n - 1));
	double		from;

	while (i > 0 && reference_of(quantile, i) > rank)
		i--;
	while (i < quantile->n - 1 && reference_of(quantile, i + 1) <= rank)
		i++;
	from = reference_of(quantile, i);
	if (i == quantile->n - 1 || from == rank)
		return quantile->value[i];
	return (quantile->value[i + 1] - quantile->value[i]) / (reference_of(quantile, i + 1) - from) * (rank - from) + quantile->value[i];
}

static double
quantile_invert(const void *fitted, const double *outputs)
{
	const Quantile *quantile = fitted;
	double		near = quantile->normal ? NEAR_BOUND : 0.0;
	double		rank = quantile->normal ? normal_cdf(*outputs) : *outputs;

	if (isnan(rank))
		return rank;
	if (rank - near < 0.0)
		return quantile->value[0];
	if (rank + near > 1.0)
		return quantile->value[quantile->n - 1];
	return value_of(quantile, rank);
}

static void
quantile_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Quantile *quantile = fitted;

	line(state, "n_quantiles", NULL, quantile->n);
	line(state, "minimum", NULL, quantile->value[0]);
	line(state, "median", NULL, quantile->value[quantile->n / 2]);
	line(state, "maximum", NULL, quantile->value[quantile->n - 1]);
}

static void
quantile_flatten(const void *fitted, ByteWriter *w)
{
	const Quantile *quantile = fitted;

	put_u8(w, quantile->normal);
	put_u32(w, quantile->n);
	for (int i = 0; i < quantile->n; i++)
		put_f64(w, quantile->value[i]);
}

static void *
quantile_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Quantile   *quantile = palloc(sizeof(Quantile));

	quantile->normal = get_flag(r);
	quantile->n = (int) get_count(r, sizeof(double), MOST_QUANTILES);
	if (quantile->n < 2)
		damaged(r, "Column \"%s\" has fewer than two quantiles.", operand->name);
	quantile->value = palloc(sizeof(double) * quantile->n);
	for (int i = 0; i < quantile->n; i++)
	{
		quantile->value[i] = get_finite(r);
		if (i > 0 && quantile->value[i] < quantile->value[i - 1])
			damaged(r, "The quantiles of column \"%s\" are not in order.", operand->name);
	}
	return quantile;
}

const Transform quantile_transform = {
	.name = "quantile",
	.family = "scale",
	.help = "the rank among the training values, from 0 to 1 or as a normal deviate; NULL stays missing",
	.id = 26,
	.kinds = NUMBER_KINDS,
	.aliases = (const TransformAlias[]) {{.name = "rank"}, {.name = "QuantileTransformer"}, {"quantile_normal", "output_distribution", 1}, {.name = NULL}},
	.parameters = quantile_parameters,
	.nparameters = lengthof(quantile_parameters),
	.options_size = sizeof(QuantileOptions),
	.fit = quantile_fit,
	.width = quantile_width,
	.name_outputs = quantile_name_outputs,
	.apply = quantile_apply,
	.flatten = quantile_flatten,
	.unflatten = quantile_unflatten,
	.invert = quantile_invert,
	.learned = quantile_learned
};
