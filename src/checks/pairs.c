/*
 * pairs.c
 *		Checks of columns against each other: the same thing twice, sums, what follows from what.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "checks/checks_internal.h"

#define MOST_WORK 3e8			/* cells that association is measured on; beyond, fewer rows are looked at */
#define FEWEST_ROWS 1000
#define MOST_LEVELS 100			/* of categories that are compared */
#define MOST_PAIR_LEVELS 50		/* of each of two columns that determine a third */
#define MOST_PAIR_COLUMNS 40	/* that take part in that */
#define MOST_IDENTITIES 32
#define SAME 0.9999				/* correlation */

typedef struct Pairs
{
	Checking   *c;
	const Sample *sample;
	int			nrows;			/* of the sample, that association is measured on */
	bool	   *explained;		/* (ncolumns) follows from another column, and was reported */
} Pairs;

static bool
takes_part(const Pairs *p, int i)
{
	const CheckColumn *column = &p->c->column[i];

	return column->read && !column->key && i != p->c->target && i != p->c->key && p->sample->column[i].ncodes > 1;
}

static Finding *
pair_finding(Pairs *p, CheckId check, int at, int other, double value, char *message)
{
	Finding    *f = finding_add(&p->c->findings, check, at, p->c->column[at].name, message);

	if (other >= 0)
		f->columns = lappend(f->columns, pstrdup(p->c->column[other].name));
	f->value = value;
	f->fix = fix_without(p->c, list_make1(unconstify(char *, p->c->column[at].name)));
	return f;
}

/* "all rows" of a small source, else of the sample. */
static char *
rows_shown(const Pairs *p)
{
	return p->sample->whole ? psprintf("all %lld rows", (long long) p->sample->total) :
		psprintf("all %lld rows looked at", (long long) p->sample->total);
}

/* ---- the same twice ---- */

/* Of numbers Pearson's, of categories Cramer's; 0 where neither is defined. */
static double
association(const Pairs *p, const SampleColumn *a, const SampleColumn *b)
{
	if (a->number && b->number)
		return fabs(pearson(p->sample, a, b, p->nrows));
	if (!a->number && !b->number && a->ncodes <= MOST_LEVELS && b->ncodes <= MOST_LEVELS)
		return cramers_v(p->sample, a, b, p->nrows);
	return 0;
}

static void
report_pair(Pairs *p, int a, int b, bool exact, double value)
{
	const SampleColumn *x = &p->sample->column[a];
	bool		same = exact || (x->number && value >= SAME);
	Finding    *f = pair_finding(p, CHECK_REDUNDANT_PAIR, b, a, value, NULL);

	f->severity = same ? SEVERITY_MEDIUM : SEVERITY_LOW;
	if (exact)
		f->message = psprintf("columns \"%s\" and \"%s\" say the same: in %s each value of one goes with one value of the other",
			p->c->column[a].name,
							  p->c->column[b].name, rows_shown(p));
	else
		f->message = psprintf("columns \"%s\" and \"%s\" say nearly the same: %s %.4f", p->c->column[a].name, p->c->column[b].name,
							  x->number ? "correlation" : "Cramer's V", value);
	p->explained[b] |= same;
}

/* The later column is the redundant one.  What determines the other in one direction only is reported as that, further below. */
static void
compare_pair(Pairs *p, int a, int b)
{
	const SampleColumn *x = &p->sample->column[a];
	const SampleColumn *y = &p->sample->column[b];
	double		value = association(p, x, y);
	bool		forth = (value >= 0.5 || x->number != y->number) && determines(p->sample, x, y),
				back = (forth || value >= p->c->findings.threshold[CHECK_REDUNDANT_PAIR]) && determines(p->sample, y, x);

	if (forth && back)
		value = 1;
	else if (forth || back)
		return;
	if (check_exceeds(&p->c->findings, CHECK_REDUNDANT_PAIR, value))
		report_pair(p, a, b, forth && back, value);
}

static void
compare_pairs(Pairs *p)
{
	for (int b = 1; b < p->c->ncolumns; b++)
		for (int a = 0; a < b && !p->explained[b]; a++)
			if (takes_part(p, a) && takes_part(p, b) && !p->explained[a])
			{
				CHECK_FOR_INTERRUPTS();
				compare_pair(p, a, b);
			}
}

/* ---- sums ---- */

static char *
identity_shown(const Checking *c, const Identity *identity)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s =", quote_identifier(c->column[identity->column].name));
	for (int t = 0; t < identity->nterms; t++)
	{
		double		factor = identity->factor[t];

		appendStringInfoString(&out, factor < 0 ? " - " : t ? " + " : " ");
		if (fabs(factor) != 1)
			appendStringInfo(&out, "%.10g * ", fabs(factor));
		appendStringInfoString(&out, quote_identifier(c->column[identity->term[t]].name));
	}
	if (identity->constant != 0)
		appendStringInfo(&out, " %c %.10g", identity->constant < 0 ? '-' : '+', fabs(identity->constant));
	return out.data;
}

static void
report_identity(Pairs *p, const Identity *identity)
{
	bool		target = identity->column == p->c->target;
	CheckId		check = target ? CHECK_TARGET_IDENTITY : CHECK_LINEAR_IDENTITY;
	List	   *terms = NIL;
	Finding    *f;

	for (int t = 0; t < identity->nterms; t++)
		terms = lappend(terms, unconstify(char *, p->c->column[identity->term[t]].name));
	if (isnan(p->c->findings.threshold[check]) || (!target && p->explained[identity->column]))
		return;
	f = pair_finding(p, check, target ? identity->term[0] : identity->column, -1, 1,
					 psprintf("%s%s in %s", target ? "the target is a sum of other columns: " : "", identity_shown(p->c, identity), rows_shown(p)));
	if (target)
	{
		f->columns = terms;
		f->fix = fix_without(p->c, terms);
	}
	else
	{
		f->columns = list_concat(f->columns, terms);
		p->explained[identity->column] = true;
	}
}

