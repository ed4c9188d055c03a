/*
 * json.c
 *		Reading JSON that may hold anything: every value is asked for by name and type, and what does not fit is named by its path.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "core/json_type.h"
#include "json_internal.h"

JsonPlace
json_parse_text(const ForeignModel *m, const char *text)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	JsonPlace	root = {m, "", NULL};

	if (!JB_ROOT_IS_OBJECT(json) && !(JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json)))
		malformed(m, "It is neither a JSON object nor an array.");
	root.container = &json->root;
	return root;
}

static JsonbValue *
find(const JsonPlace *place, const char *key)
{
	if (!JsonContainerIsObject(place->container))
		malformed(place->model, "\"%s\" is no object.", place->path);
	return getKeyJsonValueFromContainer(place->container, key, strlen(key), NULL);
}

static JsonbValue *
need(const JsonPlace *place, const char *key)
{
	JsonbValue *value = find(place, key);

	if (value == NULL)
		malformed(place->model, "\"%s%s\" is missing.", place->path, key);
	return value;
}

bool
json_has(const JsonPlace *place, const char *key)
{
	return find(place, key) != NULL;
}

/* Paths end in a dot, so that a key can follow. */
static JsonPlace
inside(const JsonPlace *place, const JsonbValue *value, char *path, bool array)
{
	if (value->type != jbvBinary || JsonContainerIsArray(value->val.binary.data) != array)
		malformed(place->model, "\"%s\" is %s where %s belongs.", path, json_type_name(value), array ? "an array" : "an object");
	return (JsonPlace) {place->model, psprintf("%s%s", path, array ? "" : "."), value->val.binary.data};
}

JsonPlace
json_get_object(const JsonPlace *place, const char *key)
{
	return inside(place, need(place, key), psprintf("%s%s", place->path, key), false);
}

JsonPlace
json_get_array(const JsonPlace *place, const char *key)
{
	return inside(place, need(place, key), psprintf("%s%s", place->path, key), true);
}

JsonPlace
json_get_element(const JsonPlace *place, const JsonbValue *value, int index, bool array)
{
	return inside(place, value, psprintf("%s[%d]", place->path, index), array);
}

int
json_length(const JsonPlace *place)
{
	return JsonContainerSize(place->container);
}

/* ---- strings and numbers ---- */

char *
json_get_string(const JsonPlace *place, const char *key)
{
	JsonbValue *value = need(place, key);

	if (value->type != jbvString)
		malformed(place->model, "\"%s%s\" is %s where a string belongs.", place->path, key, json_type_name(value));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* XGBoost writes its parameters as strings: "3"; a number does as well. */
int
json_get_int(const JsonPlace *place, const char *key, int low, int high)
{
	JsonbValue *value = need(place, key);
	double		number = NAN;

	if (value->type == jbvNumeric)
		number = json_get_number(value);
	else if (value->type != jbvString || !parse_finite(pnstrdup(value->val.string.val, value->val.string.len), &number))
		malformed(place->model, "\"%s%s\" is no number.", place->path, key);
	if (!(number >= low && number <= high && number == floor(number)))
		malformed(place->model, "\"%s%s\" is %g, not a whole number from %d to %d.", place->path, key, number, low, high);
	return (int) number;
}

double
json_get_number(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

char *
json_get_scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return numeric_normalize(value->val.numeric);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

JsonbIterator *
json_begin(const JsonPlace *array, JsonbValue *value)
{
	JsonbIterator *it = JsonbIteratorInit(array->container);

	(void) JsonbIteratorNext(&it, value, true);
	return it;
}

bool
json_next(JsonbIterator **it, JsonbValue *value)
{
	return JsonbIteratorNext(it, value, true) == WJB_ELEM;
}

#define INTERRUPT_EVERY 4096

double *
json_get_numbers(const JsonPlace *place, const char *key, int expected)
{
	JsonPlace	array = json_get_array(place, key);
	double	   *numbers;
	JsonbValue	value;
	JsonbIterator *it;
	int			n = 0;

	if (expected >= 0 && json_length(&array) != expected)
		malformed(place->model, "\"%s\" has %d elements where %d belong.", array.path, json_length(&array), expected);
	numbers = palloc_extended(sizeof(double) * Max(json_length(&array), 1), MCXT_ALLOC_HUGE);
	it = json_begin(&array, &value);
	while (json_next(&it, &value))
	{
		if (n % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (value.type != jbvNumeric && value.type != jbvBool)
			malformed(place->model, "\"%s[%d]\" is %s where a number belongs.", array.path, n, json_type_name(&value));
		numbers[n++] = value.type == jbvBool ? value.val.boolean : json_get_number(&value);
	}
	return numbers;
}

int *
json_get_ints(const JsonPlace *place, const char *key, int expected, int low, int high)
{
	double	   *numbers = json_get_numbers(place, key, expected);
	int			n = expected >= 0 ? expected : json_count(place, key);
	int		   *ints = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
	{
		if (!(numbers[i] >= low && numbers[i] <= high && numbers[i] == floor(numbers[i])))
			malformed(place->model, "\"%s%s[%d]\" is %g, not a whole number from %d to %d.", place->path, key, i, numbers[i], low, high);
		ints[i] = (int) numbers[i];
	}
	pfree(numbers);
	return ints;
}

int
json_count(const JsonPlace *place, const char *key)
{
	JsonPlace	array;

	if (!json_has(place, key))
		return 0;
	array = json_get_array(place, key);
	return json_length(&array);
}

/* ---- categories ---- */

static const char *
level_type(const JsonbValue *value, const char *sofar)
{
	const char *type = value->type == jbvString ? "text" : value->type == jbvBool ? "boolean" : "integer";

	if (value->type == jbvNumeric && json_get_number(value) != floor(json_get_number(value)))
		type = "double precision";
	if (sofar == NULL || strcmp(sofar, type) == 0)
		return type;
	return *sofar == 't' || *sofar == 'b' || *type == 't' || *type == 'b' ? "text" : "double precision";
}

void
foreign_set_levels(ForeignModel *m, int column, const JsonPlace *levels)
{
	ForeignColumn *c = &m->column[column];
	const char *type = NULL;
	JsonbValue	value;
	JsonbIterator *it = json_begin(levels, &value);

	c->kind = KIND_CATEGORY;
	c->level = palloc_extended(sizeof(char *) * Max(json_length(levels), 1), MCXT_ALLOC_HUGE);
	while (json_next(&it, &value))
	{
		char	   *text = json_get_scalar_text(&value);

		if (text == NULL)
			malformed(m, "Category %d of feature \"%s\" is neither text nor number.", c->nlevels, c->name);
		type = level_type(&value, type);
		c->level[c->nlevels++] = text;
	}
	c->type_name = type != NULL ? type : "text";
}
