/*
 * isolation_forest.c
 *		Isolation forest (Liu, Ting, Zhou 2008): rows that few random cuts set apart from the others are anomalies.
 *
 * A row's score is 2^(-h / c), h being the mean number of cuts on its way to a leaf (with c(n) added where n rows were left together) and
 * c = c(rows of a tree) the mean length of an unsuccessful search in a binary tree: near 1 for anomalies, below 0.5 for ordinary rows.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "core/mathfn.h"
#include "core/sort.h"
#include "core/tree.h"
#include "learn/learn_internal.h"

#define EULER 0.57721566490153286
#define LN_2 0.69314718055994531
#define DEFAULT_THRESHOLD 0.5
#define DEFAULT_SAMPLES 256
#define MOST_SAMPLES 65536

typedef struct IsolationOptions
{
	int			n_estimators;
	double		max_samples;	/* up to 1: share of the rows; above: how many; below 0: "auto" */
	double		contamination;	/* NaN or below 0, "auto": the threshold is 0.5 */
	int			random_state;
} IsolationOptions;

typedef struct IsolationModel
{
	double		usual;			/* c(rows of a tree) */
	double		threshold;		/* scores above are anomalies */
	Trees	   *trees;			/* leaves hold path lengths */
} IsolationModel;

/* A tree in the making. */
typedef struct Isolation
{
	TrainingSet *set;
	Trees	   *trees;
	int			nsamples;
	int			deepest;
	double	   *sample;			/* (nsamples, ncolumns) */
	int		   *row;			/* (nsamples) node by node */
	int		   *spare;
	bool	   *taken;			/* (nrows) */
	int		   *column;			/* (ncolumns) scratch: a permutation */
	uint32	   *levels_seen;	/* sets of codes, scratch */
	uint32	   *levels_left;
	uint64		random;
} Isolation;

/* How rows of a column lie apart in a node. */
typedef struct Spread
{
	double		low,
				high;			/* of the numbers there are */
	int			present,
				missing,
				nlevels;		/* different codes */
} Spread;

/* ---- numbers ---- */

static uint64
next_random(Isolation *f)
{
	f->random += UINT64CONST(0x9e3779b97f4a7c15);
	return hash_mix(f->random);
}

static int
random_below(Isolation *f, int n)
{
	return (int) (((next_random(f) >> 32) * (uint64) n) >> 32);
}

/* c(n) of the paper. */
static double
usual_path(double n)
{
	if (n <= 1)
		return 0;
	if (n == 2)
		return 1;
	return 2 * (math_log(n - 1) + EULER) - 2 * (n - 1) / n;
}

/* ---- samples ---- */

/* Rows a tree is grown on. */
static int
sample_size(const IsolationOptions *options, int64 nrows)
{
	double		asked = options->max_samples;

	if (asked < 0)
		asked = DEFAULT_SAMPLES;
	else if (asked <= 1)
		asked = Max(1, floor(asked * nrows));
	return (int) Min(Min(asked, MOST_SAMPLES), nrows);
}

/* Different rows, drawn until there are enough. */
static void
draw_sample(Isolation *f)
{
	TrainingSet *set = f->set;

	memset(f->taken, 0, set->nrows);
	for (int n = 0; n < f->nsamples;)
	{
		int64		row = (int64) (hash_unit(next_random(f)) * set->nrows);

		if (f->taken[row])
			continue;
		f->taken[row] = true;
		f->row[n] = n;
		if (set->ncolumns > 0)
			memcpy(f->sample + (Size) n * set->ncolumns, set->rows(set->design, row, 1), sizeof(double) * set->ncolumns);
		n++;
	}
}

/* ---- a cut ---- */

static double
cell(const Isolation *f, int row, int column)
{
	return f->sample[(Size) row * f->set->ncolumns + column];
}

