/*
 * foreign.c
 *		What the readers of foreign models share: messages, the arrays they fill.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "exchange_internal.h"

#define MAX_CATEGORIES 16777216 /* listed in all splits together */
#define FIRST_ROOM 256

/* ---- messages ---- */

static char *format_detail(const char *format, va_list args) printf_like(1, 0);

static char *
format_detail(const char *format, va_list args)
{
	char		buffer[1024];

	vsnprintf(buffer, sizeof(buffer), format, args);
	buffer[pg_mbcliplen(buffer, strlen(buffer), sizeof(buffer) - 1)] = '\0';
	return pstrdup(buffer);
}

void
malformed(const ForeignModel *m, const char *detail,...)
{
	va_list		args;
	char	   *text;

	va_start(args, detail);
	text = format_detail(detail, args);
	va_end(args);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("the text is no valid %s model", m->library),
			 errdetail("%s", text)));
}

void
unsupported(const ForeignModel *m, const char *detail,...)
{
	va_list		args;
	char	   *text;

	va_start(args, detail);
	text = format_detail(detail, args);
	va_end(args);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the %s model cannot be imported", m->library),
			 errdetail("%s", text)));
}

bool
parse_finite(const char *text, double *value)
{
	char	   *end;

	/* strtod also reads hexadecimal numbers, infinities and leading space */
	if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
		return false;
	*value = strtod(text, &end);
	return *end == '\0' && isfinite(*value);
}

/* ---- objective ---- */

void
foreign_set_objective(ForeignModel *m, const ForeignObjective *objectives, int nobjectives, const char *name, int nclasses)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < nobjectives; i++)
	{
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", objectives[i].name);
		if (strcmp(objectives[i].name, name) != 0)
			continue;
		m->task = objectives[i].task;
		m->link = objectives[i].link;
		m->nclasses = m->task == TASK_REGRESSION ? 0 : m->task == TASK_BINARY ? 2 : nclasses;
		m->nscores = m->task == TASK_MULTICLASS ? nclasses : 1;
		if (m->task == TASK_MULTICLASS && (nclasses < 2 || nclasses > PG_UINT16_MAX))
			malformed(m, "Its objective \"%s\" has %d classes.", name, nclasses);
		m->base = palloc0(sizeof(double) * m->nscores);
		return;
	}
	unsupported(m, "Its objective \"%s\" is none of %s.", name, known.data);
}

/* ---- columns ---- */

void
foreign_create_columns(ForeignModel *m, int ncolumns)
{
	if (ncolumns < 1 || ncolumns > MaxTupleAttributeNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the %s model has %d features", m->library, ncolumns),
				 errdetail("A model takes from 1 to %d columns.", MaxTupleAttributeNumber)));
	m->ncolumns = ncolumns;
	m->column = palloc0(sizeof(ForeignColumn) * ncolumns);
	for (int j = 0; j < ncolumns; j++)
		m->column[j] = (ForeignColumn) {.kind = KIND_NUMBER,.type_name = "double precision",.min = NAN,.max = NAN};
}

/* ---- trees ---- */

void
foreign_create_tree(ForeignModel *m, int tree, int nnodes)
{
	/* twice: as read, and as one of our trees */
	budget_take(m->budget, size_times(nnodes, 2 * sizeof(ForeignNode)), "the trees of the model");
	m->tree[tree].nnodes = nnodes;
	m->tree[tree].node = MemoryContextAllocExtended(m->context, sizeof(ForeignNode) * (Size) nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void
foreign_add_category(ForeignModel *m, ForeignNode *node, int32 category)
{
	if (m->ncategories >= m->category_room)
	{
		if (m->ncategories >= MAX_CATEGORIES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the splits of the %s model list more than %d categories", m->library, MAX_CATEGORIES)));
		m->category_room = Max(FIRST_ROOM, m->category_room * 2);
		m->category = m->category == NULL ? MemoryContextAlloc(m->context, sizeof(int32) * m->category_room) :
			repalloc(m->category, sizeof(int32) * m->category_room);
	}
	if (node->count == 0)
		node->first = m->ncategories;
	m->category[m->ncategories++] = category;
	node->count++;
}
