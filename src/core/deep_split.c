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

#define AT_ONCE 6				/* histograms filled in one pass over the rows: they fit the first-level cache */
#define AT_ONCE_WIDE 4
#define FEW_ROWS 96			/* so few touch few bins: only these are looked at */
#define AHEAD 32				/* rows looked ahead in memory */
#define PASS_ROWS 262144		/* between two checks for interrupts */
#define FEW_AT_RANDOM 128		/* of so few rows, sums of one side are found faster than histograms */

/* The bins that rows of the node fall in. */
typedef struct Touched
{
	uint64		bits[BIN_VALUES / 64];
} Touched;

void
deep_search_init(DeepSearch *search, const Bins *bins, const double *edge, int64 most_rows, const DeepOptions *options)
{
	search->bins = bins;
	search->edge = edge;
	search->options = options;
	search->column = tree_array(bins->ncolumns, sizeof(int));
	search->hist = (DeepSums *) TYPEALIGN(64, tree_array(AT_ONCE_WIDE * BIN_VALUES * sizeof(DeepSums) + 64, 1));
	search->pairs = (int64 *) TYPEALIGN(64, tree_array(AT_ONCE * BIN_VALUES * sizeof(int64) + 64, 1));
	if (options->nclasses <= 2)
		return;
	search->total = tree_array(options->nclasses, sizeof(int64));
	search->left = tree_array(options->nclasses, sizeof(int64));
	search->count = tree_array(BIN_VALUES, sizeof(uint32));
	search->sorted = tree_array(most_rows, sizeof(DeepRow));
}

/* ---- histograms ---- */

/* What rows are summed into. */
typedef enum Form
{
	WIDE,						/* DeepSums, from rows of numbers */
	WIDE_OF_PAIRS,
	PAIRS						/* words */
} Form;

/* Histograms of one column: BIN_VALUES sums in one of the two forms. */
static inline __attribute__((always_inline)) void
add_row(void *hist, int bin, const DeepRow *row, Form form)
{
	if (form == PAIRS)
		((int64 *) hist)[bin] += row->sums;
	else
		((DeepSums *) hist)[bin] += row_sums(form == WIDE_OF_PAIRS, row);
}

/* n columns in one pass; n and form are constants where this is called. */
static inline __attribute__((always_inline)) void
add_columns(const DeepWhole *whole, int64 from, int64 to, const int *column, int n, Form form, char *hist)
{
	const Size	stride = BIN_VALUES * (form == PAIRS ? sizeof(int64) : sizeof(DeepSums));
	const uint8 *bytes[AT_ONCE];
	const DeepRow *row = whole->row;
	int64		safe = Min(to, whole->count - AHEAD);
	int64		i = from;

	for (int k = 0; k < n; k++)
		bytes[k] = deep_column(whole, column[k]);
	for (; i < safe; i++)
	{
		Size		at = (Size) row[i].row * GROUP_BYTES;

		__builtin_prefetch(bytes[0] + (Size) row[i + AHEAD].row * GROUP_BYTES);
		for (int k = 0; k < n; k++)
			add_row(hist + k * stride, bytes[k][at], &row[i], form);
	}
	for (; i < to; i++)
		for (int k = 0; k < n; k++)
			add_row(hist + k * stride, bytes[k][(Size) row[i].row * GROUP_BYTES], &row[i], form);
}

static inline __attribute__((always_inline)) void
add_some_columns(const DeepWhole *whole, int64 from, int64 to, const int *column, int n, Form form, char *hist)
{
	switch (n)
	{
		case 1:
			add_columns(whole, from, to, column, 1, form, hist);
			break;
		case 2:
			add_columns(whole, from, to, column, 2, form, hist);
			break;
		case 3:
			add_columns(whole, from, to, column, 3, form, hist);
			break;
		case 4:
			add_columns(whole, from, to, column, 4, form, hist);
			break;
		case 5:
			if (form == PAIRS)
				add_columns(whole, from, to, column, 5, form, hist);
			break;
		default:
			if (form == PAIRS)
				add_columns(whole, from, to, column, 6, form, hist);
	}
}

