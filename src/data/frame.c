/*
 * frame.c
 *		Before and after the rows: readers for the columns; levels and rows in canonical order, warnings.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "data/load_internal.h"

void
frame_warning(Frame *frame, const char *format,...)
{
	MemoryContext caller = MemoryContextSwitchTo(frame->context);
	StringInfoData line;

	initStringInfo(&line);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&line, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&line, needed);
	}
	frame->warnings = lappend(frame->warnings, line.data);
	MemoryContextSwitchTo(caller);
}

/* ---- columns ---- */

/* The type's name whatever the search_path: qualified unless the type is a built-in one. */
static const char *
stable_type_name(Oid type)
{
	const char *name = format_type_be_qualified(type);
	static const char builtin[] = "pg_catalog.";

	return strncmp(name, builtin, strlen(builtin)) == 0 ? name + strlen(builtin) : name;
}

static void
describe_column(const Load *l, FrameColumn *column, int attribute, ColumnKind kind)
{
	Form_pg_attribute att = TupleDescAttr(l->source->tupdesc, attribute);

	column->name = MemoryContextStrdup(l->frame->context, NameStr(att->attname));
	column->type_name = MemoryContextStrdup(l->frame->context, stable_type_name(att->atttypid));
	column->kind = kind;
	(void) kind_of_type(att->atttypid, &column->original);
	if (kind == KIND_CATEGORY)
		column->levels = dictionary_create(l->frame->context);
}

static void
open_reader(const Load *l, CellReader *reader, int attribute, ColumnKind kind, pg_tz *zone)
{
	Form_pg_attribute att = TupleDescAttr(l->source->tupdesc, attribute);

	if (!cell_reader_init(reader, att->atttypid, kind, zone))
		elog(ERROR, "column \"%s\" cannot be read as %s", NameStr(att->attname), kind_name(kind));
	reader->column = NameStr(att->attname);
}

static void
refuse_target(const Load *l, const char *task, const char *hint)
{
	Form_pg_attribute att = TupleDescAttr(l->source->tupdesc, l->roles.target);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("target column \"%s\" has type %s, which %s", NameStr(att->attname), format_type_be(att->atttypid), task),
			 errhint("%s", hint)));
}

/* The task follows the target's type unless it was asked for. */
static void
open_target(Load *l)
{
	Frame	   *frame = l->frame;
	ColumnKind	kind;
	Oid			type,
				base;

	if (l->roles.target < 0)
	{
		frame->target = (FrameColumn) {.name = "",.type_name = "",.kind = KIND_NUMBER,.original = KIND_NUMBER};
		return;
	}
	type = TupleDescAttr(l->source->tupdesc, l->roles.target)->atttypid;
	if (!kind_of_type(type, &kind) || (kind != KIND_NUMBER && kind != KIND_BOOLEAN && kind != KIND_CATEGORY))
		refuse_target(l, "cannot be predicted", "The target may be a number, or boolean, text, enum or uuid for classes; convert it in the source.");
	if (kind != KIND_NUMBER && l->request->regression)
		refuse_target(l, "regression cannot predict", kind == KIND_BOOLEAN ? "Leave out the task, or cast the column to integer in the source." :
					  "Leave out the task, or cast the column to a numeric type in the source.");
	frame->classification = kind != KIND_NUMBER || l->request->classification;
	describe_column(l, &frame->target, l->roles.target, frame->classification ? KIND_CATEGORY : KIND_NUMBER);
	open_reader(l, &l->target_reader, l->roles.target, frame->target.kind, NULL);
	base = l->target_reader.type;
	l->numeric_labels = frame->classification && kind == KIND_NUMBER;
	l->label_from_value = l->numeric_labels && (base == FLOAT4OID || base == FLOAT8OID || base == NUMERICOID);
	if (l->label_from_value)
		open_reader(l, &l->target_reader, l->roles.target, KIND_NUMBER, NULL);
}

