/*
 * dictionary.h
 *		A growing set of distinct texts numbered 0, 1, 2...; the codes of a category column.
 */
#ifndef RELEARN_CORE_DICTIONARY_H
#define RELEARN_CORE_DICTIONARY_H

typedef struct Dictionary Dictionary;

extern Dictionary *dictionary_create(MemoryContext context);
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
