-- ml.describe: what the columns looked like, in words a person reads; the numbers are PostgreSQL's own aggregates of the same rows.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TABLE trips AS
SELECT i AS id, i * 0.1 AS km, i % 4 = 0 AS late, (ARRAY['a', 'b'])[1 + i % 2] AS line, date '2020-02-27' + i % 50 AS day, timestamp '1999-12-31 23:59:59.5' + i * interval '31 hours' AS ts,
	timestamptz '2024-07-01 10:00+00' + i * interval '1 hour' AS tz, time '00:00' + i * interval '1 minute 1.5 seconds' AS at, (i - 60) * interval '1 hour 3 minutes' AS span,
	1e20 * i AS huge, NULL::int AS nothing, i % 7 + i % 3 AS y
FROM generate_series(1, 100) i;
SELECT FROM ml.train('trips', 'trips', 'y', algorithm => 'linear_regression', params => '{"time_zone": "Europe/Berlin"}', exclude => '{id}',
	split => '{"train": 1, "validation": 0, "test": 0}');

SET LOCAL timezone = 'America/New_York';
SET LOCAL datestyle = 'German, DMY';
SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL extra_float_digits = -3;
SELECT results_eq($$SELECT column_name, minimum, maximum FROM ml.describe('trips')$$, $$VALUES
	('km', '0.1', '10'), ('late', '0', '1'), ('line', NULL, NULL), ('day', '2020-02-27 00:00:00', '2020-04-16 00:00:00'),
	('ts', '2000-01-02 06:59:59.5', '2000-05-09 03:59:59.5'), ('tz', '2024-07-01 13:00:00', '2024-07-05 16:00:00'), ('at', '00:01:01.5', '01:42:30'),
	('span', '-2 days -13:57:00', '1 day 18:00:00'), ('huge', '1e+20', '1e+22'), ('nothing', NULL, NULL)$$, 'minimum and maximum by kind, whatever the session''s settings');
SELECT is(mean, '0.25', 'the share of true') FROM ml.describe('trips') WHERE column_name = 'late';
SELECT is(round(mean::numeric, 9), 5.05, 'a mean of numbers') FROM ml.describe('trips') WHERE column_name = 'km';
SELECT ok(abs(extract(epoch FROM mean::timestamp - (SELECT min(ts) + avg(ts - '1999-12-31 23:59:59.5') - interval '31 hours' FROM trips))) < 1e-5, 'of timestamps')
FROM ml.describe('trips') WHERE column_name = 'ts';
SELECT ok(abs(extract(epoch FROM mean::interval - (SELECT avg(at::interval) FROM trips))) < 1e-5, 'of times') FROM ml.describe('trips') WHERE column_name = 'at';
SELECT ok(abs(extract(epoch FROM mean::interval) - (SELECT avg(extract(epoch FROM span)) FROM trips)) < 1e-5, 'of intervals')
FROM ml.describe('trips') WHERE column_name = 'span';

SELECT * FROM finish();
ROLLBACK;
