/*
 * locked.c
 *		Test rows stay locked: later versions of a model do not learn from them, and looking at them is counted.
 *
 * Where rows are placed by a hash, those held out are the ones beyond train + validation; another version keeps away from them if it hashes the
 * same thing with the same seed and reaches no further.  Strata and a split by time keep where they cut at first: later versions cut there again,
 * and rows added since fall on either side as if they had been there.  So a split by time holds out all that is newer until it is begun anew.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "core/json_number.h"
#include "registry_internal.h"

#define SHARE_TOLERANCE 1e-6	/* that of the sum of the shares */

static const char *const part_names[NPARTS] = {"train", "validation", "test"};

/* ---- the rule as JSON, and back ---- */

static void
append_text(StringInfo out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	appendStringInfo(out, ", \"%s\": ", name);
	escape_json(out, text);
}

static void
append_strata(StringInfo out, const SplitRule *rule)
{
	for (int i = 0; i < rule->nstrata; i++)
	{
		const Stratum *stratum = &rule->strata[i];

		appendStringInfoString(out, i ? ", [" : ", \"bounds\": [[");
		if (stratum->label != NULL)
			escape_json(out, stratum->label);
		else
			appendStringInfoString(out, "null");
		for (int b = 0; b < NPARTS - 1; b++)
		{
			appendStringInfoString(out, ", ");
			json_append_number(out, stratum->bound[b]);
		}
		appendStringInfoChar(out, ']');
	}
	if (rule->nstrata > 0)
		appendStringInfoChar(out, ']');
}

/* Instants as text, numbers as they are: that tells the kind. */
static void
append_cuts(StringInfo out, const TimeBounds *times)
{
	if (times->kind == 0)
		return;
	for (int part = PART_VALIDATION; part < NPARTS; part++)
	{
		double		bound = times->bound[part - 1];

		appendStringInfo(out, "%s\"%s\": ", part == PART_VALIDATION ? ", \"cuts\": {" : ", ", part_names[part]);
		if (isnan(bound))
			appendStringInfoString(out, "null");
		else if (times->kind == KIND_TIMESTAMP)
			escape_json(out, cell_shown(KIND_TIMESTAMP, bound));
		else
			json_append_number(out, bound);
	}
	appendStringInfoChar(out, '}');
}

char *
registry_split_json(const char *arguments, const SplitRule *rule)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s, \"split\": {", arguments);
	for (int part = 0; part < NPARTS; part++)
	{
		appendStringInfo(&out, "%s\"%s\": ", part ? ", " : "", part_names[part]);
		json_append_number(&out, rule->share[part]);
	}
	append_text(&out, "group", rule->group);
	if (rule->stratify != NULL)
		append_text(&out, "stratify", rule->stratify);
	else if (rule->stratified)
		appendStringInfoString(&out, ", \"stratify\": true");
	append_text(&out, "gap", rule->gap);
	if (rule->unlock)
		appendStringInfoString(&out, ", \"unlock\": true");
	append_text(&out, "columns", rule->columns);
	append_text(&out, "source", rule->source);
	append_cuts(&out, &rule->times);
	append_strata(&out, rule);
	appendStringInfoString(&out, "}}");
	return out.data;
}

