-- Mergeable states: parts = whole, parallel = serial, stored and sent, and bytes from outside distrusted.
BEGIN;
SELECT no_plan();

CREATE TEMP TABLE many AS
SELECT i, (i * 7919 % 640) / 640.0::float8 AS s, (i * i * 31 + i) % 10 > 6 AS t,
	CASE WHEN i % 11 > 0 THEN chr(97 + (i * i % 7)::int) END AS class, chr(97 + (i * i % 7 + (i % 5) / 4)::int) AS predicted,
	(i * 37 % 101 + 0.25)::float8 AS y, (i * 37 % 101 + (i * 53 % 23 - 11) / 4.0)::float8 AS q
FROM generate_series(1::bigint, 5000) i;

CREATE FUNCTION pg_temp.near(have float8, want float8, what text) RETURNS text LANGUAGE sql
RETURN ok(abs(have - want) <= 1e-14 * abs(want), what || coalesce(' = ' || have::text, ' is NULL'));

-- Parts, as rows of a table: stored and read back.
CREATE TEMP TABLE part AS
SELECT i % 7 AS part, ml.label_state(class, predicted) AS label, ml.score_state(t, s) AS score, ml.probability_state(t, s) AS probability,
	ml.error_state(y, q) AS error, ml.residual_state(y, q) AS residual
FROM many GROUP BY 1;
INSERT INTO part (part) VALUES (8);
CREATE TEMP TABLE merged AS
SELECT ml.label_merge(label) AS label, ml.score_merge(score) AS score, ml.probability_merge(probability) AS probability, ml.error_merge(error) AS error,
	ml.residual_merge(residual) AS residual FROM part;

CREATE TEMP TABLE whole AS
SELECT ml.accuracy(class, predicted), ml.balanced_accuracy(class, predicted), ml.mcc(class, predicted), ml.f1(class, predicted, 'macro'),
	ml.precision(class, predicted, 'binary', 'b'), ml.recall(class, predicted, 'weighted'), ml.roc_auc(t, s), ml.average_precision(t, s),
	ml.median_absolute_error(y, q) FROM many;
CREATE TEMP VIEW of_state AS
SELECT ml.accuracy_final(label) AS accuracy, ml.balanced_accuracy_final(label) AS balanced_accuracy, ml.mcc_final(label) AS mcc,
	ml.f1_final(label, 'macro', NULL) AS f1, ml.precision_final(label, 'binary', 'b') AS precision, ml.recall_final(label, 'weighted', NULL) AS recall,
	ml.roc_auc_final(score) AS roc_auc, ml.average_precision_final(score) AS average_precision, ml.median_absolute_error_final(residual) AS median_absolute_error
FROM merged;
SELECT results_eq('SELECT * FROM of_state', 'SELECT * FROM whole', 'counted metrics of merged parts are those of the whole, bit for bit');
SELECT pg_temp.near(ml.log_loss_final(probability), (SELECT ml.log_loss(t, s) FROM many), 'log loss of parts') FROM merged;
SELECT pg_temp.near(ml.brier_final(probability), (SELECT ml.brier(t, s) FROM many), 'Brier score of parts') FROM merged;
SELECT pg_temp.near(ml.mae_final(error), (SELECT ml.mae(y, q) FROM many), 'MAE of parts') FROM merged;
SELECT pg_temp.near(ml.mse_final(error), (SELECT ml.mse(y, q) FROM many), 'MSE of parts') FROM merged;
SELECT pg_temp.near(ml.rmse_final(error), (SELECT ml.rmse(y, q) FROM many), 'RMSE of parts') FROM merged;
SELECT pg_temp.near(ml.mape_final(error), (SELECT ml.mape(y, q) FROM many), 'MAPE of parts') FROM merged;
SELECT pg_temp.near(ml.r2_final(error), (SELECT ml.r2(y, q) FROM many), 'R2 of parts') FROM merged;
SELECT is(ml.metric_counts(label), (SELECT ml.metric_counts(ml.label_state(class, predicted)) FROM many), 'counts of parts') FROM merged;
SELECT is((ml.metric_counts(label)).n_missing, 454::bigint, 'rows left out are counted through the merge') FROM merged;

-- Text form there and back.
UPDATE merged SET label = label::text::ml.label_state, score = score::text::ml.score_state, probability = probability::text::ml.probability_state,
	error = error::text::ml.error_state, residual = residual::text::ml.residual_state;
