/*
 * moments.c
 *		Mean and standard deviation of a column, the same bits on every machine.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "features/features_internal.h"

#define LANES 4					/* value i goes to lane i mod 4 of its block; lanes join as (0 + 2) + (1 + 3) */

typedef struct Sums
{
	double		sum;
	double		squares;
} Sums;

/* Sums of value * unit - center and of its square: lanes within a block, blocks in order. */
static Sums
sum_deviations(const double *value, int64 n, double unit, double center)
{
	Sums		total = {0.0, 0.0};

	for (int64 start = 0; start < n; start += FIT_BLOCK)
	{
		int			count = (int) Min(n - start, FIT_BLOCK);
		double		sum[LANES] = {0.0};
		double		squares[LANES] = {0.0};
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		for (; i + LANES <= count; i += LANES)
			for (int lane = 0; lane < LANES; lane++)
			{
				double		d = value[start + i + lane] * unit - center;

				sum[lane] += d;
				squares[lane] += d * d;
			}
		for (int lane = 0; i < count; i++, lane++)
		{
			double		d = value[start + i] * unit - center;

			sum[lane] += d;
			squares[lane] += d * d;
		}
		total.sum += (sum[0] + sum[2]) + (sum[1] + sum[3]);
		total.squares += (squares[0] + squares[2]) + (squares[1] + squares[3]);
	}
	return total;
}

/* The power of 2 that keeps squares of values up to "largest" from overflowing or vanishing. */
static double
safe_unit(double largest)
{
	int			exponent;

	if (largest <= 0x1p400 && largest >= 0x1p-300)
		return 1.0;
	frexp(largest, &exponent);
	return ldexp(1.0, Min(-exponent, DBL_MAX_EXP - 1));
}

/*
 * Two passes; the second also mends the mean by what rounding left in the deviations.  Very large or small values are brought near 1 by a power
 * of two first, so that no square overflows or vanishes.  The bound below which a column counts as constant is scikit-learn's.
 */
Moments
column_moments(const double *value, int64 n, double largest)
{
	double		unit = safe_unit(largest);
	double		mean,
				mend,
				variance,
				noise;
	Sums		sums;

	mean = sum_deviations(value, n, unit, 0.0).sum / (double) n;
	sums = sum_deviations(value, n, unit, mean);
	mend = sums.sum / (double) n;
	variance = sums.squares / (double) n - mend * mend;
	mean += mend;

	noise = (double) n * mean * DBL_EPSILON;
	if (!(variance > (double) n * DBL_EPSILON * variance + noise * noise) || sqrt(variance) / unit < DBL_MIN)
		variance = 0.0;
	return (Moments) {mean / unit, sqrt(variance) / unit};
}

/* What "count" cells of one value add to the sum of squares about the new mean. */
static inline double
squares_of(int64 count, double value, double mean)
{
	return count > 0 ? (double) count * (value - mean) * (value - mean) : 0.0;
}

Moments
completed_moments(const ColumnSummary *summary, double fill)
{
	double		unit = safe_unit(Max(fabs(summary->min), fabs(summary->max)));
	int64		total = summary->nfinite + summary->missing + summary->below + summary->above;
	double		n = (double) total;
	double		share = (double) summary->nfinite / n;
	double		mean = summary->mean * unit,
				sd = summary->sd * unit,
				completed,
				squares;

	if (summary->sd == 0.0 || summary->nfinite == total)
		return (Moments) {summary->mean, summary->sd};
	fill *= unit;
	completed = mean * share + fill * ((double) summary->missing / n) + summary->min * unit * ((double) summary->below / n) +
		summary->max * unit * ((double) summary->above / n);
	squares = squares_of(summary->nfinite, mean, completed) + squares_of(summary->missing, fill, completed) +
		squares_of(summary->below, summary->min * unit, completed) + squares_of(summary->above, summary->max * unit, completed);
	return (Moments) {completed / unit, Max(sqrt(sd * sd * share + squares / n) / unit, DBL_MIN)};
}
