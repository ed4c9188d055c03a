-- What is undefined is NULL; what is missing is left out and counted; what makes no sense is an error that names it.
BEGIN;
SELECT no_plan();

-- No rows, or none that counts.
CREATE TEMP TABLE nothing (n int, b boolean, t text, i bigint, x float8);
INSERT INTO nothing VALUES (0), (1), (1);
CREATE FUNCTION pg_temp.all_null(what text, filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nulls boolean;
BEGIN
	EXECUTE 'SELECT num_nonnulls(ml.accuracy(t, t), ml.accuracy(b, b), ml.accuracy(i, i), ml.balanced_accuracy(t, t), ml.mcc(t, t),
		ml.precision(b, b), ml.recall(b, b), ml.f1(b, b), ml.precision(t, t, ''macro''), ml.recall(t, t, ''micro''), ml.f1(t, t, ''weighted''),
		ml.f1(t, t, ''binary'', ''x''), ml.roc_auc(b, x), ml.roc_auc(i, x), ml.average_precision(b, x), ml.log_loss(b, x), ml.brier(i, x),
		ml.mae(x, x), ml.mse(x, x), ml.rmse(x, x), ml.mape(x, x), ml.r2(x, x), ml.median_absolute_error(x, x)) = 0 FROM nothing WHERE ' || filter INTO nulls;
	RETURN ok(nulls, what);
END $$;
SELECT pg_temp.all_null('every metric of no rows is NULL', 'false');
SELECT pg_temp.all_null('every metric of NULLs is NULL', 'true');
SELECT is(ml.metric_counts(ml.label_state(t, t))::text, '(0,3)', 'NULL rows are counted apart: labels') FROM nothing;
SELECT is(ml.metric_counts(ml.score_state(b, x))::text, '(0,3)', 'NULL rows are counted apart: scores') FROM nothing;
SELECT is(ml.metric_counts(ml.error_state(x, x))::text, '(0,3)', 'NULL rows are counted apart: errors') FROM nothing;

CREATE TEMP TABLE some_missing (b boolean, x float8, y float8);
INSERT INTO some_missing VALUES (true, .75, 1), (false, .5, 2), (NULL, .5, 3), (true, NULL, 4), (true, 'NaN', 5), (false, .25, NULL);
SELECT is(ml.roc_auc(b, x), 1::float8, 'ROC AUC over the rows where both are known') FROM some_missing;
SELECT is(ml.metric_counts(ml.score_state(b, x))::text, '(3,3)', 'NULL and NaN are missing') FROM some_missing;
SELECT is(ml.metric_counts(ml.probability_state(b, x))::text, '(3,3)', 'NULL and NaN are missing: probabilities') FROM some_missing;
SELECT is(ml.metric_counts(ml.residual_state(x, y))::text, '(3,3)', 'NULL and NaN are missing: residuals') FROM some_missing;
SELECT is(ml.metric_counts(ml.label_state(b, x > .3))::text, '(4,2)', 'NULL is missing: labels (NaN > 0.3 is true)') FROM some_missing;
SELECT is(ml.mae(x, y), (.25 + 1.5 + 2.5) / 3::float8, 'MAE over the rows where both are known') FROM some_missing;

