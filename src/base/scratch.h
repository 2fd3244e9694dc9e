/*
 * scratch.h: folders to work in that nobody else can look into, and that leave nothing behind.
 */
#ifndef HY_BASE_SCRATCH_H
#define HY_BASE_SCRATCH_H

#include "base/error.h"

/* A new folder in `parent`, NAME-XXXXXX with six letters of its own, for this user alone (0700); *out is newly allocated. */
hardy_status hy_scratch_make(const char *parent, const char *name, char **out, hardy_error *err);
void hy_scratch_remove(char *folder); /* with everything in it; releases the name. NULL allowed */

#endif
