/*
 * number_sketch.c
 *		Sketches of numbers, dates and truth values: bins while they are exact, beside them what cannot be had from coarse bins.
 */
#include "postgres.h"

#include "core/hash.h"
#include "profile/profile_internal.h"

NumberSketch *
number_new(ColumnKind kind, int capacity, bool exact)
{
	Size		size = NUMBER_FIXED + distribution_size(capacity) + (exact ? 0 : HLL_REGISTERS + frequent_size(NUMBER_COUNTERS));
	NumberSketch *s = state_new(&sketch_kind, size);

	s->base.kind = kind;
	s->base.exact = exact;
	distribution_init(number_bins(s), capacity, 64);
	if (!exact)
		frequent_init(number_frequent(s), NUMBER_COUNTERS);
	return s;
}

/* All but what follows the struct. */
static void
copy_fixed(NumberSketch *to, const NumberSketch *from)
{
	int32		length = to->base.header.vl_len_;
	int32		exact = to->base.exact;

	*to = *from;
	to->base.header.vl_len_ = length;
	to->base.exact = exact;
}

/* ---- beside coarse bins ---- */

static inline void
count_frequent(Frequent *frequent, double x, uint64 hash, int64 count)
{
	Counter    *counter = frequent_find(frequent, hash);

	if (counter->count != 0)
	{
		counter->count += count;
		return;
	}
	if (frequent_full(frequent))
	{
		frequent_purge(frequent);
		counter = frequent_find(frequent, hash);
	}
	x += 0.0;					/* -0 becomes 0 */
	frequent_fill(frequent, counter, hash, count, 0);
	memcpy(&counter->payload, &x, sizeof(x));
}

static void
count_value(NumberSketch *s, double x, int64 count)
{
	uint64		hash = hash_mix(ordered_bits(x));

	hll_add(number_registers(s), hash);
	count_frequent(number_frequent(s), x, hash, count);
}

#define BLOCK 1024

/* The same for up to BLOCK values, pass by pass: no pass waits for the misses of another. */
static void
count_values(NumberSketch *s, const double *value, int n)
{
	uint8	   *registers = number_registers(s);
	Frequent   *frequent = number_frequent(s);
	uint64		hash[BLOCK];

	for (int i = 0; i < n; i++)
		hash[i] = hash_mix(ordered_bits(value[i]));
	for (int i = 0; i < n; i++)
		hll_add(registers, hash[i]);
	for (int i = 0; i < n; i++)
		count_frequent(frequent, value[i], hash[i], 1);
}

static void
count_bins(NumberSketch *s, const DistributionBin *bin, int n)
{
	for (int i = 0; i < n; i++)
		count_value(s, bin[i].low, bin[i].count);
}

/* Of bins that are one value each. */
static PowerSums
sums_of_bins(const DistributionBin *bin, int n)
{
	double	   *value = palloc(sizeof(double) * Max(n, 1));
	int64	   *count = palloc(sizeof(int64) * Max(n, 1));
	PowerSums	sums;

	for (int i = 0; i < n; i++)
	{
		value[i] = bin[i].low;
		count[i] = bin[i].count;
	}
	sums = power_sums_weighted(value, count, n);
	pfree(value);
	pfree(count);
	return sums;
}

PowerSums
number_sums(const NumberSketch *s)
{
	PowerSums	sums = s->sums;

	if (s->base.exact)
	{
		DistributionBin		   *bin = distribution_sorted(number_bins(s));

		sums = sums_of_bins(bin, number_bins(s)->used);
		pfree(bin);
	}
	return sums;
}

/* ---- growing; intermediate states are freed, the one that came first is not ours ---- */

static NumberSketch *
with_slots(NumberSketch *s, int capacity, const NumberSketch *first)
{
	NumberSketch *wide = number_new(s->base.kind, capacity, true);

	copy_fixed(wide, s);
	distribution_move(number_bins(wide), number_bins(s));
	if (s != first)
		pfree(s);
	return wide;
}

static NumberSketch *
approximate(NumberSketch *s, const NumberSketch *first)
{
	NumberSketch *rough = number_new(s->base.kind, DISTRIBUTION_MOST_SLOTS, false);
	DistributionBin		   *bin = distribution_sorted(number_bins(s));
	int			n = number_bins(s)->used;

	copy_fixed(rough, s);
	distribution_move(number_bins(rough), number_bins(s));
	rough->sums = sums_of_bins(bin, n);
	count_bins(rough, bin, n);
	distribution_coarsen(number_bins(rough), 63);
	pfree(bin);
	if (s != first)
		pfree(s);
	return rough;
}

