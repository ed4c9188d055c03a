/*
 * tree_avx2.c
 *		The scoring kernels for x86 CPUs with AVX2.
 */
#include "postgres.h"

#include "core/tree_internal.h"

#if defined(__x86_64__)

#define TREE_TARGET __attribute__((target("avx2")))
#define TREE_LANES 8
#define TREE_TABLE avx2_kernels
#define TREE_LINKAGE static
#include "core/tree_kernels_internal.h"

const TreeKernels *
tree_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? &avx2_kernels : NULL;
}

#else

const TreeKernels *
tree_avx2(void)
{
	return NULL;
}

#endif
