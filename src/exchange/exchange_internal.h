/*
 * exchange_internal.h
 *		A model of another library as its file tells it, before it becomes one of ours.
 */
#ifndef RELEARN_EXCHANGE_INTERNAL_H
#define RELEARN_EXCHANGE_INTERNAL_H

#include "compat.h"
#include "core/budget.h"
#include "core/tree.h"
#include "learn/boosting.h"
#include "model/model.h"

typedef struct ForeignColumn
{
	char	   *name;
	ColumnKind	kind;			/* KIND_NUMBER, KIND_BOOLEAN; KIND_CATEGORY where the file has the texts of the codes */
	const char *type_name;		/* the SQL type it expects, for people */
	int			nlevels;
	char	  **level;			/* (nlevels) texts of the codes 0 .. nlevels-1 */
	bool		zero_missing;	/* some split takes zeros for missing */
	bool		nan_missing;	/* some split takes NaN for missing, zeros not */
	double		min,			/* of the training rows; NaN where the file does not say */
				max;
} ForeignColumn;

typedef struct ForeignNode
{
	int			left,			/* both -1 in leaves */
				right;
	int			column;
	bool		category;		/* the split is by a list of categories */
	bool		listed_right;	/* what is listed goes right, else left */
	bool		missing_left;
	uint32		first,			/* its list: category[first] .. category[first+count-1] */
				count;
	double		number;			/* number <= threshold goes left; the value of a leaf */
	double		cover;
	double		gain;
} ForeignNode;

/* Node 0 is the root; nodes that no other leads to are legal and ignored. */
typedef struct ForeignTree
{
	int			nnodes;
	ForeignNode *node;
} ForeignTree;

typedef struct ForeignModel
{
	const char *library;		/* for messages: "LightGBM" */
	MemoryContext context;		/* of all that lasts */
	Budget	   *budget;
	Task		task;
	Link		link;
	int			nclasses;		/* 0 for regression */
	int			nscores;		/* tree t adds to score t % nscores */
	double	   *base;			/* (nscores) */
	double		scale;			/* leaf values are multiplied by it */
	bool		single;			/* numbers are compared in single precision */
	int			ncolumns;
	ForeignColumn *column;
	int			ntrees;
	ForeignTree *tree;
	uint32		ncategories,	/* of all lists */
				category_room;
	int32	   *category;
	List	   *warnings;		/* of char * */
} ForeignModel;

/* What an objective of a library makes of scores. */
typedef struct ForeignObjective
{
	const char *name;
	Task		task;
	Link		link;
} ForeignObjective;

/* ---- foreign.c ---- */

/* ERRCODE_INVALID_TEXT_REPRESENTATION: the file does not make sense; the detail is one full sentence. */
pg_noreturn extern void malformed(const ForeignModel *m, const char *detail,...) printf_like(2, 3);

/* ERRCODE_FEATURE_NOT_SUPPORTED: the file makes sense, but not to us. */
pg_noreturn extern void unsupported(const ForeignModel *m, const char *detail,...) printf_like(2, 3);

/* The whole text as a finite number. */
extern bool parse_finite(const char *text, double *value);

/* Task, link, and the numbers of classes and scores; base becomes zeros.  nclasses: as the file says, anything where the objective has none. */
extern void foreign_set_objective(ForeignModel *m, const ForeignObjective *objectives, int nobjectives, const char *name, int nclasses);

extern void foreign_create_columns(ForeignModel *m, int ncolumns);
extern void foreign_create_tree(ForeignModel *m, int tree, int nnodes);
extern void foreign_add_category(ForeignModel *m, ForeignNode *node, int32 category);

/* ---- lightgbm.c, xgboost.c ---- */
extern void lightgbm_read(ForeignModel *m, char *body);	/* writes into body */
extern void xgboost_read(ForeignModel *m, const char *body);

/* ---- assemble.c ---- */

/* Checks everything the readers leave open, and fills task, classes (not labels), features, learner, state, baseline and self-test. */
extern Model *foreign_assemble(ForeignModel *m);

#endif
