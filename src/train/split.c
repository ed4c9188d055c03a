/*
 * split.c
 *		The split argument of ml.train, and ml.split, which says on which side of it a key falls.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "core/hash.h"
#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_split);

static const char *const part_names[NPARTS] = {"train", "validation", "test"};

/* ---- the argument ---- */

typedef struct SplitState
{
	SplitRule *rule;
	bool		shares_only;
	bool		share_given;
} SplitState;

static bool
share_field(const char *key, const JsonbValue *value, SplitState *state)
{
	for (int p = 0; p < NPARTS; p++)
	{
		double	   *share = &state->rule->share[p];

		if (strcmp(key, part_names[p]) != 0)
			continue;
		*share = json_number(key, value);
		if (!(*share >= 0 && *share <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the split share of \"%s\" must lie between 0 and 1", key)));
		state->share_given = true;
		return true;
	}
	return false;
}

/* true, false, or the column to stratify by. */
static void
stratify_field(const JsonbValue *value, SplitRule *rule)
{
	if (value->type != jbvBool)
		rule->stratify = json_text("stratify", value);
	rule->stratified = value->type != jbvBool || value->val.boolean;
}

/* An interval as text, or a number in the unit of a numeric time column. */
static char *
gap_text(const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return json_text("gap", value);
}

static void
split_field(const char *key, JsonbValue *value, void *argument)
{
	SplitState *state = argument;
	SplitRule  *rule = state->rule;

	if (share_field(key, value, state) || (value->type == jbvNull && !state->shares_only))
		return;
	if (state->shares_only)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("split has no part \"%s\"", key),
				 errhint("The parts are train, validation and test.")));
	if (strcmp(key, "stratify") == 0)
		stratify_field(value, rule);
	else if (strcmp(key, "group") == 0)
		rule->group = json_text(key, value);
	else if (strcmp(key, "gap") == 0)
		rule->gap = gap_text(value);
	else if (strcmp(key, "unlock") == 0)
		rule->unlock = json_bool(key, value);
	else
	{
		static const char *const names[] = {"train", "validation", "test", "stratify", "group", "gap", "unlock"};
		const char *sorted[lengthof(names)];

		memcpy(sorted, names, sizeof(names));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("split has no part or option \"%s\"", key),
				 errhint("%s", valid_names_hint(key, sorted, lengthof(names), "names"))));
	}
}

/* False where no share is named. */
static bool
parse_split(Jsonb *json, SplitRule *rule, bool shares_only)
{
	static const double default_share[NPARTS] = {0.70, 0.15, 0.15};
	SplitState	state = {rule, shares_only, false};
	double		sum;

	memset(rule->share, 0, sizeof(rule->share));
	if (json != NULL)
		each_field(&json->root, "split", split_field, &state);
	if (!state.share_given)
		memcpy(rule->share, default_share, sizeof(default_share));
	sum = rule->share[PART_TRAIN] + rule->share[PART_VALIDATION] + rule->share[PART_TEST];
	if (fabs(sum - 1) > 1e-6 || rule->share[PART_TRAIN] <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the shares of split must add up to 1 with some rows to train"),
				 errdetail("They add up to %g, of it train %g.", sum, rule->share[PART_TRAIN]),
				 errhint("For example split => '{\"train\": 0.8, \"validation\": 0, \"test\": 0.2}'.")));
	return state.share_given;
}

static void
refuse_combination(const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", problem),
			 errhint("%s", hint)));
}

bool
split_parse(Jsonb *json, SplitRule *rule)
{
	bool		share_given = parse_split(json, rule, false);

	if (rule->gap != NULL && rule->time == NULL)
		refuse_combination("the gap of split is one in time", "Name the column of the times as time_column.");
	if (rule->group != NULL && rule->time != NULL)
		refuse_combination("rows cannot be split both by group and by time",
						   "A group may have rows before and after the cut. Leave out time_column or the group.");
	if (rule->stratified && rule->time != NULL)
		refuse_combination("rows cannot be split both by time and stratified",
						   "The cut in time decides how many rows of each class are on either side. Leave out time_column or stratify.");
	return share_given;
}

/* ---- from the argument to the rows and back ---- */

void
split_request(const SplitRule *rule, const SplitRule *locked, FrameRequest *request)
{
	memcpy(request->share, rule->share, sizeof(rule->share));
	request->group = rule->group;
	request->stratified = rule->stratified;
	request->stratify = rule->stratify;
	request->gap = rule->gap;
	if (locked == NULL)
		return;
	request->locked = true;
	request->nbounds = locked->nstrata;
	request->bounds = locked->strata;
	request->times = locked->times.kind != 0 ? &locked->times : NULL;
	request->same_shares = registry_same_shares(rule, locked);
}

static uint64
fold_text(uint64 hash, const char *text)
{
	return hash_fold(hash, hash_text(text, strlen(text), 0));
}

static uint64
fold_column(uint64 hash, const FrameColumn *column)
{
	return hash_fold(fold_text(hash, column->name), column->kind);
}

