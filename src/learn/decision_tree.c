/*
 * decision_tree.c
 *		One classification or regression tree (Breiman, Friedman, Olshen, Stone 1984): the forest's builder on all rows and columns.
 */
#include "postgres.h"

#include <math.h>

#include "learn/forest_internal.h"

static const Parameter decision_tree_parameters[] = {
	FOREST_MAX_DEPTH,
	FOREST_MAX_LEAF_NODES,
	FOREST_MIN_DATA_IN_LEAF(1),
	FOREST_MIN_SAMPLES_SPLIT,
	FOREST_MIN_IMPURITY_DECREASE,
	{.name = "ccp_alpha",.aliases = "cp",.type = PARAM_FLOAT,.offset = FOREST_OPTION(ccp_alpha),.fallback = 0,.min = 0,.max = HUGE_VAL,
	.help = "cut branches that lower the impurity by less than this a leaf (cost-complexity pruning)"},
	FOREST_MAX_FEATURES("default: all"),
	FOREST_MAX_BIN,
	FOREST_RANDOM_STATE,
};

static const ForestKind decision_tree = {.all_features = true};

/* What has no parameter here. */
static ForestOptions
whole_options(const void *state)
{
	ForestOptions options = *(const ForestOptions *) state;

	options.n_estimators = 1;
	options.max_samples = 1;
	return options;
}

static const char *
decision_tree_check(const void *state)
{
	ForestOptions options = whole_options(state);

	return forest_check(&options);
}

static Size
decision_tree_memory(const void *state, int64 nrows, int ncolumns, int nclasses)
{
	ForestOptions options = whole_options(state);

	return forest_memory(&options, nrows, ncolumns, nclasses);
}

static void *
train_decision_tree(TrainingSet *set, const void *state)
{
	ForestOptions options = whole_options(state);

	return forest_fit(set, &options, &decision_tree);
}

const Learner decision_tree_learner = {
	.name = "decision_tree",
	.help = "one tree of questions that people can read: ml.tree_rules, ml.tree_sql",
	.id = 7,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = decision_tree_parameters,
	.nparameters = lengthof(decision_tree_parameters),
	.options_size = sizeof(ForestOptions),
	.check = decision_tree_check,
	.bin_options = forest_bin_options,
	.memory_needed = decision_tree_memory,
	.train = train_decision_tree,
	.predict = forest_predict,
	.importance = forest_importance,
	.trees = forest_trees,
	.flatten = forest_flatten,
	.unflatten = forest_unflatten,
};
