/*
 * target.c
 *		Checks of the target, and of what the columns say about it.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "checks/checks_internal.h"

#define HIGH_POWER 0.9
#define MOST_SHOWN 6			/* values named in a message */
#define FEWEST_UNKNOWN 20		/* rows without a target, to learn from */
#define MOSTLY_WITH_TARGET 0.8	/* of the columns: then it is the rows that are empty */

typedef struct TargetCheck
{
	Checking   *c;
	const SampleColumn *sampled;	/* the target */
	CheckTarget target;
	CheckTarget known;			/* two classes: unknown, known */
	bool		has_unknown;
} TargetCheck;

static Finding *
target_finding(TargetCheck *t, CheckId check, int place, int64 n, double value, char *message)
{
	Finding    *f = finding_add(&t->c->findings, check, place, t->c->column[place].name, message);

	f->n = n;
	f->value = value;
	return f;
}

/* ---- what is to be predicted ---- */

/* Texts and truth values are classes, and so are integers of two values. */
bool
target_is_class(const Checking *c)
{
	const CheckColumn *target = &c->column[c->target];

	return target->kind == KIND_CATEGORY || target->kind == KIND_BOOLEAN ||
		(target->kind == KIND_NUMBER && target->statistics.distinct <= 2 && target->statistics.fractions == 0);
}

/* Numbers are, and classes unless there are more than ml.train takes or nearly as many as rows. */
bool
target_is_learnable(const Checking *c)
{
	const CheckColumn *target = &c->column[c->target];

	return target->kind != KIND_CATEGORY ||
		(target->statistics.distinct <= MOST_CLASSES && !levels_are_key(target->statistics.distinct, (double) target->sketch->header.n));
}

static void
open_target(TargetCheck *t)
{
	const Sample *sample = &t->c->sample;
	int32	   *class = palloc(sizeof(int32) * Max(sample->nrows, 1));
	int32	   *known = palloc(sizeof(int32) * Max(sample->nrows, 1));
	double	   *value = palloc(sizeof(double) * Max(sample->nrows, 1));
	int			unknown = 0;

	t->sampled = &sample->column[t->c->target];
	for (int row = 0; row < sample->nrows; row++)
	{
		bool		missing = t->sampled->code[row] == t->sampled->ncodes;

		class[row] = missing ? -1 : t->sampled->code[row];
		value[row] = t->sampled->number && !missing && isfinite(sample_value(t->sampled, row)) ? sample_value(t->sampled, row) : NAN;
		known[row] = !missing;
		unknown += missing;
	}
	t->target = (CheckTarget) {.nclasses = target_is_class(t->c) ? Max(t->sampled->ncodes, 2) : 0,.class = class,.value = value};
	t->known = (CheckTarget) {.nclasses = 2,.class = known};
	t->has_unknown = unknown >= FEWEST_UNKNOWN && sample->nrows - unknown >= FEWEST_UNKNOWN;
}

/* ---- the target itself ---- */

/* Classes of too few rows; the rarest comes last.  The fix leaves all of them out. */
static void
check_rare_classes(TargetCheck *t, TopValue *top, int n)
{
	const CheckColumn *target = &t->c->column[t->c->target];
	TopValue   *rare;
	int			nrare = 0;
	int64		rows = 0;
	Finding    *f;

	while (nrare < n && top[n - 1 - nrare].count < t->c->findings.threshold[CHECK_RARE_CLASS])
		rows += top[n - ++nrare].count;
	if (nrare == 0)
		return;
	rare = &top[n - nrare];
	f = target_finding(t, CHECK_RARE_CLASS, t->c->target, rows, (double) top[n - 1].count, NULL);
	if (nrare == 1)
		f->message = psprintf("class '%s' of target \"%s\" has only %lld row%s", rare->text, target->name, (long long) rows, rows == 1 ? "" : "s");
	else
		f->message = psprintf("%d of the %d classes of target \"%s\" have fewer than %g rows: %s", nrare, n, target->name,
							  t->c->findings.threshold[CHECK_RARE_CLASS], quoted_values(rare, nrare, MOST_SHOWN));
	if (rows < target->sketch->header.n / 2)
		f->fix = fix_without_values(t->c, t->c->target, rare, nrare);
}

