/*
 * assemble.c
 *		From a foreign model as read to one of ours; whatever the readers did not check is checked here.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "exchange_internal.h"

#define MAX_SET_WORDS 33554432	/* of all category splits, 128 MB */
#define LARGEST_SCORE 1e300		/* the largest values of all trees together */

/* What the trees do with a column, and how it reaches them. */
typedef struct ColumnUse
{
	int64		nnumbers;		/* splits */
	int64		ncategories;
	int			design;			/* design column; -1: none */
	int			ncodes;			/* categories listed in splits, for columns without levels */
	int32	   *code;			/* (ncodes) ascending */
	int64		nseen;			/* number splits so far */
	int			nsamples;		/* some of their thresholds, for the self-test */
	double		sample[SELFTEST_ROWS];
} ColumnUse;

typedef struct Assembly
{
	ForeignModel *m;
	ColumnUse  *use;			/* (ncolumns) */
	double	   *largest;		/* (nscores) sum of the largest leaf values of its trees */
	Trees	   *trees;
	int64		nwords;			/* of their sets */
} Assembly;

/* ---- the shape of trees ---- */

static void
check_split(Assembly *a, int tree, int number)
{
	ForeignModel *m = a->m;
	const ForeignNode *node = &m->tree[tree].node[number];

	if (node->column < 0 || node->column >= m->ncolumns)
		malformed(m, "Tree %d, node %d: there is no feature %d.", tree, number, node->column);
	if (!isfinite(node->number) || !isfinite(node->gain))
		malformed(m, "Tree %d, node %d: a number is not finite.", tree, number);
	if (!(node->cover >= 0 && isfinite(node->cover)))
		malformed(m, "Tree %d, node %d: the weight of its rows is %g.", tree, number, node->cover);
	if (node->category)
		a->use[node->column].ncategories++;
	else
		a->use[node->column].nnumbers++;
}

static void
check_leaf(Assembly *a, int tree, int number, double *largest)
{
	const ForeignNode *node = &a->m->tree[tree].node[number];

	*largest = Max(*largest, fabs(node->number * a->m->scale));
	if (!(*largest < LARGEST_SCORE) || !(node->cover >= 0 && isfinite(node->cover)))
		malformed(a->m, "Tree %d, node %d: a number of the leaf is out of range.", tree, number);
}

typedef struct Waiting
{
	int			n;
	int			node[TREE_MAX_DEPTH + 2];
	int			depth[TREE_MAX_DEPTH + 2];
	uint32		ours[TREE_MAX_DEPTH + 2];
} Waiting;

static void
wait_for(Waiting *w, int node, int depth, uint32 ours)
{
	w->node[w->n] = node;
	w->depth[w->n] = depth;
	w->ours[w->n++] = ours;
}

/* Each node is reached at most once and none is too deep, so that building ends. */
static void
check_tree(Assembly *a, int number)
{
	ForeignModel *m = a->m;
	const ForeignTree *tree = &m->tree[number];
	bool	   *seen = palloc_extended(tree->nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double		largest = 0;
	Waiting		w = {0};

	wait_for(&w, 0, 0, 0);
	while (w.n > 0)
	{
		int			i = w.node[--w.n];
		int			depth = w.depth[w.n];
		const ForeignNode *node = &tree->node[i];

		if (seen[i])
			malformed(m, "Tree %d, node %d: it is the child of several nodes.", number, i);
		seen[i] = true;
		if (node->left < 0)
		{
			check_leaf(a, number, i, &largest);
			continue;
		}
		check_split(a, number, i);
		if (depth == TREE_MAX_DEPTH)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("tree %d of the %s model is more than %d splits deep", number, m->library, TREE_MAX_DEPTH)));
		wait_for(&w, node->right, depth + 1, 0);
		wait_for(&w, node->left, depth + 1, 0);
	}
	a->largest[number % m->nscores] += largest;
	if (!(a->largest[number % m->nscores] < LARGEST_SCORE))
		malformed(m, "Its scores can be out of range.");
	pfree(seen);
}

