/*
 * model.h
 *		A trained model: decoded form, bytes (the artifact), and the session's cache of decoded models.
 */
#ifndef RELEARN_MODEL_H
#define RELEARN_MODEL_H

#include "features/features.h"
#include "learn/learner.h"

#define SHA256_BYTES 32
#define ARTIFACT_MAX_BYTES ((Size) 256 * 1024 * 1024)

/* What the training rows of one input column looked like; the reference for later drift checks. */
typedef struct ColumnBaseline
{
	int64		n,
				missing;
	double		mean,			/* numbers, booleans, times; NaN for categories and where n = missing */
				sd,
				min,
				max;
	int64	   *level_count;	/* categories: dictionary_size(levels) + 1, the last is "other" */
} ColumnBaseline;

/* Rows whose answers are stored: synthetic, never training rows. */
#define SELFTEST_ROWS 8			/* at most */

typedef struct SelfTest
{
	int			nrows;
	double	   *cells;			/* (nrows, ninputs) */
	double	   *scores;			/* (nrows, noutputs of the learner) */
} SelfTest;

typedef struct Model
{
	Task		task;
	char	   *target;			/* column name */
	char	   *target_type;	/* type name at training */
	int			nclasses;		/* 0 for regression */
	char	  **labels;			/* (nclasses) original text */
	double	   *label_values;	/* (nclasses) their number, or NULL where labels are no numbers */
	int			positive;		/* binary: class index of the positive class; else -1 */
	double	   *prior_factor;	/* (nclasses) what the learner's probabilities are multiplied by before they add up to 1 again; NULL: as they are */
	Features   *features;
	const Learner *learner;
	void	   *state;			/* the learner's model */
	ColumnBaseline *baseline;	/* (features->ninputs) */
	int			ntrained;		/* hashes of the training rows with the smallest hashes (bottom-k sketch), ascending */
	uint64	   *trained;
	int64		trained_of;		/* rows the sketch stands for */
	SelfTest	selftest;

	/* not stored */
	uint8		sha256[SHA256_BYTES];
	MemoryContext context;		/* owns everything above */
	double	   *scratch;		/* design rows of one block: (<= MODEL_BLOCK, noutputs of features) */
	int			noutputs;		/* learner_outputs() */
	struct CacheEntry *entry;	/* private to the cache: where it stands there */
	uint64		serial;			/* of models the cache took in: tells one from a later one of the same bytes at the same address */
} Model;

#define MODEL_BLOCK 64			/* rows scored at a time, fewer where they are very wide */
#define TRAINED_SKETCH 1024
#define DAMAGED_MODEL_HINT "Restore it from a backup, or train the model again."

/* Bytes of a model; fills model->sha256.  Fails before writing where it would exceed ARTIFACT_MAX_BYTES. */
extern bytea *model_encode(Model *model);

/* The identity of an artifact: its last 32 bytes, the sha-256 of all before.  False where it is too short. */
extern bool artifact_sha256(const uint8 *bytes, Size length, uint8 *sha256);

/* Make the parts of Model that are not stored (scratch, noutputs). */
extern void model_prepare(Model *model);

/* Fill model->selftest: synthetic rows from the baseline statistics, and their scores. */
extern void model_make_selftest(Model *model);

/* (nrows, ninputs) cells -> (nrows, noutputs) scores; allocates nothing.  Row by row and in blocks the bits are the same. */
extern void model_score(const Model *model, const double *cells, int nrows, double *scores);

/* The same from design rows (NULL will do for learners that do not look at them). */
extern void model_answer(const Model *model, const double *rows, int nrows, double *scores);

/* Probabilities (nrows, noutputs) of a learner -> of the model. */
extern void model_correct(const Model *model, int64 nrows, double *scores);

/* 64-bit hash of a row's input cells and target cell, the same at training and at evaluation. */
extern uint64 model_row_hash(const Model *model, const double *cells, double target);

/* ---- cache: decoded models by sha-256, capped by relearn.model_cache_size, least recently used out ---- */
extern Model *model_cache_pin(const uint8 *sha256);	/* NULL where absent; the hash must be one to trust, not the end of a caller's bytes */
extern Model *model_cache_add(const uint8 *bytes, Size length, const char *origin);	/* pinned; hashed always, decoded where absent */
extern Model *model_cache_repin(const uint8 *sha256, uint64 serial);	/* one that was pinned before; NULL where it has left since */
extern void model_cache_unpin(Model *model);

/* Unpin when a memory context is reset or deleted: for models held in fn_extra. */
extern void model_unpin_with(MemoryContext context, Model *model);

#endif
