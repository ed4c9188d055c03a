/*
 * json_internal.h
 *		Reading JSON that may hold anything.
 */
#ifndef RELEARN_EXCHANGE_JSON_INTERNAL_H
#define RELEARN_EXCHANGE_JSON_INTERNAL_H

#include "utils/jsonb.h"

#include "exchange_internal.h"

/* An object or an array, and the way to it for messages: "learner.objective." */
typedef struct JsonPlace
{
	const ForeignModel *model;
	const char *path;
	JsonbContainer *container;
} JsonPlace;

extern JsonPlace json_parse_text(const ForeignModel *m, const char *text);

/* Members of an object; an error where they are missing or of another type. */
extern JsonPlace json_get_object(const JsonPlace *place, const char *key);
extern JsonPlace json_get_array(const JsonPlace *place, const char *key);
extern char *json_get_string(const JsonPlace *place, const char *key);
extern int	json_get_int(const JsonPlace *place, const char *key, int low, int high);
extern double *json_get_numbers(const JsonPlace *place, const char *key, int expected);	/* truth values are 0 and 1; expected < 0: any count */
extern int *json_get_ints(const JsonPlace *place, const char *key, int expected, int low, int high);

extern bool json_has(const JsonPlace *place, const char *key);
extern int	json_count(const JsonPlace *place, const char *key);	/* elements of an array; 0 where it is missing */

/* Elements of an array one after the other. */
extern int	json_length(const JsonPlace *array);
extern JsonbIterator *json_begin(const JsonPlace *array, JsonbValue *value);
extern bool json_next(JsonbIterator **it, JsonbValue *value);
extern JsonPlace json_get_element(const JsonPlace *array, const JsonbValue *value, int index, bool is_array);

/* A numeric as a double; a scalar as the text a column of its type is read as, NULL where it has none. */
extern double json_get_number(const JsonbValue *value);
extern char *json_get_scalar_text(const JsonbValue *value);

/* Texts of a column's codes from an array of scalars. */
extern void foreign_set_levels(ForeignModel *m, int column, const JsonPlace *levels);

#endif
