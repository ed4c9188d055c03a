/*
 * logistic_fit.c
 *		Minimise the summed log loss + l2 / 2 |coefficients|^2 of binary and multinomial logistic regression; intercepts go free.
 *
 * L-BFGS, preconditioned with the Hessian at the start: X'WX (1 included) with the curvature of each row, + l2.  Its Cholesky factor also finds
 * the columns that others determine: no step moves their coefficients away from 0.  For several classes all rows get the curvature that the
 * shares of the classes have; the Hessian then has the structure of Boehning's bound (1992), (I - 11'/K) kron X'WX: on coefficients that sum to
 * zero over the classes one factor serves all of them, and the optimum lies there.
 *
 * Many rows start from the fit to a part of them, which is near the optimum and so knows its curvature: a few passes over all rows are left.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/budget.h"
#include "core/dense.h"
#include "core/lbfgs.h"
#include "core/mathfn.h"
#include "core/solve.h"
#include "learn/logistic_internal.h"

#define PIVOT_TOLERANCE 1e-10	/* squared sine of the angle to the columns before, below which a column is their combination */
#define LEAST_SHARE 1e-9		/* of a class, for the start */
#define LEAST_CURVATURE 0.01	/* of a row in the preconditioner, relative to that of the shares: saturated rows still count */
#define SAMPLE_SHARE 16			/* one row in so many is fitted first ... */
#define SAMPLE_LEAST 4096		/* ... where these are at least so many */
#define SAMPLE_TOLERANCE 1e-3
#define SEPARATED_LOSS 1e-5		/* log loss per unit of weight that only separable classes reach without a penalty */
#define RUNAWAY_INFORMATION 1e-4	/* what is left of a column's information where all rows that differ in it are saturated */

typedef struct Problem
{
	TrainingSet *set;
	int64		nrows;			/* the first rows of the set that are fitted now */
	double		l2;				/* for as many rows */
	int			n;				/* 1 + ncolumns */
	int			nequations;
	double		total_weight;	/* of these rows */
	double		unit;			/* the objective is taken in mean weights of a row, so that tolerances mean the same for all weights */
	double		curvature;		/* of the loss per row at the start */
	double	   *r;				/* (n, n) triangle of the preconditioner */
	bool	   *aliased;		/* (n) */
	bool	   *runaway;		/* (n) without a penalty: the coefficient has no finite best value */
	double	   *margin;			/* (nequations, DESIGN_BLOCK), then residuals */
	double	   *normaliser;		/* (DESIGN_BLOCK) */
	double	   *mean;			/* (n) */
} Problem;

Size
logistic_fit_memory(int ncolumns, int nclasses)
{
	Size		n = (Size) ncolumns + 1;
	Size		nequations = logistic_equations(nclasses);
	Size		bytes = size_times(4, matrix_bytes(n, n));

	bytes = size_plus(bytes, size_times(minimise_memory(1), size_times(n, nequations)));
	return size_plus(bytes, matrix_bytes(DESIGN_BLOCK, n + 2 * nequations + 2));
}

static inline const double *
design_block(const Problem *p, int64 start, int count)
{
	return p->set->ncolumns > 0 ? p->set->rows(p->set->design, start, count) : NULL;
}

/* ---- the objective ---- */

/* Add l2 / 2 |beta|^2 and its gradient for each equation to the loss and its gradient, and change to the objective's unit. */
static double
finish_value(const Problem *p, const double *weight, double loss, double *gradient)
{
	Size		nweights = (Size) p->n * p->nequations;

	for (Size start = 1; start < nweights; start += p->n)
	{
		dense_axpy(p->l2, weight + start, gradient + start, p->n - 1);
		loss += 0.5 * p->l2 * dense_dot(weight + start, weight + start, p->n - 1);
	}
	for (Size i = 0; i < nweights; i++)
		gradient[i] *= p->unit;
	return loss * p->unit;
}

static void
add_block_gradient(const Problem *p, const double *rows, int count, const double *residual, double *gradient)
{
	for (int i = 0; i < count; i++)
		gradient[0] += residual[i];
	dense_gradient(rows, count, p->n - 1, p->n - 1, residual, gradient + 1);
}

