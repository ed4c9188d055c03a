-- Elementary functions against correctly rounded values (mpmath 1.3, 200 bits, rounded to the nearest double).
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(20);

CREATE TEMP TABLE reference (function "char", x float8, y float8);
INSERT INTO reference VALUES
	('e', -745.0, 5e-324),
	('e', -708.5, 2.006132305331306e-308),
	('e', -100.25, 2.897198083210148e-44),
	('e', -20.0, 2.061153622438558e-09),
	('e', -1.0, 0.36787944117144233),
	('e', -0.5, 0.6065306597126334),
	('e', -0.34657359027997264, 0.7071067811865476),
	('e', -1e-10, 0.9999999999),
	('e', 1e-300, 1.0),
	('e', 0.1, 1.1051709180756477),
	('e', 0.3, 1.3498588075760032),
	('e', 0.6931471805599453, 2.0),
	('e', 1.0, 2.718281828459045),
	('e', 2.5, 12.182493960703473),
	('e', 10.0, 22026.465794806718),
	('e', 100.7, 5.413203172330057e+43),
	('e', 700.1, 1.120899771073261e+304),
	('e', 709.7, 1.6549840276802644e+308),
	('l', 5e-324, -744.4400719213812),
	('l', 1e-310, -713.8013788281542),
	('l', 2.2250738585072014e-308, -708.3964185322641),
	('l', 1e-05, -11.512925464970229),
	('l', 0.25, -1.3862943611198906),
	('l', 0.7, -0.35667494393873245),
	('l', 0.75, -0.2876820724517809),
	('l', 0.9999999, -1.0000000494736474e-07),
	('l', 1.0000001, 9.999999505838704e-08),
	('l', 1.4999, 0.40539843921917673),
	('l', 1.5, 0.4054651081081644),
	('l', 2.0, 0.6931471805599453),
	('l', 3.0, 1.0986122886681098),
	('l', 10.0, 2.302585092994046),
	('l', 123456.789, 11.723646487185881),
	('l', 1e+300, 690.7755278982137),
	('1', -0.999999, -13.815510557935518),
	('1', -0.75, -1.3862943611198906),
	('1', -0.26, -0.3011050927839216),
	('1', -0.24, -0.2744368457017603),
	('1', -1e-10, -1.00000000005e-10),
	('1', 1e-300, 1e-300),
	('1', 1e-10, 9.999999999500001e-11),
	('1', 0.1, 0.09531017980432487),
	('1', 0.49, 0.3987761199573678),
	('1', 0.51, 0.412109650826833),
	('1', 1.0, 0.6931471805599453),
	('1', 3.7, 1.547562508716013),
	('1', 10000000000.0, 23.025850930040455),
	('1', 1e+300, 690.7755278982137),
	('s', -745.0, 5e-324),
	('s', -100.0, 3.720075976020836e-44),
	('s', -37.5, 5.175555005801868e-17),
	('s', -3.3, 0.03557118927263618),
	('s', -0.5, 0.37754066879814546),
	('s', 0.0, 0.5),
	('s', 0.5, 0.6224593312018546),
	('s', 3.3, 0.9644288107273639),
	('s', 20.0, 0.9999999979388464),
	('s', 37.5, 1.0),
	('s', 100.0, 1.0),
	('p', -745.0, 5e-324),
	('p', -100.0, 3.720075976020836e-44),
	('p', -37.5, 5.175555005801868e-17),
	('p', -3.3, 0.036219258870659285),
	('p', -0.5, 0.4740769841801067),
	('p', 0.0, 0.6931471805599453),
	('p', 0.5, 0.9740769841801067),
	('p', 3.3, 3.336219258870659),
	('p', 20.0, 20.000000002061153),
	('p', 37.5, 37.5),
	('p', 800.0, 800.0),
	('m', -800.0, -1.0),
	('m', -40.0, -1.0),
	('m', -2.5, -0.9179150013761012),
	('m', -0.3, -0.2591817793182821),
	('m', -1e-05, -9.999950000166666e-06),
	('m', -1e-17, -1e-17),
	('m', 1e-300, 1e-300),
	('m', 1e-10, 1.00000000005e-10),
	('m', 0.001, 0.0010005001667083417),
	('m', 0.1, 0.10517091807564763),
	('m', 0.6931471805599453, 1.0),
	('m', 1.0, 1.7182818284590453),
	('m', 7.5, 1807.0424144560632),
	('m', 100.7, 5.413203172330057e+43),
	('m', 709.7, 1.6549840276802644e+308),
	('n', -20.0, 2.7536241186062337e-89),
	('n', -8.3, 5.205569744890254e-17),
	('n', -5.0, 2.866515718791939e-07),
	('n', -2.6, 0.004661188023718749),
	('n', -2.5, 0.006209665325776135),
	('n', -2.4, 0.008197535924596131),
	('n', -1.0, 0.15865525393145705),
	('n', -0.1, 0.460172162722971),
	('n', -1e-10, 0.49999999996010575),
	('n', 0.0, 0.5),
	('n', 0.3, 0.6179114221889527),
	('n', 1.96, 0.9750021048517795),
	('n', 2.499, 0.9937727844480115),
	('n', 3.0, 0.9986501019683699),
	('n', 8.0, 0.9999999999999993);

-- The distance in units of the last place; a subnormal's unit is 5e-324.
CREATE FUNCTION pg_temp.ulps(got float8, wanted float8) RETURNS bigint LANGUAGE sql AS
$$ SELECT abs(core_sortable(got) - core_sortable(wanted)) $$;

