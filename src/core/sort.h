/*
 * sort.h
 *		Radix sorts and selection over large arrays; interruptible.
 */
#ifndef RELEARN_CORE_SORT_H
#define RELEARN_CORE_SORT_H

/* Ascending by key, stable; payload follows its key.  scratch arrays have n elements each. */
extern void sort_keys(uint64 *key, uint32 *payload, uint64 *key_scratch, uint32 *payload_scratch, uint32 n);

/* Ascending, of n < 2^32 values that are no NaN, -0 as 0; takes 24 bytes a value for a while. */
extern void sort_doubles(double *value, int64 n);

/* A bijection from finite and infinite doubles to unsigned integers that keeps their order; -0 equals 0. */
static inline uint64
ordered_bits(double x)
{
	uint64		bits;

	x += 0.0;					/* -0 becomes 0 */
	memcpy(&bits, &x, sizeof(bits));
	/* a negative one is inverted, else the sign is set */
	return bits ^ ((uint64) ((int64) bits >> 63) | UINT64CONST(1) << 63);
}

/* The same with NaN, which goes last. */
extern uint64 sortable_double(double x);

/* The k-th smallest (0-based) of n finite values; permutes them. */
extern double select_kth(double *value, int64 n, int64 k);

/* The median; the mean of the middle two where n is even.  Permutes.  n > 0. */
extern double median(double *value, int64 n);

#endif
