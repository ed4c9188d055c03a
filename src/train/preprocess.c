/*
 * preprocess.c
 *		The preprocess argument: for each column a chain of steps, and features derived from columns.
 *
 *	{"age": ["impute_median", "standardize"], "city": {"onehot": {"max_categories": 10}}, "fare_per_head": {"ratio": ["fare", "heads"]}}
 *
 * A step is a name, or an object of one name and its arguments: an object of parameters, or one value for the first parameter that takes such a one.
 * {"scale": "minmax"} says the same as "minmax".  A first step that names columns makes the key a new feature.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "train_internal.h"

typedef struct StepParse
{
	const char *column;			/* key of the chain */
	bool		first;			/* may name columns */
	const Transform *transform;
	void	   *options;
	Bitmapset  *given;
	NameList	columns;
	NameList   *role;			/* (number of roles) */
} StepParse;

static const char *const readings[] = {"category", "number"};

/* ---- names ---- */

static char *
step_hint(const char *name)
{
	const char **names = palloc((ntransforms + lengthof(readings) + 1) * sizeof(char *));
	int			n = 0;

	for (int i = 0; i < ntransforms; i++)
		if (transforms[i]->family != NULL)
			names[n++] = transforms[i]->name;
	for (int i = 0; i < (int) lengthof(readings); i++)
		names[n++] = readings[i];
	names[n++] = "drop";
	return psprintf("%s ml.transforms() describes them.", valid_names_hint(name, names, n, "steps"));
}

const Transform *
transform_or_fail(const char *column, const char *name, const TransformAlias **alias)
{
	const Transform *transform = transform_find(name, alias);

	if (transform == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 column ? errmsg("preprocess step \"%s\" of \"%s\" not recognized", name, column) : errmsg("preprocess step \"%s\" not recognized", name),
				 errhint("%s", step_hint(name))));
	return transform;
}

static bool
is_family(const char *name)
{
	for (int i = 0; i < ntransforms; i++)
		if (transforms[i]->family != NULL && strcmp(transforms[i]->family, name) == 0)
			return true;
	return false;
}

/* ---- arguments of a step ---- */

static int
find_role(const Transform *transform, const char *name)
{
	for (int i = 0; transform->roles != NULL && transform->roles[i] != NULL; i++)
		if (strcmp(transform->roles[i], name) == 0)
			return i;
	return -1;
}

static NameList
column_names(const char *key, const JsonbValue *value)
{
	NameList	list;
	const Parameter names = {.name = key, .type = PARAM_NAMES, .offset = 0};

	parameter_set(&names, value, &list);
	if (list.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of preprocess must name at least one column", key)));
	return list;
}

static void
take_columns(StepParse *parse, const char *key, const JsonbValue *value, int role)
{
	if (!parse->first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("only the first step of \"%s\" can name columns", parse->column),
				 errdetail("Step \"%s\" takes what the step before it makes.", parse->transform->name)));
	if (role >= 0)
		parse->role[role] = column_names(key, value);
	else
		parse->columns = column_names(key, value);
}

static void
set_parameter(StepParse *parse, const Parameter *p, const char *key, const JsonbValue *value)
{
	refuse_given(parse->transform->parameters, parse->given, p, key);
	parse->given = bms_add_member(parse->given, p - parse->transform->parameters);
	parameter_set(p, value, parse->options);
}

static void
argument_field(const char *key, JsonbValue *value, void *state)
{
	StepParse  *parse = state;
	const Transform *transform = parse->transform;
	const Parameter *p = parameter_find(transform->parameters, transform->nparameters, key);
	int			role = find_role(transform, key);
	const char **names;
	int			n = 0;

	if (p == NULL && (role >= 0 || strcmp(key, "columns") == 0 || strcmp(key, "column") == 0))
	{
		take_columns(parse, key, value, role);
		return;
	}
	if (p != NULL)
	{
		if (value->type != jbvNull)
			set_parameter(parse, p, key, value);
		return;
	}
	names = palloc((transform->nparameters + 1) * sizeof(char *));
	for (int i = 0; i < transform->nparameters; i++)
		names[n++] = transform->parameters[i].name;
	names[n++] = "columns";
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("preprocess step \"%s\" of \"%s\" has no parameter \"%s\"", transform->name, parse->column, key),
			 errhint("%s", valid_names_hint(key, names, n, "parameters"))));
}

