/*
 * column_sums.c
 *		ml._column_sums: counts, sums, sums of squares, least and greatest values of many columns of numbers in one call per row.
 *
 * One aggregate for all columns of a grouping instead of five per column: what is left of the cost is reading the rows.  Sums are kept as
 * two doubles (Neumaier 1974; squares split by Dekker 1971), exact for whole numbers and to about 106 bits else, so neither the order of
 * the rows nor the plan shows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "synthesis/columns_internal.h"

#define NSTATISTICS 6			/* n, sum, mean, min, max, sd */
#define WHOLE_LIMIT 67108864.0	/* 2^26: squares of whole numbers up to it are exact */

typedef struct ColumnSums
{
	int64		n;				/* neither NULL nor NaN */
	double		sum,
				sum_low,
				square,
				square_low,
				min,
				max;
} ColumnSums;

typedef struct SumsState
{
	ColumnsState columns;
	ColumnSums	column[FLEXIBLE_ARRAY_MEMBER];
} SumsState;

static const StateKind sums_kind;
static const ColumnsKind sums_columns;

static SumsState *
sums_new(int ncolumns)
{
	SumsState  *state;

	check_ncolumns(ncolumns);
	state = state_new(&sums_kind, offsetof(SumsState, column) + sizeof(ColumnSums) * ncolumns);
	state->columns.ncolumns = ncolumns;
	return state;
}

/* ---- sums ---- */

static inline void
add_twice(double *sum, double *low, double x)
{
	double		s = *sum + x;
	double		part = s - *sum;

	*low += (*sum - (s - part)) + (x - part);
	*sum = s;
}

/* The upper half of the bits of x. */
static inline double
upper_half(double x)
{
	double		c = 134217729.0 * x;

	return c - (c - x);
}

/* a * b = the product as rounded + what this returns, exactly unless it overflows. */
static inline double
product_rest(double a, double b, double product)
{
	double		a1 = upper_half(a),
				a2 = a - a1,
				b1 = upper_half(b),
				b2 = b - b1;

	return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
}

static inline void
add_number(ColumnSums *column, double x)
{
	double		square = x * x;

	if (isnan(x))
		return;
	column->min = column->n == 0 || x < column->min ? x : column->min;
	column->max = column->n == 0 || x > column->max ? x : column->max;
	column->n++;
	add_twice(&column->sum, &column->sum_low, x);
	add_twice(&column->square, &column->square_low, square);
	if (!(fabs(x) <= WHOLE_LIMIT && x == (double) (int32) x))
		column->square_low += product_rest(x, x, square);
}

static void *
sums_merge(void *opaque, const void *other_opaque)
{
	SumsState  *state = opaque;
	const SumsState *other = other_opaque;

	require_columns(&sums_columns, &state->columns, other->columns.ncolumns);
	for (int i = 0; i < state->columns.ncolumns; i++)
	{
		ColumnSums *column = &state->column[i];
		const ColumnSums *more = &other->column[i];

		if (more->n == 0)
			continue;
		column->min = column->n == 0 || more->min < column->min ? more->min : column->min;
		column->max = column->n == 0 || more->max > column->max ? more->max : column->max;
		column->n += more->n;
		add_twice(&column->sum, &column->sum_low, more->sum);
		add_twice(&column->square, &column->square_low, more->square);
		column->sum_low += more->sum_low;
		column->square_low += more->square_low;
	}
	return state;
}

/* ---- statistics ---- */

static double
total(double sum, double low)
{
	return isfinite(sum) ? sum + low : sum;
}

/* The root of (square - sum^2 / n) / (n - 1), the difference taken in two doubles. */
static double
sample_sd(const ColumnSums *column)
{
	double		n = (double) column->n;
	double		sum = total(column->sum, column->sum_low);
	double		rest = column->sum_low - (sum - column->sum);
	double		square = sum * sum;
	double		quotient = square / n;
	double		product = quotient * n;
	double		quotient_low = ((square - product) - product_rest(quotient, n, product) + product_rest(sum, sum, square) + 2 * sum * rest) / n;
	double		difference = (column->square - quotient) + (column->square_low - quotient_low);

	if (column->n < 2 || !isfinite(difference))
		return get_float8_nan();
	return sqrt(Max(difference, 0) / (n - 1));
}