static void
open_features(Load *l)
{
	Frame	   *frame = l->frame;
	int			n = l->roles.nfeatures;

	frame->ncolumns = n;
	frame->columns = MemoryContextAllocZero(frame->context, size_times(n, sizeof(FrameColumn)));
	l->reader = palloc0(n * sizeof(CellReader));
	l->run = palloc(n * sizeof(Run));
	for (int i = 0; i < n; i++)
	{
		ColumnKind	kind = l->roles.feature_kind[i];
		RunKind		how;

		describe_column(l, &frame->columns[i], l->roles.feature[i], kind);
		frame->columns[i].aside = l->roles.feature_aside[i];
		open_reader(l, &l->reader[i], l->roles.feature[i], kind, l->request->zone);
		how = kind == KIND_CATEGORY ? RUN_CATEGORY : l->reader[i].op == OP_FLOAT8 ? RUN_FLOAT8 : RUN_NUMBER;
		if (l->nruns == 0 || l->run[l->nruns - 1].how != how)
		{
			l->run[l->nruns].how = how;
			l->run[l->nruns++].first = i;
		}
		l->run[l->nruns - 1].end = i + 1;
	}
}

static void
open_sides(Load *l)
{
	RowSides   *sides = &l->sides;

	sides->slot[SIDE_CONTENT] = sides->nslots++;
	sides->slot[SIDE_KEY] = l->roles.key >= 0 ? sides->nslots++ : -1;
	sides->slot[SIDE_TIME] = l->roles.time >= 0 ? sides->nslots++ : -1;
	sides->slot[SIDE_GROUP] = l->roles.group >= 0 ? sides->nslots++ : -1;
	sides->slot[SIDE_STRATUM] = l->roles.stratum >= 0 ? sides->nslots++ : -1;
}

static void
open_columns(Load *l)
{
	const Roles *roles = &l->roles;
	Frame	   *frame = l->frame;

	open_features(l);
	open_target(l);
	/* what places rows is read in UTC, as ml.split does: a model's time zone may change, the parts must not */
	if (roles->key >= 0)
		open_reader(l, &l->key_reader, roles->key, KIND_CATEGORY, NULL);
	if (l->request->stratified && roles->stratum < 0 && !frame->classification)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the split can be stratified by the target only where it holds classes"),
				 errhint("Name a column of few values: split => '{\"stratify\": \"column\"}'.")));
	if (roles->group >= 0)
		open_reader(l, &l->group_reader, roles->group, KIND_CATEGORY, NULL);
	if (roles->stratum >= 0)
	{
		open_reader(l, &l->stratum_reader, roles->stratum, KIND_CATEGORY, NULL);
		l->strata = dictionary_create(CurrentMemoryContext);
	}
	if (roles->weight >= 0)
		open_reader(l, &l->weight_reader, roles->weight, KIND_NUMBER, NULL);
	if (roles->time >= 0)
	{
		ColumnKind	kind = KIND_NUMBER;

		/* instants are ordered in UTC: local time runs twice through one hour a year */
		(void) kind_of_type(TupleDescAttr(l->source->tupdesc, roles->time)->atttypid, &kind);
		check_time_bounds(l->request, kind);
		frame->times.kind = kind;
		open_reader(l, &l->time_reader, roles->time, kind, NULL);
		frame->gap = gap_width(l->request, kind);
	}
	frame->has_weight = roles->weight >= 0;
	frame->ncells = frame->ncolumns + 1 + (frame->has_weight ? 1 : 0);
	l->salt = palloc(frame->ncells * sizeof(uint64));
	for (int i = 0; i < frame->ncells; i++)
		l->salt[i] = hash_fold(0, (uint64) i);
	open_sides(l);
}

/* ---- after the last row ---- */

/* So that what cannot be is refused before work starts. */
static bool
fits_training(const Load *l)
{
	return l->request->needs == NULL || size_plus(l->used_before, bytes_needed(l)) <= l->budget->limit;
}

