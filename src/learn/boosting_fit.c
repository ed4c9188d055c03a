/*
 * boosting_fit.c
 *		The rounds of gradient boosting: gradients, a tree an output, leaf values, scores, losses (Friedman 2001; LightGBM's defaults).
 *
 * Training and validation rows are binned together, so that scores of rows no tree was grown on follow the bins.  Sums run over fixed blocks of
 * rows and the blocks' sums are added in order: dividing the work would not change a bit.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/hash.h"
#include "learn/boosting_internal.h"
#include "learn/programs_internal.h"

#define WATCHED_ROWS 20000		/* training rows the curve is measured on */
#define SUM_BLOCK 4096			/* rows summed before the sums are */
#define PIECE_ROWS (16 * LOSS_ROWS)	/* a member takes at a time */
#define MOST_ROWS 134217728		/* sums of levels fit 32 bits */
#define WORTH_A_TEAM 3e8		/* cells x rounds x outputs: some 300 ms alone, against 30 to start workers */

/* What a view is laid out by; the first thing in the arena. */
typedef struct BoostingShape
{
	Task		task;
	int			noutputs;
	int			ncolumns;
	int64		ntrain,
				ntotal;			/* and validation */
	bool		weighted;
	int			nmembers;
	uint64		seed;
	BoostingOptions options;
} BoostingShape;

/* What the leader tells the others. */
typedef struct BoostingJob
{
	int			output;			/* whose tree was grown */
	bool		bagging;		/* rows outside the bag are routed */
	uint64		bag_seed;
} BoostingJob;

/* A member's view. */
typedef struct Boosting
{
	Grower	   *grower;			/* first: the grower's tasks look for it here */
	const BoostingShape *shape;
	const BoostingOptions *options;
	const Objective *objective;
	int			noutputs;
	int64		ntrain,
				ntotal;
	GrowOptions grow;
	Bins	   *bins;

	/* in the arena */
	BoostingJob *job;
	int8	   *monotone;		/* (ncolumns) */
	double	   *target;			/* (ntotal) */
	double	   *weight;			/* (ntotal) or NULL */
	double	   *score;			/* (noutputs, ntotal) */
	float	   *gradient;		/* (noutputs, ntrain) */
	float	   *hessian;
	double	   *scratch;		/* (members, noutputs, LOSS_ROWS) */
	double	   *residual;		/* (ntrain) for quantiles of leaves, and their weights; or NULL */
	double	   *residual_weight;
	double	   *leaf_value;		/* (num_leaves) */

	/* the leader's */
	TrainingSet *set;
	Team	   *team;
	Trees	   *trees;
	int32	   *bag;			/* (ntrain) rows of the bag; NULL: no bagging */
	int64		bag_count;
	double	   *train_loss;		/* (rounds) */
	double	   *validation_loss;
	int			best;			/* round, from 1 */
} Boosting;

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

static Boosting *
boosting_layout(Arena *arena, const BoostingShape *shape)
{
	Boosting   *b = palloc0(sizeof(Boosting));
	Size		all = size_times(shape->noutputs, shape->ntotal);
	Size		train = size_times(shape->noutputs, shape->ntrain);

	b->shape = shape;
	b->options = &shape->options;
	b->objective = boosting_objective(shape->options.objective, shape->task);
	b->noutputs = shape->noutputs;
	b->ntrain = shape->ntrain;
	b->ntotal = shape->ntotal;
	b->job = arena_array(arena, 1, sizeof(BoostingJob));
	b->monotone = arena_array(arena, shape->ncolumns, sizeof(int8));
	b->target = arena_array(arena, shape->ntotal, sizeof(double));
	b->weight = shape->weighted ? arena_array(arena, shape->ntotal, sizeof(double)) : NULL;
	b->score = arena_array(arena, all, sizeof(double));
	b->gradient = arena_array(arena, train, sizeof(float));
	b->hessian = arena_array(arena, train, sizeof(float));
	b->scratch = arena_array(arena, (Size) shape->nmembers * shape->noutputs * LOSS_ROWS, sizeof(double));
	if (b->objective->leaf_quantile != NULL)
	{
		b->residual = arena_array(arena, shape->ntrain, sizeof(double));
		b->residual_weight = shape->weighted ? arena_array(arena, shape->ntrain, sizeof(double)) : NULL;
	}
	b->leaf_value = arena_array(arena, shape->options.num_leaves, sizeof(double));
	b->grow = grow_options(&shape->options);
	b->grow.monotone = shape->options.monotone.n > 0 ? b->monotone : NULL;
	b->bins = bins_layout(arena, shape->ntotal, shape->ncolumns);
	b->grower = grower_layout(arena, b->bins, shape->ntrain, &b->grow, shape->nmembers, b->gradient, b->hessian);
	return b;
}

