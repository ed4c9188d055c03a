/*
 * sections.c
 *		What the sections of an artifact hold, apart from what features and learners write themselves.
 */
#include "postgres.h"

#include <math.h>

#include "model_internal.h"

#define MAX_CLASSES 1000000

/* One bit pattern for all NaNs: which one arithmetic makes depends on the machine. */
static void
put_number(ByteWriter *w, double value)
{
	put_f64(w, isnan(value) ? NAN : value);
}

static char *
get_required_text(ByteReader *r)
{
	char	   *text = get_text(r);

	if (text == NULL)
		damaged(r, "A text is missing.");
	return text;
}

static int64
get_int64(ByteReader *r)
{
	uint64		value = get_u64(r);

	if (value > PG_INT64_MAX)
		damaged(r, "A number of rows is out of range.");
	return (int64) value;
}

/* ---- schema ---- */

static void
write_schema(const Model *model, ByteWriter *w)
{
	put_u8(w, model->task);
	put_text(w, model->target);
	put_text(w, model->target_type);
}

static void
read_schema(Model *model, ByteReader *r)
{
	model->task = get_u8(r);
	if (model->task != TASK_REGRESSION && model->task != TASK_BINARY && model->task != TASK_MULTICLASS && model->task != TASK_ANOMALY &&
		model->task != TASK_PREPARATION)
		damaged(r, "Its task %d is none.", model->task);
	if (!(model->learner->tasks & model->task))
		damaged(r, "Its task is none of its algorithm's.");
	model->target = get_required_text(r);
	model->target_type = get_required_text(r);
}

/* ---- labels ---- */

static void
write_labels(const Model *model, ByteWriter *w)
{
	put_u32(w, model->nclasses);
	for (int c = 0; c < model->nclasses; c++)
		put_text(w, model->labels[c]);
	put_u8(w, model->label_values != NULL);
	for (int c = 0; model->label_values != NULL && c < model->nclasses; c++)
		put_f64(w, model->label_values[c]);
	put_u32(w, (uint32) model->positive);
	for (int c = 0; model->prior_factor != NULL && c < model->nclasses; c++)
		put_f64(w, model->prior_factor[c]);
}

static void
check_classes(const Model *model, const ByteReader *r)
{
	bool		fits = model->task == TASK_REGRESSION || model->task == TASK_PREPARATION ? model->nclasses == 0 :
		model->task == TASK_MULTICLASS ? model->nclasses > 2 : model->nclasses == 2;

	if (!fits)
		damaged(r, "Its task and its %d classes do not fit together.", model->nclasses);
}

/* They stand at the end, where they are not 1. */
static void
read_prior_factors(Model *model, ByteReader *r)
{
	if (reader_at_end(r))
		return;
	model->prior_factor = palloc(sizeof(double) * Max(model->nclasses, 1));
	for (int c = 0; c < model->nclasses; c++)
	{
		model->prior_factor[c] = get_finite(r);
		if (model->prior_factor[c] <= 0)
			damaged(r, "A correction of probabilities is not positive.");
	}
}

static void
read_labels(Model *model, ByteReader *r)
{
	model->nclasses = get_count(r, sizeof(uint32), MAX_CLASSES);
	check_classes(model, r);
	model->labels = palloc(sizeof(char *) * Max(model->nclasses, 1));
	for (int c = 0; c < model->nclasses; c++)
		model->labels[c] = get_required_text(r);
	switch (get_u8(r))
	{
		case 0:
			break;
		case 1:
			model->label_values = palloc(sizeof(double) * Max(model->nclasses, 1));
			for (int c = 0; c < model->nclasses; c++)
				model->label_values[c] = get_finite(r);
			break;
		default:
			damaged(r, "A flag is neither 0 nor 1.");
	}
	model->positive = (int) get_u32(r);
	if (model->task == TASK_BINARY ? model->positive < 0 || model->positive > 1 : model->positive != -1)
		damaged(r, "Its positive class is none of its classes.");
	read_prior_factors(model, r);
}

/* ---- baseline statistics ---- */

static int
level_slots(const InputColumn *input)
{
	return input->kind == KIND_CATEGORY && input->levels != NULL ? dictionary_size(input->levels) + 1 : 0;
}

static void
write_baseline(const Model *model, ByteWriter *w)
{
	for (int j = 0; j < model->features->ninputs; j++)
	{
		const ColumnBaseline *column = &model->baseline[j];
		int			nslots = level_slots(&model->features->inputs[j]);

		put_u64(w, column->n);
		put_u64(w, column->missing);
		put_number(w, column->mean);
		put_number(w, column->sd);
		put_number(w, column->min);
		put_number(w, column->max);
		for (int i = 0; i < nslots; i++)
			put_u64(w, column->level_count[i]);
	}
}