static void
find_sums(Pairs *p)
{
	Identity	identity[MOST_IDENTITIES];
	int			target = p->c->target >= 0 && p->sample->column[p->c->target].number ? p->c->target : -1;
	int			n = find_identities(p->sample, target, identity, MOST_IDENTITIES);

	for (int i = 0; i < n; i++)
		report_identity(p, &identity[i]);
}

/* ---- what follows from what ---- */

/* Of the columns that determine this one, and not just by being missing, the one of fewest values; -1 = none. */
static int
determining_column(const Pairs *p, int b)
{
	int			found = -1;

	for (int a = 0; a < p->c->ncolumns; a++)
	{
		const SampleColumn *x = &p->sample->column[a];

		if (a != b && takes_part(p, a) && !p->explained[a] && x->ncodes + 1 >= p->sample->column[b].ncodes &&
			(found < 0 || x->ncodes < p->sample->column[found].ncodes) && determines(p->sample, x, &p->sample->column[b]) &&
			!says_where_missing(p->c, b, a))
			found = a;
	}
	return found;
}

/* What follows from one column, or from two: one finding. */
static void
report_determined(Pairs *p, List *determined, int a, int other)
{
	int			first = linitial_int(determined);
	StringInfoData names;
	Finding    *f = pair_finding(p, CHECK_DETERMINED_COLUMN, first, -1, 1, NULL);
	ListCell   *lc;

	f->columns = NIL;
	initStringInfo(&names);
	foreach(lc, determined)
	{
		f->columns = lappend(f->columns, unconstify(char *, p->c->column[lfirst_int(lc)].name));
		appendStringInfo(&names, "%s\"%s\"", foreach_current_index(lc) ? ", " : "", p->c->column[lfirst_int(lc)].name);
	}
	f->fix = fix_without(p->c, f->columns);
	f->columns = lappend(list_copy(f->columns), unconstify(char *, p->c->column[a].name));
	f->message = psprintf("column%s %s follow%s from column%s \"%s\"", list_length(determined) == 1 ? "" : "s", names.data,
						  list_length(determined) == 1 ? "s" : "", other < 0 ? "" : "s", p->c->column[a].name);
	if (other >= 0)
	{
		f->columns = lappend(f->columns, unconstify(char *, p->c->column[other].name));
		f->message = psprintf("%s and \"%s\"", f->message, p->c->column[other].name);
	}
	f->message = psprintf("%s in %s", f->message, rows_shown(p));
}

static void
find_determined(Pairs *p)
{
	List	  **of = palloc0(sizeof(List *) * p->c->ncolumns);

	for (int b = 0; b < p->c->ncolumns; b++)
	{
		int			a = -1;

		CHECK_FOR_INTERRUPTS();
		if (takes_part(p, b) && !p->explained[b])
			a = determining_column(p, b);
		if (a < 0)
			continue;
		of[a] = lappend_int(of[a], b);
		p->explained[b] = true;
	}
	for (int a = 0; a < p->c->ncolumns; a++)
		if (of[a] != NIL)
			report_determined(p, of[a], a, -1);
}

static void
find_pair_that_determines(Pairs *p, int c, const int *candidate, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++)
		{
			const SampleColumn *x = &p->sample->column[candidate[i]],
					   *y = &p->sample->column[candidate[j]];

			if (candidate[i] == c || candidate[j] == c || p->explained[candidate[i]] || p->explained[candidate[j]] ||
				!pair_determines(p->sample, x, y, &p->sample->column[c]) || says_where_missing(p->c, c, candidate[i]) ||
				says_where_missing(p->c, c, candidate[j]))
				continue;
			report_determined(p, list_make1_int(c), candidate[i], candidate[j]);
			p->explained[c] = true;
			return;
		}
}

static void
find_determined_by_pairs(Pairs *p)
{
	int			candidate[MOST_PAIR_COLUMNS];
	int			n = 0;

	for (int i = 0; i < p->c->ncolumns && n < MOST_PAIR_COLUMNS; i++)
		if (takes_part(p, i) && !p->explained[i] && p->sample->column[i].ncodes <= MOST_PAIR_LEVELS)
			candidate[n++] = i;
	for (int c = 0; c < p->c->ncolumns; c++)
		if (takes_part(p, c) && !p->explained[c])
		{
			CHECK_FOR_INTERRUPTS();
			find_pair_that_determines(p, c, candidate, n);
		}
}

void
check_pairs(Checking *c)
{
	Pairs		p = {.c = c,.sample = &c->sample};
	double		pairs = (double) c->ncolumns * (c->ncolumns - 1) / 2;

	if (c->sample.nrows == 0)
		return;
	p.nrows = (int) fmin(c->sample.nrows, fmax(MOST_WORK / fmax(pairs, 1) / 10, FEWEST_ROWS));
	p.explained = palloc0(sizeof(bool) * Max(c->ncolumns, 1));
	compare_pairs(&p);
	find_sums(&p);
	if (isnan(c->findings.threshold[CHECK_DETERMINED_COLUMN]))
		return;
	find_determined(&p);
	find_determined_by_pairs(&p);
}
