-- Histograms, boxes, counts, correlations and differences: against numpy 2.4.6, pandas 3.1.1, scipy 1.17.1, statsmodels.
BEGIN;
SELECT no_plan();
CREATE FUNCTION pg_temp.near(have float8[], want float8[], tolerance float8, what text) RETURNS text LANGUAGE sql
RETURN (SELECT ok(bool_and(abs(h - w) <= tolerance * greatest(abs(w), 1e-12)) AND count(h) = cardinality(want), what || coalesce(': ' || have::text, ' is NULL')) FROM unnest(have, want) u(h, w));

-- numpy.histogram(x, 'auto')
SELECT is(array_agg(count ORDER BY bin), '{40,14,15,31,79,98,85,84,73,45,35,35,29,16,13,11,4,5,1,1}', 'age, as many bins as numpy has') FROM ml.histogram('titanic', 'age');
SELECT pg_temp.near(ARRAY[min(low), min(high), max(high)], '{0.42,4.399,80}', 1e-15, 'its edges') FROM ml.histogram('titanic', 'age');
SELECT is(array_agg(count ORDER BY bin), '{608,209,28,16,18,5,0,7}', 'integers: no bin narrower than 1') FROM ml.histogram('titanic', 'sibsp');
SELECT is(ARRAY[count(*), sum(count), sum(count * (bin - 1)), max(count)], '{92,20640,431134,977}'::numeric[], 'median_income') FROM ml.histogram('california_housing', 'median_income');
SELECT is(array_agg(count ORDER BY bin), '{365,1882,3570,3866,3484,2614,1832,1158,683,377,294,134,72,106,69,24,24,23,6,57}', '20 bins') FROM ml.histogram('california_housing', 'median_income', 20);
SELECT pg_temp.near(ARRAY[sum(share)], ARRAY[714 / 891.0], 1e-13, 'shares are of all rows') FROM ml.histogram('titanic', 'age', bins => 20);
SELECT results_eq($$SELECT low, high, count FROM ml.histogram('SELECT 7.0::float8 AS x FROM generate_series(1, 3)', 'x')$$, 'VALUES (6.5::float8, 7.5::float8, 3::bigint)', 'a constant');
SELECT is(count(*), 0::bigint, 'nothing') FROM ml.histogram('SELECT NULL::float8 AS x', 'x');
SELECT results_eq($$SELECT low_time, high_time, count FROM ml.histogram('SELECT date ''2024-01-01'' + i AS d FROM generate_series(0, 10) i', 'd', 2)$$,
	$$VALUES (timestamp '2024-01-01', timestamp '2024-01-06', 5::bigint), ('2024-01-06', '2024-01-11', 6)$$, 'dates');
SELECT throws_ok($$SELECT ml.histogram('titanic', 'sex')$$, '42804', 'column "sex" holds texts, expected numbers or times');
SELECT throws_ok($$SELECT ml.histogram('titanic', 'age', 0)$$, '22023', NULL, 'no bins');
SELECT throws_ok($$SELECT ml.histogram('titanic', 'aeg')$$, '42703', 'source has no column "aeg"');

-- Boxes: quartiles as pandas, whiskers as matplotlib.
SELECT pg_temp.near(ARRAY[n, missing, min, whisker_low, q1, median, q3, whisker_high, max, outliers_low, outliers_high], '{891,0,0,0,7.9104,14.4542,31,65,512.3292,0,116}', 1e-14, 'fare') FROM ml.boxplot('titanic', 'fare');
SELECT pg_temp.near(array_agg(v ORDER BY group_value, o), '{216,30.92395,60.2875,93.5,0,164.8667,0,20,184,13,14.25,26,0,41.5792,0,7,491,7.75,8.05,15.5,0,25.4667,0,52}', 1e-14, 'fare by class')
FROM ml.boxplot('titanic', 'fare', 'class') b, unnest(ARRAY[n, q1, median, q3, whisker_low, whisker_high, outliers_low, outliers_high]) WITH ORDINALITY u(v, o);
SELECT is(array_agg(group_value), '{C,Q,S,NULL}', 'NULL is a group') FROM ml.boxplot('titanic', 'age', 'embarked');
SELECT is(length(picture), 40, 'a picture of 40 characters') FROM ml.boxplot('titanic', 'fare');

