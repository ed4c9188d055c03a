/*
 * data.h
 *		From a source (table, view or one SELECT) to a frame: typed cells in canonical order, split and fingerprinted.
 *
 * The source runs with the caller's rights, read-only, streamed row by row.  A cell is one double: a number, a truth value (0/1), microseconds,
 * or the code of a category level; a missing value is NaN.
 */
#ifndef RELEARN_DATA_H
#define RELEARN_DATA_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "pgtime.h"

#include "core/budget.h"
#include "core/dictionary.h"

/* ---- kinds: what a column means to a model; stored in artifacts, so numbers are never reused ---- */
typedef enum ColumnKind
{
	KIND_NUMBER = 1,			/* int2/4/8, float4/8, numeric: the value */
	KIND_BOOLEAN = 2,			/* 0 or 1 */
	KIND_CATEGORY = 3,			/* text, varchar, char, enum, uuid: the code of the level */
	KIND_TIMESTAMP = 4,			/* date, timestamp, timestamptz: local microseconds since 2000-01-01 in the model's time zone */
	KIND_TIME = 5,				/* time: seconds since midnight */
	KIND_INTERVAL = 6,			/* seconds, as extract(epoch) counts them */
	KIND_TEXT = 7				/* a category's types, for what is made of the text itself: a code, but none of a level that is kept */
} ColumnKind;

#define KIND_LAST KIND_TEXT

extern const char *kind_name(ColumnKind kind);	/* "number", "boolean", "category", "timestamp", "time", "interval", "text" */

/* The kind of a type (domains looked through); false where the type is none a model takes. */
extern bool kind_of_type(Oid type, ColumnKind *kind);

/*
 * For hints about a name that is none.  Bring the nearest to the front and return it: few edits away, or what is wanted begins it or stands in it;
 * NULL where none is near, and all stay in their places.
 */
extern const char *nearest_first(const char *wanted, const char **names, int n);

/* The whole hint: 'Perhaps you meant "b". Valid <what> are b, a, c.' */
extern char *valid_names_hint(const char *wanted, const char **names, int n, const char *what);

/* ---- cells: one datum -> one double ---- */
#define CELL_TEXT_BYTES 132		/* holds the text of every type but text, char and numeric */

typedef struct CellReader
{
	int			op;				/* private */
	ColumnKind	kind;
	Oid			type;			/* domains looked through */
	const char *column;			/* for messages about a value; may be set after cell_reader_init, else NULL */
	struct ZoneCache *zone;		/* private: for timestamptz */
	char		buffer[CELL_TEXT_BYTES];	/* private: what cell_text may return */
} CellReader;

/*
 * Prepare reading a type as a kind; allocates in the current memory context.  False where that cannot be (the caller words the error).  Every
 * type of kind_of_type can be read as its own kind or as a category; text also as a number.  zone NULL means UTC.
 */
extern bool cell_reader_init(CellReader *reader, Oid type, ColumnKind kind, pg_tz *zone);

/*
 * Read a non-NULL datum of any kind but a category.  NaN: missing, among them infinite dates and text that is no number; +-Infinity of numbers
 * stays.  -0 comes back as 0.  A numeric beyond the range of double precision is an error that names reader->column.
 */
extern double cell_number(CellReader *reader, Datum value);

/*
 * Read a non-NULL datum of a category: its text (not NUL-terminated, valid until the next call or the end of the datum).  The text does not
 * depend on session settings.  May allocate in the current memory context.
 */
extern const char *cell_text(CellReader *reader, Datum value, int *length);

/*
 * Text -> cell of a non-category kind, for JSON input: false where the text is no such value.  Dates and timestamps are ISO 8601 as JSON has
 * them; a time zone in them is honoured, without one they are local already.  Never raises an error.
 */
extern bool cell_parse(ColumnKind kind, pg_tz *zone, const char *text, double *cell);

/* The other way, for people: ISO 8601 for times of any kind; a number for all else and where the calendar does not reach; NULL for NaN. */
extern char *cell_shown(ColumnKind kind, double cell);

/* ---- source ---- */
typedef struct Source
{
	const char *text;			/* as the caller wrote it */
	TupleDesc	tupdesc;		/* names and types of its columns; no dropped ones */
	char	   *from;			/* what to select from: a qualified relation or the query in parentheses with a name */
	char	   *query;			/* private: what is run */
	List	   *relations;		/* private: oids of the tables and views it reads */
	bool		parallel_safe;	/* none of its functions forbids that it runs while parallel workers of ours are at work */
} Source;

/*
 * Parse under the caller's rights; needs no SPI connection of the caller's.  Errors: missing table, no SELECT, several statements...  Everything
 * is allocated in the current memory context.
 */
extern Source *source_open(const char *text);

/* Whether it is the name of a relation, not a query. */
extern bool source_is_name(const char *text);

/*
 * Read only the columns with wanted[i] (one per column of tupdesc); afterwards tupdesc holds only these, in their order.  The others are not
 * fetched, and need no right to be read where the source is a table.
 */