static void
check_imbalance(TargetCheck *t, TopValue *top, int n)
{
	const CheckColumn *target = &t->c->column[t->c->target];
	const TopValue *rarest = &top[n - 1];
	double		ratio = (double) rarest->count / (double) top[0].count;
	Finding    *f;

	for (int i = 0; i < n; i++)
		if (top[i].text == NULL)
			top[i].text = number_text(target->kind, top[i].number);
	check_rare_classes(t, top, n);
	if (ratio < t->c->findings.threshold[CHECK_CLASS_IMBALANCE])
	{
		f = target_finding(t, CHECK_CLASS_IMBALANCE, t->c->target, rarest->count, ratio,
						   psprintf("the classes of target \"%s\" are imbalanced: %lld rows are '%s', %lld are '%s'", target->name,
									(long long) rarest->count, rarest->text, (long long) top[0].count, top[0].text));
		f->fix = fix_train(t->c, t->c->key, NIL,
						   target->kind == KIND_NUMBER ? ", params => '{\"class_weight\": \"balanced\"}', task => 'classification'" :
						   ", params => '{\"class_weight\": \"balanced\"}'");
	}
}

/* Texts that hardly repeat: numbers or times in disguise, or a key. */
static void
check_many_classes(TargetCheck *t)
{
	const CheckColumn *target = &t->c->column[t->c->target];
	double		classes = target->statistics.distinct;
	Finding    *f;

	if (!check_passes(&t->c->findings, CHECK_MANY_LEVELS, classes))
		return;
	f = target_finding(t, CHECK_MANY_LEVELS, t->c->target, target->sketch->header.n, classes,
					   psprintf("target \"%s\" has %s%.0f classes in %lld rows, more than can be learned", target->name,
								target->sketch->exact || t->c->sample.whole ? "" : "about ", classes, (long long) target->sketch->header.n));
	f->severity = SEVERITY_HIGH;
}

static void
check_itself(TargetCheck *t)
{
	const CheckColumn *target = &t->c->column[t->c->target];
	const SketchStatistics *s = &target->statistics;
	int64		missing = s->nulls + s->nan;
	int			n;
	int64		error;
	TopValue   *top = sketch_top(target->sketch, PG_INT32_MAX, &n, &error);
	Finding    *f;

	if (check_passes(&t->c->findings, CHECK_MISSING_TARGET, (double) missing / (double) Max(s->n, 1)))
	{
		f = target_finding(t, CHECK_MISSING_TARGET, t->c->target, missing, (double) missing / (double) s->n,
						   psprintf("target \"%s\" is missing in %lld of %lld rows, which train nothing",
							target->name, (long long) missing, (long long) s->n));
		f->fix = fix_where(t->c, psprintf("%s IS NOT NULL", quote_identifier(target->name)));
	}
	if (s->distinct <= 1)
	{
		if (check_exceeds(&t->c->findings, CHECK_CONSTANT_TARGET, 1))
			target_finding(t, CHECK_CONSTANT_TARGET, t->c->target, s->n - missing, 1,
						   psprintf("target \"%s\" has %s", target->name, s->distinct == 1 ? "one value only" : "no value"));
		return;
	}
	if (target->kind == KIND_NUMBER && s->fractions == 0 && s->distinct <= t->c->findings.threshold[CHECK_NUMERIC_CLASSES])
	{
		f = target_finding(t, CHECK_NUMERIC_CLASSES, t->c->target, s->n - missing, s->distinct,
						   psprintf("target \"%s\" is a number of %.0f distinct values: ml.train would predict the number, not the class",
							target->name, s->distinct));
		f->fix = fix_train(t->c, t->c->key, NIL, ", task => 'classification'");
	}
	if (!target_is_learnable(t->c))
		check_many_classes(t);
	else if (t->target.nclasses > 0 && error == 0)
		check_imbalance(t, top, n);
}

/* ---- what a column says about it ---- */

/* Value by value it says what the target is: a copy, or what the target was made from. */
static bool
check_copy(TargetCheck *t, int i)
{
	const Sample *sample = &t->c->sample;
	const SampleColumn *column = &sample->column[i];
	bool		line = t->target.nclasses == 0 && column->number && fabs(pearson(sample, column, t->sampled, sample->nrows)) > 1 - 1e-12;
	bool		back;
	Finding    *f;

	if (isnan(t->c->findings.threshold[CHECK_TARGET_COPY]) || (!line && !determines(sample, column, t->sampled)))
		return false;
	back = line || determines(sample, t->sampled, column);
	f = target_finding(t, CHECK_TARGET_COPY, i, t->c->nrows, 1,
					   psprintf(back ? "column \"%s\" repeats target \"%s\" in other words" : "column \"%s\" says what target \"%s\" is, value by value",
								column->name, t->sampled->name));
	f->fix = fix_without(t->c, f->columns);
	return true;
}

