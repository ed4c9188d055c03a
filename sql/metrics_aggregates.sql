-- How good are predictions?  Measures of quality are ordinary aggregates: they take FILTER, GROUP BY and windows, and run in parallel.
CREATE TABLE visits (id int, clinic text, came boolean, chance float8, minutes float8, expected float8);
INSERT INTO visits VALUES
	(1, 'north', true, 0.9, 30, 25), (2, 'north', true, 0.8, 20, 25), (3, 'north', false, 0.4, 15, 15), (4, 'north', false, 0.7, 40, 25),
	(5, 'south', true, 0.6, 10, 15), (6, 'south', false, 0.2, 10, 15), (7, 'south', false, 0.1, 25, 15), (8, 'south', NULL, 0.5, NULL, 15);

-- A decision against the truth.  Of booleans, true is the positive class.
SELECT round(ml.accuracy(came, chance >= 0.5)::numeric, 3) AS accuracy,
	round(ml.precision(came, chance >= 0.5)::numeric, 3) AS precision,
	round(ml.recall(came, chance >= 0.5)::numeric, 3) AS recall,
	round(ml.f1(came, chance >= 0.5)::numeric, 3) AS f1
FROM visits;

-- A score needs no threshold: how often does one who came stand above one who did not?  And how good are the chances as probabilities?
SELECT round(ml.roc_auc(came, chance)::numeric, 3) AS roc_auc, round(ml.brier(came, chance)::numeric, 3) AS brier FROM visits;

-- Numbers, per group.  median_absolute_error does not mind an outlier.
SELECT clinic, round(ml.mae(minutes, expected)::numeric, 1) AS mae, round(ml.rmse(minutes, expected)::numeric, 1) AS rmse,
	ml.median_absolute_error(minutes, expected) AS median
FROM visits GROUP BY clinic ORDER BY clinic;

-- Classes as text: say how their F1 becomes one number, or whose it is.
CREATE TABLE guesses (truth text, guess text);
INSERT INTO guesses VALUES ('cat', 'cat'), ('cat', 'dog'), ('dog', 'dog'), ('dog', 'dog'), ('owl', 'cat'), ('owl', 'owl');
SELECT round(ml.f1(truth, guess, 'macro')::numeric, 3) AS macro, round(ml.f1(truth, guess, 'weighted')::numeric, 3) AS weighted,
	round(ml.f1(truth, guess, 'binary', 'owl')::numeric, 3) AS owl
FROM guesses;

-- What is undefined is NULL, never 0: nobody was predicted to come, so what share of them did?
SELECT ml.precision(came, chance >= 0.95) AS precision, ml.recall(came, chance >= 0.95) AS recall FROM visits;
SELECT ml.roc_auc(came, chance) AS of_one_class FROM visits WHERE came;

-- Rows whose truth or prediction is not known are left out; the state knows how many.
SELECT (ml.metric_counts(ml.score_state(came, chance))).* FROM visits;

-- States can be stored and merged: a day at a time, the whole later.
CREATE TABLE daily AS SELECT id % 3 AS day, ml.score_state(came, chance) AS state FROM visits GROUP BY 1;
SELECT round(ml.roc_auc_final(ml.score_merge(state))::numeric, 3) AS roc_auc FROM daily;

-- Mistakes are told.
SELECT ml.log_loss(came, chance * 2) FROM visits;
SELECT ml.f1(truth, guess, 'mean') FROM guesses;
SELECT ml.roc_auc(id, chance) FROM visits WHERE id > 1;

-- A regression is an aggregate too.  Least squares with an intercept; here minutes = 5 + 2 x exactly.
SELECT fit->'n' AS n, round((fit->'coefficients'->>0)::numeric, 6) AS intercept, round((fit->'coefficients'->>1)::numeric, 6) AS slope,
	round((fit->>'r2')::numeric, 6) AS r2
FROM (SELECT ml.linreg(5 + 2 * x, x) AS fit FROM generate_series(1, 10) x) f;
SELECT fit->'coefficients'->2 AS coefficient, fit->>'reason' AS reason
FROM (SELECT ml.linreg(5 + 2 * x + x % 3, x, 3 * x) AS fit FROM generate_series(1, 10) x) f;

DROP TABLE visits, guesses, daily;
