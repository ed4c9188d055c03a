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

/* Does the pair name a role of today whose privileges the user has? */
static bool
has_privs_of_pair(Oid user, Oid oid, const char *name)
{
	HeapTuple	role;
	bool		same;

	if (!has_privs_of_role(user, oid))
		return false;
	role = SearchSysCache1(AUTHOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(role))
		return false;
	same = strcmp(NameStr(((Form_pg_authid) GETSTRUCT(role))->rolname), name) == 0;
	ReleaseSysCache(role);
	return same;
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

void
check_right(const ModelRow *row, ModelRight right, Oid user)
{
	if (model_rights(row, user) & right)
		return;
	if (right == RIGHT_OWN)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for model \"%s\"", row->name),
				 errhint("Only its owner, role \"%s\", and superusers may do this.", row->owner)));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", row->name),
			 errdetail("This needs the right \"%s\".", right_name(right)),
			 errhint("Its owner, role \"%s\", can give it: SELECT ml.grant_model(%s, %s, '%s').", row->owner,
					 quote_literal_cstr(row->name), quote_literal_cstr(GetUserNameFromId(user, false)), right_name(right))));
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
