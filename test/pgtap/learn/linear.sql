-- Least squares: NIST's certified values; statsmodels 0.14 (OLS, WLS) and scikit-learn (Ridge) on the same rows; what has no answer.
BEGIN;
SET client_min_messages = warning;
SELECT no_plan();
\ir sample.psql
\ir ../../data/nist_longley.sql
\ir ../../data/nist_filip.sql

-- ---- NIST ----
SELECT is(pg_temp.fit('longley', 'nist_longley', 'employed', 'linear_regression'), '{}', 'Longley trains without a warning');
SELECT cmp_ok(max(abs(coefficient / estimate - 1)), '<', 1e-11::float8, 'Longley: 11 digits of the estimates')
FROM ml.coefficients('longley') JOIN nist_longley_certified ON term = replace(replace(feature, '(', ''), ')', '');
SELECT cmp_ok(max(abs(c.standard_error / n.standard_error - 1)), '<', 1e-11::float8, 'Longley: 11 digits of the standard errors')
FROM ml.coefficients('longley') c JOIN nist_longley_certified n ON term = replace(replace(feature, '(', ''), ')', '');
SELECT is(pg_temp.fit('filip', 'nist_filip', 'y', 'linear_regression', '{"checks": false}'), '{}', 'Filip keeps all its powers');
SELECT cmp_ok(max(abs(coefficient / estimate - 1)), '<', 3e-7::float8, 'Filip: more than 6 digits, where the rounding of the powers alone costs all but 7.6')
FROM ml.coefficients('filip') JOIN nist_filip_certified ON term = replace(replace(feature, '(', ''), ')', '');
SELECT cmp_ok(max(abs(c.standard_error / n.standard_error - 1)), '<', 1e-7::float8, 'Filip: 7 digits of the standard errors')
FROM ml.coefficients('filip') c JOIN nist_filip_certified n ON term = replace(replace(feature, '(', ''), ')', '');
SELECT is(count(*), 18::bigint, 'every certified term was found')
FROM (SELECT feature FROM ml.coefficients('filip') UNION ALL SELECT feature FROM ml.coefficients('longley')) f;

