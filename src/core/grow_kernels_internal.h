/*
 * grow_kernels_internal.h
 *		The text of the grower's kernels, included once per build.
 *
 * The includer defines GROW_TARGET (function attribute), GROW_TABLE and GROW_LINKAGE.  Everything is integer arithmetic, or floating point
 * without sums whose order a compiler could choose, so the builds agree in every bit.
 */
#define INLINED static inline __attribute__((always_inline)) GROW_TARGET

#define PREFETCH_AHEAD 24		/* rows; a listed row lies anywhere in memory */
#define HALF 0x1p-16f			/* of a 32-bit hash to [0, 1) */

/* ---- gradients to levels ---- */

/* Sums in lanes of their own, so that no compiler chooses an order. */
#define LANES 8

GROW_TARGET static void
sum_sizes(const float *gradient, const float *hessian, int64 count, GradientSizes *sizes)
{
	double		squares[LANES] = {0};
	double		hessians[LANES] = {0};

	for (int64 start = 0; start + LANES <= count; start += LANES)
		for (int k = 0; k < LANES; k++)
		{
			squares[k] += (double) gradient[start + k] * gradient[start + k];
			hessians[k] += hessian[start + k];
		}
	for (int64 i = count - count % LANES; i < count; i++)
	{
		squares[0] += (double) gradient[i] * gradient[i];
		hessians[0] += hessian[i];
	}
	for (int k = 0; k < LANES; k++)
	{
		sizes->gradient_squares += squares[k];
		sizes->hessians += hessians[k];
	}
}

GROW_TARGET static GradientSizes
gradient_sizes(const float *gradient, const float *hessian, int64 count)
{
	GradientSizes found = {.least_hessian = PG_INT32_MAX};

	sum_sizes(gradient, hessian, count, &found);
	for (int64 i = 0; i < count; i++)
	{
		int32		g,
					h;

		memcpy(&g, gradient + i, sizeof(g));
		memcpy(&h, hessian + i, sizeof(h));
		g &= 0x7fffffff;
		found.gradient = g > found.gradient ? g : found.gradient;
		found.hessian = h > found.hessian ? h : found.hessian;
		found.least_hessian = h < found.least_hessian ? h : found.least_hessian;
	}
	return found;
}

/* Finaliser of MurmurHash3 (Appleby): 32 bits, full avalanche; vectorises. */
INLINED uint32
mix32(uint32 x)
{
	x ^= x >> 16;
	x *= 0x85ebca6bU;
	x ^= x >> 13;
	x *= 0xc2b2ae35U;
	return x ^ (x >> 16);
}

/* Of 16 bits, the middle of their share of (0, 1): what is whole already is never rounded elsewhere. */
INLINED float
unit_of(uint32 bits)
{
	return ((float) (int32) bits + 0.5f) * HALF;
}

/* Without a library call, so that it vectorises. */
INLINED int32
floor_of(float x)
{
	int32		whole = (int32) x;

	return whole - ((float) whole > x);
}

GROW_TARGET static void
quantise(const float *gradient, const float *hessian, int64 first, int count, const Quantum *quantum, int32 *pair)
{
	const float gradient_scale = quantum->gradient_scale;
	const float hessian_scale = quantum->hessian_scale;
	const uint32 seed = quantum->seed + (uint32) first * 0x9e3779b9U;
	const int32 hessian_mask = quantum->all_one ? 0 : -1;
	const int32 hessian_one = quantum->all_one;

	for (int i = 0; i < count; i++)
	{
		uint32		chance = mix32(seed + (uint32) i * 0x9e3779b9U);
		float		g = gradient[i] * gradient_scale + unit_of(chance >> 16);
		float		h = hessian[i] * hessian_scale + unit_of(chance & 0xffff);

		pair[i] = (int32) ((uint32) floor_of(g) << 16) + (((int32) h & hessian_mask) | hessian_one);
	}
}

/* ---- histograms ---- */

INLINED int32
row_pair(const uint8 *row)
{
	int32		pair;

	memcpy(&pair, row + PAIR_OFFSET, sizeof(pair));
	return pair;
}

INLINED uint64
row_word(const uint8 *row, int word)
{
	uint64		bins;

	memcpy(&bins, row + word * 8, sizeof(bins));
#ifdef WORDS_BIGENDIAN
	bins = pg_bswap64(bins);
#endif
	return bins;
}

