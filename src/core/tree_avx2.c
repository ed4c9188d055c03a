/*
 * tree_avx2.c
 *		The scoring kernels for x86 CPUs with AVX2; those that shuffle bytes are here alone.
 */
#include "postgres.h"

#include "core/tree_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TREE_TARGET __attribute__((target("avx2,popcnt,bmi")))
#define VECTOR_INLINED static inline __attribute__((always_inline)) TREE_TARGET

/* ---- coding ---- */

/* How many of 16 values are below x. */
VECTOR_INLINED int
count_below(const double *value, __m256d x)
{
	__m256i		below[TREE_FAN / 4];

	for (int k = 0; k < TREE_FAN / 4; k++)
		below[k] = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_load_pd(value + 4 * k), x, _CMP_LT_OQ));
	below[0] = _mm256_packs_epi16(_mm256_packs_epi32(below[0], below[1]), _mm256_packs_epi32(below[2], below[3]));
	return _mm_popcnt_u32((unsigned int) _mm256_movemask_epi8(below[0])) / 2;
}

VECTOR_INLINED int
search(const double *threshold, double x)
{
	__m256d		all = _mm256_set1_pd(x);
	int			row = count_below(threshold, all);

	return row * TREE_FAN + count_below(threshold + TREE_FAN * (row + 1), all);
}

/* ---- a row alone: the tests of a tree in lanes ---- */

/* The codes, or what else the tables hold, of 32 lines; a shuffle gives 0 for an index above 127. */
VECTOR_INLINED __m256i
look_up(const __m256i *table, int ntables, __m256i line)
{
	const __m256i above = _mm256_set1_epi8(0x70);
	__m256i		found = _mm256_shuffle_epi8(table[0], _mm256_adds_epu8(line, above));

	for (int k = 1; k < ntables; k++)
	{
		line = _mm256_sub_epi8(line, _mm256_set1_epi8(TREE_TABLE_CODES));
		found = _mm256_or_si256(found, _mm256_shuffle_epi8(table[k], _mm256_adds_epu8(line, above)));
	}
	return found;
}

/* Which of 32 tests go left. */
VECTOR_INLINED __m256i
go_left(const __m256i *code, const __m256i *missing, int ntables, bool has_missing, int nvectors, const __m256i *tests)
{
	__m256i		line = _mm256_load_si256(&tests[0]);
	__m256i		left = _mm256_cmpgt_epi8(_mm256_load_si256(&tests[nvectors]), look_up(code, ntables, line));

	/* codes are those of missing left: what is missing goes left unless the test says otherwise */
	if (has_missing)
		left = _mm256_andnot_si256(_mm256_and_si256(look_up(missing, ntables, line), _mm256_load_si256(&tests[2 * nvectors])), left);
	return left;
}

