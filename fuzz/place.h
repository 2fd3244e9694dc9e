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
void place_empty(void);                                          /* removes what is in it */
/* A scan of a data set that cannot be used; nothing is done about it. */
void place_pass_over(void *payload, const char *subject, const char *phase, const char *text);
/* The input as text, copied and ended with a zero byte; free it. */
char *place_text(const uint8_t *data, size_t size);

#endif
