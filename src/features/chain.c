/*
 * chain.c
 *		Fitting a chain of steps, stage by stage.
 *
 * A stage is a small matrix of the training rows: the column itself at first, then what the steps made of the stage before.  Of transforms that learn
 * from the target a training row gets what the rows of the other folds taught (Micci-Barreca 2001 and the cross-fitting of scikit-learn's TargetEncoder), so
 * that later steps and the learner see values as honest as those of new rows.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/fit_internal.h"

/* ---- memory of a stage ---- */

double *
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

void
free_stage(const Fitting *f, Stage *stage)
{
	if (stage->booked > 0)
		return_cells(f, stage->cells, stage->booked);
	stage->booked = 0;
}

/* ---- one step ---- */

void
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
void
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
