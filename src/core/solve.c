/*
 * solve.c
 *		Small dense linear algebra: symmetric factorisations, streaming QR.
 *
 * Everything works row by row on row-major upper triangles, so the inner loops are the dense kernels; the order of additions is fixed.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/dense.h"
#include "core/solve.h"

#define CONDITION_STEPS 30
#define CONDITION_ENOUGH 1e-2	/* relative change at which an estimate stands */
#define QR_NEGLIGIBLE 1e-40		/* squared, relative to the diagonal: adds nothing in double precision */
#define QR_UNDERFLOW 1e-280		/* squared: what lies below cannot be divided safely */

static double *
huge_zeros(Size n)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size_times(sizeof(double), n), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ---- Cholesky ---- */

static void
clear_aliased(double *a, int n, int k)
{
	for (int i = 0; i < k; i++)
		a[(Size) i * n + k] = 0;
	memset(a + (Size) k * n + k, 0, sizeof(double) * (n - k));
}

int
cholesky(double *a, int n, double tolerance, bool *aliased)
{
	double	   *original = palloc(sizeof(double) * Max(n, 1));
	int			rank = 0;

	for (int k = 0; k < n; k++)
		original[k] = a[(Size) k * n + k];
	for (int k = 0; k < n; k++)
	{
		double	   *row = a + (Size) k * n;
		double		pivot = row[k];

		aliased[k] = !(pivot > tolerance * original[k] && pivot > 0);
		if (aliased[k])
		{
			clear_aliased(a, n, k);
			continue;
		}
		rank++;
		pivot = sqrt(pivot);
		for (int j = k; j < n; j++)
			row[j] /= pivot;
		for (int i = k + 1; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (row[i] != 0)
				dense_axpy(-row[i], row + i, a + (Size) i * n + i, n - i);
		}
	}
	pfree(original);
	return rank;
}

/* R'z = b, in place */
void
triangular_solve_transposed(const double *r, int n, const bool *aliased, double *b)
{
	for (int k = 0; k < n; k++)
	{
		const double *row = r + (Size) k * n;

		b[k] = aliased[k] ? 0 : b[k] / row[k];
		if (b[k] != 0)
			dense_axpy(-b[k], row + k + 1, b + k + 1, n - k - 1);
	}
}

/* R x = z, in place */
void
triangular_solve(const double *r, int n, const bool *aliased, double *b)
{
	for (int k = n - 1; k >= 0; k--)
	{
		const double *row = r + (Size) k * n;

		b[k] = aliased[k] ? 0 : (b[k] - dense_dot(row + k + 1, b + k + 1, n - k - 1)) / row[k];
	}
}

void
cholesky_solve(const double *r, int n, const bool *aliased, double *b)
{
	triangular_solve_transposed(r, n, aliased, b);
	triangular_solve(r, n, aliased, b);
}

/* The inverse of R, upper, in "inverse"; rows from the last: inverse[i] = (e_i - sum over k > i of r[i][k] inverse[k]) / r[i][i]. */
static void
invert_triangle(const double *r, int n, const bool *aliased, double *inverse)
{
	for (int i = n - 1; i >= 0; i--)
	{
		const double *row = r + (Size) i * n;
		double	   *out = inverse + (Size) i * n;

		memset(out, 0, sizeof(double) * n);
		if (aliased[i])
			continue;
		for (int k = i + 1; k < n; k++)
		{
			CHECK_FOR_INTERRUPTS();
			if (row[k] != 0)
				dense_axpy(-row[k], inverse + (Size) k * n + k, out + k, n - k);
		}
		out[i] = 1;
		for (int j = i; j < n; j++)
			out[j] /= row[i];
	}
}

