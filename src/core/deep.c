/*
 * deep.c
 *		Growing a deep tree: a node's rows are a run of the row list, its children share it.
 *
 * Depth first, the rows of a small enough subtree are copied together, so that the rest of the subtree is searched in the cache; and once more
 * where they fit the first-level cache.  In a node's run, rows that only go along follow those the tree is grown on: splitting keeps the order.
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
#define AHEAD 48				/* rows looked ahead in memory */
#define CHECK_ROWS 65536		/* rows worked on between two checks for interrupts */

static const int copy_rows[NCOPIES] = {16384, 512};

/* A node whose split is still to be found or made. */
typedef struct Open
{
	uint32		node;
	int			depth;
	int			level;			/* of the copy its rows lie in; 0: the bins themselves */
	int64		start,
				count,
				all;			/* count, and rows that go along */
	DeepSums	sums;			/* of the first count rows */
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
	uint32	   *leaf;			/* of each row of the bins */
	int			nopen;
	int			open_room;
	int			split_room;
	Open	   *open;
	DeepSplit  *split;			/* best first: of open nodes */
	uint64		seed;
	int64		unchecked;		/* rows since the last check for interrupts */
};

Size
deep_memory(int64 most_rows, int ncolumns, int nclasses)
{
	Size		arrays = nclasses > 2 ? 3 : 2;
	Size		groups = (ncolumns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;

	return size_plus(size_times(most_rows, arrays * sizeof(DeepRow)), size_times(groups, (copy_rows[0] + copy_rows[1]) * GROUP_BYTES));
}

DeepGrower *
deep_create(const Bins *bins, const double *edge, int64 most_rows, const DeepOptions *options, bool keep_risks)
{
	DeepGrower *grower = palloc0(sizeof(DeepGrower));

	grower->bins = bins;
	grower->options = options;
	grower->keep_risks = keep_risks;
	grower->row = tree_array(most_rows + AHEAD, sizeof(DeepRow));
	grower->spare = tree_array(most_rows, sizeof(DeepRow));
	grower->base[0].group = bins->group;
	for (int c = 0; c < NCOPIES; c++)
	{
		grower->base[c + 1].group = tree_array(bins->ngroups, sizeof(uint8 *));
		for (int g = 0; g < bins->ngroups; g++)
			grower->base[c + 1].group[g] = (uint8 *) TYPEALIGN(64, tree_array((Size) copy_rows[c] * GROUP_BYTES + 64, 1));
	}
	grower->tree.nvalues = options->nclasses > 2 ? options->nclasses : 1;
	deep_search_init(&grower->search, bins, edge, most_rows, options);
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
add_nodes(DeepGrower *grower, int count)
{
	DeepTree   *tree = &grower->tree;
	uint32		first = tree->nnodes;
	int			room = tree->node_room;

	if (grower->keep_risks)
		tree->risk = with_room(tree->risk, &room, tree->nnodes + count, sizeof(double));
	room = tree->node_room;
	tree->value = with_room(tree->value, &room, tree->nnodes + count, sizeof(float) * tree->nvalues);
	tree->node = with_room(tree->node, &tree->node_room, tree->nnodes + count, sizeof(DeepNode));
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
sum_rows(bool pairs, const DeepRow *row, int64 count)
{
	DeepSums	sums = {0, 0};

	for (int64 i = 0; i < count; i++)
	{
		sums += row_sums(pairs, &row[i]);
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return sums;
}

/* The shares of the classes; returns their Gini impurity times the weight. */
static double
class_shares(const DeepGrower *grower, const Open *open, float *share)
{
	int64	   *sum = grower->search.left;
	int			n = grower->tree.nvalues;
	double		weight = sums_weight(open->sums);
	double		squares = 0;

	memset(sum, 0, sizeof(int64) * n);
	for (int64 i = open->start; i < open->start + open->count; i++)
		sum[row_value(false, &grower->row[i])] += row_weight(false, &grower->row[i]);
	for (int k = 0; k < n; k++)
	{
		squares += (double) sum[k] * sum[k];
		share[k] = (float) (sum[k] / weight);
	}
	return (weight - squares / weight) * grower->options->gain_unit;
}

/* The mean; returns the squared error around it (for two classes their Gini impurity) times the weight. */
static double
mean_value(const DeepGrower *grower, const Open *open, float *value)
{
	const DeepOptions *options = grower->options;
	double		mean = (double) open->sums[1] / sums_weight(open->sums);
	double		risk = 0;

	*value = (float) tree_single(options->base - options->offset + mean * options->unit);
	for (int64 i = open->start; grower->keep_risks && i < open->start + open->count; i++)
	{
		double		off = row_value(options->pairs, &grower->row[i]) - mean;

		risk += row_weight(options->pairs, &grower->row[i]) * off * off;
	}
	return risk * options->gain_unit;
}

static void
set_value(DeepGrower *grower, const Open *open)
{
	float	   *value = grower->tree.value + (Size) open->node * grower->tree.nvalues;
	double		risk = grower->tree.nvalues > 1 ? class_shares(grower, open, value) : mean_value(grower, open, value);

	if (grower->keep_risks)
		grower->tree.risk[open->node] = risk;
}

/* The node is a leaf, and its rows end there. */
static void
note_leaf(DeepGrower *grower, const Open *open)
{
	const DeepRow *row = grower->row + open->start;

	for (int64 i = 0; i < open->count; i++)
		grower->leaf[row[i].number] = open->node;
	for (int64 i = open->count; i < open->all; i++)
		grower->leaf[row[i].number] = open->node | DEEP_LEFT_OUT;
}

/* ---- splitting ---- */

static bool
is_pure(const DeepGrower *grower, const Open *open)
{
	const DeepRow *row = grower->row + open->start;
	int64		i = 1;

	if (grower->options->nclasses == 2)
		return open->sums[1] == 0 || open->sums[1] == (open->sums[0] & PG_UINT32_MAX);
	while (i < open->count && row_value(false, &row[i]) == row_value(false, &row[0]))
		i++;
	return i == open->count;
}

static bool
may_split(const DeepGrower *grower, const Open *open)
{
	const DeepOptions *options = grower->options;
	int			deepest = options->max_depth > 0 ? Min(options->max_depth, TREE_MAX_DEPTH) : TREE_MAX_DEPTH;

	return open->count >= Max(options->min_rows_split, 2) && open->count >= 2 * options->min_rows_leaf && open->depth < deepest
		&& !is_pure(grower, open);
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

		for (int64 i = 0; i < open->all; i++)
			memcpy(to + i * GROUP_BYTES, from + (Size) row[i].row * GROUP_BYTES, GROUP_BYTES);
	}
	for (int64 i = 0; i < open->all; i++)
		row[i].row = (uint32) i;
	open->level = level;
}

/* Find the node's split; split->column stays -1 where it becomes a leaf. */
static void
find_split(DeepGrower *grower, Open *open, DeepSplit *split)
{
	DeepWhole	whole;

	split->column = -1;
	check_interrupts(grower, open->all);
	if (!may_split(grower, open))
		return;
	for (int level = NCOPIES; level > open->level && grower->options->max_leaves == 0; level--)
		if (open->all <= copy_rows[level - 1])
			copy_together(grower, open, level);
	whole = (DeepWhole) {
		.row = grower->row + open->start,
		.count = open->count,
		.base = &grower->base[open->level],
		.sums = open->sums,
	};
	deep_search(&grower->search, &whole, hash_fold(grower->seed, open->node), split);
	if (split->column >= 0 && split->gain * grower->options->gain_unit < grower->options->min_gain)
		split->column = -1;
}

/* Bins that the node's rows do not have go with the larger child. */
static void
settle_unseen(DeepSplit *split, bool left_larger)
{
	if (!split->missing_seen)
		split->missing_left = left_larger;
	for (int w = 0; w < BIN_VALUES / 64 && split->cut < 0; w++)
		split->set.left[w] |= left_larger ? ~split->seen.left[w] : 0;
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

/* Rows that go left stay in the row list, those that go right are put aside; returns how many went left. */
static inline __attribute__((always_inline)) int64
divide_rows(DeepRow *row, DeepRow *spare, int64 count, const uint8 *bytes, const uint8 *goes_left, bool far)
{
	int64		left = 0,
				right = 0;

	for (int64 i = 0; i < count; i++)
	{
		DeepRow		this = row[i];
		uint8		goes = goes_left[bytes[(Size) this.row * GROUP_BYTES]];

		if (far)
			__builtin_prefetch(bytes + (Size) row[i + AHEAD].row * GROUP_BYTES);
		row[left] = this;
		spare[right] = this;
		left += goes;
		right += !goes;
	}
	return left;
}

/* Split the node's run of rows, keeping the order on both sides; returns how many go left. */
static int64
partition(DeepGrower *grower, const Open *open, const DeepSplit *split)
{
	const uint8 *bytes = grower->base[open->level].group[split->column / GROUP_COLUMNS] + split->column % GROUP_COLUMNS;
	DeepRow    *row = grower->row + open->start;
	uint8		goes_left[BIN_VALUES];
	int64		left;

	fill_sides(split, goes_left);
	if (open->level == 0)
		left = divide_rows(row, grower->spare, open->all, bytes, goes_left, true);
	else
		left = divide_rows(row, grower->spare, open->all, bytes, goes_left, false);
	memcpy(row + left, grower->spare, sizeof(DeepRow) * (open->all - left));
	return left;
}

static int
split_cut(DeepTree *tree, const DeepSplit *split)
{
	if (split->cut >= 0)
		return split->cut;
	tree->set = with_room(tree->set, &tree->set_room, tree->nsets + 1, sizeof(DeepSet));
	tree->set[tree->nsets] = split->set;
	return -1 - tree->nsets++;
}

/* Make the node's split; its children are opened, the left one last. */
static void
make_split(DeepGrower *grower, const Open *parent, DeepSplit *split)
{
	DeepTree   *tree = &grower->tree;
	uint32		left = add_nodes(grower, 2);
	DeepNode   *node = &tree->node[parent->node];
	int64		count = sums_rows(split->left);
	Open		child[2] = {*parent, *parent};

	settle_unseen(split, count >= parent->count - count);
	node->left = left;
	node->column = (uint16) split->column;
	node->gain = (float) tree_single(split->gain * grower->options->gain_unit);
	node->missing_left = split->missing_left;
	node->cut = split_cut(tree, split);
	child[0].all = partition(grower, parent, split);
	child[0].count = count;
	child[0].sums = split->left;
	child[1].start = parent->start + child[0].all;
	child[1].all = parent->all - child[0].all;
	child[1].count = parent->count - count;
	child[1].sums = parent->sums - split->left;
	for (int right = 1; right >= 0; right--)
	{
		child[right].node = left + right;
		child[right].depth++;
		tree->node[left + right].rows = (uint32) child[right].count;
		*add_open(grower) = child[right];
	}
}

/* ---- order ---- */

static void
grow_depth_first(DeepGrower *grower)
{
	DeepSplit	split;

	while (grower->nopen > 0)
	{
		Open		open = grower->open[--grower->nopen];

		find_split(grower, &open, &split);
		if (split.column < 0 || grower->keep_risks)
			set_value(grower, &open);
		if (split.column >= 0)
			make_split(grower, &open, &split);
		else
			note_leaf(grower, &open);
	}
}

/* Of open nodes the one that gains most comes first, of equals the one made first. */
static int
by_gain(Datum a, Datum b, void *state)
{
	const DeepGrower *grower = state;
	int			x = DatumGetInt32(a);
	int			y = DatumGetInt32(b);

	if (grower->split[x].gain != grower->split[y].gain)
		return grower->split[x].gain > grower->split[y].gain ? 1 : -1;
	return grower->open[x].node < grower->open[y].node ? 1 : -1;
}

/* Nodes opened have their splits found and their values set. */
static void
rank_open(DeepGrower *grower, binaryheap *heap, int *known)
{
	grower->split = with_room(grower->split, &grower->split_room, grower->nopen, sizeof(DeepSplit));
	for (; *known < grower->nopen; (*known)++)
	{
		find_split(grower, &grower->open[*known], &grower->split[*known]);
		set_value(grower, &grower->open[*known]);
		if (grower->split[*known].column >= 0)
			binaryheap_add(heap, Int32GetDatum(*known));
	}
}

static void
grow_best_first(DeepGrower *grower)
{
	int			most = grower->options->max_leaves;
	binaryheap *heap = binaryheap_allocate(2 * most, by_gain, grower);
	int			known = 0;

	for (int leaves = 1;; leaves++)
	{
		Open		best;
		int			at;

		CHECK_FOR_INTERRUPTS();
		rank_open(grower, heap, &known);
		if (leaves >= most || binaryheap_empty(heap))
			break;
		at = DatumGetInt32(binaryheap_remove_first(heap));
		best = grower->open[at];
		make_split(grower, &best, &grower->split[at]);
	}
	binaryheap_free(heap);
	for (int i = 0; i < grower->nopen; i++)
		if (grower->tree.node[grower->open[i].node].left == 0)
			note_leaf(grower, &grower->open[i]);
	grower->nopen = 0;
}

DeepTree *
deep_grow(DeepGrower *grower, int64 count, int64 others, uint64 seed, uint32 *leaf)
{
	DeepTree   *tree = &grower->tree;
	Open		root = {.count = count,.all = count + others,.sums = sum_rows(grower->options->pairs, grower->row, count)};

	tree->nnodes = tree->nsets = 0;
	grower->nopen = 0;
	grower->seed = seed;
	grower->leaf = leaf;
	for (int j = 0; j < grower->bins->ncolumns; j++)
		grower->search.column[j] = j;
	root.node = add_nodes(grower, 1);
	tree->node[root.node].rows = (uint32) count;
	*add_open(grower) = root;
	if (grower->options->max_leaves > 0)
		grow_best_first(grower);
	else
		grow_depth_first(grower);
	return tree;
}
