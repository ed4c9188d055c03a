/*
 * definitions.c
 *		The table of checks: name, severity, threshold, meaning; and thresholds that a caller sets.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "checks/checks_internal.h"

const CheckDefinition check_definitions[NCHECKS] = {
	[CHECK_TARGET_COPY] = {"target_copy", SEVERITY_HIGH, 1,
		"share of the rows in which a column, value by value, says what the target is"},
	[CHECK_TARGET_IDENTITY] = {"target_identity", SEVERITY_HIGH, 1,
		"share of the rows in which the target is a sum of up to 3 other columns (with factors and a constant)"},
	[CHECK_LEAKAGE] = {"leakage", SEVERITY_HIGH, 0.8,
		"how well one column alone predicts the target, tried on rows it did not learn from: 2 AUC - 1 of two classes, share of errors avoided of more, R2 of numbers; high from 0.9 on, else medium"},
	[CHECK_FILLED_AFTER_OUTCOME] = {"filled_after_outcome", SEVERITY_HIGH, 0.8,
		"the same of whether the column is missing: it is filled in (or emptied) once the outcome is known"},
	[CHECK_RECORDED_WITH_TARGET] = {"recorded_with_target", SEVERITY_HIGH, 0.9,
		"how well a column predicts whether the target is known (2 AUC - 1): it is recorded together with it"},
	[CHECK_LATER_THAN_TIME] = {"later_than_time", SEVERITY_HIGH, 0,
		"share of rows in which a timestamp lies after time_column, the moment of the prediction"},
	[CHECK_OVERLAP_ROWS] = {"overlap_rows", SEVERITY_HIGH, 0,
		"share of the test rows that are among the training rows; high from 0.05 on, else medium"},
	[CHECK_OVERLAP_KEYS] = {"overlap_keys", SEVERITY_HIGH, 0,
		"share of the test rows whose key is among the training rows"},
	[CHECK_OVERLAP_TIME] = {"overlap_time", SEVERITY_HIGH, 0,
		"share of the test rows that are not later than the last training row"},
	[CHECK_UNSEEN_LEVELS] = {"unseen_levels", SEVERITY_MEDIUM, 0.01,
		"share of the test rows whose text the training rows do not have"},
	[CHECK_CONSTANT_TARGET] = {"constant_target", SEVERITY_HIGH, 1,
		"share of the rows that have the most frequent target"},
	[CHECK_MISSING_TARGET] = {"missing_target", SEVERITY_LOW, 0,
		"share of the rows without a target: nothing is learned from them"},
	[CHECK_NUMERIC_CLASSES] = {"numeric_classes", SEVERITY_LOW, 2,
		"distinct values of a numeric target, at most: ml.train takes numbers for regression"},
	[CHECK_CLASS_IMBALANCE] = {"class_imbalance", SEVERITY_MEDIUM, 0.1,
		"rows of the rarest class per row of the most frequent one, at least"},
	[CHECK_RARE_CLASS] = {"rare_class", SEVERITY_MEDIUM, 10,
		"rows of the rarest class, at least: fewer cannot be split into training, validation and test"},
	[CHECK_CONFLICTING_LABELS] = {"conflicting_labels", SEVERITY_MEDIUM, 0,
		"share of the rows that differ from another row in nothing but the class (keys aside)"},
	[CHECK_DUPLICATE_ROWS] = {"duplicate_rows", SEVERITY_MEDIUM, 0,
		"share of the rows that repeat another one (keys aside); medium from 0.05 on, else low"},
	[CHECK_EMPTY_COLUMN] = {"empty_column", SEVERITY_MEDIUM, 1,
		"share of the rows in which the column is missing"},
	[CHECK_MISSING_VALUES] = {"missing_values", SEVERITY_HIGH, 0.6,
		"share of the rows in which the column is missing; high where it still helps to predict the target (from 0.1 on, measured as leakage is), else medium"},
	[CHECK_MISSING_PREDICTS] = {"missing_predicts_target", SEVERITY_MEDIUM, 0.2,
		"difference between classes of the share that is missing; of a numeric target, the correlation with being missing"},
	[CHECK_SENTINEL_TEXT] = {"sentinel_text", SEVERITY_MEDIUM, 0,
		"share of the rows with a text that stands for a missing value: empty, blank, 'N/A', 'NULL', '?', '-', 'Unknown', 'Unspecified'..."},
	[CHECK_SENTINEL_NUMBER] = {"sentinel_number", SEVERITY_MEDIUM, 0,
		"share of the rows with a number or date that stands for a missing value (-1, 99.., -99.., 1900-01-01, 1970-01-01, 9999-12-31...) far from the other values or far more frequent"},
	[CHECK_MIXED_FORMATS] = {"mixed_formats", SEVERITY_MEDIUM, 0,
		"share of the dates and times kept as text that are in another than the most frequent format"},
	[CHECK_NUMBER_AS_TEXT] = {"number_as_text", SEVERITY_MEDIUM, 0.9,
		"share of a column's texts (but for stand-ins for missing ones) that read as numbers"},
	[CHECK_TIME_AS_TEXT] = {"time_as_text", SEVERITY_LOW, 0.9,
		"share of a column's texts (but for stand-ins for missing ones) that read as dates or times"},
	[CHECK_FUTURE_TIME] = {"future_time", SEVERITY_MEDIUM, 0,
		"share of the rows with a timestamp after as_of"},
	[CHECK_CONSTANT_COLUMN] = {"constant_column", SEVERITY_MEDIUM, 1,
		"share of the column's values that are the most frequent one"},
	[CHECK_NEAR_CONSTANT] = {"near_constant", SEVERITY_LOW, 0.99,
		"share of the column's values that are the most frequent one"},
	[CHECK_KEY_COLUMN] = {"key_column", SEVERITY_MEDIUM, 0.97,
		"distinct values per value, of integers, texts and uuids, over more than 20 rows"},
	[CHECK_ROW_NUMBER] = {"row_number", SEVERITY_MEDIUM, 1,
		"share of the integers between the smallest and the largest that occur once"},
	[CHECK_REDUNDANT_PAIR] = {"redundant_pair", SEVERITY_MEDIUM, 0.95,
		"correlation of two columns (Pearson's of numbers, Cramer's V of categories); medium where each determines the other, else low"},
	[CHECK_LINEAR_IDENTITY] = {"linear_identity", SEVERITY_LOW, 1,
		"share of the rows in which a column is a sum of up to 3 others (with factors and a constant)"},
	[CHECK_DETERMINED_COLUMN] = {"determined_column", SEVERITY_LOW, 1,
		"share of the rows in which a column follows from one or two others, value by value"},
	[CHECK_LEVEL_VARIANTS] = {"level_variants", SEVERITY_MEDIUM, 0,
		"share of the rows with a text that differs from a more frequent one in case, blanks, hyphens or underscores only"},
	[CHECK_WHITESPACE] = {"whitespace", SEVERITY_LOW, 0,
		"share of the rows with a text that begins or ends with blanks"},
	[CHECK_RARE_LEVELS] = {"rare_levels", SEVERITY_LOW, 0.05,
		"share of the rows whose text occurs in fewer than 10 rows"},
	[CHECK_MANY_LEVELS] = {"many_levels", SEVERITY_HIGH, 255,
		"distinct texts of a column that is no key: training keeps the most frequent ones only, low; high of a target that is a key or has more than 1,000 classes"},
	[CHECK_INFINITE_VALUES] = {"infinite_values", SEVERITY_MEDIUM, 0,
		"share of the rows with an infinite number or date"},
	[CHECK_NAN_VALUES] = {"nan_values", SEVERITY_LOW, 0,
		"share of the rows with NaN, which is neither NULL nor a number"},
	[CHECK_OUTLIERS] = {"outliers", SEVERITY_LOW, 0,
		"share of the values more than 10 interquartile ranges away from the quartiles"},
};

/* ---- thresholds of a call ---- */

