/*
 * text.c
 *		Words as scikit-learn's text vectorizers find them: lower case, two or more letters, digits or underscores in a row; and n-grams of them.
 *
 * Letters beyond ASCII are told by ranges, not by the Unicode tables: everything from U+00C0 on but punctuation, symbols and pictures is one, and Latin, Greek and
 * Cyrillic letters become lower case.  In databases of another encoding than UTF-8 all bytes beyond ASCII are letters.  Nothing depends on the locale.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "features/text_internal.h"

/* ---- characters ---- */

static bool
in_range(pg_wchar c, pg_wchar first, pg_wchar last)
{
	return c >= first && c <= last;
}

static bool
is_letter(pg_wchar c)
{
	if (c < 0x80)
		return in_range(c, 'a', 'z') || in_range(c, 'A', 'Z') || in_range(c, '0', '9') || c == '_';
	if (c < 0xC0)
		return c == 0xAA || c == 0xB5 || c == 0xBA;
	return !(c == 0xD7 || c == 0xF7 || in_range(c, 0x2000, 0x2BFF) || in_range(c, 0x3000, 0x3004) || in_range(c, 0x3008, 0x3020) ||
			 in_range(c, 0xE000, 0xF8FF) || in_range(c, 0xFE10, 0xFE1F) || in_range(c, 0xFE30, 0xFE6F) || in_range(c, 0xFF01, 0xFF0F) ||
			 in_range(c, 0xFF1A, 0xFF20) || in_range(c, 0xFF3B, 0xFF40) || in_range(c, 0xFF5B, 0xFF65) || in_range(c, 0x1F000, 0x1FAFF));
}

static bool
is_blank(pg_wchar c)
{
	return c == ' ' || in_range(c, '\t', '\r') || c == 0xA0 || in_range(c, 0x2000, 0x200A) || c == 0x3000;
}

static pg_wchar
lower_case(pg_wchar c)
{
	if (in_range(c, 'A', 'Z') || (in_range(c, 0xC0, 0xDE) && c != 0xD7) || (in_range(c, 0x391, 0x3A9) && c != 0x3A2) || in_range(c, 0x410, 0x42F))
		return c + 0x20;
	if (in_range(c, 0x400, 0x40F))
		return c + 0x50;
	if (in_range(c, 0x139, 0x148) || in_range(c, 0x179, 0x17E))
		return c + (c & 1);		/* pairs that begin at an odd number */
	if (in_range(c, 0x100, 0x137) || in_range(c, 0x14A, 0x177))
		return c == 0x130 ? 'i' : c | 1;
	switch (c)
	{
		case 0x178:
			return 0xFF;
		case 0x386:
			return 0x3AC;
		case 0x388:
		case 0x389:
		case 0x38A:
			return c + 0x25;
		case 0x38C:
			return 0x3CC;
		case 0x38E:
		case 0x38F:
			return c + 0x3F;
		default:
			return c;
	}
}

/* The character at a text's start; its bytes into *length. */
static pg_wchar
take_character(const char *text, int left, bool utf8, int *length)
{
	const unsigned char *s = (const unsigned char *) text;

	*length = 1;
	if (*s < 0x80)
		return *s;
	if (!utf8)
		return 0xFF;			/* some letter */
	*length = Min(pg_utf_mblen(s), left);
	return *length > 1 ? utf8_to_unicode(s) : 0xFF;
}

static void
put_character(StringInfo out, pg_wchar c, const char *as_it_was, int length)
{
	unsigned char bytes[MAX_MULTIBYTE_CHAR_LEN];

	if (c < 0x80)
		appendStringInfoCharMacro(out, (char) c);
	else if (length == 1)
		appendStringInfoCharMacro(out, *as_it_was);
	else
	{
		unicode_to_utf8(c, bytes);
		appendBinaryStringInfo(out, (const char *) bytes, pg_utf_mblen(bytes));
	}
}

/* ---- words and characters of a text ---- */

void
text_reader_init(TextReader *reader, int analyzer, int least, int most)
{
	*reader = (TextReader) {.analyzer = analyzer, .least = least, .most = most, .unit_room = 64};
	initStringInfo(&reader->clean);
	reader->start = palloc(sizeof(int) * reader->unit_room);
	reader->end = palloc(sizeof(int) * reader->unit_room);
}