-- Counts.
SELECT results_eq($$SELECT value, count FROM ml.value_counts('titanic', 'embarked')$$, $$VALUES ('S', 644::bigint), ('C', 168), ('Q', 77), (NULL, 2)$$, 'NULL is shown');
SELECT pg_temp.near(ARRAY[sum(share)], '{1}', 1e-14, 'shares are of all rows') FROM ml.value_counts('titanic', 'deck');
SELECT results_eq($$SELECT value, count FROM ml.value_counts('titanic', 'age', 2)$$, $$VALUES (NULL, 177::bigint), ('24', 30)$$, 'the most frequent');
SELECT results_eq($$SELECT value FROM ml.value_counts('SELECT unnest(''{b,a,B,c,c}''::text[]) AS t', 't')$$, $$VALUES ('c'), ('B'), ('a'), ('b')$$, 'ties in bytewise order');
SELECT pg_temp.near(array_agg(v ORDER BY a_value, b_value, o), ARRAY[80, 133.090909090909, -8.53411971498817, 136, 82.9090909090909, 8.534119714988172,
	97, 113.373737373737, -2.7864197046512045, 87, 70.6262626262626, 2.7864197046512045, 372, 302.535353535354, 9.620782993817281, 119, 188.464646464646, -9.620782993817281], 1e-12, 'crosstab, adjusted residuals as statsmodels')
FROM ml.crosstab('titanic', 'class', 'alive'), unnest(ARRAY[count, expected, residual]) WITH ORDINALITY u(v, o);
SELECT is(count, 0::bigint, 'an empty cell is shown') FROM ml.crosstab('titanic', 'embarked', 'embark_town') WHERE a_value = 'C' AND b_value = 'Queenstown';
SELECT is(count, 2::bigint, 'NULL beside NULL') FROM ml.crosstab('titanic', 'embarked', 'embark_town') WHERE a_value IS NULL AND b_value IS NULL;
SELECT throws_ok($$SELECT ml.crosstab('adult', 'fnlwgt', 'fnlwgt')$$, '22023', 'column "fnlwgt" is named twice');
SELECT throws_ok($$SELECT ml.crosstab('california_housing', 'total_rooms', 'total_bedrooms')$$, '54000', NULL, 'too many cells');

-- Correlations: pandas corr (pearson, spearman), scipy chi2_contingency with the correction for bias, sums of squares.
CREATE TEMP TABLE correlation AS SELECT * FROM ml.correlations('titanic');
SELECT pg_temp.near(ARRAY[c.value, c.n], ARRAY[w.value, w.n], 1e-12, format('%s of %s and %s', method, a, b))
FROM correlation c JOIN (VALUES
	('age', 'fare', 'pearson', 0.09606669176903891, 714), ('age', 'fare', 'spearman', 0.1350512177342878, 714),
	('pclass', 'fare', 'pearson', -0.5494996199439078, 891), ('pclass', 'fare', 'spearman', -0.6880316726256098, 891),
	('age', 'sibsp', 'pearson', -0.30824675892365666, 714), ('age', 'sibsp', 'spearman', -0.1820612589179174, 714),
	('embarked', 'class', 'cramers_v', 0.25981056003546527, 889), ('sex', 'alive', 'cramers_v', 0.5426213749215026, 891),
	('class', 'deck', 'cramers_v', 0.6258136150298611, 203), ('embarked', 'embark_town', 'cramers_v', 1.0, 889),
	('fare', 'class', 'correlation_ratio', 0.5942173195035277, 891), ('sex', 'age', 'correlation_ratio', 0.09325357685567738, 714),
	('age', 'deck', 'correlation_ratio', 0.36558830422792615, 184)) w(a, b, method, value, n) USING (a, b, method);
