/*
 * shapes.c
 *		The shape of a column of numbers or times, exactly: ml.histogram as numpy has it, ml.boxplot as matplotlib draws it.
 */
#include "postgres.h"

#include <float.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/timestamp.h"

#include "core/sort.h"
#include "profile/profile_internal.h"

#define BAR 20					/* characters */
#define MOST_BINS 10000

static void
refuse_category(const LoadedColumn *c)
{
	if (c->kind == KIND_CATEGORY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" holds texts, expected numbers or times", c->name),
				 errhint("ml.value_counts counts texts; numbers stored as text can be cast in the source.")));
}

/* The value a share of the way from low to high, and how far along the way x is; the way may be longer than the largest number. */
static double
between(double low, double high, double share)
{
	double		range = high - low;

	return isfinite(range) ? low + range * share : low * (1 - share) + high * share;
}

static double
share_of(double low, double high, double x)
{
	double		range = high - low;

	return isfinite(range) ? (x - low) / range : (x / 2 - low / 2) / (high / 2 - low / 2);
}

/* Sorted by linear interpolation between neighbours, as percentile_cont; permutes. */
static double
quantile(double *value, int64 n, double p)
{
	double		rank = p * (double) (n - 1);
	int64		below = (int64) floor(rank);
	double		low = select_kth(value, n, below);
	double		high = below + 1 < n ? select_kth(value, n, below + 1) : low;

	return between(low, high, rank - (double) below);
}

static void
extremes(const double *value, int64 n, double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (int64 i = 0; i < n; i++)
	{
		CHECK_EACH_BLOCK(i);
		*low = fmin(*low, value[i]);
		*high = fmax(*high, value[i]);
	}
}

/* A number as such, a moment as a timestamp; the cell for the other is NULL. */
static void
cell_value(Cells *row, ColumnKind kind, double value)
{
	cell_float(row, kind == KIND_TIMESTAMP ? NAN : value);
	if (kind == KIND_TIMESTAMP)
		cell_moment(row, value);
	else
		cell_null(row);
}

/* ---- histogram ---- */

typedef struct Edges
{
	double		low,
				high;
	int			n;
} Edges;

static double
edge(const Edges *edges, int i)
{
	double		range = edges->high - edges->low;

	if (i == edges->n)
		return edges->high;
	return isfinite(range) ? edges->low + i * (range / edges->n) : between(edges->low, edges->high, (double) i / edges->n);
}

/* numpy's 'auto': the narrower of Sturges' and of Freedman and Diaconis' bins, the latter not below half of the square-root rule's. */
static int
automatic_bins(const LoadedColumn *c, double *value, int64 n, double range)
{
	double		iqr = quantile(value, n, 0.75) - quantile(value, n, 0.25);
	double		freedman = 2 * iqr / cbrt((double) n);
	double		sturges = range / (log2((double) n) + 1);
	double		width = fmin(fmax(freedman, range / sqrt((double) n) / 2), sturges);
	bool		integers = c->type == INT2OID || c->type == INT4OID || c->type == INT8OID;

	if (width == 0)
		return 1;
	if (!isfinite(range))
		return (int) ceil(log2((double) n) + 1);
	if (integers && width < 1)
		width = 1;
	return (int) fmin(ceil(range / width), MOST_BINS);
}

static Edges
choose_edges(FunctionCallInfo fcinfo, const LoadedColumn *c, double *value, int64 n)
{
	Edges		edges = {0};

	extremes(value, n, &edges.low, &edges.high);
	edges.n = PG_ARGISNULL(2) ? automatic_bins(c, value, n, edges.high - edges.low) : PG_GETARG_INT32(2);
	if (edges.n < 1 || edges.n > MOST_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a histogram cannot have %d bins", edges.n),
				 errdetail("There may be 1 to %d.", MOST_BINS)));
	if (edges.low == edges.high)
	{
		double		half = fmax(0.5, fabs(edges.low) * DBL_EPSILON);	/* enough to make a difference */

		edges.low = fmax(edges.low - half, -DBL_MAX);
		edges.high = fmin(edges.high + half, DBL_MAX);
	}
	return edges;
}

