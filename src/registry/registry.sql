-- ---- registry: models, versions, aliases, deployments, runs ----
-- Only the library reads and writes these tables; users see the views below, filtered by their rights.  No sequences, triggers, foreign keys or
-- reg* columns, so that dump, logical replication and reference tables of Citus take them as they are: every writer holds the model's row lock.

CREATE TABLE ml._model (
	id uuid NOT NULL,
	owner_oid oid NOT NULL,
	last_version integer NOT NULL,
	current_version integer,
	created_at timestamptz NOT NULL,
	current_sha256 bytea,
	name text COLLATE "C" NOT NULL,
	owner text NOT NULL,
	grantees text[] NOT NULL,
	grantee_oids oid[] NOT NULL,
	grantee_rights integer[] NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);
COMMENT ON TABLE ml._model IS 'one row per model; holds all that a prediction by bare name needs';
COMMENT ON COLUMN ml._model.last_version IS 'the highest number given out; numbers are never given again';
COMMENT ON COLUMN ml._model.owner IS 'holds only together with owner_oid, so that neither a re-created nor a restored role takes over';
COMMENT ON COLUMN ml._model.grantee_rights IS 'per grantee: 1 predict + 2 train + 4 deploy';

CREATE TABLE ml._version (
	model uuid NOT NULL,
	version integer NOT NULL,
	bytes integer NOT NULL,
	created_at timestamptz NOT NULL,
	dropped_at timestamptz,
	sha256 bytea NOT NULL,
	created_by text NOT NULL,
	algorithm text NOT NULL,
	task text NOT NULL,
	target text NOT NULL,
	note text,
	artifact bytea,
	PRIMARY KEY (model, version)
);
ALTER TABLE ml._version ALTER COLUMN artifact SET STORAGE EXTERNAL;
COMMENT ON TABLE ml._version IS 'trained versions; a dropped one keeps its row without the artifact';

CREATE TABLE ml._run (
	model uuid NOT NULL,
	version integer NOT NULL,
	seed bigint NOT NULL,
	n_train bigint NOT NULL,
	n_validation bigint NOT NULL,
	n_test bigint NOT NULL,
	seconds double precision NOT NULL,
	fingerprint bytea NOT NULL,
	source text NOT NULL,
	params jsonb NOT NULL,
	arguments jsonb NOT NULL,
	metrics jsonb NOT NULL,
	warnings text[] NOT NULL,
	PRIMARY KEY (model, version)
);
COMMENT ON TABLE ml._run IS 'how each version was trained';

CREATE TABLE ml._alias (
	model uuid NOT NULL,
	alias text COLLATE "C" NOT NULL,
	version integer NOT NULL,
	set_at timestamptz NOT NULL,
	set_by text NOT NULL,
	PRIMARY KEY (model, alias)
);
COMMENT ON TABLE ml._alias IS 'second names of versions';

CREATE TABLE ml._deployment (
	model uuid NOT NULL,
	step integer NOT NULL,
	version integer NOT NULL,
	undo integer,
	deployed_at timestamptz NOT NULL,
	deployed_by text NOT NULL,
	action text NOT NULL,
	PRIMARY KEY (model, step)
);
COMMENT ON TABLE ml._deployment IS 'which version answered from when on; rows are only added';
COMMENT ON COLUMN ml._deployment.undo IS 'the step whose version a rollback from here returns to';

CREATE TABLE ml._test_evaluation (
	model uuid NOT NULL,
	id uuid NOT NULL,
	version integer NOT NULL,
	evaluated_at timestamptz NOT NULL,
	evaluated_by text NOT NULL,
	PRIMARY KEY (model, id)
);
COMMENT ON TABLE ml._test_evaluation IS 'one row for each time ml.evaluate showed the test rows of a version; written without a lock';

REVOKE ALL ON ml._model, ml._version, ml._run, ml._alias, ml._deployment, ml._test_evaluation FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('ml._model', '');
SELECT pg_catalog.pg_extension_config_dump('ml._version', '');
SELECT pg_catalog.pg_extension_config_dump('ml._run', '');
SELECT pg_catalog.pg_extension_config_dump('ml._alias', '');
SELECT pg_catalog.pg_extension_config_dump('ml._deployment', '');
SELECT pg_catalog.pg_extension_config_dump('ml._test_evaluation', '');

