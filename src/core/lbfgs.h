/*
 * lbfgs.h
 *		Minimise a smooth convex function: limited-memory BFGS with a preconditioner (Nocedal & Wright, algorithms 7.4 and 7.5).
 */
#ifndef RELEARN_CORE_LBFGS_H
#define RELEARN_CORE_LBFGS_H

typedef struct SmoothFunction
{
	int			n;
	void	   *state;
	double		(*value) (void *state, const double *x, double *gradient);	/* returns f(x), fills gradient (n) */
	void		(*precondition) (void *state, double *direction);	/* in place: direction := M^-1 direction; may be NULL */
	bool		(*enough) (void *state, double value);	/* a value that needs no further decrease; may be NULL */
} SmoothFunction;

typedef struct MinimiseResult
{
	int			iterations;
	double		value;
	double		gradient_norm;	/* 2-norm at the end */
	double		first_gradient_norm;	/* 2-norm at the start */
	bool		converged;		/* gradient_norm <= tolerance * max(1, first_gradient_norm); where rounding allows, the steps are as small too;
								 * or the value was enough */
} MinimiseResult;

/* Bytes that minimise() takes for n unknowns. */
extern Size minimise_memory(int n);

extern MinimiseResult minimise(const SmoothFunction *f, double *x, double tolerance, int max_iterations);

#endif
