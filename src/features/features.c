/*
 * features.c
 *		The table of transforms, and replaying a model's preparation; the transforms themselves are in the files beside this one.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/features_internal.h"

#define INDICATOR_SUFFIX " is missing"

/* The automatic ones first: the choice for a kind is the first that takes it. */
const Transform *const transforms[] = {
	&number_transform,
	&category_transform,
	&calendar_transform,
	&clock_transform,
	&passed_transform,
	&passthrough_transform,
	&impute_transform,
	&indicator_transform,
	&standard_transform,
	&minmax_transform,
	&maxabs_transform,
	&robust_transform,
	&quantile_transform,
	&power_transform,
	&log1p_transform,
	&clip_transform,
	&bucketize_transform,
	&ratio_transform,
	&difference_transform,
	&interaction_transform,
	&polynomial_transform,
	&group_transform,
	&onehot_transform,
	&target_transform,
	&ordinal_transform,
	&frequency_transform,
	&date_parts_transform,
	&holidays_transform,
	&text_counts_transform,
	&tfidf_transform,
	&text_hash_transform,
	&level_hash_transform,
};

const int	ntransforms = lengthof(transforms);

const Transform *
transform_find(const char *name, const TransformAlias **alias)
{
	*alias = NULL;
	for (int i = 0; i < ntransforms; i++)
	{
		if (transforms[i]->family == NULL)
			continue;
		if (strcmp(transforms[i]->name, name) == 0)
			return transforms[i];
		for (const TransformAlias *other = transforms[i]->aliases; other != NULL && other->name != NULL; other++)
			if (strcmp(other->name, name) == 0)
			{
				*alias = other;
				return transforms[i];
			}
	}
	return NULL;
}

const Transform *
automatic_transform(ColumnKind kind, const FeatureOptions *options)
{
	if (kind == KIND_TIME && options->cyclic)
		return &clock_transform;
	for (int i = 0; i < ntransforms; i++)
		if (transforms[i]->kinds & (1 << kind))
			return transforms[i];
	elog(ERROR, "no transform for column kind %d", kind);
}

char *
indicator_name(const OutputColumn *operand)
{
	return psprintf("%s" INDICATOR_SUFFIX, operand->name);
}

char *
features_digits(double x)
{
	char	   *digits = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(x, digits);
	return digits;
}

char *
number_literal(double x)
{
	return psprintf("'%s'::double precision", features_digits(x));
}

/* ---- what the steps make ---- */

void
features_place_inputs(Features *features)
{
	features->places = palloc0(sizeof(OutputColumn) * Max(features->ninputs, 1));
	features->nplaces = features->ninputs;
	for (int i = 0; i < features->ninputs; i++)
		features->places[i] = (OutputColumn) {
			.name = features->inputs[i].name,
			.kind = features->inputs[i].kind,
			.dictionary = features->inputs[i].levels,
			.scale = 1.0,
		};
}

/* What several columns were made into goes by the new feature's name from there on. */
static bool
is_first_of_derived(const Features *features, const FeatureStep *step)
{
	return features->groups[step->group].derived && (features->nsteps == 1 || step[-1].group != step->group);
}

static void
name_columns(const Features *features, FeatureStep *step)
{
	OutputColumn *operand = palloc(sizeof(OutputColumn) * step->noperands);

	step->columns = palloc_extended(sizeof(OutputColumn) * Max(step->width, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int k = 0; k < step->noperands; k++)
		operand[k] = features->places[step->operand[k]];
	step->transform->name_outputs(step->fitted, operand, step->noperands, step->columns);
	for (int j = 0; j < step->width; j++)
	{
		OutputColumn *column = &step->columns[j];

		if (column->kind == 0)
			column->kind = KIND_NUMBER;
		if (column->scale == 0.0)
			column->scale = 1.0;
		column->group = step->group;
	}
	if (step->transform->takes_all && step->width == 1 && is_first_of_derived(features, step))
		step->columns->name = features->groups[step->group].name;
	pfree(operand);
}

/* How many the array has room for: a power of two. */
static int
room(int n)
{
	int			most = 8;

	while (most < n)
		most *= 2;
	return most;
}

FeatureStep *
features_add_step(Features *features, const FeatureStep *made)
{
	int			n = features->nsteps;
	FeatureStep *step;

	CHECK_FOR_INTERRUPTS();
	if (n == 0)
		features->steps = palloc(sizeof(FeatureStep) * room(1));
	else if (n == room(n))
		features->steps = repalloc_huge(features->steps, sizeof(FeatureStep) * room(n + 1));
	step = &features->steps[features->nsteps++];
	*step = *made;
	step->width = step->transform->width(step->fitted);
	name_columns(features, step);
	if (step->final)
		return step;

	step->first_output = features->nplaces;
	features->places = repalloc_huge(features->places, sizeof(OutputColumn) * (features->nplaces + step->width));
	memcpy(features->places + features->nplaces, step->columns, sizeof(OutputColumn) * step->width);
	features->nplaces += step->width;
	return step;
}

/* The input a place leads back to: of several the first. */
static int
input_of_place(const Features *features, const int *made_by, int place)
{
	while (place >= features->ninputs)
		place = features->steps[made_by[place]].operand[0];
	return place;
}

static void
find_inputs_of_groups(Features *features)
{
	int		   *made_by = palloc_extended(sizeof(int) * Max(features->nplaces, 1), MCXT_ALLOC_HUGE);

	for (int g = 0; g < features->ngroups; g++)
		features->groups[g].input = -1;
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		for (int j = 0; !step->final && j < step->width; j++)
			made_by[step->first_output + j] = i;
		if (features->groups[step->group].input < 0)
			features->groups[step->group].input = input_of_place(features, made_by, step->operand[0]);
	}
	pfree(made_by);
}

