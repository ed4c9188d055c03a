/*
 * features_internal.h
 *		What the transforms share.
 */
#ifndef RELEARN_FEATURES_INTERNAL_H
#define RELEARN_FEATURES_INTERNAL_H

#include "features/features.h"

typedef struct ApplyOperation
{
	void		(*apply) (const void *state, const ApplyRows *rows);
	const void *state;
	void	  **fold;			/* states by fold, or NULL */
	int			first_operand;	/* place */
	const int  *offset;			/* of the operands from it */
	bool		final;
	int			first_output;
} ApplyOperation;

#define WORKSPACE_ROWS 64

extern const Transform number_transform, category_transform, calendar_transform, clock_transform, passed_transform, passthrough_transform,
			standard_transform, minmax_transform, maxabs_transform, robust_transform, quantile_transform, power_transform, log1p_transform, clip_transform,
			impute_transform, indicator_transform, bucketize_transform, ratio_transform, difference_transform, interaction_transform, polynomial_transform,
			group_transform, onehot_transform, target_transform, ordinal_transform, frequency_transform, date_parts_transform, holidays_transform,
			text_counts_transform, tfidf_transform, text_hash_transform, level_hash_transform;

/* The automatic choice for a kind. */
extern const Transform *automatic_transform(ColumnKind kind, const FeatureOptions *options);

/* The inputs as operands: the first places. */
extern void features_place_inputs(Features *features);

/* Append a step whose operands have places; makes its columns, and their places where it is not final.  Valid until the next one is added. */
extern FeatureStep *features_add_step(Features *features, const FeatureStep *made);

/* What both fitting and reading back end with. */
extern void features_make_ready(Features *features);

/* The first of n training rows of a fold; of the one after the last: n. */
extern int64 fold_start(int64 n, int fold);

/* Cells this large count as infinite: half of what a double can hold, so that differences cannot overflow. */
#define INFINITE_FROM 0x1p1022

/*
 * Can the step be part of a run: neighbouring operands whose outputs are neighbours too?  Only the last of a run may have an indicator.
 */
extern bool number_joins_run(const FeatureStep *step);
extern bool number_ends_run(const FeatureStep *step);
extern ApplyOperation number_run(const FeatureStep *steps, int nsteps);

/* Fill sample->finite, sample->summary and *summary, which is all zeros; allocates the counts of levels. */
extern void summarise_column(FitSample *sample, ColumnSummary *summary);

#define ALL_LEVELS PG_INT32_MAX

/*
 * The levels an input keeps: the "most" most frequent of those seen, with the place for all others where some are left out; 0: none.  Sets
 * input->levels; *recode leads from the frame's codes to theirs; summary->kept_count counts by theirs.
 */
extern void choose_levels(const FrameColumn *column, int most, InputColumn *input, ColumnSummary *summary, int **recode);

/* Why a column of categories tells nothing, or NULL. */
extern const char *levels_unused(const ColumnSummary *summary, int nlevels, int64 n);

/* Which of the levels seen are kept when there are places for "most", one of them for all others: (nlevels) marks.  Of equals the first. */
extern bool *most_frequent(int64 *count, int nlevels, int most);

/* The state of an input that is passed on. */
extern void *passed_state(const InputColumn *input, const PassedColumn *column);

typedef struct Moments
{
	double		mean;
	double		sd;				/* of the population; 0 where it is rounding noise beside the mean */
} Moments;

/* Of finite values none of which exceeds "largest" in size; summed in a fixed order. */
extern Moments column_moments(const double *value, int64 n, double largest);

/* Of a whole column whose missing cells become "fill", which lies within its range, and whose infinite ones become the range's ends. */
extern Moments completed_moments(const ColumnSummary *summary, double fill);

/* A boolean and a positive normal number from a stored model. */
extern bool get_flag(ByteReader *r);
extern double get_scale(ByteReader *r);
extern char *get_required_name(ByteReader *r);

/* Of n > 0 columns of which one is 1: the one that is, or else the greatest (of equals the first). */
#define OUTPUT_NONE (-1)		/* all are zero, but for rounding */
#define OUTPUT_MISSING (-2)		/* one is missing */
extern int	greatest_output(const double *outputs, int n);

/* A number as an SQL literal of double precision. */
extern char *number_literal(double x);

#define NO_FINITE_VALUE "none of its values is finite"

/* Quantiles of n > 0 ascending values: numpy's methods "linear" and "averaged_inverted_cdf". */
extern double sorted_quantile(const double *value, int64 n, double q);
extern double sorted_step_quantile(const double *value, int64 n, double q);

/* Kinds that hold numbers. */
#define NUMBER_KINDS (1 << KIND_NUMBER | 1 << KIND_BOOLEAN | 1 << KIND_TIME | 1 << KIND_INTERVAL)

extern char *indicator_name(const OutputColumn *operand);	/* "tenure is missing" */

#define FIT_BLOCK 65536			/* rows between two checks for interrupts */

#endif
