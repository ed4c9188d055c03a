-- Preparing data: look, set right, prepare in chains of steps, and keep what was learned for the rows to come.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/titanic.sql
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- Look first.  One column says who survived in other words, two come twice, one is mostly missing.
SELECT severity, check_name, columns FROM ml.checks('titanic', 'survived') WHERE severity <> 'low';

-- What to begin with: ages are missing, a class is a level and no amount, a name is more than a level.
CREATE VIEW passengers AS
SELECT row_number() OVER (ORDER BY t.*) AS id, CASE survived WHEN 1 THEN 'survived' ELSE 'died' END AS fate,
	age, sibsp, parch, fare, embark_town, deck, who || ' travelling ' || lower(class) || ' class' AS remark
FROM titanic t;
SELECT column_name, role, nulls FROM ml.profile('passengers') WHERE nulls > 0;

-- A chain of steps for each column, each taking what the one before made; new features are made of several columns.
SELECT step, family, takes FROM ml.transforms() WHERE step IN ('impute', 'target', 'tfidf', 'ratio', 'clip') ORDER BY step COLLATE "C";
SELECT parameter, type, "default" FROM ml.transform_parameters('bucketize') ORDER BY parameter COLLATE "C";
SELECT ml.fit_pipeline('prep', 'passengers', '{
	"age": ["impute_median", {"bucketize": {"edges": [0, 12, 60, 100]}}],
	"fare": ["log1p", "standardize"],
	"embark_town": {"encode": "target"},
	"deck": "indicator",
	"remark": {"token_counts": {"stop_words": ["travelling", "class"]}},
	"fare_each": {"ratio": ["fare", "parch"]}}', target => 'fate', key => 'id', params => '{"remainder": "passthrough"}') AS version;

-- What comes out: numbers, named.
SELECT place, column_name, source_columns, steps FROM ml.transform_columns('prep') ORDER BY place;
SELECT c.column_name, a.value FROM passengers p, unnest(ml.transform('prep', p.*)) WITH ORDINALITY a (value, place) JOIN ml.transform_columns('prep') c USING (place)
WHERE p.id = 1 AND c.feature IN ('age', 'sibsp', 'parch', 'deck', 'remark') ORDER BY place;

-- What was learned: the median that fills a gap, the words of the texts.
SELECT feature, step, parameter, value FROM ml.preprocess_params('prep') WHERE (feature, step) IN (('age', 'impute'), ('remark', 'token_counts')) ORDER BY feature, step_number, parameter COLLATE "C";
SELECT parameter, number > 0.5 AS most_survived FROM ml.preprocess_params('prep') WHERE step = 'target' ORDER BY parameter COLLATE "C";

-- A town nobody came from, a fare nobody knows: these are no errors.  A column that is absent is one, and so are steps that do not fit.
SELECT array_length(ml.transform('prep', '{"age": null, "sibsp": 0, "parch": 0, "fare": null, "embark_town": "Atlantis", "deck": null, "remark": null}'), 1) AS columns;
SELECT ml.transform('prep', '{"age": 30}');
SELECT ml.fit_pipeline('prep', 'passengers', '{"embark_town": "standardize"}');
SELECT ml.fit_pipeline('prep', 'passengers', '{"age": "standarize"}');

-- Another version, as of models: it serves once it is deployed.
SELECT ml.fit_pipeline('prep', 'passengers', '{"age": ["impute_median", {"clip": [0, 70]}], "deck_number": [{"column": "deck"}, {"ordinal": {"unknown": -1}}]}',
	features => '{age}') AS version;
SELECT array_length(ml.transform('prep', p.*), 1) AS serving, array_length(ml.transform('prep:2', p.*), 1) AS trial FROM passengers p WHERE id = 1;
SELECT ml.deploy('prep', 2);
SELECT ml.transform('prep', '{"age": 71, "deck": "Z"}') AS old, ml.transform('prep', '{"age": null, "deck": "A"}') AS unknown;

-- And back: from a prepared row to what it stands for.  Clipping is not undone, a deck that is no level comes back as none.
SELECT column_name, invertible FROM ml.transform_columns('prep') ORDER BY place;
SELECT ml.inverse_transform('prep', ml.transform('prep', '{"age": 71, "deck": "C"}')) AS old, ml.inverse_transform('prep', '{30, -1}') AS unknown;
SELECT ml.inverse_transform('prep', '{30}');

-- What it does, as SQL that runs without this extension.
SELECT ml.transform_sql('prep', 'passengers');

-- The same steps inside a training: fitted on its training rows only, and kept with the model, which takes the columns as they are.
SELECT algorithm, n_train + n_validation + n_test AS n, warnings FROM ml.train('fate', 'passengers', 'fate', 'logistic_regression', key => 'id', exclude => '{deck}', preprocess => '{
	"age": ["impute_median", "standardize"],
	"fare": ["log1p", "standardize"],
	"embark_town": {"encode": "target"},
	"remark": {"tfidf": {"stop_words": ["travelling", "class"]}}}');
SELECT ml.predict_class('fate', '{"age": 30, "sibsp": 0, "parch": 0, "fare": 80, "embark_town": "Cherbourg", "remark": "woman travelling first class"}') AS she,
	ml.predict_class('fate', '{"age": 30, "sibsp": 0, "parch": 0, "fare": 8, "embark_town": "Atlantis", "remark": "man travelling third class"}') AS he;
SELECT DISTINCT source_column FROM ml.coefficients('fate') WHERE source_column IS NOT NULL ORDER BY source_column;

-- Which rows it learned from is told by their key: ml.split is a function of nothing else.
SELECT count(*) FILTER (WHERE part = 'train') = r.n_train AS same_train, count(*) FILTER (WHERE part = 'test') = r.n_test AS same_test
FROM (SELECT ml.split(id) AS part FROM passengers) p, ml.runs r WHERE r.model = 'fate' GROUP BY r.n_train, r.n_test;
SELECT check_name, columns, message FROM ml.overlap('SELECT * FROM passengers WHERE ml.split(id) = ''train''', 'SELECT * FROM passengers WHERE ml.split(id) = ''test''', key => 'id')
WHERE check_name = 'overlap_keys';

-- Rows held out for tests stay so: another version must not learn from them.
SELECT version FROM ml.train('fate', 'passengers', 'fate', key => 'id', seed => 1);

SELECT ml.drop_model(model) FROM unnest('{fate,prep}'::text[]) model;
DROP VIEW passengers;
DROP TABLE titanic;
