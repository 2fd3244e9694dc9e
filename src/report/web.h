/*
 * web.h: the parts of a report that are not C, carried by the program (embed.c writes them, src/report/web holds them).
 */
#ifndef HY_REPORT_WEB_H
#define HY_REPORT_WEB_H

#include <stddef.h>

extern const unsigned char hy_web_style[]; /* CSS */
extern const size_t hy_web_style_size;
/* Vega-Lite specifications (JSON), to be filled with data: box plots by method, curves over steps. */
extern const unsigned char hy_web_boxes[], hy_web_curves[];
extern const size_t hy_web_boxes_size, hy_web_curves_size;
/* JavaScript that sorts tables. */
extern const unsigned char hy_web_sort[];
extern const size_t hy_web_sort_size;
/* JavaScript, gzipped: Vega-Lite, NiiVue and what uses them. Empty in a build without npm. */
extern const unsigned char hy_web_bundle[];
extern const size_t hy_web_bundle_size;

#endif
