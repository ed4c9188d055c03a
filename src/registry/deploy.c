/*
 * deploy.c
 *		Which version answers: deployments, rollbacks, aliases.
 *
 * Deployments are only added.  Each remembers the step that a rollback from it returns to, so a chain of rollbacks walks back through what was
 * deployed like undo in an editor, and a rollback can itself be seen in the history.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "registry_internal.h"

PG_FUNCTION_INFO_V1(ml_deploy);
PG_FUNCTION_INFO_V1(ml_rollback);
PG_FUNCTION_INFO_V1(ml_set_alias);

static int
result_int(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static void
require_version(const ModelRow *row, int version)
{
	Statement	find = {.sql = "SELECT FROM ml._version WHERE model = $1 AND version = $2 AND dropped_at IS NULL"};

	add_uuid(&find, &row->id);
	add_int(&find, version);
	if (run_statement(&find) == 0)
		no_such_version(row->name, &row->id, version);
}

void
deploy_version(const RegistryWrite *w, const ModelRow *row, int version, const char *action, int undo)
{
	Statement	append = {.sql =
		"INSERT INTO ml._deployment (model, step, version, undo, deployed_at, deployed_by, action) "
		"SELECT $1, coalesce(max(step), 0) + 1, $2, nullif($3, 0), clock_timestamp(), $4, $5 FROM ml._deployment WHERE model = $1"};
	Statement	point = {.sql =
		"UPDATE ml._model SET current_version = $2, "
		"current_sha256 = (SELECT sha256 FROM ml._version WHERE model = $1 AND version = $2) WHERE id = $1"};

	add_uuid(&append, &row->id);
	add_int(&append, version);
	add_int(&append, undo);
	add_text(&append, role_name(w->caller));
	add_text(&append, action);
	run_statement(&append);

	add_uuid(&point, &row->id);
	add_int(&point, version);
	run_statement(&point);
}

static int
last_step(const ModelRow *row)
{
	Statement	last = {.sql = "SELECT max(step) FROM ml._deployment WHERE model = $1"};

	add_uuid(&last, &row->id);
	run_statement(&last);
	return result_int(1);
}

Datum
ml_deploy(PG_FUNCTION_ARGS)
{
	char	   *name = required_text(fcinfo, 0, "model");
	int			version = required_int(fcinfo, 1, "version");
	RegistryWrite w;
	ModelRow	row;

	change_begin(&w, "ml.deploy()", name, RIGHT_DEPLOY, &row);
	require_version(&row, version);
	if (version != row.current_version)
		deploy_version(&w, &row, version, "deploy", last_step(&row));
	write_end(&w);
	PG_RETURN_INT32(version);
}

/*
 * The deployment to return to: the nearest one back whose version still exists and is another than the present one.  Steps on the way back have
 * falling numbers.
 */
static bool
find_undo(const ModelRow *row, int *version, int *undo)
{
	Statement	find = {.sql =
		"WITH RECURSIVE back AS ("
		"(SELECT step, version, undo FROM ml._deployment WHERE model = $1 ORDER BY step DESC LIMIT 1) "
		"UNION ALL SELECT d.step, d.version, d.undo FROM back b JOIN ml._deployment d ON d.model = $1 AND d.step = b.undo) "
		"SELECT b.version, b.undo FROM back b "
		"JOIN ml._version v ON v.model = $1 AND v.version = b.version AND v.dropped_at IS NULL "
		"WHERE b.version <> $2 ORDER BY b.step DESC LIMIT 1"};

	add_uuid(&find, &row->id);
	add_int(&find, row->current_version);
	if (run_statement(&find) == 0)
		return false;
	*version = result_int(1);
	*undo = result_int(2);
	return true;
}

Datum
ml_rollback(PG_FUNCTION_ARGS)
{
	char	   *name = required_text(fcinfo, 0, "model");
	RegistryWrite w;
	ModelRow	row;
	int			version;
	int			undo;

	change_begin(&w, "ml.rollback()", name, RIGHT_DEPLOY, &row);
	if (!find_undo(&row, &version, &undo))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no earlier deployment to go back to", row.name),
				 errdetail("Version %d is in production.", row.current_version),
				 errhint("ml.deploy puts a version of your choice into production.")));
	deploy_version(&w, &row, version, "rollback", undo);
	write_end(&w);
	PG_RETURN_INT32(version);
}

/* ---- aliases ---- */

static void
remove_alias(const ModelRow *row, const char *alias)
{
	Statement	remove = {.sql = "DELETE FROM ml._alias WHERE model = $1 AND alias = $2"};

	add_uuid(&remove, &row->id);
	add_text(&remove, alias);
	if (run_statement(&remove) == 0)
		no_such_alias(row->name, alias);
}

static void
put_alias(const RegistryWrite *w, const ModelRow *row, const char *alias, int version)
{
	Statement	put = {.sql =
		"INSERT INTO ml._alias (model, alias, version, set_at, set_by) VALUES ($1, $2, $3, clock_timestamp(), $4) "
		"ON CONFLICT (model, alias) DO UPDATE SET version = EXCLUDED.version, set_at = EXCLUDED.set_at, set_by = EXCLUDED.set_by"};

	require_version(row, version);
	add_uuid(&put, &row->id);
	add_text(&put, alias);
	add_int(&put, version);
	add_text(&put, role_name(w->caller));
	run_statement(&put);
}

Datum
ml_set_alias(PG_FUNCTION_ARGS)
{
	RegistryWrite w;
	ModelRow	row;
	char	   *name = required_text(fcinfo, 0, "model");
	char	   *alias = required_text(fcinfo, 1, "alias");

	check_name(alias, "alias");
	change_begin(&w, "ml.set_alias()", name, RIGHT_DEPLOY, &row);
	if (PG_ARGISNULL(2))
		remove_alias(&row, alias);
	else
		put_alias(&w, &row, alias, PG_GETARG_INT32(2));
	write_end(&w);
	PG_RETURN_VOID();
}
