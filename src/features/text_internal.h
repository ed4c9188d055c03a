/*
 * text_internal.h
 *		From texts to their words and n-grams.
 */
#ifndef RELEARN_FEATURES_TEXT_INTERNAL_H
#define RELEARN_FEATURES_TEXT_INTERNAL_H

#include "lib/stringinfo.h"

#include "features/features_internal.h"

typedef enum Analyzer
{
	ANALYZER_WORD,				/* n-grams of words, one blank between them */
	ANALYZER_CHAR,				/* of characters, runs of blanks being one */
	ANALYZER_WHOLE				/* the text itself */
} Analyzer;

/* How texts are read, and scratch for one. */
typedef struct TextReader
{
	int			analyzer;
	int			least,			/* n of the n-grams, least .. most */
				most;
	Dictionary *stop_words;		/* words that count as not there; NULL: none */

	StringInfoData clean;		/* lower case, one blank between words */
	int			nunits;
	int			unit_room;
	int		   *start;			/* (nunits) of each word or character in "clean", and its end */
	int		   *end;
} TextReader;

#define MOST_NGRAM 5

/* In the current memory context. */
extern void text_reader_init(TextReader *reader, int analyzer, int least, int most);

/* Called with each n-gram, in order. */
typedef void (*SeenNgram) (void *state, const char *ngram, int length);

/* The n-grams of a text's first TEXT_BYTES. */
extern void read_ngrams(TextReader *reader, const char *text, int length, SeenNgram seen, void *state);

extern void text_reader_flatten(const TextReader *reader, ByteWriter *w);
extern void text_reader_unflatten(TextReader *reader, ByteReader *r);

typedef enum Norm
{
	NORM_NONE,
	NORM_L1,
	NORM_L2
} Norm;

extern const char *const norm_names[];

/* Divide a row by its length; one of zeros stays. */
extern void normalise_row(double *row, int n, int norm);

#endif
