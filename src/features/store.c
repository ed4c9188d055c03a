/*
 * store.c
 *		The stored form of a preparation, read back with distrust.
 */
#include "postgres.h"

#include <float.h>

#include "access/htup_details.h"
#include "miscadmin.h"

#include "features/features_internal.h"

#define MOST_COLUMNS 1000000	/* that a preparation may make: a bound for damaged bytes */

bool
get_flag(ByteReader *r)
{
	uint8		flag = get_u8(r);

	if (flag > 1)
		damaged(r, "A flag is neither 0 nor 1.");
	return flag == 1;
}

double
get_scale(ByteReader *r)
{
	double		scale = get_f64(r);

	if (!(scale >= DBL_MIN && scale <= DBL_MAX))
		damaged(r, "A scale is not a positive number.");
	return scale;
}

/* ---- writing ---- */

static void
flatten_input(const InputColumn *input, ByteWriter *w)
{
	put_text(w, input->name);
	put_text(w, input->type_name);
	put_u8(w, input->kind);
	put_u8(w, input->used);
	put_text(w, input->why_unused);
	if (input->kind != KIND_CATEGORY)
		return;
	put_u32(w, dictionary_size(input->levels));
	for (int code = 0; code < dictionary_size(input->levels); code++)
		put_text(w, dictionary_text(input->levels, code));
}

static void
flatten_step(const FeatureStep *step, ByteWriter *w)
{
	put_u8(w, step->transform->id);
	put_u8(w, step->final);
	put_u32(w, step->group);
	put_u32(w, step->noperands);
	for (int k = 0; k < step->noperands; k++)
		put_u32(w, step->operand[k]);
	step->transform->flatten(step->fitted, w);
}

void
features_flatten(const Features *features, ByteWriter *w)
{
	put_text(w, features->time_zone);
	put_u32(w, features->ninputs);
	for (int i = 0; i < features->ninputs; i++)
		flatten_input(&features->inputs[i], w);
	put_u32(w, features->ngroups);
	for (int g = 0; g < features->ngroups; g++)
	{
		put_text(w, features->groups[g].name);
		put_u8(w, features->groups[g].derived);
	}
	put_u32(w, features->nsteps);
	for (int i = 0; i < features->nsteps; i++)
		flatten_step(&features->steps[i], w);
}

/* ---- reading ---- */

char *
get_required_name(ByteReader *r)
{
	char	   *text = get_text(r);

	if (text == NULL)
		damaged(r, "A name is missing.");
	return text;
}

static Dictionary *
unflatten_levels(ByteReader *r)
{
	uint32		count = get_count(r, sizeof(uint32), PG_INT32_MAX / 4);
	Dictionary *levels = dictionary_create(CurrentMemoryContext);

	for (uint32 code = 0; code < count; code++)
	{
		char	   *text = get_required_name(r);

		CHECK_FOR_INTERRUPTS();
		if (dictionary_add(levels, text, (int) strlen(text)) != (int) code)
			damaged(r, "The category \"%s\" occurs twice.", text);
		pfree(text);
	}
	return levels;
}

static void
unflatten_input(ByteReader *r, InputColumn *input)
{
	uint8		kind;

	input->name = get_required_name(r);
	input->type_name = get_required_name(r);
	kind = get_u8(r);
	if (kind == 0 || kind > KIND_LAST)
		damaged(r, "Column \"%s\" is of the unknown kind %d.", input->name, kind);
	input->kind = kind;
	input->used = get_flag(r);
	input->why_unused = get_text(r);
	if (input->used != (input->why_unused == NULL))
		damaged(r, "Column \"%s\" is both used and left out.", input->name);
	if (input->kind == KIND_CATEGORY)
		input->levels = unflatten_levels(r);
	else if (input->kind == KIND_TEXT)
		input->levels = dictionary_passing(CurrentMemoryContext, TEXTS_WAITING);
}

static const Transform *
unflatten_transform(ByteReader *r)
{
	uint8		id = get_u8(r);

	for (int i = 0; i < ntransforms; i++)
		if (transforms[i]->id == id)
			return transforms[i];
	damaged(r, "The transform %d is not known to this version of the extension.", id);
}

