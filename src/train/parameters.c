/*
 * parameters.c
 *		JSON values for the parameters of a table (core/parameter.h), of learners and of transforms alike.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "train_internal.h"

const char *
json_type_name(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		default:
			return "an object or array";
	}
}

bool
json_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* Walk the top level of an object; anything else is an error that names the argument. */
void
each_field(JsonbContainer *container, const char *argument, JsonField field, void *state)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *key = NULL;

	if (!JsonContainerIsObject(container) || JsonContainerIsScalar(container))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object", argument)));

	it = JsonbIteratorInit(container);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			field(key, &value, state);
	}
}

double
json_number(const char *name, const JsonbValue *value)
{
	double		number;

	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be a number, not %s", name, json_type_name(value))));
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (isinf(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is out of range for double precision", name)));
	return number;
}

char *
json_text(const char *name, const JsonbValue *value)
{
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be a string, not %s", name, json_type_name(value))));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

bool
json_bool(const char *name, const JsonbValue *value)
{
	if (value->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be true or false, not %s", name, json_type_name(value))));
	return value->val.boolean;
}

/* ---- a parameter and its value ---- */

const char *
parameter_type_name(ParameterType type)
{
	static const char *const names[] = {"integer", "number", "boolean", "choice", "object", "text", "value", "numbers", "names"};

	return names[type];
}

static bool
name_in_list(const char *name, const char *list)
{
	Size		length = strlen(name);

	while (list != NULL && *list != '\0')
	{
		const char *comma = strchr(list, ',');
		Size		item = comma ? (Size) (comma - list) : strlen(list);

		if (item == length && strncmp(list, name, length) == 0)
			return true;
		list = comma ? comma + 1 + strspn(comma + 1, " ") : NULL;
	}
	return false;
}

const Parameter *
parameter_find(const Parameter *table, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		const Parameter *p = &table[i];

		if (strcmp(p->name, name) == 0 || name_in_list(name, p->aliases))
			return p;
	}
	return NULL;
}

static char *
choice_list(const Parameter *p)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; p->choices[i] != NULL; i++)
		appendStringInfo(&list, "%s\"%s\"", i ? ", " : "", p->choices[i]);
	return list.data;
}

static void
parameter_out_of_range(const Parameter *p, const char *shown)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameter \"%s\" cannot be %s", p->name, shown),
			 isinf(p->max) ? errhint("It must be at least %g.", p->min) :
			 isinf(p->min) ? errhint("It must be at most %g.", p->max) :
			 errhint("It must lie between %g and %g.", p->min, p->max)));
}

static int
parameter_choice(const Parameter *p, const JsonbValue *value)
{
	char	   *text = json_text(p->name, value);

	for (int i = 0; p->choices[i] != NULL; i++)
		if (strcmp(p->choices[i], text) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameter \"%s\" cannot be \"%s\"", p->name, text),
			 errhint("Valid values are %s.", choice_list(p))));
}

static double
parameter_number(const Parameter *p, const JsonbValue *value)
{
	double		number = json_number(p->name, value);
	char		shown[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, shown);
	if (!(number >= p->min && number <= p->max) || !isfinite(number))
		parameter_out_of_range(p, shown);
	if (p->type == PARAM_INT && number != rint(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" must be a whole number, not %s", p->name, shown)));
	return number;
}

typedef struct ColumnsState
{
	const Parameter *p;
	ColumnValues *values;
} ColumnsState;

static void
columns_field(const char *key, JsonbValue *value, void *state)
{
	const ColumnsState *columns = state;
	ColumnValues *values = columns->values;
	double		number = parameter_number(columns->p, value);

	values->column = values->n ? repalloc(values->column, (values->n + 1) * sizeof(char *)) : palloc(sizeof(char *));
	values->value = values->n ? repalloc(values->value, (values->n + 1) * sizeof(double)) : palloc(sizeof(double));
	values->column[values->n] = pstrdup(key);
	values->value[values->n++] = number;
}

