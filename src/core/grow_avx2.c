/*
 * grow_avx2.c
 *		The grower's kernels for x86 CPUs with AVX2.
 */
#include "postgres.h"

#include "port/pg_bswap.h"

#include "core/grow_internal.h"

#if defined(__x86_64__)

#define GROW_TARGET __attribute__((target("avx2")))
#define GROW_TABLE avx2_kernels
#define GROW_LINKAGE static
#include "core/grow_kernels_internal.h"

const GrowKernels *
grow_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? &avx2_kernels : NULL;
}

#else

const GrowKernels *
grow_avx2(void)
{
	return NULL;
}

#endif
