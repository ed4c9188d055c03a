/*
 * dense_kernels_internal.h
 *		The text of the dense kernels, included once per build.
 *
 * The includer defines DENSE_TARGET (function attribute), DENSE_LANES (doubles in a register: 2 or 4), DENSE_TABLE and DENSE_LINKAGE (name of
 * the table; static or nothing).  Vectors are GCC/clang vector extensions; no result depends on their width: a dot product adds in four lanes
 * however many registers hold them, everything else adds per element of the result.  No vector crosses a function boundary by value, which
 * would change the calling convention between builds.  Where n is no multiple of the tile, the last tile is moved back to end at n; its
 * elements that were added before are computed again and thrown away.
 */
#include <math.h>

#include "core/mathfn.h"
#include "core/mathfn_internal.h"

#define INLINED static inline __attribute__((always_inline)) DENSE_TARGET

typedef double Vec __attribute__((vector_size(8 * DENSE_LANES)));
typedef double LooseVec __attribute__((vector_size(8 * DENSE_LANES), aligned(8), may_alias));	/* at any address of a double */

#define LOAD(p) (*(const LooseVec *) (p))
#define STORE(p, v) (*(LooseVec *) (p) = (v))

/* Four lanes in as many registers as they take. */
#define QUAD 4
#define QUAD_VECS (QUAD / DENSE_LANES)

typedef struct Quad
{
	Vec			v[QUAD_VECS];
} Quad;

INLINED void
quad_load(const double *p, Quad *quad)
{
	for (int k = 0; k < QUAD_VECS; k++)
		quad->v[k] = LOAD(p + k * DENSE_LANES);
}

/* The last 0 .. 3 terms padded with zeros, which change no bit of a sum that began at +0. */
INLINED void
quad_load_tail(const double *p, int count, Quad *quad)
{
	double		lane[QUAD] = {count > 0 ? p[0] : 0, count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0};

	quad_load(lane, quad);
}

INLINED void
quad_add_product(Quad *sum, const Quad *a, const Quad *b)
{
	for (int k = 0; k < QUAD_VECS; k++)
		sum->v[k] += a->v[k] * b->v[k];
}

