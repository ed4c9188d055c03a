/*
 * tree_walk.c
 *		Walking from the root of a tree to a leaf, several walks at the same time.
 */
#include "postgres.h"

#include <math.h>

#include "core/tree_internal.h"

static inline bool
category_goes_left(const Trees *trees, const TreeNode *node, double cell)
{
	const uint32 *set = trees->words + trees->set[node - trees->node];
	uint32		code = tree_category_code(trees, node->column, cell);

	return code < (uint32) trees->levels[node->column] ? tree_set_has(set, (int) code) : !node->missing_right;
}

bool
tree_goes_left(const Trees *trees, const TreeNode *node, const double *row)
{
	double		cell = row[node->column];

	if (node->kind == TREE_CATEGORY)
		return category_goes_left(trees, node, cell);
	return isnan(cell) ? !node->missing_right : cell <= node->threshold;
}

/* One step down; leaves stay where they are. */
static inline uint32
step(const Trees *trees, uint32 at, const double *row, bool categories)
{
	const TreeNode *node = &trees->node[at];
	double		cell = row[node->column];

	if (categories && node->kind == TREE_CATEGORY)
		return node->left + !category_goes_left(trees, node, cell);
	return node->left + (uint32) ((cell > node->threshold) | ((cell != cell) & node->missing_right));
}

static inline void
walk(const Trees *trees, uint32 *at, const double *const *row, int count, bool categories)
{
	uint32		moved;

	do
	{
		moved = 0;
		for (int u = 0; u < count; u++)
		{
			uint32		next = step(trees, at[u], row[u], categories);

			moved |= next ^ at[u];
			at[u] = next;
		}
	} while (moved != 0);
}

void
tree_walk(const Trees *trees, uint32 *at, const double *const *row, int count)
{
	if (trees->ncolumns == 0)
		return;
	if (trees->plan->has_categories)
		walk(trees, at, row, count, true);
	else if (count == TREE_FLIGHT)
		walk(trees, at, row, TREE_FLIGHT, false);
	else
		walk(trees, at, row, count, false);
}
