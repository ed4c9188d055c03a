/*
 * smote.c
 *		Synthetic rows between a row and one of its nearest neighbours of the same class: SMOTE, and SMOTE-NC with categories.
 *
 * Chawla, Bowyer, Hall, Kegelmeyer 2002, as imbalanced-learn has it behind a StandardScaler: base rows and neighbours are drawn with replacement, one
 * step u in [0, 1) for all numbers of a row.  With categories, one that differs adds the square of the median of the numbers' standard deviations
 * within the class to the squared distance, and the new row takes the most frequent value among the neighbours of its base row.
 *
 * Unlike there, rows may miss values: a missing number counts as the mean in distances, and the new row has what its base row has where one of the
 * two misses a number.  Booleans are categories, and so are texts that are looked into.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/neighbors.h"
#include "core/sort.h"
#include "resample_internal.h"

#define STREAM_PAIR 4
#define STREAM_STEP 5
#define STREAM_TIE 6
#define LARGEST 1e100			/* of standardised numbers, so that squares do not overflow */
#define ROWS_PER_CHECK 1024
#define NO_NEIGHBOR PG_UINT32_MAX

/* A column in distances. */
typedef struct SmoteColumn
{
	int			input;
	double		mean,
				scale,			/* 1 / standard deviation */
				min,
				max;
} SmoteColumn;

typedef struct Smote
{
	Training   *t;
	const ClassRows *class;
	uint64		seed;			/* of the class */
	int			k;
	int			nnumbers;
	SmoteColumn *number;		/* (nnumbers) */
	int			ncategories;
	int		   *category;		/* (ncategories) inputs */
	double	   *cells;			/* (ninputs) each */
	double	   *other;
	NeighborTree *tree;
	uint32	   *neighbor;		/* (n, k) of the class, filled as needed */
	double	   *votes;			/* (k) */
} Smote;

static bool
is_category(const InputColumn *input)
{
	return input->kind == KIND_CATEGORY || input->kind == KIND_BOOLEAN || input->kind == KIND_TEXT;
}

void
smote_check(const Training *t)
{
	const Features *features = t->features;
	bool		nominal = t->common.resample.method == RESAMPLE_SMOTENC;
	int			nnumbers = 0,
				ncategories = 0;
	const InputColumn *first = NULL;

	for (int j = 0; j < features->ninputs; j++)
	{
		const InputColumn *input = &features->inputs[j];

		if (!input->used)
			continue;
		nnumbers += !is_category(input);
		if (is_category(input) && ncategories++ == 0)
			first = input;
	}
	if (ncategories > 0 && !nominal)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"smote\" is for numbers only, but column \"%s\" holds %s", first->name, first->kind == KIND_TEXT ? "texts" : "categories"),
				 errhint("\"smotenc\" takes both; or leave the column out with exclude.")));
	if (nnumbers == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" needs at least one column of numbers", nominal ? "smotenc" : "smote"),
				 errhint("\"oversample\" copies rows of any columns.")));
	if (ncategories == 0 && nominal)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"smotenc\" is for numbers and categories, but no column holds categories"),
				 errhint("Use \"smote\".")));
}

static void
find_columns(Smote *s)
{
	const Features *features = s->t->features;

	s->number = palloc0(sizeof(SmoteColumn) * Max(features->ninputs, 1));
	s->category = palloc0(sizeof(int) * Max(features->ninputs, 1));
	for (int j = 0; j < features->ninputs; j++)
	{
		const ColumnSummary *summary = &s->t->summaries[j];

		if (!features->inputs[j].used)
			continue;
		if (is_category(&features->inputs[j]))
			s->category[s->ncategories++] = j;
		else
			s->number[s->nnumbers++] = (SmoteColumn) {
				.input = j,
				.mean = summary->mean,
				.scale = summary->sd > 0 ? 1 / summary->sd : 0,
				.min = summary->min,
				.max = summary->max,
			};
	}
}

static void
read_cells(const Smote *s, uint32 member, double *cells)
{
	features_recode(s->t->features, s->t->design->recode, frame_row(s->t->frame, s->class->position[member]), cells);
}

/* ---- distances ---- */

static double
standardised(const SmoteColumn *column, double x)
{
	if (isnan(x) || isnan(column->mean))
		return 0;
	x = Min(Max(x, column->min), column->max);
	return Min(Max((x - column->mean) * column->scale, -LARGEST), LARGEST);
}

static void
fill_space(Smote *s, double *number, int32 *category)
{
	for (int64 i = 0; i < s->class->n; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		read_cells(s, i, s->cells);
		for (int j = 0; j < s->nnumbers; j++)
			number[i * s->nnumbers + j] = standardised(&s->number[j], s->cells[s->number[j].input]);
		for (int j = 0; j < s->ncategories; j++)
			category[i * s->ncategories + j] = isnan(s->cells[s->category[j]]) ? -1 : (int32) s->cells[s->category[j]];
	}
}

/* Of the population, in two passes. */
static double
column_sd(const double *number, int64 n, int stride)
{
	double		mean = 0,
				squares = 0;

	for (int64 i = 0; i < n; i++)
		mean += number[i * stride];
	mean /= n;
	for (int64 i = 0; i < n; i++)
		squares += (number[i * stride] - mean) * (number[i * stride] - mean);
	return sqrt(squares / n);
}

