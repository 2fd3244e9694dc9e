/*
 * process.c: peak memory, and what another program takes.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "bench/process.h"

#include "base/child.h"
#include "base/machine.h"
#include "bench/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

hardy_status hy_process_run(const char *const *arguments, const char *messages, hy_process_cost *out, hardy_error *err)
{
	pid_t pid;
	int ending = 0;
	struct rusage usage;
	char line[400];
	/* A process that is started begins with its parent's peak as its own. */
	hy_peak_reset();
	const double begin = hy_clock_s();
	remove(messages);
	const hardy_status status = hy_child_start(arguments, NULL, messages, &pid, err);
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
