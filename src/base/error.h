/*
 * error.h: how internal functions report failure, emit messages and are asked to stop.
 */
#ifndef HY_BASE_ERROR_H
#define HY_BASE_ERROR_H

#include "hardy.h"

#if defined(__GNUC__)
#define HY_PRINTF(f, a) __attribute__((format(__printf__, f, a)))
#define HY_MUST_USE     __attribute__((warn_unused_result))
#else
#define HY_PRINTF(f, a)
#define HY_MUST_USE
#endif

/* Fills *err (NULL allowed) with status and a formatted message; returns status, so that `return hy_fail(...)` reads well. */
hardy_status hy_fail(hardy_error *err, hardy_status status, const char *format, ...) HY_PRINTF(3, 4);

/* The same, with ": " and the text of errno appended. */
hardy_status hy_fail_errno(hardy_error *err, hardy_status status, const char *format, ...) HY_PRINTF(3, 4);

/* Puts a formatted prefix and ": " before the message that is already in *err; returns its status. */
hardy_status hy_prefix(hardy_error *err, hardy_status status, const char *format, ...) HY_PRINTF(3, 4);

/* Emits a formatted line to log (NULL allowed). */
void hy_log(const hardy_log *log, hardy_log_level level, const char *format, ...) HY_PRINTF(3, 4);

/* Whether a caller (NULL: none) wants work to end. */
bool hy_stop_asked(const hardy_stop *stop);

#define hy_warn(log, ...) hy_log((log), HARDY_LOG_WARNING, __VA_ARGS__)
#define hy_info(log, ...) hy_log((log), HARDY_LOG_INFO, __VA_ARGS__)

#endif
