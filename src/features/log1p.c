/*
 * log1p.c
 *		log(1 + x), as FunctionTransformer(log1p) of scikit-learn: for amounts and counts.  Missing stays missing, and what is below -1 becomes missing
 *		(numpy says NaN); -1 becomes -infinity.
 */
#include "postgres.h"

#include <math.h>

#include "core/mathfn.h"
#include "features/features_internal.h"

/* Nothing is learned. */
static void *
log1p_fit(FitSample *sample)
{
	return palloc0(1);
}

static int
log1p_width(const void *fitted)
{
	return 1;
}

static void
log1p_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = psprintf("log1p(%s)", operand->name);
}

static inline double
log1p_of(double x)
{
	if (!(x > -1.0))
		return x == -1.0 ? -HUGE_VAL : NAN;
	return isinf(x) ? x : math_log1p(x);
}

static void
log1p_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
		rows->out[(Size) i * rows->out_stride] = log1p_of(rows->cells[(Size) i * rows->stride]);
}

static double
log1p_invert(const void *fitted, const double *outputs)
{
	return math_expm1(*outputs);
}

/* PostgreSQL has no log1p; near zero its digits are those of 2 atanh(x / (2 + x)). */
static void
log1p_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	*outputs = psprintf("CASE WHEN abs(%1$s) < 0.5 THEN 2 * atanh(%1$s / (2 + %1$s)) WHEN %1$s > -1 THEN ln(1 + %1$s) "
						"WHEN %1$s = -1 THEN '-infinity'::double precision END", *operand);
}

static void
log1p_flatten(const void *fitted, ByteWriter *w)
{
}

static void *
log1p_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	return palloc0(1);
}

const Transform log1p_transform = {
	.name = "log1p",
	.family = "scale",
	.help = "log(1 + x); NULL stays missing, and what is below -1 becomes missing",
	.id = 18,
	.kinds = NUMBER_KINDS,
	.fit = log1p_fit,
	.width = log1p_width,
	.name_outputs = log1p_name_outputs,
	.apply = log1p_apply,
	.flatten = log1p_flatten,
	.unflatten = log1p_unflatten,
	.invert = log1p_invert,
	.sql = log1p_sql
};
