/*
 * resample_internal.h
 *		What resample.c (which rows, and how a learner sees them) and smote.c (rows made up) share.
 */
#ifndef RELEARN_TRAIN_RESAMPLE_INTERNAL_H
#define RELEARN_TRAIN_RESAMPLE_INTERNAL_H

#include "core/hash.h"
#include "train_internal.h"

#define MOST_RESAMPLED ((int64) PG_UINT32_MAX)

/* The training rows a learner sees instead of those there are. */
struct Resampled
{
	int64		ntrain;			/* rows there are */
	int64		nrows;			/* rows it sees */
	uint32	   *entry;			/* (nrows) the position of a training row, or ntrain + the number of a synthetic one */
	int64		nsynthetic;
	double	   *synthetic;		/* (nsynthetic, ninputs) the model's cells */
	uint32	   *base;			/* (nsynthetic) position of the row each starts from; its weight is the synthetic row's */
	uint64		seed;
	Design	   *design;
	double	   *kept;			/* (nrows, noutputs), or NULL */
	Bins	   *bins;			/* of the rows and, behind them, the validation rows; or NULL */
};

/* The training rows of a class, in canonical order. */
typedef struct ClassRows
{
	int			class_index;
	int64		n;
	uint32	   *position;		/* (n) */
	int64		wanted;			/* rows after resampling */
} ClassRows;

/* Draws are hashes of their numbers, so that none depends on another: uniform in [0, 1). */
static inline double
draw_unit(uint64 seed, uint64 stream, uint64 number)
{
	return hash_unit(hash_fold(hash_fold(seed, stream), number));
}

/* Uniform in 0 .. n-1. */
static inline int64
draw_below(uint64 seed, uint64 stream, uint64 number, int64 n)
{
	return (int64) (draw_unit(seed, stream, number) * n);
}

/* Append class->wanted - class->n synthetic rows; room for them is there. */
extern void smote_class(Training *t, Resampled *resampled, const ClassRows *class);

/* An error where the columns do not suit the method. */
extern void smote_check(const Training *t);

#endif
