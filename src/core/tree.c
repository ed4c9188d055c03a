/*
 * tree.c
 *		Building an ensemble of trees, and what can be asked of its shape.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "utils/memutils.h"

#include "core/budget.h"
#include "core/tree.h"
#include "core/tree_internal.h"

#define FIRST_ROOM 64

void *
tree_array(Size n, Size element)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size_times(Max(n, 1), element), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* An array that may not exist yet, with room for n elements. */
static void *
enlarge(void *array, int n, Size element)
{
	Size		bytes = size_times(n, element);

	return array == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, bytes) : repalloc_huge(array, bytes);
}

static int
next_room(int room, int needed)
{
	if (needed > TREE_MAX_NODES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the trees have more than %d nodes", TREE_MAX_NODES),
				 errhint("Use fewer trees, or fewer leaves in a tree.")));
	return Max(needed, Max(FIRST_ROOM, room + room / 2));
}

static void
need_nodes(Trees *trees, int needed)
{
	if (needed <= trees->node_room)
		return;
	trees->node_room = next_room(trees->node_room, needed);
	trees->node = enlarge(trees->node, trees->node_room, sizeof(TreeNode));
	trees->value = enlarge(trees->value, trees->node_room, sizeof(double) * trees->nvalues);
	trees->cover = enlarge(trees->cover, trees->node_room, sizeof(double));
	trees->gain = enlarge(trees->gain, trees->node_room, sizeof(float));
	if (trees->set != NULL)
		trees->set = enlarge(trees->set, trees->node_room, sizeof(uint32));
}

static void
need_words(Trees *trees, int needed)
{
	if (trees->set == NULL)
		trees->set = tree_array(trees->node_room, sizeof(uint32));
	if (needed <= trees->word_room)
		return;
	trees->word_room = next_room(trees->word_room, needed);
	trees->words = enlarge(trees->words, trees->word_room, sizeof(uint32));
}

Trees *
trees_create(int ncolumns, const int *levels, int noutputs, int nvalues)
{
	Trees	   *trees = palloc0(sizeof(Trees));

	if (ncolumns > TREE_MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("trees take at most %d columns, not %d", TREE_MAX_COLUMNS, ncolumns)));
	trees->ncolumns = ncolumns;
	trees->levels = tree_array(ncolumns, sizeof(int));
	if (ncolumns > 0)
		memcpy(trees->levels, levels, sizeof(int) * ncolumns);
	trees->noutputs = noutputs;
	trees->nvalues = nvalues;
	trees->base = tree_array(noutputs, sizeof(double));
	trees->first = tree_array(1, sizeof(uint32));
	trees->tree_room = 0;
	return trees;
}

static void
make_leaf(Trees *trees, uint32 node)
{
	trees->node[node] = (TreeNode) {.threshold = INFINITY, .left = node, .kind = TREE_LEAF};
	memset(trees->value + (Size) node * trees->nvalues, 0, sizeof(double) * trees->nvalues);
	trees->cover[node] = 0;
	trees->gain[node] = 0;
	if (trees->set != NULL)
		trees->set[node] = 0;
}

static uint32
add_leaves(Trees *trees, int count)
{
	uint32		node = trees->nnodes;

	need_nodes(trees, trees->nnodes + count);
	for (int i = 0; i < count; i++)
		make_leaf(trees, node + i);
	trees->nnodes += count;
	trees->first[trees->ntrees] = trees->nnodes;
	return node;
}

uint32
trees_begin(Trees *trees)
{
	if (trees->ntrees >= trees->tree_room)
	{
		trees->tree_room = next_room(trees->tree_room, trees->ntrees + 1);
		trees->first = enlarge(trees->first, trees->tree_room + 1, sizeof(uint32));
	}
	trees->ntrees++;
	return add_leaves(trees, 1);
}

static uint32
split(Trees *trees, uint32 node, TreeNodeKind kind, int column, double threshold, bool missing_left, double gain)
{
	uint32		left = add_leaves(trees, 2);

	trees->node[node] = (TreeNode) {threshold, left, (uint16) column, kind, !missing_left};
	trees->gain[node] = (float) gain;
	return left;
}

uint32
trees_split_number(Trees *trees, uint32 node, int column, double threshold, bool missing_left, double gain)
{
	return split(trees, node, TREE_NUMBER, column, threshold, missing_left, gain);
}

uint32
trees_split_category(Trees *trees, uint32 node, int column, const uint32 *set, bool missing_left, double gain)
{
	int			nwords = tree_set_words(trees->levels[column]);
	uint32		at = trees->nwords;

	need_words(trees, trees->nwords + nwords);
	memcpy(trees->words + at, set, sizeof(uint32) * nwords);
	trees->nwords += nwords;
	trees->set[node] = at;
	return split(trees, node, TREE_CATEGORY, column, 0, missing_left, gain);
}

void
trees_truncate(Trees *trees, int ntrees)
{
	trees->ntrees = ntrees;
	trees->nnodes = trees->first[ntrees];
}

/* ---- numbers that single precision holds ---- */

double
tree_single(double value)
{
	float		single = (float) value;

	if (isfinite(single))
		return single;
	return value > 0 ? FLT_MAX : -FLT_MAX;
}

static bool
separates(float t, double low, double high)
{
	return isfinite(t) && low <= t && t < high;
}

double
tree_threshold(double low, double high)
{
	double		middle = low + (high - low) / 2;
	float		t = (float) middle;

	if (!(middle >= low && middle < high))
		middle = low;
	if (separates(t, low, high))
		return t;
	if (separates(nextafterf(t, -INFINITY), low, high))
		return nextafterf(t, -INFINITY);
	return middle;
}
