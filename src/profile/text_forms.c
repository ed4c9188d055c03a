/*
 * text_forms.c
 *		What a text reads as: nothing, a stand-in for a missing value, a number, a date, a time, and in which format.
 *
 * A format is a number below TEXT_FORMAT_LIMIT: form of the date (0: none), of the time of day << 4 (0: none), of the zone << 7, and << 9 whether a T
 * stands between date and time.  Leading zeros make no difference.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "profile/profile_internal.h"

#define LONGEST_FORM 64			/* bytes of a text that may be a number or a date */

/* ---- words that stand for "missing" ---- */

static const char *const sentinel_words[] = {
	"#n/a", "(none)", "(null)", "-", "--", "---", ".", "..", "<na>", "<null>", "?", "??", "[null]", "\\n", "missing", "n.a.", "n/a", "na", "nan",
	"nil", "none", "not applicable", "not available", "not specified", "null", "undefined", "unknown", "unspecified"
};

static int
compare_words(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *) b);
}

/* The text is trimmed and in lower case. */
static bool
is_sentinel(const char *text)
{
	return bsearch(text, sentinel_words, lengthof(sentinel_words), sizeof(char *), compare_words) != NULL;
}

/* ---- dates ---- */

enum
{
	ORDER_YMD,
	ORDER_MDY,
	ORDER_DMY,
	ORDER_EITHER,				/* month or day first: both are below 13 */
	NORDERS
};

#define SEPARATORS "-/."
#define DATE_NUMERIC(order, separator) (1 + (order) * 3 + (separator))
#define DATE_D_MON_Y 13
#define DATE_MON_D_Y 14
#define DATE_SHORT_YEAR 15		/* two digits, with slashes */
#define FORMAT_DATE(format) ((format) & 15)
#define FORMAT_TIME(format) ((format) >> 4 & 7)
#define FORMAT_ZONE(format) ((format) >> 7 & 3)
#define FORMAT_T(format) ((format) >> 9 & 1)

static bool
digits(const char **at, int least, int most, int *value, int *count)
{
	int			n = 0;

	for (*value = 0; n < most && isdigit((unsigned char) **at); n++, (*at)++)
		*value = *value * 10 + (**at - '0');
	*count = n;
	return n >= least && !isdigit((unsigned char) **at);
}

static bool
month_name(const char **at)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	static const char *const rest[] = {"uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"};

	for (int month = 0; month < 12; month++)
		if (strncmp(*at, names + 3 * month, 3) == 0)
		{
			*at += 3;
			if (strncmp(*at, rest[month], strlen(rest[month])) == 0)
				*at += strlen(rest[month]);
			if (**at == '.')
				(*at)++;
			return !isalpha((unsigned char) **at);
		}
	return false;
}

static bool
is_day(int day)
{
	return day >= 1 && day <= 31;
}

/* Mon D, Y */
static int
month_first(const char *at, const char **end)
{
	int			day,
				year,
				count;

	if (!month_name(&at) || *at++ != ' ' || !digits(&at, 1, 2, &day, &count) || !is_day(day))
		return 0;
	at += *at == ',';
	if (*at++ != ' ' || !digits(&at, 4, 4, &year, &count))
		return 0;
	*end = at;
	return DATE_MON_D_Y;
}

/* Behind the day, at the separator: Mon Y */
static int
month_between(const char *at, const char **end)
{
	char		separator = *at++;
	int			year,
				count;

	if (!month_name(&at) || *at++ != separator || !digits(&at, 4, 4, &year, &count))
		return 0;
	*end = at;
	return DATE_D_MON_Y;
}

