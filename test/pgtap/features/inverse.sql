-- The way back from prepared rows: ml.inverse_transform against scikit-learn, and round trips.
-- Oracle: scikit-learn 1.9.1, inverse_transform of the same prepared values by transformers fitted on the same columns (subsample=None).  PowerTransformer was
-- given the lambda, mean and scale that ml.preprocess_params shows, because its own search ends at 1.5e-8; ours moves by 1e-8 with the order of the rows, since
-- the likelihood is flat at its top, so these three agree to 1e-6 only; the round trips below are exact.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TABLE cells AS
SELECT i, CASE WHEN i % 7 > 0 THEN (i * 37 % 101) / 8.0::float8 - 3 END AS x, (i * 13 % 17 + 1) / 3.0::float8 AS p,
	CASE WHEN i % 5 = 0 THEN 2.5 ELSE (i * 29 % 41) / 4.0 END::float8 AS t
FROM generate_series(1, 60) i;

-- ---- numbers ----

CREATE FUNCTION pg_temp.restored(col text, spec jsonb) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	version int := ml.fit_pipeline('step', 'cells', jsonb_build_object(col, spec), params => '{"remainder": "drop"}', exclude => '{i}');
BEGIN
	RETURN array_agg((ml.inverse_transform('step:' || version, ARRAY[y]) ->> col)::float8 ORDER BY n)
	FROM unnest('{-3.0, -1.25, -0.4, 0.0, 0.3, 0.9, 1.0, 1.75, 2.6, NULL}'::float8[]) WITH ORDINALITY v (y, n);
END $$;

-- The largest difference relative to the size, infinite where only one is NULL.
CREATE FUNCTION pg_temp.difference(got float8[], wanted float8[]) RETURNS float8 LANGUAGE sql AS $$
SELECT max(CASE WHEN g IS NULL AND w IS NULL THEN 0 WHEN g IS NULL OR w IS NULL THEN 'infinity' ELSE abs(g - w) / greatest(1, abs(w)) END) FROM unnest(got, wanted) v (g, w)
$$;

