/*
 * boosting_rounds.c
 *		The rounds of gradient boosting: a tree an output, leaf values, scores, the metric, gradients of the next round.
 *
 * What follows a tree goes range by range of the rows, so that a range's scores and gradients stay in the cache: first the exact sums of each leaf,
 * then all that comes of their values.  Sums of ranges are added in order: dividing the work does not change a bit.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/hash.h"
#include "learn/boosting_state_internal.h"

#define CACHE_LINE 64
#define MOST_BYTES (256.0 * 1024 * 1024)	/* of a model */
#define LEAF_BYTES 16.0			/* of a stored model, with the split above it, about */
#define TRYING_ROUNDS 10		/* that tell how large trees are */
#define CLEAR_RISE 0.05			/* of the loss, as a share of the first round's */

/* ---- ranges of rows ---- */

typedef struct Range
{
	int64		start,
				end;
	bool		held_out;		/* validation rows */
} Range;

static Range
range_of(const Boosting *b, int64 number)
{
	bool		held_out = number >= b->ntrain_ranges;
	int64		start = held_out ? b->ntrain + (number - b->ntrain_ranges) * b->range_rows : number * b->range_rows;

	return (Range) {start, Min(start + b->range_rows, held_out ? b->ntotal : b->ntrain), held_out};
}

