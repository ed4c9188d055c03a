/*
 * metrics.c
 *		The table of metrics, and all metrics of a task computed over scored rows.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "metrics/metrics_internal.h"
#include "settings.h"

#define CLASSES (TASK_BINARY | TASK_MULTICLASS)
#define INTERRUPT_MASK 0xffff	/* rows between two checks for interrupts, less 1 */

const Metric metric_table[] = {
	{.name = "rmse", .tasks = TASK_REGRESSION, .help = "root of the mean squared error",
	.errors = error_rmse},
	{.name = "mae", .tasks = TASK_REGRESSION, .help = "mean absolute error",
	.errors = error_mae},
	{.name = "mse", .tasks = TASK_REGRESSION, .help = "mean squared error",
	.errors = error_mse},
	{.name = "mape", .tasks = TASK_REGRESSION, .help = "mean of |error / truth|, a fraction; undefined where a truth is 0",
	.errors = error_mape},
	{.name = "r2", .tasks = TASK_REGRESSION, .greater_is_better = true, .help = "share of the truth's variance that is explained; can be negative",
	.errors = error_r2},
	{.name = "median_absolute_error", .tasks = TASK_REGRESSION, .help = "median of |error|",
	.residuals = residual_median},
	{.name = "roc_auc", .tasks = TASK_BINARY, .greater_is_better = true, .help = "chance that a positive scores above a negative, ties half",
	.scores = scores_roc_auc},
	{.name = "accuracy", .tasks = CLASSES, .greater_is_better = true, .help = "share of rows predicted right",
	.labels = label_accuracy},
	{.name = "balanced_accuracy", .tasks = CLASSES, .greater_is_better = true, .help = "mean recall of the classes that occur",
	.labels = label_balanced_accuracy},
	{.name = "precision", .tasks = TASK_BINARY, .greater_is_better = true, .help = "share of the rows predicted positive that are",
	.labels = label_precision, .average = AVERAGE_BINARY},
	{.name = "recall", .tasks = TASK_BINARY, .greater_is_better = true, .help = "share of the positive rows that were predicted so",
	.labels = label_recall, .average = AVERAGE_BINARY},
	{.name = "f1", .tasks = TASK_BINARY, .greater_is_better = true, .help = "harmonic mean of precision and recall",
	.labels = label_f1, .average = AVERAGE_BINARY},
	{.name = "precision_macro", .tasks = TASK_MULTICLASS, .greater_is_better = true, .help = "mean of the classes' precision; 0 for one never predicted",
	.labels = label_precision, .average = AVERAGE_MACRO},
	{.name = "recall_macro", .tasks = TASK_MULTICLASS, .greater_is_better = true, .help = "mean of the classes' recall",
	.labels = label_recall, .average = AVERAGE_MACRO},
	{.name = "f1_macro", .tasks = TASK_MULTICLASS, .greater_is_better = true, .help = "mean of the classes' F1",
	.labels = label_f1, .average = AVERAGE_MACRO},
	{.name = "f1_weighted", .tasks = TASK_MULTICLASS, .greater_is_better = true, .help = "mean of the classes' F1 weighted by their rows",
	.labels = label_f1, .average = AVERAGE_WEIGHTED},
	{.name = "mcc", .tasks = CLASSES, .greater_is_better = true, .help = "Matthews correlation of truth and prediction",
	.labels = label_mcc},
	{.name = "roc_auc_ovr", .tasks = TASK_MULTICLASS, .greater_is_better = true, .help = "mean ROC AUC of each class against the rest",
	.scores = scores_roc_auc},
	{.name = "average_precision", .tasks = TASK_BINARY, .greater_is_better = true, .help = "area under the precision-recall steps",
	.scores = scores_average_precision},
	{.name = "log_loss", .tasks = CLASSES, .help = "mean of -log(probability given to what was true)",
	.probabilities = probability_log_loss},
	{.name = "brier", .tasks = TASK_BINARY, .help = "mean squared error of the probability",
	.probabilities = probability_brier},
};

const int	nmetrics = lengthof(metric_table);

const Metric *
metric_find(const char *name)
{
	for (int i = 0; i < nmetrics; i++)
		if (strcmp(metric_table[i].name, name) == 0)
			return &metric_table[i];
	return NULL;
}

const Metric *
metric_default(Task task)
{
	return metric_find(task == TASK_REGRESSION ? "rmse" : task == TASK_BINARY ? "roc_auc" : "accuracy");
}

int
scored_class(Task task, int nclasses, int positive, const double *score)
{
	int			best = 0;

	if (task == TASK_BINARY)
		return positive == 1 ? score[0] >= 0.5 : !(1 - score[0] >= 0.5);
	for (int c = 1; c < nclasses; c++)
		if (score[c] > score[best])
			best = c;
	return best;
}

/* ---- tallies of scored rows ---- */
typedef struct Tally
{
	LabelCounts labels;
	ProbabilitySums probabilities;
	ErrorSums	errors;
	double	   *residuals;		/* (errors.n) absolute */
	RankedScores scores;		/* binary */
} Tally;

