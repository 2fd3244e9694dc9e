/*
 * split.c: draws of subjects are seeded, disjoint and sorted; files of subjects are held to the data set.
 */
#include "dataset/dataset.h"

#include "support/test.h"
#include "support/tree.h"

#include <stdio.h>
#include <string.h>

enum { N_SUBJECTS = 20 };

static char names[N_SUBJECTS][16];
static hy_case cases[N_SUBJECTS * 2];
static hy_dataset d = {.root = names[0], .cases = cases, .n_cases = N_SUBJECTS * 2, .n_classes = 2, .n_channels = 1};

/* Subjects s00 to s19, ED and ES; no file is opened by a split. The last n_held_out are the data set's own test folder. */
static void make_data(int n_held_out)
{
	static char label[] = "label";
	for (int i = 0; i < N_SUBJECTS * 2; i++) {
		cases[i] =
		    (hy_case){.subject = names[i / 2], .site = "", .label_path = label, .held_out = i / 2 >= N_SUBJECTS - n_held_out};
		snprintf(names[i / 2], sizeof names[i / 2], "s%02d", i / 2);
		snprintf(cases[i].phase, sizeof cases[i].phase, i % 2 ? "ES" : "ED");
	}
}

static void expect_sorted(char (*list)[HY_NAME_SIZE], size_t n)
{
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(list[i - 1], list[i]) < 0);
}

static void expect_disjoint(const hy_split *s)
{
	expect_sorted(s->train, s->n_train);
	expect_sorted(s->validation, s->n_validation);
	expect_sorted(s->test, s->n_test);
	for (size_t i = 0; i < s->n_train; i++) {
		assert_false(hy_split_has(s->validation, s->n_validation, s->train[i]));
		assert_false(hy_split_has(s->test, s->n_test, s->train[i]));
	}
	for (size_t i = 0; i < s->n_validation; i++)
		assert_false(hy_split_has(s->test, s->n_test, s->validation[i]));
}

static hy_split make(const char *path, int64_t n_train, int64_t n_validation, uint64_t seed)
{
	hy_split s;
	hardy_error err = {0};
	assert_ok(hy_split_make(&s, &d, path, -1, n_train, n_validation, seed, NULL, &err), &err);
	expect_disjoint(&s);
	return s;
}

static void refuse(const char *path, int64_t n_train, int64_t n_validation, hardy_status wanted, const char *part)
{
	hy_split s;
	hardy_error err = {0};
	assert_int_equal(hy_split_make(&s, &d, path, -1, n_train, n_validation, 0, NULL, &err), wanted);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not contain \"%s\"", err.message, part);
}

static void draws_repeat_and_differ_by_seed(void **state)
{
	(void)state;
	make_data(0);
	hy_split a = make(NULL, 5, 4, 1), b = make(NULL, 5, 4, 1), c = make(NULL, 5, 4, 2), e = make(NULL, 8, 4, 1);
	assert_int_equal(a.n_train, 5);
	assert_int_equal(a.n_validation, 4);
	assert_int_equal(a.n_test, 11); /* the rest */
	assert_memory_equal(a.train, b.train, 5 * HY_NAME_SIZE);
	assert_memory_equal(a.validation, b.validation, 4 * HY_NAME_SIZE);
	assert_true(memcmp(a.train, c.train, 5 * HY_NAME_SIZE) != 0);
	/* Held out first: how many train does not change who validates, and more subjects include the fewer. */
	assert_memory_equal(a.validation, e.validation, 4 * HY_NAME_SIZE);
	for (size_t i = 0; i < 5; i++)
		assert_true(hy_split_has(e.train, e.n_train, a.train[i]));
	hy_split_clear(&a);
	hy_split_clear(&b);
	hy_split_clear(&c);
	hy_split_clear(&e);
}

static void every_subject_is_drawn_some_time(void **state)
{
	(void)state;
	int count[N_SUBJECTS] = {0};
	make_data(0);
	for (uint64_t seed = 0; seed < 200; seed++) {
		hy_split s = make(NULL, 5, 0, seed);
		for (int i = 0; i < N_SUBJECTS; i++)
			count[i] += hy_split_has(s.train, s.n_train, cases[2 * i].subject);
		hy_split_clear(&s);
	}
	for (int i = 0; i < N_SUBJECTS; i++) /* 50 expected, standard deviation 6.1 */
		assert_true(count[i] > 25 && count[i] < 75);
}

