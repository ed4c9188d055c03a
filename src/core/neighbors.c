/*
 * neighbors.c
 *		A k-d tree (Bentley 1975; Friedman, Bentley, Finkel 1977): cells are cut at the median of the dimension that spreads most.
 *
 * Categories take no part in the cuts: distances can only grow by them, so that cells left aside because of their numbers alone are rightly left
 * aside.  In many dimensions hardly any cell is, and a search looks at all points.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/budget.h"
#include "core/neighbors.h"

#define LEAF_POINTS 24
#define POINTS_PER_CHECK 4096
#define DIMENSIONS_PER_LOOK 8	/* summed between two looks at whether a point is too far already */
#define ROUNDING (1 - 1e-9)		/* a cell's distance is a sum of differences, so it may come out too large by rounding */

typedef struct Cell
{
	uint32		start,			/* its points in tree order */
				end;
	int			dimension;		/* cut; -1: a leaf */
	double		cut;
	uint32		left;			/* the other child is the next one */
} Cell;

struct NeighborTree
{
	NeighborSpace space;		/* points in tree order */
	uint32	   *point;			/* tree order -> number */
	uint32	   *place;			/* number -> tree order */
	uint32		ncells;
	Cell	   *cell;
};

static uint32
most_cells(uint32 n)
{
	return 4 * (n / LEAF_POINTS + 1);
}

Size
neighbor_tree_memory(uint32 n, int nnumbers, int ncategories)
{
	Size		point = sizeof(double) * nnumbers + sizeof(int32) * ncategories + 2 * sizeof(uint32);

	return size_plus(size_times(n, point), size_times(most_cells(n), sizeof(Cell)));
}

/* ---- building: "number" is the caller's, in the order of the points' numbers ---- */

static int
widest_dimension(const NeighborSpace *space, const uint32 *point, uint32 n)
{
	double		widest = 0;
	int			found = -1;

	for (int d = 0; d < space->nnumbers; d++)
	{
		double		low = HUGE_VAL,
					high = -HUGE_VAL;

		for (uint32 i = 0; i < n; i++)
		{
			double		x = space->number[(Size) point[i] * space->nnumbers + d];

			if (i % POINTS_PER_CHECK == 0)
				CHECK_FOR_INTERRUPTS();
			low = Min(low, x);
			high = Max(high, x);
		}
		if (high - low > widest)
		{
			widest = high - low;
			found = d;
		}
	}
	return found;
}

/* Equal coordinates are told apart by the points' numbers, so that the order is one and the same on every machine. */
static inline bool
before(const NeighborSpace *space, int d, uint32 a, uint32 b)
{
	double		x = space->number[(Size) a * space->nnumbers + d];
	double		y = space->number[(Size) b * space->nnumbers + d];

	return x < y || (x == y && a < b);
}

static inline void
swap_points(uint32 *point, uint32 i, uint32 j)
{
	uint32		other = point[i];

	point[i] = point[j];
	point[j] = other;
}

