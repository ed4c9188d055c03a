/*
 * aggregates.c
 *		What can be said of many rows at once.
 *
 * Sums of floating-point numbers are taken in the order of the values, so that neither the order of the rows nor the plan shows in the last
 * bits; integers and numerics are summed exactly by PostgreSQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "synthesis/synthesis_internal.h"

const Aggregate aggregates[NAGGREGATES] = {
	[AGG_COUNT] = {"count", "the number of {rows} rows", true, false, false},
	[AGG_SUM] = {"sum", "the sum of {x} over {rows} rows", true, false, false},
	[AGG_MEAN] = {"mean", "the mean of {x} over {rows} rows", false, false, false},
	[AGG_MIN] = {"min", "the least {x} of {rows} rows", false, false, false},
	[AGG_MAX] = {"max", "the greatest {x} of {rows} rows", false, false, false},
	[AGG_SD] = {"sd", "the sample standard deviation of {x} over {rows} rows", false, false, false},
	[AGG_TREND] = {"trend", "the slope per day of {x} over {rows} rows", false, true, false},
	[AGG_DISTINCT] = {"distinct", "the number of distinct values of {x} in {rows} rows", true, false, false},
	[AGG_MODE] = {"mode", "the most frequent {x} of {rows} rows", false, false, false},
	[AGG_LEVEL] = {"count", "the number of {rows} rows where {x} is {level}", true, false, false},
	[AGG_PERCENT_TRUE] = {"percent_true", "the share of {rows} rows where {x} is true", false, false, false},
	[AGG_LAST] = {"last", "the {x} of the last of {rows} rows", false, true, false},
	[AGG_DAYS_SINCE_LAST] = {"days_since_last", "the days from the last of {rows} rows to the cutoff", false, true, true},
	[AGG_DAYS_SINCE_FIRST] = {"days_since_first", "the days from the first of {rows} rows to the cutoff", false, true, true},
};

/* The same number comes along another path: sums, least and greatest values of rows further down are features of their own. */
static bool
says_nothing_new(AggregateKind kind, const Feature *base)
{
	if (base->over == NULL || !feature_is_aggregated(base))
		return false;
	switch (kind)
	{
		case AGG_SUM:
			return base->kind == AGG_SUM || base->kind == AGG_COUNT || base->kind == AGG_LEVEL;
		case AGG_MIN:
		case AGG_MAX:
		case AGG_SD:
		case AGG_LAST:
			return base->kind == kind;
		default:
			return false;
	}
}

bool
aggregate_takes(AggregateKind kind, const Feature *base)
{
	if (says_nothing_new(kind, base))
		return false;
	switch (kind)
	{
		case AGG_SUM:
		case AGG_MEAN:
		case AGG_MIN:
		case AGG_MAX:
		case AGG_SD:
		case AGG_TREND:
			return base->role == ROLE_NUMBER;
		case AGG_DISTINCT:
			return base->role == ROLE_CATEGORY || base->role == ROLE_ID;
		case AGG_MODE:
			return base->role == ROLE_CATEGORY;
		case AGG_LEVEL:
			return base->role == ROLE_CATEGORY && !feature_is_aggregated(base);
		case AGG_PERCENT_TRUE:
			return base->role == ROLE_BOOLEAN;
		case AGG_LAST:
			return base->role == ROLE_NUMBER || base->role == ROLE_BOOLEAN || base->role == ROLE_CATEGORY;
		default:
			return false;		/* of rows, not of a value */
	}
}

Oid
aggregate_type(AggregateKind kind, Oid type)
{
	switch (kind)
	{
		case AGG_COUNT:
		case AGG_LEVEL:
		case AGG_DISTINCT:
			return INT8OID;
		case AGG_SUM:
			if (type == INT2OID || type == INT4OID)
				return INT8OID;
			return type == FLOAT4OID || type == FLOAT8OID ? FLOAT8OID : NUMERICOID;
		case AGG_MIN:
		case AGG_MAX:
			return type == FLOAT4OID ? FLOAT8OID : type;
		case AGG_MODE:
		case AGG_LAST:
			return type;
		default:
			return FLOAT8OID;
	}
}

Role
aggregate_role(AggregateKind kind, Role role)
{
	return kind == AGG_MODE || kind == AGG_LAST ? role : ROLE_NUMBER;
}

bool
is_text_type(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/* A type by a name that no search path changes. */
char *
qualified_type(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY | FORMAT_TYPE_TYPEMOD_GIVEN);
}

/* What tells the values of a key or category apart, as text. */
char *
level_text(Oid type, const char *x)
{
	return is_text_type(type) ? pstrdup(x) : psprintf(type == NUMERICOID ? "trim_scale(%s)::text" : "%s::text", x);
}