static void
add_unit(TextReader *reader, int start)
{
	if (reader->nunits == reader->unit_room)
	{
		reader->unit_room *= 2;
		reader->start = repalloc(reader->start, sizeof(int) * reader->unit_room);
		reader->end = repalloc(reader->end, sizeof(int) * reader->unit_room);
	}
	reader->start[reader->nunits] = start;
	reader->end[reader->nunits++] = reader->clean.len;
}

/* The word from "start" to the end of "clean" is complete: keep it, or take it back. */
static void
end_word(TextReader *reader, int start, int characters)
{
	StringInfo	clean = &reader->clean;
	bool		kept = characters >= 2;

	if (kept && reader->stop_words != NULL)
		kept = dictionary_find(reader->stop_words, clean->data + start, clean->len - start) < 0;
	if (kept)
	{
		add_unit(reader, start);
		appendStringInfoCharMacro(clean, ' ');
	}
	else
	{
		clean->len = start;
		clean->data[start] = '\0';
	}
}

static void
find_words(TextReader *reader, const char *text, int length)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int			start = 0;
	int			characters = 0;

	for (int at = 0, bytes; at < length; at += bytes)
	{
		pg_wchar	c = take_character(text + at, length - at, utf8, &bytes);

		if (is_letter(c))
		{
			if (characters++ == 0)
				start = reader->clean.len;
			put_character(&reader->clean, lower_case(c), text + at, bytes);
		}
		else if (characters > 0)
		{
			end_word(reader, start, characters);
			characters = 0;
		}
	}
	if (characters > 0)
		end_word(reader, start, characters);
}

static void
find_characters(TextReader *reader, const char *text, int length)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	bool		blank = false;

	for (int at = 0, bytes; at < length; at += bytes)
	{
		pg_wchar	c = take_character(text + at, length - at, utf8, &bytes);
		int			start = reader->clean.len;

		if (is_blank(c) && blank)
			continue;
		blank = is_blank(c);
		put_character(&reader->clean, blank ? ' ' : lower_case(c), text + at, bytes);
		add_unit(reader, start);
	}
}

void
read_ngrams(TextReader *reader, const char *text, int length, SeenNgram seen, void *state)
{
	length = Min(length, TEXT_BYTES);
	if (reader->analyzer == ANALYZER_WHOLE)
	{
		seen(state, text, length);
		return;
	}
	resetStringInfo(&reader->clean);
	reader->nunits = 0;
	if (reader->analyzer == ANALYZER_WORD)
		find_words(reader, text, length);
	else
		find_characters(reader, text, length);
	for (int n = reader->least; n <= reader->most; n++)
		for (int i = 0; i + n <= reader->nunits; i++)
			seen(state, reader->clean.data + reader->start[i], reader->end[i + n - 1] - reader->start[i]);
}

/* ---- stored form ---- */

void
text_reader_flatten(const TextReader *reader, ByteWriter *w)
{
	int			nstop = reader->stop_words != NULL ? dictionary_size(reader->stop_words) : 0;

	put_u8(w, (uint8) reader->analyzer);
	put_u8(w, (uint8) reader->least);
	put_u8(w, (uint8) reader->most);
	put_u32(w, (uint32) nstop);
	for (int i = 0; i < nstop; i++)
		put_text(w, dictionary_text(reader->stop_words, i));
}

void
text_reader_unflatten(TextReader *reader, ByteReader *r)
{
	int			analyzer = get_u8(r);
	int			least = get_u8(r);
	int			most = get_u8(r);
	int			nstop;

	if (analyzer > ANALYZER_WHOLE || least < 1 || most < least || most > MOST_NGRAM)
		damaged(r, "Its texts are read in an unknown way.");
	text_reader_init(reader, analyzer, least, most);
	nstop = (int) get_count(r, sizeof(uint32), PG_INT16_MAX);
	if (nstop > 0)
		reader->stop_words = dictionary_create(CurrentMemoryContext);
	for (int i = 0; i < nstop; i++)
	{
		char	   *word = get_required_name(r);

		(void) dictionary_add(reader->stop_words, word, (int) strlen(word));
	}
}

/* ---- rows ---- */

const char *const norm_names[] = {"none", "l1", "l2", NULL};

void
normalise_row(double *row, int n, int norm)
{
	double		length = 0.0;

	if (norm == NORM_NONE)
		return;
	for (int j = 0; j < n; j++)
		length += norm == NORM_L1 ? fabs(row[j]) : row[j] * row[j];
	if (norm == NORM_L2)
		length = sqrt(length);
	if (length == 0.0)
		return;
	for (int j = 0; j < n; j++)
		row[j] /= length;
}
