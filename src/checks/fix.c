/*
 * fix.c
 *		The statements that set a finding right: each is one SELECT that runs as it stands, and changes nothing but what it returns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "parser/scansup.h"
#include "utils/builtins.h"

#include "checks/checks_internal.h"

static const char *
column_quoted(const Checking *c, int column)
{
	return quote_identifier(c->column[column].name);
}

static Oid
column_type(const Checking *c, int column)
{
	return TupleDescAttr(c->source->tupdesc, column)->atttypid;
}

/* As text, which enums are not by themselves. */
char *
column_as_text(const Checking *c, int column)
{
	return psprintf("%s%s", column_quoted(c, column), TypeCategory(column_type(c, column)) == TYPCATEGORY_STRING ? "" : "::text");
}

/* As something that can be compared: types that are only hashed as they are shown may have no equality. */
static char *
column_comparable(const Checking *c, int column)
{
	return psprintf("%s%s", column_quoted(c, column), c->column[column].read ? "" : "::text");
}

/* A name that no column has. */
static char *
free_name(const Checking *c, const char *wanted)
{
	char	   *name = pstrdup(wanted);

	for (int n = 2;; n++)
	{
		int			i = 0;

		truncate_identifier(name, (int) strlen(name), false);
		while (i < c->ncolumns && strcmp(c->column[i].name, name) != 0)
			i++;
		if (i == c->ncolumns)
			return name;
		name = psprintf("%.*s_%d", pg_mbcliplen(wanted, (int) strlen(wanted), NAMEDATALEN - 12), wanted, n);
	}
}

/* The columns with one of them replaced (expression NULL: left out), -1 = none. */
static char *
select_columns(const Checking *c, int replaced, const char *expression, List *without, const char *rest)
{
	StringInfoData out;
	int			n = 0;

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT");
	for (int i = 0; i < c->ncolumns; i++)
	{
		ListCell   *lc;
		bool		left_out = false;

		foreach(lc, without)
			left_out |= strcmp(lfirst(lc), c->column[i].name) == 0;
		if (left_out)
			continue;
		appendStringInfoString(&out, n++ ? ", " : " ");
		if (i == replaced)
			appendStringInfo(&out, "%s AS ", expression);
		appendStringInfoString(&out, column_quoted(c, i));
	}
	appendStringInfo(&out, " FROM %s%s", c->source->from, rest);
	return out.data;
}

static void
append_excluded(StringInfo out, const char *name, bool *first)
{
	appendStringInfo(out, "%s%s", *first ? ", exclude => ARRAY[" : ", ", quote_literal_cstr(name));
	*first = false;
}

/* A training of this source without these columns and those it cannot read; further arguments may follow. */
char *
fix_train(const Checking *c, int key, List *without, const char *arguments)
{
	StringInfoData out;
	ListCell   *lc;
	bool		first = true;

	initStringInfo(&out);
	appendStringInfo(&out, "SELECT * FROM ml.train('my_model', %s, %s", quote_literal_cstr(c->source->text),
					 quote_literal_cstr(c->column[c->target].name));
	if (key >= 0)
		appendStringInfo(&out, ", key => %s", quote_literal_cstr(c->column[key].name));
	foreach(lc, without)
		append_excluded(&out, lfirst(lc), &first);
	for (int i = 0; i < c->ncolumns; i++)
		if (!c->column[i].read && i != key)
			append_excluded(&out, c->column[i].name, &first);
	appendStringInfo(&out, "%s%s)", first ? "" : "]", arguments);
	return out.data;
}

char *
fix_without(const Checking *c, List *columns)
{
	if (c->target < 0 || !target_is_learnable(c))
		return select_columns(c, -1, NULL, columns, "");
	return fix_train(c, c->key, columns, "");
}

char *
fix_replace(const Checking *c, int column, const char *expression)
{
	return select_columns(c, column, expression, NIL, "");
}

char *
fix_where(const Checking *c, const char *condition)
{
	return psprintf("SELECT * FROM %s WHERE %s", c->source->from, condition);
}

/* Compared in double precision, as it was found. */
static char *
number_literal(const Checking *c, int column, double number)
{
	return psprintf("%s%s", number_text(KIND_NUMBER, number), column_type(c, column) == FLOAT4OID ? "::double precision" : "");
}

/* A moment in UTC; types without a zone read over it. */
char *
moment_literal(double moment)
{
	return quote_literal_cstr(psprintf("%s+00", number_text(KIND_TIMESTAMP, moment)));
}

static char *
value_literal(const Checking *c, int column, const TopValue *value)
{
	if (value->text)
		return quote_literal_cstr(value->text);
	return c->column[column].kind == KIND_TIMESTAMP ? moment_literal(value->number) : number_literal(c, column, value->number);
}

