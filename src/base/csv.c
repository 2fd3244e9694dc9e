/*
 * csv.c: reading tables.
 */
#include "base/csv.h"

#include <string.h>

hy_csv hy_csv_begin(char *text)
{
	hy_csv c = {.at = text, .separator = ',', .next_line = 1};
	bool quoted = false;
	if (!strncmp(text, "\xEF\xBB\xBF", 3))
		c.at += 3;
	for (const char *p = c.at; *p && (quoted || (*p != '\n' && *p != '\r')); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && strchr(",;\t", *p)) {
			c.separator = *p;
			break;
		}
	}
	return c;
}

static bool is_blank(const hy_csv *c, char letter)
{
	return (letter == ' ' || letter == '\t') && letter != c->separator;
}

/* Takes a field out; what separated it from the next one is returned: the separator, '\n' or 0. */
static char take_field(hy_csv *c, char **field)
{
	char *p = c->at, *to, *end;
	while (is_blank(c, *p))
		p++;
	*field = to = end = p;
	bool quoted = false;
	for (; *p && (quoted || (*p != c->separator && *p != '\n' && *p != '\r')); p++) {
		if (*p == '"' && quoted && p[1] == '"') {
			*to++ = *p++;
			end = to;
		} else if (*p == '"' && (quoted || to == *field)) {
			quoted = !quoted;
			end = to;
		} else {
			c->next_line += *p == '\n';
			*to++ = *p;
			if (quoted || !is_blank(c, *p))
				end = to;
		}
	}
	char ended = *p;
	if (ended == '\r') {
		p += p[1] == '\n';
		ended = '\n';
	}
	c->next_line += ended == '\n';
	c->at = ended ? p + 1 : p;
	*end = 0;
	return ended;
}

size_t hy_csv_row(hy_csv *c, char **fields, size_t room)
{
	for (; *c->at == '\n' || *c->at == '\r'; c->at++)
		c->next_line += *c->at == '\n';
	c->line = c->next_line;
	if (!*c->at)
		return 0;
	size_t n = 0;
	for (bool more = true; more; n++) {
		char *field;
		more = take_field(c, &field) == c->separator;
		if (n < room)
			fields[n] = field;
	}
	return n;
}