/* The last word of a full group holds four bins and the pair. */
INLINED void
sum_rows(const uint8 *group, const int32 *rows, int64 from, int64 to, const int words, int64 *sum)
{
	for (int64 i = from; i < to; i++)
	{
		const uint8 *row = group + (Size) (rows ? rows[i] : i) * GROUP_BYTES;
		int32		pair = row_pair(row);
		int64		wide = (int64) ((uint64) (int64) (pair >> 16) << 32) + (uint16) pair;

		if (rows)
			__builtin_prefetch(group + (Size) rows[i + PREFETCH_AHEAD] * GROUP_BYTES);
		for (int k = 0; k < words; k++)
		{
			uint64		bins = row_word(row, k);

			sum[(k * 8 + 0) * HIST_COLUMN + (bins & 255)] += wide;
			sum[(k * 8 + 1) * HIST_COLUMN + (bins >> 8 & 255)] += wide;
			sum[(k * 8 + 2) * HIST_COLUMN + (bins >> 16 & 255)] += wide;
			sum[(k * 8 + 3) * HIST_COLUMN + (bins >> 24 & 255)] += wide;
			if (k == 3)
				break;
			sum[(k * 8 + 4) * HIST_COLUMN + (bins >> 32 & 255)] += wide;
			sum[(k * 8 + 5) * HIST_COLUMN + (bins >> 40 & 255)] += wide;
			sum[(k * 8 + 6) * HIST_COLUMN + (bins >> 48 & 255)] += wide;
			sum[(k * 8 + 7) * HIST_COLUMN + (bins >> 56)] += wide;
		}
	}
}

INLINED void
histogram_words(const uint8 *group, const int32 *rows, int64 from, int64 to, const int words, int64 *sum)
{
	if (rows)
		sum_rows(group, rows, from, to, words, sum);
	else
		sum_rows(group, NULL, from, to, words, sum);
}

GROW_TARGET static void
histogram(const uint8 *group, const int32 *rows, int64 from, int64 count, int words, int64 *sum)
{
	int64		to = from + count;

	switch (words)
	{
		case 1:
			histogram_words(group, rows, from, to, 1, sum);
			break;
		case 2:
			histogram_words(group, rows, from, to, 2, sum);
			break;
		case 3:
			histogram_words(group, rows, from, to, 3, sum);
			break;
		default:
			histogram_words(group, rows, from, to, 4, sum);
			break;
	}
}

GROW_TARGET static void
subtract(int64 *from, const int64 *what, Size n)
{
	for (Size k = 0; k < n; k++)
		from[k] -= what[k];
}

/* ---- splits of numbers ---- */

INLINED void
scan_direction(const int64 *bins, int nbins, Scan *scan, int64 left, bool missing_left)
{
	const int64 fewest = scan->fewest;
	const int64 most = packed_hessian(scan->total) - fewest;
	const double whole = (double) packed_gradient(scan->total) * scan->gradient;
	const double whole_hessian = (double) packed_hessian(scan->total) * scan->hessian + scan->l2;
	const double l2 = scan->l2;
	double		best = scan->best;

	for (int b = 0; b < nbins; b++)
	{
		int64		hessian;
		double		g,
					h,
					rest,
					rest_hessian,
					score;

		if (bins[b] == 0)
			continue;
		left += bins[b];
		hessian = packed_hessian(left);
		if (hessian < fewest)
			continue;
		if (hessian > most)
			break;
		g = (double) packed_gradient(left) * scan->gradient;
		h = (double) hessian * scan->hessian;
		rest = whole - g;
		rest_hessian = whole_hessian - h;
		h += l2;
		score = (g * g * rest_hessian + rest * rest * h) / (h * rest_hessian);
		if (score > best)
		{
			best = score;
			scan->bin = b;
			scan->missing_left = missing_left;
		}
	}
	scan->best = best;
}

GROW_TARGET static void
scan_bins(const int64 *bins, int nbins, Scan *scan)
{
	scan->bin = -1;
	scan_direction(bins, nbins, scan, 0, false);
	if (scan->missing != 0)
		scan_direction(bins, nbins, scan, scan->missing, true);
}

GROW_LINKAGE const GrowKernels GROW_TABLE = {
	.sizes = gradient_sizes,
	.quantise = quantise,
	.histogram = histogram,
	.subtract = subtract,
	.scan = scan_bins,
};
