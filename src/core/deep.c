/*
 * deep.c
 *		Growing a deep tree: a node's rows are a run of the row list, its children share it.
 *
 * Depth first, the rows of a small enough subtree are copied together, so that the rest of the subtree is searched in the cache; and once more
 * where they fit the first-level cache.
 */
#include "postgres.h"

#include <math.h>

#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/deep_internal.h"
#include "core/hash.h"
#include "core/tree_internal.h"

#define NCOPIES 2
#define FIRST_NODES 256
#define CHECK_ROWS 65536		/* rows worked on between two checks for interrupts */

static const int copy_rows[NCOPIES] = {16384, 512};

/* A node whose split is still to be found or made. */
typedef struct Open
{
	uint32		node;
	int			depth;
	int			level;			/* of the copy its rows lie in; 0: the bins themselves */
	int64		start,
				count;
	DeepSums	sums;
	DeepSplit	split;			/* best first: found already */
} Open;

struct DeepGrower
{
	const Bins *bins;
	const DeepOptions *options;
	bool		keep_risks;
	DeepSearch	search;
	DeepRow    *row;
	DeepRow    *spare;
	DeepBase	base[NCOPIES + 1];
	DeepTree	tree;
	int			nopen;
	int			open_room;
	Open	   *open;
	uint64		seed;
	int64		unchecked;		/* rows since the last check for interrupts */
};

Size
deep_memory(int64 most_rows, int ncolumns)
{
	Size		groups = (ncolumns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;

	return size_plus(size_times(most_rows, 3 * sizeof(DeepRow)), size_times(groups, (copy_rows[0] + copy_rows[1]) * GROUP_BYTES));
}

DeepGrower *
deep_create(const Bins *bins, int64 most_rows, const DeepOptions *options, bool keep_risks)
{
	DeepGrower *grower = palloc0(sizeof(DeepGrower));

	grower->bins = bins;
	grower->options = options;
	grower->keep_risks = keep_risks;
	grower->row = tree_array(most_rows, sizeof(DeepRow));
	grower->spare = tree_array(most_rows, sizeof(DeepRow));
	grower->base[0].group = bins->group;
	for (int c = 0; c < NCOPIES; c++)
	{
		grower->base[c + 1].group = tree_array(bins->ngroups, sizeof(uint8 *));
		for (int g = 0; g < bins->ngroups; g++)
			grower->base[c + 1].group[g] = (uint8 *) TYPEALIGN(64, tree_array((Size) copy_rows[c] * GROUP_BYTES + 64, 1));
	}
	grower->tree.nvalues = options->nclasses > 2 ? options->nclasses : 1;
	deep_search_init(&grower->search, bins, options, most_rows);
	return grower;
}

DeepRow *
deep_rows(DeepGrower *grower)
{
	return grower->row;
}

/* ---- arrays that grow ---- */

static void *
with_room(void *array, int *room, int needed, Size element)
{
	if (needed <= *room)
		return array;
	*room = Max(needed, Max(FIRST_NODES, *room * 2));
	return array == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, size_times(*room, element)) :
		repalloc_huge(array, size_times(*room, element));
}

static uint32
add_nodes(DeepTree *tree, int count)
{
	uint32		first = tree->nnodes;
	int			room = tree->node_room;

	tree->node = with_room(tree->node, &tree->node_room, tree->nnodes + count, sizeof(DeepNode));
	tree->value = with_room(tree->value, &room, tree->nnodes + count, sizeof(double) * tree->nvalues);
	memset(tree->node + first, 0, sizeof(DeepNode) * count);
	tree->nnodes += count;
	return first;
}

static Open *
add_open(DeepGrower *grower)
{
	grower->open = with_room(grower->open, &grower->open_room, grower->nopen + 1, sizeof(Open));
	return &grower->open[grower->nopen++];
}

static void
check_interrupts(DeepGrower *grower, int64 rows)
{
	grower->unchecked += rows;
	if (grower->unchecked < CHECK_ROWS)
		return;
	grower->unchecked = 0;
	CHECK_FOR_INTERRUPTS();
}

/* ---- values and risks ---- */

static DeepSums
sum_rows(const DeepRow *row, int64 count)
{
	DeepSums	sums = {0, 0};

	for (int64 i = 0; i < count; i++)
		sums += row_sums(&row[i]);
	return sums;
}