/* Operands are inputs in use, or what was made before; of kinds the transform takes. */
static void
unflatten_operands(ByteReader *r, const Features *features, FeatureStep *step, OutputColumn *operand)
{
	for (int k = 0; k < step->noperands; k++)
	{
		uint32		place = get_u32(r);

		if (place >= (uint32) features->nplaces || (place < (uint32) features->ninputs && !features->inputs[place].used))
			damaged(r, "A transform is for column %u, which is not used.", place);
		step->operand[k] = (int) place;
		operand[k] = features->places[place];
		if (!(step->transform->kinds & (1 << operand[k].kind)))
			damaged(r, "The transform \"%s\" does not take column \"%s\".", step->transform->name, operand[k].name);
	}
}

/* Returns how many columns it makes. */
static int
unflatten_step(ByteReader *r, Features *features)
{
	FeatureStep step = {.transform = unflatten_transform(r)};
	OutputColumn *operand;

	step.final = get_flag(r);
	step.group = (int) get_u32(r);
	step.noperands = (int) get_count(r, sizeof(uint32), MOST_COLUMNS);
	if (step.noperands < Max(step.transform->least_operands, 1) || (!step.transform->takes_all && step.noperands > 1) ||
		(step.transform->most_operands > 0 && step.noperands > step.transform->most_operands))
		damaged(r, "The transform \"%s\" has %d columns.", step.transform->name, step.noperands);
	if (step.group < 0 || step.group >= features->ngroups ||
		(features->nsteps > 0 && step.group < features->steps[features->nsteps - 1].group))
		damaged(r, "The transforms are not in the order of the columns.");
	step.operand = palloc(sizeof(int) * step.noperands);
	operand = palloc(sizeof(OutputColumn) * step.noperands);
	unflatten_operands(r, features, &step, operand);
	step.fitted = step.transform->unflatten(r, operand, step.noperands);
	pfree(operand);
	return features_add_step(features, &step)->width;
}

static void
unflatten_groups(ByteReader *r, Features *features)
{
	features->ngroups = (int) get_count(r, sizeof(uint32) + sizeof(uint8), MOST_COLUMNS);
	features->groups = palloc0(sizeof(FeatureGroup) * Max(features->ngroups, 1));
	for (int g = 0; g < features->ngroups; g++)
	{
		features->groups[g].name = get_required_name(r);
		features->groups[g].derived = get_flag(r);
	}
}

/* Every used column is an operand, and every group has a step. */
static void
check_all_needed(ByteReader *r, const Features *features)
{
	bool	   *needed = palloc0(sizeof(bool) * Max(features->ninputs, 1));
	int			group = -1;

	for (int i = 0; i < features->nsteps; i++)
	{
		const FeatureStep *step = &features->steps[i];

		for (int k = 0; k < step->noperands; k++)
			if (step->operand[k] < features->ninputs)
				needed[step->operand[k]] = true;
		if (step->group > group + 1)
			break;
		group = step->group;
	}
	if (group != features->ngroups - 1)
		damaged(r, "Feature %d has no transform.", group + 1);
	for (int i = 0; i < features->ninputs; i++)
		if (features->inputs[i].used && !needed[i])
			damaged(r, "Column \"%s\" is used, but by no transform.", features->inputs[i].name);
	pfree(needed);
}

static pg_tz *
find_zone(ByteReader *r, const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		damaged(r, "The time zone \"%s\" is not known to this server.", name);
	return zone;
}

Features *
features_unflatten(ByteReader *r)
{
	Features   *features = palloc0(sizeof(Features));
	uint32		nsteps;
	int64		made = 0;

	features->time_zone = get_required_name(r);
	features->zone = find_zone(r, features->time_zone);
	features->ninputs = (int) get_count(r, sizeof(uint32), MaxTupleAttributeNumber);
	features->inputs = palloc0(sizeof(InputColumn) * Max(features->ninputs, 1));
	for (int i = 0; i < features->ninputs; i++)
		unflatten_input(r, &features->inputs[i]);
	unflatten_groups(r, features);
	features_place_inputs(features);
	nsteps = get_count(r, 2 * sizeof(uint8) + 3 * sizeof(uint32), MOST_COLUMNS);
	for (uint32 i = 0; i < nsteps; i++)
	{
		made += unflatten_step(r, features);
		if (made > MOST_COLUMNS)
			damaged(r, "Its transforms make too many columns.");
	}
	check_all_needed(r, features);
	features_make_ready(features);
	return features;
}
