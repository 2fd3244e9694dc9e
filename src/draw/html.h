/*
 * html.h: writing HTML so that no name, title or message can break out of its place.
 */
#ifndef HY_DRAW_HTML_H
#define HY_DRAW_HTML_H

#include "base/files.h"
#include "base/json.h"

/* Text for an element or a quoted attribute: & < > " ' are escaped, control characters and broken UTF-8 become U+FFFD. */
void hy_html_text(hy_outfile *f, const char *text);

/*
 * The format goes out as it is, every %s through hy_html_text. Conversions: %s %d %zu %lld %.Nf %% with flags, width and precision
 * for numbers only.
 */
void hy_html_printf(hy_outfile *f, const char *format, ...) HY_PRINTF(2, 3);

/* JSON for a script element of type application/json: nothing in it can end the element. json NULL: memory ran out, an error kept in f. */
void hy_html_json(hy_outfile *f, const cJSON *json);
/* The members of an object with the closing brace, for an object that was begun by hand. */
void hy_html_json_members(hy_outfile *f, const cJSON *json);
/* A JSON string with its quotes, safe in the same place. */
void hy_html_json_string(hy_outfile *f, const char *text);

void hy_html_base64(hy_outfile *f, const void *data, size_t size);

#endif