/* The last bin includes its upper edge, the others do not; rounding never puts a value beside its bin. */
static int
bin_of(const Edges *edges, double x)
{
	int			i = (int) (share_of(edges->low, edges->high, x) * edges->n);

	i = Min(i, edges->n - 1);
	if (x < edge(edges, i))
		i--;
	else if (i < edges->n - 1 && x >= edge(edges, i + 1))
		i++;
	return i;
}

PG_FUNCTION_INFO_V1(ml_histogram);
Datum
ml_histogram(PG_FUNCTION_ARGS)
{
	Wanted		wanted = {text_argument(fcinfo, 1, "column_name"), false};
	Loaded	   *loaded = load_columns(text_argument(fcinfo, 0, "source"), &wanted, 1);
	const LoadedColumn *c = loaded->column;
	int64		n;
	double	   *value;
	int64	   *count;
	int64		most = 1;
	Edges		edges;
	Cells		row = {0};

	refuse_category(c);
	InitMaterializedSRF(fcinfo, 0);
	value = finite_values(c, loaded->nrows, &n);
	if (n == 0)
		return (Datum) 0;
	edges = choose_edges(fcinfo, c, value, n);
	count = palloc0(sizeof(int64) * edges.n);
	for (int64 i = 0; i < n; i++)
	{
		CHECK_EACH_BLOCK(i);
		count[bin_of(&edges, value[i])]++;
	}
	for (int i = 0; i < edges.n; i++)
		most = Max(most, count[i]);
	for (int i = 0; i < edges.n; i++)
	{
		cell_datum(&row, Int32GetDatum(i + 1));
		cell_value(&row, c->kind, edge(&edges, i));
		cell_value(&row, c->kind, edge(&edges, i + 1));
		cell_count(&row, count[i]);
		cell_float(&row, (double) count[i] / (double) loaded->nrows);
		cell_text_or_null(&row, picture_bar((double) count[i] / (double) most, BAR));
		cells_put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- box plot ---- */

typedef struct Box
{
	double		min,
				whisker_low,
				q1,
				median,
				q3,
				whisker_high,
				max;
	int64		below,			/* outside of the whiskers */
				above;
} Box;

#define PICTURE 40				/* characters of a box */

static Box
make_box(double *value, int64 n)
{
	Box			box = {0};
	double		reach;

	extremes(value, n, &box.min, &box.max);
	box.q1 = quantile(value, n, 0.25);
	box.median = quantile(value, n, 0.5);
	box.q3 = quantile(value, n, 0.75);
	reach = 1.5 * (box.q3 - box.q1);
	box.whisker_low = INFINITY;
	box.whisker_high = -INFINITY;
	for (int64 i = 0; i < n; i++)
	{
		CHECK_EACH_BLOCK(i);
		if (value[i] < box.q1 - reach)
			box.below++;
		else
			box.whisker_low = fmin(box.whisker_low, value[i]);
		if (value[i] > box.q3 + reach)
			box.above++;
		else
			box.whisker_high = fmax(box.whisker_high, value[i]);
	}
	/* few values: the nearest one may lie inside of the box */
	box.whisker_low = fmin(box.whisker_low, box.q1);
	box.whisker_high = fmax(box.whisker_high, box.q3);
	return box;
}

static int
place(double x, double low, double high)
{
	return high > low ? (int) rint(share_of(low, high, x) * (PICTURE - 1)) : 0;
}

/* "  |--[==M==]----|   " on the scale of all values. */
static char *
draw_box(const Box *box, double low, double high)
{
	char	   *picture = palloc(PICTURE + 1);
	int			whisker_low = place(box->whisker_low, low, high),
				q1 = place(box->q1, low, high),
				q3 = place(box->q3, low, high),
				whisker_high = place(box->whisker_high, low, high);

	memset(picture, ' ', PICTURE);
	picture[PICTURE] = '\0';
	memset(picture + whisker_low, '-', whisker_high - whisker_low + 1);
	memset(picture + q1, '=', q3 - q1 + 1);
	if (box->below > 0)
		picture[place(box->min, low, high)] = '*';
	if (box->above > 0)
		picture[place(box->max, low, high)] = '*';
	picture[whisker_low] = '|';
	picture[whisker_high] = '|';
	picture[q1] = '[';
	picture[q3] = ']';
	picture[place(box->median, low, high)] = 'M';
	return picture;
}

/* One row; value holds the n finite ones of rows, and is permuted. */
static void
put_box(FunctionCallInfo fcinfo, const char *group, double *value, int64 n, int64 rows, double low, double high)
{
	Box			box = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, 0};
	Cells		row = {0};

	if (n > 0)
		box = make_box(value, n);
	cell_text_or_null(&row, group);
	cell_count(&row, n);
	cell_count(&row, rows - n);
	cell_float(&row, box.min);
	cell_float(&row, box.whisker_low);
	cell_float(&row, box.q1);
	cell_float(&row, box.median);
	cell_float(&row, box.q3);
	cell_float(&row, box.whisker_high);
	cell_float(&row, box.max);
	cell_count(&row, box.below);
	cell_count(&row, box.above);
	cell_text_or_null(&row, n > 0 ? draw_box(&box, low, high) : NULL);
	cells_put(fcinfo, &row);
}

/* A row per value of the second column: values sorted by group, each group's rows counted. */
static void
put_groups(FunctionCallInfo fcinfo, const Loaded *loaded, double low, double high)
{
	const LoadedColumn *c = &loaded->column[0],
			   *by = &loaded->column[1];
	int			ngroups = dictionary_size(by->levels) + 1;
	int64	   *rows = MemoryContextAllocZero(CurrentMemoryContext, sizeof(int64) * ngroups);
	int64	   *end = MemoryContextAllocZero(CurrentMemoryContext, sizeof(int64) * ngroups);
	double	   *value = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(loaded->nrows, 1));
	int64		start = 0;

	for (int64 row = 0; row < loaded->nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		rows[level_of(by, row)]++;
	}
	for (int group = 0; group < ngroups; start += rows[group++])
		end[group] = start;
	for (int64 row = 0; row < loaded->nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		if (isfinite(c->value[row]))
			value[end[level_of(by, row)]++] = c->value[row];
	}
	start = 0;
	for (int group = 0; group < ngroups; start += rows[group++])
		if (rows[group] > 0)
			put_box(fcinfo, level_or_null(by, group), value + start, end[group] - start, rows[group], low, high);
}

PG_FUNCTION_INFO_V1(ml_boxplot);
Datum
ml_boxplot(PG_FUNCTION_ARGS)
{
	bool		grouped = !PG_ARGISNULL(2);
	Wanted		wanted[2] = {{text_argument(fcinfo, 1, "column_name"), false}, {NULL, true}};
	Loaded	   *loaded;
	int64		n;
	double	   *value;
	double		low,
				high;

	if (grouped)
		wanted[1].name = text_argument(fcinfo, 2, "by");
	loaded = load_columns(text_argument(fcinfo, 0, "source"), wanted, grouped ? 2 : 1);
	refuse_category(&loaded->column[0]);
	if (loaded->column[0].kind == KIND_TIMESTAMP)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" holds times, expected numbers", loaded->column[0].name),
				 errhint("ml.histogram counts times; extract(epoch FROM ...) makes a number of one.")));
	InitMaterializedSRF(fcinfo, 0);
	value = finite_values(&loaded->column[0], loaded->nrows, &n);
	extremes(value, n, &low, &high);
	if (grouped)
		put_groups(fcinfo, loaded, low, high);
	else
		put_box(fcinfo, NULL, value, n, loaded->nrows, low, high);
	return (Datum) 0;
}
