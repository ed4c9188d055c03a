/*
 * deep_split.c
 *		The best split of a node among columns drawn for it.
 *
 * Numbers and two classes: with w and s the sums of weights and of weighted values, a split into l and r lowers the squared error by
 * (sl - s * wl / w)^2 * w / (wl * wr), which for classes 0 and 1 is half the fall of the Gini impurity.  Categories are ordered by their mean, of
 * whose prefixes one is optimal (Fisher 1958).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/deep_internal.h"
#include "core/hash.h"
#include "core/tree_internal.h"

#define AT_ONCE 4				/* histograms filled in one pass over the rows: they fit the first-level cache */
#define FEW_ROWS 256			/* so few touch few bins: only these are looked at */
#define AHEAD 16				/* rows looked ahead in memory */
#define PASS_ROWS 262144		/* between two checks for interrupts */

/* The bins that rows of the node fall in. */
typedef struct Touched
{
	uint64		bits[BIN_VALUES / 64];
} Touched;

void
deep_search_init(DeepSearch *search, const Bins *bins, const DeepOptions *options, int64 most_rows)
{
	search->bins = bins;
	search->options = options;
	search->column = tree_array(bins->ncolumns, sizeof(int));
	search->hist = (DeepSums *) TYPEALIGN(64, tree_array(AT_ONCE * BIN_VALUES * sizeof(DeepSums) + 64, 1));
	if (options->nclasses <= 2)
		return;
	search->total = tree_array(options->nclasses, sizeof(int64));
	search->left = tree_array(options->nclasses, sizeof(int64));
	search->sorted = tree_array(most_rows, sizeof(DeepRow));
}

/* ---- histograms ---- */

/* n columns in one pass; n is a constant where this is called. */
static inline __attribute__((always_inline)) void
add_columns(const DeepWhole *whole, int64 from, int64 to, const int *column, int n, DeepSums *hist)
{
	const uint8 *bytes[AT_ONCE];
	const DeepRow *row = whole->row;
	int64		safe = Min(to, whole->count - AHEAD);
	int64		i = from;

	for (int k = 0; k < n; k++)
		bytes[k] = deep_column(whole, column[k]);
	for (; i < safe; i++)
	{
		Size		at = (Size) row[i].row * GROUP_BYTES;
		Size		ahead = (Size) row[i + AHEAD].row * GROUP_BYTES;
		DeepSums	sums = row_sums(&row[i]);

		__builtin_prefetch(bytes[0] + ahead);
		for (int k = 0; k < n; k++)
			hist[k * BIN_VALUES + bytes[k][at]] += sums;
	}
	for (; i < to; i++)
	{
		DeepSums	sums = row_sums(&row[i]);

		for (int k = 0; k < n; k++)
			hist[k * BIN_VALUES + bytes[k][(Size) row[i].row * GROUP_BYTES]] += sums;
	}
}

static void
build_histograms(const DeepWhole *whole, const int *column, int n, DeepSums *hist)
{
	for (int64 from = 0; from < whole->count; from += PASS_ROWS)
	{
		int64		to = Min(from + PASS_ROWS, whole->count);

		CHECK_FOR_INTERRUPTS();
		if (n == 1)
			add_columns(whole, from, to, column, 1, hist);
		else if (n == 2)
			add_columns(whole, from, to, column, 2, hist);
		else if (n == 3)
			add_columns(whole, from, to, column, 3, hist);
		else
			add_columns(whole, from, to, column, 4, hist);
	}
}

/* One column of few rows. */
static void
build_touched(const DeepWhole *whole, int column, DeepSums *hist, Touched *touched)
{
	const uint8 *bytes = deep_column(whole, column);
	uint64		bits[BIN_VALUES / 64] = {0};

	for (int64 i = 0; i < whole->count; i++)
	{
		int			bin = bytes[(Size) whole->row[i].row * GROUP_BYTES];

		bits[bin >> 6] |= UINT64CONST(1) << (bin & 63);
		hist[bin] += row_sums(&whole->row[i]);
	}
	memcpy(touched->bits, bits, sizeof(bits));
}

static void
find_touched(const DeepSums *hist, Touched *touched)
{
	for (int w = 0; w < BIN_VALUES / 64; w++)
	{
		uint64		bits = 0;

		for (int b = 0; b < 64; b++)
			bits |= (uint64) (hist[w * 64 + b][0] != 0) << b;
		touched->bits[w] = bits;
	}
}

static void
clear_touched(DeepSums *hist, const Touched *touched)
{
	for (int w = 0; w < BIN_VALUES / 64; w++)
		for (uint64 bits = touched->bits[w]; bits != 0; bits &= bits - 1)
			hist[w * 64 + __builtin_ctzll(bits)] = (DeepSums) {0, 0};
}

