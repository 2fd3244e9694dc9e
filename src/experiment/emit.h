/*
 * emit.h: an experiment as a script for other machinery.
 */
#ifndef HY_EXPERIMENT_EMIT_H
#define HY_EXPERIMENT_EMIT_H

#include "experiment/study.h"

/* Writes the script that o->emit asks for: the runs that are not done (and failed ones with retry_failed), then collecting. */
hardy_status hy_emit(const hy_study *s, const hardy_sink *report, hardy_error *err);

#endif