SELECT cmp_ok(pg_temp.difference(pg_temp.restored(col, spec::jsonb), wanted::float8[]), '<=', CASE WHEN spec ~ 'power|johnson' THEN 1e-6 ELSE 1e-12 END::float8, col || ': ' || spec)
FROM (VALUES
	('x', '"standard"', '{-7.717899443931713, -1.272281819586932, 1.8584467408091048, 3.331730769230769, 4.436693790547017, 6.646619833179514, 7.01494084028493, 9.77734839357555, 12.908076953971587, NULL}'),
	('x', '{"standard": {"with_mean": false}}', '{-11.049630213162482, -4.604012588817701, -1.4732840284216644, 0.0, 1.1049630213162482, 3.3148890639487445, 3.6832100710541607, 6.445617624344781, 9.576346184740817, NULL}'),
	('x', '"minmax"', '{-39.5, -18.0625, -7.6499999999999995, -2.75, 0.9250000000000003, 8.275000000000002, 9.5, 18.6875, 29.1, NULL}'),
	('x', '{"minmax": [-1, 3]}', '{-8.875000000000002, -3.515625, -0.9124999999999998, 0.3125000000000004, 1.2312500000000004, 3.068750000000001, 3.3750000000000004, 5.671875000000001, 8.275000000000002, NULL}'),
	('x', '"maxabs"', '{-28.5, -11.875, -3.8000000000000003, 0.0, 2.85, 8.55, 9.5, 16.625, 24.7, NULL}'),
	('x', '"robust"', '{-16.21875, -4.8984375, 0.5999999999999996, 3.1875, 5.128125, 9.009375, 9.65625, 14.5078125, 20.00625, NULL}'),
	('t', '{"robust": {"quantile_range": [10, 80], "unit_variance": true}}', '{-4.991447426146619, 0.18064690577224196, 2.692807009847117, 3.875, 4.761644742614662, 6.534934227843985, 6.830482475382206, 9.047094331918862, 11.559254435993736, NULL}'),
	('t', '"quantile"', '{0.0, 0.0, 0.0, 0.0, 2.5, 8.775, 10.0, 10.0, 10.0, NULL}'),
	('x', '{"quantile": {"n_quantiles": 10}}', '{-2.75, -2.75, -2.75, -2.75, 0.7249999999999998, 8.3, 9.5, 9.5, 9.5, NULL}'),
	('t', '{"quantile": {"n_quantiles": 20, "output": "normal"}}', '{0.013498980316300932, 1.2555092747526888, 2.5, 3.868421052631579, 5.1791142218895265, 7.699098032196477, 7.9912540534724545, 9.599408431361828, 9.953388119762813, NULL}'),
	('x', '"quantile_normal"', '{-2.741394400048358, -1.6514823138428625, 1.3274699747325585, 3.1875, 4.814185316454572, 7.293968902406086, 7.709536571198981, 9.087292023452894, 9.470284926348793, NULL}'),
	('p', '"log1p"', '{-0.950212931632136, -0.7134952031398099, -0.32967995396436073, 0.0, 0.3498588075760031, 1.4596031111569496, 1.7182818284590453, 4.754602676005731, 12.463738035001692, NULL}'),
	('t', '["standardize", "minmax", "quantile_normal"]', '{0.01991099596654422, 1.25, 2.5, 3.8749999999999996, 5.11419347728705, 7.5702263022705925, 8.0, 9.659127436258698, 9.93124747665015, NULL}'),
	('x', '"power"', '{-5.682428965705065, -1.1680429404681472, 1.5529889647085864, 3.0421929717692766, 4.21428259367739, 6.6677191057611305, 7.088676913661306, 10.337044091659331, 14.182611739405086, NULL}'),
	('t', '"yeo_johnson"', '{-0.8351374122343722, 1.2227552568368636, 3.020777321924146, 4.079163798099078, 4.965849987937843, 6.985460699557476, 7.3546775019901425, 10.429463970690504, 14.586355817045796, NULL}'),
	('p', '{"power": {"method": "box-cox", "standardize": false}}', '{NULL, 0.035164740136609154, 0.6230569979711631, 1.0, 1.3116042218311952, 1.9970082543781749, 2.1184516135348614, 3.0868776158631306, 4.2931695122575695, NULL}'),
	('x', '{"clip": [-1, 2]}', '{-3.0, -1.25, -0.4, 0.0, 0.3, 0.9, 1.0, 1.75, 2.6, NULL}'),
	('x', '"impute_median"', '{-3.0, -1.25, -0.4, 0.0, 0.3, 0.9, 1.0, 1.75, 2.6, NULL}'),
	('x', '"passthrough"', '{-3.0, -1.25, -0.4, 0.0, 0.3, 0.9, 1.0, 1.75, 2.6, NULL}')) v (col, spec, wanted);

SELECT ml.fit_pipeline('raw', 'cells', params => '{"remainder": "passthrough"}', exclude => '{i}');
SELECT is(ml.inverse_transform('raw', ARRAY['Infinity', '-Infinity', 'NaN']::float8[]), '{"x": "Infinity", "p": "-Infinity", "t": null}', 'what JSON has no number for is told as PostgreSQL tells it');

-- ---- categories ----

CREATE TABLE towns AS
SELECT i, (ARRAY['Bergen', 'Oslo', 'Rome', 'Oslo', 'Lima', 'Oslo', 'Rome'])[i % 7 + 1] AS city, CASE WHEN i % 11 > 0 THEN (ARRAY['Bergen', 'Oslo', 'Rome', 'Oslo', 'Lima', 'Oslo', 'Rome'])[i % 7 + 1] END AS gaps
FROM generate_series(1, 80) i;

