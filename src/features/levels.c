/*
 * levels.c
 *		Which levels of a category column a model knows by name.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "features/features_internal.h"

static int
by_frequency(const void *a, const void *b, void *counts)
{
	const int64 *count = counts;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	CHECK_FOR_INTERRUPTS();
	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int
levels_seen(const int64 *count, int nlevels)
{
	int			seen = 0;

	for (int code = 0; code < nlevels; code++)
		seen += count[code] > 0;
	return seen;
}

bool *
most_frequent(int64 *count, int nlevels, int most)
{
	bool	   *kept = palloc_extended(Max(nlevels, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int		   *code = palloc_extended(sizeof(int) * Max(nlevels, 1), MCXT_ALLOC_HUGE);
	int			seen = 0;

	for (int i = 0; i < nlevels; i++)
		if (count[i] > 0)
			code[seen++] = i;
	if (seen > most)
	{
		qsort_arg(code, seen, sizeof(int), by_frequency, count);
		seen = most - 1;		/* the place of "other" */
	}
	for (int i = 0; i < seen; i++)
		kept[code[i]] = true;
	pfree(code);
	return kept;
}

const char *
levels_unused(const ColumnSummary *summary, int nlevels, int64 n)
{
	int			seen = levels_seen(summary->level_count, nlevels);
	int64		present = n - summary->missing;

	if (seen == 0)
		return "all its values are missing";
	if (levels_are_key(seen, (double) present))
		return psprintf("%d of %lld values are distinct, as in a key", seen, (long long) present);
	if (seen == 1 && summary->missing == 0)
		return "it is constant";
	return NULL;
}

/* The levels kept, in the frame's (bytewise) order, and the way from the frame's codes to them. */
static int *
keep_levels(const Dictionary *levels, const bool *kept, Dictionary *into)
{
	int			nlevels = dictionary_size(levels);
	int		   *code = palloc_extended(sizeof(int) * Max(nlevels, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < nlevels; i++)
		code[i] = kept != NULL && kept[i] ? dictionary_add(into, dictionary_text(levels, i), dictionary_length(levels, i)) : -1;
	for (int i = 0; i < nlevels; i++)
		if (code[i] < 0)
			code[i] = dictionary_size(into);
	return code;
}

void
choose_levels(const FrameColumn *column, int most, InputColumn *input, ColumnSummary *summary, int **recode)
{
	int			nlevels = dictionary_size(column->levels);
	bool	   *kept = most > 0 ? most_frequent(summary->level_count, nlevels, most) : NULL;
	int64	   *count;

	input->levels = dictionary_create(CurrentMemoryContext);
	*recode = keep_levels(column->levels, kept, input->levels);
	count = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(int64) * (dictionary_size(input->levels) + 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int code = 0; code < nlevels; code++)
		count[(*recode)[code]] += summary->level_count[code];
	summary->kept_count = count;
	if (kept != NULL)
		pfree(kept);
}
