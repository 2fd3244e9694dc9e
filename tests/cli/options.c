/*
 * options.c: the parser of the command line: values read, values refused, what --help shows.
 */
#include "support/test.h"
#include "support/tree.h"

#include "../../cli/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What one parse writes into, set to the defaults before each. */
typedef struct probe {
	bool flag, soft_off, either;
	int64_t count;
	double rate, budget, spacing[3], range[2];
	const char *out, *mode;
	const char *const *sites;
	size_t n_sites;
} probe;

#define AT(member) offsetof(probe, member)

static const hardy_option rows[] = {
    {"hard", HARDY_OPTION_SWITCH, AT(flag), NULL, "Harder.", .use = 0},
    {"grid", HARDY_OPTION_SWITCH, AT(either), NULL, "Gridded.", .usual = "on", .use = HARDY_OPTION_EITHER},
    {"form", HARDY_OPTION_SWITCH, AT(soft_off), "FORM", "Form.", .choices = "plain|fancy"},
    {"size", HARDY_OPTION_WHOLE, AT(count), "N", "Grid.", .usual = "128", .low = 16, .high = 512},
    {"learning_rate", HARDY_OPTION_REAL, AT(rate), "X", "Learning rate.", .usual = "0.001", .word = "lr"},
    {"budget_s", HARDY_OPTION_TIME, AT(budget), "TIME", "Time.", .usual = "2700", .word = "budget"},
    {"spacing", HARDY_OPTION_SPACING, AT(spacing), "MM", "Spacing.", .usual = "1.5,1.5,10"},
    {"threshold_range", HARDY_OPTION_PAIR, AT(range), "LOW,HIGH", "Range.", .usual = "0,0.5", .low = 0, .high = 1},
    {"output", HARDY_OPTION_TEXT, AT(out), "DIR", "Folder.", .use = 0},
    {"mode", HARDY_OPTION_TEXT, AT(mode), "M", "Mode.", .usual = "soft", .choices = "soft|hard"},
    {"sites", HARDY_OPTION_TEXTS, AT(sites), "S", "Site.", .word = "site"},
    {"data", HARDY_OPTION_TEXT, AT(out), "DATA", "Data.", .use = HARDY_OPTION_ARGUMENT},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };
static const hardy_options table = {"probe", rows, N_ROWS, sizeof(probe), NULL};

static const command self = {.name = "probe", .arguments = "DATA", .summary = "probes"};
static probe got;
static arguments given_words;
static char printed[8192]; /* both streams of the last parse */

/* Parses words, a NULL-ended list, and keeps what was printed. */
static int parse(const char *const *words)
{
	char *argv[16] = {(char *)"probe"};
	int argc = 1;
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	hardy_options_default(&table, &got);
	fflush(NULL);
	int saved_out = dup(1), saved_err = dup(2);
	FILE *f = tmpfile();
	assert_non_null(f);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	arguments_clear(&given_words);
	const option_set mine = {&table, &got};
	int code = arguments_take(&given_words, &self, NULL, &mine, argc, argv, 1, 2);
	fflush(NULL);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	rewind(f);
	printed[fread(printed, 1, sizeof printed - 1, f)] = 0;
	fclose(f);
	return code;
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void reads_values(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "--hard", "--size", "96", "--lr=-2.5e-3", "--budget", "45m", "-o", "run", "--mode=hard",
	                       "--site", "x", "--site=y", "-"),
	                 -1);
	assert_true(got.flag);
	assert_int_equal(got.count, 96);
	assert_true(got.rate == -2.5e-3);
	assert_true(got.budget == 2700);
	assert_string_equal(got.out, "run");
	assert_string_equal(got.mode, "hard");
	assert_int_equal(got.n_sites, 2);
	assert_string_equal(got.sites[1], "y");
	assert_int_equal(given_words.n_rest, 2);
	assert_string_equal(given_words.rest[0], "a");
	assert_string_equal(given_words.rest[1], "-");
}

