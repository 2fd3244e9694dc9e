/*
 * child.c: starting other programs.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "base/child.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* 0, or what is wrong, as errno has it. */
static int add_stream(posix_spawn_file_actions_t *actions, int stream, const char *path)
{
	const int flags = path ? O_WRONLY | O_CREAT | O_APPEND : O_WRONLY;
	return posix_spawn_file_actions_addopen(actions, stream, path ? path : "/dev/null", flags, 0666);
}

hardy_status hy_child_start(const char *const *words, const char *out, const char *messages, pid_t *pid, hardy_error *err)
{
	posix_spawn_file_actions_t actions;
	/* posix_spawn takes writable strings, and leaves them alone. */
	union {
		const char *const *in;
		char *const *out;
	} arguments = {words};
	if (posix_spawn_file_actions_init(&actions))
		return hy_fail_memory(err, "a process", 1, sizeof actions);
	int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = add_stream(&actions, STDOUT_FILENO, out);
	if (!failed)
		failed = add_stream(&actions, STDERR_FILENO, messages);
	if (!failed)
		failed = posix_spawnp(pid, words[0], &actions, NULL, arguments.out, environ);
	posix_spawn_file_actions_destroy(&actions);
	errno = failed;
	return failed ? hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be started", words[0]) : HARDY_OK;
}

hardy_status hy_child_wait(pid_t pid, const hardy_stop *stop, int *ending, hardy_error *err)
{
	const struct timespec pause = {0, 2000000};
	bool told = false;
	pid_t ended;
	while ((ended = waitpid(pid, ending, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
		if (!told && hy_stop_asked(stop)) {
			kill(pid, SIGTERM);
			told = true;
		}
		nanosleep(&pause, NULL);
	}
	if (ended < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "a process cannot be waited for");
	return told || hy_stop_asked(stop) ? hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted") : HARDY_OK;
}

void hy_child_describe(int ending, char *text, size_t size)
{
	if (WIFEXITED(ending) && !WEXITSTATUS(ending))
		snprintf(text, size, "%s", "");
	else if (WIFEXITED(ending))
		snprintf(text, size, "the process ended with exit code %d", WEXITSTATUS(ending));
	else
		snprintf(text, size, "the process was ended by signal %d", WTERMSIG(ending));
}
