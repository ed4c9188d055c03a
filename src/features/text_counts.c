/*
 * text_counts.c
 *		How often each n-gram of a vocabulary occurs in a text, as scikit-learn's CountVectorizer; weighted by how rare it is, as its TfidfVectorizer.
 *
 * idf = log((1 + rows) / (1 + rows with the n-gram)) + 1, rows divided by their Euclidean length.  The vocabulary is what training rows hold, the most frequent
 * max_features of it (1,000 here; of equals the bytewise first, where scikit-learn's choice is arbitrary), columns in bytewise order.  A missing text is an empty one:
 * all zeros.  The reading of words is text.c's.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/mathfn.h"
#include "features/text_internal.h"

typedef struct CountOptions
{
	int			max_features;
	double		min_df;
	double		max_df;
	int			analyzer;
	int			least;
	int			most;
	NameList	stop_words;
	bool		binary;
	bool		sublinear_tf;
	int			norm;
} CountOptions;

#define OPTION(field) offsetof(CountOptions, field)
#define MOST_COLUMNS 10000

static const char *const analyzers[] = {"word", "char", NULL};

#define COUNT_PARAMETERS \
	{.name = "max_features", .type = PARAM_INT, .offset = OPTION(max_features), .fallback = 1000, .min = 1, .max = MOST_COLUMNS, .help = "columns at most"}, \
	{.name = "min_df", .type = PARAM_FLOAT, .offset = OPTION(min_df), .fallback = 1, .min = 0, .max = 1e12, \
	.help = "n-grams in fewer rows, or below 1 in a smaller share of them, are left out"}, \
	{.name = "max_df", .type = PARAM_FLOAT, .offset = OPTION(max_df), .fallback = 1, .min = 0, .max = 1e12, \
	.help = "n-grams in more rows, or up to 1 in a greater share of them, are left out"}, \
	{.name = "analyzer", .type = PARAM_CHOICE, .offset = OPTION(analyzer), .choices = analyzers, .help = "n-grams of words or of characters"}, \
	{.name = "ngram_min", .type = PARAM_INT, .offset = OPTION(least), .fallback = 1, .min = 1, .max = MOST_NGRAM, \
	.help = "words or characters of the shortest n-grams"}, \
	{.name = "ngram_max", .type = PARAM_INT, .offset = OPTION(most), .fallback = 1, .min = 1, .max = MOST_NGRAM, .help = "and of the longest"}, \
	{.name = "stop_words", .type = PARAM_NAMES, .offset = OPTION(stop_words), .help = "words that count as not there, in lower case"}, \
	{.name = "binary", .type = PARAM_BOOL, .offset = OPTION(binary), .help = "1 however often"}

static const Parameter count_parameters[] = {
	COUNT_PARAMETERS
};

static const Parameter tfidf_parameters[] = {
	COUNT_PARAMETERS,
	{.name = "sublinear_tf", .type = PARAM_BOOL, .offset = OPTION(sublinear_tf), .help = "1 + log(count) instead of the count"},
	{.name = "norm", .type = PARAM_CHOICE, .offset = OPTION(norm), .fallback = NORM_L2, .choices = norm_names, .help = "what a row's length is made 1 by"}
};

typedef struct TextCounts
{
	TextReader	reader;
	Dictionary *vocabulary;		/* bytewise: the columns */
	double	   *idf;			/* (columns), or NULL: bare counts */
	bool		binary;
	bool		sublinear;
	int			norm;
	const Dictionary *texts;	/* those of the cells */
} TextCounts;

/* ---- fitting ---- */

static const char *
counts_check(const void *parameters)
{
	const CountOptions *options = parameters;

	return options->least <= options->most ? NULL : "ngram_min must not be greater than ngram_max";
}

/* All n-grams of the training rows. */
typedef struct Census
{
	Dictionary *ngrams;
	int			room;
	int64	   *count;			/* (room) */
	int64	   *rows;			/* (room) that hold it */
	int64	   *last;			/* (room) the last of them, from 1 */
	int64		row;
	Budget	   *budget;
	Size		booked;
} Census;

static void
book_census(Census *census)
{
	Size		bytes = dictionary_memory(census->ngrams) + 3 * sizeof(int64) * census->room;

	if (census->budget == NULL || bytes <= census->booked)
		return;
	budget_take(census->budget, bytes - census->booked, "the words of a text column");
	census->booked = bytes;
}

static void
census_grow(Census *census)
{
	int			room = census->room * 2;
	Size		bytes = sizeof(int64) * room;

	census->count = repalloc_huge(census->count, bytes);
	census->rows = repalloc_huge(census->rows, bytes);
	census->last = repalloc_huge(census->last, bytes);
	for (int i = census->room; i < room; i++)
		census->count[i] = census->rows[i] = census->last[i] = 0;
	census->room = room;
	book_census(census);
}

static void
count_ngram(void *state, const char *ngram, int length)
{
	Census	   *census = state;
	int			code = dictionary_add(census->ngrams, ngram, length);

	if (code >= census->room)
		census_grow(census);
	census->count[code]++;
	if (census->last[code] == census->row)
		return;
	census->last[code] = census->row;
	census->rows[code]++;
}