static void
build_histograms(const DeepWhole *whole, const int *column, int n, Form form, void *hist)
{
	for (int64 from = 0; from < whole->count; from += PASS_ROWS)
	{
		int64		to = Min(from + PASS_ROWS, whole->count);

		CHECK_FOR_INTERRUPTS();
		if (form == PAIRS)
			add_some_columns(whole, from, to, column, n, PAIRS, hist);
		else if (form == WIDE)
			add_some_columns(whole, from, to, column, n, WIDE, hist);
		else
			add_some_columns(whole, from, to, column, n, WIDE_OF_PAIRS, hist);
	}
}

/* One column of few rows. */
static inline __attribute__((always_inline)) void
add_touched(const DeepWhole *whole, int column, Form form, void *hist, Touched *touched)
{
	const uint8 *bytes = deep_column(whole, column);
	uint64		bits[BIN_VALUES / 64] = {0};

	for (int64 i = 0; i < whole->count; i++)
	{
		int			bin = bytes[(Size) whole->row[i].row * GROUP_BYTES];

		bits[bin >> 6] |= UINT64CONST(1) << (bin & 63);
		add_row(hist, bin, &whole->row[i], form);
	}
	memcpy(touched->bits, bits, sizeof(bits));
}

/* Bit b is set where word b * stride is not 0. */
static inline __attribute__((always_inline)) void
find_touched(const int64 *hist, int stride, Touched *touched)
{
	for (int w = 0; w < BIN_VALUES / 64; w++)
	{
		uint64		bits = 0;

		for (int b = 0; b < 64; b++)
			bits |= (uint64) (hist[(w * 64 + b) * stride] != 0) << b;
		touched->bits[w] = bits;
	}
}

/* More than one bin? */
static bool
several_touched(const Touched *touched)
{
	bool		one = false;

	for (int w = 0; w < BIN_VALUES / 64; w++)
	{
		uint64		bits = touched->bits[w];

		if ((bits & (bits - 1)) != 0 || (one && bits != 0))
			return true;
		one |= bits != 0;
	}
	return false;
}

