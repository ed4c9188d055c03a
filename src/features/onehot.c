/*
 * onehot.c
 *		Categories as one column for each level, as scikit-learn's OneHotEncoder with drop, min_frequency and max_categories.
 *
 * Levels are in bytewise order; those too rare share the column "(other)" after them, and what is missing has the last one where training rows were missing.
 * Unlike scikit-learn, of levels equally frequent the first are kept, missing is never put among the rare, it counts in no limit, and a level that training did not
 * show is no error: it is all zeros, or joins the rare ones with unknown "other".
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "features/features_internal.h"

typedef enum Drop
{
	DROP_NONE,
	DROP_FIRST,
	DROP_IF_BINARY
} Drop;

typedef enum Unknown
{
	UNKNOWN_ZERO,
	UNKNOWN_OTHER
} Unknown;

typedef struct OnehotOptions
{
	int			drop;
	double		min_frequency;
	int			max_categories;
	int			unknown;
} OnehotOptions;

#define OPTION(field) offsetof(OnehotOptions, field)

static const char *const drops[] = {"none", "first", "if_binary", NULL};
static const char *const unknowns[] = {"ignore", "other", NULL};

static const Parameter onehot_parameters[] = {
	{.name = "drop", .type = PARAM_CHOICE, .offset = OPTION(drop), .choices = drops, .help = "leave out the first column, always or of two"},
	{.name = "min_frequency", .type = PARAM_FLOAT, .offset = OPTION(min_frequency), .fallback = 0, .min = 0, .max = 1e12,
	.help = "levels of fewer rows, or below 1 of a smaller share, are rare"},
	{.name = "max_categories", .type = PARAM_INT, .offset = OPTION(max_categories), .fallback = 0, .min = 0, .max = 10000,
	.help = "columns of levels, that of the rare ones included; 0: the training's max_categories"},
	{.name = "unknown", .aliases = "handle_unknown", .type = PARAM_CHOICE, .offset = OPTION(unknown), .choices = unknowns,
	.help = "what a level that training did not show becomes: nothing, or one of the rare ones if there are any"},
};

#define NO_COLUMN (-1)

typedef struct Onehot
{
	int			nlevels;		/* of the operand */
	int			width;
	int		   *column;			/* (nlevels + 2) of each level, of any other, of a missing cell; NO_COLUMN: all zeros */
	int			other;			/* the column of rare levels, or NO_COLUMN */
} Onehot;

/* ---- fitting ---- */

static int *
no_columns(int nlevels)
{
	int		   *column = palloc_extended(sizeof(int) * ((Size) nlevels + 2), MCXT_ALLOC_HUGE);

	for (int place = 0; place < nlevels + 2; place++)
		column[place] = NO_COLUMN;
	return column;
}

/* Which levels get a column of their own. */
static bool *
frequent_levels(const FitSample *sample, const OnehotOptions *options, int nlevels)
{
	int64	   *count = sample->summary->level_count;
	int			most = options->max_categories > 0 ? options->max_categories : Max(sample->options->max_categories, 2);
	double		least = options->min_frequency < 1.0 ? options->min_frequency * (double) sample->n : options->min_frequency;
	bool	   *kept = palloc_extended(sizeof(bool) * Max(nlevels, 1), MCXT_ALLOC_HUGE);
	int			nkept = 0;

	for (int code = 0; code < nlevels; code++)
		nkept += kept[code] = (double) count[code] >= least;
	if (nkept + (nkept < nlevels || count[nlevels] > 0) > most)
	{
		bool	   *top = most_frequent(count, nlevels, most);

		for (int code = 0; code < nlevels; code++)
			kept[code] &= top[code];
		pfree(top);
	}
	return kept;
}

static void
drop_first(Onehot *onehot)
{
	for (int place = 0; place < onehot->nlevels + 2; place++)
		if (onehot->column[place] >= 0)
			onehot->column[place]--;
	if (onehot->other >= 0)
		onehot->other--;
	onehot->width--;
}

