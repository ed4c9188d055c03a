/*
 * sum_state.c
 *		States of fixed size: ml.probability_state (log_loss, brier) and ml.error_state (mae, mse, rmse, mape, r2).
 */
#include "postgres.h"

#include "metrics/metrics_internal.h"

typedef struct ProbabilityState
{
	StateHeader header;
	ProbabilitySums sums;
} ProbabilityState;

typedef struct ErrorState
{
	StateHeader header;
	ErrorSums	sums;
} ErrorState;

static void
write_sum(ByteWriter *w, const Sum *sum)
{
	put_f64(w, sum->total);
	put_f64(w, sum->correction);
}

static Sum
read_sum(ByteReader *r)
{
	Sum			sum;

	sum.total = get_f64(r);
	sum.correction = get_f64(r);
	return sum;
}

/* A sum of terms none of which is negative; may be infinite. */
static Sum
read_positive_sum(ByteReader *r)
{
	Sum			sum = read_sum(r);

	if (sum.total < 0)
		damaged(r, "A sum of squares or absolute values is negative.");
	return sum;
}

/* ---- ml.probability_state ---- */

static void
probability_write(const void *state, ByteWriter *w)
{
	const ProbabilitySums *sums = &((const ProbabilityState *) state)->sums;

	write_sum(w, &sums->surprise);
	write_sum(w, &sums->square);
}

static void *probability_read(ByteReader *r, int64 n);

static void *
probability_merge(void *state, const void *other)
{
	ProbabilitySums *sums = &((ProbabilityState *) state)->sums;
	const ProbabilitySums *more = &((const ProbabilityState *) other)->sums;

	sums->n += more->n;
	sum_merge(&sums->surprise, &more->surprise);
	sum_merge(&sums->square, &more->square);
	return state;
}

static const StateKind probability_kind = {
	"ml.probability_state", 0x4d500001, probability_write, probability_read, probability_merge
};

static void *
probability_read(ByteReader *r, int64 n)
{
	ProbabilityState *state = state_new(&probability_kind, sizeof(ProbabilityState));

	state->sums.n = n;
	state->sums.surprise = read_positive_sum(r);
	state->sums.square = read_positive_sum(r);
	return state;
}

STATE_TYPE_FUNCTIONS(probability_state, &probability_kind)

