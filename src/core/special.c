/*
 * special.c
 *		Distribution functions for reports.
 *
 * They use the C library's exp and log: their last digits may differ between machines, so nothing here may reach a model.
 */
#include "postgres.h"

#include <math.h>

#include "core/special.h"

#define STIRLING_FROM 15.0		/* where the series below reaches double precision */
#define FRACTION_STEPS 100000
#define TINY 1e-300

/* What log(gamma(x)) has beyond (x - 1/2) log x - x + log(2 pi) / 2 (Abramowitz & Stegun 6.1.41), x >= STIRLING_FROM. */
static double
stirling_rest(double x)
{
	double		z = 1 / (x * x);

	return (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360 - z / 156)))))) / x;
}

double
log_gamma(double x)
{
	double		product = 1;

	if (!(x > 0))
		return NAN;
	while (x < STIRLING_FROM)
		product *= x++;
	return (x - 0.5) * log(x) - x + 0.5 * log(2 * M_PI) + stirling_rest(x) - log(product);
}

/* log of gamma(a + b) / gamma(a), without the cancellation of two large logarithms where a is large */
static double
log_gamma_ratio(double a, double b)
{
	if (a < STIRLING_FROM)
		return log_gamma(a + b) - log_gamma(a);
	return (a - 0.5) * log1p(b / a) + b * log(a + b) - b + stirling_rest(a + b) - stirling_rest(a);
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method; converges fast for x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1,
				d = 1 - (a + b) * x / (a + 1);
	double		f;

	d = 1 / (fabs(d) < TINY ? TINY : d);
	f = d;
	for (int m = 1; m < FRACTION_STEPS; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		change;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		f *= d * c;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		change = d * c;
		f *= change;
		if (fabs(change - 1) < 1e-16)
			break;
	}
	return f;
}

/* I_x(a, b) given both x and 1 - x, so that neither loses digits. */
static double
beta_tail(double a, double b, double x, double rest)
{
	double		front;

	if (x <= 0)
		return 0;
	if (rest <= 0)
		return 1;
	/* the ratio is taken over the larger argument, where its cancellation would be worst */
	front = a >= b ? log_gamma_ratio(a, b) - log_gamma(b) : log_gamma_ratio(b, a) - log_gamma(a);
	front += a * (x < 0.5 ? log(x) : log1p(-rest)) + b * (rest < 0.5 ? log(rest) : log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return exp(front) * beta_fraction(a, b, x) / a;
	return 1 - exp(front) * beta_fraction(b, a, rest) / b;
}

double
incomplete_beta(double a, double b, double x)
{
	if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
		return NAN;
	return beta_tail(a, b, x, 1 - x);
}

double
student_t_two_sided(double t, double df)
{
	double		square = t * t;

	if (isnan(t) || !(df > 0))
		return NAN;
	if (isinf(square))
		return 0;
	return beta_tail(0.5 * df, 0.5, df / (df + square), square / (df + square));
}

double
normal_two_sided(double z)
{
	return erfc(fabs(z) / M_SQRT2);
}
