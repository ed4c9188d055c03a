/*
 * assemble.c
 *		From a foreign model as read to one of ours; whatever the readers did not check is checked here.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "exchange_internal.h"

#define MAX_SET_WORDS 33554432	/* of all category splits, 128 MB */
#define LARGEST_SCORE 1e300		/* the largest values of all trees together */

/* What the trees do with a column, and how it reaches them. */
typedef struct ColumnUse
{
	int64		nnumbers;		/* splits */
	int64		ncategories;
	int			design;			/* design column; -1: none */
	int			ncodes;			/* categories listed in splits, for columns without levels */
	int32	   *code;			/* (ncodes) ascending */
} ColumnUse;

typedef struct Assembly
{
	ForeignModel *m;
	ColumnUse  *use;			/* (ncolumns) */
	double	   *largest;		/* (nscores) sum of the largest leaf values of its trees */
} Assembly;

/* ---- the shape of trees ---- */

typedef void (*NodeVisit) (Assembly *a, int tree, int node);

static void
check_split(Assembly *a, int tree, int number)
{
	ForeignModel *m = a->m;
	const ForeignNode *node = &m->tree[tree].node[number];

	if (node->column < 0 || node->column >= m->ncolumns)
		malformed(m, "Tree %d, node %d: there is no feature %d.", tree, number, node->column);
	if (!isfinite(node->number) || !isfinite(node->gain))
		malformed(m, "Tree %d, node %d: a number is not finite.", tree, number);
	if (!(node->cover >= 0 && isfinite(node->cover)))
		malformed(m, "Tree %d, node %d: the weight of its rows is %g.", tree, number, node->cover);
	if (node->category)
		a->use[node->column].ncategories++;
	else
		a->use[node->column].nnumbers++;
}

static void
check_leaf(Assembly *a, int tree, int number, double *largest)
{
	const ForeignNode *node = &a->m->tree[tree].node[number];

	*largest = Max(*largest, fabs(node->number * a->m->scale));
	if (!(*largest < LARGEST_SCORE) || !(node->cover >= 0 && isfinite(node->cover)))
		malformed(a->m, "Tree %d, node %d: a number of the leaf is out of range.", tree, number);
}

typedef struct Waiting
{
	int			n;
	int			node[TREE_MAX_DEPTH + 2];
	int			depth[TREE_MAX_DEPTH + 2];
	uint32		ours[TREE_MAX_DEPTH + 2];
} Waiting;

static void
wait_for(Waiting *w, int node, int depth, uint32 ours)
{
	w->node[w->n] = node;
	w->depth[w->n] = depth;
	w->ours[w->n++] = ours;
}

/* Each node is reached at most once and none is too deep, so that building ends. */
static void
check_tree(Assembly *a, int number)
{
	ForeignModel *m = a->m;
	const ForeignTree *tree = &m->tree[number];
	bool	   *seen = palloc_extended(tree->nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double		largest = 0;
	Waiting		w = {0};

	wait_for(&w, 0, 0, 0);
	while (w.n > 0)
	{
		int			i = w.node[--w.n];
		int			depth = w.depth[w.n];
		const ForeignNode *node = &tree->node[i];

		if (seen[i])
			malformed(m, "Tree %d, node %d: it is the child of several nodes.", number, i);
		seen[i] = true;
		if (node->left < 0)
		{
			check_leaf(a, number, i, &largest);
			continue;
		}
		check_split(a, number, i);
		if (depth == TREE_MAX_DEPTH)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("tree %d of the %s model is more than %d splits deep", number, m->library, TREE_MAX_DEPTH)));
		wait_for(&w, node->right, depth + 1, 0);
		wait_for(&w, node->left, depth + 1, 0);
	}
	a->largest[number % m->nscores] += largest;
	if (!(a->largest[number % m->nscores] < LARGEST_SCORE))
		malformed(m, "Its scores can be out of range.");
	pfree(seen);
}

/* ---- columns ---- */

static int
compare_codes(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/* The distinct categories that the splits of each column without levels list. */
static void
collect_codes(Assembly *a)
{
	ForeignModel *m = a->m;
	int64	   *count = palloc0(sizeof(int64) * m->ncolumns);

	for (int pass = 0; pass < 2; pass++)
		for (int t = 0; t < m->ntrees; t++)
		{
			CHECK_FOR_INTERRUPTS();
			for (int i = 0; i < m->tree[t].nnodes; i++)
			{
				const ForeignNode *node = &m->tree[t].node[i];
				ColumnUse  *use = node->count > 0 && node->column < m->ncolumns ? &a->use[node->column] : NULL;

				if (use == NULL || m->column[node->column].kind == KIND_CATEGORY)
					continue;
				if (pass == 0)
					count[node->column] += node->count;
				else if (use->code == NULL)
					use->code = palloc_extended(sizeof(int32) * count[node->column], MCXT_ALLOC_HUGE);
				if (pass == 1)
				{
					memcpy(use->code + use->ncodes, m->category + node->first, sizeof(int32) * node->count);
					use->ncodes += node->count;
				}
			}
		}
	for (int j = 0; j < m->ncolumns; j++)
	{
		ColumnUse  *use = &a->use[j];
		int			kept = 0;

		CHECK_FOR_INTERRUPTS();
		qsort(use->code, use->ncodes, sizeof(int32), compare_codes);
		for (int i = 0; i < use->ncodes; i++)
			if (i == 0 || use->code[i] != use->code[kept - 1])
				use->code[kept++] = use->code[i];
		use->ncodes = kept;
	}
}
