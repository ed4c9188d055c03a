/*
 * features.c
 *		Fitting, replaying and storing the preparation of a model's columns; the transforms themselves are in the files beside this one.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/features_internal.h"

/* Columns are gathered from the rows a few at a time: as many as share a cache line, while they stay within this many bytes. */
#define GATHER_COLUMNS 8
#define GATHER_BYTES ((Size) 64 * 1024 * 1024)

/* Order matters only where two transforms take the same kind. */
static const Transform *const transforms[] = {
	&number_transform,
	&category_transform,
	&calendar_transform,
	&clock_transform,
	&passed_transform
};

/* The automatic choice. */
static const Transform *
choose_transform(ColumnKind kind, const FeatureOptions *options)
{
	if (kind == KIND_TIME && options->cyclic)
		return &clock_transform;
	for (int i = 0; i < (int) lengthof(transforms); i++)
		if (transforms[i]->kinds & (1 << kind))
			return transforms[i];
	elog(ERROR, "no transform for column kind %d", kind);
}

char *
indicator_name(const InputColumn *input)
{
	return psprintf("%s is missing", input->name);
}

/* ---- making ready: what both fitting and reading back end with ---- */

static void
name_outputs(Features *features)
{
	int			output = 0;

	for (int i = 0; i < features->nsteps; i++)
	{
		FeatureStep *step = &features->steps[i];

		step->first_output = output;
		output += step->transform->width(step->fitted);
	}
	features->noutputs = output;
	features->outputs = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(OutputColumn) * Max(output, 1),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	features->output_levels = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(output, 1));

	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];
		int			end = i + 1 < features->nsteps ? features->steps[i + 1].first_output : output;

		CHECK_FOR_INTERRUPTS();
		step->transform->name_outputs(step->fitted, &features->inputs[step->input], &features->outputs[step->first_output]);
		for (int j = step->first_output; j < end; j++)
		{
			features->outputs[j].input = step->input;
			features->output_levels[j] = features->outputs[j].levels;
		}
	}
}

/* How many steps from this one on make one run of numbers; 0 where it is something else. */
static int
run_length(const FeatureStep *steps, int nsteps)
{
	int			n = 0;

	while (n < nsteps && number_joins_run(&steps[n]) && steps[n].input == steps[0].input + n)
		if (number_ends_run(&steps[n++]))
			break;
	return n;
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

		if (run > 0)
			*operation = number_run(step, run);
		else
			*operation = (ApplyOperation) {step->transform->apply, step->fitted, step->input, step->first_output};
		i += Max(run, 1);
	}
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

static void
make_ready(Features *features)
{
	name_outputs(features);
	plan_operations(features);
	find_categories(features);
}

/* ---- fitting ---- */

static int
gather_width(int64 n)
{
	return (int) Min(GATHER_COLUMNS, Max(GATHER_BYTES / size_times(Max(n, 1), sizeof(double)), 1));
}

Size
features_fit_memory(int64 n)
{
	return size_times(size_times(n, sizeof(double)), gather_width(n) + 1);
}

static void
fit_column(Features *features, int column, ColumnSample *sample, ColumnSummary *summary, const FeatureOptions *options, int **recode, List **warnings)
{
	InputColumn *input = &features->inputs[column];
	const Transform *transform = choose_transform(sample->column->kind, options);
	char	   *why_unused = NULL;
	void	   *fitted;

	input->name = pstrdup(sample->column->name);
	input->type_name = pstrdup(sample->column->type_name);
	input->kind = sample->column->kind;
	summarise_column(sample, summary);
	fitted = transform->fit(sample, options, input, recode, &why_unused, warnings);
	input->used = fitted != NULL;
	if (fitted != NULL)
		features->steps[features->nsteps++] = (FeatureStep) {transform, column, 0, fitted};
	else
	{
		input->why_unused = pstrdup(why_unused);
		*warnings = lappend(*warnings, psprintf("column \"%s\" is left out: %s", input->name, why_unused));
	}
}

