/*
 * power_sums.h
 *		Mean and central sums of powers up to the fourth, joined part by part without cancellation.
 */
#ifndef RELEARN_CORE_POWER_SUMS_H
#define RELEARN_CORE_POWER_SUMS_H

typedef struct PowerSums
{
	int64		n;
	double		mean,
				m2,				/* sum of (x - mean)^2 */
				m3,
				m4;
} PowerSums;

/* The sums of n > 0 values, in four lanes joined as (l0 + l2) + (l1 + l3). */
extern PowerSums power_sums_of(const double *value, int n);

/* The same values count times over, exact as if they were the only ones there are. */
extern PowerSums power_sums_weighted(const double *value, const int64 *count, int n);

extern void power_sums_merge(PowerSums *sums, const PowerSums *other);

/* As pandas has them; NaN where undefined: too few values, no spread, or out of the range of a double. */
extern double power_sums_sd(const PowerSums *sums);	/* n - 1 */
extern double power_sums_skewness(const PowerSums *sums);	/* G1 */
extern double power_sums_kurtosis(const PowerSums *sums);	/* G2, excess */

#endif
