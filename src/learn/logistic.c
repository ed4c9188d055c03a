/*
 * logistic.c
 *		Logistic regression as a learner: options, prediction, report, bytes.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/special.h"
#include "learn/logistic_internal.h"

typedef struct LogisticOptions
{
	double		c;
	double		l2;				/* NaN: 1 / c */
	int			max_iter;
	double		tol;
} LogisticOptions;

typedef struct LogisticModel
{
	bool		penalised;
	LogisticFit fit;
} LogisticModel;

#define SAYS_PENALTY 1			/* C and l2 */

static const Parameter logistic_parameters[] = {
	{.name = "C",.aliases = "c",.type = PARAM_FLOAT,.offset = offsetof(LogisticOptions, c),.fallback = 1,.min = 1e-300,.max = HUGE_VAL,
	.says = SAYS_PENALTY,.help = "inverse of the penalty, as in scikit-learn: l2 = 1 / C"},
	{.name = "l2",.type = PARAM_FLOAT,.offset = offsetof(LogisticOptions, l2),.fallback = NAN,.min = 0,.max = HUGE_VAL,
	.says = SAYS_PENALTY,.help = "penalty: l2 / 2 x squared coefficients of the standardised columns, added to the summed log loss; 0 for none"},
	{.name = "max_iter",.type = PARAM_INT,.offset = offsetof(LogisticOptions, max_iter),.fallback = 1000,.min = 1,.max = 1000000,
	.help = "most iterations before the fit stops with a warning"},
	{.name = "tol",.type = PARAM_FLOAT,.offset = offsetof(LogisticOptions, tol),.fallback = 1e-8,.min = 0,.max = 1,
	.help = "stop when the gradient's norm falls to this share of its norm at the start"},
};

static double
penalty(const LogisticOptions *options)
{
	return isnan(options->l2) ? 1 / options->c : options->l2;
}

static bool
logistic_wants_reference_level(const void *options)
{
	return penalty(options) == 0;
}

static Size
logistic_memory_needed(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	return logistic_fit_memory(ncolumns, nclasses);
}

static void *
logistic_train(TrainingSet *set, const void *state)
{
	const LogisticOptions *options = state;
	LogisticModel *model = palloc0(sizeof(LogisticModel));

	model->penalised = penalty(options) > 0;
	logistic_fit(set, penalty(options), options->tol, options->max_iter, &model->fit);
	return model;
}

/* ---- prediction ---- */

#define SCRATCH_CELLS 4096		/* margins of a piece of rows, class by class, on the stack */

/* (nclasses, nrows) -> (nrows, nclasses) */
static void
transpose(const double *in, int nrows, int nclasses, double *out)
{
	for (int i = 0; i < nrows; i++)
		for (int k = 0; k < nclasses; k++)
			out[(Size) i * nclasses + k] = in[(Size) k * nrows + i];
}

static void
predict_classes(const LogisticFit *fit, const double *rows, int nrows, double *margin)
{
	for (int k = 0; k < fit->nequations; k++)
	{
		const double *weight = fit->weight + (Size) k * (fit->ncolumns + 1);

		dense_margins(rows, nrows, fit->ncolumns, fit->ncolumns, weight + 1, weight[0], margin + (Size) k * nrows);
	}
	dense_softmax(margin, nrows, fit->nequations, NULL);
}

static void
logistic_predict(const void *state, const double *rows, int nrows, double *out)
{
	const LogisticFit *fit = &((const LogisticModel *) state)->fit;
	int			piece = fit->nequations <= SCRATCH_CELLS ? SCRATCH_CELLS / fit->nequations : 1;

	if (fit->nequations == 1)
	{
		dense_margins(rows, nrows, fit->ncolumns, fit->ncolumns, fit->weight + 1, fit->weight[0], out);
		dense_sigmoid(out, nrows, out);
		return;
	}
	for (int start = 0; start < nrows; start += piece)
	{
		int			count = Min(piece, nrows - start);
		const double *from = rows + (Size) start * fit->ncolumns;
		double	   *to = out + (Size) start * fit->nequations;
		double		margin[SCRATCH_CELLS];

		if (count == 1)
			predict_classes(fit, from, 1, to);
		else
		{
			predict_classes(fit, from, count, margin);
			transpose(margin, count, fit->nequations, to);
		}
	}
}

