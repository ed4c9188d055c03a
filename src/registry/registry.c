/*
 * registry.c
 *		From a reference to a model: finding the version, checking the right, loading the bytes.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "registry_internal.h"

PG_FUNCTION_INFO_V1(ml_artifact);

static void
copy_sha256(uint8 *to, Datum bytes, const ModelVersion *version)
{
	bytea	   *sha256 = DatumGetByteaPP(bytes);

	if (VARSIZE_ANY_EXHDR(sha256) != SHA256_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the sha-256 of model \"%s\" version %d in the registry is damaged", version->name, version->version)));
	memcpy(to, VARDATA_ANY(sha256), SHA256_BYTES);
}

static int
alias_version(const ModelVersion *model, const char *alias)
{
	RowScan		scan;
	bool		isnull;
	int			version;

	if (!alias_scan_begin(&scan, &model->model, alias))
	{
		row_scan_end(&scan);
		no_such_alias(model->name, alias);
	}
	version = DatumGetInt32(row_scan_value(&scan, ALIAS_VERSION, &isnull));
	row_scan_end(&scan);
	return version;
}

/* The sha-256 of a version that is not the deployed one. */
static void
resolve_version(ModelVersion *result, int version)
{
	RowScan		scan;
	bool		dropped = true;
	bool		isnull;

	result->version = version;
	if (version_scan_begin(&scan, "_version", &result->model, version))
	{
		row_scan_value(&scan, VERSION_DROPPED_AT, &isnull);
		dropped = !isnull;
		if (!dropped)
			copy_sha256(result->sha256, row_scan_value(&scan, VERSION_SHA256, &isnull), result);
	}
	row_scan_end(&scan);
	if (dropped)
		no_such_version(result->name, &result->model, version);
}

static void
resolve_deployed(ModelVersion *result, const ModelRow *row)
{
	if (row->current_version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no version in production", row->name),
				 errhint("Put one there with ml.deploy.")));
	result->version = row->current_version;
	copy_sha256(result->sha256, row->current_sha256, result);
}

void
registry_resolve(const char *reference, ModelRight right, ModelVersion *result)
{
	Reference	parts;
	RowScan		scan;
	ModelRow	row;

	parse_reference(reference, &parts);
	if (!model_scan_begin(&scan, parts.name, &row))
	{
		row_scan_end(&scan);
		no_such_model(parts.name);
	}
	check_right(&row, right, GetUserId());
	result->model = row.id;
	strcpy(result->name, row.name);
	if (parts.version == 0 && parts.alias[0] == '\0')
		resolve_deployed(result, &row);
	row_scan_end(&scan);

	if (parts.alias[0] != '\0')
		parts.version = alias_version(result, parts.alias);
	if (parts.version != 0)
		resolve_version(result, parts.version);
}

/* The bytes of a version, palloc'd; their hash may still be wrong. */
static bytea *
load_artifact(const ModelVersion *version)
{
	RowScan		scan;
	bool		isnull = true;
	bytea	   *artifact = NULL;

	if (version_scan_begin(&scan, "_version", &version->model, version->version))
	{
		Datum		value = row_scan_value(&scan, VERSION_ARTIFACT, &isnull);

		if (!isnull)
			artifact = DatumGetByteaPCopy(value);
	}
	row_scan_end(&scan);
	if (isnull)
		no_such_version(version->name, &version->model, version->version);
	return artifact;
}

static Model *
load_model(const ModelVersion *version)
{
	bytea	   *artifact = load_artifact(version);
	const uint8 *bytes = (const uint8 *) VARDATA(artifact);
	Size		length = VARSIZE(artifact) - VARHDRSZ;
	char	   *origin = psprintf("model \"%s\" version %d", version->name, version->version);
	uint8		sha256[SHA256_BYTES];
	Model	   *model;

	if (!artifact_sha256(bytes, length, sha256) || memcmp(sha256, version->sha256, SHA256_BYTES) != 0)
	{
		ByteReader	reader = {.origin = origin,.way_out = DAMAGED_MODEL_HINT};

		damaged(&reader, "Its bytes do not end with the sha-256 that the registry holds.");
	}
	model = model_cache_add(bytes, length, origin);
	pfree(artifact);
	pfree(origin);
	return model;
}

Model *
registry_open(const ModelVersion *version)
{
	Model	   *model = model_cache_pin(version->sha256);

	return model ? model : load_model(version);
}

char *
registry_run_metrics(const ModelVersion *version)
{
	RowScan		scan;
	bool		isnull;
	char	   *metrics = NULL;

	if (version_scan_begin(&scan, "_run", &version->model, version->version))
	{
		Jsonb	   *stored = DatumGetJsonbP(row_scan_value(&scan, RUN_METRICS, &isnull));

		metrics = JsonbToCString(NULL, &stored->root, VARSIZE(stored));
	}
	row_scan_end(&scan);
	if (metrics == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version %d of model \"%s\" has no record of its training", version->version, version->name)));
	return metrics;
}

void
registry_check_trainable(const char *name)
{
	RowScan		scan;
	ModelRow	row;

	require_writable("ml.train()");
	check_name(name, "model");
	if (model_scan_begin(&scan, name, &row))
		check_right(&row, RIGHT_TRAIN, GetUserId());
	row_scan_end(&scan);
}

Datum
ml_artifact(PG_FUNCTION_ARGS)
{
	ModelVersion version;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), RIGHT_TRAIN, &version);
	PG_RETURN_BYTEA_P(load_artifact(&version));
}
