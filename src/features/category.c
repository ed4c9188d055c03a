/*
 * category.c
 *		Categories: one column per level kept, or the level's code for learners that take codes.
 *
 * Kept are the most frequent levels of the training rows, at most max_categories with the bucket "other" counted; of levels equally frequent
 * the bytewise first.  Where rare levels were put into "other", unseen levels join them.  Where all levels were kept there is no such column, and
 * an unseen level is encoded as the training shares of the columns, their expected value.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "features/features_internal.h"

typedef struct Category
{
	int			ncodes;			/* of the operand */
	int		   *column;			/* (ncodes) that of each code, nlevels for "other"; NULL: its own */
	int			nlevels;		/* with a column */
	bool		as_code;		/* one output: the code, NaN for missing */
	bool		has_other;		/* a column after those of the levels */
	bool		has_missing;	/* a column after that */
	bool		reference;		/* the first column is left out */
	double	   *share;			/* of each column, the first included; for unseen levels where there is no "other" */
} Category;

/* ---- fitting ---- */

static int
full_width(const Category *category)
{
	return category->nlevels + category->has_other + category->has_missing;
}

/* Of each column: "other" and "is missing" come after the levels. */
static double *
training_shares(const Category *category, const ColumnSummary *summary, int64 n)
{
	double	   *share = palloc(sizeof(double) * full_width(category));

	for (int level = 0; level < category->nlevels; level++)
		share[level] = (double) summary->level_count[level] / (double) n;
	if (category->has_missing)
		share[category->nlevels] = (double) summary->missing / (double) n;
	return share;
}

/* Where the operand has more levels than get columns. */
static void
group_rare_levels(Category *category, int64 *count, int most)
{
	bool	   *kept = most_frequent(count, category->ncodes, most);

	category->nlevels = 0;
	category->column = palloc_extended(sizeof(int) * category->ncodes, MCXT_ALLOC_HUGE);
	for (int code = 0; code < category->ncodes; code++)
		category->column[code] = kept[code] ? category->nlevels++ : -1;
	for (int code = 0; code < category->ncodes; code++)
		if (category->column[code] < 0)
			category->column[code] = category->nlevels;
	category->has_other = true;
	pfree(kept);
	if (category->nlevels == category->ncodes)
		category->column = NULL;
}

static void *
category_fit(FitSample *sample)
{
	int64	   *count = sample->summary->level_count;
	int			most = Max(sample->options->max_categories, 2);
	Category   *category = palloc0(sizeof(Category));

	category->ncodes = category->nlevels = dictionary_size(sample->operand->dictionary);
	category->as_code = sample->options->takes_categories;
	category->has_other = count[category->ncodes] > 0;
	category->has_missing = sample->summary->missing > 0;
	category->reference = sample->options->reference_level;
	if (category->nlevels + category->has_other > most)
		group_rare_levels(category, count, most);
	if (category->nlevels == 0 || full_width(category) < 2)
	{
		sample->why_unused = category->nlevels == 0 ? "all its values are missing" : "it is constant";
		return NULL;
	}
	if (!category->as_code && !category->has_other)
		category->share = training_shares(category, sample->summary, sample->n);
	return category;
}

static int
category_width(const void *fitted)
{
	const Category *category = fitted;

	return category->as_code ? 1 : full_width(category) - category->reference;
}

static int
code_of_column(const Category *category, int column)
{
	int			code = 0;

	if (category->column == NULL)
		return column;
	while (category->column[code] != column)
		code++;
	return code;
}

static char *
column_name(const Category *category, const OutputColumn *operand, int column)
{
	if (column < category->nlevels)
		return psprintf("%s=%s", operand->name, dictionary_text(operand->dictionary, code_of_column(category, column)));
	if (category->has_other && column == category->nlevels)
		return psprintf("%s=(other)", operand->name);
	return indicator_name(operand);
}

