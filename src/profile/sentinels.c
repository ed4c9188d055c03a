/*
 * sentinels.c
 *		Values that probably stand for a missing one.
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "profile/profile_internal.h"

#define ONE_DAY ((double) USECS_PER_DAY)
#define FAR_TIME (365 * ONE_DAY)	/* from the next date */
#define SPIKE 10				/* as often as the next most frequent date, and as many rows */

/* The first and the last bin that are not yet found to be sentinels. */
typedef struct Ends
{
	const DistributionBin *bin;
	int			first,
				last;
	TopValue   *found;
	int			nfound;
} Ends;

static bool
is_value(const DistributionBin *bin, double value)
{
	return bin->low == value && bin->high == value;
}

static void
take(Ends *ends, int at)
{
	ends->found[ends->nfound].number = ends->bin[at].low;
	ends->found[ends->nfound].text = NULL;
	ends->found[ends->nfound++].count = ends->bin[at].count;
	ends->first += at == ends->first;
	ends->last -= at == ends->last;
}

/* The smallest or the largest of all values left, at least so far from its neighbour and in at least so many rows. */
static bool
take_if_alone(Ends *ends, double value, double distance, int64 least)
{
	const DistributionBin *first = &ends->bin[ends->first];
	const DistributionBin *last = &ends->bin[ends->last];

	if (ends->last <= ends->first)
		return false;
	if (is_value(first, value) && first->count >= least && first[1].low - value >= distance)
		take(ends, ends->first);
	else if (is_value(last, value) && last->count >= least && value - last[-1].high >= distance)
		take(ends, ends->last);
	else
		return false;
	return true;
}

/* Numbers of nines: at least twice as far from 0 as all others on their side; once is an outlier. */
static void
find_nines(Ends *ends)
{
	static const double numbers[] = {99, 999, 9999, 99999, 999999, 9999999, 99999999, -9, -99, -999, -9999, -99999, -999999};
	bool		again = true;

	while (again)
	{
		again = false;
		for (int i = 0; i < (int) lengthof(numbers); i++)
			again |= take_if_alone(ends, numbers[i], fabs(numbers[i]) / 2, 2);
	}
}

/* -1: the only negative one, and no sign. */
static void
find_minus_one(Ends *ends)
{
	const DistributionBin *first = &ends->bin[ends->first];

	if (ends->last - ends->first >= 2 && is_value(first, -1) && first[1].low >= 0 && ends->bin[ends->last].high > 1)
		take(ends, ends->first);
}

static bool
is_spike(const Ends *ends, int at)
{
	int64		next = 0;

	for (int i = ends->first; i <= ends->last; i++)
		if (i != at)
			next = Max(next, ends->bin[i].count);
	return ends->bin[at].count >= SPIKE && ends->bin[at].count >= SPIKE * next && next > 0;
}

static void
find_dates(Ends *ends)
{
	static const int dates[][3] = {{1, 1, 1}, {1753, 1, 1}, {1899, 12, 30}, {1900, 1, 1}, {1970, 1, 1}, {2999, 12, 31}, {9999, 1, 1}, {9999, 12, 31}};
	bool		again = true;

	while (again)
	{
		again = false;
		for (int i = 0; i < (int) lengthof(dates); i++)
			again |= take_if_alone(ends, (date2j(dates[i][0], dates[i][1], dates[i][2]) - POSTGRES_EPOCH_JDATE) * ONE_DAY, FAR_TIME, 1);
	}
	for (int i = 0; i < (int) lengthof(dates); i++)
		for (int at = ends->first; at <= ends->last; at++)
			if (is_value(&ends->bin[at], (date2j(dates[i][0], dates[i][1], dates[i][2]) - POSTGRES_EPOCH_JDATE) * ONE_DAY) && is_spike(ends, at))
			{
				take(ends, at);
				return;
			}
}

int
sentinel_numbers(ColumnKind kind, const DistributionBin *bin, int n, TopValue *found)
{
	Ends		ends = {.bin = bin, .last = n - 1, .found = found};

	if (kind == KIND_TIMESTAMP)
		find_dates(&ends);
	else if (kind == KIND_NUMBER)
	{
		find_nines(&ends);
		find_minus_one(&ends);
	}
	return ends.nfound;
}

TopValue *
sketch_sentinels(const Sketch *sketch, int *count)
{
	TopValue   *found;
	DistributionBin *bin;
	int			n;

	if (sketch->kind == KIND_CATEGORY)
		return text_sentinels((const TextSketch *) sketch, count);
	bin = sketch_bins(sketch, &n);
	found = palloc(sizeof(TopValue) * MOST_SENTINEL_NUMBERS);
	*count = sentinel_numbers((ColumnKind) sketch->kind, bin, n, found);
	qsort(found, *count, sizeof(TopValue), compare_top_numbers);
	pfree(bin);
	return found;
}
