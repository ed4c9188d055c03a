/*
 * rows.c
 *		Each row of a source as it arrives: cells into chunks, their hash beside them.
 *
 * Where the rows do not fit the budget, nothing more is stored but counting goes on, so that the error can say what the whole source needs.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "core/sort.h"
#include "data/load_internal.h"

#define FIRST_CHUNK_ROWS 64		/* the first chunk grows, so that few rows of many columns stay small */
#define SLAB_BYTES ((Size) 16 * 1024 * 1024)	/* of cells, taken at a time once there are as many */
#define ROWS_PER_LEVEL_CHECK 256	/* between two looks at the memory of the levels */
#define LONG_LEVEL 4096			/* bytes of a level that call for a look at once */
#define EXACT_INTEGERS (INT64CONST(1) << 53)

/* ---- room for rows ---- */

/* nrows rows in memory must leave room for what follows. */
static bool
has_room(const Load *l, Size bytes, int64 nrows)
{
	const FrameRequest *request = l->request;

	if (l->frame->file == NULL && request->needs != NULL)
		bytes = size_plus(bytes, request->needs(request->needs_state, l->frame, nrows).beside);
	return budget_fits(l->budget, bytes);
}

/* Free the memory of the cells, if so many bytes for nrows rows do not fit and a file will do. */
static void
spill_unless_room(Load *l, Size bytes, int64 nrows)
{
	if (l->frame->file != NULL || l->request->needs == NULL || has_room(l, bytes, nrows))
		return;
	spill_rows(l);
	budget_return(l->budget, l->capacity * l->frame->ncells * sizeof(double));
	if (budget_fits(l->budget, window_bytes(l->frame)))
		budget_take(l->budget, window_bytes(l->frame), WHAT_IS_BOOKED);
	else
		l->over_budget = true;
}

static bool
book(Load *l, Size bytes)
{
	if (l->over_budget || !budget_fits(l->budget, bytes))
	{
		l->over_budget = true;
		return false;
	}
	budget_take(l->budget, bytes, WHAT_IS_BOOKED);
	return true;
}

static void *
grow_pointers(const Load *l, void *pointers, Size n)
{
	/* at powers of 2; 2^20 chunks are the most */
	if (pointers == NULL)
		return MemoryContextAlloc(l->frame->context, sizeof(void *));
	return (n & (n - 1)) == 0 ? repalloc(pointers, 2 * n * sizeof(void *)) : pointers;
}

/* The first chunk doubles until it is full, then chunks are added, first one by one, then by slabs. */
static int64
next_capacity(const Load *l, int64 capacity)
{
	Size		chunk_bytes = FRAME_CHUNK_ROWS * l->frame->ncells * sizeof(double);
	int64		slab_rows = FRAME_CHUNK_ROWS * (int64) Max(SLAB_BYTES / chunk_bytes, 1);

	if (capacity == 0)
		return FIRST_CHUNK_ROWS;
	if (capacity < FRAME_CHUNK_ROWS)
		return 2 * capacity;
	return capacity + (capacity < slab_rows ? FRAME_CHUNK_ROWS : slab_rows);
}

static void
add_sides(Load *l, Size chunk)
{
	l->sides.chunk = grow_pointers(l, l->sides.chunk, chunk);
	l->sides.chunk[chunk] = MemoryContextAlloc(l->frame->context, side_bytes(l));
}

static void
add_chunk(Load *l, Size chunk, double *cells)
{
	l->frame->chunk = grow_pointers(l, l->frame->chunk, chunk);
	l->frame->chunk[chunk] = cells;
	add_sides(l, chunk);
}

/* Rows that come through the window leave only their sides, and take part in the ordering. */
static bool
grow_sides(Load *l)
{
	Size		chunk = (Size) l->capacity >> FRAME_CHUNK_BITS;
	Size		rows = FRAME_CHUNK_ROWS - ((Size) l->capacity & (FRAME_CHUNK_ROWS - 1));

	if (!book(l, rows * row_bytes(l) + (rows == FRAME_CHUNK_ROWS ? side_bytes(l) : 0)))
		return false;
	if (rows == FRAME_CHUNK_ROWS)
		add_sides(l, chunk);
	l->capacity += rows;
	return true;
}

