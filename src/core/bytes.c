/*
 * bytes.c
 *		Writing and distrusting bytes: everything a model stores goes through these.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "core/bytes.h"

/* The length that stands for NULL in front of a text. */
#define TEXT_IS_NULL PG_UINT32_MAX

#ifdef WORDS_BIGENDIAN
#define little16(x) pg_bswap16(x)
#define little32(x) pg_bswap32(x)
#define little64(x) pg_bswap64(x)
#else
#define little16(x) (x)
#define little32(x) (x)
#define little64(x) (x)
#endif

/* ---- writing ---- */

void
put_bytes(ByteWriter *w, const void *data, Size length)
{
	if (length > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a part of the model takes %zu bytes, more than a value can hold", length)));
	appendBinaryStringInfo(w, data, (int) length);
}

void
put_u8(ByteWriter *w, uint8 value)
{
	put_bytes(w, &value, sizeof(value));
}

void
put_u16(ByteWriter *w, uint16 value)
{
	value = little16(value);
	put_bytes(w, &value, sizeof(value));
}

void
put_u32(ByteWriter *w, uint32 value)
{
	value = little32(value);
	put_bytes(w, &value, sizeof(value));
}

void
put_u64(ByteWriter *w, uint64 value)
{
	value = little64(value);
	put_bytes(w, &value, sizeof(value));
}

void
put_f64(ByteWriter *w, double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	put_u64(w, bits);
}

void
put_text(ByteWriter *w, const char *text)
{
	char	   *utf8;
	Size		length;

	if (text == NULL)
	{
		put_u32(w, TEXT_IS_NULL);
		return;
	}
	utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	length = strlen(utf8);
	put_u32(w, (uint32) length);
	put_bytes(w, utf8, length);
	if (utf8 != text)
		pfree(utf8);
}

/* ---- reading ---- */

void
damaged(const ByteReader *r, const char *detail,...)
{
	StringInfoData text;
	va_list		args;
	int			needed;

	initStringInfo(&text);
	for (;;)
	{
		va_start(args, detail);
		needed = appendStringInfoVA(&text, detail, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("%s is damaged", r->origin),
			 errdetail_internal("%s", text.data),
			 r->way_out ? errhint("%s", r->way_out) : 0));
}

bool
reader_at_end(const ByteReader *r)
{
	return r->at == r->end;
}

const uint8 *
get_bytes(ByteReader *r, Size length)
{
	const uint8 *at = r->at;

	if (length > (Size) (r->end - r->at))
		damaged(r, "%zu more bytes were expected, %zu are left.", length, (Size) (r->end - r->at));
	r->at += length;
	return at;
}

uint8
get_u8(ByteReader *r)
{
	return *get_bytes(r, 1);
}

uint16
get_u16(ByteReader *r)
{
	uint16		value;

	memcpy(&value, get_bytes(r, sizeof(value)), sizeof(value));
	return little16(value);
}

uint32
get_u32(ByteReader *r)
{
	uint32		value;

	memcpy(&value, get_bytes(r, sizeof(value)), sizeof(value));
	return little32(value);
}

uint64
get_u64(ByteReader *r)
{
	uint64		value;

	memcpy(&value, get_bytes(r, sizeof(value)), sizeof(value));
	return little64(value);
}

double
get_f64(ByteReader *r)
{
	uint64		bits = get_u64(r);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

double
get_finite(ByteReader *r)
{
	double		value = get_f64(r);

	if (!isfinite(value))
		damaged(r, "A number that must be finite is not.");
	return value;
}

uint32
get_count(ByteReader *r, Size element_size, uint32 limit)
{
	uint32		count = get_u32(r);
	Size		left = r->end - r->at;

	if (count > limit)
		damaged(r, "A count of %u was found where at most %u is possible.", count, limit);
	if (element_size > 0 && count > left / element_size)
		damaged(r, "%u elements of at least %zu bytes were announced, %zu bytes are left.", count, element_size, left);
	return count;
}

char *
get_text(ByteReader *r)
{
	uint32		length = get_u32(r);
	const uint8 *utf8;
	char	   *text;
	char	   *converted;

	if (length == TEXT_IS_NULL)
		return NULL;
	utf8 = get_bytes(r, length);
	if (!pg_verify_mbstr(PG_UTF8, (const char *) utf8, length, true))
		damaged(r, "A text is not valid UTF-8.");

	text = pnstrdup((const char *) utf8, length);
	converted = pg_any_to_server(text, length, PG_UTF8);
	if (converted != text)
		pfree(text);
	return converted;
}
