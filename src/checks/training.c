/*
 * training.c
 *		The checks that run inside every training, on a sample of its rows.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "checks/checks_internal.h"

#define SAMPLE_ROWS 4096
#define SAMPLE_CELLS (256 * 1024)
#define MANY_CLASSES 100		/* beyond, the predictive power of a column is not looked at */
#define FEWEST_ROWS 50
#define HIGH_POWER 0.9			/* below, a good column may be just that */
#define KEY_SHARE 0.9			/* of texts that differ */
#define MOST_LEVELS 10000		/* of a column that are looked at */
#define FEW_LEVELS 20			/* numbers that may be names of classes */
#define MOST_SHOWN 6
#define ROWS_PER_CHECK 4096

typedef struct TrainingCheck
{
	const Frame *frame;
	const ColumnSummary *summaries;
	Task		task;
	int64		nrows;			/* that train */
	Sample		sample;
	SampleColumn target;
	CheckTarget predicted;
	List	   *lines;
} TrainingCheck;

static double
threshold_of(CheckId check)
{
	return check_definitions[check].threshold;
}

static void
add_line(TrainingCheck *t, CheckId check, char *message)
{
	t->lines = lappend(t->lines, psprintf("%s: %s", check_definitions[check].name, message));
}

/* ---- the sample ---- */

static void
code_column(TrainingCheck *t, const FrameColumn *column, const double *value, SampleColumn *coded)
{
	sample_code_numbers(&t->sample, coded, value);
	coded->number = column->kind != KIND_CATEGORY;
	coded->name = column->name;
}

static void
open_target(TrainingCheck *t)
{
	int32	   *class = palloc(sizeof(int32) * Max(t->sample.nrows, 1));
	double	   *value = palloc(sizeof(double) * Max(t->sample.nrows, 1));

	for (int row = 0; row < t->sample.nrows; row++)
	{
		class[row] = t->target.code[row];
		value[row] = sample_value(&t->target, row);
	}
	t->predicted = (CheckTarget) {.nclasses = t->frame->classification ? t->target.ncodes : 0,.class = class,.value = value};
}

static void
open_sample(TrainingCheck *t)
{
	const Frame *frame = t->frame;
	double	   *cells;

	t->sample.nrows = (int) Min(t->nrows, Min(SAMPLE_ROWS, Max(SAMPLE_CELLS / frame->ncells, FEWEST_ROWS)));
	t->sample.total = t->sample.nrows;
	t->sample.whole = t->sample.nrows == t->nrows;
	t->sample.ncolumns = frame->ncolumns;
	t->sample.column = palloc0(sizeof(SampleColumn) * Max(frame->ncolumns, 1));
	cells = palloc(sizeof(double) * Max(t->sample.nrows * frame->ncells, 1));
	frame_gather(frame, 0, frame->ncells, frame->part_start[PART_TRAIN], t->sample.nrows, cells);
	for (int j = 0; j < frame->ncolumns; j++)
		code_column(t, &frame->columns[j], cells + (Size) j * t->sample.nrows, &t->sample.column[j]);
	code_column(t, &frame->target, cells + (Size) frame->ncolumns * t->sample.nrows, &t->target);
	pfree(cells);
	open_target(t);
}

/* ---- leakage ---- */

static bool
is_copy(const TrainingCheck *t, const SampleColumn *column)
{
	if (t->predicted.nclasses == 0 && column->number && fabs(pearson(&t->sample, column, &t->target, t->sample.nrows)) > 1 - 1e-12)
		return true;
	return determines(&t->sample, column, &t->target);
}

/* Whether the column is missing says as much as the column could. */
static double
power_of_missing(const TrainingCheck *t, int j)
{
	return t->summaries[j].missing == 0 || t->summaries[j].missing == t->nrows ? NAN : missing_power(&t->sample, &t->sample.column[j], &t->predicted);
}

/* Leakage is told where neither a copy nor being filled in afterwards explains it. */
static void
check_leak(TrainingCheck *t, int j)
{
	const SampleColumn *column = &t->sample.column[j];
	double		missing = power_of_missing(t, j);
	double		power = NAN;
	bool		copy;

	/* not of keys; a number that differs in each row may still be the target in disguise */
	if (column->ncodes > 0 && (column->number || column->ncodes < KEY_SHARE * t->sample.nrows))
		power = column_power(&t->sample, column, &t->predicted);
	copy = power >= HIGH_POWER && is_copy(t, column);
	if (copy)
		add_line(t, CHECK_TARGET_COPY, psprintf("column \"%s\" says what target \"%s\" is, value by value", column->name, t->target.name));
	if (missing >= threshold_of(CHECK_FILLED_AFTER_OUTCOME))
		add_line(t, CHECK_FILLED_AFTER_OUTCOME,
				 psprintf("whether column \"%s\" is missing tells target \"%s\" (%s); is it filled in when the outcome is known?", column->name,
						  t->target.name, power_shown(&t->predicted, missing)));
	else if (power >= HIGH_POWER && !copy)
		add_line(t, CHECK_LEAKAGE, psprintf("column \"%s\" alone predicts target \"%s\" suspiciously well (%s); is it known before the target?",
			column->name,
											t->target.name, power_shown(&t->predicted, power)));
}

/* ---- missing values ---- */

