/*
 * tree_kernels_internal.h
 *		The text of the scoring kernels, included once per build.
 *
 * The includer defines TREE_TARGET (function attribute), TREE_LANES (floats in a register), TREE_TABLE and TREE_LINKAGE.
 */
#define INLINED static inline __attribute__((always_inline)) TREE_TARGET

typedef float FloatVec __attribute__((vector_size(4 * TREE_LANES), may_alias));
typedef int32 BitsVec __attribute__((vector_size(4 * TREE_LANES), may_alias));

#define STRIP_VECS 8			/* registers of leaves; the rest hold values and constants */
#define STRIP (STRIP_VECS * TREE_LANES)

/* One word of leaves, for a strip of rows. */
INLINED void
strike_strip(const TreePlan *plan, const TreeTest *test, const uint32 *end, uint32 from, int strip, uint32 *leaf)
{
	BitsVec		left[STRIP_VECS];
	uint32		i = from;

	for (int k = 0; k < STRIP_VECS; k++)
		left[k] = (BitsVec) {0} - 1;
	for (; i < end[TEST_MISSING_RIGHT]; i++)
	{
		const FloatVec *x = (const FloatVec *) (plan->block + (Size) test[i].slot * TREE_BLOCK + strip);
		FloatVec	t = (FloatVec) {0} + test[i].threshold;
		BitsVec		keep = (BitsVec) {0} + (int32) test[i].keep;

		for (int k = 0; k < STRIP_VECS; k++)
			left[k] &= (BitsVec) (x[k] <= t) | keep;
	}
	for (; i < end[TEST_MISSING_LEFT]; i++)
	{
		const FloatVec *x = (const FloatVec *) (plan->block + (Size) test[i].slot * TREE_BLOCK + strip);
		FloatVec	t = (FloatVec) {0} + test[i].threshold;
		BitsVec		keep = (BitsVec) {0} + (int32) test[i].keep;

		for (int k = 0; k < STRIP_VECS; k++)
			left[k] &= ~(BitsVec) (x[k] > t) | keep;
	}
	for (int k = 0; k < STRIP_VECS; k++)
		((BitsVec *) (leaf + strip))[k] = left[k];
}

TREE_TARGET static void
strike(const TreePlan *plan, const TreeBits *bits, uint32 *leaf)
{
	uint32		from = bits->first_test;

	for (int w = 0; w < bits->nwords; w++)
	{
		for (int strip = 0; strip < TREE_BLOCK; strip += STRIP)
			strike_strip(plan, plan->test, bits->end[w], from, strip, leaf + w * TREE_BLOCK);
		from = bits->end[w][TEST_CATEGORY];
	}
}

TREE_LINKAGE const TreeKernels TREE_TABLE = {
	.strike = strike,
};
