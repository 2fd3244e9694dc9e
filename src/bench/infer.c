/*
 * infer.c: times the forward pass of a network on slices, batched as prediction does it.
 */
#include "network/infer.h"

#include "base/machine.h"
#include "base/memory.h"
#include "bench/process.h"
#include "bench/profile.h"
#include "predict/predictor.h"

typedef struct job {
	hy_network network;
	hy_infer *infer;
	hy_profile profile;
	hy_tape **tapes;       /* owned */
	float *image, *logits; /* owned */
	int64_t n;
	int n_done;
} job;

static hardy_status run_once(void *payload, hardy_error *err)
{
	job *j = payload;
	hy_profile_begin(&j->profile);
	const double start = hy_clock_s();
	const hardy_status status = hy_infer_run(j->infer, j->image, j->n, NULL, j->logits, NULL, err);
	if (!status && j->n_done++)
		hy_profile_end(&j->profile, hy_clock_s() - start);
	return status;
}

static hardy_status make(job *j, const hy_network_config *network, const hy_infer_options *o, hardy_error *err)
{
	hardy_status status = hy_network_init(&j->network, network, err);
	if (status)
		return status;
	hy_params_draw(&j->network.params, 1);
	if (!(j->infer = hy_infer_new(&j->network, o, err)))
		return err->status;
	int n_tapes = 0;
	while (hy_infer_tape(j->infer, n_tapes))
		n_tapes++;
	if (!(j->tapes = hy_calloc((size_t)n_tapes, sizeof(hy_tape *))))
		return hy_fail_memory(err, "a list of passes", (size_t)n_tapes, sizeof(hy_tape *));
	for (int i = 0; i < n_tapes; i++)
		j->tapes[i] = hy_infer_tape(j->infer, i);
	status = hy_profile_init(&j->profile, j->tapes, n_tapes, err);
	if (status)
		return status;
	const size_t n = (size_t)(j->n * o->height * o->width);
	j->image = hy_alloc(n, sizeof *j->image);
	j->logits = hy_alloc(n, (size_t)network->classes * sizeof *j->logits);
	if (!j->image || !j->logits)
		return hy_fail_memory(err, "slices", n, sizeof *j->image);
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < n; i++)
		j->image[i] = (float)hy_rng_uniform(&g);
	return HARDY_OK;
}

static void write(hy_bench *b, const job *j, const hy_infer_options *o, double build_s, const hy_timing *t)
{
	const hy_work w = hy_profile_sum(&j->profile, &b->roof);
	const double rate = w.flop / t->min_s * 1e-9, peak = hy_peak_mb();
	cJSON *r = hy_row_new(b, "infer");
	hy_row_text(b, r, "network", b->o->network);
	hy_row_number(b, r, "size", (double)o->height);
	hy_row_number(b, r, "slices", (double)j->n);
	hy_row_number(b, r, "batch", (double)o->batch);
	hy_row_timing(b, r, t);
	hy_row_number(b, r, "build_s", build_s);
	hy_row_number(b, r, "gflop", w.flop * 1e-9);
	hy_row_number(b, r, "gflops", rate);
	hy_row_number(b, r, "share_of_peak", rate / b->roof.fma_gflops);
	hy_row_number(b, r, "gb", w.bytes * 1e-9);
	hy_row_number(b, r, "gbs", w.bytes / t->min_s * 1e-9);
	hy_row_number(b, r, "bound_s", w.bound_s);
	hy_row_number(b, r, "share_of_bound", w.bound_s / t->min_s);
	hy_row_number(b, r, "peak_rss_mb", peak);
	hy_row_done(b, r);
	hy_bench_print(b, "%s on %lld slices of %lld x %lld on %s: %.4f s (median %.4f of %d; built in %.2f s)\n",
	               b->network.kind == HY_NETWORK_STUDY ? "FTN+STN" : b->o->network, (long long)j->n, (long long)o->height,
	               (long long)o->width, b->on, t->min_s, t->median_s, t->n, build_s);
	hy_bench_print(b,
	               "  %.2f GFLOP, %.1f GFLOP/s, %.0f%% of peak; %.2f GB, %.1f GB/s; bound %.4f s, %.0f%% of it reached; peak "
	               "memory %.0f MB\n",
	               w.flop * 1e-9, rate, 100 * rate / b->roof.fma_gflops, w.bytes * 1e-9, w.bytes / t->min_s * 1e-9, w.bound_s,
	               100 * w.bound_s / t->min_s, peak);
}

hardy_status hy_bench_infer(hy_bench *b, hardy_error *err)
{
	const int64_t size = b->o->size;
	const hy_infer_options o = {.batch = hy_predictor_batch(b->o->slices, size),
	                            .height = size,
	                            .width = size,
	                            .stn = true,
	                            .norm = HY_NORM_RUNNING,
	                            .engine = b->engine};
	job j = {.n = b->o->slices};
	hy_timing t;
	const hy_repeat repeat = {.warm_up = 2, .runs = (int)b->o->steps, .at_least = b->o->seconds};
	hy_peak_reset();
	const double start = hy_clock_s();
	hardy_status status = make(&j, &b->network, &o, err);
	const double build_s = hy_clock_s() - start;
	if (!status)
		status = hy_clock_repeat(&repeat, run_once, &j, &t, err);
	if (!status)
		write(b, &j, &o, build_s, &t);
	if (!status && b->o->profile)
		status = hy_profile_write(b, &j.profile, b->o->shapes, err);
	hy_profile_clear(&j.profile);
	hy_infer_free(j.infer);
	hy_network_clear(&j.network);
	hy_free(j.tapes);
	hy_free(j.image);
	hy_free(j.logits);
	return status;
}
