/*
 * mathfn.c
 *		Elementary functions whose bits are the same on every machine.
 */
#include "postgres.h"

#include <math.h>

#include "core/mathfn.h"
#include "core/mathfn_internal.h"

/* 2 pi */
#define FULL_CIRCLE 0x1.921fb54442d18p+2

double
math_exp(double x)
{
	return math_exp_inline(x);
}

/* Kahan: (e^x - 1) x / log(e^x) has the digits that e^x - 1 alone loses near 0. */
double
math_expm1(double x)
{
	double		e = math_exp_inline(x);

	if (e == 1.0)
		return x;
	return fabs(x) < 1.0 ? (e - 1.0) * x / math_log(e) : e - 1.0;
}

double
math_sigmoid(double x)
{
	return math_sigmoid_from_inline(x, math_exp_inline(-fabs(x)));
}

double
math_softplus(double x)
{
	return math_softplus_from_inline(x, math_exp_inline(-fabs(x)));
}

/* x = 2^k m with m in [3/4, 3/2), for finite x > 0 */
static double
split_exponent(double x, double *k)
{
	uint64		bits = double_bits(x);
	int64		exponent;

	*k = 0.0;
	if (x < 0x1p-1022)			/* subnormal */
	{
		bits = double_bits(x * 0x1p54);
		*k = -54.0;
	}
	exponent = (int64) ((bits - double_bits(0.75)) >> EXPONENT_SHIFT);
	if (bits < double_bits(0.75))
		exponent -= 1 << (64 - EXPONENT_SHIFT); /* the shift knows no sign */
	*k += (double) exponent;
	return bits_double(bits - ((uint64) exponent << EXPONENT_SHIFT));
}

double
math_log(double x)
{
	double		k;
	double		m;

	if (!(x > 0.0))
		return x == 0.0 ? -HUGE_VAL : (double) NAN;
	if (isinf(x))
		return x;
	m = split_exponent(x, &k);
	return math_log_inline(m - 1.0, k, 0.0);
}

double
math_log1p(double x)
{
	double		sum = 1.0 + x;
	double		k;
	double		m;

	if (!(x > -1.0))
		return x == -1.0 ? -HUGE_VAL : (double) NAN;
	if (isinf(x))
		return x;
	if (x >= -0.25 && x <= 0.5)
		return math_log_inline(x, 0.0, 0.0);
	m = split_exponent(sum, &k);
	/* what the sum lost, to first order */
	return math_log_inline(m - 1.0, k, (sum > 2.0 ? 1.0 - (sum - x) : x - (sum - 1.0)) / sum);
}

/*
 * The angle is reduced to an eighth of a turn around the nearest quarter (exactly), so multiples of a quarter give exact answers.
 * Polynomials interpolate (sin(a) - a) / a^3 and (cos(a) - 1 + a^2/2) / a^4 in a^2.
 */
void
math_circle(double turns, double *sine, double *cosine)
{
	double		part = turns - floor(turns);
	double		quarter = floor(4.0 * part + 0.5);
	double		a = (part - 0.25 * quarter) * FULL_CIRCLE;
	double		z = a * a;
	double		s,
				c;

	s = a + a * z * (-0x1.5555555555555p-3 + z * (0x1.1111111111110p-7 + z * (-0x1.a01a01a019936p-13 + z * (0x1.71de3a54605eep-19
		+ z * (-0x1.ae64541266378p-26 + z * (0x1.61217ec01749dp-33 + z * -0x1.ab17a79237a19p-41))))));
	c = 1.0 - (0.5 * z - z * z * (0x1.5555555555555p-5 + z * (-0x1.6c16c16c16c16p-10 + z * (0x1.a01a01a019d0ap-16
		+ z * (-0x1.27e4fb7712bdfp-22 + z * (0x1.1eed8deb6d561p-29 + z * (-0x1.9394b9c9c20a4p-37 + z * 0x1.ab783376962cfp-45)))))));

	if (!(quarter < 4.0))		/* a whole turn, or no number */
		quarter = 0.0;
	switch ((int) quarter)
	{
		case 0:
			*sine = s;
			*cosine = c;
			break;
		case 1:
			*sine = c;
			*cosine = -s;
			break;
		case 2:
			*sine = -s;
			*cosine = -c;
			break;
		default:
			*sine = -c;
			*cosine = s;
			break;
	}
}

/* The share of the way round a square is off by less than 0.012; each sine of what is left of the angle brings its third power over six. */
double
math_turns(double sine, double cosine)
{
	double		around = fabs(sine) + fabs(cosine);
	double		distance = sqrt(sine * sine + cosine * cosine);
	double		turns;

	if (!(distance > 0.0) || isinf(distance))
		return NAN;
	turns = (cosine >= 0.0 ? sine / around : 2.0 - sine / around) / 4.0;
	for (int i = 0; i < 4; i++)
	{
		double		s,
					c;

		math_circle(turns, &s, &c);
		turns += (sine * c - cosine * s) / distance / FULL_CIRCLE;
	}
	turns -= floor(turns);
	return turns < 1.0 ? turns : 0.0;
}
