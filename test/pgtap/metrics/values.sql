-- The aggregates' numbers.  Literals: scikit-learn 1.9.1 on the same rows (sklearn.metrics, formulas of the rows beside), or closed form.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.near(have float8, want float8, what text) RETURNS text LANGUAGE sql
RETURN ok(abs(have - want) <= 1e-12 * greatest(abs(want), 1), what || coalesce(' = ' || have::text, ' is NULL'));

-- Small enough to check by hand.
CREATE TEMP TABLE scores AS
SELECT * FROM (VALUES (0, .1::float8), (1, .4), (0, .4), (1, .8), (1, .4), (0, .35), (0, .8), (1, .2)) v(y, s);
SELECT pg_temp.near(ml.roc_auc(y, s), 0.59375, 'ROC AUC with ties') FROM scores;
SELECT pg_temp.near(ml.roc_auc(y = 1, s), 0.59375, 'ROC AUC of booleans') FROM scores;
SELECT pg_temp.near(ml.average_precision(y, s), 0.5678571428571428, 'average precision with ties') FROM scores;
SELECT pg_temp.near(ml.roc_auc(y = 1, s), (SELECT avg((p.s > q.s)::int + (p.s = q.s)::int / 2.0) FROM scores p, scores q WHERE p.y = 1 AND q.y = 0),
	'ROC AUC is the share of pairs won') FROM scores;
SELECT pg_temp.near(ml.roc_auc(y = 1, -s) + ml.roc_auc(y = 1, s), 1, 'ROC AUC of scores turned round') FROM scores;
SELECT pg_temp.near(ml.roc_auc(y = 1, CASE s WHEN .8 THEN 'inf' WHEN .1 THEN '-inf' ELSE s END), 0.59375, 'infinite scores have a rank too') FROM scores;
SELECT is(ml.roc_auc(y, s), 0.5::float8, '-0 ties with 0') FROM (VALUES (true, 0::float8), (false, '-0'::float8)) v(y, s);

SELECT pg_temp.near(ml.log_loss(y, p), 0.08212601674300911, 'log loss') FROM (VALUES (1, .9::float8), (0, .2), (1, 1), (0, 0)) v(y, p);
SELECT pg_temp.near(ml.log_loss(y, p), 18.36840028483855, 'log loss of a certainty that was wrong is clipped') FROM (VALUES (1, 0::float8), (0, .5)) v(y, p);
SELECT pg_temp.near(ml.brier(y, p), 0.0125, 'Brier score') FROM (VALUES (true, .9::float8), (false, .2), (true, 1), (false, 0)) v(y, p);

CREATE TEMP TABLE labels AS
SELECT unnest(string_to_array('a a a b b b c c d d', ' ')) AS t, unnest(string_to_array('a a b b b a c a a c', ' ')) AS p;
SELECT pg_temp.near(ml.accuracy(t, p), .5, 'accuracy') FROM labels;
SELECT pg_temp.near(ml.balanced_accuracy(t, p), .4583333333333333, 'balanced accuracy') FROM labels;
SELECT pg_temp.near(ml.mcc(t, p), .32479622744662096, 'MCC of four classes') FROM labels;
SELECT pg_temp.near(ml.f1(t, p, 'macro'), .4166666666666667, 'macro F1') FROM labels;
SELECT pg_temp.near(ml.f1(t, p, 'weighted'), .45, 'weighted F1') FROM labels;
SELECT pg_temp.near(ml.f1(t, p, 'micro'), .5, 'micro F1') FROM labels;
SELECT pg_temp.near(ml.precision(t, p, 'binary', 'a'), .4, 'precision of a') FROM labels;
SELECT pg_temp.near(ml.recall(t, p, 'binary', 'a'), 2 / 3::float8, 'recall of a') FROM labels;
SELECT pg_temp.near(ml.f1(t, p, 'binary', 'a'), .5, 'F1 of a') FROM labels;
SELECT pg_temp.near(ml.f1(t, p, 'binary', 'b'), 2 / 3::float8, 'F1 of b') FROM labels;
SELECT pg_temp.near(ml.recall(t, p, 'binary', 'd'), 0, 'recall of a class never found') FROM labels;

SELECT pg_temp.near(ml.mae(y, p), .5, 'MAE') FROM (VALUES (3, 2.5), (-.5, 0), (2, 2), (7, 8)) v(y, p);
SELECT pg_temp.near(ml.rmse(y, p), .6123724356957945, 'RMSE') FROM (VALUES (3, 2.5), (-.5, 0), (2, 2), (7, 8)) v(y, p);
SELECT pg_temp.near(ml.r2(y, p), .9486081370449679, 'R2') FROM (VALUES (3, 2.5), (-.5, 0), (2, 2), (7, 8)) v(y, p);
SELECT pg_temp.near(ml.median_absolute_error(y, p), .5, 'median error of an even number of rows') FROM (VALUES (3, 2.5), (-.5, 0), (2, 2), (7, 8)) v(y, p);

-- 500 rows.
CREATE TEMP TABLE many AS
SELECT i, (i * 7919 % 64) / 64.0::float8 AS s, (i * i * 31 + i) % 10 + 4 * (i * 7919 % 64) / 64.0 > 6 AS t,
	chr(97 + i * i % 7) AS class, chr(97 + CASE i % 3 WHEN 0 THEN i * 5 % 7 ELSE i * i % 7 END) AS predicted,
	(i * 37 % 101 - 50 + 0.5)::float8 AS y, (i * 37 % 101 - 50 + 0.5 + (i * 53 % 23 - 11) / 4.0)::float8 AS q
