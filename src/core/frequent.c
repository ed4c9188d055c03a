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

static int64
median_count(const Counter *counter, int n)
{
	double	   *count = palloc(sizeof(double) * n);
	int64		result;

	for (int i = 0; i < n; i++)
		count[i] = (double) counter[i].count;
	result = (int64) select_kth(count, n, n / 2);
	pfree(count);
	return result;
}

void
frequent_purge(Frequent *frequent)
{
	Counter    *counter = copy_used(frequent);
	int			n = frequent->used;
	int64		error = frequent->error;
	int64		given_up = n > 0 ? median_count(counter, n) : 0;

	frequent_init(frequent, frequent->capacity);
	frequent->error = error + given_up;
	for (int i = 0; i < n; i++)
		if (counter[i].count > given_up)
			frequent_fill(frequent, frequent_find(frequent, counter[i].key), counter[i].key, counter[i].count - given_up, counter[i].payload);
	pfree(counter);
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
