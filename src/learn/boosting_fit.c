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

#define SAMPLE_ROWS 100000		/* that edges of bins come from */
#define WATCHED_ROWS 20000		/* training rows the curve is measured on */
#define SUM_BLOCK 4096			/* rows summed before the sums are */
#define MOST_ROWS 134217728		/* sums of levels fit 32 bits */

typedef struct Boosting
{
	TrainingSet *set;
	const BoostingOptions *options;
	const Objective *objective;
	int			noutputs;
	int64		ntrain,
				ntotal;			/* and validation */
	const double *target;		/* (ntotal) */
	const double *weight;		/* (ntotal) or NULL */
	Bins	   *bins;
	Grower	   *grower;
	GrowOptions grow;
	Trees	   *trees;
	double	   *score;			/* (noutputs, ntotal) */
	float	   *gradient;		/* (noutputs, ntrain) */
	float	   *hessian;
	double	   *scratch;		/* (noutputs, LOSS_ROWS) */
	double	   *residual;		/* (ntrain) for quantiles of leaves, and their weights */
	double	   *residual_weight;
	int32	   *bag;			/* (ntrain) rows of the bag; NULL: no bagging */
	int64		bag_count;
	uint64		seed;
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

Size
boosting_memory(const BoostingOptions *options, int64 nrows, int ncolumns, int noutputs)
{
	GrowOptions grow = grow_options(options);
	Size		row = size_times(noutputs, sizeof(double) + 2 * sizeof(float)) + sizeof(int32) + 2 * sizeof(double);

	return size_plus(size_plus(bins_memory(nrows, ncolumns, SAMPLE_ROWS), grower_memory(&grow, nrows, nrows, ncolumns)),
					 size_times(nrows, row));
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
static void
take_targets(Boosting *b)
{
	double	   *target = NULL;
	double	   *weight = NULL;

	b->target = b->set->target;
	b->weight = b->set->weight;
	if (b->set->task == TASK_REGRESSION)
		return;
	for (int64 i = b->ntrain; i < b->ntotal; i++)
	{
		if (b->target[i] >= 0)
			continue;
		if (target == NULL)
		{
			target = large_array(b->ntotal, sizeof(double));
			weight = large_array(b->ntotal, sizeof(double));
			memcpy(target, b->target, sizeof(double) * b->ntotal);
			for (int64 k = 0; k < b->ntotal; k++)
				weight[k] = row_weight(b->set, k);
		}
		target[i] = weight[i] = 0;
	}
	if (target != NULL)
	{
		b->target = target;
		b->weight = weight;
	}
}

static int8 *
monotone_directions(const Boosting *b)
{
	const ColumnValues *asked = &b->options->monotone;
	int8	   *direction = large_array(b->set->ncolumns, sizeof(int8));

	for (int i = 0; i < asked->n; i++)
	{
		int			j = 0;

		while (j < b->set->ncolumns && strcmp(b->set->column_name[j], asked->column[i]) != 0)
			j++;
		if (j == b->set->ncolumns)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("monotone_constraints names \"%s\", which is no column of the model", asked->column[i])));
		if (b->set->levels[j] > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("monotone_constraints names \"%s\", whose values have no order", asked->column[i]),
					 errhint("Only numbers can be constrained.")));
		direction[j] = (int8) asked->value[i];
	}
	return direction;
}

static const double *
read_rows(void *state, int64 start, int count)
{
	const TrainingSet *set = state;

	return set->rows(set->design, start, count);
}

static void
bin_training_rows(Boosting *b)
{
	BinOptions	options = {
		.max_bin = b->options->max_bin,
		.min_data_in_bin = b->options->min_data_in_bin,
		.sample = Min(SAMPLE_ROWS, b->ntrain),
	};

	b->bins = bins_create(read_rows, b->set, DESIGN_BLOCK, b->ntotal, b->set->ncolumns, b->set->levels, &options);
}

static void
start_scores(Boosting *b)
{
	double		total = training_weight(b->set);

	b->score = large_array((Size) b->noutputs * b->ntotal, sizeof(double));
	for (int k = 0; k < b->noutputs; k++)
	{
		b->trees->base[k] = b->objective->start(b->set, b->options, total, k);
		for (int64 i = 0; i < b->ntotal; i++)
			b->score[k * b->ntotal + i] = b->trees->base[k];
	}
}

static void
boosting_init(Boosting *b, TrainingSet *set, const BoostingOptions *options)
{
	b->set = set;
	b->options = options;
	b->objective = boosting_objective(options->objective, set->task);
	b->noutputs = learner_outputs(set->task, set->nclasses);
	b->ntrain = set->nrows;
	b->ntotal = set->nrows + set->nvalidation;
	b->seed = hash_fold(hash_mix(set->seed), options->random_state);
	take_targets(b);
	check_targets(b);
	b->grow = grow_options(options);
	if (options->monotone.n > 0)
		b->grow.monotone = monotone_directions(b);
	bin_training_rows(b);
	b->grower = grower_create(b->bins, b->ntrain, &b->grow);
	b->trees = trees_create(set->ncolumns, set->levels, b->noutputs, 1);
	start_scores(b);
	b->gradient = large_array((Size) b->noutputs * b->ntrain, sizeof(float));
	b->hessian = large_array((Size) b->noutputs * b->ntrain, sizeof(float));
	b->scratch = large_array((Size) b->noutputs * LOSS_ROWS, sizeof(double));
	if (b->objective->leaf_quantile != NULL)
	{
		b->residual = large_array(b->ntrain, sizeof(double));
		b->residual_weight = b->weight != NULL ? large_array(b->ntrain, sizeof(double)) : NULL;
	}
	if (options->bagging_fraction < 1 && options->bagging_freq > 0)
		b->bag = large_array(b->ntrain, sizeof(int32));
	b->train_loss = large_array(options->n_estimators, sizeof(double));
	b->validation_loss = set->nvalidation > 0 ? large_array(options->n_estimators, sizeof(double)) : NULL;
}

