/*
 * frequent.c
 *		Counters of frequent values: the parts that are not in every value's path.
 */
#include "postgres.h"

#include "core/frequent.h"
#include "core/sort.h"

void
frequent_init(Frequent *frequent, int capacity)
{
	memset(frequent, 0, frequent_size(capacity));
	frequent->capacity = capacity;
}

static Counter *
copy_used(const Frequent *frequent)
{
	Counter    *copy = palloc(sizeof(Counter) * Max(frequent->used, 1));
	int			n = 0;

	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count != 0)
			copy[n++] = frequent->counter[i];
	return copy;
}

void
frequent_move(Frequent *to, const Frequent *from)
{
	for (int i = 0; i < from->capacity; i++)
	{
		const Counter *c = &from->counter[i];

		if (c->count != 0)
			frequent_fill(to, frequent_find(to, c->key), c->key, c->count, c->payload);
	}
	to->error = from->error;
}

/* The median of the counts; 1 where that is so without a look at the others, as among values that hardly repeat. */
static int64
median_count(const Frequent *frequent)
{
	double	   *count;
	int64		result;
	int			ones = 0;
	int			n = 0;

	for (int i = 0; i < frequent->capacity; i++)
		ones += frequent->counter[i].count == 1;
	if (ones > frequent->used / 2)
		return 1;
	count = palloc(sizeof(double) * Max(frequent->used, 1));
	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count != 0)
			count[n++] = (double) frequent->counter[i].count;
	result = n > 0 ? (int64) select_kth(count, n, n / 2) : 0;
	pfree(count);
	return result;
}

void
frequent_purge(Frequent *frequent)
{
	int64		given_up = median_count(frequent);
	int64		error = frequent->error + given_up;
	Counter    *kept = palloc(sizeof(Counter) * Max(frequent->used, 1));
	int			n = 0;

	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count > given_up)
			kept[n++] = frequent->counter[i];
	frequent_init(frequent, frequent->capacity);
	frequent->error = error;
	for (int i = 0; i < n; i++)
		frequent_fill(frequent, frequent_find(frequent, kept[i].key), kept[i].key, kept[i].count - given_up, kept[i].payload);
	pfree(kept);
}

static int
compare_counters(const void *a, const void *b)
{
	const Counter *x = a;
	const Counter *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

Counter *
frequent_sorted(const Frequent *frequent)
{
	Counter    *counter = copy_used(frequent);

	qsort(counter, frequent->used, sizeof(Counter), compare_counters);
	return counter;
}
