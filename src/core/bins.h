/*
 * bins.h
 *		The distribution of numbers in at most BINS_MOST bins whose width adapts to what is seen.
 *
 * A bin holds the values that agree in the leading bits of their ordered_bits(), with their smallest and largest.  At first that is all 64 bits:
 * every distinct value has a bin of its own and everything is exact.  When there are more bins than allowed, all of them give up one more bit.
 * So the result is the finest such histogram that fits: it depends on the values alone, not on their order or on how parts were merged.
 *
 * The struct is flat: a table of capacity slots with open addressing.
 */
#ifndef RELEARN_CORE_BINS_H
#define RELEARN_CORE_BINS_H

#include "core/sort.h"

#define BINS_MOST 4096
#define BINS_FEWEST_SLOTS 16
#define BINS_MOST_SLOTS (2 * BINS_MOST)

typedef struct Bin
{
	uint64		key;			/* leading bits */
	int64		count;			/* 0 = an empty slot */
	double		low,
				high;
} Bin;

typedef struct Bins
{
	int32		capacity;		/* slots, a power of 2 */
	int32		used;
	int32		bits;			/* of a key; 64: each bin is one value */
	int32		unused;
	Bin			bin[FLEXIBLE_ARRAY_MEMBER];
} Bins;

static inline Size
bins_size(int capacity)
{
	return offsetof(Bins, bin) + sizeof(Bin) * (Size) capacity;
}

static inline bool
bins_exact(const Bins *bins)
{
	return bins->bits == 64;
}

/* Too full: to be moved to more slots, or, with BINS_MOST_SLOTS of them, to be coarsened before anything else is added. */
static inline bool
bins_overfull(const Bins *bins)
{
	return bins->used > bins->capacity / 2;
}

extern void bins_init(Bins *bins, int capacity, int bits);

/* Add finite values; returns how many were taken before the bins were overfull. */
extern int	bins_add(Bins *bins, const double *value, int n);

/* Add a bin of bins that are no coarser. */
extern void bins_put(Bins *bins, const Bin *bin);

/* Move into empty bins with enough slots. */
extern void bins_move(Bins *to, const Bins *from);

/* Give up bits until no more than BINS_MOST bins and at most so many bits are left. */
extern void bins_coarsen(Bins *bins, int most_bits);

/* The (used) bins in ascending order, palloc'd. */
extern Bin *bins_sorted(const Bins *bins);

/*
 * Of n sorted bins: the value below which a share p lies, interpolated as percentile_cont does; exact where each bin is one value, else values
 * are taken to lie evenly in their bin.
 */
extern double bins_quantile(const Bin *bin, int n, double p);

/* How many values are <= x. */
extern double bins_below(const Bin *bin, int n, double x);

extern int64 bins_total(const Bin *bin, int n);

#endif
