/*
 * linear_fit.c
 *		Weighted least squares with an intercept and an optional ridge penalty.
 *
 * One pass over the rows adds up their cross products, whose Cholesky factor solves all but nearly collinear problems.  A column that looks like
 * a combination of others is compared with that combination row by row in a second pass.  Where the two differ, or the condition number of the
 * cross products (scaled to unit diagonal) passes 1e6, a pass factors the rows themselves by QR, which loses half as many digits, and there the
 * rank is decided.  The columns of all matrices here: intercept, design columns, target; their unit is chosen so that the columns have unit
 * length.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/budget.h"
#include "core/dense.h"
#include "core/solve.h"
#include "learn/linear_internal.h"

#define GRAM_PIVOT 1e-9			/* squared sine of the angle to the columns before; below, the rows are asked */
#define GRAM_CONDITION 1e6		/* of the cross products */
#define REFINE_CONDITION 1e4	/* from here on a residual pass takes back what the sums lost */
#define REFINE_RESIDUAL 1e-6	/* share of the squared target: below, the difference of sums has too few digits */

/*
 * Sine of the angle below which a column counts as a combination of those before it.  Exact combinations come out near 1e-15 times the ratio of
 * a column's mean to its spread; the powers of NIST's Filip problem reach down to 6e-8 and are none.
 */
#define RANK_TOLERANCE 1e-11

#define PERFECT_OF_SPREAD 1e-12 /* residual norm, relative to the centred target's */
#define PERFECT_OF_SIZE 4e-15	/* and to the target's own */

/* The target in a unit that keeps squares from overflowing: y = (mean + t / spread_factor) / size_factor, both factors powers of 2. */
typedef struct TargetScale
{
	double		mean;
	double		size_factor;
	double		spread_factor;
} TargetScale;

typedef struct Problem
{
	TrainingSet *set;
	double		l2;
	int			n;				/* 1 + ncolumns */
	int			width;			/* n + 1: with the target */
	int64		nrows;			/* of positive weight */
	TargetScale target;
	double		target_square;	/* weighted sum of squares of the centred target, in its unit */
	double		target_size;	/* the same of the target itself */
	double	   *block;			/* (DESIGN_BLOCK, width) */
	double	   *column_scale;	/* (n) 1 / length of the column */
	double	   *r;				/* (n, n) triangle of the scaled columns */
	bool	   *aliased;		/* (n) */
	int			rank;
	double		condition;		/* of R */
	double	   *solution;		/* (n) in the scaled columns' unit */
	double		residual_square;
} Problem;

Size
linear_fit_memory(int ncolumns)
{
	Size		width = (Size) ncolumns + 2;

	return size_plus(size_times(7, matrix_bytes(width, width)), matrix_bytes(3 * DESIGN_BLOCK, width));
}

/* ---- target ---- */

/* The power of 2 that brings a magnitude near 1. */
static double
unit_factor(double magnitude)
{
	int			exponent;

	if (!(magnitude > 0))
		return 1;
	frexp(magnitude, &exponent);
	return ldexp(1, Min(Max(-exponent, -1000), 1000));
}

static inline double
scaled_target(const TargetScale *t, double y)
{
	return (y * t->size_factor - t->mean) * t->spread_factor;
}

/* A design coefficient or residual in the target's own unit. */
static inline double
own_unit(const TargetScale *t, double value)
{
	return value / t->spread_factor / t->size_factor;
}

static void
scale_target(Problem *p)
{
	const TrainingSet *set = p->set;
	TargetScale *t = &p->target;
	double		total = training_weight(set);
	double		largest = 0,
				rest = 0;

	for (int64 i = 0; i < set->nrows; i++)
		largest = Max(largest, fabs(set->target[i]));
	t->size_factor = unit_factor(largest);
	t->mean = 0;
	for (int64 i = 0; i < set->nrows; i++)
		t->mean += set->target[i] * t->size_factor * (row_weight(set, i) / total);
	/* take back the rounding of the sum */
	for (int64 i = 0; i < set->nrows; i++)
		rest += (set->target[i] * t->size_factor - t->mean) * (row_weight(set, i) / total);
	t->mean += rest;
	largest = 0;
	for (int64 i = 0; i < set->nrows; i++)
		largest = Max(largest, fabs(set->target[i] * t->size_factor - t->mean));
	t->spread_factor = unit_factor(largest);
	p->nrows = 0;
	for (int64 i = 0; i < set->nrows; i++)
		p->nrows += row_weight(set, i) > 0;
	p->target_size = total * t->mean * t->mean * t->spread_factor * t->spread_factor;
}