static void the_own_test_folder_is_never_drawn(void **state)
{
	(void)state;
	make_data(5);
	hy_split s = make(NULL, 0, 3, 7);
	assert_int_equal(s.n_train, 12);
	assert_int_equal(s.n_test, 5);
	assert_string_equal(s.test[0], "s15");
	hy_split_clear(&s);
	refuse(NULL, 14, 2, HARDY_ERROR_DATA, "15 labelled subjects to draw from, want at least 16");
	refuse(NULL, 0, 15, HARDY_ERROR_DATA, "want at least 16");
	refuse(NULL, INT64_MAX, 2, HARDY_ERROR_DATA, "labelled subjects");
}

/* Three, five or ten labelled subjects train without a word, and of more than sixteen five validate. */
static void numbers_that_nobody_gave(void **state)
{
	(void)state;
	static const int wanted[][3] = {{1, 1, 0},  {3, 3, 0},   {4, 4, 0},   {5, 4, 1},
	                                {10, 7, 3}, {15, 11, 4}, {17, 12, 5}, {20, 15, 5}};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		make_data(0);
		for (int k = 2 * wanted[i][0]; k < N_SUBJECTS * 2; k++)
			cases[k].label_path = NULL;
		hy_split s = make(NULL, HY_SPLIT_AUTO, HY_SPLIT_AUTO, 3);
		assert_int_equal(s.n_train, wanted[i][1]);
		assert_int_equal(s.n_validation, wanted[i][2]);
		assert_int_equal(s.n_test, 0);
		hy_split_clear(&s);
	}
	make_data(0);
	hy_split s = make(NULL, 18, HY_SPLIT_AUTO, 3); /* what is left validates */
	assert_int_equal(s.n_validation, 2);
	hy_split_clear(&s);
	s = make(NULL, 20, HY_SPLIT_AUTO, 3);
	assert_int_equal(s.n_validation, 0);
	hy_split_clear(&s);
	s = make(NULL, HY_SPLIT_AUTO, 8, 3);
	assert_int_equal(s.n_train, 12);
	hy_split_clear(&s);
	tree_new(); /* a pool is drawn from, a list to train on is taken whole; who validates stands there or is drawn */
	tree_text("pool.json",
	          "{\"pool\": [\"s00\", \"s01\", \"s02\", \"s03\", \"s04\", \"s05\", \"s06\", \"s07\", \"s08\", \"s09\", "
	          "\"s10\"], \"validation\": [\"s12\"]}");
	s = make(tree_path("pool.json"), HY_SPLIT_AUTO, HY_SPLIT_AUTO, 3);
	assert_int_equal(s.n_train, HY_SPLIT_POOL);
	assert_int_equal(s.n_validation, 1);
	hy_split_clear(&s);
	tree_text("train.json",
	          "{\"train\": [\"s00\", \"s01\", \"s02\", \"s03\", \"s04\", \"s05\", \"s06\", \"s07\", \"s08\", \"s09\", "
	          "\"s10\"], \"validation\": [\"s12\"]}");
	s = make(tree_path("train.json"), HY_SPLIT_AUTO, HY_SPLIT_AUTO, 3);
	assert_int_equal(s.n_train, 11);
	hy_split_clear(&s);
}

static void subjects_without_a_label_are_not_drawn(void **state)
{
	(void)state;
	make_data(0);
	for (int i = 4; i < N_SUBJECTS * 2; i++)
		cases[i].label_path = NULL;
	hy_split s = make(NULL, 2, 0, 7);
	assert_string_equal(s.train[1], "s01");
	assert_int_equal(s.n_test, 0);
	hy_split_clear(&s);
	tree_new();
	tree_text("split.json", "{\"train\": [\"s00\", \"s07\"]}");
	refuse(tree_path("split.json"), 0, 0, HARDY_ERROR_DATA, "subject s07 is meant for training but has no label");
}

