/*
 * grants.c
 *		Changing who may do what: granting, revoking, and binding roles anew after a restore.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "registry_internal.h"

PG_FUNCTION_INFO_V1(ml_grant_model);
PG_FUNCTION_INFO_V1(ml_revoke_model);
PG_FUNCTION_INFO_V1(ml_adopt_roles);

typedef struct Grant
{
	const char *role;
	Oid			oid;			/* InvalidOid: public */
	int			rights;
} Grant;

/* ---- the lists in a model's row ---- */

static List *
grants_of(const ModelRow *row)
{
	Datum	   *role,
			   *oid,
			   *rights;
	int			n,
				noids,
				nrights;
	List	   *grants = NIL;

	deconstruct_array(DatumGetArrayTypeP(row->grantees), TEXTOID, -1, false, TYPALIGN_INT, &role, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(row->grantee_oids), OIDOID, sizeof(Oid), true, TYPALIGN_INT, &oid, NULL, &noids);
	deconstruct_array(DatumGetArrayTypeP(row->grantee_rights), INT4OID, sizeof(int32), true, TYPALIGN_INT, &rights, NULL, &nrights);
	if (n != noids || n != nrights)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the list of grants of model \"%s\" is damaged", row->name)));
	for (int i = 0; i < n; i++)
	{
		Grant	   *grant = palloc(sizeof(Grant));

		grant->role = TextDatumGetCString(role[i]);
		grant->oid = DatumGetObjectId(oid[i]);
		grant->rights = DatumGetInt32(rights[i]);
		grants = lappend(grants, grant);
	}
	return grants;
}

static Grant *
find_grant(const List *grants, const char *role)
{
	ListCell   *cell;

	foreach(cell, grants)
	{
		Grant	   *grant = lfirst(cell);

		if (strcmp(grant->role, role) == 0)
			return grant;
	}
	return NULL;
}

/* Write owner and grants back; entries without a right are left out. */
static void
store_roles(const ModelRow *row, const List *grants)
{
	Statement	update = {.sql =
		"UPDATE ml._model SET owner = $2, owner_oid = $3, grantees = $4, grantee_oids = $5, grantee_rights = $6 WHERE id = $1"};
	Size		size = sizeof(Datum) * Max(list_length(grants), 1);
	Datum	   *role = palloc(size);
	Datum	   *oid = palloc(size);
	Datum	   *rights = palloc(size);
	ListCell   *cell;
	int			n = 0;

	foreach(cell, grants)
	{
		const Grant *grant = lfirst(cell);

		if (grant->rights == 0)
			continue;
		role[n] = CStringGetTextDatum(grant->role);
		oid[n] = ObjectIdGetDatum(grant->oid);
		rights[n] = Int32GetDatum(grant->rights);
		n++;
	}
	add_uuid(&update, &row->id);
	add_text(&update, row->owner);
	add_argument(&update, OIDOID, ObjectIdGetDatum(row->owner_oid));
	add_argument(&update, TEXTARRAYOID, PointerGetDatum(construct_array(role, n, TEXTOID, -1, false, TYPALIGN_INT)));
	add_argument(&update, OIDARRAYOID, PointerGetDatum(construct_array(oid, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT)));
	add_argument(&update, INT4ARRAYOID, PointerGetDatum(construct_array(rights, n, INT4OID, sizeof(int32), true, TYPALIGN_INT)));
	run_statement(&update);
}

/* ---- grant and revoke ---- */

static int
parse_privilege(const char *privilege)
{
	if (pg_strcasecmp(privilege, "predict") == 0)
		return RIGHT_PREDICT;
	if (pg_strcasecmp(privilege, "train") == 0)
		return RIGHT_TRAIN;
	if (pg_strcasecmp(privilege, "deploy") == 0)
		return RIGHT_DEPLOY;
	if (pg_strcasecmp(privilege, "all") == 0)
		return RIGHT_ALL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("privilege \"%s\" not recognized", privilege),
			 errhint("Valid privileges are predict, train, deploy and all.")));
}

static void
grant_rights(List **grants, const char *role, int rights)
{
	Oid			oid = get_role_oid_or_public(role);
	Grant	   *grant = find_grant(*grants, role);

	if (grant == NULL)
	{
		grant = palloc0(sizeof(Grant));
		grant->role = role;
		*grants = lappend(*grants, grant);
	}
	/* What an earlier role of this name had is not for the present one. */
	if (grant->oid != oid)
		grant->rights = 0;
	grant->oid = oid;
	grant->rights |= rights;
}

/* A role that is gone can still be named, so that what it left can be cleared away. */
static void
revoke_rights(List *grants, const char *role, int rights)
{
	Grant	   *grant = find_grant(grants, role);

	if (grant == NULL)
		(void) get_role_oid_or_public(role);
	else
		grant->rights &= ~rights;
}

