/*
 * normal.c
 *		The normal distribution: its quantile by Wichura 1988, algorithm AS 241 (PPND16), relative error about 1e-16, and its distribution function by
 *		Abramowitz and Stegun 1964, 26.2.11 and 26.2.14.
 */
#include "postgres.h"

#include <math.h>

#include "core/mathfn.h"
#include "core/normal.h"

#define CENTRAL 0.425			/* up to this far from one half */
#define TAIL 5.0				/* from this square root of -log p on */

static double
rational(const double *above, const double *below, double r)
{
	double		a = above[7],
				b = below[7];

	for (int i = 6; i >= 0; i--)
	{
		a = a * r + above[i];
		b = b * r + below[i];
	}
	return a / b;
}

double
normal_quantile(double p)
{
	static const double central_above[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
	4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
	static const double central_below[8] = {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
	2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3};
	static const double middle_above[8] = {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
	1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
	static const double middle_below[8] = {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
	1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9};
	static const double tail_above[8] = {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
	2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
	static const double tail_below[8] = {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
	7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15};
	double		q = p - 0.5;
	double		r;

	if (!(p > 0.0 && p < 1.0))
		return p == 0.0 ? -HUGE_VAL : p == 1.0 ? HUGE_VAL : NAN;
	if (fabs(q) <= CENTRAL)
		return q * rational(central_above, central_below, CENTRAL * CENTRAL - q * q);
	r = sqrt(-math_log(q < 0.0 ? p : 1.0 - p));
	r = r <= TAIL ? rational(middle_above, middle_below, r - 1.6) : rational(tail_above, tail_below, r - TAIL);
	return q < 0.0 ? -r : r;
}

#define FRACTION_FROM 2.5		/* the continued fraction has converged from here on with */
#define FRACTION_DEPTH 60
#define SQRT_2_PI 0x1.40d931ff62706p+1

/* P(X > x) for x >= 0 */
static double
upper_tail(double x)
{
	double		density = math_exp(-0.5 * x * x) / SQRT_2_PI;
	double		term = x,
				sum = x;

	if (x >= FRACTION_FROM)
	{
		double		below = x;

		for (int k = FRACTION_DEPTH; k >= 1; k--)
			below = x + k / below;
		return density / below;
	}
	for (int k = 3; term > 1e-17 * sum; k += 2)
	{
		term *= x * x / k;
		sum += term;
	}
	return 0.5 - density * sum;
}

double
normal_cdf(double x)
{
	if (isnan(x))
		return x;
	return x < 0.0 ? upper_tail(-x) : 1.0 - upper_tail(x);
}
