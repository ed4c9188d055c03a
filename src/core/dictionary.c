/*
 * dictionary.c
 *		Open addressing with linear probing over the texts' hashes; the texts themselves lie in blocks.
 *
 * A slot keeps 32 bits of the hash beside the code, so a probe touches the text only where it will almost surely be equal.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/dictionary.h"
#include "core/hash.h"

#define FIRST_SLOTS 64			/* a power of 2 */
#define FIRST_LEVELS 32
#define FIRST_TEXT_BLOCK ((Size) 2 * 1024)
#define TEXT_BLOCK ((Size) 64 * 1024)

typedef struct Level
{
	const char *text;
	uint64		hash;
	int			length;
} Level;

typedef struct Slot
{
	uint32		tag;			/* upper half of the hash */
	int32		code;			/* -1 = empty */
} Slot;

struct Dictionary
{
	MemoryContext context;
	Slot	   *slot;
	uint32		mask;			/* number of slots - 1 */
	Level	   *level;
	int			nlevels;
	int			level_capacity;
	char	   *block;			/* where the next text goes */
	Size		block_left;
	Size		memory;
	int			nplaces;		/* > 0: of texts passing by */
	int			passed;			/* how many */
};

static void *
take(Dictionary *d, Size bytes)
{
	d->memory += bytes;
	return MemoryContextAllocHuge(d->context, bytes);
}

static void
make_slots(Dictionary *d, uint32 nslots)
{
	d->slot = take(d, nslots * sizeof(Slot));
	d->mask = nslots - 1;
	memset(d->slot, 0xff, nslots * sizeof(Slot));
}

Dictionary *
dictionary_create(MemoryContext context)
{
	Dictionary *d = MemoryContextAllocZero(context, sizeof(Dictionary));

	d->context = context;
	d->memory = sizeof(Dictionary);
	make_slots(d, FIRST_SLOTS);
	d->level_capacity = FIRST_LEVELS;
	d->level = take(d, FIRST_LEVELS * sizeof(Level));
	return d;
}

Dictionary *
dictionary_passing(MemoryContext context, int nplaces)
{
	Dictionary *d = MemoryContextAllocZero(context, sizeof(Dictionary));

	d->context = context;
	d->nplaces = nplaces;
	d->memory = sizeof(Dictionary) + nplaces * sizeof(Level);
	d->level = MemoryContextAllocZero(context, nplaces * sizeof(Level));
	return d;
}

