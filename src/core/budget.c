/*
 * budget.c
 *		Memory announced before it is taken, against relearn.max_memory.
 */
#include "postgres.h"

#include <limits.h>
#include <sys/mman.h>

#include "utils/guc.h"
#include "utils/memutils.h"

#include "core/budget.h"

#define HUGE_PAGE ((Size) 2 * 1024 * 1024)

Size
size_times(Size a, Size b)
{
	Size		product;

	return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

Size
size_plus(Size a, Size b)
{
	Size		sum;

	return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

bool
budget_fits(const Budget *b, Size bytes)
{
	return size_plus(b->used, bytes) <= b->limit;
}

void
budget_take(Budget *b, Size bytes, const char *what)
{
	if (!budget_fits(b, bytes))
		budget_fail(b, size_plus(b->used, bytes), what);
	b->used += bytes;
}

void
budget_return(Budget *b, Size bytes)
{
	Assert(bytes <= b->used);
	b->used -= Min(bytes, b->used);
}

/* Round up: a limit raised to the number shown must be enough. */
static unsigned long long
megabytes(Size bytes)
{
	Size		megabyte = 1024 * 1024;

	return (unsigned long long) (bytes / megabyte + (bytes % megabyte != 0));
}

void
budget_fail(const Budget *b, Size needed, const char *what)
{
	bool		possible = megabytes(needed) <= MAX_KILOBYTES / 1024;

	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s would need %llu MB of memory, more than relearn.max_memory allows", what, megabytes(needed)),
			 errdetail("The limit is %llu MB.", (unsigned long long) (b->limit / (1024 * 1024))),
			 possible ? errhint("Raise it with SET relearn.max_memory = '%lluMB', or use fewer rows or columns.", megabytes(needed))
			 : errhint("Use fewer rows or columns.")));
}

void *
alloc_large(MemoryContext context, Size bytes)
{
	char	   *memory = MemoryContextAllocHuge(context, bytes);

#ifdef MADV_HUGEPAGE
	char	   *first = (char *) TYPEALIGN(HUGE_PAGE, memory);
	char	   *end = (char *) TYPEALIGN_DOWN(HUGE_PAGE, memory + bytes);

	if (end > first)
		(void) madvise(first, end - first, MADV_HUGEPAGE);
#endif
	return memory;
}
