/*
 * team.c
 *		Parallel workers that meet the leader thousands of times: they spin for a moment before they sleep.
 *
 * The leader opens a round by storing the task and then one word, the round's number and how many workers it counts on; a worker that joined
 * later is none of them and waits for the next.  The leader goes on when all of them are through.
 */
#include "postgres.h"

#include <sched.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "core/budget.h"
#include "core/team.h"

#define TEAM_KEY UINT64CONST(0x72656c6561726e01)
#define TEAM_LIBRARY "relearn"
#define CACHE_LINE 64
#define LAUNCH_BYTES (1024 * 1024)	/* more than starting workers takes */

#define SPINS 4000				/* looks before sleeping: some 50 microseconds, */
#define LEAST_SPINS 64			/* fewer where they were in vain: other processes have the CPU that is waited for */
#define SPINS_PER_CHECK 256		/* looks between two checks for interrupts */
#define SLEEP_MS 10
#define MEMBER_BITS 8			/* of a round's word */

/* At the start of every shared arena. */
typedef struct TeamShared
{
	Size		size;
	Size		root_size;
	int			task;
	int64		npieces;
	pg_atomic_uint32 joined;	/* workers that wait for rounds */
	pg_atomic_uint32 round;		/* number << MEMBER_BITS | workers counted on */
	pg_atomic_uint32 busy;		/* of them not through */
	pg_atomic_uint32 asleep;
	pg_atomic_uint32 over;
	pg_atomic_uint64 next;		/* piece */
	ConditionVariable work;
	ConditionVariable done;
} TeamShared;

/* What workers find by TEAM_KEY. */
typedef struct TeamTicket
{
	dsm_handle	arena;
} TeamTicket;

struct Team
{
	TeamShared *shared;			/* NULL: alone */
	ParallelContext *context;
	const TeamTask *task;
	void	   *view;
	int			member;
	int			spins;			/* looks before sleeping */
	int			round_task;		/* the leader's round */
	uint32		round_members;	/* workers counted on; 0: alone */
	int64		next;			/* alone: piece */
	int64		npieces;
};

/* ---- memory ---- */

void *
arena_space(Arena *arena, Size n, Size element)
{
	Size		bytes = size_times(Max(n, 1), element);
	Size		at = arena->used;

	if (arena->mode == ARENA_PRIVATE)
		return (void *) TYPEALIGN(CACHE_LINE, alloc_large(CurrentMemoryContext, size_plus(bytes, CACHE_LINE)));
	arena->used = size_plus(at, TYPEALIGN(CACHE_LINE, bytes));
	if (arena->mode == ARENA_COUNT)
		return NULL;
	if (arena->used > arena->size)
		elog(ERROR, "the arena of a team is too small: %zu of %zu bytes", arena->used, arena->size);
	return arena->base + at;
}

void *
arena_array(Arena *arena, Size n, Size element)
{
	void	   *array = arena_space(arena, n, element);

	if (arena->mode == ARENA_PRIVATE || arena->mode == ARENA_SHARED)
		memset(array, 0, size_times(Max(n, 1), element));
	return array;
}

Size
arena_bytes(ArenaLayout layout, const void *root)
{
	Arena		arena = {.mode = ARENA_COUNT};

	layout(&arena, root);
	return arena.used;
}

static int
cpus_of_process(void)
{
#ifdef CPU_COUNT
	cpu_set_t	set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return Max(CPU_COUNT(&set), 1);
#endif
	return TEAM_MOST_MEMBERS;
}

int
team_members(int jobs)
{
	int			members = Min(Min(max_parallel_maintenance_workers + 1, TEAM_MOST_MEMBERS), cpus_of_process());

	if (IsInParallelMode())
		return 1;
	return jobs > 0 ? Min(members, jobs) : members;
}

static void
detach_segment(void *segment)
{
	dsm_detach(segment);
}

/* Shared memory may be short (/dev/shm of a container), for the arena or for starting workers beside it: that is found out here, and is no error. */
static dsm_segment *
create_segment(Size bytes)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	dsm_segment *volatile segment = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		segment = dsm_create(bytes, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment != NULL)
		{
			dsm_segment *room = dsm_create(LAUNCH_BYTES, DSM_CREATE_NULL_IF_MAXSEGMENTS);

			if (room != NULL)
				dsm_detach(room);
			dsm_pin_mapping(segment);
		}
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		segment = NULL;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return segment;
}

