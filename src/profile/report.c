/*
 * report.c
 *		A sketch as a row of statistics, and what it may be read as: the accessors of ml.sketch.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "profile/profile_internal.h"

#define TOP_SHOWN 10
#define PICTURE_BARS 20

/* ---- the role ---- */

#define KEY_ROWS 20				/* fewer rows may differ by chance */
#define KEY_SHARE 0.97			/* of distinct values, where they are estimated */
#define PARSED_SHARE 0.95		/* of texts that read as numbers or times */
#define FEW_NUMBERS 5			/* integers that are few enough to be categories */
#define ROWS_PER_NUMBER 10
#define FEW_TEXTS 50
#define LONG_TEXT 64			/* characters on average */

static bool
is_unique(const Sketch *sketch, const SketchStatistics *s)
{
	if (s->nulls + s->nan + s->empty > 0 || s->n <= KEY_ROWS)
		return false;
	return s->distinct >= (sketch->exact ? 1.0 : KEY_SHARE) * (double) s->n;
}

static const char *
text_role(const Sketch *sketch, const SketchStatistics *s)
{
	double		readable = (double) (sketch->header.n - s->empty - s->sentinels);

	if (is_unique(sketch, s) && s->mean_length <= LONG_TEXT)
		return "key";
	if (readable > 0 && (double) s->as_number >= PARSED_SHARE * readable)
		return "number";
	if (readable > 0 && (double) (s->as_date + s->as_timestamp + s->as_time) >= PARSED_SHARE * readable)
		return "time";
	if (s->mean_length > LONG_TEXT || (s->distinct > FEW_TEXTS && s->distinct > 0.5 * (double) sketch->header.n))
		return "text";
	return "category";
}

const char *
report_role(const Sketch *sketch)
{
	SketchStatistics s;

	sketch_statistics(sketch, &s);
	if (sketch->header.n == 0)
		return "empty";
	if (s.distinct <= 1 && sketch->header.missing == 0)
		return "constant";
	switch ((ColumnKind) sketch->kind)
	{
		case KIND_CATEGORY:
		case KIND_TEXT:
			return text_role(sketch, &s);
		case KIND_BOOLEAN:
			return "boolean";
		case KIND_TIMESTAMP:
		case KIND_TIME:
			return "time";
		case KIND_INTERVAL:
		case KIND_NUMBER:
			break;
	}
	if (s.fractions > 0 || s.infinite > 0)
		return "number";
	if (is_unique(sketch, &s))
		return "key";
	return s.distinct <= FEW_NUMBERS && (double) sketch->header.n >= ROWS_PER_NUMBER * s.distinct ? "category" : "number";
}

/* ---- parts of the row ---- */

static const char *const quantile_names[] = {"p05", "p25", "median", "p75", "p95"};
static const char *const quantile_time_names[] = {"p05_time", "p25_time", "median_time", "p75_time", "p95_time"};
static const double quantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

static Datum
json_datum(const char *json)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

static void
append_value(StringInfo json, const Sketch *sketch, const TopValue *top)
{
	const char *text = top->text ? top->text : number_text((ColumnKind) sketch->kind, top->number);

	if (sketch->kind == KIND_BOOLEAN || (sketch->kind != KIND_CATEGORY && sketch->kind != KIND_TIMESTAMP && isfinite(top->number)))
		appendStringInfoString(json, text);
	else
		escape_json(json, text);
}

/* NULL has its place among the values, and shares are of all rows. */
static Datum
top_values(const Sketch *sketch, const SketchStatistics *s)
{
	int			n;
	int64		error;
	TopValue   *top = sketch_top(sketch, TOP_SHOWN, &n, &error);
	StringInfoData json;
	bool		null_shown = s->nulls == 0;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int i = 0; i < n || !null_shown;)
	{
		bool		null = !null_shown && (i == n || s->nulls >= top[i].count);
		int64		count = null ? s->nulls : top[i].count;

		appendStringInfo(&json, "%s{\"value\": ", json.len > 1 ? ", " : "");
		if (null)
			appendStringInfoString(&json, "null");
		else
			append_value(&json, sketch, &top[i]);
		appendStringInfo(&json, ", \"count\": " INT64_FORMAT ", \"share\": %.4f", count, (double) count / (double) s->n);
		if (!null && error > 0)
			appendStringInfo(&json, ", \"error\": " INT64_FORMAT, error);
		appendStringInfoChar(&json, '}');
		null_shown |= null;
		i += !null;
	}
	appendStringInfoChar(&json, ']');
	return json_datum(json.data);
}

