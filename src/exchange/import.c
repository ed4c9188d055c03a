/*
 * import.c
 *		ml.import_model: a model that another library trained becomes the next version.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "core/clock.h"
#include "core/hash.h"
#include "exchange_internal.h"
#include "registry/registry.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(ml_import_model);

/* Memory that reading takes, in times of the text: its copy; for JSON also jsonb and what PostgreSQL's parser makes on the way. */
#define TEXT_FACTOR 2
#define JSON_FACTOR 22

typedef enum ImportArgument
{
	ARG_MODEL,
	ARG_BODY,
	ARG_FORMAT,
	ARG_TARGET,
	ARG_LABELS,
	ARG_NOTE
} ImportArgument;

typedef struct Import
{
	char	   *name;
	char	   *format;
	char	   *target;
	char	   *note;
	int			nlabels;		/* -1: none given */
	char	  **label;
	ForeignModel foreign;
	Budget		budget;
	uint64		fingerprint[2];
	Size		length;			/* of the text */
	Model	   *model;
} Import;

/* ---- arguments ---- */

static char *
text_argument(FunctionCallInfo fcinfo, ImportArgument arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static void
required_argument(FunctionCallInfo fcinfo, ImportArgument arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static void
read_labels(FunctionCallInfo fcinfo, Import *import)
{
	Datum	   *elements;
	bool	   *nulls;

	import->nlabels = -1;
	if (PG_ARGISNULL(ARG_LABELS))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_LABELS), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &import->nlabels);
	import->label = palloc(sizeof(char *) * Max(import->nlabels, 1));
	for (int i = 0; i < import->nlabels; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("labels must not contain null")));
		import->label[i] = TextDatumGetCString(elements[i]);
	}
}

static void
read_arguments(FunctionCallInfo fcinfo, Import *import)
{
	required_argument(fcinfo, ARG_MODEL, "model");
	required_argument(fcinfo, ARG_BODY, "body");
	required_argument(fcinfo, ARG_FORMAT, "format");
	required_argument(fcinfo, ARG_TARGET, "target");
	import->name = text_argument(fcinfo, ARG_MODEL);
	import->format = text_argument(fcinfo, ARG_FORMAT);
	import->target = text_argument(fcinfo, ARG_TARGET);
	import->note = text_argument(fcinfo, ARG_NOTE);
	read_labels(fcinfo, import);
	if (strcmp(import->format, "lightgbm") != 0 && strcmp(import->format, "xgboost_json") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("format \"%s\" not recognized", import->format),
				 errhint("Formats are \"lightgbm\" (the text of save_model) and \"xgboost_json\".")));
}

/* ---- reading ---- */

static void
read_body(FunctionCallInfo fcinfo, Import *import)
{
	ForeignModel *m = &import->foreign;
	bool		json = strcmp(import->format, "xgboost_json") == 0;
	text	   *body;
	char	   *copy;

	import->budget.limit = (Size) relearn_max_memory * 1024;
	budget_take(&import->budget, size_times(toast_raw_datum_size(PG_GETARG_DATUM(ARG_BODY)), json ? JSON_FACTOR : TEXT_FACTOR),
				"reading the model");
	body = PG_GETARG_TEXT_PP(ARG_BODY);
	import->length = VARSIZE_ANY_EXHDR(body);
	for (int i = 0; i < 2; i++)
		import->fingerprint[i] = hash_text(VARDATA_ANY(body), import->length, i);
	copy = text_to_cstring(body);
	m->context = CurrentMemoryContext;
	m->budget = &import->budget;
	m->scale = 1;
	if (json)
		xgboost_read(m, copy);
	else
		lightgbm_read(m, copy);
	import->model = foreign_assemble(m);
}

/* ---- classes ---- */

static void
check_labels(const Import *import)
{
	int			nclasses = import->model->nclasses;
	Dictionary *distinct = dictionary_create(CurrentMemoryContext);

	if (import->model->task == TASK_REGRESSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("labels are for classification only"),
				 errdetail("The objective of the %s model is a regression.", import->foreign.library)));
	if (import->nlabels != nclasses)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d labels are given for %d classes", import->nlabels, nclasses)));
	for (int i = 0; i < nclasses; i++)
		if (dictionary_add(distinct, import->label[i], (int) strlen(import->label[i])) != i)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("label \"%s\" is given twice", import->label[i])));
}

