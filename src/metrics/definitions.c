/*
 * definitions.c
 *		Every metric, defined once over its tally: label counts, ranked scores, sums over probabilities or errors.
 *
 * Definitions are those of scikit-learn; where it answers 0 for something undefined (or warns), the answer here is undefined with a reason.
 */
#include "postgres.h"

#include <float.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/mathfn.h"
#include "metrics/metrics_internal.h"
#include "settings.h"

#define NO_ROWS "there are no rows"
#define ONE_CLASS "the truth has only one class"
#define INTERRUPT_MASK 0xfffff	/* rows between two checks for interrupts, less 1 */

/* ---- labels ---- */

Measure
label_accuracy(const LabelCounts *counts)
{
	int64		matched = 0;

	if (counts->n == 0)
		return measure_undefined(NO_ROWS);
	for (int i = 0; i < counts->nlabels; i++)
		matched += counts->label[i].matched;
	return measure_defined((double) matched / counts->n);
}

/* Mean recall over the classes that occur in truth. */
Measure
label_balanced_accuracy(const LabelCounts *counts)
{
	double		sum = 0;
	int			nclasses = 0;

	if (counts->n == 0)
		return measure_undefined(NO_ROWS);
	for (int i = 0; i < counts->nlabels; i++)
	{
		const LabelCount *label = &counts->label[i];

		if (label->truth == 0)
			continue;
		sum += (double) label->matched / label->truth;
		nclasses++;
	}
	return measure_defined(sum / nclasses);
}

/* The share that precision, recall or F1 is: factor * matched / (truth_side * truth + predicted_side * predicted). */
typedef struct Share
{
	int			factor,
				truth_side,
				predicted_side;
	const char *undefined;		/* reason where the positive class leaves nothing to divide by */
} Share;

static const Share precision_share = {1, 0, 1, "no row was predicted positive"};
static const Share recall_share = {1, 1, 0, "no row is positive in truth"};
static const Share f1_share = {2, 1, 1, "no row is positive in truth or prediction"};

static inline int64
share_denominator(const Share *share, const LabelCount *label)
{
	return share->truth_side * label->truth + share->predicted_side * label->predicted;
}

/* A class of several that leaves nothing to divide by counts as 0 in their average, as in scikit-learn. */
static double
share_of_class(const Share *share, const LabelCount *label)
{
	int64		denominator = share_denominator(share, label);

	return denominator == 0 ? 0 : (double) (share->factor * label->matched) / denominator;
}

static Measure
share_of_positive(const Share *share, const LabelCounts *counts)
{
	if (counts->positive < 0 || share_denominator(share, &counts->label[counts->positive]) == 0)
		return measure_undefined(share->undefined);
	return measure_defined(share_of_class(share, &counts->label[counts->positive]));
}

static Measure
share_average(const Share *share, const LabelCounts *counts)
{
	double		sum = 0;
	double		weights = 0;

	for (int i = 0; i < counts->nlabels; i++)
	{
		const LabelCount *label = &counts->label[i];
		double		weight = counts->average == AVERAGE_WEIGHTED ? (double) label->truth : 1;

		if (label->truth + label->predicted == 0)
			continue;
		sum += weight * share_of_class(share, label);
		weights += weight;
	}
	return measure_defined(sum / weights);
}

static Measure
label_share(const Share *share, const LabelCounts *counts)
{
	Assert(counts->average != AVERAGE_NONE);
	if (counts->n == 0)
		return measure_undefined(NO_ROWS);
	if (counts->average == AVERAGE_BINARY)
		return share_of_positive(share, counts);
	if (counts->average == AVERAGE_MICRO)
		return label_accuracy(counts);	/* pooled, precision, recall and F1 are all the share of matches */
	return share_average(share, counts);
}

Measure
label_precision(const LabelCounts *counts)
{
	return label_share(&precision_share, counts);
}