/* The form of the date a lower-case text begins with; 0 where there is none. */
static int
date_form(const char *at, const char **end)
{
	int			a,
				b,
				c,
				length,
				last;
	const char *separator;

	if (!isdigit((unsigned char) *at))
		return month_first(at, end);
	if (!digits(&at, 1, 4, &a, &length) || length == 3 || *at == '\0')
		return 0;
	if (length <= 2 && is_day(a) && (*at == ' ' || *at == '-') && isalpha((unsigned char) at[1]))
		return month_between(at, end);
	separator = strchr(SEPARATORS, *at);
	if (separator == NULL || !(at++, digits(&at, 1, 2, &b, &last)) || *at++ != *separator || !digits(&at, 1, 4, &c, &last))
		return 0;
	*end = at;
	if (length == 4)
		return b >= 1 && b <= 12 && is_day(c) && last <= 2 ? DATE_NUMERIC(ORDER_YMD, separator - SEPARATORS) : 0;
	if (!is_day(a) || !is_day(b) || (a > 12 && b > 12))
		return 0;
	if (last == 2 && *separator == '/')
		return DATE_SHORT_YEAR;
	return last == 4 ? DATE_NUMERIC(a > 12 ? ORDER_DMY : b > 12 ? ORDER_MDY : ORDER_EITHER, separator - SEPARATORS) : 0;
}

/* ---- times of day ---- */

/* h:mm[:ss[.f]][ am|pm]: 1, 2, 3, and 4 more with am or pm; 0 where there is none. */
static int
time_form(const char *at, const char **end)
{
	int			hour,
				part,
				count,
				form = 1;

	if (!digits(&at, 1, 2, &hour, &count) || hour > 24 || *at++ != ':' || !digits(&at, 2, 2, &part, &count) || part > 59)
		return 0;
	if (*at == ':')
	{
		at++;
		if (!digits(&at, 2, 2, &part, &count) || part > 60)
			return 0;
		form = 2;
		if ((*at == '.' || *at == ',') && isdigit((unsigned char) at[1]))
		{
			form = 3;
			for (at++; isdigit((unsigned char) *at);)
				at++;
		}
	}
	*end = at;
	at += *at == ' ';
	if ((*at == 'a' || *at == 'p') && at[1] == 'm')
	{
		*end = at + 2;
		form += 4;
	}
	return form;
}

/* 1: z; 2: an offset; 0: none, or something else. */
static int
zone_form(const char *at, const char **end)
{
	int			part,
				count;

	if (*at == 'z')
	{
		*end = at + 1;
		return 1;
	}
	if ((*at != '+' && *at != '-') || (at++, !isdigit((unsigned char) *at)))
		return 0;
	(void) digits(&at, 1, 4, &part, &count);
	if (*at == ':')
	{
		at++;
		if (!digits(&at, 2, 2, &part, &count))
			return 0;
	}
	*end = at;
	return 2;
}

/* The format of a text in lower case that is a date, a time of day or both; 0 where it is none of them. */
static int
moment_format(const char *text)
{
	const char *at = text;
	int			date = date_form(text, &at);
	int			time,
				zone,
				t = 0;

	if (date != 0 && *at == '\0')
		return date;
	if (date != 0)
	{
		t = *at == 't';
		if (*at != 't' && *at != ' ')
			return 0;
		for (at++; *at == ' ';)
			at++;
	}
	time = time_form(at, &at);
	if (time == 0)
		return 0;
	zone = zone_form(at, &at);
	return *at == '\0' ? date | time << 4 | zone << 7 | t << 9 : 0;
}

