/*
 * listing_trees.c
 *		What a model of trees holds, for people: ml.importance, ml.trees.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "core/tree.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_importance);
PG_FUNCTION_INFO_V1(ml_trees);

#define LEVELS_SHOWN 20

/* ---- importance ---- */

static void
refuse_without_trees(const Model *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("algorithm \"%s\" is not made of trees", model->learner->name),
			 errhint("ml.coefficients shows what a linear model learned.")));
}

/* Source columns in use, by gain; of equal gain the first first. */
static int
by_gain(const void *a, const void *b, void *importances)
{
	const ColumnImportance *importance = importances;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (importance[x].gain != importance[y].gain)
		return importance[x].gain > importance[y].gain ? -1 : 1;
	return x - y;
}

static ColumnImportance *
source_importance(const Model *model)
{
	const Features *features = model->features;
	ColumnImportance *of_output = palloc0(sizeof(ColumnImportance) * Max(features->noutputs, 1));
	ColumnImportance *of_group = palloc0(sizeof(ColumnImportance) * Max(features->ngroups, 1));

	for (int j = 0; j < features->noutputs; j++)
		of_output[j].permutation = NAN;
	model->learner->importance(model->state, of_output);
	for (int j = 0; j < features->noutputs; j++)
	{
		of_group[features->outputs[j].group].gain += of_output[j].gain;
		of_group[features->outputs[j].group].splits += of_output[j].splits;
		of_group[features->outputs[j].group].permutation += of_output[j].permutation;
	}
	return of_group;
}

Datum
ml_importance(PG_FUNCTION_ARGS)
{
	Model	   *model = listed_model(fcinfo, RIGHT_PREDICT);
	const Features *features = model->features;
	int		   *order = palloc(sizeof(int) * Max(features->ngroups, 1));
	int			n = 0;
	double		total = 0;
	ColumnImportance *importance;
	ListRow		row = {0};

	if (model->learner->importance == NULL && model->learner->trees != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("algorithm \"%s\" cuts at random and does not know which columns matter", model->learner->name)));
	if (model->learner->importance == NULL)
		refuse_without_trees(model);
	importance = source_importance(model);
	for (int i = 0; i < features->ngroups; i++)
	{
		order[n++] = i;
		total += importance[i].gain;
	}
	qsort_arg(order, n, sizeof(int), by_gain, importance);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		row_add_text(&row, features->groups[order[i]].name);
		row_add_number(&row, importance[order[i]].gain);
		row_add_number(&row, total > 0 ? importance[order[i]].gain / total : NAN);
		row_add_integer(&row, importance[order[i]].splits);
		row_add_number(&row, importance[order[i]].permutation);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- nodes ---- */

/* Levels of a set (or those that are not in it), by name. */
static void
append_levels(StringInfo out, const Model *model, const Trees *trees, uint32 node, bool inside)
{
	int			column = trees->node[node].column;
	const Dictionary *levels = model->features->outputs[column].dictionary;
	const uint32 *set = trees->words + trees->set[node];
	int			count = 0;

	appendStringInfoString(out, " in (");
	for (int code = 0; code < trees->levels[column]; code++)
	{
		if (tree_set_has(set, code) != inside || count++ >= LEVELS_SHOWN)
			continue;
		appendStringInfo(out, "%s%s", count > 1 ? ", " : "",
						 code < dictionary_size(levels) ? dictionary_text(levels, code) : "(other)");
	}
	if (count > LEVELS_SHOWN)
		appendStringInfo(out, " and %d more", count - LEVELS_SHOWN);
	appendStringInfoChar(out, ')');
}

static void
append_threshold(StringInfo out, const Model *model, const TreeNode *node, bool left)
{
	const OutputColumn *output = &model->features->outputs[node->column];
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (output->kind == KIND_BOOLEAN)
	{
		appendStringInfo(out, " is %s", left ? "false" : "true");
		return;
	}
	if (output->scale == 1 && output->offset == 0 && (double) (float) node->threshold == node->threshold)
		float_to_shortest_decimal_buf((float) node->threshold, digits);
	else
		double_to_shortest_decimal_buf(node->threshold * output->scale + output->offset, digits);
	appendStringInfo(out, left ? " <= %s" : " > %s", digits);
}