static double
binary_value(void *state, const double *weight, double *gradient)
{
	Problem    *p = state;
	const TrainingSet *set = p->set;
	double		residual[DESIGN_BLOCK];
	double		loss = 0;

	memset(gradient, 0, sizeof(double) * p->n);
	for (int64 start = 0; start < p->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->nrows - start);
		const double *rows = design_block(p, start, count);

		CHECK_FOR_INTERRUPTS();
		dense_margins(rows, count, p->n - 1, p->n - 1, weight + 1, weight[0], p->margin);
		dense_logistic(p->margin, set->target + start, block_weight(set, start), count, residual, &loss);
		add_block_gradient(p, rows, count, residual, gradient);
	}
	return finish_value(p, weight, loss, gradient);
}

/* Margins (nequations, count) -> residuals in place; returns the block's loss. */
static double
softmax_residuals(Problem *p, int64 start, int count)
{
	const TrainingSet *set = p->set;
	double		loss = 0;
	double		own[DESIGN_BLOCK];

	for (int i = 0; i < count; i++)
		own[i] = p->margin[(Size) set->target[start + i] * count + i];
	dense_softmax(p->margin, count, p->nequations, p->normaliser);
	for (int i = 0; i < count; i++)
	{
		loss += row_weight(set, start + i) * (p->normaliser[i] - own[i]);
		p->margin[(Size) set->target[start + i] * count + i] -= 1;
	}
	if (set->weight != NULL)
		for (int k = 0; k < p->nequations; k++)
			for (int i = 0; i < count; i++)
				p->margin[(Size) k * count + i] *= set->weight[start + i];
	return loss;
}

static double
multinomial_value(void *state, const double *weight, double *gradient)
{
	Problem    *p = state;
	double		loss = 0;

	memset(gradient, 0, sizeof(double) * p->n * p->nequations);
	for (int64 start = 0; start < p->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->nrows - start);
		const double *rows = design_block(p, start, count);

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < p->nequations; k++)
		{
			const double *w = weight + (Size) k * p->n;

			dense_margins(rows, count, p->n - 1, p->n - 1, w + 1, w[0], p->margin + (Size) k * count);
		}
		loss += softmax_residuals(p, start, count);
		for (int k = 0; k < p->nequations; k++)
			add_block_gradient(p, rows, count, p->margin + (Size) k * count, gradient + (Size) k * p->n);
	}
	return finish_value(p, weight, loss, gradient);
}

/* Without a penalty, separable classes send the coefficients to infinity: the fit stops on the way. */
static bool
separated(void *state, double value)
{
	const Problem *p = state;

	return p->l2 == 0 && value / p->unit <= SEPARATED_LOSS * p->total_weight;
}

/* ---- the preconditioner ---- */

static void
binary_precondition(void *state, double *direction)
{
	const Problem *p = state;

	cholesky_solve(p->r, p->n, p->aliased, direction);
}

/* What a direction has in common over the classes changes no probability: it is taken out. */
static void
multinomial_precondition(void *state, double *direction)
{
	const Problem *p = state;

	memset(p->mean, 0, sizeof(double) * p->n);
	for (int k = 0; k < p->nequations; k++)
		dense_axpy(1.0 / p->nequations, direction + (Size) k * p->n, p->mean, p->n);
	for (int k = 0; k < p->nequations; k++)
	{
		dense_axpy(-1, p->mean, direction + (Size) k * p->n, p->n);
		cholesky_solve(p->r, p->n, p->aliased, direction + (Size) k * p->n);
	}
}

