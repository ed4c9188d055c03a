/*
 * fit_internal.h
 *		The state of fitting a preparation, shared by fit.c (columns), chain.c (steps) and derive.c (features of several columns).
 */
#ifndef RELEARN_FEATURES_FIT_INTERNAL_H
#define RELEARN_FEATURES_FIT_INTERNAL_H

#include "features/features_internal.h"

typedef struct Fitting
{
	const Frame *frame;
	const FeatureOptions *options;
	Features   *features;
	int		  **recode;
	ColumnSummary *summaries;
	List	  **warnings;
	int64		n;				/* training rows */
	double	   *spare;			/* (n) */
	bool	   *referenced;		/* (length of options->specs) another feature is made of this derived one */
	struct Stage **made;		/* (length of options->specs) derived features done; NULL: not yet */
} Fitting;

typedef struct Stage
{
	int			ncolumns;
	int		   *place;			/* (ncolumns) */
	double	   *cells;			/* (n, ncolumns) of the training rows */
	Size		booked;			/* bytes of cells in the budget; 0: not ours */
} Stage;

/* ---- chain.c ---- */
extern double *book_cells(const Fitting *f, int ncolumns, Size *booked);
extern void free_stage(const Fitting *f, Stage *stage);

/* Warn that something is no feature. */
extern void leave_out(const Fitting *f, const char *what, const char *name, const char *why);

/*
 * Fit a feature's steps one after the other, from the stage that is given, which then is the last one.  keep: others are made of it, so that it keeps
 * places beside its design columns.
 */
extern void fit_chain(Fitting *f, const char *name, bool derived, Stage *stage, List *steps, bool keep);

/* ---- derive.c ---- */

/* 0-based place among the specs, -1 where there is none. */
extern int	find_spec(const Fitting *f, const char *name);

/* Is the feature made of columns it names? */
extern bool is_derived(const FeatureSpec *spec);

/* Is a derived feature made of the column? */
extern bool needed_elsewhere(const Fitting *f, const char *name);

/* The frame's codes in cells -> the model's. */
extern void recode_values(double *value, int64 n, const int *recode);

/* All derived features, after the columns. */
extern void fit_all_derived(Fitting *f);

#endif