/* Levels that stand for NULL, with the rows that have them; and levels that are numbers. */
static void
check_levels(TrainingCheck *t, int j)
{
	const FrameColumn *column = &t->frame->columns[j];
	int			nlevels = dictionary_size(column->levels);
	TopValue	found[MOST_SHOWN];
	int			n = 0;
	const char **known = palloc(sizeof(char *) * Max(nlevels, 1));
	int			nknown = 0;
	int64		others = 0,
				numbers = 0;

	for (int level = 0; level < nlevels; level++)
	{
		int64		rows = t->summaries[j].level_count[level];
		const char *text = dictionary_text(column->levels, level);
		int			what = rows > 0 && level < MOST_LEVELS ? text_what(text, dictionary_length(column->levels, level)) : 0;

		if (level % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (what & TEXT_NUMBER)
			known[nknown++] = text;
		if ((what & (TEXT_EMPTY | TEXT_SENTINEL)) && n < MOST_SHOWN)
			found[n++] = (TopValue) {.text = text,.count = rows};
		numbers += what & TEXT_NUMBER ? rows : 0;
		others += what & (TEXT_NUMBER | TEXT_EMPTY | TEXT_SENTINEL) ? 0 : rows;
	}
	if (n > 0)
		add_line(t, CHECK_SENTINEL_TEXT, psprintf("column \"%s\" has texts that stand for NULL: %s", column->name, quoted_values(found, n, n)));
	if (column->original != KIND_NUMBER && nlevels > FEW_LEVELS && numbers > 0 && (double) numbers >= threshold_of(CHECK_NUMBER_AS_TEXT) * (double) (numbers + others) &&
		!are_codes(known, nknown))
		add_line(t, CHECK_NUMBER_AS_TEXT, psprintf("column \"%s\" holds numbers as text; preprocess => '{\"%s\": \"number\"}' reads them",
			column->name,
												   column->name));
}

/* Numbers and dates that stand for NULL, in the sample. */
static void
check_numbers(TrainingCheck *t, int j)
{
	const SampleColumn *column = &t->sample.column[j];
	DistributionBin *bin = palloc(sizeof(DistributionBin) * Max(column->ncodes, 1));
	TopValue	found[MOST_SENTINEL_NUMBERS];
	int			nbins = 0;
	int			n;

	for (int code = 0; code < column->ncodes; code++)
		if (isfinite(column->code_value[code]))
			bin[nbins++] = (DistributionBin) {.count = column->code_rows[code],.low = column->code_value[code],.high = column->code_value[code]};
	n = sentinel_numbers(t->frame->columns[j].kind, bin, nbins, found);
	for (int i = 0; i < n; i++)
		found[i].text = number_text(t->frame->columns[j].kind, found[i].number);
	if (n > 0)
		add_line(t, CHECK_SENTINEL_NUMBER, psprintf("column \"%s\" has values that look like stand-ins for NULL: %s%s", column->name,
													quoted_values(found, n, MOST_SHOWN), t->sample.whole ? "" : " among the rows looked at"));
	pfree(bin);
}

static void
check_missing(TrainingCheck *t, int j)
{
	const SampleColumn *column = &t->sample.column[j];
	double		share = (double) t->summaries[j].missing / (double) t->nrows;

	if (t->summaries[j].missing < t->nrows && share >= threshold_of(CHECK_MISSING_VALUES))
		add_line(t, CHECK_MISSING_VALUES, psprintf("column \"%s\" is missing in %lld of %lld training rows (%s)", column->name,
												   (long long) t->summaries[j].missing, (long long) t->nrows, percent(share)));
}

/* ---- classes ---- */

/* In the sample; the classes' own order decides between equal counts. */
static void
check_imbalance(TrainingCheck *t)
{
	const Dictionary *labels = t->frame->target.levels;
	int			rarest = 0,
				usual = 0;

	for (int code = 1; code < t->target.ncodes; code++)
	{
		rarest = t->target.code_rows[code] < t->target.code_rows[rarest] ? code : rarest;
		usual = t->target.code_rows[code] > t->target.code_rows[usual] ? code : usual;
	}
	if (t->target.ncodes < 2 || t->target.code_rows[rarest] >= threshold_of(CHECK_CLASS_IMBALANCE) * (double) t->target.code_rows[usual])
		return;
	add_line(t, CHECK_CLASS_IMBALANCE, psprintf("classes of target \"%s\" are imbalanced: \"%s\" %lld to \"%s\" %lld%s; see class_weight",
		t->target.name,
												dictionary_text(labels, (int) t->target.code_value[rarest]), (long long) t->target.code_rows[rarest],
												dictionary_text(labels, (int) t->target.code_value[usual]), (long long) t->target.code_rows[usual],
												t->sample.whole ? "" : " among the rows looked at"));
}

static void
check_columns_of_training(TrainingCheck *t)
{
	bool		leaks = t->task != TASK_ANOMALY && t->target.ncodes > 1 && t->predicted.nclasses <= MANY_CLASSES;

	for (int j = 0; j < t->frame->ncolumns; j++)
	{
		CHECK_FOR_INTERRUPTS();
		if (leaks)
			check_leak(t, j);
		check_missing(t, j);
		if (t->frame->columns[j].kind == KIND_CATEGORY)
			check_levels(t, j);
		else
			check_numbers(t, j);
	}
}

List *
checks_of_training(const Frame *frame, const ColumnSummary *summaries, Task task, bool balanced)
{
	TrainingCheck t = {.frame = frame,.summaries = summaries,.task = task,.nrows = frame_part_rows(frame, PART_TRAIN)};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext working;
	List	   *lines = NIL;
	ListCell   *lc;

	if (t.nrows < FEWEST_ROWS)
		return NIL;
	working = AllocSetContextCreate(caller, "relearn checks", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(working);
	open_sample(&t);
	check_columns_of_training(&t);
	if (frame->classification && !balanced)
		check_imbalance(&t);
	MemoryContextSwitchTo(caller);
	foreach(lc, t.lines)
		lines = lappend(lines, pstrdup(lfirst(lc)));
	MemoryContextDelete(working);
	return lines;
}