/* What a category that differs adds to the squared distance. */
static double
category_step(const Smote *s, const double *number)
{
	double	   *sd = palloc(sizeof(double) * s->nnumbers);
	double		middle;

	for (int j = 0; j < s->nnumbers; j++)
	{
		CHECK_FOR_INTERRUPTS();
		sd[j] = column_sd(number + j, s->class->n, s->nnumbers);
	}
	middle = median(sd, s->nnumbers);
	return middle * middle;
}

static Size
space_memory(const Smote *s)
{
	Size		row = sizeof(double) * s->nnumbers + sizeof(int32) * s->ncategories + sizeof(uint32) * s->k;

	return size_plus(size_times(row, s->class->n), neighbor_tree_memory((uint32) s->class->n, s->nnumbers, s->ncategories));
}

static void
open_space(Smote *s)
{
	Size		n = s->class->n;
	double	   *number = alloc_large(CurrentMemoryContext, size_times(sizeof(double) * s->nnumbers, n));
	int32	   *category = alloc_large(CurrentMemoryContext, size_times(sizeof(int32) * Max(s->ncategories, 1), n));
	NeighborSpace space = {
		.n = (uint32) n,
		.nnumbers = s->nnumbers,
		.number = number,
		.ncategories = s->ncategories,
		.category = category,
	};

	fill_space(s, number, category);
	space.step = s->ncategories > 0 ? category_step(s, number) : 0;
	s->tree = neighbor_tree_create(&space);
	s->neighbor = alloc_large(CurrentMemoryContext, size_times(sizeof(uint32) * s->k, n));
	for (Size i = 0; i < n; i++)
		s->neighbor[i * s->k] = NO_NEIGHBOR;
}

static const uint32 *
neighbors_of(Smote *s, uint32 member)
{
	uint32	   *found = s->neighbor + (Size) member * s->k;

	if (found[0] == NO_NEIGHBOR)
		neighbor_tree_find(s->tree, member, s->k, found);
	return found;
}

/* ---- a new row ---- */

static bool
same_cell(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* The most frequent cell of an input among the votes; which of those equally frequent is drawn. */
static double
elect(const Smote *s, int64 number, int input)
{
	int			best = 0,
				ntied = 0;
	int			tied[1000];

	for (int i = 0; i < s->k; i++)
	{
		int			count = 0;
		bool		counted = false;

		for (int j = 0; j < s->k; j++)
		{
			bool		same = same_cell(s->votes[i], s->votes[j]);

			counted = counted || (same && j < i);
			count += same;
		}
		if (counted || count < best)
			continue;
		ntied = count > best ? 0 : ntied;
		best = count;
		tied[ntied++] = i;
	}
	return s->votes[tied[draw_below(s->seed, STREAM_TIE + 16 * (uint64) input, number, ntied)]];
}

static void
elect_categories(Smote *s, int64 number, const uint32 *neighbor, double *row)
{
	for (int c = 0; c < s->ncategories; c++)
	{
		int			input = s->category[c];

		for (int i = 0; i < s->k; i++)
		{
			read_cells(s, neighbor[i], s->other);
			s->votes[i] = s->other[input];
		}
		row[input] = elect(s, number, input);
	}
}

/* Columns the model does not use stay those of the base row. */
static uint32
make_row(Smote *s, int64 number, double *row)
{
	int64		pair = draw_below(s->seed, STREAM_PAIR, number, s->class->n * s->k);
	double		step = draw_unit(s->seed, STREAM_STEP, number);
	uint32		member = (uint32) (pair / s->k);
	const uint32 *neighbor = neighbors_of(s, member);

	read_cells(s, member, row);
	read_cells(s, neighbor[pair % s->k], s->other);
	for (int j = 0; j < s->nnumbers; j++)
	{
		double	   *cell = &row[s->number[j].input];
		double		other = s->other[s->number[j].input];

		if (isfinite(*cell) && isfinite(other))
			*cell += step * (other - *cell);
	}
	elect_categories(s, number, neighbor, row);
	return s->class->position[member];
}

static void
refuse_few(const Smote *s)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg_plural("class \"%s\" has %lld training row, too few for %d nearest neighbours each",
						   "class \"%s\" has %lld training rows, too few for %d nearest neighbours each", (unsigned long) s->class->n,
					s->t->model->labels[s->class->class_index], (long long) s->class->n, s->k),
			 errhint("Lower \"smote_neighbors\", or use \"oversample\".")));
}

void
smote_class(Training *t, Resampled *resampled, const ClassRows *class)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn smote", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	int			ninputs = t->features->ninputs;
	Smote		s = {.t = t,.class = class,.k = t->common.resample.neighbors};
	Size		bytes;

	s.seed = hash_fold(resampled->seed, class->class_index);
	if (class->n <= s.k)
		refuse_few(&s);
	find_columns(&s);
	bytes = space_memory(&s);
	budget_take(&t->budget, bytes, "the neighbours of the rows of a class");
	s.cells = palloc(sizeof(double) * ninputs);
	s.other = palloc(sizeof(double) * ninputs);
	s.votes = palloc(sizeof(double) * s.k);
	open_space(&s);
	for (int64 i = 0; i < class->wanted - class->n; i++)
	{
		CHECK_FOR_INTERRUPTS();	/* a vote among a thousand neighbours takes a millisecond a column */
		resampled->base[resampled->nsynthetic] = make_row(&s, i, resampled->synthetic + resampled->nsynthetic * ninputs);
		resampled->nsynthetic++;
	}
	budget_return(&t->budget, bytes);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
