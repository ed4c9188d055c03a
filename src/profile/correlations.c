/*
 * correlations.c
 *		What goes with what, pair by pair over the rows where both are known: ml.correlations.
 *
 * Two columns of numbers: Pearson and Spearman (ranks with ties at their mean); two of categories: Cramer's V corrected for bias (Bergsma 2013);
 * one of each: the correlation ratio, the square root of the share of the variance that lies between categories.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "core/sort.h"
#include "profile/profile_internal.h"

#define MOST_LEVELS 1000		/* of a category that is compared */

typedef struct Measured
{
	double		value;			/* NaN where undefined */
	int64		n;
	const char *reason;
} Measured;

static Measured
undefined(int64 n, const char *reason)
{
	return (Measured) {NAN, n, reason};
}

static bool
is_category(const LoadedColumn *c)
{
	return c->kind == KIND_CATEGORY || c->kind == KIND_BOOLEAN;
}

static int
levels_of(const LoadedColumn *c)
{
	return c->kind == KIND_BOOLEAN ? 2 : dictionary_size(c->levels);
}

/* ---- numbers ---- */

/* A column of numbers, ready to be compared. */
typedef struct Ranked
{
	bool		complete;		/* no missing or infinite value */
	uint32	   *order;			/* (n) rows with a value, ascending */
	int64		n;
	double	   *rank;			/* (nrows) of complete columns, else NULL */
} Ranked;

/* A row that counts: both values finite. */
static inline bool
both(const double *x, const double *y, int64 row)
{
	return isfinite(x[row]) && isfinite(y[row]);
}

static Measured
pearson(const double *x, const double *y, int64 nrows)
{
	double		mx = 0,
				my = 0,
				xx = 0,
				yy = 0,
				xy = 0;
	int64		n = 0;

	for (int64 row = 0; row < nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (both(x, y, row))
		{
			double		dx = x[row] - mx,
						dy = y[row] - my,
						share = 1.0 / (double) ++n;

			mx += dx * share;
			my += dy * share;
			xx += dx * (x[row] - mx);
			yy += dy * (y[row] - my);
			xy += dx * (y[row] - my);
		}
	}
	if (n < 2)
		return undefined(n, "fewer than 2 rows have both");
	if (!(xx > 0) || !(yy > 0))
		return undefined(n, "constant where both are known");
	if (!isfinite(xx) || !isfinite(yy))
		return undefined(n, "values too large");
	return (Measured) {fmax(fmin(xy / sqrt(xx) / sqrt(yy), 1), -1), n, NULL};
}

/* Ranks of the rows in order that have a value of other too (NULL: of all); ties share their mean. */
static void
rank_rows(const double *value, const uint32 *order, int64 n, const double *other, double *rank)
{
	uint32	   *tied = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * Max(n, 1));
	int64		before = 0,
				ntied = 0;

	for (int64 i = 0; i <= n; i++)
	{
		uint32		row = i < n ? order[i] : 0;

		CHECK_EACH_BLOCK(i);
		if (i < n && other != NULL && !isfinite(other[row]))
			continue;
		if (ntied > 0 && (i == n || value[row] != value[tied[0]]))
		{
			for (int64 k = 0; k < ntied; k++)
				rank[tied[k]] = (double) before + ((double) ntied + 1) / 2;
			before += ntied;
			ntied = 0;
		}
		if (i < n)
			tied[ntied++] = row;
	}
	pfree(tied);
}

static Ranked
rank_column(const LoadedColumn *c, int64 nrows)
{
	Ranked		ranked = {0};
	uint64	   *key = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * 2 * Max(nrows, 1));
	uint32	   *scratch = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * Max(nrows, 1));

	ranked.order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * Max(nrows, 1));
	for (int64 row = 0; row < nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (isfinite(c->value[row]))
		{
			key[ranked.n] = sortable_double(c->value[row]);
			ranked.order[ranked.n++] = (uint32) row;
		}
	}
	sort_keys(key, ranked.order, key + nrows, scratch, (uint32) ranked.n);
	pfree(key);
	pfree(scratch);
	ranked.complete = ranked.n == nrows;
	if (ranked.complete)
	{
		ranked.rank = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(nrows, 1));
		rank_rows(c->value, ranked.order, ranked.n, NULL, ranked.rank);
	}
	return ranked;
}

static double *
ranks_beside(const LoadedColumn *c, const Ranked *ranked, const LoadedColumn *other, int64 nrows)
{
	double	   *rank = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(nrows, 1));

	for (int64 row = 0; row < nrows; row++)
		rank[row] = NAN;
	rank_rows(c->value, ranked->order, ranked->n, other->value, rank);
	return rank;
}

