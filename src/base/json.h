/*
 * json.h: reading a JSON file whole (cJSON does the parsing).
 */
#ifndef HY_BASE_JSON_H
#define HY_BASE_JSON_H

#include "base/error.h"

#include <cJSON.h>

/* Reads and parses a file; *out is released with cJSON_Delete. A syntax error names file and line. */
hardy_status hy_json_read(const char *path, cJSON **out, hardy_error *err);

#endif
