/*
 * kept_state.c
 *		States that keep a value of every row, because the exact answer needs them all: ml.score_state (roc_auc, average_precision) and
 *		ml.residual_state (median_absolute_error).  8 bytes a row, at most 1 GB.
 *
 * Values of positive rows grow from the front of the room, those of negative rows from its end: no flags, and half of the sorting is done.
 * Residuals all go to the front.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/budget.h"
#include "metrics/metrics_internal.h"
#include "settings.h"

typedef struct KeptState
{
	StateHeader header;			/* n = front + back */
	int64		front,
				back;
	double		value[FLEXIBLE_ARRAY_MEMBER];
} KeptState;

#define FIRST_ROOM 12
#define INTERRUPT_MASK 0xfffff	/* values between two checks for interrupts, less 1 */
#define MOST_ROOM ((int64) ((MaxAllocSize - offsetof(KeptState, value)) / sizeof(double)))

static inline int64
kept_room(const KeptState *state)
{
	return (VARSIZE(state) - offsetof(KeptState, value)) / sizeof(double);
}

static inline const double *
kept_back(const KeptState *state)
{
	return state->value + kept_room(state) - state->back;
}

static KeptState *
kept_new(const StateKind *kind, int64 room)
{
	return state_new(kind, offsetof(KeptState, value) + sizeof(double) * (Size) room);
}

/* The state itself, or a larger copy, with room for so many values more. */
static KeptState *
kept_reserve(const StateKind *kind, KeptState *state, int64 more)
{
	int64		needed = state->front + state->back + more;
	KeptState  *larger;

	if (needed <= kept_room(state))
		return state;
	larger = kept_new(kind, Max(needed, Min(2 * kept_room(state), MOST_ROOM)));
	larger->header.n = state->header.n;
	larger->header.missing = state->header.missing;
	larger->front = state->front;
	larger->back = state->back;
	memcpy(larger->value, state->value, sizeof(double) * state->front);
	memcpy((double *) kept_back(larger), kept_back(state), sizeof(double) * state->back);
	return larger;
}

static Datum
kept_row(FunctionCallInfo fcinfo, const StateKind *kind, bool missing, bool front, double value)
{
	KeptState  *state = state_in_place(fcinfo, kind);

	if (state == NULL)
		state = kept_new(kind, FIRST_ROOM);
	if (missing || isnan(value))
	{
		state->header.missing++;
		PG_RETURN_POINTER(state);
	}
	state = kept_reserve(kind, state, 1);
	state->header.n++;
	if (front)
		state->value[state->front++] = value;
	else
		state->value[kept_room(state) - ++state->back] = value;
	PG_RETURN_POINTER(state);
}

static KeptState *
kept_merge(const StateKind *kind, KeptState *state, const KeptState *other)
{
	state = kept_reserve(kind, state, other->front + other->back);
	memcpy(state->value + state->front, other->value, sizeof(double) * other->front);
	state->front += other->front;
	state->back += other->back;
	memcpy((double *) kept_back(state), kept_back(other), sizeof(double) * other->back);
	return state;
}

static void
write_values(ByteWriter *w, const double *value, int64 n)
{
	for (int64 i = 0; i < n; i++)
	{
		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		put_f64(w, value[i]);
	}
}

static void
kept_write(const void *state, ByteWriter *w)
{
	const KeptState *kept = state;

	put_u64(w, (uint64) kept->front);
	write_values(w, kept->value, kept->front);
	write_values(w, kept_back(kept), kept->back);
}

static KeptState *
kept_read(const StateKind *kind, ByteReader *r, int64 n)
{
	uint64		front = get_u64(r);
	KeptState  *state;

	if (front > (uint64) n)
		damaged(r, "More rows are positive than there are rows.");
	if (n > (r->end - r->at) / (int64) sizeof(double))
		damaged(r, "It ends before its last value.");
	state = kept_new(kind, n);
	state->front = (int64) front;
	state->back = n - state->front;
	for (int64 i = 0; i < n; i++)
	{
		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		state->value[i] = get_f64(r);
		if (isnan(state->value[i]))
			damaged(r, "A value is NaN.");
	}
	return state;
}

/* ---- ml.score_state ---- */

static void *score_read(ByteReader *r, int64 n);
static void *score_merge(void *state, const void *other);

