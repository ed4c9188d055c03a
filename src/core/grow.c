/*
 * grow.c
 *		Growing a tree leaf by leaf: the leaf whose best split gains most is split next (Shi 2007; LightGBM).
 *
 * A leaf's rows are a run of the row list.  Of two children the smaller one's histogram is built from its rows, the other's is the parent's minus
 * that.  Histograms of leaves that wait are kept while there is room, those of the least gain are dropped first and built again when needed.
 */
#include "postgres.h"

#include <float.h>
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
#define HISTOGRAM_ROOM ((Size) 256 * 1024 * 1024)	/* for histograms of leaves that wait */
#define FEWEST_HISTOGRAMS 3		/* a parent and two children */

/* ---- making ---- */

static int
histograms_kept(const GrowOptions *options, Size entries)
{
	Size		fitting = HISTOGRAM_ROOM / (Max(entries, 1) * sizeof(int64));

	return (int) Max(FEWEST_HISTOGRAMS, Min(fitting, (Size) options->num_leaves + 1));
}

Grower *
grower_layout(Arena *arena, const Bins *bins, int64 ntrain, const GrowOptions *options, int nmembers,
			  int ntrees, const float *gradient, const float *hessian)
{
	Grower	   *grower = palloc0(sizeof(Grower));
	const GrowKernels *fast = grow_avx2();
	int			ncolumns = bins->ncolumns;

	grower->bins = bins;
	grower->options = options;
	grower->search.bins = bins;
	grower->search.options = options;
	grower->search.kernels = fast != NULL ? fast : &grow_baseline;
	grower->ntrain = ntrain;
	grower->nmembers = nmembers;
	grower->gradient = gradient;
	grower->hessian = hessian;
	grower->hist_entries = (Size) bins->ngroups * HIST_GROUP;
	grower->nslots = histograms_kept(options, grower->hist_entries);

	grower->job = arena_array(arena, 1, sizeof(GrowJob));
	grower->rows = arena_array(arena, ntrain + LIST_PADDING, sizeof(int32));
	grower->spare = arena_space(arena, ntrain + LIST_PADDING, sizeof(int32));
	grower->pool = arena_space(arena, size_times(grower->nslots, grower->hist_entries), sizeof(int64));
	grower->sums = arena_space(arena, nmembers > 1 ? size_times(nmembers, grower->hist_entries) : 0, sizeof(int64));
	grower->sizes = arena_array(arena, size_times(ntrees, gradient_pieces(grower)), sizeof(GradientSizes));
	grower->lefts = arena_array(arena, nmembers * PIECES_A_MEMBER + 1, sizeof(int64));
	grower->use_group = arena_array(arena, bins->ngroups, sizeof(bool));
	grower->column = arena_array(arena, ncolumns, sizeof(int));
	grower->node_column = arena_array(arena, 2 * (Size) ncolumns, sizeof(bool));
	grower->split = arena_array(arena, 2 * (Size) ncolumns, sizeof(Split));
	grower->walk = arena_array(arena, options->num_leaves, sizeof(Walk));
	grower->grown = arena_array(arena, options->num_leaves, sizeof(GrownLeaf));
	return grower;
}

/* What only the leader needs, at the first tree. */
static void
prepare_leader(Grower *grower)
{
	grower->free_slot = tree_array(grower->nslots, sizeof(int));
	for (int slot = grower->nslots; slot-- > 0;)
		grower->free_slot[grower->nfree++] = slot;
	grower->leaf = tree_array(grower->options->num_leaves, sizeof(Leaf));
	grower->drawn = tree_array(grower->bins->ncolumns, sizeof(int));
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
	int			n = grower->bins->ncolumns;

	for (int j = 0; j < n; j++)
		grower->drawn[j] = j;
	grower->job->ncolumns = n == 0 ? 0 :
		sample_columns(grower->drawn, n, grower->options->feature_fraction, hash_fold(grower->seed, 1), grower->column);
	memset(grower->use_group, 0, grower->bins->ngroups);
	for (int i = 0; i < grower->job->ncolumns; i++)
		grower->use_group[grower->column[i] / GROUP_COLUMNS] = true;
}

/* Which of the tree's columns a child may split on. */
static void
choose_node_columns(Grower *grower, int child)
{
	bool	   *chosen = grower->node_column + (Size) child * grower->bins->ncolumns;
	uint64		seed = hash_fold(grower->seed, 3 + (uint64) grower->job->child[child].grown.node);
	int			n = sample_columns(grower->column, grower->job->ncolumns, grower->options->feature_fraction_bynode, seed, grower->drawn);

	memset(chosen, 0, sizeof(bool) * grower->bins->ncolumns);
	for (int i = 0; i < n; i++)
		chosen[grower->drawn[i]] = true;
}