/* The bins in use in ascending order, what is missing left out; returns how many. */
static int
list_touched(const Touched *touched, uint8 *bin)
{
	int			n = 0;

	for (int w = 0; w < BIN_VALUES / 64; w++)
		for (uint64 bits = touched->bits[w]; bits != 0; bits &= bits - 1)
			bin[n++] = (uint8) (w * 64 + __builtin_ctzll(bits));
	return n > 0 && bin[n - 1] == BIN_MISSING ? n - 1 : n;
}

/* ---- candidates ---- */

/* Is this left side better than the best so far?  Of equals the first stays. */
static inline bool
improves(DeepBest *best, DeepSums left)
{
	DeepSums	right = best->total - left;
	double		weight = sums_weight(left);
	double		off = (double) left[1] - best->mean * weight;
	double		numerator = off * off;
	double		denominator = weight * sums_weight(right);

	if (sums_rows(left) < best->fewest || sums_rows(right) < best->fewest)
		return false;
	if (numerator * best->denominator <= best->numerator * denominator)
		return false;
	best->numerator = numerator;
	best->denominator = denominator;
	return true;
}

/* Where nothing but what is missing goes right, the cut is above all bins. */
static void
search_number(const DeepSums *hist, const uint8 *bin, int n, int nbins, int column, DeepBest *best, DeepSplit *split)
{
	DeepSums	missing = hist[BIN_MISSING];
	bool		seen = missing[0] != 0;

	for (int side = 0; side <= (int) seen; side++)
	{
		DeepSums	left = side ? missing : (DeepSums) {0, 0};

		for (int i = 0; i < n; i++)
		{
			left += hist[bin[i]];
			if (!improves(best, left))
				continue;
			if (i + 1 < n)
				deep_keep_number(split, column, bin[i], bin[i + 1], side, seen);
			else
				deep_keep_number(split, column, bin[i], nbins, side, seen);
		}
	}
}

int
deep_random_cut(DeepSearch *search, int column, const uint8 *bin, int n)
{
	const ColumnBins *bins = &search->bins->column[column];
	int			first = bin[0],
				last = bin[n - 1] - 1;
	double		high = bins->edge[last];
	double		low = first > 0 ? bins->edge[first - 1] : bins->edge[0] - (bins->edge[Min(1, bins->nbins - 2)] - bins->edge[0]);
	double		at = low + hash_unit(deep_random(search)) * (high - low);

	while (first < last && bins->edge[first] < at)
		first++;
	return first;
}

static void
search_number_at_random(DeepSearch *search, const DeepSums *hist, const uint8 *bin, int n, int column, DeepBest *best, DeepSplit *split)
{
	bool		seen = hist[BIN_MISSING][0] != 0;
	bool		side = seen && n >= 2 && (deep_random(search) & 1);
	int			cut = n >= 2 ? deep_random_cut(search, column, bin, n) : search->bins->column[column].nbins - 1;
	DeepSums	left = side ? hist[BIN_MISSING] : (DeepSums) {0, 0};

	for (int i = 0; i < n && bin[i] <= cut; i++)
		left += hist[bin[i]];
	if (improves(best, left))
		deep_keep_number(split, column, cut, cut + 1, side, seen);
}

/* ---- categories: what is missing is one more level ---- */

int
deep_by_order(const void *a, const void *b)
{
	const DeepLevel *x = a;
	const DeepLevel *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->bin - y->bin;
}

void
deep_keep_category(DeepSplit *split, int column, const DeepLevel *level, int left, int n, bool missing_seen)
{
	split->column = column;
	split->cut = -1;
	memset(&split->set, 0, sizeof(split->set));
	memset(&split->seen, 0, sizeof(split->seen));
	for (int i = 0; i < n; i++)
	{
		uint64		bit = UINT64CONST(1) << (level[i].bin & 63);

		split->seen.left[level[i].bin >> 6] |= bit;
		split->set.left[level[i].bin >> 6] |= i < left ? bit : 0;
	}
	split->missing_left = (split->set.left[BIN_MISSING >> 6] >> (BIN_MISSING & 63)) & 1;
	split->missing_seen = missing_seen;
}

static int
list_levels(const DeepSums *hist, const uint8 *bin, int n, DeepLevel *level)
{
	bool		seen = hist[BIN_MISSING][0] != 0;

	for (int i = 0; i < n + seen; i++)
	{
		level[i].bin = i < n ? bin[i] : BIN_MISSING;
		level[i].sums = hist[level[i].bin];
		level[i].order = (double) level[i].sums[1] / sums_weight(level[i].sums);
	}
	return n + seen;
}

