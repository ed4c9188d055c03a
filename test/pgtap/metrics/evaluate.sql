-- One definition: what ml.evaluate says of a model is what the aggregates say of its predictions.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE TABLE public.metrics_evaluate AS
SELECT i, (i * 37 % 101) / 8.0::float8 AS x1, (i * i % 53) / 4.0::float8 AS x2, (i * 7919 % 1000) + (i * 37 % 101) * 5 > 800 AS yes,
	chr(97 + ((i * 37 % 101) / 34 + (i * 7919 % 10) / 9) % 4) AS class, 1 + (i * 37 % 101) / 8.0 + (i * 7919 % 10)::float8 AS number
FROM generate_series(1, 2000) i;
DO $$BEGIN
	PERFORM ml.train('metrics_binary', 'metrics_evaluate', 'yes', algorithm => 'logistic_regression', features => '{x1,x2}');
	PERFORM ml.train('metrics_false', 'metrics_evaluate', 'yes', algorithm => 'logistic_regression', features => '{x1,x2}', positive_class => 'false');
	PERFORM ml.train('metrics_classes', 'metrics_evaluate', 'class', algorithm => 'logistic_regression', features => '{x1,x2}');
	PERFORM ml.train('metrics_number', 'metrics_evaluate', 'number', algorithm => 'linear_regression', features => '{x1,x2}');
END$$;

CREATE FUNCTION pg_temp.evaluated(model text, source text DEFAULT 'metrics_evaluate') RETURNS jsonb LANGUAGE sql
AS $$SELECT jsonb_object_agg(metric, value) FROM ml.evaluate(model, source)$$;

SELECT is(pg_temp.evaluated('metrics_binary'), jsonb_build_object('roc_auc', ml.roc_auc(yes, p), 'accuracy', ml.accuracy(yes, p >= 0.5),
	'balanced_accuracy', ml.balanced_accuracy(yes, p >= 0.5), 'precision', ml.precision(yes, p >= 0.5), 'recall', ml.recall(yes, p >= 0.5),
	'f1', ml.f1(yes, p >= 0.5), 'mcc', ml.mcc(yes, p >= 0.5), 'average_precision', ml.average_precision(yes, p), 'log_loss', ml.log_loss(yes, p),
	'brier', ml.brier(yes, p)), 'binary')
FROM (SELECT yes, ml.predict_proba('metrics_binary', t.*) AS p FROM metrics_evaluate t) x;

SELECT is(pg_temp.evaluated('metrics_false') - '{roc_auc,average_precision,log_loss,brier}'::text[], jsonb_build_object('accuracy', ml.accuracy(NOT yes, c = 'false'),
	'balanced_accuracy', ml.balanced_accuracy(NOT yes, c = 'false'), 'precision', ml.precision(NOT yes, c = 'false'), 'recall', ml.recall(NOT yes, c = 'false'),
	'f1', ml.f1(NOT yes, c = 'false'), 'mcc', ml.mcc(NOT yes, c = 'false')), 'binary, the first label being the positive class')
FROM (SELECT yes, ml.predict_class('metrics_false', t.*) AS c FROM metrics_evaluate t) x;
SELECT ok(abs((pg_temp.evaluated('metrics_false')->>m)::float8 - (pg_temp.evaluated('metrics_binary')->>m)::float8) < 1e-9,
	m || ' does not depend on which class is the positive one') FROM unnest('{roc_auc,log_loss,brier}'::text[]) m;

SELECT is(pg_temp.evaluated('metrics_classes') - '{roc_auc_ovr,log_loss}'::text[], jsonb_build_object('accuracy', ml.accuracy(class, c),
	'balanced_accuracy', ml.balanced_accuracy(class, c), 'precision_macro', ml.precision(class, c, 'macro'), 'recall_macro', ml.recall(class, c, 'macro'),
	'f1_macro', ml.f1(class, c, 'macro'), 'f1_weighted', ml.f1(class, c, 'weighted'), 'mcc', ml.mcc(class, c)), 'several classes')
