/*
 * hash.h
 *		64-bit hashes whose values a model depends on; they never change between releases, machines or PostgreSQL versions.
 */
#ifndef RELEARN_CORE_HASH_H
#define RELEARN_CORE_HASH_H

/* Finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection with full avalanche. */
static inline uint64
hash_mix(uint64 x)
{
	x ^= x >> 30;
	x *= UINT64CONST(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64CONST(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Fold one more 64-bit value into a running hash; the order of the values matters. */
static inline uint64
hash_fold(uint64 state, uint64 value)
{
	return hash_mix((state ^ value) + UINT64CONST(0x9e3779b97f4a7c15));
}

/*
 * What one cell adds to the hash of its row: the sum over the cells is passed through hash_mix() at the end of the row.  The salt, different for
 * each column, keeps equal values in different columns apart.  Small integers as doubles differ in their highest bits only, which a multiplication
 * would keep there: the first shift brings them down, without it sums of such columns collide by the thousand.
 */
static inline uint64
hash_cell(uint64 bits, uint64 salt)
{
	uint64		x = bits ^ salt;

	x = (x ^ x >> 32) * UINT64CONST(0xbf58476d1ce4e5b9);
	return (x ^ x >> 32) * UINT64CONST(0x94d049bb133111eb);
}

/* Ascending, for qsort and bsearch over arrays of hashes. */
extern int	hash_compare(const void *a, const void *b);

extern uint64 hash_text(const char *data, Size length, uint64 seed);

/* Uniform in [0, 1) from the top 53 bits. */
static inline double
hash_unit(uint64 hash)
{
	return (double) (hash >> 11) * 0x1p-53;
}

#endif
