/*
 * tree_plan.c
 *		Making an ensemble ready for scoring: how its rows are coded, how each tree is scored, and the tests this takes.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/tree_plan_internal.h"

#define MAX_LINES 16384			/* twice as many and the choices of a tree are numbered in 16 bits */

static int
count_leaves(const Trees *trees, int tree)
{
	return (int) (trees->first[tree + 1] - trees->first[tree] + 1) / 2;
}

void *
tree_aligned(Size n, Size element)
{
	return (void *) TYPEALIGN(TREE_ALIGNMENT, tree_array(n * element + TREE_ALIGNMENT, 1));
}

void *
tree_extend(void *array, uint32 n, uint32 more, uint32 *room, Size element)
{
	if (array != NULL && n + more <= *room)
		return array;
	*room = Max(n + more, *room + *room / 2);
	return array == NULL ? tree_array(*room, element) : repalloc_huge(array, *room * element);
}

/* ---- coding ---- */

static int
count_thresholds(const Planning *p, int column)
{
	return (int) (p->thresholds->start[column + 1] - p->thresholds->start[column]);
}

/* Rows of thresholds; the last has room behind the last threshold. */
static uint32
count_rows(const Planning *p, int column)
{
	return count_thresholds(p, column) / TREE_FAN + 1;
}

static void
fill_slot(const Planning *p, const TreeSlot *slot)
{
	const double *value = p->thresholds->value + p->thresholds->start[slot->column];
	double	   *last = p->plan->threshold + slot->first;
	double	   *row = last + TREE_FAN;
	uint32		n = count_thresholds(p, slot->column);

	for (uint32 i = 0; i < count_rows(p, slot->column) * TREE_FAN; i++)
		row[i] = i < n ? value[i] : INFINITY;
	for (uint32 k = 0; k < TREE_FAN; k++)
		last[k] = (k + 1) * TREE_FAN <= n ? value[(k + 1) * TREE_FAN - 1] : INFINITY;
}

/* Number the columns that can be coded. */
static void
find_slots(Planning *p)
{
	TreePlan   *plan = p->plan;
	uint32		n = 0;

	plan->slot = tree_array(p->trees->ncolumns, sizeof(TreeSlot));
	for (int j = 0; j < p->trees->ncolumns; j++)
	{
		if (count_thresholds(p, j) == 0 || count_thresholds(p, j) > TREE_MAX_THRESHOLDS)
			continue;
		p->slot_of[j] = plan->nslots;
		plan->slot[plan->nslots++] = (TreeSlot) {j, n};
		n += TREE_FAN * (1 + count_rows(p, j));
	}
	plan->nlines = TYPEALIGN(TREE_TABLE_CODES, plan->nslots);
	plan->threshold = tree_aligned(n, sizeof(double));
	for (int s = 0; s < plan->nslots; s++)
		fill_slot(p, &plan->slot[s]);
}

static void
find_categories(Planning *p)
{
	TreePlan   *plan = p->plan;

	plan->category = tree_array(p->trees->ncolumns, sizeof(uint32));
	for (int i = 0; i < p->trees->nnodes; i++)
	{
		int			column = p->trees->node[i].column;

		if (p->trees->node[i].kind != TREE_CATEGORY)
			continue;
		plan->has_categories = true;
		if (p->category_of[column] >= 0)
			continue;
		p->category_of[column] = plan->ncategories;
		plan->category[plan->ncategories++] = column;
	}
}

/* ---- the leaves of a tree ---- */

/* Children come behind their parents: counts are summed backwards, numbers handed out forwards. */
static void
spread_leaves(Planning *p, int tree)
{
	uint32		first = p->trees->first[tree];
	uint32		n = p->trees->first[tree + 1] - first;

	for (uint32 i = n; i-- > 0;)
	{
		const TreeNode *node = &p->trees->node[first + i];
		uint32		left = node->left - first;

		p->count[i] = node->kind == TREE_LEAF ? 1 : p->count[left] + p->count[left + 1];
	}
	p->from[0] = 0;
	for (uint32 i = 0; i < n; i++)
	{
		const TreeNode *node = &p->trees->node[first + i];
		uint32		left = node->left - first;

		if (node->kind == TREE_LEAF)
			continue;
		p->from[left] = p->from[i];
		p->from[left + 1] = p->from[i] + p->count[left];
	}
}

static void
copy_values(Planning *p, int tree, TreeForm *form)
{
	const Trees *trees = p->trees;
	Size		bytes = sizeof(double) * trees->nvalues;

	form->first_value = p->nleaves;
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
	{
		if (trees->node[i].kind != TREE_LEAF)
			continue;
		p->leaf_of[i] = p->nleaves + p->from[i - trees->first[tree]];
		memcpy((char *) p->plan->leaf_value + p->leaf_of[i] * bytes, trees->value + (Size) i * trees->nvalues, bytes);
	}
	p->nleaves += count_leaves(trees, tree);
}

/* ---- tests ---- */

int8
tree_right_from(const Planning *p, const TreeNode *node)
{
	return (int8) ((int) tree_threshold_index(p->thresholds, node->column, node->threshold) + 1 - 128);
}

