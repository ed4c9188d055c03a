/*
 * fit.c
 *		Fitting a preparation on a frame's training rows: the automatic choice for each column, or the chain of steps that was asked for.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/fit_internal.h"

/* Columns are gathered from the rows a few at a time: as many as share a cache line, while they stay within this many bytes. */
#define GATHER_COLUMNS 8
#define GATHER_BYTES ((Size) 48 * 1024 * 1024)
#define FEWEST_COLUMNS 4		/* whatever that takes: each pass brings in a cache line a row */

Size
features_fit_memory(int64 n)
{
	Size		width = Min(GATHER_COLUMNS, Max(GATHER_BYTES / size_times(Max(n, 1), sizeof(double)), FEWEST_COLUMNS));

	return size_times(size_times(n, sizeof(double)), width + 1);
}

static int
gather_width(int64 n)
{
	return (int) (features_fit_memory(n) / size_times(Max(n, 1), sizeof(double))) - 1;
}

/* ---- columns ---- */

static const FeatureSpec *
spec_of_column(const Fitting *f, const char *name)
{
	int			i = find_spec(f, name);
	const FeatureSpec *spec = i < 0 ? NULL : list_nth(f->options->specs, i);

	if (spec != NULL && is_derived(spec))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("preprocess makes feature \"%s\" of other columns, but there is a column of that name", name),
				 errhint("Give the feature a new name.")));
	return spec;
}

/* The automatic treatment; sample holds the column. */
static const char *
fit_automatic(Fitting *f, int column, FitSample *sample)
{
	Features   *features = f->features;
	FeatureStep step = {.transform = automatic_transform(sample->operand->kind, f->options), .group = features->ngroups, .noperands = 1, .final = true};
	ColumnSummary summary = *sample->summary;

	if (summary.kept_count != NULL)
		summary.level_count = summary.kept_count;
	sample->summary = &summary;
	step.fitted = step.transform->fit(sample);
	if (step.fitted == NULL)
		return sample->why_unused;
	step.operand = palloc(sizeof(int));
	*step.operand = column;
	features->groups[features->ngroups++] = (FeatureGroup) {.name = pstrdup(sample->operand->name)};
	(void) features_add_step(features, &step);
	return NULL;
}

/* The steps asked for, on the column's training cells. */
static void
fit_asked(Fitting *f, int column, const FeatureSpec *spec, double *value)
{
	Stage		stage = {.ncolumns = 1, .place = &column, .cells = value};

	if (f->recode[column] != NULL)
		recode_values(value, f->n, f->recode[column]);
	fit_chain(f, spec->name, false, &stage, spec->steps, false);
	free_stage(f, &stage);
}

/* Do the steps begin with one that looks at the text itself? */
static bool
reads_text(const FeatureSpec *spec)
{
	return spec->steps != NIL && (((const StepSpec *) linitial(spec->steps))->transform->kinds & (1 << KIND_TEXT));
}

/* Levels and the description of an input; why its own automatic treatment is impossible, or NULL. */
static const char *
study_column(Fitting *f, int column, const FeatureSpec *spec, FitSample *sample)
{
	const FrameColumn *source = &f->frame->columns[column];
	InputColumn *input = &f->features->inputs[column];
	ColumnSummary *summary = &f->summaries[column];
	const char *why = NULL;
	int			most = f->options->max_categories;

	summarise_column(sample, summary);
	if (source->kind != KIND_CATEGORY)
		return NULL;
	why = levels_unused(summary, dictionary_size(source->levels), f->n);
	if (spec != NULL && reads_text(spec))
	{
		input->kind = f->features->places[column].kind = KIND_TEXT;
		input->levels = source->levels;
		f->features->places[column].dictionary = source->levels;
		return NULL;
	}
	if (spec != NULL || f->options->pass_rest || needed_elsewhere(f, source->name))
		most = ALL_LEVELS;
	else if (why != NULL)
		most = 0;
	choose_levels(source, most, input, summary, &f->recode[column]);
	f->features->places[column].dictionary = input->levels;
	return why;
}

