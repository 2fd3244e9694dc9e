/*
 * terminal.c: what the program says on stderr: progress, lines, warnings, and errors with their exit codes.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* State of the one stderr; guarded by its stream lock. */
static struct {
	bool known, is_terminal, line_open;
	bool started;
	double last_s; /* of the last progress line */
} screen;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Removes the progress line so that something lasting can take its place. Call with stderr locked. */
static void close_line(void)
{
	if (screen.line_open)
		fputs("\r\033[K", stderr);
	screen.line_open = false;
}

static void count_warnings(bool at_end);

static void close_line_at_end(void)
{
	flockfile(stderr);
	close_line();
	count_warnings(true);
	funlockfile(stderr);
}

static size_t terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10)
		return size.ws_col;
	return 80;
}

/* A bar for lines that say "3 of 20"; empty for others, and where there is no room. */
static void make_bar(const char *line, size_t width, char bar[64])
{
	enum { CELLS = 20 };
	double made = 0, all = 0;
	bar[0] = 0;
	for (const char *at = line; *at && !(all > 0); at++) {
		int n = 0;
		if ((at == line || at[-1] == ' ') && sscanf(at, "%lf of %lf%n", &made, &all, &n) == 2 && n && made <= all)
			break;
		all = 0;
	}
	if (!(all > 0) || strlen(line) + CELLS + 3 >= width)
		return;
	const int full = (int)(CELLS * made / all);
	snprintf(bar, 64, "[%.*s%.*s] ", full, "####################", CELLS - full, "                    ");
}

static void show_progress(const char *line)
{
	double now = now_s();
	double interval = screen.is_terminal ? 0.1 : 60;
	if (!screen.started) {
		screen.started = true;
		screen.last_s = screen.is_terminal ? now - interval : now; /* in a log, what is soon done needs no line */
	}
	if (now - screen.last_s < interval)
		return;
	screen.last_s = now;
	if (!screen.is_terminal) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	const size_t width = terminal_width();
	char bar[64];
	make_bar(line, width, bar);
	fprintf(stderr, "\r%s%.*s\033[K", bar, (int)(width - strlen(bar) - 1), line);
	fflush(stderr);
	screen.line_open = true;
}

/* ---- warnings ----------------------------------------------------------------------------------------------------------- */

enum { MAX_KINDS = 64, KIND_SIZE = 160 };

/* Warnings that differ only in file and numbers: the first is shown, the others are counted. Guarded by the lock of stderr. */
static struct {
	char text[KIND_SIZE], first[KIND_SIZE];
	size_t n, told; /* how many there were, and of how many something was said */
} kinds[MAX_KINDS];
static size_t n_kinds;

/* Whether a warning is to be shown now. */
static bool is_new(const char *line)
{
	char kind[KIND_SIZE];
	size_t i = 0;
	if (options_verbose)
		return true;
	hardy_message_kind(line, kind, sizeof kind);
	while (i < n_kinds && strcmp(kinds[i].text, kind) != 0)
		i++;
	if (i == MAX_KINDS)
		return true;
	if (i == n_kinds) {
		memcpy(kinds[i].text, kind, sizeof kind);
		snprintf(kinds[i].first, KIND_SIZE, "%s", line);
		kinds[n_kinds++].told = 1;
	}
	return kinds[i].n++ == 0;
}

/* How many more there were of each kind: at the end, and once as soon as the work goes on to something else. */
static void count_warnings(bool at_end)
{
	for (size_t i = 0; i < n_kinds; i++) {
		const size_t more = kinds[i].n - kinds[i].told, length = strlen(kinds[i].first);
		if (!more || (kinds[i].told > 1 && !at_end))
			continue;
		fprintf(stderr, "warning: %zu more of this kind (--verbose shows all): %.100s%s\n", more, kinds[i].first,
		        length > 100 ? "..." : "");
		kinds[i].told = kinds[i].n;
	}
	if (at_end)
		n_kinds = 0;
}

static void emit(void *payload, hardy_log_level level, const char *line)
{
	(void)payload;
	if (options_quiet && level != HARDY_LOG_WARNING)
		return;
	flockfile(stderr);
	if (level == HARDY_LOG_PROGRESS) {
		show_progress(line);
	} else if (level != HARDY_LOG_WARNING || is_new(line)) {
		close_line();
		if (level != HARDY_LOG_WARNING)
			count_warnings(false);
		fprintf(stderr, "%s%s\n", level == HARDY_LOG_WARNING ? "warning: " : "", line);
	}
	funlockfile(stderr);
}

hardy_log terminal_log(void)
{
	flockfile(stderr);
	if (!screen.known) {
		screen.known = true;
		screen.is_terminal = isatty(STDERR_FILENO) != 0;
		atexit(close_line_at_end);
	}
	funlockfile(stderr);
	return (hardy_log){.emit = emit};
}

static int exit_code(hardy_status status)
{
	switch (status) {
	case HARDY_OK:
		return EXIT_DONE;
	case HARDY_ERROR_ARGUMENT:
		return EXIT_USAGE;
	case HARDY_ERROR_INTERRUPTED:
		return EXIT_INTERRUPTED;
	case HARDY_ERROR_PARTIAL:
		return EXIT_PARTIAL;
	case HARDY_ERROR_THRESHOLD:
		return EXIT_BELOW;
	case HARDY_ERROR_IO:
	case HARDY_ERROR_FORMAT:
	case HARDY_ERROR_UNSUPPORTED:
	case HARDY_ERROR_DATA:
	case HARDY_ERROR_NUMERIC:
	case HARDY_ERROR_MEMORY:
		break;
	}
	return EXIT_FAILED;
}

int report_error(const command *self, hardy_status status, const hardy_error *err)
{
	if (status != HARDY_OK && hardy_rank_speaks()) {
		flockfile(stderr);
		close_line();
		fprintf(stderr, "hardy %s: %s\n", self->name, err && err->message[0] ? err->message : "failed without a message");
		funlockfile(stderr);
	}
	return exit_code(status);
}

static void to_stdout(void *payload, const char *text, size_t size)
{
	(void)payload;
	fwrite(text, 1, size, stdout);
}

hardy_sink stdout_sink(void)
{
	return (hardy_sink){to_stdout, NULL};
}
