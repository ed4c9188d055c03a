/*
 * clock.c
 *		Times of day for linear learners: sine and cosine of the share of a day, so that 23:59 lies beside 00:00.
 *
 * A missing time gets the training means, and the indicator says so.
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "miscadmin.h"

#include "core/mathfn.h"
#include "features/features_internal.h"

typedef struct Clock
{
	bool		has_wave;		/* false: constant but for missing cells */
	bool		has_indicator;
	double		sine,			/* for missing cells */
				cosine;
} Clock;

static inline bool
is_time(double cell)
{
	return fabs(cell) < INFINITE_FROM;
}

static void *
clock_fit(FitSample *sample)
{
	const FeatureOptions *options = sample->options;
	Clock	   *clock = palloc0(sizeof(Clock));
	double		min = HUGE_VAL,
				max = -HUGE_VAL;
	int64		n = 0;

	for (int64 i = 0; i < sample->n; i++)
	{
		double		sine,
					cosine;

		if (i % (FIT_BLOCK / 8) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!is_time(sample->value[0][i]))
			continue;
		math_circle(sample->value[0][i] / SECS_PER_DAY, &sine, &cosine);
		clock->sine += sine;
		clock->cosine += cosine;
		min = Min(min, sample->value[0][i]);
		max = Max(max, sample->value[0][i]);
		n++;
	}
	clock->has_wave = min < max;
	clock->has_indicator = n < sample->n && !options->takes_missing;
	if (n == 0 || !(clock->has_wave || clock->has_indicator))
	{
		sample->why_unused = n == 0 ? "all its values are missing" : "it is constant";
		return NULL;
	}
	clock->sine = options->takes_missing ? (double) NAN : clock->sine / (double) n;
	clock->cosine = options->takes_missing ? (double) NAN : clock->cosine / (double) n;
	return clock;
}

static int
clock_width(const void *fitted)
{
	const Clock *clock = fitted;

	return 2 * clock->has_wave + clock->has_indicator;
}

static void
clock_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Clock *clock = fitted;

	if (clock->has_wave)
	{
		*outputs++ = (OutputColumn) {.name = psprintf("%s: sin day", operand->name), .scale = 1.0};
		*outputs++ = (OutputColumn) {.name = psprintf("%s: cos day", operand->name), .scale = 1.0};
	}
	if (clock->has_indicator)
		*outputs = (OutputColumn) {.name = indicator_name(operand), .scale = 1.0};
}

static void
clock_apply(const void *fitted, const ApplyRows *rows)
{
	const double *cells = rows->cells;
	double	   *out = rows->out;
	const Clock *clock = fitted;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		double	   *at = out;

		if (clock->has_wave)
		{
			at[0] = clock->sine;
			at[1] = clock->cosine;
			if (is_time(*cells))
				math_circle(*cells / SECS_PER_DAY, &at[0], &at[1]);
			at += 2;
		}
		if (clock->has_indicator)
			*at = is_time(*cells) ? 0.0 : 1.0;
	}
}

/* To the microsecond; where training had one time only, that is the point for missing cells. */
static double
clock_invert(const void *fitted, const double *outputs)
{
	const Clock *clock = fitted;
	double		seconds;

	if (clock->has_indicator && !(outputs[2 * clock->has_wave] < 0.5))
		return NAN;
	seconds = clock->has_wave ? math_turns(outputs[0], outputs[1]) : math_turns(clock->sine, clock->cosine);
	seconds = rint(seconds * (double) USECS_PER_DAY) / (double) USECS_PER_SEC;
	return seconds == SECS_PER_DAY ? 0.0 : seconds;
}

static void
clock_flatten(const void *fitted, ByteWriter *w)
{
	const Clock *clock = fitted;

	put_u8(w, clock->has_wave);
	put_u8(w, clock->has_indicator);
	put_f64(w, clock->sine);
	put_f64(w, clock->cosine);
}

static void *
clock_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Clock	   *clock = palloc(sizeof(Clock));
	bool		keeps_missing;

	clock->has_wave = get_flag(r);
	clock->has_indicator = get_flag(r);
	clock->sine = get_f64(r);
	clock->cosine = get_f64(r);
	keeps_missing = isnan(clock->sine) && isnan(clock->cosine);
	if (clock_width(clock) == 0 || (keeps_missing ? clock->has_indicator : !(fabs(clock->sine) <= 1.0 && fabs(clock->cosine) <= 1.0)))
		damaged(r, "The preparation of the time column \"%s\" is inconsistent.", operand->name);
	return clock;
}

const Transform clock_transform = {
	.name = "clock",
	.id = 4,
	.kinds = 1 << KIND_TIME,
	.fit = clock_fit,
	.width = clock_width,
	.name_outputs = clock_name_outputs,
	.apply = clock_apply,
	.flatten = clock_flatten,
	.unflatten = clock_unflatten,
	.invert = clock_invert
};
