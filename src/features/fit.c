/*
 * fit.c
 *		Fitting a preparation on a frame's training rows: the automatic choice for each column, or the chain of steps that was asked for.
 *
 * A chain is fitted stage by stage.  A stage is a small matrix of the training rows: the column itself at first, then what the steps made of the stage
 * before.  Of transforms that learn from the target a training row gets what the rows of the other folds taught (Micci-Barreca 2001 and the
 * cross-fitting of scikit-learn's TargetEncoder), so that later steps and the learner see values as honest as those of new rows.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/features_internal.h"

/* Columns are gathered from the rows a few at a time: as many as share a cache line, while they stay within this many bytes. */
#define GATHER_COLUMNS 8
#define GATHER_BYTES ((Size) 48 * 1024 * 1024)
#define FEWEST_COLUMNS 4		/* whatever that takes: each pass brings in a cache line a row */

typedef struct Fitting
{
	const Frame *frame;
	const FeatureOptions *options;
	Features   *features;
	int		  **recode;
	ColumnSummary *summaries;
	List	  **warnings;
	int64		n;				/* training rows */
	double	   *spare;			/* (n) */
	bool	   *referenced;		/* (length of options->specs) another feature is made of this derived one */
	struct Stage **made;		/* (length of options->specs) derived features done; NULL: not yet */
} Fitting;

typedef struct Stage
{
	int			ncolumns;
	int		   *place;			/* (ncolumns) */
	double	   *cells;			/* (n, ncolumns) of the training rows */
	Size		booked;			/* bytes of cells in the budget; 0: not ours */
} Stage;

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

static double *
book_cells(const Fitting *f, int ncolumns, Size *booked)
{
	Size		bytes = size_times(size_times(f->n, sizeof(double)), ncolumns);

	if (f->options->budget != NULL)
		budget_take(f->options->budget, bytes, "fitting the preparation");
	*booked = bytes;
	return alloc_large(CurrentMemoryContext, Max(bytes, 1));
}

static void
return_cells(const Fitting *f, double *cells, Size booked)
{
	if (f->options->budget != NULL)
		budget_return(f->options->budget, booked);
	pfree(cells);
}

static void
free_stage(const Fitting *f, Stage *stage)
{
	if (stage->booked > 0)
		return_cells(f, stage->cells, stage->booked);
	stage->booked = 0;
}

/* ---- one step ---- */

static void
leave_out(const Fitting *f, const char *what, const char *name, const char *why)
{
	*f->warnings = lappend(*f->warnings, psprintf("%s \"%s\" is left out: %s", what, name, why));
}

static char *
kind_list(uint32 kinds)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int kind = 1; kind <= KIND_LAST; kind++)
		if (kinds & (1 << kind))
			appendStringInfo(&list, "%s%s", list.len ? ", " : "", kind_name(kind));
	return list.data;
}

static void
check_kind(const Transform *transform, const OutputColumn *operand)
{
	if (transform->kinds & (1 << operand->kind))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("preprocess step \"%s\" cannot take column \"%s\", which is a %s", transform->name, operand->name, kind_name(operand->kind)),
			 errdetail("It takes columns of kind %s.", kind_list(transform->kinds)),
			 operand->kind == KIND_CATEGORY && (transform->kinds & (1 << KIND_NUMBER)) ?
			 errhint("Begin with \"number\" to read text as numbers, or with a step that encodes categories, for example [\"onehot\", ...].") :
			 (transform->kinds & (1 << KIND_CATEGORY)) ? errhint("Begin with \"category\" to read the column as categories.") : 0));
}

static void
check_number(const Fitting *f, const Transform *transform, int noperands)
{
	int			least = transform->least_operands;
	int			most = transform->most_operands;
	const char *name = f->features->groups[f->features->ngroups - 1].name;

	if (noperands >= least && (most == 0 || noperands <= most))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 least == most ? errmsg("preprocess step \"%s\" of \"%s\" takes %d columns, not %d", transform->name, name, least, noperands) :
			 noperands < least ? errmsg("preprocess step \"%s\" of \"%s\" takes at least %d columns, not %d", transform->name, name, least, noperands) :
			 errmsg("preprocess step \"%s\" of \"%s\" takes at most %d columns, not %d", transform->name, name, most, noperands),
			 errhint("For example {\"new_name\": {\"%s\": [\"column_1\", \"column_2\"]}}.", transform->name)));
}

