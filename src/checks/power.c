/*
 * power.c
 *		What one column alone says about the target, tried on rows it was not learned from.
 *
 * The rows are cut into bins (levels of a category, quantiles of a number, one for what is missing).  What the bins of one half of the rows say is
 * tried on the other half, and the other way round.  Rows that are equal stand next to each other or are one, so halves do not share them.
 */
#include "postgres.h"

#include "checks/checks_internal.h"

#define FEWEST_ROWS 20			/* with a known target */
#define FEWEST_BINS 8
#define MOST_BINS 64
#define ROWS_PER_BIN 40
#define MOST_TALLIES (4 * 1024 * 1024)	/* bins x classes */
#define PRIOR_ROWS 1.0			/* rows of the average that each bin has beside its own */

typedef struct Bins
{
	int			n;				/* the last one is for what is missing */
	const int32 *bin_of;		/* (ncodes + 1) */
} Bins;

static Bins
bins_of(const Sample *sample, const SampleColumn *column)
{
	int			n = column->ncodes;
	int32	   *bin_of = palloc(sizeof(int32) * (n + 1));
	double		wanted = fmin(fmax((double) sample->nrows / ROWS_PER_BIN, FEWEST_BINS), MOST_BINS);
	double		present = (double) (sample->total - column->code_rows[n]);
	double		before = 0;
	int			bin = 0;

	for (int code = 0; code < n; code++)
	{
		bool		split = !column->number || n <= (int) wanted || before >= present * (bin + 1) / wanted;

		bin += code > 0 && split;
		bin_of[code] = bin;
		before += (double) column->code_rows[code];
	}
	bin_of[n] = n > 0 ? bin + 1 : 0;
	return (Bins) {bin_of[n] + 1, bin_of};
}

static inline bool
target_known(const CheckTarget *target, int row)
{
	return target->nclasses > 0 ? target->class[row] >= 0 : !isnan(target->value[row]);
}

static inline int
half_of(const Sample *sample, int row)
{
	return row >= sample->nrows / 2;
}

/* ---- classes ---- */

/* (2, nbins, nclasses) rows */
static double *
tally_classes(const Sample *sample, const SampleColumn *column, const CheckTarget *target, const Bins *bins)
{
	double	   *tally = palloc0(sizeof(double) * 2 * bins->n * target->nclasses);

	for (int row = 0; row < sample->nrows; row++)
		if (target->class[row] >= 0)
			tally[((Size) half_of(sample, row) * bins->n + bins->bin_of[column->code[row]]) * target->nclasses + target->class[row]] +=
				(double) sample_count(sample, row);
	return tally;
}

typedef struct ScoredBin
{
	double		score;
	double		negatives,
				positives;
} ScoredBin;

static int
compare_scores(const void *a, const void *b)
{
	const ScoredBin *x = a;
	const ScoredBin *y = b;

	return (x->score > y->score) - (x->score < y->score);
}

/* Area under the curve of bins; NaN where a class is missing. */
static double
area_under_curve(ScoredBin *bin, int n)
{
	double		below = 0,
				pairs = 0,
				negatives = 0,
				positives = 0;

	qsort(bin, n, sizeof(ScoredBin), compare_scores);
	for (int start = 0, end; start < n; start = end)
	{
		double		tied_negatives = 0,
					tied_positives = 0;

		for (end = start; end < n && bin[end].score == bin[start].score; end++)
		{
			tied_negatives += bin[end].negatives;
			tied_positives += bin[end].positives;
		}
		pairs += tied_positives * (below + tied_negatives / 2);
		below += tied_negatives;
		negatives += tied_negatives;
		positives += tied_positives;
	}
	return pairs / (negatives * positives);
}

/* Of two classes: 2 AUC - 1, the mean of both halves. */
static double
power_of_two(const double *tally, int nbins)
{
	ScoredBin  *bin = palloc(sizeof(ScoredBin) * nbins);
	double		sum = 0;

	for (int half = 0; half < 2; half++)
	{
		const double *fit = tally + (Size) (1 - half) * nbins * 2;
		const double *held_out = tally + (Size) half * nbins * 2;
		double		total[2] = {0, 0};

		for (int i = 0; i < nbins; i++)
			for (int class = 0; class < 2; class++)
				total[class] += fit[2 * i + class];
		for (int i = 0; i < nbins; i++)
		{
			double		prior = total[1] / (total[0] + total[1]);

			bin[i].score = (fit[2 * i + 1] + PRIOR_ROWS * prior) / (fit[2 * i] + fit[2 * i + 1] + PRIOR_ROWS);
			bin[i].negatives = held_out[2 * i];
			bin[i].positives = held_out[2 * i + 1];
		}
		sum += area_under_curve(bin, nbins);
	}
	pfree(bin);
	return fmax(sum - 1, 0);	/* 2 (sum / 2) - 1 */
}

