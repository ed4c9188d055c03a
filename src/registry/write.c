/*
 * write.c
 *		Writing our tables: as their owner, under a pinned search_path, behind the model's row lock.
 *
 * Callers have no privilege on the tables.  The user id is switched for our own statements only, never around a query of the caller's; an
 * error restores user and settings with the (sub)transaction.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "registry_internal.h"

void
require_writable(const char *what)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s during recovery", what),
				 errhint("This server is a standby: it predicts, but models change on the primary only. Connect to the primary and run it there.")));
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s in a read-only transaction", what),
				 errhint("Run it in a read-write transaction on the primary.")));
}

static Oid
tables_owner(void)
{
	HeapTuple	table = SearchSysCache1(RELOID, ObjectIdGetDatum(registry_relation("_model")));
	Oid			owner;

	if (!HeapTupleIsValid(table))
		elog(ERROR, "cache lookup failed for relation ml._model");
	owner = ((Form_pg_class) GETSTRUCT(table))->relowner;
	ReleaseSysCache(table);
	return owner;
}

void
write_begin(RegistryWrite *w, const char *what)
{
	require_writable(what);
	GetUserIdAndSecContext(&w->caller, &w->security);
	SetUserIdAndSecContext(tables_owner(), w->security | SECURITY_LOCAL_USERID_CHANGE);
	w->gucs = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
write_end(RegistryWrite *w)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(false, w->gucs);
	SetUserIdAndSecContext(w->caller, w->security);
}

/* ---- statements ---- */

void
add_argument(Statement *s, Oid type, Datum value)
{
	Assert(s->n < MAX_ARGUMENTS);
	s->types[s->n] = type;
	s->values[s->n] = value;
	s->nulls[s->n] = ' ';
	s->n++;
}

void
add_uuid(Statement *s, const pg_uuid_t *value)
{
	add_argument(s, UUIDOID, UUIDPGetDatum(value));
}

void
add_int(Statement *s, int value)
{
	add_argument(s, INT4OID, Int32GetDatum(value));
}

void
add_text(Statement *s, const char *value)
{
	add_argument(s, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0);
	if (value == NULL)
		s->nulls[s->n - 1] = 'n';
}

uint64
run_statement(Statement *s)
{
	int			code = SPI_execute_with_args(s->sql, s->n, s->types, s->values, s->nulls, false, 0);

	if (code < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(code));
	return SPI_processed;
}

char *
role_name(Oid role)
{
	return GetUserNameFromId(role, false);
}

/* ---- the model's row ---- */

bool
lock_model(const char *name, ModelRow *row)
{
	Statement	lock = {.sql = MODEL_ROW_SELECT " WHERE name = $1 FOR UPDATE"};
	Datum		values[MODEL_COLUMNS];
	bool		nulls[MODEL_COLUMNS];

	add_text(&lock, name);
	if (run_statement(&lock) == 0)
		return false;
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, nulls);
	model_row_read(row, values, nulls);
	return true;
}

void
change_begin(RegistryWrite *w, const char *what, const char *name, ModelRight right, ModelRow *row)
{
	write_begin(w, what);
	if (!lock_model(name, row))
	{
		write_end(w);
		check_name(name, "model");
		no_such_model(name);
	}
	check_right(row, right, w->caller);
}