/* Copy a stage's column, but for the rows from skip_start to skip_end - 1. */
static void
take_column(const Fitting *f, const Stage *stage, int column, int64 skip_start, int64 skip_end, double *value)
{
	int64		at = 0;

	for (int64 i = 0; i < f->n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (i == skip_start)
			i = skip_end;
		if (i < f->n)
			value[at++] = stage->cells[i * stage->ncolumns + column];
	}
}

static const double *
without_rows(const Fitting *f, const double *all, int64 skip_start, int64 skip_end)
{
	double	   *rest;

	if (all == NULL || skip_start == skip_end)
		return all;
	rest = alloc_large(CurrentMemoryContext, sizeof(double) * Max(f->n, 1));
	memcpy(rest, all, sizeof(double) * skip_start);
	memcpy(rest + skip_start, all + skip_end, sizeof(double) * (f->n - skip_end));
	return rest;
}

/* Fit on a stage's columns "first" to "first + noperands - 1", without some rows. */
static void *
fit_on_rows(const Fitting *f, const StepSpec *spec, const Stage *stage, int first, int noperands, int64 skip_start, int64 skip_end, const char **why)
{
	Size		booked;
	double	   *cells = book_cells(f, noperands, &booked);
	OutputColumn *operand = palloc(sizeof(OutputColumn) * noperands);
	double	  **value = palloc(sizeof(double *) * noperands);
	ColumnSummary summary = {0};
	FitSample	sample = {
		.n = f->n - (skip_end - skip_start),
		.noperands = noperands,
		.operand = operand,
		.value = value,
		.spare = f->spare,
		.target = without_rows(f, f->options->target, skip_start, skip_end),
		.weight = without_rows(f, f->options->weight, skip_start, skip_end),
		.options = f->options,
		.parameters = spec->parameters,
		.warnings = f->warnings,
	};
	void	   *fitted;

	for (int k = 0; k < noperands; k++)
	{
		operand[k] = f->features->places[stage->place[first + k]];
		value[k] = cells + k * f->n;
		take_column(f, stage, first + k, skip_start, skip_end, value[k]);
	}
	summarise_column(&sample, &summary);
	fitted = spec->transform->fit(&sample);
	*why = sample.why_unused;
	if (sample.target != f->options->target)
		pfree(unconstify(double *, sample.target));
	if (sample.weight != f->options->weight)
		pfree(unconstify(double *, sample.weight));
	if (summary.level_count != NULL)
		pfree(summary.level_count);
	return_cells(f, cells, booked);
	return fitted;
}

static void
fit_folds(const Fitting *f, const StepSpec *spec, const Stage *stage, int first, FeatureStep *step)
{
	const char *ignored;

	step->fold = palloc(sizeof(void *) * CROSS_FIT_FOLDS);
	for (int fold = 0; fold < CROSS_FIT_FOLDS; fold++)
	{
		int64		start = fold_start(f->n, fold);
		int64		end = fold_start(f->n, fold + 1);

		step->fold[fold] = NULL;
		if (end - start < f->n)
			step->fold[fold] = fit_on_rows(f, spec, stage, first, step->noperands, start, end, &ignored);
		if (step->fold[fold] == NULL)
			step->fold[fold] = step->fitted;
		if (spec->transform->width(step->fold[fold]) != step->width)
			elog(ERROR, "transform \"%s\" has another width in a fold", spec->transform->name);
	}
	f->features->ntraining = f->n;
}

