/*
 * process.h: runs as processes of their own, side by side, and the command lines that make them.
 */
#ifndef HY_EXPERIMENT_PROCESS_H
#define HY_EXPERIMENT_PROCESS_H

#include "experiment/study.h"

enum hy_command { HY_COMMAND_ALL, HY_COMMAND_RUN, HY_COMMAND_COLLECT };
/* The command that repeats the experiment, makes one run of it, or collects; for a shell; hy_free. NULL when memory runs out. */
char *hy_command_text(const hy_study *s, const char *program, enum hy_command what, const hy_study_run *run) HY_MUST_USE;

/*
 * Starts a process for each run that todo marks, at most o->jobs at a time, and calls ended after each end (from this thread), with a
 * message unless the process exited with 0. When s->stop asks, the processes are told to stop (SIGTERM) and waited for:
 * HARDY_ERROR_INTERRUPTED.
 */
hardy_status hy_process_runs(const hy_study *s, const bool *todo,
                             hardy_status (*ended)(void *payload, size_t run, const char *message, hardy_error *err),
                             void *payload, hardy_error *err);

/* Threads of a run: as asked for, else the processors' share of each of several jobs; 0: all, one job has no other beside it. And how
 * many runs the processors so carry at a time. */
int64_t hy_process_threads(const hy_study *s);
int64_t hy_process_at_a_time(const hy_study *s);

#endif
