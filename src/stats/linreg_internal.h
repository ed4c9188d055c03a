/*
 * linreg_internal.h
 *		ml.linreg_state: means and centred co-moments of the features and the response, and the rows not yet added to them.
 */
#ifndef RELEARN_LINREG_INTERNAL_H
#define RELEARN_LINREG_INTERNAL_H

#include "core/mergeable.h"

#define LINREG_MOST_FEATURES 1600	/* a table has no more columns; keeps a state below 22 MB */
#define LINREG_BLOCK 64			/* rows buffered: 27 features of 64 rows stay in the first-level cache */

typedef struct LinregState
{
	StateHeader header;			/* n counts the buffered rows too */
	int32		nfeatures;		/* 0 until a row told */
	int32		nbuffered;
	double		data[FLEXIBLE_ARRAY_MEMBER];
} LinregState;

/* A row is the features, then the response. */
static inline int
linreg_width(const LinregState *state)
{
	return state->nfeatures + 1;
}

static inline double *
linreg_mean(const LinregState *state)
{
	return (double *) state->data;
}

/* (width, width), upper triangle: sums of products of deviations from the means */
static inline double *
linreg_comoment(const LinregState *state)
{
	return linreg_mean(state) + linreg_width(state);
}

/* (LINREG_BLOCK + 1, width): one row is for the flush */
static inline double *
linreg_buffer(const LinregState *state)
{
	return linreg_comoment(state) + (Size) linreg_width(state) * linreg_width(state);
}

extern const StateKind linreg_kind;

extern LinregState *linreg_state_new(int nfeatures);

/* Add the buffered rows to the moments. */
extern void linreg_flush(LinregState *state);

/* A copy with no buffered rows. */
extern LinregState *linreg_flushed(const LinregState *state);

/* Least squares with an intercept. */
typedef struct LinregFit
{
	int			nfeatures;
	int			rank;			/* features that are no linear combination of those before them */
	bool	   *aliased;		/* (nfeatures) the others */
	double	   *coefficient;	/* (nfeatures + 1) intercept first; NaN = none */
	double	   *standard_error; /* likewise */
	double		r2,				/* NaN = none */
				residual_sd;
	int64		df;				/* of the residuals */
} LinregFit;

/* n > 0. */
extern LinregFit linreg_solve(const LinregState *flushed);

#endif
