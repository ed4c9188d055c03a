/*
 * resample.c
 *		Training rows of unbalanced classes: fewer of the frequent ones, copies of the rare ones, or rows made up between them (smote.c).
 *
 * It is done behind the split and only to what the learner sees as training rows: preparation, metrics and the sketch of training rows are of the
 * rows there are, validation and test rows are never touched.  What the learner then takes for the classes' shares is undone in its probabilities
 * (Elkan 2001; Saerens, Latinne, Decaestecker 2002): p_c becomes p_c f_c / sum(p f) with f_c = share before / share after.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/sort.h"
#include "resample_internal.h"

#define SEED_SALT UINT64CONST(0x52e5a3b1c0ffee11)	/* keeps the draws apart from those of learners with the same seed */
#define STREAM_UNDER 1
#define STREAM_OVER 2
#define STREAM_SHUFFLE 3
#define ROWS_PER_CHECK 8192

static const char *const method_names[] = {"none", "oversample", "undersample", "smote", "smotenc", NULL};

/* ---- options ---- */

static ResampleMethod
parse_method(const JsonbValue *value)
{
	char	   *name = json_text("resample", value);
	const char *names[lengthof(method_names) - 1];

	for (int i = 0; method_names[i] != NULL; i++)
		if (strcmp(method_names[i], name) == 0)
			return i;
	memcpy(names, method_names, sizeof(names));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameter \"resample\" cannot be \"%s\"", name),
			 errhint("%s", valid_names_hint(name, names, lengthof(names), "values"))));
}

static double
parse_bounded(const char *name, const JsonbValue *value, double min, double max, const char *range)
{
	double		number = json_number(name, value);

	if (!(number >= min && number <= max))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" must be %s", name, range)));
	return number;
}

bool
resample_option(const char *name, const JsonbValue *value, ResampleOptions *options)
{
	bool		given = value->type != jbvNull;

	if (strcmp(name, "resample") == 0)
		options->method = given ? parse_method(value) : RESAMPLE_NONE;
	else if (strcmp(name, "sampling_ratio") == 0)
		options->ratio = given ? parse_bounded(name, value, 1e-6, 1, "above 0 and at most 1") : 0;
	else if (strcmp(name, "smote_neighbors") == 0)
	{
		options->neighbors = given ? (int) parse_bounded(name, value, 1, 1000, "between 1 and 1000") : 0;
		if (given && options->neighbors != json_number(name, value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" must be a whole number", name)));
	}
	else if (strcmp(name, "correct_probabilities") == 0)
		options->correct = !given ? CORRECT_BY_DEFAULT : json_bool(name, value) ? CORRECT_YES : CORRECT_NO;
	else
		return false;
	return true;
}

static bool
makes_rows(const ResampleOptions *options)
{
	return options->method == RESAMPLE_SMOTE || options->method == RESAMPLE_SMOTENC;
}

static void
refuse_without(const char *name, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameter \"%s\" says nothing without %s", name, wanted)));
}

void
resample_options_check(TrainingOptions *common)
{
	ResampleOptions *options = &common->resample;
	bool		class_weight = common->class_weight.balanced || common->class_weight.n > 0;

	if (options->method != RESAMPLE_NONE && class_weight)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameters \"resample\" and \"class_weight\" say the same thing"),
				 errhint("Give one of them.")));
	if (options->ratio > 0 && options->method == RESAMPLE_NONE)
		refuse_without("sampling_ratio", "\"resample\"");
	if (options->neighbors > 0 && !makes_rows(options))
		refuse_without("smote_neighbors", "\"resample\" being \"smote\" or \"smotenc\"");
	if (options->correct == CORRECT_YES && options->method == RESAMPLE_NONE && !class_weight)
		refuse_without("correct_probabilities", "\"resample\" or \"class_weight\"");
	if (options->ratio == 0)
		options->ratio = 1;
	if (options->neighbors == 0)
		options->neighbors = 5;
	if (options->correct == CORRECT_BY_DEFAULT)
		options->correct = options->method != RESAMPLE_NONE ? CORRECT_YES : CORRECT_NO;
}