-- Undefined.
SELECT is(ml.roc_auc(true, x), NULL, 'ROC AUC of one class') FROM (VALUES (1::float8), (2)) v(x);
SELECT is(ml.average_precision(false, x), NULL, 'average precision without positives') FROM (VALUES (1::float8), (2)) v(x);
SELECT is(ml.average_precision(true, x), 1::float8, 'average precision of positives alone') FROM (VALUES (1::float8), (2)) v(x);
SELECT is(ml.precision(t, false), NULL, 'precision when nothing was predicted positive') FROM (VALUES (true), (false)) v(t);
SELECT is(ml.recall(false, p), NULL, 'recall when nothing is positive') FROM (VALUES (true), (false)) v(p);
SELECT is(ml.f1(false, false), NULL, 'F1 without any positive');
SELECT is(ml.f1(false, true), 0::float8, 'F1 when all positives are wrong');
SELECT is(ml.precision(t, t, 'binary', 'z'), NULL, 'precision of a class that occurs nowhere') FROM (VALUES ('a'), ('b')) v(t);
SELECT is(ml.mcc(true, p), NULL, 'MCC of one class') FROM (VALUES (true), (false)) v(p);
SELECT is(ml.mcc(t, true), NULL, 'MCC of one prediction') FROM (VALUES (true), (false)) v(t);
SELECT is(ml.mcc(t, t), 1::float8, 'MCC of perfection') FROM (VALUES (true), (false)) v(t);
SELECT is(ml.r2(5, p), NULL, 'R2 of a constant truth') FROM (VALUES (5::float8), (6)) v(p);
SELECT is(ml.r2(0.1, p), NULL, 'R2 of a constant truth that is no binary fraction') FROM generate_series(1, 100) p;
SELECT is(ml.r2(1, 1), NULL, 'R2 of one row');
SELECT is(ml.mape(y, 1), NULL, 'MAPE when a truth is 0') FROM (VALUES (0::float8), (6)) v(y);
SELECT is(ml.mae(y, 1), NULL, 'MAE with an infinite error') FROM (VALUES ('inf'::float8), (6)) v(y);
SELECT is(ml.r2(y, 1), NULL, 'R2 with an infinite error') FROM (VALUES ('inf'::float8), (6)) v(y);
SELECT is(ml.median_absolute_error(y, 1), 5::float8, 'a median survives an infinite error') FROM (VALUES ('inf'::float8), (6), (2)) v(y);
SELECT is(ml.mse(1e200, 0), NULL, 'MSE that overflows');

-- Errors.
SELECT throws_ok($$SELECT ml.log_loss(true, 1.5)$$, '22000', '1.5 is no probability', 'a probability beyond 1');
SELECT throws_ok($$SELECT ml.brier(true, -0.1)$$, '22000', '-0.1 is no probability', 'a probability below 0');
SELECT throws_ok($$SELECT ml.roc_auc(2, 0.5)$$, '22000', 'a truth of 2 is neither 0 nor 1', 'a truth of 2');
SELECT throws_ok($$SELECT ml.f1('a'::text, 'b', 'average')$$, '22023', 'average "average" not recognized', 'an unknown average');
SELECT throws_ok($$SELECT ml.f1('a'::text, 'b', NULL)$$, '22004', 'average must not be NULL', 'no average');
SELECT throws_ok($$SELECT ml.f1('a'::text, 'b', 'binary')$$, '22023', 'the average binary needs the positive label', 'binary without a positive label');
SELECT throws_ok($$SELECT ml.f1('a'::text, 'b', 'binary', NULL)$$, '22023', 'the average binary needs the positive label', 'binary with NULL for the positive label');
SELECT throws_ok($$SELECT ml.f1('a'::text, 'b', 'macro', 'a')$$, '22023', 'a positive label is only for the average binary', 'macro with a positive label');
SELECT throws_ok($$SELECT ml.f1('a', 'b', a) FROM (VALUES ('macro'), ('micro')) v(a)$$, '22023',
	'the average and the positive label must be the same in all rows', 'an average that changes');
SELECT throws_ok($$SELECT ml.f1('a', 'b', 'binary', a) FROM (VALUES ('a'), ('b')) v(a)$$, '22023',
	'the average and the positive label must be the same in all rows', 'a positive label that changes');
SELECT throws_ok($$SELECT ml.f1_final(ml.label_state('a'::text, 'b'))$$, '22023', 'the state says nothing of an average', 'a state without an average');
SELECT lives_ok($$SELECT ml.accuracy(i, i) FROM generate_series(1, 1000) i$$, '1,000 labels');
SELECT throws_ok($$SELECT ml.accuracy(i, i) FROM generate_series(1, 1001) i$$, '54000',
	'more than 1000 distinct labels, or more than 1048576 bytes of them', '1,001 labels');
SELECT throws_ok($$SELECT ml.accuracy(repeat('x', 1048577), 'b')$$, '54000',
	'more than 1000 distinct labels, or more than 1048576 bytes of them', 'a label beyond 1 MB');
SELECT throws_ok($$SELECT ml.accuracy(repeat('x', 1000000 + i), 'b') FROM generate_series(1, 2) i$$, '54000',
	'more than 1000 distinct labels, or more than 1048576 bytes of them', 'labels beyond 1 MB in all');
SET LOCAL relearn.max_memory = '1MB';
SELECT throws_like($$SELECT ml.roc_auc(i % 2, i) FROM generate_series(1, 100000) i$$, '%relearn.max_memory%', 'ranking beyond relearn.max_memory');
RESET relearn.max_memory;

SELECT * FROM finish();
ROLLBACK;
