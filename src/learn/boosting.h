/*
 * boosting.h
 *		Gradient boosting as others see it: the model that predicts, around trees made elsewhere.
 */
#ifndef RELEARN_LEARN_BOOSTING_H
#define RELEARN_LEARN_BOOSTING_H

#include "core/tree.h"
#include "learn/learner.h"

/* From the scores of a row to the learner's answer; stored, so numbers are never reused. */
typedef enum Link
{
	LINK_IDENTITY = 0,
	LINK_EXP = 1,				/* poisson, gamma, tweedie */
	LINK_SIGMOID = 2,			/* of each score by itself */
	LINK_SOFTMAX = 3			/* over all scores */
} Link;

#define LINK_LAST LINK_SOFTMAX

/* The state of gradient_boosting_learner; trees (learner_outputs() scores, ready for scoring) are kept, not copied. */
extern void *boosting_from_trees(Trees *trees, Link link);

#endif
