/*
 * support.c
 *		What the planner learns about prediction: a whole row need not be built, and a call is not free.
 *
 * predict('m', t) with a whole-row variable becomes predict_columns('m', names, t.a, t.b, ...): passing 28 columns costs 40 ns, building and opening a
 * record 300.  Both forms give the same bits, so this is done only where the row and its columns are surely the same thing:
 *	- not below the nullable side of an outer join, where the row is NULL but its columns are NULLs one by one;
 *	- not where a row is grouped by, because then only the row, and no column, survives the grouping;
 *	- not for anything but a plain variable of this query level or a row constructor.
 * Preparing the executor for a call takes 80 ns per argument, though, so that for a single row, found by its primary key, the record is cheaper.
 * The right to read the columns was checked for the whole row when the query was parsed, and stays as it was recorded.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "predict/predict_internal.h"

/* A call has at most FUNC_MAX_ARGS arguments; model, class and names come first. */
#define COLUMNS_MAX 95

/*
 * In units of cpu_operator_cost, measured with a linear model beside sums and additions of columns, which take one unit and about 6 ns each: 180 ns for 30
 * columns.  Too much would bring on compilation (jit_above_cost), which takes as long as 100,000 predictions, in every process of a parallel plan.
 */
#define CALL_COST 10
#define COLUMN_COST 0.6

/* Which arguments of which function become which call. */
typedef struct Rewrite
{
	const char *name;
	const char *columns_name;
	bool		has_class;		/* (model, row, class, key); else (model, row, key) */
	bool		has_key;		/* the last one */
} Rewrite;

static const Rewrite rewrites[] =
{
	{"predict", "predict_columns", false, true},
	{"predict_class", "predict_class_columns", false, true},
	{"predict_proba", "predict_proba_columns", true, true},
	{"transform", "_transform_columns", false, false},
};

/* ---- may the row be taken apart here? ---- */

/* Is the relation below the nullable side of an outer join?  found tells whether it is in this tree at all. */
static bool
is_nullable(Node *node, int varno, bool nullable, bool *found)
{
	if (node == NULL || *found)
		return false;
	if (IsA(node, RangeTblRef))
	{
		*found = ((RangeTblRef *) node)->rtindex == varno;
		return *found && nullable;
	}
	if (IsA(node, FromExpr))
	{
		ListCell   *cell;

		foreach(cell, ((FromExpr *) node)->fromlist)
		{
			if (is_nullable(lfirst(cell), varno, nullable, found))
				return true;
		}
		return false;
	}
	if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;
		bool		left = join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
		bool		right = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL || join->jointype == JOIN_ANTI;

		return is_nullable(join->larg, varno, nullable || left, found) || is_nullable(join->rarg, varno, nullable || right, found);
	}
	return true;				/* not known: leave the row alone */
}

/* Does the query group by a row of any kind? */
static bool
groups_by_row(Query *query)
{
	ListCell   *cell;

	foreach(cell, query->groupClause)
	{
		Node	   *expression = get_sortgroupclause_expr((SortGroupClause *) lfirst(cell), query->targetList);

		if (type_is_rowtype(exprType(expression)))
			return true;
	}
	return false;
}

static bool
may_take_apart(PlannerInfo *root, Var *var)
{
	RangeTblEntry *rte;
	bool		found = false;

	if (var->varattno != 0 || var->varlevelsup != 0 || !var_is_plain(var))
		return false;
	rte = rt_fetch(var->varno, root->parse->rtable);
	if (rte->rtekind != RTE_SUBQUERY && (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_COMPOSITE_TYPE))
		return false;
	return !is_nullable((Node *) root->parse->jointree, var->varno, false, &found);
}

/* ---- is it worth it? ---- */

static bool
is_cast_by_function(Node *value)
{
	CoercionForm form = IsA(value, FuncExpr) ? ((FuncExpr *) value)->funcformat : COERCE_EXPLICIT_CALL;

	return form == COERCE_EXPLICIT_CAST || form == COERCE_IMPLICIT_CAST;
}