static char *
not_among(const Checking *c, int column, const TopValue *value, int n)
{
	StringInfoData condition;

	initStringInfo(&condition);
	appendStringInfo(&condition, "%s NOT IN (", column_quoted(c, column));
	for (int i = 0; i < n; i++)
		appendStringInfo(&condition, "%s%s", i ? ", " : "", value_literal(c, column, &value[i]));
	appendStringInfoChar(&condition, ')');
	return condition.data;
}

char *
fix_nullif(const Checking *c, int column, const TopValue *value, int n)
{
	return fix_replace(c, column, psprintf("CASE WHEN %s THEN %s END", not_among(c, column, value, n), column_quoted(c, column)));
}

/* Where the column is missing, as true and false. */
static char *
missing_expression(const Checking *c, int column, bool stand_ins)
{
	const CheckColumn *about = &c->column[column];
	const char *quoted = column_quoted(c, column);
	int			n = 0;
	TopValue   *found = about->kind == KIND_CATEGORY ? sketch_sentinels(about->sketch, &n) : NULL;

	if (about->as_number)
		return psprintf("(%s ~ '" NUMBER_PATTERN "') IS NOT TRUE", column_as_text(c, column));
	if (about->kind != KIND_CATEGORY && about->statistics.nan > 0)
		return psprintf("(%s <> 'NaN') IS NOT TRUE", quoted);
	if (stand_ins && n > 0)
		return psprintf("(%s) IS NOT TRUE", not_among(c, column, found, n));
	return psprintf("%s IS NULL", quoted);
}

char *
fix_add_missing(const Checking *c, int column, bool stand_ins)
{
	return psprintf("SELECT *, %s AS %s FROM %s", missing_expression(c, column, stand_ins),
					quote_identifier(free_name(c, psprintf("%s_missing", c->column[column].name))), c->source->from);
}

/* Rows without a value stay. */
char *
fix_without_values(const Checking *c, int column, const TopValue *value, int n)
{
	return fix_where(c, psprintf("(%s) IS NOT FALSE", not_among(c, column, value, n)));
}

/* Numbers beyond the bounds become these.  NULL stays NULL, and so does NaN, which would be greater than all. */
char *
fix_clip(const Checking *c, int column, double low, double high)
{
	const char *quoted = column_quoted(c, column);
	const char *number = c->column[column].statistics.nan > 0 ? psprintf(" AND %s <> 'NaN'", quoted) : "";
	char	   *most = number_literal(c, column, high);
	char	   *least = number_literal(c, column, low);

	return fix_replace(c, column, psprintf("CASE WHEN %s > %s%s THEN %s WHEN %s < %s THEN %s ELSE %s END", quoted, most, number, most,
										   quoted, least, least, quoted));
}

/* The columns that make two rows twins, with or without the target; true where they are not all columns, each as it is. */
static bool
append_twin_columns(const Checking *c, StringInfo out, bool target)
{
	int			n = 0;
	bool		some = false;

	for (int i = 0; i < c->ncolumns; i++)
	{
		if (i == c->target && !target)
			continue;
		some |= !c->column[i].read;
		if (i != c->target && (i == c->key || c->column[i].key))
			some = true;
		else
			appendStringInfo(out, "%s%s", n++ ? ", " : "", column_comparable(c, i));
	}
	return some;
}

char *
fix_distinct(const Checking *c)
{
	StringInfoData columns;

	initStringInfo(&columns);
	if (!append_twin_columns(c, &columns, true))
		return psprintf("SELECT DISTINCT * FROM %s", c->source->from);
	return psprintf("SELECT DISTINCT ON (%s) * FROM %s ORDER BY %s", columns.data, c->source->from, columns.data);
}

/* Window functions know no DISTINCT: all are equal where the smallest is the largest, and where none is known. */
char *
fix_conflicts(const Checking *c)
{
	StringInfoData columns;
	const char *target = column_quoted(c, c->target);
	const char *agree = quote_identifier(free_name(c, "agree"));
	char	   *inner;

	initStringInfo(&columns);
	(void) append_twin_columns(c, &columns, false);
	inner = psprintf("SELECT *, min(%s::text) OVER same = max(%s::text) OVER same AS %s FROM %s WINDOW same AS (%s%s)", target, target, agree,
					 c->source->from, columns.len ? "PARTITION BY " : "", columns.data);
	resetStringInfo(&columns);
	for (int i = 0; i < c->ncolumns; i++)
		appendStringInfo(&columns, "%s%s", i ? ", " : "", column_quoted(c, i));
	return psprintf("SELECT %s FROM (%s) twins WHERE %s IS NOT FALSE", columns.data, inner, agree);
}

/* ---- moments ---- */

