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
	if (tasks & TASK_ANOMALY)
		names = lappend(names, "anomaly detection");
	return names;
}

Datum
ml_algorithms(PG_FUNCTION_ARGS)
{
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < nlearners; i++)
	{
		row_add_text(&row, learners[i]->name);
		row_add_texts(&row, task_names(learners[i]->tasks));
		row_add_text(&row, learners[i]->help);
		row_put(fcinfo, &row);
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
	if (p->type >= PARAM_COLUMNS || isnan(p->fallback))
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

void
row_add_parameter(ListRow *row, const Parameter *p)
{
	row_add_text(row, p->name);
	row_add_text(row, parameter_type_name(p->type));
	row_add_text(row, default_text(p));
	row_add_number(row, bound(p, p->min));
	row_add_number(row, bound(p, p->max));
	row_add_texts(row, choices_list(p->choices));
	row_add_texts(row, alias_list(p->aliases));
	row_add_text(row, p->help);
}

Datum
ml_parameters(PG_FUNCTION_ARGS)
{
	const Learner *learner = learner_or_fail(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < learner->nparameters; i++)
	{
		row_add_parameter(&row, &learner->parameters[i]);
		row_put(fcinfo, &row);
	}
	for (int i = 0; i < ntraining_parameters; i++)
	{
		const TrainingParameter *p = &training_parameters[i];

		if (!(p->tasks & learner->tasks))
			continue;
		row_add_text(&row, p->name);
		row_add_text(&row, p->type);
		row_add_text(&row, p->fallback);
		row_add_number(&row, NAN);
		row_add_number(&row, NAN);
		row_add_texts(&row, NIL);
		row_add_texts(&row, NIL);
		row_add_text(&row, p->help);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- what a model holds ---- */

Datum
ml_coefficients(PG_FUNCTION_ARGS)
{
	Model	   *model = listed_model(fcinfo, RIGHT_PREDICT);
	Coefficient *list;
	int			count;
	ListRow		row = {0};

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

		row_add_text(&row, c->class_index < 0 ? NULL : model->labels[c->class_index]);
		row_add_text(&row, output ? output->name : "(intercept)");
		row_add_text(&row, output ? model->features->groups[output->group].name : NULL);
		row_add_number(&row, c->estimate);
		row_add_number(&row, c->standard_error);
		row_add_number(&row, c->statistic);
		row_add_number(&row, c->p_value);
		row_add_number(&row, c->vif);
		row_add_text(&row, c->reason);
		row_put(fcinfo, &row);
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
	Model	   *model = listed_model(fcinfo, RIGHT_PREDICT);
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < model->features->ninputs; i++)
	{
		const InputColumn *input = &model->features->inputs[i];
		const ColumnBaseline *seen = &model->baseline[i];

		row_add_text(&row, input->name);
		row_add_text(&row, input->type_name);
		row_add_text(&row, kind_name(input->kind));
		row_add_bool(&row, input->used);
		row_add_text(&row, input->why_unused);
		row_add_number(&row, seen->n > 0 ? (double) seen->missing / seen->n : NAN);
		row_add_text(&row, cell_shown(input->kind, seen->mean));
		row_add_text(&row, cell_shown(input->kind, seen->min));
		row_add_text(&row, cell_shown(input->kind, seen->max));
		row_add_texts(&row, level_list(input));
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}
