/*
 * summary.c
 *		What one pass over a column's training cells finds: how many are missing or infinite, range, moments, counts of levels.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/features_internal.h"

#define LANES 4					/* so that compilers vectorise; neither counts nor ranges depend on them */

typedef struct Lanes
{
	double		min[LANES],
				max[LANES];
	int64		missing[LANES],
				below[LANES],
				above[LANES];
} Lanes;

static inline void
add_cell(Lanes *lanes, int lane, double x)
{
	bool		below = x <= -INFINITE_FROM,
				above = x >= INFINITE_FROM;

	lanes->missing[lane] += x != x;
	lanes->below[lane] += below;
	lanes->above[lane] += above;
	lanes->min[lane] = !below && x < lanes->min[lane] ? x : lanes->min[lane];
	lanes->max[lane] = !above && x > lanes->max[lane] ? x : lanes->max[lane];
}

static void
find_range(const double *value, int64 n, ColumnSummary *summary)
{
	Lanes		lanes = {.min = {HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL}, .max = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL, -HUGE_VAL}};
	int64		i = 0;

	while (i + LANES <= n)
	{
		int64		end = Min(i + FIT_BLOCK, n) - LANES;

		CHECK_FOR_INTERRUPTS();
		for (; i <= end; i += LANES)
			for (int lane = 0; lane < LANES; lane++)
				add_cell(&lanes, lane, value[i + lane]);
	}
	for (; i < n; i++)
		add_cell(&lanes, 0, value[i]);

	summary->min = HUGE_VAL;
	summary->max = -HUGE_VAL;
	for (int lane = 0; lane < LANES; lane++)
	{
		summary->missing += lanes.missing[lane];
		summary->below += lanes.below[lane];
		summary->above += lanes.above[lane];
		summary->min = Min(summary->min, lanes.min[lane]);
		summary->max = Max(summary->max, lanes.max[lane]);
	}
	summary->nfinite = n - summary->missing - summary->below - summary->above;
}

static void
collect_finite(const double *value, int64 n, double *finite)
{
	int64		count = 0;

	for (int64 i = 0; i < n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (fabs(value[i]) < INFINITE_FROM)
			finite[count++] = value[i];
	}
}

static void
count_levels(const FitSample *sample, ColumnSummary *summary)
{
	int			nlevels = dictionary_size(sample->operand->dictionary);
	Size		bytes = sizeof(int64) * (nlevels + 1);

	summary->level_count = MemoryContextAllocExtended(CurrentMemoryContext, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < sample->n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (isnan(sample->value[0][i]))
			summary->missing++;
		else
			summary->level_count[(int) sample->value[0][i]]++;
	}
}

void
summarise_column(FitSample *sample, ColumnSummary *summary)
{
	Moments		moments;

	sample->summary = summary;
	sample->finite = sample->value[0];
	summary->mean = summary->sd = summary->min = summary->max = (double) NAN;
	if (sample->operand->kind == KIND_CATEGORY)
	{
		count_levels(sample, summary);
		return;
	}
	find_range(sample->value[0], sample->n, summary);
	if (summary->nfinite < sample->n)
	{
		sample->finite = sample->spare;
		collect_finite(sample->value[0], sample->n, sample->finite);
	}
	if (summary->nfinite == 0)
	{
		summary->min = summary->max = (double) NAN;
		return;
	}
	moments = column_moments(sample->finite, summary->nfinite, Max(fabs(summary->min), fabs(summary->max)));
	summary->mean = moments.mean;
	summary->sd = moments.sd;
}
