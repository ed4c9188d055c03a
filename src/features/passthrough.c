/*
 * passthrough.c
 *		A column as it is: what is missing stays missing.
 */
#include "postgres.h"

#include "features/features_internal.h"

static void *
passthrough_fit(FitSample *sample)
{
	return palloc0(1);
}

static int
passthrough_width(const void *fitted)
{
	return 1;
}

static void
passthrough_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	*outputs = *operand;
	outputs->name = pstrdup(operand->name);
	outputs->levels = operand->kind == KIND_CATEGORY ? dictionary_size(operand->dictionary) + 1 : 0;
}

static void
passthrough_apply(const void *fitted, const ApplyRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
		rows->out[(Size) i * rows->out_stride] = rows->cells[(Size) i * rows->stride];
}

static void
passthrough_flatten(const void *fitted, ByteWriter *w)
{
}

static void *
passthrough_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	return palloc0(1);
}

static double
passthrough_invert(const void *fitted, const double *outputs)
{
	return *outputs;
}

static void
passthrough_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	*outputs = pstrdup(*operand);
}

const Transform passthrough_transform = {
	.name = "passthrough",
	.family = "combine",
	.help = "the column as it is; with {\"column\": \"x\"} the start of a feature derived from x; NULL stays missing",
	.id = 5,
	.kinds = 1 << KIND_NUMBER | 1 << KIND_BOOLEAN | 1 << KIND_CATEGORY | 1 << KIND_TIMESTAMP | 1 << KIND_TIME | 1 << KIND_INTERVAL,
	.aliases = (const TransformAlias[]) {{.name = "column"}, {.name = "columns"}, {.name = NULL}},
	.fit = passthrough_fit,
	.width = passthrough_width,
	.name_outputs = passthrough_name_outputs,
	.apply = passthrough_apply,
	.flatten = passthrough_flatten,
	.unflatten = passthrough_unflatten,
	.invert = passthrough_invert,
	.sql = passthrough_sql
};