static Measured
spearman(const LoadedColumn *a, const Ranked *ra, const LoadedColumn *b, const Ranked *rb, int64 nrows)
{
	double	   *x,
			   *y;
	Measured	result;

	if (ra->complete && rb->complete)
		return pearson(ra->rank, rb->rank, nrows);
	x = ranks_beside(a, ra, b, nrows);
	y = ranks_beside(b, rb, a, nrows);
	result = pearson(x, y, nrows);
	pfree(x);
	pfree(y);
	return result;
}

/* ---- categories ---- */

static int
levels_used(const int64 *total, int nlevels)
{
	int			used = 0;

	for (int i = 0; i < nlevels; i++)
		used += total[i] > 0;
	return used;
}

static double
chi_square(const int64 *count, const int64 *in_a, const int64 *in_b, int na, int nb, int64 n)
{
	double		sum = 0;

	for (int i = 0; i < na; i++)
		for (int j = 0; j < nb; j++)
			if (in_a[i] > 0 && in_b[j] > 0)
			{
				double		expected = (double) in_a[i] * (double) in_b[j] / (double) n;
				double		d = (double) count[(Size) i * nb + j] - expected;

				sum += d * d / expected;
			}
	return sum;
}

static Measured
corrected_v(double chi2, int used_a, int used_b, int64 rows)
{
	double		n = (double) rows,
				ka = used_a - 1,
				kb = used_b - 1;
	double		phi2 = fmax(0, chi2 / n - ka * kb / (n - 1));
	double		least = fmin(ka - ka * ka / (n - 1), kb - kb * kb / (n - 1));

	if (used_a < 2 || used_b < 2)
		return undefined(rows, "constant where both are known");
	if (!(least > 0))
		return undefined(rows, "too few rows for so many categories");
	return (Measured) {fmin(sqrt(phi2 / least), 1), rows, NULL};
}

static Measured
cramers_v(const LoadedColumn *a, const LoadedColumn *b, int64 nrows)
{
	int			na = levels_of(a),
				nb = levels_of(b);
	int64	   *count,
			   *in_a,
			   *in_b,
				n = 0;
	Measured	result;

	if (na > MOST_LEVELS || nb > MOST_LEVELS)
		return undefined(0, psprintf("more than %d categories", MOST_LEVELS));
	count = palloc0(sizeof(int64) * ((Size) na * nb + na + nb + 1));
	in_a = count + (Size) na * nb;
	in_b = in_a + na;
	for (int64 row = 0; row < nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (both(a->value, b->value, row))
		{
			int			i = (int) a->value[row],
						j = (int) b->value[row];

			count[(Size) i * nb + j]++;
			in_a[i]++;
			in_b[j]++;
			n++;
		}
	}
	if (n < 2)
		return undefined(n, "fewer than 2 rows have both");
	result = corrected_v(chi_square(count, in_a, in_b, na, nb, n), levels_used(in_a, na), levels_used(in_b, nb), n);
	pfree(count);
	return result;
}

/* ---- a category and a number ---- */

static Measured
correlation_ratio(const LoadedColumn *category, const LoadedColumn *number, int64 nrows)
{
	int			nlevels = levels_of(category);
	int64	   *count = palloc0(sizeof(int64) * (nlevels + 1));
	double	   *mean = palloc0(sizeof(double) * (nlevels + 1));
	double		total = 0,
				overall = 0,
				between = 0;
	int64		n = 0;

	if (nlevels > MOST_LEVELS)
		return undefined(0, psprintf("more than %d categories", MOST_LEVELS));
	for (int64 row = 0; row < nrows; row++)
	{
		double		x = number->value[row];
		int			level;

		CHECK_EACH_BLOCK(row);
		if (!both(category->value, number->value, row))
			continue;
		level = (int) category->value[row];
		mean[level] += (x - mean[level]) / (double) ++count[level];
		overall += (x - overall) / (double) ++n;
	}
	for (int64 row = 0; row < nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (both(category->value, number->value, row))
			total += (number->value[row] - overall) * (number->value[row] - overall);
	}
	for (int level = 0; level < nlevels; level++)
		between += (double) count[level] * (mean[level] - overall) * (mean[level] - overall);
	if (n < 2)
		return undefined(n, "fewer than 2 rows have both");
	if (!(total > 0) || levels_used(count, nlevels) < 2)
		return undefined(n, "constant where both are known");
	return (Measured) {sqrt(fmin(between / total, 1)), n, NULL};
}

/* ---- the order of the rows ---- */

