/*
 * metrics_internal.h
 *		What metrics are computed from, each kind of tally defined once; the aggregates keep these very structs in their states.
 */
#ifndef RELEARN_METRICS_INTERNAL_H
#define RELEARN_METRICS_INTERNAL_H

#include <math.h>

#include "core/mergeable.h"
#include "core/sort.h"
#include "metrics/metrics.h"

static inline Measure
measure_defined(double value)
{
	return (Measure) {value, NULL};
}

static inline Measure
measure_undefined(const char *reason)
{
	return (Measure) {NAN, reason};
}

/* ---- sums with a running correction (Neumaier 1974): the order of the terms hardly matters ---- */
typedef struct Sum
{
	double		total,
				correction;
} Sum;

static inline void
sum_add(Sum *sum, double x)
{
	double		total = sum->total + x;

	if (fabs(sum->total) >= fabs(x))
		sum->correction += (sum->total - total) + x;
	else
		sum->correction += (x - total) + sum->total;
	sum->total = total;
}

static inline void
sum_merge(Sum *sum, const Sum *other)
{
	sum_add(sum, other->total);
	sum->correction += other->correction;
}

static inline double
sum_value(const Sum *sum)
{
	/* once infinite, the correction means nothing */
	return isfinite(sum->total) ? sum->total + sum->correction : sum->total;
}

/* ---- labels: the margins and the diagonal of the confusion matrix carry every measure we have ---- */
typedef struct LabelCount
{
	int64		truth,
				predicted,
				matched;
} LabelCount;

typedef struct LabelCounts
{
	const LabelCount *label;
	int			nlabels;		/* labels with no row at all do not matter */
	int64		n;
	Average		average;
	int			positive;		/* index, or -1 where it occurs nowhere */
} LabelCounts;

extern Measure label_accuracy(const LabelCounts *counts);
extern Measure label_balanced_accuracy(const LabelCounts *counts);
extern Measure label_precision(const LabelCounts *counts);
extern Measure label_recall(const LabelCounts *counts);
extern Measure label_f1(const LabelCounts *counts);
extern Measure label_mcc(const LabelCounts *counts);

/* ---- scores of a yes/no truth, sorted ---- */
typedef struct RankedScores
{
	uint32		n,
				npositive;
	uint64	   *key;			/* (n) sortable_double of the scores, ascending */
	uint32	   *positive;		/* (n) 0 or 1 */
	uint64	   *key_scratch;
	uint32	   *positive_scratch;
} RankedScores;

/* Room for n scores, checked against relearn.max_memory. */
extern void scores_init(RankedScores *scores, int64 n);
extern void scores_sort(RankedScores *scores);
extern void scores_free(RankedScores *scores);

static inline void
scores_add(RankedScores *scores, double score, bool positive)
{
	scores->key[scores->n] = sortable_double(score);
	scores->positive[scores->n++] = positive;
	scores->npositive += positive;
}

extern Measure scores_roc_auc(const RankedScores *scores);
extern Measure scores_average_precision(const RankedScores *scores);

/* ---- probabilities ---- */
typedef struct ProbabilitySums
{
	int64		n;
	Sum			surprise,		/* -log(probability of what was true) */
				square;			/* (probability - truth)^2 */
} ProbabilitySums;

extern void probability_add(ProbabilitySums *sums, double probability_of_truth);
extern Measure probability_log_loss(const ProbabilitySums *sums);
extern Measure probability_brier(const ProbabilitySums *sums);

/* ---- errors of numbers ---- */
typedef struct ErrorSums
{
	int64		n,
				zeros;			/* truths that are 0: no relative error */
	Sum			absolute,
				square,
				relative;
	double		mean,			/* of the truth */
				spread;			/* sum of squared deviations of the truth from its mean (Welford) */
} ErrorSums;

extern void error_add(ErrorSums *sums, double truth, double predicted);
extern void error_merge(ErrorSums *sums, const ErrorSums *other);
extern Measure error_mae(const ErrorSums *sums);
extern Measure error_mse(const ErrorSums *sums);
extern Measure error_rmse(const ErrorSums *sums);
extern Measure error_mape(const ErrorSums *sums);
extern Measure error_r2(const ErrorSums *sums);
extern Measure residual_median(double *absolute, int64 n);

/* ---- for the aggregates ---- */

/* NULL where undefined. */
extern Datum measure_datum(FunctionCallInfo fcinfo, Measure measure);

/* A truth given as 0 or 1; anything else is an error. */
extern bool truth_of_bigint(int64 truth);

#endif
