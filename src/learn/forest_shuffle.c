/*
 * forest_shuffle.c
 *		Importance by permutation (Breiman 2001): how much worse a tree does on rows it did not learn from when a column is shuffled.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/hash.h"
#include "learn/forest_fit_internal.h"

#define SHUFFLED_ROWS 2000		/* of a tree */

/* Rows out of a tree's bag, and their bins as they are to be seen. */
typedef struct Shuffled
{
	int			n;
	int64	   *row;			/* (n) */
	int		   *from;			/* (n) a permutation */
	uint8	   *seen;			/* (ngroups, GROUP_BYTES) */
	const uint8 **bin;
} Shuffled;

static void
init_shuffled(const Forest *f, Shuffled *s)
{
	int			ngroups = Max(f->bins->ngroups, 1);

	s->row = palloc(sizeof(int64) * SHUFFLED_ROWS);
	s->from = palloc(sizeof(int) * SHUFFLED_ROWS);
	s->seen = palloc(ngroups * GROUP_BYTES);
	s->bin = palloc(sizeof(uint8 *) * ngroups);
	for (int g = 0; g < ngroups; g++)
		s->bin[g] = s->seen + g * GROUP_BYTES;
}

static void
free_shuffled(Shuffled *s)
{
	pfree(s->row);
	pfree(s->from);
	pfree(s->seen);
	pfree(s->bin);
}

/* From a place that differs by tree on, around the end. */
static void
choose_rows(const Forest *f, int slot, uint64 seed, Shuffled *s)
{
	const uint32 *leaf = f->leaf + slot * f->shape->nall;
	int64		n = f->shape->nrows;
	int64		start = (int64) (seed % (uint64) n);

	s->n = 0;
	for (int64 i = 0; i < n && s->n < SHUFFLED_ROWS; i++)
	{
		int64		row = start + i < n ? start + i : start + i - n;

		if (leaf[row] & DEEP_LEFT_OUT)
			s->row[s->n++] = row;
	}
}

static void
shuffle(Shuffled *s, uint64 seed)
{
	for (int i = 0; i < s->n; i++)
		s->from[i] = i;
	for (int i = 0; i < s->n - 1; i++)
	{
		int			pick = i + (int) (hash_fold(seed, i) % (uint64) (s->n - i));
		int			taken = s->from[pick];

		s->from[pick] = s->from[i];
		s->from[i] = taken;
	}
}

/* Squared error of a number; 1 for a wrong class. */
static double
row_loss(const Forest *f, const float *value, int64 row)
{
	int			class = 0;

	if (f->shape->task == TASK_REGRESSION)
	{
		double		off = f->shape->deep.offset + value[0] - (f->shape->deep.base + f->value[row] * f->shape->deep.unit);

		return off * off;
	}
	if (f->shape->nvalues == 1)
		return (value[0] > 0.5) != (f->value[row] > 0);
	for (int k = 1; k < f->shape->nvalues; k++)
		if (value[k] > value[class])
			class = k;
	return class != f->value[row];
}

/* The mean loss with columns first .. end-1 taken from the shuffled rows. */
static double
mean_loss(const Forest *f, const DeepTree *tree, Shuffled *s, int first, int end)
{
	double		loss = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < s->n; i++)
	{
		for (int g = 0; g < f->bins->ngroups; g++)
			memcpy(s->seen + g * GROUP_BYTES, f->bins->group[g] + (Size) s->row[i] * GROUP_BYTES, GROUP_BYTES);
		for (int j = first; j < end; j++)
			s->seen[j / GROUP_COLUMNS * GROUP_BYTES + j % GROUP_COLUMNS] = bins_cell(f->bins, j, s->row[s->from[i]]);
		loss += row_loss(f, tree->value + (Size) deep_leaf(tree, s->bin) * f->shape->nvalues, s->row[i]);
	}
	return loss / s->n;
}

static void
shuffle_columns(const Forest *f, const DeepTree *tree, uint64 seed, Shuffled *s, double *rise)
{
	int			ncolumns = f->shape->ncolumns;
	bool	   *used = palloc0(sizeof(bool) * Max(ncolumns, 1));
	double		before = mean_loss(f, tree, s, 0, 0);

	for (int i = 0; i < tree->nnodes; i++)
		if (tree->node[i].left != 0)
			used[tree->node[i].column] = true;
	for (int first = 0, end; first < ncolumns; first = end)
	{
		bool		matters = false;

		for (end = first; end < ncolumns && f->group[end] == f->group[first]; end++)
			matters |= used[end];
		if (!matters)
			continue;
		shuffle(s, hash_fold(seed, f->group[first]));
		rise[first] = mean_loss(f, tree, s, first, end) - before;
	}
	pfree(used);
}

void
forest_shuffle(const Forest *f, int slot)
{
	DeepTree	tree = forest_tree(f, slot);
	uint64		seed = hash_fold(tree_seed(f, slot), 3);
	double	   *rise = f->rise + (Size) slot * f->shape->ncolumns;
	Shuffled	s;

	init_shuffled(f, &s);
	choose_rows(f, slot, seed, &s);
	memset(rise, 0, sizeof(double) * f->shape->ncolumns);
	if (s.n > 0 && f->shape->ncolumns > 0)
		shuffle_columns(f, &tree, seed, &s, rise);
	free_shuffled(&s);
}
