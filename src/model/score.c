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

/* Of one row with several classes. */
static void
correct_row(const Model *model, double *score)
{
	double		sum = 0;

	for (int c = 0; c < model->nclasses; c++)
	{
		score[c] *= model->prior_factor[c];
		sum += score[c];
	}
	for (int c = 0; c < model->nclasses && sum > 0; c++)
		score[c] /= sum;
}

/*
 * Bayes' rule for classes whose shares differ from those of the training rows, given the class (Elkan 2001; Saerens, Latinne, Decaestecker 2002).
 */
void
model_correct(const Model *model, int64 nrows, double *scores)
{
	for (int64 i = 0; i < nrows; i++)
	{
		if (model->task == TASK_BINARY)
		{
			double		one = scores[i] * model->prior_factor[1],
						zero = (1 - scores[i]) * model->prior_factor[0];

			scores[i] = one / (one + zero);
		}
		else
			correct_row(model, scores + i * model->nclasses);
	}
}

void
model_answer(const Model *model, const double *rows, int nrows, double *scores)
{
	model->learner->predict(model->state, rows, nrows, scores);
	if (model->prior_factor != NULL)
		model_correct(model, nrows, scores);
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
		if (!model->learner->ignores_rows)
			features_apply(features, cells + (Size) start * features->ninputs, count, model->scratch);
		model_answer(model, model->scratch, count, scores + (Size) start * model->noutputs);
	}
}

/* Equal cells, equal bits: one NaN, one zero. */
static uint64
cell_bits(double cell)
{
	uint64		bits;

	cell = isnan(cell) ? NAN : cell + 0.0;	/* -0 becomes 0 */
	memcpy(&bits, &cell, sizeof(bits));
	return bits;
}

/* The code of a text is another one each time. */
static uint64
text_bits(const InputColumn *input, double cell)
{
	return isnan(cell) ? 0 : hash_text(dictionary_text(input->levels, (int) cell), Min(dictionary_length(input->levels, (int) cell), TEXT_BYTES), 1);
}

#define TARGET_SALT UINT64CONST(0x2545f4914f6cdd1d)	/* beside those of the inputs, which are multiples of an odd number */
#define INPUT_SALT UINT64CONST(0x9e3779b97f4a7c15)

/* Columns the model does not use are left out, because a row to predict need not have them. */
uint64
model_row_hash(const Model *model, const double *cells, double target)
{
	const Features *features = model->features;
	uint64		sum = hash_cell(cell_bits(target), TARGET_SALT);

	for (int j = 0; j < features->ninputs; j++)
	{
		const InputColumn *input = &features->inputs[j];

		if (input->used)
			sum += hash_cell(input->kind == KIND_TEXT ? text_bits(input, cells[j]) : cell_bits(cells[j]), (uint64) (j + 1) * INPUT_SALT);
	}
	return hash_mix(sum);
}
