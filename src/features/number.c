/*
 * number.c
 *		Numbers, booleans, times and intervals: impute, clamp infinities, standardise, and say what was missing.
 *
 * As scikit-learn's SimpleImputer(median) and StandardScaler do one after the other: mean and population standard deviation are those of the
 * imputed column.  Infinite cells count neither in the median nor as missing; they become the smallest or largest finite training value.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "core/sort.h"
#include "features/features_internal.h"

typedef struct Number
{
	bool		has_value;		/* false: constant but for missing cells; only the indicator is left */
	bool		has_indicator;
	double		fill;			/* for missing cells; NaN where the learner takes them itself */
	double		lower,			/* for infinite cells */
				upper;
	double		offset,
				scale;
	double		inverse;		/* 1 / scale; not stored */
} Number;

static inline bool
is_finite_cell(double x)
{
	return fabs(x) < INFINITE_FROM;
}

/* ---- fitting ---- */

/* The median; of booleans the more frequent one, false where both are.  Permutes. */
static double
typical_value(ColumnKind kind, double *finite, int64 n)
{
	return kind == KIND_BOOLEAN ? select_kth(finite, n, (n - 1) / 2) : median(finite, n);
}

/* The value for missing cells, and the scale of the column that is completed with it. */
static void
fit_value(Number *number, const FitSample *sample, bool scale)
{
	const ColumnSummary *summary = sample->summary;

	number->has_value = summary->sd > 0.0;
	if (number->has_value || summary->nfinite < sample->n)
		number->fill = typical_value(sample->operand->kind, sample->finite, summary->nfinite);
	if (number->has_value && scale)
	{
		Moments		moments = completed_moments(summary, number->fill);

		number->offset = moments.mean;
		number->scale = moments.sd;
		number->inverse = 1.0 / number->scale;
	}
}

static void *
number_fit(FitSample *sample)
{
	const FeatureOptions *options = sample->options;
	const ColumnSummary *summary = sample->summary;
	Number	   *number = palloc0(sizeof(Number));

	number->lower = summary->min;
	number->upper = summary->max;
	number->scale = number->inverse = 1.0;
	if (summary->nfinite == 0)
	{
		sample->why_unused = summary->missing == sample->n ? "all its values are missing" : NO_FINITE_VALUE;
		return NULL;
	}
	if (options->takes_missing)
	{
		number->fill = (double) NAN;
		number->has_value = summary->max > summary->min || summary->missing > 0;
	}
	else
	{
		number->has_indicator = summary->missing > 0;
		fit_value(number, sample, options->scale);
	}
	if (number->has_value || number->has_indicator)
		return number;
	sample->why_unused = "it is constant";
	return NULL;
}

static int
number_width(const void *fitted)
{
	const Number *number = fitted;

	return number->has_value + number->has_indicator;
}

static void
number_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Number *number = fitted;

	if (number->has_value)
		*outputs++ = (OutputColumn) {
			.name = pstrdup(operand->name),
			.kind = number->scale == 1.0 && number->offset == 0.0 ? operand->kind : KIND_NUMBER,
			.offset = operand->offset + number->offset * operand->scale,
			.scale = number->scale * operand->scale,
		};
	if (number->has_indicator)
		outputs->name = indicator_name(operand);
}

/* ---- applying ---- */

/* Selects, no branches: the loops over a run vectorise. */
static inline double
prepared(double x, double fill, double lower, double upper, double offset, double inverse)
{
	x = x >= INFINITE_FROM ? upper : x;
	x = x <= -INFINITE_FROM ? lower : x;
	x = x != x ? fill : x;
	return (x - offset) * inverse;
}

static void
number_apply(const void *fitted, const ApplyRows *rows)
{
	const double *cells = rows->cells;
	double	   *out = rows->out;
	const Number *number = fitted;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		if (number->has_value)
			out[0] = prepared(*cells, number->fill, number->lower, number->upper, number->offset, number->inverse);
		if (number->has_indicator)
			out[number->has_value] = isnan(*cells) ? 1.0 : 0.0;
	}
}

/* A column that was constant but for missing cells has its value in "fill". */
static double
number_invert(const void *fitted, const double *outputs)
{
	const Number *number = fitted;

	if (number->has_indicator && !(outputs[number->has_value] < 0.5))
		return NAN;
	return number->has_value ? outputs[0] * number->scale + number->offset : number->fill;
}

typedef struct NumberRun
{
	int			n;
	bool		has_indicator;	/* the last one; its output follows */
	double	   *fill;			/* (n) each */
	double	   *lower;
	double	   *upper;
	double	   *offset;
	double	   *inverse;
} NumberRun;

/* The sign bit is set where a cell is NaN or counts as infinite (INFINITE_FROM): its exponent carries over. */
static inline uint64
special_bit(double x)
{
	const uint64 exponent = UINT64CONST(0x7ff) << 52;
	uint64		bits;

	memcpy(&bits, &x, sizeof(bits));
	return (bits & exponent) + (UINT64CONST(3) << 52);
}

