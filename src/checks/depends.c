/*
 * depends.c
 *		How two columns of a sample go together.
 */
#include "postgres.h"

#include "checks/checks_internal.h"

#define FEWEST_ROWS 10			/* that do not have the most frequent value of what is determined */
#define ROWS_PER_VALUE 5		/* that determines it, on average, on either side */
#define ROWS_PER_CHECK 16384

/* ---- what determines what ---- */

static int
usual_code(const SampleColumn *column)
{
	int			usual = 0;

	for (int code = 1; code <= column->ncodes; code++)
		if (column->code_rows[code] > column->code_rows[usual])
			usual = code;
	return usual;
}

/* Values that determine, and the rows that have them, for the usual value of what is determined and for all others. */
typedef struct Support
{
	int64		values[2],
				rows[2];
} Support;

/* By chance alone, values of few rows would determine anything. */
static bool
supported(const Support *support)
{
	return support->rows[1] >= FEWEST_ROWS && support->values[0] + support->values[1] >= 2 &&
		support->rows[0] >= ROWS_PER_VALUE * support->values[0] && support->rows[1] >= ROWS_PER_VALUE * support->values[1];
}

/* goes_with (nkeys): the one code of b that goes with each key, -1 = none yet.  False as soon as there is a second one. */
typedef int (*KeyOfRow) (const void *state, int row);

static bool
each_goes_with_one(const Sample *sample, KeyOfRow key_of, const void *state, int nkeys, const SampleColumn *b)
{
	int32	   *goes_with = palloc(sizeof(int32) * nkeys);
	int			usual = usual_code(b);
	Support		support = {{0, 0}, {0, 0}};
	bool		one = true;

	memset(goes_with, 0xff, sizeof(int32) * nkeys);
	for (int row = 0; row < sample->nrows && one; row++)
	{
		int			key = key_of(state, row);
		int			side = b->code[row] != usual;

		if (row % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		one = goes_with[key] < 0 || goes_with[key] == b->code[row];
		support.values[side] += goes_with[key] < 0;
		support.rows[side] += sample_count(sample, row);
		goes_with[key] = b->code[row];
	}
	pfree(goes_with);
	return one && supported(&support);
}

static int
single_key(const void *state, int row)
{
	return ((const SampleColumn *) state)->code[row];
}

bool
determines(const Sample *sample, const SampleColumn *a, const SampleColumn *b)
{
	if (a->ncodes > sample->total / 2)
		return false;
	return each_goes_with_one(sample, single_key, a, a->ncodes + 1, b);
}

/* Codes that count as missing: (ncodes + 1) flags. */
static bool *
codes_missing(const SampleColumn *column, const uint64 *hash, int n)
{
	bool	   *missing = palloc0(sizeof(bool) * (column->ncodes + 1));

	missing[column->ncodes] = true;
	for (int code = 0; code < column->ncodes && column->code_hash != NULL; code++)
		for (int i = 0; i < n; i++)
			missing[code] |= column->code_hash[code] == hash[i];
	return missing;
}

bool
tells_missing(const Sample *sample, const SampleColumn *told, const SampleColumn *column, const uint64 *hash, int n)
{
	bool	   *missing;
	bool		tells = true;

	if (told->code == NULL || told->ncodes != 2 || told->code_rows[2] > 0)
		return false;
	missing = codes_missing(column, hash, n);
	for (int row = 1; row < sample->nrows && tells; row++)
		tells = (told->code[row] == told->code[0]) == (missing[column->code[row]] == missing[column->code[0]]);
	pfree(missing);
	return tells;
}

typedef struct PairKey
{
	const SampleColumn *a,
			   *b;
} PairKey;

static int
pair_key(const void *state, int row)
{
	const PairKey *pair = state;

	return pair->a->code[row] * (pair->b->ncodes + 1) + pair->b->code[row];
}

bool
pair_determines(const Sample *sample, const SampleColumn *a, const SampleColumn *b, const SampleColumn *c)
{
	PairKey		pair = {a, b};

	return each_goes_with_one(sample, pair_key, &pair, (a->ncodes + 1) * (b->ncodes + 1), c);
}

/* ---- association ---- */

void
add_pair(PairMoments *m, double x, double y, double weight)
{
	double		dx = x - m->mean_x,
				dy = y - m->mean_y;

	m->n += weight;
	m->mean_x += dx * weight / m->n;
	m->mean_y += dy * weight / m->n;
	m->xx += weight * dx * (x - m->mean_x);
	m->yy += weight * dy * (y - m->mean_y);
	m->xy += weight * dx * (y - m->mean_y);
}

double
pearson(const Sample *sample, const SampleColumn *a, const SampleColumn *b, int nrows)
{
	PairMoments m = {0};

	for (int row = 0; row < nrows; row++)
	{
		double		x = sample_value(a, row),
					y = sample_value(b, row);

		if (isfinite(x) && isfinite(y))
			add_pair(&m, x, y, (double) sample_count(sample, row));
	}
	return m.n >= 20 && m.xx > 0 && m.yy > 0 ? fmax(-1, fmin(1, m.xy / sqrt(m.xx * m.yy))) : 0;
}

/* Corrected for bias (Bergsma 2013); missing is a level. */
double
cramers_v(const Sample *sample, const SampleColumn *a, const SampleColumn *b, int nrows)
{
	int			na = a->ncodes + 1,
				nb = b->ncodes + 1;
	double	   *table = palloc0(sizeof(double) * (na * nb + na + nb));
	double	   *of_a = table + na * nb,
			   *of_b = of_a + na;
	double		n = 0,
				phi = -1,
				ka = 0,
				kb = 0,
				least;

	for (int row = 0; row < nrows; row++)
	{
		double		w = (double) sample_count(sample, row);

		table[a->code[row] * nb + b->code[row]] += w;
		of_a[a->code[row]] += w;
		of_b[b->code[row]] += w;
		n += w;
	}
	for (int i = 0; i < na; i++)
		for (int j = 0; j < nb; j++)
			if (table[i * nb + j] > 0)
				phi += table[i * nb + j] * table[i * nb + j] / (of_a[i] * of_b[j]);
	for (int i = 0; i < na; i++)
		ka += of_a[i] > 0;
	for (int j = 0; j < nb; j++)
		kb += of_b[j] > 0;
	pfree(table);
	if (n < 2 || ka < 2 || kb < 2)
		return 0;
	phi = fmax(phi - (ka - 1) * (kb - 1) / (n - 1), 0);
	ka -= (ka - 1) * (ka - 1) / (n - 1);
	kb -= (kb - 1) * (kb - 1) / (n - 1);
	least = fmin(ka, kb) - 1;
	return least > 0 ? fmin(sqrt(phi / least), 1) : 0;
}
