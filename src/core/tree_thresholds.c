/*
 * tree_thresholds.c
 *		The distinct thresholds of an ensemble, column by column: what its stored form and its coded rows count in.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/hash.h"
#include "core/tree_internal.h"

#define FIRST_SEATS 256

/* What was seen, by open addressing; a free seat has the column "free". */
typedef struct Seat
{
	double		value;
	uint32		column;
} Seat;

typedef struct Seats
{
	const Trees *trees;
	Seat	   *seat;
	uint32		n;				/* a power of two */
	uint32		taken;
} Seats;

static Seat *
make_seats(const Seats *seats)
{
	Seat	   *seat = tree_array(seats->n, sizeof(Seat));

	for (uint32 i = 0; i < seats->n; i++)
		seat[i].column = seats->trees->ncolumns;
	return seat;
}

/* Where the pair is, or the free seat where it belongs. */
static Seat *
find_seat(const Seats *seats, uint32 column, double value)
{
	uint64		bits;
	uint32		at;

	memcpy(&bits, &value, sizeof(bits));
	at = (uint32) hash_mix(bits + column);
	for (;; at++)
	{
		Seat	   *seat = &seats->seat[at & (seats->n - 1)];

		if (seat->column == (uint32) seats->trees->ncolumns || (seat->column == column && seat->value == value))
			return seat;
	}
}

static void
grow_seats(Seats *seats)
{
	Seat	   *old = seats->seat;
	uint32		n = seats->n;

	CHECK_FOR_INTERRUPTS();
	seats->n *= 2;
	seats->seat = make_seats(seats);
	for (uint32 i = 0; i < n; i++)
		if (old[i].column != (uint32) seats->trees->ncolumns)
			*find_seat(seats, old[i].column, old[i].value) = old[i];
	pfree(old);
}

static void
seat_thresholds(Seats *seats)
{
	for (int i = 0; i < seats->trees->nnodes; i++)
	{
		const TreeNode *node = &seats->trees->node[i];
		Seat	   *seat;

		if (node->kind != TREE_NUMBER)
			continue;
		seat = find_seat(seats, node->column, node->threshold + 0.0);	/* -0 becomes 0 */
		if (seat->column == node->column)
			continue;
		*seat = (Seat) {node->threshold + 0.0, node->column};
		if (++seats->taken > seats->n / 2)
			grow_seats(seats);
	}
}

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Deal the seats out to their columns. */
static void
fill_columns(const Seats *seats, TreeThresholds *table)
{
	int			ncolumns = seats->trees->ncolumns;
	uint32	   *end = tree_array(ncolumns, sizeof(uint32));

	for (uint32 i = 0; i < seats->n; i++)
		if (seats->seat[i].column < (uint32) ncolumns)
			table->start[seats->seat[i].column + 1]++;
	for (int j = 0; j < ncolumns; j++)
	{
		table->start[j + 1] += table->start[j];
		end[j] = table->start[j];
	}
	for (uint32 i = 0; i < seats->n; i++)
		if (seats->seat[i].column < (uint32) ncolumns)
			table->value[end[seats->seat[i].column]++] = seats->seat[i].value;
	pfree(end);
}

void
tree_thresholds(const Trees *trees, TreeThresholds *table)
{
	Seats		seats = {.trees = trees,.n = FIRST_SEATS};

	seats.seat = make_seats(&seats);
	seat_thresholds(&seats);
	table->start = tree_array(trees->ncolumns + 1, sizeof(uint32));
	table->value = tree_array(seats.taken, sizeof(double));
	fill_columns(&seats, table);
	pfree(seats.seat);
	for (int j = 0; j < trees->ncolumns; j++)
	{
		CHECK_FOR_INTERRUPTS();
		qsort(table->value + table->start[j], table->start[j + 1] - table->start[j], sizeof(double), by_value);
	}
}

uint32
tree_threshold_index(const TreeThresholds *table, int column, double value)
{
	const double *from = table->value + table->start[column];
	uint32		low = 0,
				high = table->start[column + 1] - table->start[column];

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (from[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
tree_thresholds_free(TreeThresholds *table)
{
	pfree(table->start);
	pfree(table->value);
}
