/*
 * bench.c: options, rows of results, and which measurement runs.
 */
#include "bench/bench.h"

#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	hardy_status (*run)(hy_bench *b, hardy_error *err);
	bool roof; /* is set against what the machine can do */
	bool once; /* does not depend on the number of threads */
} benches[] = {
    {"step", hy_bench_step, true, false},
    {"infer", hy_bench_infer, true, false},
    {"predict", hy_bench_predict, false, false},
    {"kernels", hy_bench_kernels, true, false},
    {"artefacts", hy_bench_artefacts, false, false},
    {"metrics", hy_bench_metrics, false, true},
};
enum { N_BENCHES = sizeof benches / sizeof *benches, MAX_COUNTS = 16 };

#define AT(member) offsetof(hardy_bench_options, member)

static const hardy_option option_rows[] = {
    {"what", HARDY_OPTION_TEXT, AT(what), "WHAT", "What is measured.", .usual = "step",
     .use = HARDY_OPTION_ARGUMENT | HARDY_OPTION_NEEDED},
    HY_OPTION_ARGUMENTS(hardy_bench_options, files, "FILE...", "Model and scan of predict, label maps of metrics."),
    {"size", HARDY_OPTION_WHOLE, AT(size), "N", "Height and width of slices, a multiple of 16.", .usual = "192", .low = 16,
     .high = 512},
    {"batch", HARDY_OPTION_WHOLE, AT(batch), "N", "Slices of a training step.", .usual = "20", .low = 2, .high = 1024},
    {"slices", HARDY_OPTION_WHOLE, AT(slices), "N", "Slices of infer, of artefacts and of predict's phantom scan.",
     .usual = "10", .low = 1, .high = 10000},
    {"threads", HARDY_OPTION_TEXT, AT(threads), "N[,N...]", "Numbers of threads, each in turn; without it, all.", .use = 0},
    {"steps", HARDY_OPTION_WHOLE, AT(steps), "N", "Timed runs of everything, at least; 5 for figures to keep.", .usual = "5",
     .low = 1, .high = HY_MAX_RUNS},
    {"seconds", HARDY_OPTION_REAL, AT(seconds), "S",
     "Time that the runs of a short measurement take together, at least; 0: a trial, the machine measured roughly.",
     .usual = "0.2", .low = 0, .high = 3600},
    {"schemes", HARDY_OPTION_TEXT, AT(schemes), "A,B",
     "Masks of z_i and z_s: random, dropout, channel or spatial; fixed so that steps are alike.", .usual = "channel,spatial",
     .use = HARDY_OPTION_NEEDED},
    {"network", HARDY_OPTION_TEXT, AT(network), "NAME", "The study's networks, or the U-Net.", .usual = "study",
     .choices = "study|unet", .use = HARDY_OPTION_NEEDED},
    {"standard", HARDY_OPTION_SWITCH, AT(standard), NULL, "Standard training instead of cooperative.", .use = 0},
    {"profile", HARDY_OPTION_SWITCH, AT(profile), NULL,
     "step, infer: time, arithmetic, bytes and share of the bound of each operator; the bound on more threads.", .use = 0},
    {"shapes", HARDY_OPTION_SWITCH, AT(shapes), NULL, "With profile, a row for each operator and shape.", .use = 0},
    {"isa", HARDY_OPTION_TEXT, AT(isa), "NAME", "Kernels.", .usual = "auto", .choices = "auto|plain|avx2|avx512|avx512-bf16",
     .use = HARDY_OPTION_NEEDED},
    {"library", HARDY_OPTION_TEXT, AT(library), "NAME", "Convolutions.", .usual = "auto",
     .choices = "auto|plain|onednn|taps|ours", .use = HARDY_OPTION_NEEDED},
    {"label", HARDY_OPTION_WHOLE, AT(label), "N", "metrics: the class that is scored.", .usual = "1", .low = 1, .high = 255},
    {"tolerance_mm", HARDY_OPTION_REAL, AT(tolerance_mm), "MM", "metrics: of NSD.", .usual = "2", .low = 0, .high = 1000,
     .word = "tolerance"},
    {"json", HARDY_OPTION_SWITCH, AT(json), NULL, "One JSON object a line.", .use = 0},
    {"folder", HARDY_OPTION_TEXT, AT(folder), "DIR", "An existing one for temporary files.", .usual = "/tmp",
     .use = HARDY_OPTION_ARGUMENT | HARDY_OPTION_NEEDED},
    HY_OPTION_ARGUMENT(hardy_bench_options, program, "FILE", "predict: the program hardy."),
};

