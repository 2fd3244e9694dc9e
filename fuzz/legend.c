/*
 * legend.c: any bytes as the table of label values beside label maps (labels.json): refused, taken for somebody else's, or read; and what was
 * read can be written and reads as the same.
 */
#include "fuzz.h"
#include "place.h"

#include "predict/legend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hy_legend l, again;
	bool found = false, made;
	hardy_error err;
	place_kept("in/labels.json", data, size);
	if (hy_legend_read(place_path("in"), &l, &found, &err) || !found)
		return 0;
	place_kept("out/.keep", "", 0); /* makes the folder */
	if (hy_legend_write(place_path("out/labels"), &l, true, &made, &err) ||
	    hy_legend_read(place_path("out"), &again, &found, &err) || !found || again.n != l.n) {
		fprintf(stderr, "what was read does not survive writing: %s\n", err.message);
		abort();
	}
	for (int i = 0; i < l.n; i++)
		if (l.classes[i].value != again.classes[i].value)
			abort();
	hy_legend_clear(&l);
	hy_legend_clear(&again);
	return 0;
}
