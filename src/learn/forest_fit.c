/*
 * forest_fit.c
 *		Growing a forest: whole numbers for targets and weights, memory for a team, batches of trees.
 *
 * A tree depends on the rows, the seed and its own number alone.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/hash.h"
#include "learn/forest_fit_internal.h"

#define WEIGHT_TOTAL 134217728.0	/* weights that are no whole numbers are scaled to this sum */
#define MOST_BYTES (256.0 * 1024 * 1024)	/* of a model */
#define SPLIT_BYTES 9.0			/* of a stored model, about */
#define LEAF_BYTES 3.0
#define COPIES 3				/* of a stored model while it is saved */
#define PLAN_BYTES 12.0			/* of a node made ready for scoring, beside the values of leaves */
#define SLACK 2097152.0			/* bytes that small forests are not asked about */
#define FAR_RANGES 64			/* targets farther from 0 than so many of their ranges would lose too many digits in single precision */
#define ADD_ROWS 16384			/* a piece of adding up a batch */
#define TREES_A_MEMBER 8		/* of a batch */
#define WORTH_A_TEAM 1e6		/* rows x trees: some 300 ms alone, against 30 to start workers */

/* ---- memory ---- */

/*
 * Trees of rows / min_data_in_leaf leaves would be the largest there are; half of that is what noisy data make.  A model never takes more than
 * the nodes an artifact can hold.
 */
static double
expected_nodes(const ForestOptions *options, int64 nrows, int nvalues)
{
	double		leaves = ceil((double) nrows / options->min_data_in_leaf / 2) + 1;

	if (options->max_leaf_nodes > 0)
		leaves = Min(leaves, options->max_leaf_nodes);
	if (options->max_depth > 0 && options->max_depth < 31)
		leaves = Min(leaves, (double) (INT64CONST(1) << options->max_depth));
	return Min(2 * leaves * options->n_estimators, MOST_BYTES / (SPLIT_BYTES + LEAF_BYTES + 4 * nvalues) * 2);
}

/* A node kept, made ready for scoring, and in copies of the stored model. */
static double
node_bytes(int nvalues)
{
	double		kept = sizeof(TreeNode) + sizeof(double) * (nvalues + 1) + 2 * sizeof(float);
	double		scored = PLAN_BYTES + sizeof(double) * nvalues / 2.0;
	double		stored = (SPLIT_BYTES + LEAF_BYTES + sizeof(float) * nvalues) / 2;

	return kept + scored + COPIES * stored;
}

/* What the trees may take: of a single one all there can be; of several, which may well be small, half, until the first ones show how large they are. */
static Size
expected_memory(const ForestOptions *options, int64 nrows, int nvalues)
{
	double		nodes = expected_nodes(options, nrows, nvalues);
	double		grown = sizeof(DeepNode) + sizeof(float) * nvalues + sizeof(double);

	if (options->n_estimators == 1)
		return (Size) (nodes * (node_bytes(nvalues) + grown));
	return (Size) (nodes * node_bytes(nvalues) / 2);
}

static void *
forest_layout(Arena *arena, const void *root)
{
	const ForestShape *shape = root;
	Forest	   *f = palloc0(sizeof(Forest));
	Size		answers = size_times(shape->nall, shape->nvalues);

	f->shape = shape;
	f->options = &shape->options;
	f->job = arena_array(arena, 1, sizeof(ForestJob));
	f->slot = arena_array(arena, shape->nslots, sizeof(ForestSlot));
	f->pool = arena_array(arena, shape->pool_bytes, 1);
	f->group = arena_array(arena, shape->ncolumns, sizeof(int));
	f->edge = arena_array(arena, (Size) shape->ncolumns * BIN_VALUES, sizeof(double));
	f->value = arena_array(arena, shape->nrows, sizeof(int32));
	f->weight = arena_array(arena, shape->nrows, sizeof(uint32));
	f->leaf = arena_array(arena, size_times(shape->nslots, shape->nall), sizeof(uint32));
	f->sum = arena_array(arena, answers, sizeof(double));
	if (shape->options.oob_score)
	{
		f->sum_left_out = arena_array(arena, size_times(shape->nrows, shape->nvalues), sizeof(double));
		f->voters = arena_array(arena, shape->nrows, sizeof(int32));
	}
	if (shape->options.permutation_importance)
		f->rise = arena_array(arena, (Size) shape->nslots * shape->ncolumns, sizeof(double));
	if (shape->nmembers > 1)
		f->bins = bins_layout_rows(arena, shape->nall, shape->ncolumns);
	return f;
}

