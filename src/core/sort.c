/*
 * sort.c
 *		Radix sort of 64-bit keys and radix selection of doubles: linear time whatever the input.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/sort.h"

#define DIGIT_BITS 11			/* 2048 counters stay in the first-level cache */
#define DIGITS 6				/* of 11 bits: 66 >= 64 */
#define DIGIT_VALUES (1 << DIGIT_BITS)
#define DIGIT_MASK (DIGIT_VALUES - 1)
#define BLOCK_ROWS (1 << 19)	/* between two checks for interrupts */
#define FEW 32					/* as many values are sorted by insertion */
#define SAMPLE 2048				/* values that show where a rank lies */
#define SAMPLE_MARGIN 96		/* ranks on either side: four standard deviations at the median */

/* ---- sort ---- */

/* How often each value of each digit occurs, for all digits in one pass. */
static void
count_digits(const uint64 *key, uint32 n, uint32 count[DIGITS][DIGIT_VALUES])
{
	memset(count, 0, sizeof(uint32) * DIGITS * DIGIT_VALUES);
	for (uint32 start = 0; start < n;)
	{
		uint32		end = start + Min(n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
			for (int digit = 0; digit < DIGITS; digit++)
				count[digit][(key[start] >> (digit * DIGIT_BITS)) & DIGIT_MASK]++;
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

void
sort_keys(uint64 *key, uint32 *payload, uint64 *key_scratch, uint32 *payload_scratch, uint32 n)
{
	uint32		(*count)[DIGIT_VALUES] = palloc(sizeof(uint32) * DIGITS * DIGIT_VALUES);
	uint64	   *from_key = key,
			   *to_key = key_scratch;
	uint32	   *from_payload = payload,
			   *to_payload = payload_scratch;

	count_digits(key, n, count);
	for (int digit = 0; digit < DIGITS; digit++)
	{
		uint64	   *swap_key = from_key;
		uint32	   *swap_payload = from_payload;

		if (!counts_to_positions(count[digit], n))
			continue;
		scatter(from_key, from_payload, to_key, to_payload, n, digit * DIGIT_BITS, count[digit]);
		from_key = to_key;
		to_key = swap_key;
		from_payload = to_payload;
		to_payload = swap_payload;
	}
	if (from_key != key)
	{
		memcpy(key, from_key, sizeof(uint64) * (Size) n);
		memcpy(payload, from_payload, sizeof(uint32) * (Size) n);
	}
	pfree(count);
}

/* ---- selection ---- */

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

/* Swap the values from low to high to the front; returns how many, and in *below how many are smaller. */
static int64
gather_range(double *value, int64 n, double low, double high, int64 *below)
{
	int64		front = 0;
	int64		smaller = 0;

	for (int64 start = 0; start < n;)
	{
		int64		end = start + Min(n - start, BLOCK_ROWS);

		CHECK_FOR_INTERRUPTS();
		for (; start < end; start++)
		{
			double		x = value[start];

			value[start] = value[front];
			value[front] = x;
			smaller += x < low;
			front += (x >= low) & (x <= high);
		}
	}
	*below = smaller;
	return front;
}

/*
 * Bring a small part of a large array to the front in one pass, so that it holds the ranks first .. last (Floyd and Rivest 1975, with a sample
 * taken at even distances).  Returns its size, and in *below how many values are smaller than all of it; n and 0 where the sample misled.
 */
static int64
narrow(double *value, int64 n, int64 first, int64 last, int64 *below)
{
	double		sample[SAMPLE];
	int64		center = (int64) ((double) first / (double) n * SAMPLE);
	double		low = -HUGE_VAL,
				high = HUGE_VAL;
	int64		size;

	*below = 0;
	if (n < 16 * SAMPLE)
		return n;
	for (int i = 0; i < SAMPLE; i++)
		sample[i] = value[n / SAMPLE * i];
	if (center >= SAMPLE_MARGIN)
		low = select_radix(sample, SAMPLE, center - SAMPLE_MARGIN);
	if (center + SAMPLE_MARGIN < SAMPLE)
		high = select_radix(sample, SAMPLE, center + SAMPLE_MARGIN);

	size = gather_range(value, n, low, high, below);
	if (first >= *below && last < *below + size)
		return size;
	*below = 0;
	return n;
}

double
select_kth(double *value, int64 n, int64 k)
{
	int64		below;
	int64		size;

	Assert(k >= 0 && k < n);
	size = narrow(value, n, k, k, &below);
	return select_radix(value, size, k - below);
}

double
median(double *value, int64 n)
{
	int64		lower = (n - 1) / 2;
	int64		upper = n / 2;
	int64		below;
	int64		size;

	Assert(n > 0);
	size = narrow(value, n, lower, upper, &below);
	if (lower == upper)
		return select_radix(value, size, upper - below);
	return 0.5 * select_radix(value, size, lower - below) + 0.5 * select_radix(value, size, upper - below);
}
