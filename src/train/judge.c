/*
 * judge.c
 *		How good a new model is: every metric on every part, and the baseline's on the part that counts.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "train_internal.h"

/* A model's answers for one part of the frame. */
static Scored
score_part(Training *t, const Model *model, Part part)
{
	int64		first = t->frame->part_start[part];
	int64		n = frame_part_rows(t->frame, part);
	double	   *truth = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	double	   *score = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1) * model->noutputs);

	for (int64 start = 0; start < n; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, n - start);

		model_score(model, design_cells(t->design, first + start, count), count, score + start * model->noutputs);
		for (int i = 0; i < count; i++)
		{
			double		cell = frame_row(t->frame, first + start + i)[t->frame->ncolumns];

			truth[start + i] = t->task == TASK_REGRESSION ? cell : t->class_of[(int) cell];
		}
	}
	return (Scored) {
		.task = t->task,
		.nclasses = t->nclasses,
		.positive = model->positive,
		.labels = model->labels,
		.n = n,
		.noutputs = model->noutputs,
		.truth = truth,
		.score = score,
	};
}

static void
append_metrics(StringInfo out, const char *part, const MetricValue *value, int count)
{
	appendStringInfo(out, "%s\"%s\": [", out->len > 1 ? ", " : "", part);
	for (int i = 0; i < count; i++)
	{
		appendStringInfo(out, "%s{\"metric\": \"%s\", \"value\": ", i ? ", " : "", value[i].metric);
		json_append_number(out, value[i].value);
		appendStringInfo(out, ", \"n\": %lld, \"reason\": ", (long long) value[i].n);
		json_append_string(out, value[i].reason);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* What trees that did not learn from them say of the training rows; those that all trees learned from are left out. */
static Scored
score_out_of_bag(Training *t, const Model *model, Part part)
{
	int64		nrows = frame_part_rows(t->frame, part);
	int			noutputs = model->noutputs;
	double	   *truth = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * nrows);
	double	   *score = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * nrows * noutputs);
	int64		n = 0;

	for (int64 i = 0; i < nrows; i++)
	{
		const double *answer = t->set.out_of_bag + i * noutputs;

		if (isnan(answer[0]))
			continue;
		truth[n] = t->set.target[i];
		memcpy(score + n++ * noutputs, answer, sizeof(double) * noutputs);
	}
	return (Scored) {
		.task = t->task,
		.nclasses = t->nclasses,
		.positive = model->positive,
		.labels = model->labels,
		.n = n,
		.noutputs = noutputs,
		.truth = truth,
		.score = score,
	};
}

typedef Scored (*Scorer) (Training *t, const Model *model, Part part);

/* All metrics of a part into the JSON; returns the chosen one. */
static double
judge_part(Training *t, const Model *model, Part part, const char *name, Scorer scorer)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn metrics", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Size		bytes = size_times(sizeof(double) * (1 + model->noutputs), frame_part_rows(t->frame, part));
	Scored		scored;
	MetricValue *value;
	int			count;
	double		chosen = NAN;

	budget_take(&t->budget, bytes, "the scores of the rows");
	scored = scorer(t, model, part);
	value = metrics_compute(&scored, &count);
	for (int i = 0; i < count; i++)
		if (strcmp(value[i].metric, t->metric->name) == 0)
			chosen = value[i].value;
	append_metrics(&t->metrics, name, value, count);
	budget_return(&t->budget, bytes);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return chosen;
}

static void
append_curve(StringInfo out, const char *part, const char *metric, const double *value, int n)
{
	if (value == NULL)
		return;
	appendStringInfo(out, ", \"%s\": [", part);
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(out, "%s{\"metric\": \"%s\", \"iteration\": %d, \"value\": ", i ? ", " : "", metric, i + 1);
		json_append_number(out, value[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

void
judge_training(Training *t)
{
	static const char *const part_names[NPARTS] = {"train", "validation", "test"};
	double		chosen[NPARTS] = {0};
	Part		judged = PART_TRAIN;

	if (t->task == TASK_ANOMALY)	/* nothing to compare with */
	{
		appendStringInfoString(&t->metrics, "{}");
		t->score = t->baseline_score = NAN;
		return;
	}
	appendStringInfoChar(&t->metrics, '{');
	for (Part part = PART_TRAIN; part < NPARTS; part++)
	{
		if (frame_part_rows(t->frame, part) == 0)
			continue;
		chosen[part] = judge_part(t, t->model, part, part_names[part], score_part);
		judged = part;
	}
	t->score = chosen[judged];
	t->baseline_score = judge_part(t, t->baseline, judged, "baseline", score_part);
	if (t->set.out_of_bag != NULL)
		judge_part(t, t->model, PART_TRAIN, "out of bag", score_out_of_bag);
	append_curve(&t->metrics, "training curve", t->set.curve.metric, t->set.curve.train, t->set.curve.n);
	append_curve(&t->metrics, "validation curve", t->set.curve.metric, t->set.curve.validation, t->set.curve.n);
	appendStringInfoChar(&t->metrics, '}');
	if (judged == PART_TRAIN)
		t->warnings = lappend(t->warnings, "no row was held out: the score is measured on the training rows and flatters the model");
}
