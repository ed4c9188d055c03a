-- hash_text: values stored in models. If one of these changes, every model trained before is lost: they must not.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(6);

CREATE TEMP TABLE golden (word text, seed bigint, hash bigint);
INSERT INTO golden VALUES
	('', 0, -3974270644588857679),
	('', 1, -2901663932398140582),
	('', -1, -8889420009941853350),
	('a', 0, 2111320132618853448),
	('ab', 0, -6087537769316705422),
	('abc', 0, -1815725343427900594),
	('abc', 1, 2705370950324057324),
	('abc', -1, -5466803439373370891),
	('abcd', 0, -4652146521301098831),
	('abcdefg', 0, -5627349436552476345),
	('abcdefgh', 0, -7300072902160640864),
	('abcdefghi', 0, 194611851437531624),
	('Month-to-month', 0, 1682153584563394428),
	('Month-to-month', 1, -6021279198005579540),
	('Month-to-month', -1, 5161729910672235674),
	('The quick brown fox jumps over the lazy dog', 0, -7444601173763635136),
	('Grüße 🐘', 0, -2999639636566855252);

SELECT is_empty($$ SELECT word, seed, hash, core_hash(convert_to(word, 'UTF8'), seed) FROM golden WHERE hash <> core_hash(convert_to(word, 'UTF8'), seed) $$,
	'golden values');
SELECT is(core_hash(decode(repeat('00', 20), 'hex'), 0), '-2523871326719815387'::bigint, 'golden value of zero bytes');

SELECT is(count(DISTINCT core_hash(convert_to(n::text, 'UTF8'), 0)), 200000::bigint, 'no collision among numbers as text') FROM generate_series(1, 200000) n;
SELECT is(count(DISTINCT core_hash(decode(repeat('00', n), 'hex'), 0)), 200::bigint, 'texts of zero bytes differ by their length') FROM generate_series(1, 200) n;
-- 200 bits * 64: a flipped bit of the text flips half the bits of the hash; 0.5 +- 0.01 is more than 5 standard deviations
SELECT ok(abs(avg(length(replace((core_hash(set_bit(word, bit, 1 - get_bit(word, bit)), 0) # core_hash(word, 0))::bit(64)::text, '0', ''))) / 64 - 0.5) < 0.01,
	'a flipped bit flips half of the hash')
FROM (SELECT convert_to(md5(i::text), 'UTF8') AS word FROM generate_series(1, 10) i) w, generate_series(0, 255) bit;
-- chi-square of 1000 equal bins over 100000 values: mean 999, standard deviation 45
SELECT ok(chi BETWEEN 999 - 5 * 45 AND 999 + 5 * 45, 'uniform in [0, 1)')
FROM (SELECT sum((n - 100) ^ 2 / 100) AS chi FROM (SELECT floor(1000 * core_hash_unit(core_hash(convert_to(i::text, 'UTF8'), 7))) AS bin, count(*) AS n
	FROM generate_series(1, 100000) i GROUP BY 1) b) c;

SELECT * FROM finish();
ROLLBACK;
