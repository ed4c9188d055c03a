/*
 * dictionary.h
 *		A growing set of distinct texts numbered 0, 1, 2...; the codes of a category column.
 */
#ifndef RELEARN_CORE_DICTIONARY_H
#define RELEARN_CORE_DICTIONARY_H

typedef struct Dictionary Dictionary;

extern Dictionary *dictionary_create(MemoryContext context);

/*
 * One that remembers only the last nplaces texts (a power of 2), for texts that pass by: each that is added gets a code of its own and takes the place of
 * the oldest.  The code of a text gone by leads to the empty text.  Finding, sorting and the size mean nothing here.
 */
extern Dictionary *dictionary_passing(MemoryContext context, int nplaces);

extern int	dictionary_add(Dictionary *d, const char *text, int length);	/* the code; a new one when the text is new */
extern int	dictionary_find(const Dictionary *d, const char *text, int length);	/* the code or -1 */
extern int	dictionary_size(const Dictionary *d);
extern Size dictionary_memory(const Dictionary *d);
extern const char *dictionary_text(const Dictionary *d, int code);	/* NUL-terminated, owned by the dictionary */
extern int	dictionary_length(const Dictionary *d, int code);
extern uint64 dictionary_hash(const Dictionary *d, int code);	/* hash_text of the level, seed 0 */

/* Renumber bytewise (memcmp, shorter first); returns palloc'd old code -> new code. */
extern int *dictionary_sort(Dictionary *d);

#endif
