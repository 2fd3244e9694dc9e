/*
 * predictions.c: a folder of predictions as one HTML file: every scan with its label map, the least trusted first.
 */
#include "report/predictions.h"

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "draw/blob.h"
#include "draw/html.h"
#include "draw/part.h"
#include "image/dicom.h"
#include "image/nifti.h"
#include "image/series.h"
#include "predict/legend.h"
#include "report/report.h"
#include "report/viewer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 256, N_PANELS = 3, PANEL = 176 };
enum { MOST_BYTES = 16 << 20 }; /* of all volumes in a page, gzipped: a hundred hearts have 10 MB */

/* Columns of quality.csv. */
enum { SCAN, OUTPUT, FRAME, STATUS, DISAGREEMENT, PREDICTED, LOW, WARNINGS, N_KNOWN };
static const char *const titles[N_KNOWN] = {
    "scan", "output", "frame", "status", "disagreement", "predicted_dice", "predicted_dice_low", "warnings"};

typedef struct row {
	char *field[MAX_COLUMNS]; /* part of the text of the table */
	double trust;             /* the smaller, the earlier */
	hy_packed packed;         /* for the viewer; empty where it has none */
	bool shown;
} row;

typedef struct sheet {
	const char *folder;
	const hardy_log *log;
	char *text, *head[MAX_COLUMNS];
	size_t n_columns, column[N_KNOWN];
	row *rows; /* owned */
	size_t n;
	hy_legend legend;
	bool has_legend;
	bool viewer;                       /* wanted */
	size_t n_shown, n_left_out, bytes; /* in it, not in it for want of room; of volumes */
	bool seen[256];                    /* label values */
	const char *scratch;
	hy_converted *converted; /* owned: folders of DICOM, once each */
	size_t n_converted;
	hy_outfile f;
} sheet;

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

static const char *field_of(const sheet *s, const row *r, int known)
{
	return r->field[s->column[known]];
}

/* Scans that failed, then by predicted Dice; where nothing foretells it, by how far two opinions are apart. */
static double trust_of(const sheet *s, const row *r)
{
	const double predicted = hy_number(field_of(s, r, PREDICTED)), apart = hy_number(field_of(s, r, DISAGREEMENT));
	if (strcmp(field_of(s, r, STATUS), "ok") != 0)
		return -1;
	return isfinite(predicted) ? predicted : isfinite(apart) ? 1 - apart : 2;
}

static int by_trust(const void *a, const void *b)
{
	const row *x = a, *y = b;
	if (x->trust < y->trust || x->trust > y->trust)
		return x->trust < y->trust ? -1 : 1;
	return x < y ? -1 : x > y;
}

static hardy_status read_head(sheet *s, hy_csv *csv, const char *path, hardy_error *err)
{
	s->n_columns = hy_csv_row(csv, s->head, MAX_COLUMNS);
	for (int k = 0; k < N_KNOWN; k++) {
		size_t at = 0;
		while (at < s->n_columns && at < MAX_COLUMNS && strcmp(s->head[at], titles[k]) != 0)
			at++;
		if (at >= s->n_columns || s->n_columns > MAX_COLUMNS)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no column \"%s\": no quality table of hardy predict", path, titles[k]);
		s->column[k] = at;
	}
	return HARDY_OK;
}

