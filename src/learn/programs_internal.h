/*
 * programs_internal.h
 *		The work that learners share with parallel workers, by number.
 */
#ifndef RELEARN_PROGRAMS_INTERNAL_H
#define RELEARN_PROGRAMS_INTERNAL_H

#include "core/team.h"

typedef enum Program
{
	PROGRAM_BOOSTING,
	PROGRAM_FOREST
} Program;

extern const TeamProgram boosting_program;
extern const TeamProgram forest_program;

#endif
