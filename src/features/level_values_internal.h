/*
 * level_values_internal.h
 *		What the encoders of categories share: a few numbers for each level, for a level that training did not show, and for a missing cell.
 */
#ifndef RELEARN_FEATURES_LEVEL_VALUES_INTERNAL_H
#define RELEARN_FEATURES_LEVEL_VALUES_INTERNAL_H

#include "features/features_internal.h"

typedef struct LevelValues
{
	int			by;				/* the operand that holds the codes */
	int			nlevels;		/* of it */
	int			width;
	double	   *value;			/* (nlevels + 2, width): of the levels, of any other, of a missing cell; NaN: missing */
} LevelValues;

/* Where a cell's numbers are, in units of width. */
static inline int
level_place(const LevelValues *values, double cell)
{
	if (isnan(cell))
		return values->nlevels + 1;
	return cell >= 0.0 && cell < values->nlevels && cell == (int) cell ? (int) cell : values->nlevels;
}

/* All zero. */
extern LevelValues *level_values_create(const OutputColumn *by, int operand, int width);

extern int	level_values_width(const void *fitted);
extern void level_values_apply(const void *fitted, const ApplyRows *rows);
extern void level_values_flatten(const void *fitted, ByteWriter *w);
extern void *level_values_unflatten(ByteReader *r, const OutputColumn *operand, int noperands);

/* A line for each number. */
extern void level_values_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state);

extern void level_values_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs);

#define LEVEL_VALUES_FUNCTIONS \
	.width = level_values_width, \
	.apply = level_values_apply, \
	.flatten = level_values_flatten, \
	.unflatten = level_values_unflatten, \
	.learned = level_values_learned, \
	.sql = level_values_sql

#endif
