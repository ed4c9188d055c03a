/*
 * power_sums.c
 *		Central sums of powers: two passes over a block, blocks joined by the formulas of Pebay (2008).
 */
#include "postgres.h"

#include <math.h>

#include "core/power_sums.h"

#define LANES 4

static inline double
join(const double *lane)
{
	return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* Exact where all values are equal. */
static double
mean_of(const double *value, int n)
{
	double		sum[LANES] = {0};
	double		first = value[0];
	int			whole = n - n % LANES;

	for (int i = 0; i < whole; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			sum[lane] += value[i + lane] - first;
	for (int i = whole; i < n; i++)
		sum[i - whole] += value[i] - first;
	return first + join(sum) / n;
}

static inline void
add_powers(double d, double *s1, double *s2, double *s3, double *s4)
{
	double		square = d * d;

	*s1 += d;
	*s2 += square;
	*s3 += square * d;
	*s4 += square * square;
}

PowerSums
power_sums_of(const double *value, int n)
{
	PowerSums	sums = {n, mean_of(value, n), 0, 0, 0};
	double		s1[LANES] = {0},
				s2[LANES] = {0},
				s3[LANES] = {0},
				s4[LANES] = {0};
	int			whole = n - n % LANES;

	for (int i = 0; i < whole; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			add_powers(value[i + lane] - sums.mean, &s1[lane], &s2[lane], &s3[lane], &s4[lane]);
	for (int i = whole; i < n; i++)
		add_powers(value[i] - sums.mean, &s1[i - whole], &s2[i - whole], &s3[i - whole], &s4[i - whole]);

	/* what rounding left in the mean moves the second sum by its square: nothing worth mending */
	sums.mean += join(s1) / n;
	sums.m2 = join(s2);
	sums.m3 = join(s3);
	sums.m4 = join(s4);
	return sums;
}

PowerSums
power_sums_weighted(const double *value, const int64 *count, int n)
{
	PowerSums	sums = {0};
	double		offset = 0;

	for (int i = 0; i < n; i++)
	{
		sums.n += count[i];
		offset += (double) count[i] * (value[i] - value[0]);
	}
	if (sums.n == 0)
		return sums;
	sums.mean = value[0] + offset / (double) sums.n;
	for (int i = 0; i < n; i++)
	{
		double		d = value[i] - sums.mean;
		double		square = d * d;

		sums.m2 += (double) count[i] * square;
		sums.m3 += (double) count[i] * square * d;
		sums.m4 += (double) count[i] * square * square;
	}
	return sums;
}

void
power_sums_merge(PowerSums *sums, const PowerSums *other)
{
	double		na = (double) sums->n,
				nb = (double) other->n,
				n = na + nb,
				delta,
				step,
				step2,
				cross;

	if (other->n == 0)
		return;
	if (sums->n == 0)
	{
		*sums = *other;
		return;
	}
	delta = other->mean - sums->mean;
	step = delta / n;
	step2 = step * step;
	cross = delta * step * na * nb;
	sums->m4 += other->m4 + cross * step2 * (na * na - na * nb + nb * nb) +
		6 * step2 * (na * na * other->m2 + nb * nb * sums->m2) + 4 * step * (na * other->m3 - nb * sums->m3);
	sums->m3 += other->m3 + cross * step * (na - nb) + 3 * step * (na * other->m2 - nb * sums->m2);
	sums->m2 += other->m2 + cross;
	sums->mean += step * nb;
	sums->n += other->n;
}

static double
defined(double x)
{
	return isfinite(x) ? x : NAN;
}

double
power_sums_sd(const PowerSums *sums)
{
	return sums->n < 2 ? NAN : defined(sqrt(sums->m2 / (double) (sums->n - 1)));
}

double
power_sums_skewness(const PowerSums *sums)
{
	double		n = (double) sums->n;
	double		variance = sums->m2 / n;

	if (sums->n < 3 || !(variance > 0))
		return NAN;
	return defined(sqrt(n * (n - 1)) / (n - 2) * (sums->m3 / n) / (variance * sqrt(variance)));
}

double
power_sums_kurtosis(const PowerSums *sums)
{
	double		n = (double) sums->n;
	double		variance = sums->m2 / n;

	if (sums->n < 4 || !(variance > 0))
		return NAN;
	return defined((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (sums->m4 / n / (variance * variance) - 3) + 6));
}
