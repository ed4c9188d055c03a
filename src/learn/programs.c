/*
 * programs.c
 *		Where parallel workers of this extension start: the programs they may be asked to run.
 */
#include "postgres.h"

#include "fmgr.h"

#include "learn/programs_internal.h"

static const TeamProgram *const programs[] = {
	[PROGRAM_BOOSTING] = &boosting_program,
	[PROGRAM_FOREST] = &forest_program,
};

extern PGDLLEXPORT void ml_team_worker(dsm_segment *segment, shm_toc *toc);

void
ml_team_worker(dsm_segment *segment, shm_toc *toc)
{
	team_worker(segment, toc, programs, lengthof(programs));
}
