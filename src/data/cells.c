/*
 * cells.c
 *		One datum -> one cell, straight from its binary form.
 *
 * Nothing here depends on session settings: times of day are reckoned in the model's time zone, and the texts of categories are made by rules
 * of our own or by the type's fixed ones, not by its output function.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "data/data_internal.h"

/* ---- kinds ---- */

static const char *const kind_names[] = {
	[KIND_NUMBER] = "number",
	[KIND_BOOLEAN] = "boolean",
	[KIND_CATEGORY] = "category",
	[KIND_TIMESTAMP] = "timestamp",
	[KIND_TIME] = "time",
	[KIND_INTERVAL] = "interval",
	[KIND_TEXT] = "text"
};

const char *
kind_name(ColumnKind kind)
{
	return kind_names[kind];
}

typedef struct TypeRule
{
	Oid			type;
	ColumnKind	kind;
	CellOp		op;				/* for its own kind */
	CellOp		text;			/* for KIND_CATEGORY */
} TypeRule;

static const TypeRule type_rules[] = {
	{INT2OID, KIND_NUMBER, OP_INT2, OP_TEXT_OF_NUMBER},
	{INT4OID, KIND_NUMBER, OP_INT4, OP_TEXT_OF_NUMBER},
	{INT8OID, KIND_NUMBER, OP_INT8, OP_TEXT_OF_NUMBER},
	{FLOAT4OID, KIND_NUMBER, OP_FLOAT4, OP_TEXT_OF_NUMBER},
	{FLOAT8OID, KIND_NUMBER, OP_FLOAT8, OP_TEXT_OF_NUMBER},
	{NUMERICOID, KIND_NUMBER, OP_NUMERIC, OP_TEXT_OF_NUMBER},
	{BOOLOID, KIND_BOOLEAN, OP_BOOL, OP_TEXT_OF_NUMBER},
	{TEXTOID, KIND_CATEGORY, OP_TEXT, OP_TEXT},
	{VARCHAROID, KIND_CATEGORY, OP_TEXT, OP_TEXT},
	{BPCHAROID, KIND_CATEGORY, OP_BPCHAR, OP_BPCHAR},
	{UUIDOID, KIND_CATEGORY, OP_UUID, OP_UUID},
	{DATEOID, KIND_TIMESTAMP, OP_DATE, OP_TEXT_OF_NUMBER},
	{TIMESTAMPOID, KIND_TIMESTAMP, OP_TIMESTAMP, OP_TEXT_OF_NUMBER},
	{TIMESTAMPTZOID, KIND_TIMESTAMP, OP_TIMESTAMPTZ, OP_TEXT_OF_NUMBER},
	{TIMEOID, KIND_TIME, OP_TIME, OP_TEXT_OF_NUMBER},
	{INTERVALOID, KIND_INTERVAL, OP_INTERVAL, OP_TEXT_OF_NUMBER}
};

static const TypeRule enum_rule = {InvalidOid, KIND_CATEGORY, OP_ENUM, OP_ENUM};

static const TypeRule *
find_rule(Oid type)
{
	for (int i = 0; i < (int) lengthof(type_rules); i++)
		if (type_rules[i].type == type)
			return &type_rules[i];
	return type_is_enum(type) ? &enum_rule : NULL;
}

bool
kind_of_type(Oid type, ColumnKind *kind)
{
	const TypeRule *rule = find_rule(getBaseType(type));

	if (rule)
		*kind = rule->kind;
	return rule != NULL;
}

bool
cell_reader_init(CellReader *reader, Oid type, ColumnKind kind, pg_tz *zone)
{
	const TypeRule *rule;

	memset(reader, 0, sizeof(CellReader));
	reader->kind = kind;
	reader->type = getBaseType(type);
	rule = find_rule(reader->type);
	if (rule == NULL)
		return false;
	if (kind == KIND_CATEGORY || kind == KIND_TEXT)
		reader->op = rule->text;
	else if (kind == rule->kind)
		reader->op = rule->op;
	else if (kind == KIND_NUMBER && (rule->op == OP_TEXT || rule->op == OP_BPCHAR))
		reader->op = OP_PARSED_TEXT;
	else
		return false;
	if (reader->type == TIMESTAMPTZOID && zone)
		reader->zone = zone_cache_create(zone);
	return true;
}

/* ---- numbers ---- */

/*
 * The on-disk form of numeric, fixed since 9.1: a header word that says short, long or special; short and long carry the weight of the first
 * base-10000 digit.  (The struct itself is private to numeric.c.)
 */
