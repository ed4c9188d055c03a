/*
 * sketching.c
 *		Values of many columns on their way into sketches: row by row into a block, column by column out of it.
 *
 * Where there are many, parallel workers sketch the columns of one block while the next one is filled.  A column's block is one piece of work, so
 * its values come to its sketch in the same portions whoever does it, and what is found is the same.
 */
#include "postgres.h"

#include "core/team.h"
#include "optimizer/cost.h"

#include "profile/profile_internal.h"

#define BLOCK_TEXT (256 * 1024) /* bytes of texts in a block, all columns together; a block is full when they are */
#define STRIDE (SKETCHING_ROWS + 8) /* cells from column to column: not a power of 2, lest all of them want the same lines of the cache */
#define CELLS_BEFORE_TEAM (1024 * 1024) /* some 50 ms of work, several times what it takes to start workers */
#define WHAT "the sketches of the columns"

typedef struct Block
{
	int32	   *count;			/* (ncolumns) cells */
	uint64	   *cell;			/* (ncolumns, STRIDE) bits of a number, or place << 32 | length of a text */
	char	   *text;			/* (BLOCK_TEXT) NULL where no column is one of texts */
	int			text_used;
} Block;

/* What all members see.  Alone: one block, and sketches that grow where they like. */
typedef struct SketchingView
{
	int			ncolumns;
	const int32 *kind;			/* (ncolumns) ColumnKind, or 0: no sketch */
	int32	   *turn;			/* block that is sketched */
	Block		block[2];
	Sketch	  **sketch;			/* (ncolumns) */
	bool		shared;			/* sketches stay where they are, with room for the largest */
	Budget	   *budget;			/* of sketches that are not shared */
} SketchingView;

struct SketchingInside
{
	SketchingView view;
	int			filling;		/* block */
	int64		cells;
	bool		may_share;		/* a team was not tried yet */
	Team	   *team;
	bool		running;		/* team_join is due */
	Budget		budget;
	MemoryContext context;
};

/* ---- a column of a block ---- */

static void
keep_sketch(SketchingView *view, int i, Sketch *sketch)
{
	Sketch	   *old = view->sketch[i];

	if (sketch == old)
		return;
	if (view->shared)
	{
		memcpy(old, sketch, VARSIZE(sketch));
		pfree(sketch);
		return;
	}
	budget_take(view->budget, VARSIZE(sketch) - VARSIZE(old), WHAT);
	view->sketch[i] = sketch;
	pfree(old);
}

static void
sketch_column(SketchingView *view, int i)
{
	const Block *block = &view->block[*view->turn];
	const uint64 *cell = block->cell + (Size) i * STRIDE;
	int			n = block->count[i];

	CHECK_FOR_INTERRUPTS();
	if (view->kind[i] != KIND_CATEGORY)
	{
		if (n > 0)
			keep_sketch(view, i, sketch_add_numbers(view->sketch[i], (const double *) cell, n));
		return;
	}
	for (int j = 0; j < n; j++)
		keep_sketch(view, i, sketch_add_text(view->sketch[i], block->text + (cell[j] >> 32), (int) (uint32) cell[j]));
}

static void
sketch_task(void *view, Team *team)
{
	for (int64 i = team_next(team); i >= 0; i = team_next(team))
		sketch_column(view, (int) i);
}

/* ---- the team ---- */

/* What a worker cannot see from the arena alone. */
typedef struct SketchingRoot
{
	int			ncolumns;
	bool		any_text;
} SketchingRoot;

/* Kinds are filled in before all else is laid out. */
static void
lay_out_kinds(SketchingView *view, Arena *arena, const SketchingRoot *root)
{
	view->ncolumns = root->ncolumns;
	view->shared = true;
	view->kind = arena_array(arena, root->ncolumns, sizeof(int32));
}

