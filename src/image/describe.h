/*
 * describe.h: what a scan is, in words and numbers, for `hardy inspect`.
 */
#ifndef HY_IMAGE_DESCRIBE_H
#define HY_IMAGE_DESCRIBE_H

#include "base/error.h"

#include <cJSON.h>

/*
 * Reads the whole scan and describes it: format, shape, spacing, datatype, which geometry was believed, range of values, and
 * the reader's warnings. *out is released with cJSON_Delete.
 */
hardy_status hy_scan_describe(const char *path, cJSON **out, hardy_error *err);

#endif