VECTOR_INLINED __m256i
join8(__m256i a, __m256i b)
{
	return _mm256_or_si256(_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
}

VECTOR_INLINED __m256i
join16(__m256i a, __m256i b)
{
	return _mm256_or_si256(_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
}

VECTOR_INLINED __m256i
join32(__m256i a, __m256i b)
{
	return _mm256_or_si256(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
}

VECTOR_INLINED __m128i
join_halves(__m256i a)
{
	return _mm_or_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

/* Four planes of strikes, a byte a test -> words of 32 leaves, eight to be joined. */
VECTOR_INLINED __m256i
strike_planes(const __m256i *left, int nvectors, const __m256i *strikes)
{
	__m256i		plane[4];

	for (int p = 0; p < 4; p++)
	{
		plane[p] = _mm256_andnot_si256(left[0], _mm256_load_si256(&strikes[p * nvectors]));
		for (int v = 1; v < nvectors; v++)
			plane[p] = _mm256_or_si256(plane[p], _mm256_andnot_si256(left[v], _mm256_load_si256(&strikes[p * nvectors + v])));
	}
	return join16(join8(plane[0], plane[1]), join8(plane[2], plane[3]));
}

/* One tree -> words to be joined: four of 32 leaves, or two of 64. */
VECTOR_INLINED __m128i
strike_tree(const __m256i *code, const __m256i *missing, int ntables, bool has_missing, int nvectors, const __m256i *tests)
{
	const __m256i *strikes = tests + 3 * nvectors;
	__m256i		left[TREE_MAX_VECTORS];
	__m256i		words;

	for (int v = 0; v < nvectors; v++)
		left[v] = go_left(code, missing, ntables, has_missing, nvectors, tests + v);
	words = strike_planes(left, nvectors, strikes);
	if (nvectors == 2)
		words = join32(words, strike_planes(left, nvectors, strikes + 4 * nvectors));
	return join_halves(words);
}

VECTOR_INLINED __m128i
join_pairs(__m128i a, __m128i b)
{
	return _mm_or_si128(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));
}

VECTOR_INLINED __m128i
join_words(__m128i a, __m128i b)
{
	return _mm_or_si128(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
}

/* Four trees of one vector -> what each strikes out. */
VECTOR_INLINED __m256i
join_trees(const __m128i *word)
{
	return _mm256_cvtepu32_epi64(join_pairs(join_words(word[0], word[1]), join_words(word[2], word[3])));
}

/* Two trees of two vectors each, twice. */
VECTOR_INLINED __m256i
join_wide_trees(const __m128i *word)
{
	return _mm256_set_m128i(join_pairs(word[2], word[3]), join_pairs(word[0], word[1]));
}

/* What the kernels for one row are told. */
typedef struct Alone
{
	const TreeVectors *trees;
	const double *value;		/* of leaves; NULL: store what is struck out */
	uint64	   *struck;
	__m256i		code[TREE_MAX_TABLES];
	__m256i		missing[TREE_MAX_TABLES];
} Alone;

/* Four trees at a time, so that their words are joined together, and additions, which wait for each other, go on beside the next four. */
VECTOR_INLINED double
strike_trees(const Alone *alone, int ntables, bool has_missing, int nvectors, double sum)
{
	Size		step = tree_vector_bytes(nvectors) / TREE_VECTOR;
	const __m256i *tests = (const __m256i *) alone->trees->tests;
	uint32		ntrees = alone->trees->ntrees;

	for (uint32 i = 0; i < ntrees; i += 4)
	{
		__m128i		word[4];
		__m256i		struck;

		for (int u = 0; u < 4; u++, tests += step)
			word[u] = strike_tree(alone->code, alone->missing, ntables, has_missing, nvectors, tests);
		struck = nvectors == 1 ? join_trees(word) : join_wide_trees(word);
		_mm256_storeu_si256((__m256i *) (alone->struck + i), struck);
		for (uint32 t = i; alone->value != NULL && t < Min(i + 4, ntrees); t++)
			sum += alone->value[alone->trees->first_value[t] + _tzcnt_u64(~alone->struck[t])];
	}
	return sum;
}

/* Builds for the usual numbers of columns; the compiler unrolls them. */
VECTOR_INLINED double
strike_tables(const Alone *alone, int ntables, bool has_missing, int nvectors, double sum)
{
	if (ntables == 1)
		return strike_trees(alone, 1, has_missing, nvectors, sum);
	if (ntables == 2)
		return strike_trees(alone, 2, has_missing, nvectors, sum);
	return strike_trees(alone, ntables, has_missing, nvectors, sum);
}

TREE_TARGET static double
strike_alone(const TreePlan *plan, int nvectors, const int8 *codes, bool has_missing, const double *value, double sum)
{
	Alone		alone = {.trees = &plan->vectors[nvectors - 1],.value = value,.struck = plan->struck};
	int			ntables = plan->nlines / TREE_TABLE_CODES;

	for (int k = 0; k < ntables; k++)
	{
		const __m128i *left = (const __m128i *) (codes + k * TREE_TABLE_CODES);
		const __m128i *right = (const __m128i *) (codes + plan->nlines + k * TREE_TABLE_CODES);
		__m128i		present = _mm_cmpeq_epi8(_mm_loadu_si128(left), _mm_loadu_si128(right));

		alone.code[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128(left));
		alone.missing[k] = _mm256_broadcastsi128_si256(_mm_andnot_si128(present, _mm_set1_epi8(-1)));
	}
	if (nvectors == 1 && !has_missing)
		return strike_tables(&alone, ntables, false, 1, sum);
	if (nvectors == 1)
		return strike_tables(&alone, ntables, true, 1, sum);
	return strike_tables(&alone, ntables, has_missing, 2, sum);
}

TREE_TARGET static void
strike(const TreePlan *plan, int nvectors, const int8 *codes, bool has_missing)
{
	(void) strike_alone(plan, nvectors, codes, has_missing, NULL, 0);
}

TREE_TARGET static double
sum(const TreePlan *plan, int nvectors, const int8 *codes, bool has_missing, double start)
{
	return strike_alone(plan, nvectors, codes, has_missing, plan->leaf_value, start);
}

/* ---- categories ---- */

TREE_TARGET static void
choose(const uint32 *set, const uint32 *code, int8 *line)
{
	const __m256i mask = _mm256_set1_epi8(0x1f);
	const __m256i bits = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128,
										  1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	__m256i		table[2];

	for (int k = 0; k < 2; k++)
		table[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) set + k));
	for (int r = 0; r < TREE_BLOCK; r += TREE_VECTOR)
	{
		const __m256i *word = (const __m256i *) (code + r);
		__m256i		low = _mm256_packs_epi32(_mm256_loadu_si256(word), _mm256_loadu_si256(word + 1));
		__m256i		high = _mm256_packs_epi32(_mm256_loadu_si256(word + 2), _mm256_loadu_si256(word + 3));
		__m256i		byte = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
		__m256i		bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(byte, _mm256_set1_epi8(7)));
		__m256i		found = look_up(table, 2, _mm256_and_si256(_mm256_srli_epi16(byte, 3), mask));

		_mm256_storeu_si256((__m256i *) (line + r), _mm256_cmpeq_epi8(_mm256_and_si256(found, bit), _mm256_setzero_si256()));
	}
}

#define TREE_BYTES 32
#define TREE_TABLE avx2_kernels
#define TREE_LINKAGE static
#define TREE_SEARCH search
#define TREE_CHOOSE choose
#define TREE_STRIKE strike
#define TREE_SUM sum
#include "core/tree_kernels_internal.h"

const TreeKernels *
tree_avx2(void)
{
	bool		runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi");

	return runs ? &avx2_kernels : NULL;
}

#else

const TreeKernels *
tree_avx2(void)
{
	return NULL;
}

#endif
