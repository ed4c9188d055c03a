-- ml.profile: numbers against pandas 3.1.1 (describe, skew, kurt, nunique), what real data hide, and odd sources.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.near(have float8[], want float8[], tolerance float8, what text) RETURNS text LANGUAGE sql
RETURN (SELECT ok(bool_and(abs(h - w) <= tolerance * greatest(abs(w), 1e-12)) AND count(h) = cardinality(want), what || coalesce(': ' || have::text, ' is NULL')) FROM unnest(have, want) u(h, w));
CREATE TEMP TABLE p AS
SELECT 'titanic' AS t, * FROM ml.profile('titanic') UNION ALL SELECT 'telco_churn', * FROM ml.profile('telco_churn') UNION ALL
SELECT 'adult', * FROM ml.profile('adult') UNION ALL SELECT 'california_housing', * FROM ml.profile('california_housing') UNION ALL
SELECT 'nyc311_animals', * FROM ml.profile('nyc311_animals') UNION ALL SELECT 'earthquakes', * FROM ml.profile('earthquakes');

-- Exact: nulls, distinct, mean, sd, min, 5/25/50/75/95 %, max, skew, kurtosis.
SELECT pg_temp.near(ARRAY[nulls, distinct_count, mean, sd, min, p05, p25, median, p75, p95, max, skewness, kurtosis], want, 1e-13, p.column_name || ' as pandas')
FROM p, (VALUES
	('age', '{177,88,29.69911764705882,14.526497332334042,0.42,4.0,20.125,28.0,38.0,56.0,80.0,0.38910778230082516,0.17827415364210172}'::float8[]),
	('fare', '{0,248,32.204207968574636,49.6934285971809,0.0,7.225,7.9104,14.4542,31.0,112.07915,512.3292,4.787316519674893,33.39814088089869}'),
	('survived', '{0,2,0.3838383838383838,0.4865924542648575,0.0,0.0,0.0,0.0,1.0,1.0,1.0,0.47852343829499,-1.7750046710663054}'),
	('sibsp', '{0,7,0.5230078563411896,1.1027434322934317,0.0,0.0,0.0,0.0,1.0,3.0,8.0,3.6953517271630574,17.88041972664598}')) w(column_name, want)
WHERE t = 'titanic' AND p.column_name = w.column_name;

-- Approximate beyond 4,096 distinct values: moments and extremes as exact as ever, quantiles to 0.2 %, distinct values to 2.5 %.
SELECT pg_temp.near(ARRAY[mean, sd, min, max, skewness, kurtosis], exact, 1e-12, p.column_name || ': moments as pandas'),
	pg_temp.near(ARRAY[p05, p25, median, p75, p95], quantiles, 0.002, p.column_name || ': quantiles near pandas'),
	pg_temp.near(ARRAY[distinct_count], ARRAY[d], 0.025, p.column_name || ': distinct values near'),
	ok(approximate = '{distinct_count,p05,p25,median,p75,p95,top_values,histogram}' AND NOT distinct_exact, p.column_name || ': says what is approximate')
FROM p, (VALUES
	('median_income', '{3.8706710029069766,1.8998217179452688,0.4999,15.0001,1.6466567021344463,4.952524101991509}'::float8[], '{1.60057,2.5634,3.5348,4.74325,7.300305}'::float8[], 12928),
	('total_rooms', '{2635.7630813953488,2181.615251582795,2.0,39320.0,4.147343450632158,32.630926999208725}', '{620.95,1447.75,2127,3148,6213.2}', 5926),
	('fnlwgt', '{189664.13459727284,105604.02542315728,12285.0,1490400.0,1.438891878521841,6.057848212464708}', '{39615.4,117550.5,178144.5,237642,379481.65}', 28523)) w(column_name, exact, quantiles, d)
WHERE p.column_name = w.column_name AND t IN ('adult', 'california_housing');