int
deep_random_subset(DeepSearch *search, DeepLevel *level, int n)
{
	for (int i = 0; i < n; i++)
		level[i].order = hash_unit(deep_random(search));
	qsort(level, n, sizeof(DeepLevel), deep_by_order);
	return 1 + (int) (deep_random(search) % (uint64) (n - 1));
}

static void
search_category(DeepSearch *search, const DeepSums *hist, const uint8 *bin, int nbins, int column, DeepBest *best, DeepSplit *split)
{
	DeepLevel	level[BIN_VALUES];
	int			n = list_levels(hist, bin, nbins, level);
	bool		seen = hist[BIN_MISSING][0] != 0;
	int			only = search->options->random_cuts ? deep_random_subset(search, level, n) : 0;
	DeepSums	left = {0, 0};

	if (only == 0)
		qsort(level, n, sizeof(DeepLevel), deep_by_order);
	for (int i = 0; i < n - 1; i++)
	{
		left += level[i].sums;
		if ((only == 0 || i == only - 1) && improves(best, left))
			deep_keep_category(split, column, level, i + 1, n, seen);
	}
}

/* True where the rows differ in the column. */
static bool
search_means(DeepSearch *search, const DeepSums *hist, const Touched *touched, int column, DeepBest *best, DeepSplit *split)
{
	uint8		bin[BIN_VALUES];
	int			n = list_touched(touched, bin);

	if (n + (hist[BIN_MISSING][0] != 0) < 2)
		return false;
	if (search->bins->column[column].levels > 0)
		search_category(search, hist, bin, n, column, best, split);
	else if (search->options->random_cuts)
		search_number_at_random(search, hist, bin, n, column, best, split);
	else
		search_number(hist, bin, n, search->bins->column[column].nbins, column, best, split);
	return true;
}

/* Columns at once; true where the rows differ in one of them. */
static bool
search_columns(DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split)
{
	bool		differ = false;

	if (whole->count >= FEW_ROWS)
		build_histograms(whole, column, n, search->hist);
	for (int k = 0; k < n; k++)
	{
		DeepSums   *hist = search->hist + (Size) k * BIN_VALUES;
		Touched		touched;

		if (whole->count >= FEW_ROWS)
			find_touched(hist, &touched);
		else
			build_touched(whole, column[k], hist, &touched);
		differ |= search_means(search, hist, &touched, column[k], best, split);
		clear_touched(hist, &touched);
	}
	return differ;
}

/* ---- all columns drawn ---- */

/* Between the bins that rows have, move the cut to the edge nearest to the middle; where there are none above, above all bins. */
static void
centre_cut(const ColumnBins *bins, DeepSplit *split)
{
	int			last = split->above - 1;
	double		middle;

	if (split->above == bins->nbins)
	{
		split->cut = last;
		return;
	}
	middle = bins->edge[split->cut] + (bins->edge[last] - bins->edge[split->cut]) / 2;
	while (split->cut < last && bins->edge[split->cut + 1] - middle <= middle - bins->edge[split->cut])
		split->cut++;
}

static void
draw_columns(DeepSearch *search, int from, int to)
{
	int			n = search->bins->ncolumns;

	for (int i = from; i < to && n - i > 1; i++)
	{
		int			pick = i + (int) (((deep_random(search) >> 32) * (uint64) (n - i)) >> 32);
		int			taken = search->column[pick];

		search->column[pick] = search->column[i];
		search->column[i] = taken;
	}
}

/* Columns in which the rows do not differ count as drawn; where all are such, more are drawn. */
void
deep_search(DeepSearch *search, const DeepWhole *whole, uint64 seed, DeepSplit *split)
{
	DeepWhole	node = *whole;
	bool		several = search->options->nclasses > 2;
	int			n = search->bins->ncolumns;
	int			wanted = Min(search->options->columns_per_node, n);
	bool		differ = false;
	DeepBest	best = {.numerator = -1,.denominator = 1,.fewest = Max(search->options->min_rows_leaf, 1),.total = whole->sums};

	split->column = -1;
	search->random = seed;
	best.mean = (double) whole->sums[1] / sums_weight(whole->sums);
	if (several)
		deep_sum_classes(search, &node);
	if (wanted < n)
		draw_columns(search, 0, wanted);
	for (int i = 0; i < n && (i < wanted || !differ);)
	{
		int			count = i < wanted && !several ? Min(AT_ONCE, wanted - i) : 1;

		if (i >= wanted)
			draw_columns(search, i, i + 1);
		differ |= several ? deep_search_classes(search, &node, search->column[i], &best, split) :
			search_columns(search, &node, search->column + i, count, &best, split);
		i += count;
	}
	split->gain = best.numerator / best.denominator * sums_weight(whole->sums);
	if (split->column >= 0 && split->cut >= 0)
		centre_cut(&search->bins->column[split->column], split);
}
