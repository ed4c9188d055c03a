/*
 * synthesis_internal.h
 *		Features along foreign keys: tables and links from the catalog, a tree of nodes walked from the target, features, their SQL.
 *
 * A node is one visit of a table on a walk from the target: DOWN a foreign key to the rows that refer to us (many: they are aggregated) or UP
 * to the one row we refer to.  Every feature is worded twice: alone, as nested scalar subqueries (the definition), and as a column of the one
 * SELECT, where each table and path is grouped once.
 */
#ifndef RELEARN_SYNTHESIS_INTERNAL_H
#define RELEARN_SYNTHESIS_INTERNAL_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "data/data.h"

#define MOST_FEATURES 1600		/* columns that a table may have */

/* ---- tables and links (tables.c) ---- */
typedef enum Role
{
	ROLE_ID,					/* alone a primary key or a foreign key that is no text: only its distinct values mean something */
	ROLE_NUMBER,
	ROLE_BOOLEAN,
	ROLE_CATEGORY,
	ROLE_TIME,
	ROLE_OTHER					/* time of day, interval: taken along, not aggregated */
} Role;

typedef struct Column
{
	AttrNumber	attnum;
	char	   *name;
	char	   *quoted;
	Oid			type;			/* domains looked through */
	Role		role;
	bool		not_null;
	bool		left_out;		/* by exclude, or the caller may not read it: still good for joins and cutoffs if readable */
	bool		readable;
} Column;

typedef struct Table
{
	Oid			relid;
	char	   *name;			/* for people: with the schema where it is not the target's */
	char	   *qualified;		/* for SQL */
	List	   *columns;		/* of Column *: those a model can take, and keys */
	List	   *key;			/* of Column *: primary key; NIL where there is none */
	Column	   *time;			/* when a row came to be; NULL: undated */
	bool		time_declared;	/* time_columns says so, else it is the only one of its type */
	bool		timeless;		/* time_columns says null: all rows count, whatever the cutoff */
	bool		left_out;
	const char *note;			/* why it is left out or undated */
} Table;

/* A foreign key. */
typedef struct Link
{
	Oid			child;
	Oid			parent;
	int			n;
	AttrNumber	child_key[INDEX_MAX_KEYS];
	AttrNumber	parent_key[INDEX_MAX_KEYS];
	bool		ambiguous;		/* another one links the same two tables, or both are one: names need its columns */
} Link;

typedef enum Cutoff
{
	CUTOFF_NONE,
	CUTOFF_LITERAL,
	CUTOFF_COLUMN
} Cutoff;

typedef struct Request
{
	Table	   *target;
	int			max_depth;
	Cutoff		cutoff;
	const char *moment;			/* CUTOFF_LITERAL: ISO 8601, UTC */
	Column	   *cutoff_column;	/* CUTOFF_COLUMN */
	uint32		aggregates;		/* bit per AggregateKind */
	int			top_values;
	int			max_features;
	List	   *exclude;		/* of Exclusion * */
	List	   *tables;			/* of Table *: all seen so far */
	int			nvisits;
	List	   *links;			/* of Link * */
	List	   *notes;			/* of Note * */
	List	   *levels;			/* of frequent values, see find_levels */
	Jsonb	   *time_columns;	/* NULL where none is given */
	List	   *time_tables;	/* of char *: its keys */
} Request;

typedef struct Exclusion
{
	char	   *name;
	bool		used;
} Exclusion;

/* A row of the answer that is no feature. */
typedef struct Note
{
	char	   *path;
	char	   *text;
} Note;

extern Request *read_request(FunctionCallInfo fcinfo);
extern bool is_excluded(Request *request, const char *name);
extern void check_names(Request *request);

extern void load_links(Request *request);
extern Table *find_table(Request *request, Oid relid);
extern Column *find_column(const Table *table, AttrNumber attnum);
extern Column *find_column_named(const Table *table, const char *name);
extern bool is_time_type(Oid type);
extern double combinations(const Table *table, const List *columns);
extern double estimated_rows(const Table *table);
extern Table *load_target(Request *request, const char *name);

/* ---- aggregates (aggregates.c) ---- */
typedef enum AggregateKind
{
	AGG_COUNT,
	AGG_SUM,
	AGG_MEAN,
	AGG_MIN,
	AGG_MAX,
	AGG_SD,
	AGG_TREND,
	AGG_DISTINCT,
	AGG_MODE,
	AGG_LEVEL,					/* count of rows with one level; not named in aggregates, but by top_values */
	AGG_PERCENT_TRUE,
	AGG_LAST,
	AGG_DAYS_SINCE_LAST,
	AGG_DAYS_SINCE_FIRST
} AggregateKind;

