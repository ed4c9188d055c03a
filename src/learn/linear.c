/*
 * linear.c
 *		Linear regression as a learner: options, prediction, report, bytes.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/special.h"
#include "learn/linear_internal.h"

typedef struct LinearOptions
{
	double		l2;
} LinearOptions;

typedef struct LinearModel
{
	int			ncolumns;
	bool		penalised;
	LinearFit	fit;
} LinearModel;

static const Parameter linear_parameters[] = {
	{.name = "l2",.aliases = "alpha",.type = PARAM_FLOAT,.offset = offsetof(LinearOptions, l2),.fallback = 0,.min = 0,.max = HUGE_VAL,
	.help = "ridge penalty: l2 x squared coefficients of the standardised columns, added to the sum of squared errors"},
};

static bool
linear_wants_reference_level(const void *options)
{
	return ((const LinearOptions *) options)->l2 == 0;
}

static Size
linear_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	return linear_fit_memory(ncolumns);
}

static void *
linear_train(TrainingSet *set, const void *options)
{
	double		l2 = ((const LinearOptions *) options)->l2;
	LinearModel *model = palloc0(sizeof(LinearModel));

	model->ncolumns = set->ncolumns;
	model->penalised = l2 > 0;
	linear_fit(set, l2, &model->fit);
	return model;
}

static void
linear_predict(const void *state, const double *rows, int nrows, double *out)
{
	const LinearModel *model = state;

	dense_margins(rows, nrows, model->ncolumns, model->ncolumns, model->fit.beta, model->fit.intercept, out);
}

/* Why parts of a coefficient are undefined, or NULL. */
static const char *
missing_reason(const LinearModel *model, double estimate)
{
	if (isnan(estimate))
		return "linear combination of other columns";
	if (model->penalised)
		return "not defined under a penalty";
	if (model->fit.degrees <= 0)
		return "no more rows than coefficients: nothing is left to estimate the error from";
	if (model->fit.perfect)
		return "the fit is perfect: there is no residual to compare with";
	return NULL;
}

static Coefficient *
linear_coefficients(const void *state, int *count)
{
	const LinearModel *model = state;
	const Report *report = &model->fit.report;
	Coefficient *result = palloc(sizeof(Coefficient) * report->n);

	for (int j = 0; j < report->n; j++)
	{
		Coefficient *c = &result[j];

		c->class_index = -1;
		c->column = j - 1;
		c->estimate = report->estimate[j];
		c->standard_error = report->standard_error[j];
		c->vif = report->vif[j];
		c->reason = missing_reason(model, c->estimate);
		c->statistic = c->reason == NULL ? c->estimate / c->standard_error : NAN;
		c->p_value = c->reason == NULL ? student_t_two_sided(c->statistic, model->fit.degrees) : NAN;
	}
	*count = report->n;
	return result;
}

/* ---- bytes ---- */

#define FLAG_PENALISED 1
#define FLAG_PERFECT 2

static void
linear_flatten(const void *state, ByteWriter *w)
{
	const LinearModel *model = state;

	put_u32(w, model->ncolumns);
	put_u8(w, (model->penalised ? FLAG_PENALISED : 0) | (model->fit.perfect ? FLAG_PERFECT : 0));
	put_f64(w, model->fit.degrees);
	put_f64(w, model->fit.intercept);
	for (int j = 0; j < model->ncolumns; j++)
		put_f64(w, model->fit.beta[j]);
	report_flatten(&model->fit.report, w);
}

static void *
linear_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	LinearModel *model = palloc0(sizeof(LinearModel));
	uint8		flags;

	if (format != linear_learner.format)
		damaged(r, "unknown format %d of a linear regression", format);
	model->ncolumns = get_count(r, sizeof(double), PG_INT32_MAX);
	if (model->ncolumns != ncolumns)
		damaged(r, "%d coefficients for %d columns", model->ncolumns, ncolumns);
	flags = get_u8(r);
	if (flags & ~(FLAG_PENALISED | FLAG_PERFECT))
		damaged(r, "unknown flags %d of a linear regression", flags);
	model->penalised = (flags & FLAG_PENALISED) != 0;
	model->fit.perfect = (flags & FLAG_PERFECT) != 0;
	model->fit.degrees = get_finite(r);
	model->fit.intercept = get_finite(r);
	model->fit.beta = zero_vector(ncolumns);
	for (int j = 0; j < ncolumns; j++)
		model->fit.beta[j] = get_finite(r);
	report_unflatten(&model->fit.report, r, ncolumns);
	return model;
}

const Learner linear_learner = {
	.name = "linear_regression",
	.help = "least squares, with an optional ridge penalty; reports standard errors, t, p and variance inflation",
	.id = 2,
	.format = 1,
	.tasks = TASK_REGRESSION,
	.wants_scaling = true,
	.wants_cyclic = true,
	.parameters = linear_parameters,
	.nparameters = lengthof(linear_parameters),
	.options_size = sizeof(LinearOptions),
	.wants_reference_level = linear_wants_reference_level,
	.memory_needed = linear_memory_needed,
	.train = linear_train,
	.predict = linear_predict,
	.coefficients = linear_coefficients,
	.flatten = linear_flatten,
	.unflatten = linear_unflatten,
};
