/*
 * listen.c: callbacks that keep what they get.
 */
#include "support/listen.h"

#include <stdio.h>
#include <string.h>

char heard[LISTEN_ROOM], logged[LISTEN_ROOM], printed[LISTEN_ROOM];
int stop_at;
static int n_asked;

static void append(char text[LISTEN_ROOM], const char *more, size_t n, const char *end)
{
	const size_t used = strlen(text);
	snprintf(text + used, LISTEN_ROOM - used, "%.*s%s", (int)n, more, end);
}

static void hear(void *payload, hardy_log_level level, const char *line)
{
	(void)payload;
	if (level != HARDY_LOG_PROGRESS)
		append(logged, line, strlen(line), "\n");
	if (level == HARDY_LOG_WARNING)
		append(heard, line, strlen(line), "\n");
}

static void take(void *payload, const char *text, size_t size)
{
	(void)payload;
	append(printed, text, size, "");
}

static bool asked(void *payload)
{
	(void)payload;
	return stop_at && ++n_asked >= stop_at;
}

const hardy_log listen_log = {hear, NULL};
const hardy_sink listen_sink = {take, NULL};
const hardy_stop listen_stop = {asked, NULL};

void listen_anew(void)
{
	heard[0] = logged[0] = printed[0] = 0;
	n_asked = 0;
}
