/*
 * text_sketch.c
 *		Sketches of texts: counters with the texts' beginnings in a heap, and tallies of what the texts read as.
 *
 * Two texts are taken to be the same where their 64-bit hashes are.
 */
#include "postgres.h"

#include "core/hash.h"
#include "mb/pg_wchar.h"

#include "profile/profile_internal.h"

#define FIRST_HEAP 512

TextSketch *
text_new(int capacity, int heap_capacity, bool exact)
{
	TextSketch *s = state_new(&sketch_kind, TEXT_FIXED + frequent_size(capacity) + (exact ? 0 : HLL_REGISTERS) + heap_capacity);

	s->base.kind = KIND_CATEGORY;
	s->base.exact = exact;
	s->heap_capacity = heap_capacity;
	s->shortest = -1;
	s->longest = -1;
	frequent_init(text_frequent(s), capacity);
	return s;
}

/* ---- growing and purging ---- */

/* A copy with more room. */
static TextSketch *
resized(const TextSketch *s, int capacity, int heap_capacity, bool exact)
{
	TextSketch *wide = text_new(capacity, heap_capacity, exact);
	int32		length = wide->base.header.vl_len_;

	memcpy(wide, s, sizeof(TextSketch));
	wide->base.header.vl_len_ = length;
	wide->base.exact = exact;
	wide->heap_capacity = heap_capacity;
	frequent_move(text_frequent(wide), text_frequent(s));
	memcpy(text_heap(wide), text_heap(s), s->heap_used);
	if (!exact && !s->base.exact)
		memcpy(text_registers(wide), text_registers(s), HLL_REGISTERS);
	return wide;
}

static TextSketch *
approximate(const TextSketch *s)
{
	TextSketch *rough = resized(s, TEXT_MOST_SLOTS, TEXT_MOST_HEAP, false);
	const Frequent *frequent = text_frequent(rough);

	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count != 0)
			hll_add(text_registers(rough), frequent->counter[i].key);
	return rough;
}

/* Give up half of the counters and close the gaps in the heap. */
static void
purge(TextSketch *s)
{
	Frequent   *frequent = text_frequent(s);
	char	   *heap = palloc(Max(s->heap_used, 1));
	int			used = 0;

	frequent_purge(frequent);
	memcpy(heap, text_heap(s), s->heap_used);
	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count != 0)
		{
			const TextEntry *entry = (TextEntry *) (heap + frequent->counter[i].payload);
			Size		size = text_entry_size(entry->bytes);

			memcpy(text_heap(s) + used, entry, size);
			frequent->counter[i].payload = used;
			used += size;
		}
	s->heap_used = used;
	pfree(heap);
}

/* Room for one more text. */
static TextSketch *
make_room(TextSketch *s, Size size, const TextSketch *first)
{
	TextSketch *old = s;
	int			capacity = text_frequent(s)->capacity;
	bool		full = frequent_full(text_frequent(s));
	bool		heap_full = (Size) s->heap_capacity - s->heap_used < size;

	if (!full && !heap_full)
		return s;
	if (full && capacity == TEXT_MOST_SLOTS)
	{
		if (s->base.exact)
			s = approximate(s);
		purge(s);
	}
	else
		s = resized(s, full ? 2 * capacity : capacity, heap_full ? Min(2 * s->heap_capacity + (int) size, (int) TEXT_MOST_HEAP) : s->heap_capacity,
					s->base.exact);
	if (s != old && old != first)
		pfree(old);
	return s;
}

/* ---- tallies ---- */

static void
count_format(TextSketch *s, int64 format, int64 count)
{
	for (int i = 0; i < TEXT_FORMATS; i++)
		if (s->format[i].format == format || s->format[i].format == 0)
		{
			s->format[i].format = format;
			s->format[i].count += count;
			return;
		}
	s->other_formats += count;
}

static void
count_sentinel(TextSketch *s, const char *text, int64 count)
{
	char		start[TEXT_SENTINEL_BYTES] = {0};

	memcpy(start, text, pg_mbcliplen(text, (int) strlen(text), TEXT_SENTINEL_BYTES - 1));
	for (int i = 0; i < TEXT_SENTINELS; i++)
		if (s->sentinel[i].count == 0 || strcmp(s->sentinel[i].text, start) == 0)
		{
			memcpy(s->sentinel[i].text, start, TEXT_SENTINEL_BYTES);
			s->sentinel[i].count += count;
			return;
		}
}

