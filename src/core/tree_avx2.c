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

/* What the kernels for one row are told. */
typedef struct Alone
{
	const TreePlan *plan;
	const uint32 *part;			/* NULL: the first ones */
	uint32		n;
	bool		sums;
	__m256i		code[TREE_MAX_TABLES];
	__m256i		missing[TREE_MAX_TABLES];
} Alone;

VECTOR_INLINED __m256i
load(const void *bytes)
{
	return _mm256_load_si256(bytes);
}

/* Which of 32 tests go left. */
VECTOR_INLINED __m256i
go_left(const Alone *alone, int ntables, bool has_missing, const TreePart *part)
{
	__m256i		line = load(part->line);
	__m256i		left = _mm256_cmpgt_epi8(load(part->right_from), look_up(alone->code, ntables, line));

	/* codes are those of missing left: what is missing goes left unless the test says otherwise */
	if (has_missing)
		left = _mm256_andnot_si256(_mm256_and_si256(look_up(alone->missing, ntables, line), load(part->missing_right)), left);
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

VECTOR_INLINED __m128i
join_halves(__m256i a)
{
	return _mm_or_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

/* One part -> four words of leaves, to be joined. */
VECTOR_INLINED __m128i
strike_part(const Alone *alone, int ntables, bool has_missing, const TreePart *part)
{
	__m256i		left = go_left(alone, ntables, has_missing, part);
	__m256i		plane[TREE_PART_PLANES];

	for (int p = 0; p < TREE_PART_PLANES; p++)
		plane[p] = _mm256_andnot_si256(left, load(part->strike[p]));
	return join_halves(join16(join8(plane[0], plane[1]), join8(plane[2], plane[3])));
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

/* The values of the leaves that parts from .. to-1 lead to. */
VECTOR_INLINED double
add_leaves(const TreePlan *plan, uint32 from, uint32 to, double sum)
{
	for (uint32 i = from; i < to; i++)
		sum += plan->leaf_value[plan->first_leaf[i] + _tzcnt_u32(~plan->struck[i])];
	return sum;
}

/*
 * Four parts at a time, so that their words are joined together.  Values are added four parts later: what they wait for is done by then, and the
 * additions, which wait for each other, go on beside the tests.  Lists of parts and parts themselves are filled up to fours.
 */
VECTOR_INLINED double
strike_parts(const Alone *alone, int ntables, bool has_missing, double sum)
{
	const TreePlan *plan = alone->plan;
	uint32		i = 0;

	for (; i < alone->n; i += 4)
	{
		__m128i		word[4];

		for (int u = 0; u < 4; u++)
			word[u] = strike_part(alone, ntables, has_missing, plan->part + (alone->part != NULL ? alone->part[i + u] : i + u));
		word[0] = join_pairs(join_words(word[0], word[1]), join_words(word[2], word[3]));
		_mm_storeu_si128((__m128i *) (plan->struck + i), word[0]);
		if (alone->sums && i > 0)
			sum = add_leaves(plan, i - 4, i, sum);
	}
	return alone->sums && i > 0 ? add_leaves(plan, i - 4, alone->n, sum) : sum;
}

/* Builds for the usual numbers of columns; the compiler unrolls them. */
VECTOR_INLINED double
strike_tables(const Alone *alone, int ntables, bool has_missing, double sum)
{
	if (ntables == 1)
		return strike_parts(alone, 1, has_missing, sum);
	if (ntables == 2)
		return strike_parts(alone, 2, has_missing, sum);
	return strike_parts(alone, ntables, has_missing, sum);
}

VECTOR_INLINED double
strike_alone(Alone *alone, const int8 *codes, bool has_missing, double sum)
{
	int			ntables = alone->plan->nlines / TREE_TABLE_CODES;

	for (int k = 0; k < ntables; k++)
	{
		const __m128i *left = (const __m128i *) (codes + k * TREE_TABLE_CODES);
		const __m128i *right = (const __m128i *) (codes + alone->plan->nlines + k * TREE_TABLE_CODES);
		__m128i		present = _mm_cmpeq_epi8(_mm_loadu_si128(left), _mm_loadu_si128(right));

		alone->code[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128(left));
		alone->missing[k] = _mm256_broadcastsi128_si256(_mm_andnot_si128(present, _mm_set1_epi8(-1)));
	}
	return has_missing ? strike_tables(alone, ntables, true, sum) : strike_tables(alone, ntables, false, sum);
}

TREE_TARGET static void
strike(const TreePlan *plan, const uint32 *part, uint32 n, const int8 *codes, bool has_missing)
{
	Alone		alone;

	alone.plan = plan;
	alone.part = part;
	alone.n = n;
	alone.sums = false;
	(void) strike_alone(&alone, codes, has_missing, 0);
}

TREE_TARGET static double
sum(const TreePlan *plan, const int8 *codes, bool has_missing, double start)
{
	Alone		alone;

	alone.plan = plan;
	alone.part = NULL;
	alone.n = plan->nparted;
	alone.sums = true;
	return strike_alone(&alone, codes, has_missing, start);
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
	for (int r = 0; r < TREE_BLOCK; r += TREE_PART_LEAVES)
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