/* The levels that have codes. */
static const Dictionary *
coded_levels(const Category *category, const Dictionary *all)
{
	Dictionary *levels;

	if (category->column == NULL)
		return all;
	levels = dictionary_create(CurrentMemoryContext);
	for (int code = 0; code < category->ncodes; code++)
		if (category->column[code] < category->nlevels)
			(void) dictionary_add(levels, dictionary_text(all, code), dictionary_length(all, code));
	return levels;
}

static void
category_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Category *category = fitted;

	if (category->as_code)
		*outputs = (OutputColumn) {
			.name = pstrdup(operand->name),
			.kind = KIND_CATEGORY,
			.dictionary = coded_levels(category, operand->dictionary),
			.levels = category->nlevels + category->has_other,
		};
	else
		for (int j = 0; j < category_width(fitted); j++)
			outputs[j].name = column_name(category, operand, j + category->reference);
}

/* ---- applying ---- */

/* The column of a cell that is not missing; whatever is no code of a level counts as "other". */
static inline int
level_column(const Category *category, double cell)
{
	int			code = cell >= 0.0 && cell < category->ncodes ? (int) cell : category->ncodes;

	if (code == category->ncodes || (double) code != cell)
		return category->nlevels;
	return category->column != NULL ? category->column[code] : code;
}

static void
encode(const Category *category, double cell, double *out)
{
	int			width = category_width(category);
	int			column;

	if (isnan(cell))
		column = category->has_missing ? full_width(category) - 1 : category->nlevels;
	else
		column = level_column(category, cell);

	if (column == category->nlevels && !category->has_other && !(isnan(cell) && category->has_missing))
	{
		memcpy(out, category->share + category->reference, sizeof(double) * width);
		return;
	}
	memset(out, 0, sizeof(double) * width);
	if (column >= category->reference)
		out[column - category->reference] = 1.0;
}

static void
category_apply(const void *fitted, const ApplyRows *rows)
{
	const Category *category = fitted;
	const double *cells = rows->cells;
	double	   *out = rows->out;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		if (!category->as_code)
			encode(category, *cells, out);
		else
			*out = isnan(*cells) ? *cells : level_column(category, *cells);
	}
}

/* The column of a row's level, or -1 where it stands for none: missing, or neither seen in training nor among the rare. */
static int
standing_column(const Category *category, const double *outputs)
{
	int			width = category_width(category);
	int			column;

	if (category->as_code)
	{
		double		code = rint(outputs[0]);

		return code >= 0.0 && code <= category->nlevels ? (int) code : -1;
	}
	if (category->share != NULL && memcmp(outputs, category->share + category->reference, sizeof(double) * width) == 0)
		return -1;
	column = greatest_output(outputs, width);
	if (column == OUTPUT_NONE && category->reference)
		return 0;
	column += category->reference;
	return column >= 0 && column < category->nlevels + category->has_other ? column : -1;
}

static double
category_invert(const void *fitted, const double *outputs)
{
	const Category *category = fitted;
	int			column = standing_column(category, outputs);

	if (column < 0)
		return NAN;
	return column < category->nlevels ? code_of_column(category, column) : category->ncodes;
}

/* ---- for people ---- */

static void
category_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Category *category = fitted;

	for (int column = 0; column < category->nlevels; column++)
		line(state, psprintf("level %d", column + 1), dictionary_text(operand->dictionary, code_of_column(category, column)),
			 category->share != NULL ? category->share[column] : NAN);
}

/* A column that is 1 where "is" holds; where a level never seen has no column, it has its share there. */
static char *
column_sql(const Category *category, const char *is, const char *unseen, int column)
{
	const char *share = category->share != NULL ? psprintf(" WHEN %s THEN %s", unseen, number_literal(category->share[column])) : "";

	return psprintf("CASE WHEN %s THEN 1%s ELSE 0 END::double precision", is, share);
}