/* What the content of a row consists of: cells of instants are local times. */
static char *
content_columns(const Frame *frame, const char *time_zone)
{
	uint64		hash = fold_column(frame->has_weight, &frame->target);

	for (int i = 0; i < frame->ncolumns; i++)
	{
		hash = fold_column(hash, &frame->columns[i]);
		if (strcmp(frame->columns[i].type_name, "timestamp with time zone") == 0)
			hash = fold_text(hash, time_zone);
	}
	return psprintf("%016llx", (unsigned long long) hash);
}

static bool
has_stratum(const SplitRule *rule, const char *label)
{
	for (int i = 0; i < rule->nstrata; i++)
	{
		const char *found = rule->strata[i].label;

		if (label != NULL && found != NULL ? strcmp(label, found) == 0 : label == found)
			return true;
	}
	return false;
}

/* Those locked keep their bounds and their order, without a row this time too; others come behind them. */
static void
join_strata(const Frame *frame, const SplitRule *locked, SplitRule *rule)
{
	Stratum    *strata = palloc(sizeof(Stratum) * (frame->nstrata + locked->nstrata + 1));
	int			n = locked->nstrata;

	memcpy(strata, locked->strata, sizeof(Stratum) * n);
	for (int i = 0; i < frame->nstrata; i++)
		if (!has_stratum(locked, frame->strata[i].label))
			strata[n++] = frame->strata[i];
	rule->nstrata = n;
	rule->strata = strata;
}

void
split_found(const Frame *frame, const char *time_zone, const SplitRule *locked, SplitRule *rule)
{
	rule->nstrata = frame->nstrata;
	rule->strata = frame->strata;
	if (locked != NULL && rule->nstrata > 0)
		join_strata(frame, locked, rule);
	rule->times = frame->times;
	rule->source = frame->source;
	if (frame->by_content)
		rule->columns = content_columns(frame, time_zone);
}

static bool
same_column(const char *a, const char *b)
{
	return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

char *
split_moved(const Frame *frame, const SplitRule *rule, const SplitRule *locked)
{
	const char *placed = rule->key || rule->group ? "rows without a key are placed" : "rows are placed";

	if (frame->ungrouped && !same_column(rule->key, locked->key))
		return psprintf("rows without a group are placed by their key or content, and the version before had %s%s as key: rows held out then may train now; "
						"give each a group to keep every row on its side", locked->key ? "column " : "no column", locked->key ? locked->key : "");
	if (rule->columns == NULL || locked->columns == NULL || strcmp(rule->columns, locked->columns) == 0)
		return NULL;
	return psprintf("%s by their content, and its columns or their time zone are not those of the version before: rows held out then may train now; "
					"%s to keep every row on its side", placed, rule->key || rule->group ? "give each a key" : "name a key");
}

/* ---- ml.split ---- */

/* What stays the same from row to row. */
typedef struct SplitCall
{
	CellReader	reader;
	bool		cstring;		/* the key is a literal without a type */
	Jsonb	   *json;			/* parsed last */
	double		bound[NPARTS - 1];
} SplitCall;

static SplitCall *
split_call(FunctionCallInfo fcinfo)
{
	SplitCall  *call = fcinfo->flinfo->fn_extra;
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	ColumnKind	kind;

	if (call != NULL)
		return call;
	call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SplitCall));
	call->cstring = type == UNKNOWNOID;
	if (!call->cstring)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (!OidIsValid(type) || !kind_of_type(type, &kind) || !cell_reader_init(&call->reader, type, KIND_CATEGORY, NULL))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a value of type %s cannot be the key of a split", OidIsValid(type) ? format_type_be(type) : "unknown"),
					 errhint("Cast it to text.")));
		MemoryContextSwitchTo(caller);
	}
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/* The shares hardly ever change from row to row. */
static void
take_shares(SplitCall *call, Jsonb *json, MemoryContext context)
{
	SplitRule	rule = {0};

	if (call->json != NULL && VARSIZE(call->json) == VARSIZE(json) && memcmp(call->json, json, VARSIZE(json)) == 0)
		return;
	parse_split(json, &rule, true);
	split_bounds(rule.share, call->bound);
	if (call->json != NULL)
		pfree(call->json);
	call->json = MemoryContextAlloc(context, VARSIZE(json));
	memcpy(call->json, json, VARSIZE(json));
}

/* As load_row and split_by_hash in the data room place a row by its key. */
Datum
ml_split(PG_FUNCTION_ARGS)
{
	SplitCall  *call = split_call(fcinfo);
	const char *text;
	int			length;
	double		place;
	Part		part;

	take_shares(call, PG_GETARG_JSONB_P(2), fcinfo->flinfo->fn_mcxt);
	if (call->cstring)
	{
		text = PG_GETARG_CSTRING(0);
		length = (int) strlen(text);
	}
	else
		text = cell_text(&call->reader, PG_GETARG_DATUM(0), &length);
	place = split_fraction(split_seed(PG_GETARG_INT64(1)), text, length);
	part = place < call->bound[0] ? PART_TRAIN : place < call->bound[1] ? PART_VALIDATION : PART_TEST;
	PG_RETURN_TEXT_P(cstring_to_text(part_names[part]));
}
