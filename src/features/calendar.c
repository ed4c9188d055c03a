/*
 * calendar.c
 *		Dates and timestamps: year, month, day, isodow, hour, weekend and the days since the first day of training.
 *
 * A cell holds local microseconds since 2000-01-01 in the model's time zone, so this is integer arithmetic only.  Parts that were constant in
 * training are left out (the hour of dates among them).  For linear learners month, day, isodow and hour become sine and cosine of their share
 * of 12, 31, 7 and 24.  A missing timestamp gets the training mean of each output, and the indicator says so.
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "miscadmin.h"

#include "core/mathfn.h"
#include "features/calendar_internal.h"

typedef enum CalendarPart
{
	CALENDAR_YEAR,
	CALENDAR_MONTH,
	CALENDAR_DAY,
	CALENDAR_ISODOW,
	CALENDAR_HOUR,
	CALENDAR_WEEKEND,
	CALENDAR_DAYS
} CalendarPart;

#define NCALENDAR_PARTS (CALENDAR_DAYS + 1)
#define MAX_CYCLE 31

/* cycle: the part's period for sine and cosine, 0 for none */
static const struct
{
	const char *name;
	int			cycle;
}			part_info[NCALENDAR_PARTS] = {
	[CALENDAR_YEAR] = {"year", 0},
	[CALENDAR_MONTH] = {"month", 12},
	[CALENDAR_DAY] = {"day", 31},
	[CALENDAR_ISODOW] = {"isodow", 7},
	[CALENDAR_HOUR] = {"hour", 24},
	[CALENDAR_WEEKEND] = {"is_weekend", 0},
	[CALENDAR_DAYS] = {"days", 0}
};

typedef enum OutputForm
{
	FORM_PLAIN,
	FORM_SINE,
	FORM_COSINE
} OutputForm;

typedef struct CalendarOutput
{
	CalendarPart part;
	OutputForm	form;
	double		fill;			/* training mean, before scaling */
	double		offset,
				scale;
	double	   *wave;			/* sine or cosine of the part's values 0 .. cycle; NULL for plain parts; not stored */
} CalendarOutput;

typedef struct Calendar
{
	int			first_day;		/* days since 2000-01-01; CALENDAR_DAYS counts from its midnight */
	bool		has_indicator;
	bool		keeps_missing;	/* the learner takes NaN */
	int			noutputs;		/* without the indicator */
	CalendarOutput output[2 * NCALENDAR_PARTS];
} Calendar;

/* ---- the calendar ---- */

