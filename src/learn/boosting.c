/*
 * boosting.c
 *		Gradient boosting as a learner: options, prediction, importance, bytes.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/mathfn.h"
#include "learn/boosting_internal.h"

#define OPTION(field) offsetof(BoostingOptions, field)

static const Parameter boosting_parameters[] = {
	{.name = "objective",.aliases = "objective_type,app,application,loss",.type = PARAM_CHOICE,.offset = OPTION(objective),
	.choices = boosting_objective_names,.help = "loss to lower; auto: squared for numbers, logistic for two classes, softmax for more"},
	{.name = "n_estimators",
		.aliases = "num_iterations,num_iteration,n_iter,num_tree,num_trees,num_round,num_rounds,nrounds,num_boost_round,max_iter",
		.type = PARAM_INT,.offset = OPTION(n_estimators),.fallback = 100,.min = 1,.max = 1000000,
	.help = "rounds; each adds a tree, or one a class"},
	{.name = "learning_rate",.aliases = "shrinkage_rate,eta",.type = PARAM_FLOAT,.offset = OPTION(learning_rate),.fallback = 0.1,
	.min = 1e-10,.max = 1e3,.help = "what a tree's values are multiplied by"},
	{.name = "num_leaves",.aliases = "num_leaf,max_leaves,max_leaf,max_leaf_nodes",.type = PARAM_INT,.offset = OPTION(num_leaves),
	.fallback = 31,.min = 2,.max = 131072,.help = "most leaves of a tree"},
	{.name = "max_depth",.type = PARAM_INT,.offset = OPTION(max_depth),.fallback = -1,.min = -1,.max = TREE_MAX_DEPTH,
	.help = "most splits from the root to a leaf; 0 or -1 for no limit"},
	{.name = "min_data_in_leaf",.aliases = "min_data_per_leaf,min_data,min_child_samples,min_samples_leaf",.type = PARAM_INT,
		.offset = OPTION(min_data_in_leaf),.fallback = 20,.min = 0,.max = PG_INT32_MAX,
	.help = "fewest rows of a leaf (estimated by the hessian where rows differ in it)"},
	{.name = "min_sum_hessian_in_leaf",.aliases = "min_sum_hessian_per_leaf,min_sum_hessian,min_hessian,min_child_weight",
		.type = PARAM_FLOAT,.offset = OPTION(min_sum_hessian),.fallback = 1e-3,.min = 0,.max = HUGE_VAL,
	.help = "smallest sum of the hessian in a leaf"},
	{.name = "lambda_l1",.aliases = "reg_alpha,l1_regularization",.type = PARAM_FLOAT,.offset = OPTION(lambda_l1),.fallback = 0,.min = 0,
	.max = HUGE_VAL,.help = "L1 penalty of leaf values"},
	{.name = "lambda_l2",.aliases = "reg_lambda,lambda,l2_regularization",.type = PARAM_FLOAT,.offset = OPTION(lambda_l2),.fallback = 0,
	.min = 0,.max = HUGE_VAL,.help = "L2 penalty of leaf values"},
	{.name = "min_gain_to_split",.aliases = "min_split_gain,gamma,min_split_loss",.type = PARAM_FLOAT,.offset = OPTION(min_gain),
	.fallback = 0,.min = 0,.max = HUGE_VAL,.help = "smallest gain of a split"},
	{.name = "feature_fraction",.aliases = "sub_feature,colsample_bytree",.type = PARAM_FLOAT,.offset = OPTION(feature_fraction),
	.fallback = 1,.min = 1e-6,.max = 1,.help = "share of the columns drawn for each tree"},
	{.name = "feature_fraction_bynode",.aliases = "sub_feature_bynode,colsample_bynode,max_features",.type = PARAM_FLOAT,
		.offset = OPTION(feature_fraction_bynode),.fallback = 1,.min = 1e-6,.max = 1,
	.help = "share of the tree's columns drawn for each split"},
	{.name = "bagging_fraction",.aliases = "sub_row,subsample,bagging",.type = PARAM_FLOAT,.offset = OPTION(bagging_fraction),
	.fallback = 1,.min = 1e-6,.max = 1,.help = "share of the rows drawn for a tree"},
	{.name = "bagging_freq",.aliases = "subsample_freq",.type = PARAM_INT,.offset = OPTION(bagging_freq),.fallback = 1,.min = 0,
	.max = 1000000,.help = "rounds after which rows are drawn anew; 0: never drawn"},
	{.name = "max_bin",.aliases = "max_bins",.type = PARAM_INT,.offset = OPTION(max_bin),.fallback = BIN_MAX,.min = 2,.max = BIN_MAX,
	.help = "most bins of a column"},
	{.name = "min_data_in_bin",.type = PARAM_INT,.offset = OPTION(min_data_in_bin),.fallback = 3,.min = 1,.max = PG_INT32_MAX,
	.help = "fewest sampled rows of a bin"},
	{.name = "max_cat_to_onehot",.type = PARAM_INT,.offset = OPTION(max_cat_to_onehot),.fallback = 4,.min = 1,.max = BIN_MAX,
	.help = "categories of at most so many levels are split one level against the rest"},
	{.name = "max_cat_threshold",.type = PARAM_INT,.offset = OPTION(max_cat_threshold),.fallback = 32,.min = 1,.max = BIN_MAX,
	.help = "most levels on the smaller side of a split"},
	{.name = "cat_smooth",.type = PARAM_FLOAT,.offset = OPTION(cat_smooth),.fallback = 10,.min = 0,.max = HUGE_VAL,
	.help = "smooths the order of levels; levels with fewer rows are not considered"},
	{.name = "cat_l2",.type = PARAM_FLOAT,.offset = OPTION(cat_l2),.fallback = 10,.min = 0,.max = HUGE_VAL,
	.help = "L2 penalty added in splits by several levels"},
	{.name = "min_data_per_group",.type = PARAM_INT,.offset = OPTION(min_data_per_group),.fallback = 100,.min = 1,.max = PG_INT32_MAX,
	.help = "fewest rows by which a group of levels grows"},
	{.name = "monotone_constraints",.aliases = "mc,monotone_constraint,monotonic_cst",.type = PARAM_COLUMNS,.offset = OPTION(monotone),
	.min = -1,.max = 1,.help = "{\"column\": 1} for predictions that rise with it, -1 for such that fall"},
	{.name = "early_stopping_rounds",.aliases = "early_stopping_round,early_stopping,n_iter_no_change",.type = PARAM_INT,
		.offset = OPTION(early_stopping_rounds),.fallback = 0,.min = 0,.max = 1000000,
	.help = "stop after so many rounds in which the validation rows have not got better, and keep the best; 0: never"},
	{.name = "early_stopping_metric",.aliases = "eval_metric",.type = PARAM_CHOICE,.offset = OPTION(metric),.choices = round_metric_names,
	.help = "what is measured after every round and what early stopping goes by; auto: the loss"},
	{.name = "scale_pos_weight",.type = PARAM_FLOAT,.offset = OPTION(scale_pos_weight),.fallback = 1,.min = 1e-10,.max = 1e10,
	.help = "weight of the positive of two classes"},
	{.name = "alpha",.aliases = "quantile,quantile_alpha",.type = PARAM_FLOAT,.offset = OPTION(alpha),.fallback = BOOSTING_ALPHA,.min = 1e-10,.max = 1e10,
	.help = "quantile: the share below; huber: where the loss becomes linear"},
	{.name = "tweedie_variance_power",.aliases = "tweedie_power",.type = PARAM_FLOAT,.offset = OPTION(tweedie_power),.fallback = 1.5,
	.min = 1.0001,.max = 1.9999,.help = "tweedie: the variance grows with this power of the mean"},
	{.name = "poisson_max_delta_step",.aliases = "max_delta_step",.type = PARAM_FLOAT,.offset = OPTION(max_delta_step),.fallback = BOOSTING_MAX_DELTA_STEP,
	.min = 1e-10,.max = 100,.help = "poisson: holds back the first rounds"},
	{.name = "random_state",.aliases = "seed,random_seed",.type = PARAM_INT,.offset = OPTION(random_state),.fallback = 0,.min = 0,
	.max = PG_INT32_MAX,.help = "another number draws other rows and columns; the split stays"},
	{.name = "n_jobs",.aliases = "num_threads,num_thread,nthread,nthreads,n_thread",.type = PARAM_INT,.offset = OPTION(n_jobs),
		.fallback = 0,.min = -1,.max = TEAM_MOST_MEMBERS,
	.help = "most processes, this one included, within max_parallel_maintenance_workers and the CPUs; 0 or -1: all of them where it is worth it"},
};

static const char *
boosting_check(const void *state)
{
	const BoostingOptions *options = state;
	const Objective *objective = boosting_objective(options->objective, TASK_REGRESSION);

	for (int i = 0; i < options->monotone.n; i++)
		if (options->monotone.value[i] != rint(options->monotone.value[i]))
			return "\"monotone_constraints\" are -1, 0 or 1";
	if (objective->leaf_quantile != NULL && options->monotone.n > 0)
		return "\"monotone_constraints\" do not go with an objective whose leaf values are quantiles";
	if (strcmp(objective->name, "quantile") == 0 && options->alpha >= 1)
		return "\"alpha\" must be below 1 for the objective \"quantile\"";
	return NULL;
}

static void
boosting_bin_options(const void *state, BinOptions *bins)
{
	const BoostingOptions *options = state;

	*bins = (BinOptions) {.max_bin = options->max_bin,.min_data_in_bin = options->min_data_in_bin,.sample = BIN_SAMPLE};
}

static Size
boosting_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	return boosting_memory(options, nrows, ncolumns, nclasses > 2 ? nclasses : 1);
}

static void *
boosting_train(TrainingSet *set, const void *options)
{
	return boosting_fit(set, options);
}

void *
boosting_from_trees(Trees *trees, Link link)
{
	BoostingModel *model = palloc0(sizeof(BoostingModel));

	model->link = link;
	model->trees = trees;
	return model;
}

/* ---- prediction ---- */

