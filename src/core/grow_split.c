/*
 * grow_split.c
 *		The best split of a leaf on one column.
 *
 * Gain: with G and H the sums of a side, l1 and l2 the penalties, a side is worth T(G)^2 / (H + l2), T(G) = sign(G) max(|G| - l1, 0) (Chen &
 * Guestrin 2016).  Categories: levels ordered by G / (H + cat_smooth), of whose prefixes one is optimal for a convex loss (Fisher 1958); few
 * levels are tried one against the rest.  Rows of a side are counted by its hessian's share of the leaf's, as LightGBM does.
 */
#include "postgres.h"

#include <math.h>

#include "core/grow_internal.h"

/* A leaf's sums and what its sides must have, in the terms of the search. */
typedef struct Whole
{
	double		gradient,
				hessian;
	int64		hessian_levels;
	double		rows_a_level;
	double		value;			/* of the leaf unsplit */
	double		to_beat;
} Whole;

static double
threshold_l1(double gradient, double l1)
{
	return gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0;
}

static double
clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* What sums are worth where their output is free. */
static double
free_value(double gradient, double hessian, double l1, double l2)
{
	double		g = threshold_l1(gradient, l1);

	return hessian + l2 > 0 ? g * g / (hessian + l2) : 0;
}

/* And where the output has bounds. */
static double
bounded_value(const SplitSearch *search, const Leaf *leaf, double gradient, double hessian, double l2, double *output)
{
	double		g = threshold_l1(gradient, search->options->lambda_l1);

	*output = clamp(leaf_output(gradient, hessian, search->options->lambda_l1, l2), leaf->grown.low, leaf->grown.high);
	return -(2 * g * *output + (hessian + l2) * *output * *output);
}

static Whole
leaf_whole(const SplitSearch *search, const Leaf *leaf)
{
	const GrowOptions *options = search->options;
	Whole		whole;
	double		ignored;

	whole.hessian_levels = packed_hessian(leaf->total);
	whole.gradient = (double) packed_gradient(leaf->total) * search->quantum.gradient;
	whole.hessian = (double) whole.hessian_levels * search->quantum.hessian;
	whole.rows_a_level = (double) leaf->grown.count / (double) Max(whole.hessian_levels, 1);
	whole.value = options->monotone != NULL ?
		bounded_value(search, leaf, whole.gradient, whole.hessian, options->lambda_l2, &ignored) :
		free_value(whole.gradient, whole.hessian, options->lambda_l1, options->lambda_l2);
	whole.to_beat = leaf->split.gain > 0 ? leaf->split.value : whole.value + options->min_gain;
	return whole;
}

/* The fewest hessian levels that stand for so many rows and for so large a hessian; at least one. */
static int64
fewest_levels(const SplitSearch *search, const Whole *whole, double rows)
{
	double		by_rows = ceil((rows - 0.5) / whole->rows_a_level);
	double		by_hessian = ceil(search->options->min_sum_hessian / search->quantum.hessian);

	return (int64) Max(1, Min(Max(by_rows, by_hessian), 0x1p40));
}

static void
keep_split(Leaf *leaf, const Whole *whole, int column, double value, int64 left, bool missing_left, int64 missing)
{
	leaf->split.gain = value - whole->value;
	leaf->split.value = value;
	leaf->split.column = column;
	leaf->split.left = left;
	leaf->split.missing_left = missing_left;
	leaf->split.missing_seen = missing != 0;
}

/* ---- numbers ---- */

static int64
sum_left(const int64 *bins, int last, int64 missing)
{
	for (int b = 0; b <= last; b++)
		missing += bins[b];
	return missing;
}

/* Without bounds and l1: the fast kernel. */
static void
search_number(const SplitSearch *search, Leaf *leaf, int column, const Whole *whole)
{
	const int64 *bins = leaf->hist + (Size) column * HIST_COLUMN;
	Scan		scan = {
		.total = leaf->total,
		.missing = bins[BIN_MISSING],
		.fewest = fewest_levels(search, whole, search->options->min_data_in_leaf),
		.gradient = search->quantum.gradient,
		.hessian = search->quantum.hessian,
		.l2 = search->options->lambda_l2,
		.best = whole->to_beat,
	};

	search->kernels->scan(bins, search->bins->column[column].nbins, &scan);
	if (scan.bin < 0)
		return;
	leaf->split.bin = scan.bin;
	keep_split(leaf, whole, column, scan.best, sum_left(bins, scan.bin, scan.missing_left ? scan.missing : 0),
			   scan.missing_left, scan.missing);
}

