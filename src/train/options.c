/*
 * options.c
 *		The jsonb arguments of ml.train: parameters by the learner's own table, the common ones.
 *
 * Every name is looked up in a table, so the error for an unrecognized one, the defaults and ml.parameters() cannot disagree.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "train_internal.h"

#define MIN_MAX_CATEGORIES 2
#define MAX_MAX_CATEGORIES 10000
#define DEFAULT_MAX_CATEGORIES 50
#define DEFAULT_MAX_CODES 255	/* for learners that take categories as they are */
#define DEFAULT_TIME_ZONE "UTC"

const TrainingParameter training_parameters[] = {
	{"checks", TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS | TASK_ANOMALY, "boolean", "true", "look for leakage, stand-ins for NULL, missing values and imbalance, and warn of them"},
	{"class_weight", TASK_BINARY | TASK_MULTICLASS, "object", NULL, "'balanced' (n / (classes * rows of the class)) or an object of label: weight; classes left out weigh 1"},
	{"correct_probabilities", TASK_BINARY | TASK_MULTICLASS, "boolean", NULL, "undo in the probabilities what resampling (true by default) or class_weight (false) did to the classes' shares"},
	{"max_categories", TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS | TASK_PREPARATION, "integer", "50", "levels kept of a text column, the bucket for all others included; 255 for trees"},
	{"metric", TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS, "text", NULL, "the metric shown as score; rmse, roc_auc or accuracy by the task"},
	{"resample", TASK_BINARY | TASK_MULTICLASS, "text", NULL, "of the training rows: 'oversample' (copies of rare classes), 'undersample' (fewer of frequent ones), 'smote' or, with categories, 'smotenc' (rows made up)"},
	{"sampling_ratio", TASK_BINARY | TASK_MULTICLASS, "number", "1", "with resample: rows of a smaller class per row of the largest (undersample: of the smallest per row of a larger one)"},
	{"smote_neighbors", TASK_BINARY | TASK_MULTICLASS, "integer", "5", "with resample: neighbours of its class that a row is joined with"},
	{"time_zone", TASK_REGRESSION | TASK_BINARY | TASK_MULTICLASS | TASK_PREPARATION, "text", DEFAULT_TIME_ZONE, "time zone in which the parts of a timestamp with time zone are taken"},
};

const int	ntraining_parameters = lengthof(training_parameters);

/* ---- the common parameters ---- */

static void
class_weight_field(const char *key, JsonbValue *value, void *state)
{
	ClassWeights *weights = state;
	double		weight = json_number("class_weight", value);

	if (!isfinite(weight) || weight < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the weight of class \"%s\" must be zero or more", key)));
	weights->label = weights->n ? repalloc(weights->label, (weights->n + 1) * sizeof(char *)) : palloc(sizeof(char *));
	weights->weight = weights->n ? repalloc(weights->weight, (weights->n + 1) * sizeof(double)) : palloc(sizeof(double));
	weights->label[weights->n] = pstrdup(key);
	weights->weight[weights->n++] = weight;
}

static void
class_weight_parse(const JsonbValue *value, ClassWeights *weights)
{
	if (json_is_object(value))
		each_field(value->val.binary.data, "class_weight", class_weight_field, weights);
	else if (value->type == jbvString && value->val.string.len == 8 && strncmp(value->val.string.val, "balanced", 8) == 0)
		weights->balanced = true;
	else if (value->type != jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"class_weight\" must be \"balanced\" or an object of label: weight")));
}

static int
max_categories_parse(const JsonbValue *value)
{
	double		number = json_number("max_categories", value);

	if (!(number >= MIN_MAX_CATEGORIES && number <= MAX_MAX_CATEGORIES) || number != rint(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"max_categories\" must be a whole number between %d and %d", MIN_MAX_CATEGORIES, MAX_MAX_CATEGORIES)));
	return (int) number;
}