Features *
features_fit(const Frame *frame, const FeatureOptions *options, const char *time_zone, int ***recode, ColumnSummary **summaries, List **warnings)
{
	Features   *features = palloc0(sizeof(Features));
	int64		n = frame_part_rows(frame, PART_TRAIN);
	int			width = gather_width(n);
	double	   *values = alloc_large(CurrentMemoryContext, Max(features_fit_memory(n), 1));
	ColumnSample sample = {.n = n, .spare = values + (int64) width * n};

	features->ninputs = frame->ncolumns;
	features->inputs = palloc0(sizeof(InputColumn) * Max(frame->ncolumns, 1));
	features->steps = palloc0(sizeof(FeatureStep) * Max(frame->ncolumns, 1));
	features->time_zone = pstrdup(time_zone);
	features->zone = pg_tzset(time_zone);
	*recode = palloc0(sizeof(int *) * Max(frame->ncolumns, 1));
	*summaries = palloc0(sizeof(ColumnSummary) * Max(frame->ncolumns, 1));

	for (int first = 0; first < frame->ncolumns; first += width)
	{
		int			ncolumns = Min(width, frame->ncolumns - first);

		frame_gather(frame, first, ncolumns, frame->part_start[PART_TRAIN], n, values);
		for (int j = 0; j < ncolumns; j++)
		{
			sample.column = &frame->columns[first + j];
			sample.value = values + (int64) j * n;
			fit_column(features, first + j, &sample, &(*summaries)[first + j], options, &(*recode)[first + j], warnings);
		}
	}
	pfree(values);
	make_ready(features);
	return features;
}

Features *
features_pass(InputColumn *inputs, int ninputs, const PassedColumn *columns)
{
	Features   *features = palloc0(sizeof(Features));

	features->ninputs = ninputs;
	features->inputs = inputs;
	features->steps = palloc0(sizeof(FeatureStep) * Max(ninputs, 1));
	features->time_zone = pstrdup("UTC");
	features->zone = pg_tzset(features->time_zone);
	for (int i = 0; i < ninputs; i++)
		if (inputs[i].used)
			features->steps[features->nsteps++] = passed_step(&inputs[i], i, &columns[i]);
	make_ready(features);
	return features;
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

void
features_apply(const Features *features, const double *cells, int nrows, double *out)
{
	for (int i = 0; i < features->noperations; i++)
	{
		const ApplyOperation *operation = &features->operations[i];

		operation->apply(operation->state, cells + operation->first_input, nrows, features->ninputs,
						 out + operation->first_output, features->noutputs);
	}
}

/* ---- stored form ---- */

bool
get_flag(ByteReader *r)
{
	uint8		flag = get_u8(r);

	if (flag > 1)
		damaged(r, "A flag is neither 0 nor 1.");
	return flag == 1;
}

double
get_scale(ByteReader *r)
{
	double		scale = get_f64(r);

	if (!(scale >= DBL_MIN && scale <= DBL_MAX))
		damaged(r, "A scale is not a positive number.");
	return scale;
}

static void
flatten_input(const InputColumn *input, ByteWriter *w)
{
	put_text(w, input->name);
	put_text(w, input->type_name);
	put_u8(w, input->kind);
	put_u8(w, input->used);
	put_text(w, input->why_unused);
	if (input->kind != KIND_CATEGORY)
		return;
	put_u32(w, dictionary_size(input->levels));
	for (int code = 0; code < dictionary_size(input->levels); code++)
		put_text(w, dictionary_text(input->levels, code));
}

void
features_flatten(const Features *features, ByteWriter *w)
{
	put_text(w, features->time_zone);
	put_u32(w, features->ninputs);
	for (int i = 0; i < features->ninputs; i++)
		flatten_input(&features->inputs[i], w);
	put_u32(w, features->nsteps);
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		put_u8(w, step->transform->id);
		put_u32(w, step->input);
		step->transform->flatten(step->fitted, w);
	}
}

