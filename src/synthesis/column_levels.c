/*
 * column_levels.c
 *		ml._column_levels: how often each text occurs in many columns, in one call per row; from it the number of distinct texts and the mode.
 *
 * A flat state: one open-addressing table for all columns, and the bytes of the texts behind it.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "synthesis/columns_internal.h"

#define DIGITS 20				/* of an int8 with its sign */
#define FEWEST_SLOTS 8			/* a power of 2 */
#define FEWEST_BYTES 64

typedef struct Level
{
	int64		count;			/* 0: a free slot */
	uint32		hash;
	int32		column;
	int32		length;
	uint32		offset;			/* of its bytes */
} Level;

/* What is asked of a column, kept up with every text, since a running aggregate is asked after every row. */
typedef struct LevelColumn
{
	int64		distinct;
	int32		mode;			/* slot; -1: no text yet */
	int32		unused;
} LevelColumn;

/* Followed by nslots levels and the bytes of the texts. */
typedef struct LevelsState
{
	ColumnsState columns;
	int32		nlevels;
	int32		nslots;			/* a power of 2 */
	uint32		nbytes;			/* taken by texts */
	uint32		room;			/* for texts */
	LevelColumn column[FLEXIBLE_ARRAY_MEMBER];
} LevelsState;

static const StateKind levels_kind;
static const ColumnsKind levels_columns;

static inline Level *
levels_of(const LevelsState *state)
{
	return (Level *) (state->column + state->columns.ncolumns);
}

static inline char *
levels_bytes(const LevelsState *state)
{
	return (char *) (levels_of(state) + state->nslots);
}

static inline Size
levels_size(int ncolumns, int nslots, uint32 room)
{
	return offsetof(LevelsState, column) + sizeof(LevelColumn) * ncolumns + sizeof(Level) * (Size) nslots + room;
}

static LevelsState *
levels_new(int ncolumns, int nslots, uint32 room)
{
	LevelsState *state;

	check_ncolumns(ncolumns);
	state = state_new(&levels_kind, levels_size(ncolumns, nslots, room));
	state->columns.ncolumns = ncolumns;
	state->nslots = nslots;
	state->room = room;
	for (int i = 0; i < ncolumns; i++)
		state->column[i].mode = -1;
	return state;
}

/* The slot of a text, or the free one where it belongs. */
static Level *
find_slot(LevelsState *state, uint32 hash, int column, const char *text, int length)
{
	for (uint32 i = hash;; i++)
	{
		Level	   *level = &levels_of(state)[i & (uint32) (state->nslots - 1)];

		if (level->count == 0 ||
			(level->hash == hash && level->column == column && level->length == length && memcmp(levels_bytes(state) + level->offset, text, length) == 0))
			return level;
	}
}

/* More frequent; of as frequent ones bytewise less. */
static bool
goes_before(const LevelsState *state, const Level *a, const Level *b)
{
	int			order;

	if (a->count != b->count)
		return a->count > b->count;
	order = memcmp(levels_bytes(state) + a->offset, levels_bytes(state) + b->offset, Min(a->length, b->length));
	return order < 0 || (order == 0 && a->length < b->length);
}

static void
count_slot(LevelsState *state, Level *slot, int64 count)
{
	LevelColumn *column = &state->column[slot->column];

	slot->count += count;
	if (column->mode < 0 || goes_before(state, slot, levels_of(state) + column->mode))
		column->mode = (int32) (slot - levels_of(state));
}

static void
fill_slot(LevelsState *state, Level *slot, uint32 hash, int column, const char *text, int length)
{
	slot->hash = hash;
	slot->column = column;
	slot->length = length;
	slot->offset = state->nbytes;
	memcpy(levels_bytes(state) + state->nbytes, text, length);
	state->nbytes += length;
	state->nlevels++;
	state->column[column].distinct++;
}

/* The state with room for one more text of this length: itself or a copy of twice the size. */
static LevelsState *
with_room(LevelsState *state, int length)
{
	LevelsState *larger;

	if (state->nlevels + 1 <= state->nslots / 4 * 3 && state->nbytes + (Size) length <= state->room)
		return state;
	CHECK_FOR_INTERRUPTS();
	larger = levels_new(state->columns.ncolumns, state->nslots * (state->nlevels + 1 > state->nslots / 4 * 3 ? 2 : 1),
						Max(state->room * (state->nbytes + (Size) length > state->room ? 2 : 1), state->nbytes + length));
	larger->columns.header = state->columns.header;
	SET_VARSIZE(larger, levels_size(larger->columns.ncolumns, larger->nslots, larger->room));
	for (int i = 0; i < state->nslots; i++)
	{
		const Level *old = &levels_of(state)[i];
		const char *text = levels_bytes(state) + old->offset;
		Level	   *slot;

		if (old->count == 0)
			continue;
		slot = find_slot(larger, old->hash, old->column, text, old->length);
		fill_slot(larger, slot, old->hash, old->column, text, old->length);
		count_slot(larger, slot, old->count);
	}
	return larger;
}

