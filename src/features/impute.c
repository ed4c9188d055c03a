/*
 * impute.c
 *		A value for what is missing, as scikit-learn's SimpleImputer: mean, median, most frequent (of equals the smallest) or a constant.
 *
 * Unlike there, infinite cells count in no statistic and stay infinite, and a column without any value is left out whatever the strategy but "constant".
 * A category gets its most frequent level, or a constant that is a level of its own where no other row has it.  "indicator" adds a column that is 1 where
 * the cell was missing; scikit-learn adds it only where training rows were missing, and so do we.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "core/sort.h"
#include "features/features_internal.h"

typedef enum Strategy
{
	IMPUTE_MEDIAN,
	IMPUTE_MEAN,
	IMPUTE_MOST_FREQUENT,
	IMPUTE_CONSTANT,
	IMPUTE_LEVEL
} Strategy;

#define MISSING_LEVEL "(missing)"

typedef struct ImputeOptions
{
	int			strategy;
	GivenValue	constant;
	bool		indicator;
} ImputeOptions;

#define OPTION(field) offsetof(ImputeOptions, field)

static const char *const strategies[] = {"median", "mean", "most_frequent", "constant", "as_category", NULL};

static const Parameter impute_parameters[] = {
	{.name = "strategy", .type = PARAM_CHOICE, .offset = OPTION(strategy), .choices = strategies,
	.help = "what stands for a missing cell; of equally frequent values the smallest"},
	{.name = "constant", .aliases = "fill_value", .type = PARAM_VALUE, .offset = OPTION(constant), .help = "the number or level that stands for a missing cell"},
	{.name = "indicator", .aliases = "add_indicator", .type = PARAM_BOOL, .offset = OPTION(indicator),
	.help = "add a column that is 1 where the cell was missing, if any training cell was"},
};

typedef struct Impute
{
	double		fill;			/* number, or code of a level */
	bool		indicator;
	bool		category;
	int			nlevels;		/* of the operand */
	char	   *level;			/* a level that is none of the operand's: it gets the code nlevels, and others the next; or NULL */
} Impute;

/* ---- fitting ---- */

static const char *
impute_check(const void *parameters)
{
	const ImputeOptions *options = parameters;

	if (options->strategy == IMPUTE_CONSTANT && !options->constant.given)
		return "strategy \"constant\" needs the parameter \"constant\"";
	if (options->constant.given && options->constant.text == NULL && !isfinite(options->constant.number))
		return "the constant must be finite";
	return NULL;
}

static double
most_frequent_number(double *finite, int64 n)
{
	double		mode = finite[0];
	int64		longest = 0,
				start = 0;

	sort_doubles(finite, n);
	for (int64 i = 1; i <= n; i++)
	{
		if (i < n && finite[i] == finite[start])
			continue;
		if (i - start > longest)
		{
			longest = i - start;
			mode = finite[start];
		}
		start = i;
	}
	return mode;
}

static bool
fit_number(FitSample *sample, const ImputeOptions *options, Impute *impute)
{
	int64		n = sample->summary->nfinite;

	if (options->constant.given)
	{
		if (options->constant.text != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" is a %s, but its missing cells are to become \"%s\"", sample->operand->name,
							kind_name(sample->operand->kind), options->constant.text),
					 errhint("Give a number as the constant, or begin the steps with \"category\".")));
		impute->fill = options->constant.number;
		return true;
	}
	if (options->strategy == IMPUTE_LEVEL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is a %s, so missing cannot be a level of it", sample->operand->name, kind_name(sample->operand->kind)),
				 errhint("Use {\"impute\": {\"indicator\": true}}, or begin the steps with \"category\".")));
	if (n == 0)
		return false;
	if (options->strategy == IMPUTE_MEAN)
		impute->fill = sample->summary->mean;
	else if (options->strategy == IMPUTE_MEDIAN)
		impute->fill = median(sample->finite, n);
	else
		impute->fill = most_frequent_number(sample->finite, n);
	return true;
}

static bool
fit_category(FitSample *sample, const ImputeOptions *options, Impute *impute)
{
	const Dictionary *levels = sample->operand->dictionary;
	const int64 *count = sample->summary->level_count;
	const char *constant = options->constant.text;
	int			code = 0;

	impute->category = true;
	impute->nlevels = dictionary_size(levels);
	if (options->constant.given && constant == NULL)
		constant = features_digits(options->constant.number);
	else if (options->strategy == IMPUTE_LEVEL)
		constant = MISSING_LEVEL;
	if (constant != NULL)
	{
		code = dictionary_find(levels, constant, (int) strlen(constant));
		impute->level = code < 0 ? pstrdup(constant) : NULL;
		impute->fill = code < 0 ? impute->nlevels : code;
		return true;
	}
	if (options->strategy != IMPUTE_MOST_FREQUENT)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is a category, which has no %s", sample->operand->name, strategies[options->strategy]),
				 errhint("Use \"impute_most_frequent\", {\"impute\": {\"constant\": \"unknown\"}} or \"missing_as_category\".")));
	for (int other = 1; other < impute->nlevels; other++)
		if (count[other] > count[code])
			code = other;
	impute->fill = code;
	return impute->nlevels > 0;
}

static void *
impute_fit(FitSample *sample)
{
	const ImputeOptions *options = sample->parameters;
	Impute	   *impute = palloc0(sizeof(Impute));
	bool		fitted;

	if (sample->operand->kind == KIND_CATEGORY)
		fitted = fit_category(sample, options, impute);
	else
		fitted = fit_number(sample, options, impute);
	if (!fitted)
	{
		sample->why_unused = "all its values are missing";
		return NULL;
	}
	impute->indicator = options->indicator && sample->summary->missing > 0;
	return impute;
}

