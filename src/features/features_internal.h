/*
 * features_internal.h
 *		What the transforms share.
 */
#ifndef RELEARN_FEATURES_INTERNAL_H
#define RELEARN_FEATURES_INTERNAL_H

#include "features/features.h"

/* cells and out point at the first cell and the first output the operation is about. */
typedef void (*ApplyFunction) (const void *state, const double *cells, int nrows, int cell_stride, double *out, int out_stride);

typedef struct ApplyOperation
{
	ApplyFunction apply;
	const void *state;
	int			first_input;
	int			first_output;
} ApplyOperation;

/* Cells this large count as infinite: half of what a double can hold, so that differences cannot overflow. */
#define INFINITE_FROM 0x1p1022

/*
 * Can the step be part of a run: neighbouring inputs whose outputs are neighbours too?  Only the last of a run may have an indicator.
 */
extern bool number_joins_run(const FeatureStep *step);
extern bool number_ends_run(const FeatureStep *step);
extern ApplyOperation number_run(const FeatureStep *steps, int nsteps);

/* Fill sample->finite and *summary, which is all zeros; allocates the counts of levels. */
extern void summarise_column(ColumnSample *sample, ColumnSummary *summary);

/* The step of an input that is passed on. */
extern FeatureStep passed_step(const InputColumn *input, int number, const PassedColumn *column);

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

extern char *indicator_name(const InputColumn *input);	/* "tenure is missing" */

#define FIT_BLOCK 65536			/* rows between two checks for interrupts */

#endif
