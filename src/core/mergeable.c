/*
 * mergeable.c
 *		What the states of our aggregates have in common: headers, text and binary form, access from transition functions.
 *
 * The binary form is u32 format, u64 n, u64 missing, then what the kind writes; the text form is the same in hexadecimal behind \x.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "core/mergeable.h"

static void
check_size(const StateKind *kind, Size size)
{
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a value of type %s would exceed 1 GB", kind->type),
				 errhint("Aggregate over fewer rows, or over a sample of them.")));
}

void *
state_new(const StateKind *kind, Size size)
{
	StateHeader *state;

	check_size(kind, size);
	state = palloc0(size);
	SET_VARSIZE(state, size);
	state->format = kind->format;
	return state;
}

void *
state_argument(FunctionCallInfo fcinfo, int argument, const StateKind *kind)
{
	StateHeader *state;

	if (PG_ARGISNULL(argument))
		return NULL;
	state = (StateHeader *) PG_DETOAST_DATUM(PG_GETARG_DATUM(argument));
	if (VARSIZE(state) < sizeof(StateHeader) || state->format != kind->format)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a value of type %s is damaged or of another version of the extension", kind->type)));
	return state;
}

void *
state_in_place(FunctionCallInfo fcinfo, const StateKind *kind)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a transition function of %s was called outside of an aggregate", kind->type)));
	return state_argument(fcinfo, 0, kind);
}

Datum
state_combine(FunctionCallInfo fcinfo, const StateKind *kind)
{
	StateHeader *state = state_in_place(fcinfo, kind);
	const StateHeader *other = state_argument(fcinfo, 1, kind);

	if (other != NULL && state != NULL)
	{
		state = kind->merge(state, other);
		state->n += other->n;
		state->missing += other->missing;
		PG_RETURN_POINTER(state);
	}
	if (other != NULL)
		PG_RETURN_POINTER(other);
	if (state != NULL)
		PG_RETURN_POINTER(state);
	PG_RETURN_NULL();
}

/* ---- text and binary form ---- */

static void
write_state(const StateKind *kind, const StateHeader *state, ByteWriter *w)
{
	put_u32(w, state->format);
	put_u64(w, (uint64) state->n);
	put_u64(w, (uint64) state->missing);
	kind->write(state, w);
}

static int64
read_rows(ByteReader *r)
{
	uint64		rows = get_u64(r);

	if (rows > STATE_MAX_ROWS)
		damaged(r, "A number of rows is out of range.");
	return (int64) rows;
}

static Datum
read_state(const StateKind *kind, const void *bytes, Size length)
{
	ByteReader	r = {
		bytes, (const uint8 *) bytes + length, psprintf("a value of type %s", kind->type), "Compute it again from the rows it stands for."
	};
	StateHeader *state;
	int64		n,
				missing;

	if (get_u32(&r) != kind->format)
		damaged(&r, "Its kind or version is not known.");
	n = read_rows(&r);
	missing = read_rows(&r);
	state = kind->read(&r, n);
	state->n = n;
	state->missing = missing;
	if (!reader_at_end(&r))
		damaged(&r, "More bytes follow than belong to it.");
	PG_RETURN_POINTER(state);
}

Datum
state_in(FunctionCallInfo fcinfo, const StateKind *kind)
{
	const char *text = PG_GETARG_CSTRING(0);
	Size		length = strlen(text);
	char	   *bytes;

	if (length < 2 || text[0] != '\\' || text[1] != 'x')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", kind->type),
				 errdetail("The text form is \\x and hexadecimal digits.")));
	bytes = palloc(length / 2);
	length = hex_decode(text + 2, length - 2, bytes);
	return read_state(kind, bytes, length);
}

Datum
state_out(FunctionCallInfo fcinfo, const StateKind *kind)
{
	const StateHeader *state = state_argument(fcinfo, 0, kind);
	ByteWriter	w;
	char	   *text;

	initStringInfo(&w);
	write_state(kind, state, &w);
	check_size(kind, 2 * (Size) w.len + 3);
	text = palloc(2 * (Size) w.len + 3);
	memcpy(text, "\\x", 2);
	text[2 + hex_encode(w.data, w.len, text + 2)] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
state_receive(FunctionCallInfo fcinfo, const StateKind *kind)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	Datum		state = read_state(kind, message->data + message->cursor, message->len - message->cursor);

	message->cursor = message->len;
	return state;
}

Datum
state_send(FunctionCallInfo fcinfo, const StateKind *kind)
{
	const StateHeader *state = state_argument(fcinfo, 0, kind);
	ByteWriter	w;
	bytea	   *result;

	initStringInfo(&w);
	write_state(kind, state, &w);
	check_size(kind, (Size) w.len + VARHDRSZ);
	result = palloc(w.len + VARHDRSZ);
	SET_VARSIZE(result, w.len + VARHDRSZ);
	memcpy(VARDATA(result), w.data, w.len);
	PG_RETURN_BYTEA_P(result);
}
