/*
 * manage.c
 *		Notes, names, and the end of versions and models.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "registry_internal.h"

PG_FUNCTION_INFO_V1(ml_set_note);
PG_FUNCTION_INFO_V1(ml_rename_model);
PG_FUNCTION_INFO_V1(ml_drop_version);
PG_FUNCTION_INFO_V1(ml_drop_model);

static void
refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

char *
required_text(FunctionCallInfo fcinfo, int argument, const char *name)
{
	refuse_null(fcinfo, argument, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

int
required_int(FunctionCallInfo fcinfo, int argument, const char *name)
{
	refuse_null(fcinfo, argument, name);
	return PG_GETARG_INT32(argument);
}

Datum
ml_set_note(PG_FUNCTION_ARGS)
{
	char	   *name = required_text(fcinfo, 0, "model");
	int			version = required_int(fcinfo, 1, "version");
	Statement	set = {.sql = "UPDATE ml._version SET note = $3 WHERE model = $1 AND version = $2"};
	RegistryWrite w;
	ModelRow	row;

	change_begin(&w, "ml.set_note()", name, RIGHT_TRAIN, &row);
	add_uuid(&set, &row.id);
	add_int(&set, version);
	add_text(&set, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (run_statement(&set) == 0)
		no_such_version(row.name, &row.id, version);
	write_end(&w);
	PG_RETURN_VOID();
}

Datum
ml_rename_model(PG_FUNCTION_ARGS)
{
	char	   *name = required_text(fcinfo, 0, "model");
	char	   *new_name = required_text(fcinfo, 1, "new_name");
	Statement	taken = {.sql = "SELECT FROM ml._model WHERE name = $1"};
	Statement	change = {.sql = "UPDATE ml._model SET name = $2 WHERE id = $1"};
	RegistryWrite w;
	ModelRow	row;

	check_name(new_name, "model");
	change_begin(&w, "ml.rename_model()", name, RIGHT_OWN, &row);
	add_text(&taken, new_name);
	if (run_statement(&taken) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", new_name)));
	add_uuid(&change, &row.id);
	add_text(&change, new_name);
	run_statement(&change);
	write_end(&w);
	PG_RETURN_VOID();
}

/* ---- dropping ---- */

static void
refuse_in_use(const ModelRow *row, int version)
{
	Statement	aliases = {.sql = "SELECT alias FROM ml._alias WHERE model = $1 AND version = $2 ORDER BY alias LIMIT 1"};

	if (version == row->current_version)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot drop version %d of model \"%s\" because it is in production", version, row->name),
				 errhint("Deploy another version first, or drop the whole model with ml.drop_model.")));
	add_uuid(&aliases, &row->id);
	add_int(&aliases, version);
	if (run_statement(&aliases) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot drop version %d of model \"%s\" because alias \"%s\" names it", version, row->name,
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Point the alias at another version with ml.set_alias, or remove it by giving null as the version.")));
}

Datum
ml_drop_version(PG_FUNCTION_ARGS)
{
	char	   *name = required_text(fcinfo, 0, "model");
	int			version = required_int(fcinfo, 1, "version");
	Statement	drop = {.sql =
		"UPDATE ml._version SET artifact = NULL, dropped_at = clock_timestamp() WHERE model = $1 AND version = $2 AND dropped_at IS NULL"};
	RegistryWrite w;
	ModelRow	row;

	change_begin(&w, "ml.drop_version()", name, RIGHT_OWN, &row);
	refuse_in_use(&row, version);
	add_uuid(&drop, &row.id);
	add_int(&drop, version);
	if (run_statement(&drop) == 0)
		no_such_version(row.name, &row.id, version);
	write_end(&w);
	PG_RETURN_VOID();
}

Datum
ml_drop_model(PG_FUNCTION_ARGS)
{
	static const char *const deletes[] = {
		"DELETE FROM ml._test_evaluation WHERE model = $1",
		"DELETE FROM ml._alias WHERE model = $1",
		"DELETE FROM ml._deployment WHERE model = $1",
		"DELETE FROM ml._run WHERE model = $1",
		"DELETE FROM ml._version WHERE model = $1",
		"DELETE FROM ml._model WHERE id = $1",
	};
	char	   *name = required_text(fcinfo, 0, "model");
	RegistryWrite w;
	ModelRow	row;

	change_begin(&w, "ml.drop_model()", name, RIGHT_OWN, &row);
	for (int i = 0; i < (int) lengthof(deletes); i++)
	{
		Statement	statement = {.sql = deletes[i]};

		add_uuid(&statement, &row.id);
		run_statement(&statement);
	}
	write_end(&w);
	PG_RETURN_VOID();
}
