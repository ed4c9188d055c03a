-- Which columns play which part, what the target may be, and what happens to rows that cannot be used.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE t AS
SELECT i AS id, (i * 7919) % 1000 / 10.0::float8 AS a, 'g' || i % 4 AS g, i % 2 = 0 AS b, (i % 5)::int2 AS small, i % 30 AS many, (i % 3) - 1.0 AS whole,
	i / 7.0 AS fraction, CASE WHEN i > 12 THEN i * 1.5 END AS holes, date '2024-01-01' + i AS d, NULL::int AS nothing, i % 4 AS w,
	i::float8 AS y
FROM generate_series(1, 1000) i;
CREATE FUNCTION pg_temp.inputs(model text) RETURNS text LANGUAGE sql AS $$SELECT string_agg(column_name, ',' ORDER BY column_name COLLATE "C") FROM ml.describe(model)$$;

-- columns
SELECT lives_ok($$SELECT ml.train('all', 't', 'y', algorithm => 'baseline')$$);
SELECT is(pg_temp.inputs('all'), 'a,b,d,fraction,g,holes,id,many,nothing,small,w,whole', 'all but the target');
SELECT lives_ok($$SELECT ml.train('roles', 't', 'y', algorithm => 'baseline', key => 'id', weights => 'w', time_column => 'd', exclude => '{a,b,a}')$$);
SELECT is(pg_temp.inputs('roles'), 'd,fraction,g,holes,many,nothing,small,whole', 'but target, key, weight and excluded ones; the time stays');
SELECT lives_ok($$SELECT ml.train('listed', 't', 'y', algorithm => 'baseline', key => 'id', features => '{w,id,g}', weights => 'w')$$);
SELECT is(pg_temp.inputs('listed'), 'g,id,w', 'what is listed');
SELECT throws_ok(format('SELECT ml.train(''m'', ''t'', %s)', arguments), state, message, message)
FROM (VALUES ($$'Y'$$, '42703', 'source has no column "Y", given as the target'), ($$'y', key => 'idd'$$, '42703', 'source has no column "idd", given as the key'),
	($$'y', time_column => 'dd'$$, '42703', 'source has no column "dd", given as the time'),
	($$'y', weights => 'weight'$$, '42703', 'source has no column "weight", given as the weight'),
	($$'y', features => '{a,smal}'$$, '42703', 'source has no column "smal", given as a feature'),
	($$'y', exclude => '{zzz}'$$, '42703', 'source has no column "zzz", given as a column to exclude'),
	($$'y', preprocess => '{"zzz": "number"}'$$, '42703', 'source has no column "zzz", given as a number'),
	($$'y', features => '{a,y}'$$, '22023', 'column "y" is the target and cannot be a feature'),
	($$'y', exclude => '{y}'$$, '22023', 'column "y" is the target and cannot be excluded'),
	($$'y', features => '{a,b}', exclude => '{b}'$$, '22023', 'column "b" is named both as a feature and as excluded'),
	($$'y', features => '{a}', preprocess => '{"g": "number"}'$$, '22023', 'column "g" is named as a number but is no feature'),
	($$'y', key => 'y'$$, '22023', 'column "y" cannot be both the target and the key'),
	($$'y', time_column => 'y'$$, '22023', 'column "y" cannot be both the target and the time'),
	($$'y', weights => 'y'$$, '22023', 'column "y" cannot be both the target and the weight'),
	($$'y', weights => 'g'$$, '42804', 'column "g" has type text, which cannot be the weight of rows'),
	($$'y', preprocess => '{"d": "number"}'$$, '42804', 'column "d" has type date, which cannot be read as a number'),
	($$'y', features => '{y}'$$, '22023', 'column "y" is the target and cannot be a feature')) AS v (arguments, state, message);
SELECT throws_ok($$SELECT ml.train('m', 'SELECT y FROM t', 'y')$$, '22023', 'source has no column to learn from besides the target "y"');
SELECT throws_ok($$SELECT ml.train('m', 'SELECT a, g AS a, y FROM t', 'y')$$, '42701', 'source has more than one column "a"');
SELECT throws_ok($$SELECT ml.train('m', 'SELECT a, y, y FROM t', 'y')$$, '42701', 'source has more than one column "y"');
SELECT lives_ok($$SELECT ml.train('m', 'SELECT a, g AS x, b AS x, y FROM t', 'y', features => '{a}')$$, 'a name that stands twice harms only who needs it');
CREATE TABLE no_columns ();
SELECT throws_ok($$SELECT ml.train('m', 'no_columns', 'y')$$, '42703', 'source has no column "y", given as the target');

