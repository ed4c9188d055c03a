/*
 * bins.c
 *		Edges from a sample, rows to bytes and back.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/bins.h"
#include "core/budget.h"
#include "core/sort.h"
#include "core/tree.h"
#include "core/tree_internal.h"

/* The distinct values of a column in its sample, ascending. */
typedef struct Distinct
{
	int64		n;
	double	   *value;
	int64	   *count;
	int64		total;			/* of the counts */
} Distinct;

typedef struct Sample
{
	int64		n;
	double	   *sorted;			/* (n) and so on: scratch for one column */
	uint64	   *key;
	uint64	   *key_scratch;
	uint32	   *payload;
	uint32	   *payload_scratch;
	int64	   *count;
} Sample;

#define TAKEN_ROWS 8192
#define TURNED_ROWS 1024
#define SAMPLE_SCRATCH (2 * sizeof(uint64) + 2 * sizeof(uint32) + sizeof(double) + sizeof(int64))

Size
bins_scratch(int64 nsample, int ncolumns)
{
	return size_times(nsample, size_plus(size_times(ncolumns, sizeof(double)), SAMPLE_SCRATCH));
}

/* ---- the sample ---- */

static Sample *
sample_create(int64 n)
{
	Sample	   *sample = palloc(sizeof(Sample));

	sample->n = n;
	sample->sorted = tree_array(n, sizeof(double));
	sample->key = tree_array(n, sizeof(uint64));
	sample->key_scratch = tree_array(n, sizeof(uint64));
	sample->payload = tree_array(n, sizeof(uint32));
	sample->payload_scratch = tree_array(n, sizeof(uint32));
	sample->count = tree_array(n, sizeof(int64));
	return sample;
}

static void
sample_free(Sample *sample)
{
	pfree(sample->sorted);
	pfree(sample->key);
	pfree(sample->key_scratch);
	pfree(sample->payload);
	pfree(sample->payload_scratch);
	pfree(sample->count);
	pfree(sample);
}

/* The column's values sorted; returns how many are finite. */
static int64
sort_values(Sample *sample, const double *value)
{
	int64		n = 0;

	for (int64 i = 0; i < sample->n; i++)
	{
		if (!isfinite(value[i]))
			continue;
		sample->key[n] = sortable_double(value[i]);
		sample->payload[n++] = (uint32) i;
	}
	sort_keys(sample->key, sample->payload, sample->key_scratch, sample->payload_scratch, (uint32) n);
	for (int64 i = 0; i < n; i++)
		sample->sorted[i] = value[sample->payload[i]];
	return n;
}

static Distinct
find_distinct(Sample *sample, const double *value)
{
	Distinct	distinct = {.value = sample->sorted,.count = sample->count};
	int64		n = sort_values(sample, value);

	distinct.total = n;
	for (int64 i = 0; i < n; i++)
	{
		if (i > 0 && sample->sorted[i] == distinct.value[distinct.n - 1])
		{
			distinct.count[distinct.n - 1]++;
			continue;
		}
		distinct.value[distinct.n] = sample->sorted[i];
		distinct.count[distinct.n++] = 1;
	}
	return distinct;
}

/* ---- edges ---- */

static void
add_edge(ColumnBins *bins, const Distinct *distinct, int64 below)
{
	bins->edge[bins->nbins++] = tree_threshold(distinct->value[below], distinct->value[below + 1]);
}

/* Between neighbours of both signs: what a column tells often turns there (gain and loss, before and after), so that no bin has values of both. */
static bool
turns_sign(const Distinct *distinct, int64 below)
{
	return distinct->value[below] < 0 && distinct->value[below + 1] >= 0;
}

/* A bin for every value, but none with fewer than min_data_in_bin rows where it need not end. */
static void
edges_of_few(ColumnBins *bins, const Distinct *distinct, int min_data)
{
	int64		filled = 0;

	for (int64 i = 0; i + 1 < distinct->n; i++)
	{
		filled += distinct->count[i];
		if (filled < min_data && !turns_sign(distinct, i))
			continue;
		add_edge(bins, distinct, i);
		filled = 0;
	}
}

/* The rows of values that do not fill a bin by themselves, and how many of the bins are left to them. */
static int64
rows_to_share(const Distinct *distinct, double fair, int *bins)
{
	int64		rows = distinct->total;

	for (int64 i = 0; i < distinct->n; i++)
		if (distinct->count[i] >= fair)
		{
			rows -= distinct->count[i];
			(*bins)--;
		}
	return rows;
}

