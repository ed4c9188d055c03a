/*
 * compat.h
 *		The only file that tests PG_VERSION_NUM.
 */
#ifndef RELEARN_COMPAT_H
#define RELEARN_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "relearn needs PostgreSQL 15 to 18"
#endif

/* 17 brought infinite intervals. */
#if PG_VERSION_NUM >= 170000
#define interval_is_finite(span) (!INTERVAL_NOT_FINITE(span))
#else
#define interval_is_finite(span) true
#endif

#endif