static void
category_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Category *category = fitted;
	const char *x = *operand;
	char	  **literal = palloc(sizeof(char *) * category->nlevels);
	const char *unseen;
	StringInfoData in;

	if (category->as_code)
		return;
	initStringInfo(&in);
	for (int column = 0; column < category->nlevels; column++)
	{
		literal[column] = quote_literal_cstr(dictionary_text(info->dictionary, code_of_column(category, column)));
		appendStringInfo(&in, "%s%s", column ? ", " : "", literal[column]);
	}
	unseen = psprintf(category->has_missing ? "%s IS NOT NULL AND %s NOT IN (%s)" : "%s IS NULL OR %s NOT IN (%s)", x, x, in.data);
	for (int column = category->reference; column < full_width(category); column++)
	{
		const char *is = psprintf("%s IS NULL", x);

		if (column < category->nlevels)
			is = psprintf("%s = %s", x, literal[column]);
		else if (category->has_other && column == category->nlevels)
			is = unseen;
		outputs[column - category->reference] = column_sql(category, is, unseen, column);
	}
}

/* ---- stored form; the levels are stored with the input column ---- */

static void
category_flatten(const void *fitted, ByteWriter *w)
{
	const Category *category = fitted;

	put_u8(w, category->column != NULL);
	if (category->column != NULL)
		for (int code = 0; code < category->ncodes; code++)
			put_u32(w, category->column[code]);
	put_u8(w, category->as_code);
	put_u8(w, category->has_other);
	put_u8(w, category->has_missing);
	put_u8(w, category->reference);
	if (category->share != NULL)
		for (int j = 0; j < full_width(category); j++)
			put_f64(w, category->share[j]);
}

/* Columns are numbered in the order of the codes; the codes without one share the column after them, so the greatest number is theirs. */
static void
read_columns(ByteReader *r, const OutputColumn *operand, Category *category)
{
	uint32		other = 0;
	uint32		next = 0;

	if ((Size) (r->end - r->at) / sizeof(uint32) < (Size) category->ncodes)
		damaged(r, "The categories of column \"%s\" are cut off.", operand->name);
	category->column = palloc_extended(sizeof(int) * Max(category->ncodes, 1), MCXT_ALLOC_HUGE);
	for (int code = 0; code < category->ncodes; code++)
	{
		uint32		column = get_u32(r);

		category->column[code] = (int) column;
		other = Max(other, column);
	}
	for (int code = 0; code < category->ncodes; code++)
	{
		uint32		column = (uint32) category->column[code];

		if (column != other && column != next)
			damaged(r, "The categories of column \"%s\" are not in order.", operand->name);
		next += column != other;
	}
	if (next != other)
		damaged(r, "The categories of column \"%s\" are not in order.", operand->name);
	category->nlevels = (int) other;
}

static void *
category_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Category   *category = palloc0(sizeof(Category));
	int			width;

	category->ncodes = category->nlevels = dictionary_size(operand->dictionary);
	if (get_flag(r))
		read_columns(r, operand, category);
	category->as_code = get_flag(r);
	category->has_other = get_flag(r);
	category->has_missing = get_flag(r);
	category->reference = get_flag(r);
	width = full_width(category);
	if (category->nlevels == 0 || width < 2 || (category->column != NULL && !category->has_other))
		damaged(r, "The categories of column \"%s\" are too few.", operand->name);
	if (category->as_code || category->has_other)
		return category;

	if ((Size) (r->end - r->at) / sizeof(double) < (Size) width)
		damaged(r, "The shares of the categories of column \"%s\" are cut off.", operand->name);
	category->share = palloc(sizeof(double) * width);
	for (int j = 0; j < width; j++)
	{
		double		share = get_f64(r);

		if (!(share >= 0.0 && share <= 1.0))
			damaged(r, "A share of a category of column \"%s\" is not between 0 and 1.", operand->name);
		category->share[j] = share;
	}
	return category;
}

const Transform category_transform = {
	.name = "category",
	.id = 2,
	.kinds = 1 << KIND_CATEGORY,
	.fit = category_fit,
	.width = category_width,
	.name_outputs = category_name_outputs,
	.apply = category_apply,
	.flatten = category_flatten,
	.unflatten = category_unflatten,
	.invert = category_invert,
	.learned = category_learned,
	.sql = category_sql
};