void
resample_append_json(StringInfo out, const ResampleOptions *options)
{
	appendStringInfoString(out, "\"resample\": ");
	json_append_string(out, options->method == RESAMPLE_NONE ? NULL : method_names[options->method]);
	if (options->method != RESAMPLE_NONE)
	{
		appendStringInfoString(out, ", \"sampling_ratio\": ");
		json_append_number(out, options->ratio);
	}
	if (makes_rows(options))
		appendStringInfo(out, ", \"smote_neighbors\": %d", options->neighbors);
	appendStringInfo(out, ", \"correct_probabilities\": %s", options->correct == CORRECT_YES ? "true" : "false");
}

/* ---- how many of each class ---- */

static void *
book(Training *t, Size element, int64 n, const char *what)
{
	Size		bytes = size_times(element, Max(n, 1));

	budget_take(&t->budget, bytes, what);
	return alloc_large(CurrentMemoryContext, bytes);
}

/* Rows sorted by class: (ntrain) positions, and the classes' places among them. */
static ClassRows *
class_rows(Training *t, int64 ntrain)
{
	ClassRows  *rows = palloc0(sizeof(ClassRows) * t->nclasses);
	uint32	   *position = book(t, sizeof(uint32), ntrain, "the rows of each class");

	for (int64 i = 0; i < ntrain; i++)
		rows[(int) t->target[i]].n++;
	for (int c = 0; c < t->nclasses; c++)
	{
		rows[c].class_index = c;
		rows[c].position = position;
		position += rows[c].n;
		rows[c].n = 0;
	}
	for (int64 i = 0; i < ntrain; i++)
	{
		ClassRows  *class = &rows[(int) t->target[i]];

		class->position[class->n++] = (uint32) i;
	}
	return rows;
}

/* As imbalanced-learn counts: the ratio is that of a smaller class to the largest, or of the smallest to a larger one, rounded down. */
static void
find_wanted(const Training *t, ClassRows *rows)
{
	const ResampleOptions *options = &t->common.resample;
	int64		most = 0,
				fewest = PG_INT64_MAX;

	for (int c = 0; c < t->nclasses; c++)
	{
		most = Max(most, rows[c].n);
		fewest = Min(fewest, rows[c].n);
	}
	for (int c = 0; c < t->nclasses; c++)
		rows[c].wanted = options->method == RESAMPLE_UNDER ? Min(rows[c].n, (int64) (fewest / options->ratio)) :
			Max(rows[c].n, (int64) (most * options->ratio));
}

static bool
changes_nothing(const Training *t, const ClassRows *rows)
{
	for (int c = 0; c < t->nclasses; c++)
		if (rows[c].wanted != rows[c].n)
			return false;
	return true;
}

/* ---- which rows ---- */

/* The first "wanted" of a class after a shuffle that goes only as far as needed (Fisher, Yates). */
static void
draw_without_replacement(Resampled *r, ClassRows *class, int64 *n)
{
	for (int64 i = 0; i < class->wanted; i++)
	{
		int64		j = i + draw_below(r->seed, STREAM_UNDER + 16 * class->class_index, i, class->n - i);
		uint32		drawn = class->position[j];

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		class->position[j] = class->position[i];
		class->position[i] = drawn;
		r->entry[(*n)++] = drawn;
	}
}

static void
keep_all(Resampled *r, const ClassRows *class, int64 *n)
{
	memcpy(r->entry + *n, class->position, sizeof(uint32) * class->n);
	*n += class->n;
}

static void
draw_copies(Resampled *r, const ClassRows *class, int64 *n)
{
	for (int64 i = 0; i < class->wanted - class->n; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		r->entry[(*n)++] = class->position[draw_below(r->seed, STREAM_OVER + 16 * class->class_index, i, class->n)];
	}
}