static void
unrecognized_check(const char *name)
{
	const char *names[NCHECKS];

	for (int i = 0; i < NCHECKS; i++)
		names[i] = check_definitions[i].name;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("thresholds names \"%s\", which is no check", name),
			 errhint("%s", valid_names_hint(name, names, NCHECKS, "checks"))));
}

static double
threshold_value(const char *name, const JsonbValue *value)
{
	if (value->type == jbvNull)
		return NAN;
	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the threshold of check \"%s\" must be a number, or null to switch it off", name)));
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static void
threshold_set(const char *name, const JsonbValue *value, double *threshold)
{
	for (int i = 0; i < NCHECKS; i++)
		if (strcmp(check_definitions[i].name, name) == 0)
		{
			threshold[i] = threshold_value(name, value);
			return;
		}
	unrecognized_check(name);
}

void
thresholds_parse(Jsonb *given, double threshold[NCHECKS])
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;

	for (int i = 0; i < NCHECKS; i++)
		threshold[i] = check_definitions[i].threshold;
	if (given == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("thresholds must be a JSON object of check: number"),
				 errhint("For example '{\"leakage\": 0.95, \"outliers\": null}'.")));
	it = JsonbIteratorInit(&given->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			threshold_set(name, &value, threshold);
	}
}

/* ---- ml.check_definitions ---- */

PG_FUNCTION_INFO_V1(ml_check_definitions);
Datum
ml_check_definitions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	static const char *const severities[] = {"high", "medium", "low"};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < NCHECKS; i++)
	{
		const CheckDefinition *check = &check_definitions[i];
		Datum		value[] = {
			CStringGetTextDatum(check->name), CStringGetTextDatum(severities[check->severity]),
			Float8GetDatum(check->threshold), CStringGetTextDatum(check->help)
		};
		bool		null[lengthof(value)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, value, null);
	}
	return (Datum) 0;
}
