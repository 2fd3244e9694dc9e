/*
 * files.c: tables that are written field by field, to a file and to a sink.
 */
#include "base/files.h"

#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <string.h>

typedef struct text {
	char data[4096];
	size_t used;
} text;

static void take(void *payload, const char *data, size_t size)
{
	text *t = payload;
	assert_true(t->used + size < sizeof t->data);
	memcpy(t->data + t->used, data, size);
	t->used += size;
}

static void write_table(hy_outfile *f)
{
	hy_outfile_csv_plain(f, "name,n");
	hy_outfile_csv_text(f, "what, and \"why\"");
	hy_outfile_csv_end(f);
	hy_outfile_csv_text(f, "");
	hy_outfile_csv_number(f, -7, 10);
	hy_outfile_csv_text(f, "two\nlines");
	hy_outfile_csv_end(f);
	hy_outfile_csv_number(f, NAN, 6);
	hy_outfile_csv_number(f, 1.0 / 3, 3);
	hy_outfile_csv_number(f, INFINITY, 6);
	hy_outfile_csv_number(f, 1e15, 16);
	hy_outfile_csv_end(f);
}

static const char wanted[] = "name,n,\"what, and \"\"why\"\"\"\n"
                             ",-7,\"two\nlines\"\n"
                             ",0.333,,1000000000000000\n";

static void table_in_a_sink(void **state)
{
	(void)state;
	text t = {{0}, 0};
	hardy_error err = {0};
	hy_outfile f = {.sink = &(hardy_sink){take, &t}};
	write_table(&f);
	assert_ok(hy_outfile_commit(&f, &err), &err);
	assert_string_equal(t.data, wanted);
}

static void table_in_a_file(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_outfile f = {0};
	const char *path;
	char *data = NULL;
	size_t size = 0;
	tree_new();
	path = tree_path("table.csv");
	assert_ok(hy_outfile_open(&f, path, HY_REPLACE_ANY, &err), &err);
	write_table(&f);
	assert_false(hy_path_exists(path));
	assert_ok(hy_outfile_commit(&f, &err), &err);
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	assert_string_equal(data, wanted);
	hy_free(data);
	tree_remove();
}

/* Lines that are longer than the room on the stack come through; without memory for them that is an error. */
static void long_lines_in_a_sink(void **state)
{
	(void)state;
	char line[2000];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = 0;
	text t = {{0}, 0};
	hardy_error err = {0};
	hy_outfile f = {.sink = &(hardy_sink){take, &t}};
	hy_outfile_printf(&f, "%s\n", line);
	assert_ok(hy_outfile_commit(&f, &err), &err);
	assert_int_equal(t.used, sizeof line);
	f = (hy_outfile){.sink = &(hardy_sink){take, &t}};
	hy_memory_fail_at(1);
	hy_outfile_printf(&f, "%s\n", line);
	hy_memory_fail_at(0);
	assert_int_equal(hy_outfile_commit(&f, &err), HARDY_ERROR_MEMORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_in_a_sink),
	    cmocka_unit_test(table_in_a_file),
	    cmocka_unit_test(long_lines_in_a_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
