-- Every form of a row and of a model answers with the same bits; classes, probabilities and their warnings; refusals by SQLSTATE.
BEGIN;
SELECT no_plan();

CREATE SCHEMA forms;
SET LOCAL search_path = forms, public, pg_temp;

CREATE TYPE mood AS ENUM ('calm', 'keen', 'wild');
CREATE TABLE t AS
SELECT i AS id, CASE WHEN i % 11 <> 0 THEN sin(i) * 100 END AS x, (i % 17)::smallint AS n, (i / 7.0)::numeric AS k, (i % 9)::real / 3 AS r,
	CASE WHEN i % 19 <> 0 THEN (ARRAY['red', 'green', 'blue', 'a "q" b', ''])[1 + i % 5] END AS c, (ARRAY['calm', 'keen', 'wild'])[1 + i % 3]::mood AS m,
	CASE WHEN i % 23 <> 0 THEN i % 5 < 2 END AS b, date '2020-02-27' + i AS d, timestamp '1999-12-31 23:59:59.5' + i * interval '31 hours' AS ts,
	timestamptz '2021-03-01 10:00+00' + i * interval '7 hours' AS tz, time '00:00' + i * interval '1 minute 1 second' AS at,
	i * interval '1 hour 3 minutes' AS span, CASE WHEN i % 6 = 0 THEN ' ' ELSE (i % 8)::text END AS blank, i % 4 AS code,
	i % 17 + sin(i) + 3 * (i % 5) AS y
FROM generate_series(1, 500) i;

SELECT ok(count(*) = 1, 'regression')
FROM ml.train('forms', 'SELECT * FROM forms.t', 'y', 'linear_regression', exclude => '{id}', preprocess => '{"blank": "number", "code": "category"}');
SELECT ok(count(*) = 1, 'binary') FROM ml.train('forms_2', 'SELECT x, n, c, y > 14 AS big FROM forms.t', 'big', 'logistic_regression');
SELECT ok(count(*) = 1, 'binary, text')
FROM ml.train('forms_text', 'SELECT x, n, c, CASE WHEN y > 14 THEN ''yes'' ELSE ''no'' END AS big FROM forms.t', 'big', 'logistic_regression', positive_class => 'no');
SELECT ok(count(*) = 1, 'three classes') FROM ml.train('forms_3', 'SELECT x, n, c, m FROM forms.t', 'm', 'logistic_regression');
SELECT ok(count(*) = 1, 'integer classes')
FROM ml.train('forms_int', 'SELECT x, n, c, 2 * (n % 3) - 1 AS step FROM forms.t', 'step', 'logistic_regression', task => 'classification');

-- one row in every form, whatever the session's settings
CREATE FUNCTION forms_agree() RETURNS text LANGUAGE sql AS $$
SELECT format('%s rows: %s jsonb, %s text, %s value, %s value as jsonb, %s value as text, %s columns', count(*), count(*) FILTER (WHERE p = ml.predict('forms', to_jsonb(t))),
	count(*) FILTER (WHERE p = ml.predict('forms', row_to_json(t)::text)), count(*) FILTER (WHERE p = ml.predict((SELECT ml.artifact('forms')), t)),
	count(*) FILTER (WHERE p = ml.predict((SELECT ml.artifact('forms')), to_jsonb(t))),
	count(*) FILTER (WHERE p = ml.predict((SELECT ml.artifact('forms')), row_to_json(t)::text)),
	count(*) FILTER (WHERE p = ml.predict_columns('forms', ARRAY['span', 'at', 'tz', 'ts', 'd', 'b', 'm', 'c', 'r', 'k', 'n', 'x', 'blank', 'code'],
		span, at, tz, ts, d, b, m, c, r, k, n, x, blank, code)))
FROM (SELECT t, t.*, ml.predict('forms', t, 'record') AS p FROM forms.t) t $$;
SELECT is(forms_agree(), '500 rows: 500 jsonb, 500 text, 500 value, 500 value as jsonb, 500 value as text, 500 columns', 'all forms agree');
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL extra_float_digits = 3;
SELECT is(forms_agree(), '500 rows: 500 jsonb, 500 text, 500 value, 500 value as jsonb, 500 value as text, 500 columns', 'in another time zone');
CREATE TABLE first AS SELECT id, ml.predict('forms', t) AS p FROM t;
SET LOCAL timezone = 'America/New_York';
SET LOCAL datestyle = 'German, DMY';
SET LOCAL extra_float_digits = -5;
SELECT is(count(*) FILTER (WHERE p = ml.predict('forms', t)), 500::bigint, 'settings do not matter') FROM t JOIN first USING (id);
RESET timezone;
RESET datestyle;
RESET extra_float_digits;