void
civil_date(int64 day, int64 *year, int *month, int *day_of_month)
{
	/* eras of 400 years (146097 days) that start on 1 March, so that the leap day comes last */
	int64		shifted = day + 730425; /* days since 0000-03-01 */
	int64		era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int			day_of_era = (int) (shifted - era * 146097);
	int			year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int			day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int			march_month = (5 * day_of_year + 2) / 153;

	*day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static void
take_apart(double cell, int first_day, double *part)
{
	int64		usecs = (int64) cell;
	int64		day = floor_divide(usecs, USECS_PER_DAY);
	int64		usecs_of_day = usecs - day * USECS_PER_DAY;
	int			isodow = iso_weekday(day);
	int64		year;
	int			month,
				day_of_month;

	civil_date(day, &year, &month, &day_of_month);
	part[CALENDAR_YEAR] = (double) year;
	part[CALENDAR_MONTH] = month;
	part[CALENDAR_DAY] = day_of_month;
	part[CALENDAR_ISODOW] = isodow;
	part[CALENDAR_HOUR] = (double) (usecs_of_day / USECS_PER_HOUR);
	part[CALENDAR_WEEKEND] = isodow >= 6;
	part[CALENDAR_DAYS] = (double) (day - first_day) + (double) usecs_of_day / (double) USECS_PER_DAY;
}

/* ---- fitting ---- */

typedef struct PartStatistics
{
	int64		n;
	double		min[NCALENDAR_PARTS];
	double		max[NCALENDAR_PARTS];
	double		mean[NCALENDAR_PARTS];
	double		variance[NCALENDAR_PARTS];	/* over all rows, missing ones at the mean */
	int64		count[NCALENDAR_PARTS][MAX_CYCLE + 1];	/* of the values of cyclic parts */
} PartStatistics;

static double
first_timestamp(const FitSample *sample)
{
	double		first = HUGE_VAL;

	for (int64 i = 0; i < sample->n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (is_timestamp(sample->value[0][i]) && sample->value[0][i] < first)
			first = sample->value[0][i];
	}
	return first;
}

static void
count_part(PartStatistics *statistics, int part, double value)
{
	statistics->min[part] = Min(statistics->min[part], value);
	statistics->max[part] = Max(statistics->max[part], value);
	statistics->mean[part] += value;
	if (part_info[part].cycle > 0)
		statistics->count[part][(int) value]++;
}

/* Range and mean of every part, then the squares around the means; rows in order. */
static void
study_parts(const FitSample *sample, int first_day, PartStatistics *statistics)
{
	double		part[NCALENDAR_PARTS];

	memset(statistics, 0, sizeof(*statistics));
	for (int p = 0; p < NCALENDAR_PARTS; p++)
	{
		statistics->min[p] = HUGE_VAL;
		statistics->max[p] = -HUGE_VAL;
	}
	for (int pass = 0; pass < 2; pass++)
	{
		for (int64 i = 0; i < sample->n; i++)
		{
			if (i % (FIT_BLOCK / 8) == 0)
				CHECK_FOR_INTERRUPTS();
			if (!is_timestamp(sample->value[0][i]))
				continue;
			take_apart(sample->value[0][i], first_day, part);
			statistics->n += pass == 0;
			for (int p = 0; p < NCALENDAR_PARTS; p++)
			{
				if (pass == 0)
					count_part(statistics, p, part[p]);
				else
					statistics->variance[p] += (part[p] - statistics->mean[p]) * (part[p] - statistics->mean[p]);
			}
		}
		for (int p = 0; p < NCALENDAR_PARTS; p++)
		{
			if (pass == 0)
				statistics->mean[p] /= (double) statistics->n;
			else
				statistics->variance[p] /= (double) sample->n;
		}
	}
}

/* Sine or cosine of the values 0 .. cycle of a part. */
static double *
make_wave(CalendarPart part, OutputForm form)
{
	int			cycle = part_info[part].cycle;
	double	   *wave = palloc(sizeof(double) * (cycle + 1));

	for (int value = 0; value <= cycle; value++)
	{
		double		sine,
					cosine;

		math_circle((double) value / cycle, &sine, &cosine);
		wave[value] = form == FORM_SINE ? sine : cosine;
	}
	return wave;
}

static void
add_plain(Calendar *calendar, CalendarPart part, const PartStatistics *statistics, bool scale)
{
	CalendarOutput *output = &calendar->output[calendar->noutputs++];

	*output = (CalendarOutput) {.part = part, .form = FORM_PLAIN, .fill = statistics->mean[part], .scale = 1.0};
	if (scale)
	{
		output->offset = statistics->mean[part];
		output->scale = sqrt(statistics->variance[part]);
	}
}

static void
add_wave(Calendar *calendar, CalendarPart part, OutputForm form, const PartStatistics *statistics)
{
	CalendarOutput *output = &calendar->output[calendar->noutputs++];

	*output = (CalendarOutput) {.part = part, .form = form, .scale = 1.0, .wave = make_wave(part, form)};
	for (int value = 0; value <= part_info[part].cycle; value++)
		output->fill += (double) statistics->count[part][value] * output->wave[value];
	output->fill /= (double) statistics->n;
}

static void *
calendar_fit(FitSample *sample)
{
	const FeatureOptions *options = sample->options;
	double		first = first_timestamp(sample);
	PartStatistics *statistics;
	Calendar   *calendar;

	if (isinf(first))
	{
		sample->why_unused = "all its values are missing";
		return NULL;
	}
	statistics = palloc(sizeof(PartStatistics));
	calendar = palloc0(sizeof(Calendar));
	calendar->first_day = (int) floor_divide((int64) first, USECS_PER_DAY);
	study_parts(sample, calendar->first_day, statistics);
	calendar->has_indicator = statistics->n < sample->n && !options->takes_missing;
	calendar->keeps_missing = options->takes_missing;

	for (int part = 0; part < NCALENDAR_PARTS; part++)
	{
		if (statistics->min[part] == statistics->max[part])
			continue;
		if (options->cyclic && part_info[part].cycle > 0)
		{
			add_wave(calendar, part, FORM_SINE, statistics);
			add_wave(calendar, part, FORM_COSINE, statistics);
		}
		else
			add_plain(calendar, part, statistics, options->scale && !options->takes_missing);
	}
	pfree(statistics);
	if (calendar->noutputs > 0 || calendar->has_indicator)
		return calendar;
	sample->why_unused = "it is constant";
	return NULL;
}

static int
calendar_width(const void *fitted)
{
	const Calendar *calendar = fitted;

	return calendar->noutputs + calendar->has_indicator;
}

static char *
output_name(const Calendar *calendar, const CalendarOutput *output, const OutputColumn *operand)
{
	static const char *const form[] = {[FORM_PLAIN] = "", [FORM_SINE] = "sin ", [FORM_COSINE] = "cos "};
	int64		year;
	int			month,
				day;

	if (output->part != CALENDAR_DAYS)
		return psprintf("%s: %s%s", operand->name, form[output->form], part_info[output->part].name);
	civil_date(calendar->first_day, &year, &month, &day);
	return psprintf("%s: days since %04lld-%02d-%02d", operand->name, (long long) year, month, day);
}

static void
calendar_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Calendar *calendar = fitted;

	for (int j = 0; j < calendar->noutputs; j++)
	{
		outputs[j].name = output_name(calendar, &calendar->output[j], operand);
		outputs[j].offset = calendar->output[j].offset;
		outputs[j].scale = calendar->output[j].scale;
	}
	if (calendar->has_indicator)
		outputs[calendar->noutputs] = (OutputColumn) {.name = indicator_name(operand), .offset = 0.0, .scale = 1.0};
}

