/*
 * times.c
 *		Local time of a zone, and dates, times and intervals from text.
 *
 * The server's date parser answers by session settings (DateStyle, TimeZone, abbreviations) and by the clock ("today").  Texts here come from
 * JSON, which writes ISO 8601, so a strict reader of that form is enough and always answers the same.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "data/data_internal.h"

/* ---- time zones ---- */

#define STRETCH_BITS 42			/* 2^42 microseconds = 51 days: most have no change of offset in them */
#define STRETCH_SLOTS 64		/* 9 years */

typedef struct Stretch
{
	int64		from,			/* timestamps from <= t < until have this offset; from = until: empty */
				until,
				offset;
} Stretch;

struct ZoneCache
{
	pg_tz	   *zone;
	Stretch		stretch[STRETCH_SLOTS];
};

ZoneCache *
zone_cache_create(pg_tz *zone)
{
	ZoneCache  *cache = palloc0(sizeof(ZoneCache));

	cache->zone = zone;
	return cache;
}

#define UNIX_EPOCH_SECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Whole seconds since 1970, rounded down. */
static pg_time_t
unix_seconds(int64 timestamp)
{
	int64		seconds = timestamp / USECS_PER_SEC;

	if (timestamp % USECS_PER_SEC < 0)
		seconds--;
	return (pg_time_t) (seconds + UNIX_EPOCH_SECONDS);
}

static int64
offset_at(pg_tz *zone, int64 timestamp)
{
	pg_time_t	seconds = unix_seconds(timestamp);
	struct pg_tm *tm = pg_localtime(&seconds, zone);

	return tm ? (int64) tm->tm_gmtoff * USECS_PER_SEC : 0;
}

/* Find the part of the 51 days around a timestamp that has its offset. */
static void
fill_stretch(pg_tz *zone, int64 timestamp, Stretch *s)
{
	int64		length = INT64CONST(1) << STRETCH_BITS;
	pg_time_t	at = unix_seconds(timestamp);
	pg_time_t	from,
				boundary;
	long int	gmtoff,
				next_gmtoff;
	int			isdst,
				next_isdst;

	s->offset = offset_at(zone, timestamp);
	s->from = (timestamp >> STRETCH_BITS) * length;
	s->until = s->from + (length - 1);
	from = unix_seconds(s->from);
	while (pg_next_dst_boundary(&from, &gmtoff, &isdst, &boundary, &next_gmtoff, &next_isdst, zone) == 1)
	{
		int64		change = ((int64) boundary - UNIX_EPOCH_SECONDS) * USECS_PER_SEC;

		if (change >= s->until)
			break;
		if (boundary > at)
		{
			s->until = change;
			break;
		}
		s->from = change;
		from = boundary;
	}
}

int64
zone_offset(ZoneCache *cache, int64 timestamp)
{
	Stretch    *s = &cache->stretch[(timestamp >> STRETCH_BITS) & (STRETCH_SLOTS - 1)];

	if (timestamp < s->from || timestamp >= s->until)
		fill_stretch(cache->zone, timestamp, s);
	return s->offset;
}

/* ---- ISO 8601 ---- */

/* least .. most digits, no sign. */
static bool
read_digits(const char **at, int least, int most, int *value)
{
	int			n = 0;

	for (*value = 0; n < most && isdigit((unsigned char) **at); n++, (*at)++)
		*value = *value * 10 + (**at - '0');
	return n >= least && !isdigit((unsigned char) **at);
}

static bool
read_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

/* ".123456" -> microseconds, rounded to the nearest. */
static int64
read_fraction(const char **at)
{
	int64		microseconds = 0;
	int			place = USECS_PER_SEC / 10;

	if (!read_char(at, '.'))
		return 0;
	for (; place > 0 && isdigit((unsigned char) **at); (*at)++, place /= 10)
		microseconds += (int64) (**at - '0') * place;
	if (**at >= '5' && **at <= '9')
		microseconds++;
	while (isdigit((unsigned char) **at))
		(*at)++;
	return microseconds;
}

/* hh:mm[:ss[.ffffff]], up to 24:00:00. */
static bool
read_time(const char **at, int64 *microseconds)
{
	int			hour,
				minute,
				second = 0;

	if (!read_digits(at, 1, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, 2, &minute))
		return false;
	if (read_char(at, ':') && !read_digits(at, 2, 2, &second))
		return false;
	*microseconds = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC + read_fraction(at);
	return minute < 60 && second < 60 && *microseconds <= USECS_PER_DAY;
}

static bool
read_date(const char **at, int *year, int *month, int *day)
{
	return read_digits(at, 4, 7, year) && read_char(at, '-') &&
		read_digits(at, 1, 2, month) && read_char(at, '-') &&
		read_digits(at, 1, 2, day);
}

