/*
 * metrics.h
 *		Measures of prediction quality: one table of definitions, used by ml.train, ml.evaluate and the SQL aggregates alike.
 *
 * Definitions follow scikit-learn, except that what is undefined is NaN with a reason, never 0.
 */
#ifndef RELEARN_METRICS_H
#define RELEARN_METRICS_H

#include "data/data.h"

/* Predictions to judge. */
typedef struct Scored
{
	Task		task;
	int			nclasses;
	int			positive;		/* binary: index of the positive class */
	char	  **labels;			/* (nclasses), for reasons */
	int64		n;
	int			noutputs;		/* per row: value; probability of class 1; or all nclasses probabilities */
	const double *truth;		/* (n) value or class code; -1 = a class the model does not know */
	const double *score;		/* (n, noutputs) */
} Scored;

typedef struct MetricValue
{
	const char *metric;
	double		value;			/* NaN where undefined */
	int64		n;				/* rows it rests on */
	const char *reason;			/* why it is undefined; NULL where it is not */
} MetricValue;

typedef struct Measure
{
	double		value;			/* NaN where undefined */
	const char *reason;			/* NULL where defined */
} Measure;

/* How precision, recall and F1 of several classes become one number. */
typedef enum Average
{
	AVERAGE_NONE,
	AVERAGE_BINARY,				/* of the positive class alone */
	AVERAGE_MACRO,				/* plain mean over classes in truth or prediction */
	AVERAGE_MICRO,				/* of the pooled counts */
	AVERAGE_WEIGHTED			/* mean weighted by the classes' rows in truth */
} Average;

struct LabelCounts;
struct RankedScores;
struct ProbabilitySums;
struct ErrorSums;

typedef struct Metric
{
	const char *name;
	uint32		tasks;			/* bitmask of Task */
	bool		greater_is_better;
	const char *help;

	/* private: one of these computes it */
	Measure		(*labels) (const struct LabelCounts *counts);
	Average		average;		/* for labels */
	Measure		(*scores) (const struct RankedScores *scores);	/* of several classes: the mean of each against the rest */
	Measure		(*probabilities) (const struct ProbabilitySums *sums);
	Measure		(*errors) (const struct ErrorSums *sums);
	Measure		(*residuals) (double *absolute, int64 n);	/* permutes */
} Metric;

extern const Metric metric_table[];
extern const int nmetrics;

extern const Metric *metric_find(const char *name);	/* NULL where there is none */
extern const Metric *metric_default(Task task);	/* rmse, roc_auc, accuracy */

/*
 * All metrics of the task, in table order; palloc'd.  A truth the model does not know counts as wrong in measures of labels and is left out
 * of measures of probabilities; n tells.
 */
extern MetricValue *metrics_compute(const Scored *scored, int *count);

/* The class a row of scores stands for: the most probable, ties to the lower index; binary: positive where its probability >= 0.5. */
extern int	scored_class(Task task, int nclasses, int positive, const double *score);

#endif
