/*
 * targets.c
 *		What is to be learned: the task, the classes, and the targets and weights of the rows.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "train_internal.h"

#define LEAST_WEIGHT 1e-200		/* of all rows together: shares of less lose digits */

static void
check_task(const Training *t)
{
	StringInfoData list;

	if (t->learner->tasks & t->task)
		return;
	initStringInfo(&list);
	for (int i = 0; i < nlearners; i++)
		if (learners[i]->tasks & t->task)
			appendStringInfo(&list, "%s%s", list.len ? ", " : "", learners[i]->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("algorithm \"%s\" cannot learn target column \"%s\"", t->learner->name, t->request.target),
			 errdetail("Its type %s makes this a %s.", t->frame->target.type_name,
					   t->task == TASK_REGRESSION ? "regression" : "classification"),
			 errhint("Algorithms for it are %s.", list.data)));
}

/* The target's cells of all rows, in canonical order. */
static void
gather_targets(Training *t)
{
	Frame	   *frame = t->frame;
	Size		bytes = size_times(sizeof(double), frame->nrows);

	budget_take(&t->budget, bytes, "the targets");
	t->target = alloc_large(CurrentMemoryContext, bytes);
	frame_gather(frame, frame->ncolumns, 1, 0, frame->nrows, t->target);
}

/* A target with nearly as many classes as rows is a key; a classifier of thousands of classes would take hours for nothing. */
static void
check_class_count(const Training *t)
{
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);

	if (t->nclasses < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has only one class among the training rows", t->request.target),
				 errdetail("A classifier needs rows of at least two classes; the training part has %lld rows.", (long long) nrows),
				 errhint("Check the source's WHERE clause, or the split.")));
	if (levels_are_key(t->nclasses, (double) nrows))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has %d classes in %lld training rows, as a key has",
						t->request.target, t->nclasses, (long long) nrows),
				 errhint("Choose the column that holds what is to be predicted.")));
	if (t->nclasses > MOST_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("target column \"%s\" has %d classes, more than the %d a model can have", t->request.target, t->nclasses, MOST_CLASSES),
				 errhint("Group rare classes in the source, or predict a number.")));
}

static void
warn_of_unseen_classes(Training *t, int unseen, const char *example)
{
	if (unseen == 1)
		t->warnings = lappend(t->warnings, psprintf("class \"%s\" has no training row; the model cannot predict it", example));
	else if (unseen > 1)
		t->warnings = lappend(t->warnings,
							  psprintf("%d classes, such as \"%s\", have no training row; the model cannot predict them", unseen, example));
}

/* Number the levels that training rows have, in the order of the levels; targets become classes. */
static void
find_classes(Training *t)
{
	Frame	   *frame = t->frame;
	int			nlevels = dictionary_size(frame->target.levels);
	int			unseen = 0;
	const char *example = NULL;

	t->class_of = palloc0(sizeof(int) * Max(nlevels, 1));
	for (int64 i = 0; i < frame->part_start[PART_VALIDATION]; i++)
		t->class_of[(int) t->target[i]] = 1;
	for (int level = 0; level < nlevels; level++)
	{
		if (t->class_of[level])
			t->class_of[level] = t->nclasses++;
		else
		{
			t->class_of[level] = -1;
			example = unseen++ == 0 ? dictionary_text(frame->target.levels, level) : example;
		}
	}
	check_class_count(t);
	warn_of_unseen_classes(t, unseen, example);
	t->task = t->nclasses == 2 ? TASK_BINARY : TASK_MULTICLASS;
	for (int64 i = 0; i < frame->nrows; i++)
		t->target[i] = t->class_of[(int) t->target[i]];
}

static void
warn_of_constant_target(Training *t)
{
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);
	int64		i = 1;

	while (i < nrows && t->target[i] == t->target[0])
		i++;
	if (i == nrows && nrows > 1)
		t->warnings = lappend(t->warnings, psprintf("target column \"%s\" has the same value in every training row", t->request.target));
}

