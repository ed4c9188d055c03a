-- ml.sketch: exact and approximate, merged, shipped as text, damaged.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.near(have float8, want float8, tolerance float8, what text) RETURNS text LANGUAGE sql
RETURN ok(abs(have - want) <= tolerance * greatest(abs(want), 1e-300), what || coalesce(': ' || have, ' is NULL'));

-- Golden vector, from the formulas of pandas (3.1.1: std, skew, kurt, quantile).
CREATE TEMP TABLE golden AS SELECT ml.sketch(x::float8) AS s FROM unnest('{1,2,3,4,10}'::int[]) x;
SELECT pg_temp.near(sd, 3.5355339059327378, 1e-14, 'sd'), pg_temp.near(skewness, 1.697056274847714, 1e-14, 'skewness'),
	pg_temp.near(kurtosis, 3.1519999999999984, 1e-13, 'kurtosis') FROM golden, ml.sketch_statistics(s);
SELECT pg_temp.near(ml.sketch_quantile(s, 0.1), 1.4, 1e-15, 'quantile') FROM golden;
SELECT results_eq('SELECT x, ml.sketch_cdf(s, x) FROM golden, unnest(''{0,1,2.5,9,10,11}''::float8[]) x',
	$$VALUES (0::float8, 0::float8), (1, .2), (2.5, .4), (9, .8), (10, 1), (11, 1)$$, 'share of values not greater');

-- What is no finite number.
CREATE TEMP TABLE odd AS SELECT x FROM unnest('{1,2,2,-0,0,-3.5,NaN,Infinity,Infinity,-Infinity,NULL,NULL,NULL}'::float8[]) x;
SELECT results_eq('SELECT n, nulls, nan, infinite, distinct_count, distinct_exact, zeros, negatives, min, max, mean FROM (SELECT ml.sketch(x) AS s FROM odd) o, ml.sketch_statistics(s)',
	$$VALUES (13::bigint, 3::bigint, 1::bigint, 3::bigint, 6::bigint, true, 2::bigint, 1::bigint, -3.5::float8, 2::float8, 0.25::float8)$$,
	'NULL, NaN and infinities are counted apart; moments are those of finite values; -0 is 0');
SELECT is(s.top_values, '[{"count": 3, "share": 0.2308, "value": null}, {"count": 2, "share": 0.1538, "value": 0}, {"count": 2, "share": 0.1538, "value": 2}, {"count": 2, "share": 0.1538, "value": "Infinity"},
	{"count": 1, "share": 0.0769, "value": "-Infinity"}, {"count": 1, "share": 0.0769, "value": -3.5}, {"count": 1, "share": 0.0769, "value": 1}]', 'NULL is among the values, shares are of all rows')
FROM (SELECT ml.sketch(x) AS k FROM odd) o, ml.sketch_statistics(k) s;
SELECT is(ml.sketch(x)::text, NULL, 'no row, no sketch') FROM odd WHERE false;
SELECT results_eq('SELECT n, nulls, distinct_count, mean, sd, median, role FROM (SELECT ml.sketch(NULL::float8) AS s) o, ml.sketch_statistics(s)',
	$$VALUES (1::bigint, 1::bigint, 0::bigint, NULL::float8, NULL::float8, NULL::float8, 'empty')$$, 'nothing but NULL: everything undefined is NULL');
SELECT is(ml.sketch_quantile(ml.sketch(NULL::float8), 0.5), NULL, 'no quantile of nothing');
SELECT results_eq('SELECT mean, sd, skewness, kurtosis FROM (SELECT ml.sketch(0.1::float8) AS s FROM generate_series(1, 7)) o, ml.sketch_statistics(s)',
	$$VALUES (0.1::float8, 0::float8, NULL::float8, NULL::float8)$$, 'a constant has no spread, and no skewness');
SELECT results_eq('SELECT count(*) FROM (SELECT ml.sketch(x) AS s FROM unnest(''{1e308,-1e308,1e308}''::float8[]) x) o, ml.sketch_statistics(s) WHERE sd IS NULL AND max = 1e308',
	$$VALUES (1::bigint)$$, 'a spread beyond the range of a double is NULL');

