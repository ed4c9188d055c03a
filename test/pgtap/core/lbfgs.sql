-- Minimisation: {converged, iterations, largest error}.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(6);

CREATE TEMP TABLE run AS
SELECT name, core_minimise(name, n, tolerance, most) AS r
FROM (VALUES ('preconditioned', 50, 1e-10, 100), ('quadratic', 50, 1e-10, 2000), ('rosenbrock', 20, 1e-10, 1000)) v (name, n, tolerance, most);

SELECT ok(r[1] = 1 AND r[2] <= 15 AND r[3] < 1e-6, 'a rough preconditioner solves a condition of 1e4 in few steps: ' || r::text) FROM run WHERE name = 'preconditioned';
SELECT ok(r[1] = 1 AND r[3] < 1e-3, 'without one it takes longer but gets there, though the decrease drowns in 1e8: ' || r::text) FROM run WHERE name = 'quadratic';
SELECT ok(r[1] = 1 AND r[3] < 1e-8, 'a curved valley: ' || r::text) FROM run WHERE name = 'rosenbrock';
SELECT is((core_minimise('rosenbrock', 20, 1e-10, 5))[1:2], '{0,5}', 'the limit of iterations is kept and told');
SELECT is(core_minimise('rosenbrock', 1, 1e-10, 5), '{1,0,0.5}', 'a start that is a minimum stays');
SELECT is(core_minimise('preconditioned', 50, 1e-10, 100), (SELECT r FROM run WHERE name = 'preconditioned'), 'the same twice');

SELECT * FROM finish();
ROLLBACK;
