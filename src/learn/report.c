/*
 * report.c
 *		Coefficients, standard errors and variance inflation on the original scale of the columns.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/solve.h"
#include "learn/learn_internal.h"

void
report_init(Report *report, int ncolumns)
{
	report->n = ncolumns + 1;
	report->estimate = zero_vector(report->n);
	report->standard_error = zero_vector(report->n);
	report->vif = zero_vector(report->n);
	for (int j = 0; j < report->n; j++)
		report->estimate[j] = report->standard_error[j] = report->vif[j] = NAN;
}

void
report_estimates(Report *report, const TrainingSet *set, double intercept, const double *beta, const bool *aliased)
{
	report->estimate[0] = intercept;
	for (int j = 0; j < set->ncolumns; j++)
	{
		if (aliased[j + 1])
			continue;
		report->estimate[j + 1] = beta[j] / set->scale[j];
		report->estimate[0] -= report->estimate[j + 1] * set->offset[j];
	}
}

/*
 * Standard error of the original intercept: with beta = R^-1 z its variance is |R'^-1 a|^2 for the weights "a" it has in the design's
 * coefficients.
 */
static double
intercept_error(const TrainingSet *set, const double *r, const bool *aliased, const double *column_scale)
{
	int			n = set->ncolumns + 1;
	double	   *a = zero_vector(n);
	double		length;

	a[0] = column_scale != NULL ? column_scale[0] : 1;
	for (int j = 1; j < n; j++)
		a[j] = -set->offset[j - 1] / set->scale[j - 1] * (column_scale != NULL ? column_scale[j] : 1);
	triangular_solve_transposed(r, n, aliased, a);
	length = sqrt(dense_dot(a, a, n));
	pfree(a);
	return length;
}

/* The diagonal of the Cholesky factor of rows and columns "member" of a symmetric matrix. */
static void
block_factor(const double *matrix, int n, const int *member, int size, double *block, bool *ignored, double *diagonal)
{
	for (int i = 0; i < size; i++)
		for (int j = i; j < size; j++)
			block[(Size) i * size + j] = matrix[(Size) member[i] * n + member[j]];
	cholesky(block, size, 0, ignored);
	for (int i = 0; i < size; i++)
		diagonal[i] = block[(Size) i * size + i];
}

/*
 * Generalised variance inflation of one group of columns (Fox & Monette 1992): det(C11) det(C22) / det(C) for correlations C.  det(C22) / det(C)
 * is the determinant of the group's block of C^-1, and scales cancel, so blocks of the centred cross products and of their inverse do.
 */
static double
group_inflation(const double *cross, const double *inverse, int n, const int *member, int size)
{
	double	   *block = square_matrix(size);
	double	   *left = zero_vector(size);
	double	   *right = zero_vector(size);
	bool	   *ignored = palloc(sizeof(bool) * size);
	double		product = 1;

	block_factor(cross, n, member, size, block, ignored, left);
	block_factor(inverse, n, member, size, block, ignored, right);
	for (int i = 0; i < size; i++)
		product *= left[i] * left[i] * right[i] * right[i];
	pfree(block);
	pfree(left);
	pfree(right);
	pfree(ignored);
	return Max(product, 1);
}

/* Cross products of the centred columns: R'R without the intercept's row of R. */
static double *
centred_products(const double *r, int n)
{
	double	   *cross = square_matrix(n);

	add_gram(r + n, n - 1, n, NULL, cross);
	return cross;
}

static void
report_inflation(Report *report, const TrainingSet *set, const double *r, const double *inverse, const bool *aliased)
{
	int			n = report->n;
	double	   *cross = centred_products(r, n);
	int		   *member = palloc(sizeof(int) * n);

	for (int j = 1, next; j < n; j = next)
	{
		int			size = 0;
		double		vif;

		for (next = j; next < n && set->group[next - 1] == set->group[j - 1]; next++)
			if (!aliased[next])
				member[size++] = next;
		vif = size > 0 ? group_inflation(cross, inverse, n, member, size) : NAN;
		for (int i = 0; i < size; i++)
			report->vif[member[i]] = vif;
	}
	pfree(cross);
	pfree(member);
}

void
report_errors(Report *report, const TrainingSet *set, const double *r, const bool *aliased, const double *column_scale, double sigma)
{
	int			n = report->n;
	double	   *inverse = square_matrix(n);

	cholesky_inverse(r, n, aliased, inverse);
	report->standard_error[0] = sigma * intercept_error(set, r, aliased, column_scale);
	for (int j = 1; j < n; j++)
		if (!aliased[j])
			report->standard_error[j] = sigma * sqrt(inverse[(Size) j * n + j]) * (column_scale != NULL ? column_scale[j] : 1)
				/ set->scale[j - 1];
	report_inflation(report, set, r, inverse, aliased);
	pfree(inverse);
}

/* ---- bytes ---- */

void
report_flatten(const Report *report, ByteWriter *w)
{
	for (int j = 0; j < report->n; j++)
	{
		put_f64(w, report->estimate[j]);
		put_f64(w, report->standard_error[j]);
		put_f64(w, report->vif[j]);
	}
}

void
report_unflatten(Report *report, ByteReader *r, int ncolumns)
{
	report_init(report, ncolumns);
	for (int j = 0; j < report->n; j++)
	{
		report->estimate[j] = get_f64(r);
		report->standard_error[j] = get_f64(r);
		report->vif[j] = get_f64(r);
	}
}