static char *
time_zone_parse(const JsonbValue *value)
{
	char	   *name = json_text("time_zone", value);
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("The view pg_timezone_names lists the names.")));
	return pstrdup(pg_get_timezone_name(zone));
}

static char *
metric_parse(const JsonbValue *value)
{
	char	   *name = json_text("metric", value);
	const char **names;

	if (metric_find(name) != NULL)
		return name;
	names = palloc(nmetrics * sizeof(char *));
	for (int i = 0; i < nmetrics; i++)
		names[i] = metric_table[i].name;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" not recognized", name),
			 errhint("%s", valid_names_hint(name, names, nmetrics, "metrics"))));
}

static bool
checks_parse(const JsonbValue *value)
{
	if (value->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"checks\" must be true or false, not %s", json_type_name(value))));
	return value->val.boolean;
}

static bool
common_set(const char *name, const JsonbValue *value, TrainingOptions *common)
{
	if (strcmp(name, "class_weight") == 0)
		class_weight_parse(value, &common->class_weight);
	else if (strcmp(name, "checks") == 0)
		common->checks = checks_parse(value);
	else if (strcmp(name, "max_categories") == 0)
		common->max_categories = max_categories_parse(value);
	else if (strcmp(name, "metric") == 0)
		common->metric = metric_parse(value);
	else if (strcmp(name, "time_zone") == 0)
		common->time_zone = time_zone_parse(value);
	else
		return resample_option(name, value, &common->resample);
	return true;
}

/* ---- a whole params argument ---- */

typedef struct ParseState
{
	const Learner *learner;
	void	   *options;
	TrainingOptions *common;
	Bitmapset  *given;			/* parameters with a value, to refuse a name and its alias together */
} ParseState;

/* A preparation has a target only for steps that learn from one: nothing is weighted, resampled or measured by it. */
static bool
is_for(const Learner *learner, const TrainingParameter *parameter)
{
	return (parameter->tasks & learner->tasks & (learner->tasks & TASK_PREPARATION ? TASK_PREPARATION : ~0)) != 0;
}

static bool
is_for_no_pipeline(const Learner *learner, const char *name)
{
	for (int i = 0; i < ntraining_parameters; i++)
		if ((learner->tasks & TASK_PREPARATION) && strcmp(training_parameters[i].name, name) == 0)
			return !is_for(learner, &training_parameters[i]);
	return false;
}

static void
unrecognized_parameter(const Learner *learner, const char *name)
{
	const char **names = palloc((learner->nparameters + ntraining_parameters) * sizeof(char *));
	int			n = 0;

	for (int i = 0; i < learner->nparameters; i++)
		names[n++] = learner->parameters[i].name;
	for (int i = 0; i < ntraining_parameters; i++)
		if (is_for(learner, &training_parameters[i]))
			names[n++] = training_parameters[i].name;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("algorithm \"%s\" has no parameter \"%s\"", learner->name, name),
			 errhint("%s", valid_names_hint(name, names, n, "parameters"))));
}

static void
params_field(const char *key, JsonbValue *value, void *state)
{
	ParseState *parse = state;
	const Learner *learner = parse->learner;
	const Parameter *p = learner ? parameter_find(learner->parameters, learner->nparameters, key) : NULL;

	if (p == NULL)
	{
		if (learner && is_for_no_pipeline(learner, key))
			unrecognized_parameter(learner, key);
		if (!common_set(key, value, parse->common) && learner)
			unrecognized_parameter(learner, key);
		return;
	}
	if (value->type == jbvNull)
		return;
	refuse_given(learner->parameters, parse->given, p, key);
	parse->given = bms_add_member(parse->given, p - learner->parameters);
	parameter_set(p, value, parse->options);
}

