/*
 * forest_fit.c
 *		Growing a forest: a bag of rows for each tree, whole numbers for targets and weights, rows out of the bag.
 *
 * A tree depends on the rows, the seed and its own number alone.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/deep.h"
#include "core/hash.h"
#include "learn/forest_internal.h"

#define MOST_ROWS 134217728		/* sums of weights fit 31 bits with room for bags that draw a row often */
#define WEIGHT_TOTAL 134217728.0	/* weights that are no whole numbers are scaled to this sum */
#define MOST_DRAWS 15			/* of a row; more has a chance of 1e-13 */
#define CHECK_ROWS 65536		/* rows between two checks for interrupts */
#define MOST_BYTES (256.0 * 1024 * 1024)	/* of a model */
#define SPLIT_BYTES 9.0			/* of a stored model, about */
#define LEAF_BYTES 3.0
#define PERMUTED_ROWS 2000		/* of a tree, to measure importance by */

typedef struct Forest
{
	TrainingSet *set;
	const ForestOptions *options;
	DeepOptions deep;
	const Bins *bins;
	DeepGrower *grower;
	Trees	   *trees;
	int			nvalues;		/* of a leaf */
	int32	   *value;			/* (nrows) class or level */
	uint32	   *weight;			/* (nrows) */
	uint8	   *draws;			/* (nrows) how often the tree's bag has a row */
	uint64		seed;
	double	   *permutation;	/* (ncolumns) */
	int32	   *voters;			/* (nrows) trees that did not learn from the row */
} Forest;

static void *
large_array(Size n, Size element)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size_times(Max(n, 1), element), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * Trees of rows / min_data_in_leaf leaves would be the largest there are; half of that is what noisy data make.  A model never takes more than
 * the nodes an artifact can hold.
 */
static Size
nodes_memory(const ForestOptions *options, int64 nrows, int nvalues)
{
	double		leaves = ceil((double) nrows / options->min_data_in_leaf / 2) + 1;
	double		node = sizeof(TreeNode) + sizeof(double) * (nvalues + 1) + 2 * sizeof(float);

	if (options->max_leaf_nodes > 0)
		leaves = Min(leaves, options->max_leaf_nodes);
	if (options->max_depth > 0 && options->max_depth < 31)
		leaves = Min(leaves, (double) (INT64CONST(1) << options->max_depth));
	return (Size) Min(2 * leaves * options->n_estimators * node, MOST_BYTES / (SPLIT_BYTES + LEAF_BYTES + 4 * nvalues) * 2 * node);
}

Size
forest_memory(const ForestOptions *options, int64 nrows, int ncolumns, int nclasses)
{
	int			nvalues = nclasses > 2 ? nclasses : 1;
	Size		row = sizeof(int32) + sizeof(uint32) + sizeof(uint8);

	if (options->oob_score)
		row += sizeof(double) * nvalues + sizeof(int32);
	return size_plus(deep_memory(nrows, ncolumns), size_plus(size_times(nrows, row), nodes_memory(options, nrows, nvalues)));
}

/* ---- targets and weights as whole numbers ---- */

static void
take_classes(Forest *f)
{
	for (int64 i = 0; i < f->set->nrows; i++)
		f->value[i] = (int32) f->set->target[i];
	f->deep.unit = 1;
	f->deep.gain_unit = f->set->nclasses == 2 ? 2 : 1;	/* two classes: squared error is half the Gini impurity */
}