/* A step on some of a stage's columns; NULL where they carry nothing. */
static FeatureStep *
fit_step(const Fitting *f, const StepSpec *spec, const Stage *stage, int first, int noperands, bool final)
{
	FeatureStep step = {.transform = spec->transform, .group = f->features->ngroups - 1, .noperands = noperands, .final = final};
	FeatureStep *added;
	const char *why;

	check_number(f, spec->transform, noperands);
	for (int k = 0; k < noperands; k++)
		check_kind(spec->transform, &f->features->places[stage->place[first + k]]);
	step.fitted = fit_on_rows(f, spec, stage, first, noperands, 0, 0, &why);
	if (step.fitted == NULL)
	{
		leave_out(f, noperands > 1 ? "feature" : "column",
				  noperands > 1 ? f->features->groups[step.group].name : f->features->places[stage->place[first]].name, why);
		return NULL;
	}
	step.operand = palloc(sizeof(int) * noperands);
	memcpy(step.operand, stage->place + first, sizeof(int) * noperands);
	added = features_add_step(f->features, &step);
	if (spec->transform->cross_fit)
		fit_folds(f, spec, stage, first, added);
	return added;
}

/* What a step makes of the training rows, into columns from "column" on of the next stage. */
static void
apply_step(const Fitting *f, const FeatureStep *step, const Stage *stage, int first, Stage *next, int column)
{
	int		   *offset = palloc(sizeof(int) * step->noperands);

	for (int k = 0; k < step->noperands; k++)
		offset[k] = k;
	for (int fold = 0; fold < CROSS_FIT_FOLDS; fold++)
	{
		int64		end = fold_start(f->n, fold + 1);

		for (int64 start = fold_start(f->n, fold); start < end; start += FIT_BLOCK / 16)
		{
			ApplyRows	rows = {
				.cells = stage->cells + start * stage->ncolumns + first,
				.offset = offset,
				.nrows = (int) Min(FIT_BLOCK / 16, end - start),
				.stride = stage->ncolumns,
				.out = next->cells + start * next->ncolumns + column,
				.out_stride = next->ncolumns,
			};

			CHECK_FOR_INTERRUPTS();
			step->transform->apply(step->fold ? step->fold[fold] : step->fitted, &rows);
		}
	}
	pfree(offset);
}

/* ---- a chain of steps ---- */

/* Which columns of a stage each step of the next is about. */
static int
operands_of_step(const Transform *transform, const Stage *stage)
{
	return transform->takes_all ? stage->ncolumns : 1;
}

/* Kinds whose cells are nothing to compute with. */
#define SYMBOL_KINDS (1 << KIND_CATEGORY | 1 << KIND_TIMESTAMP)

static bool
makes_symbols(const Features *features, int first_step)
{
	for (int i = first_step; i < features->nsteps; i++)
		for (int j = 0; j < features->steps[i].width; j++)
			if (SYMBOL_KINDS & (1 << features->steps[i].columns[j].kind))
				return true;
	return false;
}

/* Steps that were final are to be taken by others: they get places. */
static void
continue_after(Features *features, int first_step)
{
	int			n = features->nsteps - first_step;
	FeatureStep *copy = palloc(sizeof(FeatureStep) * n);

	memcpy(copy, features->steps + first_step, sizeof(FeatureStep) * n);
	features->nsteps = first_step;
	for (int i = 0; i < n; i++)
	{
		copy[i].final = false;
		(void) features_add_step(features, &copy[i]);
	}
	pfree(copy);
}

/*
 * The steps of one link of a chain; their places and, unless they end it, their cells are the next stage.  *final: they are to end the chain, and
 * whether they do, because symbols are no end.
 */
static Stage
fit_link(const Fitting *f, const StepSpec *spec, const Stage *stage, bool *final)
{
	int			first_step = f->features->nsteps;
	int			noperands = Max(operands_of_step(spec->transform, stage), 1);
	int			nlinks = stage->ncolumns / noperands;
	int		   *made = palloc(sizeof(int) * Max(nlinks, 1));
	Stage		next = {0};
	int			column = 0;

	for (int i = 0; i < nlinks; i++)
	{
		FeatureStep *step = fit_step(f, spec, stage, i * noperands, noperands, *final);

		made[i] = step != NULL ? f->features->nsteps - 1 : -1;
		next.ncolumns += step != NULL ? step->width : 0;
	}
	if (*final && makes_symbols(f->features, first_step))
	{
		continue_after(f->features, first_step);
		*final = false;
	}
	if (*final)
		return next;
	next.place = palloc(sizeof(int) * Max(next.ncolumns, 1));
	next.cells = book_cells(f, next.ncolumns, &next.booked);
	for (int i = 0; i < nlinks; i++)
	{
		const FeatureStep *step = made[i] < 0 ? NULL : &f->features->steps[made[i]];

		if (step == NULL)
			continue;
		apply_step(f, step, stage, i * noperands, &next, column);
		for (int j = 0; j < step->width; j++)
			next.place[column++] = step->first_output + j;
	}
	pfree(made);
	return next;
}