/* ---- columns ---- */

static int
compare_codes(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

static int
compare_pairs(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	CHECK_FOR_INTERRUPTS();
	return (x > y) - (x < y);
}

/* Every category that a split lists, as column << 32 | category; returns how many. */
static uint32
list_pairs(const ForeignModel *m, uint64 *pair)
{
	uint32		n = 0;

	for (int t = 0; t < m->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < m->tree[t].nnodes; i++)
		{
			const ForeignNode *node = &m->tree[t].node[i];

			for (uint32 k = 0; k < node->count; k++)
				pair[n++] = (uint64) node->column << 32 | (uint32) m->category[node->first + k];
		}
	}
	return n;
}

/* The distinct categories that splits list, for columns whose numbers stand for categories. */
static void
collect_codes(Assembly *a)
{
	ForeignModel *m = a->m;
	uint64	   *pair = palloc_extended(sizeof(uint64) * Max(m->ncategories, 1), MCXT_ALLOC_HUGE);
	int32	   *code = palloc_extended(sizeof(int32) * (m->ncategories + m->ncolumns), MCXT_ALLOC_HUGE);
	uint32		n = list_pairs(m, pair);
	uint32		at = 0;

	qsort(pair, n, sizeof(uint64), compare_pairs);
	for (int j = 0; j < m->ncolumns; j++)
	{
		ColumnUse  *use = &a->use[j];

		use->code = code;
		for (; at < n && pair[at] >> 32 == (uint64) j; at++)
			if (use->ncodes == 0 || code[use->ncodes - 1] != (int32) pair[at])
				code[use->ncodes++] = (int32) pair[at];
		if (use->ncodes == 0)
			code[use->ncodes++] = 0;	/* all sets may be empty */
		code += use->ncodes;
		if (use->ncategories == 0 || m->column[j].kind == KIND_CATEGORY)
			use->ncodes = 0;
	}
	pfree(pair);
}

static void
check_columns(const Assembly *a)
{
	const ForeignModel *m = a->m;

	for (int j = 0; j < m->ncolumns; j++)
	{
		const ForeignColumn *column = &m->column[j];
		const ColumnUse *use = &a->use[j];

		if (*column->name == '\0')
			malformed(m, "Feature %d has no name.", j);
		for (int i = 0; i < j; i++)
			if (strcmp(column->name, m->column[i].name) == 0)
				malformed(m, "Features %d and %d are both named \"%s\".", i, j, column->name);
		if (use->ncategories > 0 && (use->nnumbers > 0 || (column->kind == KIND_CATEGORY && column->nlevels == 0)))
			malformed(m, "Feature \"%s\" is split as a number and as a category.", column->name);
		if (use->nnumbers > 0 && column->kind == KIND_CATEGORY)
			unsupported(m, "Feature \"%s\" is a category, but split as a number.", column->name);
		if (column->zero_missing && column->nan_missing)
			unsupported(m, "Feature \"%s\" is split with zeros missing and with zeros not missing.", column->name);
	}
}

static Dictionary *
make_levels(const ForeignModel *m, const ForeignColumn *column)
{
	Dictionary *levels = dictionary_create(CurrentMemoryContext);

	for (int i = 0; i < column->nlevels; i++)
		if (dictionary_add(levels, column->level[i], (int) strlen(column->level[i])) != i)
			malformed(m, "Feature \"%s\" has category \"%s\" twice.", column->name, column->level[i]);
	return levels;
}

