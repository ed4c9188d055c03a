-- hash_text: values stored in models. If one of these changes, every model trained before is lost: they must not.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(6);

CREATE TEMP TABLE golden (word text, seed bigint, hash bigint);
INSERT INTO golden VALUES
	('', 0, 0),
	('', 1, -8267339343151577474),
	('', -1, -9068531143029930254),
	('a', 0, 8885744565707167048),
	('ab', 0, -3939958515130036413),
	('abc', 0, 5161494926080366141),
	('abc', 1, -6286631636316679090),
	('abc', -1, -1541256324144786813),
	('abcd', 0, 6577665033651392568),
	('abcdefg', 0, 34420475425691312),
	('abcdefgh', 0, 8412043889360285873),
	('abcdefghi', 0, -2364616001564327953),
	('Month-to-month', 0, -3433866375449321372),
	('Month-to-month', 1, -4219093255493031271),
	('Month-to-month', -1, 5147381748723937185),
	('The quick brown fox jumps over the lazy dog', 0, 7871409235312645078),
	('Grüße 🐘', 0, 4471088135407525160);

SELECT is_empty($$ SELECT word, seed, hash, core_hash(convert_to(word, 'UTF8'), seed) FROM golden WHERE hash <> core_hash(convert_to(word, 'UTF8'), seed) $$,
	'golden values');
SELECT is(core_hash(decode(repeat('00', 20), 'hex'), 0), 4243618209052887303, 'golden value of zero bytes');

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
