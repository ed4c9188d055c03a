/*
 * distribution.c
 *		Distribution in a hash table with linear probing; the multiplication spreads keys that differ in few bits.
 */
#include "postgres.h"

#include "core/distribution.h"

#define SPREAD UINT64CONST(0x9e3779b97f4a7c15)

void
distribution_init(Distribution *bins, int capacity, int bits)
{
	memset(bins, 0, distribution_size(capacity));
	bins->capacity = capacity;
	bins->bits = bits;
}

static inline uint32
home(const Distribution *bins, uint64 key)
{
	return (uint32) ((key * SPREAD) >> 32) & ((uint32) bins->capacity - 1);
}

/* The bin of the key, or the empty slot where it belongs. */
static inline DistributionBin *
find(Distribution *bins, uint64 key, uint32 at)
{
	uint32		mask = (uint32) bins->capacity - 1;

	while (bins->bin[at].count != 0 && bins->bin[at].key != key)
		at = (at + 1) & mask;
	return &bins->bin[at];
}

#define AHEAD 64				/* values whose bins are fetched while those before them are counted */

int
distribution_add(Distribution *bins, const double *value, int n)
{
	int			shift = 64 - bins->bits;
	uint64		key[AHEAD];
	uint32		at[AHEAD];

	for (int start = 0; start < n; start += AHEAD)
	{
		int			count = Min(n - start, AHEAD);

		for (int i = 0; i < count; i++)
		{
			key[i] = ordered_bits(value[start + i]) >> shift;
			at[i] = home(bins, key[i]);
			__builtin_prefetch(&bins->bin[at[i]].key, 1);
			__builtin_prefetch(&bins->bin[at[i]].high, 1); /* it may lie across two cache lines */
		}
		for (int i = 0; i < count; i++)
		{
			double		x = value[start + i];
			DistributionBin		   *bin = find(bins, key[i], at[i]);

			if (unlikely(bin->count == 0))
			{
				*bin = (DistributionBin) {key[i], 1, x, x};
				bins->used++;
				if (distribution_overfull(bins))
					return start + i + 1;
				continue;
			}
			bin->count++;
			bin->low = Min(bin->low, x);
			bin->high = Max(bin->high, x);
		}
	}
	return n;
}

void
distribution_put(Distribution *bins, const DistributionBin *other)
{
	uint64		key = ordered_bits(other->low) >> (64 - bins->bits);
	DistributionBin		   *bin = find(bins, key, home(bins, key));

	if (bin->count == 0)
	{
		*bin = *other;
		bin->key = key;
		bins->used++;
		return;
	}
	bin->count += other->count;
	bin->low = Min(bin->low, other->low);
	bin->high = Max(bin->high, other->high);
}

void
distribution_move(Distribution *to, const Distribution *from)
{
	for (int i = 0; i < from->capacity; i++)
		if (from->bin[i].count != 0)
			distribution_put(to, &from->bin[i]);
}

static DistributionBin *
copy_used(const Distribution *bins)
{
	DistributionBin		   *copy = palloc(sizeof(DistributionBin) * Max(bins->used, 1));
	int			n = 0;

	for (int i = 0; i < bins->capacity; i++)
		if (bins->bin[i].count != 0)
			copy[n++] = bins->bin[i];
	return copy;
}

void
distribution_coarsen(Distribution *bins, int most_bits)
{
	int			bits = Min(bins->bits, most_bits);

	while (bits < bins->bits || bins->used > DISTRIBUTION_MOST)
	{
		DistributionBin		   *bin = copy_used(bins);
		int			n = bins->used;

		if (bits == bins->bits)
			bits--;
		distribution_init(bins, bins->capacity, bits);
		for (int i = 0; i < n; i++)
			distribution_put(bins, &bin[i]);
		pfree(bin);
	}
}

static int
compare_bins(const void *a, const void *b)
{
	double		x = ((const DistributionBin *) a)->low;
	double		y = ((const DistributionBin *) b)->low;

	return (x > y) - (x < y);
}

DistributionBin *
distribution_sorted(const Distribution *bins)
{
	DistributionBin		   *bin = copy_used(bins);

	qsort(bin, bins->used, sizeof(DistributionBin), compare_bins);
	return bin;
}

int64
distribution_total(const DistributionBin *bin, int n)
{
	int64		total = 0;

	for (int i = 0; i < n; i++)
		total += bin[i].count;
	return total;
}

/* Between two values, never outside of them. */
static double
between(double low, double high, double share)
{
	double		x = low * (1 - share) + high * share;

	return Min(Max(x, low), high);
}

double
distribution_quantile(const DistributionBin *bin, int n, double p)
{
	double		rank = p * (double) (distribution_total(bin, n) - 1);
	double		before = 0;

	for (int i = 0; i < n; i++)
	{
		double		last = (double) bin[i].count - 1;
		double		within = rank - before;

		if (within <= last)
			return within <= 0 ? bin[i].low : between(bin[i].low, bin[i].high, within / last);
		if (within < last + 1 && i + 1 < n)
			return between(bin[i].high, bin[i + 1].low, within - last);
		before += last + 1;
	}
	return bin[n - 1].high;
}

double
distribution_below(const DistributionBin *bin, int n, double x)
{
	double		below = 0;

	for (int i = 0; i < n && bin[i].low <= x; i++)
	{
		double		share = 1;

		if (x < bin[i].high)	/* the smallest and the largest are values themselves, the others lie evenly between */
			share = (1 + ((double) bin[i].count - 2) * ((x - bin[i].low) / (bin[i].high - bin[i].low))) / (double) bin[i].count;
		below += share * (double) bin[i].count;
	}
	return below;
}
