-- Encoders of categories, statistics of groups, parts of dates and holidays.
-- Literals: scikit-learn 1.9.1 (TargetEncoder, OneHotEncoder, OrdinalEncoder) and pandas 3.1.1 (groupby, .dt) on the same rows.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TABLE trips AS
SELECT * FROM unnest(
	ARRAY['Rome','Oslo','Rome','Bern','Oslo','Rome','Oslo','Bern','Rome','Kiev',NULL,'Rome',NULL,'Oslo','Bern','Rome'],
	ARRAY[1,0,1,0,1,1,0,0,0,1,1,1,0,0,1,0],
	ARRAY[12.5,3.0,8.25,7.0,4.5,9.0,2.0,6.5,11.0,5.0,1.5,10.0,2.5,3.5,6.0,9.5]::float8[],
	ARRAY['a','b','c','a','b','c','a','b','c','a','b','c','a','a','c','b']) AS t (city, y, num, k);

-- What the steps of one column make of some cities: one array after the other.
CREATE FUNCTION pg_temp.encoded(preprocess jsonb, target text DEFAULT NULL, cities text[] DEFAULT '{Bern,Kiev,Oslo,Rome,NULL}') RETURNS float8[]
LANGUAGE plpgsql AS $$
DECLARE answer float8[];
BEGIN
	PERFORM ml.fit_pipeline('encoded', 'trips', preprocess, target => target, features => '{city}');
	SELECT array_agg(v ORDER BY i, j) INTO answer
	FROM unnest(cities) WITH ORDINALITY AS c (city, i),
		unnest(ml.transform('encoded:' || (SELECT max(version) FROM ml.versions WHERE model = 'encoded'), jsonb_build_object('city', city))) WITH ORDINALITY AS o (v, j);
	RETURN answer;
END $$;

CREATE FUNCTION pg_temp.near(found float8[], wanted float8[], what text) RETURNS text LANGUAGE sql AS $$
SELECT ok(cardinality(found) = cardinality(wanted) AND
	(SELECT bool_and(f IS NOT DISTINCT FROM w OR (f = 'NaN' AND w = 'NaN') OR abs(f - w) <= 1e-12) FROM unnest(found, wanted) AS u (f, w)), what || ': ' || found::text)
$$;

-- ---- target ----

SELECT pg_temp.near(pg_temp.encoded('{"city": "target"}', 'y'),
	'{0.3714285714285714,1.0,0.2894736842105263,0.6451612903225805,0.5}', 'two classes, empirical Bayes');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"target": {"smooth": 3}}}', 'y'),
	'{0.4166666666666667,0.625,0.35714285714285715,0.6111111111111112,0.5}', 'two classes, three rows');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"encode": "target"}}', 'num'),
	'{6.4992923259134034,5.0,3.3064563647076795,9.937145419497778,2.049051710876206}', 'a number');
SELECT pg_temp.near(pg_temp.encoded('{"city": "TargetEncoder"}', 'k'),
	'{0.34333958724202623,0.32799198798197293,0.32799198798197293, 1,0,0, 0.4736842105263158,0.45774647887323944,0, 0.18539325842696627,0.18085106382978722,0.6145893164847789, 0.4565217391304348,0.43103448275862066,0}',
	'three classes');
SELECT pg_temp.near(pg_temp.encoded('{"city": "target"}', 'y', '{Paris}'), '{0.5}', 'an unseen level');
SELECT throws_ok($$SELECT pg_temp.encoded('{"city": "target"}')$$, '22023', 'preprocess step "target" of column "city" needs a target', 'no target');

-- ---- one column a level ----

SELECT pg_temp.near(pg_temp.encoded('{"city": "onehot"}', NULL, '{Rome,Oslo,NULL,Paris}'), '{0,0,0,1,0, 0,0,1,0,0, 0,0,0,0,1, 0,0,0,0,0}', 'each level');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"onehot": {"drop": "first"}}}', NULL, '{Rome,Bern,NULL}'), '{0,0,1,0, 0,0,0,0, 0,0,0,1}', 'without the first');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"onehot": {"min_frequency": 3}}}', NULL, '{Bern,Kiev,NULL,Paris}'), '{1,0,0,0,0, 0,0,0,1,0, 0,0,0,0,1, 0,0,0,0,0}',
	'rare ones together, but not what is missing');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"onehot": {"max_categories": 3, "unknown": "other"}}}', NULL, '{Oslo,Rome,Bern,Paris}'), '{1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,1,0}',
	'three at most');
SELECT pg_temp.near(pg_temp.encoded('{"city": ["impute_most_frequent", {"onehot": {"min_frequency": 0.3, "drop": "if_binary"}}]}', NULL, '{Oslo,Rome}'), '{1,0}',
	'of two only the second');

-- ---- a number a level ----

