/*
 * source.c
 *		A source text -> a query that only reads -> its rows, one by one.
 *
 * The text is a table's name or one SELECT; what it is, PostgreSQL's own raw parser decides.  The query runs through SPI as the caller, with
 * the transaction read-only for its duration, so that functions it calls cannot write either, and into a receiver of ours, so that nothing is
 * stored on the way and the planner may choose a parallel plan.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"

#include "core/hash.h"
#include "data/data_internal.h"

#define WHAT_A_SOURCE_IS "source must be a table, a view or one SELECT"

/* ---- is it a name? ---- */

/* Skip blanks and both kinds of comments. */
static const char *
skip_blanks(const char *at)
{
	for (;;)
	{
		if (scanner_isspace(*at))
			at++;
		else if (at[0] == '-' && at[1] == '-')
			at += strcspn(at, "\r\n");
		else if (at[0] == '/' && at[1] == '*')
		{
			int			depth = 0;

			do
			{
				if (at[0] == '/' && at[1] == '*')
					depth++, at++;
				else if (at[0] == '*' && at[1] == '/')
					depth--, at++;
				if (*at)
					at++;
			} while (*at && depth > 0);
		}
		else
			return at;
	}
}

static bool
starts_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || IS_HIGHBIT_SET(c);
}

/* One SQL identifier, quoted or not; NULL where there is none. */
static char *
read_identifier(const char **at)
{
	const char *start = *at;
	StringInfoData word;

	if (starts_word(*start))
	{
		while (starts_word(**at) || (**at >= '0' && **at <= '9') || **at == '$')
			(*at)++;
		return downcase_truncate_identifier(start, (int) (*at - start), false);
	}
	if (*start != '"')
		return NULL;
	initStringInfo(&word);
	for (start++; *start && (*start != '"' || start[1] == '"'); start++)
	{
		if (*start == '"')
			start++;
		appendStringInfoChar(&word, *start);
	}
	if (*start != '"' || word.len == 0)
		return NULL;
	*at = start + 1;
	truncate_identifier(word.data, word.len, false);
	return word.data;
}

/* The parts of a name that is the whole text but for blanks, comments and semicolons at its end; NIL where it is something else. */
static List *
read_name(const char *text)
{
	const char *at = skip_blanks(text);
	List	   *parts = NIL;

	for (;;)
	{
		char	   *part = read_identifier(&at);

		if (part == NULL)
			return NIL;
		parts = lappend(parts, makeString(part));
		at = skip_blanks(at);
		if (*at != '.')
			break;
		at = skip_blanks(at + 1);
	}
	while (*at == ';')
		at = skip_blanks(at + 1);
	return *at == '\0' ? parts : NIL;
}

bool
source_is_name(const char *text)
{
	return read_name(text) != NIL;
}

/* ---- a relation ---- */

static void
missing_relation(const RangeVar *name, const char *text)
{
	bool		folded = strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL && strchr(text, '"') == NULL;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 name->schemaname ? errmsg("relation \"%s.%s\" does not exist", name->schemaname, name->relname) :
			 errmsg("relation \"%s\" does not exist", name->relname),
			 folded ? errhint("Names with upper-case letters need double quotes inside the source text.") :
			 errhint("The source must be the name of a table or view, or one SELECT.")));
}

/* The qualified name to select from. */
static char *
open_relation(const char *text, List *parts)
{
	RangeVar   *name = makeRangeVarFromNameList(parts);
	Oid			relid = RangeVarGetRelid(name, AccessShareLock, true);
	char		relkind;

	if (!OidIsValid(relid))
		missing_relation(name, text);
	relkind = get_rel_relkind(relid);
	if (relkind != RELKIND_RELATION && relkind != RELKIND_VIEW && relkind != RELKIND_MATVIEW &&
		relkind != RELKIND_FOREIGN_TABLE && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", name->relname),
				 errdetail_relkind_not_supported(relkind),
				 errhint("The source must be the name of a table or view, or one SELECT.")));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* ---- a query ---- */

/* Errors of the raw parser point into the source text, not into the statement that calls us. */
static void
source_error_context(void *arg)
{
	const char *text = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(text);
	}
	if (geterrcode() == ERRCODE_SYNTAX_ERROR)
		errhint("The source must be the name of a table or view (in double quotes where it is no plain lower-case word), or one SELECT.");
}

static List *
parse_source(const char *text)
{
	ErrorContextCallback callback;
	List	   *statements;

	callback.callback = source_error_context;
	callback.arg = unconstify(char *, text);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	statements = raw_parser(text, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	return statements;
}

static void
refuse_statement(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg(WHAT_A_SOURCE_IS),
			 errdetail("It has %s in it.", what),
			 errhint("Store what you want to learn from in a table first, or write a query that only reads.")));
}

/* Nothing below a SELECT may write or lock: data-modifying WITH, SELECT INTO, FOR UPDATE. */
static bool
refuse_writes(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			refuse_statement(CreateCommandName(node));
			break;
		case T_SelectStmt:
			if (((SelectStmt *) node)->intoClause)
				refuse_statement("INTO");
			if (((SelectStmt *) node)->lockingClause)
				refuse_statement("FOR UPDATE or FOR SHARE");
			break;
		default:
			break;
	}
	return raw_expression_tree_walker(node, refuse_writes, context);
}

