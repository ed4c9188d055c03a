/*
 * dense.h
 *		Dense kernels, compiled twice (baseline and AVX2) from one text and chosen once at run time.
 *
 * Every kernel adds in one stated order, so both builds give the same bits: no fused multiply-add, no reassociation.  Matrices are
 * row-major; "stride" is the distance between rows in doubles.
 */
#ifndef RELEARN_CORE_DENSE_H
#define RELEARN_CORE_DENSE_H

/* sum a[j] * b[j]: four lanes (j mod 4), joined as (l0 + l2) + (l1 + l3). */
extern double dense_dot(const double *a, const double *b, int n);

/* y[j] += a * x[j] */
extern void dense_axpy(double a, const double *x, double *y, int n);

/*
 * gram (n, n), upper triangle: += sum over rows of weight * x x'.  weight (nrows) or NULL for all 1.  Rows are added in order.  What lies below
 * the diagonal must be initialised and is left undefined.
 */
extern void dense_gram(const double *x, int nrows, int n, int stride, const double *weight, double *gram);

/* out[i] = intercept + row i . beta  (n terms), for nrows rows */
extern void dense_margins(const double *x, int nrows, int n, int stride, const double *beta, double intercept, double *out);

/* gradient (n) += sum over rows of r[i] * row i, rows in order */
extern void dense_gradient(const double *x, int nrows, int n, int stride, const double *r, double *gradient);

/*
 * For each margin: probability p = sigmoid(margin), residual r = weight * (p - target), and the loss weight * (softplus(margin) - target * margin)
 * added to *loss in order.  weight may be NULL.
 */
extern void dense_logistic(const double *margin, const double *target, const double *weight, int nrows, double *residual, double *loss);

/* probability[i] = sigmoid(margin[i]); may be in place */
extern void dense_sigmoid(const double *margin, int nrows, double *probability);

/*
 * margin (nclasses, nrows), the margins of one class side by side, becomes the probabilities; normaliser (nrows) the log of the sum of the
 * exponentials of a row's margins, or NULL.  One row alone and in a block get the same bits.
 */
extern void dense_softmax(double *margin, int nrows, int nclasses, double *normaliser);

#endif