/*
 * What a chain ends with: the automatic choice for what it made, left unscaled, where the learner has the last word, and for what is no number yet; else the
 * numbers as they are.
 */
static void
complete_chain(const Fitting *f, const Stage *stage)
{
	FeatureOptions options = *f->options;
	Fitting		completing = *f;

	options.scale = false;
	completing.options = &options;
	for (int k = 0; k < stage->ncolumns; k++)
	{
		ColumnKind	kind = f->features->places[stage->place[k]].kind;
		bool		automatic = !options.exact || (SYMBOL_KINDS & (1 << kind));
		StepSpec	spec = {automatic ? automatic_transform(kind, &options) : &passthrough_transform, NULL};

		(void) fit_step(&completing, &spec, stage, k, 1, true);
	}
}

/* A feature of which nothing reaches the design is none; its steps are the last ones. */
static void
forget_dead_steps(Features *features, int first_step, int nplaces, bool keep)
{
	bool		reaches = keep && features->nsteps > first_step;

	for (int i = first_step; i < features->nsteps; i++)
		reaches = reaches || features->steps[i].final;
	if (reaches)
		return;
	features->nsteps = first_step;
	features->nplaces = nplaces;
	features->ngroups--;
}

/* A derived feature that others are made of keeps a place beside its design columns. */
static void
fit_chain(Fitting *f, const char *name, bool derived, Stage *stage, List *steps, bool keep)
{
	Features   *features = f->features;
	bool		ended = false;
	int			first_step = features->nsteps;
	int			nplaces = features->nplaces;
	ListCell   *cell;

	features->groups[features->ngroups++] = (FeatureGroup) {.name = pstrdup(name), .derived = derived};
	foreach(cell, steps)
	{
		const StepSpec *spec = lfirst(cell);
		Stage		next;

		if (spec->transform == &passthrough_transform)
			continue;
		ended = f->options->exact && !keep && lnext(steps, cell) == NULL;
		next = fit_link(f, spec, stage, &ended);
		free_stage(f, stage);
		*stage = next;
	}
	if (!ended)
		complete_chain(f, stage);
	forget_dead_steps(features, first_step, nplaces, keep);
}

/* ---- columns ---- */

/* 0-based place among the specs, -1 where there is none. */
static int
find_spec(const Fitting *f, const char *name)
{
	ListCell   *cell;

	foreach(cell, f->options->specs)
		if (strcmp(((const FeatureSpec *) lfirst(cell))->name, name) == 0)
			return foreach_current_index(cell);
	return -1;
}

static bool
is_derived(const FeatureSpec *spec)
{
	return spec->columns.n > 0;
}

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

