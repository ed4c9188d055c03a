/*
 * model_internal.h
 *		What the files of the model room share.
 */
#ifndef RELEARN_MODEL_INTERNAL_H
#define RELEARN_MODEL_INTERNAL_H

#include "model/model.h"

/* Kinds of sections, in the order in which an artifact holds them; the numbers are stored and never reused. */
typedef enum SectionType
{
	SECTION_SCHEMA = 1,			/* task, target, its type */
	SECTION_LABELS = 2,			/* classes, their numbers, the positive one */
	SECTION_FEATURES = 3,		/* features_flatten */
	SECTION_LEARNER = 4,		/* the learner's own payload */
	SECTION_BASELINE = 5,		/* statistics of the input columns */
	SECTION_TRAINED = 6,		/* sketch of the training rows */
	SECTION_SELFTEST = 7		/* rows with their answers */
} SectionType;

#define NSECTIONS 7

/* ---- artifact.c ---- */

/* Hash the bytes and compare; data_corrupted where they do not match. */
extern void artifact_verify(const uint8 *bytes, Size length, const char *origin, uint8 *sha256);

/* Decode bytes that artifact_verify passed, in a new context below the current one, so that an error leaves nothing behind. */
extern Model *model_decode_verified(const uint8 *bytes, Size length, const char *origin);

/* ---- sections.c ---- */
extern void section_write(SectionType type, const Model *model, ByteWriter *w);

/* Sections must be read in their order: later ones are checked against earlier ones. */
extern void section_read(SectionType type, Model *model, ByteReader *r, uint16 learner_format);

/* ---- selftest.c ---- */

/* Score the stored rows again; false where one answer differs in one bit. */
extern bool selftest_passes(const Model *model);

#endif