/* False where the budget ends. */
static bool
grow_chunks(Load *l)
{
	Frame	   *frame = l->frame;
	Size		first = (Size) l->capacity >> FRAME_CHUNK_BITS;
	int64		capacity = next_capacity(l, l->capacity);
	Size		rows = (Size) (capacity - l->capacity);
	Size		row_cell_bytes = size_times(frame->ncells, sizeof(double));
	Size		nchunks = Max(rows >> FRAME_CHUNK_BITS, 1);

	spill_unless_room(l, rows * row_bytes(l) + nchunks * side_bytes(l), capacity);
	if (frame->file != NULL)
		return grow_sides(l);
	if (l->capacity > 0 && first == 0)
	{
		if (!book(l, rows * row_bytes(l)))
			return false;
		frame->chunk[0] = repalloc_huge(frame->chunk[0], size_times((Size) capacity, row_cell_bytes));
	}
	else
	{
		double	   *cells;

		if (!book(l, rows * row_bytes(l) + nchunks * side_bytes(l)))
			return false;
		cells = alloc_large(frame->cells, size_times(rows, row_cell_bytes));
		for (Size i = 0; i < nchunks; i++)
			add_chunk(l, first + i, cells + i * FRAME_CHUNK_ROWS * frame->ncells);
	}
	l->capacity = capacity;
	return true;
}

/*
 * What the rows counted would have needed.  Levels that were cut short are taken to grow on with the rows, which may be too much, never too
 * little where each row brings as many new ones.
 */
static Size
levels_needed(const Load *l)
{
	if (l->rows_with_levels > 0)
		return (Size) ((double) l->level_bytes / l->rows_with_levels * l->frame->nrows);
	return l->level_bytes;
}

/* The least there is: rows in a file, and the worst phase of the training. */
static Size
bytes_needed_with_file(const Load *l)
{
	Size		nrows = (Size) l->frame->nrows;
	Size		nchunks = (nrows + FRAME_CHUNK_ROWS - 1) >> FRAME_CHUNK_BITS;
	Size		window = window_bytes(l->frame);
	FrameNeeds	needs = l->request->needs(l->request->needs_state, l->frame, l->frame->nrows);
	Size		loading = size_plus(window, nchunks * (side_bytes(l) + FRAME_CHUNK_ROWS * ORDER_BYTES_PER_ROW));
	Size		beside = size_plus(size_plus(window, nrows * ORDER_BYTES_KEPT), needs.beside);

	return size_plus(Max(loading, Max(beside, needs.after)), levels_needed(l));
}

Size
bytes_needed(const Load *l)
{
	int64		nrows = l->frame->nrows;
	int64		capacity = FIRST_CHUNK_ROWS;
	Size		nchunks;

	if (l->request->needs != NULL)
		return bytes_needed_with_file(l);

	while (capacity < nrows)
		capacity = next_capacity(l, capacity);
	nchunks = (Size) (capacity + FRAME_CHUNK_ROWS - 1) >> FRAME_CHUNK_BITS;
	return size_plus(size_plus(size_times((Size) capacity, row_bytes(l)), nchunks * side_bytes(l)), levels_needed(l));
}

bool
book_levels(Load *l)
{
	Frame	   *frame = l->frame;
	Size		bytes = frame->classification ? dictionary_memory(frame->target.levels) : 0;
	Size		grown;

	for (int i = 0; i < frame->ncolumns; i++)
		if (frame->columns[i].levels)
			bytes = size_plus(bytes, dictionary_memory(frame->columns[i].levels));
	grown = bytes - l->level_bytes;
	l->level_bytes = bytes;
	l->long_level = false;
	spill_unless_room(l, grown, l->capacity);
	if (grown == 0 || book(l, grown))
		return true;
	l->rows_with_levels = frame->nrows;
	return false;
}

/* ---- features ---- */

