-- ml.linreg: numbers against statsmodels 0.15.0 (OLS), NIST and closed form; states; what is missing, wrong or damaged.
BEGIN;
SELECT no_plan();
\ir ../../data/nist_longley.sql

CREATE FUNCTION pg_temp.numbers(list jsonb) RETURNS float8[] LANGUAGE sql
RETURN (SELECT array_agg(CASE WHEN value <> 'null' THEN value::text::float8 END ORDER BY i) FROM jsonb_array_elements(list) WITH ORDINALITY e(value, i));
CREATE FUNCTION pg_temp.near(have jsonb, want float8[], tolerance float8, what text) RETURNS text LANGUAGE sql
RETURN (SELECT ok(bool_and(abs(h - w) <= tolerance * abs(w)) AND count(h) = cardinality(want), what || coalesce(': ' || have::text, ' is NULL'))
	FROM unnest(pg_temp.numbers(CASE jsonb_typeof(have) WHEN 'array' THEN have ELSE jsonb_build_array(have) END), want) u(h, w));

CREATE TEMP TABLE sample AS
SELECT i, (i * 37 % 101) / 8.0::float8 AS x1, (i * i % 53) / 4.0::float8 AS x2, (i * 7 % 29)::float8 AS x3,
	1.5 + 2 * (i * 37 % 101) / 8.0::float8 - .75 * (i * i % 53) / 4.0::float8 + .1 * (i * 7 % 29)::float8 + (i * 91 % 17 - 8) / 4.0::float8 AS y
FROM generate_series(1, 500) i;
CREATE TEMP TABLE fit AS SELECT ml.linreg(y, x1, x2, x3) AS fit FROM sample;
SELECT pg_temp.near(fit->'coefficients', '{1.534144333372328,1.9951634655217538,-0.7498418945252046,0.09939924221598123}', 1e-12, 'coefficients') FROM fit;
SELECT pg_temp.near(fit->'standard_errors', '{0.1658991043350481,0.015078695159853902,0.013587904648880924,0.006573187446714689}', 1e-12, 'standard errors') FROM fit;
SELECT pg_temp.near(fit->'r2', '{0.97638281991827}', 1e-13, 'R2') FROM fit;
SELECT pg_temp.near(fit->'residual_sd', '{1.227633745300489}', 1e-12, 'residual standard deviation') FROM fit;
SELECT is(fit - '{coefficients,standard_errors,r2,residual_sd}'::text[], '{"n": 500, "df": 496, "n_missing": 0, "reason": null}', 'counts') FROM fit;

SELECT is(ml.linreg(y, ARRAY[x1, x2, x3]), fit, 'an array of features is the same') FROM sample, fit GROUP BY fit;
SELECT is(ml.linreg(y, x1::real, x2::numeric, x3::smallint), fit, 'real, numeric, smallint are the same') FROM sample, fit GROUP BY fit;
SELECT is(ml.linreg(y, x1, x2, x3::int), fit, 'integer is the same') FROM sample, fit GROUP BY fit;
SELECT is(ml.linreg(y, x1, x2, x3::bigint), fit, 'bigint is the same') FROM sample, fit GROUP BY fit;
SELECT pg_temp.near(ml.linreg(y + 1e9, x1 + 1e6, x2 - 1e7, x3)->'coefficients'->1, '{1.9951634655217538}', 1e-7, 'far from 0') FROM sample;
SELECT pg_temp.near(ml.linreg(y, x1 + 1e6, x2, x3)->'standard_errors'->1, '{0.015078695159853902}', 1e-7, 'standard errors far from 0') FROM sample;
SELECT pg_temp.near(ml.linreg(y * 1e100, x1 * 1e-100, x2, x3)->'coefficients'->1, '{1.9951634655217538e200}', 1e-12, 'of any scale') FROM sample;

-- NIST StRD Longley: 7 digits are what a Gram matrix can promise here, more are found.
SELECT pg_temp.near(fit->'coefficients', '{-3482258.63459582,15.0618722713733,-0.0358191792925910,-2.02022980381683,-1.03322686717359,-0.0511041056535807,1829.15146461355}',
	1e-7, 'Longley, coefficients')
FROM (SELECT ml.linreg(employed, gnp_deflator, gnp, unemployed, armed_forces, population, year) AS fit FROM nist_longley) f;
SELECT pg_temp.near(fit->'standard_errors', '{890420.383607373,84.9149257747669,0.0334910077722432,0.488399681651699,0.214274163161675,0.226073200069370,455.478499142212}',
	1e-7, 'Longley, standard errors')
