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
enum { N_BEFORE = sizeof before / sizeof *before, N_BEHIND = sizeof behind / sizeof *behind, MAX_FIELDS = 512 };

/* The title of column k, or NULL behind the last one; text is room for it. */
static const char *title(int k, const hy_class *classes, int n_classes, char text[HY_NAME_SIZE + 16])
{
	if (k < N_BEFORE)
		return before[k];
	k -= N_BEFORE;
	if (k >= n_classes - 1)
		return k - (n_classes - 1) < N_BEHIND ? behind[k - (n_classes - 1)] : NULL;
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

void hy_quality_row(hy_outfile *f, const char *scan, const char *output, int64_t frame, const hy_prediction *p, int n_classes)
{
	hy_outfile_csv_text(f, scan);
	hy_outfile_csv_text(f, output);
	hy_outfile_csv_number(f, frame < 0 ? NAN : (double)frame, 15);
	hy_outfile_csv_plain(f, "ok");
	hy_outfile_csv_number(f, p->mean_entropy, 6);
	hy_outfile_csv_number(f, p->disagreement, 6);
	hy_outfile_csv_number(f, p->reconstruction_error, 6);
	hy_outfile_csv_number(f, p->reconstruction_z, 6);
	hy_outfile_csv_number(f, p->predicted_dice, 6);
	hy_outfile_csv_number(f, p->predicted_low, 6);
	for (int c = 1; c < n_classes; c++)
		hy_outfile_csv_number(f, p->volume_ml[c], 6);
	hy_outfile_csv_number(f, p->n_warnings, 10);
	hy_outfile_csv_text(f, p->warnings);
	hy_outfile_csv_end(f);
}

void hy_quality_failure(hy_outfile *f, const char *scan, const char *message, int n_classes)
{
	hy_outfile_csv_text(f, scan);
	hy_outfile_csv_plain(f, ",,failed,,,,,,");
	for (int c = 1; c < n_classes; c++)
		hy_outfile_csv_plain(f, "");
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
	size_t size = 0, from[N_BEFORE + HY_MAX_CLASSES + N_BEHIND], n_columns = 0;
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
