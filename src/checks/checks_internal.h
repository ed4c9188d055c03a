/*
 * checks_internal.h
 *		What the files of the checks room share: findings, the scan of a source, the sample of its rows.
 */
#ifndef RELEARN_CHECKS_INTERNAL_H
#define RELEARN_CHECKS_INTERNAL_H

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

#include "checks/checks.h"
#include "core/distribution.h"
#include "profile/profile.h"

/* ---- definitions.c: the table of checks ---- */
typedef enum CheckId
{
	CHECK_TARGET_COPY,
	CHECK_TARGET_IDENTITY,
	CHECK_LEAKAGE,
	CHECK_FILLED_AFTER_OUTCOME,
	CHECK_RECORDED_WITH_TARGET,
	CHECK_LATER_THAN_TIME,
	CHECK_OVERLAP_ROWS,
	CHECK_OVERLAP_KEYS,
	CHECK_OVERLAP_TIME,
	CHECK_UNSEEN_LEVELS,
	CHECK_CONSTANT_TARGET,
	CHECK_MISSING_TARGET,
	CHECK_NUMERIC_CLASSES,
	CHECK_CLASS_IMBALANCE,
	CHECK_RARE_CLASS,
	CHECK_CONFLICTING_LABELS,
	CHECK_DUPLICATE_ROWS,
	CHECK_EMPTY_COLUMN,
	CHECK_MISSING_VALUES,
	CHECK_MISSING_PREDICTS,
	CHECK_SENTINEL_TEXT,
	CHECK_SENTINEL_NUMBER,
	CHECK_MIXED_FORMATS,
	CHECK_NUMBER_AS_TEXT,
	CHECK_TIME_AS_TEXT,
	CHECK_FUTURE_TIME,
	CHECK_CONSTANT_COLUMN,
	CHECK_NEAR_CONSTANT,
	CHECK_KEY_COLUMN,
	CHECK_ROW_NUMBER,
	CHECK_REDUNDANT_PAIR,
	CHECK_LINEAR_IDENTITY,
	CHECK_DETERMINED_COLUMN,
	CHECK_LEVEL_VARIANTS,
	CHECK_WHITESPACE,
	CHECK_RARE_LEVELS,
	CHECK_MANY_LEVELS,
	CHECK_INFINITE_VALUES,
	CHECK_NAN_VALUES,
	CHECK_OUTLIERS,
	NCHECKS
} CheckId;

typedef enum Severity
{
	SEVERITY_HIGH,
	SEVERITY_MEDIUM,
	SEVERITY_LOW
} Severity;

typedef struct CheckDefinition
{
	const char *name;
	Severity	severity;		/* the highest it can have */
	double		threshold;
	const char *help;			/* what value is, and what the threshold bounds */
} CheckDefinition;

extern const CheckDefinition check_definitions[NCHECKS];

/* The thresholds in force: the defaults, and over them what the caller gave (a JSON object; null switches a check off). */
extern void thresholds_parse(Jsonb *given, double threshold[NCHECKS]);

/* ---- findings.c ---- */
typedef struct Finding
{
	CheckId		check;
	Severity	severity;
	int			place;			/* of its first column, for the order; -1: about the rows */
	int			sequence;		/* ... and among those */
	List	   *columns;		/* of char * */
	char	   *message;
	int64		n;				/* rows it is about; -1: none */
	double		value;
	char	   *fix;			/* one SQL statement, or NULL */
} Finding;

typedef struct Findings
{
	List	   *list;			/* of Finding * */
	double		threshold[NCHECKS];	/* NaN: switched off */
} Findings;

/* Is the value beyond the threshold, and the check not switched off? */
static inline bool
check_exceeds(const Findings *findings, CheckId check, double value)
{
	return value >= findings->threshold[check];
}

/* For checks whose threshold is a number that may be reached but not passed. */
static inline bool
check_passes(const Findings *findings, CheckId check, double value)
{
	return value > findings->threshold[check];
}

/* Severity and the rest are to be filled in where they differ from the definition, -1 and NaN. */
extern Finding *finding_add(Findings *findings, CheckId check, int place, const char *column, char *message);
extern void findings_put(FunctionCallInfo fcinfo, Findings *findings);	/* the most severe first */

extern char *percent(double share); /* "77 %", "0.031 %" */
extern char *quoted_values(const TopValue *top, int n, int most);	/* 'N/A' (3), '?' (2) and 4 others */

/* ---- sample.c: rows whose hash is below a limit, column by column ---- */

/* A column of the sample.  Codes number the values it has, ascending for numbers; a missing one has code ncodes. */
typedef struct SampleColumn
{
	const char *name;
	bool		number;			/* values have an order and a distance */
	int32	   *code;			/* (nrows) */
	int			ncodes;
	double	   *code_value;		/* (ncodes) of a number */
	int64	   *code_rows;		/* (ncodes + 1) rows of the source that the sampled ones stand for */
	uint64	   *code_hash;		/* (ncodes) of a category */
} SampleColumn;