/* What a split into these sides is worth; -HUGE_VAL where a constraint forbids it. */
static double
split_value(const SplitSearch *search, const Leaf *leaf, const Whole *whole, int64 left, double l2, int direction)
{
	double		g = (double) packed_gradient(left) * search->quantum.gradient;
	double		h = (double) packed_hessian(left) * search->quantum.hessian;
	double		left_output,
				right_output,
				value;

	if (search->options->monotone == NULL)
		return free_value(g, h, search->options->lambda_l1, l2)
			+ free_value(whole->gradient - g, whole->hessian - h, search->options->lambda_l1, l2);
	value = bounded_value(search, leaf, g, h, l2, &left_output)
		+ bounded_value(search, leaf, whole->gradient - g, whole->hessian - h, l2, &right_output);
	if ((direction > 0 && left_output > right_output) || (direction < 0 && left_output < right_output))
		return -HUGE_VAL;
	return value;
}

/* With bounds or l1. */
static void
search_number_general(const SplitSearch *search, Leaf *leaf, int column, Whole *whole)
{
	const int64 *bins = leaf->hist + (Size) column * HIST_COLUMN;
	int64		missing = bins[BIN_MISSING];
	int64		fewest = fewest_levels(search, whole, search->options->min_data_in_leaf);
	int			direction = search->options->monotone ? search->options->monotone[column] : 0;

	for (int missing_left = 0; missing_left <= (missing != 0); missing_left++)
	{
		int64		left = missing_left ? missing : 0;

		for (int b = 0; b < search->bins->column[column].nbins; b++)
		{
			double		value;

			if (bins[b] == 0)
				continue;
			left += bins[b];
			if (packed_hessian(left) < fewest || whole->hessian_levels - packed_hessian(left) < fewest)
				continue;
			value = split_value(search, leaf, whole, left, search->options->lambda_l2, direction);
			if (value <= whole->to_beat)
				continue;
			whole->to_beat = value;
			leaf->split.bin = b;
			keep_split(leaf, whole, column, value, left, missing_left, missing);
		}
	}
}

/* ---- categories: what is missing is one more level ---- */

typedef struct Level
{
	int			bin;
	int64		sums;
	double		order;
} Level;

static int
by_order(const void *a, const void *b)
{
	const Level *x = a;
	const Level *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->bin - y->bin;
}

static void
keep_category_split(Leaf *leaf, Whole *whole, int column, double value, const Level *level, int first, int count)
{
	const int64 *bins = leaf->hist + (Size) column * HIST_COLUMN;
	Split	   *split = &leaf->split;
	int64		left = 0;

	whole->to_beat = value;
	memset(split->bins_left, 0, sizeof(split->bins_left));
	for (int i = first; i < first + count; i++)
	{
		split->bins_left[level[i].bin >> 6] |= UINT64CONST(1) << (level[i].bin & 63);
		left += level[i].sums;
	}
	keep_split(leaf, whole, column, value, left, split_has_bin(split, BIN_MISSING), bins[BIN_MISSING]);
}

/* One level against the rest. */
static void
search_one_level(const SplitSearch *search, Leaf *leaf, int column, Whole *whole, const Level *level, int n)
{
	int64		fewest = fewest_levels(search, whole, search->options->min_data_in_leaf);

	for (int i = 0; i < n; i++)
	{
		int64		hessian = packed_hessian(level[i].sums);
		double		value;

		if (hessian < fewest || whole->hessian_levels - hessian < fewest)
			continue;
		value = split_value(search, leaf, whole, level[i].sums, search->options->lambda_l2, 0);
		if (value > whole->to_beat)
			keep_category_split(leaf, whole, column, value, level, i, 1);
	}
}