static bool
check_leakage(TargetCheck *t, int i)
{
	const CheckColumn *column = &t->c->column[i];
	Finding    *f;

	if (!check_exceeds(&t->c->findings, CHECK_LEAKAGE, column->power))
		return false;
	f = target_finding(t, CHECK_LEAKAGE, i, -1, column->power,
					   psprintf("column \"%s\" alone predicts target \"%s\" suspiciously well on rows it did not learn from (%s): is it known before the target?",
								column->name, t->sampled->name, power_shown(&t->target, column->power)));
	f->severity = column->power >= HIGH_POWER ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	f->fix = fix_without(t->c, f->columns);
	return true;
}

static bool
check_filled(TargetCheck *t, int i)
{
	const CheckColumn *column = &t->c->column[i];
	double		power = missing_power(&t->c->sample, &t->c->sample.column[i], &t->target);
	Finding    *f;

	if (!check_exceeds(&t->c->findings, CHECK_FILLED_AFTER_OUTCOME, power))
		return false;
	f = target_finding(t, CHECK_FILLED_AFTER_OUTCOME, i, column->statistics.nulls + column->statistics.nan, power,
					   psprintf("whether column \"%s\" is NULL tells target \"%s\" (%s): it is filled in when the outcome is known", column->name,
								t->sampled->name, power_shown(&t->target, power)));
	f->fix = fix_without(t->c, f->columns);
	return true;
}

static void
check_gap(TargetCheck *t, int i)
{
	const CheckColumn *column = &t->c->column[i];
	double		gap = missing_gap(&t->c->sample, &t->c->sample.column[i], &t->target);
	Finding    *f;

	if (!check_exceeds(&t->c->findings, CHECK_MISSING_PREDICTS, gap) || missing_is_told(t->c, i))
		return;
	f = target_finding(t, CHECK_MISSING_PREDICTS, i, column->statistics.nulls + column->statistics.nan, gap,
					   t->target.nclasses > 0 ?
					   psprintf("column \"%s\" is NULL more often in one class of target \"%s\" than in the others: the shares differ by %.2f",
						column->name,
								t->sampled->name, gap) :
					   psprintf("whether column \"%s\" is NULL correlates with target \"%s\": %.2f", column->name, t->sampled->name, gap));
	f->fix = fix_add_missing(t->c, i, false);
}

/* True where what is found makes the column useless: it is part of the outcome. */
static bool
check_column(TargetCheck *t, int i)
{
	const CheckColumn *column = &t->c->column[i];
	bool		missing = t->c->sample.column[i].code_rows[t->c->sample.column[i].ncodes] > 0;

	if (column->key)
		return false;
	if (check_copy(t, i) || (missing && check_filled(t, i)) || check_leakage(t, i))
		return true;
	if (missing)
		check_gap(t, i);
	return false;
}

/* ---- recorded together with the target ---- */

/* Where nearly all columns go with it, rows without a target are empty ones, which says nothing about the columns. */
static void
check_recorded(TargetCheck *t)
{
	Checking   *c = t->c;
	double	   *power = palloc(sizeof(double) * Max(c->ncolumns, 1));
	int			n = 0,
				with = 0;

	if (!t->has_unknown)
		return;
	for (int i = 0; i < c->ncolumns; i++)
	{
		power[i] = NAN;
		if (!c->column[i].read || i == c->target || c->column[i].key || i == c->key)
			continue;
		power[i] = column_power(&c->sample, &c->sample.column[i], &t->known);
		n++;
		with += power[i] >= c->findings.threshold[CHECK_RECORDED_WITH_TARGET];
	}
	if (with > MOSTLY_WITH_TARGET * n)
		return;
	for (int i = 0; i < c->ncolumns; i++)
	{
		Finding    *f;

		if (!check_exceeds(&c->findings, CHECK_RECORDED_WITH_TARGET, power[i]) || c->column[i].outcome)
			continue;
		f = target_finding(t, CHECK_RECORDED_WITH_TARGET, i, c->column[c->target].statistics.nulls, power[i],
						   psprintf("column \"%s\" tells whether target \"%s\" is known (%s): the two are recorded together",
							c->column[i].name, t->sampled->name,
									power_shown(&t->known, power[i])));
		f->fix = fix_without(c, f->columns);
	}
}

void
check_target(Checking *c)
{
	TargetCheck t = {.c = c};

	if (c->target < 0 || c->nrows == 0)
		return;
	open_target(&t);
	check_itself(&t);
	if (t.sampled->ncodes < 2)
		return;
	for (int i = 0; i < c->ncolumns; i++)
	{
		CheckColumn *column = &c->column[i];

		if (!column->read || i == c->target || i == c->key || c->sample.column[i].ncodes == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		column->power = column_power(&c->sample, &c->sample.column[i], &t.target);
		column->outcome = check_column(&t, i);
	}
	check_recorded(&t);
}