/* X'WX of (1, rows); with "weight", each row's weight times its curvature p (1 - p) at these coefficients, or "least" if that is more. */
static double *
information(const Problem *p, const double *weight, double least)
{
	double	   *gram = square_matrix(p->n);
	double	   *block = zero_vector(size_times(DESIGN_BLOCK, p->n));
	double	   *margin = p->margin;

	for (int64 start = 0; start < p->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->nrows - start);
		const double *row_weights = block_weight(p->set, start);

		rows_with_intercept(p->set, start, count, block, p->n);
		if (weight != NULL)
		{
			dense_margins(block, count, p->n, p->n, weight, 0, margin);
			dense_sigmoid(margin, count, margin);
			for (int i = 0; i < count; i++)
				margin[i] = Max(margin[i] * (1 - margin[i]), least) * (row_weights != NULL ? row_weights[i] : 1);
			row_weights = margin;
		}
		add_gram(block, count, p->n, row_weights, gram);
	}
	pfree(block);
	return gram;
}

/* "weight" NULL: the curvature of the shares for every row. */
static void
prepare_preconditioner(Problem *p, const double *weight)
{
	double	   *gram = information(p, weight, LEAST_CURVATURE * p->curvature);
	double		factor = weight != NULL ? p->unit : p->unit * p->curvature;

	for (int j = 0; j < p->n; j++)
		for (int k = j; k < p->n; k++)
			gram[(Size) j * p->n + k] *= factor;
	for (int j = 1; j < p->n && p->l2 > 0; j++)
	{
		double	   *diagonal = gram + (Size) j * p->n + j;

		/* a penalty too small to tell combinations apart is lifted here, not in the objective */
		*diagonal += Max(p->l2 * p->unit, 2 * PIVOT_TOLERANCE * *diagonal);
	}
	cholesky(gram, p->n, PIVOT_TOLERANCE, p->aliased);
	p->r = gram;
}

/* ---- fit ---- */

/* The shares of the classes decide the intercepts and the curvature at the start. */
static void
start_from_shares(Problem *p, double *weight)
{
	int			nclasses = p->set->nclasses;
	double	   *share = zero_vector(nclasses);
	double		sum = 0;

	class_shares(p->set, share);
	p->curvature = 0;
	for (int k = 0; k < nclasses; k++)
	{
		share[k] = Min(Max(share[k], LEAST_SHARE), 1 - LEAST_SHARE);
		p->curvature += share[k] * (1 - share[k]);
		sum += math_log(share[k]);
	}
	p->curvature /= nclasses == 2 ? 2 : nclasses - 1;
	if (p->nequations == 1)
		weight[0] = math_log(share[1]) - math_log(share[0]);
	else
		for (int k = 0; k < nclasses; k++)
			weight[(Size) k * p->n] = math_log(share[k]) - sum / nclasses;
	pfree(share);
}

/* Minimise over the first nrows rows from the coefficients given; "warm": these are near the optimum already. */
static MinimiseResult
fit_rows(Problem *p, int64 nrows, double l2, bool warm, double tolerance, int max_iterations, double *weight)
{
	SmoothFunction objective = {.n = p->n * p->nequations,.state = p,.enough = separated};

	objective.value = p->nequations == 1 ? binary_value : multinomial_value;
	objective.precondition = p->nequations == 1 ? binary_precondition : multinomial_precondition;
	p->nrows = nrows;
	p->l2 = l2;
	p->total_weight = 0;
	for (int64 i = 0; i < nrows; i++)
		p->total_weight += row_weight(p->set, i);
	p->unit = p->total_weight > 0 ? nrows / p->total_weight : 1;
	if (p->r != NULL)
		pfree(p->r);
	prepare_preconditioner(p, warm && p->nequations == 1 ? weight : NULL);
	for (Size i = 0; i < (Size) objective.n; i++)
		if (p->aliased[i % p->n])
			weight[i] = 0;
	return minimise(&objective, weight, tolerance, max_iterations);
}

static void
report_fit(Problem *p, LogisticFit *fit)
{
	fit->report = palloc(sizeof(Report) * p->nequations);
	for (int k = 0; k < p->nequations; k++)
	{
		const double *weight = fit->weight + (Size) k * p->n;

		report_init(&fit->report[k], p->set->ncolumns);
		report_estimates(&fit->report[k], p->set, weight[0], weight + 1, p->aliased);
	}
}

