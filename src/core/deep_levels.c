/*
 * deep_levels.c
 *		Splits of categories: the levels of a node in an order, of which the first go left.
 */
#include "postgres.h"

#include "core/deep_internal.h"
#include "core/hash.h"

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

int
deep_random_subset(DeepSearch *search, DeepLevel *level, int n)
{
	for (int i = 0; i < n; i++)
		level[i].order = hash_unit(deep_random(search));
	qsort(level, n, sizeof(DeepLevel), deep_by_order);
	return 1 + (int) (deep_random(search) % (uint64) (n - 1));
}
