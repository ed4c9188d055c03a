-- Scoring trees: row by row and in blocks of any size, by both builds of the kernels, the bits of a walk node by node.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(7);

SELECT is(min(difference), NULL, 'numbers: trees of up to 3 .. 600 leaves, 1 .. 140 columns')
FROM unnest('{1,3,32,33,64,65,256,257,600}'::int[]) leaves, unnest('{1,15,16,17,33,128,140}'::int[]) columns, unnest('{t,f}'::boolean[]) wide,
	core_trees_difference(leaves + columns, 40, leaves, columns, 0, 0, 1, 1, 40, wide) difference;
SELECT is(min(difference), NULL, 'thresholds of a column: 1 .. 255, and more than a byte counts')
FROM unnest('{1,2,15,16,17,31,32,240,255,256,400}'::int[]) thresholds, unnest('{30,60,200}'::int[]) leaves,
	core_trees_difference(thresholds, 60, leaves, 5, 0, 0, 1, 1, thresholds, true) difference;
SELECT is(min(difference), NULL, 'categories: few levels, a byte of them, many')
FROM unnest('{1,2,31,32,33,255,256,257,1000}'::int[]) levels, unnest('{20,64,256,300}'::int[]) leaves, unnest('{1,4,9}'::int[]) columns,
	core_trees_difference(levels, 30, leaves, columns, (columns + 1) / 2, levels, 1, 1, 20, false) difference;
SELECT is(min(difference), NULL, 'several scores: a tree each, or all in a leaf')
FROM unnest('{2,3,7}'::int[]) outputs, unnest('{30,64,100,300}'::int[]) leaves, unnest('{0,2}'::int[]) categories, unnest('{1,0}'::int[]) one,
	core_trees_difference(leaves, 21, leaves, 6, categories, 5, outputs, CASE one WHEN 1 THEN 1 ELSE outputs END, 30, true) difference;
SELECT is(min(difference), NULL, 'few trees for many columns')
FROM unnest('{1,2,3,9}'::int[]) trees, unnest('{5,200}'::int[]) leaves, core_trees_difference(trees, trees, leaves, 60, 3, 4, 1, 1, 30, true) difference;
SELECT is(core_trees_difference(1, 0, 1, 3, 1, 2, 2, 1, 1, false), NULL, 'no tree');
SELECT is(core_trees_difference(1, 3, 1, 3, 1, 2, 1, 1, 1, false), NULL, 'no split');

SELECT * FROM finish();
ROLLBACK;