Measure
label_recall(const LabelCounts *counts)
{
	return label_share(&recall_share, counts);
}

Measure
label_f1(const LabelCounts *counts)
{
	return label_share(&f1_share, counts);
}

/* Matthews correlation of any number of classes (Gorodkin 2004). */
Measure
label_mcc(const LabelCounts *counts)
{
	double		n = (double) counts->n;
	double		matched = 0,
				cross = 0,
				truth_square = 0,
				predicted_square = 0;

	if (counts->n == 0)
		return measure_undefined(NO_ROWS);
	for (int i = 0; i < counts->nlabels; i++)
	{
		double		truth = (double) counts->label[i].truth,
					predicted = (double) counts->label[i].predicted;

		if (counts->label[i].truth == counts->n)
			return measure_undefined(ONE_CLASS);
		if (counts->label[i].predicted == counts->n)
			return measure_undefined("only one class was predicted");
		matched += (double) counts->label[i].matched;
		cross += truth * predicted;
		truth_square += truth * truth;
		predicted_square += predicted * predicted;
	}
	return measure_defined((matched * n - cross) / sqrt((n * n - truth_square) * (n * n - predicted_square)));
}

/* ---- ranked scores ---- */

void
scores_init(RankedScores *scores, int64 n)
{
	Budget		budget = {(Size) relearn_max_memory * 1024, 0};
	Size		keys = size_times(n, sizeof(uint64)),
				flags = size_times(n, sizeof(uint32));

	budget_take(&budget, size_times(2, size_plus(keys, flags)), "ranking the scores");
	if (n > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot rank more than %u scores", PG_UINT32_MAX)));
	scores->n = scores->npositive = 0;
	scores->key = MemoryContextAllocHuge(CurrentMemoryContext, keys);
	scores->key_scratch = MemoryContextAllocHuge(CurrentMemoryContext, keys);
	scores->positive = MemoryContextAllocHuge(CurrentMemoryContext, flags);
	scores->positive_scratch = MemoryContextAllocHuge(CurrentMemoryContext, flags);
}

void
scores_sort(RankedScores *scores)
{
	sort_keys(scores->key, scores->positive, scores->key_scratch, scores->positive_scratch, scores->n);
}

void
scores_free(RankedScores *scores)
{
	pfree(scores->key);
	pfree(scores->key_scratch);
	pfree(scores->positive);
	pfree(scores->positive_scratch);
}

/*
 * The share of (positive, negative) pairs in which the positive scores higher, ties counting half (Mann-Whitney).  Counted in integers: twice
 * the number of pairs stays below 2^64.
 */
Measure
scores_roc_auc(const RankedScores *scores)
{
	uint64		negatives = scores->n - scores->npositive;
	uint64		below = 0,		/* negatives with lower scores */
				twice_won = 0;

	if (scores->n == 0)
		return measure_undefined(NO_ROWS);
	if (scores->npositive == 0 || negatives == 0)
		return measure_undefined(ONE_CLASS);
	for (uint32 i = 0; i < scores->n;)
	{
		uint64		key = scores->key[i];
		uint64		positive = 0,
					tied = 0;

		for (; i < scores->n && scores->key[i] == key; i++)
		{
			positive += scores->positive[i];
			tied++;
			if ((i & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();
		}
		twice_won += positive * (2 * below + tied - positive);
		below += tied - positive;
	}
	return measure_defined((double) twice_won / (2.0 * scores->npositive * negatives));
}

/* Sum over thresholds, from the top, of the step in recall times precision there; no interpolation. */
Measure
scores_average_precision(const RankedScores *scores)
{
	Sum			sum = {0, 0};
	uint64		found = 0;		/* positives at or above the threshold */
	uint32		i = scores->n;

	if (scores->n == 0)
		return measure_undefined(NO_ROWS);
	if (scores->npositive == 0)
		return measure_undefined(recall_share.undefined);
	while (i > 0)
	{
		uint64		key = scores->key[i - 1];
		uint64		positive = 0;

		for (; i > 0 && scores->key[i - 1] == key; i--)
		{
			positive += scores->positive[i - 1];
			if ((i & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();
		}
		found += positive;
		if (positive > 0)
			sum_add(&sum, (double) positive * ((double) found / (scores->n - i)));
	}
	return measure_defined(sum_value(&sum) / scores->npositive);
}

/* ---- probabilities ---- */

void
probability_add(ProbabilitySums *sums, double probability_of_truth)
{
	double		clipped = Min(Max(probability_of_truth, DBL_EPSILON), 1 - DBL_EPSILON);

	sums->n++;
	sum_add(&sums->surprise, -math_log(clipped));
	sum_add(&sums->square, (1 - probability_of_truth) * (1 - probability_of_truth));
}

Measure
probability_log_loss(const ProbabilitySums *sums)
{
	if (sums->n == 0)
		return measure_undefined(NO_ROWS);
	return measure_defined(sum_value(&sums->surprise) / sums->n);
}

Measure
probability_brier(const ProbabilitySums *sums)
{
	if (sums->n == 0)
		return measure_undefined(NO_ROWS);
	return measure_defined(sum_value(&sums->square) / sums->n);
}

/* ---- errors ---- */

void
error_add(ErrorSums *sums, double truth, double predicted)
{
	double		error = truth - predicted;
	double		deviation = truth - sums->mean;

	sums->n++;
	sum_add(&sums->absolute, fabs(error));
	sum_add(&sums->square, error * error);
	if (truth == 0)
		sums->zeros++;
	else
		sum_add(&sums->relative, fabs(error / truth));
	sums->mean += deviation / sums->n;
	sums->spread += deviation * (truth - sums->mean);
}

/* The spread by the pairwise formula of Chan, Golub and LeVeque (1979). */
void
error_merge(ErrorSums *sums, const ErrorSums *other)
{
	double		n = (double) (sums->n + other->n);
	double		apart = other->mean - sums->mean;

	if (other->n == 0)
		return;
	sums->spread += other->spread + apart * apart * ((double) sums->n * other->n / n);
	sums->mean += apart * (other->n / n);
	sums->n += other->n;
	sums->zeros += other->zeros;
	sum_merge(&sums->absolute, &other->absolute);
	sum_merge(&sums->square, &other->square);
	sum_merge(&sums->relative, &other->relative);
}

static Measure
error_mean(const ErrorSums *sums, const Sum *sum)
{
	double		mean = sum_value(sum) / sums->n;

	if (sums->n == 0)
		return measure_undefined(NO_ROWS);
	if (!isfinite(mean))
		return measure_undefined("the errors are infinite");
	return measure_defined(mean);
}

Measure
error_mae(const ErrorSums *sums)
{
	return error_mean(sums, &sums->absolute);
}

Measure
error_mse(const ErrorSums *sums)
{
	return error_mean(sums, &sums->square);
}

Measure
error_rmse(const ErrorSums *sums)
{
	Measure		mse = error_mse(sums);

	mse.value = sqrt(mse.value);
	return mse;
}

/* As a fraction, not a percentage. */
Measure
error_mape(const ErrorSums *sums)
{
	if (sums->zeros > 0)
		return measure_undefined("the truth contains 0");
	return error_mean(sums, &sums->relative);
}

Measure
error_r2(const ErrorSums *sums)
{
	Measure		mse = error_mse(sums);

	if (mse.reason)
		return mse;
	if (sums->spread == 0)
		return measure_undefined("the truth is constant");
	return measure_defined(1 - sum_value(&sums->square) / sums->spread);
}

Measure
residual_median(double *absolute, int64 n)
{
	double		middle;

	if (n == 0)
		return measure_undefined(NO_ROWS);
	middle = median(absolute, n);
	return isfinite(middle) ? measure_defined(middle) : measure_undefined("the errors are infinite");
}
