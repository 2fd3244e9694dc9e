/*
 * quality.c: quality.csv.
 */
#include "predict/quality.h"

#include "base/csv.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const before[] = {"scan",
                                     "output",
                                     "frame",
                                     "status",
                                     "mean_entropy",
                                     "disagreement",
                                     "reconstruction_error",
                                     "reconstruction_z",
                                     "predicted_dice",
                                     "predicted_dice_low"},
                         *const behind[] = {"n_warnings", "warnings"};
static const char *const of_heart[] = {"time_ms", "phase"}, *const of_lv[] = {"lv_edv_ml", "lv_esv_ml", "lv_ef_percent"},
                         *const of_rv[] = {"rv_edv_ml", "rv_esv_ml", "rv_ef_percent"};
enum { N_BEFORE = sizeof before / sizeof *before, N_BEHIND = sizeof behind / sizeof *behind, MAX_FIELDS = 512 };
enum {
	N_OF_HEART = 2,
	N_OF_VENTRICLE = 3,
	MOST_COLUMNS = N_BEFORE + HY_MAX_CLASSES + N_OF_HEART + 2 * N_OF_VENTRICLE + N_BEHIND
};

const hy_quality_heart hy_quality_no_heart = {.time_ms = NAN, .lv = {NAN, NAN, NAN, NAN}, .rv = {NAN, NAN, NAN, NAN}};

int hy_quality_class(const char *name, const hy_class *classes, int n_classes)
{
	for (int c = 1; c < n_classes; c++)
		if (!strcmp(classes[c].name, name))
			return c;
	return 0;
}

/* What stands between the volumes and the warnings: a list at a time. */
static const char *title_behind_volumes(int k, const hy_class *classes, int n_classes)
{
	const bool lv = hy_quality_class("LV", classes, n_classes), rv = hy_quality_class("RV", classes, n_classes);
	const struct {
		const char *const *titles;
		int n;
	} lists[] = {{of_heart, lv || rv ? N_OF_HEART : 0},
	             {of_lv, lv ? N_OF_VENTRICLE : 0},
	             {of_rv, rv ? N_OF_VENTRICLE : 0},
	             {behind, N_BEHIND}};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; k -= lists[i++].n)
		if (k < lists[i].n)
			return lists[i].titles[k];
	return NULL;
}

/* The title of column k, or NULL behind the last one; text is room for it. */
static const char *title(int k, const hy_class *classes, int n_classes, char text[HY_NAME_SIZE + 16])
{
	if (k < N_BEFORE)
		return before[k];
	k -= N_BEFORE;
	if (k >= n_classes - 1)
		return title_behind_volumes(k - (n_classes - 1), classes, n_classes);
	snprintf(text, HY_NAME_SIZE + 16, "volume_%s_ml", classes[k + 1].name);
	return text;
}

void hy_quality_header(hy_outfile *f, const hy_class *classes, int n_classes)
{
	char text[HY_NAME_SIZE + 16];
	const char *name;
	for (int k = 0; (name = title(k, classes, n_classes, text)); k++)
		hy_outfile_csv_text(f, name);
	hy_outfile_csv_end(f);
}

static void put_ventricle(hy_outfile *f, const char *name, const hy_ventricle *v, const hy_class *classes, int n_classes)
{
	if (!hy_quality_class(name, classes, n_classes))
		return;
	hy_outfile_csv_number(f, v->edv_ml, 6);
	hy_outfile_csv_number(f, v->esv_ml, 6);
	hy_outfile_csv_number(f, v->ef_percent, 6);
}

static void put_heart(hy_outfile *f, const hy_quality_heart *h, const hy_class *classes, int n_classes)
{
	if (hy_quality_class("LV", classes, n_classes) || hy_quality_class("RV", classes, n_classes)) {
		hy_outfile_csv_number(f, h->time_ms, 6);
		hy_outfile_csv_text(f, h->phase);
	}
	put_ventricle(f, "LV", &h->lv, classes, n_classes);
	put_ventricle(f, "RV", &h->rv, classes, n_classes);
}

