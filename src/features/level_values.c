/*
 * level_values.c
 *		What the encoders of categories share.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "features/level_values_internal.h"

LevelValues *
level_values_create(const OutputColumn *by, int operand, int width)
{
	LevelValues *values = palloc(sizeof(LevelValues));
	Size		n = (Size) dictionary_size(by->dictionary) + 2;

	*values = (LevelValues) {.by = operand, .nlevels = dictionary_size(by->dictionary), .width = width};
	values->value = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(double) * n * width, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return values;
}

int
level_values_width(const void *fitted)
{
	const LevelValues *values = fitted;

	return values->width;
}

void
level_values_apply(const void *fitted, const ApplyRows *rows)
{
	const LevelValues *values = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride + rows->offset[values->by]];

		memcpy(rows->out + (Size) i * rows->out_stride, values->value + (Size) level_place(values, cell) * values->width,
			   sizeof(double) * values->width);
	}
}

static const char *
place_name(const LevelValues *values, const OutputColumn *by, int place)
{
	if (place < values->nlevels)
		return dictionary_text(by->dictionary, place);
	return place == values->nlevels ? "any other level" : "missing";
}

void
level_values_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const LevelValues *values = fitted;
	const OutputColumn *by = &operand[values->by];

	for (int place = 0; place < values->nlevels + 2; place++)
		for (int j = 0; j < values->width; j++)
		{
			const char *name = place_name(values, by, place);

			line(state, values->width == 1 ? name : psprintf("%s, class %d", name, j + 1), NULL, values->value[(Size) place * values->width + j]);
		}
}

/* ---- as SQL ---- */

static const char *
value_literal(double value)
{
	return isnan(value) ? "NULL::double precision" : number_literal(value);
}

void
level_values_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const LevelValues *values = fitted;
	const char *x = operand[values->by];

	for (int j = 0; j < values->width; j++)
	{
		const double *value = values->value + j;
		StringInfoData sql;

		initStringInfo(&sql);
		appendStringInfo(&sql, "CASE WHEN %s IS NULL THEN %s", x, value_literal(value[(Size) (values->nlevels + 1) * values->width]));
		for (int code = 0; code < values->nlevels; code++)
			appendStringInfo(&sql, " WHEN %s = %s THEN %s", x, quote_literal_cstr(dictionary_text(info[values->by].dictionary, code)),
							 value_literal(value[(Size) code * values->width]));
		appendStringInfo(&sql, " ELSE %s END", value_literal(value[(Size) values->nlevels * values->width]));
		outputs[j] = sql.data;
	}
}

/* ---- stored form ---- */

void
level_values_flatten(const void *fitted, ByteWriter *w)
{
	const LevelValues *values = fitted;
	Size		n = ((Size) values->nlevels + 2) * values->width;

	put_u8(w, (uint8) values->by);
	put_u32(w, (uint32) values->width);
	for (Size i = 0; i < n; i++)
		put_f64(w, values->value[i]);
}

void *
level_values_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	int			by = get_u8(r);
	LevelValues *values;
	Size		n;
	int			width;

	if (by >= noperands || operand[by].kind != KIND_CATEGORY)
		damaged(r, "The levels of column \"%s\" are none.", operand->name);
	n = (Size) dictionary_size(operand[by].dictionary) + 2;
	width = (int) get_count(r, sizeof(double) * n, PG_INT16_MAX);
	if (width == 0)
		damaged(r, "The levels of column \"%s\" have no values.", operand->name);
	values = level_values_create(&operand[by], by, width);
	for (Size i = 0; i < n * width; i++)
	{
		values->value[i] = get_f64(r);
		if (isinf(values->value[i]))
			damaged(r, "A level of column \"%s\" has an infinite value.", operand->name);
	}
	return values;
}