static LevelsState *
add_level(LevelsState *state, int column, const char *text, int length, int64 count)
{
	uint32		hash = hash_bytes((const unsigned char *) text, length) + 2654435769u * (uint32) column;
	Level	   *slot = find_slot(state, hash, column, text, length);

	if (slot->count == 0)
	{
		state = with_room(state, length);
		slot = find_slot(state, hash, column, text, length);
		fill_slot(state, slot, hash, column, text, length);
	}
	count_slot(state, slot, count);
	return state;
}

static void *
levels_merge(void *opaque, const void *other_opaque)
{
	LevelsState *state = opaque;
	const LevelsState *other = other_opaque;

	require_columns(&levels_columns, &state->columns, other->columns.ncolumns);
	for (int i = 0; i < other->nslots; i++)
	{
		const Level *level = &levels_of(other)[i];

		if (level->count > 0)
			state = add_level(state, level->column, levels_bytes(other) + level->offset, level->length, level->count);
	}
	return state;
}

/* ---- text and binary form ---- */

static void
levels_write(const void *opaque, ByteWriter *w)
{
	const LevelsState *state = opaque;

	put_u32(w, (uint32) state->columns.ncolumns);
	put_u32(w, (uint32) state->nlevels);
	for (int i = 0; i < state->nslots; i++)
	{
		const Level *level = &levels_of(state)[i];

		if (level->count == 0)
			continue;
		put_u32(w, (uint32) level->column);
		put_u64(w, (uint64) level->count);
		put_u32(w, (uint32) level->length);
		put_bytes(w, levels_bytes(state) + level->offset, level->length);
	}
}

static void *
levels_read(ByteReader *r, int64 n)
{
	uint32		ncolumns = get_u32(r);
	uint32		nlevels = get_count(r, sizeof(uint32) + sizeof(uint64) + sizeof(uint32), PG_INT32_MAX);
	LevelsState *state;

	if (ncolumns > MOST_COLUMNS)
		damaged(r, "It has too many columns.");
	state = levels_new((int) ncolumns, FEWEST_SLOTS, FEWEST_BYTES);
	for (uint32 i = 0; i < nlevels; i++)
	{
		uint32		column = get_u32(r);
		uint64		count = get_u64(r);
		uint32		length = get_count(r, 1, PG_INT32_MAX);
		const char *text = (const char *) get_bytes(r, length);

		if (column >= ncolumns || count == 0 || count > (uint64) n || !pg_verifymbstr(text, (int) length, true))
			damaged(r, "A text has a column, a count or bytes that cannot be.");
		state = add_level(state, (int) column, text, (int) length, (int64) count);
	}
	return state;
}

static const StateKind levels_kind = {"ml.column_levels", 0x4c560001, levels_write, levels_read, levels_merge};

STATE_TYPE_FUNCTIONS(column_levels, &levels_kind)

/* ---- the aggregate ---- */

static ColumnsState *
levels_make(int ncolumns)
{
	return &levels_new(ncolumns, FEWEST_SLOTS, FEWEST_BYTES)->columns;
}

static ColumnsState *
levels_add(ColumnsState *columns, const char *at, const bits8 *present)
{
	LevelsState *state = (LevelsState *) columns;
	int			n = columns->ncolumns;

	for (int i = 0; i < n; i++)
	{
		if (!cell_present(present, i))
			continue;
		state = add_level(state, i, VARDATA_ANY(at), (int) VARSIZE_ANY_EXHDR(at), 1);
		at = att_addlength_pointer(at, -1, at);
		at = (const char *) att_align_nominal(at, TYPALIGN_INT);
	}
	return &state->columns;
}

static const ColumnsKind levels_columns = {&levels_kind, "texts", "levels", levels_make, levels_add};

PG_FUNCTION_INFO_V1(ml_column_levels_add);
Datum
ml_column_levels_add(PG_FUNCTION_ARGS)
{
	return columns_add(fcinfo, &levels_columns);
}

/* Two texts per column: the number of distinct ones, and the mode or NULL. */
PG_FUNCTION_INFO_V1(ml_column_levels_final);
Datum
ml_column_levels_final(PG_FUNCTION_ARGS)
{
	LevelsState *state = state_argument(fcinfo, 0, &levels_kind);
	int			nvalues = 2 * state->columns.ncolumns,
				first = 1;
	Datum	   *value = palloc0(sizeof(Datum) * (nvalues + 1));
	bool	   *null = palloc0(sizeof(bool) * (nvalues + 1));

	for (int i = 0; i < state->columns.ncolumns; i++)
	{
		const LevelColumn *column = &state->column[i];
		const Level *mode = levels_of(state) + column->mode;
		char		digits[DIGITS + 1];
		int			length = pg_lltoa(column->distinct, digits);

		value[2 * i] = PointerGetDatum(cstring_to_text_with_len(digits, length));
		null[2 * i + 1] = column->mode < 0;
		if (column->mode >= 0)
			value[2 * i + 1] = PointerGetDatum(cstring_to_text_with_len(levels_bytes(state) + mode->offset, mode->length));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(value, null, 1, &nvalues, &first, TEXTOID, -1, false, TYPALIGN_INT));
}
