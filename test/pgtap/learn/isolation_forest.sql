-- Isolation forest against scikit-learn's IsolationForest(1000, max_samples=256) on the same rows, mean of three seeds.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- A cloud (sums of three even numbers) and 20 points on a ring around it.
CREATE TEMP TABLE points AS
SELECT id, sum(u) FILTER (WHERE k < 3) AS x, sum(u) FILTER (WHERE k >= 3) AS y, false AS planted
FROM generate_series(1, 2000) id, generate_series(0, 5) k, LATERAL (SELECT ((id * 2654435761 + k * 40503) * (k + 7919) % 10007) / 10007.0 - 0.5 AS u) s
GROUP BY id
UNION ALL
SELECT 5000 + id, 2.5 * cosd(id * 18), 2.5 * sind(id * 18), true FROM generate_series(1, 20) id;

CREATE TEMP VIEW called AS
SELECT p.*, ml.predict('apart', p.*) AS score, ml.predict_class('apart', p.*) AS class FROM points p;

SELECT results_eq($$SELECT task, n_train, n_validation, n_test, metric, score FROM ml.train('apart', 'SELECT id, x, y FROM points', NULL, 'isolation_forest',
	key => 'id', params => '{"n_estimators": 1000}')$$,
	$$VALUES ('anomaly detection', 2020::bigint, 0::bigint, 0::bigint, NULL, NULL::float8)$$, 'every row trains where there is no target');
SELECT cmp_ok(abs(avg(score) - 0.4492), '<', 0.004::float8, 'mean score of the cloud') FROM called WHERE NOT planted;
SELECT cmp_ok(abs(avg(score) - 0.7060), '<', 0.006::float8, 'mean score of the ring') FROM called WHERE planted;
SELECT cmp_ok(abs(stddev_pop(score) - 0.0599), '<', 0.003::float8, 'their spread') FROM called;
SELECT cmp_ok(min(score), '>', 0::float8, 'above 0') FROM called;
SELECT cmp_ok(max(score), '<', 1::float8, 'below 1') FROM called;
SELECT is(min(score) FILTER (WHERE planted) > max(score) FILTER (WHERE NOT planted), true, 'the planted rows score highest') FROM called;
SELECT is_empty($$SELECT * FROM called WHERE (class = 'anomaly') <> (score > 0.5)$$, 'classes by the threshold of 0.5');
SELECT results_eq($$SELECT prediction, class, probability FROM ml.predict_table('apart', 'SELECT * FROM points', 'id') ORDER BY key::int LIMIT 100$$,
	$$SELECT score, class, NULL::float8 FROM called ORDER BY id LIMIT 100$$, 'the batch path');
SELECT is((SELECT ml.predict_all('apart', p.*) ->> 'class' FROM points p WHERE id = 5001), 'anomaly', 'predict_all says it');
SELECT is(ml.predict((SELECT ml.artifact('apart')), p.*), ml.predict('apart', p.*), 'by value') FROM points p WHERE id = 1;

-- contamination
SELECT ml.train('share', 'SELECT id, x, y FROM points', NULL, 'isolation_forest', key => 'id', params => '{"contamination": 0.01}');
SELECT cmp_ok(count(*), '<=', 20::bigint, 'contamination: that share of the rows at most') FROM points p WHERE ml.predict_class('share', p.*) = 'anomaly';
SELECT cmp_ok(count(*), '>=', 15::bigint, 'and not much less') FROM points p WHERE ml.predict_class('share', p.*) = 'anomaly';

-- words and shares as scikit-learn has them
SELECT ml.train('words', 'SELECT id, x, y FROM points', NULL, 'isolation_forest', key => 'id', params => params::jsonb)
FROM unnest(ARRAY['{}', '{"contamination": "auto", "max_samples": "auto"}', '{"max_samples": 202}', '{"max_samples": 0.1}']) params;
SELECT is(ml.artifact('words:1'), ml.artifact('words:2'), 'auto is what is done by itself');
SELECT is(ml.artifact('words:3'), ml.artifact('words:4'), 'a share of the 2,020 rows');
SELECT isnt(ml.artifact('words:1'), ml.artifact('words:4'), 'is not all of them');
SELECT throws_ok($$SELECT ml.train('words', 'points', NULL, 'isolation_forest', params => '{"max_samples": 2.5}')$$, '22023', NULL, 'two and a half rows');
SELECT throws_ok($$SELECT ml.train('words', 'points', NULL, 'isolation_forest', params => '{"contamination": "none"}')$$, '22023',
	'parameter "contamination" cannot be "none"', 'another word');

