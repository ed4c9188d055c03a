-- Memory announced before it is taken.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(4);

SELECT is(core_budget(10000000, '{4000000,6000000}', 1), 10000000::bigint, 'up to the limit');
SELECT throws_ok($$ SELECT core_budget(10 * 1024 * 1024, '{4000000,5000000,3000000}', 1) $$, '54000',
	'the sample would need 12 MB of memory, more than relearn.max_memory allows', 'the need in all is named');
SELECT throws_ok($$ SELECT core_budget(10 * 1024 * 1024, '{5000000}', 9223372036854775807) $$, '54000',
	'the sample would need 17592186044416 MB of memory, more than relearn.max_memory allows', 'a product of sizes does not wrap');
SELECT throws_ok($$ SELECT core_budget(10 * 1024 * 1024, '{1,9223372036854775807,9223372036854775807,9223372036854775807}', 1) $$, '54000', NULL, 'nor does a sum');

SELECT * FROM finish();
ROLLBACK;