/* Hoare's selection: afterwards points before position k are not after it in dimension d, and those behind it not before. */
static void
select_point(const NeighborSpace *space, int d, uint32 *point, uint32 n, uint32 k)
{
	int64		low = 0,
				high = (int64) n - 1;

	while (low < high)
	{
		uint32		pivot = point[low + (high - low) / 2];
		int64		i = low,
					j = high;

		CHECK_FOR_INTERRUPTS();
		while (i <= j)
		{
			while (before(space, d, point[i], pivot))
				i++;
			while (before(space, d, pivot, point[j]))
				j--;
			if (i <= j)
				swap_points(point, i++, j--);
		}
		if (k <= j)
			high = j;
		else if (k >= i)
			low = i;
		else
			return;
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a,
				y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* A cell of points that all have the same numbers stays whole. */
static void
build_cell(NeighborTree *tree, const NeighborSpace *space, uint32 at)
{
	Cell	   *cell = &tree->cell[at];
	uint32	   *point = tree->point + cell->start;
	uint32		n = cell->end - cell->start;
	uint32		half = n / 2;

	check_stack_depth();
	cell->dimension = n > LEAF_POINTS ? widest_dimension(space, point, n) : -1;
	if (cell->dimension < 0)
	{
		qsort(point, n, sizeof(uint32), compare_numbers);
		return;
	}
	select_point(space, cell->dimension, point, n, half);
	cell->cut = space->number[(Size) point[half] * space->nnumbers + cell->dimension];
	cell->left = tree->ncells;
	tree->ncells += 2;
	tree->cell[cell->left] = (Cell) {.start = cell->start, .end = cell->start + half};
	tree->cell[cell->left + 1] = (Cell) {.start = cell->start + half, .end = cell->end};
	build_cell(tree, space, cell->left);
	build_cell(tree, space, cell->left + 1);
}

/* Neighbours in space become neighbours in memory. */
static void
copy_points(NeighborTree *tree, const NeighborSpace *space)
{
	Size		d = space->nnumbers,
				c = space->ncategories;
	double	   *number = palloc_extended(size_times(Max(d, 1) * sizeof(double), space->n), MCXT_ALLOC_HUGE);
	int32	   *category = palloc_extended(size_times(Max(c, 1) * sizeof(int32), space->n), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < space->n; i++)
	{
		if (i % POINTS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		tree->place[tree->point[i]] = i;
		if (d > 0)
			memcpy(number + i * d, space->number + tree->point[i] * d, d * sizeof(double));
		if (c > 0)
			memcpy(category + i * c, space->category + tree->point[i] * c, c * sizeof(int32));
	}
	tree->space.number = number;
	tree->space.category = category;
}

NeighborTree *
neighbor_tree_create(const NeighborSpace *space)
{
	NeighborTree *tree = palloc0(sizeof(NeighborTree));

	tree->space = *space;
	tree->point = palloc_extended(size_times(Max(space->n, 1), sizeof(uint32)), MCXT_ALLOC_HUGE);
	tree->place = palloc_extended(size_times(Max(space->n, 1), sizeof(uint32)), MCXT_ALLOC_HUGE);
	tree->cell = palloc_extended(size_times(most_cells(space->n), sizeof(Cell)), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < space->n; i++)
		tree->point[i] = i;
	tree->ncells = 1;
	tree->cell[0] = (Cell) {.start = 0, .end = space->n};
	build_cell(tree, space, 0);
	copy_points(tree, space);
	return tree;
}

/* ---- searching ---- */

typedef struct Search
{
	const NeighborTree *tree;
	uint32		point,
				place;
	const double *number;
	const int32 *category;
	int			k,
				n;				/* found so far */
	uint32	   *found;			/* (k) nearest first */
	double	   *distance;		/* (k) squared */
	double	   *apart;			/* (nnumbers) how far the cell looked at lies from the point in each dimension */
	uint32		looked_at;
} Search;

static inline double
worst(const Search *s)
{
	return s->n < s->k ? HUGE_VAL : s->distance[s->k - 1];
}

/* Squared, or HUGE_VAL where it exceeds the limit. */
static inline double
distance_to(const Search *s, uint32 place, double limit)
{
	const NeighborSpace *space = &s->tree->space;
	const double *number = space->number + (Size) place * space->nnumbers;
	const int32 *category = space->category + (Size) place * space->ncategories;
	double		sum = 0;
	int			differ = 0;

	for (int d = 0; d < space->nnumbers;)
	{
		int			end = Min(d + DIMENSIONS_PER_LOOK, space->nnumbers);

		for (; d < end; d++)
			sum += (number[d] - s->number[d]) * (number[d] - s->number[d]);
		if (sum > limit)
			return HUGE_VAL;
	}
	for (int c = 0; c < space->ncategories; c++)
		differ += category[c] != s->category[c];
	return sum + differ * space->step;
}

static void
keep(Search *s, uint32 point, double distance)
{
	int			at = s->n < s->k ? s->n++ : s->k - 1;

	while (at > 0 && (s->distance[at - 1] > distance || (s->distance[at - 1] == distance && s->found[at - 1] > point)))
	{
		s->distance[at] = s->distance[at - 1];
		s->found[at] = s->found[at - 1];
		at--;
	}
	s->distance[at] = distance;
	s->found[at] = point;
}

/* Points of a leaf come in the order of their numbers: once k lie at no distance, none after them is nearer. */
static void
search_leaf(Search *s, const Cell *cell)
{
	for (uint32 i = cell->start; i < cell->end; i++)
	{
		double		limit = worst(s),
					distance;
		uint32		point = s->tree->point[i];

		if (s->looked_at++ % POINTS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (i == s->place)
			continue;
		distance = distance_to(s, i, limit);
		if (distance < limit || (distance == limit && point < s->found[s->k - 1]))
			keep(s, point, distance);
		else if (limit == 0 && point > s->found[s->k - 1])
			return;
	}
}

/* near: squared distance of the point from the cell. */
static void
search_cell(Search *s, uint32 at, double near)
{
	const Cell *cell = &s->tree->cell[at];
	double		away,
				apart,
				far;
	int			right;

	if (cell->dimension < 0)
	{
		search_leaf(s, cell);
		return;
	}
	away = s->number[cell->dimension] - cell->cut;
	right = away >= 0;
	search_cell(s, cell->left + right, near);
	apart = s->apart[cell->dimension];
	far = near - apart * apart + away * away;
	if (far * ROUNDING > worst(s))
		return;
	s->apart[cell->dimension] = fabs(away);
	search_cell(s, cell->left + !right, far);
	s->apart[cell->dimension] = apart;
}

void
neighbor_tree_find(const NeighborTree *tree, uint32 point, int k, uint32 *found)
{
	uint32		place = tree->place[point];
	Search		s = {
		.tree = tree,
		.point = point,
		.place = place,
		.number = tree->space.number + (Size) place * tree->space.nnumbers,
		.category = tree->space.category + (Size) place * tree->space.ncategories,
		.k = k,
		.found = found,
		.distance = palloc(sizeof(double) * k),
		.apart = palloc0(sizeof(double) * Max(tree->space.nnumbers, 1)),
	};

	Assert((uint32) k < tree->space.n);
	search_cell(&s, 0, 0);
	pfree(s.distance);
	pfree(s.apart);
}
