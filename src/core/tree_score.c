/*
 * tree_score.c
 *		Scores of rows: one row with several trees in flight, or a block of rows tree by tree.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "port/pg_bitutils.h"

#include "core/tree_internal.h"

#define FLIGHT 8				/* walks that go on at the same time, to hide the latency of memory */
#define FEWEST_BLOCK_ROWS 8		/* fewer are scored one by one */

static const TreeKernels *chosen = NULL;

void
trees_prepare(Trees *trees)
{
	if (chosen == NULL)
	{
		chosen = tree_avx2();
		if (chosen == NULL)
			chosen = &tree_baseline;
	}
	trees->plan = tree_plan(trees);
}

/* ---- walking ---- */

static inline bool
category_goes_left(const Trees *trees, const TreeNode *node, double cell)
{
	const uint32 *set = trees->words + trees->set[node - trees->node];

	if (!(cell >= 0 && cell < trees->levels[node->column]))
		return !node->missing_right;
	return tree_set_has(set, (int) cell);
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

/* Walk count <= FLIGHT pairs of a tree and a row to their leaves. */
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

static void
walk_flight(const Trees *trees, uint32 *at, const double *const *row, int count)
{
	if (trees->ncolumns == 0)
		return;
	if (trees->plan->has_categories)
		walk(trees, at, row, count, true);
	else if (count == FLIGHT)
		walk(trees, at, row, FLIGHT, false);
	else
		walk(trees, at, row, count, false);
}

static inline void
add_value(const Trees *trees, int tree, const double *value, double *score)
{
	if (trees->nvalues == 1)
		score[trees->noutputs == 1 ? 0 : tree % trees->noutputs] += *value;
	else
		for (int k = 0; k < trees->nvalues; k++)
			score[k] += value[k];
}

static void
score_row(const Trees *trees, const double *row, double *score)
{
	const double *rows[FLIGHT];
	uint32		at[FLIGHT];

	for (int u = 0; u < FLIGHT; u++)
		rows[u] = row;
	for (int t = 0; t < trees->ntrees; t += FLIGHT)
	{
		int			count = Min(FLIGHT, trees->ntrees - t);

		for (int u = 0; u < count; u++)
			at[u] = trees->first[t + u];
		walk_flight(trees, at, rows, count);
		for (int u = 0; u < count; u++)
			add_value(trees, t + u, trees->value + (Size) at[u] * trees->nvalues, score);
	}
}

/* ---- blocks ---- */

/* The smallest single precision number that is not below x; NaN stays. */
static inline float
round_up(double x)
{
	float		single = (float) x;

	return (double) single < x ? nextafterf(single, INFINITY) : single;
}

/* The block's values by column; rows that are not there are copies of the last. */
static void
turn_block(const Trees *trees, const double *rows, int nrows)
{
	const TreePlan *plan = trees->plan;

	for (int r = 0; r < TREE_BLOCK; r++)
	{
		const double *row = rows + (Size) Min(r, nrows - 1) * trees->ncolumns;

		for (int s = 0; s < plan->nslots; s++)
			plan->block[(Size) s * TREE_BLOCK + r] = round_up(row[plan->slot_column[s]]);
	}
}

static void
strike_categories(const Trees *trees, const TreeBits *bits, const double *rows, int nrows, uint32 *leaf)
{
	for (int w = 0; w < bits->nwords; w++)
		for (uint32 i = bits->end[w][TEST_MISSING_LEFT]; i < bits->end[w][TEST_CATEGORY]; i++)
		{
			const TreeTest *test = &trees->plan->test[i];
			const TreeNode *node = &trees->node[test->slot];

			for (int r = 0; r < nrows; r++)
				if (!category_goes_left(trees, node, rows[(Size) r * trees->ncolumns + node->column]))
					leaf[w * TREE_BLOCK + r] &= test->keep;
		}
}

static void
score_by_bits(const Trees *trees, int tree, const double *rows, int nrows, double *out)
{
	const TreePlan *plan = trees->plan;
	const TreeBits *bits = &plan->bits[tree];
	const double *value = plan->leaf_value + (Size) bits->first_value * trees->nvalues;
	const uint32 *low = plan->leaf;
	const uint32 *high = plan->leaf + TREE_BLOCK;

	chosen->strike(plan, bits, plan->leaf);
	if (plan->has_categories)
		strike_categories(trees, bits, rows, nrows, plan->leaf);
	if (bits->nwords == 1 && trees->noutputs == 1)
	{
		for (int r = 0; r < nrows; r++)
			out[r] += value[__builtin_ctz(low[r])];
		return;
	}
	for (int r = 0; r < nrows; r++)
	{
		int			leaf = low[r] != 0 ? __builtin_ctz(low[r]) : TREE_WORD_LEAVES + __builtin_ctz(high[r]);

		add_value(trees, tree, value + (Size) leaf * trees->nvalues, out + (Size) r * trees->noutputs);
	}
}

static void
score_by_walking(const Trees *trees, int tree, const double *rows, int nrows, double *out)
{
	const double *row[FLIGHT];
	uint32		at[FLIGHT];

	for (int r = 0; r < nrows; r += FLIGHT)
	{
		int			count = Min(FLIGHT, nrows - r);

		for (int u = 0; u < count; u++)
		{
			row[u] = rows + (Size) (r + u) * trees->ncolumns;
			at[u] = trees->first[tree];
		}
		walk_flight(trees, at, row, count);
		for (int u = 0; u < count; u++)
			add_value(trees, tree, trees->value + (Size) at[u] * trees->nvalues, out + (Size) (r + u) * trees->noutputs);
	}
}

static void
score_block(const Trees *trees, const double *rows, int nrows, double *out)
{
	if (trees->plan->has_bits)
		turn_block(trees, rows, nrows);
	for (int t = 0; t < trees->ntrees; t++)
	{
		if (trees->plan->bits[t].nwords > 0)
			score_by_bits(trees, t, rows, nrows, out);
		else
			score_by_walking(trees, t, rows, nrows, out);
	}
}

void
trees_score(const Trees *trees, const double *rows, int nrows, double *out)
{
	for (int start = 0; start < nrows; start += TREE_BLOCK)
	{
		int			count = Min(TREE_BLOCK, nrows - start);
		const double *from = rows + (Size) start * trees->ncolumns;
		double	   *to = out + (Size) start * trees->noutputs;

		for (int r = 0; r < count; r++)
			memcpy(to + (Size) r * trees->noutputs, trees->base, sizeof(double) * trees->noutputs);
		if (count >= FEWEST_BLOCK_ROWS)
			score_block(trees, from, count, to);
		else
			for (int r = 0; r < count; r++)
				score_row(trees, from + (Size) r * trees->ncolumns, to + (Size) r * trees->noutputs);
	}
}