void
cholesky_inverse(const double *r, int n, const bool *aliased, double *inverse)
{
	invert_triangle(r, n, aliased, inverse);

	/* S S' in place: element (i, j), i <= j, needs rows i and j from column j on, which are still whole when taken row by row */
	for (int i = 0; i < n; i++)
	{
		double	   *row = inverse + (Size) i * n;

		for (int j = i; j < n; j++)
		{
			CHECK_FOR_INTERRUPTS();
			row[j] = dense_dot(row + j, inverse + (Size) j * n + j, n - j);
		}
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			inverse[(Size) i * n + j] = inverse[(Size) j * n + i];
}

/* ---- condition ---- */

static void
multiply_gram(const double *r, int n, double *x, double *scratch)
{
	for (int i = 0; i < n; i++)
		scratch[i] = dense_dot(r + (Size) i * n + i, x + i, n - i);
	memset(x, 0, sizeof(double) * n);
	for (int i = 0; i < n; i++)
		dense_axpy(scratch[i], r + (Size) i * n + i, x + i, n - i);
}

static double
normalise(double *x, int n)
{
	double		norm = sqrt(dense_dot(x, x, n));

	if (norm > 0)
		for (int i = 0; i < n; i++)
			x[i] /= norm;
	return norm;
}

/* The largest eigenvalue of R'R, or of its inverse. */
static double
power_iteration(const double *r, int n, const bool *aliased, bool inverse, double *x, double *scratch)
{
	double		value = 0;

	/* a start that no symmetric structure of the matrix is likely to be orthogonal to */
	for (int i = 0; i < n; i++)
		x[i] = aliased[i] ? 0 : 1 + (double) (i * 37 % 101) / 101;
	normalise(x, n);
	for (int step = 0; step < CONDITION_STEPS; step++)
	{
		double		last = value;

		CHECK_FOR_INTERRUPTS();
		if (inverse)
			cholesky_solve(r, n, aliased, x);
		else
			multiply_gram(r, n, x, scratch);
		value = normalise(x, n);
		if (fabs(value - last) <= CONDITION_ENOUGH * value)
			break;
	}
	return value;
}

double
triangular_condition(const double *r, int n, const bool *aliased)
{
	double	   *x = palloc(sizeof(double) * Max(n, 1));
	double	   *scratch = palloc(sizeof(double) * Max(n, 1));
	double		largest = power_iteration(r, n, aliased, false, x, scratch);
	double		smallest = power_iteration(r, n, aliased, true, x, scratch);

	pfree(x);
	pfree(scratch);
	return sqrt(largest * smallest);
}

/* ---- streaming QR ---- */

struct StreamingQR
{
	int			n;
	int			block_rows;
	double	   *triangle;		/* (n, n) */
	double	   *block;			/* (block_rows, n) rows being folded in */
	double	   *reflector;		/* (block_rows) the Householder vector below its leading 1 */
	double	   *product;		/* (n) */
};

StreamingQR *
qr_create(int n, int block_rows)
{
	StreamingQR *qr = palloc(sizeof(StreamingQR));

	qr->n = n;
	qr->block_rows = block_rows;
	qr->triangle = huge_zeros(size_times(n, n));
	qr->block = huge_zeros(size_times(n, block_rows));
	qr->reflector = palloc(sizeof(double) * block_rows);
	qr->product = palloc(sizeof(double) * n);
	return qr;
}

/*
 * Eliminate column k of the block against row k of the triangle (the triangle's rows below are zero there): the reflection I - tau v v'
 * with v = (1, reflector).
 */
static void
eliminate_column(StreamingQR *qr, int k, int nrows)
{
	int			n = qr->n;
	double	   *pivot_row = qr->triangle + (Size) k * n;
	double	   *column = qr->block + k;
	double		below = 0,
				norm,
				head,
				tau;

	for (int i = 0; i < nrows; i++)
		below += column[(Size) i * n] * column[(Size) i * n];
	if (below <= QR_NEGLIGIBLE * pivot_row[k] * pivot_row[k] || below < QR_UNDERFLOW)
		return;
	norm = sqrt(pivot_row[k] * pivot_row[k] + below);
	/* the triangle's diagonal stays >= 0, so the leading element of v is pivot - norm, written without cancellation */
	head = -below / (pivot_row[k] + norm);
	tau = -head / norm;
	for (int i = 0; i < nrows; i++)
		qr->reflector[i] = column[(Size) i * n] / head;
	pivot_row[k] = norm;
	if (k + 1 == n)
		return;

	memcpy(qr->product + k + 1, pivot_row + k + 1, sizeof(double) * (n - k - 1));
	dense_gradient(column + 1, nrows, n - k - 1, n, qr->reflector, qr->product + k + 1);
	dense_axpy(-tau, qr->product + k + 1, pivot_row + k + 1, n - k - 1);
	for (int i = 0; i < nrows; i++)
		dense_axpy(-tau * qr->reflector[i], qr->product + k + 1, column + (Size) i * n + 1, n - k - 1);
}

void
qr_add(StreamingQR *qr, const double *rows, int nrows, int stride)
{
	for (int start = 0; start < nrows; start += qr->block_rows)
	{
		int			count = Min(qr->block_rows, nrows - start);

		for (int i = 0; i < count; i++)
			memcpy(qr->block + (Size) i * qr->n, rows + (Size) (start + i) * stride, sizeof(double) * qr->n);
		for (int k = 0; k < qr->n; k++)
		{
			CHECK_FOR_INTERRUPTS();
			eliminate_column(qr, k, count);
		}
	}
}

double *
qr_triangle(StreamingQR *qr)
{
	return qr->triangle;
}

/* ---- rank of a triangle ---- */

/* Reflect rows rank .. k of columns k .. n-1 so that column k keeps one element in row "rank". */
static void
fold_column(double *r, int n, int rank, int k, double norm, double *reflector)
{
	double	   *pivot_row = r + (Size) rank * n;
	double		pivot = pivot_row[k];
	double		head = pivot >= 0 ? pivot + norm : pivot - norm;
	double		tau = fabs(head) / norm;
	int			below = k - rank;

	if (below == 0 || norm == 0)
		return;
	for (int i = 1; i <= below; i++)
		reflector[i] = r[(Size) (rank + i) * n + k] / head;
	for (int j = k; j < n; j++)
	{
		double		product = pivot_row[j];

		for (int i = 1; i <= below; i++)
			product += reflector[i] * r[(Size) (rank + i) * n + j];
		product *= tau;
		pivot_row[j] -= product;
		for (int i = 1; i <= below; i++)
			r[(Size) (rank + i) * n + j] -= reflector[i] * product;
	}
	for (int i = 1; i <= below; i++)
		r[(Size) (rank + i) * n + k] = 0;
}

/* Row "rank" of the staircase becomes row k, so that the kept columns form a triangle with zero rows at the aliased ones. */
static void
spread_rows(double *r, int n, int rank, const bool *aliased)
{
	for (int k = n - 1; k >= 0; k--)
	{
		double	   *row = r + (Size) k * n;

		if (!aliased[k])
		{
			rank--;
			if (rank != k)
				memcpy(row, r + (Size) rank * n, sizeof(double) * n);
		}
		else
			memset(row, 0, sizeof(double) * n);
	}
}

int
triangle_rank(double *r, int n, int ntested, double tolerance, bool *aliased)
{
	double	   *reflector = palloc(sizeof(double) * (n + 1));
	int			rank = 0;

	for (int k = 0; k < n; k++)
	{
		double		above = 0,
					left = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < rank; i++)
			above += r[(Size) i * n + k] * r[(Size) i * n + k];
		for (int i = rank; i <= k; i++)
			left += r[(Size) i * n + k] * r[(Size) i * n + k];
		aliased[k] = k < ntested && !(left > 0 && left > tolerance * tolerance * (above + left));
		if (!aliased[k])
			fold_column(r, n, rank++, k, sqrt(left), reflector);
	}
	spread_rows(r, n, rank, aliased);
	for (int k = 0; k < n; k++)
		if (aliased[k])
			for (int i = 0; i < n; i++)
				r[(Size) i * n + k] = 0;
	pfree(reflector);
	return rank;
}