static JsonbValue *
field(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static char *
value_text(const JsonbValue *value)
{
	return value != NULL && value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : NULL;
}

static double
value_number(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvNumeric)
		return 0;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

static bool
value_true(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBool && value->val.boolean;
}

static void
read_strata(const JsonbValue *bounds, SplitRule *rule)
{
	Stratum    *strata;

	if (bounds == NULL || bounds->type != jbvBinary)
		return;
	rule->nstrata = JsonContainerSize(bounds->val.binary.data);
	rule->strata = strata = palloc0(sizeof(Stratum) * Max(rule->nstrata, 1));
	for (int i = 0; i < rule->nstrata; i++)
	{
		JsonbContainer *stratum = getIthJsonbValueFromContainer(bounds->val.binary.data, i)->val.binary.data;

		strata[i].label = value_text(getIthJsonbValueFromContainer(stratum, 0));
		for (int b = 0; b < NPARTS - 1; b++)
			strata[i].bound[b] = value_number(getIthJsonbValueFromContainer(stratum, b + 1));
	}
}

static void
read_cut(const JsonbValue *cut, ColumnKind *kind, double *bound)
{
	char	   *text = value_text(cut);

	*bound = NAN;
	if (cut == NULL || cut->type == jbvNull)
		return;
	*kind = text ? KIND_TIMESTAMP : KIND_NUMBER;
	if (cut->type == jbvNumeric)
		*bound = value_number(cut);
	else if (text == NULL || !cell_parse(KIND_TIMESTAMP, NULL, text, bound))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored split was cut at what is no time")));
}

static void
read_cuts(const JsonbValue *cuts, TimeBounds *times)
{
	if (cuts == NULL || cuts->type != jbvBinary)
		return;
	for (int part = PART_VALIDATION; part < NPARTS; part++)
		read_cut(field(cuts->val.binary.data, part_names[part]), &times->kind, &times->bound[part - 1]);
}

/* False where a run has none: the model came from elsewhere. */
static bool
read_rule(JsonbContainer *arguments, int64 seed, SplitRule *rule)
{
	JsonbValue *split = field(arguments, "split");
	JsonbValue *stratify;
	JsonbContainer *stored;

	if (split == NULL || split->type != jbvBinary)
		return false;
	memset(rule, 0, sizeof(SplitRule));
	stored = split->val.binary.data;
	stratify = field(stored, "stratify");
	rule->key = value_text(field(arguments, "key"));
	rule->time = value_text(field(arguments, "time_column"));
	rule->group = value_text(field(stored, "group"));
	rule->stratify = value_text(stratify);
	rule->stratified = rule->stratify != NULL || value_true(stratify);
	rule->unlock = value_true(field(stored, "unlock"));
	rule->columns = value_text(field(stored, "columns"));
	rule->source = value_text(field(stored, "source"));
	rule->seed = seed;
	for (int part = 0; part < NPARTS; part++)
		rule->share[part] = value_number(field(stored, part_names[part]));
	read_strata(field(stored, "bounds"), rule);
	read_cuts(field(stored, "cuts"), &rule->times);
	return true;
}

/* ---- the latest rule with test rows ---- */

/* False where the version has no rule. */
static bool
rule_of_version(const ModelRow *row, int version, SplitRule *rule, int64 *test_rows)
{
	RowScan		scan;
	bool		isnull;
	bool		found = version_scan_begin(&scan, "_run", &row->id, version);

	if (found)
	{
		Jsonb	   *arguments = DatumGetJsonbPCopy(row_scan_value(&scan, RUN_ARGUMENTS, &isnull));

		*test_rows = DatumGetInt64(row_scan_value(&scan, RUN_TEST_ROWS, &isnull));
		found = read_rule(&arguments->root, DatumGetInt64(row_scan_value(&scan, RUN_SEED, &isnull)), rule);
	}
	row_scan_end(&scan);
	return found;
}

/* The version whose test rows are locked, and how many there are; 0: none. */
static int
locking_version(const ModelRow *row, SplitRule *rule, int64 *test_rows)
{
	for (int version = row->last_version; version > 0; version--)
	{
		CHECK_FOR_INTERRUPTS();
		if (!rule_of_version(row, version, rule, test_rows))
			continue;
		if (*test_rows > 0)
			return version;
		if (rule->unlock)
			return 0;
	}
	return 0;
}

/* ---- may a rule follow another one? ---- */

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

/* What places the rows: the time, else the hash of group, key or content. */
static bool
places_alike(const SplitRule *a, const SplitRule *b)
{
	if (a->time != NULL || b->time != NULL)
		return same(a->time, b->time);
	if (!same(a->group, b->group) || (a->group == NULL && !same(a->key, b->key)))
		return false;
	return a->seed == b->seed && a->stratified == b->stratified && same(a->stratify, b->stratify);
}

bool
registry_same_shares(const SplitRule *a, const SplitRule *b)
{
	for (int part = 0; part < NPARTS; part++)
		if (fabs(a->share[part] - b->share[part]) > SHARE_TOLERANCE)
			return false;
	return true;
}

/* Once the rows are read it is known where they were cut: not behind the cuts that are locked. */
static bool
cuts_no_later(const SplitRule *rule, const SplitRule *locked)
{
	for (int i = 0; i < rule->nstrata; i++)
		for (int j = 0; j < locked->nstrata; j++)
			if (same(rule->strata[i].label, locked->strata[j].label) &&
				rule->strata[i].bound[PART_TEST - 1] > locked->strata[j].bound[PART_TEST - 1])
				return false;
	return rule->times.kind == 0 || locked->times.kind == 0 ||
		rule->times.bound[PART_TEST - 1] <= locked->times.bound[PART_TEST - 1];
}

/* Bounds of strata are those of one set of shares. */
static bool
keeps_away(const SplitRule *rule, const SplitRule *locked)
{
	if (rule->stratified && !registry_same_shares(rule, locked))
		return false;
	return rule->share[PART_TEST] > locked->share[PART_TEST] - SHARE_TOLERANCE && cuts_no_later(rule, locked);
}

static void
append_list(StringInfo out, const char *format, const char *text)
{
	if (text == NULL)
		return;
	if (out->len > 0)
		appendStringInfoString(out, ", ");
	appendStringInfo(out, format, text);
}

/* In words that are arguments of ml.train. */
static char *
describe_rule(const SplitRule *rule)
{
	StringInfoData out;

	initStringInfo(&out);
	append_list(&out, "time_column \"%s\"", rule->time);
	append_list(&out, "group \"%s\"", rule->group);
	append_list(&out, "key \"%s\"", rule->key);
	if (rule->stratified)
		append_list(&out, "stratify %s", rule->stratify ? quote_identifier(rule->stratify) : "true");
	if (out.len == 0)
		appendStringInfoString(&out, "no key");
	if (rule->time == NULL)
		appendStringInfo(&out, ", seed %lld", (long long) rule->seed);
	appendStringInfo(&out, ", shares %g/%g/%g", rule->share[PART_TRAIN], rule->share[PART_VALIDATION], rule->share[PART_TEST]);
	return out.data;
}

static void
refuse_test_rows(const ModelRow *row, int version, const SplitRule *locked, const SplitRule *rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("training would learn from rows that model \"%s\" holds out for tests", row->name),
			 errdetail("Version %d was split by %s; this call splits by %s.", version, describe_rule(locked), describe_rule(rule)),
			 errhint("Repeat what version %d was split by, or train under another name. To begin anew and give its test rows up, add \"unlock\": true "
					 "to split.", version)));
}

