-- Cholesky and QR against numpy.linalg; columns that others determine.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(12);

CREATE FUNCTION pg_temp.close(a float8[], b float8[], tolerance float8) RETURNS boolean LANGUAGE sql AS
$$ SELECT array_length(a, 1) = array_length(b, 1) AND bool_and(abs(x - y) <= tolerance) FROM unnest(a, b) t (x, y) $$;

SELECT ok(pg_temp.close(core_cholesky_solve('{4,1,0.5, 1,3,-1, 0.5,-1,2}', '{1,2,3}'),
	'{-0.4615384615384615,1.6307692307692307,2.4307692307692306}', 1e-15), 'solve');
SELECT ok(pg_temp.close(core_cholesky_inverse('{4,1,0.5, 1,3,-1, 0.5,-1,2}'),
	'{0.3076923076923077,-0.15384615384615385,-0.15384615384615385,-0.15384615384615385,0.47692307692307695,0.27692307692307694,
	-0.15384615384615385,0.27692307692307694,0.676923076923077}', 1e-15), 'inverse');
SELECT ok(abs(core_condition('{4,1,0.5, 1,3,-1, 0.5,-1,2}') / 2.0887991019314733 - 1) < 0.05, 'condition of the factor');
SELECT ok(core_condition('{1,0,0, 0,1,0, 0,0,1e-20}') / 1e10 BETWEEN 0.9 AND 1.1, 'a bad one');

-- third column = first + second
SELECT is(core_cholesky_aliased('{2,1,3, 1,2,3, 3,3,6}', 1e-10), '{f,f,t}', 'the later column of a combination is found');
SELECT is(core_cholesky_aliased('{0,0, 0,3}', 1e-10), '{t,f}', 'a zero column');
SELECT is(core_cholesky_aliased('{NaN,1, 1,3}', 1e-10), '{t,f}', 'NaN is no pivot');
SELECT ok(pg_temp.close(core_cholesky_solve('{2,1,3, 1,2,3, 3,3,6}', '{3,3,6}'), '{1,1,0}', 1e-15), 'an aliased column gets 0');

CREATE TEMP TABLE qr AS SELECT
	'{8.381527307120106,9.08247354098958,3.161714927241036,0,3.401642893841768,1.1858410641764237,0,0,11.038448246441803}'::float8[] AS r,
	'{1,2,3, 4,5,6.5, 7,8,-1, 2,-1,0, 0.5,0.25,9}'::float8[] AS cells;
SELECT ok(bool_and(pg_temp.close(core_qr(cells, 3, block), r, 1e-14)), 'QR does not depend on the blocks') FROM qr, generate_series(1, 6) block;

-- columns a, b, a - 2 b, c, a + c; and the same moved off zero
SELECT is(core_qr_aliased(array_agg(cell ORDER BY i, j), 5, 7, 1e-11), '{f,f,t,f,t}', 'rank: combinations in the middle and at the end')
FROM generate_series(1, 50) i, LATERAL (SELECT sin(i * 1.7) AS a, cos(i * i) AS b, sqrt(i) AS c) s,
	LATERAL unnest(ARRAY[a, b, a - 2 * b, c, a + c]) WITH ORDINALITY u (cell, j);
SELECT is(core_qr_aliased(array_agg(cell ORDER BY i, j), 3, 16, 1e-11), '{f,f,f}', 'an angle of 1e-7 is no combination')
FROM generate_series(1, 50) i, LATERAL (SELECT sin(i * 1.7) AS a, cos(i * i) AS b, sqrt(i) AS c) s,
	LATERAL unnest(ARRAY[a, b, a - 2 * b + 1e-7 * c]) WITH ORDINALITY u (cell, j);
SELECT is(core_qr_aliased('{1,2,3,4}', 4, 8, 1e-11), '{f,t,t,t}', 'one row has rank 1');

SELECT * FROM finish();
ROLLBACK;