/* A constant or parameter, under whatever casts? */
static bool
is_given(Node *value)
{
	while (IsA(value, RelabelType) || is_cast_by_function(value))
		value = IsA(value, RelabelType) ? (Node *) ((RelabelType *) value)->arg : linitial(((FuncExpr *) value)->args);
	return IsA(value, Const) || IsA(value, Param);
}

/* Does one of the conditions fix a column to a constant or parameter? */
static bool
is_fixed(List *conditions, int varno, AttrNumber column)
{
	ListCell   *cell;

	foreach(cell, conditions)
	{
		OpExpr	   *comparison = lfirst(cell);
		Var		   *var;

		if (!IsA(comparison, OpExpr) || list_length(comparison->args) != 2)
			continue;
		var = linitial(comparison->args);
		if (IsA(var, Var) && var->varno == varno && var->varlevelsup == 0 && var->varattno == column &&
			is_given(lsecond(comparison->args)) && op_mergejoinable(comparison->opno, var->vartype))
			return true;
	}
	return false;
}

/*
 * Is the relation all that the query reads, and its primary key fixed?  Not where a row could have parts in TOAST, which building a record would fetch.
 */
static bool
reads_one_row(PlannerInfo *root, Var *var)
{
	FromExpr   *from = root->parse->jointree;
	RangeTblEntry *rte = rt_fetch(var->varno, root->parse->rtable);
	List	   *conditions = make_ands_implicit((Expr *) from->quals);
	Relation	relation;
	Bitmapset  *key;
	bool		fixed;
	int			column = -1;

	if (list_length(from->fromlist) != 1 || !IsA(linitial(from->fromlist), RangeTblRef) || rte->relkind != RELKIND_RELATION)
		return false;
	relation = table_open(rte->relid, NoLock);
	key = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	fixed = !OidIsValid(relation->rd_rel->reltoastrelid) && !bms_is_empty(key);
	while (fixed && (column = bms_next_member(key, column)) >= 0)
		fixed = is_fixed(conditions, var->varno, column + FirstLowInvalidHeapAttributeNumber);
	table_close(relation, NoLock);
	return fixed;
}

/* ---- the columns of a row ---- */

/*
 * Names of a row's live columns and the expressions beside them; false where they do not match.  A row of a named type has that type's names, whatever
 * aliases the query gave; fields of dropped columns are left out.
 */
static bool
name_fields(Oid type, int32 typmod, List *aliases, List *fields, List **names, List **columns)
{
	TupleDesc	tupdesc = NULL;
	bool		matches;

	*names = *columns = NIL;
	if (type != RECORDOID)
		tupdesc = lookup_rowtype_tupdesc_domain(type, typmod, true);
	if (type != RECORDOID && tupdesc == NULL)
		return false;
	matches = list_length(fields) == (tupdesc != NULL ? tupdesc->natts : list_length(aliases));
	for (int i = 0; matches && i < list_length(fields); i++)
	{
		Node	   *field = list_nth(fields, i);
		Form_pg_attribute attribute = tupdesc != NULL ? TupleDescAttr(tupdesc, i) : NULL;

		if (attribute != NULL && attribute->attisdropped)
			continue;
		matches = attribute == NULL || exprType(field) == attribute->atttypid;
		*names = lappend(*names, attribute != NULL ? pstrdup(NameStr(attribute->attname)) : strVal(list_nth(aliases, i)));
		*columns = lappend(*columns, field);
	}
	if (tupdesc != NULL)
		ReleaseTupleDesc(tupdesc);
	return matches;
}

static bool
row_columns(PlannerInfo *root, Node *row, List **names, List **columns)
{
	List	   *aliases;
	List	   *fields;

	if (IsA(row, RowExpr))
	{
		RowExpr    *constructor = (RowExpr *) row;

		return name_fields(constructor->row_typeid, -1, constructor->colnames, constructor->args, names, columns);
	}
	if (!IsA(row, Var) || !may_take_apart(root, (Var *) row) || reads_one_row(root, (Var *) row))
		return false;
	expand_rte_with_dropped(rt_fetch(((Var *) row)->varno, root->parse->rtable), ((Var *) row)->varno, &aliases, &fields);
	return name_fields(((Var *) row)->vartype, ((Var *) row)->vartypmod, aliases, fields, names, columns);
}

