/*
 * pipeline.c
 *		A preparation without a model behind it.  Its score is a fingerprint of the design row, so that the self-test of a stored one finds what computes
 *		another row.
 */
#include "postgres.h"

#include <math.h>

#include "core/hash.h"
#include "learn/learn_internal.h"

typedef struct Pipeline
{
	int			ncolumns;
} Pipeline;

static const char *const remainders[] = {"automatic", "drop", "passthrough", NULL};

static const Parameter pipeline_parameters[] = {
	{.name = "remainder", .type = PARAM_CHOICE, .offset = offsetof(PipelineOptions, remainder), .fallback = REMAINDER_AUTOMATIC, .choices = remainders,
	.help = "what becomes of columns that the steps do not name"},
};

static Size
pipeline_memory(const void *options, int64 nrows, int ncolumns, int nclasses)
{
	return sizeof(Pipeline);
}

static void *
pipeline_train(TrainingSet *set, const void *options)
{
	Pipeline   *pipeline = palloc(sizeof(Pipeline));

	pipeline->ncolumns = set->ncolumns;
	return pipeline;
}

static void
pipeline_predict(const void *model, const double *rows, int nrows, double *out)
{
	int			ncolumns = ((const Pipeline *) model)->ncolumns;

	for (int i = 0; i < nrows; i++, rows += ncolumns)
	{
		uint64		hash = 0;

		for (int j = 0; j < ncolumns; j++)
		{
			double		cell = isnan(rows[j]) ? NAN : rows[j] + 0.0;
			uint64		bits;

			memcpy(&bits, &cell, sizeof(bits));
			hash = hash_fold(hash, bits);
		}
		out[i] = (double) (hash >> 11);
	}
}

static void
pipeline_flatten(const void *model, ByteWriter *w)
{
	put_u32(w, ((const Pipeline *) model)->ncolumns);
}

static void *
pipeline_unflatten(ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses)
{
	Pipeline   *pipeline = palloc(sizeof(Pipeline));

	pipeline->ncolumns = ncolumns;
	if (get_u32(r) != (uint32) ncolumns)
		damaged(r, "The preparation does not make %d columns.", ncolumns);
	return pipeline;
}

const Learner pipeline_learner = {
	.name = "pipeline",
	.help = "a preparation of columns, for ml.transform",
	.id = 1000,
	.format = 1,
	.tasks = TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS | TASK_PREPARATION,
	.wants_scaling = true,
	.parameters = pipeline_parameters,
	.nparameters = lengthof(pipeline_parameters),
	.options_size = sizeof(PipelineOptions),
	.memory_needed = pipeline_memory,
	.train = pipeline_train,
	.predict = pipeline_predict,
	.flatten = pipeline_flatten,
	.unflatten = pipeline_unflatten
};