/* (l0 + l2) + (l1 + l3) */
INLINED double
quad_join(const Quad *sum)
{
	double		lane[QUAD];

	for (int k = 0; k < QUAD_VECS; k++)
		STORE(lane + k * DENSE_LANES, sum->v[k]);
	return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* ---- dot products ---- */

INLINED double
dot_product(const double *a, const double *b, int n)
{
	Quad		sum = {{{0}}},
				x,
				y;
	int			j = 0;

	for (; j + QUAD <= n; j += QUAD)
	{
		quad_load(a + j, &x);
		quad_load(b + j, &y);
		quad_add_product(&sum, &x, &y);
	}
	if (j < n)
	{
		quad_load_tail(a + j, n - j, &x);
		quad_load_tail(b + j, n - j, &y);
		quad_add_product(&sum, &x, &y);
	}
	return quad_join(&sum);
}

DENSE_TARGET static double
kernel_dot(const double *a, const double *b, int n)
{
	return dot_product(a, b, n);
}

DENSE_TARGET static void
kernel_axpy(double a, const double *x, double *y, int n)
{
	for (int j = 0; j < n; j++)
		y[j] += a * x[j];
}

#define MARGIN_ROWS 4

/* Four rows share the loads of beta and hide each other's latency; each row still adds as dot_product does. */
INLINED void
four_margins(const double *x, int n, int stride, const double *beta, double intercept, double *out)
{
	int			whole = n - n % QUAD;
	Quad		sum[MARGIN_ROWS] = {{{{0}}}},
				row,
				b;

	for (int j = 0; j < whole; j += QUAD)
	{
		quad_load(beta + j, &b);
		for (int k = 0; k < MARGIN_ROWS; k++)
		{
			quad_load(x + (Size) k * stride + j, &row);
			quad_add_product(&sum[k], &row, &b);
		}
	}
	if (whole < n)
	{
		quad_load_tail(beta + whole, n - whole, &b);
		for (int k = 0; k < MARGIN_ROWS; k++)
		{
			quad_load_tail(x + (Size) k * stride + whole, n - whole, &row);
			quad_add_product(&sum[k], &row, &b);
		}
	}
	for (int k = 0; k < MARGIN_ROWS; k++)
		out[k] = intercept + quad_join(&sum[k]);
}

DENSE_TARGET static void
kernel_margins(const double *x, int nrows, int n, int stride, const double *beta, double intercept, double *out)
{
	int			i = 0;

	for (; i + MARGIN_ROWS <= nrows; i += MARGIN_ROWS)
		four_margins(x + (Size) i * stride, n, stride, beta, intercept, out + i);
	for (; i < nrows; i++)
		out[i] = intercept + dot_product(x + (Size) i * stride, beta, n);
}

/* ---- sums over rows ---- */

/* nvecs is a constant at every call, so that the accumulators are registers. */
INLINED void
gradient_tile(const double *x, int nrows, int stride, const double *r, double *gradient, const int nvecs)
{
	Vec			sum[8];

	for (int v = 0; v < nvecs; v++)
		sum[v] = LOAD(gradient + v * DENSE_LANES);
	for (int i = 0; i < nrows; i++)
	{
		const double *row = x + (Size) i * stride;
		double		residual = r[i];

		for (int v = 0; v < nvecs; v++)
			sum[v] += LOAD(row + v * DENSE_LANES) * residual;
	}
	for (int v = 0; v < nvecs; v++)
		STORE(gradient + v * DENSE_LANES, sum[v]);
}

/* The 1 .. DENSE_LANES - 1 columns that fill no vector. */
INLINED void
gradient_tail(const double *x, int nrows, int stride, const double *r, double *gradient, int count)
{
	for (int j = 0; j < count; j++)
	{
		double		sum = gradient[j];

		for (int i = 0; i < nrows; i++)
			sum += x[(Size) i * stride + j] * r[i];
		gradient[j] = sum;
	}
}

DENSE_TARGET static void
kernel_gradient(const double *x, int nrows, int n, int stride, const double *r, double *gradient)
{
	int			j = 0;

	for (; j + 8 * DENSE_LANES <= n; j += 8 * DENSE_LANES)
		gradient_tile(x + j, nrows, stride, r, gradient + j, 8);
	switch ((n - j) / DENSE_LANES)
	{
#define TILE(k) \
		case k: \
			gradient_tile(x + j, nrows, stride, r, gradient + j, k); \
			break
			TILE(1);
			TILE(2);
			TILE(3);
			TILE(4);
			TILE(5);
			TILE(6);
			TILE(7);
#undef TILE
	}
	j = n - n % DENSE_LANES;
	gradient_tail(x + j, nrows, stride, r, gradient + j, n - j);
}

/* ---- gram ---- */

#define GRAM_ROWS 4				/* of the result in one tile */
#define GRAM_VECS 2
#define GRAM_COLUMNS (GRAM_VECS * DENSE_LANES)
#define GRAM_LEAST Max(GRAM_ROWS, GRAM_COLUMNS)
#define GRAM_BYTES 16384		/* of input kept in the first-level cache while all tiles pass over it */

/* One tile of the result at (row, column); its first skip_rows rows and skip_columns columns are not stored. */
INLINED void
gram_tile(const double *x, int nrows, int stride, const double *weight, const bool weighted,
		  int row, int column, int skip_rows, int skip_columns, double *gram, int n)
{
	Vec			sum[GRAM_ROWS][GRAM_VECS];

	for (int k = 0; k < GRAM_ROWS; k++)
		for (int v = 0; v < GRAM_VECS; v++)
			sum[k][v] = LOAD(gram + (Size) (row + k) * n + column + v * DENSE_LANES);
	for (int i = 0; i < nrows; i++)
	{
		const double *p = x + (Size) i * stride;
		Vec			right[GRAM_VECS];

		for (int v = 0; v < GRAM_VECS; v++)
			right[v] = LOAD(p + column + v * DENSE_LANES);
		for (int k = 0; k < GRAM_ROWS; k++)
		{
			double		left = weighted ? weight[i] * p[row + k] : p[row + k];

			for (int v = 0; v < GRAM_VECS; v++)
				sum[k][v] += right[v] * left;
		}
	}
	for (int k = skip_rows; k < GRAM_ROWS; k++)
	{
		double	   *out = gram + (Size) (row + k) * n + column;

		if (skip_columns == 0)
			for (int v = 0; v < GRAM_VECS; v++)
				STORE(out + v * DENSE_LANES, sum[k][v]);
		else
			for (int j = skip_columns; j < GRAM_COLUMNS; j++)
				out[j] = sum[k][j / DENSE_LANES][j % DENSE_LANES];
	}
}

INLINED void
gram_block(const double *x, int nrows, int n, int stride, const double *weight, const bool weighted, double *gram)
{
	for (int i = 0; i < n; i += GRAM_ROWS)
	{
		int			row = Min(i, n - GRAM_ROWS);

		for (int j = i; j < n; j += GRAM_COLUMNS)
		{
			int			column = Min(j, n - GRAM_COLUMNS);

			gram_tile(x, nrows, stride, weight, weighted, row, column, i - row, j - column, gram, n);
		}
	}
}

DENSE_TARGET static void
gram_rows(const double *x, int nrows, int n, int stride, const double *weight, double *gram)
{
	int			block = Max(GRAM_BYTES / (int) (sizeof(double) * n), 32);

	for (int start = 0; start < nrows; start += block)
	{
		const double *from = x + (Size) start * stride;
		int			count = Min(block, nrows - start);

		if (weight != NULL)
			gram_block(from, count, n, stride, weight + start, true, gram);
		else
			gram_block(from, count, n, stride, NULL, false, gram);
	}
}

/* Too narrow for a tile: padded with zero columns. */
DENSE_TARGET static void
gram_narrow(const double *x, int nrows, int n, int stride, const double *weight, double *gram)
{
	double		wide[32 * GRAM_LEAST] = {0};
	double		sum[GRAM_LEAST * GRAM_LEAST] = {0};

	for (int i = 0; i < n; i++)
		memcpy(sum + i * GRAM_LEAST, gram + i * n, sizeof(double) * n);
	for (int start = 0; start < nrows; start += 32)
	{
		int			count = Min(32, nrows - start);

		for (int i = 0; i < count; i++)
			memcpy(wide + i * GRAM_LEAST, x + (Size) (start + i) * stride, sizeof(double) * n);
		gram_rows(wide, count, GRAM_LEAST, GRAM_LEAST, weight ? weight + start : NULL, sum);
	}
	for (int i = 0; i < n; i++)
		memcpy(gram + i * n, sum + i * GRAM_LEAST, sizeof(double) * n);
}

DENSE_TARGET static void
kernel_gram(const double *x, int nrows, int n, int stride, const double *weight, double *gram)
{
	if (n < GRAM_LEAST)
		gram_narrow(x, nrows, n, stride, weight, gram);
	else
		gram_rows(x, nrows, n, stride, weight, gram);
}

/* ---- elementwise, vectorised over rows ---- */

#define CHUNK_ROWS 64

INLINED void
logistic_chunk(const double *margin, const double *target, const double *weight, const bool weighted, int nrows, double *residual, double *loss)
{
	for (int i = 0; i < nrows; i++)
	{
		double		t = math_exp_inline(-fabs(margin[i]));
		double		error = math_sigmoid_from_inline(margin[i], t) - target[i];
		double		excess = math_softplus_from_inline(margin[i], t) - target[i] * margin[i];

		residual[i] = weighted ? weight[i] * error : error;
		loss[i] = weighted ? weight[i] * excess : excess;
	}
}

DENSE_TARGET static void
kernel_logistic(const double *margin, const double *target, const double *weight, int nrows, double *residual, double *loss)
{
	double		chunk_loss[CHUNK_ROWS];
	double		sum = *loss;

	for (int start = 0; start < nrows; start += CHUNK_ROWS)
	{
		int			count = Min(CHUNK_ROWS, nrows - start);

		if (weight != NULL)
			logistic_chunk(margin + start, target + start, weight + start, true, count, residual + start, chunk_loss);
		else
			logistic_chunk(margin + start, target + start, NULL, false, count, residual + start, chunk_loss);
		for (int i = 0; i < count; i++)
			sum += chunk_loss[i];
	}
	*loss = sum;
}

DENSE_TARGET static void
kernel_sigmoid(const double *margin, int nrows, double *probability)
{
	for (int i = 0; i < nrows; i++)
		probability[i] = math_sigmoid_from_inline(margin[i], math_exp_inline(-fabs(margin[i])));
}

/* (nclasses, nrows): a class's margins lie side by side. */
INLINED void
softmax_chunk(double *margin, int nrows, int stride, int nclasses, double *top, double *sum)
{
	for (int i = 0; i < nrows; i++)
	{
		top[i] = margin[i];
		sum[i] = 0;
	}
	for (int k = 1; k < nclasses; k++)
		for (int i = 0; i < nrows; i++)
			top[i] = math_select(margin[(Size) k * stride + i] > top[i], margin[(Size) k * stride + i], top[i]);
	for (int k = 0; k < nclasses; k++)
		for (int i = 0; i < nrows; i++)
		{
			double		e = math_exp_inline(margin[(Size) k * stride + i] - top[i]);

			margin[(Size) k * stride + i] = e;
			sum[i] += e;
		}
	for (int k = 0; k < nclasses; k++)
		for (int i = 0; i < nrows; i++)
			margin[(Size) k * stride + i] /= sum[i];
}

DENSE_TARGET static void
kernel_softmax(double *margin, int nrows, int nclasses, double *normaliser)
{
	double		top[CHUNK_ROWS],
				sum[CHUNK_ROWS];

	for (int start = 0; start < nrows; start += CHUNK_ROWS)
	{
		int			count = Min(CHUNK_ROWS, nrows - start);

		softmax_chunk(margin + start, count, nrows, nclasses, top, sum);
		if (normaliser != NULL)
			for (int i = 0; i < count; i++)
				normaliser[start + i] = top[i] + math_log(sum[i]);
	}
}

DENSE_LINKAGE const DenseKernels DENSE_TABLE = {
	.dot = kernel_dot,
	.axpy = kernel_axpy,
	.gram = kernel_gram,
	.margins = kernel_margins,
	.gradient = kernel_gradient,
	.logistic = kernel_logistic,
	.sigmoid = kernel_sigmoid,
	.softmax = kernel_softmax,
};