static void *
attach_boosting(Arena *arena, const void *root)
{
	return boosting_layout(arena, root);
}

static Size
arena_bytes(const BoostingShape *shape)
{
	Arena		arena = {.mode = ARENA_COUNT};

	boosting_layout(&arena, shape);
	return arena.used;
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

	return size_plus(arena_bytes(&shape), is_bagged(options) ? size_times(nrows, sizeof(int32)) : 0);
}

/* ---- before the first round ---- */

static void
check_targets(const Boosting *b)
{
	const Objective *objective = b->objective;

	if (!(objective->tasks & b->set->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("objective \"%s\" does not fit the target", objective->name),
				 errhint("Leave \"objective\" out to have it chosen by the target's type.")));
	if (b->ntotal > MOST_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("gradient boosting takes at most %d rows, not %lld", MOST_ROWS, (long long) b->ntotal)));
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

	if (options->n_jobs > 1 || (double) set->nrows * set->ncolumns * options->n_estimators * shape.noutputs >= WORTH_A_TEAM)
		shape.nmembers = team_members(Max(options->n_jobs, 0));
	root = arena_open(arena, arena_bytes(&shape), &shape, sizeof(shape), &shape.nmembers);
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
	fill_monotone(b);
	bins_take(b->bins, set->bins);
	b->trees = trees_create(set->ncolumns, set->levels, b->noutputs, 1);
	start_scores(b);
	if (is_bagged(options))
		b->bag = large_array(b->ntrain, sizeof(int32));
	b->train_loss = large_array(options->n_estimators, sizeof(double));
	b->validation_loss = set->nvalidation > 0 ? large_array(options->n_estimators, sizeof(double)) : NULL;
	return b;
}

/* ---- losses and gradients ---- */

static LossRows
loss_rows(const Boosting *b, int member, int64 start, int count)
{
	return (LossRows) {
		.objective = b->objective,
		.options = b->options,
		.noutputs = b->noutputs,
		.count = count,
		.score = b->score + start,
		.stride = b->ntotal,
		.target = b->target + start,
		.weight = b->weight != NULL ? b->weight + start : NULL,
		.gradient = b->gradient + start,
		.hessian = b->hessian + start,
		.out_stride = b->ntrain,
		.scratch = b->scratch + (Size) member * b->noutputs * LOSS_ROWS,
	};
}

static void
gradient_task(void *view, Team *team)
{
	Boosting   *b = view;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		end = Min((piece + 1) * PIECE_ROWS, b->ntrain);

		CHECK_FOR_INTERRUPTS();
		for (int64 start = piece * PIECE_ROWS; start < end; start += LOSS_ROWS)
		{
			LossRows	rows = loss_rows(b, team_member(team), start, (int) Min(LOSS_ROWS, end - start));

			b->objective->gradients(&rows);
		}
	}
}

/* The metric over rows from .. to-1; NaN where they have no weight. */
static double
mean_loss(const Boosting *b, int64 from, int64 to)
{
	double		sum = 0,
				total = 0;

	for (int64 start = from; start < to; start += LOSS_ROWS)
	{
		LossRows	rows = loss_rows(b, 0, start, (int) Min(LOSS_ROWS, to - start));

		CHECK_FOR_INTERRUPTS();
		sum += b->objective->loss(&rows);
		for (int i = 0; i < rows.count; i++)
			total += rows.weight != NULL ? rows.weight[i] : 1;
	}
	if (!(total > 0))
		return NAN;
	return b->objective->root ? sqrt(sum / total) : sum / total;
}

