/*
 * numerics.c
 *		Dense kernels, factorisations, minimisation and distribution functions, for SQL.  Matrices are row-major arrays.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/dense.h"
#include "core/dense_internal.h"
#include "core/hash.h"
#include "core/lbfgs.h"
#include "core/solve.h"
#include "core/special.h"

PG_FUNCTION_INFO_V1(core_dense_difference);
PG_FUNCTION_INFO_V1(core_softmax);
PG_FUNCTION_INFO_V1(core_cholesky_solve);
PG_FUNCTION_INFO_V1(core_cholesky_inverse);
PG_FUNCTION_INFO_V1(core_cholesky_aliased);
PG_FUNCTION_INFO_V1(core_condition);
PG_FUNCTION_INFO_V1(core_qr);
PG_FUNCTION_INFO_V1(core_qr_aliased);
PG_FUNCTION_INFO_V1(core_minimise);
PG_FUNCTION_INFO_V1(core_special);

static double *
doubles(ArrayType *array, int *n)
{
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (double *) ARR_DATA_PTR(array);
}

static Datum
array_of_doubles(const double *value, int n)
{
	Datum	   *datum = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datum[i] = Float8GetDatum(value[i]);
	return PointerGetDatum(construct_array(datum, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
array_of_bools(const bool *value, int n)
{
	Datum	   *datum = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datum[i] = BoolGetDatum(value[i]);
	return PointerGetDatum(construct_array(datum, n, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR));
}

/* ---- dense kernels: both builds against plain loops, bit by bit ---- */

typedef struct Sample
{
	int			nrows;
	int			n;
	int			stride;
	double	   *x;				/* (nrows, stride) */
	double	   *beta;			/* (n) */
	double	   *weight;			/* (nrows) or NULL */
	double	   *target;			/* (nrows) */
} Sample;

typedef struct Outcome
{
	double	   *gram;			/* (n, n) */
	double	   *margin;			/* (nrows) */
	double	   *residual;		/* (nrows) */
	double	   *gradient;		/* (n) */
	double	   *axpy;			/* (n) */
	double	   *softmax;		/* (nrows * n) */
	double		loss;
} Outcome;

static double
sample_number(uint64 *state)
{
	*state = hash_fold(*state, 1);
	return (hash_unit(*state) - 0.5) * (hash_unit(hash_mix(*state)) < 0.1 ? 1e6 : 3);
}

static void
fill_sample(Sample *s, int nrows, int n, bool weighted)
{
	uint64		state = hash_fold(nrows, n);

	s->nrows = nrows;
	s->n = n;
	s->stride = n + nrows % 3;
	s->x = palloc(sizeof(double) * (nrows * s->stride + 1));
	s->beta = palloc(sizeof(double) * n);
	s->weight = weighted ? palloc(sizeof(double) * nrows) : NULL;
	s->target = palloc(sizeof(double) * nrows);
	for (int i = 0; i < nrows * s->stride; i++)
		s->x[i] = sample_number(&state);
	for (int j = 0; j < n; j++)
		s->beta[j] = sample_number(&state);
	for (int i = 0; i < nrows; i++)
	{
		s->target[i] = sample_number(&state) > 0;
		if (weighted)
			s->weight[i] = fabs(sample_number(&state));
	}
}

static void
init_outcome(Outcome *o, const Sample *s)
{
	o->gram = palloc(sizeof(double) * s->n * s->n);
	o->margin = palloc(sizeof(double) * s->nrows);
	o->residual = palloc(sizeof(double) * s->nrows);
	o->gradient = palloc(sizeof(double) * s->n);
	o->axpy = palloc(sizeof(double) * s->n);
	o->softmax = palloc(sizeof(double) * s->nrows * s->n);
	o->loss = 0.125;
	for (int i = 0; i < s->n * s->n; i++)
		o->gram[i] = 0.1 * i;
	for (int j = 0; j < s->n; j++)
		o->gradient[j] = o->axpy[j] = 0.3 * j;
	for (int i = 0; i < s->nrows * s->n; i++)
		o->softmax[i] = s->x[i % (s->nrows * s->stride)];
}

static void
run_kernels(const DenseKernels *k, const Sample *s, Outcome *o)
{
	init_outcome(o, s);
	k->gram(s->x, s->nrows, s->n, s->stride, s->weight, o->gram);
	k->margins(s->x, s->nrows, s->n, s->stride, s->beta, 0.7, o->margin);
	k->logistic(o->margin, s->target, s->weight, s->nrows, o->residual, &o->loss);
	k->gradient(s->x, s->nrows, s->n, s->stride, o->residual, o->gradient);
	k->axpy(1.1, s->beta, o->axpy, s->n);
	k->softmax(o->softmax, s->nrows, s->n, NULL);
}

