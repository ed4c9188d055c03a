/*
 * ratio.c
 *		One column divided by another, and one less another.
 *
 * A division by zero is missing, as is any result of a missing cell; pandas says infinity for x / 0, which learners refuse.  The difference of two dates or
 * timestamps is in seconds.
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"

#include "features/features_internal.h"

typedef struct Pair
{
	double		unit;			/* of a difference: what it is divided by */
} Pair;

static const char *const ratio_roles[] = {"numerator", "denominator", NULL};
static const char *const difference_roles[] = {"minuend", "subtrahend", NULL};

static void *
ratio_fit(FitSample *sample)
{
	Pair	   *pair = palloc(sizeof(Pair));

	pair->unit = 1.0;
	return pair;
}

static void *
difference_fit(FitSample *sample)
{
	Pair	   *pair = palloc(sizeof(Pair));
	const OutputColumn *operand = sample->operand;

	if ((operand[0].kind == KIND_TIMESTAMP) != (operand[1].kind == KIND_TIMESTAMP))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("preprocess step \"difference\" cannot take a %s and a %s, columns \"%s\" and \"%s\"", kind_name(operand[0].kind),
						kind_name(operand[1].kind), operand[0].name, operand[1].name)));
	pair->unit = operand->kind == KIND_TIMESTAMP ? USECS_PER_SEC : 1;
	return pair;
}

static int
pair_width(const void *fitted)
{
	return 1;
}

static void
ratio_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = psprintf("%s / %s", operand[0].name, operand[1].name);
}

static void
difference_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = psprintf("%s - %s", operand[0].name, operand[1].name);
}

static void
ratio_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
	{
		const double *cells = rows->cells + (Size) i * rows->stride;
		double		divisor = cells[rows->offset[1]];

		rows->out[(Size) i * rows->out_stride] = divisor == 0.0 ? NAN : cells[0] / divisor;
	}
}

static void
difference_apply(const void *fitted, const ApplyRows *rows)
{
	double		unit = ((const Pair *) fitted)->unit;

	for (int i = 0; i < rows->nrows; i++)
	{
		const double *cells = rows->cells + (Size) i * rows->stride;

		rows->out[(Size) i * rows->out_stride] = (cells[0] - cells[rows->offset[1]]) / unit;
	}
}

static void
ratio_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	*outputs = psprintf("(%s / nullif(%s, 0))", operand[0], operand[1]);
}

static void
difference_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Pair *pair = fitted;

	if (pair->unit == 1.0)
		*outputs = psprintf("(%s - %s)", operand[0], operand[1]);
}

static void
pair_flatten(const void *fitted, ByteWriter *w)
{
}

static void *
ratio_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	FitSample	sample = {.operand = operand};

	return ratio_fit(&sample);
}

static void *
difference_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	FitSample	sample = {.operand = operand};

	if ((operand[0].kind == KIND_TIMESTAMP) != (operand[1].kind == KIND_TIMESTAMP))
		damaged(r, "Columns \"%s\" and \"%s\" have no difference.", operand[0].name, operand[1].name);
	return difference_fit(&sample);
}

const Transform ratio_transform = {
	.name = "ratio",
	.family = "combine",
	.help = "the first column divided by the second; missing where either is NULL or the second is zero",
	.id = 19,
	.kinds = NUMBER_KINDS,
	.takes_all = true,
	.least_operands = 2,
	.most_operands = 2,
	.roles = ratio_roles,
	.fit = ratio_fit,
	.width = pair_width,
	.name_outputs = ratio_name_outputs,
	.apply = ratio_apply,
	.flatten = pair_flatten,
	.unflatten = ratio_unflatten,
	.sql = ratio_sql
};

const Transform difference_transform = {
	.name = "difference",
	.family = "combine",
	.help = "the first column less the second, of dates and timestamps in seconds; missing where either is NULL",
	.id = 20,
	.kinds = NUMBER_KINDS | 1 << KIND_TIMESTAMP,
	.takes_all = true,
	.least_operands = 2,
	.most_operands = 2,
	.roles = difference_roles,
	.fit = difference_fit,
	.width = pair_width,
	.name_outputs = difference_name_outputs,
	.apply = difference_apply,
	.flatten = pair_flatten,
	.unflatten = difference_unflatten,
	.sql = difference_sql
};
