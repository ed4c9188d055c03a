/*
 * dense_baseline.c
 *		The dense kernels for any CPU.
 */
#include "postgres.h"

#include "core/dense_internal.h"

#define DENSE_TARGET
#define DENSE_LANES 2
#define DENSE_TABLE dense_baseline
#define DENSE_LINKAGE
#include "core/dense_kernels_internal.h"