static hardy_status read_table(sheet *s, hardy_error *err)
{
	char *path = hy_path_join(s->folder, "quality.csv");
	size_t size, room = 0;
	hardy_status status = path ? hy_file_read(path, &s->text, &size, err) : hy_fail_memory(err, s->folder, 1, 1);
	hy_csv csv = {0};
	if (!status) {
		csv = hy_csv_begin(s->text);
		status = read_head(s, &csv, path, err);
	}
	row one = {{0}, 0, {{0}, {0}, 0, 0}, false};
	while (!status && s->n_columns && hy_csv_row(&csv, one.field, MAX_COLUMNS) == s->n_columns) {
		if (s->n == room) {
			room = room ? 2 * room : 64;
			row *more = hy_realloc(s->rows, room, sizeof *more);
			if (!more) {
				status = hy_fail_memory(err, path, room, sizeof *more);
				break;
			}
			s->rows = more;
		}
		one.trust = trust_of(s, &one);
		s->rows[s->n++] = one;
	}
	if (!status && !s->n)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no scan is in it", path);
	if (!status)
		qsort(s->rows, s->n, sizeof *s->rows, by_trust);
	hy_free(path);
	return status;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------------- */

typedef struct scan {
	hy_volume image;
	hy_labels label; /* values, 1 to 255: others are told apart by their place among the values */
} scan;

static void scan_clear(scan *x)
{
	hy_volume_clear(&x->image);
	hy_labels_clear(&x->label);
}

static hardy_status read_label(const char *path, const hy_nifti_options *o, hy_labels *out, hardy_error *err)
{
	hy_label_values values;
	const hardy_status status = hy_nifti_read_values(path, o, out, &values, NULL, err);
	for (int64_t i = 0; !status && i < hy_grid_voxels(&out->grid); i++)
		out->data[i] = values.value[out->data[i]] < 256 ? (uint8_t)values.value[out->data[i]] : out->data[i];
	return status;
}

/* The scans of a folder of DICOM, kept for other rows. */
static hardy_status convert(sheet *s, const char *folder, const hy_converted **out, hardy_error *err)
{
	for (size_t i = 0; i < s->n_converted; i++)
		if (!strcmp(s->converted[i].root, folder)) {
			*out = &s->converted[i];
			return HARDY_OK;
		}
	hy_converted *larger = hy_realloc(s->converted, s->n_converted + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, folder, s->n_converted + 1, sizeof *larger);
	s->converted = larger;
	const hardy_status status = hy_series_convert(&larger[s->n_converted], folder, s->scratch, NULL, NULL, err);
	if (!status)
		*out = &larger[s->n_converted++];
	return status;
}

/* FOLDER/NAME, as a table calls the scan of a series, to the file that is made of it; the path itself where it is none. */
static hardy_status find_scan(sheet *s, const char *path, const char **file, hardy_error *err)
{
	const hy_converted *from = NULL;
	const char *name = hy_path_name(path);
	*file = path;
	if (hy_nifti_is_name(name) || name == path) /* a series has no ending */
		return HARDY_OK;
	char *folder = hy_strdup(path);
	if (!folder)
		return hy_fail_memory(err, path, strlen(path), 1);
	folder[name - path - 1] = 0;
	bool dicom = false;
	hardy_status status = hy_path_is_folder(folder) ? hy_dicom_is(folder, &dicom, err) : HARDY_OK;
	if (dicom)
		status = convert(s, folder, &from, err);
	for (size_t i = 0; from && i < from->n; i++)
		if (!strcmp(from->items[i].name, name) && from->items[i].path)
			*file = from->items[i].path;
	hy_free(folder);
	return status;
}

static hardy_status read_scan(sheet *s, const row *r, scan *x, hardy_error *err)
{
	const char *file;
	char *path = hy_path_join(s->folder, field_of(s, r, OUTPUT));
	hy_nifti_options o;
	const double frame = hy_number(field_of(s, r, FRAME));
	hy_nifti_options_init(&o);
	o.frame = frame >= 0 && frame < 1e6 ? (int64_t)frame : -1;
	*x = (scan){0};
	if (!path)
		return hy_fail_memory(err, s->folder, 1, 1);
	hardy_status status = read_label(path, &o, &x->label, err);
	if (!status)
		status = find_scan(s, field_of(s, r, SCAN), &file, err);
	if (!status)
		status = hy_nifti_read(file, &o, &x->image, NULL, err);
	const hy_grid *a = &x->image.grid, *b = &x->label.grid;
	if (!status && (a->nx != b->nx || a->ny != b->ny || a->nz != b->nz))
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: is not of the same size as its label map", field_of(s, r, SCAN));
	const hy_order stack = hy_order_stack(hy_stack_axis(&x->label.grid));
	if (!status)
		status = hy_volume_reorder(&x->image, &stack, err);
	if (!status)
		status = hy_labels_reorder(&x->label, &stack, err);
	hy_free(path);
	return status;
}

/* Three slices of those with labels, a quarter, half and three quarters of the way, cut around the labels. */
static hardy_status draw(const scan *x, hy_blob *out, hardy_error *err)
{
	const hy_grid *g = &x->label.grid;
	hy_box box = hy_box_empty();
	hy_box_add(&box, x->label.data, g->nx, g->ny, g->nz);
	const hy_part p = hy_part_around(&box, g->nx, g->ny, 1.6, 24, 512, PANEL);
	const int64_t low = hy_box_is_empty(&box) ? 0 : box.low[2], high = hy_box_is_empty(&box) ? g->nz - 1 : box.high[2];
	const int side = p.side * p.scale;
	hy_canvas *c = NULL;
	hardy_status status = hy_canvas_new(&c, N_PANELS * side, side, err);
	for (int panel = 0; panel < N_PANELS && !status; panel++) {
		const int64_t at = (low + (high - low) * (panel + 1) / (N_PANELS + 1)) * g->nx * g->ny;
		const hy_borders b = {.label = x->label.data + at};
		status = hy_part_draw(c, panel * side, 0, &p, x->image.data + at, &b, g->nx, g->ny, err);
	}
	if (!status)
		status = hy_blob_png(out, c, err);
	hy_canvas_free(c);
	return status;
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

/* For the viewer, unless the page is full; then what follows is left out, too, lest holes are in the order. */
static hardy_status pack(sheet *s, row *r, const scan *x, hardy_error *err)
{
	const int64_t n = hy_grid_voxels(&x->label.grid);
	hy_packed p = {0};
	if (!hy_viewer_can() || !s->viewer)
		return HARDY_OK;
	const hardy_status status = s->n_left_out ? HARDY_OK : hy_packed_make(&p, &x->image, &x->label, err);
	const size_t bytes = p.image.size + p.label.size;
	if (status)
		return status;
	if (s->n_left_out || s->bytes + bytes > MOST_BYTES) {
		s->n_left_out++;
		hy_packed_clear(&p);
		return HARDY_OK;
	}
	for (int64_t i = 0; i < n; i++)
		s->seen[x->label.data[i]] = true;
	s->bytes += bytes;
	s->n_shown++;
	r->packed = p;
	r->shown = true;
	return HARDY_OK;
}

static void write_picture(sheet *s, row *r)
{
	scan x;
	hy_blob png = {0};
	hardy_error err = {0};
	hardy_status status = read_scan(s, r, &x, &err);
	if (!status)
		status = draw(&x, &png, &err);
	if (!status)
		status = pack(s, r, &x, &err);
	if (status == HARDY_ERROR_MEMORY && !s->f.error)
		s->f.error = ENOMEM;
	if (status) {
		hy_html_printf(&s->f, "<p class=\"note\">No picture: %s</p>\n", err.message);
	} else {
		if (r->shown)
			hy_html_printf(&s->f, "<button type=\"button\" class=\"look\" data-open-case=\"case-%zu\" disabled>",
			               s->n_shown - 1);
		hy_html_printf(&s->f, "<img alt=\"Three slices of %s with the borders of its labels\" src=\"data:image/png;base64,",
		               field_of(s, r, OUTPUT));
		hy_html_base64(&s->f, png.data, png.size);
		hy_html_printf(&s->f, r->shown ? "\"></button>\n" : "\">\n");
	}
	hy_blob_clear(&png);
	scan_clear(&x);
}

static bool is_volume(const char *head)
{
	return !strncmp(head, "volume_", 7) && hy_ends_with(head, "_ml");
}

static void write_card(sheet *s, row *r)
{
	const char *frame = field_of(s, r, FRAME), *low = field_of(s, r, LOW), *warnings = field_of(s, r, WARNINGS);
	const double predicted = hy_number(field_of(s, r, PREDICTED)), apart = hy_number(field_of(s, r, DISAGREEMENT));
	const bool good = !strcmp(field_of(s, r, STATUS), "ok");
	hy_html_printf(&s->f, "<figure class=\"card\">\n");
	if (good)
		write_picture(s, r);
	hy_html_printf(&s->f, "<figcaption><strong>%s</strong>", good ? field_of(s, r, OUTPUT) : field_of(s, r, SCAN));
	if (*frame)
		hy_html_printf(&s->f, ", frame %s", frame);
	if (isfinite(predicted))
		hy_html_printf(&s->f, "<br>predicted Dice <strong>%.3f</strong>", predicted);
	if (isfinite(predicted) && *low)
		hy_html_printf(&s->f, ", nine in ten are above %.3f", hy_number(low));
	else if (!isfinite(predicted) && isfinite(apart))
		hy_html_printf(&s->f, "<br>two opinions disagree by %.3f", apart);
	const char *before = "<br>";
	for (size_t c = 0; c < s->n_columns; c++) {
		const double ml = hy_number(r->field[c]);
		if (!is_volume(s->head[c]) || !isfinite(ml))
			continue;
		char name[256];
		snprintf(name, sizeof name, "%.*s", (int)hy_clamp((int64_t)strlen(s->head[c]) - 10, 0, 255), s->head[c] + 7);
		hy_html_printf(&s->f, *before == '<' ? "<br>%s %.1f mL" : ", %s %.1f mL", name, ml);
		before = ",";
	}
	if (*warnings)
		hy_html_printf(&s->f, "<br><span class=\"warning\">%s</span>", warnings);
	hy_html_printf(&s->f, "</figcaption>\n</figure>\n");
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* What there is to know before looking. */
static void write_verdict(sheet *s)
{
	size_t n_failed = 0, n_warned = 0, n_predicted = 0, n_low = 0;
	double *dice = hy_alloc(s->n, sizeof *dice);
	if (!dice && !s->f.error)
		s->f.error = ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const double predicted = hy_number(field_of(s, &s->rows[i], PREDICTED));
		const bool good = !strcmp(field_of(s, &s->rows[i], STATUS), "ok");
		n_failed += !good;
		n_warned += good && *field_of(s, &s->rows[i], WARNINGS);
		if (!good || !isfinite(predicted))
			continue;
		n_low += predicted < 0.7;
		if (dice)
			dice[n_predicted] = predicted;
		n_predicted++;
	}
	hy_html_printf(&s->f, "<p>%s", HY_COUNT(s->n - n_failed, "label map"));
	if (n_failed)
		hy_html_printf(&s->f, ", %s that failed", HY_COUNT(n_failed, "scan"));
	if (n_predicted && dice) {
		qsort(dice, n_predicted, sizeof *dice, ascending);
		hy_html_printf(&s->f, ". Predicted Dice: median %.3f, from %.3f to %.3f; %zu below 0.7", dice[n_predicted / 2], dice[0],
		               dice[n_predicted - 1], n_low);
	}
	hy_html_printf(&s->f, ". %zu with a warning. The least trusted come first.</p>\n", n_warned);
	hy_free(dice);
}

static void write_legend(sheet *s)
{
	if (!s->has_legend)
		return;
	hy_html_printf(&s->f, "<ul class=\"legend\" aria-label=\"Colours of the classes\">");
	for (int c = 1; c < s->legend.n; c++) {
		uint8_t rgb[3];
		if (s->legend.classes[c].value <= 0)
			continue;
		hy_label_colour(s->legend.classes[c].value, rgb);
		hy_html_printf(&s->f, "<li><span style=\"background:rgb(%d %d %d)\"></span>%s (%d)</li>", rgb[0], rgb[1], rgb[2],
		               s->legend.classes[c].name, s->legend.classes[c].value);
	}
	hy_html_printf(&s->f, "</ul>\n");
}

/* ---- the viewer --------------------------------------------------------------------------------------------------------- */

/* What a case is called in the list. */
static void put_case(sheet *s, const row *r)
{
	const double predicted = hy_number(field_of(s, r, PREDICTED));
	hy_html_printf(&s->f, "%s", field_of(s, r, OUTPUT));
	if (*field_of(s, r, FRAME))
		hy_html_printf(&s->f, ", frame %s", field_of(s, r, FRAME));
	if (isfinite(predicted))
		hy_html_printf(&s->f, " (predicted Dice %.2f)", predicted);
}

static void write_choice(sheet *s)
{
	size_t n = 0;
	hy_html_printf(&s->f, "<div><label for=\"viewer-case\">Scan</label><select id=\"viewer-case\">\n");
	for (size_t i = 0; i < s->n; i++) {
		if (!s->rows[i].shown)
			continue;
		hy_html_printf(&s->f, "<option value=\"%zu\">", n++);
		put_case(s, &s->rows[i]);
		hy_html_printf(&s->f, "</option>\n");
	}
	hy_html_printf(&s->f, "</select></div>\n");
}

static void write_volumes(sheet *s)
{
	hy_outfile *f = &s->f;
	size_t n = 0;
	hy_html_printf(f, "<script type=\"application/json\" id=\"cases\">{\"classes\":[");
	for (int v = 1, first = 1; v < 256; v++) {
		char name[HY_NAME_SIZE];
		uint8_t rgb[3];
		snprintf(name, sizeof name, "%d", v);
		for (int c = 1; s->has_legend && c < s->legend.n; c++)
			if (s->legend.classes[c].value == v)
				snprintf(name, sizeof name, "%s", s->legend.classes[c].name);
		if (!s->seen[v])
			continue;
		hy_label_colour(v, rgb);
		hy_outfile_printf(f, "%s{\"value\":%d,\"rgb\":[%d,%d,%d],\"name\":", first ? "" : ",", v, rgb[0], rgb[1], rgb[2]);
		hy_html_json_string(f, name);
		hy_outfile_printf(f, "}");
		first = 0;
	}
	hy_outfile_printf(f, "],\"cases\":[");
	for (size_t i = 0; i < s->n; i++) {
		const row *r = &s->rows[i];
		char title[600];
		if (!r->shown)
			continue;
		snprintf(title, sizeof title, "%.400s%s%.40s", field_of(s, r, OUTPUT), *field_of(s, r, FRAME) ? ", frame " : "",
		         field_of(s, r, FRAME));
		hy_outfile_printf(f, "%s\n{\"id\":\"case-%zu\",\"slices\":%lld,\"start\":%lld,\"title\":", n ? "," : "", n,
		                  (long long)r->packed.n_slices, (long long)r->packed.slice + 1);
		n++;
		hy_html_json_string(f, title);
		hy_viewer_volume(f, "image", &r->packed.image);
		hy_outfile_printf(f, ",\"predictions\":[{\"name\":\"labels\",\"title\":\"Label map\",\"dice\":{}");
		hy_viewer_volume(f, "volume", &r->packed.label);
		hy_outfile_printf(f, "}]}");
	}
	hy_outfile_printf(f, "]}</script>\n");
}

static void write_viewer(sheet *s)
{
	if (!s->n_shown) {
		if (!hy_viewer_can() && s->viewer)
			hy_html_printf(
			    &s->f, "<p class=\"note\" role=\"note\">This page was written by a hardy that was built without npm: it has "
			           "no viewer.</p>\n");
		return;
	}
	hy_html_printf(&s->f, "<section aria-labelledby=\"viewer-section\">\n<h2 id=\"viewer-section\">Viewer</h2>\n");
	hy_viewer_open(&s->f, "A scan beside its label map, both at the same slice, cut around the labels.");
	write_choice(s);
	hy_viewer_controls(&s->f);
	write_legend(s);
	hy_viewer_panels(&s->f, "Scan", "Slice of the scan");
	hy_viewer_close(&s->f);
	if (s->n_left_out)
		hy_html_printf(&s->f,
		               "<p class=\"soft\">The viewer has the first %s; with the other %zu the page would be too large.</p>\n",
		               HY_COUNT(s->n_shown, "scan"), s->n_left_out);
	write_volumes(s);
	hy_html_printf(&s->f, "</section>\n");
}

static void write_page(sheet *s)
{
	char title[256];
	const size_t n = strlen(s->folder);
	snprintf(title, sizeof title, "Predictions in %.200s",
	         n > 1 && s->folder[n - 1] == '/' ? s->folder : hy_path_name(s->folder));
	hy_report_head(&s->f, title);
	hy_html_printf(&s->f, "<header>\n<h1>%s</h1>\n", title);
	write_verdict(s);
	hy_html_printf(&s->f, "</header>\n<main id=\"main\" tabindex=\"-1\">\n");
	write_legend(s);
	hy_html_printf(&s->f, "<div class=\"sheet\">\n");
	for (size_t i = 0; i < s->n; i++) {
		hy_log(s->log, HARDY_LOG_PROGRESS, "drawing %zu of %zu", i + 1, s->n);
		write_card(s, &s->rows[i]);
	}
	hy_html_printf(&s->f, "</div>\n");
	write_viewer(s);
	hy_html_printf(&s->f, "</main>\n");
	hy_report_foot(&s->f);
	if (s->n_shown)
		hy_viewer_scripts(&s->f);
	hy_html_printf(&s->f, "</body>\n</html>\n");
}

hardy_status hy_predictions_look(const char *folder, bool *are, hardy_error *err)
{
	char *table = hy_path_join(folder, "quality.csv"), *results = hy_path_join(folder, "results.jsonl");
	const hardy_status status = table && results ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	*are = !status && hy_path_exists(table) && !hy_path_exists(results);
	hy_free(table);
	hy_free(results);
	return status;
}

hardy_status hy_predictions_write(const char *folder, const char *path, const char *mark, bool viewer, const char *scratch,
                                  const hardy_log *log, hardy_error *err)
{
	sheet s = {.folder = folder, .log = log, .viewer = viewer, .scratch = scratch};
	hardy_status status = read_table(&s, err);
	if (!status)
		status = hy_legend_read(folder, &s.legend, &s.has_legend, err);
	if (!status)
		status = hy_outfile_open(&s.f, path, mark, err);
	if (!status) {
		write_page(&s);
		status = hy_outfile_commit(&s.f, err);
	}
	hy_outfile_discard(&s.f);
	hy_legend_clear(&s.legend);
	for (size_t i = 0; i < s.n; i++)
		hy_packed_clear(&s.rows[i].packed);
	for (size_t i = 0; i < s.n_converted; i++)
		hy_converted_clear(&s.converted[i]);
	hy_free(s.converted);
	hy_free(s.rows);
	hy_free(s.text);
	return status;
}
