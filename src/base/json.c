/*
 * json.c: reading a JSON file whole.
 */
#include "base/json.h"

#include "base/files.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

hardy_status hy_json_read(const char *path, cJSON **out, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	const hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(text, size, &end, 0);
	if (!json) {
		int line = 1;
		for (const char *p = text; end && p < end && p < text + size; p++)
			line += *p == '\n';
		hy_free(text);
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %d: not valid JSON", path, line);
	}
	hy_free(text);
	*out = json;
	return HARDY_OK;
}

bool hy_json_add(cJSON *object, const char *name, cJSON *item)
{
	if (item && object && cJSON_AddItemToObject(object, name, item))
		return true;
	cJSON_Delete(item);
	return false;
}

double hy_json_number(const cJSON *object, const char *name, double other)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(item) ? item->valuedouble : other;
}

cJSON *hy_json_real(double value)
{
	char text[32];
	if (!isfinite(value))
		return cJSON_CreateNull();
	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	return cJSON_CreateRaw(text);
}
