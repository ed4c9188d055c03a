/*
 * bucketize.c
 *		Numbers into buckets of equal width, of equally many training rows, or between given edges, as scikit-learn's KBinsDiscretizer.
 *
 * The answer is the number of the bucket from 0, or a column for each.  All training values count (subsample => None there).  A bucket holds its lower edge;
 * what lies beyond the edges falls into the first or last bucket.  A missing cell stays missing as a number; among columns it is a bucket of its own where
 * training rows were missing, else it is in none.  (scikit-learn takes no missing cells.)
 */
#include "postgres.h"

#include <math.h>

#include "core/sort.h"
#include "features/features_internal.h"

#define MOST_BUCKETS 1000
#define NARROWEST 1e-8			/* narrower buckets of the strategy "quantile" are joined with the one before */

typedef enum Strategy
{
	BY_QUANTILE,
	BY_WIDTH
} Strategy;

typedef struct BucketOptions
{
	int			n;
	int			by;
	NumberList	edges;
	bool		onehot;
	bool		linear;
} BucketOptions;

#define OPTION(field) offsetof(BucketOptions, field)

static const char *const strategies[] = {"quantile", "width", "uniform", NULL};

static const Parameter bucket_parameters[] = {
	{.name = "n", .aliases = "n_bins", .type = PARAM_INT, .offset = OPTION(n), .fallback = 5, .min = 2, .max = MOST_BUCKETS, .help = "buckets"},
	{.name = "by", .aliases = "strategy", .type = PARAM_CHOICE, .offset = OPTION(by), .choices = strategies,
	.help = "quantile: as many training rows in each; width (uniform): as wide"},
	{.name = "edges", .type = PARAM_NUMBERS, .offset = OPTION(edges), .min = -1e300, .max = 1e300, .help = "the bounds between the buckets, ascending, instead of n and by"},
	{.name = "onehot", .type = PARAM_BOOL, .offset = OPTION(onehot), .help = "a column for each bucket instead of its number"},
	{.name = "linear", .type = PARAM_BOOL, .offset = OPTION(linear),
	.help = "quantiles between two values are interpolated (quantile_method => 'linear'); else they are their mean or one of them (averaged_inverted_cdf)"},
};

typedef struct Buckets
{
	int			nedges;			/* between buckets: one less than these */
	double	   *edge;			/* (nedges) ascending */
	bool		onehot;
	bool		has_missing;	/* a column for missing cells, the last */
} Buckets;

/* ---- fitting ---- */

static const char *
bucket_check(const void *parameters)
{
	const BucketOptions *options = parameters;

	if (options->edges.n > MOST_BUCKETS)
		return "there are more than 1000 edges";
	for (int i = 1; i < options->edges.n; i++)
		if (!(options->edges.value[i] > options->edges.value[i - 1]))
			return "edges must ascend";
	return NULL;
}

static void
edges_by_width(const FitSample *sample, int n, Buckets *buckets)
{
	double		low = sample->summary->min;
	double		step = (sample->summary->max - low) / n;

	for (int i = 1; i < n && step > 0.0; i++)
		buckets->edge[buckets->nedges++] = i * step + low;
}

/* The ends count as edges when narrow buckets are joined, as there. */
static void
edges_by_quantile(const FitSample *sample, int n, bool linear, Buckets *buckets)
{
	int64		nvalues = sample->summary->nfinite;
	double		step = 100.0 / n;
	double		before = sample->summary->min;

	sort_doubles(sample->finite, nvalues);
	for (int i = 1; i < n; i++)
	{
		double		share = i * step / 100.0;
		double		edge = linear ? sorted_quantile(sample->finite, nvalues, share) : sorted_step_quantile(sample->finite, nvalues, share);

		if (edge - before > NARROWEST)
			buckets->edge[buckets->nedges++] = edge;
		before = edge;
	}
	if (buckets->nedges > 0 && !(sample->summary->max - before > NARROWEST))
		buckets->nedges--;		/* the last edge is the end then */
}

static void *
bucket_fit(FitSample *sample)
{
	const BucketOptions *options = sample->parameters;
	Buckets    *buckets = palloc0(sizeof(Buckets));

	buckets->onehot = options->onehot;
	buckets->has_missing = options->onehot && sample->summary->missing > 0;
	buckets->edge = palloc(sizeof(double) * Max(options->n, options->edges.n));
	if (options->edges.n > 0)
	{
		buckets->nedges = options->edges.n;
		memcpy(buckets->edge, options->edges.value, sizeof(double) * buckets->nedges);
	}
	else if (sample->summary->nfinite == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	else if (options->by == BY_QUANTILE)
		edges_by_quantile(sample, options->n, options->linear, buckets);
	else
		edges_by_width(sample, options->n, buckets);
	if (buckets->nedges > 0)
		return buckets;
	sample->why_unused = "all its values fall into one bucket";
	return NULL;
}

static int
bucket_width(const void *fitted)
{
	const Buckets *buckets = fitted;

	return buckets->onehot ? buckets->nedges + 1 + buckets->has_missing : 1;
}

static char *
bucket_name(const Buckets *buckets, const char *name, int i)
{
	if (i > buckets->nedges)
		return NULL;
	if (i == 0)
		return psprintf("%s < %s", name, features_digits(buckets->edge[0]));
	if (i == buckets->nedges)
		return psprintf("%s >= %s", name, features_digits(buckets->edge[i - 1]));
	return psprintf("%s in [%s, %s)", name, features_digits(buckets->edge[i - 1]), features_digits(buckets->edge[i]));
}

static void
bucket_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Buckets *buckets = fitted;

	if (!buckets->onehot)
		outputs->name = psprintf("bucket of %s", operand->name);
	for (int i = 0; buckets->onehot && i <= buckets->nedges; i++)
		outputs[i].name = bucket_name(buckets, operand->name, i);
	if (buckets->has_missing)
		outputs[buckets->nedges + 1].name = indicator_name(operand);
}

