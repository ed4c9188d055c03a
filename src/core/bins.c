/*
 * bins.c
 *		Bins in a hash table with linear probing; the multiplication spreads keys that differ in few bits.
 */
#include "postgres.h"

#include "core/bins.h"

#define SPREAD UINT64CONST(0x9e3779b97f4a7c15)

void
bins_init(Bins *bins, int capacity, int bits)
{
	memset(bins, 0, bins_size(capacity));
	bins->capacity = capacity;
	bins->bits = bits;
}

static inline uint32
home(const Bins *bins, uint64 key)
{
	return (uint32) ((key * SPREAD) >> 32) & ((uint32) bins->capacity - 1);
}

/* The bin of the key, or the empty slot where it belongs. */
static inline Bin *
find(Bins *bins, uint64 key, uint32 at)
{
	uint32		mask = (uint32) bins->capacity - 1;

	while (bins->bin[at].count != 0 && bins->bin[at].key != key)
		at = (at + 1) & mask;
	return &bins->bin[at];
}

#define AHEAD 64				/* values whose bins are fetched while those before them are counted */

int
bins_add(Bins *bins, const double *value, int n)
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
			Bin		   *bin = find(bins, key[i], at[i]);

			if (unlikely(bin->count == 0))
			{
				*bin = (Bin) {key[i], 1, x, x};
				bins->used++;
				if (bins_overfull(bins))
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
bins_put(Bins *bins, const Bin *other)
{
	uint64		key = ordered_bits(other->low) >> (64 - bins->bits);
	Bin		   *bin = find(bins, key, home(bins, key));

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
bins_move(Bins *to, const Bins *from)
{
	for (int i = 0; i < from->capacity; i++)
		if (from->bin[i].count != 0)
			bins_put(to, &from->bin[i]);
}

static Bin *
copy_used(const Bins *bins)
{
	Bin		   *copy = palloc(sizeof(Bin) * Max(bins->used, 1));
	int			n = 0;

	for (int i = 0; i < bins->capacity; i++)
		if (bins->bin[i].count != 0)
			copy[n++] = bins->bin[i];
	return copy;
}

void
bins_coarsen(Bins *bins, int most_bits)
{
	int			bits = Min(bins->bits, most_bits);

	while (bits < bins->bits || bins->used > BINS_MOST)
	{
		Bin		   *bin = copy_used(bins);
		int			n = bins->used;

		if (bits == bins->bits)
			bits--;
		bins_init(bins, bins->capacity, bits);
		for (int i = 0; i < n; i++)
			bins_put(bins, &bin[i]);
		pfree(bin);
	}
}

static int
compare_bins(const void *a, const void *b)
{
	double		x = ((const Bin *) a)->low;
	double		y = ((const Bin *) b)->low;

	return (x > y) - (x < y);
}

Bin *
bins_sorted(const Bins *bins)
{
	Bin		   *bin = copy_used(bins);

	qsort(bin, bins->used, sizeof(Bin), compare_bins);
	return bin;
}

int64
bins_total(const Bin *bin, int n)
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
bins_quantile(const Bin *bin, int n, double p)
{
	double		rank = p * (double) (bins_total(bin, n) - 1);
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
bins_below(const Bin *bin, int n, double x)
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