static void
tally_numbers(const Scored *scored, Tally *tally)
{
	Budget		budget = {(Size) relearn_max_memory * 1024, 0};
	Size		size = size_times(scored->n, sizeof(double));

	budget_take(&budget, size, "the prediction errors");
	tally->residuals = MemoryContextAllocHuge(CurrentMemoryContext, size);
	for (int64 i = 0; i < scored->n; i++)
	{
		double		truth = scored->truth[i],
					predicted = scored->score[i * scored->noutputs];

		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (isnan(truth) || isnan(predicted))
			continue;
		tally->residuals[tally->errors.n] = fabs(truth - predicted);
		error_add(&tally->errors, truth, predicted);
	}
}

/* Classes the model does not know make up one more label. */
static void
tally_labels(const Scored *scored, Tally *tally)
{
	LabelCount *label = palloc0(sizeof(LabelCount) * (scored->nclasses + 1));

	for (int64 i = 0; i < scored->n; i++)
	{
		int			truth = scored->truth[i] < 0 ? scored->nclasses : (int) scored->truth[i];
		int			predicted = scored_class(scored->task, scored->nclasses, scored->positive, scored->score + i * scored->noutputs);

		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		label[truth].truth++;
		label[predicted].predicted++;
		label[truth].matched += truth == predicted;
	}
	tally->labels = (LabelCounts) {label, scored->nclasses + 1, scored->n, AVERAGE_NONE, scored->positive};
}

static void
tally_probabilities(const Scored *scored, Tally *tally)
{
	for (int64 i = 0; i < scored->n; i++)
	{
		int			truth = (int) scored->truth[i];
		const double *score = scored->score + i * scored->noutputs;

		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (truth < 0)
			continue;
		if (scored->task == TASK_MULTICLASS)
			probability_add(&tally->probabilities, score[truth]);
		else
			probability_add(&tally->probabilities, truth == 1 ? score[0] : 1 - score[0]);
	}
}

/* Rank all rows of known class by the score of one class, which plays the positive. */
static void
rank_class(const Scored *scored, int positive, RankedScores *scores)
{
	bool		binary = scored->task == TASK_BINARY;

	scores->n = scores->npositive = 0;
	for (int64 i = 0; i < scored->n; i++)
	{
		double		score = scored->score[i * scored->noutputs + (binary ? 0 : positive)];

		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (scored->truth[i] >= 0)
			/* the opposite number, not 1 - score: that could tie what is apart */
			scores_add(scores, binary && positive == 0 ? -score : score, scored->truth[i] == positive);
	}
	scores_sort(scores);
}

static Measure
one_against_rest(const Metric *metric, const Scored *scored, RankedScores *scores)
{
	double		sum = 0;

	for (int c = 0; c < scored->nclasses; c++)
	{
		Measure		measure;

		rank_class(scored, c, scores);
		measure = metric->scores(scores);
		if (measure.reason && scores->n > 0 && scores->npositive == 0)
			return measure_undefined(psprintf("class \"%s\" does not occur in the truth", scored->labels[c]));
		if (measure.reason)
			return measure;
		sum += measure.value;
	}
	return measure_defined(sum / scored->nclasses);
}

static void
take_tally(const Scored *scored, Tally *tally)
{
	memset(tally, 0, sizeof(Tally));
	if (scored->task == TASK_REGRESSION)
	{
		tally_numbers(scored, tally);
		return;
	}
	tally_labels(scored, tally);
	tally_probabilities(scored, tally);
	scores_init(&tally->scores, scored->n);
	if (scored->task == TASK_BINARY)
		rank_class(scored, scored->positive, &tally->scores);
}

static Measure
measure_metric(const Metric *metric, const Scored *scored, Tally *tally, int64 *n)
{
	*n = scored->task == TASK_REGRESSION ? tally->errors.n : tally->probabilities.n;
	if (metric->labels)
	{
		*n = tally->labels.n;
		tally->labels.average = metric->average;
		return metric->labels(&tally->labels);
	}
	if (metric->scores)
		return scored->task == TASK_BINARY ? metric->scores(&tally->scores) : one_against_rest(metric, scored, &tally->scores);
	if (metric->probabilities)
		return metric->probabilities(&tally->probabilities);
	if (metric->errors)
		return metric->errors(&tally->errors);
	return metric->residuals(tally->residuals, tally->errors.n);
}

MetricValue *
metrics_compute(const Scored *scored, int *count)
{
	MetricValue *result = palloc0(sizeof(MetricValue) * nmetrics);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "relearn metric tallies", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	Tally		tally;

	*count = 0;
	take_tally(scored, &tally);
	for (int i = 0; i < nmetrics; i++)
	{
		MetricValue *value = &result[*count];
		Measure		measure;

		if (!(metric_table[i].tasks & scored->task))
			continue;
		measure = measure_metric(&metric_table[i], scored, &tally, &value->n);
		value->metric = metric_table[i].name;
		value->value = measure.value;
		value->reason = measure.reason ? MemoryContextStrdup(caller, measure.reason) : NULL;
		(*count)++;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return result;
}
