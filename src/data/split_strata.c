/*
 * split_strata.c
 *		Parts by hash within each class, so that every class has the same shares.
 *
 * Within a class rows are ranked by their hash and cut at the shares, which is exact but for rounding.  The cut is kept as a bound along the hashes;
 * a later training that is given the bounds places every row as the first one did, and rows added since by the same bounds.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "core/hash.h"
#include "data/order_internal.h"

/* Rows of one hash: equal ones, or those of one key or group.  They stay together. */
typedef struct Strata
{
	Order	   *order;
	int			n;
	const char **label;			/* (n) NULL: of the missing values */
	int		   *code_of;		/* SIDE_STRATUM -> stratum; NULL: the target's code is the stratum */
	int64	   *count;			/* (n) rows with the label */
	int64	   *size;			/* (n) rows of units that count as of the stratum */
	int64	   *passed;			/* (n) of them the rows walked past */
	Stratum    *found;			/* (n) with their bounds */
	bool	   *given;			/* (n) the bounds came with the request */
	int		   *rank;			/* (n) a key whose rows are of several classes counts as of the one with the least */
} Strata;

static void
take_labels(Strata *s)
{
	const Order *o = s->order;
	const Dictionary *levels = o->strata ? o->strata : o->frame->target.levels;
	int			missing = o->strata ? 1 : 0;
	int			nlevels = dictionary_size(levels);

	if (nlevels > MOST_STRATA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target column \"%s\" has more than %d classes, too many to stratify the split by", o->frame->target.name, MOST_STRATA)));
	if (o->strata != NULL)
	{
		int		   *map = dictionary_sort(o->strata);

		s->code_of = palloc0(sizeof(int) * (nlevels + 1));
		for (int code = 0; code < nlevels; code++)
			s->code_of[code + 1] = map[code] + 1;
	}
	s->n = nlevels + missing;
	s->label = palloc0(sizeof(char *) * Max(s->n, 1));
	for (int code = 0; code < nlevels; code++)
		s->label[code + missing] = dictionary_text(levels, code);
}

static inline int
stratum_of_row(const Strata *s, uint32 row)
{
	const Order *o = s->order;

	if (s->code_of != NULL)
		return s->code_of[*row_side(o->sides, SIDE_STRATUM, row)];
	return (int) o->row_scratch[row];
}

/* The codes of the target by row of arrival, where nothing else is for a while. */
static void
take_targets(Order *o)
{
	int			cell = o->frame->ncolumns;

	if (o->frame->file != NULL)
	{
		spill_codes(o->frame, cell, o->row_scratch);
		return;
	}
	for (uint32 row = 0; row < o->n; row++)
	{
		check_interrupts(row);
		o->row_scratch[row] = (uint32) row_cells(o->frame, row)[cell];
	}
}

static void
count_rows(Strata *s)
{
	for (uint32 i = 0; i < s->order->n; i++)
	{
		check_interrupts(i);
		s->count[stratum_of_row(s, s->order->row[i])]++;
	}
}

/* ---- units ---- */

static uint32
unit_end(const Order *o, uint32 start)
{
	uint32		end = start + 1;

	while (end < o->n && o->key[end] == o->key[start])
		check_interrupts(end++);
	return end;
}

/*
 * Rarest first, but those that came with the request as they came: which of them is rarer now must not move a key.  A key whose rows are of several
 * classes counts as the first of them.
 */
static void
rank_strata(Strata *s)
{
	for (int i = 0; i < s->n; i++)
	{
		if (s->given[i])
			continue;
		s->rank[i] = s->order->request->nbounds;
		for (int j = 0; j < s->n; j++)
			s->rank[i] += !s->given[j] && (s->count[j] < s->count[i] || (s->count[j] == s->count[i] && j < i));
	}
}

static int
unit_stratum(const Strata *s, uint32 start, uint32 end)
{
	int			first = stratum_of_row(s, s->order->row[start]);

	for (uint32 i = start + 1; i < end; i++)
	{
		int			stratum = stratum_of_row(s, s->order->row[i]);

		if (s->rank[stratum] < s->rank[first])
			first = stratum;
	}
	return first;
}

