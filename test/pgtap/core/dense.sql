-- Dense kernels: both builds give the bits of plain loops, whatever the shape.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(5);

SELECT is(count(difference), 0::bigint, 'all shapes up to 40 columns: plain loops, baseline and AVX2 agree to the bit')
FROM generate_series(1, 40) n, unnest('{1,2,3,5,64,65,131}'::int[]) nrows, unnest('{t,f}'::boolean[]) weighted,
	core_dense_difference(nrows, n, weighted) difference;
SELECT is(count(difference), 0::bigint, 'and wide rows')
FROM unnest('{63,97,256,301}'::int[]) n, core_dense_difference(70, n, true) difference;

-- scipy.special.softmax and logsumexp
SELECT ok(bool_and(abs(p - e) < 1e-15), 'softmax of one row')
FROM unnest(core_softmax('{0.3,-1,2}'), '{0.14822546288422211,0.040396151173133533,0.8113783859426444,2.20902076654506}'::float8[]) t (p, e);
SELECT ok(bool_and(abs(p - e) <= 1e-14 * e), 'far margins neither overflow nor vanish early')
FROM unnest(core_softmax('{1,-2.5,0,700}'), '{2.680137958338607e-304,8.09331535526608e-306,9.85967654375977e-305,1,700}'::float8[]) t (p, e);
SELECT is(core_softmax('{5}'), '{1,5}', 'one class');

SELECT * FROM finish();
ROLLBACK;
