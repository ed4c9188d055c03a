/*
 * module.c
 *		Module magic of the test module.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