/* ---- passes over the rows ---- */

/* Rows as (1, columns, target) in p->block. */
static void
load_block(Problem *p, int64 start, int count)
{
	CHECK_FOR_INTERRUPTS();
	rows_with_intercept(p->set, start, count, p->block, p->width);
	for (int i = 0; i < count; i++)
		p->block[(Size) i * p->width + p->n] = scaled_target(&p->target, p->set->target[start + i]);
}

static double *
cross_products(Problem *p)
{
	double	   *gram = square_matrix(p->width);

	for (int64 start = 0; start < p->set->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->set->nrows - start);

		load_block(p, start, count);
		add_gram(p->block, count, p->width, block_weight(p->set, start), gram);
	}
	return gram;
}

/* Add the penalty; returns what the columns' part was without it, for their inflation, or NULL where it is the same. */
static double *
penalise(const Problem *p, double *gram)
{
	double	   *plain = p->l2 > 0 ? square_matrix(p->n) : NULL;

	for (int i = 0; i < p->n && plain != NULL; i++)
		memcpy(plain + (Size) i * p->n, gram + (Size) i * p->width, sizeof(double) * p->n);
	for (int j = 1; j < p->n; j++)
		gram[(Size) j * p->width + j] += p->l2;
	return plain;
}

/* Each row times the root of its weight, each column in its unit; then the penalty as rows of their own. */
static StreamingQR *
factor_rows(Problem *p)
{
	StreamingQR *qr = qr_create(p->width, DESIGN_BLOCK);

	for (int64 start = 0; start < p->set->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->set->nrows - start);

		load_block(p, start, count);
		for (int i = 0; i < count; i++)
		{
			double	   *row = p->block + (Size) i * p->width;
			double		root = sqrt(row_weight(p->set, start + i));

			for (int j = 0; j < p->n; j++)
				row[j] *= root * p->column_scale[j];
			row[p->n] *= root;
		}
		qr_add(qr, p->block, count, p->width);
	}
	memset(p->block, 0, sizeof(double) * p->width);
	for (int j = 1; j < p->n && p->l2 > 0; j++)
	{
		p->block[j] = sqrt(p->l2) * p->column_scale[j];
		qr_add(qr, p->block, 1, p->width);
		p->block[j] = 0;
	}
	return qr;
}

/* A column of the block, times "scale", and its fit by the columns before the target: what a pass tells about it. */
typedef struct Response
{
	int			column;
	double		scale;
	double	   *beta;			/* (width) of the columns as they are in the block */
	double	   *gradient;		/* (width) half the negative gradient of the sum of squares by beta */
	double		square;			/* the residual's sum of squares */
} Response;

static void
add_residuals(Problem *p, int64 start, int count, Response *response)
{
	double		residual[DESIGN_BLOCK];

	dense_margins(p->block, count, p->n, p->width, response->beta, 0, residual);
	for (int i = 0; i < count; i++)
	{
		double		error = p->block[(Size) i * p->width + response->column] * response->scale - residual[i];

		residual[i] = error * row_weight(p->set, start + i);
		response->square += error * residual[i];
	}
	dense_gradient(p->block, count, p->n, p->width, residual, response->gradient);
}

static void
residual_pass(Problem *p, Response *responses, int nresponses)
{
	for (int64 start = 0; start < p->set->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, p->set->nrows - start);

		load_block(p, start, count);
		for (int i = 0; i < nresponses; i++)
		{
			CHECK_FOR_INTERRUPTS();
			add_residuals(p, start, count, &responses[i]);
		}
	}
}

/* ---- solving ---- */

static void
scale_columns(Problem *p, const double *gram)
{
	for (int j = 0; j < p->n; j++)
	{
		double		square = gram[(Size) j * p->width + j];

		p->column_scale[j] = square > 0 ? 1 / sqrt(square) : 1;
	}
}

