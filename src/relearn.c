/*
 * relearn.c
 *		Module magic and settings; everything else lives in the rooms beside this file.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "settings.h"

PG_MODULE_MAGIC;

int			relearn_max_memory = 1024 * 1024;
int			relearn_model_cache_size = 256 * 1024;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	DefineCustomIntVariable("relearn.max_memory",
							"Sets the most memory that one training or evaluation may take.",
							"The need is computed before memory is taken; a call that would exceed this fails and says how much it needs.",
							&relearn_max_memory,
							1024 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("relearn.model_cache_size",
							"Sets the memory for decoded models that each session keeps.",
							"The models used least recently leave first; a model in use is never dropped.",
							&relearn_model_cache_size,
							256 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("relearn");
}
