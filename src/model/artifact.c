/*
 * artifact.c
 *		The envelope of a stored model: magic, formats, section table, sections, sha-256.
 *
 *		offset	bytes
 *		0		8	magic; its first byte is no ASCII and it holds CR LF, so that a transfer as text is noticed
 *		8		2	format of the writer
 *		10		2	lowest format a reader must know
 *		12		2	learner id
 *		14		2	format of the learner's payload
 *		16		8	length of the whole artifact
 *		24		2	number of sections
 *		26		6	zero
 *		32		24	per section: type (2), zero (6), offset (8), length (8)
 *		...			the sections, each starting at a multiple of 8, gaps zero
 *		end-32	32	sha-256 of all before; it is the artifact's identity
 *
 * Sections cover the space between the table and the hash exactly, so no byte is without a meaning.  A reader trusts nothing: the hash finds
 * accidents, every count and number is checked as if the hash were forged, and the self-test scores rows whose answers are stored.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "model_internal.h"

#define FORMAT 2				/* the newest understood: labels may end with a correction of probabilities */
#define PLAIN_FORMAT 1			/* of models without it */
#define HEADER_BYTES 32
#define ENTRY_BYTES 24
#define HASH_PIECE ((Size) 1024 * 1024)	/* bytes hashed between two looks at interrupts */

static const uint8 magic[8] = {0x93, 'R', 'L', 'M', '\r', '\n', 0x1a, '\n'};

static inline Size
aligned(Size length)
{
	return TYPEALIGN(8, length);
}

static void
hash_bytes_or_fail(const uint8 *bytes, Size length, uint8 *sha256)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	bool		ok = pg_cryptohash_init(hash) >= 0;

	for (Size done = 0; ok && done < length; done += HASH_PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		ok = pg_cryptohash_update(hash, bytes + done, Min(HASH_PIECE, length - done)) >= 0;
	}
	if (!ok || pg_cryptohash_final(hash, sha256, SHA256_BYTES) < 0)
		elog(ERROR, "could not compute a sha-256: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
}

bool
artifact_sha256(const uint8 *bytes, Size length, uint8 *sha256)
{
	if (length < HEADER_BYTES + SHA256_BYTES)
		return false;
	memcpy(sha256, bytes + length - SHA256_BYTES, SHA256_BYTES);
	return true;
}

/* ---- writing ---- */

typedef struct Section
{
	SectionType type;
	Size		offset,
				length;
} Section;

static void
put_zeros(ByteWriter *w, int count)
{
	while (count-- > 0)
		put_u8(w, 0);
}

static void
put_header(ByteWriter *w, const Model *model, Size length, const Section *sections)
{
	int			format = model->prior_factor ? FORMAT : PLAIN_FORMAT;

	put_bytes(w, magic, sizeof(magic));
	put_u16(w, format);
	put_u16(w, format);
	put_u16(w, model->learner->id);
	put_u16(w, model->learner->format);
	put_u64(w, length);
	put_u16(w, NSECTIONS);
	put_zeros(w, 6);
	for (int i = 0; i < NSECTIONS; i++)
	{
		put_u16(w, sections[i].type);
		put_zeros(w, 6);
		put_u64(w, sections[i].offset);
		put_u64(w, sections[i].length);
	}
}

static void
check_size(Size length)
{
	if (length > ARTIFACT_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model takes more than %zu MB, the most that can be stored", ARTIFACT_MAX_BYTES / (1024 * 1024)),
				 errhint("Leave out columns with many categories, or lower max_categories.")));
}

bytea *
model_encode(Model *model)
{
	Size		start = HEADER_BYTES + NSECTIONS * ENTRY_BYTES;
	Section		sections[NSECTIONS];
	ByteWriter	body;
	ByteWriter	artifact;
	Size		length;

	initStringInfo(&body);
	for (int i = 0; i < NSECTIONS; i++)
	{
		sections[i].type = SECTION_SCHEMA + i;
		sections[i].offset = start + body.len;
		section_write(sections[i].type, model, &body);
		sections[i].length = start + body.len - sections[i].offset;
		put_zeros(&body, aligned(body.len) - body.len);
		check_size(start + body.len + SHA256_BYTES);
	}
	length = start + body.len + SHA256_BYTES;

	initStringInfo(&artifact);
	enlargeStringInfo(&artifact, VARHDRSZ + length);
	put_zeros(&artifact, VARHDRSZ);
	put_header(&artifact, model, length, sections);
	put_bytes(&artifact, body.data, body.len);
	pfree(body.data);
	hash_bytes_or_fail((uint8 *) artifact.data + VARHDRSZ, length - SHA256_BYTES, model->sha256);
	put_bytes(&artifact, model->sha256, SHA256_BYTES);
	SET_VARSIZE(artifact.data, artifact.len);
	return (bytea *) artifact.data;
}

/* ---- reading ---- */

static void
get_zeros(ByteReader *r, Size count)
{
	const uint8 *at = get_bytes(r, count);

	for (Size i = 0; i < count; i++)
		if (at[i] != 0)
			damaged(r, "A reserved byte is not zero.");
}