static void
gather_outputs(Features *features)
{
	int			n = 0;

	for (int i = 0; i < features->nsteps; i++)
		if (features->steps[i].final)
			n += features->steps[i].width;
	features->noutputs = 0;
	features->outputs = palloc_extended(sizeof(OutputColumn) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	features->output_levels = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < features->nsteps; i++)
	{
		FeatureStep *step = &features->steps[i];

		CHECK_FOR_INTERRUPTS();
		if (!step->final)
			continue;
		step->first_output = features->noutputs;
		for (int j = 0; j < step->width; j++)
		{
			OutputColumn *output = &features->outputs[features->noutputs];

			*output = step->columns[j];
			output->input = features->groups[step->group].input;
			features->output_levels[features->noutputs++] = output->levels;
		}
	}
}

/* Is the name that of "base", or of its indicator? */
static bool
is_named_after(const char *name, const char *base)
{
	Size		length = strlen(base);

	return strncmp(name, base, length) == 0 && (name[length] == '\0' || strcmp(name + length, INDICATOR_SUFFIX) == 0);
}

/* The columns of a derived feature go by its name, or where they are several things by it and theirs. */
static void
name_group(OutputColumn *outputs, int n, const char *name)
{
	const char *base = outputs->name;
	bool		one_thing = true;

	for (int j = 1; j < n; j++)
		one_thing = one_thing && is_named_after(outputs[j].name, base);
	for (int j = n - 1; j >= 0; j--)
	{
		if (one_thing)
			outputs[j].name = psprintf("%s%s", name, outputs[j].name + strlen(base));
		else if (!is_named_after(outputs[j].name, name))
			outputs[j].name = psprintf("%s: %s", name, outputs[j].name);
	}
}

static void
name_derived(Features *features)
{
	for (int j = 0, end; j < features->noutputs; j = end)
	{
		const FeatureGroup *group = &features->groups[features->outputs[j].group];

		for (end = j + 1; end < features->noutputs && features->outputs[end].group == features->outputs[j].group;)
			end++;
		if (group->derived)
			name_group(features->outputs + j, end - j, group->name);
	}
}

const FeatureStep *
features_step_of(const Features *features, int output)
{
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		if (step->final && output >= step->first_output && output < step->first_output + step->width)
			return step;
	}
	elog(ERROR, "no step makes design column %d", output);
}

/* ---- the order of work ---- */

/* How many steps from this one on make one run of numbers; 0 where it is something else. */
static int
run_length(const FeatureStep *steps, int nsteps)
{
	int			n = 0;

	while (n < nsteps && number_joins_run(&steps[n]) && steps[n].final && steps[n].operand[0] == steps[0].operand[0] + n)
		if (number_ends_run(&steps[n++]))
			break;
	return n;
}

static ApplyOperation
single_step(const FeatureStep *step)
{
	int		   *offset = palloc(sizeof(int) * step->noperands);

	for (int k = 0; k < step->noperands; k++)
		offset[k] = step->operand[k] - step->operand[0];
	return (ApplyOperation) {.apply = step->transform->apply, .state = step->fitted, .fold = step->fold, .offset = offset};
}