static void
fit_column(Fitting *f, int column, double *value)
{
	const FrameColumn *source = &f->frame->columns[column];
	InputColumn *input = &f->features->inputs[column];
	const FeatureSpec *spec = spec_of_column(f, source->name);
	OutputColumn operand = f->features->places[column];
	FitSample	sample = {.n = f->n, .noperands = 1, .operand = &operand, .value = &value, .spare = f->spare,
	.options = f->options, .warnings = f->warnings};
	const FeatureSpec as_it_is = {.name = source->name};
	const char *why;

	operand.dictionary = source->levels;
	why = study_column(f, column, spec, &sample);
	operand.dictionary = input->levels;
	if (source->aside)
		why = "it is no feature";
	else if (spec != NULL && spec->drop)
		why = "preprocess drops it";
	else if (spec != NULL)
		fit_asked(f, column, spec, value);
	else if (f->options->drop_rest)
		why = "it has no step";
	else if (f->options->pass_rest)
		fit_asked(f, column, &as_it_is, value);
	else if (why == NULL)
		why = fit_automatic(f, column, &sample);

	input->why_unused = pstrdup(why ? why : "its steps leave nothing of it");
	if (why != NULL && !source->aside && spec == NULL && !f->options->drop_rest && !f->options->pass_rest)
		leave_out(f, "column", input->name, why);
}

static void
fit_columns(Fitting *f)
{
	int			width = gather_width(f->n);
	double	   *values = alloc_large(CurrentMemoryContext, Max(features_fit_memory(f->n), 1));
	int			ncolumns = f->frame->ncolumns;

	f->spare = values + (int64) width * f->n;
	for (int first = 0; first < ncolumns; first += width)
	{
		int			count = Min(width, ncolumns - first);

		frame_gather(f->frame, first, count, f->frame->part_start[PART_TRAIN], f->n, values);
		for (int j = 0; j < count; j++)
			fit_column(f, first + j, values + (int64) j * f->n);
	}
	pfree(values);
}

/* ---- all of it ---- */

static void
describe_inputs(const Frame *frame, Features *features)
{
	features->ninputs = frame->ncolumns;
	features->inputs = palloc0(sizeof(InputColumn) * Max(frame->ncolumns, 1));
	for (int i = 0; i < frame->ncolumns; i++)
	{
		features->inputs[i].name = pstrdup(frame->columns[i].name);
		features->inputs[i].type_name = pstrdup(frame->columns[i].type_name);
		features->inputs[i].kind = frame->columns[i].kind;
	}
	features_place_inputs(features);
}

/* What no step takes is not used, and what one takes is. */
static void
mark_used(Features *features)
{
	for (int i = 0; i < features->nsteps; i++)
		for (int k = 0; k < features->steps[i].noperands; k++)
			if (features->steps[i].operand[k] < features->ninputs)
				features->inputs[features->steps[i].operand[k]].used = true;
	for (int i = 0; i < features->ninputs; i++)
		if (features->inputs[i].used)
			features->inputs[i].why_unused = NULL;
}

Features *
features_fit(const Frame *frame, const FeatureOptions *options, const char *time_zone, int ***recode, ColumnSummary **summaries, List **warnings)
{
	Features   *features = palloc0(sizeof(Features));
	Fitting		f = {.frame = frame, .options = options, .features = features, .warnings = warnings};

	f.n = frame_part_rows(frame, PART_TRAIN);
	features->time_zone = pstrdup(time_zone);
	features->zone = pg_tzset(time_zone);
	features->groups = palloc0(sizeof(FeatureGroup) * Max(frame->ncolumns + list_length(options->specs), 1));
	describe_inputs(frame, features);
	f.recode = *recode = palloc0(sizeof(int *) * Max(frame->ncolumns, 1));
	f.summaries = *summaries = palloc0(sizeof(ColumnSummary) * Max(frame->ncolumns, 1));
	fit_columns(&f);
	fit_all_derived(&f);
	mark_used(features);
	features_make_ready(features);
	return features;
}

Features *
features_pass(InputColumn *inputs, int ninputs, const PassedColumn *columns)
{
	Features   *features = palloc0(sizeof(Features));

	features->ninputs = ninputs;
	features->inputs = inputs;
	features->groups = palloc0(sizeof(FeatureGroup) * Max(ninputs, 1));
	features->time_zone = pstrdup("UTC");
	features->zone = pg_tzset(features->time_zone);
	features_place_inputs(features);
	for (int i = 0; i < ninputs; i++)
	{
		FeatureStep step = {.transform = &passed_transform, .group = features->ngroups, .noperands = 1, .final = true};

		if (!inputs[i].used)
			continue;
		features->groups[features->ngroups++].name = inputs[i].name;
		step.operand = palloc(sizeof(int));
		*step.operand = i;
		step.fitted = passed_state(&inputs[i], &columns[i]);
		(void) features_add_step(features, &step);
	}
	features_make_ready(features);
	return features;
}