/*
 * Bins of about equal counts.  A value that would fill a bin by itself gets one, and the others share the rest evenly.  Where the sign turns the bin is
 * cut in two, at zero itself unless that is one of the values.
 */
static void
edges_of_many(ColumnBins *bins, const Distinct *distinct, int most)
{
	double		fair = (double) distinct->total / most;
	int			turns = distinct->value[0] < 0 && distinct->value[distinct->n - 1] >= 0;	/* to come */
	int			rest_bins = most - turns;
	int64		rest = rows_to_share(distinct, fair, &rest_bins);
	double		share = rest_bins > 0 ? (double) rest / rest_bins : HUGE_VAL;
	int64		filled = 0;

	for (int64 i = 0; i + 1 < distinct->n && bins->nbins < most - 1; i++)
	{
		bool		big = distinct->count[i] >= fair;
		bool		big_next = distinct->count[i + 1] >= fair;
		bool		turning = turns_sign(distinct, i);
		bool		full;

		filled += distinct->count[i];
		if (!big)
			rest -= distinct->count[i];
		full = bins->nbins < most - 1 - turns && (big || filled >= share || (big_next && filled >= Max(1.0, share / 2)));
		if (turning && distinct->value[i + 1] > 0)
			bins->edge[bins->nbins++] = 0;
		else if (full || turning)
			add_edge(bins, distinct, i);
		turns -= turning;
		if (!full)
			continue;
		filled = 0;
		if (!big && --rest_bins > 0)
			share = (double) rest / rest_bins;
	}
}

/* Above every value: single precision where that is enough. */
static double
last_edge(double largest)
{
	return largest < FLT_MAX ? FLT_MAX : DBL_MAX;
}

static void
find_edges(ColumnBins *bins, Sample *sample, const double *value, const BinOptions *options)
{
	Distinct	distinct = find_distinct(sample, value);
	int64		most = Min(options->max_bin, distinct.total / Max(options->min_data_in_bin, 1));

	bins->edge = palloc(sizeof(double) * BIN_VALUES);
	if (distinct.n == 0)
		return;
	if (distinct.n <= options->max_bin)
		edges_of_few(bins, &distinct, options->min_data_in_bin);
	else
		edges_of_many(bins, &distinct, (int) Max(most, 1));
	bins->edge[bins->nbins++] = last_edge(distinct.value[distinct.n - 1]);
}

/* ---- categories ---- */

