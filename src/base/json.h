/*
 * json.h: JSON read from files and text, and made (cJSON does both; nothing else calls its parser).
 */
#ifndef HY_BASE_JSON_H
#define HY_BASE_JSON_H

#include "base/error.h"

#include <cJSON.h>

/*
 * Parses a text of `size` bytes, which holds one document and white space. *out is released with cJSON_Delete, NULL on failure:
 * HARDY_ERROR_FORMAT, whose message begins with a line and wants a name before it (hy_prefix), or HARDY_ERROR_MEMORY.
 */
hardy_status hy_json_parse(const char *text, size_t size, cJSON **out, hardy_error *err);

/* The same of a file, which the message names. */
hardy_status hy_json_read(const char *path, cJSON **out, hardy_error *err);

/*
 * The document as text (cJSON_free), which is valid JSON whatever the strings hold: names of files and folders need not be UTF-8. A byte
 * that is not part of UTF-8 becomes \xNN within its string, which hy_json_bytes turns back. NULL when memory runs out.
 */
char *hy_json_print(const cJSON *json, bool indented);
/* Turns \xNN (80 to ff) in a name read from such a document into the byte it stands for, in place. */
void hy_json_bytes(char *text);

/* Adds item (taken over, NULL allowed: memory ran out) to an object under name; false when that fails. So that a document can be
 * built by one chain of &&. */
bool hy_json_add(cJSON *object, const char *name, cJSON *item);

/* Adds item (taken over, NULL allowed) to a list; false when that fails. cJSON's own functions leave an item that they do not add to
 * the caller, who has no name for it; nothing outside json.c calls them. */
bool hy_json_append(cJSON *list, cJSON *item);

/* The item where all went well; otherwise it is deleted, and NULL. */
cJSON *hy_json_keep(bool good, cJSON *item);

/*
 * A document that is built member by member: what finds no memory is left out, with all that would hang below it, and `lost` says so at
 * the end, when it is asked once. A parent is an object, and then takes a name, or a list (name NULL); NULL where it was lost itself.
 */
typedef struct hy_json_maker {
	bool lost;
} hy_json_maker;

/* Adds item (taken over, NULL allowed) and returns it, or NULL where it is lost. Those below make the item, too. */
cJSON *hy_json_put(hy_json_maker *m, cJSON *parent, const char *name, cJSON *item);
cJSON *hy_json_put_object(hy_json_maker *m, cJSON *parent, const char *name);
cJSON *hy_json_put_list(hy_json_maker *m, cJSON *parent, const char *name);
void hy_json_put_text(hy_json_maker *m, cJSON *parent, const char *name, const char *text);
void hy_json_put_flag(hy_json_maker *m, cJSON *parent, const char *name, bool value);
/* null when it is not finite. */
void hy_json_put_number(hy_json_maker *m, cJSON *parent, const char *name, double value);
void hy_json_put_numbers(hy_json_maker *m, cJSON *parent, const char *name, const double *values, int n);
/* The whole document as text (cJSON_free), NULL where anything of it was lost; root is deleted. */
char *hy_json_made(const hy_json_maker *m, cJSON *root, bool indented);

/* A number of an object; other where it has none of that name. */
double hy_json_number(const cJSON *object, const char *name, double other);

/* The same as a whole number, cut, and within -2^53 to 2^53: whatever a file says. */
int64_t hy_json_whole(const cJSON *object, const char *name, int64_t other);

/* A number that reads back as the same double (cJSON's own keep 15 digits); null when it is not finite. To be printed only: it is
 * no cJSON_IsNumber. */
cJSON *hy_json_real(double value);

#endif
