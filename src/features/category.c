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

#include "features/features_internal.h"

#define KEY_LIKE_DISTINCT 20
#define KEY_LIKE_SHARE 0.9

typedef struct Category
{
	int			nlevels;
	bool		as_code;		/* one output: the code, NaN for missing */
	bool		has_other;		/* a column after those of the levels */
	bool		has_missing;	/* a column after that */
	bool		reference;		/* the first column is left out */
	double	   *share;			/* of each column, the first included; for unseen levels where there is no "other" */
} Category;

/* ---- fitting ---- */

static int
by_frequency(const void *a, const void *b, void *counts)
{
	const int64 *count = counts;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	CHECK_FOR_INTERRUPTS();
	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int
count_seen(const int64 *count, int nlevels)
{
	int			seen = 0;

	for (int code = 0; code < nlevels; code++)
		seen += count[code] > 0;
	return seen;
}

/* Which of the frame's levels the model keeps. */
static bool *
choose_levels(int64 *count, int nlevels, int most)
{
	bool	   *kept = palloc_extended(Max(nlevels, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int		   *code = palloc_extended(sizeof(int) * Max(nlevels, 1), MCXT_ALLOC_HUGE);
	int			seen = 0;

	for (int i = 0; i < nlevels; i++)
		if (count[i] > 0)
			code[seen++] = i;
	if (seen > most)
	{
		qsort_arg(code, seen, sizeof(int), by_frequency, count);
		seen = most - 1;		/* the place of "other" */
	}
	for (int i = 0; i < seen; i++)
		kept[code[i]] = true;
	pfree(code);
	return kept;
}

/* The model's levels, in the frame's (bytewise) order, and the way from the frame's codes to them. */
static void
keep_levels(const Dictionary *levels, const bool *kept, InputColumn *input, int **recode)
{
	int			nlevels = dictionary_size(levels);
	int		   *code = palloc_extended(sizeof(int) * Max(nlevels, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < nlevels; i++)
		code[i] = kept != NULL && kept[i] ? dictionary_add(input->levels, dictionary_text(levels, i), dictionary_length(levels, i)) : -1;
	for (int i = 0; i < nlevels; i++)
		if (code[i] < 0)
			code[i] = dictionary_size(input->levels);
	*recode = code;
}

static int
full_width(const Category *category)
{
	return category->nlevels + category->has_other + category->has_missing;
}

static double *
training_shares(const Category *category, const int64 *count, const bool *kept, int nlevels, int64 missing, int64 n)
{
	double	   *share = palloc(sizeof(double) * full_width(category));
	int			column = 0;

	for (int code = 0; code < nlevels; code++)
		if (kept[code])
			share[column++] = (double) count[code] / (double) n;
	if (category->has_missing)
		share[column] = (double) missing / (double) n;
	return share;
}

static void *
category_fit(ColumnSample *sample, const FeatureOptions *options, InputColumn *input, int **recode, char **why_unused, List **warnings)
{
	const Dictionary *levels = sample->column->levels;
	int			nlevels = dictionary_size(levels);
	int64	   *count = sample->summary->level_count;
	int			seen = count_seen(count, nlevels);
	int64		present = sample->n - sample->summary->missing;
	bool	   *kept = NULL;
	Category   *category;

	input->levels = dictionary_create(CurrentMemoryContext);
	if (seen == 0)
		*why_unused = "all its values are missing";
	else if (seen > KEY_LIKE_DISTINCT && (double) seen > KEY_LIKE_SHARE * (double) present)
		*why_unused = psprintf("%d of %lld values are distinct, as in a key", seen, (long long) present);
	else if (seen == 1 && sample->summary->missing == 0)
		*why_unused = "it is constant";
	else
		kept = choose_levels(count, nlevels, Max(options->max_categories, 2));
	keep_levels(levels, kept, input, recode);
	if (kept == NULL)
		return NULL;

	category = palloc0(sizeof(Category));
	category->nlevels = dictionary_size(input->levels);
	category->as_code = options->takes_categories;
	category->has_other = category->nlevels < seen;
	category->has_missing = sample->summary->missing > 0;
	category->reference = options->reference_level;
	if (!category->as_code && !category->has_other)
		category->share = training_shares(category, count, kept, nlevels, sample->summary->missing, sample->n);
	pfree(kept);
	return category;
}

static int
category_width(const void *fitted)
{
	const Category *category = fitted;

	return category->as_code ? 1 : full_width(category) - category->reference;
}

static char *
column_name(const Category *category, const InputColumn *input, int column)
{
	if (column < category->nlevels)
		return psprintf("%s=%s", input->name, dictionary_text(input->levels, column));
	if (category->has_other && column == category->nlevels)
		return psprintf("%s=(other)", input->name);
	return indicator_name(input);
}

static void
category_name_outputs(const void *fitted, const InputColumn *input, OutputColumn *outputs)
{
	const Category *category = fitted;

	for (int j = 0; j < category_width(fitted); j++)
	{
		outputs[j].name = category->as_code ? pstrdup(input->name) : column_name(category, input, j + category->reference);
		outputs[j].offset = 0.0;
		outputs[j].scale = 1.0;
		outputs[j].levels = category->as_code ? category->nlevels + category->has_other : 0;
	}
}

/* ---- applying ---- */

/* The code of a cell that is not missing; whatever is no code of a level counts as "other". */
static inline int
level_code(double cell, int nlevels)
{
	int			code = cell >= 0.0 && cell < nlevels ? (int) cell : nlevels;

	return (double) code == cell ? code : nlevels;
}

static void
encode(const Category *category, double cell, double *out)
{
	int			width = category_width(category);
	int			column;

	if (isnan(cell))
		column = category->has_missing ? full_width(category) - 1 : category->nlevels;
	else
		column = level_code(cell, category->nlevels);

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
category_apply(const void *fitted, const double *cells, int nrows, int cell_stride, double *out, int out_stride)
{
	const Category *category = fitted;

	for (; nrows > 0; nrows--, cells += cell_stride, out += out_stride)
	{
		if (!category->as_code)
			encode(category, *cells, out);
		else
			*out = isnan(*cells) ? *cells : level_code(*cells, category->nlevels);
	}
}

/* ---- stored form; the levels are stored with the input column ---- */

static void
category_flatten(const void *fitted, ByteWriter *w)
{
	const Category *category = fitted;

	put_u8(w, category->as_code);
	put_u8(w, category->has_other);
	put_u8(w, category->has_missing);
	put_u8(w, category->reference);
	if (category->share != NULL)
		for (int j = 0; j < full_width(category); j++)
			put_f64(w, category->share[j]);
}

static void *
category_unflatten(ByteReader *r, const InputColumn *input)
{
	Category   *category = palloc0(sizeof(Category));
	int			width;

	category->nlevels = dictionary_size(input->levels);
	category->as_code = get_flag(r);
	category->has_other = get_flag(r);
	category->has_missing = get_flag(r);
	category->reference = get_flag(r);
	width = full_width(category);
	if (category->nlevels == 0 || width < 2)
		damaged(r, "The categories of column \"%s\" are too few.", input->name);
	if (category->as_code || category->has_other)
		return category;

	if ((Size) (r->end - r->at) / sizeof(double) < (Size) width)
		damaged(r, "The shares of the categories of column \"%s\" are cut off.", input->name);
	category->share = palloc(sizeof(double) * width);
	for (int j = 0; j < width; j++)
	{
		double		share = get_f64(r);

		if (!(share >= 0.0 && share <= 1.0))
			damaged(r, "A share of a category of column \"%s\" is not between 0 and 1.", input->name);
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
	.unflatten = category_unflatten
};