static void
make_up(Training *t, Resampled *r, const ClassRows *class, int64 *n)
{
	int64		first = r->nsynthetic;

	if (class->wanted > class->n)
		smote_class(t, r, class);
	for (int64 i = first; i < r->nsynthetic; i++)
		r->entry[(*n)++] = (uint32) (r->ntrain + i);
}

/* Learners take the first rows for a sample of all. */
static void
shuffle(Training *t, Resampled *r)
{
	Size		bytes = size_times(2 * (sizeof(uint64) + sizeof(uint32)), r->nrows);
	uint64	   *key;
	uint32	   *scratch;

	budget_take(&t->budget, bytes, "resampling");
	key = alloc_large(CurrentMemoryContext, size_times(2 * sizeof(uint64), r->nrows));
	scratch = alloc_large(CurrentMemoryContext, size_times(sizeof(uint32), r->nrows));
	for (int64 i = 0; i < r->nrows; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		key[i] = hash_fold(hash_fold(r->seed, STREAM_SHUFFLE), i);
	}
	sort_keys(key, r->entry, key + r->nrows, scratch, (uint32) r->nrows);
	pfree(key);
	pfree(scratch);
	budget_return(&t->budget, bytes);
}

static void
draw_rows(Training *t, Resampled *r, ClassRows *rows)
{
	int64		n = 0;

	for (int c = 0; c < t->nclasses; c++)
	{
		if (t->common.resample.method == RESAMPLE_UNDER)
		{
			draw_without_replacement(r, &rows[c], &n);
			continue;
		}
		keep_all(r, &rows[c], &n);
		if (t->common.resample.method == RESAMPLE_OVER)
			draw_copies(r, &rows[c], &n);
		else
			make_up(t, r, &rows[c], &n);
	}
	shuffle(t, r);
}

/* ---- as a learner sees them ---- */

static inline bool
is_synthetic(const Resampled *r, int64 row)
{
	return row < r->nrows && r->entry[row] >= r->ntrain;
}

/* The frame's position of a training row, of the row that a synthetic one starts from, or of one of the validation rows behind them. */
static inline int64
frame_position(const Resampled *r, int64 row)
{
	if (row >= r->nrows)
		return r->ntrain + (row - r->nrows);
	return is_synthetic(r, row) ? r->base[r->entry[row] - r->ntrain] : r->entry[row];
}

/* A row made up is prepared as the one it starts from: what was learned from targets comes from the same folds. */
static const double *
prepare_rows(const Resampled *r, const int64 *row, int count)
{
	Design	   *design = r->design;
	const Features *features = design->features;
	uint32		position[DESIGN_BLOCK];

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < count; i++)
	{
		double	   *cells = design->cells + (Size) i * features->ninputs;

		position[i] = (uint32) frame_position(r, row[i]);
		if (is_synthetic(r, row[i]))
			memcpy(cells, r->synthetic + (r->entry[row[i]] - r->ntrain) * features->ninputs, sizeof(double) * features->ninputs);
		else
			features_recode(features, design->recode, frame_row(design->frame, position[i]), cells);
	}
	features_apply_training(features, design->cells, position, count, design->block);
	return design->block;
}

static const double *
resampled_rows(void *state, int64 start, int count)
{
	Resampled  *r = state;
	int64		row[DESIGN_BLOCK];

	if (r->kept != NULL && start < r->nrows)
		return r->kept + start * r->design->features->noutputs;
	for (int i = 0; i < count; i++)
		row[i] = start + i;
	return prepare_rows(r, row, count);
}