static uint16
node_line(const Planning *p, const TreeNode *node)
{
	return (uint16) (p->slot_of[node->column] + (node->missing_right ? p->plan->nlines : 0));
}

/* The codes that go right at a category split; returns where in plan->set. */
static uint32
add_set(Planning *p, uint32 i)
{
	const Trees *trees = p->trees;
	const TreeNode *node = &trees->node[i];
	int			levels = trees->levels[node->column];
	int			nwords = Max(tree_set_words(levels + 1), TREE_SET_WORDS);
	uint32		at = p->nwords;
	uint32	   *right;

	p->plan->set = tree_extend(p->plan->set, p->nwords, nwords, &p->word_room, sizeof(uint32));
	p->nwords += nwords;
	right = p->plan->set + at;
	memset(right, 0, sizeof(uint32) * nwords);
	for (int w = 0; w < tree_set_words(levels); w++)
		right[w] = ~trees->words[trees->set[i] + w];
	if (levels % 32 != 0)
		right[levels >> 5] &= (1u << (levels & 31)) - 1;
	if (node->missing_right)
		right[levels >> 5] |= 1u << (levels & 31);
	return at;
}

void
tree_plan_choice(Planning *p, uint32 node, uint32 strike)
{
	if (p->set_of[node] == 0)
		p->set_of[node] = add_set(p, node) + 1;
	p->plan->choice = tree_extend(p->plan->choice, p->nchoices, 1, &p->choice_room, sizeof(TreeChoice));
	p->plan->choice[p->nchoices++] = (TreeChoice) {p->category_of[p->trees->node[node].column], p->set_of[node] - 1, strike};
	p->plan->has_choices = true;
}

/* The category splits of a tree, in the order of their nodes. */
static void
plan_choices(Planning *p, int tree, TreeForm *form)
{
	form->first_choice = p->nchoices;
	for (uint32 i = p->trees->first[tree]; i < p->trees->first[tree + 1]; i++)
		if (p->trees->node[i].kind == TREE_CATEGORY)
			tree_plan_choice(p, i, 0);
	form->nchoices = p->nchoices - form->first_choice;
	p->most_choices = Max(p->most_choices, form->nchoices);
}

/* The leaves from .. to-1 that lie in a plane, as bits. */
static uint8
leaves_in_plane(uint32 from, uint32 to, uint32 plane)
{
	uint32		base = plane * TREE_PLANE_LEAVES;
	uint32		low = Max(from, base) - base;
	uint32		high = Min(to - base, TREE_PLANE_LEAVES);

	return (uint8) ((1u << high) - (1u << low));
}

/* Put the test of a split into each plane that it strikes something out of; at[p] is where the next of plane p goes. */
static void
put_tests(const Planning *p, int tree, uint32 i, uint16 line, uint32 *at)
{
	const TreeNode *node = &p->trees->node[i];
	uint32		first = p->trees->first[tree];
	uint32		from = p->from[i - first];
	uint32		to = from + p->count[node->left - first];
	int8		right_from = node->kind == TREE_CATEGORY ? 0 : tree_right_from(p, node);

	for (uint32 plane = from / TREE_PLANE_LEAVES; plane * TREE_PLANE_LEAVES < to; plane++)
		p->plan->test[at[plane]++] = (TreeTest) {line, right_from, ~leaves_in_plane(from, to, plane)};
}

/* How many tests each plane of the tree has; returns their sum. */
static uint32
count_tests(const Planning *p, int tree, uint32 *n)
{
	const Trees *trees = p->trees;
	uint32		first = trees->first[tree];
	uint32		sum = 0;

	for (uint32 i = first; i < trees->first[tree + 1]; i++)
	{
		uint32		from = p->from[i - first];

		if (trees->node[i].kind == TREE_LEAF)
			continue;
		for (uint32 plane = from / TREE_PLANE_LEAVES; plane * TREE_PLANE_LEAVES < from + p->count[trees->node[i].left - first]; plane++, sum++)
			n[plane]++;
	}
	return sum;
}

static void
plan_planes(Planning *p, int tree, TreeForm *form)
{
	const Trees *trees = p->trees;
	uint32		n[TREE_MAX_LEAVES / TREE_PLANE_LEAVES] = {0};
	uint32		at[TREE_MAX_LEAVES / TREE_PLANE_LEAVES];
	uint32		sum = count_tests(p, tree, n);
	uint32		choice = 2 * p->plan->nlines;

	p->plan->test = tree_extend(p->plan->test, p->ntests, sum, &p->test_room, sizeof(TreeTest));
	form->first_plane = p->nplanes + 1;
	p->plan->plane_end[p->nplanes++] = p->ntests;
	for (int plane = 0; plane < form->nplanes; plane++)
	{
		at[plane] = p->ntests;
		p->plan->plane_end[p->nplanes++] = p->ntests += n[plane];
	}
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
	{
		if (trees->node[i].kind == TREE_NUMBER)
			put_tests(p, tree, i, node_line(p, &trees->node[i]), at);
		else if (trees->node[i].kind == TREE_CATEGORY)
			put_tests(p, tree, i, (uint16) choice++, at);
	}
}