static void
lay_out_blocks(SketchingView *view, Arena *arena, const SketchingRoot *root)
{
	view->turn = arena_array(arena, 1, sizeof(int32));
	for (int i = 0; i < 2; i++)
	{
		view->block[i].count = arena_array(arena, root->ncolumns, sizeof(int32));
		view->block[i].cell = arena_space(arena, size_times(root->ncolumns, STRIDE), sizeof(uint64));
		view->block[i].text = root->any_text ? arena_space(arena, BLOCK_TEXT, 1) : NULL;
	}
}

static void
lay_out_sketches(SketchingView *view, Arena *arena, const int32 *kind)
{
	view->sketch = palloc0(sizeof(Sketch *) * Max(view->ncolumns, 1));
	for (int i = 0; i < view->ncolumns; i++)
		if (kind[i] != 0)
			view->sketch[i] = arena_space(arena, sketch_largest((ColumnKind) kind[i]), 1);
}

static void *
attach_sketching(Arena *arena, const void *root)
{
	SketchingView *view = palloc0(sizeof(SketchingView));

	lay_out_kinds(view, arena, root);
	lay_out_blocks(view, arena, root);
	lay_out_sketches(view, arena, view->kind);
	return view;
}

static const TeamTask sketching_tasks[] = {sketch_task};

static const TeamProgram sketching_program = {
	.entry = "ml_sketching_worker",
	.task = sketching_tasks,
	.attach = attach_sketching,
};

extern PGDLLEXPORT void ml_sketching_worker(dsm_segment *segment, shm_toc *toc);

void
ml_sketching_worker(dsm_segment *segment, shm_toc *toc)
{
	team_worker(segment, toc, &sketching_program);
}

static void
point_at_block(Sketching *s)
{
	SketchingInside *in = s->inside;

	for (int i = 0; i < in->view.ncolumns; i++)
	{
		s->column[i].cell = in->view.block[in->filling].cell + (Size) i * STRIDE;
		s->column[i].n = 0;
	}
	in->view.block[in->filling].text_used = 0;
	s->rows = 0;
}

/* From private memory to an arena, when all that came is sketched. */
static void
move_to_arena(Sketching *s, Arena *arena, const SketchingRoot *root)
{
	SketchingInside *in = s->inside;
	SketchingView old = in->view;

	lay_out_kinds(&in->view, arena, root);
	memcpy(unconstify(int32 *, in->view.kind), old.kind, sizeof(int32) * root->ncolumns);
	lay_out_blocks(&in->view, arena, root);
	lay_out_sketches(&in->view, arena, old.kind);
	for (int i = 0; i < root->ncolumns; i++)
		if (old.sketch[i] != NULL)
		{
			memcpy(in->view.sketch[i], old.sketch[i], VARSIZE(old.sketch[i]));
			pfree(old.sketch[i]);
		}
	pfree(old.block[0].cell);
	if (root->any_text)
		pfree(old.block[0].text);
}

/* Where workers are to be had, and memory for the largest sketches there can be. */
static void
start_team(Sketching *s)
{
	SketchingInside *in = s->inside;
	SketchingRoot root = {.ncolumns = in->view.ncolumns,.any_text = in->view.block[0].text != NULL};
	Arena		arena = {.mode = ARENA_COUNT};
	SketchingView counted;
	int			nmembers = team_members(max_parallel_workers_per_gather + 1);
	const void *copy;

	in->may_share = false;
	lay_out_kinds(&counted, &arena, &root);
	lay_out_blocks(&counted, &arena, &root);
	lay_out_sketches(&counted, &arena, in->view.kind);
	if (nmembers < 2 || !budget_fits(&in->budget, arena.used))
		return;
	copy = arena_open(&arena, arena.used, &root, sizeof(root), &nmembers);
	if (nmembers < 2)
		return;
	move_to_arena(s, &arena, copy);
	in->team = team_start(&arena, nmembers, &sketching_program, &in->view);
	point_at_block(s);
}

/* ---- filling ---- */