void
resampled_keep(Training *t)
{
	Resampled  *r = t->resampled;
	int			ncolumns = t->features->noutputs;
	double	   *kept = book(t, sizeof(double) * Max(ncolumns, 1), r->nrows, "the prepared training rows");

	for (int64 start = 0; start < r->nrows; start += DESIGN_BLOCK)
	{
		int			count = Min(DESIGN_BLOCK, r->nrows - start);

		memcpy(kept + start * ncolumns, resampled_rows(r, start, count), sizeof(double) * count * ncolumns);
	}
	r->kept = kept;
}

static void
code_synthetic(Resampled *r, const int64 *row, int count)
{
	uint32		place[DESIGN_BLOCK];

	for (int i = 0; i < count; i++)
		place[i] = (uint32) row[i];
	bins_code(r->bins, prepare_rows(r, row, count), place, count);
}

/* Rows there are have their bins already. */
void
resampled_code(Training *t)
{
	Resampled  *r = t->resampled;
	int64		nall = r->nrows + frame_part_rows(t->frame, PART_VALIDATION);
	int64		waiting[DESIGN_BLOCK];
	int			nwaiting = 0;

	budget_take(&t->budget, bins_memory(nall, t->features->noutputs), "the resampled rows as bins");
	r->bins = bins_alike(t->design->bins, nall);
	for (int64 i = 0; i < nall; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (!is_synthetic(r, i))
		{
			bins_copy_row(r->bins, i, t->design->bins, frame_position(r, i));
			continue;
		}
		waiting[nwaiting++] = i;
		if (nwaiting == DESIGN_BLOCK)
		{
			code_synthetic(r, waiting, nwaiting);
			nwaiting = 0;
		}
	}
	code_synthetic(r, waiting, nwaiting);
	t->set.bins = r->bins;
}

/* ---- targets, weights, and what they mean for probabilities ---- */

static void
class_sums(const Training *t, const double *target, const double *weight, int64 n, double *sum)
{
	memset(sum, 0, sizeof(double) * t->nclasses);
	for (int64 i = 0; i < n; i++)
		sum[(int) target[i]] += weight ? weight[i] : 1;
}

/* share before / share after, for each class. */
static double *
prior_factors(const Training *t, const TrainingSet *before, const TrainingSet *after)
{
	double	   *old = palloc(sizeof(double) * t->nclasses);
	double	   *new = palloc(sizeof(double) * t->nclasses);
	double		old_sum = 0,
				new_sum = 0;

	class_sums(t, before->target, before->weight, before->nrows, old);
	class_sums(t, after->target, after->weight, after->nrows, new);
	for (int c = 0; c < t->nclasses; c++)
	{
		old_sum += old[c];
		new_sum += new[c];
	}
	for (int c = 0; c < t->nclasses; c++)
	{
		if (!(old[c] > 0 && new[c] > 0))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("class \"%s\" has no weight among the resampled training rows", t->model->labels[c]),
					 errhint("Leave out its rows in the source, or give them weights above zero.")));
		old[c] = (old[c] / old_sum) / (new[c] / new_sum);
	}
	return old;
}

/*
 * The validation rows decide when to stop: they are weighted as if their classes had been resampled too.
 */
static void
see_rows(Training *t, Resampled *r)
{
	TrainingSet before = t->set;
	TrainingSet *set = &t->set;
	int64		nall = r->nrows + before.nvalidation;
	double	   *target = book(t, sizeof(double), nall, "the resampled targets");
	double	   *weight = book(t, sizeof(double), nall, "the resampled weights");
	double	   *factor;

	for (int64 i = 0; i < nall; i++)
	{
		int64		position = frame_position(r, i);

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		target[i] = before.target[position];
		weight[i] = before.weight ? before.weight[position] : 1;
	}
	set->nrows = r->nrows;
	set->target = target;
	set->weight = weight;
	set->rows = resampled_rows;
	set->design = r;
	factor = prior_factors(t, &before, set);
	for (int64 i = r->nrows; i < nall; i++)
		if (target[i] >= 0)
			weight[i] /= factor[(int) target[i]];
	if (t->common.resample.correct == CORRECT_YES)
		t->model->prior_factor = factor;
}

