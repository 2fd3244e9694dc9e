/*
 * viewer.c: the viewer's part of a page, and scans made small enough to be carried in one.
 */
#include "report/viewer.h"

#include "base/memory.h"
#include "draw/html.h"
#include "draw/part.h"
#include "report/web.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

void hy_viewer_open(hy_outfile *f, const char *about)
{
	hy_html_printf(
	    f,
	    "<p>%s In a picture the arrow keys and the wheel move through the slices, L changes how labels are drawn; "
	    "dragging with the right button, or the two sliders, change brightness and contrast.</p>\n"
	    "<div id=\"viewer\" aria-busy=\"true\">\n<p id=\"viewer-note\">The viewer needs JavaScript and WebGL 2.</p>\n"
	    "<div class=\"controls\" hidden>\n",
	    about);
}

static void write_slider(hy_outfile *f, const char *id, const char *title, int value)
{
	hy_html_printf(
	    f, "<div><label for=\"%s\">%s</label><input type=\"range\" id=\"%s\" min=\"0\" max=\"100\" value=\"%d\"></div>\n", id,
	    title, id, value);
}

void hy_viewer_controls(hy_outfile *f)
{
	hy_html_printf(
	    f,
	    "<div><label for=\"viewer-slice\">Slice<output id=\"viewer-slice-text\" for=\"viewer-slice\"></output></label>"
	    "<input type=\"range\" id=\"viewer-slice\" min=\"1\" max=\"1\" step=\"1\"></div>\n"
	    "<div><label for=\"viewer-labels\">Labels</label><select id=\"viewer-labels\"><option value=\"filled\">filled</option>"
	    "<option value=\"borders\">borders</option><option value=\"hidden\">hidden</option></select></div>\n");
	write_slider(f, "viewer-opacity", "Opacity of the labels", 45);
	write_slider(f, "viewer-dark", "Black at", 0);
	write_slider(f, "viewer-bright", "White at", 100);
	hy_html_printf(f, "</div>\n");
}

void hy_viewer_panels(hy_outfile *f, const char *first, const char *first_about)
{
	hy_html_printf(
	    f,
	    "<div class=\"panels\" hidden>\n<figure><figcaption>%s</figcaption><div class=\"screen\"><canvas id=\"viewer-truth\" "
	    "tabindex=\"0\" role=\"img\" aria-label=\"%s; arrow keys change the slice\">"
	    "</canvas></div></figure>\n<figure><figcaption id=\"viewer-prediction-title\">Prediction</figcaption>"
	    "<div class=\"screen\"><canvas id=\"viewer-prediction\" tabindex=\"0\" role=\"img\" aria-label=\"Slice of the scan "
	    "with the "
	    "predicted labels; arrow keys change the slice\"></canvas></div></figure>\n</div>\n"
	    "<p class=\"hidden\" role=\"status\" id=\"viewer-say\"></p>\n",
	    first, first_about);
}

void hy_viewer_close(hy_outfile *f)
{
	hy_html_printf(f, "</div>\n");
}

void hy_viewer_volume(hy_outfile *f, const char *name, const hy_blob *b)
{
	hy_outfile_printf(f, ",\"%s\":\"", name);
	hy_html_base64(f, b->data, b->size);
	hy_outfile_printf(f, "\"");
}

bool hy_viewer_can(void)
{
	return hy_web_bundle_size > 0;
}

/* The bundle is kept gzipped: a third of the size. */
void hy_viewer_scripts(hy_outfile *f)
{
	if (!hy_viewer_can())
		return;
	hy_html_printf(f, "<script type=\"text/plain\" id=\"bundle\">");
	hy_html_base64(f, hy_web_bundle, hy_web_bundle_size);
	static const char loader[] =
	    "</script>\n<script>\n"
	    "(async () => {\n"
	    "\tconst say = (text) => { for (const c of document.querySelectorAll('.canvas, #viewer-note')) "
	    "c.textContent = text; };\n"
	    "\tif (!window.DecompressionStream) return say('This browser is too old for the plots and the viewer.');\n"
	    "\tconst text = atob(document.getElementById('bundle').textContent);\n"
	    "\tconst bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));\n"
	    "\tconst stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));\n"
	    "\tconst script = document.createElement('script');\n"
	    "\tscript.textContent = await new Response(stream).text();\n"
	    "\tdocument.getElementById('bundle').remove();\n"
	    "\tdocument.body.append(script);\n"
	    "})();\n</script>\n";
	hy_outfile_write(f, loader, sizeof loader - 1);
}

/* ---- volumes ------------------------------------------------------------------------------------------------------------ */

/* What is kept of a scan: columns and rows from x, y on, each pixel the mean of step x step, every z_step-th slice. */
typedef struct cut {
	int64_t x, y, nx, ny, nz;
	int64_t step, z_step;
} cut;

static int64_t divide_up(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}

