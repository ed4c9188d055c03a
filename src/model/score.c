/*
 * score.c
 *		From cells to scores: preparation, then the learner, a block of rows at a time.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/hash.h"
#include "model_internal.h"

/* A block's design rows stay below this, so that very wide models do not ask for MODEL_BLOCK of theirs. */
#define SCRATCH_BYTES ((Size) 1024 * 1024)

static int
block_rows(int noutputs)
{
	Size		fitting = SCRATCH_BYTES / (sizeof(double) * Max(noutputs, 1));

	return (int) Max(Min(fitting, MODEL_BLOCK), 1);
}

void
model_prepare(Model *model)
{
	int			width = model->features->noutputs;

	model->noutputs = learner_outputs(model->task, model->nclasses);
	model->scratch = MemoryContextAllocHuge(CurrentMemoryContext,
											size_times(sizeof(double) * Max(width, 1), block_rows(width)));
}

void
model_score(const Model *model, const double *cells, int nrows, double *scores)
{
	const Features *features = model->features;
	int			block = block_rows(features->noutputs);

	for (int start = 0; start < nrows; start += block)
	{
		int			count = Min(block, nrows - start);

		CHECK_FOR_INTERRUPTS();
		features_apply(features, cells + (Size) start * features->ninputs, count, model->scratch);
		model->learner->predict(model->state, model->scratch, count, scores + (Size) start * model->noutputs);
	}
}

/* Equal cells, equal bits: one NaN, one zero. */
static uint64
cell_bits(double cell)
{
	uint64		bits;

	if (isnan(cell))
		cell = NAN;
	else if (cell == 0)
		cell = 0;
	memcpy(&bits, &cell, sizeof(bits));
	return bits;
}

/* Columns the model does not use are left out, because a row to predict need not have them. */
uint64
model_row_hash(const Model *model, const double *cells, double target)
{
	const Features *features = model->features;
	uint64		hash = cell_bits(target);

	for (int j = 0; j < features->ninputs; j++)
		if (features->inputs[j].used)
			hash = hash_fold(hash, cell_bits(cells[j]));
	return hash_mix(hash);
}
