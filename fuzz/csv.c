/*
 * csv.c: any bytes as a table: every row ends, its fields lie one behind the other within the text, and lines are counted upwards.
 */
#include "fuzz.h"
#include "place.h"

#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = place_text(data, size), *fields[ROOM], *behind = text;
	int line = 0;
	hy_csv c = hy_csv_begin(text);
	for (size_t n; (n = hy_csv_row(&c, fields, ROOM));) {
		for (size_t i = 0; i < n && i < ROOM; i++) {
			if (fields[i] < behind || fields[i] + strlen(fields[i]) > text + size)
				abort();
			behind = fields[i] + strlen(fields[i]);
		}
		if (c.line <= line || c.at > text + size)
			abort();
		line = c.line;
	}
	free(text);
	return 0;
}
