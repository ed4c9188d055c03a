/*
 * compat.h
 *		The only file that tests PG_VERSION_NUM.
 */
#ifndef RELEARN_COMPAT_H
#define RELEARN_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "relearn needs PostgreSQL 15 to 18"
#endif

/* 17 brought infinite intervals. */
#if PG_VERSION_NUM >= 170000
#define interval_is_finite(span) (!INTERVAL_NOT_FINITE(span))
#else
#define interval_is_finite(span) true
#endif

/* 16 moved the inspection of varlena headers out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 moved the mark of functions that never return in front of them. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* 17 put the local transaction id into a struct. */
#if PG_VERSION_NUM >= 170000
#define my_local_transaction() (MyProc->vxid.lxid)
#else
#define my_local_transaction() (MyProc->lxid)
#endif

/* 16 replaced the permission checks by object kind. */
#if PG_VERSION_NUM >= 160000
#define may_execute_function(function) (object_aclcheck(ProcedureRelationId, (function), GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#define may_use_schema(schema) (object_aclcheck(NamespaceRelationId, (schema), GetUserId(), ACL_USAGE) == ACLCHECK_OK)
#else
#define may_execute_function(function) (pg_proc_aclcheck((function), GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#define may_use_schema(schema) (pg_namespace_aclcheck((schema), GetUserId(), ACL_USAGE) == ACLCHECK_OK)
#endif

/* 16 marks variables that an outer join may null, 18 those of RETURNING's OLD and NEW. */
#if PG_VERSION_NUM >= 180000
#define var_is_plain(var) ((var)->varreturningtype == VAR_RETURNING_DEFAULT && bms_is_empty((var)->varnullingrels))
#elif PG_VERSION_NUM >= 160000
#define var_is_plain(var) bms_is_empty((var)->varnullingrels)
#else
#define var_is_plain(var) true
#endif

#if PG_VERSION_NUM >= 180000
#define expand_rte_with_dropped(rte, varno, names, columns) expandRTE(rte, varno, 0, VAR_RETURNING_DEFAULT, -1, true, names, columns)
#else
#define expand_rte_with_dropped(rte, varno, names, columns) expandRTE(rte, varno, 0, -1, true, names, columns)
#endif

/* 16 renamed the physical address of a relation. */
#if PG_VERSION_NUM >= 160000
#define relation_locator(relation) ((relation)->rd_locator)
#else
#define relation_locator(relation) ((relation)->rd_node)
#endif

/* 18 counts index searches for EXPLAIN. */
#if PG_VERSION_NUM >= 180000
#define begin_index_scan(table, index, snapshot, nkeys) index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define begin_index_scan(table, index, snapshot, nkeys) index_beginscan(table, index, snapshot, nkeys, 0)
#endif

#endif
