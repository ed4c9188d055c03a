/*
 * calendar_internal.h
 *		Days and times of cells that hold local microseconds since 2000-01-01.
 */
#ifndef RELEARN_FEATURES_CALENDAR_INTERNAL_H
#define RELEARN_FEATURES_CALENDAR_INTERNAL_H

#include <math.h>

#include "features/features_internal.h"

/* Cells beyond (287,396 BC to 291,396 AD) hold no microseconds any more and count as missing; every timestamp of PostgreSQL up to there. */
#define CALENDAR_LIMIT 0x1p63

static inline bool
is_timestamp(double cell)
{
	return fabs(cell) < CALENDAR_LIMIT; /* not NaN either */
}

static inline int64
floor_divide(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

/* Monday is 1; 2000-01-01 was a Saturday. */
static inline int
iso_weekday(int64 day)
{
	return (int) (day + 5 - 7 * floor_divide(day + 5, 7)) + 1;
}

/* Year, month and day of a day number (0 = 2000-01-01), Gregorian throughout, as PostgreSQL counts; there is a year 0. */
extern void civil_date(int64 day, int64 *year, int *month, int *day_of_month);

#endif
