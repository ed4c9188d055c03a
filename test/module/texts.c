/*
 * texts.c
 *		Hashes, dictionaries, bytes and budgets, for SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/budget.h"
#include "core/bytes.h"
#include "core/dictionary.h"
#include "core/hash.h"

PG_FUNCTION_INFO_V1(core_hash);
PG_FUNCTION_INFO_V1(core_hash_unit);
PG_FUNCTION_INFO_V1(core_dictionary);
PG_FUNCTION_INFO_V1(core_dictionary_find);
PG_FUNCTION_INFO_V1(core_dictionary_sorted);
PG_FUNCTION_INFO_V1(core_bytes_write);
PG_FUNCTION_INFO_V1(core_bytes_read);
PG_FUNCTION_INFO_V1(core_budget);

/* ---- hash ---- */

Datum
core_hash(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_INT64((int64) hash_text(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), (uint64) PG_GETARG_INT64(1)));
}

Datum
core_hash_unit(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(hash_unit((uint64) PG_GETARG_INT64(0)));
}

/* ---- dictionary ---- */

static Dictionary *
dictionary_of(ArrayType *array, int *code, int *n)
{
	Dictionary *dictionary = dictionary_create(CurrentMemoryContext);
	Datum	   *element;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &element, NULL, n);
	for (int i = 0; i < *n; i++)
	{
		text	   *word = DatumGetTextPP(element[i]);
		int			here = dictionary_add(dictionary, VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word));

		if (code != NULL)
			code[i] = here;
	}
	return dictionary;
}

/* The codes of the texts, added one after the other. */
Datum
core_dictionary(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	int		   *code = palloc(sizeof(int) * Max(n, 1));
	Datum	   *datum = palloc(sizeof(Datum) * Max(n, 1));

	dictionary_of(array, code, &n);
	for (int i = 0; i < n; i++)
		datum[i] = Int32GetDatum(code[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(datum, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* The code of a text in the sorted dictionary of the others; -1 where it is not among them. */
Datum
core_dictionary_find(PG_FUNCTION_ARGS)
{
	text	   *word = PG_GETARG_TEXT_PP(1);
	int			n;
	Dictionary *dictionary = dictionary_of(PG_GETARG_ARRAYTYPE_P(0), NULL, &n);

	dictionary_sort(dictionary);
	PG_RETURN_INT32(dictionary_find(dictionary, VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word)));
}

/* The levels in their order after sorting; the map from the old codes is checked on the way. */
Datum
core_dictionary_sorted(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			n;
	Dictionary *before = dictionary_of(array, NULL, &n);
	Dictionary *after = dictionary_of(array, NULL, &n);
	int		   *new_code = dictionary_sort(after);
	int			size = dictionary_size(after);
	Datum	   *datum = palloc(sizeof(Datum) * Max(size, 1));

	for (int code = 0; code < size; code++)
	{
		const char *level = dictionary_text(after, code);

		datum[code] = CStringGetTextDatum(level);
		if (strcmp(dictionary_text(before, code), dictionary_text(after, new_code[code])) != 0 ||
			dictionary_find(after, level, dictionary_length(after, code)) != code ||
			dictionary_hash(after, code) != hash_text(level, strlen(level), 0))
			elog(ERROR, "the dictionary is inconsistent at code %d", code);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(datum, size, TEXTOID, -1, false, TYPALIGN_INT));
}

/* ---- bytes ---- */

/* One of each: u8, u16, u32, u64, f64, text, NULL text, count and elements. */
Datum
core_bytes_write(PG_FUNCTION_ARGS)
{
	ByteWriter	w;

	initStringInfo(&w);
	put_u8(&w, 0xfe);
	put_u16(&w, 0x0102);
	put_u32(&w, 0x01020304);
	put_u64(&w, UINT64CONST(0x0102030405060708));
	put_f64(&w, PG_GETARG_FLOAT8(0));
	put_text(&w, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	put_text(&w, NULL);
	put_u32(&w, 2);
	put_u16(&w, 7);
	put_u16(&w, 8);
	PG_RETURN_BYTEA_P(cstring_to_text_with_len(w.data, w.len));
}

/* What core_bytes_write wrote, in words. */
Datum
core_bytes_read(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	const uint8 *data = (const uint8 *) VARDATA_ANY(bytes);
	ByteReader	r = {data, data + VARSIZE_ANY_EXHDR(bytes), "the sample", NULL};
	StringInfoData words;
	char	   *text;

	initStringInfo(&words);
	appendStringInfo(&words, "%x ", get_u8(&r));
	appendStringInfo(&words, "%x ", get_u16(&r));
	appendStringInfo(&words, "%x ", get_u32(&r));
	appendStringInfo(&words, "%llx ", (unsigned long long) get_u64(&r));
	appendStringInfo(&words, "%g ", get_finite(&r));
	text = get_text(&r);
	appendStringInfo(&words, "%s ", text == NULL ? "(null)" : text);
	text = get_text(&r);
	appendStringInfo(&words, "%s ", text == NULL ? "(null)" : text);
	for (uint32 left = get_count(&r, sizeof(uint16), 100); left > 0; left--)
		appendStringInfo(&words, "%d ", get_u16(&r));
	if (!reader_at_end(&r))
		damaged(&r, "%d bytes are left over.", (int) (r.end - r.at));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(words.data, words.len - 1));
}

/* ---- budget ---- */

/* Take one after the other from a limit; what is used at the end. */
Datum
core_budget(PG_FUNCTION_ARGS)
{
	Budget		budget = {.limit = (Size) PG_GETARG_INT64(0)};
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const int64 *taken = (const int64 *) ARR_DATA_PTR(array);

	for (int i = 0; i < n; i++)
		budget_take(&budget, size_times((Size) taken[i], PG_GETARG_INT64(2)), "the sample");
	PG_RETURN_INT64((int64) budget.used);
}
