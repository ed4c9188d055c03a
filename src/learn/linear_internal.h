/*
 * linear_internal.h
 *		Least squares: between the fit (linear_fit.c) and the learner (linear.c).
 */
#ifndef RELEARN_LEARN_LINEAR_INTERNAL_H
#define RELEARN_LEARN_LINEAR_INTERNAL_H

#include "learn/learn_internal.h"

typedef struct LinearFit
{
	double		intercept;		/* of the design columns */
	double	   *beta;			/* (ncolumns), 0 where aliased */
	double		degrees;		/* of freedom of the residual: rows of positive weight - rank */
	bool		perfect;		/* the residual is rounding only */
	Report		report;
} LinearFit;

extern void linear_fit(TrainingSet *set, double l2, LinearFit *fit);
extern Size linear_fit_memory(int ncolumns);

#endif
