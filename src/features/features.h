/*
 * features.h
 *		The preparation of raw cells into the rows a learner takes: fitted on training rows only, stored in the model, replayed at prediction.
 *
 * Input: the cells of the model's input columns (see data.h), category cells as codes of the model's own levels.  Output: the design row.
 */
#ifndef RELEARN_FEATURES_H
#define RELEARN_FEATURES_H

#include "core/bytes.h"
#include "data/data.h"

/* One raw column a model takes. */
typedef struct InputColumn
{
	char	   *name;
	char	   *type_name;		/* type at training, for people */
	ColumnKind	kind;
	Dictionary *levels;			/* categories: the levels kept, bytewise; others get code dictionary_size() ("other") */
	bool		used;			/* false: left out (constant, all missing, key-like); kept for describe, not required at prediction */
	char	   *why_unused;		/* NULL when used */
} InputColumn;

typedef struct OutputColumn
{
	char	   *name;			/* "tenure", "tenure is missing", "Contract=One year", "signup: sin month" */
	int			input;			/* index into inputs */
	double		offset,			/* output = (original - offset) / scale; 0 and 1 where not scaled */
				scale;
	int			levels;			/* codes 0 .. levels-1 of categories, the bucket "other" included; 0: a number */
} OutputColumn;

typedef struct FeatureOptions
{
	bool		scale;			/* the learner wants standardised numbers */
	bool		takes_missing;	/* the learner takes NaN itself: nothing is imputed, no indicators */
	bool		takes_categories;	/* the learner takes codes itself: no one-hot */
	bool		cyclic;			/* sine and cosine of calendar parts (linear learners) instead of the bare parts */
	bool		reference_level;	/* one-hot leaves out the first level (least squares without a penalty) */
	int			max_categories; /* including the "other" bucket */
} FeatureOptions;

struct FeatureStep;
struct ApplyOperation;

typedef struct Features
{
	int			ninputs;
	InputColumn *inputs;
	int			noutputs;
	OutputColumn *outputs;
	int			nsteps;
	struct FeatureStep *steps;
	char	   *time_zone;		/* IANA name */
	pg_tz	   *zone;

	/* not stored: made ready for applying */
	int			noperations;
	struct ApplyOperation *operations;	/* the steps, neighbouring numbers joined */
	int			ncategories;
	int		   *category_inputs;
	int		   *output_levels;	/* (noutputs) as in OutputColumn */
} Features;

/* The training cells of one column. */
typedef struct ColumnSummary
{
	int64		missing;		/* NaN */
	int64		below,			/* -Infinity and +Infinity, and what is so large that it counts as such */
				above;
	int64		nfinite;		/* of the others: */
	double		min,
				max,
				mean,
				sd;				/* of the population */
	int64	   *level_count;	/* categories: by the frame's code */
} ColumnSummary;

/* Bytes features_fit takes beyond what it returns, for n training rows. */
extern Size features_fit_memory(int64 n);

/*
 * Fit on the frame's training rows.  Appends to *warnings (List of char *).  Also returns for each category column the table from the frame's
 * codes to the model's: recode[column][frame code]; NULL for other kinds; and what it saw of each column.
 */
extern Features *features_fit(const Frame *frame, const FeatureOptions *options, const char *time_zone, int ***recode,
							  ColumnSummary **summaries, List **warnings);

/* A frame row's feature cells -> the model's cells (category codes recoded). */
extern void features_recode(const Features *features, int **recode, const double *frame_cells, double *cells);

/*
 * (nrows, ninputs) cells -> (nrows, noutputs) design rows.  Any double is a legal cell: NaN is missing, +-Infinity is clamped to the training
 * range, an unknown code counts as "other".
 */
extern void features_apply(const Features *features, const double *cells, int nrows, double *out);

/* How a model made elsewhere reads a column. */
typedef struct PassedColumn
{
	bool		single;			/* numbers in single precision */
	bool		zero_missing;	/* zeros are missing */
	int			ncodes;			/* > 0: whole numbers that stand for categories */
	int32	   *code;			/* (ncodes) ascending; gets the codes 0 .. ncodes-1, all other numbers ncodes */
} PassedColumn;

/* The preparation of a model made elsewhere: one design column for each used input (numbers, booleans, categories).  Inputs are kept. */
extern Features *features_pass(InputColumn *inputs, int ninputs, const PassedColumn *columns);

extern void features_flatten(const Features *features, ByteWriter *w);
extern Features *features_unflatten(ByteReader *r);

/* ---- one file per transform ---- */

/* What fitting one column may look at. */
typedef struct ColumnSample
{
	const FrameColumn *column;
	int64		n;				/* training rows */
	double	   *value;			/* (n) the column's cells in canonical order; may be overwritten */
	double	   *spare;			/* (n) scratch */
	double	   *finite;			/* (summary->nfinite) the finite ones, in "value" or "spare" */
	const ColumnSummary *summary;
} ColumnSample;

typedef struct Transform
{
	const char *name;
	uint8		id;				/* stored in models; never reused */
	uint32		kinds;			/* bitmask of 1 << ColumnKind it is the automatic choice for */

	/* Returns the fitted state, or NULL with *why_unused set where the column carries nothing.  Categories set input->levels and *recode. */
	void	   *(*fit) (ColumnSample *sample, const FeatureOptions *options, InputColumn *input, int **recode, char **why_unused, List **warnings);
	int			(*width) (const void *fitted);
	void		(*name_outputs) (const void *fitted, const InputColumn *input, OutputColumn *outputs);
	void		(*apply) (const void *fitted, const double *cells, int nrows, int cell_stride, double *out, int out_stride);
	void		(*flatten) (const void *fitted, ByteWriter *w);
	void	   *(*unflatten) (ByteReader *r, const InputColumn *input);
} Transform;

typedef struct FeatureStep
{
	const Transform *transform;
	int			input;
	int			first_output;
	void	   *fitted;
} FeatureStep;

extern const Transform number_transform, category_transform, calendar_transform, clock_transform, passed_transform;

#endif
