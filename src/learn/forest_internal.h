/*
 * forest_internal.h
 *		What random forests, extremely randomised trees and the single decision tree share.
 */
#ifndef RELEARN_FOREST_INTERNAL_H
#define RELEARN_FOREST_INTERNAL_H

#include "core/bins.h"
#include "core/tree.h"
#include "learn/learn_internal.h"

#define FOREST_MOST_ROWS 134217728	/* sums of weights fit 31 bits with room for bags that draw a row often */

typedef struct ForestOptions
{
	int			n_estimators;
	double		max_features;	/* NaN: by the task; up to 1: share of the columns; above: how many; below 0: MaxFeatures */
	int			max_depth;		/* <= 0: none */
	int			max_leaf_nodes; /* 0: none */
	int			min_data_in_leaf;
	int			min_samples_split;
	double		min_impurity_decrease;
	bool		bootstrap;
	double		max_samples;	/* up to 1: share of the rows drawn; above: how many */
	bool		oob_score;
	bool		permutation_importance;
	double		ccp_alpha;
	int			max_bin;
	int			random_state;
	int			n_jobs;
} ForestOptions;

/* Words for max_features, as choices of a number are kept. */
typedef enum MaxFeatures
{
	MAX_FEATURES_SQRT = -1,
	MAX_FEATURES_LOG2 = -2,
	MAX_FEATURES_ALL = -3
} MaxFeatures;

extern const char *const forest_max_features_words[];

/* How a learner differs from the others. */
typedef struct ForestKind
{
	bool		random_cuts;
	bool		all_features;	/* unless max_features is set */
} ForestKind;

typedef struct ForestModel
{
	Trees	   *trees;
	double	   *permutation;	/* (ncolumns) by how much a tree's loss grows, at the first column of each source column; NULL: not measured */
} ForestModel;

extern Size forest_memory(const ForestOptions *options, int64 nrows, int ncolumns, int nclasses);

/* Sums of the trees' values (nrows, outputs) become the answers. */
extern void forest_mean(const Trees *trees, int nrows, double *sum);
extern ForestModel *forest_fit(TrainingSet *set, const ForestOptions *options, const ForestKind *kind);

/* The parts of their Learners that do not differ. */
extern const char *forest_check(const void *options);
extern void forest_bin_options(const void *options, BinOptions *bins);
extern Size forest_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses);
extern void forest_predict(const void *state, const double *rows, int nrows, double *out);
extern void forest_importance(const void *state, ColumnImportance *importance);
extern const Trees *forest_trees(const void *state);
extern void forest_flatten(const void *state, ByteWriter *w);
extern void *forest_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses);

/* Rows of their parameter tables that do not differ. */
#define FOREST_OPTION(field) offsetof(ForestOptions, field)
#define FOREST_MAX_FEATURES(default_text) \
	{.name = "max_features",.aliases = "mtry,feature_fraction_bynode,colsample_bynode",.type = PARAM_FLOAT,.offset = FOREST_OPTION(max_features), \
	.fallback = NAN,.min = 1e-6,.max = TREE_MAX_COLUMNS,.choices = forest_max_features_words, \
	.help = "columns drawn for each split: a share up to 1, above that a number, or a word; " default_text}
#define FOREST_MAX_DEPTH \
	{.name = "max_depth",.type = PARAM_INT,.offset = FOREST_OPTION(max_depth),.fallback = -1,.min = -1,.max = TREE_MAX_DEPTH, \
	.help = "most splits from the root to a leaf; 0 or -1 for no limit"}
#define FOREST_MAX_LEAF_NODES \
	{.name = "max_leaf_nodes",.aliases = "num_leaves,max_leaves",.type = PARAM_INT,.offset = FOREST_OPTION(max_leaf_nodes),.fallback = 0, \
	.min = 0,.max = 131072,.help = "most leaves of a tree, which is then grown where it gains most; 0 for no limit"}
#define FOREST_MIN_DATA_IN_LEAF(default_number) \
	{.name = "min_data_in_leaf",.aliases = "min_samples_leaf,min_child_samples,nodesize,min_node_size",.type = PARAM_INT, \
	.offset = FOREST_OPTION(min_data_in_leaf),.fallback = default_number,.min = 1,.max = PG_INT32_MAX, \
	.help = "fewest different training rows of a leaf"}
#define FOREST_MIN_SAMPLES_SPLIT \
	{.name = "min_samples_split",.type = PARAM_INT,.offset = FOREST_OPTION(min_samples_split),.fallback = 2,.min = 2,.max = PG_INT32_MAX, \
	.help = "fewest different training rows of a node that is split"}
#define FOREST_MIN_IMPURITY_DECREASE \
	{.name = "min_impurity_decrease",.type = PARAM_FLOAT,.offset = FOREST_OPTION(min_impurity_decrease),.fallback = 0,.min = 0,.max = HUGE_VAL, \
	.help = "smallest fall of the impurity by a split, times the node's share of the weight"}
#define FOREST_MAX_BIN \
	{.name = "max_bin",.aliases = "max_bins",.type = PARAM_INT,.offset = FOREST_OPTION(max_bin),.fallback = BIN_MAX,.min = 2,.max = BIN_MAX, \
	.help = "most bins of a column"}
#define FOREST_RANDOM_STATE \
	{.name = "random_state",.aliases = "seed,random_seed",.type = PARAM_INT,.offset = FOREST_OPTION(random_state),.fallback = 0,.min = 0, \
	.max = PG_INT32_MAX,.help = "another number draws other rows and columns; the split stays"}

#endif
