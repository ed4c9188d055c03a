/*
 * show.c
 *		Rows, numbers and pictures for people.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "profile/profile_internal.h"

char *
text_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* ---- rows ---- */

void
cell_datum(Cells *row, Datum value)
{
	row->null[row->n] = false;
	row->owned[row->n] = false;
	row->value[row->n++] = value;
}

void
cell_null(Cells *row)
{
	row->null[row->n] = true;
	row->owned[row->n] = false;
	row->value[row->n++] = (Datum) 0;
}

void
cell_text_or_null(Cells *row, const char *text)
{
	if (text)
	{
		cell_datum(row, CStringGetTextDatum(text));
		row->owned[row->n - 1] = true;
	}
	else
		cell_null(row);
}

void
cell_float(Cells *row, double value)
{
	if (isfinite(value))
		cell_datum(row, Float8GetDatum(value));
	else
		cell_null(row);
}

void
cell_count(Cells *row, int64 count)
{
	cell_datum(row, Int64GetDatum(count));
}

/* Where the calendar of timestamps reaches; that of dates goes further. */
static bool
moment_of(double microseconds, Timestamp *moment)
{
	if (!(fabs(microseconds) < (double) PG_INT64_MAX))
		return false;
	*moment = (Timestamp) rint(microseconds);
	return IS_VALID_TIMESTAMP(*moment);
}

/* NULL where there is no such timestamp. */
void
cell_moment(Cells *row, double microseconds)
{
	Timestamp	moment;

	if (moment_of(microseconds, &moment))
		cell_datum(row, TimestampGetDatum(moment));
	else
		cell_null(row);
}

void
cells_put(FunctionCallInfo fcinfo, Cells *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->n == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->value, row->null);
	for (int i = 0; i < row->n; i++)
		if (row->owned[i])
			pfree(DatumGetPointer(row->value[i]));
	row->n = 0;
}

/* ---- numbers ---- */

static char *
moment_text(double microseconds)
{
	char	   *buffer = palloc(MAXDATELEN + 1);
	struct pg_tm tm;
	fsec_t		fraction;
	double		day = rint(microseconds / (double) USECS_PER_DAY);
	Timestamp	moment;

	if (day * (double) USECS_PER_DAY == microseconds && fabs(day) < PG_INT32_MAX && IS_VALID_DATE((DateADT) day))
	{
		j2date((int) day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
	}
	else if (moment_of(microseconds, &moment) && timestamp2tm(moment, NULL, &tm, &fraction, NULL, NULL) == 0)
		EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, buffer);
	else
		buffer[0] = '\0';
	return buffer;
}

char *
number_text(ColumnKind kind, double value)
{
	char	   *buffer = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	if (kind == KIND_TIMESTAMP && isfinite(value))
		return moment_text(value);
	if (kind == KIND_BOOLEAN)
		return pstrdup(value != 0 ? "true" : "false");
	if (isinf(value))
		return pstrdup(value < 0 ? "-Infinity" : "Infinity");
	double_to_shortest_decimal_buf(value, buffer);
	return buffer;
}

/* ---- pictures ---- */

#define EIGHTHS 8

/* An eighth to eight eighths of a character: by height U+2581 .. U+2588, by width U+258F .. U+2588.  Plain ASCII where the encoding has none. */
static void
append_block(StringInfo picture, int eighths, bool by_width)
{
	static const char ascii[] = " .:-=+*%#";

	if (GetDatabaseEncoding() != PG_UTF8 || eighths == 0)
		appendStringInfoChar(picture, ascii[eighths]);
	else
		appendStringInfo(picture, "\xe2\x96%c", by_width ? 0x90 - eighths : 0x80 + eighths);
}

char *
picture_columns(const double *count, int n)
{
	StringInfoData picture;
	double		highest = 0;

	initStringInfo(&picture);
	for (int i = 0; i < n; i++)
		highest = fmax(highest, count[i]);
	for (int i = 0; i < n; i++)
		append_block(&picture, highest > 0 ? (int) ceil(EIGHTHS * fmax(count[i], 0) / highest) : 0, false);
	return picture.data;
}

char *
picture_bar(double share, int characters)
{
	StringInfoData picture;
	int			eighths = (int) rint(fmin(fmax(share, 0), 1) * characters * EIGHTHS);

	initStringInfo(&picture);
	for (; eighths >= EIGHTHS; eighths -= EIGHTHS)
		append_block(&picture, EIGHTHS, true);
	if (eighths > 0)
		append_block(&picture, eighths, true);
	return picture.data;
}
