/*
 * budget.h
 *		Memory announced before it is taken, against relearn.max_memory.
 */
#ifndef RELEARN_CORE_BUDGET_H
#define RELEARN_CORE_BUDGET_H

#include "compat.h"

typedef struct Budget
{
	Size		limit;			/* bytes */
	Size		used;
} Budget;

extern bool budget_fits(const Budget *b, Size bytes);

/* Book the bytes, or fail with what is needed in all ("what" names the consumer: "the rows of the source"). */
extern void budget_take(Budget *b, Size bytes, const char *what);
extern void budget_return(Budget *b, Size bytes);

/* ERRCODE_PROGRAM_LIMIT_EXCEEDED naming "what", the bytes needed in all, the limit, and how to raise it. */
pg_noreturn extern void budget_fail(const Budget *b, Size needed, const char *what);

/* Products and sums of sizes that stop at SIZE_MAX instead of wrapping. */
extern Size size_times(Size a, Size b);
extern Size size_plus(Size a, Size b);

/*
 * Memory for large arrays, in huge pages where the system has them: faulting it in by ordinary ones costs as much as filling it.  pfree as usual.
 */
extern void *alloc_large(MemoryContext context, Size bytes);

#endif