static const StateKind score_kind = {"ml.score_state", 0x4d530001, kept_write, score_read, score_merge};

static void *
score_read(ByteReader *r, int64 n)
{
	return kept_read(&score_kind, r, n);
}

static void *
score_merge(void *state, const void *other)
{
	return kept_merge(&score_kind, state, other);
}

STATE_TYPE_FUNCTIONS(score_state, &score_kind)

PG_FUNCTION_INFO_V1(ml_score_add_boolean);
Datum
ml_score_add_boolean(PG_FUNCTION_ARGS)
{
	bool		missing = PG_ARGISNULL(1) || PG_ARGISNULL(2);

	return kept_row(fcinfo, &score_kind, missing, !missing && PG_GETARG_BOOL(1), missing ? 0 : PG_GETARG_FLOAT8(2));
}

PG_FUNCTION_INFO_V1(ml_score_add_bigint);
Datum
ml_score_add_bigint(PG_FUNCTION_ARGS)
{
	bool		missing = PG_ARGISNULL(1) || PG_ARGISNULL(2);

	return kept_row(fcinfo, &score_kind, missing, !missing && truth_of_bigint(PG_GETARG_INT64(1)), missing ? 0 : PG_GETARG_FLOAT8(2));
}

static void
rank_values(RankedScores *scores, const double *value, int64 n, bool positive)
{
	for (int64 i = 0; i < n; i++)
	{
		if ((i & INTERRUPT_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		scores_add(scores, value[i], positive);
	}
}

static Datum
score_final(FunctionCallInfo fcinfo, Measure (*measure) (const RankedScores *))
{
	const KeptState *state = state_argument(fcinfo, 0, &score_kind);
	RankedScores scores;
	Measure		result;

	scores_init(&scores, state->front + state->back);
	rank_values(&scores, state->value, state->front, true);
	rank_values(&scores, kept_back(state), state->back, false);
	scores_sort(&scores);
	result = measure(&scores);
	scores_free(&scores);
	return measure_datum(fcinfo, result);
}

PG_FUNCTION_INFO_V1(ml_roc_auc_final);
Datum
ml_roc_auc_final(PG_FUNCTION_ARGS)
{
	return score_final(fcinfo, scores_roc_auc);
}

PG_FUNCTION_INFO_V1(ml_average_precision_final);
Datum
ml_average_precision_final(PG_FUNCTION_ARGS)
{
	return score_final(fcinfo, scores_average_precision);
}

/* ---- ml.residual_state ---- */

static void *residual_read(ByteReader *r, int64 n);
static void *residual_merge(void *state, const void *other);

static const StateKind residual_kind = {"ml.residual_state", 0x4d520001, kept_write, residual_read, residual_merge};

static void *
residual_read(ByteReader *r, int64 n)
{
	KeptState  *state = kept_read(&residual_kind, r, n);

	if (state->back > 0)
		damaged(r, "A residual is kept as if it were negative.");
	return state;
}

static void *
residual_merge(void *state, const void *other)
{
	return kept_merge(&residual_kind, state, other);
}

STATE_TYPE_FUNCTIONS(residual_state, &residual_kind)

PG_FUNCTION_INFO_V1(ml_residual_add);
Datum
ml_residual_add(PG_FUNCTION_ARGS)
{
	bool		missing = PG_ARGISNULL(1) || PG_ARGISNULL(2);

	return kept_row(fcinfo, &residual_kind, missing, true, missing ? 0 : fabs(PG_GETARG_FLOAT8(1) - PG_GETARG_FLOAT8(2)));
}

PG_FUNCTION_INFO_V1(ml_median_absolute_error_final);
Datum
ml_median_absolute_error_final(PG_FUNCTION_ARGS)
{
	const KeptState *state = state_argument(fcinfo, 0, &residual_kind);
	Budget		budget = {(Size) relearn_max_memory * 1024, 0};
	Size		size = sizeof(double) * (Size) state->front;
	double	   *absolute;
	Measure		result;

	budget_take(&budget, size, "the median of the errors");
	absolute = palloc_extended(size, MCXT_ALLOC_HUGE);
	memcpy(absolute, state->value, size);	/* the median permutes, the state must stay */
	result = residual_median(absolute, state->front);
	pfree(absolute);
	return measure_datum(fcinfo, result);
}
