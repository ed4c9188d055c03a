-- Distinct texts and their codes.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(9);

SELECT is(core_dictionary('{b,a,b,"",a,c}'), '{0,1,0,2,1,3}', 'codes in the order of appearance; the empty text is a level');
SELECT is(core_dictionary('{}'), '{}', 'nothing');
SELECT is(core_dictionary_sorted('{b,a,"",B,ab,é,z,aa}'), '{"",B,a,aa,ab,b,z,é}', 'sorted by bytes, the shorter first');
SELECT is(core_dictionary_find('{b,a,c}', 'b'), 1, 'found by its code after sorting');
SELECT is(core_dictionary_find('{b,a,c}', 'd'), -1, 'not found');
SELECT is(core_dictionary_find('{}', ''), -1, 'not found in nothing');
SELECT is(core_dictionary(array_agg(n::text ORDER BY n)), array_agg(n - 1 ORDER BY n), '100,000 levels get codes in order') FROM generate_series(1, 100000) n;
SELECT is(core_dictionary_sorted(array_agg(word)), array_agg(word ORDER BY word COLLATE "C"), 'sorted as ORDER BY COLLATE "C"')
FROM (SELECT md5(n::text) || n AS word FROM generate_series(1, 20000) n) w;
SELECT is(core_dictionary(array[repeat('x', 100000), 'x', repeat('x', 100001), repeat('x', 100000)]), '{0,1,2,0}', 'long texts');

SELECT * FROM finish();
ROLLBACK;
