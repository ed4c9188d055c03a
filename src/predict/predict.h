/*
 * predict.h
 *		From rows in any form to a model's answers.
 */
#ifndef RELEARN_PREDICT_H
#define RELEARN_PREDICT_H

#include "model/model.h"

/* Which attribute feeds which input. */
typedef struct BoundInput
{
	int			input;
	int			attribute;		/* 0-based place in values/nulls; -1 for an input the model does not use */
} BoundInput;

/* How the columns of a row type feed a model; made once per row type. */
typedef struct InputBinding
{
	const Model *model;
	int			ndirect;		/* float8 columns read as numbers: the datum is the cell */
	BoundInput *direct;
	int			nothers;		/* all other inputs, through their reader */
	BoundInput *other;
	CellReader **reader;		/* (ninputs) of the others; NULL for those of direct */
} InputBinding;

/*
 * Match a model's inputs to columns by name.  Errors name the model (origin), the missing column, or the column whose type changed kind with what
 * was found and expected.
 */
extern InputBinding *binding_create(const Model *model, const char *origin, TupleDesc tupdesc, MemoryContext context);

/* values/nulls of one row -> (ninputs) cells */
extern void binding_read(const InputBinding *binding, const Datum *values, const bool *nulls, double *cells);

#endif