/* The query in parentheses, to select from. */
static char *
open_query(const char *text)
{
	List	   *statements = parse_source(text);
	RawStmt    *raw;

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg(WHAT_A_SOURCE_IS),
				 statements ? errdetail("It has %d statements.", list_length(statements)) :
				 errdetail("It is empty.")));
	raw = linitial_node(RawStmt, statements);
	if (!IsA(raw->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(WHAT_A_SOURCE_IS),
				 errdetail("It is %s.", CreateCommandName(raw->stmt))));
	refuse_writes(raw->stmt, NULL);
	text += raw->stmt_location;
	return psprintf("(\n%.*s\n) AS source", raw->stmt_len ? raw->stmt_len : (int) strlen(text), text);
}

/* ---- open, narrow ---- */

/* Analyse the query under the caller's rights: the columns it returns, the relations it reads, and what its functions forbid. */
static void
describe_query(Source *source)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr	plan;
	List	   *sources;
	CachedPlanSource *analysed;

	SPI_connect();
	plan = SPI_prepare(source->query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) != 1)
		elog(ERROR, "a source has %d plans", list_length(sources));
	analysed = linitial(sources);
	source->parallel_safe = max_parallel_hazard(linitial_node(Query, analysed->query_list)) != PROPARALLEL_UNSAFE;
	MemoryContextSwitchTo(caller);
	source->tupdesc = CreateTupleDescCopy(analysed->resultDesc);
	source->relations = list_copy(analysed->relationOids);
	SPI_finish();
}

Source *
source_open(const char *text)
{
	Source	   *source = palloc0(sizeof(Source));
	List	   *name = read_name(text);

	source->text = pstrdup(text);
	if (name)
	{
		source->from = open_relation(text, name);
		source->query = psprintf("SELECT * FROM %s", source->from);
	}
	else
	{
		source->from = open_query(text);
		source->query = pstrdup(text);
	}
	describe_query(source);
	return source;
}

static uint64
hash_string(const char *text)
{
	return hash_text(text, strlen(text), 0);
}

char *
source_identity(const Source *source)
{
	uint64	   *names = palloc(sizeof(uint64) * (list_length(source->relations) + 1));
	uint64		hash = source_is_name(source->text) ? 0 : hash_string(source->from);
	int			n = 0;
	ListCell   *cell;

	foreach(cell, source->relations)
	{
		Oid			relation = lfirst_oid(cell);

		if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
			return NULL;
		names[n++] = hash_string(quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation)));
	}
	qsort(names, n, sizeof(uint64), hash_compare);
	for (int i = 0; i < n; i++)
		if (i == 0 || names[i] != names[i - 1])
			hash = hash_fold(hash, names[i]);
	return psprintf("%016llx", (unsigned long long) hash);
}

void
source_narrow(Source *source, const bool *wanted)
{
	StringInfoData query;
	int			natts = source->tupdesc->natts;
	int			nwanted = 0;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT");
	for (int i = 0; i < natts; i++)
		if (wanted[i])
			appendStringInfo(&query, "%s %s", nwanted++ ? "," : "", quote_identifier(NameStr(TupleDescAttr(source->tupdesc, i)->attname)));
	appendStringInfo(&query, " FROM %s", source->from);
	if (nwanted == natts)
		return;
	source->query = query.data;
	describe_query(source);
}

void
source_close(Source *source)
{
	FreeTupleDesc(source->tupdesc);
	pfree(source);
}

/* ---- run ---- */

typedef struct RowReceiver
{
	DestReceiver pub;
	const Source *source;
	SourceRow	row;
	void	   *state;
	MemoryContext scratch;		/* reset after each row */
} RowReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc tupdesc)
{
	const RowReceiver *receiver = (RowReceiver *) self;

	if (tupdesc->natts != receiver->source->tupdesc->natts)
		elog(ERROR, "the source returned %d columns instead of %d", tupdesc->natts, receiver->source->tupdesc->natts);
}

static bool
receiver_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext caller = MemoryContextSwitchTo(receiver->scratch);
	bool		more;

	slot_getallattrs(slot);
	more = receiver->row(slot, receiver->state);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(receiver->scratch);
	return more;
}

static void
receiver_done(DestReceiver *self)
{
}

void
source_run(const Source *source, SourceRow row, void *state)
{
	RowReceiver receiver = {
		.pub = {
			.receiveSlot = receiver_row,
			.rStartup = receiver_startup,
			.rShutdown = receiver_done,
			.rDestroy = receiver_done,
			.mydest = DestNone
		},
		.source = source,
		.row = row,
		.state = state
	};
	SPIExecuteOptions options = {
		.read_only = true,
		.dest = &receiver.pub
	};
	bool		was_read_only = XactReadOnly;
	int			result;

	XactReadOnly = true;		/* by hand: from 16 on no function may set it locally; an aborted (sub)transaction puts it back by itself */
	SPI_connect();
	receiver.scratch = AllocSetContextCreate(CurrentMemoryContext, "relearn source row", ALLOCSET_DEFAULT_SIZES);
	result = SPI_execute_extended(source->query, &options);
	if (result < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(result));
	SPI_finish();
	XactReadOnly = was_read_only;
}