#define NUMERIC_FORM(header) ((header) & 0xC000)
#define NUMERIC_FORM_NEGATIVE 0x4000	/* of the long form; 0 is positive */
#define NUMERIC_FORM_SHORT 0x8000
#define NUMERIC_FORM_SPECIAL 0xC000
#define NUMERIC_SHORT_NEGATIVE 0x2000
#define NUMERIC_SHORT_WEIGHT 0x003F
#define NUMERIC_SHORT_WEIGHT_NEGATIVE 0x0040

#define MOST_EXACT_DIGITS 5		/* base 10000: 10000^5 does not pass int64 */
#define EXACT_LIMIT (INT64CONST(1) << 53)

/*
 * A numeric of at most 2^53 times a power of 10 up to 10^20 is one correctly rounded multiplication or division of exact doubles (Clinger 1990).
 * False where it is not that simple.
 */
static bool
short_numeric(const char *data, int length, double *value)
{
	static const double power[] = {1, 1e4, 1e8, 1e12, 1e16, 1e20};
	uint16		header;
	int			weight,
				ndigits,
				exponent;
	bool		negative;
	int64		total = 0;

	memcpy(&header, data, sizeof(header));
	if (NUMERIC_FORM(header) == NUMERIC_FORM_SPECIAL)
		return false;
	if (NUMERIC_FORM(header) == NUMERIC_FORM_SHORT)
	{
		weight = header & NUMERIC_SHORT_WEIGHT;
		if (header & NUMERIC_SHORT_WEIGHT_NEGATIVE)
			weight -= NUMERIC_SHORT_WEIGHT + 1;
		negative = (header & NUMERIC_SHORT_NEGATIVE) != 0;
		data += sizeof(uint16);
		ndigits = (length - (int) sizeof(uint16)) / (int) sizeof(int16);
	}
	else
	{
		int16		stored;

		memcpy(&stored, data + sizeof(uint16), sizeof(stored));
		weight = stored;
		negative = NUMERIC_FORM(header) == NUMERIC_FORM_NEGATIVE;
		data += 2 * sizeof(uint16);
		ndigits = (length - 2 * (int) sizeof(uint16)) / (int) sizeof(int16);
	}
	exponent = weight - (ndigits - 1);
	if (ndigits > MOST_EXACT_DIGITS || (ndigits > 0 && abs(exponent) >= (int) lengthof(power)))
		return false;
	for (int i = 0; i < ndigits; i++)
	{
		int16		digit;

		memcpy(&digit, data + i * sizeof(int16), sizeof(digit));
		if (total > (PG_INT64_MAX - digit) / 10000)
			return false;
		total = total * 10000 + digit;
	}
	if (total > EXACT_LIMIT)
		return false;
	*value = (double) (negative ? -total : total);
	if (ndigits > 0)
		*value = exponent >= 0 ? *value * power[exponent] : *value / power[-exponent];
	return true;
}

static double
numeric_number(const CellReader *reader, Datum datum)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(datum);
	double		value;

	if (short_numeric(VARDATA_ANY(packed), (int) VARSIZE_ANY_EXHDR(packed), &value))
		return value;
	value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, datum));
	if (isinf(value) && !numeric_is_inf(DatumGetNumeric(datum)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 reader->column ? errmsg("a value of column \"%s\" is out of range for double precision", reader->column) :
				 errmsg("a numeric value is out of range for double precision"),
				 errhint("Scale the column or leave it out.")));
	return value;
}

/* Move both ends inwards past blanks. */
static void
trim(const char **text, int *length)
{
	while (*length > 0 && scanner_isspace(**text))
		(*text)++, (*length)--;
	while (*length > 0 && scanner_isspace((*text)[*length - 1]))
		(*length)--;
}

/* Decimal digits with sign, point and exponent -> a finite number: false for anything else, words and hexadecimal digits among them. */
static bool
parse_number(const char *text, int length, double *value)
{
	char		copy[512];
	char	   *end;

	trim(&text, &length);
	if (length == 0 || length >= (int) sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strspn(copy, "0123456789+-.eE") != (size_t) length)
		return false;
	*value = strtod(copy, &end) + 0.0;
	return end == copy + length && isfinite(*value);
}

static double
parsed_text(Datum datum)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(datum);
	double		value;

	return parse_number(VARDATA_ANY(packed), (int) VARSIZE_ANY_EXHDR(packed), &value) ? value : NAN;
}

/* ---- times ---- */

/* Microseconds; of the last dates, which timestamps do not reach, beyond 64 bits. */
static double
date_microseconds(DateADT date)
{
	return DATE_NOT_FINITE(date) ? NAN : (double) date * (double) USECS_PER_DAY;
}

/* Microseconds of local time; false where the timestamp is infinite. */
static bool
local_microseconds(const CellReader *reader, Datum datum, int64 *local)
{
	*local = DatumGetTimestamp(datum);
	if (TIMESTAMP_NOT_FINITE(*local))
		return false;
	if (reader->type == TIMESTAMPTZOID && reader->zone)
		*local += zone_offset(reader->zone, *local);
	return true;
}