const SplitRule *
check_locked_split(const ModelRow *row, const SplitRule *rule)
{
	SplitRule  *locked = palloc0(sizeof(SplitRule));
	int64		test_rows;
	int			version = rule->unlock ? 0 : locking_version(row, locked, &test_rows);

	if (version == 0)
		return NULL;
	if (!places_alike(rule, locked) || !keeps_away(rule, locked))
		refuse_test_rows(row, version, locked, rule);
	return locked;
}

const SplitRule *
registry_locked_split(const char *name, const SplitRule *rule)
{
	const SplitRule *locked = NULL;
	RowScan		scan;
	ModelRow	row;

	if (model_scan_begin(&scan, name, &row))
		locked = check_locked_split(&row, rule);
	row_scan_end(&scan);
	return locked;
}

/* ---- fits that are no version of the model ---- */

#define MOST_NAMED 10			/* models in warnings */

/* NULL where none of its test rows were learned from, or nobody can tell. */
static char *
fitted_test_rows(const ModelRow *row, const SplitRule *rule)
{
	SplitRule	locked;
	int64		test_rows;

	if (locking_version(row, &locked, &test_rows) == 0 || !same(locked.source, rule->source) ||
		(places_alike(rule, &locked) && keeps_away(rule, &locked) && same(rule->columns, locked.columns)))
		return NULL;
	return psprintf("model \"%s\" holds %lld rows of the same source out for tests, and %s been learned from: a split by %s leaves them out",
					row->name, (long long) test_rows, rule->share[PART_TRAIN] < 1 ? "some of them may have" : "all of them have",
					describe_rule(&locked));
}