static int
impute_width(const void *fitted)
{
	const Impute *impute = fitted;

	return 1 + impute->indicator;
}

/* The operand's levels and the one that was added. */
static const Dictionary *
completed_levels(const Dictionary *levels, const char *added)
{
	Dictionary *completed;

	if (added == NULL)
		return levels;
	completed = dictionary_create(CurrentMemoryContext);
	for (int code = 0; code < dictionary_size(levels); code++)
		(void) dictionary_add(completed, dictionary_text(levels, code), dictionary_length(levels, code));
	(void) dictionary_add(completed, added, (int) strlen(added));
	return completed;
}

static void
impute_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Impute *impute = fitted;

	outputs[0] = *operand;
	outputs[0].name = pstrdup(operand->name);
	if (impute->category)
	{
		outputs[0].dictionary = completed_levels(operand->dictionary, impute->level);
		outputs[0].levels = dictionary_size(outputs[0].dictionary) + 1;
	}
	if (impute->indicator)
		outputs[1].name = indicator_name(operand);
}

/* ---- applying ---- */

/* Codes of levels stay; any other level comes after the one added. */
static inline double
impute_code(const Impute *impute, double cell)
{
	if (isnan(cell))
		return impute->fill;
	return impute->level != NULL && !(cell < impute->nlevels) ? impute->nlevels + 1 : cell;
}

static void
impute_apply(const void *fitted, const ApplyRows *rows)
{
	const Impute *impute = fitted;
	const double *cells = rows->cells;
	double	   *out = rows->out;

	for (int i = 0; i < rows->nrows; i++, cells += rows->stride, out += rows->out_stride)
	{
		double		cell = *cells;

		out[0] = impute->category ? impute_code(impute, cell) : isnan(cell) ? impute->fill : cell;
		if (impute->indicator)
			out[1] = isnan(cell) ? 1.0 : 0.0;
	}
}

/* A level that was added stood for missing cells only; what came after it comes after the operand's levels again. */
static double
impute_invert(const void *fitted, const double *outputs)
{
	const Impute *impute = fitted;

	if (impute->indicator && !(outputs[1] < 0.5))
		return NAN;
	if (impute->level == NULL || !(outputs[0] > impute->nlevels - 0.5))
		return outputs[0];
	return outputs[0] < impute->nlevels + 0.5 ? (double) NAN : impute->nlevels;
}

/* ---- for people ---- */

static void
impute_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const Impute *impute = fitted;

	if (impute->level != NULL)
		line(state, "fill", impute->level, NAN);
	else if (impute->category)
		line(state, "fill", dictionary_text(operand->dictionary, (int) impute->fill), NAN);
	else
		line(state, "fill", NULL, impute->fill);
}

static void
impute_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Impute *impute = fitted;

	const char *fill = number_literal(impute->fill);

	/* categories are texts in SQL */
	if (impute->category)
		fill = quote_literal_cstr(impute->level ? impute->level : dictionary_text(info->dictionary, (int) impute->fill));
	outputs[0] = psprintf("coalesce(%s, %s)", *operand, fill);
	if (impute->indicator)
		outputs[1] = psprintf("CASE WHEN %s IS NULL THEN 1 ELSE 0 END::double precision", *operand);
}

/* ---- stored form ---- */

static void
impute_flatten(const void *fitted, ByteWriter *w)
{
	const Impute *impute = fitted;

	put_f64(w, impute->fill);
	put_u8(w, impute->indicator);
	if (impute->category)
		put_text(w, impute->level);
}

static void *
impute_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Impute	   *impute = palloc0(sizeof(Impute));

	impute->fill = get_finite(r);
	impute->indicator = get_flag(r);
	impute->category = operand->kind == KIND_CATEGORY;
	if (!impute->category)
		return impute;
	impute->nlevels = dictionary_size(operand->dictionary);
	impute->level = get_text(r);
	if (!(impute->fill >= 0 && impute->fill < impute->nlevels + (impute->level != NULL)) || impute->fill != floor(impute->fill) ||
		(impute->level != NULL && dictionary_find(operand->dictionary, impute->level, (int) strlen(impute->level)) >= 0))
		damaged(r, "The level for missing cells of column \"%s\" is none.", operand->name);
	return impute;
}

const Transform impute_transform = {
	.name = "impute",
	.family = "impute",
	.help = "a value for missing cells: median, mean, most frequent or a constant; NULL becomes it",
	.id = 17,
	.kinds = NUMBER_KINDS | 1 << KIND_CATEGORY,
	.aliases = (const TransformAlias[]) {
		{.name = "SimpleImputer"},
		{"impute_median", "strategy", IMPUTE_MEDIAN},
		{"impute_mean", "strategy", IMPUTE_MEAN},
		{"impute_most_frequent", "strategy", IMPUTE_MOST_FREQUENT},
		{"impute_constant", "strategy", IMPUTE_CONSTANT},
		{"missing_as_category", "strategy", IMPUTE_LEVEL},
		{.name = NULL}
	},
	.parameters = impute_parameters,
	.nparameters = lengthof(impute_parameters),
	.options_size = sizeof(ImputeOptions),
	.check = impute_check,
	.fit = impute_fit,
	.width = impute_width,
	.name_outputs = impute_name_outputs,
	.apply = impute_apply,
	.flatten = impute_flatten,
	.unflatten = impute_unflatten,
	.invert = impute_invert,
	.learned = impute_learned,
	.sql = impute_sql
};
