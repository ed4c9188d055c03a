/*
 * tree_baseline.c
 *		The scoring kernels for any CPU.
 */
#include "postgres.h"

#include "core/tree_internal.h"

#define TREE_TARGET
#define TREE_LANES 4
#define TREE_TABLE tree_baseline
#define TREE_LINKAGE
#include "core/tree_kernels_internal.h"