static inline uint64
double_bits(double x)
{
	uint64		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* Count what is not an ordinary number, and turn it into the cell it becomes. */
static double
special_cell(const Load *l, FrameColumn *column, double value)
{
	if (!isnan(value))
	{
		column->infinite += column->kind == KIND_NUMBER;
		return value;
	}
	column->missing++;
	column->nan += column->kind == KIND_NUMBER;
	return l->missing;
}

static uint64
read_float8_run(const Load *l, const Run *run, const TupleTableSlot *slot, double *cells)
{
	const int  *feature = l->roles.feature;
	uint64		sum = 0;

	for (int i = run->first; i < run->end; i++)
	{
		double		value = l->missing;

		if (slot->tts_isnull[feature[i]])
			l->frame->columns[i].missing++;
		else
		{
			value = DatumGetFloat8(slot->tts_values[feature[i]]) + 0.0; /* -0 becomes 0 */
			if (unlikely(!(fabs(value) <= DBL_MAX)))
				value = special_cell(l, &l->frame->columns[i], value);
		}
		cells[i] = value;
		sum += hash_cell(double_bits(value), l->salt[i]);
	}
	return sum;
}

/* An integer that lost digits on its way to a double, or may have. */
static inline bool
is_inexact(const CellReader *reader, Datum datum, double value)
{
	return reader->op == OP_INT8 && fabs(value) >= EXACT_INTEGERS &&
		(DatumGetInt64(datum) > EXACT_INTEGERS || DatumGetInt64(datum) < -EXACT_INTEGERS);
}

static double
read_number(const Load *l, int i, Datum datum)
{
	FrameColumn *column = &l->frame->columns[i];
	CellReader *reader = &l->reader[i];
	double		value = cell_number(reader, datum);

	column->inexact += is_inexact(reader, datum, value);
	if (likely(fabs(value) <= DBL_MAX))
		return value;
	if (reader->op != OP_PARSED_TEXT)
		return special_cell(l, column, value);
	column->missing++;
	column->unparsable++;
	return l->missing;
}

static uint64
read_number_run(const Load *l, const Run *run, const TupleTableSlot *slot, double *cells)
{
	const int  *feature = l->roles.feature;
	uint64		sum = 0;

	for (int i = run->first; i < run->end; i++)
	{
		if (slot->tts_isnull[feature[i]])
		{
			l->frame->columns[i].missing++;
			cells[i] = l->missing;
		}
		else
			cells[i] = read_number(l, i, slot->tts_values[feature[i]]);
		sum += hash_cell(double_bits(cells[i]), l->salt[i]);
	}
	return sum;
}

static int
add_level(Load *l, Dictionary *levels, const char *text, int length)
{
	if (length >= LONG_LEVEL)
		l->long_level = true;
	return dictionary_add(levels, text, length);
}

static uint64
read_category_run(Load *l, const Run *run, const TupleTableSlot *slot, double *cells)
{
	const int  *feature = l->roles.feature;
	uint64		sum = 0;

	for (int i = run->first; i < run->end; i++)
	{
		FrameColumn *column = &l->frame->columns[i];
		uint64		bits = double_bits(l->missing);

		cells[i] = l->missing;
		if (slot->tts_isnull[feature[i]])
			column->missing++;
		else
		{
			int			length;
			const char *text = cell_text(&l->reader[i], slot->tts_values[feature[i]], &length);
			int			code = add_level(l, column->levels, text, length);

			cells[i] = code;
			bits = dictionary_hash(column->levels, code);
		}
		sum += hash_cell(bits, l->salt[i]);
	}
	return sum;
}

/* ---- the target ---- */

static void
refuse_class(const Load *l, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("numeric target column \"%s\" %s", l->request->target, problem),
			 errhint("Leave out the task to predict the number itself, or cast the column to text in the source if every value is a class.")));
}

/* False where the target is missing.  *bits are what stands for it in the row's hash. */
static bool
read_value(Load *l, Datum datum, double *cell, uint64 *bits)
{
	*cell = cell_number(&l->target_reader, datum);
	*bits = double_bits(*cell);
	if (isinf(*cell))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has an infinite value", l->request->target),
				 errhint("Leave such rows out in the source.")));
	l->frame->target.inexact += is_inexact(&l->target_reader, datum, *cell);
	return !isnan(*cell);
}

static bool
read_label(Load *l, Datum datum, double *cell, uint64 *bits)
{
	Dictionary *levels = l->frame->target.levels;
	char		digits[MAXINT8LEN + 1];
	const char *label = digits;
	int			length,
				code;

	if (l->label_from_value)
	{
		double		value = cell_number(&l->target_reader, datum);

		if (isnan(value))
			return false;
		if (fabs(value) > EXACT_INTEGERS || value != floor(value))
			refuse_class(l, psprintf("has the value %g, which cannot name a class", value));
		length = pg_lltoa((int64) value, digits);
	}
	else
		label = cell_text(&l->target_reader, datum, &length);
	code = add_level(l, levels, label, length);
	if (l->numeric_labels && code >= MOST_NUMERIC_CLASSES)
		refuse_class(l, psprintf("has more than %d distinct values, too many for classes", MOST_NUMERIC_CLASSES));
	*cell = code;
	*bits = dictionary_hash(levels, code);
	return true;
}

static bool
read_target(Load *l, const TupleTableSlot *slot, double *cell, uint64 *bits)
{
	Datum		datum;

	if (l->roles.target < 0)
	{
		*cell = 0;
		*bits = 0;
		return true;
	}
	if (slot->tts_isnull[l->roles.target])
		return false;
	datum = slot->tts_values[l->roles.target];
	return l->frame->classification ? read_label(l, datum, cell, bits) : read_value(l, datum, cell, bits);
}

/* ---- rows ---- */

static double
read_weight(Load *l, const TupleTableSlot *slot)
{
	double		weight = NAN;

	if (!slot->tts_isnull[l->roles.weight])
		weight = cell_number(&l->weight_reader, slot->tts_values[l->roles.weight]);
	if (!(weight >= 0 && weight <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("weight column \"%s\" has the value %s", l->request->weight,
						slot->tts_isnull[l->roles.weight] ? "NULL" : psprintf("%g", weight)),
				 errdetail("Weights are finite numbers of 0 or more."),
				 errhint("Leave such rows out in the source, or give them a weight there, for example with coalesce.")));
	l->frame->zero_weights += weight == 0;
	return weight;
}