/*
 * One step of refinement: the sums' rounding shows in the gradient at the solution, which the same factor turns into a correction "step" (n).
 * Returns the sum of squared residuals after it.
 */
static double
refined_square(const Problem *p, const Response *response, double l2, double *step)
{
	double	   *gradient = response->gradient;
	double		square;

	for (int j = 0; j < p->n; j++)
		gradient[j] = (gradient[j] - (j > 0 ? l2 * response->beta[j] : 0)) * p->column_scale[j];
	memcpy(step, gradient, sizeof(double) * p->n);
	cholesky_solve(p->r, p->n, p->aliased, step);
	square = response->square - dense_dot(gradient, step, p->n);
	return Max(square, 0);
}

/* solution (n), in the scaled columns' unit, becomes a response's beta. */
static void
start_response(const Problem *p, Response *response, int column, double scale, const double *solution)
{
	response->column = column;
	response->scale = scale;
	response->beta = zero_vector(p->width);
	response->gradient = zero_vector(p->width);
	for (int j = 0; j < p->n; j++)
		response->beta[j] = solution[j] * p->column_scale[j];
}

/* The fit of column k, scaled, by the columns kept. */
static void
start_suspect(const Problem *p, Response *response, int k, const double *gram)
{
	double	   *fit = zero_vector(p->n);

	for (int j = 0; j < p->n; j++)
		fit[j] = gram[(Size) Min(j, k) * p->width + Max(j, k)] * p->column_scale[j] * p->column_scale[k];
	cholesky_solve(p->r, p->n, p->aliased, fit);
	start_response(p, response, k, p->column_scale[k], fit);
	pfree(fit);
}

/*
 * One more pass for what the cross products leave open: the last digits of the solution, and whether the columns they call aliased are.  False
 * where one is not.
 */
static bool
look_again(Problem *p, const double *gram)
{
	Response   *responses = palloc0(sizeof(Response) * p->n);
	double	   *step = zero_vector(p->n);
	int			n = 1;
	bool		confirmed = true;

	start_response(p, &responses[0], p->n, 1, p->solution);
	for (int k = 0; k < p->n; k++)
		if (p->aliased[k])
			start_suspect(p, &responses[n++], k, gram);
	residual_pass(p, responses, n);
	p->residual_square = refined_square(p, &responses[0], p->l2, step);
	dense_axpy(1, step, p->solution, p->n);
	for (int i = 1; i < n; i++)
		confirmed &= refined_square(p, &responses[i], 0, step) <= RANK_TOLERANCE * RANK_TOLERANCE;
	for (int i = 0; i < n; i++)
	{
		pfree(responses[i].beta);
		pfree(responses[i].gradient);
	}
	pfree(responses);
	pfree(step);
	return confirmed;
}

/* True where the cross products carry enough digits. */
static bool
solve_by_gram(Problem *p, const double *gram)
{
	double		explained;

	for (int i = 0; i < p->n; i++)
		for (int j = i; j < p->n; j++)
			p->r[(Size) i * p->n + j] = gram[(Size) i * p->width + j] * p->column_scale[i] * p->column_scale[j];
	p->rank = cholesky(p->r, p->n, GRAM_PIVOT, p->aliased);
	/* under a penalty no column is a combination of others, it only looks so in the sums */
	if (p->rank < p->n && p->l2 > 0)
		return false;
	p->condition = triangular_condition(p->r, p->n, p->aliased);
	if (!(p->condition * p->condition <= GRAM_CONDITION))
		return false;

	for (int j = 0; j < p->n; j++)
		p->solution[j] = gram[(Size) j * p->width + p->n] * p->column_scale[j];
	triangular_solve_transposed(p->r, p->n, p->aliased, p->solution);
	explained = dense_dot(p->solution, p->solution, p->n);
	triangular_solve(p->r, p->n, p->aliased, p->solution);
	p->residual_square = p->target_square - explained;
	if (p->rank == p->n && p->condition * p->condition <= REFINE_CONDITION && p->residual_square > REFINE_RESIDUAL * p->target_square)
		return true;
	return look_again(p, gram);
}

