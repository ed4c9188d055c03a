/*
 * texts.c
 *		Checks of columns of text: stand-ins for NULL, numbers and times in disguise, variants of one level, rare levels.
 *
 * Beyond 4,096 distinct texts a sketch knows the frequent ones only, so counts of single texts may be too low.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "checks/checks_internal.h"
#include "core/hash.h"

#define LONGEST_STAND_IN 23		/* bytes: longer ones are known by their beginnings */
#define FEW_CLASSES 20			/* of a target that may be named by numbers */
#define FEW_ROWS 10				/* of a level, to be rare */
#define SHOWN 6					/* values named in a message */
#define CODE_LENGTH 3			/* digits all of one length, from this on, are a code such as a zip */

typedef struct Texts
{
	Checking   *c;
	int			i;
	const CheckColumn *column;
	const SketchStatistics *s;
	TopValue   *top;			/* all that are known, the most frequent first */
	int			n;
	double		rows;
} Texts;

static Finding *
text_finding(const Texts *t, CheckId check, int64 n, double value, char *message)
{
	Finding    *finding = finding_add(&t->c->findings, check, t->i, t->column->name, message);

	finding->n = n;
	finding->value = value;
	return finding;
}

/* Where not all spellings are known in full (blanks around them, a dozen of cases), they are compared without regard to these. */
static char *
fix_stand_ins(const Texts *t, TopValue *found, int n, int64 rows)
{
	StringInfoData expression;
	const char *quoted = column_as_text(t->c, t->i);

	for (int i = 0; i < n; i++)
		rows -= strlen(found[i].text) < LONGEST_STAND_IN ? found[i].count : 0;
	if (rows == 0)
		return fix_nullif(t->c, t->i, found, n);
	initStringInfo(&expression);
	appendStringInfo(&expression, "CASE WHEN lower(btrim(%s, E' \\t\\n\\r\\f\\v')) NOT IN (''", quoted);
	for (int i = 0; i < n; i++)
		if (text_what(found[i].text, (int) strlen(found[i].text)) != TEXT_EMPTY)
			appendStringInfo(&expression, ", lower(btrim(%s, E' \\t\\n\\r\\f\\v'))", quote_literal_cstr(found[i].text));
	appendStringInfo(&expression, ") THEN %s END", quote_identifier(t->column->name));
	return fix_replace(t->c, t->i, expression.data);
}

static void
check_sentinels(const Texts *t)
{
	int			n;
	TopValue   *found = sketch_sentinels(t->column->sketch, &n);
	int64		rows = t->s->empty + t->s->sentinels;
	Finding    *f;

	if (!check_passes(&t->c->findings, CHECK_SENTINEL_TEXT, (double) rows / t->rows))
		return;
	f = text_finding(t, CHECK_SENTINEL_TEXT, rows, (double) rows / t->rows,
					 psprintf("column \"%s\" has texts that stand for NULL: %s", t->column->name, quoted_values(found, n, SHOWN)));
	f->fix = fix_stand_ins(t, found, n, rows);
}

/* ---- numbers and times ---- */

bool
are_codes(const char *const *text, int n)
{
	int			length = -1;

	for (int i = 0; i < n; i++)
	{
		int			bytes = (int) strlen(text[i]);

		if (text_what(text[i], bytes) != TEXT_NUMBER)
			continue;
		if ((int) strspn(text[i], "0123456789") != bytes)
			return false;
		if (text[i][0] == '0' && bytes > 1)
			return true;
		if (length >= 0 && length != bytes)
			return false;
		length = bytes;
	}
	return length >= CODE_LENGTH;
}

static bool
is_code(const Texts *t)
{
	const char **text = palloc(sizeof(char *) * Max(t->n, 1));

	for (int i = 0; i < t->n; i++)
		text[i] = t->top[i].text;
	return are_codes(text, t->n);
}

/* The texts that are no numbers: what stands for NULL, whose counts are exact, and the others known. */
static TopValue *
no_numbers(const Texts *t, int *n)
{
	TopValue   *sentinel = sketch_sentinels(t->column->sketch, n);
	TopValue   *found = palloc(sizeof(TopValue) * (*n + t->n + 1));

	memcpy(found, sentinel, sizeof(TopValue) * *n);
	for (int i = 0; i < t->n; i++)
		if (!(text_what(t->top[i].text, (int) strlen(t->top[i].text)) & (TEXT_NUMBER | TEXT_EMPTY | TEXT_SENTINEL)))
			found[(*n)++] = t->top[i];
	return found;
}