static char *
get_required_text(ByteReader *r)
{
	char	   *text = get_text(r);

	if (text == NULL)
		damaged(r, "A name is missing.");
	return text;
}

static Dictionary *
unflatten_levels(ByteReader *r)
{
	uint32		count = get_count(r, sizeof(uint32), PG_INT32_MAX / 4);
	Dictionary *levels = dictionary_create(CurrentMemoryContext);

	for (uint32 code = 0; code < count; code++)
	{
		char	   *text = get_required_text(r);

		CHECK_FOR_INTERRUPTS();
		if (dictionary_add(levels, text, (int) strlen(text)) != (int) code)
			damaged(r, "The category \"%s\" occurs twice.", text);
		pfree(text);
	}
	return levels;
}

static void
unflatten_input(ByteReader *r, InputColumn *input)
{
	uint8		kind;

	input->name = get_required_text(r);
	input->type_name = get_required_text(r);
	kind = get_u8(r);
	if (kind == 0 || kind > KIND_LAST)
		damaged(r, "Column \"%s\" is of the unknown kind %d.", input->name, kind);
	input->kind = kind;
	input->used = get_flag(r);
	input->why_unused = get_text(r);
	if (input->used != (input->why_unused == NULL))
		damaged(r, "Column \"%s\" is both used and left out.", input->name);
	if (input->kind == KIND_CATEGORY)
		input->levels = unflatten_levels(r);
}

static void
unflatten_step(ByteReader *r, const Features *features, FeatureStep *step)
{
	uint8		id = get_u8(r);
	uint32		input = get_u32(r);

	for (int i = 0; i < (int) lengthof(transforms); i++)
		if (transforms[i]->id == id)
			step->transform = transforms[i];
	if (step->transform == NULL)
		damaged(r, "The transform %d is not known to this version of the extension.", id);
	if (input >= (uint32) features->ninputs || !features->inputs[input].used)
		damaged(r, "A transform is for column %u, which is not used.", input);
	if (!(step->transform->kinds & (1 << features->inputs[input].kind)))
		damaged(r, "The transform \"%s\" does not take column \"%s\".", step->transform->name, features->inputs[input].name);
	step->input = (int) input;
	step->fitted = step->transform->unflatten(r, &features->inputs[input]);
}

static pg_tz *
find_zone(ByteReader *r, const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		damaged(r, "The time zone \"%s\" is not known to this server.", name);
	return zone;
}

/* Every used column has one step, in the order of the columns. */
static void
unflatten_steps(ByteReader *r, Features *features)
{
	int			nused = 0;

	for (int i = 0; i < features->ninputs; i++)
		nused += features->inputs[i].used;
	features->nsteps = (int) get_count(r, sizeof(uint8) + sizeof(uint32), features->ninputs);
	if (features->nsteps != nused)
		damaged(r, "%d transforms were found for %d used columns.", features->nsteps, nused);
	features->steps = palloc0(sizeof(FeatureStep) * Max(features->nsteps, 1));
	for (int i = 0; i < features->nsteps; i++)
	{
		unflatten_step(r, features, &features->steps[i]);
		if (i > 0 && features->steps[i].input <= features->steps[i - 1].input)
			damaged(r, "The transforms are not in the order of the columns.");
	}
}

Features *
features_unflatten(ByteReader *r)
{
	Features   *features = palloc0(sizeof(Features));

	features->time_zone = get_required_text(r);
	features->zone = find_zone(r, features->time_zone);
	features->ninputs = (int) get_count(r, sizeof(uint32), MaxTupleAttributeNumber);
	features->inputs = palloc0(sizeof(InputColumn) * Max(features->ninputs, 1));
	for (int i = 0; i < features->ninputs; i++)
		unflatten_input(r, &features->inputs[i]);
	unflatten_steps(r, features);
	make_ready(features);
	return features;
}
