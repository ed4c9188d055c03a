/*
 * statistics.c
 *		What the training rows looked like, column by column, and a sketch that recognises them later.
 */
#include "postgres.h"

#include <math.h>

#include "core/hash.h"
#include "train_internal.h"

/* ---- baseline of each column ---- */

static ColumnBaseline *
column_baselines(const Training *t)
{
	const Features *features = t->features;
	ColumnBaseline *baseline = palloc0(sizeof(ColumnBaseline) * Max(features->ninputs, 1));

	for (int j = 0; j < features->ninputs; j++)
	{
		const ColumnSummary *summary = &t->summaries[j];

		baseline[j].n = frame_part_rows(t->frame, PART_TRAIN);
		baseline[j].missing = summary->missing;
		baseline[j].mean = summary->mean;
		baseline[j].sd = summary->sd;
		baseline[j].min = summary->min;
		baseline[j].max = summary->max;
		baseline[j].level_count = summary->kept_count;
	}
	return baseline;
}

/* ---- the TRAINED_SKETCH smallest distinct row hashes (Beyer et al. 2007, "distinct-value synopses") ---- */

struct BottomK
{
	int			n;
	uint64		limit;			/* hashes at or above cannot be among the smallest */
	uint64		hash[2 * TRAINED_SKETCH];
};

static void
bottom_k_compact(BottomK *sketch)
{
	int			kept = 0;

	qsort(sketch->hash, sketch->n, sizeof(uint64), hash_compare);
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
	t->model->baseline = column_baselines(t);
	t->sketch = palloc0(sizeof(BottomK));
	t->sketch->limit = PG_UINT64_MAX;
}

void
sketch_rows(Training *t, const double *cells, const double *target, int count)
{
	for (int i = 0; i < count; i++)
		bottom_k_add(t->sketch, model_row_hash(t->model, cells + (Size) i * t->features->ninputs, target[i]));
}

void
sketch_finish(Training *t)
{
	bottom_k_compact(t->sketch);
	t->model->trained = t->sketch->hash;
	t->model->ntrained = t->sketch->n;
	t->model->trained_of = frame_part_rows(t->frame, PART_TRAIN);
}