static void
take_census(const FitSample *sample, TextCounts *counts, Census *census)
{
	census->ngrams = dictionary_create(CurrentMemoryContext);
	census->room = 1024;
	census->count = palloc0(sizeof(int64) * census->room);
	census->rows = palloc0(sizeof(int64) * census->room);
	census->last = palloc0(sizeof(int64) * census->room);
	for (int64 i = 0; i < sample->n; i++)
	{
		double		cell = sample->value[0][i];

		CHECK_FOR_INTERRUPTS();
		census->row = i + 1;
		if (!isnan(cell))
			read_ngrams(&counts->reader, dictionary_text(counts->texts, (int) cell), dictionary_length(counts->texts, (int) cell), count_ngram, census);
		if (i % 1024 == 0)
			book_census(census);
	}
}

static int
by_count(const void *a, const void *b, void *census)
{
	const Census *c = census;
	int			x = *(const int *) a;
	int			y = *(const int *) b;
	int			order;

	CHECK_FOR_INTERRUPTS();
	if (c->count[x] != c->count[y])
		return c->count[x] > c->count[y] ? -1 : 1;
	order = memcmp(dictionary_text(c->ngrams, x), dictionary_text(c->ngrams, y), Min(dictionary_length(c->ngrams, x), dictionary_length(c->ngrams, y)));
	return order != 0 ? order : dictionary_length(c->ngrams, x) - dictionary_length(c->ngrams, y);
}

/* A bound that is a share of the rows or a number of them. */
static double
rows_bound(double bound, bool share, int64 n)
{
	return share ? bound * (double) n : bound;
}

/* The n-grams that become columns: their codes, the most frequent first. */
static int *
choose_ngrams(const CountOptions *options, const Census *census, int64 n, int *nchosen)
{
	int			size = dictionary_size(census->ngrams);
	int		   *chosen = palloc_extended(sizeof(int) * Max(size, 1), MCXT_ALLOC_HUGE);
	double		least = rows_bound(options->min_df, options->min_df < 1.0, n);
	double		most = rows_bound(options->max_df, options->max_df <= 1.0, n);

	*nchosen = 0;
	for (int code = 0; code < size; code++)
		if ((double) census->rows[code] >= least && (double) census->rows[code] <= most)
			chosen[(*nchosen)++] = code;
	if (*nchosen > options->max_features)
	{
		qsort_arg(chosen, *nchosen, sizeof(int), by_count, unconstify(Census *, census));
		*nchosen = options->max_features;
	}
	return chosen;
}

static void
make_columns(TextCounts *counts, const CountOptions *options, const Census *census, int64 n, bool weighted)
{
	int			nchosen;
	int		   *chosen = choose_ngrams(options, census, n, &nchosen);
	int		   *column;

	counts->vocabulary = dictionary_create(CurrentMemoryContext);
	for (int i = 0; i < nchosen; i++)
		(void) dictionary_add(counts->vocabulary, dictionary_text(census->ngrams, chosen[i]), dictionary_length(census->ngrams, chosen[i]));
	column = dictionary_sort(counts->vocabulary);
	if (weighted)
		counts->idf = palloc(sizeof(double) * Max(nchosen, 1));
	for (int i = 0; i < nchosen && weighted; i++)
		counts->idf[column[i]] = math_log((1.0 + (double) n) / (1.0 + (double) census->rows[chosen[i]])) + 1.0;
	pfree(column);
	pfree(chosen);
}

static void
set_stop_words(TextReader *reader, const NameList *words)
{
	if (words->n == 0)
		return;
	reader->stop_words = dictionary_create(CurrentMemoryContext);
	for (int i = 0; i < words->n; i++)
		(void) dictionary_add(reader->stop_words, words->name[i], (int) strlen(words->name[i]));
}

static void *
fit_counts(FitSample *sample, bool weighted)
{
	const CountOptions *options = sample->parameters;
	TextCounts *counts = palloc0(sizeof(TextCounts));
	Census		census = {.budget = sample->options->budget};

	text_reader_init(&counts->reader, options->analyzer, options->least, options->most);
	set_stop_words(&counts->reader, &options->stop_words);
	counts->binary = options->binary;
	counts->sublinear = options->sublinear_tf;
	counts->norm = weighted ? options->norm : NORM_NONE;
	counts->texts = sample->operand->dictionary;
	take_census(sample, counts, &census);
	make_columns(counts, options, &census, sample->n, weighted);
	if (census.booked > 0)
		budget_return(census.budget, census.booked);
	if (dictionary_size(counts->vocabulary) > 0)
		return counts;
	sample->why_unused = "no word of it is left";
	return NULL;
}

static void *
counts_fit(FitSample *sample)
{
	return fit_counts(sample, false);
}

static void *
tfidf_fit(FitSample *sample)
{
	return fit_counts(sample, true);
}

static int
counts_width(const void *fitted)
{
	const TextCounts *counts = fitted;

	return dictionary_size(counts->vocabulary);
}

