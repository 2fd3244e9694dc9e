/*
 * place.h: a temporary folder for fuzz targets whose readers want files.
 */
#ifndef HY_FUZZ_PLACE_H
#define HY_FUZZ_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A path in the folder, which is made at the first call and removed with all in it at exit; valid for the next seven calls. */
const char *place_path(const char *name);
void place_put(const char *name, const void *data, size_t size); /* folders of the name are made; aborts when it cannot */
/*
 * The same for one of four names at most, each written again and again: the file is kept open, so that nothing may remove or replace it.
 * Its path, as of place_path.
 */
const char *place_kept(const char *name, const void *data, size_t size);
/* Gives a file another name; folders of that are made. Where that name is taken, or lies in what is no folder, nothing is done. */
void place_link(const char *from, const char *name);
void place_empty(const char *name); /* removes what is in that folder */
/* A scan of a data set that cannot be used; nothing is done about it. */
void place_pass_over(void *payload, const char *subject, const char *phase, const char *text);
/* The input as text, copied and ended with a zero byte; free it. */
char *place_text(const uint8_t *data, size_t size);

#endif
