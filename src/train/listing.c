/*
 * listing.c
 *		What there is to choose from and what a model holds: ml.algorithms, ml.parameters, ml.coefficients, ml.describe.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_algorithms);
PG_FUNCTION_INFO_V1(ml_parameters);
PG_FUNCTION_INFO_V1(ml_coefficients);
PG_FUNCTION_INFO_V1(ml_describe);

#define MAX_LISTED 10

/* A row under construction for a materialised result. */
typedef struct Row
{
	int			n;
	Datum		value[MAX_LISTED];
	bool		null[MAX_LISTED];
} Row;

static void
add_text(Row *row, const char *text)
{
	row->null[row->n] = text == NULL;
	row->value[row->n++] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
add_number(Row *row, double value)
{
	row->null[row->n] = isnan(value);
	row->value[row->n++] = Float8GetDatum(value);
}

static void
add_bool(Row *row, bool value)
{
	row->null[row->n] = false;
	row->value[row->n++] = BoolGetDatum(value);
}

static void
add_texts(Row *row, List *texts)
{
	row->null[row->n] = texts == NIL;
	row->value[row->n++] = texts ? texts_datum(texts) : (Datum) 0;
}

static void
put_row(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	tuplestore_putvalues(result->setResult, result->setDesc, row->value, row->null);
	row->n = 0;
}

/* ---- algorithms and parameters ---- */

static List *
task_names(uint32 tasks)
{
	List	   *names = NIL;

	if (tasks & TASK_REGRESSION)
		names = lappend(names, "regression");
	if (tasks & TASK_BINARY)
		names = lappend(names, "binary classification");
	if (tasks & TASK_MULTICLASS)
		names = lappend(names, "multiclass classification");
	return names;
}

Datum
ml_algorithms(PG_FUNCTION_ARGS)
{
	Row			row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < nlearners; i++)
	{
		add_text(&row, learners[i]->name);
		add_texts(&row, task_names(learners[i]->tasks));
		add_text(&row, learners[i]->help);
		put_row(fcinfo, &row);
	}
	return (Datum) 0;
}

static List *
alias_list(const char *aliases)
{
	List	   *list = NIL;
	char	   *copy = aliases ? pstrdup(aliases) : NULL;

	for (char *name = copy ? strtok(copy, ", ") : NULL; name != NULL; name = strtok(NULL, ", "))
		list = lappend(list, name);
	return list;
}

static List *
choices_list(const char *const *choices)
{
	List	   *list = NIL;

	for (int i = 0; choices && choices[i] != NULL; i++)
		list = lappend(list, unconstify(char *, choices[i]));
	return list;
}

static const char *
default_text(const Parameter *p)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (p->type == PARAM_BOOL)
		return p->fallback != 0 ? "true" : "false";
	if (p->type == PARAM_CHOICE)
		return p->choices[(int) p->fallback];
	if (p->type == PARAM_COLUMNS || isnan(p->fallback))
		return NULL;
	double_to_shortest_decimal_buf(p->fallback, digits);
	return pstrdup(digits);
}

/* Bounds are shown where there are any. */
static double
bound(const Parameter *p, double value)
{
	return (p->type == PARAM_INT || p->type == PARAM_FLOAT) && isfinite(value) ? value : NAN;
}

Datum
ml_parameters(PG_FUNCTION_ARGS)
{
	const Learner *learner = learner_or_fail(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Row			row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < learner->nparameters; i++)
	{
		const Parameter *p = &learner->parameters[i];

		add_text(&row, p->name);
		add_text(&row, parameter_type_name(p->type));
		add_text(&row, default_text(p));
		add_number(&row, bound(p, p->min));
		add_number(&row, bound(p, p->max));
		add_texts(&row, p->type == PARAM_CHOICE ? choices_list(p->choices) : NIL);
		add_texts(&row, alias_list(p->aliases));
		add_text(&row, p->help);
		put_row(fcinfo, &row);
	}
	for (int i = 0; i < ntraining_parameters; i++)
	{
		const TrainingParameter *p = &training_parameters[i];

		add_text(&row, p->name);
		add_text(&row, p->type);
		add_text(&row, p->fallback);
		add_number(&row, NAN);
		add_number(&row, NAN);
		add_texts(&row, NIL);
		add_texts(&row, NIL);
		add_text(&row, p->help);
		put_row(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- what a model holds ---- */

/* The model a reference names, pinned until the call's context goes. */
static Model *
open_model(FunctionCallInfo fcinfo, ModelRight right)
{
	ModelVersion version;
	Model	   *model;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), right, &version);
	model = registry_open(&version);
	model_unpin_with(CurrentMemoryContext, model);
	return model;
}

Datum
ml_coefficients(PG_FUNCTION_ARGS)
{
	Model	   *model = open_model(fcinfo, RIGHT_PREDICT);
	Coefficient *list;
	int			count;
	Row			row = {0};

	if (model->learner->coefficients == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("algorithm \"%s\" has no coefficients", model->learner->name)));
	list = model->learner->coefficients(model->state, &count);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		const Coefficient *c = &list[i];
		const OutputColumn *output = c->column < 0 ? NULL : &model->features->outputs[c->column];

		add_text(&row, c->class_index < 0 ? NULL : model->labels[c->class_index]);
		add_text(&row, output ? output->name : "(intercept)");
		add_text(&row, output ? model->features->inputs[output->input].name : NULL);
		add_number(&row, c->estimate);
		add_number(&row, c->standard_error);
		add_number(&row, c->statistic);
		add_number(&row, c->p_value);
		add_number(&row, c->vif);
		add_text(&row, c->reason);
		put_row(fcinfo, &row);
	}
	return (Datum) 0;
}

static List *
level_list(const InputColumn *input)
{
	List	   *levels = NIL;

	for (int code = 0; input->levels && code < dictionary_size(input->levels); code++)
		levels = lappend(levels, unconstify(char *, dictionary_text(input->levels, code)));
	return levels;
}

Datum
ml_describe(PG_FUNCTION_ARGS)
{
	Model	   *model = open_model(fcinfo, RIGHT_PREDICT);
	Row			row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < model->features->ninputs; i++)
	{
		const InputColumn *input = &model->features->inputs[i];
		const ColumnBaseline *seen = &model->baseline[i];

		add_text(&row, input->name);
		add_text(&row, input->type_name);
		add_text(&row, kind_name(input->kind));
		add_bool(&row, input->used);
		add_text(&row, input->why_unused);
		add_number(&row, seen->n > 0 ? (double) seen->missing / seen->n : NAN);
		add_number(&row, seen->mean);
		add_number(&row, seen->min);
		add_number(&row, seen->max);
		add_texts(&row, level_list(input));
		put_row(fcinfo, &row);
	}
	return (Datum) 0;
}
