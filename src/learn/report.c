/*
 * report.c
 *		Coefficients, standard errors and variance inflation on the original scale of the columns.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "core/solve.h"
#include "learn/learn_internal.h"

#define INFLATION_PIVOT 1e-10	/* squared sine of the angle to the columns before, below which a column is their combination */

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

/* The columns of the group that begins at "start" that no others before them determine; where the next group begins. */
static int
group_members(const TrainingSet *set, int n, int start, const bool *aliased, int *member, int *next)
{
	int			size = 0;

	for (*next = start; *next < n && set->group[*next - 1] == set->group[start - 1]; (*next)++)
		if (aliased == NULL || !aliased[*next])
			member[size++] = *next;
	return size;
}

/* Cross products of the centred columns: R'R without the intercept's row of R. */
static double *
centred_products(const double *r, int n)
{
	double	   *cross = square_matrix(n);

	add_gram(r + n, n - 1, n, NULL, cross);
	return cross;
}

/* One number for all columns of a group that have a coefficient. */
static void
report_inflation(Report *report, const TrainingSet *set, const double *cross, const double *inverse, const bool *aliased)
{
	int			n = report->n;
	int		   *member = palloc(sizeof(int) * n);

	for (int j = 1, next; j < n; j = next)
	{
		int			size = group_members(set, n, j, aliased, member, &next);
		double		vif = size > 0 ? group_inflation(cross, inverse, n, member, size) : NAN;

		for (int k = j; k < next; k++)
			if (!isnan(report->estimate[k]))
				report->vif[k] = vif;
	}
	pfree(member);
}

void
report_errors(Report *report, const TrainingSet *set, const double *r, const bool *aliased, const double *column_scale, double sigma)
{
	int			n = report->n;
	double	   *inverse = square_matrix(n);
	double	   *cross = centred_products(r, n);

	cholesky_inverse(r, n, aliased, inverse);
	report->standard_error[0] = sigma * intercept_error(set, r, aliased, column_scale);
	for (int j = 1; j < n; j++)
		if (!aliased[j])
			report->standard_error[j] = sigma * sqrt(inverse[(Size) j * n + j]) * (column_scale != NULL ? column_scale[j] : 1)
				/ set->scale[j - 1];
	report_inflation(report, set, cross, inverse, aliased);
	pfree(inverse);
	pfree(cross);
}

/* ---- under a penalty ---- */

/* Does a column depend on other groups than its own, on which alone the levels of a category always depend? */
static bool
groups_determine_each_other(const TrainingSet *set, const double *cross, int n, const bool *aliased)
{
	int		   *member = palloc(sizeof(int) * n);
	bool		found = false;

	for (int j = 1, next; j < n && !found; j = next)
	{
		int			size = group_members(set, n, j, NULL, member, &next);
		double	   *block = square_matrix(size);
		bool	   *own = palloc(sizeof(bool) * size);

		for (int i = 0; i < size; i++)
			for (int k = i; k < size; k++)
				block[(Size) i * size + k] = cross[(Size) member[i] * n + member[k]];
		cholesky(block, size, INFLATION_PIVOT, own);
		for (int i = 0; i < size; i++)
			found |= aliased[member[i]] && !own[i];
		pfree(block);
		pfree(own);
	}
	pfree(member);
	return found;
}

void
report_penalised_inflation(Report *report, const TrainingSet *set, double *gram)
{
	int			n = report->n;
	double	   *cross = square_matrix(n);
	double	   *inverse = square_matrix(n);
	bool	   *aliased = palloc(sizeof(bool) * n);

	for (int i = 1; i < n; i++)
		for (int j = i; j < n; j++)
			cross[(Size) i * n + j] = gram[(Size) i * n + j] - gram[i] * gram[j] / gram[0];
	cholesky(gram, n, INFLATION_PIVOT, aliased);
	if (!groups_determine_each_other(set, cross, n, aliased))
	{
		cholesky_inverse(gram, n, aliased, inverse);
		report_inflation(report, set, cross, inverse, aliased);
	}
	pfree(cross);
	pfree(inverse);
	pfree(aliased);
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
