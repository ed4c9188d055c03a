-- penguins: three classes, missing cells.
-- Literals: test/bench/quality.py, scikit-learn 1.9.1, LogisticRegression(C=1) run to a gradient of 1e-9, on the same rows, prepared alike.
BEGIN;
SELECT plan(5);
\ir ../../data/folds.sql

SELECT results_eq($$
	SELECT n_train, n_validation, n_test
	FROM ml.train('quality_penguins', 'SELECT * FROM penguins_folds WHERE train', 'species', algorithm => 'logistic_regression',
		split => '{"train": 1}', exclude => '{row_key,train}', params => '{"C": 1}') $$,
	$$ VALUES (256::bigint, 0::bigint, 0::bigint) $$,
	'every row of the training fold trains');

CREATE TEMPORARY TABLE scored AS
SELECT row_key, species, ml.predict_class('quality_penguins', t.*) AS class,
	ml.predict_proba('quality_penguins', t.*, class => 'Adelie') AS adelie,
	ml.predict_proba('quality_penguins', t.*, class => 'Chinstrap') AS chinstrap, ml.predict_proba('quality_penguins', t.*, class => 'Gentoo') AS gentoo
FROM penguins_folds t WHERE NOT train;

SELECT is(count(*), 88::bigint, 'every row of the test fold is scored, probabilities sum to 1')
FROM scored WHERE abs(adelie + chinstrap + gentoo - 1) < 1e-12;
SELECT cmp_ok(ml.accuracy(species, class), '>=', 0.9886363636::float8 - 0.003,
	'accuracy as good as scikit-learn''s 0.9886') FROM scored;
SELECT ok(abs(avg(adelie) / 0.451600028437 - 1) <= 1e-6 AND abs(avg(chinstrap) / 0.215134369572 - 1) <= 1e-6
	AND abs(avg(gentoo) / 0.333265601991 - 1) <= 1e-6,
	'the mean probabilities are scikit-learn''s') FROM scored;
SELECT is_empty($$
	SELECT * FROM (VALUES
		('Dream:490:195:210:3950:MALE', 0.0532602521692, 0.930838227442, 0.0159015203893),
		('Biscoe:515:163:230:5500:MALE', 0.000200010035406, 0.00211366966441, 0.9976863203),
		('Torgersen:352:159:186:3050:FEMALE', 0.997533557105, 0.00149807304568, 0.000968369848879),
		('Dream:372:181:178:3900:MALE', 0.997640048918, 0.0022410192788, 0.000118931803238),
		('Dream:527:198:197:3725:MALE', 0.00431639530519, 0.994953614956, 0.00072998973905),
		('Torgersen:355:175:190:3700:FEMALE', 0.998867985265, 0.000519551311646, 0.000612463423111)) AS oracle (row_key, a, c, g)
	LEFT JOIN scored USING (row_key)
	WHERE (abs(adelie - a) <= 1e-6 * a AND abs(chinstrap - c) <= 1e-6 * c
		AND abs(gentoo - g) <= 1e-6 * g) IS NOT TRUE $$,
	'single predictions are scikit-learn''s to 1e-6 relative');

SELECT * FROM finish();
ROLLBACK;
