/*
 * picture.c: scans with the borders of their label maps side by side: a row a scan, the slice where the maps differ most.
 *
 * Described by a table in CSV without quotes: the first row holds titles; in the others the first column is a caption, the second
 * a scan, each further one a label map, the first of which is the reference.
 */
#include "draw/png.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/nifti.h"

#include <string.h>

enum { MAX_COLUMNS = 10, MAX_ROWS = 64, PANEL = 240, GAP = 4, TEXT = 2, BAR = HY_GLYPH_HEIGHT * TEXT + 2 * GAP, MIN_CROP = 24 };

/* The fields point into text, which is cut up. */
typedef struct table {
	char *text; /* owned */
	char *field[MAX_ROWS + 1][MAX_COLUMNS];
	int n_rows, n_columns; /* n_rows counts the titles */
} table;

/* One scan with its label maps, and the part of it that is shown. */
typedef struct row {
	hy_volume image;
	hy_labels labels[MAX_COLUMNS - 2];
	int n_labels;
	int64_t z;
	int x, y, side; /* of the square shown, in voxels */
} row;

static hardy_status read_table(const char *path, table *t, hardy_error *err)
{
	size_t size;
	hardy_status status = hy_file_read(path, &t->text, &size, err);
	if (status)
		return status;
	int n_line = 0;
	for (char *line = t->text; *line;) {
		char *next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		line[strcspn(line, "\r")] = 0;
		n_line++;
		if (*line) {
			int n = 0;
			if (t->n_rows > MAX_ROWS)
				return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: more than %d rows", path, MAX_ROWS);
			for (char *at = line; at; n++) {
				char *comma = strchr(at, ',');
				if (n < MAX_COLUMNS)
					t->field[t->n_rows][n] = at;
				if (comma)
					*comma++ = 0;
				at = comma;
			}
			if (n < 3 || n > MAX_COLUMNS || (t->n_rows > 0 && n != t->n_columns))
				return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %d has %d columns, want %d%s", path, n_line, n,
				               t->n_rows > 0 ? t->n_columns : 3, t->n_rows > 0 ? "" : " to 10: caption, scan, label maps");
			t->n_columns = n;
			t->n_rows++;
		}
		line = next;
	}
	if (t->n_rows < 2)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: %s, want titles and one row or more", path, HY_COUNT(t->n_rows, "row"));
	return HARDY_OK;
}

static void row_clear(row *r)
{
	hy_volume_clear(&r->image);
	for (int i = 0; i < r->n_labels; i++)
		hy_labels_clear(&r->labels[i]);
}

/* Label values above the colours that are kept for small ones, in the order in which the picture meets them. */
enum { OWN_VALUES = 200 };
typedef struct large_values {
	int n;
	uint16_t value[UINT8_MAX - OWN_VALUES];
} large_values;

/* What a label value is drawn as: itself, or one of the others' places; the same in all maps. */
static hardy_status place_value(large_values *known, uint16_t value, const char *path, uint8_t *place, hardy_error *err)
{
	const int most = (int)(sizeof known->value / sizeof *known->value);
	int k = 0;
	*place = (uint8_t)value;
	if (value <= OWN_VALUES)
		return HARDY_OK;
	while (k < known->n && known->value[k] != value)
		k++;
	if (k == most)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: label value %d: a picture shows %d different values above %d at most",
		               path, value, most, OWN_VALUES);
	if (k == known->n)
		known->value[known->n++] = value;
	*place = (uint8_t)(OWN_VALUES + 1 + k);
	return HARDY_OK;
}

static hardy_status read_map(const char *path, large_values *known, hy_labels *l, const hardy_log *log, hardy_error *err)
{
	hy_label_values seen = {0};
	uint8_t place[256] = {0};
	hardy_status status = hy_nifti_read_values(path, NULL, l, &seen, log, err);
	for (int i = 0; i < seen.n && !status; i++)
		status = place_value(known, seen.value[i], path, &place[i], err);
	for (int64_t i = 0, n = status ? 0 : hy_grid_voxels(&l->grid); i < n; i++)
		l->data[i] = place[l->data[i]];
	if (status)
		hy_labels_clear(l);
	return status;
}

static hardy_status read_row(char *const *field, int n_columns, large_values *known, row *r, const hardy_log *log,
                             hardy_error *err)
{
	hy_nifti_options o;
	hy_nifti_options_init(&o);
	o.frame = 0;
	hardy_status status = hy_nifti_read(field[1], &o, &r->image, log, err);
	for (int i = 2; i < n_columns && !status; i++) {
		hy_labels *l = &r->labels[r->n_labels];
		status = read_map(field[i], known, l, log, err);
		if (status)
			break;
		r->n_labels++;
		const hy_grid *a = &r->image.grid, *b = &l->grid;
		if (a->nx != b->nx || a->ny != b->ny || a->nz != b->nz)
			status = hy_fail(err, HARDY_ERROR_DATA, "%s: %lld x %lld x %lld voxels, want %lld x %lld x %lld as %s has",
			                 field[i], (long long)b->nx, (long long)b->ny, (long long)b->nz, (long long)a->nx, (long long)a->ny,
			                 (long long)a->nz, field[1]);
	}
	if (!status && (r->image.grid.nx > INT16_MAX || r->image.grid.ny > INT16_MAX))
		status = hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: slices of more than %d voxels a side", field[1], INT16_MAX);
	return status;
}