FROM (SELECT ml.linreg(employed, gnp_deflator, gnp, unemployed, armed_forces, population, year) AS fit FROM nist_longley) f;

-- Degenerate.
SELECT is(fit->'coefficients'->3, 'null', 'a repeated feature has no coefficient')
FROM (SELECT ml.linreg(y, x1, x2, 2 * x1 - x2) AS fit FROM sample) f;
SELECT is(fit->>'reason', 'constant or a linear combination of the features before: 3, 4', 'and the reason says which')
FROM (SELECT ml.linreg(y, x1, x2, 2 * x1 - x2, 0.1) AS fit FROM sample) f;
SELECT pg_temp.near(with_it->'coefficients'->1, ARRAY[(without->'coefficients'->>1)::float8], 1e-12, 'the others are as without it')
FROM (SELECT ml.linreg(y, x1, x2, 2 * x1 - x2) AS with_it, ml.linreg(y, x1, x2) AS without FROM sample) f;
SELECT is(ml.linreg(0.1, x1), '{"n": 500, "df": 498, "r2": null, "reason": "y is constant", "n_missing": 0, "residual_sd": 0, "coefficients": [0.1, 0], "standard_errors": [0, 0]}',
	'a constant y') FROM sample;
SELECT is(fit - '{coefficients,residual_sd}'::text[], '{"n": 2, "df": 0, "r2": 1, "reason": "no more rows than coefficients", "n_missing": 0,
	"standard_errors": [null, null]}', 'a line through two points') FROM (SELECT ml.linreg(y, x) AS fit FROM (VALUES (1, 1), (3, 2)) v(y, x)) f;
SELECT is(ml.linreg(y, x1)->'reason', '"constant or a linear combination of the features before: 1; no more rows than coefficients; y is constant"', 'one row')
FROM sample WHERE i = 1;
SELECT is(ml.linreg(y, x1), NULL, 'no row') FROM sample WHERE false;

-- Missing.
CREATE TEMP TABLE holes AS
SELECT y, x1, x2, x3 FROM sample
UNION ALL SELECT NULL, 1, 1, 1 UNION ALL SELECT 1, NULL, 1, 1 UNION ALL SELECT 'NaN', 1, 1, 1 UNION ALL SELECT 1, 1, 1, 'NaN'
UNION ALL SELECT 1, 1, '-infinity', 1 UNION ALL SELECT 'infinity', 1, 1, 1;
SELECT is(ml.linreg(y, x1, x2, x3), fit || '{"n_missing": 6}', 'rows with NULL, NaN or infinity are left out and counted') FROM holes, fit GROUP BY fit;
SELECT is(ml.linreg(y, ARRAY[x1, x2, x3]), fit || '{"n_missing": 6}', 'in arrays too') FROM holes, fit GROUP BY fit;
SELECT is(ml.linreg(y, x), fit || '{"n_missing": 7}', 'an array that is NULL, first')
FROM (SELECT 1 AS y, NULL::float8[] AS x UNION ALL SELECT y, ARRAY[x1, x2, x3] FROM holes) h, fit GROUP BY fit;
SELECT is(ml.linreg(1, NULL::float8), '{"n": 0, "df": null, "r2": null, "reason": "no row is complete", "n_missing": 1, "residual_sd": null, "coefficients": null,
	"standard_errors": null}', 'nothing but NULL');
SELECT is(ml.linreg(1, NULL::float8[])->>'reason', 'no row is complete', 'nothing but a NULL array');

-- Wrong.
SELECT throws_ok($$SELECT ml.linreg(1, 'a'::text)$$, '42804', 'feature 1 is of type text, expected a number');
SELECT throws_ok($$SELECT ml.linreg(1, 1, true)$$, '42804', 'feature 2 is of type boolean, expected a number');
SELECT throws_ok($$SELECT ml.linreg(1, '{}'::float8[])$$, '2202E', NULL, 'no feature');
SELECT throws_ok($$SELECT ml.linreg(1, '{{1}}'::float8[])$$, '2202E', NULL, 'an array of two dimensions');
SELECT throws_ok($$SELECT ml.linreg(1, x) FROM (VALUES ('{1,2}'::float8[]), ('{1}')) v(x)$$, '22000', 'a row has 1 features where the rows before it have 2');
SELECT throws_ok($$SELECT ml.linreg(1, array_fill(1::float8, ARRAY[1601]))$$, '54000', 'a regression on 1601 features exceeds the limit of 1600');
SELECT throws_ok($$SELECT ml.linreg_merge(s) FROM (SELECT ml.linreg_state(1, 2) UNION ALL SELECT ml.linreg_state(1, 2, 3)) v(s)$$, '22000', NULL, 'states of different features');
SELECT throws_ok($$SELECT ml._linreg_add(NULL, 1::float8, '{1}'::float8[])$$, '55000', NULL, 'outside of an aggregate');

