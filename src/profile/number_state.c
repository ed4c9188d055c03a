/*
 * number_state.c
 *		What a sketch of numbers says, and its binary form.
 */
#include "postgres.h"

#include "profile/profile_internal.h"

static int64
count_sentinels(ColumnKind kind, const DistributionBin *bin, int n)
{
	TopValue	found[MOST_SENTINEL_NUMBERS];
	int			nfound = sentinel_numbers(kind, bin, n, found);
	int64		count = 0;

	for (int i = 0; i < nfound; i++)
		count += found[i].count;
	return count;
}

/* ---- statistics ---- */

static void
order_statistics(const NumberSketch *s, SketchStatistics *statistics)
{
	DistributionBin		   *bin = distribution_sorted(number_bins(s));
	int			n = number_bins(s)->used;
	double		widest = 0;

	if (n > 0)
	{
		statistics->min = bin[0].low;
		statistics->max = bin[n - 1].high;
	}
	for (int i = 0; i < n; i++)
	{
		widest = fmax(widest, bin[i].high - bin[i].low);
		if (i > 0)
			statistics->largest_gap = fmax(statistics->largest_gap, bin[i].low - bin[i - 1].high);
	}
	statistics->gap_exact = !(statistics->largest_gap < widest);
	statistics->sentinels = count_sentinels((ColumnKind) s->base.kind, bin, n);
	pfree(bin);
}

void
number_statistics(const NumberSketch *s, SketchStatistics *statistics)
{
	PowerSums	sums = number_sums(s);

	statistics->nan = s->nan;
	statistics->infinite = s->infinite[0] + s->infinite[1];
	statistics->zeros = s->zeros;
	statistics->negatives = s->negatives;
	statistics->fractions = s->fractions;
	if (sums.n > 0 && isfinite(sums.mean))
		statistics->mean = sums.mean;
	statistics->sd = power_sums_sd(&sums);
	statistics->skewness = power_sums_skewness(&sums);
	statistics->kurtosis = power_sums_kurtosis(&sums);
	statistics->distinct = s->base.exact ? number_bins(s)->used : hll_estimate(number_registers(s));
	statistics->distinct += (s->infinite[0] > 0) + (s->infinite[1] > 0);
	order_statistics(s, statistics);
}

void
sketch_quantiles(const Sketch *sketch, const double *p, int n, double *value)
{
	const NumberSketch *s = (const NumberSketch *) sketch;
	DistributionBin		   *bin;

	for (int i = 0; i < n; i++)
		value[i] = NAN;
	if (sketch->kind == KIND_CATEGORY || number_bins(s)->used == 0)
		return;
	bin = distribution_sorted(number_bins(s));
	for (int i = 0; i < n; i++)
		value[i] = distribution_quantile(bin, number_bins(s)->used, p[i]);
	pfree(bin);
}

