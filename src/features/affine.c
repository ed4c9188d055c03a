/*
 * affine.c
 *		What the scalers share.
 */
#include "postgres.h"

#include <math.h>

#include "features/affine_internal.h"

Affine *
affine_create(double center, double scale, double shift)
{
	Affine	   *affine = palloc(sizeof(Affine));

	*affine = (Affine) {.center = center, .scale = scale, .shift = shift, .lower = -HUGE_VAL, .upper = HUGE_VAL};
	return affine;
}

int
affine_width(const void *fitted)
{
	return 1;
}

void
affine_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Affine *affine = fitted;

	*outputs = (OutputColumn) {
		.name = pstrdup(operand->name),
		.offset = operand->offset + operand->scale * (affine->center - affine->scale * affine->shift),
		.scale = operand->scale * affine->scale,
	};
}

void
affine_apply(const void *fitted, const ApplyRows *rows)
{
	const Affine affine = *(const Affine *) fitted;
	const double *cells = rows->cells;
	double	   *out = rows->out;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		double		y = (*cells - affine.center) / affine.scale + affine.shift;

		y = y < affine.lower ? affine.lower : y;
		*out = y > affine.upper ? affine.upper : y;
	}
}

double
affine_invert(const void *fitted, const double *outputs)
{
	const Affine *affine = fitted;

	return (*outputs - affine->shift) * affine->scale + affine->center;
}

/* ---- as SQL ---- */

void
affine_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Affine *affine = fitted;
	char	   *sql = psprintf("(%s - %s) / %s", *operand, number_literal(affine->center), number_literal(affine->scale));

	if (affine->shift != 0.0)
		sql = psprintf("%s + %s", sql, number_literal(affine->shift));
	if (affine->upper < HUGE_VAL)
		*outputs = psprintf("CASE WHEN %s IS NOT NULL THEN greatest(least(%s, %s), %s) END", *operand, sql,
							number_literal(affine->upper), number_literal(affine->lower));
	else
		*outputs = psprintf("(%s)", sql);
}

/* ---- stored form ---- */

void
affine_flatten(const void *fitted, ByteWriter *w)
{
	const Affine *affine = fitted;

	put_f64(w, affine->center);
	put_f64(w, affine->scale);
	put_f64(w, affine->shift);
	put_f64(w, affine->lower);
	put_f64(w, affine->upper);
}

void *
affine_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Affine	   *affine = palloc(sizeof(Affine));

	affine->center = get_finite(r);
	affine->scale = get_scale(r);
	affine->shift = get_finite(r);
	affine->lower = get_f64(r);
	affine->upper = get_f64(r);
	if (!(affine->lower < affine->upper))
		damaged(r, "The limits of the scaled column \"%s\" are out of order.", operand->name);
	return affine;
}
