/*
 * parameter.h
 *		Named options as tables: one row each drives parsing, bounds, hints and listings, of learners and of transforms.
 */
#ifndef RELEARN_CORE_PARAMETER_H
#define RELEARN_CORE_PARAMETER_H

typedef enum ParameterType
{
	PARAM_INT,
	PARAM_FLOAT,
	PARAM_BOOL,
	PARAM_CHOICE,				/* an int, index into choices */
	PARAM_COLUMNS,				/* ColumnValues: {"column": number, ...}; bounds are those of the numbers */
	PARAM_TEXT,					/* char *, NULL = not set */
	PARAM_VALUE,				/* GivenValue: a number, text or truth value */
	PARAM_NUMBERS,				/* NumberList: bounds are those of the numbers */
	PARAM_NAMES					/* NameList */
} ParameterType;

/* Numbers that belong to columns. */
typedef struct ColumnValues
{
	int			n;
	char	  **column;
	double	   *value;
} ColumnValues;

typedef struct NumberList
{
	int			n;
	double	   *value;
} NumberList;

typedef struct NameList
{
	int			n;
	char	  **name;
} NameList;

/* What a cell may be given as. */
typedef struct GivenValue
{
	bool		given;
	char	   *text;			/* NULL: a number, or a truth value as 0 or 1 */
	double		number;
} GivenValue;

typedef struct Parameter
{
	const char *name;
	const char *aliases;		/* comma-separated, or NULL */
	ParameterType type;
	Size		offset;			/* into the options struct: int, double, bool, int, or as told above */
	double		fallback;		/* default; NaN = not set (PARAM_FLOAT only); of the last four types none */
	double		min,
				max;			/* inclusive; -+HUGE_VAL for none */
	const char *const *choices; /* PARAM_CHOICE: NULL-terminated; PARAM_FLOAT: words that stand for -1, -2, ..., or NULL */
	int			says;			/* parameters of one number other than 0 say the same thing: one of them may be given */
	const char *help;			/* one line */
} Parameter;

#endif
