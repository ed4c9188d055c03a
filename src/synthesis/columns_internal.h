/*
 * columns_internal.h
 *		What ml._column_sums and ml._column_levels share: a row is an array of cells, and every cell goes to the state of its column.
 */
#ifndef RELEARN_SYNTHESIS_COLUMNS_INTERNAL_H
#define RELEARN_SYNTHESIS_COLUMNS_INTERNAL_H

#include "utils/array.h"

#include "core/mergeable.h"

#define MOST_COLUMNS 1600

/* Both states begin so. */
typedef struct ColumnsState
{
	StateHeader header;
	int32		ncolumns;
} ColumnsState;

typedef struct ColumnsKind
{
	const StateKind *state;
	const char *cells;			/* "numbers" */
	const char *name;			/* "sums" */
	ColumnsState *(*make) (int ncolumns);
	ColumnsState *(*add) (ColumnsState *state, const char *cells, const bits8 *present);	/* present NULL: all are */
} ColumnsKind;

extern void check_ncolumns(int ncolumns);
extern void require_columns(const ColumnsKind *kind, const ColumnsState *state, int ncolumns);
extern Datum columns_add(FunctionCallInfo fcinfo, const ColumnsKind *kind);

static inline bool
cell_present(const bits8 *present, int i)
{
	return present == NULL || (present[i / 8] & (1 << (i % 8)));
}

#endif