static void *
onehot_fit(FitSample *sample)
{
	const OnehotOptions *options = sample->parameters;
	Onehot	   *onehot = palloc0(sizeof(Onehot));
	int			nlevels = dictionary_size(sample->operand->dictionary);
	bool	   *kept = frequent_levels(sample, options, nlevels);
	bool		rare = sample->summary->level_count[nlevels] > 0;

	onehot->nlevels = nlevels;
	onehot->column = no_columns(nlevels);
	for (int code = 0; code < nlevels; code++)
	{
		if (kept[code])
			onehot->column[code] = onehot->width++;
		else
			rare = true;
	}
	onehot->other = rare ? onehot->width++ : NO_COLUMN;
	for (int code = 0; code < nlevels; code++)
		if (!kept[code])
			onehot->column[code] = onehot->other;
	if (options->unknown == UNKNOWN_OTHER || sample->summary->level_count[nlevels] > 0)
		onehot->column[nlevels] = onehot->other;
	if (sample->summary->missing > 0)
		onehot->column[nlevels + 1] = onehot->width++;
	pfree(kept);

	if (options->drop == DROP_FIRST || (options->drop == DROP_IF_BINARY && onehot->width == 2))
		drop_first(onehot);
	if (onehot->width > 0)
		return onehot;
	sample->why_unused = nlevels == 0 ? "all its values are missing" : "it is constant";
	return NULL;
}

static int
onehot_width(const void *fitted)
{
	const Onehot *onehot = fitted;

	return onehot->width;
}

static void
onehot_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Onehot *onehot = fitted;

	for (int code = 0; code < onehot->nlevels; code++)
		if (onehot->column[code] >= 0 && onehot->column[code] != onehot->other)
			outputs[onehot->column[code]].name = psprintf("%s=%s", operand->name, dictionary_text(operand->dictionary, code));
	if (onehot->other >= 0)
		outputs[onehot->other].name = psprintf("%s=(other)", operand->name);
	if (onehot->column[onehot->nlevels + 1] >= 0)
		outputs[onehot->column[onehot->nlevels + 1]].name = indicator_name(operand);
}

/* ---- applying ---- */

static void
onehot_apply(const void *fitted, const ApplyRows *rows)
{
	const Onehot *onehot = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		double	   *out = rows->out + (Size) i * rows->out_stride;
		int			place = onehot->nlevels;

		if (isnan(cell))
			place = onehot->nlevels + 1;
		else if (cell >= 0.0 && cell < onehot->nlevels && cell == (int) cell)
			place = (int) cell;
		memset(out, 0, sizeof(double) * onehot->width);
		if (onehot->column[place] >= 0)
			out[onehot->column[place]] = 1.0;
	}
}

/* What all zeros stand for: the level left out, the place of all others where it was more than one, or nothing. */
static double
level_left_out(const Onehot *onehot)
{
	double		level = NAN;

	for (int code = 0; code < onehot->nlevels; code++)
		if (onehot->column[code] < 0)
			level = isnan(level) ? code : onehot->nlevels;
	return level;
}

static double
onehot_invert(const void *fitted, const double *outputs)
{
	const Onehot *onehot = fitted;
	int			column = greatest_output(outputs, onehot->width);

	if (column == OUTPUT_NONE)
		return level_left_out(onehot);
	if (column == onehot->other)
		return onehot->nlevels;
	for (int code = 0; column >= 0 && code < onehot->nlevels; code++)
		if (onehot->column[code] == column)
			return code;
	return NAN;
}

/* The levels without a column of their own and without that of the rare ones have been dropped, or were never seen. */
static void
onehot_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Onehot *onehot = fitted;

	for (int code = 0; code < onehot->nlevels; code++)
		line(state, dictionary_text(operand->dictionary, code), onehot->column[code] < 0 ? "left out" : onehot->column[code] == onehot->other ? "other" :
			 psprintf("column %d", onehot->column[code] + 1), NAN);
}

/* ---- as SQL ---- */

