/*
 * learner.h
 *		The interface between training data and algorithms.  Adding one = one file + one line in learner.c.
 *
 * A learner is mathematics only: it sees design rows and targets, may allocate in the current memory context, checks for interrupts at least
 * once per row block, and raises no user errors but numerical failure; it knows no SQL, SPI, JSON or catalog.
 */
#ifndef RELEARN_LEARNER_H
#define RELEARN_LEARNER_H

#include "core/bytes.h"
#include "core/parameter.h"
#include "data/data.h"

/* ---- training data ---- */

/* A metric round by round. */
typedef struct TrainingCurve
{
	const char *metric;			/* NULL: the learner has no rounds */
	int			n;
	double	   *train;			/* (n) on the training rows, or on the first of them */
	double	   *validation;		/* (n), or NULL where there are no such rows */
} TrainingCurve;

typedef struct TrainingSet
{
	Task		task;
	int64		nrows;
	int			ncolumns;		/* of the design matrix; 0 is legal (no usable feature) */
	int			nclasses;		/* 0 for regression, 2 for anomalies */
	int			positive;		/* class that measures of two classes are about; -1: none */
	const double *target;		/* (nrows + nvalidation) value, or class code 0 .. nclasses-1; anomalies: 0 */
	const double *weight;		/* (nrows + nvalidation), or NULL: all 1; class weights are in it */
	const double *offset;		/* (ncolumns) design = (original - offset) / scale */
	const double *scale;
	const int  *group;			/* (ncolumns) ascending number of the source column each comes from */
	const int  *levels;			/* (ncolumns) codes 0 .. levels-1 of a category column; 0: a number */
	const char *const *column_name; /* (ncolumns) for warnings; NULL: they say "column 3" */

	/* rows to watch a training by: behind the training rows in rows(), target and weight; a class without training rows is -1 there */
	int64		nvalidation;
	TrainingCurve curve;		/* filled by learners that train in rounds */
	/* what predict says of the first rows, to the bit, from learners with bin_options that know; else NULL */
	double	   *answers;		/* (nanswers, learner_outputs) */
	int64		nanswers;
	double	   *out_of_bag;		/* (nrows, learner_outputs) answers by trees that did not learn from the row, NaN without one; NULL: not asked for */

	/* rows start .. start+count-1 as (count, ncolumns), row-major; valid until the next call; count <= DESIGN_BLOCK unless kept */
	const double *(*rows) (void *design, int64 start, int count);
	void	   *design;
	const struct Bins *bins;	/* of the same rows; NULL unless the learner has bin_options, and then there is no rows() */
	uint64		seed;
	Size		spare_memory;	/* bytes that may be taken beside memory_needed, for the sake of speed */
	Size		free_memory;	/* bytes that relearn.max_memory leaves beside memory_needed, */
	Size		memory_limit;	/* all of it */
	List	   *warnings;		/* of char *: appended by the learner through training_warning */
} TrainingSet;

#define DESIGN_BLOCK 256

extern void training_warning(TrainingSet *set, const char *format,...) printf_like(2, 3);

/* ---- reports ---- */
typedef struct Coefficient
{
	int			class_index;	/* -1 where the model has one equation */
	int			column;			/* design column, -1 = intercept */
	double		estimate;		/* on the original scale; NaN = none */
	double		standard_error,
				statistic,		/* t */
				p_value,
				vif;			/* generalised over the columns of one group; NaN = none */
	const char *reason;			/* why something is NaN; NULL where nothing is */
} Coefficient;

/* What the splits on a design column did for a model of trees. */
typedef struct ColumnImportance
{
	double		gain;			/* summed */
	int64		splits;
	double		permutation;	/* rise of the loss when the column is shuffled; NaN: not measured */
} ColumnImportance;

struct Trees;
struct Bins;
struct BinOptions;

typedef struct Learner
{
	const char *name;			/* as typed in SQL */
	const char *help;			/* one line for ml.algorithms() */
	uint16		id;				/* stored in models; never reused */
	uint16		format;			/* of the payload this code writes */
	uint32		tasks;			/* bitmask of Task */
	bool		wants_scaling;
	bool		takes_missing;
	bool		takes_categories;
	bool		wants_cyclic;
	bool		ignores_rows;	/* predicts without looking at them: NULL will do */
	bool		wants_rows_kept;	/* passes over the rows many times: keep the design matrix in memory */

	const Parameter *parameters;
	int			nparameters;
	Size		options_size;
	const char *(*check) (const void *options); /* reason why the combination is refused, or NULL; may be NULL */
	bool		(*wants_reference_level) (const void *options); /* may be NULL = false */

	void		(*bin_options) (const void *options, struct BinOptions *bins);	/* learns from bins, made so; NULL: from rows */

	/* nrows: validation included */
	Size		(*memory_needed) (const void *options, int64 nrows, int ncolumns, int nclasses);	/* bytes beyond the design */
	void	   *(*train) (TrainingSet *set, const void *options);

	/* (nrows, ncolumns) -> (nrows, learner_outputs) : value; probability of class 1; or probabilities of all classes */
	void		(*predict) (const void *model, const double *rows, int nrows, double *out);

	double		(*threshold) (const void *model);	/* anomalies: scores above are; else NULL */

	Coefficient *(*coefficients) (const void *model, int *count);	/* may be NULL */
	void		(*importance) (const void *model, ColumnImportance *importance); /* (ncolumns), zeroed, permutation NaN; may be NULL */
	const struct Trees *(*trees) (const void *model);	/* what it is made of; may be NULL */
	void		(*flatten) (const void *model, ByteWriter *w);
	/* levels (ncolumns) as in TrainingSet */
	void	   *(*unflatten) (ByteReader *r, uint16 format, Task task, int ncolumns, const int *levels, int nclasses);
} Learner;

/* nclasses where there are more than two, else 1 */
static inline int
learner_outputs(Task task, int nclasses)
{
	return task == TASK_MULTICLASS ? nclasses : 1;
}

extern const Learner *const learners[];
extern const int nlearners;

extern const Learner *learner_find(const char *name);	/* NULL where there is none */
extern const Learner *learner_by_id(uint16 id);

/* Trained by ml.fit_pipeline alone, and not in the table: predicts nothing, and its score only vouches for the design row. */
typedef enum Remainder
{
	REMAINDER_AUTOMATIC,
	REMAINDER_DROP,
	REMAINDER_PASSTHROUGH
} Remainder;

typedef struct PipelineOptions
{
	int			remainder;
} PipelineOptions;

extern const Learner pipeline_learner;

extern const Learner baseline_learner, linear_learner, logistic_learner, gradient_boosting_learner, random_forest_learner, extra_trees_learner,
			decision_tree_learner, isolation_forest_learner;

#endif