/* The slice in which the maps differ from the first in most voxels; where none does, the one with most labels. */
static int64_t worst_slice(const row *r)
{
	const hy_grid *g = &r->image.grid;
	int64_t n = g->nx * g->ny, best = g->nz / 2, best_differing = 0, best_labelled = 0;
	for (int64_t z = 0; z < g->nz; z++) {
		int64_t differing = 0, labelled = 0;
		const uint8_t *reference = r->labels[0].data + z * n;
		for (int64_t i = 0; i < n; i++) {
			labelled += reference[i] != 0;
			for (int k = 1; k < r->n_labels; k++)
				differing += r->labels[k].data[z * n + i] != reference[i];
		}
		if (differing > best_differing || (differing == best_differing && labelled > best_labelled)) {
			best = z;
			best_differing = differing;
			best_labelled = labelled;
		}
	}
	return best;
}

/* A square around every label of the slice with a margin, inside the slice; without labels its middle. */
static void choose_part(row *r)
{
	const hy_grid *g = &r->image.grid;
	r->z = worst_slice(r);
	int64_t x0 = g->nx, x1 = -1, y0 = g->ny, y1 = -1;
	for (int64_t y = 0; y < g->ny; y++) {
		for (int64_t x = 0; x < g->nx; x++) {
			for (int k = 0; k < r->n_labels; k++) {
				if (!r->labels[k].data[(r->z * g->ny + y) * g->nx + x])
					continue;
				x0 = x < x0 ? x : x0;
				x1 = x > x1 ? x : x1;
				y0 = y < y0 ? y : y0;
				y1 = y > y1 ? y : y1;
			}
		}
	}
	if (x1 < 0) {
		x0 = y0 = 0;
		x1 = g->nx - 1;
		y1 = g->ny - 1;
	}
	int64_t side = (x1 - x0 > y1 - y0 ? x1 - x0 : y1 - y0) * 3 / 2 + 1;
	side = side < MIN_CROP ? MIN_CROP : side > PANEL ? PANEL : side;
	int64_t x = (x0 + x1 + 1 - side) / 2, y = (y0 + y1 + 1 - side) / 2;
	x = x > g->nx - side ? g->nx - side : x;
	y = y > g->ny - side ? g->ny - side : y;
	r->x = (int)(x > 0 ? x : 0);
	r->y = (int)(y > 0 ? y : 0);
	r->side = (int)side;
}

static hardy_status draw_row(hy_canvas *c, int top, const char *caption, const row *r, hardy_error *err)
{
	const hy_grid *g = &r->image.grid;
	int w = g->nx - r->x < r->side ? (int)g->nx - r->x : r->side, h = g->ny - r->y < r->side ? (int)g->ny - r->y : r->side;
	int scale = PANEL / r->side;
	size_t n = (size_t)w * (size_t)h;
	float *part = hy_alloc(n, sizeof *part);
	uint8_t *labels = hy_alloc(n, 1);
	hardy_status status = part && labels ? HARDY_OK : hy_fail_memory(err, "part of a slice", n, sizeof *part);
	if (status)
		goto out;
	for (int j = 0; j < h; j++)
		memcpy(part + j * w, r->image.data + (r->z * g->ny + r->y + j) * g->nx + r->x, (size_t)w * sizeof *part);
	hy_canvas_text(c, GAP, top + GAP, TEXT, caption);
	for (int k = -1; k < r->n_labels; k++) {
		int left = GAP + (k + 1) * (PANEL + GAP);
		hy_canvas_image(c, left, top + BAR, scale, part, w, h);
		if (k < 0)
			continue;
		for (int j = 0; j < h; j++)
			memcpy(labels + j * w, r->labels[k].data + (r->z * g->ny + r->y + j) * g->nx + r->x, (size_t)w);
		hy_canvas_contours(c, left, top + BAR, scale, labels, w, h);
	}
out:
	hy_free(part);
	hy_free(labels);
	return status;
}

hardy_status hardy_picture(const char *table_path, const char *png_path, bool overwrite, const hardy_log *log, hardy_error *err)
{
	table t = {0};
	row r = {0};
	hy_canvas *c = NULL;
	large_values known = {0};
	const char *mark = overwrite ? HY_REPLACE_ANY : HY_PNG_MARK;
	hardy_status status = hy_outfile_check(png_path, mark, err);
	if (!status)
		status = read_table(table_path, &t, err);
	if (!status)
		status = hy_canvas_new(&c, GAP + (t.n_columns - 1) * (PANEL + GAP), BAR + (t.n_rows - 1) * (BAR + PANEL + GAP), err);
	if (status)
		goto out;
	static const uint8_t dark[3] = {60, 60, 60};
	hy_canvas_fill(c, 0, 0, c->width, BAR, dark);
	for (int i = 1; i < t.n_columns; i++)
		hy_canvas_text(c, GAP + (i - 1) * (PANEL + GAP), GAP, TEXT, t.field[0][i]);
	for (int i = 1; i < t.n_rows && !status; i++) {
		status = read_row(t.field[i], t.n_columns, &known, &r, log, err);
		if (!status) {
			choose_part(&r);
			status = draw_row(c, BAR + (i - 1) * (BAR + PANEL + GAP), t.field[i][0], &r, err);
		}
		row_clear(&r);
		r = (row){0};
	}
	hy_parts_remove_beside(png_path);
	if (!status)
		status = hy_png_write(c, png_path, mark, err);
out:
	hy_canvas_free(c);
	hy_free(t.text);
	return status;
}
