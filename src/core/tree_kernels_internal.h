/*
 * tree_kernels_internal.h
 *		The text of the scoring kernels, included once per build.
 *
 * The includer defines TREE_TARGET (function attribute), TREE_BYTES (of a register), TREE_TABLE and TREE_LINKAGE, and TREE_SEARCH, TREE_CHOOSE,
 * TREE_STRIKE and TREE_SUM, which are of that build alone.
 */
#define INLINED static inline __attribute__((always_inline)) TREE_TARGET

/* ---- coding ---- */

TREE_TARGET static bool
code_row(const TreePlan *plan, const double *row, int ncolumns, int8 *codes)
{
	int8	   *right = codes + plan->nlines;
	bool		missing = false;

	for (int j = 0; j < ncolumns; j++)
		missing |= row[j] != row[j];
	for (int s = 0; s < plan->nslots; s++)
		codes[s] = (int8) (TREE_SEARCH(plan->threshold + plan->slot[s].first, row[plan->slot[s].column]) - 128);
	memcpy(right, codes, plan->nslots);
	for (int s = 0; s < plan->nslots && missing; s++)
		if (row[plan->slot[s].column] != row[plan->slot[s].column])
			right[s] = TREE_CODE_MISSING_RIGHT;
	return missing;
}

/* Rows that are not there are copies of the last. */
TREE_TARGET static void
code_block(const TreePlan *plan, const double *rows, int nrows, int ncolumns)
{
	for (int s = 0; s < plan->nslots; s++)
	{
		const double *threshold = plan->threshold + plan->slot[s].first;
		int8	   *left = plan->block + (Size) s * TREE_BLOCK;
		int8	   *right = left + (Size) plan->nlines * TREE_BLOCK;

		for (int r = 0; r < TREE_BLOCK; r++)
		{
			double		x = rows[(Size) Min(r, nrows - 1) * ncolumns + plan->slot[s].column];

			left[r] = (int8) (TREE_SEARCH(threshold, x) - 128);
			right[r] = x != x ? TREE_CODE_MISSING_RIGHT : left[r];
		}
	}
}

/* ---- a block of rows by one tree ---- */

typedef int8 CodeVec __attribute__((vector_size(TREE_BYTES), may_alias));

#define NVECS (TREE_BLOCK / TREE_BYTES)

/* The leaves of one plane that are left over. */
INLINED void
strike_plane(const TreePlan *plan, const TreeTest *test, const TreeTest *end, CodeVec *kept)
{
	for (int k = 0; k < NVECS; k++)
		kept[k] = (CodeVec) {0} - 1;
	for (; test < end; test++)
	{
		const CodeVec *code = (const CodeVec *) (plan->block + (Size) test->line * TREE_BLOCK);
		CodeVec		right_from = (CodeVec) {0} + test->right_from;
		CodeVec		keep = (CodeVec) {0} + (int8) test->keep;

		for (int k = 0; k < NVECS; k++)
			kept[k] &= (CodeVec) (right_from > code[k]) | keep;
	}
}

/* The place of the lowest bit in each byte, not 0. */
INLINED CodeVec
lowest_bit(CodeVec bits)
{
	bits &= -bits;
	return ((CodeVec) ((bits & (int8) 0xf0) != 0) & 4) | ((CodeVec) ((bits & (int8) 0xcc) != 0) & 2) |
		((CodeVec) ((bits & (int8) 0xaa) != 0) & 1);
}

TREE_TARGET static void
leaves(const TreePlan *plan, const TreeForm *form, uint8 *leaf)
{
	const uint32 *end = plan->plane_end + form->first_plane;	/* end[-1] is where the first plane begins */
	CodeVec		first[NVECS] = {0};
	CodeVec		plane[NVECS] = {0};

	for (int p = form->nplanes - 1; p >= 0; p--)
	{
		CodeVec		kept[NVECS];

		strike_plane(plan, plan->test + end[p - 1], plan->test + end[p], kept);
		for (int k = 0; k < NVECS; k++)
		{
			CodeVec		none = (CodeVec) (kept[k] == 0);

			first[k] = (first[k] & none) | kept[k];
			plane[k] = (plane[k] & none) | (((CodeVec) {0} + (int8) (p * TREE_PLANE_LEAVES)) & ~none);
		}
	}
	for (int k = 0; k < NVECS; k++)
		((CodeVec *) leaf)[k] = plane[k] | lowest_bit(first[k]);
}

TREE_LINKAGE const TreeKernels TREE_TABLE = {
	.code_row = code_row,
	.code_block = code_block,
	.leaves = leaves,
	.choose = TREE_CHOOSE,
	.strike = TREE_STRIKE,
	.sum = TREE_SUM,
};