/* ---- report ---- */

static const char *
missing_reason(const LogisticModel *model, double estimate, double standard_error)
{
	if (isnan(estimate))
		return "linear combination of other columns";
	if (model->penalised)
		return "not defined under a penalty";
	if (model->fit.nequations > 1)
		return "not defined for one equation per class: only differences between classes are";
	if (isnan(standard_error))
		return "the classes are separated: the rows say nothing about the error";
	return NULL;
}

static Coefficient *
logistic_coefficients(const void *state, int *count)
{
	const LogisticModel *model = state;
	int			n = model->fit.ncolumns + 1;
	Coefficient *result = palloc(sizeof(Coefficient) * n * model->fit.nequations);
	Coefficient *c = result;

	for (int k = 0; k < model->fit.nequations; k++)
		for (int j = 0; j < n; j++, c++)
		{
			c->class_index = model->fit.nequations == 1 ? -1 : k;
			c->column = j - 1;
			c->estimate = model->fit.report[k].estimate[j];
			c->standard_error = model->fit.report[k].standard_error[j];
			c->vif = model->fit.report[k].vif[j];
			c->reason = missing_reason(model, c->estimate, c->standard_error);
			c->statistic = c->estimate / c->standard_error;
			c->p_value = isnan(c->statistic) ? NAN : normal_two_sided(c->statistic);
		}
	*count = n * model->fit.nequations;
	return result;
}

/* ---- bytes ---- */

static void
logistic_flatten(const void *state, ByteWriter *w)
{
	const LogisticModel *model = state;
	const LogisticFit *fit = &model->fit;

	put_u32(w, fit->ncolumns);
	put_u32(w, fit->nequations);
	put_u8(w, model->penalised);
	for (Size i = 0; i < (Size) fit->nequations * (fit->ncolumns + 1); i++)
		put_f64(w, fit->weight[i]);
	for (int k = 0; k < fit->nequations; k++)
		report_flatten(&fit->report[k], w);
}

static void *
logistic_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	LogisticModel *model = palloc0(sizeof(LogisticModel));
	LogisticFit *fit = &model->fit;
	uint8		penalised;

	if (format != logistic_learner.format)
		damaged(r, "unknown format %d of a logistic regression", format);
	fit->ncolumns = get_count(r, sizeof(double), PG_INT32_MAX);
	fit->nequations = get_count(r, sizeof(double), PG_INT32_MAX);
	penalised = get_u8(r);
	if (nclasses < 2 || (nclasses == 2) != (task == TASK_BINARY) || penalised > 1)
		damaged(r, "%d classes, penalty flag %d in a logistic regression", nclasses, penalised);
	if (fit->ncolumns != ncolumns || fit->nequations != logistic_equations(nclasses))
		damaged(r, "%d equations of %d coefficients for %d classes and %d columns", fit->nequations, fit->ncolumns, nclasses, ncolumns);
	if ((Size) (r->end - r->at) < matrix_bytes(fit->nequations, (Size) ncolumns + 1))
		damaged(r, "a logistic regression that ends early");
	model->penalised = penalised;
	fit->weight = zero_vector((Size) fit->nequations * (ncolumns + 1));
	for (Size i = 0; i < (Size) fit->nequations * (ncolumns + 1); i++)
		fit->weight[i] = get_finite(r);
	fit->report = palloc(sizeof(Report) * fit->nequations);
	for (int k = 0; k < fit->nequations; k++)
		report_unflatten(&fit->report[k], r, ncolumns);
	return model;
}

const Learner logistic_learner = {
	.name = "logistic_regression",
	.help = "linear log-odds, binary or one equation per class, with an L2 penalty as in scikit-learn",
	.id = 3,
	.format = 1,
	.tasks = TASK_BINARY | TASK_MULTICLASS,
	.wants_scaling = true,
	.wants_cyclic = true,
	.wants_rows_kept = true,
	.parameters = logistic_parameters,
	.nparameters = lengthof(logistic_parameters),
	.options_size = sizeof(LogisticOptions),
	.wants_reference_level = logistic_wants_reference_level,
	.memory_needed = logistic_memory_needed,
	.train = logistic_train,
	.predict = logistic_predict,
	.coefficients = logistic_coefficients,
	.flatten = logistic_flatten,
	.unflatten = logistic_unflatten,
};
