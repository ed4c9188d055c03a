/*
 * hash.c
 *		A 64-bit hash of text, eight bytes at a time.
 *
 * Each word is mixed on its own (no word waits for another) and folded into the state with one xor and one multiplication by an odd constant,
 * so for words before and after it the fold is a bijection.  The last word overlaps the one before it; the length in the initial state keeps
 * texts apart that would read the same.  Values are stored in models: the golden values in test/pgtap/core/hash.sql must never change.
 */
#include "postgres.h"

#include "port/pg_bswap.h"

#include "core/hash.h"

#define FOLD_MULTIPLIER UINT64CONST(0x9fb21c651e98df25)
#define LENGTH_MULTIPLIER UINT64CONST(0x9e3779b97f4a7c15)

static inline uint64
read_u64(const char *at)
{
	uint64		word;

	memcpy(&word, at, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif
	return word;
}

static inline uint64
read_u32(const char *at)
{
	uint32		word;

	memcpy(&word, at, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap32(word);
#endif
	return word;
}

/* Fewer than eight bytes as one word. */
static inline uint64
read_short(const char *at, Size length)
{
	if (length >= 4)
		return read_u32(at) | read_u32(at + length - 4) << 32;
	if (length > 0)
		return (uint64) (uint8) at[0] | (uint64) (uint8) at[length / 2] << 8 | (uint64) (uint8) at[length - 1] << 16;
	return 0;
}

uint64
hash_text(const char *data, Size length, uint64 seed)
{
	uint64		state = seed ^ ((uint64) length + 1) * LENGTH_MULTIPLIER;
	const char *end = data + length;

	if (length < 8)
		return hash_mix((state ^ hash_mix(read_short(data, length))) * FOLD_MULTIPLIER);

	for (; end - data > 8; data += 8)
		state = (state ^ hash_mix(read_u64(data))) * FOLD_MULTIPLIER;
	return hash_mix((state ^ hash_mix(read_u64(end - 8))) * FOLD_MULTIPLIER);
}

int
hash_compare(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}
