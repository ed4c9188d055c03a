/*
 * label_state.c
 *		ml.label_state: per label, how often it was true, predicted, and both; behind accuracy, balanced_accuracy, precision, recall, f1, mcc.
 *
 * One flat value: the counts, an open-addressing table of their numbers, and the labels' texts.  Labels are compared bytewise; booleans are
 * "true" and "false", integers their decimal digits.  At most 1,000 labels of 1 MB in all.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "core/hash.h"
#include "metrics/metrics_internal.h"

#define MOST_LABELS 1000
#define MOST_TEXT (1024 * 1024)
#define FIRST_LABELS 8
#define FIRST_TEXT 128
#define FREE_SLOT PG_UINT16_MAX

typedef struct LabelEntry
{
	LabelCount	count;
	uint32		hash;
	uint32		text;			/* offset into the texts */
	uint32		length;
} LabelEntry;

typedef struct LabelState
{
	StateHeader header;
	int32		nlabels,
				room;			/* for labels; the table has 4 slots for each, so that it is never more than a quarter full */
	uint32		text_used,
				text_room;
	int32		average;		/* Average */
	int32		positive;		/* number of the positive label, or -1 */
	LabelEntry	label[FLEXIBLE_ARRAY_MEMBER];	/* then the slots, then the texts */
} LabelState;

#define SLOTS_PER_LABEL 4

static inline uint16 *
label_slots(const LabelState *state)
{
	return (uint16 *) (state->label + state->room);
}

static inline char *
label_texts(const LabelState *state)
{
	return (char *) (label_slots(state) + SLOTS_PER_LABEL * state->room);
}

static void label_write(const void *state, ByteWriter *w);
static void *label_read(ByteReader *r, int64 n);
static void *label_merge(void *state, const void *other);

static const StateKind label_kind = {"ml.label_state", 0x4d4c0001, label_write, label_read, label_merge};

static LabelState *
label_state_new(int room, uint32 text_room)
{
	Size		size = offsetof(LabelState, label) + (sizeof(LabelEntry) + sizeof(uint16) * SLOTS_PER_LABEL) * room + text_room;
	LabelState *state = state_new(&label_kind, size);

	state->room = room;
	state->text_room = text_room;
	state->positive = -1;
	memset(label_slots(state), 0xff, sizeof(uint16) * SLOTS_PER_LABEL * room);
	return state;
}

/* The slot that holds the label or that it would take. */
static inline uint16 *
label_slot(const LabelState *state, const char *text, uint32 length, uint32 hash)
{
	uint16	   *slots = label_slots(state);
	uint32		nslots = SLOTS_PER_LABEL * state->room;	/* a power of 2 */

	for (uint32 i = hash & (nslots - 1);; i = (i + 1) & (nslots - 1))
	{
		const LabelEntry *entry = &state->label[slots[i]];

		if (slots[i] == FREE_SLOT ||
			(entry->hash == hash && entry->length == length && memcmp(label_texts(state) + entry->text, text, length) == 0))
			return &slots[i];
	}
}

static void
label_append(LabelState *state, uint16 *slot, const char *text, uint32 length, uint32 hash)
{
	state->label[state->nlabels] = (LabelEntry) {{0, 0, 0}, hash, state->text_used, length};
	memcpy(label_texts(state) + state->text_used, text, length);
	state->text_used += length;
	*slot = (uint16) state->nlabels++;
}

/* A copy with room for one more label of this length. */
static LabelState *
label_state_grow(const LabelState *state, uint32 length)
{
	LabelState *larger;
	int			room = state->nlabels == state->room ? 2 * state->room : state->room;
	Size		text = (Size) state->text_used + length;

	if (state->nlabels == MOST_LABELS || text > MOST_TEXT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d distinct labels, or more than %d bytes of them", MOST_LABELS, MOST_TEXT),
				 errhint("Labels are classes; for predicted numbers use ml.mae, ml.rmse or ml.r2.")));
	larger = label_state_new(room, (uint32) Max(text, 2 * (Size) state->text_room));
	larger->header.n = state->header.n;
	larger->header.missing = state->header.missing;
	larger->average = state->average;
	larger->positive = state->positive;
	for (int i = 0; i < state->nlabels; i++)
	{
		const LabelEntry *entry = &state->label[i];
		const char *old = label_texts(state) + entry->text;

		label_append(larger, label_slot(larger, old, entry->length, entry->hash), old, entry->length, entry->hash);
		larger->label[i].count = entry->count;
	}
	return larger;
}

