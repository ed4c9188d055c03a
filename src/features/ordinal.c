/*
 * ordinal.c
 *		Categories as 0, 1, 2... in a given order or bytewise, as scikit-learn's OrdinalEncoder; and as how often they occur.
 *
 * scikit-learn stops at a level it does not know; here it becomes "unknown", by default missing, and NULL stays missing as there.  Frequencies are shares of the
 * training rows or, as category_encoders' CountEncoder, counts; NULL counts as a level, and one that training did not show occurs 0 times.
 */
#include "postgres.h"

#include <math.h>

#include "features/level_values_internal.h"

/* ---- order ---- */

typedef struct OrdinalOptions
{
	NameList	order;
	double		unknown;
} OrdinalOptions;

static const Parameter ordinal_parameters[] = {
	{.name = "order", .aliases = "categories", .type = PARAM_NAMES, .offset = offsetof(OrdinalOptions, order),
	.help = "the levels from the lowest on; unset: bytewise"},
	{.name = "unknown", .aliases = "unknown_value", .type = PARAM_FLOAT, .offset = offsetof(OrdinalOptions, unknown), .fallback = NAN, .min = -1e9, .max = 1e9,
	.help = "what a level becomes that is not in the order or not in training; unset: missing"},
};

static const char *
ordinal_check(const void *parameters)
{
	const NameList *order = &((const OrdinalOptions *) parameters)->order;

	for (int i = 0; i < order->n; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(order->name[i], order->name[j]) == 0)
				return psprintf("\"%s\" stands twice in the order", order->name[i]);
	return NULL;
}

static void *
ordinal_fit(FitSample *sample)
{
	const OrdinalOptions *options = sample->parameters;
	const Dictionary *levels = sample->operand->dictionary;
	LevelValues *values = level_values_create(sample->operand, 0, 1);
	int			known = 0;

	if (values->nlevels == 0)
	{
		sample->why_unused = "all its values are missing";
		return NULL;
	}
	for (int code = 0; code <= values->nlevels; code++)
		values->value[code] = options->order.n == 0 && code < values->nlevels ? code : options->unknown;
	values->value[values->nlevels + 1] = NAN;
	for (int i = 0; i < options->order.n; i++)
	{
		int			code = dictionary_find(levels, options->order.name[i], (int) strlen(options->order.name[i]));

		if (code < 0)
			continue;
		values->value[code] = i;
		known++;
	}
	if (options->order.n > 0 && known < values->nlevels)
		*sample->warnings = lappend(*sample->warnings, psprintf("column \"%s\" has %d levels that are not in the order given to preprocess step \"ordinal\"",
																sample->operand->name, values->nlevels - known));
	return values;
}

static void
ordinal_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = pstrdup(operand->name);
}

/* The level whose code is nearest; none of what unknown levels become, and none from half a step on. */
static double
ordinal_invert(const void *fitted, const double *outputs)
{
	const LevelValues *values = fitted;
	double		nearest = 0.5;
	double		level = NAN;

	for (int code = 0; code < values->nlevels; code++)
	{
		double		distance = fabs(values->value[code] - *outputs);

		if (!(distance < nearest))
			continue;
		nearest = distance;
		level = code;
	}
	return fabs(values->value[values->nlevels] - *outputs) <= nearest ? (double) NAN : level;
}

const Transform ordinal_transform = {
	.name = "ordinal",
	.family = "encode",
	.help = "a category as 0, 1, 2... in a given order or bytewise; NULL stays missing",
	.id = 65,
	.kinds = 1 << KIND_CATEGORY,
	.aliases = (const TransformAlias[]) {{.name = "OrdinalEncoder"}, {.name = "label"}, {.name = NULL}},
	.parameters = ordinal_parameters,
	.nparameters = lengthof(ordinal_parameters),
	.options_size = sizeof(OrdinalOptions),
	.check = ordinal_check,
	.fit = ordinal_fit,
	.name_outputs = ordinal_name_outputs,
	.invert = ordinal_invert,
	LEVEL_VALUES_FUNCTIONS
};

/* ---- frequency ---- */

typedef struct FrequencyOptions
{
	bool		count;
} FrequencyOptions;

static const Parameter frequency_parameters[] = {
	{.name = "count", .type = PARAM_BOOL, .offset = offsetof(FrequencyOptions, count), .help = "the number of training rows instead of their share"},
};

static void *
frequency_fit(FitSample *sample)
{
	const FrequencyOptions *options = sample->parameters;
	LevelValues *values = level_values_create(sample->operand, 0, 1);
	double		unit = options->count ? 1.0 : (double) sample->n;

	for (int code = 0; code < values->nlevels; code++)
		values->value[code] = (double) sample->summary->level_count[code] / unit;
	values->value[values->nlevels + 1] = (double) sample->summary->missing / unit;
	return values;
}

static void
frequency_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	outputs->name = psprintf("%s: frequency", operand->name);
}

const Transform frequency_transform = {
	.name = "frequency",
	.family = "encode",
	.help = "a category as the share, or the number, of training rows that have it; NULL is a level of its own",
	.id = 66,
	.kinds = 1 << KIND_CATEGORY,
	.aliases = (const TransformAlias[]) {{"count", "count", 1}, {.name = "CountEncoder"}, {.name = NULL}},
	.parameters = frequency_parameters,
	.nparameters = lengthof(frequency_parameters),
	.options_size = sizeof(FrequencyOptions),
	.fit = frequency_fit,
	.name_outputs = frequency_name_outputs,
	LEVEL_VALUES_FUNCTIONS
};
