/*
 * tree_plan.c
 *		Making an ensemble ready for scoring: which trees go by bit vectors, and the tests these take.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "core/tree_internal.h"

/* Alignment of the scratch arrays: the widest register. */
#define PLAN_ALIGNMENT 64

/* A tree's splits in the making: leaves each has below its left child, numbered from left to right. */
typedef struct Spread
{
	uint32	   *from;			/* (nodes of the tree) first leaf below */
	uint32	   *count;			/* leaves below */
} Spread;

static int
count_leaves(const Trees *trees, int tree)
{
	return (int) (trees->first[tree + 1] - trees->first[tree] + 1) / 2;
}

/* Can single precision hold every threshold of the tree? */
static bool
is_single(const Trees *trees, int tree)
{
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
		if (trees->node[i].kind == TREE_NUMBER && (double) (float) trees->node[i].threshold != trees->node[i].threshold)
			return false;
	return true;
}

static bool
suits_bits(const Trees *trees, int tree)
{
	return count_leaves(trees, tree) <= TREE_MAX_WORDS * TREE_WORD_LEAVES && is_single(trees, tree);
}

/* Children come behind their parents: counts are summed backwards, numbers handed out forwards. */
static void
spread_leaves(const Trees *trees, int tree, Spread *spread)
{
	uint32		first = trees->first[tree];
	uint32		n = trees->first[tree + 1] - first;

	for (uint32 i = n; i-- > 0;)
	{
		const TreeNode *node = &trees->node[first + i];
		uint32		left = node->left - first;

		spread->count[i] = node->kind == TREE_LEAF ? 1 : spread->count[left] + spread->count[left + 1];
	}
	spread->from[0] = 0;
	for (uint32 i = 0; i < n; i++)
	{
		const TreeNode *node = &trees->node[first + i];
		uint32		left = node->left - first;

		if (node->kind == TREE_LEAF)
			continue;
		spread->from[left] = spread->from[i];
		spread->from[left + 1] = spread->from[i] + spread->count[left];
	}
}

/* Leaves from .. from+count-1 that lie in a word, as bits. */
static uint32
leaf_bits(uint32 from, uint32 count, int word)
{
	uint64		all = count >= 64 ? ~UINT64CONST(0) : (UINT64CONST(1) << count) - 1;

	return (uint32) ((all << from) >> (word * TREE_WORD_LEAVES));
}

static TreeTestKind
test_kind(const TreeNode *node)
{
	if (node->kind == TREE_CATEGORY)
		return TEST_CATEGORY;
	return node->missing_right ? TEST_MISSING_RIGHT : TEST_MISSING_LEFT;
}

/* The tests of one tree, one word and one kind, behind those already there; returns how many there are now. */
static uint32
add_tests(const Trees *trees, int tree, const Spread *spread, int word, TreeTestKind kind, const uint32 *slot_of, TreeTest *test, uint32 n)
{
	uint32		first = trees->first[tree];

	for (uint32 i = first; i < trees->first[tree + 1]; i++)
	{
		const TreeNode *node = &trees->node[i];
		uint32		struck;

		if (node->kind == TREE_LEAF || test_kind(node) != kind)
			continue;
		struck = leaf_bits(spread->from[i - first], spread->count[node->left - first], word);
		if (struck == 0)
			continue;
		test[n++] = (TreeTest) {
			.threshold = kind == TEST_CATEGORY ? 0 : (float) node->threshold,
			.keep = ~struck,
			.slot = kind == TEST_CATEGORY ? i : slot_of[node->column],
		};
	}
	return n;
}

static void
plan_bits(const Trees *trees, int tree, const Spread *spread, const uint32 *slot_of, TreePlan *plan, uint32 *ntests, uint32 *nleaves)
{
	TreeBits   *bits = &plan->bits[tree];
	uint32		first = trees->first[tree];

	bits->nwords = (count_leaves(trees, tree) + TREE_WORD_LEAVES - 1) / TREE_WORD_LEAVES;
	bits->first_test = *ntests;
	bits->first_value = *nleaves;
	spread_leaves(trees, tree, unconstify(Spread *, spread));
	for (int w = 0; w < bits->nwords; w++)
		for (int kind = 0; kind < TREE_TEST_KINDS; kind++)
			bits->end[w][kind] = *ntests = add_tests(trees, tree, spread, w, kind, slot_of, plan->test, *ntests);
	for (uint32 i = first; i < trees->first[tree + 1]; i++)
		if (trees->node[i].kind == TREE_LEAF)
			memcpy(plan->leaf_value + (Size) (*nleaves + spread->from[i - first]) * trees->nvalues,
				   trees->value + (Size) i * trees->nvalues, sizeof(double) * trees->nvalues);
	*nleaves += count_leaves(trees, tree);
	plan->has_bits = true;
}

/* Number the columns that number splits test. */
static uint32 *
find_slots(const Trees *trees, TreePlan *plan)
{
	uint32	   *slot_of = tree_array(trees->ncolumns, sizeof(uint32));
	bool	   *used = tree_array(trees->ncolumns, sizeof(bool));

	for (int i = 0; i < trees->nnodes; i++)
	{
		if (trees->node[i].kind == TREE_NUMBER)
			used[trees->node[i].column] = true;
		plan->has_categories |= trees->node[i].kind == TREE_CATEGORY;
	}
	plan->slot_column = tree_array(trees->ncolumns, sizeof(uint32));
	for (int j = 0; j < trees->ncolumns; j++)
	{
		if (!used[j])
			continue;
		slot_of[j] = plan->nslots;
		plan->slot_column[plan->nslots++] = j;
	}
	pfree(used);
	return slot_of;
}

static void *
aligned_array(Size n, Size element)
{
	return (void *) TYPEALIGN(PLAN_ALIGNMENT, tree_array(n * element + PLAN_ALIGNMENT, 1));
}

TreePlan *
tree_plan(const Trees *trees)
{
	TreePlan   *plan = palloc0(sizeof(TreePlan));
	uint32	   *slot_of = find_slots(trees, plan);
	Spread		spread;
	Size		nodes = 0,
				leaves = 0;
	uint32		ntests = 0,
				nleaves = 0;

	for (int t = 0; t < trees->ntrees; t++)
	{
		if (!suits_bits(trees, t))
			continue;
		nodes += trees->first[t + 1] - trees->first[t];
		leaves += count_leaves(trees, t);
	}
	spread.from = tree_array(TREE_MAX_WORDS * TREE_WORD_LEAVES * 2, sizeof(uint32));
	spread.count = tree_array(TREE_MAX_WORDS * TREE_WORD_LEAVES * 2, sizeof(uint32));
	plan->bits = tree_array(trees->ntrees, sizeof(TreeBits));
	plan->test = tree_array(nodes * TREE_MAX_WORDS, sizeof(TreeTest));
	plan->leaf_value = tree_array(leaves * trees->nvalues, sizeof(double));
	plan->block = aligned_array((Size) plan->nslots * TREE_BLOCK, sizeof(float));
	plan->leaf = aligned_array(TREE_MAX_WORDS * TREE_BLOCK, sizeof(uint32));
	for (int t = 0; t < trees->ntrees; t++)
		if (suits_bits(trees, t))
			plan_bits(trees, t, &spread, slot_of, plan, &ntests, &nleaves);
	pfree(spread.from);
	pfree(spread.count);
	pfree(slot_of);
	return plan;
}