typedef struct Sample
{
	int			nrows;			/* distinct rows, in the order of their hashes */
	const int64 *count;			/* (nrows) times each of them occurs; NULL: once */
	int64		total;			/* of the counts */
	bool		whole;			/* it is the whole source */
	int			ncolumns;
	SampleColumn *column;		/* (ncolumns) */
} Sample;

static inline int64
sample_count(const Sample *sample, int row)
{
	return sample->count ? sample->count[row] : 1;
}

static inline double
sample_value(const SampleColumn *column, int row)
{
	return column->code[row] < column->ncodes ? column->code_value[column->code[row]] : (double) NAN;
}

/* Codes from (nrows) numbers, NaN = missing, or hashes, 0 = missing.  Scratch is freed. */
extern void sample_code_numbers(Sample *sample, SampleColumn *column, const double *value);
extern void sample_code_hashes(Sample *sample, SampleColumn *column, const uint64 *hash);

/* Rows as they come: those with a hash up to the limit are kept, once, and counted; the limit halves when there are too many. */
typedef struct RowSample RowSample;
extern RowSample *row_sample_create(int nwords, Budget *budget);
extern bool row_sample_wants(const RowSample *rows, uint64 hash);
extern void row_sample_add(RowSample *rows, uint64 hash, const uint64 *words);	/* (nwords) */
extern int	row_sample_sort(RowSample *rows);	/* by hash; returns how many there are */
extern const uint64 *row_sample_words(const RowSample *rows, int row);
extern const int64 *row_sample_counts(const RowSample *rows);
extern bool row_sample_whole(const RowSample *rows);

/* ---- twins.c: rows that occur more than once ---- */
typedef struct TwinSet TwinSet;

typedef struct TwinCounts
{
	double		scale;			/* rows that one row looked at stands for: 1 where all were */
	int64		copies;			/* rows beyond the first of their kind, target included */
	int64		conflicting;	/* rows with a target that have a twin with another one */
	int64		common;			/* of two sets: rows of the second that are in the first */
} TwinCounts;

extern TwinSet *twin_set_create(Budget *budget);
extern void twin_set_free(TwinSet *set);
extern void twin_set_add(TwinSet *set, uint64 hash, uint64 label);
extern void twin_set_count(TwinSet *set, TwinCounts *counts);
extern void twin_sets_compare(TwinSet *set, TwinSet *other, TwinCounts *counts);

/* ---- scan.c: one pass over a source ---- */

/* Reads the cells of a column as 64-bit hashes: of a number its bits. */
typedef struct CellHasher
{
	bool		read;			/* else of a type that is hashed as it is shown */
	ColumnKind	kind;
	CellReader	reader;
	FmgrInfo	output;
} CellHasher;

#define MISSING_HASH UINT64CONST(0x7ff8000000000000)	/* NaN */

extern void cell_hasher_init(CellHasher *cell, const FormData_pg_attribute *attribute);

/* Of a datum that is not NULL.  A category leaves its text too, valid until the next call. */
extern uint64 cell_hash(CellHasher *cell, Datum value, const char **text, int *length);

typedef struct CheckColumn
{
	const char *name;
	const char *type_name;
	bool		read;			/* as in cell, and likewise kind */
	ColumnKind	kind;
	CellHasher	cell;
	Sketch	   *sketch;
	SketchStatistics statistics;
	int64		nulls;
	double	   *block;			/* numbers on their way to the sketch */
	int			nblock;
	uint64		salt;
	int			word;			/* of its cell in a sampled row; texts have a second one: the number they read as */
	int64		later;			/* rows in which it is after the time column */
	bool		key;			/* nearly all values differ, and it is no measurement */
	bool		row_number;
	bool		as_number;		/* text that reads as numbers */
	double		power;			/* of the column alone to predict the target; NaN: not known */
	bool		outcome;		/* it says too much about the target, and was reported */
} CheckColumn;

typedef struct Checking
{
	Source	   *source;
	int			ncolumns;
	CheckColumn *column;
	int			target,			/* columns, -1 = none */
				key,
				time;
	int64		nrows;
	int64		as_of;			/* what is later lies in the future: microseconds since 2000-01-01 UTC */
	Budget		budget;
	MemoryContext context;
	RowSample  *rows;
	TwinSet    *twins;
	Sample		sample;			/* its columns are those of the source; of a column that is not read code is NULL */
	Findings	findings;
} Checking;

extern Checking *checking_open(const char *source, const char *target, const char *key, const char *time);
extern void checking_scan(Checking *c);

/* Twins once more without the columns that are keys. */
extern void checking_scan_twins(Checking *c);

/* ---- power.c: what one column alone says about the target ---- */