/* ---- the call that takes its place ---- */

static const Rewrite *
find_rewrite(const char *name)
{
	for (size_t i = 0; name != NULL && i < lengthof(rewrites); i++)
	{
		if (strcmp(rewrites[i].name, name) == 0)
			return &rewrites[i];
	}
	return NULL;
}

/*
 * The columns form beside a function: found without the search path, and only where the user may call it too.
 */
static Oid
columns_function(const Rewrite *rewrite, Oid like, Oid model_type)
{
	Oid			types[4];
	int			ntypes = 0;
	Oid			function;

	types[ntypes++] = model_type;
	if (rewrite->has_class)
		types[ntypes++] = TEXTOID;
	types[ntypes++] = TEXTARRAYOID;
	types[ntypes++] = ANYOID;
	function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(rewrite->columns_name),
							   PointerGetDatum(buildoidvector(types, ntypes)), ObjectIdGetDatum(get_func_namespace(like)));
	return OidIsValid(function) && may_execute_function(function) ? function : InvalidOid;
}

static Const *
names_constant(List *names)
{
	Datum	   *element = palloc(list_length(names) * sizeof(Datum));

	for (int i = 0; i < list_length(names); i++)
		element[i] = CStringGetTextDatum(list_nth(names, i));
	return makeConst(TEXTARRAYOID, -1, DEFAULT_COLLATION_OID, -1,
					 PointerGetDatum(construct_array(element, list_length(names), TEXTOID, -1, false, TYPALIGN_INT)), false, false);
}

static Node *
simplify_call(PlannerInfo *root, FuncExpr *call)
{
	const Rewrite *rewrite = find_rewrite(get_func_name(call->funcid));
	Node	   *key = llast(call->args);
	List	   *names;
	List	   *columns;
	List	   *arguments;
	FuncExpr   *simple;
	Oid			function;

	if (root == NULL || rewrite == NULL)
		return NULL;
	if (rewrite->has_key && (!IsA(key, Const) || !((Const *) key)->constisnull))
		return NULL;
	if (groups_by_row(root->parse) || !row_columns(root, lsecond(call->args), &names, &columns))
		return NULL;
	if (names == NIL || list_length(names) > COLUMNS_MAX)
		return NULL;
	function = columns_function(rewrite, call->funcid, exprType(linitial(call->args)));
	if (!OidIsValid(function))
		return NULL;
	arguments = list_make1(linitial(call->args));
	if (rewrite->has_class)
		arguments = lappend(arguments, lthird(call->args));
	arguments = lappend(arguments, names_constant(names));
	simple = makeFuncExpr(function, call->funcresulttype, list_concat(arguments, columns), call->funccollid, call->inputcollid,
						  COERCE_EXPLICIT_CALL);
	simple->location = call->location;
	return (Node *) simple;
}

/* ---- cost ---- */

/* A call by columns, from its number of arguments; the other forms keep the COST they are declared with. */
static Node *
estimate_cost(SupportRequestCost *request)
{
	if (request->node == NULL || !IsA(request->node, FuncExpr))
		return NULL;
	request->startup = 0;
	request->per_tuple = (CALL_COST + COLUMN_COST * list_length(((FuncExpr *) request->node)->args)) * cpu_operator_cost;
	return (Node *) request;
}

PG_FUNCTION_INFO_V1(ml_predict_support);
PG_FUNCTION_INFO_V1(ml_predict_columns_support);

Datum
ml_predict_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(simplify_call(((SupportRequestSimplify *) request)->root, ((SupportRequestSimplify *) request)->fcall));
}

Datum
ml_predict_columns_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(IsA(request, SupportRequestCost) ? estimate_cost((SupportRequestCost *) request) : NULL);
}
