/*
 * json.c: any bytes as a JSON file: refused with a line, or read and printed as valid JSON that reads again.
 */
#include "fuzz.h"
#include "place.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *json = NULL;
	hardy_error err = {0};
	if (hy_json_read(place_kept("a.json", data, size), &json, &err)) {
		if (!strstr(err.message, "a.json: line "))
			abort();
		return 0;
	}
	char *text = hy_json_print(json, size % 2);
	cJSON *again = text ? cJSON_Parse(text) : NULL;
	if (!again)
		abort();
	hy_json_bytes(text);
	cJSON_free(text);
	cJSON_Delete(again);
	cJSON_Delete(json);
	return 0;
}
