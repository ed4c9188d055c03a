/*
 * boosting_fit.c
 *		Training by gradient boosting (Friedman 2001; LightGBM's defaults): memory, binning, the rounds, the model.
 *
 * Training and validation rows are binned together, so that scores of rows no tree was grown on follow the bins.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/hash.h"
#include "learn/boosting_state_internal.h"

#define RANGE_ROWS_A_LEAF 32	/* at least, of a range: its leaves' sums take half the room of the rows' list */
#define MOST_ROWS 134217728		/* sums of levels fit 32 bits */
#define LONG_RUN 10000			/* rounds */
#define WORTH_A_TEAM 3e8		/* cells x rounds x outputs: some 300 ms alone, against 30 to start workers */

static void *
large_array(Size n, Size element)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size_times(Max(n, 1), element), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static GrowOptions
grow_options(const BoostingOptions *options)
{
	return (GrowOptions) {
		.num_leaves = options->num_leaves,
		.max_depth = Max(options->max_depth, 0),
		.min_data_in_leaf = options->min_data_in_leaf,
		.min_sum_hessian = options->min_sum_hessian,
		.lambda_l1 = options->lambda_l1,
		.lambda_l2 = options->lambda_l2,
		.min_gain = options->min_gain,
		.feature_fraction = options->feature_fraction,
		.feature_fraction_bynode = options->feature_fraction_bynode,
		.max_cat_to_onehot = options->max_cat_to_onehot,
		.max_cat_threshold = options->max_cat_threshold,
		.cat_smooth = options->cat_smooth,
		.cat_l2 = options->cat_l2,
		.min_data_per_group = options->min_data_per_group,
	};
}

/* ---- the arena ---- */

static bool
is_bagged(const BoostingOptions *options)
{
	return options->bagging_fraction < 1 && options->bagging_freq > 0;
}

void *
boosting_layout(Arena *arena, const void *root)
{
	const BoostingShape *shape = root;
	Boosting   *b = palloc0(sizeof(Boosting));
	Size		all = size_times(shape->noutputs, shape->ntotal);
	Size		train = size_times(shape->noutputs, shape->ntrain);

	b->shape = shape;
	b->options = &shape->options;
	b->objective = boosting_objective(shape->options.objective, shape->task);
	b->metric = round_metric(shape->options.metric, b->objective);
	b->noutputs = shape->noutputs;
	b->ntrain = shape->ntrain;
	b->ntotal = shape->ntotal;
	b->nwatched = Min(WATCHED_ROWS, b->ntrain);
	b->range_rows = TYPEALIGN(GRADIENT_PIECE, Max((int64) shape->options.num_leaves * RANGE_ROWS_A_LEAF, 1));
	b->ntrain_ranges = (b->ntrain + b->range_rows - 1) / b->range_rows;
	b->nranges = b->ntrain_ranges + (b->ntotal - b->ntrain + b->range_rows - 1) / b->range_rows;
	b->job = arena_array(arena, 1, sizeof(BoostingJob));
	b->monotone = arena_array(arena, shape->ncolumns, sizeof(int8));
	b->target = arena_space(arena, shape->ntotal, sizeof(double));
	b->weight = shape->weighted ? arena_space(arena, shape->ntotal, sizeof(double)) : NULL;
	b->score = arena_space(arena, all, sizeof(double));
	b->gradient = arena_space(arena, train, sizeof(float));
	b->hessian = arena_space(arena, train, sizeof(float));
	b->scratch = arena_space(arena, (Size) shape->nmembers * shape->noutputs * LOSS_ROWS, sizeof(double));
	if (b->objective->leaf_quantile != NULL)
	{
		b->residual = arena_space(arena, shape->ntrain, sizeof(double));
		b->residual_weight = shape->weighted ? arena_space(arena, shape->ntrain, sizeof(double)) : NULL;
	}
	b->leaf_value = arena_array(arena, shape->options.num_leaves, sizeof(double));
	b->part = arena_space(arena, size_times(b->ntrain_ranges, shape->options.num_leaves), sizeof(LeafPart));
	b->watched_sum = arena_array(arena, WATCHED_ROWS / LOSS_ROWS, sizeof(double));
	b->validation_sum = arena_array(arena, (b->ntotal - b->ntrain) / LOSS_ROWS + 1, sizeof(double));
	if (is_bagged(&shape->options))
	{
		b->bag = arena_space(arena, shape->ntrain, sizeof(int32));
		b->bag_count = arena_array(arena, shape->ntrain / GRADIENT_PIECE + 1, sizeof(int64));
	}
	b->grow = grow_options(&shape->options);
	b->grow.monotone = shape->options.monotone.n > 0 ? b->monotone : NULL;
	b->bins = bins_layout(arena, shape->ntotal, shape->ncolumns);
	b->grower = grower_layout(arena, b->bins, shape->ntrain, &b->grow, shape->nmembers, shape->noutputs,
							  b->gradient, b->hessian);
	return b;
}

