/*
 * listing_rules.c
 *		A single decision tree for people and for other databases: ml.tree_rules, ml.tree_sql.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "common/string.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/tree.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_tree_rules);
PG_FUNCTION_INFO_V1(ml_tree_sql);

static const Trees *
single_tree(const Model *model)
{
	if (model->learner != &decision_tree_learner)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("algorithm \"%s\" is not a single decision tree", model->learner->name),
				 errhint("Train with algorithm => 'decision_tree'; ml.trees lists the nodes of models of several trees.")));
	return model->learner->trees(model->state);
}

/* What the model answers in a leaf: a number, or probabilities. */
static const double *
leaf_answer(const Model *model, const Trees *trees, uint32 leaf)
{
	double	   *answer = palloc(sizeof(double) * trees->nvalues);

	memcpy(answer, trees->value + (Size) leaf * trees->nvalues, sizeof(double) * trees->nvalues);
	if (model->prior_factor != NULL)
		model_correct(model, 1, answer);
	return answer;
}

/* The same for people: a number, or the label of a class. */
static char *
leaf_prediction(const Model *model, const Trees *trees, uint32 leaf)
{
	const double *value = leaf_answer(model, trees, leaf);
	char	   *digits;

	if (model->task != TASK_REGRESSION)
		return model->labels[scored_class(model->task, model->nclasses, model->positive, value)];
	digits = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	double_to_shortest_decimal_buf(*value, digits);
	return digits;
}

/* ---- rules ---- */

typedef struct RuleList
{
	FunctionCallInfo fcinfo;
	const Model *model;
	const Trees *trees;
	StringInfoData path;		/* the conditions so far */
	MemoryContext scratch;		/* of one condition or row */
} RuleList;

/* Among others a condition with "or" stands in parentheses. */
static void
add_condition(RuleList *list, uint32 at, bool left)
{
	const Trees *trees = list->trees;
	bool		alone = list->path.len == 0 && trees->node[trees->node[at].left + !left].kind == TREE_LEAF;
	MemoryContext caller = MemoryContextSwitchTo(list->scratch);
	const char *condition = split_condition(list->model, trees, at, left);
	bool		parentheses = !alone && pg_str_endswith(condition, OR_MISSING);

	if (list->path.len > 0)
		appendStringInfoString(&list->path, " and ");
	appendStringInfo(&list->path, parentheses ? "(%s)" : "%s", condition);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(list->scratch);
}

static void
put_rule(RuleList *list, uint32 leaf)
{
	MemoryContext caller = MemoryContextSwitchTo(list->scratch);
	ListRow		row = {0};

	row_add_integer(&row, leaf);
	row_add_text(&row, list->path.len > 0 ? list->path.data : "always");
	row_add_text(&row, leaf_prediction(list->model, list->trees, leaf));
	row_add_number(&row, list->trees->cover[leaf]);
	row_add_numbers(&row, leaf_answer(list->model, list->trees, leaf), list->trees->nvalues);
	row_put(list->fcinfo, &row);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(list->scratch);
}

/* Follow all paths from a node on. */
static void
put_rules(RuleList *list, uint32 at)
{
	const TreeNode *node = &list->trees->node[at];
	int			length = list->path.len;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->kind == TREE_LEAF)
	{
		put_rule(list, at);
		return;
	}
	for (int right = 0; right <= 1; right++)
	{
		add_condition(list, at, !right);
		put_rules(list, node->left + right);
		list->path.len = length;
		list->path.data[length] = '\0';
	}
}

Datum
ml_tree_rules(PG_FUNCTION_ARGS)
{
	Model	   *model = listed_model(fcinfo, RIGHT_PREDICT);
	RuleList	list = {.fcinfo = fcinfo,.model = model,.trees = single_tree(model)};

	InitMaterializedSRF(fcinfo, 0);
	initStringInfo(&list.path);
	list.scratch = AllocSetContextCreate(CurrentMemoryContext, "relearn rule", ALLOCSET_SMALL_SIZES);
	put_rules(&list, 0);
	return (Datum) 0;
}

/* ---- SQL ---- */

static bool
is_type(const InputColumn *input, const char *type)
{
	return strncmp(input->type_name, type, strlen(type)) == 0;
}

/* The column as a number. */
static char *
number_sql(const InputColumn *input, const OutputColumn *output)
{
	const char *name = quote_identifier(input->name);
	bool		number = is_type(input, "smallint") || is_type(input, "integer") || is_type(input, "bigint") || is_type(input, "real") ||
		is_type(input, "double precision") || is_type(input, "numeric");

	if (input->kind == KIND_NUMBER && number)
		return psprintf("%s::double precision", name);
	if (input->kind == KIND_TIME || input->kind == KIND_INTERVAL)
		return psprintf("extract(epoch FROM %s)::double precision", name);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the tree asks for \"%s\", which cannot be written as an expression", output->name),
			 errdetail("Column \"%s\" has type %s and is read as %s.", input->name, input->type_name, kind_name(input->kind)),
			 errhint("Compute a number of it in the source of the training.")));
}