CREATE FUNCTION pg_temp.level(col text, spec jsonb, "row" float8[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	version int := ml.fit_pipeline('level', 'towns', jsonb_build_object(col, spec), params => '{"remainder": "drop"}', exclude => '{i}');
BEGIN
	RETURN ml.inverse_transform('level:' || version, "row") ->> col;
END $$;

-- as OneHotEncoder(handle_unknown => 'ignore' or 'infrequent_if_exist') and OrdinalEncoder(handle_unknown => 'use_encoded_value') say it, whose
-- 'infrequent_sklearn' is our '(other)'
SELECT is(pg_temp.level(col, spec::jsonb, "row"::float8[]), wanted, concat_ws(' ', col, spec, "row"))
FROM (VALUES
	('city', '"onehot"', '{0,1,0,0}', 'Lima'), ('city', '"onehot"', '{0.1,0.2,0.6,0.1}', 'Oslo'), ('city', '"onehot"', '{0.4,0.4,0.1,0.1}', 'Bergen'), ('city', '"onehot"', '{0,0,0,0}', NULL),
	('city', '"onehot"', '{0,NULL,1,0}', NULL),
	('city', '{"onehot": {"drop": "first"}}', '{0,0,0}', 'Bergen'), ('city', '{"onehot": {"drop": "first"}}', '{0.2,0.6,0.1}', 'Oslo'),
	('city', '{"onehot": {"min_frequency": 12}}', '{0,1,0}', 'Rome'), ('city', '{"onehot": {"min_frequency": 12}}', '{0,0,1}', '(other)'),
	('gaps', '"onehot"', '{0,0,0,1,0}', 'Rome'), ('gaps', '"onehot"', '{0,0,0,0,1}', NULL), ('gaps', '"onehot"', '{0,0,0,0,0}', NULL),
	('gaps', '["impute_most_frequent", "onehot"]', '{0,0,1,0}', 'Oslo'),
	('gaps', '["missing_as_category", "onehot"]', '{1,0,0,0,0}', 'Bergen'), ('gaps', '["missing_as_category", "onehot"]', '{0,0,0,0,1}', NULL),
	('gaps', '[{"impute": {"constant": "nowhere"}}, "onehot"]', '{0,0,0,0,1}', NULL), ('gaps', '[{"impute": {"constant": "Rome"}}, "onehot"]', '{0,0,0,1}', 'Rome'),
	('gaps', '[{"impute": {"constant": "nowhere"}}, {"onehot": {"max_categories": 3}}]', '{0,0,1}', '(other)'),
	('city', '{"ordinal": {"order": ["Lima", "Rome", "Oslo"], "unknown": -1}}', '{1}', 'Rome'), ('city', '{"ordinal": {"order": ["Lima", "Rome", "Oslo"], "unknown": -1}}', '{-1}', NULL),
	('city', '"ordinal"', '{2.0000001}', 'Oslo'), ('city', '"ordinal"', '{1.9999999}', 'Oslo'), ('city', '"ordinal"', '{4}', NULL), ('gaps', '"ordinal"', '{NULL}', NULL)) v (col, spec, "row", wanted);

-- scaled behind the encoder: rounding makes no level of zeros
SELECT ml.fit_pipeline('wide', 'towns', '{"city": [{"onehot": {"drop": "first"}}, "standardize", "minmax"], "gaps": ["ordinal", "impute_mean", "standardize"]}', exclude => '{i}');
SELECT is_empty($$SELECT i FROM towns t WHERE gaps IS NOT NULL AND ml.inverse_transform('wide', ml.transform('wide', t)) <> to_jsonb(t) - 'i'$$, 'chains are undone from the end');

-- ---- which columns come back ----

SELECT ml.fit_pipeline('ways', 'SELECT i, x, p, t, i % 4 AS q FROM cells', '{"x": [{"impute": {"strategy": "mean", "indicator": true}}, "standardize"], "p": "drop", "t": [{"bucketize": {"n": 4}}, "standardize"],
	"log_p": [{"column": "p"}, "log1p"], "z": {"ratio": ["p", "t"]}}', params => '{"remainder": "drop"}', exclude => '{i}');
SELECT results_eq($$SELECT column_name, invertible FROM ml.transform_columns('ways') ORDER BY place$$,
	$$VALUES ('x', true), ('x is missing', true), ('bucket of t', false), ('log_p', true), ('z', false)$$, 'told by column');
SELECT is((SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(ml.inverse_transform('ways', ml.transform('ways', '{"x": 1, "p": 2, "t": 3}'))) key), '{p,x}', 'the others are absent, and a dropped column comes back by what was made of it');
SELECT is_empty($$SELECT i FROM cells c, ml.inverse_transform('ways', ml.transform('ways', c)) r WHERE (r ->> 'x')::float8 - x <> 0 AND abs((r ->> 'x')::float8 - x) > 1e-12
	OR (r ->> 'x' IS NULL) <> (x IS NULL) OR abs((r ->> 'p')::float8 - p) > 1e-12$$, 'the indicator brings NULL back');
SELECT ml.fit_pipeline('none', 'SELECT city, i FROM towns', '{"city": {"encode": "target"}}', target => 'i');
SELECT is(ml.inverse_transform('none', '{1}'), '{}', 'no way back at all');
SELECT is((SELECT bool_or(invertible) FROM ml.transform_columns('none')), false, 'and none told');

-- what only rounding parts from a whole number is whole in a column of whole numbers, and stays as it is elsewhere
SELECT ml.fit_pipeline('whole', 'SELECT i, i + 0.5 AS half, i::float8 AS double FROM generate_series(1, 60) i', '{"i": "standardize", "half": "standardize", "double": "standardize"}');
SELECT is(count(*), 0::bigint, 'whole numbers') FROM generate_series(1, 60) i, ml.inverse_transform('whole', ml.transform('whole', jsonb_build_object('i', i, 'half', 0, 'double', 0))) r WHERE (r ->> 'i') <> i::text;

-- ---- kinds ----

CREATE TABLE kinds AS
SELECT i, timestamptz '2024-03-01 00:30:00+00' + i * interval '7 hours 11.123457 seconds' AS moment, date '2023-12-25' + i AS day, timestamp '1969-02-28 23:00' + i * interval '1 day 1.5 seconds' AS local,
	i % 3 = 0 AS flag, time '00:00' + i * interval '17 minutes 3.25 seconds' AS clock, i * interval '1 hour 3.000001 seconds' AS span, (i % 4)::smallint AS stars, i % 3 = 1 AS sure,
	(i % 5)::text AS digits, 'k' || i % 3 AS kind, i * 1.1 AS amount, i * 7919 % 71 AS y
FROM generate_series(1, 71) i;
UPDATE kinds SET moment = NULL, day = NULL, local = NULL, flag = NULL, clock = NULL, span = NULL, stars = NULL, sure = NULL, digits = NULL, kind = NULL, amount = NULL WHERE i % 13 = 0;

-- numbers within rounding, all else as it was
CREATE FUNCTION pg_temp.same(got jsonb, wanted jsonb) RETURNS bool LANGUAGE sql AS $$
SELECT bool_and(CASE WHEN w.value = g.value THEN true WHEN jsonb_typeof(w.value) = 'number' AND jsonb_typeof(g.value) = 'number' THEN abs(w.value::float8 - g.value::float8) <= 1e-12 * greatest(1, abs(w.value::float8)) ELSE false END)
	AND count(*) > 0 FROM jsonb_each(got) g LEFT JOIN jsonb_each(wanted) w USING (key)
$$;

SELECT ml.train('of_' || algorithm, 'kinds', 'y', algorithm, exclude => '{i}', preprocess => '{"stars": "category", "sure": "category", "digits": "number"}', split => '{"train": 1}')
FROM unnest('{linear_regression,gradient_boosting}'::text[]) algorithm;
SET LOCAL timezone = 'UTC';
CREATE TEMP TABLE wanted AS SELECT i, to_jsonb(k) || jsonb_build_object('digits', digits::int, 'span', justify_hours(span)) AS wanted FROM kinds k;
SELECT is((SELECT count(*) FROM jsonb_object_keys(ml.inverse_transform(model, ml.transform(model, k)))), 11::bigint, model || ': every column comes back'),
	ok(pg_temp.same(ml.inverse_transform(model, ml.transform(model, k)), wanted), model || ': row ' || i)
FROM unnest('{of_linear_regression,of_gradient_boosting}'::text[]) model, kinds k JOIN wanted USING (i) WHERE i IN (1, 2, 13, 18, 23);
SELECT is_empty($$SELECT i FROM kinds k JOIN wanted USING (i) WHERE NOT pg_temp.same(ml.inverse_transform('of_linear_regression', ml.transform('of_linear_regression', k)), wanted)$$, 'dates, times, booleans, all as they were');
SELECT is_empty($$SELECT model, invertible FROM unnest('{of_linear_regression,of_gradient_boosting}'::text[]) model, ml.transform_columns(model) WHERE NOT invertible$$, 'the default steps can all be undone');
SELECT is_empty($$SELECT i FROM kinds k, ml.inverse_transform('of_gradient_boosting', ml.transform('of_gradient_boosting', k)) back,
	unnest(ml.transform('of_gradient_boosting', back), ml.transform('of_gradient_boosting', k)) v (got, wanted)
	WHERE (got IS NULL) <> (wanted IS NULL) OR abs(got - wanted) > 1e-10$$, 'what comes back can be prepared again');
SELECT is_empty($$SELECT k.i FROM kinds k, jsonb_populate_record(NULL::kinds, ml.inverse_transform('of_gradient_boosting', ml.transform('of_gradient_boosting', k))) back
	WHERE (back.moment, back.day, back.local, back.clock, back.span, back.stars, back.sure, back.digits) IS DISTINCT FROM (k.moment, k.day, k.local, k.clock, k.span, k.stars, k.sure, k.digits)$$, 'and is a row of the table');

-- the model's time zone, not the session's
SELECT ml.fit_pipeline('zone', 'SELECT moment FROM kinds', params => '{"time_zone": "America/New_York"}');
CREATE TEMP TABLE told AS SELECT ml.inverse_transform('zone', ml.transform('zone', k)) ->> 'moment' AS moment FROM kinds k WHERE i = 30;
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL datestyle = 'German';
SELECT is((SELECT ml.inverse_transform('zone', ml.transform('zone', k)) ->> 'moment' FROM kinds k WHERE i = 30), moment, 'settings change nothing') FROM told;
SELECT is(moment, '2024-03-09T13:35:33.70371-05:00', 'local time and how far it is from UTC') FROM told;
RESET timezone;
RESET datestyle;
SELECT is(ml.inverse_transform('zone', array_fill(1e300::float8, ARRAY[array_length(ml.transform('zone', '{"moment": null}'), 1)])), '{"moment": null}', 'beyond the calendar');

SELECT ml.fit_pipeline('seconds', 'SELECT clock, span FROM kinds', '{"clock": "standardize", "span": "standardize"}');
SELECT is(ml.inverse_transform('seconds', '{-100,1e300}'), '{"clock": null, "span": null}', 'beyond the clock');

-- a level that training did not show, where none was rare: no level
SELECT is(ml.inverse_transform('of_linear_regression', ml.transform('of_linear_regression', to_jsonb(k) || '{"kind": "new", "digits": 3}')) -> 'kind', 'null', 'a level never seen') FROM kinds k WHERE i = 1;

-- ---- real data: every row, by default steps and by chains ----

SELECT ml.train('titanic_' || algorithm, 'titanic', 'survived', algorithm, task => 'classification', exclude => '{alive}')
FROM unnest('{logistic_regression,gradient_boosting}'::text[]) algorithm;
SELECT ml.train('telco_' || algorithm, 'telco_churn', 'Churn', algorithm, preprocess => '{"TotalCharges": "number", "Contract": {"ordinal": {"order": ["Month-to-month", "One year", "Two year"]}}}')
FROM unnest('{logistic_regression,random_forest}'::text[]) algorithm;
SELECT ml.fit_pipeline('titanic_steps', 'titanic', '{"age": [{"impute": {"strategy": "median", "indicator": true}}, "yeo_johnson"], "fare": ["log1p", "robust"], "pclass": ["category", "onehot"],
	"sibsp": "quantile", "parch": ["standardize", {"minmax": [-1, 1]}], "deck": ["missing_as_category", {"onehot": {"drop": "first"}}, "maxabs"], "embarked": "ordinal", "who": "category"}',
	exclude => '{survived,alive}');

CREATE TEMP TABLE passenger AS SELECT ctid AS id, to_jsonb(t) AS wanted FROM titanic t;
CREATE TEMP TABLE customer AS SELECT ctid AS id, to_jsonb(t) || jsonb_build_object('TotalCharges', nullif(trim("TotalCharges"), '')::float8) AS wanted FROM telco_churn t;
SELECT is((SELECT array_agg(DISTINCT n) FROM titanic t, LATERAL (SELECT count(*) AS n FROM jsonb_object_keys(ml.inverse_transform(model, ml.transform(model, t)))) v), '{13}', model || ': thirteen columns come back'),
	is((SELECT count(*) FROM titanic t JOIN passenger ON id = t.ctid WHERE NOT pg_temp.same(ml.inverse_transform(model, ml.transform(model, t)), wanted)), 0::bigint, model || ': as they were')
FROM unnest('{titanic_logistic_regression,titanic_gradient_boosting,titanic_steps}'::text[]) model;
SELECT is((SELECT array_agg(DISTINCT n) FROM telco_churn t, LATERAL (SELECT count(*) AS n FROM jsonb_object_keys(ml.inverse_transform(model, ml.transform(model, t)))) v), '{19}', model || ': all but the key come back'),
	is((SELECT count(*) FROM telco_churn t JOIN customer ON id = t.ctid WHERE NOT pg_temp.same(ml.inverse_transform(model, ml.transform(model, t)), wanted)), 0::bigint, model || ': as they were')
FROM unnest('{telco_logistic_regression,telco_random_forest}'::text[]) model;

-- ---- damaged bytes ----

CREATE FUNCTION pg_temp.state(model bytea, width int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	model := substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32));
	PERFORM ml.inverse_transform(model, array_fill(y, ARRAY[width])) FROM unnest('{0,1,1e300,NaN}'::float8[]) y;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE intact AS SELECT model, ml.artifact(model) AS bytes, (SELECT count(*)::int FROM ml.transform_columns(model)) AS width
