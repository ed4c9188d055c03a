/*
 * power.c
 *		Yeo-Johnson and Box-Cox: the power that makes the training values most nearly normal, and then mean 0 and standard deviation 1, as scikit-learn's
 *		PowerTransformer.
 *
 * The power is the maximum of the same likelihood, found to a relative 1e-12 instead of the 1.5e-8 of scipy's search, so results agree to about 1e-7.
 * Missing cells stay missing, infinite ones count for nothing and stay infinite; what Box-Cox cannot take (not positive) becomes missing.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "core/mathfn.h"
#include "features/features_internal.h"

#define MOST_STEPS 200			/* of the search */
#define FARTHEST_POWER 100.0

typedef struct PowerOptions
{
	int			method;
	bool		standardize;
} PowerOptions;

#define OPTION(field) offsetof(PowerOptions, field)

static const char *const methods[] = {"yeo-johnson", "box-cox", NULL};

static const Parameter power_parameters[] = {
	{.name = "method", .type = PARAM_CHOICE, .offset = OPTION(method), .choices = methods, .help = "box-cox takes positive values only"},
	{.name = "standardize", .type = PARAM_BOOL, .offset = OPTION(standardize), .fallback = 1, .help = "then subtract the mean and divide by the standard deviation"},
};

typedef struct Power
{
	bool		box_cox;
	double		lambda;
	double		mean,
				scale;
} Power;

/* ---- the transformation ---- */

/* (e^(p l) - 1) / p, which is l where p is 0. */
static inline double
power_term(double l, double p)
{
	double		y = p * l;

	if (fabs(p) < DBL_EPSILON)
		return l;
	if (fabs(y) < 1e-5)			/* the digits that e^y - 1 loses; the next term is below 1e-16 of the result */
		return l * (1.0 + y / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0)));
	return (math_exp(y) - 1.0) / p;
}

/* l: log of the value (Box-Cox), or log1p of its size with the value's sign (Yeo-Johnson). */
static inline double
raised(double l, double lambda)
{
	return l >= 0.0 ? power_term(l, lambda) : -power_term(-l, 2.0 - lambda);
}

static inline double
log_of(const Power *power, double x)
{
	if (power->box_cox)
		return x > 0.0 ? math_log(x) : NAN;
	return x >= 0.0 ? math_log1p(x) : -math_log1p(-x);
}

static inline double
transformed(const Power *power, double x)
{
	double		l;

	if (isnan(x) || isinf(x))
		return power->box_cox && x < 0.0 ? NAN : x;
	l = log_of(power, x);
	return ((power->box_cox ? power_term(l, power->lambda) : raised(l, power->lambda)) - power->mean) / power->scale;
}

/* The l of a power_term, NaN where none gives so much. */
static inline double
term_log(double term, double p)
{
	return fabs(p) < DBL_EPSILON ? term : math_log1p(p * term) / p;
}

static double
power_invert(const void *fitted, const double *outputs)
{
	const Power *power = fitted;
	double		y = *outputs * power->scale + power->mean;

	if (isnan(y) || isinf(*outputs))
		return power->box_cox && y < 0.0 ? NAN : y;
	if (power->box_cox)
		return math_exp(term_log(y, power->lambda));
	return y >= 0.0 ? math_expm1(term_log(y, power->lambda)) : -math_expm1(term_log(-y, 2.0 - power->lambda));
}

/* ---- the power ---- */

typedef struct Search
{
	const double *l;			/* (n) logs of the values */
	int64		n;
	double		sum;			/* of their sizes with signs: what the Jacobian adds */
	bool		box_cox;
	double		mean,			/* of the values raised last */
				variance;
} Search;