/* What stands for a part of a format, as a pattern; behind the date comes nothing that tells formats apart. */
static const struct
{
	const char *part;
	const char *pattern;
}			format_part[] = {
	{"YYYY", "\\d{4}"},
	{"Mon", "[A-Za-z]+\\.?"},
	{"HH:MM", "\\d{1,2}:"},
	{"MM", "(0?[1-9]|1[0-2])"},
	{"DD", "(0?[1-9]|[12]\\d|3[01])"},
	{"NN", "\\d{1,2}"},
	{"YY", "\\d{2}"},
	{".", "\\."},
	{" ", "[ -]"}
};

/* A pattern of the date's part, or of the time's where there is no date. */
static char *
format_pattern(const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "^\\s*");
	for (const char *at = name; *at && *at != 'T' && !(*at == ' ' && at[1] == 'H');)
	{
		int			i = 0;

		while (i < (int) lengthof(format_part) && strncmp(at, format_part[i].part, strlen(format_part[i].part)) != 0)
			i++;
		if (i == (int) lengthof(format_part))
		{
			appendStringInfoChar(&out, *at++);
			continue;
		}
		appendStringInfoString(&out, format_part[i].pattern);
		if (strncmp(at, "HH", 2) == 0)
			break;
		at += strlen(format_part[i].part);
	}
	return out.data;
}

static bool
is_iso(const char *name)
{
	return strncmp(name, "YYYY-", 5) == 0;
}

static bool
has_date(const char *name)
{
	return strncmp(name, "HH", 2) != 0;
}

/* What to_timestamp() calls the format. */
static char *
format_template(const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const char *at = name; *at;)
	{
		if (strncmp(at, "NN", 2) == 0)
		{
			/* month or day first cannot be told: taken as month first */
			appendStringInfoString(&out, at == name ? "MM" : "DD");
			at += 2;
		}
		else if (strncmp(at, "HH:MM", 5) == 0)
		{
			appendStringInfoString(&out, strstr(name, "AM") ? "HH12:MI" : "HH24:MI");
			at += 5;
		}
		else if (strncmp(at, "fff", 3) == 0)
		{
			appendStringInfoString(&out, "US");
			at += 3;
		}
		else if (*at == 'Z')
			break;
		else if (*at == '+')
		{
			appendStringInfoString(&out, "TZH:TZM");
			break;
		}
		else
		{
			/* TH has a meaning */
			appendStringInfo(&out, *at == 'T' ? "\"%c\"" : "%c", *at);
			at++;
		}
	}
	return out.data;
}

/* Is there a longer format (or an equal one before) that begins with the same date?  Its template reads both. */
static bool
is_shorter_form(const SketchFormat *format, int n, int i)
{
	const char *pattern = format_pattern(format[i].name);

	for (int j = 0; j < n; j++)
		if (j != i && strcmp(format_pattern(format[j].name), pattern) == 0 &&
			(strlen(format[j].name) > strlen(format[i].name) || (strlen(format[j].name) == strlen(format[i].name) && j < i)))
			return true;
	return false;
}

/* A text of this format as a timestamp; with an offset, in UTC. */
static char *
read_moment(const char *quoted, const char *name, bool offsets)
{
	if (!is_iso(name))
		return psprintf("to_timestamp(%s, %s)%s",
						strstr(name, "Mon") ? psprintf("regexp_replace(%s, '([A-Za-z]{3})[A-Za-z]*\\.?', '\\1')", quoted) : quoted,
						quote_literal_cstr(format_template(name)), strchr(name, '+') ? " AT TIME ZONE 'UTC'" : "::timestamp");
	if (offsets)
		return psprintf("CASE WHEN %s ~ ':\\d\\d[^+-]*[+-]\\d' THEN %s::timestamptz AT TIME ZONE 'UTC' ELSE %s::timestamp END", quoted, quoted, quoted);
	return psprintf("%s::timestamp", quoted);
}

char *
moment_expression(const char *quoted, const SketchFormat *format, int n)
{
	StringInfoData out;
	bool		offsets = false;

	if (!has_date(format[0].name))
		return psprintf("CASE WHEN %s ~ '^\\s*\\d{1,2}:' THEN %s::time WHEN %s ~ '^\\s*\\d{4}-' THEN %s::timestamp::time END",
						quoted, quoted, quoted, quoted);
	for (int i = 0; i < n; i++)
		offsets |= is_iso(format[i].name) && strchr(format[i].name, '+') != NULL;
	initStringInfo(&out);
	appendStringInfoString(&out, "CASE");
	for (int i = 0; i < n; i++)
		if (has_date(format[i].name) && !is_shorter_form(format, n, i))
			appendStringInfo(&out, " WHEN %s ~ '%s' THEN %s", quoted, format_pattern(format[i].name), read_moment(quoted, format[i].name, offsets));
	appendStringInfoString(&out, " END");
	return out.data;
}
