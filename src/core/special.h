/*
 * special.h
 *		Distribution functions for reports; never stored in a model.
 */
#ifndef RELEARN_CORE_SPECIAL_H
#define RELEARN_CORE_SPECIAL_H

extern double log_gamma(double x);
extern double incomplete_beta(double a, double b, double x);	/* regularised I_x(a, b) */
extern double student_t_two_sided(double t, double df);	/* P(|T| >= |t|) */
extern double normal_two_sided(double z);	/* P(|Z| >= |z|) */

#endif
