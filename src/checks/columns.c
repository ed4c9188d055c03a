/*
 * columns.c
 *		Checks of one column at a time, from its sketch: missing, constant, key-like, numbers that cannot be right.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "checks/checks_internal.h"
#include "core/hash.h"

#define FAR 10					/* interquartile ranges from the quartiles: Tukey's far out is 3, which half of all skewed columns have */
#define FEWEST_FOR_OUTLIERS 100

/* Values that say something: neither NULL nor NaN. */
static int64
values_of(const CheckColumn *column)
{
	return column->statistics.n - column->statistics.nulls - column->statistics.nan;
}

static Finding *
column_finding(Checking *c, CheckId check, int i, int64 n, double value, char *message)
{
	Finding    *finding = finding_add(&c->findings, check, i, c->column[i].name, message);

	finding->n = n;
	finding->value = value;
	return finding;
}

/* ---- missing ---- */

static bool
tells_with_stand_ins(const Checking *c, int told, int i)
{
	int			n;
	TopValue   *found = sketch_sentinels(c->column[i].sketch, &n);
	uint64	   *hash = palloc(sizeof(uint64) * Max(n, 1));

	for (int j = 0; j < n; j++)
		hash[j] = hash_text(found[j].text, (int) strlen(found[j].text), 0);
	return tells_missing(&c->sample, &c->sample.column[told], &c->sample.column[i], hash, n);
}

bool
says_where_missing(const Checking *c, int told, int i)
{
	return tells_missing(&c->sample, &c->sample.column[told], &c->sample.column[i], NULL, 0) ||
		(c->column[i].kind == KIND_CATEGORY && !c->column[i].as_number && tells_with_stand_ins(c, told, i));
}

bool
missing_is_told(const Checking *c, int i)
{
	for (int told = 0; told < c->ncolumns; told++)
		if (told != i && told != c->target && says_where_missing(c, told, i))
			return true;
	return false;
}

static void
check_missing(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	const SketchStatistics *s = &column->statistics;
	int64		missing = s->nulls + s->nan + (column->kind == KIND_CATEGORY ? s->empty + s->sentinels : 0);
	double		share = (double) missing / (double) Max(s->n, 1);
	bool		helps = column->power >= 0.1 && !column->outcome;
	Finding    *f;

	if (missing == s->n)
	{
		/* one text throughout is a constant, if an odd one */
		if (s->nulls == 0 && s->distinct == 1)
			return;
		if (!check_exceeds(&c->findings, CHECK_EMPTY_COLUMN, 1))
			return;
		f = column_finding(c, CHECK_EMPTY_COLUMN, i, missing, 1,
						   psprintf("column \"%s\" is missing in all %lld rows", column->name, (long long) s->n));
		f->fix = fix_without(c, f->columns);
		return;
	}
	if (!check_exceeds(&c->findings, CHECK_MISSING_VALUES, share) || (helps && missing_is_told(c, i)))
		return;
	f = column_finding(c, CHECK_MISSING_VALUES, i, missing, share, NULL);
	f->severity = helps ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	f->message = psprintf("column \"%s\" is missing in %lld of %lld rows (%s)%s", column->name, (long long) missing, (long long) s->n, percent(share),
						  helps ? " and yet helps to predict the target" : "");
	f->fix = helps ? fix_add_missing(c, i, true) : fix_without(c, f->columns);
}

/* ---- constant ---- */

