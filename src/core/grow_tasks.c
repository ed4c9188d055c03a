/*
 * grow_tasks.c
 *		The work of growing that a team shares, piece by piece.  Nothing here depends on who takes which piece.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/grow_internal.h"

static Grower *
view_grower(void *view)
{
	return *(Grower **) view;
}

/* ---- gradients ---- */

void
grower_look(Grower *grower, int tree, int64 start)
{
	Size		first = (Size) tree * grower->ntrain + start;

	grower->sizes[tree * gradient_pieces(grower) + start / GRADIENT_PIECE] =
		grower->search.kernels->sizes(grower->gradient + first, grower->hessian + first, Min(GRADIENT_PIECE, grower->ntrain - start));
}

static int
group_words(const Grower *grower, int group)
{
	return (Min(GROUP_COLUMNS, grower->bins->ncolumns - group * GROUP_COLUMNS) + 7) / 8;
}

/* Add rows from .. from+count-1 of the list (NULL: those rows themselves) to a histogram. */
static void
add_rows(const Grower *grower, const int32 *rows, int64 from, int64 count, int64 *hist)
{
	for (int g = 0; g < grower->bins->ngroups; g++)
		if (grower->use_group[g])
			grower->search.kernels->histogram(grower->bins->group[g], rows, from, count, group_words(grower, g),
											  hist + (Size) g * HIST_GROUP);
}

/* Where this member adds; its own sums are cleared at its first piece. */
static int64 *
member_histogram(Grower *grower, Team *team)
{
	int			member = team_member(team);
	int64	   *sums;

	if (member == 0)
		return grower_histogram(grower, grower->job->target);
	sums = grower->sums + (Size) member * grower->hist_entries;
	if (!grower->job->touched[member])
		memset(sums, 0, grower->hist_entries * sizeof(int64));
	grower->job->touched[member] = true;
	return sums;
}

static void
store_pairs(const Grower *grower, int64 start, int count, const int32 *pair)
{
	for (int g = 0; g < grower->bins->ngroups; g++)
	{
		uint8	   *row = grower->bins->group[g] + (Size) start * GROUP_BYTES + PAIR_OFFSET;

		if (grower->use_group[g])
			for (int i = 0; i < count; i++)
				memcpy(row + (Size) i * GROUP_BYTES, &pair[i], sizeof(int32));
	}
}

/* Round the gradients of a piece of rows; where every row counts, the root's histogram and list are made on the way. */
static void
quantise_rows(Grower *grower, int64 start, int count, int64 *hist)
{
	Size		first = (Size) grower->job->tree * grower->ntrain + start;
	int32		pair[QUANTISE_PIECE];

	grower->search.kernels->quantise(grower->gradient + first, grower->hessian + first, start, count, &grower->job->quantum, pair);
	store_pairs(grower, start, count, pair);
	if (hist == NULL)
		return;
	add_rows(grower, NULL, start, count, hist);
	for (int i = 0; i < count; i++)
		grower->rows[start + i] = (int32) (start + i);
}

void
grow_quantise_task(void *view, Team *team)
{
	Grower	   *grower = view_grower(view);

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = piece * QUANTISE_PIECE;

		CHECK_FOR_INTERRUPTS();
		quantise_rows(grower, start, (int) Min(QUANTISE_PIECE, grower->ntrain - start),
					  grower->job->bagged ? NULL : member_histogram(grower, team));
	}
}

/* ---- histograms and splits ---- */

void
grow_histogram_task(void *view, Team *team)
{
	Grower	   *grower = view_grower(view);
	const GrowJob *job = grower->job;

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = piece * job->piece;

		CHECK_FOR_INTERRUPTS();
		add_rows(grower, grower->rows, job->from + start, Min(job->piece, job->count - start),
				 member_histogram(grower, team));
	}
}

static void
merge_column(const Grower *grower, int column)
{
	const GrowJob *job = grower->job;
	Size		at = (Size) column * HIST_COLUMN;
	int64	   *target = grower_histogram(grower, job->target) + at;

	for (int m = 1; m < grower->nmembers && job->merge; m++)
	{
		const int64 *sums = grower->sums + m * grower->hist_entries + at;

		if (job->touched[m])
			for (int b = 0; b < HIST_COLUMN; b++)
				target[b] += sums[b];
	}
	if (job->subtract)
		grower->search.kernels->subtract(grower_histogram(grower, job->child[1].slot) + at, target, HIST_COLUMN);
}

static void
search_column(const Grower *grower, const SplitSearch *search, int child, int column)
{
	Leaf		leaf = grower->job->child[child];
	Size		at = (Size) child * grower->bins->ncolumns + column;

	leaf.split.gain = 0;
	if (leaf.slot >= 0 && grower->node_column[at])
	{
		leaf.hist = grower_histogram(grower, leaf.slot);
		split_search(search, &leaf, column);
	}
	grower->split[at] = leaf.split;
}

void
grow_search_task(void *view, Team *team)
{
	Grower	   *grower = view_grower(view);
	const GrowJob *job = grower->job;
	SplitSearch search = grower->search;

	search.quantum = job->quantum;
	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int			end = (int) Min((piece + 1) * SEARCH_PIECE, job->ncolumns);

		for (int i = (int) piece * SEARCH_PIECE; i < end; i++)
		{
			merge_column(grower, grower->column[i]);
			for (int child = 0; child < job->nchildren; child++)
				search_column(grower, &search, child, grower->column[i]);
		}
	}
}

/* ---- dividing rows ---- */

/* A piece's left rows go to the front of its place in the spare list, its right ones to the back, from the end. */
void
grow_partition_task(void *view, Team *team)
{
	Grower	   *grower = view_grower(view);
	const GrowJob *job = grower->job;
	const Walk *walk = &grower->walk[job->walk];
	const uint8 *bytes = bins_column(grower->bins, walk->column);

	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = job->from + piece * job->piece;
		int64		end = Min(start + job->piece, job->from + job->count);
		int32	   *left = grower->spare + start;
		int32	   *right = grower->spare + end - 1;

		for (int64 i = start; i < end; i++)
		{
			int32		row = grower->rows[i];
			uint8		goes_left = walk->left[bytes[row]];

			*left = row;
			*right = row;
			left += goes_left;
			right -= !goes_left;
		}
		grower->lefts[piece] = left - (grower->spare + start);
	}
}

/* Each piece's rows to their places, in their order. */
void
grow_join_task(void *view, Team *team)
{
	Grower	   *grower = view_grower(view);
	const GrowJob *job = grower->job;
	int64		npieces = (job->count + job->piece - 1) / job->piece;
	int64		all_left = 0;

	for (int64 p = 0; p < npieces; p++)
		all_left += grower->lefts[p];
	for (int64 piece = team_next(team); piece >= 0; piece = team_next(team))
	{
		int64		start = job->from + piece * job->piece;
		int64		end = Min(start + job->piece, job->from + job->count);
		int64		left = 0;
		int32	   *to;

		for (int64 p = 0; p < piece; p++)
			left += grower->lefts[p];
		to = grower->rows + job->from + all_left + (start - job->from - left);
		memcpy(grower->rows + job->from + left, grower->spare + start, sizeof(int32) * grower->lefts[piece]);
		for (int64 i = end - 1; i >= start + grower->lefts[piece]; i--)
			*to++ = grower->spare[i];
	}
}