static uint64
row_hash(const Loaded *loaded, int64 row)
{
	uint64		sum = 0;

	for (int i = 0; i < loaded->ncolumns; i++)
	{
		double		x = loaded->column[i].value[row];
		uint64		bits = 0;

		if (!isnan(x))
			memcpy(&bits, &x, sizeof(bits));
		sum += hash_cell(bits, hash_fold(0, (uint64) i));
	}
	return hash_mix(sum);
}

/* Rows by their content, so that sums come out the same to the last bit whatever order the rows came in. */
static void
order_rows(Loaded *loaded)
{
	int64		n = loaded->nrows;
	Size		bytes = size_times(2 * sizeof(uint64) + 2 * sizeof(uint32) + sizeof(double), n);
	uint64	   *key;
	uint32	   *from;
	double	   *value;

	budget_take(&loaded->budget, bytes, "the order of the rows");
	key = alloc_large(CurrentMemoryContext, size_times(2 * sizeof(uint64), Max(n, 1)));
	from = alloc_large(CurrentMemoryContext, size_times(2 * sizeof(uint32), Max(n, 1)));
	value = alloc_large(CurrentMemoryContext, size_times(sizeof(double), Max(n, 1)));
	for (int64 row = 0; row < n; row++)
	{
		CHECK_EACH_BLOCK(row);
		key[row] = row_hash(loaded, row);
		from[row] = (uint32) row;
	}
	sort_keys(key, from, key + n, from + n, (uint32) n);
	for (int i = 0; i < loaded->ncolumns; i++)
	{
		for (int64 row = 0; row < n; row++)
		{
			CHECK_EACH_BLOCK(row);
			value[row] = loaded->column[i].value[from[row]];
		}
		memcpy(loaded->column[i].value, value, sizeof(double) * n);
	}
	pfree(key);
	pfree(from);
	pfree(value);
	budget_return(&loaded->budget, bytes);
}

/* ---- all pairs ---- */

static void
put_pair(FunctionCallInfo fcinfo, const LoadedColumn *a, const LoadedColumn *b, const char *method, Measured measured)
{
	Cells		row = {0};

	cell_text_or_null(&row, a->name);
	cell_text_or_null(&row, b->name);
	cell_text_or_null(&row, method);
	cell_float(&row, measured.value);
	cell_count(&row, measured.n);
	cell_text_or_null(&row, measured.reason);
	cells_put(fcinfo, &row);
}

static void
compare_columns(FunctionCallInfo fcinfo, const Loaded *loaded, const Ranked *ranked, int i, int j)
{
	const LoadedColumn *a = &loaded->column[i],
			   *b = &loaded->column[j];

	CHECK_FOR_INTERRUPTS();
	if (is_category(a) && is_category(b))
		put_pair(fcinfo, a, b, "cramers_v", cramers_v(a, b, loaded->nrows));
	else if (is_category(a) || is_category(b))
		put_pair(fcinfo, a, b, "correlation_ratio",
				 is_category(a) ? correlation_ratio(a, b, loaded->nrows) : correlation_ratio(b, a, loaded->nrows));
	else
	{
		put_pair(fcinfo, a, b, "pearson", pearson(a->value, b->value, loaded->nrows));
		put_pair(fcinfo, a, b, "spearman", spearman(a, &ranked[i], b, &ranked[j], loaded->nrows));
	}
}

PG_FUNCTION_INFO_V1(ml_correlations);
Datum
ml_correlations(PG_FUNCTION_ARGS)
{
	Loaded	   *loaded = load_all_columns(text_argument(fcinfo, 0, "source"), PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	Ranked	   *ranked = palloc0(sizeof(Ranked) * (loaded->ncolumns + 1));

	if (loaded->nrows > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has more than %u rows", PG_UINT32_MAX),
				 errhint("Compare a sample, for example with TABLESAMPLE.")));
	InitMaterializedSRF(fcinfo, 0);
	order_rows(loaded);
	budget_take(&loaded->budget, 4 * sizeof(double) * (Size) loaded->nrows, "the ranks of a pair of columns");
	for (int i = 0; i < loaded->ncolumns; i++)
		if (!is_category(&loaded->column[i]))
		{
			budget_take(&loaded->budget, (sizeof(uint32) + sizeof(double)) * (Size) loaded->nrows, "the ranks of the columns");
			ranked[i] = rank_column(&loaded->column[i], loaded->nrows);
		}
	for (int i = 0; i < loaded->ncolumns; i++)
		for (int j = i + 1; j < loaded->ncolumns; j++)
			compare_columns(fcinfo, loaded, ranked, i, j);
	return (Datum) 0;
}
