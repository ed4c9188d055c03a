/*
 * json_number.h
 *		A number as JSON text: the fewest digits that read back as the same float, whatever the session's settings.
 */
#ifndef RELEARN_CORE_JSON_NUMBER_H
#define RELEARN_CORE_JSON_NUMBER_H

#include "lib/stringinfo.h"

extern void json_append_number(StringInfo out, double value);	/* null where not finite: JSON has no NaN and no infinity */

#endif