FROM (SELECT class, ml.predict_class('metrics_classes', t.*) AS c FROM metrics_evaluate t) x;
SELECT ok(abs((pg_temp.evaluated('metrics_classes')->>'roc_auc_ovr')::float8 - avg(auc)) < 1e-12, 'ROC AUC of several classes is the mean of each against the rest')
FROM (SELECT ml.roc_auc(class = c, ml.predict_proba('metrics_classes', t.*, class => c)) AS auc FROM metrics_evaluate t, unnest('{a,b,c,d}'::text[]) c GROUP BY c) x;
SELECT ok(abs((pg_temp.evaluated('metrics_classes')->>'log_loss')::float8 - avg(-ln(p))) < 1e-12, 'log loss of several classes')
FROM (SELECT ml.predict_proba('metrics_classes', t.*, class => class) AS p FROM metrics_evaluate t) x;

SELECT is(pg_temp.evaluated('metrics_number'), jsonb_build_object('rmse', ml.rmse(number, p), 'mae', ml.mae(number, p), 'mse', ml.mse(number, p),
	'mape', ml.mape(number, p), 'r2', ml.r2(number, p), 'median_absolute_error', ml.median_absolute_error(number, p)), 'regression')
FROM (SELECT number, ml.predict('metrics_number', t.*) AS p FROM metrics_evaluate t) x;

-- A class the model does not know is wrong whatever it says; measures of probabilities leave it out.
CREATE VIEW public.metrics_unknown AS SELECT i, x1, x2, CASE WHEN i % 10 = 0 THEN 'new' ELSE class END AS class FROM metrics_evaluate;
SELECT is(pg_temp.evaluated('metrics_classes', 'metrics_unknown') - '{roc_auc_ovr,log_loss}'::text[], jsonb_build_object('accuracy', ml.accuracy(class, c),
	'balanced_accuracy', ml.balanced_accuracy(class, c), 'precision_macro', ml.precision(class, c, 'macro'), 'recall_macro', ml.recall(class, c, 'macro'),
	'f1_macro', ml.f1(class, c, 'macro'), 'f1_weighted', ml.f1(class, c, 'weighted'), 'mcc', ml.mcc(class, c)), 'a class the model does not know')
FROM (SELECT class, ml.predict_class('metrics_classes', t.*) AS c FROM metrics_unknown t) x;
SELECT results_eq($$SELECT metric, n FROM ml.evaluate('metrics_classes', 'metrics_unknown') WHERE metric IN ('accuracy', 'roc_auc_ovr', 'log_loss') ORDER BY metric$$,
	$$VALUES ('accuracy', 2000::bigint), ('log_loss', 1800), ('roc_auc_ovr', 1800)$$, 'n says which metrics left it out');

-- Undefined: NULL, and why.
SELECT results_eq($$SELECT metric, reason FROM ml.evaluate('metrics_binary', 'SELECT * FROM metrics_evaluate WHERE yes') WHERE value IS NULL ORDER BY metric$$,
	$$VALUES ('mcc', 'the truth has only one class'), ('roc_auc', 'the truth has only one class')$$, 'rows of one class');
SELECT is(reason, 'class "d" does not occur in the truth', 'a class that does not occur')
FROM ml.evaluate('metrics_classes', $$SELECT * FROM metrics_evaluate WHERE class <> 'd'$$) WHERE metric = 'roc_auc_ovr' AND value IS NULL;
SELECT results_eq($$SELECT metric, reason FROM ml.evaluate('metrics_number', 'SELECT x1, x2, 0 AS number FROM metrics_evaluate') WHERE value IS NULL ORDER BY metric$$,
	$$VALUES ('mape', 'the truth contains 0'), ('r2', 'the truth is constant')$$, 'a constant truth of 0');

SELECT * FROM finish();
ROLLBACK;
