/*
 * profile.h
 *		A sketch: what a column looks like, in bounded memory, mergeable.  The SQL type ml.sketch is this very struct.
 *
 * Up to 4,096 distinct values everything is exact and does not depend on the order of the values.  Beyond that the number of distinct values is
 * estimated (HyperLogLog), quantiles come from bins of adaptive width, and frequent values have counts that may be too low by a stated error;
 * counts, mean, standard deviation, skewness, kurtosis, smallest and largest stay exact but for rounding.
 */
#ifndef RELEARN_PROFILE_H
#define RELEARN_PROFILE_H

#include "core/distribution.h"
#include "core/mergeable.h"
#include "data/data.h"

/* header.n: values, infinite ones among them; header.missing: NULL and NaN. */
typedef struct Sketch
{
	StateHeader header;
	int32		kind;			/* ColumnKind; a category is text */
	int32		exact;			/* no more distinct values than fit */
} Sketch;

/* In the current memory context. */
extern Sketch *sketch_new(ColumnKind kind);

/* Bytes that no sketch of the kind outgrows. */
extern Size sketch_largest(ColumnKind kind);

/*
 * Add values.  NaN counts as missing.  The answer is the sketch or, where it had to grow, a new one in the current memory context; the old one is
 * then the caller's to free.
 */
extern Sketch *sketch_add_numbers(Sketch *sketch, const double *value, int n);
extern Sketch *sketch_add_text(Sketch *sketch, const char *text, int length);
extern Sketch *sketch_add_hashed_text(Sketch *sketch, const char *text, int length, uint64 hash);	/* hash_text of it, seed 0 */

/* ---- what it says ---- */
typedef struct SketchStatistics
{
	int64		n;				/* values and missing ones */
	int64		nulls,
				nan,
				infinite,
				empty,			/* texts of length 0 or of blanks */
				sentinels;		/* values that probably stand for a missing one */
	double		distinct;
	double		mean,			/* of finite numbers; NaN where undefined, likewise below */
				sd,
				min,
				max,
				skewness,
				kurtosis;
	int64		zeros,
				negatives,
				fractions;		/* finite numbers that are no integers */
	int64		shortest,		/* texts, in characters; -1 where there is none */
				longest;
	double		mean_length;
	int64		as_number,		/* texts that parse as such */
				as_date,
				as_timestamp,
				as_time;
	int			nformats;		/* of date, timestamp and time among them */
	double		largest_gap;	/* between neighbours in order */
	bool		gap_exact;
} SketchStatistics;

extern void sketch_statistics(const Sketch *sketch, SketchStatistics *statistics);

typedef struct TopValue
{
	double		number;			/* of a sketch of numbers */
	const char *text;			/* of a sketch of texts: its beginning, NUL-terminated */
	bool		cut;			/* ... and there is more of it */
	int64		count;
} TopValue;

/* The most frequent values, at most so many; *error: a count may be too low by this. */
extern TopValue *sketch_top(const Sketch *sketch, int most, int *count, int64 *error);

/* The finite numbers in ascending bins of one value each or, where there are too many distinct ones, of neighbours; palloc'd. */
extern DistributionBin *sketch_bins(const Sketch *sketch, int *count);

typedef struct SketchFormat
{
	const char *name;			/* "MM/DD/YYYY HH:MM" */
	int64		count;
} SketchFormat;

/* The formats of texts that are dates, timestamps or times, the most frequent first. */
extern SketchFormat *sketch_formats(const Sketch *sketch, int *count);

/* Was a text of this hash seen?  Sure only while the sketch is exact. */
extern bool sketch_has_hash(const Sketch *sketch, uint64 hash);

/* What a text reads as. */
typedef enum TextWhat
{
	TEXT_EMPTY = 1,				/* or blanks */
	TEXT_SENTINEL = 2,			/* a word that stands for a missing value */
	TEXT_NUMBER = 4,
	TEXT_DATE = 8,
	TEXT_TIMESTAMP = 16,
	TEXT_TIME = 32
} TextWhat;

/* One of them, or 0. */
extern int	text_what(const char *text, int length);

/* A number as people read it; times in ISO 8601.  palloc'd. */
extern char *number_text(ColumnKind kind, double value);

/*
 * The numbers or dates among ascending bins that probably stand for a missing value, with their counts; returns how many there are.  They are
 * known for it (-1, 999, 1970-01-01...) and lie apart from the others or, dates, are far more frequent.
 */
#define MOST_SENTINEL_NUMBERS 20
extern int	sentinel_numbers(ColumnKind kind, const DistributionBin *bin, int n, TopValue *found);

/* The values of a sketch that probably stand for a missing one, the most frequent first; number is set where text is NULL. */
extern TopValue *sketch_sentinels(const Sketch *sketch, int *count);

/* Of finite numbers: NaN where there are none. */
extern void sketch_quantiles(const Sketch *sketch, const double *p, int n, double *value);

#endif
