/*
 * sketch.c
 *		The type ml.sketch: what sketches of numbers and of texts have in common, and the transition functions.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "profile/profile_internal.h"

#define FIRST_HEAP 512

Sketch *
sketch_new(ColumnKind kind)
{
	if (kind == KIND_CATEGORY)
		return &text_new(TEXT_FEWEST_SLOTS, FIRST_HEAP, true)->base;
	return &number_new(kind, DISTRIBUTION_FEWEST_SLOTS, true)->base;
}

Size
sketch_largest(ColumnKind kind)
{
	if (kind == KIND_CATEGORY)
		return TEXT_FIXED + frequent_size(TEXT_MOST_SLOTS) + HLL_REGISTERS + TEXT_MOST_HEAP;
	return NUMBER_FIXED + distribution_size(DISTRIBUTION_MOST_SLOTS) + HLL_REGISTERS + frequent_size(NUMBER_COUNTERS);
}

/* ---- the state type ---- */

int64
get_tally(ByteReader *r, int64 most)
{
	uint64		count = get_u64(r);

	if (count > (uint64) most)
		damaged(r, "A count is out of range.");
	return (int64) count;
}


static void
write_sketch(const void *state, ByteWriter *w)
{
	const Sketch *sketch = state;

	put_u8(w, (uint8) sketch->kind);
	put_u8(w, (uint8) sketch->exact);
	if (sketch->kind == KIND_CATEGORY)
		text_write((const TextSketch *) sketch, w);
	else
		number_write((const NumberSketch *) sketch, w);
}

static void *
read_sketch(ByteReader *r, int64 n)
{
	uint8		kind = get_u8(r);
	uint8		exact = get_u8(r);

	if (kind < KIND_NUMBER || kind > KIND_INTERVAL || exact > 1)
		damaged(r, "The kind of its values is not known.");
	return kind == KIND_CATEGORY ? (void *) text_read(r, exact, n) : (void *) number_read(r, (ColumnKind) kind, exact, n);
}

static void *
merge_sketches(void *state, const void *other)
{
	Sketch	   *sketch = state;
	const Sketch *more = other;

	if (sketch->kind != more->kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot merge a sketch of kind %s with one of kind %s",
						kind_name((ColumnKind) sketch->kind), kind_name((ColumnKind) more->kind))));
	return sketch->kind == KIND_CATEGORY ? (void *) text_merge(state, other) : (void *) number_merge(state, other);
}

const StateKind sketch_kind = {"ml.sketch", 0x534b0002, write_sketch, read_sketch, merge_sketches};

STATE_TYPE_FUNCTIONS(sketch, &sketch_kind)

/* ---- rows ---- */

static Sketch *
sketch_argument(FunctionCallInfo fcinfo, ColumnKind kind)
{
	Sketch	   *sketch = state_in_place(fcinfo, &sketch_kind);

	if (sketch == NULL)
		return sketch_new(kind);
	if (sketch->kind != (int32) kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot add a value of kind %s to a sketch of kind %s", kind_name(kind), kind_name((ColumnKind) sketch->kind))));
	return sketch;
}

/* An infinite date is NaN. */
static Datum
add_number(FunctionCallInfo fcinfo, ColumnKind kind, double value)
{
	Sketch	   *sketch = sketch_argument(fcinfo, kind);

	if (!PG_ARGISNULL(1))
		PG_RETURN_POINTER(sketch_add_numbers(sketch, &value, 1));
	sketch->header.missing++;
	PG_RETURN_POINTER(sketch);
}

PG_FUNCTION_INFO_V1(ml_sketch_add_number);
Datum
ml_sketch_add_number(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, KIND_NUMBER, PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1));
}

PG_FUNCTION_INFO_V1(ml_sketch_add_boolean);
Datum
ml_sketch_add_boolean(PG_FUNCTION_ARGS)
{
	return add_number(fcinfo, KIND_BOOLEAN, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1) ? 1 : 0);
}

PG_FUNCTION_INFO_V1(ml_sketch_add_date);
Datum
ml_sketch_add_date(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1);

	return add_number(fcinfo, KIND_TIMESTAMP, DATE_NOT_FINITE(date) ? NAN : (double) date * USECS_PER_DAY);
}

/* Both kinds of timestamps: a timestamptz is taken in UTC. */
PG_FUNCTION_INFO_V1(ml_sketch_add_timestamp);
Datum
ml_sketch_add_timestamp(PG_FUNCTION_ARGS)
{
	Timestamp	timestamp = PG_ARGISNULL(1) ? 0 : PG_GETARG_TIMESTAMP(1);

	return add_number(fcinfo, KIND_TIMESTAMP, TIMESTAMP_NOT_FINITE(timestamp) ? NAN : (double) timestamp);
}

PG_FUNCTION_INFO_V1(ml_sketch_add_text);
Datum
ml_sketch_add_text(PG_FUNCTION_ARGS)
{
	Sketch	   *sketch = sketch_argument(fcinfo, KIND_CATEGORY);
	text	   *value;

	if (PG_ARGISNULL(1))
	{
		sketch->header.missing++;
		PG_RETURN_POINTER(sketch);
	}
	value = PG_GETARG_TEXT_PP(1);
	PG_RETURN_POINTER(sketch_add_text(sketch, VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value)));
}

/* ---- what it says ---- */

void
sketch_statistics(const Sketch *sketch, SketchStatistics *statistics)
{
	*statistics = (SketchStatistics) {
		.n = sketch->header.n + sketch->header.missing,
		.mean = NAN, .sd = NAN, .min = NAN, .max = NAN, .skewness = NAN, .kurtosis = NAN, .mean_length = NAN, .largest_gap = NAN,
		.shortest = -1, .longest = -1, .gap_exact = true
	};
	if (sketch->kind == KIND_CATEGORY)
		text_statistics((const TextSketch *) sketch, statistics);
	else
		number_statistics((const NumberSketch *) sketch, statistics);
	statistics->nulls = sketch->header.missing - statistics->nan;
	if (sketch->kind == KIND_TIMESTAMP) /* infinite dates are kept as NaN */
	{
		statistics->infinite = statistics->nan;
		statistics->nan = 0;
	}
	statistics->distinct = fmin(rint(statistics->distinct), (double) sketch->header.n);
}

TopValue *
sketch_top(const Sketch *sketch, int most, int *count, int64 *error)
{
	if (sketch->kind == KIND_CATEGORY)
		return text_top((const TextSketch *) sketch, most, count, error);
	return number_top((const NumberSketch *) sketch, most, count, error);
}

DistributionBin *
sketch_bins(const Sketch *sketch, int *count)
{
	const Distribution *bins = number_bins((const NumberSketch *) sketch);

	Assert(sketch->kind != KIND_CATEGORY);
	*count = bins->used;
	return distribution_sorted(bins);
}

SketchFormat *
sketch_formats(const Sketch *sketch, int *count)
{
	FormatCount counts[TEXT_FORMATS];
	int			n = sketch->kind == KIND_CATEGORY ? text_formats((const TextSketch *) sketch, counts) : 0;
	SketchFormat *format = palloc(sizeof(SketchFormat) * Max(n, 1));

	for (int i = 0; i < n; i++)
		format[i] = (SketchFormat) {text_format_name((int) counts[i].format), counts[i].count};
	*count = n;
	return format;
}

bool
sketch_has_hash(const Sketch *sketch, uint64 hash)
{
	Assert(sketch->kind == KIND_CATEGORY);
	return frequent_find(text_frequent((const TextSketch *) sketch), hash)->count != 0;
}