static bool
is_float(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

static bool
has_nan(Oid type)
{
	return is_float(type) || type == NUMERICOID;
}

/* NaN is missing, as everywhere; float4 is read as float8, whose sums are better. */
char *
number_expression(Oid type, const char *x)
{
	if (type == FLOAT4OID)
		return psprintf("nullif(%s::float8, 'NaN')", x);
	return has_nan(type) ? psprintf("nullif(%s, 'NaN')", x) : pstrdup(x);
}

/* An aggregate of numbers; the order matters for floating-point ones only. */
static char *
number_call(const char *function, const Call *call, bool ordered, const char *cast)
{
	char	   *x = number_expression(call->type, call->x);

	if (ordered && is_float(call->type) && *call->over == '\0')
		return psprintf("%s(%s ORDER BY %s)%s", function, x, x, cast);
	if (*call->over && *cast)
		return psprintf("(%s(%s)%s)%s", function, x, call->over, cast);
	return psprintf("%s(%s)%s%s", function, x, call->over, cast);
}

/* A mean or deviation where infinite numbers leave none is NaN in PostgreSQL. */
static char *
moment_call(const char *function, const Call *call)
{
	char	   *moment = number_call(function, call, true, is_float(call->type) ? "" : "::float8");

	return has_nan(call->type) ? psprintf("nullif(%s, 'NaN')", moment) : moment;
}

/*
 * Of larger numbers regr_slope would fail: its squares overflow.  An infinite time leaves no slope.  The value is written as rarely as possible,
 * because in definitions it may be a subquery that has others in it.
 */
static char *
trend_call(const Call *call)
{
	const char *days = psprintf("extract(epoch FROM %s)::float8 / 86400", call->time);
	const char *y = psprintf("%s::float8", number_expression(call->type, call->x));
	const char *small = has_nan(call->type) ? psprintf("(CASE WHEN abs(%s) < 1e150 THEN %s END)::float8", call->x, call->x) : y;
	const char *order = *call->over ? "" : psprintf(" ORDER BY %s, %s", days, y);

	return psprintf("CASE WHEN regr_count(%s, %s)%s > 2 THEN nullif(regr_slope(%s, %s%s)%s, 'NaN') END",
					y, days, call->over, small, days, order, call->over);
}

static char *
since_call(const char *function, const Call *call)
{
	const char *filter = call->present ? psprintf(" FILTER (WHERE %s)", call->present) : "";

	return psprintf("(extract(epoch FROM %s) - extract(epoch FROM %s(%s)%s%s))::float8 / 86400", call->cutoff, function, call->time, filter, call->over);
}

static char *
count_call(const Call *call, const char *condition)
{
	if (condition == NULL)
		return psprintf("count(*)%s", call->over);
	return psprintf("count(*) FILTER (WHERE %s)%s", condition, call->over);
}

/* Mode, distinct and last values over a window have a form of their own, see query.c. */
char *
aggregate_call(AggregateKind kind, const Call *call)
{
	const char *collate = is_text_type(call->type) ? " COLLATE \"C\"" : "";

	switch (kind)
	{
		case AGG_COUNT:
			return count_call(call, call->present);
		case AGG_SUM:
			return number_call("sum", call, true, "");
		case AGG_MEAN:
			return moment_call("avg", call);
		case AGG_MIN:
			return number_call("min", call, false, "");
		case AGG_MAX:
			return number_call("max", call, false, "");
		case AGG_SD:
			return moment_call("stddev_samp", call);
		case AGG_TREND:
			return trend_call(call);
		case AGG_DISTINCT:
			return psprintf("count(DISTINCT %s%s)", call->x, collate);
		case AGG_MODE:
			if (is_text_type(call->type))
				return psprintf("mode() WITHIN GROUP (ORDER BY %s%s)", call->x, collate);
			return psprintf("(mode() WITHIN GROUP (ORDER BY %s COLLATE \"C\"))::%s", level_text(call->type, call->x), qualified_type(call->type));
		case AGG_LEVEL:
			return count_call(call, psprintf("%s = %s", call->x, quote_literal_cstr(call->level)));
		case AGG_PERCENT_TRUE:
			return psprintf("(%s)::float8 / nullif(%s, 0)", count_call(call, call->x), count_call(call, call->present));
		case AGG_DAYS_SINCE_LAST:
			return since_call("max", call);
		case AGG_DAYS_SINCE_FIRST:
			return since_call("min", call);
		case AGG_LAST:
			break;
	}
	elog(ERROR, "no call for aggregate %d", (int) kind);
}