extern void source_narrow(Source *source, const bool *wanted);

/*
 * Called per row with a slot whose columns are deformed (tts_values, tts_isnull), in a memory context that is reset after each row.  Return
 * false to stop early.
 */
typedef bool (*SourceRow) (TupleTableSlot *slot, void *state);

/* Run it read-only, streaming.  May run in parallel by itself. */
extern void source_run(const Source *source, SourceRow row, void *state);
extern void source_close(Source *source);

/*
 * What tells sources apart whatever the search_path: the relations they read and, of queries, the text.  palloc'd; NULL where temporary tables, of
 * which there may be others tomorrow, are among them.
 */
extern char *source_identity(const Source *source);

/* Attribute number (1-based) of a column by exact name; 0 where there is none.  An ambiguous name is an error. */
extern int	source_column(const Source *source, const char *name);

/* A hint for a column that is not there: the nearest name, else the list of the columns.  palloc'd. */
extern char *source_column_hint(const Source *source, const char *wanted);

/* ---- frame ---- */
typedef enum Task
{
	TASK_REGRESSION = 1,
	TASK_BINARY = 2,
	TASK_MULTICLASS = 4,
	TASK_ANOMALY = 8,			/* no target: a score for how unlike the others a row is, and the classes "normal" and "anomaly" */
	TASK_PREPARATION = 16		/* nothing is predicted: the prepared row itself is the result */
} Task;

/* Is the target a class? */
static inline bool
task_classifies(Task task)
{
	return task == TASK_BINARY || task == TASK_MULTICLASS;
}

typedef struct FrameColumn
{
	char	   *name;
	char	   *type_name;		/* independent of search_path: qualified unless built in; for describe and errors */
	ColumnKind	kind;
	ColumnKind	original;		/* the kind of its type; differs from kind where classes or preprocess made a category or number of it */
	bool		aside;			/* read only because a derived feature is made of it */
	Dictionary *levels;			/* categories only: all levels seen, bytewise order = code order */
	int64		missing;		/* NULL, NaN, infinite dates, unparsable text */
	int64		nan;			/* of them NaN in a number column */
	int64		infinite;		/* +-Infinity in a number column; kept in the cells */
	int64		inexact;		/* integers beyond 2^53 */
	int64		unparsable;		/* text that is no number */
} FrameColumn;

typedef enum Part
{
	PART_TRAIN,
	PART_VALIDATION,
	PART_TEST
} Part;

#define NPARTS 3

/*
 * Where parts begin along the hashes as fractions in [0, 1): validation at bound[0], test at bound[1].  A part without a share gets no row, whatever
 * the rounding of the sums.
 */
static inline void
split_bounds(const double share[NPARTS], double bound[NPARTS - 1])
{
	bound[1] = share[PART_TEST] > 0 ? share[PART_TRAIN] + share[PART_VALIDATION] : 2;
	bound[0] = share[PART_VALIDATION] > 0 ? share[PART_TRAIN] : bound[1];
}

/* What the hashes of keys and contents are mixed with. */
extern uint64 split_seed(int64 seed);

/* The place of a row along the split by the text of its key. */
extern double split_fraction(uint64 split_seed, const char *key, Size length);

/* A class (or other stratum) and where its parts begin along the hashes. */
typedef struct Stratum
{
	char	   *label;			/* NULL: of the missing values */
	double		bound[NPARTS - 1];
} Stratum;

#define MOST_STRATA 1000
#define MOST_CLASSES 1000		/* of a target: the metrics keep a table of classes x classes */

/* Texts that hardly repeat tell rows apart, as a key does: they are no feature, and no classes. */
static inline bool
levels_are_key(double nlevels, double nrows)
{
	return nlevels > 20 && nlevels > 0.9 * nrows;
}

/* Where the later parts begin that rows were split into by time. */
typedef struct TimeBounds
{
	ColumnKind	kind;			/* of the time column; 0: there is none */
	double		bound[NPARTS - 1];	/* in its unit, instants in UTC; NaN: the part has no row */
} TimeBounds;

struct Frame;

/* Bytes that a training takes beside the rows of its frame, and after they are given back. */
typedef struct FrameNeeds
{
	Size		beside,
				after;
} FrameNeeds;

