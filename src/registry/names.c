/*
 * names.c
 *		References to models, and what to say when one leads nowhere.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registry_internal.h"

#define HINTED_NAMES 5

void
check_name(const char *name, const char *what)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN || strpbrk(name, ":@") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid %s name \"%s\"", what, name),
				 errhint("A name has 1 to %d bytes and neither \":\" nor \"@\".", NAMEDATALEN - 1)));
}

static int
parse_version(const char *reference, const char *text)
{
	size_t		digits = strspn(text, "0123456789");
	long		version = strtol(text, NULL, 10);

	if (digits == 0 || digits > 10 || text[digits] != '\0' || version < 1 || version > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid model reference \"%s\"", reference),
				 errhint("Write \"model\" for the version in production, \"model:3\" for version 3, \"model@alias\" for an alias.")));
	return (int) version;
}

void
parse_reference(const char *text, Reference *reference)
{
	size_t		length = strcspn(text, ":@");

	if (length == 0 || length >= NAMEDATALEN)
		check_name(pnstrdup(text, length), "model");
	memcpy(reference->name, text, length);
	reference->name[length] = '\0';
	reference->alias[0] = '\0';
	reference->version = 0;
	if (text[length] == ':')
		reference->version = parse_version(text, text + length + 1);
	else if (text[length] == '@')
	{
		check_name(text + length + 1, "alias");
		strcpy(reference->alias, text + length + 1);
	}
}

/* ---- nothing found ---- */

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Names of the models that the current user has a right on, sorted. */
static const char **
usable_models(int *n)
{
	Relation	table = table_open(registry_relation("_model"), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan;
	int			room = 16;
	const char **names = palloc(room * sizeof(char *));

	*n = 0;
	PushActiveSnapshot(ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot());
	scan = table_beginscan(table, GetActiveSnapshot(), 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		ModelRow	row;

		CHECK_FOR_INTERRUPTS();
		slot_getsomeattrs(slot, MODEL_COLUMNS);
		model_row_read(&row, slot->tts_values, slot->tts_isnull);
		if (model_rights(&row, GetUserId()) == 0)
			continue;
		if (*n == room)
			names = repalloc(names, (room *= 2) * sizeof(char *));
		names[(*n)++] = pstrdup(row.name);
	}
	table_endscan(scan);
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
	qsort(names, *n, sizeof(char *), compare_names);
	return names;
}

static char *
hint_models(const char *wanted)
{
	int			n;
	const char **names = usable_models(&n);
	StringInfoData hint;

	if (n == 0)
		return pstrdup("There is no model you may use; ml.train makes one.");
	nearest_first(wanted, names, n);
	initStringInfo(&hint);
	appendStringInfoString(&hint, "Models you may use: ");
	for (int i = 0; i < n && i < HINTED_NAMES; i++)
		appendStringInfo(&hint, "%s\"%s\"", i ? ", " : "", names[i]);
	appendStringInfoString(&hint, n > HINTED_NAMES ? ", ... (see ml.models)." : ".");
	return hint.data;
}

void
no_such_model(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("%s", hint_models(name))));
}

void
no_such_version(const char *name, const pg_uuid_t *model, int version)
{
	RowScan		scan;
	bool		dropped = version_scan_begin(&scan, "_version", model, version);

	row_scan_end(&scan);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("version %d of model \"%s\" does not exist", version, name),
			 dropped ? errdetail("It was dropped.") : 0,
			 errhint("SELECT * FROM ml.versions WHERE model = %s lists its versions.", quote_literal_cstr(name))));
}

void
no_such_alias(const char *name, const char *alias)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("alias \"%s\" of model \"%s\" does not exist", alias, name),
			 errhint("SELECT * FROM ml.aliases WHERE model = %s lists its aliases.", quote_literal_cstr(name))));
}
