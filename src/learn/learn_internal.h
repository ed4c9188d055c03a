/*
 * learn_internal.h
 *		What several learners share: sums over the training rows, and reports on the original scale of the columns.
 */
#ifndef RELEARN_LEARN_INTERNAL_H
#define RELEARN_LEARN_INTERNAL_H

#include "core/tree.h"
#include "learn/learner.h"

static inline double
row_weight(const TrainingSet *set, int64 row)
{
	return set->weight != NULL ? set->weight[row] : 1.0;
}

/* Weights of a run of rows as the dense kernels take them. */
static inline const double *
block_weight(const TrainingSet *set, int64 start)
{
	return set->weight != NULL ? set->weight + start : NULL;
}

/* n doubles, zeroed; may pass 1 GB. */
extern double *zero_vector(Size n);
extern double *square_matrix(int n);
extern Size matrix_bytes(Size rows, Size columns);

/* The sum of the weights; an error where it is zero or not finite. */
extern double training_weight(const TrainingSet *set);

/* The least and the greatest number to learn; an error where trees, which keep single precision numbers, cannot hold them. */
extern void target_range(const TrainingSet *set, double *low, double *high);

/* Each class's part of the weight (nclasses). */
extern void class_shares(const TrainingSet *set, double *share);

/*
 * A block of rows as (count, width) with the constant 1 in front of the design columns; what follows them is left alone.
 */
extern void rows_with_intercept(const TrainingSet *set, int64 start, int count, double *out, int width);

/* dense_gram in pieces short enough for a cancel to get through. */
extern void add_gram(const double *x, int nrows, int n, const double *weight, double *gram);

/*
 * Warn about the columns left out because others determine them.  aliased (1 + ncolumns), intercept first.
 */
extern void warn_aliased(TrainingSet *set, const bool *aliased);

/* Gains and splits of each column, added to importance. */
extern void importance_of_trees(const Trees *trees, ColumnImportance *importance);

/* ---- reports; vectors (1 + ncolumns), intercept first ---- */

typedef struct Report
{
	int			n;				/* 1 + ncolumns */
	double	   *estimate;		/* on the original scale; NaN: the column was left out */
	double	   *standard_error; /* NaN: undefined for the whole equation or the column */
	double	   *vif;			/* NaN likewise, and for the intercept */
} Report;

extern void report_init(Report *report, int ncolumns);

/* beta (ncolumns) and intercept are those of the design columns. */
extern void report_estimates(Report *report, const TrainingSet *set, double intercept, const double *beta, const bool *aliased);

/*
 * Standard errors and variance inflation from the triangle r (1 + ncolumns) of the information matrix of the design columns, each of which was
 * multiplied by column_scale beforehand (NULL: by 1).  sigma: residual standard deviation.
 */
extern void report_errors(Report *report, const TrainingSet *set, const double *r, const bool *aliased, const double *column_scale, double sigma);

/*
 * Under a penalty, variance inflation alone: that of the columns without it, whose cross products (n, n) with 1 in front are used up.  None where
 * columns of different groups determine one another, for theirs is infinite and the penalty leaves none out.
 */
extern void report_penalised_inflation(Report *report, const TrainingSet *set, double *gram);

extern void report_flatten(const Report *report, ByteWriter *w);
extern void report_unflatten(Report *report, ByteReader *r, int ncolumns);

#endif
