/*
 * profile_internal.h
 *		What the files of the profile room share.
 */
#ifndef RELEARN_PROFILE_INTERNAL_H
#define RELEARN_PROFILE_INTERNAL_H

#include <math.h>

#include "miscadmin.h"

#include "core/frequent.h"
#include "core/hyperloglog.h"
#include "core/power_sums.h"
#include "profile/profile.h"

extern const StateKind sketch_kind;

/* A count of at most so many, else the bytes are damaged. */
extern int64 get_tally(ByteReader *r, int64 most);

/* ---- numbers: followed by Distribution and, unless exact, registers and Frequent ---- */
#define NUMBER_COUNTERS 2048	/* slots: values of more than 0.2 % of the rows are found for sure */

typedef struct NumberSketch
{
	Sketch		base;
	int64		nan;
	int64		infinite[2];	/* -Infinity, Infinity */
	int64		zeros;
	int64		negatives;
	int64		fractions;
	PowerSums	sums;			/* of finite values; unless exact, when they follow from the bins */
} NumberSketch;

#define NUMBER_FIXED MAXALIGN(sizeof(NumberSketch))

static inline Distribution *
number_bins(const NumberSketch *s)
{
	return (Distribution *) ((char *) s + NUMBER_FIXED);
}

static inline uint8 *
number_registers(const NumberSketch *s)
{
	return (uint8 *) number_bins(s) + distribution_size(number_bins(s)->capacity);
}

static inline Frequent *
number_frequent(const NumberSketch *s)
{
	return (Frequent *) (number_registers(s) + HLL_REGISTERS);
}

extern NumberSketch *number_new(ColumnKind kind, int capacity, bool exact);
extern NumberSketch *number_merge(NumberSketch *s, const NumberSketch *other);
extern void number_write(const NumberSketch *s, ByteWriter *w);
extern NumberSketch *number_read(ByteReader *r, ColumnKind kind, bool exact, int64 n);
extern PowerSums number_sums(const NumberSketch *s);
extern void number_statistics(const NumberSketch *s, SketchStatistics *statistics);
extern int	compare_top_numbers(const void *a, const void *b);
extern TopValue *number_top(const NumberSketch *s, int most, int *count, int64 *error);

/* ---- texts: followed by Frequent, registers unless exact, and a heap of TextEntry ---- */
#define TEXT_KEPT 128			/* bytes of a text that are kept */
#define TEXT_MOST_SLOTS 8192
#define TEXT_FEWEST_SLOTS 16
#define TEXT_FORMATS 24

typedef struct TextForm
{
	int32		characters;
	uint16		format;			/* of a date, timestamp or time; else 0 */
	uint16		what;			/* TextWhat or 0 */
} TextForm;

#define TEXT_FORMAT_LIMIT 1024

typedef struct TextEntry
{
	TextForm	form;
	int32		bytes;			/* kept */
	int32		cut;			/* there were more */
	char		text[FLEXIBLE_ARRAY_MEMBER];
} TextEntry;

#define text_entry_size(bytes) MAXALIGN(offsetof(TextEntry, text) + (bytes) + 1)
#define TEXT_MOST_HEAP ((TEXT_MOST_SLOTS / 2 + 1) * text_entry_size(TEXT_KEPT))

typedef struct FormatCount
{
	int64		format;			/* 0 = unused, those in use come first */
	int64		count;
} FormatCount;

#define TEXT_SENTINELS 16
#define TEXT_SENTINEL_BYTES 24

/* How often a text that stands for a missing value occurs; exact whatever else is not. */
typedef struct SentinelCount
{
	int64		count;			/* 0 = unused, those in use come first */
	char		text[TEXT_SENTINEL_BYTES];	/* its beginning, NUL-terminated */
} SentinelCount;

typedef struct TextSketch
{
	Sketch		base;
	int64		empty;
	int64		sentinels;
	int64		characters;
	int64		as_number;
	int64		as_date;
	int64		as_timestamp;
	int64		as_time;
	int32		shortest;
	int32		longest;
	int32		heap_used;
	int32		heap_capacity;
	FormatCount format[TEXT_FORMATS];
	int64		other_formats;	/* texts of formats beyond those */
	SentinelCount sentinel[TEXT_SENTINELS]; /* others are not told apart */
} TextSketch;

#define TEXT_FIXED MAXALIGN(sizeof(TextSketch))

static inline Frequent *
text_frequent(const TextSketch *s)
{
	return (Frequent *) ((char *) s + TEXT_FIXED);
}

static inline uint8 *
text_registers(const TextSketch *s)
{
	return (uint8 *) text_frequent(s) + frequent_size(text_frequent(s)->capacity);
}

static inline char *
text_heap(const TextSketch *s)
{
	return (char *) text_registers(s) + (s->base.exact ? 0 : HLL_REGISTERS);
}

static inline TextEntry *
text_entry(const TextSketch *s, const Counter *counter)
{
	return (TextEntry *) (text_heap(s) + counter->payload);
}

extern TextSketch *text_new(int capacity, int heap_capacity, bool exact);
extern TextSketch *text_merge(TextSketch *s, const TextSketch *other);
extern void text_write(const TextSketch *s, ByteWriter *w);
extern TextSketch *text_read(ByteReader *r, bool exact, int64 n);
extern void text_statistics(const TextSketch *s, SketchStatistics *statistics);
extern TopValue *text_top(const TextSketch *s, int most, int *count, int64 *error);

