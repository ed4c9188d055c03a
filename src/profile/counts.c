/*
 * counts.c
 *		How often values occur, alone and together: ml.value_counts, ml.crosstab.  Exact; a missing value is a value that is NULL.
 */
#include "postgres.h"

#include "funcapi.h"

#include "profile/profile_internal.h"

#define BAR 20					/* characters */

static int64 *
count_levels(const Loaded *loaded, const LoadedColumn *c)
{
	int64	   *count = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * ((Size) dictionary_size(c->levels) + 1));

	memset(count, 0, sizeof(int64) * ((Size) dictionary_size(c->levels) + 1));
	for (int64 row = 0; row < loaded->nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		count[level_of(c, row)]++;
	}
	return count;
}

/* ---- one column ---- */

static int
compare_levels(const void *a, const void *b, void *counts)
{
	int			x = *(const int *) a,
				y = *(const int *) b;
	const int64 *count = counts;

	CHECK_FOR_INTERRUPTS();
	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x - y;
}

PG_FUNCTION_INFO_V1(ml_value_counts);
Datum
ml_value_counts(PG_FUNCTION_ARGS)
{
	Wanted		wanted = {text_argument(fcinfo, 1, "column_name"), true};
	Loaded	   *loaded = load_columns(text_argument(fcinfo, 0, "source"), &wanted, 1);
	const LoadedColumn *c = loaded->column;
	int			nlevels = dictionary_size(c->levels);
	int64	   *count = count_levels(loaded, c);
	int		   *order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * ((Size) nlevels + 1));
	int64		most = PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_INT64(2);
	Cells		row = {0};

	for (int i = 0; i <= nlevels; i++)
		order[i] = i;
	qsort_arg(order, nlevels + 1, sizeof(int), compare_levels, count);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i <= nlevels && i < most && count[order[i]] > 0; i++)
	{
		double		share = (double) count[order[i]] / (double) loaded->nrows;
		char	   *bar = picture_bar((double) count[order[i]] / (double) count[order[0]], BAR);

		CHECK_FOR_INTERRUPTS();
		cell_text_or_null(&row, level_or_null(c, order[i]));
		cell_count(&row, count[order[i]]);
		cell_float(&row, share);
		cell_text_or_null(&row, bar);
		cells_put(fcinfo, &row);
		pfree(bar);
	}
	return (Datum) 0;
}

/* ---- two columns ---- */

#define MOST_CROSS_CELLS 1000000

static int64 *
cross_counts(const Loaded *loaded, Size na, Size nb)
{
	const LoadedColumn *a = &loaded->column[0];
	const LoadedColumn *b = &loaded->column[1];
	int64	   *count;

	if (size_times(na, nb) > MOST_CROSS_CELLS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%zu values of \"%s\" by %zu of \"%s\" exceed the limit of %d cells", na, a->name, nb, b->name, MOST_CROSS_CELLS),
				 errhint("Group rare values in the source.")));
	count = palloc0(sizeof(int64) * Max(na * nb, 1));
	for (int64 row = 0; row < loaded->nrows; row++)
	{
		CHECK_EACH_BLOCK(row);
		count[level_of(a, row) * nb + level_of(b, row)]++;
	}
	return count;
}

static void
put_cross_cell(FunctionCallInfo fcinfo, const Loaded *loaded, int i, int j, int64 count, int64 in_a, int64 in_b)
{
	double		n = (double) loaded->nrows;
	double		expected = (double) in_a * (double) in_b / n;
	Cells		row = {0};

	cell_text_or_null(&row, level_or_null(&loaded->column[0], i));
	cell_text_or_null(&row, level_or_null(&loaded->column[1], j));
	cell_count(&row, count);
	cell_float(&row, (double) count / n);
	cell_float(&row, (double) count / (double) in_a);
	cell_float(&row, (double) count / (double) in_b);
	cell_float(&row, expected);
	cell_float(&row, ((double) count - expected) / sqrt(expected * (1 - (double) in_a / n) * (1 - (double) in_b / n)));
	cells_put(fcinfo, &row);
}

PG_FUNCTION_INFO_V1(ml_crosstab);
Datum
ml_crosstab(PG_FUNCTION_ARGS)
{
	Wanted		wanted[2] = {{text_argument(fcinfo, 1, "a"), true}, {text_argument(fcinfo, 2, "b"), true}};
	Loaded	   *loaded = load_columns(text_argument(fcinfo, 0, "source"), wanted, 2);
	int			na = dictionary_size(loaded->column[0].levels) + 1,
				nb = dictionary_size(loaded->column[1].levels) + 1;
	int64	   *in_a = count_levels(loaded, &loaded->column[0]);
	int64	   *in_b = count_levels(loaded, &loaded->column[1]);
	int64	   *count = cross_counts(loaded, na, nb);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < na; i++)
		for (int j = 0; j < nb; j++)
		{
			CHECK_FOR_INTERRUPTS();
			if (in_a[i] > 0 && in_b[j] > 0)
				put_cross_cell(fcinfo, loaded, i, j, count[(Size) i * nb + j], in_a[i], in_b[j]);
		}
	return (Datum) 0;
}
