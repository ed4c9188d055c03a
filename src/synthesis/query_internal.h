/*
 * query_internal.h
 *		What the files that word the one SELECT share.
 */
#ifndef RELEARN_SYNTHESIS_QUERY_INTERNAL_H
#define RELEARN_SYNTHESIS_QUERY_INTERNAL_H

#include "synthesis/synthesis_internal.h"

struct GroupSql;

/* One WITH entry; groups with the same text are one. */
typedef struct Entry
{
	char	   *name;
	char	   *sql;
	const struct GroupSql *group;	/* that it is all of, where the rows may be grouped together with those of other entries; else NULL */
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

#define ROWS_PER_COMBINATION 16	/* as many rows, at least, as combinations of keys, where these are worth working out first */

/* A group on its way to SQL. */
typedef struct GroupSql
{
	const Aggregation *group;
	bool		per_row;		/* keyed by the cutoff too */
	const Table *table;			/* that has the columns it is grouped by, where these are not per row */
	List	   *columns;		/* of Column *: these */
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
	List	   *values;			/* of char *: SQL */
} Gathered;

#define GATHERED_SUMS {.aggregate = "_column_sums", .result = "sums", .type = "float8"}
#define GATHERED_LEVELS {.aggregate = "_column_levels", .result = "levels", .type = "text"}

extern Entry *add_part(Draft *query, char *sql);

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
extern char *rows_text(const GroupSql *sql, const char *outer, const char *inner);
extern const char *from_for(const GroupSql *sql, PartKind part);
extern char *call_in_group(Draft *query, const GroupSql *sql, const Feature *feature);
extern char *listed(const List *texts);
extern int	position_of(List **texts, const char *text);
extern bool is_gathered(const Feature *feature);
extern char *gathered_slot(const Feature *feature, Gathered *sums, Gathered *levels);
extern void group_rows(Draft *query, GroupSql *sql);
extern void group_last(Draft *query, GroupSql *sql);

/* shared.c */
extern bool may_share(const GroupSql *sql);
extern void share_groupings(Draft *query);

/* running.c */
extern bool may_run(const Request *request, const GroupSql *sql);
extern void run_group(Draft *query, GroupSql *sql);

#endif
