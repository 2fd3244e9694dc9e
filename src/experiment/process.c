/*
 * process.c: command lines, and processes that run them.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "experiment/process.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "training/set.h"

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

/* ---- command lines ------------------------------------------------------------------------------------------------------ */

typedef struct words {
	char **item; /* owned, each too, and a NULL behind them */
	size_t n, room;
	bool failed;
} words;

static void words_clear(words *w)
{
	for (size_t i = 0; i < w->n; i++)
		hy_free(w->item[i]);
	hy_free(w->item);
}

static void add(words *w, const char *text)
{
	if (w->n + 2 > w->room) {
		const size_t room = 2 * w->room + 32;
		char **larger = hy_realloc(w->item, room, sizeof *larger);
		if (!larger) {
			w->failed = true;
			return;
		}
		w->item = larger;
		w->room = room;
	}
	char *copy = hy_strdup(text);
	w->failed |= !copy;
	if (copy)
		w->item[w->n++] = copy;
	w->item[w->n] = NULL;
}

static void add_option(void *to, const char *word, const char *value)
{
	char name[64];
	snprintf(name, sizeof name, "--%s", word);
	add(to, name);
	if (value)
		add(to, value);
}

/* What the experiment was told, but for what a child does differently. */
static void list_words(const hy_study *s, enum hy_command what, const hy_study_run *run, const char *program, int64_t threads,
                       words *w)
{
	hardy_experiment_options o = *s->o;
	o.threads = threads;
	o.collect = what == HY_COMMAND_COLLECT;
	o.dry_run = o.retry_failed = false;
	o.emit = NULL;
	o.run = what == HY_COMMAND_RUN ? run->name : NULL;
	if (what == HY_COMMAND_RUN) {
		o.jobs = 1;
		o.n_results = 0;
	}
	add(w, program);
	add(w, "experiment");
	add(w, s->experiment->name);
	for (size_t i = 0; i < o.n_data; i++)
		add(w, o.data[i]);
	w->failed |= !hy_options_words(&hy_experiment_table, &o, add_option, w);
}

char *hy_command_text(const hy_study *s, const char *program, enum hy_command what, const hy_study_run *run)
{
	words w = {0};
	size_t room = 1, used = 0;
	list_words(s, what, run, program, s->o->threads, &w);
	for (size_t i = 0; i < w.n; i++)
		room += hy_shell_quote(NULL, w.item[i]) + 1;
	char *text = w.failed ? NULL : hy_alloc(room, 1);
	for (size_t i = 0; i < w.n && text; i++) {
		if (i)
			text[used++] = ' ';
		used += hy_shell_quote(text + used, w.item[i]);
	}
	if (text)
		text[used] = 0;
	words_clear(&w);
	return text;
}

/* ---- processes ---------------------------------------------------------------------------------------------------------- */

typedef struct child {
	pid_t pid;
	size_t run;
} child;

static int64_t at_least_one(int64_t n)
{
	return n > 0 ? n : 1;
}

int64_t hy_process_threads(const hy_study *s)
{
	if (s->o->threads || s->o->jobs == 1)
		return s->o->threads;
	return at_least_one(sysconf(_SC_NPROCESSORS_ONLN) / s->o->jobs);
}

int64_t hy_process_at_a_time(const hy_study *s)
{
	const int64_t threads = hy_process_threads(s), n = threads ? at_least_one(sysconf(_SC_NPROCESSORS_ONLN) / threads) : 1;
	return n < s->o->jobs ? n : s->o->jobs;
}

static hardy_status start(const hy_study *s, const hy_study_run *run, pid_t *pid, hardy_error *err)
{
	posix_spawn_file_actions_t actions;
	words w = {0};
	char *messages = hy_path_join(run->folder, "log.txt");
	list_words(s, HY_COMMAND_RUN, run, s->o->program, hy_process_threads(s), &w);
	hardy_status status =
	    messages && !w.failed ? hy_make_output_folder(run->folder, err) : hy_fail_memory(err, run->name, 1, 1);
	if (!status && posix_spawn_file_actions_init(&actions))
		status = hy_fail_memory(err, "a process", 1, sizeof actions);
	if (!status) {
		int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (!failed)
			failed = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		if (!failed)
			failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, messages, O_WRONLY | O_CREAT | O_APPEND, 0666);
		if (!failed)
			failed = posix_spawn(pid, s->o->program, &actions, NULL, w.item, environ);
		posix_spawn_file_actions_destroy(&actions);
		errno = failed;
		if (failed)
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be started", s->o->program);
	}
	words_clear(&w);
	hy_free(messages);
	return status;
}

/* What is said of a process that did not end well; the empty text of one that did. */
static void describe_end(int ending, char *text, size_t size)
{
	if (WIFEXITED(ending) && !WEXITSTATUS(ending))
		snprintf(text, size, "%s", "");
	else if (WIFEXITED(ending))
		snprintf(text, size, "the process ended with exit code %d", WEXITSTATUS(ending));
	else
		snprintf(text, size, "the process was ended by signal %d", WTERMSIG(ending));
}

static void wait_a_little(void)
{
	const struct timespec pause = {0, 50000000};
	nanosleep(&pause, NULL);
}

hardy_status hy_process_runs(const hy_study *s, const bool *todo,
                             hardy_status (*ended)(void *payload, size_t run, const char *message, hardy_error *err),
                             void *payload, hardy_error *err)
{
	const size_t n_slots = (size_t)s->o->jobs;
	child *slots = hy_calloc(n_slots, sizeof *slots);
	hardy_status status = slots ? HARDY_OK : hy_fail_memory(err, "processes", n_slots, sizeof *slots);
	size_t next = 0, n_alive = 0;
	bool told = false;
	while (slots && (n_alive || (!status && next < s->n_runs))) {
		for (size_t k = 0; k < n_slots && !status; k++) {
			while (next < s->n_runs && !todo[next])
				next++;
			if (slots[k].pid || next == s->n_runs)
				continue;
			status = start(s, &s->runs[next], &slots[k].pid, err);
			if (status)
				break;
			hy_info(s->log, "%s: started, its messages are in %s/log.txt", s->runs[next].name, s->runs[next].folder);
			slots[k].run = next++;
			n_alive++;
		}
		wait_a_little();
		if (!status && hy_stop_asked(s->stop))
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted");
		for (size_t k = 0; k < n_slots && status && !told; k++)
			if (slots[k].pid)
				kill(slots[k].pid, SIGTERM);
		told = status != HARDY_OK;
		for (size_t k = 0; k < n_slots; k++) {
			int ending = 0;
			char message[128];
			if (!slots[k].pid || waitpid(slots[k].pid, &ending, WNOHANG) != slots[k].pid)
				continue;
			describe_end(ending, message, sizeof message);
			slots[k].pid = 0;
			n_alive--;
			hardy_error own = {0};
			const hardy_status heard = ended(payload, slots[k].run, message[0] ? message : NULL, status ? &own : err);
			status = status ? status : heard;
		}
	}
	hy_free(slots);
	return status;
}