static void
open_shared(Arena *arena, dsm_segment *segment, Size bytes)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = detach_segment;
	callback->arg = segment;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	*arena = (Arena) {.mode = ARENA_SHARED,.base = dsm_segment_address(segment),.size = bytes,.segment = segment};
}

void *
arena_open(Arena *arena, Size bytes, const void *root, Size root_size, int *nmembers)
{
	Size		all = size_plus(bytes, TYPEALIGN(CACHE_LINE, sizeof(TeamShared)) + TYPEALIGN(CACHE_LINE, root_size));
	dsm_segment *segment = *nmembers > 1 ? create_segment(all) : NULL;
	TeamShared *shared;
	void	   *copy;

	if (segment == NULL)
	{
		*nmembers = 1;
		*arena = (Arena) {.mode = ARENA_PRIVATE};
		return memcpy(palloc(root_size), root, root_size);
	}
	open_shared(arena, segment, all);
	shared = arena_array(arena, 1, sizeof(TeamShared));
	shared->size = all;
	shared->root_size = root_size;
	pg_atomic_init_u32(&shared->joined, 0);
	pg_atomic_init_u32(&shared->round, 0);
	pg_atomic_init_u32(&shared->busy, 0);
	pg_atomic_init_u32(&shared->asleep, 0);
	pg_atomic_init_u32(&shared->over, 0);
	pg_atomic_init_u64(&shared->next, 0);
	ConditionVariableInit(&shared->work);
	ConditionVariableInit(&shared->done);
	copy = arena_array(arena, 1, root_size);
	return memcpy(copy, root, root_size);
}

/* ---- the leader ---- */

static void
launch(Team *team, const Arena *arena, const char *entry, int nworkers)
{
	ParallelContext *context;
	TeamTicket *ticket;

	EnterParallelMode();
	context = CreateParallelContext(TEAM_LIBRARY, entry, nworkers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(TeamTicket));
	shm_toc_estimate_keys(&context->estimator, 1);
	InitializeParallelDSM(context);
	ticket = shm_toc_allocate(context->toc, sizeof(TeamTicket));
	ticket->arena = dsm_segment_handle(arena->segment);
	shm_toc_insert(context->toc, TEAM_KEY, ticket);
	if (context->seg != NULL)
		LaunchParallelWorkers(context);
	team->context = context;
	if (context->nworkers_launched == 0)
		team_end(team);
}

Team *
team_start(Arena *arena, int nmembers, const TeamProgram *program, void *view)
{
	Team	   *team = palloc0(sizeof(Team));

	team->task = program->task;
	team->view = view;
	team->spins = SPINS;
	if (nmembers < 2 || arena->mode != ARENA_SHARED)
		return team;
	team->shared = (TeamShared *) arena->base;
	launch(team, arena, program->entry, nmembers - 1);
	return team;
}

static void
wake_workers(TeamShared *shared, uint32 members)
{
	uint32		number = (pg_atomic_read_u32(&shared->round) >> MEMBER_BITS) + 1;

	pg_atomic_exchange_u32(&shared->round, number << MEMBER_BITS | members);
	if (pg_atomic_read_u32(&shared->asleep) > 0)
		ConditionVariableBroadcast(&shared->work);
}

/* Spinning came to its end, or did not. */
static void
learn_to_spin(Team *team, bool met)
{
	team->spins = met ? Min(team->spins + team->spins / 8, SPINS) : Max(team->spins - team->spins / 8, LEAST_SPINS);
}