pg_noreturn static void
written_by_newer(const ByteReader *r, const char *what, unsigned found, unsigned known)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s was written by a newer release of relearn", r->origin),
			 errdetail("Its %s is %u, this release knows up to %u.", what, found, known),
			 errhint("Upgrade relearn on this server, or train the model again here.")));
}

void
artifact_verify(const uint8 *bytes, Size length, const char *origin, uint8 *sha256)
{
	ByteReader	r = {.at = bytes, .end = bytes + length, .origin = origin,.way_out = DAMAGED_MODEL_HINT};
	uint8		computed[SHA256_BYTES];

	if (!artifact_sha256(bytes, length, sha256))
		damaged(&r, "It has %zu bytes, fewer than any model.", length);
	if (memcmp(bytes, magic, sizeof(magic)) != 0)
		damaged(&r, "It does not start like a model.");
	hash_bytes_or_fail(bytes, length - SHA256_BYTES, computed);
	if (memcmp(sha256, computed, SHA256_BYTES) != 0)
		damaged(&r, "Its sha-256 does not match its bytes.");
}

static void
read_learner(ByteReader *r, Model *model, uint16 *learner_format)
{
	uint16		id = get_u16(r);

	*learner_format = get_u16(r);
	model->learner = learner_by_id(id);
	if (model->learner == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s uses an algorithm that this release of relearn does not have", r->origin),
				 errdetail("The algorithm's number is %u.", id),
				 errhint("Upgrade relearn on this server, or train the model again here.")));
	if (*learner_format == 0)
		damaged(r, "Its learner's format is zero.");
	if (*learner_format > model->learner->format)
		written_by_newer(r, "learner's format", *learner_format, model->learner->format);
}

static void
read_header(ByteReader *r, Model *model, Size length, uint16 *learner_format)
{
	uint16		format;
	uint16		needed;

	get_bytes(r, sizeof(magic));
	format = get_u16(r);
	needed = get_u16(r);
	if (needed > FORMAT)
		written_by_newer(r, "format", needed, FORMAT);
	if (needed == 0 || format < needed)
		damaged(r, "Its format %u asks for a reader of format %u.", format, needed);
	read_learner(r, model, learner_format);
	if (get_u64(r) != length)
		damaged(r, "Its length is not the one stored in it.");
	if (get_u16(r) != NSECTIONS)
		damaged(r, "Its number of sections is wrong.");
	get_zeros(r, 6);
}

static void
read_section_entry(ByteReader *r, SectionType expected, Section *section)
{
	section->type = get_u16(r);
	if (section->type != expected)
		damaged(r, "Section %d was found where section %d is expected.", section->type, expected);
	get_zeros(r, 6);
	section->offset = get_u64(r);
	section->length = get_u64(r);
}

/* Every section where the one before it ended, and the hash where the last one ended. */
static void
check_coverage(ByteReader *r, const Section *sections, Size end)
{
	Size		expected = HEADER_BYTES + NSECTIONS * ENTRY_BYTES;

	for (int i = 0; i < NSECTIONS; i++)
	{
		if (sections[i].offset != expected || sections[i].length > end - expected)
			damaged(r, "Section %d is not where it must be.", sections[i].type);
		expected = aligned(expected + sections[i].length);
		if (expected > end)
			damaged(r, "Section %d is too long.", sections[i].type);
	}
	if (expected != end)
		damaged(r, "The sections do not cover the bytes.");
}

static void
read_sections(ByteReader *r, const uint8 *bytes, const Section *sections, Model *model, uint16 learner_format)
{
	for (int i = 0; i < NSECTIONS; i++)
	{
		const uint8 *start = bytes + sections[i].offset;
		ByteReader	section = {.at = start, .end = start + sections[i].length, .origin = r->origin,.way_out = r->way_out};
		ByteReader	gap = {.at = section.end, .end = bytes + aligned(sections[i].offset + sections[i].length), .origin = r->origin,.way_out = r->way_out};

		CHECK_FOR_INTERRUPTS();
		section_read(sections[i].type, model, &section, learner_format);
		if (!reader_at_end(&section))
			damaged(r, "Section %d has bytes left over.", sections[i].type);
		get_zeros(&gap, gap.end - gap.at);
	}
}

static Model *
decode_here(const uint8 *bytes, Size length, const char *origin)
{
	Model	   *model = palloc0(sizeof(Model));
	ByteReader	r = {.at = bytes, .end = bytes + length - SHA256_BYTES, .origin = origin,.way_out = DAMAGED_MODEL_HINT};
	Section		sections[NSECTIONS];
	uint16		learner_format;

	model->context = CurrentMemoryContext;
	artifact_sha256(bytes, length, model->sha256);
	read_header(&r, model, length, &learner_format);
	for (int i = 0; i < NSECTIONS; i++)
		read_section_entry(&r, SECTION_SCHEMA + i, &sections[i]);
	check_coverage(&r, sections, length - SHA256_BYTES);
	read_sections(&r, bytes, sections, model, learner_format);
	model_prepare(model);
	if (!selftest_passes(model))
		damaged(&r, "It does not give the answers stored with it.");
	return model;
}

Model *
model_decode_verified(const uint8 *bytes, Size length, const char *origin)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "relearn model", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Model	   *model = decode_here(bytes, length, origin);

	MemoryContextSwitchTo(caller);
	return model;
}
