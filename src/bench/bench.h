/*
 * bench.h: what the measurements share: the run's options, the machine's roof, rows of results as text or JSON lines.
 */
#ifndef HY_BENCH_BENCH_H
#define HY_BENCH_BENCH_H

#include "base/json.h"
#include "bench/clock.h"
#include "bench/roof.h"
#include "network/network.h"
#include "perturb/latent.h"

/* One measurement at one number of threads. */
typedef struct hy_bench {
	const hardy_bench_options *o;
	const hardy_sink *report;
	const hardy_log *log;
	const hy_kernels *kernels;
	hy_tape_options engine;
	hy_network_config network; /* of one channel and four classes */
	bool cooperative;          /* training, else standard; a network of one part has no other */
	hy_scheme schemes[2];      /* of z_i and z_s */
	int threads;
	char on[24];  /* "2 threads" */
	hy_roof roof; /* zeros where what is measured has no use for it */
	bool failed;  /* a row could not be built: memory ran out */
} hy_bench;

/*
 * A row of the JSON lines; NULL when text is wanted or memory ran out: the functions that add to it do nothing then. Has "bench",
 * "isa" and "threads".
 */
cJSON *hy_row_new(hy_bench *b, const char *bench);
void hy_row_text(hy_bench *b, cJSON *row, const char *key, const char *text);
void hy_row_number(hy_bench *b, cJSON *row, const char *key, double value); /* six digits; null when not finite */
void hy_row_timing(hy_bench *b, cJSON *row, const hy_timing *t);            /* "min_s", "median_s", "n_runs" */
void hy_row_done(hy_bench *b, cJSON *row);                                  /* writes the line and releases the row */
/* Text; nothing when JSON is wanted. */
void hy_bench_print(hy_bench *b, const char *format, ...) HY_PRINTF(2, 3);

/* step.c: "channel,spatial". */
hardy_status hy_bench_read_schemes(const char *text, hy_scheme out[2], hardy_error *err);

/* The measurements: one file each. */
hardy_status hy_bench_step(hy_bench *b, hardy_error *err);
hardy_status hy_bench_infer(hy_bench *b, hardy_error *err);
hardy_status hy_bench_predict(hy_bench *b, hardy_error *err);
hardy_status hy_bench_kernels(hy_bench *b, hardy_error *err);
hardy_status hy_bench_artefacts(hy_bench *b, hardy_error *err);
hardy_status hy_bench_metrics(hy_bench *b, hardy_error *err);

#endif