static const TeamProgram forest_program = {
	.entry = "ml_forest_worker",
	.task = forest_tasks,
	.attach = forest_layout,
};

extern PGDLLEXPORT void ml_forest_worker(dsm_segment *segment, shm_toc *toc);

void
ml_forest_worker(dsm_segment *segment, shm_toc *toc)
{
	team_worker(segment, toc, &forest_program);
}

/* The arena, and what each member takes by itself. */
static Size
team_bytes(const ForestShape *shape)
{
	Size		member = size_plus(deep_memory(shape->nall, shape->ncolumns, shape->deep.nclasses), shape->nrows);

	return size_plus(arena_bytes(forest_layout, shape), size_times(shape->nmembers, member));
}

/* A batch is so large that members wait for the last tree of it not for long; trees larger than expected make it smaller. */
static void
shape_team(ForestShape *shape, int nmembers)
{
	double		nodes = expected_nodes(&shape->options, shape->nrows, shape->nvalues);
	double		node = sizeof(DeepNode) + sizeof(float) * shape->nvalues;

	shape->nmembers = nmembers;
	shape->nslots = nmembers == 1 ? 1 : Min(shape->options.n_estimators, TREES_A_MEMBER * nmembers);
	shape->pool_bytes = nmembers == 1 ? 0 : (Size) (nodes * node / shape->options.n_estimators * shape->nslots / 2) + 65536;
}

/* Alone, and for training and validation rows; a team takes more where there is more. */
Size
forest_memory(const ForestOptions *options, int64 nrows, int ncolumns, int nclasses)
{
	ForestShape shape = {
		.options = *options,
		.deep.nclasses = nclasses,
		.nrows = nrows,
		.nall = nrows,
		.ncolumns = ncolumns,
		.nvalues = nclasses > 2 ? nclasses : 1,
	};

	shape_team(&shape, 1);
	return size_plus(team_bytes(&shape), expected_memory(options, nrows, shape.nvalues));
}

/* Memory that can be spared pays for answers for test rows, which else are scored one by one, and then for a team. */
static void
choose_team(ForestShape *shape, const TrainingSet *set)
{
	int			jobs = Max(shape->options.n_jobs, 0);
	bool		worth = jobs > 1 || (double) shape->nrows * shape->options.n_estimators >= WORTH_A_TEAM;
	int			nmembers = worth ? Min(team_members(jobs), shape->options.n_estimators) : 1;
	Size		least;

	shape->nall = set->nrows + set->nvalidation;
	shape_team(shape, 1);
	least = team_bytes(shape);
	shape->nall = set->bins->nrows;
	if (team_bytes(shape) - least > set->spare_memory)
		shape->nall = set->nrows + set->nvalidation;
	for (; nmembers > 1; nmembers--)
	{
		shape_team(shape, nmembers);
		if (team_bytes(shape) - least <= set->spare_memory)
			return;
	}
	shape_team(shape, 1);
}

/* ---- targets and weights as whole numbers ---- */