extern TopValue *text_sentinels(const TextSketch *s, int *count);

/* ---- what a text reads as ---- */
extern void text_form(const char *text, int length, TextForm *form);
extern char *text_format_name(int format);	/* "MM/DD/YYYY HH:MM" */

/* The formats with what is ambiguous counted to what is not, the most frequent first; at most TEXT_FORMATS. */
extern int	text_formats(const TextSketch *s, FormatCount *formats);

/* ---- a row under construction ---- */
#define MOST_CELLS 48

typedef struct Cells
{
	int			n;
	Datum		value[MOST_CELLS];
	bool		null[MOST_CELLS];
	bool		owned[MOST_CELLS];	/* texts made for the row, freed with it */
} Cells;

extern void cell_datum(Cells *row, Datum value);
extern void cell_null(Cells *row);
extern void cell_text_or_null(Cells *row, const char *text);
extern void cell_float(Cells *row, double value);	/* NULL where it is NaN or infinite */
extern void cell_count(Cells *row, int64 count);
extern void cell_moment(Cells *row, double microseconds);
extern void cells_put(FunctionCallInfo fcinfo, Cells *row); /* into the materialised result; empties the row */

/* ---- showing ---- */

/* Eighths of a line per count, the highest full: one character per count. */
extern char *picture_columns(const double *count, int n);

/* A bar of a share of so many characters. */
extern char *picture_bar(double share, int characters);

/* The statistics that ml.profile and ml.sketch_statistics share, from n to approximate. */
extern void report_statistics(Cells *row, const Sketch *sketch);
extern const char *report_role(const Sketch *sketch);

/* ---- sketches of all columns of a source ---- */
#define SKETCHING_ROWS 4096		/* in a block */

/* Where the next value of a column goes. */
typedef struct CellQueue
{
	uint64	   *cell;
	int			n;
} CellQueue;

typedef struct SketchingInside SketchingInside;

typedef struct Sketching
{
	CellQueue  *column;			/* (ncolumns) */
	int			rows;			/* in the block */
	SketchingInside *inside;
} Sketching;

/*
 * kind (ncolumns): ColumnKind, or 0 for a column without a sketch; kept by reference.  may_share: parallel workers may be started while rows come
 * in, and then nothing may run between them that is parallel unsafe.
 */
extern Sketching *sketching_open(int ncolumns, const int32 *kind, bool may_share, Size max_memory);

static inline void
sketching_number(Sketching *s, int column, double value)
{
	CellQueue  *queue = &s->column[column];

	memcpy(&queue->cell[queue->n++], &value, sizeof(double));
}

extern void sketching_text(Sketching *s, int column, const char *text, int length);
extern void sketching_flush(Sketching *s);

static inline void
sketching_row_done(Sketching *s)
{
	if (++s->rows >= SKETCHING_ROWS)
		sketching_flush(s);
}

/* The sketches (ncolumns), in the memory context of sketching_open; NULL where there is none. */
extern Sketch **sketching_close(Sketching *s);

/* ---- sources ---- */

/* A source with the columns of a list (text[]), or with all. */
extern Source *open_chosen(const char *text, Datum names, bool all);

/* ---- whole columns in memory, for what has to be exact ---- */
typedef struct LoadedColumn
{
	char	   *name;
	Oid			type;			/* domains looked through */
	ColumnKind	kind;			/* KIND_CATEGORY: value holds codes of levels, in bytewise order */
	CellReader	reader;
	Dictionary *levels;
	double	   *value;			/* (nrows); NaN = missing */
	int64		missing;
} LoadedColumn;

typedef struct Loaded
{
	int			ncolumns;
	LoadedColumn *column;
	int64		nrows;
	int64		capacity;
	Budget		budget;
	MemoryContext context;
} Loaded;

/* Which column to load, and whether as a category whatever its type. */
typedef struct Wanted
{
	const char *name;
	bool		as_category;
} Wanted;

/* The columns in the order wanted; errors name what is missing or cannot be read. */
extern Loaded *load_columns(const char *source, const Wanted *wanted, int n);

/* All columns that can be read, or those of a list (text[] or NULL). */
extern Loaded *load_all_columns(const char *source, Datum names, bool all);

/* The finite values of a column, palloc'd. */
extern double *finite_values(const LoadedColumn *column, int64 nrows, int64 *n);

/* In loops over rows. */
#define CHECK_EACH_BLOCK(row) \
	do { \
		if (((row) & 0xffff) == 0) \
			CHECK_FOR_INTERRUPTS(); \
	} while (0)

/* Code of a row's level; of a missing one, the number of levels. */
static inline int
level_of(const LoadedColumn *c, int64 row)
{
	return isnan(c->value[row]) ? dictionary_size(c->levels) : (int) c->value[row];
}

extern const char *level_or_null(const LoadedColumn *column, int code);	/* code = number of levels: NULL */

/* An argument of type text that may not be NULL. */
extern char *text_argument(FunctionCallInfo fcinfo, int argument, const char *name);

#endif