static void reads_units(void **state)
{
	(void)state;
	const struct {
		const char *text;
		double seconds;
	} times[] = {{"90", 90}, {"90s", 90}, {"1.5m", 90}, {"2h", 7200}};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		assert_int_equal(PARSE("a", "--budget", times[i].text), -1);
		assert_true(got.budget == times[i].seconds);
	}
	assert_int_equal(PARSE("a", "--spacing", "1.25"), -1);
	assert_true(got.spacing[0] == 1.25 && got.spacing[1] == 1.25 && got.spacing[2] == 10);
	assert_int_equal(PARSE("a", "--spacing", "1,2,3"), -1);
	assert_true(got.spacing[0] == 1 && got.spacing[1] == 2 && got.spacing[2] == 3);
}

static void ends_options_at_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--", "--size", "--help"), -1);
	assert_int_equal(given_words.n_rest, 2);
	assert_string_equal(given_words.rest[0], "--size");
}

static void refuses_what_it_cannot_read(void **state)
{
	(void)state;
	const struct {
		const char *word, *value, *message;
	} bad[] = {
	    {"--size", "12x", "--size is \"12x\", want a whole number"},
	    {"--size", "", "--size wants a value"},
	    {"--size", "1e3", "--size is 1e3, want 16 to 512"},
	    {"--size", "96.5", "want a whole number"},
	    {"--size", "99999999999999999999", "want a whole number"},
	    {"--threshold-range", "0.5", "want two numbers: LOW,HIGH"},
	    {"--threshold-range", "0,2", "--threshold-range is 2, want 0 to 1"},
	    {"--form", "plai", "--form is \"plai\" (did you mean plain?), want one of plain|fancy"},
	    {"--no-hardy", "b", "unknown option --no-hardy"},
	    {"--data", "b", "unknown option --data"},
	    {"--size", "8", "--size is 8, want 16 to 512"},
	    {"--lr", "nan", "want a number"},
	    {"--lr", "inf", "want a number"},
	    {"--lr", "1e999", "want a number"},
	    {"--lr", "0.1,", "want a number"},
	    {"--budget", "0", "want a time"},
	    {"--budget", "-5m", "want a time"},
	    {"--budget", "5d", "want a time"},
	    {"--budget", "5mm", "want a time"},
	    {"--spacing", "1,2", "want mm"},
	    {"--spacing", "1,2,3,4", "want mm"},
	    {"--spacing", "1,0,3", "want mm"},
	    {"--spacing", "1,2,", "want mm"},
	    {"--mode", "har", "want one of soft|hard"},
	    {"--mode", "soft|hard", "want one of soft|hard"},
	    {"--sise", "96", "unknown option --sise; did you mean --size?"},
	    {"--zzzzzzzz", "96", "unknown option --zzzzzzzz\n"},
	    {"--hard=1", "b", "--hard takes no value"},
	    {"-x", "b", "unknown option -x"},
	    {"--size", "--lr", "--size wants a value (N)"},
	    {"b", "c", "unexpected argument \"c\""},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(PARSE("a", bad[i].word, bad[i].value), EXIT_USAGE);
		if (!strstr(printed, bad[i].message))
			fail_msg("%s %s: found \"%s\", want \"%s\"", bad[i].word, bad[i].value, printed, bad[i].message);
	}
	assert_int_equal(PARSE("--hard"), EXIT_USAGE);
	assert_non_null(strstr(printed, "missing"));
}

