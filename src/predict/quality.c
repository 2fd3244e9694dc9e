/*
 * quality.c: quality.csv.
 */
#include "predict/quality.h"

#include <math.h>
#include <string.h>

/* Quoted where RFC 4180 asks for it. */
static void put_text(hy_outfile *f, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		hy_outfile_printf(f, "%s", text);
		return;
	}
	hy_outfile_printf(f, "\"");
	for (; *text; text++)
		hy_outfile_printf(f, *text == '"' ? "\"\"" : "%c", *text);
	hy_outfile_printf(f, "\"");
}

static void put_number(hy_outfile *f, double v)
{
	if (isfinite(v))
		hy_outfile_printf(f, ",%.6g", v);
	else
		hy_outfile_printf(f, ",");
}

void hy_quality_header(hy_outfile *f, const hy_class *classes, int n_classes)
{
	hy_outfile_printf(f, "scan,output,frame,status,mean_entropy,disagreement,reconstruction_error,reconstruction_z");
	for (int c = 1; c < n_classes; c++) {
		char name[HY_NAME_SIZE + 16];
		snprintf(name, sizeof name, "volume_%s_ml", classes[c].name);
		hy_outfile_printf(f, ",");
		put_text(f, name);
	}
	hy_outfile_printf(f, ",n_warnings,warnings\n");
}

void hy_quality_row(hy_outfile *f, const char *scan, const char *output, int64_t frame, const hy_prediction *p, int n_classes)
{
	put_text(f, scan);
	hy_outfile_printf(f, ",");
	put_text(f, output);
	if (frame < 0)
		hy_outfile_printf(f, ",,ok");
	else
		hy_outfile_printf(f, ",%lld,ok", (long long)frame);
	put_number(f, p->mean_entropy);
	put_number(f, p->disagreement);
	put_number(f, p->reconstruction_error);
	put_number(f, p->reconstruction_z);
	for (int c = 1; c < n_classes; c++)
		put_number(f, p->volume_ml[c]);
	hy_outfile_printf(f, ",%d,", p->n_warnings);
	put_text(f, p->warnings);
	hy_outfile_printf(f, "\n");
}

void hy_quality_failure(hy_outfile *f, const char *scan, const char *message, int n_classes)
{
	put_text(f, scan);
	hy_outfile_printf(f, ",,,failed,,,,");
	for (int c = 1; c < n_classes; c++)
		hy_outfile_printf(f, ",");
	hy_outfile_printf(f, ",,");
	put_text(f, message);
	hy_outfile_printf(f, "\n");
}