/* Can a value that is given alone be meant for a parameter of a type? */
static bool
fits_type(ParameterType type, const JsonbValue *value)
{
	const JsonbValue *item = value;
	bool		list = json_is_array(value);

	if (list && json_list_length(value) > 0)
		item = json_element(value, 0);
	switch (type)
	{
		case PARAM_INT:
		case PARAM_FLOAT:
			return !list && item->type == jbvNumeric;
		case PARAM_NUMBERS:
			return item->type == jbvNumeric;
		case PARAM_BOOL:
			return !list && item->type == jbvBool;
		case PARAM_CHOICE:
		case PARAM_TEXT:
			return !list && item->type == jbvString;
		case PARAM_NAMES:
			return item->type == jbvString;
		case PARAM_VALUE:
			return !list && item->type != jbvNull && item->type != jbvBinary;
		case PARAM_COLUMNS:
			return false;
	}
	return false;
}

/* {"clip": [0, 10]}: the first parameter of the type; else names are those of columns. */
static void
take_bare_value(StepParse *parse, const JsonbValue *value)
{
	const Transform *transform = parse->transform;

	for (int i = 0; i < transform->nparameters; i++)
		if (fits_type(transform->parameters[i].type, value))
		{
			set_parameter(parse, &transform->parameters[i], transform->parameters[i].name, value);
			return;
		}
	if (fits_type(PARAM_NAMES, value))
		take_columns(parse, transform->name, value, -1);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preprocess step \"%s\" of \"%s\" cannot take %s", transform->name, parse->column, json_type_name(value)),
				 errhint("Give an object of its parameters; ml.transforms() lists them.")));
}

/* The columns by role, one after the other. */
static void
gather_roles(StepParse *parse)
{
	const char *const *roles = parse->transform->roles;
	int			given = 0;
	int			nroles = 0;

	for (int i = 0; roles != NULL && roles[i] != NULL; i++, nroles++)
		given += parse->role[i].n > 0;
	if (given == 0)
		return;
	if (parse->columns.n > 0 || given < nroles)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preprocess step \"%s\" of \"%s\" does not say all its columns", parse->transform->name, parse->column),
				 errdetail("Its columns are \"%s\"%s%s%s.", roles[0], nroles > 1 ? " and \"" : "", nroles > 1 ? roles[nroles - 1] : "",
						   nroles > 1 ? "\"" : "")));
	parse->columns.name = palloc(sizeof(char *));
	for (int i = 0; i < nroles; i++)
	{
		parse->columns.name = repalloc(parse->columns.name, sizeof(char *) * (parse->columns.n + parse->role[i].n));
		for (int k = 0; k < parse->role[i].n; k++)
			parse->columns.name[parse->columns.n++] = parse->role[i].name[k];
	}
}

static void
apply_alias(StepParse *parse, const TransformAlias *alias)
{
	const Parameter *p;
	void	   *field;

	if (alias == NULL || alias->parameter == NULL)
		return;
	p = parameter_find(parse->transform->parameters, parse->transform->nparameters, alias->parameter);
	field = (char *) parse->options + p->offset;
	if (p->type == PARAM_FLOAT)
		*(double *) field = alias->value;
	else if (p->type == PARAM_BOOL)
		*(bool *) field = alias->value != 0;
	else
		*(int *) field = (int) alias->value;
	parse->given = bms_add_member(parse->given, p - parse->transform->parameters);
}

/* A step by name; value: its arguments, or NULL. */
static StepSpec *
named_step(const char *column, const char *name, const JsonbValue *value, bool first, NameList *columns)
{
	const TransformAlias *alias;
	const Transform *transform = transform_or_fail(column, name, &alias);
	StepParse	parse = {.column = column, .first = first, .transform = transform};
	StepSpec   *step = palloc(sizeof(StepSpec));
	int			nroles = 0;
	const char *refused;

	while (transform->roles != NULL && transform->roles[nroles] != NULL)
		nroles++;
	parse.role = palloc0(sizeof(NameList) * Max(nroles, 1));
	parse.options = palloc0(Max(transform->options_size, 1));
	for (int i = 0; i < transform->nparameters; i++)
		parameter_reset(&transform->parameters[i], parse.options);
	apply_alias(&parse, alias);
	if (value != NULL && json_is_object(value))
		each_field(value->val.binary.data, name, argument_field, &parse);
	else if (value != NULL && !(value->type == jbvBool && value->val.boolean))
		take_bare_value(&parse, value);
	gather_roles(&parse);

	refused = transform->check != NULL ? transform->check(parse.options) : NULL;
	if (refused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preprocess step \"%s\" of \"%s\": %s", name, column, refused)));
	*step = (StepSpec) {transform, parse.options};
	*columns = parse.columns;
	return step;
}

