/*
 * describe.c: a scan as a JSON object.
 */
#include "image/describe.h"

#include "base/json.h"
#include "base/memory.h"
#include "image/nifti.h"
#include "image/nifti_scan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LISTED_VALUES = 32 };

/* The reader's warnings, without the file's name, which the description has already. */
typedef struct listener {
	cJSON *warnings;
	const char *path;
	hy_json_maker m;
} listener;

static void keep_warning(void *payload, hardy_log_level level, const char *line)
{
	listener *l = payload;
	const size_t n = strlen(l->path);
	if (level != HARDY_LOG_WARNING)
		return;
	if (!strncmp(line, l->path, n) && !strncmp(line + n, ": ", 2))
		line += n + 2;
	hy_json_put_text(&l->m, l->warnings, NULL, line);
}

static const char *geometry_name(hy_geometry_source source)
{
	static const char *const names[] = {"sform", "sform for directions, pixdim for lengths", "qform", "pixdim",
	                                    "ANALYZE convention"};
	return names[source];
}

static void describe_format(hy_json_maker *m, cJSON *o, const hy_nifti_scan *s)
{
	char text[100];
	snprintf(text, sizeof text, "%s, %s%s, %s-endian",
	         s->h.version == 2   ? "NIfTI-2"
	         : s->h.version == 1 ? "NIfTI-1"
	                             : "ANALYZE 7.5",
	         s->h.single ? "one file" : "header and image", s->stream.gzipped ? ", gzipped" : "",
	         s->h.big_endian ? "big" : "little");
	hy_json_put_text(m, o, "format", text);
}

static void describe_geometry(hy_json_maker *m, cJSON *o, const hy_nifti_scan *s)
{
	const hy_nifti_header *h = &s->h;
	const hy_grid *g = &h->grid;
	double shape[4], axes[3];
	char code[4];
	for (int i = 0; i < 4; i++)
		shape[i] = (double)h->n[i];
	hy_json_put_numbers(m, o, "shape", shape, h->n[3] > 1 ? 4 : 3);
	hy_json_put_numbers(m, o, "spacing_mm", g->spacing_mm, 3);
	for (int i = 0; i < 3; i++)
		axes[i] = shape[i] * g->spacing_mm[i];
	hy_json_put_numbers(m, o, "extent_mm", axes, 3);
	hy_json_put_text(m, o, "geometry", geometry_name(h->source));
	hy_affine_orientation(g->affine, code);
	hy_json_put_text(m, o, "orientation", h->source == HY_FROM_PIXDIM ? "unknown" : code);
	cJSON *rows = hy_json_put_list(m, o, "affine");
	for (int r = 0; r < 3; r++)
		hy_json_put_numbers(m, rows, NULL, g->affine[r], 4);
	hy_json_put_number(m, o, "shear_mm", hy_grid_shear_mm(g));
}

static void describe_type(hy_json_maker *m, cJSON *o, const hy_nifti_header *h)
{
	hy_json_put_text(m, o, "datatype", hy_nifti_type_name(h->datatype));
	if (h->scaled) {
		cJSON *scaling = hy_json_put_object(m, o, "scaling");
		hy_json_put_number(m, scaling, "slope", h->slope);
		hy_json_put_number(m, scaling, "inter", h->inter);
	}
	if (h->version) {
		char text[81];
		hy_nifti_header_description(h->raw, h->size, text);
		if (text[0])
			hy_json_put_text(m, o, "description", text);
	}
}

/* Voxels per value when all are whole numbers from 0 to 255 and few values occur: a label map, by the look of it. */
static void describe_labels(hy_json_maker *m, cJSON *o, const float *data, int64_t n)
{
	int64_t count[256] = {0};
	int n_values = 0;
	for (int64_t i = 0; i < n; i++) {
		if (!(data[i] >= 0 && data[i] <= 255) || data[i] != floorf(data[i]))
			return;
		n_values += !count[(int)data[i]]++;
		if (n_values > MAX_LISTED_VALUES)
			return;
	}
	cJSON *voxels = hy_json_put_object(m, o, "voxels_per_value");
	for (int v = 0; v < 256; v++) {
		char name[8];
		snprintf(name, sizeof name, "%d", v);
		if (count[v])
			hy_json_put_number(m, voxels, name, (double)count[v]);
	}
}

static void describe_values(hy_json_maker *m, cJSON *o, const hy_volume *v)
{
	const int64_t n = hy_grid_voxels(&v->grid) * v->nt;
	double low = INFINITY, high = -INFINITY, sum = 0;
	int64_t n_finite = 0;
	for (int64_t i = 0; i < n; i++) {
		if (!isfinite(v->data[i]))
			continue;
		const double x = (double)v->data[i];
		low = fmin(low, x);
		high = fmax(high, x);
		sum += x;
		n_finite++;
	}
	cJSON *values = hy_json_put_object(m, o, "values");
	if (n_finite) {
		hy_json_put_number(m, values, "min", low);
		hy_json_put_number(m, values, "max", high);
		hy_json_put_number(m, values, "mean", sum / (double)n_finite);
	}
	hy_json_put_number(m, values, "not_finite", (double)(n - n_finite));
	describe_labels(m, o, v->data, n);
}

hardy_status hy_scan_describe(const char *path, cJSON **out, hardy_error *err)
{
	hy_nifti_scan s = {0};
	hy_volume v = {0};
	cJSON *o = cJSON_CreateObject();
	listener l = {cJSON_CreateArray(), path, {false}};
	hy_json_maker *m = &l.m;
	const hardy_log log = {keep_warning, &l};
	hardy_status status = hy_nifti_open(path, NULL, &s, NULL, err);
	if (!status)
		status = hy_nifti_read(path, NULL, &v, &log, err);
	if (status)
		goto out;
	hy_json_put_text(m, o, "kind", "scan");
	hy_json_put_text(m, o, "path", path);
	describe_format(m, o, &s);
	describe_geometry(m, o, &s);
	describe_type(m, o, &s.h);
	describe_values(m, o, &v);
	hy_json_put(m, o, "warnings", l.warnings);
	l.warnings = NULL;
	if (m->lost) {
		status = hy_fail_memory(err, path, 1, sizeof *o);
		goto out;
	}
	*out = o;
	o = NULL;
out:
	cJSON_Delete(o);
	cJSON_Delete(l.warnings);
	hy_volume_clear(&v);
	hy_nifti_close(&s);
	return status;
}