static void
parameter_columns(const Parameter *p, const JsonbValue *value, ColumnValues *values)
{
	ColumnsState state = {p, values};

	if (!json_is_object(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" must be an object of column: number, not %s", p->name, json_type_name(value))));
	each_field(value->val.binary.data, p->name, columns_field, &state);
}

/* ---- lists and values ---- */

bool
json_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) && !JsonContainerIsScalar(value->val.binary.data);
}

int
json_list_length(const JsonbValue *value)
{
	return JsonContainerSize(value->val.binary.data);
}

JsonbValue *
json_element(const JsonbValue *array, int i)
{
	return getIthJsonbValueFromContainer(array->val.binary.data, (uint32) i);
}

/* A list, or one thing that stands for a list of one. */
static int
list_length_of(const JsonbValue *value)
{
	return json_is_array(value) ? json_list_length(value) : 1;
}

static const JsonbValue *
list_item(const JsonbValue *value, int i)
{
	return json_is_array(value) ? json_element(value, i) : value;
}

static NumberList
parameter_numbers(const Parameter *p, const JsonbValue *value)
{
	int			n = list_length_of(value);
	NumberList	list = {n, palloc(sizeof(double) * Max(n, 1))};

	for (int i = 0; i < n; i++)
		list.value[i] = parameter_number(p, list_item(value, i));
	return list;
}

static NameList
parameter_names(const Parameter *p, const JsonbValue *value)
{
	int			n = list_length_of(value);
	NameList	list = {n, palloc(sizeof(char *) * Max(n, 1))};

	for (int i = 0; i < n; i++)
		list.name[i] = json_text(p->name, list_item(value, i));
	return list;
}

static GivenValue
parameter_value(const Parameter *p, const JsonbValue *value)
{
	GivenValue	given = {.given = true};

	if (value->type == jbvString)
		given.text = json_text(p->name, value);
	else
		given.number = value->type == jbvBool ? value->val.boolean : json_number(p->name, value);
	return given;
}

void
parameter_set(const Parameter *p, const JsonbValue *value, void *options)
{
	void	   *field = (char *) options + p->offset;

	switch (p->type)
	{
		case PARAM_INT:
			*(int *) field = (int) parameter_number(p, value);
			break;
		case PARAM_FLOAT:
			*(double *) field = p->choices != NULL && value->type == jbvString ? -1 - parameter_choice(p, value) : parameter_number(p, value);
			break;
		case PARAM_BOOL:
			*(bool *) field = json_bool(p->name, value);
			break;
		case PARAM_CHOICE:
			*(int *) field = parameter_choice(p, value);
			break;
		case PARAM_COLUMNS:
			parameter_columns(p, value, field);
			break;
		case PARAM_TEXT:
			*(char **) field = json_text(p->name, value);
			break;
		case PARAM_VALUE:
			*(GivenValue *) field = parameter_value(p, value);
			break;
		case PARAM_NUMBERS:
			*(NumberList *) field = parameter_numbers(p, value);
			break;
		case PARAM_NAMES:
			*(NameList *) field = parameter_names(p, value);
			break;
	}
}

/* The options are zeroed: only defaults other than zero are set. */
void
parameter_reset(const Parameter *p, void *options)
{
	void	   *field = (char *) options + p->offset;

	if (p->type == PARAM_FLOAT)
		*(double *) field = p->fallback;
	else if (p->type == PARAM_BOOL)
		*(bool *) field = p->fallback != 0;
	else if (p->type == PARAM_INT || p->type == PARAM_CHOICE)
		*(int *) field = (int) p->fallback;
}

void
refuse_given(const Parameter *table, const Bitmapset *given, const Parameter *p, const char *key)
{
	int			i = -1;

	while ((i = bms_next_member(given, i)) >= 0)
	{
		const Parameter *other = &table[i];

		if (other == p)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" is given twice", p->name),
					 errdetail("\"%s\" is another name for it.", key)));
		if (p->says != 0 && other->says == p->says)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameters \"%s\" and \"%s\" say the same thing", other->name, p->name),
					 errhint("Give one of them.")));
	}
}
