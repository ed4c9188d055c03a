/*
 * hyperloglog.h
 *		How many distinct 64-bit hashes were seen, in 16 KiB: the standard error is 0.81 %.  The order of the hashes does not matter.
 */
#ifndef RELEARN_CORE_HYPERLOGLOG_H
#define RELEARN_CORE_HYPERLOGLOG_H

#include "port/pg_bitutils.h"

#define HLL_BITS 14
#define HLL_REGISTERS (1 << HLL_BITS)
#define HLL_HIGHEST (64 - HLL_BITS + 1) /* value of a register */

/* registers: HLL_REGISTERS bytes that began as zeros. */
static inline void
hll_add(uint8 *registers, uint64 hash)
{
	uint32		at = (uint32) (hash >> (64 - HLL_BITS));
	uint64		rest = hash << HLL_BITS | UINT64CONST(1) << (HLL_BITS - 1); /* the bit stops the count of zeros */
	uint8		rank = (uint8) (64 - pg_leftmost_one_pos64(rest));

	if (rank > registers[at])
		registers[at] = rank;
}

extern void hll_merge(uint8 *registers, const uint8 *other);
extern double hll_estimate(const uint8 *registers);

#endif
