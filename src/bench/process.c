/*
 * process.c: peak memory, child processes, scratch folders.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "bench/process.h"

#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "bench/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

void hy_peak_reset(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");
	if (f) {
		fputs("5", f); /* the peak becomes what is held now */
		fclose(f);
	}
}

double hy_peak_mb(void)
{
	char line[256];
	long long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && kb < 0 && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %lld", &kb) != 1)
			kb = -1;
	if (f)
		fclose(f);
	struct rusage usage;
	if (kb < 0 && !getrusage(RUSAGE_SELF, &usage))
		kb = usage.ru_maxrss;
	return (double)kb / 1024;
}

/* ---- processes ---------------------------------------------------------------------------------------------------------- */

/* The first line that the program wrote on stderr, for a message. */
static void first_line(const char *path, char *line, int size)
{
	line[0] = 0;
	FILE *f = fopen(path, "r");
	if (f && fgets(line, size, f))
		line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
}

static hardy_status start(const char *const *arguments, const char *messages, pid_t *pid, hardy_error *err)
{
	posix_spawn_file_actions_t actions;
	/* posix_spawn takes writable strings, and leaves them alone. */
	union {
		const char *const *in;
		char *const *out;
	} words = {arguments};
	if (posix_spawn_file_actions_init(&actions))
		return hy_fail_memory(err, "a process", 1, sizeof actions);
	int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (!failed)
		failed = posix_spawn(pid, arguments[0], &actions, NULL, words.out, environ);
	posix_spawn_file_actions_destroy(&actions);
	errno = failed;
	return failed ? hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be started", arguments[0]) : HARDY_OK;
}

hardy_status hy_process_run(const char *const *arguments, const char *messages, hy_process_cost *out, hardy_error *err)
{
	pid_t pid;
	int ending = 0;
	struct rusage usage;
	char line[400];
	/* A process that is started begins with its parent's peak as its own. */
	hy_peak_reset();
	const double begin = hy_clock_s();
	const hardy_status status = start(arguments, messages, &pid, err);
	if (status)
		return status;
	pid_t ended;
	do
		ended = wait4(pid, &ending, 0, &usage);
	while (ended < 0 && errno == EINTR);
	const double wall = hy_clock_s() - begin;
	if (ended < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be waited for", arguments[0]);
	if (!WIFEXITED(ending) || WEXITSTATUS(ending)) {
		first_line(messages, line, sizeof line);
		return hy_fail(err, HARDY_ERROR_DATA, "%s %s ended with %s %d: %s", arguments[0], arguments[1],
		               WIFEXITED(ending) ? "exit code" : "signal", WIFEXITED(ending) ? WEXITSTATUS(ending) : WTERMSIG(ending),
		               line[0] ? line : "no message");
	}
	*out = (hy_process_cost){.wall_s = wall, .peak_mb = (double)usage.ru_maxrss / 1024};
	return HARDY_OK;
}

/* ---- folders ------------------------------------------------------------------------------------------------------------ */

hardy_status hy_scratch_make(const char *parent, char **out, hardy_error *err)
{
	char *path = hy_path_join(parent, "hardy-bench-XXXXXX");
	if (!path)
		return hy_fail_memory(err, "a path", 1, strlen(parent));
	if (!mkdtemp(path)) {
		const hardy_status status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: no folder can be made in it", parent);
		hy_free(path);
		return status;
	}
	*out = path;
	return HARDY_OK;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	(void)s, (void)kind, (void)at;
	remove(path);
	return 0;
}

void hy_scratch_remove(char *folder)
{
	if (folder)
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	hy_free(folder);
}
