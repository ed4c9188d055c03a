/*
 * logistic_internal.h
 *		Logistic regression: between the fit (logistic_fit.c) and the learner (logistic.c).
 */
#ifndef RELEARN_LEARN_LOGISTIC_INTERNAL_H
#define RELEARN_LEARN_LOGISTIC_INTERNAL_H

#include "learn/learn_internal.h"

/*
 * Binary: one equation, the log-odds of class 1.  Multinomial: one equation per class, whose softmax is the probabilities; the penalty (or, without
 * one, the start) makes the coefficients of a column sum to zero over the classes.
 */
typedef struct LogisticFit
{
	int			nequations;
	int			ncolumns;
	double	   *weight;			/* (nequations, 1 + ncolumns) of the design columns, intercept first; 0 where aliased */
	Report	   *report;			/* (nequations) */
} LogisticFit;

extern void logistic_fit(TrainingSet *set, double l2, double tolerance, int max_iterations, LogisticFit *fit);
extern Size logistic_fit_memory(int ncolumns, int nclasses);

static inline int
logistic_equations(int nclasses)
{
	return nclasses == 2 ? 1 : nclasses;
}

#endif
