/*
 * compat.h
 *		The only file that tests PG_VERSION_NUM.
 */
#ifndef RELEARN_COMPAT_H
#define RELEARN_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "relearn needs PostgreSQL 15 to 18"
#endif

/* 16 made the parser report a bad qualified name softly. */
#if PG_VERSION_NUM >= 160000
#define parse_qualified_name(text) stringToQualifiedNameList(text, NULL)
#else
#define parse_qualified_name(text) stringToQualifiedNameList(text)
#endif

#endif
