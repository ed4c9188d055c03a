/*
 * json_type.h
 *		What a JSON value is, for messages.
 */
#ifndef RELEARN_CORE_JSON_TYPE_H
#define RELEARN_CORE_JSON_TYPE_H

#include "utils/jsonb.h"

extern const char *json_type_name(const JsonbValue *value);	/* "a number" */

#endif
