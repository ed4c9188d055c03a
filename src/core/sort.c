/*
 * sort.c
 *		Radix sort of 64-bit keys and radix selection of doubles: linear time whatever the input.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/budget.h"
#include "core/sort.h"

#define DIGIT_BITS 11			/* 2048 counters stay in the first-level cache */
#define DIGITS 6				/* of 11 bits: 66 >= 64 */
#define LEADING_DIGIT 3			/* from here on the digits hold the leading 31 bits */
#define MOST_MOVES 256			/* of one key, when the rest is sorted by insertion */
#define DIGIT_VALUES (1 << DIGIT_BITS)
#define DIGIT_MASK (DIGIT_VALUES - 1)
#define BLOCK_ROWS (1 << 19)	/* between two checks for interrupts */
#define COPY_ROWS 4096			/* copied between two looks at the room left */
#define FEW 32					/* as many values are sorted by insertion */
#define SAMPLE 2048				/* values that show where a rank lies */
#define SAMPLE_MARGIN 96		/* ranks on either side: four standard deviations at the median */

/* ---- sort ---- */

typedef struct KeySort
{
	uint64	   *key,
			   *key_scratch;
	uint32	   *payload,
			   *payload_scratch;
	uint32		n;
	uint32		count[DIGITS][DIGIT_VALUES];
} KeySort;

