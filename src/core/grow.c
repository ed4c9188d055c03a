/*
 * grow.c
 *		Growing a tree leaf by leaf: the leaf whose best split gains most is split next (Shi 2007; LightGBM).
 *
 * A leaf's rows are a run of the row list.  Of two children the smaller one's histogram is built from its rows, the other's is the parent's minus
 * that.  Histograms of leaves that wait are kept while there is room, those of the least gain are dropped first and built again when needed.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/grow_internal.h"
#include "core/hash.h"
#include "core/tree_internal.h"

#define LIST_PADDING 64			/* rows behind the list that the prefetch may look at */
#define INFINITE_BITS 0x7f800000	/* of a float that is not finite, and of larger ones */
#define SLIGHTLY_LESS (1 - 0x1p-20f)	/* so that rounding does not lift the largest above the last level */
#define INTERRUPT_ROWS 262144
#define HISTOGRAM_ROOM ((Size) 256 * 1024 * 1024)	/* for histograms of leaves that wait */
#define FEWEST_HISTOGRAMS 3		/* a parent and two children */

/* A split of the tree just grown, by bins. */
typedef struct Walk
{
	const uint8 *bytes;			/* of its column */
	int			next[2];		/* right, left: a split, or ~leaf */
	uint8		left[BIN_VALUES];	/* 1: this bin goes left */
} Walk;

struct Grower
{
	const Bins *bins;
	const GrowOptions *options;
	SplitSearch search;
	bool		few;			/* levels of gradients */
	int64		ntrain;

	int32	   *rows;			/* (ntrain + padding) leaf by leaf */
	int32	   *spare;			/* likewise */
	const int32 *bag;			/* NULL: all rows */
	int64		bag_count;

	int32	   *table;			/* (HIST_GROUP) zeros */
	Size		hist_entries;	/* of one histogram: ngroups * HIST_GROUP */
	int			nfree;
	int64	  **free_hist;
	bool	   *use_group;		/* (ngroups) has a column of this tree */
	int		   *column;			/* this tree's columns, ascending */
	int			ncolumns;
	int		   *node_column;	/* a node's, and scratch */

	int			nleaves;
	Leaf	   *leaf;
	GrownLeaf  *grown;
	int			nwalks;
	Walk	   *walk;
	Trees	   *trees;
	uint64		seed;
};

/* ---- making ---- */

static int
histograms_kept(const GrowOptions *options, Size entries)
{
	Size		fitting = HISTOGRAM_ROOM / (Max(entries, 1) * sizeof(int64));

	return (int) Max(FEWEST_HISTOGRAMS, Min(fitting, (Size) options->num_leaves + 1));
}

