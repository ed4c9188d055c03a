/*
 * lightgbm.c
 *		The text model of LightGBM, versions v2 to v4: lines "key=value" in blocks, one block for the header and one for each tree.
 *
 * Meaning as in LightGBM's include/LightGBM/tree.h: a number goes left where x <= threshold; bits 2 and 3 of decision_type say what is missing:
 * nothing (NaN counts as 0), zeros and NaN, or NaN; bit 1 says whether that goes left.  A category goes left where the split's bit set has it; all
 * else, missing ones too, goes right.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "json_internal.h"

#define DECISION_CATEGORY 1
#define DECISION_DEFAULT_LEFT 2
#define DECISION_LAST 15

typedef enum MissingType
{
	MISSING_NONE,
	MISSING_ZERO,
	MISSING_NAN
} MissingType;

static const ForeignObjective objectives[] = {
	{"regression", TASK_REGRESSION, LINK_IDENTITY},
	{"regression_l1", TASK_REGRESSION, LINK_IDENTITY},
	{"huber", TASK_REGRESSION, LINK_IDENTITY},
	{"fair", TASK_REGRESSION, LINK_IDENTITY},
	{"quantile", TASK_REGRESSION, LINK_IDENTITY},
	{"mape", TASK_REGRESSION, LINK_IDENTITY},
	{"poisson", TASK_REGRESSION, LINK_EXP},
	{"gamma", TASK_REGRESSION, LINK_EXP},
	{"tweedie", TASK_REGRESSION, LINK_EXP},
	{"cross_entropy", TASK_REGRESSION, LINK_SIGMOID},
	{"lambdarank", TASK_REGRESSION, LINK_IDENTITY},
	{"rank_xendcg", TASK_REGRESSION, LINK_IDENTITY},
	{"custom", TASK_REGRESSION, LINK_IDENTITY},
	{"binary", TASK_BINARY, LINK_SIGMOID},
	{"multiclass", TASK_MULTICLASS, LINK_SOFTMAX},
	{"multiclassova", TASK_MULTICLASS, LINK_SIGMOID},
};

/* ---- lines ---- */

typedef struct LineReader
{
	ForeignModel *m;
	char	   *at;				/* next line; NULL at the end */
	int			number;			/* of the line read last, from 1 */
} LineReader;

/* A "key=value" line wanted; value stays NULL where there is none. */
typedef struct Field
{
	const char *key;
	char	   *value;
	int			line;
} Field;