static Features *
make_features(Assembly *a)
{
	ForeignModel *m = a->m;
	InputColumn *inputs = palloc0(sizeof(InputColumn) * m->ncolumns);
	PassedColumn *passed = palloc0(sizeof(PassedColumn) * m->ncolumns);
	int			ndesign = 0;

	for (int j = 0; j < m->ncolumns; j++)
	{
		const ForeignColumn *column = &m->column[j];
		ColumnUse  *use = &a->use[j];

		inputs[j].name = column->name;
		inputs[j].type_name = pstrdup(column->type_name);
		inputs[j].kind = column->kind;
		inputs[j].levels = column->kind == KIND_CATEGORY ? make_levels(m, column) : NULL;
		inputs[j].used = use->nnumbers + use->ncategories > 0;
		inputs[j].why_unused = inputs[j].used ? NULL : pstrdup("no tree splits on it");
		use->design = inputs[j].used ? ndesign++ : -1;
		passed[j].single = m->single;
		passed[j].zero_missing = column->zero_missing;
		passed[j].ncodes = use->ncodes;
		passed[j].code = use->code;
	}
	return features_pass(inputs, m->ncolumns, passed);
}

/* ---- trees ---- */

/* A listed category as a code of the design column. */
static int
design_code(const ForeignModel *m, const ColumnUse *use, const ForeignNode *node, uint32 k)
{
	int32		category = m->category[node->first + k];
	const ForeignColumn *column = &m->column[node->column];

	if (column->kind != KIND_CATEGORY)
		return (int) ((const int32 *) bsearch(&category, use->code, use->ncodes, sizeof(int32), compare_codes) - use->code);
	if (category >= column->nlevels)
		malformed(m, "A split lists category %d of feature \"%s\", which has %d.", category, column->name, column->nlevels);
	return category;
}

static uint32
split_category(Assembly *a, uint32 ours, const ForeignNode *node)
{
	const ColumnUse *use = &a->use[node->column];
	int			levels = a->trees->levels[use->design];
	int			nwords = tree_set_words(levels);
	uint32	   *set = palloc(sizeof(uint32) * nwords);
	uint32		left;

	a->nwords += nwords;
	if (a->nwords > MAX_SET_WORDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the category splits of the %s model take too much room", a->m->library),
				 errdetail("Feature \"%s\" has %d categories.", a->m->column[node->column].name, levels)));
	memset(set, node->listed_right ? 0xff : 0, sizeof(uint32) * nwords);
	if (node->listed_right && levels % 32 != 0)
		set[nwords - 1] = ((uint32) 1 << levels % 32) - 1;
	for (uint32 k = 0; k < node->count; k++)
	{
		int			code = design_code(a->m, use, node, k);
		uint32		bit = (uint32) 1 << (code & 31);

		if (node->listed_right)
			set[code >> 5] &= ~bit;
		else
			set[code >> 5] |= bit;
	}
	left = trees_split_category(a->trees, ours, use->design, set, node->missing_left, tree_single(node->gain));
	pfree(set);
	return left;
}

static uint32
split_number(Assembly *a, uint32 ours, const ForeignNode *node)
{
	ColumnUse  *use = &a->use[node->column];
	int64		every = use->nnumbers / SELFTEST_ROWS + 1;

	if (use->nseen++ % every == 0)
		use->sample[use->nsamples++] = node->number;
	return trees_split_number(a->trees, ours, use->design, node->number, node->missing_left, tree_single(node->gain));
}

static void
build_tree(Assembly *a, const ForeignTree *tree, double scale)
{
	Trees	   *trees = a->trees;
	Waiting		w = {0};

	wait_for(&w, 0, 0, trees_begin(trees));
	while (w.n > 0)
	{
		const ForeignNode *node = &tree->node[w.node[--w.n]];
		uint32		ours = w.ours[w.n];
		uint32		left;

		trees->cover[ours] = node->cover;
		if (node->left < 0)
		{
			trees->value[ours] = node->number * scale;
			continue;
		}
		left = node->category ? split_category(a, ours, node) : split_number(a, ours, node);
		wait_for(&w, node->right, 0, left + 1);
		wait_for(&w, node->left, 0, left);
	}
}

/*
 * Softmax over two scores is the sigmoid of their difference, which is how a model of two classes has it.
 */
static bool
is_difference(const ForeignModel *m)
{
	return m->task == TASK_MULTICLASS && m->nscores == 2;
}