/* What the header promises, as plain loops; residual and softmax are taken from "o". */
static const char *
broken_promise(const Sample *s, const Outcome *o)
{
	Outcome		plain;

	init_outcome(&plain, s);
	for (int i = 0; i < s->nrows; i++)
	{
		const double *row = s->x + i * s->stride;
		double		lane[4] = {0};

		for (int j = 0; j < s->n; j++)
			lane[j % 4] += row[j] * s->beta[j];
		if (o->margin[i] != 0.7 + ((lane[0] + lane[2]) + (lane[1] + lane[3])))
			return "margins";
		for (int j = 0; j < s->n; j++)
		{
			plain.gradient[j] += row[j] * o->residual[i];
			for (int k = j; k < s->n; k++)
				plain.gram[j * s->n + k] += (s->weight != NULL ? s->weight[i] * row[j] : row[j]) * row[k];
		}
	}
	if (memcmp(plain.gradient, o->gradient, sizeof(double) * s->n) != 0)
		return "gradient";
	for (int j = 0; j < s->n; j++)
		for (int k = j; k < s->n; k++)
			if (plain.gram[j * s->n + k] != o->gram[j * s->n + k])
				return "gram";
	return NULL;
}

static const char *
builds_differ(const Sample *s, const Outcome *a, const Outcome *b)
{
	for (int j = 0; j < s->n; j++)
		if (memcmp(a->gram + j * s->n + j, b->gram + j * s->n + j, sizeof(double) * (s->n - j)) != 0)
			return "gram";
	if (memcmp(a->margin, b->margin, sizeof(double) * s->nrows) != 0)
		return "margins";
	if (memcmp(a->residual, b->residual, sizeof(double) * s->nrows) != 0 || a->loss != b->loss)
		return "logistic";
	if (memcmp(a->gradient, b->gradient, sizeof(double) * s->n) != 0)
		return "gradient";
	if (memcmp(a->axpy, b->axpy, sizeof(double) * s->n) != 0)
		return "axpy";
	if (memcmp(a->softmax, b->softmax, sizeof(double) * s->nrows * s->n) != 0)
		return "softmax";
	return NULL;
}

/* core_dense_difference(rows, columns, weighted): the first kernel whose bits are not those of the plain loops or of the other build; NULL: none. */
Datum
core_dense_difference(PG_FUNCTION_ARGS)
{
	Sample		s;
	Outcome		baseline,
				avx2;
	const char *wrong;

	fill_sample(&s, PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_BOOL(2));
	run_kernels(&dense_baseline, &s, &baseline);
	wrong = broken_promise(&s, &baseline);
	if (wrong == NULL && dense_avx2() != NULL)
	{
		run_kernels(dense_avx2(), &s, &avx2);
		wrong = builds_differ(&s, &baseline, &avx2);
	}
	if (wrong == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(wrong));
}

/* core_softmax(margins float8[]): the probabilities of one row, then its normaliser */
Datum
core_softmax(PG_FUNCTION_ARGS)
{
	int			n;
	const double *margin = doubles(PG_GETARG_ARRAYTYPE_P(0), &n);
	double	   *out = palloc(sizeof(double) * (n + 1));

	memcpy(out, margin, sizeof(double) * n);
	dense_softmax(out, 1, n, out + n);
	PG_RETURN_DATUM(array_of_doubles(out, n + 1));
}

/* ---- factorisations ---- */

typedef struct Factor
{
	int			n;
	double	   *r;
	bool	   *aliased;
	int			rank;
} Factor;

static void
factor(FunctionCallInfo fcinfo, double tolerance, Factor *f)
{
	int			cells;
	const double *a = doubles(PG_GETARG_ARRAYTYPE_P(0), &cells);

	f->n = (int) lround(sqrt(cells));
	f->r = palloc(sizeof(double) * cells);
	f->aliased = palloc(sizeof(bool) * f->n);
	memcpy(f->r, a, sizeof(double) * cells);
	f->rank = cholesky(f->r, f->n, tolerance, f->aliased);
}

Datum
core_cholesky_solve(PG_FUNCTION_ARGS)
{
	Factor		f;
	int			n;
	double	   *b = doubles(PG_GETARG_ARRAYTYPE_P_COPY(1), &n);

	factor(fcinfo, 1e-10, &f);
	cholesky_solve(f.r, n, f.aliased, b);
	PG_RETURN_DATUM(array_of_doubles(b, n));
}

Datum
core_cholesky_inverse(PG_FUNCTION_ARGS)
{
	Factor		f;
	double	   *inverse;

	factor(fcinfo, 1e-10, &f);
	inverse = palloc(sizeof(double) * f.n * f.n);
	cholesky_inverse(f.r, f.n, f.aliased, inverse);
	PG_RETURN_DATUM(array_of_doubles(inverse, f.n * f.n));
}