/* Z, +hh, +hhmm, +hh:mm or +hh:mm:ss. */
static bool
read_offset(const char **at, int64 *microseconds)
{
	bool		negative = **at == '-';
	int			hour,
				minute = 0,
				second = 0;

	*microseconds = 0;
	if (read_char(at, 'Z') || read_char(at, 'z'))
		return true;
	(*at)++;
	if (strspn(*at, "0123456789") == 4)
	{
		if (!read_digits(at, 4, 4, &hour))
			return false;
		minute = hour % 100;
		hour /= 100;
	}
	else if (!read_digits(at, 1, 2, &hour) ||
			 (read_char(at, ':') && !read_digits(at, 2, 2, &minute)) ||
			 (read_char(at, ':') && !read_digits(at, 2, 2, &second)))
		return false;
	*microseconds = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC;
	if (negative)
		*microseconds = -*microseconds;
	return hour <= MAX_TZDISP_HOUR && minute < 60 && second < 60;
}

static bool
is_infinite_word(const char *text)
{
	if (*text == '-')
		text++;
	return pg_strcasecmp(text, "infinity") == 0;
}

/* The day number since 2000-01-01, checked against the calendar. */
static bool
day_number(int year, int month, int day, bool before_christ, int64 *days)
{
	if (before_christ)
		year = 1 - year;
	if ((before_christ ? year > 0 : year < 1) || month < 1 || month > MONTHS_PER_YEAR ||
		day < 1 || day > day_tab[isleap(year)][month - 1] || !IS_VALID_JULIAN(year, month, day))
		return false;
	*days = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

bool
parse_timestamp(const char *text, pg_tz *zone, double *cell)
{
	const char *at = text;
	int			year,
				month,
				day;
	int64		days,
				time = 0,
				offset = 0;
	bool		zoned = false,
				before_christ;

	if (is_infinite_word(text))
	{
		*cell = NAN;
		return true;
	}
	if (!read_date(&at, &year, &month, &day))
		return false;
	if (*at == 'T' || *at == 't' || (*at == ' ' && isdigit((unsigned char) at[1])))
	{
		at++;
		if (!read_time(&at, &time))
			return false;
		zoned = *at != '\0' && strchr("Zz+-", *at) != NULL;
		if (zoned && !read_offset(&at, &offset))
			return false;
	}
	before_christ = pg_strcasecmp(at, " BC") == 0;
	if ((*at && !before_christ) || !day_number(year, month, day, before_christ, &days) || !IS_VALID_DATE(days))
		return false;
	*cell = (double) days * (double) USECS_PER_DAY;	/* a date that timestamps do not reach */
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &days) || pg_add_s64_overflow(days, time - offset, &time))
		return true;
	if (zoned && zone)
		time += offset_at(zone, time);
	*cell = (double) time;
	return true;
}

bool
parse_time(const char *text, double *cell)
{
	int64		microseconds;

	if (!read_time(&text, &microseconds) || *text)
		return false;
	*cell = microseconds / (double) USECS_PER_SEC;
	return true;
}

/* ---- intervals ---- */

double
interval_seconds(const Interval *span)
{
	if (!interval_is_finite(span))
		return NAN;
	return span->time / (double) USECS_PER_SEC +
		DAYS_PER_YEAR * SECS_PER_DAY * (span->month / MONTHS_PER_YEAR) +
		(double) DAYS_PER_MONTH * SECS_PER_DAY * (span->month % MONTHS_PER_YEAR) +
		(double) SECS_PER_DAY * span->day;
}

/*
 * All output styles of the server are read, by its own parser: it reports failures as a code, and the only setting it looks at is held fixed.
 */
bool
parse_interval(const char *text, double *cell)
{
	char		work[1024];
	char	   *field[MAXDATEFIELDS];
	int			type[MAXDATEFIELDS];
	int			nfields,
				meaning,
				failure,
				style = IntervalStyle;
	struct pg_itm_in parts = {0};
	Interval	span;

	IntervalStyle = INTSTYLE_POSTGRES;
	failure = ParseDateTime(text, work, sizeof(work), field, type, MAXDATEFIELDS, &nfields);
	if (failure == 0)
		failure = DecodeInterval(field, type, nfields, INTERVAL_FULL_RANGE, &meaning, &parts);
	if (failure == DTERR_BAD_FORMAT)
		failure = DecodeISO8601Interval(unconstify(char *, text), &meaning, &parts);
	IntervalStyle = style;
	if (failure != 0)
		return false;
	if (meaning != DTK_DELTA)
	{
		*cell = NAN;
		return meaning == DTK_EARLY || meaning == DTK_LATE;
	}
	if (itmin2interval(&parts, &span) != 0)
		return false;
	*cell = interval_seconds(&span);
	return true;
}