static void
counts_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const TextCounts *counts = fitted;

	for (int j = 0; j < counts_width(fitted); j++)
		outputs[j].name = psprintf("%s: %s", operand->name, dictionary_text(counts->vocabulary, j));
}

/* ---- applying ---- */

typedef struct CountedRow
{
	const TextCounts *counts;
	double	   *out;
} CountedRow;

static void
count_column(void *state, const char *ngram, int length)
{
	CountedRow *row = state;
	int			column = dictionary_find(row->counts->vocabulary, ngram, length);

	if (column >= 0)
		row->out[column] += 1.0;
}

static void
weigh_row(const TextCounts *counts, double *out, int width)
{
	for (int j = 0; j < width; j++)
	{
		if (out[j] == 0.0)
			continue;
		if (counts->binary)
			out[j] = 1.0;
		if (counts->sublinear)
			out[j] = 1.0 + math_log(out[j]);
		if (counts->idf != NULL)
			out[j] *= counts->idf[j];
	}
	normalise_row(out, width, counts->norm);
}

static void
counts_apply(const void *fitted, const ApplyRows *rows)
{
	const TextCounts *counts = fitted;
	int			width = counts_width(fitted);

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		CountedRow	row = {counts, rows->out + (Size) i * rows->out_stride};

		memset(row.out, 0, sizeof(double) * width);
		if (!(cell >= 0.0 && cell <= PG_INT32_MAX))
			continue;
		read_ngrams(unconstify(TextReader *, &counts->reader), dictionary_text(counts->texts, (int) cell), dictionary_length(counts->texts, (int) cell),
				  count_column, &row);
		weigh_row(counts, row.out, width);
	}
}

static void
counts_learned(const void *fitted, const OutputColumn *operand, int noperands, LearnedLine line, void *state)
{
	const TextCounts *counts = fitted;

	for (int j = 0; j < counts_width(fitted); j++)
		line(state, dictionary_text(counts->vocabulary, j), NULL, counts->idf != NULL ? counts->idf[j] : 1.0);
}

/* ---- stored form ---- */

static void
counts_flatten(const void *fitted, ByteWriter *w)
{
	const TextCounts *counts = fitted;

	text_reader_flatten(&counts->reader, w);
	put_u8(w, counts->binary);
	put_u8(w, counts->sublinear);
	put_u8(w, (uint8) counts->norm);
	put_u8(w, counts->idf != NULL);
	put_u32(w, (uint32) counts_width(fitted));
	for (int j = 0; j < counts_width(fitted); j++)
	{
		put_text(w, dictionary_text(counts->vocabulary, j));
		if (counts->idf != NULL)
			put_f64(w, counts->idf[j]);
	}
}

static void *
counts_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	TextCounts *counts = palloc0(sizeof(TextCounts));
	int			width;
	bool		weighted;

	text_reader_unflatten(&counts->reader, r);
	counts->binary = get_flag(r);
	counts->sublinear = get_flag(r);
	counts->norm = get_u8(r);
	weighted = get_flag(r);
	width = (int) get_count(r, sizeof(uint32), MOST_COLUMNS);
	if (width == 0 || counts->norm > NORM_L2)
		damaged(r, "The words of column \"%s\" are none.", operand->name);
	counts->vocabulary = dictionary_create(CurrentMemoryContext);
	counts->idf = weighted ? palloc(sizeof(double) * width) : NULL;
	for (int j = 0; j < width; j++)
	{
		char	   *ngram = get_text(r);

		if (ngram == NULL || dictionary_add(counts->vocabulary, ngram, (int) strlen(ngram)) != j)
			damaged(r, "The words of column \"%s\" are not all different.", operand->name);
		if (weighted)
			counts->idf[j] = get_finite(r);
	}
	counts->texts = operand->dictionary;
	return counts;
}

#define COUNTS_FUNCTIONS \
	.kinds = 1 << KIND_TEXT, \
	.options_size = sizeof(CountOptions), \
	.check = counts_check, \
	.width = counts_width, \
	.name_outputs = counts_name_outputs, \
	.apply = counts_apply, \
	.flatten = counts_flatten, \
	.unflatten = counts_unflatten, \
	.learned = counts_learned

const Transform text_counts_transform = {
	.name = "token_counts",
	.family = "text",
	.help = "how often each n-gram of a vocabulary occurs in a text; NULL is all zeros",
	.id = 73,
	.aliases = (const TransformAlias[]) {{.name = "CountVectorizer"}, {.name = "bag_of_words"}, {.name = NULL}},
	.parameters = count_parameters,
	.nparameters = lengthof(count_parameters),
	.fit = counts_fit,
	COUNTS_FUNCTIONS
};

const Transform tfidf_transform = {
	.name = "tfidf",
	.family = "text",
	.help = "the same weighted by how rare the n-gram is among the training rows; NULL is all zeros",
	.id = 74,
	.aliases = (const TransformAlias[]) {{.name = "TfidfVectorizer"}, {.name = "tf_idf"}, {.name = NULL}},
	.parameters = tfidf_parameters,
	.nparameters = lengthof(tfidf_parameters),
	.fit = tfidf_fit,
	COUNTS_FUNCTIONS
};
