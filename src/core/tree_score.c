/*
 * tree_score.c
 *		Scores of rows: one row by all trees, or a block of rows tree by tree.
 *
 * However a tree finds a row's leaf, the values of leaves are added in the order of the trees, so that every way gives the same bits.
 */
#include "postgres.h"

#include "core/tree_internal.h"

#define FEWEST_BLOCK_ROWS 8		/* fewer are scored one by one */

static const TreeKernels *chosen = NULL;

void
tree_use(const TreeKernels *kernels)
{
	chosen = kernels;
}

void
tree_prepare(Trees *trees, const TreeThresholds *thresholds)
{
	if (chosen == NULL)
		chosen = tree_avx2();
	if (chosen == NULL)
		chosen = &tree_baseline;
	trees->plan = tree_plan(trees, thresholds, chosen->strike != NULL);
}

void
trees_prepare(Trees *trees)
{
	TreeThresholds thresholds;

	tree_thresholds(trees, &thresholds);
	tree_prepare(trees, &thresholds);
	tree_thresholds_free(&thresholds);
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
code_categories(const Trees *trees, const double *rows, int nrows)
{
	const TreePlan *plan = trees->plan;

	for (int c = 0; c < plan->ncategories; c++)
		for (int r = 0; r < nrows; r++)
			plan->category_code[c * TREE_BLOCK + r] =
				tree_category_code(trees, plan->category[c], rows[(Size) r * trees->ncolumns + plan->category[c]]);
}

/* ---- one row: plan->at tells to which leaf each tree leads ---- */

static void
walk_row(const Trees *trees, const double *row)
{
	const TreePlan *plan = trees->plan;
	const double *rows[TREE_FLIGHT];
	uint32		at[TREE_FLIGHT];

	for (int u = 0; u < TREE_FLIGHT; u++)
		rows[u] = row;
	for (uint32 i = 0; i < plan->nwalked; i += TREE_FLIGHT)
	{
		int			count = Min(TREE_FLIGHT, plan->nwalked - i);

		for (int u = 0; u < count; u++)
			at[u] = trees->first[plan->walked[i + u]];
		tree_walk(trees, at, rows, count);
		for (int u = 0; u < count; u++)
			plan->at[plan->walked[i + u]] = at[u];
	}
}

/* What the category splits of a part strike out. */
static uint32
strike_choices(const TreePlan *plan, const TreePart *part)
{
	const TreeChoice *choice = plan->choice + part->first_choice;
	uint32		struck = 0;

	for (uint32 i = 0; i < part->nchoices; i++)
	{
		uint32		code = plan->category_code[choice[i].category * TREE_BLOCK];

		struck |= choice[i].strike & -(uint32) tree_set_has(plan->set + choice[i].set, (int) code);
	}
	return struck;
}

/* From part to part, all trees that lead on together. */
static void
strike_row(const Trees *trees, bool missing)
{
	const TreePlan *plan = trees->plan;
	uint32	   *going = plan->going;
	uint32	   *part = plan->going_part;
	uint32		n = plan->nparted;

	for (uint32 i = 0; i < n; i++)
		going[i] = part[i] = i;
	while (n > 0)
	{
		uint32		left = 0;

		for (uint32 i = n; i % 4 != 0; i++)
			part[i] = 0;		/* lists are filled up to fours */
		chosen->strike(plan, part, n, plan->row, missing);
		for (uint32 i = 0; i < n && plan->has_choices; i++)
			plan->struck[i] |= strike_choices(plan, &plan->part[part[i]]);
		for (uint32 i = 0; i < n; i++)
		{
			uint32		to = plan->exit[part[i] * TREE_PART_LEAVES + __builtin_ctz(~plan->struck[i])];

			plan->at[plan->parted[going[i]]] = to;
			going[left] = going[i];
			part[left] = to & ~TREE_NEXT_PART;
			left += (to & TREE_NEXT_PART) != 0;
		}
		n = left;
	}
}

static inline const double *
row_values(const Trees *trees, int tree)
{
	const TreePlan *plan = trees->plan;
	const double *values = plan->form[tree].parted ? plan->leaf_value : trees->value;

	return values + (Size) plan->at[tree] * trees->nvalues;
}

static void
add_leaves(const Trees *trees, double *score)
{
	double		sum = score[0];	/* in a register */

	for (int t = 0; t < trees->ntrees && trees->noutputs == 1; t++)
		sum += *row_values(trees, t);
	score[0] = sum;
	for (int t = 0; t < trees->ntrees && trees->noutputs > 1; t++)
		add_value(trees, t, row_values(trees, t), score);
}

static void
score_row(const Trees *trees, const double *row, double *score)
{
	const TreePlan *plan = trees->plan;

	if (plan->nparted > 0)
	{
		bool		missing = chosen->code_row(plan, row, trees->ncolumns, plan->row);

		if (plan->sums)
		{
			*score = chosen->sum(plan, plan->row, missing, *score);
			return;
		}
		if (plan->has_choices)
			code_categories(trees, row, 1);
		strike_row(trees, missing);
	}
	walk_row(trees, row);
	add_leaves(trees, score);
}

/* ---- blocks ---- */

/* The lines that hold what the category splits of a tree say. */
static void
choose_lines(const Trees *trees, const TreeForm *form)
{
	const TreePlan *plan = trees->plan;
	int8	   *line = plan->block + (Size) 2 * plan->nlines * TREE_BLOCK;

	for (uint32 i = form->first_choice; i < form->first_choice + form->nchoices; i++, line += TREE_BLOCK)
	{
		const TreeChoice *choice = &plan->choice[i];
		const TreeKernels *kernels = trees->levels[plan->category[choice->category]] < TREE_BYTE_LEVELS ? chosen : &tree_baseline;

		kernels->choose(plan->set + choice->set, plan->category_code + choice->category * TREE_BLOCK, line);
	}
}

static void
score_by_bits(const Trees *trees, int tree, int nrows, double *out)
{
	const TreePlan *plan = trees->plan;
	const TreeForm *form = &plan->form[tree];
	const double *value = plan->leaf_value + (Size) form->first_value * trees->nvalues;
	uint8		leaf[TREE_BLOCK] pg_attribute_aligned(TREE_BLOCK);

	choose_lines(trees, form);
	chosen->leaves(plan, form, leaf);
	if (trees->noutputs == 1)
		for (int r = 0; r < nrows; r++)
			out[r] += value[leaf[r]];
	else
		for (int r = 0; r < nrows; r++)
			add_value(trees, tree, value + (Size) leaf[r] * trees->nvalues, out + (Size) r * trees->noutputs);
}

static void
score_by_walking(const Trees *trees, int tree, const double *rows, int nrows, double *out)
{
	const double *row[TREE_FLIGHT];
	uint32		at[TREE_FLIGHT];

	for (int r = 0; r < nrows; r += TREE_FLIGHT)
	{
		int			count = Min(TREE_FLIGHT, nrows - r);

		for (int u = 0; u < count; u++)
		{
			row[u] = rows + (Size) (r + u) * trees->ncolumns;
			at[u] = trees->first[tree];
		}
		tree_walk(trees, at, row, count);
		for (int u = 0; u < count; u++)
			add_value(trees, tree, trees->value + (Size) at[u] * trees->nvalues, out + (Size) (r + u) * trees->noutputs);
	}
}

static void
score_block(const Trees *trees, const double *rows, int nrows, double *out)
{
	const TreePlan *plan = trees->plan;

	if (plan->has_planes)
		chosen->code_block(plan, rows, nrows, trees->ncolumns);
	if (plan->has_choices)
		code_categories(trees, rows, nrows);
	for (int t = 0; t < trees->ntrees; t++)
	{
		if (plan->form[t].nplanes > 0)
			score_by_bits(trees, t, nrows, out);
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
		if (count >= FEWEST_BLOCK_ROWS && !trees->plan->rows_alone)
			score_block(trees, from, count, to);
		else
			for (int r = 0; r < count; r++)
				score_row(trees, from + (Size) r * trees->ncolumns, to + (Size) r * trees->noutputs);
	}
}
