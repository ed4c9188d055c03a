-- Dates, timestamps and times of day.
-- Oracle: parts by Python's datetime, scikit-learn 1.9.1 (StandardScaler on year, is_weekend and days; Ridge(alpha=1)); PostgreSQL's extract().
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT plan(20);

CREATE TABLE calendar AS
SELECT at, (coalesce(extract(month FROM at) + 0.1 * extract(day FROM at) + CASE WHEN extract(isodow FROM at) >= 6 THEN 3 ELSE 0 END
	+ 0.2 * extract(hour FROM at) + 0.01 * floor(extract(epoch FROM at - timestamp '2019-12-30 22:00') / 86400), 0) + i % 3)::float8 AS y
FROM generate_series(1, 120) i, LATERAL (SELECT CASE WHEN i % 15 <> 0 THEN timestamp '2019-12-30 22:00' + i * interval '153 hours' END AS at) a;

CREATE FUNCTION pg_temp.learn(name text, source text, zone text DEFAULT 'UTC') RETURNS text[] LANGUAGE sql AS
$$
	SELECT ARRAY(SELECT w FROM unnest(warnings) w WHERE w LIKE 'column %') FROM ml.train(name, source, 'y', 'linear_regression', jsonb_build_object('l2', 1, 'time_zone', zone),
		split => '{"train": 1, "validation": 0, "test": 0}')
$$;
CREATE FUNCTION pg_temp.close(got float8, wanted float8) RETURNS boolean LANGUAGE sql AS $$ SELECT abs(got - wanted) <= 1e-9 * greatest(1, abs(wanted)) $$;

SELECT is(pg_temp.learn('calendar', 'calendar'), '{}', 'trained on timestamps');
SELECT results_eq('SELECT feature FROM ml.coefficients(''calendar'')', ARRAY['(intercept)', 'at: year', 'at: sin month', 'at: cos month', 'at: sin day',
	'at: cos day', 'at: sin isodow', 'at: cos isodow', 'at: sin hour', 'at: cos hour', 'at: is_weekend', 'at: days since 2020-01-06', 'at is missing'], 'the parts');
SELECT ok(pg_temp.close(ml.predict('calendar', t), wanted), coalesce(at::text, 'NULL'))
FROM (VALUES (timestamp '2020-02-29 13:30', 11.915013116435096::float8), ('1999-12-31 23:59:59', -53.161732634396984), ('2101-03-01', 291.66629314782284),
	(NULL, 1.7533562992125944), ('infinity', 1.7533562992125944), ('-infinity', 1.7533562992125944)) t (at, wanted);

-- the whole range of timestamps beside extract(): the model is linear in the parts
CREATE FUNCTION pg_temp.by_hand(model text, name text, at timestamp, first timestamp) RETURNS float8 LANGUAGE sql AS
$$
	SELECT sum(c.coefficient * CASE c.feature
		WHEN '(intercept)' THEN 1
		-- there is a year 0 in the model, as in ISO 8601; extract() counts 1 BC as -1
		WHEN name || ': year' THEN extract(year FROM at) + CASE WHEN extract(year FROM at) < 0 THEN 1 ELSE 0 END
		WHEN name || ': sin month' THEN sind(extract(month FROM at)::float8 * 30)
		WHEN name || ': cos month' THEN cosd(extract(month FROM at)::float8 * 30)
		WHEN name || ': sin day' THEN sind(extract(day FROM at)::float8 * 360 / 31)
		WHEN name || ': cos day' THEN cosd(extract(day FROM at)::float8 * 360 / 31)
		WHEN name || ': sin isodow' THEN sind(extract(isodow FROM at)::float8 * 360 / 7)
		WHEN name || ': cos isodow' THEN cosd(extract(isodow FROM at)::float8 * 360 / 7)
		WHEN name || ': sin hour' THEN sind(extract(hour FROM at)::float8 * 15)
		WHEN name || ': cos hour' THEN cosd(extract(hour FROM at)::float8 * 15)
		WHEN name || ': is_weekend' THEN (extract(isodow FROM at) >= 6)::int
		WHEN name || ': days since ' || to_char(first, 'YYYY-MM-DD') THEN extract(epoch FROM at - first) / 86400
		WHEN name || ' is missing' THEN 0
	END) FROM ml.coefficients(model) c