static LossRows
loss_rows(const Boosting *b, int member, int64 start, int64 end)
{
	return (LossRows) {
		.objective = b->objective,
		.options = b->options,
		.noutputs = b->noutputs,
		.count = (int) Min(LOSS_ROWS, end - start),
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

/* Leaves visit a range's rows here and there: have them in the cache before. */
static void
bring_near(const void *memory, Size bytes)
{
	for (Size at = 0; at < bytes; at += CACHE_LINE)
		__builtin_prefetch((const char *) memory + at);
}

/* ---- leaves ---- */

/* The first place from .. to-1 of the list whose row is not below. */
static int64
find_row(const int32 *rows, int64 from, int64 to, int64 row)
{
	while (from < to)
	{
		int64		middle = from + (to - from) / 2;

		if (rows[middle] < row)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void
sum_leaf(const Boosting *b, const GrownLeaf *leaf, Range range, LeafPart *part)
{
	const float *gradient = b->gradient + (Size) b->job->output * b->ntrain;
	const float *hessian = b->hessian + (Size) b->job->output * b->ntrain;
	const int32 *rows = grower_rows(b->grower);
	int64		end = leaf->start + leaf->count;
	int64		i = find_row(rows, leaf->start, end, range.start);

	part->from = (int32) i;
	part->gradient = part->hessian = 0;
	for (; i < end && rows[i] < range.end; i++)
	{
		part->gradient += gradient[rows[i]];
		part->hessian += hessian[rows[i]];
	}
	part->to = (int32) i;
}

static void
sum_task(void *view, Team *team)
{
	Boosting   *b = view;
	Size		first = (Size) b->job->output * b->ntrain;
	int			nleaves = grower_leaves(b->grower);

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		Range		range = range_of(b, piece);

		CHECK_FOR_INTERRUPTS();
		bring_near(b->gradient + first + range.start, sizeof(float) * (range.end - range.start));
		bring_near(b->hessian + first + range.start, sizeof(float) * (range.end - range.start));
		for (int l = 0; l < nleaves; l++)
			sum_leaf(b, grower_leaf(b->grower, l), range, &b->part[piece * b->options->num_leaves + l]);
	}
}

static double
newton_value(const Boosting *b, int l)
{
	double		gradient = 0,
				hessian = 0;

	for (int64 r = 0; r < b->ntrain_ranges; r++)
	{
		gradient += b->part[r * b->options->num_leaves + l].gradient;
		hessian += b->part[r * b->options->num_leaves + l].hessian;
	}
	return leaf_output(gradient, hessian, b->options->lambda_l1, grower_leaf(b->grower, l)->lambda_l2);
}

static double
quantile_value(const Boosting *b, const GrownLeaf *leaf)
{
	const int32 *rows = grower_rows(b->grower) + leaf->start;
	double	   *residual = b->residual + leaf->start;
	double	   *weight = b->weight != NULL ? b->residual_weight + leaf->start : NULL;

	if (leaf->count == 0)
		return 0;
	for (int64 i = 0; i < leaf->count; i++)
	{
		residual[i] = b->target[rows[i]] - b->score[rows[i]];
		if (weight != NULL)
			weight[i] = b->weight[rows[i]];
	}
	return weighted_quantile(residual, weight, leaf->count, b->objective->leaf_quantile(b->options));
}

static void
set_leaf_value(const Boosting *b, int l, double value)
{
	const GrownLeaf *leaf = grower_leaf(b->grower, l);

	b->leaf_value[l] = tree_single(b->options->learning_rate * Min(Max(value, leaf->low), leaf->high));
}

static void
quantile_task(void *view, Team *team)
{
	Boosting   *b = view;

	for (int64 l = team_next(team); l >= 0; l = team_next(team))
	{
		CHECK_FOR_INTERRUPTS();
		set_leaf_value(b, (int) l, quantile_value(b, grower_leaf(b->grower, (int) l)));
	}
}

/* ---- what follows a tree ---- */

/* Each row by a hash of its place, so that the bag does not depend on how the work is divided. */
static inline bool
in_bag(const Boosting *b, int64 row)
{
	return hash_unit(hash_fold(b->job->bag_seed, row)) < b->options->bagging_fraction;
}

static void
add_listed_rows(const Boosting *b, int64 range, double *score)
{
	const int32 *rows = grower_rows(b->grower);

	for (int l = 0; l < grower_leaves(b->grower); l++)
	{
		const LeafPart *part = &b->part[range * b->options->num_leaves + l];
		double		value = b->leaf_value[l];

		for (int32 i = part->from; i < part->to; i++)
			score[rows[i]] += value;
	}
}

/* The tree's values to the scores of a range; rows that no leaf has in its list follow their bins. */
static void
add_tree(const Boosting *b, int64 number, Range range)
{
	double	   *score = b->score + (Size) b->job->output * b->ntotal;

	if (!range.held_out)
	{
		bring_near(score + range.start, sizeof(double) * (range.end - range.start));
		add_listed_rows(b, number, score);
	}
	if (range.held_out || b->job->bagging)
		for (int64 i = range.start; i < range.end; i++)
			if (range.held_out || !in_bag(b, i))
				score[i] += b->leaf_value[grower_route(b->grower, i)];
}

static void
measure_range(const Boosting *b, int member, Range range)
{
	double	   *sum = range.held_out ? b->validation_sum + (range.start - b->ntrain) / LOSS_ROWS : b->watched_sum + range.start / LOSS_ROWS;
	int64		end = range.held_out ? range.end : Min(range.end, b->nwatched);

	for (int64 start = range.start; start < end; start += LOSS_ROWS)
	{
		LossRows	rows = loss_rows(b, member, start, end);

		*sum++ = b->metric->sum(&rows);
	}
}

static void
derive_range(const Boosting *b, int member, Range range)
{
	for (int64 start = range.start; start < range.end; start += LOSS_ROWS)
	{
		LossRows	rows = loss_rows(b, member, start, range.end);

		b->objective->gradients(&rows);
	}
	for (int64 start = range.start; start < range.end; start += GRADIENT_PIECE)
		for (int k = 0; k < b->noutputs; k++)
			grower_look(b->grower, k, start);
}

static void
update_task(void *view, Team *team)
{
	Boosting   *b = view;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		Range		range = range_of(b, piece);

		CHECK_FOR_INTERRUPTS();
		if (b->job->add)
			add_tree(b, piece, range);
		if (b->job->measure && b->metric->sum != NULL)
			measure_range(b, team_member(team), range);
		if (b->job->gradients && !range.held_out)
			derive_range(b, team_member(team), range);
	}
}

/* The bins once more, column by column. */
static void
turn_task(void *view, Team *team)
{
	Boosting   *b = view;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = piece * GRADIENT_PIECE;

		CHECK_FOR_INTERRUPTS();
		bins_turn(b->bins, start, Min(GRADIENT_PIECE, b->ntotal - start));
	}
}

/* Each piece's rows of the bag to the front of its place. */
static void
draw_task(void *view, Team *team)
{
	Boosting   *b = view;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = piece * GRADIENT_PIECE;
		int64		end = Min(start + GRADIENT_PIECE, b->ntrain);
		int32	   *bag = b->bag + start;

		for (int64 i = start; i < end; i++)
		{
			*bag = (int32) i;
			bag += in_bag(b, i);
		}
		b->bag_count[piece] = bag - (b->bag + start);
	}
}