/* Of the trees in memory; early stopping may go on for long, but hardly ever so long. */
static Size
trees_memory(const BoostingOptions *options, int64 nrows, int noutputs)
{
	Size		node = sizeof(TreeNode) + 2 * sizeof(double) + 2 * sizeof(float);
	int64		leaves = Min(options->num_leaves, nrows / Max(options->min_data_in_leaf, 1) + 1);
	int64		rounds = options->early_stopping_rounds > 0 ? Min(options->n_estimators, LONG_RUN) : options->n_estimators;

	return size_times(size_times(2 * leaves, node), size_times(rounds, noutputs));
}

Size
boosting_memory(const BoostingOptions *options, int64 nrows, int ncolumns, int noutputs)
{
	BoostingShape shape = {
		.task = noutputs > 1 ? TASK_MULTICLASS : TASK_REGRESSION,
		.noutputs = noutputs,
		.ncolumns = ncolumns,
		.ntrain = nrows,
		.ntotal = nrows,
		.weighted = true,
		.nmembers = team_members(Max(options->n_jobs, 0)),
		.options = *options,
	};

	return size_plus(size_plus(arena_bytes(boosting_layout, &shape), trees_memory(options, nrows, noutputs)), round_metric_memory(options->metric, nrows));
}

/* ---- before the first round ---- */

static void
check_targets(const Boosting *b)
{
	const Objective *objective = b->objective;
	double		low,
				high;

	if (!(objective->tasks & b->set->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("objective \"%s\" does not fit the target", objective->name),
				 errhint("Leave \"objective\" out to have it chosen by the target's type.")));
	if (b->options->scale_pos_weight != 1 && b->set->task != TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"scale_pos_weight\" is for targets of two classes only"),
				 errhint("Weigh classes by \"class_weight\" in params, or rows by a column of \"weights\".")));
	if (b->ntotal > MOST_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("gradient boosting takes at most %d rows, not %lld", MOST_ROWS, (long long) b->ntotal)));
	if (b->set->task == TASK_REGRESSION)
		target_range(b->set, &low, &high);
	for (int64 i = 0; i < b->ntotal && isfinite(objective->least_target); i++)
		if (b->target[i] < objective->least_target || (objective->open && b->target[i] == objective->least_target))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("objective \"%s\" needs targets %s %g, and there is %g", objective->name,
							objective->open ? "above" : "not below", objective->least_target, b->target[i])));
}

/* Validation rows of a class that training rows do not have count nothing. */
static bool
has_strange_classes(const TrainingSet *set)
{
	if (set->task != TASK_REGRESSION)
		for (int64 i = set->nrows; i < set->nrows + set->nvalidation; i++)
			if (set->target[i] < 0)
				return true;
	return false;
}

static void
take_targets(Boosting *b)
{
	memcpy(b->target, b->set->target, sizeof(double) * b->ntotal);
	if (b->weight == NULL)
		return;
	for (int64 i = 0; i < b->ntotal; i++)
		b->weight[i] = row_weight(b->set, i);
	for (int64 i = b->ntrain; i < b->ntotal && b->set->task != TASK_REGRESSION; i++)
		if (b->target[i] < 0)
			b->target[i] = b->weight[i] = 0;
}

static void
refuse_constraint(const TrainingSet *set, const char *column)
{
	const char **names = palloc(sizeof(char *) * Max(set->ncolumns, 1));

	for (int j = 0; j < set->ncolumns; j++)
		names[j] = set->column_name[j];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("monotone_constraints names \"%s\", which is no column of the model", column),
			 errhint("%s", valid_names_hint(column, names, set->ncolumns, "columns"))));
}

static void
fill_monotone(Boosting *b)
{
	const ColumnValues *asked = &b->options->monotone;

	for (int i = 0; i < asked->n; i++)
	{
		int			j = 0;

		while (j < b->set->ncolumns && strcmp(b->set->column_name[j], asked->column[i]) != 0)
			j++;
		if (j == b->set->ncolumns)
			refuse_constraint(b->set, asked->column[i]);
		if (b->set->levels[j] > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("monotone_constraints names \"%s\", whose values have no order", asked->column[i]),
					 errhint("Only numbers can be constrained.")));
		b->monotone[j] = (int8) asked->value[i];
	}
}

static void
start_scores(Boosting *b)
{
	double		total = training_weight(b->set);

	for (int k = 0; k < b->noutputs; k++)
	{
		b->trees->base[k] = b->objective->start(b->set, b->options, total, k);
		for (int64 i = 0; i < b->ntotal; i++)
			b->score[k * b->ntotal + i] = b->trees->base[k];
	}
}

static Boosting *
boosting_open(TrainingSet *set, const BoostingOptions *options, Arena *arena)
{
	BoostingShape shape = {
		.task = set->task,
		.noutputs = learner_outputs(set->task, set->nclasses),
		.ncolumns = set->ncolumns,
		.ntrain = set->nrows,
		.ntotal = set->nrows + set->nvalidation,
		.weighted = set->weight != NULL || has_strange_classes(set),
		.nmembers = 1,
		.seed = hash_fold(hash_mix(set->seed), options->random_state),
		.options = *options,
	};
	BoostingShape *root;
	Boosting   *b;

	shape.options.positive = set->positive;
	if (options->n_jobs > 1 || (double) set->nrows * set->ncolumns * options->n_estimators * shape.noutputs >= WORTH_A_TEAM)
		shape.nmembers = team_members(Max(options->n_jobs, 0));
	root = arena_open(arena, arena_bytes(boosting_layout, &shape), &shape, sizeof(shape), &shape.nmembers);
	root->nmembers = shape.nmembers;
	b = boosting_layout(arena, root);
	b->set = set;
	return b;
}