/* ---- applying ---- */

/* How many edges are at or below the value. */
static int
find_bucket(const Buckets *buckets, double x)
{
	int			low = 0,
				high = buckets->nedges;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (buckets->edge[middle] <= x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
bucket_apply(const void *fitted, const ApplyRows *rows)
{
	const Buckets *buckets = fitted;
	int			width = bucket_width(fitted);

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		double	   *out = rows->out + (Size) i * rows->out_stride;

		if (!buckets->onehot)
		{
			*out = isnan(cell) ? cell : find_bucket(buckets, cell);
			continue;
		}
		memset(out, 0, sizeof(double) * width);
		if (!isnan(cell))
			out[find_bucket(buckets, cell)] = 1.0;
		else if (buckets->has_missing)
			out[width - 1] = 1.0;
	}
}

/* ---- for people ---- */

static void
bucket_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Buckets *buckets = fitted;

	for (int i = 0; i < buckets->nedges; i++)
		line(state, psprintf("edge %d", i + 1), NULL, buckets->edge[i]);
}

static void
bucket_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Buckets *buckets = fitted;
	StringInfoData edges;

	initStringInfo(&edges);
	for (int i = 0; i < buckets->nedges; i++)
		appendStringInfo(&edges, "%s%s", i ? "," : "", features_digits(buckets->edge[i]));
	for (int i = 0; i < bucket_width(fitted); i++)
	{
		char	   *bucket = psprintf("width_bucket(%s, '{%s}'::double precision[])", *operand, edges.data);

		if (!buckets->onehot)
			outputs[i] = psprintf("%s::double precision", bucket);
		else if (i > buckets->nedges)
			outputs[i] = psprintf("CASE WHEN %s IS NULL THEN 1 ELSE 0 END::double precision", *operand);
		else
			outputs[i] = psprintf("CASE WHEN %s = %d THEN 1 ELSE 0 END::double precision", bucket, i);
	}
}

/* ---- stored form ---- */

static void
bucket_flatten(const void *fitted, ByteWriter *w)
{
	const Buckets *buckets = fitted;

	put_u8(w, buckets->onehot);
	put_u8(w, buckets->has_missing);
	put_u32(w, buckets->nedges);
	for (int i = 0; i < buckets->nedges; i++)
		put_f64(w, buckets->edge[i]);
}

static void *
bucket_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Buckets    *buckets = palloc(sizeof(Buckets));

	buckets->onehot = get_flag(r);
	buckets->has_missing = get_flag(r);
	buckets->nedges = (int) get_count(r, sizeof(double), MOST_BUCKETS);
	if (buckets->nedges == 0 || (buckets->has_missing && !buckets->onehot))
		damaged(r, "The buckets of column \"%s\" are inconsistent.", operand->name);
	buckets->edge = palloc(sizeof(double) * buckets->nedges);
	for (int i = 0; i < buckets->nedges; i++)
	{
		buckets->edge[i] = get_finite(r);
		if (i > 0 && !(buckets->edge[i] > buckets->edge[i - 1]))
			damaged(r, "The edges of the buckets of column \"%s\" are not in order.", operand->name);
	}
	return buckets;
}

const Transform bucketize_transform = {
	.name = "bucketize",
	.family = "bucket",
	.help = "the number of the bucket, or a column for each (onehot); NULL stays missing, as columns it is a bucket of its own if training had any",
	.id = 28,
	.kinds = NUMBER_KINDS,
	.aliases = (const TransformAlias[]) {{.name = "bin"}, {.name = "KBinsDiscretizer"}, {"bucketize_onehot", "onehot", 1}, {.name = NULL}},
	.parameters = bucket_parameters,
	.nparameters = lengthof(bucket_parameters),
	.options_size = sizeof(BucketOptions),
	.check = bucket_check,
	.fit = bucket_fit,
	.width = bucket_width,
	.name_outputs = bucket_name_outputs,
	.apply = bucket_apply,
	.flatten = bucket_flatten,
	.unflatten = bucket_unflatten,
	.learned = bucket_learned,
	.sql = bucket_sql
};
