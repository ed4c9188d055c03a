/*
 * rows.c
 *		Rows of our tables by their key, straight from the index.
 *
 * A prediction by name reads one such row per statement; going through SPI would cost more than the prediction.  Reads run under the active
 * snapshot, so that one statement answers with one version, and take no locks beyond that on the relation.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "compat.h"
#include "registry_internal.h"

Oid
registry_relation(const char *name)
{
	Oid			relation = get_relname_relid(name, get_namespace_oid("ml", false));

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"ml.%s\" does not exist", name),
				 errhint("The extension relearn is not installed completely; drop and create it.")));
	return relation;
}

bool
row_scan_begin(RowScan *s, const char *table, const char *index, ScanKey keys, int nkeys)
{
	s->pushed = !ActiveSnapshotSet();
	if (s->pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	s->table = table_open(registry_relation(table), AccessShareLock);
	s->index = index_open(registry_relation(index), AccessShareLock);
	s->slot = table_slot_create(s->table, NULL);
	s->scan = begin_index_scan(s->table, s->index, GetActiveSnapshot(), nkeys);
	index_rescan(s->scan, keys, nkeys, NULL, 0);
	return index_getnext_slot(s->scan, ForwardScanDirection, s->slot);
}

Datum
row_scan_value(RowScan *s, int column, bool *isnull)
{
	return slot_getattr(s->slot, column, isnull);
}

void
row_scan_end(RowScan *s)
{
	index_endscan(s->scan);
	ExecDropSingleTupleTableSlot(s->slot);
	index_close(s->index, AccessShareLock);
	table_close(s->table, AccessShareLock);
	if (s->pushed)
		PopActiveSnapshot();
}

static void
equals(ScanKey key, int column, Oid collation, RegProcedure procedure, Datum value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid, collation, procedure, value);
}

bool
model_scan_begin(RowScan *s, const char *name, ModelRow *row)
{
	ScanKeyData key;

	equals(&key, 1, C_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(name));
	if (!row_scan_begin(s, "_model", "_model_name_key", &key, 1))
		return false;
	slot_getsomeattrs(s->slot, MODEL_COLUMNS);
	model_row_read(row, s->slot->tts_values, s->slot->tts_isnull);
	return true;
}

bool
version_scan_begin(RowScan *s, const char *table, const pg_uuid_t *model, int version)
{
	ScanKeyData key[2];
	char		index[NAMEDATALEN];

	snprintf(index, sizeof(index), "%s_pkey", table);
	equals(&key[0], 1, InvalidOid, F_UUID_EQ, UUIDPGetDatum(model));
	equals(&key[1], 2, InvalidOid, F_INT4EQ, Int32GetDatum(version));
	return row_scan_begin(s, table, index, key, 2);
}

bool
alias_scan_begin(RowScan *s, const pg_uuid_t *model, const char *alias)
{
	ScanKeyData key[2];

	equals(&key[0], 1, InvalidOid, F_UUID_EQ, UUIDPGetDatum(model));
	equals(&key[1], 2, C_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(alias));
	return row_scan_begin(s, "_alias", "_alias_pkey", key, 2);
}

void
copy_name(char *to, Datum value)
{
	text_to_cstring_buffer(DatumGetTextPP(value), to, NAMEDATALEN);
}

void
model_row_read(ModelRow *row, const Datum *values, const bool *nulls)
{
	row->id = *DatumGetUUIDP(values[MODEL_ID - 1]);
	copy_name(row->name, values[MODEL_NAME - 1]);
	copy_name(row->owner, values[MODEL_OWNER - 1]);
	row->owner_oid = DatumGetObjectId(values[MODEL_OWNER_OID - 1]);
	row->last_version = DatumGetInt32(values[MODEL_LAST_VERSION - 1]);
	row->current_version = nulls[MODEL_CURRENT_VERSION - 1] ? 0 : DatumGetInt32(values[MODEL_CURRENT_VERSION - 1]);
	row->current_sha256 = values[MODEL_CURRENT_SHA256 - 1];
	row->grantees = values[MODEL_GRANTEES - 1];
	row->grantee_oids = values[MODEL_GRANTEE_OIDS - 1];
	row->grantee_rights = values[MODEL_GRANTEE_RIGHTS - 1];
}
