/*
 * recipe_yaml.c: a recipe as a YAML file: a list of members, each with a name and its settings.
 *
 *     members:
 *       - name: randconv
 *         weight: 0.5
 *         lambda: 5
 *       - name: cooperative
 *         probability: 0.5
 */
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "training/recipe.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_KEYS = 64, NAME = 0 /* the first key */ };

/* What a file holds. Values stay text: hy_recipe_set judges them, as those of a command line. */
typedef struct entry {
	char *text[MAX_KEYS]; /* by key; NULL: not given */
} entry;

typedef struct file {
	char *summary; /* for readers of the file */
	entry *members;
	uint32_t n_members;
} file;

/* The keys of a member, and what describes the file to libcyaml. */
typedef struct schema {
	const char *keys[MAX_KEYS];
	size_t n_keys;
	cyaml_schema_field_t entry[MAX_KEYS + 1], top[3];
	cyaml_schema_value_t member, file;
} schema;

static void add_key(schema *s, const char *name)
{
	for (size_t k = 0; k < s->n_keys; k++)
		if (!strcmp(s->keys[k], name))
			return;
	if (s->n_keys < MAX_KEYS)
		s->keys[s->n_keys++] = name;
}

static cyaml_schema_field_t text_field(const char *key, size_t offset, bool needed)
{
	return (cyaml_schema_field_t){
	    .key = key,
	    .data_offset = (uint32_t)offset,
	    .value = {.type = CYAML_STRING,
	              .flags = needed ? CYAML_FLAG_POINTER : (enum cyaml_flag)(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL),
	              .data_size = sizeof(char),
	              .string = {.min = 0, .max = 255}},
	};
}

static void describe(schema *s)
{
	memset(s, 0, sizeof *s);
	add_key(s, "name");
	add_key(s, "weight");
	add_key(s, "probability");
	for (int i = 0; hy_perturbation_kinds[i]; i++)
		for (const hy_parameter *p = hy_perturbation_kinds[i]->parameters; p->name; p++)
			add_key(s, p->name);
	for (size_t k = 0; k < s->n_keys; k++)
		s->entry[k] = text_field(s->keys[k], offsetof(entry, text) + k * sizeof(char *), k == NAME);
	s->member = (cyaml_schema_value_t){
	    .type = CYAML_MAPPING, .flags = CYAML_FLAG_DEFAULT, .data_size = sizeof(entry), .mapping = {.fields = s->entry}};
	s->top[0] = text_field("summary", offsetof(file, summary), false);
	s->top[1] = (cyaml_schema_field_t){
	    .key = "members",
	    .data_offset = offsetof(file, members),
	    .count_offset = offsetof(file, n_members),
	    .count_size = sizeof(uint32_t),
	    .value = {.type = CYAML_SEQUENCE,
	              .flags = CYAML_FLAG_POINTER,
	              .data_size = sizeof(entry),
	              .sequence = {.entry = &s->member, .min = 0, .max = HY_MAX_PERTURBATIONS}},
	};
	s->file = (cyaml_schema_value_t){
	    .type = CYAML_MAPPING, .flags = CYAML_FLAG_POINTER, .data_size = sizeof(file), .mapping = {.fields = s->top}};
}

static void *memory(void *context, void *p, size_t size)
{
	(void)context;
	if (size)
		return hy_realloc(p, size, 1);
	hy_free(p);
	return NULL;
}

/* libcyaml's first complaint and, behind it, the first place that it names. */
typedef struct complaint {
	char what[160], where[160];
} complaint;

static void listen(cyaml_log_t level, void *context, const char *format, va_list args)
{
	complaint *c = context;
	char line[160];
	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(line, sizeof line, format, args);
	line[strcspn(line, "\n")] = 0;
	const char *start = line + (strncmp(line, "Load: ", 6) ? 0 : 6);
	start += strspn(start, " ");
	char *to = strstr(start, "(line: ") ? c->where : c->what;
	if (!*to && strcmp(start, "Backtrace:") != 0)
		snprintf(to, sizeof c->what, "%s", start);
}

/* The known key that is nearest to the one complained of. */
static hy_words meant_key(const schema *s, const char *what)
{
	static const char begin[] = "Unexpected key: ";
	hy_words w = {""};
	const char *nearest =
	    strncmp(what, begin, sizeof begin - 1) ? NULL : hardy_nearest_name(what + sizeof begin - 1, s->keys, s->n_keys);
	if (nearest)
		snprintf(w.text, sizeof w.text, " (did you mean %.80s?)", nearest);
	return w;
}

static hardy_status take(const schema *s, const file *f, hy_recipe *out, hardy_error *err)
{
	for (uint32_t i = 0; i < f->n_members; i++) {
		const entry *e = &f->members[i];
		const int before = out->n;
		hardy_status status = hy_recipe_add(out, e->text[NAME], err);
		for (size_t k = NAME + 1; k < s->n_keys && !status; k++) {
			if (!e->text[k])
				continue;
			if (out->n != before + 1)
				return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is no single perturbation, so it has no parameters",
				               e->text[NAME]);
			status = hy_recipe_set(&out->members[before], s->keys[k], e->text[k], err);
		}
		if (status)
			return status;
	}
	return HARDY_OK;
}

hardy_status hy_recipe_parse_yaml(const char *text, size_t size, const char *path, hy_recipe *out, hardy_error *err)
{
	schema s;
	complaint c = {{0}, {0}};
	hardy_status status = HARDY_OK;
	describe(&s);
	const cyaml_config_t config = {
	    .log_fn = listen, .log_ctx = &c, .log_level = CYAML_LOG_ERROR, .mem_fn = memory, .flags = CYAML_CFG_NO_ALIAS};
	file *f = NULL;
	const cyaml_err_t failed = cyaml_load_data((const uint8_t *)text, size, &config, &s.file, (cyaml_data_t **)&f, NULL);
	if (failed == CYAML_ERR_OOM)
		status = hy_fail_memory(err, path, size, 1);
	else if (failed || !f)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: no recipe: %s%s%s%s", path, *c.what ? c.what : cyaml_strerror(failed),
		                 meant_key(&s, c.what).text, *c.where ? "; " : "", c.where);
	else
		status = take(&s, f, out, err);
	if (status && !failed && f)
		hy_prefix(err, status, "%s", path);
	if (f)
		cyaml_free(&config, &s.file, f, 0);
	return status;
}

hardy_status hy_recipe_read_yaml(const char *path, hy_recipe *out, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	status = hy_recipe_parse_yaml(text, size, path, out, err);
	hy_free(text);
	return status;
}
