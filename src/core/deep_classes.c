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

#define CHECK_ROWS 16384		/* more are worth a check for interrupts */

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

/* Rows of one bin: start .. (start of the next run) - 1 of search->sorted.  Behind the last run lies one that starts at the end. */
typedef struct Run
{
	int			bin;
	uint32		start;
} Run;

typedef struct Runs
{
	int			n;				/* of numbers or levels */
	bool		missing;		/* one more, the last */
	Run			run[BIN_VALUES + 1];
} Runs;

static inline uint32
run_rows(const Runs *runs, int i)
{
	return runs->run[i + 1].start - runs->run[i].start;
}

/* The bins in use as runs; their counts become the places where their rows go. */
static void
find_runs(uint32 *count, const uint64 *bits, Runs *runs)
{
	uint32		start = 0;
	int			n = 0;

	for (int w = 0; w < BIN_VALUES / 64; w++)
		for (uint64 left = bits[w]; left != 0; left &= left - 1)
		{
			int			bin = w * 64 + __builtin_ctzll(left);
			uint32		rows = count[bin];

			runs->run[n++] = (Run) {bin, start};
			count[bin] = start;
			start += rows;
		}
	runs->run[n].start = start;
	runs->missing = runs->run[n - 1].bin == BIN_MISSING;
	runs->n = n - runs->missing;
}

static void
sort_rows(DeepSearch *search, const DeepWhole *whole, int column, Runs *runs)
{
	const uint8 *bytes = deep_column(whole, column);
	uint64		bits[BIN_VALUES / 64] = {0};
	uint32	   *count = search->count;

	if (whole->count >= CHECK_ROWS)
		CHECK_FOR_INTERRUPTS();
	for (int64 i = 0; i < whole->count; i++)
	{
		int			bin = bytes[(Size) whole->row[i].row * GROUP_BYTES];

		bits[bin >> 6] |= UINT64CONST(1) << (bin & 63);
		count[bin]++;
	}
	find_runs(count, bits, runs);
	for (int64 i = 0; i < whole->count; i++)
		search->sorted[count[bytes[(Size) whole->row[i].row * GROUP_BYTES]]++] = whole->row[i];
	for (int i = 0; i < runs->n + runs->missing; i++)
		count[runs->run[i].bin] = 0;
}

static void
move_run(Walk *walk, const Runs *runs, int i)
{
	move_rows(walk, walk->search->sorted + runs->run[i].start, run_rows(runs, i));
}

static void
search_class_number(DeepSearch *search, const DeepWhole *whole, int column, const Runs *runs, DeepBest *best, DeepSplit *split)
{
	int			nbins = search->bins->column[column].nbins;
	Walk		walk;

	for (int side = 0; side <= (int) runs->missing; side++)
	{
		walk_init(&walk, search, whole);
		if (side)
			move_run(&walk, runs, runs->n);
		for (int i = 0; i < runs->n; i++)
		{
			move_run(&walk, runs, i);
			if (walk_improves(&walk, whole, best))
				deep_keep_number(split, column, runs->run[i].bin, i + 1 < runs->n ? runs->run[i + 1].bin : nbins, side, runs->missing);
		}
	}
}

static int
most_common_class(const DeepSearch *search)
{
	int			common = 0;

	for (int k = 1; k < search->options->nclasses; k++)
		if (search->total[k] > search->total[common])
			common = k;
	return common;
}

/* Levels with the share of the most common class; bin is the number of the run. */
static int
list_class_levels(const DeepSearch *search, const Runs *runs, DeepLevel *level)
{
	int			common = most_common_class(search);
	int			n = runs->n + runs->missing;

	for (int r = 0; r < n; r++)
	{
		int64		all = 0,
					of_common = 0;

		for (uint32 i = runs->run[r].start; i < runs->run[r + 1].start; i++)
		{
			int64		weight = row_weight(false, &search->sorted[i]);

			all += weight;
			of_common += row_value(false, &search->sorted[i]) == common ? weight : 0;
		}
		level[r] = (DeepLevel) {.bin = runs->run[r].bin,.run = r,.order = (double) of_common / (double) all};
	}
	return n;
}

static void
search_class_category(DeepSearch *search, const DeepWhole *whole, int column, const Runs *runs, DeepBest *best, DeepSplit *split)
{
	DeepLevel	level[BIN_VALUES];
	int			n = list_class_levels(search, runs, level);
	int			only = search->options->random_cuts ? deep_random_subset(search, level, n) : 0;
	Walk		walk;

	if (only == 0)
		qsort(level, n, sizeof(DeepLevel), deep_by_order);
	walk_init(&walk, search, whole);
	for (int i = 0; i < n - 1; i++)
	{
		move_run(&walk, runs, level[i].run);
		if ((only == 0 || i == only - 1) && walk_improves(&walk, whole, best))
			deep_keep_category(split, column, level, i + 1, n, runs->missing);
	}
}

/* One cut drawn at random. */
static bool
search_class_at_random(DeepSearch *search, const DeepWhole *whole, int column, DeepBest *best, DeepSplit *split)
{
	const uint8 *bytes = deep_column(whole, column);
	DeepRange	range;
	DeepCut		cut;
	Walk		walk;

	if (whole->count >= CHECK_ROWS)
		CHECK_FOR_INTERRUPTS();
	deep_find_range(whole, column, &range);
	if (!deep_draw_cut(search, column, &range, &cut))
		return false;
	walk_init(&walk, search, whole);
	for (int64 i = 0; i < whole->count; i++)
		if (deep_cut_left(&cut, bytes[(Size) whole->row[i].row * GROUP_BYTES]))
			move_rows(&walk, &whole->row[i], 1);
	if (walk_improves(&walk, whole, best))
		deep_keep_number(split, column, cut.last, cut.last + 1, cut.missing_left, cut.missing);
	return true;
}

bool
deep_search_classes(DeepSearch *search, const DeepWhole *whole, int column, DeepBest *best, DeepSplit *split)
{
	bool		category = search->bins->column[column].levels > 0;
	Runs		runs;

	if (search->options->random_cuts && !category)
		return search_class_at_random(search, whole, column, best, split);
	sort_rows(search, whole, column, &runs);
	if (runs.n + runs.missing < 2)
		return false;
	if (category)
		search_class_category(search, whole, column, &runs, best, split);
	else
		search_class_number(search, whole, column, &runs, best, split);
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