SELECT pg_temp.near(pg_temp.encoded('{"city": "ordinal"}', NULL, '{Bern,Rome,NULL,Paris}'), '{0,3,NaN,NaN}'::float8[], 'bytewise');
SELECT pg_temp.near(pg_temp.encoded('{"city": {"ordinal": {"order": ["Rome", "Oslo", "Bern"], "unknown": -1}}}', NULL, '{Bern,Kiev,Oslo,Rome,Paris}'),
	'{2,-1,1,0,-1}', 'in a given order');
SELECT pg_temp.near(pg_temp.encoded('{"city": "frequency"}', NULL, '{Bern,Rome,NULL,Paris}'), '{0.1875,0.375,0.125,0}', 'shares');
SELECT pg_temp.near(pg_temp.encoded('{"city": "count"}', NULL, '{Bern,Rome,NULL,Paris}'), '{3,6,2,0}', 'counts');
SELECT throws_ok($$SELECT pg_temp.encoded('{"city": {"ordinal": ["a", "a"]}}')$$, '22023', NULL, 'a level twice');

-- ---- groups ----

CREATE FUNCTION pg_temp.grouped(statistic text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE answer float8[];
BEGIN
	PERFORM ml.fit_pipeline('grouped', 'SELECT city, num FROM trips', jsonb_build_object('g', jsonb_build_object('group_' || statistic, '{"of": "num", "by": "city"}'::jsonb)),
		params => '{"remainder": "drop"}');
	SELECT array_agg((ml.transform('grouped:' || (SELECT max(version) FROM ml.versions WHERE model = 'grouped'), jsonb_build_object('city', city, 'num', 0)))[1] ORDER BY i) INTO answer
	FROM unnest('{Bern,Kiev,Oslo,Rome,NULL,Paris}'::text[]) WITH ORDINALITY AS c (city, i);
	RETURN answer;
END $$;
SELECT pg_temp.near(pg_temp.grouped(statistic), wanted, statistic)
FROM (VALUES ('mean', '{6.5,5,3.25,10.041666666666666,2,6.359375}'::float8[]), ('median', '{6.5,5,3.25,9.75,2,6.25}'), ('sum', '{19.5,5,13,60.25,4,101.75}'),
	('count', '{3,1,4,6,2,16}'), ('min', '{6,5,2,8.25,1.5,1.5}'), ('max', '{7,5,4.5,12.5,2.5,12.5}'),
	('sd', '{0.5,3.4229236406908057,1.0408329997330663,1.5200054824462532,0.7071067811865476,3.4229236406908057}')) v (statistic, wanted);
SELECT throws_ok($$SELECT ml.fit_pipeline('g', 'trips', '{"g": {"group_mean": {"of": "city", "by": "num"}}}')$$, '42804',
	'preprocess step "group" needs a number and a category, not a category and a number, columns "city" and "num"', 'the wrong way round');

-- ---- dates ----

CREATE TABLE days AS
SELECT unnest('{2024-12-30 23:59:58.5,2021-01-03,2020-02-29 12:30,1999-12-31 06:00,2026-01-01,NULL}'::timestamp[]) AS day;
SELECT lives_ok($$SELECT ml.fit_pipeline('parts', 'days', '{"day": {"date_parts": ["year", "quarter", "month", "week", "day", "day_of_year", "isodow", "hour", "minute",
	"second", "is_weekend", "is_month_start", "is_month_end"]}}')$$, 'all parts');
SELECT pg_temp.near(ml.transform('parts', days.*), wanted, days.day::text)
FROM days JOIN (VALUES ('2024-12-30 23:59:58.5'::timestamp, '{2024,4,12,1,30,365,1,23,59,58.5,0,0,0}'::float8[]), ('2021-01-03', '{2021,1,1,53,3,3,7,0,0,0,1,0,0}'),
	('2020-02-29 12:30', '{2020,1,2,9,29,60,6,12,30,0,1,0,1}'), ('1999-12-31 06:00', '{1999,4,12,52,31,365,5,6,0,0,0,0,1}'),
	('2026-01-01', '{2026,1,1,1,1,1,4,0,0,0,0,1,0}')) v (day, wanted) USING (day);
SELECT lives_ok($$SELECT ml.fit_pipeline('turns', 'days', '{"day": {"cyclic": {"parts": ["month", "year"]}}}')$$, 'the cycle of a part');
SELECT pg_temp.near(ml.transform('turns', '{"day": "2021-03-15"}'), '{1,0,2021}', 'March is a quarter of a turn');
SELECT throws_like($$SELECT ml.fit_pipeline('p', 'days', '{"day": {"date_parts": ["yaer"]}}')$$, '%"yaer" is no part of a date; valid are year, quarter,%', 'no such part');

