/*
 * lbfgs.c
 *		Limited-memory BFGS with a preconditioner (Nocedal & Wright, algorithms 7.4 and 7.5), for smooth convex functions.
 *
 * The line search asks for the strong Wolfe conditions.  Near the minimum, differences of the function drown in its rounding; there the
 * decrease is judged by the derivative along the line alone ("approximate Wolfe" of Hager & Zhang 2005, section 4), which stays accurate.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/budget.h"
#include "core/dense.h"
#include "core/lbfgs.h"

#define PAIRS 10				/* steps remembered */
#define DECREASE 1e-4			/* c1 of the Wolfe conditions */
#define CURVATURE 0.9			/* c2 */
#define FUNCTION_NOISE 1e-10	/* relative differences of the function below this say nothing */
#define LINE_EVALUATIONS 40
#define REST 0.03			/* the way left may be several times the guess */
#define LEAST_SHRINKAGE 0.25	/* less is luck */
#define GROWTH 4.0				/* of the step while no minimum along the line is bracketed */

typedef struct Point
{
	double	   *x;
	double	   *gradient;
	double		value;
} Point;

typedef struct Minimiser
{
	const SmoothFunction *f;
	int			n;
	Point		here,
				next;
	double	   *direction;
	double	   *s[PAIRS];		/* steps */
	double	   *y[PAIRS];		/* changes of the gradient */
	double		rho[PAIRS];		/* 1 / s.y */
	int			first,
				count;			/* of the pairs, a ring */
	double		small;			/* gradient norm to reach */
	double		scale;			/* s.y / y.M^-1 y of the newest pair */
	double		step,			/* length of the last step and the one before */
				step_before;
	double	   *scratch;
} Minimiser;