/* Both libraries number the classes 0, 1, ...; labels are their names in this order. */
static void
set_classes(const Import *import)
{
	Model	   *model = import->model;
	bool		numbers = true;

	model->target = import->target;
	model->target_type = pstrdup(model->task == TASK_REGRESSION ? "double precision" : import->nlabels >= 0 ? "text" : "integer");
	if (import->nlabels >= 0)
		check_labels(import);
	if (model->task == TASK_REGRESSION)
		return;
	model->labels = palloc(sizeof(char *) * model->nclasses);
	model->label_values = palloc(sizeof(double) * model->nclasses);
	for (int c = 0; c < model->nclasses; c++)
	{
		model->labels[c] = import->nlabels >= 0 ? import->label[c] : psprintf("%d", c);
		numbers = numbers && parse_finite(model->labels[c], &model->label_values[c]);
	}
	if (!numbers)
		model->label_values = NULL;
}

/* ---- storing ---- */

static char *
arguments_json(const Import *import)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"format\": ");
	escape_json(&out, import->format);
	appendStringInfoString(&out, ", \"target\": ");
	escape_json(&out, import->target);
	appendStringInfoString(&out, ", \"labels\": ");
	for (int i = 0; i < import->nlabels; i++)
	{
		appendStringInfoString(&out, i == 0 ? "[" : ", ");
		escape_json(&out, import->label[i]);
	}
	appendStringInfoString(&out, import->nlabels > 0 ? "]}" : "null}");
	return out.data;
}

static const char *
task_name(Task task)
{
	return task == TASK_REGRESSION ? "regression" : task == TASK_BINARY ? "binary classification" : "multiclass classification";
}

static int
store(const Import *import, bytea *artifact, double seconds)
{
	RunRecord	run = {
		.call = "ml.import_model()",
		.name = import->name,
		.algorithm = import->model->learner->name,
		.task = task_name(import->model->task),
		.target = import->target,
		.source = psprintf("%s model of %zu bytes", import->foreign.library, import->length),
		.params = "{}",
		.arguments = arguments_json(import),
		.fingerprint = (const uint8 *) import->fingerprint,
		.metrics = "{}",
		.seconds = seconds,
		.warnings = import->foreign.warnings,
		.note = import->note,
	};

	return registry_save(&run, import->model, artifact);
}

static Datum
warnings_datum(const List *warnings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(warnings), 1));
	ListCell   *cell;

	foreach(cell, warnings)
		elements[foreach_current_index(cell)] = CStringGetTextDatum((const char *) lfirst(cell));
	return PointerGetDatum(construct_array(elements, list_length(warnings), TEXTOID, -1, false, TYPALIGN_INT));
}

static void
put_result(FunctionCallInfo fcinfo, const Import *import, int version, Size bytes)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		nulls[7] = {false};
	Datum		values[7] = {
		CStringGetTextDatum(import->name),
		Int32GetDatum(version),
		CStringGetTextDatum(task_name(import->model->task)),
		Int64GetDatum((int64) import->foreign.ntrees),
		Int32GetDatum(import->model->features->noutputs),
		Int64GetDatum((int64) bytes),
		warnings_datum(import->foreign.warnings),
	};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
ml_import_model(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn import", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Import	   *import = palloc0(sizeof(Import));
	instr_time	start;
	bytea	   *artifact;
	int			version;

	INSTR_TIME_SET_CURRENT(start);
	read_arguments(fcinfo, import);
	registry_check_trainable(import->name);
	read_body(fcinfo, import);
	set_classes(import);
	artifact = model_encode(import->model);
	version = store(import, artifact, seconds_since(start));

	MemoryContextSwitchTo(caller);
	InitMaterializedSRF(fcinfo, 0);
	put_result(fcinfo, import, version, VARSIZE_ANY_EXHDR(artifact));
	MemoryContextDelete(context);
	return (Datum) 0;
}
