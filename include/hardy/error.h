/*
 * error.h: how functions of the library fail, and what they say while they work.
 *
 * Every function that can fail returns a hardy_status and takes a caller-owned `hardy_error *` as its last parameter; NULL is allowed, and the
 * message is lost then. What a function gives through pointers is set on success only. The library never prints, exits or reads the environment:
 * progress and warnings go to the `hardy_log` that the caller passes (NULL: they are dropped).
 *
 * Example:
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     static void say(void *payload, hardy_log_level level, const char *line)
 *     {
 *         fprintf((FILE *)payload, "%s%s\n", level == HARDY_LOG_WARNING ? "warning: " : "", line);
 *     }
 *
 *     int main(void)
 *     {
 *         hardy_log log = {say, stderr};
 *         hardy_error err;
 *         hardy_volume *scan;
 *         if (hardy_volume_read("no/such/scan.nii.gz", &scan, &log, &err) == HARDY_ERROR_IO)
 *             printf("%s\n", err.message);
 *         return 0;
 *     }
 */
#ifndef HARDY_ERROR_H
#define HARDY_ERROR_H

#include "version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Structs whose first field is `size` may get fields at their end in later versions. A program begins with HARDY_INIT(x), which sets that field and makes
 * all others 0 or NULL, the defaults; what was compiled with a shorter struct gets the defaults of what it does not know.
 */
#define HARDY_INIT(x) (memset(&(x), 0, sizeof(x)), (x).size = sizeof(x))

typedef enum hardy_status {
	HARDY_OK = 0,
	HARDY_ERROR_ARGUMENT,    /* an option or argument is out of range or unknown */
	HARDY_ERROR_IO,          /* a file cannot be opened, read or written */
	HARDY_ERROR_FORMAT,      /* a file's content is not what its format demands */
	HARDY_ERROR_UNSUPPORTED, /* valid, but not handled here */
	HARDY_ERROR_DATA,        /* a data set or scan cannot be used for what was asked */
	HARDY_ERROR_NUMERIC,     /* a non-finite value where a finite one is wanted */
	HARDY_ERROR_MEMORY,      /* an allocation failed */
	HARDY_ERROR_INTERRUPTED, /* stopped on request after saving */
	HARDY_ERROR_PARTIAL,     /* some cases failed; the rest are done */
	HARDY_ERROR_THRESHOLD    /* done, but a stated threshold is not met */
} hardy_status;

/* A message names file, field, value found and value wanted. `status` repeats the return value. */
typedef struct hardy_error {
	hardy_status status;
	char message[1024];
} hardy_error;

typedef enum hardy_log_level { HARDY_LOG_PROGRESS, HARDY_LOG_INFO, HARDY_LOG_WARNING } hardy_log_level;

/*
 * Receives one line without a line end. PROGRESS lines replace one another on a terminal. emit is called from the calling thread or from
 * threads that work for it, never from two at once within one call.
 */
typedef struct hardy_log {
	void (*emit)(void *payload, hardy_log_level level, const char *line);
	void *payload;
} hardy_log;

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a line says whatever its file and numbers: what is behind the file's name, each number one sign, cut to size - 1 bytes. Lines of
 * one kind give the same text, so that a few can stand for many.
 */
HARDY_API void hardy_message_kind(const char *line, char *out, size_t size);

/* Releases a text, or texts in one piece, that a function allocated for the caller. NULL allowed. */
HARDY_API void hardy_texts_free(char *texts);

#ifdef __cplusplus
}
#endif
#endif
