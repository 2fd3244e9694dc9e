/*
 * child.h: other programs, started without a shell and waited for.
 */
#ifndef HY_BASE_CHILD_H
#define HY_BASE_CHILD_H

#include "base/error.h"

#include <sys/types.h>

/*
 * Starts words[0], found by PATH unless it has a slash, with a NULL behind the last word. It reads nothing; what it writes is added to the files `out`
 * and `messages` (NULL: dropped), which are made, and may be one. HARDY_ERROR_IO names the program when it cannot be started.
 */
hardy_status hy_child_start(const char *const *words, const char *out, const char *messages, pid_t *pid, hardy_error *err);

/*
 * Waits for its end, and fills *ending as waitpid does. When stop (NULL allowed) asks, the program is told to stop (SIGTERM) and its end waited
 * for: HARDY_ERROR_INTERRUPTED.
 */
hardy_status hy_child_wait(pid_t pid, const hardy_stop *stop, int *ending, hardy_error *err);

/* What is said of a process that did not end well; the empty text of one that did. */
void hy_child_describe(int ending, char *text, size_t size);

#endif
