/*
 * forest.c
 *		Random forests (Breiman 2001) and extremely randomised trees (Geurts, Ernst, Wehenkel 2006) as learners.
 */
#include "postgres.h"

#include <math.h>

#include "learn/forest_internal.h"

#define FOREST_PARAMETERS(default_bootstrap) \
	{.name = "n_estimators",.aliases = "ntree,num_trees,num_iterations",.type = PARAM_INT,.offset = FOREST_OPTION(n_estimators), \
	.fallback = 100,.min = 1,.max = 100000,.help = "trees"}, \
	FOREST_MAX_FEATURES("default: the square root of their number for classes, all for numbers"), \
	FOREST_MAX_DEPTH, \
	FOREST_MAX_LEAF_NODES, \
	FOREST_MIN_DATA_IN_LEAF(5), \
	FOREST_MIN_SAMPLES_SPLIT, \
	FOREST_MIN_IMPURITY_DECREASE, \
	{.name = "bootstrap",.aliases = "replace",.type = PARAM_BOOL,.offset = FOREST_OPTION(bootstrap),.fallback = default_bootstrap, \
	.help = "each tree learns from as many rows as there are, drawn with replacement; false: from all rows"}, \
	{.name = "max_samples",.aliases = "sample_fraction",.type = PARAM_FLOAT,.offset = FOREST_OPTION(max_samples),.fallback = 1, \
	.min = 1e-6,.max = FOREST_MOST_ROWS,.help = "rows that bootstrap draws: a share of their number up to 1, above that a number"}, \
	{.name = "oob_score",.type = PARAM_BOOL,.offset = FOREST_OPTION(oob_score),.fallback = 0, \
	.help = "measure the training rows by the trees that did not learn from them"}, \
	{.name = "permutation_importance",.type = PARAM_BOOL,.offset = FOREST_OPTION(permutation_importance),.fallback = 0, \
	.help = "measure how much worse the trees do on rows they did not learn from when a column is shuffled"}, \
	FOREST_MAX_BIN, \
	FOREST_RANDOM_STATE, \
	{.name = "n_jobs",.aliases = "num_threads,num_thread,nthread,nthreads,n_thread",.type = PARAM_INT,.offset = FOREST_OPTION(n_jobs), \
	.fallback = 0,.min = -1,.max = TEAM_MOST_MEMBERS, \
	.help = "most processes, this one included, within max_parallel_maintenance_workers and the CPUs; 0 or -1: all of them where it is worth it"}

static const Parameter random_forest_parameters[] = {FOREST_PARAMETERS(1)};
static const Parameter extra_trees_parameters[] = {FOREST_PARAMETERS(0)};

static const ForestKind random_forest = {0};
static const ForestKind extra_trees = {.random_cuts = true};

const char *const forest_max_features_words[] = {"sqrt", "log2", "all", NULL};

const char *
forest_check(const void *state)
{
	const ForestOptions *options = state;

	if (options->max_features > 1 && options->max_features != floor(options->max_features))
		return "\"max_features\" above 1 is a number of columns and must be whole";
	if (!options->bootstrap && options->oob_score)
		return "\"oob_score\" needs rows left out of each tree: set \"bootstrap\"";
	if (!options->bootstrap && options->permutation_importance)
		return "\"permutation_importance\" needs rows left out of each tree: set \"bootstrap\"";
	if (options->max_samples > 1 && options->max_samples != floor(options->max_samples))
		return "\"max_samples\" above 1 is a number of rows and must be whole";
	if (!options->bootstrap && options->max_samples != 1)
		return "\"max_samples\" goes with \"bootstrap\" only";
	if (options->max_leaf_nodes == 1)
		return "\"max_leaf_nodes\" must be at least 2, or 0 for no limit";
	return NULL;
}

void
forest_bin_options(const void *state, BinOptions *bins)
{
	const ForestOptions *options = state;

	*bins = (BinOptions) {.max_bin = options->max_bin,.min_data_in_bin = 1,.sample = BIN_SAMPLE};
}

Size
forest_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	return forest_memory(options, nrows, ncolumns, nclasses);
}

static void *
train_random_forest(TrainingSet *set, const void *options)
{
	return forest_fit(set, options, &random_forest);
}

static void *
train_extra_trees(TrainingSet *set, const void *options)
{
	return forest_fit(set, options, &extra_trees);
}