FROM generate_series(1, 500) i;
SELECT pg_temp.near(ml.roc_auc(t, s), 0.5360462480163228, 'ROC AUC') FROM many;
SELECT pg_temp.near(ml.average_precision(t, s), 0.21991172591728764, 'average precision') FROM many;
SELECT pg_temp.near(ml.log_loss(t, (s * 62 + 1) / 64), 0.8911250955079077, 'log loss') FROM many;
SELECT pg_temp.near(ml.brier(t, (s * 62 + 1) / 64), 0.31284567546844483, 'Brier score') FROM many;
SELECT pg_temp.near(ml.accuracy(t, s > .5), 0.526, 'accuracy') FROM many;
SELECT pg_temp.near(ml.balanced_accuracy(t, s > .5), 0.5257185319529459, 'balanced accuracy') FROM many;
SELECT pg_temp.near(ml.precision(t, s > .5), 0.21487603305785125, 'precision') FROM many;
SELECT pg_temp.near(ml.recall(t, s > .5), 0.5252525252525253, 'recall') FROM many;
SELECT pg_temp.near(ml.f1(t, s > .5), 0.30498533724340177, 'F1') FROM many;
SELECT pg_temp.near(ml.mcc(t, s > .5), 0.04101553853016976, 'MCC') FROM many;
SELECT is(ml.f1(t::text, (s > .5)::text, 'binary', 'true'), ml.f1(t, s > .5), 'booleans are the labels true and false') FROM many;

-- 4 classes in truth, 7 in prediction
SELECT pg_temp.near(ml.accuracy(class, predicted), 0.762, 'accuracy of classes') FROM many;
SELECT pg_temp.near(ml.balanced_accuracy(class, predicted), 0.791958041958042, 'balanced accuracy of the classes in truth') FROM many;
SELECT pg_temp.near(ml.mcc(class, predicted), 0.699671938191664, 'MCC of classes') FROM many;
SELECT pg_temp.near(ml.precision(class, predicted, 'macro'), 0.5140456182472989, 'macro precision') FROM many;
SELECT pg_temp.near(ml.recall(class, predicted, 'macro'), 0.45254745254745254, 'macro recall') FROM many;
SELECT pg_temp.near(ml.f1(class, predicted, 'macro'), 0.48051797272474717, 'macro F1') FROM many;
SELECT pg_temp.near(ml.precision(class, predicted, 'weighted'), 0.8851193277310925, 'weighted precision') FROM many;
SELECT pg_temp.near(ml.recall(class, predicted, 'weighted'), 0.762, 'weighted recall') FROM many;
SELECT pg_temp.near(ml.f1(class, predicted, 'weighted'), 0.8179969813949438, 'weighted F1') FROM many;
SELECT is(ml.mcc(ascii(class), ascii(predicted)), ml.mcc(class, predicted), 'integers are labels as texts are') FROM many;

SELECT pg_temp.near(ml.mae(y, q), 1.435, 'MAE') FROM many;
SELECT pg_temp.near(ml.mse(y, q), 2.748, 'MSE') FROM many;
SELECT pg_temp.near(ml.rmse(y, q), 1.6577092628081682, 'RMSE') FROM many;
SELECT pg_temp.near(ml.mape(y, q), 0.16373808590247985, 'MAPE') FROM many;
SELECT pg_temp.near(ml.r2(y, q), 0.9967619358861043, 'R2') FROM many;
SELECT pg_temp.near(ml.r2(y + 1e9, q + 1e9), 0.9967619358861043, 'R2 far from 0') FROM many;
SELECT pg_temp.near(ml.median_absolute_error(y, q), 1.5, 'median error') FROM many;
SELECT pg_temp.near(ml.mae(1e16 + x, 1e16), 10.0 / 3, 'a sum that plain addition would lose') FROM (VALUES (2), (4), (4)) v(x);

-- The order of rows does not matter.
SELECT is(b.*, a.*, 'rows in another order give the same bits')
FROM (SELECT ml.roc_auc(t, s), ml.average_precision(t, s), ml.f1(class, predicted, 'macro'), ml.balanced_accuracy(class, predicted), ml.mcc(class, predicted),
		ml.median_absolute_error(y, q) FROM (SELECT * FROM many ORDER BY i) o) a,
	(SELECT ml.roc_auc(t, s), ml.average_precision(t, s), ml.f1(class, predicted, 'macro'), ml.balanced_accuracy(class, predicted), ml.mcc(class, predicted),
		ml.median_absolute_error(y, q) FROM (SELECT * FROM many ORDER BY i * 7919 % 503) o) b;

-- In a window the state is read again and again: reading must not change it.
SELECT is(sum(abs(w - d)), 0::float8, 'a growing window frame agrees with the aggregate')
FROM (SELECT i, ml.roc_auc(t, s) OVER (ORDER BY i) AS w, (SELECT ml.roc_auc(u.t, u.s) FROM many u WHERE u.i <= m.i) AS d FROM many m WHERE i <= 60) x;
SELECT is(sum(abs(w - d)), 0::float8, 'the median error too')
FROM (SELECT i, ml.median_absolute_error(y, q) OVER (ORDER BY i) AS w, (SELECT ml.median_absolute_error(u.y, u.q) FROM many u WHERE u.i <= m.i) AS d
	FROM many m WHERE i <= 60) x;

SELECT * FROM finish();
ROLLBACK;
