-- The extension as the catalog sees it: labels, comments, dump marks, rights, nothing that restores or replicates badly.
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'relearn';
CREATE TEMP VIEW our_function AS SELECT p.* FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;
CREATE TEMP VIEW our_table AS
SELECT c.* FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid WHERE c.relkind IN ('r', 'p');

SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE obj_description(oid, 'pg_proc') IS NULL$$, 'every function has a comment');
SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE prosecdef$$, 'no function is SECURITY DEFINER');
SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE pronamespace <> 'ml'::regnamespace$$, 'every function lives in schema ml');
SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE proname LIKE 'predict%' AND NOT proretset AND (proparallel <> 's' OR provolatile = 'v')$$,
	'what predicts is parallel safe and never volatile');
SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE proname LIKE 'predict%' AND NOT proretset AND proargtypes[0] = 'bytea'::regtype AND provolatile <> 'i'$$,
	'what predicts by value is immutable');
SELECT is_empty($$SELECT oid::regprocedure FROM our_function WHERE prokind = 'f' AND proargtypes::oid[] @> ARRAY['internal'::regtype::oid]
	AND proname NOT LIKE '\_%' AND oid NOT IN (SELECT typreceive FROM pg_type)$$, 'no function with an internal argument can be called from SQL');
SELECT is_empty($$SELECT p.oid::regprocedure FROM our_function p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE a.aggcombinefn = 0::regproc
	OR a.aggtranstype = 'internal'::regtype OR p.proparallel <> 's'$$, 'every aggregate can be combined in parallel plans, from a state with a type of its own');

SELECT is_empty($$SELECT t.relname FROM our_table t JOIN pg_extension e ON e.extname = 'relearn' WHERE NOT t.oid = ANY (e.extconfig)$$,
	'pg_dump saves the rows of every table');
SELECT is_empty($$SELECT relname FROM our_table t WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)$$, 'every table has a primary key');
SELECT is_empty($$SELECT t.relname, a.attname FROM our_table t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
	WHERE a.atttypid::regtype::text LIKE 'reg%' OR a.attidentity <> ''$$, 'no column holds a reg* type or an identity');
SELECT is_empty($$SELECT relname FROM our_table t WHERE EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid)$$, 'no table has a trigger');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid WHERE c.relkind = 'S'$$, 'there is no sequence');
SELECT is_empty($$SELECT t.relname FROM our_table t CROSS JOIN LATERAL aclexplode(t.relacl) a WHERE a.grantee <> t.relowner$$, 'nobody but the owner reads a table');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	WHERE c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') @> '{security_barrier=true}'$$, 'views are security barriers');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	WHERE c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL$$, 'every table and view has a comment');

SELECT * FROM finish();
ROLLBACK;
