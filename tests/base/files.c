/*
 * files.c: tables that are written field by field, to a file and to a sink.
 */
#define _XOPEN_SOURCE 700 /* symlink */
#include "base/files.h"

#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Those that begin alike follow one another, whatever else there is; beyond the last there is none. */
static void names_are_found(void **state)
{
	(void)state;
	char *list[] = {"a", "a.nii", "ab", "ab.nii", "ab.nii.gz", "b", "\xff"};
	const hy_names names = {list, sizeof list / sizeof *list};
	const hy_names none = {NULL, 0};
	static const struct {
		const char *start;
		size_t first, n;
	} cases[] = {{"ab", 2, 3}, {"ab.nii", 3, 2}, {"a", 0, 5}, {"", 0, 7},
	             {"aa", 2, 0}, {"b", 5, 1},      {"c", 6, 0}, {"\xff\xff", 7, 0}};
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		const size_t length = strlen(cases[k].start);
		size_t i = hy_names_find(&names, cases[k].start, length), n = 0;
		assert_int_equal(i, cases[k].first);
		for (; hy_names_begin(&names, i, cases[k].start, length); i++)
			n++;
		assert_int_equal(n, cases[k].n);
	}
	assert_int_equal(hy_names_find(&none, "a", 1), 0);
	assert_false(hy_names_begin(&none, 0, "", 0));
}

static void expect_names(hardy_status (*list)(const char *path, hy_names *out, hardy_error *err), const char *want)
{
	hardy_error err = {0};
	hy_names names;
	char all[256] = "";
	assert_ok(list(tree_path("mixed"), &names, &err), &err);
	for (size_t i = 0; i < names.n; i++) {
		strcat(all, names.name[i]);
		strcat(all, " ");
	}
	assert_string_equal(all, want);
	hy_names_free(&names);
}

/* A link is what it points to; one that points to nothing is no folder. */
static void files_and_folders_apart(void **state)
{
	(void)state;
	tree_new();
	tree_text("mixed/file", "");
	tree_text("mixed/folder.nii/inner", "");
	assert_int_equal(symlink("folder.nii", tree_path("mixed/link_to_folder")), 0);
	assert_int_equal(symlink("file", tree_path("mixed/link")), 0);
	assert_int_equal(symlink("gone", tree_path("mixed/nowhere")), 0);
	expect_names(hy_list_folder, "file folder.nii link link_to_folder nowhere ");
	expect_names(hy_list_files, "file link nowhere ");
	expect_names(hy_list_folders, "folder.nii link_to_folder ");
	tree_remove();
}

/* What has no length to go by, and what has more or less than it says, is read to its end. */
static void files_without_a_length(void **state)
{
	(void)state;
	static char long_text[20000];
	char *data = NULL;
	size_t size = 0;
	hardy_error err = {0};
	int ends[2];
	memset(long_text, 'x', sizeof long_text - 1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], long_text, sizeof long_text - 1), sizeof long_text - 1);
	close(ends[1]);
	char path[32];
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	if (access(path, R_OK)) {
		close(ends[0]);
		skip();
	}
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	assert_int_equal(size, sizeof long_text - 1);
	assert_string_equal(data, long_text);
	hy_free(data);
	close(ends[0]);
	tree_new();
	tree_text("empty", "");
	assert_ok(hy_file_read(tree_path("empty"), &data, &size, &err), &err);
	assert_true(!size && !*data);
	hy_free(data);
	assert_int_equal(hy_file_read(tree_path(""), &data, &size, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "cannot be read: Is a directory"));
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_in_a_sink), cmocka_unit_test(table_in_a_file),         cmocka_unit_test(long_lines_in_a_sink),
	    cmocka_unit_test(names_are_found), cmocka_unit_test(files_and_folders_apart), cmocka_unit_test(files_without_a_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