/* The number of a label; a new one makes *state grow into a copy where there is no room. */
static int
label_number(LabelState **state, const char *text, Size length)
{
	uint32		hash = (uint32) hash_text(text, length, 0);
	uint16	   *slot;

	if (length > MOST_TEXT)
		length = MOST_TEXT + 1; /* refused below */
	slot = label_slot(*state, text, (uint32) length, hash);
	if (*slot == FREE_SLOT)
	{
		if ((*state)->nlabels == Min((*state)->room, MOST_LABELS) || (*state)->text_used + length > (*state)->text_room)
		{
			*state = label_state_grow(*state, (uint32) length);
			slot = label_slot(*state, text, (uint32) length, hash);
		}
		label_append(*state, slot, text, (uint32) length, hash);
	}
	return *slot;
}

/* ---- text and binary form ---- */

static char *
label_text(const LabelState *state, int i)
{
	return pnstrdup(label_texts(state) + state->label[i].text, state->label[i].length);
}

static void
label_write(const void *opaque, ByteWriter *w)
{
	const LabelState *state = opaque;

	put_u8(w, (uint8) state->average);
	put_u32(w, (uint32) (state->positive + 1));
	put_u32(w, (uint32) state->nlabels);
	for (int i = 0; i < state->nlabels; i++)
	{
		put_text(w, label_text(state, i));
		put_u64(w, (uint64) state->label[i].count.truth);
		put_u64(w, (uint64) state->label[i].count.predicted);
		put_u64(w, (uint64) state->label[i].count.matched);
	}
}

static LabelCount
read_count(ByteReader *r, int64 n)
{
	uint64		truth = get_u64(r),
				predicted = get_u64(r),
				matched = get_u64(r);

	if (truth > (uint64) n || predicted > (uint64) n || matched > Min(truth, predicted))
		damaged(r, "The counts of a label do not fit together.");
	return (LabelCount) {(int64) truth, (int64) predicted, (int64) matched};
}

static void *
label_read(ByteReader *r, int64 n)
{
	LabelState *state = label_state_new(FIRST_LABELS, FIRST_TEXT);
	uint8		average = get_u8(r);
	uint32		positive = get_u32(r);
	uint32		nlabels = get_count(r, 3 * sizeof(uint64) + sizeof(uint32), MOST_LABELS);
	int64		truths = 0,
				predictions = 0;

	if (average > AVERAGE_WEIGHTED || positive > nlabels)
		damaged(r, "The average or the positive label is out of range.");
	for (uint32 i = 0; i < nlabels; i++)
	{
		const char *text = get_text(r);
		LabelCount	count = read_count(r, n);

		if (text == NULL || label_number(&state, text, strlen(text)) != (int) i)
			damaged(r, "A label is missing or occurs twice.");
		state->label[i].count = count;
		truths += count.truth;
		predictions += count.predicted;
	}
	if (truths != n || predictions != n)
		damaged(r, "The counts of the labels do not add up to the rows.");
	state->average = average;
	state->positive = (int32) positive - 1;
	return state;
}

STATE_TYPE_FUNCTIONS(label_state, &label_kind)

/* ---- average and positive label ---- */

static Average
average_parse(const char *name, Size length)
{
	static const char *const names[] = {
		[AVERAGE_BINARY] = "binary",[AVERAGE_MACRO] = "macro",[AVERAGE_MICRO] = "micro",[AVERAGE_WEIGHTED] = "weighted"
	};

	for (int i = AVERAGE_BINARY; i <= AVERAGE_WEIGHTED; i++)
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("average \"%.*s\" not recognized", (int) Min(length, NAMEDATALEN), name),
			 errhint("Valid averages are binary, macro, micro, weighted.")));
}

static void
set_average(LabelState *state, Average average, int positive)
{
	if (state->average == AVERAGE_NONE)
	{
		state->average = average;
		state->positive = positive;
	}
	else if (state->average != (int32) average || state->positive != positive)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the average and the positive label must be the same in all rows")));
}

