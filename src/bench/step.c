/*
 * step.c: times the training step.
 */
#include "training/step.h"

#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "bench/process.h"
#include "bench/profile.h"

#include <string.h>

/*
 * What a cooperative step of 20 slices of 192 x 192 counts as, whatever a plan does less: the arithmetic of the method's
 * convolutions when the standard pass is reused for the masks and doubled grids are convolved on the small grid.
 */
static const double NOMINAL_GFLOP = 780;

static const struct {
	const char *name;
	hy_scheme scheme;
} schemes[] = {{"random", HY_SCHEME_RANDOM},
               {"dropout", HY_SCHEME_DROPOUT},
               {"channel", HY_SCHEME_CHANNEL},
               {"spatial", HY_SCHEME_SPATIAL}};
enum { N_SCHEMES = sizeof schemes / sizeof *schemes };

hardy_status hy_bench_read_schemes(const char *text, hy_scheme out[2], hardy_error *err)
{
	const size_t first = strcspn(text, ",");
	const char *second = text[first] ? text + first + 1 : "";
	bool found[2] = {false, false};
	for (int k = 0; k < N_SCHEMES; k++) {
		if (strlen(schemes[k].name) == first && !memcmp(schemes[k].name, text, first)) {
			out[0] = schemes[k].scheme;
			found[0] = true;
		}
		if (!strcmp(schemes[k].name, second)) {
			out[1] = schemes[k].scheme;
			found[1] = true;
		}
	}
	if (found[0] && found[1])
		return HARDY_OK;
	const char *wrong = found[0] ? second : text;
	return hy_fail(err, HARDY_ERROR_ARGUMENT,
	               "schemes are \"%s\"%s, want two of random, dropout, channel, spatial with a comma between", text,
	               hy_meant(wrong, strcspn(wrong, ","), "random, dropout, channel, spatial").text);
}

typedef struct job {
	hy_network network;
	hy_step *step;
	hy_profile profile;
	hy_tape *tape;
	float *image;
	uint8_t *label;
	int64_t iteration;
} job;

static hardy_status run_once(void *payload, hardy_error *err)
{
	job *j = payload;
	double terms[HY_N_TERMS];
	hy_profile_begin(&j->profile);
	const double start = hy_clock_s();
	const hardy_status status = hy_step_run(j->step, j->image, j->image, j->label, j->iteration++, 1e-4, terms, err);
	if (!status && j->iteration > 2) /* the first ones touch their memory for the first time */
		hy_profile_end(&j->profile, hy_clock_s() - start);
	return status;
}

static hardy_status make(job *j, const hy_network_config *network, const hy_step_options *o, hardy_error *err)
{
	hardy_status status = hy_network_init(&j->network, network, err);
	if (status)
		return status;
	hy_params_draw(&j->network.params, 1);
	if (!(j->step = hy_step_new(&j->network, o, err)))
		return err->status;
	j->tape = hy_step_tape(j->step);
	status = hy_profile_init(&j->profile, &j->tape, 1, err);
	if (status)
		return status;
	const size_t n = (size_t)(o->batch * o->height * o->width);
	j->image = hy_alloc(n, sizeof *j->image);
	j->label = hy_alloc(n, 1);
	if (!j->image || !j->label)
		return hy_fail_memory(err, "a batch", n, sizeof *j->image);
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < n; i++) {
		j->image[i] = (float)hy_rng_uniform(&g);
		j->label[i] = (uint8_t)hy_rng_below(&g, 4);
	}
	return HARDY_OK;
}

