/*
 * fix.c
 *		The statements that set a finding right: each is one SELECT that runs as it stands, and changes nothing but what it returns.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "checks/checks_internal.h"

static const char *
column_quoted(const Checking *c, int column)
{
	return quote_identifier(c->column[column].name);
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
append_names(StringInfo out, List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
		appendStringInfo(out, "%s%s", foreach_current_index(lc) ? ", " : "", quote_literal_cstr(lfirst(lc)));
}

/* A training of this source: with named arguments behind source and target. */
char *
fix_train(const Checking *c, const char *arguments)
{
	return psprintf("SELECT * FROM ml.train('my_model', %s, %s, %s)", quote_literal_cstr(c->source->text),
					quote_literal_cstr(c->column[c->target].name), arguments);
}

char *
fix_without(const Checking *c, List *columns)
{
	StringInfoData arguments;

	if (c->target < 0)
		return select_columns(c, -1, NULL, columns, "");
	initStringInfo(&arguments);
	appendStringInfoString(&arguments, "exclude => ARRAY[");
	append_names(&arguments, columns);
	appendStringInfoChar(&arguments, ']');
	return fix_train(c, arguments.data);
}

char *
fix_replace(const Checking *c, int column, const char *expression)
{
	return select_columns(c, column, expression, NIL, "");
}

char *
fix_add(const Checking *c, const char *expression, const char *name)
{
	return psprintf("SELECT *, %s AS %s FROM %s", expression, quote_identifier(name), c->source->from);
}

char *
fix_where(const Checking *c, const char *condition)
{
	return psprintf("SELECT * FROM %s WHERE %s", c->source->from, condition);
}

/* A literal of the column's own type. */
static char *
value_literal(const CheckColumn *column, const TopValue *value)
{
	if (value->text)
		return quote_literal_cstr(value->text);
	if (column->kind == KIND_NUMBER)
		return number_text(KIND_NUMBER, value->number);
	return psprintf("%s::%s", quote_literal_cstr(number_text(column->kind, value->number)), column->type_name);
}

char *
fix_nullif(const Checking *c, int column, const TopValue *value, int n)
{
	StringInfoData expression;

	initStringInfo(&expression);
	appendStringInfo(&expression, "CASE WHEN %s NOT IN (", column_quoted(c, column));
	for (int i = 0; i < n; i++)
		appendStringInfo(&expression, "%s%s", i ? ", " : "", value_literal(&c->column[column], &value[i]));
	appendStringInfo(&expression, ") THEN %s END", column_quoted(c, column));
	return fix_replace(c, column, expression.data);
}

/* The columns that make two rows twins, with or without the target; true where keys are set aside. */
static bool
append_twin_columns(const Checking *c, StringInfo out, bool target)
{
	int			n = 0;
	bool		keys = false;

	for (int i = 0; i < c->ncolumns; i++)
	{
		if (i == c->target && !target)
			continue;
		if (i != c->target && (i == c->key || c->column[i].key))
			keys = true;
		else
			appendStringInfo(out, "%s%s", n++ ? ", " : "", column_quoted(c, i));
	}
	return keys;
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

/* Window functions know no DISTINCT: all are equal where the smallest is the largest. */
char *
fix_conflicts(const Checking *c)
{
	StringInfoData columns;
	const char *target = column_quoted(c, c->target);

	initStringInfo(&columns);
	(void) append_twin_columns(c, &columns, false);
	return psprintf("SELECT * FROM (SELECT *, min(%s::text) OVER same = max(%s::text) OVER same AS agree FROM %s WINDOW same AS (PARTITION BY %s)) twins WHERE agree",
					target, target, c->source->from, columns.data);
}

/* ---- moments ---- */

/* A pattern of the date's part, or of the time's where there is no date; ISO dates need none but their own. */
static char *
format_pattern(const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '^');
	for (const char *at = name; *at && *at != 'T' && !(*at == ' ' && at[1] == 'H');)
	{
		if (strncmp(at, "YYYY", 4) == 0)
		{
			appendStringInfoString(&out, "\\d{4}");
			at += 4;
		}
		else if (strncmp(at, "Mon", 3) == 0)
		{
			appendStringInfoString(&out, "[A-Za-z]+\\.?");
			at += 3;
		}
		else if (strncmp(at, "HH:MM", 5) == 0)
		{
			appendStringInfoString(&out, "\\d{1,2}:");
			break;
		}
		else if (strchr("NMDY", *at))
		{
			appendStringInfoString(&out, "\\d{1,2}");
			at += 2;
		}
		else
			appendStringInfo(&out, *at == '.' ? "\\." : "%c", *at), at++;
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
		else if (*at == 'Z' || *at == '+')
			break;
		else
			appendStringInfoChar(&out, *at++);
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

char *
moment_expression(const char *column, const SketchFormat *format, int n)
{
	StringInfoData out;
	const char *quoted = quote_identifier(column);

	if (!has_date(format[0].name))
		return psprintf("CASE WHEN %s ~ '^\\d{1,2}:' THEN %s::time WHEN %s ~ '^\\d{4}-' THEN %s::timestamp::time END",
			quoted, quoted, quoted, quoted);
	if (n == 1)
		return is_iso(format[0].name) ? psprintf("%s::timestamp", quoted) :
			psprintf("to_timestamp(%s, %s)::timestamp", quoted, quote_literal_cstr(format_template(format[0].name)));
	initStringInfo(&out);
	appendStringInfoString(&out, "CASE");
	for (int i = 0; i < n; i++)
	{
		if (is_shorter_form(format, n, i))
			continue;
		appendStringInfo(&out, " WHEN %s ~ %s THEN ", quoted, quote_literal_cstr(format_pattern(format[i].name)));
		if (is_iso(format[i].name))
			appendStringInfo(&out, "%s::timestamp", quoted);
		else
			appendStringInfo(&out, "to_timestamp(%s, %s)::timestamp", quoted, quote_literal_cstr(format_template(format[i].name)));
	}
	appendStringInfoString(&out, " END");
	return out.data;
}
