-- Who may do what with a model: every right against every call, grants, revokes, roles that are renamed, dropped and re-created.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE t_owner;
CREATE ROLE t_predict;
CREATE ROLE t_train;
CREATE ROLE t_deploy;
CREATE ROLE t_all;
CREATE ROLE t_member IN ROLE t_predict;
CREATE ROLE t_stranger;
CREATE ROLE t_super SUPERUSER;

CREATE TABLE flats AS SELECT i % 40 + 20 AS area, (i % 40 + 20) * 3 + i % 5 AS price FROM generate_series(1, 100) i;
GRANT SELECT ON flats TO PUBLIC;

-- 'ok' or the SQLSTATE of a statement run as a role; what it did is undone.
CREATE FUNCTION pg_temp.try_as(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text := 'ok';
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'T0000';
	EXCEPTION WHEN OTHERS THEN
		IF SQLSTATE <> 'T0000' THEN state := SQLSTATE; END IF;
	END;
	SET LOCAL ROLE NONE;
	RETURN state;
END $$;

-- The one value of a query run as a role.
CREATE FUNCTION pg_temp.ask_as(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE query INTO answer;
	SET LOCAL ROLE NONE;
	RETURN answer;
END $$;

SET LOCAL ROLE t_owner;
SELECT FROM ml.train('price', 'flats', 'price', algorithm => 'linear_regression');
SELECT FROM ml.train('price', 'flats', 'price', algorithm => 'baseline');
SELECT FROM ml.train('price', 'flats', 'price', algorithm => 'baseline', params => '{}', note => 'third');
SELECT FROM ml.deploy('price', 2);
SELECT FROM ml.set_alias('price', 'trial', 2);
SELECT FROM ml.grant_model('price', 't_predict', 'predict');
SELECT FROM ml.grant_model('price', 't_train', 'train');
SELECT FROM ml.grant_model('price', 't_deploy', 'deploy');
SELECT FROM ml.grant_model('price', 't_all', 'all');
SET LOCAL ROLE NONE;

-- ---- the matrix ----

CREATE TEMP TABLE action (needs int, what text, statement text);
INSERT INTO action VALUES
	(1, 'predict', $$SELECT ml.predict('price', '{"area": 50}')$$),
	(1, 'predict by version', $$SELECT ml.predict('price:1', '{"area": 50}')$$),
	(1, 'predict by alias', $$SELECT ml.predict('price@trial', '{"area": 50}')$$),
	(1, 'evaluate', $$SELECT FROM ml.evaluate('price', 'flats')$$),
	(2, 'read the artifact', $$SELECT ml.artifact('price')$$),
	(2, 'train', $$SELECT FROM ml.train('price', 'flats', 'price', algorithm => 'baseline')$$),
	(2, 'write a note', $$SELECT ml.set_note('price', 1, 'mine')$$),
	(4, 'deploy', $$SELECT ml.deploy('price', 1)$$),
	(4, 'roll back', $$SELECT ml.rollback('price')$$),
	(4, 'set an alias', $$SELECT ml.set_alias('price', 'best', 1)$$),
	(4, 'remove an alias', $$SELECT ml.set_alias('price', 'trial', NULL)$$),
	(8, 'grant', $$SELECT ml.grant_model('price', 't_stranger', 'predict')$$),
	(8, 'revoke', $$SELECT ml.revoke_model('price', 't_predict', 'predict')$$),
	(8, 'rename', $$SELECT ml.rename_model('price', 'cost')$$),
	(8, 'drop a version', $$SELECT ml.drop_version('price', 3)$$),
	(8, 'drop the model', $$SELECT ml.drop_model('price')$$),
	(16, 'adopt roles', $$SELECT ml.adopt_roles()$$),
	(16, 'read the registry''s table', $$SELECT * FROM ml._model$$),
	(16, 'change the registry''s table', $$UPDATE ml._model SET owner = current_user$$),
	(16, 'read the stored bytes', $$SELECT artifact FROM ml._version$$);
CREATE TEMP TABLE actor (role text, has int);
INSERT INTO actor VALUES ('t_owner', 15), ('t_predict', 1), ('t_train', 2), ('t_deploy', 4), ('t_all', 7), ('t_member', 1), ('t_stranger', 0), ('t_super', 31);

SELECT is(pg_temp.try_as(role, statement), CASE WHEN has & needs <> 0 THEN 'ok' ELSE '42501' END,
	format('%s %s %s', role, CASE WHEN has & needs <> 0 THEN 'may' ELSE 'may not' END, what))
FROM actor CROSS JOIN action ORDER BY has, role, needs, what;

SELECT is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.models'), CASE WHEN has & 15 <> 0 THEN '1' ELSE '0' END, role || ': models in ml.models'),
	is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.versions'), CASE WHEN has & 15 <> 0 THEN '3' ELSE '0' END, role || ': versions in ml.versions'),
	is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.aliases'), CASE WHEN has & 15 <> 0 THEN '1' ELSE '0' END, role || ': aliases in ml.aliases'),
	is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.deployments'), CASE WHEN has & 15 <> 0 THEN '2' ELSE '0' END, role || ': rows in ml.deployments'),
	is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.runs'), CASE WHEN has & 6 <> 0 THEN '3' ELSE '0' END, role || ': runs, with source and parameters, in ml.runs'),
	is(pg_temp.ask_as(role, 'SELECT count(DISTINCT version) FROM ml.run_metrics'), CASE WHEN has & 6 <> 0 THEN '3' ELSE '0' END, role || ': runs in ml.run_metrics'),
	is(pg_temp.ask_as(role, 'SELECT count(*) FROM ml.grants'), CASE WHEN has & 8 <> 0 THEN '6' ELSE '0' END, role || ': rows in ml.grants')
FROM actor ORDER BY has, role;

-- A function in the caller's query cannot look behind the views.
CREATE FUNCTION public.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE EXCEPTION 'seen: %', $1; END $$;
SELECT is(pg_temp.ask_as('t_stranger', 'SELECT count(*) FROM ml.models WHERE public.leak(model)'), '0', 'a cheap function is not run on hidden rows');

-- ---- what the errors say ----

CREATE FUNCTION pg_temp.error_as(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	END;
	SET LOCAL ROLE NONE;
	RETURN concat_ws(' | ', message, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT is(pg_temp.error_as('t_stranger', $$SELECT ml.predict('price', '{}')$$),
	$$permission denied for model "price" | This needs the right "predict". | Its owner, role "t_owner", can give it: SELECT ml.grant_model('price', 't_stranger', 'predict').$$,
	'a missing right: which one, and who can give it');
SELECT is(pg_temp.error_as('t_all', $$SELECT ml.drop_model('price')$$),
	'permission denied for model "price" | Only its owner, role "t_owner", and superusers may do this.', 'what only the owner may do');
SELECT is(pg_temp.error_as('t_stranger', $$SELECT ml.predict('prices', '{}')$$),
	'model "prices" does not exist | There is no model you may use; ml.train makes one.', 'who may use nothing gets no names');
SELECT is(pg_temp.error_as('t_predict', $$SELECT ml.predict('prices', '{}')$$),
	'model "prices" does not exist | Models you may use: "price".', 'others get the names they may use');

-- ---- public ----

SELECT lives_ok($$SELECT ml.grant_model('price', 'public', 'predict')$$, 'a right for everybody');
SELECT is(pg_temp.try_as('t_stranger', $$SELECT ml.predict('price', '{"area": 50}')$$), 'ok', 'a stranger predicts then');
SELECT is(pg_temp.try_as('t_stranger', $$SELECT ml.deploy('price', 1)$$), '42501', 'and deploys not');
SELECT lives_ok($$SELECT ml.revoke_model('price', 'public', 'all')$$, 'and not for everybody any more');
SELECT is(pg_temp.try_as('t_stranger', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'a stranger does not');
SELECT is(pg_temp.try_as('t_predict', $$SELECT ml.predict('price', '{"area": 50}')$$), 'ok', 'a role with a right of its own still does');

-- ---- revoking one of several ----

SELECT lives_ok($$SELECT ml.revoke_model('price', 't_all', 'deploy')$$, 'one right of three is taken away');
SELECT results_eq($$SELECT privilege FROM ml.grants WHERE role = 't_all' ORDER BY 1$$, ARRAY['predict', 'train'], 'the other two stay');
SELECT throws_ok($$SELECT ml.grant_model('price', 't_nobody', 'predict')$$, '42704', 'role "t_nobody" does not exist');
SELECT throws_ok($$SELECT ml.revoke_model('price', 't_nobody', 'predict')$$, '42704', 'role "t_nobody" does not exist');
SELECT throws_ok($$SELECT ml.grant_model('price', 't_all', 'select')$$, '22023', 'privilege "select" not recognized');

-- ---- membership without inheritance gives nothing ----

CREATE ROLE t_noinherit NOINHERIT IN ROLE t_predict;
SELECT is(pg_temp.try_as('t_noinherit', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'a member that does not inherit must SET ROLE first');

-- ---- a role renamed, dropped and re-created ----

ALTER ROLE t_predict RENAME TO t_asker;
SELECT is(pg_temp.try_as('t_asker', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'renamed, it has lost its right');
CREATE ROLE t_predict;
SELECT is(pg_temp.try_as('t_predict', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'another role of its old name does not get it');
SELECT results_eq($$SELECT role, valid FROM ml.grants WHERE role IN ('t_predict', 't_asker')$$, $$VALUES ('t_predict', false)$$, 'ml.grants says that the grant is void');
SELECT results_eq($$SELECT role FROM ml.adopt_roles('t_predict', 't_asker')$$, ARRAY['t_asker'], 'adopted under its new name');
SELECT is(pg_temp.try_as('t_asker', $$SELECT ml.predict('price', '{"area": 50}')$$), 'ok', 'it has its right again');
SELECT is(pg_temp.try_as('t_predict', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'and the other has not');

DROP ROLE t_deploy;
CREATE ROLE t_deploy;
SELECT is(pg_temp.try_as('t_deploy', $$SELECT ml.deploy('price', 1)$$), '42501', 're-created, a role has none of the rights of the dropped one');
SELECT lives_ok($$SELECT ml.grant_model('price', 't_deploy', 'predict')$$, 'granting anew starts from nothing');
SELECT is(pg_temp.try_as('t_deploy', $$SELECT ml.deploy('price', 1)$$), '42501', 'the old right does not come back with the new one');
SELECT is(pg_temp.try_as('t_deploy', $$SELECT ml.predict('price', '{"area": 50}')$$), 'ok', 'the new right holds');

DROP ROLE t_train;
SELECT lives_ok($$SELECT ml.revoke_model('price', 't_train', 'all')$$, 'what a dropped role left behind can be cleared away');
SELECT is_empty($$SELECT * FROM ml.grants WHERE role = 't_train'$$, 'and is gone');

-- ---- owners ----

ALTER ROLE t_owner RENAME TO t_proprietor;
SELECT is(pg_temp.try_as('t_proprietor', $$SELECT ml.rename_model('price', 'cost')$$), '42501', 'an owner renamed is an owner no more');
SELECT is(pg_temp.try_as('t_super', $$SELECT ml.rename_model('price', 'cost')$$), 'ok', 'superusers still are');
SELECT is(pg_temp.error_as('t_proprietor', $$SELECT ml.predict('price', '{}')$$),
	$$permission denied for model "price" | This needs the right "predict". | The role of its owner, "t_owner", is now called "t_proprietor". A superuser passes on what it had: SELECT * FROM ml.adopt_roles('t_owner', 't_proprietor').$$,
	'and is told the way back');
SELECT is(pg_temp.error_as('t_stranger', $$SELECT ml.drop_model('price')$$),
	$$permission denied for model "price" | The role of its owner, "t_owner", is now called "t_proprietor". A superuser passes on what it had: SELECT * FROM ml.adopt_roles('t_owner', 't_proprietor').$$,
	'so is everybody who would have to ask the owner');
SELECT results_eq($$SELECT role FROM ml.adopt_roles('t_owner', 't_proprietor')$$, ARRAY['t_proprietor'], 'a superuser gives the model back');
SELECT is(pg_temp.try_as('t_proprietor', $$SELECT ml.rename_model('price', 'cost')$$), 'ok', 'the owner is one again');

-- as after a restore into a cluster whose roles have other oids
UPDATE ml._model SET owner_oid = 99990, grantee_oids = (SELECT array_agg(99990 + i)::oid[] FROM generate_series(1, cardinality(grantee_oids)) i);
SELECT is(pg_temp.try_as('t_proprietor', $$SELECT ml.predict('price', '{"area": 50}')$$), '42501', 'after a restore: the owner''s name alone is not enough');
SELECT is(pg_temp.error_as('t_proprietor', $$SELECT ml.deploy('price', 1)$$),
	$$permission denied for model "price" | This needs the right "deploy". | Role "t_proprietor" is not the very role that owned it: it was created anew, or restored into another server. A superuser binds what that had to this: SELECT * FROM ml.adopt_roles('t_proprietor', 't_proprietor'), or ml.adopt_roles() for all names.$$,
	'a name alone: the hint tells how it is bound anew');
UPDATE ml._model SET owner = 't_gone';
SELECT is(pg_temp.error_as('t_proprietor', $$SELECT ml.deploy('price', 1)$$),
	$$permission denied for model "price" | This needs the right "deploy". | Its owner, role "t_gone", is gone. A superuser passes on what it had to another role: SELECT * FROM ml.adopt_roles('t_gone', 'other role').$$,
	'an owner that is gone');
UPDATE ml._model SET owner = 't_proprietor';
SELECT bag_eq($$SELECT role, new_oid FROM ml.adopt_roles()$$,
	$$SELECT rolname::text, oid FROM pg_roles WHERE rolname IN ('t_proprietor', 't_asker', 't_all', 't_deploy')$$, 'ml.adopt_roles() binds every name anew');
SELECT is(pg_temp.try_as('t_proprietor', $$SELECT ml.drop_model('price')$$), 'ok', 'the owner is back');
SELECT is(pg_temp.try_as('t_asker', $$SELECT ml.predict('price', '{"area": 50}')$$), 'ok', 'so are the rights');
SELECT is_empty($$SELECT * FROM ml.adopt_roles()$$, 'a second time there is nothing to do');
SELECT throws_ok($$SELECT * FROM ml.adopt_roles('t_asker', NULL)$$, '22004', 'old_name and new_name go together');
SELECT throws_ok($$SELECT * FROM ml.adopt_roles('t_asker', 't_nobody')$$, '42704', 'role "t_nobody" does not exist');

-- two roles become one: rights add up
SELECT lives_ok($$SELECT ml.grant_model('price', 't_stranger', 'deploy')$$, 'two roles with different rights');
SELECT results_eq($$SELECT role FROM ml.adopt_roles('t_asker', 't_stranger')$$, ARRAY['t_stranger'], 'what one had goes to the other');
SELECT results_eq($$SELECT privilege FROM ml.grants WHERE role = 't_stranger' AND valid ORDER BY 1$$, ARRAY['deploy', 'predict'], 'rights of both');

-- ---- the user and the settings of the caller come back ----

SET LOCAL ROLE t_all;
SET LOCAL search_path = public, pg_temp;
SELECT FROM ml.train('mine', 'flats', 'price', algorithm => 'baseline');
DO $$ BEGIN PERFORM ml.deploy('mine', 7); EXCEPTION WHEN undefined_object THEN NULL; END $$;
SELECT current_user::text AS who, current_setting('search_path') AS path \gset
SET LOCAL ROLE NONE;
SELECT is(:'who'::text, 't_all', 'the caller is itself again after a write and after an error');
SELECT is(:'path'::text, 'public, pg_temp', 'so is its search_path');
SELECT is((SELECT owner FROM ml.models WHERE model = 'mine'), 't_all', 'who trains first owns the model');
SELECT is((SELECT created_by FROM ml.versions WHERE model = 'mine'), 't_all', 'and is named beside the version');

SELECT * FROM finish();
ROLLBACK;