-- JSON values by the kind of their column
SELECT is(ml.predict_proba('forms_2', '{"x": "1.5", "n": 3, "c": "red"}'), ml.predict_proba('forms_2', '{"x": 1.50, "n": 3.0, "c": "red"}'), 'a number in a string');
SELECT is(ml.predict('forms', to_jsonb(t) || '{"code": "1"}'), ml.predict('forms', to_jsonb(t) || '{"code": 1.0}'), 'a number for a category made of numbers') FROM t WHERE id = 2;
SELECT is(ml.predict('forms', to_jsonb(t) || '{"b": "yes"}'), ml.predict('forms', to_jsonb(t) || '{"b": true}'), 'a boolean in a string') FROM t WHERE id = 2;
SELECT is(ml.predict('forms', to_jsonb(t) || '{"blank": "n/a"}'), ml.predict('forms', to_jsonb(t) || '{"blank": null}'), 'text read as numbers: what is none is missing') FROM t WHERE id = 2;
SELECT is(ml.predict('forms', to_jsonb(t) || '{"blank": 3}'), ml.predict('forms', to_jsonb(t) || '{"blank": "3"}'), 'text read as numbers, given as one') FROM t WHERE id = 2;
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": "much", "n": 3, "c": "red"}')$$, '22P02', NULL, 'a string that is no number');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": true, "n": 3, "c": "red"}')$$, '22P02', NULL, 'true is no number');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": [1], "n": 3, "c": "red"}')$$, '42804', NULL, 'an array is no number');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": {"a": 1}, "n": 3, "c": "red"}')$$, '42804', NULL, 'an object is no number');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": 1, "n": 3, "c": ["red"]}')$$, '42804', NULL, 'an array is no category');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": 1, "n": 3}')$$, '42703', NULL, 'a missing key');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '{"x": 1')$$, '22P02', NULL, 'broken JSON');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', '17')$$, '22023', NULL, 'a number for a row');
SELECT ok(ml.predict_proba('forms_2', '{"x": null, "n": null, "c": null}') BETWEEN 0 AND 1, 'all unknown');
SELECT ok(ml.predict_proba('forms_2', '{"x": "NaN", "n": "Infinity", "c": "unheard"}') BETWEEN 0 AND 1, 'NaN, infinity, an unseen category');
SELECT ok(ml.predict_proba('forms_2', 'null') IS NULL, 'JSON null is no row');
SELECT ok(ml.predict('forms', to_jsonb(t) || '{"d": "infinity", "span": "-1 day", "ts": "1850-01-01"}') IS NOT NULL, 'an infinite date') FROM t WHERE id = 2;
SELECT throws_like($$SELECT ml.predict_proba('forms_2', jsonb_build_object('x', repeat('z', 5000), 'n', 1, 'c', ''))$$, '%holds "zzz%', 'a long value in a message');

-- rows of records
SELECT throws_like($$SELECT ml.predict_proba('forms_2', ROW(1, 2, 'red'))$$, '%no column "x"%', 'a row without names');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s) FROM (SELECT 1 AS x, 2 AS n, 'red' AS c, 3 AS x) s$$, '42702', NULL, 'a name given twice');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s, key => 'k') FROM (SELECT 1 AS x, 2 AS n, 'red' AS c, 3 AS x) s$$, '42702', NULL, 'a name given twice, by record');
SELECT ok(ml.predict_proba('forms_2', s) > 0, 'an unneeded name given twice') FROM (SELECT 1 AS x, 2 AS n, 'red' AS c, 3 AS z, 4 AS z) s;
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s) FROM (SELECT 1 AS "X", 2 AS n, 'red' AS c) s$$, '42703', NULL, 'names are exact');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s) FROM (SELECT point(1, 2) AS x, 2 AS n, 'red' AS c) s$$, '42804', NULL, 'a type no model takes');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s) FROM (SELECT ARRAY[1] AS x, 2 AS n, 'red' AS c) s$$, '42804', NULL, 'an array');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', s) FROM (SELECT 1 AS x, 2 AS n, 3 AS c) s$$, '42804', NULL, 'a number for a category');