static void write(hy_bench *b, const job *j, const hy_step_options *s, double build_s, const hy_timing *t)
{
	const bool cooperative = b->cooperative;
	const char *network = b->o->network;
	const hy_work w = hy_profile_sum(&j->profile, &b->roof);
	const double gflop = w.flop * 1e-9, rate = gflop / t->min_s, peak = hy_peak_mb();
	const double nominal = NOMINAL_GFLOP * (double)(s->batch * s->height * s->width) / (20 * 192 * 192);
	cJSON *r = hy_row_new(b, "step");
	hy_row_text(b, r, "network", network);
	hy_row_text(b, r, "training", cooperative ? "cooperative" : "standard");
	hy_row_number(b, r, "size", (double)s->height);
	hy_row_number(b, r, "batch", (double)s->batch);
	if (cooperative)
		hy_row_text(b, r, "schemes", b->o->schemes);
	hy_row_timing(b, r, t);
	hy_row_number(b, r, "build_s", build_s);
	hy_row_number(b, r, "gflop", gflop);
	hy_row_number(b, r, "gflops", rate);
	hy_row_number(b, r, "share_of_peak", rate / b->roof.fma_gflops);
	if (cooperative) {
		hy_row_number(b, r, "nominal_gflop", nominal);
		hy_row_number(b, r, "nominal_gflops", nominal / t->min_s);
		hy_row_number(b, r, "nominal_share_of_peak", nominal / t->min_s / b->roof.fma_gflops);
	}
	hy_row_number(b, r, "gb", w.bytes * 1e-9);
	hy_row_number(b, r, "gbs", w.bytes / t->min_s * 1e-9);
	hy_row_number(b, r, "bound_s", w.bound_s);
	hy_row_number(b, r, "share_of_bound", w.bound_s / t->min_s);
	hy_row_number(b, r, "plan_mb", (double)hy_tape_bytes(j->tape) / 1048576);
	hy_row_number(b, r, "peak_rss_mb", peak);
	hy_row_done(b, r);
	hy_bench_print(b, "%s step of %s, %lld slices of %lld x %lld on %s: %.4f s (median %.4f of %d; built in %.2f s)\n",
	               cooperative ? "cooperative" : "standard", network, (long long)s->batch, (long long)s->height,
	               (long long)s->width, b->on, t->min_s, t->median_s, t->n, build_s);
	hy_bench_print(b, "  %.1f GFLOP, %.1f GFLOP/s, %.0f%% of peak", gflop, rate, 100 * rate / b->roof.fma_gflops);
	if (cooperative)
		hy_bench_print(b, "; counted as %.1f GFLOP, %.1f GFLOP/s, %.0f%% of peak", nominal, nominal / t->min_s,
		               100 * nominal / t->min_s / b->roof.fma_gflops);
	hy_bench_print(b, "\n  %.1f GB, %.1f GB/s; bound %.4f s, %.0f%% of it reached; plan %.0f MB, peak memory %.0f MB\n",
	               w.bytes * 1e-9, w.bytes / t->min_s * 1e-9, w.bound_s, 100 * w.bound_s / t->min_s,
	               (double)hy_tape_bytes(j->tape) / 1048576, peak);
}

hardy_status hy_bench_step(hy_bench *b, hardy_error *err)
{
	hy_step_options s;
	hy_step_options_init(&s);
	s.batch = b->o->batch;
	s.height = s.width = b->o->size;
	s.cooperative = b->cooperative;
	s.w_dice = b->network.kind == HY_NETWORK_UNET ? 1 : 0; /* as each is trained */
	s.engine = b->engine;
	s.mask_i.scheme = b->schemes[0];
	s.mask_s.scheme = b->schemes[1];
	job j = {.iteration = 0};
	hy_timing t;
	const hy_repeat repeat = {.warm_up = 2, .runs = (int)b->o->steps};
	hy_peak_reset();
	const double start = hy_clock_s();
	hardy_status status = make(&j, &b->network, &s, err);
	const double build_s = hy_clock_s() - start;
	if (!status)
		status = hy_clock_repeat(&repeat, run_once, &j, &t, err);
	if (!status)
		write(b, &j, &s, build_s, &t);
	if (!status && b->o->profile)
		status = hy_profile_write(b, &j.profile, b->o->shapes, err);
	hy_profile_clear(&j.profile);
	hy_step_free(j.step);
	hy_network_clear(&j.network);
	hy_free(j.image);
	hy_free(j.label);
	return status;
}