/* The first bin in use behind the bin, but for the one of what is missing; nbins where there is none. */
static int
next_touched(const Touched *touched, int bin, int nbins)
{
	for (bin++; bin < nbins && !((touched->bits[bin >> 6] >> (bin & 63)) & 1); bin++)
		;
	return bin;
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
	best->left = left;
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

static void
search_number_at_random(DeepSearch *search, const DeepSums *hist, const uint8 *bin, int n, int column, DeepBest *best, DeepSplit *split)
{
	DeepRange	range = {n > 0 ? bin[0] : BIN_MISSING, n > 0 ? bin[n - 1] : -1, hist[BIN_MISSING][0] != 0};
	DeepSums	left = {0, 0};
	DeepCut		cut;

	if (!deep_draw_cut(search, column, &range, &cut))
		return;
	if (cut.missing_left)
		left = hist[BIN_MISSING];
	for (int i = 0; i < n && bin[i] <= cut.last; i++)
		left += hist[bin[i]];
	if (improves(best, left))
		deep_keep_number(split, column, cut.last, cut.last + 1, cut.missing_left, cut.missing);
}

/* ---- categories: what is missing is one more level ---- */

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

/* ---- two classes: sums in one word ---- */

/* The same as improves(). */
static inline __attribute__((always_inline)) bool
pair_improves(DeepBest *best, double all, int64 left)
{
	double		weight = (double) (int32) ((left >> DEEP_PAIR_BITS) & PAIR_MASK);
	double		off = (double) (int32) (left & PAIR_MASK) - best->mean * weight;
	double		numerator = off * off;
	double		denominator = weight * (all - weight);

	if (numerator * best->denominator <= best->numerator * denominator)
		return false;
	if ((left >> 2 * DEEP_PAIR_BITS) < best->fewest || sums_rows(best->total) - (left >> 2 * DEEP_PAIR_BITS) < best->fewest)
		return false;
	best->numerator = numerator;
	best->denominator = denominator;
	best->left[0] = left;
	return true;
}

/* All cuts of a number, from the left; returns the best one's last bin, or -1.  The last time, the histogram is cleared. */
static inline __attribute__((always_inline)) int
cut_pairs(int64 *hist, const Touched *touched, int64 left, bool clear, DeepBest *best)
{
	double		all = sums_weight(best->total);
	int			below = -1;

	for (int w = 0; w < BIN_VALUES / 64; w++)
		for (uint64 bits = touched->bits[w]; bits != 0; bits &= bits - 1)
		{
			int			bin = w * 64 + __builtin_ctzll(bits);

			left += hist[bin];
			if (clear)
				hist[bin] = 0;
			if (pair_improves(best, all, left))
				below = bin;
		}
	return below;
}

static void
search_pairs(DeepSearch *search, int64 *hist, const Touched *touched, int column, DeepBest *best, DeepSplit *split)
{
	Touched		numbers = *touched;
	int64		missing = hist[BIN_MISSING];
	bool		seen = missing != 0;
	bool		improved = false;
	int			nbins = search->bins->column[column].nbins;

	hist[BIN_MISSING] = 0;
	numbers.bits[BIN_MISSING >> 6] &= ~(UINT64CONST(1) << (BIN_MISSING & 63));
	for (int side = 0; side <= (int) seen; side++)
	{
		int			below = side < (int) seen ? cut_pairs(hist, &numbers, 0, false, best) : cut_pairs(hist, &numbers, side ? missing : 0, true, best);

		if (below < 0)
			continue;
		deep_keep_number(split, column, below, next_touched(&numbers, below, nbins), side, seen);
		improved = true;
	}
	if (improved)
		best->left = pair_sums(best->left[0]);
}

/* Words as wide sums, for searches that are rare. */
static void
widen(int64 *pairs, const Touched *touched, DeepSums *hist)
{
	for (int w = 0; w < BIN_VALUES / 64; w++)
		for (uint64 bits = touched->bits[w]; bits != 0; bits &= bits - 1)
		{
			int			bin = w * 64 + __builtin_ctzll(bits);

			hist[bin] = pair_sums(pairs[bin]);
			pairs[bin] = 0;
		}
}

/* True where the rows differ in the column. */
static bool
search_pair_column(DeepSearch *search, const DeepWhole *whole, int64 *pairs, int column, DeepBest *best, DeepSplit *split)
{
	Touched		touched;
	bool		differ;

	if (whole->count >= FEW_ROWS)
		find_touched(pairs, 1, &touched);
	else
		add_touched(whole, column, PAIRS, pairs, &touched);
	if (search->bins->column[column].levels == 0 && !search->options->random_cuts)
	{
		search_pairs(search, pairs, &touched, column, best, split);
		return several_touched(&touched);
	}
	widen(pairs, &touched, search->hist);
	differ = search_means(search, search->hist, &touched, column, best, split);
	clear_touched(search->hist, &touched);
	return differ;
}

/* True where the rows differ in one of the columns. */
static bool
search_columns_of_pairs(DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split)
{
	bool		differ = false;

	if (whole->count >= FEW_ROWS)
		build_histograms(whole, column, n, PAIRS, search->pairs);
	for (int k = 0; k < n; k++)
		differ |= search_pair_column(search, whole, search->pairs + (Size) k * BIN_VALUES, column[k], best, split);
	return differ;
}

static bool
search_columns(DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split)
{
	Form		form = search->options->pairs ? WIDE_OF_PAIRS : WIDE;
	bool		differ = false;

	if (whole->count >= FEW_ROWS)
		build_histograms(whole, column, n, form, search->hist);
	for (int k = 0; k < n; k++)
	{
		DeepSums   *hist = search->hist + (Size) k * BIN_VALUES;
		Touched		touched;

		if (whole->count >= FEW_ROWS)
			find_touched((int64 *) hist, 2, &touched);
		else
			add_touched(whole, column[k], form, hist, &touched);
		differ |= search_means(search, hist, &touched, column[k], best, split);
		clear_touched(hist, &touched);
	}
	return differ;
}

/* n columns; true where the rows differ in one of them. */
typedef bool (*SearchColumns) (DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split);

static bool
fits_pairs(const DeepSearch *search, const DeepWhole *whole)
{
	return search->options->pairs && sums_weight(whole->sums) < DEEP_PAIR_WEIGHT;
}

/* ---- cuts at random ---- */

/* True where the rows differ in the column. */
static bool
search_at_random(DeepSearch *search, const DeepWhole *whole, int column, DeepBest *best, DeepSplit *split)
{
	const uint8 *bytes = deep_column(whole, column);
	DeepSums	left = {0, 0};
	DeepRange	range;
	DeepCut		cut;

	deep_find_range(whole, column, &range);
	if (!deep_draw_cut(search, column, &range, &cut))
		return false;
	for (int64 i = 0; i < whole->count; i++)
	{
		int64		goes = -(int64) deep_cut_left(&cut, bytes[(Size) whole->row[i].row * GROUP_BYTES]);

		left += row_sums(search->options->pairs, &whole->row[i]) & (DeepSums) {goes, goes};
	}
	if (improves(best, left))
		deep_keep_number(split, column, cut.last, cut.last + 1, cut.missing_left, cut.missing);
	return true;
}

/* Of few rows no histograms, but for those of categories. */
static bool
search_columns_at_random(DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split)
{
	SearchColumns histograms = fits_pairs(search, whole) ? search_columns_of_pairs : search_columns;
	bool		differ = false;

	if (whole->count >= FEW_AT_RANDOM)
		return histograms(search, whole, column, n, best, split);
	for (int k = 0; k < n; k++)
		differ |= search->bins->column[column[k]].levels > 0 ? search_columns(search, whole, column + k, 1, best, split) :
			search_at_random(search, whole, column[k], best, split);
	return differ;
}

/* ---- all columns drawn ---- */

/* Between the bins that rows have, move the cut to the edge nearest to the middle; where there are none above, above all bins. */
static void
centre_cut(const double *edge, int nbins, DeepSplit *split)
{
	int			last = split->above - 1;
	double		middle;

	if (split->above == nbins)
	{
		split->cut = last;
		return;
	}
	middle = edge[split->cut] + (edge[last] - edge[split->cut]) / 2;
	while (split->cut < last && edge[split->cut + 1] - middle <= middle - edge[split->cut])
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

static bool
search_classes(DeepSearch *search, const DeepWhole *whole, const int *column, int n, DeepBest *best, DeepSplit *split)
{
	bool		differ = false;

	for (int k = 0; k < n; k++)
		differ |= deep_search_classes(search, whole, column[k], best, split);
	return differ;
}

/* Columns in which the rows do not differ count as drawn; where all are such, more are drawn. */
void
deep_search(DeepSearch *search, const DeepWhole *whole, uint64 seed, DeepSplit *split)
{
	DeepWhole	node = *whole;
	bool		several = search->options->nclasses > 2;
	SearchColumns columns = several ? search_classes : search->options->random_cuts ? search_columns_at_random :
		fits_pairs(search, whole) ? search_columns_of_pairs : search_columns;
	int			at_once = fits_pairs(search, whole) ? AT_ONCE : AT_ONCE_WIDE;
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
		int			count = i < wanted ? Min(at_once, wanted - i) : 1;

		if (i >= wanted)
			draw_columns(search, i, i + 1);
		differ |= columns(search, &node, search->column + i, count, &best, split);
		i += count;
	}
	split->gain = best.numerator / best.denominator * sums_weight(whole->sums);
	split->left = best.left;
	if (split->column >= 0 && split->cut >= 0)
		centre_cut(deep_edges(search, split->column), search->bins->column[split->column].nbins, split);
}