/* The shares of the classes; returns their Gini impurity times the weight. */
static double
class_shares(const DeepGrower *grower, const Open *open, double *share)
{
	int			n = grower->tree.nvalues;
	double		weight = sums_weight(open->sums);
	double		squares = 0;

	memset(share, 0, sizeof(double) * n);
	for (int64 i = open->start; i < open->start + open->count; i++)
		share[grower->row[i].value] += grower->row[i].weight;
	for (int k = 0; k < n; k++)
	{
		squares += share[k] * share[k];
		share[k] = tree_single(share[k] / weight);
	}
	return (weight - squares / weight) * grower->options->gain_unit;
}

/* The mean; returns the squared error around it (for two classes their Gini impurity) times the weight. */
static double
mean_value(const DeepGrower *grower, const Open *open, double *value)
{
	const DeepOptions *options = grower->options;
	double		mean = (double) open->sums[1] / sums_weight(open->sums);
	double		risk = 0;

	*value = tree_single(options->base + mean * options->unit);
	for (int64 i = open->start; grower->keep_risks && i < open->start + open->count; i++)
	{
		double		off = grower->row[i].value - mean;

		risk += grower->row[i].weight * off * off;
	}
	return risk * options->gain_unit;
}

static void
set_value(DeepGrower *grower, const Open *open)
{
	double	   *value = grower->tree.value + (Size) open->node * grower->tree.nvalues;
	double		risk = grower->tree.nvalues > 1 ? class_shares(grower, open, value) : mean_value(grower, open, value);

	grower->tree.node[open->node].risk = grower->keep_risks ? risk : 0;
}

/* ---- splitting ---- */

static bool
is_pure(const DeepRow *row, int64 count)
{
	int64		i = 1;

	while (i < count && row[i].value == row[0].value)
		i++;
	return i == count;
}

static bool
may_split(const DeepGrower *grower, const Open *open)
{
	const DeepOptions *options = grower->options;
	int			deepest = options->max_depth > 0 ? Min(options->max_depth, TREE_MAX_DEPTH) : TREE_MAX_DEPTH;

	return open->count >= Max(options->min_rows_split, 2) && open->count >= 2 * options->min_rows_leaf && open->depth < deepest
		&& !is_pure(grower->row + open->start, open->count);
}

/* Copy the bins of the node's rows together, and let the rows point there. */
static void
copy_together(DeepGrower *grower, Open *open, int level)
{
	DeepRow    *row = grower->row + open->start;

	for (int g = 0; g < grower->bins->ngroups; g++)
	{
		const uint8 *from = grower->base[open->level].group[g];
		uint8	   *to = grower->base[level].group[g];

		for (int64 i = 0; i < open->count; i++)
			memcpy(to + i * GROUP_BYTES, from + (Size) row[i].row * GROUP_BYTES, GROUP_BYTES);
	}
	for (int64 i = 0; i < open->count; i++)
		row[i].row = (uint32) i;
	open->level = level;
}

/* Find the node's split; split.column stays -1 where it becomes a leaf. */
static void
find_split(DeepGrower *grower, Open *open)
{
	DeepWhole	whole;

	open->split.column = -1;
	check_interrupts(grower, open->count);
	if (!may_split(grower, open))
		return;
	for (int level = NCOPIES; level > open->level && grower->options->max_leaves == 0; level--)
		if (open->count <= copy_rows[level - 1])
			copy_together(grower, open, level);
	whole = (DeepWhole) {
		.row = grower->row + open->start,
		.count = open->count,
		.base = &grower->base[open->level],
		.sums = open->sums,
	};
	deep_search(&grower->search, &whole, hash_fold(grower->seed, open->node), &open->split);
	if (open->split.column >= 0 && open->split.gain * grower->options->gain_unit < grower->options->min_gain)
		open->split.column = -1;
}

/* Which bins go left. */
static void
fill_sides(const DeepSplit *split, uint8 *goes_left)
{
	if (split->cut >= 0)
	{
		memset(goes_left, 1, split->cut + 1);
		memset(goes_left + split->cut + 1, 0, BIN_VALUES - split->cut - 1);
	}
	else
		for (int b = 0; b < BIN_VALUES; b++)
			goes_left[b] = (split->set.left[b >> 6] >> (b & 63)) & 1;
	goes_left[BIN_MISSING] = split->missing_left;
}

/* Split the node's run of rows, keeping the order on both sides; returns how many went left, and their sums. */
static int64
partition(DeepGrower *grower, const Open *open, DeepSums *left_sums)
{
	int			column = open->split.column;
	const uint8 *bytes = grower->base[open->level].group[column / GROUP_COLUMNS] + column % GROUP_COLUMNS;
	DeepRow    *row = grower->row + open->start;
	DeepRow    *spare = grower->spare;
	DeepSums	sums = {0, 0};
	uint8		goes_left[BIN_VALUES];
	int64		left = 0,
				right = 0;

	fill_sides(&open->split, goes_left);
	for (int64 i = 0; i < open->count; i++)
	{
		DeepRow		this = row[i];
		uint8		goes = goes_left[bytes[(Size) this.row * GROUP_BYTES]];

		row[left] = this;
		spare[right] = this;
		left += goes;
		right += !goes;
	}
	memcpy(row + left, spare, sizeof(DeepRow) * right);
	if (left <= right)
		sums = sum_rows(row, left);
	else
		sums = open->sums - sum_rows(row + left, right);
	*left_sums = sums;
	return left;
}

