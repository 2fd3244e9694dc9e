/*
 * quality.c: quality.csv.
 */
#include "predict/quality.h"

#include <math.h>

void hy_quality_header(hy_outfile *f, const hy_class *classes, int n_classes)
{
	hy_outfile_csv_plain(f, "scan,output,frame,status,mean_entropy,disagreement,reconstruction_error,reconstruction_z,"
	                        "predicted_dice,predicted_dice_low");
	for (int c = 1; c < n_classes; c++) {
		char name[HY_NAME_SIZE + 16];
		snprintf(name, sizeof name, "volume_%s_ml", classes[c].name);
		hy_outfile_csv_text(f, name);
	}
	hy_outfile_csv_plain(f, "n_warnings,warnings");
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