static void
solve_by_qr(Problem *p)
{
	double	   *triangle = qr_triangle(factor_rows(p));
	bool	   *aliased = palloc(sizeof(bool) * p->width);
	double		last;

	p->rank = triangle_rank(triangle, p->width, p->n, RANK_TOLERANCE, aliased) - 1;
	memcpy(p->aliased, aliased, sizeof(bool) * p->n);
	for (int i = 0; i < p->n; i++)
	{
		memcpy(p->r + (Size) i * p->n, triangle + (Size) i * p->width, sizeof(double) * p->n);
		p->solution[i] = triangle[(Size) i * p->width + p->n];
	}
	last = triangle[(Size) p->n * p->width + p->n];
	p->residual_square = last * last;
	triangular_solve(p->r, p->n, p->aliased, p->solution);
	pfree(triangle);
	pfree(aliased);
}

/* ---- result ---- */

static void
check_finite(const LinearFit *fit, int ncolumns)
{
	bool		finite = isfinite(fit->intercept);

	for (int j = 0; j < ncolumns; j++)
		finite = finite && isfinite(fit->beta[j]);
	if (!finite)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("least squares left the range of double precision"),
				 errhint("The target or the weights span too many orders of magnitude; rescale them.")));
}

static void
fill_report(Problem *p, LinearFit *fit, double *plain_gram)
{
	double		sigma = sqrt(p->residual_square / fit->degrees);

	report_init(&fit->report, p->set->ncolumns);
	report_estimates(&fit->report, p->set, fit->intercept, fit->beta, p->aliased);
	if (p->l2 == 0)
		report_errors(&fit->report, p->set, p->r, p->aliased, p->column_scale,
					  fit->degrees > 0 ? own_unit(&p->target, fit->perfect ? 0 : sigma) : NAN);
	else
		report_penalised_inflation(&fit->report, p->set, plain_gram);
}

static void
warn_about_fit(Problem *p, const LinearFit *fit)
{
	warn_aliased(p->set, p->aliased);
	if (p->nrows < p->n && p->l2 == 0)
		training_warning(p->set, INT64_FORMAT " training rows are too few for %d columns and an intercept: the fit is exact on them and means little",
						 p->nrows, p->set->ncolumns);
	else if (fit->perfect && sqrt(p->target_square) > PERFECT_OF_SIZE * sqrt(p->target_size))
		training_warning(p->set, "the columns determine the target exactly (zero residual): one of them may be computed from it");
}

void
linear_fit(TrainingSet *set, double l2, LinearFit *fit)
{
	Problem		p = {.set = set,.l2 = l2,.n = set->ncolumns + 1,.width = set->ncolumns + 2};
	double	   *gram;
	double	   *plain_gram;

	scale_target(&p);
	p.block = zero_vector(size_times(DESIGN_BLOCK, p.width));
	p.column_scale = zero_vector(p.n);
	p.r = square_matrix(p.n);
	p.aliased = palloc0(sizeof(bool) * p.n);
	p.solution = zero_vector(p.n);

	gram = cross_products(&p);
	plain_gram = penalise(&p, gram);
	p.target_square = gram[(Size) p.n * p.width + p.n];
	p.target_size += p.target_square;
	scale_columns(&p, gram);
	if (!solve_by_gram(&p, gram))
		solve_by_qr(&p);
	pfree(gram);

	fit->beta = zero_vector(set->ncolumns);
	for (int j = 0; j < set->ncolumns; j++)
		fit->beta[j] = own_unit(&p.target, p.solution[j + 1] * p.column_scale[j + 1]);
	fit->intercept = p.target.mean / p.target.size_factor + own_unit(&p.target, p.solution[0] * p.column_scale[0]);
	check_finite(fit, set->ncolumns);
	fit->degrees = (double) p.nrows - p.rank;
	fit->perfect = sqrt(p.residual_square) <= PERFECT_OF_SPREAD * sqrt(p.target_square) + PERFECT_OF_SIZE * sqrt(p.target_size);
	fill_report(&p, fit, plain_gram);
	warn_about_fit(&p, fit);
	if (plain_gram != NULL)
		pfree(plain_gram);
	pfree(p.block);
	pfree(p.r);
}
