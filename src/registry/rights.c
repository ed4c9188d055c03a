/*
 * rights.c
 *		Who may do what with a model.
 *
 * Owner and grantees are kept as pairs of a role's name and oid.  A pair counts only where both still belong to one role: the oid alone would
 * hand a model to whoever has that number after a restore, the name alone to whoever re-creates a dropped role.  ml.adopt_roles() binds anew.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "registry_internal.h"

PG_FUNCTION_INFO_V1(ml_rights);

/* Do name and oid still belong to one role? */
static bool
pair_holds(Oid oid, const char *name)
{
	HeapTuple	role = SearchSysCache1(AUTHOID, ObjectIdGetDatum(oid));
	bool		same;

	if (!HeapTupleIsValid(role))
		return false;
	same = strcmp(NameStr(((Form_pg_authid) GETSTRUCT(role))->rolname), name) == 0;
	ReleaseSysCache(role);
	return same;
}

/* Does the pair name a role of today whose privileges the user has? */
static bool
has_privs_of_pair(Oid user, Oid oid, const char *name)
{
	return has_privs_of_role(user, oid) && pair_holds(oid, name);
}

static ArrayType *
grant_array(Datum datum, Oid type, int *n)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the list of grants of a model is damaged")));
	return array;
}

static const char *
grantee_name(ArrayType *grantees, int index)
{
	bool		isnull;
	int			subscript = ARR_LBOUND(grantees)[0] + index;
	Datum		name = array_get_element(PointerGetDatum(grantees), 1, &subscript, -1, -1, false, TYPALIGN_INT, &isnull);

	return TextDatumGetCString(name);
}

static int
granted_rights(const ModelRow *row, Oid user)
{
	int			n,
				noids,
				nrights,
				held = 0;
	ArrayType  *names = grant_array(row->grantees, TEXTOID, &n);
	const Oid  *oid = (const Oid *) ARR_DATA_PTR(grant_array(row->grantee_oids, OIDOID, &noids));
	const int32 *rights = (const int32 *) ARR_DATA_PTR(grant_array(row->grantee_rights, INT4OID, &nrights));

	if (n != noids || n != nrights)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the list of grants of model \"%s\" is damaged", row->name)));
	for (int i = 0; i < n; i++)
		if (!OidIsValid(oid[i]) || has_privs_of_pair(user, oid[i], grantee_name(names, i)))
			held |= rights[i] & RIGHT_ALL;
	return held;
}

int
model_rights(const ModelRow *row, Oid user)
{
	if (superuser_arg(user) || has_privs_of_pair(user, row->owner_oid, row->owner))
		return RIGHT_ALL | RIGHT_OWN;
	return granted_rights(row, user);
}

static const char *
right_name(ModelRight right)
{
	return right == RIGHT_PREDICT ? "predict" : right == RIGHT_TRAIN ? "train" : "deploy";
}

/* A model whose owner's pair does not hold is nobody's but the superusers': what became of the role, and how to bind the model anew. */
static char *
lost_owner_hint(const ModelRow *row)
{
	const char *owner = quote_literal_cstr(row->owner);
	const char *renamed = GetUserNameFromId(row->owner_oid, true);

	if (OidIsValid(get_role_oid(row->owner, true)))
		return psprintf("Role \"%s\" is not the very role that owned it: it was created anew, or restored into another server. A superuser binds what "
						"that had to this: SELECT * FROM ml.adopt_roles(%s, %s), or ml.adopt_roles() for all names.", row->owner, owner, owner);
	if (renamed != NULL)
		return psprintf("The role of its owner, \"%s\", is now called \"%s\". A superuser passes on what it had: SELECT * FROM ml.adopt_roles(%s, %s).",
						row->owner, renamed, owner, quote_literal_cstr(renamed));
	return psprintf("Its owner, role \"%s\", is gone. A superuser passes on what it had to another role: SELECT * FROM ml.adopt_roles(%s, 'other role').",
					row->owner, owner);
}

static char *
right_hint(const ModelRow *row, ModelRight right, Oid user)
{
	if (!pair_holds(row->owner_oid, row->owner))
		return lost_owner_hint(row);
	if (right == RIGHT_OWN)
		return psprintf("Only its owner, role \"%s\", and superusers may do this.", row->owner);
	return psprintf("Its owner, role \"%s\", can give it: SELECT ml.grant_model(%s, %s, '%s').", row->owner,
					quote_literal_cstr(row->name), quote_literal_cstr(GetUserNameFromId(user, false)), right_name(right));
}

void
check_right(const ModelRow *row, ModelRight right, Oid user)
{
	if (model_rights(row, user) & right)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", row->name),
			 right == RIGHT_OWN ? 0 : errdetail("This needs the right \"%s\".", right_name(right)),
			 errhint("%s", right_hint(row, right, user))));
}

/* The rights of the current user, for the views. */
Datum
ml_rights(PG_FUNCTION_ARGS)
{
	ModelRow	row = {.owner_oid = PG_GETARG_OID(1)};

	copy_name(row.owner, PG_GETARG_DATUM(0));
	row.grantees = PG_GETARG_DATUM(2);
	row.grantee_oids = PG_GETARG_DATUM(3);
	row.grantee_rights = PG_GETARG_DATUM(4);
	PG_RETURN_INT32(model_rights(&row, GetUserId()));
}
