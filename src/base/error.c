/*
 * error.c: formatted errors and log lines.
 */
#include "base/error.h"

#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *hardy_version(void)
{
	return HARDY_VERSION;
}

void hardy_texts_free(char *texts)
{
	hy_free(texts);
}

hardy_status hy_fail(hardy_error *err, hardy_status status, const char *format, ...)
{
	if (err) {
		va_list args;
		va_start(args, format);
		err->status = status;
		vsnprintf(err->message, sizeof err->message, format, args);
		va_end(args);
	}
	return status;
}

hardy_status hy_fail_errno(hardy_error *err, hardy_status status, const char *format, ...)
{
	const int saved = errno;
	if (err) {
		va_list args;
		va_start(args, format);
		err->status = status;
		vsnprintf(err->message, sizeof err->message, format, args);
		va_end(args);
		const size_t used = strlen(err->message);
		snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(saved));
	}
	return status;
}

hardy_status hy_prefix(hardy_error *err, hardy_status status, const char *format, ...)
{
	if (err) {
		char rest[sizeof err->message];
		va_list args;
		memcpy(rest, err->message, sizeof rest);
		va_start(args, format);
		vsnprintf(err->message, sizeof err->message, format, args);
		va_end(args);
		const size_t used = strlen(err->message);
		snprintf(err->message + used, sizeof err->message - used, ": %s", rest);
		err->status = status;
	}
	return status;
}

void hy_log(const hardy_log *log, hardy_log_level level, const char *format, ...)
{
	if (!log || !log->emit)
		return;
	char line[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	log->emit(log->payload, level, line);
}

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

void hardy_message_kind(const char *line, char *out, size_t size)
{
	const char *text = strstr(line, ": ");
	size_t n = 0;
	for (text = text ? text + 2 : line; *text && n + 1 < size; text++) {
		const bool digit = strchr("0123456789.", *text) != NULL;
		if (!digit || !n || out[n - 1] != '#')
			out[n++] = digit ? '#' : *text;
	}
	if (size)
		out[n] = 0;
}

bool hy_stop_asked(const hardy_stop *stop)
{
	return stop && stop->asked && stop->asked(stop->payload);
}
