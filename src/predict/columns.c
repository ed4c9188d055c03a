/*
 * columns.c
 *		Rows as arguments: predict_columns(model, names, VARIADIC "any").
 *
 * The quickest form, and the one the planner turns whole-row calls into: no row has to be built and taken apart.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "predict/predict_internal.h"

/* The names point into the array; errors where they do not fit the values. */
static RowColumn *
named_columns(FunctionCallInfo fcinfo, ArrayType *names, int first)
{
	Datum	   *element;
	bool	   *null;
	int			nnames;
	RowColumn  *columns;

	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the values of named columns must be given one by one, not as a VARIADIC array"),
				 errhint("Give many columns as a row: ml.predict(model, t.*).")));
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &element, &null, &nnames);
	if (nnames != PG_NARGS() - first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d column names are given for %d values", nnames, PG_NARGS() - first)));
	columns = palloc(Max(nnames, 1) * sizeof(RowColumn));
	for (int i = 0; i < nnames; i++)
	{
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column name %d is NULL", i + 1)));
		columns[i].name = VARDATA_ANY(DatumGetPointer(element[i]));
		columns[i].length = VARSIZE_ANY_EXHDR(DatumGetPointer(element[i]));
		columns[i].type = get_fn_expr_argtype(fcinfo->flinfo, first + i);
		columns[i].attribute = i;
	}
	return columns;
}

/*
 * Untyped literals have no reader: a NULL or a string in the query's own text, read once here and put over the cells of every row.
 */
static void
read_literals(PredictCall *call, FunctionCallInfo fcinfo, InputBinding *binding, int first)
{
	int			ninputs = call->model->features->ninputs;

	call->nconstants = 0;
	call->constant_input = palloc(Max(ninputs, 1) * sizeof(int));
	call->constant_cell = palloc(Max(ninputs, 1) * sizeof(double));
	for (int k = 0; k < binding->nothers; k++)
	{
		BoundInput *bound = &binding->other[k];
		int			argument = first + bound->attribute;
		int			i = bound->input;
		const char *literal;

		if (bound->attribute < 0 || get_fn_expr_argtype(fcinfo->flinfo, argument) != UNKNOWNOID)
			continue;
		call->only_here = true;
		bound->attribute = -1;
		if (PG_ARGISNULL(argument))
			continue;
		if (!get_fn_expr_arg_stable(fcinfo->flinfo, argument))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("the type of column \"%s\" is not known", call->model->features->inputs[i].name),
					 errhint("Cast the value to the column's type.")));
		literal = PG_GETARG_CSTRING(argument);
		call->constant_input[call->nconstants] = i;
		if (!binding_parse(call->model, i, literal, strlen(literal), &call->constant_cell[call->nconstants]))
			binding_unreadable(call->model, predict_origin(call), i, literal, strlen(literal));
		call->nconstants++;
	}
}

static void
bind_columns(PredictCall *call, FunctionCallInfo fcinfo, ArrayType *names, int first)
{
	MemoryContext context = predict_rebind(call);
	RowColumn  *columns = named_columns(fcinfo, names, first);
	InputBinding *binding = binding_match(call->model, predict_origin(call), columns, PG_NARGS() - first, context);
	MemoryContext old = MemoryContextSwitchTo(context);

	read_literals(call, fcinfo, binding, first);
	call->names = (ArrayType *) palloc(VARSIZE(names));
	memcpy(call->names, names, VARSIZE(names));
	MemoryContextSwitchTo(old);
	call->binding = binding;
}

void
predict_read_named(PredictCall *call, FunctionCallInfo fcinfo, int names_argument)
{
	int			first = names_argument + 1;
	ArrayType  *names;
	MemoryContext old;

	if (PG_ARGISNULL(names_argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the column names are NULL")));
	MemoryContextReset(call->work);
	old = MemoryContextSwitchTo(call->work);
	names = PG_GETARG_ARRAYTYPE_P(names_argument);
	if (call->binding == NULL || VARSIZE(call->names) != VARSIZE(names) || memcmp(call->names, names, VARSIZE(names)) != 0)
		bind_columns(call, fcinfo, names, first);
	binding_read_arguments(call->binding, &fcinfo->args[first], call->cells);
	for (int i = 0; i < call->nconstants; i++)
		call->cells[call->constant_input[i]] = call->constant_cell[i];
	MemoryContextSwitchTo(old);
}

void
predict_named(PredictCall *call, FunctionCallInfo fcinfo, int names_argument)
{
	predict_read_named(call, fcinfo, names_argument);
	model_score(call->model, call->cells, 1, call->scores);
}