static void
read_column_baseline(ColumnBaseline *column, int nslots, ByteReader *r)
{
	column->n = get_int64(r);
	column->missing = get_int64(r);
	if (column->missing > column->n)
		damaged(r, "A column has more missing values than rows.");
	column->mean = get_f64(r);
	column->sd = get_f64(r);
	column->min = get_f64(r);
	column->max = get_f64(r);
	if (nslots == 0)
		return;
	if ((Size) nslots > (Size) (r->end - r->at) / sizeof(uint64))
		damaged(r, "The counts of a column's categories are cut off.");
	column->level_count = palloc(sizeof(int64) * nslots);
	for (int i = 0; i < nslots; i++)
		column->level_count[i] = get_int64(r);
}

static void
read_baseline(Model *model, ByteReader *r)
{
	const Features *features = model->features;

	model->baseline = palloc0(sizeof(ColumnBaseline) * Max(features->ninputs, 1));
	for (int j = 0; j < features->ninputs; j++)
		read_column_baseline(&model->baseline[j], level_slots(&features->inputs[j]), r);
}

/* ---- sketch of the training rows ---- */

static void
write_trained(const Model *model, ByteWriter *w)
{
	put_u64(w, model->trained_of);
	put_u32(w, model->ntrained);
	for (int i = 0; i < model->ntrained; i++)
		put_u64(w, model->trained[i]);
}

static void
read_trained(Model *model, ByteReader *r)
{
	model->trained_of = get_int64(r);
	model->ntrained = get_count(r, sizeof(uint64), TRAINED_SKETCH);
	model->trained = palloc(sizeof(uint64) * Max(model->ntrained, 1));
	for (int i = 0; i < model->ntrained; i++)
	{
		model->trained[i] = get_u64(r);
		if (i > 0 && model->trained[i] <= model->trained[i - 1])
			damaged(r, "The sketch of the training rows is not in order.");
	}
	if (model->ntrained > model->trained_of)
		damaged(r, "The sketch of the training rows is longer than they are.");
}

/* ---- self-test ---- */

static void
put_numbers(ByteWriter *w, const double *values, Size n)
{
	for (Size i = 0; i < n; i++)
		put_number(w, values[i]);
}

static double *
get_numbers(ByteReader *r, Size n)
{
	double	   *values;

	if (n > (Size) (r->end - r->at) / sizeof(double))
		damaged(r, "The self-test is cut off.");
	values = palloc(sizeof(double) * Max(n, 1));
	for (Size i = 0; i < n; i++)
		values[i] = get_f64(r);
	return values;
}

static void
write_selftest(const Model *model, ByteWriter *w)
{
	const SelfTest *test = &model->selftest;

	put_u32(w, test->nrows);
	put_numbers(w, test->cells, (Size) test->nrows * model->features->ninputs);
	put_numbers(w, test->scores, (Size) test->nrows * model->noutputs);
}

static void
read_selftest(Model *model, ByteReader *r)
{
	SelfTest   *test = &model->selftest;

	test->nrows = get_count(r, 0, SELFTEST_ROWS);
	if (test->nrows == 0)
		damaged(r, "It has no self-test.");
	test->cells = get_numbers(r, (Size) test->nrows * model->features->ninputs);
	test->scores = get_numbers(r, (Size) test->nrows * learner_outputs(model->task, model->nclasses));
}

/* ---- all of them ---- */

void
section_write(SectionType type, const Model *model, ByteWriter *w)
{
	switch (type)
	{
		case SECTION_SCHEMA:
			write_schema(model, w);
			break;
		case SECTION_LABELS:
			write_labels(model, w);
			break;
		case SECTION_FEATURES:
			features_flatten(model->features, w);
			break;
		case SECTION_LEARNER:
			model->learner->flatten(model->state, w);
			break;
		case SECTION_BASELINE:
			write_baseline(model, w);
			break;
		case SECTION_TRAINED:
			write_trained(model, w);
			break;
		case SECTION_SELFTEST:
			write_selftest(model, w);
			break;
	}
}

void
section_read(SectionType type, Model *model, ByteReader *r, uint16 learner_format)
{
	switch (type)
	{
		case SECTION_SCHEMA:
			read_schema(model, r);
			break;
		case SECTION_LABELS:
			read_labels(model, r);
			break;
		case SECTION_FEATURES:
			model->features = features_unflatten(r);
			break;
		case SECTION_LEARNER:
			model->state = model->learner->unflatten(r, learner_format, model->task, model->features->noutputs,
													   model->features->output_levels, model->nclasses);
			break;
		case SECTION_BASELINE:
			read_baseline(model, r);
			break;
		case SECTION_TRAINED:
			read_trained(model, r);
			break;
		case SECTION_SELFTEST:
			read_selftest(model, r);
			break;
	}
}