static Size
group_count(int ncolumns)
{
	return (ncolumns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
}

Size
grower_memory(const GrowOptions *options, int64 nrows, int64 ntrain, int ncolumns)
{
	Size		entries = size_times(group_count(ncolumns), HIST_GROUP);
	Size		leaves = size_times(options->num_leaves, sizeof(Leaf) + sizeof(GrownLeaf) + sizeof(Walk));
	Size		lists = size_times(ntrain + LIST_PADDING, 2 * sizeof(int32));

	return size_plus(size_plus(lists, leaves), size_times(size_times(entries, sizeof(int64)), histograms_kept(options, entries)));
}

Grower *
grower_create(const Bins *bins, int64 ntrain, const GrowOptions *options)
{
	Grower	   *grower = palloc0(sizeof(Grower));
	const GrowKernels *fast = grow_avx2();
	int			kept;

	grower->bins = bins;
	grower->options = options;
	grower->search.bins = bins;
	grower->search.options = options;
	grower->search.kernels = fast != NULL ? fast : &grow_baseline;
	grower->few = ntrain >= FEW_LEVELS_FROM;
	grower->ntrain = ntrain;
	grower->rows = tree_array(ntrain + LIST_PADDING, sizeof(int32));
	grower->spare = tree_array(ntrain + LIST_PADDING, sizeof(int32));
	grower->table = tree_array(HIST_GROUP, sizeof(int32));
	grower->hist_entries = bins->ngroups * HIST_GROUP;
	kept = histograms_kept(options, grower->hist_entries);
	grower->free_hist = tree_array(kept, sizeof(int64 *));
	for (; grower->nfree < kept; grower->nfree++)
		grower->free_hist[grower->nfree] = tree_array(grower->hist_entries, sizeof(int64));
	grower->use_group = tree_array(bins->ngroups, sizeof(bool));
	grower->column = tree_array(bins->ncolumns, sizeof(int));
	grower->node_column = tree_array(bins->ncolumns, sizeof(int));
	grower->leaf = tree_array(options->num_leaves, sizeof(Leaf));
	grower->grown = tree_array(options->num_leaves, sizeof(GrownLeaf));
	grower->walk = tree_array(options->num_leaves, sizeof(Walk));
	return grower;
}

void
grower_set_bag(Grower *grower, const int32 *rows, int64 count)
{
	grower->bag = rows;
	grower->bag_count = count;
}

/* ---- columns of a tree or a node ---- */

static int
by_number(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* A random subset of list (n), ascending; by hashes of the seed alone. */
static int
sample_columns(const int *list, int n, double fraction, uint64 seed, int *out)
{
	int			count = (int) Max(1, floor(n * fraction + 0.5));

	memcpy(out, list, sizeof(int) * n);
	if (count >= n)
		return n;
	for (int i = 0; i < count; i++)
	{
		int			pick = i + (int) (hash_fold(seed, i) % (uint64) (n - i));
		int			taken = out[pick];

		out[pick] = out[i];
		out[i] = taken;
	}
	qsort(out, count, sizeof(int), by_number);
	return count;
}

static void
choose_columns(Grower *grower)
{
	int			n = 0;

	for (int j = 0; j < grower->bins->ncolumns; j++)
		grower->node_column[n++] = j;
	grower->ncolumns = n == 0 ? 0 :
		sample_columns(grower->node_column, n, grower->options->feature_fraction, hash_fold(grower->seed, 1), grower->column);
	memset(grower->use_group, 0, grower->bins->ngroups);
	for (int i = 0; i < grower->ncolumns; i++)
		grower->use_group[grower->column[i] / GROUP_COLUMNS] = true;
}

/* ---- gradients ---- */

static float
bits_float(int32 bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Scales that bring the largest gradient and hessian to the last level; false where they are not finite. */
static bool
choose_quantum(Grower *grower, const float *gradient, const float *hessian)
{
	Quantum    *quantum = &grower->search.quantum;
	Extremes	extremes = {0, 0, PG_INT32_MAX};
	int64		n = Max(grower->ntrain, 1);
	int			levels = grower->few ? FEW_GRADIENT_LEVELS : (int) Min(MANY_GRADIENT_LEVELS, PG_INT32_MAX / n);
	int			hessian_levels = grower->few ? FEW_HESSIAN_LEVELS : (int) Min(MANY_HESSIAN_LEVELS, PG_UINT32_MAX / n);

	grower->search.kernels->extremes(gradient, hessian, grower->ntrain, &extremes);
	if (extremes.gradient >= INFINITE_BITS || extremes.hessian >= INFINITE_BITS)
		return false;
	quantum->all_one = extremes.least_hessian == extremes.hessian;
	if (quantum->all_one)
		hessian_levels = 1;
	quantum->gradient_levels = levels;
	quantum->gradient = extremes.gradient > 0 ? (double) bits_float(extremes.gradient) / levels : 1;
	quantum->hessian = extremes.hessian > 0 ? (double) bits_float(extremes.hessian) / hessian_levels : 1;
	quantum->gradient_scale = (float) (1 / quantum->gradient) * SLIGHTLY_LESS;
	quantum->hessian_scale = (float) (1 / quantum->hessian) * SLIGHTLY_LESS;
	quantum->seed = (uint32) hash_fold(grower->seed, 2);
	return true;
}

static int
group_words(const Grower *grower, int group)
{
	return (Min(GROUP_COLUMNS, grower->bins->ncolumns - group * GROUP_COLUMNS) + 7) / 8;
}

static void
store_pairs(const Grower *grower, int64 start, int count, const int32 *pair)
{
	for (int g = 0; g < grower->bins->ngroups; g++)
	{
		uint8	   *row = grower->bins->group[g] + (Size) start * GROUP_BYTES + PAIR_OFFSET;

		if (grower->use_group[g])
			for (int i = 0; i < count; i++)
				memcpy(row + (Size) i * GROUP_BYTES, &pair[i], sizeof(int32));
	}
}

/* Add rows from .. from+count-1 of the list (NULL: those rows themselves) to a histogram. */
static void
add_rows(Grower *grower, const int32 *rows, int64 from, int64 count, int64 *hist)
{
	for (int g = 0; g < grower->bins->ngroups; g++)
		if (grower->use_group[g])
			grower->search.kernels->histogram(grower->bins->group[g], rows, from, count, group_words(grower, g), grower->few,
											  grower->table, hist + (Size) g * HIST_GROUP);
}

/* Round all gradients; where every row counts, the root's histogram is built on the way. */
static void
quantise_rows(Grower *grower, const float *gradient, const float *hessian, int64 *hist)
{
	const Quantum *quantum = &grower->search.quantum;

	for (int64 start = 0; start < grower->ntrain; start += FLUSH_ROWS)
	{
		int			count = (int) Min(FLUSH_ROWS, grower->ntrain - start);
		int32		pair[FLUSH_ROWS];

		if (start % (FLUSH_ROWS * 64) == 0)
			CHECK_FOR_INTERRUPTS();
		grower->search.kernels->quantise(gradient + start, hessian + start, start, count, quantum, pair);
		store_pairs(grower, start, count, pair);
		if (grower->bag == NULL)
			add_rows(grower, NULL, start, count, hist);
	}
}

/* ---- leaves ---- */

static int64
column_total(const int64 *bins)
{
	int64		total = 0;

	for (int b = 0; b < BIN_VALUES; b++)
		total += bins[b];
	return total;
}

static int64 *
take_histogram(Grower *grower, const Leaf *keep)
{
	Leaf	   *least = NULL;
	int64	   *hist;

	if (grower->nfree > 0)
		return grower->free_hist[--grower->nfree];
	for (int i = 0; i < grower->nleaves; i++)
	{
		Leaf	   *leaf = &grower->leaf[i];

		if (leaf != keep && leaf->hist != NULL && (least == NULL || leaf->split.gain < least->split.gain))
			least = leaf;
	}
	hist = least->hist;
	least->hist = NULL;
	return hist;
}

static void
drop_histogram(Grower *grower, Leaf *leaf)
{
	if (leaf->hist != NULL)
		grower->free_hist[grower->nfree++] = leaf->hist;
	leaf->hist = NULL;
}

static void
build_histogram(Grower *grower, Leaf *leaf, const Leaf *keep)
{
	int64		end = leaf->grown.start + leaf->grown.count;

	leaf->hist = take_histogram(grower, keep);
	memset(leaf->hist, 0, grower->hist_entries * sizeof(int64));
	for (int64 from = leaf->grown.start; from < end; from += INTERRUPT_ROWS)
	{
		CHECK_FOR_INTERRUPTS();
		add_rows(grower, grower->rows, from, Min(INTERRUPT_ROWS, end - from), leaf->hist);
	}
}

static bool
may_split(const Grower *grower, const Leaf *leaf)
{
	int			deepest = grower->options->max_depth > 0 ? Min(grower->options->max_depth, TREE_MAX_DEPTH) : TREE_MAX_DEPTH;

	return leaf->depth < deepest && leaf->grown.count >= 2 * grower->options->min_data_in_leaf && leaf->grown.count >= 2
		&& packed_hessian(leaf->total) >= 2;
}

static void
search_leaf(Grower *grower, Leaf *leaf)
{
	const int  *column = grower->column;
	int			n = grower->ncolumns;

	leaf->split.gain = 0;
	if (!may_split(grower, leaf))
	{
		drop_histogram(grower, leaf);
		return;
	}
	CHECK_FOR_INTERRUPTS();
	if (grower->options->feature_fraction_bynode < 1)
	{
		n = sample_columns(column, n, grower->options->feature_fraction_bynode, hash_fold(grower->seed, 3 + (uint64) leaf->grown.node),
						   grower->node_column);
		column = grower->node_column;
	}
	for (int i = 0; i < n; i++)
		split_search(&grower->search, leaf, column[i]);
	if (leaf->split.gain <= 0)
		drop_histogram(grower, leaf);
}

static void
start_root(Grower *grower, const float *gradient, const float *hessian)
{
	Leaf	   *root = &grower->leaf[0];

	*root = (Leaf) {.grown = {.node = trees_begin(grower->trees),.low = -HUGE_VAL,.high = HUGE_VAL,
	.lambda_l2 = grower->options->lambda_l2},.walk = -1};
	root->grown.count = grower->bag ? grower->bag_count : grower->ntrain;
	grower->nleaves = 1;
	grower->nwalks = 0;
	for (int64 i = 0; i < root->grown.count; i++)
		grower->rows[i] = grower->bag ? grower->bag[i] : (int32) i;
	grower->trees->cover[root->grown.node] = (double) root->grown.count;
	if (grower->ncolumns == 0)
		return;
	root->hist = take_histogram(grower, NULL);
	memset(root->hist, 0, grower->hist_entries * sizeof(int64));
	quantise_rows(grower, gradient, hessian, root->hist);
	if (grower->bag)
		add_rows(grower, grower->rows, 0, root->grown.count, root->hist);
	root->total = column_total(root->hist + (Size) grower->column[0] * HIST_COLUMN);
	search_leaf(grower, root);
}

/* ---- splitting ---- */

/* Which bins go left; what no row of the leaf is missing is decided when the children are known. */
static void
fill_walk(const Grower *grower, const Split *split, Walk *walk)
{
	bool		category = grower->bins->column[split->column].levels > 0;

	walk->bytes = bins_column(grower->bins, split->column);
	for (int b = 0; b < BIN_MISSING; b++)
		walk->left[b] = category ? split_has_bin(split, b) : b <= split->bin;
	walk->left[BIN_MISSING] = split->missing_left;
}

/* Split the leaf's run of rows, keeping the order on both sides; returns how many went left. */
static int64
partition(Grower *grower, const GrownLeaf *leaf, const Walk *walk)
{
	const uint8 *bytes = walk->bytes;
	int32	   *rows = grower->rows + leaf->start;
	int32	   *spare = grower->spare;
	int64		left = 0,
				right = 0;

	for (int64 start = 0; start < leaf->count; start += INTERRUPT_ROWS)
	{
		int64		end = Min(start + INTERRUPT_ROWS, leaf->count);

		CHECK_FOR_INTERRUPTS();
		for (int64 i = start; i < end; i++)
		{
			int32		row = rows[i];
			uint8		goes_left = walk->left[bytes[row]];

			rows[left] = row;
			spare[right] = row;
			left += goes_left;
			right += !goes_left;
		}
	}
	memcpy(rows + left, spare, sizeof(int32) * right);
	return left;
}

/* The codes whose bins go left. */
static uint32
split_node(Grower *grower, const Leaf *leaf, const Walk *walk)
{
	const Split *split = &leaf->split;
	const ColumnBins *column = &grower->bins->column[split->column];
	uint32	   *set;
	uint32		left;

	if (column->levels == 0)
		return trees_split_number(grower->trees, leaf->grown.node, split->column, column->edge[split->bin],
								  walk->left[BIN_MISSING], split->gain);
	set = tree_array(tree_set_words(column->levels), sizeof(uint32));
	for (int c = 0; c < column->levels; c++)
		if (walk->left[column->bin_of[c]])
			set[c >> 5] |= (uint32) 1 << (c & 31);
	left = trees_split_category(grower->trees, leaf->grown.node, split->column, set, walk->left[BIN_MISSING], split->gain);
	pfree(set);
	return left;
}

/* A monotone split keeps the outputs of its sides on their sides of the middle. */
static void
bound_children(const Grower *grower, const Leaf *parent, GrownLeaf *left, GrownLeaf *right)
{
	int			direction = grower->options->monotone ? grower->options->monotone[parent->split.column] : 0;
	double		left_output,
				right_output,
				middle;

	if (direction == 0)
		return;
	split_outputs(&grower->search, parent, &left_output, &right_output);
	middle = tree_single((left_output + right_output) / 2);
	if (direction > 0)
		left->high = right->low = middle;
	else
		left->low = right->high = middle;
}

static void
link_walk(Grower *grower, const Leaf *leaf, int to)
{
	if (leaf->walk >= 0)
		grower->walk[leaf->walk].next[!leaf->walk_right] = to;
}

/* Children get their rows, bounds and places; histograms come after. */
static void
make_children(Grower *grower, Leaf *leaf, Leaf *other)
{
	Walk	   *walk = &grower->walk[grower->nwalks];
	Leaf		parent = *leaf;
	int64		left;
	uint32		node;

	fill_walk(grower, &parent.split, walk);
	left = partition(grower, &parent.grown, walk);
	if (!parent.split.missing_seen)
		walk->left[BIN_MISSING] = left >= parent.grown.count - left;
	node = split_node(grower, &parent, walk);
	link_walk(grower, &parent, grower->nwalks);

	*other = parent;
	leaf->grown.node = node;
	leaf->grown.count = left;
	leaf->grown.lambda_l2 = split_l2(&grower->search, parent.split.column);
	leaf->total = parent.split.left;
	other->grown.node = node + 1;
	other->grown.lambda_l2 = leaf->grown.lambda_l2;
	other->grown.start = parent.grown.start + left;
	other->grown.count = parent.grown.count - left;
	other->total = parent.total - parent.split.left;
	leaf->depth = other->depth = parent.depth + 1;
	leaf->walk = other->walk = grower->nwalks++;
	leaf->walk_right = false;
	other->walk_right = true;
	leaf->hist = other->hist = NULL;
	bound_children(grower, &parent, &leaf->grown, &other->grown);
	grower->trees->cover[node] = (double) leaf->grown.count;
	grower->trees->cover[node + 1] = (double) other->grown.count;
}

/* The smaller child's histogram from its rows, the larger one's from the parent's where that was kept. */
static void
make_histograms(Grower *grower, Leaf *leaf, Leaf *other, int64 *parent_hist)
{
	Leaf	   *small = leaf->grown.count <= other->grown.count ? leaf : other;
	Leaf	   *large = small == leaf ? other : leaf;

	large->hist = parent_hist;
	if (!may_split(grower, leaf) && !may_split(grower, other))
		return;
	build_histogram(grower, small, large);
	if (large->hist == NULL)
		build_histogram(grower, large, small);
	else
		grower->search.kernels->subtract(large->hist, small->hist, grower->hist_entries);
}

static void
split_leaf(Grower *grower, Leaf *leaf)
{
	Leaf	   *other = &grower->leaf[grower->nleaves];
	int64	   *hist = leaf->hist;

	make_children(grower, leaf, other);
	grower->nleaves++;
	make_histograms(grower, leaf, other, hist);
	search_leaf(grower, leaf);
	search_leaf(grower, other);
}

/* The leaf that gains most; of equals the first. */
static Leaf *
next_leaf(Grower *grower)
{
	Leaf	   *best = NULL;

	for (int i = 0; i < grower->nleaves; i++)
	{
		Leaf	   *leaf = &grower->leaf[i];

		if (leaf->split.gain > 0 && (best == NULL || leaf->split.gain > best->split.gain))
			best = leaf;
	}
	return best;
}

bool
grow_tree(Grower *grower, Trees *trees, const float *gradient, const float *hessian, uint64 seed)
{
	grower->trees = trees;
	grower->seed = seed;
	if (!choose_quantum(grower, gradient, hessian))
		return false;
	choose_columns(grower);
	start_root(grower, gradient, hessian);
	while (grower->nleaves < grower->options->num_leaves)
	{
		Leaf	   *leaf = next_leaf(grower);

		if (leaf == NULL)
			break;
		split_leaf(grower, leaf);
	}
	for (int i = 0; i < grower->nleaves; i++)
	{
		link_walk(grower, &grower->leaf[i], ~i);
		grower->grown[i] = grower->leaf[i].grown;
		drop_histogram(grower, &grower->leaf[i]);
	}
	return true;
}

int
grower_leaves(const Grower *grower)
{
	return grower->nleaves;
}

const GrownLeaf *
grower_leaf(const Grower *grower, int leaf)
{
	return &grower->grown[leaf];
}

const int32 *
grower_rows(const Grower *grower)
{
	return grower->rows;
}

int
grower_route(const Grower *grower, int64 row)
{
	int			at = 0;

	if (grower->nwalks == 0)
		return 0;
	while (at >= 0)
	{
		const Walk *walk = &grower->walk[at];

		at = walk->next[walk->left[walk->bytes[row]]];
	}
	return ~at;
}