static void
tally(TextSketch *s, const TextForm *form, const char *text)
{
	s->base.header.n++;
	s->characters += form->characters;
	s->shortest = s->shortest < 0 ? form->characters : Min(s->shortest, form->characters);
	s->longest = Max(s->longest, form->characters);
	if (form->what == 0)
		return;
	s->empty += (form->what & TEXT_EMPTY) != 0;
	s->sentinels += (form->what & TEXT_SENTINEL) != 0;
	if (form->what & (TEXT_EMPTY | TEXT_SENTINEL))
		count_sentinel(s, text, 1);
	s->as_number += (form->what & TEXT_NUMBER) != 0;
	s->as_date += (form->what & TEXT_DATE) != 0;
	s->as_timestamp += (form->what & TEXT_TIMESTAMP) != 0;
	s->as_time += (form->what & TEXT_TIME) != 0;
	if (form->format != 0)
		count_format(s, form->format, 1);
}

/* ---- texts ---- */

/* A text that has no counter yet. */
static TextSketch *
add_entry(TextSketch *s, uint64 hash, int64 count, const TextForm *form, const char *text, int bytes, bool cut, const TextSketch *first)
{
	Size		size = text_entry_size(bytes);
	TextEntry  *entry;

	s = make_room(s, size, first);
	entry = (TextEntry *) (text_heap(s) + s->heap_used);
	memset(entry, 0, size);
	entry->form = *form;
	entry->bytes = bytes;
	entry->cut = cut;
	memcpy(entry->text, text, bytes);
	frequent_fill(text_frequent(s), frequent_find(text_frequent(s), hash), hash, count, s->heap_used);
	s->heap_used += (int) size;
	return s;
}

Sketch *
sketch_add_text(Sketch *sketch, const char *text, int length)
{
	return sketch_add_hashed_text(sketch, text, length, hash_text(text, length, 0));
}

Sketch *
sketch_add_hashed_text(Sketch *sketch, const char *text, int length, uint64 hash)
{
	TextSketch *s = (TextSketch *) sketch;
	Counter    *counter = frequent_find(text_frequent(s), hash);

	if (counter->count != 0)
	{
		counter->count++;
		tally(s, &text_entry(s, counter)->form, text_entry(s, counter)->text);
	}
	else
	{
		TextForm	form;
		int			bytes = length <= TEXT_KEPT ? length : pg_mbcliplen(text, length, TEXT_KEPT);

		text_form(text, length, &form);
		s = add_entry(s, hash, 1, &form, text, bytes, bytes < length, s);
		tally(s, &form, text_entry(s, frequent_find(text_frequent(s), hash))->text);
	}
	if (!s->base.exact)
		hll_add(text_registers(s), hash);
	return &s->base;
}

/* ---- merging ---- */

static void
merge_tallies(TextSketch *s, const TextSketch *other)
{
	s->empty += other->empty;
	s->sentinels += other->sentinels;
	s->characters += other->characters;
	s->as_number += other->as_number;
	s->as_date += other->as_date;
	s->as_timestamp += other->as_timestamp;
	s->as_time += other->as_time;
	if (other->shortest >= 0)
		s->shortest = s->shortest < 0 ? other->shortest : Min(s->shortest, other->shortest);
	s->longest = Max(s->longest, other->longest);
	for (int i = 0; i < TEXT_FORMATS && other->format[i].format != 0; i++)
		count_format(s, other->format[i].format, other->format[i].count);
	s->other_formats += other->other_formats;
	for (int i = 0; i < TEXT_SENTINELS && other->sentinel[i].count > 0; i++)
		count_sentinel(s, other->sentinel[i].text, other->sentinel[i].count);
}

