-- Bytes written and read back; nothing cut off or changed is believed.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS relearn_core_test;
SELECT plan(11);

SELECT is(encode(core_bytes_write(1.5, 'Grüße'), 'hex'),
	'fe' || '0201' || '04030201' || '0807060504030201' || '000000000000f83f' || '07000000' || '4772c3bcc39f65' || 'ffffffff' || '02000000' || '0700' || '0800',
	'little-endian, texts as UTF-8 with their length in front, a length of 0xffffffff for NULL');
SELECT is(core_bytes_read(core_bytes_write(1.5, 'Grüße')), 'fe 102 1020304 102030405060708 1.5 Grüße (null) 7 8', 'round trip');
SELECT is(core_bytes_read(core_bytes_write(-0.25, '')), 'fe 102 1020304 102030405060708 -0.25  (null) 7 8', 'an empty text is not NULL');

CREATE FUNCTION pg_temp.state_of(bytes bytea) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	RETURN core_bytes_read(bytes);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(array_agg(DISTINCT pg_temp.state_of(substr(whole, 1, n))), '{XX001}', 'cut off anywhere: data_corrupted')
FROM (SELECT core_bytes_write(1.5, 'Grüße') AS whole) w, generate_series(0, length(whole) - 1) n;

SELECT throws_ok($$ SELECT core_bytes_read(substr(core_bytes_write(1.5, 'x'), 1, 20)) $$, 'XX001', 'the sample is damaged', 'the origin is named');
SELECT throws_ok($$ SELECT core_bytes_read(core_bytes_write(1.5, 'x') || '\x00') $$, 'XX001', 'the sample is damaged', 'bytes left over');
SELECT throws_ok($$ SELECT core_bytes_read(core_bytes_write('NaN', 'x')) $$, 'XX001', 'the sample is damaged', 'NaN where a number must be finite');
SELECT throws_ok($$ SELECT core_bytes_read(set_byte(core_bytes_write(1.5, 'x'), 27, 255)) $$, 'XX001', 'the sample is damaged', 'no UTF-8');
SELECT throws_ok($$ SELECT core_bytes_read(set_byte(core_bytes_write(1.5, 'x'), 27, 0)) $$, 'XX001', 'the sample is damaged', 'a zero byte in a text');
SELECT throws_ok($$ SELECT core_bytes_read(set_byte(core_bytes_write(1.5, 'x'), 32, 101)) $$, 'XX001', 'the sample is damaged', 'a count beyond its limit');
SELECT throws_ok($$ SELECT core_bytes_read(set_byte(core_bytes_write(1.5, 'x'), 32, 3)) $$, 'XX001', 'the sample is damaged', 'a count beyond what is left');

SELECT * FROM finish();
ROLLBACK;
