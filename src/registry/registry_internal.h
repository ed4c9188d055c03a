/*
 * registry_internal.h
 *		What the files of the registry room share: rows of our tables, rights, and writing.
 */
#ifndef RELEARN_REGISTRY_INTERNAL_H
#define RELEARN_REGISTRY_INTERNAL_H

#include "access/genam.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/array.h"

#include "compat.h"
#include "registry/registry.h"

#define RIGHT_ALL (RIGHT_PREDICT | RIGHT_TRAIN | RIGHT_DEPLOY)
#define PUBLIC_ROLE "public"

/* Columns of ml._model and ml._version in their order. */
typedef enum ModelColumn
{
	MODEL_ID = 1,
	MODEL_OWNER_OID,
	MODEL_LAST_VERSION,
	MODEL_CURRENT_VERSION,
	MODEL_CREATED_AT,
	MODEL_CURRENT_SHA256,
	MODEL_NAME,
	MODEL_OWNER,
	MODEL_GRANTEES,
	MODEL_GRANTEE_OIDS,
	MODEL_GRANTEE_RIGHTS
} ModelColumn;

#define MODEL_COLUMNS MODEL_GRANTEE_RIGHTS

typedef enum VersionColumn
{
	VERSION_MODEL = 1,
	VERSION_VERSION,
	VERSION_BYTES,
	VERSION_CREATED_AT,
	VERSION_DROPPED_AT,
	VERSION_SHA256,
	VERSION_ARTIFACT = 12
} VersionColumn;

#define ALIAS_VERSION 3			/* column of ml._alias */
#define RUN_SEED 3				/* columns of ml._run */
#define RUN_TEST_ROWS 6
#define RUN_ARGUMENTS 11
#define RUN_METRICS 12

/* A row of ml._model.  Datums point into the tuple it was read from. */
typedef struct ModelRow
{
	pg_uuid_t	id;
	char		name[NAMEDATALEN];
	char		owner[NAMEDATALEN];
	Oid			owner_oid;
	int			last_version;
	int			current_version;	/* 0: none */
	Datum		current_sha256;
	Datum		grantees;		/* text[], oid[] and integer[] of one length */
	Datum		grantee_oids;
	Datum		grantee_rights;
} ModelRow;

/* ---- rows.c: reading a row by its key, without SPI ---- */
typedef struct RowScan
{
	Relation	table;
	Relation	index;			/* NULL: the row was found without it */
	IndexScanDesc scan;
	TupleTableSlot *slot;
	bool		pushed;			/* a snapshot of our own */
} RowScan;

extern Oid	registry_relation(const char *name);

/* Position on the row with the given key; false where there is none.  End it in both cases. */
extern bool row_scan_begin(RowScan *s, const char *table, const char *index, ScanKey keys, int nkeys);
extern Datum row_scan_value(RowScan *s, int column, bool *isnull);
extern void row_scan_end(RowScan *s);

extern bool model_scan_begin(RowScan *s, const char *name, ModelRow *row);
extern bool version_scan_begin(RowScan *s, const char *table, const pg_uuid_t *model, int version);
extern bool alias_scan_begin(RowScan *s, const pg_uuid_t *model, const char *alias);

extern void model_row_read(ModelRow *row, const Datum *values, const bool *nulls);
extern void copy_name(char *to, Datum value);

/* ---- rights.c ---- */
extern int	model_rights(const ModelRow *row, Oid user);
extern void check_right(const ModelRow *row, ModelRight right, Oid user);

/* ---- names.c ---- */

/* A model reference taken apart: one of version and alias, or neither. */
typedef struct Reference
{
	char		name[NAMEDATALEN];
	char		alias[NAMEDATALEN]; /* "": none */
	int			version;		/* 0: none */
} Reference;

extern void parse_reference(const char *text, Reference *reference);

/* Fill buffer (NAMEDATALEN) or fail where the name cannot be one; what: "model" or "alias". */
extern void check_name(const char *name, const char *what);

pg_noreturn extern void no_such_model(const char *name);
pg_noreturn extern void no_such_version(const char *name, const pg_uuid_t *model, int version);
pg_noreturn extern void no_such_alias(const char *name, const char *alias);

/* ---- write.c: writing as the owner of our tables ---- */
typedef struct RegistryWrite
{
	Oid			caller;
	int			security;
	int			gucs;
} RegistryWrite;

extern void require_writable(const char *what);

/* what: "ml.deploy()", for messages.  An error in between needs no clean-up. */
extern void write_begin(RegistryWrite *w, const char *what);
extern void write_end(RegistryWrite *w);

/* Lock the row of a model until the end of the transaction; false where there is none. */
extern bool lock_model(const char *name, ModelRow *row);

/* write_begin, lock or fail, check the right. */
extern void change_begin(RegistryWrite *w, const char *what, const char *name, ModelRight right, ModelRow *row);

/* Columns in the order of ModelColumn. */
#define MODEL_ROW_SELECT \
	"SELECT id, owner_oid, last_version, current_version, created_at, current_sha256, name, owner, grantees, grantee_oids, grantee_rights " \
	"FROM ml._model"

/* A statement with its arguments. */
#define MAX_ARGUMENTS 16

typedef struct Statement
{
	const char *sql;
	int			n;
	Oid			types[MAX_ARGUMENTS];
	Datum		values[MAX_ARGUMENTS];
	char		nulls[MAX_ARGUMENTS];
} Statement;

extern void add_argument(Statement *s, Oid type, Datum value);
extern void add_uuid(Statement *s, const pg_uuid_t *value);
extern void add_int(Statement *s, int value);
extern void add_text(Statement *s, const char *value);	/* NULL: null */
extern uint64 run_statement(Statement *s);	/* rows touched; result in SPI_tuptable */

/* Of a role that exists, for the "by" columns. */
extern char *role_name(Oid role);

/* ---- locked.c ---- */

/* An error where a version split by the rule would learn from test rows of the model's versions; the locked rule, or NULL. */
extern const SplitRule *check_locked_split(const ModelRow *row, const SplitRule *rule);

/* ---- manage.c ---- */

/* An argument that must not be null: writers are not strict, which would do nothing and say nothing. */
extern char *required_text(FunctionCallInfo fcinfo, int argument, const char *name);
extern int	required_int(FunctionCallInfo fcinfo, int argument, const char *name);

/* ---- deploy.c ---- */

/* Make a version the one in production; undo: the step a rollback returns to, 0 for none. */
extern void deploy_version(const RegistryWrite *w, const ModelRow *row, int version, const char *action, int undo);

#endif