typedef void (*UnitFunction) (Strata *s, int stratum, uint32 start, uint32 end);

static void
each_unit(Strata *s, UnitFunction visit)
{
	uint32		end;

	for (uint32 start = 0; start < s->order->n; start = end)
	{
		check_interrupts(start);
		end = unit_end(s->order, start);
		visit(s, unit_stratum(s, start, end), start, end);
	}
}

static void
count_unit(Strata *s, int stratum, uint32 start, uint32 end)
{
	s->size[stratum] += end - start;
}

/* ---- bounds ---- */

/*
 * A unit is behind a cut where more than half of it is.  The bound lies as near to the nominal share as the units on both sides of the cut allow,
 * because that is where rows added later belong.
 */
static void
move_bounds(Strata *s, int stratum, uint32 start, uint32 end)
{
	double		nominal[NPARTS - 1];
	double		middle = s->passed[stratum] + (end - start) / 2.0;
	double		place = hash_unit(s->order->key[start]);

	s->passed[stratum] += end - start;
	if (s->given[stratum])
		return;
	split_bounds(s->order->request->share, nominal);
	for (int b = 0; b < NPARTS - 1; b++)
	{
		double	   *bound = &s->found[stratum].bound[b];

		if (middle <= nominal[b] * s->size[stratum])
			*bound = Max(nominal[b], nextafter(place, 2));
		else
			*bound = Min(*bound, place);
	}
}

static void
take_given_bounds(Strata *s)
{
	const FrameRequest *request = s->order->request;

	for (int i = 0; i < s->n; i++)
	{
		s->found[i].label = s->label[i] ? MemoryContextStrdup(s->order->frame->context, s->label[i]) : NULL;
		split_bounds(request->share, s->found[i].bound);
		for (int j = 0; j < request->nbounds && !s->given[i]; j++)
		{
			const Stratum *given = &request->bounds[j];

			s->given[i] = s->label[i] && given->label ? strcmp(s->label[i], given->label) == 0 : s->label[i] == given->label;
			if (s->given[i])
			{
				memcpy(s->found[i].bound, given->bound, sizeof(given->bound));
				s->rank[i] = j;
			}
		}
	}
}

/* Those that have rows, by rank. */
static int
keep_used(Strata *s)
{
	int			nranks = s->order->request->nbounds + s->n;
	Stratum   **of_rank = palloc0(sizeof(Stratum *) * (nranks + 1));
	Stratum    *kept = MemoryContextAllocZero(s->order->frame->context, sizeof(Stratum) * Max(s->n, 1));
	int			n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->count[i] > 0)
			of_rank[s->rank[i]] = &s->found[i];
	for (int r = 0; r < nranks; r++)
		if (of_rank[r] != NULL)
			kept[n++] = *of_rank[r];
	s->order->frame->strata = kept;
	return n;
}

static void
place_unit(Strata *s, int stratum, uint32 start, uint32 end)
{
	uint8	   *part = (uint8 *) s->order->key_scratch;
	const double *bound = s->found[stratum].bound;
	double		place = hash_unit(s->order->key[start]);

	memset(part + start, place < bound[0] ? PART_TRAIN : place < bound[1] ? PART_VALIDATION : PART_TEST, end - start);
}

void
split_by_stratum(Order *o)
{
	Strata		s = {.order = o};

	take_labels(&s);
	s.count = palloc0(sizeof(int64) * Max(s.n, 1));
	s.size = palloc0(sizeof(int64) * Max(s.n, 1));
	s.passed = palloc0(sizeof(int64) * Max(s.n, 1));
	s.given = palloc0(sizeof(bool) * Max(s.n, 1));
	s.rank = palloc0(sizeof(int) * Max(s.n, 1));
	s.found = palloc0(sizeof(Stratum) * Max(s.n, 1));
	if (o->strata == NULL)
		take_targets(o);
	count_rows(&s);
	take_given_bounds(&s);
	rank_strata(&s);
	each_unit(&s, count_unit);
	each_unit(&s, move_bounds);
	each_unit(&s, place_unit);
	arrange_parts(o, (uint8 *) o->key_scratch);
	o->frame->nstrata = keep_used(&s);
}