/* Names of the models with a run on the source that held rows out: a list of char *. */
static List *
models_of_source(const char *source, const char *but)
{
	Statement	find = {.sql =
		"SELECT DISTINCT m.name FROM ml._run r JOIN ml._model m ON m.id = r.model "
		"JOIN ml._version v ON v.model = r.model AND v.version = r.version "
		"WHERE r.n_test > 0 AND v.task <> 'preparation' AND r.arguments -> 'split' ->> 'source' = $1 AND m.name <> $2 ORDER BY m.name"};
	MemoryContext caller = CurrentMemoryContext;
	List	   *names = NIL;
	RegistryWrite w;

	write_begin(&w, "ml.fit_pipeline()");
	add_text(&find, source);
	add_text(&find, but);
	(void) run_statement(&find);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	write_end(&w);
	return names;
}

List *
registry_fitted_test_rows(const char *name, const SplitRule *rule)
{
	List	   *names = rule->source ? models_of_source(rule->source, name) : NIL;
	List	   *warnings = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		char	   *warning = NULL;
		RowScan		scan;
		ModelRow	row;

		if (model_scan_begin(&scan, lfirst(cell), &row) && model_rights(&row, GetUserId()) & (RIGHT_TRAIN | RIGHT_DEPLOY))
			warning = fitted_test_rows(&row, rule);
		row_scan_end(&scan);
		if (warning != NULL && list_length(warnings) < MOST_NAMED)
			warnings = lappend(warnings, warning);
	}
	return warnings;
}

/* ---- counting ---- */

/* All versions since the last new beginning share their test rows. */
static int64
count_evaluations(const ModelVersion *version)
{
	Statement	count = {.sql =
		"WITH beginning AS (SELECT r.version FROM ml._run r WHERE r.model = $1 AND (r.arguments -> 'split' ->> 'unlock')::boolean) "
		"SELECT count(*) FROM ml._test_evaluation e WHERE e.model = $1 "
		"AND e.version >= coalesce((SELECT max(b.version) FROM beginning b WHERE b.version <= $2), 0) "
		"AND e.version < coalesce((SELECT min(b.version) FROM beginning b WHERE b.version > $2), 2147483647)"};
	bool		isnull;

	add_uuid(&count, &version->model);
	add_int(&count, version->version);
	(void) run_statement(&count);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

static void
warn_of_looks(const ModelVersion *version, int64 looks)
{
	if (looks < 2)
		return;
	ereport(WARNING,
			(errmsg("the test rows of model \"%s\" have been looked at %lld times", version->name, (long long) looks),
			 errdetail("Whoever chooses a model by its test rows learns from them: what they say becomes too good."),
			 errhint("Choose by the validation rows (view ml.run_metrics, part 'validation'); ml.test_evaluations shows who looked when.")));
}

/* No lock on the model's row: an evaluation in a long transaction must not hold up a deployment. */
void
registry_count_test_evaluation(const ModelVersion *version)
{
	Statement	insert = {.sql =
		"INSERT INTO ml._test_evaluation (model, id, version, evaluated_at, evaluated_by) "
		"VALUES ($1, gen_random_uuid(), $2, clock_timestamp(), $3)"};
	RegistryWrite w;
	int64		looks;

	if (RecoveryInProgress() || XactReadOnly || IsInParallelMode())
		return;
	write_begin(&w, "ml.evaluate()");
	add_uuid(&insert, &version->model);
	add_int(&insert, version->version);
	add_text(&insert, role_name(w.caller));
	run_statement(&insert);
	looks = count_evaluations(version);
	write_end(&w);
	warn_of_looks(version, looks);
}
