/*
 * hardy.h: the one installed header of the hardy library.
 *
 * hardy trains and runs medical image segmentation that stays accurate away from the site it was trained on.
 *
 * Conventions. Every function that can fail returns a hardy_status and takes a caller-owned `hardy_error *` as its last
 * parameter (NULL allowed). Outputs are written only on success. The library never prints, exits or reads the environment:
 * progress and warnings go to the `hardy_log` that the caller passes (NULL: discarded). Functions are safe to call from several
 * threads on different objects. Option structs are initialised by their `_init` function, which sets every default.
 */
#ifndef HARDY_H
#define HARDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HARDY_VERSION "0.1.0"

/* ---- status, errors, messages ------------------------------------------------------------------------------------------- */

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

/* Receives one line without a line end. PROGRESS lines replace one another on a terminal. */
typedef struct hardy_log {
	void (*emit)(void *payload, hardy_log_level level, const char *line);
	void *payload;
} hardy_log;

/* The library's version, "major.minor.patch". */
const char *hardy_version(void);

/* ---- phantom ------------------------------------------------------------------------------------------------------------ */

/* ---- data sets ---------------------------------------------------------------------------------------------------------- */

/* Receives a piece of a report; text has size bytes and a terminating zero. */
typedef struct hardy_sink {
	void (*write)(void *payload, const char *text, size_t size);
	void *payload;
} hardy_sink;

typedef struct hardy_check_options {
	const char *data;     /* folder of a data set: ACDC, M&Ms, nnU-Net raw, images/ and labels/, or NAME with NAME_gt */
	const char *labels;   /* "lv=3,myo=2": what the data set's label values mean, overriding its layout's; NULL */
	double spacing_mm[3]; /* x, y, z; > 0 overrides the files' spacing on that axis */
	bool json;            /* the report as one JSON object instead of text */
} hardy_check_options;

void hardy_check_options_init(hardy_check_options *o);

/*
 * Reads every scan and label of a data set and reports subjects, phases, shapes, spacing, label volumes, and everything wrong
 * with the remedy. Goes on after a bad case. HARDY_ERROR_PARTIAL when some scans cannot be used, HARDY_ERROR_DATA when none
 * can; the report is complete then, too. Other errors come without a report.
 */
hardy_status hardy_check(const hardy_check_options *o, const hardy_sink *report, const hardy_log *log, hardy_error *err);

/* ---- training ----------------------------------------------------------------------------------------------------------- */

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* ---- evaluation --------------------------------------------------------------------------------------------------------- */

/* ---- inspection and benchmarks ------------------------------------------------------------------------------------------ */

/*
 * Describes a scan, a model (.safetensors) or the folder of a run (run.json) as text or, with json, as one JSON object.
 * Nothing is written to the report when there is an error.
 */
hardy_status hardy_inspect(const char *path, bool json, const hardy_sink *report, hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
