/*
 * design.c
 *		The training rows as a design matrix, in canonical order.
 *
 * Learners that pass over the rows once or twice have them prepared again block by block; those that iterate keep the whole matrix.
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

		features_apply_training(design->features, cells, start, count, design->kept + start * ncolumns);
		sketch_rows(t, cells, t->target + start, count);
	}
}

const double *
design_rows(void *state, int64 start, int count)
{
	Design	   *design = state;

	if (design->kept != NULL && start < frame_part_rows(design->frame, PART_TRAIN))
		return design->kept + start * design->features->noutputs;
	features_apply_training(design->features, design_cells(design, start, count), start, count, design->block);
	return design->block;
}
