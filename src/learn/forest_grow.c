/*
 * forest_grow.c
 *		What the members of a forest's team do: draw a bag and grow a tree on it; add up what the trees say of the training rows.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/hash.h"
#include "learn/forest_fit_internal.h"

#define CHECK_ROWS 65536		/* rows between two checks for interrupts */
#define ADD_BLOCK 2048			/* rows whose sums stay in the cache while the trees go by */

/* ---- bags ---- */

/* Each draw is a hash of its number. */
static void
draw_bag(Forest *f, uint64 seed)
{
	int64		n = f->shape->nrows;
	double		asked = f->options->max_samples;
	int64		draws = (int64) (asked > 1 ? Min(asked, n) : Max(1.0, rint(asked * n)));

	memset(f->draws, !f->options->bootstrap, n);
	for (int64 i = 0; f->options->bootstrap && i < draws; i++)
	{
		int64		row = (int64) (((hash_mix(seed + i * UINT64CONST(0x9e3779b97f4a7c15)) >> 32) * (uint64) n) >> 32);

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		f->draws[row] += f->draws[row] < FOREST_MOST_DRAWS;
	}
}

/* The bag as the grower's first rows, all others behind them; returns how many are in the bag. */
static int64
fill_rows(Forest *f)
{
	DeepRow    *row = deep_rows(f->grower);
	bool		pairs = f->shape->deep.pairs;
	int64		count = 0;
	int64		end = f->shape->nall;

	for (int64 i = f->shape->nrows; i < f->shape->nall; i++)
		row[--end] = deep_row(pairs, (uint32) i, 0, 0);
	for (int64 i = 0; i < f->shape->nrows; i++)
	{
		uint32		weight = f->weight[i] * f->draws[i];
		DeepRow		this = deep_row(pairs, (uint32) i, weight, f->value[i]);

		row[count] = row[end - 1] = this;
		count += weight > 0;
		end -= weight == 0;
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return count;
}

static int64
take_bag(Forest *f, uint64 seed)
{
	int64		count;

	draw_bag(f, seed);
	count = fill_rows(f);
	if (count == 0)				/* none but rows of weight 0 were drawn */
	{
		memset(f->draws, 1, f->shape->nrows);
		count = fill_rows(f);
	}
	return count;
}

/* ---- growing ---- */

static void
make_grower(Forest *f)
{
	f->draws = MemoryContextAllocHuge(CurrentMemoryContext, f->shape->nrows);
	f->grower = deep_create(f->bins, f->edge, f->shape->nall, &f->shape->deep, f->options->ccp_alpha > 0);
}

/* The tree where the others see it; where there is no room, it has to be grown again. */
static void
pass_on(Forest *f, int slot)
{
	Size		bytes = deep_bytes(f->tree);

	f->slot[slot].stored = false;
	if (f->shape->pool_bytes == 0)
		return;
	f->slot[slot].at = pg_atomic_fetch_add_u64(&f->job->used, bytes);
	if (f->slot[slot].at > f->shape->pool_bytes || bytes > f->shape->pool_bytes - f->slot[slot].at)
		return;
	deep_store(f->tree, f->pool + f->slot[slot].at);
	f->slot[slot].stored = true;
}

static void
grow_task(void *view, Team *team)
{
	Forest	   *f = view;

	if (f->grower == NULL)
		make_grower(f);
	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		uint64		seed = tree_seed(f, (int) piece);
		int64		count = take_bag(f, hash_fold(seed, 1));

		CHECK_FOR_INTERRUPTS();
		f->tree = deep_grow(f->grower, count, f->shape->nall - count, hash_fold(seed, 2), f->leaf + piece * f->shape->nall);
		if (f->options->ccp_alpha > 0)
			deep_prune(f->tree, f->options->ccp_alpha * f->shape->total);
		pass_on(f, (int) piece);
	}
}

DeepTree
forest_tree(const Forest *f, int slot)
{
	return f->slot[slot].stored ? deep_stored(f->pool + f->slot[slot].at, f->shape->nvalues) : *f->tree;
}

/* ---- adding up ---- */

static void
add_rows(Forest *f, const DeepTree *tree, const uint32 *leaf, int64 from, int64 to)
{
	int			n = f->shape->nvalues;
	double		offset = f->shape->deep.offset;

	for (int64 i = from; i < to; i++)
	{
		const float *value = tree->value + (Size) (leaf[i] & ~DEEP_LEFT_OUT) * n;

		for (int k = 0; k < n; k++)
			f->sum[i * n + k] += offset + value[k];
	}
	for (int64 i = from; i < Min(to, f->shape->nrows) && f->sum_left_out != NULL; i++)
	{
		const float *value = tree->value + (Size) (leaf[i] & ~DEEP_LEFT_OUT) * n;

		if (!(leaf[i] & DEEP_LEFT_OUT))
			continue;
		for (int k = 0; k < n; k++)
			f->sum_left_out[i * n + k] += offset + value[k];
		f->voters[i]++;
	}
}

static void
add_task(void *view, Team *team)
{
	Forest	   *f = view;
	int64		n = f->shape->nall;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		end = Min((piece + 1) * f->job->piece_rows, n);

		for (int64 from = piece * f->job->piece_rows; from < end; from += ADD_BLOCK)
		{
			CHECK_FOR_INTERRUPTS();
			for (int t = 0; t < f->job->count; t++)
			{
				DeepTree	tree = forest_tree(f, t);

				add_rows(f, &tree, f->leaf + t * n, from, Min(from + ADD_BLOCK, end));
			}
		}
	}
}

static void
shuffle_task(void *view, Team *team)
{
	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
		forest_shuffle(view, (int) piece);
}

const TeamTask forest_tasks[] = {
	[TASK_GROW] = grow_task,
	[TASK_ADD] = add_task,
	[TASK_SHUFFLE] = shuffle_task,
};
