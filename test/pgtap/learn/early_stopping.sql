-- Early stopping and the training curve by a named metric: the curve at the round that is kept is what ml.train measures of the kept model.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TEMP TABLE bills AS
SELECT i AS id, (i * 7919) % 23 AS rooms, (i * 104729) % 41 AS age, chr(97 + (i * 31) % 8) AS quarter,
	1 + ((i * 7919) % 23) * 0.5 + ((i * 31) % 8 IN (1, 4, 6))::int * 5 + (i * 2654435761 % 1000) / 100.0 AS amount,
	((i * 7919) % 23 + (i * 2654435761 % 1000) / 40.0 > 24) AS late,
	chr(120 + ((i * 7919) % 23 / 8 + (i * 2654435761 % 1000) / 700)::int % 3) AS kind
FROM generate_series(1, 4000) i;

CREATE FUNCTION pg_temp.fit(name text, target text, params jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT metric FROM ml.train(name, 'SELECT rooms, age, quarter, ' || target || ' FROM bills', target, 'gradient_boosting',
	jsonb_build_object('n_estimators', 200, 'learning_rate', 0.3, 'early_stopping_rounds', 5) || params) $$;

-- The metric of the curve, whether its value at the round that was kept is the metric of the validation part, and whether no round was better.
CREATE FUNCTION pg_temp.kept(name text, metric text, better text) RETURNS text LANGUAGE sql AS
$$
	WITH curve AS (SELECT r.metric, r.iteration, r.value FROM ml.run_metrics r WHERE r.model = name AND r.part = 'validation curve'),
		kept AS (SELECT c.value FROM curve c WHERE c.iteration = (SELECT count(DISTINCT t.tree) FROM ml.trees(name) t WHERE t.class IS NULL)
			OR c.iteration = (SELECT count(DISTINCT t.tree) / 3 FROM ml.trees(name) t WHERE t.class IS NOT NULL HAVING count(*) > 0))
	SELECT (SELECT string_agg(DISTINCT c.metric, ',') FROM curve c)
		|| CASE WHEN (SELECT abs(k.value - r.value) <= 1e-9 * abs(r.value) FROM kept k, ml.run_metrics r
			WHERE r.model = name AND r.part = 'validation' AND r.metric = $2) THEN ' agrees' ELSE ' differs' END
		|| CASE WHEN (SELECT CASE better WHEN 'up' THEN max(c.value) ELSE min(c.value) END FROM curve c) = (SELECT k.value FROM kept k) THEN ', best' ELSE ', not best' END
$$;

SELECT pg_temp.fit(m, 'amount', jsonb_build_object('early_stopping_metric', m)) FROM unnest('{rmse,mse,mae,mape}'::text[]) m;
SELECT is(pg_temp.kept(m, m, 'down'), m || ' agrees, best', m) FROM unnest('{rmse,mse,mae,mape}'::text[]) m;
SELECT pg_temp.fit(m, 'late', jsonb_build_object('early_stopping_metric', m)) FROM unnest('{log_loss,brier,accuracy,roc_auc,average_precision}'::text[]) m;
SELECT is(pg_temp.kept(m, m, CASE WHEN m IN ('log_loss', 'brier') THEN 'down' ELSE 'up' END), m || ' agrees, best', m)
FROM unnest('{log_loss,brier,accuracy,roc_auc,average_precision}'::text[]) m;
SELECT pg_temp.fit('k_' || m, 'kind', jsonb_build_object('early_stopping_metric', m)) FROM unnest('{log_loss,accuracy}'::text[]) m;
SELECT is(pg_temp.kept('k_' || m, m, CASE WHEN m = 'log_loss' THEN 'down' ELSE 'up' END), m || ' agrees, best', 'three classes: ' || m)
FROM unnest('{log_loss,accuracy}'::text[]) m;

-- error is what accuracy leaves
SELECT pg_temp.fit('error', 'late', '{"early_stopping_metric": "error"}');
SELECT results_eq($$SELECT iteration, round((1 - value)::numeric, 9) FROM ml.run_metrics WHERE model = 'error' AND part = 'validation curve' ORDER BY 1$$,
	$$SELECT iteration, round(value::numeric, 9) FROM ml.run_metrics WHERE model = 'accuracy' AND part = 'validation curve' ORDER BY 1$$, 'error');

-- the training rows are measured by the same metric
SELECT is((SELECT abs(c.value - t.value) < 1e-9 FROM ml.run_metrics c, ml.run_metrics t WHERE c.model = 'roc_auc' AND c.part = 'training curve'
	AND c.iteration = (SELECT count(DISTINCT tree) FROM ml.trees('roc_auc')) AND t.model = 'roc_auc' AND t.part = 'train' AND t.metric = 'roc_auc'),
	true, 'the training curve ends with the training rows'' metric');

-- other objectives: rmse of a mean whose logarithm is modelled
SELECT pg_temp.fit('counted', 'amount', '{"objective": "poisson", "early_stopping_metric": "rmse"}');
SELECT is(pg_temp.kept('counted', 'rmse', 'down'), 'rmse agrees, best', 'rmse of a poisson model');
SELECT pg_temp.fit('upper', 'amount', '{"objective": "quantile", "alpha": 0.8}');
SELECT is((SELECT DISTINCT metric FROM ml.run_metrics WHERE model = 'upper' AND part = 'validation curve'), 'pinball_loss', 'by itself the loss');

-- the words of the libraries, and what does not fit
SELECT pg_temp.fit('words', 'late', jsonb_build_object(k, 'auc')) FROM unnest('{early_stopping_metric,eval_metric}'::text[]) k;
SELECT is((SELECT count(DISTINCT sha256) FROM ml.versions WHERE model IN ('words', 'roc_auc')), 1::bigint, 'eval_metric: auc is early_stopping_metric: roc_auc');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'amount', '{"early_stopping_metric": "auc"}')$$, '22023',
	'early_stopping_metric "roc_auc" does not fit the objective "squared"');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'late', '{"early_stopping_metric": "rmse"}')$$, '22023', NULL, 'rmse of classes');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'kind', '{"early_stopping_metric": "brier"}')$$, '22023', NULL, 'brier of three classes');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'amount', '{"early_stopping_metric": "poisson_loss"}')$$, '22023', NULL, 'a loss of another objective''s scores');
SELECT throws_ok($$SELECT pg_temp.fit('x', 'amount', '{"early_stopping_metric": "best"}')$$, '22023', NULL, 'no such metric');
UPDATE bills SET amount = 0 WHERE id % 10 = 0;
SELECT throws_ok($$SELECT pg_temp.fit('x', 'amount', '{"early_stopping_metric": "mape"}')$$, '22000',
	'early stopping cannot go by "mape", which is undefined for the validation rows');
SELECT lives_ok($$SELECT pg_temp.fit('zeros', 'amount', '{"early_stopping_metric": "mape", "early_stopping_rounds": 0, "n_estimators": 3}')$$,
	'a curve of it is only NULL');
SELECT is((SELECT count(*) FILTER (WHERE value IS NULL) || ' of ' || count(*) FROM ml.run_metrics WHERE model = 'zeros' AND part = 'validation curve'), '3 of 3', 'NULL');

SELECT * FROM finish();
ROLLBACK;