static const TeamTask boosting_tasks[] = {
	GROW_TASKS, sum_task, quantile_task, update_task, draw_task, turn_task
};

typedef enum BoostingTask
{
	TASK_SUMS = GROW_TASK_COUNT,
	TASK_QUANTILES,
	TASK_UPDATE,
	TASK_DRAW,
	TASK_TURN
} BoostingTask;

const TeamProgram boosting_program = {
	.entry = "ml_boosting_worker",
	.task = boosting_tasks,
	.attach = boosting_layout,
};

extern PGDLLEXPORT void ml_boosting_worker(dsm_segment *segment, shm_toc *toc);

void
ml_boosting_worker(dsm_segment *segment, shm_toc *toc)
{
	team_worker(segment, toc, &boosting_program);
}

/* ---- rounds ---- */

static int64
pieces_of(int64 rows)
{
	return (rows + GRADIENT_PIECE - 1) / GRADIENT_PIECE;
}

static void
draw_bag(Boosting *b, int round)
{
	int64		npieces = pieces_of(b->ntrain);
	int64		count = 0;

	if (b->bag == NULL || round % b->options->bagging_freq != 0)
		return;
	b->job->bagging = true;
	b->job->bag_seed = hash_fold(b->shape->seed, hash_fold(4, round / b->options->bagging_freq));
	team_run(b->team, TASK_DRAW, npieces);
	for (int64 piece = 0; piece < npieces; piece++)
	{
		memmove(b->bag + count, b->bag + piece * GRADIENT_PIECE, sizeof(int32) * b->bag_count[piece]);
		count += b->bag_count[piece];
	}
	grower_set_bag(b->grower, b->bag, count);
}

static void
update(Boosting *b, bool add, bool measure, bool gradients)
{
	b->job->add = add;
	b->job->measure = measure;
	b->job->gradients = gradients;
	team_run(b->team, TASK_UPDATE, b->nranges);
}

/* The tree just grown gets its leaf values, and all rows their scores; with the last of a round come its metric and the next one's gradients. */
static void
finish_tree(Boosting *b, int round, int output)
{
	int			nleaves = grower_leaves(b->grower);
	bool		last = output == b->noutputs - 1;

	b->job->output = output;
	team_run(b->team, TASK_SUMS, b->ntrain_ranges);
	if (b->objective->leaf_quantile != NULL)
		team_run(b->team, TASK_QUANTILES, nleaves);
	else
		for (int l = 0; l < nleaves; l++)
			set_leaf_value(b, l, newton_value(b, l));
	for (int l = 0; l < nleaves; l++)
		b->trees->value[grower_leaf(b->grower, l)->node] = b->leaf_value[l];
	b->trees_scored++;
	update(b, true, last, last && round + 1 < b->options->n_estimators);
}

/* False where no tree found a split. */
static bool
run_round(Boosting *b, int round)
{
	bool		split = false;

	draw_bag(b, round);
	for (int k = 0; k < b->noutputs; k++)
	{
		uint64		seed = hash_fold(b->shape->seed, (uint64) round * b->noutputs + k);

		if (!grow_tree(b->grower, b->team, b->trees, k, seed))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the gradients are not finite in round %d", round + 1),
					 errhint("Scale the target or the weights, or lower the learning_rate.")));
		split |= grower_leaves(b->grower) > 1;
		finish_tree(b, round, k);
	}
	return split;
}

/* ---- watching ---- */