static Spread
find_spread(const Isolation *f, int start, int count, int column)
{
	Spread		spread = {HUGE_VAL, -HUGE_VAL, 0, 0, 0};
	int			levels = f->set->levels[column];

	memset(f->levels_seen, 0, sizeof(uint32) * tree_set_words(levels));
	for (int i = start; i < start + count; i++)
	{
		double		x = cell(f, f->row[i], column);

		if (isnan(x) || (levels > 0 && !(x >= 0 && x < levels)))
		{
			spread.missing++;
			continue;
		}
		spread.present++;
		spread.low = Min(spread.low, x);
		spread.high = Max(spread.high, x);
		if (levels > 0 && !tree_set_has(f->levels_seen, (int) x))
		{
			f->levels_seen[(int) x >> 5] |= (uint32) 1 << ((int) x & 31);
			spread.nlevels++;
		}
	}
	return spread;
}

static bool
can_cut(const Spread *spread)
{
	return (spread->present > 0 && spread->low < spread->high) || (spread->present > 0 && spread->missing > 0);
}

/* Evenly between the lowest and the highest; rows that differ only by missing it are cut by that. */
static uint32
cut_number(Isolation *f, uint32 node, int column, const Spread *spread)
{
	double		at = spread->low + hash_unit(next_random(f)) * (spread->high - spread->low);
	bool		missing_left = next_random(f) & 1;

	if (spread->low == spread->high)
		return trees_split_number(f->trees, node, column, fabs(spread->high) < FLT_MAX ? FLT_MAX : DBL_MAX, false, 0);
	if (tree_single(at) >= spread->low && tree_single(at) < spread->high)
		at = tree_single(at);
	at = Max(spread->low, Min(at, nextafter(spread->high, spread->low)));
	return trees_split_number(f->trees, node, column, at, missing_left, 0);
}

/* A random half of the codes, not all of those there are and not none; what is missing goes any way. */
static uint32
cut_category(Isolation *f, uint32 node, int column, const Spread *spread)
{
	int			levels = f->set->levels[column];
	bool		missing_left = next_random(f) & 1;
	int			stays = random_below(f, spread->nlevels);	/* among the codes there are: this one left, */
	int			goes = random_below(f, Max(spread->nlevels - 1, 1));	/* and this one right */
	int			nth = 0;

	goes += goes >= stays;
	memset(f->levels_left, 0, sizeof(uint32) * tree_set_words(levels));
	for (int code = 0; code < levels; code++)
	{
		bool		left = next_random(f) & 1;

		if (tree_set_has(f->levels_seen, code))
		{
			left = nth == stays || (left && nth != goes);
			nth++;
		}
		if (left)
			f->levels_left[code >> 5] |= (uint32) 1 << (code & 31);
	}
	return trees_split_category(f->trees, node, column, f->levels_left, missing_left && spread->nlevels > 1, 0);
}

/* Cut at a column drawn from those in which the rows differ; returns the left child, 0 where there is none. */
static uint32
cut(Isolation *f, uint32 node, int start, int count)
{
	int			n = f->set->ncolumns;

	for (int tried = 0; tried < n; tried++)
	{
		int			pick = tried + random_below(f, n - tried);
		int			column = f->column[pick];
		Spread		spread = find_spread(f, start, count, column);

		f->column[pick] = f->column[tried];
		f->column[tried] = column;
		if (!can_cut(&spread))
			continue;
		return f->set->levels[column] > 0 ? cut_category(f, node, column, &spread) : cut_number(f, node, column, &spread);
	}
	return 0;
}

/* ---- a tree ---- */

static int
partition(Isolation *f, uint32 node, int start, int count)
{
	int			left = start,
				right = 0;

	for (int i = start; i < start + count; i++)
	{
		int			row = f->row[i];

		if (tree_goes_left(f->trees, &f->trees->node[node], f->sample + (Size) row * f->set->ncolumns))
			f->row[left++] = row;
		else
			f->spare[right++] = row;
	}
	memcpy(f->row + left, f->spare, sizeof(int) * right);
	return left - start;
}

