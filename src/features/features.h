/*
 * features.h
 *		The preparation of raw cells into the rows a learner takes: fitted on training rows only, stored in the model, replayed at prediction.
 *
 * Input: the cells of the model's input columns (see data.h), category cells as codes of the model's own levels.  Output: the design row.
 */
#ifndef RELEARN_FEATURES_H
#define RELEARN_FEATURES_H

#include "core/bytes.h"
#include "core/parameter.h"
#include "data/data.h"

#define TEXT_BYTES 65536		/* of a text that are looked at */
#define TEXTS_WAITING 16384		/* rows that may wait to be prepared */

/* One raw column a model takes. */
typedef struct InputColumn
{
	char	   *name;
	char	   *type_name;		/* type at training, for people */
	ColumnKind	kind;
	Dictionary *levels;			/* categories: the levels kept, bytewise; others get code dictionary_size() ("other"); texts: those cells are codes of */
	bool		used;			/* false: left out (constant, all missing, key-like); kept for describe, not required at prediction */
	char	   *why_unused;		/* NULL when used */
} InputColumn;

/* Numbers or codes of categories as transforms and learners see them: an input, what a step made of others, a design column. */
typedef struct OutputColumn
{
	char	   *name;			/* "tenure", "tenure is missing", "Contract=One year", "signup: sin month" */
	ColumnKind	kind;			/* KIND_CATEGORY: codes of "dictionary"; whatever is no code of it is another level */
	const Dictionary *dictionary;
	int			levels;			/* design columns of codes: 0 .. levels-1, the bucket "other" included; 0: a number */
	double		offset,			/* cell = (what the name says - offset) / scale; 0 and 1 where not scaled */
				scale;
	int			group;			/* design columns: index into groups */
	int			input;			/* design columns: index into inputs, the first one the group is made of */
} OutputColumn;

/* Design columns that stand for one thing: those of a column, or of a feature derived from columns. */
typedef struct FeatureGroup
{
	char	   *name;
	bool		derived;
	int			input;			/* the first one it is made of; not stored */
} FeatureGroup;

/* ---- what the caller asks for ---- */
struct Transform;

typedef struct StepSpec
{
	const struct Transform *transform;
	void	   *parameters;		/* its options struct */
} StepSpec;

/* One column's chain of steps, or a derived feature's. */
typedef struct FeatureSpec
{
	char	   *name;
	NameList	columns;		/* derived: the columns or derived features it is made of; else none */
	bool		drop;
	List	   *steps;			/* of StepSpec *; NIL: taken as it is */
} FeatureSpec;

typedef struct FeatureOptions
{
	bool		scale;			/* the learner wants standardised numbers */
	bool		takes_missing;	/* the learner takes NaN itself: nothing is imputed, no indicators */
	bool		takes_categories;	/* the learner takes codes itself: no one-hot */
	bool		cyclic;			/* sine and cosine of calendar parts (linear learners) instead of the bare parts */
	bool		reference_level;	/* one-hot leaves out the first level (least squares without a penalty) */
	bool		exact;			/* a chain asked for ends where it ends: its missing and infinite cells and its codes are the result */
	bool		drop_rest;		/* columns without steps asked for are left out, or */
	bool		pass_rest;		/* taken as they are, instead of being prepared automatically */
	int			max_categories; /* including the "other" bucket */
	List	   *specs;			/* of FeatureSpec *, in the order of their names; columns without one are prepared automatically */

	/* of the training rows; for transforms that learn from them */
	const double *target;		/* (n) value, or class code 0 .. nclasses-1; NULL: none */
	int			nclasses;		/* 0 for regression */
	int			positive;		/* of two classes the one that counts; else -1 */
	const double *weight;		/* (n) or NULL: all 1 */
	Budget	   *budget;
} FeatureOptions;

struct FeatureStep;
struct ApplyOperation;