Sketching *
sketching_open(int ncolumns, const int32 *kind, bool may_share, Size max_memory)
{
	Sketching  *s = palloc0(sizeof(Sketching));
	SketchingInside *in = palloc0(sizeof(SketchingInside));
	Block	   *block = &in->view.block[0];
	int			nsketches = 0;
	bool		any_text = false;

	s->inside = in;
	s->column = palloc0(sizeof(CellQueue) * Max(ncolumns, 1));
	in->context = CurrentMemoryContext;
	in->budget.limit = max_memory;
	in->view = (SketchingView) {.ncolumns = ncolumns,.kind = kind,.budget = &in->budget};
	in->view.turn = palloc0(sizeof(int32));
	in->view.sketch = palloc0(sizeof(Sketch *) * Max(ncolumns, 1));
	for (int i = 0; i < ncolumns; i++)
	{
		if (kind[i] == 0)
			continue;
		nsketches++;
		any_text |= kind[i] == KIND_CATEGORY;
		in->view.sketch[i] = sketch_new((ColumnKind) kind[i]);
		budget_take(&in->budget, VARSIZE(in->view.sketch[i]), WHAT);
	}
	in->may_share = may_share && nsketches > 1;
	budget_take(&in->budget, size_plus(size_times(size_times(ncolumns, STRIDE), sizeof(uint64)), any_text ? BLOCK_TEXT : 0), WHAT);
	block->cell = alloc_large(in->context, size_times(size_times(Max(ncolumns, 1), STRIDE), sizeof(uint64)));
	block->count = palloc0(sizeof(int32) * Max(ncolumns, 1));
	block->text = any_text ? palloc(BLOCK_TEXT) : NULL;
	point_at_block(s);
	return s;
}

static void
join_round(SketchingInside *in)
{
	if (in->running)
		team_join(in->team);
	in->running = false;
}

void
sketching_flush(Sketching *s)
{
	SketchingInside *in = s->inside;
	SketchingView *view = &in->view;
	MemoryContext caller = MemoryContextSwitchTo(in->context);

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < view->ncolumns; i++)
	{
		view->block[in->filling].count[i] = s->column[i].n;
		in->cells += s->column[i].n;
	}
	if (in->team != NULL)
	{
		join_round(in);
		*view->turn = in->filling;
		team_begin(in->team, 0, view->ncolumns);
		in->running = true;
		in->filling = 1 - in->filling;
	}
	else
		for (int i = 0; i < view->ncolumns; i++)
			sketch_column(view, i);
	point_at_block(s);
	if (in->may_share && in->cells >= CELLS_BEFORE_TEAM)
		start_team(s);
	MemoryContextSwitchTo(caller);
}

/* A text that no block can hold goes to its sketch after all that came before it. */
static void
add_long_text(Sketching *s, int i, const char *text, int length)
{
	SketchingInside *in = s->inside;
	MemoryContext caller = MemoryContextSwitchTo(in->context);

	sketching_flush(s);
	join_round(in);
	keep_sketch(&in->view, i, sketch_add_text(in->view.sketch[i], text, length));
	MemoryContextSwitchTo(caller);
}

void
sketching_text(Sketching *s, int i, const char *text, int length)
{
	SketchingInside *in = s->inside;
	Block	   *block = &in->view.block[in->filling];

	if (length > BLOCK_TEXT)
	{
		add_long_text(s, i, text, length);
		return;
	}
	if (length > BLOCK_TEXT - block->text_used)
	{
		sketching_flush(s);
		block = &in->view.block[in->filling];
	}
	memcpy(block->text + block->text_used, text, length);
	s->column[i].cell[s->column[i].n++] = (uint64) block->text_used << 32 | (uint32) length;
	block->text_used += length;
}

Sketch **
sketching_close(Sketching *s)
{
	SketchingInside *in = s->inside;

	sketching_flush(s);
	join_round(in);
	if (in->team != NULL)
		team_end(in->team);
	return in->view.sketch;
}