/* ---- leaves ---- */

static double
newton_value(const Boosting *b, const GrownLeaf *leaf, int output)
{
	const float *gradient = b->gradient + (Size) output * b->ntrain;
	const float *hessian = b->hessian + (Size) output * b->ntrain;
	const int32 *rows = grower_rows(b->grower) + leaf->start;
	double		g = 0,
				h = 0;

	for (int64 start = 0; start < leaf->count; start += SUM_BLOCK)
	{
		int64		end = Min(start + SUM_BLOCK, leaf->count);
		double		block_g = 0,
					block_h = 0;

		for (int64 i = start; i < end; i++)
		{
			block_g += gradient[rows[i]];
			block_h += hessian[rows[i]];
		}
		g += block_g;
		h += block_h;
	}
	return leaf_output(g, h, b->options->lambda_l1, leaf->lambda_l2);
}

static double
quantile_value(const Boosting *b, const GrownLeaf *leaf)
{
	const int32 *rows = grower_rows(b->grower) + leaf->start;
	double	   *residual = b->residual + leaf->start;
	double	   *weight = b->weight != NULL ? b->residual_weight + leaf->start : NULL;

	for (int64 i = 0; i < leaf->count; i++)
	{
		residual[i] = b->target[rows[i]] - b->score[rows[i]];
		if (weight != NULL)
			weight[i] = b->weight[rows[i]];
	}
	return weighted_quantile(residual, weight, leaf->count, b->objective->leaf_quantile(b->options));
}

/* Value of a leaf, and the scores of its rows. */
static void
finish_leaf(Boosting *b, int l)
{
	const GrownLeaf *leaf = grower_leaf(b->grower, l);
	const int32 *rows = grower_rows(b->grower) + leaf->start;
	double	   *score = b->score + (Size) b->job->output * b->ntotal;
	double		value = leaf->count == 0 ? 0 :
		b->objective->leaf_quantile != NULL ? quantile_value(b, leaf) : newton_value(b, leaf, b->job->output);

	value = Min(Max(value, leaf->low), leaf->high);
	b->leaf_value[l] = tree_single(b->options->learning_rate * value);
	for (int64 i = 0; i < leaf->count; i++)
		score[rows[i]] += b->leaf_value[l];
}

static void
leaf_task(void *view, Team *team)
{
	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		CHECK_FOR_INTERRUPTS();
		finish_leaf(view, (int) piece);
	}
}

/* Each row by a hash of its place, so that the bag does not depend on how the work is divided. */
static inline bool
in_bag(const Boosting *b, int64 row)
{
	return hash_unit(hash_fold(b->job->bag_seed, row)) < b->options->bagging_fraction;
}

/* The scores of rows no leaf has in its list: those outside the bag, and validation rows. */
static void
route_task(void *view, Team *team)
{
	Boosting   *b = view;
	double	   *score = b->score + (Size) b->job->output * b->ntotal;
	int64		first = b->job->bagging ? 0 : b->ntrain;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		end = Min(first + (piece + 1) * PIECE_ROWS, b->ntotal);

		CHECK_FOR_INTERRUPTS();
		for (int64 i = first + piece * PIECE_ROWS; i < end; i++)
			if (i >= b->ntrain || !in_bag(b, i))
				score[i] += b->leaf_value[grower_route(b->grower, i)];
	}
}

static const TeamTask boosting_tasks[] = {
	GROW_TASKS, gradient_task, leaf_task, route_task
};

typedef enum BoostingTask
{
	TASK_GRADIENTS = GROW_TASK_COUNT,
	TASK_LEAVES,
	TASK_ROUTE,
	TASK_COUNT
} BoostingTask;

