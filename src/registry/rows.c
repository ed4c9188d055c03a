/*
 * rows.c
 *		Rows of our tables by their key, straight from the index.
 *
 * A prediction by name reads one such row per statement; going through SPI would cost more than the prediction.  Reads run under the active
 * snapshot, so that one statement answers with one version, and take no locks beyond that on the relation, kept to the end of the transaction as any
 * query's: the next read then finds it held.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "compat.h"
#include "registry_internal.h"

/* ---- relations ---- */

#define KNOWN_RELATIONS 16

static struct
{
	char		name[NAMEDATALEN];
	Oid			oid;
}			known[KNOWN_RELATIONS];
static int	nknown = 0;

/* The catalogue changed: look everything up again. */
static void
forget_relations(Datum argument, int cache, uint32 hash)
{
	nknown = 0;
}

static Oid
look_up_relation(const char *name)
{
	Oid			relation = get_relname_relid(name, get_namespace_oid("ml", false));

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"ml.%s\" does not exist", name),
				 errhint("The extension relearn is not installed completely; drop and create it.")));
	return relation;
}

Oid
registry_relation(const char *name)
{
	static bool watching = false;
	Oid			relation;

	for (int i = 0; i < nknown; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].oid;
	if (!watching)
	{
		CacheRegisterSyscacheCallback(RELOID, forget_relations, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, forget_relations, (Datum) 0);
		watching = true;
	}
	relation = look_up_relation(name);
	if (nknown < KNOWN_RELATIONS)
	{
		strlcpy(known[nknown].name, name, NAMEDATALEN);
		known[nknown++].oid = relation;
	}
	return relation;
}

/* ---- one row ---- */

static void
open_table(RowScan *s, const char *table)
{
	s->pushed = !ActiveSnapshotSet();
	if (s->pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	s->table = table_open(registry_relation(table), AccessShareLock);
	s->slot = table_slot_create(s->table, NULL);
	s->index = NULL;
}

static bool
search_index(RowScan *s, const char *index, ScanKey keys, int nkeys)
{
	s->index = index_open(registry_relation(index), AccessShareLock);
	s->scan = begin_index_scan(s->table, s->index, GetActiveSnapshot(), nkeys);
	index_rescan(s->scan, keys, nkeys, NULL, 0);
	return index_getnext_slot(s->scan, ForwardScanDirection, s->slot);
}

bool
row_scan_begin(RowScan *s, const char *table, const char *index, ScanKey keys, int nkeys)
{
	open_table(s, table);
	return search_index(s, index, keys, nkeys);
}

Datum
row_scan_value(RowScan *s, int column, bool *isnull)
{
	return slot_getattr(s->slot, column, isnull);
}

void
row_scan_end(RowScan *s)
{
	if (s->index != NULL)
	{
		index_endscan(s->scan);
		index_close(s->index, AccessShareLock);
	}
	ExecDropSingleTupleTableSlot(s->slot);
	table_close(s->table, NoLock);
	if (s->pushed)
		PopActiveSnapshot();
}

static void
equals(ScanKey key, int column, Oid collation, RegProcedure procedure, Datum value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid, collation, procedure, value);
}

/* ---- a model by name ---- */

/*
 * Where the row of a model was seen last.  Names are unique, so a row with that name that the snapshot sees is the one an index scan would find; where
 * the row has moved, the index tells.
 */
typedef struct SeenModel
{
	char		name[NAMEDATALEN];
	ItemPointerData tid;
	Buffer		buffer;
} SeenModel;

#define SEEN_MODELS 16

static SeenModel seen_models[SEEN_MODELS];

static bool
has_name(RowScan *s, const char *name, int length)
{
	bool		isnull;
	text	   *value = DatumGetTextPP(slot_getattr(s->slot, MODEL_NAME, &isnull));

	return (int) VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), name, length) == 0;
}

/*
 * Look where the row was seen.  A page that has left its buffer is not read again: it may have been cut off, which a lock on the table excludes only
 * from now on.
 */
static bool
look_again(RowScan *s, SeenModel *seen, const char *name, int length)
{
	bool		found;

	if (memcmp(seen->name, name, length + 1) != 0 ||
		!ReadRecentBuffer(relation_locator(s->table), MAIN_FORKNUM, ItemPointerGetBlockNumber(&seen->tid), seen->buffer))
		return false;
	found = table_tuple_fetch_row_version(s->table, &seen->tid, GetActiveSnapshot(), s->slot) && has_name(s, name, length);
	ReleaseBuffer(seen->buffer);
	return found;
}

static bool
find_model(RowScan *s, const char *name)
{
	int			length = strlen(name);
	SeenModel  *seen = &seen_models[hash_bytes((const unsigned char *) name, length) % SEEN_MODELS];
	ScanKeyData key;

	open_table(s, "_model");
	if (look_again(s, seen, name, length))
		return true;
	equals(&key, 1, C_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(name));
	if (!search_index(s, "_model_name_key", &key, 1))
		return false;
	if (TTS_IS_BUFFERTUPLE(s->slot))
	{
		strcpy(seen->name, name);
		seen->tid = s->slot->tts_tid;
		seen->buffer = ((BufferHeapTupleTableSlot *) s->slot)->buffer;
	}
	return true;
}

bool
model_scan_begin(RowScan *s, const char *name, ModelRow *row)
{
	if (!find_model(s, name))
		return false;
	slot_getsomeattrs(s->slot, MODEL_COLUMNS);
	model_row_read(row, s->slot->tts_values, s->slot->tts_isnull);
	return true;
}

/* ---- other rows ---- */

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