FROM unnest('{ways,wide,of_linear_regression,titanic_steps}'::text[]) model;
SELECT is_empty($$SELECT model, i, mask, s FROM intact, generate_series(32, length(bytes) - 33, 11) i, unnest('{1,4,255}'::int[]) mask,
	pg_temp.state(set_byte(bytes, i, get_byte(bytes, i) # mask), width) s WHERE s NOT IN ('XX001', '0A000', '2202E', 'ok')$$, 'changed and sealed: refused in words, or a legal way back');

-- ---- forms and errors ----

SELECT is(ml.inverse_transform((SELECT ml.artifact('ways')), ml.transform('ways', c)), ml.inverse_transform('ways', ml.transform('ways', c)), 'by value') FROM cells c WHERE i IN (1, 7);
SELECT is(ml.inverse_transform('ways', NULL), NULL, 'no row');
SELECT is(ml.inverse_transform(NULL::text, '{1}'), NULL, 'no model');
SELECT throws_ok($$SELECT ml.inverse_transform('ways', '{1,2,3}')$$, '2202E', 'the prepared row has 3 values, but rows of model "ways" version 1 have 5');
SELECT throws_ok($$SELECT ml.inverse_transform('ways', '{}')$$, '2202E', 'the prepared row has 0 values, but rows of model "ways" version 1 have 5');
SELECT throws_ok($$SELECT ml.inverse_transform((SELECT ml.artifact('ways')), '{1}')$$, '2202E', 'the prepared row has 1 values, but rows of the given model have 5');
SELECT throws_ok($$SELECT ml.inverse_transform('ways', '{{1,2,3,4,5}}')$$, '2202E', 'the prepared row is an array of 2 dimensions, expected 1');
SELECT throws_ok($$SELECT ml.inverse_transform('nothing', '{1}')$$, '42704');
PREPARE again(float8[]) AS SELECT ml.inverse_transform('whole', $1);
CREATE TEMP TABLE once AS EXECUTE again('{0,0,0}');
CREATE TEMP TABLE twice AS EXECUTE again('{0,0,0}');
SELECT results_eq('TABLE once', 'TABLE twice', 'from statement to statement');
CREATE ROLE inverse_reader;
GRANT USAGE ON SCHEMA ml TO inverse_reader;
SET LOCAL ROLE inverse_reader;
SELECT throws_ok($$SELECT ml.inverse_transform('whole', '{0,0,0}')$$, '42501');
RESET ROLE;
SELECT ml.grant_model('whole', 'inverse_reader', 'predict');
SET LOCAL ROLE inverse_reader;
SELECT lives_ok($$SELECT ml.inverse_transform('whole', '{0,0,0}')$$, 'granted');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
