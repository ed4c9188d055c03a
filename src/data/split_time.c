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

/*
 * How many of the rows sorted by time come before a cut at a share of them: equal times stay together, on the side nearer to the share (on the
 * earlier side at the start, so that the first part has rows).
 */
static uint32
time_cut(const Order *o, double share)
{
	double		wanted = share * o->n;
	uint32		low,
				high;

	if (wanted <= 0)
		return 0;
	if (wanted >= o->n)
		return o->n;
	low = high = (uint32) wanted;
	while (low > 0 && o->key[low - 1] == o->key[high])
		check_interrupts(--low);
	while (high < o->n && o->key[high] == o->key[low])
		check_interrupts(++high);
	return low > 0 && wanted - low < high - wanted ? low : high;
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
	if (!cell_parse(calendar ? KIND_INTERVAL : KIND_NUMBER, NULL, request->gap, &width) || !(width >= 0 && width <= DBL_MAX))
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

/* ---- parts ---- */

void
find_time_cuts(Order *o, TimeCuts *cuts)
{
	const double *share = o->request->share;
	int64		start[NPARTS + 1];

	memset(cuts, 0, sizeof(TimeCuts));
	take_keys(o, SIDE_TIME, false);
	sort_rows(o);
	start[PART_TRAIN] = 0;
	start[PART_VALIDATION] = time_cut(o, share[PART_TRAIN]);
	start[PART_TEST] = time_cut(o, share[PART_TRAIN] + share[PART_VALIDATION]);
	if (share[PART_TEST] <= 0)
		start[PART_TEST] = o->n;
	if (share[PART_VALIDATION] <= 0 && share[PART_TEST] <= 0)
		start[PART_VALIDATION] = o->n;
	else if (share[PART_VALIDATION] <= 0)
		start[PART_TEST] = start[PART_VALIDATION];
	start[NPARTS] = o->n;
	for (int part = PART_VALIDATION; part < NPARTS; part++)
		cuts->first[part] = start[part] < o->n ? o->key[start[part]] : PG_UINT64_MAX;
	if (o->frame->gap > 0)
		find_gaps(o, start, cuts);
}

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
