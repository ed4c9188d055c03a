/*
 * predict.h
 *		From rows in any form to a model's answers.
 */
#ifndef RELEARN_PREDICT_H
#define RELEARN_PREDICT_H

#include "model/model.h"

/* How the columns of a row type feed a model; made once per row type. */
typedef struct InputBinding
{
	const Model *model;
	int			natts;			/* attributes to deform */
	int		   *attribute;		/* (ninputs) 0-based, -1 for an input the model does not use */
	CellReader *reader;			/* (ninputs) */
} InputBinding;

/*
 * Match a model's inputs to columns by name.  Errors name the model (origin), the missing column, or the column whose type changed kind with what
 * was found and expected.
 */
extern InputBinding *binding_create(const Model *model, const char *origin, TupleDesc tupdesc, MemoryContext context);

/* values/nulls of one row -> (ninputs) cells */
extern void binding_read(const InputBinding *binding, const Datum *values, const bool *nulls, double *cells);

#endif
