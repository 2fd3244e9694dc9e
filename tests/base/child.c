/*
 * child.c: other programs are started without a shell, listened to, and stopped when asked.
 */
#include "support/listen.h"
#include "support/scratch.h"
#include "support/test.h"

#include "base/child.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void words_reach_the_program_as_they_are(void **state)
{
	(void)state;
	hardy_error err = {0};
	pid_t pid;
	int ending = -1;
	char *text = NULL;
	size_t size;
	const char *const words[] = {"printf", "%s|", "a b", "$HOME; touch x", "*", "", NULL};
	const char *said = scratch_path("said");
	assert_ok(hy_child_start(words, said, said, &pid, &err), &err);
	assert_ok(hy_child_wait(pid, NULL, &ending, &err), &err);
	assert_true(WIFEXITED(ending) && !WEXITSTATUS(ending));
	assert_ok(hy_file_read(said, &text, &size, &err), &err);
	assert_string_equal(text, "a b|$HOME; touch x|*||");
	hy_free(text);
}

static void ends_are_told_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *script, *said;
	} ends[] = {
	    {"exit 0", ""}, {"exit 7", "the process ended with exit code 7"}, {"kill -9 $$", "the process was ended by signal 9"}};
	for (size_t i = 0; i < 3; i++) {
		hardy_error err = {0};
		pid_t pid;
		int ending = -1;
		char text[80];
		const char *const words[] = {"sh", "-c", ends[i].script, NULL};
		assert_ok(hy_child_start(words, NULL, NULL, &pid, &err), &err);
		assert_ok(hy_child_wait(pid, NULL, &ending, &err), &err);
		hy_child_describe(ending, text, sizeof text);
		assert_string_equal(text, ends[i].said);
	}
}

static void a_program_that_is_not_there_is_named(void **state)
{
	(void)state;
	hardy_error err = {0};
	pid_t pid;
	const char *const words[] = {"no-such-program-anywhere", NULL};
	assert_int_equal(hy_child_start(words, NULL, NULL, &pid, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "no-such-program-anywhere: cannot be started: No such file"));
}

static void it_is_stopped_when_asked(void **state)
{
	(void)state;
	hardy_error err = {0};
	pid_t pid;
	int ending = -1;
	const char *const words[] = {"sleep", "1000", NULL};
	listen_anew();
	stop_at = 3;
	assert_ok(hy_child_start(words, NULL, NULL, &pid, &err), &err);
	assert_int_equal(hy_child_wait(pid, &listen_stop, &ending, &err), HARDY_ERROR_INTERRUPTED);
	assert_true(WIFSIGNALED(ending));
	stop_at = 0;
}

static void scratch_folders_are_private_and_leave_nothing(void **state)
{
	(void)state;
	hardy_error err = {0};
	struct stat s;
	char *folder = NULL, *inner;
	assert_ok(hy_scratch_make(scratch_folder(), "test", &folder, &err), &err);
	assert_int_equal(stat(folder, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	inner = hy_path_join(folder, "a/b");
	assert_non_null(inner);
	assert_ok(hy_make_folders(inner, &err), &err);
	char *copy = hy_strdup(folder);
	assert_non_null(copy);
	hy_scratch_remove(folder);
	assert_false(hy_path_exists(copy));
	hy_free(inner);
	hy_free(copy);
	assert_int_equal(hy_scratch_make(scratch_path("no/such"), "test", &folder, &err), HARDY_ERROR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_reach_the_program_as_they_are),           cmocka_unit_test(ends_are_told_in_words),
	    cmocka_unit_test(a_program_that_is_not_there_is_named),          cmocka_unit_test(it_is_stopped_when_asked),
	    cmocka_unit_test(scratch_folders_are_private_and_leave_nothing),
	};
	return cmocka_run_group_tests_name("base/child", tests, NULL, scratch_teardown);
}
