/*
 * predict.c: times `hardy predict` from start to end as its user does: a process of its own that starts, loads the model, reads the
 * scan, resamples, predicts, goes back to the scan's grid and writes.
 */
#include "predict/model.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/scratch.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/process.h"
#include "bench/scan.h"

#include <stdio.h>
#include <string.h>

/* A network with drawn weights: what it predicts is nonsense, but costs the same. */
static hardy_status write_model(const char *path, const hy_network_config *network, int64_t size, hardy_error *err)
{
	static const char *const names[] = {"background", "LV", "MYO", "RV"};
	hy_model m = {.n_classes = 4, .n_channels = 1};
	hardy_status status = hy_network_init(&m.network, network, err);
	if (status)
		return status;
	hy_params_draw(&m.network.params, 1);
	hy_network_reset_statistics(&m.network);
	hy_plan_init(&m.plan);
	m.plan.size = size;
	for (int i = 0; i < m.n_classes; i++) {
		m.classes[i] = (hy_class){.value = i, .present = true};
		snprintf(m.classes[i].name, sizeof m.classes[i].name, "%s", names[i]);
	}
	snprintf(m.channels[0], sizeof m.channels[0], "image");
	status = hy_model_save(&m, path, NULL, NULL, err);
	hy_model_clear(&m);
	return status;
}

typedef struct job {
	const char *arguments[9];
	const char *messages;
	double peak_mb, seconds[HY_MAX_RUNS];
} job;

static void write(hy_bench *b, const job *j, const char *model, const char *scan, const hy_timing *t)
{
	cJSON *r = hy_row_new(b, "predict");
	hy_row_text(b, r, "model", b->o->n_files ? model : "drawn weights");
	hy_row_text(b, r, "scan", b->o->n_files ? scan : "phantom");
	if (!b->o->n_files) {
		hy_row_number(b, r, "size", (double)b->o->size);
		hy_row_number(b, r, "slices", (double)b->o->slices);
	}
	hy_row_timing(b, r, t);
	hy_row_number(b, r, "peak_rss_mb", j->peak_mb);
	hy_row_done(b, r);
	hy_bench_print(b, "hardy predict from start to end on %s: %.4f s (median %.4f of %d), peak memory %.0f MB\n", b->on,
	               t->min_s, t->median_s, t->n, j->peak_mb);
}

static hardy_status run(hy_bench *b, job *j, const char *model, const char *scan, const char *output, hardy_error *err)
{
	char threads[16];
	snprintf(threads, sizeof threads, "%d", b->threads);
	const char *const arguments[] = {b->o->program, "predict", model, scan, "-o", output, "--threads", threads, NULL};
	memcpy(j->arguments, arguments, sizeof arguments);
	const int n = (int)b->o->steps;
	for (int i = 0; i <= n; i++) { /* the first brings program and files into memory */
		hy_process_cost cost;
		const hardy_status status = hy_process_run(j->arguments, j->messages, &cost, err);
		if (status)
			return status;
		if (i)
			j->seconds[i - 1] = cost.wall_s;
		j->peak_mb = cost.peak_mb > j->peak_mb ? cost.peak_mb : j->peak_mb;
	}
	const hy_timing t = hy_timing_of(j->seconds, n);
	write(b, j, model, scan, &t);
	return HARDY_OK;
}

hardy_status hy_bench_predict(hy_bench *b, hardy_error *err)
{
	const hardy_bench_options *o = b->o;
	if (!o->program)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "which program to start is not said; want the path of hardy");
	if (o->n_files != 0 && o->n_files != 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s named, want a model and a scan, or none", HY_COUNT(o->n_files, "file"));
	char *folder = NULL, *paths[4] = {NULL};
	static const char *const names[4] = {"model.safetensors", "scan.nii.gz", "label.nii.gz", "messages"};
	job *j = hy_calloc(1, sizeof *j);
	hardy_status status = hy_scratch_make(o->folder, "hardy-bench", &folder, err);
	for (int k = 0; k < 4 && !status; k++)
		if (!(paths[k] = hy_path_join(folder, names[k])) || !j)
			status = hy_fail_memory(err, "a path", 1, strlen(names[k]));
	if (!status && !o->n_files)
		status = write_model(paths[0], &b->network, o->size, err);
	if (!status && !o->n_files)
		status = hy_phantom_scan(folder, paths[1], o->slices, err);
	if (!status) {
		j->messages = paths[3];
		status = run(b, j, o->n_files ? o->files[0] : paths[0], o->n_files ? o->files[1] : paths[1], paths[2], err);
	}
	for (int k = 0; k < 4; k++)
		hy_free(paths[k]);
	hy_scratch_remove(folder);
	hy_free(j);
	return status;
}