SELECT is_empty($$ SELECT x, y, core_math('e', x) FROM reference WHERE function = 'e' AND pg_temp.ulps(core_math('e', x), y) > 1 $$, 'exp');
SELECT is_empty($$ SELECT x, y, core_math('l', x) FROM reference WHERE function = 'l' AND pg_temp.ulps(core_math('l', x), y) > 1 $$, 'log');
SELECT is_empty($$ SELECT x, y, core_math('1', x) FROM reference WHERE function = '1' AND pg_temp.ulps(core_math('1', x), y) > 1 $$, 'log1p');
SELECT is_empty($$ SELECT x, y, core_math('s', x) FROM reference WHERE function = 's' AND pg_temp.ulps(core_math('s', x), y) > 3 $$, 'sigmoid');
SELECT is_empty($$ SELECT x, y, core_math('p', x) FROM reference WHERE function = 'p' AND pg_temp.ulps(core_math('p', x), y) > 2 $$, 'softplus');
SELECT is_empty($$ SELECT x, y, core_math('m', x) FROM reference WHERE function = 'm' AND pg_temp.ulps(core_math('m', x), y) > 4 $$, 'expm1');
SELECT is_empty($$ SELECT x, y, core_math('n', x) FROM reference WHERE function = 'n' AND abs(core_math('n', x) - y) > 1e-13 * y $$, 'the normal distribution');

-- libm, over ranges (glibc stays below 1 ulp itself)
SELECT is_empty($$ SELECT x FROM generate_series(-707.9, 709.7, 0.0731) s, LATERAL (SELECT s::float8 AS x) v WHERE pg_temp.ulps(core_math('e', x), exp(x)) > 1 $$,
	'exp beside libm');
SELECT is_empty($$ SELECT x FROM generate_series(1, 20000) s, LATERAL (SELECT exp((s - 10000) / 15.0::float8) AS x) v WHERE pg_temp.ulps(core_math('l', x), ln(x)) > 1 $$,
	'log beside libm');
SELECT is_empty($$ SELECT x FROM generate_series(-3, 3, 0.00137) s, LATERAL (SELECT s::float8 AS x, core_circle(s::float8) AS c) v
	WHERE abs(c[1] - sind(x * 360)) > 2e-15 OR abs(c[2] - cosd(x * 360)) > 2e-15 $$, 'circle beside sind and cosd');

SELECT is(array_agg(core_math('e', x) ORDER BY n), '{Infinity,Infinity,0,0,NaN,1,1}', 'exp at the ends')
FROM unnest('{Infinity,709.8,-Infinity,-745.2,NaN,0,-0}'::float8[]) WITH ORDINALITY v (x, n);
SELECT is(array_agg(core_math('l', x) ORDER BY n), '{Infinity,-Infinity,-Infinity,NaN,NaN,0}', 'log at the ends')
FROM unnest('{Infinity,0,-0,-1,NaN,1}'::float8[]) WITH ORDINALITY v (x, n);
SELECT is(array_agg(core_math('1', x) ORDER BY n), '{Infinity,-Infinity,NaN,NaN,0}', 'log1p at the ends')
FROM unnest('{Infinity,-1,-1.5,NaN,0}'::float8[]) WITH ORDINALITY v (x, n);
SELECT is(array_agg(core_math('s', x) || ' ' || core_math('p', x) ORDER BY n), '{"1 Infinity","0 0","NaN NaN"}', 'sigmoid and softplus at the ends')
FROM unnest('{Infinity,-Infinity,NaN}'::float8[]) WITH ORDINALITY v (x, n);

SELECT is(array_agg(core_circle(q / 4.0) ORDER BY q), '{{0,-1},{-1,0},{0,1},{1,0},{0,-1},{-1,0},{0,1},{1,0},{0,-1}}', 'quarters of a turn are exact')
FROM generate_series(-2, 6) q;
SELECT is(array_agg(core_math('m', x) || ' ' || core_math('n', x) ORDER BY n), '{"Infinity 1","-1 0","NaN NaN"}', 'expm1 and the normal distribution at the ends')
FROM unnest('{Infinity,-Infinity,NaN}'::float8[]) WITH ORDINALITY v (x, n);
SELECT is_empty($$ SELECT x FROM generate_series(0, 0.9999, 0.00037) s, LATERAL (SELECT s::float8 AS x, core_circle(s::float8) AS c) v
	WHERE abs(core_turns(c[1], c[2]) - x) > 1e-15 OR abs(core_turns(1e3 * c[1], 1e3 * c[2]) - x) > 1e-15 $$, 'the angle of a point on the circle');
SELECT is(array[core_turns(0, 0), core_turns('NaN', 1), core_turns(1, 'Infinity'), core_turns(0, -2), core_turns(-3, 0)], '{NaN,NaN,NaN,0.5,0.75}', 'angles at the ends');
SELECT is(core_circle('NaN') || core_circle('Infinity'), '{NaN,NaN,NaN,NaN}', 'no angle, no point');

-- The loop that vectorises and the single call give the same bits.
SELECT is(core_exp_block(array_agg(x ORDER BY n)), array_agg(core_math('e', x) ORDER BY n), 'exp in blocks and alone')
FROM (SELECT n, (n - 5000) * 0.1517::float8 AS x FROM generate_series(1, 10001) n
	UNION ALL SELECT 20000 + n, x FROM unnest('{NaN,Infinity,-Infinity,0}'::float8[]) WITH ORDINALITY v (x, n)) s;

SELECT * FROM finish();
ROLLBACK;
