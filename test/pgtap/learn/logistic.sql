-- Logistic regression: scikit-learn's optimum (newton-cholesky, newton-cg, tol 1e-13) and statsmodels 0.14 (Logit) on the same rows.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
\ir sample.psql

CREATE FUNCTION pg_temp.probabilities(model text, n int) RETURNS float8[] LANGUAGE sql AS
$$ SELECT array_agg(ml.predict_proba(model, s.*) ORDER BY i) FROM sample s WHERE i <= n $$;

-- ---- binary ----
SELECT is(pg_temp.fit('binary', 'SELECT x1, x2, x3, c, b FROM sample', 'b', 'logistic_regression'), '{}', 'the default is C = 1');
SELECT ok(pg_temp.close(pg_temp.coefficients('binary'), '{-1.2511448644491758,0.4256763631420727,-0.19572258310546464,0.023658350560234843,-0.13847020270302593,
	-0.11817650987645693,-0.0015706760553309464,0.2582173886348158}', 1e-6), 'coefficients');
SELECT ok(pg_temp.close(pg_temp.probabilities('binary', 5), '{0.696928790519217,0.9360391195595982,0.33980338150978273,0.7292413768645917,0.8943126504182614}', 1e-8),
	'probabilities');
SELECT is(pg_temp.reasons('binary'), '{"not defined under a penalty"}', 'no inference under a penalty');
SELECT pg_temp.fit('strong', 'SELECT x1, x2, x3, c, b FROM sample', 'b', 'logistic_regression', '{"C": 0.01}');
SELECT ok(pg_temp.close(pg_temp.probabilities('strong', 5), '{0.6103947343537294,0.7863571882169856,0.44437216750615266,0.6343666718864623,0.7464594142532185}', 1e-8),
	'a stronger penalty');
SELECT pg_temp.fit('strong2', 'SELECT x1, x2, x3, c, b FROM sample', 'b', 'logistic_regression', '{"l2": 100}');
SELECT is(pg_temp.coefficients('strong2'), pg_temp.coefficients('strong'), 'l2 = 1 / C');
SELECT pg_temp.fit('weighted', 'SELECT x1, x2, x3, c, b, w FROM sample', 'b', 'logistic_regression', weights => 'w');
SELECT ok(pg_temp.close(pg_temp.probabilities('weighted', 5), '{0.6793909335553877,0.9320505514786628,0.32192389761663653,0.7173064011625275,0.8925130752151644}', 1e-8),
	'weights');

-- ---- no penalty ----
SELECT is(pg_temp.fit('wald', 'SELECT x1, x2, x3, c, b FROM sample', 'b', 'logistic_regression', '{"l2": 0}'), '{}', 'maximum likelihood');
SELECT ok(pg_temp.close(pg_temp.coefficients('wald'), '{-1.4218659759570895,0.43438353355850484,-0.20050470862208994,0.024251334854681016,0.021249798872317087,
	0.14387494056640324,0.42142937967136823}', 1e-7), 'coefficients against the first level');
SELECT ok(pg_temp.close(pg_temp.errors('wald'), '{0.3553579312951697,0.0365089625250668,0.028349589783202452,0.012649166568960184,0.2833586402933162,
	0.28045355009209016,0.3273612427911369}', 1e-7), 'standard errors');
SELECT ok(pg_temp.close(pg_temp.p_values('wald'), '{6.3016198224119e-05,1.2122153458070546e-32,1.520805343915625e-12,0.05520898709117249,0.9402206061051813,
	0.6079456604251929,0.1979713828506413}', 1e-6), 'p');
SELECT is(pg_temp.fit('combination', 'SELECT x1, x2, x1 - x2 AS x4, b FROM sample', 'b', 'logistic_regression', '{"l2": 0}'),
	'{"column \"x4\" is a linear combination of the columns before it and was left out"}', 'combinations are left out');
SELECT is(array_agg(feature), '{x4}', 'and have no coefficient') FROM ml.coefficients('combination') WHERE coefficient IS NULL;

-- ---- several classes ----
SELECT is(pg_temp.fit('three', 'SELECT x1, x2, x3, c, k FROM sample', 'k', 'logistic_regression'), '{}', 'three classes');
SELECT ok(pg_temp.close((SELECT array_agg(p.value::float8 ORDER BY i, p.key) FROM sample s, jsonb_each_text(ml.predict_all('three', s.*) -> 'probabilities') p WHERE i <= 3),
	'{0.0042677120786424215,0.29065177943532106,0.7050805084860365,0.008671434236832901,0.020249251633275706,0.9710793141298915,0.0031982808466706836,
	0.9098968701973652,0.08690484895596416}', 1e-7), 'probabilities of all classes');
SELECT ok(pg_temp.close(pg_temp.coefficients('three', 'low'), '{3.338384957911457,-0.4659666335094231,0.016604042056913796,-0.00364674092228831,
	-0.001145492849345508,-0.009376500527806912,-0.05029244552967618,0.060814438906826564}', 1e-5), 'one equation per class');
SELECT ok(bool_and(abs(total) < 1e-7), 'whose coefficients sum to zero')
FROM (SELECT sum(coefficient) AS total FROM ml.coefficients('three') WHERE feature <> '(intercept)' GROUP BY feature) t;

-- ---- separation, limits ----
SELECT alike((pg_temp.fit('separable', 'SELECT x1, x2, x1 > 6 AS b FROM sample', 'b', 'logistic_regression', '{"l2": 0}'))[1],
	'the columns separate the classes completely: without a penalty (l2) the coefficients have no finite best value%', 'separable classes are said');
SELECT ok(bool_and(abs(coefficient) < 1e6), 'and stay finite') FROM ml.coefficients('separable');
SELECT ok(bool_and((ml.predict_proba('separable', s.*) > 0.5) = (x1 > 6)), 'and right') FROM sample s;
SELECT is(pg_temp.fit('penalised', 'SELECT x1, x2, x1 > 6 AS b FROM sample', 'b', 'logistic_regression', '{"checks": false}'), '{}', 'a penalty cures it');
SELECT is((pg_temp.fit('partly', 'SELECT x1, x2, c = ''c'' AS is_c, b OR c = ''c'' AS b FROM sample', 'b', 'logistic_regression', '{"l2": 0}'))[1],
	'column "is_c" separates some rows completely: its coefficient has no finite best value without a penalty (l2)', 'a column that settles some rows is named');
SELECT alike((pg_temp.fit('short', 'SELECT x1, x2, x3, c, b FROM sample', 'b', 'logistic_regression', '{"max_iter": 2}'))[1],
	'not converged after 2 iterations: the gradient fell to % of its start, 1.0e-08 was asked for (max_iter, tol)', 'the limit of iterations');
SELECT throws_ok($$ SELECT pg_temp.fit('both', 'sample', 'b', 'logistic_regression', '{"C": 2, "l2": 1}') $$, '22023', NULL, 'C and l2 contradict each other');
SELECT is(pg_temp.fit('huge', source, target, 'logistic_regression', params::jsonb), '{}', format('a penalty beyond all measure converges: %s, %s', params, target))
FROM (VALUES ('{"C": 1e-300}'), ('{"C": 1e-100}'), ('{"l2": 1e307}')) p (params),
	(VALUES ('b', 'SELECT x1, x2, c, b FROM sample'), ('square', 'SELECT x1, x2, c, i * i % 3 = 1 AS square FROM sample'), ('k', 'SELECT x1, c, k FROM sample')) t (target, source);
SELECT pg_temp.fit('share', 'SELECT x1, x2, c, b FROM sample', 'b', 'logistic_regression', '{"C": 1e-300}');
SELECT ok(bool_and(abs(ml.predict_proba('share', s.*) / (SELECT avg(b::int) FROM sample) - 1) < 1e-12), 'to the share of the class') FROM sample s;
SELECT throws_ok($$ SELECT pg_temp.fit('zero', 'sample', 'b', 'logistic_regression', '{"C": 0}') $$, '22023', NULL, 'C must be positive');
SELECT throws_ok($$ SELECT pg_temp.fit('weightless', 'SELECT x1, b, 0::float8 AS w FROM sample', 'b', 'logistic_regression', weights => 'w') $$, '22000', NULL,
	'weights that are all zero');

SELECT * FROM finish();
ROLLBACK;
