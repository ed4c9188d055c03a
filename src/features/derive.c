/*
 * derive.c
 *		Features made of several columns, or of features made before them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "features/fit_internal.h"

/* ---- what was asked for ---- */

int
find_spec(const Fitting *f, const char *name)
{
	ListCell   *cell;

	foreach(cell, f->options->specs)
		if (strcmp(((const FeatureSpec *) lfirst(cell))->name, name) == 0)
			return foreach_current_index(cell);
	return -1;
}

bool
is_derived(const FeatureSpec *spec)
{
	return spec->columns.n > 0;
}

bool
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

/* ---- the columns a feature is made of ---- */

void
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

/* The place of a column of that name; -1: there is none. */
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
void
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
