/*
 * deep_random.c
 *		Splits drawn at random, for extremely randomised trees (Geurts, Ernst, Wehenkel 2006).
 */
#include "postgres.h"

#include "core/deep_internal.h"
#include "core/hash.h"

/* Between the first and the last > first bin in use. */
static int
random_cut(DeepSearch *search, int column, int first, int last)
{
	const double *edge = deep_edges(search, column);
	int			nbins = search->bins->column[column].nbins;
	double		high = edge[last - 1];
	double		low = first > 0 ? edge[first - 1] : edge[0] - (edge[Min(1, nbins - 2)] - edge[0]);
	double		at = low + hash_unit(deep_random(search)) * (high - low);

	while (first < last - 1 && edge[first] < at)
		first++;
	return first;
}

void
deep_find_range(const DeepWhole *whole, int column, DeepRange *range)
{
	const uint8 *bytes = deep_column(whole, column);

	*range = (DeepRange) {.first = BIN_MISSING,.last = -1};
	for (int64 i = 0; i < whole->count; i++)
	{
		int			bin = bytes[(Size) whole->row[i].row * GROUP_BYTES];

		range->missing |= bin == BIN_MISSING;
		range->first = Min(range->first, bin);
		range->last = Max(range->last, bin == BIN_MISSING ? -1 : bin);
	}
}

bool
deep_draw_cut(DeepSearch *search, int column, const DeepRange *range, DeepCut *cut)
{
	bool		several = range->first < range->last;

	if (range->last < 0 || !(several || range->missing))
		return false;
	cut->missing = range->missing;
	cut->missing_left = range->missing && several && (deep_random(search) & 1);
	cut->last = several ? random_cut(search, column, range->first, range->last) : search->bins->column[column].nbins - 1;
	return true;
}