-- Far from 0 nothing cancels.
SELECT pg_temp.near(sd, 3.5355339059327378, 1e-7, 'sd far from 0'), pg_temp.near(ml.sketch_quantile(s, .5), 1e9 + 3, 0, 'median far from 0')
FROM (SELECT ml.sketch(1e9 + x) AS s FROM unnest('{1,2,3,4,10}'::float8[]) x) o, ml.sketch_statistics(s);

-- Other types.
SELECT results_eq('SELECT role, distinct_count, earliest, latest, largest_gap FROM (SELECT ml.sketch(d) AS s FROM unnest(''{2024-01-01,2024-01-02,2024-02-02,infinity}''::date[]) d) o, ml.sketch_statistics(s)',
	$$VALUES ('time', 3::bigint, timestamp '2024-01-01', timestamp '2024-02-02', interval '31 days')$$, 'dates');
SELECT is(s.infinite, 1::bigint, 'an infinite date is counted') FROM (SELECT ml.sketch(d) AS k FROM unnest('{2024-01-01,infinity}'::date[]) d) o, ml.sketch_statistics(k) s;
SET LOCAL timezone = 'Asia/Tokyo';
SELECT is(s.earliest, timestamp '2024-01-01 12:00', 'a timestamptz is taken in UTC, whatever the session''s time zone')
FROM (SELECT ml.sketch(timestamptz '2024-01-01 12:00+00') AS k) o, ml.sketch_statistics(k) s;
SELECT results_eq('SELECT role, mean, top_values::text FROM (SELECT ml.sketch(b) AS s FROM unnest(''{t,f,t,t}''::bool[]) b) o, ml.sketch_statistics(s)',
	$$VALUES ('boolean', 0.75::float8, '[{"count": 3, "share": 0.7500, "value": true}, {"count": 1, "share": 0.2500, "value": false}]')$$, 'booleans');
