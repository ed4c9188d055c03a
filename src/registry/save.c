/*
 * save.c
 *		A finished training becomes the next version of its model.
 *
 * Everything happens at the end of the training, behind the lock on the model's row: numbers have no gaps, two trainings of one name wait for
 * each other for milliseconds only, and a rollback leaves nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "registry_internal.h"

static void
create_model(const RegistryWrite *w, const char *name)
{
	Statement	create = {.sql =
		"INSERT INTO ml._model (id, owner_oid, last_version, created_at, name, owner, grantees, grantee_oids, grantee_rights) "
		"VALUES (gen_random_uuid(), $1, 0, clock_timestamp(), $2, $3, '{}', '{}', '{}') ON CONFLICT (name) DO NOTHING"};

	add_argument(&create, OIDOID, ObjectIdGetDatum(w->caller));
	add_text(&create, name);
	add_text(&create, role_name(w->caller));
	run_statement(&create);
}

/* Lock the model's row, made where there is none.  Loops where another session drops or renames the model in between. */
static void
lock_or_create_model(const RegistryWrite *w, const char *name, ModelRow *row)
{
	while (!lock_model(name, row))
		create_model(w, name);
}

static void
add_bytes(Statement *s, const uint8 *bytes, Size length)
{
	bytea	   *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	add_argument(s, BYTEAOID, PointerGetDatum(value));
}

static void
add_texts(Statement *s, const List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell   *cell;
	int			n = 0;

	foreach(cell, texts)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	add_argument(s, TEXTARRAYOID, PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT)));
}

static void
insert_version(const RegistryWrite *w, const ModelRow *row, int version, const RunRecord *run, const Model *model, bytea *artifact)
{
	Statement	insert = {.sql =
		"INSERT INTO ml._version (model, version, bytes, created_at, sha256, created_by, algorithm, task, target, note, artifact) "
		"VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7, $8, $9, $10)"};

	add_uuid(&insert, &row->id);
	add_int(&insert, version);
	add_int(&insert, VARSIZE_ANY_EXHDR(artifact));
	add_bytes(&insert, model->sha256, SHA256_BYTES);
	add_text(&insert, role_name(w->caller));
	add_text(&insert, run->algorithm);
	add_text(&insert, run->task);
	add_text(&insert, run->target);
	add_text(&insert, run->note);
	add_argument(&insert, BYTEAOID, PointerGetDatum(artifact));
	run_statement(&insert);
}

static void
insert_run(const ModelRow *row, int version, const RunRecord *run)
{
	Statement	insert = {.sql =
		"INSERT INTO ml._run (model, version, seed, n_train, n_validation, n_test, seconds, fingerprint, source, params, arguments, metrics, warnings) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12::jsonb, $13)"};

	add_uuid(&insert, &row->id);
	add_int(&insert, version);
	add_argument(&insert, INT8OID, Int64GetDatum(run->seed));
	for (int part = 0; part < NPARTS; part++)
		add_argument(&insert, INT8OID, Int64GetDatum(run->nrows[part]));
	add_argument(&insert, FLOAT8OID, Float8GetDatum(run->seconds));
	add_bytes(&insert, run->fingerprint, 16);
	add_text(&insert, run->source);
	add_text(&insert, run->params);
	add_text(&insert, run->arguments);
	add_text(&insert, run->metrics);
	add_texts(&insert, run->warnings);
	run_statement(&insert);
}

static void
count_version(const ModelRow *row, int version)
{
	Statement	update = {.sql = "UPDATE ml._model SET last_version = $2 WHERE id = $1"};

	add_uuid(&update, &row->id);
	add_int(&update, version);
	run_statement(&update);
}

/* Another training may have ended since the first check: only a new snapshot shows its version. */
static void
check_again(const ModelRow *row, const SplitRule *rule)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	(void) check_locked_split(row, rule);
	PopActiveSnapshot();
}

int
registry_save(const RunRecord *run, const Model *model, bytea *artifact)
{
	RegistryWrite w;
	ModelRow	row;
	int			version;

	check_name(run->name, "model");
	write_begin(&w, run->call);
	lock_or_create_model(&w, run->name, &row);
	check_right(&row, RIGHT_TRAIN, w.caller);
	if (run->split != NULL)
		check_again(&row, run->split);
	version = row.last_version + 1;
	count_version(&row, version);
	insert_version(&w, &row, version, run, model, artifact);
	insert_run(&row, version, run);
	if (row.current_version == 0)
		deploy_version(&w, &row, version, "first version", 0);
	write_end(&w);
	return version;
}
