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

static void close_line_at_end(void)
{
	flockfile(stderr);
	close_line();
	funlockfile(stderr);
}

static size_t terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10)
		return size.ws_col;
	return 80;
}

static void show_progress(const char *line)
{
	double now = now_s();
	double interval = screen.is_terminal ? 0.1 : 10;
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
	fprintf(stderr, "\r%.*s\033[K", (int)(terminal_width() - 1), line);
	fflush(stderr);
	screen.line_open = true;
}

static void emit(void *payload, hardy_log_level level, const char *line)
{
	(void)payload;
	flockfile(stderr);
	if (level == HARDY_LOG_PROGRESS) {
		show_progress(line);
	} else {
		close_line();
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
	if (status != HARDY_OK) {
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
