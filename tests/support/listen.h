/*
 * listen.h: what a call of the library logs, reports and asks, kept for a test to look at.
 */
#ifndef HY_TESTS_SUPPORT_LISTEN_H
#define HY_TESTS_SUPPORT_LISTEN_H

#include "hardy.h"

enum { LISTEN_ROOM = 16384 }; /* what does not fit is dropped */

extern char heard[LISTEN_ROOM];   /* warnings, a line each */
extern char logged[LISTEN_ROOM];  /* these and what is told besides, progress excepted */
extern char printed[LISTEN_ROOM]; /* reports */
extern int stop_at;               /* the call is stopped when it asks for the so many-th time; 0: never */

extern const hardy_log listen_log;
extern const hardy_sink listen_sink;
extern const hardy_stop listen_stop;

/* Forgets all that was heard; before a call. */
void listen_anew(void);

#endif
