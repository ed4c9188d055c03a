/*
 * selftest.c
 *		Rows whose answers travel with the model: a decoder, learner or machine that computes anything else is found out before the first answer.
 *
 * The rows are made from column statistics, so no training row is disclosed.
 */
#include "postgres.h"

#include <math.h>

#include "model_internal.h"

#define PLAIN_ROWS 4			/* all missing, means, minima, maxima; the rest goes through the categories */

/* The cell of a number column in a self-test row. */
static double
number_cell(const ColumnBaseline *column, int row)
{
	switch (row)
	{
		case 1:
			return column->mean;
		case 2:
			return column->min;
		case 3:
			return column->max;
		default:
			return row % 2 ? column->mean + column->sd : column->mean - column->sd;
	}
}

/* Rows 1 to 7 step through the levels, evenly spread where there are more than seven; "other" is the last. */
static double
category_cell(const InputColumn *input, int row)
{
	int			nslots = (input->levels ? dictionary_size(input->levels) : 0) + 1;

	if (nslots < SELFTEST_ROWS)
		return (row - 1) % nslots;
	return (int64) (row - 1) * (nslots - 1) / (SELFTEST_ROWS - 2);
}

static double
selftest_cell(const Model *model, int input, int row)
{
	const InputColumn *column = &model->features->inputs[input];

	if (row == 0 || !column->used || column->kind == KIND_TEXT)
		return NAN;
	return column->kind == KIND_CATEGORY ? category_cell(column, row) : number_cell(&model->baseline[input], row);
}

static bool
has_used_category(const Features *features)
{
	for (int j = 0; j < features->ninputs; j++)
		if (features->inputs[j].used && features->inputs[j].kind == KIND_CATEGORY)
			return true;
	return false;
}

void
model_make_selftest(Model *model)
{
	int			ninputs = model->features->ninputs;
	SelfTest   *test = &model->selftest;

	test->nrows = has_used_category(model->features) ? SELFTEST_ROWS : PLAIN_ROWS;
	test->cells = palloc(sizeof(double) * Max(test->nrows * ninputs, 1));
	test->scores = palloc(sizeof(double) * test->nrows * model->noutputs);
	for (int row = 0; row < test->nrows; row++)
		for (int j = 0; j < ninputs; j++)
			test->cells[row * ninputs + j] = selftest_cell(model, j, row);
	model_score(model, test->cells, test->nrows, test->scores);
}

static bool
same_bits(double a, double b)
{
	return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof(double)) == 0;
}

bool
selftest_passes(const Model *model)
{
	const SelfTest *test = &model->selftest;
	int			nscores = test->nrows * model->noutputs;
	double	   *scores = palloc(sizeof(double) * nscores);
	bool		same = true;

	model_score(model, test->cells, test->nrows, scores);
	for (int i = 0; i < nscores; i++)
		same = same && same_bits(scores[i], test->scores[i]);
	pfree(scores);
	return same;
}