static void
check_constant(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	int64		n = values_of(column);
	int			ntop;
	int64		error;
	TopValue   *top = sketch_top(column->sketch, 2, &ntop, &error);
	double		share = ntop > 0 ? (double) top[0].count / (double) Max(n, 1) : 0;
	CheckId		check = share == 1 ? CHECK_CONSTANT_COLUMN : CHECK_NEAR_CONSTANT;
	const char *shown;
	Finding    *f;

	/* a column with one value and NULLs may still say something by being NULL */
	if (n < 2 || !check_exceeds(&c->findings, check, share))
		return;
	if (n < column->statistics.n && n == column->statistics.empty + column->statistics.sentinels)
		return;
	shown = top[0].text ? top[0].text : number_text(column->kind, top[0].number);
	f = column_finding(c, check, i, top[0].count, share, NULL);
	if (check == CHECK_CONSTANT_COLUMN)
	{
		f->severity = n < column->statistics.n ? SEVERITY_LOW : SEVERITY_MEDIUM;
		f->message = psprintf("column \"%s\" has no other value than '%s'%s", column->name, shown, n < column->statistics.n ? " and NULL" : "");
		f->fix = n < column->statistics.n ? fix_replace(c, i, psprintf("%s IS NOT NULL", quote_identifier(column->name))) :
			fix_without(c, f->columns);
		return;
	}
	f->message = psprintf("column \"%s\" is '%s' in %s of its %lld values", column->name, shown, percent(share), (long long) n);
	f->fix = fix_without(c, f->columns);
}

/* ---- keys ---- */

static void
check_key(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	double		share = column->statistics.distinct / (double) Max(values_of(column), 1);
	CheckId		check = column->row_number ? CHECK_ROW_NUMBER : CHECK_KEY_COLUMN;
	const char *more = column->power >= 0.1 ? "; it follows the target, so the rows are in an order that a model must not learn" : "";
	Finding    *f;

	if (!column->key || i == c->key || isnan(c->findings.threshold[check]))
		return;
	f = column_finding(c, check, i, values_of(column), fmin(share, 1),
					   check == CHECK_ROW_NUMBER ?
					   psprintf("column \"%s\" is a row number: each integer from %s to %s once%s", column->name,
								number_text(KIND_NUMBER, column->statistics.min), number_text(KIND_NUMBER, column->statistics.max), more) :
					   psprintf("column \"%s\" is a key: %s%.0f distinct values in %lld%s", column->name,
								column->sketch->exact || c->sample.whole ? "" : "about ",
									column->statistics.distinct, (long long) values_of(column), more));
	f->fix = c->target < 0 || c->key >= 0 || !target_is_learnable(c) ? fix_without(c, f->columns) : fix_train(c, i, NIL, "");
}

/* ---- numbers ---- */

static void
check_sentinel_numbers(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	int			n;
	TopValue   *found;
	int64		rows = 0;
	Finding    *f;

	if (column->kind != KIND_NUMBER && column->kind != KIND_TIMESTAMP)
		return;
	found = sketch_sentinels(column->sketch, &n);
	for (int j = 0; j < n; j++)
		rows += found[j].count;
	if (n == 0 || !check_passes(&c->findings, CHECK_SENTINEL_NUMBER, (double) rows / (double) column->statistics.n))
		return;
	f = column_finding(c, CHECK_SENTINEL_NUMBER, i, rows, (double) rows / (double) column->statistics.n, NULL);
	f->fix = fix_nullif(c, i, found, n);
	for (int j = 0; j < n; j++)
		found[j].text = number_text(column->kind, found[j].number);
	f->message = psprintf("column \"%s\" has values that look like stand-ins for NULL: %s", column->name, quoted_values(found, n, 6));
}

static void
check_special_numbers(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	const SketchStatistics *s = &column->statistics;
	double		n = (double) s->n;
	const char *quoted = quote_identifier(column->name);
	Finding    *f;

	if (check_passes(&c->findings, CHECK_INFINITE_VALUES, (double) s->infinite / n))
	{
		f = column_finding(c, CHECK_INFINITE_VALUES, i, s->infinite, (double) s->infinite / n,
						   psprintf("column \"%s\" is infinite in %lld of %lld rows", column->name, (long long) s->infinite, (long long) s->n));
		f->fix = fix_replace(c, i, psprintf("CASE WHEN %s NOT IN ('Infinity', '-Infinity') THEN %s END", quoted, quoted));
	}
	if (check_passes(&c->findings, CHECK_NAN_VALUES, (double) s->nan / n))
	{
		f = column_finding(c, CHECK_NAN_VALUES, i, s->nan, (double) s->nan / n,
						   psprintf("column \"%s\" is NaN in %lld of %lld rows", column->name, (long long) s->nan, (long long) s->n));
		f->fix = fix_replace(c, i, psprintf("nullif(%s, 'NaN')", quoted));
	}
}