static void
take_numbers(Forest *f)
{
	const double *target = f->set->target;
	double		low = target[0],
				high = target[0];

	for (int64 i = 1; i < f->set->nrows; i++)
	{
		low = Min(low, target[i]);
		high = Max(high, target[i]);
	}
	f->deep.base = low / 2 + high / 2;
	f->deep.unit = high > low ? (high / 2 - low / 2) / DEEP_MAX_VALUE : 1;
	f->deep.gain_unit = Min(f->deep.unit * f->deep.unit, DBL_MAX);
	for (int64 i = 0; i < f->set->nrows; i++)
		f->value[i] = (int32) rint((target[i] - f->deep.base) / f->deep.unit);
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
static void
take_weights(Forest *f)
{
	const double *weight = f->set->weight;
	double		total = training_weight(f->set);
	double		scale = 1;

	if (weight != NULL && !(total <= WEIGHT_TOTAL && are_whole(weight, f->set->nrows)))
		scale = WEIGHT_TOTAL / total;
	for (int64 i = 0; i < f->set->nrows; i++)
		f->weight[i] = weight == NULL ? 1 : weight[i] > 0 ? (uint32) Max(1.0, rint(weight[i] * scale)) : 0;
	f->deep.gain_unit /= scale;
	f->deep.min_gain = f->options->min_impurity_decrease * total;
}

static int
columns_per_node(const Forest *f, const ForestKind *kind)
{
	int			n = f->set->ncolumns;
	double		asked = f->options->max_features;

	if (isnan(asked))
		asked = kind->all_features || f->set->task == TASK_REGRESSION ? n : floor(sqrt(n));
	else if (asked <= 1)
		asked = floor(asked * n);
	return (int) Min(Max(asked, 1), n);
}

static void
forest_init(Forest *f, TrainingSet *set, const ForestOptions *options, const ForestKind *kind)
{
	if (set->nrows > MOST_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("forests and decision trees take at most %d rows, not %lld", MOST_ROWS, (long long) set->nrows)));
	f->set = set;
	f->options = options;
	f->nvalues = learner_outputs(set->task, set->nclasses);
	f->seed = hash_fold(hash_mix(set->seed), options->random_state);
	f->value = large_array(set->nrows, sizeof(int32));
	f->weight = large_array(set->nrows, sizeof(uint32));
	f->draws = large_array(set->nrows, sizeof(uint8));
	f->deep = (DeepOptions) {
		.nclasses = set->nclasses,
		.max_depth = Max(options->max_depth, 0),
		.max_leaves = options->max_leaf_nodes,
		.min_rows_leaf = options->min_data_in_leaf,
		.min_rows_split = options->min_samples_split,
		.columns_per_node = columns_per_node(f, kind),
		.random_cuts = kind->random_cuts,
	};
	if (set->task == TASK_REGRESSION)
		take_numbers(f);
	else
		take_classes(f);
	take_weights(f);
	f->bins = set->bins;
	f->grower = deep_create(f->bins, set->nrows, &f->deep, options->ccp_alpha > 0);
	f->trees = trees_create(set->ncolumns, set->levels, f->nvalues, f->nvalues);
	if (options->permutation_importance)
		f->permutation = large_array(set->ncolumns, sizeof(double));
	if (options->oob_score)
	{
		set->out_of_bag = large_array(set->nrows, sizeof(double) * f->nvalues);
		f->voters = large_array(set->nrows, sizeof(int32));
	}
}

/* ---- bags ---- */

/* Each draw is a hash of its number, so that any part of a bag can be drawn by itself. */
static void
draw_bag(Forest *f, uint64 seed)
{
	int64		n = f->set->nrows;
	int64		draws = (int64) Max(1.0, rint(f->options->max_samples * n));

	memset(f->draws, !f->options->bootstrap, n);
	for (int64 i = 0; f->options->bootstrap && i < draws; i++)
	{
		int64		row = (int64) (((hash_mix(seed + i * UINT64CONST(0x9e3779b97f4a7c15)) >> 32) * (uint64) n) >> 32);

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		f->draws[row] += f->draws[row] < MOST_DRAWS;
	}
}

