/*
 * date_parts.c
 *		The parts of dates and timestamps that were asked for, as pandas' .dt has them, as numbers or as sine and cosine of their place in the cycle.
 *
 * Local time in the model's time zone.  The week is the ISO week, isodow counts from Monday = 1 (pandas' dayofweek from Monday = 0), day_of_year and the others
 * from 1.  A cycle is a day of 24 hours, a week of 7 days, a year of 12 months, 53 weeks or 366 days, a month of 31 days, and value / length of the turn is the
 * angle.
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "core/mathfn.h"
#include "features/calendar_internal.h"

typedef enum DatePart
{
	PART_YEAR,
	PART_QUARTER,
	PART_MONTH,
	PART_WEEK,
	PART_DAY,
	PART_DAY_OF_YEAR,
	PART_ISODOW,
	PART_HOUR,
	PART_MINUTE,
	PART_SECOND,
	PART_IS_WEEKEND,
	PART_IS_MONTH_START,
	PART_IS_MONTH_END
} DatePart;

#define NDATE_PARTS (PART_IS_MONTH_END + 1)

static const struct
{
	const char *name;
	int			cycle;			/* 0: none */
}			date_part_info[NDATE_PARTS] = {
	[PART_YEAR] = {"year", 0},
	[PART_QUARTER] = {"quarter", 4},
	[PART_MONTH] = {"month", 12},
	[PART_WEEK] = {"week", 53},
	[PART_DAY] = {"day", 31},
	[PART_DAY_OF_YEAR] = {"day_of_year", 366},
	[PART_ISODOW] = {"isodow", 7},
	[PART_HOUR] = {"hour", 24},
	[PART_MINUTE] = {"minute", 60},
	[PART_SECOND] = {"second", 60},
	[PART_IS_WEEKEND] = {"is_weekend", 0},
	[PART_IS_MONTH_START] = {"is_month_start", 0},
	[PART_IS_MONTH_END] = {"is_month_end", 0}
};

typedef struct DatePartsOptions
{
	NameList	parts;
	bool		cyclic;
} DatePartsOptions;

#define PART_NAMES \
	"year, quarter, month, week, day, day_of_year, isodow, hour, minute, second, is_weekend, is_month_start and is_month_end"

static const Parameter date_parts_parameters[] = {
	{.name = "parts", .type = PARAM_NAMES, .offset = offsetof(DatePartsOptions, parts),
	.help = "of " PART_NAMES "; unset: year, month, day, isodow and hour"},
	{.name = "cyclic", .type = PARAM_BOOL, .offset = offsetof(DatePartsOptions, cyclic), .help = "sine and cosine of the parts that return"},
};

typedef struct DateParts
{
	int			nparts;
	uint8		part[NDATE_PARTS];
	bool		cyclic;
} DateParts;

/* ---- fitting ---- */

static int
find_part(const char *name)
{
	for (int part = 0; part < NDATE_PARTS; part++)
		if (strcmp(date_part_info[part].name, name) == 0)
			return part;
	return -1;
}

static const char *
date_parts_check(const void *parameters)
{
	const NameList *parts = &((const DatePartsOptions *) parameters)->parts;

	for (int i = 0; i < parts->n; i++)
	{
		if (find_part(parts->name[i]) < 0)
			return psprintf("\"%s\" is no part of a date; valid are " PART_NAMES, parts->name[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(parts->name[i], parts->name[j]) == 0)
				return psprintf("part \"%s\" is given twice", parts->name[i]);
	}
	return NULL;
}

static void *
date_parts_fit(FitSample *sample)
{
	static const DatePart usual[] = {PART_YEAR, PART_MONTH, PART_DAY, PART_ISODOW, PART_HOUR};
	const DatePartsOptions *options = sample->parameters;
	DateParts  *parts = palloc0(sizeof(DateParts));

	parts->cyclic = options->cyclic;
	for (int i = 0; i < options->parts.n; i++)
		parts->part[parts->nparts++] = (uint8) find_part(options->parts.name[i]);
	if (options->parts.n == 0)
		for (int i = 0; i < (int) lengthof(usual); i++)
			parts->part[parts->nparts++] = (uint8) usual[i];
	return parts;
}

static inline bool
turns(const DateParts *parts, int i)
{
	return parts->cyclic && date_part_info[parts->part[i]].cycle > 0;
}

static int
date_parts_width(const void *fitted)
{
	const DateParts *parts = fitted;
	int			width = 0;

	for (int i = 0; i < parts->nparts; i++)
		width += turns(parts, i) ? 2 : 1;
	return width;
}

static void
date_parts_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const DateParts *parts = fitted;

	for (int i = 0; i < parts->nparts; i++)
	{
		const char *part = date_part_info[parts->part[i]].name;

		if (turns(parts, i))
			outputs++->name = psprintf("%s: sin %s", operand->name, part);
		outputs++->name = psprintf("%s: %s%s", operand->name, turns(parts, i) ? "cos " : "", part);
	}
}