static void
check_rows(Load *l)
{
	const Frame *frame = l->frame;

	if (frame->nrows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 frame->null_targets ? errmsg("target column \"%s\" has no value in any of the %lld rows of the source",
											  l->request->target, (long long) frame->null_targets) :
				 errmsg("source has no rows")));
	if (l->over_budget || !book_levels(l) || !fits_training(l))
		budget_fail(l->budget, size_plus(l->used_before, bytes_needed(l)), l->request->needs != NULL ? "the training" : WHAT_IS_BOOKED);
}

static int
compare_labels(const void *a, const void *b)
{
	int64		x = strtoll(*(const char *const *) a, NULL, 10),
				y = strtoll(*(const char *const *) b, NULL, 10);

	return (x > y) - (x < y);
}

/* Number labels by value instead of bytewise; returns old code -> new code. */
static int *
sort_numeric_labels(Load *l)
{
	Dictionary *old = l->frame->target.levels;
	Dictionary *sorted = dictionary_create(l->frame->context);
	int			n = dictionary_size(old);
	const char **label = palloc(n * sizeof(char *));
	int		   *map = palloc(n * sizeof(int));

	for (int i = 0; i < n; i++)
		label[i] = dictionary_text(old, i);
	qsort(label, n, sizeof(char *), compare_labels);
	for (int i = 0; i < n; i++)
		map[dictionary_find(old, label[i], (int) strlen(label[i]))] = dictionary_add(sorted, label[i], (int) strlen(label[i]));
	l->frame->target.levels = sorted;
	return map;
}

static bool
changes_codes(const int *map, int n)
{
	for (int i = 0; i < n; i++)
		if (map[i] != i)
			return true;
	return false;
}

/* Codes in order of arrival -> codes in the order of the levels; cell (nmaps) says which cell each map is for. */
static void
recode_cells(Frame *frame, int **map, const int *cell, int nmaps)
{
	for (int64 row = 0; row < frame->nrows; row++)
	{
		double	   *cells = frame->chunk[row >> FRAME_CHUNK_BITS] + (Size) (row & (FRAME_CHUNK_ROWS - 1)) * frame->ncells;

		if ((row & (FRAME_CHUNK_ROWS - 1)) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < nmaps; i++)
		{
			double	   *code = &cells[cell[i]];

			if (!isnan(*code))
				*code = map[i][(int) *code];
		}
	}
}

static void
sort_levels(Load *l)
{
	Frame	   *frame = l->frame;
	int		  **map = palloc((frame->ncolumns + 1) * sizeof(int *));
	int		   *cell = palloc((frame->ncolumns + 1) * sizeof(int));
	int			nmaps = 0;

	for (int i = 0; i <= frame->ncolumns; i++)
	{
		FrameColumn *column = i < frame->ncolumns ? &frame->columns[i] : &frame->target;

		if (column->levels == NULL)
			continue;
		if (i == frame->ncolumns && l->numeric_labels)
			map[nmaps] = sort_numeric_labels(l);
		else
			map[nmaps] = dictionary_sort(column->levels);
		if (!changes_codes(map[nmaps], dictionary_size(column->levels)))
			continue;
		if (frame->file != NULL)
			spill_recode(frame, i, map[nmaps], dictionary_size(column->levels));
		else
			cell[nmaps++] = i;
	}
	if (nmaps > 0)
		recode_cells(frame, map, cell, nmaps);
}

static void
warn_of_column(Frame *frame, const FrameColumn *column)
{
	if (column->unparsable)
		frame_warning(frame, "%lld value%s of column \"%s\" %s", (long long) column->unparsable, column->unparsable == 1 ? "" : "s",
					  column->name, column->unparsable == 1 ? "is no number and counts as missing" : "are no numbers and count as missing");
	if (column->inexact)
		frame_warning(frame, "%lld integer%s of column \"%s\" %s beyond 2^53 and rounded to the nearest double", (long long) column->inexact,
					  column->inexact == 1 ? "" : "s", column->name, column->inexact == 1 ? "is" : "are");
}

