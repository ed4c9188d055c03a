/*
 * hyperloglog.c
 *		HyperLogLog (Flajolet et al. 2007) with the estimator of Ertl (2017), which needs neither a table of corrections nor a switch between
 *		estimators.
 */
#include "postgres.h"

#include <math.h>

#include "core/hyperloglog.h"

void
hll_merge(uint8 *registers, const uint8 *other)
{
	for (int i = 0; i < HLL_REGISTERS; i++)
		registers[i] = Max(registers[i], other[i]);
}

/* x + sum over k of x^(2^k) 2^(k-1), the share of registers that no hash reached. */
static double
sigma(double x)
{
	double		sum = x,
				before,
				weight = 1;

	if (x == 1)
		return HUGE_VAL;
	do
	{
		before = sum;
		x *= x;
		sum += x * weight;
		weight += weight;
	} while (sum != before);
	return sum;
}

/* (1 - x - sum over k of (1 - x^(2^-k))^2 2^-k) / 3, the registers that are full. */
static double
tau(double x)
{
	double		sum = 1 - x,
				before,
				weight = 1;

	if (x == 0 || x == 1)
		return 0;
	do
	{
		before = sum;
		x = sqrt(x);
		weight *= 0.5;
		sum -= (1 - x) * (1 - x) * weight;
	} while (sum != before);
	return sum / 3;
}

double
hll_estimate(const uint8 *registers)
{
	const double half_of_log2e = 0.72134752044448170368;
	int			count[HLL_HIGHEST + 1] = {0};
	double		z;

	for (int i = 0; i < HLL_REGISTERS; i++)
		count[registers[i]]++;
	z = HLL_REGISTERS * tau(1 - (double) count[HLL_HIGHEST] / HLL_REGISTERS);
	for (int k = HLL_HIGHEST - 1; k >= 1; k--)
		z = 0.5 * (z + count[k]);
	z += HLL_REGISTERS * sigma((double) count[0] / HLL_REGISTERS);
	return half_of_log2e * HLL_REGISTERS * HLL_REGISTERS / z;
}