SELECT results_eq('SELECT * FROM of_state', 'SELECT * FROM whole', 'states survive their text form');
SELECT pg_temp.near(ml.r2_final(error), (SELECT ml.r2(y, q) FROM many), 'R2 survives the text form') FROM merged;
SELECT is(ml.f1_final(ml.label_state(t, s > .5)::text::ml.label_state), ml.f1(t, s > .5), 'the positive class survives the text form') FROM many;
SELECT is(ml.accuracy_final(ml.label_state(l, l || 'x')::text::ml.label_state), 0::float8, 'labels of any text') FROM (VALUES (''), ('Ä"\'), (repeat('é', 5000))) v(l);

-- Binary form there and back.
CREATE TEMP TABLE received (LIKE merged);
\set file `file=$(mktemp) && chmod 644 "$file" && echo "$file"`
COPY merged TO STDOUT (FORMAT binary) \g :file
COPY received FROM :'file' (FORMAT binary);
\set removed `rm -f :'file'`
SELECT results_eq('SELECT label::text, score::text, probability::text, error::text, residual::text FROM received',
	'SELECT label::text, score::text, probability::text, error::text, residual::text FROM merged', 'states survive their binary form');
SET LOCAL extra_float_digits = -15;
SET LOCAL bytea_output = escape;
SELECT results_eq('SELECT error::text FROM merged', 'SELECT error::text::ml.error_state::text FROM merged', 'settings of the session do not touch the text form');
RESET extra_float_digits;
RESET bytea_output;
SELECT is(ml.label_merge(NULL::ml.label_state)::text, NULL, 'merging nothing');

-- Parallel plans.
CREATE TABLE public.metrics_parallel AS SELECT * FROM many;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END$$;
SELECT ok(string_agg(plan_of, ' ') ~ 'Finalize Aggregate.*Gather.*Partial Aggregate', 'a parallel plan merges states')
FROM pg_temp.plan_of('SELECT ml.roc_auc(t, s), ml.f1(class, predicted, ''macro''), ml.r2(y, q) FROM public.metrics_parallel');
SELECT results_eq($$SELECT ml.accuracy(class, predicted), ml.balanced_accuracy(class, predicted), ml.mcc(class, predicted), ml.f1(class, predicted, 'macro'),
	ml.precision(class, predicted, 'binary', 'b'), ml.recall(class, predicted, 'weighted'), ml.roc_auc(t, s), ml.average_precision(t, s),
	ml.median_absolute_error(y, q) FROM public.metrics_parallel$$, 'SELECT * FROM whole', 'parallel = serial, bit for bit');
SELECT pg_temp.near(ml.log_loss(t, s), (SELECT ml.log_loss_final(probability) FROM merged), 'log loss, parallel') FROM public.metrics_parallel;
SELECT pg_temp.near(ml.r2(y, q), (SELECT ml.r2_final(error) FROM merged), 'R2, parallel') FROM public.metrics_parallel;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Transition functions only work inside aggregates.
SELECT throws_ok($$SELECT ml._score_add(NULL, true, 0.5)$$, '55000', 'a transition function of ml.score_state was called outside of an aggregate');
SELECT throws_ok($$SELECT ml._label_state_combine(NULL, NULL)$$, '55000', 'a transition function of ml.label_state was called outside of an aggregate');

-- Every truncation is refused; bytes changed at random never harm: an error, or a state that can be read.
CREATE FUNCTION pg_temp.try(state text, type text, finals text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT num_nulls(%s) FROM (SELECT %L::ml.%s AS s) x', finals, state, type);
	RETURN 'accepted';
EXCEPTION WHEN data_corrupted THEN
	RETURN 'damaged';
END $$;
CREATE TEMP TABLE sample AS
SELECT 'label_state' AS type, ml.label_state(class, predicted)::text AS state, 'ml.accuracy_final(s), ml.mcc_final(s), ml.f1_final(s, ''macro'', NULL)' AS finals
	FROM many WHERE i < 40
UNION ALL SELECT 'score_state', ml.score_state(t, s)::text, 'ml.roc_auc_final(s), ml.average_precision_final(s)' FROM many WHERE i < 20
UNION ALL SELECT 'probability_state', ml.probability_state(t, s)::text, 'ml.log_loss_final(s), ml.brier_final(s)' FROM many
UNION ALL SELECT 'error_state', ml.error_state(y, q)::text, 'ml.mae_final(s), ml.rmse_final(s), ml.mape_final(s), ml.r2_final(s)' FROM many
UNION ALL SELECT 'residual_state', ml.residual_state(y, q)::text, 'ml.median_absolute_error_final(s)' FROM many WHERE i < 20;
SELECT is(count(*) FILTER (WHERE pg_temp.try(left(state, 2 * n), type, finals) <> 'damaged'), 0::bigint, type || ': every truncation is refused')
FROM sample, generate_series(1, length(state) / 2 - 1) n GROUP BY type;
SELECT is(pg_temp.try(state || '00', type, finals), 'damaged', type || ': a byte too many is refused') FROM sample;
SELECT is(pg_temp.try(overlay(state PLACING 'ff' FROM 3), type, finals), 'damaged', type || ': another version is refused') FROM sample;
SELECT cmp_ok(count(*) FILTER (WHERE pg_temp.try(overlay(state PLACING lpad(to_hex(n * 37 % 256), 2, '0') FROM 3 + 2 * (n * 101 % (length(state) / 2 - 1))), type, finals) = 'damaged'),
	'>', 0::bigint, type || ': changed bytes do no harm') FROM sample, generate_series(1, 500) n GROUP BY type;
SELECT throws_ok($$SELECT 'abc'::ml.score_state$$, '22P02', 'invalid input syntax for type ml.score_state', 'not even hexadecimal');
SELECT throws_ok($$SELECT '\xZZ'::ml.score_state$$, '22023', NULL, 'no hexadecimal digit');
SELECT throws_ok(format('SELECT %L::ml.label_state', state), 'XX001', 'a value of type ml.label_state is damaged', 'the bytes of another type') FROM sample WHERE type = 'score_state';
CREATE FUNCTION pg_temp.hint(state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	PERFORM state::ml.label_state;
	RETURN NULL;
EXCEPTION WHEN data_corrupted THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(pg_temp.hint(state), 'Compute it again from the rows it stands for.', 'the way out') FROM sample WHERE type = 'score_state';

SELECT * FROM finish();
ROLLBACK;