void hy_quality_row(hy_outfile *f, const char *scan, const char *output, int64_t frame, const hy_quality_values *v,
                    const hy_quality_heart *heart, const hy_class *classes, int n_classes)
{
	hy_outfile_csv_text(f, scan);
	hy_outfile_csv_text(f, output);
	hy_outfile_csv_number(f, frame < 0 ? NAN : (double)frame, 15);
	hy_outfile_csv_plain(f, "ok");
	hy_outfile_csv_number(f, v->mean_entropy, 6);
	hy_outfile_csv_number(f, v->disagreement, 6);
	hy_outfile_csv_number(f, v->reconstruction_error, 6);
	hy_outfile_csv_number(f, v->reconstruction_z, 6);
	hy_outfile_csv_number(f, v->predicted_dice, 6);
	hy_outfile_csv_number(f, v->predicted_low, 6);
	for (int c = 1; c < n_classes; c++)
		hy_outfile_csv_number(f, v->volume_ml[c], 6);
	put_heart(f, heart, classes, n_classes);
	hy_outfile_csv_number(f, v->n_warnings, 10);
	hy_outfile_csv_text(f, v->warnings);
	hy_outfile_csv_end(f);
}

void hy_quality_failure(hy_outfile *f, const char *scan, const char *message, const hy_class *classes, int n_classes)
{
	hy_outfile_csv_text(f, scan);
	hy_outfile_csv_plain(f, ",,failed,,,,,,");
	for (int c = 1; c < n_classes; c++)
		hy_outfile_csv_plain(f, "");
	put_heart(f, &hy_quality_no_heart, classes, n_classes);
	hy_outfile_csv_plain(f, "");
	hy_outfile_csv_text(f, message);
	hy_outfile_csv_end(f);
}

/* ---- rows of an earlier run --------------------------------------------------------------------------------------------- */

static bool is_there(const char *folder, const char *output)
{
	char *path = hy_path_join(folder[0] ? folder : ".", output);
	const bool there = path && hy_path_exists(path);
	hy_free(path);
	return there;
}

hardy_status hy_quality_keep(hy_outfile *f, const char *path, const char *folder, const hy_class *classes, int n_classes,
                             bool (*taken)(void *payload, const char *scan, const char *output), void *payload,
                             hardy_error *err)
{
	char *text = NULL, *titles[MAX_FIELDS], *fields[MAX_FIELDS], room[HY_NAME_SIZE + 16];
	const char *name;
	size_t size = 0, from[MOST_COLUMNS], n_columns = 0;
	if (!hy_path_exists(path))
		return HARDY_OK;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	hy_csv csv = hy_csv_begin(text);
	const size_t n_titles = hy_csv_row(&csv, titles, MAX_FIELDS);
	for (; (name = title((int)n_columns, classes, n_classes, room)); n_columns++) {
		size_t *k = &from[n_columns];
		for (*k = 0; *k < n_titles && *k < MAX_FIELDS && strcmp(titles[*k], name) != 0; ++*k)
			;
	}
	const bool ours = n_titles <= MAX_FIELDS && from[0] < n_titles && from[1] < n_titles;
	while (ours) {
		const size_t n = hy_csv_row(&csv, fields, MAX_FIELDS);
		if (!n)
			break;
		if (n != n_titles)
			continue;
		const char *scan = fields[from[0]], *output = fields[from[1]];
		if ((taken && taken(payload, scan, output)) || (output[0] && !is_there(folder, output)))
			continue;
		for (size_t k = 0; k < n_columns; k++)
			hy_outfile_csv_text(f, from[k] < n ? fields[from[k]] : "");
		hy_outfile_csv_end(f);
	}
	hy_free(text);
	return HARDY_OK;
}