$$;
SELECT is_empty($$
	SELECT at, ml.predict('calendar', v), pg_temp.by_hand('calendar', 'at', at, '2020-01-06')
	FROM (SELECT timestamp '4713-01-01 BC' + i * interval '3652 days 5 hours 7 minutes 11.000013 seconds' AS at FROM generate_series(0, 2000) i) v
	WHERE NOT pg_temp.close(ml.predict('calendar', v), pg_temp.by_hand('calendar', 'at', at, '2020-01-06'))
$$, 'every tenth year of 20,000');
SELECT is_empty($$
	SELECT at, ml.predict('calendar', v), pg_temp.by_hand('calendar', 'at', at, '2020-01-06')
	FROM (SELECT timestamp '1899-12-30 23:59:59.999999' + i * interval '1 day' AS at FROM generate_series(0, 1600) i) v
	WHERE NOT pg_temp.close(ml.predict('calendar', v), pg_temp.by_hand('calendar', 'at', at, '2020-01-06'))
$$, 'every day around a year 1900 without a leap day');
SELECT ok(ml.predict('calendar', v) = ml.predict('calendar', v), 'the last timestamps') FROM (VALUES (timestamp '294276-12-31 23:59:59.999999')) v (at);

-- dates have no hour, one year no year
SELECT is(pg_temp.learn('dates', 'SELECT date ''2021-02-01'' + i AS d, i % 30 AS y FROM generate_series(1, 200) i'), '{}', 'trained on dates');
SELECT results_eq('SELECT feature FROM ml.coefficients(''dates'')', ARRAY['(intercept)', 'd: sin month', 'd: cos month', 'd: sin day', 'd: cos day',
	'd: sin isodow', 'd: cos isodow', 'd: is_weekend', 'd: days since 2021-02-02'], 'constant parts are left out');
SELECT ok(bool_and(pg_temp.close(ml.predict('dates', v), pg_temp.by_hand('dates', 'd', d, '2021-02-02'))), 'dates')
FROM (SELECT date '2019-12-25' + 11 * i AS d FROM generate_series(1, 100) i) v;
SELECT is(pg_temp.learn('one_day', 'SELECT date ''2021-02-01'' AS d, i AS x, i % 7 AS y FROM generate_series(1, 60) i'),
	ARRAY['column "d" is left out: it is constant'], 'one date only');
SELECT is(pg_temp.learn('no_day', 'SELECT CASE WHEN i % 2 = 0 THEN ''infinity'' END::date AS d, i AS x, i % 7 AS y FROM generate_series(1, 60) i'),
	ARRAY['column "d" is left out: all its values are missing'], 'no date at all');

-- the zone is the model's, not the session's
SELECT is(pg_temp.learn('zone', 'SELECT at AT TIME ZONE ''America/New_York'' AS at, y FROM calendar', 'America/New_York'), '{}', 'trained on timestamps with time zone');
SELECT ok(bool_and(pg_temp.close(ml.predict('zone', v), ml.predict('calendar', c))), 'answers as local timestamps do')
FROM (SELECT at AS local, at AT TIME ZONE 'America/New_York' AS at FROM calendar) v, LATERAL (SELECT v.local AS at) c;

-- times of day
SELECT is(pg_temp.learn('clock', $$
	SELECT at, (CASE WHEN at IS NULL THEN 1 ELSE 3 * sin(i * 1733 % 86400 / 9000.0::float8) END + i % 2) AS y
	FROM generate_series(1, 50) i, LATERAL (SELECT CASE WHEN i % 10 <> 0 THEN time '00:00' + i * 1733 * interval '1 second' END AS at) a $$), '{}', 'trained on times');
SELECT ok(bool_and(pg_temp.close(ml.predict('clock', v), wanted)), 'midnight lies beside the last second')
FROM (VALUES (time '00:00', 3.2859977476270963::float8), ('12:30', -0.8864763982381831), ('23:59:59', 3.286006179359025), (NULL, 1.0315566944112087)) v (at, wanted);

SELECT * FROM finish();
ROLLBACK;