/* ---- losses and gradients ---- */

static LossRows
loss_rows(const Boosting *b, int64 start, int count)
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
		.scratch = b->scratch,
	};
}

static void
compute_gradients(Boosting *b)
{
	for (int64 start = 0; start < b->ntrain; start += LOSS_ROWS)
	{
		LossRows	rows = loss_rows(b, start, (int) Min(LOSS_ROWS, b->ntrain - start));

		CHECK_FOR_INTERRUPTS();
		b->objective->gradients(&rows);
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
		LossRows	rows = loss_rows(b, start, (int) Min(LOSS_ROWS, to - start));

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

	for (int64 i = 0; i < leaf->count; i++)
	{
		b->residual[i] = b->target[rows[i]] - b->score[rows[i]];
		if (b->weight != NULL)
			b->residual_weight[i] = b->weight[rows[i]];
	}
	return weighted_quantile(b->residual, b->residual_weight, leaf->count, b->objective->leaf_quantile(b->options));
}

static void
set_leaf_values(Boosting *b, int output)
{
	for (int l = 0; l < grower_leaves(b->grower); l++)
	{
		const GrownLeaf *leaf = grower_leaf(b->grower, l);
		double		value = leaf->count == 0 ? 0 :
			b->objective->leaf_quantile != NULL ? quantile_value(b, leaf) : newton_value(b, leaf, output);

		CHECK_FOR_INTERRUPTS();
		value = Min(Max(value, leaf->low), leaf->high);
		b->trees->value[leaf->node] = tree_single(b->options->learning_rate * value);
	}
}

static void
add_routed(Boosting *b, double *score, int64 from, int64 to)
{
	for (int64 i = from; i < to; i++)
		score[i] += b->trees->value[grower_leaf(b->grower, grower_route(b->grower, i))->node];
}

/* Rows between those of the bag. */
static void
add_out_of_bag(Boosting *b, double *score)
{
	int64		next = 0;

	for (int64 i = 0; i <= b->bag_count; i++)
	{
		int64		row = i < b->bag_count ? b->bag[i] : b->ntrain;

		add_routed(b, score, next, row);
		next = row + 1;
	}
}

static void
update_scores(Boosting *b, int output)
{
	double	   *score = b->score + (Size) output * b->ntotal;
	const int32 *rows = grower_rows(b->grower);

	for (int l = 0; l < grower_leaves(b->grower); l++)
	{
		const GrownLeaf *leaf = grower_leaf(b->grower, l);
		double		value = b->trees->value[leaf->node];

		CHECK_FOR_INTERRUPTS();
		for (int64 i = leaf->start; i < leaf->start + leaf->count; i++)
			score[rows[i]] += value;
	}
	if (b->bag != NULL)
		add_out_of_bag(b, score);
	for (int64 start = b->ntrain; start < b->ntotal; start += SUM_BLOCK)
	{
		CHECK_FOR_INTERRUPTS();
		add_routed(b, score, start, Min(start + SUM_BLOCK, b->ntotal));
	}
}

/* ---- rounds ---- */

/* Each row by a hash of its place, so that the bag does not depend on how the work is divided. */
static void
draw_bag(Boosting *b, int round)
{
	uint64		seed = hash_fold(b->seed, hash_fold(4, round / b->options->bagging_freq));

	if (b->bag == NULL || round % b->options->bagging_freq != 0)
		return;
	b->bag_count = 0;
	for (int64 i = 0; i < b->ntrain; i++)
		if (hash_unit(hash_fold(seed, i)) < b->options->bagging_fraction)
			b->bag[b->bag_count++] = (int32) i;
	grower_set_bag(b->grower, b->bag, b->bag_count);
}

/* False where no tree found a split. */
static bool
run_round(Boosting *b, int round)
{
	bool		split = false;

	draw_bag(b, round);
	compute_gradients(b);
	for (int k = 0; k < b->noutputs; k++)
	{
		Size		at = (Size) k * b->ntrain;

		if (!grow_tree(b->grower, b->trees, b->gradient + at, b->hessian + at, hash_fold(b->seed, (uint64) round * b->noutputs + k)))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the gradients are not finite in round %d", round + 1),
					 errhint("Scale the target, or lower the learning_rate.")));
		split |= grower_leaves(b->grower) > 1;
		set_leaf_values(b, k);
		update_scores(b, k);
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
	Boosting   *b = palloc0(sizeof(Boosting));
	BoostingModel *model = palloc0(sizeof(BoostingModel));
	int			rounds;

	boosting_init(b, set, options);
	if (options->early_stopping_rounds > 0 && set->nvalidation == 0)
		training_warning(set, "early stopping has no validation rows to go by: all %d rounds were run", options->n_estimators);
	rounds = run_rounds(b);
	trees_truncate(b->trees, Min(rounds * b->noutputs, b->trees->ntrees));
	if (b->grow.monotone != NULL)
		verify_monotone(b);
	trees_prepare(b->trees);
	model->link = b->objective->link;
	model->trees = b->trees;
	return model;
}
