/*
 * binding.c
 *		Which column of a row feeds which input of a model.
 *
 * Columns are matched by exact name, in any order; columns the model does not know are ignored, and so are inputs the model does not use.  A column
 * may change its type within its kind (integer to numeric, date to timestamp), never its kind: a number that became text is a mistake upstream, not a
 * missing value.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "predict/predict_internal.h"

#define HINT_NAMES 20			/* column names a hint lists at most */
#define SHOWN_BYTES 100			/* of a value in a message */

const char *
kind_phrase(ColumnKind kind)
{
	return psprintf("%s %s", kind == KIND_INTERVAL ? "an" : "a", kind_name(kind));
}

/* ---- messages ---- */

/* Are these the f1, f2, ... of a row constructor? */
static bool
names_are_made_up(const RowColumn *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
	{
		char	   *made_up = psprintf("f%d", i + 1);

		if (columns[i].length != (int) strlen(made_up) || memcmp(columns[i].name, made_up, columns[i].length) != 0)
			return false;
	}
	return ncolumns > 0;
}

/* What to do about a missing column, given the columns there are. */
static char *
name_hint(const RowColumn *columns, int ncolumns)
{
	StringInfoData hint;

	if (names_are_made_up(columns, ncolumns))
		return pstrdup("The row has no column names of its own; use t.* of a table, or of a subquery that names its columns.");
	initStringInfo(&hint);
	appendStringInfoString(&hint, "Columns are matched by exact name; the row has ");
	for (int i = 0; i < ncolumns && i < HINT_NAMES; i++)
		appendStringInfo(&hint, "%s\"%.*s\"", i > 0 ? ", " : "", columns[i].length, columns[i].name);
	if (ncolumns == 0)
		appendStringInfoString(&hint, "no columns");
	if (ncolumns > HINT_NAMES)
		appendStringInfo(&hint, " and %d more", ncolumns - HINT_NAMES);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

void
binding_missing(const char *origin, const InputColumn *input, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the row has no column \"%s\", which %s needs", input->name, origin),
			 errdetail("It takes %s there; at training the column had type %s.", kind_phrase(input->kind), input->type_name),
			 errhint("%s", hint)));
}

static void
wrong_kind(const char *origin, const InputColumn *input, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" has type %s, but %s takes %s there", input->name, format_type_be(type), origin, kind_phrase(input->kind)),
			 errdetail("At training the column had type %s.", input->type_name),
			 errhint("Cast the column to %s.", input->type_name)));
}

/* ---- matching ---- */

/* Columns by name: open addressing, at most half full; equal names lie in one run of slots. */
typedef struct NameTable
{
	uint32		mask;
	const RowColumn **slot;
} NameTable;

static void
index_names(NameTable *table, const RowColumn *columns, int ncolumns)
{
	table->mask = pg_nextpower2_32(2 * Max(ncolumns, 1)) - 1;
	table->slot = palloc0((table->mask + 1) * sizeof(RowColumn *));
	for (int i = 0; i < ncolumns; i++)
	{
		uint32		at = hash_bytes((const unsigned char *) columns[i].name, columns[i].length) & table->mask;

		while (table->slot[at] != NULL)
			at = (at + 1) & table->mask;
		table->slot[at] = &columns[i];
	}
}

/* The column of a name; NULL where there is none. */
static const RowColumn *
find_column(const char *origin, const NameTable *table, const char *name)
{
	const RowColumn *found = NULL;
	int			length = strlen(name);

	for (uint32 at = hash_bytes((const unsigned char *) name, length) & table->mask; table->slot[at] != NULL; at = (at + 1) & table->mask)
	{
		const RowColumn *column = table->slot[at];

		if (column->length != length || memcmp(column->name, name, length) != 0)
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the row has several columns \"%s\", which %s needs", name, origin),
					 errhint("Name the columns of the row apart.")));
		found = column;
	}
	return found;
}

