-- Distribution functions against scipy 1.x (special.gammaln, special.betainc, stats.t.sf, stats.norm.sf).
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(6);

SELECT ok(bool_and(abs(core_special('g', 0, 0, x) - e) <= 5e-15 * greatest(1, abs(e))), 'log gamma')
FROM (VALUES (1e-5, 11.512919692895826), (0.5, 0.5723649429247), (1, 0), (2, 0), (3.7, 1.428072326665388), (14.9, 24.924132002217277),
	(100, 359.1342053695754), (1e6, 12815504.569147611)) v (x, e);
SELECT ok(bool_and(abs(core_special('b', a, b, x) / e - 1) < 1e-12), 'incomplete beta')
FROM (VALUES (0.5, 0.5, 0.3, 0.36901011956554536), (2, 3, 0.5, 0.6875), (20, 0.5, 0.99, 0.5286300645149844), (500, 0.5, 0.999, 0.31731044730971725),
	(0.5, 500, 0.001, 0.6826895526902824), (5, 5, 1e-6, 1.2599958000053993e-28)) v (a, b, x, e);
SELECT ok(bool_and(abs(core_special('t', df, 0, t) / e - 1) < 1e-10), 'two-sided t')
FROM (VALUES (0, 5, 1), (0.1, 1, 0.936548965138893), (1, 2, 0.4226497308103742), (2.5, 10.5, 0.030426272641088575), (7, 100, 2.9835666036091793e-10),
	(40, 5, 1.8411962171772954e-07), (-2.5, 10.5, 0.030426272641088575), (2.5, 700000, 0.012419557581233911), (30, 10000, 2.0443270474253605e-189)) v (t, df, e);
SELECT ok(bool_and(abs(core_special('n', 0, 0, z) / e - 1) < 1e-12), 'two-sided normal')
FROM (VALUES (0, 1), (1, 0.31731050786291415), (1.959963984540054, 0.05), (-3, 0.0026997960632601866), (10, 1.523970604832094e-23)) v (z, e);
SELECT is(ARRAY[core_special('g', 0, 0, 0), core_special('b', -1, 1, 0.5), core_special('b', 1, 1, 1.5), core_special('t', 0, 0, 1), core_special('t', 5, 0, 'NaN')],
	'{NaN,NaN,NaN,NaN,NaN}', 'nothing is defined outside the domain');
SELECT is(ARRAY[core_special('b', 2, 3, 0), core_special('b', 2, 3, 1), core_special('t', 5, 0, 'Infinity')], '{0,1,0}', 'the ends');

SELECT * FROM finish();
ROLLBACK;
