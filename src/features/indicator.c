/*
 * indicator.c
 *		1 where a cell is missing, else 0, as scikit-learn's MissingIndicator.
 */
#include "postgres.h"

#include <math.h>

#include "features/features_internal.h"

static void *
indicator_fit(FitSample *sample)
{
	return palloc0(1);
}

static int
indicator_width(const void *fitted)
{
	return 1;
}

static void
indicator_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = indicator_name(operand);
}

static void
indicator_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
		rows->out[(Size) i * rows->out_stride] = isnan(rows->cells[(Size) i * rows->stride]) ? 1.0 : 0.0;
}

static void
indicator_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	*outputs = psprintf("CASE WHEN %s IS NULL THEN 1 ELSE 0 END::double precision", *operand);
}

static void
indicator_flatten(const void *fitted, ByteWriter *w)
{
}

static void *
indicator_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	return palloc0(1);
}

const Transform indicator_transform = {
	.name = "indicator",
	.family = "impute",
	.help = "1 where the cell is missing, else 0",
	.id = 25,
	.kinds = NUMBER_KINDS | 1 << KIND_CATEGORY | 1 << KIND_TIMESTAMP,
	.aliases = (const TransformAlias[]) {{.name = "is_missing"}, {.name = "MissingIndicator"}, {.name = NULL}},
	.fit = indicator_fit,
	.width = indicator_width,
	.name_outputs = indicator_name_outputs,
	.apply = indicator_apply,
	.flatten = indicator_flatten,
	.unflatten = indicator_unflatten,
	.sql = indicator_sql
};