static void *
label_merge(void *opaque, const void *other_opaque)
{
	LabelState *state = opaque;
	const LabelState *other = other_opaque;
	int			positive = -1;

	for (int i = 0; i < other->nlabels; i++)
	{
		const LabelEntry *entry = &other->label[i];
		int			number = label_number(&state, label_texts(other) + entry->text, entry->length);
		LabelCount *count = &state->label[number].count;

		count->truth += entry->count.truth;
		count->predicted += entry->count.predicted;
		count->matched += entry->count.matched;
		if (i == other->positive)
			positive = number;
	}
	if (other->average != AVERAGE_NONE)
		set_average(state, other->average, positive);
	return state;
}

/* ---- rows ---- */

static LabelState *
label_state_argument(FunctionCallInfo fcinfo)
{
	LabelState *state = state_in_place(fcinfo, &label_kind);

	return state ? state : label_state_new(FIRST_LABELS, FIRST_TEXT);
}

static LabelState *
label_row(LabelState *state, const char *truth, Size truth_length, const char *predicted, Size predicted_length)
{
	int			t = label_number(&state, truth, truth_length);
	int			p = label_number(&state, predicted, predicted_length);

	state->header.n++;
	state->label[t].count.truth++;
	state->label[p].count.predicted++;
	state->label[t].count.matched += t == p;
	return state;
}

static LabelState *
label_row_text(FunctionCallInfo fcinfo, LabelState *state)
{
	text	   *truth,
			   *predicted;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		state->header.missing++;
		return state;
	}
	truth = PG_GETARG_TEXT_PP(1);
	predicted = PG_GETARG_TEXT_PP(2);
	return label_row(state, VARDATA_ANY(truth), VARSIZE_ANY_EXHDR(truth), VARDATA_ANY(predicted), VARSIZE_ANY_EXHDR(predicted));
}

PG_FUNCTION_INFO_V1(ml_label_add_text);
Datum
ml_label_add_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(label_row_text(fcinfo, label_state_argument(fcinfo)));
}

/* The average at the given argument and the positive label behind it, if there is one, into the state. */
static LabelState *
take_average(FunctionCallInfo fcinfo, LabelState *state, int argument)
{
	bool		positive_given = PG_NARGS() > argument + 1 && !PG_ARGISNULL(argument + 1);
	Average		average;
	text	   *name;
	int			positive = -1;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("average must not be NULL")));
	name = PG_GETARG_TEXT_PP(argument);
	average = average_parse(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	if ((average == AVERAGE_BINARY) != positive_given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(positive_given ? "a positive label is only for the average binary" : "the average binary needs the positive label"),
				 errhint("Call it with (truth, predicted, 'binary', positive) or (truth, predicted, 'macro').")));
	if (positive_given)
	{
		text	   *label = PG_GETARG_TEXT_PP(argument + 1);

		positive = label_number(&state, VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label));
	}
	set_average(state, average, positive);
	return state;
}

/* (state, truth, predicted, average [, positive]) */
PG_FUNCTION_INFO_V1(ml_label_add_average);
Datum
ml_label_add_average(PG_FUNCTION_ARGS)
{
	LabelState *state = take_average(fcinfo, label_state_argument(fcinfo), 3);

	PG_RETURN_POINTER(label_row_text(fcinfo, state));
}

/* Of booleans, true is the positive class. */
PG_FUNCTION_INFO_V1(ml_label_add_boolean);
Datum
ml_label_add_boolean(PG_FUNCTION_ARGS)
{
	static const char *const text[] = {"false", "true"};
	static const Size length[] = {5, 4};
	LabelState *state = label_state_argument(fcinfo);
	bool		truth,
				predicted;

	if (state->average == AVERAGE_NONE)
		set_average(state, AVERAGE_BINARY, label_number(&state, text[true], length[true]));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		state->header.missing++;
		PG_RETURN_POINTER(state);
	}
	truth = PG_GETARG_BOOL(1);
	predicted = PG_GETARG_BOOL(2);
	PG_RETURN_POINTER(label_row(state, text[truth], length[truth], text[predicted], length[predicted]));
}

