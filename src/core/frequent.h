/*
 * frequent.h
 *		The most frequent of many hashed values: a table of counters (Misra and Gries 1982).
 *
 * While there are at most capacity / 2 distinct values all counts are exact and error is 0.  After that the smaller half of the counters is
 * given up now and then: what they had is subtracted from all, and added to error.  A count is then too low by at most error, and every value
 * that occurs more often than error is still there.  (After the first purge the counts depend on the order of the values.)
 *
 * The struct is flat: a table of capacity slots with open addressing.
 */
#ifndef RELEARN_CORE_FREQUENT_H
#define RELEARN_CORE_FREQUENT_H

typedef struct Counter
{
	uint64		key;			/* a hash of the value */
	int64		count;			/* 0 = an empty slot */
	uint64		payload;		/* of the owner: the value, or where it is */
} Counter;

typedef struct Frequent
{
	int32		capacity;		/* slots, a power of 2 */
	int32		used;
	int64		error;
	Counter		counter[FLEXIBLE_ARRAY_MEMBER];
} Frequent;

static inline Size
frequent_size(int capacity)
{
	return offsetof(Frequent, counter) + sizeof(Counter) * (Size) capacity;
}

/* Full: to be moved to more slots, or to be purged, before anything else is added. */
static inline bool
frequent_full(const Frequent *frequent)
{
	return frequent->used >= frequent->capacity / 2;
}

/* The counter of the key, or an empty slot to be filled by frequent_fill(). */
static inline Counter *
frequent_find(Frequent *frequent, uint64 key)
{
	uint32		mask = (uint32) frequent->capacity - 1;
	uint32		at = (uint32) key & mask;

	while (frequent->counter[at].count != 0 && frequent->counter[at].key != key)
		at = (at + 1) & mask;
	return &frequent->counter[at];
}

static inline void
frequent_fill(Frequent *frequent, Counter *slot, uint64 key, int64 count, uint64 payload)
{
	*slot = (Counter) {key, count, payload};
	frequent->used++;
}

extern void frequent_init(Frequent *frequent, int capacity);
extern void frequent_move(Frequent *to, const Frequent *from);	/* into an empty one with enough slots; error too */
extern void frequent_purge(Frequent *frequent);

/* The (used) counters, the highest count first, equal ones by key; palloc'd. */
extern Counter *frequent_sorted(const Frequent *frequent);

#endif
