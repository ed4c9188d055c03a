/*
 * query_internal.h
 *		What the files that word the one SELECT share.
 */
#ifndef RELEARN_SYNTHESIS_QUERY_INTERNAL_H
#define RELEARN_SYNTHESIS_QUERY_INTERNAL_H

#include "synthesis/synthesis_internal.h"

/* One WITH entry; groups with the same text are one. */
typedef struct Entry
{
	char	   *name;
	char	   *sql;
} Entry;

typedef struct Draft
{
	Request    *request;
	List	   *parts;			/* of Entry * */
} Draft;

/* What one group yields: aggregates, and values of the last row. */
typedef enum PartKind
{
	PART_ROWS,
	PART_LAST
} PartKind;

#define NPARTKINDS (PART_LAST + 1)

/* A group on its way to SQL. */
typedef struct GroupSql
{
	const Aggregation *group;
	bool		per_row;		/* keyed by the cutoff too */
	List	   *keys;			/* of char *: what it is grouped by */
	List	   *above;			/* of char *: what it is joined to */
	char	   *from;			/* FROM ... WHERE ..., with the joins of the rows below */
	char	   *bare;			/* without these */
	const char *cutoff;			/* in its scope; NULL where there is none */
	bool		runs;			/* all of it is one part of running aggregates */
	const char *name[NPARTKINDS];	/* of its parts, NULL where it has none */
} GroupSql;

/* Values gathered in an array per row for one of our aggregates over many columns. */
typedef struct Gathered
{
	const char *aggregate;
	const char *result;
	const char *type;			/* of the elements: "float8" or "text" */
	List	   *bases;			/* of Feature * */
	StringInfoData values;
} Gathered;

#define GATHERED_SUMS {.aggregate = "_column_sums", .result = "sums", .type = "float8"}
#define GATHERED_LEVELS {.aggregate = "_column_levels", .result = "levels", .type = "text"}

extern const char *add_part(Draft *query, char *sql);

/* rows.c: what a group is made of */
extern char *scope_cutoff(const Request *request, const Visit *node);
extern void append_before(const Request *request, StringInfo sql, const Visit *node, const char *cutoff);
extern void append_spine(Request *request, StringInfo sql, const Visit *node);
extern char *spine_alias(const Visit *node);
extern char *spine_cutoff(const Request *request, const Visit *node);
extern bool compares_cutoff(const Request *request, const Visit *visit);
extern char *rows_between(Request *request, const List *nodes, const char *joins);
extern void open_group(Draft *query, GroupSql *sql);

/* groups.c */
extern char *key_names(const GroupSql *sql);
extern PartKind part_of(const Feature *feature);
extern char *gathered_slot(const Feature *feature, Gathered *sums, Gathered *levels);
extern int	position_in(const List *list, const void *member);
extern void group_rows(Draft *query, GroupSql *sql);
extern void group_last(Draft *query, GroupSql *sql);

/* running.c */
extern bool may_run(const Request *request, const GroupSql *sql);
extern void run_group(Draft *query, GroupSql *sql);

#endif