/* The kind of the built-in types by the names format_type_be gives them. */
static const struct
{
	const char *name;
	ColumnKind	kind;
}			builtin_types[] =
{
	{"smallint", KIND_NUMBER},
	{"integer", KIND_NUMBER},
	{"bigint", KIND_NUMBER},
	{"real", KIND_NUMBER},
	{"double precision", KIND_NUMBER},
	{"numeric", KIND_NUMBER},
	{"boolean", KIND_BOOLEAN},
	{"text", KIND_CATEGORY},
	{"character varying", KIND_CATEGORY},
	{"character", KIND_CATEGORY},
	{"uuid", KIND_CATEGORY},
	{"date", KIND_TIMESTAMP},
	{"timestamp without time zone", KIND_TIMESTAMP},
	{"timestamp with time zone", KIND_TIMESTAMP},
};

bool
binding_trained_on(const InputColumn *input, ColumnKind kind)
{
	for (size_t i = 0; i < lengthof(builtin_types); i++)
	{
		if (strcmp(builtin_types[i].name, input->type_name) == 0)
			return builtin_types[i].kind == kind;
	}
	return false;
}

/*
 * Training may have been told to read a column as another kind (text as numbers, integers as categories); a column that still has the kind of type it
 * had then is read the same way.
 */
static bool
reads_as_trained(const InputColumn *input, Oid type, ColumnKind found)
{
	return found == input->kind || binding_trained_on(input, found) || strcmp(format_type_be_qualified(type), input->type_name) == 0;
}

/* Prepare reading a column for an input, in the current memory context; NULL where its type does not fit. */
static CellReader *
open_reader(const InputColumn *input, Oid type, pg_tz *zone)
{
	CellReader *reader;
	ColumnKind	found;

	if (!kind_of_type(type, &found) || !reads_as_trained(input, type, found))
		return NULL;
	reader = palloc(sizeof(CellReader));
	if (!cell_reader_init(reader, type, input->kind, zone))
		return NULL;
	reader->column = input->name;
	return reader;
}

static void
bind_input(InputBinding *binding, int i, const RowColumn *column, const char *origin)
{
	const InputColumn *input = &binding->model->features->inputs[i];
	BoundInput	bound = {i, column != NULL ? column->attribute : -1};

	if (column != NULL && column->type == FLOAT8OID && input->kind == KIND_NUMBER)
	{
		binding->direct[binding->ndirect++] = bound;
		return;
	}
	binding->other[binding->nothers++] = bound;
	if (column == NULL || column->type == UNKNOWNOID)
		return;
	binding->reader[i] = open_reader(input, column->type, binding->model->features->zone);
	if (binding->reader[i] == NULL)
		wrong_kind(origin, input, column->type);
}

InputBinding *
binding_match(const Model *model, const char *origin, const RowColumn *columns, int ncolumns, MemoryContext context)
{
	const Features *features = model->features;
	int			ninputs = Max(features->ninputs, 1);
	NameTable	table;
	MemoryContext old;
	InputBinding *binding;

	index_names(&table, columns, ncolumns);
	old = MemoryContextSwitchTo(context);
	binding = palloc0(sizeof(InputBinding));
	binding->model = model;
	binding->direct = palloc(ninputs * sizeof(BoundInput));
	binding->other = palloc(ninputs * sizeof(BoundInput));
	binding->reader = palloc0(ninputs * sizeof(CellReader *));
	for (int i = 0; i < features->ninputs; i++)
	{
		const InputColumn *input = &features->inputs[i];
		const RowColumn *column = input->used ? find_column(origin, &table, input->name) : NULL;

		if (input->used && column == NULL)
			binding_missing(origin, input, name_hint(columns, ncolumns));
		bind_input(binding, i, column, origin);
	}
	MemoryContextSwitchTo(old);
	pfree(table.slot);
	return binding;
}

InputBinding *
binding_create(const Model *model, const char *origin, TupleDesc tupdesc, MemoryContext context)
{
	RowColumn  *columns = palloc(Max(tupdesc->natts, 1) * sizeof(RowColumn));
	int			ncolumns = 0;
	InputBinding *binding;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		columns[ncolumns].name = NameStr(attribute->attname);
		columns[ncolumns].length = strlen(NameStr(attribute->attname));
		columns[ncolumns].type = attribute->atttypid;
		columns[ncolumns].attribute = i;
		ncolumns++;
	}
	binding = binding_match(model, origin, columns, ncolumns, context);
	pfree(columns);
	return binding;
}

