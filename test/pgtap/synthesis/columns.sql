-- The aggregates over many columns behind ml.synthesize_query: exact sums, no matter the order, and states that travel.
BEGIN;
SELECT no_plan();

SELECT is((SELECT ml._column_sums(ARRAY[x, 7, NULL]::float8[]) FROM (VALUES (1), (2), (4), (NULL)) AS t(x)),
	ARRAY[3, 7, 7 / 3.0::float8, 1, 4, sqrt(7 / 3.0::float8), 4, 28, 7, 7, 7, 0, 0, 0, 'NaN', 'NaN', 'NaN', 'NaN']::float8[],
	'n, sum, mean, min, max, sd of each column');
SELECT is((SELECT ml._column_sums(ARRAY[x]) FROM (VALUES (1e16::float8), (1), (-1e16), (1)) AS t(x)), (SELECT ml._column_sums(ARRAY[x]) FROM
	(VALUES (1::float8), (1), (1e16), (-1e16)) AS t(x)), 'the order does not matter');
SELECT is((SELECT (ml._column_sums(ARRAY[x]))[2] FROM (VALUES (1e16::float8), (1), (-1e16), (1)) AS t(x)), 2::float8, 'nothing is lost');
SELECT is((SELECT (ml._column_sums(ARRAY[1e9 + x]))[6] FROM generate_series(1, 5) AS x), sqrt(2.5::float8), 'nor does a spread far from 0 cancel');
SELECT is((SELECT ml._column_sums(NULL::float8[])), NULL, 'no array, no columns');
SELECT throws_ok($$SELECT ml._column_sums(x) FROM (VALUES ('{1}'::float8[]), ('{1,2}')) AS t(x)$$, '2202E', 'a row of 2 numbers cannot be added to sums of 1 columns', 'rows of one width');

SELECT is((SELECT ml._column_levels(ARRAY[x, 'é', NULL]) FROM (VALUES ('b'), ('a'), ('b'), (NULL), ('a'), ('ab')) AS t(x)),
	ARRAY['3', 'a', '1', 'é', '0', NULL], 'distinct texts and the most frequent one, of as frequent ones the bytewise least');
SELECT is((SELECT ml._column_levels(ARRAY[(i % 1000)::text, repeat('x', i % 50)]) FROM generate_series(1, 5001) AS i), ARRAY['1000', '1', '50', 'x'], 'many and long texts');
SELECT throws_ok($$SELECT ml._column_levels(x) FROM (VALUES ('{a}'::text[]), ('{a,b}')) AS t(x)$$, '2202E', 'a row of 2 texts cannot be added to levels of 1 columns', 'rows of one width');
SELECT results_eq($$SELECT (ml._column_levels(ARRAY[x]) OVER (ORDER BY i))[2] FROM unnest('{a,b,b,a,a}'::text[]) WITH ORDINALITY AS t(x, i)$$,
	ARRAY['a', 'a', 'b', 'a', 'a'], 'running');

-- states: text and binary form, joined, damaged
CREATE TABLE numbers AS SELECT i, i % 7 / 3.0 AS x, 'k' || i % 11 AS k FROM generate_series(1, 20000) AS i;
SELECT is((SELECT ml._column_sums(s::text::ml.column_sums) FROM (SELECT ml._column_sums_state(ARRAY[x, i]::float8[]) AS s FROM numbers GROUP BY i % 13) AS parts),
	(SELECT ml._column_sums(ARRAY[x, i]::float8[]) FROM numbers), 'sums of parts, as text and back, are those of the whole');
SELECT is((SELECT ml._column_levels(s::text::ml.column_levels) FROM (SELECT ml._column_levels_state(ARRAY[k, x::text]) AS s FROM numbers GROUP BY i % 13) AS parts),
	(SELECT ml._column_levels(ARRAY[k, x::text]) FROM numbers), 'levels of parts, as text and back, are those of the whole');
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SELECT is((SELECT ml._column_sums(ARRAY[x, i]::float8[]) FROM numbers), (SELECT ml._column_sums(ARRAY[x, i]::float8[] ORDER BY i DESC) FROM numbers), 'parallel or not');
SELECT throws_ok($$SELECT left(s::text, -16)::ml.column_sums FROM (SELECT ml._column_sums_state('{1,2}') AS s) AS t$$, NULL, NULL, 'cut sums are refused');
SELECT throws_ok($$SELECT left(s::text, -2)::ml.column_levels FROM (SELECT ml._column_levels_state('{abc}') AS s) AS t$$, NULL, NULL, 'cut levels are refused');
SELECT throws_ok($$SELECT replace(s::text, '7a7a', 'c328')::ml.column_levels FROM (SELECT ml._column_levels_state('{zz}') AS s) AS t$$, 'XX001', NULL,
	'texts that are none of the encoding are refused');

SELECT * FROM finish();
ROLLBACK;
