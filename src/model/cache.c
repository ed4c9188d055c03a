/*
 * cache.c
 *		The session's decoded models, found by sha-256.
 *
 * The key is the content, so an entry can be neither stale nor wrong, whatever commits or rolls back; it only takes room.  A pinned model stays;
 * of the others the least recently used leave when all together exceed relearn.model_cache_size.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "model_internal.h"
#include "settings.h"

typedef struct CacheEntry
{
	uint8		sha256[SHA256_BYTES];	/* key, must be first */
	Model	   *model;
	Size		bytes;
	int			pins;
	dlist_node	age;			/* in by_age, most recently used first */
} CacheEntry;

static HTAB *cache = NULL;
static dlist_head by_age = DLIST_STATIC_INIT(by_age);
static Size cached_bytes = 0;
static uint64 last_serial = 0;

static void
cache_create(void)
{
	HASHCTL		control = {.keysize = SHA256_BYTES, .entrysize = sizeof(CacheEntry), .hcxt = TopMemoryContext};

	cache = hash_create("relearn models", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static CacheEntry *
find_entry(const uint8 *sha256)
{
	return cache ? hash_search(cache, sha256, HASH_FIND, NULL) : NULL;
}

static void
drop_entry(CacheEntry *entry)
{
	MemoryContext context = entry->model->context;

	cached_bytes -= entry->bytes;
	dlist_delete(&entry->age);
	hash_search(cache, entry->sha256, HASH_REMOVE, NULL);
	MemoryContextDelete(context);
}

/* Drop unpinned models, oldest first, until the rest fits. */
static void
trim(void)
{
	Size		limit = (Size) relearn_model_cache_size * 1024;
	dlist_node *at = dlist_is_empty(&by_age) ? NULL : dlist_tail_node(&by_age);

	while (at != NULL && cached_bytes > limit)
	{
		CacheEntry *entry = dlist_container(CacheEntry, age, at);

		at = dlist_has_prev(&by_age, at) ? dlist_prev_node(&by_age, at) : NULL;
		if (entry->pins == 0)
			drop_entry(entry);
	}
}

static Model *
pin(CacheEntry *entry)
{
	entry->pins++;
	dlist_move_head(&by_age, &entry->age);
	return entry->model;
}

Model *
model_cache_pin(const uint8 *sha256)
{
	CacheEntry *entry = find_entry(sha256);

	return entry ? pin(entry) : NULL;
}

Model *
model_cache_repin(const uint8 *sha256, uint64 serial)
{
	CacheEntry *entry = find_entry(sha256);

	return entry && entry->model->serial == serial ? pin(entry) : NULL;
}

/* Take a decoded model into the cache, pinned.  Only making the entry can fail, and then the model is still the caller's. */
static Model *
enter(Model *model)
{
	CacheEntry *entry;

	if (cache == NULL)
		cache_create();
	entry = hash_search(cache, model->sha256, HASH_ENTER, NULL);
	MemoryContextSetParent(model->context, TopMemoryContext);
	entry->model = model;
	model->entry = entry;
	model->serial = ++last_serial;
	entry->bytes = MemoryContextMemAllocated(model->context, true);
	entry->pins = 1;
	dlist_push_head(&by_age, &entry->age);
	cached_bytes += entry->bytes;
	trim();
	return model;
}

Model *
model_cache_add(const uint8 *bytes, Size length, const char *origin)
{
	uint8		sha256[SHA256_BYTES];
	Model	   *model;

	artifact_verify(bytes, length, origin, sha256);
	model = model_cache_pin(sha256);
	return model ? model : enter(model_decode_verified(bytes, length, origin));
}

void
model_cache_unpin(Model *model)
{
	Assert(model->entry->model == model && model->entry->pins > 0);
	model->entry->pins--;
	trim();
}

static void
unpin_callback(void *model)
{
	model_cache_unpin(model);
}

void
model_unpin_with(MemoryContext context, Model *model)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = unpin_callback;
	callback->arg = model;
	MemoryContextRegisterResetCallback(context, callback);
}
