/*
 * mathfn_internal.h
 *		The cores of mathfn.c as inline functions without branches, so that loops over arrays vectorise and give the same bits as one call.
 *
 * Only additions, multiplications, divisions, comparisons and bit patterns: every machine with IEEE 754 doubles, and every vector width,
 * computes the same.  Compile with -ffp-contract=off.
 */
#ifndef RELEARN_CORE_MATHFN_INTERNAL_H
#define RELEARN_CORE_MATHFN_INTERNAL_H

/* ln 2 in two parts; the upper has 20 trailing zero bits, so that its products with exponents are exact. */
#define LN2_UPPER 0x1.62e42fefp-1
#define LN2_LOWER 0x1.473de6af278edp-34
#define LOG2_E 0x1.71547652b82fep+0

/* Adding it rounds to an integer and leaves that in the low bits. */
#define ROUNDER 0x1.8p52

#define EXPONENT_SHIFT 52
#define EXPONENT_BIAS 1023
#define EXP_EXPONENT_OFFSET 2048	/* keeps the halves of an exponent positive, for shifts that know no sign */

static inline uint64
double_bits(double x)
{
	uint64		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline double
bits_double(uint64 bits)
{
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* condition ? a : b through a mask; GCC will not vectorise a conditional it has turned into jumps. */
static inline double
math_select(bool condition, double a, double b)
{
	uint64		mask = -(uint64) condition;

	return bits_double((double_bits(a) & mask) | (double_bits(b) & ~mask));
}

/*
 * exp(x) = 2^k exp(r), |r| <= ln 2 / 2.  exp(r) = 1 + r + r^2/2 + r^3 P(r); the rounding error of r stays apart ("lower") and joins the small
 * terms.  Scaling by 2^k in two exact-or-last steps makes overflow, infinity and gradual underflow right without a branch.
 */
static inline double
math_exp_inline(double x)
{
	double		bounded = math_select(x > 710.0, 710.0, x);
	double		rounded,
				k,
				upper,
				lower,
				r,
				r2,
				r4,
				p,
				y;
	uint64		exponent,
				half;

	bounded = math_select(bounded < -746.0, -746.0, bounded);
	rounded = bounded * LOG2_E + ROUNDER;
	k = rounded - ROUNDER;
	upper = bounded - k * LN2_UPPER;
	lower = k * LN2_LOWER;
	r = upper - lower;
	r2 = r * r;
	r4 = r2 * r2;

	/* P interpolates (exp(r) - 1 - r - r^2/2) / r^3 at Chebyshev nodes, relative error of exp below 1e-18 */
	p = (0x1.5555555555556p-3 + r * 0x1.5555555555555p-5) + r2 * (0x1.11111111109adp-7 + r * 0x1.6c16c16c167dep-10)
		+ r4 * ((0x1.a01a01a7c8d47p-13 + r * 0x1.a01a01a47db6fp-16) + r2 * (0x1.71de0d9c145d0p-19 + r * 0x1.27e4e1ea0f53ap-22)
				+ r4 * (0x1.af38d53857513p-26 + r * 0x1.1f66f85dfa20bp-29));
	y = 1.0 + (upper + ((0.5 * r2 + r2 * r * p) - lower));

	exponent = double_bits(rounded) - double_bits(ROUNDER) + 2 * EXP_EXPONENT_OFFSET;
	half = exponent >> 1;
	y *= bits_double((half - EXP_EXPONENT_OFFSET + EXPONENT_BIAS) << EXPONENT_SHIFT);
	return y * bits_double((exponent - half - EXP_EXPONENT_OFFSET + EXPONENT_BIAS) << EXPONENT_SHIFT);
}

/*
 * k ln 2 + log(1 + f) + correction, for f in [-1/4, 1/2].  With s = f / (2 + f): log(1 + f) = f - (f^2/2 - s (f^2/2 + s^2 T(s^2))), where T
 * interpolates (log((1 + s) / (1 - s)) - 2 s) / s^3.
 */
static inline double
math_log_inline(double f, double k, double correction)
{
	double		s = f / (2.0 + f);
	double		z = s * s;
	double		z2 = z * z;
	double		half_square = 0.5 * f * f;
	double		t = (0x1.5555555555555p-1 + z * 0x1.9999999999f30p-2) + z2 * (0x1.24924923dba6ap-2 + z * 0x1.c71c72e2f78d5p-3)
		+ z2 * z2 * ((0x1.745cab2727663p-3 + z * 0x1.3b29fcbbce66dp-3) + z2 * (0x1.0e88ea4725d3dp-3 + z * 0x1.16b68338bd78bp-3));

	return k * LN2_UPPER - ((half_square - (s * (half_square + z * t) + (k * LN2_LOWER + correction))) - f);
}

/* log(1 + t) for t in [0, 1] */
static inline double
math_log1p_unit_inline(double t)
{
	return math_log_inline(math_select(t > 0.5, 0.5 * (t - 1.0), t), math_select(t > 0.5, 1.0, 0.0), 0.0);
}

/* 1 / (1 + exp(-x)), given t = exp(-|x|) */
static inline double
math_sigmoid_from_inline(double x, double t)
{
	return math_select(x < 0.0, t, 1.0) / (1.0 + t);
}

/* log(1 + exp(x)), given t = exp(-|x|) */
static inline double
math_softplus_from_inline(double x, double t)
{
	return math_select(x < 0.0, 0.0, x) + math_log1p_unit_inline(t);
}

#endif