/* Numbers become levels around the middle of their range. */
static void
scale_numbers(const TrainingSet *set, DeepOptions *deep)
{
	double		low,
				high;

	target_range(set, &low, &high);
	deep->base = (low + high) / 2;
	deep->unit = high > low ? (high - low) / 2 / DEEP_MAX_VALUE : 1;
	deep->gain_unit = deep->unit * deep->unit;
	if (Max(fabs(low), fabs(high)) > FAR_RANGES * (high - low))
		deep->offset = deep->base;
}

static void
scale_classes(const TrainingSet *set, DeepOptions *deep)
{
	deep->unit = 1;
	deep->gain_unit = set->nclasses == 2 ? 2 : 1;	/* two classes: squared error is half the Gini impurity */
}

static bool
are_whole(const double *weight, int64 n)
{
	int64		i = 0;

	while (i < n && weight[i] == floor(weight[i]))
		i++;
	return i == n;
}

/* Whole weights of a moderate sum are taken as they are. */
static double
weight_scale(const TrainingSet *set, double total)
{
	if (set->weight == NULL || (total <= WEIGHT_TOTAL && are_whole(set->weight, set->nrows)))
		return 1;
	return WEIGHT_TOTAL / total;
}

static uint32
whole_weight(const TrainingSet *set, double scale, int64 row)
{
	double		weight = row_weight(set, row);

	return weight > 0 ? (uint32) Max(1.0, rint(weight * scale)) : 0;
}

static uint32
largest_weight(const TrainingSet *set, double scale)
{
	uint32		largest = 1;

	for (int64 i = 0; i < set->nrows && set->weight != NULL; i++)
		largest = Max(largest, whole_weight(set, scale, i));
	return largest;
}

static int
columns_per_node(const TrainingSet *set, double asked, const ForestKind *kind)
{
	int			n = set->ncolumns;

	if (isnan(asked))
		asked = kind->all_features || set->task == TASK_REGRESSION ? MAX_FEATURES_ALL : MAX_FEATURES_SQRT;
	if (asked == MAX_FEATURES_ALL)
		asked = n;
	else if (asked == MAX_FEATURES_SQRT)
		asked = floor(sqrt(n));
	else if (asked == MAX_FEATURES_LOG2)
		asked = pg_leftmost_one_pos32((uint32) Max(n, 1));
	else if (asked <= 1)
		asked = floor(asked * n);
	return (int) Min(Max(asked, 1), n);
}

static DeepOptions
deep_options(const TrainingSet *set, const ForestOptions *options, const ForestKind *kind)
{
	double		total = training_weight(set);
	double		scale = weight_scale(set, total);
	DeepOptions deep = {
		.nclasses = set->nclasses,
		.max_depth = Max(options->max_depth, 0),
		.max_leaves = options->max_leaf_nodes,
		.min_rows_leaf = options->min_data_in_leaf,
		.min_rows_split = options->min_samples_split,
		.min_gain = options->min_impurity_decrease * total,
		.columns_per_node = columns_per_node(set, options->max_features, kind),
		.random_cuts = kind->random_cuts,
		.pairs = set->nclasses == 2 && (int64) largest_weight(set, scale) * FOREST_MOST_DRAWS < DEEP_PAIR_WEIGHT,
	};

	if (set->task == TASK_REGRESSION)
		scale_numbers(set, &deep);
	else
		scale_classes(set, &deep);
	deep.gain_unit /= scale;
	return deep;
}

static void
take_rows(Forest *f)
{
	const TrainingSet *set = f->set;
	const DeepOptions *deep = &f->shape->deep;
	double		scale = weight_scale(set, f->shape->total);

	for (int64 i = 0; i < set->nrows; i++)
	{
		f->value[i] = (int32) (set->task == TASK_REGRESSION ? rint((set->target[i] - deep->base) / deep->unit) : set->target[i]);
		f->weight[i] = whole_weight(set, scale, i);
	}
}

/* ---- before the first tree ---- */

