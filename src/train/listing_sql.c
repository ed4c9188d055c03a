/*
 * listing_sql.c
 *		ml.transform_sql: what a preparation computes, as one SELECT that runs without this extension.
 *
 * The columns as they are read are the subquery x, what steps make for others are columns s<n> of subqueries after it, and the last ones are the columns
 * of the SELECT.  Parts that have no SQL form (dates, ranks...) are NULL with a remark.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_transform_sql);

static bool
is_number_type(const char *type)
{
	static const char *const types[] = {"smallint", "integer", "bigint", "real", "double precision", "numeric"};

	for (int i = 0; i < (int) lengthof(types); i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

static bool
is_integer_type(const char *type)
{
	return strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 || strcmp(type, "bigint") == 0;
}

/* An input as the cell it is read to; NULL where SQL has no short word for it. */
static char *
input_sql(const InputColumn *input)
{
	const char *name = psprintf("r.%s", quote_identifier(input->name));

	switch (input->kind)
	{
		case KIND_NUMBER:
			if (is_integer_type(input->type_name))
				return psprintf("%s::double precision", name);
			if (is_number_type(input->type_name))
				return psprintf("nullif(%s::double precision, 'NaN')", name);
			if (strcmp(input->type_name, "text") == 0 || strncmp(input->type_name, "character", 9) == 0)
				return psprintf("CASE WHEN %s ~ '^\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?\\s*$' THEN %s::double precision END", name, name);
			return NULL;
		case KIND_BOOLEAN:
			return psprintf("%s::integer::double precision", name);
		case KIND_CATEGORY:
		case KIND_TEXT:
			return psprintf("%s::text", name);
		case KIND_TIME:
		case KIND_INTERVAL:
			return psprintf("extract(epoch FROM %s)::double precision", name);
		case KIND_TIMESTAMP:
			return NULL;
	}
	return NULL;
}

/* A first subquery reads the columns; place gets what they are called from there on. */
static void
append_inputs(StringInfo from, const Features *features, char **place)
{
	int			n = 0;

	for (int i = 0; i < features->ninputs; i++)
	{
		const InputColumn *input = &features->inputs[i];
		const char *name = quote_identifier(input->name);
		char	   *expression = input->used ? input_sql(input) : NULL;

		if (expression == NULL)
			continue;
		appendStringInfo(from, "%s%s AS %s", n++ ? ",\n\t" : "\nCROSS JOIN LATERAL (SELECT\n\t", expression, name);
		place[i] = psprintf("x.%s", name);
	}
	appendStringInfoString(from, n > 0 ? ") AS x" : "");
}

/* The expressions of a step's outputs, where it has some. */
static void
step_sql(const Features *features, const FeatureStep *step, char *const *place, char **outputs)
{
	const char **operand = palloc(sizeof(char *) * step->noperands);
	OutputColumn *info = palloc(sizeof(OutputColumn) * step->noperands);

	for (int k = 0; k < step->noperands; k++)
	{
		operand[k] = place[step->operand[k]];
		info[k] = features->places[step->operand[k]];
		if (operand[k] == NULL)
			return;
	}
	if (step->transform->sql != NULL)
		step->transform->sql(step->fitted, operand, info, step->noperands, outputs);
}

/* The columns of a subquery; what has an expression gets a name others can use. */
static void
append_subquery(StringInfo from, const FeatureStep *step, char **expression, char **place)
{
	int			n = 0;

	for (int j = 0; j < step->width; j++)
	{
		int			at = step->first_output + j;

		if (expression[j] == NULL)
			continue;
		appendStringInfo(from, "%s%s AS s%d", n++ ? ", " : "\nCROSS JOIN LATERAL (SELECT ", expression[j], at);
		place[at] = psprintf("s%d", at);
	}
	if (n > 0)
		appendStringInfo(from, ") AS t%d", step->first_output);
}

static void
append_columns(StringInfo select, const Features *features, const FeatureStep *step, char **expression)
{
	for (int j = 0; j < step->width; j++)
	{
		const OutputColumn *output = &features->outputs[step->first_output + j];

		appendStringInfo(select, "%s\n\t", select->len > 6 ? "," : "");
		if (expression[j] != NULL)
			appendStringInfoString(select, expression[j]);
		else
			appendStringInfo(select, "NULL::double precision /* %s has no SQL form */", step->transform->name);
		appendStringInfo(select, " AS %s", quote_identifier(output->name));
	}
}

Datum
ml_transform_sql(PG_FUNCTION_ARGS)
{
	const Features *features = listed_model(fcinfo, RIGHT_PREDICT)->features;
	char	  **place = palloc0(sizeof(char *) * Max(features->nplaces, 1));
	StringInfoData select,
				from;

	initStringInfo(&select);
	initStringInfo(&from);
	appendStringInfoString(&select, "SELECT");
	appendStringInfo(&from, "\nFROM %s AS r", text_to_cstring(PG_GETARG_TEXT_PP(1)));
	append_inputs(&from, features, place);
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];
		char	  **expression = palloc0(sizeof(char *) * Max(step->width, 1));

		step_sql(features, step, place, expression);
		if (step->final)
			append_columns(&select, features, step, expression);
		else
			append_subquery(&from, step, expression, place);
	}
	appendStringInfoString(&select, from.data);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(select.data, select.len));
}
