/*
 * scratch.h: a folder of its own for a test's files, removed with all its files at the end.
 */
#ifndef HY_TESTS_SUPPORT_SCRATCH_H
#define HY_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* Makes the folder (in TMPDIR, /dev/shm or /tmp) on first use; scratch_path gives a path in it, valid for the next seven calls.
 */
const char *scratch_folder(void);
const char *scratch_path(const char *name);
void scratch_write(const char *name, const void *data, size_t size); /* fails the test when it cannot */
int scratch_n_files(void);
void scratch_empty(void);           /* removes the files */
void scratch_remove(void);          /* and the folder */
int scratch_setup(void **state);    /* scratch_empty, as cmocka calls what begins a test */
int scratch_teardown(void **state); /* scratch_remove, as it calls what ends a group */

#endif
