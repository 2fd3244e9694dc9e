/*
 * lock.h: a folder, or one thing in it, is worked on by one program at a time.
 */
#ifndef HY_BASE_LOCK_H
#define HY_BASE_LOCK_H

#include "base/error.h"

typedef struct hy_lock {
	const char *path; /* the caller's; must live until hy_lock_drop. NULL: not held, as {0} is */
	int fd;           /* -1 after a failure and after hy_lock_drop */
} hy_lock;

/*
 * Takes the lock that the file at path stands for, which is made and, with hy_lock_drop, removed; it ends with the program, however that
 * ends. When another holds it: waits for it, or is HARDY_ERROR_ARGUMENT, "WHAT (process N)". Where a file system knows no locks
 * at all (ENOSYS, EOPNOTSUPP) this is a warning and the lock counts as taken; any other failure is HARDY_ERROR_IO. Two threads of one
 * program exclude each other, too.
 */
hardy_status hy_lock_take(hy_lock *l, const char *path, bool wait, const char *what, const hardy_log *log, hardy_error *err);
void hy_lock_drop(hy_lock *l); /* harmless when it is not held */

#endif