/* {"name": count, ...}, one name after the other; the first opens the brace. */
static void
append_count(StringInfo json, const char *name, int64 count)
{
	appendStringInfoString(json, json->len ? ", " : "{");
	escape_json(json, name);
	appendStringInfo(json, ": " INT64_FORMAT, count);
}

/* NULL where nothing was appended. */
static void
add_counts(Cells *row, StringInfo json)
{
	if (json->len == 0)
	{
		cell_null(row);
		return;
	}
	appendStringInfoChar(json, '}');
	cell_datum(row, json_datum(json->data));
}

static void
add_formats(Cells *row, const Sketch *sketch)
{
	FormatCount formats[TEXT_FORMATS];
	int			n = sketch->kind == KIND_CATEGORY ? text_formats((const TextSketch *) sketch, formats) : 0;
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < n; i++)
		append_count(&json, text_format_name((int) formats[i].format), formats[i].count);
	add_counts(row, &json);
}

/* The values that stand for a missing one, with their counts: NULL where there are none. */
static void
add_sentinels(Cells *row, const Sketch *sketch)
{
	int			n;
	TopValue   *found = sketch_sentinels(sketch, &n);
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < n; i++)
		append_count(&json, found[i].text ? found[i].text : number_text((ColumnKind) sketch->kind, found[i].number), found[i].count);
	add_counts(row, &json);
}

static void
add_moment(Cells *row, const Sketch *sketch, double microseconds)
{
	if (sketch->kind == KIND_TIMESTAMP)
		cell_moment(row, microseconds);
	else
		cell_null(row);
}

/* The smallest, the quantiles, the largest. */
static void
add_moments(Cells *row, const Sketch *sketch, const SketchStatistics *s)
{
	double		value[lengthof(quantiles)];

	sketch_quantiles(sketch, quantiles, lengthof(quantiles), value);
	add_moment(row, sketch, s->min);
	for (int i = 0; i < (int) lengthof(quantiles); i++)
		add_moment(row, sketch, value[i]);
	add_moment(row, sketch, s->max);
}

static void
add_gap(Cells *row, const Sketch *sketch, double gap)
{
	Interval   *span = palloc0(sizeof(Interval));

	if (sketch->kind != KIND_TIMESTAMP || !(gap < PG_INT32_MAX * (double) USECS_PER_DAY))
	{
		cell_null(row);
		return;
	}
	span->day = (int32) floor(gap / (double) USECS_PER_DAY);
	span->time = (TimeOffset) (gap - span->day * (double) USECS_PER_DAY);
	cell_datum(row, IntervalPGetDatum(span));
}

/* Counts between equal steps from the smallest to the largest; where there are few values, one count each. */
static int
picture_counts(const NumberSketch *s, double *count)
{
	const Distribution *bins = number_bins(s);
	DistributionBin		   *bin = distribution_sorted(bins);
	int			n = bins->used;
	double		low = n > 0 ? bin[0].low : 0;
	double		high = n > 0 ? bin[n - 1].high : 0;
	double		before = 0;

	if (n <= PICTURE_BARS && s->base.exact)
	{
		for (int i = 0; i < n; i++)
			count[i] = (double) bin[i].count;
		return n;
	}
	for (int i = 0; i < PICTURE_BARS; i++)
	{
		double		share = (double) (i + 1) / PICTURE_BARS;
		double		below = i + 1 < PICTURE_BARS ? distribution_below(bin, n, low * (1 - share) + high * share) : (double) distribution_total(bin, n);

		count[i] = below - before;
		before = below;
	}
	return PICTURE_BARS;
}

static void
add_picture(Cells *row, const Sketch *sketch)
{
	double		count[PICTURE_BARS];
	int			n;

	if (sketch->kind == KIND_CATEGORY)
	{
		int64		error;
		TopValue   *top = sketch_top(sketch, TOP_SHOWN, &n, &error);

		for (int i = 0; i < n; i++)
			count[i] = (double) top[i].count;
	}
	else
		n = picture_counts((const NumberSketch *) sketch, count);
	cell_text_or_null(row, n > 0 ? picture_columns(count, n) : NULL);
}

