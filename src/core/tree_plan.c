/*
 * tree_plan.c
 *		Making an ensemble ready for scoring: how its rows are coded, how each tree is scored, and the tests this takes.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/tree_internal.h"

/* Alignment of what registers are filled from: a cache line. */
#define PLAN_ALIGNMENT 64
#define MAX_LINES 16384			/* twice as many and the choices of a tree are numbered in 16 bits */
#define PLANES_OF_VECTOR (TREE_VECTOR / TREE_PLANE_LEAVES)

/* What is known of a tree while it is planned. */
typedef struct Planning
{
	const Trees *trees;
	const TreeThresholds *thresholds;
	TreePlan   *plan;
	int		   *slot_of;		/* (ncolumns) -1: the column is not coded */
	int		   *category_of;	/* (ncolumns) -1: no tree tests it */
	uint32		ntests,
				nplanes,
				nleaves,
				nchoices,
				nwords;
	uint32		test_room,
				choice_room,
				word_room;
	uint32		most_choices;	/* of a tree */

	/* of one tree, by its nodes: leaves below, numbered from left to right */
	uint32		from[2 * TREE_MAX_LEAVES];	/* the first */
	uint32		count[2 * TREE_MAX_LEAVES];
} Planning;

static int
count_leaves(const Trees *trees, int tree)
{
	return (int) (trees->first[tree + 1] - trees->first[tree] + 1) / 2;
}

static void *
aligned_array(Size n, Size element)
{
	return (void *) TYPEALIGN(PLAN_ALIGNMENT, tree_array(n * element + PLAN_ALIGNMENT, 1));
}

/* Make room for "more" elements behind the first n. */
static void *
extend(void *array, uint32 n, uint32 more, uint32 *room, Size element)
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
	plan->threshold = aligned_array(n, sizeof(double));
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

/* Leaves from .. from+count-1 that lie among the 64 from "base" on, as bits. */
static uint64
leaf_bits(uint32 from, uint32 count, uint32 base)
{
	uint32		low = Max(from, base) - base;
	uint32		high = Min(Max(from + count, base) - base, 64);

	if (low >= high)
		return 0;
	return (~UINT64CONST(0) >> (64 - (high - low))) << low;
}

/* What the node strikes out of those leaves where a row goes right. */
static uint64
strikes(const Planning *p, int tree, uint32 node, uint32 base)
{
	uint32		first = p->trees->first[tree];

	return leaf_bits(p->from[node - first], p->count[p->trees->node[node].left - first], base);
}

static void
copy_values(Planning *p, int tree, TreeForm *form)
{
	const Trees *trees = p->trees;
	Size		bytes = sizeof(double) * trees->nvalues;

	form->first_value = p->nleaves;
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
		if (trees->node[i].kind == TREE_LEAF)
			memcpy((char *) p->plan->leaf_value + (p->nleaves + p->from[i - trees->first[tree]]) * bytes,
				   trees->value + (Size) i * trees->nvalues, bytes);
	p->nleaves += count_leaves(trees, tree);
}

/* ---- tests ---- */

/* A code at or above this goes right. */
static int8
right_from(const Planning *p, const TreeNode *node)
{
	return (int8) ((int) tree_threshold_index(p->thresholds, node->column, node->threshold) + 1 - 128);
}

static uint16
node_line(const Planning *p, const TreeNode *node)
{
	return (uint16) (p->slot_of[node->column] + (node->missing_right ? p->plan->nlines : 0));
}

static void
add_choice(Planning *p, int tree, uint32 i)
{
	const Trees *trees = p->trees;
	const TreeNode *node = &trees->node[i];
	const uint32 *left = trees->words + trees->set[i];
	int			levels = trees->levels[node->column];
	int			nwords = Max(tree_set_words(levels + 1), TREE_SET_WORDS);
	uint32	   *right;

	p->plan->set = extend(p->plan->set, p->nwords, nwords, &p->word_room, sizeof(uint32));
	p->plan->choice = extend(p->plan->choice, p->nchoices, 1, &p->choice_room, sizeof(TreeChoice));
	right = p->plan->set + p->nwords;
	memset(right, 0, sizeof(uint32) * nwords);
	for (int w = 0; w < tree_set_words(levels); w++)
		right[w] = ~left[w];
	if (levels % 32 != 0)
		right[levels >> 5] &= (1u << (levels & 31)) - 1;
	if (node->missing_right)
		right[levels >> 5] |= 1u << (levels & 31);
	p->plan->choice[p->nchoices++] = (TreeChoice) {p->category_of[node->column], p->nwords, strikes(p, tree, i, 0)};
	p->nwords += nwords;
}