static char *
next_line(LineReader *r)
{
	char	   *line = r->at;
	char	   *end;

	if (line == NULL)
		return NULL;
	end = strchr(line, '\n');
	r->at = end != NULL ? end + 1 : NULL;
	r->number++;
	if (end == NULL)
		return line;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

/* Key and value of a line; keys that are not wanted are passed over. */
static void
take_field(LineReader *r, char *line, Field *fields, int nfields)
{
	char	   *equals = strchr(line, '=');

	if (equals != NULL)
		*equals = '\0';
	for (int i = 0; i < nfields; i++)
	{
		if (strcmp(fields[i].key, line) != 0)
			continue;
		if (fields[i].value != NULL)
			malformed(r->m, "Line %d: \"%s\" was given on line %d already.", r->number, line, fields[i].line);
		fields[i].value = equals != NULL ? equals + 1 : line + strlen(line);
		fields[i].line = r->number;
	}
}

/* The lines up to the next empty one. */
static void
read_block(LineReader *r, Field *fields, int nfields)
{
	char	   *line;

	while ((line = next_line(r)) != NULL && *line != '\0')
	{
		CHECK_FOR_INTERRUPTS();
		take_field(r, line, fields, nfields);
	}
}

static char *
skip_empty(LineReader *r)
{
	char	   *line;

	while ((line = next_line(r)) != NULL && *line == '\0')
		CHECK_FOR_INTERRUPTS();
	return line;
}

/* ---- values ---- */

static const char *
need(const LineReader *r, const Field *field)
{
	if (field->value == NULL)
		malformed(r->m, "The block that ends on line %d has no \"%s\".", r->number, field->key);
	return field->value;
}

static int
int_value(const LineReader *r, const Field *field, int low, int high)
{
	double		number;

	if (!parse_finite(need(r, field), &number) || number != floor(number) || number < low || number > high)
		malformed(r->m, "Line %d: \"%s\" is not a whole number from %d to %d.", field->line, field->key, low, high);
	return (int) number;
}

static int
count_words(const char *text)
{
	int			n = 0;

	for (const char *at = text; *at != '\0'; at++)
		n += *at != ' ' && (at == text || at[-1] == ' ');
	return n;
}

/* The next word, cut out of the text; NULL at the end. */
static char *
next_word(char **at)
{
	char	   *word = *at + strspn(*at, " ");
	Size		length = strcspn(word, " ");

	if (length == 0)
		return NULL;
	*at = word + length + (word[length] != '\0');
	word[length] = '\0';
	return word;
}

/* "inf" is the threshold that all numbers are below, and a gain at times. */
static bool
parse_number(const char *word, double *number)
{
	if (strcmp(word, "inf") != 0 && strcmp(word, "-inf") != 0)
		return parse_finite(word, number);
	*number = *word == '-' ? -DBL_MAX : DBL_MAX;
	return true;
}

#define INTERRUPT_EVERY 4096

/* Exactly that many numbers from low to high. */
static double *
number_values(const LineReader *r, Field *field, int expected, double low, double high)
{
	char	   *at = unconstify(char *, need(r, field));
	int			found = count_words(at);
	double	   *numbers;

	if (found != expected)
		malformed(r->m, "Line %d: \"%s\" has %d numbers where %d belong.", field->line, field->key, found, expected);
	numbers = palloc_extended(sizeof(double) * Max(expected, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < expected; i++)
	{
		char	   *word = next_word(&at);

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (!parse_number(word, &numbers[i]) || numbers[i] < low || numbers[i] > high)
			malformed(r->m, "Line %d: \"%s\" holds \"%.40s\" where a number from %g to %g belongs.", field->line, field->key, word, low, high);
	}
	return numbers;
}

static double *
whole_values(const LineReader *r, Field *field, int expected, double low, double high)
{
	double	   *numbers = number_values(r, field, expected, low, high);

	for (int i = 0; i < expected; i++)
		if (numbers[i] != floor(numbers[i]))
			malformed(r->m, "Line %d: \"%s\" holds %g where a whole number belongs.", field->line, field->key, numbers[i]);
	return numbers;
}

#define ANY_NUMBER -HUGE_VAL, HUGE_VAL

/* ---- header ---- */

enum HeaderField
{
	HEAD_VERSION,
	HEAD_NUM_CLASS,
	HEAD_TREES_PER_ITERATION,
	HEAD_MAX_FEATURE,
	HEAD_OBJECTIVE,
	HEAD_NAMES,
	HEAD_INFOS,
	HEAD_AVERAGE,
	HEAD_FIELDS
};

/* "binary sigmoid:1", "multiclass num_class:3", "regression sqrt" */
static void
read_objective(LineReader *r, const Field *head)
{
	ForeignModel *m = r->m;
	char	   *at = head[HEAD_OBJECTIVE].value != NULL ? head[HEAD_OBJECTIVE].value : pstrdup("custom");
	char	   *name = next_word(&at);
	char	   *word;

	if (name == NULL)
		malformed(m, "Line %d: the objective is empty.", head[HEAD_OBJECTIVE].line);
	foreign_set_objective(m, objectives, lengthof(objectives), name, int_value(r, &head[HEAD_NUM_CLASS], 1, PG_UINT16_MAX));
	if (int_value(r, &head[HEAD_TREES_PER_ITERATION], 1, PG_UINT16_MAX) != m->nscores)
		unsupported(m, "Its objective \"%s\" goes with %d scores a row, the file has %s.", name, m->nscores, head[HEAD_TREES_PER_ITERATION].value);
	if (strcmp(name, "custom") == 0)
		m->warnings = lappend(m->warnings, "the file names no objective: predictions are the raw scores");
	while ((word = next_word(&at)) != NULL)
	{
		if (strcmp(word, "sqrt") == 0)
			unsupported(m, "Its target is the root of the real one (reg_sqrt).");
		if (strncmp(word, "sigmoid:", 8) == 0 && m->link == LINK_SIGMOID && (!parse_finite(word + 8, &m->scale) || m->scale <= 0))
			malformed(m, "Line %d: \"%s\" is not above zero.", head[HEAD_OBJECTIVE].line, word);
	}
}

/* "[-1.5:3]": smallest and largest value; "0:3:1" or "-1:0:1": categories; "none": constant in training.  True for categories. */
static bool
read_info(ForeignColumn *column, char *info)
{
	Size		length = strlen(info);
	char	   *colon = strchr(info, ':');

	if (*info != '[')
		return strcmp(info, "none") != 0;
	if (colon == NULL || info[length - 1] != ']')
		return false;
	info[length - 1] = '\0';
	*colon = '\0';
	if (!parse_finite(info + 1, &column->min) || !parse_finite(colon + 1, &column->max))
		column->min = column->max = NAN;
	return false;
}

/* Which columns are categories: (ncolumns). */
static bool *
read_columns(LineReader *r, Field *head)
{
	ForeignModel *m = r->m;
	int			n = int_value(r, &head[HEAD_MAX_FEATURE], 0, PG_INT32_MAX - 1) + 1;
	char	   *name = unconstify(char *, need(r, &head[HEAD_NAMES]));
	char	   *info = unconstify(char *, need(r, &head[HEAD_INFOS]));
	bool	   *category;

	if (count_words(name) != n)
		malformed(m, "Line %d: %d feature names for %d features.", head[HEAD_NAMES].line, count_words(name), n);
	if (count_words(info) != n)
		malformed(m, "Line %d: %d feature infos for %d features.", head[HEAD_INFOS].line, count_words(info), n);
	foreign_create_columns(m, n);
	category = palloc0(sizeof(bool) * n);
	for (int j = 0; j < n; j++)
	{
		m->column[j].name = next_word(&name);
		category[j] = read_info(&m->column[j], next_word(&info));
	}
	return category;
}

static bool *
read_header(LineReader *r, bool *average)
{
	Field		head[HEAD_FIELDS] = {
		[HEAD_VERSION] = {.key = "version"},
		[HEAD_NUM_CLASS] = {.key = "num_class"},
		[HEAD_TREES_PER_ITERATION] = {.key = "num_tree_per_iteration"},
		[HEAD_MAX_FEATURE] = {.key = "max_feature_idx"},
		[HEAD_OBJECTIVE] = {.key = "objective"},
		[HEAD_NAMES] = {.key = "feature_names"},
		[HEAD_INFOS] = {.key = "feature_infos"},
		[HEAD_AVERAGE] = {.key = "average_output"},
	};
	char	   *line = skip_empty(r);
	const char *version;

	if (line == NULL || strcmp(line, "tree") != 0)
		malformed(r->m, "It does not begin with the line \"tree\".");
	read_block(r, head, HEAD_FIELDS);
	version = need(r, &head[HEAD_VERSION]);
	if (strcmp(version, "v2") != 0 && strcmp(version, "v3") != 0 && strcmp(version, "v4") != 0)
		unsupported(r->m, "Its version is \"%.40s\"; v2, v3 and v4 are known.", version);
	read_objective(r, head);
	*average = head[HEAD_AVERAGE].value != NULL;
	return read_columns(r, head);
}

/* ---- trees ---- */

enum TreeField
{
	TREE_NUM_LEAVES,
	TREE_NUM_CAT,
	TREE_SPLIT_FEATURE,
	TREE_SPLIT_GAIN,
	TREE_THRESHOLD,
	TREE_DECISION,
	TREE_LEFT,
	TREE_RIGHT,
	TREE_LEAF_VALUE,
	TREE_LEAF_COUNT,
	TREE_INTERNAL_COUNT,
	TREE_CAT_BOUNDARIES,
	TREE_CAT_WORDS,
	TREE_IS_LINEAR,
	TREE_FIELDS
};

static const Field tree_fields[TREE_FIELDS] = {
	[TREE_NUM_LEAVES] = {.key = "num_leaves"},
	[TREE_NUM_CAT] = {.key = "num_cat"},
	[TREE_SPLIT_FEATURE] = {.key = "split_feature"},
	[TREE_SPLIT_GAIN] = {.key = "split_gain"},
	[TREE_THRESHOLD] = {.key = "threshold"},
	[TREE_DECISION] = {.key = "decision_type"},
	[TREE_LEFT] = {.key = "left_child"},
	[TREE_RIGHT] = {.key = "right_child"},
	[TREE_LEAF_VALUE] = {.key = "leaf_value"},
	[TREE_LEAF_COUNT] = {.key = "leaf_count"},
	[TREE_INTERNAL_COUNT] = {.key = "internal_count"},
	[TREE_CAT_BOUNDARIES] = {.key = "cat_boundaries"},
	[TREE_CAT_WORDS] = {.key = "cat_threshold"},
	[TREE_IS_LINEAR] = {.key = "is_linear"},
};

/* The bit sets of a tree: set i is words boundary[i] .. boundary[i+1]-1. */
typedef struct CategorySets
{
	int			n;
	double	   *boundary;
	double	   *word;
} CategorySets;

static CategorySets
read_sets(const LineReader *r, Field *fields)
{
	CategorySets sets = {.n = int_value(r, &fields[TREE_NUM_CAT], 0, PG_INT32_MAX / 2)};

	if (sets.n == 0)
		return sets;
	sets.boundary = whole_values(r, &fields[TREE_CAT_BOUNDARIES], sets.n + 1, 0, PG_INT32_MAX);
	for (int i = 0; i < sets.n; i++)
		if (sets.boundary[i + 1] < sets.boundary[i])
			malformed(r->m, "Line %d: \"cat_boundaries\" are not in order.", fields[TREE_CAT_BOUNDARIES].line);
	sets.word = whole_values(r, &fields[TREE_CAT_WORDS], (int) sets.boundary[sets.n], 0, PG_UINT32_MAX);
	return sets;
}

static void
read_set(ForeignModel *m, const CategorySets *sets, int set, ForeignNode *node)
{
	int			from = (int) sets->boundary[set];
	int			count = (int) sets->boundary[set + 1] - from;

	for (int i = 0; i < count; i++)
		for (int bit = 0; bit < 32; bit++)
			if (((uint32) sets->word[from + i] >> bit) & 1)
				foreign_add_category(m, node, i * 32 + bit);
}

/* Children below zero are leaves: -1 is the first.  Leaves follow the splits. */
static int
child_index(const LineReader *r, const Field *field, double child, int nsplits)
{
	if (!(child < nsplits && child >= -nsplits - 1))
		malformed(r->m, "Line %d: \"%s\" names node %g of %d.", field->line, field->key, child, nsplits);
	return child >= 0 ? (int) child : nsplits - 1 - (int) child;
}

static void
read_decision(LineReader *r, const Field *fields, const CategorySets *sets, int decision, double threshold, ForeignNode *node)
{
	ForeignModel *m = r->m;
	MissingType missing = decision >> 2;
	bool		default_left = decision & DECISION_DEFAULT_LEFT;

	node->category = decision & DECISION_CATEGORY;
	if (node->category)
	{
		if (!(threshold >= 0 && threshold < sets->n && threshold == floor(threshold)))
			malformed(m, "Line %d: a split refers to category set %g of %d.", fields[TREE_THRESHOLD].line, threshold, sets->n);
		read_set(m, sets, (int) threshold, node);
		return;
	}
	if (missing > MISSING_NAN)
		malformed(m, "Line %d: the decision type %d is unknown.", fields[TREE_DECISION].line, decision);
	node->number = threshold;
	node->missing_left = missing == MISSING_NONE ? 0 <= threshold : default_left;
	if (missing == MISSING_ZERO)
		m->column[node->column].zero_missing = true;
	if (missing == MISSING_NAN)
		m->column[node->column].nan_missing = true;
}

static void
read_splits(LineReader *r, Field *fields, int nsplits, ForeignNode *nodes)
{
	ForeignModel *m = r->m;
	CategorySets sets = read_sets(r, fields);
	double	   *feature = whole_values(r, &fields[TREE_SPLIT_FEATURE], nsplits, 0, m->ncolumns - 1);
	double	   *threshold = number_values(r, &fields[TREE_THRESHOLD], nsplits, ANY_NUMBER);
	double	   *decision = whole_values(r, &fields[TREE_DECISION], nsplits, 0, DECISION_LAST);
	double	   *left = whole_values(r, &fields[TREE_LEFT], nsplits, ANY_NUMBER);
	double	   *right = whole_values(r, &fields[TREE_RIGHT], nsplits, ANY_NUMBER);
	double	   *gain = fields[TREE_SPLIT_GAIN].value ? number_values(r, &fields[TREE_SPLIT_GAIN], nsplits, ANY_NUMBER) : NULL;
	double	   *count = fields[TREE_INTERNAL_COUNT].value ? number_values(r, &fields[TREE_INTERNAL_COUNT], nsplits, 0, HUGE_VAL) : NULL;

	for (int i = 0; i < nsplits; i++)
	{
		nodes[i].left = child_index(r, &fields[TREE_LEFT], left[i], nsplits);
		nodes[i].right = child_index(r, &fields[TREE_RIGHT], right[i], nsplits);
		nodes[i].column = (int) feature[i];
		nodes[i].gain = gain != NULL ? gain[i] : 0;
		nodes[i].cover = count != NULL ? count[i] : 0;
		read_decision(r, fields, &sets, (int) decision[i], threshold[i], &nodes[i]);
	}
}

static void
read_leaves(LineReader *r, Field *fields, int nleaves, ForeignNode *leaves)
{
	double	   *value = number_values(r, &fields[TREE_LEAF_VALUE], nleaves, ANY_NUMBER);
	double	   *count = NULL;

	if (fields[TREE_LEAF_COUNT].value != NULL && *fields[TREE_LEAF_COUNT].value != '\0')
		count = number_values(r, &fields[TREE_LEAF_COUNT], nleaves, 0, HUGE_VAL);
	for (int i = 0; i < nleaves; i++)
		leaves[i] = (ForeignNode) {.left = -1,.right = -1,.number = value[i],.cover = count != NULL ? count[i] : 0};
}

static void
read_tree(LineReader *r, int tree)
{
	ForeignModel *m = r->m;
	Field		fields[TREE_FIELDS];
	int			nleaves;

	memcpy(fields, tree_fields, sizeof(fields));
	read_block(r, fields, TREE_FIELDS);
	if (fields[TREE_IS_LINEAR].value != NULL && int_value(r, &fields[TREE_IS_LINEAR], 0, 1) == 1)
		unsupported(m, "Its trees have linear functions in their leaves (linear_tree).");
	nleaves = int_value(r, &fields[TREE_NUM_LEAVES], 1, TREE_MAX_NODES / 2);
	if (count_words(need(r, &fields[TREE_LEAF_VALUE])) != nleaves)
		malformed(m, "Line %d: tree %d has %d leaf values for %d leaves.", fields[TREE_LEAF_VALUE].line, tree,
				  count_words(fields[TREE_LEAF_VALUE].value), nleaves);
	foreign_create_tree(m, tree, 2 * nleaves - 1);
	if (nleaves > 1)
		read_splits(r, fields, nleaves - 1, m->tree[tree].node);
	read_leaves(r, fields, nleaves, m->tree[tree].node + nleaves - 1);
}

static void
read_trees(LineReader *r)
{
	ForeignModel *m = r->m;
	int			room = 64;
	char	   *line;
	MemoryContext arrays = AllocSetContextCreate(m->context, "relearn import of a tree", ALLOCSET_DEFAULT_SIZES);

	m->tree = palloc(sizeof(ForeignTree) * room);
	MemoryContextSwitchTo(arrays);
	while ((line = skip_empty(r)) != NULL && strcmp(line, "end of trees") != 0)
	{
		if (strncmp(line, "Tree=", 5) != 0 || strcmp(line + 5, psprintf("%d", m->ntrees)) != 0)
			malformed(m, "Line %d holds \"%.40s\" where \"Tree=%d\" or \"end of trees\" belongs.", r->number, line, m->ntrees);
		if (m->ntrees == room)
			m->tree = repalloc_huge(m->tree, sizeof(ForeignTree) * (room *= 2));
		read_tree(r, m->ntrees++);
		MemoryContextReset(arrays);
	}
	MemoryContextSwitchTo(m->context);
	MemoryContextDelete(arrays);
	if (line == NULL)
		malformed(m, "It ends after %d trees, without the line \"end of trees\".", m->ntrees);
}

/* ---- texts of pandas categories ---- */

#define PANDAS "pandas_categorical:"

/* "[[...], [...]]": one list for each column of pandas categories, in the order of the columns. */
static void
read_pandas(LineReader *r, const char *text, const bool *category)
{
	ForeignModel *m = r->m;
	int			ncategories = 0,
				list = 0;
	JsonPlace	lists;
	JsonbValue	value;
	JsonbIterator *it;

	if (strcmp(text, "null") == 0 || strcmp(text, "[]") == 0)
		return;
	for (int j = 0; j < m->ncolumns; j++)
		ncategories += category[j];
	lists = json_parse_text(m, text);
	if (!JsonContainerIsArray(lists.container))
		malformed(m, "Line %d: \"pandas_categorical\" is no array.", r->number);
	if (json_length(&lists) != ncategories)
		unsupported(m, "It has texts for %d columns of pandas categories, but takes %d features as categories: which belong together is not known. "
					"Constant and ordered category columns should be left out of its training.", json_length(&lists), ncategories);
	lists.path = "pandas_categorical";
	it = json_begin(&lists, &value);
	for (int j = 0; j < m->ncolumns; j++)
	{
		JsonPlace	levels;

		if (!category[j] || !json_next(&it, &value))
			continue;
		levels = json_get_element(&lists, &value, list++, true);
		foreign_set_levels(m, j, &levels);
	}
}

void
lightgbm_read(ForeignModel *m, char *body)
{
	LineReader	r = {.m = m,.at = body};
	bool	   *category;
	bool		average,
				pandas = false;
	char	   *line;

	m->library = "LightGBM";
	category = read_header(&r, &average);
	read_trees(&r);
	if (average && m->ntrees > 0)
		m->scale /= (double) m->ntrees / m->nscores;
	while ((line = next_line(&r)) != NULL)
	{
		if (strncmp(line, PANDAS, strlen(PANDAS)) != 0)
			continue;
		if (pandas)
			malformed(m, "Line %d: \"pandas_categorical\" is there twice.", r.number);
		read_pandas(&r, line + strlen(PANDAS), category);
		pandas = true;
	}
}