/* The hash of a column's text; where it has none, the fallback. */
static uint64
hash_column(const TupleTableSlot *slot, int column, CellReader *reader, uint64 fallback, int64 *nulls)
{
	const char *text;
	int			length;

	if (slot->tts_isnull[column])
	{
		(*nulls)++;
		return fallback;
	}
	text = cell_text(reader, slot->tts_values[column], &length);
	return hash_text(text, length, 0);
}

/* 0: missing; else the code of the value + 1. */
static uint64
read_stratum(Load *l, const TupleTableSlot *slot)
{
	const char *text;
	int			length,
				code;

	if (slot->tts_isnull[l->roles.stratum])
		return 0;
	text = cell_text(&l->stratum_reader, slot->tts_values[l->roles.stratum], &length);
	code = dictionary_add(l->strata, text, length);
	if (code >= MOST_STRATA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" has more than %d distinct values, too many to stratify the split by", l->request->stratify, MOST_STRATA),
				 errhint("Stratify by a column of few values; numbers can be put into classes in the source, for example with width_bucket.")));
	return (uint64) code + 1;
}

static void
keep_sides(Load *l, const TupleTableSlot *slot, uint32 row, uint64 content)
{
	const Roles *roles = &l->roles;
	uint64		identity = content;

	*row_side(&l->sides, SIDE_CONTENT, row) = content;
	if (roles->key >= 0)
	{
		identity = hash_column(slot, roles->key, &l->key_reader, content, &l->null_keys);
		*row_side(&l->sides, SIDE_KEY, row) = identity;
	}
	if (roles->group >= 0)
		*row_side(&l->sides, SIDE_GROUP, row) = hash_column(slot, roles->group, &l->group_reader, identity, &l->null_groups);
	if (roles->stratum >= 0)
		*row_side(&l->sides, SIDE_STRATUM, row) = read_stratum(l, slot);
	if (roles->time >= 0)
	{
		double		time = NAN;

		if (!slot->tts_isnull[roles->time])
			time = cell_number(&l->time_reader, slot->tts_values[roles->time]);
		l->null_times += !isfinite(time);	/* infinite dates are NaN here */
		*row_side(&l->sides, SIDE_TIME, row) = isfinite(time) ? sortable_double(time) : 0;
	}
}

static uint64
read_features(Load *l, const TupleTableSlot *slot, double *cells)
{
	uint64		sum = 0;

	for (int i = 0; i < l->nruns; i++)
	{
		const Run  *run = &l->run[i];

		if (run->how == RUN_FLOAT8)
			sum += read_float8_run(l, run, slot, cells);
		else if (run->how == RUN_NUMBER)
			sum += read_number_run(l, run, slot, cells);
		else
			sum += read_category_run(l, run, slot, cells);
	}
	return sum;
}

static void
store_row(Load *l, const TupleTableSlot *slot, double target, uint64 target_bits)
{
	Frame	   *frame = l->frame;
	uint32		row = (uint32) frame->nrows;
	double	   *chunk = frame->file == NULL ? frame->chunk[row >> FRAME_CHUNK_BITS] : frame->window;
	double	   *cells = chunk + (Size) (row & (FRAME_CHUNK_ROWS - 1)) * frame->ncells;
	uint64		hash = read_features(l, slot, cells);
	int			at = frame->ncolumns;

	cells[at] = target;
	hash += hash_cell(target_bits, l->salt[at]);
	if (frame->has_weight)
	{
		at++;
		cells[at] = read_weight(l, slot);
		hash += hash_cell(double_bits(cells[at]), l->salt[at]);
	}
	hash = hash_mix(hash);
	l->fingerprint[0] += hash_fold(1, hash);
	l->fingerprint[1] += hash_fold(2, hash);
	keep_sides(l, slot, row, hash);
	if (frame->file != NULL && (row & (FRAME_CHUNK_ROWS - 1)) == FRAME_CHUNK_ROWS - 1)
		spill_window(frame);
}

bool
load_row(TupleTableSlot *slot, void *state)
{
	Load	   *l = state;
	Frame	   *frame = l->frame;
	double		target;
	uint64		target_bits;

	if (!read_target(l, slot, &target, &target_bits))
	{
		frame->null_targets++;
		return true;
	}
	if (frame->nrows == PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has more than %u rows", PG_UINT32_MAX),
				 errhint("Learn from a sample, for example with TABLESAMPLE.")));
	if (!l->over_budget && (frame->nrows < l->capacity || grow_chunks(l)))
	{
		store_row(l, slot, target, target_bits);
		frame->nrows++;
		if (l->long_level || frame->nrows % ROWS_PER_LEVEL_CHECK == 1)
			(void) book_levels(l);
	}
	else
		frame->nrows++;
	return true;
}
