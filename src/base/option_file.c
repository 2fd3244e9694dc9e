/*
 * option_file.c: a YAML file of options as a list of names and texts (libyaml does the parsing).
 */
#include "base/option.h"

#include "base/files.h"
#include "base/memory.h"

#include <hardy/options.h>

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct entry {
	char *name, *text; /* owned */
} entry;

struct hardy_option_file {
	entry *entries; /* owned */
	size_t n;
};

enum { MOST_ENTRIES = 4096 };

typedef struct reader {
	hardy_option_file *file;
	const char *path;
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
} reader;

static hardy_status fail_at(const reader *r, const yaml_mark_t *mark, const char *what, hardy_error *err)
{
	return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %zu: %s", r->path, mark->line + 1, what);
}

/* The next event takes the place of the one before. */
static hardy_status next(reader *r, hardy_error *err)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = yaml_parser_parse(&r->parser, &r->event);
	if (r->has_event)
		return HARDY_OK;
	const yaml_parser_t *p = &r->parser;
	if (p->error == YAML_MEMORY_ERROR)
		return hy_fail_memory(err, r->path, 1, 1);
	return fail_at(r, &p->problem_mark, p->problem ? p->problem : "no YAML", err);
}

/* A scalar of at least one letter, newly allocated. */
static hardy_status take_text(const reader *r, const char *wanted, char **out, hardy_error *err)
{
	const yaml_event_t *e = &r->event;
	if (e->type != YAML_SCALAR_EVENT)
		return fail_at(r, &e->start_mark, wanted, err);
	const char *text = (const char *)e->data.scalar.value;
	if (!*text || strlen(text) != e->data.scalar.length)
		return fail_at(r, &e->start_mark, *text ? "a text holds a zero byte" : "a value is empty", err);
	*out = hy_strdup(text);
	return *out ? HARDY_OK : hy_fail_memory(err, r->path, strlen(text), 1);
}

/* Takes the text over. */
static hardy_status add(reader *r, const char *name, char *text, hardy_error *err)
{
	hardy_option_file *f = r->file;
	char *copy = hy_strdup(name);
	entry *larger = copy && f->n < MOST_ENTRIES ? hy_realloc(f->entries, f->n + 1, sizeof *larger) : NULL;
	if (!larger) {
		hy_free(copy);
		hy_free(text);
		return f->n == MOST_ENTRIES
		           ? hy_fail(err, HARDY_ERROR_FORMAT, "%s: more than %d values, which no command takes", r->path, MOST_ENTRIES)
		           : hy_fail_memory(err, r->path, f->n + 1, sizeof *larger);
	}
	f->entries = larger;
	f->entries[f->n++] = (entry){copy, text};
	return HARDY_OK;
}

static hardy_status read_value(reader *r, const char *name, hardy_error *err)
{
	char *text = NULL;
	hardy_status status;
	for (size_t i = 0; i < r->file->n; i++)
		if (!strcmp(r->file->entries[i].name, name))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %zu: \"%s\" is there twice", r->path,
			               r->event.start_mark.line + 1, name);
	if ((status = next(r, err)))
		return status;
	if (r->event.type != YAML_SEQUENCE_START_EVENT) {
		status = take_text(r, "want a value, or a list of values", &text, err);
		return status ? status : add(r, name, text, err);
	}
	for (;;) {
		if ((status = next(r, err)) || r->event.type == YAML_SEQUENCE_END_EVENT)
			return status;
		if ((status = take_text(r, "want a value in the list", &text, err)) || (status = add(r, name, text, err)))
			return status;
	}
}

static hardy_status read_map(reader *r, hardy_error *err)
{
	hardy_status status;
	for (;;) {
		char *name = NULL;
		if ((status = next(r, err)) || r->event.type == YAML_MAPPING_END_EVENT)
			return status;
		status = take_text(r, "want the name of an option", &name, err);
		if (!status)
			status = read_value(r, name, err);
		hy_free(name);
		if (status)
			return status;
	}
}

static hardy_status read_all(reader *r, hardy_error *err)
{
	hardy_status status = next(r, err); /* the stream begins */
	if (!status)
		status = next(r, err); /* a document */
	if (!status && r->event.type == YAML_STREAM_END_EVENT)
		return HARDY_OK; /* empty, or nothing but comments */
	if (!status)
		status = next(r, err);
	if (!status && r->event.type != YAML_MAPPING_START_EVENT)
		return fail_at(r, &r->event.start_mark, "want a map of options, NAME: VALUE", err);
	if (!status)
		status = read_map(r, err);
	if (!status)
		status = next(r, err); /* the document ends */
	if (!status)
		status = next(r, err);
	if (!status && r->event.type != YAML_STREAM_END_EVENT)
		return fail_at(r, &r->event.start_mark, "want one document", err);
	return status;
}

hardy_status hy_option_file_parse(hardy_option_file **out, const char *text, size_t size, const char *path, hardy_error *err)
{
	reader r = {.path = path};
	hardy_status status;
	*out = NULL;
	r.file = hy_calloc(1, sizeof *r.file);
	const bool ready = r.file && yaml_parser_initialize(&r.parser);
	if (ready) {
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
		status = read_all(&r, err);
		if (r.has_event)
			yaml_event_delete(&r.event);
		yaml_parser_delete(&r.parser);
	} else {
		status = hy_fail_memory(err, path, 1, 1);
	}
	if (status)
		hardy_option_file_free(r.file);
	else
		*out = r.file;
	return status;
}

hardy_status hardy_option_file_read(hardy_option_file **out, const char *path, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	hardy_status status = hy_file_read(path, &text, &size, err);
	*out = NULL;
	if (!status)
		status = hy_option_file_parse(out, text, size, path, err);
	hy_free(text);
	return status;
}

size_t hardy_option_file_n(const hardy_option_file *f)
{
	return f ? f->n : 0;
}

void hardy_option_file_entry(const hardy_option_file *f, size_t i, const char **name, const char **text)
{
	*name = f->entries[i].name;
	*text = f->entries[i].text;
}

void hardy_option_file_free(hardy_option_file *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		hy_free(f->entries[i].name);
		hy_free(f->entries[i].text);
	}
	if (f)
		hy_free(f->entries);
	hy_free(f);
}