-- columns
SELECT is(ml.predict_proba_columns('forms_2', NULL, ARRAY['x', 'n', 'c'], 1.5, 3, 'red'), ml.predict_proba('forms_2', '{"x": 1.5, "n": 3, "c": "red"}'), 'literals');
SELECT is(ml.predict_proba_columns('forms_2', 'false', ARRAY['x', 'n', 'c'], '1.5', '3', NULL), ml.predict_proba('forms_2', '{"x": 1.5, "n": 3, "c": null}', class => 'false'),
	'untyped literals');
SELECT is(ml.predict_class_columns('forms_3', ARRAY['c', 'n', 'x', 'more'], c, n, x, id), ml.predict_class('forms_3', t), 'a class by columns') FROM t WHERE id = 77;
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', ARRAY['x', 'n', 'c'], 1, 2)$$, '22023', NULL, 'too few values');
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', ARRAY['x', 'n', NULL], 1, 2, 'red')$$, '22004', NULL, 'a NULL name');
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', NULL, 1, 2, 'red')$$, '22004', NULL, 'NULL names');
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', ARRAY['x', 'n', 'c'], 'one', 2, 'red')$$, '22P02', NULL, 'an untyped literal that is no number');
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', ARRAY['x', 'n', 'c'], 1, 2, 3)$$, '42804', NULL, 'a number for a category by columns');
SELECT throws_ok($$SELECT ml.predict_columns('forms_2', ARRAY['x', 'n'], VARIADIC ARRAY[1, 2])$$, '0A000', NULL, 'a VARIADIC array');
SELECT is(count(*) FILTER (WHERE ml.predict_proba_columns('forms_2', NULL, CASE WHEN id % 2 = 0 THEN ARRAY['x', 'n', 'c'] ELSE ARRAY['n', 'x', 'c'] END,
	CASE WHEN id % 2 = 0 THEN x ELSE n END, CASE WHEN id % 2 = 0 THEN n ELSE x END, c) = ml.predict_proba('forms_2', t)), 500::bigint, 'names that change') FROM t;

-- classes and probabilities
SELECT is(count(*) FILTER (WHERE abs(ml.predict_proba('forms_2', t, 'true') + ml.predict_proba('forms_2', t, 'false') - 1) < 1e-15), 500::bigint, 'two classes add up to 1') FROM t;
SELECT is(count(*) FILTER (WHERE abs(ml.predict_proba('forms_3', t, 'calm') + ml.predict_proba('forms_3', t, 'keen') + ml.predict_proba('forms_3', t, 'wild') - 1) < 1e-14),
	500::bigint, 'three classes add up to 1') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict_proba('forms_2', t) = ml.predict_proba('forms_2', t, 'true')), 500::bigint, 'the default class is the positive one') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict_proba('forms_text', t) = ml.predict_proba('forms_text', t, 'no')), 500::bigint, 'and that may be chosen') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict_proba('forms_3', t) = ml.predict_proba('forms_3', t, ml.predict_class('forms_3', t))), 500::bigint, 'else the winning one') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict_proba('forms_3', t) >= greatest(ml.predict_proba('forms_3', t, 'calm'), ml.predict_proba('forms_3', t, 'wild'))), 500::bigint,
	'which is the most probable') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict_class('forms_2', t) = (ml.predict_proba('forms_2', t) >= 0.5)::text), 500::bigint, 'the class is true from 0.5 on') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict('forms_2', t) = (ml.predict_class('forms_2', t) = 'true')::integer), 500::bigint, 'a boolean class as a number') FROM t;
SELECT is(count(*) FILTER (WHERE ml.predict('forms_int', t) = ml.predict_class('forms_int', t)::integer), 500::bigint, 'an integer class as a number') FROM t;
SELECT throws_like($$SELECT ml.predict('forms_3', t) FROM forms.t$$, '%is no number%', 'predict on a text target');
SELECT throws_ok($$SELECT ml.predict_proba('forms', t) FROM forms.t$$, '42804', NULL, 'predict_proba on a regression');
SELECT throws_ok($$SELECT ml.predict_class('forms', t) FROM forms.t$$, '42804', NULL, 'predict_class on a regression');
SELECT throws_ok($$SELECT ml.predict_proba('forms_2', t, 'TRUE') FROM forms.t$$, '22023', NULL, 'an unknown class');

