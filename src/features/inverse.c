/*
 * inverse.c
 *		From prepared rows back to cells, as inverse_transform of scikit-learn's pipelines.
 *
 * A step can be undone where its transform has a way back and all that it made is at hand: design columns, or what the undoing of later steps gives.  Where a
 * cell went several ways, that of the column itself (or else of the feature derived first) counts.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "features/features_internal.h"

#define ZERO_WITHIN 1e-9		/* what scaling back leaves of a zero is smaller */

int
greatest_output(const double *outputs, int n)
{
	int			greatest = 0;

	for (int j = 0; j < n; j++)
	{
		if (isnan(outputs[j]))
			return OUTPUT_MISSING;
		if (outputs[j] > outputs[greatest])
			greatest = j;
	}
	return outputs[greatest] > ZERO_WITHIN ? greatest : OUTPUT_NONE;
}

static bool
can_be_undone(const FeatureStep *step, const bool *known)
{
	if (step->transform->invert == NULL)
		return false;
	for (int j = 0; !step->final && j < step->width; j++)
		if (!known[step->first_output + j])
			return false;
	return true;
}

/* Which design columns come from an input by steps that all can be undone. */
static bool *
mark_ways(const Features *features, const bool *undone)
{
	bool	   *from_input = palloc0(sizeof(bool) * Max(features->nplaces, 1));
	bool	   *leads_back = palloc0(sizeof(bool) * Max(features->noutputs, 1));

	for (int i = 0; i < features->ninputs; i++)
		from_input[i] = true;
	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		if (undone[i] && from_input[step->operand[0]])
			memset((step->final ? leads_back : from_input) + step->first_output, true, step->width);
	}
	pfree(from_input);
	return leads_back;
}

Inverse *
features_inverse(const Features *features)
{
	Inverse    *inverse = palloc0(sizeof(Inverse));
	bool	   *known = palloc0(sizeof(bool) * Max(features->nplaces, 1));
	bool	   *undone = palloc0(sizeof(bool) * Max(features->nsteps, 1));

	inverse->ninputs = features->ninputs;
	inverse->step = palloc_extended(sizeof(FeatureStep *) * Max(features->nsteps, 1), MCXT_ALLOC_HUGE);
	inverse->place = palloc_extended(sizeof(double) * Max(features->nplaces, 1), MCXT_ALLOC_HUGE);
	for (int i = features->nsteps - 1; i >= 0; i--)
	{
		const FeatureStep *step = &features->steps[i];

		CHECK_FOR_INTERRUPTS();
		undone[i] = can_be_undone(step, known);
		if (!undone[i])
			continue;
		known[step->operand[0]] = true;
		inverse->step[inverse->nsteps++] = step;
	}
	inverse->leads_back = mark_ways(features, undone);
	inverse->restored = known;	/* inputs are the first places */
	pfree(undone);
	return inverse;
}

/* What makes a place comes before all that is made of it, so each is complete when its turn comes. */
void
features_invert(const Inverse *inverse, const double *row, double *cells)
{
	for (int i = 0; i < inverse->nsteps; i++)
	{
		const FeatureStep *step = inverse->step[i];

		inverse->place[step->operand[0]] = step->transform->invert(step->fitted, (step->final ? row : inverse->place) + step->first_output);
	}
	for (int i = 0; i < inverse->ninputs; i++)
		if (inverse->restored[i])
			cells[i] = inverse->place[i];
}