static int
most_frequent(const double *rows, int n)
{
	int			most = 0;

	for (int i = 1; i < n; i++)
		if (rows[i] > rows[most])
			most = i;
	return most;
}

/* Of more classes: the share of the most frequent class's errors that the bins avoid (Goodman and Kruskal 1954, lambda). */
static double
power_of_many(const double *tally, int nbins, int nclasses)
{
	double	   *total = palloc(sizeof(double) * nclasses);
	double		errors = 0,
				baseline = 0;

	for (int half = 0; half < 2; half++)
	{
		const double *fit = tally + (Size) (1 - half) * nbins * nclasses;
		const double *held_out = tally + (Size) half * nbins * nclasses;
		int			usual;

		memset(total, 0, sizeof(double) * nclasses);
		for (int i = 0; i < nbins * nclasses; i++)
			total[i % nclasses] += fit[i];
		usual = most_frequent(total, nclasses);
		for (int i = 0; i < nbins; i++)
		{
			const double *here = fit + (Size) i * nclasses;
			int			guess = most_frequent(here, nclasses);

			if (here[guess] == 0)
				guess = usual;
			for (int class = 0; class < nclasses; class++)
			{
				double		rows = held_out[(Size) i * nclasses + class];

				errors += class == guess ? 0 : rows;
				baseline += class == usual ? 0 : rows;
			}
		}
	}
	pfree(total);
	return baseline > 0 ? fmax(1 - errors / baseline, 0) : NAN;
}

static double
power_on_classes(const Sample *sample, const SampleColumn *column, const CheckTarget *target, const Bins *bins)
{
	double	   *tally;
	double		power;

	if ((Size) bins->n * target->nclasses > MOST_TALLIES)
		return NAN;
	tally = tally_classes(sample, column, target, bins);
	power = target->nclasses == 2 ? power_of_two(tally, bins->n) : power_of_many(tally, bins->n, target->nclasses);
	pfree(tally);
	return power;
}

/* ---- numbers ---- */

typedef struct Sums
{
	double		n,
				sum;
} Sums;

/* R2 of the means of the bins, each half by the other's. */
static double
power_on_numbers(const Sample *sample, const SampleColumn *column, const CheckTarget *target, const Bins *bins)
{
	Sums	   *of_bin = palloc0(sizeof(Sums) * 2 * bins->n);
	Sums		half[2] = {{0, 0}, {0, 0}};
	double		mean,
				error = 0,
				spread = 0;

	for (int row = 0; row < sample->nrows; row++)
	{
		Sums	   *s = &of_bin[half_of(sample, row) * bins->n + bins->bin_of[column->code[row]]];
		double		count = (double) sample_count(sample, row);

		if (isnan(target->value[row]))
			continue;
		s->n += count;
		s->sum += count * target->value[row];
		half[half_of(sample, row)].n += count;
		half[half_of(sample, row)].sum += count * target->value[row];
	}
	mean = (half[0].sum + half[1].sum) / (half[0].n + half[1].n);
	for (int row = 0; row < sample->nrows; row++)
	{
		int			other = 1 - half_of(sample, row);
		const Sums *s = &of_bin[other * bins->n + bins->bin_of[column->code[row]]];
		double		y = target->value[row];
		double		guess = (s->sum + PRIOR_ROWS * half[other].sum / half[other].n) / (s->n + PRIOR_ROWS);

		if (isnan(y))
			continue;
		error += (double) sample_count(sample, row) * (y - guess) * (y - guess);
		spread += (double) sample_count(sample, row) * (y - mean) * (y - mean);
	}
	pfree(of_bin);
	return spread > 0 ? fmax(1 - error / spread, 0) : NAN;
}

