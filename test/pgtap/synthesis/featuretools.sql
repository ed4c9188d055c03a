-- Equal to Featuretools 1.31 (pandas 2.3) where both have a feature.  featuretools.tsv is made by `test/bench/synthesis.py literals`: per feature the
-- number of values, of numbers their sum and the sum weighted by the rank of the row's key, of texts the md5 of all in the order of the key.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir ../../data/chinook.sql
\ir ../../data/pnwflights14.sql
SELECT no_plan();

CREATE TEMP TABLE expected (title text, feature text, n bigint, total float8, weighted float8, digest text, PRIMARY KEY (title, feature));
\copy expected FROM 'test/pgtap/synthesis/featuretools.tsv'

CREATE TEMP TABLE found (title text, feature text, n bigint, total float8, weighted float8, digest text);
CREATE FUNCTION pg_temp.measure(wanted text, key text, query text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE q ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY %1$I%2$s) AS rank, to_jsonb(q) AS cells FROM (%3$s) AS q',
		key, CASE WHEN key LIKE '%\_id' THEN '' ELSE ' COLLATE "C"' END, query);
	INSERT INTO found
	SELECT wanted, e.feature, count(v), sum(v::float8) FILTER (WHERE e.digest IS NULL), sum(v::float8 * rank) FILTER (WHERE e.digest IS NULL),
		CASE WHEN e.digest IS NOT NULL THEN md5(string_agg(coalesce(v, ''), '|' ORDER BY rank)) END
	FROM expected AS e, LATERAL (SELECT rank, cells ->> e.feature AS v FROM q WHERE cells ? e.feature) AS cell
	WHERE e.title = wanted GROUP BY e.feature, e.digest;
	DROP TABLE q;
END $$;

CREATE FUNCTION pg_temp.differences(wanted text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s: %s, expected %s', e.feature, f, e) FROM expected AS e JOIN found AS f USING (title, feature)
	WHERE e.title = wanted AND NOT (f.n = e.n AND f.digest IS NOT DISTINCT FROM e.digest
		AND coalesce(abs(f.total - e.total) <= 1e-9 * greatest(1, abs(e.total)), e.total IS NULL OR e.n = 0)
		AND coalesce(abs(f.weighted - e.weighted) <= 1e-9 * greatest(1, abs(e.weighted)), e.weighted IS NULL OR e.n = 0))
$$;

SELECT pg_temp.measure('chinook', 'customer_id', ml.synthesize_query('chinook.customer'));
SELECT is_empty($$SELECT pg_temp.differences('chinook')$$, 'customers of chinook at depth 2');
SELECT cmp_ok((SELECT count(*) FROM found WHERE title = 'chinook'), '>=', 93::bigint, 'features in common');

ALTER TABLE chinook.customer ADD cutoff timestamp;
UPDATE chinook.customer SET cutoff = timestamp '2023-01-01' + 13 * customer_id * interval '1 day';
SELECT pg_temp.measure('cutoff', 'customer_id', ml.synthesize_query('chinook.customer', cutoff => 'cutoff', time_columns => '{"customer": null}'));
SELECT is_empty($$SELECT pg_temp.differences('cutoff')$$, 'the same before a cutoff of each customer (include_cutoff_time False)');
SELECT cmp_ok((SELECT count(*) FROM found WHERE title = 'cutoff'), '>=', 129::bigint, 'features in common');

-- (Featuretools takes no row that refers to nothing: flights of unknown planes have none there.)
UPDATE pnwflights14.flights AS f SET tailnum = NULL WHERE NOT EXISTS (SELECT FROM pnwflights14.planes AS p WHERE p.tailnum = f.tailnum);
SELECT pg_temp.measure('airlines', 'carrier', ml.synthesize_query('pnwflights14.airlines',
	aggregates => '{count,sum,mean,min,max,sd,distinct,mode}', top_values => 0));
SELECT is_empty($$SELECT pg_temp.differences('airlines')$$, 'airlines of pnwflights14 at depth 2');
SELECT cmp_ok((SELECT count(*) FROM found WHERE title = 'airlines'), '>=', 100::bigint, 'features in common');

SELECT pg_temp.measure('planes', 'tailnum', ml.synthesize_query('pnwflights14.planes',
	aggregates => '{count,sum,mean,min,max,sd,distinct,mode}', top_values => 0));
SELECT is_empty($$SELECT pg_temp.differences('planes')$$, 'planes of pnwflights14 at depth 2');
SELECT cmp_ok((SELECT count(*) FROM found WHERE title = 'planes'), '>=', 100::bigint, 'features in common');

SELECT * FROM finish();
ROLLBACK;
