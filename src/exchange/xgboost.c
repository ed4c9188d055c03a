/*
 * xgboost.c
 *		The JSON model of XGBoost: trees of boosters "gbtree" and "dart" with one value in a leaf.
 *
 * Meaning as in XGBoost's src/predictor and include/xgboost/tree_model.h: numbers are rounded to single precision and go left where x < split
 * condition; what is missing goes the default way.  A category goes right where the split lists it, else left.  base_score is stored on the scale of
 * predictions, leaf values on that of scores.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/mathfn.h"
#include "json_internal.h"

#define MAX_CATEGORY 16777216	/* kMaxCat: what single precision counts exactly */

static const ForeignObjective objectives[] = {
	{"reg:squarederror", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:linear", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:squaredlogerror", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:pseudohubererror", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:absoluteerror", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:quantileerror", TASK_REGRESSION, LINK_IDENTITY},
	{"reg:logistic", TASK_REGRESSION, LINK_SIGMOID},
	{"reg:gamma", TASK_REGRESSION, LINK_EXP},
	{"reg:tweedie", TASK_REGRESSION, LINK_EXP},
	{"count:poisson", TASK_REGRESSION, LINK_EXP},
	{"rank:pairwise", TASK_REGRESSION, LINK_IDENTITY},
	{"rank:ndcg", TASK_REGRESSION, LINK_IDENTITY},
	{"rank:map", TASK_REGRESSION, LINK_IDENTITY},
	{"binary:logistic", TASK_BINARY, LINK_SIGMOID},
	{"multi:softprob", TASK_MULTICLASS, LINK_SOFTMAX},
	{"multi:softmax", TASK_MULTICLASS, LINK_SOFTMAX},
};

/* ---- objective and base score ---- */

static double
score_of(const ForeignModel *m, double prediction)
{
	switch (m->link)
	{
		case LINK_SIGMOID:
			if (!(prediction > 0 && prediction < 1))
				malformed(m, "\"base_score\" is %g, which is no probability.", prediction);
			return -math_log(1 / prediction - 1);
		case LINK_EXP:
			if (!(prediction > 0))
				malformed(m, "\"base_score\" is %g, not above zero.", prediction);
			return math_log(prediction);
		default:
			return prediction;
	}
}

/* "5E-1", or "[1E0,2E0]" since 3.1: one for each score, or one for all. */
static void
read_base_score(ForeignModel *m, char *text)
{
	char	   *at = text + (*text == '[');
	int			n = 0;

	for (;;)
	{
		Size		length = strcspn(at, ",]");
		char		end = at[length];
		double		value;

		at[length] = '\0';
		if (!parse_finite(at, &value) || n >= m->nscores)
			malformed(m, "\"base_score\" is not one number, nor %d of them.", m->nscores);
		m->base[n++] = score_of(m, value);
		if (end != ',')
			break;
		at += length + 1;
	}
	if (n != 1 && n != m->nscores)
		malformed(m, "\"base_score\" has %d numbers for %d scores.", n, m->nscores);
	for (; n < m->nscores; n++)
		m->base[n] = m->base[0];
}

static void
read_objective(ForeignModel *m, const JsonPlace *learner)
{
	JsonPlace	param = json_get_object(learner, "learner_model_param");
	JsonPlace	objective = json_get_object(learner, "objective");

	if (json_has(&param, "num_target") && json_get_int(&param, "num_target", 0, PG_INT32_MAX) > 1)
		unsupported(m, "It predicts several targets.");
	foreign_set_objective(m, objectives, lengthof(objectives), json_get_string(&objective, "name"), json_get_int(&param, "num_class", 0, PG_UINT16_MAX));
	read_base_score(m, json_get_string(&param, "base_score"));
}

/* ---- columns ---- */

/* A list of strings; NULL where it is missing or empty. */
static char **
read_strings(const JsonPlace *place, const char *key, int expected)
{
	int			n = json_count(place, key);
	JsonPlace	list;
	char	  **strings;
	JsonbValue	value;
	JsonbIterator *it;

	if (n == 0)
		return NULL;
	if (n != expected)
		malformed(place->model, "\"%s%s\" has %d elements for %d features.", place->path, key, n, expected);
	list = json_get_array(place, key);
	strings = palloc(sizeof(char *) * n);
	it = json_begin(&list, &value);
	for (int i = 0; json_next(&it, &value); i++)
	{
		if (value.type != jbvString)
			malformed(place->model, "\"%s[%d]\" is no string.", list.path, i);
		strings[i] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	return strings;
}

static void
read_columns(ForeignModel *m, const JsonPlace *learner)
{
	JsonPlace	param = json_get_object(learner, "learner_model_param");
	int			n = json_get_int(&param, "num_feature", 0, PG_INT32_MAX);
	char	  **names = read_strings(learner, "feature_names", n);
	char	  **types = read_strings(learner, "feature_types", n);

	foreign_create_columns(m, n);
	for (int j = 0; j < n; j++)
	{
		ForeignColumn *column = &m->column[j];

		column->name = names != NULL ? names[j] : psprintf("f%d", j);
		if (types == NULL)
			continue;
		if (strcmp(types[j], "i") == 0)
		{
			column->kind = KIND_BOOLEAN;
			column->type_name = "boolean";
		}
		else if (strcmp(types[j], "int") == 0)
			column->type_name = "integer";
	}
}

/* Text levels are bytes of UTF-8 one after the other: level i is values[offsets[i]] .. values[offsets[i+1]-1]. */
static void
read_text_levels(ForeignModel *m, const JsonPlace *enc, ForeignColumn *column)
{
	int			noffsets = json_count(enc, "offsets");
	int			nbytes = json_count(enc, "values");
	int		   *offset = json_get_ints(enc, "offsets", noffsets, 0, nbytes);
	int		   *byte = json_get_ints(enc, "values", nbytes, -128, 255);

	if (noffsets < 2)
		return;
	column->kind = KIND_CATEGORY;
	column->type_name = "text";
	column->nlevels = noffsets - 1;
	column->level = palloc_extended(sizeof(char *) * column->nlevels, MCXT_ALLOC_HUGE);
	for (int i = 0; i < column->nlevels; i++)
	{
		int			length = offset[i + 1] - offset[i];
		char	   *text;

		if (length < 0)
			malformed(m, "\"%soffsets\" are not in order.", enc->path);
		text = palloc(length + 1);
		for (int k = 0; k < length; k++)
			text[k] = (char) byte[offset[i] + k];
		text[length] = '\0';
		if (strlen(text) != (Size) length || !pg_verify_mbstr(PG_UTF8, text, length, true))
			malformed(m, "Category %d of feature \"%s\" is no text.", i, column->name);
		column->level[i] = pg_any_to_server(text, length, PG_UTF8);
	}
}

/* The texts or numbers that category codes stand for, since 3.1. */
static void
read_categories(ForeignModel *m, const JsonPlace *model)
{
	JsonPlace	cats;
	JsonPlace	list;
	JsonbValue	value;
	JsonbIterator *it;

	if (!json_has(model, "cats"))
		return;
	cats = json_get_object(model, "cats");
	if (json_count(&cats, "enc") == 0)
		return;
	list = json_get_array(&cats, "enc");
	if (json_length(&list) != m->ncolumns)
		malformed(m, "\"%s\" has %d elements for %d features.", list.path, json_length(&list), m->ncolumns);
	it = json_begin(&list, &value);
	for (int j = 0; json_next(&it, &value); j++)
	{
		JsonPlace	enc = json_get_element(&list, &value, j, false);

		CHECK_FOR_INTERRUPTS();
		if (json_has(&enc, "offsets"))
			read_text_levels(m, &enc, &m->column[j]);
		else if (json_count(&enc, "values") > 0)
		{
			JsonPlace	values = json_get_array(&enc, "values");

			foreign_set_levels(m, j, &values);
		}
	}
}

/* ---- trees ---- */

/* The categories a split lists: categories[segment] .. of the nodes in categories_nodes. */
static void
read_lists(ForeignModel *m, const JsonPlace *place, ForeignTree *tree)
{
	int			nlists = json_count(place, "categories_nodes");
	int			nlisted = json_count(place, "categories");
	int		   *node,
			   *first,
			   *count,
			   *category;

	if (nlists == 0)
		return;
	node = json_get_ints(place, "categories_nodes", nlists, 0, tree->nnodes - 1);
	first = json_get_ints(place, "categories_segments", nlists, 0, nlisted);
	count = json_get_ints(place, "categories_sizes", nlists, 0, nlisted);
	category = json_get_ints(place, "categories", nlisted, 0, MAX_CATEGORY);
	for (int i = 0; i < nlists; i++)
	{
		ForeignNode *split = &tree->node[node[i]];

		if (first[i] + count[i] > nlisted || split->count > 0)
			malformed(m, "\"%scategories_segments[%d]\" does not fit the other lists.", place->path, i);
		for (int k = 0; k < count[i]; k++)
			foreign_add_category(m, split, category[first[i] + k]);
	}
}

/*
 * x < t in single precision is x <= the number before t.  Where nothing is below t, nothing goes left: no number is below minus infinity either, and
 * the smallest finite number will do as well as any.
 */
static double
before(double t)
{
	float		single = nextafterf((float) t, -INFINITY);

	return isfinite(single) ? single : -FLT_MAX;
}

/* "weight" is what dart multiplies the tree's leaves by. */
static void
read_tree(ForeignModel *m, const JsonPlace *place, int number, double weight)
{
	JsonPlace	param = json_get_object(place, "tree_param");
	int			n = json_get_int(&param, "num_nodes", 1, TREE_MAX_NODES);
	int		   *left,
			   *right,
			   *column,
			   *default_left,
			   *type;
	double	   *condition,
			   *cover,
			   *gain;

	if (json_has(&param, "size_leaf_vector") && json_get_int(&param, "size_leaf_vector", 0, PG_INT32_MAX) > 1)
		unsupported(m, "Its leaves hold several values (multi_strategy).");
	left = json_get_ints(place, "left_children", n, -1, n - 1);
	right = json_get_ints(place, "right_children", n, -1, n - 1);
	column = json_get_ints(place, "split_indices", n, 0, PG_INT32_MAX);
	default_left = json_get_ints(place, "default_left", n, 0, 1);
	type = json_has(place, "split_type") ? json_get_ints(place, "split_type", n, 0, 1) : NULL;
	condition = json_get_numbers(place, "split_conditions", n);
	cover = json_get_numbers(place, "sum_hessian", n);
	gain = json_get_numbers(place, "loss_changes", n);
	foreign_create_tree(m, number, n);
	for (int i = 0; i < n; i++)
	{
		bool		leaf = left[i] < 0;

		if (leaf != (right[i] < 0))
			malformed(m, "\"%sright_children[%d]\" and its left one do not agree on a leaf.", place->path, i);
		m->tree[number].node[i] = (ForeignNode) {
			.left = leaf ? -1 : left[i],
			.right = leaf ? -1 : right[i],
			.column = column[i],
			.category = type != NULL && type[i] == 1,
			.listed_right = true,
			.missing_left = default_left[i],
			.number = leaf ? weight * (float) condition[i] : before(condition[i]),
			.cover = cover[i],
			.gain = gain[i],
		};
	}
	read_lists(m, place, &m->tree[number]);
}

/*
 * Which of the file's trees are kept, and in which order: ours add to the scores in turn, XGBoost's forests have several trees of one class side by
 * side.  Returns for each tree of the file its place, -1 where early stopping took it back.
 */
static int *
place_trees(ForeignModel *m, const JsonPlace *model, int ntrees, int kept)
{
	int		   *score = json_get_ints(model, "tree_info", ntrees, 0, m->nscores - 1);
	int		   *ntaken = palloc0(sizeof(int) * m->nscores);
	int		   *place = palloc_extended(sizeof(int) * Max(ntrees, 1), MCXT_ALLOC_HUGE);

	for (int t = 0; t < ntrees; t++)
		place[t] = t < kept ? ntaken[score[t]]++ * m->nscores + score[t] : -1;
	for (int k = 0; k < m->nscores; k++)
		if (ntaken[k] * m->nscores != kept)
			malformed(m, "\"%stree_info\" gives score %d %d of %d trees.", model->path, k, ntaken[k], kept);
	return place;
}

/* XGBClassifier and XGBRegressor predict with the trees up to the best iteration, and so do we. */
static int
count_kept(ForeignModel *m, const JsonPlace *learner, const JsonPlace *model, int ntrees)
{
	JsonPlace	param = json_get_object(model, "gbtree_model_param");
	JsonPlace	attributes;
	double		per_round = m->nscores;
	double		kept;

	if (json_has(&param, "num_parallel_tree"))
		per_round *= json_get_int(&param, "num_parallel_tree", 1, PG_INT32_MAX);
	if (!json_has(learner, "attributes"))
		return ntrees;
	attributes = json_get_object(learner, "attributes");
	if (!json_has(&attributes, "best_iteration"))
		return ntrees;
	kept = per_round * (json_get_int(&attributes, "best_iteration", 0, PG_INT32_MAX - 1) + 1.0);
	if (kept >= ntrees)
		return ntrees;
	m->warnings = lappend(m->warnings, psprintf("early stopping: %d of %d trees are kept, those up to the attribute \"best_iteration\"",
												(int) kept, ntrees));
	return (int) kept;
}

static void
read_trees(ForeignModel *m, const JsonPlace *learner, const JsonPlace *model, const JsonPlace *dart)
{
	JsonPlace	list = json_get_array(model, "trees");
	int			ntrees = json_length(&list);
	double	   *weight = dart != NULL ? json_get_numbers(dart, "weight_drop", ntrees) : NULL;
	MemoryContext arrays = AllocSetContextCreate(m->context, "relearn import of a tree", ALLOCSET_DEFAULT_SIZES);
	JsonbValue	value;
	JsonbIterator *it = json_begin(&list, &value);
	int		   *place;

	m->ntrees = count_kept(m, learner, model, ntrees);
	place = place_trees(m, model, ntrees, m->ntrees);
	m->tree = palloc_extended(sizeof(ForeignTree) * Max(m->ntrees, 1), MCXT_ALLOC_HUGE);
	for (int t = 0; json_next(&it, &value); t++)
	{
		MemoryContext caller = MemoryContextSwitchTo(arrays);

		CHECK_FOR_INTERRUPTS();
		if (place[t] >= 0)
		{
			JsonPlace	tree = json_get_element(&list, &value, t, false);

			read_tree(m, &tree, place[t], weight != NULL ? (float) weight[t] : 1);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(arrays);
	}
	MemoryContextDelete(arrays);
}

void
xgboost_read(ForeignModel *m, const char *body)
{
	JsonPlace	root;
	JsonPlace	learner;
	JsonPlace	booster;
	JsonPlace	trees;
	JsonPlace	model;
	char	   *name;
	bool		dart;

	m->library = "XGBoost";
	m->single = true;
	root = json_parse_text(m, body);
	learner = json_get_object(&root, "learner");
	booster = json_get_object(&learner, "gradient_booster");
	name = json_get_string(&booster, "name");
	dart = strcmp(name, "dart") == 0;
	if (!dart && strcmp(name, "gbtree") != 0)
		unsupported(m, "Its booster is \"%s\"; \"gbtree\" and \"dart\" are known.", name);
	read_objective(m, &learner);
	read_columns(m, &learner);
	trees = dart ? json_get_object(&booster, "gbtree") : booster;
	model = json_get_object(&trees, "model");
	read_categories(m, &model);
	read_trees(m, &learner, &model, dart ? &booster : NULL);
}
