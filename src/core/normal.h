/*
 * normal.h
 *		The normal distribution; the bits are the same on every machine, as those of mathfn.h.
 */
#ifndef RELEARN_CORE_NORMAL_H
#define RELEARN_CORE_NORMAL_H

extern double normal_quantile(double p);	/* infinite at 0 and 1, NaN outside */
extern double normal_cdf(double x);	/* P(X <= x), relative error below 1e-13 */

#endif
