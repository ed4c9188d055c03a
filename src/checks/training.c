/*
 * training.c
 *		The checks that run inside every training, on a sample of its rows.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "checks/checks_internal.h"

#define SAMPLE_ROWS 10000
#define MANY_CLASSES 100		/* beyond, the predictive power of a column is not looked at */
#define FEWEST_ROWS 50

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
code_cells(TrainingCheck *t, int cell, bool category, SampleColumn *column)
{
	double	   *value = palloc(sizeof(double) * Max(t->sample.nrows, 1));

	for (int row = 0; row < t->sample.nrows; row++)
		value[row] = frame_row(t->frame, row)[cell];
	sample_code_numbers(&t->sample, column, value);
	column->number = !category;
	pfree(value);
}

static void
open_sample(TrainingCheck *t)
{
	const Frame *frame = t->frame;
	int32	   *class;
	double	   *value;

	t->sample.nrows = (int) Min(t->nrows, SAMPLE_ROWS);
	t->sample.total = t->sample.nrows;
	t->sample.whole = t->sample.nrows == t->nrows;
	t->sample.ncolumns = frame->ncolumns;
	t->sample.column = palloc0(sizeof(SampleColumn) * Max(frame->ncolumns, 1));
	for (int j = 0; j < frame->ncolumns; j++)
	{
		code_cells(t, j, frame->columns[j].kind == KIND_CATEGORY, &t->sample.column[j]);
		t->sample.column[j].name = frame->columns[j].name;
	}
	code_cells(t, frame->ncolumns, frame->classification, &t->target);
	t->target.name = frame->target.name;
	class = palloc(sizeof(int32) * Max(t->sample.nrows, 1));
	value = palloc(sizeof(double) * Max(t->sample.nrows, 1));
	for (int row = 0; row < t->sample.nrows; row++)
	{
		class[row] = t->target.code[row];
		value[row] = sample_value(&t->target, row);
	}
	t->predicted = (CheckTarget) {.nclasses = frame->classification ? t->target.ncodes : 0,.class = class,.value = value};
}

/* ---- leakage ---- */

static bool
is_copy(const TrainingCheck *t, const SampleColumn *column)
{
	if (t->predicted.nclasses == 0 && column->number && fabs(pearson(&t->sample, column, &t->target, t->sample.nrows)) > 1 - 1e-12)
		return true;
	return determines(&t->sample, column, &t->target);
}

static void
check_leak(TrainingCheck *t, const SampleColumn *column)
{
	double		power;

	if (column->ncodes == 0 || (double) column->ncodes >= 0.9 * t->sample.nrows)
	{
		/* a number that differs in each row may still be the target in disguise */
		if (!column->number)
			return;
	}
	power = column_power(&t->sample, column, &t->predicted);
	if (!(power >= threshold_of(CHECK_LEAKAGE)))
		return;
	if (is_copy(t, column))
		add_line(t, CHECK_TARGET_COPY, psprintf("column \"%s\" says what target \"%s\" is, value by value", column->name, t->target.name));
	else
		add_line(t, CHECK_LEAKAGE, psprintf("column \"%s\" alone predicts target \"%s\" suspiciously well (%s); is it known before the target?", column->name,
											t->target.name, power_shown(&t->predicted, power)));
}

/* ---- missing values ---- */

/* Levels that stand for NULL, with the rows that have them. */
static void
check_levels(TrainingCheck *t, int j)
{
	const FrameColumn *column = &t->frame->columns[j];
	int			nlevels = dictionary_size(column->levels);
	TopValue	found[6];
	int			n = 0;

	for (int level = 0; level < nlevels && n < (int) lengthof(found); level++)
	{
		const char *text = dictionary_text(column->levels, level);

		if (level % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (t->summaries[j].level_count[level] > 0 && text_what(text, dictionary_length(column->levels, level)) & (TEXT_EMPTY | TEXT_SENTINEL))
			found[n++] = (TopValue) {.text = text,.count = t->summaries[j].level_count[level]};
	}
	if (n > 0)
		add_line(t, CHECK_SENTINEL_TEXT, psprintf("column \"%s\" has texts that stand for NULL: %s", column->name, quoted_values(found, n, n)));
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
													quoted_values(found, n, 6), t->sample.whole ? "" : " among the rows looked at"));
	pfree(bin);
}

static void
check_missing(TrainingCheck *t, int j)
{
	const SampleColumn *column = &t->sample.column[j];
	double		share = (double) t->summaries[j].missing / (double) t->nrows;
	double		power;

	if (t->summaries[j].missing == t->nrows || t->summaries[j].missing == 0)
		return;
	if (share >= threshold_of(CHECK_MISSING_VALUES))
		add_line(t, CHECK_MISSING_VALUES, psprintf("column \"%s\" is missing in %lld of %lld training rows (%s)", column->name,
												   (long long) t->summaries[j].missing, (long long) t->nrows, percent(share)));
	if (t->task == TASK_ANOMALY)
		return;
	power = missing_power(&t->sample, column, &t->predicted);
	if (power >= threshold_of(CHECK_FILLED_AFTER_OUTCOME))
		add_line(t, CHECK_FILLED_AFTER_OUTCOME, psprintf("whether column \"%s\" is missing tells target \"%s\" (%s); is it filled in when the outcome is known?",
														 column->name, t->target.name, power_shown(&t->predicted, power)));
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
	add_line(t, CHECK_CLASS_IMBALANCE, psprintf("classes of target \"%s\" are imbalanced: %lld rows \"%s\", %lld rows \"%s\"%s; see class_weight", t->target.name,
												(long long) t->target.code_rows[rarest], dictionary_text(labels, (int) t->target.code_value[rarest]),
												(long long) t->target.code_rows[usual], dictionary_text(labels, (int) t->target.code_value[usual]),
												t->sample.whole ? "" : " among the rows looked at"));
}

List *
checks_of_training(const Frame *frame, const ColumnSummary *summaries, Task task)
{
	TrainingCheck t = {.frame = frame,.summaries = summaries,.task = task,.nrows = frame_part_rows(frame, PART_TRAIN)};
	bool		leaks;

	if (t.nrows < FEWEST_ROWS)
		return NIL;
	open_sample(&t);
	leaks = task != TASK_ANOMALY && t.target.ncodes > 1 && t.predicted.nclasses <= MANY_CLASSES;
	for (int j = 0; j < frame->ncolumns; j++)
	{
		CHECK_FOR_INTERRUPTS();
		if (leaks)
			check_leak(&t, &t.sample.column[j]);
		check_missing(&t, j);
		if (frame->columns[j].kind == KIND_CATEGORY)
			check_levels(&t, j);
		else
			check_numbers(&t, j);
	}
	if (frame->classification)
		check_imbalance(&t);
	return t.lines;
}