TextSketch *
text_merge(TextSketch *s, const TextSketch *other)
{
	const TextSketch *first = s;
	const Frequent *more = text_frequent(other);

	merge_tallies(s, other);
	if (s->base.exact && !other->base.exact)
		s = approximate(s);
	for (int i = 0; i < more->capacity; i++)
	{
		const Counter *from = &more->counter[i];
		Counter    *to = frequent_find(text_frequent(s), from->key);

		if (from->count != 0 && to->count != 0)
			to->count += from->count;
		else if (from->count != 0)
		{
			const TextEntry *entry = text_entry(other, from);

			s = add_entry(s, from->key, from->count, &entry->form, entry->text, entry->bytes, entry->cut, first);
		}
		if (from->count != 0 && !s->base.exact && other->base.exact)
			hll_add(text_registers(s), from->key);
	}
	if (!other->base.exact)
		hll_merge(text_registers(s), text_registers(other));
	text_frequent(s)->error += more->error;
	return s;
}

/* ---- text and binary form: the tallies, then the counters in the order of their counts and keys ---- */

void
text_write(const TextSketch *s, ByteWriter *w)
{
	const Frequent *frequent = text_frequent(s);
	Counter    *counter = frequent_sorted(frequent);
	const int64 tallies[] = {s->empty, s->sentinels, s->characters, s->as_number, s->as_date, s->as_timestamp, s->as_time,
		s->shortest, s->longest, s->other_formats, frequent->error};

	for (int i = 0; i < (int) lengthof(tallies); i++)
		put_u64(w, (uint64) tallies[i]);
	for (int i = 0; i < TEXT_FORMATS; i++)
	{
		put_u16(w, (uint16) s->format[i].format);
		put_u64(w, (uint64) s->format[i].count);
	}
	for (int i = 0; i < TEXT_SENTINELS; i++)
	{
		put_u64(w, (uint64) s->sentinel[i].count);
		put_text(w, s->sentinel[i].text);
	}
	put_u32(w, (uint32) frequent->used);
	for (int i = 0; i < frequent->used; i++)
	{
		const TextEntry *entry = text_entry(s, &counter[i]);

		put_u64(w, counter[i].key);
		put_u64(w, (uint64) counter[i].count);
		put_u32(w, (uint32) entry->form.characters);
		put_u16(w, entry->form.format);
		put_u16(w, entry->form.what);
		put_u8(w, (uint8) entry->cut);
		put_text(w, entry->text);
	}
	if (!s->base.exact)
		put_bytes(w, text_registers(s), HLL_REGISTERS);
	pfree(counter);
}

static int32
get_length(ByteReader *r)
{
	uint64		length = get_u64(r);

	if (length > PG_INT32_MAX && length != PG_UINT64_MAX)
		damaged(r, "A length is out of range.");
	return (int32) length;
}

static void
read_sentinel(ByteReader *r, TextSketch *s, int64 n, int i)
{
	int64		count = get_tally(r, n);
	const char *text = get_text(r);

	if (text == NULL || strlen(text) >= TEXT_SENTINEL_BYTES || (i > 0 && count > 0 && s->sentinel[i - 1].count == 0))
		damaged(r, "A stand-in for a missing value is out of range.");
	s->sentinel[i].count = count;
	strlcpy(s->sentinel[i].text, text, TEXT_SENTINEL_BYTES);
}

static void
read_tallies(ByteReader *r, TextSketch *s, int64 n)
{
	s->empty = get_tally(r, n);
	s->sentinels = get_tally(r, n);
	s->characters = get_tally(r, PG_INT64_MAX);
	s->as_number = get_tally(r, n);
	s->as_date = get_tally(r, n);
	s->as_timestamp = get_tally(r, n);
	s->as_time = get_tally(r, n);
	s->shortest = get_length(r);
	s->longest = get_length(r);
	s->other_formats = get_tally(r, n);
	text_frequent(s)->error = get_tally(r, n);
	for (int i = 0; i < TEXT_FORMATS; i++)
	{
		s->format[i].format = get_u16(r);
		s->format[i].count = get_tally(r, n);
		if (s->format[i].format >= TEXT_FORMAT_LIMIT || (s->format[i].format == 0) != (s->format[i].count == 0) ||
			(i > 0 && s->format[i].format != 0 && s->format[i - 1].format == 0))
			damaged(r, "A format is out of range.");
	}
	for (int i = 0; i < TEXT_SENTINELS; i++)
		read_sentinel(r, s, n, i);
	if ((n == 0) != (s->shortest < 0) || s->shortest > s->longest)
		damaged(r, "The lengths of its texts contradict each other.");
}

