/*
 * ledger.h: results of runs as lines of JSON, found again by their keys.
 *
 * A run leaves result.json or failed.json in its own folder, so that runs can work side by side; who collects brings them into
 * OUTPUT/results.jsonl and OUTPUT/failed.jsonl.
 */
#ifndef HY_EXPERIMENT_LEDGER_H
#define HY_EXPERIMENT_LEDGER_H

#include "experiment/score.h"

/* A line of results for a run that was trained and scored, into its folder; *line (hy_free) gets it. */
hardy_status hy_result_write(const hy_study *s, const hy_study_run *run, const hy_scored_set *sets, double score_s, char **line,
                             hardy_error *err);
/* failed.json in the run's folder. */
hardy_status hy_failure_write(const hy_study *s, const hy_study_run *run, const hardy_error *why, hardy_error *err);

/* Looks for the run's result or failure in its folder, and sets its state. */
hardy_status hy_ledger_look(const hy_study *s, hy_study_run *run, hardy_error *err);
/* Sets the state of all runs from OUTPUT/results.jsonl, the files of o->results, and the runs' folders. */
hardy_status hy_ledger_read(hy_study *s, hardy_error *err);
/* Adds the results that OUTPUT/results.jsonl lacks, and lists failures in OUTPUT/failed.jsonl. */
hardy_status hy_ledger_write(const hy_study *s, hardy_error *err);

/* OUTPUT/experiment.json. */
hardy_status hy_study_write(const hy_study *s, hardy_error *err);

#endif