const TeamProgram boosting_program = {
	.ntasks = TASK_COUNT,
	.task = boosting_tasks,
	.attach = attach_boosting,
};

static int64
pieces_of(int64 rows)
{
	return (rows + PIECE_ROWS - 1) / PIECE_ROWS;
}

/* ---- rounds ---- */

static void
draw_bag(Boosting *b, int round)
{
	if (b->bag == NULL || round % b->options->bagging_freq != 0)
		return;
	b->job->bagging = true;
	b->job->bag_seed = hash_fold(b->shape->seed, hash_fold(4, round / b->options->bagging_freq));
	b->bag_count = 0;
	for (int64 i = 0; i < b->ntrain; i++)
		if (in_bag(b, i))
			b->bag[b->bag_count++] = (int32) i;
	grower_set_bag(b->grower, b->bag, b->bag_count);
}

/* The tree just grown gets its leaf values, and all rows their scores. */
static void
finish_tree(Boosting *b, int output)
{
	b->job->output = output;
	team_run(b->team, TASK_LEAVES, grower_leaves(b->grower));
	team_run(b->team, TASK_ROUTE, pieces_of(b->ntotal - (b->job->bagging ? 0 : b->ntrain)));
	for (int l = 0; l < grower_leaves(b->grower); l++)
		b->trees->value[grower_leaf(b->grower, l)->node] = b->leaf_value[l];
}

/* False where no tree found a split. */
static bool
run_round(Boosting *b, int round)
{
	bool		split = false;

	draw_bag(b, round);
	team_run(b->team, TASK_GRADIENTS, pieces_of(b->ntrain));
	for (int k = 0; k < b->noutputs; k++)
	{
		uint64		seed = hash_fold(b->shape->seed, (uint64) round * b->noutputs + k);

		if (!grow_tree(b->grower, b->team, b->trees, (Size) k * b->ntrain, seed))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the gradients are not finite in round %d", round + 1),
					 errhint("Scale the target, or lower the learning_rate.")));
		split |= grower_leaves(b->grower) > 1;
		finish_tree(b, k);
	}
	return split;
}

/* Measure the round; true where the validation rows have not got better for long enough. */
static bool
watch(Boosting *b, int round)
{
	int			patience = b->options->early_stopping_rounds;

	b->train_loss[round] = mean_loss(b, 0, Min(WATCHED_ROWS, b->ntrain));
	if (b->validation_loss == NULL)
		return false;
	b->validation_loss[round] = mean_loss(b, b->ntrain, b->ntotal);
	if (b->best == 0 || b->validation_loss[round] < b->validation_loss[b->best - 1])
		b->best = round + 1;
	return patience > 0 && round + 1 - b->best >= patience;
}

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

static void
keep_curve(Boosting *b, int rounds)
{
	b->set->curve = (TrainingCurve) {
		.metric = b->objective->metric,
		.n = rounds,
		.train = b->train_loss,
		.validation = b->validation_loss,
	};
}

/* Returns how many rounds are kept. */
static int
run_rounds(Boosting *b)
{
	int			round;
	int			run = 0;

	for (round = 0; round < b->options->n_estimators; round++)
	{
		if (!run_round(b, round))
		{
			trees_truncate(b->trees, round * b->noutputs);
			if (round == 0)
				training_warning(b->set, "no split gains anything: the model predicts the same for every row");
			break;
		}
		run = round + 1;
		if (watch(b, round))
			break;
	}
	keep_curve(b, run);
	return b->options->early_stopping_rounds > 0 && b->best > 0 ? b->best : run;
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
	b->team = team_start(&arena, b->shape->nmembers, PROGRAM_BOOSTING, boosting_tasks, b);
	rounds = run_rounds(b);
	team_end(b->team);
	trees_truncate(b->trees, Min(rounds * b->noutputs, b->trees->ntrees));
	if (b->grow.monotone != NULL)
		verify_monotone(b);
	trees_prepare(b->trees);
	model->link = b->objective->link;
	model->trees = b->trees;
	return model;
}