/* Is a derived feature made of the column? */
static bool
needed_elsewhere(const Fitting *f, const char *name)
{
	ListCell   *cell;

	foreach(cell, f->options->specs)
	{
		const FeatureSpec *spec = lfirst(cell);

		for (int k = 0; k < spec->columns.n; k++)
			if (strcmp(spec->columns.name[k], name) == 0)
				return true;
	}
	return false;
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

static void
recode_values(double *value, int64 n, const int *recode)
{
	for (int64 i = 0; i < n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (!isnan(value[i]))
			value[i] = recode[(int) value[i]];
	}
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

/* ---- derived features ---- */

/* A feature's column: an input's place, or else the only column of a feature done before; -1: not done yet. */
static int
column_of_frame(const Fitting *f, const char *name)
{
	for (int i = 0; i < f->frame->ncolumns; i++)
		if (strcmp(f->frame->columns[i].name, name) == 0)
			return i;
	return -1;
}

/* Are the features it is made of done? */
static bool
is_ready(const Fitting *f, const FeatureSpec *spec)
{
	for (int k = 0; k < spec->columns.n; k++)
	{
		int			other = find_spec(f, spec->columns.name[k]);

		if (column_of_frame(f, spec->columns.name[k]) < 0 && other >= 0 && f->made[other] == NULL)
			return false;
	}
	return true;
}

static void
copy_column(const Fitting *f, const double *from, int from_columns, Stage *stage, int column)
{
	for (int64 i = 0; i < f->n; i++)
	{
		if (i % FIT_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		stage->cells[i * stage->ncolumns + column] = from[i * from_columns];
	}
}

/* The columns a derived feature is made of, side by side. */
static Stage
first_stage(const Fitting *f, const FeatureSpec *spec)
{
	Stage		stage = {0};
	int			k = 0;

	for (int i = 0; i < spec->columns.n; i++)
	{
		bool		column = column_of_frame(f, spec->columns.name[i]) >= 0;

		stage.ncolumns += column ? 1 : f->made[find_spec(f, spec->columns.name[i])]->ncolumns;
	}
	stage.place = palloc(sizeof(int) * Max(stage.ncolumns, 1));
	stage.cells = book_cells(f, stage.ncolumns, &stage.booked);
	for (int i = 0; i < spec->columns.n; i++)
	{
		int			column = column_of_frame(f, spec->columns.name[i]);
		const Stage *other = column >= 0 ? NULL : f->made[find_spec(f, spec->columns.name[i])];

		if (column >= 0)
		{
			frame_gather(f->frame, column, 1, f->frame->part_start[PART_TRAIN], f->n, f->spare);
			if (f->recode[column] != NULL)
				recode_values(f->spare, f->n, f->recode[column]);
			copy_column(f, f->spare, 1, &stage, k);
			stage.place[k++] = column;
		}
		for (int j = 0; other != NULL && j < other->ncolumns; j++)
		{
			copy_column(f, other->cells + j, other->ncolumns, &stage, k);
			stage.place[k++] = other->place[j];
		}
	}
	return stage;
}

static void
fit_derived(Fitting *f, int number)
{
	const FeatureSpec *spec = list_nth(f->options->specs, number);
	Stage	   *stage = palloc(sizeof(Stage));

	*stage = first_stage(f, spec);
	fit_chain(f, spec->name, true, stage, spec->steps, f->referenced[number]);
	f->made[number] = stage;
	if (!f->referenced[number])
		free_stage(f, stage);
}

static void
refuse_circle(const FeatureSpec *spec)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("feature \"%s\" of preprocess is made of itself", spec->name),
			 errdetail("It takes \"%s\", which directly or by others takes it.", spec->columns.name[0])));
}

/* Those made of columns only come first, each time the first by name that is ready. */
static void
fit_all_derived(Fitting *f)
{
	int			nspecs = list_length(f->options->specs);
	int			waiting = 0;

	f->made = palloc0(sizeof(Stage *) * Max(nspecs, 1));
	f->referenced = palloc0(sizeof(bool) * Max(nspecs, 1));
	for (int i = 0; i < nspecs; i++)
	{
		const FeatureSpec *spec = list_nth(f->options->specs, i);

		waiting += is_derived(spec);
		f->referenced[i] = is_derived(spec) && needed_elsewhere(f, spec->name);
	}
	if (waiting > 0)
		f->spare = alloc_large(CurrentMemoryContext, sizeof(double) * Max(f->n, 1));
	while (waiting > 0)
	{
		int			next = -1,
					stuck = -1;

		for (int i = 0; i < nspecs && next < 0; i++)
		{
			const FeatureSpec *spec = list_nth(f->options->specs, i);

			if (!is_derived(spec) || f->made[i] != NULL)
				continue;
			stuck = i;
			if (is_ready(f, spec))
				next = i;
		}
		if (next < 0)
			refuse_circle(list_nth(f->options->specs, stuck));
		fit_derived(f, next);
		waiting--;
	}
	for (int i = 0; i < nspecs; i++)
		if (f->referenced[i] && f->made[i] != NULL)
			free_stage(f, f->made[i]);
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
