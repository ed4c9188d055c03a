/*
 * deep_classes.c
 *		The best split of a node on one column where there are more than two classes.
 *
 * Rows sorted by bin go from the right to the left one after the other, and with them the sums of the squares of the classes' weights that the
 * Gini impurity is made of: the work does not depend on the number of classes.  Categories are ordered by the share of the node's most frequent
 * class.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/deep_internal.h"

typedef struct Walk
{
	const DeepSearch *search;
	int64		left_squares,	/* of the classes' weights */
				right_squares;
	int64		weight;			/* on the left */
	int64		rows;
} Walk;

static void
move_rows(Walk *walk, const DeepRow *row, int64 count)
{
	int64	   *left = walk->search->left;
	const int64 *total = walk->search->total;

	for (int64 i = 0; i < count; i++)
	{
		int64		weight = row_weight(false, &row[i]);
		int32		class = row_value(false, &row[i]);
		int64		l = left[class];
		int64		r = total[class] - l;

		walk->left_squares += weight * (2 * l + weight);
		walk->right_squares += weight * (weight - 2 * r);
		walk->weight += weight;
		left[class] = l + weight;
	}
	walk->rows += count;
}

static bool
walk_improves(const Walk *walk, const DeepWhole *whole, DeepBest *best)
{
	double		total = sums_weight(whole->sums);
	double		weight = (double) walk->weight;
	double		gain;

	if (walk->rows < best->fewest || whole->count - walk->rows < best->fewest)
		return false;
	gain = ((double) walk->left_squares / weight + (double) walk->right_squares / (total - weight) - (double) whole->squares / total) / total;
	if (gain <= best->numerator)
		return false;
	best->numerator = gain;
	best->left = (DeepSums) {(walk->rows << 32) + walk->weight, 0};
	return true;
}

static void
walk_init(Walk *walk, const DeepSearch *search, const DeepWhole *whole)
{
	*walk = (Walk) {.search = search,.right_squares = whole->squares};
	memset(search->left, 0, sizeof(int64) * search->options->nclasses);
}

/* Rows by bin: start[b] .. start[b + 1] - 1 of search->sorted. */
static void
sort_rows(DeepSearch *search, const DeepWhole *whole, int column, uint32 *start)
{
	const uint8 *bytes = deep_column(whole, column);
	uint32		at[BIN_VALUES + 1] = {0};

	CHECK_FOR_INTERRUPTS();
	for (int64 i = 0; i < whole->count; i++)
		at[bytes[(Size) whole->row[i].row * GROUP_BYTES] + 1]++;
	for (int b = 0; b < BIN_VALUES; b++)
		at[b + 1] += at[b];
	memcpy(start, at, sizeof(at));
	for (int64 i = 0; i < whole->count; i++)
		search->sorted[at[bytes[(Size) whole->row[i].row * GROUP_BYTES]]++] = whole->row[i];
}

static int
next_bin(const uint32 *start, int bin, int nbins)
{
	for (bin++; bin < nbins && start[bin] == start[bin + 1]; bin++)
		;
	return bin;
}

static void
search_class_number(DeepSearch *search, const DeepWhole *whole, int column, const uint32 *start, DeepBest *best, DeepSplit *split)
{
	int			nbins = search->bins->column[column].nbins;
	int64		missing = whole->count - start[BIN_MISSING];
	Walk		walk;

	for (int side = 0; side <= (missing > 0); side++)
	{
		walk_init(&walk, search, whole);
		if (side)
			move_rows(&walk, search->sorted + start[BIN_MISSING], missing);
		for (int b = 0; b < nbins; b++)
		{
			if (start[b] == start[b + 1])
				continue;
			move_rows(&walk, search->sorted + start[b], start[b + 1] - start[b]);
			if (walk_improves(&walk, whole, best))
				deep_keep_number(split, column, b, next_bin(start, b, nbins), side, missing > 0);
		}
	}
}

static int
list_class_levels(const DeepSearch *search, const uint32 *start, DeepLevel *level)
{
	int			common = 0;
	int			n = 0;

	for (int k = 1; k < search->options->nclasses; k++)
		if (search->total[k] > search->total[common])
			common = k;
	for (int b = 0; b < BIN_VALUES; b++)
	{
		int64		all = 0,
					of_common = 0;

		for (uint32 i = start[b]; i < start[b + 1]; i++)
		{
			int64		weight = row_weight(false, &search->sorted[i]);

			all += weight;
			of_common += row_value(false, &search->sorted[i]) == common ? weight : 0;
		}
		if (all > 0)
			level[n++] = (DeepLevel) {.bin = b,.order = (double) of_common / (double) all};
	}
	return n;
}

static void
search_class_category(DeepSearch *search, const DeepWhole *whole, int column, const uint32 *start, DeepBest *best, DeepSplit *split)
{
	DeepLevel	level[BIN_VALUES];
	int			n = list_class_levels(search, start, level);
	int			only = search->options->random_cuts ? deep_random_subset(search, level, n) : 0;
	Walk		walk;

	if (only == 0)
		qsort(level, n, sizeof(DeepLevel), deep_by_order);
	walk_init(&walk, search, whole);
	for (int i = 0; i < n - 1; i++)
	{
		int			b = level[i].bin;

		move_rows(&walk, search->sorted + start[b], start[b + 1] - start[b]);
		if ((only == 0 || i == only - 1) && walk_improves(&walk, whole, best))
			deep_keep_category(split, column, level, i + 1, n, start[BIN_MISSING] < whole->count);
	}
}

static void
search_class_at_random(DeepSearch *search, const DeepWhole *whole, int column, const uint32 *start, DeepBest *best, DeepSplit *split)
{
	int64		missing = whole->count - start[BIN_MISSING];
	uint8		bin[BIN_VALUES];
	int			n = 0;
	bool		side;
	int			cut;
	Walk		walk;

	for (int b = 0; b < BIN_MISSING; b++)
		if (start[b] < start[b + 1])
			bin[n++] = (uint8) b;
	side = missing > 0 && n >= 2 && (deep_random(search) & 1);
	cut = n >= 2 ? deep_random_cut(search, column, bin, n) : search->bins->column[column].nbins - 1;
	walk_init(&walk, search, whole);
	if (side)
		move_rows(&walk, search->sorted + start[BIN_MISSING], missing);
	move_rows(&walk, search->sorted, start[cut + 1]);
	if (walk_improves(&walk, whole, best))
		deep_keep_number(split, column, cut, cut + 1, side, missing > 0);
}

bool
deep_search_classes(DeepSearch *search, const DeepWhole *whole, int column, DeepBest *best, DeepSplit *split)
{
	uint32		start[BIN_VALUES + 1];
	int			first = 0;

	sort_rows(search, whole, column, start);
	while (start[first + 1] == 0)
		first++;
	if (start[first + 1] == whole->count)
		return false;
	if (search->bins->column[column].levels > 0)
		search_class_category(search, whole, column, start, best, split);
	else if (search->options->random_cuts)
		search_class_at_random(search, whole, column, start, best, split);
	else
		search_class_number(search, whole, column, start, best, split);
	return true;
}

void
deep_sum_classes(DeepSearch *search, DeepWhole *whole)
{
	memset(search->total, 0, sizeof(int64) * search->options->nclasses);
	for (int64 i = 0; i < whole->count; i++)
		search->total[row_value(false, &whole->row[i])] += row_weight(false, &whole->row[i]);
	whole->squares = 0;
	for (int k = 0; k < search->options->nclasses; k++)
		whole->squares += search->total[k] * search->total[k];
}