static NumberSketch *
make_room(NumberSketch *s, const NumberSketch *first)
{
	Distribution	   *bins = number_bins(s);

	if (!distribution_overfull(bins))
		return s;
	if (!s->base.exact)
	{
		distribution_coarsen(bins, 64);
		return s;
	}
	return bins->capacity < DISTRIBUTION_MOST_SLOTS ? with_slots(s, 2 * bins->capacity, first) : approximate(s, first);
}

/* ---- values ---- */

static void
add_approximately(NumberSketch *s, const double *value, int n)
{
	PowerSums	sums = power_sums_of(value, n);

	power_sums_merge(&s->sums, &sums);
	count_values(s, value, n);
	while (n > 0)
	{
		int			taken = distribution_add(number_bins(s), value, n);

		if (distribution_overfull(number_bins(s)))
			distribution_coarsen(number_bins(s), 64);
		value += taken;
		n -= taken;
	}
}

static NumberSketch *
add_finite(NumberSketch *s, const double *value, int n)
{
	const NumberSketch *first = s;

	while (n > 0 && s->base.exact)
	{
		int			taken = distribution_add(number_bins(s), value, n);

		s = make_room(s, first);
		value += taken;
		n -= taken;
	}
	if (n > 0)
		add_approximately(s, value, n);
	return s;
}

static inline bool
is_fraction(double x)
{
	double		size = fabs(x);

	/* adding 2^52 rounds to an integer */
	return size < 0x1p52 && (size + 0x1p52) - 0x1p52 != size;
}

static void
tally(NumberSketch *s, const double *value, int n)
{
	int			zeros = 0,
				negatives = 0,
				fractions = 0;

	for (int i = 0; i < n; i++)
	{
		zeros += value[i] == 0;
		negatives += value[i] < 0;
		fractions += is_fraction(value[i]);
	}
	s->zeros += zeros;
	s->negatives += negatives;
	s->fractions += fractions;
}

Sketch *
sketch_add_numbers(Sketch *sketch, const double *value, int n)
{
	NumberSketch *first = (NumberSketch *) sketch,
			   *s = first;
	int64		nan = first->nan;
	double		finite[BLOCK];

	for (int start = 0; start < n; start += BLOCK)
	{
		NumberSketch *before = s;
		int			end = Min(start + BLOCK, n);
		int			count = 0;

		for (int i = start; i < end; i++)
		{
			double		x = value[i];

			if (likely(isfinite(x)))
				finite[count++] = x;
			else if (isnan(x))
				s->nan++;
			else
				s->infinite[x > 0]++;
		}
		tally(s, finite, count);
		s = add_finite(s, finite, count);
		if (s != before && before != first)
			pfree(before);
	}
	s->base.header.missing += s->nan - nan;
	s->base.header.n += n - (s->nan - nan);
	return &s->base;
}

/* ---- merging ---- */

/* Distribution of one value each; s may become approximate on the way. */
static NumberSketch *
add_exact_bins(NumberSketch *s, const DistributionBin *bin, int n, const NumberSketch *first)
{
	int			i = 0;

	for (; i < n && s->base.exact; i++)
	{
		distribution_put(number_bins(s), &bin[i]);
		s = make_room(s, first);
	}
	if (i < n)
	{
		PowerSums	sums = sums_of_bins(bin + i, n - i);

		power_sums_merge(&s->sums, &sums);
		count_bins(s, bin + i, n - i);
	}
	for (; i < n; i++)
	{
		distribution_put(number_bins(s), &bin[i]);
		s = make_room(s, first);
	}
	return s;
}

static void
merge_frequent(NumberSketch *s, const NumberSketch *other)
{
	const Frequent *more = number_frequent(other);

	for (int i = 0; i < more->capacity; i++)
		if (more->counter[i].count != 0)
		{
			double		x;

			memcpy(&x, &more->counter[i].payload, sizeof(x));
			count_value(s, x, more->counter[i].count);
		}
	number_frequent(s)->error += more->error;
}

NumberSketch *
number_merge(NumberSketch *s, const NumberSketch *other)
{
	const NumberSketch *first = s;
	DistributionBin		   *bin = distribution_sorted(number_bins(other));
	int			n = number_bins(other)->used;

	s->nan += other->nan;
	s->infinite[0] += other->infinite[0];
	s->infinite[1] += other->infinite[1];
	s->zeros += other->zeros;
	s->negatives += other->negatives;
	s->fractions += other->fractions;
	if (other->base.exact)
		s = add_exact_bins(s, bin, n, first);
	else
	{
		if (s->base.exact)
			s = approximate(s, first);
		power_sums_merge(&s->sums, &other->sums);
		hll_merge(number_registers(s), number_registers(other));
		merge_frequent(s, other);
		distribution_coarsen(number_bins(s), number_bins(other)->bits);
		for (int i = 0; i < n; i++)
		{
			distribution_put(number_bins(s), &bin[i]);
			s = make_room(s, first);
		}
	}
	pfree(bin);
	return s;
}
