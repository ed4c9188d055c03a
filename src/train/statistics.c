/*
 * statistics.c
 *		What the training rows looked like, column by column, and a sketch that recognises them later.
 */
#include "postgres.h"

#include <math.h>

#include "train_internal.h"

/* Sums about a shift near the data, so that squares do not cancel (Chan, Golub & LeVeque 1983). */
typedef struct ColumnSums
{
	double		shift;
	double		sum,
				squares;
	int64		n;				/* finite values */
} ColumnSums;

static void
add_number(ColumnBaseline *column, ColumnSums *sums, double x)
{
	double		d;

	if (isinf(x))
		return;
	if (sums->n == 0)
	{
		sums->shift = x;
		column->min = column->max = x;
	}
	d = x - sums->shift;
	sums->sum += d;
	sums->squares += d * d;
	sums->n++;
	column->min = Min(column->min, x);
	column->max = Max(column->max, x);
}

static void
add_level(ColumnBaseline *column, int nlevels, double code)
{
	column->level_count[code >= 0 && code < nlevels ? (int) code : nlevels]++;
}

static void
add_row(const Features *features, ColumnBaseline *baseline, ColumnSums *sums, const double *cells)
{
	for (int j = 0; j < features->ninputs; j++)
	{
		baseline[j].n++;
		if (isnan(cells[j]))
			baseline[j].missing++;
		else if (features->inputs[j].kind == KIND_CATEGORY)
			add_level(&baseline[j], dictionary_size(features->inputs[j].levels), cells[j]);
		else
			add_number(&baseline[j], &sums[j], cells[j]);
	}
}

static ColumnBaseline *
new_baseline(const Features *features)
{
	ColumnBaseline *baseline = palloc0(sizeof(ColumnBaseline) * Max(features->ninputs, 1));

	for (int j = 0; j < features->ninputs; j++)
	{
		baseline[j].mean = baseline[j].sd = baseline[j].min = baseline[j].max = NAN;
		if (features->inputs[j].kind == KIND_CATEGORY)
			baseline[j].level_count = palloc0(sizeof(int64) * (dictionary_size(features->inputs[j].levels) + 1));
	}
	return baseline;
}

static void
finish_baseline(ColumnBaseline *baseline, const ColumnSums *sums, int ncolumns)
{
	for (int j = 0; j < ncolumns; j++)
	{
		double		mean;

		if (sums[j].n == 0)
			continue;
		mean = sums[j].sum / sums[j].n;
		baseline[j].mean = sums[j].shift + mean;
		baseline[j].sd = sqrt(Max(sums[j].squares / sums[j].n - mean * mean, 0));
	}
}

/* ---- the TRAINED_SKETCH smallest distinct row hashes (Beyer et al. 2007, "distinct-value synopses") ---- */

typedef struct BottomK
{
	int			n;
	uint64		limit;			/* hashes at or above cannot be among the smallest */
	uint64		hash[2 * TRAINED_SKETCH];
} BottomK;

static int
compare_hashes(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

static void
bottom_k_compact(BottomK *sketch)
{
	int			kept = 0;

	qsort(sketch->hash, sketch->n, sizeof(uint64), compare_hashes);
	for (int i = 0; i < sketch->n && kept < TRAINED_SKETCH; i++)
		if (kept == 0 || sketch->hash[i] != sketch->hash[kept - 1])
			sketch->hash[kept++] = sketch->hash[i];
	sketch->n = kept;
	if (kept == TRAINED_SKETCH)
		sketch->limit = sketch->hash[kept - 1];
}

static void
bottom_k_add(BottomK *sketch, uint64 hash)
{
	if (hash >= sketch->limit)
		return;
	sketch->hash[sketch->n++] = hash;
	if (sketch->n == lengthof(sketch->hash))
		bottom_k_compact(sketch);
}

void
model_statistics(Training *t)
{
	Model	   *model = t->model;
	const Features *features = t->features;
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);
	ColumnSums *sums = palloc0(sizeof(ColumnSums) * Max(features->ninputs, 1));
	BottomK    *sketch = palloc0(sizeof(BottomK));

	sketch->limit = PG_UINT64_MAX;
	model->baseline = new_baseline(features);
	for (int64 start = 0; start < nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, nrows - start);
		const double *cells = design_cells(t->design, start, count);

		for (int i = 0; i < count; i++, cells += features->ninputs)
		{
			add_row(features, model->baseline, sums, cells);
			bottom_k_add(sketch, model_row_hash(model, cells, t->target[start + i]));
		}
	}
	finish_baseline(model->baseline, sums, features->ninputs);
	bottom_k_compact(sketch);
	model->trained = sketch->hash;
	model->ntrained = sketch->n;
	model->trained_of = nrows;
}
