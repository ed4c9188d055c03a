/*
 * dense.c
 *		The dense kernels' entry points: they call the best build this CPU runs.
 */
#include "postgres.h"

#include "core/dense.h"
#include "core/dense_internal.h"

static const DenseKernels *chosen = NULL;

static inline const DenseKernels *
kernels(void)
{
	if (unlikely(chosen == NULL))
	{
		chosen = dense_avx2();
		if (chosen == NULL)
			chosen = &dense_baseline;
	}
	return chosen;
}

double
dense_dot(const double *a, const double *b, int n)
{
	return kernels()->dot(a, b, n);
}

void
dense_axpy(double a, const double *x, double *y, int n)
{
	kernels()->axpy(a, x, y, n);
}

void
dense_gram(const double *x, int nrows, int n, int stride, const double *weight, double *gram)
{
	kernels()->gram(x, nrows, n, stride, weight, gram);
}

void
dense_margins(const double *x, int nrows, int n, int stride, const double *beta, double intercept, double *out)
{
	kernels()->margins(x, nrows, n, stride, beta, intercept, out);
}

void
dense_gradient(const double *x, int nrows, int n, int stride, const double *r, double *gradient)
{
	kernels()->gradient(x, nrows, n, stride, r, gradient);
}

void
dense_logistic(const double *margin, const double *target, const double *weight, int nrows, double *residual, double *loss)
{
	kernels()->logistic(margin, target, weight, nrows, residual, loss);
}

void
dense_sigmoid(const double *margin, int nrows, double *probability)
{
	kernels()->sigmoid(margin, nrows, probability);
}

void
dense_softmax(double *margin, int nrows, int nclasses, double *normaliser)
{
	kernels()->softmax(margin, nrows, nclasses, normaliser);
}