static void
add_choices(Planning *p, int tree, TreeForm *form)
{
	form->first_choice = p->nchoices;
	for (uint32 i = p->trees->first[tree]; i < p->trees->first[tree + 1]; i++)
		if (p->trees->node[i].kind == TREE_CATEGORY)
			add_choice(p, tree, i);
	form->nchoices = p->nchoices - form->first_choice;
	p->most_choices = Max(p->most_choices, form->nchoices);
	p->plan->has_choices |= form->nchoices > 0;
}

/* The tests that strike something out of a plane. */
static void
add_plane(Planning *p, int tree, int plane)
{
	const Trees *trees = p->trees;
	uint16		choice_line = (uint16) tree_lines(p->plan);

	p->plan->test = extend(p->plan->test, p->ntests, trees->first[tree + 1] - trees->first[tree], &p->test_room, sizeof(TreeTest));
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
	{
		const TreeNode *node = &trees->node[i];
		uint8		struck;

		if (node->kind == TREE_LEAF)
			continue;
		struck = (uint8) strikes(p, tree, i, plane * TREE_PLANE_LEAVES);
		if (struck != 0)
			p->plan->test[p->ntests++] = node->kind == TREE_CATEGORY ? (TreeTest) {choice_line, 0, ~struck} :
				(TreeTest) {node_line(p, node), right_from(p, node), ~struck};
		choice_line += node->kind == TREE_CATEGORY;
	}
}

static void
plan_planes(Planning *p, int tree, TreeForm *form)
{
	form->nplanes = (count_leaves(p->trees, tree) + TREE_PLANE_LEAVES - 1) / TREE_PLANE_LEAVES;
	form->first_plane = p->nplanes + 1;
	p->plan->plane_end[p->nplanes++] = p->ntests;
	for (int plane = 0; plane < form->nplanes; plane++)
	{
		add_plane(p, tree, plane);
		p->plan->plane_end[p->nplanes++] = p->ntests;
	}
}

/* The tests of a tree for a row alone; lanes left over strike nothing. */
static void
plan_vectors(Planning *p, int tree, TreeForm *form)
{
	const Trees *trees = p->trees;
	TreeVectors *vectors = &p->plan->vectors[form->nvectors - 1];
	int			width = form->nvectors * TREE_VECTOR;
	uint8	   *line = vectors->tests + vectors->ntrees * tree_vector_bytes(form->nvectors);
	int			lane = 0;

	vectors->first_value[vectors->ntrees] = form->first_value;
	vectors->tree[vectors->ntrees++] = tree;
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
	{
		const TreeNode *node = &trees->node[i];
		uint64		struck;

		if (node->kind != TREE_NUMBER)
			continue;
		struck = strikes(p, tree, i, 0);
		line[lane] = (uint8) p->slot_of[node->column];
		line[width + lane] = (uint8) right_from(p, node);
		line[2 * width + lane] = node->missing_right ? 0xff : 0;
		for (int plane = 0; plane < form->nvectors * PLANES_OF_VECTOR; plane++)
			line[(3 + plane) * width + lane] = (uint8) (struck >> (plane * TREE_PLANE_LEAVES));
		lane++;
	}
}