/* The bag as the grower's rows; returns how many different ones there are. */
static int64
fill_rows(Forest *f)
{
	DeepRow    *row = deep_rows(f->grower);
	int64		count = 0;

	for (int64 i = 0; i < f->set->nrows; i++)
	{
		row[count] = (DeepRow) {(uint32) i, f->weight[i] * f->draws[i], f->value[i]};
		count += row[count].weight > 0;
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return count;
}

static int64
take_bag(Forest *f, uint64 seed)
{
	int64		count;

	draw_bag(f, seed);
	count = fill_rows(f);
	if (count == 0)				/* none but rows of weight 0 were drawn */
	{
		memset(f->draws, 1, f->set->nrows);
		count = fill_rows(f);
	}
	return count;
}

/* ---- rows out of the bag ---- */

static void
point_at(const Forest *f, int64 row, const uint8 **bin)
{
	for (int g = 0; g < f->bins->ngroups; g++)
		bin[g] = f->bins->group[g] + (Size) row * GROUP_BYTES;
}

static void
vote_out_of_bag(Forest *f, const DeepTree *tree)
{
	const uint8 **bin = palloc(sizeof(uint8 *) * Max(f->bins->ngroups, 1));

	for (int64 i = 0; i < f->set->nrows; i++)
	{
		const double *value;

		if (i % (CHECK_ROWS / 16) == 0)
			CHECK_FOR_INTERRUPTS();
		if (f->draws[i] > 0)
			continue;
		point_at(f, i, bin);
		value = tree->value + (Size) deep_leaf(f->bins, tree, bin) * f->nvalues;
		for (int k = 0; k < f->nvalues; k++)
			f->set->out_of_bag[i * f->nvalues + k] += value[k];
		f->voters[i]++;
	}
	pfree(bin);
}

/* Means of the votes; NaN where no tree was left to vote. */
static void
count_votes(Forest *f)
{
	for (int64 i = 0; i < f->set->nrows; i++)
		for (int k = 0; k < f->nvalues; k++)
			f->set->out_of_bag[i * f->nvalues + k] = f->voters[i] > 0 ? f->set->out_of_bag[i * f->nvalues + k] / f->voters[i] : NAN;
}

/* ---- importance by permutation ---- */

/* Rows out of a tree's bag, and their bins as they are to be seen. */
typedef struct Permuted
{
	int			n;
	int64	   *row;			/* (n) */
	int		   *from;			/* (n) a permutation */
	uint8	   *seen;			/* (ngroups, GROUP_BYTES) */
	const uint8 **bin;
} Permuted;

/* From a place that differs by tree on, around the end. */
static void
choose_permuted(const Forest *f, uint64 seed, Permuted *p)
{
	int64		n = f->set->nrows;
	int64		start = (int64) (seed % (uint64) n);

	p->n = 0;
	for (int64 i = 0; i < n && p->n < PERMUTED_ROWS; i++)
	{
		int64		row = start + i < n ? start + i : start + i - n;

		if (f->draws[row] == 0)
			p->row[p->n++] = row;
	}
}

static void
permute(Permuted *p, uint64 seed)
{
	for (int i = 0; i < p->n; i++)
		p->from[i] = i;
	for (int i = 0; i < p->n - 1; i++)
	{
		int			pick = i + (int) (hash_fold(seed, i) % (uint64) (p->n - i));
		int			taken = p->from[pick];

		p->from[pick] = p->from[i];
		p->from[i] = taken;
	}
}

/* Squared error of a number; 1 for a wrong class. */
static double
row_loss(const Forest *f, const double *value, int64 row)
{
	double		target = f->set->target[row];
	int			class = 0;

	if (f->set->task == TASK_REGRESSION)
		return (value[0] - target) * (value[0] - target);
	if (f->nvalues == 1)
		return (value[0] > 0.5) != (target > 0);
	for (int k = 1; k < f->nvalues; k++)
		if (value[k] > value[class])
			class = k;
	return class != (int) target;
}

/* The mean loss with columns first .. end-1 taken from the permuted rows. */
static double
permuted_loss(const Forest *f, const DeepTree *tree, Permuted *p, int first, int end)
{
	double		loss = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < p->n; i++)
	{
		for (int g = 0; g < f->bins->ngroups; g++)
			memcpy(p->seen + g * GROUP_BYTES, f->bins->group[g] + (Size) p->row[i] * GROUP_BYTES, GROUP_BYTES);
		for (int j = first; j < end; j++)
			p->seen[j / GROUP_COLUMNS * GROUP_BYTES + j % GROUP_COLUMNS] = bins_cell(f->bins, j, p->row[p->from[i]]);
		loss += row_loss(f, tree->value + (Size) deep_leaf(f->bins, tree, p->bin) * f->nvalues, p->row[i]);
	}
	return loss / p->n;
}

