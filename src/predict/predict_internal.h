/*
 * predict_internal.h
 *		What the files of this room share: the state one call site keeps between rows.
 */
#ifndef RELEARN_PREDICT_INTERNAL_H
#define RELEARN_PREDICT_INTERNAL_H

#include "fmgr.h"
#include "lib/ilist.h"
#include "utils/array.h"

#include "compat.h"
#include "predict/predict.h"
#include "registry/registry.h"

/* A named, typed column that may feed a model. */
typedef struct RowColumn
{
	const char *name;			/* not NUL-terminated */
	int			length;
	Oid			type;
	int			attribute;		/* 0-based place in values/nulls */
} RowColumn;

/*
 * When a reference was resolved.  fn_extra outlives a statement in PL/pgSQL, so an answer of the registry counts only for the same user in the same
 * (sub)transaction under a snapshot of the same contents: xids at or beyond xmax count as running and no xid starts running below it, so equal
 * bounds and equal counts mean equal sets.
 */
typedef struct ResolvedAt
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	Oid			user;
	TransactionId xmin,
				xmax;
	uint32		xcnt;
	int32		subxcnt;
	CommandId	curcid;
} ResolvedAt;

/* State of one call site, in fn_extra; of calls by name it waits for the next statement that holds the same call (idle.c). */
typedef struct PredictCall
{
	MemoryContext context;		/* holds all of it, below TopMemoryContext */
	MemoryContext work;			/* reset for every row */
	MemoryContextCallback ended;	/* registered where the FmgrInfo lives */
	bool		by_value;		/* the model argument is an artifact, not a reference */
	bool		transforms;		/* is about prepared rows, which pipelines have too */
	bool		only_here;		/* knows of values in its query's text */
	Oid			row_type;		/* type of argument 1: record, jsonb, text; text or text[] for the columns forms */

	/* which call it is */
	Oid			function;
	int			narguments;
	Oid		   *argument_types;
	dlist_node	idle;			/* while it waits */

	/* by name */
	char	   *reference;		/* what was resolved; NULL: nothing yet */
	int			reference_length;
	ResolvedAt	resolved;
	ModelVersion version;

	/* by value */
	struct varatt_external pointer; /* of the artifact decoded last; va_toastrelid invalid where it was not on disk */
	Size		artifact_length;

	/* the model; everything below is remade when it changes */
	MemoryContext model_context;
	Model	   *model;			/* pinned; or NULL */
	uint64		model_serial;	/* of the one pinned last */
	double	   *cells;			/* (ninputs) */
	double	   *scores;			/* (noutputs); NULL: no model is open */
	Inverse    *inverse;		/* the way back from prepared rows; NULL: not looked for yet */
	char	   *class_name;		/* class argument looked up last, or NULL */
	int			class_name_length;
	int			class_index;

	/* how the last row type feeds the model; remade when either changes */
	MemoryContext binding_context;
	InputBinding *binding;
	Oid			record_type;
	int32		record_typmod;
	uint64		record_identifier;	/* changes when the row type does */
	TupleDesc	tupdesc;
	Datum	   *values;
	bool	   *nulls;
	ArrayType  *names;			/* columns forms: the names bound last */
	int			nconstants;		/* columns forms: untyped literals, read once */
	int		   *constant_input;
	double	   *constant_cell;

	CellReader	numeric;		/* JSON numbers */
} PredictCall;

/* The call site's state with its model open; NULL where the model argument is NULL. */
extern PredictCall *predict_call(FunctionCallInfo fcinfo);

/* How messages name the model: 'model "churn" version 3', or 'the given model'. */
extern char *predict_origin(const PredictCall *call);

/*
 * idle.c: the state a statement before left for this same call, taken out of idleness; NULL where there is none.  call_end, for the memory context of
 * the FmgrInfo, puts it there or frees it.
 */
extern PredictCall *call_resume(FunctionCallInfo fcinfo);
extern void call_end(void *call);
extern bool call_has_reference(const PredictCall *call, text *reference);

/* The arguments of a call as the query has them; NIL where they are not known one by one. */
extern List *call_arguments(FmgrInfo *flinfo);

/* An empty context for a new binding; the old binding is gone. */
extern MemoryContext predict_rebind(PredictCall *call);

/* Read the row in an argument into call->cells.  False where the row is NULL. */
extern bool predict_read(PredictCall *call, FunctionCallInfo fcinfo, int argument);

/* The same, and score it into call->scores. */
extern bool predict_row(PredictCall *call, FunctionCallInfo fcinfo, int argument);

/* The same for a columns form: names in one argument, their values from the next on. */
extern void predict_read_named(PredictCall *call, FunctionCallInfo fcinfo, int names_argument);
extern void predict_named(PredictCall *call, FunctionCallInfo fcinfo, int names_argument);

/* One row in one form -> call->cells. */
extern void read_record(PredictCall *call, Datum datum);
extern bool read_jsonb(PredictCall *call, Datum datum);	/* false for JSON null */
extern bool read_text(PredictCall *call, Datum datum);

/* Match a model's inputs to columns. */
extern InputBinding *binding_match(const Model *model, const char *origin, const RowColumn *columns, int ncolumns, MemoryContext context);

/*
 * Narrow a source to what the model takes and one column more (NULL for none); returns the binding to what is then fetched.
 */
extern InputBinding *bind_source(const Model *model, const char *origin, Source *source, const char *also);

/* The arguments of a call -> (ninputs) cells; attributes count from the first. */
extern void binding_read_arguments(const InputBinding *binding, const NullableDatum *arguments, double *cells);

/* Text (JSON string, untyped literal) -> the cell of an input; false where it is no value of the input's kind, and the error for that. */
extern bool binding_parse(const Model *model, int input, const char *text, int length, double *cell);
pg_noreturn extern void binding_unreadable(const Model *model, const char *origin, int input, const char *text, int length);

/* Was the column of a built-in type of this kind at training, however the model reads it? */
extern bool binding_trained_on(const InputColumn *input, ColumnKind kind);
pg_noreturn extern void binding_missing(const char *origin, const InputColumn *input, const char *hint);

/* "a number", "an interval"...: for messages. */
extern const char *kind_phrase(ColumnKind kind);

/* The functions that give or take prepared rows. */
extern Datum ml_transform(PG_FUNCTION_ARGS);
extern Datum ml_transform_named(PG_FUNCTION_ARGS);
extern Datum ml_inverse_transform(PG_FUNCTION_ARGS);

/* ---- answers from scores ---- */
extern int	answer_class(const Model *model, const double *scores);	/* the winning class */
extern double answer_probability(const Model *model, const double *scores, int class_index);
extern int	answer_default_class(const Model *model, const double *scores); /* whose probability is told when none is named */

#endif
