/*
 * listing_transforms.c
 *		The steps of preprocess, and what those of a model have learned: ml.transforms, ml.transform_parameters, ml.transform_columns,
 *		ml.preprocess_params.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_transforms);
PG_FUNCTION_INFO_V1(ml_transform_parameters);
PG_FUNCTION_INFO_V1(ml_transform_columns);
PG_FUNCTION_INFO_V1(ml_preprocess_params);

/* ---- what there is ---- */

static List *
other_names(const Transform *transform)
{
	List	   *names = NIL;

	for (const TransformAlias *alias = transform->aliases; alias != NULL && alias->name != NULL; alias++)
		names = lappend(names, unconstify(char *, alias->name));
	return names;
}

static List *
kind_names(uint32 kinds)
{
	List	   *names = NIL;

	for (int kind = 1; kind <= KIND_LAST; kind++)
		if (kinds & (1 << kind))
			names = lappend(names, unconstify(char *, kind_name(kind)));
	return names;
}

Datum
ml_transforms(PG_FUNCTION_ARGS)
{
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < ntransforms; i++)
	{
		const Transform *transform = transforms[i];

		if (transform->family == NULL)
			continue;
		row_add_text(&row, transform->name);
		row_add_text(&row, transform->family);
		row_add_texts(&row, other_names(transform));
		row_add_texts(&row, kind_names(transform->kinds));
		row_add_bool(&row, transform->takes_all);
		row_add_text(&row, transform->help);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
ml_transform_parameters(PG_FUNCTION_ARGS)
{
	const TransformAlias *alias;
	const Transform *transform = transform_or_fail(NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)), &alias);
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < transform->nparameters; i++)
	{
		row_add_parameter(&row, &transform->parameters[i]);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- what a model has ---- */

/* Which step makes a place of the workspace; NULL: it is an input. */
static const FeatureStep *
maker(const Features *features, int place)
{
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		if (!step->final && place >= step->first_output && place < step->first_output + step->width)
			return step;
	}
	return NULL;
}

/* The inputs a step goes back to, in their order. */
static void
mark_inputs(const Features *features, const FeatureStep *step, bool *input)
{
	check_stack_depth();
	for (int k = 0; k < step->noperands; k++)
	{
		const FeatureStep *before = maker(features, step->operand[k]);

		if (before == NULL)
			input[step->operand[k]] = true;
		else
			mark_inputs(features, before, input);
	}
}

static List *
input_names(const Features *features, const FeatureStep *step)
{
	bool	   *input = palloc0(sizeof(bool) * Max(features->ninputs, 1));
	List	   *names = NIL;

	mark_inputs(features, step, input);
	for (int i = 0; i < features->ninputs; i++)
		if (input[i])
			names = lappend(names, features->inputs[i].name);
	return names;
}

/* From the input on; of a step of several columns the way of the first. */
static List *
step_names(const Features *features, const FeatureStep *step)
{
	List	   *names = NIL;

	for (; step != NULL; step = maker(features, step->operand[0]))
		names = lcons(unconstify(char *, step->transform->name), names);
	return names;
}

Datum
ml_transform_columns(PG_FUNCTION_ARGS)
{
	const Features *features = listed_model(fcinfo, RIGHT_PREDICT)->features;
	const Inverse *inverse = features_inverse(features);
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		for (int j = 0; step->final && j < step->width; j++)
		{
			const OutputColumn *output = &features->outputs[step->first_output + j];

			row_add_integer(&row, step->first_output + j + 1);
			row_add_text(&row, output->name);
			row_add_text(&row, features->groups[step->group].name);
			row_add_texts(&row, input_names(features, step));
			row_add_texts(&row, step_names(features, step));
			row_add_bool(&row, inverse->leads_back[step->first_output + j]);
			row_put(fcinfo, &row);
		}
	}
	return (Datum) 0;
}

typedef struct ParamLines
{
	FunctionCallInfo fcinfo;
	const Features *features;
	const FeatureStep *step;
	int			number;			/* of the step in its feature */
} ParamLines;

static void
put_line(void *state, const char *parameter, const char *text, double number)
{
	const ParamLines *lines = state;
	const FeatureStep *step = lines->step;
	ListRow		row = {0};

	row_add_text(&row, lines->features->groups[step->group].name);
	row_add_integer(&row, lines->number);
	row_add_text(&row, step->transform->name);
	row_add_text(&row, lines->features->places[step->operand[0]].name);
	row_add_text(&row, parameter);
	row_add_text(&row, text ? text : isnan(number) ? NULL : features_digits(number));
	row_add_number(&row, number);
	row_put(lines->fcinfo, &row);
}

Datum
ml_preprocess_params(PG_FUNCTION_ARGS)
{
	const Features *features = listed_model(fcinfo, RIGHT_PREDICT)->features;
	ParamLines	lines = {.fcinfo = fcinfo, .features = features};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];
		OutputColumn *operand = palloc(sizeof(OutputColumn) * step->noperands);

		lines.number = i > 0 && step[-1].group == step->group ? lines.number + 1 : 1;
		lines.step = step;
		for (int k = 0; k < step->noperands; k++)
			operand[k] = features->places[step->operand[k]];
		if (step->transform->learned != NULL)
			step->transform->learned(step->fitted, operand, step->noperands, put_line, &lines);
		pfree(operand);
	}
	return (Datum) 0;
}
