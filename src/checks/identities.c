/*
 * identities.c
 *		Columns that are sums of others in every row, such as a total and its parts.
 *
 * A column whose pivot in the Cholesky factor of the correlations vanishes is a linear combination of those before it, and of the independent
 * ones among them in one way only: if few columns suffice, that way shows them.  The factors are then fitted to these alone and held against
 * every row.
 */
#include "postgres.h"

#include "checks/checks_internal.h"
#include "core/solve.h"

#define MOST_COLUMNS 256
#define MOST_ROWS 8192			/* to find candidates */
#define FEWEST_ROWS 20
#define MOST_MISSING 0.3		/* of a column that takes part */
#define PIVOT 1e-9
#define NO_PART 1e-3			/* standardised factors below are none */
#define CLOSE 1e-6				/* to the sum, in standard deviations of the column */

typedef struct Numbers
{
	const Sample *sample;
	int			n;
	int			column[MOST_COLUMNS];	/* of the sample; the last one may be the target */
	double		mean[MOST_COLUMNS],
				sd[MOST_COLUMNS];
	double	   *product;		/* (n, n) of standardised columns */
} Numbers;

static void
choose_columns(Numbers *m, int last)
{
	const Sample *sample = m->sample;

	for (int i = 0; i <= sample->ncolumns && m->n < MOST_COLUMNS; i++)
	{
		int			at = i < sample->ncolumns ? i : last;
		const SampleColumn *column;

		if (at < 0 || (i < sample->ncolumns && i == last))
			continue;
		column = &sample->column[at];
		if (column->code != NULL && column->number && column->ncodes > 2 &&
			(double) column->code_rows[column->ncodes] <= MOST_MISSING * (double) sample->total)
			m->column[m->n++] = at;
	}
}

/* The rows in which all columns are finite: their values. */
static double *
complete_rows(const Numbers *m, int *nrows)
{
	double	   *value = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(m->n, 1) * Min(m->sample->nrows, MOST_ROWS));

	*nrows = 0;
	for (int row = 0; row < m->sample->nrows && *nrows < MOST_ROWS; row++)
	{
		double	   *to = value + (Size) *nrows * m->n;
		bool		complete = true;

		for (int j = 0; j < m->n && complete; j++)
		{
			to[j] = sample_value(&m->sample->column[m->column[j]], row);
			complete = isfinite(to[j]);
		}
		*nrows += complete;
	}
	return value;
}

static void
standardise(Numbers *m, double *value, int nrows)
{
	for (int j = 0; j < m->n; j++)
	{
		double		sum = 0,
					squares = 0;

		for (int row = 0; row < nrows; row++)
			sum += value[(Size) row * m->n + j];
		m->mean[j] = sum / nrows;
		for (int row = 0; row < nrows; row++)
			squares += pow(value[(Size) row * m->n + j] - m->mean[j], 2);
		m->sd[j] = sqrt(squares / nrows);
		for (int row = 0; row < nrows; row++)
			value[(Size) row * m->n + j] = m->sd[j] > 0 ? (value[(Size) row * m->n + j] - m->mean[j]) / m->sd[j] : 0;
	}
}

static void
correlate(Numbers *m, const double *value, int nrows)
{
	m->product = palloc0(sizeof(double) * m->n * m->n);
	for (int row = 0; row < nrows; row++)
	{
		const double *x = value + (Size) row * m->n;

		if (row % 64 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < m->n; i++)
			for (int j = i; j < m->n; j++)
				m->product[i * m->n + j] += x[i] * x[j];
	}
	for (int i = 0; i < m->n; i++)
		for (int j = i; j < m->n; j++)
			m->product[j * m->n + i] = m->product[i * m->n + j] /= nrows;
}

/* Standardised factors (k) of the columns before k, given the factor of all (n, n). */
static double *
solve_before(const Numbers *m, const double *factor, const bool *aliased, int k)
{
	double	   *r = palloc(sizeof(double) * Max(k * k, 1));
	double	   *b = palloc(sizeof(double) * Max(k, 1));

	for (int i = 0; i < k; i++)
	{
		memcpy(r + (Size) i * k, factor + (Size) i * m->n, sizeof(double) * k);
		b[i] = m->product[i * m->n + k];
	}
	cholesky_solve(r, k, aliased, b);
	pfree(r);
	return b;
}

/* ---- one candidate ---- */

/* Rounded to what people would write, where that is near. */
static double
plain(double x)
{
	for (double scale = 1; scale <= 1e4; scale *= 10)
		if (fabs(x * scale - rint(x * scale)) < 1e-6 * scale)
			return rint(x * scale) / scale;
	return x;
}

/* Does it hold in every row that has all its columns, and in how many? */
static bool
holds(const Sample *sample, const Identity *identity, double sd)
{
	int64		rows = 0;

	for (int row = 0; row < sample->nrows; row++)
	{
		double		left = sample_value(&sample->column[identity->column], row);
		double		right = identity->constant;

		for (int t = 0; t < identity->nterms; t++)
			right += identity->factor[t] * sample_value(&sample->column[identity->term[t]], row);
		if (isnan(left) || isnan(right))
			continue;
		if (!(fabs(left - right) <= CLOSE * sd))
			return false;
		rows += sample_count(sample, row);
	}
	return rows >= FEWEST_ROWS && (double) rows >= 0.5 * (double) sample->total;
}

static bool
make_identity(const Numbers *m, int k, const double *factor, Identity *identity)
{
	*identity = (Identity) {.column = m->column[k],.constant = m->mean[k]};
	for (int j = 0; j < k; j++)
	{
		if (fabs(factor[j]) < NO_PART)
			continue;
		if (identity->nterms == IDENTITY_TERMS)
			return false;
		identity->term[identity->nterms] = m->column[j];
		identity->factor[identity->nterms] = plain(factor[j] * m->sd[k] / m->sd[j]);
		identity->constant -= identity->factor[identity->nterms++] * m->mean[j];
	}
	identity->constant = plain(identity->constant);
	if (fabs(identity->constant) < CLOSE * m->sd[k])
		identity->constant = 0;
	return identity->nterms > 0 && holds(m->sample, identity, m->sd[k]);
}

int
find_identities(const Sample *sample, int last, Identity *identity, int most)
{
	Numbers		m = {.sample = sample};
	bool		aliased[MOST_COLUMNS];
	double	   *value;
	double	   *factor;
	int			nrows,
				found = 0;

	choose_columns(&m, last);
	value = complete_rows(&m, &nrows);
	if (nrows < FEWEST_ROWS || nrows < 3 * m.n)
		return 0;
	standardise(&m, value, nrows);
	correlate(&m, value, nrows);
	factor = palloc(sizeof(double) * m.n * m.n);
	memcpy(factor, m.product, sizeof(double) * m.n * m.n);
	cholesky(factor, m.n, PIVOT, aliased);
	for (int k = 0; k < m.n && found < most; k++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!aliased[k] || m.sd[k] == 0)
			continue;
		found += make_identity(&m, k, solve_before(&m, factor, aliased, k), &identity[found]);
	}
	pfree(value);
	return found;
}