/* ---- prediction: the mean of the trees ---- */

void
forest_mean(const Trees *trees, int nrows, double *out)
{
	int			n = trees->noutputs;

	for (int i = 0; i < nrows; i++)
	{
		double		sum = 0;

		for (int k = 0; k < n; k++)
			sum += out[(Size) i * n + k];
		for (int k = 0; k < n; k++)
			out[(Size) i * n + k] /= n > 1 ? sum : trees->ntrees;
	}
}

void
forest_predict(const void *state, const double *rows, int nrows, double *out)
{
	const Trees *trees = ((const ForestModel *) state)->trees;

	trees_score(trees, rows, nrows, out);
	forest_mean(trees, nrows, out);
}

/* ---- reports ---- */

void
forest_importance(const void *state, ColumnImportance *importance)
{
	const ForestModel *model = state;

	importance_of_trees(model->trees, importance);
	for (int j = 0; j < model->trees->ncolumns && model->permutation != NULL; j++)
		importance[j].permutation = model->permutation[j];
}

const Trees *
forest_trees(const void *state)
{
	return ((const ForestModel *) state)->trees;
}

/* ---- bytes ---- */

void
forest_flatten(const void *state, ByteWriter *w)
{
	const ForestModel *model = state;

	put_u8(w, model->permutation != NULL);
	for (int j = 0; j < model->trees->ncolumns && model->permutation != NULL; j++)
		put_f64(w, model->permutation[j]);
	trees_flatten(model->trees, w);
}

/* Shares of classes: 0 to 1, of several not all 0. */
static void
check_shares(ByteReader *r, const Trees *trees)
{
	for (int i = 0; i < trees->nnodes; i++)
	{
		double		sum = 0;

		if (trees->node[i].kind != TREE_LEAF)
			continue;
		for (int k = 0; k < trees->nvalues; k++)
		{
			double		share = trees->value[(Size) i * trees->nvalues + k];

			if (!(share >= 0 && share <= 1))
				damaged(r, "A leaf's share of a class is %g.", share);
			sum += share;
		}
		if (trees->nvalues > 1 && !(sum > 0))
			damaged(r, "A leaf's shares of the classes are all 0.");
	}
}

void *
forest_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	ForestModel *model = palloc0(sizeof(ForestModel));
	uint8		measured = get_u8(r);
	int			noutputs = learner_outputs(task, nclasses);

	if (format != random_forest_learner.format)
		damaged(r, "unknown format %d of a forest", format);
	if (measured > 1)
		damaged(r, "A forest's importance is marked %d.", measured);
	if (measured)
	{
		model->permutation = palloc(sizeof(double) * Max(ncolumns, 1));
		for (int j = 0; j < ncolumns; j++)
			model->permutation[j] = get_finite(r);
	}
	model->trees = trees_unflatten(r, ncolumns, levels, noutputs);
	if (model->trees->ntrees == 0 || model->trees->nvalues != noutputs)
		damaged(r, "A forest has %d trees with %d values a leaf.", model->trees->ntrees, model->trees->nvalues);
	if (task != TASK_REGRESSION)
		check_shares(r, model->trees);
	return model;
}

const Learner random_forest_learner = {
	.name = "random_forest",
	.help = "the mean of many deep trees, each grown on rows and columns drawn at random",
	.id = 5,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = random_forest_parameters,
	.nparameters = lengthof(random_forest_parameters),
	.options_size = sizeof(ForestOptions),
	.check = forest_check,
	.bin_options = forest_bin_options,
	.memory_needed = forest_memory_needed,
	.train = train_random_forest,
	.predict = forest_predict,
	.importance = forest_importance,
	.trees = forest_trees,
	.flatten = forest_flatten,
	.unflatten = forest_unflatten,
};

const Learner extra_trees_learner = {
	.name = "extra_trees",
	.help = "like random_forest, but each column is cut at random: faster to train, smoother",
	.id = 6,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = extra_trees_parameters,
	.nparameters = lengthof(extra_trees_parameters),
	.options_size = sizeof(ForestOptions),
	.check = forest_check,
	.bin_options = forest_bin_options,
	.memory_needed = forest_memory_needed,
	.train = train_extra_trees,
	.predict = forest_predict,
	.importance = forest_importance,
	.trees = forest_trees,
	.flatten = forest_flatten,
	.unflatten = forest_unflatten,
};
