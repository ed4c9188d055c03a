/*
 * distribution.h
 *		The distribution of numbers in at most DISTRIBUTION_MOST bins whose width adapts to what is seen.
 *
 * A bin holds the values that agree in the leading bits of their ordered_bits(), with their smallest and largest.  At first that is all 64 bits:
 * every distinct value has a bin of its own and everything is exact.  When there are more bins than allowed, all of them give up one more bit.
 * So the result is the finest such histogram that fits: it depends on the values alone, not on their order or on how parts were merged.
 *
 * The struct is flat: a table of capacity slots with open addressing.
 */
#ifndef RELEARN_CORE_DISTRIBUTION_H
#define RELEARN_CORE_DISTRIBUTION_H

#include "core/sort.h"

#define DISTRIBUTION_MOST 4096
#define DISTRIBUTION_FEWEST_SLOTS 16
#define DISTRIBUTION_MOST_SLOTS (2 * DISTRIBUTION_MOST)

typedef struct DistributionBin
{
	uint64		key;			/* leading bits */
	int64		count;			/* 0 = an empty slot */
	double		low,
				high;
} DistributionBin;

typedef struct Distribution
{
	int32		capacity;		/* slots, a power of 2 */
	int32		used;
	int32		bits;			/* of a key; 64: each bin is one value */
	int32		unused;
	DistributionBin			bin[FLEXIBLE_ARRAY_MEMBER];
} Distribution;

static inline Size
distribution_size(int capacity)
{
	return offsetof(Distribution, bin) + sizeof(DistributionBin) * (Size) capacity;
}

static inline bool
distribution_exact(const Distribution *bins)
{
	return bins->bits == 64;
}

/* Too full: to be moved to more slots, or, with DISTRIBUTION_MOST_SLOTS of them, to be coarsened before anything else is added. */
static inline bool
distribution_overfull(const Distribution *bins)
{
	return bins->used > bins->capacity / 2;
}

extern void distribution_init(Distribution *bins, int capacity, int bits);

/* Add finite values; returns how many were taken before the bins were overfull. */
extern int	distribution_add(Distribution *bins, const double *value, int n);

/* Add a bin of bins that are no coarser. */
extern void distribution_put(Distribution *bins, const DistributionBin *bin);

/* Move into empty bins with enough slots. */
extern void distribution_move(Distribution *to, const Distribution *from);

/* Give up bits until no more than DISTRIBUTION_MOST bins and at most so many bits are left. */
extern void distribution_coarsen(Distribution *bins, int most_bits);

/* The (used) bins in ascending order, palloc'd. */
extern DistributionBin *distribution_sorted(const Distribution *bins);

/*
 * Of n sorted bins: the value below which a share p lies, interpolated as percentile_cont does; exact where each bin is one value, else values
 * are taken to lie evenly in their bin.
 */
extern double distribution_quantile(const DistributionBin *bin, int n, double p);

/* How many values are <= x. */
extern double distribution_below(const DistributionBin *bin, int n, double x);

extern int64 distribution_total(const DistributionBin *bin, int n);

#endif
