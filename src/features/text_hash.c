/*
 * text_hash.c
 *		Texts in a bounded number of columns without a vocabulary: each n-gram is counted in the column its hash names, with a sign that the hash gives too, so that
 *		collisions cancel on average (Weinberger et al. 2009); scikit-learn's HashingVectorizer and FeatureHasher, with another hash function.
 *
 * A text or level that training did not show has its place like any other.  A missing one is all zeros.
 */
#include "postgres.h"

#include <math.h>

#include "core/hash.h"
#include "features/text_internal.h"

typedef struct HashOptions
{
	int			n_features;
	int			analyzer;
	int			least;
	int			most;
	bool		alternate_sign;
	int			norm;
} HashOptions;

#define OPTION(field) offsetof(HashOptions, field)
#define MOST_FEATURES 4096

static const char *const analyzers[] = {"word", "char", NULL};

static const Parameter hashed_parameters[] = {
	{.name = "n_features", .type = PARAM_INT, .offset = OPTION(n_features), .fallback = 256, .min = 2, .max = MOST_FEATURES, .help = "columns"},
	{.name = "analyzer", .type = PARAM_CHOICE, .offset = OPTION(analyzer), .choices = analyzers, .help = "n-grams of words or of characters"},
	{.name = "ngram_min", .type = PARAM_INT, .offset = OPTION(least), .fallback = 1, .min = 1, .max = MOST_NGRAM, .help = "words or characters of the shortest n-grams"},
	{.name = "ngram_max", .type = PARAM_INT, .offset = OPTION(most), .fallback = 1, .min = 1, .max = MOST_NGRAM, .help = "and of the longest"},
	{.name = "alternate_sign", .type = PARAM_BOOL, .offset = OPTION(alternate_sign), .fallback = 1, .help = "half of the n-grams count down"},
	{.name = "norm", .type = PARAM_CHOICE, .offset = OPTION(norm), .fallback = NORM_L2, .choices = norm_names, .help = "what a row's length is made 1 by"},
};

static const Parameter level_parameters[] = {
	{.name = "n_features", .type = PARAM_INT, .offset = OPTION(n_features), .fallback = 8, .min = 2, .max = MOST_FEATURES, .help = "columns"},
	{.name = "alternate_sign", .type = PARAM_BOOL, .offset = OPTION(alternate_sign), .fallback = 1, .help = "half of the levels count down"},
};

typedef struct TextHash
{
	TextReader	reader;
	int			width;
	bool		alternate_sign;
	int			norm;
	const Dictionary *texts;	/* those of the cells */
} TextHash;

static const char *
hashed_check(const void *parameters)
{
	const HashOptions *options = parameters;

	return options->least <= options->most ? NULL : "ngram_min must not be greater than ngram_max";
}

static TextHash *
create_hash(const FitSample *sample, int analyzer)
{
	const HashOptions *options = sample->parameters;
	TextHash   *hash = palloc0(sizeof(TextHash));

	text_reader_init(&hash->reader, analyzer, Max(options->least, 1), Max(options->most, 1));
	hash->width = options->n_features;
	hash->alternate_sign = options->alternate_sign;
	hash->norm = options->norm;
	hash->texts = sample->operand->dictionary;
	return hash;
}

static void *
hashed_fit(FitSample *sample)
{
	const HashOptions *options = sample->parameters;

	return create_hash(sample, options->analyzer);
}

static void *
level_fit(FitSample *sample)
{
	return create_hash(sample, ANALYZER_WHOLE);
}

static int
hash_width(const void *fitted)
{
	const TextHash *hash = fitted;

	return hash->width;
}

static void
hash_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const TextHash *hash = fitted;

	for (int j = 0; j < hash->width; j++)
		outputs[j].name = psprintf("%s: hash %d", operand->name, j);
}

/* ---- applying ---- */

typedef struct HashedRow
{
	const TextHash *hash;
	double	   *out;
} HashedRow;

static void
count_hash(void *state, const char *ngram, int length)
{
	HashedRow  *row = state;
	uint64		bits = hash_text(ngram, length, 0);

	row->out[(bits & PG_UINT32_MAX) % row->hash->width] += row->hash->alternate_sign && (bits >> 63) ? -1.0 : 1.0;
}

static void
hash_apply(const void *fitted, const ApplyRows *rows)
{
	const TextHash *hash = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		double		cell = rows->cells[(Size) i * rows->stride];
		HashedRow	row = {hash, rows->out + (Size) i * rows->out_stride};

		memset(row.out, 0, sizeof(double) * hash->width);
		if (!(cell >= 0.0 && cell <= PG_INT32_MAX))
			continue;
		read_ngrams(unconstify(TextReader *, &hash->reader), dictionary_text(hash->texts, (int) cell), dictionary_length(hash->texts, (int) cell), count_hash, &row);
		normalise_row(row.out, hash->width, hash->norm);
	}
}

/* ---- stored form ---- */

static void
hash_flatten(const void *fitted, ByteWriter *w)
{
	const TextHash *hash = fitted;

	text_reader_flatten(&hash->reader, w);
	put_u32(w, (uint32) hash->width);
	put_u8(w, hash->alternate_sign);
	put_u8(w, (uint8) hash->norm);
}

static void *
hash_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	TextHash   *hash = palloc0(sizeof(TextHash));
	uint32		width;

	text_reader_unflatten(&hash->reader, r);
	width = get_u32(r);
	hash->alternate_sign = get_flag(r);
	hash->norm = get_u8(r);
	if (width < 2 || width > MOST_FEATURES || hash->norm > NORM_L2)
		damaged(r, "The hashed columns of \"%s\" are out of bounds.", operand->name);
	hash->width = (int) width;
	hash->texts = operand->dictionary;
	return hash;
}

#define HASH_FUNCTIONS \
	.kinds = 1 << KIND_TEXT, \
	.options_size = sizeof(HashOptions), \
	.width = hash_width, \
	.name_outputs = hash_name_outputs, \
	.apply = hash_apply, \
	.flatten = hash_flatten, \
	.unflatten = hash_unflatten

const Transform text_hash_transform = {
	.name = "hashed_ngrams",
	.family = "text",
	.help = "counts of a text's n-grams in columns named by their hashes; NULL is all zeros",
	.id = 71,
	.aliases = (const TransformAlias[]) {{.name = "HashingVectorizer"}, {.name = NULL}},
	.parameters = hashed_parameters,
	.nparameters = lengthof(hashed_parameters),
	.check = hashed_check,
	.fit = hashed_fit,
	HASH_FUNCTIONS
};

const Transform level_hash_transform = {
	.name = "hash",
	.family = "encode",
	.help = "a level counted in the column named by its hash, unseen ones too; NULL is all zeros",
	.id = 72,
	.aliases = (const TransformAlias[]) {{.name = "FeatureHasher"}, {.name = NULL}},
	.parameters = level_parameters,
	.nparameters = lengthof(level_parameters),
	.fit = level_fit,
	HASH_FUNCTIONS
};