#define NAGGREGATES (AGG_DAYS_SINCE_FIRST + 1)

typedef struct Aggregate
{
	const char *name;
	const char *words;			/* with {rows}, {x} and {level} to be filled in */
	bool		zero;			/* over no rows it is 0, else NULL */
	bool		needs_time;
	bool		needs_cutoff;
} Aggregate;

extern const Aggregate aggregates[NAGGREGATES];

struct Feature;
extern bool aggregate_takes(AggregateKind kind, const struct Feature *base);
extern Oid	aggregate_type(AggregateKind kind, Oid type);
extern Role aggregate_role(AggregateKind kind, Role role);

/* The call over rows whose value is x, of this type, dated by time (timestamps without zone); over is "" or a window. */
typedef struct Call
{
	const char *x;
	Oid			type;
	const char *level;
	const char *time;			/* NULL where undated */
	const char *cutoff;			/* NULL where there is none */
	const char *present;		/* what is true of rows that count, NULL: all do */
	const char *over;			/* " OVER w" or "" */
} Call;

extern char *aggregate_call(AggregateKind kind, const Call *call);
extern char *number_expression(Oid type, const char *x);
extern bool is_text_type(Oid type);
extern char *qualified_type(Oid type);
extern char *level_text(Oid type, const char *x);

/* ---- nodes and features (walk.c) ---- */
typedef enum Step
{
	STEP_ROOT,
	STEP_DOWN,
	STEP_UP
} Step;

typedef struct Visit
{
	Table	   *table;
	struct Visit *from;			/* NULL for the root */
	Link	   *link;
	Step		step;
	int			level;			/* steps from the root */
	char	   *alias;
	char	   *label;			/* "flights[origin]" */
	List	   *down;			/* of Visit * */
	List	   *up;				/* of Visit * */
	List	   *features;		/* of Feature * */
	List	   *groups;			/* of Aggregation * */
	StringInfoData joins;		/* what its features need beside it in a FROM list (query.c) */
} Visit;

typedef struct Feature
{
	Visit	   *node;			/* whose rows it describes */
	Visit	   *over;			/* aggregated: the rows below; direct: the row above; NULL: a column */
	struct Feature *base;		/* of over; NULL for counts */
	Column	   *column;			/* where over is NULL */
	AggregateKind kind;			/* where over is below */
	const char *level;
	Oid			type;
	Role		role;
	int			depth;
	bool		zero;			/* 0 where there are no rows, though NULL where the row above is missing */
	bool		includes_itself;	/* its rows may include the target's own */
	char	   *name;
	char	   *slot;			/* its column in its group */
	char	   *expression;		/* where its node stands in a FROM list, with the node's joins (query.c) */
} Feature;

/* The features that aggregate the rows of one node below another. */
typedef struct Aggregation
{
	Visit	   *node;
	Visit	   *over;
	List	   *features;		/* of Feature * */
} Aggregation;

extern Visit *walk_from_target(Request *request);
extern List *find_levels(Request *request, const Visit *over, const Column *column);
extern char *node_path(const Visit *node);
extern char *labels_between(const Visit *node, const Visit *over);
extern bool path_is_dated(const Visit *node, const Visit *over);
extern const Visit *dating_node(const Visit *node, const Visit *over);
extern bool feature_is_aggregated(const Feature *feature);

/* ---- SQL ---- */
extern char *qualified_column(const char *alias, const Column *column);
extern char *link_condition(Request *request, const Link *link, const char *child_alias, const char *parent_alias);
extern char *timestamp_expression(Oid type, const char *x);
extern char *before_cutoff(const Request *request, const char *alias, const Column *time, const char *cutoff);
extern char *root_cutoff(const Request *request);
extern Oid	cutoff_type(const Request *request);

extern char *over_nothing(const Feature *feature, const char *expression);
extern List *nodes_between(const Visit *node, const Visit *over);
extern char *last_order(const Visit *node, const Visit *over);
extern char *definition_sql(Request *request, const Feature *feature);
extern char *describe_feature(const Feature *feature);
extern char *synthesis_query(Request *request, Visit *root);

#endif