static void
params_parse(ParseState *parse, Jsonb *params)
{
	memset(parse->common, 0, sizeof(TrainingOptions));
	parse->common->max_categories = parse->learner && parse->learner->takes_categories ? DEFAULT_MAX_CODES : DEFAULT_MAX_CATEGORIES;
	parse->common->time_zone = DEFAULT_TIME_ZONE;
	parse->common->checks = true;
	if (params != NULL)
		each_field(&params->root, "params", params_field, parse);
	resample_options_check(parse->common);
}

void
common_options_parse(Jsonb *params, TrainingOptions *common)
{
	ParseState	parse = {.common = common};

	params_parse(&parse, params);
}

void *
options_parse(const Learner *learner, Jsonb *params, TrainingOptions *common)
{
	ParseState	parse = {learner, palloc0(Max(learner->options_size, 1)), common, NULL};
	const char *refused;

	for (int i = 0; i < learner->nparameters; i++)
		parameter_reset(&learner->parameters[i], parse.options);
	params_parse(&parse, params);

	refused = learner->check ? learner->check(parse.options) : NULL;
	if (refused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("algorithm \"%s\": %s", learner->name, refused)));
	return parse.options;
}

static void
json_append_class_weight(StringInfo out, const ClassWeights *weights)
{
	if (weights->balanced)
		appendStringInfoString(out, "\"balanced\"");
	else if (weights->n == 0)
		appendStringInfoString(out, "null");
	else
	{
		for (int i = 0; i < weights->n; i++)
		{
			appendStringInfoString(out, i ? ", " : "{");
			json_append_string(out, weights->label[i]);
			appendStringInfoString(out, ": ");
			json_append_number(out, weights->weight[i]);
		}
		appendStringInfoChar(out, '}');
	}
}

static void
json_append_columns(StringInfo out, const ColumnValues *values)
{
	for (int i = 0; i < values->n; i++)
	{
		appendStringInfoString(out, i ? ", " : "{");
		json_append_string(out, values->column[i]);
		appendStringInfoString(out, ": ");
		json_append_number(out, values->value[i]);
	}
	appendStringInfoString(out, values->n ? "}" : "null");
}

char *
options_json(const Learner *learner, const void *options, const TrainingOptions *common)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < learner->nparameters; i++)
	{
		const Parameter *p = &learner->parameters[i];
		const void *field = (const char *) options + p->offset;

		appendStringInfo(&out, "\"%s\": ", p->name);
		if (p->type == PARAM_FLOAT && p->choices != NULL && *(const double *) field < 0)
			json_append_string(&out, p->choices[(int) (-1 - *(const double *) field)]);
		else if (p->type == PARAM_FLOAT)
			json_append_number(&out, *(const double *) field);
		else if (p->type == PARAM_BOOL)
			appendStringInfoString(&out, *(const bool *) field ? "true" : "false");
		else if (p->type == PARAM_CHOICE)
			json_append_string(&out, p->choices[*(const int *) field]);
		else if (p->type == PARAM_COLUMNS)
			json_append_columns(&out, field);
		else
			appendStringInfo(&out, "%d", *(const int *) field);
		appendStringInfoString(&out, ", ");
	}
	appendStringInfoString(&out, "\"class_weight\": ");
	json_append_class_weight(&out, &common->class_weight);
	appendStringInfo(&out, ", \"max_categories\": %d, \"metric\": ", common->max_categories);
	json_append_string(&out, common->metric);
	appendStringInfoString(&out, ", ");
	resample_append_json(&out, &common->resample);
	appendStringInfoString(&out, ", \"time_zone\": ");
	json_append_string(&out, common->time_zone);
	appendStringInfoChar(&out, '}');
	return out.data;
}

const Learner *
learner_or_fail(const char *name)
{
	const Learner *learner = learner_find(name);
	const char **names;

	if (learner != NULL)
		return learner;
	names = palloc(nlearners * sizeof(char *));
	for (int i = 0; i < nlearners; i++)
		names[i] = learners[i]->name;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("algorithm \"%s\" does not exist", name),
			 errhint("%s", valid_names_hint(name, names, nlearners, "algorithms"))));
}