static const char *
hint_at_rows(const Training *t)
{
	if (t->frame->gap_rows > 0)
		return "The gap of split takes all rows before the later parts; make it shorter.";
	if (t->locked != NULL)
		return "The split is that of earlier versions, whose test rows stay locked; \"unlock\": true in split begins anew.";
	return "Use split => '{\"train\": 1}' for a very small table.";
}

void
check_training_rows(const Training *t)
{
	int64		nrows = t->frame->nrows + t->frame->gap_rows;

	if (frame_part_rows(t->frame, PART_TRAIN) > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("no row is left for training"),
			 errdetail_plural("The source has %lld row%s; the split did not leave it to train.",
							  "The source has %lld rows%s; the split left none of them to train.", (unsigned long) nrows,
							  (long long) nrows, t->request.target ? " with a target" : ""),
			 errhint("%s", hint_at_rows(t))));
}

void
find_task(Training *t)
{
	check_training_rows(t);
	t->task = TASK_REGRESSION;
	if (t->request.target == NULL)
	{
		t->task = TASK_ANOMALY;
		t->nclasses = NANOMALY_CLASSES;
	}
	else if (t->frame->classification)
	{
		gather_targets(t);
		find_classes(t);
	}
	check_task(t);
	if (t->task == TASK_REGRESSION || t->task == TASK_ANOMALY)
		gather_targets(t);
	if (t->task == TASK_REGRESSION)
		warn_of_constant_target(t);
}

/* ---- weights of the training rows, and behind them of the validation rows ---- */

/* Weight of each class: (nclasses), or NULL where class_weight is not set. */
static double *
class_weights(const Training *t, const char *const *labels)
{
	const ClassWeights *asked = &t->common.class_weight;
	int64		nrows = frame_part_rows(t->frame, PART_TRAIN);
	double	   *weight;

	if (!asked->balanced && asked->n == 0)
		return NULL;
	if (!task_classifies(t->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"class_weight\" is for classification only")));

	weight = palloc0(sizeof(double) * t->nclasses);
	if (asked->balanced)
	{
		for (int64 i = 0; i < nrows; i++)
			weight[(int) t->target[i]] += 1;
		for (int c = 0; c < t->nclasses; c++)
			weight[c] = nrows / (t->nclasses * weight[c]);
		return weight;
	}
	for (int c = 0; c < t->nclasses; c++)
		weight[c] = 1;
	for (int i = 0; i < asked->n; i++)
	{
		int			c = 0;

		while (c < t->nclasses && strcmp(labels[c], asked->label[i]) != 0)
			c++;
		if (c == t->nclasses)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("class_weight names class \"%s\", which target column \"%s\" does not have", asked->label[i], t->request.target)));
		weight[c] = asked->weight[i];
	}
	return weight;
}

void
gather_weights(Training *t, const char *const *labels)
{
	Frame	   *frame = t->frame;
	int64		nrows = frame->part_start[PART_TEST];
	double	   *of_class = class_weights(t, labels);
	double		sum = 0;

	t->class_weight = of_class;
	if (!frame->has_weight && of_class == NULL)
		return;
	budget_take(&t->budget, size_times(sizeof(double), nrows), "the weights");
	t->weight = alloc_large(CurrentMemoryContext, sizeof(double) * nrows);
	if (frame->has_weight)
		frame_gather(frame, frame->ncolumns + 1, 1, 0, nrows, t->weight);
	for (int64 i = 0; i < nrows; i++)
	{
		if (!frame->has_weight)
			t->weight[i] = 1;
		if (of_class != NULL && t->target[i] >= 0)
			t->weight[i] *= of_class[(int) t->target[i]];
		if (i < frame->part_start[PART_VALIDATION])
			sum += t->weight[i];
	}
	if (!(sum > LEAST_WEIGHT) || !isfinite(sum))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the weights of the training rows add up to %g", sum),
				 sum > 1 ? errhint("Divide the weights by a common factor.") :
				 sum > 0 ? errhint("Multiply the weights by a common factor.") : errhint("At least one training row needs a weight above zero.")));
}