static int
split_cut(DeepTree *tree, const DeepSplit *split, bool left_larger)
{
	DeepSet    *set;

	if (split->cut >= 0)
		return split->cut;
	tree->set = with_room(tree->set, &tree->set_room, tree->nsets + 1, sizeof(DeepSet));
	set = &tree->set[tree->nsets];
	for (int w = 0; w < BIN_VALUES / 64; w++)
		set->left[w] = split->set.left[w] | (left_larger ? ~split->seen.left[w] : 0);
	return -1 - tree->nsets++;
}

/* Make the node's split; its children are opened, the left one last. */
static void
make_split(DeepGrower *grower, Open parent)
{
	DeepTree   *tree = &grower->tree;
	uint32		left = add_nodes(tree, 2);
	DeepNode   *node = &tree->node[parent.node];
	Open		child = {.depth = parent.depth + 1,.level = parent.level};
	DeepSums	left_sums;
	int64		nleft = partition(grower, &parent, &left_sums);
	bool		left_larger = nleft >= parent.count - nleft;

	node->left = left;
	node->column = (uint16) parent.split.column;
	node->gain = (float) tree_single(parent.split.gain * grower->options->gain_unit);
	node->missing_left = parent.split.missing_seen ? parent.split.missing_left : left_larger;
	node->cut = split_cut(tree, &parent.split, left_larger);
	for (int right = 1; right >= 0; right--)
	{
		child.node = left + right;
		child.start = parent.start + (right ? nleft : 0);
		child.count = right ? parent.count - nleft : nleft;
		child.sums = right ? parent.sums - left_sums : left_sums;
		tree->node[child.node].rows = (uint32) child.count;
		*add_open(grower) = child;
	}
}

/* ---- order ---- */

static void
grow_depth_first(DeepGrower *grower)
{
	while (grower->nopen > 0)
	{
		Open		open = grower->open[--grower->nopen];

		find_split(grower, &open);
		if (open.split.column < 0 || grower->keep_risks)
			set_value(grower, &open);
		if (open.split.column >= 0)
			make_split(grower, open);
	}
}

/* Of open nodes the one that gains most comes first, of equals the one made first. */
static int
by_gain(Datum a, Datum b, void *state)
{
	const DeepGrower *grower = state;
	const Open *x = &grower->open[DatumGetInt32(a)];
	const Open *y = &grower->open[DatumGetInt32(b)];

	if (x->split.gain != y->split.gain)
		return x->split.gain > y->split.gain ? 1 : -1;
	return x->node < y->node ? 1 : -1;
}

/* Every node has its split found and its value set as soon as it is opened. */
static void
grow_best_first(DeepGrower *grower)
{
	int			most = grower->options->max_leaves;
	binaryheap *heap = binaryheap_allocate(2 * most, by_gain, grower);
	int			known = 0;

	for (int leaves = 1;; leaves++)
	{
		CHECK_FOR_INTERRUPTS();
		for (; known < grower->nopen; known++)
		{
			find_split(grower, &grower->open[known]);
			set_value(grower, &grower->open[known]);
			if (grower->open[known].split.column >= 0)
				binaryheap_add(heap, Int32GetDatum(known));
		}
		if (leaves >= most || binaryheap_empty(heap))
			break;
		make_split(grower, grower->open[DatumGetInt32(binaryheap_remove_first(heap))]);
	}
	binaryheap_free(heap);
	grower->nopen = 0;
}

DeepTree *
deep_grow(DeepGrower *grower, int64 count, uint64 seed)
{
	DeepTree   *tree = &grower->tree;
	Open		root = {.count = count,.sums = sum_rows(grower->row, count)};

	tree->nnodes = tree->nsets = 0;
	grower->nopen = 0;
	grower->seed = seed;
	for (int j = 0; j < grower->bins->ncolumns; j++)
		grower->search.column[j] = j;
	root.node = add_nodes(tree, 1);
	tree->node[root.node].rows = (uint32) count;
	*add_open(grower) = root;
	if (grower->options->max_leaves > 0)
		grow_best_first(grower);
	else
		grow_depth_first(grower);
	return tree;
}