static void help_lists_the_table_and_its_defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--size", "17", "--help"), EXIT_DONE);
	for (size_t i = 0; i < N_ROWS; i++) {
		char word[64];
		option_word(&rows[i], false, word, sizeof word);
		assert_int_equal(strstr(printed, word) != NULL, !(rows[i].use & HARDY_OPTION_ARGUMENT));
		assert_int_equal(strstr(printed, rows[i].about) != NULL, !(rows[i].use & HARDY_OPTION_ARGUMENT));
	}
	const char *shown[] = {"Usage: hardy probe [options] DATA",
	                       "[128]",
	                       "(16 to 512)",
	                       "[0.001]",
	                       "[45m]",
	                       "[1.5,1.5,10]",
	                       "[soft]",
	                       "[plain]",
	                       "[0,0.5]",
	                       "--grid, --no-grid",
	                       "[on]",
	                       "(soft|hard)",
	                       "-o, --output DIR"};
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		if (!strstr(printed, shown[i]))
			fail_msg("--help lacks %s: %s", shown[i], printed);
	}
}

/* What a file of options says, the command line overrides. */
static void reads_files_of_options(void **state)
{
	(void)state;
	tree_text("o.yaml",
	          "# of a trial\nlearning-rate: 0.5\nsize: 32\nhard: yes\ngrid: off\nform: fancy\nsites: [x, y]\nspacing: 1,2,3\n");
	const char *path = tree_path("o.yaml");
	assert_int_equal(PARSE("a", "--size=64", "--options", path), -1);
	assert_true(got.rate == 0.5 && got.count == 64 && got.flag && !got.either && got.soft_off && got.spacing[2] == 3);
	assert_int_equal(got.n_sites, 2);
	assert_string_equal(got.sites[1], "y");
	const struct {
		const char *text, *message;
	} bad[] = {
	    {"sise: 3\n", "o.yaml: \"sise\" is no option of this command"},
	    {"data: x\n", "o.yaml: \"data\" is no option of this command"},
	    {"size: 3\n", "--size is 3, want 16 to 512"},
	    {"size: 32\nsize: 48\n", "o.yaml: line 2: \"size\" is there twice"},
	    {"size: {a: 1}\n", "o.yaml: line 1: want a value, or a list of values"},
	    {"sites: [[x]]\n", "o.yaml: line 1: want a value in the list"},
	    {"size:\n", "o.yaml: line 1: a value is empty"},
	    {"- size\n", "o.yaml: line 1: want a map of options"},
	    {"size: &a 32\nbudget: *a\n", "o.yaml: line 2: want a value"},
	    {"size: 32\n---\nsize: 48\n", "o.yaml: line 2: want one document"},
	    {"size: [32\n", "o.yaml: line 2: "},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		tree_text("o.yaml", bad[i].text);
		assert_int_not_equal(PARSE("a", "--options", path), -1);
		if (!strstr(printed, bad[i].message))
			fail_msg("%s: found \"%s\", want \"%s\"", bad[i].text, printed, bad[i].message);
	}
	assert_int_equal(PARSE("a", "--options", "absent.yaml"), EXIT_FAILED);
	assert_non_null(strstr(printed, "absent.yaml"));
	assert_int_equal(PARSE("a", "--options"), EXIT_USAGE);
	tree_text("o.yaml", "# nothing\n");
	assert_int_equal(PARSE("a", "--options", path), -1);
	assert_int_equal(got.count, 128);
}

static void suggests_only_what_is_near(void **state)
{
	(void)state;
	const char *names[] = {"train", "predict", "evaluate"};
	assert_string_equal(hardy_nearest_name("trian", names, 3), "train");
	assert_string_equal(hardy_nearest_name("evalaute", names, 3), "evaluate");
	assert_null(hardy_nearest_name("x", names, 3));
	assert_null(hardy_nearest_name("segmentation", names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_values),
	    cmocka_unit_test(reads_units),
	    cmocka_unit_test(ends_options_at_two_dashes),
	    cmocka_unit_test(refuses_what_it_cannot_read),
	    cmocka_unit_test(help_lists_the_table_and_its_defaults),
	    cmocka_unit_test(reads_files_of_options),
	    cmocka_unit_test(suggests_only_what_is_near),
	};
	tree_new();
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	tree_remove();
	arguments_clear(&given_words);
	return failed;
}
