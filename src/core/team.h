/*
 * team.h
 *		Work shared with parallel workers: memory all members see, tasks by number, pieces claimed one after the other.
 *
 * A team is the backend and as many workers as there are, which may be none: then everything runs as it would alone, in the same order of calls.
 * Results must not depend on who took which piece.  Pointers differ between members: each lays out its own view of the arena by the same
 * sequence of arena_array calls, and what changes later travels in plain data inside the arena.
 */
#ifndef RELEARN_CORE_TEAM_H
#define RELEARN_CORE_TEAM_H

#include "storage/dsm.h"
#include "storage/shm_toc.h"

#define TEAM_MOST_MEMBERS 64

/* ---- memory ---- */
typedef enum ArenaMode
{
	ARENA_COUNT,				/* only sizes are added up; arrays are NULL */
	ARENA_PRIVATE,				/* each array is allocated in the current memory context */
	ARENA_SHARED,				/* arrays lie one behind the other in shared memory */
	ARENA_VIEW					/* the same, of a segment another member made */
} ArenaMode;

typedef struct Arena
{
	ArenaMode	mode;
	char	   *base;
	Size		size;
	Size		used;
	dsm_segment *segment;
} Arena;

/* n elements, zeroed by the member that made the arena; aligned to a cache line.  May pass 1 GB. */
extern void *arena_array(Arena *arena, Size n, Size element);

/* The same, with anything in it. */
extern void *arena_space(Arena *arena, Size n, Size element);

/* Lays out a view of the arena: the same arrays in the same order, whatever the mode.  root says how large they are. */
typedef void *(*ArenaLayout) (Arena *arena, const void *root);

/* What it would take. */
extern Size arena_bytes(ArenaLayout layout, const void *root);

/* ---- teams ---- */
typedef struct Team Team;

/* Works on pieces as long as team_next gives one. */
typedef void (*TeamTask) (void *view, Team *team);

typedef struct TeamProgram
{
	const char *entry;			/* name of the exported function where workers start: it calls team_worker */
	const TeamTask *task;

	/* A worker's view of the arena.  root is the leader's, as it stands in the arena. */
	ArenaLayout attach;
} TeamProgram;

/*
 * How many members there can be: 1 + workers allowed by max_parallel_maintenance_workers, the CPUs of this process, and jobs (0: no further
 * limit).
 */
extern int	team_members(int jobs);

/*
 * Fill in the arena of a team of nmembers: bytes of shared memory where it takes more than one and there is so much, else private arrays and
 * *nmembers = 1.  root (root_size) is copied to its start, and the copy returned.
 */
extern void *arena_open(Arena *arena, Size bytes, const void *root, Size root_size, int *nmembers);

/* Start the workers.  view is the leader's. */
extern Team *team_start(Arena *arena, int nmembers, const TeamProgram *program, void *view);
extern void team_run(Team *team, int task, int64 npieces);
extern void team_end(Team *team);

/* The two halves of team_run: between them the workers are at it and the leader does something else. */
extern void team_begin(Team *team, int task, int64 npieces);
extern void team_join(Team *team);

/* In a task: the next piece, or -1. */
extern int64 team_next(Team *team);

/* How many members are at work now; workers may join later. */
extern int	team_size(const Team *team);

/* 0 is the leader. */
extern int	team_member(const Team *team);

/* The body of a worker's entry point. */
extern void team_worker(dsm_segment *segment, shm_toc *toc, const TeamProgram *program);

#endif