/* What is to be predicted: (nrows) classes, -1 = unknown, or numbers, NaN = unknown. */
typedef struct CheckTarget
{
	int			nclasses;		/* 0: numbers */
	const int32 *class;
	const double *value;
} CheckTarget;

/*
 * From 0 (says nothing) to 1 (says all): 2 AUC - 1 of two classes, the share of errors of the most frequent class that is avoided of more, R2 of
 * numbers.  Means by bin or level are taken from one half of the rows and tried on the other, so that keys do not look good.  NaN: too few rows.
 */
extern double column_power(const Sample *sample, const SampleColumn *column, const CheckTarget *target);

/* The same of whether the column is missing. */
extern double missing_power(const Sample *sample, const SampleColumn *column, const CheckTarget *target);

/* The largest difference between classes of the share that is missing; of numbers, the correlation of being missing with the target. */
extern double missing_gap(const Sample *sample, const SampleColumn *column, const CheckTarget *target);

/* Power in the words of its measure: "AUC 0.98", "R2 0.94", "94 % fewer errors". */
extern char *power_shown(const CheckTarget *target, double power);

/* ---- depends.c ---- */

/* Each value of a goes with one of b, and not by chance alone: many rows share values of a. */
extern bool determines(const Sample *sample, const SampleColumn *a, const SampleColumn *b);

/* Says told, of two values, row by row where the column is missing?  Values of these (n) hashes count as missing. */
extern bool tells_missing(const Sample *sample, const SampleColumn *told, const SampleColumn *column, const uint64 *hash, int n);

/* Likewise each pair of values. */
extern bool pair_determines(const Sample *sample, const SampleColumn *a, const SampleColumn *b, const SampleColumn *c);

/* Means and moments of pairs of numbers, gathered one weighted pair after the other. */
typedef struct PairMoments
{
	double		n,
				mean_x,
				mean_y,
				xx,
				yy,
				xy;
} PairMoments;

extern void add_pair(PairMoments *m, double x, double y, double weight);
extern double pearson(const Sample *sample, const SampleColumn *a, const SampleColumn *b, int nrows);
extern double cramers_v(const Sample *sample, const SampleColumn *a, const SampleColumn *b, int nrows);

/* ---- identities.c: columns that are sums of others ---- */
#define IDENTITY_TERMS 3

typedef struct Identity
{
	int			column;			/* of the sample */
	int			nterms;
	int			term[IDENTITY_TERMS];
	double		factor[IDENTITY_TERMS];
	double		constant;
} Identity;

/* The columns that equal such a combination of earlier ones in every row, at most so many; last: the column that comes last, or -1. */
extern int	find_identities(const Sample *sample, int last, Identity *identity, int most);

/* ---- the checks themselves, by what they look at ---- */
extern bool says_where_missing(const Checking *c, int told, int i);	/* row by row, of column i; with or without stand-ins for NULL */
extern bool missing_is_told(const Checking *c, int i);	/* by any column but the target */
extern void check_columns(Checking *c); /* columns.c: sketches of numbers and of all kinds */
extern void check_texts(Checking *c);	/* texts.c */
extern bool are_codes(const char *const *text, int n);	/* those that read as numbers are rather codes, such as a zip: digits of one length */
extern void check_pairs(Checking *c);	/* pairs.c */
extern void check_target(Checking *c);	/* target.c */
extern bool target_is_class(const Checking *c);
extern bool target_is_learnable(const Checking *c);
extern void check_test(Checking *c, const char *test);	/* overlap.c */

/* ---- fix.c: statements that set it right ---- */
/* Of a text that reads as a number; exponents that no double has are none. */
#define NUMBER_PATTERN "^\\s*[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-2]?[0-9]{1,2})?\\s*$"

extern char *fix_without(const Checking *c, List *columns);	/* of char * */
extern char *fix_replace(const Checking *c, int column, const char *expression);

/* A column that says whether this one is missing; with stand_ins, texts that stand for NULL count too. */
extern char *fix_add_missing(const Checking *c, int column, bool stand_ins);
extern char *fix_train(const Checking *c, int key, List *without, const char *arguments);	/* ", name => value" each */
extern char *fix_where(const Checking *c, const char *condition);
extern char *fix_nullif(const Checking *c, int column, const TopValue *value, int n);
extern char *fix_without_values(const Checking *c, int column, const TopValue *value, int n);	/* the rows that have none of them */
extern char *fix_clip(const Checking *c, int column, double low, double high);
extern char *fix_distinct(const Checking *c);	/* one row of each kind, keys aside */
extern char *fix_conflicts(const Checking *c);	/* the rows that have no twin with another target */

/* The expression that reads texts in these formats as timestamps. */
extern char *moment_expression(const char *quoted, const SketchFormat *format, int n);
extern char *moment_literal(double moment);
extern char *column_as_text(const Checking *c, int column);

#endif
