/*
 * bench.c: the measurements on tiny sizes: their rows as JSON, what the figures add up to, and options that are refused.
 */
#include "bench/clock.h"
#include "bench/process.h"
#include "bench/profile.h"

#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "engine/ops.h"
#include "image/nifti.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- timing ------------------------------------------------------------------------------------------------------------- */

static void median_of_runs(void **state)
{
	(void)state;
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {7};
	hy_timing t = hy_timing_of(odd, 3);
	assert_true(t.min_s == 1 && t.median_s == 2 && t.n == 3);
	t = hy_timing_of(even, 4);
	assert_true(t.min_s == 1 && t.median_s == 2.5 && t.n == 4);
	t = hy_timing_of(one, 1);
	assert_true(t.min_s == 7 && t.median_s == 7 && t.n == 1);
}

typedef struct counter {
	int calls, fails_at;
} counter;

static hardy_status count(void *payload, hardy_error *err)
{
	counter *c = payload;
	return ++c->calls == c->fails_at ? hy_fail(err, HARDY_ERROR_DATA, "call %d", c->calls) : HARDY_OK;
}

static hardy_status linger(void *payload, hardy_error *err)
{
	const double end = hy_clock_s() + .002;
	while (hy_clock_s() < end)
		;
	return count(payload, err);
}