static void
plan_steps(Planning *p, int tree)
{
	const Trees *trees = p->trees;

	if (p->plan->step == NULL)
		p->plan->step = tree_array(trees->nnodes, sizeof(TreeStep));
	for (uint32 i = trees->first[tree]; i < trees->first[tree + 1]; i++)
	{
		const TreeNode *node = &trees->node[i];
		TreeStep   *step = &p->plan->step[i];

		*step = (TreeStep) {.left = node->left,.line = 2 * p->plan->nlines,.is_category = node->kind == TREE_CATEGORY};
		if (node->kind != TREE_NUMBER)
			continue;
		step->line = node_line(p, node);
		step->right_from = right_from(p, node);
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

/* How each tree is scored, and how much room that takes. */
static void
choose_forms(Planning *p, bool has_strike)
{
	TreePlan   *plan = p->plan;
	uint32		nplanes = 0,
				nleaves = 0,
				ntrees[TREE_MAX_VECTORS] = {0};

	for (int t = 0; t < p->trees->ntrees; t++)
	{
		TreeForm   *form = &plan->form[t];
		int			leaves = count_leaves(p->trees, t);

		form->coded = is_coded(p, t);
		plan->has_coded |= form->coded;
		if (!form->coded || leaves > TREE_MAX_LEAVES)
			continue;
		nplanes += 1 + (leaves + TREE_PLANE_LEAVES - 1) / TREE_PLANE_LEAVES;
		nleaves += leaves;
		if (has_strike && plan->nlines <= TREE_MAX_TABLES * TREE_TABLE_CODES && leaves <= TREE_MAX_VECTORS * TREE_VECTOR)
			form->nvectors = (leaves + TREE_VECTOR - 1) / TREE_VECTOR;
		if (form->nvectors > 0)
			ntrees[form->nvectors - 1]++;
	}
	plan->plane_end = tree_array(nplanes, sizeof(uint32));
	plan->leaf_value = tree_array((Size) nleaves * p->trees->nvalues, sizeof(double));
	for (int v = 0; v < TREE_MAX_VECTORS; v++)
	{
		plan->vectors[v].tree = tree_array(ntrees[v], sizeof(uint32));
		plan->vectors[v].first_value = tree_array(ntrees[v], sizeof(uint32));
		plan->vectors[v].tests = aligned_array(TYPEALIGN(4, ntrees[v]), tree_vector_bytes(v + 1));
	}
}

static void
plan_tree(Planning *p, int tree)
{
	TreeForm   *form = &p->plan->form[tree];
	TreeWalks  *walks;

	if (form->coded && count_leaves(p->trees, tree) <= TREE_MAX_LEAVES)
	{
		spread_leaves(p, tree);
		copy_values(p, tree, form);
		add_choices(p, tree, form);
		plan_planes(p, tree, form);
	}
	p->plan->turns_codes |= form->coded && form->nplanes == 0;
	if (form->nvectors > 0)
	{
		plan_vectors(p, tree, form);
		return;
	}
	walks = &p->plan->walks[form->coded];
	walks->tree[walks->ntrees++] = tree;
	if (form->coded)
		plan_steps(p, tree);
}

static void
make_scratch(const Planning *p)
{
	TreePlan   *plan = p->plan;
	Size		nlines = tree_lines(plan);

	plan->block = aligned_array((nlines + p->most_choices) * TREE_BLOCK, sizeof(int8));
	memset(plan->block + (nlines - 1) * TREE_BLOCK, TREE_CODE_MISSING_LEFT, TREE_BLOCK);
	plan->rows = aligned_array(nlines * TREE_BLOCK, sizeof(int8));
	memset(plan->rows, TREE_CODE_MISSING_LEFT, nlines * TREE_BLOCK);
	plan->category_code = aligned_array((Size) plan->ncategories * TREE_BLOCK, sizeof(uint32));
	plan->struck = tree_array((Size) p->trees->ntrees + 4, sizeof(uint64));
	plan->at = tree_array(p->trees->ntrees, sizeof(uint32));
}

static int *
no_columns(const Trees *trees)
{
	int		   *of = tree_array(trees->ncolumns, sizeof(int));

	for (int j = 0; j < trees->ncolumns; j++)
		of[j] = -1;
	return of;
}

TreePlan *
tree_plan(const Trees *trees, const TreeThresholds *thresholds, bool has_strike)
{
	TreePlan   *plan = palloc0(sizeof(TreePlan));
	Planning	p = {.trees = trees,.thresholds = thresholds,.plan = plan,.slot_of = no_columns(trees),.category_of = no_columns(trees)};

	plan->form = tree_array(trees->ntrees, sizeof(TreeForm));
	for (int coded = 0; coded < 2; coded++)
		plan->walks[coded].tree = tree_array(trees->ntrees, sizeof(uint32));
	find_slots(&p);
	find_categories(&p);
	if (plan->nlines <= MAX_LINES)
		choose_forms(&p, has_strike);
	for (int t = 0; t < trees->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		plan_tree(&p, t);
	}
	for (int v = 1; v <= TREE_MAX_VECTORS; v++)
		if (trees->noutputs == 1 && !plan->has_choices && plan->vectors[v - 1].ntrees == (uint32) trees->ntrees)
			plan->sums = v;
	make_scratch(&p);
	pfree(p.slot_of);
	pfree(p.category_of);
	return plan;
}