SELECT is(count(*), 6 * 5 / 2 * 2 + 9 * 8 / 2 + 6 * 9::bigint, 'every pair, numbers twice') FROM correlation;
SELECT results_eq($$SELECT a, b, method, value, reason FROM ml.correlations('SELECT i AS x, 1 AS one, CASE WHEN i = 1 THEN i END AS once, ''a'' AS t, i::text AS key FROM generate_series(1, 1500) i') WHERE value IS NULL AND method <> 'spearman'$$,
	$$VALUES ('x', 'one', 'pearson', NULL::float8, 'constant where both are known'), ('x', 'once', 'pearson', NULL, 'fewer than 2 rows have both'), ('x', 't', 'correlation_ratio', NULL, 'constant where both are known'),
		('x', 'key', 'correlation_ratio', NULL, 'more than 1000 categories'), ('one', 'once', 'pearson', NULL, 'fewer than 2 rows have both'), ('one', 't', 'correlation_ratio', NULL, 'constant where both are known'),
		('one', 'key', 'correlation_ratio', NULL, 'more than 1000 categories'), ('once', 't', 'correlation_ratio', NULL, 'fewer than 2 rows have both'), ('once', 'key', 'correlation_ratio', NULL, 'more than 1000 categories'),
		('t', 'key', 'cramers_v', NULL, 'more than 1000 categories')$$, 'what is undefined has a reason');

-- Two sources side by side: scipy ks_2samp, total variation distance.
CREATE TEMP TABLE difference AS SELECT * FROM ml.profile_diff($$SELECT *, 1 AS gone FROM titanic WHERE sex = 'male'$$, $$SELECT *, 1 AS new, 'x' AS changed FROM titanic WHERE sex = 'female'$$);
SELECT pg_temp.near(array_agg(difference ORDER BY column_name), '{0.10380350663520339,0.14278775568777669,0.2849573347757454}', 1e-12, 'distances') FROM difference WHERE statistic = 'distance' AND column_name IN ('age', 'class', 'fare');
SELECT results_eq('SELECT DISTINCT column_name, note FROM difference WHERE note LIKE ''only%'' ORDER BY 1', $$VALUES ('changed', 'only in b'), ('gone', 'only in a'), ('new', 'only in b')$$, 'columns that came and went');
SELECT results_eq('SELECT a_value, b_value, difference FROM difference WHERE column_name = ''age'' AND statistic = ''median''', 'VALUES (29::float8, 27::float8, -2::float8)', 'a median moved');
SELECT is(DISTINCT_notes, '{"type integer became text"}', 'a type that changed')
FROM (SELECT array_agg(DISTINCT note) AS DISTINCT_notes FROM ml.profile_diff('SELECT 1 AS x', 'SELECT ''1'' AS x')) n;

-- The ends of double precision.
SELECT is(array_agg(count), '{1,0,0,1,1}', 'a histogram of a range no number has') FROM ml.histogram('SELECT unnest(ARRAY[-1.7e308, 0.5e308, 1.7e308]::float8[]) AS x', 'x', 5);
SELECT is(sum(count), 3::numeric, 'and as many bins as fit') FROM ml.histogram('SELECT unnest(ARRAY[-1.7e308, 0.5e308, 1.7e308]::float8[]) AS x', 'x');
SELECT is(sum(count), 2::numeric, 'one large value') FROM ml.histogram('SELECT 1e17::float8 AS x FROM generate_series(1, 2)', 'x', 3);
SELECT is(sum(count), 1::numeric, 'the largest') FROM ml.histogram('SELECT 1.7976931348623157e308::float8 AS x', 'x', 3);
SELECT is(array[min, q1, median, q3, max], '{-1e308,-0.5e308,0,0.5e308,1e308}'::float8[], 'a box of a range no number has') FROM ml.boxplot('SELECT unnest(ARRAY[-1e308, 1e308]::float8[]) AS x', 'x');

SELECT * FROM finish();
ROLLBACK;
