/*
 * polynomial.c
 *		Products of columns: all up to a degree, as scikit-learn's PolynomialFeatures, or of different columns only.
 *
 * Their order is that of scikit-learn, without the constant column, which learners have as their intercept (include_bias => false there).  "interaction"
 * leaves out the columns themselves too, which are features already.  A product of a missing cell is missing.
 */
#include "postgres.h"

#include <math.h>

#include "features/features_internal.h"

#define MOST_DEGREE 10
#define MOST_PRODUCTS 10000

typedef struct PolynomialOptions
{
	int			degree;
	bool		interaction_only;
} PolynomialOptions;

#define OPTION(field) offsetof(PolynomialOptions, field)

static const Parameter polynomial_parameters[] = {
	{.name = "degree", .type = PARAM_INT, .offset = OPTION(degree), .fallback = 2, .min = 1, .max = MOST_DEGREE, .help = "most factors of a product"},
	{.name = "interaction_only", .type = PARAM_BOOL, .offset = OPTION(interaction_only), .help = "no column more than once in a product"},
};

static const Parameter interaction_parameters[] = {
	{.name = "degree", .type = PARAM_INT, .offset = OPTION(degree), .fallback = 2, .min = 2, .max = MOST_DEGREE, .help = "most factors of a product"},
};

typedef struct Polynomial
{
	int			noperands;
	int			nproducts;
	int		   *nfactors;		/* (nproducts) */
	int		   *factor;			/* those of each product one after the other, ascending */
} Polynomial;

/* ---- which products ---- */

typedef struct Listing
{
	Polynomial *polynomial;
	bool		distinct;
	int			nfilled;		/* of polynomial->factor */
	int			chosen[MOST_DEGREE];
} Listing;

static void
add_product(Listing *list, int nfactors)
{
	Polynomial *polynomial = list->polynomial;

	if (polynomial->nproducts == MOST_PRODUCTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the polynomial of %d columns has more than %d products", polynomial->noperands, MOST_PRODUCTS),
				 errhint("Lower its degree, or name fewer columns.")));
	polynomial->nfactors[polynomial->nproducts++] = nfactors;
	for (int k = 0; k < nfactors; k++)
		polynomial->factor[list->nfilled++] = list->chosen[k];
}

/* Combinations in the order of Python's itertools. */
static void
combine(Listing *list, int nchosen, int degree)
{
	int			first = nchosen == 0 ? 0 : list->chosen[nchosen - 1] + list->distinct;

	if (nchosen == degree)
	{
		add_product(list, degree);
		return;
	}
	for (int k = first; k < list->polynomial->noperands; k++)
	{
		list->chosen[nchosen] = k;
		combine(list, nchosen + 1, degree);
	}
}

static Polynomial *
make_polynomial(int noperands, int least, int most, bool distinct)
{
	Polynomial *polynomial = palloc0(sizeof(Polynomial));
	Listing		list = {.polynomial = polynomial, .distinct = distinct};

	polynomial->noperands = noperands;
	polynomial->nfactors = palloc(sizeof(int) * MOST_PRODUCTS);
	polynomial->factor = palloc(sizeof(int) * MOST_PRODUCTS * MOST_DEGREE);
	for (int degree = least; degree <= most; degree++)
		combine(&list, 0, degree);
	return polynomial;
}

static void *
polynomial_fit(FitSample *sample)
{
	const PolynomialOptions *options = sample->parameters;

	return make_polynomial(sample->noperands, 1, options->degree, options->interaction_only);
}

static void *
interaction_fit(FitSample *sample)
{
	const PolynomialOptions *options = sample->parameters;

	return make_polynomial(sample->noperands, 2, options->degree, true);
}

static int
polynomial_width(const void *fitted)
{
	return ((const Polynomial *) fitted)->nproducts;
}

/* "a", "a^2", "a b" */
static char *
product_name(const int *factor, int nfactors, const char *const *name, const char *times, const char *power)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int k = 0, end; k < nfactors; k = end)
	{
		for (end = k + 1; end < nfactors && factor[end] == factor[k];)
			end++;
		appendStringInfo(&out, "%s%s", k > 0 ? times : "", name[factor[k]]);
		if (end - k > 1)
			appendStringInfo(&out, "%s%d", power, end - k);
	}
	return out.data;
}

static void
polynomial_name_outputs(const void *fitted, const OutputColumn *operand, int noperands, OutputColumn *outputs)
{
	const Polynomial *polynomial = fitted;
	const int  *factor = polynomial->factor;
	const char **name = palloc(sizeof(char *) * noperands);

	for (int k = 0; k < noperands; k++)
		name[k] = operand[k].name;
	for (int j = 0; j < polynomial->nproducts; j++)
	{
		outputs[j].name = product_name(factor, polynomial->nfactors[j], name, " ", "^");
		factor += polynomial->nfactors[j];
	}
	pfree(name);
}