static void
measure_importance(Forest *f, const DeepTree *tree, uint64 seed, Permuted *p)
{
	int			ncolumns = f->set->ncolumns;
	bool	   *used = palloc0(sizeof(bool) * Max(ncolumns, 1));
	double		before;

	choose_permuted(f, seed, p);
	if (p->n == 0 || ncolumns == 0)
		return;
	for (int i = 0; i < tree->nnodes; i++)
		if (tree->node[i].left != 0)
			used[tree->node[i].column] = true;
	before = permuted_loss(f, tree, p, 0, 0);
	for (int first = 0, end; first < ncolumns; first = end)
	{
		bool		matters = false;

		for (end = first; end < ncolumns && f->set->group[end] == f->set->group[first]; end++)
			matters |= used[end];
		if (!matters)
			continue;
		permute(p, hash_fold(seed, f->set->group[first]));
		f->permutation[first] += (permuted_loss(f, tree, p, first, end) - before) / f->options->n_estimators;
	}
	pfree(used);
}

static Permuted *
new_permuted(const Forest *f)
{
	Permuted   *p = palloc(sizeof(Permuted));

	p->row = palloc(sizeof(int64) * PERMUTED_ROWS);
	p->from = palloc(sizeof(int) * PERMUTED_ROWS);
	p->seen = palloc(Max(f->bins->ngroups, 1) * GROUP_BYTES);
	p->bin = palloc(sizeof(uint8 *) * Max(f->bins->ngroups, 1));
	for (int g = 0; g < f->bins->ngroups; g++)
		p->bin[g] = p->seen + g * GROUP_BYTES;
	return p;
}

/* ---- trees ---- */

/* Refuse what would become too large to store as soon as it shows. */
static void
check_size(const Forest *f)
{
	double		leaves = (f->trees->nnodes + f->trees->ntrees) / 2.0;
	double		bytes = leaves * (SPLIT_BYTES + LEAF_BYTES + 4.0 * f->nvalues) + 4.0 * f->trees->nwords;
	double		all = bytes / f->trees->ntrees * f->options->n_estimators;

	if (all > MOST_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model would take about %.0f MiB, and %.0f MiB can be stored", all / (1024 * 1024), MOST_BYTES / (1024 * 1024)),
				 errdetail("A tree has %.0f leaves on average.", leaves / f->trees->ntrees),
				 errhint("Use a smaller n_estimators or max_depth, or a larger min_data_in_leaf.")));
}

static void
grow_trees(Forest *f)
{
	double		total = training_weight(f->set);
	Permuted   *permuted = f->permutation != NULL ? new_permuted(f) : NULL;

	for (int t = 0; t < f->options->n_estimators; t++)
	{
		uint64		seed = hash_fold(f->seed, t);
		int64		count = take_bag(f, hash_fold(seed, 1));
		DeepTree   *tree = deep_grow(f->grower, count, hash_fold(seed, 2));

		CHECK_FOR_INTERRUPTS();
		if (f->options->ccp_alpha > 0)
			deep_prune(tree, f->options->ccp_alpha * total);
		deep_append(tree, f->bins, f->trees);
		check_size(f);
		if (f->options->oob_score)
			vote_out_of_bag(f, tree);
		if (permuted != NULL)
			measure_importance(f, tree, hash_fold(seed, 3), permuted);
	}
}

ForestModel *
forest_fit(TrainingSet *set, const ForestOptions *options, const ForestKind *kind)
{
	Forest	   *f = palloc0(sizeof(Forest));
	ForestModel *model = palloc0(sizeof(ForestModel));

	forest_init(f, set, options, kind);
	grow_trees(f);
	if (f->trees->nnodes == f->trees->ntrees)
		training_warning(set, "no split was found: the model predicts the same for every row");
	if (options->oob_score)
		count_votes(f);
	trees_prepare(f->trees);
	model->trees = f->trees;
	model->permutation = f->permutation;
	return model;
}