/* The names of the columns whose values are estimates. */
static void
add_approximate(Cells *row, const Sketch *sketch, const SketchStatistics *s)
{
	const char *const *quantile_name = sketch->kind == KIND_TIMESTAMP ? quantile_time_names : quantile_names;
	Datum		name[lengthof(quantile_names) + 4];
	int			n = 0;

	if (!sketch->exact)
	{
		name[n++] = CStringGetTextDatum("distinct_count");
		if (sketch->kind != KIND_CATEGORY && sketch->kind != KIND_BOOLEAN)
			for (int i = 0; i < (int) lengthof(quantile_names); i++)
				name[n++] = CStringGetTextDatum(quantile_name[i]);
		name[n++] = CStringGetTextDatum("top_values");
		if (sketch->kind == KIND_TIMESTAMP && !s->gap_exact)
			name[n++] = CStringGetTextDatum("largest_gap");
		name[n++] = CStringGetTextDatum("histogram");
	}
	cell_datum(row, PointerGetDatum(construct_array(name, n, TEXTOID, -1, false, TYPALIGN_INT)));
}

static void
add_numbers(Cells *row, const Sketch *sketch, const SketchStatistics *s)
{
	bool		number = sketch->kind == KIND_NUMBER || sketch->kind == KIND_TIME || sketch->kind == KIND_INTERVAL;
	bool		boolean = sketch->kind == KIND_BOOLEAN;
	double		value[lengthof(quantiles)];

	sketch_quantiles(sketch, quantiles, lengthof(quantiles), value);
	cell_float(row, number || boolean ? s->mean : NAN);
	cell_float(row, number ? s->sd : NAN);
	cell_float(row, number ? s->min : NAN);
	for (int i = 0; i < (int) lengthof(quantiles); i++)
		cell_float(row, number ? value[i] : NAN);
	cell_float(row, number ? s->max : NAN);
	cell_float(row, number ? s->skewness : NAN);
	cell_float(row, number ? s->kurtosis : NAN);
	if (number)
	{
		cell_count(row, s->zeros);
		cell_count(row, s->negatives);
	}
	else
	{
		cell_null(row);
		cell_null(row);
	}
}

static void
add_texts(Cells *row, const Sketch *sketch, const SketchStatistics *s)
{
	bool		any = sketch->kind == KIND_CATEGORY && sketch->header.n > 0;
	double		readable = any && sketch->header.n > s->empty ? (double) (sketch->header.n - s->empty) : NAN;

	if (any)
		cell_datum(row, Int32GetDatum((int32) s->shortest));
	else
		cell_null(row);
	cell_float(row, s->mean_length);
	if (any)
		cell_datum(row, Int32GetDatum((int32) s->longest));
	else
		cell_null(row);
	cell_float(row, (double) s->as_number / readable);
	cell_float(row, (double) s->as_date / readable);
	cell_float(row, (double) s->as_timestamp / readable);
	add_formats(row, sketch);
}

void
report_statistics(Cells *row, const Sketch *sketch)
{
	SketchStatistics s;

	sketch_statistics(sketch, &s);
	cell_count(row, s.n);
	cell_count(row, s.nulls);
	cell_count(row, s.nan);
	cell_count(row, s.infinite);
	cell_count(row, s.empty);
	cell_count(row, s.sentinels);
	add_sentinels(row, sketch);
	cell_count(row, (int64) s.distinct);
	cell_datum(row, BoolGetDatum(sketch->exact));
	add_numbers(row, sketch, &s);
	cell_datum(row, top_values(sketch, &s));
	add_texts(row, sketch, &s);
	add_moments(row, sketch, &s);
	add_gap(row, sketch, s.largest_gap);
	add_picture(row, sketch);
	add_approximate(row, sketch, &s);
}

/* ---- accessors ---- */

static const Sketch *
sketch_of(FunctionCallInfo fcinfo, int argument)
{
	return state_argument(fcinfo, argument, &sketch_kind);
}