static void a_file_of_pools(void **state)
{
	(void)state;
	make_data(0);
	tree_new();
	tree_text("split.json", "{\"what\": \"text\", \"pool\": [\"s03\", \"s01\", \"s02\", \"s04\"], \"validation\": [\"s05\"], "
	                        "\"test\": [\"s06\", \"s07\"], \"large_extra\": [\"s08\", \"s09\"]}");
	const char *path = tree_path("split.json");
	hy_split s = make(path, 0, 3, 0);
	assert_int_equal(s.n_train, 4);
	assert_string_equal(s.train[0], "s01");
	assert_int_equal(s.n_validation, 1); /* the file's, whatever number is asked for */
	assert_int_equal(s.n_test, 2);
	hy_split_clear(&s);
	s = make(path, 2, 0, 3);
	assert_int_equal(s.n_train, 2);
	assert_int_equal(s.n_test, 2);
	hy_split_clear(&s);
	s = make(path, 6, 0, 0); /* the large setting */
	assert_int_equal(s.n_train, 6);
	assert_true(hy_split_has(s.train, 6, "s09"));
	hy_split_clear(&s);
	refuse(path, 7, 0, HARDY_ERROR_DATA, "6 labelled subjects to draw from, want at least 7");
}

static void a_file_of_plain_lists(void **state)
{
	(void)state;
	make_data(0);
	tree_new();
	tree_text("split.json", "{\"train\": [\"s03\", \"s01\"], \"validation\": [\"s05\"], \"test\": []}");
	hy_split s = make(tree_path("split.json"), 0, 0, 0);
	assert_int_equal(s.n_train, 2);
	assert_int_equal(s.n_test, 0);
	hy_split_clear(&s);
}

static void bad_files(void **state)
{
	(void)state;
	make_data(0);
	tree_new();
	const char *path = tree_path("split.json");
	refuse(path, 0, 0, HARDY_ERROR_IO, "split.json");
	tree_text("split.json", "{\"train\": [\"s01\"");
	refuse(path, 0, 0, HARDY_ERROR_FORMAT, "not valid JSON");
	tree_text("split.json", "{\"validation\": [\"s01\"]}");
	refuse(path, 0, 0, HARDY_ERROR_FORMAT, "neither \"train\" nor \"pool\"");
	tree_text("split.json", "{\"train\": \"s01\"}");
	refuse(path, 0, 0, HARDY_ERROR_FORMAT, "not a list");
	tree_text("split.json", "{\"train\": [1]}");
	refuse(path, 0, 0, HARDY_ERROR_FORMAT, "not a subject's name");
	tree_text("split.json", "{\"train\": []}");
	refuse(path, 0, 0, HARDY_ERROR_DATA, "0 labelled subjects");
	tree_text("split.json", "{\"train\": [\"s01\", \"s02\", \"s01\"]}");
	refuse(path, 0, 0, HARDY_ERROR_DATA, "subject s01 is twice in \"train\"");
	tree_text("split.json", "{\"train\": [\"s01\"], \"test\": [\"s02\", \"s01\"]}");
	refuse(path, 0, 0, HARDY_ERROR_DATA, "subject s01 is in \"train\" and in \"test\"");
	tree_text("split.json", "{\"train\": [\"s01\"], \"test\": [\"s02\", \"a\", \"b\", \"c\", \"d\"]}");
	refuse(path, 0, 0, HARDY_ERROR_DATA, "4 of 5 subjects of \"test\" are not in the data set: a, b, c, ...");
}