SELECT lives_ok($$SELECT ml.fit_pipeline('holidays', 'days', jsonb_build_object('day', jsonb_build_object('holidays', jsonb_build_object('distance', true,
	'dates', (SELECT jsonb_agg(d) FROM (VALUES (date '2026-01-01'), ('2025-12-25')) h (d))))))$$, 'days of a table');
SELECT pg_temp.near(ml.transform('holidays', jsonb_build_object('day', day)), wanted, day)
FROM (VALUES ('2026-01-01T10:00:00', '{1,0}'::float8[]), ('2025-12-24', '{0,-1}'), ('2025-12-28', '{0,3}'), ('2025-12-29', '{0,-3}'), ('2026-02-01', '{0,31}')) v (day, wanted);
SELECT throws_like($$SELECT ml.fit_pipeline('p', 'days', '{"day": {"holidays": ["25.12.2025"]}}')$$, '%is no date as ISO 8601 has them%', 'no date');

-- ---- out of fold ----

-- A target that has nothing to do with a key-like category: without cross-fitting the category would seem to tell all.
CREATE TABLE noise AS
SELECT i AS id, 'k' || i % 700 AS k, hashint4(i) % 2 = 0 AS y FROM generate_series(1, 2000) i;
SELECT lives_ok($$SELECT ml.train('noise', 'noise', 'y', 'logistic_regression', key => 'id', preprocess => '{"k": "target"}')$$, 'a target that is noise');
SELECT cmp_ok((SELECT value FROM ml.evaluate('noise') WHERE metric = 'roc_auc'), '<', 0.58::float8, 'nothing is learned from it');
SELECT cmp_ok((SELECT abs(coefficient) FROM ml.coefficients('noise') WHERE feature LIKE 'k:%'), '<', 0.6::float8, 'and the weight stays small');

-- ---- damaged bytes ----

CREATE FUNCTION pg_temp.sealed(model bytea) RETURNS bytea LANGUAGE sql AS
$$SELECT substring(model FROM 1 FOR length(model) - 32) || sha256(substring(model FROM 1 FOR length(model) - 32))$$;
CREATE FUNCTION pg_temp.state(model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.transform(model, '{"city": "Oslo", "num": 5, "day": "2021-05-05"}'::jsonb);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT lives_ok($$SELECT ml.fit_pipeline('all', 'SELECT city, num, timestamp ''2020-01-01'' + num * interval ''1 day'' AS day, y FROM trips', '{"city": {"onehot": {"min_frequency": 3}},
	"o": [{"column": "city"}, "ordinal"], "t": [{"column": "city"}, "target"], "g": {"group_sd": ["num", "city"]}, "day": {"date_parts": ["week", "hour"]},
	"h": [{"column": "day"}, {"holidays": {"dates": ["2020-01-06"]}}]}', target => 'y')$$, 'all of them');
CREATE TEMP TABLE intact AS SELECT ml.artifact('all') AS bytes;
SELECT is(pg_temp.state(bytes), 'ok', 'undamaged') FROM intact;
SELECT is_empty($$SELECT i, mask, s FROM intact, generate_series(32, length(bytes) - 33) i, unnest('{1,4,255}'::int[]) mask,
	pg_temp.state(pg_temp.sealed(set_byte(bytes, i, get_byte(bytes, i) # mask))) s WHERE s NOT IN ('XX001', '0A000', 'ok', '42703', '42804', '22P02', '22007', '22008')$$, 'changed and sealed: refused in words, or a legal model');
SELECT is_empty($$SELECT n FROM intact, generate_series(40, length(bytes) - 1, 5) n
	WHERE pg_temp.state(pg_temp.sealed(substring(bytes FROM 1 FOR n))) NOT IN ('XX001', '0A000')$$, 'cut and sealed: noticed');

-- ---- the same as SQL ----

SELECT lives_ok($$SELECT ml.fit_pipeline('plain', 'trips', '{"city": {"onehot": {"min_frequency": 3, "unknown": "other"}}, "o": [{"column": "city"}, {"ordinal": {"unknown": -1}}],
	"f": [{"column": "city"}, "frequency"], "g": {"group_sd": ["num", "city"]}, "num": "passthrough"}', exclude => '{y,k}')$$, 'a pipeline that SQL can say');
CREATE TEMP TABLE more_trips AS SELECT city, num FROM trips UNION ALL VALUES ('Paris', 1.5), (NULL, NULL);
SELECT ml.transform_sql('plain', 'more_trips') AS query \gset
CREATE TEMP TABLE said AS :query;
SELECT results_eq('SELECT s::text FROM said s', $$SELECT replace(translate(ml.transform('plain', t.*)::text, '{}', '()'), 'NULL', '') FROM more_trips t$$, 'SQL says the same');

SELECT * FROM finish();
ROLLBACK;