static void
isolate(Isolation *f, uint32 node, int start, int count, int depth)
{
	uint32		left = count > 1 && depth < f->deepest ? cut(f, node, start, count) : 0;
	int			nleft;

	CHECK_FOR_INTERRUPTS();
	f->trees->cover[node] = count;
	if (left == 0)
	{
		f->trees->value[node] = tree_single(depth + usual_path(count));
		return;
	}
	nleft = partition(f, node, start, count);
	isolate(f, left, start, nleft, depth + 1);
	isolate(f, left + 1, start + nleft, count - nleft, depth + 1);
}

static int
most_levels(const TrainingSet *set)
{
	int			most = 1;

	for (int j = 0; j < set->ncolumns; j++)
		most = Max(most, set->levels[j]);
	return most;
}

static void
grow_trees(Isolation *f, const IsolationOptions *options)
{
	uint64		seed = hash_fold(hash_mix(f->set->seed), options->random_state);
	int			words = tree_set_words(most_levels(f->set));

	f->sample = zero_vector((Size) f->nsamples * Max(f->set->ncolumns, 1));
	f->row = palloc(sizeof(int) * f->nsamples);
	f->spare = palloc(sizeof(int) * f->nsamples);
	f->taken = MemoryContextAllocHuge(CurrentMemoryContext, f->set->nrows);
	f->column = palloc(sizeof(int) * Max(f->set->ncolumns, 1));
	f->levels_seen = palloc0(sizeof(uint32) * words);
	f->levels_left = palloc0(sizeof(uint32) * words);
	while ((1 << f->deepest) < f->nsamples)
		f->deepest++;
	for (int t = 0; t < options->n_estimators; t++)
	{
		f->random = hash_fold(seed, t);
		for (int j = 0; j < f->set->ncolumns; j++)
			f->column[j] = j;
		draw_sample(f);
		isolate(f, trees_begin(f->trees), 0, f->nsamples, 0);
	}
}

/* ---- prediction ---- */

static void
isolation_predict(const void *state, const double *rows, int nrows, double *out)
{
	const IsolationModel *model = state;

	trees_score(model->trees, rows, nrows, out);
	for (int i = 0; i < nrows; i++)
		out[i] = model->usual > 0 ? math_exp(-LN_2 * out[i] / model->trees->ntrees / model->usual) : 0.5;
}

/* The score that the asked-for share of the training rows is above. */
static double
find_threshold(const IsolationModel *model, TrainingSet *set, double contamination)
{
	double	   *score = zero_vector(set->nrows);
	int64		ordinary = (int64) ceil((1 - contamination) * set->nrows);

	for (int64 start = 0; start < set->nrows; start += DESIGN_BLOCK)
	{
		int			count = (int) Min(DESIGN_BLOCK, set->nrows - start);

		CHECK_FOR_INTERRUPTS();
		isolation_predict(model, set->rows(set->design, start, count), count, score + start);
	}
	return select_kth(score, set->nrows, Max(ordinary, 1) - 1);
}

static void *
isolation_train(TrainingSet *set, const void *state)
{
	const IsolationOptions *options = state;
	IsolationModel *model = palloc0(sizeof(IsolationModel));
	Isolation	f = {.set = set};

	(void) training_weight(set);
	if (set->weight != NULL)
		training_warning(set, "an isolation forest draws rows whatever their weight: the weights were not used");
	f.nsamples = sample_size(options, set->nrows);
	if (options->max_samples <= 1 && options->max_samples * set->nrows > MOST_SAMPLES)
		training_warning(set, "trees are grown on %d rows each, the most there can be", MOST_SAMPLES);
	f.trees = model->trees = trees_create(set->ncolumns, set->levels, 1, 1);
	grow_trees(&f, options);
	trees_prepare(model->trees);
	model->usual = usual_path(f.nsamples);
	model->threshold = !(options->contamination > 0) ? DEFAULT_THRESHOLD : find_threshold(model, set, options->contamination);
	return model;
}