-- any order of rows, the same model; another seed, another
SELECT ml.train(name, 'SELECT x, y FROM points ORDER BY id ' || way, NULL, 'isolation_forest', seed => seed)
FROM (VALUES ('o1', '', 0), ('o2', 'DESC', 0), ('o3', '', 1)) v (name, way, seed);
SELECT is(ml.artifact('o1'), ml.artifact('o2'), 'the order of rows does not matter');
SELECT isnt(ml.artifact('o1'), ml.artifact('o3'), 'the seed does');

-- categories, missing values, constant columns, few rows
CREATE TEMP TABLE odd AS SELECT id, CASE WHEN id = 7 THEN 'never' ELSE chr(97 + id % 3) END AS word, CASE WHEN id % 4 > 0 THEN id % 10 END AS n, 1 AS same FROM generate_series(1, 400) id;
SELECT ml.train('odd', 'odd', NULL, 'isolation_forest', key => 'id', params => '{"max_samples": 400}');
SELECT is((SELECT id FROM odd o ORDER BY ml.predict('odd', o.*) DESC LIMIT 1), 7, 'a level of its own is an anomaly');
SELECT ok(ml.predict('odd', '{"word": null, "n": null}'::jsonb) BETWEEN 0 AND 1, 'a row with nothing in it');
SELECT ok(ml.predict('odd', '{"word": "new", "n": "Infinity"}'::jsonb) BETWEEN 0 AND 1, 'a row with anything in it');
SELECT ml.train('two', 'SELECT 1.5 AS x UNION SELECT 2', NULL, 'isolation_forest');
SELECT is(ml.predict('two', '{"x": 1}'::jsonb), 0.5::float8, 'two rows: both one cut away');
SELECT ml.train('one', 'SELECT 1 AS x', NULL, 'isolation_forest');
SELECT is(ml.predict('one', '{"x": 1}'::jsonb), 0.5::float8, 'one row');

-- what needs a target
SELECT throws_ok($$SELECT ml.predict_proba('apart', p.*) FROM points p$$, '0A000', NULL, 'scores are no probabilities');
SELECT throws_ok($$SELECT ml.evaluate('apart', 'points')$$, '0A000', NULL, 'there is no truth to compare with');
SELECT throws_ok($$SELECT ml.evaluate('apart')$$, '55000', NULL, 'nor are there stored metrics');
SELECT throws_ok($$SELECT ml.train('m', 'points', NULL)$$, '22004', NULL, 'auto needs a target');
SELECT throws_ok($$SELECT ml.train('m', 'points', NULL, 'random_forest')$$, '22004', NULL, 'so does a forest');
SELECT throws_ok($$SELECT ml.train('m', 'points', 'x', 'isolation_forest')$$, '22023', NULL, 'a target is refused');
SELECT throws_ok($$SELECT ml.train('m', 'points', NULL, 'isolation_forest', params => '{"metric": "rmse"}')$$, '22023', NULL, 'so is a metric');
SELECT throws_ok($$SELECT ml.train('m', 'points', NULL, 'isolation_forest', params => '{"class_weight": "balanced"}')$$, '22023', NULL, 'and a weight of classes');
SELECT throws_ok($$SELECT ml.train('m', 'points', NULL, 'isolation_forest', params => '{"contamination": 0.6}')$$, '22023', NULL, 'and a contamination above one half');
SELECT throws_ok($$SELECT ml.importance('apart')$$, '0A000', NULL, 'no importance');

SELECT * FROM finish();
ROLLBACK;
