/*
 * learner.c
 *		The table of learners, and what they share.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "core/dense.h"
#include "learn/learn_internal.h"

const Learner *const learners[] = {
	&baseline_learner,
	&linear_learner,
	&logistic_learner,
	&gradient_boosting_learner,
	&random_forest_learner,
	&extra_trees_learner,
	&decision_tree_learner,
	&isolation_forest_learner,
};

const int	nlearners = lengthof(learners);

const Learner *
learner_find(const char *name)
{
	for (int i = 0; i < nlearners; i++)
		if (strcmp(learners[i]->name, name) == 0)
			return learners[i];
	return NULL;
}

const Learner *
learner_by_id(uint16 id)
{
	for (int i = 0; i < nlearners; i++)
		if (learners[i]->id == id)
			return learners[i];
	return id == pipeline_learner.id ? &pipeline_learner : NULL;
}

void
training_warning(TrainingSet *set, const char *format,...)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&text, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	set->warnings = lappend(set->warnings, text.data);
}

/* ---- memory ---- */

Size
matrix_bytes(Size rows, Size columns)
{
	return size_times(sizeof(double), size_times(rows, columns));
}

double *
zero_vector(Size n)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, matrix_bytes(Max(n, 1), 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

double *
square_matrix(int n)
{
	return zero_vector(size_times(n, n));
}

/* ---- weights and classes ---- */

double
training_weight(const TrainingSet *set)
{
	double		total = 0;

	for (int64 i = 0; i < set->nrows; i++)
		total += row_weight(set, i);
	if (set->nrows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("there are no rows to train on")));
	if (!(total > 0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the weights of the training rows add up to zero"),
				 errhint("At least one training row needs a positive weight.")));
	if (isinf(total))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the weights of the training rows are too large to add up"),
				 errhint("Only the proportions of the weights matter; divide them by a common number.")));
	return total;
}

#define GREATEST_TARGET 1e38
#define LEAST_RANGE 1e-30

void
target_range(const TrainingSet *set, double *low, double *high)
{
	*low = *high = set->target[0];
	for (int64 i = 1; i < set->nrows; i++)
	{
		*low = Min(*low, set->target[i]);
		*high = Max(*high, set->target[i]);
	}
	if (Max(fabs(*low), fabs(*high)) > GREATEST_TARGET || (*high > *low && *high - *low < LEAST_RANGE))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the target reaches from %g to %g, which trees cannot learn", *low, *high),
				 errdetail("They learn numbers up to %g by size, over a range of at least %g.", GREATEST_TARGET, LEAST_RANGE),
				 errhint("Multiply the target by a constant in the source.")));
}

void
class_shares(const TrainingSet *set, double *share)
{
	double		total = training_weight(set);

	memset(share, 0, sizeof(double) * set->nclasses);
	for (int64 i = 0; i < set->nrows; i++)
		share[(int) set->target[i]] += row_weight(set, i);
	for (int k = 0; k < set->nclasses; k++)
		share[k] /= total;
}

void
rows_with_intercept(const TrainingSet *set, int64 start, int count, double *out, int width)
{
	const double *rows = set->ncolumns > 0 ? set->rows(set->design, start, count) : NULL;

	for (int i = 0; i < count; i++)
	{
		double	   *row = out + (Size) i * width;

		row[0] = 1;
		if (rows != NULL)
			memcpy(row + 1, rows + (Size) i * set->ncolumns, sizeof(double) * set->ncolumns);
	}
}

#define GRAM_WORK 4000000.0		/* multiplications between two checks for interrupts, about 2 ms */

void
add_gram(const double *x, int nrows, int n, const double *weight, double *gram)
{
	int			piece = (int) Min(nrows, Max(1, GRAM_WORK / ((double) n * n)));

	for (int start = 0; start < nrows; start += piece)
	{
		CHECK_FOR_INTERRUPTS();
		dense_gram(x + (Size) start * n, Min(piece, nrows - start), n, n, weight != NULL ? weight + start : NULL, gram);
	}
}

/* ---- trees ---- */

void
importance_of_trees(const Trees *trees, ColumnImportance *importance)
{
	for (int i = 0; i < trees->nnodes; i++)
	{
		if (trees->node[i].kind == TREE_LEAF)
			continue;
		importance[trees->node[i].column].gain += trees->gain[i];
		importance[trees->node[i].column].splits++;
	}
}

/* ---- columns left out ---- */

#define NAMES_SHOWN 5

void
warn_aliased(TrainingSet *set, const bool *aliased)
{
	StringInfoData names;
	int			count = 0;

	initStringInfo(&names);
	for (int j = 0; j < set->ncolumns; j++)
	{
		if (!aliased[j + 1] || count++ >= NAMES_SHOWN)
			continue;
		if (names.len > 0)
			appendStringInfoString(&names, ", ");
		if (set->column_name != NULL)
			appendStringInfo(&names, "\"%s\"", set->column_name[j]);
		else
			appendStringInfo(&names, "%d", j + 1);
	}
	if (count > NAMES_SHOWN)
		appendStringInfo(&names, " and %d more", count - NAMES_SHOWN);
	if (count == 1)
		training_warning(set, "column %s is a linear combination of the columns before it and was left out", names.data);
	else if (count > 1)
		training_warning(set, "columns %s are linear combinations of the columns before them and were left out", names.data);
}
