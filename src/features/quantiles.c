/*
 * quantiles.c
 *		Quantiles of sorted values, as numpy computes them.
 */
#include "postgres.h"

#include <math.h>

#include "features/features_internal.h"

/* Between the value at an index and the next, as numpy's _lerp. */
static double
between(const double *value, int64 n, double index, double share)
{
	int64		i = (int64) index;
	double		low,
				high;

	if (index < 0.0)
		return value[0];
	if (i >= n - 1)
		return value[n - 1];
	low = value[i];
	high = value[i + 1];
	return share >= 0.5 ? high - (high - low) * (1.0 - share) : low + (high - low) * share;
}

double
sorted_quantile(const double *value, int64 n, double q)
{
	double		index = (double) (n - 1) * q;

	return between(value, n, index, index - floor(index));
}

double
sorted_step_quantile(const double *value, int64 n, double q)
{
	double		index = (double) n * q - 1.0;

	return between(value, n, index, index == floor(index) ? 0.5 : 1.0);
}
