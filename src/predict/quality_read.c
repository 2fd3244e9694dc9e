/*
 * quality_read.c: quality.csv back, as far as a comparison with the truth needs it.
 */
#include "predict/quality.h"

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { OUTPUT, FRAME, PREDICTED, LOW, N_COLUMNS, MAX_FIELDS = 256 };

static const char *const titles[N_COLUMNS] = {"output", "frame", "predicted_dice", "predicted_dice_low"};

static size_t count_rows(const char *text)
{
	size_t n = 1;
	for (; *text; text++)
		n += *text == '\n' || *text == '\r'; /* either ends a row */
	return n;
}

hardy_status hy_quality_read(const char *path, hy_quality_line **lines, size_t *n, hardy_error *err)
{
	char *text = NULL, *fields[MAX_FIELDS];
	hy_quality_line *made = NULL;
	size_t size, column[N_COLUMNS], n_made = 0;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	hy_csv csv = hy_csv_begin(text);
	const size_t n_all = hy_csv_row(&csv, fields, MAX_FIELDS), n_titles = n_all < MAX_FIELDS ? n_all : MAX_FIELDS;
	for (int k = 0; k < N_COLUMNS && !status; k++) {
		for (column[k] = 0; column[k] < n_titles && strcmp(fields[column[k]], titles[k]) != 0; column[k]++)
			;
		if (column[k] == n_titles)
			status =
			    hy_fail(err, HARDY_ERROR_FORMAT, "%s: no column \"%s\": no quality table of hardy predict", path, titles[k]);
	}
	made = status ? NULL : hy_alloc(count_rows(csv.at), sizeof *made);
	if (!status && !made)
		status = hy_fail_memory(err, path, count_rows(csv.at), sizeof *made);
	for (size_t n_fields; !status && (n_fields = hy_csv_row(&csv, fields, MAX_FIELDS));) {
		if (n_fields != n_all || !fields[column[OUTPUT]][0])
			continue;
		const double frame = hy_number(fields[column[FRAME]]);
		hy_quality_line *line = &made[n_made++];
		*line = (hy_quality_line){.frame = frame >= 0 && frame < 1e9 ? (int64_t)frame : -1,
		                          .predicted = hy_number(fields[column[PREDICTED]]),
		                          .low = hy_number(fields[column[LOW]])};
		snprintf(line->output, sizeof line->output, "%s", fields[column[OUTPUT]]);
	}
	hy_free(text);
	if (status) {
		hy_free(made);
		return status;
	}
	*lines = made;
	*n = n_made;
	return HARDY_OK;
}