Datum
core_cholesky_aliased(PG_FUNCTION_ARGS)
{
	Factor		f;

	factor(fcinfo, PG_GETARG_FLOAT8(1), &f);
	PG_RETURN_DATUM(array_of_bools(f.aliased, f.n));
}

Datum
core_condition(PG_FUNCTION_ARGS)
{
	Factor		f;

	factor(fcinfo, 0, &f);
	PG_RETURN_FLOAT8(triangular_condition(f.r, f.n, f.aliased));
}

static double *
stream(FunctionCallInfo fcinfo, int *n)
{
	int			cells;
	const double *rows = doubles(PG_GETARG_ARRAYTYPE_P(0), &cells);
	StreamingQR *qr;

	*n = PG_GETARG_INT32(1);
	qr = qr_create(*n, PG_GETARG_INT32(2));
	qr_add(qr, rows, cells / *n, *n);
	return qr_triangle(qr);
}

/* core_qr(rows, columns, rows in a block) */
Datum
core_qr(PG_FUNCTION_ARGS)
{
	int			n;
	double	   *triangle = stream(fcinfo, &n);

	PG_RETURN_DATUM(array_of_doubles(triangle, n * n));
}

/* core_qr_aliased(rows, columns, rows in a block, tolerance) */
Datum
core_qr_aliased(PG_FUNCTION_ARGS)
{
	int			n;
	double	   *triangle = stream(fcinfo, &n);
	bool	   *aliased = palloc(sizeof(bool) * n);

	triangle_rank(triangle, n, n, PG_GETARG_FLOAT8(3), aliased);
	PG_RETURN_DATUM(array_of_bools(aliased, n));
}

/* ---- minimisation ---- */

/* sum over j of scale_j (x_j - j)^2 / 2, scales from 1 to 1e4, on top of 1e8: near the minimum differences of the value are rounding. */
static double
quadratic_scale(int j, int n)
{
	return pow(10, 4.0 * j / Max(n - 1, 1));
}

static double
quadratic(void *state, const double *x, double *gradient)
{
	int			n = *(int *) state;
	double		value = 1e8;

	for (int j = 0; j < n; j++)
	{
		gradient[j] = quadratic_scale(j, n) * (x[j] - j);
		value += 0.5 * gradient[j] * (x[j] - j);
	}
	return value;
}

static void
quadratic_precondition(void *state, double *direction)
{
	int			n = *(int *) state;

	for (int j = 0; j < n; j++)
		direction[j] /= quadratic_scale(j, n) * (1 + 0.3 * (j % 3));
}

/* Chained Rosenbrock (not convex, unique minimum 0 at 1, 1 ... for the start at 0.5) */
static double
rosenbrock(void *state, const double *x, double *gradient)
{
	int			n = *(int *) state;
	double		value = 0;

	memset(gradient, 0, sizeof(double) * n);
	for (int j = 0; j + 1 < n; j++)
	{
		double		a = x[j + 1] - x[j] * x[j],
					b = 1 - x[j];

		value += 100 * a * a + b * b;
		gradient[j] += -400 * x[j] * a - 2 * b;
		gradient[j + 1] += 200 * a;
	}
	return value;
}

/* core_minimise(function, n, tolerance, most iterations): {converged, iterations, largest error of x} */
Datum
core_minimise(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			n = PG_GETARG_INT32(1);
	bool		chained = strcmp(name, "rosenbrock") == 0;
	SmoothFunction f = {.n = n,.state = &n,.value = chained ? rosenbrock : quadratic};
	double	   *x = palloc(sizeof(double) * n);
	MinimiseResult result;
	double		out[3] = {0};

	if (strcmp(name, "preconditioned") == 0)
		f.precondition = quadratic_precondition;
	for (int j = 0; j < n; j++)
		x[j] = chained ? 0.5 : 0;
	result = minimise(&f, x, PG_GETARG_FLOAT8(2), PG_GETARG_INT32(3));
	out[0] = result.converged;
	out[1] = result.iterations;
	for (int j = 0; j < n; j++)
		out[2] = Max(out[2], fabs(x[j] - (chained ? 1 : j)));
	PG_RETURN_DATUM(array_of_doubles(out, 3));
}

/* core_special(function "char", a, b, x) */
Datum
core_special(PG_FUNCTION_ARGS)
{
	double		a = PG_GETARG_FLOAT8(1),
				b = PG_GETARG_FLOAT8(2),
				x = PG_GETARG_FLOAT8(3);

	switch (PG_GETARG_CHAR(0))
	{
		case 'g':
			PG_RETURN_FLOAT8(log_gamma(x));
		case 'b':
			PG_RETURN_FLOAT8(incomplete_beta(a, b, x));
		case 't':
			PG_RETURN_FLOAT8(student_t_two_sided(x, a));
		default:
			PG_RETURN_FLOAT8(normal_two_sided(x));
	}
}
