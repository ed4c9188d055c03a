/*
 * clock.h
 *		Time that passed.
 */
#ifndef RELEARN_CORE_CLOCK_H
#define RELEARN_CORE_CLOCK_H

#include "portability/instr_time.h"

static inline double
seconds_since(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_DOUBLE(now);
}

#endif