static double
measured(const Boosting *b, const double *sum, int64 from, int64 to)
{
	double		all = 0,
				weight = 0;

	if (b->metric->whole != NULL)
		return b->metric->whole(b->score + from, b->target + from, b->weight != NULL ? b->weight + from : NULL, to - from);
	for (int64 start = from; start < to; start += LOSS_ROWS)
		all += *sum++;
	for (int64 i = from; i < to && b->weight != NULL; i++)
		weight += b->weight[i];
	if (b->weight == NULL)
		weight = (double) (to - from);
	if (!(weight > 0))
		return NAN;
	return b->metric->root ? sqrt(all / weight) : all / weight;
}

static bool
is_better(const RoundMetric *metric, double value, double than)
{
	return metric->greater_is_better ? value > than : value < than;
}

/* Note the round's metric; true where the validation rows have not got better for long enough. */
static bool
watch(Boosting *b, int round)
{
	int			patience = b->options->early_stopping_rounds;
	double		value;

	b->train_curve[round] = measured(b, b->watched_sum, 0, b->nwatched);
	if (b->validation_curve == NULL)
		return false;
	value = b->validation_curve[round] = measured(b, b->validation_sum, b->ntrain, b->ntotal);
	if (!isfinite(value) && patience > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("early stopping cannot go by \"%s\", which is undefined for the validation rows", b->metric->name),
				 errdetail("%s", isinf(value) ? "The errors are infinite." : b->metric->undefined),
				 errhint("Choose another \"early_stopping_metric\", or leave \"early_stopping_rounds\" out.")));
	if (b->best == 0 || is_better(b->metric, value, b->validation_curve[b->best - 1]))
		b->best = round + 1;
	return patience > 0 && round + 1 - b->best >= patience;
}

/*
 * Rounds lower the loss of the rows they learn from, but for a little where these are sampled, unless steps are too large: where hessians are tiny
 * (rare classes), or hardly shrunk.
 */
static void
check_progress(const Boosting *b, int rounds)
{
	const double *loss = b->train_curve;
	int			best = 0;

	if (b->metric != round_metric(0, b->objective) || rounds == 0)
		return;
	for (int i = 1; i < rounds; i++)
		if (loss[i] < loss[best])
			best = i;
	if (!(loss[rounds - 1] <= loss[best] + CLEAR_RISE * fabs(loss[0])))
		training_warning(b->set,
						 "training diverged: \"%s\" of training rows rose from %.6g after round %d to %.6g after round %d; "
						 "lower learning_rate or raise min_sum_hessian",
						 b->metric->name, loss[best], best + 1, loss[rounds - 1], rounds);
}

static void
keep_curve(Boosting *b, int rounds)
{
	b->set->curve = (TrainingCurve) {
		.metric = b->metric->name,
		.n = rounds,
		.train = b->train_curve,
		.validation = b->validation_curve,
	};
}

/* A model that cannot be stored is refused as soon as that is clear, which early stopping puts off. */
static void
check_size(const Boosting *b, int rounds)
{
	bool		may_stop = b->options->early_stopping_rounds > 0 && b->validation_curve != NULL;
	double		leaves = (b->trees->nnodes + b->trees->ntrees) / 2.0;
	double		bytes = leaves * LEAF_BYTES + 4.0 * b->trees->nwords;
	double		all = may_stop || rounds < TRYING_ROUNDS ? bytes : bytes / rounds * b->options->n_estimators;

	if (all > MOST_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model would take about %.0f MiB, and %.0f MiB can be stored", all / (1024 * 1024), MOST_BYTES / (1024 * 1024)),
				 errdetail("After %d rounds a tree has %.0f leaves on average.", rounds, leaves / b->trees->ntrees),
				 errhint("Use a smaller n_estimators or num_leaves.")));
}

int
boosting_run(Boosting *b)
{
	int			round;
	int			run = 0;

	team_run(b->team, TASK_TURN, pieces_of(b->ntotal));
	update(b, false, false, true);
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
		check_size(b, run);
		if (watch(b, round))
			break;
	}
	keep_curve(b, run);
	check_progress(b, run);
	return b->options->early_stopping_rounds > 0 && b->best > 0 ? b->best : run;
}