/* ---- reading ---- */

static inline bool
holds_text(const InputColumn *input)
{
	return input->kind == KIND_CATEGORY || input->kind == KIND_TEXT;
}

/* Levels the model does not know, and those it found too rare, share the code after the last.  Texts are kept until their row has been prepared. */
static double
text_cell(const InputColumn *input, const char *text, int length)
{
	int			code;

	if (input->kind == KIND_TEXT)
		return dictionary_add(input->levels, text, Min(length, TEXT_BYTES));
	code = dictionary_find(input->levels, text, length);
	return code >= 0 ? code : dictionary_size(input->levels);
}

bool
binding_parse(const Model *model, int input, const char *text, int length, double *cell)
{
	const InputColumn *column = &model->features->inputs[input];
	char	   *copy;
	bool		read;

	if (holds_text(column))
	{
		if (strcmp(column->type_name, "character") == 0)
			while (length > 0 && text[length - 1] == ' ')
				length--;			/* padding, which rows of the column itself are read without */
		*cell = text_cell(column, text, length);
		return true;
	}
	copy = pnstrdup(text, length);
	read = cell_parse(column->kind, model->features->zone, copy, cell);
	pfree(copy);
	if (read || !binding_trained_on(column, KIND_CATEGORY))
		return read;
	*cell = NAN;				/* a text column read as numbers: what is no number is missing, as it was at training */
	return true;
}

void
binding_unreadable(const Model *model, const char *origin, int input, const char *text, int length)
{
	const InputColumn *column = &model->features->inputs[input];

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("column \"%s\" holds \"%.*s\", but %s takes %s there", column->name,
					pg_mbcliplen(text, length, SHOWN_BYTES), text, origin, kind_phrase(column->kind)),
			 errdetail("At training the column had type %s.", column->type_name)));
}

static double
read_cell(const InputBinding *binding, int i, Datum value)
{
	const InputColumn *input = &binding->model->features->inputs[i];
	const char *text;
	int			length;

	if (!holds_text(input))
		return cell_number(binding->reader[i], value);
	text = cell_text(binding->reader[i], value, &length);
	return text_cell(input, text, length);
}

/*
 * Values and null flags lie step bytes apart: two arrays, or one of NullableDatum.  The callers' constant steps make two tight loops of this.
 */
static inline void
read_cells(const InputBinding *binding, const char *values, Size value_step, const char *nulls, Size null_step, double *cells)
{
#define VALUE(i) (*(const Datum *) (values + (i) * value_step))
#define IS_NULL(i) (*(const bool *) (nulls + (i) * null_step))

	for (int k = 0; k < binding->ndirect; k++)
	{
		const BoundInput *bound = &binding->direct[k];

		/* + 0.0 makes 0 of -0, as cell_number does */
		cells[bound->input] = IS_NULL(bound->attribute) ? NAN : DatumGetFloat8(VALUE(bound->attribute)) + 0.0;
	}
	for (int k = 0; k < binding->nothers; k++)
	{
		const BoundInput *bound = &binding->other[k];

		if (bound->attribute < 0 || IS_NULL(bound->attribute))
			cells[bound->input] = NAN;
		else
			cells[bound->input] = read_cell(binding, bound->input, VALUE(bound->attribute));
	}
#undef VALUE
#undef IS_NULL
}

void
binding_read(const InputBinding *binding, const Datum *values, const bool *nulls, double *cells)
{
	read_cells(binding, (const char *) values, sizeof(Datum), (const char *) nulls, sizeof(bool), cells);
}

void
binding_read_arguments(const InputBinding *binding, const NullableDatum *arguments, double *cells)
{
	read_cells(binding, (const char *) &arguments->value, sizeof(NullableDatum), (const char *) &arguments->isnull, sizeof(NullableDatum), cells);
}