const hardy_options hy_bench_table = {"bench", HY_TABLE_ROWS(option_rows), sizeof(hardy_bench_options), NULL};

void hardy_bench_options_init(hardy_bench_options *o)
{
	hardy_options_default(&hy_bench_table, o);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

void hy_bench_print(hy_bench *b, const char *format, ...)
{
	char text[1024];
	if (b->o->json)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	hy_sink_printf(b->report, "%s", text);
}

cJSON *hy_row_new(hy_bench *b, const char *bench)
{
	if (!b->o->json)
		return NULL;
	cJSON *row = cJSON_CreateObject();
	b->failed |= !row;
	hy_row_text(b, row, "bench", bench);
	hy_row_text(b, row, "isa", b->kernels->name);
	hy_row_number(b, row, "threads", b->threads);
	return row;
}

void hy_row_text(hy_bench *b, cJSON *row, const char *key, const char *text)
{
	if (row)
		b->failed |= !hy_json_add(row, key, cJSON_CreateString(text));
}

void hy_row_number(hy_bench *b, cJSON *row, const char *key, double value)
{
	char text[32];
	snprintf(text, sizeof text, "%.6g", value);
	if (row)
		b->failed |= !hy_json_add(row, key, isfinite(value) ? cJSON_CreateRaw(text) : cJSON_CreateNull());
}

void hy_row_timing(hy_bench *b, cJSON *row, const hy_timing *t)
{
	hy_row_number(b, row, "min_s", t->min_s);
	hy_row_number(b, row, "median_s", t->median_s);
	hy_row_number(b, row, "n_runs", t->n);
}

void hy_row_done(hy_bench *b, cJSON *row)
{
	char *text = row ? hy_json_print(row, false) : NULL;
	if (text)
		hy_sink_printf(b->report, "%s\n", text);
	else
		b->failed |= row != NULL;
	cJSON_free(text);
	cJSON_Delete(row);
}

static void write_machine(hy_bench *b, bool roof)
{
	char name[256];
	hy_machine_name(name, sizeof name);
	const char *onednn = hy_dnnl_version();
	cJSON *row = hy_row_new(b, "machine");
	hy_row_text(b, row, "processor", name);
	hy_row_text(b, row, "hardy", hardy_version());
	hy_row_text(b, row, "onednn", onednn ? onednn : "");
	if (roof) {
		hy_row_number(b, row, "fma_gflops", b->roof.fma_gflops);
		hy_row_number(b, row, "read_gbs", b->roof.read_gbs);
		hy_row_number(b, row, "triad_gbs", b->roof.triad_gbs);
	}
	hy_row_done(b, row);
	hy_bench_print(b, "%s, %s, oneDNN %s, %s", name, b->kernels->name, onednn ? onednn : "none", b->on);
	if (roof)
		hy_bench_print(b, ": %.1f GFLOP/s, %.1f GB/s read, %.1f GB/s triad", b->roof.fma_gflops, b->roof.read_gbs,
		               b->roof.triad_gbs);
	hy_bench_print(b, "\n");
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_options(const hardy_bench_options *o, hardy_error *err)
{
	hardy_status status = hardy_options_check(&hy_bench_table, o, err);
	if (!status && o->size % 16)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "size is %lld, want a multiple of 16", (long long)o->size);
	return status;
}

/* "1,2": counts of threads; NULL or 0: what OpenMP gives. */
static hardy_status read_threads(const char *text, int counts[MAX_COUNTS], int *n, hardy_error *err)
{
	const char *at = text ? text : "0";
	for (*n = 0;; at++) {
		char *end;
		const long count = strtol(at, &end, 10);
		if (end == at || count < 0 || count > 1024 || (*end && *end != ',') || *n == MAX_COUNTS)
			return hy_fail(err, HARDY_ERROR_ARGUMENT,
			               "threads are \"%s\", want up to %d numbers of 0 to 1024 with commas between", text, MAX_COUNTS);
		counts[(*n)++] = count ? (int)count : hy_threads();
		at = end;
		if (!*at)
			return HARDY_OK;
	}
}

/* The options' words are known ones by now. */
static void read_engine(const hardy_bench_options *o, hy_network_config *network, hy_tape_options *out)
{
	static const char *const sets[] = {"auto", "plain", "avx2", "avx512", "avx512-bf16"};
	static const hy_isa isas[] = {HY_ISA_AUTO, HY_ISA_PLAIN, HY_ISA_AVX2, HY_ISA_AVX512, HY_ISA_AVX512_BF16};
	static const char *const names[] = {"auto", "plain", "onednn", "taps", "ours"};
	static const hy_conv_library libraries[] = {HY_CONV_AUTO, HY_CONV_PLAIN, HY_CONV_DNNL, HY_CONV_DIRECT, HY_CONV_WINOGRAD};
	*network = (hy_network_config){.channels = 1, .classes = 4, .decoupler = true};
	for (int k = 0; k < HY_N_NETWORKS; k++)
		if (!strcmp(o->network, hy_network_names[k]))
			network->kind = (hy_network_kind)k;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		if (!strcmp(o->isa, sets[i]))
			out->isa = isas[i];
		if (!strcmp(o->library, names[i]))
			out->library = libraries[i];
	}
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

static hardy_status run(hy_bench *b, int which, const int *counts, int n_counts, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (int i = 0; i < n_counts && !status; i++) {
		hy_threads_set(benches[which].once ? 1 : counts[i]);
		b->threads = hy_threads();
		snprintf(b->on, sizeof b->on, "%.23s", HY_COUNT(b->threads, "thread"));
		if (benches[which].roof)
			status = hy_roof_measure(b->kernels, b->o->seconds <= 0, &b->roof, err);
		if (!status) {
			write_machine(b, benches[which].roof);
			status = benches[which].run(b, err);
		}
		if (benches[which].once)
			break;
	}
	return !status && b->failed ? hy_fail_memory(err, "a row of results", 1, 1024) : status;
}

hardy_status hardy_bench(const hardy_bench_options *o, const hardy_sink *report, const hardy_log *log, hardy_error *err)
{
	hardy_error own;
	hardy_error *e = err ? err : &own;
	int which = 0, counts[MAX_COUNTS], n_counts;
	while (which < N_BENCHES && strcmp(o->what, benches[which].name))
		which++;
	if (which == N_BENCHES)
		return hy_fail(e, HARDY_ERROR_ARGUMENT,
		               "\"%s\" cannot be measured%s, want step, infer, predict, kernels, artefacts or metrics", o->what,
		               hy_meant(o->what, strlen(o->what), "step, infer, predict, kernels, artefacts, metrics").text);
	if (o->n_files && strcmp(o->what, "predict") && strcmp(o->what, "metrics"))
		return hy_fail(e, HARDY_ERROR_ARGUMENT, "%s takes no files, found %s", o->what, o->files[0]);
	hy_bench b = {.o = o, .report = report, .log = log};
	hardy_status status = check_options(o, e);
	if (!status)
		status = read_threads(o->threads, counts, &n_counts, e);
	if (!status)
		status = hy_bench_read_schemes(o->schemes, b.schemes, e);
	if (status)
		return status;
	read_engine(o, &b.network, &b.engine);
	b.cooperative = !o->standard && b.network.kind == HY_NETWORK_STUDY;
	if (!(b.kernels = hy_kernels_pick(b.engine.isa, e)))
		return e->status;
	const int before = hy_threads();
	status = run(&b, which, counts, n_counts, e);
	hy_threads_set(before);
	return status;
}
