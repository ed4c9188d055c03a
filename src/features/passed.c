/*
 * passed.c
 *		Columns of a model made elsewhere: passed through as that model's library reads them.
 *
 * XGBoost rounds numbers to single precision before it compares them; LightGBM can be told that zeros are missing, and takes for zero what is not
 * farther from it than 1e-35.  Both take categories as whole numbers, fractions cut off.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "features/features_internal.h"

#define ZERO_WITHIN ((double) 1e-35f)	/* kZeroThreshold of LightGBM */

typedef enum PassedAs
{
	PASSED_NUMBER,
	PASSED_CODED,				/* a number that stands for a category: its place in a table */
	PASSED_LEVEL				/* the code of a level */
} PassedAs;

typedef struct Passed
{
	PassedAs	as;
	bool		single;
	bool		zero_missing;
	int			ncodes;			/* levels, without the one for all others */
	int32	   *code;			/* PASSED_CODED: (ncodes) ascending */
} Passed;

static void *
make_state(ColumnKind kind, const Dictionary *levels, const PassedColumn *column)
{
	Passed	   *passed = palloc0(sizeof(Passed));

	if (kind == KIND_CATEGORY)
	{
		passed->as = PASSED_LEVEL;
		passed->ncodes = dictionary_size(levels);
		return passed;
	}
	passed->as = column->ncodes > 0 ? PASSED_CODED : PASSED_NUMBER;
	passed->single = column->single;
	passed->zero_missing = column->zero_missing;
	passed->ncodes = column->ncodes;
	passed->code = column->code;
	return passed;
}

void *
passed_state(const InputColumn *input, const PassedColumn *column)
{
	return make_state(input->kind, input->levels, column);
}

static int
passed_width(const void *fitted)
{
	return 1;
}

/* Categories that are numbers, as texts. */
static const Dictionary *
number_levels(const Passed *passed)
{
	Dictionary *levels = dictionary_create(CurrentMemoryContext);
	char		text[12];

	for (int i = 0; i < passed->ncodes; i++)
		(void) dictionary_add(levels, text, pg_ltoa(passed->code[i], text));
	return levels;
}

static void
passed_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Passed *passed = fitted;

	/* Numbers that are no category named by the model share the last code; unknown levels have none and count as missing. */
	*outputs = (OutputColumn) {
		.name = pstrdup(operand->name),
		.kind = operand->kind,
		.dictionary = passed->as == PASSED_CODED ? number_levels(passed) : operand->dictionary,
		.levels = passed->as == PASSED_CODED ? passed->ncodes + 1 : passed->ncodes,
	};
}

/* ---- applying ---- */

/* Thresholds are finite; LightGBM's "inf", which +Infinity is not above, is the largest of them. */
static inline double
pass_number(const Passed *passed, double x)
{
	if (passed->single)
		x = (double) (float) x;
	return passed->zero_missing && fabs(x) <= ZERO_WITHIN ? NAN : x > DBL_MAX ? DBL_MAX : x;
}

static double
find_code(const Passed *passed, double x)
{
	int			low = 0,
				high = passed->ncodes;

	if (isnan(x))
		return x;
	x = trunc(x);
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (passed->code[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low < passed->ncodes && passed->code[low] == x ? low : passed->ncodes;
}

static inline double
pass_level(const Passed *passed, double x)
{
	return x >= 0 && x < passed->ncodes && x == floor(x) ? x : NAN;
}

static void
passed_apply(const void *fitted, const ApplyRows *rows)
{
	const Passed *passed = fitted;
	const double *cells = rows->cells;
	double	   *out = rows->out;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		if (passed->as == PASSED_NUMBER)
			*out = pass_number(passed, *cells);
		else
			*out = passed->as == PASSED_CODED ? find_code(passed, *cells) : pass_level(passed, *cells);
	}
}

/* Numbers that are no category share a code, which stands for none. */
static double
passed_invert(const void *fitted, const double *outputs)
{
	const Passed *passed = fitted;
	double		code = rint(*outputs);

	if (passed->as != PASSED_CODED)
		return *outputs;
	return code >= 0.0 && code < passed->ncodes ? passed->code[(int) code] : NAN;
}

/* ---- stored form ---- */

static void
passed_flatten(const void *fitted, ByteWriter *w)
{
	const Passed *passed = fitted;

	put_u8(w, passed->as);
	put_u8(w, passed->single);
	put_u8(w, passed->zero_missing);
	if (passed->as != PASSED_CODED)
		return;
	put_u32(w, passed->ncodes);
	for (int i = 0; i < passed->ncodes; i++)
		put_u32(w, (uint32) passed->code[i]);
}

static void
read_codes(ByteReader *r, const OutputColumn *operand, PassedColumn *column)
{
	column->ncodes = (int) get_count(r, sizeof(uint32), PG_INT32_MAX / 4);
	if (column->ncodes == 0)
		damaged(r, "Column \"%s\" has no categories.", operand->name);
	column->code = palloc_extended(sizeof(int32) * column->ncodes, MCXT_ALLOC_HUGE);
	for (int i = 0; i < column->ncodes; i++)
	{
		column->code[i] = (int32) get_u32(r);
		if (i > 0 && column->code[i] <= column->code[i - 1])
			damaged(r, "The categories of column \"%s\" are not in order.", operand->name);
	}
}

static void *
passed_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	PassedAs	as = get_u8(r);
	PassedColumn column = {0};

	column.single = get_flag(r);
	column.zero_missing = get_flag(r);
	if (as > PASSED_LEVEL || (as == PASSED_LEVEL) != (operand->kind == KIND_CATEGORY))
		damaged(r, "Column \"%s\" is not passed on as what it is.", operand->name);
	if (as == PASSED_LEVEL && dictionary_size(operand->dictionary) == 0)
		damaged(r, "Column \"%s\" has no categories.", operand->name);
	if (as == PASSED_CODED)
		read_codes(r, operand, &column);
	return make_state(operand->kind, operand->dictionary, &column);
}

const Transform passed_transform = {
	.name = "passed",
	.id = 6,
	.kinds = 1 << KIND_NUMBER | 1 << KIND_BOOLEAN | 1 << KIND_CATEGORY,
	.width = passed_width,
	.name_outputs = passed_name_outputs,
	.apply = passed_apply,
	.flatten = passed_flatten,
	.unflatten = passed_unflatten,
	.invert = passed_invert
};