SELECT results_eq('SELECT empty, sentinels, min_length, mean_length, max_length, distinct_count FROM (SELECT ml.sketch(t) AS s FROM unnest(ARRAY[''a'', ''äöü'', '''', ''  '', ''N/A'', ''null'', ''?'', ''a'']) t) o, ml.sketch_statistics(s)',
	$$VALUES (2::bigint, 3::bigint, 0, 1.875::float8, 4, 7::bigint)$$, 'texts: lengths are in characters');

-- Beyond 4,096 distinct values.  The order of the rows and the way they are merged make no difference but to rounding and to frequent values.
CREATE TEMP TABLE many AS
SELECT i, exp(sin(i * 12.9898) * 3) + (i * 7919 % 1000003) / 1e4 AS x, 'text ' || i * 7919 % 20011 AS t FROM generate_series(1, 60000) i;
INSERT INTO many SELECT -i, 500.25, 'often' FROM generate_series(1, 6000) i;
CREATE TEMP TABLE sketches AS SELECT ml.sketch(x) AS s, ml.sketch(t) AS t FROM many;
SELECT ok(NOT distinct_exact AND approximate @> '{distinct_count,median,top_values}', 'what is estimated is named') FROM sketches, ml.sketch_statistics(s);
SELECT pg_temp.near(ml.sketch_quantile(s, p), (SELECT percentile_cont(p) WITHIN GROUP (ORDER BY x) FROM many), 0.002, 'quantile ' || p)
FROM sketches, unnest('{0,0.01,0.05,0.25,0.5,0.75,0.95,0.99,1}'::float8[]) p;
SELECT ok(max(abs(ml.sketch_cdf(s, x) - below)) < 0.002, 'shares below are right to 0.2 %')
FROM sketches, (SELECT x, cume_dist() OVER (ORDER BY x) AS below FROM many) m WHERE x::numeric % 7 < 0.02;
SELECT pg_temp.near(distinct_count, (SELECT count(DISTINCT x) FROM many), 0.025, 'distinct numbers, three standard errors') FROM sketches, ml.sketch_statistics(s);
SELECT pg_temp.near(distinct_count, (SELECT count(DISTINCT many.t) FROM many), 0.025, 'distinct texts') FROM sketches, ml.sketch_statistics(t);
SELECT pg_temp.near(mean, (SELECT avg(x) FROM many), 1e-12, 'mean'), pg_temp.near(sd, (SELECT stddev_samp(x) FROM many), 1e-12, 'sd') FROM sketches, ml.sketch_statistics(s);
SELECT is(top_values->0->'value', '500.25', 'the frequent number is found') FROM sketches, ml.sketch_statistics(s);
SELECT ok(count BETWEEN 6000 - error AND 6000, 'its count is too low by at most error') FROM sketches, ml.sketch_top(s, 1);
SELECT ok(value = 'often' AND count BETWEEN 6000 - error AND 6000, 'the frequent text, likewise') FROM sketches, ml.sketch_top(t, 1);
CREATE TEMP TABLE again AS SELECT ml.sketch_merge(s) AS s, ml.sketch_merge(t) AS t
FROM (SELECT ml.sketch(x ORDER BY hashint4(i)) AS s, ml.sketch(t ORDER BY hashint4(i)) AS t FROM many GROUP BY i % 7) p;
SELECT is(jsonb_build_array(a.n, a.distinct_count, a.min, a.p05, a.p25, a.median, a.p75, a.p95, a.max, a.zeros, a.negatives, a.histogram),
	jsonb_build_array(b.n, b.distinct_count, b.min, b.p05, b.p25, b.median, b.p75, b.p95, b.max, b.zeros, b.negatives, b.histogram), 'merged in another order: the same')
FROM sketches, again, ml.sketch_statistics(sketches.s) a, ml.sketch_statistics(again.s) b;
SELECT pg_temp.near(b.sd, a.sd, 1e-13, 'sd'), pg_temp.near(b.skewness, a.skewness, 1e-12, 'skewness'), pg_temp.near(b.kurtosis, a.kurtosis, 1e-12, 'kurtosis')
FROM sketches, again, ml.sketch_statistics(sketches.s) a, ml.sketch_statistics(again.s) b;
SELECT is((b.n, b.distinct_count, b.mean_length, b.max_length), (a.n, a.distinct_count, a.mean_length, a.max_length), 'texts, likewise')
FROM sketches, again, ml.sketch_statistics(sketches.t) a, ml.sketch_statistics(again.t) b;
SELECT is(ml.sketch_merge(s ORDER BY part)::text, (SELECT ml.sketch(x)::text FROM many WHERE i BETWEEN 1 AND 4000), 'while exact, merged and direct are the same bytes')
FROM (SELECT i % 5 AS part, ml.sketch(x) AS s FROM many WHERE i BETWEEN 1 AND 4000 GROUP BY 1) p;
SELECT is(ml.sketch_merge(s ORDER BY part)::text, (SELECT ml.sketch(t)::text FROM many WHERE i BETWEEN 1 AND 4000), 'of texts too')
FROM (SELECT i % 5 AS part, ml.sketch(t) AS s FROM many WHERE i BETWEEN 1 AND 4000 GROUP BY 1) p;
SELECT is(ml.sketch_distance(a.s, b.s), 0::float8, 'no distance between a sketch and itself merged') FROM sketches a, again b;
SELECT cmp_ok(pg_column_size(s), '<', 400000, 'the size is bounded') FROM sketches;

-- Exactly at the limit.
SELECT ok(s.distinct_exact AND s.distinct_count = 4096, '4,096 distinct values are exact') FROM (SELECT ml.sketch(i % 4096 + 0.5) AS k FROM generate_series(1, 10000) i) o, ml.sketch_statistics(k) s;
SELECT ok(NOT s.distinct_exact, '4,097 are not') FROM (SELECT ml.sketch(i % 4097 + 0.5) AS k FROM generate_series(1, 10000) i) o, ml.sketch_statistics(k) s;
SELECT pg_temp.near(s.median, 1e9 + 0.5, 1e-12, 'bins adapt: a narrow range far from 0 is resolved') FROM (SELECT ml.sketch(1e9 + i / 1e5) AS k FROM generate_series(0, 100000) i) o, ml.sketch_statistics(k) s;

-- Kinds do not mix.
SELECT throws_ok($$SELECT ml.sketch_merge(s) FROM (SELECT ml.sketch(1::float8) UNION ALL SELECT ml.sketch('a'::text)) v(s)$$, '22000', NULL, 'a sketch of numbers and one of texts');
SELECT throws_ok($$SELECT ml.sketch_quantile(ml.sketch('a'::text), 0.5)$$, '42804', NULL, 'a quantile of texts');
SELECT throws_ok($$SELECT ml.sketch_quantile(ml.sketch(1::float8), 1.5)$$, '22003', NULL, 'a share above 1');
SELECT throws_ok($$SELECT ml._sketch_add(NULL, 1::float8)$$, '55000', NULL, 'outside of an aggregate');

-- Parallel.
CREATE TABLE public.sketch_parallel AS SELECT * FROM many;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT ok(string_agg(plan_of, ' ') ~ 'Finalize Aggregate.*Gather.*Partial Aggregate', 'a parallel plan merges sketches')
FROM pg_temp.plan_of('SELECT ml.sketch(x), ml.sketch(t) FROM public.sketch_parallel');
SELECT is((p.n, p.distinct_count, p.median, p.max), (a.n, a.distinct_count, a.median, a.max), 'parallel = serial')
FROM (SELECT ml.sketch(x) AS s FROM public.sketch_parallel) o, ml.sketch_statistics(o.s) p, sketches, ml.sketch_statistics(sketches.s) a;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Text form; damaged bytes are refused or give some answer.
SELECT is(s::text::ml.sketch::text, s::text, 'a sketch of numbers survives its text form') FROM sketches;
SELECT is(t::text::ml.sketch::text, t::text, 'a sketch of texts survives its text form') FROM sketches;
SELECT is(b.*, a.*, 'and says the same') FROM sketches, ml.sketch_statistics(t) a, ml.sketch_statistics(t::text::ml.sketch) b;
CREATE FUNCTION pg_temp.try(state text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ml.sketch_statistics(state::ml.sketch), ml.sketch_distance(state::ml.sketch, state::ml.sketch);
	PERFORM ml.sketch_merge(s) FROM unnest(ARRAY[state, state]::ml.sketch[]) s;
	RETURN 'accepted';
EXCEPTION WHEN data_corrupted THEN
	RETURN 'damaged';
END $$;
CREATE TEMP TABLE bytes AS
SELECT 'numbers' AS kind, ml.sketch(x)::text AS state FROM many WHERE i BETWEEN 1 AND 40
UNION ALL SELECT 'texts', ml.sketch(t)::text FROM (SELECT t FROM many WHERE i BETWEEN 1 AND 20 UNION ALL VALUES ('12.5'), ('2024-01-01'), (NULL)) v;
SELECT is(count(*) FILTER (WHERE pg_temp.try(left(state, 2 * n)) <> 'damaged'), 0::bigint, kind || ': every truncation is refused')
FROM bytes, generate_series(1, length(state) / 2 - 1) n GROUP BY kind;
SELECT is(pg_temp.try(state || '00'), 'damaged', kind || ': a byte too many is refused') FROM bytes;
SELECT cmp_ok(count(*) FILTER (WHERE pg_temp.try(overlay(state PLACING lpad(to_hex(n * 37 % 256), 2, '0') FROM 3 + 2 * (n * 101 % (length(state) / 2 - 1)))) = 'damaged'),
	'>', 0::bigint, kind || ': changed bytes do no harm') FROM bytes, generate_series(1, 1000) n GROUP BY kind;
SELECT lives_ok($$SELECT pg_temp.try(overlay(s::text PLACING lpad(to_hex(n * 37 % 256), 2, '0') FROM 3 + 2 * (n * 7919 % 90000))) FROM sketches, generate_series(1, 60) n$$, 'of approximate ones too');
SELECT lives_ok($$SELECT pg_temp.try(overlay(t::text PLACING lpad(to_hex(n * 37 % 256), 2, '0') FROM 3 + 2 * (n * 7919 % 90000))) FROM sketches, generate_series(1, 60) n$$, 'and those of texts');

SELECT * FROM finish();
ROLLBACK;