CREATE FUNCTION pg_temp.message(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(pg_temp.hint(format('SELECT ml.train(''m'', ''t'', %L)', wrong)), hint, 'hint for ' || wrong)
FROM (VALUES ('Y', 'Perhaps you meant "y".'), ('fractoin', 'Perhaps you meant "fraction".'), ('MANY', 'Perhaps you meant "many".'),
	('something else', 'Its columns are id, a, g, b, small, many, whole, fraction, holes, d, nothing, w, y.')) AS v (wrong, hint);
SELECT is(pg_temp.hint($$SELECT ml.train('m', 'Telco', 'y')$$), 'Names with upper-case letters need double quotes inside the source text.');

-- names
SELECT lives_ok(format('SELECT ml.train(''names'', %L, %L, algorithm => ''linear_regression'')',
	format('SELECT i AS %I, 2 * i AS %I FROM generate_series(1, 100) i', name, 'target ' || left(name, 20)), 'target ' || left(name, 20)), name)
FROM unnest(ARRAY['Mixed Case', 'with "quotes"', '📏 größe', 'select', repeat('x', 63), 'semi;colon', 'a,b', '$1', '?column?']) AS name;
SELECT is(round(ml.predict('names:9', '{"?column?": 21}')::numeric, 6), 42.000000, 'and they predict');

-- targets
SELECT matches(task, want, target || ' as ' || coalesce(asked, 'its type says'))
FROM (VALUES ('y', NULL, 'regression'), ('small', NULL, 'regression'), ('whole', NULL, 'regression'), ('g', NULL, 'classification'), ('b', NULL, 'classification'),
	('small', 'classification', 'classification'), ('whole', 'classification', 'classification'), ('many', 'regression', 'regression')) AS v (target, asked, want),
	ml.train('targets', format('SELECT a, %I AS target FROM t', target), 'target', algorithm => 'baseline', task => asked);
CREATE FUNCTION pg_temp.answer(source text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.train('classes', source, 'target', algorithm => 'baseline', task => 'classification');
	PERFORM ml.deploy('classes', (SELECT max(version) FROM ml.versions WHERE model = 'classes'));
	RETURN ml.predict_all('classes', '{"a": 1}') || jsonb_build_object('positive', ml.predict_proba('classes', '{"a": 1}'));
END $$;
SELECT is(ARRAY(SELECT class FROM jsonb_object_keys(pg_temp.answer(source) -> 'probabilities') AS class ORDER BY class COLLATE "C"), wanted, source)
FROM (VALUES ('SELECT a, (small - 2) * 5 AS target FROM t', '{-10,-5,0,10,5}'::text[]), ('SELECT a, whole AS target FROM t', '{-1,0,1}'),
	('SELECT a, b AS target FROM t', '{false,true}'), ('SELECT a, small::float8 AS target FROM t', '{0,1,2,3,4}'),
	('SELECT a, (small + 9007199254740990) AS target FROM t', '{9007199254740990,9007199254740991,9007199254740992,9007199254740993,9007199254740994}'),
	('SELECT a, upper(g)::char(8) AS target FROM t', '{G0,G1,G2,G3}')) AS v (source, wanted);
SELECT ok((pg_temp.answer(source) ->> 'positive')::float8 BETWEEN 0.25 AND 0.35, 'the last class is the positive one: ' || source)
FROM (VALUES ('SELECT a, CASE WHEN id <= 300 THEN 10 ELSE 9 END AS target FROM t'), ('SELECT a, CASE WHEN id <= 300 THEN -9 ELSE -10.0 END AS target FROM t'),
	('SELECT a, id <= 300 AS target FROM t'), ('SELECT a, CASE WHEN id <= 300 THEN ''9'' ELSE ''10'' END AS target FROM t'),
	('SELECT a, CASE WHEN id <= 300 THEN ''a'' ELSE ''Z'' END AS target FROM t')) AS v (source);
SELECT throws_ok(format('SELECT ml.train(''m'', ''t'', %s)', arguments), state, message, message)
FROM (VALUES ($$'many', task => 'classification'$$, '22023', 'numeric target column "many" has more than 20 distinct values, too many for classes'),
	($$'fraction', task => 'classification'$$, '22023', 'numeric target column "fraction" has the value 0.142857, which cannot name a class'),
	($$'g', task => 'regression'$$, '42804', 'target column "g" has type text, which regression cannot predict'),
	($$'b', task => 'regression'$$, '42804', 'target column "b" has type boolean, which regression cannot predict'),
	($$'d'$$, '42804', 'target column "d" has type date, which cannot be predicted'),
	($$'nothing'$$, '22000', 'target column "nothing" has no value in any of the 1000 rows of the source')) AS v (arguments, state, message);
SELECT throws_ok($$SELECT ml.train('m', 'SELECT * FROM t WHERE false', 'y')$$, '22000', 'source has no rows');
SELECT throws_ok($$SELECT ml.train('m', 'SELECT a, CASE WHEN id = 500 THEN -''Infinity''::float8 ELSE y END AS y FROM t', 'y')$$, '22000', 'target column "y" has an infinite value');
SELECT ok(n_train + n_validation + n_test = 980 AND warnings @> ARRAY['20 of 1000 rows have no value in target column "y" and were left out'], 'NULL and NaN targets')
FROM ml.train('gaps', 'SELECT a, CASE WHEN id > 990 THEN ''NaN'' WHEN id > 10 THEN y END AS y FROM t', 'y', algorithm => 'baseline');

-- weights
SELECT throws_ok(format('SELECT ml.train(''m'', ''SELECT a, y, %s AS w FROM t'', ''y'', weights => ''w'')', value), '22000',
	format('weight column "w" has the value %s', shown))
FROM (VALUES ('CASE WHEN id < 999 THEN 1 END', 'NULL'), ('999 - id', '-1'), ('sqrt(y) * ''''NaN''''', 'NaN'), ('''''inf''''::float8', 'Infinity')) AS v (value, shown);
SELECT lives_ok($$SELECT ml.train('weighted', 't', 'y', algorithm => 'baseline', weights => 'w')$$, 'weights of 0 are weights');

-- 1,600 columns
SELECT format('CREATE TABLE widest (%s, y int)', string_agg(format('c%s int2 DEFAULT %s', i, i), ', ')) AS statement FROM generate_series(1, 1599) i \gexec
INSERT INTO widest (y) SELECT i FROM generate_series(1, 100) i;
SELECT is(n_train + n_validation + n_test, 100::bigint, '1,600 columns') FROM ml.train('widest', 'widest', 'y', algorithm => 'baseline');

-- memory: refused with what is needed, and that is enough
CREATE TABLE wider AS SELECT i AS y, i AS a, i AS b, 'level ' || i AS c, repeat('x', i % 100) AS d FROM generate_series(1, 200000) i;
SET LOCAL relearn.max_memory = '4MB';
CREATE TABLE refused AS SELECT pg_temp.hint($$SELECT ml.train('m', 'wider', 'y', algorithm => 'baseline', exclude => '{c,d}')$$) AS hint;
SELECT matches(hint, 'relearn\.max_memory = ''\d+MB''', 'says how much') FROM refused;
SELECT throws_like($$SELECT ml.train('m', 'wider', 'y', algorithm => 'baseline')$$, 'the rows of the source would need % of memory, more than relearn.max_memory allows');
SELECT set_config('relearn.max_memory', substring(hint FROM '\d+MB'), true) FROM refused;
SELECT unalike(pg_temp.message($$SELECT ml.train('m', 'wider', 'y', algorithm => 'baseline', exclude => '{c,d}')$$), 'the rows of the source%', 'and that is enough for the rows');
SET LOCAL relearn.max_memory = '1MB';
SELECT throws_like($$SELECT ml.train('m', 'SELECT i AS y, repeat(md5(i::text), 20000) AS x FROM generate_series(1, 20) i', 'y')$$,
	'the rows of the source would need 1_ MB of memory%', 'few but long texts');
RESET relearn.max_memory;
SELECT * FROM finish();
ROLLBACK;