static void
build_trees(Assembly *a, const Features *features)
{
	ForeignModel *m = a->m;
	bool		difference = is_difference(m);

	a->trees = trees_create(features->noutputs, features->output_levels, difference ? 1 : m->nscores, 1);
	if (difference)
		a->trees->base[0] = m->base[1] - m->base[0];
	else
		memcpy(a->trees->base, m->base, sizeof(double) * m->nscores);
	for (int t = 0; t < m->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		build_tree(a, &m->tree[t], difference && t % 2 == 0 ? -m->scale : m->scale);
	}
	trees_prepare(a->trees);
}

/* ---- the model ---- */

static void
set_task(const ForeignModel *m, Model *model, Link *link)
{
	model->task = m->task;
	model->nclasses = m->nclasses;
	*link = m->link;
	if (is_difference(m))
	{
		if (m->link != LINK_SOFTMAX)
			unsupported(m, "Its objective scores two classes apart; \"binary\" is the one for two classes.");
		model->task = TASK_BINARY;
		*link = LINK_SIGMOID;
	}
	model->positive = model->task == TASK_BINARY ? 1 : -1;
}

/* Training rows are not known; what the file says of them is their range. */
static void
set_baseline(const ForeignModel *m, Model *model)
{
	model->baseline = palloc0(sizeof(ColumnBaseline) * m->ncolumns);
	for (int j = 0; j < m->ncolumns; j++)
	{
		ColumnBaseline *seen = &model->baseline[j];
		bool		number = m->column[j].kind == KIND_NUMBER;

		seen->mean = seen->sd = NAN;
		seen->min = number ? m->column[j].min : NAN;
		seen->max = number ? m->column[j].max : NAN;
		if (m->column[j].kind == KIND_CATEGORY)
			seen->level_count = palloc0(sizeof(int64) * (m->column[j].nlevels + 1));
	}
}

/* Thresholds, categories and missing cells: what the trees tell apart. */
static double
selftest_cell(const Assembly *a, int j, int row)
{
	const ColumnUse *use = &a->use[j];

	if (row == 0)
		return NAN;
	if (a->m->column[j].kind == KIND_CATEGORY)
		return (row - 1) % (a->m->column[j].nlevels + 1);
	if (use->ncodes > 0)
		return use->code[(row - 1) % use->ncodes];
	return use->nsamples > 0 ? use->sample[(row - 1) % use->nsamples] : NAN;
}

static void
set_selftest(const Assembly *a, Model *model)
{
	int			ninputs = model->features->ninputs;
	SelfTest   *test = &model->selftest;

	test->nrows = SELFTEST_ROWS;
	test->cells = palloc(sizeof(double) * SELFTEST_ROWS * ninputs);
	test->scores = palloc(sizeof(double) * SELFTEST_ROWS * model->noutputs);
	for (int row = 0; row < SELFTEST_ROWS; row++)
		for (int j = 0; j < ninputs; j++)
			test->cells[row * ninputs + j] = selftest_cell(a, j, row);
	model_score(model, test->cells, SELFTEST_ROWS, test->scores);
}

Model *
foreign_assemble(ForeignModel *m)
{
	Assembly	a = {.m = m};
	Model	   *model = palloc0(sizeof(Model));
	Link		link;

	if (m->ntrees % m->nscores != 0)
		malformed(m, "It has %d trees for %d scores.", m->ntrees, m->nscores);
	set_task(m, model, &link);
	a.use = palloc0(sizeof(ColumnUse) * m->ncolumns);
	a.largest = palloc0(sizeof(double) * m->nscores);
	for (int t = 0; t < m->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		check_tree(&a, t);
	}
	collect_codes(&a);
	check_columns(&a);
	model->context = CurrentMemoryContext;
	model->features = make_features(&a);
	build_trees(&a, model->features);
	model->learner = &gradient_boosting_learner;
	model->state = boosting_from_trees(a.trees, link);
	model_prepare(model);
	set_baseline(m, model);
	set_selftest(&a, model);
	return model;
}