double
cell_number(CellReader *reader, Datum value)
{
	int64		local;

	switch ((CellOp) reader->op)
	{
		case OP_INT2:
			return DatumGetInt16(value);
		case OP_INT4:
			return DatumGetInt32(value);
		case OP_INT8:
			return (double) DatumGetInt64(value);
		case OP_FLOAT4:
			return (double) DatumGetFloat4(value) + 0.0;	/* -0 becomes 0 */
		case OP_FLOAT8:
			return DatumGetFloat8(value) + 0.0;
		case OP_NUMERIC:
			return numeric_number(reader, value) + 0.0;
		case OP_PARSED_TEXT:
			return parsed_text(value);
		case OP_BOOL:
			return DatumGetBool(value) ? 1 : 0;
		case OP_DATE:
			return date_microseconds(DatumGetDateADT(value));
		case OP_TIMESTAMP:
		case OP_TIMESTAMPTZ:
			return local_microseconds(reader, value, &local) ? (double) local : NAN;
		case OP_TIME:
			return DatumGetTimeADT(value) / (double) USECS_PER_SEC;
		case OP_INTERVAL:
			return interval_seconds(DatumGetIntervalP(value));
		default:
			elog(ERROR, "a category is read as a number");
	}
	return NAN;					/* not reached */
}

/* ---- texts of categories ---- */

static int
enum_label(Oid value, char *buffer)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	strlcpy(buffer, NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), CELL_TEXT_BYTES);
	ReleaseSysCache(tuple);
	return (int) strlen(buffer);
}

static int
uuid_text(const pg_uuid_t *uuid, char *buffer)
{
	static const char hex[] = "0123456789abcdef";
	char	   *at = buffer;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[uuid->data[i] >> 4];
		*at++ = hex[uuid->data[i] & 15];
	}
	return (int) (at - buffer);
}

/* ISO 8601 of local microseconds; false where the calendar does not reach. */
static bool
encode_timestamp(int64 local, char *buffer)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(local, NULL, &tm, &fraction, NULL, NULL) != 0)
		return false;
	EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, buffer);
	return true;
}

static void
encode_date(DateADT date, char *buffer)
{
	struct pg_tm tm;

	j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
}