/* ---- applying ---- */

/* From 1. */
static int
day_of_year(int64 day)
{
	static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64		year;
	int			month,
				day_of_month;

	civil_date(day, &year, &month, &day_of_month);
	return days_before[month - 1] + day_of_month + (month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* The week that holds the year's first Thursday is its first (ISO 8601). */
static int
iso_week(int64 day)
{
	return (day_of_year(day - iso_weekday(day) + 4) - 1) / 7 + 1;
}

static double
part_of_day(DatePart part, int64 day)
{
	int64		year,
				ignored;
	int			month,
				day_of_month,
				next_month;

	civil_date(day, &year, &month, &day_of_month);
	switch (part)
	{
		case PART_YEAR:
			return (double) year;
		case PART_QUARTER:
			return (month + 2) / 3;
		case PART_MONTH:
			return month;
		case PART_WEEK:
			return iso_week(day);
		case PART_DAY:
			return day_of_month;
		case PART_DAY_OF_YEAR:
			return day_of_year(day);
		case PART_ISODOW:
			return iso_weekday(day);
		case PART_IS_WEEKEND:
			return iso_weekday(day) >= 6;
		case PART_IS_MONTH_START:
			return day_of_month == 1;
		default:
			civil_date(day + 1, &ignored, &next_month, &day_of_month);
			return next_month != month;
	}
}

static double
date_part(DatePart part, double cell)
{
	int64		usecs = (int64) cell;
	int64		day = floor_divide(usecs, USECS_PER_DAY);
	int64		time = usecs - day * USECS_PER_DAY;

	switch (part)
	{
		case PART_HOUR:
			return (double) (time / USECS_PER_HOUR);
		case PART_MINUTE:
			return (double) (time / USECS_PER_MINUTE % 60);
		case PART_SECOND:
			return (double) (time % USECS_PER_MINUTE) / USECS_PER_SEC;
		default:
			return part_of_day(part, day);
	}
}

static void
date_parts_apply(const void *fitted, const ApplyRows *rows)
{
	const DateParts *parts = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		double	   *out = rows->out + (Size) i * rows->out_stride;

		for (int p = 0; p < parts->nparts; p++)
		{
			double		value = is_timestamp(cell) ? date_part(parts->part[p], cell) : (double) NAN;

			if (!turns(parts, p))
				*out++ = value;
			else
			{
				out[0] = out[1] = value;
				if (!isnan(value))
					math_circle(value / date_part_info[parts->part[p]].cycle, &out[0], &out[1]);
				out += 2;
			}
		}
	}
}

/* ---- stored form ---- */

static void
date_parts_flatten(const void *fitted, ByteWriter *w)
{
	const DateParts *parts = fitted;

	put_u8(w, parts->cyclic);
	put_u8(w, (uint8) parts->nparts);
	put_bytes(w, parts->part, parts->nparts);
}

static void *
date_parts_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	DateParts  *parts = palloc0(sizeof(DateParts));

	parts->cyclic = get_flag(r);
	parts->nparts = get_u8(r);
	if (parts->nparts == 0 || parts->nparts > NDATE_PARTS)
		damaged(r, "Column \"%s\" has %d parts of a date.", operand->name, parts->nparts);
	memcpy(parts->part, get_bytes(r, parts->nparts), parts->nparts);
	for (int i = 0; i < parts->nparts; i++)
		if (parts->part[i] >= NDATE_PARTS)
			damaged(r, "Column \"%s\" has an unknown part of a date.", operand->name);
	return parts;
}

const Transform date_parts_transform = {
	.name = "date_parts",
	.family = "date",
	.help = "parts of a date or timestamp, as numbers or as sine and cosine; NULL stays missing",
	.id = 69,
	.kinds = 1 << KIND_TIMESTAMP,
	.aliases = (const TransformAlias[]) {{"cyclic", "cyclic", 1}, {.name = NULL}},
	.parameters = date_parts_parameters,
	.nparameters = lengthof(date_parts_parameters),
	.options_size = sizeof(DatePartsOptions),
	.check = date_parts_check,
	.fit = date_parts_fit,
	.width = date_parts_width,
	.name_outputs = date_parts_name_outputs,
	.apply = date_parts_apply,
	.flatten = date_parts_flatten,
	.unflatten = date_parts_unflatten
};