static void
take_bins(Forest *f)
{
	const Bins *bins = f->set->bins;

	if (f->bins != NULL)
		bins_take(f->bins, bins);
	else
		f->bins = unconstify(Bins *, bins);
	for (int j = 0; j < bins->ncolumns; j++)
		if (bins->column[j].nbins > 0 && bins->column[j].levels == 0)
			memcpy(f->edge + (Size) j * BIN_VALUES, bins->column[j].edge, sizeof(double) * bins->column[j].nbins);
}

static Forest *
forest_open(TrainingSet *set, const ForestOptions *options, const ForestKind *kind, Arena *arena)
{
	ForestShape shape = {
		.options = *options,
		.deep = deep_options(set, options, kind),
		.task = set->task,
		.nrows = set->nrows,
		.ncolumns = set->ncolumns,
		.nvalues = learner_outputs(set->task, set->nclasses),
		.total = training_weight(set),
		.seed = hash_fold(hash_mix(set->seed), options->random_state),
	};
	ForestShape *root;
	int			nmembers;
	Forest	   *f;

	choose_team(&shape, set);
	nmembers = shape.nmembers;
	root = arena_open(arena, arena_bytes(forest_layout, &shape), &shape, sizeof(shape), &nmembers);
	if (nmembers < shape.nmembers)
		shape_team(root, nmembers);
	f = forest_layout(arena, root);
	f->set = set;
	return f;
}

static Forest *
forest_init(TrainingSet *set, const ForestOptions *options, const ForestKind *kind, Arena *arena)
{
	Forest	   *f;

	if (set->nrows > FOREST_MOST_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("forests and decision trees take at most %d rows, not %lld", FOREST_MOST_ROWS, (long long) set->nrows)));
	f = forest_open(set, options, kind, arena);
	if (set->ncolumns > 0)
		memcpy(f->group, set->group, sizeof(int) * set->ncolumns);
	pg_atomic_init_u64(&f->job->used, 0);
	take_rows(f);
	take_bins(f);
	f->trees = trees_create(set->ncolumns, set->levels, f->shape->nvalues, f->shape->nvalues);
	if (options->permutation_importance)
		f->permutation = zero_vector(Max(set->ncolumns, 1));
	return f;
}

/* ---- batches ---- */

/* Refuse what would become too large to store as soon as it shows. */
static void
check_size(const Forest *f)
{
	double		leaves = (f->trees->nnodes + f->trees->ntrees) / 2.0;
	double		bytes = leaves * (SPLIT_BYTES + LEAF_BYTES + 4.0 * f->shape->nvalues) + 4.0 * f->trees->nwords;
	double		all = bytes / f->trees->ntrees * f->options->n_estimators;

	if (all > MOST_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model would take about %.0f MiB, and %.0f MiB can be stored", all / (1024 * 1024), MOST_BYTES / (1024 * 1024)),
				 errdetail("A tree has %.0f leaves on average.", leaves / f->trees->ntrees),
				 errhint("Use a smaller n_estimators or max_depth, or a larger min_data_in_leaf.")));
}

/* Trees may be larger than expected: refuse what would not fit as soon as it shows. */
static void
check_memory(const Forest *f)
{
	const TrainingSet *set = f->set;
	double		bytes = node_bytes(f->shape->nvalues) * f->trees->nnodes + 2 * sizeof(uint32) * (double) f->trees->nwords;
	double		all = bytes / f->trees->ntrees * f->options->n_estimators;
	double		expected = (double) expected_memory(f->options, set->nrows + set->nvalidation, f->shape->nvalues);
	Budget		budget = {set->memory_limit, 0};

	if (all > expected + set->free_memory + SLACK)
		budget_fail(&budget, (Size) (set->memory_limit - set->free_memory - expected + all), "the training");
}

/* Trees before the first there was no room for; of a batch of one, the leader has it at any rate. */
static int
trees_there(const Forest *f, int grown)
{
	int			n = 0;

	while (n < grown && f->slot[n].stored)
		n++;
	return grown == 1 ? 1 : n;
}

