/*
 * dense_internal.h
 *		The two builds of the dense kernels, side by side: dense.c chooses one, the tests compare both.
 */
#ifndef RELEARN_CORE_DENSE_INTERNAL_H
#define RELEARN_CORE_DENSE_INTERNAL_H

typedef struct DenseKernels
{
	double		(*dot) (const double *a, const double *b, int n);
	void		(*axpy) (double a, const double *x, double *y, int n);
	void		(*gram) (const double *x, int nrows, int n, int stride, const double *weight, double *gram);
	void		(*margins) (const double *x, int nrows, int n, int stride, const double *beta, double intercept, double *out);
	void		(*gradient) (const double *x, int nrows, int n, int stride, const double *r, double *gradient);
	void		(*logistic) (const double *margin, const double *target, const double *weight, int nrows, double *residual, double *loss);
	void		(*sigmoid) (const double *margin, int nrows, double *probability);
	void		(*softmax) (double *margin, int nrows, int nclasses, double *normaliser);
} DenseKernels;

extern const DenseKernels dense_baseline;

/* NULL where the platform or the CPU has none */
extern const DenseKernels *dense_avx2(void);

#endif
