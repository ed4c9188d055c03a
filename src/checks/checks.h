/*
 * checks.h
 *		Checks: what is wrong with a table before anything is learned from it.  ml.checks looks at a source; this is what a training looks at.
 */
#ifndef RELEARN_CHECKS_H
#define RELEARN_CHECKS_H

#include "features/features.h"

/*
 * The checks that a training can afford, over a sample of its training rows (the first in canonical order, so whatever order they came in):
 * leakage, copies of the target, stand-ins for NULL, missing values, imbalance.  summaries: (frame->ncolumns) of all training rows.
 * balanced: weights or resampling take care of imbalance, which is not told then.  Returns lines for the training's warnings, a List of char *.
 */
extern List *checks_of_training(const Frame *frame, const ColumnSummary *summaries, Task task, bool balanced);

#endif
