/*
 * grow_baseline.c
 *		The grower's kernels for any CPU.
 */
#include "postgres.h"

#include "port/pg_bswap.h"

#include "core/grow_internal.h"

#define GROW_TARGET
#define GROW_TABLE grow_baseline
#define GROW_LINKAGE
#include "core/grow_kernels_internal.h"
