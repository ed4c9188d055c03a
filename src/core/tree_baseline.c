/*
 * tree_baseline.c
 *		The scoring kernels for any CPU.
 */
#include "postgres.h"

#include "core/tree_internal.h"

/* How many thresholds are below x: first of the rows of TREE_FAN, then of one row. */
static inline int
search(const double *threshold, double x)
{
	int			row = 0,
				below = 0;

	for (int k = TREE_FAN / 2; k > 0; k /= 2)
		row += threshold[row + k - 1] < x ? k : 0;
	threshold += TREE_FAN * (row + 1);
	for (int k = TREE_FAN / 2; k > 0; k /= 2)
		below += threshold[below + k - 1] < x ? k : 0;
	return row * TREE_FAN + below;
}

static void
choose(const uint32 *set, const uint32 *code, int8 *line)
{
	for (int r = 0; r < TREE_BLOCK; r++)
		line[r] = tree_set_has(set, (int) code[r]) - 1;
}

#define TREE_TARGET
#define TREE_BYTES 16
#define TREE_TABLE tree_baseline
#define TREE_LINKAGE
#define TREE_SEARCH search
#define TREE_CHOOSE choose
#define TREE_STRIKE NULL
#define TREE_SUM NULL
#include "core/tree_kernels_internal.h"
