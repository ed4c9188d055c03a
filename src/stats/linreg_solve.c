/*
 * linreg_solve.c
 *		Least squares from centred co-moments: the correlation matrix of the features is factorised (Cholesky), the intercept follows.
 */
#include "postgres.h"

#include <math.h>

#include "core/solve.h"
#include "stats/linreg_internal.h"

/* A feature of which those before it explain all but this share is taken for their linear combination. */
#define ALIASED_SHARE 1e-12

typedef struct Equations
{
	int			n;
	double	   *scale;			/* (n) root of the sum of squares; 1 for a constant */
	double	   *factor;			/* (n, n) of the correlation matrix */
	double	   *solution;		/* (n) coefficients of the scaled features */
	double	   *inverse;		/* (n, n) */
} Equations;

static Equations
solve_equations(const LinregState *state, LinregFit *fit)
{
	int			n = state->nfeatures;
	Size		width = linreg_width(state);
	const double *comoment = linreg_comoment(state);
	Equations	e = {
		n, palloc(sizeof(double) * n), palloc0(sizeof(double) * n * n), palloc(sizeof(double) * n), palloc0(sizeof(double) * n * n)
	};

	for (int i = 0; i < n; i++)
		e.scale[i] = comoment[i * width + i] > 0 ? sqrt(comoment[i * width + i]) : 1;
	for (int i = 0; i < n; i++)
	{
		for (int j = i; j < n; j++)
			e.factor[(Size) i * n + j] = comoment[i * width + j] / e.scale[i] / e.scale[j];
		e.solution[i] = comoment[i * width + n] / e.scale[i];
	}
	fit->rank = cholesky(e.factor, n, ALIASED_SHARE, fit->aliased);
	cholesky_solve(e.factor, n, fit->aliased, e.solution);
	cholesky_inverse(e.factor, n, fit->aliased, e.inverse);
	return e;
}

/* The sum of squared residuals, as y'y - 2 b'X'y + b'X'X b: an error of b enters it squared only. */
static double
residual_square(const LinregState *state, const Equations *e)
{
	int			n = e->n;
	Size		width = linreg_width(state);
	const double *comoment = linreg_comoment(state);
	double		sum = comoment[n * width + n];

	for (int i = 0; i < n; i++)
	{
		double		b = e->solution[i] / e->scale[i];

		sum -= 2 * b * comoment[i * width + n];
		sum += b * b * comoment[i * width + i];
		for (int j = i + 1; j < n; j++)
			sum += 2 * b * (e->solution[j] / e->scale[j]) * comoment[i * width + j];
	}
	return Max(sum, 0);
}

static void
fill_coefficients(const LinregState *state, const Equations *e, LinregFit *fit)
{
	const double *mean = linreg_mean(state);
	double		intercept = mean[e->n];

	for (int j = 0; j < e->n; j++)
	{
		double		b = e->solution[j] / e->scale[j];

		fit->coefficient[j + 1] = fit->aliased[j] ? NAN : b;
		if (!fit->aliased[j])
			intercept -= b * mean[j];
	}
	fit->coefficient[0] = intercept;
}

static void
fill_standard_errors(const LinregState *state, const Equations *e, LinregFit *fit)
{
	const double *mean = linreg_mean(state);
	double		variance = 1.0 / state->header.n;	/* of the intercept, in units of the residuals' */

	for (int i = 0; i < e->n; i++)
	{
		const double *row = e->inverse + (Size) i * e->n;

		fit->standard_error[i + 1] = fit->aliased[i] ? NAN : fit->residual_sd * sqrt(row[i]) / e->scale[i];
		for (int j = 0; j < e->n; j++)
			variance += mean[i] / e->scale[i] * row[j] * (mean[j] / e->scale[j]);
	}
	fit->standard_error[0] = fit->residual_sd * sqrt(variance);
}

LinregFit
linreg_solve(const LinregState *flushed)
{
	int			n = flushed->nfeatures;
	double		spread = linreg_comoment(flushed)[(Size) linreg_width(flushed) * linreg_width(flushed) - 1];
	double		square;
	Equations	e;
	LinregFit	fit = {.nfeatures = n};

	fit.aliased = palloc0(sizeof(bool) * n);
	fit.coefficient = palloc(sizeof(double) * (n + 1));
	fit.standard_error = palloc(sizeof(double) * (n + 1));
	e = solve_equations(flushed, &fit);
	square = residual_square(flushed, &e);
	fit.df = flushed->header.n - fit.rank - 1;
	fit.r2 = spread > 0 ? 1 - square / spread : NAN;
	fit.residual_sd = fit.df > 0 ? sqrt(square / fit.df) : NAN;
	fill_coefficients(flushed, &e, &fit);
	fill_standard_errors(flushed, &e, &fit);
	return fit;
}