/* ---- the plan ---- */

/* Are all numbers it tests coded? */
static bool
is_coded(const Planning *p, int tree)
{
	for (uint32 i = p->trees->first[tree]; i < p->trees->first[tree + 1]; i++)
		if (p->trees->node[i].kind == TREE_NUMBER && p->slot_of[p->trees->node[i].column] < 0)
			return false;
	return true;
}

static void
choose_form(Planning *p, int tree, bool has_strike)
{
	TreePlan   *plan = p->plan;
	TreeForm   *form = &plan->form[tree];
	int			leaves = count_leaves(p->trees, tree);

	if (leaves > TREE_MAX_PARTED || !is_coded(p, tree))
		return;
	form->parted = has_strike && plan->nlines <= TREE_MAX_TABLES * TREE_TABLE_CODES;
	if (leaves <= TREE_MAX_LEAVES)
		form->nplanes = (leaves + TREE_PLANE_LEAVES - 1) / TREE_PLANE_LEAVES;
	plan->has_planes |= form->nplanes > 0;
	plan->rows_alone |= form->parted && form->nplanes == 0;
}

/* How each tree is scored, and how much room that takes. */
static void
choose_forms(Planning *p, bool has_strike)
{
	TreePlan   *plan = p->plan;
	Size		nplanes = 0,
				nleaves = 0;

	for (int t = 0; t < p->trees->ntrees; t++)
	{
		TreeForm   *form = &plan->form[t];

		choose_form(p, t, has_strike);
		if (form->parted || form->nplanes > 0)
			nleaves += count_leaves(p->trees, t);
		if (form->nplanes > 0)
			nplanes += 1 + form->nplanes;
	}
	plan->plane_end = tree_array(nplanes, sizeof(uint32));
	plan->leaf_value = tree_array(nleaves * p->trees->nvalues, sizeof(double));
}

static void
plan_tree(Planning *p, int tree)
{
	TreePlan   *plan = p->plan;
	TreeForm   *form = &plan->form[tree];

	if (form->parted || form->nplanes > 0)
	{
		spread_leaves(p, tree);
		copy_values(p, tree, form);
	}
	if (form->nplanes > 0)
	{
		plan_choices(p, tree, form);
		plan_planes(p, tree, form);
	}
	if (form->parted)
	{
		plan->first_leaf[plan->nparted] = form->first_value;
		plan->parted[plan->nparted++] = tree;
	}
	else
		plan->walked[plan->nwalked++] = tree;
}

static void
make_scratch(const Planning *p)
{
	TreePlan   *plan = p->plan;
	Size		nlines = 2 * (Size) plan->nlines;

	plan->block = tree_aligned((nlines + p->most_choices) * TREE_BLOCK, sizeof(int8));
	plan->row = tree_aligned(nlines, sizeof(int8));
	plan->category_code = tree_aligned((Size) plan->ncategories * TREE_BLOCK, sizeof(uint32));
	plan->struck = tree_array((Size) p->trees->ntrees + 4, sizeof(uint32));
	plan->at = tree_array(p->trees->ntrees, sizeof(uint32));
	plan->going = tree_array((Size) p->trees->ntrees + 4, sizeof(uint32));
	plan->going_part = tree_array((Size) p->trees->ntrees + 4, sizeof(uint32));
}

static int *
no_columns(const Trees *trees)
{
	int		   *of = tree_array(trees->ncolumns, sizeof(int));

	for (int j = 0; j < trees->ncolumns; j++)
		of[j] = -1;
	return of;
}

static void
free_planning(Planning *p)
{
	pfree(p->slot_of);
	pfree(p->category_of);
	pfree(p->leaf_of);
	pfree(p->set_of);
	pfree(p->from);
	pfree(p->count);
}

TreePlan *
tree_plan(const Trees *trees, const TreeThresholds *thresholds, bool has_strike)
{
	TreePlan   *plan = palloc0(sizeof(TreePlan));
	Planning	p = {
		.trees = trees,
		.thresholds = thresholds,
		.plan = plan,
		.slot_of = no_columns(trees),
		.category_of = no_columns(trees),
		.leaf_of = tree_array(trees->nnodes, sizeof(uint32)),
		.set_of = tree_array(trees->nnodes, sizeof(uint32)),
		.from = tree_array(2 * TREE_MAX_PARTED, sizeof(uint32)),
		.count = tree_array(2 * TREE_MAX_PARTED, sizeof(uint32)),
	};

	plan->form = tree_array(trees->ntrees, sizeof(TreeForm));
	plan->parted = tree_array(trees->ntrees, sizeof(uint32));
	plan->first_leaf = tree_array(trees->ntrees, sizeof(uint32));
	plan->walked = tree_array(trees->ntrees, sizeof(uint32));
	find_slots(&p);
	find_categories(&p);
	if (plan->nlines <= MAX_LINES)
		choose_forms(&p, has_strike);
	for (int t = 0; t < trees->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		plan_tree(&p, t);
	}
	tree_plan_parts(&p);
	make_scratch(&p);
	free_planning(&p);
	return plan;
}