static void
check_numbers(const Texts *t)
{
	double		readable = (double) (t->column->sketch->header.n - t->s->empty - t->s->sentinels);
	double		share = (double) t->s->as_number / readable;
	int64		not = t->column->sketch->header.n - t->s->as_number;
	const char *quoted = column_as_text(t->c, t->i);
	TopValue   *other;
	int			n;
	Finding    *f;

	if (!(readable > 0) || !check_exceeds(&t->c->findings, CHECK_NUMBER_AS_TEXT, share) || is_code(t))
		return;
	other = no_numbers(t, &n);
	f = text_finding(t, CHECK_NUMBER_AS_TEXT, t->s->as_number, share, NULL);
	f->message = not == 0 ? psprintf("column \"%s\" holds numbers as text", t->column->name) :
		psprintf("column \"%s\" holds numbers as text, but for %lld value%s: %s", t->column->name, (long long) not, not == 1 ? "" : "s",
				 quoted_values(other, n, SHOWN));
	f->fix = fix_replace(t->c, t->i, psprintf("CASE WHEN %s ~ '" NUMBER_PATTERN "' THEN %s::double precision END", quoted, quoted));
}

static char *
formats_shown(const SketchFormat *format, int n)
{
	TopValue   *shown = palloc(sizeof(TopValue) * n);

	for (int i = 0; i < n; i++)
		shown[i] = (TopValue) {.text = format[i].name,.count = format[i].count};
	return quoted_values(shown, n, SHOWN);
}

static void
check_times(const Texts *t)
{
	int			n;
	SketchFormat *format = sketch_formats(t->column->sketch, &n);
	double		readable = (double) (t->column->sketch->header.n - t->s->empty - t->s->sentinels);
	double		times = (double) (t->s->as_date + t->s->as_timestamp + t->s->as_time);
	double		other;
	Finding    *f;

	if (n == 0 || !(times >= t->c->findings.threshold[CHECK_TIME_AS_TEXT] * readable))
		return;
	other = times - (double) format[0].count;
	if (other > 0 && check_passes(&t->c->findings, CHECK_MIXED_FORMATS, other / times))
		f = text_finding(t, CHECK_MIXED_FORMATS, (int64) other, other / times,
						 psprintf("column \"%s\" holds times in %d formats: %s", t->column->name, n, formats_shown(format, n)));
	else
		f = text_finding(t, CHECK_TIME_AS_TEXT, (int64) times, times / readable,
						 psprintf("column \"%s\" holds times as text: %s", t->column->name, formats_shown(format, n)));
	f->fix = fix_replace(t->c, t->i, moment_expression(column_as_text(t->c, t->i), format, n));
}

/* ---- levels ---- */

static bool
is_separator(char x)
{
	return x == ' ' || x == '\t' || x == '\n' || x == '\r' || x == '-' || x == '_';
}