static void repeats_as_asked(void **state)
{
	(void)state;
	hardy_error err;
	hy_timing t;
	counter c = {0};
	hy_repeat r = {.warm_up = 2, .runs = 5};
	assert_ok(hy_clock_repeat(&r, count, &c, &t, &err), &err);
	assert_int_equal(c.calls, 7);
	assert_int_equal(t.n, 5);
	c = (counter){0};
	r = (hy_repeat){.runs = 1, .at_least = .01};
	assert_ok(hy_clock_repeat(&r, linger, &c, &t, &err), &err);
	assert_in_range(t.n, 1, 5);
	assert_true(t.min_s >= .002 && t.median_s >= t.min_s);
	c = (counter){0};
	r = (hy_repeat){.runs = 100, .at_most = .001};
	assert_ok(hy_clock_repeat(&r, linger, &c, &t, &err), &err);
	assert_int_equal(t.n, 1);
	c = (counter){.fails_at = 3};
	r = (hy_repeat){.warm_up = 1, .runs = 5};
	assert_int_equal(hy_clock_repeat(&r, count, &c, &t, &err), HARDY_ERROR_DATA);
	assert_int_equal(c.calls, 3);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------------- */

static void bound_is_the_slower_of_both(void **state)
{
	(void)state;
	const hy_roof r = {.fma_gflops = 100, .read_gbs = 20, .triad_gbs = 10};
	assert_true(fabs(hy_roof_bound(&r, 200e9, 20e9) - 2) < 1e-12);
	assert_true(fabs(hy_roof_bound(&r, 200e9, 80e9) - 4) < 1e-12);
	assert_true(hy_roof_bound(&(hy_roof){0}, 1, 1) == 0);
}

/* A convolution with two gradients: every tensor once, the added one twice, the weights. */
static void bytes_of_an_instruction(void **state)
{
	(void)state;
	hardy_error err;
	hy_params p = {0};
	hy_tape t;
	const int w = hy_params_add(&p, "w", 4, (const int64_t[]){32, 16, 3, 3}, false, HY_INIT_ZERO, 1);
	const int v = hy_params_add(&p, "v", 4, (const int64_t[]){32, 16, 1, 1}, false, HY_INIT_ZERO, 1);
	assert_true(w >= 0 && v >= 0);
	assert_ok(hy_params_allocate(&p, &err), &err);
	assert_ok(hy_tape_init(&t, &p, &(hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN}, &err), &err);
	const int x = hy_tape_value(&t, 2, 16, 4, 8, true), from = hy_tape_mark(&t);
	const int y = hy_op_conv(&t, x, w, -1, 3, 1, false, true), z = hy_op_conv(&t, x, v, -1, 1, 1, false, true);
	hy_tape_gradients_begin(&t);
	hy_tape_gradient_set(&t, y, hy_tape_value(&t, 2, 32, 4, 8, true));
	hy_tape_gradient_set(&t, z, hy_tape_value(&t, 2, 32, 4, 8, true));
	hy_tape_back(&t, from, hy_tape_mark(&t), HY_BACK_WEIGHTS);
	assert_ok(hy_tape_compile(&t, &err), &err);
	assert_int_equal(t.n_instructions, 6);
	const double in = 4 * 2 * 16 * 32, out = 2 * in, big = 4 * 32 * 16 * 9, small = 4 * 32 * 16;
	/* in order: both forward; then v's weights and data, w's weights and data, which adds */
	const double want[] = {in + out + big,   in + out + small, in + out + small,
	                       in + out + small, in + out + big,   2 * in + out + big};
	for (int i = 0; i < 6; i++)
		if (hy_instruction_bytes(&t, &t.instructions[i]) != want[i])
			fail_msg("%s moves %g bytes, want %g", t.instructions[i].name, hy_instruction_bytes(&t, &t.instructions[i]),
			         want[i]);
	hy_tape_clear(&t);
	hy_params_clear(&p);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static char *report;
static size_t report_size;

static void keep(void *payload, const char *text, size_t size)
{
	(void)payload;
	report = hy_realloc(report, report_size + size + 1, 1);
	assert_non_null(report);
	memcpy(report + report_size, text, size);
	report_size += size;
	report[report_size] = 0;
}

static const hardy_sink sink = {keep, NULL};

static void forget(void)
{
	hy_free(report);
	report = NULL;
	report_size = 0;
}

static hardy_bench_options tiny(const char *what)
{
	hardy_bench_options o;
	hardy_bench_options_init(&o);
	o.what = what;
	o.size = 32;
	o.batch = 2;
	o.slices = 3;
	o.steps = 1;
	o.seconds = 0;
	o.threads = "1";
	o.json = true;
	o.folder = scratch_folder();
	o.program = getenv("HARDY_PROGRAM");
	return o;
}

/* The report's lines, each parsed; an array. */
static cJSON *measure(const hardy_bench_options *o)
{
	hardy_error err;
	forget();
	assert_ok(hardy_bench(o, &sink, NULL, &err), &err);
	assert_non_null(report);
	cJSON *rows = cJSON_CreateArray();
	for (const char *at = report; *at;) {
		const char *end;
		cJSON *row = cJSON_ParseWithOpts(at, &end, false);
		if (!cJSON_IsObject(row) || *end != '\n')
			fail_msg("not a line of JSON: %.200s", at);
		hy_json_append(rows, row);
		at = end + 1;
	}
	return rows;
}

static double number(const cJSON *row, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(row, key);
	if (!cJSON_IsNumber(v))
		fail_msg("no number \"%s\"", key);
	return v->valuedouble;
}

static const char *text(const cJSON *row, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(row, key);
	if (!cJSON_IsString(v))
		fail_msg("no text \"%s\"", key);
	return v->valuestring;
}

static const cJSON *row_of(const cJSON *rows, const char *bench)
{
	const cJSON *row;
	cJSON_ArrayForEach(row, rows) if (!strcmp(text(row, "bench"), bench)) return row;
	fail_msg("no row \"%s\"", bench);
	return NULL;
}

static void assert_near(double found, double want, double share)
{
	if (!(fabs(found - want) <= share * fabs(want)))
		fail_msg("%g, want %g", found, want);
}

static void assert_timing(const cJSON *row)
{
	assert_true(number(row, "min_s") > 0 && number(row, "median_s") >= number(row, "min_s"));
	assert_true(number(row, "n_runs") >= 1);
	assert_int_equal((int)number(row, "threads"), 1);
}

static void assert_machine(const cJSON *rows)
{
	const cJSON *m = row_of(rows, "machine");
	assert_true(number(m, "fma_gflops") > 0 && number(m, "read_gbs") > 0 && number(m, "triad_gbs") > 0);
	assert_string_equal(text(m, "hardy"), hardy_version());
	assert_true(strlen(text(m, "processor")) > 0);
}

static void assert_rates(const cJSON *row)
{
	assert_near(number(row, "gflops"), number(row, "gflop") / number(row, "min_s"), 1e-4);
	assert_near(number(row, "gbs"), number(row, "gb") / number(row, "min_s"), 1e-4);
	assert_near(number(row, "share_of_bound"), number(row, "bound_s") / number(row, "min_s"), 1e-4);
	assert_true(number(row, "peak_rss_mb") > 1);
}

static void step(void **state)
{
	(void)state;
	hardy_bench_options o = tiny("step");
	o.profile = true;
	cJSON *rows = measure(&o);
	assert_machine(rows);
	const cJSON *s = row_of(rows, "step"), *row;
	assert_timing(s);
	assert_rates(s);
	assert_string_equal(text(s, "training"), "cooperative");
	assert_string_equal(text(s, "schemes"), "channel,spatial");
	assert_near(number(s, "nominal_gflop"), 780. * 2 * 32 * 32 / (20 * 192 * 192), 1e-5);
	assert_near(number(s, "nominal_gflops"), number(s, "nominal_gflop") / number(s, "min_s"), 1e-4);
	assert_near(number(s, "nominal_share_of_peak"), number(s, "nominal_gflops") / number(row_of(rows, "machine"), "fma_gflops"),
	            1e-4);
	/* the plan's own arithmetic is near what the step counts as */
	assert_near(number(s, "gflop"), number(s, "nominal_gflop"), .1);
	double gflop = 0, bound = 0, share = 0, gb = 0;
	int n = 0, models = 0;
	cJSON_ArrayForEach(row, rows)
	{
		if (!strcmp(text(row, "bench"), "operator")) {
			gflop += number(row, "gflop");
			gb += number(row, "gb");
			bound += number(row, "bound_s");
			share += number(row, "share_of_time");
			n++;
		}
		models += !strcmp(text(row, "bench"), "model");
	}
	assert_true(n > 10 && models > 3);
	assert_near(gflop, number(s, "gflop"), 1e-4);
	assert_near(gb, number(s, "gb"), 1e-4);
	assert_near(bound, number(s, "bound_s"), 1e-4);
	assert_near(share, 1, 1e-4);
	cJSON_Delete(rows);
}

static void standard_step_by_shapes(void **state)
{
	(void)state;
	hardy_bench_options o = tiny("step");
	o.standard = o.profile = o.shapes = true;
	o.isa = "plain";
	o.library = "plain";
	o.size = 16;
	o.threads = "1,2";
	cJSON *rows = measure(&o);
	const cJSON *s = row_of(rows, "step"), *row;
	assert_timing(s);
	assert_rates(s);
	assert_string_equal(text(s, "training"), "standard");
	assert_string_equal(text(s, "isa"), "plain");
	assert_null(cJSON_GetObjectItem(s, "nominal_gflops"));
	int n_steps = 0, found = 0;
	cJSON_ArrayForEach(row, rows)
	{
		if (!strcmp(text(row, "bench"), "step"))
			assert_int_equal((int)number(row, "threads"), ++n_steps);
		found += !strcmp(text(row, "bench"), "operator") && !strcmp(text(row, "operator"), "conv 16>32 8x8 k3 s1");
	}
	assert_int_equal(n_steps, 2);
	assert_int_equal(found, 2);
	cJSON_Delete(rows);
}

static void infer(void **state)
{
	(void)state;
	hardy_bench_options o = tiny("infer");
	o.threads = "1,2";
	cJSON *rows = measure(&o);
	const cJSON *r = row_of(rows, "infer"), *row;
	assert_machine(rows);
	assert_timing(r);
	assert_int_equal((int)number(r, "slices"), 3);
	/* threads with slices of their own do the same work together */
	int n = 0;
	cJSON_ArrayForEach(row, rows)
	{
		if (strcmp(text(row, "bench"), "infer"))
			continue;
		assert_rates(row);
		assert_near(number(row, "gflop"), number(r, "gflop"), 1e-6);
		n++;
	}
	assert_int_equal(n, 2);
	cJSON_Delete(rows);
}

static void kernels(void **state)
{
	(void)state;
	const hardy_bench_options o = tiny("kernels");
	cJSON *rows = measure(&o);
	const cJSON *row;
	int n = 0, n_role[3] = {0}, n_plain = 0, n_stem = 0;
	assert_machine(rows);
	cJSON_ArrayForEach(row, rows)
	{
		if (strcmp(text(row, "bench"), "kernels"))
			continue;
		assert_timing(row);
		const double gflop = 2 * number(row, "n") * number(row, "ic") * number(row, "oc") * number(row, "k") *
		                     number(row, "k") * number(row, "oh") * number(row, "ow") * 1e-9;
		assert_near(number(row, "gflop"), gflop, 1e-5);
		assert_near(number(row, "gflops"), gflop / number(row, "min_s"), 1e-4);
		const char *role = text(row, "role");
		n_role[!strcmp(role, "data") ? 1 : !strcmp(role, "weights") ? 2 : 0]++;
		n_plain += !strcmp(text(row, "library"), "plain");
		n_stem += !strcmp(text(row, "kind"), "stem");
		n++;
	}
	assert_true(n_role[0] > 10 && n_role[1] > 10 && n_role[2] > 10);
	assert_true(n_plain > 30 && n_plain <= n && n_stem >= 5);
	cJSON_Delete(rows);
}

static void artefacts(void **state)
{
	(void)state;
	const hardy_bench_options o = tiny("artefacts");
	cJSON *rows = measure(&o);
	const cJSON *row;
	int n = 0;
	cJSON_ArrayForEach(row, rows)
	{
		if (strcmp(text(row, "bench"), "artefacts"))
			continue;
		assert_timing(row);
		assert_int_equal((int)number(row, "slices"), 3);
		n += !strcmp(text(row, "artefact"), "bias") || !strcmp(text(row, "artefact"), "spike");
	}
	assert_int_equal(n, 2);
	cJSON_Delete(rows);
}

static void metrics(void **state)
{
	(void)state;
	/* a block of 4 x 4 x 4 and the same one voxel on */
	hardy_error err;
	hy_volume like = {.nt = 1};
	uint8_t block[10 * 10 * 10] = {0}, moved[10 * 10 * 10] = {0};
	hy_grid_set_simple(&like.grid, 10, 10, 10, 1, 1, 1);
	for (int z = 3; z < 7; z++)
		for (int y = 3; y < 7; y++)
			for (int x = 3; x < 7; x++) {
				block[(z * 10 + y) * 10 + x] = 2;
				moved[(z * 10 + y) * 10 + x + 1] = 2;
			}
	const char *const files[] = {scratch_path("block.nii.gz"), scratch_path("moved.nii.gz")};
	assert_ok(hy_nifti_write_labels(files[0], &like, block, 1, &(hy_origin){.overwrite = true}, &err), &err);
	assert_ok(hy_nifti_write_labels(files[1], &like, moved, 1, &(hy_origin){.overwrite = true}, &err), &err);
	hardy_bench_options o = tiny("metrics");
	o.files = files;
	o.n_files = 2;
	o.label = 2;
	o.tolerance_mm = .5;
	cJSON *rows = measure(&o);
	const cJSON *row;
	int n = 0;
	cJSON_ArrayForEach(row, rows)
	{
		if (strcmp(text(row, "bench"), "metrics"))
			continue;
		assert_timing(row);
		n++;
		if (!strcmp(text(row, "metric"), "dice"))
			assert_near(number(row, "value"), .75, 1e-6);
		if (!strcmp(text(row, "metric"), "hd95"))
			assert_near(number(row, "value"), 1, 1e-6);
	}
	assert_int_equal(n, 6);
	cJSON_Delete(rows);
	o.n_files = 0;
	o.label = 1;
	rows = measure(&o);
	assert_true(number(row_of(rows, "metrics"), "value") > .1);
	cJSON_Delete(rows);
	o.n_files = 1;
	assert_int_equal(hardy_bench(&o, &sink, NULL, &err), HARDY_ERROR_ARGUMENT);
}

/* ---- processes ---------------------------------------------------------------------------------------------------------- */

static void predict(void **state)
{
	(void)state;
	hardy_bench_options o = tiny("predict");
	hardy_error err;
	assert_non_null(o.program);
	cJSON *rows = measure(&o);
	const cJSON *r = row_of(rows, "predict");
	assert_timing(r);
	assert_true(number(r, "peak_rss_mb") > 5);
	assert_string_equal(text(r, "scan"), "phantom");
	cJSON_Delete(rows);
	/* what the program says when it fails is told */
	const char *const files[] = {"no-model.safetensors", "no-scan.nii.gz"};
	o.files = files;
	o.n_files = 2;
	assert_int_equal(hardy_bench(&o, &sink, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "no-model.safetensors"));
	o.n_files = 0;
	o.program = scratch_path("no-program");
	assert_int_equal(hardy_bench(&o, &sink, NULL, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "no-program"));
	o.folder = o.program;
	assert_int_equal(hardy_bench(&o, &sink, NULL, &err), HARDY_ERROR_IO);
	assert_int_equal(scratch_n_files(), 0);
}

static void peak_is_forgotten(void **state)
{
	(void)state;
	const size_t size = (size_t)64 << 20;
	hy_peak_reset();
	const double before = hy_peak_mb();
	char *p = hy_alloc(size, 1);
	assert_non_null(p);
	memset(p, 1, size);
	assert_true(p[size / 2] == 1);
	assert_true(hy_peak_mb() > before + 50);
	hy_free(p);
	hy_peak_reset();
	if (hy_peak_mb() > before + 50) {
		fprintf(stderr, "the peak cannot be reset here\n");
		skip();
	}
}

/* ---- text and refusals -------------------------------------------------------------------------------------------------- */

static void as_text(void **state)
{
	(void)state;
	hardy_bench_options o = tiny("step");
	hardy_error err;
	o.json = false;
	o.profile = true;
	o.size = 16;
	forget();
	assert_ok(hardy_bench(&o, &sink, NULL, &err), &err);
	assert_null(strchr(report, '{'));
	assert_non_null(strstr(report, "cooperative step of study, 2 slices of 16 x 16 on 1 thread: "));
	assert_non_null(strstr(report, " GFLOP/s"));
	assert_non_null(strstr(report, "norm back"));
	assert_non_null(strstr(report, "outside the tape"));
}

static void refused(hardy_bench_options o, const char *why)
{
	hardy_error err;
	forget();
	assert_int_equal(hardy_bench(&o, &sink, NULL, &err), HARDY_ERROR_ARGUMENT);
	if (!strstr(err.message, why))
		fail_msg("\"%s\" does not say \"%s\"", err.message, why);
	assert_null(report);
}

static void bad_options(void **state)
{
	(void)state;
	const hardy_bench_options good = tiny("step");
	hardy_bench_options o = good;
#define REFUSED(field, value, why) (o = good, o.field = (value), refused(o, why))
	REFUSED(what, "nothing", "\"nothing\" cannot be measured");
	REFUSED(size, 40, "size is 40");
	REFUSED(size, 0, "size is 0");
	REFUSED(batch, 1, "batch is 1");
	REFUSED(slices, 0, "slices is 0");
	REFUSED(steps, 0, "steps is 0");
	REFUSED(steps, 1001, "steps is 1001");
	REFUSED(seconds, -1, "seconds");
	REFUSED(seconds, NAN, "seconds");
	REFUSED(label, 256, "label is 256");
	REFUSED(tolerance_mm, -1, "tolerance");
	REFUSED(schemes, "channel", "schemes are \"channel\"");
	REFUSED(schemes, "channel,", "schemes");
	REFUSED(schemes, "channel,spatial,channel", "schemes");
	REFUSED(threads, "", "threads are \"\"");
	REFUSED(threads, "1,", "threads");
	REFUSED(threads, "-1", "threads");
	REFUSED(threads, "1025", "threads");
	REFUSED(threads, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "threads");
	REFUSED(isa, "sse", "isa is \"sse\", want one of auto|plain");
	REFUSED(library, "mkl", "library is \"mkl\"");
	REFUSED(n_files, (o.files = (const char *const[]){"a", "b"}, (size_t)2), "step takes no files");
#undef REFUSED
}

static int leave(void **state)
{
	(void)state;
	forget();
	scratch_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(median_of_runs),
	    cmocka_unit_test(repeats_as_asked),
	    cmocka_unit_test(bound_is_the_slower_of_both),
	    cmocka_unit_test(bytes_of_an_instruction),
	    cmocka_unit_test(step),
	    cmocka_unit_test(standard_step_by_shapes),
	    cmocka_unit_test(infer),
	    cmocka_unit_test(kernels),
	    cmocka_unit_test(predict),
	    cmocka_unit_test(artefacts),
	    cmocka_unit_test(metrics),
	    cmocka_unit_test(peak_is_forgotten),
	    cmocka_unit_test(as_text),
	    cmocka_unit_test(bad_options),
	};
	return cmocka_run_group_tests(tests, NULL, leave);
}