static void
run_apply(const void *state, const ApplyRows *rows)
{
	const double *cells = rows->cells;
	double	   *out = rows->out;
	const NumberRun *run = state;
	const int	n = run->n;
	const double *restrict fill = run->fill;
	const double *restrict lower = run->lower;
	const double *restrict upper = run->upper;
	const double *restrict offset = run->offset;
	const double *restrict inverse = run->inverse;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		const double *restrict x = cells;
		double	   *restrict y = out;
		uint64		special = 0;

		for (int j = 0; j < n; j++)
		{
			y[j] = (x[j] - offset[j]) * inverse[j];
			special |= special_bit(x[j]);
		}
		if (special >> 63)
			for (int j = 0; j < n; j++)
				y[j] = prepared(x[j], fill[j], lower[j], upper[j], offset[j], inverse[j]);
		if (run->has_indicator)
			y[n] = isnan(x[n - 1]) ? 1.0 : 0.0;
	}
}

bool
number_joins_run(const FeatureStep *step)
{
	return step->transform == &number_transform && ((const Number *) step->fitted)->has_value;
}

bool
number_ends_run(const FeatureStep *step)
{
	return ((const Number *) step->fitted)->has_indicator;
}

ApplyOperation
number_run(const FeatureStep *steps, int nsteps)
{
	NumberRun  *run = palloc(sizeof(NumberRun));
	double	   *numbers = palloc(sizeof(double) * 5 * nsteps);

	run->n = nsteps;
	run->has_indicator = number_ends_run(&steps[nsteps - 1]);
	run->fill = numbers;
	run->lower = numbers + nsteps;
	run->upper = numbers + 2 * nsteps;
	run->offset = numbers + 3 * nsteps;
	run->inverse = numbers + 4 * nsteps;
	for (int j = 0; j < nsteps; j++)
	{
		const Number *number = steps[j].fitted;

		run->fill[j] = number->fill;
		run->lower[j] = number->lower;
		run->upper[j] = number->upper;
		run->offset[j] = number->offset;
		run->inverse[j] = number->inverse;
	}
	return (ApplyOperation) {.apply = run_apply, .state = run};
}

/* ---- for people ---- */

static void
number_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Number *number = fitted;

	line(state, "minimum", NULL, number->lower);
	line(state, "maximum", NULL, number->upper);
	if (!number->has_value)
		return;
	if (!isnan(number->fill))
		line(state, "fill", NULL, number->fill);
	line(state, "mean", NULL, number->offset);
	line(state, "scale", NULL, number->scale);
}

static void
number_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Number *number = fitted;
	const char *x = *operand;
	const char *finite = info->kind != KIND_NUMBER ? x : psprintf("CASE WHEN %s >= '4.49423283715579e+307' THEN %s WHEN %s <= '-4.49423283715579e+307' THEN %s ELSE %s END", x,
								  number_literal(number->upper), x, number_literal(number->lower), x);

	if (number->has_value && !isnan(number->fill))
		finite = psprintf("coalesce(%s, %s)", finite, number_literal(number->fill));
	if (number->has_value && (number->offset != 0.0 || number->scale != 1.0))
		finite = psprintf("(%s - %s) / %s", finite, number_literal(number->offset), number_literal(number->scale));
	if (number->has_value)
		outputs[0] = unconstify(char *, finite);
	if (number->has_indicator)
		outputs[number->has_value] = psprintf("CASE WHEN %s IS NULL THEN 1 ELSE 0 END::double precision", x);
}

/* ---- stored form ---- */

static void
number_flatten(const void *fitted, ByteWriter *w)
{
	const Number *number = fitted;

	put_u8(w, number->has_value);
	put_u8(w, number->has_indicator);
	put_f64(w, number->fill);
	put_f64(w, number->lower);
	put_f64(w, number->upper);
	put_f64(w, number->offset);
	put_f64(w, number->scale);
}

static double
get_cell(ByteReader *r)
{
	double		x = get_f64(r);

	if (!is_finite_cell(x))
		damaged(r, "A number of a column's preparation is not finite.");
	return x;
}

static void *
number_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Number	   *number = palloc0(sizeof(Number));

	number->has_value = get_flag(r);
	number->has_indicator = get_flag(r);
	number->fill = get_f64(r);
	number->lower = get_cell(r);
	number->upper = get_cell(r);
	number->offset = get_cell(r);
	number->scale = get_scale(r);
	number->inverse = 1.0 / number->scale;

	if (number_width(number) == 0 || number->lower > number->upper)
		damaged(r, "The preparation of column \"%s\" is inconsistent.", operand->name);
	/* a missing cell stays missing only without an indicator */
	if (isnan(number->fill) ? number->has_indicator : !(number->fill >= number->lower && number->fill <= number->upper))
		damaged(r, "The value for missing cells of column \"%s\" is out of range.", operand->name);
	return number;
}

const Transform number_transform = {
	.name = "number",
	.id = 1,
	.kinds = 1 << KIND_NUMBER | 1 << KIND_BOOLEAN | 1 << KIND_TIME | 1 << KIND_INTERVAL,
	.fit = number_fit,
	.width = number_width,
	.name_outputs = number_name_outputs,
	.apply = number_apply,
	.flatten = number_flatten,
	.unflatten = number_unflatten,
	.invert = number_invert,
	.learned = number_learned,
	.sql = number_sql
};
