/*
 * solve.h
 *		Small dense linear algebra: symmetric factorisations, streaming QR.
 */
#ifndef RELEARN_CORE_SOLVE_H
#define RELEARN_CORE_SOLVE_H

/*
 * Cholesky in place of the upper triangle of a (n, n): a = R'R.  A column whose pivot falls to tolerance * its original diagonal or below is
 * a linear combination of those before it: its row and column of R become zero and aliased[j] true.  Returns the rank.
 */
extern int	cholesky(double *a, int n, double tolerance, bool *aliased);

/* Solve R'z = b, R x = z, or R'R x = b in place of b; aliased columns get 0. */
extern void triangular_solve_transposed(const double *r, int n, const bool *aliased, double *b);
extern void triangular_solve(const double *r, int n, const bool *aliased, double *b);
extern void cholesky_solve(const double *r, int n, const bool *aliased, double *b);

/* inverse (n, n) of R'R, full symmetric; rows and columns of aliased columns are 0. */
extern void cholesky_inverse(const double *r, int n, const bool *aliased, double *inverse);

/* 2-norm condition estimate of R (upper, aliased columns left out) by power iteration on R'R and its inverse. */
extern double triangular_condition(const double *r, int n, const bool *aliased);

/* Streaming Householder QR: rows are added block by block, only the triangle (n, n) is kept. */
typedef struct StreamingQR StreamingQR;
extern StreamingQR *qr_create(int n, int block_rows);
extern void qr_add(StreamingQR *qr, const double *rows, int nrows, int stride);	/* (nrows, n); copied */
extern double *qr_triangle(StreamingQR *qr);	/* (n, n) upper, diagonal >= 0 */

/*
 * Find the columns of the upper triangle r (n, n) that are combinations of those before them: what is left of column k < ntested after
 * the earlier kept columns falls to tolerance * its norm or below.  Such columns become aliased[k], zero in row and column; the others are
 * made triangular again.  Columns from ntested on are kept whatever they are.  Returns the number of kept columns.
 */
extern int	triangle_rank(double *r, int n, int ntested, double tolerance, bool *aliased);

#endif