/* In lower case (ASCII), separators as one blank, none at the ends. */
static char *
folded(const char *text)
{
	char	   *out = palloc(strlen(text) + 1);
	int			n = 0;

	for (; *text; text++)
	{
		if (!is_separator(*text))
			out[n++] = (char) pg_ascii_tolower((unsigned char) *text);
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return out;
}

typedef struct Folded
{
	char	   *text;
	int			at;				/* in top */
} Folded;

static int
compare_folded(const void *a, const void *b)
{
	const Folded *x = a;
	const Folded *y = b;
	int			order = strcmp(x->text, y->text);

	return order != 0 ? order : x->at - y->at;
}

static Folded *
fold_all(const Texts *t, int *n)
{
	Folded	   *fold = palloc(sizeof(Folded) * Max(t->n, 1));

	*n = 0;
	for (int i = 0; i < t->n; i++)
		if (!t->top[i].cut && text_what(t->top[i].text, (int) strlen(t->top[i].text)) == 0)
			fold[(*n)++] = (Folded) {folded(t->top[i].text), i};
	qsort(fold, *n, sizeof(Folded), compare_folded);
	return fold;
}

static void
check_variants(const Texts *t)
{
	int			n;
	Folded	   *fold = fold_all(t, &n);
	int64		rows = 0;
	const char *usual = NULL,
			   *variant = NULL;
	Finding    *f;

	for (int i = 1; i < n; i++)
		if (strcmp(fold[i].text, fold[i - 1].text) == 0)
		{
			rows += t->top[fold[i].at].count;
			if (usual == NULL)
			{
				usual = t->top[fold[i - 1].at].text;
				variant = t->top[fold[i].at].text;
			}
		}
	if (rows == 0 || !check_passes(&t->c->findings, CHECK_LEVEL_VARIANTS, (double) rows / t->rows))
		return;
	f = text_finding(t, CHECK_LEVEL_VARIANTS, rows, (double) rows / t->rows,
					 psprintf("column \"%s\" has texts that differ in case, blanks or hyphens only, such as '%s' and '%s'",
						t->column->name, usual, variant));
	f->fix = fix_replace(t->c, t->i, psprintf("btrim(regexp_replace(lower(%s), '[\\s_-]+', ' ', 'g'))", column_as_text(t->c, t->i)));
}

static void
check_blanks(const Texts *t)
{
	int64		rows = 0;
	Finding    *f;

	for (int i = 0; i < t->n; i++)
	{
		const char *text = t->top[i].text;
		Size		length = strlen(text);

		if (text_what(text, (int) length) != TEXT_EMPTY && (strchr(" \t\r\n", text[0]) || strchr(" \t\r\n", text[length - 1])))
			rows += t->top[i].count;
	}
	if (rows == 0 || !check_passes(&t->c->findings, CHECK_WHITESPACE, (double) rows / t->rows))
		return;
	f = text_finding(t, CHECK_WHITESPACE, rows, (double) rows / t->rows,
					 psprintf("column \"%s\" begins or ends with blanks in %lld rows", t->column->name, (long long) rows));
	f->fix = fix_replace(t->c, t->i, psprintf("btrim(%s, E' \\t\\r\\n')", column_as_text(t->c, t->i)));
}

/* Of columns whose texts are no times or numbers and all known. */
static void
check_rare(const Texts *t)
{
	int64		rows = 0;
	int			levels = 0;
	const char *quoted = column_as_text(t->c, t->i);
	Finding    *f;

	for (int i = 0; i < t->n; i++)
		if (t->top[i].count < FEW_ROWS)
		{
			rows += t->top[i].count;
			levels++;
		}
	if (!t->column->sketch->exact || !check_exceeds(&t->c->findings, CHECK_RARE_LEVELS, (double) rows / t->rows))
		return;
	f = text_finding(t, CHECK_RARE_LEVELS, rows, (double) rows / t->rows,
					 psprintf("column \"%s\": %d of its %d texts occur in fewer than %d rows, together %s of the rows", t->column->name, levels, t->n,
							  FEW_ROWS, percent((double) rows / t->rows)));
	f->fix = fix_replace(t->c, t->i, psprintf("CASE WHEN %s IS NULL OR count(*) OVER (PARTITION BY %s) >= %d THEN %s ELSE 'other' END", quoted, quoted, FEW_ROWS,
														 quoted));
}

static bool
check_many(const Texts *t)
{
	Finding    *f;

	if (!check_passes(&t->c->findings, CHECK_MANY_LEVELS, t->s->distinct))
		return false;
	f = text_finding(t, CHECK_MANY_LEVELS, t->column->sketch->header.n, t->s->distinct,
					 psprintf("column \"%s\" has %s%.0f distinct texts; training tells the most frequent ones apart", t->column->name,
							  t->column->sketch->exact ? "" : "about ", t->s->distinct));
	f->severity = SEVERITY_LOW;
	f->fix = fix_replace(t->c, t->i, psprintf("count(*) OVER (PARTITION BY %s)", quote_identifier(t->column->name)));
	return true;
}

void
check_texts(Checking *c)
{
	for (int i = 0; i < c->ncolumns; i++)
	{
		Texts		t = {.c = c,.i = i,.column = &c->column[i],.s = &c->column[i].statistics,.rows = (double) c->nrows};
		int64		error;

		CHECK_FOR_INTERRUPTS();
		if (!t.column->read || t.column->kind != KIND_CATEGORY || t.column->sketch->header.n == 0)
			continue;
		t.top = sketch_top(t.column->sketch, PG_INT32_MAX, &t.n, &error);
		check_sentinels(&t);
		check_blanks(&t);
		if (i != c->target || t.s->distinct > FEW_CLASSES)
		{
			check_numbers(&t);
			check_times(&t);
		}
		check_variants(&t);
		if (t.column->key || t.column->as_number || i == c->target || t.s->distinct > 0.5 * (double) t.column->sketch->header.n)
			continue;
		if (!check_many(&t))
			check_rare(&t);
	}
}