void
boosting_link(const BoostingModel *model, int nrows, double *out)
{
	switch (model->link)
	{
		case LINK_IDENTITY:
			break;
		case LINK_EXP:
			for (int i = 0; i < nrows; i++)
				out[i] = math_exp(out[i]);
			break;
		case LINK_SIGMOID:
			dense_sigmoid(out, nrows * model->trees->noutputs, out);
			break;
		case LINK_SOFTMAX:
			for (int i = 0; i < nrows; i++)
				dense_softmax(out + (Size) i * model->trees->noutputs, 1, model->trees->noutputs, NULL);
			break;
	}
}

static void
boosting_predict(const void *state, const double *rows, int nrows, double *out)
{
	const BoostingModel *model = state;

	trees_score(model->trees, rows, nrows, out);
	boosting_link(model, nrows, out);
}

/* ---- reports ---- */

static void
boosting_importance(const void *state, ColumnImportance *importance)
{
	importance_of_trees(((const BoostingModel *) state)->trees, importance);
}

static const Trees *
boosting_trees(const void *state)
{
	return ((const BoostingModel *) state)->trees;
}

/* ---- bytes ---- */

static void
boosting_flatten(const void *state, ByteWriter *w)
{
	const BoostingModel *model = state;

	put_u8(w, model->link);
	trees_flatten(model->trees, w);
}