/* How often each value of each digit from "first" on occurs, for all digits in one pass. */
static void
count_digits(KeySort *s, int first)
{
	memset(s->count, 0, sizeof(s->count));
	for (uint32 start = 0; start < s->n;)
	{
		uint32		end = start + Min(s->n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
			for (int digit = first; digit < DIGITS; digit++)
				s->count[digit][(s->key[start] >> (digit * DIGIT_BITS)) & DIGIT_MASK]++;
	}
}

/* Counts -> first positions.  False where one value holds all n keys: nothing to do for this digit. */
static bool
counts_to_positions(uint32 *count, uint32 n)
{
	uint32		position = 0;

	for (int value = 0; value < DIGIT_VALUES; value++)
	{
		uint32		here = count[value];

		if (here == n)
			return false;
		count[value] = position;
		position += here;
	}
	return true;
}

static void
scatter(const uint64 *key, const uint32 *payload, uint64 *key_out, uint32 *payload_out, uint32 n, int shift, uint32 *position)
{
	for (uint32 start = 0; start < n;)
	{
		uint32		end = start + Min(n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
		{
			uint32		to = position[(key[start] >> shift) & DIGIT_MASK]++;

			key_out[to] = key[start];
			payload_out[to] = payload[start];
		}
	}
}

/* Stable, by the digits from "first" on. */
static void
sort_digits(KeySort *s, int first)
{
	uint64	   *from_key = s->key,
			   *to_key = s->key_scratch;
	uint32	   *from_payload = s->payload,
			   *to_payload = s->payload_scratch;

	count_digits(s, first);
	for (int digit = first; digit < DIGITS; digit++)
	{
		uint64	   *swap_key = from_key;
		uint32	   *swap_payload = from_payload;

		if (!counts_to_positions(s->count[digit], s->n))
			continue;
		scatter(from_key, from_payload, to_key, to_payload, s->n, digit * DIGIT_BITS, s->count[digit]);
		from_key = to_key;
		to_key = swap_key;
		from_payload = to_payload;
		to_payload = swap_payload;
	}
	if (from_key != s->key)
	{
		memcpy(s->key, from_key, sizeof(uint64) * (Size) s->n);
		memcpy(s->payload, from_payload, sizeof(uint32) * (Size) s->n);
	}
}

/* Sort by insertion what is nearly in order; false, with equal keys still in their order, where it is not. */
static bool
finish_by_insertion(KeySort *s)
{
	uint64		moves = 0;

	for (uint32 i = 1; i < s->n && moves <= s->n; i++)
	{
		uint64		key = s->key[i];
		uint32		payload = s->payload[i];
		uint32		j = i;

		if (i % BLOCK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		for (; j > 0 && s->key[j - 1] > key && i - j < MOST_MOVES; j--)
		{
			s->key[j] = s->key[j - 1];
			s->payload[j] = s->payload[j - 1];
		}
		s->key[j] = key;
		s->payload[j] = payload;
		if (i - j == MOST_MOVES)
			return false;
		moves += i - j;
	}
	return moves <= s->n;
}

/* Hashes and most doubles differ in their leading digits already: only where they do not, all digits are sorted by. */
void
sort_keys(uint64 *key, uint32 *payload, uint64 *key_scratch, uint32 *payload_scratch, uint32 n)
{
	KeySort    *s = palloc(sizeof(KeySort));

	s->key = key;
	s->key_scratch = key_scratch;
	s->payload = payload;
	s->payload_scratch = payload_scratch;
	s->n = n;
	sort_digits(s, LEADING_DIGIT);
	if (!finish_by_insertion(s))
		sort_digits(s, 0);
	pfree(s);
}

/* ---- selection ---- */

/* The other way from ordered_bits. */
static inline double
ordered_value(uint64 bits)
{
	double		x;

	bits = bits >> 63 ? bits ^ UINT64CONST(1) << 63 : ~bits;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

void
sort_doubles(double *value, int64 n)
{
	Size		count = (Size) Max(n, 1);
	uint64	   *key = alloc_large(CurrentMemoryContext, sizeof(uint64) * count);
	uint64	   *scratch = alloc_large(CurrentMemoryContext, sizeof(uint64) * count);
	uint32	   *payload = alloc_large(CurrentMemoryContext, 2 * sizeof(uint32) * count);

	memset(payload, 0, sizeof(uint32) * count);
	for (int64 i = 0; i < n; i++)
	{
		if (i % BLOCK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		key[i] = ordered_bits(value[i]);
	}
	sort_keys(key, payload, scratch, payload + count, (uint32) n);
	for (int64 i = 0; i < n; i++)
		value[i] = ordered_value(key[i]);
	pfree(key);
	pfree(scratch);
	pfree(payload);
}

uint64
sortable_double(double x)
{
	return x != x ? PG_UINT64_MAX : ordered_bits(x);
}

static double
select_among_few(double *value, int64 n, int64 k)
{
	for (int64 i = 1; i < n; i++)
	{
		double		x = value[i];
		int64		j = i;

		for (; j > 0 && value[j - 1] > x; j--)
			value[j] = value[j - 1];
		value[j] = x;
	}
	return value[k];
}

static void
count_digit(const double *value, int64 n, int shift, int64 *count)
{
	memset(count, 0, sizeof(int64) * DIGIT_VALUES);
	for (int64 start = 0; start < n;)
	{
		int64		end = start + Min(n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
			count[(ordered_bits(value[start]) >> shift) & DIGIT_MASK]++;
	}
}

/* Swap the values whose digit is the wanted one to the front; returns how many. */
static int64
gather_digit(double *value, int64 n, int shift, uint64 wanted)
{
	int64		front = 0;

	for (int64 start = 0; start < n;)
	{
		int64		end = start + Min(n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
		{
			double		x = value[start];

			value[start] = value[front];
			value[front] = x;
			front += ((ordered_bits(x) >> shift) & DIGIT_MASK) == wanted;
		}
	}
	return front;
}

/* Columns full of one value are common; others are found out at once. */
static bool
all_equal(const double *value, int64 n)
{
	for (int64 i = 1; i < n; i++)
	{
		if (i % BLOCK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (value[i] != value[0])
			return false;
	}
	return true;
}

/*
 * Radix selection: the digits from the top narrow down the candidates, at most six passes whatever the values.
 */
static double
select_radix(double *value, int64 n, int64 k)
{
	int64		count[DIGIT_VALUES];

	if (all_equal(value, n))
		return value[0] + 0.0;
	for (int digit = DIGITS - 1; digit >= 0 && n > FEW; digit--)
	{
		int			shift = digit * DIGIT_BITS;
		uint64		wanted = 0;

		count_digit(value, n, shift, count);
		while (k >= count[wanted])
			k -= count[wanted++];
		if (count[wanted] < n)
			n = gather_digit(value, n, shift, wanted);
	}
	/* with no digit left all candidates are equal */
	return (n > FEW ? value[0] : select_among_few(value, n, k)) + 0.0;
}

/* Copy the values from low to high; returns how many, or -1 where they are too many, and in *below how many are smaller. */
static int64
copy_range(const double *value, int64 n, double low, double high, double *copy, int64 capacity, int64 *below)
{
	int64		count = 0;
	int64		smaller = 0;

	for (int64 start = 0; start < n;)
	{
		int64		end = Min(start + COPY_ROWS, n);

		CHECK_FOR_INTERRUPTS();
		if (count + COPY_ROWS > capacity)
			return -1;
		for (; start < end; start++)
		{
			double		x = value[start];

			copy[count] = x;
			smaller += x < low;
			count += (x >= low) & (x <= high);
		}
	}
	*below = smaller;
	return count;
}

/*
 * Copy a small part of a large array that holds the ranks first .. last (Floyd and Rivest 1975, with a sample taken at even distances) to
 * where *value then points; palloc'd.  Returns its size, and in *below how many values are smaller than all of it; where the sample misled, n and 0
 * with the array as it was.
 */
static int64
narrow(double **value, int64 n, int64 first, int64 last, int64 *below)
{
	double		sample[SAMPLE];
	int64		center = (int64) ((double) first / (double) n * SAMPLE);
	double		low = -HUGE_VAL,
				high = HUGE_VAL;
	int64		capacity = n / 4;
	double	   *copy;
	int64		size;

	*below = 0;
	if (n < 16 * SAMPLE)
		return n;
	for (int i = 0; i < SAMPLE; i++)
		sample[i] = (*value)[n / SAMPLE * i];
	if (center >= SAMPLE_MARGIN)
		low = select_radix(sample, SAMPLE, center - SAMPLE_MARGIN);
	if (center + SAMPLE_MARGIN < SAMPLE)
		high = select_radix(sample, SAMPLE, center + SAMPLE_MARGIN);

	copy = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * capacity);
	size = copy_range(*value, n, low, high, copy, capacity, below);
	if (size >= 0 && first >= *below && last < *below + size)
	{
		*value = copy;
		return size;
	}
	pfree(copy);
	*below = 0;
	return n;
}

double
select_kth(double *value, int64 n, int64 k)
{
	double	   *part = value;
	int64		below;
	int64		size;
	double		result;

	Assert(k >= 0 && k < n);
	size = narrow(&part, n, k, k, &below);
	result = select_radix(part, size, k - below);
	if (part != value)
		pfree(part);
	return result;
}

double
median(double *value, int64 n)
{
	int64		lower = (n - 1) / 2;
	int64		upper = n / 2;
	double	   *part = value;
	int64		below;
	int64		size;
	double		result;

	Assert(n > 0);
	size = narrow(&part, n, lower, upper, &below);
	result = select_radix(part, size, upper - below);
	if (lower != upper)
		result = 0.5 * select_radix(part, size, lower - below) + 0.5 * result;
	if (part != value)
		pfree(part);
	return result;
}