static void
plan_operations(Features *features)
{
	features->operations = palloc(sizeof(ApplyOperation) * Max(features->nsteps, 1));
	features->noperations = 0;
	for (int i = 0; i < features->nsteps;)
	{
		const FeatureStep *step = &features->steps[i];
		int			run = run_length(step, features->nsteps - i);
		ApplyOperation *operation = &features->operations[features->noperations++];

		*operation = run > 0 ? number_run(step, run) : single_step(step);
		operation->first_operand = step->operand[0];
		operation->final = step->final;
		operation->first_output = step->first_output;
		i += Max(run, 1);
	}
	if (features->nplaces > features->ninputs)
		features->workspace = palloc_extended(size_times(sizeof(double) * WORKSPACE_ROWS, features->nplaces), MCXT_ALLOC_HUGE);
}

static void
find_categories(Features *features)
{
	features->category_inputs = palloc(sizeof(int) * Max(features->ninputs, 1));
	features->ncategories = 0;
	for (int i = 0; i < features->ninputs; i++)
		if (features->inputs[i].kind == KIND_CATEGORY)
			features->category_inputs[features->ncategories++] = i;
}

void
features_make_ready(Features *features)
{
	find_inputs_of_groups(features);
	gather_outputs(features);
	name_derived(features);
	plan_operations(features);
	find_categories(features);
}

/* ---- replaying ---- */

void
features_recode(const Features *features, int **recode, const double *frame_cells, double *cells)
{
	memcpy(cells, frame_cells, sizeof(double) * features->ninputs);
	for (int i = 0; i < features->ncategories; i++)
	{
		int			input = features->category_inputs[i];

		if (!isnan(cells[input]))
			cells[input] = recode[input][(int) cells[input]];
	}
}

/* fold: whose rows these are, -1 for rows nothing was learned from. */
static void
run_operations(const Features *features, int fold, const double *cells, int stride, int nrows, double *out)
{
	for (int i = 0; i < features->noperations; i++)
	{
		const ApplyOperation *operation = &features->operations[i];
		ApplyRows	rows = {
			.cells = cells + operation->first_operand,
			.offset = operation->offset,
			.nrows = nrows,
			.stride = stride,
			.out = (operation->final ? out : features->workspace) + operation->first_output,
			.out_stride = operation->final ? features->noutputs : stride,
		};

		operation->apply(fold >= 0 && operation->fold != NULL ? operation->fold[fold] : operation->state, &rows);
	}
}

static void
apply_fold(const Features *features, int fold, const double *cells, int nrows, double *out)
{
	int			ninputs = features->ninputs;

	if (features->workspace == NULL)
	{
		run_operations(features, fold, cells, ninputs, nrows, out);
		return;
	}
	for (int start = 0; start < nrows; start += WORKSPACE_ROWS)
	{
		int			count = Min(WORKSPACE_ROWS, nrows - start);

		for (int i = 0; i < count; i++)
			memcpy(features->workspace + (Size) i * features->nplaces, cells + (Size) (start + i) * ninputs, sizeof(double) * ninputs);
		run_operations(features, fold, features->workspace, features->nplaces, count, out + (Size) start * features->noutputs);
	}
}

void
features_apply(const Features *features, const double *cells, int nrows, double *out)
{
	apply_fold(features, -1, cells, nrows, out);
}

/* Folds are ranges of the canonical order, so that equal rows and rows of one key share one. */
int64
fold_start(int64 n, int fold)
{
	return n / CROSS_FIT_FOLDS * fold + n % CROSS_FIT_FOLDS * fold / CROSS_FIT_FOLDS;
}

/* Of a row at a position; -1 behind the training rows. */
static int
fold_of(int64 n, int64 position)
{
	int			fold = 0;

	while (fold < CROSS_FIT_FOLDS && fold_start(n, fold + 1) <= position)
		fold++;
	return fold < CROSS_FIT_FOLDS ? fold : -1;
}

void
features_apply_training(const Features *features, const double *cells, const uint32 *position, int nrows, double *out)
{
	int			end;

	if (features->ntraining == 0)
	{
		features_apply(features, cells, nrows, out);
		return;
	}
	for (int start = 0; start < nrows; start = end)
	{
		int			fold = fold_of(features->ntraining, position[start]);

		for (end = start + 1; end < nrows && fold_of(features->ntraining, position[end]) == fold;)
			end++;
		apply_fold(features, fold, cells + (Size) start * features->ninputs, end - start, out + (Size) start * features->noutputs);
	}
}