/* How many lie below and above the fences, stand-ins for NULL aside. */
static int64
count_far(const CheckColumn *column, double fence[2])
{
	static const double quartile[2] = {0.25, 0.75};
	double		q[2];
	DistributionBin *bin;
	int			n;
	int64		far = -column->statistics.sentinels;

	sketch_quantiles(column->sketch, quartile, 2, q);
	if (!(q[1] > q[0]))
		return 0;
	fence[0] = q[0] - FAR * (q[1] - q[0]);
	fence[1] = q[1] + FAR * (q[1] - q[0]);
	bin = sketch_bins(column->sketch, &n);
	for (int i = 0; i < n; i++)
		far += bin[i].low < fence[0] || bin[i].low > fence[1] ? bin[i].count : 0;
	pfree(bin);
	return Max(far, 0);
}

static void
check_outliers(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	const SketchStatistics *s = &column->statistics;
	double		fence[2] = {0, 0};
	double		share;
	int64		far;
	Finding    *f;

	if (column->kind != KIND_NUMBER || column->key || values_of(column) < FEWEST_FOR_OUTLIERS)
		return;
	far = count_far(column, fence);
	share = (double) far / (double) values_of(column);
	if (!check_passes(&c->findings, CHECK_OUTLIERS, share))
		return;
	f = column_finding(c, CHECK_OUTLIERS, i, far, share,
					   psprintf("column \"%s\" has %lld value%s far outside the bulk (below %.6g or above %.6g); the extremes are %.6g and %.6g",
								column->name, (long long) far, far == 1 ? "" : "s", fence[0], fence[1], s->min, s->max));
	f->fix = fix_clip(c, i, fence[0], fence[1]);
}

/* ---- times ---- */

static void
check_future(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	DistributionBin *bin;
	int			n;
	int64		later = 0;
	Finding    *f;

	if (column->kind != KIND_TIMESTAMP)
		return;
	bin = sketch_bins(column->sketch, &n);
	for (int j = 0; j < n; j++)
		later += bin[j].low > (double) c->as_of ? bin[j].count : 0;
	pfree(bin);
	if (!check_passes(&c->findings, CHECK_FUTURE_TIME, (double) later / (double) column->statistics.n))
		return;
	f = column_finding(c, CHECK_FUTURE_TIME, i, later, (double) later / (double) column->statistics.n,
					   psprintf("column \"%s\" lies in the future in %lld of %lld rows; the last value is %s", column->name, (long long) later,
								(long long) column->statistics.n, number_text(KIND_TIMESTAMP, column->statistics.max)));
	f->fix = fix_where(c, psprintf("(%s > %s) IS NOT TRUE", quote_identifier(column->name), moment_literal((double) c->as_of)));
}

static void
check_later(Checking *c, int i)
{
	const CheckColumn *column = &c->column[i];
	double		share = (double) column->later / (double) Max(c->nrows, 1);
	Finding    *f;

	if (c->time < 0 || i == c->time || !check_passes(&c->findings, CHECK_LATER_THAN_TIME, share))
		return;
	f = column_finding(c, CHECK_LATER_THAN_TIME, i, column->later, share,
					   psprintf("column \"%s\" is later than time column \"%s\" in %lld of %lld rows: it was not known then", column->name,
								c->column[c->time].name, (long long) column->later, (long long) c->nrows));
	f->fix = fix_without(c, f->columns);
}

void
check_columns(Checking *c)
{
	for (int i = 0; i < c->ncolumns; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!c->column[i].read || i == c->target || c->nrows == 0)
			continue;
		check_missing(c, i);
		check_constant(c, i);
		check_key(c, i);
		if (c->column[i].kind == KIND_CATEGORY)
			continue;
		check_sentinel_numbers(c, i);
		check_special_numbers(c, i);
		check_outliers(c, i);
		check_future(c, i);
		check_later(c, i);
	}
}