/* NaN for what is undefined: an array without NULLs is read faster. */
static void
statistics_of(const ColumnSums *column, Datum *value)
{
	double		sum = total(column->sum, column->sum_low);
	bool		none = column->n == 0;

	value[0] = Float8GetDatum((double) column->n);
	value[1] = Float8GetDatum(sum);
	value[2] = Float8GetDatum(none ? get_float8_nan() : sum / (double) column->n);
	value[3] = Float8GetDatum(none ? get_float8_nan() : column->min);
	value[4] = Float8GetDatum(none ? get_float8_nan() : column->max);
	value[5] = Float8GetDatum(sample_sd(column));
}

/* ---- text and binary form ---- */

static void
sums_write(const void *opaque, ByteWriter *w)
{
	const SumsState *state = opaque;

	put_u32(w, (uint32) state->columns.ncolumns);
	for (int i = 0; i < state->columns.ncolumns; i++)
	{
		const ColumnSums *column = &state->column[i];

		put_u64(w, (uint64) column->n);
		put_f64(w, column->sum);
		put_f64(w, column->sum_low);
		put_f64(w, column->square);
		put_f64(w, column->square_low);
		put_f64(w, column->min);
		put_f64(w, column->max);
	}
}

static void *
sums_read(ByteReader *r, int64 n)
{
	int			ncolumns = (int) get_count(r, 7 * sizeof(double), MOST_COLUMNS);
	SumsState  *state = sums_new(ncolumns);

	for (int i = 0; i < ncolumns; i++)
	{
		ColumnSums *column = &state->column[i];

		column->n = (int64) get_u64(r);
		if (column->n < 0 || column->n > n)
			damaged(r, "A column has more values than there are rows.");
		column->sum = get_f64(r);
		column->sum_low = get_f64(r);
		column->square = get_f64(r);
		column->square_low = get_f64(r);
		column->min = get_f64(r);
		column->max = get_f64(r);
	}
	return state;
}

static const StateKind sums_kind = {"ml.column_sums", 0x534d0001, sums_write, sums_read, sums_merge};

STATE_TYPE_FUNCTIONS(column_sums, &sums_kind)

/* ---- the aggregate ---- */

static ColumnsState *
sums_make(int ncolumns)
{
	return &sums_new(ncolumns)->columns;
}

static ColumnsState *
sums_add(ColumnsState *columns, const char *cells, const bits8 *present)
{
	SumsState  *state = (SumsState *) columns;
	const double *x = (const double *) cells;

	for (int i = 0; i < columns->ncolumns; i++)
		if (cell_present(present, i))
			add_number(&state->column[i], *x++);
	return columns;
}

static const ColumnsKind sums_columns = {&sums_kind, "numbers", "sums", sums_make, sums_add};

PG_FUNCTION_INFO_V1(ml_column_sums_add);
Datum
ml_column_sums_add(PG_FUNCTION_ARGS)
{
	return columns_add(fcinfo, &sums_columns);
}

PG_FUNCTION_INFO_V1(ml_column_sums_final);
Datum
ml_column_sums_final(PG_FUNCTION_ARGS)
{
	SumsState  *state = state_argument(fcinfo, 0, &sums_kind);
	Datum	   *value = palloc(sizeof(Datum) * NSTATISTICS * (state->columns.ncolumns + 1));

	for (int i = 0; i < state->columns.ncolumns; i++)
		statistics_of(&state->column[i], value + NSTATISTICS * i);
	PG_RETURN_ARRAYTYPE_P(construct_array(value, NSTATISTICS * state->columns.ncolumns, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