/* ---- gradients ---- */

static float
bits_float(int32 bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static GradientSizes
tree_sizes(const Grower *grower)
{
	int64		npieces = gradient_pieces(grower);
	const GradientSizes *seen = grower->sizes + grower->job->tree * npieces;
	GradientSizes sizes = {.least_hessian = PG_INT32_MAX};

	for (int64 piece = 0; piece < npieces; piece++)
	{
		sizes.gradient = Max(sizes.gradient, seen[piece].gradient);
		sizes.hessian = Max(sizes.hessian, seen[piece].hessian);
		sizes.least_hessian = Min(sizes.least_hessian, seen[piece].least_hessian);
		sizes.gradient_squares += seen[piece].gradient_squares;
		sizes.hessians += seen[piece].hessians;
	}
	return sizes;
}

/*
 * As many levels as the sum of all rows has room for: a row has (levels * mean / largest) of them on average, and rounding adds hardly more than one.
 * One level has room in any case: rows are at most 2^27 (MOST_ROWS).
 */
static int
most_levels(int most, double room, double rows, double largest, double mean)
{
	double		levels = (room / rows - 2) * (largest / mean);

	return levels < most ? (int) Max(levels, 1) : most;
}

/* Scales that bring the largest gradient and hessian to the last level; false where they are not finite. */
static bool
choose_quantum(Grower *grower)
{
	Quantum    *quantum = &grower->job->quantum;
	GradientSizes sizes = tree_sizes(grower);
	double		rows = (double) Max(grower->ntrain, 1);
	double		gradient = bits_float(sizes.gradient);
	double		hessian = bits_float(sizes.hessian);
	double		usual_gradient = sqrt(sizes.gradient_squares / rows);	/* not below the mean of sizes (Jensen) */
	double		usual_hessian = sizes.hessians / rows;
	int			gradient_levels = most_levels(GRADIENT_LEVELS, PG_INT32_MAX, rows, gradient, usual_gradient);
	int			hessian_levels = most_levels(HESSIAN_LEVELS, PG_UINT32_MAX, rows, hessian, usual_hessian);

	if (sizes.gradient >= INFINITE_BITS || sizes.hessian >= INFINITE_BITS)
		return false;
	quantum->all_one = sizes.least_hessian == sizes.hessian;
	quantum->gradient = gradient > 0 ? gradient / gradient_levels : 1;
	quantum->hessian = hessian > 0 ? hessian / (quantum->all_one ? 1 : hessian_levels) : 1;
	quantum->gradient_scale = (float) Min(1 / quantum->gradient, FLT_MAX) * SLIGHTLY_LESS;
	quantum->hessian_scale = (float) Min(1 / quantum->hessian, FLT_MAX) * SLIGHTLY_LESS;
	quantum->seed = (uint32) hash_fold(grower->seed, 2);
	grower->search.quantum = *quantum;
	return true;
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

/* A slot for a histogram: a free one, else that of the waiting leaf that gains least (but not of "keep"). */
static int
take_slot(Grower *grower, const Leaf *keep)
{
	Leaf	   *least = NULL;
	int			slot;

	if (grower->nfree > 0)
		return grower->free_slot[--grower->nfree];
	for (int i = 0; i < grower->nleaves; i++)
	{
		Leaf	   *leaf = &grower->leaf[i];

		if (leaf != keep && leaf->slot >= 0 && (least == NULL || leaf->split.gain < least->split.gain))
			least = leaf;
	}
	slot = least->slot;
	least->slot = -1;
	return slot;
}

static void
drop_slot(Grower *grower, Leaf *leaf)
{
	if (leaf->slot >= 0)
		grower->free_slot[grower->nfree++] = leaf->slot;
	leaf->slot = -1;
}

/* Empty histograms to build into. */
static void
start_histogram(Grower *grower, int slot)
{
	memset(grower_histogram(grower, slot), 0, grower->hist_entries * sizeof(int64));
	memset(grower->job->touched, 0, sizeof(grower->job->touched));
	grower->job->target = slot;
	grower->job->merge = true;
}

/* Divide work on rows into pieces; returns how many. */
static int64
divide_rows(Grower *grower, int64 from, int64 count, int64 piece)
{
	grower->job->from = from;
	grower->job->count = count;
	grower->job->piece = piece;
	return (count + piece - 1) / piece;
}

/* The histogram of a leaf's rows; other members' sums are merged by the search that follows. */
static void
build_histogram(Grower *grower, Leaf *leaf, const Leaf *keep)
{
	int64		share = leaf->grown.count / grower->nmembers + 1;

	leaf->slot = take_slot(grower, keep);
	start_histogram(grower, leaf->slot);
	team_run(grower->team, GROW_HISTOGRAM, divide_rows(grower, leaf->grown.start, leaf->grown.count,
													   Min(Max(share, LEAST_HISTOGRAM_PIECE), MOST_HISTOGRAM_PIECE)));
}

static void
run_search(Grower *grower, int nchildren, bool subtract)
{
	grower->job->nchildren = nchildren;
	grower->job->subtract = subtract;
	team_run(grower->team, GROW_SEARCH, (grower->job->ncolumns + SEARCH_PIECE - 1) / SEARCH_PIECE);
	grower->job->merge = grower->job->subtract = false;
}

static bool
may_split(const Grower *grower, const Leaf *leaf)
{
	int			deepest = grower->options->max_depth > 0 ? Min(grower->options->max_depth, TREE_MAX_DEPTH) : TREE_MAX_DEPTH;

	return leaf->depth < deepest && leaf->grown.count >= 2 * grower->options->min_data_in_leaf && leaf->grown.count >= 2
		&& packed_hessian(leaf->total) >= 2;
}

static void
offer_child(Grower *grower, int child, const Leaf *leaf)
{
	Leaf	   *offered = &grower->job->child[child];

	*offered = *leaf;
	choose_node_columns(grower, child);
	if (!may_split(grower, leaf))
		memset(grower->node_column + (Size) child * grower->bins->ncolumns, 0, sizeof(bool) * grower->bins->ncolumns);
}

/* The best of what the columns offer; of equals the first column's. */
static void
take_split(Grower *grower, int child, Leaf *leaf)
{
	const Split *split = grower->split + (Size) child * grower->bins->ncolumns;

	leaf->split.gain = 0;
	for (int i = 0; i < grower->job->ncolumns; i++)
	{
		const Split *offer = &split[grower->column[i]];

		if (offer->gain > 0 && (leaf->split.gain == 0 || offer->value > leaf->split.value))
			leaf->split = *offer;
	}
	if (leaf->split.gain <= 0)
		drop_slot(grower, leaf);
}

static void
start_root(Grower *grower)
{
	Leaf	   *root = &grower->leaf[0];

	*root = (Leaf) {
		.grown = {.node = trees_begin(grower->trees),.low = -HUGE_VAL,.high = HUGE_VAL,.lambda_l2 = grower->options->lambda_l2},
		.slot = -1,
		.walk = -1,
	};
	root->grown.count = grower->bag ? grower->bag_count : grower->ntrain;
	grower->nleaves = 1;
	grower->job->nwalks = 0;
	grower->trees->cover[root->grown.node] = (double) root->grown.count;
	if (grower->bag != NULL)
		memcpy(grower->rows, grower->bag, sizeof(int32) * root->grown.count);
	root->slot = take_slot(grower, NULL);
	grower->job->bagged = grower->bag != NULL;
	start_histogram(grower, root->slot);
	team_run(grower->team, GROW_QUANTISE, (grower->ntrain + QUANTISE_PIECE - 1) / QUANTISE_PIECE);
	if (grower->job->ncolumns == 0)
	{
		drop_slot(grower, root);
		return;
	}
	if (grower->bag)
	{
		drop_slot(grower, root);
		build_histogram(grower, root, NULL);
	}
	run_search(grower, 0, false);
	root->total = column_total(grower_histogram(grower, root->slot) + (Size) grower->column[0] * HIST_COLUMN);
	offer_child(grower, 0, root);
	run_search(grower, 1, false);
	take_split(grower, 0, root);
}

/* ---- splitting ---- */

/* Which bins go left; what no row of the leaf is missing is decided when the children are known. */
static void
fill_walk(const Grower *grower, const Split *split, Walk *walk)
{
	bool		category = grower->bins->column[split->column].levels > 0;

	walk->column = split->column;
	for (int b = 0; b < BIN_MISSING; b++)
		walk->left[b] = category ? split_has_bin(split, b) : b <= split->bin;
	walk->left[BIN_MISSING] = split->missing_left;
}

/* One piece, in place. */
static int64
partition_piece(Grower *grower, const GrownLeaf *leaf, const Walk *walk)
{
	const uint8 *bytes = bins_column(grower->bins, walk->column);
	int32	   *rows = grower->rows + leaf->start;
	int32	   *spare = grower->spare;
	int64		left = 0,
				right = 0;

	for (int64 i = 0; i < leaf->count; i++)
	{
		int32		row = rows[i];
		uint8		goes_left = walk->left[bytes[row]];

		rows[left] = row;
		spare[right] = row;
		left += goes_left;
		right += !goes_left;
	}
	memcpy(rows + left, spare, sizeof(int32) * right);
	return left;
}

/* Divide the leaf's run of rows, keeping the order on both sides; returns how many went left. */
static int64
partition(Grower *grower, const GrownLeaf *leaf, int walk)
{
	int64		share = leaf->count / (grower->nmembers * PIECES_A_MEMBER) + 1;
	int64		npieces = divide_rows(grower, leaf->start, leaf->count, Max(share, LEAST_PARTITION_PIECE));
	int64		left = 0;

	CHECK_FOR_INTERRUPTS();
	if (npieces < 2 || team_size(grower->team) < 2)
		return partition_piece(grower, leaf, &grower->walk[walk]);
	grower->job->walk = walk;
	team_run(grower->team, GROW_PARTITION, npieces);
	team_run(grower->team, GROW_JOIN, npieces);
	for (int64 piece = 0; piece < npieces; piece++)
		left += grower->lefts[piece];
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
	int			number = grower->job->nwalks++;
	Walk	   *walk = &grower->walk[number];
	Leaf		parent = *leaf;
	int64		left;
	uint32		node;

	fill_walk(grower, &parent.split, walk);
	left = partition(grower, &parent.grown, number);
	if (!parent.split.missing_seen)
		walk->left[BIN_MISSING] = left >= parent.grown.count - left;
	node = split_node(grower, &parent, walk);
	link_walk(grower, &parent, number);

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
	leaf->walk = other->walk = number;
	leaf->walk_right = false;
	other->walk_right = true;
	leaf->slot = other->slot = -1;
	bound_children(grower, &parent, &leaf->grown, &other->grown);
	grower->trees->cover[node] = (double) leaf->grown.count;
	grower->trees->cover[node + 1] = (double) other->grown.count;
}

/*
 * The smaller child's histogram from its rows, the larger one's from the parent's where that was kept; then the search, which merges and subtracts
 * column by column.
 */
static void
search_children(Grower *grower, Leaf *leaf, Leaf *other, int parent_slot)
{
	Leaf	   *small = leaf->grown.count <= other->grown.count ? leaf : other;
	Leaf	   *large = small == leaf ? other : leaf;

	large->slot = parent_slot;
	leaf->split.gain = other->split.gain = 0;
	if (grower->nleaves == grower->options->num_leaves || (!may_split(grower, leaf) && !may_split(grower, other)))
	{
		drop_slot(grower, large);
		return;
	}
	if (parent_slot < 0)
	{
		build_histogram(grower, large, small);
		run_search(grower, 0, false);
	}
	build_histogram(grower, small, large);
	offer_child(grower, 0, small);
	offer_child(grower, 1, large);
	run_search(grower, 2, parent_slot >= 0);
	take_split(grower, 0, small);
	take_split(grower, 1, large);
}

static void
split_leaf(Grower *grower, Leaf *leaf)
{
	Leaf	   *other = &grower->leaf[grower->nleaves];
	int			slot = leaf->slot;

	make_children(grower, leaf, other);
	grower->nleaves++;
	search_children(grower, leaf, other, slot);
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
grow_tree(Grower *grower, Team *team, Trees *trees, int tree, uint64 seed)
{
	if (grower->leaf == NULL)
		prepare_leader(grower);
	grower->team = team;
	grower->trees = trees;
	grower->seed = seed;
	grower->job->tree = tree;
	if (!choose_quantum(grower))
		return false;
	choose_columns(grower);
	start_root(grower);
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
		drop_slot(grower, &grower->leaf[i]);
	}
	grower->job->nleaves = grower->nleaves;
	return true;
}

int
grower_leaves(const Grower *grower)
{
	return grower->job->nleaves;
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

	if (grower->job->nwalks == 0)
		return 0;
	while (at >= 0)
	{
		const Walk *walk = &grower->walk[at];

		at = walk->next[walk->left[bins_column(grower->bins, walk->column)[row]]];
	}
	return ~at;
}