/* ---- a step ---- */

/* The only field of an object. */
typedef struct OnlyField
{
	int			n;
	const char *key;
	JsonbValue	value;
} OnlyField;

static void
only_field(const char *key, JsonbValue *value, void *state)
{
	OnlyField  *field = state;

	field->n++;
	field->key = key;
	field->value = *value;
}

static OnlyField
step_object(const char *column, const JsonbValue *value)
{
	OnlyField	field = {0};

	if (!json_is_object(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a preprocess step of \"%s\" must be a name or an object of one name, not %s", column, json_type_name(value))));
	each_field(value->val.binary.data, "preprocess", only_field, &field);
	if (field.n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a preprocess step of \"%s\" must be an object of one name, not of %d", column, field.n),
				 errhint("Several steps are an array: [\"impute_median\", {\"clip\": [0, 100]}].")));
	return field;
}

/* {"scale": "minmax"} and {"encode": {"target": {...}}} mean what is inside. */
static StepSpec *
parse_step(const char *column, const JsonbValue *value, bool first, NameList *columns)
{
	const TransformAlias *alias;
	OnlyField	field;

	*columns = (NameList) {0};
	if (value->type == jbvString)
		return named_step(column, json_text(column, value), NULL, first, columns);
	field = step_object(column, value);
	if (transform_find(field.key, &alias) == NULL && is_family(field.key))
		return parse_step(column, &field.value, first, columns);
	return named_step(column, field.key, &field.value, first, columns);
}

/* ---- a key and its steps ---- */

static bool
is_word(const JsonbValue *value, const char *word)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(word) && strncmp(value->val.string.val, word, strlen(word)) == 0;
}

/* Steps from "start" on; the first of them all may name columns. */
static void
parse_chain(FeatureSpec *spec, const JsonbValue *value, int start)
{
	int			n = json_is_array(value) ? json_list_length(value) : 1;

	for (int i = start; i < n; i++)
	{
		const JsonbValue *item = json_is_array(value) ? json_element(value, i) : value;
		NameList	columns;

		if (is_word(item, "drop"))
		{
			if (n > 1)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("preprocess step \"drop\" of \"%s\" must stand alone", spec->name)));
			spec->drop = true;
			continue;
		}
		spec->steps = lappend(spec->steps, parse_step(spec->name, item, i == 0, &columns));
		if (columns.n > 0)
			spec->columns = columns;
	}
}

static void
preprocess_field(const char *key, JsonbValue *value, void *state)
{
	Preprocess *into = state;
	FeatureSpec *spec = palloc0(sizeof(FeatureSpec));
	int			n = json_is_array(value) ? json_list_length(value) : 1;
	const JsonbValue *first = json_is_array(value) && n > 0 ? json_element(value, 0) : value;
	int			start = 0;

	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("preprocess names no step for column \"%s\"", key)));
	spec->name = pstrdup(key);
	for (int i = 0; i < (int) lengthof(readings); i++)
		if (is_word(first, readings[i]))
			start = 1;
	if (start == 1)
	{
		List	  **list = is_word(first, "category") ? &into->categories : &into->numbers;

		*list = lappend(*list, spec->name);
		if (n == 1)
			return;				/* the reading is all */
	}
	parse_chain(spec, value, start);
	into->specs = lappend(into->specs, spec);
}

static int
by_name(const ListCell *a, const ListCell *b)
{
	return strcmp(((const FeatureSpec *) lfirst(a))->name, ((const FeatureSpec *) lfirst(b))->name);
}

static bool
is_derived_name(const Preprocess *into, const char *name)
{
	ListCell   *cell;

	foreach(cell, into->specs)
	{
		const FeatureSpec *spec = lfirst(cell);

		if (spec->columns.n > 0 && strcmp(spec->name, name) == 0)
			return true;
	}
	return false;
}

void
preprocess_parse(Jsonb *preprocess, Preprocess *into)
{
	ListCell   *cell;

	memset(into, 0, sizeof(*into));
	if (preprocess == NULL)
		return;
	each_field(&preprocess->root, "preprocess", preprocess_field, into);
	list_sort(into->specs, by_name);
	foreach(cell, into->specs)
	{
		FeatureSpec *spec = lfirst(cell);

		if (spec->columns.n == 0)
			into->prepared = lappend(into->prepared, spec->name);
		for (int k = 0; k < spec->columns.n; k++)
			if (!is_derived_name(into, spec->columns.name[k]))
				into->needed = lappend(into->needed, spec->columns.name[k]);
	}
}
