/*
 * findings.c
 *		Findings: collected, put in order, shown.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "checks/checks_internal.h"

Finding *
finding_add(Findings *findings, CheckId check, int place, const char *column, char *message)
{
	Finding    *finding = palloc0(sizeof(Finding));

	finding->check = check;
	finding->severity = check_definitions[check].severity;
	finding->place = place;
	finding->sequence = list_length(findings->list);
	finding->columns = column ? list_make1(pstrdup(column)) : NIL;
	finding->message = message;
	finding->n = -1;
	finding->value = NAN;
	findings->list = lappend(findings->list, finding);
	return finding;
}

/* The most severe first, then in the order of the checks and of the columns. */
static int
compare_findings(const ListCell *a, const ListCell *b)
{
	const Finding *x = lfirst(a);
	const Finding *y = lfirst(b);

	if (x->severity != y->severity)
		return (int) x->severity - (int) y->severity;
	if (x->check != y->check)
		return (int) x->check - (int) y->check;
	return x->place != y->place ? x->place - y->place : x->sequence - y->sequence;
}

static Datum
names_datum(List *names)
{
	int			n = list_length(names);
	Datum	   *name = palloc(sizeof(Datum) * Max(n, 1));
	ListCell   *lc;

	foreach(lc, names)
		name[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(name, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
findings_put(FunctionCallInfo fcinfo, Findings *findings)
{
	static const char *const severities[] = {"high", "medium", "low"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	list_sort(findings->list, compare_findings);
	foreach(lc, findings->list)
	{
		const Finding *f = lfirst(lc);
		Datum		value[] = {
			CStringGetTextDatum(severities[f->severity]), CStringGetTextDatum(check_definitions[f->check].name), names_datum(f->columns),
			CStringGetTextDatum(f->message), Int64GetDatum(f->n), Float8GetDatum(f->value), Float8GetDatum(findings->threshold[f->check]),
			f->fix ? CStringGetTextDatum(f->fix) : (Datum) 0
		};
		bool		null[] = {false, false, false, false, f->n < 0, isnan(f->value), false, f->fix == NULL};

		tuplestore_putvalues(result->setResult, result->setDesc, value, null);
	}
}

/* ---- words ---- */

/* Never rounded to nothing or to all. */
char *
percent(double share)
{
	double		shown = 100 * share;

	if (shown >= 99.5 && share < 1)
		return psprintf("%.*f %%", shown >= 99.95 ? 3 : 1, shown);
	if (shown >= 1 || shown == 0)
		return psprintf("%.0f %%", shown);
	return psprintf("%.2g %%", shown);
}

char *
quoted_values(const TopValue *top, int n, int most)
{
	StringInfoData list;
	int			shown = n <= most ? n : most - 1;

	initStringInfo(&list);
	for (int i = 0; i < shown; i++)
		appendStringInfo(&list, "%s'%s' (" INT64_FORMAT ")", i == 0 ? "" : i == n - 1 ? " and " : ", ", top[i].text, top[i].count);
	if (shown < n)
		appendStringInfo(&list, " and %d others", n - shown);
	return list.data;
}
