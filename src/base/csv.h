/*
 * csv.h: reading tables (RFC 4180), row by row, from text that is cut up in place.
 */
#ifndef HY_BASE_CSV_H
#define HY_BASE_CSV_H

#include "base/error.h"

#include <stddef.h>

typedef struct hy_csv {
	char *at;       /* where the next row begins */
	char separator; /* ',', ';' or a tab */
	int line;       /* in which the last row began, from 1 */
	int next_line;
} hy_csv;

/*
 * Begins with a text that ends with a zero byte; a byte order mark is skipped. The separator is the first of comma, semicolon and tab in
 * the first line outside quotes; a comma where there is none.
 */
hy_csv hy_csv_begin(char *text);

/*
 * The next row's fields, which point into the text; blanks around them are dropped, quotes resolved, empty lines passed over. Returns how
 * many there are, of which at most room are stored; 0 at the end.
 */
size_t hy_csv_row(hy_csv *c, char **fields, size_t room);

#endif
