/*
 * bytes.h
 *		Writing and distrusting bytes: everything a model stores goes through these.
 *
 * All numbers are little-endian, floats are IEEE 754 binary64, text is UTF-8 with its length in front.  The reader checks what is left
 * before every read; damage ends in ERRCODE_DATA_CORRUPTED that names the origin.
 */
#ifndef RELEARN_CORE_BYTES_H
#define RELEARN_CORE_BYTES_H

#include "lib/stringinfo.h"

#include "compat.h"

/* pg_attribute_printf names gnu_printf where the server was built with GCC; clang does not know that and warns. */
#define printf_like(format_argument, first_argument) __attribute__((format(printf, format_argument, first_argument)))

typedef StringInfoData ByteWriter;	/* initStringInfo() it; data and len are the result */

extern void put_u8(ByteWriter *w, uint8 value);
extern void put_u16(ByteWriter *w, uint16 value);
extern void put_u32(ByteWriter *w, uint32 value);
extern void put_u64(ByteWriter *w, uint64 value);
extern void put_f64(ByteWriter *w, double value);
extern void put_bytes(ByteWriter *w, const void *data, Size length);
extern void put_text(ByteWriter *w, const char *text);	/* in the server's encoding; NULL is kept apart from '' */

typedef struct ByteReader
{
	const uint8 *at;
	const uint8 *end;
	const char *origin;			/* for messages: 'model "churn" version 3' */
	const char *way_out;		/* hint where the bytes are damaged, or NULL */
} ByteReader;

extern uint8 get_u8(ByteReader *r);
extern uint16 get_u16(ByteReader *r);
extern uint32 get_u32(ByteReader *r);
extern uint64 get_u64(ByteReader *r);
extern double get_f64(ByteReader *r);
extern double get_finite(ByteReader *r);	/* a float that must be neither NaN nor infinite */
extern const uint8 *get_bytes(ByteReader *r, Size length);
extern char *get_text(ByteReader *r);	/* palloc'd, server encoding, NUL-terminated; NULL where NULL was put */

/* A u32 count up to limit, whose elements of at least element_size bytes each must still fit. */
extern uint32 get_count(ByteReader *r, Size element_size, uint32 limit);

extern bool reader_at_end(const ByteReader *r);
pg_noreturn extern void damaged(const ByteReader *r, const char *detail,...) printf_like(2, 3);

#endif
