-- Versions, deployments, aliases, names, rights: what is kept, what can be undone, what is refused.
CREATE ROLE relearn_golden_owner;
CREATE ROLE relearn_golden_reader;
GRANT CREATE ON SCHEMA public TO relearn_golden_owner;
SET ROLE relearn_golden_owner;
CREATE TABLE flats AS SELECT i % 40 + 20 AS area, (i % 40 + 20) * 3 + i % 5 AS price FROM generate_series(1, 100) i;
SELECT version FROM ml.train('price', 'flats', 'price', algorithm => 'linear_regression', note => 'first try');
SELECT version FROM ml.train('price', 'flats', 'price', algorithm => 'baseline');
SELECT version FROM ml.train('price', 'flats', 'price', algorithm => 'linear_regression', params => '{"l2": 1}');
CREATE VIEW answering AS SELECT ml.predict_all('price', '{"area": 50}') ->> 'version' AS version;

-- the first version was put into production at once; the others wait
SELECT model, version, last_version, algorithm, note FROM ml.models;
SELECT version, algorithm, deployed, note FROM ml.versions ORDER BY version;
TABLE answering;

-- deploy, undo, undo again
SELECT ml.deploy('price', 2);
SELECT ml.deploy('price', 3);
TABLE answering;
SELECT ml.rollback('price');
SELECT ml.rollback('price');
TABLE answering;
SELECT ml.rollback('price');
SELECT step, version, action FROM ml.deployments ORDER BY step;

-- an alias names a version and moves when told to
SELECT ml.set_alias('price', 'trial', 3);
SELECT ml.predict_all('price@trial', '{"area": 50}') ->> 'version' AS trial;
SELECT ml.set_alias('price', 'trial', 2);
SELECT ml.predict_all('price@trial', '{"area": 50}') ->> 'version' AS trial;
SELECT version, aliases FROM ml.versions ORDER BY version;

-- a version in production or with an alias stays; a dropped number is not given again, and its run stays listed
SELECT ml.drop_version('price', 1);
SELECT ml.drop_version('price', 2);
SELECT ml.drop_version('price', 3);
SELECT ml.drop_version('price', 3);
SELECT ml.deploy('price', 3);
SELECT version FROM ml.train('price', 'flats', 'price', algorithm => 'baseline');
SELECT version, algorithm, dropped_at IS NOT NULL AS dropped FROM ml.runs ORDER BY version;
SELECT ml.set_alias('price', 'trial', NULL);
SELECT ml.predict('price@trial', '{"area": 50}');

-- notes and names
SELECT ml.set_note('price', 4, 'the mean, for comparison');
SELECT version, note FROM ml.versions ORDER BY version;
SELECT ml.rename_model('price', 'flat price');
SELECT ml.predict('price', '{"area": 50}');
SELECT ml.predict_all('flat price', '{"area": 50}') ->> 'version' AS version;
SELECT ml.rename_model('flat price', 'price:2');
SELECT ml.rename_model('flat price', 'price');

-- what is not there
SELECT ml.deploy('prize', 1);
SELECT ml.deploy('price', 9);
SELECT ml.rollback('prize');
SELECT ml.drop_model('prize');
SELECT ml.set_alias('price', 'a:b', 1);

-- subtransactions and rollbacks
BEGIN;
SAVEPOINT before;
SELECT ml.deploy('price', 4);
TABLE answering;
ROLLBACK TO before;
TABLE answering;
COMMIT;

-- rights: nobody but the owner and those who were given a right
GRANT SELECT ON flats TO relearn_golden_reader;
SET ROLE relearn_golden_reader;
SELECT count(*) FROM ml.models;
SELECT ml.predict('price', '{"area": 50}');
SELECT * FROM ml._model;
SET ROLE relearn_golden_owner;
SELECT ml.grant_model('price', 'relearn_golden_reader', 'predict');
SELECT model, role, privilege FROM ml.grants;
SET ROLE relearn_golden_reader;
SELECT model, version FROM ml.models;
SELECT ml.predict('price', '{"area": 50}') IS NOT NULL AS allowed;
SELECT ml.deploy('price', 2);
SELECT version FROM ml.train('price', 'flats', 'price', algorithm => 'baseline');
SELECT length(ml.artifact('price'));
SELECT ml.drop_model('price');
SET ROLE relearn_golden_owner;
SELECT ml.revoke_model('price', 'relearn_golden_reader', 'predict');
SET ROLE relearn_golden_reader;
SELECT ml.predict('price', '{"area": 50}');
SET ROLE relearn_golden_owner;

SELECT ml.drop_model('price');
SELECT count(*) FROM ml.versions;
DROP VIEW answering;
DROP TABLE flats;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM relearn_golden_owner;
DROP ROLE relearn_golden_owner, relearn_golden_reader;