static void *
boosting_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	BoostingModel *model = palloc0(sizeof(BoostingModel));
	uint8		link;

	if (format != gradient_boosting_learner.format)
		damaged(r, "unknown format %d of gradient boosting", format);
	link = get_u8(r);
	if (link > LINK_LAST ||
		(task != TASK_REGRESSION && (link == LINK_IDENTITY || link == LINK_EXP)) ||
		(task != TASK_MULTICLASS && link == LINK_SOFTMAX))
		damaged(r, "link %d of gradient boosting does not fit the task", link);
	model->link = link;
	model->trees = trees_unflatten(r, ncolumns, levels, learner_outputs(task, nclasses));
	return model;
}

const Learner gradient_boosting_learner = {
	.name = "gradient_boosting",
	.help = "trees, each of which corrects those before it; the best choice for most tables",
	.id = 4,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS,
	.takes_missing = true,
	.takes_categories = true,
	.parameters = boosting_parameters,
	.nparameters = lengthof(boosting_parameters),
	.options_size = sizeof(BoostingOptions),
	.check = boosting_check,
	.bin_options = boosting_bin_options,
	.memory_needed = boosting_memory_needed,
	.train = boosting_train,
	.predict = boosting_predict,
	.importance = boosting_importance,
	.trees = boosting_trees,
	.flatten = boosting_flatten,
	.unflatten = boosting_unflatten,
};