/* The square of the correlation, of the rows that have both; bins are coarse where the target has a long tail. */
static double
straight_line(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	PairMoments m = {0};
	double		all = 0;

	for (int row = 0; row < sample->nrows; row++)
	{
		double		x = sample_value(column, row);
		double		y = target->value[row];
		double		w = (double) sample_count(sample, row);

		all += isnan(y) ? 0 : w;
		if (isfinite(x) && !isnan(y))
			add_pair(&m, x, y, w);
	}
	return m.xx > 0 && m.yy > 0 ? m.xy * m.xy / (m.xx * m.yy) * m.n / all : 0;
}

/* ---- either ---- */

static double
power_in_bins(const Sample *sample, const SampleColumn *column, const CheckTarget *target, const Bins *bins)
{
	int			known = 0;

	for (int row = 0; row < sample->nrows; row++)
		known += target_known(target, row);
	if (known < FEWEST_ROWS || bins->n < 2)
		return NAN;
	CHECK_FOR_INTERRUPTS();
	if (target->nclasses > 0)
		return power_on_classes(sample, column, target, bins);
	return power_on_numbers(sample, column, target, bins);
}

double
column_power(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	Bins		bins = bins_of(sample, column);
	double		power = power_in_bins(sample, column, target, &bins);

	if (target->nclasses == 0 && column->number && !isnan(power))
		power = fmax(power, straight_line(sample, column, target));
	pfree(unconstify(int32 *, bins.bin_of));
	return power;
}

/* Two bins: there, missing. */
static Bins
missing_bins(const SampleColumn *column)
{
	int32	   *bin_of = palloc0(sizeof(int32) * (column->ncodes + 1));

	bin_of[column->ncodes] = 1;
	return (Bins) {2, bin_of};
}

double
missing_power(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	Bins		bins = missing_bins(column);
	double		power = power_in_bins(sample, column, target, &bins);

	pfree(unconstify(int32 *, bins.bin_of));
	return power;
}

/* ---- missing by class ---- */

#define FEWEST_OF_CLASS 20

static double
gap_of_classes(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	double	   *rows = palloc0(sizeof(double) * 2 * target->nclasses);	/* (nclasses, 2): there, missing */
	double		all[2] = {0, 0};
	double		gap = 0;

	for (int row = 0; row < sample->nrows; row++)
		if (target->class[row] >= 0)
		{
			bool		missing = column->code[row] == column->ncodes;

			rows[2 * target->class[row] + missing] += (double) sample_count(sample, row);
			all[missing] += (double) sample_count(sample, row);
		}
	for (int class = 0; class < target->nclasses; class++)
	{
		double		in = rows[2 * class] + rows[2 * class + 1];
		double		out = all[0] + all[1] - in;

		if (in >= FEWEST_OF_CLASS && out >= FEWEST_OF_CLASS)
			gap = fmax(gap, fabs(rows[2 * class + 1] / in - (all[1] - rows[2 * class + 1]) / out));
	}
	pfree(rows);
	return gap;
}

static double
gap_of_numbers(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	Sums		group[2] = {{0, 0}, {0, 0}};
	double		squares = 0,
				mean,
				n,
				between = 0;

	for (int row = 0; row < sample->nrows; row++)
		if (!isnan(target->value[row]))
		{
			Sums	   *s = &group[column->code[row] == column->ncodes];

			s->n += (double) sample_count(sample, row);
			s->sum += (double) sample_count(sample, row) * target->value[row];
		}
	n = group[0].n + group[1].n;
	mean = (group[0].sum + group[1].sum) / n;
	for (int row = 0; row < sample->nrows; row++)
		if (!isnan(target->value[row]))
			squares += (double) sample_count(sample, row) * (target->value[row] - mean) * (target->value[row] - mean);
	for (int i = 0; i < 2; i++)
		if (group[i].n < FEWEST_OF_CLASS)
			return 0;
		else
			between += group[i].n * (group[i].sum / group[i].n - mean) * (group[i].sum / group[i].n - mean);
	return squares > 0 ? sqrt(between / squares) : 0;
}

double
missing_gap(const Sample *sample, const SampleColumn *column, const CheckTarget *target)
{
	return target->nclasses > 0 ? gap_of_classes(sample, column, target) : gap_of_numbers(sample, column, target);
}

char *
power_shown(const CheckTarget *target, double power)
{
	if (target->nclasses == 0)
		return psprintf("R2 %.3f", power);
	if (target->nclasses == 2)
		return psprintf("AUC %.3f", (1 + power) / 2);
	return psprintf("%s fewer errors than by always guessing the most frequent class", percent(power));
}