-- ---- inference ----
SELECT is(pg_temp.fit('ols', 'SELECT x1, x2, x3, c, y FROM sample', 'y', 'linear_regression'), '{}', 'ordinary least squares');
SELECT ok(pg_temp.close(pg_temp.coefficients('ols'), '{1.445486551693287,2.002879003037027,-0.7477103488945744,0.1018908222252067,0.006560727339584738,
	2.993567352395893,-0.02974402288726878}', 1e-10), 'coefficients');
SELECT ok(pg_temp.close(pg_temp.errors('ols'), '{0.17258078514524067,0.013829878069131494,0.0124387881474141,0.006012705662509335,0.13613339227234095,
	0.13574958837984205,0.15276440658046123}', 1e-10), 'standard errors');
SELECT ok(pg_temp.close((pg_temp.p_values('ols'))[1:1] || (pg_temp.p_values('ols'))[5:7], '{3.9754560861460536e-16,0.9615783581699537,3.732144619236098e-79,
	0.8456904344904768}', 1e-9), 'p');
SELECT ok(pg_temp.close(pg_temp.vifs('ols'), '{NULL,1.0045764568554203,1.0004331499384964,1.0004092549671377,1.004974971230056,1.004974971230056,
	1.004974971230056}', 1e-12), 'variance inflation, generalised for the category');
-- det(R11) det(R22) / det(R) of the correlations, by numpy; the third column's bands follow x1
SELECT pg_temp.fit('bands', 'SELECT x1, x3, CASE WHEN x1 <= 4 THEN 1 WHEN x1 <= 8 THEN 2 ELSE 3 END::text AS band, y FROM sample', 'y', 'linear_regression');
SELECT ok(pg_temp.close(pg_temp.vifs('bands'), '{NULL,8.951068313306115,1.000627761092372,8.951435986475754,8.951435986475754}', 1e-12),
	'the generalised inflation itself, not its root');
SELECT is(pg_temp.reasons('ols'), '{NULL}', 'nothing is left open');
SELECT is(array_agg(class), '{NULL,NULL,NULL,NULL,NULL,NULL,NULL}', 'one equation, no class') FROM ml.coefficients('ols');
SELECT cmp_ok(max(abs(ml.predict('ols', s.*) - (1.445486551693287 + 2.002879003037027 * x1 - 0.7477103488945744 * x2 + 0.1018908222252067 * x3
	+ CASE c WHEN 'b' THEN 0.006560727339584738 WHEN 'c' THEN 2.993567352395893 WHEN 'd' THEN -0.02974402288726878 ELSE 0 END))), '<', 1e-11::float8,
	'predictions are the equation that is reported') FROM sample s;

SELECT is(pg_temp.fit('wls', 'SELECT x1, x2, x3, c, y, w FROM sample', 'y', 'linear_regression', weights => 'w'), '{}', 'weighted');
SELECT ok(pg_temp.close(pg_temp.coefficients('wls'), '{1.3913152560755275,2.005195283909677,-0.7435177933562448,0.10355147438827951,0.026889605518522597,
	2.9722408077651683,-0.10987209570866001}', 1e-10), 'weighted coefficients');
SELECT ok(pg_temp.close(pg_temp.errors('wls'), '{0.17330982556197191,0.013832668059199854,0.012431183244160735,0.006054476114933154,0.13618016358267626,
	0.13559823596888423,0.1527204335443102}', 1e-10), 'weighted standard errors');

-- ---- scale and shift ----
SELECT pg_temp.fit('shifted', 'SELECT x1 + 1e6 AS x1, x2 * 1e-100 AS x2, x3 * 1e100 AS x3, c, (y + 1e3) * 1e150 AS y FROM sample', 'y', 'linear_regression');
SELECT ok(pg_temp.close((pg_temp.coefficients('shifted'))[2:4], '{2.002879003037027e150,-0.7477103488945744e250,0.1018908222252067e50}', 1e-8),
	'columns and targets of any size');
SELECT ok(pg_temp.close((pg_temp.errors('shifted'))[2:4], '{0.013829878069131494e150,0.0124387881474141e250,0.006012705662509335e50}', 1e-8), 'and their standard errors');

-- ---- ridge ----
SELECT is(pg_temp.fit('ridge', 'SELECT x1, x2, x3, c, y FROM sample', 'y', 'linear_regression', '{"alpha": 10}'), '{}', 'ridge: all levels of the category stay');
SELECT ok(pg_temp.close(pg_temp.coefficients('ridge'), '{2.3468912996720412,1.9698700318777473,-0.7351634143853134,0.10000290423818725,-0.7101261844243045,
	-0.7073224598690888,2.117404725218069,-0.6999560809246463}', 1e-10), 'ridge coefficients');
SELECT is(pg_temp.reasons('ridge'), '{"not defined under a penalty"}', 'no inference under a penalty');
SELECT ok(bool_and(num_nulls(standard_error, statistic, p_value) = 3), 'and no number in its place') FROM ml.coefficients('ridge');
SELECT ok(pg_temp.close(pg_temp.vifs('ridge'), '{NULL,1.0045764568554203,1.0004331499384964,1.0004092549671377,1.004974971230056,1.004974971230056,
	1.004974971230056,1.004974971230056}', 1e-12), 'variance inflation is what it is without the penalty, the same for all levels');
SELECT pg_temp.fit('ridge_w', 'SELECT x1, x2, x3, c, y, w FROM sample', 'y', 'linear_regression', '{"l2": 1e6}', weights => 'w');
SELECT ok(pg_temp.close((pg_temp.vifs('ridge_w'))[2:5], '{1.007587732083369,1.0016876408490785,1.0041863909919402,1.006159054486357}', 1e-12), 'with weights, by numpy');
SELECT pg_temp.fit('ridge_c', 'SELECT x1, x2, x1 + x2 AS x4, c, y FROM sample', 'y', 'linear_regression', '{"l2": 1}');
SELECT is(count(vif), 0::bigint, 'where columns determine one another it is infinite, and none is reported') FROM ml.coefficients('ridge_c');

-- ---- combinations of columns ----
SELECT is(pg_temp.fit('combination', 'SELECT x1, x2, x1 + x2 AS x4, x3, 5 - 2 * x3 AS x5, c, y FROM sample', 'y', 'linear_regression'),
	'{"columns \"x4\", \"x5\" are linear combinations of the columns before them and were left out"}', 'combinations are named');
SELECT ok(pg_temp.close(pg_temp.coefficients('combination'), '{1.445486551693287,2.002879003037027,-0.7477103488945744,NULL,0.1018908222252067,NULL,
	0.006560727339584738,2.993567352395893,-0.02974402288726878}', 1e-10), 'the others get what they get without them');
SELECT ok(pg_temp.close(pg_temp.errors('combination'), '{0.17258078514524067,0.013829878069131494,0.0124387881474141,NULL,0.006012705662509335,NULL,
	0.13613339227234095,0.13574958837984205,0.15276440658046123}', 1e-10), 'so do the standard errors');
SELECT is(array_agg(feature || ': ' || reason), '{"x4: linear combination of other columns","x5: linear combination of other columns"}', 'with the reason')
FROM ml.coefficients('combination') WHERE reason IS NOT NULL;
SELECT is(pg_temp.fit('almost', 'SELECT x1, x1 + 1e-6 * x3 AS x4, x2, y FROM sample', 'y', 'linear_regression'), '{}', 'nearly a combination is none');
SELECT is(pg_temp.fit('apart', 'SELECT x1, x3, x2, y FROM sample', 'y', 'linear_regression'), '{}', 'the same columns apart');
SELECT ok(pg_temp.close((SELECT array_agg(ml.predict('almost', s.*)) FROM (SELECT x1, x1 + 1e-6 * x3 AS x4, x2 FROM sample) s),
	(SELECT array_agg(ml.predict('apart', s.*)) FROM sample s), 1e-8), 'predict the same');

-- ---- too little ----
SELECT is((pg_temp.fit('few', 'SELECT x1, x2, x3, e, y FROM sample WHERE i <= 3', 'y', 'linear_regression'))[2],
	'3 training rows are too few for 4 columns and an intercept: the fit is exact on them and means little', 'fewer rows than columns');
SELECT ok(bool_and(abs(ml.predict('few', s.*) - y) < 1e-9), 'the fit is exact') FROM sample s WHERE i <= 3;
SELECT ok('no more rows than coefficients: nothing is left to estimate the error from' = ANY (pg_temp.reasons('few')), 'no degrees of freedom, no error');
SELECT ok(bool_and(standard_error IS NULL), 'nor a number for it') FROM ml.coefficients('few');
SELECT is(pg_temp.fit('exact', 'SELECT x1, x2, 3 * x1 - x2 + 7 AS y FROM sample', 'y', 'linear_regression'),
	'{"the columns determine the target exactly (zero residual): one of them may be computed from it"}', 'a perfect fit is said');
SELECT ok(pg_temp.close(pg_temp.coefficients('exact'), '{7,3,-1}', 1e-12), 'and found');
SELECT is(pg_temp.reasons('exact'), '{"the fit is perfect: there is no residual to compare with"}', 'it has no t');
SELECT is(pg_temp.fit('constant', 'SELECT x1, x2, 3.3::float8 AS y FROM sample', 'y', 'linear_regression'),
	'{"target column \"y\" has the same value in every training row"}', 'a constant target');
SELECT ok(pg_temp.close(array_agg(ml.predict('constant', s.*)), array_fill(3.3::float8, '{600}'), 1e-14), 'is its prediction') FROM sample s;
SELECT throws_ok($$ SELECT pg_temp.fit('weightless', 'SELECT x1, y, 0::float8 AS w FROM sample', 'y', 'linear_regression', weights => 'w') $$, '22000', NULL,
	'weights that are all zero');
SELECT throws_ok($$ SELECT pg_temp.fit('negative', 'SELECT x1, y FROM sample', 'y', 'linear_regression', '{"l2": -1}') $$, '22023', NULL, 'a negative penalty');

SELECT * FROM finish();
ROLLBACK;