/* Less is better: half of n log variance, less what the Jacobian adds; divided by n. */
static double
cost(Search *s, double lambda)
{
	double		mean = 0.0,
				squares = 0.0;

	for (int64 i = 0; i < s->n; i++)
	{
		double		y = s->box_cox ? power_term(s->l[i], lambda) : raised(s->l[i], lambda);
		double		step = y - mean;

		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		mean += step / (double) (i + 1);
		squares += step * (y - mean);
	}
	s->mean = mean;
	s->variance = squares / (double) s->n;
	if (!(s->variance > 0.0) || isinf(s->variance))
		return HUGE_VAL;
	return 0.5 * math_log(s->variance) - (lambda - 1.0) * s->sum / (double) s->n;
}

/* From two points downhill to three around a minimum. */
static bool
bracket(Search *s, double x[3], double f[3])
{
	x[0] = -2.0;
	x[1] = 2.0;
	f[0] = cost(s, x[0]);
	f[1] = cost(s, x[1]);
	if (f[1] > f[0])
	{
		x[0] = 2.0;
		x[1] = -2.0;
		f[1] = f[0];
	}
	x[2] = x[1] + (x[1] - x[0]) * 0.5;
	f[2] = cost(s, x[2]);
	while (f[2] < f[1])
	{
		x[0] = x[1];
		x[1] = x[2];
		f[1] = f[2];
		x[2] = x[1] + (x[1] - x[0]) * 1.6;
		f[2] = cost(s, x[2]);
		if (fabs(x[2]) > FARTHEST_POWER)
			return false;
	}
	return isfinite(f[1]);
}

/* Brent 1973, chapter 5: parabolas, and golden sections where they do not help. */
static double
minimum(Search *s, double a, double b, double start, double value)
{
	const double golden = 0.3819660112501051;
	double		x = start,
				w = start,
				v = start;
	double		fx = value,
				fw = value,
				fv = value;
	double		step = 0.0,
				before = 0.0;

	for (int i = 0; i < MOST_STEPS; i++)
	{
		double		middle = 0.5 * (a + b);
		double		near = 1e-9 * fabs(x) + 1e-12;
		double		p = 0.0,
					q = 0.0,
					r,
					u,
					fu;

		if (fabs(x - middle) <= 2.0 * near - 0.5 * (b - a))
			break;
		if (fabs(before) > near)
		{
			r = (x - w) * (fx - fv);
			q = (x - v) * (fx - fw);
			p = (x - v) * q - (x - w) * r;
			q = 2.0 * (q - r);
			p = q > 0.0 ? -p : p;
			q = fabs(q);
		}
		if (fabs(before) > near && fabs(p) < fabs(0.5 * q * before) && p > q * (a - x) && p < q * (b - x))
		{
			before = step;
			step = p / q;
			u = x + step;
			if (u - a < 2.0 * near || b - u < 2.0 * near)
				step = x < middle ? near : -near;
		}
		else
		{
			before = x < middle ? b - x : a - x;
			step = golden * before;
		}
		u = x + (fabs(step) >= near ? step : step > 0.0 ? near : -near);
		fu = cost(s, u);
		if (fu <= fx)
		{
			if (u < x)
				b = x;
			else
				a = x;
			v = w, fv = fw;
			w = x, fw = fx;
			x = u, fx = fu;
			continue;
		}
		if (u < x)
			a = u;
		else
			b = u;
		if (fu <= fw || w == x)
		{
			v = w, fv = fw;
			w = u, fw = fu;
		}
		else if (fu <= fv || v == x || v == w)
			v = u, fv = fu;
	}
	return x;
}