/* Codes start again after so many that none of the last ones is met. */
static int
pass_text(Dictionary *d, const char *text, int length)
{
	int			code = d->passed;
	Level	   *level = &d->level[code & (d->nplaces - 1)];
	char	   *copy = MemoryContextAlloc(d->context, (Size) length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	if (level->text != NULL)
	{
		d->memory -= (Size) level->length + 1;
		pfree(unconstify(char *, level->text));
	}
	*level = (Level) {.text = copy, .length = length, .hash = (uint64) code};
	d->memory += (Size) length + 1;
	d->passed = code == PG_INT32_MAX ? 0 : code + 1;
	return code;
}

/* A text passing by; NULL where it has gone. */
static const Level *
passing_level(const Dictionary *d, int code)
{
	const Level *level = &d->level[code & (d->nplaces - 1)];

	return level->text != NULL && level->hash == (uint64) code ? level : NULL;
}

/* The slot that holds the text, or the empty one where it belongs. */
static inline Slot *
probe(const Dictionary *d, const char *text, int length, uint64 hash)
{
	uint32		tag = (uint32) (hash >> 32);
	uint32		at = (uint32) hash & d->mask;

	for (;; at = (at + 1) & d->mask)
	{
		Slot	   *slot = &d->slot[at];

		if (slot->code < 0)
			return slot;
		if (slot->tag == tag)
		{
			const Level *level = &d->level[slot->code];

			if (level->length == length && memcmp(level->text, text, length) == 0)
				return slot;
		}
	}
}

/* Put every level into the slots, which are empty: all texts differ, so only a free place is needed. */
static void
fill_slots(Dictionary *d)
{
	for (int code = 0; code < d->nlevels; code++)
	{
		uint64		hash = d->level[code].hash;
		uint32		at = (uint32) hash & d->mask;

		while (d->slot[at].code >= 0)
			at = (at + 1) & d->mask;
		d->slot[at].tag = (uint32) (hash >> 32);
		d->slot[at].code = code;
	}
}

static void
grow(Dictionary *d)
{
	Size		nslots = ((Size) d->mask + 1) * 2;

	CHECK_FOR_INTERRUPTS();
	if (nslots > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a column has more than %d distinct values", d->nlevels)));
	d->memory -= nslots / 2 * sizeof(Slot);
	pfree(d->slot);
	make_slots(d, (uint32) nslots);
	fill_slots(d);
}

static const char *
keep_text(Dictionary *d, const char *text, int length)
{
	Size		bytes = (Size) length + 1;
	char	   *copy;

	if (bytes > FIRST_TEXT_BLOCK)
		copy = take(d, bytes);
	else
	{
		if (bytes > d->block_left)
		{
			d->block_left = d->nlevels < FIRST_LEVELS ? FIRST_TEXT_BLOCK : TEXT_BLOCK;
			d->block = take(d, d->block_left);
		}
		copy = d->block;
		d->block += bytes;
		d->block_left -= bytes;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

int
dictionary_add(Dictionary *d, const char *text, int length)
{
	uint64		hash;
	Slot	   *slot;
	Level	   *level;

	if (d->nplaces > 0)
		return pass_text(d, text, length);
	hash = hash_text(text, length, 0);
	slot = probe(d, text, length, hash);
	if (slot->code >= 0)
		return slot->code;

	if (d->nlevels == d->level_capacity)
	{
		d->memory += d->level_capacity * sizeof(Level);
		d->level_capacity *= 2;
		d->level = repalloc_huge(d->level, d->level_capacity * sizeof(Level));
	}
	level = &d->level[d->nlevels];
	level->text = keep_text(d, text, length);
	level->length = length;
	level->hash = hash;
	slot->tag = (uint32) (hash >> 32);
	slot->code = d->nlevels++;

	if ((uint32) d->nlevels > d->mask / 2)
		grow(d);
	return d->nlevels - 1;
}

int
dictionary_find(const Dictionary *d, const char *text, int length)
{
	return probe(d, text, length, hash_text(text, length, 0))->code;
}

int
dictionary_size(const Dictionary *d)
{
	return d->nlevels;
}

Size
dictionary_memory(const Dictionary *d)
{
	return d->memory;
}

const char *
dictionary_text(const Dictionary *d, int code)
{
	const Level *level = d->nplaces > 0 ? passing_level(d, code) : &d->level[code];

	return level != NULL ? level->text : "";
}

int
dictionary_length(const Dictionary *d, int code)
{
	const Level *level = d->nplaces > 0 ? passing_level(d, code) : &d->level[code];

	return level != NULL ? level->length : 0;
}

uint64
dictionary_hash(const Dictionary *d, int code)
{
	return d->level[code].hash;
}

static int
compare_levels(const void *a, const void *b, void *levels)
{
	const Level *x = (const Level *) levels + *(const int *) a;
	const Level *y = (const Level *) levels + *(const int *) b;
	int			order = memcmp(x->text, y->text, Min(x->length, y->length));

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order : x->length - y->length;
}

int *
dictionary_sort(Dictionary *d)
{
	int		   *old_code = MemoryContextAllocHuge(CurrentMemoryContext, (Size) Max(d->nlevels, 1) * sizeof(int));
	int		   *new_code = MemoryContextAllocHuge(CurrentMemoryContext, (Size) Max(d->nlevels, 1) * sizeof(int));
	Level	   *sorted = MemoryContextAllocHuge(d->context, d->level_capacity * sizeof(Level));

	for (int code = 0; code < d->nlevels; code++)
		old_code[code] = code;
	qsort_arg(old_code, d->nlevels, sizeof(int), compare_levels, d->level);

	for (int code = 0; code < d->nlevels; code++)
	{
		sorted[code] = d->level[old_code[code]];
		new_code[old_code[code]] = code;
	}
	pfree(d->level);
	d->level = sorted;
	memset(d->slot, 0xff, ((Size) d->mask + 1) * sizeof(Slot));
	fill_slots(d);
	pfree(old_code);
	return new_code;
}