static int finish(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static void lost_subjects_change_no_others(void **state)
{
	(void)state;
	make_data(0);
	hy_split all = make(NULL, 8, 4, 3), fewer;
	char lost[1][HY_NAME_SIZE];
	snprintf(lost[0], HY_NAME_SIZE, "%s", all.train[2]);
	for (int i = 0; i < N_SUBJECTS * 2; i++) /* its cases are not there */
		if (!strcmp(cases[i].subject, lost[0]))
			cases[i].subject = all.train[3];
	d.lost = lost;
	d.n_lost = 1;
	fewer = make(NULL, 8, 4, 3);
	assert_int_equal(fewer.n_train, 7);
	assert_memory_equal(fewer.train, all.train, 2 * HY_NAME_SIZE);
	assert_memory_equal(fewer.train + 2, all.train + 3, 5 * HY_NAME_SIZE);
	assert_memory_equal(fewer.validation, all.validation, 4 * HY_NAME_SIZE);
	tree_new();
	char text[700];
	snprintf(text, sizeof text, "{\"train\": [\"%s\", \"%s\"]}", lost[0], all.train[0]);
	tree_text("s.json", text);
	hy_split named = make(tree_path("s.json"), 0, 0, 0);
	assert_int_equal(named.n_train, 1);
	assert_string_equal(named.train[0], all.train[0]);
	d.lost = NULL;
	d.n_lost = 0;
	hy_split_clear(&named);
	hy_split_clear(&fewer);
	hy_split_clear(&all);
}

static void unknown_keys_are_named(void **state)
{
	(void)state;
	make_data(0);
	tree_new();
	tree_text("s.json", "{\"train\": [\"s00\"], \"val\": [\"s01\"]}");
	refuse(tree_path("s.json"), 0, 0, HARDY_ERROR_FORMAT,
	       "\"val\" is no key of a splits file (did you mean validation?): want pool or train, validation");
	tree_text("s.json", "{\"pool\": [\"s00\"], \"Validation\": [\"s01\"]}");
	refuse(tree_path("s.json"), 0, 0, HARDY_ERROR_FORMAT, "\"Validation\"");
	tree_text("s.json", "{\"pool\": [\"s00\"], \"train\": [\"s01\"]}");
	refuse(tree_path("s.json"), 0, 0, HARDY_ERROR_FORMAT, "both \"train\" and \"pool\"");
	tree_text("s.json", "{\"what\": \"a remark\", \"pool\": [\"s00\"]}");
	hy_split s = make(tree_path("s.json"), 0, 0, 0);
	assert_int_equal(s.n_train, 1);
	hy_split_clear(&s);
}

static void a_list_of_folds(void **state)
{
	(void)state;
	hy_split s;
	hardy_error err = {0};
	make_data(0);
	tree_new();
	const char *path = tree_path("splits_final.json");
	tree_text("splits_final.json",
	          "[{\"train\": [\"s00\", \"s01\"], \"val\": [\"s02\"]}, {\"train\": [\"s02\"], \"val\": [\"s00\", \"s01\"]}]");
	assert_ok(hy_split_make(&s, &d, path, 1, 0, 5, 0, NULL, &err), &err);
	assert_true(s.n_train == 1 && s.n_validation == 2 && s.n_test == 0);
	assert_string_equal(s.train[0], "s02");
	assert_string_equal(s.validation[1], "s01");
	hy_split_clear(&s);
	refuse(path, 0, 0, HARDY_ERROR_ARGUMENT, "a list of 2 folds: want a fold from 0 to 1");
	assert_int_equal(hy_split_make(&s, &d, path, 2, 0, 0, 0, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "fold 2 is wanted, the file holds folds 0 to 1"));
	tree_text("splits_final.json", "[{\"train\": [\"s00\"], \"valid\": [\"s02\"]}]");
	assert_int_equal(hy_split_make(&s, &d, path, 0, 0, 0, 0, NULL, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "\"valid\" is no key"));
	tree_text("splits_final.json", "{\"train\": [\"s00\"]}");
	assert_int_equal(hy_split_make(&s, &d, path, 0, 0, 0, 0, NULL, &err), HARDY_ERROR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(draws_repeat_and_differ_by_seed),
	    cmocka_unit_test(every_subject_is_drawn_some_time),
	    cmocka_unit_test(the_own_test_folder_is_never_drawn),
	    cmocka_unit_test(numbers_that_nobody_gave),
	    cmocka_unit_test(subjects_without_a_label_are_not_drawn),
	    cmocka_unit_test(a_file_of_pools),
	    cmocka_unit_test(a_file_of_plain_lists),
	    cmocka_unit_test(bad_files),
	    cmocka_unit_test(lost_subjects_change_no_others),
	    cmocka_unit_test(unknown_keys_are_named),
	    cmocka_unit_test(a_list_of_folds),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