static void
wait_for_workers(Team *team)
{
	TeamShared *shared = team->shared;

	for (int spin = 0; spin < team->spins; spin++)
	{
		if (pg_atomic_read_u32(&shared->busy) == 0)
		{
			pg_read_barrier();
			learn_to_spin(team, true);
			return;
		}
		if (spin % SPINS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		pg_spin_delay();
	}
	learn_to_spin(team, false);
	ConditionVariablePrepareToSleep(&shared->done);
	while (pg_atomic_read_u32(&shared->busy) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		ConditionVariableTimedSleep(&shared->done, SLEEP_MS, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	pg_read_barrier();
}

void
team_begin(Team *team, int task, int64 npieces)
{
	TeamShared *shared = team->shared;
	uint32		members = shared != NULL ? pg_atomic_read_u32(&shared->joined) : 0;

	team->round_task = task;
	team->round_members = npieces < 2 ? 0 : members;
	team->next = 0;
	team->npieces = npieces;
	if (team->round_members == 0)
		return;
	shared->task = task;
	shared->npieces = npieces;
	pg_atomic_write_u64(&shared->next, 0);
	pg_atomic_write_u32(&shared->busy, members);
	pg_write_barrier();
	wake_workers(shared, members);
}

void
team_join(Team *team)
{
	TeamShared *shared = team->shared;

	if (team->round_members == 0)
		team->shared = NULL;
	team->task[team->round_task] (team->view, team);
	if (team->round_members == 0)
		team->shared = shared;
	else
		wait_for_workers(team);
}

void
team_run(Team *team, int task, int64 npieces)
{
	team_begin(team, task, npieces);
	team_join(team);
}

void
team_end(Team *team)
{
	if (team->context == NULL)
		return;
	pg_atomic_write_u32(&team->shared->over, 1);
	wake_workers(team->shared, 0);
	WaitForParallelWorkersToFinish(team->context);
	DestroyParallelContext(team->context);
	ExitParallelMode();
	team->context = NULL;
	team->shared = NULL;
}

int64
team_next(Team *team)
{
	int64		piece;

	if (team->shared == NULL)
		return team->next < team->npieces ? team->next++ : -1;
	piece = (int64) pg_atomic_fetch_add_u64(&team->shared->next, 1);
	return piece < team->shared->npieces ? piece : -1;
}

int
team_size(const Team *team)
{
	return team->shared != NULL ? 1 + (int) pg_atomic_read_u32(&team->shared->joined) : 1;
}

int
team_member(const Team *team)
{
	return team->member;
}

/* ---- a worker ---- */

/* A round not seen yet, or the end, which a worker that joins late finds behind it. */
static inline bool
is_news(TeamShared *shared, uint32 seen, uint32 *word)
{
	*word = pg_atomic_read_u32(&shared->round);
	return *word != seen || pg_atomic_read_u32(&shared->over) != 0;
}

/* The next round's word. */
static uint32
wait_for_round(Team *team, uint32 seen)
{
	TeamShared *shared = team->shared;
	uint32		word;

	for (int spin = 0; spin < team->spins; spin++)
	{
		if (is_news(shared, seen, &word))
		{
			learn_to_spin(team, true);
			return word;
		}
		if (spin % SPINS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		pg_spin_delay();
	}
	learn_to_spin(team, false);
	pg_atomic_fetch_add_u32(&shared->asleep, 1);
	ConditionVariablePrepareToSleep(&shared->work);
	while (!is_news(shared, seen, &word))
	{
		CHECK_FOR_INTERRUPTS();
		ConditionVariableTimedSleep(&shared->work, SLEEP_MS, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	pg_atomic_fetch_sub_u32(&shared->asleep, 1);
	return word;
}

static void
work(Team *team, uint32 seen, uint32 index)
{
	TeamShared *shared = team->shared;

	for (;;)
	{
		seen = wait_for_round(team, seen);
		pg_read_barrier();
		if (pg_atomic_read_u32(&shared->over))
			return;
		if (index >= (seen & ((1 << MEMBER_BITS) - 1)))
			continue;
		team->task[shared->task] (team->view, team);
		if (pg_atomic_sub_fetch_u32(&shared->busy, 1) == 0)
			ConditionVariableSignal(&shared->done);
	}
}

void
team_worker(dsm_segment *segment, shm_toc *toc, const TeamProgram *program)
{
	const TeamTicket *ticket = shm_toc_lookup(toc, TEAM_KEY, false);
	dsm_segment *mapped = dsm_attach(ticket->arena);
	Arena		arena = {.mode = ARENA_VIEW,.segment = mapped};
	Team		team = {.spins = SPINS};
	TeamShared *shared;
	uint32		seen;
	uint32		index;

	if (mapped == NULL)			/* the leader is through already */
		return;
	arena.base = dsm_segment_address(mapped);
	shared = (TeamShared *) arena.base;
	arena.size = shared->size;
	shared = arena_array(&arena, 1, sizeof(TeamShared));
	team.shared = shared;
	team.task = program->task;
	team.view = program->attach(&arena, arena_array(&arena, 1, shared->root_size));

	/* in this order: a round opened before we join is none of ours, one opened after it is */
	seen = pg_atomic_read_u32(&shared->round);
	pg_memory_barrier();
	index = pg_atomic_fetch_add_u32(&shared->joined, 1);
	team.member = (int) index + 1;
	work(&team, seen, index);
	dsm_detach(mapped);
}