-- What is in the data, by name.
CREATE FUNCTION pg_temp.found(source text, name text, finding text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE yes bool;
BEGIN
	EXECUTE format('SELECT %s FROM p WHERE t = %L AND column_name = %L', finding, source, name) INTO yes;
	RETURN ok(yes, source || '.' || name || ': ' || what);
END $$;
SELECT pg_temp.found('titanic', 'deck', 'nulls = 688 AND top_values->0 = ''{"value": null, "count": 688, "share": 0.7722}''', 'NULL is its most frequent value');
SELECT pg_temp.found('titanic', 'survived', 'role = ''category'' AND zeros = 549', 'an integer that is a category');
SELECT pg_temp.found('titanic', 'fare', 'zeros = 15', '15 passengers travelled for nothing');
SELECT pg_temp.found('telco_churn', 'customerID', 'role = ''key''', 'a key');
SELECT pg_temp.found('telco_churn', 'TotalCharges', 'type = ''text'' AND role = ''number'' AND number_share = 1 AND empty = 11', 'numbers as text, 11 of them blank');
SELECT pg_temp.found('telco_churn', 'SeniorCitizen', 'role = ''category''', '0 and 1');
SELECT pg_temp.found('adult', 'workclass', 'sentinels = 2799', '2,799 times ?');
SELECT pg_temp.found('adult', 'occupation', 'sentinels = 2809', '2,809 times ?');
SELECT pg_temp.found('adult', 'native_country', 'sentinels = 857', '857 times ?');
SELECT pg_temp.found('adult', 'capital_gain', 'sentinels = 244 AND max = 99999', '99999 stands out 244 times');
SELECT pg_temp.found('adult', 'age', 'sentinels = 0', 'an age of 90 does not');
SELECT pg_temp.found('california_housing', 'total_bedrooms', 'nulls = 207', '207 missing');
SELECT pg_temp.found('california_housing', 'median_house_value', '(top_values->0->>''value'')::float8 = 500001 AND (top_values->0->>''count'')::int = 965', 'capped 965 times');
SELECT pg_temp.found('nyc311_animals', 'Unique Key', 'role = ''key''', 'a key');
SELECT pg_temp.found('nyc311_animals', 'Due Date', 'role = ''empty'' AND nulls = n', 'empty throughout');
SELECT pg_temp.found('nyc311_animals', 'Park Facility Name', 'role = ''constant'' AND sentinels = 4969', 'constant, and that is Unspecified');
SELECT is(sum(sentinels), 378::numeric, 'nyc311_animals: N/A 378 times') FROM p WHERE t = 'nyc311_animals' AND column_name IN ('Facility Type', 'Descriptor');
SELECT is(sum(sentinels), 4971::numeric, 'nyc311_animals: Unspecified 4,971 times') FROM p WHERE t = 'nyc311_animals' AND column_name IN ('Park Facility Name', 'Borough', 'Park Borough');
SELECT pg_temp.found('nyc311_animals', 'Created Date', 'role = ''time'' AND timestamp_share = 1 AND formats = ''{"MM/DD/YYYY HH:MM": 4969}''', 'timestamps as text, in one format');
SELECT pg_temp.found('nyc311_animals', 'Incident Zip', 'role = ''number'' AND min_length = 5 AND max_length = 5', 'numbers as text');
SELECT pg_temp.found('nyc311_animals', 'Location', 'role = ''text''', 'free text');
SELECT pg_temp.found('earthquakes', 'Date', 'role = ''time'' AND formats = ''{"MM/DD/YYYY": 23409, "YYYY-MM-DDTHH:MM:SS.fffZ": 3}''', 'three rows in another format');
SELECT pg_temp.found('earthquakes', 'Time', 'role = ''time'' AND formats = ''{"HH:MM:SS": 23409, "YYYY-MM-DDTHH:MM:SS.fffZ": 3}''', 'three rows in another format');
SELECT pg_temp.found('earthquakes', 'Magnitude Error', 'nulls = 23085', '99 % empty');
SELECT pg_temp.found('earthquakes', 'ID', 'role = ''key''', 'a key');
SELECT pg_temp.found('earthquakes', 'Horizontal Error', 'sentinels > 0 AND max = 99', '99 stands out');

-- Stand-ins for missing values that are numbers or dates, and what merely looks like them.
SELECT results_eq($$SELECT column_name, sentinels FROM ml.profile('SELECT CASE WHEN i % 10 = 0 THEN -1 ELSE i % 7 END AS minus_one, CASE WHEN i % 10 = 0 THEN 999 ELSE i % 50 END AS nines,
	i % 1000 AS counts, i % 3 - 1 AS sign, CASE WHEN i % 10 = 0 THEN date ''1900-01-01'' ELSE date ''2020-01-01'' + i END AS long_ago, date ''1960-01-01'' + i * 100 AS days,
	CASE i % 4 WHEN 0 THEN '' n/A '' WHEN 1 THEN ''-'' WHEN 2 THEN ''nationality'' ELSE ''none of these'' END AS words FROM generate_series(1, 2000) i')$$,
	$$VALUES ('minus_one', 200::bigint), ('nines', 200), ('counts', 0), ('sign', 0), ('long_ago', 200), ('days', 0), ('words', 1000)$$, 'sentinels stand out, others do not');

-- Formats.
SELECT results_eq($$SELECT role, date_share, timestamp_share, formats::text FROM ml.profile('SELECT * FROM unnest(ARRAY[''2024-01-31'', ''31.01.2024'', ''1.2.2024'', ''12/31/2024'', ''1/2/2024'', ''3 Jan 2024'',
	''January 3, 2024'', ''2024-01-31 12:00'', ''2024-01-31T12:00:00+01:00'', ''1/2/2024 3:04 PM'']) t')$$,
	$$VALUES ('time', .7::float8, .3::float8, '{"DD.MM.YYYY": 2, "MM/DD/YYYY": 2, "YYYY-MM-DD": 1, "DD Mon YYYY": 1, "Mon DD, YYYY": 1, "YYYY-MM-DD HH:MM": 1, "NN/NN/YYYY HH:MM AM": 1, "YYYY-MM-DDTHH:MM:SS+HH:MM": 1}')$$,
	'ambiguous dates are counted to the form the others have');
SELECT is(formats, '{"DD/MM/YYYY": 1, "MM/DD/YYYY": 1, "NN/NN/YYYY": 1}', 'unless these disagree') FROM ml.profile($$SELECT * FROM unnest('{13/01/2024,01/13/2024,01/02/2024}'::text[]) t$$);
SELECT is(date_share + timestamp_share, 0::float8, 'no dates') FROM ml.profile($$SELECT * FROM unnest('{2024-13-01,31/31/2024,2024-1,2024,12:61,1-2-3,192.168.1.1,2024-01-01x,5551234}'::text[]) t$$);

-- Quantiles of times against pandas 3.1.1 (quantile) and percentile_cont of the intervals since a moment; estimates within a bin.
CREATE FUNCTION pg_temp.times(have timestamp[], want timestamp[], tolerance interval, what text) RETURNS text LANGUAGE sql
RETURN (SELECT ok(bool_and(h - w BETWEEN -tolerance AND tolerance) AND count(h) = cardinality(want), what || ': ' || have::text) FROM unnest(have, want) u(h, w));
CREATE TEMP TABLE times AS SELECT i, timestamp '2020-01-01' + i * i % 1009 * interval '2220.000123 s' AS moment, CASE WHEN i <= 18 THEN date '1999-12-25' + i * 7 % 31 END AS day,
	CASE i % 100 WHEN 0 THEN 'infinity' ELSE timestamptz '2024-03-31 00:00+01' + i * interval '1 minute' END AS zoned, time '00:00' + i * interval '1 s' AS daytime
FROM generate_series(1, 900) i;
CREATE TEMP TABLE of_times AS SELECT * FROM ml.profile('times');
SELECT pg_temp.times(ARRAY[earliest, p05_time, p25_time, median_time, p75_time, p95_time, latest],
	'{2020-01-01 00:37:00.000123,2020-01-02 00:40:00.004920,2020-01-07 11:14:45.030965,2020-01-14 01:34:30.062545,2020-01-20 17:36:00.094464,2020-01-26 00:43:33.119820,2020-01-26 21:36:00.123984}',
	'1 us', 'timestamps as pandas') FROM of_times WHERE column_name = 'moment';
SELECT pg_temp.times(ARRAY[p05_time, p25_time, median_time, p75_time, p95_time], '{1999-12-26 20:24:00,2000-01-01 06:00:00,2000-01-08 12:00:00,2000-01-15 18:00:00,2000-01-22 03:36:00}',
	'0', 'dates as pandas') FROM of_times WHERE column_name = 'day';
SELECT pg_temp.times(ARRAY[p05_time, p25_time, median_time, p75_time, p95_time], (SELECT array_agg(timestamp '2000-01-01' + q ORDER BY q) FROM
		unnest((SELECT percentile_cont('{0.05,0.25,0.5,0.75,0.95}'::float8[]) WITHIN GROUP (ORDER BY zoned AT TIME ZONE 'UTC' - timestamp '2000-01-01') FROM times WHERE isfinite(zoned))) q),
	'1 us', 'timestamptz in UTC as percentile_cont, infinite ones aside') FROM of_times WHERE column_name = 'zoned';
SELECT ok(median IS NULL AND approximate = '{}', 'numbers of a timestamp are NULL') FROM of_times WHERE column_name = 'moment';
SELECT ok(median_time IS NULL AND p05_time IS NULL AND median = 450.5, 'a time of day is a number of seconds') FROM of_times WHERE column_name = 'daytime';
SELECT ok(median_time IS NULL AND earliest IS NULL, 'no times, no quantiles') FROM ml.profile('SELECT NULL::timestamp AS t');
SELECT is(ARRAY[p05_time, median_time, p95_time], array_fill(timestamp '2024-02-29 12:00', ARRAY[3]), 'one time') FROM ml.profile('SELECT timestamp ''2024-02-29 12:00'' AS t');
SELECT pg_temp.times(ARRAY[p05_time, p25_time, median_time, p75_time, p95_time],
		'{1990-01-03 02:58:59.85,1990-01-11 14:24:29.25,1990-01-22 04:39:49.5,1990-02-01 18:55:09.75,1990-02-10 06:20:39.15}', '30 min', 'beyond 4,096 distinct times near pandas'),
	is(approximate, '{distinct_count,p05_time,p25_time,median_time,p75_time,p95_time,top_values,largest_gap,histogram}', 'which it says')
FROM ml.profile('SELECT timestamp ''1990-01-01'' + i * 7919 % 20011 * interval ''183 s'' AS t FROM generate_series(1, 20000) i');

-- Order.
SELECT results_eq($$SELECT column_name, monotonic FROM ml.profile('SELECT i AS up, -i AS down, i / 2 AS steps, i % 3 AS cycle, 1 AS one, ''a'' AS t FROM generate_series(1, 5000) i ORDER BY i', ordered => true)$$,
	$$VALUES ('up', 'increasing'), ('down', 'decreasing'), ('steps', 'not decreasing'), ('cycle', 'no'), ('one', 'constant'), ('t', NULL)$$, 'monotonic in the order of the source');
SELECT is(monotonic, NULL, 'an order nobody declared says nothing') FROM ml.profile('SELECT i FROM generate_series(1, 10) i');

-- Sources.
CREATE TEMP TABLE mixed AS SELECT 1::smallint AS i2, 2::bigint AS i8, 3::real AS f4, 4.5::numeric AS num, true AS b, 'x'::char(3) AS c, date '2024-01-01' AS d, time '12:00' AS tm,
	interval '1 day' AS iv, '{"a": 1}'::jsonb AS j, ARRAY[1] AS a, gen_random_uuid() AS u FROM generate_series(1, 3);
SELECT results_eq('SELECT column_name, type, role, n, nulls FROM ml.profile(''mixed'') WHERE column_name IN (''num'', ''c'', ''j'', ''a'', ''tm'')',
	$$VALUES ('num', 'numeric', 'constant', 3::bigint, 0::bigint), ('c', 'character', 'constant', 3, 0), ('tm', 'time without time zone', 'constant', 3, 0), ('j', 'jsonb', 'other', 3, 0), ('a', 'integer[]', 'other', 3, 0)$$, 'every type has a row');
SELECT is(count(*), 15::bigint, 'no rows: a row per column all the same') FROM ml.profile('SELECT * FROM titanic WHERE false') WHERE n = 0 AND role = 'empty' AND mean IS NULL;
SELECT is(array_agg(column_name), '{sex,age}', 'some columns') FROM ml.profile('titanic', '{age,sex}');
SELECT throws_ok($$SELECT ml.profile('titanic', '{agee}')$$, '42703', 'source has no column "agee"');
SELECT throws_ok($$SELECT ml.profile(NULL)$$, '22004', 'source must not be NULL');
SELECT throws_ok($$SELECT ml.profile('no_such_table')$$, '42P01', 'relation "no_such_table" does not exist');
SELECT is(p.*, q.*, 'the session''s settings do not matter') FROM ml.profile('SELECT now() AT TIME ZONE ''UTC'' AS t, 0.1::float8 AS x') p
JOIN (SELECT set_config('datestyle', 'German', true), set_config('extra_float_digits', '-10', true)) s ON true
JOIN ml.profile('SELECT now() AT TIME ZONE ''UTC'' AS t, 0.1::float8 AS x') q USING (column_name);
SELECT throws_ok($$SET LOCAL relearn.max_memory = '1MB'; SELECT ml.profile('SELECT ' || string_agg('i + ' || k || ' AS c' || k, ', ') || ' FROM generate_series(1, 10000) i') FROM generate_series(1, 20) k$$,
	'54000', NULL, 'memory stays within relearn.max_memory');
-- Dates go further than timestamps.
CREATE TEMP TABLE far AS SELECT d FROM (VALUES (date '5874897-12-31'), ('4713-01-01 BC'), ('294277-01-01'), ('2020-02-29')) v(d);
SELECT results_eq($$SELECT earliest, latest, (SELECT string_agg(t->>'value', ' ' ORDER BY t->>'value') FROM jsonb_array_elements(top_values) t) FROM ml.profile('far')$$,
	$$VALUES (timestamp '4713-01-01 BC', NULL::timestamp, '2020-02-29 294277-01-01 4713-01-01 BC 5874897-12-31')$$, 'dates that timestamps do not reach');
SELECT results_eq($$SELECT value FROM ml.sketch_top((SELECT ml.sketch(d) FROM far)) ORDER BY value$$, $$SELECT value FROM ml.value_counts('far', 'd') ORDER BY value$$,
	'a sketch shows them, too');

-- The order of the rows makes no difference, to the last bit.
CREATE TEMP TABLE mixed_order AS SELECT i, sqrt(i % 83) AS a, ln(i) AS b, 'c' || i % 7 AS c, CASE WHEN i % 5 > 0 THEN i % 11 / 3.0 END AS d FROM generate_series(1, 999) i;
SELECT results_eq($$ SELECT * FROM ml.correlations('SELECT a, b, c, d FROM mixed_order ORDER BY i') $$, $$ SELECT * FROM ml.correlations('SELECT a, b, c, d FROM mixed_order ORDER BY hashint4(i)') $$,
	'correlations of rows in another order');

SELECT * FROM finish();
ROLLBACK;
