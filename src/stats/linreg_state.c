/*
 * linreg_state.c
 *		The state of ml.linreg: rows are buffered and added block by block to centred co-moments.
 *
 * A block is centred on its own mean, and blocks and states are joined by the pairwise formula of Chan, Golub and LeVeque (1979): nothing
 * cancels however far the values lie from 0, and a constant column has a spread of exactly 0.
 */
#include "postgres.h"

#include <math.h>

#include "core/dense.h"
#include "stats/linreg_internal.h"

LinregState *
linreg_state_new(int nfeatures)
{
	Size		width = nfeatures + 1;
	Size		ndoubles = nfeatures == 0 ? 0 : width + width * width + (LINREG_BLOCK + 1) * width;
	LinregState *state;

	if (nfeatures > LINREG_MOST_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a regression on %d features exceeds the limit of %d", nfeatures, LINREG_MOST_FEATURES)));
	state = state_new(&linreg_kind, offsetof(LinregState, data) + sizeof(double) * ndoubles);
	state->nfeatures = nfeatures;
	return state;
}

/*
 * Account for two parts of n and more rows whose means lie apart by delta: the means become those of both together, the co-moments gain
 * n more / (n + more) delta delta'.  Scales delta.
 */
static void
join_means(LinregState *state, double n, double more, double *delta)
{
	int			width = linreg_width(state);
	double	   *mean = linreg_mean(state);
	double		root = sqrt(n * (more / (n + more)));

	for (int j = 0; j < width; j++)
	{
		mean[j] += delta[j] * (more / (n + more));
		delta[j] *= root;
	}
	dense_gram(delta, 1, width, width, NULL, linreg_comoment(state));
}

/* mean := mean of the rows, exact where they are all equal; rows := rows - mean */
static void
centre_rows(double *rows, int nrows, int width, double *mean)
{
	memset(mean, 0, sizeof(double) * width);
	for (int i = 1; i < nrows; i++)
		for (int j = 0; j < width; j++)
			mean[j] += rows[i * width + j] - rows[j];
	for (int j = 0; j < width; j++)
		mean[j] = rows[j] + mean[j] / nrows;
	for (int i = 0; i < nrows; i++)
		for (int j = 0; j < width; j++)
			rows[i * width + j] -= mean[j];
}

void
linreg_flush(LinregState *state)
{
	int			width = linreg_width(state);
	int			nrows = state->nbuffered;
	double	   *rows = linreg_buffer(state);
	double	   *delta = rows + (Size) LINREG_BLOCK * width;

	if (nrows == 0)
		return;
	centre_rows(rows, nrows, width, delta);
	dense_gram(rows, nrows, width, width, NULL, linreg_comoment(state));
	dense_axpy(-1, linreg_mean(state), delta, width);
	join_means(state, (double) (state->header.n - nrows), nrows, delta);
	state->nbuffered = 0;
}

LinregState *
linreg_flushed(const LinregState *state)
{
	LinregState *copy = (LinregState *) PG_DETOAST_DATUM_COPY(PointerGetDatum(state));

	linreg_flush(copy);
	return copy;
}

static LinregState *
add_moments(LinregState *state, LinregState *other)
{
	int			width = linreg_width(state);
	double	   *comoment = linreg_comoment(state);
	const double *more = linreg_comoment(other);
	double	   *delta = linreg_mean(other);

	if (other->header.n == 0)
		return state;
	linreg_flush(state);
	for (int i = 0; i < width; i++)
		dense_axpy(1, more + (Size) i * width + i, comoment + (Size) i * width + i, width - i);
	dense_axpy(-1, linreg_mean(state), delta, width);
	join_means(state, (double) state->header.n, (double) other->header.n, delta);
	return state;
}

static void *
linreg_merge(void *opaque, const void *other_opaque)
{
	LinregState *state = opaque;
	const LinregState *other = other_opaque;

	if (other->nfeatures == 0)
		return state;
	if (state->nfeatures == 0)
	{
		LinregState *copy = linreg_flushed(other);

		copy->header.n = 0;		/* the caller adds the other's counts */
		copy->header.missing = state->header.missing;
		return copy;
	}
	if (state->nfeatures != other->nfeatures)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot merge a regression on %d features with one on %d", state->nfeatures, other->nfeatures)));
	return add_moments(state, linreg_flushed(other));
}

/* ---- text and binary form: features, means, upper triangle row by row ---- */

static void
linreg_write(const void *opaque, ByteWriter *w)
{
	const LinregState *state = linreg_flushed(opaque);
	int			width = linreg_width(state);

	put_u32(w, (uint32) state->nfeatures);
	if (state->nfeatures == 0)
		return;
	for (int j = 0; j < width; j++)
		put_f64(w, linreg_mean(state)[j]);
	for (int i = 0; i < width; i++)
		for (int j = i; j < width; j++)
			put_f64(w, linreg_comoment(state)[(Size) i * width + j]);
}

static void *
linreg_read(ByteReader *r, int64 n)
{
	uint32		nfeatures = get_count(r, 2 * sizeof(double), LINREG_MOST_FEATURES);
	LinregState *state = linreg_state_new((int) nfeatures);
	int			width = linreg_width(state);

	if (nfeatures == 0)
	{
		if (n > 0)
			damaged(r, "It has rows but no features.");
		return state;
	}
	for (int j = 0; j < width; j++)
		linreg_mean(state)[j] = get_f64(r);
	for (int i = 0; i < width; i++)
		for (int j = i; j < width; j++)
		{
			double		value = get_f64(r);	/* sums of huge values may be infinite */

			if (i == j && value < 0)
				damaged(r, "A sum of squares is negative.");
			linreg_comoment(state)[(Size) i * width + j] = value;
		}
	return state;
}

const StateKind linreg_kind = {"ml.linreg_state", 0x534c0001, linreg_write, linreg_read, linreg_merge};

STATE_TYPE_FUNCTIONS(linreg_state, &linreg_kind)
