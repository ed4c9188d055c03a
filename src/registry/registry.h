/*
 * registry.h
 *		Our tables: models, versions, aliases, deployments, runs, rights.  The only room that reads or writes them.
 */
#ifndef RELEARN_REGISTRY_H
#define RELEARN_REGISTRY_H

#include "utils/uuid.h"

#include "model/model.h"

typedef enum ModelRight
{
	RIGHT_PREDICT = 1,
	RIGHT_TRAIN = 2,			/* new versions, notes; reading the artifact's bytes */
	RIGHT_DEPLOY = 4,			/* deploy, rollback, aliases */
	RIGHT_OWN = 8				/* grant, rename, drop: the owner and superusers */
} ModelRight;

/* One version that a reference named and the caller may use. */
typedef struct ModelVersion
{
	pg_uuid_t	model;
	char		name[NAMEDATALEN];
	int			version;
	uint8		sha256[SHA256_BYTES];
} ModelVersion;

/*
 * Resolve 'name' (the deployed version), 'name:3' or 'name@alias' and check the right.  Errors: no such model, version or alias; no right.
 * Runs under the active snapshot; safe in parallel workers and on a standby.
 */
extern void registry_resolve(const char *reference, ModelRight right, ModelVersion *result);

/* The decoded model of a version, pinned in the cache. */
extern Model *registry_open(const ModelVersion *version);

/* Before a long training: may the caller train this name?  (No row is made, nothing locked.) */
extern void registry_check_trainable(const char *name);

/* How rows are split: what decides on which side of the split a row falls. */
typedef struct SplitRule
{
	const char *key,			/* columns; NULL: none */
			   *time,
			   *group;
	bool		stratified;
	const char *stratify;		/* column; NULL: the target's classes */
	const char *gap;
	bool		unlock;			/* rows held out for tests before may be learned from: a new beginning */
	int64		seed;
	double		share[NPARTS];
	int			nstrata;
	const Stratum *strata;		/* (nstrata) where stratified */
	TimeBounds	times;			/* where it was cut by time; kind 0 where it was not, or before the rows are read */
	const char *columns;		/* a hash of the columns that place rows by their content; NULL where something else places all */
	const char *source;			/* source_identity of the rows, or NULL */
} SplitRule;

/*
 * The rule whose test rows are locked: that of the latest version with test rows, unless a later one began anew; NULL where nothing is locked.  An
 * error where the rule given would learn from such rows.
 */
extern const SplitRule *registry_locked_split(const char *name, const SplitRule *rule);

extern bool registry_same_shares(const SplitRule *a, const SplitRule *b);

/*
 * Other models than name that hold rows of the rule's source out for tests, which who fits by the rule has learned from: a warning for each, as text.
 * Only models whose runs the caller may see.
 */
extern List *registry_fitted_test_rows(const char *name, const SplitRule *rule);

/* The arguments of a call as JSON that lacks its end, with the rule added. */
extern char *registry_split_json(const char *arguments, const SplitRule *rule);

/* Note that the test rows of a version were looked at, where something can be written; how often they were is said in a warning from the second time on. */
extern void registry_count_test_evaluation(const ModelVersion *version);

/* Everything ml.runs keeps about a training. */
typedef struct RunRecord
{
	const char *call;			/* what was called, for messages: "ml.train()" */
	const char *name;			/* of the model */
	const char *algorithm;
	const char *task;
	const char *target;
	const char *source;
	const char *params;			/* jsonb text: all parameters with their values */
	const char *arguments;		/* jsonb text: the other arguments of the call, for a retraining */
	const SplitRule *split;		/* NULL: nothing was split */
	int64		seed;
	int64		nrows[NPARTS];
	const uint8 *fingerprint;	/* 16 bytes */
	const char *metrics;		/* jsonb text: {"train": [{metric, value, n, reason}], "validation": ..., "test": ..., "baseline": ...} */
	double		seconds;
	List	   *warnings;		/* of char * */
	const char *note;			/* or NULL */
} RunRecord;

/*
 * Store a run and its artifact as the next version (made and locked at the very end); the first version of a model is deployed at once.
 * Returns the version.
 */
extern int	registry_save(const RunRecord *run, const Model *model, bytea *artifact);

/* The stored metrics (jsonb text) of a version's run. */
extern char *registry_run_metrics(const ModelVersion *version);

#endif