-- ---- what users see ----

CREATE FUNCTION ml._rights(owner text, owner_oid oid, grantees text[], grantee_oids oid[], grantee_rights integer[])
RETURNS integer
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'ml_rights';
COMMENT ON FUNCTION ml._rights(text, oid, text[], oid[], integer[]) IS
'internal: the rights of the current user by a row of the registry: 1 predict + 2 train + 4 deploy + 8 own';

CREATE VIEW ml.models WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, m.current_version AS version, m.last_version, m.owner, v.algorithm, v.task, v.target,
	m.created_at, v.created_at AS version_created_at, v.note
FROM ml._model m
LEFT JOIN ml._version v ON v.model = m.id AND v.version = m.current_version
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) > 0;
COMMENT ON VIEW ml.models IS 'the models you have any right on, with the version in production';

CREATE VIEW ml.versions WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, v.version, v.algorithm, v.task, v.target, v.created_at, v.created_by, v.bytes,
	encode(v.sha256, 'hex') AS sha256, v.version IS NOT DISTINCT FROM m.current_version AS deployed,
	ARRAY(SELECT a.alias COLLATE "default" FROM ml._alias a WHERE a.model = v.model AND a.version = v.version ORDER BY a.alias) AS aliases, v.note,
	(SELECT count(*) FROM ml._test_evaluation e WHERE e.model = v.model AND e.version = v.version) AS test_evaluations
FROM ml._model m
JOIN ml._version v ON v.model = m.id
WHERE v.dropped_at IS NULL
	AND ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) > 0;
COMMENT ON VIEW ml.versions IS 'the versions of the models you have any right on';

CREATE VIEW ml.aliases WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, a.alias COLLATE "default" AS alias, a.version, a.set_at, a.set_by
FROM ml._model m
JOIN ml._alias a ON a.model = m.id
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) > 0;
COMMENT ON VIEW ml.aliases IS 'second names of versions: ml.predict(''model@alias'', ...)';

CREATE VIEW ml.deployments WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, d.step, d.version, d.action, d.deployed_at,
	lead(d.deployed_at) OVER (PARTITION BY d.model ORDER BY d.step) AS replaced_at, d.deployed_by
FROM ml._model m
JOIN ml._deployment d ON d.model = m.id
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) > 0;
COMMENT ON VIEW ml.deployments IS 'which version was in production from when to when, and who put it there';

CREATE VIEW ml.runs WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, v.version, v.algorithm, v.task, v.target, r.source, r.params, r.arguments, r.seed,
	r.n_train, r.n_validation, r.n_test, encode(r.fingerprint, 'hex') AS fingerprint, r.metrics, r.seconds, v.bytes, r.warnings,
	v.note, v.created_at, v.created_by, v.dropped_at
FROM ml._model m
JOIN ml._version v ON v.model = m.id
JOIN ml._run r ON r.model = v.model AND r.version = v.version
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) & 6 <> 0;
COMMENT ON VIEW ml.runs IS 'every training of the models you may train or deploy, also of versions dropped since';

CREATE VIEW ml.run_metrics WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, r.version, part.key AS part, measure.value ->> 'metric' AS metric,
	(measure.value ->> 'value')::double precision AS value, (measure.value ->> 'n')::bigint AS n, measure.value ->> 'reason' AS reason,
	(measure.value ->> 'iteration')::integer AS iteration
FROM ml._model m
JOIN ml._run r ON r.model = m.id
CROSS JOIN LATERAL jsonb_each(r.metrics) part
CROSS JOIN LATERAL jsonb_array_elements(part.value) measure
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) & 6 <> 0;
COMMENT ON VIEW ml.run_metrics IS 'the metrics of every training, one row each: part is train, validation, test, the baseline on the test rows, out of bag (training rows, by trees that did not learn from them), or the training or validation curve by iteration';