/* A column's information apart from the intercept's. */
static double
own_information(const double *r, int n, int column)
{
	double		sum = 0;

	for (int i = 1; i <= column; i++)
		sum += r[(Size) i * n + column] * r[(Size) i * n + column];
	return sum;
}

/* Wald's standard errors: the inverse of the information at the optimum. */
static void
report_wald(Problem *p, LogisticFit *fit)
{
	double	   *gram = information(p, fit->weight, 0);
	bool	   *vanished = palloc(sizeof(bool) * p->n);

	for (int j = 0; j < p->n; j++)
		for (int k = j; k < p->n; k++)
			if (p->aliased[j] || p->aliased[k])
				gram[(Size) j * p->n + k] = 0;
	cholesky(gram, p->n, 0, vanished);
	for (int j = 1; j < p->n; j++)
		p->runaway[j] = !p->aliased[j] && own_information(gram, p->n, j) * p->unit <= RUNAWAY_INFORMATION * own_information(p->r, p->n, j);
	report_errors(&fit->report[0], p->set, gram, vanished, NULL, 1);
	pfree(gram);
	pfree(vanished);
}

/* ---- warnings ---- */

static void
warn_convergence(Problem *p, const MinimiseResult *result, double tolerance)
{
	if (!result->converged)
		training_warning(p->set, "not converged after %d iterations: the gradient fell to %.1e of its start, %.1e was asked for (max_iter, tol)",
						 result->iterations, result->gradient_norm / Max(1, result->first_gradient_norm), tolerance);
}

/* A coefficient that grows without end stops where the gradient is small enough. */
static void
warn_runaway(Problem *p)
{
	for (int j = 1; j < p->n; j++)
	{
		if (!p->runaway[j])
			continue;
		if (p->set->column_name != NULL)
			training_warning(p->set, "column \"%s\" separates some rows completely: its coefficient has no finite best value without a penalty (l2)",
							 p->set->column_name[j - 1]);
		else
			training_warning(p->set, "column %d separates some rows completely: its coefficient has no finite best value without a penalty (l2)", j);
	}
}

static void
warn_separation(Problem *p, double value)
{
	if (separated(p, value))
		training_warning(p->set, "the columns separate the classes completely: without a penalty (l2) the coefficients have no finite best value "
						 "and were stopped at a log loss of %.1e per row", value / p->unit / p->total_weight);
	else
		warn_runaway(p);
}

void
logistic_fit(TrainingSet *set, double l2, double tolerance, int max_iterations, LogisticFit *fit)
{
	Problem		p = {.set = set,.n = set->ncolumns + 1,.nequations = logistic_equations(set->nclasses)};
	Size		nweights = size_times(p.n, p.nequations);
	int64		sample = set->nrows / SAMPLE_SHARE;
	MinimiseResult result;

	if (nweights > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d classes with %d columns each are too many coefficients", set->nclasses, set->ncolumns)));
	p.aliased = palloc0(sizeof(bool) * p.n);
	p.runaway = palloc0(sizeof(bool) * p.n);
	p.margin = zero_vector(size_times(DESIGN_BLOCK, p.nequations));
	p.normaliser = zero_vector(DESIGN_BLOCK);
	p.mean = zero_vector(p.n);

	fit->nequations = p.nequations;
	fit->ncolumns = set->ncolumns;
	fit->weight = zero_vector(nweights);
	start_from_shares(&p, fit->weight);
	if (sample >= SAMPLE_LEAST)
		fit_rows(&p, sample, l2 / SAMPLE_SHARE, false, SAMPLE_TOLERANCE, max_iterations, fit->weight);
	result = fit_rows(&p, set->nrows, l2, sample >= SAMPLE_LEAST, tolerance, max_iterations, fit->weight);

	report_fit(&p, fit);
	if (l2 == 0 && p.nequations == 1)
		report_wald(&p, fit);
	warn_aliased(set, p.aliased);
	warn_convergence(&p, &result, tolerance);
	warn_separation(&p, result.value);
	pfree(p.r);
	pfree(p.margin);
	pfree(p.normaliser);
	pfree(p.mean);
}
