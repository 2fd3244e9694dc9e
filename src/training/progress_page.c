/*
 * progress_page.c: curves and validation slices of a training as a page without scripts.
 */
#include "training/progress_page.h"

#include "draw/blob.h"
#include "draw/html.h"
#include "draw/part.h"
#include "predict/legend.h"

#include <math.h>
#include <stdio.h>

enum { PANEL = 192, RELOAD_S = 30 };

static void write_head(hy_outfile *f, const hy_progress_facts *p)
{
	hy_html_printf(f, "<!DOCTYPE html>\n" HY_PROGRESS_PAGE_MARK "\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
	                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	                  "img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n");
	if (p->step < p->steps)
		hy_html_printf(f, "<meta http-equiv=\"refresh\" content=\"%d\">\n", RELOAD_S);
	hy_html_printf(f, "<title>%s: step %lld of %lld</title>\n<style>\n", p->title, (long long)p->step, (long long)p->steps);
	hy_html_printf(
	    f, "body { margin: 0 auto; padding: 1rem; max-width: 60rem; font-family: system-ui, sans-serif; line-height: 1.5; "
	       "color-scheme: light dark; }\n"
	       "h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; }\n"
	       "svg { display: block; width: 100%%; max-width: 46rem; height: auto; border-radius: .3rem; }\n"
	       ".strip { list-style: none; padding: 0; display: grid; gap: .8rem; "
	       "grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }\n"
	       ".strip img { display: block; width: 100%%; height: auto; background: #000; image-rendering: pixelated; }\n"
	       ".legend span { display: inline-block; width: .9rem; height: .9rem; margin: 0 .3rem 0 .8rem; "
	       "vertical-align: -.1rem; border: 1px solid #888; }\n</style>\n</head>\n<body>\n");
}

static hardy_status draw(const hy_progress_facts *p, const hy_shot *s, hy_blob *out, hardy_error *err)
{
	hy_box box = hy_box_empty();
	hy_box_add(&box, s->truth, p->size, p->size, 1);
	hy_box_add(&box, s->label, p->size, p->size, 1);
	const int most = (int)p->size;
	const hy_part part = hy_part_around(&box, p->size, p->size, 1.5, most < 24 ? most : 24, most, PANEL);
	const hy_borders b = {s->truth, s->label, p->classes};
	hy_canvas *c = NULL;
	hardy_status status = hy_canvas_new(&c, part.side * part.scale, part.side * part.scale, err);
	if (!status)
		status = hy_part_draw(c, 0, 0, &part, s->image, &b, p->size, p->size, err);
	if (!status)
		status = hy_blob_png(out, c, err);
	hy_canvas_free(c);
	return status;
}

static void write_legend(hy_outfile *f, const hy_progress_facts *p)
{
	hy_html_printf(f, "<p class=\"legend\">Predicted:");
	for (int k = 1; k < p->n_classes; k++) {
		uint8_t rgb[3];
		hy_label_colour(hy_class_shown(p->classes, k), rgb);
		hy_html_printf(f, " <span style=\"background:rgb(%d,%d,%d)\"></span>%s", rgb[0], rgb[1], rgb[2], p->classes[k].name);
	}
	hy_html_printf(f, "; <span style=\"background:#fff\"></span>truth, where the prediction differs from it</p>\n");
}

static hardy_status write_strip(hy_outfile *f, const hy_progress_facts *p, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	hy_html_printf(f, "<h2>Validation slices</h2>\n");
	write_legend(f, p);
	hy_html_printf(f, "<ul class=\"strip\">\n");
	for (size_t i = 0; i < p->n_shots && !status; i++) {
		const hy_shot *s = &p->shots[i];
		hy_blob png = {0};
		status = draw(p, s, &png, err);
		hy_html_printf(f,
		               "<li><img alt=\"Slice %lld of scan %zu with predicted and true borders\" src=\"data:image/png;base64,",
		               (long long)s->slice + 1, s->scan + 1);
		hy_html_base64(f, png.data, png.size);
		hy_html_printf(f, "\">scan %zu, slice %lld of %lld</li>\n", s->scan + 1, (long long)s->slice + 1,
		               (long long)s->n_slices);
		hy_blob_clear(&png);
	}
	hy_html_printf(f, "</ul>\n");
	return status;
}

hardy_status hy_progress_page_write(const char *path, const hy_progress_facts *p, hardy_error *err)
{
	hy_outfile f;
	hardy_status status = hy_outfile_open(&f, path, HY_PROGRESS_PAGE_MARK, err);
	if (status)
		return status;
	write_head(&f, p);
	hy_html_printf(&f, "<h1>%s</h1>\n<p>Step %lld of %lld", p->title, (long long)p->step, (long long)p->steps);
	if (isfinite(p->dice))
		hy_html_printf(&f, "; mean Dice of the validation subjects <strong>%.3f</strong>", p->dice);
	hy_html_printf(&f, p->step < p->steps ? ". This page loads itself again.</p>\n" : ".</p>\n");
	if (p->curves->used)
		hy_outfile_write(&f, p->curves->data, p->curves->used);
	if (p->n_shots)
		status = write_strip(&f, p, err);
	hy_html_printf(&f, "</body>\n</html>\n");
	if (!status)
		status = hy_outfile_commit(&f, err);
	hy_outfile_discard(&f);
	return status;
}