/* ---- applying ---- */

static void
polynomial_apply(const void *fitted, const ApplyRows *rows)
{
	const Polynomial *polynomial = fitted;

	for (int i = 0; i < rows->nrows; i++)
	{
		const double *cells = rows->cells + (Size) i * rows->stride;
		double	   *out = rows->out + (Size) i * rows->out_stride;
		const int  *factor = polynomial->factor;

		for (int j = 0; j < polynomial->nproducts; j++)
		{
			double		product = cells[rows->offset[*factor++]];

			for (int k = 1; k < polynomial->nfactors[j]; k++)
				product *= cells[rows->offset[*factor++]];
			out[j] = product;
		}
	}
}

static void
polynomial_sql(const void *fitted, const char *const *operand, const OutputColumn *info, int noperands, char **outputs)
{
	const Polynomial *polynomial = fitted;
	const int  *factor = polynomial->factor;

	for (int j = 0; j < polynomial->nproducts; j++)
	{
		StringInfoData out;

		initStringInfo(&out);
		for (int k = 0; k < polynomial->nfactors[j]; k++)
			appendStringInfo(&out, "%s%s", k > 0 ? " * " : "(", operand[factor[k]]);
		appendStringInfoChar(&out, ')');
		outputs[j] = out.data;
		factor += polynomial->nfactors[j];
	}
}

/* ---- stored form ---- */

static void
polynomial_flatten(const void *fitted, ByteWriter *w)
{
	const Polynomial *polynomial = fitted;
	const int  *factor = polynomial->factor;

	put_u32(w, polynomial->nproducts);
	for (int j = 0; j < polynomial->nproducts; j++)
	{
		put_u8(w, (uint8) polynomial->nfactors[j]);
		for (int k = 0; k < polynomial->nfactors[j]; k++)
			put_u32(w, *factor++);
	}
}

static void *
polynomial_unflatten(ByteReader *r, const OutputColumn *operand, int noperands)
{
	Polynomial *polynomial = palloc0(sizeof(Polynomial));
	int			nfilled = 0;

	polynomial->noperands = noperands;
	polynomial->nproducts = (int) get_count(r, sizeof(uint8) + sizeof(uint32), MOST_PRODUCTS);
	polynomial->nfactors = palloc(sizeof(int) * Max(polynomial->nproducts, 1));
	polynomial->factor = palloc(sizeof(int) * Max(polynomial->nproducts, 1) * MOST_DEGREE);
	for (int j = 0; j < polynomial->nproducts; j++)
	{
		polynomial->nfactors[j] = get_u8(r);
		if (polynomial->nfactors[j] == 0 || polynomial->nfactors[j] > MOST_DEGREE)
			damaged(r, "A product has %d factors.", polynomial->nfactors[j]);
		for (int k = 0; k < polynomial->nfactors[j]; k++)
		{
			uint32		factor = get_u32(r);

			if (factor >= (uint32) noperands)
				damaged(r, "A product has a factor that is no column.");
			polynomial->factor[nfilled++] = (int) factor;
		}
	}
	return polynomial;
}

#define POLYNOMIAL_FUNCTIONS \
	.kinds = NUMBER_KINDS, \
	.takes_all = true, \
	.width = polynomial_width, \
	.name_outputs = polynomial_name_outputs, \
	.apply = polynomial_apply, \
	.flatten = polynomial_flatten, \
	.unflatten = polynomial_unflatten, \
	.sql = polynomial_sql

const Transform polynomial_transform = {
	.name = "polynomial",
	.family = "combine",
	.help = "the columns and their products up to a degree; missing where a factor is NULL",
	.id = 29,
	.aliases = (const TransformAlias[]) {{.name = "PolynomialFeatures"}, {.name = NULL}},
	.parameters = polynomial_parameters,
	.nparameters = lengthof(polynomial_parameters),
	.options_size = sizeof(PolynomialOptions),
	.fit = polynomial_fit,
	POLYNOMIAL_FUNCTIONS
};

const Transform interaction_transform = {
	.name = "interaction",
	.family = "combine",
	.help = "products of different columns; missing where a factor is NULL",
	.id = 30,
	.least_operands = 2,
	.parameters = interaction_parameters,
	.nparameters = lengthof(interaction_parameters),
	.options_size = sizeof(PolynomialOptions),
	.aliases = (const TransformAlias[]) {{.name = "product"}, {.name = NULL}},
	.fit = interaction_fit,
	POLYNOMIAL_FUNCTIONS
};