static const NumberSketch *
numbers_of(FunctionCallInfo fcinfo, int argument)
{
	const Sketch *sketch = sketch_of(fcinfo, argument);

	if (sketch->kind == KIND_CATEGORY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the sketch is one of texts, expected one of numbers")));
	return (const NumberSketch *) sketch;
}

PG_FUNCTION_INFO_V1(ml_sketch_statistics);
Datum
ml_sketch_statistics(PG_FUNCTION_ARGS)
{
	const Sketch *sketch = sketch_of(fcinfo, 0);
	Cells		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	cell_text_or_null(&row, report_role(sketch));
	report_statistics(&row, sketch);
	cells_put(fcinfo, &row);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ml_sketch_quantile);
Datum
ml_sketch_quantile(PG_FUNCTION_ARGS)
{
	const NumberSketch *s = numbers_of(fcinfo, 0);
	double		p = PG_GETARG_FLOAT8(1);
	double		value;

	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a share of %g is not between 0 and 1", p)));
	sketch_quantiles(&s->base, &p, 1, &value);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

PG_FUNCTION_INFO_V1(ml_sketch_cdf);
Datum
ml_sketch_cdf(PG_FUNCTION_ARGS)
{
	const NumberSketch *s = numbers_of(fcinfo, 0);
	double		x = PG_GETARG_FLOAT8(1);
	double		n = (double) s->base.header.n;
	double		below = (double) s->infinite[0] + (x == INFINITY ? (double) s->infinite[1] : 0);
	DistributionBin		   *bin = distribution_sorted(number_bins(s));

	if (n == 0 || isnan(x))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((below + distribution_below(bin, number_bins(s)->used, x)) / n);
}

PG_FUNCTION_INFO_V1(ml_sketch_top);
Datum
ml_sketch_top(PG_FUNCTION_ARGS)
{
	const Sketch *sketch = sketch_of(fcinfo, 0);
	int			n;
	int64		error;
	TopValue   *top = sketch_top(sketch, Max(PG_GETARG_INT32(1), 0), &n, &error);
	Cells		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		cell_text_or_null(&row, top[i].text ? top[i].text : number_text((ColumnKind) sketch->kind, top[i].number));
		cell_count(&row, top[i].count);
		cell_float(&row, (double) top[i].count / (double) (sketch->header.n + sketch->header.missing));
		cell_count(&row, error);
		cells_put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---- how far two sketches lie apart ---- */

/* The largest difference of the shares below a value (Kolmogorov and Smirnov); it lies at an end of a bin. */
static double
distance_of_numbers(const NumberSketch *a, const NumberSketch *b)
{
	const NumberSketch *side[2] = {a, b};
	DistributionBin		   *bin[2] = {distribution_sorted(number_bins(a)), distribution_sorted(number_bins(b))};
	double		total[2],
				largest = 0;

	for (int i = 0; i < 2; i++)
		total[i] = (double) distribution_total(bin[i], number_bins(side[i])->used);
	if (total[0] == 0 || total[1] == 0)
		return NAN;
	for (int i = 0; i < 2; i++)
	{
		/* two walks in step: the counts of whole bins, then a part of the next one */
		const DistributionBin  *other = bin[1 - i];
		int			n = number_bins(side[1 - i])->used,
					at = 0;
		double		here = 0,
					there = 0;

		for (int j = 0; j < number_bins(side[i])->used; j++)
		{
			double		x = bin[i][j].high;
			double		part;

			here += (double) bin[i][j].count;
			while (at < n && other[at].high <= x)
				there += (double) other[at++].count;
			part = at < n ? distribution_below(other + at, 1, x) : 0;
			largest = fmax(largest, fabs(here / total[i] - (there + part) / total[1 - i]));
		}
	}
	return largest;
}

/* Half of the summed differences of shares; what neither has a counter for is taken to be the same. */
static double
distance_of_texts(const TextSketch *a, const TextSketch *b)
{
	const TextSketch *side[2] = {a, b};
	double		n[2] = {(double) a->base.header.n, (double) b->base.header.n};
	double		sum = 0;

	if (n[0] == 0 || n[1] == 0)
		return NAN;
	for (int i = 0; i < 2; i++)
	{
		Counter    *counter = frequent_sorted(text_frequent(side[i]));

		for (int j = 0; j < text_frequent(side[i])->used; j++)
		{
			double		other = (double) frequent_find(text_frequent(side[1 - i]), counter[j].key)->count;

			sum += fmax((double) counter[j].count / n[i] - other / n[1 - i], 0);
		}
	}
	return sum / 2;
}

PG_FUNCTION_INFO_V1(ml_sketch_distance);
Datum
ml_sketch_distance(PG_FUNCTION_ARGS)
{
	const Sketch *a = sketch_of(fcinfo, 0);
	const Sketch *b = sketch_of(fcinfo, 1);
	double		distance;

	if (a->kind != b->kind)
		PG_RETURN_NULL();
	if (a->kind == KIND_CATEGORY)
		distance = distance_of_texts((const TextSketch *) a, (const TextSketch *) b);
	else
		distance = distance_of_numbers((const NumberSketch *) a, (const NumberSketch *) b);
	if (isnan(distance))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(distance);
}