static void *
power_fit(FitSample *sample)
{
	const PowerOptions *options = sample->parameters;
	int64		n = sample->summary->nfinite;
	Power	   *power = palloc0(sizeof(Power));
	Search		s = {.l = sample->finite, .n = n, .box_cox = options->method == 1};
	double		x[3],
				f[3];

	power->box_cox = s.box_cox;
	power->scale = 1.0;
	power->lambda = 1.0;
	if (n == 0)
	{
		sample->why_unused = NO_FINITE_VALUE;
		return NULL;
	}
	if (s.box_cox && !(sample->summary->min > 0.0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("column \"%s\" has values that are not positive, which method \"box-cox\" cannot take", sample->operand->name),
				 errdetail("The smallest is %s.", features_digits(sample->summary->min)),
				 errhint("Use method \"yeo-johnson\".")));
	for (int64 i = 0; i < n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		sample->finite[i] = log_of(power, sample->finite[i]);
		s.sum += sample->finite[i];
	}
	if (sample->summary->sd > 0.0 && bracket(&s, x, f))
		power->lambda = minimum(&s, Min(x[0], x[2]), Max(x[0], x[2]), x[1], f[1]);
	(void) cost(&s, power->lambda);
	if (options->standardize)
	{
		power->mean = s.mean;
		power->scale = s.variance > 0.0 && isfinite(s.variance) ? sqrt(s.variance) : 1.0;
	}
	return power;
}

static int
power_width(const void *fitted)
{
	return 1;
}

static void
power_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Power *power = fitted;

	*outputs = (OutputColumn) {
		.name = psprintf(power->box_cox ? "box-cox(%s)" : "yeo-johnson(%s)", operand->name),
		.offset = power->mean,
		.scale = power->scale,
	};
}

static void
power_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
		rows->out[(Size) i * rows->out_stride] = transformed(fitted, rows->cells[(Size) i * rows->stride]);
}

/* ---- for people ---- */

static void
power_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Power *power = fitted;

	line(state, "lambda", NULL, power->lambda);
	line(state, "mean", NULL, power->mean);
	line(state, "scale", NULL, power->scale);
}

/* (base ^ p - 1) / p */
static char *
term_sql(const char *base, double p)
{
	if (fabs(p) < DBL_EPSILON)
		return psprintf("ln(%s)", base);
	return psprintf("(power(%s, %s) - 1) / %s", base, number_literal(p), number_literal(p));
}

static void
power_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Power *power = fitted;
	const char *x = *operand;
	char	   *raised_sql;

	if (power->box_cox)
		raised_sql = psprintf("CASE WHEN %s > 0 THEN %s END", x, term_sql(x, power->lambda));
	else
		raised_sql = psprintf("CASE WHEN %s >= 0 THEN %s ELSE -(%s) END", x, term_sql(psprintf("(%s + 1)", x), power->lambda),
							  term_sql(psprintf("(1 - %s)", x), 2.0 - power->lambda));
	*outputs = psprintf("((%s) - %s) / %s", raised_sql, number_literal(power->mean), number_literal(power->scale));
}

/* ---- stored form ---- */

static void
power_flatten(const void *fitted, ByteWriter *w)
{
	const Power *power = fitted;

	put_u8(w, power->box_cox);
	put_f64(w, power->lambda);
	put_f64(w, power->mean);
	put_f64(w, power->scale);
}

static void *
power_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Power	   *power = palloc(sizeof(Power));

	power->box_cox = get_flag(r);
	power->lambda = get_finite(r);
	power->mean = get_finite(r);
	power->scale = get_scale(r);
	return power;
}

const Transform power_transform = {
	.name = "power",
	.family = "scale",
	.help = "the power (Yeo-Johnson, Box-Cox) that makes the values most nearly normal, then mean 0 and deviation 1; NULL stays missing",
	.id = 27,
	.kinds = NUMBER_KINDS,
	.aliases = (const TransformAlias[]) {{"yeo_johnson", "method", 0}, {"box_cox", "method", 1}, {.name = "PowerTransformer"}, {.name = NULL}},
	.parameters = power_parameters,
	.nparameters = lengthof(power_parameters),
	.options_size = sizeof(PowerOptions),
	.fit = power_fit,
	.width = power_width,
	.name_outputs = power_name_outputs,
	.apply = power_apply,
	.flatten = power_flatten,
	.unflatten = power_unflatten,
	.invert = power_invert,
	.learned = power_learned,
	.sql = power_sql
};
