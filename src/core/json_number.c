/*
 * json_number.c
 *		A number as JSON text.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"

#include "core/json_number.h"

void
json_append_number(StringInfo out, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(out, digits);
}