/* ---- applying ---- */

static void
calendar_apply(const void *fitted, const ApplyRows *rows)
{
	const double *cells = rows->cells;
	double	   *out = rows->out;
	const Calendar *calendar = fitted;
	double		part[NCALENDAR_PARTS];

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		bool		present = is_timestamp(*cells);

		if (present)
			take_apart(*cells, calendar->first_day, part);
		for (int j = 0; j < calendar->noutputs; j++)
		{
			const CalendarOutput *output = &calendar->output[j];
			double		value;

			if (!present)
				value = calendar->keeps_missing ? (double) NAN : output->fill;
			else
				value = output->wave != NULL ? output->wave[(int) part[output->part]] : part[output->part];
			out[j] = (value - output->offset) / output->scale;
		}
		if (calendar->has_indicator)
			out[calendar->noutputs] = present ? 0.0 : 1.0;
	}
}

/* From the days; NaN where there are none, the only moment of training not being known by the other parts. */
static double
calendar_invert(const void *fitted, const double *outputs)
{
	const Calendar *calendar = fitted;

	if (calendar->has_indicator && !(outputs[calendar->noutputs] < 0.5))
		return NAN;
	for (int j = 0; j < calendar->noutputs; j++)
		if (calendar->output[j].part == CALENDAR_DAYS)
			return rint((outputs[j] * calendar->output[j].scale + calendar->output[j].offset + calendar->first_day) * (double) USECS_PER_DAY);
	return NAN;
}

/* ---- stored form ---- */

static void
calendar_flatten(const void *fitted, ByteWriter *w)
{
	const Calendar *calendar = fitted;

	put_u32(w, (uint32) calendar->first_day);
	put_u8(w, calendar->has_indicator);
	put_u8(w, calendar->keeps_missing);
	put_u8(w, (uint8) calendar->noutputs);
	for (int j = 0; j < calendar->noutputs; j++)
	{
		const CalendarOutput *output = &calendar->output[j];

		put_u8(w, output->part);
		put_u8(w, output->form);
		put_f64(w, output->fill);
		put_f64(w, output->offset);
		put_f64(w, output->scale);
	}
}

static void
read_output(ByteReader *r, const OutputColumn *operand, CalendarOutput *output)
{
	uint8		part = get_u8(r);
	uint8		form = get_u8(r);

	if (part >= NCALENDAR_PARTS || form > FORM_COSINE || (form != FORM_PLAIN && part_info[part].cycle == 0))
		damaged(r, "Column \"%s\" has an unknown part of a date.", operand->name);
	output->part = part;
	output->form = form;
	output->fill = get_finite(r);
	output->offset = get_finite(r);
	output->scale = get_scale(r);
	output->wave = form == FORM_PLAIN ? NULL : make_wave(part, form);
}

static void *
calendar_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Calendar   *calendar = palloc0(sizeof(Calendar));

	calendar->first_day = (int32) get_u32(r);
	calendar->has_indicator = get_flag(r);
	calendar->keeps_missing = get_flag(r);
	calendar->noutputs = get_u8(r);
	if (calendar->noutputs > (int) lengthof(calendar->output) || calendar_width(calendar) == 0 ||
		(calendar->has_indicator && calendar->keeps_missing))
		damaged(r, "The parts of the date column \"%s\" are inconsistent.", operand->name);
	for (int j = 0; j < calendar->noutputs; j++)
		read_output(r, operand, &calendar->output[j]);
	return calendar;
}

const Transform calendar_transform = {
	.name = "calendar",
	.id = 3,
	.kinds = 1 << KIND_TIMESTAMP,
	.fit = calendar_fit,
	.width = calendar_width,
	.name_outputs = calendar_name_outputs,
	.apply = calendar_apply,
	.flatten = calendar_flatten,
	.unflatten = calendar_unflatten,
	.invert = calendar_invert
};
