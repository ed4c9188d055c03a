/*
 * split_time.c
 *		Parts by time: the earliest rows train, and a gap before each later part may be left out.
 *
 * A gap keeps what is known of a row only days later from training the rows just before those it is judged on.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "core/sort.h"
#include "data/order_internal.h"

#define MUCH_GROWN 1.1			/* a test part this much beyond its share is worth a warning */

/*
 * How many of the first n rows sorted by time come before a cut that wants so many of them: equal times stay together, on the side nearer to that (on
 * the earlier side at the start, so that the first part has rows).
 */
static uint32
time_cut(const Order *o, double wanted, uint32 n)
{
	uint32		low,
				high;

	if (wanted <= 0)
		return 0;
	if (wanted >= n)
		return n;
	low = high = (uint32) wanted;
	while (low > 0 && o->key[low - 1] == o->key[high])
		check_interrupts(--low);
	while (high < n && o->key[high] == o->key[low])
		check_interrupts(++high);
	return low > 0 && wanted - low < high - wanted ? low : high;
}

/* How many rows sorted by time come before a time. */
static uint32
rows_before(const Order *o, uint64 time)
{
	uint32		low = 0,
				high = o->n;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (o->key[middle] < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the gap ---- */

/* The time that sortable_double made a side of. */
static double
side_time(uint64 side)
{
	uint64		bits = side >> 63 ? side ^ UINT64CONST(1) << 63 : ~side;
	double		time;

	memcpy(&time, &bits, sizeof(time));
	return time;
}

double
gap_width(const FrameRequest *request, ColumnKind kind)
{
	bool		calendar = kind == KIND_TIMESTAMP;
	double		width;

	if (request->gap == NULL)
		return 0;
	if ((calendar && cell_parse(KIND_NUMBER, NULL, request->gap, &width) && width != 0) ||	/* days or seconds? */
		!cell_parse(calendar ? KIND_INTERVAL : KIND_NUMBER, NULL, request->gap, &width) || !(width >= 0 && width <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the gap of split cannot be \"%s\"", request->gap),
				 errhint("Time column \"%s\" wants %s.", request->time,
						 calendar ? "an interval of zero or more, such as \"7 days\"" : "a number of zero or more")));
	return calendar ? width * USECS_PER_SEC : width;
}

static void
find_gaps(const Order *o, const int64 *start, TimeCuts *cuts)
{
	double		width = o->frame->gap;

	for (int part = PART_VALIDATION; part < NPARTS; part++)
		if (start[part] < start[part + 1])
			cuts->gap_after[part] = sortable_double(side_time(cuts->first[part]) - width);
}

static bool
lies_in_gap(const TimeCuts *cuts, uint64 time, int part)
{
	for (int later = part + 1; later < NPARTS; later++)
		if (cuts->gap_after[later] > 0 && time > cuts->gap_after[later])
			return true;
	return false;
}

/* ---- cuts ---- */

void
check_time_bounds(const FrameRequest *request, ColumnKind kind)
{
	if (request->times != NULL && request->times->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("time column \"%s\" is a %s, but the rows that earlier versions hold out for tests were cut off at a %s",
						request->time, kind_name(kind), kind_name(request->times->kind)),
				 errhint("Give the column its former type, or begin anew by \"unlock\": true in split.")));
}

static uint64
bound_side(const TimeBounds *times, Part part)
{
	double		bound = times->bound[part - 1];

	return isnan(bound) ? PG_UINT64_MAX : sortable_double(bound);
}

/* Time goes on and rows are added, all of them behind the cut; shares alone would cut at fresh. */
static void
warn_of_growth(const Order *o, uint32 kept, uint32 fresh)
{
	int64		held_out = o->n - kept;

	if (held_out > MUCH_GROWN * (o->n - fresh))
		frame_warning(o->frame, "the test part begins at %s as in the version before, and has %.0f %% of the rows instead of %.0f %%: "
					  "\"unlock\": true in split cuts anew, and lets rows train that were held out until now",
					  cell_shown(o->frame->times.kind, o->request->times->bound[PART_TEST - 1]), 100.0 * held_out / o->n, 100 * o->request->share[PART_TEST]);
}

