/*
 * design.c
 *		The training rows as a design matrix, in canonical order.
 *
 * Learners that pass over the rows once or twice have them prepared again block by block; those that iterate keep the whole matrix; trees keep a
 * byte a cell, and the rows are given back.  The way a row takes through a tree depends on its bins alone, so what is decoded from them is judged
 * as the row itself would be.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "train_internal.h"

#define PREFETCH_ROWS 8			/* rows ahead: a canonical neighbour lies anywhere in memory */

Design *
design_create(const Frame *frame, const Features *features, int **recode)
{
	Design	   *design = palloc0(sizeof(Design));

	design->frame = frame;
	design->features = features;
	design->recode = recode;
	design->cells = palloc(sizeof(double) * DESIGN_BLOCK * Max(features->ninputs, 1));
	design->block = palloc(sizeof(double) * DESIGN_BLOCK * Max(features->noutputs, 1));
	return design;
}

const double *
design_cells(Design *design, int64 start, int count)
{
	int			ninputs = design->features->ninputs;
	int64		last = design->frame->nrows - 1;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < count; i++)
	{
		__builtin_prefetch(frame_row(design->frame, Min(start + i + PREFETCH_ROWS, last)));
		features_recode(design->features, design->recode, frame_row(design->frame, start + i), design->cells + (Size) i * ninputs);
	}
	return design->cells;
}

static void
apply_block(const Design *design, const double *cells, int64 start, int count, double *out)
{
	uint32		position[DESIGN_BLOCK];

	for (int i = 0; i < count; i++)
		position[i] = (uint32) (start + i);
	features_apply_training(design->features, cells, position, count, out);
}

void
design_keep(Training *t)
{
	Design	   *design = t->design;
	int64		nrows = frame_part_rows(design->frame, PART_TRAIN);
	int			ncolumns = design->features->noutputs;
	Size		bytes = size_times(size_times(sizeof(double), nrows), Max(ncolumns, 1));

	budget_take(&t->budget, bytes, "the prepared training rows");
	design->kept = alloc_large(CurrentMemoryContext, bytes);
	for (int64 start = 0; start < nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, nrows - start);
		const double *cells = design_cells(design, start, count);

		apply_block(design, cells, start, count, design->kept + start * ncolumns);
		sketch_rows(t, cells, t->target + start, count);
	}
}

/* ---- as bytes ---- */

/* Rows on their way to the sample or to the bins. */
typedef struct Coding
{
	Training   *t;
	double	   *sample;			/* (noutputs, nsample) */
	int64		nsample;
} Coding;

/* The rows as the model's cells, and these as design rows, in the design's buffers. */
static void
prepare_block(Design *design, const double *const *row, const uint32 *position, int count)
{
	for (int i = 0; i < count; i++)
		features_recode(design->features, design->recode, row[i], design->cells + (Size) i * design->features->ninputs);
	features_apply_training(design->features, design->cells, position, count, design->block);
}

static void
sample_block(void *state, const double *const *row, const uint32 *position, int count)
{
	Coding	   *coding = state;
	Design	   *design = coding->t->design;
	int			ncolumns = design->features->noutputs;

	prepare_block(design, row, position, count);
	for (int j = 0; j < ncolumns; j++)
		for (int i = 0; i < count; i++)
			coding->sample[(Size) j * coding->nsample + position[i]] = design->block[(Size) i * ncolumns + j];
}

static void
code_block(void *state, const double *const *row, const uint32 *position, int count)
{
	Coding	   *coding = state;
	Training   *t = coding->t;
	int64		ntrain = frame_part_rows(t->frame, PART_TRAIN);

	prepare_block(t->design, row, position, count);
	bins_code(t->design->bins, t->design->block, position, count);
	for (int i = 0; i < count; i++)
		if (position[i] < ntrain)
			sketch_rows(t, t->design->cells + (Size) i * t->features->ninputs, t->target + position[i], 1);
}

/* Edges come from the first training rows. */
static Bins *
find_bins(Training *t, const BinOptions *options)
{
	const Features *features = t->features;
	int64		n = Min(options->sample, frame_part_rows(t->frame, PART_TRAIN));
	Size		scratch = bins_scratch(n, features->noutputs);
	Coding		coding = {.t = t,.nsample = n};
	Bins	   *bins;

	budget_take(&t->budget, size_plus(scratch, bins_memory(t->frame->nrows, features->noutputs)), "the rows as bins");
	coding.sample = alloc_large(CurrentMemoryContext, size_times(size_times(sizeof(double), Max(n, 1)), Max(features->noutputs, 1)));
	frame_scan(t->frame, 0, n, sample_block, &coding);
	bins = bins_create(t->frame->nrows, features->noutputs, features->output_levels, coding.sample, n, options);
	pfree(coding.sample);
	budget_return(&t->budget, scratch);
	return bins;
}

void
design_code(Training *t)
{
	BinOptions	options;
	Coding		coding = {.t = t};

	t->learner->bin_options(t->options, &options);
	t->design->bins = find_bins(t, &options);
	frame_scan(t->frame, 0, t->frame->nrows, code_block, &coding);
	frame_drop_rows(t->frame, &t->budget);
}

/* ---- as a learner sees them ---- */

bool
design_has(const Design *design, Part part)
{
	return design->bins != NULL || (design->kept != NULL && part == PART_TRAIN);
}

const double *
design_rows(void *state, int64 start, int count)
{
	Design	   *design = state;

	if (design->bins != NULL)
	{
		bins_decode(design->bins, start, count, design->block);
		return design->block;
	}
	if (design->kept != NULL && start < frame_part_rows(design->frame, PART_TRAIN))
		return design->kept + start * design->features->noutputs;
	apply_block(design, design_cells(design, start, count), start, count, design->block);
	return design->block;
}
