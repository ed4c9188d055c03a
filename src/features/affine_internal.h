/*
 * affine_internal.h
 *		What the scalers share: (x - center) / scale + shift, of numbers, missing and infinite cells staying what they are.
 */
#ifndef RELEARN_FEATURES_AFFINE_INTERNAL_H
#define RELEARN_FEATURES_AFFINE_INTERNAL_H

#include "features/features_internal.h"

typedef struct Affine
{
	double		center,
				scale,
				shift,
				lower,			/* what is below or above is moved there; infinite: nothing is */
				upper;
} Affine;

/* Without limits. */
extern Affine *affine_create(double center, double scale, double shift);

/* A scale that is next to nothing is none, as scikit-learn has it. */
extern double scale_or_one(double scale);

extern int	affine_width(const void *fitted);
extern void affine_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs);
extern void affine_apply(const void *fitted, const ApplyRows *rows);
extern void affine_flatten(const void *fitted, ByteWriter *w);
extern void *affine_unflatten(ByteReader *r, const OutputColumn *operand, int noperands);
extern double affine_invert(const void *fitted, const double *outputs);
extern void affine_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs);

#define AFFINE_FUNCTIONS \
	.kinds = NUMBER_KINDS, \
	.width = affine_width, \
	.name_outputs = affine_name_outputs, \
	.apply = affine_apply, \
	.flatten = affine_flatten, \
	.unflatten = affine_unflatten, \
	.invert = affine_invert, \
	.sql = affine_sql

#endif