typedef struct Features
{
	int			ninputs;
	InputColumn *inputs;
	int			ngroups;
	FeatureGroup *groups;
	int			nsteps;
	struct FeatureStep *steps;	/* in the order of the groups; a step's operands come before it */
	char	   *time_zone;		/* IANA name */
	pg_tz	   *zone;

	/* not stored: made ready for applying */
	int			noutputs;
	OutputColumn *outputs;
	int			noperations;
	struct ApplyOperation *operations;	/* the steps, neighbouring numbers joined */
	int			ncategories;
	int		   *category_inputs;
	int		   *output_levels;	/* (noutputs) as in OutputColumn */
	int			nplaces;		/* of a row of the workspace: inputs, then what steps make for other steps */
	OutputColumn *places;
	double	   *workspace;		/* (WORKSPACE_ROWS, nplaces); NULL where no step needs another's outputs */
	int64		ntraining;		/* cross-fitting: the training rows; else 0 */
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
	int64	   *level_count;	/* categories: (levels + 1) by the code of the column looked at, the last for others */
	int64	   *kept_count;		/* of an input: (levels the model keeps + 1) by its code */
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

/*
 * The same for rows of the frame at (nrows) canonical positions while a learner trains: what a transform learned from the target comes for a training row
 * from the rows of the other folds.
 */
extern void features_apply_training(const Features *features, const double *cells, const uint32 *position, int nrows, double *out);

/* The way from design rows back to cells: steps are undone from the last one on. */
typedef struct Inverse
{
	int			ninputs;
	int			nsteps;
	const struct FeatureStep **step;	/* (nsteps) in the order of undoing */
	bool	   *restored;		/* (ninputs) which cells come out */
	bool	   *leads_back;		/* (noutputs) which design columns stand for the cell of one input */
	double	   *place;			/* (nplaces) a row on its way */
} Inverse;

/* Valid as long as the features are; allocated in the current memory context. */
extern Inverse *features_inverse(const Features *features);

/* A design row (noutputs) -> the cells (ninputs) that are restored; the others are left alone. */
extern void features_invert(const Inverse *inverse, const double *row, double *cells);

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

/* What fitting a step may look at. */
typedef struct FitSample
{
	int64		n;				/* training rows */
	int			noperands;
	const OutputColumn *operand;	/* (noperands) */
	double	  **value;			/* (noperands) of (n) cells in canonical order; may be overwritten; a category's may be NULL for automatic steps */
	double	   *spare;			/* (n) scratch */
	double	   *finite;			/* (summary->nfinite) the finite cells of the first operand, in value[0] or "spare" */
	const ColumnSummary *summary;	/* of the first operand */
	const double *target;		/* (n) as in FeatureOptions, and */
	const double *weight;
	const FeatureOptions *options;
	const void *parameters;		/* the step's options; NULL for automatic steps */
	List	  **warnings;		/* of char *, to append to */
	const char *why_unused;		/* to be set where fit returns NULL */
} FitSample;

/* Where apply finds operand k of a row: at cells[offset[k]]; offset[0] is 0. */
typedef struct ApplyRows
{
	const double *cells;		/* the first operand of the first row */
	const int  *offset;
	int			nrows;
	int			stride;
	double	   *out;			/* the first output of the first row */
	int			out_stride;
} ApplyRows;

/* A name for a transform with one of its parameters set. */
typedef struct TransformAlias
{
	const char *name;
	const char *parameter;		/* NULL: just another name */
	double		value;
} TransformAlias;

/* What a transform has learned, line by line: a text or else a number (NaN: none). */
typedef void (*LearnedLine) (void *state, const char *parameter, const char *text, double number);

typedef struct Transform
{
	const char *name;			/* as typed in SQL */
	const char *family;			/* {"family": "name"} is the step "name"; NULL: automatic only */
	const char *help;			/* one line, the policy for NULL in it */
	uint8		id;				/* stored in models; never reused */
	uint32		kinds;			/* bitmask of 1 << ColumnKind it takes */
	bool		takes_all;		/* all columns at once; else each column of the stage before has a state of its own */
	bool		cross_fit;		/* learns from the target: a training row gets what the rows of the other folds taught */
	int			least_operands; /* takes_all: how many columns it needs */
	int			most_operands;	/* 0: any number */
	const char *const *roles;	/* takes_all: names for its columns in their order, NULL-terminated; the last may stand for several */
	const TransformAlias *aliases;	/* ends with {NULL} */
	const Parameter *parameters;
	int			nparameters;
	Size		options_size;
	const char *(*check) (const void *options); /* why the combination is refused, or NULL; may be NULL */

	/* The fitted state, or NULL with sample->why_unused where the operands carry nothing. */
	void	   *(*fit) (FitSample *sample);
	int			(*width) (const void *fitted);

	/* Fill (width) columns, zeroed but for scale 1 and kind number; operands: what it was fitted on. */
	void		(*name_outputs) (const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs);
	void		(*apply) (const void *fitted, const ApplyRows *rows);
	void		(*flatten) (const void *fitted, ByteWriter *w);
	void	   *(*unflatten) (ByteReader *r, const OutputColumn *operand, int noperands);

	/* outputs of a row -> its operand (one only); NULL where there is no way back */
	double		(*invert) (const void *fitted, const double *outputs);

	/* what was learned; may be NULL */
	void		(*learned) (const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state);

	/*
	 * Each output as an SQL expression of its operands' expressions: double precision, or the text of a category; NULL is missing.  Where an output has
	 * none, it is left NULL; the function may be NULL.
	 */
	void		(*sql) (const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs);
} Transform;

#define CROSS_FIT_FOLDS 5

typedef struct FeatureStep
{
	const Transform *transform;
	int			group;
	int			noperands;
	int		   *operand;		/* (noperands) places: inputs, then what earlier steps made */
	bool		final;			/* its outputs are design columns; else places */
	int			first_output;
	int			width;
	OutputColumn *columns;		/* (width) */
	void	   *fitted;
	void	  **fold;			/* (CROSS_FIT_FOLDS) fitted on the other folds; while training only, else NULL */
} FeatureStep;

/* The fewest digits that read back as the number. */
extern char *features_digits(double x);

/* The step that makes a design column. */
extern const FeatureStep *features_step_of(const Features *features, int output);

extern const Transform *const transforms[];
extern const int ntransforms;

/* By name, alias or family member; *alias is the entry that was meant where the name is one, else NULL.  NULL where there is none. */
extern const Transform *transform_find(const char *name, const TransformAlias **alias);

#endif
