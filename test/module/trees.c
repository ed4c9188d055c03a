/*
 * trees.c
 *		Random ensembles scored in every way, for SQL.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/hash.h"
#include "core/tree_internal.h"

#define ROWS 131				/* whole blocks and a part of one */

PG_FUNCTION_INFO_V1(core_trees_difference);

typedef struct Sample
{
	Trees	   *trees;
	int			thresholds;		/* distinct ones of a column */
	bool		wide;			/* thresholds single precision does not hold */
	double	   *rows;			/* (ROWS, ncolumns) */
	double	   *expected;		/* (ROWS, noutputs) */
	uint64		state;
} Sample;

static uint32
draw(Sample *s, uint32 n)
{
	s->state = hash_mix(s->state + UINT64CONST(0x9e3779b97f4a7c15));
	return (uint32) (s->state >> 32) % n;
}

static double
draw_threshold(Sample *s)
{
	double		t = (double) draw(s, s->thresholds) - s->thresholds / 2;

	return s->wide ? t / 3 : t / 4;
}

static void
grow_leaf(Sample *s, uint32 node)
{
	Trees	   *trees = s->trees;
	int			column = draw(s, trees->ncolumns);
	uint32		set[32];

	if (trees->levels[column] == 0)
	{
		(void) trees_split_number(trees, node, column, draw_threshold(s), draw(s, 2), 1);
		return;
	}
	for (int w = 0; w < tree_set_words(trees->levels[column]); w++)
		set[w] = draw(s, PG_UINT32_MAX);
	if (trees->levels[column] % 32 != 0)
		set[trees->levels[column] >> 5] &= (1u << trees->levels[column] % 32) - 1;
	(void) trees_split_category(trees, node, column, set, draw(s, 2), 1);
}

/* A tree of random shape: any leaf so far may split next. */
static void
grow_tree(Sample *s, int leaves)
{
	Trees	   *trees = s->trees;
	uint32		first = trees_begin(trees);

	while (leaves > 1)
	{
		uint32		node = first + draw(s, trees->nnodes - first);

		if (trees->node[node].kind != TREE_LEAF)
			continue;
		grow_leaf(s, node);
		leaves--;
	}
	for (uint32 i = first; i < (uint32) trees->nnodes; i++)
		for (int k = 0; k < trees->nvalues && trees->node[i].kind == TREE_LEAF; k++)
			trees->value[(Size) i * trees->nvalues + k] = (double) draw(s, 1000000) / 999983;
}

static double
draw_cell(Sample *s, int levels)
{
	static const double odd[] = {INFINITY, -INFINITY, 0.0, -0.0, 1e300, -1e300, 5e-324};

	if (draw(s, 8) == 0)
		return NAN;
	if (levels > 0)
		return (double) draw(s, levels + 2) - 1;	/* now and then a code that is no level */
	if (draw(s, 16) == 0)
		return odd[draw(s, lengthof(odd))];
	if (draw(s, 4) == 0)
		return nextafter(draw_threshold(s), draw(s, 2) ? INFINITY : -INFINITY);
	return draw_threshold(s);
}

/* Node by node, one tree after the other. */
static void
score_plainly(const Trees *trees, const double *row, double *out)
{
	memcpy(out, trees->base, sizeof(double) * trees->noutputs);
	for (int t = 0; t < trees->ntrees; t++)
	{
		uint32		at = trees->first[t];

		while (trees->node[at].kind != TREE_LEAF)
			at = trees->node[at].left + !tree_goes_left(trees, &trees->node[at], row);
		for (int k = 0; k < trees->nvalues; k++)
			out[trees->nvalues == 1 ? t % trees->noutputs : k] += trees->value[(Size) at * trees->nvalues + k];
	}
}

static const char *
compare(const Sample *s, const char *kernels, int at_once)
{
	Size		bytes = sizeof(double) * ROWS * s->trees->noutputs;
	double	   *out = palloc0(bytes);

	for (int r = 0; r < ROWS; r += at_once)
		trees_score(s->trees, s->rows + (Size) r * s->trees->ncolumns, Min(at_once, ROWS - r), out + (Size) r * s->trees->noutputs);
	for (int i = 0; i < ROWS * s->trees->noutputs; i++)
		if (memcmp(&out[i], &s->expected[i], sizeof(double)) != 0)
			return psprintf("%s, %d rows at once: score %d is %.17g, not %.17g", kernels, at_once, i, out[i], s->expected[i]);
	return NULL;
}

static const char *
find_difference(const Sample *s)
{
	static const int at_once[] = {1, 7, 8, 63, 64, ROWS};
	const TreeKernels *kernels[] = {&tree_baseline, tree_avx2()};
	const char *difference = NULL;

	for (size_t k = 0; k < lengthof(kernels) && kernels[k] != NULL; k++)
	{
		tree_use(kernels[k]);
		trees_prepare(s->trees);
		for (size_t i = 0; i < lengthof(at_once) && difference == NULL; i++)
			difference = compare(s, k == 0 ? "baseline" : "AVX2", at_once[i]);
	}
	tree_use(NULL);
	return difference;
}

/*
 * core_trees_difference(seed, trees, leaves, columns, categories, levels, outputs, values, thresholds, wide): the first score that is not that of a
 * walk node by node; NULL: none.
 */
Datum
core_trees_difference(PG_FUNCTION_ARGS)
{
	Sample		s = {.state = PG_GETARG_INT32(0),.thresholds = PG_GETARG_INT32(8),.wide = PG_GETARG_BOOL(9)};
	int			ncolumns = PG_GETARG_INT32(3);
	int			noutputs = PG_GETARG_INT32(6);
	int		   *levels = palloc0(sizeof(int) * ncolumns);
	const char *difference;

	for (int j = 0; j < PG_GETARG_INT32(4); j++)
		levels[j] = PG_GETARG_INT32(5);
	s.trees = trees_create(ncolumns, levels, noutputs, PG_GETARG_INT32(7));
	for (int k = 0; k < noutputs; k++)
		s.trees->base[k] = k + 0.1;
	for (int t = 0; t < PG_GETARG_INT32(1); t++)
		grow_tree(&s, 1 + draw(&s, PG_GETARG_INT32(2)));
	s.rows = palloc(sizeof(double) * ROWS * ncolumns);
	for (int i = 0; i < ROWS * ncolumns; i++)
		s.rows[i] = draw_cell(&s, levels[i % ncolumns]);
	s.expected = palloc(sizeof(double) * ROWS * noutputs);
	for (int r = 0; r < ROWS; r++)
		score_plainly(s.trees, s.rows + (Size) r * ncolumns, s.expected + (Size) r * noutputs);
	difference = find_difference(&s);
	if (difference == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(difference));
}