static TextSketch *
read_counter(ByteReader *r, TextSketch *s, int64 n)
{
	uint64		key = get_u64(r);
	int64		count = get_tally(r, n);
	TextForm	form;
	bool		cut;
	const char *text;
	int			bytes;

	form.characters = (int32) get_u32(r);
	form.format = get_u16(r);
	form.what = get_u16(r);
	cut = get_u8(r) != 0;
	text = get_text(r);
	if (text == NULL || form.characters < 0 || form.format >= TEXT_FORMAT_LIMIT || form.what > TEXT_TIME)
		damaged(r, "A text is out of range.");
	if (count == 0 || frequent_find(text_frequent(s), key)->count != 0)
		damaged(r, "A text occurs twice or never.");
	bytes = pg_mbcliplen(text, (int) strlen(text), TEXT_KEPT);	/* longer where it comes from a server of another encoding */
	return add_entry(s, key, count, &form, text, bytes, cut || text[bytes] != '\0', NULL);
}

TextSketch *
text_read(ByteReader *r, bool exact, int64 n)
{
	TextSketch *s = exact ? text_new(TEXT_FEWEST_SLOTS, FIRST_HEAP, true) : text_new(TEXT_MOST_SLOTS, TEXT_MOST_HEAP, false);
	int64		total = 0;
	uint32		used;

	read_tallies(r, s, n);
	used = get_count(r, 8, TEXT_MOST_SLOTS / 2);
	for (uint32 i = 0; i < used; i++)
		s = read_counter(r, s, n);
	for (int i = 0; i < text_frequent(s)->capacity; i++)
		total += text_frequent(s)->counter[i].count;
	if (total > n || (exact && total != n) || (exact && text_frequent(s)->error != 0))
		damaged(r, "Its counts do not add up.");
	if (!exact)
	{
		memcpy(text_registers(s), get_bytes(r, HLL_REGISTERS), HLL_REGISTERS);
		for (int i = 0; i < HLL_REGISTERS; i++)
			if (text_registers(s)[i] > HLL_HIGHEST)
				damaged(r, "A register is out of range.");
	}
	return s;
}

/* ---- statistics ---- */

void
text_statistics(const TextSketch *s, SketchStatistics *statistics)
{
	FormatCount formats[TEXT_FORMATS];
	int64		n = s->base.header.n;

	statistics->empty = s->empty;
	statistics->sentinels = s->sentinels;
	statistics->shortest = s->shortest;
	statistics->longest = s->longest;
	statistics->mean_length = n > 0 ? (double) s->characters / (double) n : statistics->mean;
	statistics->as_number = s->as_number;
	statistics->as_date = s->as_date;
	statistics->as_timestamp = s->as_timestamp;
	statistics->as_time = s->as_time;
	statistics->nformats = text_formats(s, formats) + (s->other_formats > 0);
	statistics->distinct = s->base.exact ? text_frequent(s)->used : hll_estimate(text_registers(s));
}

static int
compare_top(const void *a, const void *b)
{
	const TopValue *x = a;
	const TopValue *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->text, y->text);
}

TopValue *
text_top(const TextSketch *s, int most, int *count, int64 *error)
{
	const Frequent *frequent = text_frequent(s);
	TopValue   *top = palloc0(sizeof(TopValue) * Max(frequent->used, 1));
	int			n = 0;

	*error = frequent->error;
	for (int i = 0; i < frequent->capacity; i++)
		if (frequent->counter[i].count > frequent->error)
		{
			const TextEntry *entry = text_entry(s, &frequent->counter[i]);

			top[n].text = entry->cut ? psprintf("%s...", entry->text) : entry->text;
			top[n].cut = entry->cut;
			top[n++].count = frequent->counter[i].count;
		}
	qsort(top, n, sizeof(TopValue), compare_top);
	*count = Min(n, most);
	return top;
}

TopValue *
text_sentinels(const TextSketch *s, int *count)
{
	TopValue   *found = palloc0(sizeof(TopValue) * TEXT_SENTINELS);
	int			n = 0;

	for (; n < TEXT_SENTINELS && s->sentinel[n].count > 0; n++)
		found[n] = (TopValue) {.text = s->sentinel[n].text,.count = s->sentinel[n].count};
	qsort(found, n, sizeof(TopValue), compare_top);
	*count = n;
	return found;
}