typedef struct FrameRequest
{
	const char *source;
	const char *target;			/* NULL: none, and its cells are 0 */
	const char *key;			/* column whose value orders and splits the rows; NULL: the rows' content does */
	const char *time;			/* column to split by, earliest rows train; NULL: by hash */
	const char *weight;			/* column of sample weights; NULL */
	List	   *features;		/* of char *: only these columns; NIL: all but target, key, weight (the time column stays a feature) */
	List	   *exclude;		/* of char * */
	List	   *categories;		/* of char *: columns to read as categories whatever their type */
	List	   *numbers;		/* of char *: text columns to read as numbers; unparsable text is missing */
	List	   *prepared;		/* of char *: columns that preprocess names: they must be features */
	List	   *needed;			/* of char *: columns that derived features are made of, features themselves or not */
	bool		classification; /* task => 'classification' was asked for */
	bool		regression;		/* task => 'regression' was asked for */
	double		share[NPARTS];	/* of the split, summing to 1 */
	const char *group;			/* column whose rows of one value stay on one side; NULL: those of one key, or of one content */
	bool		stratified;		/* every stratum is split by the shares */
	const char *stratify;		/* column of the strata; NULL: the classes of the target */
	int			nbounds;		/* strata whose bounds are known from an earlier training */
	const Stratum *bounds;
	const char *gap;			/* with time: rows nearer than this before a later part are left out; a number or an interval as text; NULL */
	const TimeBounds *times;	/* with time: where an earlier training cut, whose test rows must not train; NULL */
	bool		same_shares;	/* as that training's: cut there again */
	bool		locked;			/* no row of the test part's may train, however few others there are */
	int64		seed;
	pg_tz	   *zone;			/* the model's time zone */
	Budget	   *budget;

	/*
	 * What follows, for nrows rows of the columns and levels read so far.  Where the rows leave no room for it they go to a temporary file, and frame_row
	 * does not work.  NULL: they have to fit.
	 */
	FrameNeeds	(*needs) (const void *state, const struct Frame *frame, int64 nrows);
	const void *needs_state;
} FrameRequest;

/*
 * nrows rows of ncells cells each: cells 0 .. ncolumns-1 are the features, then target, then weight (if any).  Position = canonical order:
 * 0 .. nrows-1; part p holds positions part_start[p] .. part_start[p+1]-1.
 */
typedef struct Frame
{
	int			ncolumns;
	FrameColumn *columns;
	FrameColumn target;			/* classification: kind CATEGORY; levels = labels (booleans false,true; integers in numeric order; text bytewise), classes seen anywhere */
	bool		classification;
	bool		has_weight;
	int			ncells;
	int64		nrows;
	int64		part_start[NPARTS + 1];
	int64		null_targets;	/* rows left out because the target was NULL (or NaN) */
	int64		zero_weights;
	double		gap;			/* private: in the unit of the time column */
	bool		by_content;		/* some rows are placed by their content: they have neither key nor group */
	bool		ungrouped;		/* some rows have no group where there is a column of groups */
	int64		gap_rows;		/* rows left out because they lie in the gap before a later part */
	int			nstrata;
	Stratum    *strata;			/* (nstrata) where the rows were split by strata */
	TimeBounds	times;			/* where they were split by time */
	char	   *source;			/* source_identity */
	uint8		fingerprint[16];	/* order-independent hash of the rows used */
	List	   *warnings;		/* of char * */
	double	  **chunk;			/* private: cells in the order of arrival */
	uint32	   *order;			/* private: canonical position -> row of arrival */
	MemoryContext cells;		/* private: of the chunks */
	struct BufFile *file;		/* private: the cells in the order of arrival, where they did not fit; else NULL, and the next four too */
	double	   *window;			/* (FRAME_CHUNK_ROWS, ncells) a chunk on its way to the file, or (ncells, FRAME_CHUNK_ROWS) back */
	double	   *column_buffer;	/* (FRAME_CHUNK_ROWS) */
	uint32	   *position;		/* row of arrival -> canonical position, PG_UINT32_MAX where it was left out */
	int		  **recode;			/* (ncells) codes as they arrived -> codes; or NULL */
	uint32		narrived;
	Size		booked;			/* private: of the budget, for the rows */
	MemoryContext context;
} Frame;

#define FRAME_CHUNK_BITS 12
#define FRAME_CHUNK_ROWS (1 << FRAME_CHUNK_BITS)

extern Frame *frame_load(const FrameRequest *request);

/* The cells of the row at a canonical position: (ncells) doubles. */
static inline const double *
frame_row(const Frame *frame, int64 position)
{
	uint32		row = frame->order[position];

	return frame->chunk[row >> FRAME_CHUNK_BITS] + (Size) (row & (FRAME_CHUNK_ROWS - 1)) * frame->ncells;
}

/* Some cells of the rows at positions start .. start+n-1: values (ncells, n). */
extern void frame_gather(const Frame *frame, int first, int ncells, int64 start, int64 n, double *values);

#define FRAME_BLOCK 256

/* At most FRAME_BLOCK rows and their positions. */
typedef void (*FrameBlock) (void *state, const double *const *row, const uint32 *position, int count);

/* Each row at positions start .. end-1 once, in no order that a result may depend on. */
extern void frame_scan(const Frame *frame, int64 start, int64 end, FrameBlock block, void *state);

/* Give back the rows and what is booked for them; columns, parts and counts stay. */
extern void frame_drop_rows(Frame *frame, Budget *budget);

static inline int64
frame_part_rows(const Frame *frame, Part part)
{
	return frame->part_start[part + 1] - frame->part_start[part];
}

#endif