-- predict_all
SELECT is(ml.predict_all('forms_3', t) ->> 'prediction', ml.predict_class('forms_3', t), 'predict_all: the class') FROM t WHERE id = 5;
SELECT is((ml.predict_all('forms_3', t) -> 'probabilities' ->> 'keen')::float8, ml.predict_proba('forms_3', t, 'keen'), 'predict_all: a probability to the last bit') FROM t WHERE id = 5;
SELECT is((ml.predict_all('forms', t) ->> 'prediction')::float8, ml.predict('forms', t), 'predict_all: a number to the last bit') FROM t WHERE id = 5;
SELECT is(ml.predict_all('forms_2', t) -> 'version', '1', 'predict_all: the version') FROM t WHERE id = 5;
SELECT is(ml.predict_all((SELECT ml.artifact('forms_2')), t) -> 'version', 'null', 'predict_all: no version of a model by value') FROM t WHERE id = 5;
SELECT is(ml.predict_all('forms_2', t) -> 'warnings', '[]', 'predict_all: no warnings for a row like the training rows') FROM t WHERE id = 5;
SELECT is(ml.predict_all('forms_2', '{"x": 1e9, "n": null, "c": "unheard"}') -> 'warnings',
	'["column \"x\" is above every value seen at training", "column \"n\" is missing, which it never was at training", "column \"c\" holds a value not seen at training"]',
	'predict_all: warnings');

-- predict_table: blocks, the same bits
SELECT is(count(*) FILTER (WHERE p.prediction = ml.predict('forms', t) AND p.class IS NULL AND p.probability IS NULL AND version = 1), 500::bigint, 'predict_table: a regression')
FROM ml.predict_table('forms', 'forms.t', 'id') p JOIN t ON t.id::text = p.key;
SELECT is(count(*) FILTER (WHERE p.prediction = ml.predict('forms_2', t) AND p.class = ml.predict_class('forms_2', t) AND p.probability = ml.predict_proba('forms_2', t)),
	500::bigint, 'predict_table: two classes') FROM ml.predict_table('forms_2', 'forms.t', key => 'id') p JOIN t ON t.id::text = p.key;
SELECT is(count(*) FILTER (WHERE p.prediction IS NULL AND p.class = ml.predict_class('forms_3', t) AND p.probability = ml.predict_proba('forms_3', t) AND version IS NULL), 129::bigint,
	'predict_table: by value, a query') FROM ml.predict_table((SELECT ml.artifact('forms_3')), 'SELECT c, x, n, id FROM forms.t WHERE id <= 129', 'id') p JOIN t ON t.id::text = p.key;
SELECT is(count(*), 500::bigint, 'predict_table: without a key') FROM ml.predict_table('forms', 'forms.t') p WHERE key IS NULL;
SELECT is(count(*), 0::bigint, 'predict_table: no rows') FROM ml.predict_table('forms', 'SELECT * FROM forms.t WHERE false');
SELECT is(count(*), 0::bigint, 'predict_table: a NULL model') FROM ml.predict_table(NULL::text, 'forms.t');
SELECT throws_ok($$SELECT * FROM ml.predict_table('forms', 'forms.t', 'ID')$$, '42703', NULL, 'predict_table: an unknown key');
SELECT throws_ok($$SELECT * FROM ml.predict_table('forms', 'SELECT id FROM forms.t')$$, '42703', NULL, 'predict_table: a missing column');
SELECT throws_ok($$SELECT * FROM ml.predict_table('forms', NULL)$$, '22004', NULL, 'predict_table: a NULL source');

-- odd names, a model of no column, constant columns
CREATE TABLE odd AS SELECT i AS "Größe ""x"" 🙂", 7 AS constant, repeat('z', i % 3) AS "f1", i * 2.0 AS "a.b|c" FROM generate_series(1, 60) i;
SELECT ok(count(*) = 1, 'odd names') FROM ml.train('forms odd', 'SELECT * FROM forms.odd', 'a.b|c', 'linear_regression');
SELECT ok(abs(ml.predict('forms odd', '{"Größe \"x\" 🙂": 30, "f1": "z"}') - 60) < 1e-6, 'odd names, and a constant column is not asked for');
SELECT is(count(*) FILTER (WHERE ml.predict('forms odd', odd) = ml.predict('forms odd', odd, 'k')), 60::bigint, 'odd names on both paths') FROM odd;
SELECT ok(count(*) = 1, 'no usable column') FROM ml.train('forms none', 'SELECT 1 AS one, i AS y FROM generate_series(1, 50) i', 'y', 'baseline');
SELECT ok(ml.predict('forms none', '{}') > 0, 'a model of no column');
SELECT throws_ok($$SELECT ml.predict('forms_2', '{"x": 1e400, "n": 1, "c": "red"}')$$, '22003', 'a value of column "x" is out of range for double precision',
	'a JSON number beyond double precision: the column is named');

SELECT * FROM finish();
ROLLBACK;