char *
split_condition(const Model *model, const Trees *trees, uint32 parent, bool left)
{
	const TreeNode *node = &trees->node[parent];
	bool		missing = left != node->missing_right;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, model->features->outputs[node->column].name);
	if (node->kind == TREE_NUMBER && node->threshold >= FLT_MAX)
	{
		appendStringInfo(&out, left ? " is not missing" : " is missing");
		return out.data;
	}
	if (node->kind == TREE_CATEGORY)
		append_levels(&out, model, trees, parent, left);
	else
		append_threshold(&out, model, node, left);
	if (missing)
		appendStringInfoString(&out, OR_MISSING);
	return out.data;
}

void
row_add_numbers(ListRow *row, const double *value, int n)
{
	Datum	   *element = palloc(sizeof(Datum) * n);

	for (int k = 0; k < n; k++)
		element[k] = Float8GetDatum(value[k]);
	row->null[row->n] = false;
	row->value[row->n++] = PointerGetDatum(construct_array(element, n, FLOAT8OID, sizeof(float8), true, TYPALIGN_DOUBLE));
}

static void
add_nothing(ListRow *row)
{
	row->null[row->n++] = true;
}

static void
put_node(FunctionCallInfo fcinfo, const Model *model, const Trees *trees, int tree, uint32 i, int64 parent, bool left, int depth)
{
	const TreeNode *node = &trees->node[i];
	const OutputColumn *output = node->kind == TREE_LEAF ? NULL : &model->features->outputs[node->column];
	bool		per_class = trees->nvalues == 1 && trees->noutputs > 1;
	uint32		first = trees->first[tree];
	ListRow		row = {0};

	row_add_integer(&row, tree);
	row_add_text(&row, per_class ? model->labels[tree % trees->noutputs] : NULL);
	row_add_integer(&row, i - first);
	if (parent < 0)
		add_nothing(&row);
	else
		row_add_integer(&row, parent - first);
	row_add_integer(&row, depth);
	row_add_text(&row, parent < 0 ? NULL : split_condition(model, trees, (uint32) parent, left));
	row_add_text(&row, output ? model->features->groups[output->group].name : NULL);
	row_add_number(&row, output ? trees->gain[i] : NAN);
	row_add_number(&row, trees->cover[i]);
	if (output)
		add_nothing(&row);
	else
		row_add_numbers(&row, trees->value + (Size) i * trees->nvalues, trees->nvalues);
	row_put(fcinfo, &row);
}

/* Children come behind their parents, so one pass knows every node's parent. */
static void
put_tree(FunctionCallInfo fcinfo, const Model *model, const Trees *trees, int tree)
{
	uint32		first = trees->first[tree];
	uint32		n = trees->first[tree + 1] - first;
	int64	   *parent = palloc_extended(sizeof(int64) * n, MCXT_ALLOC_HUGE);
	int		   *depth = palloc_extended(sizeof(int) * n, MCXT_ALLOC_HUGE);
	MemoryContext of_node = AllocSetContextCreate(CurrentMemoryContext, "relearn tree node", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(of_node);

	parent[0] = -1;
	depth[0] = 0;
	for (uint32 i = first; i < first + n; i++)
	{
		const TreeNode *node = &trees->node[i];
		int64		above = parent[i - first];

		CHECK_FOR_INTERRUPTS();
		put_node(fcinfo, model, trees, tree, i, above, above >= 0 && trees->node[above].left == i, depth[i - first]);
		MemoryContextReset(of_node);
		if (node->kind == TREE_LEAF)
			continue;
		for (int right = 0; right <= 1; right++)
		{
			parent[node->left + right - first] = i;
			depth[node->left + right - first] = depth[i - first] + 1;
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(of_node);
	pfree(parent);
	pfree(depth);
}

Datum
ml_trees(PG_FUNCTION_ARGS)
{
	Model	   *model = PG_ARGISNULL(0) ? NULL : listed_model(fcinfo, RIGHT_PREDICT);
	const Trees *trees;
	int			tree;

	InitMaterializedSRF(fcinfo, 0);
	if (model == NULL)
		return (Datum) 0;
	if (model->learner->trees == NULL)
		refuse_without_trees(model);
	trees = model->learner->trees(model->state);
	if (PG_ARGISNULL(1))
	{
		for (tree = 0; tree < trees->ntrees; tree++)
			put_tree(fcinfo, model, trees, tree);
		return (Datum) 0;
	}
	tree = PG_GETARG_INT32(1);
	if (tree < 0 || tree >= trees->ntrees)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model has no tree %d", tree),
				 errdetail("It has %d trees, numbered from 0.", trees->ntrees)));
	put_tree(fcinfo, model, trees, tree);
	return (Datum) 0;
}