/* Where the test part begins: as before where the shares are the same, and never later. */
static uint32
cut_test(Order *o, TimeCuts *cuts)
{
	const FrameRequest *request = o->request;
	uint32		start = o->n;
	uint32		kept;

	if (request->share[PART_TEST] > 0)
		start = time_cut(o, (request->share[PART_TRAIN] + request->share[PART_VALIDATION]) * o->n, o->n);
	if (request->times == NULL)
	{
		cuts->first[PART_TEST] = start < o->n ? o->key[start] : PG_UINT64_MAX;
		return start;
	}
	cuts->first[PART_TEST] = bound_side(request->times, PART_TEST);
	kept = rows_before(o, cuts->first[PART_TEST]);
	if (request->same_shares || kept <= start)
	{
		warn_of_growth(o, kept, start);
		return kept;
	}
	cuts->first[PART_TEST] = o->key[start];
	return start;
}

/* Before rows held out by an earlier training the shares are those of the rows that are left. */
static uint32
cut_validation(Order *o, TimeCuts *cuts, uint32 test)
{
	const FrameRequest *request = o->request;
	const double *share = request->share;
	uint32		start = test;

	if (share[PART_VALIDATION] <= 0)
	{
		cuts->first[PART_VALIDATION] = cuts->first[PART_TEST];
		return test;
	}
	if (request->times != NULL && request->same_shares)
	{
		cuts->first[PART_VALIDATION] = bound_side(request->times, PART_VALIDATION);
		return rows_before(o, cuts->first[PART_VALIDATION]);
	}
	if (request->times != NULL)
		start = time_cut(o, share[PART_TRAIN] / (share[PART_TRAIN] + share[PART_VALIDATION]) * test, test);
	else
		start = time_cut(o, share[PART_TRAIN] * o->n, o->n);
	cuts->first[PART_VALIDATION] = start < o->n ? o->key[start] : PG_UINT64_MAX;
	return start;
}

static double
bound_of_side(uint64 side)
{
	return side == PG_UINT64_MAX ? NAN : side_time(side);
}

void
find_time_cuts(Order *o, TimeCuts *cuts)
{
	int64		start[NPARTS + 1];

	memset(cuts, 0, sizeof(TimeCuts));
	take_keys(o, SIDE_TIME, false);
	sort_rows(o);
	start[PART_TRAIN] = 0;
	start[PART_TEST] = cut_test(o, cuts);
	start[PART_VALIDATION] = cut_validation(o, cuts, start[PART_TEST]);
	start[NPARTS] = o->n;
	for (int part = PART_VALIDATION; part < NPARTS; part++)
		o->frame->times.bound[part - 1] = bound_of_side(cuts->first[part]);
	if (o->frame->gap > 0)
		find_gaps(o, start, cuts);
}

/* ---- parts ---- */

/* A part without rows begins where the next one does, so that no row falls into it. */
static int
part_of_time(const TimeCuts *cuts, uint64 time)
{
	int			part = PART_TEST;

	while (part > PART_TRAIN && time < cuts->first[part])
		part--;
	return part;
}

void
part_by_time(Order *o, const TimeCuts *cuts)
{
	uint8	   *part = (uint8 *) o->key_scratch;
	int64		nrows = o->n;

	for (uint32 i = 0; i < o->n; i++)
	{
		uint64		time = *row_side(o->sides, SIDE_TIME, o->row[i]);

		check_interrupts(i);
		part[i] = part_of_time(cuts, time);
		if (lies_in_gap(cuts, time, part[i]))
			part[i] = LEFT_OUT;
	}
	arrange_parts(o, part);
	o->frame->gap_rows = nrows - o->frame->nrows;
	if (o->frame->gap_rows > 0)
		frame_warning(o->frame, "%lld of %lld rows lie less than %s before the next part of the split and were left out",
					  (long long) o->frame->gap_rows, (long long) nrows, o->request->gap);
}