static Size
isolation_memory(const void *state, int64 nrows, int ncolumns, int nclasses)
{
	const IsolationOptions *options = state;
	int			nsamples = sample_size(options, nrows);
	Size		nodes = (Size) options->n_estimators * 2 * nsamples;

	return matrix_bytes(nsamples, ncolumns) + matrix_bytes(nrows, 2) + nodes * (sizeof(TreeNode) + 4 * sizeof(double));
}

static const char *
isolation_check(const void *state)
{
	const IsolationOptions *options = state;

	if (options->max_samples > 1 && options->max_samples != floor(options->max_samples))
		return "\"max_samples\" above 1 is a number of rows and must be whole";
	return NULL;
}

static double
isolation_threshold(const void *state)
{
	return ((const IsolationModel *) state)->threshold;
}

static const Trees *
isolation_trees(const void *state)
{
	return ((const IsolationModel *) state)->trees;
}

/* ---- bytes ---- */

static void
isolation_flatten(const void *state, ByteWriter *w)
{
	const IsolationModel *model = state;

	put_f64(w, model->usual);
	put_f64(w, model->threshold);
	trees_flatten(model->trees, w);
}

static void *
isolation_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	IsolationModel *model = palloc0(sizeof(IsolationModel));

	if (format != isolation_forest_learner.format)
		damaged(r, "unknown format %d of an isolation forest", format);
	model->usual = get_finite(r);
	model->threshold = get_finite(r);
	if (model->usual < 0)
		damaged(r, "The usual path of an isolation forest is %g.", model->usual);
	model->trees = trees_unflatten(r, ncolumns, levels, 1);
	if (model->trees->ntrees == 0)
		damaged(r, "An isolation forest has no trees.");
	return model;
}

#define OPTION(field) offsetof(IsolationOptions, field)

static const char *const auto_word[] = {"auto", NULL};

static const Parameter isolation_parameters[] = {
	{.name = "n_estimators",.aliases = "ntree,ntrees,num_trees",.type = PARAM_INT,.offset = OPTION(n_estimators),.fallback = 100,.min = 1,
	.max = 10000,.help = "trees"},
	{.name = "max_samples",.aliases = "sample_size",.type = PARAM_FLOAT,.offset = OPTION(max_samples),.fallback = DEFAULT_SAMPLES,.min = 1e-6,
	.max = MOST_SAMPLES,.choices = auto_word,.help = "rows each tree is grown on: a share of their number up to 1, above that a number; auto: 256"},
	{.name = "contamination",.type = PARAM_FLOAT,.offset = OPTION(contamination),.fallback = NAN,.min = 1e-6,.max = 0.5,.choices = auto_word,
	.help = "share of the training rows that are called anomalies; default: those that score above 0.5"},
	{.name = "random_state",.aliases = "seed,random_seed",.type = PARAM_INT,.offset = OPTION(random_state),.fallback = 0,.min = 0,
	.max = PG_INT32_MAX,.help = "another number draws other rows and cuts"},
};

const Learner isolation_forest_learner = {
	.name = "isolation_forest",
	.help = "finds rows unlike the others; takes no target and predicts a score from 0 to 1, above 0.5 for anomalies",
	.id = 8,
	.format = 1,
	.tasks = TASK_ANOMALY,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = isolation_parameters,
	.nparameters = lengthof(isolation_parameters),
	.options_size = sizeof(IsolationOptions),
	.check = isolation_check,
	.memory_needed = isolation_memory,
	.train = isolation_train,
	.predict = isolation_predict,
	.threshold = isolation_threshold,
	.trees = isolation_trees,
	.flatten = isolation_flatten,
	.unflatten = isolation_unflatten,
};