-- States.
CREATE TEMP TABLE part AS SELECT i % 6 AS part, ml.linreg_state(y, x1, x2, x3) AS state FROM sample GROUP BY 1;
INSERT INTO part VALUES (6, NULL), (7, (SELECT ml.linreg_state(1, NULL::float8[])));
SELECT pg_temp.near(merged->'coefficients', pg_temp.numbers(fit->'coefficients'), 1e-12, 'merged parts: coefficients')
FROM (SELECT ml.linreg_final(ml.linreg_merge(state)) AS merged FROM part) m, fit;
SELECT pg_temp.near(merged->'standard_errors', pg_temp.numbers(fit->'standard_errors'), 1e-12, 'merged parts: standard errors')
FROM (SELECT ml.linreg_final(ml.linreg_merge(state)) AS merged FROM part) m, fit;
SELECT is(merged->'n_missing', '1', 'merged parts: rows left out') FROM (SELECT ml.linreg_final(ml.linreg_merge(state)) AS merged FROM part) m;
SELECT pg_temp.near(merged->'coefficients', pg_temp.numbers(fit->'coefficients'), 1e-12, 'merged in another order')
FROM (SELECT ml.linreg_final(ml.linreg_merge(state ORDER BY part DESC)) AS merged FROM part) m, fit;
SELECT is(ml.linreg_final(ml.linreg_state(y, x1, x2, x3)::text::ml.linreg_state), fit, 'a state survives its text form') FROM sample, fit GROUP BY fit;
SELECT is(sum(abs((w->'coefficients'->>1)::float8 - (d->'coefficients'->>1)::float8)), 0::float8, 'a growing window frame agrees with the aggregate')
FROM (SELECT ml.linreg(y, x1) OVER (ORDER BY i) AS w, (SELECT ml.linreg(u.y, u.x1) FROM (SELECT * FROM sample ORDER BY i) u WHERE u.i <= m.i) AS d FROM sample m WHERE i BETWEEN 1 AND 150) x;

CREATE TABLE public.linreg_parallel AS SELECT * FROM sample;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT ok(string_agg(plan_of, ' ') ~ 'Finalize Aggregate.*Gather.*Partial Aggregate', 'a parallel plan merges states')
FROM pg_temp.plan_of('SELECT ml.linreg(y, x1, x2, x3) FROM public.linreg_parallel');
SELECT pg_temp.near(parallel->'coefficients', pg_temp.numbers(fit->'coefficients'), 1e-12, 'parallel = serial')
FROM (SELECT ml.linreg(y, x1, x2, x3) AS parallel FROM public.linreg_parallel) p, fit;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Damaged bytes: truncations are refused, random changes are refused or give some answer.
CREATE FUNCTION pg_temp.try(state text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.linreg_final(state::ml.linreg_state);
	RETURN 'accepted';
EXCEPTION WHEN data_corrupted THEN
	RETURN 'damaged';
END $$;
CREATE TEMP TABLE bytes AS SELECT ml.linreg_state(y, x1, x2, x3)::text AS state FROM sample;
SELECT is(count(*) FILTER (WHERE pg_temp.try(left(state, 2 * n)) <> 'damaged'), 0::bigint, 'every truncation is refused') FROM bytes, generate_series(1, length(state) / 2 - 1) n;
SELECT is(pg_temp.try(state || '00'), 'damaged', 'a byte too many is refused') FROM bytes;
SELECT cmp_ok(count(*) FILTER (WHERE pg_temp.try(overlay(state PLACING lpad(to_hex(n * 37 % 256), 2, '0') FROM 3 + 2 * (n * 101 % (length(state) / 2 - 1))) ) = 'damaged'),
	'>', 0::bigint, 'changed bytes do no harm') FROM bytes, generate_series(1, 1000) n;
CREATE TEMP TABLE huge AS SELECT ml.linreg_state(y, ARRAY[x]) AS state FROM (VALUES (1e308::float8, 1e308::float8), (-1e308, -1e308), (1, 1e300), (2, 3)) v(y, x);
SELECT is(ml.linreg_final(state::text::ml.linreg_state), ml.linreg_final(state), 'a state whose sums are infinite comes back from its text') FROM huge;

SELECT * FROM finish();
ROLLBACK;