/* Prefixes of the ordered levels from either end; a group of levels is added only when it has min_data_per_group rows. */
static void
search_prefixes(const SplitSearch *search, Leaf *leaf, int column, Whole *whole, const Level *level, int n, bool from_end)
{
	const GrowOptions *options = search->options;
	int64		fewest = fewest_levels(search, whole, options->min_data_in_leaf);
	int64		fewest_right = fewest_levels(search, whole, Max(options->min_data_in_leaf, options->min_data_per_group));
	int64		fewest_group = fewest_levels(search, whole, options->min_data_per_group);
	int			most = Min(options->max_cat_threshold, (n + 1) / 2);
	int64		left = 0,
				group = 0;

	for (int i = 0; i < most && i < n; i++)
	{
		int64		sums = level[from_end ? n - 1 - i : i].sums;
		double		value;

		left += sums;
		group += packed_hessian(sums);
		if (packed_hessian(left) < fewest)
			continue;
		if (whole->hessian_levels - packed_hessian(left) < fewest_right)
			break;
		if (group < fewest_group)
			continue;
		group = 0;
		value = split_value(search, leaf, whole, left, split_l2(search, column), 0);
		if (value > whole->to_beat)
			keep_category_split(leaf, whole, column, value, level, from_end ? n - 1 - i : 0, i + 1);
	}
}

static int
list_levels(const SplitSearch *search, const Leaf *leaf, int column, const Whole *whole, bool one_hot, Level *level)
{
	const int64 *bins = leaf->hist + (Size) column * HIST_COLUMN;
	int			nbins = search->bins->column[column].nbins;
	double		smooth = search->options->cat_smooth;
	int			n = 0;

	for (int i = 0; i <= nbins; i++)
	{
		int			b = i < nbins ? i : BIN_MISSING;
		double		hessian = (double) packed_hessian(bins[b]);

		if (packed_hessian(bins[b]) == 0 || (!one_hot && floor(hessian * whole->rows_a_level + 0.5) < smooth))
			continue;
		level[n].bin = b;
		level[n].sums = bins[b];
		level[n++].order = (double) packed_gradient(bins[b]) * search->quantum.gradient / (hessian * search->quantum.hessian + smooth);
	}
	return n;
}

static void
search_category(const SplitSearch *search, Leaf *leaf, int column, Whole *whole)
{
	bool		one_hot = search->bins->column[column].nbins <= search->options->max_cat_to_onehot;
	Level		level[BIN_VALUES];
	int			n = list_levels(search, leaf, column, whole, one_hot, level);

	if (one_hot)
	{
		search_one_level(search, leaf, column, whole, level, n);
		return;
	}
	qsort(level, n, sizeof(Level), by_order);
	search_prefixes(search, leaf, column, whole, level, n, false);
	search_prefixes(search, leaf, column, whole, level, n, true);
}

void
split_search(const SplitSearch *search, Leaf *leaf, int column)
{
	const GrowOptions *options = search->options;
	Whole		whole = leaf_whole(search, leaf);

	if (search->bins->column[column].levels > 0)
		search_category(search, leaf, column, &whole);
	else if (options->monotone != NULL || options->lambda_l1 > 0)
		search_number_general(search, leaf, column, &whole);
	else
		search_number(search, leaf, column, &whole);
}

double
split_l2(const SplitSearch *search, int column)
{
	const ColumnBins *bins = &search->bins->column[column];
	bool		many = bins->levels > 0 && bins->nbins > search->options->max_cat_to_onehot;

	return search->options->lambda_l2 + (many ? search->options->cat_l2 : 0);
}

void
split_outputs(const SplitSearch *search, const Leaf *leaf, double *left, double *right)
{
	const GrowOptions *options = search->options;
	double		l2 = split_l2(search, leaf->split.column);
	int64		rest = leaf->total - leaf->split.left;

	*left = clamp(leaf_output((double) packed_gradient(leaf->split.left) * search->quantum.gradient,
							  (double) packed_hessian(leaf->split.left) * search->quantum.hessian, options->lambda_l1, l2),
				  leaf->grown.low, leaf->grown.high);
	*right = clamp(leaf_output((double) packed_gradient(rest) * search->quantum.gradient,
							   (double) packed_hessian(rest) * search->quantum.hessian, options->lambda_l1, l2),
				   leaf->grown.low, leaf->grown.high);
}
