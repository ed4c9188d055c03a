/*
 * judge.c
 *		How good a new model is: every metric on every part, and the baseline's on the part that counts.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "train_internal.h"

/* Scores of the rows from a position on; what was prepared for training, or is not looked at, is not prepared again. */
static void
score_rows(Training *t, const Model *model, Part part, int64 position, int count, double *score)
{
	bool		kept = design_has(t->design, part);
	bool		sketched = part == PART_TRAIN && model == t->model && !kept;

	if (model->learner->ignores_rows && !sketched)
		model_answer(model, NULL, count, score);
	else if (kept)
		model_answer(model, design_rows(t->design, position, count), count, score);
	else
	{
		const double *cells = design_cells(t->design, position, count);

		model_score(model, cells, count, score);
		if (sketched)
			sketch_rows(t, cells, t->target + position, count);
	}
}

static Scored
scored_rows(const Training *t, const Model *model, int64 n, const double *truth, const double *score)
{
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

/* A model's answers for one part of the frame. */
static Scored
score_part(Training *t, const Model *model, Part part)
{
	int64		first = t->frame->part_start[part];
	int64		n = frame_part_rows(t->frame, part);
	double	   *score;

	if (model == t->model && first + n <= t->set.nanswers)
		return scored_rows(t, model, n, t->target + first, t->set.answers + first * model->noutputs);
	score = alloc_large(CurrentMemoryContext, sizeof(double) * Max(n, 1) * model->noutputs);
	for (int64 start = 0; start < n; start += DESIGN_BLOCK)
	{
		CHECK_FOR_INTERRUPTS();
		score_rows(t, model, part, first + start, Min(DESIGN_BLOCK, n - start), score + start * model->noutputs);
	}
	return scored_rows(t, model, n, t->target + first, score);
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

Size
scores_memory(int64 nrows, int noutputs)
{
	return size_times(sizeof(double) * noutputs, nrows);
}

/* What trees that did not learn from them say of the training rows; those that all trees learned from are left out. */
static Scored
score_out_of_bag(Training *t, const Model *model, Part part)
{
	int64		nrows = frame_part_rows(t->frame, part);
	int			noutputs = model->noutputs;
	double	   *truth = alloc_large(CurrentMemoryContext, sizeof(double) * Max(nrows, 1));
	double	   *score = alloc_large(CurrentMemoryContext, sizeof(double) * Max(nrows, 1) * noutputs);
	int64		n = 0;

	for (int64 i = 0; i < nrows; i++)
	{
		const double *answer = t->set.out_of_bag + i * noutputs;

		if (isnan(answer[0]))
			continue;
		truth[n] = t->set.target[i];
		memcpy(score + n++ * noutputs, answer, sizeof(double) * noutputs);
	}
	return scored_rows(t, model, n, truth, score);
}

typedef Scored (*Scorer) (Training *t, const Model *model, Part part);

/* All metrics of a part into the JSON; returns the chosen one, and why it is undefined where it is. */
static double
judge_part(Training *t, const Model *model, Part part, const char *name, Scorer scorer, const char **reason)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn metrics", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Size		bytes = scores_memory(frame_part_rows(t->frame, part), model->noutputs);
	Scored		scored;
	MetricValue *value;
	int			count;
	double		chosen = NAN;

	budget_take(&t->budget, bytes, "the scores of the rows");
	scored = scorer(t, model, part);
	value = metrics_compute(&scored, &count);
	*reason = NULL;
	for (int i = 0; i < count; i++)
	{
		if (strcmp(value[i].metric, t->metric->name) != 0)
			continue;
		chosen = value[i].value;
		*reason = value[i].reason ? MemoryContextStrdup(caller, value[i].reason) : NULL;
	}
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

/* What a reader of the score has to know. */
static void
warn_of_score(Training *t, Part judged, const char *reason)
{
	if (judged == PART_TRAIN)
		t->warnings = lappend(t->warnings, "no row was held out: the score is measured on the training rows and flatters the model");
	else if (judged == PART_VALIDATION && t->request.share[PART_TEST] > 0)
		t->warnings = lappend(t->warnings, "no row fell into the test part: the score is measured on the validation rows");
	if (reason != NULL)
		t->warnings = lappend(t->warnings, psprintf("%s is undefined: %s", t->metric->name, reason));
}

void
judge_training(Training *t)
{
	static const char *const part_names[NPARTS] = {"train", "validation", "test"};
	Part		judged = PART_TRAIN;
	const char *reason = NULL;
	const char *ignored;

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
		t->score = judge_part(t, t->model, part, part_names[part], score_part, &reason);
		judged = part;
	}
	sketch_finish(t);
	t->baseline_score = judge_part(t, t->baseline, judged, "baseline", score_part, &ignored);
	if (t->set.out_of_bag != NULL)
		judge_part(t, t->model, PART_TRAIN, "out of bag", score_out_of_bag, &ignored);
	append_curve(&t->metrics, "training curve", t->set.curve.metric, t->set.curve.train, t->set.curve.n);
	append_curve(&t->metrics, "validation curve", t->set.curve.metric, t->set.curve.validation, t->set.curve.n);
	appendStringInfoChar(&t->metrics, '}');
	warn_of_score(t, judged, reason);
}