/* Local time of the model's zone. */
static int
timestamp_text(const CellReader *reader, Datum value, char *buffer)
{
	int64		local;

	if (reader->type == DATEOID)
	{
		DateADT		date = DatumGetDateADT(value);

		if (DATE_NOT_FINITE(date))
			strlcpy(buffer, DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity", CELL_TEXT_BYTES);
		else
			encode_date(date, buffer);
	}
	else if (!local_microseconds(reader, value, &local))
		strlcpy(buffer, TIMESTAMP_IS_NOBEGIN(DatumGetTimestamp(value)) ? "-infinity" : "infinity", CELL_TEXT_BYTES);
	else if (!encode_timestamp(local, buffer))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return (int) strlen(buffer);
}

static int
time_text(TimeADT time, char *buffer)
{
	struct pg_tm tm;
	fsec_t		fraction;

	time2tm(time, &tm, &fraction);
	EncodeTimeOnly(&tm, fraction, false, 0, USE_ISO_DATES, buffer);
	return (int) strlen(buffer);
}

static int
interval_text(const Interval *span, char *buffer)
{
	struct pg_itm itm;

	if (interval_is_finite(span))
	{
		interval2itm(*span, &itm);
		EncodeInterval(&itm, INTSTYLE_POSTGRES, buffer);
	}
	else
		strlcpy(buffer, span->time < 0 ? "-infinity" : "infinity", CELL_TEXT_BYTES);
	return (int) strlen(buffer);
}

static int
float_text(double value, bool single, char *buffer)
{
	if (isnan(value))
		return (int) strlcpy(buffer, "NaN", CELL_TEXT_BYTES);
	if (isinf(value))
		return (int) strlcpy(buffer, value < 0 ? "-Infinity" : "Infinity", CELL_TEXT_BYTES);
	return single ? float_to_shortest_decimal_buf((float) value + 0.0f, buffer) : double_to_shortest_decimal_buf(value + 0.0, buffer);
}

/* Numbers as short as they can be told apart, so that 1.50 and 1.5 are one category. */
static int
shown_text(CellReader *reader, Datum value)
{
	switch (reader->type)
	{
		case INT2OID:
			return pg_itoa(DatumGetInt16(value), reader->buffer);
		case INT4OID:
			return pg_ltoa(DatumGetInt32(value), reader->buffer);
		case INT8OID:
			return pg_lltoa(DatumGetInt64(value), reader->buffer);
		case FLOAT4OID:
			return float_text(DatumGetFloat4(value), true, reader->buffer);
		case FLOAT8OID:
			return float_text(DatumGetFloat8(value), false, reader->buffer);
		case BOOLOID:
			return (int) strlcpy(reader->buffer, DatumGetBool(value) ? "true" : "false", CELL_TEXT_BYTES);
		case TIMEOID:
			return time_text(DatumGetTimeADT(value), reader->buffer);
		case INTERVALOID:
			return interval_text(DatumGetIntervalP(value), reader->buffer);
		default:
			return timestamp_text(reader, value, reader->buffer);
	}
}

const char *
cell_text(CellReader *reader, Datum value, int *length)
{
	switch ((CellOp) reader->op)
	{
		case OP_TEXT:
		case OP_BPCHAR:
			{
				struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

				*length = (int) VARSIZE_ANY_EXHDR(packed);
				if (reader->op == OP_BPCHAR)
					*length = bpchartruelen(VARDATA_ANY(packed), *length);
				return VARDATA_ANY(packed);
			}
		case OP_ENUM:
			*length = enum_label(DatumGetObjectId(value), reader->buffer);
			return reader->buffer;
		case OP_UUID:
			*length = uuid_text(DatumGetUUIDP(value), reader->buffer);
			return reader->buffer;
		case OP_TEXT_OF_NUMBER:
			if (reader->type == NUMERICOID)
			{
				const char *text = numeric_normalize(DatumGetNumeric(value));

				*length = (int) strlen(text);
				return text;
			}
			*length = shown_text(reader, value);
			return reader->buffer;
		default:
			elog(ERROR, "a number is read as a category");
	}
	return NULL;				/* not reached */
}

/* ---- cell -> text ---- */

/* Days and hours; false where there are too many of them. */
static bool
encode_seconds(double seconds, char *buffer)
{
	double		days = trunc(seconds / SECS_PER_DAY);
	Interval	span = {.day = 0};

	if (!(fabs(days) < PG_INT32_MAX))
		return false;
	span.day = (int32) days;
	span.time = (TimeOffset) rint((seconds - days * SECS_PER_DAY) * USECS_PER_SEC);
	interval_text(&span, buffer);
	return true;
}

/* What only dates reach is shown as one. */
static bool
encode_moment(double cell, char *buffer)
{
	double		day = rint(cell / (double) USECS_PER_DAY);

	if (fabs(cell) < (double) PG_INT64_MAX && encode_timestamp((int64) rint(cell), buffer))
		return true;
	if (!(fabs(day) < PG_INT32_MAX) || !IS_VALID_DATE((DateADT) day))
		return false;
	encode_date((DateADT) day, buffer);
	return true;
}

char *
cell_shown(ColumnKind kind, double cell)
{
	char	   *buffer = palloc(CELL_TEXT_BYTES);
	bool		shown = false;

	if (isnan(cell))
		return NULL;
	if (kind == KIND_TIMESTAMP)
		shown = encode_moment(cell, buffer);
	else if (kind == KIND_TIME && cell >= 0 && cell <= SECS_PER_DAY)
		shown = time_text((TimeADT) rint(cell * USECS_PER_SEC), buffer) > 0;
	else if (kind == KIND_INTERVAL)
		shown = encode_seconds(cell, buffer);
	if (!shown)
		float_text(cell, false, buffer);
	return buffer;
}

/* ---- text -> cell ---- */

/* NaN, Infinity and -Infinity as PostgreSQL spells them. */
static bool
parse_special_number(const char *text, double *value)
{
	bool		negative = *text == '-';

	if (pg_strcasecmp(text, "nan") == 0)
		*value = NAN;
	else if (pg_strcasecmp(text + negative, "infinity") == 0 || pg_strcasecmp(text + negative, "inf") == 0)
		*value = negative ? -INFINITY : INFINITY;
	else
		return false;
	return true;
}

bool
cell_parse(ColumnKind kind, pg_tz *zone, const char *text, double *cell)
{
	char		copy[512];
	int			length = (int) strlen(text);
	bool		truth;

	trim(&text, &length);
	if (length >= (int) sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	switch (kind)
	{
		case KIND_NUMBER:
			return parse_number(copy, length, cell) || parse_special_number(copy, cell);
		case KIND_BOOLEAN:
			if (!parse_bool(copy, &truth))
				return false;
			*cell = truth ? 1 : 0;
			return true;
		case KIND_TIMESTAMP:
			return parse_timestamp(copy, zone, cell);
		case KIND_TIME:
			return parse_time(copy, cell);
		case KIND_INTERVAL:
			return parse_interval(copy, cell);
		case KIND_CATEGORY:
		case KIND_TEXT:
			break;
	}
	return false;
}
