/*
 * version.h: which hardy this is, and the mark of what its shared library exports.
 *
 * The three numbers below are the one place that says it: the build, the shared library's name, pkg-config and the Python package read them here.
 * Before 1.0 the minor number changes when something that a program relies on does; the soname says so, too (docs/LIBRARY.md).
 *
 * Example:
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         printf("compiled with %s, runs with %s\n", HARDY_VERSION, hardy_version());
 *         return HARDY_VERSION_NUMBER >= 100 ? 0 : 1;
 *     }
 */
#ifndef HARDY_VERSION_H
#define HARDY_VERSION_H

#define HARDY_VERSION_MAJOR 0
#define HARDY_VERSION_MINOR 1
#define HARDY_VERSION_PATCH 0

/* To compare: 10000 major + 100 minor + patch. */
#define HARDY_VERSION_NUMBER (HARDY_VERSION_MAJOR * 10000 + HARDY_VERSION_MINOR * 100 + HARDY_VERSION_PATCH)

#define HARDY_VERSION_QUOTE(a, b, c) #a "." #b "." #c
#define HARDY_VERSION_TEXT(a, b, c)  HARDY_VERSION_QUOTE(a, b, c)
/* "major.minor.patch" */
#define HARDY_VERSION HARDY_VERSION_TEXT(HARDY_VERSION_MAJOR, HARDY_VERSION_MINOR, HARDY_VERSION_PATCH)

/* Whatever has no such mark is hidden in the shared library. */
#if defined(__GNUC__)
#define HARDY_API __attribute__((visibility("default")))
#else
#define HARDY_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* HARDY_VERSION of the library that the program runs with, which may be a later one than it was compiled with. */
HARDY_API const char *hardy_version(void);

#ifdef __cplusplus
}
#endif
#endif