static void
warn(const Load *l)
{
	Frame	   *frame = l->frame;
	long long	nrows = frame->nrows;

	if (frame->null_targets)
		frame_warning(frame, "%lld of %lld rows have no value in target column \"%s\" and were left out",
					  (long long) frame->null_targets, (long long) frame->null_targets + nrows, l->request->target);
	if (l->null_keys)
		frame_warning(frame, "%lld of %lld rows have no value in key column \"%s\" and are placed by their content",
					  (long long) l->null_keys, nrows, l->request->key);
	if (l->null_groups)
		frame_warning(frame, "%lld of %lld rows have no value in group column \"%s\" and are placed by their %s",
					  (long long) l->null_groups, nrows, l->request->group, l->request->key ? "key" : "content");
	if (l->null_times)
		frame_warning(frame, "%lld of %lld rows have no value in time column \"%s\" and are in the training part",
					  (long long) l->null_times, nrows, l->request->time);
	for (int i = 0; i < frame->ncolumns; i++)
		warn_of_column(frame, &frame->columns[i]);
	warn_of_column(frame, &frame->target);
}

static bool
places_by_content(const Load *l)
{
	const FrameRequest *request = l->request;
	bool		keyless = request->key == NULL || l->null_keys > 0;

	return request->time == NULL && keyless && (request->group == NULL || l->null_groups > 0);
}

/* Order the rows, then give back what only loading needed. */
static void
finish(Load *l)
{
	Frame	   *frame = l->frame;
	Size		nchunks = ((Size) l->capacity + FRAME_CHUNK_ROWS - 1) >> FRAME_CHUNK_BITS;
	uint32		narrived = (uint32) frame->nrows;
	Size		over;

	check_rows(l);
	sort_levels(l);
	warn(l);
	frame->by_content = places_by_content(l);
	frame->ungrouped = l->null_groups > 0;
	if (frame->file != NULL)
		spill_end(frame);
	frame_order(frame, &l->sides, l->strata, l->request);
	if (frame->file != NULL)
		spill_turn_order(frame);
	for (int i = 0; i < 16; i++)
		frame->fingerprint[i] = (uint8) (l->fingerprint[i / 8] >> (i % 8 * 8));
	for (Size i = 0; i < nchunks; i++)
		pfree(l->sides.chunk[i]);
	pfree(l->sides.chunk);
	over = (Size) l->capacity * ORDER_BYTES_PER_ROW - (Size) narrived * ORDER_BYTES_KEPT + nchunks * side_bytes(l);
	budget_return(l->budget, over);
	frame->booked = l->budget->used - l->used_before - l->level_bytes;
}

Frame *
frame_load(const FrameRequest *request)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext working = AllocSetContextCreate(caller, "relearn frame load", ALLOCSET_DEFAULT_SIZES);
	MemoryContext context = AllocSetContextCreate(caller, "relearn frame", ALLOCSET_DEFAULT_SIZES);
	Frame	   *frame = MemoryContextAllocZero(context, sizeof(Frame));
	Load	   *l;

	MemoryContextSwitchTo(working);
	l = palloc0(sizeof(Load));
	l->request = request;
	l->budget = request->budget;
	l->used_before = request->budget->used;
	l->missing = get_float8_nan();
	l->frame = frame;
	frame->context = context;
	frame->cells = AllocSetContextCreate(context, "relearn cells", ALLOCSET_DEFAULT_SIZES);
	l->source = source_open(request->source);
	frame->source = source_identity(l->source);
	if (frame->source != NULL)
		frame->source = MemoryContextStrdup(context, frame->source);
	roles_resolve(request, l->source, &l->roles);
	open_columns(l);
	source_run(l->source, load_row, l);
	finish(l);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(working);
	return frame;
}