CREATE VIEW ml.test_evaluations WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, seen.version, seen.call, seen.evaluated_at, seen.evaluated_by
FROM ml._model m
CROSS JOIN LATERAL (
	SELECT v.version, 'ml.train' AS call, v.created_at AS evaluated_at, v.created_by AS evaluated_by
	FROM ml._version v JOIN ml._run r ON r.model = v.model AND r.version = v.version
	WHERE v.model = m.id AND r.n_test > 0
	UNION ALL
	SELECT e.version, 'ml.evaluate', e.evaluated_at, e.evaluated_by FROM ml._test_evaluation e WHERE e.model = m.id) seen
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) > 0;
COMMENT ON VIEW ml.test_evaluations IS 'every look at the test rows of a model: the trainings that were judged on them, and the calls of ml.evaluate';

CREATE VIEW ml.grants WITH (security_barrier) AS
SELECT m.name COLLATE "default" AS model, g.role, p.privilege,
	g.role_oid = 0 OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.role AND r.oid = g.role_oid) AS valid
FROM ml._model m
CROSS JOIN LATERAL unnest(m.grantees, m.grantee_oids, m.grantee_rights) AS g (role, role_oid, rights)
JOIN (VALUES (1, 'predict'), (2, 'train'), (4, 'deploy')) AS p (bit, privilege) ON g.rights & p.bit <> 0
WHERE ml._rights(m.owner, m.owner_oid, m.grantees, m.grantee_oids, m.grantee_rights) & 8 <> 0;
COMMENT ON VIEW ml.grants IS 'rights granted on your models; one is not valid where the role was dropped, renamed or restored under another oid';

GRANT SELECT ON ml.models, ml.versions, ml.aliases, ml.deployments, ml.runs, ml.run_metrics, ml.test_evaluations, ml.grants TO PUBLIC;

-- ---- managing models ----

CREATE FUNCTION ml.deploy(model text, version integer)
RETURNS integer
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_deploy';
COMMENT ON FUNCTION ml.deploy(text, integer) IS 'put a version into production; returns it';

CREATE FUNCTION ml.rollback(model text)
RETURNS integer
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_rollback';
COMMENT ON FUNCTION ml.rollback(text) IS 'undo the last deployment that is not undone; returns the version now in production';

CREATE FUNCTION ml.set_alias(model text, alias text, version integer)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_set_alias';
COMMENT ON FUNCTION ml.set_alias(text, text, integer) IS 'name a version, for "model@alias"; a null version removes the alias';

CREATE FUNCTION ml.set_note(model text, version integer, note text)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_set_note';
COMMENT ON FUNCTION ml.set_note(text, integer, text) IS 'write a remark beside a version; null removes it';

CREATE FUNCTION ml.rename_model(model text, new_name text)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_rename_model';
COMMENT ON FUNCTION ml.rename_model(text, text) IS 'give a model another name; its versions, rights and history stay';

CREATE FUNCTION ml.drop_version(model text, version integer)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_drop_version';
COMMENT ON FUNCTION ml.drop_version(text, integer) IS 'delete the artifact of a version that is neither in production nor named by an alias; its run stays listed';

CREATE FUNCTION ml.drop_model(model text)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_drop_model';
COMMENT ON FUNCTION ml.drop_model(text) IS 'delete a model with all its versions, runs and history';

CREATE FUNCTION ml.artifact(model text)
RETURNS bytea
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'ml_artifact';
COMMENT ON FUNCTION ml.artifact(text) IS 'the stored bytes of a version, for predictions by value; needs the train right';

-- ---- rights ----

CREATE FUNCTION ml.grant_model(model text, role text, privilege text DEFAULT 'predict')
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_grant_model';
COMMENT ON FUNCTION ml.grant_model(text, text, text) IS 'give a role, or public, a right on a model: predict, train, deploy or all';

CREATE FUNCTION ml.revoke_model(model text, role text, privilege text)
RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ml_revoke_model';
COMMENT ON FUNCTION ml.revoke_model(text, text, text) IS 'take a right on a model away again: predict, train, deploy or all';

CREATE FUNCTION ml.adopt_roles(old_name text DEFAULT NULL, new_name text DEFAULT NULL)
RETURNS TABLE (role text, old_oid oid, new_oid oid)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
AS 'MODULE_PATHNAME', 'ml_adopt_roles';
COMMENT ON FUNCTION ml.adopt_roles(text, text) IS
'superusers, after a restore: bind owners and rights to the roles that now have their names; with two names: pass on what the old role had to the new one';