static int
by_count(const void *a, const void *b, void *counts)
{
	const int64 *count = counts;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void
bin_levels(ColumnBins *bins, const Sample *sample, const double *value)
{
	int			levels = bins->levels;
	int64	   *count = tree_array(levels, sizeof(int64));
	int		   *order = tree_array(levels, sizeof(int));

	bins->nbins = Min(levels, BIN_MAX);
	bins->bin_of = palloc(levels);
	for (int64 i = 0; i < sample->n; i++)
		if (value[i] >= 0 && value[i] < levels)
			count[(int) value[i]]++;
	for (int c = 0; c < levels; c++)
		order[c] = c;
	if (levels > BIN_MAX)
		qsort_arg(order, levels, sizeof(int), by_count, count);
	for (int i = 0; i < levels; i++)
		bins->bin_of[order[i]] = (uint8) Min(i, BIN_MAX - 1);
	pfree(count);
	pfree(order);
}

/* ---- rows to bytes ---- */

/* The first bin whose edge is not below x, without branches; values above all that the sample had go to the last. */
static inline uint8
number_bin(const double *edge, int nbins, double x)
{
	const double *at = edge;
	int			n = nbins;

	while (n > 1)
	{
		int			half = n / 2;

		at += (at[half - 1] < x) * half;
		n -= half;
	}
	return x == x ? (uint8) (at - edge) : BIN_MISSING;
}

/*
 * Most values find their bin at once: the span of the edges is cut into equal buckets, and a value's bucket tells the few bins it may lie in.
 * Rounding does not matter, for buckets rise with values and the edges' are found by the same arithmetic.
 */
#define GUIDE_BUCKETS 1024
#define GUIDE_FROM 16			/* bins */
#define GUIDE_LOOKS 4			/* edges looked at without a question whether the bucket has them: those behind it are not below */

typedef struct BinGuide
{
	double		low,
				scale;
	uint8		first[GUIDE_BUCKETS + 1];	/* edges in lower buckets */
	double		edge[BIN_VALUES + GUIDE_LOOKS]; /* those of the column but for its last, then infinity */
} BinGuide;

static inline int
guide_bucket(const BinGuide *guide, double x)
{
	double		at = (x - guide->low) * guide->scale;

	at = at > 0 ? at : 0;		/* NaN too */
	return (int) (at < GUIDE_BUCKETS - 1 ? at : GUIDE_BUCKETS - 1);
}

static BinGuide *
make_guide(const ColumnBins *column)
{
	BinGuide   *guide;
	int			nedges = column->nbins - 1;
	int			edge = 0;

	if (column->levels > 0 || column->nbins < GUIDE_FROM)
		return NULL;
	guide = palloc(sizeof(BinGuide));
	guide->low = column->edge[0];
	guide->scale = GUIDE_BUCKETS / (column->edge[nedges - 1] - column->edge[0]);
	for (int bucket = 0; bucket <= GUIDE_BUCKETS; bucket++)
	{
		while (edge < nedges && guide_bucket(guide, column->edge[edge]) < bucket)
			edge++;
		guide->first[bucket] = (uint8) edge;
	}
	for (int i = 0; i < (int) lengthof(guide->edge); i++)
		guide->edge[i] = i < nedges ? column->edge[i] : HUGE_VAL;
	return guide;
}

static inline uint8
guided_bin(const BinGuide *guide, double x)
{
	int			bucket = guide_bucket(guide, x);
	int			bin = guide->first[bucket];
	int			here = guide->first[bucket + 1] - bin;
	const double *edge = guide->edge + bin;

	if (here > GUIDE_LOOKS)
		return x == x ? (uint8) (bin + number_bin(edge, here + 1, x)) : BIN_MISSING;
	bin += (edge[0] < x) + (edge[1] < x) + (edge[2] < x) + (edge[3] < x);
	return x == x ? (uint8) bin : BIN_MISSING;
}

static inline uint8
category_bin(const ColumnBins *column, double x)
{
	return x >= 0 && x < column->levels ? column->bin_of[(int) x] : BIN_MISSING;
}

static void
code_column(const ColumnBins *column, const double *cell, int stride, uint8 *out, int count)
{
	if (column->guide != NULL)
	{
		for (int i = 0; i < count; i++, cell += stride, out += GROUP_BYTES)
			*out = guided_bin(column->guide, *cell);
		return;
	}
	for (int i = 0; i < count; i++, cell += stride, out += GROUP_BYTES)
		*out = column->levels > 0 ? category_bin(column, *cell) : column->nbins > 0 ? number_bin(column->edge, column->nbins, *cell) : BIN_MISSING;
}

Bins *
bins_alike(const Bins *bins, int64 nrows)
{
	Arena		arena = {.mode = ARENA_PRIVATE};
	Bins	   *alike = bins_layout_rows(&arena, nrows, bins->ncolumns);

	memcpy(alike->column, bins->column, sizeof(ColumnBins) * bins->ncolumns);
	return alike;
}

void
bins_copy_row(const Bins *bins, int64 row, const Bins *from, int64 from_row)
{
	for (int g = 0; g < bins->ngroups; g++)
		memcpy(bins->group[g] + row * GROUP_BYTES, from->group[g] + from_row * GROUP_BYTES, GROUP_BYTES);
}

/* A tile first, so that each row is written at once wherever it belongs. */
void
bins_code(const Bins *bins, const double *rows, const uint32 *place, int count)
{
	uint8		tile[BIN_BLOCK * GROUP_BYTES] = {0};

	for (int g = 0; g < bins->ngroups; g++)
	{
		int			first = g * GROUP_COLUMNS;
		int			end = Min(first + GROUP_COLUMNS, bins->ncolumns);

		for (int j = first; j < end; j++)
			code_column(&bins->column[j], rows + j, bins->ncolumns, tile + (j - first), count);
		for (int i = 0; i < count; i++)
			memcpy(bins->group[g] + (Size) place[i] * GROUP_BYTES, tile + i * GROUP_BYTES, GROUP_BYTES);
	}
}

/* For each bin a value in it: the last of a number's, the last code of categories. */
static double *
find_values(const ColumnBins *column)
{
	double	   *value = palloc(sizeof(double) * BIN_VALUES);

	for (int b = 0; b < BIN_VALUES; b++)
		value[b] = (double) NAN;
	for (int b = 0; b < column->nbins && column->levels == 0; b++)
		value[b] = column->edge[b];
	for (int c = 0; c < column->levels; c++)
		value[column->bin_of[c]] = c;
	return value;
}

void
bins_decode(const Bins *bins, int64 start, int count, double *rows)
{
	for (int j = 0; j < bins->ncolumns; j++)
	{
		const double *value = bins->column[j].value;
		const uint8 *bin = bins->group[j / GROUP_COLUMNS] + (Size) start * GROUP_BYTES + j % GROUP_COLUMNS;
		double	   *cell = rows + j;

		for (int i = 0; i < count; i++, bin += GROUP_BYTES, cell += bins->ncolumns)
			*cell = value[*bin];
	}
}

/* ---- making, laying out ---- */

Bins *
bins_layout_rows(Arena *arena, int64 nrows, int ncolumns)
{
	Bins	   *bins = palloc0(sizeof(Bins));

	bins->nrows = nrows;
	bins->ncolumns = ncolumns;
	bins->ngroups = (ncolumns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
	bins->column = arena_array(arena, ncolumns, sizeof(ColumnBins));
	bins->group = palloc(sizeof(uint8 *) * Max(bins->ngroups, 1));
	for (int g = 0; g < bins->ngroups; g++)
		bins->group[g] = arena_space(arena, nrows, GROUP_BYTES);
	return bins;
}

Bins *
bins_layout(Arena *arena, int64 nrows, int ncolumns)
{
	Bins	   *bins = bins_layout_rows(arena, nrows, ncolumns);

	bins->bytes = arena_space(arena, nrows, ncolumns);
	return bins;
}

Bins *
bins_create(int64 nrows, int ncolumns, const int *levels, const double *value, int64 nsample, const BinOptions *options)
{
	Arena		arena = {.mode = ARENA_PRIVATE};
	Bins	   *bins = bins_layout_rows(&arena, nrows, ncolumns);
	Sample	   *sample = sample_create(nsample);

	for (int j = 0; j < ncolumns; j++)
	{
		ColumnBins *column = &bins->column[j];

		CHECK_FOR_INTERRUPTS();
		column->levels = levels[j];
		if (column->levels > 0)
			bin_levels(column, sample, value + (Size) j * nsample);
		else
			find_edges(column, sample, value + (Size) j * nsample, options);
		column->value = find_values(column);
		column->guide = make_guide(column);
	}
	sample_free(sample);
	return bins;
}

Size
bins_memory(int64 nrows, int ncolumns)
{
	Arena		arena = {.mode = ARENA_COUNT};

	bins_layout_rows(&arena, nrows, ncolumns);
	return arena.used;
}

void
bins_take(Bins *bins, const Bins *made)
{
	memcpy(bins->column, made->column, sizeof(ColumnBins) * bins->ncolumns);
	for (int64 start = 0; start < bins->nrows; start += TAKEN_ROWS)
	{
		int64		count = Min(TAKEN_ROWS, bins->nrows - start);

		CHECK_FOR_INTERRUPTS();
		for (int g = 0; g < bins->ngroups; g++)
			memcpy(bins->group[g] + (Size) start * GROUP_BYTES, made->group[g] + (Size) start * GROUP_BYTES, (Size) count * GROUP_BYTES);
	}
}

/* Some rows at a time, so that they stay near while the columns are read. */
void
bins_turn(const Bins *bins, int64 start, int64 count)
{
	for (int64 end = start + count; start < end; start += TURNED_ROWS)
		for (int j = 0; j < bins->ncolumns; j++)
		{
			const uint8 *bin = bins->group[j / GROUP_COLUMNS] + (Size) start * GROUP_BYTES + j % GROUP_COLUMNS;
			uint8	   *bytes = bins->bytes + (Size) j * bins->nrows + start;

			for (int64 i = 0; i < Min(TURNED_ROWS, end - start); i++)
				bytes[i] = bin[i * GROUP_BYTES];
		}
}