/* When a row has a 1 in a column. */
static char *
column_condition(const Onehot *onehot, const char *x, const Dictionary *levels, int column)
{
	StringInfoData in,
				others;
	bool		unknown = onehot->column[onehot->nlevels] == column;

	initStringInfo(&in);
	initStringInfo(&others);
	for (int code = 0; code < onehot->nlevels; code++)
	{
		StringInfo	list = onehot->column[code] == column ? &in : &others;

		appendStringInfo(list, "%s%s", list->len ? ", " : "", quote_literal_cstr(dictionary_text(levels, code)));
	}
	if (onehot->column[onehot->nlevels + 1] == column)
		return psprintf("%s IS NULL", x);
	if (unknown && others.len == 0)
		return psprintf("%s IS NOT NULL", x);
	if (unknown)
		return psprintf("%s NOT IN (%s)", x, others.data);
	return in.len > 0 ? psprintf("%s IN (%s)", x, in.data) : pstrdup("false");
}

static void
onehot_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Onehot *onehot = fitted;

	for (int column = 0; column < onehot->width; column++)
		outputs[column] = psprintf("CASE WHEN %s THEN 1 ELSE 0 END::double precision", column_condition(onehot, *operand, info->dictionary, column));
}

/* ---- stored form ---- */

static void
onehot_flatten(const void *fitted, ByteWriter *w)
{
	const Onehot *onehot = fitted;

	put_u32(w, (uint32) onehot->width);
	put_u32(w, (uint32) (onehot->other + 1));
	for (int place = 0; place < onehot->nlevels + 2; place++)
		put_u32(w, (uint32) (onehot->column[place] + 1));
}

/* A column or NO_COLUMN, stored as one more. */
static int
get_column(ByteReader *r, const Onehot *onehot, const OutputColumn *operand)
{
	uint32		column = get_u32(r);

	if (column > (uint32) onehot->width)
		damaged(r, "A level of column \"%s\" has a column that is not there.", operand->name);
	return (int) column - 1;
}

static void *
onehot_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Onehot	   *onehot = palloc0(sizeof(Onehot));
	uint32		width = get_u32(r);
	int			taken = 0;

	onehot->nlevels = dictionary_size(operand->dictionary);
	if (width == 0 || width > (uint32) onehot->nlevels + 2)
		damaged(r, "Column \"%s\" has too many columns for its levels.", operand->name);
	onehot->width = (int) width;
	onehot->other = get_column(r, onehot, operand);
	if ((Size) (r->end - r->at) / sizeof(uint32) < (Size) onehot->nlevels + 2)
		damaged(r, "The levels of column \"%s\" are cut off.", operand->name);
	onehot->column = no_columns(onehot->nlevels);

	/* columns in the order of the levels, so that each has a name */
	for (int place = 0; place < onehot->nlevels + 2; place++)
	{
		int			column = get_column(r, onehot, operand);

		onehot->column[place] = column;
		if (column < 0 || column == onehot->other)
			continue;
		taken += place == onehot->nlevels + 1 && onehot->other == taken;
		if (column != taken++ || place == onehot->nlevels)
			damaged(r, "The levels of column \"%s\" are not in order.", operand->name);
	}
	if (taken + (onehot->other == taken) != onehot->width)
		damaged(r, "Column \"%s\" has a column without a level.", operand->name);
	return onehot;
}

const Transform onehot_transform = {
	.name = "onehot",
	.family = "encode",
	.help = "a column for each level, rare ones together; NULL has a column where training rows had it, else it is all zeros",
	.id = 68,
	.kinds = 1 << KIND_CATEGORY,
	.aliases = (const TransformAlias[]) {{.name = "one_hot"}, {.name = "OneHotEncoder"}, {.name = NULL}},
	.parameters = onehot_parameters,
	.nparameters = lengthof(onehot_parameters),
	.options_size = sizeof(OnehotOptions),
	.fit = onehot_fit,
	.width = onehot_width,
	.name_outputs = onehot_name_outputs,
	.apply = onehot_apply,
	.flatten = onehot_flatten,
	.unflatten = onehot_unflatten,
	.invert = onehot_invert,
	.learned = onehot_learned,
	.sql = onehot_sql
};
