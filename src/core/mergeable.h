/*
 * mergeable.h
 *		What the states of our aggregates have in common: types of their own whose values are flat, merged by parallel workers and on other
 *		nodes, stored in tables and sent as text or binary.
 *
 * A transition function changes its state in place or returns a new one from the current context; it never frees or resizes the one it was
 * given (the executor copies a new state to where it belongs and drops the old).  NULL is the empty state.  Bytes from outside are distrusted.
 */
#ifndef RELEARN_CORE_MERGEABLE_H
#define RELEARN_CORE_MERGEABLE_H

#include "fmgr.h"

#include "core/bytes.h"

/* Every state begins so. */
typedef struct StateHeader
{
	int32		vl_len_;		/* varlena header, set by state_new() */
	uint32		format;			/* of the StateKind: kind and version */
	int64		n;				/* rows counted */
	int64		missing;		/* rows left out because a value was NULL or NaN */
} StateHeader;

typedef struct StateKind
{
	const char *type;			/* "ml.label_state" */
	uint32		format;			/* never reused */
	void		(*write) (const void *state, ByteWriter *w);	/* what follows the header */
	void	   *(*read) (ByteReader *r, int64 n);	/* a new state; n rows were announced by the header */
	void	   *(*merge) (void *state, const void *other);	/* state with other added, or a new one; the header is seen to */
} StateKind;

#define STATE_MAX_ROWS (INT64CONST(1) << 53)

/* A zeroed state of so many bytes in the current context.  PROGRAM_LIMIT_EXCEEDED past 1 GB. */
extern void *state_new(const StateKind *kind, Size size);

/* A state argument to read from, or NULL. */
extern void *state_argument(FunctionCallInfo fcinfo, int argument, const StateKind *kind);

/* The first argument, to be changed in place, or NULL; an error outside of an aggregate. */
extern void *state_in_place(FunctionCallInfo fcinfo, const StateKind *kind);

extern Datum state_combine(FunctionCallInfo fcinfo, const StateKind *kind);
extern Datum state_in(FunctionCallInfo fcinfo, const StateKind *kind);
extern Datum state_out(FunctionCallInfo fcinfo, const StateKind *kind);
extern Datum state_receive(FunctionCallInfo fcinfo, const StateKind *kind);
extern Datum state_send(FunctionCallInfo fcinfo, const StateKind *kind);

/* The functions of a state type: ml_<name>_combine, _in, _out, _receive, _send. */
#define STATE_TYPE_FUNCTIONS(name, kind) \
	PG_FUNCTION_INFO_V1(ml_##name##_combine); \
	PG_FUNCTION_INFO_V1(ml_##name##_in); \
	PG_FUNCTION_INFO_V1(ml_##name##_out); \
	PG_FUNCTION_INFO_V1(ml_##name##_receive); \
	PG_FUNCTION_INFO_V1(ml_##name##_send); \
	Datum ml_##name##_combine(PG_FUNCTION_ARGS) { return state_combine(fcinfo, kind); } \
	Datum ml_##name##_in(PG_FUNCTION_ARGS) { return state_in(fcinfo, kind); } \
	Datum ml_##name##_out(PG_FUNCTION_ARGS) { return state_out(fcinfo, kind); } \
	Datum ml_##name##_receive(PG_FUNCTION_ARGS) { return state_receive(fcinfo, kind); } \
	Datum ml_##name##_send(PG_FUNCTION_ARGS) { return state_send(fcinfo, kind); }

#endif
