/*
 * group.c
 *		A statistic of a number over the training rows of each level of a category, as pandas' groupby(by)[of].transform(statistic).
 *
 * Missing and infinite cells count in none; the standard deviation is that of a sample (n - 1), as pandas'.  Unlike pandas, where such groups are missing, a level
 * without a statistic, a level that training did not show and NULL where training had none get the statistic of all rows; NULL is else a group of its own.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/sort.h"
#include "features/level_values_internal.h"

typedef enum Statistic
{
	GROUP_MEAN,
	GROUP_MEDIAN,
	GROUP_SUM,
	GROUP_COUNT,
	GROUP_MIN,
	GROUP_MAX,
	GROUP_SD
} Statistic;

static const char *const statistics[] = {"mean", "median", "sum", "count", "min", "max", "sd", NULL};

typedef struct GroupOptions
{
	int			statistic;
} GroupOptions;

static const Parameter group_parameters[] = {
	{.name = "statistic", .type = PARAM_CHOICE, .offset = offsetof(GroupOptions, statistic), .choices = statistics,
	.help = "what is told of the numbers of a group"},
};

static const char *const group_roles[] = {"of", "by", NULL};

/* The fitted form is LevelValues, behind it which statistic they are, for the name. */
typedef struct Group
{
	LevelValues values;
	int			statistic;
} Group;

/* ---- fitting ---- */

static double
largest_size(const double *value, int64 n)
{
	double		largest = 0.0;

	for (int64 i = 0; i < n; i++)
		largest = fabs(value[i]) > largest ? fabs(value[i]) : largest;
	return largest;
}

static double
mean_or_deviation(Statistic statistic, const double *value, int64 n)
{
	Moments		moments = column_moments(value, n, largest_size(value, n));

	if (statistic == GROUP_MEAN)
		return moments.mean;
	return n > 1 ? moments.sd * sqrt((double) n / (double) (n - 1)) : (double) NAN;
}

/* Of n finite numbers; may reorder them. */
static double
group_value(Statistic statistic, double *value, int64 n)
{
	double		result = 0.0;

	if (statistic == GROUP_COUNT)
		return (double) n;
	if (n == 0)
		return statistic == GROUP_SUM ? 0.0 : (double) NAN;
	switch (statistic)
	{
		case GROUP_MEDIAN:
			return median(value, n);
		case GROUP_SD:
		case GROUP_MEAN:
			return mean_or_deviation(statistic, value, n);
		default:
			break;
	}
	result = statistic == GROUP_SUM ? 0.0 : value[0];
	for (int64 i = 0; i < n; i++)
	{
		if (statistic == GROUP_SUM)
			result += value[i];
		else if (statistic == GROUP_MIN ? value[i] < result : value[i] > result)
			result = value[i];
	}
	return result;
}

/*
 * The finite numbers of all rows into sample->spare, those of a group next to each other and in the rows' order; returns the (nplaces + 1) starts.
 */
static int64 *
sort_by_group(const FitSample *sample, const LevelValues *values)
{
	int			nplaces = values->nlevels + 2;
	int64	   *start = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(int64) * (nplaces + 2), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int64	   *next = start + 1;	/* becomes the starts of the groups after, which are their ends */

	for (int pass = 0; pass < 2; pass++)
	{
		for (int64 i = 0; i < sample->n; i++)
		{
			int			place = level_place(values, sample->value[1][i]);

			if (i % FIT_BLOCK == 0)
				CHECK_FOR_INTERRUPTS();
			if (!(fabs(sample->value[0][i]) < INFINITE_FROM))
				continue;
			if (pass == 0)
				next[place + 1]++;
			else
				sample->spare[next[place]++] = sample->value[0][i];
		}
		if (pass == 0)
			for (int place = 0; place < nplaces; place++)
				next[place + 1] += next[place];
	}
	return start;
}

static void *
group_fit(FitSample *sample)
{
	const GroupOptions *options = sample->parameters;
	Group	   *group = palloc(sizeof(Group));
	LevelValues *values = &group->values;
	int64	   *start;
	double		whole;

	if (sample->operand[0].kind == KIND_CATEGORY || sample->operand[1].kind != KIND_CATEGORY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("preprocess step \"group\" needs a number and a category, not a %s and a %s, columns \"%s\" and \"%s\"",
						kind_name(sample->operand[0].kind), kind_name(sample->operand[1].kind), sample->operand[0].name, sample->operand[1].name),
				 errhint("For example {\"group_mean\": {\"of\": \"income\", \"by\": \"city\"}}; steps [\"category\"] make a number a category.")));
	*values = *level_values_create(&sample->operand[1], 1, 1);
	group->statistic = options->statistic;
	start = sort_by_group(sample, values);
	for (int place = 0; place < values->nlevels + 2; place++)
		values->value[place] = group_value(options->statistic, sample->spare + start[place], start[place + 1] - start[place]);
	whole = group_value(options->statistic, sample->spare, start[values->nlevels + 2]);
	if (isnan(whole))
	{
		sample->why_unused = options->statistic == GROUP_SD ? "there are fewer than two numbers" : "all its values are missing";
		return NULL;
	}
	for (int place = 0; place < values->nlevels + 2; place++)
		if (isnan(values->value[place]) || (place >= values->nlevels && start[place + 1] == start[place]))
			values->value[place] = whole;
	pfree(start);
	return group;
}

static void
group_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Group *group = fitted;

	outputs->name = psprintf("%s of %s by %s", statistics[group->statistic], operand[0].name, operand[1].name);
}

/* ---- stored form ---- */

static void
group_flatten(const void *fitted, ByteWriter *w)
{
	const Group *group = fitted;

	put_u8(w, (uint8) group->statistic);
	level_values_flatten(&group->values, w);
}

static void *
group_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Group	   *group = palloc(sizeof(Group));

	group->statistic = get_u8(r);
	if (group->statistic > GROUP_SD || noperands != 2)
		damaged(r, "The groups of column \"%s\" have an unknown statistic.", operand->name);
	group->values = *(LevelValues *) level_values_unflatten(r, operand, noperands);
	if (group->values.width != 1)
		damaged(r, "The groups of column \"%s\" have too many statistics.", operand->name);
	return group;
}

const Transform group_transform = {
	.name = "group",
	.family = "combine",
	.help = "a statistic of one column over the training rows with the same level of another; rows of an unseen level get that of all rows",
	.id = 67,
	.kinds = NUMBER_KINDS | 1 << KIND_CATEGORY,
	.takes_all = true,
	.least_operands = 2,
	.most_operands = 2,
	.roles = group_roles,
	.aliases = (const TransformAlias[]) {
		{"group_mean", "statistic", GROUP_MEAN},
		{"group_median", "statistic", GROUP_MEDIAN},
		{"group_sum", "statistic", GROUP_SUM},
		{"group_count", "statistic", GROUP_COUNT},
		{"group_min", "statistic", GROUP_MIN},
		{"group_max", "statistic", GROUP_MAX},
		{"group_sd", "statistic", GROUP_SD},
		{.name = NULL}
	},
	.parameters = group_parameters,
	.nparameters = lengthof(group_parameters),
	.options_size = sizeof(GroupOptions),
	.fit = group_fit,
	.width = level_values_width,
	.name_outputs = group_name_outputs,
	.apply = level_values_apply,
	.flatten = group_flatten,
	.unflatten = group_unflatten,
	.learned = level_values_learned,
	.sql = level_values_sql
};