PG_FUNCTION_INFO_V1(ml_label_add_bigint);
Datum
ml_label_add_bigint(PG_FUNCTION_ARGS)
{
	LabelState *state = label_state_argument(fcinfo);
	char		truth[MAXINT8LEN + 1];
	char		predicted[MAXINT8LEN + 1];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		state->header.missing++;
		PG_RETURN_POINTER(state);
	}
	pg_lltoa(PG_GETARG_INT64(1), truth);
	pg_lltoa(PG_GETARG_INT64(2), predicted);
	PG_RETURN_POINTER(label_row(state, truth, strlen(truth), predicted, strlen(predicted)));
}

/* ---- results ---- */

static int
compare_labels(const void *a, const void *b, void *arg)
{
	const LabelState *state = arg;
	const LabelEntry *left = &state->label[*(const int *) a];
	const LabelEntry *right = &state->label[*(const int *) b];
	int			order = memcmp(label_texts(state) + left->text, label_texts(state) + right->text, Min(left->length, right->length));

	return order ? order : (left->length > right->length) - (left->length < right->length);
}

/* The counts in bytewise order of the labels, so that sums over them do not depend on the order of the rows. */
static LabelCounts
ordered_counts(LabelState *state)
{
	LabelCount *count = palloc(sizeof(LabelCount) * Max(state->nlabels, 1));
	int		   *order = palloc(sizeof(int) * Max(state->nlabels, 1));
	LabelCounts result = {count, state->nlabels, state->header.n, state->average, -1};

	for (int i = 0; i < state->nlabels; i++)
		order[i] = i;
	qsort_arg(order, state->nlabels, sizeof(int), compare_labels, state);
	for (int i = 0; i < state->nlabels; i++)
	{
		count[i] = state->label[order[i]].count;
		if (order[i] == state->positive)
			result.positive = i;
	}
	return result;
}

static Datum
label_final(FunctionCallInfo fcinfo, Measure (*measure) (const LabelCounts *))
{
	LabelCounts counts = ordered_counts(state_argument(fcinfo, 0, &label_kind));

	return measure_datum(fcinfo, measure(&counts));
}

/* (state) with the average in the state, or (state, average, positive) */
static Datum
share_final(FunctionCallInfo fcinfo, Measure (*measure) (const LabelCounts *))
{
	LabelState *state = state_argument(fcinfo, 0, &label_kind);
	LabelCounts counts;

	if (state == NULL)
		PG_RETURN_NULL();
	if (PG_NARGS() > 1)
	{
		LabelState *copy = (LabelState *) PG_DETOAST_DATUM_COPY(PointerGetDatum(state));

		copy->average = AVERAGE_NONE;
		state = take_average(fcinfo, copy, 1);
	}
	if (state->average == AVERAGE_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the state says nothing of an average"),
				 errhint("Give it: (state, 'macro', NULL) or (state, 'binary', positive).")));
	counts = ordered_counts(state);
	return measure_datum(fcinfo, measure(&counts));
}

PG_FUNCTION_INFO_V1(ml_accuracy_final);
Datum
ml_accuracy_final(PG_FUNCTION_ARGS)
{
	return label_final(fcinfo, label_accuracy);
}

PG_FUNCTION_INFO_V1(ml_balanced_accuracy_final);
Datum
ml_balanced_accuracy_final(PG_FUNCTION_ARGS)
{
	return label_final(fcinfo, label_balanced_accuracy);
}

PG_FUNCTION_INFO_V1(ml_mcc_final);
Datum
ml_mcc_final(PG_FUNCTION_ARGS)
{
	return label_final(fcinfo, label_mcc);
}

PG_FUNCTION_INFO_V1(ml_precision_final);
Datum
ml_precision_final(PG_FUNCTION_ARGS)
{
	return share_final(fcinfo, label_precision);
}

PG_FUNCTION_INFO_V1(ml_recall_final);
Datum
ml_recall_final(PG_FUNCTION_ARGS)
{
	return share_final(fcinfo, label_recall);
}

PG_FUNCTION_INFO_V1(ml_f1_final);
Datum
ml_f1_final(PG_FUNCTION_ARGS)
{
	return share_final(fcinfo, label_f1);
}