/* One more row: the truth is 1 or 0, the probability is that of 1. */
static Datum
probability_row(FunctionCallInfo fcinfo, bool missing, bool truth, double probability)
{
	ProbabilityState *state = state_in_place(fcinfo, &probability_kind);

	if (state == NULL)
		state = state_new(&probability_kind, sizeof(ProbabilityState));
	if (missing || isnan(probability))
	{
		state->header.missing++;
		PG_RETURN_POINTER(state);
	}
	if (!(probability >= 0 && probability <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%g is no probability", probability),
				 errdetail("A probability of the positive class lies between 0 and 1.")));
	state->header.n++;
	probability_add(&state->sums, truth ? probability : 1 - probability);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(ml_probability_add_boolean);
Datum
ml_probability_add_boolean(PG_FUNCTION_ARGS)
{
	bool		missing = PG_ARGISNULL(1) || PG_ARGISNULL(2);

	return probability_row(fcinfo, missing, !missing && PG_GETARG_BOOL(1), missing ? 0 : PG_GETARG_FLOAT8(2));
}

PG_FUNCTION_INFO_V1(ml_probability_add_bigint);
Datum
ml_probability_add_bigint(PG_FUNCTION_ARGS)
{
	bool		missing = PG_ARGISNULL(1) || PG_ARGISNULL(2);

	return probability_row(fcinfo, missing, !missing && truth_of_bigint(PG_GETARG_INT64(1)), missing ? 0 : PG_GETARG_FLOAT8(2));
}

static Datum
probability_final(FunctionCallInfo fcinfo, Measure (*measure) (const ProbabilitySums *))
{
	const ProbabilityState *state = state_argument(fcinfo, 0, &probability_kind);

	return measure_datum(fcinfo, measure(&state->sums));
}

PG_FUNCTION_INFO_V1(ml_log_loss_final);
Datum
ml_log_loss_final(PG_FUNCTION_ARGS)
{
	return probability_final(fcinfo, probability_log_loss);
}

PG_FUNCTION_INFO_V1(ml_brier_final);
Datum
ml_brier_final(PG_FUNCTION_ARGS)
{
	return probability_final(fcinfo, probability_brier);
}

/* ---- ml.error_state ---- */

static void
error_write(const void *state, ByteWriter *w)
{
	const ErrorSums *sums = &((const ErrorState *) state)->sums;

	put_u64(w, (uint64) sums->zeros);
	write_sum(w, &sums->absolute);
	write_sum(w, &sums->square);
	write_sum(w, &sums->relative);
	put_f64(w, sums->mean);
	put_f64(w, sums->spread);
}

static void *error_read(ByteReader *r, int64 n);

static void *
error_merge_states(void *state, const void *other)
{
	error_merge(&((ErrorState *) state)->sums, &((const ErrorState *) other)->sums);
	return state;
}

static const StateKind error_kind = {"ml.error_state", 0x4d450001, error_write, error_read, error_merge_states};

static void *
error_read(ByteReader *r, int64 n)
{
	ErrorState *state = state_new(&error_kind, sizeof(ErrorState));
	uint64		zeros = get_u64(r);

	if (zeros > (uint64) n)
		damaged(r, "More truths are 0 than there are rows.");
	state->sums.n = n;
	state->sums.zeros = (int64) zeros;
	state->sums.absolute = read_positive_sum(r);
	state->sums.square = read_positive_sum(r);
	state->sums.relative = read_positive_sum(r);
	state->sums.mean = get_f64(r);
	state->sums.spread = get_f64(r);
	if (state->sums.spread < 0)
		damaged(r, "A sum of squares is negative.");
	return state;
}

STATE_TYPE_FUNCTIONS(error_state, &error_kind)

PG_FUNCTION_INFO_V1(ml_error_add);
Datum
ml_error_add(PG_FUNCTION_ARGS)
{
	ErrorState *state = state_in_place(fcinfo, &error_kind);

	if (state == NULL)
		state = state_new(&error_kind, sizeof(ErrorState));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || isnan(PG_GETARG_FLOAT8(1)) || isnan(PG_GETARG_FLOAT8(2)))
		state->header.missing++;
	else
	{
		state->header.n++;
		error_add(&state->sums, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));
	}
	PG_RETURN_POINTER(state);
}

static Datum
error_final(FunctionCallInfo fcinfo, Measure (*measure) (const ErrorSums *))
{
	const ErrorState *state = state_argument(fcinfo, 0, &error_kind);

	return measure_datum(fcinfo, measure(&state->sums));
}

PG_FUNCTION_INFO_V1(ml_mae_final);
Datum
ml_mae_final(PG_FUNCTION_ARGS)
{
	return error_final(fcinfo, error_mae);
}

PG_FUNCTION_INFO_V1(ml_mse_final);
Datum
ml_mse_final(PG_FUNCTION_ARGS)
{
	return error_final(fcinfo, error_mse);
}

PG_FUNCTION_INFO_V1(ml_rmse_final);
Datum
ml_rmse_final(PG_FUNCTION_ARGS)
{
	return error_final(fcinfo, error_rmse);
}

PG_FUNCTION_INFO_V1(ml_mape_final);
Datum
ml_mape_final(PG_FUNCTION_ARGS)
{
	return error_final(fcinfo, error_mape);
}

PG_FUNCTION_INFO_V1(ml_r2_final);
Datum
ml_r2_final(PG_FUNCTION_ARGS)
{
	return error_final(fcinfo, error_r2);
}
