/*
 * mathfn.h
 *		Elementary functions whose bits are the same on every machine: libm picks its code by CPU, these do not.
 *
 * Errors stay below 1 ulp for exp and log, 1e-15 absolute for the circle; the tests hold them against libm.
 */
#ifndef RELEARN_CORE_MATHFN_H
#define RELEARN_CORE_MATHFN_H

extern double math_exp(double x);
extern double math_expm1(double x);	/* exp(x) - 1, within a few ulp */
extern double math_log(double x);
extern double math_log1p(double x);
extern double math_sigmoid(double x);	/* 1 / (1 + exp(-x)), no overflow, exact symmetry not promised */
extern double math_softplus(double x);	/* log(1 + exp(x)), no overflow */
extern void math_circle(double turns, double *sine, double *cosine);	/* sin and cos of 2 pi turns */
extern double math_turns(double sine, double cosine);	/* the way back, from 0 to 1, of a point at any distance; NaN for none */

#endif