/* ---- a text ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void
read_short(const char *text, int length, TextForm *form)
{
	char		folded[LONGEST_FORM + 1];
	double		number;

	for (int i = 0; i < length; i++)
		folded[i] = (char) pg_ascii_tolower((unsigned char) text[i]);
	folded[length] = '\0';
	if (strspn(folded, "0123456789+-.e") == (size_t) length && cell_parse(KIND_NUMBER, NULL, folded, &number))
		form->what = TEXT_NUMBER;
	else if (is_sentinel(folded))
		form->what = TEXT_SENTINEL;
	else if ((form->format = (uint16) moment_format(folded)) != 0)
		form->what = FORMAT_TIME(form->format) == 0 ? TEXT_DATE : FORMAT_DATE(form->format) == 0 ? TEXT_TIME : TEXT_TIMESTAMP;
}

void
text_form(const char *text, int length, TextForm *form)
{
	*form = (TextForm) {pg_mbstrlen_with_len(text, length), 0, 0};
	while (length > 0 && is_blank(*text))
		text++, length--;
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	if (length == 0)
		form->what = TEXT_EMPTY;
	else if (length <= LONGEST_FORM)
		read_short(text, length, form);
}

int
text_what(const char *text, int length)
{
	TextForm	form;

	text_form(text, length, &form);
	return form.what;
}

/* ---- formats ---- */

static void
append_date(StringInfo name, int date)
{
	static const char *const orders[NORDERS] = {"YYYY%cMM%cDD", "MM%cDD%cYYYY", "DD%cMM%cYYYY", "NN%cNN%cYYYY"};
	char		separator = SEPARATORS[(date + 2) % 3];

	if (date == DATE_D_MON_Y)
		appendStringInfoString(name, "DD Mon YYYY");
	else if (date == DATE_MON_D_Y)
		appendStringInfoString(name, "Mon DD, YYYY");
	else if (date == DATE_SHORT_YEAR)
		appendStringInfoString(name, "NN/NN/YY");
	else if (date != 0)
	{
		for (const char *at = orders[(date - 1) / 3]; *at; at++)
		{
			appendStringInfoChar(name, *at == '%' ? separator : *at);
			at += *at == '%';
		}
	}
}

char *
text_format_name(int format)
{
	static const char *const times[] = {"", "HH:MM", "HH:MM:SS", "HH:MM:SS.fff"};
	static const char *const zones[] = {"", "Z", "+HH:MM", ""};
	StringInfoData name;

	initStringInfo(&name);
	append_date(&name, FORMAT_DATE(format));
	if (FORMAT_DATE(format) != 0 && FORMAT_TIME(format) != 0)
		appendStringInfoChar(&name, FORMAT_T(format) ? 'T' : ' ');
	appendStringInfo(&name, "%s%s%s", times[FORMAT_TIME(format) & 3], FORMAT_TIME(format) & 4 ? " AM" : "", zones[FORMAT_ZONE(format)]);
	return name.data;
}

static FormatCount *
find_format(FormatCount *formats, int n, int64 format)
{
	for (int i = 0; i < n; i++)
		if (formats[i].format == format)
			return &formats[i];
	return NULL;
}

/* Month or day first is told by the other texts, if they agree. */
static void
settle_ambiguous(FormatCount *formats, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			date = FORMAT_DATE(formats[i].format);
		FormatCount *month,
				   *day;

		if (date < DATE_NUMERIC(ORDER_EITHER, 0) || date > DATE_NUMERIC(ORDER_EITHER, 2))
			continue;
		month = find_format(formats, n, formats[i].format - 3 * (ORDER_EITHER - ORDER_MDY));
		day = find_format(formats, n, formats[i].format - 3 * (ORDER_EITHER - ORDER_DMY));
		if ((month == NULL) == (day == NULL))
			continue;
		(month ? month : day)->count += formats[i].count;
		formats[i].count = 0;
	}
}

static int
compare_formats(const void *a, const void *b)
{
	const FormatCount *x = a;
	const FormatCount *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->format > y->format) - (x->format < y->format);
}

int
text_formats(const TextSketch *s, FormatCount *formats)
{
	int			n = 0;

	memcpy(formats, s->format, sizeof(s->format));
	while (n < TEXT_FORMATS && formats[n].format != 0)
		n++;
	settle_ambiguous(formats, n);
	qsort(formats, n, sizeof(FormatCount), compare_formats);
	while (n > 0 && formats[n - 1].count == 0)
		n--;
	return n;
}
