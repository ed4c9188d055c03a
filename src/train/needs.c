/*
 * needs.c
 *		What a training from bins will take, so that its rows can make room for it, and what cannot be is refused at once.
 *
 * As the training books it step by step; a part's rows are estimated by its share.
 */
#include "postgres.h"

#include <math.h>

#include "train_internal.h"

#define SLACK_SHARE 0.01		/* by which a part may have more rows than its share */
#define SLACK_ROWS 1000
#define CALENDAR_COLUMNS 7		/* that a timestamp may become */

static int64
part_rows(int64 nrows, double share)
{
	return (int64) Min((double) nrows, ceil((share + SLACK_SHARE) * (double) nrows) + SLACK_ROWS);
}

static int
design_columns(const Frame *frame)
{
	int			n = 0;

	for (int i = 0; i < frame->ncolumns; i++)
		n += frame->columns[i].kind == KIND_TIMESTAMP ? CALENDAR_COLUMNS : 1;
	return n;
}

/* Of targets nobody will take, which is found out later, 0. */
static int
class_count(const Frame *frame)
{
	int			n = frame->classification ? dictionary_size(frame->target.levels) : 0;

	return n <= MOST_CLASSES ? n : 0;
}

FrameNeeds
training_needs(const void *state, const Frame *frame, int64 nrows)
{
	const Training *t = state;
	const double *share = t->request.share;
	int			ncolumns = design_columns(frame);
	int			nclasses = class_count(frame);
	int64		ntrain = part_rows(nrows, share[PART_TRAIN]);
	int64		nlearned = part_rows(nrows, share[PART_TRAIN] + share[PART_VALIDATION]);
	bool		weighted = frame->has_weight || t->common.class_weight.balanced || t->common.class_weight.n > 0;
	Size		targets = size_times(nrows, sizeof(double));
	Size		kept = size_plus(size_times(nlearned, weighted ? sizeof(double) : 0), bins_memory(nrows, ncolumns));
	Size		scores = scores_memory(ntrain, Max(nclasses, 1));
	FrameNeeds	needs;
	BinOptions	bins;

	t->learner->bin_options(t->options, &bins);
	needs.beside = size_plus(targets, Max(features_fit_memory(ntrain), size_plus(kept, bins_scratch(Min(bins.sample, ntrain), ncolumns))));
	needs.after = size_plus(size_plus(targets, kept), size_plus(scores, t->learner->memory_needed(t->options, nlearned, ncolumns, nclasses)));
	return needs;
}