static double *
vector(int n)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size_times(sizeof(double), Max(n, 1)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

Size
minimise_memory(int n)
{
	return size_times(size_times(sizeof(double), n), 2 * PAIRS + 6);
}

static void
minimiser_init(Minimiser *m, const SmoothFunction *f)
{
	memset(m, 0, sizeof(Minimiser));
	m->f = f;
	m->n = f->n;
	m->here.x = vector(f->n);
	m->here.gradient = vector(f->n);
	m->next.x = vector(f->n);
	m->next.gradient = vector(f->n);
	m->direction = vector(f->n);
	m->scratch = vector(f->n);
	for (int i = 0; i < PAIRS; i++)
	{
		m->s[i] = vector(f->n);
		m->y[i] = vector(f->n);
	}
	m->scale = 1;
}

static void
minimiser_free(Minimiser *m)
{
	pfree(m->here.x);
	pfree(m->here.gradient);
	pfree(m->next.x);
	pfree(m->next.gradient);
	pfree(m->direction);
	pfree(m->scratch);
	for (int i = 0; i < PAIRS; i++)
	{
		pfree(m->s[i]);
		pfree(m->y[i]);
	}
}

static inline double
norm(const double *x, int n)
{
	return sqrt(dense_dot(x, x, n));
}

static void
evaluate(Minimiser *m, Point *p)
{
	CHECK_FOR_INTERRUPTS();
	p->value = m->f->value(m->f->state, p->x, p->gradient);
}

static void
precondition(Minimiser *m, double *direction)
{
	if (m->f->precondition != NULL)
		m->f->precondition(m->f->state, direction);
}

/* ---- direction ---- */

/* The two-loop recursion: direction = -H gradient. */
static void
find_direction(Minimiser *m)
{
	double		alpha[PAIRS];
	int			n = m->n;
	double	   *d = m->direction;

	for (int j = 0; j < n; j++)
		d[j] = -m->here.gradient[j];
	for (int k = m->count - 1; k >= 0; k--)
	{
		int			i = (m->first + k) % PAIRS;

		alpha[k] = m->rho[i] * dense_dot(m->s[i], d, n);
		dense_axpy(-alpha[k], m->y[i], d, n);
	}
	precondition(m, d);
	for (int j = 0; j < n; j++)
		d[j] *= m->scale;
	for (int k = 0; k < m->count; k++)
	{
		int			i = (m->first + k) % PAIRS;

		dense_axpy(alpha[k] - m->rho[i] * dense_dot(m->y[i], d, n), m->s[i], d, n);
	}
}

/* Remember the step from here to next; a pair without clear curvature is left out. */
static void
remember_step(Minimiser *m)
{
	int			i = (m->first + m->count) % PAIRS;
	int			n = m->n;
	double	   *s = m->s[i],
			   *y = m->y[i];
	double		sy,
				yhy;

	for (int j = 0; j < n; j++)
	{
		s[j] = m->next.x[j] - m->here.x[j];
		y[j] = m->next.gradient[j] - m->here.gradient[j];
	}
	sy = dense_dot(s, y, n);
	memcpy(m->scratch, y, sizeof(double) * n);
	precondition(m, m->scratch);
	yhy = dense_dot(y, m->scratch, n);
	if (!(sy > 1e-14 * norm(s, n) * norm(y, n)) || !(yhy > 0))
		return;
	m->rho[i] = 1 / sy;
	m->scale = sy / yhy;
	if (m->count < PAIRS)
		m->count++;
	else
		m->first = (m->first + 1) % PAIRS;
}

/* ---- line search ---- */

/* The minimum of the cubic through two points with their derivatives (Nocedal & Wright, 3.59), kept inside the middle 80 % between them. */
static double
cubic_step(double a, double fa, double da, double b, double fb, double db)
{
	double		d1 = da + db - 3 * (fa - fb) / (a - b);
	double		square = d1 * d1 - da * db;
	double		low = Min(a, b) + 0.1 * fabs(b - a);
	double		high = Max(a, b) - 0.1 * fabs(b - a);
	double		d2,
				step;

	if (!(square >= 0))
		return 0.5 * (a + b);
	d2 = b > a ? sqrt(square) : -sqrt(square);
	step = b - (b - a) * (db + d2 - d1) / (db - da + 2 * d2);
	if (!(step >= low && step <= high))
		return 0.5 * (a + b);
	return step;
}

static bool
decreased_enough(const Minimiser *m, double step, double slope, double next_slope)
{
	double		change = m->next.value - m->here.value;

	if (change <= DECREASE * step * slope)
		return true;
	return change <= FUNCTION_NOISE * fabs(m->here.value) && next_slope <= (2 * DECREASE - 1) * slope;
}

/*
 * A gradient that is small enough where the function is as low as it was is what we look for, even if the slopes are rounding only: they are where a
 * huge curvature makes the way there tiny in some unknowns.
 */
static bool
gradient_vanished(const Minimiser *m)
{
	return m->next.value - m->here.value <= FUNCTION_NOISE * fabs(m->here.value) && norm(m->next.gradient, m->n) <= m->small;
}

/* Find a step along the direction; leaves the accepted point in next.  False where there is none. */
static bool
line_search(Minimiser *m)
{
	double		slope = dense_dot(m->here.gradient, m->direction, m->n);
	double		low = 0,
				low_value = m->here.value,
				low_slope = slope;
	double		high = 0,
				high_value = 0,
				high_slope = 0;	/* bracketed once high > 0 */
	double		step = 1;

	if (!(slope < 0))
		return false;
	for (int k = 0; k < LINE_EVALUATIONS; k++)
	{
		double		next_slope;
		bool		decreased;

		for (int j = 0; j < m->n; j++)
			m->next.x[j] = m->here.x[j] + step * m->direction[j];
		evaluate(m, &m->next);
		next_slope = dense_dot(m->next.gradient, m->direction, m->n);
		decreased = decreased_enough(m, step, slope, next_slope);
		if ((decreased && fabs(next_slope) <= -CURVATURE * slope) || gradient_vanished(m))
			return true;
		if (!decreased || next_slope > 0 || isnan(next_slope))
		{
			high = step;
			high_value = m->next.value;
			high_slope = next_slope;
		}
		else
		{
			low = step;
			low_value = m->next.value;
			low_slope = next_slope;
		}
		if (high == 0)
			step *= GROWTH;
		else
			step = cubic_step(low, low_value, low_slope, high, high_value, high_slope);
	}
	return false;
}

static void
accept_step(Minimiser *m)
{
	Point		here = m->here;

	remember_step(m);
	m->step_before = m->step;
	for (int j = 0; j < m->n; j++)
		m->scratch[j] = m->next.x[j] - m->here.x[j];
	m->step = norm(m->scratch, m->n);
	m->here = m->next;
	m->next = here;
}

/* Where the remembered curvature leads nowhere, the preconditioned gradient is tried before giving up. */
static bool
advance(Minimiser *m)
{
	find_direction(m);
	if (!line_search(m))
	{
		if (m->count == 0)
			return false;
		m->count = 0;
		m->scale = 1;
		find_direction(m);
		if (!line_search(m))
			return false;
	}
	accept_step(m);
	return true;
}

/*
 * A small gradient alone says little where the function is flat: the unknowns must have come to rest too.  The way left is guessed from how
 * the last two steps shrank.
 */
static bool
at_rest(const Minimiser *m, double tolerance)
{
	double		shrinkage = Min(Max(m->step / m->step_before, LEAST_SHRINKAGE), 1);

	return m->step * shrinkage <= REST * tolerance * Max(1, norm(m->here.x, m->n));
}

static bool
value_enough(const Minimiser *m)
{
	return m->f->enough != NULL && m->f->enough(m->f->state, m->here.value);
}

MinimiseResult
minimise(const SmoothFunction *f, double *x, double tolerance, int max_iterations)
{
	Minimiser	m;
	MinimiseResult result = {0};
	bool		done;

	minimiser_init(&m, f);
	memcpy(m.here.x, x, sizeof(double) * f->n);
	evaluate(&m, &m.here);
	result.first_gradient_norm = result.gradient_norm = norm(m.here.gradient, f->n);
	m.small = tolerance * Max(1, result.first_gradient_norm);
	done = result.gradient_norm <= m.small;
	/* advance() finds no step where rounding hides every decrease */
	while (!done && result.iterations < max_iterations && advance(&m))
	{
		result.iterations++;
		result.gradient_norm = norm(m.here.gradient, f->n);
		done = value_enough(&m) || (result.gradient_norm <= m.small && at_rest(&m, tolerance));
	}
	result.value = m.here.value;
	result.converged = result.gradient_norm <= m.small || value_enough(&m);
	memcpy(x, m.here.x, sizeof(double) * f->n);
	minimiser_free(&m);
	return result;
}