/* The most frequent first; of as frequent ones the least. */
int
compare_top_numbers(const void *a, const void *b)
{
	const TopValue *x = a;
	const TopValue *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

TopValue *
number_top(const NumberSketch *s, int most, int *count, int64 *error)
{
	int			slots = s->base.exact ? number_bins(s)->capacity : number_frequent(s)->capacity;
	TopValue   *top = palloc0(sizeof(TopValue) * (slots + 2));
	int			n = 0;

	*error = s->base.exact ? 0 : number_frequent(s)->error;
	for (int i = 0; i < slots; i++)
		if (s->base.exact)
		{
			top[n].number = number_bins(s)->bin[i].low;
			top[n].count = number_bins(s)->bin[i].count;
			n += top[n].count > 0;
		}
		else
		{
			const Counter *counter = &number_frequent(s)->counter[i];

			memcpy(&top[n].number, &counter->payload, sizeof(double));
			top[n].count = counter->count;
			n += counter->count > *error;
		}
	for (int sign = 0; sign < 2; sign++)
		if (s->infinite[sign] > 0)
		{
			top[n].number = sign ? INFINITY : -INFINITY;
			top[n++].count = s->infinite[sign];
		}
	qsort(top, n, sizeof(TopValue), compare_top_numbers);
	*count = Min(n, most);
	return top;
}

/* ---- binary form: tallies, bins in order, then what is beside coarse bins ---- */

void
number_write(const NumberSketch *s, ByteWriter *w)
{
	const int64 tallies[] = {s->nan, s->infinite[0], s->infinite[1], s->zeros, s->negatives, s->fractions};
	const Distribution *bins = number_bins(s);
	DistributionBin		   *bin = distribution_sorted(bins);
	Counter    *counter;

	for (int i = 0; i < (int) lengthof(tallies); i++)
		put_u64(w, (uint64) tallies[i]);
	put_u8(w, (uint8) bins->bits);
	put_u32(w, (uint32) bins->used);
	for (int i = 0; i < bins->used; i++)
	{
		put_u64(w, (uint64) bin[i].count);
		put_f64(w, bin[i].low);
		if (!s->base.exact)
			put_f64(w, bin[i].high);
	}
	pfree(bin);
	if (s->base.exact)
		return;
	put_f64(w, s->sums.mean);
	put_f64(w, s->sums.m2);
	put_f64(w, s->sums.m3);
	put_f64(w, s->sums.m4);
	put_bytes(w, number_registers(s), HLL_REGISTERS);
	counter = frequent_sorted(number_frequent(s));
	put_u64(w, (uint64) number_frequent(s)->error);
	put_u32(w, (uint32) number_frequent(s)->used);
	for (int i = 0; i < number_frequent(s)->used; i++)
	{
		put_u64(w, counter[i].key);
		put_u64(w, (uint64) counter[i].count);
		put_u64(w, counter[i].payload);
	}
	pfree(counter);
}

/* Ascending, apart from each other at so many bits, adding up to n. */
static NumberSketch *
read_bins(ByteReader *r, ColumnKind kind, bool exact, int64 n)
{
	int			bits = get_u8(r);
	uint32		used = get_count(r, 2 * sizeof(uint64), DISTRIBUTION_MOST);
	int			capacity = DISTRIBUTION_FEWEST_SLOTS;
	NumberSketch *s;
	double		before = -INFINITY;
	int64		total = 0;

	if (exact ? bits != 64 : bits < 1 || bits > 63)
		damaged(r, "The width of its bins is out of range.");
	while (!exact ? capacity < DISTRIBUTION_MOST_SLOTS : (int) used > capacity / 2)
		capacity *= 2;
	s = number_new(kind, capacity, exact);
	distribution_init(number_bins(s), capacity, bits);
	for (uint32 i = 0; i < used; i++)
	{
		DistributionBin			bin = {0};

		bin.count = get_tally(r, n);
		bin.low = get_finite(r);
		bin.high = exact ? bin.low : get_finite(r);
		if (bin.count == 0 || bin.low > bin.high || bin.low <= before ||
			ordered_bits(bin.low) >> (64 - bits) != ordered_bits(bin.high) >> (64 - bits) ||
			(i > 0 && ordered_bits(bin.low) >> (64 - bits) == ordered_bits(before) >> (64 - bits)))
			damaged(r, "A bin is out of range.");
		before = bin.high;
		total += bin.count;
		distribution_put(number_bins(s), &bin);
	}
	if (total != n)
		damaged(r, "Its counts do not add up.");
	return s;
}

static void
read_frequent(ByteReader *r, Frequent *frequent, int64 n)
{
	int64		error = get_tally(r, n);
	uint32		used = get_count(r, 3 * sizeof(uint64), NUMBER_COUNTERS / 2);
	int64		total = 0;

	frequent->error = error;
	for (uint32 i = 0; i < used; i++)
	{
		uint64		key = get_u64(r);
		int64		count = get_tally(r, n);
		uint64		payload = get_u64(r);
		double		x;

		memcpy(&x, &payload, sizeof(x));
		total += count;
		if (count == 0 || !isfinite(x) || total > n || frequent_find(frequent, key)->count != 0)
			damaged(r, "A counter is out of range.");
		frequent_fill(frequent, frequent_find(frequent, key), key, count, payload);
	}
}

NumberSketch *
number_read(ByteReader *r, ColumnKind kind, bool exact, int64 n)
{
	int64		nan = get_tally(r, STATE_MAX_ROWS);
	int64		low = get_tally(r, n);
	int64		high = get_tally(r, n - low);
	int64		finite = n - low - high;
	int64		zeros = get_tally(r, finite);
	int64		negatives = get_tally(r, finite - zeros);
	int64		fractions = get_tally(r, finite);
	NumberSketch *s = read_bins(r, kind, exact, finite);

	s->nan = nan;
	s->infinite[0] = low;
	s->infinite[1] = high;
	s->zeros = zeros;
	s->negatives = negatives;
	s->fractions = fractions;
	if (exact)
		return s;
	s->sums.n = finite;
	s->sums.mean = get_f64(r);
	s->sums.m2 = get_f64(r);
	s->sums.m3 = get_f64(r);
	s->sums.m4 = get_f64(r);
	if (s->sums.m2 < 0 || s->sums.m4 < 0)
		damaged(r, "A sum of squares is negative.");
	memcpy(number_registers(s), get_bytes(r, HLL_REGISTERS), HLL_REGISTERS);
	for (int i = 0; i < HLL_REGISTERS; i++)
		if (number_registers(s)[i] > HLL_HIGHEST)
			damaged(r, "A register is out of range.");
	read_frequent(r, number_frequent(s), finite);
	return s;
}