static Datum
change_grants(FunctionCallInfo fcinfo, const char *what, bool give)
{
	char	   *name = required_text(fcinfo, 0, "model");
	char	   *role = required_text(fcinfo, 1, "role");
	int			rights = parse_privilege(required_text(fcinfo, 2, "privilege"));
	RegistryWrite w;
	ModelRow	row;
	List	   *grants;

	change_begin(&w, what, name, RIGHT_OWN, &row);
	grants = grants_of(&row);
	if (give)
		grant_rights(&grants, role, rights);
	else
		revoke_rights(grants, role, rights);
	store_roles(&row, grants);
	write_end(&w);
	PG_RETURN_VOID();
}

Datum
ml_grant_model(PG_FUNCTION_ARGS)
{
	return change_grants(fcinfo, "ml.grant_model()", true);
}

Datum
ml_revoke_model(PG_FUNCTION_ARGS)
{
	return change_grants(fcinfo, "ml.revoke_model()", false);
}

/* ---- adopting roles ---- */

typedef struct Adoption
{
	const char *old_name;		/* NULL: every name, each to the role that has it now */
	const char *new_name;
	List	   *done;			/* of Grant: the new name, with the old oid; for the result */
} Adoption;

static void
note_adoption(Adoption *a, const char *new_name, Oid old_oid)
{
	Grant	   *done;
	ListCell   *cell;

	foreach(cell, a->done)
	{
		done = lfirst(cell);
		if (done->oid == old_oid && strcmp(done->role, new_name) == 0)
			return;
	}
	done = palloc0(sizeof(Grant));
	done->role = pstrdup(new_name);
	done->oid = old_oid;
	a->done = lappend(a->done, done);
}

/* The role that a stored pair shall mean from now on; false where it stays as it is. */
static bool
adopt(Adoption *a, const char *name, Oid oid, const char **new_name, Oid *new_oid)
{
	if (a->old_name != NULL && strcmp(name, a->old_name) != 0)
		return false;
	*new_name = a->old_name ? a->new_name : name;
	*new_oid = get_role_oid(*new_name, a->old_name == NULL);
	if (!OidIsValid(*new_oid) || (*new_oid == oid && strcmp(*new_name, name) == 0))
		return false;
	note_adoption(a, *new_name, oid);
	return true;
}

static List *
adopt_grants(Adoption *a, List *grants, bool *changed)
{
	List	   *adopted = NIL;
	ListCell   *cell;

	foreach(cell, grants)
	{
		Grant	   *grant = lfirst(cell);
		Grant	   *same;

		if (OidIsValid(grant->oid) && adopt(a, grant->role, grant->oid, &grant->role, &grant->oid))
			*changed = true;
		same = find_grant(adopted, grant->role);
		if (same != NULL)
			same->rights |= grant->rights;
		else
			adopted = lappend(adopted, grant);
	}
	return adopted;
}

static void
adopt_in_model(Adoption *a, ModelRow *row)
{
	bool		changed = false;
	const char *owner = row->owner;
	List	   *grants = adopt_grants(a, grants_of(row), &changed);

	if (adopt(a, owner, row->owner_oid, &owner, &row->owner_oid))
	{
		changed = true;
		if (owner != row->owner)
			strlcpy(row->owner, owner, NAMEDATALEN);
	}
	if (changed)
		store_roles(row, grants);
}

static void
adopt_in_all(Adoption *a)
{
	Statement	lock = {.sql = MODEL_ROW_SELECT " ORDER BY id FOR UPDATE"};
	uint64		n = run_statement(&lock);
	SPITupleTable *models = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		Datum		values[MODEL_COLUMNS];
		bool		nulls[MODEL_COLUMNS];
		ModelRow	row;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(models->vals[i], models->tupdesc, values, nulls);
		model_row_read(&row, values, nulls);
		adopt_in_model(a, &row);
	}
}

static void
adoption_arguments(FunctionCallInfo fcinfo, Adoption *a)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to adopt roles")));
	if (PG_ARGISNULL(0) != PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("old_name and new_name go together"),
				 errhint("Give both to pass on what one role had, or none to bind all names anew.")));
	if (PG_ARGISNULL(0))
		return;
	a->old_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	a->new_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
}

Datum
ml_adopt_roles(PG_FUNCTION_ARGS)
{
	Adoption	a = {.done = NIL};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RegistryWrite w;
	ListCell   *cell;

	adoption_arguments(fcinfo, &a);
	InitMaterializedSRF(fcinfo, 0);
	write_begin(&w, "ml.adopt_roles()");
	adopt_in_all(&a);
	foreach(cell, a.done)
	{
		const Grant *done = lfirst(cell);
		Datum		values[3] = {CStringGetTextDatum(done->role), ObjectIdGetDatum(done->oid), ObjectIdGetDatum(get_role_oid(done->role, false))};
		bool		nulls[3] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	write_end(&w);
	return (Datum) 0;
}
