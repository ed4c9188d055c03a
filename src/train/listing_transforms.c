/*
 * listing_transforms.c
 *		The steps of preprocess, and what those of a model have learned: ml.transforms, ml.transform_parameters.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "train_internal.h"

PG_FUNCTION_INFO_V1(ml_transforms);
PG_FUNCTION_INFO_V1(ml_transform_parameters);

/* ---- what there is ---- */

static List *
other_names(const Transform *transform)
{
	List	   *names = NIL;

	for (const TransformAlias *alias = transform->aliases; alias != NULL && alias->name != NULL; alias++)
		names = lappend(names, unconstify(char *, alias->name));
	return names;
}

static List *
kind_names(uint32 kinds)
{
	List	   *names = NIL;

	for (int kind = 1; kind <= KIND_LAST; kind++)
		if (kinds & (1 << kind))
			names = lappend(names, unconstify(char *, kind_name(kind)));
	return names;
}

Datum
ml_transforms(PG_FUNCTION_ARGS)
{
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < ntransforms; i++)
	{
		const Transform *transform = transforms[i];

		if (transform->family == NULL)
			continue;
		row_add_text(&row, transform->name);
		row_add_text(&row, transform->family);
		row_add_texts(&row, other_names(transform));
		row_add_texts(&row, kind_names(transform->kinds));
		row_add_bool(&row, transform->takes_all);
		row_add_text(&row, transform->help);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}

Datum
ml_transform_parameters(PG_FUNCTION_ARGS)
{
	const TransformAlias *alias;
	const Transform *transform = transform_or_fail(NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)), &alias);
	ListRow		row = {0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < transform->nparameters; i++)
	{
		row_add_parameter(&row, &transform->parameters[i]);
		row_put(fcinfo, &row);
	}
	return (Datum) 0;
}
