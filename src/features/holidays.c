/*
 * holidays.c
 *		Whether a day is one of a list, say of holidays, and how many days it is from the nearest of them.
 *
 * The list is given with the step and stored in the model; one kept in a table comes as jsonb:
 *	jsonb_build_object('day', jsonb_build_object('holidays', jsonb_build_object('dates', (SELECT jsonb_agg(day) FROM holidays))))
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "core/sort.h"
#include "features/calendar_internal.h"

typedef struct HolidaysOptions
{
	NameList	dates;
	bool		distance;
} HolidaysOptions;

static const Parameter holidays_parameters[] = {
	{.name = "dates", .aliases = "days", .type = PARAM_NAMES, .offset = offsetof(HolidaysOptions, dates), .help = "the days, as ISO 8601 has them: \"2026-12-25\""},
	{.name = "distance", .type = PARAM_BOOL, .offset = offsetof(HolidaysOptions, distance),
	.help = "add a column: days from the nearest of them, negative before it, of two as near the one to come"},
};

typedef struct Holidays
{
	bool		distance;
	int			n;
	double	   *day;			/* (n) ascending, since 2000-01-01 */
} Holidays;

static bool
parse_day(const char *text, double *day)
{
	double		cell;

	if (!cell_parse(KIND_TIMESTAMP, NULL, text, &cell) || !is_timestamp(cell))
		return false;
	*day = (double) floor_divide((int64) cell, USECS_PER_DAY);
	return true;
}

static const char *
holidays_check(const void *parameters)
{
	const NameList *dates = &((const HolidaysOptions *) parameters)->dates;
	double		ignored;

	if (dates->n == 0)
		return "\"dates\" must name at least one day";
	for (int i = 0; i < dates->n; i++)
		if (!parse_day(dates->name[i], &ignored))
			return psprintf("\"%s\" is no date as ISO 8601 has them, like \"2026-12-25\"", dates->name[i]);
	return NULL;
}

static void *
holidays_fit(FitSample *sample)
{
	const HolidaysOptions *options = sample->parameters;
	Holidays   *holidays = palloc(sizeof(Holidays));

	holidays->distance = options->distance;
	holidays->n = options->dates.n;
	holidays->day = palloc(sizeof(double) * holidays->n);
	for (int i = 0; i < holidays->n; i++)
		(void) parse_day(options->dates.name[i], &holidays->day[i]);
	sort_doubles(holidays->day, holidays->n);
	return holidays;
}

static int
holidays_width(const void *fitted)
{
	const Holidays *holidays = fitted;

	return 1 + holidays->distance;
}

static void
holidays_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Holidays *holidays = fitted;

	outputs[0].name = psprintf("%s: is a holiday", operand->name);
	if (holidays->distance)
		outputs[1].name = psprintf("%s: days from a holiday", operand->name);
}

/* Days from the nearest one. */
static double
nearest_distance(const Holidays *holidays, double day)
{
	int			low = 0,
				high = holidays->n;

	while (low < high)			/* the first not before the day */
	{
		int			middle = (low + high) / 2;

		if (holidays->day[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == holidays->n)
		return day - holidays->day[low - 1];
	if (low > 0 && day - holidays->day[low - 1] < holidays->day[low] - day)
		return day - holidays->day[low - 1];
	return day - holidays->day[low];
}

static void
holidays_apply(const void *fitted, const ApplyRows *rows)
{
	const Holidays *holidays = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		double	   *out = rows->out + (Size) i * rows->out_stride;
		double		distance = NAN;

		if (is_timestamp(cell))
			distance = nearest_distance(holidays, (double) floor_divide((int64) cell, USECS_PER_DAY));
		out[0] = isnan(distance) ? distance : distance == 0.0;
		if (holidays->distance)
			out[1] = distance;
	}
}

/* ---- stored form ---- */

static void
holidays_flatten(const void *fitted, ByteWriter *w)
{
	const Holidays *holidays = fitted;

	put_u8(w, holidays->distance);
	put_u32(w, (uint32) holidays->n);
	for (int i = 0; i < holidays->n; i++)
		put_f64(w, holidays->day[i]);
}

static void *
holidays_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Holidays   *holidays = palloc(sizeof(Holidays));

	holidays->distance = get_flag(r);
	holidays->n = (int) get_count(r, sizeof(double), PG_INT16_MAX * 16);
	if (holidays->n == 0)
		damaged(r, "Column \"%s\" has no holidays.", operand->name);
	holidays->day = palloc(sizeof(double) * holidays->n);
	for (int i = 0; i < holidays->n; i++)
	{
		holidays->day[i] = get_finite(r);
		if (i > 0 && holidays->day[i] < holidays->day[i - 1])
			damaged(r, "The holidays of column \"%s\" are not in order.", operand->name);
	}
	return holidays;
}

const Transform holidays_transform = {
	.name = "holidays",
	.family = "date",
	.help = "1 on the days of a list, and how far the nearest is; NULL stays missing",
	.id = 70,
	.kinds = 1 << KIND_TIMESTAMP,
	.aliases = (const TransformAlias[]) {{.name = NULL}},
	.parameters = holidays_parameters,
	.nparameters = lengthof(holidays_parameters),
	.options_size = sizeof(HolidaysOptions),
	.check = holidays_check,
	.fit = holidays_fit,
	.width = holidays_width,
	.name_outputs = holidays_name_outputs,
	.apply = holidays_apply,
	.flatten = holidays_flatten,
	.unflatten = holidays_unflatten
};