static cut choose_cut(const hy_grid *g, const hy_box *box)
{
	enum { LEAST = 24, MOST = 4096 };
	const hy_part p = hy_part_around(box, g->nx, g->ny, 5. / 3, LEAST, MOST, 1);
	const int64_t left = p.x > 0 ? p.x : 0, top = p.y > 0 ? p.y : 0;
	const int64_t right = p.x + p.side < g->nx ? p.x + p.side : g->nx, bottom = p.y + p.side < g->ny ? p.y + p.side : g->ny;
	const int64_t wide = right - left, high = bottom - top, longer = wide > high ? wide : high;
	cut c = {.x = left, .y = top, .step = divide_up(longer, HY_PACKED_SIDE), .z_step = divide_up(g->nz, HY_PACKED_SLICES)};
	c.nx = wide / c.step ? wide / c.step : 1;
	c.ny = high / c.step ? high / c.step : 1;
	c.nz = divide_up(g->nz, c.z_step);
	return c;
}

/* The mean of step x step pixels, those beyond the slice's end left out. */
static float mean_at(const hy_grid *g, const float *slice, int64_t x, int64_t y, int64_t step)
{
	double sum = 0;
	int64_t n = 0;
	for (int64_t j = y; j < y + step && j < g->ny; j++)
		for (int64_t i = x; i < x + step && i < g->nx; i++, n++)
			sum += slice[j * g->nx + i];
	return n ? (float)(sum / (double)n) : 0;
}

static int ascending(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static hardy_status to_grey(const float *values, size_t n, uint8_t *grey, hardy_error *err)
{
	float *sorted = hy_alloc(n, sizeof *sorted);
	if (!sorted)
		return hy_fail_memory(err, "grey values", n, sizeof *sorted);
	memcpy(sorted, values, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, ascending);
	const float low = sorted[n / 200], high = sorted[n - 1 - n / 200], range = high > low ? high - low : 1;
	for (size_t i = 0; i < n; i++)
		grey[i] = (uint8_t)lrintf(255 * fminf(fmaxf((values[i] - low) / range, 0), 1));
	hy_free(sorted);
	return HARDY_OK;
}

/* Fills values and labels of what is kept; returns the slice with most labels. */
static int64_t take(const cut *c, const hy_volume *image, const hy_labels *label, float *values, uint8_t *labels)
{
	const hy_grid *g = &label->grid;
	int64_t best = c->nz / 2, most = 0;
	for (int64_t z = 0; z < c->nz; z++) {
		const int64_t plane = z * c->z_step * g->nx * g->ny;
		int64_t n = 0;
		for (int64_t y = 0; y < c->ny; y++)
			for (int64_t x = 0; x < c->nx; x++) {
				const int64_t to = (z * c->ny + y) * c->nx + x, i = c->x + x * c->step, j = c->y + y * c->step;
				values[to] = mean_at(g, image->data + plane, i, j, c->step);
				labels[to] = label->data[plane + (j + c->step / 2) * g->nx + i + c->step / 2];
				n += labels[to] > 0;
			}
		if (n > most) {
			most = n;
			best = z;
		}
	}
	return best;
}

/* Rows run downwards on a screen, and NIfTI's y axis upwards. */
static hy_grid grid_of(const cut *c, const hy_grid *native)
{
	hy_grid g;
	const double *s = native->spacing_mm, step = (double)c->step;
	hy_grid_set_simple(&g, c->nx, c->ny, c->nz, s[0] * step, s[1] * step, s[2] * (double)c->z_step);
	g.affine[1][1] = -g.affine[1][1];
	g.affine[1][3] = (double)(c->ny - 1) * s[1] * step;
	return g;
}

hardy_status hy_packed_make(hy_packed *p, const hy_volume *image, const hy_labels *label, hardy_error *err)
{
	const hy_grid *g = &label->grid;
	hy_packed made = {0};
	hy_box box = hy_box_empty();
	hy_box_add(&box, label->data, g->nx, g->ny, g->nz);
	const cut c = choose_cut(g, &box);
	const hy_grid small = grid_of(&c, g);
	const size_t n = (size_t)(c.nx * c.ny * c.nz);
	float *values = hy_alloc(n, sizeof *values);
	uint8_t *labels = hy_alloc(n, 1), *grey = hy_alloc(n, 1);
	hardy_status status = values && labels && grey ? HARDY_OK : hy_fail_memory(err, "a volume", n, sizeof *values);
	made.n_slices = c.nz;
	if (!status) {
		made.slice = take(&c, image, label, values, labels);
		status = to_grey(values, n, grey, err);
	}
	if (!status)
		status = hy_blob_nifti(&made.image, &small, grey, err);
	if (!status)
		status = hy_blob_nifti(&made.label, &small, labels, err);
	hy_free(values);
	hy_free(labels);
	hy_free(grey);
	if (status)
		hy_packed_clear(&made);
	else
		*p = made;
	return status;
}

void hy_packed_clear(hy_packed *p)
{
	hy_blob_clear(&p->image);
	hy_blob_clear(&p->label);
	*p = (hy_packed){0};
}
