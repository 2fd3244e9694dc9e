/*
 * outfile.c: what an output may replace, who may read it, and what dead writers leave.
 */
#define _DEFAULT_SOURCE
#include "base/files.h"

#include "base/lock.h"
#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_tree(void **state)
{
	(void)state;
	tree_new();
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void holds(const char *path, const char *text)
{
	hardy_error err;
	char *data = NULL;
	size_t size;
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	assert_string_equal(data, text);
	hy_free(data);
}

static hardy_status write_it(const char *path, const char *mark, hardy_error *err)
{
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, path, mark, err);
	if (status)
		return status;
	hy_outfile_printf(&f, "a,b\nnew\n");
	return hy_outfile_commit(&f, err);
}

static void replaces_its_own_alone(void **state)
{
	(void)state;
	hardy_error err;
	char path[600];
	snprintf(path, sizeof path, "%s", tree_path("t.csv"));
	assert_ok(write_it(path, NULL, &err), &err);
	holds(path, "a,b\nnew\n");
	assert_int_equal(write_it(path, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_ok(write_it(path, "a,b", &err), &err);
	put(path, "notes of months\n");
	assert_int_equal(write_it(path, "a,b", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, "or overwrite it"));
	holds(path, "notes of months\n");
	assert_ok(write_it(path, HY_REPLACE_ANY, &err), &err);
	put(path, ""); /* nothing is lost */
	assert_ok(write_it(path, NULL, &err), &err);
}

/* A device, a pipe or a folder is never replaced by a file, whatever is asked; a link stays one. */
static void only_regular_files(void **state)
{
	(void)state;
	hardy_error err;
	char path[600], target[600];
	struct stat s;
	snprintf(path, sizeof path, "%s", tree_path("pipe.csv"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(write_it(path, HY_REPLACE_ANY, &err), HARDY_ERROR_ARGUMENT);
	assert_true(!lstat(path, &s) && S_ISFIFO(s.st_mode));
	unlink(path);
	assert_int_equal(write_it("/dev/null", HY_REPLACE_ANY, &err), HARDY_ERROR_ARGUMENT);
	assert_true(!lstat("/dev/null", &s) && S_ISCHR(s.st_mode));
	snprintf(target, sizeof target, "%s", tree_path("target.csv"));
	put(target, "a,b\nold\n");
	assert_int_equal(symlink(target, path), 0);
	assert_ok(write_it(path, "a,b", &err), &err);
	assert_true(!lstat(path, &s) && S_ISLNK(s.st_mode));
	holds(target, "a,b\nnew\n");
	unlink(path);
}

enum { N_THREADS = 4, N_EACH = 60 };

static void *write_many(void *payload)
{
	const char *name = payload;
	for (int i = 0; i < N_EACH; i++) {
		char path[700];
		hardy_error err;
		snprintf(path, sizeof path, "%s-%d.csv", name, i);
		if (write_it(path, NULL, &err))
			return NULL;
	}
	return payload;
}

/* The mask belongs to the whole process: nobody may change it, and every file obeys it. */
static void modes_follow_the_mask(void **state)
{
	(void)state;
	pthread_t threads[N_THREADS];
	char names[N_THREADS][600];
	const mode_t before = umask(027);
	for (int i = 0; i < N_THREADS; i++) {
		char name[8];
		snprintf(name, sizeof name, "m%d", i);
		snprintf(names[i], sizeof names[i], "%s", tree_path(name));
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++) {
		void *good = NULL;
		pthread_join(threads[i], &good);
		assert_non_null(good);
	}
	assert_int_equal(umask(before), 027);
	for (int i = 0; i < N_THREADS; i++)
		for (int k = 0; k < N_EACH; k++) {
			char path[700];
			struct stat s;
			snprintf(path, sizeof path, "%.600s-%d.csv", names[i], k);
			assert_int_equal(stat(path, &s), 0);
			assert_int_equal(s.st_mode & 0777, 0640);
		}
}

static void dead_parts_go(void **state)
{
	(void)state;
	hardy_error err;
	hy_outfile living;
	char path[600], temporary[2048];
	snprintf(path, sizeof path, "%s", tree_path("living.json"));
	assert_ok(hy_outfile_open(&living, path, NULL, &err), &err);
	assert_true((size_t)snprintf(temporary, sizeof temporary, "%s", living.temporary) < sizeof temporary);
	const char *const dead[] = {"a.nii.gz.part-AbC123", "metrics.csv.part-zzzzzz"};
	const char *const others[] = {"film.mkv.part-AbC123", "a.nii.gz.part-AbC12", "a.nii.gz.part-AbC1234", "a.nii.gz.part"};
	for (size_t i = 0; i < 2; i++)
		put(tree_path(dead[i]), "x");
	for (size_t i = 0; i < 4; i++)
		put(tree_path(others[i]), "x");
	assert_ok(hy_make_output_folder(tree_path("."), &err), &err);
	for (size_t i = 0; i < 2; i++)
		assert_false(hy_path_exists(tree_path(dead[i])));
	for (size_t i = 0; i < 4; i++)
		assert_true(hy_path_exists(tree_path(others[i])));
	assert_true(hy_path_exists(temporary));
	hy_outfile_discard(&living);
	assert_false(hy_path_exists(temporary));
	/* a writer that is killed */
	const pid_t child = fork();
	if (!child) {
		hy_outfile f;
		_exit(hy_outfile_open(&f, path, NULL, NULL) ? 1 : 0);
	}
	int ending = 1;
	waitpid(child, &ending, 0);
	assert_int_equal(ending, 0);
	hy_parts_remove_beside(path);
	hy_names names;
	assert_ok(hy_list_folder(tree_path("."), &names, &err), &err);
	for (size_t i = 0; i < names.n; i++)
		assert_null(strstr(names.name[i], "living.json"));
	hy_names_free(&names);
}

/* A name may be as long as the file system has it. */
static void longest_name(void **state)
{
	(void)state;
	hardy_error err;
	char name[256], path[4096];
	memset(name, 'n', sizeof name);
	memcpy(name + 251, ".csv", 5);
	snprintf(path, sizeof path, "%s", tree_path(name));
	assert_ok(write_it(path, NULL, &err), &err);
	holds(path, "a,b\nnew\n");
}

static void one_at_a_time(void **state)
{
	(void)state;
	hardy_error err;
	hy_lock a, b;
	char path[600], wanted[64];
	snprintf(path, sizeof path, "%s", tree_path("lock"));
	snprintf(wanted, sizeof wanted, "it is held (process %ld)", (long)getpid());
	assert_ok(hy_lock_take(&a, path, false, "it is held", NULL, &err), &err);
	assert_int_equal(hy_lock_take(&b, path, false, "it is held", NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, wanted);
	assert_int_equal(b.fd, -1);
	hy_lock_drop(&b);
	hy_lock_drop(&a);
	const int input = fcntl(STDIN_FILENO, F_GETFD);
	a = (hy_lock){0};
	hy_lock_drop(&a); /* holds nothing, and not the standard input either */
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), input);
	assert_false(hy_path_exists(path));
	/* a program that was killed holds nothing, though its file stays */
	const pid_t child = fork();
	if (!child)
		_exit(hy_lock_take(&a, path, false, "it", NULL, NULL) ? 1 : 0);
	int ending = 1;
	waitpid(child, &ending, 0);
	assert_int_equal(ending, 0);
	assert_true(hy_path_exists(path));
	assert_ok(hy_lock_take(&b, path, false, "it", NULL, &err), &err);
	hy_lock_drop(&b);
	assert_int_equal(hy_lock_take(&b, tree_path("none/lock"), false, "it", NULL, &err), HARDY_ERROR_IO);
	/* a refusal leaves no descriptor open */
	const int fd = open("/dev/null", O_RDONLY);
	assert_ok(hy_lock_take(&a, path, false, "it", NULL, &err), &err);
	for (int i = 0; i < 50; i++)
		assert_int_equal(hy_lock_take(&b, path, false, "it", NULL, &err), HARDY_ERROR_ARGUMENT);
	hy_lock_drop(&a);
	const int next = open("/dev/null", O_RDONLY);
	assert_true(next < fd + 5);
	close(next);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaces_its_own_alone), cmocka_unit_test(only_regular_files), cmocka_unit_test(modes_follow_the_mask),
	    cmocka_unit_test(dead_parts_go),          cmocka_unit_test(longest_name),       cmocka_unit_test(one_at_a_time),
	};
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