static Boosting *
boosting_init(TrainingSet *set, const BoostingOptions *options, Arena *arena)
{
	Boosting   *b = boosting_open(set, options, arena);

	take_targets(b);
	check_targets(b);
	round_metric_check(b->metric, b->objective, set->task);
	fill_monotone(b);
	b->trees = trees_create(set->ncolumns, set->levels, b->noutputs, 1);
	start_scores(b);
	b->train_curve = large_array(options->n_estimators, sizeof(double));
	b->validation_curve = set->nvalidation > 0 ? large_array(options->n_estimators, sizeof(double)) : NULL;
	return b;
}

/* ---- afterwards ---- */

/*
 * Every constrained split must have all leaves of one side on their side of all leaves of the other: then the sum is monotone too.  Sweep from
 * the last node to the first: children come behind their parents.
 */
static void
verify_monotone(const Boosting *b)
{
	const Trees *trees = b->trees;
	double	   *low = large_array(trees->nnodes, sizeof(double));
	double	   *high = large_array(trees->nnodes, sizeof(double));

	for (int i = trees->nnodes; i-- > 0;)
	{
		const TreeNode *node = &trees->node[i];
		uint32		left = node->left;
		int			direction;

		low[i] = high[i] = trees->value[i];
		if (node->kind == TREE_LEAF)
			continue;
		low[i] = Min(low[left], low[left + 1]);
		high[i] = Max(high[left], high[left + 1]);
		direction = b->grow.monotone[node->column];
		if ((direction > 0 && high[left] > low[left + 1]) || (direction < 0 && low[left] < high[left + 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("the model violates the monotone constraint on \"%s\"", b->set->column_name[node->column])));
	}
	pfree(low);
	pfree(high);
}

/*
 * The scores are those of the model where all rounds that ran are kept: what predict would say of the rows.  Where there are several outputs they lie
 * output by output, and are turned if there is memory.
 */
static void
settle_answers(Boosting *b, const BoostingModel *model)
{
	double	   *answers = b->score;

	if (b->trees->ntrees != b->trees_scored)
		return;
	if (b->noutputs > 1)
	{
		Size		bytes = size_times(size_times(b->noutputs, sizeof(double)), b->ntotal);

		if (bytes > b->set->spare_memory)
			return;
		answers = alloc_large(CurrentMemoryContext, bytes);
		for (int64 i = 0; i < b->ntotal; i++)
			for (int k = 0; k < b->noutputs; k++)
				answers[i * b->noutputs + k] = b->score[k * b->ntotal + i];
	}
	for (int64 i = 0; i < b->ntotal; i += DESIGN_BLOCK)
	{
		CHECK_FOR_INTERRUPTS();
		boosting_link(model, (int) Min(DESIGN_BLOCK, b->ntotal - i), answers + i * b->noutputs);
	}
	b->set->answers = answers;
	b->set->nanswers = b->ntotal;
}

/* XGBoost's "alpha" and "max_delta_step" are other things. */
static void
warn_unused(const Boosting *b)
{
	const char *name = b->objective->name;

	if (b->options->alpha != BOOSTING_ALPHA && b->options->metric == 0 && strcmp(name, "quantile") != 0 && strcmp(name, "huber") != 0)
		training_warning(b->set, "\"alpha\" was not used: it is for the objectives \"quantile\" and \"huber\"; the L1 penalty is \"lambda_l1\"");
	if (b->options->max_delta_step != BOOSTING_MAX_DELTA_STEP && strcmp(name, "poisson") != 0)
		training_warning(b->set, "\"max_delta_step\" was not used: it is for the objective \"poisson\"; the values of leaves are not limited");
}

BoostingModel *
boosting_fit(TrainingSet *set, const BoostingOptions *options)
{
	BoostingModel *model = palloc0(sizeof(BoostingModel));
	Arena		arena;
	Boosting   *b = boosting_init(set, options, &arena);
	int			rounds;

	if (options->early_stopping_rounds > 0 && set->nvalidation == 0)
		training_warning(set, "early stopping has no validation rows to go by: all %d rounds were run", options->n_estimators);
	warn_unused(b);
	b->team = team_start(&arena, b->shape->nmembers, &boosting_program, b);
	bins_take(b->bins, set->bins);
	rounds = boosting_run(b);
	team_end(b->team);
	trees_truncate(b->trees, Min(rounds * b->noutputs, b->trees->ntrees));
	if (b->grow.monotone != NULL)
		verify_monotone(b);
	trees_prepare(b->trees);
	model->link = b->objective->link;
	model->trees = b->trees;
	settle_answers(b, model);
	return model;
}