/* NULL and NaN both count as missing. */
static void
append_number_split(StringInfo out, const InputColumn *input, const OutputColumn *output, const TreeNode *node)
{
	char	   *number = number_sql(input, output);
	bool		has_nan = input->kind == KIND_NUMBER && !is_type(input, "smallint") && !is_type(input, "integer") && !is_type(input, "bigint");
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (node->threshold >= FLT_MAX)
	{
		appendStringInfo(out, has_nan ? "%s < 'NaN'" : "%s IS NOT NULL", number);
		return;
	}
	double_to_shortest_decimal_buf(node->threshold, digits);
	appendStringInfo(out, "%s <= %s", number, digits);
	if (!node->missing_right)
		appendStringInfo(out, " OR %s IS NULL", quote_identifier(input->name));
	if (!node->missing_right && has_nan)
		appendStringInfo(out, " OR %s = 'NaN'", number);
}

static void
append_boolean_split(StringInfo out, const InputColumn *input, const TreeNode *node)
{
	const char *name = quote_identifier(input->name);

	if (node->threshold >= FLT_MAX)
		appendStringInfo(out, "%s IS NOT NULL", name);
	else
		appendStringInfo(out, node->missing_right ? "NOT %s" : "%s IS NOT TRUE", name);
}

/* The levels on one side, as a list of literals; returns how many. */
static int
append_level_list(StringInfo out, const Dictionary *levels, const uint32 *set, bool inside)
{
	int			count = 0;

	for (int code = 0; code < dictionary_size(levels); code++)
		if (tree_set_has(set, code) == inside)
			appendStringInfo(out, "%s%s", count++ > 0 ? ", " : "", quote_literal_cstr(dictionary_text(levels, code)));
	return count;
}

/*
 * Values that were no level of their own go with the rare ones, or where there were none the missing way.  Levels differ by their bytes, whatever the
 * collation of the column takes for equal.
 */
static void
append_category_split(StringInfo out, const InputColumn *input, const Dictionary *levels, const Trees *trees, uint32 at)
{
	const TreeNode *node = &trees->node[at];
	const uint32 *set = trees->words + trees->set[at];
	int			nlevels = dictionary_size(levels);
	bool		others_left = trees->levels[node->column] > nlevels ? tree_set_has(set, nlevels) : !node->missing_right;
	const char *name = quote_identifier(input->name);
	StringInfoData list;
	int			listed;

	initStringInfo(&list);
	listed = append_level_list(&list, levels, set, !others_left);
	if (listed > 0)
		appendStringInfo(out, "%s::text COLLATE \"C\" %s (%s)", name, others_left ? "NOT IN" : "IN", list.data);
	else
		appendStringInfo(out, others_left ? "%s IS NOT NULL" : "false", name);
	if (!node->missing_right)
		appendStringInfo(out, " OR %s IS NULL", name);
}

/* The column a split looks at; none where steps of preprocess lie between. */
static const InputColumn *
split_input(const Model *model, int column)
{
	const FeatureStep *step = features_step_of(model->features, column);

	if (step->operand[0] < model->features->ninputs && step->transform->family == NULL)
		return &model->features->inputs[step->operand[0]];
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the tree asks for \"%s\", which steps of preprocess make", model->features->outputs[column].name),
			 errhint("ml.transform_sql shows what they compute; compute it in the source of the training to have the tree as SQL.")));
}

static void
append_split(StringInfo out, const Model *model, const Trees *trees, uint32 at)
{
	const TreeNode *node = &trees->node[at];
	const OutputColumn *output = &model->features->outputs[node->column];
	const InputColumn *input = split_input(model, node->column);

	if (node->kind == TREE_CATEGORY)
		append_category_split(out, input, output->dictionary, trees, at);
	else if (input->kind == KIND_BOOLEAN)
		append_boolean_split(out, input, node);
	else
		append_number_split(out, input, output, node);
}

static char *
leaf_sql(const Model *model, const Trees *trees, uint32 leaf)
{
	char	   *prediction = leaf_prediction(model, trees, leaf);

	if (model->task != TASK_REGRESSION)
		return quote_literal_cstr(prediction);
	return psprintf(*prediction == '-' ? "(%s)::double precision" : "%s::double precision", prediction);
}

/* Sides that answer the same need no question. */
static char *
case_sql(const Model *model, const Trees *trees, uint32 at)
{
	StringInfoData out;
	char	   *left,
			   *right;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (trees->node[at].kind == TREE_LEAF)
		return leaf_sql(model, trees, at);
	left = case_sql(model, trees, trees->node[at].left);
	right = case_sql(model, trees, trees->node[at].left + 1);
	if (strcmp(left, right) == 0)
		return left;
	initStringInfo(&out);
	appendStringInfoString(&out, "CASE WHEN ");
	append_split(&out, model, trees, at);
	appendStringInfo(&out, " THEN %s ELSE %s END", left, right);
	pfree(left);
	pfree(right);
	return out.data;
}

Datum
ml_tree_sql(PG_FUNCTION_ARGS)
{
	Model	   *model = listed_model(fcinfo, RIGHT_PREDICT);

	PG_RETURN_TEXT_P(cstring_to_text(case_sql(model, single_tree(model), 0)));
}