/* A tree that the others do not see is for the leader alone. */
static void
add_batch(Forest *f)
{
	int64		nall = f->shape->nall;

	f->job->piece_rows = f->slot[0].stored ? ADD_ROWS : nall;
	team_run(f->team, TASK_ADD, (nall + f->job->piece_rows - 1) / f->job->piece_rows);
}

static void
add_importance(Forest *f)
{
	if (f->permutation == NULL)
		return;
	team_run(f->team, TASK_SHUFFLE, f->job->count);
	for (int t = 0; t < f->job->count; t++)
		for (int j = 0; j < f->set->ncolumns; j++)
			f->permutation[j] += f->rise[(Size) t * f->set->ncolumns + j] / f->options->n_estimators;
}

/* Grow so many trees at most; returns how many there are. */
static int
grow_batch(Forest *f, int first, int wanted)
{
	f->job->first = first;
	pg_atomic_write_u64(&f->job->used, 0);
	team_run(f->team, TASK_GROW, wanted);
	f->job->count = trees_there(f, wanted);
	for (int t = 0; t < f->job->count; t++)
	{
		DeepTree	tree = forest_tree(f, t);

		CHECK_FOR_INTERRUPTS();
		deep_append(&tree, f->bins, f->shape->deep.offset, f->trees);
		check_size(f);
		check_memory(f);
	}
	if (f->job->count > 0)
	{
		add_batch(f);
		add_importance(f);
	}
	return f->job->count;
}

/* The first batch shows how much room a tree takes. */
static void
grow_trees(Forest *f)
{
	int			wanted = f->shape->nmembers;

	for (int done = 0; done < f->options->n_estimators;)
	{
		int			grown = grow_batch(f, done, Min(wanted, f->options->n_estimators - done));
		Size		tree = pg_atomic_read_u64(&f->job->used) / wanted;

		done += grown;
		if (f->shape->nslots == 1)
			continue;
		wanted = (int) Min((Size) f->shape->nslots, f->shape->pool_bytes / Max(tree + tree / 8, 1));
		wanted = Max(wanted, 1);
	}
}

/* ---- what is handed over ---- */

/* The mean of the trees, as forest_predict has it; "sum" becomes the answers. */
static void
settle_answers(Forest *f)
{
	int64		nall = f->shape->nall;

	for (int64 i = 0; i < nall; i += DESIGN_BLOCK)
	{
		CHECK_FOR_INTERRUPTS();
		forest_mean(f->trees, (int) Min(DESIGN_BLOCK, nall - i), f->sum + i * f->shape->nvalues);
	}
	f->set->answers = f->sum;
	f->set->nanswers = nall;
}

/* Means of the votes; NaN where no tree was left to vote. */
static void
count_votes(Forest *f)
{
	int			n = f->shape->nvalues;

	for (int64 i = 0; i < f->set->nrows; i++)
		for (int k = 0; k < n; k++)
			f->sum_left_out[i * n + k] = f->voters[i] > 0 ? f->sum_left_out[i * n + k] / f->voters[i] : NAN;
	f->set->out_of_bag = f->sum_left_out;
}

ForestModel *
forest_fit(TrainingSet *set, const ForestOptions *options, const ForestKind *kind)
{
	ForestModel *model = palloc0(sizeof(ForestModel));
	Arena		arena;
	Forest	   *f = forest_init(set, options, kind, &arena);

	f->team = team_start(&arena, f->shape->nmembers, &forest_program, f);
	grow_trees(f);
	team_end(f->team);
	if (f->trees->nnodes == f->trees->ntrees)
		training_warning(set, "no split was found: the model predicts the same for every row");
	settle_answers(f);
	if (options->oob_score)
		count_votes(f);
	trees_prepare(f->trees);
	model->trees = f->trees;
	model->permutation = f->permutation;
	return model;
}
