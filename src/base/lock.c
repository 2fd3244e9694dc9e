/*
 * lock.c: locks by flock on a file that holds the process's number for whoever is refused.
 */
#define _DEFAULT_SOURCE /* flock */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static hardy_status refuse(int fd, const char *what, hardy_error *err)
{
	char text[32] = {0};
	const ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? strspn(text, "0123456789") : 0] = 0;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, text[0] ? "%s (process %s)" : "%s%s", what, text);
}

/* 0, or the errno of what failed. */
static int lock_it(int fd, bool wait)
{
	while (flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB)) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* Whether path still names the file that was locked: whoever held it before may have removed it since. */
static bool is_current(int fd, const char *path)
{
	struct stat a, b;
	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

hardy_status hy_lock_take(hy_lock *l, const char *path, bool wait, const char *what, const hardy_log *log, hardy_error *err)
{
	*l = (hy_lock){.fd = -1};
	hardy_status status = HARDY_OK;
	int fd = -1;
	for (bool held = false; !held && !status;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0) {
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be opened", path);
			break;
		}
		const int failed = lock_it(fd, wait);
		if (failed == EWOULDBLOCK)
			status = refuse(fd, what, err);
		else if (failed == ENOSYS || failed == EOPNOTSUPP)
			hy_warn(log, "%s: this file system keeps no locks: nothing keeps a second program out", path);
		else if (failed) {
			errno = failed;
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be locked", path);
		}
		held = !status && is_current(fd, path);
		if (!held)
			close(fd);
	}
	if (status)
		return status;
	char text[32];
	const int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
		hy_info(log, "%s: the process's number cannot be noted", path);
	*l = (hy_lock){.fd = fd, .path = path};
	return HARDY_OK;
}

void hy_lock_drop(hy_lock *l)
{
	if (l->path) {
		unlink(l->path); /* while it is held: nobody else's */
		close(l->fd);
	}
	*l = (hy_lock){.fd = -1};
}
