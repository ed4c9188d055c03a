/*
 * checks.c
 *		ml.checks: what is wrong with a source, in one scan, or two where key columns have to be set aside to see which rows are twins.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "checks/checks_internal.h"

#define MANY_DUPLICATES 0.05

static int64
scaled(int64 rows, double scale)
{
	return (int64) rint((double) rows * scale);
}

/* ---- rows that occur more than once ---- */

/* There are at least two rows for each way to fill the columns (keys aside): then equal rows say nothing. */
static bool
twins_unavoidable(const Checking *c, bool with_target)
{
	double		ways = 1;

	for (int i = 0; i < c->ncolumns; i++)
	{
		const CheckColumn *column = &c->column[i];

		if (!column->read && i != c->key)
			return false;
		if (i == c->target ? with_target : i != c->key && !column->key)
			ways *= column->statistics.distinct + (column->statistics.nulls > 0);
	}
	return 2 * ways < (double) c->nrows;
}

static void
check_twins(Checking *c)
{
	TwinCounts	counts;
	const char *about;
	double		share;
	Finding    *f;

	if (c->nrows == 0)
		return;
	checking_scan_twins(c);
	twin_set_count(c->twins, &counts);
	about = counts.scale > 1 ? "about " : "";
	share = (double) counts.copies * counts.scale / (double) c->nrows;
	if (!twins_unavoidable(c, true) && check_passes(&c->findings, CHECK_DUPLICATE_ROWS, share))
	{
		f = finding_add(&c->findings, CHECK_DUPLICATE_ROWS, -1, NULL,
						psprintf("%s%lld of %lld rows repeat another row",
							about, (long long) scaled(counts.copies, counts.scale), (long long) c->nrows));
		f->severity = share >= MANY_DUPLICATES ? SEVERITY_MEDIUM : SEVERITY_LOW;
		f->n = scaled(counts.copies, counts.scale);
		f->value = share;
		f->fix = fix_distinct(c);
	}
	share = (double) counts.conflicting * counts.scale / (double) c->nrows;
	if (c->target >= 0 && target_is_class(c) && !twins_unavoidable(c, false) && check_passes(&c->findings, CHECK_CONFLICTING_LABELS, share))
	{
		f = finding_add(&c->findings, CHECK_CONFLICTING_LABELS, c->target, c->column[c->target].name,
						psprintf("%s%lld of %lld rows have a twin that differs in target \"%s\" alone", about,
								 (long long) scaled(counts.conflicting, counts.scale), (long long) c->nrows, c->column[c->target].name));
		f->n = scaled(counts.conflicting, counts.scale);
		f->value = share;
		f->fix = fix_conflicts(c);
	}
}

/* ---- the call ---- */

static char *
text_or_null(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static char *
text_or_fail(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return text_or_null(fcinfo, argument);
}

static Jsonb *
json_or_null(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

PG_FUNCTION_INFO_V1(ml_checks);
Datum
ml_checks(PG_FUNCTION_ARGS)
{
	const char *test = text_or_null(fcinfo, 4);
	Checking   *c;

	c = checking_open(text_or_fail(fcinfo, 0, "source"), text_or_null(fcinfo, 1), text_or_null(fcinfo, 2), text_or_null(fcinfo, 3));
	thresholds_parse(json_or_null(fcinfo, 5), c->findings.threshold);
	c->as_of = PG_ARGISNULL(6) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(6);
	checking_scan(c);
	check_target(c);
	check_columns(c);
	check_texts(c);
	check_pairs(c);
	check_twins(c);
	if (test)
		check_test(c, test);
	InitMaterializedSRF(fcinfo, 0);
	findings_put(fcinfo, &c->findings);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ml_overlap);
Datum
ml_overlap(PG_FUNCTION_ARGS)
{
	const char *test = text_or_fail(fcinfo, 1, "test");
	Checking   *c;

	c = checking_open(text_or_fail(fcinfo, 0, "train"), text_or_null(fcinfo, 4), text_or_null(fcinfo, 2), text_or_null(fcinfo, 3));
	thresholds_parse(json_or_null(fcinfo, 5), c->findings.threshold);
	checking_scan(c);
	check_test(c, test);
	InitMaterializedSRF(fcinfo, 0);
	findings_put(fcinfo, &c->findings);
	return (Datum) 0;
}