static void
tell(Training *t, const ClassRows *rows)
{
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line, "%s changed the classes' training rows:", method_names[t->common.resample.method]);
	for (int c = 0; c < t->nclasses; c++)
		if (rows[c].wanted != rows[c].n)
			appendStringInfo(&line, " \"%s\" from %lld to %lld,", t->model->labels[c], (long long) rows[c].n, (long long) rows[c].wanted);
	line.data[line.len - 1] = ';';
	appendStringInfoString(&line, t->common.resample.correct == CORRECT_YES ? " probabilities are corrected for it" :
						   " probabilities are of the resampled rows");
	t->warnings = lappend(t->warnings, line.data);
}

void
resample_check(const Training *t)
{
	const ResampleOptions *options = &t->common.resample;

	if (options->method != RESAMPLE_NONE && !task_classifies(t->task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"resample\" is for classification only")));
}

void
resample(Training *t)
{
	int64		ntrain = t->set.nrows;
	Resampled  *r;
	ClassRows  *rows;

	if (t->common.resample.method == RESAMPLE_NONE)
		return;
	if (makes_rows(&t->common.resample))
		smote_check(t);
	rows = class_rows(t, ntrain);
	find_wanted(t, rows);
	if (changes_nothing(t, rows))
	{
		t->warnings = lappend(t->warnings, "the classes are as balanced as \"sampling_ratio\" asks for: nothing was resampled");
		return;
	}
	r = palloc0(sizeof(Resampled));
	r->ntrain = ntrain;
	r->seed = hash_fold(hash_mix((uint64) t->request.seed + 1), SEED_SALT);
	r->design = t->design;
	for (int c = 0; c < t->nclasses; c++)
		r->nrows += rows[c].wanted;
	if (r->nrows + ntrain > MOST_RESAMPLED)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("resampling would give %lld training rows, more than there can be", (long long) r->nrows),
				 errhint("Lower sampling_ratio, or use \"undersample\".")));
	r->entry = book(t, sizeof(uint32), r->nrows, "the resampled rows");
	if (makes_rows(&t->common.resample))
	{
		r->synthetic = book(t, sizeof(double) * Max(t->features->ninputs, 1), r->nrows - ntrain, "the synthetic rows");
		r->base = book(t, sizeof(uint32), r->nrows - ntrain, "the synthetic rows");
	}
	draw_rows(t, r, rows);
	t->resampled = r;
	see_rows(t, r);
	tell(t, rows);
}

/* ---- after the training ---- */

/* What weights of classes do to probabilities, they do as known factors. */
static double *
factors_of_weights(const Training *t)
{
	double	   *factor = palloc(sizeof(double) * t->nclasses);

	for (int c = 0; c < t->nclasses; c++)
	{
		if (!(t->class_weight[c] > 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("probabilities cannot be corrected for class \"%s\", whose weight is zero", t->model->labels[c])));
		factor[c] = 1 / t->class_weight[c];
	}
	return factor;
}

void
correct_answers(Training *t)
{
	if (t->resampled != NULL)
	{
		/* its answers are of other rows, and copies of a row out of the bag were in it */
		t->set.answers = NULL;
		t->set.nanswers = 0;
		if (t->set.out_of_bag != NULL)
			t->warnings = lappend(t->warnings, "rows out of the bag are not judged where they were resampled: copies of them may be in it");
		t->set.out_of_bag = NULL;
		return;
	}
	if (t->class_weight == NULL || t->common.resample.correct != CORRECT_YES)
		return;
	t->model->prior_factor = factors_of_weights(t);
	if (t->set.answers != NULL)
		model_correct(t->model, t->set.nanswers, t->set.answers);
	if (t->set.out_of_bag != NULL)
		model_correct(t->model, t->set.nrows, t->set.out_of_bag);
}
